# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Imports: what Glance does with the data of an image by itself, begun, waited for, and its failures told."""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi, status_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import MIB, Teller
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record, stores_of

SECONDS_BETWEEN_LOOKS = 1.0
SLOWEST_IMPORT = 1024 * 1024
"""Bytes a second: an import that shows no progress for longer than this takes for the whole image is given up."""

FAILURES = {
    400: (
        "an import method, or a URL, that Glance does not allow",
        "look at the import methods and filters of glance-api",
    ),
    403: ("a policy, or a quota", "give the user the role that the policy import_image or copy_image asks for"),
    404: ("a release of Glance without imports", "use import_method: upload"),
    409: (
        "an import that is under way, or was interrupted less than an hour ago",
        "wait for it, and run the task again",
    ),
}
"""What usually causes a refusal of an import, and what to do, by HTTP status."""


class Importer:
    """Lets Glance import the data of one image."""

    def __init__(self, api: ImageApi, wanted: Declaration, progress: Teller) -> None:
        self._api = api
        self._wanted = wanted
        self._progress = progress

    def run(
        self, image_id: str, method: dict[str, t.Any], stores: t.Optional[list[str]], size: t.Optional[int]
    ) -> Record:
        """Begin an import, and return the image when it has ended well.

        :raises GlanceError: when it cannot begin, fails, or takes too long.
        """
        doing = f"importing {self._wanted.shown} with {method['name']}"
        earlier = {task["id"] for task in self._api.tasks(image_id)}
        try:
            self._api.import_data(image_id, method, stores)
        except GlanceError as error:
            cause, remedy = FAILURES.get(status_of(error) or 0, (error.cause, error.remedy))
            raise GlanceError(doing, answer=error.answer, cause=cause, remedy=remedy) from error
        self._progress.begin("imported", size)
        record = self._wait(doing, image_id, earlier, self._patience(size), _Share(size, stores or [""]))
        self._progress.advance(size or record["size"])
        return record

    def _patience(self, size: t.Optional[int]) -> float:
        """Return for how many seconds an import may show no progress."""
        return self._wanted.timeout + (size / SLOWEST_IMPORT if size is not None else 5 * self._wanted.timeout)

    def _wait(self, doing: str, image_id: str, earlier: t.Collection[str], seconds: float, share: _Share) -> Record:
        last, since = "", time.monotonic()
        while True:
            record = self._api.get(image_id)
            if record is None:
                raise GlanceError(doing, answer="somebody deleted the image meanwhile", remedy="run the task again")
            tasks = [task for task in self._api.tasks(image_id) if task["id"] not in earlier]
            self._look_for_failure(doing, record, tasks)
            if self._is_over(record, tasks):
                return record
            signs = _signs_of_progress(record, tasks)
            if signs != last:
                last, since = signs, time.monotonic()
            if time.monotonic() > since + seconds:
                raise GlanceError(
                    doing,
                    answer=f"it has shown no progress for {seconds:.0f} seconds",
                    cause="a slow store, or a glance-api that was restarted in the middle",
                    remedy=f"look for {image_id} in the log of glance-api; raise timeout when it is only slow",
                )
            self._progress.advance(share.done(record, tasks))
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _look_for_failure(self, doing: str, record: Record, tasks: t.Sequence[Record]) -> None:
        failed = str(record.get("os_glance_failed_import") or "")
        told = [str(task.get("message") or "no explanation") for task in tasks if task["status"] == "failure"]
        # Right after another try the image still tells of the one before, until the new task has begun.
        stale = bool(tasks) and not told
        if told or (failed and not stale and not record.get("os_glance_import_task")):
            where = f" (failed for {failed})" if failed else ""
            raise GlanceError(
                doing,
                answer=f"{'; '.join(told) or 'the import failed'}{where}",
                cause="a store that is down or full, a source that Glance cannot reach, or data of another format",
                remedy=f"look for the image's id {record['id']} in the log of glance-api",
            )

    @staticmethod
    def _is_over(record: Record, tasks: t.Sequence[Record]) -> bool:
        if record["status"] != "active" or record.get("os_glance_import_task"):
            return False
        return all(task["status"] == "success" for task in tasks)

    def missing_stores(self, record: Record) -> list[str]:
        """Return the declared stores in which the image does not lie yet."""
        present = stores_of(record)
        return [store for store in self._wanted.stores or [] if store not in present]

    def copy(self, record: Record) -> Record:
        """Copy an image into the declared stores in which it does not lie yet.

        :raises GlanceError: when it cannot be copied.
        """
        # Glance writes the store of an image into its record when it is asked for it.
        record = record if stores_of(record) else self._api.get(record["id"]) or record
        missing = self.missing_stores(record)
        if not missing:
            return record
        copied = self.run(record["id"], {"name": "copy-image"}, missing, (record["size"] or 0) * len(missing))
        left = self.missing_stores(copied)
        if left:
            raise GlanceError(
                f"copying {self._wanted.shown}",
                answer=f"it is still not in {', '.join(left)}",
                remedy=f"look for the image's id {record['id']} in the log of glance-api",
            )
        return copied


class _Share(t.NamedTuple):
    """How much of an import is done."""

    size: t.Optional[int]
    """How many bytes are written, into all stores together."""
    stores: t.Sequence[str]

    def done(self, record: Record, tasks: t.Sequence[Record]) -> int:
        """Return how many bytes are written, as far as Glance tells it: for each store anew."""
        told = [re.fullmatch(r"Copied (\d+) MiB", str(task.get("message"))) for task in tasks[:1]]
        copied = sum(int(found[1]) * MIB for found in told if found)
        present = stores_of(record)
        done = (self.size or 0) * sum(store in present for store in self.stores) // len(self.stores) + copied
        return done if self.size is None else min(done, self.size)


def _signs_of_progress(record: Record, tasks: t.Sequence[Record]) -> str:
    """Return what changes while an import goes on: Glance counts in the message of the task what it has copied."""
    told = [record.get(name) for name in ("status", "size", "stores", "os_glance_importing_to_stores")]
    return repr((told, [(task["status"], task.get("message")) for task in tasks]))
