# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Runs of the playbook switch_store, as an operator types them, and what they leave behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass

from playbook import ENVIRONMENT, ROOT, Outcome, Playbook

if t.TYPE_CHECKING:
    from pathlib import Path

    from bed import Api, Bed
    from seed import Planted

SWITCH = "openstack_ops.glance.switch_store"
SITE = "openstack_ops.glance.site"
TIMEOUT = 3600
MIRROR = "/var/lib/glance/switch"
# With this file, Glance tells load balancers to send no more requests.
OUT_OF_SERVICE = "/etc/glance/healthcheck_disable"
STAGED = "find /var/lib/glance/staging -type f"
# By which line of the output a phase is known to have begun.
PHASE_LINES = {
    "plan": "PLAY [Plan the switch",
    "add": "PLAY [Add the new store",
    "copy": ": Copy | ",
    "verify": ": Verify | ",
    "cut_over": "PLAY [Cut over",
}
# As the plan of retiring prints it.
TOKEN = re.compile(r"glance_switch_token=([\w:.-]+)")
Record = dict[str, t.Any]


@dataclass(frozen=True)
class Ends:
    """From which store to which."""

    source: str
    target: str

    @property
    def reversed(self) -> Ends:
        """Return the way back."""
        return Ends(self.target, self.source)


class Switch:
    """The playbook, with a directory of journals that no other test has."""

    def __init__(self, directory: Path, bed: Bed, api: Api) -> None:
        self.journals = directory / "switches"
        self._scope = {"glance_hosts": bed.group}
        self._bed = bed
        self._api = api
        self._playbook = Playbook(directory, SWITCH, TIMEOUT)
        self._site = Playbook(directory, SITE, TIMEOUT)

    def begin_with(self, store: str, **variables: t.Any) -> None:
        """Let a store be the default one, and forget the switches of other tests, ended or not."""
        for controller in self._bed.controllers:
            self._bed.on(controller, f"rm -rf {MIRROR} {OUT_OF_SERVICE}")
        if variables or self.default_store() != store:
            outcome = self._site.run(variables={**self._scope, "glance_default_store": store, **variables})
            assert outcome.status == 0, outcome.text
        self._bed.wait_until_healthy()

    def default_store(self) -> str:
        """Return the store that uploads go to; nothing where Glance has a single store."""
        answer = self._api.request("GET", "/info/stores")
        stores = answer.json()["stores"] if answer.status_code == 200 else []
        return next((store["id"] for store in stores if store.get("default")), "")

    def start(self, ends: Ends, *arguments: str, **variables: t.Any) -> subprocess.Popen[str]:
        """Start the playbook; a variable is named without glance_switch_."""
        return self._playbook.start(*arguments, variables=self._variables(ends, variables))

    def run(self, ends: Ends, *arguments: str, **variables: t.Any) -> Outcome:
        """Run the playbook to its end."""
        return self._playbook.run(*arguments, variables=self._variables(ends, variables))

    def measure(self, ends: Ends, *arguments: str) -> tuple[Outcome, float, int]:
        """Run the playbook; return how it ended, its seconds, and the KiB of its largest process."""
        begin = time.monotonic()
        process = self.start(ends, *arguments)
        assert process.stdout is not None
        text = process.stdout.read()
        _process, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Outcome(process.returncode, text), time.monotonic() - begin, usage.ru_maxrss

    def follow(
        self,
        process: subprocess.Popen[str],
        hear: t.Callable[[str], None],
        look: t.Callable[[str], None] = lambda line: None,
    ) -> Outcome:
        """Read what a run prints until it ends; tell of each phase that it begins, and show each line."""
        assert process.stdout is not None
        lines, begun = [], set()
        for line in process.stdout:
            lines.append(line)
            look(line)
            for phase in {phase for phase, sign in PHASE_LINES.items() if sign in line} - begun:
                begun.add(phase)
                hear(phase)
        return Outcome(process.wait(TIMEOUT), "".join(lines))

    def interrupt(self, ends: Ends, task: str, delay: float, **variables: t.Any) -> tuple[Outcome, float]:
        """Press Ctrl-C some seconds after a task has begun; return how the run ended, and how many seconds that took.

        Once only: at the second one, Ansible is gone before it has told anything.
        """
        process = self.start(ends, **variables)
        pressed: list[float] = []

        def press() -> None:
            pressed.append(time.monotonic())
            os.killpg(process.pid, signal.SIGINT)

        timer = threading.Timer(delay, press)

        def look(line: str) -> None:
            if line.startswith("TASK [") and task in line and not timer.ident:
                timer.start()

        outcome = self.follow(process, lambda phase: None, look)
        timer.cancel()
        assert pressed, outcome.text
        return outcome, time.monotonic() - pressed[0]

    def go_on(self, outcome: Outcome) -> Outcome:
        """Do what an interrupted run has told its operator to do."""
        (command,) = re.findall(r"^Go on:\n(.*)$", outcome.text, re.MULTILINE)
        ran = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            text=True,
            check=False,
        )
        return Outcome(ran.returncode, ran.stdout)

    def _variables(self, ends: Ends, others: dict[str, t.Any]) -> dict[str, t.Any]:
        named = {"from": ends.source, "to": ends.target, "directory": str(self.journals), **others}
        return {**self._scope, **{f"glance_switch_{name}": value for name, value in named.items() if value is not None}}

    def report(self, ends: Ends) -> Record:
        """Return the report of a switch."""
        path = self.journals / f"{ends.source}-{ends.target}" / "report.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def token(self, ends: Ends) -> str:
        """Return the token that the plan of retiring prints."""
        outcome = self.run(ends, phase="retire")
        assert outcome.status == 0, outcome.text
        found = TOKEN.findall(outcome.text)
        assert found, outcome.text
        return str(found[0])

    def retire(self, ends: Ends, **variables: t.Any) -> None:
        """Let go of the old store."""
        outcome = self.run(ends, phase="retire", token=self.token(ends), **variables)
        assert outcome.status == 0, outcome.text

    def switch(self, ends: Ends, **variables: t.Any) -> Record:
        """Run a switch that has to succeed, and return its report."""
        outcome = self.run(ends, **variables)
        assert outcome.status == 0, outcome.text
        return self.report(ends.reversed if variables.get("phase") == "back" else ends)


def stores_of(api: Api, planted: t.Iterable[Planted]) -> dict[str, set[str]]:
    """Return in which stores each image is that has data."""
    chosen = [image for image in planted if not image.plan.queued]
    return {image.image_id: set(api.show(image.image_id)["stores"].split(",")) for image in chosen}


def stuck(bed: Bed, api: Api) -> list[str]:
    """Return what a switch must not leave: locks, failed imports, staged files."""
    found = [
        f"{image['id']} has {name}={image[name]}"
        for image in api.all_images().values()
        for name in ("os_glance_import_task", "os_glance_importing_to_stores", "os_glance_failed_import")
        if image.get(name)
    ]
    for controller in bed.controllers:
        found += [f"{controller} has {path}" for path in bed.on(controller, STAGED).splitlines()]
    return found
