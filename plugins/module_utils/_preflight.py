# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Everything that can be known before anything is changed: of a node, and of what the control node alone can reach."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import socket
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _database,
    _database_resource,
    _image_catalog,
    _image_prepare,
    _probe_directory,
    _probe_network,
    _probe_node,
    _registration,
    _releases,
    _schema,
    _schema_settled,
    _store_guard,
    _unit,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect, require_sdk, told
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import (
    Deadline,
    Outcome,
    Probe,
    run_all,
    run_command,
)

if t.TYPE_CHECKING:
    from openstack.connection import Connection

ADMIN = "admin"
SETTLED = (
    "database",
    "directories",
    "images",
    "leftovers",
    "packages",
    "registration",
    "schema",
    "stores",
    "unit",
)
"""What a step of the deployment need not look at again, when it is found to be as wanted."""


def run(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Look at what the parameters of the module name, and return its result."""
    node = params["node"] or socket.gethostname()
    if params["scope"] == "node":
        outcome = run_all(node, list(node_probes(params)), params["timeout"])
        if _probe_directory.all_settled(outcome.facts, [entry["path"] for entry in params["directories"] or []]):
            outcome.settled.add("directories")
    else:
        cloud = Cloud(params)
        outcome = run_all(node, list(control_probes(params, cloud)), params["timeout"])
        # Reading a large image takes as long as it takes.
        images(outcome, params["images"] or [], params["timeout"])
        _compare_images(outcome, cloud)
    return {
        "problems": [problem.as_dict() for problem in outcome.problems],
        "messages": [problem.message for problem in outcome.problems],
        "not_checked": outcome.not_checked,
        "notes": outcome.notes,
        "facts": outcome.facts,
        "settled": {name: name in outcome.settled for name in SETTLED},
    }


def node_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
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
    yield from _login_probes(params)
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


def _login_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    if params["database_login"]:
        login, wanted, schema = params["database_login"], params["database_resource"], params["schema"]
        probe = functools.partial(database_login, login=login, wanted=wanted, schema=schema)
        yield Probe("GLS-203", "the login of the database administrator", probe)


def _step_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    """Return what compares what later steps bring about. What is in the way is told by the steps themselves."""
    if params["schema_resource"]:
        probe = functools.partial(_compare_schema, options=params["schema_resource"])
        yield Probe("GLS-120", "the schema", probe)
    if params["unit_resource"]:
        yield Probe("GLS-104", "the unit", functools.partial(_compare_unit, options=params["unit_resource"]))
    if params["store_guard"]:
        yield Probe("GLS-150", "the stores", functools.partial(_compare_stores, options=params["store_guard"]))


def _compare_schema(outcome: Outcome, deadline: Deadline, options: dict[str, t.Any]) -> None:
    with contextlib.suppress(GlanceError):
        if _schema_settled.is_settled(_complete(_schema.ARGUMENT_SPEC, options), deadline):
            outcome.settled.add("schema")


def _compare_unit(outcome: Outcome, deadline: Deadline, options: dict[str, t.Any]) -> None:
    def command(arguments: list[str]) -> tuple[int, str, str]:
        answer = run_command(arguments, deadline)
        return (answer.returncode, answer.stdout, answer.stderr) if answer else (1, "", "no answer in time")

    warnings: list[str] = []
    with contextlib.suppress(GlanceError):
        # What does not answer at once has to be waited for by the step itself.
        known = {**_complete(_unit.ARGUMENT_SPEC, options), "wait_timeout": 0}
        found, health = _unit.run(known, _unit.Systemd(command), warnings.append, check_mode=True)
        if not found.difference.changed and not warnings and health != "drained":
            outcome.settled.add("unit")


def _compare_stores(outcome: Outcome, _deadline: Deadline, options: dict[str, t.Any]) -> None:
    with contextlib.suppress(GlanceError):
        if _store_guard.is_settled(_complete(_store_guard.ARGUMENT_SPEC, options)):
            outcome.settled.add("stores")


class Cloud:
    """The cloud, once its administrator is logged in.

    :ivar connection: the connection, where the login works.
    """

    def __init__(self, params: dict[str, t.Any]) -> None:
        self.params = params
        self.connection: t.Optional[Connection] = None


def control_probes(params: dict[str, t.Any], cloud: Cloud) -> t.Iterator[Probe]:
    """Return the probes of the control node."""
    yield Probe("GLS-201", "the login to Keystone", functools.partial(keystone_login, cloud=cloud))
    yield from _login_probes(params)


def keystone_login(outcome: Outcome, deadline: Deadline, cloud: Cloud) -> None:
    """Fetch one token with the administrator's credentials."""
    if not _importable(outcome, require_sdk):
        return
    params = cloud.params
    try:
        connection = connect({**params, "api_timeout": params["api_timeout"] or int(deadline.left()) + 1})
        with told("logging in to Keystone as the administrator"):
            access = connection.session.auth.get_access(connection.session)
    except GlanceError as error:
        outcome.problem("GLS-201", _found(error), error.remedy)
        return
    roles = sorted(access.role_names)
    outcome.facts["keystone"] = {"user": access.username, "project": access.project_name, "roles": roles}
    if ADMIN not in roles:
        where = f"the project {access.project_name}" if access.project_name else "what the token is for"
        outcome.problem("GLS-202", f"{access.username} has on {where} the roles {', '.join(roles) or '(none)'}")
        return
    if params["registration"]:
        _compare_registration(outcome, connection, params["registration"])
    cloud.connection = connection


def _compare_registration(outcome: Outcome, connection: Connection, options: dict[str, t.Any]) -> None:
    """Note whether Keystone knows of Glance all that it shall know. What is in the way is told by the step itself."""
    warnings: list[str] = []
    with contextlib.suppress(GlanceError):
        known = _complete(_registration.ARGUMENT_SPEC, options)
        wanted = _registration.Wanted(
            **{field.name: known[field.name] for field in dataclasses.fields(_registration.Wanted)}
        )
        result = _registration.register(connection, wanted, warnings.append, present=True, check=True)
        if not result["changed"] and not warnings:
            outcome.settled.add("registration")


def database_login(
    outcome: Outcome,
    deadline: Deadline,
    login: dict[str, t.Any],
    wanted: t.Optional[dict[str, t.Any]] = None,
    schema: t.Optional[dict[str, t.Any]] = None,
) -> None:
    """Log in to the database server as its administrator, and compare database and schema with what is wanted."""
    if not _importable(outcome, _database.require_driver):
        return
    patience = min(login["connect_timeout"], int(deadline.left()) + 1)
    try:
        with contextlib.closing(_database.connect({**login, "connect_timeout": patience}, read_only=True)) as session:
            outcome.facts["database_login"] = True
            if schema:
                _judge_schema(outcome, _schema.recorded_revisions(session, schema["database"]), schema)
    except GlanceError as error:
        outcome.problem("GLS-203", _found(error), error.remedy)
        return
    if wanted:
        _compare_database(outcome, login, wanted)


def _compare_database(outcome: Outcome, login: dict[str, t.Any], wanted: dict[str, t.Any]) -> None:
    """Note whether the database is as it shall be. What is in the way is told by the step itself."""
    with contextlib.suppress(GlanceError):
        known = _complete(_database_resource.ARGUMENT_SPEC, wanted)
        result = _database_resource.run_module({**login, **known}, check_mode=True)
        if not result["changed"] and not result["warnings"]:
            outcome.settled.add("database")


def _complete(spec: dict[str, dict[str, t.Any]], options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the options of another module as it would get them, with its defaults.

    :raises GlanceError: when it would refuse them.
    """
    result = ArgumentSpecValidator(spec).validate(options)
    if result.error_messages:
        raise GlanceError("; ".join(result.error_messages))
    return dict(result.validated_parameters)


def _judge_schema(outcome: Outcome, revisions: list[str], schema: dict[str, t.Any]) -> None:
    outcome.facts["schema"] = revisions
    first = _releases.newer_schema(revisions, schema["release"], schema["releases"])
    if first:
        found = f"the database {schema['database']} has the schema {' and '.join(revisions)} of the release {first}"
        outcome.problem("GLS-205", f"{found}, and the older release {schema['release']} is wanted")


def images(outcome: Outcome, specs: t.Sequence[dict[str, t.Any]], timeout: float) -> None:
    """Look at the source of every image."""
    for spec in specs:
        for sentence in _image_prepare.problems(spec, timeout=timeout):
            what, _words, advice = sentence.partition(" What to do: ")
            outcome.problem("GLS-204", what, advice)


def _compare_images(outcome: Outcome, cloud: Cloud) -> None:
    """Note whether the catalogue is as it shall be. What is in the way is told by the step itself."""
    options = cloud.params["image_catalog"]
    if options is None or cloud.connection is None:
        return
    warnings: list[str] = []
    with contextlib.suppress(GlanceError):
        options = {**options, "images": cloud.params["images"] or []}
        region = options.pop("region_name", None)
        known = _complete(_image_catalog.ARGUMENT_SPEC, options)
        api = ImageApi(cloud.connection, region=region)
        report = _image_catalog.run(known, check_mode=True, warn=warnings.append, api=api)
        if not report.result["changed"] and not report.failure and not warnings:
            outcome.settled.add("images")


def _importable(outcome: Outcome, require: t.Callable[[], None]) -> bool:
    try:
        require()
    except GlanceError as error:
        outcome.problem("GLS-200", error.doing)
        return False
    return True


def _found(error: GlanceError) -> str:
    """Return what an error says, without what to do."""
    found = f"{error.doing}: {error.answer}" if error.answer else error.doing
    return f"{found.rstrip('.')}. Usual cause: {error.cause}" if error.cause else found
