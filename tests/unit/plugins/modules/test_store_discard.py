# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_discard, driven through main() against two controllers on the loopback interface."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Journal, State
from ansible_collections.openstack_ops.glance.plugins.modules import store_discard
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import Request
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_copies import LOCK, FakeCopies

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule


class Cloud(FakeCopies):
    """Deletes the data of an image in one store, where the image is active."""

    def __init__(self) -> None:
        super().__init__()
        self.deletions: list[tuple[str, str]] = []
        self.refused = ""

    def answer(self, request: Request) -> tuple[int, t.Any]:
        """Answer everything."""
        parts = request.path.strip("/").split("/")
        if request.method != "DELETE" or parts[2:3] != ["stores"]:
            return super().answer(request)
        store, image = parts[3], self.images[parts[4]]
        if image["id"] == self.refused:
            return 409, "not now"
        if image["status"] != "active":
            return 409, "It's not allowed to remove image data from store if image status is not 'active'"
        self.deletions.append((store, image["id"]))
        image["stores"] = ",".join(name for name in image["stores"].split(",") if name != store)
        return 204, None


class Site:
    """The cloud, the journal, and the module."""

    def __init__(self, cloud: Cloud, directory: str, run_module: RunModule) -> None:
        self.cloud = cloud
        self._directory = directory
        self._run_module = run_module

    def wrong(self, name: str, stores: str = "local,objects", **attributes: t.Any) -> str:
        """Put an image there whose copy was read and found wrong."""
        image_id = self.cloud.put(name, store=stores, **attributes)
        self.note("image", image_id, name=name, size=100)
        self.note("copy", image_id, state="done")
        self.note("verify", image_id, state="failed", reason="short")
        return image_id

    def note(self, event: str, image_id: str, **facts: t.Any) -> None:
        """Write a line about an image."""
        with Journal(self._directory) as journal:
            journal.append(event, image_id=image_id, **facts)

    def state(self) -> State:
        """Return what the journal tells."""
        return Journal(self._directory).read()

    def run(
        self, good: t.Iterable[str] = (), bad: t.Iterable[str] = (), check: bool = False, **more: t.Any
    ) -> dict[str, t.Any]:
        """Run the module, with images that are right in the old store and some that are not."""
        results = [{"event": "verify", "image_id": image_id, "state": "done"} for image_id in good]
        results += [
            {"event": "verify", "image_id": image_id, "state": "failed", "reason": "HTTP 204"} for image_id in bad
        ]
        options = {
            **self.cloud.auth,
            "endpoints": self.cloud.endpoints,
            "source": "local",
            "target": "objects",
            "journal": self._directory,
            "source_results": results,
            **more,
        }
        return self._run_module(store_discard, options, check=check)


@pytest.fixture
def site(tmp_path: Path, run_module: RunModule) -> t.Iterator[Site]:
    with Cloud() as cloud:
        yield Site(cloud, str(tmp_path / "journal"), run_module)


def reasons(result: dict[str, t.Any]) -> list[str]:
    """Return why copies were left."""
    return [row["reason"] for row in result["left"]]


def test_copy_is_taken_away_when_the_old_store_has_the_image(site: Site) -> None:
    image_id = site.wrong("cirros")
    result = site.run(good=[image_id])
    assert result["changed"]
    assert result["discarded"] == [{"image_id": image_id, "name": "cirros"}]
    assert site.cloud.deletions == [("objects", image_id)]
    assert site.state().to_verify() == []
    assert not site.run(good=[image_id])["changed"]


def test_nothing_is_taken_away_in_check_mode(site: Site) -> None:
    image_id = site.wrong("cirros")
    assert site.run(good=[image_id], check=True)["changed"]
    assert site.cloud.deletions == []


@pytest.mark.parametrize("read", [{"bad": True}, {}])
def test_copy_stays_when_the_old_store_is_not_known_to_be_right(site: Site, read: dict[str, bool]) -> None:
    image_id = site.wrong("cirros")
    result = site.run(bad=[image_id] if read else [])
    assert not result["changed"]
    assert reasons(result) == ["in the old store: HTTP 204" if read else "its data in the old store was not read"]
    assert site.state().discarded() == []
    assert site.cloud.deletions == []


