# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""``bench.py [--runs N] [WORK...]``: measures the collection beside its peers, and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import signal
import sys
import types
import typing as t

import measure
import nodes
import report
import results
from cloud import Cloud
from work import take_turns
from works import all_works

GROUPS = ("first", "site", "registration", "database", "upload", "catalogue", "new", "copy")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def tell(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    """Measure what was asked for, and remove the nodes whatever happens."""
    parser = argparse.ArgumentParser(description="Measures the collection beside its peers.")
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"what to measure: {', '.join(GROUPS)}; default: all")
    parser.add_argument("--runs", type=int, default=3, help="how many times each side runs (default: 3)")
    parser.add_argument("--keep", action="store_true", help="leave the nodes running at the end")
    asked = parser.parse_args()
    unknown = [word for word in asked.works if word not in GROUPS]
    if unknown or asked.runs < 1:
        parser.error(
            f"unknown: {', '.join(unknown)}; there are {', '.join(GROUPS)}" if unknown else "--runs is 1 or more"
        )
    listen()
    wanted = set(asked.works or GROUPS)
    bed = nodes.Nodes(swift="copy" in wanted, controllers=3 if "site" in wanted else 1)
    try:
        status = measured(bed, wanted, asked.runs)
    finally:
        is_clean = asked.keep or remove(bed)
    return status if is_clean else status or 1


def measured(bed: nodes.Nodes, wanted: set[str], runs: int) -> int:
    """Measure, and return the status of the program however that ends."""
    try:
        return measure_all(bed, wanted, runs)
    except KeyboardInterrupt:
        tell("Interrupted; what was measured of each work up to its last whole round is kept.")
        return 130
    except measure.FailedError as error:
        tell(f"Failed: {error}")
        return 1


def listen() -> None:
    """End as with Ctrl-C at every signal that asks for it."""
    for number in SIGNALS:
        # Whoever has started it with nohup wants it to go on.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)


def stop(_signal: int, _frame: t.Optional[types.FrameType]) -> None:
    raise KeyboardInterrupt


def remove(bed: nodes.Nodes) -> bool:
    """Remove the nodes, whatever comes in between, and tell whether they are gone."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    try:
        bed.destroy()
    except measure.FailedError as error:
        tell(f"The nodes could not be removed: {error}\nWhat to do: mend it, and run this command again.")
        return False
    return True


def measure_all(bed: nodes.Nodes, wanted: set[str], runs: int) -> int:
    """Measure one work after the other, write the page after each round, and return 1 if one of them failed."""
    tell("Booting the nodes")
    bed.create()
    works = all_works(Cloud(), bed)
    chosen = [work for work in works if work.group in wanted]
    found = results.load(report.DATA)
    failed = []
    for work in chosen:
        tell(work.title)
        try:
            for outcome in take_turns(work, bed, runs, tell):
                found[work.name] = outcome
                results.save(report.DATA, found)
                report.write(works, found)
        except measure.FailedError as error:
            tell(f"Failed: {error}")
            failed.append(work.name)
    tell("\n" + report.summary(chosen, found))
    if failed:
        tell(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
