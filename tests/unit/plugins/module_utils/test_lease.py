# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Who may switch stores, and how it is seen that a run has ended."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_lease
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_lease import (
    Lease,
    begin_of,
    holder_of,
    is_alive,
    is_same,
    refusal,
)


def ended() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def lease(tmp_path: Path) -> Lease:
    return Lease(str(tmp_path / "switch"))


def test_the_first_run_gets_it_and_the_second_is_told_who_has_it(lease: Lease) -> None:
    first, second = holder_of(os.getpid(), "local to objects"), holder_of(os.getppid(), "objects to fast")
    assert is_same(lease.take(first, None), first)
    assert is_same(lease.take(second, None), first)
    assert is_same(lease.holder(), first)
    assert os.stat(lease.path).st_mode & 0o777 == 0o640


def test_a_run_may_take_its_own_again(lease: Lease) -> None:
    first = holder_of(os.getpid(), "local to objects")
    lease.take(first, None)
    assert is_same(lease.take(holder_of(os.getpid(), "again"), None), first)


def test_it_is_taken_only_from_the_run_that_was_judged(lease: Lease) -> None:
    dead, other, new = ({**holder_of(os.getpid(), "x"), "process": number} for number in (11, 12, 13))
    lease.take(dead, None)
    assert is_same(lease.take(new, other), dead)
    assert is_same(lease.take(new, dead), new)
    # Whoever judged at the same time comes too late.
    assert is_same(lease.take(other, dead), new)


def test_only_its_holder_gives_it_up(lease: Lease) -> None:
    first, second = holder_of(os.getpid(), "x"), holder_of(os.getppid(), "y")
    lease.take(first, None)
    assert not lease.release(second)
    assert lease.release(first)
    assert lease.holder() == {}
    assert not lease.release(first)


def test_torn_file_keeps_nobody_out(lease: Lease) -> None:
    first = holder_of(os.getpid(), "x")
    lease.take(first, None)
    Path(lease.path).write_text('{"host": "ops', encoding="utf-8")
    assert lease.holder() == {}
    assert is_same(lease.take(first, None), first)


def test_file_that_cannot_be_read_is_an_error(lease: Lease) -> None:
    os.makedirs(lease.path)
    with pytest.raises(GlanceError, match=r"reading .*lease\.json"):
        lease.holder()


def test_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GlanceError, match="What to do: make room"):
        Lease(str(tmp_path / "file" / "switch")).take(holder_of(os.getpid(), "x"), None)


def test_run_is_alive_as_long_as_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_alive(holder_of(os.getpid(), "x")) is True
    assert is_alive(holder_of(ended(), "x")) is False
    # The number was given to another process since.
    assert is_alive({**holder_of(os.getpid(), "x"), "begun": "earlier"}) is False
    assert is_alive({**holder_of(os.getpid(), "x"), "host": "elsewhere"}) is None
    monkeypatch.setattr(_switch_lease, "BOOT_ID", "/nowhere")
    assert begin_of(os.getpid()) == ""
    assert is_alive(holder_of(os.getpid(), "x")) is True


def test_run_of_which_nothing_more_is_known_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = holder_of(os.getpid(), "x")
    assert seen["begun"]
    assert is_alive({**seen, "begun": ""}) is True
    # As where /proc shows nobody the processes of others.
    monkeypatch.setattr(_switch_lease, "BOOT_ID", "/nowhere")
    assert is_alive(seen) is True
    assert is_alive({**seen, "process": ended()}) is False


def test_run_on_a_machine_of_the_same_name_is_not_judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = {**holder_of(os.getpid(), "x"), "process": ended()}
    assert is_alive(here) is False
    assert is_alive({name: value for name, value in here.items() if name != "machine"}) is None
    (tmp_path / "machine-id").write_text("5f3c\n", encoding="ascii")
    monkeypatch.setattr(_switch_lease, "MACHINE_ID", str(tmp_path / "machine-id"))
    there = holder_of(os.getpid(), "x")
    assert there["machine"].startswith("5f3c/")
    assert is_alive(here) is None
    assert not is_same(here, {**here, "machine": there["machine"]})
    # Another container of the same machine.
    monkeypatch.setattr(_switch_lease, "NAMESPACE", str(tmp_path))
    assert is_alive(there) is None


def test_machine_of_which_nothing_is_known_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_switch_lease, "MACHINE_ID", "/nowhere")
    monkeypatch.setattr(_switch_lease, "NAMESPACE", "/nowhere")
    assert is_alive(holder_of(os.getpid(), "x")) is True
    assert is_alive(holder_of(ended(), "x")) is False


def test_link_in_place_of_a_file_is_not_followed(lease: Lease, tmp_path: Path) -> None:
    first = holder_of(os.getpid(), "x")
    victim = tmp_path / "victim"
    victim.write_text("kept", encoding="utf-8")
    os.makedirs(os.path.dirname(lease.path))
    os.symlink(victim, f"{lease.path}.new")
    assert is_same(lease.take(first, None), first)
    assert (victim.read_text(encoding="utf-8"), os.path.islink(lease.path)) == ("kept", False)
    lock = tmp_path / "switch" / "lease.lock"
    lock.unlink()
    lock.symlink_to(tmp_path / "made")
    with pytest.raises(GlanceError, match=r"writing .*lease\.json"):
        lease.take(first, None)
    assert not (tmp_path / "made").exists()


def test_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "switch").symlink_to(tmp_path / "other")
    with pytest.raises(GlanceError, match=r"writing .*lease\.json"):
        Lease(str(tmp_path / "switch")).take(holder_of(os.getpid(), "x"), None)
    assert os.listdir(tmp_path / "other") == []


def test_directory_of_somebody_else_is_refused(lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    os.makedirs(os.path.dirname(lease.path))
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(GlanceError, match=f"owned by the user {owner}.*What to do: .*chown"):
        lease.take(holder_of(os.getpid(), "x"), None)
    assert os.listdir(os.path.dirname(lease.path)) == []


@pytest.mark.parametrize(
    ("host", "words"),
    [(None, "end it with Ctrl-C"), ("elsewhere", "glance_switch_take_over=true")],
)
def test_refusal_names_the_other_run_and_what_to_do(host: str, words: str) -> None:
    holder = {**holder_of(os.getpid(), "local to objects"), **({"host": host} if host else {})}
    text = str(refusal(holder, "2026-11-21T12:00:00Z"))
    assert words in text
    for word in (holder["user"], holder["host"], str(os.getpid()), holder["since"], "local to objects", "12:00:00"):
        assert word in text


def test_heard_is_when_something_was_written_last(lease: Lease, tmp_path: Path) -> None:
    lease.take(holder_of(os.getpid(), "x"), None)
    journal = tmp_path / "switch" / "local-objects" / "journal.jsonl"
    journal.parent.mkdir()
    journal.touch()
    os.utime(journal, (4102444800, 4102444800))
    assert lease.heard() == "2100-01-01T00:00:00Z"
