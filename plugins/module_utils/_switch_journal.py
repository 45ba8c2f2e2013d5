# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The journal of a switch from one store to another: what happened to every image, a line of JSON for each event.

Lines are only ever added, and are on the disk before what they announce is done. A run that is killed leaves at most a
last line that is torn; the next one ends it, and reading leaves it out.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import fcntl
import json
import os
import socket
import threading
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

Facts = dict[str, t.Any]

EVENTS = frozenset(
    {"switch", "plan", "phase", "image", "copy", "reactivated", "source_hash", "verify", "unlock", "sample", "retire"}
    | {"stores", "verdict", "restored", "reread", "left_behind", "left", "clones"}
)
JOURNAL = "journal.jsonl"
LOCK = "lock"


@dataclasses.dataclass
class ImageState:
    """What the journal tells about one image: of every kind of event the newest.

    :ivar facts: what Glance said of it: name, size, hash_algo, hash_value, owner, visibility, status.
    :ivar copy: how its copy went; ``copy["state"]`` is ``started``, ``running``, ``done``, ``failed`` or ``gone``, or
        ``lost`` where Glance has it no longer in the new store.
    :ivar attempts: how often a copy of it was started.
    :ivar undone: the line that tells what users changed while it was copied, and Glance has undone (``undone``), and
        when the image was last changed then (``updated_at``).
    :ivar is_due: whether it is deactivated, and a run has announced that it may activate it for its copy.
    :ivar is_open: whether it was deactivated, and was activated for its copy, and that is not over.
    """

    id: str
    facts: Facts = dataclasses.field(default_factory=dict)
    copy: Facts = dataclasses.field(default_factory=dict)
    verify: Facts = dataclasses.field(default_factory=dict)
    retire: Facts = dataclasses.field(default_factory=dict)
    source_hash: Facts = dataclasses.field(default_factory=dict)
    undone: Facts = dataclasses.field(default_factory=dict)
    attempts: int = 0
    unlocks: list[Facts] = dataclasses.field(default_factory=list)
    is_due: bool = False
    is_open: bool = False

    @property
    def is_copied(self) -> bool:
        """Whether its newest copy is done."""
        return self.copy.get("state") == "done"

    @property
    def is_verified(self) -> bool:
        """Whether the bytes of its newest copy were read and found right."""
        return self.is_copied and self.verify.get("state") == "done"

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted."""
        return "gone" in (self.copy.get("state"), self.verify.get("state"))

    @property
    def is_retired(self) -> bool:
        """Whether it is gone from the old store."""
        return self.retire.get("state") == "done"


@dataclasses.dataclass
class State:
    """What all lines of a journal tell together.

    :ivar switch: the first line: between which stores the switch is.
    :ivar phases: of every phase the newest line.
    :ivar phase_lines: all lines about phases, in their order.
    :ivar round_begun: when this round began, with the first image to be moved again that had been retired; or nothing.
    :ivar stores: what was in the stores before and after.
    :ivar left: the images that the newest copying has left, failures not among them, with the ``reason``, by their id.
    :ivar others: of how many images nothing was to be copied then (``images``), by the ``reason``.
    :ivar left_behind: the images that the operator lets stay where they are, by their id.
    :ivar clones: which images in the old store had or may have had clones in Ceph when the newest plan was made.
    :ivar updated: when the newest line was written that is no verdict.
    :ivar damaged: how many lines cannot be read; a run that was killed leaves one at most.
    """

    switch: Facts = dataclasses.field(default_factory=dict)
    plan: Facts = dataclasses.field(default_factory=dict)
    phases: dict[str, Facts] = dataclasses.field(default_factory=dict)
    phase_lines: list[Facts] = dataclasses.field(default_factory=list)
    images: dict[str, ImageState] = dataclasses.field(default_factory=dict)
    samples: list[Facts] = dataclasses.field(default_factory=list)
    stores: dict[str, Facts] = dataclasses.field(default_factory=dict)
    verdict: Facts = dataclasses.field(default_factory=dict)
    left: dict[str, Facts] = dataclasses.field(default_factory=dict)
    others: list[Facts] = dataclasses.field(default_factory=list)
    left_behind: dict[str, Facts] = dataclasses.field(default_factory=dict)
    clones: Facts = dataclasses.field(default_factory=dict)
    round_begun: str = ""
    updated: str = ""
    lines: int = 0
    damaged: int = 0

    def apply(self, line: Facts) -> None:
        """Take in one more line."""
        self.lines += 1
        event = line["event"]
        if event != "verdict":
            self.updated = line.get("time", "")
        if "image_id" in line:
            self._apply_to_image(event, line)
        elif event == "restored":
            self._open_what_was_due()
        else:
            self._apply_to_switch(event, line)

    def _apply_to_switch(self, event: str, line: Facts) -> None:
        if event == "switch":
            self.switch = self.switch or line
        elif event == "phase":
            self.phases[line["phase"]] = line
            self.phase_lines.append(line)
        elif event == "stores":
            self.stores[line["when"]] = line["stores"]
        elif event == "sample":
            self.samples.append(line)
        elif event == "reread":
            self._forget_proofs(line["before"])
        elif event in ("left", "left_behind"):
            setattr(self, event, {image["image_id"]: image for image in line["images"]})
            self.others = line.get("others", self.others)
        elif event in ("plan", "clones", "verdict"):
            setattr(self, event, line)

    def _forget_proofs(self, before: str) -> None:
        """Let the copies be read once more that were verified before a moment."""
        for image in self.images.values():
            if image.is_verified and not image.is_retired and str(image.verify.get("time", "")) < before:
                image.verify = {}

    def _open_what_was_due(self) -> None:
        """Take for activated what was announced: the lines after those that the controllers had are lost."""
        for image in self.images.values():
            image.is_open, image.is_due = image.is_open or image.is_due, False

    def _apply_to_image(self, event: str, line: Facts) -> None:
        image = self.images.setdefault(line["image_id"], ImageState(line["image_id"]))
        if event == "image":
            image.facts = line
        elif event == "copy":
            self._apply_copy(image, line)
        elif event == "verify":
            image.verify = line
        elif event == "retire":
            image.retire = line
        elif event == "source_hash":
            image.source_hash = line
        elif event == "reactivated":
            image.is_open, image.is_due = line["state"] == "open", line["state"] == "due"
        elif event == "unlock":
            image.unlocks.append(line)

    def _apply_copy(self, image: ImageState, line: Facts) -> None:
        if line.get("undone") == []:
            # Somebody has changed the image again, which says nothing of its copy.
            image.undone = line
            return
        is_new = line["state"] == "started"
        if (image.is_retired and line.get("found")) or (is_new and image.retire.get("state") in ("planned", "done")):
            self._begin_again(image, line)
        if is_new or line["state"] == "lost":
            # What was read before was another copy.
            image.verify = {}
        if is_new:
            image.retire = {}
            image.attempts += 1
        if "undone" in line:
            image.undone = line
        image.copy = line

    def _begin_again(self, image: ImageState, line: Facts) -> None:
        """Take an image for one that was never moved: it was retired, and is in the old store again."""
        if image.retire.get("time", "") >= self.round_begun:
            self.round_begun = line.get("time", "")
        image.verify, image.retire, image.attempts = {}, {}, 0

    def round_lines(self) -> list[Facts]:
        """Return the lines about phases of this round: what was cut over and retired before says nothing of it."""
        return [line for line in self.phase_lines if line.get("time", "") >= self.round_begun]

    def open_images(self) -> list[str]:
        """Return the images that have to be deactivated again."""
        return [image.id for image in self.images.values() if image.is_open]

    def due_images(self) -> list[str]:
        """Return the deactivated images that were announced, and were not activated since."""
        return [image.id for image in self.images.values() if image.is_due]

    def announced(self) -> frozenset[str]:
        """Return the deactivated images whose activation whoever brings the journal back knows of."""
        return frozenset([*self.due_images(), *self.open_images()])

    def announcements(self, image_ids: t.Iterable[str]) -> list[Facts]:
        """Return the events that announce the activation of images, without those that are known."""
        known = self.announced()
        return [
            {"event": "reactivated", "image_id": image_id, "state": "due"}
            for image_id in image_ids
            if image_id not in known
        ]

    def hashed_images(self) -> list[str]:
        """Return the images whose data in the old store were hashed."""
        return [image.id for image in self.images.values() if image.source_hash]

    def asked(self) -> dict[str, str]:
        """Return which controller was asked for the copies that are not done, by the task of each."""
        return {
            str(image.copy["task_id"]): str(image.copy["controller"])
            for image in self.images.values()
            if not image.is_copied and image.copy.get("task_id") and image.copy.get("controller")
        }

    def to_verify(self) -> list[ImageState]:
        """Return the images whose copy nobody has read yet, or found wrong."""
        return [image for image in self.images.values() if image.is_copied and not image.is_verified]

    def leaving_behind(self, images: list[Facts]) -> list[tuple[str, Facts]]:
        """Return the event that tells which images are left behind; none where that is known."""
        return [] if images == list(self.left_behind.values()) else [("left_behind", {"images": images})]

    def uncopied(self) -> list[Facts]:
        """Return the images that the newest copying has left, and that nothing tells since to be copied or deleted."""
        known = {image.id for image in self.images.values() if image.is_copied or image.is_gone}
        return [image for image in self.left.values() if image["image_id"] not in known]

    def wrong(self) -> list[ImageState]:
        """Return the images whose copy could not be read, or was found wrong."""
        return [image for image in self.to_verify() if image.verify.get("state") == "failed"]

    def discarded(self) -> list[str]:
        """Return the images whose copy was wrong, and was taken away, and is not made again."""
        return [image.id for image in self.images.values() if image.copy.get("discarded")]

    def mendable(self) -> list[ImageState]:
        """Return the images whose copy was found wrong and may be made again.

        What could not be read may be right. What the switch has found in the store is no copy of its own: it may be all
        that there ever was.
        """
        return [image for image in self.wrong() if not image.verify.get("passing") and not image.copy.get("found")]


def replay(lines: t.Iterable[Facts]) -> State:
    """Return what lines of a journal tell together."""
    state = State()
    for line in lines:
        state.apply(line)
    return state


class Journal:
    """The journal in a directory, which is made when it is first written.

    Reading needs nothing else. Writing needs the journal as a context manager: then no other run can write.

    :param directory: where the journal is.
    :param patience: how many seconds to wait for another run that is about to end.
    """

    def __init__(self, directory: str, patience: float = 0.0) -> None:
        self.directory = directory
        self._patience = patience
        self.path = os.path.join(directory, JOURNAL)
        self._file = -1
        self._torn = False
        self._writing = threading.Lock()

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self) -> State:
        """Return what the journal tells; nothing, where there is none.

        :raises GlanceError: when the file cannot be read.
        """
        state = State()
        try:
            with open(self.path, "rb") as file:
                for raw in file:
                    self._take(state, raw)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise GlanceError(f"reading the journal {self.path}", answer=str(error.strerror or error)) from error
        return state

    @staticmethod
    def _take(state: State, raw: bytes) -> None:
        if not raw.strip():
            return
        try:
            state.apply(json.loads(raw))
        except (ValueError, KeyError, TypeError):
            state.damaged += 1

    # --- writing ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Journal:
        """Lock the journal, and end a line that a killed run has torn.

        :raises GlanceError: when another run has it, or it cannot be written.
        """
        with self._told("opening"), contextlib.ExitStack() as opened:
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            lock = os.open(os.path.join(self.directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            opened.callback(os.close, lock)
            self._lock(lock)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            opened.callback(os.close, self._file)
            self._torn = self._ends_in_the_middle()
            self._sync_directory()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """Let other runs write."""
        self._opened.close()
        self._file = -1

    def append(self, event: str, **facts: t.Any) -> Facts:
        """Write one event, and return its line. When it returns, the line is on the disk.

        :raises GlanceError: when it cannot be written.
        """
        line = self._line(event, facts)
        self._write([line])
        return line

    def append_all(self, events: t.Iterable[tuple[str, Facts]]) -> list[Facts]:
        """Write several events at once, and return their lines; much faster than one by one.

        :raises GlanceError: when they cannot be written.
        """
        lines = [self._line(event, facts) for event, facts in events]
        if lines:
            self._write(lines)
        return lines

    def replace(self, data: bytes, event: str, **facts: t.Any) -> None:
        """Put the lines of another journal and one event in the place of all lines; a kill leaves the old or the new.

        :raises GlanceError: when they cannot be written.
        """
        text = data if data.endswith(b"\n") or not data else data + b"\n"
        text += _encoded([self._line(event, facts)])
        with self._writing, self._told("writing"):
            new = f"{self.path}.new"
            file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._opened.callback(os.close, file)
            _write_all(file, text)
            os.replace(new, self.path)
            self._sync_directory()
            self._file, self._torn = file, False

    @staticmethod
    def _line(event: str, facts: Facts) -> Facts:
        if event not in EVENTS:
            raise ValueError(f"no such event: {event}")
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        return {"time": now.replace("+00:00", "Z"), "event": event, **facts}

    def _write(self, lines: list[Facts]) -> None:
        text = _encoded(lines)
        with self._writing, self._told("writing"):
            if self._file < 0:
                raise ValueError("the journal is not open")
            text = b"\n" + text if self._torn else text
            self._torn = True
            _write_all(self._file, text)
            self._torn = False

    def _lock(self, lock: int) -> None:
        end = time.monotonic() + self._patience
        while not _locked(lock) and time.monotonic() < end:
            time.sleep(0.2)
        if not _locked(lock):
            holder = os.pread(lock, 200, 0).decode(errors="replace").strip()
            raise GlanceError(
                f"opening the journal {self.path}",
                answer=f"another run is writing it ({holder or 'which has not said who it is'})",
                remedy="wait until that run has ended, or end it",
            )
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def _ends_in_the_middle(self) -> bool:
        size = os.fstat(self._file).st_size
        return size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    def _sync_directory(self) -> None:
        directory = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @contextlib.contextmanager
    def _told(self, doing: str) -> t.Iterator[None]:
        try:
            yield
        except OSError as error:
            raise GlanceError(
                f"{doing} the journal {self.path}",
                answer=str(error.strerror or error),
                cause="a full disk, or a directory that the user who runs Ansible cannot write",
                remedy="make room for it or correct glance_switch_directory, and run again: it goes on where it stood",
            ) from error


def _encoded(lines: t.Iterable[Facts]) -> bytes:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def _write_all(file: int, text: bytes) -> None:
    while text:
        text = text[os.write(file, text) :]
    os.fsync(file)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def missing_lines(state: State, switch: Facts, both: t.Iterable[Facts]) -> list[tuple[str, Facts]]:
    """Return the events that a journal has to have, and has not: all of them, where it was lost.

    An image that Glance lists in both stores counts as copied. Nothing can stand in for its verification.

    :param state: what the journal tells.
    :param switch: what its first line has to say.
    :param both: the facts of the images that Glance lists in both stores, ``image_id`` among them.
    """
    events: list[tuple[str, Facts]] = []
    if not state.switch:
        events.append(("switch", switch))
    for facts in both:
        known = state.images.get(facts["image_id"])
        if known is None or not known.facts:
            events.append(("image", facts))
        if known is None or not known.is_copied or known.is_retired:
            begun = known.copy if known is not None and not known.is_retired else {}
            begun = {} if begun.get("state") == "lost" else begun
            done = {"controller": begun.get("controller", ""), "attempt": begun.get("attempt", 0)}
            # What an earlier run of the switch has begun is its own copy, and Glance has finished it.
            found = {} if begun else {"found": True}
            events.append(("copy", {"image_id": facts["image_id"], "state": "done", **done, **found}))
    return events
