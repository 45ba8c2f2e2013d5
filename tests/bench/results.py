# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What was measured: kept as JSON, so that a run of some works leaves the figures of the others as they are."""

from __future__ import annotations

import dataclasses
import json
import statistics
import typing as t
from pathlib import Path


@dataclasses.dataclass
class Sample:
    """One measured run.

    :param wall: seconds from its start to its end.
    :param transfer: seconds of these in which data were sent, as the side itself says; None where it does not.
    :param client: CPU seconds of the control node's processes.
    :param server: CPU seconds of all nodes.
    :param keystone: requests that Keystone has answered, those of Glance included.
    :param memory: MiB, the largest process beside ansible-playbook; None where it was not looked at.
    """

    wall: float
    transfer: t.Optional[float]
    client: float
    server: float
    keystone: float
    memory: t.Optional[float]


@dataclasses.dataclass
class Outcome:
    """All runs of one work.

    :param machine: what the figures depend on.
    :param sides: the samples of each side, in the order in which the sides took turns.
    :param wanted: how many runs of each were asked for: more than there are, when that was interrupted or failed.
    """

    machine: dict[str, t.Any]
    sides: dict[str, list[Sample]]
    wanted: int

    @property
    def runs(self) -> int:
        """How many runs of each side there are."""
        return len(next(iter(self.sides.values())))

    def median(self, side: str, quantity: str) -> float:
        """Return the median of a quantity that every run has."""
        return statistics.median(self.all(side, quantity))

    def median_if_measured(self, side: str, quantity: str) -> t.Optional[float]:
        """Return the median of a quantity, or None where it was not measured in every run."""
        if any(getattr(sample, quantity) is None for sample in self.sides[side]):
            return None
        return self.median(side, quantity)

    def all(self, side: str, quantity: str) -> list[float]:
        """Return a quantity of every run."""
        return [float(getattr(sample, quantity)) for sample in self.sides[side]]


Results = dict[str, Outcome]


def load(path: Path) -> Results:
    """Return what was measured so far."""
    if not path.exists():
        return {}
    return {
        work: Outcome(
            found["machine"],
            {side: [Sample(**one) for one in runs] for side, runs in found["sides"].items()},
            found["wanted"],
        )
        for work, found in json.loads(path.read_text(encoding="utf-8")).items()
    }


def save(path: Path, results: Results) -> None:
    """Keep what was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {work: dataclasses.asdict(outcome) for work, outcome in results.items()}
    path.write_text(json.dumps(_rounded(plain), indent=1) + "\n", encoding="utf-8")


def _rounded(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 3) if isinstance(value, float) else value
