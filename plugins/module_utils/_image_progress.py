# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""How far a long transfer is: written by the module while it works, read by the action plugin meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import Stopped

MIB = 1024 * 1024


class Progress(t.NamedTuple):
    """How far a transfer was when this was written; with several images, all of their transfers together."""

    what: str
    done: int
    total: t.Optional[int]
    seconds: float
    images_done: int = 0
    images: int = 1

    def line(self) -> str:
        """Return what an operator reads, such as ``412 of 1024 MiB uploaded, 96 MiB/s, 6 s left``."""
        rate = self.done / self.seconds if self.seconds > 0 else 0.0
        total = f" of {self.total // MIB}" if self.total is not None else ""
        left = f", {(self.total - self.done) / rate:.0f} s left" if self.total is not None and rate else ""
        images = f"{self.images_done} of {self.images} images, " if self.images > 1 else ""
        return f"{images}{self.done // MIB}{total} MiB {self.what}, {rate / MIB:.0f} MiB/s{left}"


class Teller(t.Protocol):
    """Whom a transfer tells how far it is."""

    def begin(self, what: str, total: t.Optional[int]) -> None:
        """Start to tell of another transfer; ``what`` happens to the bytes, as a participle."""

    def advance(self, done: int) -> None:
        """Tell that so many bytes are done."""


class ProgressFile:
    """Writes how far the transfers are, once a second; does nothing without a path."""

    def __init__(self, path: t.Optional[str] = None) -> None:
        self._path = path
        self._what = ""
        self._total: t.Optional[int] = None
        self._images = 1
        self._started = self._written = time.monotonic()

    def begin(self, what: str, total: t.Optional[int], images: int = 1) -> None:
        """Start to tell of another transfer; ``what`` happens to the bytes, as a participle."""
        self._what = what
        self._total = total
        self._images = images
        self._started = self._written = time.monotonic()

    def advance(self, done: int, images_done: int = 0) -> None:
        """Tell that so many bytes are done."""
        now = time.monotonic()
        if now - self._written >= 1:
            self._written = now
            seconds = now - self._started
            write_progress(self._path, Progress(self._what, done, self._total, seconds, images_done, self._images))


class JointProgress:
    """How far the transfers of many images are, together; and the way to stop them all."""

    def __init__(self, path: t.Optional[str], images: int) -> None:
        self._path = path
        self._images = images
        self._images_done = 0
        self._transfers: dict[int, tuple[int, t.Optional[int]]] = {}
        self._started: t.Optional[float] = None
        self._written = 0.0
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._signal = ""

    def of_one(self) -> Teller:
        """Return what one image's transfers tell of themselves."""
        return _Part(self, self._numbers)

    def stop(self, signal: str) -> None:
        """Let every transfer end when it advances next."""
        self._signal = signal

    def image_is_done(self) -> None:
        """Tell that nothing is left to do for one image."""
        with self._lock:
            self._images_done += 1

    def tell(self, transfer: int, done: int, total: t.Optional[int]) -> None:
        """Tell how far one of the transfers is."""
        if self._signal:
            raise Stopped(self._signal)
        now = time.monotonic()
        with self._lock:
            self._transfers[transfer] = (done, total)
            self._started = self._started or now
            if now - self._written < 1:
                return
            self._written = now
            progress = self._progress(now - self._started)
        write_progress(self._path, progress)

    def _progress(self, seconds: float) -> Progress:
        totals = [total for _done, total in self._transfers.values()]
        known = None if None in totals else sum(total or 0 for total in totals)
        done = sum(done for done, _total in self._transfers.values())
        return Progress("moved", done, known, seconds, self._images_done, self._images)


class _Part:
    def __init__(self, joint: JointProgress, numbers: t.Iterator[int]) -> None:
        self._joint = joint
        self._numbers = numbers
        self._transfer = 0
        self._total: t.Optional[int] = None

    def begin(self, _what: str, total: t.Optional[int]) -> None:
        self._transfer = next(self._numbers)
        self._total = total
        self._joint.tell(self._transfer, 0, total)

    def advance(self, done: int) -> None:
        self._joint.tell(self._transfer, done, self._total)


def write_progress(path: t.Optional[str], progress: Progress) -> None:
    """Write how far the transfers are."""
    if path is None:
        return
    # Nobody shall lose an upload because its progress could not be told.
    with contextlib.suppress(OSError), open(path, "w", encoding="utf-8") as file:
        json.dump(progress, file)


def read_progress(path: str) -> t.Optional[Progress]:
    """Return what the file tells, or None when it tells nothing yet."""
    try:
        with open(path, encoding="utf-8") as file:
            return progress_of(file.read())
    except (OSError, ValueError):
        return None


def progress_of(text: str) -> t.Optional[Progress]:
    """Return what the text of such a file tells, or None when it tells nothing yet."""
    try:
        return Progress(*json.loads(text))
    except (ValueError, TypeError):
        return None
