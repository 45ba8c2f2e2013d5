# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What a switch from one store to another has to do with every image, and what all of that takes."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_charts import size_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, State
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_page import span_text

COPY, COPIED, ELSEWHERE, WAIT, BLOCKED, LEFT_BEHIND = "copy", "copied", "elsewhere", "wait", "blocked", "left_behind"

LOCK = "os_glance_import_task"
UNFINISHED = ("saving", "uploading", "importing")
WITH_DATA = ("active", "deactivated")
VMWARE_FORMATS = ("vmdk", "iso")
GIB = 1024**3
S3_LIMIT = 5 * GIB
"""Glance copies to S3 in one request, and that is what S3 takes in one."""


class Image(t.NamedTuple):
    """What is kept of an image's record.

    :param lock: the task that the image is locked for, or nothing.
    """

    id: str
    name: str
    status: str
    size: int
    stores: tuple[str, ...]
    lock: str
    hash_algo: str
    hash_value: str
    owner: str
    visibility: str
    hidden: bool
    disk_format: str
    updated: str = ""

    @property
    def facts(self) -> Facts:
        """The image as the journal tells of it."""
        return {
            "image_id": self.id,
            "name": self.name,
            "size": self.size,
            "hash_algo": self.hash_algo,
            "hash_value": self.hash_value,
            "owner": self.owner,
            "visibility": self.visibility,
            "status": self.status,
        }


def image_of(record: Record) -> Image:
    """Return what is kept of a record."""
    return Image(
        id=str(record["id"]),
        name=str(record.get("name") or ""),
        status=str(record["status"]),
        size=int(record.get("size") or 0),
        stores=tuple(store for store in str(record.get("stores") or "").split(",") if store),
        lock=str(record.get(LOCK) or ""),
        hash_algo=str(record.get("os_hash_algo") or ""),
        hash_value=str(record.get("os_hash_value") or ""),
        owner=str(record.get("owner") or ""),
        visibility=str(record.get("visibility") or ""),
        hidden=bool(record.get("os_hidden")),
        disk_format=str(record.get("disk_format") or ""),
        updated=str(record.get("updated_at") or ""),
    )


class Switch(t.NamedTuple):
    """Between which stores the switch is.

    :param target_type: the type of the store ``target``, such as ``swift``.
    :param known: the stores of the running configuration; None in single-store form, where no store has a name.
    :param dead_tasks: the imports that nobody works on any more. The next import of an image takes its lock over.
    :param leave_behind: the images that are not copied.
    """

    source: str
    target: str
    target_type: str = ""
    known: t.Optional[frozenset[str]] = None
    dead_tasks: frozenset[str] = frozenset()
    leave_behind: frozenset[str] = frozenset()


class Capacity(t.NamedTuple):
    """The room there is, as far as it was measured.

    :param target: how many bytes the store can still take.
    :param staging: how many bytes each controller can stage.
    """

    target: t.Optional[int] = None
    staging: t.Mapping[str, int] = {}

    @property
    def largest_staging(self) -> t.Optional[int]:
        """What the roomiest controller can stage, or None where that is not known of every one."""
        return max(self.staging.values()) if self.staging else None


class Case(t.NamedTuple):
    """What there is to do with an image, and if it is not a copy, why.

    :param kind: ``copy``, ``copied``, ``elsewhere``, ``wait``, ``blocked`` or ``left_behind``.
    :param reason: what is in the way.
    :param remedy: what an operator can do about it.
    :param attention: whether data would be lost if nobody did.
    """

    kind: str
    reason: str = ""
    remedy: str = ""
    attention: bool = False


NO_DATA = {
    "queued": Case(
        BLOCKED, "queued: no data was uploaded yet, there is nothing to copy", "nothing, or upload its data"
    ),
    "killed": Case(BLOCKED, "killed: its upload failed, there is nothing to copy", "delete it"),
    "deleted": Case(BLOCKED, "deleted: there is nothing to copy", "nothing"),
    "pending_delete": Case(
        BLOCKED,
        "deleted, but its data is still in the store",
        "let glance-scrubber run before the old store is retired",
        attention=True,
    ),
}


def classify(image: Image, switch: Switch, capacity: Capacity = Capacity()) -> Case:  # noqa: B008
    """Tell what there is to do with an image."""
    case = _classify(image, switch, capacity)
    if image.id in switch.leave_behind and (case.kind == COPY or case.attention):
        return _left_behind(image, switch, case)
    return case


