# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Gives the messages of problems that were found on several nodes."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _checks


def problem_messages(problems: t.Any) -> list[str]:
    """Return a message for each problem, once where several nodes have the same."""
    if not isinstance(problems, list):
        raise AnsibleFilterError("problem_messages takes a list of problems")
    return _checks.told_once(problems)


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"problem_messages": problem_messages}
