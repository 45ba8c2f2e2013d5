# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The data of an image on their way into Glance: sent once, verified, and undone when something goes wrong."""

from __future__ import annotations

import contextlib
import time
import typing as t
import uuid

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import (
    ImageApi,
    is_of_the_api,
    is_unreachable,
    status_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_convert import ConvertedSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_download import Download
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_import import Importer
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_prepare import AnySource, FetchedSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import Teller
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import (
    BUSY,
    CATALOG_NOTE,
    HASH_PROPERTY,
    Record,
    can_compute,
    computed_hashes,
    note_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import Stopped, undisturbed
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import (
    FileSource,
    Stream,
    wrong_checksum,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_unpack import UnpackedSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import told

with contextlib.suppress(ImportError):
    import openstack.utils

Warn = t.Callable[[str], None]

SECONDS_TO_BECOME_ACTIVE = 60
SECONDS_TO_CLEAN_UP = 30
NOTHING_LEFT = "nothing of it was left in Glance"
SECONDS_TO_RESTART = 60
"""How long a glance-api that went away in the middle may take to come back."""
SECONDS_BETWEEN_TRIES = 2.0
SLOWEST_STORE = 4 * 1024 * 1024
"""Bytes a second: a store that takes an image as a whole is silent for as long as it takes it."""
MOST_OF_PACKED = 20
"""How many times larger than its compressed file an image is taken to be at most, when it comes to waiting for it."""


class Uploaded(t.NamedTuple):
    """An image whose data are in Glance."""

    record: Record
    bytes: int
    seconds: float


class NotMadeError(GlanceError):
    """The image was not created, so there is nothing to undo."""


class Uploader:
    """Brings the data of one image into Glance."""

    def __init__(
        self,
        api: ImageApi,
        wanted: Declaration,
        *,
        warn: Warn,
        progress: Teller,
        catalog: t.Optional[str] = None,
    ) -> None:
        self._api = api
        self._wanted = wanted
        self._warn = warn
        self._progress = progress
        self._catalog = catalog
        self._importer = Importer(api, wanted, progress)
        self._arrived = 0
        """How many bytes may be in Glance by now."""
        self._is_active = False
        """Whether the image that is filled has its data, verified or not."""

    def check_stores(self) -> None:
        """Make sure that the declared stores are there.

        :raises GlanceError: when one is not.
        """
        declared = self._wanted.stores or [store for store in [self._wanted.store] if store]
        if not declared:
            return
        found = self._api.stores()
        stores = None if found is None else [str(store["id"]) for store in found]
        for store in declared:
            if stores is None or store not in stores:
                raise GlanceError(
                    f"uploading {self._wanted.shown}",
                    answer=f"the store {store!r} is not there"
                    + (
                        f", the stores are {', '.join(stores)}"
                        if stores
                        else ": Glance has a single store without a name"
                    ),
                    remedy="correct it, or leave it out to use the default store",
                )

    def create(self, source: AnySource, attributes: Record, finish: t.Callable[[Record], Record]) -> Uploaded:
        """Create an image and fill it; whatever goes wrong, nothing of it stays.

        :param finish: does what is left to be done to the image, and returns it.
        :raises GlanceError: when it went wrong.
        """
        source.prepare()
        # An id that is not known could not be deleted again.
        attributes = {"id": str(uuid.uuid4()), **attributes}
        if self._catalog is not None:
            attributes[CATALOG_NOTE] = note_of(attributes["id"], self._catalog)
        try:
            made = self._fill(source, self._create(attributes))
            return made._replace(record=finish(made.record))
        except BaseException as error:
            if isinstance(error, NotMadeError):
                raise
            raise self._undo(attributes["id"], error) from error

    def _create(self, attributes: Record) -> Record:
        try:
            return self._api.create(attributes)
        except GlanceError as error:
            status = status_of(error) or 0
            if status == 409 and self._wanted.id is not None:
                raise NotMadeError(
                    error.doing,
                    answer=error.answer,
                    cause=f"the id {self._wanted.id} belonged to an image that was deleted; Glance never reuses ids",
                    remedy="declare another id, or leave it out",
                ) from error
            if 400 <= status < 500:
                raise NotMadeError(error.doing, answer=error.answer, cause=error.cause, remedy=error.remedy) from error
            raise

    def _undo(self, image_id: str, error: BaseException) -> BaseException:
        """Delete the image that was begun, and return the error to raise."""
        with undisturbed():
            left = self._delete(image_id, patience=0 if isinstance(error, Stopped) else SECONDS_TO_RESTART)
        if isinstance(error, Stopped):
            return GlanceError(f"uploading {self._wanted.shown}", answer=f"stopped by {error}; {left}")
        if isinstance(error, GlanceError):
            return GlanceError(
                error.doing, answer=f"{error.answer.rstrip('.')}; {left}", cause=error.cause, remedy=error.remedy
            )
        return error

    def _delete(self, image_id: str, patience: float) -> str:
        """Delete the image that was begun, and return what is left of it."""
        size = self._arrived * len(self._wanted.stores or [""])
        end = time.monotonic() + patience
        while True:
            try:
                self._api.delete(image_id, size, silence=SECONDS_TO_CLEAN_UP)
                return NOTHING_LEFT
            except GlanceError as failure:
                if not is_unreachable(failure) or time.monotonic() > end:
                    return self._left(image_id, failure, ask=patience > 0)
            time.sleep(SECONDS_BETWEEN_TRIES)

    def _left(self, image_id: str, failure: GlanceError, ask: bool) -> str:
        """Return what is left of an image of which nobody knows whether Glance deletes it yet.

        :param ask: whether there is time to ask Glance.
        """
        why = f"could not be deleted ({failure.answer})"
        with contextlib.suppress(GlanceError):
            record = self._api.get(image_id) if ask else {}
            if record is None:
                return NOTHING_LEFT
            if record:
                data = f"with its {record['size']} bytes" if record["size"] else "without data"
                return f"the image {image_id} was left {data} and {why}"
        return f"the image {image_id} {why}, and may be left in Glance"

    def refill(self, source: AnySource, record: Record) -> Uploaded:
        """Fill an image that was there without data; it stays without, or goes with data that could not be verified.

        :raises GlanceError: when it could not be filled.
        """
        try:
            return self._fill(source, record)
        except BaseException as error:
            # The next run would take the data for those of the source, where Glance has no checksum to compare.
            if not self._is_active:
                raise
            raise self._undo(record["id"], error) from error

    def _fill(self, source: AnySource, record: Record) -> Uploaded:
        """Bring in the data of an image that has none, and make sure that they arrived."""
        started = time.monotonic()
        if isinstance(source, FetchedSource):
            self._arrived = source.size or 0
            record = self._importer.run(record["id"], source.method, self._first_stores(), source.size)
            self._arrived, self._is_active = record["size"], True
            self._verify_fetched(source, record)
            return Uploaded(self._note_checksum(source, record), 0, time.monotonic() - started)
        algorithms = {"sha512"}
        if source.checksum is not None:
            algorithms.add(source.checksum.algorithm)
        if "os_hash_value" not in record:
            # Releases before Rocky compute nothing else.
            algorithms.add("md5")
        stream = Stream(source, algorithms, self._progress)
        self._progress.begin("uploaded", source.size)
        record = self._send(record, source, stream)
        self._is_active = True
        seconds = time.monotonic() - started
        self._verify(source, record, stream)
        if isinstance(source, FileSource):
            source.remember(stream, algorithms)
        return Uploaded(self._note_checksum(source, record), stream.done, seconds)

    def _note_checksum(self, source: AnySource, record: Record) -> Record:
        """Note the checksum that Glance does not compute, now that the data are known to have it.

        The next run trusts it: with a run that is killed before this, there is nothing to trust.
        """
        declared = source.checksum
        if declared is None or isinstance(source, (UnpackedSource, ConvertedSource)):
            return record
        if declared.algorithm in computed_hashes(record):
            return record
        return self._api.update(record, {HASH_PROPERTY + declared.algorithm: declared.value})

    def _send(self, record: Record, source: AnySource, stream: Stream) -> Record:
        patience = self._patience(source)
        try:
            if self._wanted.import_method == "glance-direct":
                self._api.stage(record["id"], stream, patience)
            else:
                self._api.upload(record["id"], stream, self._wanted.first_store, patience)
        except GlanceError as error:
            raise self._explain(error, stream) from error
        finally:
            self._arrived = stream.done
        if self._wanted.import_method == "glance-direct":
            return self._importer.run(record["id"], {"name": "glance-direct"}, self._first_stores(), stream.done)
        return self._wait_until_active(record["id"])

    def _first_stores(self) -> t.Optional[list[str]]:
        return [self._wanted.first_store] if self._wanted.first_store else None

    def _verify_fetched(self, source: FetchedSource, record: Record) -> None:
        """Compare what Glance fetched by itself: by its checksum, or by reading the data back."""
        declared = source.checksum
        if declared is None:
            self._warn(f"{self._wanted.shown} could not be verified: no checksum was declared")
            return
        found = computed_hashes(record).get(declared.algorithm)
        if found is None:
            self._progress.begin("read back", record["size"])
            timeout, progress = self._wanted.timeout, self._progress
            found = Download(self._api, record, declared.algorithm, timeout=timeout, progress=progress).run()
        if found != declared.value:
            raise wrong_checksum(f"{self._wanted.shown} in Glance, from {source.shown}", declared, found)

    def _patience(self, source: AnySource) -> float:
        """Return how many seconds Glance may be silent while it takes the data."""
        return self._wanted.timeout + self._largest(source) / SLOWEST_STORE

    def _largest(self, source: AnySource) -> int:
        """Return how many bytes there are; where nobody knows beforehand, how many there can be."""
        if source.size is not None:
            return source.size
        packed = source.packed_size if isinstance(source, UnpackedSource) else None
        most = self._wanted.max_size
        return most if packed is None else min(most, packed * MOST_OF_PACKED)

    def _explain(self, error: GlanceError, stream: Stream) -> GlanceError:
        if not is_of_the_api(error):
            return error
        cause, remedy = UPLOAD_FAILURES.get(status_of(error) or 0, (error.cause, error.remedy))
        sent = "" if status_of(error) else f" after {stream.done} bytes"
        return GlanceError(
            f"uploading {self._wanted.shown}", answer=f"{error.answer}{sent}", cause=cause, remedy=remedy
        )

    def _wait_until_active(self, image_id: str) -> Record:
        doing = f"uploading {self._wanted.shown}"
        record: t.Optional[Record] = None
        with told(doing):
            # Another node of the API may not see yet what the one that took the data has written.
            for _turn in openstack.utils.iterate_timeout(
                SECONDS_TO_BECOME_ACTIVE, "the image is not active yet", wait=1
            ):
                record = self._api.get(image_id)
                if record is None or record["status"] not in BUSY:
                    break
        if record is None or record["status"] != "active":
            raise GlanceError(
                doing,
                answer=f"the data were sent, but the status is {record['status'] if record else 'deleted'}",
                cause="a store that failed",
                remedy="look for the image's id in the log of glance-api",
            )
        return record

    def _verify(self, source: AnySource, record: Record, stream: Stream) -> None:
        doing = f"comparing {self._wanted.shown} in Glance with what was sent"
        cause, remedy = "data that were damaged on the way or in the store", "run the task again, and look at the store"
        if self._wanted.import_method == "glance-direct":
            cause += ", or a plugin of Glance's imports that changes them, such as image_conversion"
            remedy += "; set import_method: upload, and convert where it is wanted"
        if record["size"] != stream.done:
            answer = f"{stream.done} bytes were sent, Glance has {record['size']}"
            raise GlanceError(doing, answer=answer, cause=cause, remedy=remedy)
        for algorithm, value in computed_hashes(record).items():
            found = stream.digest(algorithm)
            if found is None and isinstance(source, FileSource) and can_compute(algorithm):
                found = source.digest(algorithm)
            if found is None:
                continue
            if found != value:
                answer = f"{algorithm} of what was sent is {found}, of what Glance has {value}"
                raise GlanceError(doing, answer=answer, cause=cause, remedy=remedy)
            return
        self._warn(f"{self._wanted.shown} could not be verified: Glance has no checksum of it that could be compared")


UPLOAD_FAILURES = {
    0: (
        "a service or a proxy that stopped in the middle, or a proxy that limits the size of what passes",
        "look into the logs of the proxy and of glance-api",
    ),
    400: ("data that Glance does not accept for these formats", "look into the log of glance-api"),
    401: (
        "tokens that Glance does not take, not even a new one",
        "look for what keystonemiddleware says in the log of glance-api",
    ),
    403: ("a policy or a quota", "look into the log of glance-api"),
    404: ("somebody deleted the image meanwhile", "run the task again"),
    409: ("somebody else uploads to this image, or deleted it meanwhile", "run the task again"),
    410: (
        "a store that could not be initialised and takes no images",
        "look for the name of the store in the log of glance-api from its last start",
    ),
    413: (
        "a full store, a quota, or an image larger than image_size_cap",
        "make room, or raise the limit, and run the task again",
    ),
    415: (
        "bytes that are not of the disk format, as Glance sees it",
        "declare the format that the bytes have, or convert the image with qemu-img",
    ),
    500: ("a store that is down or refuses the credentials", "look into the log of glance-api"),
    503: (
        "a store that Glance may not write to, or that is full; or a proxy without a glance-api behind it",
        "look into the log of glance-api, and at owner, mode and free space of the store's directory",
    ),
}
"""What usually causes a refusal of the data, and what to do, by HTTP status."""
