# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is seen of a node: packages from an apt of our own making, ports that are really bound."""

from __future__ import annotations

import os
import socket
import struct
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _probe_node
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_node import Packages

RELEASES = {"victoria": 21, "zed": 25, "2022.2": 25, "epoxy": 30}
ZED = "2:25.1.0-2+deb12u5"


def looked(probe: t.Callable[..., None], *arguments: t.Any) -> Outcome:
    """Return what a probe finds."""
    outcome = Outcome("node")
    probe(outcome, Deadline(20), *arguments)
    return outcome


def told(outcome: Outcome) -> list[tuple[str, str]]:
    """Return the code and the text of each problem."""
    return [(problem.code, problem.what) for problem in outcome.problems]


class TestSystem:
    def test_systemd(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        command = tmp_path / "systemctl"
        command.write_text("#!/bin/sh\necho 'systemd 252 (252.39-1~deb12u1)'\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        outcome = looked(_probe_node.system, str(tmp_path))
        assert outcome.facts["systemd"] == 252
        assert outcome.problems == []

    def test_without_systemd(self, tmp_path: Path) -> None:
        assert told(looked(_probe_node.system, str(tmp_path / "none"))) == [
            ("GLS-104", "the node was not booted with systemd")
        ]


class TestHostName:
    def test_resolves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
        outcome = looked(_probe_node.host_name)
        assert outcome.problems == []
        assert outcome.facts == {"hostname": "localhost"}

    def test_does_not_resolve(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: "no-such-host.invalid")
        ((code, what),) = told(looked(_probe_node.host_name))
        assert code == "GLS-105"
        assert what.startswith("the host name 'no-such-host.invalid' does not resolve")


class TestInterpreter:
    @pytest.mark.parametrize("wanted", ["3.6", "3.9"])
    def test_new_enough(self, wanted: str) -> None:
        outcome = looked(_probe_node.interpreter, sys.executable, wanted)
        assert outcome.problems == []
        assert outcome.facts == {"interpreter": f"3.{sys.version_info[1]}"}

    def test_too_old(self) -> None:
        ((code, what),) = told(looked(_probe_node.interpreter, sys.executable, "3.99"))
        assert code == "GLS-106"
        assert what == f"{sys.executable} is Python 3.{sys.version_info[1]}, and the release needs 3.99 or newer"

    def test_too_new(self) -> None:
        ((code, what),) = told(looked(_probe_node.interpreter, sys.executable, "2.7"))
        assert code == "GLS-106"
        assert what.endswith("and the release needs 2.7")

    def test_not_there_yet(self) -> None:
        outcome = looked(_probe_node.interpreter, "python4.2", "3.9")
        assert outcome.problems == []
        assert [entry["code"] for entry in outcome.not_checked] == ["GLS-106"]


class Apt:
    """Commands that answer as apt does."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "log"
        self._directory = directory

    def answers(
        self, installed: str = "(none)", candidate: str = "(none)", fresh: str = "(none)", status: int = 0
    ) -> None:
        """Say which versions there are, and which with fresh lists."""
        policy = f"glance-api:\n  Installed: {installed}\n  Candidate: "
        self._command(
            "apt-cache",
            f"""case "$*" in *lists=*) candidate='{fresh}';; *) candidate='{candidate}';; esac
            printf '{policy}%s\\n  Version table:\\n' "$candidate" """,
        )
        self._command("apt-get", f'echo "$*" >>{self.log}; exit {status}')

    def _command(self, name: str, script: str) -> None:
        path = self._directory / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    """Return an apt that is found before the real one."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return Apt(tmp_path)


