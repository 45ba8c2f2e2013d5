# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What the module store_copy does: look at everything, plan, and copy."""

from __future__ import annotations

import contextlib
import typing as t
import uuid

from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_report
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import near_miss
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_api import Controllers, is_away
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_charts import size_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_control import MOST_TRANSFERS, Control
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_copy import Copying, Options, tagged
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, Journal, State
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_page import span_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_plan import (
    BLOCKED,
    COPIED,
    COPY,
    ELSEWHERE,
    LEFT_BEHIND,
    WAIT,
    Capacity,
    Image,
    Plan,
    Switch,
    attention_lines,
    estimate,
    fits,
    image_of,
    make_plan,
    measured_rate,
    plan_table,
)

LOCK_PATIENCE = 15.0
DOING = "reading the options of the switch"

Parameters = dict[str, t.Any]


def run(params: Parameters, check_mode: bool) -> Parameters:
    """Plan, and unless it is check mode copy; return the module's result, ``stopped`` where it did not get to its end.

    :raises GlanceError: when nothing was begun.
    """
    _check(params)
    controllers = Controllers(connect(params), params["endpoints"])
    controllers.authenticate()
    known = _known_stores(controllers, params, must_have=not check_mode)
    switch = Switch(
        params["source"],
        params["target"],
        params["target_type"] or "",
        known,
        dead_tasks=frozenset(params["dead_tasks"] or []),
        leave_behind=frozenset(params["leave_behind"] or []),
    )
    if check_mode:
        state = Journal(params["journal"]).read()
        plan = _plan(controllers, switch, params)
        return {
            **_planned(plan, params, state),
            **_announced(plan.of(COPY), state),
            "changed": bool(plan.of(COPY)),
            "requests": controllers.requests,
        }
    with Journal(params["journal"], patience=LOCK_PATIENCE) as journal:
        result = _copy(controllers, switch, journal, params)
    if result["interrupted"] and params["playbook"]:
        _report(result, params)
    return result


def _report(result: Parameters, params: Parameters) -> None:
    """Write the reports: whoever was interrupted is followed by nobody who would."""
    try:
        told = _switch_report.run(params, warn=result["warnings"].append)
    except GlanceError as error:
        result["warnings"].append(f"The reports are not written: {error}")
    else:
        result["table"] += [*told["table"], f"Reports: {told['html']}", f"         {told['json']}"]


def _check(params: Parameters) -> None:
    if params["source"] == params["target"]:
        remedy = "give two different stores"
        raise GlanceError(DOING, answer=f"source and target are both {params['source']!r}", remedy=remedy)
    if not params["endpoints"]:
        raise GlanceError(DOING, answer="endpoints is empty", remedy="give the URL of at least one controller")
    if not 1 <= params["transfers"] <= MOST_TRANSFERS:
        answer = f"transfers is {params['transfers']}"
        raise GlanceError(DOING, answer=answer, remedy=f"give a number from 1 to {MOST_TRANSFERS}")
    for option in ("bandwidth", "wait", "lock_age"):
        if params[option] < 0:
            raise GlanceError(DOING, answer=f"{option} is {params[option]}", remedy="give 0 or more")


# --- what there is ----------------------------------------------------------------------------------------------------


def _known_stores(controllers: Controllers, params: Parameters, must_have: bool) -> t.Optional[frozenset[str]]:
    """Return the stores of the running configuration, or None where it is in single-store form.

    :param must_have: refuse to go on unless every controller that answers can copy from the one store to the other.
    """
    found: dict[str, t.Optional[list[Record]]] = {}
    for name in controllers.apis:
        try:
            found[name] = controllers.on(name, lambda api: api.stores())
        except GlanceError as error:
            if not is_away(error) or len(controllers.apis) == 1:
                raise
    if not found:
        # Says which of them does not answer, and why.
        controllers.anywhere(lambda api: api.stores())
    for name, records in found.items():
        if must_have:
            _check_stores(name, records, params)
            _check_method(name, controllers)
    listed = [records for records in found.values() if records is not None]
    return frozenset(str(store["id"]) for records in listed for store in records) if listed else None


