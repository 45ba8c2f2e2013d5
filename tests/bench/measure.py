# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""One command, measured from its start to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = 0.2
"""Seconds between two looks at the memory of processes; the kernel keeps the peak of each."""
GRACE = 15
"""Seconds that an interrupted command has to clean up."""


class FailedError(Exception):
    """A command that did not do what is measured."""


class Run(t.NamedTuple):
    """What a command took.

    :param wall: seconds.
    :param cpu: user and system seconds of the command and of all its descendants that it waited for.
    :param memory: the largest peak in MiB of one process that is not ansible-playbook itself; None where nobody looked,
        or found one.
    """

    wall: float
    cpu: float
    memory: t.Optional[float]
    output: str


class Memory(threading.Thread):
    """Looks at the processes below one, until it is told to stop."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._stopped = threading.Event()
        self.peak = 0.0

    def run(self) -> None:
        while not self._stopped.wait(SAMPLE):
            self.peak = max([self.peak, *map(peak_of, descendants(self._root))])

    def stop(self) -> float:
        """Return the largest peak in MiB."""
        self._stopped.set()
        self.join()
        return self.peak


def descendants(root: int) -> t.Iterator[int]:
    """Yield a process and all below it, as far as they are still there."""
    yield root
    for task in Path(f"/proc/{root}/task").glob("*/children"):
        try:
            children = [int(word) for word in task.read_text(encoding="ascii").split()]
        except OSError:
            continue
        for child in children:
            yield from descendants(child)


def peak_of(process: int) -> float:
    """Return the peak memory of a process in MiB; that of ansible-playbook, which every play has, counts as 0."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    if b"ansible-playbook" in command:
        return 0.0
    found = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0].split()[1]) / 1024 if found else 0.0


def environment(added: dict[str, str]) -> dict[str, str]:
    """Return the environment of all measured commands: an operator's, without settings of this shell."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_", "OS_"))}
    return {**kept, "LC_ALL": "C.UTF-8", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **added}


def run(
    command: t.Sequence[str], *, timeout: float, memory: bool = False, added: t.Optional[dict[str, str]] = None
) -> Run:
    """Run a command to its end.

    :param timeout: seconds after which it is stopped.
    :param memory: whether to look at the memory of its processes.
    :param added: what is added to its environment.
    :raises FailedError: with the end of its output, when it fails.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            list(command),
            cwd=ROOT,
            env=environment(added or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch = Memory(process.pid) if memory else None
        if watch:
            watch.start()
        alarm = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
        alarm.start()
        try:
            _process, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            interrupt(process)
            raise
        finally:
            alarm.cancel()
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = (watch.stop() or None) if watch else None
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise FailedError(f"{' '.join(command)} ended with {process.returncode} after {wall:.0f} s:\n{text[-4000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, peak, text)


def interrupt(process: subprocess.Popen[t.Any]) -> None:
    """Stop a command as Ctrl-C would, and less politely when it does not end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        os.killpg(process.pid, number)
        try:
            process.wait(GRACE)
            return
        except subprocess.TimeoutExpired:
            continue
