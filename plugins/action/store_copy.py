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

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.loader import become_loader, connection_loader
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
        args = self._task.args
        try:
            with self._progress(task_vars or {}):
                result: dict[str, t.Any] = super().run(tmp, task_vars)
            return result
        finally:
            # With retries, the task runs again.
            self._task.args = args

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
            rooms = Rooms(os.path.join(directory, "room"))
            if not self._task.check_mode:
                threads += self._watchers(rooms, stop, task_vars)
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                stop.set()
                threads[0].join()
                # The others may hang for as long as a connection does, and the directory goes.
                rooms.close()

    def _watchers(self, rooms: Rooms, stop: threading.Event, task_vars: dict[str, t.Any]) -> list[threading.Thread]:
        """Return a thread for each controller, which looks how much room it has for staging."""
        mounts = self._task.args.get("staging_mounts") or {}
        if not mounts:
            return []
        self._task.args = {**self._task.args, "room_file": rooms.path}
        threads = []
        for name, mount_point in mounts.items():
            connection = self._connection_to(task_vars["hostvars"][name])
            arguments = (rooms, name, connection, mount_point, stop)
            threads.append(threading.Thread(target=_watch, args=arguments, daemon=True))
        return threads

    def _connection_to(self, variables: t.Mapping[str, t.Any]) -> t.Any:
        """Return a connection to another node than the task's, as Ansible would make it for a task of the play."""
        kind = variables.get("ansible_connection", "ssh")
        connection = connection_loader.get("ssh" if kind == "smart" else kind, self._play_context.copy())
        keywords = self._keywords()
        connection.set_options(task_keys=keywords, var_options=variables)
        # The task itself, on the control node, needs no privileges.
        becomes = variables.get("ansible_become", self._task._parent._play.become or False)
        if boolean(self._templar.template(becomes)):
            become = become_loader.get(variables.get("ansible_become_method") or self._task.become_method or "sudo")
            become.set_options(task_keys=keywords, var_options=variables)
            connection.set_become_plugin(become)
        return connection

    def _keywords(self) -> dict[str, t.Any]:
        """Return what the play and the command line tell connections; variables of the node win over it."""
        context = self._play_context
        given = {"timeout": context.timeout, "password": context.password, "become_pass": context.become_pass}
        keywords = {name: value for name, value in self._task.dump_attrs().items() if name not in ("retries", *given)}
        return {**keywords, **{name: value for name, value in given.items() if value}}


class Rooms:
    """How much is free on the controllers, kept in the file that the module reads."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._is_closed = False
        self._rooms: dict[str, _switch_room.Reading] = {}
        self._lock = threading.Lock()

    def note(self, name: str, free: t.Optional[int]) -> None:
        """Note how many bytes are free on a controller; None where that is not known."""
        with self._lock:
            self._rooms.pop(name, None)
            if free is not None:
                self._rooms[name] = _switch_room.Reading(free, time.time())
            if not self._is_closed:
                _switch_room.write_rooms(self.path, self._rooms)

    def close(self) -> None:
        """Write nothing any more."""
        with self._lock:
            self._is_closed = True


def _watch(rooms: Rooms, name: str, connection: t.Any, mount_point: str, stop: threading.Event) -> None:
    is_told = False
    while True:
        try:
            free, answer = _look(connection, mount_point)
        except Exception as error:
            # It may be away, and its Glance with it; the module sees to that. A thread that ends would look no more.
            free, answer = None, str(error)
        rooms.note(name, free)
        if free is None and not is_told and not stop.is_set():
            display.warning(
                f"How much {name} has free for staging on {mount_point} is not known: {answer}. What was free before"
                f" the copying began counts instead. What to do: look why `df {mount_point}` fails there."
            )
        is_told = True
        if stop.wait(ROOM_INTERVAL):
            return


def _look(connection: t.Any, mount_point: str) -> tuple[t.Optional[int], str]:
    """Return how many bytes are free, None where that is not known, and what the node has said."""
    command = shlex.join(_switch_room.command(mount_point))
    becomes = _becomes_other(connection)
    if becomes:
        command = connection.become.build_become_command(command, connection._shell)
    code, output, errors = connection.exec_command(command, sudoable=becomes)
    text = output.decode(errors="replace")
    said = [*text.splitlines(), *errors.decode(errors="replace").splitlines()]
    return _switch_room.free_of(text) if code == 0 else None, said[-1].strip() if said else f"it ended with {code}"


def _becomes_other(connection: t.Any) -> bool:
    """Tell whether privileges have to be gained, as Ansible itself sees it: root need not become root."""
    if connection.become is None:
        return False
    try:
        login = connection.get_option("remote_user")
    except KeyError:
        login = getattr(connection, "default_user", None)
    user = connection.become.get_option("become_user")
    return bool(constants.BECOME_ALLOW_SAME_USER or user != login or not user)


def _show(path: str, stop: threading.Event) -> None:
    shown, started = "", time.monotonic()
    while not stop.wait(interval(time.monotonic() - started)):
        progress = read_copy_progress(path)
        if progress is not None and progress.line() != shown:
            shown = progress.line()
            display.display(shown)


def interval(seconds: float) -> float:
    """Return in how many seconds to speak again, so many after the begin."""
    return next(interval for until, interval in INTERVALS if seconds < until)