def _check_stores(controller: str, records: t.Optional[list[Record]], params: Parameters) -> None:
    doing = f"looking for the stores on {controller}"
    if records is None:
        raise GlanceError(
            doing,
            answer="Glance is in single-store form, in which nothing can be copied",
            remedy="deploy it with both stores in glance_stores, and the old one as glance_default_store",
        )
    stores = {str(store["id"]): store for store in records}
    for option in ("source", "target"):
        name = params[option]
        if name not in stores:
            raise GlanceError(
                doing,
                answer=f"there is no store {name!r}{near_miss(name, stores)}; there are {', '.join(sorted(stores))}",
                remedy=f"correct {option}, or deploy Glance with that store first",
            )
    if str(stores[params["target"]].get("read-only", "")).lower() == "true":
        answer = f"the store {params['target']!r} is read-only"
        raise GlanceError(doing, answer=answer, remedy="choose a target that Glance can write")


def _check_method(controller: str, controllers: Controllers) -> None:
    methods = controllers.on(controller, lambda api: api.import_methods())
    if "copy-image" not in methods:
        raise GlanceError(
            f"looking for copy-image on {controller}",
            answer=f"the import methods are {', '.join(methods) or 'none'}",
            remedy="add copy-image to glance_import_methods, and deploy Glance",
        )


def _capacity(params: Parameters) -> Capacity:
    given = params["capacity"] or {}
    staging = {str(name): int(room) for name, room in (given.get("staging") or {}).items()}
    return Capacity(given.get("target"), staging)


def _only(params: Parameters) -> t.Optional[frozenset[str]]:
    return None if params["images"] is None else frozenset(params["images"])


# --- the plan ---------------------------------------------------------------------------------------------------------


def _plan(controllers: Controllers, switch: Switch, params: Parameters) -> Plan:
    only = _only(params)
    images = [image for image in controllers.listing(image_of) if only is None or image.id in only]
    if switch.known is not None:
        images = tagged(controllers, images, switch.known)
    return make_plan(images, switch, _capacity(params))


def _planned(plan: Plan, params: Parameters, state: State) -> Parameters:
    """Return a plan as the module returns it."""
    capacity = _capacity(params)
    rate = measured_rate(state) or params["rate"]
    expected = estimate(plan, capacity, params["transfers"], rate)
    return {
        "plan": {
            "images": len(plan.of(COPY)),
            "bytes": plan.bytes_of(COPY),
            "copied": len(plan.of(COPIED)),
            "copied_bytes": plan.bytes_of(COPIED),
            "elsewhere": len(plan.of(ELSEWHERE)),
            "waiting": plan.rows(WAIT),
            "blocked": plan.rows(BLOCKED),
            "left_behind": plan.rows(LEFT_BEHIND),
            "rate": rate,
            "seconds_estimated": expected.seconds,
            "fits": fits(plan, capacity),
            "missing_room": expected.missing,
        },
        "table": plan_table(plan, expected),
    }


def _announced(images: t.Iterable[Image], state: State) -> Parameters:
    """Return how many of the images to copy are deactivated, and what has to be announced of them before."""
    deactivated = [image.id for image in images if image.status == "deactivated"]
    return {"deactivated": len(deactivated), "announcements": state.announcements(deactivated)}


def _journalled_plan(plan: Plan) -> Facts:
    blocked = [
        {name: row[name] for name in ("image_id", "name", "size", "reason")}
        for row in plan.rows(BLOCKED)
        if row["attention"]
    ]
    return {
        "images": len(plan.of(COPY)) + len(plan.of(COPIED)),
        "bytes": plan.bytes_of(COPY) + plan.bytes_of(COPIED),
        "copied": len(plan.of(COPIED)),
        "copied_bytes": plan.bytes_of(COPIED),
        "blocked": blocked,
    }


def _stores(plan: Plan) -> dict[str, Facts]:
    """Return how many images and bytes each store has."""
    found: dict[str, Facts] = {}
    for image, _case in (pair for pairs in plan.images.values() for pair in pairs):
        for store in image.stores:
            count = found.setdefault(store, {"images": 0, "bytes": 0})
            count["images"] += 1
            count["bytes"] += image.size
    return found


# --- the copy ---------------------------------------------------------------------------------------------------------


def _copy(controllers: Controllers, switch: Switch, journal: Journal, params: Parameters) -> Parameters:
    state = _state(journal, params)
    before = _plan(controllers, switch, params)
    _check_room(before, params)
    whole = params["images"] is None
    if whole:
        journal.append("plan", **_journalled_plan(before))
        journal.append_all(state.leaving_behind(before.left_behind()))
        if "before" not in state.stores:
            journal.append("stores", when="before", stores=_stores(before))
    control = Control(params["control_file"], params["transfers"], params["bandwidth"])
    options = _options(params, state)
    copying = Copying(controllers, journal, switch, state, control, _capacity(params), options)
    copying.run()
    if whole:
        with contextlib.suppress(GlanceError):
            journal.append("stores", when="after", stores=_stores(copying.plan))
    return {
        **_planned(before, params, state),
        **_result(copying),
        **_announced([*copying.left(), *copying.to_lift()], state),
        "requests": controllers.requests,
    }


