# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Looks at a node: its name, its systemd, its packages, its ports."""

from __future__ import annotations

import dataclasses
import errno
import glob
import ipaddress
import os
import re
import shutil
import socket
import struct
import sys
import tempfile
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome, reason, run_command
from ansible_collections.openstack_ops.glance.plugins.module_utils._releases import open_advisories


def system(outcome: Outcome, deadline: Deadline, booted: str = "/run/systemd/system") -> None:
    """Look for systemd."""
    outcome.facts["python"] = ".".join(str(number) for number in sys.version_info[:3])
    outcome.facts["systemd"] = None
    if not os.path.isdir(booted):
        outcome.problem("GLS-104", "the node was not booted with systemd")
        return
    answer = run_command(["systemctl", "--version"], deadline)
    found = re.match(r"systemd (\d+)", answer.stdout) if answer else None
    outcome.facts["systemd"] = int(found.group(1)) if found else None


def host_name(outcome: Outcome, deadline: Deadline) -> None:
    """Resolve the node's own name."""
    name = socket.gethostname()
    outcome.facts["hostname"] = name
    try:
        socket.getaddrinfo(name, None)
    except OSError as error:
        outcome.problem("GLS-105", f"the host name {name!r} does not resolve on the node: {reason(error)}")


def interpreter(outcome: Outcome, deadline: Deadline, python: str, wanted: str) -> None:
    """Ask the interpreter of an installation from source for its version.

    :param wanted: ``2.7``, or the least 3.x that will do.
    """
    outcome.facts["interpreter"] = None
    answer = run_command([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], deadline)
    if answer is None or answer.returncode:
        outcome.skip("GLS-106", f"there is no {python} yet; its version shows when Glance is installed")
        return
    outcome.facts["interpreter"] = found = answer.stdout.strip()
    have, need = (tuple(int(number) for number in version.split(".")) for version in (found, wanted))
    if have[0] != need[0] or have < need:
        least = f"{wanted} or newer" if need[0] > 2 else wanted
        outcome.problem("GLS-106", f"{python} is Python {found}, and the release needs {least}")


# --- packages ---------------------------------------------------------------------------------------------------------


class Advisories(t.NamedTuple):
    """The advisories that are known, and what of the things that they are about is switched on."""

    known: t.Collection[t.Mapping[str, t.Any]] = ()
    exposed: t.Collection[str] = ()


@dataclasses.dataclass(frozen=True)
class Packages:
    """The package that is wanted, and from which release.

    :param offered: whether the node has the package source already.
    """

    name: str
    release: str = ""
    releases: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    advisories: Advisories = dataclasses.field(default_factory=Advisories)
    offered: bool = True

    def number_of(self, version: t.Optional[str]) -> t.Optional[int]:
        """Return the major number of a package's Glance; before Liberty its version was the release's series."""
        series = re.match(r"(?:\d+:)?(20\d\d\.\d)", version or "")
        return self.releases.get(series.group(1)) if series else major(version)

    def release_of(self, version: t.Optional[str]) -> t.Optional[str]:
        """Return the release that a package's version belongs to, by the first name that the table has for it."""
        number = self.number_of(version)
        return next((name for name, known in self.releases.items() if known == number), None)


def installed(outcome: Outcome, deadline: Deadline, names: t.Sequence[str]) -> None:
    """Note whether all packages are installed, as far as dpkg knows."""
    answer = run_command(
        ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\\n", *names], deadline
    )
    found = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")} if answer else set()
    if found >= set(names):
        outcome.settled.add("packages")


def leftovers(outcome: Outcome, _deadline: Deadline, patterns: t.Sequence[str]) -> None:
    """Note whether nothing matches any of the patterns of the shell."""
    if not any(glob.glob(pattern) for pattern in patterns):
        outcome.settled.add("leftovers")


