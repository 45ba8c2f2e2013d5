# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Directories that are really there, and the markers of nodes that share them or do not."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import signal
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _probe_mount, _store_probe_file
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_directory import Account
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_file import mount_unit
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_process import Job, Probe, run_jobs
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    Report,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import validated_store

# Root may do everything, so that rights are tried as somebody else; anybody else can only try as himself.
UID = 61184 if os.geteuid() == 0 else os.geteuid()
USER = Account("glance", UID, UID if os.geteuid() == 0 else os.getegid(), (), exists=True)


@pytest.fixture
def place() -> t.Iterator[Path]:
    """Return a directory of the user that everybody can reach, which those of pytest are not."""
    directory = Path(tempfile.mkdtemp(prefix="glance-test-"))
    directory.chmod(0o755)
    os.chown(directory, UID, -1)
    yield directory
    for path in directory.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(directory)


def values(*paths: Path, **options: t.Any) -> dict[str, t.Any]:
    """Return the values of the options of a store with these directories."""
    return validated_store("x", {"type": "file", "datadirs": [{"path": str(path)} for path in paths], **options})


def as_user(probe: Probe, write: bool = True, settings: t.Optional[dict[str, t.Any]] = None) -> Report:
    """Return the report of a probe that runs as the user."""
    (report,) = run_jobs([Job(probe, {"values": settings or {}, "write": write})], USER, 20)
    return report


def told(report: Report) -> list[tuple[str, str]]:
    """Return the code and the text of each problem."""
    return [(problem["code"], problem["what"]) for problem in report.problems]


class TestDirectory:
    def test_good(self, place: Path) -> None:
        report = as_user(_store_probe_file.probe, settings=values(place))
        assert told(report) == []
        assert report.done
        space = os.statvfs(place)
        assert report.total == space.f_blocks * space.f_frsize
        assert 0 < t.cast(int, report.free) <= report.total
        assert list(place.iterdir()) == []

    def test_room_of_a_file_system_counts_once(self, place: Path) -> None:
        for name in ("a", "b"):
            (place / name).mkdir()
            os.chown(place / name, UID, -1)
        report = as_user(_store_probe_file.probe, settings=values(place / "a", place / "b"))
        space = os.statvfs(place)
        assert (told(report), report.total) == ([], space.f_blocks * space.f_frsize)

    def test_check_mode_writes_nothing(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*arguments: t.Any) -> t.NoReturn:
            raise AssertionError(arguments)

        monkeypatch.setattr(_store_probe_file, "_write", refuse)
        assert told(as_user(_store_probe_file.probe, write=False, settings=values(place))) == []

    def test_missing(self, place: Path) -> None:
        ((code, what),) = told(as_user(_store_probe_file.probe, settings=values(place / "new")))
        assert code == "GLS-165"
        assert what == f"looking at the directory {place}/new: No such file or directory"

    def test_missing_is_fine_in_check_mode(self, place: Path) -> None:
        report = as_user(_store_probe_file.probe, write=False, settings=values(place / "new"))
        assert (told(report), report.tried) == ([], False)
        assert report.notes == [f"the directory {place}/new is not there yet"]

    @pytest.mark.parametrize("write", [True, False])
    def test_no_directory(self, place: Path, write: bool) -> None:
        (place / "file").write_text("x")
        ((code, what),) = told(as_user(_store_probe_file.probe, write, values(place / "file")))
        assert (code, what) == ("GLS-165", f"looking at the directory {place}/file: Not a directory")

    @pytest.mark.parametrize("write", [True, False])
    def test_of_somebody_else(self, place: Path, write: bool) -> None:
        (place / "foreign").mkdir(mode=0o555)
        (place / "foreign").chmod(0o555)
        report = as_user(_store_probe_file.probe, write, values(place / "foreign"))
        ((code, what),) = told(report)
        assert code == "GLS-164"
        assert what.endswith("Permission denied")
        assert "let Glance's user write there" in report.problems[0]["advice"]
        assert "mode 0555" in report.problems[0]["advice"]

    def test_out_of_reach(self, place: Path) -> None:
        (place / "closed").mkdir(mode=0o000)
        ((code, what),) = told(as_user(_store_probe_file.probe, settings=values(place / "closed/images")))
        assert (code, what) == ("GLS-164", f"looking at the directory {place}/closed/images: Permission denied")

    @pytest.mark.parametrize(
        ("number", "code", "advice"),
        [
            (errno.ENOSPC, "GLS-167", "inodes are free"),
            (errno.EDQUOT, "GLS-167", ""),
            (errno.EROFS, "GLS-167", "dmesg"),
            (errno.ESTALE, "GLS-161", ""),
            (errno.EIO, "GLS-161", ""),
            (errno.EXDEV, "GLS-169", ""),
        ],
    )
    def test_a_disk_that_refuses(
        self, place: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, advice: str
    ) -> None:
        def fail(file: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fail)
        report = as_user(_store_probe_file.probe, settings=values(place))
        ((found, what),) = told(report)
        assert (found, what.partition(": ")[2]) == (code, os.strerror(number))
        assert advice in report.problems[0]["advice"]
        assert list(place.iterdir()) == []

    def test_other_bytes_come_back(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "fsync", lambda file: os.pwrite(file.fileno(), b"?????", 100))
        ((code, what),) = told(as_user(_store_probe_file.probe, settings=values(place)))
        assert code == "GLS-169"
        assert "65536 came back" in what


