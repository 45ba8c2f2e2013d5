# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is told of a run that was interrupted, and noted in its journal."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_interrupted import tell
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, Journal
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_mirrors import settled
from ansible_collections.openstack_ops.glance.tests.unit.plugins.switch_story import HOSTILE, Story, whole_switch

GO_ON = "ansible-playbook switch -e glance_switch_phase=verify"
GO_BACK = "ansible-playbook switch -e glance_switch_phase=back"


def told(directory: str, since: str = "", go_back: str = GO_BACK, patience: float = 0.3) -> list[str]:
    """Return what is said of an interruption."""
    run = {"journal": directory, "since": since, "playbook": "switch", "go_on": GO_ON, "go_back": go_back}
    lines: list[str] = []
    tell(run, lines.append, patience)
    return lines


def phases(directory: str) -> list[tuple[str, str, str]]:
    """Return what the journal tells of phases."""
    lines = Journal(directory).read().phase_lines
    return [(line["phase"], line["state"], line.get("controller", "")) for line in lines]


def content(directory: str) -> Facts:
    """Return the report."""
    return dict(json.loads((Path(directory) / "report.json").read_text(encoding="utf-8")))


def test_what_is_verified_is_told_and_how_to_go_on(tmp_path: Path) -> None:
    story = Story()
    story.phase("copy", "started")
    ids = [story.image(number) for number in range(3)]
    for image_id in ids:
        story.copy(image_id)
    story.phase("copy")
    story.phase("verify", "started")
    story.verify(ids[0])
    directory = story.write(tmp_path)
    lines = told(directory)
    assert lines[1] == "The switch from local to objects was interrupted."
    assert lines[2].startswith("Stopped in verify. Verify was interrupted. ")
    assert lines[3].startswith("1 of 3 images verified, 2 copied but not verified; ")
    assert lines[4:6] == [f"Reports: {directory}/report.html", f"         {directory}/report.json"]
    assert lines[6:] == [f"Go on:\n{GO_ON}", f"Go back:\n{GO_BACK}"]
    assert phases(directory)[-1] == ("verify", "interrupted", "")
    assert (Path(directory) / "report.html").exists()
    assert content(directory)["verdict"]["title"] == "Stopped in verify"
    # Once more, it is no other interruption.
    assert told(directory)[1:] == lines[1:]
    assert len(phases(directory)) == 4


@pytest.mark.parametrize(("began", "noted"), [("2026-11-21T12:00:00.000Z", True), ("2026-11-21T12:00:30.000Z", False)])
def test_only_what_this_run_has_begun_is_noted(tmp_path: Path, began: str, noted: bool) -> None:
    story = Story()
    story.wait(10)
    story.phase("add", "started", controller="controller-1")
    story.phase("add", controller="controller-1")
    story.phase("add", "started", controller="controller-2")
    directory = story.write(tmp_path)
    lines = told(directory, began)
    # The journal of the way back may tell that the controller was put back since.
    assert (phases(directory)[-1] == ("add", "interrupted", "controller-2")) == noted
    assert ("May be out of service until it goes on: controller-2." in lines) == noted


def test_journal_that_is_written_still_is_not_waited_for_any_longer(tmp_path: Path) -> None:
    story = whole_switch(2)
    story.phase("verify", "started")
    directory = story.write(tmp_path)
    with Journal(directory):
        begin = time.monotonic()
        lines = told(directory)
        seconds = time.monotonic() - begin
    assert 0.3 <= seconds < 3
    assert "may not have ended" in lines[1]
    assert "another run is writing it" in lines[1]
    assert "Stopped in verify. Verify was begun and has not ended." in lines[3]
    assert any(line.startswith("2 of 2 images verified") for line in lines)
    assert (Path(directory) / "report.html").exists()
    assert phases(directory)[-1] == ("verify", "started", "")


def test_names_do_nothing_to_the_terminal(tmp_path: Path) -> None:
    story = Story()
    story.phase("copy", "started")
    for number, name in enumerate(HOSTILE):
        story.copy(story.image(number, name), "failed", reason=name)
    text = "\n".join(told(story.write(tmp_path)))
    assert "\\x1b[31mred\\x0d\\x0abell\\x07" in text
    assert [letter for letter in text if not letter.isprintable() and letter != "\n"] == []
    assert "hunter2" not in text


def test_line_that_was_being_written_is_left_out(tmp_path: Path) -> None:
    story = Story()
    story.phase("copy", "started")
    story.copy(story.image(1))
    directory = story.write(tmp_path)
    with open(tmp_path / "journal.jsonl", "a", encoding="utf-8") as file:
        file.write('{"time": "2026-11-21T12:00:30.000Z", "event": "co')
    lines = told(directory)
    assert lines[3].startswith("0 of 1 image verified, 1 copied but not verified; ")
    assert phases(directory) == [("copy", "started", ""), ("copy", "interrupted", "")]


def test_what_is_deleted_is_told(tmp_path: Path) -> None:
    story = whole_switch(2)
    story.phase("retire", "started")
    story.tell("retire", image_id=story.image(0), state="done")
    lines = told(story.write(tmp_path), go_back="")
    assert "Gone from the old store: 1 image." in lines
    assert lines[-1] == f"Go on:\n{GO_ON}"


def test_journal_that_cannot_be_read_hides_no_command(tmp_path: Path) -> None:
    lines = told(str(tmp_path / "missing"))
    assert "cannot be told: reading the journal" in lines[-3]
    assert lines[-2:] == [f"Go on:\n{GO_ON}", f"Go back:\n{GO_BACK}"]


def test_interruption_alone_does_not_part_a_journal_from_its_copies(tmp_path: Path) -> None:
    story = Story()
    story.phase("verify", "started")
    copied = (Path(story.write(tmp_path)) / "journal.jsonl").read_bytes()
    told(str(tmp_path))
    now = (tmp_path / "journal.jsonl").read_bytes()
    assert len(now) > len(copied)
    # Another control node may go on with a copy of it, and this one later.
    assert settled(now) == copied
    story.tell("left", images=[], others=[])
    story.write(tmp_path)
    told(str(tmp_path))
    assert settled((tmp_path / "journal.jsonl").read_bytes()).endswith(b'"images": [], "others": []}\n')
