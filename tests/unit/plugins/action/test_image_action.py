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


def test_it_is_shown_when_the_task_is_tried_again(module: SimpleNamespace, shown: list[str]) -> None:
    module.progress = Progress("uploaded", 412 * MIB, 1024 * MIB, 20.6)
    task = make()
    for _attempt in range(2):
        shown.clear()
        task.run()
        assert shown


@pytest.mark.parametrize(("plugin", "about"), [(image_catalog, "images"), (image_info, "image cirros")])
def test_the_other_modules_are_shown_alike(
    module: SimpleNamespace, shown: list[str], plugin: t.Any, about: str
) -> None:
    module.progress = Progress("moved", 412 * MIB, 1024 * MIB, 20.6, 3, 20)
    make(plugin.ActionModule).run()
    assert shown[0] == f"{about}: 3 of 20 images, 412 of 1024 MiB moved, 20 MiB/s, 31 s left"


class Joint:
    """The progress of several images, with a clock that the test sets."""

    def __init__(self, path: str, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.now = 1000.0
        monkeypatch.setattr(_image_progress, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.path = path
        self.all = JointProgress(path, len(names))
        self.parts = [self.all.of_one(name) for name in names]

    def line(self, seconds: float, part: int, done: int) -> str:
        """Return what is told some seconds later, after one of the images has got on."""
        self.now += seconds
        self.parts[part].advance(done)
        progress = read_progress(self.path)
        assert progress is not None
        return progress.line()


@pytest.fixture
def joint(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Joint]:
    """Return a function that makes the progress of some images."""
    return lambda *names: Joint(str(tmp_path / "progress"), monkeypatch, *names)


class TestTogether:
    """What is told of several images."""

    def test_what_has_not_begun_counts(self, joint: t.Callable[..., Joint]) -> None:
        images = joint(*"abcd")
        for part, size in zip(images.parts, (100, 300, 600, 0)):
            part.expect(size * MIB)
        images.parts[3].close()
        images.parts[0].begin("uploaded", 100 * MIB)
        assert images.line(10, 0, 100 * MIB) == "1 of 4 images, 100 of 1000 MiB moved, 10 MiB/s, 90 s left"
        images.parts[0].close()
        images.parts[1].begin("uploaded", 300 * MIB)
        assert images.line(10, 1, 100 * MIB) == "2 of 4 images, 200 of 1000 MiB moved, 10 MiB/s, 80 s left"

    def test_what_failed_is_not_awaited(self, joint: t.Callable[..., Joint]) -> None:
        images = joint(*"ab")
        for part in images.parts:
            part.expect(100 * MIB)
            part.begin("uploaded", 100 * MIB)
        images.line(5, 0, 40 * MIB)
        images.parts[0].close()
        assert images.line(5, 1, 60 * MIB) == "1 of 2 images, 100 of 140 MiB moved, 10 MiB/s, 4 s left"

    def test_a_size_that_nobody_knows_hides_the_end_only_as_long(self, joint: t.Callable[..., Joint]) -> None:
        images = joint(*"ab")
        images.parts[0].expect(None)
        images.parts[1].expect(100 * MIB)
        images.parts[1].begin("uploaded", 100 * MIB)
        assert images.line(5, 1, 50 * MIB) == "0 of 2 images, 50 MiB moved, 10 MiB/s"
        images.parts[0].begin("imported", None)
        assert images.line(1, 0, 10 * MIB) == "0 of 2 images, 60 MiB moved, 10 MiB/s"
        images.parts[0].close()
        assert images.line(1, 1, 60 * MIB) == "1 of 2 images, 70 of 110 MiB moved, 10 MiB/s, 4 s left"

    def test_what_is_hashed_is_not_moved(self, joint: t.Callable[..., Joint]) -> None:
        images = joint(*"ab")
        for part in images.parts:
            part.expect(100 * MIB)
        images.parts[0].begin("read for its checksum", 100 * MIB)
        assert images.line(60, 0, 41 * MIB) == "0 of 2 images, a being read for its checksum (41 %)"
        images.parts[1].begin("uploaded", 100 * MIB)
        told = images.line(5, 1, 50 * MIB)
        assert told == "0 of 2 images, 50 of 200 MiB moved, 10 MiB/s, 15 s left, a being read for its checksum (41 %)"
        images.parts[0].begin("uploaded", 100 * MIB)
        assert images.line(5, 0, 50 * MIB) == "0 of 2 images, 100 of 200 MiB moved, 10 MiB/s, 10 s left"

    def test_what_is_converted_is_sent_later(self, joint: t.Callable[..., Joint]) -> None:
        images = joint(*"ab")
        images.parts[0].expect(None)
        images.parts[0].begin("fetched", 20 * MIB)
        assert images.line(2, 0, 20 * MIB) == "0 of 2 images, 20 MiB moved, 10 MiB/s"
        images.parts[0].begin("converted", 80 * MIB)
        told = images.line(2, 0, 20 * MIB)
        assert told == "0 of 2 images, 20 MiB moved, 5 MiB/s, a being converted (25 %)"
        images.parts[0].begin("uploaded", 80 * MIB)
        assert images.line(6, 0, 80 * MIB) == "0 of 2 images, 100 of 100 MiB moved, 10 MiB/s, 0 s left"

    def test_what_is_staged_is_imported_later(self, joint: t.Callable[..., Joint]) -> None:
        images = joint(*"ab")
        images.parts[0].expect(200 * MIB)
        images.parts[0].begin("uploaded", 100 * MIB)
        assert images.line(10, 0, 100 * MIB) == "0 of 2 images, 100 of 200 MiB moved, 10 MiB/s, 10 s left"
        images.parts[0].begin("imported", 100 * MIB)
        assert images.line(5, 0, 50 * MIB) == "0 of 2 images, 150 of 200 MiB moved, 10 MiB/s, 5 s left"

    def test_it_is_written_once_a_second(self, joint: t.Callable[..., Joint]) -> None:
        images = joint(*"ab")
        images.parts[0].begin("uploaded", 100 * MIB)
        first = images.line(2, 0, 10 * MIB)
        assert images.line(0.5, 0, 20 * MIB) == first
        assert images.line(0.5, 0, 30 * MIB) != first

    def test_all_are_stopped_when_they_advance(self, joint: t.Callable[..., Joint]) -> None:
        images = joint(*"ab")
        images.parts[0].begin("uploaded", 100)
        images.all.stop("SIGTERM")
        with pytest.raises(Stopped, match="SIGTERM"):
            images.parts[0].advance(1)


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


@pytest.mark.parametrize("content", [None, "", "[1]", "{}", "[1, 2, 3, 4, 5, 6, 7, 8, 9]"])
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
