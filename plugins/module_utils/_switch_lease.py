# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The right of one run to switch stores or to upgrade: a file on every controller that says who has it.

The controllers are what all runs share, wherever they are started. The file keeps out runs on other control nodes, and
runs of another switch or upgrade; whether a run on the same control node still lives, its processes tell.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import getpass
import json
import os
import socket
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

Holder = dict[str, t.Any]

LEASE = "lease.json"
LOCK = "lease.lock"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
MACHINE_ID = "/etc/machine-id"
NAMESPACE = "/proc/self/ns/pid"
WHO = ("host", "machine", "process", "begun")
"""What tells one run from another."""
NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC


# --- on the control node ----------------------------------------------------------------------------------------------


def holder_of(process: int, what: str) -> Holder:
    """Return who a run is.

    :param process: its process.
    :param what: what it is at, for people.
    """
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    return {
        "host": socket.gethostname(),
        "machine": machine(),
        "process": process,
        "begun": begin_of(process) or "",
        "user": _user(),
        "what": what,
        "since": now.replace("+00:00", "Z"),
    }


def machine() -> str:
    """Return what tells machines of the same name apart, and the containers of one machine; nothing known is ""."""
    found = []
    with contextlib.suppress(OSError), open(MACHINE_ID, encoding="ascii", errors="replace") as file:
        found.append(file.read().strip())
    # The number of a process means nothing beyond its namespace.
    with contextlib.suppress(OSError):
        found.append(str(os.stat(NAMESPACE).st_ino))
    return "/".join(found)


def begin_of(process: int) -> t.Optional[str]:
    """Return when a process was started, in a form to compare; nothing known is "", and None means that it is gone."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        with (
            open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file,
            open(BOOT_ID, encoding="ascii") as boot,
        ):
            # What is in the parentheses is the name of the program, and may hold anything.
            return f"{boot.read().strip()}/{file.read().rpartition(')')[2].split()[19]}"
    except OSError:
        # A system without /proc, or one that hides the processes of others: only its number is known.
        return ""


def is_alive(holder: Holder) -> t.Optional[bool]:
    """Tell whether a run still lives; None when it cannot be told: it was started on another machine."""
    # A lease of a version that did not write down the machine: any of this name may be meant.
    if holder.get("host") != socket.gethostname() or holder.get("machine") != machine():
        return None
    begun, noted = begin_of(int(holder["process"])), holder.get("begun")
    if begun is None:
        return False
    return not begun or not noted or begun == noted


def refusal(holder: Holder, heard: str, variable: str = "glance_switch_take_over") -> GlanceError:
    """Return the error of a run that has to wait for another one.

    :param variable: the one with which an operator lets a run take over.
    """
    who = f"{holder.get('user')} on {holder.get('host')} (process {holder.get('process')})"
    answer = f"{who} has been at it since {holder.get('since')}: {holder.get('what')}; last heard of at {heard}"
    if is_alive(holder):
        remedy = "wait until that run has ended, or end it with Ctrl-C"
    else:
        remedy = (
            "wait until that run has ended. If it has ended for certain, as with a control node that is gone, take over"
            f" with -e {variable}=true"
        )
    doing = "switching stores or upgrading, of which one run at a time is possible"
    return GlanceError(doing, answer=answer, remedy=remedy)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A user without a name, as in a container.
        return str(os.getuid())


# --- on a controller --------------------------------------------------------------------------------------------------


class Lease:
    """The file on one controller.

    :param directory: where it is; it is made when the lease is taken.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self.path = os.path.join(directory, LEASE)

    def holder(self) -> Holder:
        """Return who has the lease; nobody is an empty dictionary.

        :raises GlanceError: when the file cannot be read.
        """
        try:
            with open(self.path, encoding="utf-8") as file:
                found = json.load(file)
        except FileNotFoundError:
            return {}
        except ValueError:
            # Torn by a full disk: whoever wrote it could not go on either.
            return {}
        except OSError as error:
            raise GlanceError(f"reading {self.path}", answer=str(error.strerror or error)) from error
        return found if isinstance(found, dict) else {}

    def heard(self) -> str:
        """Return when something was last written for a switch on this controller."""
        times = [0.0]
        for path, _directories, names in os.walk(self._directory):
            for name in names:
                with contextlib.suppress(OSError):
                    times.append(os.stat(os.path.join(path, name)).st_mtime)
        moment = datetime.datetime.fromtimestamp(max(times), datetime.timezone.utc)
        return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

    def take(self, holder: Holder, over: t.Optional[Holder], group: int = -1) -> Holder:
        """Take the lease, and return who has it now: ``holder``, or somebody else who had it before.

        :param over: from whom it may be taken.
        :raises GlanceError: when the file cannot be written.
        """
        with self._written(), self._locked(group) as directory:
            found = self.holder()
            if found and not is_same(found, holder) and not (over and is_same(found, over)):
                return found
            self._write(holder, group, directory)
        return holder

    def release(self, holder: Holder) -> bool:
        """Give the lease up, and tell whether it was held.

        :raises GlanceError: when the file cannot be removed.
        """
        if not is_same(self.holder(), holder):
            return False
        with self._written(), self._locked() as directory:
            if is_same(self.holder(), holder):
                os.unlink(LEASE, dir_fd=directory)
        return True

    def _write(self, holder: Holder, group: int, directory: int) -> None:
        new = f"{LEASE}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new, dir_fd=directory)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, 0o640, dir_fd=directory)
        with open(handle, "w", encoding="utf-8") as file:
            os.fchown(handle, -1, group)
            json.dump(holder, file)
            file.write("\n")
            file.flush()
            os.fsync(handle)
        os.replace(new, LEASE, src_dir_fd=directory, dst_dir_fd=directory)

    @contextlib.contextmanager
    def _locked(self, group: int = -1) -> t.Iterator[int]:
        """Let nobody else write, and yield the directory, opened: it is renamed by whoever owns the one above."""
        with self._opened(group) as directory:
            handle = os.open(LOCK, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600, dir_fd=directory)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield directory
            finally:
                os.close(handle)

    @contextlib.contextmanager
    def _opened(self, group: int) -> t.Iterator[int]:
        is_new = not os.path.isdir(self._directory)
        if is_new:
            os.makedirs(self._directory, mode=0o750)
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | NO_LINK)
        try:
            self._refuse_foreign(directory)
            if is_new:
                os.fchown(directory, -1, group)
            yield directory
        finally:
            os.close(directory)

    def _refuse_foreign(self, directory: int) -> None:
        # The directory above is Glance's: what it puts in the place of this one must not be written through.
        owner = os.fstat(directory).st_uid
        if owner != os.geteuid():
            raise GlanceError(
                f"writing {self.path}",
                answer=f"its directory is owned by the user {owner}, who could put links there, and not by root",
                remedy=f"look who has changed it, and let root own it: chown -R root {self._directory}",
            )

    @contextlib.contextmanager
    def _written(self) -> t.Iterator[None]:
        try:
            yield
        except OSError as error:
            remedy = "make room for it, or clear away what is in its place, and run again: it goes on where it stood"
            raise GlanceError(f"writing {self.path}", answer=str(error.strerror or error), remedy=remedy) from error


def is_same(one: Holder, other: Holder) -> bool:
    """Tell whether both are the same run."""
    return bool(one) and all(one.get(key) == other.get(key) for key in WHO)
