# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Writes values so that the program that reads the file gets exactly them back."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import quote

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

_NO_LINE = re.compile(r"[\r\n\0]")
_DOLLAR = re.compile(r"(\\?)\$")

BRACKETED = frozenset(
    {
        "allowed_hosts",
        "allowed_ports",
        "allowed_schemes",
        "disallowed_hosts",
        "disallowed_ports",
        "disallowed_schemes",
        "enabled_import_methods",
        "extra_properties",
        "image_import_plugins",
    }
)
"""The options of Glance that are declared with bounds: without brackets their list is an error at first use."""

REPEATED = frozenset({"filesystem_store_datadirs", "policy_dirs", "pre_settled", "vmware_datastores"})
"""The options that take one line for each value. ``driver`` is one too, in the section of the notifications only."""


def oslo_value(value: t.Any, *, brackets: bool = False) -> str:
    """Return the text that oslo.config reads back as ``value``.

    :param value: a string, a number, a boolean, a list of them or a dictionary of them.
    :param brackets: write a list as ``[a,b]``, as options with bounds want it.
    :raises GlanceError: when there is no such text.
    """
    return _quoted_for_oslo(escape_dollars(plain_value(value, brackets=brackets)))


def plain_value(value: t.Any, *, brackets: bool = False) -> str:
    """Return ``value`` in the notation of oslo.config, ``$`` and blanks left as they are.

    :param brackets: write a list as ``[a,b]``, as options with bounds want it.
    :raises GlanceError: when oslo.config has no notation for it.
    """
    if isinstance(value, (list, tuple)):
        text = ",".join(_item(item) for item in value)
        return f"[{text}]" if brackets else text
    if isinstance(value, t.Mapping):
        return ",".join(f"{_key(key)}:{_item(item)}" for key, item in value.items())
    return _scalar(value)


def option_lines(section: str, option: str, value: t.Any) -> list[str]:
    """Return the lines that give ``option`` the value that an operator wrote: ``$`` keeps its meaning in oslo.config.

    :returns: one line; one for each item where the option is one that is repeated; none for a null.
    :raises GlanceError: when oslo.config has no notation for it.
    """
    if value is None:
        return []
    repeated = option in REPEATED or (section.lower(), option) == ("oslo_messaging_notifications", "driver")
    values = value if repeated and isinstance(value, (list, tuple)) else [value]
    return [f"{option} = {_verbatim(item, brackets=option in BRACKETED)}".rstrip(" ") for item in values]


def swift_value(value: t.Any) -> str:
    """Return the text that the Swift driver of glance_store reads back from its reference file as ``value``.

    :raises GlanceError: when there is no such text.
    """
    if isinstance(value, (list, tuple, t.Mapping)):
        raise GlanceError("The Swift reference file takes neither lists nor dictionaries")
    text = _scalar(value).replace("%", "%%")
    # The driver takes a quote at the beginning for a pair of quotes, whatever stands at the end.
    return f'"{text}"' if text != text.strip() or text[:1] in ("'", '"') else text


def driver_password(password: str) -> str:
    """Return what a SQLAlchemy URL has to hold, percent-encoded, for PyMySQL to send ``password``.

    PyMySQL encodes a text as latin-1 where every other client sends UTF-8. The bytes of the UTF-8 text seen as latin-1
    come out right, whatever characters the password has.
    """
    return password.encode().decode("latin-1")


def database_url(database: t.Mapping[str, t.Any]) -> str:
    """Return the URL with which SQLAlchemy and PyMySQL reach ``database``.

    :param database: ``host``, ``port``, ``name``, ``user``, ``password``, ``charset``, ``unix_socket`` and ``tls`` with
        ``enabled``, ``ca_cert``, ``client_cert``, ``client_key`` and ``check_hostname``; other keys are not looked at.
    :raises GlanceError: when something is missing or impossible.
    """
    missing = [key for key in ("host", "name", "user", "password") if not database.get(key)]
    if missing:
        raise GlanceError(f"The URL of the database needs {', '.join(missing)}", remedy="set it in glance_database")
    user, password = quote(str(database["user"]), safe=""), quote(driver_password(str(database["password"])), safe="")
    parameters = {"charset": str(database.get("charset") or "utf8"), **_socket(database), **_tls(database.get("tls"))}
    query = "&".join(f"{name}={quote(value, safe='/')}" for name, value in parameters.items())
    return f"mysql+pymysql://{user}:{password}@{_host(database)}/{_database_name(database)}?{query}"


