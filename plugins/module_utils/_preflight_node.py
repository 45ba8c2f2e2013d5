# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Everything that can be known of a node before anything is changed."""

from __future__ import annotations

import contextlib
import functools
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _probe_directory,
    _probe_network,
    _probe_node,
    _schema,
    _schema_settled,
    _store_guard,
    _unit,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._preflight_database import complete, login_probes
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import (
    Deadline,
    Outcome,
    Probe,
    run_all,
    run_command,
)


def look(node: str, params: dict[str, t.Any]) -> Outcome:
    """Look at what the parameters of the module name."""
    outcome = run_all(node, list(probes(params)), params["timeout"])
    if _probe_directory.all_settled(outcome.facts, [entry["path"] for entry in params["directories"] or []]):
        outcome.settled.add("directories")
    return outcome


def probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    """Return the probes of a node, as far as the parameters ask for them."""
    yield Probe("GLS-104", "systemd", _probe_node.system)
    yield Probe("GLS-105", "the resolution of the node's own host name", _probe_node.host_name)
    yield from _package_probes(params)
    yield from _source_probes(params)
    if params["port"]:
        run_port = functools.partial(
            _probe_node.port_is_free, host=params["bind_host"], port=params["port"], units=params["unit"]
        )
        yield Probe("GLS-110", f"port {params['port']}", run_port)
    yield from _network_probes(params)
    yield from _directory_probes(params)
    yield from login_probes(params)
    yield from _step_probes(params)


def _package_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    if params["package"]:
        releases = {str(name): int(number) for name, number in (params["releases"] or {}).items()}
        advisories = _probe_node.Advisories(params["advisories"] or (), params["exposed"] or ())
        release, offered = params["release"] or "", params["package_offered"]
        wanted = _probe_node.Packages(params["package"], release, releases, advisories, offered)
        yield Probe("GLS-101", "the package source", functools.partial(_probe_node.packages, wanted=wanted))
    if params["packages"]:
        yield Probe("GLS-101", "the packages", functools.partial(_probe_node.installed, names=params["packages"]))
    if params["leftovers"]:
        yield Probe("GLS-104", "leftovers", functools.partial(_probe_node.leftovers, patterns=params["leftovers"]))


def _source_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    if params["python"] and params["needed_python"]:
        run_interpreter = functools.partial(
            _probe_node.interpreter, python=params["python"], wanted=params["needed_python"]
        )
        yield Probe("GLS-106", f"the interpreter {params['python']}", run_interpreter)
    if params["source_version"]:
        advisories = _probe_node.Advisories(params["advisories"] or (), params["exposed"] or ())
        judge = functools.partial(
            _probe_node.judge_advisories, advisories=advisories, name="glance", version=params["source_version"]
        )
        yield Probe("GLS-107", "the advisories", judge)


def _network_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    if params["database"]:
        server = _probe_network.Database(**params["database"])
        yield Probe("GLS-120", "the database server", functools.partial(_probe_network.database, server=server))
    if params["keystone_url"]:
        verify = params["validate_certs"] is not False
        identity = _probe_network.Keystone(params["keystone_url"], params["ca_cert"], verify)
        yield Probe("GLS-130", "Keystone", functools.partial(_probe_network.keystone, server=identity))
    for address in params["memcached_servers"] or []:
        probe = functools.partial(_probe_network.memcached, server=address)
        yield Probe("GLS-140", f"the memcached server {address}", probe)


def _directory_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    for entry in params["directories"] or []:
        wanted = _probe_directory.Directory(entry["path"], entry["purpose"] or "", entry["minimum_free"] or 0)
        probe = functools.partial(_probe_directory.directory, wanted=wanted, user=params["user"], uid=params["uid"])
        yield Probe("GLS-150", f"the directory {wanted.path}", probe)


def _step_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    """Return what compares what later steps bring about. What is in the way is told by the steps themselves."""
    # A step may wait longer than preflight, as for a table that another node is changing.
    if params["schema_resource"]:
        probe = functools.partial(_compare_schema, options=params["schema_resource"])
        yield Probe("GLS-120", "the schema", probe, needed=False)
    if params["unit_resource"]:
        probe = functools.partial(_compare_unit, options=params["unit_resource"])
        yield Probe("GLS-104", "the unit", probe, needed=False)
    if params["store_guard"]:
        probe = functools.partial(_compare_stores, options=params["store_guard"])
        yield Probe("GLS-150", "the stores", probe, needed=False)


def _compare_schema(outcome: Outcome, deadline: Deadline, options: dict[str, t.Any]) -> None:
    with contextlib.suppress(GlanceError):
        if _schema_settled.is_settled(complete(_schema.ARGUMENT_SPEC, options), deadline):
            outcome.settled.add("schema")


def _compare_unit(outcome: Outcome, deadline: Deadline, options: dict[str, t.Any]) -> None:
    def command(arguments: list[str]) -> tuple[int, str, str]:
        answer = run_command(arguments, deadline)
        return (answer.returncode, answer.stdout, answer.stderr) if answer else (1, "", "no answer in time")

    warnings: list[str] = []
    with contextlib.suppress(GlanceError):
        # What does not answer at once has to be waited for by the step itself.
        known = {**complete(_unit.ARGUMENT_SPEC, options), "wait_timeout": 0}
        found, health = _unit.run(known, _unit.Systemd(command), warnings.append, check_mode=True)
        if not found.difference.changed and not warnings and health != "drained":
            outcome.settled.add("unit")


def _compare_stores(outcome: Outcome, _deadline: Deadline, options: dict[str, t.Any]) -> None:
    with contextlib.suppress(GlanceError):
        outcome.settled.update(_store_guard.settled(complete(_store_guard.ARGUMENT_SPEC, options)))
