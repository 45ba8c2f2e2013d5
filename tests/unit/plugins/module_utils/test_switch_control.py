# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What can be changed while images are copied, and what is told of them meanwhile."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_control
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_control import Control, Pace
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_progress import (
    CopyProgress,
    Meter,
    read_copy_progress,
    write_copy_progress,
)

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", (False, 2, 0)),
        ("{}", (False, 2, 0)),
        ('{"paused": true}', (True, 2, 0)),
        ("transfers: 4\nbandwidth: 1000\n", (False, 4, 1000)),
    ],
)
def test_what_the_file_says_wins(tmp_path: t.Any, text: str, wanted: tuple[bool, int, int]) -> None:
    path = tmp_path / "control"
    path.write_text(text)
    control = Control(str(path), 2, 0)
    control.refresh()
    assert (control.paused, control.transfers, control.bandwidth, control.problem) == (*wanted, "")
    path.unlink()
    control.refresh()
    assert (control.paused, control.transfers, control.bandwidth) == (False, 2, 0)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[1]", "it has to be a dictionary"),
        (b"{", "neither JSON nor YAML"),
        (b"\xff", "cannot be read"),
        (b"pause: true", "pause is none of paused, transfers, bandwidth"),
        (b"paused: 1", "paused is 1, and has to be true or false"),
        (b"transfers: 0", "transfers is 0"),
        (b"transfers: 33", "a number from 1 to 32"),
        (b"transfers: true", "transfers is True"),
        (b"bandwidth: -1", "bandwidth is -1"),
        (b"bandwidth: 1 MiB", "bandwidth is '1 MiB'"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(tmp_path: t.Any, content: bytes, problem: str) -> None:
    path = tmp_path / "control"
    path.write_text("transfers: 5")
    control = Control(str(path), 2, 0)
    control.refresh()
    path.write_bytes(content)
    control.refresh()
    assert problem in control.problem
    assert (control.paused, control.transfers, control.bandwidth) == (False, 5, 0)


def test_the_pace_pays_for_what_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(_switch_control.time, "monotonic", lambda: now[0])
    pace = Pace()
    taken = 0
    for _tick in range(1000):
        now[0] += 0.1
        while pace.allows(1000):
            pace.take(500, 1000)
            taken += 500
    # 100 seconds at 1000 a second, and a second's worth in advance.
    assert 99_000 <= taken <= 102_000
    pace.take(10**9, 1000)
    assert not pace.allows(1000)
    assert pace.allows(0)
    assert pace.allows(1000)


def test_a_line_of_progress() -> None:
    progress = CopyProgress("local -> objects", 12, 50, 100 * MIB, 400 * MIB, 10.0, 1, ["a on one"] * 5, "paused")
    assert progress.line() == (
        "local -> objects: 12 of 50 images, 100 MiB of 400 MiB, 10.0 MiB/s, 30.0 s left, 1 failed, paused;"
        " now a on one, a on one, a on one, 2 more"
    )
    assert CopyProgress("x", 0, 5, 0, 5, 0.0, 0, []).line() == "x: 0 of 5 images, 0 B of 5 B"


def test_progress_is_written_and_read(tmp_path: t.Any) -> None:
    progress = CopyProgress("x", 1, 2, 3, 4, 5.0, 0, ["a"])
    path = str(tmp_path / "progress")
    assert read_copy_progress(path) is None
    write_copy_progress(path, progress)
    assert read_copy_progress(path) == progress
    write_copy_progress(str(tmp_path / "missing" / "progress"), progress)
    write_copy_progress(None, progress)


def test_waiting_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(_switch_control.time, "monotonic", lambda: now[0])
    meter = Meter()
    assert meter.rate == 0.0
    for working in (True, False, True):
        now[0] += 10
        meter.tick(working)
    meter.bytes = 200
    assert (meter.seconds, meter.rate) == (20.0, 10.0)
