# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The nodes of the benchmark: made, asked how much they worked, and removed."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

import measure
import yaml

INVENTORY = measure.ROOT / "molecule" / "bench" / "inventory"
SWIFT = measure.ROOT / "molecule" / "bench" / "swift"
STATE = measure.ROOT / ".testbed" / "bench"
DATA = STATE / "data"
BENCH = measure.ROOT / "tests" / "bench"
OURS = measure.ROOT / ".venv" / "bin"
PEERS = measure.ROOT / ".venv-peers" / "bin"
LONGEST = 1800.0
"""Seconds that one command may take."""


def playbook(environment: Path, name: str, *arguments: str, swift: bool = False) -> list[str]:
    """Return the command that runs a playbook on the nodes.

    :param environment: the directory of the programs, ours or the peers'.
    """
    inventories = [str(INVENTORY), *([str(SWIFT)] if swift else [])]
    words = [word for inventory in inventories for word in ("-i", inventory)]
    return [str(environment / "ansible-playbook"), *words, name, *arguments]


class Nodes:
    """The set of nodes that the inventories name."""

    def __init__(self, swift: bool, controllers: int) -> None:
        self.swift = swift
        self._controllers = controllers
        self._groups: dict[str, t.Any] = {}
        self._cgroups: list[str] = []

    def create(self) -> None:
        """Boot the nodes, with Glance's packages installed and nothing configured."""
        measure.run(self._play("prepare.yml"), timeout=LONGEST)
        for node in self.names():
            found = subprocess.check_output(["podman", "inspect", "--format", "{{.State.CgroupPath}}", node], text=True)
            self._cgroups.append(found.strip().strip("/"))

    def destroy(self) -> None:
        """Remove the nodes and their network."""
        destroy = measure.ROOT / "molecule" / "shared" / "playbooks" / "destroy.yml"
        measure.run(playbook(OURS, str(destroy), swift=True), timeout=LONGEST)

    def reset(self) -> None:
        """Take Glance away, but for its packages."""
        measure.run(self._play("reset.yml"), timeout=LONGEST)

    def _play(self, name: str) -> list[str]:
        return playbook(OURS, str(BENCH / name), "--limit", ",".join(self.names()), swift=self.swift)

    def names(self) -> list[str]:
        """Return the names of the nodes that are used."""
        found: list[str] = []
        for inventory in [INVENTORY, *([SWIFT] if self.swift else [])]:
            hosts = yaml.safe_load((inventory / "hosts.yml").read_text(encoding="utf-8"))
            found += _hosts(hosts)
        unused = [f"bench-controller-{number}" for number in range(self._controllers + 1, 4)]
        return [name for name in found if name not in unused]

    def cpu(self) -> float:
        """Return how many seconds all processes of the nodes have worked."""
        return sum(_usage(group) for group in self._cgroups)

    def keystone_requests(self) -> int:
        """Return how many requests Keystone has answered."""
        command = ["podman", "exec", "bench-backing", "grep", "-c", "=> generated", "/var/log/keystone/keystone.log"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise measure.FailedError(f"counting the requests of Keystone: {done.stderr}")
        return int(done.stdout)


def _hosts(tree: t.Any) -> list[str]:
    if not isinstance(tree, dict):
        return []
    here = list(tree.get("hosts") or [])
    return here + [host for name, inner in tree.items() if name != "hosts" for host in _hosts(inner)]


def _usage(group: str) -> float:
    """Return the CPU seconds of a control group, in the first or the second version of control groups."""
    first = Path("/sys/fs/cgroup/cpuacct") / group / "cpuacct.usage"
    if first.exists():
        return int(first.read_text(encoding="ascii")) / 1e9
    lines = (Path("/sys/fs/cgroup") / group / "cpu.stat").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("usage_usec")) / 1e6


def machine() -> dict[str, t.Any]:
    """Return what the figures of a work depend on: the machine, and what else it was doing when the work began."""
    memory = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()[0].split()[1]
    model = [line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line]
    return {
        "cores": os.cpu_count(),
        "processor": model[0].partition(":")[2].strip() if model else "unknown",
        "memory": round(int(memory) / 1024**2),
        "load": round(os.getloadavg()[0], 1),
    }


def variables(path: Path, values: dict[str, t.Any]) -> str:
    """Write variables for a playbook, and return the argument that gives them."""
    path.write_text(json.dumps(values), encoding="utf-8")
    return f"@{path}"
