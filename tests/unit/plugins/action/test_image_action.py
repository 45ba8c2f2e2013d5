# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The progress of a long upload is shown when the module runs on this machine, and nothing else is different."""

from __future__ import annotations

import json
import os
import time
import typing as t
from types import SimpleNamespace

import pytest
from ansible_collections.openstack_ops.glance.plugins.action import image as action
from ansible_collections.openstack_ops.glance.plugins.action import image_catalog, image_info
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_progress
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import (
    MIB,
    JointProgress,
    Progress,
    ProgressFile,
    read_progress,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import Stopped

ARGS = {"name": "cirros", "source": "/srv/cirros.qcow2"}


def make(plugin: t.Any = action.ActionModule, transport: str = "local", async_val: int = 0, **args: t.Any) -> t.Any:
    """Return the action plugin for a task."""
    return plugin(
        task=SimpleNamespace(args={**ARGS, **args}, async_val=async_val, action="image", delegate_to=None),
        connection=SimpleNamespace(transport=transport),
        play_context=None,
        loader=None,
        templar=None,
        shared_loader_obj=None,
    )


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that will hold what is displayed."""
    lines: list[str] = []
    monkeypatch.setattr(action.display, "display", lines.append)
    return lines


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, shown: list[str]) -> SimpleNamespace:
    """Stand in for the module: writes the progress that the test sets, and remembers its arguments."""
    ran = SimpleNamespace(args=None, progress=None)

    def run(self: t.Any, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        ran.args = dict(self._task.args)
        if ran.progress is not None:
            with open(ran.args["progress_file"], "w", encoding="utf-8") as file:
                json.dump(ran.progress, file)
            wait(shown, 10 if ran.progress.seconds >= action.QUIET_SECONDS else 0.2)
        return {"changed": True, "task_vars": task_vars}

    monkeypatch.setattr(action.NormalAction, "run", run)
    monkeypatch.setattr(action, "SECONDS_BETWEEN_LINES", 0.03)
    return ran


def wait(lines: list[str], seconds: float) -> None:
    """Wait until a line is there, or the time is over."""
    end = time.monotonic() + seconds
    while not lines and time.monotonic() < end:
        time.sleep(0.01)


def test_a_long_upload_is_shown(module: SimpleNamespace, shown: list[str]) -> None:
    module.progress = Progress("uploaded", 412 * MIB, 1024 * MIB, 20.6)
    assert make().run(task_vars={"a": 1}) == {"changed": True, "task_vars": {"a": 1}}
    assert shown[0] == "image cirros: 412 of 1024 MiB uploaded, 20 MiB/s, 31 s left"
    assert not os.path.exists(os.path.dirname(module.args["progress_file"]))


@pytest.mark.parametrize(("plugin", "about"), [(image_catalog, "images"), (image_info, "image cirros")])
def test_the_other_modules_are_shown_alike(
    module: SimpleNamespace, shown: list[str], plugin: t.Any, about: str
) -> None:
    module.progress = Progress("moved", 412 * MIB, 1024 * MIB, 20.6, 3, 20)
    make(plugin.ActionModule).run()
    assert shown[0] == f"{about}: 3 of 20 images, 412 of 1024 MiB moved, 20 MiB/s, 31 s left"


def test_transfers_are_told_together(tmp_path: t.Any) -> None:
    path = str(tmp_path / "progress")
    joint = JointProgress(path, 3)
    first, second = joint.of_one(), joint.of_one()
    joint.image_is_done()
    first.begin("uploaded", 100)
    progress = read_progress(path)
    assert progress is not None
    assert (progress.done, progress.total, progress.images_done, progress.images) == (0, 100, 1, 3)
    joint._written = 0.0
    second.begin("uploaded", 50)
    joint._written = 0.0
    second.advance(30)
    assert read_progress(path)[1:3] == (30, 150)  # type: ignore[index]
    joint._written = 0.0
    first.begin("read", None)
    assert read_progress(path)[1:3] == (30, None)  # type: ignore[index]
    joint.stop("SIGTERM")
    with pytest.raises(Stopped, match="SIGTERM"):
        first.advance(1)


def test_a_short_upload_is_not_shown(module: SimpleNamespace, shown: list[str]) -> None:
    module.progress = Progress("uploaded", 412 * MIB, 1024 * MIB, 9.0)
    make().run()
    assert shown == []


@pytest.mark.parametrize(
    "options", [{"transport": "ssh"}, {"async_val": 60}, {"progress_file": "/srv/own"}], ids=["remote", "async", "own"]
)
def test_the_module_runs_as_any_other(module: SimpleNamespace, shown: list[str], options: dict[str, t.Any]) -> None:
    make(**options).run()
    assert module.args == {**ARGS, **{name: value for name, value in options.items() if name == "progress_file"}}
    assert shown == []


def test_an_upload_that_fails_ends_the_progress(monkeypatch: pytest.MonkeyPatch, shown: list[str]) -> None:
    def fail(self: t.Any, tmp: t.Any = None, task_vars: t.Any = None) -> t.NoReturn:
        raise RuntimeError("the module died")

    monkeypatch.setattr(action.NormalAction, "run", fail)
    monkeypatch.setattr(action, "SECONDS_BETWEEN_LINES", 0.03)
    with pytest.raises(RuntimeError, match="the module died"):
        make().run()


def test_an_unknown_size_has_no_end() -> None:
    assert Progress("uploaded", 30 * MIB, None, 3.0).line() == "30 MiB uploaded, 10 MiB/s"


@pytest.mark.parametrize("content", [None, "", "[1]", "{}", "[1, 2, 3, 4, 5, 6, 7]"])
def test_a_file_that_tells_nothing_yet(tmp_path: t.Any, content: t.Optional[str]) -> None:
    path = tmp_path / "progress"
    if content is not None:
        path.write_text(content)
    assert read_progress(str(path)) is None


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ProgressFile(str(tmp_path / "missing" / "progress"))
    file.begin("uploaded", 10)
    monkeypatch.setattr(_image_progress.time, "monotonic", lambda real=time.monotonic: real() + 60)
    file.advance(5)
    assert read_progress(str(tmp_path / "missing" / "progress")) is None
