# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What every task of a role has to keep to."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BLOCKS = ("block", "rescue", "always")
FILES = sorted(ROOT.glob("roles/*/tasks/*.yml"))


def tasks(entries: list[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    """Yield the tasks, those in blocks too."""
    for entry in entries:
        yield entry
        for name in BLOCKS:
            yield from tasks(entry.get(name, []))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_controller_that_is_away_does_not_end_the_run(path: Path) -> None:
    # To ansible-core, a task that runs once, or in a play in which any error is fatal, has failed all hosts then.
    found = tasks(yaml.safe_load(path.read_text(encoding="utf-8")) or [])
    assert [task["name"] for task in found if task.get("ignore_unreachable") and not task.get("ignore_errors")] == []
