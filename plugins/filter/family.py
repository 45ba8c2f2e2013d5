# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Tells what a distribution calls things."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _tables


def family(facts: t.Any, wanted: t.Any, method: str = "package", source_version: str = "") -> dict[str, t.Any]:
    """Return the names of packages, units, users and paths."""
    release = _tables.wanted_release(facts, str(wanted), method == "source", str(source_version))
    try:
        return _tables.family(str(facts["distribution"]), str(facts["os_family"]), release.get("before", ()))
    except KeyError as error:
        raise AnsibleFilterError(f"what Glance is called on this node is not known: there is no {error}") from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"family": family}
