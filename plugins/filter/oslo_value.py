# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Writes a value so that oslo.config reads back exactly it."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _oslo_format
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError


def oslo_value(value: t.Any, brackets: bool = False) -> str:
    """Return the text that oslo.config reads back as ``value``."""
    try:
        return _oslo_format.oslo_value(value, brackets=brackets)
    except GlanceError as error:
        raise AnsibleFilterError(f"oslo_value: {error}") from error


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., str]]:
        """Return the filter."""
        return {"oslo_value": oslo_value}
