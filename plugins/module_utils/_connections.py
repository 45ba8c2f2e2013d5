# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The connections to a port of this node, and on which of them a request is under way.

The kernel tells of each connection how many bytes came and went, and how long ago the last ones did (tcp_info). ``ss``
of iproute2 prints that; it is on every Debian, which the libraries that read it themselves are not.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._unit import Run

_NUMBERS = re.compile(r"\b(bytes_sent|bytes_acked|bytes_received|lastsnd|lastrcv):(\d+)")


class Connection(t.NamedTuple):
    """A connection at one moment.

    :param waiting_in: bytes that came and were not read yet.
    :param waiting_out: bytes that the other end has not got yet.
    :param since_sent: how many milliseconds ago the last bytes were sent; where none were, how old it is.
    :param since_received: the same of bytes that came.
    """

    peer: str
    waiting_in: int
    waiting_out: int
    sent: int
    received: int
    since_sent: int
    since_received: int

    @property
    def owes_answer(self) -> bool:
        """Whether the last bytes on it were the client's: a request without an answer, or an upload."""
        # Where nothing was sent yet, a request may have come in the very tick of the clock in which it was opened.
        return self.received > 0 and (self.sent == 0 or self.since_received < self.since_sent)


def read(execute: Run, port: int) -> dict[str, Connection]:
    """Return the established connections to a port, by the address of the other end.

    :raises GlanceError: when ``ss`` cannot tell them.
    """
    command = ["ss", "-H", "-O", "-t", "-i", "-n", "state", "established", f"( sport = :{port} )"]
    code, output, errors = execute(command)
    if code:
        raise GlanceError(
            "looking at the connections of the node",
            answer=(errors or output).strip(),
            cause="iproute2 before version 5.1",
            remedy="install a current iproute2",
        )
    found = (_connection(line) for line in output.splitlines())
    return {connection.peer: connection for connection in found if connection is not None}


def _connection(line: str) -> t.Optional[Connection]:
    words = line.split()
    if len(words) < 4 or not words[0].isdigit():
        return None
    numbers = {name: int(value) for name, value in _NUMBERS.findall(line)}
    return Connection(
        peer=words[3],
        waiting_in=int(words[0]),
        waiting_out=int(words[1]),
        sent=numbers.get("bytes_sent", numbers.get("bytes_acked", 0)),
        received=numbers.get("bytes_received", 0),
        # What is zero is not printed.
        since_sent=numbers.get("lastsnd", 0),
        since_received=numbers.get("lastrcv", 0),
    )


def what_goes_on(before: t.Optional[Connection], now: Connection) -> str:
    """Return what is under way on a connection, such as ``upload``, or nothing on one that is idle.

    One look is not enough: the answer to any short request may just be on its way.

    :param before: the same connection a moment ago, if it was there.
    """
    if before is None or now.received < before.received:
        return ""
    if before.owes_answer and now.owes_answer:
        return "upload" if now.received > before.received else "a request without an answer"
    if min(before.waiting_in, now.waiting_in):
        return "upload"
    # A response that stretches over both looks; behind a slow client it waits to be sent.
    same_request = now.received == before.received
    return "download" if same_request and (now.sent > before.sent or min(before.waiting_out, now.waiting_out)) else ""
