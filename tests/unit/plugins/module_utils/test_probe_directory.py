# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Directories that are really there, tried by a process of another user where the tests may start one."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _probe_directory
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_directory import Directory

NOBODY_YET = "no-such-user-yet"
# Root may do everything, so that rights are tried as somebody else; anybody else can only try as himself.
UID = 61184 if os.geteuid() == 0 else os.geteuid()


@pytest.fixture
def place() -> t.Iterator[Path]:
    """Return a directory that everybody can reach, which those of pytest are not."""
    directory = Path(tempfile.mkdtemp(prefix="glance-test-"))
    directory.chmod(0o755)
    yield directory
    for path in directory.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(directory)


def look(
    path: t.Union[str, Path], uid: t.Optional[int] = UID, minimum_free: int = 0, user: str = NOBODY_YET
) -> Outcome:
    """Return what is found about a directory."""
    outcome = Outcome("node")
    wanted = Directory(str(path), "datadir of the store 'x'", minimum_free)
    _probe_directory.directory(outcome, Deadline(20), wanted, user, uid)
    return outcome


def told(outcome: Outcome) -> list[tuple[str, str]]:
    """Return the code and the text of each problem."""
    return [(problem.code, problem.what) for problem in outcome.problems]


class TestGood:
    def test_directory_of_the_user(self, place: Path) -> None:
        os.chown(place, UID, -1)
        outcome = look(place)
        assert outcome.problems == outcome.not_checked == []
        (facts,) = outcome.facts["directories"]
        assert (facts["path"], facts["exists"], facts["existing"], facts["uid"]) == (str(place), True, str(place), UID)
        assert facts["free"] > 0
        assert outcome.facts["user"] == {"name": NOBODY_YET, "uid": UID, "gid": UID, "exists": False}

    def test_directory_for_everybody(self, place: Path) -> None:
        place.chmod(0o777)
        assert look(place).problems == []

    def test_missing_directory_that_can_be_made(self, place: Path) -> None:
        outcome = look(place / "a" / "b")
        assert outcome.problems == []
        (facts,) = outcome.facts["directories"]
        assert (facts["exists"], facts["existing"]) == (False, str(place))
        assert not (place / "a").exists()

    def test_link_to_a_directory(self, place: Path) -> None:
        (place / "real").mkdir()
        os.chown(place / "real", UID, -1)
        (place / "link").symlink_to("real")
        assert look(place / "link").problems == []

    def test_user_that_exists(self) -> None:
        name = pwd.getpwuid(os.geteuid()).pw_name
        outcome = look("/tmp", user=name, uid=12345)
        assert outcome.problems == []
        assert outcome.facts["user"]["uid"] == os.geteuid()
        assert outcome.facts["user"]["exists"] is True


class TestBad:
    def test_directory_of_somebody_else(self, place: Path) -> None:
        place.chmod(0o755 if os.geteuid() == 0 else 0o555)
        ((code, what),) = told(look(place))
        assert code == "GLS-150"
        assert what.startswith(
            f"{place} (datadir of the store 'x'): {NOBODY_YET} (going to be {UID}) cannot write there"
        )
        assert "mode 0" in what

    @pytest.mark.parametrize("below", ["x", "x/y/z"])
    def test_directory_behind_a_closed_one(self, place: Path, below: str) -> None:
        closed = place / "closed"
        (closed / "x").mkdir(parents=True)
        os.chown(closed / "x", UID, -1)
        if os.geteuid() == 0:
            closed.chmod(0o700)
            ((code, what),) = told(look(closed / below))
            assert code == "GLS-150"
            assert f"cannot reach {closed / below}: Permission denied" in what
        else:
            closed.chmod(0o000)
            assert [code for code, _what in told(look(closed / below))] == ["GLS-151"]

    def test_missing_directory_in_one_that_may_not_be_entered(self, place: Path) -> None:
        place.chmod(0o744 if os.geteuid() == 0 else 0o644)
        assert [code for code, _what in told(look(place / "new"))] in (["GLS-150"], ["GLS-151"])

    @pytest.mark.parametrize("below", ["", "/new", "/new/er"])
    def test_file_in_the_way(self, place: Path, below: str) -> None:
        (place / "file").write_text("x")
        ((code, what),) = told(look(f"{place}/file{below}"))
        assert code == "GLS-151"
        assert "ot a directory" in what

    @pytest.mark.parametrize(
        ("seen", "code", "words"),
        [
            ({"read_only": True}, "GLS-152", "the file system of /srv is mounted read-only"),
            ({"writable": False}, "GLS-151", "nothing can be made in /srv, not even by root"),
            ({"error": "Stale file handle"}, "GLS-151", "/srv: Stale file handle"),
        ],
    )
    def test_file_system_that_cannot_be_used(
        self, monkeypatch: pytest.MonkeyPatch, seen: dict[str, t.Any], code: str, words: str
    ) -> None:
        good = {"existing": "/srv", "error": None, "is_directory": True, "read_only": False, "writable": True}
        answer = {**good, "reachable": True, "free": 2**30, "uid": 0, "gid": 0, "mode": 0o755, **seen}
        monkeypatch.setattr(_probe_directory, "_look_as", lambda path, user, deadline: answer)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        ((code_found, what),) = told(look("/srv/images"))
        assert code_found == code
        assert what == f"/srv/images (datadir of the store 'x'): {words}"

    def test_too_little_space(self, place: Path) -> None:
        place.chmod(0o777)
        ((code, what),) = told(look(place, minimum_free=2**60))
        assert code == "GLS-153"
        assert what.endswith(" MiB are free, and 1099511627776.0 MiB are asked for")


class TestNotChecked:
    def test_user_that_is_not_known_yet(self, place: Path) -> None:
        outcome = look(place, uid=None)
        assert outcome.problems == []
        assert outcome.not_checked == [
            {
                "code": "GLS-150",
                "why": f"{place} (datadir of the store 'x'): the user {NOBODY_YET} does not exist yet",
            }
        ]

    def test_without_root_nobody_else_can_be_tried(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        original = _probe_directory._look_as

        def only_as_oneself(path: str, user: t.Any, deadline: Deadline) -> t.Any:
            return None if user is not None else original(path, user, deadline)

        monkeypatch.setattr(_probe_directory, "_look_as", only_as_oneself)
        outcome = look(place)
        assert outcome.problems == []
        assert "that needs root" in outcome.not_checked[0]["why"]

    def test_what_hangs_is_given_up(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_probe_directory, "SCRIPT", "import time; time.sleep(30)")
        outcome = Outcome("node")
        start = time.monotonic()
        _probe_directory.directory(outcome, Deadline(0.3), Directory(str(place)), NOBODY_YET, UID)
        assert time.monotonic() - start < 5
        assert outcome.problems == []
        assert outcome.not_checked == [{"code": "GLS-150", "why": f"{place} could not be looked at"}]
