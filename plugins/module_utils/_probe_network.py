# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Looks from a node at what Glance is going to talk to: the database, Keystone, memcached."""

from __future__ import annotations

import dataclasses
import email.utils
import json
import re
import socket
import ssl
import struct
import time
import typing as t
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import SSLValidationError, open_url
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome, reason

CLOCK_TOLERANCE = 300
SILENCE = 10
"""How many seconds a server may be silent."""
LONGEST_ANSWER = 64 * 1024


# --- the database -----------------------------------------------------------------------------------------------------

SECURE_CONNECTION, PROTOCOL_41, CLIENT_SSL = 0x8000, 0x0200, 0x0800
CAPABILITIES_AT = 13
"""After the version come the number of the thread, eight bytes of scramble and a zero."""


@dataclasses.dataclass(frozen=True)
class Database:
    """Where the database server is, and how it is talked to."""

    host: str
    port: int = 3306
    tls: bool = False
    ca_cert: t.Optional[str] = None
    check_hostname: bool = True


def database(outcome: Outcome, deadline: Deadline, server: Database) -> None:
    """Take the server's greeting, and its TLS handshake when TLS is wanted."""
    where = f"the database server {server.host} port {server.port}"
    try:
        with socket.create_connection((server.host, server.port), deadline.left(SILENCE)) as connection:
            connection.settimeout(deadline.left(SILENCE))
            greeting = _database_packet(connection)
            outcome.facts["database"] = _judge_greeting(outcome, where, greeting)
            if server.tls and outcome.facts["database"]:
                _database_tls(outcome, where, server, connection)
    except OSError as error:
        outcome.problem("GLS-120", f"{where}: {reason(error)}")


def _database_packet(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as stream:
        header = stream.read(4)
        return stream.read(int.from_bytes(header[:3], "little"))


def _judge_greeting(outcome: Outcome, where: str, greeting: bytes) -> t.Optional[dict[str, t.Any]]:
    refused, version_10 = b"\xff", b"\x0a"
    if greeting.startswith(refused):
        said = greeting[3:].decode(errors="replace")
        outcome.problem("GLS-121", f"{where} refuses the node: {re.sub(r'^#.....', '', said)}")
        return None
    version, _end, rest = greeting[1:].partition(b"\0")
    if not greeting.startswith(version_10) or len(rest) < CAPABILITIES_AT + 2:
        outcome.problem("GLS-120", f"{where} does not answer as MariaDB or MySQL does")
        return None
    (capabilities,) = struct.unpack_from("<H", rest, CAPABILITIES_AT)
    # Servers from 10 on put the number of MySQL's before their own, for old replicas.
    name = version.decode(errors="replace")
    return {"version": name[6:] if name.startswith("5.5.5-") else name, "tls": bool(capabilities & CLIENT_SSL)}


def _database_tls(outcome: Outcome, where: str, server: Database, connection: socket.socket) -> None:
    if not outcome.facts["database"]["tls"]:
        outcome.problem("GLS-122", f"{where} does not offer TLS")
        return
    try:
        context = ssl.create_default_context(cafile=server.ca_cert)
    except (OSError, ssl.SSLError) as error:
        outcome.problem("GLS-122", f"the certificates in {server.ca_cert} cannot be read: {reason(error)}")
        return
    context.check_hostname = server.check_hostname
    request = struct.pack("<IIB23x", PROTOCOL_41 | CLIENT_SSL | SECURE_CONNECTION, LONGEST_ANSWER, 45)
    connection.sendall(len(request).to_bytes(3, "little") + b"\x01" + request)
    try:
        # Asked for by itself: wrap_socket leaves the handshake out when the server has already hung up.
        context.wrap_socket(connection, server_hostname=server.host, do_handshake_on_connect=False).do_handshake()
    except (OSError, ssl.SSLError) as error:
        outcome.problem("GLS-122", f"{where}, TLS: {reason(error)}")


# --- Keystone ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Keystone:
    """Where Keystone is, and how it is talked to."""

    url: str
    ca_cert: t.Optional[str] = None
    validate_certs: bool = True


def keystone(outcome: Outcome, deadline: Deadline, server: Keystone) -> None:
    """Ask Keystone for its versions."""
    try:
        status, headers, body = _get(server, deadline)
    except (SSLValidationError, ssl.SSLError) as error:
        outcome.problem("GLS-131", f"{server.url}: {_first_sentence(error)}")
        return
    except HTTPException:
        outcome.problem("GLS-132", f"{server.url} does not speak HTTP")
        return
    except (UrlConnectionError, OSError, ValueError) as error:
        cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, OSError) else error
        code = "GLS-131" if isinstance(cause, ssl.SSLError) else "GLS-130"
        outcome.problem(code, f"{server.url}: {reason(cause)}")
        return
    versions = _keystone_versions(body)
    outcome.facts["keystone"] = {"status": status, "versions": versions}
    if status not in (200, 300) or not versions:
        outcome.problem("GLS-132", f"{server.url} answers with HTTP {status}, and not with the versions of a Keystone")
    _compare_clocks(outcome, server.url, headers.get("Date"))


def _get(server: Keystone, deadline: Deadline) -> tuple[int, t.Any, bytes]:
    try:
        answer = open_url(
            server.url,
            timeout=deadline.left(SILENCE),
            validate_certs=server.validate_certs,
            ca_path=server.ca_cert,
            headers={"Accept": "application/json"},
            use_netrc=False,
        )
    except HTTPError as error:
        # urllib takes 300, Keystone's list of versions, for an error.
        answer = error
    with answer:
        return answer.code, answer.headers, answer.read(LONGEST_ANSWER)


def _first_sentence(error: BaseException) -> str:
    return " ".join(str(error).split()).partition(". ")[0]


def _keystone_versions(body: bytes) -> list[str]:
    """Return the versions in {"version": {...}} or {"versions": {"values": [...]}}."""
    try:
        answer = json.loads(body)
        found = answer["versions"]["values"] if "versions" in answer else [answer["version"]]
        return [str(version["id"]) for version in found]
    except (ValueError, KeyError, TypeError):
        return []


def _compare_clocks(outcome: Outcome, url: str, date: t.Optional[str]) -> None:
    # Many Keystones do not tell the time; then there is nothing to compare.
    outcome.facts["keystone"]["clock_ahead"] = None
    try:
        theirs = email.utils.parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError):
        return
    difference = theirs - time.time()
    outcome.facts["keystone"]["clock_ahead"] = round(difference)
    if abs(difference) > CLOCK_TOLERANCE:
        which = "ahead of" if difference > 0 else "behind"
        outcome.problem("GLS-133", f"the clock of {url} is {abs(difference):.0f} s {which} that of the node")


# --- memcached --------------------------------------------------------------------------------------------------------


def memcached(outcome: Outcome, deadline: Deadline, server: str) -> None:
    """Ask a memcached server for its version."""
    try:
        parts = urlsplit(f"//{server.replace('inet6:', '')}")
        host, port = parts.hostname or "", parts.port or 11211
        with socket.create_connection((host, port), deadline.left(SILENCE)) as connection:
            connection.settimeout(deadline.left(SILENCE))
            connection.sendall(b"version\r\n")
            with connection.makefile("rb") as stream:
                answer = stream.readline(200).decode(errors="replace").strip()
    except (OSError, ValueError) as error:
        outcome.problem("GLS-140", f"the memcached server {server}: {reason(error)}")
        return
    if answer.startswith("VERSION "):
        outcome.facts["memcached"] = {server: answer[8:]}
    else:
        outcome.problem("GLS-140", f"{server} does not answer as memcached does")
