# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A switch under users: HAProxy, two controllers, and a client that uploads, downloads and deletes all the time."""

from __future__ import annotations

import typing as t

from client import Client
from seed import MIB, fifty
from snapshot import compare, snapshot
from switching import Ends, stuck

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from seed import Gardener
    from switching import Switch

ENDS = Ends("local", "objects")


def test_no_request_fails(switch: Switch, gardener: Gardener, apis: list[Api], balanced: Api, bed: Bed) -> None:
    switch.begin_with(ENDS.source)
    planted = gardener.plant([plan for plan in fifty() if plan.size < 20 * MIB], store=ENDS.source)
    before = snapshot(apis, [image.image_id for image in planted])
    others = {image.image_id: image.sha512 for image in planted if not image.plan.queued}
    client = Client(balanced, others)
    try:
        with client:
            there = switch.switch(ENDS)
            back = switch.switch(ENDS, phase="back")
        assert client.tally.failures == []
        # Otherwise it is the test that has failed: nobody was there while the controllers were restarted.
        assert min(client.tally.uploads, client.tally.downloads, client.tally.deletions) > 20, client.tally
        assert client.missing(apis) == []
        assert compare(before, snapshot(apis, before)) == []
        assert (there["verdict"]["status"], back["verdict"]["status"]) == (0, 0)
        stores = [set(apis[0].show(image_id)["stores"].split(",")) for image_id in client.expected]
        assert all(ENDS.source in found for found in stores), stores
        assert stuck(bed, apis[0]) == []
    finally:
        client.clear()
