# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module switch_journal, driven through main(), and how it shares the copies among the controllers."""

from __future__ import annotations

import hashlib
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_shares
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import State, replay
from ansible_collections.openstack_ops.glance.plugins.modules import switch_journal

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

GIB = 1024**3


def copied(image_id: str, size: int, **more: t.Any) -> list[dict[str, t.Any]]:
    """Return the events of an image that has a copy."""
    return [
        {"event": "image", "image_id": image_id, "name": f"name of {image_id}", "size": size, **more},
        {"event": "copy", "image_id": image_id, "state": "done"},
    ]


def state_of(events: list[dict[str, t.Any]]) -> State:
    """Return what the journal would tell after these events."""
    return replay({"time": f"2026-11-21T12:00:{number:02}.000Z", **event} for number, event in enumerate(events))


def shared(events: list[dict[str, t.Any]], controllers: list[str], since: str = "") -> dict[str, list[str]]:
    """Return the ids of each controller's portion."""
    portions = _switch_shares.shares(_switch_shares.waiting(state_of(events), since), controllers)
    return {name: [image["id"] for image in portion] for name, portion in portions.items()}


def test_sizes_are_balanced() -> None:
    events = [*copied("a", 5), *copied("b", 4), *copied("c", 3), *copied("d", 3)]
    assert shared(events, ["one", "two"]) == {"one": ["a", "d"], "two": ["b", "c"]}


def test_portion_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_switch_shares, "PORTION_IMAGES", 2)
    events = [event for number in range(5) for event in copied(str(number), 1)]
    assert shared(events, ["one"]) == {"one": ["0", "1"]}
    assert _switch_shares.count(_switch_shares.waiting(state_of(events), ""), ["one"]) == 3
    assert _switch_shares.count(_switch_shares.waiting(state_of(events), ""), ["one", "two"]) == 2
    # What is larger than a portion comes alone, and what still fits goes with the others.
    events = [*copied("huge", 100 * GIB), *copied("large", 60 * GIB), *copied("small", GIB)]
    assert shared(events, ["one", "two"]) == {"one": ["huge"], "two": ["large", "small"]}


def test_what_is_verified_or_has_no_copy_is_not_read() -> None:
    events = [
        *copied("verified", 1),
        {"event": "verify", "image_id": "verified", "state": "done"},
        {"event": "copy", "image_id": "failed", "state": "failed"},
        *copied("gone", 1),
        {"event": "verify", "image_id": "gone", "state": "gone"},
    ]
    assert shared(events, ["one"]) == {"one": []}


def test_proof_that_is_too_old_counts_no_more() -> None:
    def verified(image_id: str) -> list[dict[str, t.Any]]:
        return [*copied(image_id, 1), {"event": "verify", "image_id": image_id, "state": "done"}]

    events = [*verified("old"), *verified("retired"), {"event": "retire", "image_id": "retired", "state": "done"}]
    events += [*verified("new"), {"event": "reread", "before": "2026-11-21T12:00:09.000Z"}]
    assert shared(events, ["one"]) == {"one": ["old"]}
    assert not state_of(events).images["old"].is_verified
    assert state_of([*events, *verified("old")[2:]]).images["old"].is_verified


def test_wrong_copy_is_read_again_in_the_next_run_or_after_another_copy() -> None:
    events = [*copied("a", 1), {"event": "verify", "image_id": "a", "state": "failed", "reason": "short"}]
    assert shared(events, ["one"], since="2026-11-21T12:00:01.500Z") == {"one": []}
    assert shared(events, ["one"], since="2026-11-21T12:30:00.000Z") == {"one": ["a"]}
    again = [*events, {"event": "copy", "image_id": "a", "state": "started"}, *copied("a", 1)]
    assert shared(again, ["one"], since="2026-11-21T12:00:01.500Z") == {"one": ["a"]}


def test_what_was_found_in_the_moment_before_this_run_began_is_read_again() -> None:
    events = [*copied("a", 1), {"event": "verify", "image_id": "a", "state": "failed", "reason": "short"}]
    assert shared(events, ["one"], since="2026-11-21T12:00:02.000Z") == {"one": ["a"]}


