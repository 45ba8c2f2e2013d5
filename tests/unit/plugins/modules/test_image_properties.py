# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Whatever was there and whatever is declared: check mode tells what a run does, one run reaches the state, and a
second run changes nothing.
"""

from __future__ import annotations

import copy
import gzip
import hashlib
import os
import tempfile
import typing as t
import uuid
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
RENAMED = {"a": "A", "b": "B"}
BY_ID = "by id"
"""The name of images that are declared by their ids: of one that had the name of another entry, there would be two."""
STORES = ("fast", "slow")
CONTENTS = (b"\1" * 600, b"\2" * 600, b"\3" * 900)
CATALOG_NOTE = "owner_specified.openstack_ops.catalog"
REPLACES_NOTE = "owner_specified.openstack_ops.replaces"
REPLACED_NOTE = "owner_specified.openstack_ops.replaced"
SOURCE_NOTE = "owner_specified.openstack_ops.source"

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
        "stores": st.lists(st.sampled_from(STORES), min_size=1, unique=True),
    },
)
OWNERS = {PROJECT: ({}, {"owner": "admin"}), OTHER_PROJECT: ({"owner": "customer"}, {"owner": OTHER_PROJECT})}
"""How the owners are written: that the project of the credentials is meant can be left out."""
members = st.lists(st.sampled_from([OTHER_PROJECT, "customer", PROJECT]), max_size=2, unique=True)


def named(name: str, renamed: bool) -> dict[str, t.Any]:
    """Return the name of an image, and the one that it has had before."""
    names = [RENAMED[name], name] if renamed else [name, RENAMED[name]]
    return {"name": names[0], "previous_names": names[1:]}


def means(entry: dict[str, t.Any], image: dict[str, t.Any]) -> bool:
    """Tell whether an entry may mean an image: by its id, or by one of its names."""
    return bool(image["id"] == entry["id"] if "id" in entry else image["name"] in names_of(entry))


def names_of(entry: dict[str, t.Any]) -> set[str]:
    """Return every name that an entry means."""
    return {entry["name"], *entry.get("previous_names", [])}


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
            (Path(self.directory.name) / f"{number}.gz").write_bytes(gzip.compress(content, mtime=0))
        self.snapshots: set[str] = set()

    def teardown(self) -> None:
        self.cloud.__exit__()
        self.directory.cleanup()

    def source(self, number: int, packed: bool = False) -> dict[str, t.Any]:
        """Return how a content is declared."""
        path = str(Path(self.directory.name) / str(number))
        return {"source": f"{path}.gz", "decompress": True} if packed else {"source": path}

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
                st.tuples(st.sampled_from([0, 0, 0, 1, 2]), st.booleans()),
                st.tuples(st.integers(0, 1), st.booleans()),
                attributes,
                members,
            ),
            min_size=1,
        ),
        purge=st.booleans(),
        drift=st.sampled_from([{}, {"hw_b": "drift"}, {"tags": ["drift"]}, {"min_disk": 9}, {"os_hidden": True}]),
        absent=st.sets(st.sampled_from(NAMES), max_size=1),
        by_id=st.one_of(
            st.none(),
            st.tuples(st.integers(0, 5), st.sampled_from(["there", "new", "absent"]), attributes),
        ),
    )
    def declare(
        self,
        entries: dict[tuple[str, str], t.Any],
        purge: bool,
        absent: set[str],
        drift: dict[str, t.Any],
        by_id: t.Optional[tuple[int, str, dict[str, t.Any]]],
    ) -> None:
        """Declare a list, after somebody has changed every image by hand, and make it so."""
        images = []
        for (name, project), (content, (spelling, renamed), options, projects) in entries.items():
            identity = {**named(name, renamed), **OWNERS[project][spelling]}
            entry = {**identity, **self.source(*content), "replace": True, **options}
            if options.get("visibility") == "shared":
                entry["members"] = projects
            images.append({**identity, "state": "absent"} if name in absent else entry)
        images += [self.entry_with_id(*by_id)] if by_id else []
        self.change_by_hand(drift, images)
        before, shared = copy.deepcopy(self.cloud.images), copy.deepcopy(self.cloud.members)
        told = self.run(images, check=True, purge=purge)
        assert self.cloud.images == before
        done = self.run(images, purge=purge)
        assert told.failure == done.failure
        assert told.result["summary"] == done.result["summary"]
        assert told.result["changed"] == done.result["changed"]
        for wanted, entry in zip(images, done.result["images"]):
            if "error" in entry:
                self.is_rightly_refused(wanted, entry["error"], before)
            elif wanted.get("state") == "absent":
                self.is_gone(wanted)
            else:
                self.is_reached(wanted, entry["id"], before)
                self.stays_where_left_out(wanted, before.get(entry["id"]), shared.get(entry["id"], {}))
                others = {one.get("id") for one in images}
                self.are_the_newest(wanted, entry["id"], {key: one for key, one in before.items() if key not in others})
        again = self.run(images, purge=purge)
        assert again.failure == done.failure
        assert not again.result["changed"], again.result["diff"]

    def entry_with_id(self, number: int, kind: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return an entry that means an image by its id: one that is there, or a new one."""
        images = [one for one in self.cloud.images.values() if kind != "absent" or one["id"] not in self.snapshots]
        # Not by their ids, which are others each time.
        there = sorted(images, key=lambda one: (one["name"], one["owner"], one["created_at"]))
        entry = {**options, "name": BY_ID}
        # An image with an id of its own cannot be replaced.
        entry.pop("keep", None)
        if kind == "new" or not there:
            return {**entry, **self.source(number % len(CONTENTS)), "id": str(uuid.UUID(int=len(self.cloud.ever)))}
        entry["id"] = there[number % len(there)]["id"]
        return {"id": entry["id"], "state": "absent"} if kind == "absent" else entry

    def is_rightly_refused(self, entry: dict[str, t.Any], error: str, before: dict[str, dict[str, t.Any]]) -> None:
        """Look whether nobody could have done what was not done: Glance copies no deactivated image."""
        assert "Glance does not copy deactivated images" in error
        assert entry.get("deactivated") is not False
        assert [
            image
            for image in before.values()
            if means(entry, image)
            and image["status"] == "deactivated"
            and not set(entry["stores"]) <= set(image["stores"].split(","))
            and self.cloud.images[image["id"]] == image
        ]

    def change_by_hand(self, drift: dict[str, t.Any], images: list[dict[str, t.Any]]) -> None:
        """Change every image, as users and operators do."""
        absent = [entry for entry in images if entry.get("state") == "absent"]
        for image in self.cloud.images.values():
            image.update(drift)
            if image["visibility"] == "shared":
                self.cloud.members[image["id"]] = {PROJECT: "pending", OTHER_PROJECT: "accepted"}
            if any(means(entry, image) for entry in absent):
                # What is protected is not deleted, and that is another test's matter.
                image["protected"] = False

    def is_gone(self, entry: dict[str, t.Any]) -> None:
        """Look whether nothing is left of an image, old versions included."""
        if "id" in entry:
            assert entry["id"] not in self.cloud.images
            return
        project, names = entry_owner(entry), names_of(entry)
        assert not [one for one in self.cloud.images.values() if one["name"] in names and one["owner"] == project]

    def is_reached(
        self, entry: dict[str, t.Any], image_id: t.Optional[str], before: dict[str, dict[str, t.Any]]
    ) -> None:
        """Look whether an image is what was declared."""
        image = self.cloud.images[str(image_id)]
        assert image["id"] == entry.get("id", image_id)
        assert image["name"] == entry["name"]
        # What an image was unpacked from is not known of one that was uploaded otherwise.
        is_comparable = not entry.get("decompress") or SOURCE_NOTE in image or image_id not in before
        if "source" in entry and is_comparable:
            content = Path(entry["source"].replace(".gz", "")).read_bytes()
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
            entry = {**named(name, False), **self.source(number), "replace": True, "keep": keep, "protected": False}
            before = copy.deepcopy(self.cloud.images)
            done = self.run([entry])
            assert not done.failure, done.failure
            self.are_the_newest(entry, done.result["images"][0]["id"], before)

    @rule(
        name=st.sampled_from(NAMES),
        contents=st.tuples(*[st.tuples(st.integers(0, 2), st.booleans())] * 2),
        renamed=st.tuples(st.booleans(), st.booleans()),
        options=st.tuples(attributes, st.one_of(st.none(), attributes)),
        owner=st.sampled_from([{}, {"owner": "admin"}, {"owner": "customer"}]),
        writes=st.integers(1, 6),
    )
    def is_killed_in_the_middle(
        self,
        name: str,
        contents: tuple[tuple[int, bool], tuple[int, bool]],
        renamed: tuple[bool, bool],
        options: tuple[dict[str, t.Any], t.Optional[dict[str, t.Any]]],
        owner: dict[str, str],
        writes: int,
    ) -> None:
        """Kill a run after some of its requests, and make perhaps another content so, or with other options."""
        before_and_after = (options[0], options[0] if options[1] is None else options[1])
        if contents[0] != contents[1]:
            # When nothing is to be replaced, nobody looks for a replacement among all hidden images, or all names.
            hidden = {name: value for name, value in options[0].items() if name == "hidden"}
            before_and_after = (options[0], {**before_and_after[1], **hidden})
            renamed = (renamed[0], renamed[0])
            # Nor among those of another project, whose public image is meant without an owner.
            owner = owner or {"owner": "admin"}
        first, entry = (
            {**named(name, is_renamed), **self.source(*content), "replace": True, **owner, **attributes_of_it}
            for content, is_renamed, attributes_of_it in zip(contents, renamed, before_and_after)
        )
        names = names_of(first)
        good = [image["id"] for image in self.cloud.images.values() if image["name"] in names]
        self.cloud.writes_left = writes
        self.run([first])
        self.cloud.writes_left = None
        there = [image for image in self.cloud.images.values() if image["name"] in names]
        assert not good or any(image["status"] != "queued" for image in there)
        before = copy.deepcopy(self.cloud.images)
        told = self.run([entry], check=True)
        assert self.cloud.images == before
        done = self.run([entry])
        assert told.failure == done.failure
        assert told.result["summary"] == done.result["summary"]
        (result,) = done.result["images"]
        if "error" in result:
            self.is_rightly_refused(entry, result["error"], before)
        else:
            self.is_reached(entry, result["id"], before)
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
        names = names_of(entry)
        mine = [one for one in before.values() if one["name"] in names and one["owner"] == image["owner"]]
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
