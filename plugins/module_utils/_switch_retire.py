# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The end of a switch: the data of every image that was verified in the new store is deleted from the old one.

Nothing else in the collection deletes data of images. So it is done only with the token of a plan that somebody has
read, the plan is refused as a whole when one image is not as it ought to be, and each image is looked at once more
before it is touched.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import hashlib
import json
import shlex
import threading
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import stoppable, undisturbed
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_api import Controllers, is_away
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_charts import seconds_of, size_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_copy import is_running, tagged
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import (
    Facts,
    ImageState,
    Journal,
    State,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_plan import (
    WITH_DATA,
    Image,
    Switch,
    image_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_progress import (
    CopyProgress,
    write_copy_progress,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_report import (
    BACK,
    CUT_OVER,
    PLAYBOOK,
    images_text,
    masked,
    visible,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_transfer import (
    Copier,
    waits_for_announcement,
)

AT_ONCE = 4
TICK = 0.2
TOKEN_LENGTH = 20
SHOWN_PROBLEMS = 50
GO_ON = "run it again with the same token: it goes on where it stood"
BEGUN = ("planned", "done", "failed")


class Options(t.NamedTuple):
    """How the old store is retired.

    :param token: what the plan has printed.
    :param quarantine_days: how many days after the cut-over nothing is deleted.
    :param leave_behind: the images that keep what they have in the old store.
    :param in_use: why images of the plan keep what they have there for now, by their id.
    :param announced_only: whether deactivated images wait until the journal announces that they are to be activated.
    :param watched_processes: the processes without which nobody is interested in this one.
    """

    token: str = ""
    quarantine_days: int = 0
    leave_behind: frozenset[str] = frozenset()
    in_use: t.Mapping[str, str] = {}
    announced_only: bool = False
    playbook: str = PLAYBOOK
    progress_file: t.Optional[str] = None
    watched_processes: tuple[int, ...] = ()


class RetireError(GlanceError):
    """Nothing was deleted, or not everything.

    :ivar result: what the module returns nevertheless.
    """

    result: Facts

    def __init__(self, doing: str, *, answer: str, remedy: str, cause: str = "") -> None:
        super().__init__(doing, answer=answer, cause=cause, remedy=remedy)
        self.result = {}


class Retirement:
    """One run.

    :param state: what the journal told when the run began.
    """

    def __init__(
        self, controllers: Controllers, journal: Journal, switch: Switch, state: State, options: Options
    ) -> None:
        self._controllers = controllers
        self._journal = journal
        self._switch = switch
        self._state = state
        self._options = options
        self._copier = Copier(controllers, journal, switch, state.open_images(), due=state.due_images())
        self._announced = state.announced() if options.announced_only else None
        self._stop = threading.Event()
        self._listed: frozenset[str] = frozenset()
        self.images: list[Image] = []
        self.untagged: list[Image] = []
        self.left_behind: list[Image] = []
        self.done: dict[str, Image] = {}
        self.failures: dict[str, Facts] = {}
        self.held_back: list[str] = []
        """The deactivated images that nobody has announced."""

    # --- the plan -----------------------------------------------------------------------------------------------------

    def observe(self) -> None:
        """Find the images that have data in the old store."""
        listed = [image for image in self._controllers.listing(image_of) if image.status != "deleted"]
        self._listed = frozenset(image.id for image in listed)
        found = tagged(self._controllers, listed)
        mine = [image for image in found if self._switch.source in image.stores]
        self.untagged = [image for image in found if not image.stores and image.status in WITH_DATA]
        self.left_behind = [image for image in mine if self._is_left_behind(image)]
        self.images = sorted(image for image in mine if not self._is_left_behind(image))

    def _is_left_behind(self, image: Image) -> bool:
        hindrance = self._problem(image) or self._options.in_use.get(image.id)
        return image.id in self._options.leave_behind and bool(hindrance)

    @property
    def in_use(self) -> list[Image]:
        """The images of the plan that keep what they have for now. They belong to it, so that its token lasts."""
        return [image for image in self.images if image.id in self._options.in_use]

    @property
    def deletable(self) -> list[Image]:
        """The images of which the plan would delete what they have."""
        return [image for image in self.images if image.id not in self._options.in_use]

    @property
    def bytes(self) -> int:
        """How many bytes the plan would delete."""
        return sum(image.size for image in self.deletable)

    @property
    def token(self) -> str:
        """What has to be given to have this plan carried out.

        What an earlier run of the same plan has deleted still belongs to it, so that it can be gone on with.
        """
        here = {image.id for image in self.images}
        begun = [
            image
            for image in self._state.images.values()
            if image.retire.get("state") in BEGUN and image.id not in here
        ]
        proofs = [self._state.images[image.id] for image in self.images if image.id in self._state.images] + begun
        entries = sorted(_proof_of(image) for image in proofs)
        plan = json.dumps([self._switch.source, self._switch.target, entries])
        return hashlib.sha256(plan.encode()).hexdigest()[:TOKEN_LENGTH]

    def problems(self) -> list[str]:
        """Return why the plan cannot be carried out, a sentence for each image."""
        found = [(image, self._problem(image)) for image in self.images]
        return [f"{_shown(image)} {problem}" for image, problem in found if problem]

    def _problem(self, image: Image) -> str:
        """Return why the data of an image must not be deleted from the old store, or nothing."""
        if image.status not in WITH_DATA:
            return f"is in the status {image.status}"
        if image.lock:
            return f"is locked for the import {image.lock}"
        if self._switch.target not in image.stores:
            return f"has no copy in {self._switch.target}"
        return self._lack_of_proof(image, self._state.images.get(image.id))

    def _lack_of_proof(self, image: Image, known: t.Optional[ImageState]) -> str:
        if known is None or not known.is_verified:
            return f"was not verified in {self._switch.target}"
        proof, source = known.verify, known.source_hash
        proved, recorded = (proof.get("algo"), proof.get("value")), (image.hash_algo, image.hash_value)
        # Glance has given an image without a hash that of what it copied, with an algorithm of its own choice.
        wanted = (source.get("algo"), source.get("value")) if source else recorded
        differs = image.hash_value and image.hash_algo == proved[0] and recorded != proved
        if proved != wanted or differs:
            return "has another hash than the one that was verified"
        if proof.get("size") != image.size:
            return f"has {image.size} bytes, and {proof.get('size')} were verified"
        return ""

    # --- what forbids it as a whole -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Refuse what would delete what is needed.

        :raises RetireError: with all images that stand in the way.
        """
        self._check_stores()
        problems = self.problems()
        if problems:
            raise self._refusal(
                f"{images_text(len(problems))} must not be deleted there: {_first(problems)}",
                "run the switch again, which copies and verifies what is missing; or name in glance_switch_leave_behind"
                " what may stay for ever",
            )
        if self.cut_over_at is None:
            raise self._refusal(
                "the journal knows of no cut-over that was finished on every controller",
                "run the switch to its end first",
            )

    def _check_stores(self) -> None:
        for name in self._controllers.apis:
            records = self._controllers.on(name, lambda api: api.stores()) or []
            known = {str(record["id"]): str(record.get("default", "")).lower() == "true" for record in records}
            missing = [store for store in (self._switch.source, self._switch.target) if store not in known]
            if missing:
                raise self._refusal(
                    f"the Glance of {name} has no store {' and '.join(missing)}; it has {', '.join(known) or 'none'}",
                    "keep both stores in glance_stores until the old one is retired, and deploy",
                )
            if known[self._switch.source]:
                raise self._refusal(
                    f"it is the default store of the Glance of {name}: new images go there",
                    "cut over first; a switch that has gone back has to go forth again",
                )

    def _refusal(self, answer: str, remedy: str) -> RetireError:
        done = self._done_before()
        so_far = f"nothing further was deleted after {images_text(done)}" if done else "nothing was deleted"
        return RetireError(f"retiring {self._switch.source}, {so_far}", answer=answer, remedy=remedy)

    def _done_before(self) -> int:
        """Return how many images this retirement has deleted from already, in calls that have not come to its end."""
        begun = ""
        for line in self._state.round_lines():
            if line["phase"] == "retire":
                begun = "" if line["state"] == "finished" else begun or line["time"]
        images = self._state.images.values()
        return sum(image.is_retired and image.retire["time"] >= begun for image in images) if begun else 0

    @property
    def cut_over_at(self) -> t.Optional[str]:
        """When the newest cut-over was finished on all controllers, as the journal writes it.

        A further run that finds nothing to cut over finishes it once more, which does not make it later.
        """
        finished: dict[str, str] = {str(name): "" for name in self._state.switch.get("controllers", [])}
        for line in self._state.round_lines():
            if line["phase"] == BACK:
                finished = dict.fromkeys(finished, "")
            elif line["phase"] == CUT_OVER:
                controller = line.get("controller")
                for name in [str(controller)] if controller else list(finished):
                    finished[name] = (finished[name] or line["time"]) if line["state"] == "finished" else ""
        return max(finished.values()) if finished and all(finished.values()) else None

    @property
    def not_before(self) -> t.Optional[datetime.datetime]:
        """When the quarantine ends; None where there is none, or it is over."""
        if not self._options.quarantine_days or self.cut_over_at is None:
            return None
        begun = datetime.datetime.fromtimestamp(seconds_of(self.cut_over_at), datetime.timezone.utc)
        end = begun + datetime.timedelta(days=self._options.quarantine_days)
        return end if end > datetime.datetime.now(datetime.timezone.utc) else None

    def check_permission(self) -> None:
        """Refuse to delete without the token of this plan, or before its time.

        :raises RetireError: with what to do.
        """
        if self.not_before is not None:
            self._note_quarantine()
            raise self._refusal(
                f"the quarantine of {self._options.quarantine_days} days since the cut-over lasts until"
                f" {_moment(self.not_before)}",
                "wait, or lower glance_switch_quarantine_days",
            )
        if self._options.token == self.token:
            return
        plan = f"the plan is now to delete {self._sum()} from {self._switch.source}"
        answer = f"it needs the token of its plan; {plan}"
        if self._options.token:
            answer = f"the token {self._options.token} is that of another plan, the images have changed since; {plan}"
        raise self._refusal(answer, f"if all of them shall go, type: {self.command}")

    def _note_quarantine(self) -> None:
        known = self._state.images
        self._journal.append_all(
            ("retire", {"image_id": image.id, "state": "quarantined", "size": image.size})
            for image in self.images
            if known[image.id].retire.get("state") != "quarantined"
        )

    @property
    def command(self) -> str:
        """What carries the plan out."""
        values = {
            "glance_switch_from": self._switch.source,
            "glance_switch_to": self._switch.target,
            "glance_switch_phase": "retire",
            "glance_switch_token": self.token,
        }
        words = " ".join(f"-e {shlex.quote(f'{name}={value}')}" for name, value in values.items())
        return f"{self._options.playbook} {words}"

    def _sum(self) -> str:
        return f"{images_text(len(self.deletable))} with {size_text(self.bytes)}"

    # --- doing it -----------------------------------------------------------------------------------------------------

    def close_leftovers(self) -> None:
        """Deactivate again what a run that was killed has left active."""
        for image_id in sorted(self._copier.open):
            self._copier.close(image_id, "an earlier run was ended before it could do so")

    def note_deleted(self) -> None:
        """Write down what a run has deleted that was killed before it could do so itself.

        Nobody else would: it is not in the old store any more, and so in no further plan.
        """
        here = {image.id for image in [*self.images, *self.left_behind]}
        for known in list(self._state.images.values()):
            if known.retire.get("state") != "planned" or known.id in here:
                continue
            # One that changes its visibility in the middle of a listing may be missing in it.
            image = self._look(known.id)
            if image is None or self._switch.source not in image.stores:
                facts = {"image_id": known.id, "state": "done", "size": known.retire.get("size")}
                self._state.apply(self._journal.append("retire", **facts))

    def note_gone(self) -> None:
        """Write down which images users have deleted: of those, no copy that cannot be read needs attention."""
        for known in self._state.to_verify():
            if known.is_gone or known.id in self._listed:
                continue
            image = self._look(known.id)
            if image is None or image.status == "deleted":
                self._state.apply(self._journal.append("verify", image_id=known.id, state="gone"))

    def retire(self) -> None:
        """Delete what the plan names. What cannot be deleted does not stop the others.

        :raises RetireError: when no controller answers any more, or somebody stops it.
        """
        self._note_phase("started")
        try:
            with stoppable():
                self._retire_all()
                self._copier.withdraw()
        except GlanceError as error:
            # A journal that cannot be written may be the reason.
            with contextlib.suppress(GlanceError):
                self._note_phase("failed", reason=str(error))
            raise RetireError(self._so_far(), answer=str(error), remedy=GO_ON) from error

    def _note_phase(self, state: str, **facts: str) -> None:
        self._journal.append("phase", phase="retire", state=state, **facts)

    def note_left_behind(self) -> None:
        """Write down what stays in the old store, for the report."""
        images = [{"image_id": image.id, "name": image.name, "size": image.size} for image in sorted(self.left_behind)]
        self._journal.append_all(self._state.leaving_behind(images))

    def end_phase(self) -> None:
        """Write down that nothing is left of what an earlier run has begun."""
        if self._state.phases.get("retire", {}).get("state", "finished") != "finished":
            self._note_phase("finished")

    def check_outcome(self) -> None:
        """Refuse to be content with less than everything, and write down how it ended.

        :raises RetireError: with what could not be deleted.
        """
        if self.held_back:
            # The call that deletes these tries again what has failed.
            return
        if self.failures:
            reasons = _first([f"{failure['image_id']}: {failure['reason']}" for failure in self.outcome()["failures"]])
            self._note_phase("failed", reason=reasons)
            raise RetireError(self._so_far(), answer=reasons, remedy=f"mend it; {GO_ON}")
        self._note_phase("finished")

    def _so_far(self) -> str:
        return f"retiring {self._switch.source}, {len(self.done):,} of {images_text(len(self.images))} done"

    def _retire_all(self) -> None:
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            waiting = {pool.submit(self._retire, image) for image in self.images}
            try:
                while waiting:
                    finished, waiting = concurrent.futures.wait(
                        waiting, TICK, return_when=concurrent.futures.FIRST_EXCEPTION
                    )
                    for future in finished:
                        future.result()
                    self._watch(started)
            finally:
                # Those that are being deleted come to their end; a deactivated image has to be deactivated again.
                self._stop.set()
                with undisturbed():
                    concurrent.futures.wait(waiting)

    def _watch(self, started: float) -> None:
        if not all(is_running(process) for process in self._options.watched_processes):
            raise GlanceError("Ansible is gone")
        done = [*self.done.values()]
        progress = CopyProgress(
            what=f"Deleting from {self._switch.source}",
            images=len(done),
            images_total=len(self.images),
            bytes=sum(image.size for image in done),
            bytes_total=self.bytes,
            seconds=time.monotonic() - started,
            failures=len(self.failures),
            now=[],
        )
        write_copy_progress(self._options.progress_file, progress)

    def _retire(self, planned: Image) -> None:
        if self._stop.is_set():
            return
        try:
            image = self._look(planned.id)
            problem = self._use_of(image)
            if not problem and image is not None and self._is_held_back(image):
                self.held_back.append(image.id)
                return
            problem = problem or self._retire_now(planned, image)
        except GlanceError as error:
            if is_away(error):
                raise
            problem = masked(error.answer or str(error))
        if problem:
            self._note(planned, "failed", reason=problem)
            self.failures[planned.id] = {"image_id": planned.id, "name": visible(planned.name), "reason": problem}
        else:
            self._note(planned, "done")
            self.done[planned.id] = planned

    def _use_of(self, image: t.Optional[Image]) -> str:
        """Return why Glance is not even asked to delete what an image has, or nothing.

        Some releases of it make the data unreadable before they find that they cannot delete it.
        """
        if image is None or self._switch.source not in image.stores:
            return ""
        return self._options.in_use.get(image.id, "")

    def _is_held_back(self, image: Image) -> bool:
        return self._switch.source in image.stores and waits_for_announcement(image, self._announced)

    def _retire_now(self, planned: Image, image: t.Optional[Image]) -> str:
        """Delete what an image has in the old store, and return what is in the way of that, if anything is.

        :param image: what it is now.
        """
        if image is None or self._switch.source not in image.stores:
            return ""
        problem = self._problem(image)
        if problem:
            return f"it has changed meanwhile: it {problem}"
        self._note(image, "planned")
        self._delete(image)
        image = self._look(planned.id)
        if image is not None and self._switch.source in image.stores:
            return f"Glance took the request, and lists the image in {self._switch.source} nevertheless"
        return ""

    def _delete(self, image: Image) -> None:
        # Glance deletes nothing of a deactivated image.
        if image.status != "deactivated":
            self._controllers.anywhere(lambda api: api.delete_location(self._switch.source, image.id, image.size))
            return
        try:
            names = sorted(self._controllers.apis, key=self._controllers.is_resting)
            self._copier.activate(image.id, names[0])
            self._controllers.anywhere(lambda api: api.delete_location(self._switch.source, image.id, image.size))
        finally:
            self._copier.close(image.id)

    def _look(self, image_id: str) -> t.Optional[Image]:
        record = self._controllers.anywhere(lambda api: api.get(image_id))
        return image_of(record) if record is not None else None

    def _note(self, image: Image, state: str, **facts: t.Any) -> None:
        self._journal.append("retire", image_id=image.id, state=state, size=image.size, **facts)

    # --- what is told -------------------------------------------------------------------------------------------------

    def plan(self) -> Facts:
        """Return the plan as the module does."""
        return {
            "token": self.token,
            "command": self.command,
            "images": [
                {
                    "image_id": image.id,
                    "name": visible(image.name),
                    "size": image.size,
                    "proof": self._state.images[image.id].verify.get("proof"),
                    "in_use": self._options.in_use.get(image.id, ""),
                }
                for image in self.images
            ],
            "bytes": self.bytes,
            "not_before": _moment(self.not_before) if self.not_before else None,
            "table": self.table(),
        }

    def table(self) -> list[str]:
        """Return the plan for people."""
        source = self._switch.source
        lines = [
            f"{image.id}  {size_text(image.size):>9}  {visible(image.name) or '(no name)'}" for image in self.deletable
        ]
        lines.append(f"To be deleted from {source}: {self._sum()}, all of it verified in {self._switch.target}.")
        lines += self._in_use_lines()
        if self.left_behind:
            lines.append(
                f"To stay in {source}, as glance_switch_leave_behind has it: {images_text(len(self.left_behind))}."
            )
        if self.untagged:
            lines.append(f"In no store that is configured, and left alone: {images_text(len(self.untagged))}.")
        if self.not_before:
            lines.append(f"Not before {_moment(self.not_before)}, when the quarantine ends.")
        return [*lines, f"To do it: {self.command}"] if self.images else lines

    def _in_use_lines(self) -> t.Iterator[str]:
        kept = self.in_use
        if kept:
            yield f"To stay in {self._switch.source} until it is not in use any more: {images_text(len(kept))}:"
        for image in kept[:SHOWN_PROBLEMS]:
            yield f"  {_shown(image)}: {visible(self._options.in_use[image.id])}"
        if len(kept) > SHOWN_PROBLEMS:
            yield f"  and {images_text(len(kept) - SHOWN_PROBLEMS)} more"

    def outcome(self) -> Facts:
        """Return what became of it as the module does."""
        return {
            "retired": [
                {"image_id": image.id, "name": visible(image.name), "size": image.size}
                for image in sorted(self.done.values())
            ],
            "retired_bytes": sum(image.size for image in self.done.values()),
            "failures": sorted(self.failures.values(), key=lambda failure: str(failure["image_id"])),
            "announcements": self._state.announcements(self.held_back),
        }


def _proof_of(image: ImageState) -> tuple[str, int, str, str, str]:
    proof = image.verify
    return (
        image.id,
        int(proof.get("size") or 0),
        str(proof.get("algo")),
        str(proof.get("value")),
        str(proof.get("proof")),
    )


def _shown(image: Image) -> str:
    return f"{image.id} ({visible(image.name) or 'no name'})"


def _first(sentences: list[str]) -> str:
    more = len(sentences) - SHOWN_PROBLEMS
    return "; ".join([*sentences[:SHOWN_PROBLEMS], *([f"and {more:,} more"] if more > 0 else [])])


def _moment(time: datetime.datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC")


def run(params: Facts, *, check_mode: bool = False) -> Facts:
    """Retire the old store as the parameters of the module say, and return its result.

    :raises GlanceError: when it is refused, or cannot be done.
    """
    switch = Switch(params["source"], params["target"])
    journal = Journal(params["journal"])
    controllers = Controllers(connect(params), params["endpoints"])
    controllers.authenticate()
    options = Options(
        token=params["token"].strip(),
        quarantine_days=params["quarantine_days"],
        leave_behind=frozenset(params["leave_behind"]),
        in_use=params["in_use"],
        announced_only=params["announced_only"],
        playbook=params["playbook"],
        progress_file=params["progress_file"],
        watched_processes=tuple(params["watched_processes"] or []),
    )
    if check_mode:
        retirement = _observed(controllers, journal, switch, options)
        retirement.check()
        return {"changed": bool(retirement.deletable) and not retirement.not_before, **retirement.plan()}
    with stoppable(), journal:
        retirement = _observed(controllers, journal, switch, options)
        retirement.note_deleted()
        retirement.note_gone()
        retirement.check()
        return _carry_out(retirement)


def _observed(controllers: Controllers, journal: Journal, switch: Switch, options: Options) -> Retirement:
    state = journal.read()
    ends = (state.switch.get("from"), state.switch.get("to"))
    if ends != (switch.source, switch.target):
        raise RetireError(
            f"reading the journal {journal.path}",
            answer=f"it is of a switch from {ends[0]} to {ends[1]}" if state.switch else "there is none",
            remedy=f"give the directory of the switch from {switch.source} to {switch.target}",
        )
    retirement = Retirement(controllers, journal, switch, state, options)
    retirement.observe()
    return retirement


def _carry_out(retirement: Retirement) -> Facts:
    retirement.close_leftovers()
    plan = retirement.plan()
    if not retirement.images:
        retirement.note_left_behind()
        retirement.end_phase()
        return {"changed": False, **plan, **retirement.outcome()}
    try:
        retirement.check_permission()
        retirement.note_left_behind()
        retirement.retire()
        retirement.check_outcome()
    except RetireError as error:
        error.result = {"changed": bool(retirement.done), **plan, **retirement.outcome()}
        raise
    return {"changed": bool(retirement.done), **plan, **retirement.outcome()}
