# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The tables of releases and families in roles/glance/files, for the filters on the control node.

As variables they would be copied for each role that is read and for each template that is rendered, and worked out anew
at each use, of which there are hundreds in a run. Here they are read once, by the process that all others of the run
come from.
"""

from __future__ import annotations

import functools
import os
import typing as t

from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.openstack_ops.glance.plugins.module_utils import _releases

DIRECTORY = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "roles", "glance", "files")


@functools.cache
def _tables() -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for name in ("releases.yml", "families.yml"):
        with open(os.path.join(DIRECTORY, name), encoding="utf-8") as stream:
            found.update(yaml_load(stream))
    return found


def table(name: str) -> t.Any:
    """Return a table.

    :raises KeyError: when there is none of that name.
    """
    return _tables()[name]


Facts = t.Mapping[str, t.Any]
"""What Ansible has gathered on a node."""


def wanted_release(facts: Facts, wanted: str, from_source: bool = False, source_version: str = "") -> _releases.Release:
    """Return the entry of the release that is wanted, as _releases.find() does. It is the same object each time.

    :param wanted: the name, the series or the major number of Glance. ``auto`` is that of the version from source,
        or else what the distribution packages.
    """
    if from_source and wanted == _releases.AUTO:
        wanted = source_version.split(".", maxsplit=1)[0]
    return _find(wanted, str(facts.get("distribution", "")), _versions(facts))


@functools.cache
def _find(wanted: str, distribution: str, versions: tuple[str, ...]) -> _releases.Release:
    return _releases.find(table("releases"), table("known_in"), wanted, distribution, versions)


def _versions(facts: Facts) -> tuple[str, ...]:
    names = ("distribution_version", "distribution_major_version")
    return tuple(str(facts[name]) for name in names if name in facts)


def offered(facts: Facts) -> t.Optional[list[str]]:
    """Return the names of the releases that a distribution's package sources have, as _releases.offered() does."""
    return _releases.offered(table("releases"), str(facts["distribution"]), str(facts["os_family"]), _versions(facts))


def family(distribution: str, os_family: str, before: t.Collection[str]) -> dict[str, t.Any]:
    """Return what a distribution calls things.

    :param before: the names of the releases before the one that is wanted. What was different through an earlier one
        is so for the wanted one when that is not among them.
    :raises KeyError: when neither the distribution nor its family is known.
    """
    families = table("families")
    found: dict[str, t.Any] = families.get(distribution) or families[os_family]
    earlier = [entry for entry in found.get("earlier", ()) if entry["until"] not in before]
    return {name: value for entry in (found, *earlier) for name, value in entry.items()}
