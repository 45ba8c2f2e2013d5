# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Shows how far the reading back is, while the module store_verify works on a node."""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
import typing as t

from ansible.utils.display import Display
from ansible_collections.openstack_ops.glance.plugins.action import store_copy
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import progress_of

display = Display()


class ActionModule(store_copy.ActionModule):
    """Runs the module as any other, and speaks meanwhile, of each node by itself."""

    @contextlib.contextmanager
    def _progress(self, task_vars: dict[str, t.Any]) -> t.Iterator[None]:
        if self._task.async_val or "progress_file" in self._task.args or not self._task.args.get("images"):
            yield
            return
        # That of the module itself: the login on the node can read there, and Ansible removes it.
        directory = self._connection._shell.tmpdir or self._make_tmp_path()
        path = self._connection._shell.join_path(directory, "progress")
        self._task.args = {**self._task.args, "progress_file": path}
        stop = threading.Event()
        # The other connection is busy with the module.
        arguments = (str(task_vars["inventory_hostname"]), self._connection_to(task_vars), path, stop)
        # It may hang for as long as a connection does.
        threading.Thread(target=_show, args=arguments, daemon=True).start()
        try:
            yield
        finally:
            stop.set()


def _show(name: str, connection: t.Any, path: str, stop: threading.Event) -> None:
    shown, started = "", time.monotonic()
    while not stop.wait(store_copy.interval(time.monotonic() - started)):
        line = _look(connection, path)
        if line and line != shown and not stop.is_set():
            shown = line
            display.display(f"{name}: {line}")


def _look(connection: t.Any, path: str) -> str:
    """Return what the module tells, or nothing."""
    # Nobody shall lose a verification because its progress could not be told.
    with contextlib.suppress(Exception):
        _code, output, _errors = connection.exec_command(f"cat {shlex.quote(path)}", sudoable=False)
        progress = progress_of(output.decode(errors="replace"))
        return progress.line() if progress else ""
    return ""
