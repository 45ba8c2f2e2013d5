# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What an operator can change while images are copied: how many at a time, how fast, and whether at all."""

from __future__ import annotations

import contextlib
import time
import typing as t

with contextlib.suppress(ImportError):
    import yaml

MOST_TRANSFERS = 32
KNOWN = ("paused", "transfers", "bandwidth")
BURST_SECONDS = 1.0


class Control:
    """The settings of a copying, which a file can change while it runs.

    A file that cannot be understood changes nothing, and is told.

    :param path: the file, in JSON or YAML; it need not be there.
    :ivar paused: whether no further copy is started.
    :ivar transfers: how many images each controller copies at a time.
    :ivar bandwidth: how many bytes a second there may be on the average, or 0 for no limit.
    :ivar problem: what is wrong with the file, or nothing.
    """

    def __init__(self, path: t.Optional[str], transfers: int, bandwidth: int) -> None:
        self._path = path
        self._defaults = (False, transfers, bandwidth)
        self.paused, self.transfers, self.bandwidth = self._defaults
        self.problem = ""

    def refresh(self) -> None:
        """Read the file again."""
        text = self._text()
        if text is None:
            return
        found, self.problem = _understood(text)
        if not self.problem:
            paused, transfers, bandwidth = self._defaults
            self.paused = found.get("paused", paused)
            self.transfers = found.get("transfers", transfers)
            self.bandwidth = found.get("bandwidth", bandwidth)

    def _text(self) -> t.Optional[str]:
        if self._path is None:
            return None
        try:
            with open(self._path, encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            self.problem = f"it cannot be read: {error}"
            return None


def _understood(text: str) -> tuple[dict[str, t.Any], str]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}, "it is neither JSON nor YAML"
    if found is None:
        return {}, ""
    if not isinstance(found, dict):
        return {}, f"it has to be a dictionary with {', '.join(KNOWN)}"
    return found, "; ".join(_problems(found))


def _problems(found: dict[str, t.Any]) -> t.Iterator[str]:
    for name, value in found.items():
        whole = isinstance(value, int) and not isinstance(value, bool)
        if name not in KNOWN:
            yield f"{name} is none of {', '.join(KNOWN)}"
        elif name == "paused" and not isinstance(value, bool):
            yield f"paused is {value!r}, and has to be true or false"
        elif name == "transfers" and not (whole and 1 <= value <= MOST_TRANSFERS):
            yield f"transfers is {value!r}, and has to be a number from 1 to {MOST_TRANSFERS}"
        elif name == "bandwidth" and not (whole and value >= 0):
            yield f"bandwidth is {value!r}, and has to be a number of bytes a second, or 0 for no limit"


class Pace:
    """Keeps the average of bytes a second below a limit, by when copies are started.

    Glance cannot copy an image more slowly: each goes as fast as the stores let it, and what is above the limit is made
    good by the wait before the next.
    """

    def __init__(self) -> None:
        self._owed = 0.0
        self._looked = time.monotonic()

    def allows(self, bandwidth: int) -> bool:
        """Tell whether a copy may start now."""
        now = time.monotonic()
        if bandwidth:
            self._owed = max(self._owed - bandwidth * (now - self._looked), 0.0)
        else:
            self._owed = 0.0
        self._looked = now
        return self._owed <= bandwidth * BURST_SECONDS

    def take(self, size: int, bandwidth: int) -> None:
        """Note that a copy of so many bytes has started."""
        if bandwidth:
            self._owed += size
