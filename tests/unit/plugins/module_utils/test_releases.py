# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What follows from the table of releases."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _releases

RELEASES: list[dict[str, t.Any]] = [
    {"name": "yoga", "series": "2022.1", "version": 24, "ubuntu": ["22.04"]},
    {"name": "zed", "series": "2022.2", "version": 25, "debian": ["12"]},
    {"name": "antelope", "series": "2023.1", "version": 26},
]
KNOWN_IN = {"always": ["yoga", "now"], "gone": ["yoga", "yoga"], "short": ["zed", "zed"], "new": ["antelope", "now"]}


def find(wanted: str, distribution: str = "", *versions: str) -> dict[str, t.Any]:
    """Return the release of the small table."""
    return _releases.find(RELEASES, KNOWN_IN, wanted, distribution, versions)


@pytest.mark.parametrize(
    ("wanted", "knows"),
    [("yoga", ["always", "gone"]), ("2022.2", ["always", "short"]), ("26", ["always", "new"])],
)
def test_a_release_knows_what_came_and_has_not_gone(wanted: str, knows: list[str]) -> None:
    assert find(wanted)["knows"] == knows


def test_an_entry_is_found_with_the_releases_before_it() -> None:
    assert find("2022.2") == {**RELEASES[1], "before": ["yoga"], "knows": ["always", "short"]}


@pytest.mark.parametrize(
    ("distribution", "versions", "name"),
    [
        ("Debian", ("12.5", "12"), "zed"),
        ("Ubuntu", ("22.04", "22"), "yoga"),
        ("Ubuntu", ("12.04", "12"), None),
        ("CentOS", ("9",), None),
        ("", ("12",), None),
    ],
)
def test_auto_is_what_the_distribution_packages(distribution: str, versions: tuple[str, ...], name: t.Any) -> None:
    assert find("auto", distribution, *versions).get("name") == name


def test_a_named_release_does_not_depend_on_the_distribution() -> None:
    assert find("antelope", "Debian", "12")["name"] == "antelope"


def test_an_unknown_release_is_nothing() -> None:
    assert find("zedd") == {}


@pytest.mark.parametrize(
    ("distribution", "family", "versions", "names"),
    [
        ("Ubuntu", "Debian", ["22.04", "22"], ["yoga", "zed"]),
        ("Ubuntu", "Debian", ["24.04", "24"], []),
        ("CentOS", "RedHat", ["9"], ["antelope"]),
        ("Debian", "Debian", ["12"], None),
    ],
)
def test_what_distributions_have(distribution: str, family: str, versions: list[str], names: t.Any) -> None:
    table = [RELEASES[0], {**RELEASES[1], "cloud_archive": "22.04"}, {**RELEASES[2], "rdo": "26.0.0"}]
    assert _releases.offered(table, distribution, family, versions) == names


TABLE = [
    {"name": "newton", "series": "2016.2", "schema": "044"},
    {"name": "ocata", "series": "2017.1", "schema": "ocata_contract01"},
    {"name": "rocky", "series": "2018.2", "schema": "rocky_contract02"},
    {"name": "stein", "series": "2019.1", "schema": "rocky_contract02"},
    {"name": "wallaby", "series": "2021.1", "schema": "wallaby_contract01"},
    {"name": "zed", "series": "2022.2", "schema": "wallaby_contract01"},
    {"name": "antelope", "series": "2023.1", "schema": "2023_1_contract01"},
]


@pytest.mark.parametrize(
    ("revisions", "wanted", "first"),
    [
        ([], "newton", ""),
        (["44"], "newton", ""),
        (["044"], "ocata", ""),
        (["45"], "newton", "ocata"),
        (["ocata_contract01"], "newton", "ocata"),
        (["rocky_contract02"], "stein", ""),
        (["wallaby_contract01"], "zed", ""),
        (["wallaby_contract01"], "stein", "wallaby"),
        (["wallaby_contract01"], "antelope", ""),
        # In the middle of an upgrade there are two.
        (["2023_1_expand01", "wallaby_contract01"], "zed", "antelope"),
        # Zed's own, which only the next release brought.
        (["zed_expand01"], "zed", "antelope"),
        (["2027_1_contract01"], "antelope", "one after antelope"),
        (["wallaby_contract01"], "unknown", ""),
    ],
)
def test_a_newer_schema_is_found_with_the_release_that_has_it(revisions: list[str], wanted: str, first: str) -> None:
    assert _releases.newer_schema(revisions, wanted, TABLE) == first


ADVISORY = {"id": "A", "since": 16, "fixed": ["30.2.1", "31.1.1", "33.0.0"], "debian": ["2:25.1.0-2+deb12u5"]}


@pytest.mark.parametrize(
    ("version", "is_open"),
    [
        ("15.0.2", False),
        ("16.0.1", True),
        ("2:25.1.0-2+deb12u4", True),
        ("2:25.1.0-2+deb12u5", False),
        ("2:30.0.0-3+deb13u2", True),
        ("30.2.1", False),
        ("1:31.1.0-0ubuntu1", True),
        ("31.2.0", False),
        ("32.0.0", True),
        ("33.0.0", False),
        ("34.0.0", False),
        ("unknown", False),
    ],
)
def test_an_advisory_is_open_until_its_line_has_the_correction(version: str, is_open: bool) -> None:
    def at_least(one: str, other: str) -> bool:
        return one >= other

    assert bool(_releases.open_advisories(version, [ADVISORY], at_least)) == is_open


def test_an_advisory_without_a_correction_stays_open() -> None:
    assert _releases.open_advisories("99.0.0", [{"id": "B", "since": 7, "fixed": []}], lambda one, other: True)
