# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""One image in Glance: found, compared with what was declared, uploaded, changed, replaced or deleted."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import signal
import time
import typing as t
import uuid

from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_format
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import (
    ImageApi,
    Record,
    is_of_the_api,
    is_unreachable,
    status_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import ProgressFile
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import (
    FileSource,
    Stream,
    UrlSource,
    open_source,
    parse_checksum,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect, told

with contextlib.suppress(ImportError):
    import openstack.utils

AnySource = t.Union[FileSource, UrlSource]

OWN_ATTRIBUTES = frozenset(
    {"id", "name", "status", "visibility", "protected", "os_hidden", "owner", "tags", "min_ram", "min_disk"}
    | {"checksum", "os_hash_algo", "os_hash_value", "size", "virtual_size", "container_format", "disk_format"}
    | {"created_at", "updated_at", "direct_url", "locations", "stores", "file", "schema", "self"}
)
"""What Glance gives every image; anything else in a record is a property."""

NOT_SHOWN = frozenset({"direct_url", "locations", "file", "schema", "self"})
"""Locations can hold the credentials of a store."""

HASH_PROPERTY = "owner_specified.openstack."
"""Where openstacksdk keeps checksums of a kind that Glance does not compute."""

BUSY = ("saving", "uploading", "importing")
SECONDS_TO_BECOME_ACTIVE = 60
SECONDS_TO_CLEAN_UP = 30


@dataclasses.dataclass(frozen=True)
class Declaration:
    """What was declared of an image: the options of the module. None stands for what was not declared."""

    name: t.Optional[str] = None
    id: t.Optional[str] = None
    state: str = "present"
    source: t.Optional[str] = None
    checksum: t.Optional[str] = None
    disk_format: str = "auto"
    container_format: t.Optional[str] = None
    visibility: t.Optional[str] = None
    properties: t.Optional[dict[str, t.Any]] = None
    purge_properties: bool = False
    tags: t.Optional[list[str]] = None
    protected: t.Optional[bool] = None
    hidden: t.Optional[bool] = None
    min_disk: t.Optional[int] = None
    min_ram: t.Optional[int] = None
    owner: t.Optional[str] = None
    store: t.Optional[str] = None
    replace: bool = False
    timeout: int = 600

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any]) -> Declaration:
        """Take what belongs to the image from the parameters of the module.

        :raises GlanceError: when the options contradict each other, or a value is impossible.
        """
        declaration = cls(**{field.name: options[field.name] for field in dataclasses.fields(cls)})
        declaration.check()
        return declaration

    @property
    def shown(self) -> str:
        """The image as messages name it."""
        return f"the image {self.name or self.id!r}"

    def check(self) -> None:
        """Refuse what no cloud could accept."""
        parse_checksum(self.checksum)
        doing = f"reading the options of {self.shown}"
        if self.id is not None and not _is_uuid(self.id):
            raise GlanceError(doing, answer=f"id is {self.id!r}, which is no UUID", remedy="make one with uuidgen")
        if self.id is not None and self.replace:
            raise GlanceError(
                doing,
                answer="an image with an id of its own cannot be replaced",
                cause="Glance never gives the id of a deleted image to another one",
                remedy="leave out id, or leave out replace and declare a new image with another id",
            )
        for option in ("min_disk", "min_ram"):
            value = getattr(self, option)
            if value is not None and value < 0:
                raise GlanceError(doing, answer=f"{option} is {value}", remedy="give 0 or more")
        self.wanted_properties()

    def wanted_properties(self) -> dict[str, t.Optional[str]]:
        """Return the declared properties as Glance keeps them: texts, and None for those to remove.

        :raises GlanceError: when one of them is not a property, or its value no text.
        """
        return {name: self._property(name, value) for name, value in (self.properties or {}).items()}

    def _property(self, name: str, value: t.Any) -> t.Optional[str]:
        doing = f"reading the properties of {self.shown}"
        if name in OWN_ATTRIBUTES or name.startswith("os_glance_"):
            raise GlanceError(
                doing,
                answer=f"{name} is an attribute of every image, not a property",
                remedy="use the option of the module, where there is one",
            )
        if isinstance(value, bool):
            return str(value).lower()
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (int, float)):
            return str(value)
        raise GlanceError(doing, answer=f"{name} is {value!r}", remedy="give a text, a number, a boolean or null")


