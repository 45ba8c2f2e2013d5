# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Another store for a Glance under uwsgi: a second uwsgi gives out what has to be read back."""

from __future__ import annotations

import typing as t

from chaos import told_the_truth
from seed import few
from snapshot import compare, snapshot
from switching import Ends, stores_of, stuck

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from depot import Depot
    from seed import Gardener
    from switching import Switch

THERE = Ends("local", "local-2")


def test_there_and_back(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, depot: Depot) -> None:
    switch.begin_with(THERE.source)
    planted = gardener.plant(few(), seed="uwsgi", store=THERE.source)
    before = snapshot(apis, [image.image_id for image in planted])

    # One of them has no hash, and is read through the second Glance of the old store.
    told_the_truth(switch.switch(THERE), {image.image_id: image.sha512 for image in planted})
    assert switch.default_store() == THERE.target
    assert all(THERE.target in stores for stores in stores_of(apis[0], planted).values())
    depot.expect(THERE.target, planted)
    assert compare(before, snapshot(apis, before)) == []

    again = switch.run(THERE)
    assert again.status == 0, again.text
    assert {counts["changed"] for counts in again.hosts.values()} == {0}, again.text

    switch.switch(THERE, phase="back")
    assert switch.default_store() == THERE.source
    assert compare(before, snapshot(apis, before)) == []
    assert stuck(bed, apis[0]) == []
