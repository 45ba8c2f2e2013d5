# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Tries stores of the type file: their directories, whether they are mounted, and whether the nodes share them."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import typing as t
from urllib.parse import quote

from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import reason
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_mount import is_something_else, mounted_on
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_file import FILE, mount_point, mount_unit
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    Meaning,
    ProbeError,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import normal_path

MARKER = ".openstack-ops-shared-"
CODES = {
    errno.EACCES: "GLS-164",
    errno.EPERM: "GLS-164",
    errno.ENOENT: "GLS-165",
    errno.ENOTDIR: "GLS-165",
    errno.ENOSPC: "GLS-167",
    errno.EDQUOT: "GLS-167",
    errno.EROFS: "GLS-167",
    errno.ESTALE: "GLS-161",
    errno.ETIMEDOUT: "GLS-161",
    errno.EIO: "GLS-161",
    errno.EHOSTDOWN: "GLS-161",
}


def probe(attempt: Attempt) -> None:
    """Write, read and delete a file in each directory."""
    if attempt.values["mount"] is not None:
        _mounted(attempt, mount_point(attempt.values))
    devices: set[int] = set()
    for path in map(normal_path, FILE.directories(attempt.values)):
        _directory(attempt, path, devices)


def _mounted(attempt: Attempt, point: str) -> None:
    with attempt.step(f"looking whether {point} is mounted"), contextlib.suppress(OSError):
        # What is mounted on demand is mounted now.
        os.scandir(point).close()
    if not mounted_as_wanted(attempt):
        if not attempt.write:
            raise ProbeError("GLS-166", f"{point} is not mounted yet", tried=False)
        raise ProbeError("GLS-166", f"nothing is mounted on {point}: images would land on the node's own disk")


def look_at_mount(attempt: Attempt) -> None:
    """Look whether something else is mounted where the store's file system is going to be."""
    mounted_as_wanted(attempt)


def mounted_as_wanted(attempt: Attempt) -> bool:
    """Tell whether something is mounted for the store, and raise when it is something else than the options say."""
    wanted, point = attempt.values["mount"], mount_point(attempt.values)
    found = mounted_on(point)
    if found is None:
        return False
    attempt.report.mounted = point
    with attempt.step(f"looking at what is mounted on {point}"):
        wrong = is_something_else(found, wanted["source"], wanted["fstype"], wanted["options"])
    if wrong:
        raise ProbeError(
            "GLS-166",
            f"{point} is mounted from {found.words}, and mount says {wanted['source']} ({wanted['fstype']})",
            "correct mount, or look at what else mounts something there (/etc/fstab); to change over, copy the images"
            f" to the new source, run systemctl stop '{mount_unit(point)}', which stops glance-api first, and then the"
            " playbook again",
        )
    attempt.note(f"{point} is mounted from {found.words}")
    return True


def _directory(attempt: Attempt, path: str, devices: set[int]) -> None:
    meaning = functools.partial(_meaning, path=path)
    with attempt.step(f"looking at the directory {path}", meaning):
        if not attempt.write and not os.path.lexists(path):
            raise ProbeError("GLS-165", f"the directory {path} is not there yet", tried=False)
        status, space = os.stat(path), os.statvfs(path)
        os.scandir(path).close()
    if status.st_dev not in devices:
        devices.add(status.st_dev)
        attempt.report.room(space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize)
    if attempt.write:
        _write(attempt, f"{path}/{attempt.name}", meaning)
    elif not os.access(path, os.W_OK | os.X_OK):
        number = errno.EROFS if space.f_flag & os.ST_RDONLY else errno.EACCES
        with attempt.step(f"looking whether Glance's user may write in the directory {path}", meaning):
            raise OSError(number, os.strerror(number))


def _write(attempt: Attempt, path: str, meaning: Meaning) -> None:
    what = f"the file {path}"
    with attempt.step(f"making {what}", meaning):
        open(path, "xb").close()
    with attempt.existing(what, lambda: os.unlink(path), meaning):
        with attempt.step(f"writing {what}", meaning), open(path, "wb") as file:
            file.write(attempt.content)
            file.flush()
            os.fsync(file)
            # What is read has to come from the disk or the server.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        attempt.meanwhile()
        with attempt.step(f"reading {what}", meaning), open(path, "rb") as file:
            attempt.compare(what, file.read())


def _meaning(error: BaseException, path: str) -> t.Optional[tuple[str, str]]:
    number = getattr(error, "errno", None)
    if number not in CODES:
        return None
    return CODES[number], _advice(number, path)


def _advice(number: int, path: str) -> str:
    if number in (errno.EACCES, errno.EPERM):
        return f"let Glance's user write there; {_owner(path)}"
    if number == errno.EROFS:
        return "mount the file system read-write; if the kernel made it read-only, find out why first (dmesg)"
    if number == errno.ENOSPC:
        return f"free or add space or inodes, or choose another file system; {_room(path)}"
    return ""


def _owner(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError as error:
        return f"{path}: {reason(error)}"
    return f"{path} has owner {status.st_uid}, group {status.st_gid}, mode {status.st_mode & 0o7777:04o}"


def _room(path: str) -> str:
    space = os.statvfs(path)
    return f"{space.f_bavail * space.f_frsize} bytes and {space.f_favail} inodes are free"


def probe_and_mark(attempt: Attempt, node: str) -> None:
    """Try the store, and leave in each directory a marker for the other nodes."""
    probe(attempt)
    for path in map(normal_path, FILE.directories(attempt.values)):
        marker = f"{path}/{MARKER}{attempt.name[-36:]}-{quote(node, safe='')}"
        # Before the step, which reports it: a process that is given up may have written it.
        attempt.report.markers.append(marker)
        with (
            attempt.step(f"writing the marker {marker}", functools.partial(_meaning, path=path)),
            open(marker, "x", encoding="utf-8") as file,
        ):
            file.write(node)


def look(attempt: Attempt, markers: t.Sequence[t.Mapping[str, str]]) -> None:
    """Look whether this node sees what others wrote.

    Each marker is opened by its name, which nobody asked for before: a client of NFS may list a directory as it was
    half a minute ago, but it cannot know that a name it never heard of is missing.
    """
    for marker in markers:
        path, name = os.path.split(marker["path"])
        try:
            with (
                attempt.step(f"looking for the marker {name} in {path}"),
                open(marker["path"], encoding="utf-8") as file,
            ):
                missing = "" if file.read() == marker["node"] else "it is empty"
        except ProbeError as error:
            missing = reason(error.__cause__ or error)
        if missing:
            attempt.report.problem("GLS-168", f"what {marker['node']} wrote in {path} cannot be read: {missing}")


def remove(attempt: Attempt, markers: t.Sequence[t.Mapping[str, str]]) -> None:
    """Remove markers; where the directory is shared, another node may have been faster."""
    for marker in markers:
        with attempt.step(f"deleting the marker {marker['path']}"), contextlib.suppress(FileNotFoundError):
            os.unlink(marker["path"])
