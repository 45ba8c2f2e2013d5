# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Another store for a Glance under uwsgi: a second uwsgi gives out what has to be read back."""

from __future__ import annotations

import typing as t

from seed import few
from switching import Ends

if t.TYPE_CHECKING:
    from journey import Journey
    from switching import Switch

THERE = Ends("local", "local-2")


def test_there_and_back(journey: Journey) -> None:
    # One of them has no hash, and is read through the second Glance of the old store.
    journey.there_and_back(THERE, few())


def test_run_again_changes_nothing(journey: Journey, switch: Switch) -> None:
    journey.there(THERE, few()[:2])
    again = switch.run(THERE)
    assert again.status == 0, again.text
    assert {counts["changed"] for counts in again.hosts.values()} == {0}, again.text
