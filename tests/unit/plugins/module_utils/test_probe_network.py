# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is seen of the database server, Keystone and memcached: real sockets, and a real MariaDB."""

from __future__ import annotations

import contextlib
import email.utils
import socket
import socketserver
import ssl
import struct
import threading
import time
import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _probe_network
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_network import Database, Keystone
from ansible_collections.openstack_ops.glance.tests.unit.plugins.scripted_http import Exchange, ScriptedServer

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb import PrivateMariaDB

pytest_plugins = ["ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb"]

V3 = {"version": {"id": "v3.14", "status": "stable", "links": []}}
VERSIONS = {"versions": {"values": [V3["version"], {"id": "v2.0"}]}}


def looked(probe: t.Callable[..., None], server: t.Any, seconds: float = 20) -> Outcome:
    """Return what a probe finds."""
    outcome = Outcome("node")
    probe(outcome, Deadline(seconds), server)
    return outcome


def told(outcome: Outcome) -> list[tuple[str, str]]:
    """Return the code and the text of each problem."""
    return [(problem.code, problem.what) for problem in outcome.problems]


@contextlib.contextmanager
def server_that_says(says: bytes, after: bytes = b"") -> t.Iterator[int]:
    """Serve a few bytes to whoever connects, after having heard some; return the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if after:
                assert self.request.recv(len(after)) == after
            self.request.sendall(says)
            with contextlib.suppress(OSError):
                self.request.recv(1)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def packet(content: bytes) -> bytes:
    """Return a packet of MySQL's protocol."""
    return len(content).to_bytes(3, "little") + b"\0" + content


