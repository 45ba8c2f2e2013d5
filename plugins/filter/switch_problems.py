# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Finds what is wrong with the variables of a switch between two stores."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_inputs


def switch_problems(
    variables: t.Any,
    stores: t.Any = None,
    release: int = 0,
    multi: bool = True,
    guards: t.Optional[dict[str, t.Any]] = None,
    controllers: t.Optional[list[str]] = None,
) -> list[str]:
    """Return the message of every problem."""
    if not isinstance(variables, dict):
        raise AnsibleFilterError("switch_problems takes a dictionary of variables")
    if guards is None:
        found = _switch_inputs.problems(
            variables, stores if isinstance(stores, dict) else {}, int(release), bool(multi)
        )
    else:
        found = _switch_inputs.differences(variables, guards, controllers or [])
    return [problem.message for problem in found]


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"switch_problems": switch_problems}
