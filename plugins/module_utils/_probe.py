# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Looks at several things at once, without changing anything and without waiting long.

Each probe adds to an ``Outcome``. It keeps to its ``Deadline`` in everything that can be interrupted; what cannot be
(a hanging name server, a dead network mount) is left behind by ``run_all``.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import re
import socket
import ssl
import subprocess
import threading
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem


@dataclasses.dataclass
class Outcome:
    """What probes found.

    :param not_checked: why something was not looked at.
    :param notes: what people should know.
    :param settled: what was found to be as wanted, so that nobody has to look at it again.
    """

    node: str = ""
    problems: list[Problem] = dataclasses.field(default_factory=list)
    not_checked: list[dict[str, str]] = dataclasses.field(default_factory=list)
    facts: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    settled: set[str] = dataclasses.field(default_factory=set)
    notes: list[str] = dataclasses.field(default_factory=list)

    def problem(self, code: str, what: str, advice: str = "") -> None:
        """Add a problem of the node."""
        self.problems.append(Problem(code, what, self.node, advice))

    def skip(self, code: str, why: str) -> None:
        """Note that a check was not made."""
        self.not_checked.append({"code": code, "why": why})

    def add(self, other: Outcome) -> None:
        """Take over what another probe found; facts that are lists or dictionaries are joined."""
        self.problems += other.problems
        self.not_checked += other.not_checked
        self.settled |= other.settled
        self.notes += other.notes
        for name, value in other.facts.items():
            if isinstance(value, list):
                self.facts[name] = self.facts.get(name, []) + value
            elif isinstance(value, dict):
                self.facts[name] = {**self.facts.get(name, {}), **value}
            else:
                self.facts[name] = value


class Deadline:
    """The moment at which a probe has to come to an end."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, at_most: float = 3600) -> float:
        """Return the seconds that are left, and never nothing: 0 would mean 'do not wait' to a socket."""
        return min(at_most, max(0.1, self._end - time.monotonic()))


@dataclasses.dataclass(frozen=True)
class Probe:
    """Something to look at.

    :param code: the check that stays open when the probe does not come to an end.
    :param title: what is looked at, for people.
    :param needed: whether nothing may go on where it does not come to an end.
    """

    code: str
    title: str
    run: t.Callable[[Outcome, Deadline], None]
    needed: bool = True


def run_all(node: str, probes: t.Sequence[Probe], timeout: float) -> Outcome:
    """Run all probes at once and return what they found, in their order, after ``timeout`` seconds at the latest."""
    # A pool would wait for its threads when the interpreter ends. These are left behind.
    futures = [_start(node, probe, Deadline(timeout * 0.9)) for probe in probes]
    concurrent.futures.wait(futures, timeout)
    together = Outcome(node)
    for probe, future in zip(probes, futures):
        if future.done():
            together.add(future.result())
        else:
            if probe.needed:
                together.problem("GLS-190", f"{probe.title} did not come to an end within {timeout:g} s")
            together.skip(probe.code, f"{probe.title} took too long")
    return together


def _start(node: str, probe: Probe, deadline: Deadline) -> concurrent.futures.Future[Outcome]:
    future: concurrent.futures.Future[Outcome] = concurrent.futures.Future()

    def work() -> None:
        outcome = Outcome(node)
        try:
            probe.run(outcome, deadline)
            future.set_result(outcome)
        except BaseException as error:  # handed to the caller, as a pool does
            future.set_exception(error)

    threading.Thread(target=work, name=probe.title, daemon=True).start()
    return future


def run_command(
    command: list[str], deadline: Deadline, **options: t.Any
) -> t.Optional[subprocess.CompletedProcess[str]]:
    """Run a command in the C locale; None when it does not exist or takes too long."""
    try:
        return subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=deadline.left(),
            env={**os.environ, "LC_ALL": "C", "LANGUAGE": "C"},
            **options,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def reason(error: BaseException) -> str:
    """Return what the system said, without the decoration that Python adds."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        text = getattr(error, "reason", None) or str(error.args[-1])
        return re.sub(r"\[.*?\]|\(_ssl.*", "", text).replace("_", " ").strip().lower()
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return f"the name does not resolve ({error.strerror})"
    text = str(getattr(error, "strerror", None) or error)
    return "".join(character if character.isprintable() else " " for character in text).strip()