class TestDatabase:
    def test_real_server(self, mariadb: PrivateMariaDB) -> None:
        outcome = looked(_probe_network.database, Database(mariadb.host, mariadb.port))
        assert outcome.problems == []
        assert outcome.facts["database"]["tls"] is True
        assert outcome.facts["database"]["version"] == mariadb.execute("SELECT VERSION()")[0][0]

    def test_real_server_with_tls(self, mariadb: PrivateMariaDB) -> None:
        server = Database(mariadb.host, mariadb.port, tls=True, ca_cert=mariadb.ca_cert)
        assert looked(_probe_network.database, server).problems == []

    def test_real_server_with_an_authority_that_is_not_trusted(self, mariadb: PrivateMariaDB) -> None:
        ((code, what),) = told(looked(_probe_network.database, Database(mariadb.host, mariadb.port, tls=True)))
        assert code == "GLS-122"
        assert "unable to get local issuer certificate" in what or "self-signed" in what

    def test_real_server_under_a_name_that_its_certificate_lacks(self, mariadb: PrivateMariaDB) -> None:
        # Another way to write 127.0.0.1, which is in the certificate.
        server = Database("127.1", mariadb.port, tls=True, ca_cert=mariadb.ca_cert)
        ((code, what),) = told(looked(_probe_network.database, server))
        assert code == "GLS-122"
        assert "127.1" in what
        lenient = Database("127.1", mariadb.port, tls=True, ca_cert=mariadb.ca_cert, check_hostname=False)
        assert looked(_probe_network.database, lenient).problems == []

    def test_certificates_that_cannot_be_read(self, mariadb: PrivateMariaDB) -> None:
        server = Database(mariadb.host, mariadb.port, tls=True, ca_cert="/nonexistent/ca.pem")
        assert told(looked(_probe_network.database, server)) == [
            ("GLS-122", "the certificates in /nonexistent/ca.pem cannot be read: No such file or directory")
        ]

    def test_nobody_listens(self) -> None:
        port = free_port()
        assert told(looked(_probe_network.database, Database("127.0.0.1", port))) == [
            ("GLS-120", f"the database server 127.0.0.1 port {port}: Connection refused")
        ]

    def test_name_does_not_resolve(self) -> None:
        ((code, what),) = told(looked(_probe_network.database, Database("no-such-host.invalid")))
        assert code == "GLS-120"
        assert "the name does not resolve" in what

    def test_server_that_says_nothing(self) -> None:
        start = time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            outcome = looked(_probe_network.database, Database("127.0.0.1", port), 0.5)
        assert time.monotonic() - start < 3
        assert told(outcome) == [("GLS-120", f"the database server 127.0.0.1 port {port}: no answer in time")]

    @pytest.mark.parametrize("says", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", packet(b"\x0a10.11"), packet(b"\x0a10.11\0abc")])
    def test_something_else(self, says: bytes) -> None:
        with server_that_says(says) as port:
            ((code, what),) = told(looked(_probe_network.database, Database("127.0.0.1", port), 0.5))
        assert code == "GLS-120"
        assert "does not answer as MariaDB or MySQL does" in what or "no answer in time" in what

    def test_blocked_host(self) -> None:
        said = b"Host '10.0.0.1' is blocked because of many connection errors; unblock with 'mariadb-admin flush-hosts'"
        with server_that_says(packet(b"\xff\x69\x04" + said)) as port:
            outcome = looked(_probe_network.database, Database("127.0.0.1", port))
        assert told(outcome) == [
            ("GLS-121", f"the database server 127.0.0.1 port {port} refuses the node: {said.decode()}")
        ]

    def greeting(self, version: bytes, capabilities: int) -> bytes:
        return packet(b"\x0a" + version + b"\0" + bytes(13) + capabilities.to_bytes(2, "little") + bytes(31))

    def test_server_without_tls(self) -> None:
        with server_that_says(self.greeting(b"5.5.5-10.5.29-MariaDB", 0xF7FE & ~0x0800)) as port:
            outcome = looked(_probe_network.database, Database("127.0.0.1", port, tls=True))
        assert told(outcome) == [("GLS-122", f"the database server 127.0.0.1 port {port} does not offer TLS")]
        assert outcome.facts["database"] == {"version": "10.5.29-MariaDB", "tls": False}

    def test_server_that_breaks_the_handshake_off(self) -> None:
        greeting = self.greeting(b"8.0.36", 0xFFFF)
        with server_that_says(greeting + b"no handshake at all") as port:
            ((code, what),) = told(looked(_probe_network.database, Database("127.0.0.1", port, tls=True)))
        assert code == "GLS-122"
        assert f"the database server 127.0.0.1 port {port}, TLS: " in what

    def test_server_that_has_hung_up_before_the_handshake(self) -> None:
        class Patient(socket.socket):
            """Gives the server the time to hang up."""

            def sendall(self, data: t.Any, flags: int = 0) -> None:
                super().sendall(data, flags)
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                accepted.close()
                time.sleep(0.1)
                # The system tells it once; from then on the connection just is none.
                with contextlib.suppress(ConnectionResetError):
                    self.recv(1)

        outcome = Outcome("node", facts={"database": {"tls": True}})
        with socket.create_server(("127.0.0.1", 0)) as server, Patient() as connection:
            connection.connect(server.getsockname())
            accepted, _address = server.accept()
            _probe_network._database_tls(outcome, "x", Database("127.0.0.1", tls=True), connection)
        assert [code for code, _what in told(outcome)] == ["GLS-122"]


@pytest.fixture
def tls(mariadb: PrivateMariaDB) -> ssl.SSLContext:
    """Return the context of a server whose certificate is of the test's own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mariadb.directory / "server.pem", mariadb.directory / "server-key.pem")
    return context


class TestKeystone:
    @pytest.mark.parametrize(
        ("status", "answer", "versions"), [(200, V3, ["v3.14"]), (300, VERSIONS, ["v3.14", "v2.0"])]
    )
    def test_answers(self, status: int, answer: t.Any, versions: list[str]) -> None:
        with ScriptedServer([Exchange("GET", "/v3", status, answer)]) as server:
            outcome = looked(_probe_network.keystone, Keystone(f"{server.url}/v3"))
        assert outcome.problems == []
        assert outcome.facts["keystone"]["status"] == status
        assert outcome.facts["keystone"]["versions"] == versions

    @pytest.mark.parametrize(
        ("status", "answer"),
        [
            (200, {"versions": [{"id": "v2.15"}]}),
            (300, {"versions": [{"id": "v2.15"}]}),
            (200, b"<html>It works!</html>"),
            (200, [1]),
            (404, {"error": {}}),
            (503, V3),
            (401, V3),
        ],
    )
    def test_something_else_answers(self, status: int, answer: t.Any) -> None:
        with ScriptedServer([Exchange("GET", "/", status, answer)]) as server:
            outcome = looked(_probe_network.keystone, Keystone(f"{server.url}/"))
        assert told(outcome) == [
            ("GLS-132", f"{server.url}/ answers with HTTP {status}, and not with the versions of a Keystone")
        ]

    def test_something_that_does_not_speak_http(self) -> None:
        with server_that_says(b"\x4a\0\0\0\x0a5.5.5\0\0\r\n") as port:
            assert told(looked(_probe_network.keystone, Keystone(f"http://127.0.0.1:{port}"))) == [
                ("GLS-132", f"http://127.0.0.1:{port} does not speak HTTP")
            ]

    def test_nobody_listens(self) -> None:
        url = f"http://127.0.0.1:{free_port()}/v3"
        assert told(looked(_probe_network.keystone, Keystone(url))) == [("GLS-130", f"{url}: Connection refused")]

    def test_name_does_not_resolve(self) -> None:
        ((code, what),) = told(looked(_probe_network.keystone, Keystone("http://no-such-host.invalid:5000")))
        assert code == "GLS-130"
        assert "the name does not resolve" in what

    def test_server_that_says_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            assert told(looked(_probe_network.keystone, Keystone(url), 0.5)) == [
                ("GLS-130", f"{url}: no answer in time")
            ]

    def test_tls(self, tls: ssl.SSLContext, mariadb: PrivateMariaDB) -> None:
        with ScriptedServer([Exchange("GET", "/v3", answer=V3)], tls=tls) as server:
            outcome = looked(_probe_network.keystone, Keystone(f"{server.url}/v3", ca_cert=mariadb.ca_cert))
        assert outcome.problems == []

    def test_certificate_that_is_not_trusted(self, tls: ssl.SSLContext) -> None:
        with ScriptedServer([], tls=tls) as server:
            ((code, what),) = told(looked(_probe_network.keystone, Keystone(f"{server.url}/v3")))
        assert code == "GLS-131"
        assert what.startswith(f"{server.url}/v3: ")
        assert "certificate" in what

    def test_certificate_that_is_not_to_be_verified(self, tls: ssl.SSLContext) -> None:
        with ScriptedServer([Exchange("GET", "/v3", answer=V3)], tls=tls) as server:
            assert looked(_probe_network.keystone, Keystone(f"{server.url}/v3", validate_certs=False)).problems == []

    def test_https_url_of_a_server_without_tls(self) -> None:
        with server_that_says(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            ((code, _what),) = told(looked(_probe_network.keystone, Keystone(f"https://127.0.0.1:{port}")))
        assert code == "GLS-131"

    def answered(self, *headers: str) -> Outcome:
        head = "\r\n".join(["HTTP/1.1 200 OK", "Content-Length: 28", *headers])
        with server_that_says(f'{head}\r\n\r\n{{"version": {{"id": "v3.14"}}}}'.encode()) as port:
            return looked(_probe_network.keystone, Keystone(f"http://127.0.0.1:{port}"))

    @pytest.mark.parametrize(("ahead", "which"), [(1000, "ahead of"), (-1000, "behind")])
    def test_clock_that_differs(self, ahead: int, which: str) -> None:
        outcome = self.answered(f"Date: {email.utils.formatdate(time.time() + ahead, usegmt=True)}")
        ((code, what),) = told(outcome)
        assert code == "GLS-133"
        assert f" s {which} that of the node" in what
        assert abs(outcome.facts["keystone"]["clock_ahead"] - ahead) < 10

    def test_clock_that_agrees(self) -> None:
        outcome = self.answered(f"Date: {email.utils.formatdate(time.time() + 200, usegmt=True)}")
        assert outcome.problems == outcome.not_checked == []

    @pytest.mark.parametrize("headers", [[], ["Date: yesterday"]])
    def test_server_that_does_not_tell_the_time(self, headers: list[str]) -> None:
        outcome = self.answered(*headers)
        assert outcome.problems == outcome.not_checked == []
        assert outcome.facts["keystone"]["clock_ahead"] is None


class TestMemcached:
    def test_answers(self) -> None:
        with server_that_says(b"VERSION 1.6.18\r\n", after=b"version\r\n") as port:
            outcome = looked(_probe_network.memcached, f"127.0.0.1:{port}")
        assert outcome.problems == []
        assert outcome.facts == {"memcached": {f"127.0.0.1:{port}": "1.6.18"}}

    @pytest.mark.parametrize("says", [b"ERROR\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"\x81\0\0\0\n"])
    def test_something_else_answers(self, says: bytes) -> None:
        with server_that_says(says, after=b"version\r\n") as port:
            assert told(looked(_probe_network.memcached, f"127.0.0.1:{port}")) == [
                ("GLS-140", f"127.0.0.1:{port} does not answer as memcached does")
            ]

    def test_server_that_says_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            name = f"127.0.0.1:{server.getsockname()[1]}"
            outcome = looked(_probe_network.memcached, name, 0.5)
        assert told(outcome) == [("GLS-140", f"the memcached server {name}: no answer in time")]

    @pytest.mark.parametrize("name", ["127.0.0.1:port", "no-such-host.invalid:11211", "[::1:11211", ":1"])
    def test_name_that_leads_nowhere(self, name: str) -> None:
        ((code, what),) = told(looked(_probe_network.memcached, name))
        assert code == "GLS-140"
        assert what.startswith(f"the memcached server {name}: ")

    def test_version_6_as_keystonemiddleware_writes_it(self) -> None:
        port = free_port()
        ((_code, what),) = told(looked(_probe_network.memcached, f"inet6:[::1]:{port}"))
        assert what.startswith(f"the memcached server inet6:[::1]:{port}: ")
        assert "resolve" not in what
