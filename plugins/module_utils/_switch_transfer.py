# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The copy of one image: how it is started, how it is seen that it has ended, and what became of it.

Every step is in the journal before it is taken, so that the next run knows what a killed one has begun: a deactivated
image is noted as open before it is activated. Should this journal get lost, the controllers have to know that it was
due.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import status_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_api import Controllers, SwitchApi, is_away
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Journal
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_plan import Image, Switch, image_of

RUNNING, DONE, FAILED, GONE, BUSY, SILENT = "running", "done", "failed", "gone", "busy", "silent"
"""What can be said of a copy. BUSY: the image is locked for another import. SILENT: the controller did not answer."""

NOT_OF_USERS = frozenset({"stores", "status", "updated_at", "locations", "direct_url"})
"""What changes in a record without a user's doing, besides all that begins with ``os_glance_``."""

COPY_IMAGE = {"name": "copy-image"}
MIB = 1024 * 1024
COPIED_MIB = re.compile(r"Copied (\d+) MiB")
FAILED_IMPORT = "os_glance_failed_import"

SOURCE_ALGORITHM = "sha512"
SILENCE_SECONDS = 120.0
"""How long Glance may send nothing of an image that is read."""


@dataclasses.dataclass
class Transfer:
    """One attempt to copy one image through one controller.

    :ivar task: Glance's task, as soon as it is known.
    :ivar cut_off: whether the controller's Glance was away while it was copying.
    :ivar bytes: how much of it is copied, as far as Glance says so.
    :ivar heard: when Glance last said something new of it.
    """

    image: Image
    controller: str
    attempt: int
    since: float = dataclasses.field(default_factory=time.monotonic)
    task: str = ""
    cut_off: bool = False
    bytes: int = 0
    looked: float = dataclasses.field(default_factory=time.monotonic)
    heard: float = dataclasses.field(default_factory=time.monotonic)
    _first: Record = dataclasses.field(default_factory=dict)
    _changed: set[str] = dataclasses.field(default_factory=set)

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self.since

    @property
    def silence(self) -> float:
        """For how many seconds Glance has said nothing new of it."""
        return time.monotonic() - self.heard

    def watch(self, record: Record) -> None:
        """Note what users change in the image meanwhile.

        Glance reads the record when it begins to stage the image, and again when it begins to write it, and saves what
        it read at the end of each: whatever was changed in between is as it was.
        """
        now = _of_users(record)
        self._first = self._first or now
        self._changed.update(name for name in {*now, *self._first} if now.get(name) != self._first.get(name))

    def undone(self, record: Record) -> list[str]:
        """Return what was changed in the image meanwhile, and is as it was before."""
        now = _of_users(record)
        return sorted(name for name in self._changed if now.get(name) == self._first.get(name))


class Result(t.NamedTuple):
    """What became of a step.

    :param image: the image as it is now.
    :param undone: what users changed in the image meanwhile, and Glance has undone.
    """

    state: str
    reason: str = ""
    image: t.Optional[Image] = None
    undone: t.Sequence[str] = ()


def waits_for_announcement(image: Image, announced: t.Optional[t.Collection[str]]) -> bool:
    """Tell whether an image has to be activated, and nobody else knows of that yet.

    :param announced: the images whose activation was announced; None where nobody has to know.
    """
    return image.status == "deactivated" and announced is not None and image.id not in announced


