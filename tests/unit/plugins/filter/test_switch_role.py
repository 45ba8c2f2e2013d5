# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the tasks of the role glance_switch decide from what its modules have found."""

from __future__ import annotations

import inspect
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19
    trust_as_template = str

ROLE = Path(__file__).parents[4] / "roles" / "glance_switch"
ENDS: dict[str, t.Any] = {
    "glance_switch_from": "local",
    "glance_switch_to": "objects",
    "glance_switch_phase": "all",
    "glance_switch_leave_behind": [],
    "_glance_switch_go_on": "GO ON",
}


def loaded(path: str) -> t.Any:
    """Return a file of the role, as ansible-core has it."""
    loader = DataLoader()
    # Since 2.19, only what was loaded for that is worked out.
    trusted = "trusted_as_template" in inspect.signature(loader.load_from_file).parameters
    return loader.load_from_file(str(ROLE / path), **{"trusted_as_template": True} if trusted else {})


def tasks(entries: list[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    """Yield the tasks, those in blocks too."""
    for entry in entries:
        yield entry
        for name in ("block", "rescue", "always"):
            yield from tasks(entry.get(name, []))


def task(file: str, name: str) -> dict[str, t.Any]:
    """Return a task of the role by its name."""
    return next(each for each in tasks(loaded(f"tasks/{file}.yml")) if each["name"] == name)


def worked_out(expression: t.Any, **variables: t.Any) -> t.Any:
    """Return what an expression of the role comes to."""
    known = {**loaded("vars/main.yml"), **ENDS, **variables}
    return Templar(loader=DataLoader(), variables=known).template(expression)


@pytest.mark.parametrize(
    ("retired", "said"), [(0, "nothing was deleted from local"), (3, "Only what was proved in objects")]
)
def test_failure_says_what_was_deleted(retired: int, said: str) -> None:
    fail = task("report", "Report | Fail when something needs attention")
    report = {
        "totals": {"retired": retired},
        "verdict": {"title": "1 image needs attention", "text": "It is so."},
        "html": "report.html",
    }
    safe = worked_out(fail["vars"]["__glance_safe"], _glance_switch_report=report)
    text = worked_out(fail["ansible.builtin.assert"]["fail_msg"], _glance_switch_report=report, __glance_safe=safe)
    assert said in text
    assert ("nothing was deleted" in text) == (retired == 0)


def row(image_id: str, **facts: t.Any) -> dict[str, t.Any]:
    """Return what a module says of an image."""
    return {"image_id": image_id, "name": f"name of {image_id}", "reason": f"reason of {image_id}", **facts}


def held(leave_behind: t.Sequence[str] = (), **found: t.Any) -> list[str]:
    """Return the images that keep the gate shut."""
    nothing: dict[str, t.Any] = {"failures": [], "locked": [], "waiting": [], "blocked": [], "left": [], "wrong": []}
    copies = {name: [*nothing[name], *found.get(name, [])] for name in ("failures", "locked", "waiting", "blocked")}
    journal = {name: [*nothing[name], *found.get(name, [])] for name in ("left", "wrong")}
    lines = worked_out(
        loaded("vars/main.yml")["_glance_switch_held"],
        _glance_switch_copies=copies,
        _glance_switch_journal=journal,
        glance_switch_leave_behind=list(leave_behind),
    )
    assert all("  name of " in line and "  reason of " in line for line in lines)
    return [line.split()[0] for line in lines]


def test_gate_names_what_is_not_proved() -> None:
    queued, broken = row("queued", attention=False), row("broken", attention=True)
    assert held(blocked=[queued], waiting=[row("upload", attention=False)]) == []
    assert held(blocked=[queued, broken], failures=[row("failed")], wrong=[row("wrong")]) == [
        "failed",
        "broken",
        "wrong",
    ]


def test_gate_is_shut_as_long_as_an_import_is_alive() -> None:
    assert held(left=[row("locked")], waiting=[row("locked", attention=True)]) == ["locked"]
    assert held(["locked"], left=[row("locked")]) == []


def test_gate_does_not_wait_for_those_who_never_stop_to_upload() -> None:
    assert held(left=[row("late", late=True)]) == []


# --- when tasks are run -----------------------------------------------------------------------------------------------


def is_run(file: str, name: str, **variables: t.Any) -> bool:
    """Tell whether a task of the role is run."""
    when = task(file, name)["when"]
    conditions = when if isinstance(when, list) else [when]
    return all(worked_out(trust_as_template(f"{{{{ {condition} }}}}"), **variables) for condition in conditions)


def phase_of(file: str, name: str) -> dict[str, t.Any]:
    """Return the only event that a task notes."""
    (event,) = task(file, name)["vars"]["_glance_switch_events"]
    return dict(event)


@pytest.mark.parametrize(
    ("waiting", "newest", "run"),
    [(0, "started", True), (0, "failed", True), (0, "finished", False), (2, "started", False), (0, "", False)],
)
def test_verification_that_was_killed_after_its_last_copy_is_ended(waiting: int, newest: str, run: bool) -> None:
    name = "Verify | Note the end of what an earlier run has begun"
    phases = {"verify": {"state": newest}} if newest else {}
    journal = {"waiting": waiting, "phases": phases}
    assert is_run("verify", name, _glance_switch_journal=journal) == run
    assert phase_of("verify", name) == {"event": "phase", "phase": "verify", "state": "finished"}


@pytest.mark.parametrize(("host", "run"), [("one", False), ("two", True)])
def test_end_of_adding_is_noted_after_the_last_controller(host: str, run: bool) -> None:
    name = "Add | Note that every controller has both stores"
    assert is_run("add", name, inventory_hostname=host, ansible_play_hosts_all=["one", "two"]) == run
    # Of no controller: so it ends what has stopped before any of them had its turn.
    assert phase_of("add", name) == {"event": "phase", "phase": "add", "state": "finished"}
    assert [each["name"] for each in loaded("tasks/add.yml")][-1] == name


@pytest.mark.parametrize(("discarded", "run"), [([], False), (["a"], True)])
def test_copies_are_made_again_only_where_some_were_taken_away(discarded: list[str], run: bool) -> None:
    name = "Mend | Copy again what was taken away"
    assert is_run("mend", name, _glance_switch_journal={"discarded": discarded}) == run
    assert [each["name"] for each in tasks(loaded("tasks/mend.yml")) if "remake.yml" in str(each)] == [name]
    assert "announce.yml" not in str(loaded("tasks/mend.yml"))


IN_CEPH = {"name": "rbd", "type": "rbd", "becomes": "local"}


@pytest.mark.parametrize(
    ("stores", "name"),
    [
        ([IN_CEPH], "rbd"),
        ([{**IN_CEPH, "name": "local"}, {**IN_CEPH, "becomes": "objects"}], "local"),
        ([{**IN_CEPH, "type": "file"}], ""),
        ([{**IN_CEPH, "becomes": "objects"}], ""),
        ([], ""),
    ],
)
def test_clones_are_looked_for_where_the_old_store_is_in_ceph(stores: list[dict[str, str]], name: str) -> None:
    variables = {"_glance_switch_guard": {"stores": stores}}
    assert worked_out(loaded("vars/main.yml")["_glance_switch_source_in_ceph"], **variables) == name
    for file in ("plan", "retire"):
        (include,) = [
            each for each in tasks(loaded(f"tasks/{file}.yml")) if "clones.yml" in str(each) and "when" in each
        ]
        assert is_run(file, include["name"], **variables) == bool(name)


def test_clones_are_noted_once() -> None:
    name = "Journal | Note which images have clones"
    noted = {"event": "clones", "images": [], "notes": []}
    found = {**noted, "images": [{"image_id": "a", "clones": 1, "first": ["volumes/a"]}]}
    for event, known, run in ((found, noted, True), (noted, found, True), (found, found, False)):
        variables = {"_glance_switch_clones": {"event": event}, "_glance_switch_journal": {"clones": known}}
        assert is_run("begin", name, **variables) == run
    assert not is_run("begin", name, _glance_switch_journal={"clones": noted})


@pytest.mark.parametrize(
    ("token", "check", "clones", "stops"),
    [
        ("7d4f", False, {"unseen": "timed out"}, True),
        ("7d4f", False, {"unseen": ""}, False),
        ("7d4f", True, {"unseen": "timed out"}, False),
        ("", False, {"unseen": "timed out"}, False),
    ],
)
def test_nothing_is_deleted_where_ceph_tells_nothing(
    token: str, check: bool, clones: dict[str, str], stops: bool
) -> None:
    name = "Retire | Stop when Ceph does not tell of them"
    variables = {"glance_switch_token": token, "ansible_check_mode": check, "_glance_switch_clones": clones}
    that = task("retire", name)["ansible.builtin.assert"]["that"]
    is_fine = worked_out(trust_as_template(f"{{{{ {that} }}}}"), **variables)
    assert (is_run("retire", name, **variables) and not is_fine) == stops
    names = [each["name"] for each in tasks(loaded("tasks/retire.yml"))]
    assert names.index(name) < names.index("Retire | Delete, or without a token show the plan")


def test_retirement_of_a_store_that_is_not_in_ceph_asks_nothing_of_clones() -> None:
    look = "Retire | Look for clones"
    assert is_run("retire", look, _glance_switch_source_in_ceph="fast")
    assert not is_run("retire", look, _glance_switch_source_in_ceph="")
    asked = [each for each in tasks(loaded("tasks/retire.yml")) if "_glance_switch_clones" in str(each)]
    inside = [*tasks([task("retire", look)]), task("retire", "Retire | Show the plan")]
    assert all(each in inside or "block" in each for each in asked)


def test_what_the_gate_reads_is_never_registered_by_a_task_that_may_be_skipped() -> None:
    for path in sorted((ROLE / "tasks").glob("*.yml")):
        for each in tasks(loaded(f"tasks/{path.name}")):
            inner = [one for one in tasks(each.get("block", [])) if one.get("register") == "_glance_switch_journal"]
            own = [each] if each.get("register") == "_glance_switch_journal" else []
            assert "when" not in each or not [*inner, *own], (path.name, each["name"])


@pytest.mark.parametrize(
    ("copies", "dead", "run"),
    [({"locked": ["a"]}, ["t"], True), ({"failures": ["a"]}, [], False), ({}, ["t"], False)],
)
def test_copies_are_made_once_more_where_clearing_away_helped(
    copies: dict[str, t.Any], dead: list[str], run: bool
) -> None:
    variables = {
        "_glance_switch_copies": {"locked": [], "failures": [], "gone": [], **copies},
        "_glance_switch_dead_tasks": dead,
        "_glance_switch_copied_into": ["new"],
        "_glance_switch_nodes": [],
        "hostvars": {},
    }
    assert is_run("again", "Again | Clear away what dead copies have left", **variables) == bool(copies)
    assert is_run("again", "Again | Copy once more, where that helped", **variables) == run
    # The condition of a block is asked again for every task that is included, after the copies have changed the answer.
    assert [each["name"] for each in loaded("tasks/again.yml") if "block" in each] == []