def escape_dollars(text: str) -> str:
    """Return ``text`` so that oslo.config takes no part of it for a reference to an option."""
    # oslo.config reads "\$" as "$$" before anything else, so a dollar sign behind a backslash cannot be doubled.
    return _DOLLAR.sub(lambda match: r"\\$" if match[1] else "$$", text)


def _quoted_for_oslo(text: str) -> str:
    # One pair of equal quotes around a value is taken away; a single quote character counts as a pair.
    wrapped = text[:1] in ("'", '"') and text[:1] == text[-1:]
    return f'"{text}"' if text != text.strip() or wrapped else text


def _verbatim(value: t.Any, *, brackets: bool) -> str:
    text = plain_value(value, brackets=brackets)
    return f'"{text}"' if text != text.strip() else text


def _scalar(value: t.Any) -> str:
    if value is None:
        raise GlanceError("A null cannot be written", remedy="leave the option out of the file")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if _NO_LINE.search(text):
        raise GlanceError("A value with a line break or a NUL character cannot be written", remedy="take it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise GlanceError("A value that is not valid Unicode cannot be written") from None
    return text


def _item(value: t.Any) -> str:
    if isinstance(value, (list, tuple, t.Mapping)):
        raise GlanceError("A list within a list or a dictionary cannot be written")
    text = _scalar(value)
    if not text or "," in text or text != text.strip():
        raise GlanceError(
            "An item of a list or dictionary that is empty, has a comma or a blank at an end cannot be written"
        )
    return text


def _key(value: t.Any) -> str:
    text = _item(value)
    if ":" in text:
        raise GlanceError(f"The key {text!r} of a dictionary has a colon", remedy="take it out")
    return text


def _host(database: t.Mapping[str, t.Any]) -> str:
    host, port = str(database["host"]), database.get("port")
    if re.search(r"[\s/@?#\\]", host):
        raise GlanceError(f"The host {host!r} of the database is not a name or an address")
    try:
        if ipaddress.ip_address(host).version == 6:
            host = f"[{host}]"
    except ValueError:
        pass
    if port is None:
        return host
    if not str(port).isdecimal() or not 0 < int(port) < 65536:
        raise GlanceError(f"The port {port!r} of the database is not a number from 1 to 65535")
    return f"{host}:{port}"


def _database_name(database: t.Mapping[str, t.Any]) -> str:
    name = str(database["name"])
    # SQLAlchemy takes the name as it stands, so it cannot be percent-encoded.
    if re.search(r"[\s/?#%\\]", name):
        raise GlanceError(
            f"The name {name!r} of the database cannot stand in a URL", remedy="use letters, digits and _"
        )
    return name


def _socket(database: t.Mapping[str, t.Any]) -> dict[str, str]:
    socket = database.get("unix_socket")
    return {"unix_socket": str(socket)} if socket else {}


def _tls(tls: t.Optional[t.Mapping[str, t.Any]]) -> dict[str, str]:
    if not tls or not tls.get("enabled", True):
        return {}
    if not tls.get("ca_cert"):
        raise GlanceError(
            "TLS to the database without tls.ca_cert would not verify the server",
            remedy="give the file with the certificates of the authorities to trust",
        )
    names = {"ca_cert": "ssl_ca", "client_cert": "ssl_cert", "client_key": "ssl_key"}
    parameters = {parameter: str(tls[key]) for key, parameter in names.items() if tls.get(key)}
    return parameters if tls.get("check_hostname", True) else {**parameters, "ssl_check_hostname": "false"}
