# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Whatever was there and whatever is declared: check mode tells what a run does, one run reaches the state, and a
second run changes nothing.
"""

from __future__ import annotations

import copy
import hashlib
import os
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_catalog, _image_import, _image_source
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import AUTH_ARGUMENT_SPEC
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import OTHER_PROJECT, PROJECT, FakeCloud
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

HISTORIES = os.environ.get("HISTORIES", "")
"""How many random histories are played; empty for the few of the gate, which are always the same."""
NAMES = ("a", "b")
STORES = ("fast", "slow")
CONTENTS = (b"\1" * 600, b"\2" * 600, b"\3" * 900)
CATALOG_NOTE = "owner_specified.openstack_ops.catalog"
REPLACES_NOTE = "owner_specified.openstack_ops.replaces"
REPLACED_NOTE = "owner_specified.openstack_ops.replaced"

values = st.one_of(st.booleans(), st.integers(0, 9), st.sampled_from(["x", "a/b", "~", ""]), st.none())
attributes = st.fixed_dictionaries(
    {},
    optional={
        # Often shared, as only such an image has members.
        "visibility": st.sampled_from(["shared", "shared", "shared", "public", "private", "community"]),
        "accept_members": st.booleans(),
        "properties": st.dictionaries(st.sampled_from(["hw_a", "hw_b", "with/slash"]), values, max_size=3),
        "properties_mode": st.sampled_from(["merge", "exact"]),
        "tags": st.lists(st.sampled_from(["x", "y", "z"]), max_size=4),
        "protected": st.booleans(),
        "hidden": st.booleans(),
        "deactivated": st.booleans(),
        "min_disk": st.integers(0, 5),
        "min_ram": st.integers(0, 5),
        "keep": st.integers(0, 2),
    },
)
OWNERS = {PROJECT: ({}, {"owner": "admin"}), OTHER_PROJECT: ({"owner": "customer"}, {"owner": OTHER_PROJECT})}
"""How the owners are written: that the project of the credentials is meant can be left out."""
members = st.lists(st.sampled_from([OTHER_PROJECT, "customer", PROJECT]), max_size=2, unique=True)


def entry_owner(entry: dict[str, t.Any]) -> str:
    """Return the id of the project that is declared to own an image."""
    identity = {name: value for name, value in entry.items() if name == "owner"}
    return next((project for project, written in OWNERS.items() if identity in written))


class Catalogs(RuleBasedStateMachine):
    """Declares one list after the other, while users and operators change what they like."""

    def __init__(self) -> None:
        super().__init__()
        self.cloud = FakeCloud()
        self.cloud.stores = list(STORES)
        # As in a catalogue that takes more than one page.
        self.cloud.page_size = 2
        self.cloud.__enter__()
        self.directory = tempfile.TemporaryDirectory()
        for number, content in enumerate(CONTENTS):
            (Path(self.directory.name) / str(number)).write_bytes(content)
        self.snapshots: set[str] = set()

    def teardown(self) -> None:
        self.cloud.__exit__()
        self.directory.cleanup()

    def source(self, number: int) -> str:
        """Return the path of a content."""
        return str(Path(self.directory.name) / str(number))

    def run(self, images: list[dict[str, t.Any]], *, check: bool = False, purge: bool = False) -> _image_catalog.Report:
        """Run the module."""
        options = {"cloud": None, "images": images, "catalog": "default", "transfers": 2, "purge": purge}
        parameters = {**dict.fromkeys(AUTH_ARGUMENT_SPEC), **self.cloud.auth, **options}
        return _image_catalog.run(parameters, check_mode=check)

    @initialize(number=st.integers(0, 2))
    def begin(self, number: int) -> None:
        """Put images there that somebody uploaded by hand."""
        for name in NAMES[:number]:
            self.cloud.add(name, CONTENTS[0], disk_format="raw", container_format="bare")

    @rule(
        entries=st.dictionaries(
            st.tuples(st.sampled_from(NAMES), st.sampled_from(sorted(OWNERS))),
            st.tuples(
                st.sampled_from([0, 0, 0, 1, 2]),
                st.integers(0, 1),
                attributes,
                st.lists(st.sampled_from(STORES), min_size=1, unique=True),
                members,
            ),
            min_size=1,
        ),
        purge=st.booleans(),
        drift=st.sampled_from([{}, {"hw_b": "drift"}, {"tags": ["drift"]}, {"min_disk": 9}, {"os_hidden": True}]),
        absent=st.sets(st.sampled_from(NAMES), max_size=1),
    )
    def declare(
        self, entries: dict[tuple[str, str], t.Any], purge: bool, absent: set[str], drift: dict[str, t.Any]
    ) -> None:
        """Declare a list, after somebody has changed every image by hand, and make it so."""
        images = []
        for (name, project), (number, spelling, options, stores, projects) in entries.items():
            identity = {"name": name, **OWNERS[project][spelling]}
            entry = {**identity, "source": self.source(number), "replace": True, **options}
            if options.get("visibility") == "shared":
                entry["members"] = projects
            if not options.get("deactivated"):
                entry.update(stores=stores, deactivated=False)
            images.append({**identity, "state": "absent"} if name in absent else entry)
        self.change_by_hand(drift, absent)
        before, shared = copy.deepcopy(self.cloud.images), copy.deepcopy(self.cloud.members)
        told = self.run(images, check=True, purge=purge)
        assert self.cloud.images == before
        done = self.run(images, purge=purge)
        assert not done.failure, done.failure
        assert told.result["summary"] == done.result["summary"]
        assert told.result["changed"] == done.result["changed"]
        for wanted, entry in zip(images, done.result["images"]):
            if wanted.get("state") == "absent":
                self.is_gone(wanted)
            else:
                self.is_reached(wanted, entry["id"])
                self.stays_where_left_out(wanted, before.get(entry["id"]), shared.get(entry["id"], {}))
                self.are_the_newest(wanted, entry["id"], before)
        again = self.run(images, purge=purge)
        assert not again.failure, again.failure
        assert not again.result["changed"], again.result["diff"]

    def change_by_hand(self, drift: dict[str, t.Any], absent: set[str]) -> None:
        """Change every image, as users and operators do."""
        for image in self.cloud.images.values():
            image.update(drift)
            if image["visibility"] == "shared":
                self.cloud.members[image["id"]] = {PROJECT: "pending", OTHER_PROJECT: "accepted"}
            if image["name"] in absent:
                # What is protected is not deleted, and that is another test's matter.
                image["protected"] = False

    def is_gone(self, entry: dict[str, t.Any]) -> None:
        """Look whether nothing is left of an image, old versions included."""
        project = entry_owner(entry)
        assert not [
            one for one in self.cloud.images.values() if (one["name"], one["owner"]) == (entry["name"], project)
        ]

    def is_reached(self, entry: dict[str, t.Any], image_id: t.Optional[str]) -> None:
        """Look whether an image is what was declared."""
        image = self.cloud.images[str(image_id)]
        content = Path(entry["source"]).read_bytes()
        assert image["os_hash_value"] == hashlib.sha512(content).hexdigest()
        for name in ("visibility", "protected", "min_disk", "min_ram"):
            assert image[name] == entry.get(name, image[name])
        assert image["os_hidden"] == entry.get("hidden", image["os_hidden"])
        # Without an owner, a public image of another project may be meant.
        assert image["owner"] == entry_owner(entry) or "owner" not in entry
        assert sorted(image["tags"]) == sorted(set(entry.get("tags", image["tags"])))
        if "deactivated" in entry:
            assert image["status"] == ("deactivated" if entry["deactivated"] else "active")
        assert set(entry.get("stores", [])) <= set(image["stores"].split(","))
        if "members" in entry:
            wanted = {PROJECT if one == PROJECT else OTHER_PROJECT for one in entry["members"]}
            assert set(self.cloud.members.get(image["id"], {})) == wanted
        if entry.get("properties_mode") == "exact":
            ours = {name for name in image if name.startswith("hw_") or name == "with/slash"}
            assert ours <= entry.get("properties", {}).keys()
        for name, value in entry.get("properties", {}).items():
            text = str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
            assert image.get(name) == text

    @rule(name=st.sampled_from(NAMES), keep=st.integers(0, 2))
    def publish_anew(self, name: str, keep: int) -> None:
        """Replace an image several times, as its publisher does every few weeks."""
        for number in range(3):
            entry = {"name": name, "source": self.source(number), "replace": True, "keep": keep, "protected": False}
            before = copy.deepcopy(self.cloud.images)
            done = self.run([entry])
            assert not done.failure, done.failure
            self.are_the_newest(entry, done.result["images"][0]["id"], before)

    @rule(
        name=st.sampled_from(NAMES),
        numbers=st.tuples(st.integers(0, 2), st.integers(0, 2)),
        options=attributes,
        owner=st.sampled_from([{}, {"owner": "admin"}, {"owner": "customer"}]),
        writes=st.integers(1, 6),
    )
    def is_killed_in_the_middle(
        self, name: str, numbers: tuple[int, int], options: dict[str, t.Any], owner: dict[str, str], writes: int
    ) -> None:
        """Kill a run after some of its requests, and make perhaps another content so."""
        first, entry = ({"name": name, "source": self.source(n), "replace": True, **owner, **options} for n in numbers)
        good = [image["id"] for image in self.cloud.images.values() if image["name"] == name]
        self.cloud.writes_left = writes
        self.run([first])
        self.cloud.writes_left = None
        there = [image for image in self.cloud.images.values() if image["name"] == name]
        assert not good or any(image["status"] != "queued" for image in there)
        before = copy.deepcopy(self.cloud.images)
        told = self.run([entry], check=True)
        assert self.cloud.images == before
        done = self.run([entry])
        assert not done.failure, done.failure
        assert told.result["summary"] == done.result["summary"]
        self.is_reached(entry, done.result["images"][0]["id"])
        assert not [image for image in self.cloud.images.values() if REPLACES_NOTE in image]
        assert not self.run([entry]).result["changed"]

    def stays_where_left_out(
        self, entry: dict[str, t.Any], before: t.Optional[dict[str, t.Any]], members: dict[str, str]
    ) -> None:
        """Look whether what was not declared of an image that was there is as it was."""
        if before is None:
            return
        image = self.cloud.images[before["id"]]
        for option, name in (("hidden", "os_hidden"), *((name, name) for name in ("visibility", "owner", "tags"))):
            assert option in entry or image[name] == before[name]
        assert "deactivated" in entry or image["status"] == before["status"]
        assert image.get(CATALOG_NOTE) == before.get(CATALOG_NOTE)
        if entry.get("properties_mode") != "exact":
            ours = {name: before[name] for name in before if name.startswith("hw_")}
            assert {**ours, **image, **dict.fromkeys(entry.get("properties", {}))} == {
                **image,
                **dict.fromkeys(entry.get("properties", {})),
            }
        for project in self.cloud.members.get(before["id"], {}) if "members" in entry else ():
            accepted = entry.get("accept_members") or members.get(project) == "accepted"
            assert self.cloud.members[before["id"]][project] == ("accepted" if accepted else "pending")

    def are_the_newest(self, entry: dict[str, t.Any], image_id: str, before: dict[str, dict[str, t.Any]]) -> None:
        """Look whether so many old versions are there as shall be kept, and no others were deleted."""
        if "keep" not in entry:
            return
        image = self.cloud.images[image_id]
        mine = [one for one in before.values() if (one["name"], one["owner"]) == (image["name"], image["owner"])]
        noted = [one for one in mine if str(one.get(REPLACED_NOTE, "")).endswith(f"/{one['id']}")]
        replaced = [self.cloud.images[one["id"]] for one in mine if one["id"] in self.cloud.images and one not in noted]
        noted += [one for one in replaced if str(one.get(REPLACED_NOTE, "")).endswith(f"/{one['id']}")]
        noted.sort(key=lambda one: str(one["created_at"]), reverse=True)
        kept = {one["id"] for number, one in enumerate(noted) if number < entry["keep"] or one["protected"]}
        there = {one["id"] for one in noted if one["id"] in self.cloud.images}
        assert there == kept

    @rule()
    def somebody_takes_a_snapshot(self) -> None:
        """Make an image that inherits every property, as Nova does."""
        for image in [image for image in self.cloud.images.values() if CATALOG_NOTE in image][:1]:
            notes = {name: image[name] for name in (CATALOG_NOTE, REPLACED_NOTE) if name in image}
            made = self.cloud.add("snapshot", b"s" * 700, disk_format="raw", container_format="bare", **notes)
            self.snapshots.add(made["id"])

    @invariant()
    def nothing_is_half_there(self) -> None:
        """No image is without data, and no snapshot is ever lost."""
        assert all(image["status"] in ("active", "deactivated") for image in self.cloud.images.values())
        assert self.snapshots <= self.cloud.images.keys()


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of the checksums apart, and do not wait."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(_image_import, "SECONDS_BETWEEN_LOOKS", 0.001)
    monkeypatch.setattr(_image_source, "SECONDS_BEFORE_RETRY", 0.001)


def test_catalogs() -> None:
    run_state_machine_as_test(
        Catalogs,
        settings=settings(
            max_examples=int(HISTORIES or 15),
            stateful_step_count=8,
            deadline=None,
            derandomize=not HISTORIES,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
