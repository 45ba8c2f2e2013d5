# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The data of an image on their way out of Glance: where the connection breaks, they go on from there."""

from __future__ import annotations

import contextlib
import hashlib
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import (
    ImageApi,
    NoPartError,
    broke_off,
    is_unreachable,
    status_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import Teller
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record

MOST_RETRIES = 4
"""How often a download goes on, or begins again, in all."""
SECONDS_BEFORE_RETRY = 2.0


class Download:
    """Reads the data of one image, hashes them, and writes them into a file where there is one.

    :param timeout: seconds that Glance may be silent.
    :param file: an empty file, which can be read or written at any place.
    """

    def __init__(
        self,
        api: ImageApi,
        record: Record,
        algorithm: str,
        *,
        timeout: float,
        progress: Teller,
        file: t.Optional[t.BinaryIO] = None,
    ) -> None:
        self._api = api
        self._id = str(record["id"])
        self._size = int(record["size"])
        self._algorithm = algorithm
        self._timeout = timeout
        self._progress = progress
        self._file = file
        self._begin()

    def _begin(self) -> None:
        self._digest = hashlib.new(self._algorithm, usedforsecurity=False)
        self.done = 0
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()

    def run(self) -> str:
        """Read everything, and return the checksum of it.

        :raises GlanceError: when it cannot be read to its end.
        """
        for left in range(MOST_RETRIES, -1, -1):
            try:
                self._read_on()
                break
            except GlanceError as error:
                self._look_at(error, left)
            time.sleep(SECONDS_BEFORE_RETRY)
        return self._digest.hexdigest()

    def _read_on(self) -> None:
        blocks = self._api.download(self._id, self._timeout, start=self.done, size=self._size, connect_retries=0)
        with contextlib.closing(blocks):
            for block in blocks:
                if self._file is not None:
                    self._file.write(block)
                self._digest.update(block)
                self.done += len(block)
                self._progress.advance(self.done)

    def _look_at(self, error: GlanceError, left: int) -> None:
        """Make ready for another attempt.

        :param left: how many there may be.
        :raises GlanceError: when there is none that could help.
        """
        may_pass = broke_off(error) or is_unreachable(error)
        # What refuses a part may still give out the whole: not every store can begin in the middle.
        refuses_part = isinstance(error, NoPartError) or (self.done > 0 and status_of(error) is not None)
        if not left or not (may_pass or refuses_part):
            came = f" after {self.done} of {self._size} bytes" if may_pass else ""
            raise GlanceError(
                error.doing, answer=f"{error.answer}{came}", cause=error.cause, remedy=error.remedy
            ) from error
        if not may_pass:
            self._begin()
