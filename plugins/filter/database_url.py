# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Makes the URL of the database for Glance."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _oslo_format
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError


def database_url(database: t.Any) -> str:
    """Return the URL with which Glance reaches ``database``."""
    if not isinstance(database, t.Mapping):
        raise AnsibleFilterError(f"database_url: a dictionary is wanted, not a {type(database).__name__}")
    try:
        return _oslo_format.database_url(database)
    except GlanceError as error:
        raise AnsibleFilterError(f"database_url: {error}") from error


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., str]]:
        """Return the filter."""
        return {"database_url": database_url}
