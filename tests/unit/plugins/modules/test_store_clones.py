# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_clones: its real main() against a configuration, and a Ceph that is played."""

from __future__ import annotations

import contextlib
import threading
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _backend_listing, _switch_clones
from ansible_collections.openstack_ops.glance.plugins.modules import store_clones as module

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

CONFIGURATION = """
[DEFAULT]
enabled_backends = fast:rbd, slow:file
[glance_store]
default_backend = fast
[fast]
rbd_store_pool = pictures
[slow]
filesystem_store_datadir = /srv/images
"""
SINGLE = "[glance_store]\nstores = file,rbd\ndefault_store = rbd\n"


def image_id(number: int) -> str:
    """Return an id."""
    return f"00000000-0000-4000-8000-{number:012d}"


ONE, TWO, THREE = map(image_id, range(1, 4))


def child(name: str, pool: str = "volumes", namespace: str = "", *, trash: bool = False) -> dict[str, t.Any]:
    """Return a clone as librbd tells of it."""
    return {"pool": pool, "pool_namespace": namespace, "image": name, "id": "1067db4c9f46", "trash": trash}


class Ceph:
    """A pool whose images are names, with the clones of the snapshot of each, or what looking at them raises."""

    def __init__(self) -> None:
        self.images: dict[str, t.Any] = {}
        self.Error = type("Error", (Exception,), {})
        self.ImageNotFound = type("ImageNotFound", (self.Error,), {})
        self.PermissionError = type("PermissionError", (self.Error,), {})
        self.opened: list[dict[str, t.Any]] = []
        self.patience: list[float] = []
        self.clock = 0.0
        self.seconds = 0.0
        """How long it takes to open an image."""
        self.is_old = False

    @contextlib.contextmanager
    def pool(self, store: t.Any, timeout: float) -> t.Iterator[tuple[t.Any, t.Any, str]]:
        self.patience.append(timeout)
        yield self, self, "f51d"

    def RBD(self) -> Ceph:  # noqa: N802
        return self

    def list(self, pool: t.Any) -> list[str]:
        return list(self.images)

    @contextlib.contextmanager
    def Image(self, pool: t.Any, name: str, **how: t.Any) -> t.Iterator[t.Any]:  # noqa: N802
        self.opened.append(how)
        self.clock += self.seconds
        found = self.images[name]
        if isinstance(found, Exception):
            raise found
        if self.is_old:
            yield types.SimpleNamespace(list_children=lambda: [(each["pool"], each["image"]) for each in found])
        else:
            yield types.SimpleNamespace(list_children2=lambda: iter(found))


@pytest.fixture
def ceph(monkeypatch: pytest.MonkeyPatch) -> Ceph:
    ceph = Ceph()
    monkeypatch.setattr(_backend_listing, "rbd_pool", ceph.pool)
    return ceph


@pytest.fixture
def look(tmp_path: Path, run_module: RunModule) -> t.Callable[..., dict[str, t.Any]]:
    """Return what runs the module on a node."""

    def run(configuration: str = CONFIGURATION, **options: t.Any) -> dict[str, t.Any]:
        file = tmp_path / "glance-api.conf"
        file.write_text(configuration, encoding="utf-8")
        return run_module(module, {"store": "fast", "config_file": str(file), **options}, check=True)

    return run


Look = t.Callable[..., dict[str, t.Any]]


def test_clones_are_named(ceph: Ceph, look: Look) -> None:
    ceph.images = {
        ONE: [child("volume-2"), child("volume-1")],
        TWO: [],
        THREE: [child("a", "vms", "tenant"), child("b", trash=True)],
        "volume-of-cinder": [child("c")],
        f"{ONE}_disk": [child("c")],
    }
    result = look()
    assert (result["changed"], result["pool"], result["unknown"], result["unseen"]) == (False, "pictures", [], "")
    assert result["clones"] == {
        ONE: ["volumes/volume-1", "volumes/volume-2"],
        THREE: ["vms/tenant/a", "volumes/b (in the trash)"],
    }
    assert set(result["in_use"]) == {ONE, THREE}
    assert f"`rbd children pictures/{ONE}@snap`, `rbd flatten volumes/volume-1`" in result["in_use"][ONE]
    assert result["table"][:2] == ["2 images in fast have clones:", f"  {ONE}: volumes/volume-1, volumes/volume-2"]
    assert result["event"] == {
        "event": "clones",
        "images": [
            {"image_id": ONE, "clones": 2, "first": ["volumes/volume-1", "volumes/volume-2"]},
            {"image_id": THREE, "clones": 2, "first": ["vms/tenant/a", "volumes/b (in the trash)"]},
        ],
        "notes": [],
    }
    # Glance could not delete what is open for writing.
    assert ceph.opened == [{"snapshot": "snap", "read_only": True}] * 3


def test_no_clones(ceph: Ceph, look: Look) -> None:
    ceph.images = {ONE: []}
    result = look()
    assert (result["clones"], result["in_use"], result["table"], result["notes"]) == ({}, {}, [], [])
    assert result["event"] == {"event": "clones", "images": [], "notes": []}


