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
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_find import Search, is_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import (
    REPLACED_NOTE,
    REPLACES_NOTE,
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
        self._leftover: t.Optional[Record] = None
        self._found: list[Record] = []
        self._surplus: list[Record] = []

    def resume(self, leftover: t.Optional[Record]) -> None:
        """Take on an old version whose retirement was interrupted."""
        self._leftover = leftover

    def compare(self, record: Record, difference: Difference, *, more: int = 0) -> None:
        """Record which old versions would be deleted; all of them, when the image itself shall go.

        :param record: the image, or the name and the owner of one that is about to be made.
        :param more: how many old versions there are about to be more.
        """
        keep = 0 if self._wanted.state == "absent" else self._wanted.keep
        # Without keep, only what is still to be done for the version before is looked at.
        left = [self._leftover] if self._leftover else []
        found = left if keep is None else self._named(record)
        room = max(0, (keep or 0) - more)
        self._found, surplus = found, found[room:]
        for old in surplus:
            if old.get("protected"):
                self._warn(f"the old image {old['id']} of {self._wanted.shown} is protected; it was kept")
        self._surplus = [old for old in surplus if not old.get("protected")]
        if self._surplus:
            after = [old["id"] for old in found if old not in self._surplus]
            difference.compare("old_versions", [old["id"] for old in found], after)

    def _named(self, record: Record) -> list[Record]:
        """Return the old versions of an image, the newest first."""
        filters = {"os_hidden": "true", **({"owner": record["owner"]} if record.get("owner") else {})}
        names = self._wanted.names or [str(record["name"])]
        found = [
            old
            for name in names
            for old in self._search.named(name, filters)
            if is_replaced(old) and is_of(old, record.get("owner"))
        ]
        return sorted(found, key=lambda old: (str(old["created_at"]), str(old["id"])), reverse=True)

    def trim(self, record: t.Optional[Record], difference: Difference) -> None:
        """Delete the old versions that are too many, and record which ones are left.

        :param record: the image that has come after them; None when it is gone.
        :raises GlanceError: when one could not be deleted.
        """
        gone = [old["id"] for old in self._surplus if self._delete_or_keep(old, record)]
        difference.achieved("old_versions", [old["id"] for old in self._found if old["id"] not in gone])

    def retire(self, record: Record, new: Record, difference: Difference) -> None:
        """Hide an image that was replaced, delete it unless it is kept, and delete the old versions that are too many.

        :raises GlanceError: when the old one could not be hidden or deleted.
        """
        # From here on, whatever comes in between, the new image is the one that has the name.
        try:
            self._hide(record, new)
        except GlanceError as error:
            raise _unfinished(error, new) from error
        if record.get("protected") and not self._wanted.keep:
            self._warn(f"the old image {record['id']} is protected; it was hidden instead of deleted")
        elif not self._wanted.keep:
            self._delete_or_keep(record, new)
        self.trim(new, difference)

    def _hide(self, record: Record, new: Record) -> None:
        updates = {REPLACED_NOTE: note_of(record["id"], str(new["id"])), REPLACES_NOTE: None, "os_hidden": True}
        # Glance knows hidden images from Rocky on; an interruption may have left the other note.
        unknown = {"os_hidden", REPLACES_NOTE} - record.keys()
        self._api.update(record, {name: value for name, value in updates.items() if name not in unknown})

    def _delete_or_keep(self, record: Record, new: t.Optional[Record]) -> bool:
        """Delete an image that is hidden, and tell whether it is gone; one that is in use stays."""
        try:
            self._api.delete(record["id"], size_in_stores(record))
            return True
        except GlanceError as error:
            if status_of(error) != 409:
                raise _unfinished(error, new) if new else error from error.__cause__
            self._warn(f"the old image {record['id']} is in use; it was hidden instead of deleted: {error}")
            return False


def _unfinished(error: GlanceError, new: Record) -> GlanceError:
    return GlanceError(
        error.doing,
        answer=f"{error.answer.rstrip('.')}; its replacement {new['id']} is complete",
        cause=error.cause,
        remedy="run the task again, which goes on with this; or delete the old image by its id",
    )
