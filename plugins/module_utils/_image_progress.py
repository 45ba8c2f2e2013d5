# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""How far a long transfer is: written by the module while it works, read by the action plugin meanwhile."""

from __future__ import annotations

import contextlib
import json
import time
import typing as t

MIB = 1024 * 1024


class Progress(t.NamedTuple):
    """How far a transfer was when this was written."""

    what: str
    done: int
    total: t.Optional[int]
    seconds: float

    def line(self) -> str:
        """Return what an operator reads, such as ``412 of 1024 MiB uploaded, 96 MiB/s, 6 s left``."""
        rate = self.done / self.seconds if self.seconds > 0 else 0.0
        total = f" of {self.total // MIB}" if self.total is not None else ""
        left = f", {(self.total - self.done) / rate:.0f} s left" if self.total is not None and rate else ""
        return f"{self.done // MIB}{total} MiB {self.what}, {rate / MIB:.0f} MiB/s{left}"


class ProgressFile:
    """Writes how far the transfers are, once a second; does nothing without a path."""

    def __init__(self, path: t.Optional[str] = None) -> None:
        self._path = path
        self._what = ""
        self._total: t.Optional[int] = None
        self._started = self._written = time.monotonic()

    def begin(self, what: str, total: t.Optional[int]) -> None:
        """Start to tell of another transfer; ``what`` happens to the bytes, as a participle."""
        self._what = what
        self._total = total
        self._started = self._written = time.monotonic()

    def advance(self, done: int) -> None:
        """Tell that so many bytes are done."""
        now = time.monotonic()
        if self._path is None or now - self._written < 1:
            return
        self._written = now
        # Nobody shall lose an upload because its progress could not be told.
        with contextlib.suppress(OSError), open(self._path, "w", encoding="utf-8") as file:
            json.dump(Progress(self._what, done, self._total, now - self._started), file)


def read_progress(path: str) -> t.Optional[Progress]:
    """Return what the file tells, or None when it tells nothing yet."""
    try:
        with open(path, encoding="utf-8") as file:
            return Progress(*json.load(file))
    except (OSError, ValueError, TypeError):
        return None
