# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""How far the copying is, is shown when the module runs on this machine; and the module knows who started it."""

from __future__ import annotations

import os
import time
import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleError
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


@pytest.mark.parametrize("options", [{"transport": "ssh"}, {"async_val": 60}], ids=["remote", "async"])
def test_the_module_runs_as_any_other(module: SimpleNamespace, shown: list[str], options: dict[str, t.Any]) -> None:
    make(**options).run()
    assert (module.args, shown) == (ARGS, [])


def test_a_file_of_ones_own_is_left_alone(module: SimpleNamespace, shown: list[str], tmp_path: t.Any) -> None:
    path = str(tmp_path / "own")
    make(progress_file=path).run()
    assert (module.args, shown, os.path.exists(path)) == ({**ARGS, "progress_file": path}, [], True)


def test_it_speaks_less_and_less_often() -> None:
    assert [action._interval(seconds) for seconds in (0, 59, 60, 599, 600, 10**6)] == [5, 5, 15, 15, 60, 60]


class FakeConnection:
    """Answers what a controller would."""

    def __init__(self, answers: list[t.Any]) -> None:
        self._answers = answers
        self.commands: list[str] = []

    def exec_command(self, command: str, sudoable: bool) -> tuple[int, bytes, bytes]:
        assert not sudoable
        self.commands.append(command)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer, b"   Avail\n12345678\n", b""


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


def test_plan_watches_no_room(module: SimpleNamespace) -> None:
    plugin = make(staging_mounts={"one": "/"})
    plugin._task.check_mode = True
    plugin.run()
    assert "room_file" not in module.args
