# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What is mounted on a directory, and whether that is something else than what should be.

A source that the kernel or a mount helper may spell in another way than the operator is not compared.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import normal_path

MOUNT_TABLE = "/proc/self/mountinfo"
FAMILIES = (("nfs", "nfs4"), ("ceph",), ("cifs", "smb3"))
"""The types of file systems whose sources can be compared, with those that stand for each other."""


class Mount(t.NamedTuple):
    """A line of the table of mounts.

    :param root: which directory of the file system is mounted.
    """

    point: str
    source: str
    kind: str
    root: str = "/"

    @property
    def words(self) -> str:
        """What is mounted, as findmnt shows it, for people."""
        part = "" if self.root == "/" else f"[{self.root}]"
        return f"{self.source}{part} ({self.kind})"


def mounted_on(point: str) -> t.Optional[Mount]:
    """Return what is mounted on a directory, the last where there are several, or None."""
    with open(MOUNT_TABLE, encoding="utf-8", errors="surrogateescape") as file:
        mounts = [_mount(line) for line in file.read().splitlines()]
    found = [mount for mount in mounts if mount.point == point and mount.kind != "autofs"]
    return found[-1] if found else None


def _mount(line: str) -> Mount:
    fields, _separator, rest = line.partition(" - ")
    kind, source = rest.split(" ")[:2]
    root, point = fields.split(" ")[3:5]
    return Mount(_unescaped(point), _unescaped(source), kind, _unescaped(root))


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda digits: chr(int(digits.group(1), 8)), path)


def is_something_else(mount: Mount, source: str, kind: str, options: str) -> bool:
    """Tell whether a mount cannot be of this source, type and options."""
    if kind in ("bind", "rbind") or {"bind", "rbind"} & set(options.split(",")):
        return not _same_directory(source, mount.point)
    family: tuple[str, ...] = next((family for family in FAMILIES if kind in family), ())
    if not family:
        return False
    return mount.kind not in family or not _same_source(family[0], mount.source, source)


def _same_directory(one: str, other: str) -> bool:
    try:
        return os.path.samestat(os.stat(one), os.stat(other))
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _same_source(kind: str, one: str, other: str) -> bool:
    if kind == "cifs":
        return _share(one) == _share(other)
    if kind == "ceph":
        return _ceph(one, other)
    return _export(one) == _export(other)


def _share(source: str) -> str:
    return source.replace("\\", "/").rstrip("/").lower()


def _export(source: str) -> tuple[str, str]:
    host, _separator, path = source.partition(":/")
    return host.lower().rstrip("."), normal_path(f"/{path}")


def _ceph(one: str, other: str) -> bool:
    # user@fsid.name=/path, where mount.ceph adds a missing fsid; before, monitors:/path, with addresses for names.
    (server, path), (other_server, other_path) = _split(one), _split(other)
    if "@" in server and "@" in other_server:
        user, _at, cluster = server.partition("@")
        other_user, _at, other_cluster = other_server.partition("@")
        fsid, _dot, name = cluster.rpartition(".")
        other_fsid, _dot, other_name = other_cluster.rpartition(".")
        if (user, name) != (other_user, other_name) or (fsid and other_fsid and fsid != other_fsid):
            return False
    return path == other_path


def _split(source: str) -> tuple[str, str]:
    server, _separator, path = re.sub(r"[:=]/", "\n", source, count=1).partition("\n")
    return server, normal_path(f"/{path}")
