# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What an operator sees of a transfer while Ansible runs: the same lines on a terminal and in a log."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.tests.unit.plugins import fake_cloud
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import FakeCloud

MIB = 1024 * 1024
SIZE = 24 * MIB
"""More than the buffers between two ends of a connection hold."""
BLOCK = 65536
PAUSE = 4 / (SIZE / BLOCK)
"""Between two blocks: a transfer takes four seconds."""

DRIVER = """
import sys
from ansible.cli.adhoc import AdHocCLI
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from ansible_collections.openstack_ops.glance.plugins.action import image
image.QUIET_SECONDS, image.SECONDS_BETWEEN_LINES = 1, 0.5
AdHocCLI.cli_executor(["ansible", *sys.argv[1:]])
"""
"""Ansible, with less patience before it speaks than an operator is believed to have."""


@pytest.fixture
def cloud() -> t.Iterator[FakeCloud]:
    """Return a running cloud."""
    with FakeCloud() as running:
        yield running


@pytest.fixture(params=["terminal", "log"])
def ansible(request: pytest.FixtureRequest, cloud: FakeCloud, tmp_path: Path) -> t.Callable[..., list[str]]:
    """Return a function that lets Ansible run a module, and gives the lines that it wrote."""

    def run(module: str, **options: t.Any) -> list[str]:
        command = [sys.executable, "-c", DRIVER, "localhost", "-i", "localhost,", "-c", "local"]
        command += ["-e", f"ansible_python_interpreter={sys.executable}"]
        command += ["-m", f"openstack_ops.glance.{module}", "-a", json.dumps({**cloud.auth, **options})]
        environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        environment["ANSIBLE_COLLECTIONS_PATH"] = _collections()
        start = _on_a_terminal if request.param == "terminal" else _in_a_log
        return [re.sub(r"\x1b\[[0-9;]*[mK]", "", line) for line in start(command, environment).splitlines()]

    return run


def _collections() -> str:
    """Return the directory in which the collection lies as Ansible looks for it."""
    found = next(parent for parent in Path(fake_cloud.__file__).parents if parent.name == "ansible_collections")
    return str(found.parent)


def _in_a_log(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False
    )
    return done.stdout


def _on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    written = b""
    environment = {**environment, "TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        try:
            while block := os.read(ours, 65536):
                written += block
        except OSError:
            # What Linux says when the last one has closed the other end.
            pass
        finally:
            os.close(ours)
        process.wait(timeout=120)
    return written.decode()


def test_a_catalogue(ansible: t.Callable[..., list[str]], cloud: FakeCloud, tmp_path: Path) -> None:
    cloud.during_upload = lambda _received: time.sleep(PAUSE)
    images = []
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * SIZE)
        images.append({"name": name, "source": str(tmp_path / name)})
    lines = ansible("image_catalog", images=images, transfers=1)
    told = [line for line in lines if line.startswith("images: ")]
    expected = re.compile(r"images: ([012]) of 2 images, (\d+) of 48 MiB moved, \d+ MiB/s(, \d+ s left)?")
    found = [match for match in map(expected.fullmatch, told) if match]
    assert len(found) == len(told), lines
    assert any(match[3] for match in found), lines
    assert {match[1] for match in found} >= {"0", "1"}, lines
    assert [int(match[2]) for match in found] == sorted(int(match[2]) for match in found)
    assert len(cloud.images) == 2


def test_an_image_that_is_saved(
    ansible: t.Callable[..., list[str]], cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytes(SIZE)
    cloud.add("disk", data, disk_format="raw", container_format="bare")

    def give(handler: fake_cloud.CloudHandler, status: int, answer: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        for start in range(0, len(answer), BLOCK):
            time.sleep(PAUSE)
            handler.wfile.write(answer[start : start + BLOCK])

    monkeypatch.setattr(fake_cloud.CloudHandler, "give", give)
    lines = ansible("image_info", name="disk", save_to=str(tmp_path / "saved"))
    told = [line for line in lines if line.startswith("image disk: ")]
    assert told, lines
    for line in told:
        assert re.fullmatch(r"image disk: \d+ of 24 MiB downloaded, \d+ MiB/s(, \d+ s left)?", line), lines
    assert any("s left" in line for line in told)
    assert (tmp_path / "saved").read_bytes() == data
