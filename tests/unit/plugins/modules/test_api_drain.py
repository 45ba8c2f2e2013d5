# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module api_drain: its real main() with a real health check, and a node whose clock and connections are played."""

from __future__ import annotations

import http.server
import stat
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _drain, _glance_process
from ansible_collections.openstack_ops.glance.plugins.module_utils._connections import Connection
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import read
from ansible_collections.openstack_ops.glance.plugins.modules import api_drain as module

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node import Node

pytest_plugins = (
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node",
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb",
)

PASTE = """
[pipeline:glance-api-keystone]
pipeline = healthcheck context rootapp

[filter:healthcheck]
paste.filter_factory = oslo_middleware:Healthcheck.factory
backends = disable_by_file
disable_by_file_path = {path}
"""
IDLE = Connection("192.0.2.1:1", 0, 0, sent=500, received=300, since_sent=900, since_received=910)


class Played:
    """A node on which something goes on for some seconds of a clock that only ``sleep`` moves."""

    def __init__(self) -> None:
        self.clock = 1000.0
        self.upload_ends = 0.0
        self.import_ends = 0.0
        self.runs = True
        self.received = 0

    def connections(self) -> dict[str, Connection]:
        found = {"idle": IDLE}
        if self.clock < self.upload_ends:
            self.received += 10**6
            uploading = Connection("192.0.2.9:5", 0, 0, 0, self.received, since_sent=9000, since_received=0)
            found[uploading.peer] = uploading
        return found

    def imports(self) -> dict[str, str]:
        return {"task": "of the image 42"} if self.clock < self.import_ends else {}

    def serves(self) -> bool:
        return self.runs

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds


class Drain:
    """Runs the module on the node."""

    def __init__(self, run_module: RunModule, directory: Path, url: str) -> None:
        self._run = run_module
        self.disable = directory / "healthcheck_disable"
        self.node = Played()
        self.config_file = directory / "glance-api.conf"
        self.config_file.write_text("[DEFAULT]\nbind_port = 9292\n")
        self.paste = directory / "glance-api-paste.ini"
        self.paste.write_text(PASTE.format(path=self.disable))
        self.url = url

    def __call__(self, state: str = "drained", *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        defaults = {"config_file": str(self.config_file), "url": self.url, "state": state}
        return self._run(module, {**defaults, **options}, check=check)


@pytest.fixture
def drain(run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Drain]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            disabled = (tmp_path / "healthcheck_disable").exists()
            self.send_response(503 if disabled else 200)
            self.end_headers()
            self.wfile.write(b"DISABLED BY FILE" if disabled else b"OK")

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    drain = Drain(run_module, tmp_path, f"http://127.0.0.1:{server.server_port}")
    run = _drain.run
    monkeypatch.setattr(_drain, "run", lambda *arguments: run(*arguments, drain.node))
    yield drain
    server.shutdown()
    server.server_close()


def test_an_idle_node(drain: Drain) -> None:
    result = drain(grace=15, quiet=10)
    assert (result["changed"], result["file"], result["waited_for"]) == (True, str(drain.disable), [])
    assert stat.S_IMODE(drain.disable.stat().st_mode) == 0o644
    assert 25 <= result["seconds"] <= 26
    again = drain(grace=15, quiet=10)
    assert again["changed"] is False
    assert 10 <= again["seconds"] <= 11


def test_waits_for_an_upload_and_an_import(drain: Drain) -> None:
    drain.node.upload_ends = drain.node.clock + 120
    drain.node.import_ends = drain.node.clock + 200
    result = drain(grace=0, quiet=10)
    assert 209 <= result["seconds"] <= 220
    assert {(work["kind"], work["what"]) for work in result["waited_for"]} == {
        ("upload", "from 192.0.2.9:5"), ("import", "of the image 42")
    }  # fmt: skip


def test_names_what_does_not_end(drain: Drain) -> None:
    drain.node.upload_ends = drain.node.import_ends = drain.node.clock + 10**6
    result = drain(grace=0, timeout=60)
    assert result["failed"]
    assert "upload from 192.0.2.9:5, for 60 s" in result["msg"]
    assert "import of the image 42, for 60 s" in result["msg"]
    assert "state: active" in result["msg"]
    assert drain.disable.exists()


def test_puts_it_back(drain: Drain) -> None:
    drain.disable.touch()
    assert drain("active", check=True)["changed"] is True
    assert drain.disable.exists()
    result = drain("active")
    assert (result["changed"], result["seconds"]) == (True, 0.0)
    assert not drain.disable.exists()
    assert drain("active")["changed"] is False


def test_check_mode(drain: Drain) -> None:
    drain.node.upload_ends = drain.node.clock + 10**6
    result = drain(check=True)
    assert result["changed"] is True
    assert result["diff"]["after"] == {str(drain.disable): "present"}
    assert not drain.disable.exists()


def test_a_health_check_that_looks_elsewhere(drain: Drain, tmp_path: Path) -> None:
    result = drain(disable_file=str(tmp_path / "other"))
    assert "says that the node is out of service" in result["msg"]
    assert "HTTP 200 OK" in result["msg"]


def test_a_glance_that_does_not_run(drain: Drain) -> None:
    drain.node.runs = False
    assert drain(url="http://127.0.0.1:1")["changed"] is True
    drain.node.runs = True
    assert "out of service" in drain(url="http://127.0.0.1:1")["msg"]


def test_the_paste_file_that_the_configuration_names(drain: Drain, tmp_path: Path) -> None:
    elsewhere = drain.paste.rename(tmp_path / "of-an-environment.ini")
    assert "give paste_file or disable_file" in drain()["msg"]
    drain.config_file.write_text(f"[DEFAULT]\nbind_port = 9292\n[paste_deploy]\nconfig_file = {elsewhere}\n")
    assert drain()["file"] == str(drain.disable)


@pytest.mark.parametrize(
    ("paste", "message"),
    [
        ("", "has no disable_by_file_path"),
        (PASTE.replace("disable_by_file\n", "disable_by_files_ports\n"), "has no disable_by_file_path"),
        ("no section", "give paste_file or disable_file"),
    ],
)
def test_a_health_check_without_a_file(drain: Drain, paste: str, message: str) -> None:
    drain.paste.write_text(paste)
    assert message in drain()["msg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grace": -1}, "grace: -1"),
        ({"url": "localhost"}, "url: 'localhost'"),
        ({"config_file": "/nowhere/glance-api.conf"}, "does not exist on this node"),
    ],
)
def test_bad_parameters(drain: Drain, options: dict[str, t.Any], message: str) -> None:
    assert message in drain(**options)["msg"]


@pytest.mark.parametrize(
    ("status", "started", "staged", "expected"),
    [
        ("processing", 1700000000.0, True, True),
        ("processing", 1700000000.0, False, False),
        ("processing", None, True, False),
        ("processing", 1893456000.0, True, False),
        ("failure", 1700000000.0, True, False),
    ],
)
def test_imports_of_this_node(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    status: str, started: t.Optional[float], staged: bool, expected: bool,
) -> None:  # fmt: skip
    staging = tmp_path / "staging"
    staging.mkdir()
    node.multi(local=("file", "filesystem_store_datadir = /srv"))
    text = node.config_file.read_text()
    node.config_file.write_text(f"{text}\n[os_glance_staging_store]\nfilesystem_store_datadir = {staging}\n")
    identity = node.image("some", "file:///srv/{id}")
    node.lock(identity, "a-task", status)
    if staged:
        (staging / identity).touch()
    monkeypatch.setattr(_glance_process, "workers_started", lambda unit, main: started)
    local = _drain.Local(lambda arguments: (0, "MainPID=1\n", ""), read(str(node.config_file)), 1, "glance-api.service")
    assert local.imports() == ({"a-task": f"of the image {identity}"} if expected else {})
    assert local.serves() is (started is not None)
    assert abs(local.now() - time.monotonic()) < 1