class TestPackages:
    def look(self, release: str = "zed") -> Outcome:
        return looked(_probe_node.packages, Packages("glance-api", release, RELEASES))

    def test_wanted_release_is_offered(self, apt: Apt) -> None:
        apt.answers(candidate=ZED)
        outcome = self.look()
        assert outcome.problems == []
        assert outcome.facts["package"] == {
            "name": "glance-api",
            "installed": None,
            "installed_release": None,
            "candidate": ZED,
            "candidate_release": "zed",
        }
        assert not apt.log.exists()

    def test_release_by_its_other_name(self, apt: Apt) -> None:
        apt.answers(candidate=ZED)
        assert self.look("2022.2").problems == []

    def test_another_release_is_offered(self, apt: Apt) -> None:
        apt.answers(candidate=ZED)
        assert told(self.look("epoxy")) == [
            ("GLS-102", f"epoxy is wanted (Glance 30), and the package source offers glance-api {ZED} (zed)")
        ]

    def test_any_release_is_fine_when_none_is_wanted(self, apt: Apt) -> None:
        apt.answers(candidate="2:99.0-1")
        outcome = self.look("")
        assert outcome.problems == []
        assert outcome.facts["package"]["candidate_release"] is None

    def test_installed_one_of_the_wanted_release_is_enough(self, apt: Apt) -> None:
        apt.answers(installed=ZED, candidate="2:30.0.0-3")
        assert self.look().problems == []

    def test_upgrade_is_fine(self, apt: Apt) -> None:
        apt.answers(installed="2:21.0.0-2", candidate=ZED)
        assert self.look().problems == []

    def test_downgrade_is_refused(self, apt: Apt) -> None:
        apt.answers(installed="2:30.0.0-3", candidate="2:30.0.0-3")
        assert told(self.look()) == [("GLS-103", "glance-api 2:30.0.0-3 (epoxy) is installed, which is newer than zed")]

    def test_fresh_lists_are_fetched_elsewhere_when_the_nodes_have_nothing(self, apt: Apt) -> None:
        apt.answers(fresh=ZED)
        outcome = self.look()
        assert outcome.problems == []
        assert outcome.facts["package"]["candidate"] == ZED
        (command,) = apt.log.read_text().splitlines()
        assert command.endswith(" update")
        assert "Dir::State::lists=/" in command
        assert "Dir::State::lists=/var/lib/apt" not in command

    def test_no_source_has_it(self, apt: Apt) -> None:
        apt.answers()
        assert told(self.look()) == [("GLS-101", "no package source of the node has glance-api")]

    def test_source_that_cannot_be_reached_is_not_checked(self, apt: Apt) -> None:
        apt.answers(status=100)
        outcome = self.look()
        assert outcome.problems == []
        assert [entry["code"] for entry in outcome.not_checked] == ["GLS-101"]

    def test_other_families_are_not_checked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        outcome = self.look()
        assert outcome.problems == []
        assert [entry["code"] for entry in outcome.not_checked] == ["GLS-101"]


@pytest.mark.parametrize(
    ("version", "number"),
    [(ZED, 25), ("21.0.0-2", 21), ("1:2015.1.4-1", 2015), ("unknown", None), (None, None), ("25", None)],
)
def test_major_number_of_a_version(version: t.Optional[str], number: t.Optional[int]) -> None:
    assert _probe_node.major(version) == number


