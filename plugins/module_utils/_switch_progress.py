# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""How far the copying of many images is: written by the module while it works, read by the action plugin meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_charts import size_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_page import span_text

SHOWN_AT_ONCE = 3


class CopyProgress(t.NamedTuple):
    """How far the copying was when this was written.

    :param now: what is being copied, such as ``cirros (20.0 MiB) on controller-1``.
    :param state: what else there is to know, such as that it is paused.
    """

    what: str
    images: int
    images_total: int
    bytes: int
    bytes_total: int
    seconds: float
    failures: int
    now: list[str]
    state: str = ""

    @property
    def rate(self) -> float:
        """Bytes a second, since the start."""
        return self.bytes / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> t.Optional[float]:
        """How long the rest takes at this rate."""
        return (self.bytes_total - self.bytes) / self.rate if self.rate else None

    def line(self) -> str:
        """Return what an operator reads."""
        parts = [
            f"{self.what}: {self.images} of {self.images_total} images",
            f"{size_text(self.bytes)} of {size_text(self.bytes_total)}",
        ]
        if self.rate:
            parts.append(f"{size_text(self.rate)}/s, {span_text(self.seconds_left)} left")
        if self.failures:
            parts.append(f"{self.failures} failed")
        if self.state:
            parts.append(self.state)
        more = len(self.now) - SHOWN_AT_ONCE
        shown = self.now[:SHOWN_AT_ONCE] + ([f"{more} more"] if more > 0 else [])
        return ", ".join(parts) + (f"; now {', '.join(shown)}" if shown else "")


def write_copy_progress(path: t.Optional[str], progress: CopyProgress) -> None:
    """Write how far it is; nothing without a path."""
    if path is None:
        return
    # No copy shall end because its progress could not be told.
    with contextlib.suppress(OSError):
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(progress, file)
        os.replace(f"{path}.new", path)


def read_copy_progress(path: str) -> t.Optional[CopyProgress]:
    """Return what the file tells, or None when it tells nothing yet."""
    try:
        with open(path, encoding="utf-8") as file:
            return CopyProgress(*json.load(file))
    except (OSError, ValueError, TypeError):
        return None


class Meter:
    """Counts what was copied, and for how long; time that was spent waiting does not count."""

    def __init__(self) -> None:
        self.images = 0
        self.bytes = 0
        self.failures = 0
        self.seconds = 0.0
        self._looked = time.monotonic()

    def tick(self, working: bool) -> None:
        """Note that time has gone by."""
        now = time.monotonic()
        if working:
            self.seconds += now - self._looked
        self._looked = now

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.bytes / self.seconds if self.seconds > 0 else 0.0
