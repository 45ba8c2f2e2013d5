# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_verify: its real main() against a scripted Glance and Keystone, with real files and a database."""

from __future__ import annotations

import hashlib
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_verify
from ansible_collections.openstack_ops.glance.plugins.modules import store_verify as module
from ansible_collections.openstack_ops.glance.tests.unit.plugins.scripted_http import Exchange, ScriptedServer

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node import Node

pytest_plugins = (
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node",
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb",
)

DATA = b"bytes of an image" * 1000
SECRET = "s3cret-password"
DONE = {"event": "verify", "state": "done", "proof": "reader"}


def image(number: int = 1, data: bytes = DATA, **changes: t.Any) -> dict[str, t.Any]:
    facts = {"id": f"image-{number}", "name": "some", "size": len(data), "hash_algo": "sha512"}
    return {**facts, "hash_value": hashlib.sha512(data).hexdigest(), **changes}


def file_of(number: int = 1, status: int = 200, answer: t.Any = DATA, **more: t.Any) -> Exchange:
    return Exchange("GET", f"/v2/images/image-{number}/file", status, answer, **more)


class Verify:
    """Runs the module."""

    def __init__(self, run_module: RunModule, directory: Path) -> None:
        self._run = run_module
        self._defaults = {"config_file": str(directory / "glance-api.conf"), "transfers": 1, "controller": "c1"}

    def __call__(self, server: ScriptedServer, *images: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
        login = {} if "auth" in options else {"token": "a-token"}
        arguments = {**self._defaults, **login, "images": list(images), "reader_url": server.url, **options}
        return self._run(module, arguments)

    def reason(self, server: ScriptedServer, of: dict[str, t.Any], **options: t.Any) -> str:
        """Return why an image fails, and make sure that it does."""
        result = self(server, of, **options)
        assert result["verified"] == 0
        assert [line["state"] for line in result["failures"]] == ["failed"]
        return str(result["failures"][0]["reason"])


@pytest.fixture
def verify(run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    monkeypatch.setattr(_switch_verify, "PAUSE", 0)
    return Verify(run_module, tmp_path)


def test_right_bytes(verify: Verify) -> None:
    with ScriptedServer([file_of()]) as server:
        result = verify(server, image())
    (line,) = result["results"]
    assert {name: line[name] for name in DONE} == DONE
    assert line["value"] == hashlib.sha512(DATA).hexdigest()
    assert (line["size"], line["controller"], line["attempt"]) == (len(DATA), "c1", 1)
    assert (result["verified"], result["failures"], result["bytes"]) == (1, [], len(DATA))
    assert result["changed"] is False


def stores_of(*names: str, status: int = 200) -> Exchange:
    return Exchange("GET", "/v2/info/stores", status, {"stores": [{"id": name, "default": "true"} for name in names]})


def test_the_stores_of_the_reader_are_looked_at_once(verify: Verify) -> None:
    with ScriptedServer([stores_of("objects"), file_of(), file_of(2)]) as server:
        result = verify(server, image(), image(2), reader_stores=["objects"])
    assert (result["verified"], result["failures"]) == (2, [])


def test_a_reader_that_has_the_old_store_proves_nothing(verify: Verify) -> None:
    with ScriptedServer([stores_of("local", "objects")] * 2) as server:
        result = verify(server, image(), reader_stores=["objects"])
    (failure,) = result["failures"]
    assert "has the stores local, objects instead of objects" in failure["reason"]
    assert failure["passing"] is True


def test_a_source_that_has_the_new_store_gives_no_hash(verify: Verify) -> None:
    with ScriptedServer([stores_of("local", "objects")] * 2) as source, ScriptedServer([]) as server:
        options = {"source_url": source.url, "source_stores": ["local"]}
        reason = verify.reason(server, image(hash_value=None), **options)
    assert "has the stores local, objects instead of local" in reason


def test_a_reader_that_cannot_tell_its_stores_is_asked_again(verify: Verify) -> None:
    with ScriptedServer([stores_of(status=503), stores_of("objects"), file_of()]) as server:
        assert verify(server, image(), reader_stores=["objects"])["verified"] == 1


def test_an_empty_image(verify: Verify) -> None:
    with ScriptedServer([file_of(answer=b"")]) as server:
        assert verify(server, image(data=b""))["verified"] == 1


def test_another_algorithm(verify: Verify) -> None:
    with ScriptedServer([file_of()]) as server:
        wanted = image(hash_algo="md5", hash_value=hashlib.md5(DATA).hexdigest())
        assert verify(server, wanted)["results"][0]["algo"] == "md5"


@pytest.mark.parametrize(
    ("exchange", "changes", "reason"),
    [
        (file_of(status=204, answer=None), {}, "HTTP 204: no location of the image"),
        (file_of(status=404, answer=b"<html><title>404 Not Found</title><h1>404 Not Found</h1>No image</html>"), {},
         "HTTP 404: No image"),
        (file_of(answer=DATA[:-1]), {}, f"it has {len(DATA) - 1} bytes instead of {len(DATA)}"),
        (file_of(answer=b"X" + DATA[1:]), {}, f"instead of {hashlib.sha512(DATA).hexdigest()}"),
        (file_of(), {"hash_algo": "crc99"}, "does not know the hash algorithm 'crc99'"),
    ],
)  # fmt: skip
def test_what_is_read_once_and_fails(
    verify: Verify, exchange: Exchange, changes: dict[str, t.Any], reason: str
) -> None:
    with ScriptedServer([exchange]) as server:
        assert reason in verify.reason(server, image(**changes))


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (file_of(answer=DATA[:100], headers={"Content-Length": str(len(DATA))}), "100 of"),
        (file_of(status=0), "the connection was closed"),
        (file_of(status=503, answer=b"down"), "HTTP 503: down"),
        # The backend may refuse the reader, and have the right bytes.
        (file_of(status=403, answer={"message": "forbidden"}), 'HTTP 403: {"message": "forbidden"}'),
    ],
)
def test_what_breaks_off_is_tried_again(verify: Verify, exchange: Exchange, reason: str) -> None:
    if exchange.headers:
        # The server would keep the connection open behind a body that is too short.
        exchange.headers["Connection"] = "close"
    with ScriptedServer([exchange, file_of()]) as server:
        (line,) = verify(server, image())["results"]
    assert (line["state"], line["attempt"]) == ("done", 2)
    with ScriptedServer([exchange]) as server:
        found = verify.reason(server, image(), attempts=1)
    assert reason in found or "closed" in found


