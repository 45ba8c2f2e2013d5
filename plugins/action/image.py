# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Shows how far a long upload is, while the module image works on the control node."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import read_progress

QUIET_SECONDS = 10
SECONDS_BETWEEN_LINES = 5

display = Display()


class ActionModule(NormalAction):
    """Runs the module as any other, and speaks meanwhile."""

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        """Run the module."""
        with self._progress():
            result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result

    @property
    def about(self) -> str:
        """What the lines are about."""
        return f"image {self._task.args.get('name') or self._task.args.get('id')}"

    @contextlib.contextmanager
    def _progress(self) -> t.Iterator[None]:
        # Only a module on this machine can write into a file of this machine while it works.
        if self._connection.transport != "local" or self._task.async_val or "progress_file" in self._task.args:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="ansible-image-") as directory:
            path = os.path.join(directory, "progress")
            args = self._task.args
            self._task.args = {**args, "progress_file": path}
            stop = threading.Event()
            thread = threading.Thread(target=_show, args=(path, self.about, stop), daemon=True)
            thread.start()
            try:
                yield
            finally:
                stop.set()
                thread.join()
                # With retries, the task runs again.
                self._task.args = args


def _show(path: str, about: str, stop: threading.Event) -> None:
    while not stop.wait(SECONDS_BETWEEN_LINES):
        progress = read_progress(path)
        if progress is not None and progress.seconds >= QUIET_SECONDS:
            display.display(f"{about}: {progress.line()}")