def major(version: t.Optional[str]) -> t.Optional[int]:
    """Return the major number of a Debian version such as 2:25.1.0-2+deb12u5."""
    found = re.match(r"(?:\d+:)?(\d+)\.", version or "")
    return int(found.group(1)) if found else None


def packages(outcome: Outcome, deadline: Deadline, wanted: Packages) -> None:
    """Compare what is installed, and what the package source offers, with the wanted release."""
    if shutil.which("apt-cache") is None:
        outcome.skip("GLS-101", "the node has no apt-cache; the packages of other families are not looked at")
        return
    installed, candidate = _policy(wanted.name, deadline)
    if not wanted.offered:
        candidate = None
    elif candidate is None:
        candidate = _candidate_of_fresh_lists(outcome, wanted.name, deadline)
    outcome.facts["package"] = {
        "name": wanted.name,
        "installed": installed,
        "installed_release": wanted.release_of(installed),
        "candidate": candidate,
        "candidate_release": wanted.release_of(candidate),
    }
    _judge_packages(outcome, wanted, installed, candidate)
    if installed or candidate:
        judge_advisories(outcome, deadline, wanted.advisories, wanted.name, str(installed or candidate))


def judge_advisories(outcome: Outcome, deadline: Deadline, advisories: Advisories, name: str, version: str) -> None:
    """Tell of the advisories that a version still has, when what they are about is switched on.

    :param name: what has the version.
    """

    def at_least(one: str, other: str) -> bool:
        answer = run_command(["dpkg", "--compare-versions", one, "ge", other], deadline)
        return answer is not None and answer.returncode == 0

    for advisory in open_advisories(version, advisories.known, at_least):
        through = [what for what in advisory["through"] if what in advisories.exposed]
        told = f"{name} {version} still has {advisory['id']} ({advisory['what']})"
        if through:
            problem = Problem("GLS-107", f"{told}, and there is {' and '.join(through)}", outcome.node)
            outcome.notes.append(problem.message)


def _policy(package: str, deadline: Deadline, options: t.Sequence[str] = ()) -> list[t.Optional[str]]:
    answer = run_command(["apt-cache", *options, "policy", package], deadline)
    text = answer.stdout if answer else ""
    found = [re.search(rf"^  {which}: (\S+)", text, re.MULTILINE) for which in ("Installed", "Candidate")]
    return [match.group(1) if match and match.group(1) != "(none)" else None for match in found]


def _candidate_of_fresh_lists(outcome: Outcome, package: str, deadline: Deadline) -> t.Optional[str]:
    """Ask the package sources themselves, with lists of our own, so that those of the node stay as they are."""
    with tempfile.TemporaryDirectory(prefix="glance-preflight-") as directory:
        os.makedirs(f"{directory}/partial")
        options = [
            "-o",
            f"Dir::State::lists={directory}",
            "-o",
            "Dir::Cache::pkgcache=",
            "-o",
            "Dir::Cache::srcpkgcache=",
        ]
        # apt would fetch as the user _apt, who cannot write here.
        options += ["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"]
        answer = run_command(["apt-get", "-q", *options, "update"], deadline)
        candidate = _policy(package, deadline, options)[1]
    if candidate is None and (answer is None or answer.returncode):
        outcome.skip("GLS-101", f"the package lists do not have {package}, and fresh ones could not be fetched")
    elif candidate is None:
        outcome.problem("GLS-101", f"no package source of the node has {package}")
    return candidate


def _judge_packages(outcome: Outcome, wanted: Packages, installed: t.Optional[str], candidate: t.Optional[str]) -> None:
    number = wanted.releases.get(wanted.release)
    if number is None:
        return
    here, offered = wanted.number_of(installed), wanted.number_of(candidate)
    if here is not None and here > number:
        outcome.problem(
            "GLS-103",
            f"{wanted.name} {installed} ({wanted.release_of(installed)}) is installed, which is newer than"
            f" {wanted.release}",
        )
    elif here != number and offered is not None and offered != number:
        outcome.problem(
            "GLS-102",
            f"{wanted.release} is wanted (Glance {number}), and the package source offers {wanted.name} {candidate}"
            f" ({wanted.release_of(candidate) or 'of an unknown release'})",
        )


