# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What Glance a controller runs: asked of the process and of what is installed, not of a configuration."""

from __future__ import annotations

import glob
import os
import re
import typing as t
from pathlib import Path

from ansible_collections.openstack_ops.glance.plugins.module_utils import _database_dump
from ansible_collections.openstack_ops.glance.plugins.module_utils._unit import Run, Systemd, Unit, process_start

SYSTEM = (
    "usr/lib/python3/dist-packages",
    "usr/local/lib/python3*/dist-packages",
    "usr/lib/python2.7/dist-packages",
    "usr/lib/python*/site-packages",
)
"""Where the packages of the distributions install Glance."""
NOTE = "out-of-service"
"""The file that an upgrade leaves on a controller for as long as it has taken it out of service."""
METADATA = re.compile(r"glance-(\d[^-]*?)(?:-py[\d.]+)?\.(?:dist|egg)-info")


class Installation(t.NamedTuple):
    """A Glance that is installed.

    :param environment: the directory of its virtual environment; nothing for packages of the distribution.
    :param changed: when it was installed, in nanoseconds since the epoch.
    """

    environment: str = ""
    version: str = ""
    changed: int = 0


def run(execute: Run, service: str, directory: str, root: str = os.sep) -> dict[str, t.Any]:
    """Look at the unit, its process and what is installed, and return what the module returns.

    :param directory: that of upgrades; nothing to look at none.
    :raises GlanceError: when systemd does not answer.
    """
    unit = Systemd(execute).show(service)
    found = installation(_words(unit, root), root)
    runs = unit.running and unit.pid > 0
    return {
        "running": runs,
        "version": found.version,
        "environment": found.environment,
        "outdated": runs and process_start(unit) < found.changed,
        "masked": unit.masked,
        "noted": bool(directory) and os.path.exists(os.path.join(directory, NOTE)),
        "has_directory": bool(directory) and os.path.isdir(directory),
        "dumps": _dumps(directory) if directory else [],
    }


def _dumps(directory: str) -> list[dict[str, str]]:
    """Return the dumps of databases in a directory, oldest first."""
    paths = glob.glob(os.path.join(glob.escape(directory), f"*{_database_dump.SUFFIX}"))
    found = [{"path": path, "made": _database_dump.existing(path).get("made", "")} for path in paths]
    return sorted(found, key=lambda dump: (dump["made"], dump["path"]))


def installation(words: t.Iterable[str], root: str = os.sep) -> Installation:
    """Return the Glance that a command line runs.

    :param words: the words of the command line; an environment is known by a program of its own among them.
    """
    environment = next(filter(None, (_environment(word) for word in words)), "")
    places = [f"{environment}/lib/python*/site-packages"] if environment else [f"{root}/{path}" for path in SYSTEM]
    metadata = [path for place in places for path in glob.glob(f"{place}/glance-[0-9]*-info")]
    known = [(match.group(1), path) for path in metadata if (match := METADATA.fullmatch(os.path.basename(path)))]
    if not known:
        return Installation(environment)
    version, path = max(known, key=lambda entry: _numbers(entry[0]))
    return Installation(environment, version, os.lstat(path).st_ctime_ns)


def _environment(word: str) -> str:
    if not os.path.isabs(word):
        return ""
    candidates = (word, os.path.dirname(os.path.dirname(word)))
    return next((path for path in candidates if os.path.isfile(os.path.join(path, "pyvenv.cfg"))), "")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _words(unit: Unit, root: str) -> list[str]:
    """Return the command line of the process, or of the unit where none runs."""
    if unit.pid:
        return _read(f"{root}/proc/{unit.pid}/cmdline").split("\0")
    starts = re.findall(r"^ExecStart=(.*)$", _read(unit.fragment), re.MULTILINE) if unit.fragment else []
    return [word for line in starts for word in line.split()]


def _read(path: str) -> str:
    # A process may end at any moment.
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
