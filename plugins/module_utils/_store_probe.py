# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Proves on a node that Glance's user can write, read and delete in every store, before anything is configured."""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import os
import socket
import sys
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _store_probe_file,
    _store_probe_other,
    _store_probe_rbd,
    _store_probe_s3,
    _store_probe_swift,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._node_file import read_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_directory import Account, account
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_process import Job, Probe, run_jobs
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    Report,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_rbd import ceph_files
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import (
    store_mounts,
    store_places,
    store_problems,
    store_section,
    validated_store,
)

PROBES: dict[str, Probe] = {
    "file": _store_probe_file.probe,
    "swift": _store_probe_swift.probe,
    "rbd": _store_probe_rbd.probe,
    "s3": _store_probe_s3.probe,
    "http": _store_probe_other.http,
    "cinder": _store_probe_other.cinder,
    "vmware": _store_probe_other.vmware,
}
WRITTEN = ("file", "swift", "rbd", "s3")
"""The types whose probe writes."""
LIBRARIES: dict[str, tuple[str, ...]] = {
    "swift": ("swiftclient",),
    "rbd": ("rados", "rbd"),
    "s3": ("boto3", "botocore.config"),
    "cinder": ("cinderclient.client", "keystoneauth1.session", "keystoneauth1.identity.v3"),
}
"""The client libraries of the types, of which some take seconds to load on a busy node."""
ANY_RELEASE = 1000
"""What exists in which release is looked at elsewhere."""

