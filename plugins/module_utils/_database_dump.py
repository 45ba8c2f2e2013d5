# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""A dump of Glance's database: complete under its name, or not there. No command line and no file has the password."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import subprocess
import tempfile
import time
import typing as t
import zlib
from dataclasses import dataclass

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import stoppable

PROGRAMS = ("mariadb-dump", "mysqldump")
COMPLETE = b"-- Dump completed"
"""The beginning of the last line of a dump, without which it was broken off."""
BLOCK = 1 << 20
GZIP = 16 + zlib.MAX_WBITS
SUFFIX = ".sql.gz"
PARTIAL = ".part"
CAUSES = (
    ("1045", "the account may not log in from this node, or its password is another one"),
    ("1044", "the account lacks a privilege on the database"),
    ("2002", "the server cannot be reached"),
    ("No space left", "the file system is full"),
)


@dataclass(frozen=True)
class Wanted:
    """The dump that shall be there.

    :param database: how to log in, with the names of the module's option ``database``.
    """

    path: str
    database: t.Mapping[str, t.Any]
    timeout: int


def option_file(database: t.Mapping[str, t.Any]) -> str:
    """Return what the programs of MariaDB and MySQL read as an option file."""
    names = {
        "host": "host",
        "port": "port",
        "unix_socket": "socket",
        "user": "user",
        "password": "password",
        "ca_cert": "ssl-ca",
        "client_cert": "ssl-cert",
        "client_key": "ssl-key",
    }
    options = [(name, database.get(option)) for option, name in names.items()]
    lines = [f"{name}={_quoted(str(value))}" for name, value in options if value not in (None, "")]
    return "\n".join(["[client]", *lines, ""])


def _quoted(value: str) -> str:
    # Within quotes a # is no comment, and both programs read these two escapes the same way.
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Program(t.NamedTuple):
    """What dumps: MariaDB's has other options for TLS than MySQL's, under either name."""

    path: str
    is_maria: bool


def program() -> Program:
    """Return the program that dumps.

    :raises GlanceError: when the node has none.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not found:
        raise GlanceError(
            "looking for a program that dumps a database",
            answer=f"there is neither {' nor '.join(PROGRAMS)}",
            remedy="install the client of MariaDB or MySQL (mariadb-client on Debian)",
        )
    told = subprocess.run([found, "--version"], check=False, capture_output=True, text=True)  # noqa: S603 (no shell)
    return Program(found, "MariaDB" in told.stdout)


def _tls(dumper: Program, database: t.Mapping[str, t.Any]) -> list[str]:
    if not database.get("ca_cert"):
        # From 11.4 on, MariaDB's verifies unless it is told not to, and refuses a server without TLS.
        return ["--skip-ssl-verify-server-cert"] if dumper.is_maria else []
    if database.get("check_hostname") is False:
        return ["--ssl"] if dumper.is_maria else ["--ssl-mode=VERIFY_CA"]
    return ["--ssl-verify-server-cert"] if dumper.is_maria else ["--ssl-mode=VERIFY_IDENTITY"]


def arguments(dumper: Program, database: t.Mapping[str, t.Any], options: str) -> list[str]:
    """Return the command line, in which nothing is secret.

    :param options: the path of the option file.
    """
    return [
        dumper.path,
        # Read before anything else, and nothing else: the options of a root user have no say.
        f"--defaults-file={options}",
        *_tls(dumper, database),
        # One moment of the database, while Glance goes on writing.
        "--single-transaction",
        "--quick",
        "--triggers",
        # Tablespaces are asked for with a privilege that Glance's account has no need of.
        "--no-tablespaces",
        *([] if dumper.is_maria else ["--set-gtid-purged=OFF"]),
        # The dump makes the database anew, so that no table of a newer schema is left beside those of the old one.
        "--add-drop-database",
        "--databases",
        str(database["name"]),
    ]


def existing(path: str) -> dict[str, t.Any]:
    """Return what is known of the dump that is there; nothing where there is none."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    moment = datetime.datetime.fromtimestamp(status.st_mtime, datetime.timezone.utc)
    return {"bytes": status.st_size, "made": moment.isoformat(timespec="seconds").replace("+00:00", "Z")}


