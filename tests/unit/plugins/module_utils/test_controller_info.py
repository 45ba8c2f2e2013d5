# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What Glance a controller runs, found in a small file system of its own."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _controller_info

UNIT = "glance-api.service"


class Node:
    """A root directory, and systemd's answer."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shown = {"LoadState": "loaded", "ActiveState": "inactive", "MainPID": "0"}

    def install(self, version: str, environment: str = "", suffix: str = "dist-info") -> Path:
        """Install a Glance, and return its environment."""
        place = self.root / (
            f"{environment}/lib/python3.11/site-packages" if environment else "usr/lib/python3/dist-packages"
        )
        for name in (f"glance-{version}.{suffix}", "glance_store-4.1.0.dist-info", "glance"):
            (place / name).mkdir(parents=True, exist_ok=True)
        if environment:
            (self.root / environment / "pyvenv.cfg").touch()
        return self.root / environment

    def start(self, *words: t.Union[str, Path], ago: float = 0) -> None:
        """Start a process some seconds ago."""
        (self.root / "proc" / "77").mkdir(parents=True)
        (self.root / "proc" / "77" / "cmdline").write_text("".join(f"{word}\0" for word in words))
        started = int((time.monotonic() - ago) * 1_000_000)
        self.shown.update(ActiveState="active", MainPID="77", ExecMainStartTimestampMonotonic=str(started))

    def look(self, directory: t.Union[str, Path] = "") -> dict[str, t.Any]:
        """Look at the node."""
        text = "".join(f"{name}={value}\n" for name, value in self.shown.items())
        return _controller_info.run(lambda _arguments: (0, text, ""), UNIT, str(directory), str(self.root))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_nothing_is_installed(node: Node) -> None:
    found = node.look()
    assert (found["version"], found["running"], found["environment"]) == ("", False, "")


@pytest.mark.parametrize(
    ("suffix", "version"), [("dist-info", "30.0.0"), ("egg-info", "25.1.0"), ("egg-info", "21.0.0-py3.9")]
)
def test_packages(node: Node, suffix: str, version: str) -> None:
    node.install(version, suffix=suffix)
    node.start("/usr/bin/python3", "/usr/bin/glance-api", "--config-file=/etc/glance/glance-api.conf")
    found = node.look()
    assert (found["version"], found["environment"], found["running"]) == (version.partition("-")[0], "", True)
    assert found["outdated"] is False


def test_a_process_that_is_older_than_its_package(node: Node) -> None:
    node.start("/usr/bin/python3", "/usr/bin/glance-api", ago=3600)
    node.install("30.0.0")
    assert node.look()["outdated"] is True


@pytest.mark.parametrize("program", ["uwsgi", "python", "glance-api"])
def test_an_environment_is_known_by_its_program(node: Node, program: str) -> None:
    node.install("25.1.0")
    environment = node.install("33.0.0", "opt/glance/33.0.0-1a2b3c4d")
    node.install("30.1.0", "opt/glance/30.1.0-1a2b3c4d")
    node.start("/usr/bin/python3", environment / "bin" / program, "--ini", "/etc/glance/glance-api-uwsgi.ini")
    found = node.look()
    assert (found["version"], found["environment"]) == ("33.0.0", str(environment))


def test_a_unit_that_does_not_run_names_what_it_would(node: Node) -> None:
    environment = node.install("33.0.0", "opt/glance/33.0.0-1a2b3c4d")
    unit = node.root / UNIT
    unit.write_text(f"[Service]\nExecStart={environment}/bin/uwsgi --virtualenv {environment}\n")
    node.shown["FragmentPath"] = str(unit)
    found = node.look()
    assert (found["version"], found["running"], found["outdated"]) == ("33.0.0", False, False)


def test_the_note_of_an_interrupted_run(node: Node, tmp_path: Path) -> None:
    assert node.look(tmp_path)["noted"] is False
    (tmp_path / "out-of-service").touch()
    assert node.look(tmp_path)["noted"] is True


def test_dumps_are_told_oldest_first(node: Node, tmp_path: Path) -> None:
    directory = tmp_path / "back[ups]"
    assert (node.look(directory)["has_directory"], node.look(directory)["dumps"]) == (False, [])
    directory.mkdir()
    for name, seconds in (("b.sql.gz", 86400), ("a.sql.gz", 86401), ("a.sql.gz.part", 1), ("c.sql", 1)):
        (directory / name).touch()
        os.utime(directory / name, (seconds, seconds))
    found = node.look(directory)
    assert found["has_directory"] is True
    assert found["dumps"] == [
        {"path": str(directory / "b.sql.gz"), "made": "1970-01-02T00:00:00Z"},
        {"path": str(directory / "a.sql.gz"), "made": "1970-01-02T00:00:01Z"},
    ]


def test_the_newest_of_several_versions_counts(node: Node) -> None:
    node.install("9.0.0")
    node.install("10.0.0")
    assert node.look()["version"] == "10.0.0"
