# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Tries stores in which nothing can be written without more than a store is: http, cinder, vmware."""

from __future__ import annotations

import socket
import ssl
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import run_command
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    library,
    readable,
)

CINDER_PACKAGE = "python3-cinderclient"
ROOTWRAP_CONFIG = "/etc/glance/rootwrap.conf"
CATALOG_INFO = "volumev3::publicURL"
HTTPS = 443


def http(attempt: Attempt) -> None:
    """Look whether the certificates can be read."""
    readable(attempt.values["ca_certificates"], "ca_certificates")
    attempt.note("read-only: nothing is written")


def cinder(attempt: Attempt) -> None:
    """Log in to Cinder and look for the volume type; a volume cannot be tried without attaching it."""
    values = attempt.values
    _may_attach(attempt, values["rootwrap_config"] or ROOTWRAP_CONFIG)
    if values["auth"] is None:
        raise ProbeError("", "volumes are made with the tokens of the users; the store has no account", tried=False)
    readable(values["cacert"], "cacert")
    client = _cinder_client(attempt)
    with attempt.step(f"logging in at {values['auth']['auth_address']}"):
        client.client.session.get_token()
    with attempt.step("asking Cinder for its volume types", _cinder_meaning):
        names = [volume_type.name for volume_type in client.volume_types.list()]
    if values["volume_type"] and values["volume_type"] not in names:
        raise ProbeError(
            "GLS-165",
            f"there is no volume type {values['volume_type']}; there are {', '.join(sorted(names)) or 'none'}",
            "make it, or correct volume_type",
        )
    with attempt.step("asking Cinder for the limits of the project", _cinder_meaning):
        limits = {limit.name: limit.value for limit in client.limits.get().absolute}
    total = int(limits.get("maxTotalVolumeGigabytes", -1))
    if total >= 0:
        attempt.report.room((total - int(limits.get("totalGigabytesUsed", 0))) << 30, total << 30)
    attempt.note("the login and the volume type were tried: no volume is made")


def _may_attach(attempt: Attempt, config: str) -> None:
    # The packages bring the rule of sudo and the filters of rootwrap; a node's own sudoers may still stand in the way.
    attempt.report.step = "looking whether Glance may attach volumes"
    command = ["sudo", "--non-interactive", "glance-rootwrap", config, "umount", "--version"]
    done = run_command(command, attempt.deadline)
    if done is not None and done.returncode == 0:
        return
    said = " ".join((done.stderr or done.stdout).split()) if done else "sudo is missing, or did not answer"
    raise ProbeError(
        "GLS-164",
        f"Glance's user may not run glance-rootwrap {config} as root, which attaching volumes takes: {said}",
        "look at /etc/sudoers.d/glance_sudoers and at what /etc/sudoers includes; a rootwrap_config of your own needs a"
        " rule of your own",
        tried=done is not None,
    )


def _cinder_client(attempt: Attempt) -> t.Any:
    values = attempt.values
    client = library("cinderclient.client", CINDER_PACKAGE)
    session = library("keystoneauth1.session", CINDER_PACKAGE).Session(
        auth=_cinder_auth(values["auth"]),
        verify=not values["insecure"] and (values["cacert"] or True),
        timeout=attempt.deadline.left() / 2,
    )
    # With an account of its own Glance does not heed catalog_info.
    info = CATALOG_INFO if values["auth"] else values["catalog_info"] or CATALOG_INFO
    kind, name, interface = info.split(":")
    return client.Client(
        "3",
        session=session,
        service_type=kind,
        service_name=name or None,
        interface=interface,
        region_name=values["region"],
    )


def _cinder_auth(auth: t.Mapping[str, t.Any]) -> t.Any:
    identity = library("keystoneauth1.identity.v3", CINDER_PACKAGE)
    if auth["application_credential_id"]:
        return identity.ApplicationCredential(
            auth["auth_address"],
            application_credential_id=auth["application_credential_id"],
            application_credential_secret=auth["application_credential_secret"],
        )
    return identity.Password(
        auth["auth_address"],
        username=auth["user_name"],
        password=auth["password"],
        project_name=auth["project_name"],
        user_domain_name=auth["user_domain_name"] or "Default",
        project_domain_name=auth["project_domain_name"] or "Default",
    )


def _cinder_meaning(error: BaseException) -> t.Optional[tuple[str, str]]:
    code = {401: "GLS-163", 403: "GLS-164"}.get(getattr(error, "code", None) or 0)
    return (code, "") if code else None


def vmware(attempt: Attempt) -> None:
    """Connect to the server, with TLS."""
    values = attempt.values
    readable(values["ca_file"], "ca_file")
    host, port = _address(values["server_host"])
    context = ssl.create_default_context(cafile=values["ca_file"])
    if values["insecure"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    patience = attempt.deadline.left() / 2
    with attempt.step(f"connecting to {host} port {port}"):
        connection = socket.create_connection((host, port), patience)
    with attempt.step(f"the TLS handshake with {host} port {port}"):
        context.wrap_socket(connection, server_hostname=host).close()
    attempt.note("the connection and its certificate alone were tried: nobody logged in, nothing is written")


def _address(server: str) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    if colon and port.isdigit() and (host.endswith("]") or ":" not in host):
        return host.strip("[]"), int(port)
    return server.strip("[]"), HTTPS
