# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Tries, as Glance's user, whether the directories that Glance writes in can be used."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import pwd
import stat
import subprocess
import sys
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome

MODE = 0o750
"""What the directories of Glance are closed with."""


@dataclasses.dataclass(frozen=True)
class Account:
    """The user that Glance runs as. Without ids, its rights cannot be tried."""

    name: str
    uid: t.Optional[int] = None
    gid: t.Optional[int] = None
    groups: tuple[int, ...] = ()
    exists: bool = False


@dataclasses.dataclass(frozen=True)
class Directory:
    """A directory that Glance writes in."""

    path: str
    purpose: str = ""
    minimum_free: int = 0


def account(name: str, uid: t.Optional[int]) -> Account:
    """Return the user of that name, or, where there is none yet, one with the id that it is going to have."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return Account(name, uid, uid)
    return Account(name, user.pw_uid, user.pw_gid, tuple(os.getgrouplist(name, user.pw_gid)), exists=True)


def look_at(path: str) -> dict[str, t.Any]:
    """Return what a user sees of a directory, or of the nearest directory above it.

    Its source is run in a process of its own, as the user in question: it may use what SCRIPT imports, and no more.
    """
    existing = path
    seen: dict[str, t.Any] = {"error": None}
    while True:
        try:
            status = os.stat(existing)
            break
        except FileNotFoundError:
            existing = os.path.dirname(existing)
        except OSError as error:
            return {"error": error.strerror, "existing": existing}
    space = os.statvfs(existing)
    seen["existing"] = existing
    seen["is_directory"] = stat.S_ISDIR(status.st_mode)
    seen["writable"] = os.access(existing, os.W_OK | os.X_OK)
    seen["reachable"] = os.access(existing, os.X_OK)
    seen["read_only"] = bool(space.f_flag & os.ST_RDONLY)
    seen["free"] = space.f_bavail * space.f_frsize
    seen["uid"], seen["gid"], seen["mode"] = status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)
    return seen


# Read once, before there are threads: inspect gives "could not get source code" when two of them read at a time.
LOOK_AT = inspect.getsource(look_at)
SCRIPT = """
from __future__ import annotations
import json, os, stat, sys
{source}
path, uid, gid, groups = json.loads(sys.argv[1])
if uid is not None:
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
print(json.dumps(look_at(path)))
"""
"""The user is changed after the start, for an interpreter may lie where only root can read it."""


def directory(outcome: Outcome, deadline: Deadline, wanted: Directory, user: str, uid: t.Optional[int] = None) -> None:
    """Try as Glance's user whether a directory can be used, or can be made.

    :param uid: the id that the user is going to have where it does not exist yet.
    """
    name = f"{wanted.path} ({wanted.purpose})" if wanted.purpose else wanted.path
    seen = _look_as(wanted.path, None, deadline)
    if seen is None:
        outcome.skip("GLS-150", f"{name} could not be looked at")
        return
    outcome.facts["directories"] = [_directory_facts(wanted.path, seen)]
    _judge_place(outcome, name, wanted, seen)
    if seen["error"] or not seen["is_directory"] or seen["read_only"]:
        return
    owner = account(user, uid)
    outcome.facts["user"] = {"name": owner.name, "uid": owner.uid, "gid": owner.gid, "exists": owner.exists}
    if owner.uid is None:
        outcome.skip("GLS-150", f"{name}: the user {user} does not exist yet")
        return
    _judge_rights(outcome, name, wanted, owner, _look_as(wanted.path, owner, deadline))


def all_settled(facts: t.Mapping[str, t.Any], paths: t.Collection[str]) -> bool:
    """Tell whether every directory is there, of Glance's user, and closed to others.

    :param paths: the directories. One that could not be looked at is not among the facts.
    """
    user, found = facts.get("user", {}), facts.get("directories", [])
    wanted = (True, True, user.get("uid"), user.get("gid"), MODE)
    good = {
        one["path"]
        for one in found
        if (one["exists"], one.get("is_directory"), one.get("uid"), one.get("gid"), one.get("mode")) == wanted
    }
    return bool(paths and user.get("exists")) and good.issuperset(paths)


def _look_as(path: str, user: t.Optional[Account], deadline: Deadline) -> t.Optional[dict[str, t.Any]]:
    """Look at a directory in a process that can be given up when a mount hangs; None when that was not possible."""
    other = user if user is not None and user.uid != os.geteuid() else Account("")
    order = json.dumps([path, other.uid, other.gid, other.groups])
    command = [sys.executable, "-I", "-S", "-c", SCRIPT.format(source=LOOK_AT), order]
    try:
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/"
        )
        answer, _errors = process.communicate(timeout=deadline.left())
        found: dict[str, t.Any] = json.loads(answer)
        return found
    except subprocess.TimeoutExpired:
        process.kill()
        return None
    except (OSError, ValueError):
        return None


def _directory_facts(path: str, seen: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"path": path, "exists": seen["existing"] == path and not seen["error"], **seen}


def _judge_place(outcome: Outcome, name: str, wanted: Directory, seen: dict[str, t.Any]) -> None:
    existing = seen["existing"]
    if seen["error"]:
        outcome.problem("GLS-151", f"{name}: {existing}: {seen['error']}")
    elif not seen["is_directory"]:
        outcome.problem("GLS-151", f"{name}: {existing} is not a directory")
    elif seen["read_only"]:
        outcome.problem("GLS-152", f"{name}: the file system of {existing} is mounted read-only")
    elif existing != wanted.path and not seen["writable"] and os.geteuid() == 0:
        outcome.problem("GLS-151", f"{name}: nothing can be made in {existing}, not even by root")
    elif seen["free"] < wanted.minimum_free:
        outcome.problem(
            "GLS-153",
            f"{name}: {_mebibytes(seen['free'])} are free, and {_mebibytes(wanted.minimum_free)} are asked for",
        )


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def _judge_rights(
    outcome: Outcome, name: str, wanted: Directory, user: Account, seen: t.Optional[dict[str, t.Any]]
) -> None:
    if seen is None:
        outcome.skip("GLS-150", f"{name} could not be tried as the user {user.name}; that needs root")
        return
    who = user.name if user.exists else f"{user.name} (going to be {user.uid})"
    if seen["error"]:
        outcome.problem("GLS-150", f"{name}: {who} cannot reach {seen['existing']}: {seen['error']}")
    elif seen["existing"] != wanted.path:
        # Missing, so root is going to make it; Glance has to get there.
        if not seen["reachable"]:
            outcome.problem("GLS-150", f"{name}: {who} may not enter {seen['existing']}")
    elif not seen["writable"]:
        mode = f"owner {seen['uid']}, group {seen['gid']}, mode {seen['mode']:04o}"
        outcome.problem("GLS-150", f"{name}: {who} cannot write there ({mode})")
