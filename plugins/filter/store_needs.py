# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Gives what stores need on a node."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _stores


def store_needs(stores: t.Any) -> dict[str, t.Any]:
    """Return what the stores need on a node."""
    if not isinstance(stores, dict):
        raise AnsibleFilterError("store_needs takes a dictionary of stores")
    return _stores.store_needs(stores)


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"store_needs": store_needs}
