# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The journal of a switch: what is written is there after every kind of end, and is read as what it was."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import threading
import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_journal
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import (
    Facts,
    Journal,
    missing_lines,
    replay,
)

SWITCH: Facts = {"id": "1", "from": "local", "to": "objects"}


@pytest.fixture
def directory(tmp_path: t.Any) -> str:
    return str(tmp_path / "switch" / "local-objects")


def write(directory: str, *events: tuple[str, Facts]) -> None:
    """Write events into the journal."""
    with Journal(directory) as journal:
        for event, facts in events:
            journal.append(event, **facts)


def copied(image_id: str, state: str = "done", **facts: t.Any) -> tuple[str, Facts]:
    """Return the event of a copy."""
    return "copy", {"image_id": image_id, "state": state, "controller": "one", "attempt": 1, **facts}


def verified(image_id: str, state: str = "done") -> tuple[str, Facts]:
    """Return the event of a verification."""
    return "verify", {"image_id": image_id, "state": state, "proof": "reader"}


def state_of(*events: tuple[str, Facts]) -> _switch_journal.State:
    """Return what events tell together."""
    return replay({"event": event, **facts} for event, facts in events)


def test_what_is_written_is_read(directory: str) -> None:
    write(
        directory,
        ("switch", SWITCH),
        ("plan", {"images": 2}),
        ("phase", {"phase": "copy", "state": "started"}),
        ("image", {"image_id": "a", "name": "größe"}),
        ("copy", {"image_id": "a", "state": "started", "controller": "one", "attempt": 1}),
        copied("a", seconds=2.5),
        ("sample", {"images": 1, "rate": 5.0}),
        ("stores", {"when": "before", "stores": {"local": {"images": 2, "bytes": 10}}}),
        ("phase", {"phase": "copy", "state": "finished"}),
        ("verdict", {"status": 0}),
    )
    state = Journal(directory).read()
    assert (state.switch["to"], state.plan["images"], state.verdict["status"]) == ("objects", 2, 0)
    assert state.phases["copy"]["state"] == "finished"
    assert state.images["a"].facts["name"] == "größe"
    assert (state.images["a"].copy["seconds"], state.images["a"].attempts) == (2.5, 1)
    assert state.samples[0]["rate"] == 5.0
    assert state.stores == {"before": {"local": {"images": 2, "bytes": 10}}}
    assert (state.lines, state.damaged) == (10, 0)


