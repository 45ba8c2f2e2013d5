# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A web server with images, as publishers have it on their good and on their bad days.

The first part of a path says how a file is given out: ``/cut/disk`` is the file ``disk``, over a line that breaks.
"""

from __future__ import annotations

import http.server
import threading
import time
import typing as t
from pathlib import Path

PORT = 8097
BLOCK = 64 * 1024
# Longer than any test waits for a server that says nothing.
SECONDS_OF_SILENCE = 120


class Web:
    """Serves a directory, as a context manager."""

    def __init__(self, directory: Path, address: str) -> None:
        """Set up the server.

        :param address: under which Glance reaches this machine.
        """
        self.url = f"http://{address}:{PORT}"
        self.directory = directory
        self.requests: list[str] = []
        self.seconds = 5.0
        """How long a slow transfer takes."""
        self.meanwhile: t.Callable[[], None] = lambda: None
        """What happens once: before a held answer, and in the middle of a slow one."""
        self.over = threading.Event()
        self._httpd = http.server.ThreadingHTTPServer(("", PORT), type("Handler", (Handler,), {"web": self}))
        self._httpd.daemon_threads = True

    def __enter__(self) -> Web:
        threading.Thread(target=self._httpd.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        self._httpd.shutdown()
        self._httpd.server_close()

    def happen(self) -> None:
        """Let happen what shall happen meanwhile; once."""
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives out one file."""

    web: Web
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer as the path says."""
        self.close_connection = True
        manner, _slash, name = self.path.strip("/").rpartition("/")
        first = self.path not in self.web.requests
        self.web.requests.append(self.path)
        path = self.web.directory / name
        if not path.is_file():
            self.send_error(404)
            return
        answer = getattr(self, f"give_{manner}" if manner else "give")
        answer(path.read_bytes(), first)

    def give(self, content: bytes, _first: bool) -> None:
        """Give out the file."""
        self.begin(content)
        self.wfile.write(content)

    def give_cut(self, content: bytes, first: bool) -> None:
        """Break off in the middle, and give out the rest to whom asks for it."""
        asked = self.headers.get("Range", "")
        if asked and self.headers.get("If-Range", '"1"') == '"1"':
            begin, _dash, end = asked.partition("=")[2].partition("-")
            self.give_part(content, int(begin), int(end or len(content) - 1))
            return
        self.begin(content)
        self.wfile.write(content[: len(content) // 2] if first else content)

    def give_part(self, content: bytes, begin: int, end: int) -> None:
        """Give out a part of the file."""
        part = content[begin : end + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {begin}-{end}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def give_truncated(self, content: bytes, _first: bool) -> None:
        """Announce more than there is."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) + 1000))
        self.end_headers()
        self.wfile.write(content)

    def give_late(self, content: bytes, first: bool) -> None:
        """Be ill at first."""
        if first:
            self.send_error(500)
        else:
            self.give(content, first)

    def give_never(self, _content: bytes, _first: bool) -> None:
        """Be ill."""
        self.send_error(500)

    def give_silent(self, _content: bytes, _first: bool) -> None:
        """Say nothing."""
        self.web.over.wait(SECONDS_OF_SILENCE)

    def give_stalling(self, content: bytes, _first: bool) -> None:
        """Say nothing more from the middle on."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.web.over.wait(SECONDS_OF_SILENCE)

    def give_elsewhere(self, _content: bytes, _first: bool) -> None:
        """Lead to what is no web server."""
        self.send_response(302)
        self.send_header("Location", "file:///etc/hostname")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def give_held(self, content: bytes, first: bool) -> None:
        """Let something happen first."""
        self.web.happen()
        self.give(content, first)

    def give_slow(self, content: bytes, _first: bool) -> None:
        """Take time, and let something happen in the middle."""
        self.begin(content)
        began = time.monotonic()
        for offset in range(0, len(content), BLOCK):
            if offset >= len(content) // 2:
                self.web.happen()
            self.wfile.write(content[offset : offset + BLOCK])
            self.web.over.wait(max(0.0, began + self.web.seconds * offset / len(content) - time.monotonic()))

    def begin(self, content: bytes) -> None:
        """Announce a whole file."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"1"')
        self.end_headers()

    def handle(self) -> None:
        """Answer; that a client gives up is what some tests are about."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
        """Keep the output of the tests readable."""
