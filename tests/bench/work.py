# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What one work consists of, and how its sides take turns."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import typing as t

import measure
import nodes
from results import Outcome, Sample

RECAP = re.compile(r"^\S+\s+: ok=\d+\s+changed=(\d+)", re.MULTILINE)
TRANSFER = re.compile(r"seconds of transfer: ([0-9.]+)")


def nothing() -> None:
    """Do nothing."""


@dataclasses.dataclass
class Side:
    """One way to do a work.

    :param command: returns what is run and measured.
    :param before: makes the next run like the last one; not measured.
    :param after: clears away what a run has left; not measured.
    :param warm: whether it is run once before the runs that count.
    :param unchanging: whether a run that says it changed something has failed.
    :param added: returns what is added to the environment of the command.
    """

    name: str
    command: t.Callable[[], t.Sequence[str]]
    before: t.Callable[[], None] = nothing
    after: t.Callable[[], None] = nothing
    warm: bool = False
    unchanging: bool = False
    added: t.Callable[[], dict[str, str]] = dict


@dataclasses.dataclass
class Goal:
    """What a quantity of our side is at most.

    :param most: the factor, or the number itself where it is compared with nothing.
    :param against: the work and the side whose median the factor is of.
    """

    text: str
    quantity: str
    most: float
    against: t.Optional[tuple[str, str]] = None
    side: str = "openstack_ops.glance"


@dataclasses.dataclass
class Work:
    """Something that is done by several sides.

    :param group: the word that selects it.
    :param before: makes ready for all sides.
    """

    name: str
    group: str
    title: str
    sides: list[Side]
    goals: list[Goal] = dataclasses.field(default_factory=list)
    before: t.Callable[[], None] = nothing
    memory: bool = False


def take_turns(work: Work, bed: nodes.Nodes, runs: int, tell: t.Callable[[str], None]) -> t.Iterator[Outcome]:
    """Measure all sides of a work in turn, and yield after each round what there is: all sides as often.

    :raises FailedError: when a side does not do what it is measured for.
    """
    work.before()
    for side in work.sides:
        if side.warm:
            measure.run(side.command(), timeout=nodes.LONGEST, added=side.added())
    outcome = Outcome(nodes.machine(), {side.name: [] for side in work.sides}, runs)
    for number in range(runs):
        taken: dict[str, Sample] = {}
        for side in work.sides:
            sample = taken[side.name] = measured(work, side, bed)
            tell(
                f"  {number + 1}/{runs} {side.name:28} {sample.wall:7.2f} s   CPU {sample.client:6.2f} s"
                f" + {sample.server:6.2f} s on the nodes   Keystone {sample.keystone:3.0f} requests"
            )
        for name, sample in taken.items():
            outcome.sides[name].append(sample)
        yield outcome


def measured(work: Work, side: Side, bed: nodes.Nodes) -> Sample:
    """Measure one side once, and clear away what it leaves."""
    side.before()
    try:
        sample = sampled(work, side, bed)
    except measure.FailedError:
        # The next work must not find it; what else is wrong now follows from the failure.
        with contextlib.suppress(Exception):
            side.after()
        raise
    side.after()
    return sample


def sampled(work: Work, side: Side, bed: nodes.Nodes) -> Sample:
    """Run one side, and return what that took."""
    command = side.command()
    requests, cpu = bed.keystone_requests(), bed.cpu()
    ran = measure.run(command, timeout=nodes.LONGEST, memory=work.memory, added=side.added())
    cpu, requests = bed.cpu() - cpu, bed.keystone_requests() - requests
    if side.unchanging:
        refuse_changes(side.name, ran.output)
    found = TRANSFER.search(ran.output)
    return Sample(ran.wall, float(found[1]) if found else None, ran.cpu, cpu, requests, ran.memory)


def refuse_changes(side: str, output: str) -> None:
    """Look at what a run says of its changes.

    :raises FailedError: when there were some, or it says nothing.
    """
    told = RECAP.findall(output)
    if not told:
        raise measure.FailedError(f"{side} did not say whether it has changed something:\n{output[-4000:]}")
    changes = sum(int(number) for number in told)
    if changes:
        raise measure.FailedError(f"{side} was to change nothing, and changed {changes}:\n{output[-4000:]}")
