# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What Ansible said while it deployed: check mode announces what then happens, and nothing tells a secret."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

import pytest

LINE = re.compile(r"^\S+ \S+ p=\d+ u=\S+ n=ansible \w+\| (.*)$")


class Run(t.NamedTuple):
    """One run of ansible-playbook, as far as it deployed Glance."""

    checked: bool
    changed: list[str]
    text: str


@pytest.fixture(scope="module")
def log() -> str:
    return Path(os.environ["DEPLOYMENT_LOG"]).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def runs(log: str) -> list[Run]:
    """Return the runs since the last one in check mode."""
    found = [run for run in map(read_run, re.split(r"(?m)^.*\| PLAY RECAP .*$", log)) if run is not None]
    last_check = max(number for number, run in enumerate(found) if run.checked)
    return found[last_check:]


def read_run(text: str) -> t.Optional[Run]:
    lines = [match.group(1) if (match := LINE.match(line)) else line for line in text.splitlines()]
    if not any(line.startswith("PLAY [Deploy Glance]") for line in lines):
        return None
    changed: list[str] = []
    task = ""
    for line in lines:
        if heading := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*?)\]", line):
            task = heading.group(1)
        elif line.startswith("changed: ") and task not in changed:
            changed.append(task)
    return Run(checked="[CHECK MODE]" in text, changed=changed, text=text)


def test_runs_are_there(runs: list[Run]) -> None:
    assert [run.checked for run in runs] == [True, False, False]


def test_check_mode_announces_what_the_deployment_changes(runs: list[Run]) -> None:
    check, deployment = runs[:2]
    assert any("Install Glance" in task for task in deployment.changed), "the node was not virgin"
    assert check.changed == deployment.changed


def test_second_deployment_changes_nothing(runs: list[Run]) -> None:
    assert runs[-1].changed == []


def test_nothing_tells_a_secret(log: str, secrets: set[str]) -> None:
    assert "TASK [" in log
    assert not [secret for secret in secrets if secret in log]
