# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_unlock: its real main() against a real database and files, and a Ceph that is played."""

from __future__ import annotations

import contextlib
import os
import time
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _backend_listing,
    _glance_process,
    _switch_residue,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._backend_listing import Entry
from ansible_collections.openstack_ops.glance.plugins.modules import store_unlock as module

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node import Node

pytest_plugins = (
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node",
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb",
)

BEFORE = 1700000000.0
"""Older than all tasks, which are made at the beginning of 2026."""
TASK = "7a1b2c3d-6a0c-4c5f-9a3f-5b2a6c1d7e8f"
FSID = "1d9a2f4e-0c5b-4d38-9a77-52b1c8e6f3a1"
RECENTLY = "UTC_TIMESTAMP() - INTERVAL 30 SECOND"
LATELY = "UTC_TIMESTAMP() - INTERVAL 10 MINUTE"
LONG_AGO = "UTC_TIMESTAMP() - INTERVAL 3 HOUR"


class Cloud:
    """A node with the stores old (file), new (file) and fast (rbd), and what its controllers know."""

    def __init__(self, node: Node, directory: Path, run_module: RunModule) -> None:
        self.node = node
        self._run = run_module
        self.staging, self.old, self.new = (directory / name for name in ("staging", "old", "new"))
        for path in (self.staging, self.old, self.new):
            path.mkdir()
        self.started: t.Optional[float] = time.time()
        self.other: dict[str, t.Any] = {}
        self.ran_on: dict[str, str] = {}
        self.configure()
        node.server.execute("GRANT UPDATE ON glance.tasks TO glance@'%'")

    def configure(self, more: str = "") -> None:
        """Write the configuration."""
        self.node.multi(
            "old",
            old=("file", f"filesystem_store_datadir = {self.old}"),
            new=("file", f"filesystem_store_datadir = {self.new}"),
            fast=("rbd", "rbd_store_pool = images\nrbd_store_ceph_conf = /nowhere"),
            again=("rbd", f"rbd_store_pool = images\nrbd_store_ceph_conf = {self.old.parent}/ceph.conf"),
            objects=("s3", "s3_store_bucket = glance\ns3_store_host = s3"),
        )
        text = self.node.config_file.read_text()
        staging = f"[os_glance_staging_store]\nfilesystem_store_datadir = {self.staging}\n"
        self.node.config_file.write_text(f"{staging}{more}{text}")

    def image(self, *locations: t.Union[str, tuple[str, str]], **more: t.Any) -> str:
        """Add an image in the old store."""
        identity = self.node.image("some", *(locations or ((f"file://{self.old}/{{id}}", "old"),)), **more)
        (self.old / identity).write_bytes(b"data")
        return identity

    def left(self, identity: str, *places: Path) -> None:
        """Have something left of a copy."""
        for place in places:
            (place / identity).write_bytes(b"half")

    def __call__(self, state: str = "unlocked", *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        controllers = {"c1": {"workers_started": None, "working_on": [], "staged": []}, **self.other}
        arguments = {
            "config_file": str(self.node.config_file),
            "state": state,
            "target": "new",
            "controller": "c1",
            "controllers": controllers,
            "ran_on": self.ran_on,
            **options,
        }
        return self._run(module, arguments, check=check)

    def age(self, task: str = TASK) -> int:
        """Return how many minutes ago Glance thinks that a task was changed."""
        rows = self.node.server.execute(
            "USE glance", f"SELECT TIMESTAMPDIFF(MINUTE, updated_at, UTC_TIMESTAMP()) FROM tasks WHERE id = '{task}'"
        )
        return int(rows[0][0])


@pytest.fixture
def cloud(node: Node, tmp_path: Path, run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    cloud = Cloud(node, tmp_path, run_module)
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text("#!/bin/sh\necho MainPID=4711\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(systemctl.parent), prepend=":")
    monkeypatch.setattr(_glance_process, "workers_started", lambda unit, main: cloud.started)
    return cloud


def test_a_dead_copy(cloud: Cloud) -> None:
    identity = cloud.image()
    cloud.node.lock(identity, TASK, "processing", RECENTLY)
    cloud.left(identity, cloud.staging, cloud.new)
    result = cloud()
    assert result["changed"] is True
    assert result["aged"] == [identity]
    assert [item["what"] for item in result["removed"]] == [
        str(cloud.staging / identity), str(cloud.new / identity)
    ]  # fmt: skip
    (line,) = result["results"]
    assert line == {
        "event": "unlock", "image_id": identity, "task_id": TASK, "controller": "c1", "aged": True,
        "removed": [item["what"] for item in result["removed"]],
    }  # fmt: skip
    assert 61 <= cloud.age() <= 62
    assert not (cloud.staging / identity).exists()
    assert not (cloud.new / identity).exists()
    assert (cloud.old / identity).read_bytes() == b"data"
    again = cloud()
    assert (again["changed"], again["aged"], again["removed"]) == (False, [], [])
    assert cloud.age() <= 62


@pytest.mark.parametrize("how", ["check mode", "observed"])
def test_changes_nothing_when_it_shall_not(cloud: Cloud, how: str) -> None:
    identity = cloud.image()
    cloud.node.lock(identity, TASK, "processing", RECENTLY)
    cloud.left(identity, cloud.staging, cloud.new)
    result = cloud(check=True) if how == "check mode" else cloud("observed")
    assert result["changed"] is (how == "check mode")
    assert (result["aged"], len(result["removed"])) == ([identity], 2)
    assert cloud.age() == 0
    assert (cloud.staging / identity).exists()
    assert (cloud.new / identity).exists()


@pytest.mark.parametrize(
    ("status", "updated", "minutes"),
    [
        ("processing", RECENTLY, 61),
        ("pending", RECENTLY, 121),
        ("failure", RECENTLY, 61),
        ("processing", LONG_AGO, 180),
    ],
)
def test_ages_as_much_as_glance_waits(cloud: Cloud, status: str, updated: str, minutes: int) -> None:
    cloud.node.lock(cloud.image(), TASK, status, updated)
    cloud()
    assert minutes <= cloud.age() <= minutes + 1


def state_of(result: dict[str, t.Any]) -> str:
    return str(result["locks"][0]["state"])


@pytest.mark.parametrize(
    ("own", "other", "status", "updated", "expected"),
    [
        pytest.param(None, None, "processing", RECENTLY, "dead", id="nothing runs anywhere"),
        pytest.param(BEFORE, None, "processing", RECENTLY, "unsure", id="this node may work on it"),
        pytest.param(None, BEFORE, "processing", RECENTLY, "unsure", id="the other node may work on it"),
        pytest.param(
            None, BEFORE, "processing", LATELY, "dead", id="the other node has nothing open, and it is silent"
        ),
        pytest.param(BEFORE, None, "processing", LATELY, "dead", id="this node has nothing open, and it is silent"),
        pytest.param(BEFORE, None, "success", RECENTLY, "unsure", id="it has just ended"),
        pytest.param(BEFORE, None, "success", LATELY, "dead", id="it ended"),
        pytest.param(BEFORE, BEFORE, "", RECENTLY, "dead", id="the task is gone"),
    ],
)
def test_who_is_dead(
    cloud: Cloud, own: t.Optional[float], other: t.Optional[float], status: str, updated: str, expected: str
) -> None:
    identity = cloud.image()
    cloud.node.lock(identity, TASK, status, updated)
    cloud.left(identity, cloud.new)
    cloud.started = own
    cloud.other = {"c2": {"workers_started": other, "working_on": [], "staged": []}}
    result = cloud()
    assert state_of(result) == expected
    assert (cloud.new / identity).exists() is (expected != "dead")
    assert bool(result["removed"]) is (expected == "dead")


@pytest.mark.parametrize(("updated", "expected"), [(RECENTLY, "unsure"), (LATELY, "dead")])
def test_something_staged_that_nobody_has_open(cloud: Cloud, updated: str, expected: str) -> None:
    identity = cloud.image()
    cloud.node.lock(identity, TASK, "processing", updated)
    cloud.other = {"c2": {"workers_started": BEFORE, "working_on": [], "staged": [identity]}}
    assert state_of(cloud()) == expected
    assert (cloud.age() > 60) is (expected == "dead")


@pytest.mark.parametrize("asked", ["c2", "gone"])
@pytest.mark.parametrize(
    ("ahead", "working", "expected"),
    [
        pytest.param(RECENTLY, False, "unsure", id="one ahead was heard of"),
        pytest.param(LATELY, True, "unsure", id="one ahead is written"),
        pytest.param(LATELY, False, "dead", id="one ahead is dead itself"),
    ],
)
def test_what_waits_for_its_turn_is_alive(cloud: Cloud, asked: str, ahead: str, working: bool, expected: str) -> None:
    first, second = cloud.image(), cloud.image()
    cloud.node.lock(first, "11111111-6a0c-4c5f-9a3f-5b2a6c1d7e8f", "processing", ahead)
    cloud.node.lock(second, TASK, "pending", LATELY)
    working_on = [first] if working else []
    cloud.other = {"c2": {"workers_started": BEFORE, "working_on": working_on, "staged": [first]}}
    cloud.ran_on = {TASK: asked}
    states = {lock["image_id"]: lock["state"] for lock in cloud("observed", controllers=None)["locks"]}
    assert states == dict.fromkeys((first, second), "dead")
    states = {lock["image_id"]: lock["state"] for lock in cloud()["locks"]}
    assert states[second] == expected


@pytest.mark.parametrize(("updated", "late"), [(RECENTLY, "unsure"), (LATELY, "dead")])
@pytest.mark.parametrize(("controller", "is_asked"), [("c1", False), ("c2", True), ("gone", True)])
def test_the_controller_that_was_asked(cloud: Cloud, controller: str, is_asked: bool, updated: str, late: str) -> None:
    cloud.node.lock(cloud.image(), TASK, "processing", updated)
    cloud.other = {"c2": {"workers_started": BEFORE, "working_on": [], "staged": []}}
    cloud.ran_on = {TASK: controller}
    assert state_of(cloud()) == (late if is_asked else "dead")


def test_a_copy_that_lives(cloud: Cloud) -> None:
    identity = cloud.image()
    cloud.node.lock(identity, TASK, "processing", LONG_AGO)
    cloud.left(identity, cloud.staging, cloud.new)
    with (cloud.staging / identity).open("ab"):
        result = cloud()
    assert state_of(result) == "alive"
    assert result["changed"] is False
    assert {item["why"] for item in result["left"]} == {
        "a process has it open", "the image is locked by an import that is alive"
    }  # fmt: skip
    assert result["evidence"]["working_on"] == [identity]
    assert result["evidence"]["staged"] == [identity]


def test_a_task_that_goes_on_is_not_aged(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = cloud.image()
    cloud.node.lock(identity, TASK, "processing", LATELY)
    cloud.left(identity, cloud.staging)
    remove = _switch_residue.remove

    def meanwhile(*arguments: t.Any) -> None:
        cloud.node.server.execute("USE glance", f"UPDATE tasks SET updated_at = UTC_TIMESTAMP() WHERE id = '{TASK}'")
        remove(*arguments)

    monkeypatch.setattr(_switch_residue, "remove", meanwhile)
    assert cloud()["aged"] == []
    assert cloud.age() == 0


def test_left_without_a_lock(cloud: Cloud) -> None:
    identity = cloud.image()
    cloud.left(identity, cloud.staging, cloud.new)
    assert len(cloud()["removed"]) == 2


def test_staged_file_of_an_image_that_was_deleted(cloud: Cloud) -> None:
    identity = cloud.image()
    cloud.left(identity, cloud.staging)
    cloud.node.server.execute("USE glance", f"UPDATE images SET deleted = 1 WHERE id = '{identity}'")
    with (cloud.staging / identity).open("ab"):
        assert [item["why"] for item in cloud()["left"]] == ["a process has it open"]
    assert [item["what"] for item in cloud()["removed"]] == [str(cloud.staging / identity)]
    assert not (cloud.staging / identity).exists()


def test_data_of_images_stays(cloud: Cloud) -> None:
    both = cloud.image((f"file://{cloud.old}/{{id}}", "old"), (f"file://{cloud.new}/{{id}}", "new"))
    queued = cloud.image(status="uploading")
    lost = cloud.image(("file:///gone/{id}", ""))
    for identity in (both, queued, lost):
        cloud.left(identity, cloud.new)
    cloud.left(queued, cloud.staging)
    (cloud.new / "11111111-0000-4000-8000-000000000000").touch()
    (cloud.new / f"{both}.tmp").touch()
    result = cloud()
    assert result["changed"] is False
    assert {(item["image_id"], item["why"].split(":")[0]) for item in result["left"]} == {
        (queued, "the image is uploading"),
        (lost, "the image has a location that is in no store of the configuration"),
    }


def test_the_same_file_on_a_file_system_that_is_mounted_twice(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = cloud.image()
    (cloud.new / identity).hardlink_to(cloud.old / identity)
    monkeypatch.setattr(os.path, "samestat", lambda one, other: False)
    assert cloud()["left"][0]["why"] == "another location of the image leads to the same file"


def test_the_same_file_by_another_name(cloud: Cloud) -> None:
    identity = cloud.image()
    (cloud.new / identity).hardlink_to(cloud.old / identity)
    result = cloud()
    assert result["left"][0]["why"] == "another location of the image leads to the same file"
    assert (cloud.new / identity).exists()


def test_encrypted_locations(cloud: Cloud) -> None:
    identity = cloud.image(("c2VjcmV0", "old"))
    cloud.left(identity, cloud.new)
    cloud.configure("[DEFAULT]\nmetadata_encryption_key = 1234567890123456\n")
    result = cloud()
    assert result["removed"] == []
    assert "encrypted" in result["left"][0]["why"]


def test_only_the_wanted_images(cloud: Cloud) -> None:
    one, other = cloud.image(), cloud.image()
    for identity in (one, other):
        cloud.left(identity, cloud.new)
    assert [item["image_id"] for item in cloud(images=[one])["removed"]] == [one]
    assert (cloud.new / other).exists()


def test_segments_are_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = cloud.image()
    listed = [Entry(f"s3://s3/glance/{identity}", f"{identity}-00001", 5)]
    monkeypatch.setitem(_backend_listing.LISTERS, "s3", lambda store, deadline: iter(listed))
    result = cloud(target="objects")
    assert (result["changed"], result["removed"]) == (False, [])
    assert result["left"][0]["why"] == "a store of the type s3 writes over it"


class Ceph:
    """A pool whose images are names, with the snapshots of each."""

    def __init__(self) -> None:
        self.images: dict[str, list[str]] = {}
        self.busy = 0
        self.Error = type("Error", (Exception,), {})
        self.ImageBusy = type("ImageBusy", (self.Error,), {})
        self.ImageNotFound = type("ImageNotFound", (self.Error,), {})

    @contextlib.contextmanager
    def pool(self, store: t.Any, timeout: float) -> t.Iterator[tuple[t.Any, t.Any, str]]:
        yield self, self, "f51d"

    def RBD(self) -> Ceph:  # noqa: N802
        return self

    def list(self, pool: t.Any) -> list[str]:
        return sorted(self.images)

    def remove(self, pool: t.Any, name: str) -> None:
        if self.busy:
            self.busy -= 1
            raise self.ImageBusy("watched")
        if self.images.pop(name):
            raise self.Error("it has snapshots")

    @contextlib.contextmanager
    def Image(self, pool: t.Any, name: str) -> t.Iterator[t.Any]:  # noqa: N802
        if name not in self.images:
            raise self.ImageNotFound(name)
        snapshots = self.images[name]
        yield types.SimpleNamespace(
            list_snaps=lambda: [{"name": snapshot} for snapshot in snapshots],
            is_protected_snap=lambda snapshot: True,
            unprotect_snap=lambda snapshot: None,
            remove_snap=snapshots.remove,
        )


@pytest.fixture
def ceph(monkeypatch: pytest.MonkeyPatch) -> Ceph:
    ceph = Ceph()
    monkeypatch.setattr(_backend_listing, "rbd_pool", ceph.pool)
    monkeypatch.setattr(_switch_residue.time, "sleep", lambda seconds: None)
    return ceph


@pytest.mark.parametrize(("snapshots", "busy"), [([], 0), (["snap"], 0), ([], 3)])
def test_a_partial_image_in_ceph(cloud: Cloud, ceph: Ceph, snapshots: list[str], busy: int) -> None:
    identity, copied = cloud.image(), cloud.image(("rbd://f51d/images/{id}/snap", "fast"))
    ceph.images = {identity: snapshots, copied: ["snap"], "volume-1": []}
    ceph.busy = busy
    result = cloud(target="fast")
    assert [item["what"] for item in result["removed"]] == [f"{identity} in the pool images of the cluster of /nowhere"]
    assert ceph.images == {copied: ["snap"], "volume-1": []}


@pytest.mark.parametrize(("cluster", "is_kept"), [(FSID, True), (FSID.replace("1", "2"), False)])
def test_an_image_in_ceph_that_another_store_has_in_the_same_pool(
    cloud: Cloud, ceph: Ceph, cluster: str, is_kept: bool
) -> None:
    (cloud.old.parent / "ceph.conf").write_text(f"[global]\nfsid = {cluster}\n")
    identity = cloud.image((f"rbd://{FSID}/images/{{id}}/snap", "fast"))
    ceph.images = {identity: []}
    result = cloud(target="again")
    assert (identity in ceph.images) is is_kept
    assert [item["why"] for item in result["left"]] == (
        ["a location of the image leads to where this is"] if is_kept else []
    )


def test_an_image_in_ceph_that_stays_open(cloud: Cloud, ceph: Ceph, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = cloud.image()
    ceph.images, ceph.busy = {identity: []}, 10**9
    monkeypatch.setattr(_switch_residue, "BUSY_SECONDS", 0)
    result = cloud(target="fast")
    assert result["removed"] == []
    assert "a client has it open" in result["left"][0]["why"]


def test_a_pool_that_cannot_be_listed(cloud: Cloud) -> None:
    identity = cloud.image()
    cloud.node.lock(identity, TASK, "processing", RECENTLY)
    result = cloud(target="fast")
    assert "the store 'fast' was not looked at" in result["notes"][0]
    assert result["aged"] == [identity]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "nwe"}, "the node's Glance has the stores old, new, fast, again, objects"),
        ({"controllers": {"c2": {"workers_started": None, "working_on": [], "staged": []}}}, "no evidence of c1"),
        ({"controllers": {"c1": {"workers_started": None}}}, "no evidence of c1"),
        ({"controllers": None}, "no evidence of c1"),
        ({"timeout": 0}, "timeout: 0"),
    ],
)
def test_bad_parameters(cloud: Cloud, options: dict[str, t.Any], message: str) -> None:
    result = cloud(**options)
    assert result["failed"]
    assert message in result["msg"]


def test_a_single_store_configuration(cloud: Cloud) -> None:
    cloud.node.configure("[glance_store]\nstores = file\n")
    assert "no several stores" in cloud()["msg"]