@pytest.fixture
def listener() -> t.Iterator[socket.socket]:
    """Return a socket that listens on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


class TestPort:
    def look(self, host: str, port: int, units: t.Collection[str] = ("glance-api.service",)) -> Outcome:
        return looked(_probe_node.port_is_free, host, port, units)

    def test_free(self, listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        listener.close()
        outcome = self.look("127.0.0.1", port)
        assert outcome.problems == []
        assert outcome.facts == {"listener": None}

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
    def test_held_by_a_process_that_is_named(self, listener: socket.socket, host: str) -> None:
        port = listener.getsockname()[1]
        outcome = self.look(host, port)
        ((code, what),) = told(outcome)
        assert code == "GLS-110"
        assert f"port {port} is held by " in what
        assert f"(process {os.getpid()}" in what
        assert outcome.facts["listener"]["pid"] == os.getpid()

    def test_other_address_of_the_node_is_free(self, listener: socket.socket) -> None:
        assert self.look("127.0.0.2", listener.getsockname()[1]).problems == []

    def test_held_by_our_own_unit(self, listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
        holder = {"pid": 1, "process": "glance-api", "unit": "glance-api.service"}
        monkeypatch.setattr(_probe_node, "listeners", lambda host, port: [holder])
        outcome = self.look("127.0.0.1", listener.getsockname()[1])
        assert outcome.problems == []
        assert outcome.facts["listener"] == holder

    def test_held_by_our_own_unit_and_another(self, listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
        ours = {"pid": 1, "process": "glance-api", "unit": "glance-api.service"}
        proxy = {"pid": 7, "process": "haproxy", "unit": "haproxy.service"}
        monkeypatch.setattr(_probe_node, "listeners", lambda host, port: [ours, proxy])
        port = listener.getsockname()[1]
        assert told(self.look("127.0.0.1", port)) == [
            ("GLS-110", f"127.0.0.1 port {port} is held by haproxy (process 7, unit haproxy.service)")
        ]

    def test_nobody_to_be_seen(self, listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_probe_node, "listeners", lambda host, port: [])
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        ((_code, what),) = told(self.look("127.0.0.1", listener.getsockname()[1]))
        assert what.endswith("is held by a process that cannot be seen from here")
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        outcome = self.look("127.0.0.1", listener.getsockname()[1])
        assert outcome.problems == []
        assert outcome.not_checked[0]["code"] == "GLS-110"

    @pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
    def test_address_of_somebody_else(self, host: str) -> None:
        ((code, what),) = told(self.look(host, 9292))
        assert code == "GLS-111"
        assert what.startswith(f"the API cannot bind {host}: ")


class TestListeners:
    """The kernel's tables, as it writes them."""

    def table(self, directory: Path, name: str, *rows: tuple[str, int, str, int]) -> None:
        lines = ["  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"]
        for address, port, state, inode in rows:
            lines.append(f"   0: {address}:{port:04X} 0:0 {state} 0:0 00:0 0 0 0 {inode} 1 0 100 0 0 10 0")
        (directory / "net").mkdir(exist_ok=True)
        (directory / "net" / name).write_text("\n".join(lines) + "\n")

    def process(self, directory: Path, pid: int, inode: int, unit: str = "") -> None:
        home = directory / str(pid)
        (home / "fd").mkdir(parents=True)
        (home / "fd" / "3").symlink_to(f"socket:[{inode}]")
        (home / "comm").write_text(f"process-{pid}\n")
        (home / "cgroup").write_text(f"1:name=systemd:/system.slice/{unit}\n0::/system.slice/{unit}\n")

    @staticmethod
    def packed(*words: int) -> str:
        return "".join(f"{struct.unpack('=I', struct.pack('>I', word))[0]:08X}" for word in words)

    def test_unit_of_the_process(self, tmp_path: Path) -> None:
        self.table(tmp_path, "tcp", (self.packed(0x0A000001), 9292, "0A", 11))
        self.process(tmp_path, 4, 11, "glance-api.service")
        self.process(tmp_path, 30, 11, "glance-api.service")
        self.process(tmp_path, 5, 12, "other.service")
        assert _probe_node.listeners("10.0.0.1", 9292, str(tmp_path)) == [
            {"pid": 4, "process": "process-4", "unit": "glance-api.service"}
        ]

    @pytest.mark.parametrize(
        ("bound", "wanted", "overlap"),
        [
            ("10.0.0.1", "10.0.0.1", True),
            ("10.0.0.1", "10.0.0.2", False),
            ("10.0.0.1", "0.0.0.0", True),
            ("0.0.0.0", "10.0.0.1", True),
        ],
    )
    def test_address(self, tmp_path: Path, bound: str, wanted: str, overlap: bool) -> None:
        self.table(tmp_path, "tcp", (self.packed(*struct.unpack(">I", socket.inet_aton(bound))), 9292, "0A", 11))
        self.process(tmp_path, 4, 11)
        assert bool(_probe_node.listeners(wanted, 9292, str(tmp_path))) is overlap

    def test_version_6_for_everything_and_mapped(self, tmp_path: Path) -> None:
        mapped = self.packed(0, 0, 0xFFFF, 0x0A000001)
        self.table(tmp_path, "tcp6", (self.packed(0, 0, 0, 0), 80, "0A", 11), (mapped, 81, "0A", 11))
        self.process(tmp_path, 4, 11)
        assert _probe_node.listeners("10.0.0.1", 80, str(tmp_path))
        assert _probe_node.listeners("10.0.0.1", 81, str(tmp_path))
        assert _probe_node.listeners("10.0.0.2", 81, str(tmp_path)) == []

    def test_connections_do_not_count(self, tmp_path: Path) -> None:
        self.table(tmp_path, "tcp", (self.packed(0x0A000001), 9292, "01", 11))
        self.process(tmp_path, 4, 11)
        assert _probe_node.listeners("10.0.0.1", 9292, str(tmp_path)) == []