def _is_uuid(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text))


class Stopped(BaseException):
    """The module was told to stop."""


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stoppable() -> t.Iterator[None]:
    """Let the signals that end a process end it in an orderly way: what was begun is undone first.

    :raises GlanceError: after such a signal.
    """

    def stop(number: int, _frame: t.Any) -> None:
        raise Stopped(signal.Signals(number).name)

    try:
        with _handling(stop):
            yield
    except Stopped as signalled:
        raise GlanceError(f"the module was stopped by {signalled}") from signalled


@contextlib.contextmanager
def _handling(handler: t.Any) -> t.Iterator[None]:
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@dataclasses.dataclass
class Outcome:
    """What the module reports."""

    difference: Difference
    record: t.Optional[Record] = None
    uploaded: int = 0
    seconds: float = 0.0

    def as_result(self) -> dict[str, t.Any]:
        """Return it as the module returns it."""
        shown = {name: value for name, value in (self.record or {}).items() if name not in NOT_SHOWN}
        return {
            "changed": self.difference.changed,
            "diff": self.difference.as_diff(),
            "image": shown or None,
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
        warn: t.Callable[[str], None] = lambda text: None,
        progress: t.Optional[ProgressFile] = None,
    ) -> None:
        self._api = api
        self._wanted = wanted
        self._check_mode = check_mode
        self._warn = warn
        self._progress = progress or ProgressFile()
        self._checksum = parse_checksum(wanted.checksum)

    def keep(self) -> Outcome:
        """Do what has to be done, and tell what it was.

        :raises GlanceError: when something is wrong; nothing was changed then, or what was begun was undone.
        """
        if self._wanted.state == "absent":
            return self._absent()
        source = None
        if self._wanted.source is not None:
            source = open_source(self._wanted.source, self._checksum, self._progress, self._wanted.timeout)
        with contextlib.closing(source) if source else contextlib.nullcontext():
            if isinstance(source, FileSource):
                source.open()
            return self._present(source)

    def _absent(self) -> Outcome:
        difference = Difference()
        _owner, record, _reached = self._observe()
        if record is None:
            return Outcome(difference)
        if record.get("protected"):
            raise GlanceError(
                f"deleting {self._wanted.shown} ({record['id']})",
                answer="it is protected",
                remedy="set protected: false first, when it really has to go",
            )
        difference.compare("state", "present", "absent")
        difference.compare("id", record["id"], None)
        if not self._check_mode:
            self._api.delete(record["id"])
        return Outcome(difference, record)

    def _present(self, source: t.Optional[AnySource]) -> Outcome:
        owner, record, reached = self._observe()
        if record is None:
            return self._new(source, owner, reached)
        if source is not None and record["status"] == "queued":
            return self._fill(source, record, owner)
        if source is not None:
            self._refuse_busy(record)
            differences = self._immutable_differences(source, record)
            if differences.changed:
                return self._replace(source, record, owner, differences)
        self._look_at_store(record)
        difference = self._compare(record, owner)
        if difference.changed and not self._check_mode:
            record = self._api.update(record, difference.updates)
        return Outcome(difference, record)

    def _observe(self) -> tuple[t.Optional[str], t.Optional[Record], bool]:
        """Return the id of the owner, the image, and whether Glance could be asked."""
        self._api.authenticate()
        project, project_name = self._api.own_project()
        owner = self._wanted.owner
        if owner is not None and owner in (project, project_name):
            owner = project
        elif owner is not None and not re.fullmatch("[0-9a-f]{32}", owner.replace("-", "")):
            owner = self._api.project_id(owner)
        try:
            return owner, self._find(owner, project), True
        except GlanceError as error:
            if not self._check_mode or not is_unreachable(error):
                raise
            self._warn(f"Glance cannot be asked yet, the image is taken as missing: {error}")
            return owner, None, False

    def _find(self, owner: t.Optional[str], project: t.Optional[str]) -> t.Optional[Record]:
        if self._wanted.id is not None:
            return self._api.get(self._wanted.id)
        for filters in self._places(owner, project):
            # Without "eq:" a colon in the name would be taken for an operator.
            found = self._api.find(name=f"eq:{self._wanted.name}", **filters)
            if len(found) > 1:
                raise GlanceError(
                    f"looking for {self._wanted.shown}",
                    answer=f"there are {len(found)} of that name: {', '.join(sorted(str(i['id']) for i in found))}",
                    cause="images that were uploaded by hand, or by two runs at once",
                    remedy="give the id of the one that is meant, or rename or delete the others",
                )
            if found:
                return found[0]
        return None

    def _places(self, owner: t.Optional[str], project: t.Optional[str]) -> t.Iterator[dict[str, str]]:
        """Return where the image may be, the likeliest first: never among the images of other projects' users."""
        project_of_it = owner or project
        mine = {"owner": project_of_it} if project_of_it else {}
        hidden = {**mine, "os_hidden": "true"}
        yield from (hidden, mine) if self._wanted.hidden else (mine, hidden)
        if owner and owner != project:
            yield {"owner": owner, "visibility": "community"}
            if project:
                yield {"owner": project}
        yield {"visibility": "public"}

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
        if self._wanted.container_format is not None:
            difference.compare("container_format", record["container_format"], self._wanted.container_format)
        if self._wanted.disk_format != "auto":
            difference.compare("disk_format", record["disk_format"], self._wanted.disk_format)
        elif isinstance(source, FileSource) and record["container_format"] in _image_format.UNPACKED:
            inspection = _image_format.inspect(source)
            if not _image_format.agrees(record["disk_format"], inspection):
                difference.compare("disk_format", record["disk_format"], _image_format.disk_format_of(inspection))
        if isinstance(source, FileSource):
            self._compare_file(source, record, difference)
        else:
            self._compare_url(source, record, difference)
        return difference

    def _compare_file(self, source: FileSource, record: Record, difference: Difference) -> None:
        source.check_checksum()
        if difference.compare("size", record["size"], source.size):
            return
        for algorithm, value in _known_hashes(record).items():
            if _can_compute(algorithm):
                difference.compare("content", f"{algorithm}:{value}", f"{algorithm}:{source.digest(algorithm)}")
                return
        self._warn(
            f"{self._wanted.shown} was compared with {source.shown} by its size only: Glance has no checksum of it"
        )

    def _compare_url(self, source: UrlSource, record: Record, difference: Difference) -> None:
        known = _known_hashes(record)
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

    def _compare(self, record: Record, owner: t.Optional[str]) -> Difference:
        """Compare everything that can be changed in place."""
        difference = Difference()
        for name, value in self._declared(owner).items():
            observed = sorted(record.get("tags") or []) if name == "tags" else record.get(name)
            difference.compare(name, observed, value)
        properties = self._wanted.wanted_properties()
        for name, value in properties.items():
            difference.compare(name, record.get(name), value)
        if self._wanted.purge_properties:
            for name in _properties_of(record):
                if name not in properties:
                    difference.compare(name, record[name], None)
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

    def _look_at_store(self, record: Record) -> None:
        stores = str(record.get("stores") or "").split(",")
        if self._wanted.store is not None and stores != [""] and self._wanted.store not in stores:
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
        if self._check_mode:
            if reached:
                self._check_store()
            return Outcome(difference)
        self._check_store()
        return self._upload_new(source, attributes, difference)

    def _attributes(self, inherited: Record, source: AnySource, owner: t.Optional[str]) -> Record:
        """Return the attributes of an image to create, after looking at the bytes."""
        container_format = self._wanted.container_format or inherited["container_format"]
        attributes = {**inherited, **self._declared(owner), "container_format": container_format}
        source.open()
        if isinstance(source, FileSource):
            source.check_checksum()
        attributes["disk_format"] = _image_format.choose(source, self._wanted.disk_format, container_format)
        attributes.update(self._wanted.wanted_properties())
        if self._checksum is not None and self._checksum.algorithm not in ("md5", "sha512"):
            attributes[HASH_PROPERTY + self._checksum.algorithm] = self._checksum.value
        return {name: value for name, value in attributes.items() if value is not None}

    def _check_store(self) -> None:
        if self._wanted.store is None:
            return
        stores = self._api.stores()
        if stores is None or self._wanted.store not in stores:
            raise GlanceError(
                f"uploading {self._wanted.shown}",
                answer=f"the store {self._wanted.store!r} is not there"
                + (f", the stores are {', '.join(stores)}" if stores else ": Glance has a single store without a name"),
                remedy="correct store, or leave it out to use the default store",
            )

    def _fill(self, source: AnySource, record: Record, owner: t.Optional[str]) -> Outcome:
        """Upload into an image without data: what a run that was killed leaves behind."""
        attributes = self._attributes({"container_format": record["container_format"] or "bare"}, source, owner)
        difference = self._compare(record, owner)
        for name, value in attributes.items():
            if name != "tags":
                difference.compare(name, record.get(name), value)
        updates = difference.updates
        difference.compare("status", record["status"], "active")
        difference.compare("size", record["size"], source.size)
        self._check_store()
        if self._check_mode:
            return Outcome(difference, record)
        protected = updates.pop("protected", None)
        if updates:
            record = self._api.update(record, updates)
        outcome = self._transfer(source, record, difference)
        return self._protect(outcome, protected)

    def _replace(self, source: AnySource, record: Record, owner: t.Optional[str], differences: Difference) -> Outcome:
        self._refuse_to_replace(record, differences)
        attributes = self._attributes(self._inherited(record), source, owner)
        for name, value in self._compare(record, owner).updates.items():
            differences.compare(name, record.get(name), value)
            if value is None:
                attributes.pop(name, None)
        differences.compare("id", record["id"], "a new one")
        self._check_store()
        if self._check_mode:
            return Outcome(differences, record)
        members = self._api.members(record["id"]) if attributes.get("visibility") == "shared" else []
        outcome = self._upload_new(source, attributes, differences)
        new = str((outcome.record or {})["id"])
        for member in members:
            self._api.add_member(new, member)
        if members:
            self._warn(f"{self._wanted.shown} has a new id ({new}): {', '.join(members)} have to accept it again")
        self._retire(record, new)
        return outcome

    def _refuse_to_replace(self, record: Record, differences: Difference) -> None:
        doing = f"comparing {self._wanted.shown} ({record['id']}) with its source"
        shown = differences.as_diff()
        answer = "; ".join(
            f"{name} is {shown['before'][name]} in Glance and {shown['after'][name]} in the source or declaration"
            for name in sorted(differences.updates)
        )
        if not self._wanted.replace:
            raise GlanceError(
                doing,
                answer=answer,
                cause="a source that was published anew; Glance cannot change the data and formats of an image",
                remedy="set replace: true to upload a new image and delete the old one, or declare another name",
            )
        if record.get("protected"):
            raise GlanceError(
                doing,
                answer=f"{answer}; it has to be replaced, but it is protected",
                remedy="set protected: false in a run without source first",
            )

    @staticmethod
    def _inherited(record: Record) -> Record:
        kept = ("name", "visibility", "protected", "os_hidden", "owner", "min_disk", "min_ram", "tags")
        inherited = {name: record[name] for name in (*kept, "container_format") if name in record}
        inherited.update({name: record[name] for name in _properties_of(record)})
        return inherited

    def _retire(self, record: Record, new: str) -> None:
        try:
            self._api.delete(record["id"])
        except GlanceError as error:
            if status_of(error) != 409:
                raise GlanceError(
                    error.doing,
                    answer=f"{error.answer}; its replacement {new} is complete, so there are two images of that name",
                    remedy="delete the old one by its id",
                ) from error
            self._api.update(record, {"os_hidden": True})
            self._warn(f"the old image {record['id']} is in use; it was hidden instead of deleted: {error}")

    def _upload_new(self, source: AnySource, attributes: Record, difference: Difference) -> Outcome:
        """Create an image and fill it; whatever goes wrong, nothing of it stays."""
        # A protected image could not be deleted again, and an id that is not known could not either.
        attributes = dict(attributes)
        protected = attributes.pop("protected", None)
        attributes.setdefault("id", str(uuid.uuid4()))
        try:
            record = self._create(attributes)
            outcome = self._transfer(source, record, difference)
        except BaseException as error:
            if isinstance(error, NotMadeError):
                raise
            raise self._undo(attributes["id"], error) from error
        return self._protect(outcome, protected or None)

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
        left = "nothing of it was left in Glance"
        try:
            with _handling(signal.SIG_IGN):
                self._api.delete(image_id, timeout=SECONDS_TO_CLEAN_UP)
        except GlanceError as failure:
            left = f"the image {image_id} was left without data and could not be deleted ({failure.answer})"
        if isinstance(error, Stopped):
            return GlanceError(f"uploading {self._wanted.shown}", answer=f"stopped by {error}; {left}")
        if isinstance(error, GlanceError):
            return GlanceError(
                error.doing, answer=f"{error.answer.rstrip('.')}; {left}", cause=error.cause, remedy=error.remedy
            )
        return error

    def _transfer(self, source: AnySource, record: Record, difference: Difference) -> Outcome:
        """Send the data, and make sure that they arrived."""
        algorithms = {"sha512"}
        if self._checksum is not None:
            algorithms.add(self._checksum.algorithm)
        if "os_hash_value" not in record:
            # Releases before Rocky compute nothing else.
            algorithms.add("md5")
        stream = Stream(source, algorithms, self._progress)
        self._progress.begin("uploaded", source.size)
        started = time.monotonic()
        try:
            self._api.upload(record["id"], stream, self._wanted.store, self._wanted.timeout)
        except GlanceError as error:
            raise self._explain_upload(error, stream) from error
        seconds = time.monotonic() - started
        record = self._wait_until_active(record["id"])
        self._verify(source, record, stream)
        if isinstance(source, FileSource):
            source.remember(stream, algorithms)
        return Outcome(difference, record, stream.done, seconds)

    def _explain_upload(self, error: GlanceError, stream: Stream) -> GlanceError:
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
        if record["size"] != stream.done:
            answer = f"{stream.done} bytes were sent, Glance has {record['size']}"
            raise GlanceError(doing, answer=answer, cause=cause, remedy=remedy)
        for algorithm, value in _computed_hashes(record).items():
            found = stream.digest(algorithm)
            if found is None and isinstance(source, FileSource) and _can_compute(algorithm):
                found = source.digest(algorithm)
            if found is None:
                continue
            if found != value:
                answer = f"{algorithm} of what was sent is {found}, of what Glance has {value}"
                raise GlanceError(doing, answer=answer, cause=cause, remedy=remedy)
            return
        self._warn(f"{self._wanted.shown} could not be verified: Glance has no checksum of it that could be compared")

    def _protect(self, outcome: Outcome, protected: t.Optional[bool]) -> Outcome:
        if protected is not None and outcome.record is not None:
            outcome.record = self._api.update(outcome.record, {"protected": protected})
        return outcome


