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
from faults import choose
from switching import Ends

if t.TYPE_CHECKING:
    from chaos import Chaos
    from faults import Misfortune

STORES = ["local", "objects", "fast", "local-2"]
# In this order, a run begins with the default store that the one before has ended with.
SHORT = [48]
FIXED = [48, 13, 14, 11]


def seeds() -> list[int]:
    """Return the seeds that were asked for."""
    found: list[int] = []
    for part in filter(None, os.environ.get("CHAOS_SEEDS", "").split(",")):
        first, _dash, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found or FIXED


def misfortunes() -> t.Iterator[t.Any]:
    """Return what is going to happen, named so that the list of tests is the list of faults."""
    for seed in seeds():
        ends = Ends(STORES[seed % len(STORES)], STORES[(seed + 1) % len(STORES)])
        misfortune = choose(seed, (ends.source, ends.target))
        marks = [pytest.mark.short] if seed in SHORT else []
        yield pytest.param(misfortune, ends, id=f"{misfortune}, {ends.source} to {ends.target}", marks=marks)


@pytest.mark.parametrize(("misfortune", "ends"), list(misfortunes()))
def test_misfortune(chaos: Chaos, misfortune: Misfortune, ends: Ends) -> None:
    chaos.endure(misfortune, ends)
