# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Shows how far the copying is, while the module store_copy works on the control node."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_progress import read_copy_progress

INTERVALS = ((60.0, 5.0), (600.0, 15.0), (float("inf"), 60.0))
"""Until when it speaks how often: a log of hours need not be long."""

display = Display()


class ActionModule(NormalAction):
    """Runs the module as any other, speaks meanwhile, and lets it end when Ansible is gone."""

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        """Run the module."""
        with self._progress():
            result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result

    @contextlib.contextmanager
    def _progress(self) -> t.Iterator[None]:
        # Only a module on this machine can write into a file of this machine, and see its processes.
        if self._connection.transport != "local" or self._task.async_val or "progress_file" in self._task.args:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="ansible-store-copy-") as directory:
            path = os.path.join(directory, "progress")
            processes = [os.getpid(), os.getppid()]
            self._task.args = {"watched_processes": processes, **self._task.args, "progress_file": path}
            stop = threading.Event()
            thread = threading.Thread(target=_show, args=(path, stop), daemon=True)
            thread.start()
            try:
                yield
            finally:
                stop.set()
                thread.join()


def _show(path: str, stop: threading.Event) -> None:
    shown, started = "", time.monotonic()
    while not stop.wait(_interval(time.monotonic() - started)):
        progress = read_copy_progress(path)
        if progress is not None and progress.line() != shown:
            shown = progress.line()
            display.display(shown)


def _interval(seconds: float) -> float:
    return next(interval for until, interval in INTERVALS if seconds < until)
