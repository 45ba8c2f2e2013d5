# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Tries stores of the type swift."""

from __future__ import annotations

import functools
import io
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _store_clients
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    library,
    readable,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_swift import swift_user

PACKAGE = "python3-swiftclient"
REGISTER = "register Swift in Keystone, or correct region, endpoint_type and service_type of the store"
CODES = {401: "GLS-163", 403: "GLS-164", 404: "GLS-165", 413: "GLS-167", 507: "GLS-167"}


def probe(attempt: Attempt) -> None:
    """Log in, and write, read and delete an object."""
    values = attempt.values
    if values["auth"] is None:
        raise ProbeError("", "objects are written with the tokens of the users; the store has no account", tried=False)
    readable(values["cacert"], "cacert")
    account = {**values["auth"], "user": swift_user(values["auth"])}
    connection = _store_clients.swift(library("swiftclient", PACKAGE), account, values, attempt.deadline.left() / 2)
    with attempt.step(f"logging in at {values['auth']['auth_address']}", _login_meaning):
        connection.url, connection.token = connection.get_auth()
    if values["multi_tenant"]:
        attempt.note("the login alone was tried: objects are written into the accounts of the users")
        return
    with attempt.step("looking at the account", _meaning):
        _room(attempt, "x-account-meta-quota-bytes", "x-account-bytes-used", connection.head_account())
    if values["multiple_containers_seed"]:
        _one_of_many_containers(attempt, connection)
    else:
        _container(attempt, connection, values["container"] or "glance")


def _login_meaning(error: BaseException) -> t.Optional[tuple[str, str]]:
    # swiftclient hands on of what Keystone answers the text alone.
    if str(error).startswith(("Unauthorized", "Could not find")):
        return "GLS-163", ""
    if str(error).startswith("Endpoint for"):
        return "GLS-161", REGISTER
    return None


def _meaning(error: BaseException) -> t.Optional[tuple[str, str]]:
    status = getattr(error, "http_status", None)
    if status in CODES:
        return CODES[status], ""
    return ("GLS-161", "look for the request in the log of Swift's proxy") if status else None


def _room(attempt: Attempt, quota: str, used: str, headers: t.Mapping[str, str]) -> None:
    if quota in headers:
        allowed = int(headers[quota])
        attempt.report.room(allowed - int(headers.get(used, 0)), allowed)


def _container(attempt: Attempt, connection: t.Any, container: str) -> None:
    if not _exists(attempt, connection, container):
        if not attempt.values["create_container"]:
            raise ProbeError(
                "GLS-165", f"there is no container {container}", "make it, or set create_container to true"
            )
        if not attempt.write:
            attempt.note(f"there is no container {container} yet; it is made when it is first needed")
            return
        with attempt.step(f"making the container {container}", _meaning):
            connection.put_container(container)
        attempt.report.made = True
        attempt.note(f"the container {container} was made")
    if attempt.write:
        _object(attempt, connection, container)


def _exists(attempt: Attempt, connection: t.Any, container: str) -> bool:
    with attempt.step(f"looking at the container {container}", _meaning):
        try:
            headers = connection.head_container(container)
        except library("swiftclient", PACKAGE).ClientException as error:
            if error.http_status == 404:
                return False
            raise
    if attempt.report.free is None:
        _room(attempt, "x-container-meta-quota-bytes", "x-container-bytes-used", headers)
    return True


def _one_of_many_containers(attempt: Attempt, connection: t.Any) -> None:
    if not attempt.values["create_container"]:
        attempt.note("nothing was written: which of the containers an image belongs to follows from its id")
    elif attempt.write:
        container = f"{attempt.values['container'] or 'glance'}_{attempt.name}"
        with attempt.step(f"making the container {container}", _meaning):
            connection.put_container(container)
        with attempt.existing(f"the container {container}", lambda: connection.delete_container(container), _meaning):
            _object(attempt, connection, container)


def _object(attempt: Attempt, connection: t.Any, container: str) -> None:
    what = f"the object {container}/{attempt.name}"
    with attempt.step(f"writing {what}", _meaning):
        connection.put_object(container, attempt.name, io.BytesIO(attempt.content))
    remove = functools.partial(connection.delete_object, container, attempt.name)
    with attempt.existing(what, remove, _meaning):
        attempt.meanwhile()
        with attempt.step(f"reading {what}", _meaning):
            attempt.compare(what, connection.get_object(container, attempt.name)[1])
