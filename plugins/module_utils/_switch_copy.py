# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Copies all images of a store into another one, with Glance's own ``copy-image``, spread over the controllers.

It lists the images, copies what is to be copied, and lists them again until nothing is left: users upload meanwhile. An
image that fails does not stop the others. Whatever ends a run, the next one goes on from what Glance and the journal
tell.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import datetime
import itertools
import os
import signal
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import is_unreachable
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_tag import AT_ONCE
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_api import (
    Answer,
    Controllers,
    SwitchApi,
    is_away,
    refuses,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_charts import seconds_of, size_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_control import MOST_TRANSFERS, Control, Pace
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import (
    Facts,
    ImageState,
    Journal,
    State,
    missing_lines,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_plan import (
    BLOCKED,
    COPIED,
    COPY,
    ELSEWHERE,
    LOCK,
    UNFINISHED,
    WAIT,
    WITH_DATA,
    Capacity,
    Image,
    Plan,
    Switch,
    image_of,
    make_plan,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_progress import (
    CopyProgress,
    Meter,
    write_copy_progress,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_report import visible
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_room import read_rooms
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_transfer import (
    DONE,
    FAILED,
    GONE,
    RUNNING,
    SILENT,
    Copier,
    Result,
    Transfer,
    waits_for_announcement,
)

ATTEMPTS = 3
SECONDS_BEFORE_ATTEMPT = {1: 0.0, 2: 5.0, 3: 20.0}
FAILURES_IN_A_ROW = 10
PASSES = 20
STEADY_PASSES = 5
"""When so many passes were no smaller than those before, users upload as fast as Glance copies."""
TICK = 0.2
POLL_SECONDS = (0.4, 2.0)
SAMPLE_SECONDS = 5.0
PROGRESS_SECONDS = 60.0
LISTING_SECONDS = 5.0
SILENCE_SECONDS = 120.0
ROOM_SECONDS = 300.0
"""How long to wait for room to stage an image while nothing is copied that could give any back."""
LEAST_RATE = 2 * 1024 * 1024
"""Slower than this no image is staged, of which Glance says nothing; silence that lasts longer may be death."""
LONGEST_PAUSE = 600.0
"""While it writes to the new store, Glance says every minute how far it is."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Options(t.NamedTuple):
    """How the copying is done.

    :param order: ``largest`` or ``smallest`` images first.
    :param only: the images that it is limited to; None for all.
    :param announced: the deactivated images that may be activated; None for all.
    :param wait: how many seconds to wait in the end for uploads and imports that others have begun.
    :param lock_age: after how many seconds without a sign of life a lock may be dead.
    :param alive_tasks: the tasks that are known to be at work, however silent they are.
    :param room_file: where somebody writes how much is free for staging, all the time.
    :param watched_processes: the processes without which nobody is interested in this one.
    """

    order: str = "largest"
    only: t.Optional[frozenset[str]] = None
    announced: t.Optional[frozenset[str]] = None
    wait: float = 300.0
    lock_age: float = 60.0
    alive_tasks: frozenset[str] = frozenset()
    progress_file: t.Optional[str] = None
    room_file: t.Optional[str] = None
    watched_processes: tuple[int, ...] = ()


class StoppedError(Exception):
    """The copying was told to end."""


@dataclasses.dataclass
class Outcome:
    """What a run has done, and what it leaves.

    :ivar begun: how many copies were begun.
    :ivar lifted: the images that are not to be copied, and whose lock of a dead import Glance was asked to lift.
    """

    begun: int = 0
    lifted: set[str] = dataclasses.field(default_factory=set)
    copied: dict[str, Image] = dataclasses.field(default_factory=dict)
    failures: dict[str, Facts] = dataclasses.field(default_factory=dict)
    gone: list[Facts] = dataclasses.field(default_factory=list)
    undone: list[Facts] = dataclasses.field(default_factory=list)
    locked: dict[str, Facts] = dataclasses.field(default_factory=dict)
    passes: int = 0
    stopped: str = ""
    interrupted: bool = False


@dataclasses.dataclass
class Pending:
    """An image that waits for its next attempt.

    :ivar tried: the controllers through which it has failed.
    """

    image: Image
    attempt: int = 1
    not_before: float = 0.0
    tried: set[str] = dataclasses.field(default_factory=set)


class Copying:
    """One run.

    :param switch: between which stores.
    :param state: what the journal told when the run began.
    """

    def __init__(
        self,
        controllers: Controllers,
        journal: Journal,
        switch: Switch,
        state: State,
        control: Control,
        capacity: Capacity,
        options: Options,
    ) -> None:
        self._controllers = controllers
        self._journal = journal
        self._switch = switch
        self._state = state
        self._control = control
        self._capacity = capacity
        self._options = options
        self._copier = Copier(
            controllers, journal, switch, state.open_images(), state.hashed_images(), state.due_images()
        )
        self._queue: collections.deque[Pending] = collections.deque()
        self._transfers: dict[str, Transfer] = {}
        self._jobs: dict[concurrent.futures.Future[Result], Transfer] = {}
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=MOST_TRANSFERS)
        self._pace = Pace()
        self._meter = Meter()
        self._signal = ""
        self._failures_in_a_row = 0
        self._sizes: list[int] = []
        """How many images each pass began with."""
        self._total = (0, 0)
        self._next_poll = self._next_sample = self._next_progress = 0.0
        self._waiting_until: t.Optional[float] = None
        self._polls = itertools.count()
        self._warned = ""
        self._free: dict[str, int] = {}
        self._held: t.Optional[Image] = None
        self._held_since: t.Optional[float] = None
        self.plan = Plan(switch)
        self.outcome = Outcome()
        self.warnings: list[str] = []

    @property
    def rate(self) -> float:
        """Bytes a second, over the run."""
        return self._meter.rate

    @property
    def seconds(self) -> float:
        """How long something was being copied."""
        return self._meter.seconds

    @property
    def open(self) -> list[str]:
        """The deactivated images that are still active."""
        return sorted(self._copier.open)

    def left(self) -> list[Image]:
        """Return the images that are to be copied still, but for those that were tried often enough."""
        return [image for image in self.plan.of(COPY) if image.id not in self.outcome.failures]

    def to_lift(self) -> list[Image]:
        """Return the images that are not to be copied, and are locked for an import that is dead."""
        return [image for image in self.plan.of(ELSEWHERE) if image.lock and image.id not in self.outcome.lifted]

    def run(self) -> None:
        """Copy until nothing is left; what stops it is in the outcome."""
        self._note_phase("started")
        with self._listening():
            try:
                self._passes()
            except StoppedError as interrupted:
                self._end(str(interrupted), interrupted=True)
            except GlanceError as error:
                self._end(str(error))
            else:
                self._finish()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # --- passes -------------------------------------------------------------------------------------------------------

    def _passes(self) -> None:
        self._look()
        while self._pass():
            self._patiently(self._look)

    def _pass(self) -> bool:
        """Copy what is to be copied, or wait for others; tell whether there may be more to do."""
        fresh = [image for image in self.left() if self._may_copy(image)]
        if fresh and self.outcome.passes < PASSES and not self._is_steady():
            self.outcome.passes += 1
            self._sizes.append(len(fresh))
            self._copy_all(fresh)
            return True
        return self._patiently(self._wait)

    def _patiently(self, step: t.Callable[[], Answer]) -> Answer:
        """Take a step again and again while no controller answers, for as long as that is borne."""
        while True:
            try:
                return step()
            except GlanceError as error:
                self._check_silence(error)
                self._pause("")

    def _is_steady(self) -> bool:
        earlier, newest = self._sizes[:-STEADY_PASSES], self._sizes[-STEADY_PASSES:]
        return bool(earlier) and min(newest) >= min(earlier)

    def _look(self) -> None:
        """List all images, and write down what the journal has not got."""
        images = self._controllers.listing(image_of)
        self._settle({image.id: image for image in images if image.status != "deleted"})
        only = self._options.only
        images = [image for image in images if only is None or image.id in only]
        images = tagged(self._controllers, images, self._switch.known)
        self.plan = make_plan(images, self._switch, self._capacity)
        self._journal.append_all(self._missing())
        self._close_leftovers({image.id: image for image in images})
        self._lift_locks()

    def _settle(self, images: t.Mapping[str, Image]) -> None:
        """Write down what nobody has to look at any more.

        :param images: all that are there.
        """
        events: list[tuple[str, Facts]] = []
        for known in self._state.images.values():
            image = images.get(known.id)
            if image is None and not known.is_gone and _is_looked_for(known) and self._is_deleted(known.id):
                self.outcome.failures.pop(known.id, None)
                events.append(("copy", {"image_id": known.id, "state": "gone", "reason": "it was deleted"}))
            elif image is not None and known.undone.get("undone") and image.updated != known.undone.get("updated_at"):
                events.append(("copy", {**_without_time(known.copy), "undone": []}))
        self._journal.append_all(events)
        for event, facts in events:
            self._state.apply({"event": event, **facts})

    def _is_deleted(self, image_id: str) -> bool:
        # One that becomes another project's or a hidden one in the middle of a listing may be missing in it.
        record = self._controllers.anywhere(lambda api: api.get(image_id))
        return record is None or record["status"] == "deleted"

    def _missing(self) -> list[tuple[str, Facts]]:
        events = missing_lines(self._state, {}, [image.facts for image in self.plan.of(COPIED)])
        known = self._state.images
        for image, _case in itertools.chain.from_iterable(self.plan.images.values()):
            if image.id in known and known[image.id].is_copied and self._has_lost_it(image):
                events.append(("copy", {"image_id": image.id, "state": "lost"}))
        for image in self.plan.of(COPY):
            if image.id not in known or not known[image.id].facts:
                events.append(("image", image.facts))
        for event, facts in events:
            self._state.apply({"event": event, **facts})
        return events

    def _has_lost_it(self, image: Image) -> bool:
        """Tell whether the new store has no copy of an image: a switch in the other direction may have retired it."""
        return image.status in WITH_DATA and self._switch.target not in image.stores

    def _close_leftovers(self, images: t.Mapping[str, Image]) -> None:
        """Deactivate what an earlier run has activated, unless it is to be copied now."""
        for image_id in self.open:
            image = images.get(image_id)
            to_copy = image is not None and any(image_id == other.id for other in self.plan.of(COPY))
            if not to_copy and (image is None or not image.lock):
                self._copier.close(image_id, "left open by an earlier run")

    def _lift_locks(self) -> None:
        """Take away what dead copies, of either direction, have left on images that are not to be copied."""
        for image in self.to_lift():
            if self._may_copy(image):
                self.outcome.lifted.add(image.id)
                try:
                    self._copier.lift(image)
                except GlanceError as error:
                    self.warnings.append(f"The lock that a dead import has left on {image.id} is still there: {error}")

    def _may_copy(self, image: Image) -> bool:
        """Tell whether an image can be copied as it is, or after an activation of which somebody else knows."""
        return not waits_for_announcement(image, self._options.announced)

    # --- one pass -----------------------------------------------------------------------------------------------------

    def _copy_all(self, images: list[Image]) -> None:
        self._queue.extend(Pending(image) for image in self._ordered(images))
        self._total = (
            self._meter.images + len(images),
            self._meter.bytes + sum(image.size for image in images),
        )
        self._failures_in_a_row = 0
        while self._queue or self._transfers:
            self._tick()

    def _ordered(self, images: list[Image]) -> list[Image]:
        def key(image: Image) -> tuple[bool, int, str]:
            known = self._state.images.get(image.id)
            failed_before = known is not None and known.copy.get("state") == "failed"
            return failed_before, -image.size if self._options.order == "largest" else image.size, image.id

        return sorted(images, key=key)

    def _tick(self) -> None:
        self._check_stop()
        self._refresh_control()
        self._start_some()
        self._check_held()
        concurrent.futures.wait(self._jobs, timeout=TICK, return_when=concurrent.futures.FIRST_COMPLETED)
        if not self._jobs:
            time.sleep(TICK / 2)
        for job in [job for job in self._jobs if job.done()]:
            self._take(self._jobs.pop(job), job)
        if time.monotonic() >= self._next_poll:
            self._poll()
        self._meter.tick(working=bool(self._transfers))
        self._tell()

    def _start_some(self) -> None:
        self._held = None
        if self._control.paused or self._signal:
            return
        while self._pace.allows(self._control.bandwidth):
            transfer = self._next()
            if transfer is None:
                return
            self._pace.take(transfer.image.size, self._control.bandwidth)
            self._transfers[transfer.image.id] = transfer
            self.outcome.begun += 1
            self._submit(self._copier.start, transfer)
            self._next_poll = min(self._next_poll, time.monotonic() + POLL_SECONDS[0])

    def _submit(self, step: t.Callable[[Transfer], Result], transfer: Transfer) -> None:
        self._jobs[self._pool.submit(step, transfer)] = transfer

    def _next(self) -> t.Optional[Transfer]:
        """Return what to start next, if there is room for it."""
        load = collections.Counter(transfer.controller for transfer in self._transfers.values())
        ready = [name for name in self._controllers.apis if not self._controllers.is_resting(name)]
        for name in sorted(ready, key=lambda name: load[name]):
            if load[name] < self._control.transfers:
                for pending in self._queue:
                    if not _may_start(pending, name, ready):
                        continue
                    if self._has_room(pending.image, name):
                        self._queue.remove(pending)
                        return Transfer(pending.image, name, pending.attempt)
                    self._held = self._held or pending.image
        return None

    # --- room for staging ---------------------------------------------------------------------------------------------

    def _has_room(self, image: Image, controller: str) -> bool:
        """Tell whether a controller can stage one more image, whatever it stages already."""
        mine = [transfer for transfer in self._transfers.values() if transfer.controller == controller]
        if controller in self._free:
            # What Glance writes to the new store already is staged, and no longer free.
            staging = sum(transfer.image.size for transfer in mine if not transfer.bytes)
            return staging + image.size <= self._free[controller]
        room = self._capacity.staging.get(controller)
        return room is None or sum(transfer.image.size for transfer in mine) + image.size <= room

    def _check_held(self) -> None:
        """Give up what waits for room that nobody gives back."""
        now = time.monotonic()
        if self._held is None or self._transfers:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = now
        elif now - self._held_since > ROOM_SECONDS:
            for pending in list(self._queue):
                if not any(self._has_room(pending.image, name) for name in self._controllers.apis):
                    self._queue.remove(pending)
                    self._give_up_held(pending)

    def _give_up_held(self, pending: Pending) -> None:
        image, reason = pending.image, f"no controller had room to stage it for {ROOM_SECONDS:.0f} seconds"
        facts = {"image_id": image.id, "attempt": pending.attempt, "controller": "", "reason": reason}
        self._journal.append("copy", state="failed", **facts)
        self._meter.failures += 1
        self.outcome.failures[image.id] = {
            **_shown(image),
            "reason": f"{reason} ({self._free_text()})" if self._free else reason,
            "attempts": pending.attempt,
            "controller": "",
            "task_id": "",
        }

    def _held_text(self) -> str:
        if self._held is None or not self._free:
            return ""
        return f"no room to stage {_named(self._held)} ({size_text(self._held.size)}): {self._free_text()}"

    def _free_text(self) -> str:
        return ", ".join(f"{name} has {size_text(free)} free" for name, free in sorted(self._free.items()))

    # --- what became of it --------------------------------------------------------------------------------------------

    def _take(self, transfer: Transfer, job: concurrent.futures.Future[Result]) -> None:
        try:
            result = job.result()
        except GlanceError as error:
            self._check_silence(error)
            # It goes on, or not, without anybody to tell. Who answers with errors was not restarted.
            transfer.cut_off = transfer.cut_off or is_unreachable(error)
            return
        if result.state == RUNNING:
            self._judge_lock(transfer)
            return
        self._transfers.pop(transfer.image.id, None)
        self._count(transfer, result)

    def _count(self, transfer: Transfer, result: Result) -> None:
        if result.state == DONE:
            self._failures_in_a_row = 0
            self._meter.images += 1
            self._meter.bytes += transfer.image.size
            self.outcome.copied[transfer.image.id] = transfer.image
            self._state.apply({"event": "copy", "image_id": transfer.image.id, "state": "done"})
            if result.undone:
                self.outcome.undone.append({**_shown(transfer.image), "fields": list(result.undone)})
        elif result.state == GONE:
            self.outcome.gone.append({**_shown(transfer.image), "reason": result.reason})
            self._state.apply({"event": "copy", "image_id": transfer.image.id, "state": "gone"})
        elif result.state == SILENT:
            self._queue.appendleft(
                Pending(transfer.image, transfer.attempt, time.monotonic() + TICK, {transfer.controller})
            )
            self._give_up_silence(result.reason)
        elif result.state == FAILED:
            self._retry_or_give_up(transfer, result)
        # BUSY: somebody else imports it; the next listing tells what is to be done with it.

    def _retry_or_give_up(self, transfer: Transfer, result: Result) -> None:
        if transfer.attempt == 1:
            self._failures_in_a_row += 1
        if result.image is not None and not self._may_copy(result.image):
            # Somebody has deactivated it meanwhile: it is told as left, and comes after its announcement.
            return
        if transfer.attempt < ATTEMPTS and result.image is not None:
            attempt = transfer.attempt + 1
            wait = time.monotonic() + SECONDS_BEFORE_ATTEMPT[attempt]
            self._queue.append(Pending(result.image, attempt, wait, {transfer.controller}))
        else:
            self._meter.failures += 1
            self.outcome.failures[transfer.image.id] = {
                **_shown(transfer.image),
                "reason": result.reason,
                "attempts": transfer.attempt,
                "controller": transfer.controller,
                "task_id": transfer.task,
            }
        if self._failures_in_a_row >= FAILURES_IN_A_ROW and any(each.attempt == 1 for each in self._queue):
            raise GlanceError(
                f"copying images to {self._switch.target}",
                answer=f"the last {self._failures_in_a_row} copies failed, the last of them so: {result.reason}",
                cause=f"the store {self._switch.target} is down or full",
                remedy="look at the store, and run again: it goes on where it stood",
            )

    # --- polling ------------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        """Ask each controller about the images that it copies, all of them at once."""
        busy = {id(transfer) for transfer in self._jobs.values()}
        idle = [transfer for transfer in self._transfers.values() if id(transfer) not in busy]
        for name in self._controllers.apis:
            mine = [transfer for transfer in idle if transfer.controller == name]
            if mine:
                self._poll_controller(name, mine)
        young = any(transfer.seconds < 10 for transfer in self._transfers.values())
        self._next_poll = time.monotonic() + POLL_SECONDS[0 if young else 1]

    def _poll_controller(self, name: str, transfers: list[Transfer]) -> None:
        records: dict[str, Record] = {}
        groups = sorted({(transfer.image.hidden, transfer.image.visibility == "community") for transfer in transfers})
        for hidden, community in groups:
            filters = _filters(transfers, hidden, community)
            try:
                found = self._ask(name, transfers, lambda api, filters=filters: api.glimpse(**filters))  # type: ignore[misc]
            except GlanceError as error:
                self._check_silence(error)
                return
            records.update((record["id"], record) for record in found)
        for transfer in transfers:
            self._compare(transfer, records.get(transfer.image.id))

    def _ask(
        self, name: str, transfers: list[Transfer], request: t.Callable[[SwitchApi], list[Record]]
    ) -> list[Record]:
        if not self._controllers.is_resting(name):
            try:
                return self._controllers.on(name, request)
            except GlanceError as error:
                if not is_away(error):
                    raise
                if refuses(error):
                    for transfer in transfers:
                        transfer.cut_off = True
        return self._controllers.anywhere(request)

    def _compare(self, transfer: Transfer, record: t.Optional[Record]) -> None:
        if record is not None:
            transfer.watch(record)
        lock = str(record.get(LOCK) or "") if record is not None else ""
        if not lock:
            # It has ended, or it is not where it was listed before.
            self._submit(self._copier.look, transfer)
            return
        if not transfer.task:
            self._copier.note_task(transfer, lock)
        self._judge_lock(transfer)
        if time.monotonic() - transfer.looked > PROGRESS_SECONDS:
            transfer.looked = time.monotonic()
            with contextlib.suppress(GlanceError):
                self._copier.progress(transfer)

    def _judge_lock(self, transfer: Transfer) -> None:
        """Give up a copy that nobody seems to work at; whether that is so, only its controller can tell."""
        if transfer.cut_off and not self._controllers.is_resting(transfer.controller):
            self._give_up_lock(transfer, f"Glance on {transfer.controller} was away while it copied")
        elif transfer.task not in self._options.alive_tasks and self._is_silent(transfer):
            self._give_up_lock(transfer, f"nothing was heard of it for {transfer.silence:.0f} seconds")

    def _is_silent(self, transfer: Transfer) -> bool:
        """Tell whether nothing was heard of a copy for too long. What makes progress is alive."""
        if transfer.silence <= self._patience_with(transfer):
            return False
        try:
            self._copier.progress(transfer)
        except GlanceError:
            # Who cannot be asked is not silent.
            return False
        return transfer.silence > self._patience_with(transfer)

    def _patience_with(self, transfer: Transfer) -> float:
        longest = transfer.image.size / LEAST_RATE
        return self._options.lock_age + (min(longest, LONGEST_PAUSE) if transfer.bytes else longest)

    def _give_up_lock(self, transfer: Transfer, reason: str) -> None:
        self._transfers.pop(transfer.image.id, None)
        self.outcome.locked[transfer.image.id] = {
            **_shown(transfer.image),
            "task_id": transfer.task,
            "controller": transfer.controller,
            "reason": reason,
        }

    # --- waiting for others -------------------------------------------------------------------------------------------

    def _wait(self) -> bool:
        """Wait a moment for what others have begun; tell whether that is worth while."""
        if self._waiting_until is None:
            self._waiting_until = time.monotonic() + self._options.wait
        is_over = time.monotonic() >= self._waiting_until
        waiting = self.plan.of(WAIT)
        unfinished = [image for image in waiting if image.status in UNFINISHED]
        locks = self._locks([image for image in waiting if image.status not in UNFINISHED], suspect_all=is_over)
        if not (locks or unfinished) or is_over:
            return False
        self._pause(f"waiting for {len(locks) + len(unfinished)} uploads and imports that others have begun")
        return True

    def _pause(self, state: str) -> None:
        end = time.monotonic() + LISTING_SECONDS
        while time.monotonic() < end:
            self._check_stop()
            self._meter.tick(working=False)
            self._tell(state)
            time.sleep(TICK)

    def _locks(self, images: list[Image], suspect_all: bool) -> list[Image]:
        """Return the locked images that are worth waiting for, and note those whose lock may be dead.

        :param suspect_all: take even those for dead that were heard of a moment ago: there is no time to listen longer.
        """
        alive = []
        still = {image.id for image in images}
        self.outcome.locked = {key: facts for key, facts in self.outcome.locked.items() if key in still}
        for image in images:
            if image.id in self.outcome.locked:
                continue
            task, silent = self._silence_of(image)
            known_alive = image.lock in self._options.alive_tasks
            if known_alive or (silent < self._options.lock_age and not suspect_all):
                alive.append(image)
            else:
                known = self._state.images.get(image.id)
                self.outcome.locked[image.id] = {
                    **_shown(image),
                    "task_id": image.lock,
                    "controller": str(known.copy.get("controller", "")) if known else "",
                    "reason": f"its task is {task or 'unknown'}, and has been silent for {silent:.0f} seconds",
                }
        return alive

    def _silence_of(self, image: Image) -> tuple[str, float]:
        """Return the status of the task that an image is locked for, and for how long nothing was heard of it."""
        tasks = self._controllers.anywhere(lambda api: api.tasks(image.id))
        for task in tasks:
            if task["id"] == image.lock:
                now = datetime.datetime.now(datetime.timezone.utc).timestamp()
                return str(task["status"]), now - seconds_of(str(task["updated_at"]))
        return "", float("inf")

    # --- the end ------------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        for image_id in self.open:
            with contextlib.suppress(GlanceError):
                self._copier.close(image_id)
        self._copier.withdraw()
        self._tell(force=True)
        self._note_left()
        self._note_phase("finished")

    def _note_left(self) -> None:
        """Write down what is not copied in the end: nobody else knows of what others work on."""
        if self._options.only is not None:
            return
        left = [_uncopied(image) for image in self.left() if image.id not in self.outcome.copied]
        for image, case in self.plan.images[WAIT]:
            if case.attention and image.id not in self.outcome.failures:
                told = self.outcome.locked.get(image.id, {}).get("reason")
                left.append(_left(image, f"{case.reason}; {told}" if told else case.reason))
        others = self.plan.others(BLOCKED, WAIT)
        if left or others or self._state.left or self._state.others:
            self._journal.append("left", images=left, others=others)

    def _end(self, reason: str, interrupted: bool = False) -> None:
        """Leave everything so that the next run can go on."""
        self.outcome.stopped = f"interrupted: {reason}" if interrupted else reason
        self.outcome.interrupted = interrupted
        concurrent.futures.wait(self._jobs, timeout=TICK if self._controllers.seconds_of_silence else 10)
        for image_id in self.open:
            # Nobody shall read it because somebody went home; its copy may fail for it, and is made again.
            with contextlib.suppress(GlanceError):
                self._copier.close(image_id, reason)
        state = "interrupted" if interrupted else "failed"
        # A journal that cannot be written may be the reason.
        with contextlib.suppress(GlanceError):
            self._note_phase(state, reason=reason)

    def _note_phase(self, state: str, **facts: str) -> None:
        # What is done with a few images is no phase of the switch.
        if self._options.only is None:
            self._journal.append("phase", phase="copy", state=state, **facts)

    def _check_stop(self) -> None:
        if self._signal:
            raise StoppedError(self._signal)
        if not all(is_running(process) for process in self._options.watched_processes):
            raise StoppedError("the run of Ansible that started it is gone")

    def _check_silence(self, error: GlanceError) -> None:
        if not is_away(error) or self._controllers.seconds_of_silence > SILENCE_SECONDS:
            raise error

    def _give_up_silence(self, reason: str) -> None:
        """Stop where no controller has answered for too long, and nothing is copied that would be asked for."""
        if self._controllers.seconds_of_silence > SILENCE_SECONDS:
            raise GlanceError(
                f"copying images to {self._switch.target}",
                answer=f"no controller has answered for {SILENCE_SECONDS:g} seconds: {reason}",
                cause="a service that is down, or the network to the controllers",
                remedy="look at them, and run again: it goes on where it stood",
            )

    @contextlib.contextmanager
    def _listening(self) -> t.Iterator[None]:
        def hear(number: int, _frame: t.Any) -> None:
            self._signal = signal.Signals(number).name

        before = {number: signal.signal(number, hear) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # --- telling ------------------------------------------------------------------------------------------------------

    def _refresh_control(self) -> None:
        self._control.refresh()
        self._free = read_rooms(self._options.room_file)
        if self._control.problem and self._control.problem != self._warned:
            self.warnings.append(f"The control file is not used as it is: {self._control.problem}.")
        self._warned = self._control.problem

    def _tell(self, state: str = "", force: bool = False) -> None:
        now = time.monotonic()
        if force or now >= self._next_sample:
            self._next_sample = now + SAMPLE_SECONDS
            if self._meter.seconds:
                self._journal.append("sample", **self._sample())
        if force or now >= self._next_progress:
            self._next_progress = now + 1
            write_copy_progress(self._options.progress_file, self.progress(state))

    def _sample(self) -> Facts:
        return {
            "what": "copy",
            "images": self._meter.images,
            "bytes": self._bytes_done(),
            "images_total": self._total[0],
            "bytes_total": self._total[1],
            "rate": round(self._meter.rate),
        }

    def _bytes_done(self) -> int:
        return self._meter.bytes + sum(transfer.bytes for transfer in self._transfers.values())

    def progress(self, state: str = "") -> CopyProgress:
        """Return how far the copying is."""
        now = [
            f"{_named(transfer.image)} ({size_text(transfer.image.size)}) on {transfer.controller}"
            for transfer in self._transfers.values()
        ]
        silent = self._controllers.seconds_of_silence
        told = [
            state,
            "paused" if self._control.paused else "",
            f"no controller answers since {silent:.0f} s" if silent > 1 else "",
            self._held_text(),
            f"the control file is not used: {self._control.problem}" if self._control.problem else "",
        ]
        return CopyProgress(
            f"{self._switch.source} -> {self._switch.target}",
            self._meter.images,
            self._total[0],
            self._bytes_done(),
            self._total[1],
            self._meter.seconds,
            self._meter.failures,
            now,
            ", ".join(each for each in told if each),
        )


def _may_start(pending: Pending, controller: str, ready: list[str]) -> bool:
    if pending.not_before > time.monotonic():
        return False
    return controller not in pending.tried or pending.tried.issuperset(ready)


def tagged(controllers: Controllers, images: list[Image], known: t.Optional[t.Collection[str]] = None) -> list[Image]:
    """Let Glance note the stores of those images that have data and no store, and return all images.

    :param known: the stores of the configuration. Of an image that is noted in another one, Glance corrects that when
        it is asked for it: the store may have got a new name.
    """

    def is_tagged(image: Image) -> bool:
        return bool(image.stores) and (known is None or set(image.stores) <= set(known))

    untagged = [image.id for image in images if image.status in WITH_DATA and not is_tagged(image)]
    if not untagged:
        return images

    def ask(image_id: str) -> t.Optional[Record]:
        return controllers.anywhere(lambda api: api.get(image_id))

    with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = dict(zip(untagged, pool.map(ask, untagged)))
    # One that is gone by now has nothing to be copied.
    return [
        image_of(t.cast("Record", found[image.id])) if found.get(image.id) else image
        for image in images
        if image.id not in found or found[image.id] is not None
    ]


def _filters(transfers: list[Transfer], hidden: bool, community: bool) -> dict[str, str]:
    ids = [
        transfer.image.id
        for transfer in transfers
        if (transfer.image.hidden, transfer.image.visibility == "community") == (hidden, community)
    ]
    filters = {"id": f"in:{','.join(ids)}"}
    if hidden:
        filters["os_hidden"] = "true"
    if community:
        filters["visibility"] = "community"
    return filters


def _is_looked_for(known: ImageState) -> bool:
    """Tell whether the journal says of an image that something is still to be done."""
    return (
        not known.is_verified
        or known.is_open
        or bool(known.undone.get("undone"))
        or known.retire.get("state") == "failed"
    )


def _without_time(line: Facts) -> Facts:
    return {name: value for name, value in line.items() if name not in ("event", "time")}


def _uncopied(image: Image) -> Facts:
    if image.lock:
        # Every pass has asked for its copy, so it did not come too late.
        return _left(image, f"locked for the import {image.lock}, which is dead, and Glance does not lift the lock")
    return {**_left(image, "not copied yet; run again"), "late": True}


def _left(image: Image, reason: str) -> Facts:
    return {**_shown(image), "reason": reason}


def _named(image: Image) -> str:
    # Any user of the cloud chooses names, and the line goes to the operator's terminal as it is.
    return visible(image.name) or image.id


def _shown(image: Image) -> Facts:
    return {"image_id": image.id, "name": image.name, "size": image.size}


def is_running(process: int) -> bool:
    """Tell whether a process is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