def run(wanted: Wanted, check_mode: bool) -> dict[str, t.Any]:
    """Make the dump, and return what the module returns.

    :raises GlanceError: when it cannot be made.
    """
    there = existing(wanted.path)
    difference = Difference()
    difference.compare("dump", there.get("made"), "made anew" if there else "made")
    started = time.monotonic()
    earlier = _earlier(wanted.path, there["made"]) if there else ""
    if not check_mode:
        dumper = program()
        with stoppable():
            _make(dumper, wanted, earlier)
        there = existing(wanted.path)
    return {
        "changed": True,
        "diff": difference.as_diff(),
        "path": wanted.path,
        "earlier": earlier,
        "bytes": there.get("bytes", 0),
        "made": there.get("made", ""),
        "seconds": round(time.monotonic() - started, 1),
    }


def _earlier(path: str, made: str) -> str:
    """Return the name under which a dump is kept when a newer one takes its name."""
    return f"{path[: -len(SUFFIX)] if path.endswith(SUFFIX) else path}.{made}{SUFFIX}"


def _make(dumper: Program, wanted: Wanted, earlier: str) -> None:
    """Write beside the name, and give it the name when it is complete and on the disk.

    :param earlier: the name for the dump that has this one now.
    """
    partial = wanted.path + PARTIAL
    try:
        os.makedirs(os.path.dirname(wanted.path), mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:
            _dump(dumper, wanted, file)
            file.flush()
            os.fsync(file.fileno())
        if earlier:
            os.replace(wanted.path, earlier)
        os.replace(partial, wanted.path)
        _sync_directory(wanted.path)
    except OSError as error:
        raise GlanceError(
            f"writing {wanted.path}", answer=str(error.strerror or error), remedy="make room, or name another directory"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(partial)


def _sync_directory(path: str) -> None:
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _dump(dumper: Program, wanted: Wanted, file: t.BinaryIO) -> None:
    doing = f"dumping the database {wanted.database['name']} with {os.path.basename(dumper.path)}"
    with _secret_file(option_file(wanted.database)) as options, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 (no shell)
            arguments(dumper, wanted.database, f"/proc/self/fd/{options}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=[options],
            # The environment may name another server, or hold a password.
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )
        with _ended(process, wanted.timeout) as late:
            end = _compress(t.cast("t.IO[bytes]", process.stdout), file)
            code = process.wait()
        errors.seek(0)
        text = errors.read().decode("utf-8", errors="replace").strip()
    if late or code or not end.lstrip().startswith(COMPLETE):
        answer = f"it was ended after {wanted.timeout} seconds" if late else text or f"exit code {code}, and no end"
        cause = next((cause for sign, cause in CAUSES if sign in text), "")
        raise GlanceError(doing, answer=answer[-500:], cause=cause, remedy="mend it; nothing was upgraded yet")


@contextlib.contextmanager
def _secret_file(text: str) -> t.Iterator[int]:
    """Yield the descriptor of a file that has no name, and is gone with the last process that has it open."""
    handle = os.memfd_create("options", os.MFD_CLOEXEC)
    try:
        # What all may write is not read as an option file.
        os.fchmod(handle, 0o600)
        os.write(handle, text.encode())
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes], timeout: int) -> t.Iterator[list[bool]]:
    """Let the process live no longer than that, nor longer than what is done with it."""
    late: list[bool] = []

    def end(_number: int, _frame: t.Any) -> None:
        late.append(True)
        process.kill()

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(timeout)
    try:
        yield late
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        if process.poll() is None:
            process.kill()
            process.wait()


def _compress(source: t.IO[bytes], target: t.BinaryIO) -> bytes:
    """Compress everything, and return the last line of what was read."""
    packer = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    tail = b""
    for block in iter(lambda: source.read(BLOCK), b""):
        target.write(packer.compress(block))
        tail = (tail + block)[-4096:]
    target.write(packer.flush())
    return tail.rstrip().rpartition(b"\n")[2]
