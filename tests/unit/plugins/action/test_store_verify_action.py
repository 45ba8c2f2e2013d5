# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""How far the reading back is, is shown for each node, wherever the module runs."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleError
from ansible_collections.openstack_ops.glance.plugins.action import store_copy
from ansible_collections.openstack_ops.glance.plugins.action import store_verify as action
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import Progress, write_progress
from ansible_collections.openstack_ops.glance.plugins.modules import store_verify

IMAGES = [{"id": "a"}, {"id": "b"}]
MIB = 1024 * 1024


class Node:
    """A connection to a node, whose files are those of this machine."""

    transport = "ssh"

    def __init__(self, directory: str, is_away: bool = False) -> None:
        self._shell = SimpleNamespace(tmpdir=None, join_path=os.path.join)
        self.directory = directory
        self.is_away = is_away
        self.commands: list[str] = []

    def exec_command(self, command: str, sudoable: bool) -> tuple[int, bytes, bytes]:
        assert not sudoable
        self.commands.append(command)
        if self.is_away:
            raise AnsibleError("gone")
        ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False)
        return ran.returncode, ran.stdout, ran.stderr


def make(node: Node, monkeypatch: pytest.MonkeyPatch, async_val: int = 0, **args: t.Any) -> t.Any:
    """Return the action plugin for a task on a node."""
    task = SimpleNamespace(args={"images": IMAGES, **args}, async_val=async_val, action="store_verify")
    plugin = action.ActionModule(
        task=task,
        connection=node,
        play_context=None,
        loader=None,
        templar=None,
        shared_loader_obj=None,
    )
    monkeypatch.setattr(plugin, "_make_tmp_path", lambda: node.directory)
    monkeypatch.setattr(plugin, "_connection_to", lambda variables: node)
    return plugin


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that will hold what is displayed."""
    lines: list[str] = []
    monkeypatch.setattr(action.display, "display", lines.append)
    monkeypatch.setattr(store_copy, "INTERVALS", ((float("inf"), 0.02),))
    return lines


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stand in for the module: tells how far it is until somebody has seen it, and remembers its arguments."""
    ran = SimpleNamespace(args=None, is_over=lambda: True)

    def run(self: t.Any, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        ran.args = dict(self._task.args)
        end = time.monotonic() + 10
        write_progress(ran.args.get("progress_file"), Progress("verified", 5 * MIB, 9 * MIB, 5.0, 1, 2))
        while not ran.is_over() and time.monotonic() < end:
            time.sleep(0.01)
        return {"changed": False}

    monkeypatch.setattr(store_copy.NormalAction, "run", run)
    return ran


def test_each_node_says_how_far_it_is(
    module: SimpleNamespace, shown: list[str], tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module.is_over = lambda: bool(shown)
    node = Node(str(tmp_path / "a directory"))
    os.mkdir(node.directory)
    assert make(node, monkeypatch).run(task_vars={"inventory_hostname": "controller-1"}) == {"changed": False}
    assert shown == ["controller-1: 1 of 2 images, 5 of 9 MiB verified, 1 MiB/s, 4 s left"]
    assert module.args == {"images": IMAGES, "progress_file": f"{node.directory}/progress"}
    assert set(module.args) <= set(store_verify.ARGUMENT_SPEC)


@pytest.mark.parametrize("options", [{"async_val": 60}, {"images": []}, {"progress_file": "own"}], ids=str)
def test_the_module_runs_as_any_other(
    module: SimpleNamespace,
    shown: list[str],
    tmp_path: t.Any,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, t.Any],
) -> None:
    monkeypatch.chdir(tmp_path)
    node = Node(str(tmp_path))
    plugin = make(node, monkeypatch, **options)
    args = dict(plugin._task.args)
    plugin.run(task_vars={"inventory_hostname": "controller-1"})
    assert (module.args, node.commands, shown) == (args, [], [])


@pytest.mark.parametrize("is_away", [True, False], ids=["away", "nothing to tell yet"])
def test_what_cannot_be_told_is_no_error(
    module: SimpleNamespace, shown: list[str], tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch, is_away: bool
) -> None:
    node = Node(str(tmp_path / "missing"), is_away)
    module.is_over = lambda: len(node.commands) > 1
    assert make(node, monkeypatch).run(task_vars={"inventory_hostname": "controller-1"}) == {"changed": False}
    assert shown == []
