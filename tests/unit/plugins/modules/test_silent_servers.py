# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A Keystone or a Glance that takes the connection and never answers fails a module, and holds it up no longer."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
import typing as t
from pathlib import Path
from types import ModuleType

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_api, _image_upload, _openstack
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_api import SwitchApi
from ansible_collections.openstack_ops.glance.plugins.modules import (
    image,
    image_catalog,
    image_info,
    metadef_namespace,
    registry_endpoint,
    store_tag,
)
from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import FakeCloud, Request

PATIENCE = 0.3
LONGEST = 20.0
"""Seconds after which a silent server gives up, so that a module that would wait for ever fails its test."""

ACTIVE = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture(autouse=True)
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the default be short, and keep the cache of the checksums apart."""
    monkeypatch.setattr(_openstack, "API_TIMEOUT", PATIENCE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def cloud() -> t.Iterator[FakeCloud]:
    """Return a running cloud."""
    with FakeCloud() as running:
        yield running


@pytest.fixture
def silence(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[[str], None]]:
    """Return a function that lets Glance answer no more to requests of one method."""
    end, real = threading.Event(), cloud.answer

    def begin(method: str) -> None:
        def answer(request: Request) -> tuple[int, t.Any]:
            if request.method == method and request.path.startswith("/image"):
                end.wait(LONGEST)
            return real(request)

        monkeypatch.setattr(cloud, "answer", answer)

    yield begin
    end.set()


@contextlib.contextmanager
def silent_server() -> t.Iterator[str]:
    """Give the URL of a server that takes every connection and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        give_up = threading.Timer(LONGEST, listening.close)
        give_up.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            give_up.cancel()


