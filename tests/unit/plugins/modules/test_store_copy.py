# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_copy, driven through main() against two controllers on the loopback interface."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import threading
import time
import typing as t
from unittest import mock

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _store_copy,
    _switch_api,
    _switch_copy,
    _switch_plan,
    _switch_transfer,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import (
    Facts,
    ImageState,
    Journal,
    State,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_progress import read_copy_progress
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_report import Report
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_room import Reading, read_rooms, write_rooms
from ansible_collections.openstack_ops.glance.plugins.modules import store_copy
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_copies import LOCK, FakeCopies

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule


class Site:
    """The cloud, the journal, and the module."""

    def __init__(self, cloud: FakeCopies, directory: str, run_module: RunModule) -> None:
        self.cloud = cloud
        self.journal = os.path.join(directory, "journal")
        self.directory = directory
        self._run_module = run_module

    def run(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Run the module."""
        args = {
            **self.cloud.auth,
            "endpoints": self.cloud.endpoints,
            "source": "local",
            "target": "objects",
            "journal": self.journal,
            "wait": 0,
            **options,
        }
        return self._run_module(store_copy, args, check=check)

    def lines(self, event: str) -> list[Facts]:
        """Return the journal's lines of one kind."""
        with open(os.path.join(self.journal, "journal.jsonl"), encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["event"] == event]

    def state(self, image_id: str) -> ImageState:
        """Return what the journal tells of an image."""
        return Journal(self.journal).read().images[image_id]

    def journal_state(self) -> State:
        """Return what the journal tells."""
        return Journal(self.journal).read()

    def left(self) -> list[Facts]:
        """Return what the journal tells of images that are not copied."""
        return self.journal_state().uncopied()

    def stores(self, image_id: str) -> str:
        """Return where Glance lists an image."""
        return str(self.cloud.images[image_id]["stores"])


@pytest.fixture
def cloud() -> t.Iterator[FakeCopies]:
    with FakeCopies() as running:
        yield running


@pytest.fixture
def site(cloud: FakeCopies, tmp_path: t.Any, run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(_switch_copy, "TICK", 0.01)
    monkeypatch.setattr(_switch_copy, "POLL_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(_switch_copy, "LISTING_SECONDS", 0.02)
    monkeypatch.setattr(_switch_copy, "SECONDS_BEFORE_ATTEMPT", {1: 0.0, 2: 0.02, 3: 0.04})
    monkeypatch.setattr(_switch_api, "FIRST_REST", 0.02)
    monkeypatch.setattr(_switch_api, "LONGEST_REST", 0.05)
    monkeypatch.setattr(_store_copy, "LOCK_PATIENCE", 0.1)
    return Site(cloud, str(tmp_path), run_module)


def tell_room(path: t.Any, age: float = 0, **free: int) -> None:
    """Write what is free on the controllers, as it was some seconds ago."""
    write_rooms(str(path), {name: Reading(size, time.time() - age) for name, size in free.items()})


def idle_copying() -> _switch_copy.Copying:
    """Return a run that does nothing."""
    controllers, journal, control = (t.cast("t.Any", mock.MagicMock()) for _number in range(3))
    arguments = (_switch_plan.Switch("local", "objects"), State(), control, _switch_plan.Capacity())
    return _switch_copy.Copying(controllers, journal, *arguments, _switch_copy.Options())


def later(seconds: float, action: t.Callable[[], t.Any]) -> None:
    """Do something in a moment."""
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()


# --- copying ----------------------------------------------------------------------------------------------------------


def test_every_image_is_copied_and_a_second_run_copies_nothing(site: Site, cloud: FakeCopies) -> None:
    cloud.page_size = 2
    ids = [
        cloud.put("one", 100),
        cloud.put("two", 300),
        cloud.put("three", 0),
        cloud.put("hidden", 50, os_hidden=True),
        cloud.put("community", 60, visibility="community"),
        cloud.put("both", 70, visibility="community", os_hidden=True),
    ]
    result = site.run()
    assert (result["changed"], result["copied"], result["copied_bytes"]) == (True, 6, 580)
    assert [site.stores(image) for image in ids] == ["local,objects"] * 6
    assert all(site.state(image).is_copied and not site.state(image).is_verified for image in ids)
    assert sorted(image for _controller, image in cloud.copies) == sorted(ids)
    assert cloud.copied_through("one")
    assert cloud.copied_through("two")
    assert [line["state"] for line in site.lines("phase")] == ["started", "finished"]
    assert result["table"][0].startswith("6 images copied, 580 B in ")
    again = site.run()
    assert (again["changed"], again["copied"], len(cloud.copies)) == (False, 0, 6)


def test_the_journal_tells_every_step(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one", 100)
    site.run(source_type="file", target_type="swift", release="zed")
    assert site.lines("switch")[0]["to_type"] == "swift"
    assert site.lines("image")[0]["name"] == "one"
    started, *running, done = site.lines("copy")
    assert (started["state"], started["attempt"], started["image_id"]) == ("started", 1, image)
    # Seen by the way, when there was time to.
    assert {(line["state"], line["task_id"]) for line in running} <= {("running", "task-1")}
    assert (done["state"], done["controller"], done["task_id"]) == ("done", started["controller"], "task-1")
    assert site.lines("sample")[-1]["bytes"] == 100
    assert [(line["images"], line["copied"]) for line in site.lines("plan")] == [(1, 0)]
    before, after = site.lines("stores")
    assert before["stores"] == {"local": {"images": 1, "bytes": 100}}
    assert after["stores"]["objects"] == {"images": 1, "bytes": 100}


@pytest.mark.parametrize(("order", "wanted"), [("largest", ["c", "b", "a"]), ("smallest", ["a", "b", "c"])])
def test_order(site: Site, cloud: FakeCopies, order: str, wanted: list[str]) -> None:
    ids = {cloud.put(name, size): name for name, size in [("b", 2), ("a", 1), ("c", 3)]}
    site.run(order=order, transfers=1, endpoints={"one": cloud.endpoints["one"]})
    assert [ids[image] for _controller, image in cloud.copies] == wanted
    assert cloud.at_once == 1


def test_so_many_at_a_time_on_each_controller(site: Site, cloud: FakeCopies) -> None:
    cloud.looks = 5
    for number in range(12):
        cloud.put(str(number))
    site.run(transfers=2)
    assert cloud.at_once == 4
    assert (len(cloud.copied_through("one")), len(cloud.copied_through("two"))) >= (4, 4)


def test_only_some_images(site: Site, cloud: FakeCopies) -> None:
    one, two = cloud.put("one"), cloud.put("two")
    assert site.run(images=[two])["copied"] == 1
    assert (site.stores(one), site.stores(two)) == ("local", "local,objects")
    assert site.lines("phase") + site.lines("plan") == []


def test_what_is_uploaded_meanwhile_is_copied_too(site: Site, cloud: FakeCopies) -> None:
    first = cloud.put("first")
    found: list[str] = []
    cloud.during[first] = lambda _image: found.append(cloud.put("late"))
    result = site.run()
    assert (result["copied"], result["passes"], result["left"]) == (2, 2, 0)
    assert site.stores(found[0]) == "local,objects"
    # What the first round has copied is not noted once more as found.
    assert [line for line in site.lines("copy") if line.get("found")] == []


def test_uploads_without_end_do_not_keep_it(site: Site, cloud: FakeCopies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_switch_copy, "STEADY_PASSES", 2)

    def upload_one_more(_image: t.Any) -> None:
        cloud.during[cloud.put("late")] = upload_one_more

    cloud.during[cloud.put("first")] = upload_one_more
    result = site.run()
    assert (result["copied"], result["passes"], result["left"]) == (3, 3, 1)
    assert [row["reason"] for row in site.left()] == ["not copied yet; run again"]
    assert Report(site.journal_state()).build()["verdict"]["status"] == 2


def test_stores_are_noted_first(site: Site, cloud: FakeCopies) -> None:
    old = cloud.put("old", store=None)
    lost = cloud.put("lost", store=None)
    elsewhere = cloud.put("elsewhere", store=None)
    cloud.late_stores.update({old: "local", elsewhere: "objects"})
    result = site.run()
    assert (result["copied"], site.stores(old)) == (1, "local,objects")
    assert [(row["image_id"], row["attention"]) for row in result["blocked"]] == [(lost, True)]
    assert lost in result["table"][1]


def test_image_of_a_store_that_has_got_a_new_name(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("renamed", store="files")
    cloud.late_stores[image] = "local"
    result = site.run()
    assert (result["copied"], result["blocked"], site.stores(image)) == (1, [], "local,objects")


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        ("fail", "Glance could not write it to objects; glance-api.log on"),
        ("missing", "Glance says: Task failed due to Internal Error; glance-api.log on"),
        ("refused", "HTTP 403"),
    ],
)
def test_a_copy_that_fails_once_is_made_on_another_controller(
    site: Site, cloud: FakeCopies, fate: str, reason: str
) -> None:
    image = cloud.put("one")
    cloud.fates[image] = [fate]
    result = site.run()
    assert (result["copied"], result["failures"], site.stores(image)) == (1, [], "local,objects")
    assert [controller for controller, _image in cloud.copies] == ["one", "two"]
    failed = next(line for line in site.lines("copy") if line["state"] == "failed")
    assert (failed["state"], site.state(image).attempts, site.state(image).is_copied) == ("failed", 2, True)
    assert reason in failed["reason"]


@pytest.mark.parametrize("request_of", ["POST reactivate", "POST deactivate", "GET images", "GET {image}"])
def test_an_error_of_glance_ends_nothing(
    site: Site, cloud: FakeCopies, monkeypatch: pytest.MonkeyPatch, request_of: str
) -> None:
    monkeypatch.setitem(_switch_api.RETRIES, "status_code_retry_delay", 0.01)
    image = cloud.put("one", status="deactivated")
    cloud.put("two")
    cloud.deadlocks[request_of.format(image=image)] = 2
    result = site.run()
    assert (result["copied"], result["failures"], result["open"]) == (2, [], [])
    assert (cloud.images[image]["status"], set(cloud.deadlocks.values())) == ("deactivated", {0})


def test_a_copy_that_always_fails_does_not_stop_the_others(site: Site, cloud: FakeCopies) -> None:
    bad, good = cloud.put("bad", 500), cloud.put("good", 1)
    cloud.fates[bad] = ["missing"] * 9
    result = site.run()
    assert (result["changed"], result["copied"], result["left"], result["stopped"]) == (True, 1, 0, "")
    (failure,) = result["failures"]
    assert (failure["image_id"], failure["attempts"], failure["task_id"]) == (bad, 3, "task-4")
    assert "Internal Error" in failure["reason"]
    assert (site.state(bad).copy["state"], site.stores(good)) == ("failed", "local,objects")
    assert "failed 3 times" in result["table"][1]
    cloud.fates.clear()
    assert site.run()["copied"] == 1


def test_those_that_failed_before_come_last(site: Site, cloud: FakeCopies) -> None:
    bad = cloud.put("bad", 500)
    cloud.fates[bad] = ["fail"] * 3
    site.run()
    good = cloud.put("good", 1)
    cloud.copies.clear()
    site.run(transfers=1, endpoints={"one": cloud.endpoints["one"]})
    assert [image for _controller, image in cloud.copies] == [good, bad]


def test_a_target_that_is_down_stops_it(site: Site, cloud: FakeCopies) -> None:
    images = [cloud.put(str(number)) for number in range(30)]
    cloud.fates = {image: ["fail"] * 3 for image in images}
    result = site.run()
    assert result["failed"]
    assert "the last 10 copies failed" in result["stopped"]
    assert "the store objects is down or full" in result["msg"]
    assert "Run again: it goes on where it stood" in result["msg"]
    assert site.lines("phase")[-1]["state"] == "failed"
    assert len(cloud.copies) < 20
    cloud.fates.clear()
    # What was still going on is waited for.
    assert site.run(wait=60)["left"] == 0
    assert all(site.stores(image) == "local,objects" for image in images)


def test_many_broken_images_alone_are_no_reason_to_stop(site: Site, cloud: FakeCopies) -> None:
    cloud.fates = {cloud.put(str(number)): ["missing"] * 3 for number in range(9)}
    result = site.run()
    assert (len(result["failures"]), result["stopped"]) == (9, "")


def test_an_image_deleted_meanwhile_is_told_and_no_failure(site: Site, cloud: FakeCopies) -> None:
    image, other = cloud.put("one"), cloud.put("two")
    cloud.fates[image] = ["gone"]
    result = site.run()
    assert (result["copied"], result["failures"], result["gone"][0]["image_id"]) == (1, [], image)
    assert "parts of it may be left in objects" in result["gone"][0]["reason"]
    assert site.state(image).copy["state"] == "gone"
    assert site.stores(other) == "local,objects"


def test_an_image_deleted_before_its_copy(site: Site, cloud: FakeCopies) -> None:
    first, second = cloud.put("first", 9), cloud.put("second", 1)
    cloud.during[first] = lambda _image: cloud.images.pop(second) and None
    result = site.run(transfers=1, endpoints={"one": cloud.endpoints["one"]})
    assert (result["copied"], [row["image_id"] for row in result["gone"]]) == (1, [second])


def test_what_glance_undoes_is_told(site: Site, cloud: FakeCopies) -> None:
    cloud.looks = 20
    image, other = cloud.put("before"), cloud.put("other")
    cloud.undoes[image] = {"name": "before"}
    for each in (image, other):
        cloud.midway[each] = lambda record: record.update(name="after", tags=["new"])
    result = site.run()
    assert [(row["image_id"], row["fields"]) for row in result["undone"]] == [(image, ["name"])]
    assert "name was changed while it was copied, and Glance has undone that" in "\n".join(result["table"])
    assert site.state(image).undone["undone"] == ["name"]
    assert site.state(other).undone == {}
    site.run()
    assert site.state(image).undone["undone"] == ["name"]
    cloud.images[image].update(name="after", updated_at="2026-11-21T23:00:00Z")
    site.run()
    assert site.state(image).undone["undone"] == []
    assert site.state(image).is_copied


def test_what_failed_and_is_deleted_is_not_looked_for_any_more(site: Site, cloud: FakeCopies) -> None:
    gone, half, kept = cloud.put("gone"), cloud.put("half"), cloud.put("kept")
    for image in (gone, half, kept):
        cloud.fates[image] = ["fail"] * 3
    assert len(site.run()["failures"]) == 3
    del cloud.images[gone]
    # A Glance that is killed in the middle of a deletion leaves such a record for ever.
    cloud.images[half].update(status="deleted", stores=None)
    cloud.fates[kept] = ["fail"] * 3
    result = site.run()
    assert [row["image_id"] for row in result["failures"]] == [kept]
    assert [row for row in result["blocked"] if row["attention"]] == []
    assert [site.state(image).copy["state"] for image in (gone, half, kept)] == ["gone", "gone", "failed"]
    count = len(site.lines("copy"))
    cloud.fates[kept] = ["ok"]
    site.run()
    assert [line["image_id"] for line in site.lines("copy")[count:]].count(gone) == 0


# --- deactivated images -----------------------------------------------------------------------------------------------


def test_a_deactivated_image_is_open_for_its_copy_only(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one", status="deactivated")
    seen: list[str] = []
    cloud.during[image] = lambda record: seen.append(record["status"])
    result = site.run()
    assert (result["copied"], result["open"], seen) == (1, [], ["active"])
    assert (cloud.images[image]["status"], site.stores(image)) == ("deactivated", "local,objects")
    assert [line["state"] for line in site.lines("reactivated")] == ["open", "closed"]
    # The journal has it as it was.
    assert site.state(image).facts["status"] == "deactivated"


@pytest.mark.parametrize("fates", [["fail"], ["fail"] * 3])
def test_a_deactivated_image_is_closed_after_every_failure(site: Site, cloud: FakeCopies, fates: list[str]) -> None:
    image = cloud.put("one", status="deactivated")
    count = len(fates)
    cloud.fates[image] = fates
    result = site.run()
    assert (cloud.images[image]["status"], result["open"]) == ("deactivated", [])
    states = [line["state"] for line in site.lines("reactivated")]
    assert states == ["open", "closed"] * (2 if count == 1 else 3)


def test_what_a_killed_run_left_open_is_closed(site: Site, cloud: FakeCopies) -> None:
    done, half = cloud.put("done", store="local,objects"), cloud.put("half")
    closed, gone = cloud.put("closed", store="local,objects", status="deactivated"), cloud.put("gone")
    with Journal(site.journal) as journal:
        journal.append("switch", **{"id": "1", "from": "local", "to": "objects"})
        for image in (done, half, closed, gone):
            journal.append("reactivated", image_id=image, state="open")
    del cloud.images[gone]
    result = site.run()
    assert (result["copied"], result["open"]) == (1, [])
    assert [cloud.images[image]["status"] for image in (done, half, closed)] == ["deactivated"] * 3
    assert site.stores(half) == "local,objects"
    assert Journal(site.journal).read().open_images() == []


def test_an_image_that_is_deactivated_meanwhile_stays_so(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one")
    cloud.fates[image] = ["deactivated"]
    assert site.run()["copied"] == 1
    assert (cloud.images[image]["status"], site.stores(image)) == ("deactivated", "local,objects")


def announce(site: Site, result: dict[str, t.Any], *events: Facts) -> None:
    """Write what a result says that has to be announced into the journal, as the role does, and further events."""
    with Journal(site.journal) as journal:
        journal.append_all(
            (line["event"], {name: line[name] for name in line if name != "event"})
            for line in [*result["announcements"], *events]
        )


def states(site: Site, image: str) -> list[str]:
    """Return what the journal tells of an image that is activated for its copy."""
    return [line["state"] for line in site.lines("reactivated") if line["image_id"] == image]


def test_only_what_is_announced_is_activated(site: Site, cloud: FakeCopies) -> None:
    closed, other = cloud.put("closed", status="deactivated"), cloud.put("other")
    cloud.put("done", status="deactivated", store="local,objects")
    plan = site.run(check=True, announced_only=True)
    assert plan["deactivated"] == 1
    assert plan["announcements"] == [{"event": "reactivated", "image_id": closed, "state": "due"}]
    assert not os.path.exists(site.journal)
    left = site.run(announced_only=True)
    assert (left["copied"], left["left"], left["deactivated"], left["passes"]) == (1, 1, 1, 1)
    assert left["announcements"] == plan["announcements"]
    assert (site.stores(other), site.stores(closed)) == ("local,objects", "local")
    announce(site, left)
    assert site.run(check=True)["announcements"] == []
    result = site.run(announced_only=True)
    assert (result["copied"], result["deactivated"], result["announcements"]) == (1, 0, [])
    assert (cloud.images[closed]["status"], site.stores(closed)) == ("deactivated", "local,objects")
    assert states(site, closed) == ["due", "open", "closed"]


def test_announced_image_is_tried_as_often_as_any_and_then_announced_anew(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one", status="deactivated")
    cloud.fates[image] = ["fail"] * 3
    announce(site, site.run(check=True))
    result = site.run(announced_only=True)
    # It has failed, and is not left out for want of an announcement: nobody has to run again for it.
    assert (len(result["failures"]), result["deactivated"], result["announcements"]) == (1, 0, [])
    assert states(site, image) == ["due", *["open", "closed"] * 3]
    assert len(site.run(check=True)["announcements"]) == 1


def test_what_is_deactivated_between_two_attempts_waits_for_its_announcement(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one")
    cloud.fates[image] = ["fail"]
    cloud.during[image] = lambda record: record.update(status="deactivated")
    result = site.run(announced_only=True)
    assert (result["copied"], result["failures"], result["deactivated"]) == (0, [], 1)
    assert (cloud.images[image]["status"], site.lines("reactivated")) == ("deactivated", [])


def test_announcement_that_was_not_needed_is_withdrawn(site: Site, cloud: FakeCopies) -> None:
    active, gone = (cloud.put(name, status="deactivated") for name in ("active", "gone"))
    announce(site, site.run(check=True))
    # Somebody activates it himself: neither this run nor one without this journal shall deactivate it.
    cloud.images[active]["status"] = "active"
    del cloud.images[gone]
    result = site.run(announced_only=True)
    assert (result["copied"], result["open"], cloud.images[active]["status"]) == (1, [], "active")
    assert (states(site, active), states(site, gone)) == (["due", "closed"], ["due", "closed"])
    lines = len(site.lines("reactivated"))
    assert site.run(announced_only=True)["copied"] == 0
    assert len(site.lines("reactivated")) == lines


def test_announced_images_are_closed_where_the_own_journal_is_lost(site: Site, cloud: FakeCopies) -> None:
    half, copied = cloud.put("half", status="deactivated"), cloud.put("copied", status="deactivated")
    closed = cloud.put("closed", status="deactivated")
    announce(site, site.run(check=True), {"event": "restored", "controller": "one"})
    # What the lost lines told: these two were activated, and one of them is copied already.
    for image in (half, copied):
        cloud.images[image]["status"] = "active"
    cloud.images[copied]["stores"] = "local,objects"
    assert site.run(check=True)["announcements"] == []
    result = site.run(announced_only=True)
    assert (result["copied"], result["open"]) == (2, [])
    assert [cloud.images[image]["status"] for image in (half, copied, closed)] == ["deactivated"] * 3
    assert Journal(site.journal).read().announced() == set()


# --- images without a hash --------------------------------------------------------------------------------------------


def test_an_image_without_a_hash_is_hashed_before_its_copy_and_only_once(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one", size=7)
    cloud.images[image].update(os_hash_algo=None, os_hash_value=None)
    cloud.fates[image] = ["fail"]
    assert site.run()["copied"] == 1
    (noted,) = site.lines("source_hash")
    assert (noted["algo"], noted["value"], noted["size"]) == ("sha512", hashlib.sha512(b"x" * 7).hexdigest(), 7)
    assert site.state(image).attempts == 2
    assert noted["time"] < site.lines("copy")[1]["time"]


def test_an_image_with_a_hash_is_not_read(site: Site, cloud: FakeCopies) -> None:
    cloud.put("one", size=7)
    assert site.run()["copied"] == 1
    assert site.lines("source_hash") == []


def test_an_image_without_a_hash_whose_data_are_short_is_not_copied(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one", size=100)
    cloud.images[image].update(os_hash_algo=None, os_hash_value=None)
    result = site.run()
    assert (result["copied"], site.stores(image), cloud.copies) == (0, "local", [])
    assert result["failures"][0]["reason"] == "its data end after 10 of 100 bytes"


# --- locks ------------------------------------------------------------------------------------------------------------


def test_a_dead_lock_is_returned_and_the_rest_is_copied(site: Site, cloud: FakeCopies) -> None:
    locked, other = cloud.put("locked", 7), cloud.put("other")
    task = cloud.lock(locked, silent=3600)
    started = time.monotonic()
    result = site.run(wait=60)
    assert time.monotonic() - started < 5
    (row,) = result["locked"]
    assert (row["image_id"], row["task_id"], row["size"]) == (locked, task, 7)
    assert "its task is processing, and has been silent for 36" in row["reason"]
    assert (result["copied"], result["waiting"], site.stores(other)) == (1, [], "local,objects")
    assert f"  {locked} locked: locked, " in "\n".join(result["table"])
    assert len([line for line in result["table"] if locked in line]) == 1


@pytest.mark.parametrize("silent", [3601, None])
def test_the_lock_of_a_dead_import_is_taken_over(site: Site, cloud: FakeCopies, silent: t.Optional[float]) -> None:
    image = cloud.put("locked")
    if silent is None:
        cloud.images[image][LOCK] = task = "task-of-old"
    else:
        task = cloud.lock(image, silent=silent)
    result = site.run(wait=0, dead_tasks=[task])
    assert (result["locked"], result["copied"], site.stores(image)) == ([], 1, "local,objects")
    assert LOCK not in cloud.images[image]


def test_the_lock_of_a_dead_import_is_lifted_where_its_copy_is_there(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("locked", store="local,objects")
    result = site.run(wait=0, dead_tasks=[cloud.lock(image, silent=3601)])
    assert (result["locked"], result["failures"], site.stores(image)) == ([], [], "local,objects")
    assert LOCK not in cloud.images[image]


@pytest.mark.parametrize("store", ["objects", "fast,objects", "fast"])
def test_the_lock_of_a_dead_import_is_lifted_from_an_image_that_is_not_to_be_copied(
    site: Site, cloud: FakeCopies, store: str
) -> None:
    cloud.stores.append("fast")
    image = cloud.put("locked", store=store)
    dead = cloud.lock(image, silent=3601)
    assert site.run(wait=0)["locked"][0]["task_id"] == dead
    result = site.run(wait=0, dead_tasks=[dead])
    assert (result["changed"], result["locked"], result["copied"], result["left"]) == (True, [], 0, 0)
    assert (LOCK in cloud.images[image], site.stores(image), cloud.copies) == (False, store, [])
    # Nobody has moved it, so nobody has to read it.
    assert image not in Journal(site.journal).read().images


def test_a_deactivated_image_that_is_not_to_be_copied_is_open_for_that_only_when_it_is_announced(
    site: Site, cloud: FakeCopies
) -> None:
    image = cloud.put("locked", store="objects", status="deactivated")
    dead = cloud.lock(image, silent=3601)
    result = site.run(wait=0, dead_tasks=[dead], announced_only=True)
    assert (result["announcements"][0]["image_id"], LOCK in cloud.images[image]) == (image, True)
    announce(site, result)
    result = site.run(wait=0, dead_tasks=[dead], announced_only=True)
    assert (result["announcements"], LOCK in cloud.images[image]) == ([], False)
    assert (states(site, image), cloud.images[image]["status"]) == (["due", "open", "closed"], "deactivated")


def test_a_lock_that_glance_does_not_lift_is_told_and_stops_nothing(site: Site, cloud: FakeCopies) -> None:
    image, other = cloud.put("locked", store="objects"), cloud.put("other")
    result = site.run(wait=0, dead_tasks=[cloud.lock(image, silent=0)])
    assert (result["copied"], LOCK in cloud.images[image]) == (1, True)
    assert site.stores(other) == "local,objects"
    assert image in "".join(map(str, result["warnings"]))


def test_an_image_whose_lock_glance_does_not_lift_has_not_come_too_late(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("locked")
    task = cloud.lock(image, silent=0)
    assert site.run(wait=0, dead_tasks=[task])["left"] == 1
    (left,) = site.left()
    assert (left["image_id"], left["reason"].split(",")[0], "late" in left) == (
        image,
        f"locked for the import {task}",
        False,
    )


def test_a_lock_that_another_import_has_taken_is_left_to_it(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("locked")
    cloud.lock(image, silent=0)
    result = site.run(wait=0, dead_tasks=["task-of-old"])
    assert ([row["image_id"] for row in result["locked"]], cloud.copies) == ([image], [])


def test_a_lock_whose_task_is_forgotten_is_dead(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("locked")
    cloud.images[image][LOCK] = "task-of-old"
    assert site.run(wait=60)["locked"][0]["task_id"] == "task-of-old"


@pytest.mark.parametrize("known", [False, True])
def test_a_lock_that_is_alive_is_waited_for(site: Site, cloud: FakeCopies, known: bool) -> None:
    image = cloud.put("locked")
    task = cloud.lock(image, silent=3600 if known else 0)
    later(0.3, lambda: cloud.images[image].pop(LOCK))
    result = site.run(wait=60, alive_tasks=[task] if known else [])
    assert (result["locked"], result["copied"], site.stores(image)) == ([], 1, "local,objects")


def test_uploads_are_waited_for(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("upload", status="saving")
    cloud.images[image].pop("stores")
    later(0.3, lambda: cloud.images[image].update(status="active", stores="local"))
    assert site.run(wait=60)["copied"] == 1


def test_uploads_are_not_waited_for_without_end(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("upload", status="saving")
    result = site.run(wait=0)
    assert [row["image_id"] for row in result["waiting"]] == [image]
    assert "saving: its data is on the way" in result["table"][1]


def test_a_copy_that_somebody_else_has_begun_is_not_disturbed(site: Site, cloud: FakeCopies) -> None:
    first, second = cloud.put("first", 9), cloud.put("second", 1)
    cloud.during[first] = lambda _image: cloud.lock(second, silent=0) and None
    result = site.run(transfers=1, endpoints={"one": cloud.endpoints["one"]})
    assert (result["copied"], result["failures"], result["waiting"]) == (1, [], [])
    assert [row["image_id"] for row in result["locked"]] == [second]


def test_a_lock_that_is_known_to_be_alive_is_no_dead_one(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("locked")
    result = site.run(wait=0, alive_tasks=[cloud.lock(image, silent=3600)])
    assert ([row["image_id"] for row in result["waiting"]], result["locked"]) == ([image], [])
    assert [row["reason"] for row in site.left()] == [f"locked for the import {cloud.images[image][LOCK]}"]


def test_what_is_not_copied_in_the_end_is_in_the_journal(site: Site, cloud: FakeCopies) -> None:
    locked, both = cloud.put("locked"), cloud.put("both", store="local,objects")
    elsewhere, upload = cloud.put("elsewhere", store="objects"), cloud.put("upload", status="saving", store=None)
    cloud.put("queued", status="queued", store=None)
    for image in (locked, both, elsewhere):
        cloud.lock(image, silent=3600)
    site.run()
    assert sorted(row["image_id"] for row in site.left()) == sorted([locked, both])
    assert all("locked for the import task-" in row["reason"] for row in site.left())
    assert all("silent for 36" in row["reason"] for row in site.left())
    assert {row["reason"].split(":")[0]: row["images"] for row in site.journal_state().others} == {
        "queued": 1,
        "saving": 1,
        "locked for an import, and not in local": 1,
    }
    report = Report(site.journal_state()).build()
    assert (report["verdict"]["status"], report["totals"]["waiting"]) == (2, 2)
    assert sorted((row["image_id"], row["state"]) for row in report["attention"]) == sorted(
        [(locked, "waiting"), (both, "waiting")]
    )
    for image in (locked, both, elsewhere):
        del cloud.images[image][LOCK]
    del cloud.images[upload]
    site.run()
    assert (site.left(), Report(site.journal_state()).build()["attention"]) == ([], [])


def test_image_that_is_deleted_or_copied_later_is_no_longer_left(site: Site, cloud: FakeCopies) -> None:
    gone, copied = cloud.put("gone"), cloud.put("copied")
    for image in (gone, copied):
        cloud.lock(image, silent=3600)
    site.run()
    with Journal(site.journal) as journal:
        journal.append("copy", image_id=gone, state="gone")
        assert [row["image_id"] for row in site.left()] == [copied]
        journal.append("copy", image_id=copied, state="done")
    assert site.left() == []


def test_a_copy_whose_controller_went_away_is_given_up_when_it_is_back(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one")
    cloud.fates[image] = ["never"]

    def go_away(_image: t.Any) -> None:
        later(0.1, lambda: cloud.leave("one"))
        later(0.4, lambda: cloud.come_back("one"))

    cloud.during[image] = go_away
    result = site.run()
    (row,) = result["locked"]
    assert (row["controller"], row["task_id"]) == ("one", "task-1")
    assert "Glance on one was away while it copied" in row["reason"]
    assert result["stopped"] == ""


def test_a_copy_that_is_silent_for_too_long_is_given_up(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one")
    cloud.fates[image] = ["never"]
    result = site.run(lock_age=1)
    assert [row["image_id"] for row in result["locked"]] == [image]
    assert "nothing was heard of it for 1 seconds" in result["locked"][0]["reason"]


def test_a_copy_that_makes_progress_is_alive_however_long_it_takes(
    site: Site, cloud: FakeCopies, monkeypatch: pytest.MonkeyPatch
) -> None:
    mib = 1024 * 1024
    monkeypatch.setattr(_switch_copy, "LEAST_RATE", 100 * mib)
    image = cloud.put("one", 20 * mib)
    cloud.fates[image] = ["slow"]
    result = site.run(lock_age=0)
    assert (result["locked"], result["copied"], site.stores(image)) == ([], 1, "local,objects")
    assert len(cloud.copies) == 1


@pytest.mark.parametrize(("copied", "seconds"), [(0, 60 + 10240 / 2), (1, 60 + 600)])
def test_silence_may_be_long_before_glance_writes_and_not_after(copied: int, seconds: float) -> None:
    image = _switch_plan.image_of({"id": "a", "size": 10240 * 1024 * 1024, "status": "active"})
    transfer = _switch_transfer.Transfer(image, "one", 1, bytes=copied)
    assert idle_copying()._patience_with(transfer) == seconds


# --- controllers ------------------------------------------------------------------------------------------------------


def test_one_controller_that_is_down_is_left_out(
    site: Site, cloud: FakeCopies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_switch_api, "FIRST_REST", 30.0)
    monkeypatch.setattr(_switch_api, "LONGEST_REST", 30.0)
    cloud.leave("one")
    for number in range(4):
        cloud.put(str(number))
    result = site.run()
    assert (result["copied"], result["failures"]) == (4, [])
    assert len(cloud.copied_through("two")) == 4


def test_without_any_controller_nothing_is_begun(site: Site, cloud: FakeCopies) -> None:
    cloud.leave("one", "two")
    cloud.put("one")
    assert "a service that is down" in site.run()["msg"]
    assert not os.path.exists(site.journal)


def test_a_network_that_is_cut_for_a_while(site: Site, cloud: FakeCopies) -> None:
    cloud.looks = 20
    image = cloud.put("one")

    def cut(_image: t.Any) -> None:
        later(0.05, lambda: cloud.leave("one", "two"))
        later(0.3, lambda: cloud.come_back("one", "two"))

    cloud.during[image] = cut
    result = site.run()
    assert result["stopped"] == ""
    # Whether it is alive still, only its controller can tell.
    assert result["copied"] + len(result["locked"]) == 1


def test_a_network_that_stays_cut_stops_it(site: Site, cloud: FakeCopies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_switch_copy, "SILENCE_SECONDS", 0.3)
    image = cloud.put("one", status="deactivated")
    cloud.fates[image] = ["never"]
    cloud.during[image] = lambda _image: later(0.05, lambda: cloud.leave("one", "two"))
    result = site.run()
    assert result["failed"]
    assert "a service that is down" in result["stopped"]
    assert result["open"] == [image]
    assert "it was deactivated, and is active still" in result["msg"]
    cloud.come_back("one", "two")
    cloud.images[image].pop(LOCK)
    assert site.run()["copied"] == 1
    assert cloud.images[image]["status"] == "deactivated"


def test_a_network_that_is_cut_before_anything_is_copied_stops_it(
    site: Site, cloud: FakeCopies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_switch_copy, "SILENCE_SECONDS", 0.3)
    cloud.put("one")
    copy_all = _switch_copy.Copying._copy_all

    def cut(copying: _switch_copy.Copying, images: list[_switch_plan.Image]) -> None:
        cloud.leave("one", "two")
        copy_all(copying, images)

    monkeypatch.setattr(_switch_copy.Copying, "_copy_all", cut)
    hang = threading.Timer(30, os.kill, (os.getpid(), signal.SIGTERM))
    hang.start()
    result = site.run()
    hang.cancel()
    assert (result["failed"], result["interrupted"]) == (True, False)
    assert "no controller has answered" in result["stopped"]


@pytest.fixture
def outage(site: Site, cloud: FakeCopies, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[float], None]:
    """Return what takes the database away for some seconds, longer than a request is repeated."""
    monkeypatch.setitem(_switch_api.RETRIES, "status_code_retries", 1)
    monkeypatch.setitem(_switch_api.RETRIES, "status_code_retry_delay", 0.01)

    def begin(seconds: float) -> None:
        cloud.without_database = True
        later(seconds, lambda: setattr(cloud, "without_database", False))

    return begin


def test_a_database_that_is_away_while_images_are_copied(
    site: Site, cloud: FakeCopies, outage: t.Callable[[float], None]
) -> None:
    cloud.looks = 20
    images = [cloud.put(str(number), status=status) for number, status in enumerate(["active", "deactivated"] * 3)]
    cloud.during[images[0]] = lambda _image: later(0.05, lambda: outage(0.5))
    result = site.run()
    assert (result["stopped"], result["copied"], result["locked"], result["open"]) == ("", 6, [], [])
    assert len(cloud.copies) == 6


@pytest.mark.parametrize("status", ["saving", "active"])
def test_a_database_that_is_away_while_others_are_waited_for(
    site: Site,
    cloud: FakeCopies,
    monkeypatch: pytest.MonkeyPatch,
    outage: t.Callable[[float], None],
    status: str,
) -> None:
    image = cloud.put("one", store=None if status == "saving" else "local", status=status)
    if status == "active":
        cloud.lock(image, silent=0)

    def end() -> None:
        cloud.images[image].pop(LOCK, None)
        cloud.images[image].update(status="active", stores="local")

    def cut(copying: _switch_copy.Copying) -> bool:
        if not outages:
            outages.append(outage(0.5))
            later(0.8, end)
        return wait(copying)

    outages: list[None] = []
    wait = _switch_copy.Copying._wait
    monkeypatch.setattr(_switch_copy.Copying, "_wait", cut)
    result = site.run(wait=10)
    assert (result["stopped"], result["copied"]) == ("", 1)


def test_a_database_that_stays_away_stops_it(
    site: Site, cloud: FakeCopies, monkeypatch: pytest.MonkeyPatch, outage: t.Callable[[float], None]
) -> None:
    monkeypatch.setattr(_switch_copy, "SILENCE_SECONDS", 0.3)
    image = cloud.put("one")
    cloud.fates[image] = ["never"]
    cloud.during[image] = lambda _image: later(0.05, lambda: outage(60))
    result = site.run()
    assert result["failed"]
    assert "HTTP 500" in result["stopped"]
    assert "MariaDB is down" in result["stopped"]


def test_without_a_database_nothing_is_begun(site: Site, cloud: FakeCopies, outage: t.Callable[[float], None]) -> None:
    outage(60)
    cloud.put("one")
    assert "MariaDB is down" in site.run()["msg"]
    assert not os.path.exists(site.journal)


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_at_once_and_a_further_run_goes_on(site: Site, cloud: FakeCopies, number: int) -> None:
    slow, closed = cloud.put("slow", 100), cloud.put("closed", 90, status="deactivated")
    others = [cloud.put(str(size), size) for size in range(5)]
    cloud.fates = {slow: ["never"], closed: ["never"]}
    cloud.during[closed] = lambda _image: later(0.1, lambda: os.kill(os.getpid(), number))
    started = time.monotonic()
    result = site.run(transfers=1)
    assert time.monotonic() - started < 5
    assert (result["failed"], result["interrupted"], result["changed"]) == (True, True, True)
    assert signal.Signals(number).name in result["stopped"]
    assert (site.lines("phase")[-1]["state"], cloud.images[closed]["status"]) == ("interrupted", "deactivated")
    assert {image for _controller, image in cloud.copies} == {slow, closed}
    for image in (slow, closed):
        cloud.images[image].pop(LOCK)
    again = site.run()
    assert (again["copied"], cloud.images[closed]["status"]) == (7, "deactivated")
    assert all(site.stores(image) == "local,objects" for image in [slow, closed, *others])


@pytest.mark.parametrize("status", ["active", "deactivated"])
def test_what_glance_copies_after_an_interruption_is_closed_once_more(
    site: Site, cloud: FakeCopies, status: str
) -> None:
    image = cloud.put("closed", status="deactivated")
    cloud.fates[image] = ["never"]
    cloud.during[image] = lambda _image: later(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM))
    result = site.run()
    assert (result["open"], cloud.images[image]["status"]) == ([image], "deactivated")
    # It activates what it has found deactivated before it began to stage it.
    cloud.images[image].pop(LOCK)
    cloud.images[image].update(status=status, stores="local,objects")
    again = site.run()
    assert (again["copied"], again["open"], cloud.images[image]["status"]) == (0, [], "deactivated")
    assert Journal(site.journal).read().open_images() == []


def test_what_is_given_up_and_may_be_copied_still_is_closed_once_more(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("closed", status="deactivated")
    cloud.fates[image] = ["never"]
    result = site.run(lock_age=0)
    assert ([row["image_id"] for row in result["locked"]], result["open"]) == ([image], [image])
    assert cloud.images[image]["status"] == "deactivated"
    dead = cloud.images[image][LOCK]
    cloud.tasks[image][0]["updated_at"] = "2020-01-01T00:00:00.000000"
    again = site.run(dead_tasks=[dead], announced_only=True)
    assert (again["copied"], again["open"], cloud.images[image]["status"]) == (1, [], "deactivated")


@pytest.mark.parametrize("playbook", ["ansible-playbook switch", None])
def test_what_was_interrupted_writes_the_reports_itself(
    site: Site, cloud: FakeCopies, playbook: t.Optional[str]
) -> None:
    image = cloud.put("slow")
    cloud.fates[image] = ["never"]
    cloud.during[image] = lambda _image: later(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM))
    result = site.run(playbook=playbook)
    path = os.path.join(site.journal, "report.json")
    assert os.path.exists(path) == os.path.exists(path.replace("json", "html")) == bool(playbook)
    if playbook:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        assert (report["verdict"]["title"], report["totals"]["images"]) == ("Stopped in copy", 1)
        assert report["commands"]["go_on"].startswith("ansible-playbook switch -e")
        assert path in result["table"][-1]
        assert site.lines("verdict")[-1]["status"] == 1


def test_it_ends_with_those_who_started_it(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one")
    cloud.fates[image] = ["never"]
    with subprocess.Popen(["sleep", "60"]) as process:
        cloud.during[image] = lambda _image: later(0.1, lambda: (process.kill(), process.wait()))
        result = site.run(watched_processes=[os.getpid(), process.pid])
    assert (result["interrupted"], result["stopped"]) == (
        True,
        "interrupted: the run of Ansible that started it is gone",
    )


def test_a_second_run_at_the_same_time_is_refused(site: Site, cloud: FakeCopies) -> None:
    cloud.put("one")
    with Journal(site.journal):
        assert "another run is writing it" in site.run()["msg"]
    assert cloud.copies == []


# --- control ----------------------------------------------------------------------------------------------------------


def test_it_pauses_and_goes_on_by_a_file(site: Site, cloud: FakeCopies, tmp_path: t.Any) -> None:
    control = tmp_path / "control.json"
    control.write_text('{"paused": true}')
    cloud.put("one")
    begun: list[int] = []

    def go_on() -> None:
        begun.append(len(cloud.copies))
        control.write_text("transfers: 1\n")

    later(0.4, go_on)
    assert site.run(control_file=str(control))["copied"] == 1
    assert begun == [0]


def test_transfers_are_changed_by_a_file(site: Site, cloud: FakeCopies, tmp_path: t.Any) -> None:
    control = tmp_path / "control.json"
    control.write_text('{"transfers": 3}')
    cloud.looks = 9
    for number in range(8):
        cloud.put(str(number))
    site.run(transfers=1, control_file=str(control))
    assert cloud.at_once == 6


def test_a_wrong_file_changes_nothing_and_is_told(
    site: Site, cloud: FakeCopies, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(store_copy.AnsibleModule, "warn", lambda _module, text: warnings.append(text))
    control = tmp_path / "control.json"
    control.write_text('{"pause": true}')
    cloud.put("one")
    assert site.run(control_file=str(control))["copied"] == 1
    assert warnings == ["The control file is not used as it is: pause is none of paused, transfers, bandwidth."]


def test_bandwidth_holds_on_the_average(site: Site, cloud: FakeCopies) -> None:
    for number in range(4):
        cloud.put(str(number), 3000)
    started = time.monotonic()
    site.run(bandwidth=10000)
    # 12000 bytes; the last one starts when all but a second's worth of the others is paid for.
    assert time.monotonic() - started > 0.55


def test_staging_holds_back(site: Site, cloud: FakeCopies) -> None:
    cloud.looks = 5
    for number in range(4):
        cloud.put(str(number), 100)
    result = site.run(transfers=4, capacity={"staging": {"one": 150, "two": 150}})
    assert (result["copied"], cloud.at_once) == (4, 2)


def test_room_that_is_watched_holds_back(site: Site, cloud: FakeCopies, tmp_path: t.Any) -> None:
    room = tmp_path / "room"
    tell_room(room, one=150, two=150)
    cloud.looks = 5
    for number in range(4):
        cloud.put(str(number), 100)
    # What was measured when it began is out of date.
    result = site.run(transfers=4, capacity={"staging": {"one": 10**6, "two": 10**6}}, room_file=str(room))
    assert (result["copied"], cloud.at_once) == (4, 2)


def test_room_that_nobody_looks_at_any_more_is_not_known(site: Site, cloud: FakeCopies, tmp_path: t.Any) -> None:
    room = tmp_path / "room"
    tell_room(room, age=61, one=0, two=0)
    cloud.put("large", 100)
    result = site.run(capacity={"staging": {"one": 150, "two": 150}}, room_file=str(room))
    assert (result["copied"], result["failures"]) == (1, [])


@pytest.mark.parametrize("text", ["", "[]", '{"one": 5}', '{"one": {"free": 5}}', '{"one": {"free": "x", "at": "y"}}'])
def test_room_file_that_says_nothing_is_no_error(tmp_path: t.Any, text: str) -> None:
    (tmp_path / "room").write_text(text)
    assert read_rooms(str(tmp_path / "room")) == {}


def test_copies_go_on_when_there_is_room_again(site: Site, cloud: FakeCopies, tmp_path: t.Any) -> None:
    room, seen = tmp_path / "room", tmp_path / "progress"
    tell_room(room, one=99, two=0)
    cloud.put("large", 100)
    lines: list[str] = []

    def make_room() -> None:
        end = time.monotonic() + 20
        while not any("no room" in line for line in lines) and time.monotonic() < end:
            time.sleep(0.01)
            progress = read_copy_progress(str(seen))
            lines.append(progress.line() if progress is not None else "")
        tell_room(room, one=100, two=0)

    other = threading.Thread(target=make_room)
    other.start()
    result = site.run(room_file=str(room), progress_file=str(seen))
    other.join()
    assert (result["copied"], result["failures"]) == (1, [])
    assert "no room to stage large (100 B): one has 99 B free, two has 0 B free" in lines[-1]


def test_image_without_room_is_given_up_in_the_end(
    site: Site, cloud: FakeCopies, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_switch_copy, "ROOM_SECONDS", 0.5)
    room = tmp_path / "room"
    tell_room(room, one=50, two=20)
    large, small = cloud.put("large", 100), cloud.put("small", 10)
    result = site.run(room_file=str(room))
    assert result["copied"] == 1
    assert [(row["image_id"], row["attempts"]) for row in result["failures"]] == [(large, 1)]
    assert "no controller had room to stage it" in result["failures"][0]["reason"]
    assert "one has 50 B free, two has 20 B free" in result["failures"][0]["reason"]
    assert (site.state(large).copy["state"], site.state(small).copy["state"]) == ("failed", "done")


@pytest.mark.parametrize(("free", "figures"), [({}, ""), ({"one": 5}, " (one has 5 B free)")])
def test_image_without_room_names_the_figures_that_are_known(free: dict[str, int], figures: str) -> None:
    copying = idle_copying()
    copying._free = free
    image = _switch_plan.image_of({"id": "a", "name": "large", "size": 100, "status": "active"})
    copying._give_up_held(_switch_copy.Pending(image))
    reason = copying.outcome.failures["a"]["reason"]
    assert reason == f"no controller had room to stage it for 300 seconds{figures}"


def test_progress_is_written(site: Site, cloud: FakeCopies, tmp_path: t.Any) -> None:
    image = cloud.put("one", 1000)
    site.run(progress_file=str(tmp_path / "progress"))
    progress = read_copy_progress(str(tmp_path / "progress"))
    assert progress is not None
    assert (progress.images, progress.images_total, progress.bytes) == (1, 1, 1000)
    assert image in cloud.images


def test_names_do_not_reach_the_terminal_as_they_are() -> None:
    copying = idle_copying()
    copying._free = {"one": 0}
    image = _switch_plan.image_of({"id": "a", "name": "\x1b[2J\r\u202ered", "size": 100, "status": "active"})
    copying._held = image
    copying._transfers = {"a": _switch_transfer.Transfer(image, "one", 1)}
    copying._controllers.seconds_of_silence = 0.0  # type: ignore[misc]
    line = copying.progress().line()
    assert line.count("\\x1b[2J\\x0d\\u202ered") == 2
    assert line.isprintable()


# --- the plan ---------------------------------------------------------------------------------------------------------


def test_check_mode_is_the_plan(site: Site, cloud: FakeCopies) -> None:
    cloud.put("copy", 1000)
    cloud.put("done", 50, store="local,objects")
    cloud.put("other", 5, store="objects")
    queued, saving = cloud.put("queued", status="queued"), cloud.put("saving", status="saving")
    result = site.run(check=True, rate=100, capacity={"target": 2000})
    plan = result["plan"]
    assert (result["changed"], plan["images"], plan["bytes"], plan["copied"], plan["elsewhere"]) == (
        True,
        1,
        1000,
        1,
        1,
    )
    assert (plan["seconds_estimated"], plan["fits"]) == (10, True)
    assert [row["image_id"] for row in plan["blocked"] + plan["waiting"]] == [queued, saving]
    assert result["table"][:3] == ["Switch from local to objects:", "  to copy: 1 images, 1000 B", result["table"][2]]
    assert (cloud.copies, os.path.exists(site.journal)) == ([], False)
    assert "copied" not in result


def test_the_measured_rate_wins(site: Site, cloud: FakeCopies) -> None:
    cloud.put("one", 1000)
    site.run()
    cloud.put("two", 1000)
    rate = site.run(check=True, rate=1)["plan"]["rate"]
    assert rate == site.lines("sample")[-1]["rate"]


def test_the_plan_of_a_service_in_single_store_form(site: Site, cloud: FakeCopies) -> None:
    cloud.stores = None
    cloud.put("one", 1000, store=None)
    result = site.run(check=True)
    assert (result["plan"]["images"], result["plan"]["blocked"]) == (1, [])
    assert "single-store form" in result["table"][1]
    assert "in single-store form, in which nothing can be copied" in site.run()["msg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "local"}, "source and target are both 'local'"),
        ({"target": "objekts"}, r"there is no store 'objekts' \(did you mean objects\?\); there are local, objects"),
        ({"source": "old"}, "there is no store 'old'"),
        ({"endpoints": {}}, "endpoints is empty"),
        ({"transfers": 0}, "transfers is 0"),
        ({"transfers": 33}, "give a number from 1 to 32"),
        ({"bandwidth": -1}, "bandwidth is -1"),
        ({"capacity": {"target": 999}}, "it has room for 999 B, and 1000 B are needed"),
    ],
)
def test_what_cannot_be_is_refused_before_anything(
    site: Site, cloud: FakeCopies, options: dict[str, t.Any], message: str
) -> None:
    cloud.put("one", 1000)
    result = site.run(**options)
    assert result["failed"]
    assert re.search(message, result["msg"]), result["msg"]
    assert cloud.copies == []


def test_what_does_not_fit_can_be_left_behind(site: Site, cloud: FakeCopies) -> None:
    large, small = cloud.put("large", 1000), cloud.put("small", 10)
    result = site.run(capacity={"target": 10}, leave_behind=[large])
    assert not result.get("failed"), result
    assert [image for _controller, image in cloud.copies] == [small]
    assert result["blocked"] == []
    assert [(row["image_id"], row["attention"]) for row in result["left_behind"]] == [(large, False)]
    assert site.lines("plan")[-1]["blocked"] == []
    site.run(capacity={"target": 10}, leave_behind=[large])
    told = [{"image_id": large, "name": "large", "size": 1000}]
    assert [line["images"] for line in site.lines("left_behind")] == [told]
    site.run()
    assert [line["images"] for line in site.lines("left_behind")] == [told, []]


def test_a_read_only_target_is_refused(site: Site, cloud: FakeCopies) -> None:
    cloud.read_only = ["objects"]
    assert "the store 'objects' is read-only" in site.run()["msg"]


def test_without_copy_image_nothing_is_begun(site: Site, cloud: FakeCopies) -> None:
    cloud.methods = ["glance-direct"]
    assert "add copy-image to glance_import_methods" in site.run()["msg"]


def test_a_journal_of_another_switch_is_refused(site: Site, cloud: FakeCopies) -> None:
    with Journal(site.journal) as journal:
        journal.append("switch", **{"id": "1", "from": "objects", "to": "local"})
    cloud.put("one")
    assert "it is of a switch from objects to local" in site.run()["msg"]
    assert cloud.copies == []


def test_a_lost_journal_is_written_again(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one")
    site.run()
    os.remove(os.path.join(site.journal, "journal.jsonl"))
    assert not site.run()["changed"]
    assert (site.state(image).is_copied, site.state(image).facts["name"]) == (True, "one")
    assert [line.get("found") for line in site.lines("copy")] == [True]


@pytest.mark.parametrize("way", ["retired too", "in both"])
def test_a_second_round_knows_nothing_of_the_first(site: Site, cloud: FakeCopies, way: str) -> None:
    image, gone = cloud.put("one"), cloud.put("gone")
    site.run()
    with Journal(site.journal) as journal:
        for each in (image, gone):
            journal.append("verify", image_id=each, state="done", proof="reader")
        journal.append("phase", phase="cut_over", state="finished")
        for each in (image, gone):
            journal.append("retire", image_id=each, state="done")
    assert Report(site.journal_state()).build()["totals"]["retired"] == 2
    # The way back has its own journal.
    cloud.images[image]["stores"] = "local" if way == "retired too" else "local,objects"
    del cloud.images[gone]
    time.sleep(0.01)
    result = site.run()
    assert result["copied"] == (1 if way == "retired too" else 0)
    assert [known.id for known in site.journal_state().to_verify()] == [image]
    report = Report(site.journal_state()).build()
    assert (report["totals"]["images"], report["totals"]["retired"], report["totals"]["retries"]) == (1, 0, 0)
    assert "nothing has been cut over" in report["verdict"]["text"]


def test_a_copy_that_the_new_store_has_no_longer_is_not_taken_for_verified(site: Site, cloud: FakeCopies) -> None:
    image = cloud.put("one")
    site.run()
    with Journal(site.journal) as journal:
        journal.append("verify", image_id=image, state="done", proof="reader")
    cloud.images[image]["stores"] = "local"
    cloud.lock(image, silent=3600)
    site.run()
    assert not site.state(image).is_verified
    assert [row["image_id"] for row in site.left()] == [image]


def test_two_thousand_images_are_planned_with_few_requests(site: Site, cloud: FakeCopies) -> None:
    for number in range(2000):
        cloud.put(str(number))
    cloud.requests.clear()
    started = time.monotonic()
    result = site.run(check=True)
    assert result["plan"]["images"] == 2000
    assert len([request for request in cloud.requests if "/images" in request.path]) == 5
    assert time.monotonic() - started < 30
