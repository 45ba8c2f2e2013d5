# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""``gate.py STAGE...``: runs make targets, stops at the first that fails, and ends with a table of them.

A stage is one or more lanes joined by ``+``, which run side by side; a lane is one or more targets joined by ``,``,
which run one after the other. ``lint sanity+units,parity molecule`` has three stages, and two lanes in the second.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

LOGS = Path(".cache/gate")
GRACE = 20  # seconds that an interrupted target gets to clean up, before it is told again and less politely


class Step:
    """One make target, and what became of it."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.result = "not run"
        self.seconds = 0.0
        self.process: t.Optional[subprocess.Popen[str]] = None

    def run(self, show: t.Callable[[str], None]) -> None:
        """Run the target, give each line of its output to ``show`` and to its log."""
        started = time.monotonic()
        with (LOGS / f"{self.target}.log").open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["make", "--no-print-directory", self.target],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            assert self.process.stdout is not None
            for line in self.process.stdout:
                log.write(line)
                show(line.rstrip("\n"))
            status = self.process.wait()
        self.seconds = time.monotonic() - started
        if self.result != "stopped":
            self.result = "passed" if status == 0 else "FAILED"

    def interrupt(self) -> None:
        """Stop the target as Ctrl-C would, so that it cleans up."""
        if self.process is None or self.process.poll() is not None:
            return
        self.result = "stopped"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            os.killpg(self.process.pid, number)
            try:
                self.process.wait(GRACE)
                return
            except subprocess.TimeoutExpired:
                continue


class Gate:
    """All stages, in order."""

    def __init__(self, stages: list[str]) -> None:
        self.stages = [[[Step(target) for target in lane.split(",")] for lane in stage.split("+")] for stage in stages]
        self.console = Console(highlight=False, soft_wrap=True)
        self.stopping = threading.Event()

    @property
    def steps(self) -> list[Step]:
        """Every step of every stage."""
        return [step for stage in self.stages for lane in stage for step in lane]

    def run(self) -> int:
        """Run the stages and return the exit status."""
        LOGS.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        for stage in self.stages:
            if not self.stopping.is_set():
                self._run_stage(stage)
        self._summary(time.monotonic() - started)
        return 0 if all(step.result == "passed" for step in self.steps) else 1

    def _run_stage(self, stage: list[list[Step]]) -> None:
        with ThreadPoolExecutor(max_workers=len(stage)) as pool:
            lanes = [pool.submit(self._run_lane, lane, len(stage) > 1) for lane in stage]
            try:
                for lane in lanes:
                    lane.result()
            except KeyboardInterrupt:
                self.console.print("Interrupted: stopping what is running.")
                self._stop()

    def _run_lane(self, lane: list[Step], prefixed: bool) -> None:
        for step in lane:
            if self.stopping.is_set():
                return
            prefix = f"{step.target:>9} | " if prefixed else ""
            self.console.rule(f"make {step.target}", align="left")
            step.run(functools.partial(self._show, prefix))
            if step.result == "FAILED":
                self._stop()

    def _show(self, prefix: str, line: str) -> None:
        self.console.print(Text.from_ansi(prefix + line))

    def _stop(self) -> None:
        self.stopping.set()
        for step in self.steps:
            step.interrupt()

    def _summary(self, seconds: float) -> None:
        table = Table("step", "seconds", "result")
        table.columns[1].justify = "right"
        for step in self.steps:
            style = {"passed": "green", "FAILED": "bold red"}.get(step.result, "yellow")
            table.add_row(step.target, f"{step.seconds:.0f}" if step.process else "", Text(step.result, style))
        table.add_section()
        table.add_row("in all", f"{seconds:.0f}", "")
        self.console.print(table)
        for step in self.steps:
            if step.result == "FAILED":
                self.console.print(f"`make {step.target}` failed. Its output: {LOGS / step.target}.log")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(Gate(sys.argv[1:]).run())
