# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Which mounts are something else than what the operator wrote."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _probe_mount
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_mount import Mount, is_something_else

FSID = "5f3c1b0e-7a52-4f0b-9c1d-2e6f8a4b9d30"


@pytest.mark.parametrize(
    ("mounted", "wanted"),
    [
        (("nfs:/a/b", "nfs4"), ("nfs:/a/b", "nfs4")),
        (("nfs:/a/b", "nfs4"), ("NFS.:/a//b/", "nfs")),
        (("nfs:/", "nfs4"), ("nfs:/", "nfs4")),
        (("[fd00::1]:/a", "nfs"), ("[fd00::1]:/a", "nfs4")),
        (("//Server/share", "cifs"), (r"\\server\share\ ".strip(), "smb3")),
        (("192.0.2.1:6789:/a", "ceph"), ("mon-1,mon-2:/a/", "ceph")),
        ((f"glance@{FSID}.fs=/a", "ceph"), ("glance@.fs=/a", "ceph")),
        ((f"glance@{FSID}.fs=/a", "ceph"), ("mon-1:/a", "ceph")),
        # What cannot be compared.
        (("/dev/vda1", "ext4"), ("UUID=1234", "ext4")),
        (("tmpfs", "tmpfs"), ("x", "fuse.glusterfs")),
    ],
)
def test_the_same(mounted: tuple[str, str], wanted: tuple[str, str]) -> None:
    assert not is_something_else(Mount("/srv", *mounted), *wanted, "rw")


@pytest.mark.parametrize(
    ("mounted", "wanted"),
    [
        (("nfs:/a", "nfs4"), ("nfs-2:/a", "nfs4")),
        (("nfs:/a", "nfs4"), ("nfs:/b", "nfs4")),
        (("/dev/vda1", "ext4"), ("nfs:/a", "nfs4")),
        (("[fd00::1]:/a", "nfs"), ("[fd00::2]:/a", "nfs")),
        (("//server/share", "cifs"), ("//server/other", "cifs")),
        (("nfs:/a", "nfs4"), ("//nfs/a", "cifs")),
        (("192.0.2.1:6789:/a", "ceph"), ("mon-1,mon-2:/b", "ceph")),
        ((f"glance@{FSID}.fs=/a", "ceph"), ("glance@.fs-2=/a", "ceph")),
        ((f"glance@{FSID}.fs=/a", "ceph"), ("nova@.fs=/a", "ceph")),
        ((f"glance@{FSID}.fs=/a", "ceph"), (f"glance@{FSID[::-1]}.fs=/a", "ceph")),
    ],
)
def test_something_else(mounted: tuple[str, str], wanted: tuple[str, str]) -> None:
    assert is_something_else(Mount("/srv", *mounted), *wanted, "rw")


@pytest.mark.parametrize(("kind", "options"), [("none", "bind"), ("none", "rw,rbind"), ("bind", "rw")])
def test_a_bind_mount_is_the_directory_itself(tmp_path: Path, kind: str, options: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    os.symlink("one", tmp_path / "link")
    mount = Mount(str(tmp_path / "one"), "/dev/vda1", "ext4")
    assert not is_something_else(mount, str(tmp_path / "link"), kind, options)
    assert is_something_else(mount, str(tmp_path / "other"), kind, options)
    assert is_something_else(mount, str(tmp_path / "gone"), kind, options)
    (tmp_path / "file").touch()
    # A source that cannot be looked at is not compared.
    assert not is_something_else(mount, str(tmp_path / "file/x"), kind, options)


class TestTable:
    @pytest.fixture
    def table(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., None]:
        """Return a function that writes the table of mounts."""

        def write(*lines: str) -> None:
            path = tmp_path / "mountinfo"
            path.write_text("".join(f"{line}\n" for line in lines))
            monkeypatch.setattr(_probe_mount, "MOUNT_TABLE", str(path))

        return write

    def test_the_last_one_is_seen(self, table: t.Callable[..., None]) -> None:
        table(
            "41 22 0:44 / /srv rw - autofs systemd-1 rw",
            "42 22 0:44 / /srv rw shared:1 master:2 - nfs4 nfs:/a rw",
            "43 22 0:44 / /srv rw - nfs4 nfs:/b rw",
            "44 22 0:44 / /srv/x rw - nfs4 nfs:/c rw",
        )
        assert _probe_mount.mounted_on("/srv") == Mount("/srv", "nfs:/b", "nfs4")

    def test_a_part_of_a_file_system_is_named(self, table: t.Callable[..., None]) -> None:
        table("41 22 0:44 /srv/a /srv/b rw - ext4 /dev/vda1 rw")
        mount = _probe_mount.mounted_on("/srv/b")
        assert mount is not None
        assert mount.words == "/dev/vda1[/srv/a] (ext4)"

    def test_nothing(self, table: t.Callable[..., None]) -> None:
        table("41 22 0:44 / /srv rw - autofs systemd-1 rw")
        assert _probe_mount.mounted_on("/srv") is None

    def test_names_with_spaces_and_without_a_source(self, table: t.Callable[..., None]) -> None:
        table(r"41 22 0:44 / /srv/a\040b rw - nfs4 nfs:/a\134b rw", "42 22 0:44 / /srv/c rw - tmpfs  rw")
        assert _probe_mount.mounted_on("/srv/a b") == Mount("/srv/a b", "nfs:/a\\b", "nfs4")
        assert _probe_mount.mounted_on("/srv/c") == Mount("/srv/c", "", "tmpfs")
