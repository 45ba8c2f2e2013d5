# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The old versions of an image: those that another one has replaced, and how many of them are kept."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi, status_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_find import Search
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import (
    REPLACED_NOTE,
    Record,
    is_replaced,
    note_of,
    size_in_stores,
)


class Versions:
    """Retires the image that was replaced, and deletes the oldest of those that were before."""

    def __init__(self, api: ImageApi, search: Search, wanted: Declaration, warn: t.Callable[[str], None]) -> None:
        self._api = api
        self._search = search
        self._wanted = wanted
        self._warn = warn
        self._found: list[Record] = []
        self._surplus: list[Record] = []

    def compare(self, record: Record, difference: Difference, *, more: int = 0) -> None:
        """Record which old versions would be deleted.

        :param record: the image, or the name and the owner of one that is about to be made.
        :param more: how many old versions there are about to be more.
        """
        if self._wanted.keep is None:
            return
        filters = {"os_hidden": "true", **({"owner": record["owner"]} if record.get("owner") else {})}
        names = [str(self._wanted.name or record["name"]), *self._wanted.previous_names]
        found = [old for name in names for old in self._search.named(name, filters) if is_replaced(old)]
        found.sort(key=lambda old: (str(old["created_at"]), str(old["id"])), reverse=True)
        room = max(0, self._wanted.keep - more)
        self._found, surplus = found, found[room:]
        for old in surplus:
            if old.get("protected"):
                self._warn(f"the old image {old['id']} of {self._wanted.shown} is protected; it was kept")
        self._surplus = [old for old in surplus if not old.get("protected")]
        if self._surplus:
            after = [old["id"] for old in found if old not in self._surplus]
            difference.compare("old_versions", [old["id"] for old in found], after)

    def trim(self, record: Record, difference: Difference) -> None:
        """Delete the old versions that are too many, and record which ones are left."""
        gone = [old["id"] for old in self._surplus if self._delete_or_keep(old, record)]
        difference.achieved("old_versions", [old["id"] for old in self._found if old["id"] not in gone])

    def retire(self, record: Record, new: Record, difference: Difference) -> None:
        """Hide or delete an image that was replaced, and delete the old versions that are too many.

        :raises GlanceError: when the old one could not be deleted.
        """
        keep = bool(self._wanted.keep)
        if keep or record.get("protected"):
            if not keep:
                self._warn(f"the old image {record['id']} is protected; it was hidden instead of deleted")
            self._hide(record, new)
        else:
            self._delete_or_keep(record, new)
        self.trim(new, difference)

    def _hide(self, record: Record, new: Record) -> None:
        note = note_of(record["id"], str(new["id"]))
        if not (record.get("os_hidden") and record.get(REPLACED_NOTE) == note):
            self._api.update(record, {"os_hidden": True, REPLACED_NOTE: note})

    def _delete_or_keep(self, record: Record, new: Record) -> bool:
        """Delete an image, and tell whether it is gone; one that is in use is hidden."""
        try:
            self._api.delete(record["id"], size_in_stores(record))
            return True
        except GlanceError as error:
            if status_of(error) != 409:
                raise GlanceError(
                    error.doing,
                    answer=f"{error.answer}; its replacement {new['id']} is complete, so two images have the name",
                    remedy="delete the old one by its id",
                ) from error
            if not is_replaced(record):
                self._hide(record, new)
            self._warn(f"the old image {record['id']} is in use; it was hidden instead of deleted: {error}")
            return False
