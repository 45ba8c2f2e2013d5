# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Locks and data that a copy between stores leaves behind when the Glance that made it ends.

A lock is told dead by this: an import runs inside a process of the controller that took the request, and no other
process ever goes on with it. A controller whose processes are all younger than the task does not work on it. Nor does
one on which no import has its staged data open, once nothing was heard of the task for a while: Glance has them open
while it stages them and while it writes them to a store, and what waits for its turn waits behind such imports.
"""

from __future__ import annotations

import datetime
import os
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _database,
    _glance_process,
    _import_tasks,
    _locations,
    _running_config,
    _switch_residue,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._import_tasks import FINISHED, UNDER_WAY, ImportTask
from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import Attribution, Catalogue, Image
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import MULTI, Running
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_residue import Residue
from ansible_collections.openstack_ops.glance.plugins.module_utils._unit import Run, Systemd

ALIVE, DEAD, UNSURE = "alive", "dead", "unsure"
LINGERING = datetime.timedelta(minutes=5)
"""Glance takes a lock away a moment after the end of its task."""
SILENT = datetime.timedelta(minutes=2)
"""Glance tells every minute that it writes to a store, and gives up before what does not answer."""
EXPIRES_AFTER = {"pending": 120, "processing": 60, "success": 60, "failure": 60}
"""How many minutes after the last change of a task Glance lets a new import take its lock over."""

EVIDENCE = {"workers_started", "working_on", "staged"}

Log = t.Callable[[str], None]


class Verdict(t.NamedTuple):
    """Whether somebody works on an import, and what tells it."""

    state: str
    why: str


def evidence(running: Running, service: str, execute: Run) -> Parameters:
    """Return what this node knows: since when its Glance runs, and on which images it works at this moment."""
    main = Systemd(execute).show(service).pid
    open_files = _glance_process.open_in(running.staging) if running.staging else set()
    return {
        "workers_started": _glance_process.workers_started(service, main),
        "working_on": sorted(filter(_switch_residue.is_image_id, open_files)),
        "staged": sorted(filter(_switch_residue.is_image_id, _names(running.staging))),
    }


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        # Glance makes it when it needs it.
        return []


class Judge:
    """Tells dead locks from those of imports that live.

    :param controllers: what each controller knows, by its name.
    :param ran_on: the controller that was asked for an import, by the id of its task, as far as that is known.
    """

    def __init__(self, controllers: t.Mapping[str, Parameters], ran_on: t.Mapping[str, str]) -> None:
        self._controllers = controllers
        self._ran_on = ran_on

    def verdict(self, task: ImportTask, tasks: t.Sequence[ImportTask], now: datetime.datetime) -> Verdict:
        """Tell whether the task of a lock is dead.

        :param tasks: those of all locks.
        """
        for name, known in self._controllers.items():
            if task.image_id in known["working_on"]:
                return Verdict(ALIVE, f"{name} has the staged data of the image open")
        if not task.status:
            return Verdict(DEAD, "its task is no longer known to Glance")
        suspects = [name for name in self._controllers if self._may_work(name, task, tasks, now)]
        if not suspects:
            return Verdict(DEAD, self._why_dead(task))
        if task.status in UNDER_WAY:
            return Verdict(
                UNSURE, f"the Glance of {', '.join(suspects)} runs since before the task, and may work on it"
            )
        if task.status not in FINISHED or (task.updated and now - task.updated < LINGERING):
            return Verdict(UNSURE, f"its task is {task.status} since {_time(task.updated)}")
        return Verdict(DEAD, f"its task ended ({task.status}) at {_time(task.updated)}")

    def _may_work(self, name: str, task: ImportTask, tasks: t.Sequence[ImportTask], now: datetime.datetime) -> bool:
        known, asked = self._controllers[name], self._ran_on.get(task.id)
        # Glance notes whole seconds.
        if known["workers_started"] is None or task.created_at < int(known["workers_started"]):
            return False
        if asked in self._controllers and asked != name:
            return False
        return _speaks(task, now) or any(self._is_at_work(known, other, now) for other in tasks)

    def _is_at_work(self, known: Parameters, task: ImportTask, now: datetime.datetime) -> bool:
        """Tell whether a controller works on an import, behind which others may wait for their turn."""
        if task.status not in UNDER_WAY or task.image_id not in known["staged"]:
            return False
        return task.image_id in known["working_on"] or _speaks(task, now)

    def _why_dead(self, task: ImportTask) -> str:
        asked = self._ran_on.get(task.id)
        who = f"the Glance of {asked}" if asked in self._controllers else "every Glance"
        return f"{who} was started after its task was made ({_time(task.created)}), or has long had no staged data open"


def _speaks(task: ImportTask, now: datetime.datetime) -> bool:
    """Tell whether something was heard of a task a moment ago."""
    return task.updated is None or now - task.updated < SILENT


def _time(moment: t.Optional[datetime.datetime]) -> str:
    return f"{moment.isoformat(timespec='seconds')}Z" if moment else "an unknown time"


class Unlock:
    """Breaks the locks of dead imports, and removes what they left on this node and in the target store.

    :param wanted: the images to look at; None for all.
    :param target: the store that was copied to.
    """

    def __init__(
        self,
        running: Running,
        judge: Judge,
        target: str,
        wanted: t.Optional[t.Collection[str]],
        timeout: float,
    ) -> None:
        self._running = running
        self._attribute = Attribution(running)
        self._judge = judge
        self._target = target
        self._wanted = wanted
        self._timeout = timeout
        self.notes: list[str] = []

    def observe(self) -> tuple[list[tuple[ImportTask, Verdict]], list[Residue]]:
        """Return the locks with what is known of them, and what lies around.

        What lies around is listed first: whatever Glance finishes in the meantime is known to the database then.
        """
        found = _switch_residue.listing(self._running, self._target, self._wanted, self._timeout, self.notes)
        catalogue, tasks = self._database()
        locks = [
            (task, self._judge.verdict(task, tasks, catalogue.now)) for task in tasks if self._is_wanted(task.image_id)
        ]
        states = {task.image_id: found.state for task, found in locks}
        images = {image.id: image for image in catalogue.images}
        judged = (self._judged(residue, images.get(residue.image_id), states) for residue in found)
        return locks, [residue for residue in judged if residue is not None]

    def _database(self) -> tuple[Catalogue, list[ImportTask]]:
        with _import_tasks.session(self._running, "reading the imports that are under way") as connection:
            tasks = _import_tasks.read(connection)
        return _locations.read(self._running), tasks

    def _is_wanted(self, image_id: str) -> bool:
        return self._wanted is None or image_id in self._wanted

    def _judged(self, residue: Residue, image: t.Optional[Image], states: t.Mapping[str, str]) -> t.Optional[Residue]:
        found = _switch_residue.judged(residue, image, self._running, self._attribute)
        lock = states.get(residue.image_id, "")
        if found is not None and not found.why and lock in (ALIVE, UNSURE):
            return found.kept(f"the image is locked by an import that is {lock}")
        return found

    def break_lock(self, task: ImportTask) -> bool:
        """Age a task, so that Glance lets the next import take its lock over, and tell whether that was needed.

        The only thing that is ever written in Glance's tables. Nothing is written when the task is no longer what it
        was when it was looked at, or when it is old enough.
        """
        minutes = EXPIRES_AFTER[task.status] + 1
        statement = (
            f"UPDATE tasks SET updated_at = updated_at - INTERVAL {minutes} MINUTE"  # noqa: S608 (a number of ours)
            " WHERE id = %s AND status = %s AND updated_at = %s AND deleted = 0"
            f" AND updated_at > UTC_TIMESTAMP() - INTERVAL {minutes} MINUTE"
        )
        doing = f"ageing the task {task.id} that locks the image {task.image_id}"
        with _import_tasks.session(self._running, doing, read_only=False) as connection, connection.cursor() as cursor:
            return bool(cursor.execute(statement, (task.id, task.status, task.updated)))

    def ageable(self, task: ImportTask, now: t.Optional[datetime.datetime] = None) -> bool:
        """Tell whether a task has to be aged for its lock to be taken over."""
        if task.status not in EXPIRES_AFTER or task.updated is None:
            return False
        moment = now or datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        return moment - task.updated < datetime.timedelta(minutes=EXPIRES_AFTER[task.status])

    def still_dead(self, image_id: str) -> bool:
        """Tell whether an image is still locked by nobody who lives, right before something of it is removed."""
        with _import_tasks.session(self._running, "reading the imports that are under way") as connection:
            tasks = _import_tasks.read(connection)
            now = _database.run(connection, "SELECT UTC_TIMESTAMP()")[0][0]
        own = [task for task in tasks if task.image_id == image_id]
        return all(self._judge.verdict(task, tasks, now).state == DEAD for task in own)


def run(params: Parameters, execute: Run, check_mode: bool, log: Log) -> Parameters:
    """Look, and with ``state: unlocked`` break and remove what is dead; return the module's result.

    :raises GlanceError: when something needed cannot be read, or the evidence is incomplete.
    """
    running = _running_config.read(params["config_file"], params["config_directory"])
    if running.layout != MULTI:
        raise GlanceError("looking for copies between stores", answer="this node's Glance has no several stores")
    if params["target"] not in running.stores:
        raise GlanceError(
            f"looking for what copies left in the store {params['target']!r}",
            answer=f"the node's Glance has the stores {', '.join(running.stores)}",
            remedy="give target the name of one of them",
        )
    own = evidence(running, params["service"], execute)
    controllers = _controllers(params["controllers"], params["controller"], own, params["state"] == "observed")
    judge = Judge(controllers, params["ran_on"])
    unlock = Unlock(running, judge, params["target"], params["images"], params["timeout"])
    locks, residues = unlock.observe()
    result: Parameters = {
        "evidence": own,
        "locks": [_lock(task, found) for task, found in locks],
        "left": [residue.told() for residue in residues if residue.why],
    }
    doomed = [residue for residue in residues if not residue.why]
    dead = [task for task, found in locks if found.state == DEAD and unlock.ageable(task)]
    if params["state"] == "unlocked" and not check_mode:
        removed, failed = _remove(unlock, running, doomed, params["timeout"], log)
        result["left"] += failed
        aged = [task.image_id for task in dead if _age(unlock, task, log)]
    else:
        removed, aged = [residue.told() for residue in doomed], [task.image_id for task in dead]
    result.update(removed=removed, aged=aged, notes=unlock.notes)
    result["results"] = list(_lines(locks, removed, aged, params["controller"]))
    result["changed"] = params["state"] == "unlocked" and bool(removed or aged)
    return result


def _controllers(
    given: t.Optional[t.Mapping[str, Parameters]], name: str, own: Parameters, only_looking: bool
) -> t.Mapping[str, Parameters]:
    if not given and only_looking:
        return {name: own}
    given = given or {}
    wrong = [other for other, known in given.items() if not set(known or {}) >= EVIDENCE]
    if wrong or name not in given:
        raise GlanceError(
            "comparing what the controllers know",
            answer=f"controllers has no evidence of {', '.join(wrong or [name])}",
            remedy="run the module with state: observed on every controller first, and give the evidence of each",
        )
    # This node may have begun something since.
    return {**given, name: own}


def _lock(task: ImportTask, found: Verdict) -> Parameters:
    return {
        "image_id": task.image_id,
        "name": task.image_name,
        "task_id": task.id,
        "task_status": task.status,
        "state": found.state,
        "why": found.why,
    }


def _remove(
    unlock: Unlock, running: Running, doomed: list[Residue], timeout: float, log: Log
) -> tuple[list[Parameters], list[Parameters]]:
    removed, failed = [], []
    for residue in doomed:
        if not unlock.still_dead(residue.image_id):
            failed.append(residue.kept("the image was locked anew").told())
            continue
        try:
            _switch_residue.remove(residue, running, timeout)
        except GlanceError as error:
            failed.append(residue.kept(str(error)).told())
            continue
        log(f"removed {residue.what}, {residue.size} bytes, left by a dead copy of the image {residue.image_id}")
        removed.append(residue.told())
    return removed, failed


def _age(unlock: Unlock, task: ImportTask, log: Log) -> bool:
    done = unlock.break_lock(task)
    if done:
        log(f"aged the dead task {task.id} ({task.status}) that locks the image {task.image_id}")
    return done


def _lines(
    locks: list[tuple[ImportTask, Verdict]], removed: list[Parameters], aged: list[str], controller: str
) -> t.Iterator[Parameters]:
    tasks = {task.image_id: task.id for task, _found in locks}
    for image_id in sorted({*aged, *(item["image_id"] for item in removed)}):
        yield {
            "event": "unlock",
            "image_id": image_id,
            "task_id": tasks.get(image_id, ""),
            "controller": controller,
            "aged": image_id in aged,
            "removed": [item["what"] for item in removed if item["image_id"] == image_id],
        }