class TestMount:
    MOUNT: t.ClassVar[dict[str, str]] = {"source": "nfs.example.org:/images"}

    @pytest.fixture
    def table(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "mountinfo"
        path.write_text("22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n")
        monkeypatch.setattr(_probe_mount, "MOUNT_TABLE", str(path))
        return path

    def test_mounted(self, place: Path, table: Path) -> None:
        (place / "a b").mkdir()
        with table.open("a") as file:
            file.write(f"41 22 0:44 / {place}/a\\040b rw - nfs4 nfs.example.org:/im\\040ages rw\n")
        mount = {"source": "nfs.example.org:/im ages", "path": f"{place}/a b"}
        attempt = Attempt(values(place / "a b", mount=mount))
        _store_probe_file.probe(attempt)
        assert attempt.report.notes == [f"{place}/a b is mounted from nfs.example.org:/im ages (nfs4)"]
        assert attempt.report.mounted == f"{place}/a b"

    @pytest.mark.parametrize("write", [True, False])
    def test_mounted_from_elsewhere(self, place: Path, table: Path, write: bool) -> None:
        with table.open("a") as file:
            file.write(f"41 22 0:44 / {place} rw - nfs4 old.example.org:/images rw\n")
        attempt = Attempt(values(place, mount=self.MOUNT), write=write)
        with pytest.raises(ProbeError) as caught:
            _store_probe_file.probe(attempt)
        assert (caught.value.code, caught.value.tried) == ("GLS-166", True)
        assert caught.value.what == (
            f"{place} is mounted from old.example.org:/images (nfs4), and mount says nfs.example.org:/images (nfs4)"
        )
        assert f"systemctl stop '{mount_unit(str(place))}'" in caught.value.advice
        assert list(place.iterdir()) == []

    def test_before_the_units_are_written_nothing_has_to_be_mounted(self, place: Path, table: Path) -> None:
        attempt = Attempt(values(place, mount=self.MOUNT), write=False)
        _store_probe_file.look_at_mount(attempt)
        assert (attempt.report.notes, attempt.report.mounted) == ([], "")

    def test_only_the_automounter(self, place: Path, table: Path) -> None:
        with table.open("a") as file:
            file.write(f"41 22 0:44 / {place} rw - autofs systemd-1 rw\n")
        with pytest.raises(ProbeError, match=f"nothing is mounted on {place}"):
            _store_probe_file.probe(Attempt(values(place, mount=self.MOUNT)))

    def test_not_mounted(self, place: Path, table: Path) -> None:
        attempt = Attempt(values(place, mount=self.MOUNT))
        with pytest.raises(ProbeError, match="images would land on the node's own disk") as caught:
            _store_probe_file.probe(attempt)
        assert (caught.value.code, caught.value.tried) == ("GLS-166", True)

    def test_not_mounted_yet(self, place: Path, table: Path) -> None:
        with pytest.raises(ProbeError, match="is not mounted yet") as caught:
            _store_probe_file.probe(Attempt(values(place, mount=self.MOUNT), write=False))
        assert not caught.value.tried

    def test_the_real_table(self) -> None:
        mount = {"source": "proc", "fstype": "proc", "path": "/proc"}
        attempt = Attempt(values(Path("/proc/x"), mount=mount), write=False)
        with pytest.raises(ProbeError, match="the directory /proc/x is not there yet"):
            _store_probe_file.probe(attempt)
        assert attempt.report.notes == ["/proc is mounted from proc (proc)"]


class TestMarkers:
    @pytest.fixture
    def marker(self, place: Path) -> dict[str, str]:
        """Return the marker that a node has left."""

        def probe(attempt: Attempt) -> None:
            _store_probe_file.probe_and_mark(attempt, "rack/1")

        report = as_user(probe, settings=values(place))
        assert told(report) == []
        (path,) = report.markers
        assert path.startswith(f"{place}/.openstack-ops-shared-")
        assert path.endswith("-rack%2F1")
        return {"node": "rack/1", "store": "x", "path": path}

    def test_one_that_may_have_been_written_is_known(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def stop(path: str, mode: str = "r", **options: t.Any) -> t.IO[t.Any]:
            if mode == "x":
                os.kill(os.getpid(), signal.SIGSTOP)
            return open(path, mode, **options)

        monkeypatch.setattr(_store_probe_file, "open", stop, raising=False)
        job = Job(functools.partial(_store_probe_file.probe_and_mark, node="rack/1"), {"values": values(place)})
        (report,) = run_jobs([job], USER, 2)
        assert [code for code, _what in told(report)] == ["GLS-190"]
        assert [path.endswith("-rack%2F1") for path in report.markers] == [True]

    def test_seen(self, marker: dict[str, str]) -> None:
        assert told(as_user(lambda attempt: _store_probe_file.look(attempt, [marker]))) == []

    def test_not_seen(self, marker: dict[str, str], place: Path) -> None:
        os.unlink(marker["path"])
        report = as_user(lambda attempt: _store_probe_file.look(attempt, [marker, marker]))
        what = f"what rack/1 wrote in {place} cannot be read: No such file or directory"
        assert told(report) == [("GLS-168", what)] * 2

    def test_not_to_be_read(self, marker: dict[str, str]) -> None:
        Path(marker["path"]).chmod(0)
        ((code, what),) = told(as_user(lambda attempt: _store_probe_file.look(attempt, [marker])))
        assert code == "GLS-168"
        assert what.endswith("cannot be read: Permission denied")

    def test_empty(self, marker: dict[str, str]) -> None:
        Path(marker["path"]).write_text("")
        ((code, what),) = told(as_user(lambda attempt: _store_probe_file.look(attempt, [marker])))
        assert code == "GLS-168"
        assert what.endswith("cannot be read: it is empty")

    def test_removed(self, marker: dict[str, str], place: Path) -> None:
        for _time in range(2):
            assert told(as_user(lambda attempt: _store_probe_file.remove(attempt, [marker]))) == []
        assert list(place.iterdir()) == []