def test_a_stalled_transfer_ends(verify: Verify) -> None:
    short = file_of(answer=DATA[:100], headers={"Content-Length": str(len(DATA))})
    with ScriptedServer([short]) as server:
        assert "nothing came for too long" in verify.reason(server, image(), attempts=1, timeout=1)


def test_a_reader_that_is_gone(verify: Verify) -> None:
    with ScriptedServer() as server:
        pass
    assert "refused" in verify.reason(server, image(), attempts=1)


def test_one_failure_does_not_stop_the_others(verify: Verify) -> None:
    script = [file_of(1, 204, None), file_of(2), file_of(3, 404, b""), file_of(4)]
    with ScriptedServer(script) as server:
        result = verify(server, *(image(number) for number in (1, 2, 3, 4)))
    assert [line["state"] for line in result["results"]] == ["failed", "done", "failed", "done"]
    assert [line["image_id"] for line in result["failures"]] == ["image-1", "image-3"]
    assert result["verified"] == 2


def test_an_image_without_a_hash_is_compared_with_the_source(verify: Verify) -> None:
    with ScriptedServer([file_of()]) as server, ScriptedServer([file_of()]) as source:
        result = verify(server, image(hash_value=None, hash_algo=None), source_url=source.url)
    value = hashlib.sha512(DATA).hexdigest()
    assert result["results"][0] == {
        "event": "source_hash", "image_id": "image-1", "algo": "sha512", "value": value, "size": len(DATA)
    }  # fmt: skip
    assert (result["results"][1]["state"], result["results"][1]["value"]) == ("done", value)


def test_a_source_that_differs(verify: Verify) -> None:
    other = b"X" + DATA[1:]
    with ScriptedServer([file_of(answer=other)]) as server, ScriptedServer([file_of()]) as source:
        found = verify.reason(server, image(hash_value=None), source_url=source.url)
    assert hashlib.sha512(other).hexdigest() in found


def test_a_source_that_cannot_be_read(verify: Verify) -> None:
    with ScriptedServer() as server, ScriptedServer([file_of(status=204, answer=None)]) as source:
        assert "in the old store: HTTP 204" in verify.reason(server, image(hash_value=None), source_url=source.url)


def test_a_source_of_another_size(verify: Verify) -> None:
    with ScriptedServer() as server, ScriptedServer([file_of(answer=b"short")]) as source:
        wanted = image(hash_value=None)
        assert f"it has 5 bytes, and {len(DATA)} in Glance" in verify.reason(server, wanted, source_url=source.url)


@pytest.mark.parametrize("in_glance", [None, "0" * 128])
def test_a_hash_that_the_journal_has(verify: Verify, in_glance: t.Optional[str]) -> None:
    source = {"algo": "sha512", "value": hashlib.sha512(DATA).hexdigest(), "size": len(DATA)}
    with ScriptedServer([file_of()]) as server:
        result = verify(server, image(hash_value=in_glance, size=None, source_hash=source))
    assert [line["event"] for line in result["results"]] == ["verify"]
    assert result["verified"] == 1


def test_without_a_hash_and_without_a_source(verify: Verify) -> None:
    with ScriptedServer() as server:
        assert "no hash of it" in verify.reason(server, image(hash_value=None))


def keystone(url: str) -> dict[str, t.Any]:
    domains = {"user_domain_id": "default", "project_domain_id": "default"}
    who = {"auth_url": f"{url}/v3", "username": "admin", "password": SECRET, "project_name": "admin", **domains}
    return {"auth": who, "auth_type": "v3password"}


