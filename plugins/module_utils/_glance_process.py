# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The processes of a node's Glance: since when they run, and which files they hold open."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

PROC = "/proc"


def workers_started(unit: str, main: int, proc: str = PROC) -> t.Optional[float]:
    """Return since when the oldest process of a unit runs that may work on a task, in seconds since the epoch.

    An import runs inside the process that took the request, and dies with it. Under a main process with workers those
    alone take requests, and one of them may have been replaced since. Helpers that they run have other command lines.

    :param main: the main process of the unit, 0 when there is none.
    :return: nothing where no process runs.
    """
    members = [pid for pid in _pids(proc) if _belongs(pid, unit, proc)]
    same = [pid for pid in members if pid != main and _read(proc, pid, "cmdline") == _read(proc, main, "cmdline")]
    workers = same or ([main] if main in members else members)
    started = [moment for moment in (_started(pid, proc) for pid in workers) if moment is not None]
    return min(started, default=None)


def open_in(directory: str, proc: str = PROC) -> set[str]:
    """Return the names of the files of a directory that any process of the node holds open."""
    root = os.path.realpath(directory)
    held: set[str] = set()
    for pid in _pids(proc):
        for target in _targets(Path(proc, str(pid), "fd")):
            parent, _slash, name = target.rpartition("/")
            if parent == root:
                held.add(name)
    return held


def _pids(proc: str) -> list[int]:
    return sorted(int(name) for name in os.listdir(proc) if name.isdigit())


def _read(proc: str, pid: int, name: str) -> str:
    # A process may end at any moment.
    try:
        return Path(proc, str(pid), name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _belongs(pid: int, unit: str, proc: str) -> bool:
    # One line for each hierarchy of control groups; a unit that was given the right to may have groups below its own.
    groups = [line.split(":", 2)[-1] for line in _read(proc, pid, "cgroup").splitlines()]
    return any(f"/{unit}/" in f"{group}/" for group in groups)


def _started(pid: int, proc: str) -> t.Optional[float]:
    # The name of the program stands in brackets and may hold anything.
    fields = _read(proc, pid, "stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return None
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)


def _targets(directory: Path) -> t.Iterator[str]:
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        try:
            yield os.readlink(directory / name)
        except OSError:
            continue
