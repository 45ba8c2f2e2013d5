# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module switch_lease, driven through main()."""

from __future__ import annotations

import grp
import os
import typing as t
from pathlib import Path

from ansible_collections.openstack_ops.glance.plugins.modules import switch_lease

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

ONE, OTHER = ({"host": "ops-1", "process": number, "begun": "x", "user": "alice"} for number in (1, 2))


def test_taken_and_given_up(tmp_path: Path, run_module: RunModule) -> None:
    options = {"directory": str(tmp_path / "switch"), "group": grp.getgrgid(os.getgid()).gr_name}
    assert run_module(switch_lease, {**options, "holder": ONE})["holder"] == ONE
    assert run_module(switch_lease, {**options, "holder": OTHER})["holder"] == ONE
    assert run_module(switch_lease, {**options, "holder": OTHER, "state": "released"})["holder"] == ONE
    assert run_module(switch_lease, {**options, "holder": OTHER, "over": ONE})["holder"] == OTHER
    assert run_module(switch_lease, {**options, "holder": OTHER, "state": "released"})["holder"] == {}


def test_nothing_is_taken_in_check_mode(tmp_path: Path, run_module: RunModule) -> None:
    directory = tmp_path / "switch"
    assert run_module(switch_lease, {"directory": str(directory), "holder": ONE}, check=True)["holder"] == {}
    assert not directory.exists()


def test_what_is_missing_is_told(tmp_path: Path, run_module: RunModule) -> None:
    options = {"directory": str(tmp_path)}
    assert "action plugin" in run_module(switch_lease, options)["msg"]
    assert "no group nobody-has" in run_module(switch_lease, {**options, "holder": ONE, "group": "nobody-has"})["msg"]
