# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Runs the playbook as an operator does, with some variables changed, for the tests of all scenarios."""

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

import yaml

ROOT = Path(__file__).parents[1]
INVENTORY = ROOT / "molecule" / "shared" / "inventory"
SECOND_CONTROLLER = ROOT / "molecule" / "shared" / "second_controller"
# Those that the scenario gives to ansible-playbook beside the common one.
FURTHER_INVENTORIES = os.environ.get("FURTHER_INVENTORIES", "").split()
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
    def unfolded(self) -> str:
        """Return the text in one line: what is long, the callback plugin folds."""
        return " ".join(self.text.split())

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
    """A playbook of the collection on the nodes of the scenario."""

    def __init__(self, directory: Path, name: str = PLAYBOOK, timeout: float = TIMEOUT) -> None:
        self._variables = directory / "variables.json"
        self._name = name
        self._timeout = timeout

    def start(self, *arguments: str, variables: t.Optional[dict[str, t.Any]] = None) -> subprocess.Popen[str]:
        inventories = [word for path in (str(INVENTORY), *FURTHER_INVENTORIES) for word in ("-i", path)]
        self._variables.write_text(json.dumps(variables or {}), encoding="utf-8")
        # What a shell has put into the background ignores Ctrl-C, and so would all that it starts.
        listening = ["env", "--default-signal=INT"]
        return subprocess.Popen(
            [*listening, "ansible-playbook", *inventories, self._name, "-e", f"@{self._variables}", *arguments],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, variables: t.Optional[dict[str, t.Any]] = None) -> Outcome:
        process = self.start(*arguments, variables=variables)
        text = process.communicate(timeout=self._timeout)[0]
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
        return Outcome(process.wait(self._timeout), "".join(seen))


def press_until_heard(process: subprocess.Popen[str]) -> None:
    # While it starts a worker, ansible-core hears no signal.
    with contextlib.suppress(ProcessLookupError):
        while process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.5)


def refused(outcome: Outcome, *words: str, failed: int = 1) -> None:
    """Check that a run failed, said once what was wrong, and changed nothing.

    :param failed: on how many controllers.
    """
    assert outcome.status != 0, outcome.text
    assert outcome.hosts, outcome.text
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
    assert sum(counts["failed"] for counts in outcome.hosts.values()) == failed, outcome.text
    assert len(outcome.messages) == 1, outcome.text
    missing = [word for word in words if word not in outcome.messages[0]]
    assert not missing, outcome.messages[0]
    assert "What to do" in outcome.messages[0]


def variables_of(test: str) -> dict[str, t.Any]:
    """Return the variables that the scenario of a test file adds, with their templates."""
    path = Path(test).parents[1] / "inventory" / "group_vars" / "glance_api.yml"
    variables = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(variables, dict)
    return variables


def with_store(variables: dict[str, t.Any], name: str, **options: t.Any) -> dict[str, t.Any]:
    """Return the stores with some options of one changed; None takes an option out."""
    store = {**variables["glance_stores"].get(name, {}), **options}
    store = {option: value for option, value in store.items() if value is not None}
    return {"glance_stores": {**variables["glance_stores"], name: store}}


def without_store(variables: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    """Return the stores without one."""
    return {"glance_stores": {other: store for other, store in variables["glance_stores"].items() if other != name}}
