# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Everything that can be known before anything is changed: of a node, and of what the control node alone can reach."""

from __future__ import annotations

import socket
import typing as t

SETTLED = (
    "database",
    "directories",
    "guard",
    "images",
    "leftovers",
    "packages",
    "registration",
    "schema",
    "stores",
    "unit",
)
"""What a step of the deployment need not look at again, when it is found to be as wanted."""


def run(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Look at what the parameters of the module name, and return its result."""
    node = params["node"] or socket.gethostname()
    # Either needs libraries that take half a second to load, and none of the other's.
    if params["scope"] == "node":
        from ansible_collections.openstack_ops.glance.plugins.module_utils import _preflight_node

        outcome = _preflight_node.look(node, params)
    else:
        from ansible_collections.openstack_ops.glance.plugins.module_utils import _preflight_control

        outcome = _preflight_control.look(node, params)
    return {
        "problems": [problem.as_dict() for problem in outcome.problems],
        "messages": [problem.message for problem in outcome.problems],
        "not_checked": outcome.not_checked,
        "notes": outcome.notes,
        "facts": outcome.facts,
        "settled": {name: name in outcome.settled for name in SETTLED},
    }