def _left_behind(image: Image, switch: Switch, case: Case) -> Case:
    is_there = switch.known is None or switch.source in image.stores
    what = f"it is left in {switch.source}" if is_there else f"{case.reason}; it is left so"
    return Case(LEFT_BEHIND, f"{what}, as was asked for", "take it out of leave_behind when it shall be copied")


def _classify(image: Image, switch: Switch, capacity: Capacity) -> Case:
    if image.status in NO_DATA:
        return NO_DATA[image.status]
    if image.status in UNFINISHED:
        return Case(WAIT, f"{image.status}: its data is on the way", "wait; if nobody uploads it any more, delete it")
    if image.status not in WITH_DATA:
        return Case(BLOCKED, f"its status is {image.status}, which is not known here", "look at the image", True)
    case = _classify_by_store(image, switch, capacity)
    if image.lock and image.lock not in switch.dead_tasks:
        if case.kind == ELSEWHERE:
            return Case(WAIT, f"locked for an import, and not in {switch.source}", "nothing")
        return Case(WAIT, f"locked for the import {image.lock}", "wait; a lock that is left over is broken later", True)
    # Glance lifts a lock that is left over only when it is asked for a copy, even for one that it has already.
    return Case(COPY) if image.lock and case.kind == COPIED else case


def _classify_by_store(image: Image, switch: Switch, capacity: Capacity) -> Case:
    if switch.target in image.stores:
        return Case(COPIED if switch.source in image.stores else ELSEWHERE)
    if switch.known is not None and switch.source not in image.stores:
        return _not_in_the_source(image, switch.known)
    return _hindrance(image, switch, capacity) or Case(COPY)


def _not_in_the_source(image: Image, known: frozenset[str]) -> Case:
    if known & set(image.stores):
        return Case(ELSEWHERE)
    named = f"only in {', '.join(image.stores)}, which is not configured" if image.stores else "in no configured store"
    return Case(BLOCKED, f"its data is {named}", "configure the store that has it, or delete the image", True)


def _hindrance(image: Image, switch: Switch, capacity: Capacity) -> t.Optional[Case]:
    room = capacity.largest_staging
    if switch.target_type == "vmware" and image.disk_format not in VMWARE_FORMATS:
        what = f"wrong format: a vmware store takes {' and '.join(VMWARE_FORMATS)}, and it is {image.disk_format}"
        return Case(BLOCKED, what, "convert it, or choose another store", True)
    if switch.target_type == "s3" and image.size > S3_LIMIT:
        what = "larger than 5 GiB, which S3 does not take in the one request in which Glance copies"
        return Case(BLOCKED, what, "choose another store for it", True)
    if room is not None and image.size > room:
        what = f"no controller has room to stage it: {size_text(image.size)} are needed, {size_text(room)} are free"
        return Case(BLOCKED, what, "make room in the staging directory (glance_staging_directory)", True)
    return None


@dataclasses.dataclass
class Plan:
    """What there is to do with all images."""

    switch: Switch
    images: dict[str, list[tuple[Image, Case]]] = dataclasses.field(
        default_factory=lambda: {kind: [] for kind in TITLES}
    )

    def add(self, image: Image, case: Case) -> None:
        """Take in one image."""
        self.images[case.kind].append((image, case))

    def of(self, kind: str) -> list[Image]:
        """Return the images of one kind."""
        return [image for image, _case in self.images[kind]]

    def bytes_of(self, kind: str) -> int:
        """Return how many bytes the images of one kind have."""
        return sum(image.size for image, _case in self.images[kind])

    def left_behind(self) -> list[Facts]:
        """Return the images that are left behind as the journal tells of them, those that have a copy too."""
        found = [image for kind in (LEFT_BEHIND, COPIED) for image in self.of(kind)]
        return [
            {"image_id": image.id, "name": image.name, "size": image.size}
            for image in sorted(found)
            if image.id in self.switch.leave_behind
        ]

    def others(self, *kinds: str) -> list[Facts]:
        """Return why images of some kinds are not copied, and how many, where nobody has to care for them."""
        reasons = (case.reason for kind in kinds for _image, case in self.images[kind] if not case.attention)
        return [{"reason": reason, "images": count} for reason, count in sorted(collections.Counter(reasons).items())]

    def rows(self, kind: str) -> list[Facts]:
        """Return the images of one kind as the module and the journal tell of them."""
        return [
            {
                "image_id": image.id,
                "name": image.name,
                "size": image.size,
                "status": image.status,
                "reason": case.reason,
                "remedy": case.remedy,
                "attention": case.attention,
            }
            for image, case in self.images[kind]
        ]


