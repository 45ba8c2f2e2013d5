# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Asks the health check of a service on this node."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import typing as t
from urllib.parse import SplitResult, urlsplit, urlunsplit

PROBE_SECONDS = 5


def ask(url: SplitResult, ca_cert: t.Optional[str] = None, validate_certs: bool = True) -> tuple[int, str]:
    """Ask once, and return the HTTP status (0 without an answer) and the body or the reason.

    Plain http.client: a service on this node is reached through no proxy and redirects nobody, and it is loaded a tenth
    of a second faster than open_url, which is a third of what a module takes when there is nothing to do.
    """
    connection: http.client.HTTPConnection
    try:
        if url.scheme == "https":
            context = ssl.create_default_context(cafile=ca_cert)
            context.check_hostname = validate_certs
            context.verify_mode = ssl.CERT_REQUIRED if validate_certs else ssl.CERT_NONE
            connection = http.client.HTTPSConnection(url.netloc, timeout=PROBE_SECONDS, context=context)
        else:
            connection = http.client.HTTPConnection(url.netloc, timeout=PROBE_SECONDS)
        with contextlib.closing(connection):
            connection.request(
                "GET", urlunsplit(("", "", url.path or "/", url.query, "")), headers={"Accept": "text/plain"}
            )
            answer = connection.getresponse()
            return answer.status, answer.read(1000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__


def is_disabled_by_file(status: int, text: str) -> bool:
    """Tell whether a service was taken out of service on purpose, by oslo.middleware's ``disable_by_file``."""
    return status == 503 and "DISABLED BY FILE" in text.upper()


def valid_url(text: t.Optional[str]) -> bool:
    """Tell whether this is a URL that can be asked, or none at all."""
    try:
        url = urlsplit(text or "http://localhost")
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
