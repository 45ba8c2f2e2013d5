# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A server on the loopback interface that knows, request by request, what it will be asked and what it answers."""

from __future__ import annotations

import dataclasses
import http.server
import json
import ssl
import threading
import typing as t
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclasses.dataclass
class Exchange:
    """One request that is expected, and the answer to it.

    A ``query`` or ``body`` of None is not looked at; ``{}`` means that there must be none. A ``body`` is compared with
    the request's JSON, or with its bytes when it is of the type bytes. An ``answer`` of the type bytes is sent as it
    is, anything else as JSON. ``{server}`` in any string of the answer becomes the server's own URL. A ``status`` of 0
    closes the connection without an answer.
    """

    method: str
    path: str
    status: int = 200
    answer: t.Any = None
    query: t.Optional[dict[str, str]] = None
    body: t.Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


class ScriptedServer:
    """Plays a list of exchanges, in their order, and remembers what was different.

    Use it as a context manager: it fails at its end when a request was not expected, differed, or never came.
    """

    def __init__(self, script: t.Sequence[Exchange] = (), tls: t.Optional[ssl.SSLContext] = None) -> None:
        self.script = list(script)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._httpd.daemon_threads = True
        if tls:
            self._httpd.socket = tls.wrap_socket(self._httpd.socket, server_side=True)
        # A client that gives up on the handshake, or on an answer, is what some tests are about.
        self._httpd.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._httpd.server_address[1]}"

    def expect(self, *exchanges: Exchange) -> None:
        """Add to what is expected."""
        self.script.extend(exchanges)

    def __enter__(self) -> ScriptedServer:
        threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, kind: t.Optional[type[BaseException]], *_rest: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        if kind is None:
            self.assert_played()

    def assert_played(self) -> None:
        """Fail unless exactly the expected requests came."""
        missing = [f"{exchange.method} {exchange.path} never came" for exchange in self.script]
        assert not self.complaints + missing, "\n".join(self.complaints + missing)

    def answer_to(self, method: str, target: str, raw: bytes) -> Exchange:
        """Take the next exchange of the script, and note what differs from it."""
        self.requests.append(f"{method} {target}")
        if not self.script:
            self.complaints.append(f"unexpected {method} {target}")
            return Exchange(method, target, 500, {"error": {"message": "the script is at its end"}})
        expected = self.script.pop(0)
        self.complaints += self._differences(expected, method, target, raw)
        return expected

    @staticmethod
    def _differences(expected: Exchange, method: str, target: str, raw: bytes) -> list[str]:
        parts = urlsplit(target)
        wanted: dict[str, t.Any] = {"request": f"{expected.method} {expected.path}"}
        found: dict[str, t.Any] = {"request": f"{method} {unquote(parts.path)}"}
        if expected.query is not None:
            wanted["query"], found["query"] = expected.query, dict(parse_qsl(parts.query, keep_blank_values=True))
        if expected.body is not None:
            wanted["body"] = expected.body
            found["body"] = raw if isinstance(expected.body, bytes) else json.loads(raw or b"{}")
        return [f"expected {wanted}, got {found}"] if wanted != found else []

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        script = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                exchange = script.answer_to(self.command, self.path, raw)
                if exchange.status == 0:
                    self.close_connection = True
                    return
                answer = exchange.answer
                content = answer if isinstance(answer, bytes) else b"" if answer is None else script.encode(answer)
                self.send_response(exchange.status)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **exchange.headers}
                for name, value in headers.items():
                    self.send_header(name, value.replace("{server}", script.url))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_one  # noqa: N815

            def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
                """Keep the output of the tests readable."""

        return Handler

    def encode(self, answer: t.Any) -> bytes:
        """Return the JSON of an answer, with the server's URL filled in."""
        return json.dumps(answer).replace("{server}", self.url).encode()
