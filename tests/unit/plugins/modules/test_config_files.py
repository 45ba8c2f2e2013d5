# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Several files in one invocation. What becomes of one file is tested with the module config_file."""

from __future__ import annotations

import grp
import json
import os
import pwd
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.modules import config_files

ME = pwd.getpwuid(os.geteuid()).pw_name
MY_GROUP = grp.getgrgid(os.getegid()).gr_name
SECRET = "s3cret&more"

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(run_module: t.Any, tmp_path: Path) -> Run:
    """Return a function that writes two files, one of them in a directory that is yet to be made."""

    def run_it(*, check: bool = False, first: str = f"[database]\npassword = {SECRET}\n", **more: t.Any) -> t.Any:
        owner = {"owner": ME, "group": MY_GROUP}
        arguments = {
            "directories": [{"path": str(tmp_path / "conf.d"), "mode": "0750", **owner}],
            "files": [
                {"path": str(tmp_path / "first.conf"), "content": first, "backup": True, **owner},
                {"path": str(tmp_path / "conf.d" / "second.conf"), "content": "x = 1", "mode": "0644", **owner, **more},
            ],
            "secrets": [SECRET],
        }
        result = run_module(config_files, arguments, check=check)
        assert SECRET not in json.dumps(result)
        return result

    return run_it


def changes(result: dict[str, t.Any]) -> list[bool]:
    """Return what was changed, the directory first."""
    return [part["changed"] for part in (*result["directories"], *result["files"])]


def test_all_are_written_and_the_second_run_changes_nothing(run: Run, tmp_path: Path) -> None:
    predicted = run(check=True)
    assert not list(tmp_path.iterdir())
    done = run()
    assert changes(predicted) == changes(done) == [True, True, True]
    assert predicted["diff"] == done["diff"]
    assert (tmp_path / "conf.d").stat().st_mode & 0o7777 == 0o750
    assert (tmp_path / "conf.d" / "second.conf").read_text() == "x = 1\n"
    assert (tmp_path / "conf.d" / "second.conf").stat().st_mode & 0o7777 == 0o644
    assert (tmp_path / "first.conf").read_text() == f"[database]\npassword = {SECRET}\n"
    again = run()
    assert (again["changed"], changes(again), again["diff"]) == (False, [False, False, False], [])


def test_only_what_differs_is_changed(run: Run, tmp_path: Path) -> None:
    run()
    (tmp_path / "conf.d").chmod(0o700)
    result = run(first="[database]\n")
    assert changes(result) == [True, True, False]
    assert Path(result["files"][0]["backup_file"]).read_text() == f"[database]\npassword = {SECRET}\n"
    assert (tmp_path / "conf.d").stat().st_mode & 0o7777 == 0o750


def test_the_overrides_of_one_file_are_in_no_other(run: Run, tmp_path: Path) -> None:
    result = run(options={"DEFAULT": {"x": 2, "password": SECRET}})
    assert (tmp_path / "conf.d" / "second.conf").read_text() == f"x = 1\n\n[DEFAULT]\nx = 2\npassword = {SECRET}\n"
    assert "DEFAULT" not in (tmp_path / "first.conf").read_text()
    assert result["invocation"]["module_args"]["files"][1]["options"]["DEFAULT"]["x"] == 2


def test_what_cannot_be_written_ends_it(run: Run, tmp_path: Path) -> None:
    result = run(validator="oslo", python=str(tmp_path / "python3"))
    assert result["failed"]
    assert str(tmp_path / "conf.d" / "second.conf") in result["msg"]
    assert not (tmp_path / "conf.d" / "second.conf").exists()


def test_a_file_in_the_place_of_a_directory(run: Run, tmp_path: Path) -> None:
    (tmp_path / "conf.d").write_text("")
    assert "something else has that name" in run()["msg"]
    assert not (tmp_path / "first.conf").exists()


def test_a_fresh_node_in_check_mode(run: Run, tmp_path: Path) -> None:
    result = run(check=True, group="no-such-group", validator="oslo", python=str(tmp_path / "python3"))
    assert changes(result) == [True, True, True]
    assert "not validated" in result["files"][1]["validation"]["note"]
