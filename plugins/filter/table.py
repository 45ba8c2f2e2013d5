# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Returns one of the tables of the role glance."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _tables


def table(name: str) -> t.Any:
    """Return a table by its name."""
    try:
        return _tables.table(str(name))
    except KeyError:
        raise AnsibleFilterError(f"there is no table {name}") from None


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"table": table}