# --- the port ---------------------------------------------------------------------------------------------------------


def port_is_free(outcome: Outcome, deadline: Deadline, host: str, port: int, units: t.Collection[str]) -> None:
    """Try to bind the API's port; when it is taken, find out by whom."""
    outcome.facts["listener"] = None
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        outcome.problem("GLS-111", f"the API cannot bind {host}: {reason(error)}")
        return
    try:
        with socket.socket(family, kind, protocol) as attempt:
            # As Glance does; without it, connections that have just ended would count.
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            _name_holder(outcome, str(address[0]), port, units)
        elif error.errno == errno.EADDRNOTAVAIL:
            outcome.problem("GLS-111", f"the API cannot bind {host}: it is no address of the node")
        else:
            outcome.skip("GLS-110", f"binding {host} port {port}: {reason(error)}")


def _name_holder(outcome: Outcome, host: str, port: int, units: t.Collection[str]) -> None:
    holders = listeners(host, port)
    if holders:
        outcome.facts["listener"] = holders[0]
    elif os.geteuid() != 0:
        outcome.skip("GLS-110", f"{host} port {port} is in use; only root sees by whom")
        return
    foreign = [holder for holder in holders if holder["unit"] not in units]
    if foreign or not holders:
        by = " and ".join(_told(holder) for holder in foreign) or "a process that cannot be seen from here"
        outcome.problem("GLS-110", f"{host} port {port} is held by {by}")


def _told(holder: dict[str, t.Any]) -> str:
    unit = f", unit {holder['unit']}" if holder["unit"] else ""
    return f"{holder['process']} (process {holder['pid']}{unit})"


def listeners(host: str, port: int, proc: str = "/proc") -> list[dict[str, t.Any]]:
    """Return the processes that keep the address and port from being bound, one for each unit."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(host, port, proc)}
    found: dict[t.Any, dict[str, t.Any]] = {}
    for process in sorted(glob.glob(f"{proc}/[0-9]*"), key=lambda path: int(os.path.basename(path))):
        if inodes and _open_files(process) & inodes:
            holder = _process(process)
            found.setdefault(holder["unit"] or holder["pid"], holder)
    return list(found.values())


def _listening_inodes(host: str, port: int, proc: str) -> t.Iterator[str]:
    listening = "0A"
    wanted = _address(host)
    for table in ("tcp", "tcp6"):
        for line in _read(f"{proc}/net/{table}").splitlines()[1:]:
            columns = line.split()
            address, _colon, hexadecimal = columns[1].partition(":")
            theirs = _address(_packed(address))
            overlap = theirs == wanted or theirs.is_unspecified or wanted.is_unspecified
            if columns[3] == listening and int(hexadecimal, 16) == port and overlap:
                yield columns[9]


def _packed(address: str) -> bytes:
    # The kernel prints each 32 bits as a number of the machine.
    return struct.pack(f"={len(address) // 8}I", *(int(address[at : at + 8], 16) for at in range(0, len(address), 8)))


def _address(address: t.Union[str, bytes]) -> t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]:
    found = ipaddress.ip_address(address)
    return getattr(found, "ipv4_mapped", None) or found


def _open_files(directory: str) -> set[str]:
    files = set()
    for link in glob.glob(f"{directory}/fd/*"):
        try:
            files.add(os.readlink(link))
        except OSError:
            continue
    return files


def _process(directory: str) -> dict[str, t.Any]:
    units = re.findall(r"/([^/\n]+\.(?:service|scope))", _read(f"{directory}/cgroup"))
    return {
        "pid": int(os.path.basename(directory)),
        "process": _read(f"{directory}/comm").strip() or "unknown",
        "unit": units[-1] if units else None,
    }


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