Row = dict[str, t.Any]
Stores = t.Mapping[str, t.Any]


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Do what the parameters of the module say, and return its result."""
    node = params["node"] or socket.gethostname()
    user = account(params["user"], None)
    if user.uid is not None and os.geteuid() not in (0, user.uid):
        raise GlanceError(f"trying the stores as the user {user.name}", remedy="run the module as root (become: true)")
    if params["mode"] == "probe":
        rows, made = _probe(params, node, user, check_mode)
    elif params["mode"] == "mounts":
        rows, made = _mounts(params, node, user), False
    elif params["mode"] == "apart":
        rows, made = _apart(params, node, user, check_mode), False
    else:
        rows, made = _markers(params, node, user, check_mode), False
    problems = [problem for row in rows for problem in row["problems"]]
    return {
        "changed": made,
        "stores": rows,
        "problems": problems,
        "messages": [problem["message"] for problem in problems],
        "markers": [marker for row in rows for marker in row.pop("markers")],
        "mounted": sorted({row.pop("mounted") for row in rows} - {""}),
    }


def _probe(params: dict[str, t.Any], node: str, user: Account, check_mode: bool) -> tuple[list[Row], bool]:
    rows, jobs, good = {}, [], []
    for name, store in params["stores"].items():
        problems = store_problems(name, store)
        if problems:
            rows[name] = _unfit(node, store, problems)
        elif user.uid is None:
            rows[name] = _row(node, name, store["type"], _no_user(user, check_mode))
        else:
            good.append(name)
            jobs.append(_job(name, store, params["leave_markers"], node, not check_mode))
    environment = {name: str(value) for name, value in (params["environment"] or {}).items()}
    _load_libraries({params["stores"][name]["type"] for name in good})
    reports = run_jobs(jobs, user, params["timeout"], environment)
    for name, report in zip(good, reports):
        rows[name] = _row(node, name, params["stores"][name]["type"], report)
    return [{"name": name, **rows[name]} for name in params["stores"]], any(report.made for report in reports)


def _load_libraries(types: t.Iterable[str]) -> None:
    """Load the clients once for all processes, so that the time limit is that of the stores alone."""
    for module in sorted({module for kind in types for module in LIBRARIES.get(kind, ())}):
        # The probe of a store without its library says so. The answer of the module belongs to the module alone.
        with contextlib.suppress(Exception), contextlib.redirect_stdout(sys.stderr):
            importlib.import_module(module)


def _unfit(node: str, store: t.Any, problems: list[Problem]) -> Row:
    report = Report(tried=False, notes=["the options of the store are wrong"])
    kind = str(store.get("type")) if isinstance(store, dict) and store.get("type") in PROBES else ""
    told = [Problem(problem.code, problem.what, node, problem.advice).as_dict() for problem in problems]
    return {**_row(node, "", kind, report), "problems": told}


def _no_user(user: Account, check_mode: bool) -> Report:
    what = f"there is no user {user.name} on the node"
    report = Report(tried=False, notes=[what])
    if not check_mode:
        report.problem("GLS-160", what, "install Glance's packages first, which make it, or correct the option user")
    return report


def _job(name: str, store: Stores, leave_markers: bool, node: str, write: bool) -> Job:
    values = validated_store(name, store)
    shared = values.get("shared") if values.get("shared") is not None else bool(values.get("mount"))
    probe = PROBES[values["type"]]
    if leave_markers and shared and write:
        probe = functools.partial(_store_probe_file.probe_and_mark, node=node)
    return Job(functools.partial(_located, probe=probe, name=name, store=store), {"values": values, "write": write})


def _located(attempt: Attempt, probe: Probe, name: str, store: Stores) -> None:
    """Find out where the store is, and try it."""
    ceph = {ceph_files(name)["conf"]: f"fsid = {attempt.values.get('fsid')}"}
    section = store_section(store, name, ANY_RELEASE, read=lambda path: ceph.get(path) or read_text(path))
    attempt.report.where = "; ".join(place.storage for place in store_places(store["type"], section) if place.storage)
    probe(attempt)
    if not attempt.write and store["type"] in WRITTEN:
        attempt.report.notes.append("check mode: nothing was written")


def _mounts(params: dict[str, t.Any], node: str, user: Account) -> list[Row]:
    """Look at what is mounted already, before the units that mount are written."""
    stores = {name: validated_store(name, params["stores"][name]) for name in store_mounts(params["stores"])}
    jobs = [Job(_store_probe_file.look_at_mount, {"values": values, "write": False}) for values in stores.values()]
    reports = run_jobs(jobs, user, params["timeout"])
    return [{"name": name, **_row(node, name, "file", report)} for name, report in zip(stores, reports)]


def _apart(params: dict[str, t.Any], node: str, user: Account, check_mode: bool) -> list[Row]:
    """Prove that stores are different places, whatever their options say."""
    names = [name for name, store in params["stores"].items() if store["type"] in WRITTEN]
    pairs = [] if check_mode else list(itertools.combinations(names, 2))
    values = {name: validated_store(name, params["stores"][name]) for name in names}
    jobs = [
        Job(
            functools.partial(
                _is_apart,
                probe=PROBES[values[first]["type"]],
                other=PROBES[values[second]["type"]],
                name=second,
                more=values[second],
            ),
            {"values": values[first]},
        )
        for first, second in pairs
    ]
    environment = {name: str(value) for name, value in (params["environment"] or {}).items()}
    reports = run_jobs(jobs, user, params["timeout"], environment)
    return [
        {"name": first, **_row(node, first, params["stores"][first]["type"], report)}
        for (first, _second), report in zip(pairs, reports)
    ]


def _is_apart(attempt: Attempt, probe: Probe, other: Probe, name: str, more: dict[str, t.Any]) -> None:
    """Try a store while something of the same name is written, read and deleted in another one."""

    def try_the_other() -> None:
        inner = Attempt(more, timeout=attempt.deadline.left())
        inner.name = attempt.name
        try:
            other(inner)
        except ProbeError as error:
            # One without room is not where something was written just now.
            if error.code != "GLS-167":
                raise

    attempt.meanwhile = try_the_other
    try:
        probe(attempt)
    except ProbeError as error:
        raise ProbeError("GLS-408", f"it may be the same place as {name}: {error.what}") from error


def _markers(params: dict[str, t.Any], node: str, user: Account, check_mode: bool) -> list[Row]:
    """Look for the markers of other nodes, or remove markers."""
    looking = params["mode"] == "look"
    action = _store_probe_file.look if looking else _store_probe_file.remove
    wanted: dict[str, list[dict[str, str]]] = {}
    for marker in params["markers"] or []:
        if (marker["node"] != node or not looking) and not check_mode:
            wanted.setdefault(marker["store"], []).append(marker)
    jobs = [Job(functools.partial(action, markers=markers), {"values": {}}) for markers in wanted.values()]
    reports = run_jobs(jobs, user, params["timeout"])
    return [{"name": name, **_row(node, name, "file", report)} for name, report in zip(wanted, reports)]


def _row(node: str, name: str, kind: str, report: Report) -> Row:
    status = "failed" if report.problems else "ok"
    notes = list(report.notes)
    if report.left:
        notes.append(f"{report.left} may have been left there")
    return {
        "type": kind,
        "where": without_credentials(report.where),
        "status": status if report.tried else "not checked",
        "milliseconds": report.milliseconds,
        "free": report.free,
        "total": report.total,
        "notes": notes,
        "mounted": report.mounted,
        "markers": [{"node": node, "store": name, "path": path} for path in report.markers],
        "problems": [_problem(node, name, report, found).as_dict() for found in report.problems],
    }


def _problem(node: str, name: str, report: Report, found: dict[str, str]) -> Problem:
    where = f" ({without_credentials(report.where)})" if report.where else ""
    left = f"; {report.left} may have been left there" if report.left else ""
    return Problem(found["code"], f"glance_stores.{name}{where}: {found['what']}{left}", node, found["advice"])
