# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A switch on which a misfortune falls: a plain run afterwards finishes it, and no image has suffered."""

from __future__ import annotations

import typing as t

from faults import Strike
from seed import few
from snapshot import compare, snapshot
from switching import Ends, stores_of, stuck

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from depot import Depot
    from faults import Misfortune
    from seed import Gardener, Plan
    from switching import Switch


class Chaos:
    """Switches on the nodes of a scenario."""

    def __init__(self, switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, depot: Depot) -> None:
        self._switch = switch
        self._gardener = gardener
        self._apis = apis
        self._bed = bed
        self._depot = depot

    def endure(self, misfortune: Misfortune, ends: Ends, more: t.Sequence[Plan] = ()) -> None:
        """Switch under a misfortune, switch again, and check everything.

        :param more: images beside the eight small ones.
        """
        self._switch.begin_with(ends.source)
        planted = self._gardener.plant([*few(), *more], seed=str(misfortune.seed), store=ends.source)
        before = snapshot(self._apis, [image.image_id for image in planted])

        process = self._switch.start(ends)
        strike = Strike(misfortune, self._bed, process)
        first = self._switch.follow(process, strike.look)
        strike.wait()
        assert strike.struck, f"{misfortune} came too late:\n{first.text}"
        self._bed.wait_until_answering()
        # Between the fault and the second run, too: nothing that was there is gone.
        assert compare(before, snapshot(self._apis, before), meanwhile=True) == []

        second = self._switch.run(ends)
        assert second.status == 0, f"{misfortune}\n{first.text}\n{second.text}"
        self._bed.wait_until_healthy()
        assert compare(before, snapshot(self._apis, before)) == []
        assert all(ends.target in stores for stores in stores_of(self._apis[0], planted).values())
        self._depot.expect(ends.target, planted)
        assert self._switch.default_store() == ends.target
        assert stuck(self._bed, self._apis[0]) == []
        told_the_truth(self._switch.report(ends), {image.image_id: image.sha512 for image in planted})


def told_the_truth(report: dict[str, t.Any], expected: dict[str, str]) -> None:
    """Check the report against what was planted."""
    assert report["verdict"]["status"] == 0, report["verdict"]
    assert report["attention"] == []
    told = {image["image_id"]: (image["state"], image["hash_value"]) for image in report["images"]}
    assert {image_id: told.get(image_id) for image_id in expected} == {
        image_id: ("verified", sha512) for image_id, sha512 in expected.items()
    }
