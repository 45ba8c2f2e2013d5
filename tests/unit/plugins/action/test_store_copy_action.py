# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""How far the copying is, is shown when the module runs on this machine; and the module knows who started it."""

from __future__ import annotations

import os
import threading
import time
import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.template import Templar
from ansible_collections.openstack_ops.glance.plugins.action import store_copy as action
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_progress import (
    CopyProgress,
    write_copy_progress,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_room import read_rooms

ARGS = {"source": "local", "target": "objects"}


def make(transport: str = "local", async_val: int = 0, **args: t.Any) -> t.Any:
    """Return the action plugin for a task."""
    return action.ActionModule(
        task=SimpleNamespace(
            args={**ARGS, **args}, async_val=async_val, action="store_copy", delegate_to=None, check_mode=False
        ),
        connection=SimpleNamespace(transport=transport),
        play_context=None,
        loader=None,
        templar=None,
        shared_loader_obj=None,
    )


def wait(condition: t.Callable[[], bool], seconds: float) -> None:
    """Wait until something is so, or the time is over."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that will hold what is displayed."""
    lines: list[str] = []
    monkeypatch.setattr(action.display, "display", lines.append)
    monkeypatch.setattr(action, "INTERVALS", ((float("inf"), 0.02),))
    return lines


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, shown: list[str]) -> SimpleNamespace:
    """Stand in for the module: tells how far it is, and remembers its arguments."""
    ran = SimpleNamespace(args=None)

    def run(self: t.Any, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        ran.args = dict(self._task.args)
        for images in (1, 2):
            write_copy_progress(ran.args.get("progress_file"), CopyProgress("x", images, 2, 0, 0, 1.0, 0, []))
            wait(lambda images=images: len(shown) == images, 10 if "watched_processes" in ran.args else 0.1)
        return {"changed": True}

    monkeypatch.setattr(action.NormalAction, "run", run)
    return ran


def test_every_change_is_shown_once(module: SimpleNamespace, shown: list[str]) -> None:
    assert make().run() == {"changed": True}
    assert shown == ["x: 1 of 2 images, 0 B of 0 B", "x: 2 of 2 images, 0 B of 0 B"]
    assert module.args["watched_processes"] == [os.getpid(), os.getppid()]
    assert not os.path.exists(os.path.dirname(module.args["progress_file"]))


def test_it_is_shown_when_the_task_is_tried_again(module: SimpleNamespace, shown: list[str]) -> None:
    task = make()
    for _attempt in range(2):
        shown.clear()
        task.run()
        assert len(shown) == 2


@pytest.mark.parametrize("options", [{"transport": "ssh"}, {"async_val": 60}], ids=["remote", "async"])
def test_the_module_runs_as_any_other(module: SimpleNamespace, shown: list[str], options: dict[str, t.Any]) -> None:
    make(**options).run()
    assert (module.args, shown) == (ARGS, [])


def test_a_file_of_ones_own_is_left_alone(module: SimpleNamespace, shown: list[str], tmp_path: t.Any) -> None:
    path = str(tmp_path / "own")
    make(progress_file=path).run()
    assert (module.args, shown, os.path.exists(path)) == ({**ARGS, "progress_file": path}, [], True)


def test_it_speaks_less_and_less_often() -> None:
    assert [action.interval(seconds) for seconds in (0, 59, 60, 599, 600, 10**6)] == [5, 5, 15, 15, 60, 60]


class FakeConnection:
    """Answers what a controller would."""

    become = None

    def __init__(self, answers: list[t.Any]) -> None:
        self._answers = answers
        self.commands: list[str] = []

    def exec_command(self, command: str, sudoable: bool) -> tuple[int, bytes, bytes]:
        assert not sudoable
        self.commands.append(command)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return (0, b"   Avail\n12345678\n", b"") if answer == 0 else (answer, b"", b"df: Permission denied\n")


def test_room_is_watched_on_every_controller(monkeypatch: pytest.MonkeyPatch, shown: list[str]) -> None:
    connections = {"one": FakeConnection([0]), "two": FakeConnection([0, AnsibleError("gone"), 1])}
    monkeypatch.setattr(action.ActionModule, "_connection_to", lambda self, variables: connections[variables["name"]])
    monkeypatch.setattr(action, "ROOM_INTERVAL", 0.01)
    seen: list[dict[str, int]] = []

    def run(self: t.Any, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        path = self._task.args["room_file"]
        wait(lambda: read_rooms(path) == {"one": 12345678} and len(connections["two"].commands) > 2, 10)
        seen.append(read_rooms(path))
        return {"changed": True}

    monkeypatch.setattr(action.NormalAction, "run", run)
    mounts = {"one": "/var/lib/glance", "two": "/srv/a directory"}
    hostvars = {name: {"name": name} for name in mounts}
    make(staging_mounts=mounts).run(task_vars={"hostvars": hostvars})
    # What is not known any more is not told.
    assert seen == [{"one": 12345678}]
    assert connections["two"].commands[0] == "df --output=avail --block-size=1 '/srv/a directory'"


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that will hold the warnings."""
    lines: list[str] = []
    monkeypatch.setattr(action.display, "warning", lines.append)
    monkeypatch.setattr(action, "ROOM_INTERVAL", 0.01)
    return lines


@pytest.mark.parametrize(
    ("answer", "words"), [(1, "not known: df: Permission denied."), (OSError("no pty"), "not known: no pty.")]
)
def test_controller_that_never_answers_is_told_of_once(
    warned: list[str], tmp_path: t.Any, answer: t.Any, words: str
) -> None:
    connection, stop = FakeConnection([answer]), threading.Event()
    arguments = (action.Rooms(str(tmp_path / "room")), "two", connection, "/srv", stop)
    thread = threading.Thread(target=action._watch, args=arguments)
    thread.start()
    wait(lambda: len(connection.commands) > 3, 10)
    # Whatever was raised, it goes on looking.
    assert thread.is_alive()
    stop.set()
    thread.join()
    assert len(warned) == 1
    for each in (words, "two", "/srv", "What to do: "):
        assert each in warned[0]


def test_controller_that_has_answered_before_is_not_told_of(warned: list[str], tmp_path: t.Any) -> None:
    connection, stop = FakeConnection([0, AnsibleError("gone")]), threading.Event()
    path = str(tmp_path / "room")
    thread = threading.Thread(target=action._watch, args=(action.Rooms(path), "two", connection, "/srv", stop))
    thread.start()
    wait(lambda: len(connection.commands) > 3, 10)
    stop.set()
    thread.join()
    assert (warned, read_rooms(path)) == ([], {})


@pytest.mark.parametrize(
    ("become", "variables", "user"),
    [
        (True, {}, "root"),
        (None, {"ansible_become": "true", "ansible_become_user": "glance"}, "glance"),
        (False, {}, ""),
        (None, {}, ""),
        (True, {"ansible_become": False}, ""),
        # Who logs in so already.
        (True, {"ansible_become_user": "alice"}, ""),
    ],
)
def test_room_is_looked_at_with_the_privileges_of_the_play(
    monkeypatch: pytest.MonkeyPatch, become: t.Any, variables: dict[str, t.Any], user: str
) -> None:
    plugin = make()
    plugin._play_context, plugin._templar = PlayContext(), Templar(loader=DataLoader())
    plugin._task._parent = SimpleNamespace(_play=SimpleNamespace(become=become))
    plugin._task.become_method, plugin._task.dump_attrs = "sudo", dict
    connection = plugin._connection_to({"ansible_connection": "local", **variables})
    connection.default_user = "alice"
    asked: list[tuple[str, bool]] = []

    def answer(command: str, sudoable: bool) -> tuple[int, bytes, bytes]:
        asked.append((command, sudoable))
        return 0, b"BECOME-SUCCESS-x\r\n Avail\r\n123\r\n", b""

    monkeypatch.setattr(connection, "exec_command", answer)
    assert action._look(connection, "/srv")[0] == 123
    assert asked[0][1] == bool(user)
    assert asked[0][0].startswith("sudo ") == bool(user)
    assert (f"-u {user} " in asked[0][0]) == bool(user)
    assert "df --output=avail --block-size=1 /srv" in asked[0][0]


def test_plan_watches_no_room(module: SimpleNamespace) -> None:
    plugin = make(staging_mounts={"one": "/"})
    plugin._task.check_mode = True
    plugin.run()
    assert "room_file" not in module.args
