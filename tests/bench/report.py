# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The page of results: what was measured stands between two marks, what was learned from it is written by hand."""

from __future__ import annotations

import typing as t

import chart
import measure
from results import Outcome, Results
from work import Goal, Work

PAGE = measure.ROOT / "docs" / "benchmarks.md"
PICTURES = measure.ROOT / "docs" / "benchmarks"
DATA = PICTURES / "results.json"
BEGIN, END = "<!-- begin of what `make bench` writes -->", "<!-- end of what `make bench` writes -->"
HEAD = (
    "| | wall s | spread | of which transfer | CPU s control node | CPU s nodes | Keystone requests | MiB |"
    " times openstack_ops.glance |\n|---|---|---|---|---|---|---|---|---|"
)


def write(works: t.Sequence[Work], results: Results) -> None:
    """Write the tables and pictures of everything that was ever measured."""
    parts = []
    for work in works:
        if work.name in results:
            parts.append(section(work, results))
            times = {side: results[work.name].all(side, "wall") for side in results[work.name].sides}
            (PICTURES / f"{work.name}.svg").write_text(chart.bars(work.title, times), encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    head, tail = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text("".join([head, BEGIN, "\n\n", "\n".join(parts), "\n", END, tail]), encoding="utf-8")


def section(work: Work, results: Results) -> str:
    """Return what the page says of one work."""
    outcome = results[work.name]
    lines = [f"### {work.title}", "", f"![{work.title}](benchmarks/{work.name}.svg)", "", HEAD]
    lines += [row(side, outcome) for side in outcome.sides]
    lines += ["", machine(outcome), ""]
    goals = [line for line in (goal_line(goal, outcome, results) for goal in work.goals) if line]
    if goals:
        lines += ["| goal | measured | |", "|---|---|---|", *goals, ""]
    return "\n".join(lines)


def row(side: str, outcome: Outcome) -> str:
    """Return the line of one side."""
    walls = outcome.all(side, "wall")
    ours = next(iter(outcome.sides))
    cells = [
        side,
        f"{outcome.median(side, 'wall'):.2f}",
        f"{min(walls):.2f}-{max(walls):.2f}",
        shown(outcome.median_if_measured(side, "transfer"), 2),
        f"{outcome.median(side, 'client'):.2f}",
        f"{outcome.median(side, 'server'):.2f}",
        f"{outcome.median(side, 'keystone'):.0f}",
        shown(outcome.median_if_measured(side, "memory"), 0),
        f"{outcome.median(side, 'wall') / outcome.median(ours, 'wall'):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def shown(value: t.Optional[float], digits: int) -> str:
    """Return a number, or nothing where it was not measured."""
    return "" if value is None else f"{value:.{digits}f}"


def machine(outcome: Outcome) -> str:
    """Return in which circumstances it was measured."""
    facts = outcome.machine
    runs = f"{outcome.runs} run{'s' if outcome.runs > 1 else ''}"
    if outcome.runs < outcome.wanted:
        runs = f"Incomplete: {outcome.runs} of {outcome.wanted} runs"
    return (
        f"{runs} of each in turn; {facts['cores']} cores ({facts['processor']}),"
        f" {facts['memory']} GiB; load before the first run {facts['load']}."
    )


def goal_line(goal: Goal, outcome: Outcome, results: Results) -> str:
    """Return the line of a goal, or nothing where it or what it is compared with was not measured."""
    value = outcome.median_if_measured(goal.side, goal.quantity)
    if value is None:
        return ""
    if goal.against:
        work, side = goal.against
        if work not in results or side not in results[work].sides:
            return ""
        base = results[work].median_if_measured(side, "wall" if goal.quantity == "transfer" else goal.quantity)
        if not base:
            return ""
        value /= base
    return f"| {goal.text} | {value:.2f} | {'reached' if value <= goal.most else 'not reached'} |"


def summary(works: t.Sequence[Work], results: Results) -> str:
    """Return the goals of everything that was measured, for a terminal."""
    lines = []
    for work in works:
        for goal in work.goals if work.name in results else []:
            line = goal_line(goal, results[work.name], results)
            if line:
                lines.append(f"{work.name:14} {line.strip('| ').replace(' | ', ': ', 1).replace(' | ', '  ')}")
    return "\n".join(lines)
