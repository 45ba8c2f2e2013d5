# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The database, as its administrator sees it from the node or the control node."""

from __future__ import annotations

import contextlib
import functools
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _database,
    _database_resource,
    _releases,
    _schema,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome, Probe


def login_probes(params: dict[str, t.Any]) -> t.Iterator[Probe]:
    if params["database_login"]:
        login, wanted, schema = params["database_login"], params["database_resource"], params["schema"]
        probe = functools.partial(database_login, login=login, wanted=wanted, schema=schema)
        yield Probe("GLS-203", "the login of the database administrator", probe)


def database_login(
    outcome: Outcome,
    deadline: Deadline,
    login: dict[str, t.Any],
    wanted: t.Optional[dict[str, t.Any]] = None,
    schema: t.Optional[dict[str, t.Any]] = None,
) -> None:
    """Log in to the database server as its administrator, and compare database and schema with what is wanted."""
    if not importable(outcome, _database.require_driver):
        return
    patience = min(login["connect_timeout"], int(deadline.left()) + 1)
    try:
        with contextlib.closing(_database.connect({**login, "connect_timeout": patience}, read_only=True)) as session:
            outcome.facts["database_login"] = True
            if schema:
                _judge_schema(outcome, _schema.recorded_revisions(session, schema["database"]), schema)
    except GlanceError as error:
        outcome.problem("GLS-203", found(error), error.remedy)
        return
    if wanted:
        _compare_database(outcome, login, wanted)


def _compare_database(outcome: Outcome, login: dict[str, t.Any], wanted: dict[str, t.Any]) -> None:
    """Note whether the database is as it shall be. What is in the way is told by the step itself."""
    with contextlib.suppress(GlanceError):
        known = complete(_database_resource.ARGUMENT_SPEC, wanted)
        result = _database_resource.run_module({**login, **known}, check_mode=True)
        if not result["changed"] and not result["warnings"]:
            outcome.settled.add("database")


def _judge_schema(outcome: Outcome, revisions: list[str], schema: dict[str, t.Any]) -> None:
    outcome.facts["schema"] = revisions
    first = _releases.newer_schema(revisions, schema["release"], schema["releases"])
    if first:
        found = f"the database {schema['database']} has the schema {' and '.join(revisions)} of the release {first}"
        outcome.problem("GLS-205", f"{found}, and the older release {schema['release']} is wanted")


def complete(spec: dict[str, dict[str, t.Any]], options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the options of another module as it would get them, with its defaults.

    :raises GlanceError: when it would refuse them.
    """
    result = ArgumentSpecValidator(spec).validate(options)
    if result.error_messages:
        raise GlanceError("; ".join(result.error_messages))
    return dict(result.validated_parameters)


def importable(outcome: Outcome, require: t.Callable[[], None]) -> bool:
    try:
        require()
    except GlanceError as error:
        outcome.problem("GLS-200", error.doing)
        return False
    return True


def found(error: GlanceError) -> str:
    """Return what an error says, without what to do."""
    found = f"{error.doing}: {error.answer}" if error.answer else error.doing
    return f"{found.rstrip('.')}. Usual cause: {error.cause}" if error.cause else found