def test_copy_stays_that_is_the_only_one_or_is_worked_on(site: Site) -> None:
    alone, locked = site.wrong("alone", stores="objects"), site.wrong("locked", **{LOCK: "task-7"})
    result = site.run(good=[alone, locked])
    assert sorted(reasons(result)) == ["it is in objects alone", "it is locked for the import task-7"]
    assert site.cloud.deletions == []


def test_copy_that_is_right_is_not_touched(site: Site) -> None:
    image_id = site.wrong("cirros")
    site.note("verify", image_id, state="done")
    assert not site.run(good=[image_id])["changed"]
    assert site.cloud.deletions == []


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        # It may be right: nobody has read it.
        ("verify", {"state": "failed", "reason": "HTTP 503", "passing": True}),
        # After a switch back, this is the old store, with what was there before.
        ("copy", {"state": "done", "found": True}),
    ],
)
def test_what_may_be_an_original_or_right_is_not_touched(site: Site, event: str, facts: dict[str, t.Any]) -> None:
    image_id = site.wrong("cirros")
    site.note(event, image_id, **facts)
    assert not site.run(good=[image_id])["changed"]
    assert site.cloud.deletions == []
    assert [image.id for image in site.state().wrong()] == [image_id]


def test_deactivated_image_is_deactivated_again(site: Site) -> None:
    image_id = site.wrong("cirros", status="deactivated")
    assert site.run(good=[image_id])["changed"]
    assert site.cloud.deletions == [("objects", image_id)]
    assert site.cloud.images[image_id]["status"] == "deactivated"
    assert site.state().open_images() == []


def test_deactivated_image_waits_until_it_is_announced(site: Site) -> None:
    quiet, active = site.wrong("quiet", status="deactivated"), site.wrong("active")
    first = site.run(good=[quiet, active], announced_only=True)
    assert [image["image_id"] for image in first["discarded"]] == [active]
    assert site.state().discarded() == [active]
    assert first["announcements"] == [{"event": "reactivated", "image_id": quiet, "state": "due"}]
    assert (first["left"], site.state().open_images()) == ([], [])
    site.note("reactivated", quiet, state="due")
    second = site.run(good=[quiet], announced_only=True)
    assert [image["image_id"] for image in second["discarded"]] == [quiet]
    assert (second["announcements"], site.cloud.images[quiet]["status"]) == ([], "deactivated")
    # All calls together, until they are copied again.
    assert sorted(site.state().discarded()) == sorted([quiet, active])
    site.note("copy", active, state="started")
    assert site.state().discarded() == [quiet]
    assert site.state().announced() == frozenset()


def test_announcement_is_taken_back_when_nothing_came_of_it(site: Site) -> None:
    image_id = site.wrong("cirros", status="deactivated")
    site.note("reactivated", image_id, state="due")
    site.cloud.images[image_id]["status"] = "active"
    assert site.run(good=[image_id], announced_only=True)["changed"]
    assert site.state().announced() == frozenset()


def test_image_that_was_deleted_is_noted_as_gone(site: Site) -> None:
    image_id = site.wrong("cirros")
    del site.cloud.images[image_id]
    result = site.run(good=[image_id])
    assert (result["changed"], [row["image_id"] for row in result["gone"]]) == (False, [image_id])
    assert site.state().images[image_id].verify["state"] == "gone"


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ("copy", {"state": "done", "found": True}),
        ("verify", {"state": "failed", "reason": "reading broke off", "passing": True}),
    ],
)
def test_original_that_was_deleted_is_noted_as_gone(site: Site, event: str, facts: dict[str, t.Any]) -> None:
    there, deleted = site.wrong("there"), site.wrong("deleted")
    for image_id in (there, deleted):
        site.note(event, image_id, **facts)
        site.note("verify", image_id, state="failed", reason="HTTP 404", passing=facts.get("passing", False))
    del site.cloud.images[deleted]
    result = site.run(source_results=[])
    assert [row["image_id"] for row in result["gone"]] == [deleted]
    assert (result["changed"], result["left"]) == (False, [])
    assert [image.id for image in site.state().wrong()] == [there]


def test_refusal_of_glance_does_not_stop_the_others(site: Site) -> None:
    refused, fine = site.wrong("a"), site.wrong("b")
    site.cloud.refused = refused
    result = site.run(good=[refused, fine])
    assert [row["image_id"] for row in result["discarded"]] == [fine]
    assert "not now" in reasons(result)[0]
