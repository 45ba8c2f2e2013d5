# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What goes on on the connections to a port: lines of ss, and real connections where ss is installed."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _connections
from ansible_collections.openstack_ops.glance.plugins.module_utils._connections import Connection, what_goes_on
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

LINE = (
    "0      2626560 10.92.95.11:9292 10.92.95.1:51522 cubic wscale:7,7 rto:204 rtt:0.1/0.05 mss:1448 cwnd:10"
    " bytes_sent:73411 bytes_acked:73412 bytes_received:311 segs_out:12 lastsnd:8 lastrcv:1240 lastack:4"
)
IDLE = Connection("c", 0, 0, sent=500, received=300, since_sent=900, since_received=910)


def ran(output: str = "", code: int = 0, errors: str = "") -> t.Any:
    return lambda arguments: (code, output, errors)


def test_reads_what_ss_prints() -> None:
    found = _connections.read(ran(f"{LINE}\n"), 9292)
    assert found == {
        "10.92.95.1:51522": Connection("10.92.95.1:51522", 0, 2626560, 73411, 311, since_sent=8, since_received=1240)
    }


def test_what_is_zero_is_not_printed() -> None:
    found = _connections.read(ran("0 0 [::1]:9292 [::1]:40000 cubic bytes_acked:1 lastack:4\n"), 9292)
    assert found["[::1]:40000"] == Connection("[::1]:40000", 0, 0, 1, 0, 0, 0)


def test_says_why_ss_cannot_tell() -> None:
    with pytest.raises(GlanceError, match=r"invalid option.*iproute2"):
        _connections.read(ran("", 255, "ss: invalid option -- 'O'"), 9292)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param(IDLE, IDLE._replace(since_sent=1400, since_received=1410), "", id="idle between two requests"),
        pytest.param(None, IDLE._replace(since_received=1), "", id="new: the next look tells"),
        pytest.param(
            Connection("c", 0, 0, 0, 0, 5, 5), Connection("c", 0, 0, 0, 0, 505, 505), "", id="without a request"
        ),
        pytest.param(
            IDLE._replace(since_sent=50, since_received=50),
            IDLE._replace(since_sent=550, since_received=550),
            "",
            id="answered within one tick",
        ),
        pytest.param(
            IDLE, IDLE._replace(sent=900, received=600, since_sent=3, since_received=5), "", id="another short request"
        ),
        pytest.param(
            IDLE._replace(since_received=100),
            IDLE._replace(since_sent=1400, since_received=600),
            "a request without an answer",
            id="waits for an answer",
        ),
        pytest.param(
            IDLE._replace(since_received=0), IDLE._replace(received=9000, since_received=0), "upload", id="upload"
        ),
        pytest.param(IDLE._replace(waiting_in=7), IDLE._replace(waiting_in=9), "upload", id="nobody reads the upload"),
        pytest.param(IDLE, IDLE._replace(sent=90000, since_sent=0), "download", id="download"),
        pytest.param(IDLE._replace(waiting_out=4096), IDLE._replace(waiting_out=4096), "download", id="slow client"),
        pytest.param(
            IDLE._replace(waiting_out=9),
            IDLE._replace(received=10, sent=0, since_received=0),
            "",
            id="another connection from the same port",
        ),
    ],
)
def test_what_goes_on(before: t.Optional[Connection], now: Connection, expected: str) -> None:
    assert what_goes_on(before, now) == expected


def test_real_connections() -> None:
    def execute(arguments: list[str]) -> tuple[int, str, str]:
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def looks() -> dict[str, str]:
        before = _connections.read(execute, port)
        time.sleep(0.3)
        now = _connections.read(execute, port)
        return {peer: what_goes_on(before.get(peer), connection) for peer, connection in now.items()}

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        clients = [socket.create_connection(("127.0.0.1", port)) for _each in range(3)]
        servers = [listener.accept()[0] for _each in clients]
        try:
            idle, asking, downloading = (f"127.0.0.1:{client.getsockname()[1]}" for client in clients)
            for client, server in zip(clients, servers):
                client.sendall(b"GET / HTTP/1.1\r\n\r\n")
                server.recv(100)
            time.sleep(0.05)
            servers[0].sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            sender = threading.Thread(target=_send_until_closed, args=(servers[2],), daemon=True)
            sender.start()
            time.sleep(0.05)
            assert looks() == {idle: "", asking: "a request without an answer", downloading: "download"}
        finally:
            for end in [*clients, *servers]:
                end.close()


def _send_until_closed(server: socket.socket) -> None:
    try:
        server.sendall(bytes(100 * 1024 * 1024))
    except OSError:
        return
