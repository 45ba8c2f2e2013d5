# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Switches from store to store and back: nothing that users see is another one afterwards."""

from __future__ import annotations

import typing as t

import pytest
from journey import looked_at, proved
from seed import few, fifty, records
from snapshot import compare, snapshot
from switching import Ends, stores_of, stuck

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from depot import Depot
    from journey import Journey
    from seed import Gardener
    from switching import Switch

TO_SWIFT = Ends("local", "objects")
TO_CEPH = Ends("local", "fast")
CEPH_TO_SWIFT = Ends("fast", "objects")
TO_S3 = Ends("local", "archive")
PLAN_SECONDS = 30
# Flat: what 2,000 records may take beyond none.
PLAN_KIB = 32 * 1024


@pytest.mark.short
def test_eight_images(journey: Journey) -> None:
    journey.there_and_back(TO_SWIFT, few())


def test_file_to_swift_to_file(journey: Journey, switch: Switch, apis: list[Api], bed: Bed) -> None:
    planted, before = journey.there_and_back(TO_SWIFT, fifty())
    for ends in (TO_SWIFT, TO_SWIFT.reversed):
        # The journal of the way back has never seen the source of what was not copied back.
        proved(switch.switch(ends), planted, hash_of=("source", "glance"))
        switch.retire(ends)
        assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ends.target})}
        assert compare(before, snapshot(apis, before)) == []
    assert stuck(bed, apis[0]) == []


def test_file_to_ceph_to_swift(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed) -> None:
    switch.begin_with("local")
    planted = gardener.plant(fifty(), store="local")
    before = looked_at(apis, planted)
    for ends in (TO_CEPH, CEPH_TO_SWIFT):
        proved(switch.switch(ends), planted, hash_of=("glance" if ends is CEPH_TO_SWIFT else "source",))
        switch.retire(ends)
        assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ends.target})}
        assert compare(before, snapshot(apis, before)) == []
    assert stuck(bed, apis[0]) == []


def test_file_to_s3_and_back(journey: Journey) -> None:
    journey.there_and_back(TO_S3, few())


def test_from_a_single_store_service(switch: Switch, gardener: Gardener, apis: list[Api], depot: Depot) -> None:
    store = {"type": "file", "datadir": "/srv/shared/images", "shared": True}
    switch.begin_with("local", glance_stores={"local": store}, glance_store_layout="single")
    planted = gardener.plant(few())
    assert {apis[0].show(image.image_id).get("stores") for image in planted} == {None}
    before = looked_at(apis, planted)

    proved(switch.switch(TO_SWIFT), planted)
    assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({"local", "objects"})}
    depot.expect("objects", planted)
    assert compare(before, snapshot(apis, before)) == []


@pytest.mark.short
def test_run_again_changes_nothing(switch: Switch, gardener: Gardener, apis: list[Api]) -> None:
    switch.begin_with("local")
    planted = gardener.plant(few()[:2], store="local")
    switch.switch(TO_SWIFT)
    outcome = switch.run(TO_SWIFT)
    assert outcome.status == 0, outcome.text
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
    proved(switch.report(TO_SWIFT), planted)


@pytest.mark.parametrize("lost", ["on the control node", "in part", "everywhere"])
def test_lost_journal(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, lost: str) -> None:
    switch.begin_with("local")
    planted = gardener.plant(few(), store="local")
    before = looked_at(apis, planted)
    proved(switch.switch(TO_SWIFT), planted)
    journal = switch.journals / "local-objects" / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    for path in switch.journals.glob("*/*"):
        path.unlink()
    if lost == "in part":
        # As on a control node from which only the begin of the switch was made.
        journal.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    if lost == "everywhere":
        for controller in bed.controllers:
            bed.on(controller, "rm -r /var/lib/glance/switch")
    proved(switch.switch(TO_SWIFT), planted, hash_of=("glance" if lost == "everywhere" else "source",))
    assert ('"event": "restored"' in journal.read_text(encoding="utf-8")) == (lost != "everywhere")
    assert compare(before, snapshot(apis, before)) == []


def test_plan_changes_nothing(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed) -> None:
    switch.begin_with("local")
    planted = gardener.plant(few(), store="local")
    files = "find /etc/glance /var/lib/glance -type f -newermt @{} | sort"
    begin = {controller: bed.on(controller, "date +%s.%N").strip() for controller in bed.controllers}
    outcome = switch.run(TO_SWIFT, "--check")
    assert outcome.status == 0, outcome.text
    assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({"local"})}
    assert {bed.on(controller, files.format(since)) for controller, since in begin.items()} == {""}
    assert not switch.journals.exists()


def test_two_thousand_records(switch: Switch, gardener: Gardener) -> None:
    switch.begin_with("local")
    _empty, empty_seconds, empty_kib = switch.measure(TO_SWIFT, "--check")
    gardener.plant(records(2000), store="local")
    outcome, seconds, kib = switch.measure(TO_SWIFT, "--check")
    assert outcome.status == 0, outcome.text
    assert "2000" in outcome.text
    assert seconds < PLAN_SECONDS, f"the plan took {seconds:.1f} s, without images {empty_seconds:.1f} s"
    assert kib - empty_kib < PLAN_KIB, f"the plan took {kib} KiB, without images {empty_kib} KiB"