def test_source_hash_is_told_with_the_image() -> None:
    events = copied("a", 7, hash_value=None)
    events.append({"event": "source_hash", "image_id": "a", "algo": "sha512", "value": "ab", "size": 7})
    (image,) = _switch_shares.waiting(state_of(events), "")
    assert _switch_shares.told(image) == {
        "id": "a",
        "name": "name of a",
        "size": 7,
        "hash_value": None,
        "source_hash": {"algo": "sha512", "value": "ab", "size": 7},
    }


def test_module_writes_and_tells(run_module: RunModule, tmp_path: Path) -> None:
    directory = str(tmp_path / "local-objects")
    assert run_module(switch_journal, {"journal": directory})["exists"] is False
    events = [
        {"event": "switch", "from": "local", "to": "objects"},
        *copied("a", 7),
        {"event": "verify", "image_id": "a", "state": "failed", "reason": "short"},
        {"event": "phase", "phase": "verify", "state": "failed"},
        {"event": "copy", "image_id": "c", "state": "failed", "discarded": True},
        {"event": "left", "images": [{"image_id": name, "reason": "locked"} for name in "ab"], "others": []},
    ]
    assert run_module(switch_journal, {"journal": directory, "events": events}, check=True)["exists"] is False
    result = run_module(switch_journal, {"journal": directory, "events": events, "controllers": ["one"]})
    assert result["changed"] is False
    assert result["switch"]["to"] == "objects"
    assert result["phases"]["verify"]["state"] == "failed"
    assert result["images"] == {"known": 2, "copied": 1, "verified": 0, "retired": 0}
    (wrong,) = result["wrong"]
    assert (wrong["id"], wrong["image_id"], wrong["size"], wrong["reason"]) == ("a", "a", 7, "short")
    assert result["discarded"] == ["c"]
    assert result["left"] == [{"image_id": "b", "reason": "locked"}]
    assert [image["id"] for image in result["shares"]["one"]] == ["a"]
    assert result["portions"] == 1
    again = run_module(switch_journal, {"journal": directory, "since": "2026-11-21T00:00:00.000Z"})
    assert (again["since"], again["waiting"]) == ("2026-11-21T00:00:00.000Z", 0)
    assert run_module(switch_journal, {"journal": directory, "since": result["since"]})["waiting"] == 1
    assert len(Path(result["path"]).read_text(encoding="utf-8").splitlines()) == 7


