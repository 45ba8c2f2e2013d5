# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Accounts of MariaDB and MySQL: which one a server takes a client for, what it keeps of a password, and grants."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import re
import typing as t

# Accounts without a plugin date from servers that knew no other method.
NATIVE_PLUGINS = ("mysql_native_password", "")
SOCKET_PLUGINS = ("unix_socket", "auth_socket")
# What MariaDB stores after a function of the server, and never as the hash that we compute.
FUNCTION_PLUGINS = ("ed25519", "parsec")


@dataclasses.dataclass(frozen=True)
class Account:
    """An account as the server has it."""

    user: str
    host: str
    plugin: str
    stored: str = dataclasses.field(repr=False)
    tls: str
    expired: bool = False
    grants: tuple[str, ...] = ()

    @property
    def is_native(self) -> bool:
        """Whether the server keeps the hash that we can compute."""
        return self.plugin in NATIVE_PLUGINS


def native_hash(password: str) -> str:
    """Return what a server keeps for the plugin mysql_native_password."""
    inner = hashlib.sha1(password.encode()).digest()  # noqa: S324  the protocol's hash, not our choice
    return "*" + hashlib.sha1(inner).hexdigest().upper()  # noqa: S324


def host_matches(pattern: str, client: str) -> bool:
    """Tell whether the host of an account covers a client, given by name, address or another account's host."""
    if "/" in pattern:
        try:
            return ipaddress.ip_address(client) in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    expression = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, client, re.IGNORECASE) is not None


def specificity(host: str) -> int:
    """Return a number that is greater for the host that a server prefers: by where its first wildcard stands."""
    return min((position for position, character in enumerate(host) if character in "%_"), default=len(host) + 256)


def winner(client: str, accounts: t.Iterable[Account]) -> t.Optional[Account]:
    """Return the account that a server takes a client for: the most specific host, a name before an anonymous one."""
    matching = [account for account in accounts if host_matches(account.host, client)]
    return max(matching, key=lambda account: (specificity(account.host), bool(account.user)), default=None)


def parse_grant(line: str) -> str:
    """Return what a line of SHOW GRANTS gives: ``SELECT ON `a`.*``, without the account, its password and TLS."""
    found = re.match(r"GRANT (?P<given>.+?) TO (?=[`'])", line, re.DOTALL)
    if not found:
        return ""
    return found["given"] + (" WITH GRANT OPTION" if line.endswith(" WITH GRANT OPTION") else "")


def quote(identifier: str) -> str:
    """Quote an identifier for a statement that goes through placeholder substitution."""
    return "`" + identifier.replace("`", "``").replace("%", "%%") + "`"


def pattern_covers(pattern: str, name: str) -> bool:
    """Tell whether the database of a grant, a pattern with escaped wildcards, covers a database."""
    parts = re.findall(r"\\.|.", pattern.replace("``", "`"), re.DOTALL)
    expression = "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(expression, name, re.DOTALL) is not None


def account_name(user: str, host: str) -> str:
    """Return an account for people to read."""
    return f"'{user}'@'{host}'"
