# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Another store for one controller alone: each of its restarts interrupts the service, and loses nothing."""

from __future__ import annotations

import typing as t

from seed import few
from switching import Ends

if t.TYPE_CHECKING:
    from journey import Journey


def test_one_controller(journey: Journey) -> None:
    journey.there_and_back(Ends("local", "other"), few())
