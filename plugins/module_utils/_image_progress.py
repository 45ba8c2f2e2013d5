# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""How far a long transfer is: written by the module while it works, read by the action plugin meanwhile."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import Stopped

MIB = 1024 * 1024


HASHED = "read for its checksum"
CONVERTED = "converted"
FETCHED = "fetched"
STAYING = frozenset({HASHED, CONVERTED})
"""What is done to bytes that go nowhere."""


class Progress(t.NamedTuple):
    """How far a transfer was when this was written; with several images, all of their transfers together."""

    what: str
    done: int
    total: t.Optional[int]
    seconds: float
    """Since there is something to tell."""
    images_done: int = 0
    images: int = 1
    moving: t.Optional[float] = None
    """Seconds since bytes are moved; None for all of them."""
    meanwhile: str = ""
    """What is done besides, which moves nothing."""

    def line(self) -> str:
        """Return what an operator reads, such as ``412 of 1024 MiB uploaded, 96 MiB/s, 6 s left``."""
        told = [f"{self.images_done} of {self.images} images"] if self.images > 1 else []
        if self.done or not self.meanwhile:
            told += self._transfer()
        return ", ".join([*told, self.meanwhile] if self.meanwhile else told)

    def _transfer(self) -> t.Iterator[str]:
        seconds = self.seconds if self.moving is None else self.moving
        rate = self.done / seconds if seconds > 0 else 0.0
        total = f" of {self.total // MIB}" if self.total is not None else ""
        yield f"{self.done // MIB}{total} MiB {self.what}"
        yield f"{rate / MIB:.0f} MiB/s"
        if self.total is not None and rate:
            yield f"{(self.total - self.done) / rate:.0f} s left"


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
        self._parts: list[Part] = []
        self._started: t.Optional[float] = None
        self._moving_since: t.Optional[float] = None
        self._written = 0.0
        self._signal = ""
        self.lock = threading.Lock()
        """To be held while a part changes."""

    def of_one(self, name: str) -> Part:
        """Return what one image's transfers tell of themselves."""
        part = Part(self, name)
        with self.lock:
            self._parts.append(part)
        return part

    def stop(self, signal: str) -> None:
        """Let every transfer end when it advances next."""
        self._signal = signal

    def tell(self, moves: bool) -> None:
        """Write how far all are, once a second.

        :param moves: whether the part that has something to tell moves bytes.
        """
        if self._signal:
            raise Stopped(self._signal)
        now = time.monotonic()
        with self.lock:
            self._started = self._started or now
            if moves:
                self._moving_since = self._moving_since or now
            if now - self._written < 1:
                return
            self._written = now
            progress = self._progress(now, self._started)
        write_progress(self._path, progress)

    def _progress(self, now: float, started: float) -> Progress:
        totals = [part.total for part in self._parts]
        known = [total for total in totals if total is not None]
        return Progress(
            what="moved",
            done=sum(part.moved for part in self._parts),
            total=sum(known) if len(known) == len(totals) else None,
            seconds=now - started,
            images_done=sum(part.is_over for part in self._parts),
            images=self._images,
            moving=now - (self._moving_since or now),
            meanwhile=", ".join(filter(None, (part.meanwhile() for part in self._parts))),
        )


class Part:
    """How far one of many images is."""

    def __init__(self, joint: JointProgress, name: str) -> None:
        self._joint = joint
        self._name = name
        self._awaited: t.Optional[int] = 0
        self._before = 0
        self._what = ""
        self._done = 0
        self._total: t.Optional[int] = 0
        self.is_over = False

    def expect(self, size: t.Optional[int]) -> None:
        """Tell how many bytes will have to be moved; None when that shows later."""
        with self._joint.lock:
            self._awaited = size

    def begin(self, what: str, total: t.Optional[int]) -> None:
        """Start to tell of another transfer; ``what`` happens to the bytes, as a participle."""
        with self._joint.lock:
            self._before = self.moved
            self._what, self._done, self._total = what, 0, total
            if self._moves:
                self._awaited = self._awaited_after(total)
        self._joint.tell(self._moves)

    def _awaited_after(self, total: t.Optional[int]) -> t.Optional[int]:
        """Return how many bytes are awaited besides those of the transfer that begins."""
        if self._awaited is None:
            # What is fetched is sent on when it was converted.
            return None if self._what == FETCHED else 0
        return max(0, self._awaited - total) if total is not None else 0

    def advance(self, done: int) -> None:
        """Tell that so many bytes are done."""
        with self._joint.lock:
            self._done = done
        self._joint.tell(self._moves)

    def close(self) -> None:
        """Tell that nothing is left to do for the image, or that it failed."""
        with self._joint.lock:
            self.is_over = True

    @property
    def _moves(self) -> bool:
        return self._what not in STAYING

    @property
    def moved(self) -> int:
        """How many bytes of it were moved."""
        return self._before + (self._done if self._moves else 0)

    @property
    def total(self) -> t.Optional[int]:
        """How many bytes of it will have been moved in the end; None when nobody knows."""
        if self.is_over:
            return self.moved
        current = self._total if self._moves else 0
        return None if current is None or self._awaited is None else self._before + current + self._awaited

    def meanwhile(self) -> str:
        """Return what is done to the image that moves nothing."""
        if self.is_over or self._moves:
            return ""
        share = f" ({100 * self._done // self._total} %)" if self._total else ""
        return f"{self._name} being {self._what}{share}"


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
