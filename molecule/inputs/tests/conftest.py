# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Runs the playbook as an operator does, with some variables changed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
INVENTORY = ROOT / "molecule" / "shared" / "inventory"
SECOND_CONTROLLER = ROOT / "molecule" / "shared" / "second_controller"
PLAYBOOK = "openstack_ops.glance.site"
TIMEOUT = 600
# As an operator's shell has it: molecule's own settings for Ansible, such as its colours, are left out.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))},
    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
}


class Outcome(t.NamedTuple):
    """What a run of ansible-playbook ended with."""

    status: int
    text: str

    @property
    def hosts(self) -> dict[str, dict[str, int]]:
        """Return the counts of the recap by host."""
        recap = self.text.partition("PLAY RECAP")[2]
        lines = re.findall(r"^(\S+)\s+:\s+(ok=.*)$", recap, re.MULTILINE)
        return {
            host: {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in lines
        }

    @property
    def messages(self) -> list[str]:
        """Return the message of each error."""
        return re.findall(r"^\[ERROR\]: (.*?)^Origin: ", self.text, re.MULTILINE | re.DOTALL)


class Playbook:
    """The playbook site on the nodes of the scenario."""

    def __init__(self, directory: Path) -> None:
        self._variables = directory / "variables.json"

    def start(self, *arguments: str, variables: t.Optional[dict[str, t.Any]] = None) -> subprocess.Popen[str]:
        self._variables.write_text(json.dumps(variables or {}), encoding="utf-8")
        return subprocess.Popen(
            ["ansible-playbook", "-i", str(INVENTORY), PLAYBOOK, "-e", f"@{self._variables}", *arguments],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, variables: t.Optional[dict[str, t.Any]] = None) -> Outcome:
        process = self.start(*arguments, variables=variables)
        text = process.communicate(timeout=TIMEOUT)[0]
        return Outcome(process.returncode, text)

    def interrupt(self, task: str, *arguments: str) -> Outcome:
        """Press Ctrl-C as soon as a task has begun, and again until it is heard."""
        process = self.start(*arguments)
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if line.startswith("TASK [") and task in line:
                threading.Thread(target=press_until_heard, args=(process,), daemon=True).start()
        return Outcome(process.wait(TIMEOUT), "".join(seen))


def press_until_heard(process: subprocess.Popen[str]) -> None:
    # While it starts a worker, ansible-core hears no signal.
    with contextlib.suppress(ProcessLookupError):
        while process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.5)


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    """Return the playbook, ready to be run."""
    return Playbook(tmp_path)


@pytest.fixture(scope="session")
def inventory() -> dict[str, t.Any]:
    """Return the variables of the controllers as they are written, with their templates."""
    variables = yaml.safe_load((INVENTORY / "group_vars" / "glance_api.yml").read_text(encoding="utf-8"))
    assert isinstance(variables, dict)
    return variables
