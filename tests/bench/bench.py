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
    signal.signal(signal.SIGTERM, stop)
    wanted = set(asked.works or GROUPS)
    bed = nodes.Nodes(swift="copy" in wanted, controllers=3 if "site" in wanted else 1)
    try:
        return measure_all(bed, wanted, asked.runs)
    except KeyboardInterrupt:
        tell("Interrupted; what was measured is kept.")
        return 130
    except measure.FailedError as error:
        tell(f"Failed: {error}")
        return 1
    finally:
        if not asked.keep:
            bed.destroy()


def stop(_signal: int, _frame: t.Optional[types.FrameType]) -> None:
    raise KeyboardInterrupt


def measure_all(bed: nodes.Nodes, wanted: set[str], runs: int) -> int:
    """Measure one work after the other, and write the page after each."""
    tell("Booting the nodes")
    bed.create()
    works = all_works(Cloud(), bed)
    found = results.load(report.DATA)
    for work in works:
        if work.group in wanted:
            tell(work.title)
            found[work.name] = take_turns(work, bed, runs, tell)
            results.save(report.DATA, found)
            report.write(works, found)
    tell("\n" + report.summary([work for work in works if work.group in wanted], found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
