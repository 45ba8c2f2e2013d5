# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Running probes: at once, in order, and not longer than asked for."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import threading
import time

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _probe
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome, Probe, run_all


def probe(title: str, seconds: float = 0, **facts: object) -> Probe:
    """Return a probe that takes its time and then finds a problem and facts."""

    def run(outcome: Outcome, deadline: Deadline) -> None:
        time.sleep(seconds)
        outcome.problem("GLS-110", title)
        outcome.facts.update(facts)

    return Probe("GLS-110", title, run)


def stuck(title: str, until: threading.Event) -> Probe:
    """Return a probe that hangs."""

    def run(outcome: Outcome, deadline: Deadline) -> None:
        until.wait(30)

    return Probe("GLS-120", title, run)


class TestRunAll:
    def test_problems_come_in_the_order_of_the_probes(self) -> None:
        outcome = run_all("n", [probe("slow", 0.2), probe("fast"), probe("middle", 0.1)], 5)
        assert [problem.what for problem in outcome.problems] == ["slow", "fast", "middle"]
        assert {problem.node for problem in outcome.problems} == {"n"}

    def test_all_run_at_once(self) -> None:
        start = time.monotonic()
        run_all("n", [probe(str(number), 0.3) for number in range(10)], 5)
        assert time.monotonic() - start < 1.5

    def test_facts_of_several_probes_are_joined(self) -> None:
        outcome = run_all("n", [probe("a", x={"1": 1}, y=["1"], z=1), probe("b", x={"2": 2}, y=["2"], z=2)], 5)
        assert outcome.facts == {"x": {"1": 1, "2": 2}, "y": ["1", "2"], "z": 2}

    def test_what_hangs_is_left_behind_and_told(self) -> None:
        hanging = threading.Event()
        start = time.monotonic()
        outcome = run_all("n", [stuck("the database", hanging), probe("other")], 0.3)
        assert time.monotonic() - start < 3
        hanging.set()
        assert [(problem.code, problem.what) for problem in outcome.problems] == [
            ("GLS-190", "the database did not come to an end within 0.3 s"),
            ("GLS-110", "other"),
        ]
        assert outcome.not_checked == [{"code": "GLS-120", "why": "the database took too long"}]

    def test_what_hangs_and_nobody_needs_is_no_problem(self) -> None:
        hanging = threading.Event()
        outcome = run_all("n", [dataclasses.replace(stuck("the schema", hanging), needed=False)], 0.1)
        hanging.set()
        assert outcome.problems == []
        assert outcome.not_checked == [{"code": "GLS-120", "why": "the schema took too long"}]

    def test_threads_do_not_keep_the_process_alive(self) -> None:
        hanging = threading.Event()
        run_all("n", [stuck("stuck", hanging)], 0.1)
        (thread,) = [each for each in threading.enumerate() if each.name == "stuck"]
        assert thread.daemon
        hanging.set()

    def test_an_error_of_ours_is_not_swallowed(self) -> None:
        def broken(outcome: Outcome, deadline: Deadline) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            run_all("n", [Probe("GLS-110", "broken", broken)], 5)


class TestDeadline:
    def test_tells_what_is_left(self) -> None:
        assert 9 < Deadline(10).left() <= 10

    def test_has_a_limit_for_one_wait(self) -> None:
        assert Deadline(100).left(10) == 10

    def test_never_tells_nothing(self) -> None:
        assert Deadline(-1).left() == 0.1


class TestRunCommand:
    def test_speaks_english(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
        answer = _probe.run_command(["sh", "-c", "echo $LC_ALL; exit 3"], Deadline(10))
        assert answer is not None
        assert (answer.stdout, answer.returncode) == ("C\n", 3)

    def test_tells_nothing_of_a_command_that_is_missing_or_hangs(self) -> None:
        assert _probe.run_command(["/nonexistent/command"], Deadline(10)) is None
        assert _probe.run_command(["sleep", "30"], Deadline(0.2)) is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (socket.timeout("timed out"), "no answer in time"),
        (socket.gaierror(-2, "Name or service not known"), "the name does not resolve (Name or service not known)"),
        (ValueError("a\0b"), "a b"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:992)"), "wrong version number"),
    ],
)
def test_reason_is_what_the_system_said(error: Exception, text: str) -> None:
    assert _probe.reason(error) == text
