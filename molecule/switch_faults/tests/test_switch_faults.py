# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The short fixed set of faults: each strikes a switch at a delicate moment, and a plain run finishes it."""

from __future__ import annotations

import typing as t

import pytest
from faults import Misfortune, kill_all_glances_in_a_copy, kill_glance, kill_playbook
from seed import MIB, Plan
from switching import Ends

if t.TYPE_CHECKING:
    from chaos import Chaos

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
