# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The copies that the controllers have of the journal of a switch: which of all is the newest.

Lines are only ever added to a journal. So one of two is the begin of the other, unless the switch was continued from
both of them. Their last lines do not count as long as they say nothing of the switch: what a killed run has torn, a
verdict, that a phase was interrupted, and that the journal was brought back.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Journal

IDLE = frozenset({"verdict", "restored"})
"""What follows from the other lines, or concerns the journal alone."""


class Mirror(t.NamedTuple):
    """What a controller has, as it was looked at from afar.

    :param path: where it has it.
    :param checksum: its SHA-256.
    """

    controller: str
    path: str
    size: int
    checksum: str

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.path} on {self.controller}"


def mirrors_of(stats: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[Mirror]:
    """Return the mirrors that are there.

    :param stats: what the module C(stat) has returned of each controller's file.
    """
    return [
        Mirror(controller, str(stat["path"]), int(stat["size"]), str(stat["checksum"]))
        for controller, stat in sorted(stats.items())
        if stat.get("exists")
    ]


def unlike(journal: Journal, mirrors: t.Sequence[Mirror]) -> list[str]:
    """Return the controllers whose mirror is not, byte for byte, what the journal begins with."""
    own = _read(journal.path) if mirrors else b""

    def is_begin(mirror: Mirror) -> bool:
        return mirror.size <= len(own) and hashlib.sha256(own[: mirror.size]).hexdigest() == mirror.checksum

    return [mirror.controller for mirror in mirrors if not is_begin(mirror)]


def take_newest(journal: Journal, mirrors: t.Iterable[Mirror], fetched: t.Mapping[str, str]) -> str:
    """Take the longest mirror over, if it goes on where the journal ends; return whose that is, or nothing.

    :param journal: the own journal.
    :param fetched: the paths of the mirrors here, by the controller. One that is not fetched is known to be a begin.
    :raises GlanceError: when the switch was continued from two of the journals; nothing is changed then.
    """
    newest, data, taken = journal.path, _read(journal.path), ""
    found = [(mirror, _read(fetched[mirror.controller])) for mirror in mirrors if mirror.controller in fetched]
    for mirror, other in sorted(found, key=lambda pair: -len(settled(pair[1]))):
        if data.startswith(settled(other)):
            continue
        if not other.startswith(settled(data)):
            raise _diverged(newest, str(mirror))
        newest, data, taken = str(mirror), other, mirror.controller
    if taken:
        with journal:
            journal.replace(data, "restored", controller=taken)
    return taken


def settled(data: bytes) -> bytes:
    """Return a journal without what says nothing at its end."""
    lines = data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]
    while lines and _is_idle(lines[-1]):
        lines.pop()
    return b"".join(line + b"\n" for line in lines)


def _is_idle(line: bytes) -> bool:
    try:
        told = json.loads(line)
        return told["event"] in IDLE or (told["event"], told.get("state")) == ("phase", "interrupted")
    except (ValueError, KeyError, TypeError):
        return True


def _diverged(one: str, other: str) -> GlanceError:
    return GlanceError(
        f"comparing the journal {one} with {other}",
        answer="the switch was continued from each of them, so neither tells everything; nothing was changed",
        cause="runs on two control nodes, one of them with a journal that was older than the controllers' copies",
        remedy=f"move {one} away to go on with {other}, or the other way round. Nothing is lost: what a journal does"
        " not tell of the images is taken from Glance, and verified again",
    )


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise GlanceError(f"reading the journal {path}", answer=str(error.strerror or error)) from error
