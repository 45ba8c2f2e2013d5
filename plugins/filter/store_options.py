# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Gives the oslo options of a store."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _stores
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError


def store_options(
    store: t.Any,
    name: str,
    release: int,
    multi: bool = True,
    swift_config_file: str = _stores.SWIFT_CONFIG_FILE,
) -> dict[str, t.Any]:
    """Return the options of the section of a store."""
    try:
        return _stores.store_options(store, name, int(release), multi=multi, swift_config_file=swift_config_file)
    except GlanceError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"store_options": store_options}
