# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Tells which releases a distribution has."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _tables


def offered_releases(facts: t.Any) -> t.Optional[list[str]]:
    """Return the names of the releases that a distribution has, None where only the node knows."""
    return _tables.offered(facts)


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"offered_releases": offered_releases}
