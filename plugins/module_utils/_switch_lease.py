# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The right of one run to switch stores: a file on every controller that says who has it.

The controllers are what all runs share, wherever they are started. The file keeps out runs on other control nodes, and
runs of another switch; whether a run on the same control node still lives, its processes tell.
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
WHO = ("host", "process", "begun")
"""What tells one run from another."""


# --- on the control node ----------------------------------------------------------------------------------------------


def holder_of(process: int, what: str) -> Holder:
    """Return who a run is.

    :param process: its process.
    :param what: what it is at, for people.
    """
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    return {
        "host": socket.gethostname(),
        "process": process,
        "begun": begin_of(process) or "",
        "user": _user(),
        "what": what,
        "since": now.replace("+00:00", "Z"),
    }


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
        # A system without /proc: only the number of the process tells it from others.
        return ""


def is_alive(holder: Holder) -> t.Optional[bool]:
    """Tell whether a run still lives; None when it was started on another host."""
    if holder.get("host") != socket.gethostname():
        return None
    begun = begin_of(int(holder["process"]))
    return begun is not None and begun == holder.get("begun")


def refusal(holder: Holder, heard: str) -> GlanceError:
    """Return the error of a run that has to wait for another one."""
    who = f"{holder.get('user')} on {holder.get('host')} (process {holder.get('process')})"
    answer = f"{who} has been at it since {holder.get('since')}: {holder.get('what')}; last heard of at {heard}"
    if is_alive(holder):
        remedy = "wait until that run has ended, or end it with Ctrl-C"
    else:
        remedy = (
            "wait until that run has ended. If it has ended for certain, as with a control node that is gone, take over"
            " with -e glance_switch_take_over=true"
        )
    return GlanceError("switching stores, of which one run at a time is possible", answer=answer, remedy=remedy)


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
        with self._written(), self._locked(group):
            found = self.holder()
            if found and not is_same(found, holder) and not (over and is_same(found, over)):
                return found
            self._write(holder, group)
        return holder

    def release(self, holder: Holder) -> bool:
        """Give the lease up, and tell whether it was held.

        :raises GlanceError: when the file cannot be removed.
        """
        if not is_same(self.holder(), holder):
            return False
        with self._written(), self._locked():
            if is_same(self.holder(), holder):
                os.unlink(self.path)
        return True

    def _write(self, holder: Holder, group: int) -> None:
        temporary = f"{self.path}.new"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        with open(handle, "w", encoding="utf-8") as file:
            os.fchown(handle, -1, group)
            json.dump(holder, file)
            file.write("\n")
            file.flush()
            os.fsync(handle)
        os.replace(temporary, self.path)

    @contextlib.contextmanager
    def _locked(self, group: int = -1) -> t.Iterator[None]:
        if not os.path.isdir(self._directory):
            os.makedirs(self._directory, mode=0o750)
            os.chown(self._directory, -1, group)
        handle = os.open(os.path.join(self._directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _written(self) -> t.Iterator[None]:
        try:
            yield
        except OSError as error:
            remedy = "make room for it, and run again: it goes on where it stood"
            raise GlanceError(f"writing {self.path}", answer=str(error.strerror or error), remedy=remedy) from error


def is_same(one: Holder, other: Holder) -> bool:
    """Tell whether both are the same run."""
    return bool(one) and all(one.get(key) == other.get(key) for key in WHO)
