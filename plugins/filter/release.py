# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Finds a release in the table of releases."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _tables


def release(facts: t.Any, wanted: t.Any, method: str = "package", source_version: str = "") -> dict[str, t.Any]:
    """Return the release that is wanted on a node."""
    return _tables.wanted_release(facts, str(wanted), method == "source", str(source_version))


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"release": release}
