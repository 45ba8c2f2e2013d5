# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Which controllers have a Glance from source."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def controllers() -> str:
    return "glance_source"