def token(name: str, status: int = 201) -> Exchange:
    answer = {"token": {"expires_at": "2099-01-01T00:00:00.000000Z", "issued_at": "2026-01-01T00:00:00.000000Z"}}
    return Exchange("POST", "/v3/auth/tokens", status, answer, headers={"X-Subject-Token": name})


def test_a_token_that_expires_in_the_middle(verify: Verify) -> None:
    script = [file_of(1), file_of(2, 401, b"expired"), file_of(2)]
    with ScriptedServer(script) as server, ScriptedServer([token("first"), token("second")]) as identity:
        result = verify(server, image(1), image(2), **keystone(identity.url))
    assert result["verified"] == 2
    assert result["results"][1]["attempt"] == 1


def test_no_further_token(verify: Verify) -> None:
    with (
        ScriptedServer([file_of(status=401, answer=b"expired")]) as server,
        ScriptedServer([token("first"), token("", 403)]) as identity,
    ):
        assert "getting a token" in verify.reason(server, image(), **keystone(identity.url))


def test_a_given_token_that_expires(verify: Verify) -> None:
    with ScriptedServer([file_of(status=401, answer=b"expired")]) as server:
        assert verify.reason(server, image()) == "HTTP 401: expired"


def test_file_that_is_there_and_cannot_be_read_may_be_right(verify: Verify, node: Node, tmp_path: Path) -> None:
    store = tmp_path / "images"
    node.multi(local=("file", f"filesystem_store_datadir = {store}"))
    wanted = node.image("wanted", (f"file://{store}/{{id}}", "local"))
    # root can read every file, and nobody a directory as one.
    (store / wanted).mkdir(parents=True)
    with ScriptedServer() as server:
        (line,) = verify(server, image(id=wanted), files_of="local", user="nobody-at-all", attempts=1)["results"]
    assert (line["state"], line["passing"]) == ("failed", True)


def test_wrong_credentials_fail_before_anything_is_read(verify: Verify) -> None:
    with ScriptedServer() as server, ScriptedServer([token("", 401)]) as identity:
        result = verify(server, image(), **keystone(identity.url))
    assert result["failed"]
    assert "getting a token" in result["msg"]
    assert SECRET not in json.dumps(result)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"auth": {"auth_url": "http://k", "passwort": "x"}}, "reading how to log in"),
        ({"auth": {"auth_url": "http://k"}, "auth_type": "magic"}, "reading how to log in"),
        ({"reader_url": "localhost:9393"}, "reader_url: 'localhost:9393' is not"),
        ({"transfers": 0}, "transfers: 0 is less than 1"),
        ({"images": [{"name": "x"}]}, "each of them needs an id"),
    ],
)
def test_bad_parameters(verify: Verify, options: dict[str, t.Any], message: str) -> None:
    with ScriptedServer() as server:
        result = verify(server, image(), **options)
    assert result["failed"]
    assert message in result["msg"]


def test_tells_how_far_it_is(verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[t.Any, ...]] = []
    monkeypatch.setattr(_switch_verify.ProgressFile, "begin", lambda self, *what: told.append(what))
    monkeypatch.setattr(_switch_verify.ProgressFile, "advance", lambda self, *done: told.append(done))
    with ScriptedServer([file_of(1), file_of(2)]) as server:
        verify(server, image(1), image(2), progress_file=str(tmp_path / "progress"))
    assert told[0] == ("verified", 2 * len(DATA), 2)
    assert told[-1] == (2 * len(DATA), 2)


def test_files_are_read_themselves(verify: Verify, node: Node, tmp_path: Path) -> None:
    store = tmp_path / "images"
    store.mkdir()
    node.multi("other", local=("file", f"filesystem_store_datadir = {store}"), other=("rbd", "rbd_store_pool = p"))
    here = node.image("here", (f"file://{store}/{{id}}", "local"), ("rbd://f/p/{id}/snap", "other"))
    gone = node.image("gone", (f"file://{store}/{{id}}", "local"))
    elsewhere = node.image("elsewhere", ("rbd://f/p/{id}/snap", "other"))
    (store / here).write_bytes(DATA)
    with ScriptedServer([Exchange("GET", f"/v2/images/{elsewhere}/file", 200, DATA)]) as server:
        images = [image(id=one) for one in (here, gone, elsewhere)]
        result = verify(server, *images, files_of="local", user="nobody-at-all")
    assert [(line["proof"], line["state"]) for line in result["results"]] == [
        ("file", "done"), ("file", "failed"), ("reader", "done")
    ]  # fmt: skip
    assert f"{store}/{gone} cannot be read by nobody-at-all: No such file" in result["failures"][0]["reason"]


def test_a_store_that_the_node_has_not(verify: Verify, node: Node) -> None:
    node.multi(local=("file", "filesystem_store_datadir = /srv"))
    with ScriptedServer() as server:
        result = verify(server, image(), files_of="lokal")
    assert "the node's Glance has the stores local" in result["msg"]
