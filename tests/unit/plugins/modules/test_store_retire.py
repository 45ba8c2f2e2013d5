# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_retire, driven through main() against two controllers on the loopback interface."""

from __future__ import annotations

import json
import os
import signal
import time
import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _switch_api,
    _switch_journal,
    _switch_retire,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, Journal, State
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_progress import read_copy_progress
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_report import Report
from ansible_collections.openstack_ops.glance.plugins.modules import store_retire
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import Request
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_copies import CONTROLLERS, LOCK, FakeCopies

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

DAY = 86400.0


class FakeStores(FakeCopies):
    """Deletes the data of images in one store, too."""

    def __init__(self) -> None:
        super().__init__()
        self.default = "objects"
        self.deletions: list[str] = []
        """The images whose data was deleted in a store."""
        self.before_deletion: t.Callable[[dict[str, t.Any]], t.Any] = lambda image: None
        self.refusals: dict[str, tuple[int, str]] = {}
        self.keeps: set[str] = set()
        """The images that it lists afterwards as before."""

    def answer(self, request: Request) -> tuple[int, t.Any]:
        """Answer everything."""
        parts = request.path.strip("/").split("/")
        if parts[0] in CONTROLLERS and parts[2:3] == ["stores"] and parts[0] not in self.away:
            assert request.method == "DELETE"
            return self._delete_location(parts[3], self.images.get(parts[4]))
        return super().answer(request)

    def _store_records(self) -> tuple[int, t.Any]:
        status, answer = super()._store_records()
        for store in answer["stores"]:
            store.update({"default": "true"} if store["id"] == self.default else {})
        return status, answer

    def _delete_location(self, store: str, image: t.Optional[dict[str, t.Any]]) -> tuple[int, t.Any]:
        if image is None:
            return 404, "No image found"
        self.before_deletion(image)
        if image["id"] in self.refusals:
            return self.refusals[image["id"]]
        stores = image["stores"].split(",")
        if image["status"] != "active":
            return 409, "It's not allowed to remove image data from store if image status is not 'active'"
        if store not in stores:
            return 404, "Image is not stored there"
        if len(stores) == 1:
            return 403, "Cannot delete image data from the only store containing it"
        self.deletions.append(image["id"])
        if image["id"] not in self.keeps:
            image["stores"] = ",".join(name for name in stores if name != store)
        return 204, None


