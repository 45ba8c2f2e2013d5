# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The projects that an image is shared with."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_find import project_id
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record


class Sharing:
    """Makes the members of an image those that were declared."""

    def __init__(self, api: ImageApi, wanted: Declaration) -> None:
        self._api = api
        self._wanted = wanted

    def compare(self, record: t.Optional[Record], difference: Difference) -> None:
        """Record what of the members would change; without a record, those of an image to create.

        :raises GlanceError: when the image cannot have members.
        """
        if self._wanted.members is None:
            return
        visibility = self._wanted.visibility or (record["visibility"] if record else "shared")
        if visibility != "shared":
            self._refuse_members_of(visibility)
            return
        # Glance tells the members of shared images only.
        is_shared = record is not None and record["visibility"] == "shared"
        present = self._api.members(record["id"]) if record and is_shared else {}
        difference.compare("members", _told(present) if record else None, _told(self._declared(present)))

    def _refuse_members_of(self, visibility: str) -> None:
        if self._wanted.members:
            raise GlanceError(
                f"looking at the members of {self._wanted.shown}",
                answer=f"it is {visibility}, and only shared images have members",
                remedy="set visibility: shared, or leave out members",
            )

    def _declared(self, present: t.Mapping[str, str]) -> dict[str, str]:
        """Return the projects that shall be members, and the status that each shall have."""
        projects = [project_id(self._api, member) for member in self._wanted.members or []]
        accepted = self._wanted.accept_members
        return {project: "accepted" if accepted else present.get(project, "pending") for project in projects}

    def apply(self, record: Record) -> None:
        """Add, accept and remove members."""
        if self._wanted.members is None or record["visibility"] != "shared":
            return
        present = self._api.members(record["id"])
        declared = self._declared(present)
        for project in declared.keys() - present.keys():
            self._api.add_member(record["id"], project)
        for project, status in declared.items():
            if status != present.get(project, "pending"):
                self._api.set_member_status(record["id"], project, status)
        for project in present.keys() - declared.keys():
            self._api.remove_member(record["id"], project)


def _told(members: t.Mapping[str, str]) -> list[str]:
    return sorted(f"{project} ({status})" for project, status in members.items())
