# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers


"""Thinks out what an upgrade has to do, and what speaks against it."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _upgrade


def upgrade_plan(
    looked: t.Any,
    wanted: dict[str, dict[str, t.Any]],
    releases: list[dict[str, t.Any]],
    revisions: t.Optional[list[str]] = None,
    variables: t.Optional[dict[str, t.Any]] = None,
    database: str = "",
) -> dict[str, t.Any]:
    """Return the plan of an upgrade."""
    if not isinstance(looked, dict) or not isinstance(wanted, dict):
        raise AnsibleFilterError("upgrade_plan takes what was found on each controller, by its name")
    controllers = [_controller(str(name), found or {}, wanted.get(name) or {}) for name, found in looked.items()]
    known = [str(revision) for revision in revisions or []]
    plan = _upgrade.plan(controllers, releases, known)
    against = _upgrade.problems(plan, controllers, releases, variables) if variables is not None else []
    return {
        "target": plan.target,
        "begins": plan.begins,
        "due": plan.due,
        "waiting": plan.waiting,
        "phases": plan.phases,
        "is_before": plan.is_before,
        "works": plan.works,
        **_dump(plan, controllers, releases, database),
        "lines": _upgrade.lines(plan, controllers, releases, known),
        "problems": [problem.message for problem in against],
        "holders": [problem.message for problem in _upgrade.holders(controllers, plan.target, releases)],
    }


def _dump(
    plan: _upgrade.Plan,
    controllers: list[_upgrade.Controller],
    releases: list[dict[str, t.Any]],
    database: str,
) -> dict[str, t.Any]:
    if plan.is_before:
        return {"dump_name": _upgrade.dump_name(database, plan.begins, plan.target), "dump": {}, "back": plan.begins}
    known = _upgrade.dump_to_go_back_to(plan, controllers, releases, database)
    if known is None:
        return {"dump_name": "", "dump": {}, "back": plan.begins if plan.begins != plan.target else ""}
    release, dump = known
    return {"dump_name": "", "dump": dump._asdict(), "back": release}


def _controller(name: str, found: dict[str, t.Any], wanted: dict[str, t.Any]) -> _upgrade.Controller:
    # One that could not be looked at has none of these.
    return _upgrade.Controller(
        name=name,
        reachable="version" in found,
        running=bool(found.get("running")),
        version=str(found.get("version") or ""),
        environment=str(found.get("environment") or ""),
        outdated=bool(found.get("outdated")),
        noted=bool(found.get("noted")),
        release=str(wanted.get("release") or ""),
        wanted_environment=str(wanted.get("environment") or ""),
        dumps=tuple(_upgrade.Dump(dump["path"], dump["made"]) for dump in found.get("dumps") or []),
    )


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"upgrade_plan": upgrade_plan}
