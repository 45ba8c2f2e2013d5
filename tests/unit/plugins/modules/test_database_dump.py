# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module database_dump: its real main() with a program that tells what it was given."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _database_dump
from ansible_collections.openstack_ops.glance.plugins.modules import database_dump as module

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

PASSWORD = "gl@nce:/%#'\"$\\db ü2"
PROGRAM = """#!{python} -IS
import os, pathlib, sys, time
directory = pathlib.Path({directory!r})
if sys.argv[1:] == ["--version"]:
    print({version!r})
    sys.exit()
(directory / "command").write_bytes(pathlib.Path("/proc/self/cmdline").read_bytes())
(directory / "environment").write_bytes(pathlib.Path("/proc/self/environ").read_bytes())
(directory / "options").write_text(pathlib.Path(sys.argv[1].partition("=")[2]).read_text())
print("CREATE TABLE images;")
sys.stdout.flush()
{end}
"""
GOOD = 'print("-- Dump completed on 2026-11-21")'


class Node:
    """A node with a program that dumps."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "backups" / "glance.sql.gz"

    def install(self, end: str = GOOD, name: str = "mariadb-dump", version: str = "10.11 MariaDB") -> None:
        """Install the program."""
        command = self.directory / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(
            PROGRAM.format(python=sys.executable, directory=str(self.directory), version=version, end=end)
        )
        command.chmod(0o755)

    def args(self, **more: t.Any) -> dict[str, t.Any]:
        """Return arguments for the module."""
        database = {"host": "db", "password": PASSWORD, **more.pop("database", {})}
        return {"path": str(self.path), "database": database, **more}

    @property
    def command(self) -> list[str]:
        """The words of the command line that the program was run with."""
        return (self.directory / "command").read_text().split("\0")[3:-1]

    @property
    def files(self) -> list[str]:
        """The names of the files beside the dump."""
        return sorted(path.name for path in self.path.parent.iterdir())


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/nowhere")
    return Node(tmp_path)


def test_a_dump_is_compressed_and_for_root_alone(node: Node, run_module: RunModule) -> None:
    node.install()
    result = run_module(module, node.args())
    assert result["changed"] is True
    assert gzip.decompress(node.path.read_bytes()).startswith(b"CREATE TABLE images;\n-- Dump completed")
    assert stat.S_IMODE(node.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(node.path.parent.stat().st_mode) == 0o700
    assert result["bytes"] == node.path.stat().st_size
    assert node.files == ["glance.sql.gz"]


def test_the_password_is_in_the_option_file_alone(
    node: Node, run_module: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", "another's")
    node.install()
    run_module(module, node.args())
    assert 'password="gl@nce:/%#\'\\"$\\\\db ü2"' in (node.directory / "options").read_text().splitlines()
    told = (node.directory / "command").read_bytes() + (node.directory / "environment").read_bytes()
    assert b"gl@nce" not in told
    assert b"another" not in told


@pytest.mark.parametrize(
    ("database", "version", "wanted"),
    [
        ({}, "MariaDB", ["--skip-ssl-verify-server-cert"]),
        ({}, "Ver 8.4", []),
        ({"ca_cert": "/ca"}, "MariaDB", ["--ssl-verify-server-cert"]),
        ({"ca_cert": "/ca", "check_hostname": False}, "MariaDB", ["--ssl"]),
        ({"ca_cert": "/ca"}, "Ver 8.4", ["--ssl-mode=VERIFY_IDENTITY"]),
        ({"ca_cert": "/ca", "check_hostname": False}, "Ver 8.4", ["--ssl-mode=VERIFY_CA"]),
    ],
)
def test_tls(node: Node, run_module: RunModule, database: dict[str, t.Any], version: str, wanted: list[str]) -> None:
    node.install(name="mysqldump", version=version)
    run_module(module, node.args(database=database))
    assert [word for word in node.command if "ssl" in word] == wanted
    assert ("--set-gtid-purged=OFF" in node.command) is ("MariaDB" not in version)
    assert node.command[-2:] == ["--databases", "glance"]


def test_an_earlier_dump_is_kept_under_a_name_with_its_time(node: Node, run_module: RunModule) -> None:
    node.install()
    assert run_module(module, node.args())["earlier"] == ""
    os.utime(node.path, (86400, 86400))
    earlier = node.path.parent / "glance.1970-01-02T00:00:00Z.sql.gz"
    result = run_module(module, node.args())
    assert (result["changed"], result["earlier"]) == (True, str(earlier))
    assert node.files == [earlier.name, node.path.name]
    assert stat.S_IMODE(earlier.stat().st_mode) == 0o600


def test_check_mode(node: Node, run_module: RunModule) -> None:
    assert run_module(module, node.args(), check=True)["changed"] is True
    assert not node.path.parent.exists()


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("", "and no end"),
        (GOOD + "; sys.exit(3)", "exit code 3"),
        ('print("Got error: 1045: Access denied", file=sys.stderr); sys.exit(2)', "its password is another one"),
        ("time.sleep(60)", "it was ended after 1 seconds"),
    ],
)
def test_what_was_broken_off_is_no_dump(node: Node, run_module: RunModule, end: str, told: str) -> None:
    node.install()
    run_module(module, node.args())
    before = node.path.read_bytes()
    node.install(end)
    result = run_module(module, node.args(timeout=1))
    assert "earlier" not in result
    assert told in result["msg"]
    assert PASSWORD not in result["msg"]
    assert node.path.read_bytes() == before
    assert node.files == ["glance.sql.gz"]


def test_what_a_killed_run_has_left_is_removed(node: Node, run_module: RunModule) -> None:
    node.install()
    node.path.parent.mkdir()
    (node.path.parent / "glance.sql.gz.part").write_text("half of it")
    run_module(module, node.args())
    assert node.files == ["glance.sql.gz"]


def test_no_program(node: Node, run_module: RunModule) -> None:
    assert "neither mariadb-dump nor mysqldump" in run_module(module, node.args())["msg"]


def test_a_directory_that_cannot_be_written(node: Node, run_module: RunModule) -> None:
    node.install()
    node.path.parent.write_text("a file")
    assert f"writing {node.path}" in run_module(module, node.args())["msg"]


def test_option_file_has_no_line_for_what_is_not_given() -> None:
    assert _database_dump.option_file({"host": "db", "port": 3306, "password": None}) == (
        '[client]\nhost="db"\nport="3306"\n'
    )
