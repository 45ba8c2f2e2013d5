# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Finds what can be known to be wrong from the variables alone."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils._inventory import Inventory, problems


def inventory_problems(
    variables: t.Any,
    spec: dict[str, t.Any],
    defined: t.Optional[list[str]] = None,
    known: t.Optional[list[str]] = None,
    releases: t.Optional[dict[str, int]] = None,
    release: t.Optional[str] = None,
    nodes: int = 1,
    offered: t.Optional[list[str]] = None,
    added_source: str = "",
    knows: t.Optional[list[str]] = None,
) -> list[str]:
    """Return the message of every problem."""
    if not isinstance(variables, dict) or not isinstance(spec, dict):
        raise AnsibleFilterError("inventory_problems takes a dictionary of variables, and one of their argument spec")
    inventory = Inventory(
        variables=variables,
        spec=spec,
        defined=defined or [],
        known=known or [],
        releases={str(name): int(number) for name, number in (releases or {}).items()},
        release=str(release or ""),
        nodes=int(nodes),
        offered=offered,
        added_source=added_source,
        knows=knows,
    )
    return [problem.message for problem in problems(inventory)]


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"inventory_problems": inventory_problems}