def _state(journal: Journal, params: Parameters) -> State:
    """Return what the journal tells, after it has been given a first line if it has none."""
    state = journal.read()
    if not state.switch:
        first = {
            "id": str(uuid.uuid4()),
            "from": params["source"],
            "to": params["target"],
            "from_type": params["source_type"] or "",
            "to_type": params["target_type"] or "",
            "release": params["release"] or "",
            "controllers": list(params["endpoints"]),
        }
        state.apply(journal.append("switch", **first))
    told = (state.switch["from"], state.switch["to"])
    if told != (params["source"], params["target"]):
        raise GlanceError(
            f"reading the journal {journal.path}",
            answer=f"it is of a switch from {told[0]} to {told[1]}",
            remedy="give another directory as journal",
        )
    return state


def _check_room(plan: Plan, params: Parameters) -> None:
    capacity = _capacity(params)
    if fits(plan, capacity) is False:
        raise GlanceError(
            f"planning the copies to {plan.switch.target}",
            answer=f"it has room for {size_text(capacity.target)}, and {size_text(plan.bytes_of(COPY))} are needed",
            remedy="make room there, name images that stay where they are in leave_behind, or choose another target",
        )


def _options(params: Parameters, state: State) -> Options:
    return Options(
        order=params["order"],
        only=_only(params),
        announced=state.announced() if params["announced_only"] else None,
        wait=params["wait"],
        lock_age=params["lock_age"],
        alive_tasks=frozenset(params["alive_tasks"] or []),
        progress_file=params["progress_file"],
        room_file=params["room_file"],
        watched_processes=tuple(params["watched_processes"] or []),
    )


def _result(copying: Copying) -> Parameters:
    outcome, plan = copying.outcome, copying.plan
    copied = list(outcome.copied.values())
    left = [image for image in copying.left() if image.id not in outcome.copied]
    result = {
        "changed": outcome.begun > 0 or bool(outcome.lifted),
        "copied": len(copied),
        "copied_bytes": sum(image.size for image in copied),
        "failures": list(outcome.failures.values()),
        "gone": outcome.gone,
        "undone": outcome.undone,
        "locked": list(outcome.locked.values()),
        "waiting": [row for row in plan.rows(WAIT) if row["image_id"] not in outcome.locked],
        "blocked": plan.rows(BLOCKED),
        "left_behind": plan.rows(LEFT_BEHIND),
        "left": len(left),
        "open": copying.open,
        "passes": outcome.passes,
        "rate": round(copying.rate),
        "seconds": round(copying.seconds, 1),
        "stopped": outcome.stopped,
        "interrupted": outcome.interrupted,
        "warnings": copying.warnings,
    }
    return {**result, "table": _table(copying, result)}


def _table(copying: Copying, result: Parameters) -> list[str]:
    """Return what was done, for people: a line for each image that needs attention, and a summary of the rest."""
    lines = [
        f"{result['copied']} images copied, {size_text(result['copied_bytes'])} in {span_text(result['seconds'])}"
        f" ({size_text(result['rate'])}/s); {len(result['failures'])} failed, {len(result['locked'])} locked,"
        f" {result['left']} left."
    ]
    if result["stopped"]:
        lines.append(f"Stopped: {result['stopped'].rstrip('.')}. Run again: it goes on where it stood.")
    for row in result["failures"]:
        lines.append(f"  {row['image_id']} {row['name']}: failed {row['attempts']} times. {row['reason']}.")
    for kind in ("gone", "locked"):
        lines += [f"  {row['image_id']} {row['name']}: {kind}, {row['reason']}." for row in result[kind]]
    for row in result["undone"]:
        lines.append(
            f"  {row['image_id']} {row['name']}: {', '.join(row['fields'])} was changed while it was copied, and Glance"
            " has undone that. Change it again."
        )
    for image_id in result["open"]:
        lines.append(f"  {image_id}: it was deactivated, and is active still or may be after its copy. Run again.")
    locked = {row["image_id"] for row in result["locked"]}
    return lines + [line for line in attention_lines(copying.plan) if line.split()[0] not in locked]
