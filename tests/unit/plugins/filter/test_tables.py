# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The filters that read the tables of the role glance."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.filter.family import family
from ansible_collections.openstack_ops.glance.plugins.filter.offered_releases import offered_releases
from ansible_collections.openstack_ops.glance.plugins.filter.release import release
from ansible_collections.openstack_ops.glance.plugins.filter.table import table

DEBIAN = {
    "distribution": "Debian",
    "os_family": "Debian",
    "distribution_version": "12.5",
    "distribution_major_version": 12,
}
UBUNTU = {**DEBIAN, "distribution": "Ubuntu", "distribution_version": "24.04", "distribution_major_version": "24"}
ROCKY = {**DEBIAN, "distribution": "Rocky", "os_family": "RedHat"}


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((DEBIAN, "auto"), "zed"),
        ((DEBIAN, "epoxy"), "epoxy"),
        ((DEBIAN, "2025.1"), "epoxy"),
        ((DEBIAN, 30), "epoxy"),
        ((DEBIAN, "auto", "source", "30.0.0"), "epoxy"),
        ((DEBIAN, "zed", "source", "30.0.0"), "zed"),
        ((DEBIAN, "auto", "package", "30.0.0"), "zed"),
        (({}, "zed"), "zed"),
    ],
)
def test_release(arguments: tuple[t.Any, ...], name: str) -> None:
    assert release(*arguments)["name"] == name


@pytest.mark.parametrize("arguments", [({}, "auto"), (ROCKY, "auto"), (DEBIAN, "unheard-of")])
def test_no_release(arguments: tuple[t.Any, ...]) -> None:
    assert release(*arguments) == {}


def test_what_things_are_called() -> None:
    assert family(DEBIAN, "auto")["server"] == "eventlet"
    assert family(DEBIAN, "victoria")["server"] == "uwsgi"
    assert "python3-pymysql" in family(UBUNTU, "rocky")["api_packages"]
    assert "python-pymysql" in family(UBUNTU, "queens")["api_packages"]
    assert family(ROCKY, "unheard-of")["api_unit"] == "openstack-glance-api.service"
    with pytest.raises(AnsibleFilterError, match="there is no 'Archlinux'"):
        family({**DEBIAN, "distribution": "Arch", "os_family": "Archlinux"}, "zed")


def test_what_a_distribution_offers() -> None:
    assert offered_releases(DEBIAN) is None
    assert "caracal" in (offered_releases(UBUNTU) or ())
    assert "zed" not in (offered_releases(UBUNTU) or ())


def test_tables() -> None:
    assert [entry["name"] for entry in table("releases")][:2] == ["havana", "icehouse"]
    with pytest.raises(AnsibleFilterError, match="there is no table of_plenty"):
        table("of_plenty")
