# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module image_info, from its options to what it returns and writes."""

from __future__ import annotations

import hashlib
import re
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_download, _image_info
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import BLOCK
from ansible_collections.openstack_ops.glance.plugins.modules import image_info as module
from ansible_collections.openstack_ops.glance.tests.unit.plugins import fake_cloud
from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import OTHER_PROJECT, PROJECT, FakeCloud

ACTIVE = {"disk_format": "raw", "container_format": "bare"}
DATA = b"data of a disk" * 100_000

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of the checksums apart."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def cloud() -> t.Iterator[FakeCloud]:
    """Return a running cloud."""
    with FakeCloud() as running:
        yield running


@pytest.fixture
def look(run_module: RunModule, cloud: FakeCloud) -> Run:
    """Return a function that runs the module against the cloud."""

    def call(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        cloud.requests.clear()
        return run_module(module, {**cloud.auth, **options}, check=check)

    return call


def names(result: dict[str, t.Any]) -> set[str]:
    """Return the names of the images that were returned."""
    return {image["name"] for image in result["images"]}


class TestList:
    """What is returned."""

    def test_all_pages(self, look: Run, cloud: FakeCloud) -> None:
        cloud.page_size = 2
        for name in "abcde":
            cloud.add(name, b"x" * 10, **ACTIVE)
        result = look()
        assert names(result) == set("abcde")
        assert result["size"] == 50
        assert not result["changed"]
        assert result["saved"] is None
        assert not {"direct_url", "locations", "file"} & set(result["images"][0])

    def test_hidden_ones(self, look: Run, cloud: FakeCloud) -> None:
        cloud.add("seen", b"x", **ACTIVE)
        cloud.add("unseen", b"x", **ACTIVE, os_hidden=True)
        assert names(look()) == {"seen"}
        assert names(look(hidden="only")) == {"unseen"}
        assert names(look(hidden="include")) == {"seen", "unseen"}

    def test_a_name_means_its_case(self, look: Run, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
        # As MySQL finds them.
        monkeypatch.setattr(ImageApi, "listing", lambda _api, **_filters: list(cloud.images.values()))
        for name in ("disk", "Disk"):
            cloud.add(name)
        assert [image["name"] for image in look(name="disk")["images"]] == ["disk"]

    def test_filters_reach_glance(self, look: Run, cloud: FakeCloud) -> None:
        cloud.add("mine", b"x", **ACTIVE)
        cloud.add("theirs", b"x", **ACTIVE, owner=OTHER_PROJECT)
        assert names(look(filters={"owner": OTHER_PROJECT, "protected": False})) == {"theirs"}
        assert cloud.requests[-1].query == {"limit": "1000", "owner": OTHER_PROJECT, "protected": "false"}

    def test_several_tags_on_all_pages(self, look: Run, cloud: FakeCloud) -> None:
        cloud.page_size = 1
        for name, tags in {"a": ["x"], "b": ["y", "x"], "c": ["y"], "d": ["x", "y", "z"], "e": ["y"]}.items():
            cloud.add(name, b"1", **ACTIVE, tags=tags)
        assert names(look(filters={"tag": ["x", "y"]})) == {"b", "d"}
        listings = [request for request in cloud.requests if request.path.endswith("/images")]
        assert [request.tags for request in listings] == [("x", "y")] * 2
        assert names(look(filters={"tag": "y"})) == {"b", "c", "d", "e"}

    @pytest.mark.parametrize("hidden", ["exclude", "include", "only"])
    def test_hidden_ones_are_an_option_of_its_own(self, look: Run, cloud: FakeCloud, hidden: str) -> None:
        message = look(filters={"os_hidden": True}, hidden=hidden)["msg"]
        assert "os_hidden is said by the option hidden" in message
        assert cloud.requests == []

    def test_all_wrong_filters_are_told_before_glance_is_asked(self, look: Run, cloud: FakeCloud) -> None:
        filters = {"status": ["active", "queued"], "owner": None, "tag": [], "x": {"a": 1}, "stores": [["a"]]}
        message = look(filters=filters)["msg"]
        for said in (
            "status is a list",
            "'in:A,B'",
            "owner is None",
            "tag is []",
            "x is {'a': 1}",
            "stores is [['a']]",
        ):
            assert said in message
        assert cloud.requests == []

    def test_a_filter_may_have_any_name(self, look: Run, cloud: FakeCloud) -> None:
        cloud.add("a", b"x", **ACTIVE)
        assert names(look(filters={"self": "x", "doing": 1})) == {"a"}
        assert cloud.requests[-1].query == {"limit": "1000", "self": "x", "doing": "1"}

    def test_those_of_a_store(self, look: Run, cloud: FakeCloud) -> None:
        cloud.stores = ["fast", "slow"]
        cloud.page_size = 2
        for name, stores in {"a": "fast", "b": "slow", "c": "slow,fast", "d": "faster"}.items():
            cloud.add(name, b"x", **ACTIVE, stores=stores)
        late = cloud.add("late", b"x", **ACTIVE, stores="")
        cloud.late_stores[late["id"]] = "fast"
        result = look(filters={"stores": "fast"})
        assert names(result) == {"a", "c", "late"}
        assert [request.query.get("stores") for request in cloud.requests] == [None] * len(cloud.requests)
        assert names(look(filters={"stores": ["fast", "slow"], "owner": PROJECT})) == {"c"}
        assert names(look(filters={"stores": "retired"})) == set()

    def test_a_glance_without_stores_is_told(self, look: Run, cloud: FakeCloud) -> None:
        cloud.add("a", b"x", **ACTIVE)
        assert "a single store, without a name" in look(filters={"stores": "fast"})["msg"]

    def test_a_name_and_an_id(self, look: Run, cloud: FakeCloud) -> None:
        image = cloud.add("a", b"x", **ACTIVE)
        cloud.add("b", b"x", **ACTIVE)
        assert names(look(name="a")) == {"a"}
        assert names(look(id=image["id"])) == {"a"}
        assert names(look(id=OTHER_PROJECT)) == set()

    def test_stores_and_members(self, look: Run, cloud: FakeCloud) -> None:
        image = cloud.add("a", b"x", **ACTIVE)
        cloud.add("b", b"x", **ACTIVE, visibility="public")
        cloud.late_stores[image["id"]] = "fast,slow"
        cloud.members[image["id"]] = {OTHER_PROJECT: "accepted"}
        plain = {one["name"]: one for one in look()["images"]}
        assert plain["a"]["stores"] == []
        assert "members" not in plain["a"]
        found = {one["name"]: one for one in look(stores=True, members=True)["images"]}
        assert found["a"]["stores"] == ["fast", "slow"]
        assert found["a"]["members"] == {OTHER_PROJECT: "accepted"}
        assert found["b"]["members"] == {}


class TestSave:
    """The data of an image, in a file."""

    def test_it_is_written_once(self, look: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        cloud.add("a", DATA, **ACTIVE)
        path = tmp_path / "saved"
        assert look(name="a", save_to=str(path), check=True)["changed"]
        assert not path.exists()
        result = look(name="a", save_to=str(path))
        assert result["changed"]
        assert path.read_bytes() == DATA
        assert result["saved"] == {
            "algorithm": "sha512",
            "hash": hashlib.sha512(DATA).hexdigest(),
            "path": str(path),
            "size": len(DATA),
        }
        again = look(name="a", save_to=str(path))
        assert not again["changed"]
        assert not [request for request in cloud.requests if request.path.endswith("/file")]
        path.write_bytes(b"other")
        assert look(name="a", save_to=str(path))["changed"]
        assert path.read_bytes() == DATA

    def test_an_empty_file_is_filled(
        self, look: Run, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cloud.add("a", DATA, **ACTIVE)
        path = tmp_path / "saved"
        path.touch(mode=0o644)
        monkeypatch.setattr(_image_info.FileSource, "digest", lambda *_arguments: pytest.fail("it was hashed"))
        assert look(name="a", save_to=str(path), check=True)["changed"]
        assert look(name="a", save_to=str(path))["changed"]
        assert path.read_bytes() == DATA
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_directory_is_no_file(self, look: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        cloud.add("a", DATA, **ACTIVE)
        assert "it is a directory" in look(name="a", save_to=str(tmp_path))["msg"]

    def test_damaged_data_leave_the_old_file(self, look: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        image = cloud.add("a", DATA, **ACTIVE)
        image["os_hash_value"] = "0" * 128
        (tmp_path / "saved").write_bytes(b"old")
        assert "Glance has noted 000" in look(name="a", save_to=str(tmp_path / "saved"))["msg"]
        assert (tmp_path / "saved").read_bytes() == b"old"
        assert {path.name for path in tmp_path.iterdir()} <= {"saved", "cache"}

    @pytest.mark.parametrize("number", [0, 2])
    def test_not_one_image(self, look: Run, cloud: FakeCloud, tmp_path: Path, number: int) -> None:
        for _turn in range(number):
            cloud.add("a", DATA, **ACTIVE)
        assert f"{number} images were found" in look(name="a", save_to=str(tmp_path / "saved"))["msg"]

    @pytest.mark.parametrize(
        ("attributes", "said"),
        [
            ({"status": "deactivated"}, "is deactivated"),
            ({"os_hash_value": None, "checksum": None}, "Glance has no checksum"),
        ],
    )
    def test_what_cannot_be_proved(
        self, look: Run, cloud: FakeCloud, tmp_path: Path, attributes: dict[str, t.Any], said: str
    ) -> None:
        cloud.add("a", DATA, **ACTIVE).update(attributes)
        assert said in look(name="a", save_to=str(tmp_path / "saved"))["msg"]

    def test_data_that_are_lost(self, look: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        image = cloud.add("a", DATA, **ACTIVE)
        cloud.answers[f"GET /image/v2/images/{image['id']}/file"] = (204, None)
        assert "Glance has no data for it" in look(name="a", save_to=str(tmp_path / "saved"))["msg"]

    def test_no_room(self, look: Run, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cloud.add("a", DATA, **ACTIVE)
        monkeypatch.setattr(_image_info.shutil, "disk_usage", lambda _path: SimpleNamespace(free=10))
        assert "has 0 MiB free, 2 are needed" in look(name="a", save_to=str(tmp_path / "saved"))["msg"]
        assert "is not there" in look(name="a", save_to=str(tmp_path / "missing" / "saved"))["msg"]


class TestBrokenDownload:
    """A download goes on where its connection broke."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Do not wait before another attempt."""
        monkeypatch.setattr(_image_download, "SECONDS_BEFORE_RETRY", 0.01)

    @staticmethod
    def starts(cloud: FakeCloud) -> list[int]:
        """Return the byte that each download began with."""
        asked = [request.headers.get("Range", "0") for request in cloud.requests if request.path.endswith("/file")]
        return [int(each.strip("bytes=-")) for each in asked]

    @pytest.mark.parametrize("first", [0, 1, 1_000_000, len(DATA) - 1])
    def test_from_there(self, look: Run, cloud: FakeCloud, tmp_path: Path, first: int) -> None:
        cloud.add("a", DATA, **ACTIVE)
        cloud.cuts = [first]
        assert look(name="a", save_to=str(tmp_path / "saved"))["changed"]
        assert (tmp_path / "saved").read_bytes() == DATA
        whole, rest = self.starts(cloud)
        assert whole == 0
        # Some releases of urllib3 keep the last block to themselves when only a part of it has come.
        assert first - BLOCK < rest <= first

    def test_twice(self, look: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        cloud.add("a", DATA, **ACTIVE)
        cloud.cuts = [600_000, 600_000]
        assert look(name="a", save_to=str(tmp_path / "saved"))["changed"]
        assert (tmp_path / "saved").read_bytes() == DATA
        whole, second, third = self.starts(cloud)
        assert whole == 0
        assert 600_000 - BLOCK < second <= 600_000
        assert 600_000 - BLOCK < third - second <= 600_000

    @pytest.mark.parametrize("how", ["whole", "refused", "another part", "another size"])
    def test_from_the_beginning_where_there_are_no_parts(
        self, look: Run, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        cloud.add("a", DATA, **ACTIVE)
        cloud.cuts, cloud.gives_parts = [600_000], False
        real = fake_cloud.CloudHandler.give

        def give(handler: fake_cloud.CloudHandler, status: int, answer: t.Any) -> None:
            if "Range" not in handler.headers or how == "whole":
                real(handler, status, answer)
            elif how == "refused":
                handler.reply(416, "this store begins with the first byte")
            else:
                start = int(handler.headers["Range"].strip("bytes=-")) + (how == "another part")
                size = len(answer) + (how == "another size")
                handler.reply(206, answer[start:], {"Content-Range": f"bytes {start}-{size - 1}/{size}"})

        monkeypatch.setattr(fake_cloud.CloudHandler, "give", give)
        assert look(name="a", save_to=str(tmp_path / "saved"))["changed"]
        assert (tmp_path / "saved").read_bytes() == DATA
        first, second, third = self.starts(cloud)
        assert (first, third) == (0, 0)
        assert second > 0

    def test_not_for_ever(self, look: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        cloud.add("a", DATA, **ACTIVE)
        cloud.cuts = [300_000] + [10] * 20
        message = look(name="a", save_to=str(tmp_path / "saved"))["msg"]
        assert re.search(rf"downloading the image .* after \d+ of {len(DATA)} bytes", message)
        assert len(self.starts(cloud)) == 1 + _image_download.MOST_RETRIES
        assert {path.name for path in tmp_path.iterdir()} <= {"cache"}

    @pytest.mark.parametrize("status", [403, 404, 500])
    def test_a_refusal_is_final(self, look: Run, cloud: FakeCloud, tmp_path: Path, status: int) -> None:
        image = cloud.add("a", DATA, **ACTIVE)
        cloud.answers[f"GET /image/v2/images/{image['id']}/file"] = (status, "no")
        assert f"HTTP {status}" in look(name="a", save_to=str(tmp_path / "saved"))["msg"]
        assert self.starts(cloud) == [0]
