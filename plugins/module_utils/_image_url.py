# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What of the URLs that an operator declares may be shown, and what is secret."""

from __future__ import annotations

import re
import typing as t

URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    # What begins as a port and a path do is no password: the path may have an @ in it.
    r"(?:(?P<user>[^/?#@\s:]*)(?::(?!\d{1,5}/)(?P<password>\S*))?@)?"
    r"(?P<place>[^?#\s]*)(?:\?(?P<query>[^#\s]*))?(?:#\S*)?"
)
"""Also what is no good URL, such as one with a slash in its password: it holds a secret all the same."""

LOCATIONS = ("source", "checksum", "checksum_signature")
"""The options of an image that can be URLs, or hold one."""


def shown_url(text: str) -> str:
    """Return a text with its URLs as they may be shown: without credentials and queries, which can be signatures."""
    return URL.sub(lambda url: f"{url['scheme']}://{url['place']}{'?...' if url['query'] else ''}", text)


def secrets_in(image: t.Mapping[str, t.Any]) -> set[str]:
    """Return what must not be shown of the options of one image: passwords, tokens and queries."""
    return {secret for option in LOCATIONS for secret in secrets_of(str(image.get(option) or ""))}


def secrets_in_all(images: t.Iterable[t.Any]) -> set[str]:
    """Return what must not be shown of the options of several images, those included that are no dictionaries."""
    return {
        secret
        for image in images
        for secret in (secrets_in(image) if isinstance(image, dict) else secrets_of(str(image)))
    }


def secrets_of(text: str) -> set[str]:
    """Return what must not be shown of a text with URLs."""
    found: set[str] = set()
    for url in URL.finditer(text):
        # Without a password, what stands before the host is a token.
        found.update(((url["user"] if url["password"] is None else url["password"]) or "", url["query"] or ""))
    return found - {""}
