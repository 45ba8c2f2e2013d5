# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What a run has left that was killed, the way in the other direction brings to its end."""

from __future__ import annotations

import threading
import typing as t

import requests
from faults import Moment, kill_all_glances_in_a_copy, kill_playbook
from seed import MIB, Plan, few
from snapshot import compare, snapshot
from switching import Ends, stores_of, stuck

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from seed import Gardener, Planted
    from switching import Switch

ENDS = Ends("local", "local-2")
# They take seconds to be copied.
LARGE = [Plan(f"large {number}", 300 * MIB) for number in range(2)]
OPEN = '{{"time": "2026-11-21T12:00:00.000Z", "event": "reactivated", "image_id": "{}", "state": "open"}}\n'


def kill_in_the_copies(switch: Switch, bed: Bed) -> None:
    """Begin a switch, and kill it with every Glance in the middle of its copies."""
    process = switch.start(ENDS)
    moment = Moment(bed, process, bed.controllers[0], 0)

    def kill() -> None:
        kill_all_glances_in_a_copy(moment)
        kill_playbook(moment)

    killer = threading.Thread(target=kill)
    outcome = switch.follow(process, lambda name: killer.start() if name == "copy" else None)
    killer.join()
    assert outcome.status != 0, outcome.text
    bed.wait_until_healthy()


def open_deactivated(switch: Switch, api: Api, planted: list[Planted]) -> None:
    """Let the deactivated images be as the run leaves them that is killed while it copies them."""
    journal = switch.journals / f"{ENDS.source}-{ENDS.target}" / "journal.jsonl"
    for image in planted:
        if image.plan.deactivated:
            with journal.open("a", encoding="utf-8") as file:
                file.write(OPEN.format(image.image_id))
            api.request("POST", f"/images/{image.image_id}/actions/reactivate")


def health(bed: Bed) -> list[int]:
    """Return what the controllers tell a load balancer."""
    return [requests.get(f"{bed.url(name)}/healthcheck", timeout=10).status_code for name in bed.controllers]


def test_back_after_copies_that_were_killed(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed) -> None:
    switch.begin_with(ENDS.source)
    planted = gardener.plant([*few(), *LARGE], store=ENDS.source)
    before = snapshot(apis, [image.image_id for image in planted])
    kill_in_the_copies(switch, bed)
    open_deactivated(switch, apis[0], planted)
    assert compare(before, snapshot(apis, before)) != []

    assert switch.switch(ENDS, phase="back")["verdict"]["status"] == 0
    assert compare(before, snapshot(apis, before)) == []
    # Glance alone can take that note away, which it does with the next copy.
    assert [line for line in stuck(bed, apis[0]) if "os_glance_importing_to_stores" not in line] == []


def test_controller_that_goes_away_in_its_restart(
    switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed
) -> None:
    switch.begin_with(ENDS.source)
    planted = gardener.plant(few()[:2], store=ENDS.source)
    away, gone = bed.controllers[0], threading.Event()
    in_cut_over = threading.Event()

    def look(line: str) -> None:
        if "PLAY [Cut over" in line:
            in_cut_over.set()
        if in_cut_over.is_set() and "Restart | Note the begin" in line and not gone.is_set():
            gone.set()
            bed.podman("stop", "--time=1", away)

    try:
        outcome = switch.follow(switch.start(ENDS), lambda phase: None, look)
    finally:
        bed.podman("start", away)
    assert (outcome.status, gone.is_set()) == (2, True), outcome.text
    assert f"{away} could not be reached" in outcome.unfolded
    assert "glance_switch_phase=back" in outcome.unfolded
    assert switch.report(ENDS)["verdict"]["title"] == "Stopped in cut over"
    # Nobody has to take over.
    assert switch.switch(ENDS)["verdict"]["status"] == 0
    assert health(bed) == [200, 200]
    assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ENDS.source, ENDS.target})}


def test_forth_after_a_way_back_that_was_killed_in_a_restart(
    switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed
) -> None:
    switch.begin_with(ENDS.source)
    gardener.plant(few()[:2], store=ENDS.source)
    switch.switch(ENDS)
    process = switch.start(ENDS, phase="back")
    moment = Moment(bed, process, bed.controllers[0], 0)
    switch.follow(
        process, lambda phase: None, lambda line: kill_playbook(moment) if "Restart | Run it with" in line else None
    )
    assert health(bed) == [503, 200]
    switch.switch(ENDS)
    assert health(bed) == [200, 200]
    outcome = switch.run(ENDS)
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
