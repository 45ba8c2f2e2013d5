# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Runs probes at once, each in a process of its own, as Glance's user and for a limited time.

A client library may wait for ever in C, end the process, or print; a dead network mount holds a process where not even
SIGKILL reaches it. Such a process is left behind: what it last said of itself is what is known.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import selectors
import signal
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_directory import Account
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    Report,
    answer,
)

Probe = t.Callable[[Attempt], None]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
"""Glance's unit has no proxies and no credentials from the environment of who runs the module."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A store that is to be tried.

    :param settings: the arguments of the ``Attempt``, but for time and how it reports.
    """

    probe: Probe
    settings: t.Mapping[str, t.Any]


class Child:
    """The process that tries one store."""

    def __init__(self, job: Job, user: Account, timeout: float, environment: t.Mapping[str, str]) -> None:
        self.report = Report()
        self._started = time.monotonic()
        self._unread = b""
        self.pipe, far_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _work(job, user, timeout, environment, far_end)
            finally:
                # Neither the clean-up of the module nor that of a library.
                os._exit(0)
        os.close(far_end)

    def read(self) -> bool:
        """Take what the child has said, and tell whether it may say more."""
        said = os.read(self.pipe, 65536)
        *lines, self._unread = (self._unread + said).split(b"\n")
        if lines:
            self.report = Report(**json.loads(lines[-1]))
            self.report.milliseconds = round((time.monotonic() - self._started) * 1000)
        return bool(said)

    def ended(self) -> None:
        """Note how the child ended, which has closed its pipe."""
        os.close(self.pipe)
        status = os.waitpid(self.pid, 0)[1]
        if not self.report.done:
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"status {os.WEXITSTATUS(status)}"
            self.report.problem("GLS-169", f"the process that tried it ended ({how}) while {self.report.step}")

    def give_up(self, timeout: float) -> None:
        """End the child without waiting for it."""
        self.report.problem("GLS-190", f"it did not come to an end within {timeout:g} s, while {self.report.step}")
        self.report.milliseconds = round((time.monotonic() - self._started) * 1000)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.pipe)
        # Where it is gone already it leaves no zombie.
        os.waitpid(self.pid, os.WNOHANG)


def run_jobs(
    jobs: t.Sequence[Job], user: Account, timeout: float, environment: t.Optional[t.Mapping[str, str]] = None
) -> list[Report]:
    """Try all stores at once, and return the report of each after ``timeout`` seconds at the latest.

    :param environment: the variables that Glance's unit is given.
    """
    children = [Child(job, user, timeout, environment or {}) for job in jobs]
    end = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for child in children:
            selector.register(child.pipe, selectors.EVENT_READ, child)
        while selector.get_map() and time.monotonic() < end:
            for key, _events in selector.select(max(0, end - time.monotonic())):
                if not key.data.read():
                    selector.unregister(key.fileobj)
                    key.data.ended()
        for key in list(selector.get_map().values()):
            key.data.give_up(timeout)
    return [child.report for child in children]


def _work(job: Job, user: Account, timeout: float, environment: t.Mapping[str, str], pipe: int) -> None:
    def publish(report: Report) -> None:
        os.write(pipe, json.dumps(dataclasses.asdict(report)).encode() + b"\n")

    _isolate(pipe, environment)
    _become(user)
    attempt = Attempt(**job.settings, timeout=timeout, publish=publish)
    report = attempt.report
    try:
        job.probe(attempt)
    except ProbeError as trouble:
        report.tried = trouble.tried
        # In check mode it is still to be made what the store needs on the node.
        if trouble.tried or (trouble.code and attempt.write):
            report.problem(trouble.code, trouble.what, trouble.advice)
        else:
            attempt.note(trouble.what)
    except Exception as error:
        report.problem("GLS-169", f"{report.step}: {type(error).__name__}: {answer(error)}")
    report.done = True
    publish(report)


def _isolate(pipe: int, environment: t.Mapping[str, str]) -> None:
    # The answer of the module belongs to the module alone, and libraries print.
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, os.sysconf("SC_OPEN_MAX"))
    os.umask(0o077)
    os.chdir("/")
    os.environ.clear()
    os.environ.update({**ENVIRONMENT, **environment})


def _become(user: Account) -> None:
    if user.uid is None or user.uid == os.geteuid():
        return
    os.setgroups(user.groups)
    os.setresgid(user.gid or user.uid, user.gid or user.uid, user.gid or user.uid)
    os.setresuid(user.uid, user.uid, user.uid)
