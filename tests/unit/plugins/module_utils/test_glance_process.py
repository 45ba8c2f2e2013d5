# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Since when a unit's processes run, from a /proc that is written here, and which files are open, from the real one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _glance_process

UNIT = "glance-api.service"
API = "/usr/bin/python3\0/usr/bin/glance-api\0--config-file=/etc/glance/glance-api.conf\0"


class Proc:
    """A directory that looks like /proc."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def process(self, pid: int, seconds: float, group: str = f"/system.slice/{UNIT}", command: str = API) -> None:
        """Add a process that was started so many seconds ago."""
        place = self.directory / str(pid)
        place.mkdir()
        started = int((time.clock_gettime(time.CLOCK_BOOTTIME) - seconds) * os.sysconf("SC_CLK_TCK"))
        (place / "cmdline").write_text(command)
        (place / "cgroup").write_text(f"9:name=systemd:/libpod{group}\n8:pids:/libpod\n0::/libpod{group}\n")
        (place / "stat").write_text(f"{pid} (a ) name) S 1 {' '.join(['0'] * 17)} {started} 0 0\n")

    def age(self, main: int) -> float:
        """Return how many seconds ago the oldest worker was started."""
        started = _glance_process.workers_started(UNIT, main, str(self.directory))
        assert started is not None
        return time.time() - started


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    (tmp_path / "meminfo").touch()
    return Proc(tmp_path)


def test_the_oldest_worker_counts(proc: Proc) -> None:
    proc.process(10, 1000)
    proc.process(11, 900)
    proc.process(12, 20)
    assert proc.age(10) == pytest.approx(900, abs=1)


def test_a_worker_that_was_replaced_is_young(proc: Proc) -> None:
    proc.process(10, 1000)
    proc.process(12, 20)
    assert proc.age(10) == pytest.approx(20, abs=1)


def test_a_process_without_workers_works_itself(proc: Proc) -> None:
    proc.process(10, 1000)
    proc.process(11, 5, command="/usr/bin/python3\0/usr/bin/privsep-helper\0")
    assert proc.age(10) == pytest.approx(1000, abs=1)


def test_workers_without_a_main_process_count(proc: Proc) -> None:
    proc.process(11, 900)
    assert proc.age(0) == pytest.approx(900, abs=1)


def test_other_units_do_not_count(proc: Proc) -> None:
    proc.process(10, 5000, group="/system.slice/glance-switch-reader.service")
    proc.process(11, 5000, group=f"/system.slice/my-{UNIT}")
    assert _glance_process.workers_started(UNIT, 0, str(proc.directory)) is None


def test_open_files(tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    (tmp_path / "link").symlink_to("staging")
    path = tmp_path / "staging" / "open"
    (tmp_path / "staging" / "closed").touch()
    code = f"import sys; file = open({str(path)!r}, 'w'); print('x', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert _glance_process.open_in(str(tmp_path / "link")) == {"open"}
        process.communicate()
    assert _glance_process.open_in(str(tmp_path / "staging")) == set()
