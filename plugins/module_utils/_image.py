# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""One image in Glance: found, compared with what was declared, uploaded, changed, replaced or deleted."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
import uuid

from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_format
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi, is_unreachable
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import Checksum, ChecksumFiles
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_convert import ConvertedSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_find import (
    Found,
    Search,
    SearchEach,
    begun_elsewhere,
    find,
    owner_id,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_import import Importer
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_prepare import (
    AnySource,
    FetchedSource,
    checksum_files,
    checksum_of,
    source_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import ProgressFile, Teller
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import (
    ACTIVE,
    BUSY,
    REPLACES_NOTE,
    SOURCE_NOTE,
    Record,
    can_compute,
    computed_hashes,
    known_hashes,
    note_of,
    noted,
    notes_of_data,
    properties_of,
    shown,
    size_in_stores,
    stores_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_sharing import Sharing
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import stoppable
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import FileSource, UrlSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_unpack import UnpackedSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_upload import Uploader, Warn
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_versions import Versions
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect


@dataclasses.dataclass
class Outcome:
    """What was done, or would be."""

    action: str
    """created, filled, replaced, changed, deleted or unchanged."""
    difference: Difference
    record: t.Optional[Record] = None
    uploaded: int = 0
    seconds: float = 0.0

    def as_result(self) -> dict[str, t.Any]:
        """Return it as the module returns it."""
        return {
            "changed": self.difference.changed,
            "action": self.action,
            "diff": self.difference.as_diff(),
            "image": shown(self.record),
            "uploaded": self.uploaded,
            "seconds": round(self.seconds, 3),
        }


class ImageKeeper:
    """Makes one image what was declared."""

    def __init__(
        self,
        api: ImageApi,
        wanted: Declaration,
        *,
        check_mode: bool = False,
        warn: Warn = lambda text: None,
        progress: t.Optional[Teller] = None,
        search: t.Optional[Search] = None,
        catalog: t.Optional[str] = None,
        files: t.Optional[ChecksumFiles] = None,
    ) -> None:
        self._api = api
        self._wanted = wanted
        self._check_mode = check_mode
        self._warn = warn
        self._progress = progress or ProgressFile()
        self._search = search or SearchEach(api)
        self._files = files or checksum_files(wanted.timeout)
        self._checksum: t.Optional[Checksum] = None
        self._project: t.Optional[str] = None
        self._deactivated = wanted.deactivated
        self._sharing = Sharing(api, wanted)
        self._versions = Versions(api, self._search, wanted, warn)
        self._importer = Importer(api, wanted, self._progress)
        self._uploader = Uploader(api, wanted, warn=warn, progress=self._progress, catalog=catalog)

    def keep(self) -> Outcome:
        """Do what has to be done, and tell what it was.

        :raises GlanceError: when something is wrong; nothing was changed then, or what was begun was undone.
        """
        if self._wanted.state == "absent":
            return self._absent()
        self._checksum = checksum_of(self._wanted, self._files)
        source = source_of(self._wanted, self._checksum, self._progress)
        with contextlib.closing(source) if source else contextlib.nullcontext():
            if isinstance(source, FileSource):
                source.open()
            return self._present(source)

    def _absent(self) -> Outcome:
        difference = Difference()
        owner, (record, begun, _leftover), reached = self._observe()
        if record is not None:
            self._refuse_protected(record)
            begun = begun or self._begun_elsewhere(record, owner)
            difference.compare("state", "present", "absent")
            difference.compare("id", record["id"], None)
        if begun is not None:
            self._refuse_busy(begun)
            difference.compare("replacement", begun["id"], None)
        # An id means one image.
        if reached and self._wanted.id is None:
            self._versions.compare({"owner": owner or self._project}, difference)
        if difference.changed and not self._check_mode:
            self._discard(begun)
            if record is not None:
                self._api.delete(record["id"], size_in_stores(record))
            self._versions.trim(None, difference)
        return Outcome("deleted" if difference.changed else "unchanged", difference, record)

    def _begun_elsewhere(self, record: Record, owner: t.Optional[str]) -> t.Optional[Record]:
        """Return a replacement that was begun where nobody looks as long as the image stays."""
        begun = begun_elsewhere(self._search, self._wanted, record, owner or record.get("owner"))
        if begun is not None:
            self._refuse_busy(begun)
        return begun

    def _refuse_protected(self, record: Record) -> None:
        if record.get("protected"):
            raise GlanceError(
                f"deleting {self._wanted.shown} ({record['id']})",
                answer="it is protected",
                remedy="set protected: false first, when it really has to go",
            )

    def _discard(self, begun: t.Optional[Record]) -> None:
        """Delete a replacement that was begun, if there is one; the image that it was to replace is still there."""
        if begun is None:
            return
        if begun.get("protected"):
            self._api.update(begun, {"protected": False})
        self._api.delete(begun["id"], size_in_stores(begun))

    def _present(self, source: t.Optional[AnySource]) -> Outcome:
        owner, (record, begun, leftover), reached = self._observe()
        if record is None:
            return self._new(source, owner, reached)
        self._versions.resume(leftover)
        if begun is not None:
            self._refuse_busy(begun)
        elif source is not None and record["status"] == "queued":
            return self._fill(source, record, owner)
        if source is not None:
            self._refuse_busy(record)
            differences = self._immutable_differences(source, record)
            if differences.changed:
                return self._replace(source, record, begun, owner, differences)
        return self._change(record, begun, owner)

    def _observe(self) -> tuple[t.Optional[str], Found, bool]:
        """Return the id of the owner, what was found, and whether Glance could be asked."""
        self._api.authenticate()
        owner, self._project = owner_id(self._api, self._wanted.owner)
        try:
            return owner, find(self._search, self._wanted, owner, self._project), True
        except GlanceError as error:
            if not self._check_mode or not is_unreachable(error):
                raise
            self._warn(f"Glance cannot be asked yet, the image is taken as missing: {error}")
            return owner, Found(), False

    def _refuse_busy(self, record: Record) -> None:
        if record["status"] in BUSY:
            raise GlanceError(
                f"looking at {self._wanted.shown}",
                answer=f"the image {record['id']} is in the status {record['status']} since {record['updated_at']}",
                cause="an upload that still runs, or one that was killed together with its glance-api",
                remedy="wait for it; when nobody is uploading it any more, delete the image by its id and run again",
            )

    def _immutable_differences(self, source: AnySource, record: Record) -> Difference:
        """Compare what Glance can never change in an image that has data."""
        difference = Difference()
        declared = self._wanted.convert or self._wanted.disk_format
        if self._wanted.container_format is not None:
            difference.compare("container_format", record["container_format"], self._wanted.container_format)
        if declared != "auto":
            difference.compare("disk_format", record["disk_format"], declared)
        elif isinstance(source, FileSource) and record["container_format"] in _image_format.UNPACKED:
            inspection = _image_format.inspect(source)
            if not _image_format.agrees(record["disk_format"], inspection):
                difference.compare("disk_format", record["disk_format"], _image_format.disk_format_of(inspection))
        if isinstance(source, FileSource):
            self._compare_file(source, record, difference)
        elif isinstance(source, (UnpackedSource, ConvertedSource)):
            self._compare_source(source, record, difference)
        else:
            self._compare_url(source, record, difference)
        return difference

    def _compare_source(
        self, source: t.Union[UnpackedSource, ConvertedSource], record: Record, difference: Difference
    ) -> None:
        """Compare what the data were made from, as the data themselves would have to be made again."""
        known = str(record.get(SOURCE_NOTE) or "")
        algorithm = known.partition(":")[0]
        found = source.identity(algorithm if can_compute(algorithm) else None)
        if known and found is not None and found.algorithm == algorithm:
            difference.compare("source", known, str(found))
        else:
            self._warn(f"{self._wanted.shown} was not compared with {source.shown}: declare the checksum of the source")

    def _compare_file(self, source: FileSource, record: Record, difference: Difference) -> None:
        source.check_checksum()
        if difference.compare("size", record["size"], source.size):
            return
        for algorithm, value in known_hashes(record).items():
            if can_compute(algorithm):
                difference.compare("content", f"{algorithm}:{value}", f"{algorithm}:{source.digest(algorithm)}")
                return
        self._warn(
            f"{self._wanted.shown} was compared with {source.shown} by its size only: Glance has no checksum of it"
        )

    def _compare_url(self, source: t.Union[UrlSource, FetchedSource], record: Record, difference: Difference) -> None:
        known = known_hashes(record)
        declared = self._checksum
        if declared is not None and declared.algorithm in known:
            difference.compare("content", f"{declared.algorithm}:{known[declared.algorithm]}", str(declared))
            return
        hint = "declare its checksum with sha512 to have the content compared"
        try:
            source.open()
        except GlanceError as error:
            self._warn(f"{self._wanted.shown} could not be compared with its source; {hint}: {error}")
            return
        if source.size is None or not difference.compare("size", record["size"], source.size):
            how = "not" if source.size is None else "by its size only"
            self._warn(f"{self._wanted.shown} was compared with {source.shown} {how}; {hint}")

    def _change(self, record: Record, begun: t.Optional[Record], owner: t.Optional[str]) -> Outcome:
        """Change what can be changed in place; a replacement that was begun is not wanted any more."""
        self._look_at_store(record)
        if self._wanted.stores and not stores_of(record):
            # Glance writes the store of an image into its record when it is asked for it.
            record = self._api.get(record["id"]) or record
        difference = self._compare(record, owner)
        updates = difference.updates
        self._compare_further(record, difference)
        self._versions.compare(record, difference)
        difference.compare("replacement", begun and begun["id"], None)
        self._refuse_without_data(record, difference)
        self._refuse_to_copy(record, difference)
        if "stores" in difference:
            self._uploader.check_stores()
        if difference.changed and not self._check_mode:
            self._discard(begun)
            # The note that tells of an old version is among the updates, and goes only when that is dealt with.
            self._versions.trim(record, difference)
            record = self._settle(self._update(record, updates))
        return Outcome("changed" if difference.changed else "unchanged", difference, record)

    def _update(self, record: Record, updates: Record) -> Record:
        return self._api.update(record, updates) if updates else record

    def _compare(self, record: Record, owner: t.Optional[str]) -> Difference:
        """Compare the attributes and properties."""
        difference = Difference()
        for name, value in self._declared(owner).items():
            observed = sorted(record.get("tags") or []) if name == "tags" else record.get(name)
            difference.compare(name, observed, value)
        properties = self._wanted.wanted_properties()
        for name, value in properties.items():
            difference.compare(name, record.get(name), value)
        if self._wanted.properties_mode == "exact":
            for name in properties_of(record):
                if name not in properties:
                    difference.compare(name, record[name], None)
        if self._wanted.id is None and noted(record, REPLACES_NOTE):
            difference.compare(REPLACES_NOTE, record[REPLACES_NOTE], None)
        return difference

    def _declared(self, owner: t.Optional[str]) -> Record:
        wanted = self._wanted
        values = {
            "name": wanted.name,
            "visibility": wanted.visibility,
            "protected": wanted.protected,
            "os_hidden": wanted.hidden,
            "min_disk": wanted.min_disk,
            "min_ram": wanted.min_ram,
            "owner": owner,
            "tags": None if wanted.tags is None else sorted(set(wanted.tags)),
        }
        return {name: value for name, value in values.items() if value is not None}

    def _compare_further(self, record: t.Optional[Record], difference: Difference) -> None:
        """Compare what is no attribute, and so is changed by requests of its own."""
        self._sharing.compare(record, difference)
        if self._wanted.deactivated is not None:
            present = record is not None and record["status"] == "deactivated"
            difference.compare("deactivated", present, self._wanted.deactivated)
        if self._wanted.stores:
            self._compare_stores(record, difference)

    def _compare_stores(self, record: t.Optional[Record], difference: Difference) -> None:
        present = stores_of(record) if record else None
        wanted = [*(present or []), *(store for store in self._wanted.stores or [] if store not in (present or []))]
        difference.compare("stores", present, wanted)

    def _refuse_without_data(self, record: Record, difference: Difference) -> None:
        if ("stores" in difference or "deactivated" in difference) and record["status"] not in ACTIVE:
            raise GlanceError(
                f"looking at {self._wanted.shown}",
                answer=f"the image {record['id']} is in the status {record['status']}, and only one with data can be"
                " copied or deactivated",
                cause="an upload that still runs, or one that was killed",
                remedy="declare a source, or run again when the image is active",
            )

    def _refuse_to_copy(self, record: Record, difference: Difference) -> None:
        if "stores" in difference and record["status"] == "deactivated" and self._wanted.deactivated is not False:
            raise GlanceError(
                f"copying {self._wanted.shown}",
                answer=f"it is in {', '.join(stores_of(record))}, and Glance does not copy deactivated images",
                remedy="set deactivated: false",
            )

    def _settle(self, record: Record) -> Record:
        """Apply what is no attribute."""
        self._sharing.apply(record)
        if self._deactivated is False and record["status"] == "deactivated":
            record = self._activate(record, True)
        if self._importer.missing_stores(record):
            record = self._importer.copy(record)
        if self._deactivated and record["status"] == "active":
            record = self._activate(record, False)
        return record

    def _activate(self, record: Record, active: bool) -> Record:
        self._api.set_active(record["id"], active)
        return {**record, "status": "active" if active else "deactivated"}

    def _look_at_store(self, record: Record) -> None:
        stores = stores_of(record)
        if self._wanted.store is not None and stores and self._wanted.store not in stores:
            self._warn(
                f"{self._wanted.shown} lies in {', '.join(stores)}, not in {self._wanted.store}:"
                " the module does not move images that are there"
            )

    def _new(self, source: t.Optional[AnySource], owner: t.Optional[str], reached: bool) -> Outcome:
        doing = f"uploading {self._wanted.shown}"
        if self._wanted.name is None or source is None:
            missing = "a name" if self._wanted.name is None else "a source"
            raise GlanceError(
                doing, answer=f"there is no such image yet, and {missing} was not given", remedy="give it"
            )
        attributes = self._attributes({"container_format": "bare"}, source, owner)
        if self._wanted.id is not None:
            attributes["id"] = self._wanted.id
        difference = Difference()
        for name, value in [*attributes.items(), ("size", source.size)]:
            difference.compare(name, None, value)
        self._compare_further(None, difference)
        if reached:
            # Old versions stay when the image itself is deleted by hand.
            self._versions.compare({"name": self._wanted.name, "owner": owner or self._project}, difference)
            self._uploader.check_stores()
        if self._check_mode:
            return Outcome("created", difference)
        outcome = self._created("created", difference, source, attributes)
        self._versions.trim(outcome.record or {}, difference)
        return outcome

    def _created(
        self,
        action: str,
        difference: Difference,
        source: AnySource,
        attributes: Record,
        members: t.Collection[str] = (),
    ) -> Outcome:
        # A protected image could not be deleted again when something goes wrong.
        protected = attributes.pop("protected", None)
        made = self._uploader.create(source, attributes, lambda record: self._finish(record, protected, members))
        return Outcome(action, difference, made.record, made.bytes, made.seconds)

    def _finish(self, record: Record, protected: t.Optional[bool], members: t.Collection[str]) -> Record:
        """Do to an image that has its data what is left to be done.

        :param members: those of the image that it replaces.
        """
        self._take_over(record, members)
        record = self._settle(record)
        wanted = bool(record["protected"] if protected is None else protected)
        return record if wanted == record["protected"] else self._api.update(record, {"protected": wanted})

    def _attributes(self, inherited: Record, source: AnySource, owner: t.Optional[str]) -> Record:
        """Return the attributes of an image to create, after looking at the bytes."""
        container_format = self._wanted.container_format or inherited["container_format"]
        attributes = {**inherited, **self._declared(owner), "container_format": container_format}
        source.open()
        if isinstance(source, FileSource):
            source.check_checksum()
        attributes["disk_format"] = source.choose(self._wanted.disk_format, container_format)
        attributes.update(self._wanted.wanted_properties())
        if isinstance(source, (UnpackedSource, ConvertedSource)):
            found = source.identity()
            attributes[SOURCE_NOTE] = str(found) if found else None
        return {name: value for name, value in attributes.items() if value is not None}

    def _fill(self, source: AnySource, record: Record, owner: t.Optional[str]) -> Outcome:
        """Upload into an image without data: what a run that was killed leaves behind."""
        attributes = self._attributes({"container_format": record["container_format"] or "bare"}, source, owner)
        # Nothing that is noted of its data can be true: it has none. The next run would trust it.
        attributes = {**dict.fromkeys(notes_of_data(record)), **attributes}
        difference = self._compare(record, owner)
        for name, value in attributes.items():
            if name != "tags":
                difference.compare(name, record.get(name), value)
        updates = difference.updates
        self._compare_further(record, difference)
        self._versions.compare(record, difference)
        difference.compare("status", record["status"], "active")
        difference.compare("size", record["size"], source.size)
        self._uploader.check_stores()
        if self._check_mode:
            return Outcome("filled", difference, record)
        protected = updates.pop("protected", None)
        made = self._uploader.refill(source, self._update(record, updates))
        record = self._settle(made.record)
        if protected is not None:
            record = self._api.update(record, {"protected": protected})
        self._versions.trim(record, difference)
        return Outcome("filled", difference, record, made.bytes, made.seconds)

    def _replace(
        self,
        source: AnySource,
        record: Record,
        begun: t.Optional[Record],
        owner: t.Optional[str],
        differences: Difference,
    ) -> Outcome:
        """Let another image take the place of one: the one that was begun, when it is what was declared."""
        self._refuse_to_replace(record, differences)
        begun = begun or self._begun_elsewhere(record, owner)
        adopted = begun if begun and self._is_whole(source, begun) else None
        attributes = self._attributes(self._inherited(record), source, owner)
        for name, value in self._compare(record, owner).updates.items():
            differences.compare(name, record.get(name), value)
            if value is None:
                attributes.pop(name, None)
        self._compare_further(record, differences)
        differences.compare("id", record["id"], adopted["id"] if adopted else "a new one")
        if begun is not adopted:
            differences.compare("replacement", begun and begun["id"], None)
        self._versions.compare(record, differences, more=1)
        self._uploader.check_stores()
        if self._check_mode:
            return Outcome("replaced", differences, record)
        shared = record["visibility"] == attributes.get("visibility") == "shared" and self._wanted.members is None
        members = self._api.members(record["id"]) if shared else {}
        if record["status"] == "deactivated" and self._deactivated is None:
            # Not at once: Glance copies no deactivated image to further stores.
            self._deactivated = True
        if adopted:
            outcome = self._adopted(differences, adopted, attributes, members)
        else:
            self._discard(begun)
            # The next run knows by this what to do, when this one is interrupted.
            attributes["id"] = str(uuid.uuid4())
            attributes[REPLACES_NOTE] = note_of(attributes["id"], str(record["id"]))
            outcome = self._created("replaced", differences, source, attributes, members)
        return self._retire(record, outcome)

    def _retire(self, record: Record, outcome: Outcome) -> Outcome:
        """Put away the image that was replaced, and the note that it is being replaced."""
        new = outcome.record or {}
        self._versions.retire(record, new, outcome.difference)
        return dataclasses.replace(outcome, record=self._api.update(new, {REPLACES_NOTE: None}))

    def _is_whole(self, source: AnySource, begun: Record) -> bool:
        """Tell whether a replacement is known to hold what was declared."""
        if begun["status"] != "active" or not self._can_prove(source, begun):
            return False
        return not self._immutable_differences(source, begun).changed

    def _can_prove(self, source: AnySource, record: Record) -> bool:
        """Tell whether Glance itself has computed a checksum that the data of the source must have."""
        computed = computed_hashes(record)
        if isinstance(source, FileSource):
            return any(can_compute(algorithm) for algorithm in computed)
        if isinstance(source, (UrlSource, FetchedSource)):
            return self._checksum is not None and self._checksum.algorithm in computed
        return False

    def _adopted(
        self, difference: Difference, begun: Record, attributes: Record, members: t.Collection[str]
    ) -> Outcome:
        """Do to a replacement that has its data already what is left to be done."""
        protected = attributes.pop("protected", None)
        updates = {name: value for name, value in attributes.items() if begun.get(name) != value}
        updates.update({name: None for name in properties_of(begun) if name not in attributes})
        record = self._finish(self._update(begun, updates), protected, members)
        return Outcome("replaced", difference, record)

    def _take_over(self, new: Record, members: t.Collection[str]) -> None:
        """Share an image with the members of the one that it replaces."""
        present = self._api.members(new["id"]) if members else {}
        for member in {*members} - present.keys():
            self._api.add_member(new["id"], member)
        if members:
            self._warn(f"{self._wanted.shown} has a new id ({new['id']}): {', '.join(members)} have to accept it again")

    def _refuse_to_replace(self, record: Record, differences: Difference) -> None:
        if self._wanted.replace:
            return
        told = differences.as_diff()
        answer = "; ".join(
            f"{name} is {told['before'][name]} in Glance and {told['after'][name]} in the source or declaration"
            for name in sorted(differences.updates)
        )
        raise GlanceError(
            f"comparing {self._wanted.shown} ({record['id']}) with its source",
            answer=answer,
            cause="a source that was published anew; Glance cannot change the data and formats of an image",
            remedy="set replace: true to upload a new image and retire the old one, or declare another name",
        )

    @staticmethod
    def _inherited(record: Record) -> Record:
        kept = ("name", "visibility", "protected", "os_hidden", "owner", "min_disk", "min_ram", "tags")
        inherited = {name: record[name] for name in (*kept, "container_format") if name in record}
        inherited.update({name: record[name] for name in properties_of(record)})
        return inherited


def run(params: dict[str, t.Any], *, check_mode: bool = False, warn: Warn = lambda text: None) -> dict[str, t.Any]:
    """Do what the parameters of the module say, and return its result.

    :raises GlanceError: when it cannot be done.
    """
    wanted = Declaration.from_options(params)
    api = ImageApi(connect(params))
    progress = ProgressFile(params.get("progress_file"))
    with stoppable():
        outcome = ImageKeeper(api, wanted, check_mode=check_mode, warn=warn, progress=progress).keep()
    return {**outcome.as_result(), "requests": api.requests}
