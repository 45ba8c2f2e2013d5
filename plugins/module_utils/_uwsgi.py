# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""How a second Glance is served where the node's own is an application under uwsgi."""

from __future__ import annotations

import argparse
import configparser
import dataclasses
import os
import typing as t
from pathlib import Path

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

CONFIGURATION = "uwsgi.ini"
# A thread reads one image at a time.
THREADS = 16

# What says which application is served, and with which Python. The others are about the server of the node.
_APPLICATION = ("module", "wsgi", "wsgi-file")
_TAKEN = (*_APPLICATION, "plugin", "plugins", "home", "pyhome", "venv", "virtualenv", "pp", "pythonpath")
_SHORT = {"home": "-H", "module": "-w"}


@dataclasses.dataclass(frozen=True)
class Server:
    """What serves a second Glance.

    :param command: what is run.
    :param environment: what it needs in its environment.
    :param files: the content of each file in its directory.
    :param links: where each link in its directory leads.
    :param sources: the files that say how it is served.
    """

    command: list[str]
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    links: dict[str, str] = dataclasses.field(default_factory=dict)
    sources: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class ConfigFiles:
    """What a second Glance shall read: what the node's own does, and then a file of its own."""

    file: str
    directory: str
    paste: str
    own: Path


def is_uwsgi(words: list[str]) -> bool:
    """Tell whether a command line is that of uwsgi."""
    return bool(words) and os.path.basename(words[0]).startswith("uwsgi")


def server(words: list[str], address: str, processes: int, read: ConfigFiles) -> Server:
    """Return what serves the application of a command line a second time.

    :param words: the command line of the node's own uwsgi.
    :param address: on which host and port to listen.
    :raises GlanceError: when nothing tells which application that is.
    """
    options, files = _taken(words)
    if not any(name in options for name in _APPLICATION):
        raise GlanceError(
            "finding the application that the node's uwsgi serves",
            answer=f"neither its command line nor {', '.join(files) or 'a file'} names one",
            remedy=f"name it there with {', '.join(_APPLICATION[:-1])} or {_APPLICATION[-1]}",
        )
    own = read.own.parent
    return Server(
        command=[words[0], "--ini", str(own / CONFIGURATION)],
        # An application takes no options. It looks for its files in these two, in the latter for directories of them.
        environment={"OS_GLANCE_CONFIG_DIR": str(own), "HOME": str(own)},
        files={CONFIGURATION: _configuration(options, address, processes)},
        links=_links(read),
        sources=files,
    )


def _taken(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return what is said about the application, and the files that were read for it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--ini", action="append", default=[])
    for name in _TAKEN:
        parser.add_argument(f"--{name}", *filter(None, [_SHORT.get(name)]), dest=name)
    known, others = parser.parse_known_args(words[1:])
    files = [*known.ini, *(word for word in others if word.endswith(".ini"))]
    options = {name: value for file in files for name, value in _section(file).items() if name in _TAKEN}
    options.update({name: value for name in _TAKEN if (value := getattr(known, name)) is not None})
    return options, [file.partition(":")[0] for file in files]


def _section(file: str) -> dict[str, str]:
    """Return what a file of uwsgi says; behind a colon it may name another section than the usual one."""
    path, _colon, section = file.partition(":")
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), allow_no_value=True)
    try:
        with open(path, encoding="utf-8") as content:
            parser.read_file(content)
        return {name: value or "" for name, value in parser.items(section or "uwsgi")}
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise GlanceError(
            f"reading {path}, with which the node's uwsgi runs", answer=str(error), remedy="correct it, or its path"
        ) from error


def _configuration(options: t.Mapping[str, str], address: str, processes: int) -> str:
    values = {
        "strict": "true",
        "need-app": "true",
        "master": "true",
        "die-on-term": "true",
        "http-socket": address,
        "processes": processes,
        "threads": THREADS,
        "enable-threads": "true",
        # Each process has connections of its own to the database and the stores.
        "lazy-apps": "true",
        "thunder-lock": "true",
        # Tokens make large headers.
        "buffer-size": 65535,
        # The socket serves one request a connection.
        "add-header": "Connection: close",
        **options,
    }
    head = "# Written and removed by store_reader.\n[uwsgi]\n"
    return head + "".join(f"{name} = {value}\n" for name, value in values.items())


def _links(read: ConfigFiles) -> dict[str, str]:
    """Return the links by which Glance finds what it shall read, in the right order.

    Up to 2026.1 it looks for a directory of the name of the project alone, afterwards for one of the program too.
    """
    links = {"glance-api-paste.ini": read.paste, "glance-api.conf": read.file}
    further = sorted(Path(read.directory).glob("*.conf"))
    for directory in (".glance/glance.conf.d", ".glance/glance-api.conf.d"):
        # By their names, as they are read: the last one wins.
        links.update({f"{directory}/node-{path.name}": str(path) for path in further})
        links[f"{directory}/reader.conf"] = str(read.own)
    return links
