# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Shows how far the copying is, and watches the room for staging, while store_copy works on the control node."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
import threading
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_room
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_progress import read_copy_progress

INTERVALS = ((60.0, 5.0), (600.0, 15.0), (float("inf"), 60.0))
"""Until when it speaks how often: a log of hours need not be long."""

ROOM_INTERVAL = 10.0

display = Display()


class ActionModule(NormalAction):
    """Runs the module as any other, speaks meanwhile, and lets it end when Ansible is gone."""

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        """Run the module."""
        with self._progress(task_vars or {}):
            result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result

    @contextlib.contextmanager
    def _progress(self, task_vars: dict[str, t.Any]) -> t.Iterator[None]:
        # Only a module on this machine can write into a file of this machine, and see its processes.
        if self._connection.transport != "local" or self._task.async_val or "progress_file" in self._task.args:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="ansible-store-copy-") as directory:
            path = os.path.join(directory, "progress")
            processes = [os.getpid(), os.getppid()]
            self._task.args = {"watched_processes": processes, **self._task.args, "progress_file": path}
            stop = threading.Event()
            threads = [threading.Thread(target=_show, args=(path, stop), daemon=True)]
            if not self._task.check_mode:
                threads += self._watchers(os.path.join(directory, "room"), stop, task_vars)
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                stop.set()
                threads[0].join()

    def _watchers(self, path: str, stop: threading.Event, task_vars: dict[str, t.Any]) -> list[threading.Thread]:
        """Return a thread for each controller, which looks how much room it has for staging."""
        mounts = self._task.args.get("staging_mounts") or {}
        if not mounts:
            return []
        self._task.args = {**self._task.args, "room_file": path}
        rooms = Rooms(path)
        threads = []
        for name, mount_point in mounts.items():
            connection = self._connection_to(task_vars["hostvars"][name])
            arguments = (rooms, name, connection, mount_point, stop)
            threads.append(threading.Thread(target=_watch, args=arguments, daemon=True))
        return threads

    def _connection_to(self, variables: t.Mapping[str, t.Any]) -> t.Any:
        """Return a connection to another node than the task's, as Ansible would make it, but without privileges."""
        kind = variables.get("ansible_connection", "ssh")
        connection = connection_loader.get("ssh" if kind == "smart" else kind, self._play_context.copy())
        connection.set_options(var_options=variables)
        return connection


class Rooms:
    """How much is free on the controllers, kept in the file that the module reads."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._rooms: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, name: str, free: t.Optional[int]) -> None:
        """Note how many bytes are free on a controller; None where that is not known."""
        with self._lock:
            self._rooms.pop(name, None)
            if free is not None:
                self._rooms[name] = free
            _switch_room.write_rooms(self._path, self._rooms)


def _watch(rooms: Rooms, name: str, connection: t.Any, mount_point: str, stop: threading.Event) -> None:
    command = shlex.join(_switch_room.command(mount_point))
    while True:
        try:
            code, output, _errors = connection.exec_command(command, sudoable=False)
        except AnsibleError:
            # It is away, and so is its Glance; the module sees to that.
            code, output = 1, b""
        rooms.note(name, _switch_room.free_of(output.decode(errors="replace")) if code == 0 else None)
        if stop.wait(ROOM_INTERVAL):
            return


def _show(path: str, stop: threading.Event) -> None:
    shown, started = "", time.monotonic()
    while not stop.wait(_interval(time.monotonic() - started)):
        progress = read_copy_progress(path)
        if progress is not None and progress.line() != shown:
            shown = progress.line()
            display.display(shown)


def _interval(seconds: float) -> float:
    return next(interval for until, interval in INTERVALS if seconds < until)
