# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Processes that really sleep, die, print and change their user."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_directory import Account
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_process import Job, run_jobs
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    Report,
)

ME = Account("me", os.geteuid(), os.getegid(), (), exists=True)
SOMEBODY = 61184


def run(probe: t.Callable[[Attempt], None], timeout: float = 10, user: Account = ME, **settings: t.Any) -> Report:
    """Return the report of one probe."""
    (report,) = run_jobs([Job(probe, {"values": {}, **settings})], user, timeout)
    return report


def told(report: Report) -> list[tuple[str, str]]:
    """Return the code and the text of each problem."""
    return [(problem["code"], problem["what"]) for problem in report.problems]


class TestGood:
    def test_the_report_comes_back(self) -> None:
        def probe(attempt: Attempt) -> None:
            attempt.report.where = "the directory /ä"
            attempt.report.room(5, 9)
            attempt.note("seen")

        report = run(probe)
        assert (report.where, report.free, report.total, report.notes) == ("the directory /ä", 5, 9, ["seen"])
        assert report.done
        assert report.tried
        assert not report.problems

    def test_reports_keep_the_order_of_the_jobs(self) -> None:
        def slow(attempt: Attempt) -> None:
            time.sleep(0.2)
            attempt.note("slow")

        jobs = [Job(slow, {"values": {}}), Job(lambda attempt: attempt.note("quick"), {"values": {}})]
        assert [report.notes for report in run_jobs(jobs, ME, 10)] == [["slow"], ["quick"]]

    def test_all_run_at_once(self) -> None:
        start = time.monotonic()
        reports = run_jobs([Job(lambda attempt: time.sleep(1), {"values": {}})] * 8, ME, 30)
        assert all(report.done and report.milliseconds >= 1000 for report in reports)
        assert time.monotonic() - start < 6

    def test_no_jobs(self) -> None:
        assert run_jobs([], ME, 10) == []


class TestTimeLimit:
    def test_what_takes_too_long_is_told_with_what_it_was_doing(self, tmp_path: Path) -> None:
        def probe(attempt: Attempt) -> None:
            (tmp_path / "pid").write_text(str(os.getpid()))
            attempt.report.where = "far away"
            with attempt.existing("the object x", lambda: None), attempt.step("reading the object x"):
                time.sleep(60)

        start = time.monotonic()
        report = run(probe, timeout=1)
        assert time.monotonic() - start < 5
        assert told(report) == [("GLS-190", "it did not come to an end within 1 s, while reading the object x")]
        assert (report.where, report.left) == ("far away", "the object x")
        pid = int((tmp_path / "pid").read_text())
        for _attempt in range(50):
            if not self.runs(pid):
                return
            time.sleep(0.1)
        pytest.fail("the process still runs")

    @staticmethod
    def runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def test_nobody_waits_for_a_process_that_does_not_react(self) -> None:
        def probe(attempt: Attempt) -> None:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            os.kill(os.getpid(), signal.SIGSTOP)

        start = time.monotonic()
        assert [code for code, _what in told(run(probe, timeout=1))] == ["GLS-190"]
        assert time.monotonic() - start < 5

    def test_one_that_hangs_does_not_hold_up_another(self) -> None:
        jobs = [Job(lambda attempt: time.sleep(60), {"values": {}}), Job(lambda attempt: None, {"values": {}})]
        assert [report.done for report in run_jobs(jobs, ME, 1)] == [False, True]

    def test_libraries_get_less_time(self) -> None:
        def probe(attempt: Attempt) -> None:
            attempt.note(str(attempt.deadline.left()))

        assert 5 < float(run(probe, timeout=10).notes[0]) <= 8


class TestEnd:
    def test_a_library_that_crashes(self) -> None:
        def probe(attempt: Attempt) -> None:
            with attempt.step("opening the pool"):
                os.kill(os.getpid(), signal.SIGSEGV)

        assert told(run(probe)) == [("GLS-169", "the process that tried it ended (signal 11) while opening the pool")]

    def test_a_library_that_ends_the_process(self) -> None:
        report = run(lambda attempt: os._exit(3))
        assert told(report) == [("GLS-169", "the process that tried it ended (status 3) while starting")]

    def test_an_exception_that_nobody_expected(self) -> None:
        def probe(attempt: Attempt) -> None:
            raise KeyError("surprise")

        assert told(run(probe)) == [("GLS-169", "starting: KeyError: 'surprise'")]

    def test_a_library_that_prints(self, capfd: pytest.CaptureFixture[str]) -> None:
        def probe(attempt: Attempt) -> None:
            sys.stdout.write("noise")
            os.write(1, b"noise")
            os.write(2, b"noise")
            sys.stdout.flush()

        assert run(probe).done
        assert capfd.readouterr() == ("", "")

    def test_trouble(self) -> None:
        def probe(attempt: Attempt) -> None:
            raise ProbeError("GLS-165", "no pool", "make it")

        report = run(probe)
        assert report.problems == [{"code": "GLS-165", "what": "no pool", "advice": "make it"}]
        assert report.tried

    @pytest.mark.parametrize(
        ("code", "write", "problems", "notes"),
        [
            ("GLS-160", True, [("GLS-160", "no boto3")], []),
            ("GLS-160", False, [], ["no boto3"]),
            ("", True, [], ["no boto3"]),
        ],
    )
    def test_what_could_not_be_tried(
        self, code: str, write: bool, problems: list[tuple[str, str]], notes: list[str]
    ) -> None:
        def probe(attempt: Attempt) -> None:
            raise ProbeError(code, "no boto3", tried=False)

        report = run(probe, write=write)
        assert not report.tried
        assert (told(report), report.notes) == (problems, notes)


class TestIsolation:
    def test_environment_and_open_files(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("http_proxy", "http://proxy:3128")
        monkeypatch.setenv("AWS_PROFILE", "mine")

        def probe(attempt: Attempt) -> None:
            attempt.note(json.dumps([sorted(os.environ), os.getcwd(), len(os.listdir("/proc/self/fd"))]))

        with (tmp_path / "open").open("w"):
            names, directory, files = json.loads(run(probe).notes[0])
        assert names == ["HOME", "LC_ALL", "PATH"]
        assert directory == "/"
        # Input, output, errors, the pipe, and the listing itself.
        assert files == 5

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
    def test_user(self) -> None:
        def probe(attempt: Attempt) -> None:
            attempt.note(json.dumps([os.getresuid(), os.getresgid(), os.getgroups()]))

        user = Account("glance", SOMEBODY, SOMEBODY + 1, (SOMEBODY + 2,), exists=True)
        assert json.loads(run(probe, user=user).notes[0]) == [
            [SOMEBODY] * 3,
            [SOMEBODY + 1] * 3,
            [SOMEBODY + 2],
        ]
