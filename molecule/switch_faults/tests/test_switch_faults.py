# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The short fixed set of faults: each strikes a switch at a delicate moment, and a plain run finishes it."""

from __future__ import annotations

import typing as t

import pytest
from faults import Misfortune, kill_all_glances_in_a_copy, kill_glance, kill_playbook
from seed import MIB, Plan, few
from snapshot import compare, snapshot
from switching import Ends, stores_of, stuck

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from chaos import Chaos
    from playbook import Outcome
    from seed import Gardener
    from switching import Switch

THERE = Ends("local", "local-2")
FIXED = [
    # The copies that have begun go on in Glance, and nobody is there to see it.
    (Misfortune(1, kill_playbook, "copy", delay=1.0, controller=0, seconds=0), THERE),
    # The journal and the default store say different things about how far the switch is.
    (Misfortune(2, kill_glance, "cut_over", delay=5.0, controller=1, seconds=5), THERE.reversed),
    # What is left are a lock that Glance honours for an hour, a staged file and half a copy.
    (Misfortune(3, kill_all_glances_in_a_copy, "copy", delay=0, controller=0, seconds=0), THERE),
]
# They take seconds to be copied.
LARGE = [Plan(f"large {number}", 300 * MIB) for number in range(2)]


@pytest.mark.parametrize(("misfortune", "ends"), FIXED, ids=str)
def test_misfortune(chaos: Chaos, misfortune: Misfortune, ends: Ends) -> None:
    chaos.endure(misfortune, ends, LARGE)


def told(interrupted: tuple[Outcome, float], *words: str) -> None:
    """Check that whoever has interrupted a run was told, soon after, how far it is."""
    outcome, seconds = interrupted
    own, _after, text = outcome.text.partition("User interrupted execution")
    missing = [word for word in ("The switch from local to local-2 was interrupted.", *words) if word not in text]
    assert (outcome.status, missing) == (99, []), own + text
    assert seconds < 15, text


def test_ctrl_c(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed) -> None:
    switch.begin_with(THERE.source)
    planted = gardener.plant([*few(), *LARGE], seed="ctrl-c", store=THERE.source)
    before = snapshot(apis, [image.image_id for image in planted])

    # The plan asks the same module. With such a limit, the first copies are the last ones for hours.
    copies = switch.interrupt(THERE, "Announce | Copy]", 15, bandwidth=1)
    told(copies, "Stopped in copy. Copy was interrupted", "not copied yet", "Go back:")
    assert switch.report(THERE)["verdict"]["title"] == "Stopped in copy"
    assert compare(before, snapshot(apis, before), meanwhile=True) == []

    # Small images are read in a moment: what is noted of them by then, does not matter.
    reading = switch.interrupt(THERE, "Portion | Read the copies", 1)
    told(reading, "Stopped in verify. Verify was interrupted.", "of 10 images verified", "Go back:")
    assert switch.report(THERE)["phases"][-1]["state"] == "interrupted"

    outcome = switch.go_on(reading[0])
    assert outcome.status == 0, outcome.text
    bed.wait_until_healthy()
    assert switch.report(THERE)["verdict"]["status"] == 0
    assert switch.default_store() == THERE.target

    switch.retire(THERE)
    assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({THERE.target})}
    assert compare(before, snapshot(apis, before)) == []
    assert stuck(bed, apis[0]) == []
