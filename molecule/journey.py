# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A switch from store to store and back: nothing that users see is another one afterwards."""

from __future__ import annotations

import typing as t

from seed import few
from snapshot import compare, snapshot
from switching import stores_of, stuck

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from depot import Depot
    from seed import Gardener, Plan, Planted
    from snapshot import Snapshot
    from switching import Ends, Switch


def looked_at(apis: list[Api], planted: t.Sequence[Planted]) -> Snapshot:
    """Return what users see, which has to be what was planted."""
    seen = snapshot(apis, [image.image_id for image in planted])
    for image in planted:
        expected = () if image.plan.queued else (image.sha512,) * len(apis)
        assert seen[image.image_id].digests == expected, image.plan.name
    return seen


def proved(
    report: dict[str, t.Any], planted: t.Sequence[Planted], *, hash_of: t.Collection[str] = frozenset({"source"})
) -> None:
    """Check that a report tells of every image with data that it is verified, and by which hash.

    :param hash_of: by whose hash images without one may have been verified. Where the journal knows nothing of the hash
        of the source, there is the one alone that Glance has given such an image with its copy.
    """
    assert report["verdict"]["status"] == 0, report["verdict"]
    told = {image["image_id"]: image for image in report["images"]}
    for image in planted:
        if image.plan.queued:
            continue
        one = told[image.image_id]
        assert one["state"] == "verified", one
        assert one["proof"] in {"reader", "file"}, one
        assert one["hash_of"] in (hash_of if image.plan.without_hash else {"glance"}), one
        assert one["hash_value"] == image.sha512, one


class Journey:
    """Switches on the nodes of a scenario."""

    def __init__(self, switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, depot: Depot) -> None:
        self._switch = switch
        self._gardener = gardener
        self._apis = apis
        self._bed = bed
        self._depot = depot

    def there(self, ends: Ends, plans: list[Plan]) -> tuple[list[Planted], Snapshot]:
        """Plant images, and switch: each is in both stores then."""
        self._switch.begin_with(ends.source)
        planted = self._gardener.plant(plans, store=ends.source)
        before = looked_at(self._apis, planted)

        proved(self._switch.switch(ends), planted)
        assert set(map(frozenset, stores_of(self._apis[0], planted).values())) == {
            frozenset({ends.source, ends.target})
        }
        self._depot.expect(ends.target, planted)
        assert self._switch.default_store() == ends.target
        assert compare(before, snapshot(self._apis, before)) == []
        return planted, before

    def there_and_back(self, ends: Ends, plans: list[Plan]) -> tuple[list[Planted], Snapshot]:
        """Switch, upload, and go back: what came before the switch was never moved, what came after it is not lost."""
        planted, before = self.there(ends, plans)
        since = self._gardener.plant(few(), seed="since")
        assert set(map(frozenset, stores_of(self._apis[0], since).values())) == {frozenset({ends.target})}
        before |= looked_at(self._apis, since)

        proved(self._switch.switch(ends, phase="back"), since)
        assert self._switch.default_store() == ends.source
        assert all(ends.source in stores for stores in stores_of(self._apis[0], [*planted, *since]).values())
        self._depot.expect(ends.source, [*planted, *since])
        assert compare(before, snapshot(self._apis, before)) == []
        assert stuck(self._bed, self._apis[0]) == []
        return [*planted, *since], before