def test_images_with_clones_are_told_as_they_were_noted(run_module: RunModule, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    nothing: dict[str, t.Any] = {"event": "clones", "images": [], "notes": []}
    assert run_module(switch_journal, {"journal": journal})["clones"] == nothing
    event = {**nothing, "images": [{"image_id": "a", "clones": 2, "first": ["volumes/a"]}], "notes": ["so"]}
    assert run_module(switch_journal, {"journal": journal, "events": [event]})["clones"] == event
    assert run_module(switch_journal, {"journal": journal, "events": [nothing]})["clones"] == nothing


def test_controllers_are_told_that_a_run_has_left_out_of_service(run_module: RunModule, tmp_path: Path) -> None:
    def phase(state: str, controller: str) -> dict[str, t.Any]:
        return {"event": "phase", "phase": "add", "state": state, "controller": controller}

    events = [phase("started", "one"), phase("finished", "one"), phase("started", "two"), phase("failed", "two")]
    events.append({"event": "phase", "phase": "copy", "state": "started"})
    result = run_module(switch_journal, {"journal": str(tmp_path), "events": events})
    assert result["interrupted"] == ["two"]
    result = run_module(switch_journal, {"journal": str(tmp_path), "events": [phase("finished", "two")]})
    assert result["interrupted"] == []
    run_module(switch_journal, {"journal": str(tmp_path), "events": [phase("failed", "two")]})
    back = {"event": "phase", "phase": "back", "state": "finished"}
    assert run_module(switch_journal, {"journal": str(tmp_path), "events": [back]})["interrupted"] == []


def test_what_was_left_on_the_way_in_the_other_direction_is_told_too(run_module: RunModule, tmp_path: Path) -> None:
    def note(directory: str, **event: str) -> dict[str, t.Any]:
        other = "objects-local" if directory == "local-objects" else "local-objects"
        options = {"journal": str(tmp_path / directory), "other": str(tmp_path / other), "events": [event]}
        return run_module(switch_journal, options)

    result = note("objects-local", event="switch", **{"from": "objects", "to": "local"})
    assert (result["interrupted"], result["unfinished"], result["asked"]) == ([], [], {})
    note("objects-local", event="phase", phase="cut_over", state="started", controller="two")
    note("objects-local", event="phase", phase="copy", state="started")
    note("objects-local", event="copy", image_id="a", state="running", controller="one", task_id="task-a")
    result = note("local-objects", event="switch", **{"from": "local", "to": "objects"})
    assert (result["interrupted"], result["unfinished"], result["asked"]) == (["two"], ["local"], {"task-a": "one"})
    # What one way has left, the other one has brought to its end.
    result = note("local-objects", event="phase", phase="add", state="finished", controller="two")
    assert result["interrupted"] == []
    assert note("objects-local", event="phase", phase="verify", state="started")["interrupted"] == []


def test_who_was_asked_for_a_copy_is_told_until_it_is_done(run_module: RunModule, tmp_path: Path) -> None:
    def copy(image_id: str, state: str, **facts: str) -> dict[str, t.Any]:
        return {"event": "copy", "image_id": image_id, "state": state, "controller": "one", **facts}

    events = [copy("a", "started"), copy("a", "running", task_id="task-a"), copy("b", "started")]
    result = run_module(switch_journal, {"journal": str(tmp_path), "events": events})
    assert result["asked"] == {"task-a": "one"}
    result = run_module(switch_journal, {"journal": str(tmp_path), "events": [copy("a", "done", task_id="task-a")]})
    assert result["asked"] == {}


def stat_of(path: Path) -> dict[str, t.Any]:
    """Return what the module stat tells of a file."""
    if not path.exists():
        return {"exists": False}
    data = path.read_bytes()
    return {"exists": True, "path": str(path), "size": len(data), "checksum": hashlib.sha256(data).hexdigest()}


def test_copy_that_is_newer_is_taken(run_module: RunModule, tmp_path: Path) -> None:
    own, mirror, fetched = tmp_path / "own", tmp_path / "one" / "journal.jsonl", tmp_path / "one.mirror"
    events = [{"event": "switch", "from": "local", "to": "objects"}, *copied("a", 7)]
    announced = {"event": "reactivated", "image_id": "b", "state": "due"}
    run_module(switch_journal, {"journal": str(own), "events": events})
    shutil.copytree(own, mirror.parent)
    args = {"journal": str(own), "mirrors": {"one": stat_of(mirror), "two": {"exists": False}}}
    assert run_module(switch_journal, args)["unlike"] == []
    run_module(switch_journal, {"journal": str(mirror.parent), "events": [announced]})
    args["mirrors"]["one"] = stat_of(mirror)
    assert run_module(switch_journal, args)["unlike"] == ["one"]

    shutil.copy(mirror, fetched)
    args["fetched"] = {"one": str(fetched)}
    before = (own / "journal.jsonl").read_bytes()
    assert run_module(switch_journal, args, check=True)["restored"] == ""
    assert ((own / "journal.jsonl").read_bytes(), fetched.exists()) == (before, True)
    result = run_module(switch_journal, args)
    assert (result["changed"], result["restored"], result["unlike"]) == (False, "one", [])
    assert not fetched.exists()
    assert (own / "journal.jsonl").read_bytes().startswith(mirror.read_bytes())


def test_journals_that_went_different_ways_are_refused(run_module: RunModule, tmp_path: Path) -> None:
    for name, image in (("own", "a"), ("one", "b")):
        run_module(switch_journal, {"journal": str(tmp_path / name), "events": copied(image, 7)})
    mirror, fetched = tmp_path / "one" / "journal.jsonl", tmp_path / "one.mirror"
    shutil.copy(mirror, fetched)
    before = (tmp_path / "own" / "journal.jsonl").read_bytes()
    args = {"journal": str(tmp_path / "own"), "mirrors": {"one": stat_of(mirror)}, "fetched": {"one": str(fetched)}}
    result = run_module(switch_journal, args)
    assert f"move {tmp_path}/own/journal.jsonl away to go on with {mirror} on one" in result["msg"]
    assert ((tmp_path / "own" / "journal.jsonl").read_bytes(), fetched.exists()) == (before, False)


def test_unknown_event_is_refused_before_anything_is_written(run_module: RunModule, tmp_path: Path) -> None:
    events = [{"event": "phase", "phase": "copy", "state": "started"}, {"event": "fase"}]
    result = run_module(switch_journal, {"journal": str(tmp_path / "x"), "events": events})
    assert "there is no event fase; there are clones," in result["msg"]
    assert not (tmp_path / "x").exists()
