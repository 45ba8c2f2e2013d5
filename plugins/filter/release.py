# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Finds a release in the table of releases."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.module_utils import _releases


def release(
    releases: t.Any,
    known_in: dict[str, list[str]],
    wanted: t.Any,
    distribution: str = "",
    versions: t.Optional[list[t.Any]] = None,
) -> dict[str, t.Any]:
    """Return the release that is wanted."""
    if not isinstance(releases, list):
        raise AnsibleFilterError("release takes the table of releases, which is a list")
    return _releases.find(releases, known_in, str(wanted), distribution, [str(version) for version in versions or []])


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"release": release}
