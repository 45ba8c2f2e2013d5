# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""How much is free for staging on each controller, told by the action plugin to the module that copies."""

from __future__ import annotations

import contextlib
import json
import os
import time
import typing as t

FRESH_SECONDS = 60.0
"""How old a reading may be: who has not looked for so long is stuck, or gone."""


class Reading(t.NamedTuple):
    """What was free on a controller.

    :param free: bytes.
    :param at: when, in seconds since 1970.
    """

    free: int
    at: float


def command(mount_point: str) -> list[str]:
    """Return the command that tells how much is free; below a closed directory only root may run it."""
    return ["df", "--output=avail", "--block-size=1", mount_point]


def free_of(output: str) -> t.Optional[int]:
    """Return what the command has told, in bytes, or None."""
    lines = output.split()
    return int(lines[-1]) if lines and lines[-1].isdigit() else None


def write_rooms(path: str, rooms: t.Mapping[str, Reading]) -> None:
    """Write what is free on each controller, by its name. What cannot be written is not told."""
    with contextlib.suppress(OSError):
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump({name: reading._asdict() for name, reading in rooms.items()}, file)
        os.replace(f"{path}.new", path)


def read_rooms(path: t.Optional[str]) -> dict[str, int]:
    """Return how many bytes are free on each controller of which that is known, and was known a moment ago."""
    if path is None:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            found = {str(name): Reading(**reading) for name, reading in json.load(file).items()}
            now = time.time()
            return {name: reading.free for name, reading in found.items() if now - reading.at <= FRESH_SECONDS}
    except (OSError, ValueError, TypeError, AttributeError):
        # Not there yet, or not what write_rooms has written.
        return {}
