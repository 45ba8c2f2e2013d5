# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The action plugin of store_retire is that of store_copy, and gives only options that the module has."""

from __future__ import annotations

from ansible_collections.openstack_ops.glance.plugins.action import store_copy, store_retire
from ansible_collections.openstack_ops.glance.plugins.modules import store_retire as module


def test_it_speaks_as_that_of_the_copy() -> None:
    assert issubclass(store_retire.ActionModule, store_copy.ActionModule)
    assert {"progress_file", "watched_processes"} <= set(module.ARGUMENT_SPEC)
