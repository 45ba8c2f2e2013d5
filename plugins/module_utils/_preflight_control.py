# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Everything that can be known of the cloud and of the images before anything is changed, by the control node alone."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _image_catalog,
    _image_prepare,
    _registration,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect, require_sdk, told
from ansible_collections.openstack_ops.glance.plugins.module_utils._preflight_database import (
    complete,
    found,
    importable,
    login_probes,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome, Probe, run_all

if t.TYPE_CHECKING:
    from openstack.connection import Connection

ADMIN = "admin"


def look(node: str, params: dict[str, t.Any]) -> Outcome:
    """Look at what the parameters of the module name."""
    cloud = Cloud(params)
    outcome = run_all(node, list(probes(params, cloud)), params["timeout"])
    _compare_images(outcome, cloud)
    if "images" not in outcome.settled:
        # Reading a large image takes as long as it takes.
        images(outcome, params["images"] or [], params["timeout"])
    return outcome


class Cloud:
    """The cloud, once its administrator is logged in.

    :ivar connection: the connection, where the login works.
    """

    def __init__(self, params: dict[str, t.Any]) -> None:
        self.params = params
        self.connection: t.Optional[Connection] = None


def probes(params: dict[str, t.Any], cloud: Cloud) -> t.Iterator[Probe]:
    """Return the probes of the control node."""
    yield Probe("GLS-201", "the login to Keystone", functools.partial(keystone_login, cloud=cloud))
    yield from login_probes(params)


def keystone_login(outcome: Outcome, deadline: Deadline, cloud: Cloud) -> None:
    """Fetch one token with the administrator's credentials."""
    if not importable(outcome, require_sdk):
        return
    params = cloud.params
    try:
        connection = connect({**params, "api_timeout": params["api_timeout"] or int(deadline.left()) + 1})
        with told("logging in to Keystone as the administrator"):
            access = connection.session.auth.get_access(connection.session)
    except GlanceError as error:
        outcome.problem("GLS-201", found(error), error.remedy)
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
        known = complete(_registration.ARGUMENT_SPEC, options)
        wanted = _registration.Wanted(
            **{field.name: known[field.name] for field in dataclasses.fields(_registration.Wanted)}
        )
        result = _registration.register(connection, wanted, warnings.append, present=True, check=True)
        if not result["changed"] and not warnings:
            outcome.settled.add("registration")


def _compare_images(outcome: Outcome, cloud: Cloud) -> None:
    """Note whether the catalogue is as it shall be. What is in the way is told by the step itself."""
    options = cloud.params["image_catalog"]
    if options is None or cloud.connection is None:
        return
    warnings: list[str] = []
    with contextlib.suppress(GlanceError):
        options = {**options, "images": cloud.params["images"] or []}
        region = options.pop("region_name", None)
        known = complete(_image_catalog.ARGUMENT_SPEC, options)
        api = ImageApi(cloud.connection, region=region)
        report = _image_catalog.run(known, check_mode=True, warn=warnings.append, api=api)
        if not report.result["changed"] and not report.failure and not warnings:
            outcome.settled.add("images")


def images(outcome: Outcome, specs: t.Sequence[dict[str, t.Any]], timeout: float) -> None:
    """Look at the source of every image."""
    for spec in specs:
        for sentence in _image_prepare.problems(spec, timeout=timeout):
            what, _words, advice = sentence.partition(" What to do: ")
            outcome.problem("GLS-204", what, advice)
