# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module image_catalog, from its list to the requests that it sends, against a Glance that remembers."""

from __future__ import annotations

import gzip
import itertools
import os
import signal
import threading
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _image_catalog,
    _image_progress,
    _image_source,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_find import SearchListing
from ansible_collections.openstack_ops.glance.plugins.modules import image_catalog as module
from ansible_collections.openstack_ops.glance.tests.unit.plugins import image_bytes
from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import OTHER_PROJECT, PROJECT, FakeCloud

ACTIVE = {"disk_format": "raw", "container_format": "bare"}
NOTE = "owner_specified.openstack_ops.catalog"
WRITES = ("POST", "PUT", "PATCH", "DELETE")

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture(autouse=True)
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of the checksums apart, and let the files of the test be old enough for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    now = _image_source.time.time_ns
    monkeypatch.setattr(_image_source.time, "time_ns", lambda: now() + 10_000_000_000)


@pytest.fixture
def cloud() -> t.Iterator[FakeCloud]:
    """Return a running cloud."""
    with FakeCloud() as running:
        yield running


@pytest.fixture
def run(run_module: RunModule, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the module against the cloud."""
    warnings: list[str] = []
    monkeypatch.setattr(module.AnsibleModule, "warn", lambda _module, text: warnings.append(text))

    def call(images: list[t.Any], check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        cloud.requests.clear()
        warnings.clear()
        result = run_module(module, {**cloud.auth, "images": images, **options}, check=check)
        return {**result, "warnings": list(warnings)}

    return call


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return the path of an image."""
    (tmp_path / "disk").write_bytes(image_bytes.raw())
    return str(tmp_path / "disk")


def actions(result: dict[str, t.Any]) -> dict[str, str]:
    """Return what was done to each image."""
    return {entry["name"]: entry["action"] for entry in result["images"]}


class TestList:
    """What is done for a list, and with how many requests."""

    @pytest.mark.parametrize("number", [1, 100])
    def test_no_change_costs_one_listing(self, run: Run, cloud: FakeCloud, source: str, number: int) -> None:
        for index in range(number):
            cloud.add(f"image {index}", image_bytes.raw(), **ACTIVE)
        images = [{"name": f"image {index}", "source": source} for index in range(number)]
        result = run(images)
        assert not result["changed"]
        assert result["summary"]["unchanged"] == number
        assert [str(request) for request in cloud.requests] == [
            "GET /v3",
            "POST /v3/auth/tokens",
            "GET /image/v2/images",
        ]
        assert result["requests"] == 3

    def test_only_differences_are_acted_on(self, run: Run, cloud: FakeCloud, source: str) -> None:
        cloud.page_size = 1
        for name in ("same", "other", "gone"):
            cloud.add(name, image_bytes.raw(), **ACTIVE)
        images = [
            {"name": "same", "source": source},
            {"name": "other", "min_disk": "3"},
            {"name": "new", "source": source, "properties": {"a": 1}},
            {"name": "gone", "state": "absent"},
        ]
        told = run(images, check=True)
        assert cloud.sent(*WRITES) == []
        result = run(images)
        expected = {"same": "unchanged", "other": "changed", "new": "created", "gone": "deleted"}
        assert actions(result) == actions(told) == expected
        assert result["summary"] == {
            **dict.fromkeys(("filled", "replaced", "failed", "purged"), 0),
            **dict.fromkeys(("unchanged", "changed", "created", "deleted"), 1),
        }
        assert result["diff"]["after"]["other"] == {"min_disk": 3}
        assert sorted(result["diff"]["after"]) == ["gone", "new", "other"]
        assert result["uploaded"] == len(image_bytes.raw())
        assert sorted(cloud.sent(*WRITES)) == [
            "DELETE /image/v2/images/ID",
            "PATCH /image/v2/images/ID",
            "POST /image/v2/images",
            "PUT /image/v2/images/ID/file",
        ]
        assert not run(images)["changed"]

    def test_an_image_with_an_id(self, run: Run, cloud: FakeCloud, source: str) -> None:
        mine = cloud.add("mine", image_bytes.raw(), **ACTIVE)
        other = cloud.add("other's", image_bytes.raw(), **ACTIVE, owner=OTHER_PROJECT)
        assert not run([{"id": mine["id"]}, {"id": other["id"]}])["changed"]
        assert cloud.sent() == ["GET /image/v2/images", "GET /image/v2/images/ID"]

    def test_owners(self, run: Run, cloud: FakeCloud, source: str) -> None:
        images = [{"name": "disk", "source": source, "owner": owner} for owner in ("admin", "customer")]
        result = run(images)
        assert [entry["image"]["owner"] for entry in result["images"]] == [PROJECT, OTHER_PROJECT]
        assert not run(images)["changed"]
        assert [str(request) for request in cloud.requests].count("GET /v3/projects") == 1

    @pytest.mark.parametrize(
        "first", [{"name": "disk"}, {"name": "disk", "owner": "admin"}, {"name": "new", "previous_names": ["disk"]}]
    )
    def test_an_owner_that_comes_second(self, run: Run, cloud: FakeCloud, source: str, first: dict[str, t.Any]) -> None:
        there = cloud.add("disk", image_bytes.raw(), **ACTIVE)
        second = {"name": "disk", "source": source, "owner": "customer"}
        result = run([second, first])
        assert result["images"][0]["action"] == "created"
        assert result["images"][1]["id"] == there["id"]
        assert [image["owner"] for image in cloud.images.values()] == [PROJECT, OTHER_PROJECT]
        assert not run([second, first])["changed"]
        run([{"name": "disk", "state": "absent", "owner": "customer"}, first])
        assert list(cloud.images) == [there["id"]]

    def test_what_another_entry_means_by_its_id(self, run: Run, cloud: FakeCloud, source: str) -> None:
        there = cloud.add("disk", image_bytes.raw(), **ACTIVE)
        images = [{"id": there["id"]}, *({"name": "disk", "source": source, "owner": o} for o in ("admin", "customer"))]
        result = run(images)
        assert [entry["action"] for entry in result["images"]] == ["unchanged", "created", "created"]
        assert [image["owner"] for image in cloud.images.values()].count(PROJECT) == 2
        assert not run(images)["changed"]

    def test_an_old_version_that_another_entry_means(self, run: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        entry = {"name": "a", "source": str(tmp_path / "a"), "replace": True, "keep": 1}
        made = []
        for content in (b"1" * 600, b"2" * 600):
            (tmp_path / "a").write_bytes(content)
            made.append(run([entry])["images"][0]["id"])
        assert not run([{**entry, "keep": 0}, {"id": made[0]}])["changed"]
        assert list(cloud.images) == made

    def test_a_half_replaced_one_that_another_entry_means(self, run: Run, cloud: FakeCloud, source: str) -> None:
        old = cloud.add("disk", image_bytes.raw()[1:], **ACTIVE)
        cloud.writes_left = 2
        run([{"name": "disk", "source": source, "replace": True}])
        cloud.writes_left = None
        images = [{"name": "disk", "source": source, "replace": True, "min_disk": 3}, {"id": old["id"]}]
        result = run(images)
        assert [entry["action"] for entry in result["images"]] == ["changed", "unchanged"]
        assert result["images"][0]["id"] != old["id"]
        assert (old["min_disk"], old["os_hidden"]) == (0, False)
        assert not run(images)["changed"]

    def test_one_that_moves_to_the_next_page_is_one(self) -> None:
        record = {"id": "1", "name": "disk"}
        search = SearchListing(t.cast(t.Any, SimpleNamespace(listing=lambda **_filters: [record, record])))
        assert search.named("disk", {}) == search.all({}) == [record]

    def test_so_many_uploads_at_once(self, run: Run, cloud: FakeCloud, source: str) -> None:
        together, most, lock = [0], [0], threading.Lock()
        meeting = threading.Barrier(3, timeout=20)

        def count(_received: int) -> None:
            with lock:
                together[0] += 1
                most[0] = max(most[0], together[0])
            meeting.wait()
            with lock:
                together[0] -= 1

        cloud.during_upload = count
        run([{"name": str(index), "source": source} for index in range(6)], transfers=3)
        assert most == [3]
        assert len(cloud.images) == 6

    def test_before_there_is_a_glance(self, run: Run, cloud: FakeCloud, source: str) -> None:
        cloud.has_endpoint = False
        result = run([{"name": name, "source": source} for name in "abc"], check=True)
        assert set(actions(result).values()) == {"created"}
        assert len(result["warnings"]) == 3


class TestFailures:
    """One image that fails neither stops the others nor is hidden."""

    def test_each_is_named(self, run: Run, cloud: FakeCloud, source: str) -> None:
        images = [
            {"name": "missing", "source": "/no/such/file"},
            {"name": "good", "source": source},
            {"name": "wrong", "source": source, "checksum": "sha256:" + "0" * 64},
        ]
        result = run(images)
        assert result["failed"]
        assert result["msg"].startswith("2 of 3 images failed. missing: opening /no/such/file: No such file")
        assert "wrong: comparing the checksum" in result["msg"]
        assert actions(result) == {"missing": "failed", "good": "created", "wrong": "failed"}
        assert result["changed"]
        assert result["summary"]["failed"] == 2
        assert [image["name"] for image in cloud.images.values()] == ["good"]

    def test_an_owner_that_is_not_there(self, run: Run, cloud: FakeCloud, source: str) -> None:
        foreign = cloud.add("b", image_bytes.raw(), **ACTIVE, owner=OTHER_PROJECT, visibility="public", min_disk=1)
        lost = {"name": "b", "source": source, "owner": "nobody"}
        result = run([{"name": "a", "source": source}, lost, {"name": "b", "min_disk": 2, "source": source}])
        assert [entry["action"] for entry in result["images"]] == ["created", "failed", "created"]
        assert "b: looking for the project 'nobody': there is none" in result["msg"]
        assert foreign["min_disk"] == 1

    def test_one_that_nobody_foresaw(
        self, run: Run, cloud: FakeCloud, source: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep = _image_catalog.ImageKeeper.keep

        def fail(keeper: t.Any) -> t.Any:
            return keep(keeper) if keeper._wanted.name == "good" else {}["oops"]

        monkeypatch.setattr(_image_catalog.ImageKeeper, "keep", fail)
        result = run([{"name": "bad", "source": source}, {"name": "good", "source": source}])
        assert result["msg"] == "1 of 2 images failed. bad: KeyError: 'oops'"
        assert [image["name"] for image in cloud.images.values()] == ["good"]

    def test_glance_that_does_not_answer_is_asked_once(self, run: Run, cloud: FakeCloud) -> None:
        cloud.answers["GET"] = (500, "broken")
        result = run([{"name": name, "state": "absent"} for name in "abc"])
        assert result["summary"]["failed"] == 3
        assert cloud.sent() == ["GET /image/v2/images"]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_undoes_every_upload(
        self, run: Run, cloud: FakeCloud, tmp_path: Path, number: signal.Signals
    ) -> None:
        (tmp_path / "large").write_bytes(bytes(16 * image_bytes.MIB))
        sent: list[int] = []

        def stop(received: int) -> None:
            if received > image_bytes.MIB and not sent:
                sent.append(received)
                os.kill(os.getpid(), number)

        cloud.during_upload = stop
        result = run([{"name": str(index), "source": str(tmp_path / "large")} for index in range(5)], transfers=2)
        assert result["msg"].startswith(f"the module was stopped by {number.name}")
        assert cloud.images == {}


class TestMistakes:
    """A list with a mistake in it is refused before anything is asked."""

    @pytest.mark.parametrize(
        ("images", "said"),
        [
            (
                [{"name": "a", "disk_fromat": "raw"}],
                "images[0] (a): disk_fromat is unknown (did you mean disk_format?)",
            ),
            ([{"name": "a"}, {"name": "b", "min_disk": "much"}], "images[1] (b): argument 'min_disk' is of type"),
            ([{"name": "a", "visibility": "all"}], "images[0] (a): value of visibility must be one of"),
            ([{"source": "/disk"}], "images[0]: one of the following is required: name, id"),
            ([{"name": "a", "store": "x", "stores": ["y"]}], "parameters are mutually exclusive: store|stores"),
            ([{"name": "a", "checksum": "x"}], "images[0] (a): reading the checksum 'x'"),
            ([{"name": "a" * 256}], "give 1 to 255 characters"),
            (
                [{"name": "b"}, {"name": "a", "properties": {"location": "x"}}],
                "images[1] (a): reading the properties of the image 'a': location is a name that Glance keeps for",
            ),
            ([{"name": "a"}, {"name": "a"}], "the name 'a' stands in more than one entry"),
            ([{"name": "a"}, {"name": "b", "previous_names": ["a"]}], "the name 'a' stands in more than one entry"),
            ([{"id": PROJECT}], "images[0] (11111111"),
            ([{"name": "a"}, "oops"], "images[1]: it is str, not a dictionary"),
            (["name=b source=/x"], "images[0]: it is str, not a dictionary"),
            ([{"name": "a"}, None, 3], "images[1]: it is empty, not a dictionary. images[2]: it is int, not"),
            ([{"name": "a", "owner": "admin"}, {"name": "a", "owner": PROJECT}], "are the same project"),
            ([{"name": "a"}, {"name": "a", "owner": "admin"}], "their owners none and 'admin' are the same project"),
            ([{"name": "b", "previous_names": ["a"]}, {"name": "a", "owner": "admin"}], "the name 'a' stands in two"),
        ],
    )
    def test_is_named(self, run: Run, cloud: FakeCloud, images: list[t.Any], said: str) -> None:
        result = run(images)
        assert result["failed"]
        assert said in result["msg"]
        assert "nothing was changed" in result["msg"]
        assert cloud.sent() == []

    def test_all_are_told_at_once(self, run: Run) -> None:
        message = run([{"name": "a", "x": 1}, {"name": "b", "y": 1}])["msg"]
        assert "images[0] (a): x is unknown." in message
        assert "images[1] (b): y is unknown." in message

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"transfers": 0}, "transfers is 0"),
            ({"catalog": "a/b"}, "catalog is 'a/b'"),
            ({"purge": True}, "the list is empty"),
        ],
    )
    def test_in_the_options(self, run: Run, cloud: FakeCloud, options: dict[str, t.Any], said: str) -> None:
        assert said in run([], **options)["msg"]
        assert cloud.requests == []


