# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What systemd makes of the values of Environment."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.filter.unit_environment import FilterModule

unit_environment = FilterModule().filters()["unit_environment"]


@pytest.mark.parametrize(
    ("lines", "environment"),
    [
        (None, {}),
        ([], {}),
        ("A=1", {"A": "1"}),
        ("A=1 B=2", {"A": "1", "B": "2"}),
        (["A=1", "B=x=y"], {"A": "1", "B": "x=y"}),
        (["A=1", "A=2"], {"A": "2"}),
        (["A=1", "", "B=2"], {"B": "2"}),
        (["A=1", None, "B=2"], {"B": "2"}),
        ("\"A=one two\" B='three four'", {"A": "one two", "B": "three four"}),
        ('A="one two"', {"A": "one two"}),
        ("A=50%%", {"A": "50%"}),
        ("A=", {"A": ""}),
        (["A=1", "word =2 B=3"], {"A": "1", "B": "3"}),
        (["A=1", 'B="half'], {"A": "1"}),
    ],
)
def test_values(lines: t.Any, environment: dict[str, str]) -> None:
    assert unit_environment(lines) == environment