def test_librbd_before_nautilus(ceph: Ceph, look: Look) -> None:
    ceph.is_old = True
    ceph.images = {ONE: [child("volume-1")]}
    assert look()["clones"] == {ONE: ["volumes/volume-1"]}


def test_what_is_denied_is_unknown_and_not_deleted(ceph: Ceph, look: Look) -> None:
    ceph.images = {ONE: ceph.PermissionError("[errno 1] RBD permission error"), TWO: [child("a")], THREE: []}
    result = look()
    assert (list(result["clones"]), result["unknown"]) == ([TWO], [ONE])
    assert set(result["in_use"]) == {ONE, TWO}
    assert f"not known: {_switch_clones.DENIED}; look with `rbd children pictures/{ONE}@snap`" in result["in_use"][ONE]
    assert result["notes"] == [
        f"Whether 1 image in fast has clones is not known: {_switch_clones.DENIED} ({ONE})."
    ]  # fmt: skip
    assert f"  {ONE}" in result["table"]
    assert {image["image_id"]: image["clones"] for image in result["event"]["images"]} == {TWO: 1, ONE: None}


def test_image_without_a_snapshot_is_unknown_and_hinders_nothing(ceph: Ceph, look: Look) -> None:
    ceph.images = {ONE: ceph.ImageNotFound("no snapshot")}
    result = look()
    assert (result["clones"], result["unknown"], result["in_use"]) == ({}, [ONE], {})
    assert _switch_clones.NO_SNAPSHOT in result["notes"][0]
    assert not any("What to do" in line for line in result["table"])


def test_other_errors_are_told_without_passwords(ceph: Ceph, look: Look) -> None:
    ceph.images = {ONE: ceph.Error("[errno 110] rbd://glance:s3cret@pool\n timed out.")}
    result = look()
    assert result["unknown"] == [ONE]
    assert "[errno 110] rbd://glance:VALUE_HIDDEN@pool timed out;" in result["in_use"][ONE]


def test_time_that_is_over(ceph: Ceph, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_switch_clones, "AT_ONCE", 1)
    monkeypatch.setattr(_switch_clones, "time", types.SimpleNamespace(monotonic=lambda: ceph.clock))
    ceph.seconds = 6.0
    ceph.images = {ONE: [child("a")], TWO: [child("b")], THREE: []}
    result = look(timeout=20)
    assert (list(result["clones"]), result["unknown"]) == ([ONE, TWO], [THREE])
    assert _switch_clones.TOO_LATE in result["in_use"][THREE]
    assert ceph.patience == [10]


def test_several_images_at_once(ceph: Ceph, look: Look) -> None:
    barrier = threading.Barrier(_switch_clones.AT_ONCE, timeout=20)

    class Children(list[t.Any]):
        def __iter__(self) -> t.Iterator[t.Any]:
            barrier.wait()
            return super().__iter__()

    ceph.images = {image_id(number): Children([child("a")]) for number in range(_switch_clones.AT_ONCE)}
    assert len(look()["clones"]) == _switch_clones.AT_ONCE


def test_pool_that_cannot_be_opened_is_no_failure(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(store: t.Any, timeout: float) -> t.Any:
        raise OSError(110, "error connecting to the cluster")

    monkeypatch.setattr(_backend_listing, "rbd_pool", broken)
    result = look()
    assert not result.get("failed")
    assert (result["clones"], result["in_use"]) == ({}, {})
    assert "error connecting to the cluster" in result["unseen"]
    assert result["notes"] == result["table"] == result["event"]["notes"]
    assert "Whether images in fast have clones is not known: " in result["notes"][0]


def test_long_lists_are_cut(ceph: Ceph, look: Look) -> None:
    ceph.images = {image_id(number): [child(f"volume-{each}") for each in range(5)] for number in range(60)}
    denied = {image_id(number): ceph.PermissionError() for number in range(60, 1300)}
    ceph.images.update(denied)
    result = look()
    assert len(result["clones"]) == 60
    assert result["table"][1].endswith(": volumes/volume-0, volumes/volume-1, volumes/volume-2 and 2 more")
    assert "  and 10 images more" in result["table"]
    assert "  and 1,190 images more" in result["table"]
    assert len(result["table"]) == 105
    assert result["notes"][0].endswith(f"({image_id(60)}, {image_id(61)}, {image_id(62)} and 1,237 more).")
    assert {len(image["first"]) for image in result["event"]["images"]} == {3, 0}


def test_single_store_form(ceph: Ceph, look: Look) -> None:
    ceph.images = {ONE: [child("a")]}
    result = look(SINGLE, store="rbd")
    assert (result["pool"], list(result["clones"])) == ("images", [ONE])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"store": "slow"}, "'slow': the node's Glance has the stores fast (rbd), slow (file). What to do: give store"),
        ({"store": "fsat"}, "'fsat': the node's Glance has the stores fast (rbd), slow (file)"),
        ({"timeout": 0}, "timeout: 0 is less than 1"),
        ({"config_file": "/nowhere"}, "the node's Glance has no store"),
    ],
)
def test_bad_parameters(ceph: Ceph, look: Look, options: dict[str, t.Any], message: str) -> None:
    result = look(**options)
    assert result["failed"]
    assert message in result["msg"]