def test_every_line_is_json_with_a_time_and_nobody_else_can_read_them(directory: str) -> None:
    write(directory, ("switch", SWITCH), copied("a"))
    path = Journal(directory).path
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert [line["event"] for line in lines] == ["switch", "copy"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(directory).st_mode & 0o777 == 0o700


def test_no_journal_tells_nothing(directory: str) -> None:
    assert Journal(directory).read() == replay([])
    assert not os.path.exists(directory)


def test_a_second_run_adds_and_the_first_switch_line_stays(directory: str) -> None:
    write(directory, ("switch", SWITCH), copied("a"))
    write(directory, ("switch", {**SWITCH, "id": "2"}), copied("b"))
    state = Journal(directory).read()
    assert state.switch["id"] == "1"
    assert sorted(state.images) == ["a", "b"]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_torn_last_line_is_left_out_and_ended(directory: str, cut: int) -> None:
    write(directory, ("switch", SWITCH), copied("a"), copied("b"))
    path = Journal(directory).path
    os.truncate(path, os.path.getsize(path) - cut)
    torn = Journal(directory).read()
    # Without its newline only, the line is whole.
    assert ("b" in torn.images, torn.damaged) == ((True, 0) if cut == 1 else (False, 1))
    write(directory, copied("c"))
    healed = Journal(directory).read()
    assert ("c" in healed.images, "a" in healed.images, healed.damaged) == (True, True, torn.damaged)


@pytest.mark.parametrize("line", ["[]", "7", '{"event": "copy", "image_id": "a"}', '{"no": "event"}', "\\xff"])
def test_lines_that_are_no_events_are_counted(directory: str, line: str) -> None:
    write(directory, ("switch", SWITCH))
    with open(Journal(directory).path, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    write(directory, copied("b"))
    state = Journal(directory).read()
    assert (state.damaged, state.images["b"].is_copied) == (1, True)


def test_two_runs_cannot_write_at_once(directory: str) -> None:
    with (
        Journal(directory),
        pytest.raises(GlanceError, match=rf"another run is writing it \(process {os.getpid()} on .*wait until"),
        Journal(directory),
    ):
        pass
    write(directory, ("switch", SWITCH))


def test_a_killed_run_leaves_no_lock(directory: str) -> None:
    code = (
        "import os, signal, sys\n"
        "from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Journal\n"
        "with Journal(sys.argv[1]) as journal:\n"
        "    journal.append('copy', image_id='a', state='started', controller='one', attempt=1)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, directory], check=False).returncode == -9
    write(directory, copied("a"))
    assert Journal(directory).read().images["a"].is_copied


def test_threads_do_not_mix_their_lines(directory: str) -> None:
    with Journal(directory) as journal:

        def work(number: int) -> None:
            for _count in range(20):
                journal.append("copy", image_id=str(number), state="started", controller="x" * 5000, attempt=1)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    state = Journal(directory).read()
    assert (state.lines, state.damaged) == (80, 0)


def test_a_disk_that_is_full_for_a_while_leaves_one_torn_line(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_really = os.write

    def full(file: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_really(file, data[:-10])

    with Journal(directory) as journal:
        journal.append("switch", **SWITCH)
        monkeypatch.setattr(_switch_journal.os, "write", full)
        with pytest.raises(GlanceError, match=r"writing the journal .*: No space left on device.*run again"):
            journal.append("copy", image_id="a", state="done", controller="one", attempt=1)
        monkeypatch.setattr(_switch_journal.os, "write", write_really)
        journal.append("copy", image_id="b", state="done", controller="one", attempt=1)
    state = Journal(directory).read()
    assert (list(state.images), state.damaged) == (["b"], 1)


def test_every_line_is_synced(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(directory) as journal:
        synced: list[int] = []
        monkeypatch.setattr(_switch_journal.os, "fsync", synced.append)
        journal.append("switch", **SWITCH)
        journal.append_all([copied("a"), copied("b")])
        journal.append_all([])
        assert len(synced) == 2


def test_a_directory_that_cannot_be_made_is_told(tmp_path: t.Any) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(GlanceError, match=r"opening the journal .*glance_switch_directory"),
        Journal(str(tmp_path / "file" / "switch")),
    ):
        pass
    with pytest.raises(GlanceError, match="reading the journal"):
        Journal(str(tmp_path / "file" / "switch")).read()


def test_only_known_events_are_written_and_only_while_it_is_open(directory: str) -> None:
    journal = Journal(directory)
    with journal, pytest.raises(ValueError, match="no such event: coyp"):
        journal.append("coyp")
    with pytest.raises(ValueError, match="not open"):
        journal.append("switch", **SWITCH)


def test_a_copy_is_verified_until_it_is_copied_again() -> None:
    copy, read = copied("a"), verified("a")
    assert state_of(copy, read).images["a"].is_verified
    assert not state_of(copy, verified("a", "failed")).images["a"].is_verified
    assert not state_of(copy, read, copied("a", "started"), copy).images["a"].is_verified
    assert not state_of(copy, read, copied("a", "failed")).images["a"].is_verified
    # What is found in Glance again, when nothing was copied meanwhile, is the copy that was read.
    assert state_of(copy, read, copied("a", found=True)).images["a"].is_verified


def retired(image_id: str, state: str = "done") -> tuple[str, Facts]:
    """Return the event of a retirement."""
    return "retire", {"image_id": image_id, "state": state}


@pytest.mark.parametrize("again", [copied("a", "started"), copied("a", found=True)])
def test_what_was_retired_and_is_in_the_old_store_again_is_a_new_round(again: tuple[str, Facts]) -> None:
    first = [copied("a", "started"), copied("a"), verified("a"), retired("a")]
    cut_over = ("phase", {"phase": "cut_over", "state": "finished"})
    events = [cut_over, *first, again]
    state = replay(
        {"event": event, "time": f"2026-11-21T12:00:0{at}.000Z", **facts} for at, (event, facts) in enumerate(events)
    )
    image = state.images["a"]
    assert (image.is_verified, image.is_retired) == (False, False)
    assert image.attempts == (1 if again[1]["state"] == "started" else 0)
    assert (len(state.phase_lines), state.round_lines()) == (1, [])


def test_retirement_that_failed_is_forgotten_with_the_next_copy_and_begins_no_round() -> None:
    state = state_of(copied("a"), verified("a"), retired("a", "failed"), copied("a", "started"))
    assert (state.images["a"].retire, state.round_begun) == ({}, "")


def test_a_copy_that_is_lost_is_none() -> None:
    state = state_of(copied("a"), verified("a"), copied("a", "lost"))
    assert (state.images["a"].is_copied, state.images["a"].is_verified, state.to_verify()) == (False, False, [])
    # Whoever has made the one that is there now: nobody has read it.
    assert missing_lines(state, SWITCH, [{"image_id": "a"}])[-1][1]["found"]


def test_undoing_that_is_over_says_nothing_of_the_copy() -> None:
    state = state_of(copied("a", found=True), verified("a"), retired("a"), copied("a", found=True, undone=[]))
    assert state.images["a"].is_retired


def test_what_is_left_to_do() -> None:
    state = state_of(
        copied("copied"),
        copied("verified"),
        verified("verified"),
        copied("wrong"),
        verified("wrong", "failed"),
        copied("failed", "failed"),
        ("reactivated", {"image_id": "copied", "state": "open"}),
        ("reactivated", {"image_id": "wrong", "state": "open"}),
        ("reactivated", {"image_id": "wrong", "state": "closed"}),
        ("retire", {"image_id": "verified", "state": "done"}),
        ("source_hash", {"image_id": "failed", "value": "00"}),
        ("unlock", {"image_id": "failed", "task_id": "t", "removed": []}),
    )
    assert [image.id for image in state.to_verify()] == ["copied", "wrong"]
    assert state.open_images() == ["copied"]
    assert [image.id for image in state.images.values() if image.is_retired] == ["verified"]
    assert (state.images["failed"].source_hash["value"], len(state.images["failed"].unlocks)) == ("00", 1)


def reactivated(image_id: str, *states: str) -> list[tuple[str, Facts]]:
    """Return the events of a deactivated image that has to be copied."""
    return [("reactivated", {"image_id": image_id, "state": state}) for state in states]


RESTORED: tuple[str, Facts] = ("restored", {"controller": "one"})


def test_what_was_announced_is_open_only_where_the_lines_after_it_are_lost() -> None:
    events = [
        *reactivated("due", "due"),
        *reactivated("closed", "due", "closed"),
        *reactivated("open", "due", "open"),
        *reactivated("again", "due", "open", "closed", "due"),
    ]
    own = state_of(*events)
    assert (own.open_images(), own.due_images()) == (["open"], ["due", "again"])
    assert own.announced() == {"due", "open", "again"}
    brought_back = state_of(*events, RESTORED)
    assert (brought_back.open_images(), brought_back.due_images()) == (["due", "open", "again"], [])
    since = state_of(*events, RESTORED, *reactivated("due", "closed"), *reactivated("new", "due"))
    assert (since.open_images(), since.due_images()) == (["open", "again"], ["new"])


def test_another_journal_takes_the_place_of_this_one(directory: str, tmp_path: t.Any) -> None:
    write(directory, ("switch", SWITCH), copied("a"))
    other = str(tmp_path / "other")
    write(other, ("switch", SWITCH), copied("b"))
    with open(Journal(other).path, "rb") as file:
        # The other one is torn.
        data = file.read() + b'{"event": "co'
    with Journal(directory) as journal:
        journal.replace(data, "restored", controller="one")
        journal.append("copy", image_id="c", state="done")
    state = Journal(directory).read()
    assert (sorted(state.images), state.lines, state.damaged) == (["b", "c"], 4, 1)
    assert os.stat(Journal(directory).path).st_mode & 0o777 == 0o600
    assert sorted(os.listdir(directory)) == ["journal.jsonl", "lock"]
    write(directory, copied("d"))
    assert Journal(directory).read().images["d"].is_copied


def test_a_journal_that_cannot_be_replaced_stays(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(directory, ("switch", SWITCH))

    def full(_file: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(directory) as journal:
        monkeypatch.setattr(_switch_journal.os, "write", full)
        with pytest.raises(GlanceError, match=r"writing the journal .*: No space left on device"):
            journal.replace(b"", "restored", controller="one")
        monkeypatch.undo()
        journal.append("plan", images=1)
    state = Journal(directory).read()
    assert (state.switch["to"], state.plan["images"]) == ("objects", 1)


def test_a_lost_journal_is_rebuilt_as_copied_but_never_as_verified(directory: str) -> None:
    both = [{"image_id": "a", "name": "one", "size": 5}, {"image_id": "b", "name": "two", "size": 6}]
    with Journal(directory) as journal:
        journal.append_all(missing_lines(journal.read(), SWITCH, both))
    state = Journal(directory).read()
    assert state.switch["from"] == "local"
    assert [(image.facts["name"], image.is_copied, image.is_verified) for image in state.images.values()] == [
        ("one", True, False),
        ("two", True, False),
    ]
    assert missing_lines(state, SWITCH, both) == []


def test_only_what_is_missing_is_added() -> None:
    known = state_of(("switch", SWITCH), ("image", {"image_id": "a"}), copied("a", "started"))
    events = missing_lines(known, SWITCH, [{"image_id": "a"}])
    assert [(event, facts["state"]) for event, facts in events] == [("copy", "done")]
