# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The lease of a run that has ended is taken over, and that of one that may live is not."""

from __future__ import annotations

import grp
import json
import os
import socket
import subprocess
import sys
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.openstack_ops.glance.plugins.action import switch_lease as action
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_lease import holder_of

HEARD = "2026-11-21T12:00:00Z"
COLLECTIONS = Path(action.__file__).absolute().parents[5]


def run(holder: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch, check: bool = False, **args: t.Any) -> t.Any:
    """Run the plugin where somebody has the lease; return its result and what the module was asked for."""
    asked: list[dict[str, t.Any]] = []

    def module(self: t.Any, args: dict[str, t.Any], task_vars: t.Any) -> dict[str, t.Any]:
        asked.append(args)
        free = not holder or args.get("over") == holder
        return {"holder": args["holder"] if free else holder, "heard": HEARD}

    monkeypatch.setattr(action.ActionModule, "_module", module)
    monkeypatch.setattr(action.ActionBase, "run", lambda self, tmp, task_vars: {})
    plugin: t.Any = action.ActionModule(
        task=SimpleNamespace(args=args, check_mode=check, async_val=0, action="switch_lease", delegate_to=None),
        connection=None,
        play_context=None,
        loader=None,
        templar=None,
        shared_loader_obj=None,
    )
    return plugin.run(), asked


def elsewhere() -> dict[str, t.Any]:
    """Return a run on another control node."""
    return {**holder_of(os.getpid(), "x"), "host": f"not-{socket.gethostname()}"}


def dead() -> dict[str, t.Any]:
    """Return a run on this control node that has ended."""
    process = subprocess.Popen(["true"])
    holder = holder_of(process.pid, "x")
    process.wait()
    return holder


def test_free_lease_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    result, asked = run({}, monkeypatch)
    assert (result.get("failed"), len(asked)) == (None, 1)
    assert result["holder"]["process"] == os.getppid()


def test_dead_run_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    holder = dead()
    result, asked = run(holder, monkeypatch)
    assert result["holder"]["process"] == os.getppid()
    assert asked[1]["over"] == holder


def test_live_run_is_not_taken_over_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    for take_over in (False, True):
        result, asked = run(holder_of(os.getpid(), "x"), monkeypatch, take_over=take_over)
        assert result["failed"]
        assert "end it with Ctrl-C" in result["msg"]
        assert len(asked) == 1


def test_run_elsewhere_is_taken_over_only_when_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    result, asked = run(elsewhere(), monkeypatch)
    assert result["failed"]
    assert HEARD in result["msg"]
    assert len(asked) == 1
    result, asked = run(elsewhere(), monkeypatch, take_over=True)
    assert result["holder"]["process"] == os.getppid()


def test_the_message_names_the_variable_of_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "-e glance_switch_take_over=true" in run(elsewhere(), monkeypatch)[0]["msg"]
    result, _asked = run(elsewhere(), monkeypatch, variable="glance_upgrade_take_over")
    assert "-e glance_upgrade_take_over=true" in result["msg"]


def test_nothing_is_taken_over_in_check_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    result, asked = run(dead(), monkeypatch, check=True)
    assert (result.get("failed"), len(asked)) == (None, 1)


def test_release_never_fails_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    result, asked = run(elsewhere(), monkeypatch, state="released")
    assert (result.get("failed"), len(asked)) == (None, 1)


ELSEWHERE_HOLDS = {"host": "elsewhere", "process": 5, "begun": "b", "user": "bob", "what": "x", "since": HEARD}
PLAY = """
- hosts: all
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - import_role: {name: openstack_ops.glance.glance_switch}
"""


def begin(directory: Path) -> subprocess.CompletedProcess[str]:
    """Begin a switch of three controllers, each a directory, from the task on that takes the lease."""
    state = f"{directory}/nodes/{{{{ item | default(inventory_hostname) }}}}"
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "glance_switch_from": "local",
        "glance_switch_to": "objects",
        "glance_switch_directory": str(directory / "journals"),
        "glance_stores": {"local": {"type": "file"}, "objects": {"type": "swift"}},
        "_glance_release_name": "zed",
        "_glance_family": {"group": grp.getgrgid(os.getgid()).gr_name, "state_directory": state},
    }
    (directory / "play.yml").write_text(PLAY, encoding="utf-8")
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "one,two,three,", "-e", json.dumps(variables)]
    command += ["--start-at-task", "openstack_ops.glance.glance_switch : Be the only run that switches", "play.yml"]
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCAL_TEMP": str(directory),
    }
    return subprocess.run(
        command, cwd=directory, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )


def leases(directory: Path) -> list[str]:
    """Return the controllers on which somebody has the lease."""
    return sorted(path.parts[-3] for path in directory.glob("nodes/*/switch/lease.json"))


def test_run_that_cannot_begin_leaves_no_lease(tmp_path: Path) -> None:
    # Another run has been faster on the second controller.
    held = tmp_path / "nodes" / "two" / "switch" / "lease.json"
    held.parent.mkdir(mode=0o750, parents=True)
    held.write_text(json.dumps(ELSEWHERE_HOLDS), encoding="utf-8")
    ran = begin(tmp_path)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "Withdraw | Tell what is in the way" in ran.stdout
    assert "bob on elsewhere (process 5) has been at it" in ran.stdout.partition("Withdraw | Tell")[2]
    assert leases(tmp_path) == ["two"]
    # It had taken those of the others.
    assert len(list(tmp_path.glob("nodes/*/switch/lease.lock"))) == 3
    assert json.loads(held.read_text(encoding="utf-8")) == ELSEWHERE_HOLDS
    # Nobody else is at it, and the journal cannot be begun.
    held.unlink()
    (tmp_path / "journals").touch()
    ran = begin(tmp_path)
    assert "reading the journal" in ran.stdout.partition("Withdraw | Tell")[2], ran.stdout + ran.stderr
    assert leases(tmp_path) == []