class Copier:
    """Takes the steps of copies; several threads may do so at once.

    :param open_images: the deactivated images that are active for their copy.
    :param hashed: the images whose data in the old store were hashed already.
    :param due: the deactivated images of which it was announced that they may be activated.
    """

    def __init__(
        self,
        controllers: Controllers,
        journal: Journal,
        switch: Switch,
        open_images: t.Iterable[str],
        hashed: t.Iterable[str] = (),
        due: t.Iterable[str] = (),
    ) -> None:
        self._hashed = set(hashed)
        self._controllers = controllers
        self._journal = journal
        self._switch = switch
        self.open = set(open_images)
        """The images that were deactivated, and are active for their copy."""
        self._due = set(due)

    def start(self, transfer: Transfer) -> Result:
        """Begin a copy."""
        image = transfer.image
        self._note(transfer, "started")
        try:
            if image.status == "deactivated":
                self.activate(image.id, transfer.controller)
            if not image.hash_value and image.id not in self._hashed:
                self._note_source(image, transfer.controller)
            self._controllers.on(
                transfer.controller, lambda api: api.import_data(image.id, COPY_IMAGE, [self._switch.target])
            )
        except GlanceError as error:
            return self._refused(transfer, error)
        return Result(RUNNING)

    def _note_source(self, image: Image, controller: str) -> None:
        """Hash the data of an image that has no hash: with its copy, Glance gives it the hash of whatever it stages."""
        digest, size = self._controllers.on(controller, lambda api: _hash_of(api, image.id))
        if image.size and size != image.size:
            doing = f"reading the image {image.id} from {self._switch.source}"
            answer = f"its data end after {size} of {image.size} bytes"
            raise GlanceError(doing, answer=answer, remedy="look at the old store: what is left of it is not the image")
        facts = {"algo": SOURCE_ALGORITHM, "value": digest, "size": size}
        self._journal.append("source_hash", image_id=image.id, **facts)
        self._hashed.add(image.id)

    def look(self, transfer: Transfer) -> Result:
        """Look what became of a copy that does not seem to be going on any more."""
        record = self._record(transfer.image.id)
        if record is None:
            return self._gone(transfer)
        image = image_of(record)
        if image.lock:
            return Result(RUNNING, image=image)
        if self._switch.target in image.stores:
            return self._done(transfer, image, transfer.undone(record))
        return self._failed(transfer, self._reason(transfer, record), image)

    def activate(self, image_id: str, controller: str) -> None:
        """Activate a deactivated image for a moment."""
        self._journal.append("reactivated", image_id=image_id, state="open")
        self._due.discard(image_id)
        self.open.add(image_id)
        self._controllers.on(controller, lambda api: api.set_active(image_id, active=True))

    def lift(self, image: Image) -> None:
        """Have Glance lift the lock of a dead import, which it does only when it is asked for a copy.

        What it is asked for is there already, so that it copies nothing.

        :raises GlanceError: when the lock may be there still.
        """
        stores = [store for store in image.stores if self._switch.known is None or store in self._switch.known]
        try:
            if image.status == "deactivated":
                self.activate(image.id, min(self._controllers.apis, key=self._controllers.is_resting))
            self._controllers.anywhere(lambda api: api.import_data(image.id, COPY_IMAGE, stores[:1]))
        except GlanceError as error:
            if status_of(error) != 400:
                raise
        finally:
            self._close_if_open(image.id)

    def close(self, image_id: str, reason: str = "") -> None:
        """Deactivate an image again that was activated for its copy.

        What Glance may copy still is to be closed once more: it activates every image that it begins to stage and finds
        deactivated, at the end of the copy.
        """
        record = self._record(image_id)
        if record is not None and record["status"] == "active":
            self._controllers.anywhere(lambda api: api.set_active(image_id, active=False))
            # From now on Glance begins no copy of it.
            record = self._record(image_id)
        if record is not None and self._may_be_copied(image_of(record)):
            return
        self._journal.append("reactivated", image_id=image_id, state="closed", **({"reason": reason} if reason else {}))
        self.open.discard(image_id)

    def _may_be_copied(self, image: Image) -> bool:
        return bool(image.lock) and image.lock not in self._switch.dead_tasks

    def withdraw(self) -> None:
        """Note of what was announced, and did not have to be activated, that nothing is to come any more.

        Otherwise somebody who activates such an image later would find it deactivated again, by a run that has to
        believe the announcement.
        """
        facts = {"state": "closed", "reason": "it was not activated"}
        self._journal.append_all(("reactivated", {"image_id": image_id, **facts}) for image_id in sorted(self._due))
        self._due.clear()

    def note_task(self, transfer: Transfer, task: str) -> None:
        """Write down which task a copy is: it tells whose lock it was, when somebody kills this run."""
        transfer.task = task
        self._note(transfer, "running", task_id=task)

    def progress(self, transfer: Transfer) -> None:
        """Ask how far a copy is."""
        tasks = self._controllers.anywhere(lambda api: api.tasks(transfer.image.id))
        for task in tasks:
            found = COPIED_MIB.search(str(task.get("message") or "")) if task["id"] == transfer.task else None
            copied = min(int(found.group(1)) * MIB, transfer.image.size) if found else 0
            if copied > transfer.bytes:
                transfer.bytes, transfer.heard = copied, time.monotonic()

    def _refused(self, transfer: Transfer, error: GlanceError) -> Result:
        """Tell what it means that a copy could not be started."""
        try:
            record = self._record(transfer.image.id)
        except GlanceError:
            return self._failed(transfer, error.answer, None, SILENT)
        if record is None:
            return self._gone(transfer)
        image = image_of(record)
        if self._switch.target in image.stores and not image.lock:
            return self._done(transfer, image)
        if is_away(error):
            # The answer may have been lost, and not the request.
            return Result(RUNNING) if image.lock else self._failed(transfer, error.answer, image, SILENT)
        return self._failed(transfer, error.answer, image, BUSY if image.lock else FAILED)

    def _gone(self, transfer: Transfer) -> Result:
        self.open.discard(transfer.image.id)
        reason = f"it was deleted while it was being copied; parts of it may be left in {self._switch.target}"
        self._note(transfer, "gone", reason=reason)
        return Result(GONE, reason)

    def _done(self, transfer: Transfer, image: Image, undone: t.Sequence[str] = ()) -> Result:
        self._close_if_open(image.id)
        facts = {"undone": list(undone), "updated_at": self._updated(image.id)} if undone else {}
        self._note(transfer, "done", seconds=round(transfer.seconds, 1), task_id=transfer.task, **facts)
        return Result(DONE, image=image, undone=undone)

    def _failed(self, transfer: Transfer, reason: str, image: t.Optional[Image], state: str = FAILED) -> Result:
        self._note(transfer, "failed", reason=reason, task_id=transfer.task)
        if state == FAILED:
            self._close_if_open(transfer.image.id)
            # Its status may be another one now.
            record = self._record(transfer.image.id)
            image = image_of(record) if record is not None else image
        return Result(state, reason, image)

    def _updated(self, image_id: str) -> str:
        record = self._record(image_id)
        return image_of(record).updated if record is not None else ""

    def _close_if_open(self, image_id: str) -> None:
        if image_id in self.open:
            self.close(image_id)

    def _reason(self, transfer: Transfer, record: Record) -> str:
        tasks = self._controllers.anywhere(lambda api: api.tasks(transfer.image.id))
        task = next((task for task in tasks if task["id"] == transfer.task), tasks[0] if tasks else {})
        transfer.task = str(task.get("id", transfer.task))
        said = str(task.get("message") or "") if task.get("status") == "failure" else ""
        where = f"glance-api.log on {transfer.controller} tells why (task {transfer.task or 'unknown'})"
        if said:
            return f"Glance says: {said}; {where}"
        if self._switch.target in str(record.get(FAILED_IMPORT) or "").split(","):
            return f"Glance could not write it to {self._switch.target}; {where}"
        return f"the copy ended, and Glance does not list it in {self._switch.target}; {where}"

    def _record(self, image_id: str) -> t.Optional[Record]:
        return self._controllers.anywhere(lambda api: api.get(image_id))

    def _note(self, transfer: Transfer, state: str, **facts: t.Any) -> None:
        known = {name: value for name, value in facts.items() if value != ""}
        self._journal.append(
            "copy",
            image_id=transfer.image.id,
            state=state,
            controller=transfer.controller,
            attempt=transfer.attempt,
            **known,
        )


def _of_users(record: Record) -> Record:
    return {
        name: value for name, value in record.items() if name not in NOT_OF_USERS and not name.startswith("os_glance_")
    }


def _hash_of(api: SwitchApi, image_id: str) -> tuple[str, int]:
    """Return the hash of an image's data, and how many bytes they are."""
    digest, size = hashlib.new(SOURCE_ALGORITHM), 0
    for block in api.download(image_id, SILENCE_SECONDS):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size
