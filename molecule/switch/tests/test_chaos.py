# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Faults at random points: whatever happens, a plain run afterwards finishes the switch, and no image has suffered.

CHAOS_SEEDS says which seeds (1-30, or 7,11); without it a short fixed set is run. A test is named after its misfortune.
"""

from __future__ import annotations

import os
import typing as t

import pytest
from faults import Strike, choose
from seed import few
from snapshot import compare, snapshot
from switching import Ends, stores_of, stuck

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from faults import Misfortune
    from seed import Gardener
    from switching import Switch

# In this order, a run begins with the default store that the one before has ended with.
STORES = ["local", "objects", "fast", "local-2"]
SHORT = [48]
FIXED = [48, 13, 14, 11]


def seeds() -> list[int]:
    """Return the seeds that were asked for."""
    found: list[int] = []
    for part in filter(None, os.environ.get("CHAOS_SEEDS", "").split(",")):
        first, _dash, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found or FIXED


def ends_of(seed: int) -> Ends:
    """Return the stores of a run."""
    return Ends(STORES[seed % len(STORES)], STORES[(seed + 1) % len(STORES)])


def misfortunes() -> t.Iterator[t.Any]:
    """Return what is going to happen, named so that the list of tests is the list of faults."""
    for seed in seeds():
        ends = ends_of(seed)
        misfortune = choose(seed, (ends.source, ends.target))
        marks = [pytest.mark.short] if seed in SHORT else []
        yield pytest.param(misfortune, ends, id=f"{misfortune}, {ends.source} to {ends.target}", marks=marks)


@pytest.mark.parametrize(("misfortune", "ends"), list(misfortunes()))
def test_misfortune(
    switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, misfortune: Misfortune, ends: Ends
) -> None:
    switch.begin_with(ends.source)
    planted = gardener.plant(few(), seed=str(misfortune.seed), store=ends.source)
    before = snapshot(apis, [image.image_id for image in planted])

    process = switch.start(ends)
    strike = Strike(misfortune, bed, process)
    first = switch.follow(process, strike.look)
    strike.wait()
    assert strike.struck, f"{misfortune} came too late:\n{first.text}"
    bed.wait_until_answering()
    # Between the fault and the second run, too: nothing that was there is gone.
    assert compare(before, snapshot(apis, before), meanwhile=True) == []

    second = switch.run(ends)
    assert second.status == 0, f"{misfortune}\n{first.text}\n{second.text}"
    bed.wait_until_healthy()
    assert compare(before, snapshot(apis, before)) == []
    assert all(ends.target in stores for stores in stores_of(apis[0], planted).values())
    assert switch.default_store() == ends.target
    assert stuck(bed, apis[0]) == []
    told_the_truth(switch.report(ends), {image.image_id: image.sha512 for image in planted})


def told_the_truth(report: dict[str, t.Any], expected: dict[str, str]) -> None:
    """Check the report against what was planted."""
    assert report["verdict"]["status"] == 0, report["verdict"]
    assert report["attention"] == []
    told = {image["image_id"]: (image["state"], image["hash_value"]) for image in report["images"]}
    assert {image_id: told.get(image_id) for image_id in expected} == {
        image_id: ("verified", sha512) for image_id, sha512 in expected.items()
    }
