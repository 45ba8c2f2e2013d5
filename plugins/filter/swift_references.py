# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Gives the sections of the Swift reference file."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _stores
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError


def swift_references(stores: t.Any, release: int) -> dict[str, dict[str, t.Any]]:
    """Return the options of each section of the Swift reference file."""
    if not isinstance(stores, dict):
        raise AnsibleFilterError("swift_references takes a dictionary of stores")
    try:
        return _stores.swift_references(stores, int(release))
    except GlanceError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"swift_references": swift_references}