@contextlib.contextmanager
def bounded() -> t.Iterator[None]:
    """Fail when what is inside takes as long as the silence does."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < LONGEST / 2


@pytest.mark.parametrize(
    ("module", "options"),
    [
        (image, {"name": "disk", "state": "absent"}),
        (image_catalog, {"images": [{"name": "disk", "state": "absent"}]}),
        (image_info, {}),
        (metadef_namespace, {"name": "ours", "state": "absent"}),
        (registry_endpoint, {}),
        (store_tag, {"endpoint": "http://127.0.0.1:9"}),
    ],
    ids=lambda value: value.__name__.rpartition(".")[2] if isinstance(value, ModuleType) else "",
)
def test_a_keystone_that_is_silent(
    run_module: RunModule, cloud: FakeCloud, module: ModuleType, options: dict[str, t.Any]
) -> None:
    with silent_server() as url, bounded():
        result = run_module(module, {"auth": {**cloud.auth["auth"], "auth_url": f"{url}/v3"}, **options})
    assert "/v3/auth/tokens timed out. Usual cause: a service that hangs" in result["msg"]
    assert "raise the time-out when the service is only slow" in result["msg"]


@pytest.mark.parametrize(
    ("method", "module", "options", "doing"),
    [
        ("GET", image_info, {}, "listing the images"),
        ("GET", image_catalog, {"images": [{"name": "disk", "tags": ["a"]}]}, "listing the images"),
        ("GET", metadef_namespace, {"name": "ours", "state": "absent"}, "reading the namespace"),
        ("PATCH", image, {"name": "disk", "tags": ["a"]}, "changing the image"),
        ("POST", image, {"name": "disk", "deactivated": True}, "asking to deactivate the image"),
        ("POST", image, {"name": "disk", "stores": ["b"]}, "importing the image"),
        ("DELETE", image, {"name": "disk", "state": "absent"}, "deleting the image"),
    ],
)
def test_a_glance_that_is_silent(
    run_module: RunModule,
    cloud: FakeCloud,
    silence: t.Callable[[str], None],
    method: str,
    module: ModuleType,
    options: dict[str, t.Any],
    doing: str,
) -> None:
    cloud.stores = ["a", "b"]
    cloud.add("disk", b"data", **ACTIVE)
    silence(method)
    with bounded():
        result = run_module(module, {**cloud.auth, **options})
    assert result["failed"]
    assert doing in result["msg"]
    assert "timed out" in result["msg"]


def test_a_deletion_may_take_as_long_as_the_image_is_large(
    run_module: RunModule, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_image_api, "SLOWEST_DELETE", 10)
    cloud.add("disk", b"x" * 100, **ACTIVE)
    real = cloud.answer

    def answer(request: Request) -> tuple[int, t.Any]:
        if request.method == "DELETE":
            time.sleep(3 * PATIENCE)
        return real(request)

    monkeypatch.setattr(cloud, "answer", answer)
    assert run_module(image, {**cloud.auth, "name": "disk", "state": "absent"})["changed"]
    assert cloud.sent("DELETE") == ["DELETE /image/v2/images/ID"]


def test_the_deletion_of_a_copy_may_take_as_long_as_the_image_is_large(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_image_api, "SLOWEST_DELETE", 10)

    def answer(request: Request, real: t.Any = cloud.answer) -> tuple[int, t.Any]:
        if request.method != "DELETE":
            answered: tuple[int, t.Any] = real(request)
            return answered
        time.sleep(3 * PATIENCE)
        return 204, None

    monkeypatch.setattr(cloud, "answer", answer)
    SwitchApi(_openstack.connect(cloud.auth)).delete_location("old", "ID", 100)
    assert cloud.sent("DELETE") == ["DELETE /image/v2/stores/old/ID"]


@pytest.mark.parametrize(
    ("silent", "said"),
    [("", "was left with its 600 bytes and could not be deleted ("), ("GET", "and may be left in Glance")],
)
def test_what_an_upload_leaves_that_cannot_be_undone(
    run_module: RunModule,
    cloud: FakeCloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    silent: str,
    said: str,
) -> None:
    (tmp_path / "disk").write_bytes(b"x" * 600)
    cloud.damages_data = True
    cloud.answers["DELETE"] = (500, "broken")
    real = cloud.answer

    def answer(request: Request) -> tuple[int, t.Any]:
        # The same GET is what tells that the upload has ended.
        deleted = any(each.method == "DELETE" for each in cloud.requests)
        return (503, "") if deleted and request.method == silent else real(request)

    monkeypatch.setattr(cloud, "answer", answer)
    message = run_module(image, {**cloud.auth, "name": "disk", "source": str(tmp_path / "disk")})["msg"]
    assert said in message
    assert "without data" not in message


def test_who_is_stopped_does_not_wait_for_more_answers(run_module: RunModule, cloud: FakeCloud, tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(32 * 1024 * 1024))
    cloud.answers["DELETE"] = (500, "broken")
    sent: list[int] = []

    def stop(received: int) -> None:
        if not sent:
            sent.append(received)
            os.kill(os.getpid(), signal.SIGTERM)

    cloud.during_upload = stop
    message = run_module(image, {**cloud.auth, "name": "disk", "source": str(tmp_path / "disk")})["msg"]
    assert "stopped by SIGTERM" in message
    assert "and may be left in Glance" in message
    assert cloud.requests[-1].method == "DELETE"


def test_an_undoing_takes_as_long_as_the_image_is_large(
    run_module: RunModule, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_image_api, "SLOWEST_DELETE", 100)
    monkeypatch.setattr(_image_upload, "SECONDS_TO_CLEAN_UP", PATIENCE)
    (tmp_path / "disk").write_bytes(b"x" * 600)
    cloud.damages_data = True
    real = cloud.answer

    def answer(request: Request) -> tuple[int, t.Any]:
        if request.method == "DELETE":
            time.sleep(3 * PATIENCE)
        return real(request)

    monkeypatch.setattr(cloud, "answer", answer)
    message = run_module(image, {**cloud.auth, "name": "disk", "source": str(tmp_path / "disk")})["msg"]
    assert "nothing of it was left in Glance" in message
    assert cloud.sent("DELETE") == ["DELETE /image/v2/images/ID"]