class NotMadeError(GlanceError):
    """The image was not created, so there is nothing to undo."""


UPLOAD_FAILURES = {
    0: (
        "a service or a proxy that stopped in the middle, or a proxy that limits the size of what passes",
        "look into the logs of the proxy and of glance-api",
    ),
    400: ("data that Glance does not accept for these formats", "look into the log of glance-api"),
    401: ("a token that expired while the data were sent", "give Keystone's tokens a longer life, or run again"),
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


def _properties_of(record: Record) -> list[str]:
    return [
        name
        for name in record
        if name not in OWN_ATTRIBUTES
        and not name.startswith(("os_glance_", HASH_PROPERTY))
        and record[name] is not None
    ]


def _computed_hashes(record: Record) -> dict[str, str]:
    """Return every checksum that Glance has computed of the data, the best first."""
    computed = {}
    if record.get("os_hash_value"):
        computed[str(record["os_hash_algo"])] = str(record["os_hash_value"])
    if record.get("checksum"):
        computed["md5"] = str(record["checksum"])
    return computed


def _known_hashes(record: Record) -> dict[str, str]:
    """Return also those that were declared when the data were uploaded."""
    known = _computed_hashes(record)
    for name, value in record.items():
        if name.startswith(HASH_PROPERTY) and value:
            known.setdefault(name[len(HASH_PROPERTY) :], str(value))
    return known


def _can_compute(algorithm: str) -> bool:
    return algorithm in hashlib.algorithms_guaranteed and not algorithm.startswith("shake")


def run(
    params: dict[str, t.Any], *, check_mode: bool = False, warn: t.Callable[[str], None] = lambda text: None
) -> dict[str, t.Any]:
    """Do what the parameters of the module say, and return its result.

    :raises GlanceError: when it cannot be done.
    """
    wanted = Declaration.from_options(params)
    api = ImageApi(connect(params))
    progress = ProgressFile(params.get("progress_file"))
    with stoppable():
        outcome = ImageKeeper(api, wanted, check_mode=check_mode, warn=warn, progress=progress).keep()
    return {**outcome.as_result(), "requests": api.requests}