class TestPurge:
    """What a catalogue has created goes when it is no longer declared, and nothing else ever."""

    def test_only_its_own(self, run: Run, cloud: FakeCloud, source: str) -> None:
        by_hand = cloud.add("by hand", image_bytes.raw(), **ACTIVE)
        kept = {"name": "kept", "source": source}
        made = {entry["name"]: entry["id"] for entry in run([kept, {"name": "old", "source": source}])["images"]}
        run([{"name": "of another", "source": source}, {"name": "by hand", "source": source}], catalog="another")
        snapshot = cloud.add("snapshot", image_bytes.raw(), **ACTIVE, **{NOTE: f"default/{made['old']}"})
        forged = cloud.add("forged", image_bytes.raw(), **ACTIVE, owner=OTHER_PROJECT)
        forged[NOTE] = f"default/{forged['id']}"
        told = run([kept], purge=True, check=True)
        result = run([kept], purge=True)
        assert [record["name"] for record in result["purged"]] == ["old"]
        assert told["diff"] == result["diff"]
        assert result["summary"]["purged"] == 1
        assert {image["name"] for image in cloud.images.values()} == {
            "kept",
            "of another",
            by_hand["name"],
            snapshot["name"],
            forged["name"],
        }
        assert not run([kept], purge=True)["changed"]

    def test_hidden_ones_and_old_versions_of_what_went(self, run: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        entry = {"name": "a", "source": str(tmp_path / "a"), "replace": True, "keep": 3}
        other = {"name": "b", "source": str(tmp_path / "a"), "hidden": True}
        for content in (b"1" * 600, b"2" * 600):
            (tmp_path / "a").write_bytes(content)
            run([entry, {**other, "replace": True}])
        assert len(cloud.images) == 3
        assert run([entry], purge=True)["summary"]["purged"] == 1
        assert {image["name"] for image in cloud.images.values()} == {"a"}
        run([{"name": "c", "state": "absent"}], purge=True)
        assert cloud.images == {}

    def test_what_went_with_its_image_is_not_purged_again(self, run: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        entry = {"name": "a", "source": str(tmp_path / "a"), "replace": True, "keep": 3}
        for content in (b"1" * 600, b"2" * 600):
            (tmp_path / "a").write_bytes(content)
            run([entry])
        result = run([{"name": "a", "state": "absent"}], purge=True)
        assert cloud.images == {}
        assert (result["summary"]["deleted"], result["summary"]["purged"]) == (1, 0)
        assert cloud.sent(*WRITES) == ["DELETE /image/v2/images/ID"] * 2
        assert not run([{"name": "a", "state": "absent"}], purge=True)["changed"]

    def test_old_versions_with_a_previous_name_stay(self, run: Run, cloud: FakeCloud, tmp_path: Path) -> None:
        options = {"source": str(tmp_path / "a"), "replace": True, "keep": 1}
        (tmp_path / "a").write_bytes(b"1" * 600)
        run([{"name": "before", **options}])
        (tmp_path / "a").write_bytes(b"2" * 600)
        renamed = {"name": "now", "previous_names": ["before"], **options}
        assert run([renamed], purge=True)["summary"]["purged"] == 0
        assert not run([renamed], purge=True)["changed"]
        assert [image["name"] for image in cloud.images.values()] == ["before", "now"]

    def test_what_has_to_stay_is_told(self, run: Run, cloud: FakeCloud, source: str) -> None:
        names = ("protected", "used", "busy", "forbidden")
        made = {entry["name"]: entry["id"] for entry in run([{"name": n, "source": source} for n in names])["images"]}
        cloud.images[made["protected"]]["protected"] = True
        cloud.images[made["busy"]]["status"] = "importing"
        cloud.answers[f"DELETE /image/v2/images/{made['used']}"] = (409, "Image is in use")
        cloud.answers[f"DELETE /image/v2/images/{made['forbidden']}"] = (403, "No")
        result = run([{"name": "x", "state": "absent"}], purge=True)
        assert len(cloud.images) == 4
        assert sorted(text.partition("but it is ")[2].split(";")[0] for text in result["warnings"]) == [
            "in the status importing",
            "in use",
            "protected",
        ]
        assert "'forbidden'" in result["msg"]

    def test_before_there_is_a_glance(self, run: Run, cloud: FakeCloud, source: str) -> None:
        cloud.has_endpoint = False
        result = run([{"name": "a", "source": source}], check=True, purge=True)
        assert (result["summary"]["created"], result["summary"]["purged"]) == (1, 0)
        assert "there is nothing to purge" in result["warnings"][1]

    def test_a_list_that_cannot_be_had_hides_no_result(self, run: Run, cloud: FakeCloud, source: str) -> None:
        cloud.add("a", **ACTIVE)
        cloud.during_upload = lambda _received: cloud.answers.update({"GET /image/v2/images": (500, "broken")})
        result = run([{"name": "a", "source": source}], purge=True)
        assert actions(result) == {"a": "filled"}
        assert result["msg"].startswith("listing the images: HTTP 500")

    def test_nothing_while_an_image_fails(self, run: Run, cloud: FakeCloud, source: str) -> None:
        run([{"name": "old", "source": source}])
        result = run([{"name": "new", "source": "/no/such/file"}], purge=True)
        assert result["warnings"] == ["nothing was purged, because not every image of the list is there"]
        assert len(cloud.images) == 1


def test_the_example_can_be_read() -> None:
    path = Path(__file__).parents[4] / "docs" / "examples" / "images.yml"
    images = yaml.safe_load(path.read_text(encoding="utf-8"))["glance_images"]
    names = [wanted.name for wanted in _image_catalog.read(images)]
    assert names[0] == "cirros-0.6.2"
    assert all(image["checksum"] for image in images)


def test_credentials_in_a_url_are_not_shown(run: Run, system_log: list[str]) -> None:
    url = "http://user:hushhush@127.0.0.1:9/disk?key=hushmore"
    result = run([{"name": "a", "source": url}, {"name": "b", "source": "/disk", "checksum": f"md5:{url}"}])
    assert "hush" not in str(result)
    assert result["invocation"]["module_args"]["images"] == [
        {"name": "a", "source": "http://user:********@127.0.0.1:9/disk?********"},
        {"name": "b", "source": "/disk", "checksum": "md5:http://user:********@127.0.0.1:9/disk?********"},
    ]
    assert any("images=NOT_LOGGING_PARAMETER" in line for line in system_log)
    assert "hush" not in str(system_log)


def test_credentials_in_an_entry_that_is_no_dictionary_are_not_shown(run: Run) -> None:
    result = run(["name=a source=http://user:hushhush@127.0.0.1:9/disk?key=hushmore"])
    assert "images[0]: it is str" in result["msg"]
    assert "hush" not in str(result)


class TestProgress:
    """What is told of the whole list while it is worked on."""

    @pytest.fixture
    def told(self, monkeypatch: pytest.MonkeyPatch) -> list[_image_progress.Progress]:
        """Return a list that will hold everything that is told, with a clock that runs fast enough for all of it."""
        found: list[_image_progress.Progress] = []
        clock = itertools.count()
        monkeypatch.setattr(_image_progress, "time", SimpleNamespace(monotonic=lambda: 2.0 * next(clock)))
        monkeypatch.setattr(_image_progress, "write_progress", lambda _path, progress: found.append(progress))
        return found

    @pytest.fixture
    def files(self, tmp_path: Path) -> dict[str, str]:
        """Return the paths of some files by their names."""
        sizes = {"small": 3, "large": 5, "there": 1}
        for name, size in sizes.items():
            (tmp_path / name).write_bytes(b"\3" * size * image_bytes.MIB)
        return {name: str(tmp_path / name) for name in sizes}

    def test_the_total_is_that_of_all_from_the_beginning(
        self, run: Run, cloud: FakeCloud, files: dict[str, str], told: list[_image_progress.Progress]
    ) -> None:
        cloud.add("there", Path(files["there"]).read_bytes(), **ACTIVE)
        run([{"name": name, "source": path} for name, path in files.items()], transfers=1)
        moving = [progress for progress in told if not progress.meanwhile]
        assert {progress.total for progress in told} == {8 * image_bytes.MIB}
        assert {progress.images_done for progress in moving} == {0, 1}
        assert moving[-1].done == 8 * image_bytes.MIB
        assert {progress.meanwhile.partition(" (")[0] for progress in told} == {
            "",
            "there being read for its checksum",
        }

    def test_what_failed_is_not_awaited(
        self, run: Run, cloud: FakeCloud, files: dict[str, str], told: list[_image_progress.Progress]
    ) -> None:
        images = [{"name": name, "source": files[name]} for name in ("small", "large")]
        images[0]["checksum"] = "md5:" + "0" * 32
        assert run(images, transfers=1)["summary"]["failed"] == 1
        assert told[0].total == 8 * image_bytes.MIB
        assert (told[-1].done, told[-1].total) == (5 * image_bytes.MIB, 5 * image_bytes.MIB)

    def test_a_size_that_shows_later(
        self, run: Run, cloud: FakeCloud, files: dict[str, str], told: list[_image_progress.Progress], tmp_path: Path
    ) -> None:
        packed = tmp_path / "packed"
        packed.write_bytes(gzip.compress(Path(files["small"]).read_bytes()))
        images = [
            {"name": "packed", "source": str(packed), "decompress": True},
            {"name": "b", "source": files["large"]},
        ]
        run(images, transfers=1)
        assert {progress.total for progress in told if not progress.images_done} == {None}
        assert {progress.total for progress in told if progress.images_done} == {8 * image_bytes.MIB}

    def test_a_replacement_counts_when_its_size_tells(
        self, run: Run, cloud: FakeCloud, files: dict[str, str], told: list[_image_progress.Progress]
    ) -> None:
        for name in ("small", "large"):
            cloud.add(name, b"\3" * 600, **ACTIVE)
        run([{"name": name, "source": files[name], "replace": True} for name in ("small", "large")], transfers=1)
        assert {progress.total for progress in told} == {8 * image_bytes.MIB}


def test_progress_of_all_images_together(run: Run, cloud: FakeCloud, source: str, tmp_path: Path) -> None:
    run([{"name": name, "source": source} for name in "abc"], progress_file=str(tmp_path / "progress"), transfers=1)
    assert (tmp_path / "progress").exists()