def make_plan(images: t.Iterable[Image], switch: Switch, capacity: Capacity) -> Plan:
    """Return what there is to do with all images."""
    plan = Plan(switch)
    for image in images:
        plan.add(image, classify(image, switch, capacity))
    return plan


@dataclasses.dataclass
class Estimate:
    """What the copies of a plan take.

    :ivar rate: bytes a second, as measured; None where nothing was.
    :ivar missing: what there is not enough room for, in sentences.
    """

    bytes: int
    rate: t.Optional[float]
    missing: list[str]

    @property
    def seconds(self) -> t.Optional[int]:
        """How long the copies take."""
        return round(self.bytes / self.rate) if self.rate else None


def estimate(plan: Plan, capacity: Capacity, transfers: int, rate: t.Optional[float]) -> Estimate:
    """Return what the copies of a plan take.

    :param transfers: how many images each controller copies at a time.
    :param rate: bytes a second.
    """
    needed = plan.bytes_of(COPY)
    missing = []
    if capacity.target is not None and needed > capacity.target:
        missing.append(
            f"the store {plan.switch.target} has room for {size_text(capacity.target)}, and the images to copy have"
            f" {size_text(needed)}"
        )
    staged = sum(sorted((image.size for image in plan.of(COPY)), reverse=True)[:transfers])
    for name, room in capacity.staging.items():
        if staged > room:
            missing.append(
                f"{name} can stage {size_text(room)}, and the {transfers} largest images take {size_text(staged)}:"
                " fewer of them are copied at a time there"
            )
    return Estimate(needed, rate, missing)


def fits(plan: Plan, capacity: Capacity) -> t.Optional[bool]:
    """Tell whether the target has room for all copies; None where its room is not known."""
    return None if capacity.target is None else plan.bytes_of(COPY) <= capacity.target


def measured_rate(state: State) -> t.Optional[float]:
    """Return how many bytes a second the newest copying of a journal had, or None."""
    rates = [sample["rate"] for sample in state.samples if sample.get("rate") and sample.get("what", "copy") == "copy"]
    return float(rates[-1]) if rates else None


def plan_table(plan: Plan, expected: Estimate) -> list[str]:
    """Return a plan for people: a line for each image that somebody may look at, and a summary of the rest."""
    switch = plan.switch
    lines = [f"Switch from {switch.source} to {switch.target}:"]
    if switch.known is None:
        lines.append("  Glance is in single-store form: all images with data are taken to be in the old store.")
    for kind, title in TITLES.items():
        if plan.images[kind]:
            lines.append(f"  {title}: {len(plan.images[kind])} images, {size_text(plan.bytes_of(kind))}")
    lines += [f"  {row['reason']}: {row['images']} images" for row in plan.others(BLOCKED)]
    lines += [f"  {line}" for line in _notes(plan, expected)]
    return lines + attention_lines(plan)


TITLES: dict[str, str] = {
    COPY: "to copy",
    COPIED: "in both stores already",
    ELSEWHERE: "not concerned (in the new store or in others)",
    WAIT: "to wait for",
    BLOCKED: "cannot be copied",
    LEFT_BEHIND: "left behind",
}


def _notes(plan: Plan, expected: Estimate) -> t.Iterator[str]:
    to_copy = plan.of(COPY)
    deactivated = sum(image.status == "deactivated" for image in to_copy)
    if deactivated:
        yield f"{deactivated} of those to copy are deactivated: each is activated while it is copied"
    unhashed = sum(not image.hash_value for image in to_copy)
    if unhashed:
        yield f"{unhashed} of those to copy have no hash: it is taken from the old store before they are copied"
    if plan.switch.target_type == "rbd":
        other = sum(image.disk_format not in ("raw", "iso") for image in to_copy)
        if other:
            yield f"{other} of those to copy are not raw: Nova and Cinder cannot clone them from RBD"
    if to_copy:
        if expected.seconds is None:
            yield "time: not known before something was copied; it is shown while the copies are made"
        else:
            yield f"time: about {span_text(expected.seconds)} at {size_text(expected.rate)}/s"
    for line in expected.missing:
        yield f"room: {line}"


def attention_lines(plan: Plan) -> list[str]:
    """Return a line for each image that needs attention, is waited for or left behind."""
    return [
        f"  {image.id} {image.name or '(no name)'}: {case.reason}. What to do: {case.remedy}."
        for kind in (BLOCKED, WAIT, LEFT_BEHIND)
        for image, case in plan.images[kind]
        if case.attention or kind != BLOCKED
    ]
