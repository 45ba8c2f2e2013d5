# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What is wrong with the variables of a switch between two stores, by themselves and against what runs today."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import STORE_TYPES, near_miss

Variables = t.Mapping[str, t.Any]

USSURI = 20
"""The first release whose Glance copies an image from one store to another."""
ENDS = ("glance_switch_from", "glance_switch_to")
LEAST = {
    "glance_switch_transfers": 1,
    "glance_switch_bandwidth": 0,
    "glance_switch_drain_timeout": 0,
    "glance_switch_grace": 0,
    "glance_switch_quarantine_days": 0,
    "glance_switch_proof_hours": 0,
    "glance_switch_reader_port": 1,
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def problems(variables: Variables, stores: Variables, release: int, multi: bool) -> list[Problem]:
    """Return everything that can be known to be wrong without asking a server.

    :param variables: the variables of the switch, by name.
    :param stores: the stores of the deployment.
    :param release: the major number of Glance.
    :param multi: whether the stores are written in multi-store form.
    """
    return [*_ends(variables, stores), *_values(variables), *_form(release, multi)]


def differences(variables: Variables, guards: t.Mapping[str, Variables], controllers: t.Iterable[str]) -> list[Problem]:
    """Return what does not go together with what the controllers run today.

    :param guards: what the module ``store_guard`` found on each controller.
    :param controllers: all controllers of the inventory.
    """
    source = str(variables["glance_switch_from"])
    left_out = sorted(set(controllers) - set(guards))
    found = [Problem("GLS-407", f"the run leaves out {', '.join(left_out)}")] if left_out else []
    for node, guard in guards.items():
        fates = guard.get("stores", [])
        running = [fate["becomes"] or fate["name"] for fate in fates]
        if not fates:
            found.append(Problem("GLS-404", "no Glance is configured here", node, "deploy it with the playbook site"))
        elif source not in running:
            what = f"the Glance of today has no store {source!r}; it has {', '.join(running)}"
            found.append(Problem("GLS-404", what, node))
    return found


def _ends(variables: Variables, stores: Variables) -> t.Iterator[Problem]:
    known = ", ".join(map(str, stores))
    for end in ENDS:
        name = variables.get(end)
        if not name:
            yield Problem("GLS-401", f"{end} is not set; there are {known}")
        elif name not in stores:
            yield Problem(
                "GLS-401", f"{end} is {name!r}, which is no store{near_miss(name, stores)}; there are {known}"
            )
        else:
            yield from _writable(end, str(name), stores[name])
    if variables.get(ENDS[0]) and variables.get(ENDS[0]) == variables.get(ENDS[1]):
        yield Problem("GLS-402", f"glance_switch_from and glance_switch_to are both {variables[ENDS[0]]!r}")


def _writable(end: str, name: str, store: t.Any) -> t.Iterator[Problem]:
    kind = store.get("type") if isinstance(store, dict) else None
    if kind in STORE_TYPES and STORE_TYPES[kind].read_only:
        yield Problem("GLS-403", f"{end} is {name!r} of the type {kind}, in which Glance cannot write")


def _values(variables: Variables) -> t.Iterator[Problem]:
    for name, least in LEAST.items():
        value = variables.get(name)
        if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)) or int(str(value)) < least:
            yield Problem("GLS-405", f"{name} is {value!r}; allowed is a whole number from {least}")
    left = variables.get("glance_switch_leave_behind")
    for entry in left if isinstance(left, list) else [left]:
        if not UUID.fullmatch(str(entry)):
            yield Problem("GLS-405", f"glance_switch_leave_behind has {entry!r}; allowed is a list of ids of images")


def _form(release: int, multi: bool) -> t.Iterator[Problem]:
    if 0 < release < USSURI:
        yield Problem("GLS-406", "the Glance of this release cannot copy an image to another store")
    elif not multi:
        yield Problem("GLS-406", "glance_store_layout asks for the single-store form, in which Glance copies nothing")