class Site:
    """The cloud, the journal, and the module."""

    def __init__(self, cloud: FakeStores, directory: str, run_module: RunModule) -> None:
        self.cloud = cloud
        self.directory = directory
        self.journal = os.path.join(directory, "local-objects")
        self._run_module = run_module
        self.note("switch", **{"from": "local", "to": "objects", "controllers": list(CONTROLLERS)})

    def note(self, event: str, **facts: t.Any) -> None:
        """Write into the journal."""
        with Journal(self.journal) as journal:
            journal.append(event, **facts)

    def cut_over(self, **facts: t.Any) -> None:
        """Note that the cut-over is finished."""
        self.note("phase", phase="cut_over", state="finished", **facts)

    def put(self, name: str, size: int = 100, *, verified: bool = True, proof: str = "reader", **facts: t.Any) -> str:
        """Put an image into both stores, and note that its copy was verified."""
        image_id = self.cloud.put(name, size, store=facts.pop("stores", "local,objects"), **facts)
        image = self.cloud.images[image_id]
        self.note("copy", image_id=image_id, state="started", controller="one", attempt=1)
        self.note("copy", image_id=image_id, state="done", controller="one", attempt=1)
        if verified:
            self.verify(image_id, proof=proof, value=image.get("os_hash_value"), size=size)
        return image_id

    def verify(self, image_id: str, **facts: t.Any) -> None:
        """Note that a copy was read back."""
        self.note("verify", image_id=image_id, **{"state": "done", "proof": "reader", "algo": "sha512", **facts})

    def run(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Run the module."""
        args = {
            **self.cloud.auth,
            "endpoints": self.cloud.endpoints,
            "source": "local",
            "target": "objects",
            "journal": self.journal,
            **options,
        }
        return self._run_module(store_retire, args, check=check)

    def plan(self, **options: t.Any) -> str:
        """Return the token of the plan."""
        return str(self.run(check=True, **options)["token"])

    def state(self) -> State:
        """Return what the journal tells."""
        return Journal(self.journal).read()

    def lines(self, event: str) -> list[Facts]:
        """Return the journal's lines of one kind."""
        with open(os.path.join(self.journal, "journal.jsonl"), encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["event"] == event]


@pytest.fixture
def cloud() -> t.Iterator[FakeStores]:
    with FakeStores() as running:
        yield running


@pytest.fixture
def site(cloud: FakeStores, tmp_path: t.Any, run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(_switch_api, "FIRST_REST", 0.02)
    monkeypatch.setattr(_switch_api, "LONGEST_REST", 0.05)
    return Site(cloud, str(tmp_path), run_module)


# --- deleting ---------------------------------------------------------------------------------------------------------


def test_what_was_verified_is_deleted_and_nothing_else(site: Site, cloud: FakeStores) -> None:
    cloud.page_size = 2
    ids = [
        site.put("one", 100),
        site.put("empty", 0),
        site.put("hidden", 50, os_hidden=True, protected=True),
        site.put("community", 60, visibility="community", proof="file"),
    ]
    new = cloud.put("uploaded since", store="objects")
    cloud.add("queued")
    # What a Glance leaves that is killed in the middle of a deletion.
    cloud.put("half deleted", store="local", status="deleted")
    site.cut_over()
    plan = site.run(check=True)
    assert (plan["changed"], plan["bytes"], len(plan["token"])) == (True, 210, 20)
    assert sorted(image["image_id"] for image in plan["images"]) == sorted(ids)
    assert cloud.deletions == []
    assert f"glance_switch_token={plan['token']}" in plan["table"][-1]
    result = site.run(token=plan["token"])
    assert (result["changed"], result["retired_bytes"], result["failures"]) == (True, 210, [])
    assert sorted(cloud.deletions) == sorted(ids)
    assert {cloud.images[image]["stores"] for image in [*ids, new]} == {"objects"}
    assert all(site.state().images[image].is_retired for image in ids)
    again = site.run(token=plan["token"])
    assert (again["changed"], again["retired"], len(cloud.deletions)) == (False, [], len(ids))
    assert not site.run()["changed"]


def test_deletion_is_in_the_journal_before_it_is_done(site: Site, cloud: FakeStores) -> None:
    image = site.put("one")
    site.cut_over()
    seen: list[str] = []
    cloud.before_deletion = lambda _image: seen.append(site.lines("retire")[-1]["state"])
    site.run(token=site.plan())
    assert seen == ["planned"]
    assert [line["state"] for line in site.lines("retire")] == ["planned", "done"]
    assert site.lines("retire")[0]["image_id"] == image


def test_image_without_a_hash_was_compared_with_its_source(site: Site, cloud: FakeStores) -> None:
    image = site.put("one", verified=False)
    cloud.images[image].update(os_hash_algo=None, os_hash_value=None)
    site.cut_over()
    site.verify(image, value="abc", size=100)
    assert "another hash" in site.run(check=True)["msg"]
    site.note("source_hash", image_id=image, algo="sha512", value="abc", size=100)
    # What Glance fills in with the copy.
    cloud.images[image].update(os_hash_algo="sha512", os_hash_value="other")
    assert "another hash" in site.run(check=True)["msg"]
    cloud.images[image].update(os_hash_algo="sha256", os_hash_value="of the same data")
    assert site.run(token=site.plan())["changed"]


def test_deactivated_image_is_deactivated_afterwards(site: Site, cloud: FakeStores) -> None:
    image = site.put("one", status="deactivated")
    site.cut_over()
    during: list[str] = []
    cloud.before_deletion = lambda seen: during.append(seen["status"])
    assert site.run(token=site.plan())["changed"]
    assert (during, cloud.images[image]["status"]) == (["active"], "deactivated")
    assert [line["state"] for line in site.lines("reactivated")] == ["open", "closed"]


def test_deactivated_image_waits_until_it_is_announced(site: Site, cloud: FakeStores) -> None:
    quiet, active = site.put("quiet", status="deactivated"), site.put("active")
    site.cut_over()
    token = site.plan()
    first = site.run(token=token, announced_only=True)
    assert [image["image_id"] for image in first["retired"]] == [active]
    assert first["announcements"] == [{"event": "reactivated", "image_id": quiet, "state": "due"}]
    assert site.state().phases["retire"]["state"] == "started"
    site.note("reactivated", image_id=quiet, state="due")
    second = site.run(token=token, announced_only=True)
    assert [image["image_id"] for image in second["retired"]] == [quiet]
    assert (second["announcements"], cloud.images[quiet]["status"]) == ([], "deactivated")
    assert site.state().phases["retire"]["state"] == "finished"
    assert site.state().announced() == frozenset()


def test_refusal_between_two_calls_says_what_is_deleted_already(site: Site, cloud: FakeStores) -> None:
    quiet = site.put("quiet", status="deactivated")
    for name in ("one", "two"):
        site.put(name)
    site.cut_over()
    token = site.plan()
    assert "retiring local, nothing was deleted" in site.run(token="x", announced_only=True)["msg"]
    site.run(token=token, announced_only=True)
    cloud.lock(quiet, silent=1)
    refused = site.run(token=token, announced_only=True)["msg"]
    assert "retiring local, nothing further was deleted after 2 images" in refused
    del cloud.images[quiet][LOCK]
    site.run(token=token)
    cloud.default = "local"
    assert "retiring local, nothing was deleted" in site.run(token=token)["msg"]


def test_what_failed_is_tried_again_with_what_was_announced(site: Site, cloud: FakeStores) -> None:
    quiet, used = site.put("quiet", status="deactivated"), site.put("used")
    site.cut_over()
    token = site.plan()
    cloud.refusals[used] = (409, "it is in use")
    assert site.run(token=token, announced_only=True)["failures"][0]["image_id"] == used
    site.note("reactivated", image_id=quiet, state="due")
    second = site.run(token=token, announced_only=True)
    assert second["failed"]
    assert [image["image_id"] for image in second["retired"]] == [quiet]
    assert [failure["image_id"] for failure in second["failures"]] == [used]


def test_deactivated_image_is_deactivated_even_when_its_deletion_fails(site: Site, cloud: FakeStores) -> None:
    image = site.put("one", status="deactivated")
    site.cut_over()
    cloud.refusals[image] = (500, "broken")
    assert site.run(token=site.plan())["failed"]
    assert cloud.images[image]["status"] == "deactivated"


def test_what_a_killed_run_left_active_is_deactivated_first(site: Site, cloud: FakeStores) -> None:
    image = site.put("one")
    site.cut_over()
    site.note("reactivated", image_id=image, state="open")
    site.plan()
    assert cloud.images[image]["status"] == "active"
    site.run()
    assert (cloud.images[image]["status"], site.state().open_images()) == ("deactivated", [])


# --- the token --------------------------------------------------------------------------------------------------------


def test_without_the_token_the_plan_and_the_command_are_shown(site: Site, cloud: FakeStores) -> None:
    site.put("one", 3 * 1024)
    site.cut_over()
    result = site.run(playbook="ansible-playbook -i here switch")
    assert result["failed"]
    assert "1 image with 3.0 KiB" in result["msg"]
    assert "ansible-playbook -i here switch -e glance_switch_from=local" in result["msg"]
    assert f"-e glance_switch_token={site.plan()}" in result["msg"]
    assert result["token"] == site.plan()
    assert cloud.deletions == []


@pytest.mark.parametrize("change", ["more", "fewer", "proof"])
def test_token_of_another_plan_deletes_nothing(site: Site, cloud: FakeStores, change: str) -> None:
    first = site.put("one")
    second = site.put("two")
    site.cut_over()
    token = site.plan()
    if change == "more":
        site.put("three")
    elif change == "fewer":
        del cloud.images[second]
    else:
        site.verify(first, proof="file", value=cloud.images[first]["os_hash_value"], size=100)
    result = site.run(token=token)
    assert f"the token {token} is that of another plan, the images have changed since" in result["msg"]
    assert cloud.deletions == []
    # A refusal has stopped nothing.
    assert "retire" not in site.state().phases
    assert site.run(token=site.plan())["changed"]
    assert site.state().phases["retire"]["state"] == "finished"


def test_same_token_goes_on_with_what_was_interrupted(site: Site, cloud: FakeStores) -> None:
    ids = [site.put(f"image {number}") for number in range(3)]
    site.cut_over()
    token = site.plan()
    # Killed after the first was deleted, before that was noted.
    site.note("retire", image_id=ids[0], state="planned", size=100)
    cloud.images[ids[0]]["stores"] = "objects"
    assert site.plan() == token
    assert len(site.run(token=token)["retired"]) == 2
    assert Report(site.state()).build()["totals"]["retired"] == 3


def test_what_a_killed_run_has_deleted_is_told_though_the_next_one_is_refused(site: Site, cloud: FakeStores) -> None:
    deleted, kept, gone = (site.put(name) for name in ("deleted", "kept", "gone"))
    site.cut_over()
    site.note("phase", phase="retire", state="started")
    for image in (deleted, kept, gone):
        site.note("retire", image_id=image, state="planned", size=100)
    cloud.images[deleted]["stores"] = "objects"
    del cloud.images[gone]
    site.put("came since", verified=False)
    result = site.run(token="any")
    assert "nothing further was deleted after 2 images" in result["msg"]
    assert [image.id for image in site.state().images.values() if image.is_retired] == [deleted, gone]


# --- what is refused --------------------------------------------------------------------------------------------------


def test_all_problems_are_in_one_error_and_nothing_is_deleted(site: Site, cloud: FakeStores) -> None:
    site.put("fine")
    unverified = site.put("unverified", verified=False)
    locked = site.put("locked")
    cloud.lock(locked, silent=1)
    single = site.put("single", stores="local")
    other = site.put("other\u202ename")
    cloud.images[other]["os_hash_value"] = "0" * 128
    short = site.put("short", 100)
    cloud.images[short]["size"] = 101
    site.cut_over()
    for result in (site.run(check=True), site.run(token="x")):
        assert result["failed"]
        assert "5 images must not be deleted there" in result["msg"]
        assert f"{unverified} (unverified) was not verified in objects" in result["msg"]
        assert f"{locked} (locked) is locked for the import {cloud.images[locked][LOCK]}" in result["msg"]
        assert f"{single} (single) has no copy in objects" in result["msg"]
        assert f"{other} (other\\u202ename) has another hash" in result["msg"]
        assert f"{short} (short) has 101 bytes, and 100 were verified" in result["msg"]
    assert cloud.deletions == []


def test_copy_that_was_made_again_has_to_be_verified_again(site: Site) -> None:
    image = site.put("one")
    site.cut_over()
    site.note("copy", image_id=image, state="started", controller="one", attempt=2)
    site.note("copy", image_id=image, state="done", controller="one", attempt=2)
    assert "was not verified" in site.run(check=True)["msg"]


def test_image_that_nobody_can_copy_may_be_left_behind(site: Site, cloud: FakeStores) -> None:
    fine = site.put("fine")
    bad = site.put("bad", stores="local", verified=False)
    site.cut_over()
    plan = site.run(check=True, leave_behind=[bad])
    assert "To stay in local, as glance_switch_leave_behind has it: 1 image." in plan["table"][-2]
    site.run(token=plan["token"], leave_behind=[bad])
    assert cloud.deletions == [fine]
    assert cloud.images[bad]["stores"] == "local"
    told = {"image_id": bad, "name": "bad", "size": 100}
    assert site.state().left_behind == {bad: {**told}}
    assert site.run(leave_behind=[bad])["changed"] is False
    assert [line["images"] for line in site.lines("left_behind")] == [[told]]
    assert Report(site.state()).build()["verdict"]["status"] == 0


def test_image_in_no_store_is_left_alone_and_told(site: Site, cloud: FakeStores) -> None:
    site.put("fine")
    cloud.put("lost", store=None)
    late = cloud.put("untagged", store=None)
    cloud.late_stores[late] = "local"
    site.cut_over()
    assert f"{late} (untagged) has no copy in objects" in site.run(check=True)["msg"]
    del cloud.images[late]
    result = site.run(check=True)
    assert any(
        "In no store that is configured, and left alone: 1 image." in line for line in result.get("table", [])
    ), result["msg"]


def test_default_store_is_never_retired(site: Site, cloud: FakeStores) -> None:
    site.put("one")
    site.cut_over()
    token = site.plan()
    cloud.default = "local"
    assert "it is the default store of the Glance of one" in site.run(token=token)["msg"]
    cloud.stores = ["objects"]
    assert "has no store local; it has objects" in site.run(token=token)["msg"]
    assert cloud.deletions == []


def test_cut_over_has_to_be_finished_on_every_controller(site: Site) -> None:
    site.put("one")
    refusal = "no cut-over that was finished on every controller"
    assert refusal in site.run(check=True)["msg"]
    site.cut_over(controller="one")
    assert refusal in site.run(check=True)["msg"]
    site.cut_over(controller="two")
    assert site.run(check=True)["changed"]
    site.note("phase", phase="cut_over", state="started", controller="one")
    assert refusal in site.run(check=True)["msg"]
    site.cut_over()
    assert site.run(check=True)["changed"]
    site.note("phase", phase="back", state="finished")
    assert refusal in site.run(check=True)["msg"]


def test_cut_over_of_an_earlier_round_does_not_count(site: Site, cloud: FakeStores) -> None:
    image = site.put("one")
    site.cut_over()
    site.run(token=site.plan())
    cloud.images[image]["stores"] = "local,objects"
    time.sleep(0.01)
    site.note("copy", image_id=image, state="started", controller="one", attempt=1)
    site.note("copy", image_id=image, state="done", controller="one", attempt=1)
    site.verify(image, value=cloud.images[image]["os_hash_value"], size=100)
    assert "no cut-over that was finished on every controller" in site.run(check=True)["msg"]
    site.cut_over()
    assert site.run(token=site.plan())["retired"][0]["image_id"] == image
    assert not site.run()["changed"]


def test_journal_of_another_switch_is_refused(site: Site, tmp_path: t.Any) -> None:
    site.put("one")
    site.cut_over()
    assert "it is of a switch from local to objects" in site.run(check=True, source="objects", target="local")["msg"]
    assert "there is none" in site.run(check=True, journal=str(tmp_path / "none"))["msg"]


# --- the quarantine ---------------------------------------------------------------------------------------------------


def test_quarantine_lasts_so_many_days_from_the_cut_over(
    site: Site, cloud: FakeStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = site.put("one")
    line = {"phase": "cut_over", "state": "finished"}
    now = time.time()
    with monkeypatch.context() as past:
        past.setattr(
            _switch_journal.Journal, "_line", staticmethod(lambda event, facts: _at(now - 3 * DAY, event, facts))
        )
        site.note("phase", **line)
    # A further run finds nothing to cut over.
    site.note("phase", **line)
    plan = site.run(check=True, quarantine_days=4)
    end = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now + DAY))
    assert (plan["changed"], plan["not_before"]) == (False, end)
    refused = site.run(token=plan["token"], quarantine_days=4)
    assert f"lasts until {end}" in refused["msg"]
    assert cloud.deletions == []
    site.run(token=plan["token"], quarantine_days=4)
    assert [line["state"] for line in site.lines("retire")] == ["quarantined"]
    assert site.run(token=plan["token"], quarantine_days=2)["retired"][0]["image_id"] == image


def test_a_controller_that_is_cut_over_again_begins_the_quarantine_anew(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put("one")
    past = time.time() - 3 * DAY
    with monkeypatch.context() as before:
        before.setattr(_switch_journal.Journal, "_line", staticmethod(lambda event, facts: _at(past, event, facts)))
        site.cut_over()
    assert not site.run(check=True, quarantine_days=1)["not_before"]
    site.note("phase", phase="cut_over", state="started", controller="one")
    site.cut_over(controller="one")
    assert site.run(check=True, quarantine_days=1)["not_before"]


def _at(seconds: float, event: str, facts: Facts) -> Facts:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return {"time": f"{moment}.{int(seconds % 1 * 1000):03}Z", "event": event, **facts}


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_one_that_cannot_be_deleted_does_not_stop_the_others(site: Site, cloud: FakeStores) -> None:
    fine, used, kept = site.put("fine"), site.put("used"), site.put("kept")
    site.cut_over()
    token = site.plan()
    cloud.refusals[used] = (409, "Image is in use, see https://user:secret@store/x")
    cloud.keeps.add(kept)
    result = site.run(token=token)
    assert (result["failed"], result["changed"]) == (True, True)
    assert "1 of 3 images done" in result["msg"]
    assert [image["image_id"] for image in result["retired"]] == [fine]
    reasons = {failure["image_id"]: failure["reason"] for failure in result["failures"]}
    assert "HTTP 409" in reasons[used]
    assert "secret" not in json.dumps(site.lines("retire"))
    assert "lists the image in local nevertheless" in reasons[kept]
    cloud.refusals.clear()
    cloud.keeps.clear()
    assert len(site.run(token=token)["retired"]) == 2


def test_what_is_in_use_is_kept_without_asking_glance(site: Site, cloud: FakeStores) -> None:
    fine, used = site.put("fine", 100), site.put("used", 50, status="deactivated")
    site.cut_over()
    in_use = {used: "it has 1 clone in Ceph, volumes/volume-1", "other": "it is none of these"}
    plan = site.run(check=True, in_use=in_use)
    assert (plan["bytes"], plan["token"]) == (100, site.plan())
    assert {image["image_id"]: image["in_use"] for image in plan["images"]} == {fine: "", used: in_use[used]}
    assert plan["table"][1:4] == [
        "To be deleted from local: 1 image with 100 B, all of it verified in objects.",
        "To stay in local until it is not in use any more: 1 image:",
        f"  {used} (used): {in_use[used]}",
    ]
    result = site.run(token=plan["token"], in_use=in_use, announced_only=True)
    assert (result["failed"], result["changed"], result["announcements"]) == (True, True, [])
    assert f"1 of 2 images done: {used}: {in_use[used]}. What to do" in result["msg"]
    assert cloud.deletions == [fine]
    assert [line["state"] for line in site.lines("retire") if line["image_id"] == used] == ["failed"]
    assert Report(site.state()).build()["attention"][0]["reason"] == in_use[used]
    assert [image["image_id"] for image in site.run(token=plan["token"])["retired"]] == [used]


def test_what_is_in_use_may_stay_for_ever(site: Site, cloud: FakeStores) -> None:
    fine, used = site.put("fine"), site.put("used")
    site.cut_over()
    in_use = {used: "it has clones"}
    assert site.run(token=site.plan(), in_use=in_use)["failed"]
    token = site.plan(in_use=in_use, leave_behind=[used])
    assert not site.run(token=token, in_use=in_use, leave_behind=[used]).get("failed")
    assert cloud.deletions == [fine]
    assert Report(site.state()).build()["attention"] == []


def test_plan_of_images_that_are_all_in_use_would_change_nothing(site: Site) -> None:
    used = site.put("used")
    site.cut_over()
    assert site.run(check=True, in_use={used: "it has clones"})["changed"] is False


def test_long_lists_of_what_is_in_use_are_cut(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_switch_retire, "SHOWN_PROBLEMS", 2)
    in_use = dict.fromkeys([site.put(f"image {number}") for number in range(5)], "it has clones")
    site.cut_over()
    plan = site.run(check=True, in_use=in_use)
    kept = [line for line in plan["table"] if line.startswith("  ")]
    assert (len(kept), kept[-1]) == (3, "  and 3 images more")
    failed = site.run(token=plan["token"], in_use=in_use)
    assert (failed["msg"].count("it has clones"), len(failed["failures"])) == (2, 5)
    assert "; and 3 more." in failed["msg"]


def test_what_changed_after_the_plan_is_not_touched(
    site: Site, cloud: FakeStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_switch_retire, "AT_ONCE", 1)
    first, second = site.put("one"), site.put("two")
    site.cut_over()
    token = site.plan()
    other = {first: second, second: first}
    cloud.before_deletion = lambda image: cloud.images[other[image["id"]]].update(stores="local")
    result = site.run(token=token)
    assert "it has changed meanwhile: it has no copy in objects" in result["msg"]
    asked = [request for request in cloud.requests if request.method == "DELETE"]
    assert len(asked) == len(cloud.deletions) == 1


def test_image_that_is_deleted_meanwhile_is_fine(site: Site, cloud: FakeStores) -> None:
    image = site.put("one")
    site.cut_over()
    token = site.plan()
    cloud.before_deletion = lambda seen: cloud.images.pop(seen["id"])
    result = site.run(token=token)
    assert [each["image_id"] for each in result["retired"]] == [image]


def test_image_that_was_deleted_since_it_was_verified_needs_no_attention(site: Site, cloud: FakeStores) -> None:
    site.put("kept")
    deleted = site.put("deleted")
    site.cut_over()
    del cloud.images[deleted]
    token = site.plan()
    # Before the deletion, old proofs are read once more.
    site.verify(deleted, state="failed", reason="HTTP 404: No image found")
    assert site.run(token=token)["changed"]
    report = Report(site.state()).build()
    assert (report["verdict"]["status"], report["totals"]["images"]) == (0, 1)


def test_controller_that_is_down_is_gone_round(site: Site, cloud: FakeStores) -> None:
    ids = [site.put(f"image {number}") for number in range(3)]
    site.cut_over()
    token = site.plan()
    cloud.before_deletion = lambda _image: cloud.away.add("one")
    assert len(site.run(token=token)["retired"]) == len(ids)


def test_nothing_is_deleted_any_more_when_no_controller_answers(site: Site, cloud: FakeStores) -> None:
    for number in range(20):
        site.put(f"image {number}")
    site.cut_over()
    token = site.plan()
    cloud.before_deletion = lambda _image: cloud.away.update(CONTROLLERS)
    result = site.run(token=token)
    assert "run it again with the same token" in result["msg"]
    assert len(cloud.deletions) < 20
    cloud.away.clear()
    cloud.before_deletion = lambda _image: None
    assert site.run(token=token)["changed"]
    assert sorted(set(cloud.deletions)) == sorted(cloud.images)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_ends_what_it_has_begun(site: Site, cloud: FakeStores, number: signal.Signals) -> None:
    ids = [site.put(f"image {count}", status="deactivated") for count in range(20)]
    site.cut_over()
    token = site.plan()

    def stop(_image: dict[str, t.Any]) -> None:
        cloud.before_deletion = lambda _image: time.sleep(0.05)
        os.kill(os.getpid(), number)
        time.sleep(0.05)

    cloud.before_deletion = stop
    result = site.run(token=token)
    assert f"the module was stopped by {number.name}" in result["msg"]
    assert 0 < len(result["retired"]) == len(cloud.deletions) < 20
    assert {image["status"] for image in cloud.images.values()} == {"deactivated"}
    assert site.state().open_images() == []
    assert len(site.run(token=token)["retired"]) == len(ids) - len(result["retired"])


def test_it_stops_when_ansible_is_gone(site: Site, cloud: FakeStores) -> None:
    for number in range(20):
        site.put(f"image {number}")
    site.cut_over()
    token = site.plan()
    cloud.before_deletion = lambda _image: time.sleep(0.2)
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    result = site.run(token=token, watched_processes=[os.getpid(), gone])
    assert "Ansible is gone" in result["msg"]
    assert len(cloud.deletions) < 20


def test_progress_is_written(site: Site, cloud: FakeStores, tmp_path: t.Any) -> None:
    site.put("one", 100)
    site.cut_over()
    path = str(tmp_path / "progress")
    site.run(token=site.plan(), progress_file=path)
    progress = read_copy_progress(path)
    assert progress is not None
    assert (progress.images, progress.bytes, progress.bytes_total) == (1, 100, 100)
    assert progress.line().startswith("Deleting from local: 1 of 1 images")
