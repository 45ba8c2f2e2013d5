# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The checks of checks.py on this checkout, and whether the generated reference is of today."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import reference
from checks import CHECKS, Findings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_both_places_tell_the_same(check: t.Callable[[Path], Findings]) -> None:
    found = list(check(ROOT))
    assert not found, f"{check.__doc__} Not so:\n" + "\n".join(found)


def test_the_reference_is_of_today() -> None:
    stale = reference.stale_pages(ROOT)
    assert not stale, "Run `make docs`. Missing, stale or left over:\n" + "\n".join(stale)
