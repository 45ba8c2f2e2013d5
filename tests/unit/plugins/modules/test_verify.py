# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module verify, driven through main() against nodes of Glance and a Keystone, on the loopback interface."""

from __future__ import annotations

import datetime
import http.server
import json
import os
import re
import signal
import socket
import threading
import typing as t
from urllib.parse import urlsplit

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _verify
from ansible_collections.openstack_ops.glance.plugins.modules import verify

USER, PROJECT = "user-1", "project-1"
PASSWORD = "pa55:/@ ñ"
Answer = tuple[int, t.Any]


class Site:
    """Two nodes that share their images, and Keystone. ``answers`` makes a request to a node go wrong."""

    def __init__(self) -> None:
        self.images: dict[str, dict[str, t.Any]] = {}
        self.data: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.answers: dict[str, t.Any] = {}
        self.stores: list[t.Optional[str]] = []
        self.during: dict[str, t.Callable[[], None]] = {}
        self._httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("H", (Handler,), {"site": self}))
        self._httpd.daemon_threads = True
        # A client that goes away in the middle is what some tests are about.
        self._httpd.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._httpd.server_address[1]}"
        threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._httpd.shutdown()
        self._httpd.server_close()

    def add(self, name: str, minutes: float, user: str = USER) -> str:
        """Put an image there that is so many minutes old."""
        made = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)
        identity = f"old-{len(self.images)}"
        self.images[identity] = {
            "id": identity,
            "name": name,
            "tags": ["glance-verify"],
            "created_at": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "glance_verify_user": user,
        }
        return identity

    def answer(self, line: str, headers: t.Mapping[str, str], body: bytes) -> Answer:
        """Answer a request, given as the method, the node and the path with the id left out."""
        if line in self.during:
            self.during.pop(line)()
        if line in self.answers:
            return t.cast("Answer", self.answers[line])
        method, _space, path = line.partition(" ")
        if path.startswith("/v3"):
            return self._keystone(method, path, body)
        _empty, _node, *parts = path.split("/")
        if parts == ["healthcheck"]:
            return 200, b"OK"
        if headers.get("X-Auth-Token") != "token":
            return 401, b"Authentication required"
        return self._glance(method, parts, headers, body)

    def _keystone(self, method: str, path: str, body: bytes) -> Answer:
        if method == "GET":
            return 200, {
                "version": {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": self.url + "/v3"}]}
            }
        assert json.loads(body)["auth"]["identity"]["password"]["user"]["password"] == PASSWORD
        user = {"id": USER, "name": "admin", "domain": {"id": "default", "name": "Default"}}
        project = {"id": PROJECT, "name": "admin", "domain": {"id": "default", "name": "Default"}}
        times = {"expires_at": "2099-01-01T00:00:00.000000Z", "issued_at": "2026-01-01T00:00:00.000000Z"}
        roles = [{"id": "r", "name": "admin"}]
        token = {"methods": ["password"], **times, "user": user, "project": project, "roles": roles, "catalog": []}
        return 201, {"token": token}

    def _glance(self, method: str, parts: list[str], headers: t.Mapping[str, str], body: bytes) -> Answer:
        if parts == ["v2", "images"] and method == "POST":
            image = json.loads(body)
            made = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            self.images[image["id"]] = {**image, "created_at": made}
            return 201, self.images[image["id"]]
        if parts == ["v2", "images"]:
            return 200, {"images": [image for image in self.images.values() if "glance-verify" in image["tags"]]}
        identity = parts[2] if parts[2] != "ID" else next(each for each in self.images if not each.startswith("old-"))
        if identity not in self.images:
            return 404, b"No image found"
        if parts[3:] == ["file"] and method == "PUT":
            self.data[identity] = body
            self.stores.append(headers.get("X-Image-Meta-Store"))
            return 204, b""
        if parts[3:] == ["file"]:
            return 200, self.data[identity]
        if method == "DELETE":
            del self.images[identity]
            return 204, b""
        return 200, self.images[identity]


class Handler(http.server.BaseHTTPRequestHandler):
    """Passes requests on to the site."""

    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request of any method."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = re.sub(r"/[0-9a-f]{8}-[0-9a-f-]{27}", "/ID", urlsplit(self.path).path)
        known = any(not identity.startswith("old-") for identity in self.site.images)
        line = f"{self.command} {path}"
        self.site.requests.append(line)
        if "/ID" in path and not known and line not in self.site.answers:
            status, answer = 404, b"No image found"
        else:
            status, answer = self.site.answer(line, self.headers, body)
        if not status:
            self.close_connection = True
            return
        self.reply(status, answer)

    def reply(self, status: int, answer: t.Any) -> None:
        """Send an answer: bytes as they are, a tuple as bytes with the length that they claim, the rest as JSON."""
        claimed = None
        if isinstance(answer, tuple):
            answer, claimed = answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        kind = "text/html" if status >= 400 else "application/octet-stream"
        self.send_header("Content-Type", kind if isinstance(answer, bytes) else "application/json")
        self.send_header("Content-Length", str(claimed or len(content)))
        self.send_header("X-Subject-Token", "token")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.close_connection or claimed is not None

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
        """Keep the output of the tests readable."""


@pytest.fixture
def site() -> t.Iterator[Site]:
    """Return two nodes and a Keystone that work."""
    site = Site()
    yield site
    site.close()


class Run(t.Protocol):
    """Signature of the fixture ``run``."""

    def __call__(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Do it."""


@pytest.fixture
def run(run_module: t.Any, site: Site) -> Run:
    """Return a function that runs the module against the site."""

    def play(*, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        names = ("username", "password", "project_name", "user_domain_name", "project_domain_name")
        auth = dict(zip(names, ("admin", PASSWORD, "admin", "Default", "Default")))
        arguments = {
            "auth": {"auth_url": f"{site.url}/v3", **auth},
            "endpoints": {"one": f"{site.url}/one", "two": f"{site.url}/two/"},
            "size": 300_000,
            **options,
        }
        result = run_module(verify, arguments, check=check)
        assert result["changed"] is False
        assert PASSWORD not in json.dumps(result, ensure_ascii=False)
        assert result["requests"] <= len(site.requests)
        return t.cast("dict[str, t.Any]", result)

    return play


def column(result: dict[str, t.Any], name: str) -> list[str]:
    """Return one result of every node."""
    return [node[name] for node in result["nodes"]]


def codes(result: dict[str, t.Any]) -> list[tuple[str, str]]:
    """Return the code and the node of each problem."""
    return [(problem["code"], problem["node"]) for problem in result["problems"]]


class TestFine:
    def test_every_request_in_its_order_and_nothing_left(self, run: Run, site: Site) -> None:
        result = run()
        assert site.requests == [
            "GET /one/healthcheck",
            "GET /one/v2/images",
            "GET /two/healthcheck",
            "GET /two/v2/images",
            "GET /v3",
            "POST /v3/auth/tokens",
            "GET /one/v2/images",
            "POST /one/v2/images",
            "PUT /one/v2/images/ID/file",
            "GET /one/v2/images/ID/file",
            "GET /two/v2/images/ID/file",
            "DELETE /one/v2/images/ID",
            "GET /one/v2/images/ID",
        ]
        assert result["requests"] == len(site.requests)
        assert site.images == {}
        assert not result.get("failed")

    def test_result_and_summary(self, run: Run, site: Site) -> None:
        result = run()
        assert column(result, "node") == ["one", "two"]
        assert (
            column(result, "healthcheck")
            == column(result, "unauthenticated")
            == column(result, "download")
            == ["ok"] * 2
        )
        assert column(result, "upload") == ["ok", "skipped"]
        assert all(seconds >= 0 for seconds in column(result, "seconds"))
        assert result["summary"] == [
            f"one ({site.url}/one): healthcheck ok, without a token refused, upload ok, download ok",
            f"two ({site.url}/two): healthcheck ok, without a token refused, download ok",
            "An image of 300000 bytes came back unchanged from 2 of 2 nodes; 13 requests.",
        ]
        assert result["image"]["size"] == 300_000
        assert result["problems"] == result["removed_leftovers"] == []

    def test_image_is_private_and_marked(self, run: Run, site: Site) -> None:
        seen: list[dict[str, t.Any]] = []
        site.during["GET /two/v2/images/ID/file"] = lambda: seen.extend(dict(image) for image in site.images.values())
        result = run()
        (image,) = seen
        assert image["name"] == result["image"]["name"] == f"glance-verify-{image['id'][:8]}"
        assert image["visibility"] == "private"
        assert (image["disk_format"], image["container_format"]) == ("raw", "bare")
        assert image["tags"] == ["glance-verify"]
        assert image["glance_verify_user"] == USER

    def test_store(self, run: Run, site: Site) -> None:
        run(store="objects")
        run()
        assert site.stores == ["objects", None]


class TestCheckMode:
    def test_only_reads_and_needs_no_token(self, run: Run, site: Site) -> None:
        result = run(check=True)
        assert site.requests == [
            "GET /one/healthcheck",
            "GET /one/v2/images",
            "GET /two/healthcheck",
            "GET /two/v2/images",
        ]
        assert column(result, "upload") == column(result, "download") == ["skipped"] * 2
        assert result["image"] is None

    def test_site_that_is_not_there_yet_is_skipped(self, run: Run) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
        result = run(check=True, endpoints={"new": url})
        assert not result.get("failed")
        assert column(result, "healthcheck") == ["skipped"]
        assert result["summary"] == [f"new ({url}): skipped, nothing answers"]

    def test_open_api_fails_all_the_same(self, run: Run, site: Site) -> None:
        site.answers["GET /two/v2/images"] = (200, {"images": []})
        assert codes(run(check=True)) == [("GLS-302", "two")]


class TestReading:
    @pytest.mark.parametrize("status", [503, 404])
    def test_unhealthy_node(self, run: Run, site: Site, status: int) -> None:
        site.answers["GET /one/healthcheck"] = (status, b"DISABLED BY FILE")
        result = run()
        assert result["failed"]
        assert codes(result) == [("GLS-301", "one")]
        assert column(result, "healthcheck") == [f"HTTP {status}", "ok"]
        # The rest is proved through the other node.
        assert column(result, "upload") == ["skipped", "ok"]
        assert column(result, "download") == ["skipped", "ok"]
        assert site.images == {}

    def test_node_that_is_drained_is_proved_where_that_is_fine(self, run: Run, site: Site) -> None:
        site.answers["GET /one/healthcheck"] = (503, b"DISABLED BY FILE")
        result = run(drained=True)
        assert column(result, "healthcheck") == ["drained", "ok"]
        assert column(result, "download") == ["ok", "ok"]

    def test_node_that_is_ill_is_not_taken_for_drained(self, run: Run, site: Site) -> None:
        site.answers["GET /one/healthcheck"] = (503, b"no database")
        assert codes(run(drained=True)) == [("GLS-301", "one")]

    def test_node_that_does_not_answer(self, run: Run, site: Site) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            dead = f"http://127.0.0.1:{server.getsockname()[1]}"
        result = run(endpoints={"dead": dead, "two": f"{site.url}/two"})
        assert codes(result) == [("GLS-301", "dead")]
        assert "Connection refused" in result["msg"]
        assert column(result, "download") == ["skipped", "ok"]

    def test_nothing_is_uploaded_when_no_node_is_fine(self, run: Run, site: Site) -> None:
        site.answers = {f"GET /{node}/healthcheck": (500, b"") for node in ("one", "two")}
        result = run()
        assert codes(result) == [("GLS-301", "one"), ("GLS-301", "two")]
        assert not any("/v3" in request for request in site.requests)

    @pytest.mark.parametrize("status", [200, 403])
    def test_open_api_is_a_loud_error(self, run: Run, site: Site, status: int) -> None:
        site.answers["GET /one/v2/images"] = (status, {"images": []})
        result = run()
        assert codes(result)[0] == ("GLS-302", "one")
        assert "THE API IS OPEN" in result["msg"]
        assert column(result, "unauthenticated") == [f"OPEN (HTTP {status})", "ok"]
        assert result["nodes"][0]["upload"] == "skipped"

    @pytest.mark.parametrize("status", [302, 404, 500, 502])
    def test_something_else_answers(self, run: Run, site: Site, status: int) -> None:
        site.answers["GET /two/v2/images"] = (status, b"<html>")
        assert codes(run()) == [("GLS-303", "two")]

    def test_all_problems_are_in_one_message(self, run: Run, site: Site) -> None:
        site.answers["GET /one/healthcheck"] = (503, b"")
        site.answers["GET /two/v2/images"] = (200, {"images": []})
        assert [line[:7] for line in run()["msg"].splitlines()] == ["GLS-301", "GLS-302"]


class TestProof:
    def test_token_that_is_refused(self, run: Run, site: Site) -> None:
        site.answers["POST /v3/auth/tokens"] = (401, {"error": {"message": "The request requires authentication."}})
        result = run()
        assert codes(result) == [("GLS-201", "")]
        assert column(result, "healthcheck") == ["ok", "ok"]

    @pytest.mark.parametrize(
        ("line", "answer"),
        [
            ("POST /one/v2/images", (403, b"<html><body>Quota exceeded</body></html>")),
            ("PUT /one/v2/images/ID/file", (500, b"<html><body>The store is broken</body></html>")),
            ("PUT /one/v2/images/ID/file", (0, b"")),
            ("PUT /one/v2/images/ID/file", (413, b"too large")),
        ],
    )
    def test_upload_that_fails_leaves_nothing(self, run: Run, site: Site, line: str, answer: Answer) -> None:
        site.answers[line] = answer
        result = run()
        assert codes(result) == [("GLS-310", "one")]
        assert column(result, "upload") == ["failed", "skipped"]
        assert column(result, "download") == ["skipped", "skipped"]
        assert "DELETE /one/v2/images/ID" in site.requests
        assert site.images == {}

    def test_answer_of_the_server_is_told(self, run: Run, site: Site) -> None:
        site.answers["PUT /one/v2/images/ID/file"] = (500, b"<html><body>The store is broken</body></html>")
        assert "The store is broken" in run()["msg"]

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ((204, b""), "LOST (HTTP 204 with 0 of 300000 bytes)"),
            ((200, b"x" * 1000), "LOST (HTTP 200 with 1000 of 300000 bytes)"),
            ((200, b"x" * 300_000), "CHANGED (HTTP 200 with 300000 of 300000 bytes)"),
            ((404, b"No image found"), "LOST (HTTP 404)"),
            ((500, b"oops"), "LOST (HTTP 500)"),
            ((200, (b"x" * 1000, 300_000)), "failed"),
        ],
    )
    def test_image_that_does_not_come_back(self, run: Run, site: Site, answer: Answer, said: str) -> None:
        site.answers["GET /two/v2/images/ID/file"] = answer
        result = run()
        assert result["failed"]
        assert codes(result) == [("GLS-311", "two")]
        assert column(result, "download") == ["ok", said]
        assert result["summary"][-1].startswith("An image of 300000 bytes came back unchanged from 1 of 2 nodes")
        assert site.images == {}

    @pytest.mark.parametrize(
        ("line", "answer"),
        [
            ("DELETE /one/v2/images/ID", (403, b"")),
            ("DELETE /one/v2/images/ID", (0, b"")),
            ("DELETE /one/v2/images/ID", (204, b"")),
            ("GET /one/v2/images/ID", (200, {"status": "deleted"})),
        ],
    )
    def test_image_that_cannot_be_deleted_is_named(self, run: Run, site: Site, line: str, answer: Answer) -> None:
        site.answers[line] = answer
        result = run()
        assert codes(result) == [("GLS-312", "one")]
        assert result["image"]["id"] in result["msg"]


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    @pytest.mark.parametrize(
        "moment", ["POST /one/v2/images", "PUT /one/v2/images/ID/file", "GET /two/v2/images/ID/file"]
    )
    def test_stopped_module_deletes_its_image(self, run: Run, site: Site, number: signal.Signals, moment: str) -> None:
        arrived = threading.Event()

        def interrupt() -> None:
            os.kill(os.getpid(), number)
            # The answer comes when the module has already noticed.
            arrived.wait(0.3)

        site.during[moment] = interrupt
        before = signal.getsignal(number)
        result = run()
        assert result["failed"]
        assert codes(result)[0] == ("GLS-313", "")
        assert f"stopped by {number.name}" in result["msg"]
        assert site.requests[-2:] == ["DELETE /one/v2/images/ID", "GET /one/v2/images/ID"]
        assert site.images == {}
        assert signal.getsignal(number) == before

    def test_second_signal_does_not_stop_the_deletion(self, run: Run, site: Site) -> None:
        site.during["PUT /one/v2/images/ID/file"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
        site.during["DELETE /one/v2/images/ID"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
        assert codes(run()) == [("GLS-313", "")]
        assert site.images == {}

    @pytest.mark.parametrize("moment", ["DELETE /one/v2/images/ID", "GET /one/v2/images/ID"])
    def test_signal_that_comes_during_the_deletion_does_not_stop_it(self, run: Run, site: Site, moment: str) -> None:
        site.during[moment] = lambda: os.kill(os.getpid(), signal.SIGTERM)
        result = run()
        assert not result.get("failed")
        assert site.images == {}


class TestLeftovers:
    def test_abandoned_images_of_the_same_user_are_deleted(self, run: Run, site: Site) -> None:
        old = site.add("glance-verify-0a1b2c3d", minutes=11)
        kept = [
            site.add("glance-verify-11111111", minutes=5),
            site.add("glance-verify-22222222", minutes=60, user="somebody else"),
            site.add("precious", minutes=60),
        ]
        result = run()
        assert not result.get("failed")
        assert result["removed_leftovers"] == [old]
        assert list(site.images) == kept
        assert result["summary"][-1] == f"Removed {old}, which an earlier run had left behind."

    def test_one_that_cannot_be_deleted_is_a_problem_and_the_proof_goes_on(self, run: Run, site: Site) -> None:
        old = site.add("glance-verify-0a1b2c3d", minutes=11)
        site.answers[f"DELETE /one/v2/images/{old}"] = (403, b"Forbidden")
        result = run()
        assert codes(result) == [("GLS-312", "one")]
        assert column(result, "download") == ["ok", "ok"]


@pytest.mark.parametrize("options", [{"endpoints": {}}, {"size": 0}])
def test_senseless_options_are_refused(run_module: t.Any, options: dict[str, t.Any]) -> None:
    result = run_module(verify, {"auth": {"auth_url": "http://x"}, "endpoints": {"a": "http://x"}, **options})
    assert result["msg"] == "endpoints has to name at least one node, and size has to be 1 or more."


def test_age_of_an_image_is_told_by_the_servers_clock() -> None:
    assert _verify._server_time("Fri, 20 Nov 2026 12:00:00 GMT").isoformat() == "2026-11-20T12:00:00+00:00"
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs(_verify._server_time(None) - now) < datetime.timedelta(minutes=1)


class TestStores:
    @pytest.fixture
    def untagged(self, site: Site) -> str:
        """Put an image there whose store is not noted, and tell what Glance says of its stores."""
        identity = site.add("debian", 5, user="somebody")
        site.images[identity].update(status="active", tags=["glance-verify"])
        site.answers["GET /one/v2/info/stores"] = (200, {"stores": [{"id": "local"}]})
        return identity

    def test_the_store_of_an_image_is_noted(self, run: Run, site: Site, untagged: str) -> None:
        def note() -> None:
            site.images[untagged]["stores"] = "local"

        site.during[f"GET /one/v2/images/{untagged}"] = note
        result = run(note_stores=True)
        assert result["stores"]["tagged"] == [{"id": untagged, "name": "debian"}]
        assert "1 of 1 images: each has got the name of its store." in result["summary"]
        assert not result.get("failed")
        again = run(note_stores=True)
        assert (again["stores"]["images"], again["stores"]["tagged"]) == (1, [])

    def test_a_node_that_is_fine_is_asked(self, run: Run, site: Site, untagged: str) -> None:
        site.answers["GET /two/v2/info/stores"] = site.answers.pop("GET /one/v2/info/stores")
        site.answers["GET /one/healthcheck"] = (500, b"")
        result = run(note_stores=True)
        assert codes(result) == [("GLS-301", "one")]
        assert column(result, "download") == ["skipped", "ok"]
        assert [image["id"] for image in result["stores"]["untagged"]] == [untagged]

    def test_nobody_is_asked_when_no_node_is_fine(self, run: Run, site: Site) -> None:
        site.answers = {f"GET /{node}/healthcheck": (500, b"") for node in ("one", "two")}
        result = run(note_stores=True)
        assert codes(result) == [("GLS-301", "one"), ("GLS-301", "two")]
        assert result["stores"] is None

    def test_what_cannot_be_noted_does_not_hide_the_rest(self, run: Run, site: Site, untagged: str) -> None:
        site.answers["GET /one/v2/info/stores"] = (500, b"broken")
        site.answers["GET /two/v2/images/ID/file"] = (404, b"No image found")
        result = run(note_stores=True)
        assert codes(result) == [("GLS-314", "one"), ("GLS-311", "two")]
        assert result["stores"] is None

    def test_check_mode_asks_for_none(self, run: Run, site: Site, untagged: str) -> None:
        result = run(check=True, note_stores=True)
        assert [image["id"] for image in result["stores"]["untagged"]] == [untagged]
        assert f"GET /one/v2/images/{untagged}" not in site.requests

    def test_nobody_asks_unless_told(self, run: Run, site: Site) -> None:
        assert run()["stores"] is None
        assert "GET /one/v2/info/stores" not in site.requests

    def test_an_image_that_no_store_leads_to_is_named(self, run: Run, untagged: str) -> None:
        assert "No store of the configuration leads to the data of debian." in run(note_stores=True)["summary"]
