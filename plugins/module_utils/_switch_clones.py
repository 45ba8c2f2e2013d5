# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Which images of a store of the type rbd have clones in Ceph. Nothing is changed.

Volumes and instances are cloned from the snapshot of an image, which cannot be deleted as long as they are not gone or
flattened. What cannot be seen is unknown, and never taken for an image without clones: not every release of Glance
looks for clones before it removes the snapshot.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _backend_listing, _running_config
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import Store
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_residue import SNAPSHOT, is_image_id

AT_ONCE = 8
"""An image takes some round trips to the cluster, in which librbd lets other threads run."""
PATIENCE = 10
"""How many seconds the cluster may take for one answer."""
SHOWN_IMAGES = 50
SHOWN_CLONES = 3

NO_SNAPSHOT = f"it has no snapshot {SNAPSHOT}, as while its data is written"
TOO_LATE = "the time was over before it was looked at"
DENIED = "Ceph denies it, as for an image with clones in a pool that Glance's user of Ceph may not read"


@dataclasses.dataclass
class Clones:
    """What was seen of the clones of all images in a store.

    :ivar found: the clones of each image that has some, as pool/name.
    :ivar unknown: why it is not known whether an image has clones, by its id.
    :ivar unseen: why nothing is known of any image, or nothing.
    """

    store: str
    pool: str
    found: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    unknown: dict[str, str] = dataclasses.field(default_factory=dict)
    unseen: str = ""

    def notes(self) -> list[str]:
        """Return what could not be seen, a line for each reason."""
        if self.unseen:
            return [f"Whether images in {self.store} have clones is not known: {self.unseen}."]
        return [f"{self._what_is_unknown(*each)} ({_listed(each[1])})." for each in self._reasons().items()]

    def _reasons(self) -> dict[str, list[str]]:
        reasons: dict[str, list[str]] = {}
        for image_id, reason in self.unknown.items():
            reasons.setdefault(reason, []).append(image_id)
        return reasons

    def _what_is_unknown(self, reason: str, images: list[str]) -> str:
        many = _counted(len(images), "image")
        return f"Whether {many} in {self.store} {_verb(images, 'has', 'have')} clones is not known: {reason}"

    def table(self) -> list[str]:
        """Return a line for each image that has clones or may have some, and what to do."""
        lines = self.notes() if self.unseen else []
        if self.found:
            having = f"{_counted(len(self.found), 'image')} in {self.store} {_verb(self.found, 'has', 'have')} clones"
            lines += [f"{having}:", *_rows([f"{image_id}: {_listed(names)}" for image_id, names in self.found.items()])]
        for reason, images in self._reasons().items():
            lines += [f"{self._what_is_unknown(reason, images)}:", *_rows(images)]
        return [*lines, *self._advice()]

    def _advice(self) -> list[str]:
        if not self.in_use():
            return []
        return [
            f"These images are copied like others, but retire keeps them in {self.store} as long as they have clones."
            f" What to do before: `rbd children {self.pool}/IMAGE@{SNAPSHOT}` names the clones of an image, and"
            " `rbd flatten POOL/CLONE` makes one independent of it."
        ]

    def in_use(self) -> dict[str, str]:
        """Return why the data of an image must not be deleted, of each that has clones or may have some."""
        unsure = {image_id: reason for image_id, reason in self.unknown.items() if reason != NO_SNAPSHOT}
        return {
            **{image_id: self._why_in_use(image_id, clones) for image_id, clones in self.found.items()},
            **{image_id: self._why_unsure(image_id, reason) for image_id, reason in unsure.items()},
        }

    def _why_in_use(self, image_id: str, clones: list[str]) -> str:
        return (
            f"it has {_counted(len(clones), 'clone')} in Ceph, {_listed(clones)}; delete or flatten"
            f" {_verb(clones, 'it', 'them')} (`rbd children {self.pool}/{image_id}@{SNAPSHOT}`, `rbd flatten"
            f" {clones[0].split()[0]}`)"
        )

    def _why_unsure(self, image_id: str, reason: str) -> str:
        return (
            f"whether it has clones in Ceph is not known: {reason}; look with `rbd children"
            f" {self.pool}/{image_id}@{SNAPSHOT}`, and delete or flatten them"
        )

    def event(self) -> Parameters:
        """Return what the journal keeps of it."""
        images = [
            {
                "image_id": image_id,
                "clones": len(self.found[image_id]) if image_id in self.found else None,
                "first": self.found.get(image_id, [])[:SHOWN_CLONES],
            }
            for image_id in self.in_use()
        ]
        return {"event": "clones", "images": images, "notes": self.notes()}


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _verb(things: t.Sized, one: str, several: str) -> str:
    return one if len(things) == 1 else several


def _listed(names: t.Sequence[str]) -> str:
    more = len(names) - SHOWN_CLONES
    return ", ".join(names[:SHOWN_CLONES]) + (f" and {more:,} more" if more > 0 else "")


def _rows(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN_IMAGES
    shown = [f"  {line}" for line in lines[:SHOWN_IMAGES]]
    return [*shown, *([f"  and {_counted(more, 'image')} more"] if more > 0 else [])]


class _Pool:
    """One open pool, of whose images the clones are looked for.

    :param rbd: the library.
    :param pool: what it opened.
    :param end: the moment after which no further image is looked at, as ``time.monotonic`` tells it.
    """

    def __init__(self, rbd: t.Any, pool: t.Any, end: float) -> None:
        self._rbd = rbd
        self._pool = pool
        self._end = end

    def images(self) -> list[str]:
        """Return what is named as an image."""
        return sorted(filter(is_image_id, self._rbd.RBD().list(self._pool)))

    def look(self, image_id: str) -> tuple[list[str], str]:
        """Return the clones of an image, or why they cannot be seen."""
        if time.monotonic() >= self._end:
            return [], TOO_LATE
        try:
            # One that is open for writing is in use, and Glance could not delete it.
            with self._rbd.Image(self._pool, image_id, snapshot=SNAPSHOT, read_only=True) as image:
                return sorted(_children(image)), ""
        except self._rbd.ImageNotFound:
            return [], NO_SNAPSHOT
        except self._rbd.PermissionError:
            return [], DENIED
        except Exception as error:
            return [], _words(error)


def _children(image: t.Any) -> t.Iterator[str]:
    # Before Nautilus, librbd tells neither namespaces nor what is in the trash.
    if not hasattr(image, "list_children2"):
        for pool, name in image.list_children():
            yield f"{pool}/{name}"
        return
    for child in image.list_children2():
        place = "/".join(filter(None, [child["pool"], child["pool_namespace"], child["image"]]))
        yield f"{place} (in the trash)" if child["trash"] else place


def _words(error: Exception) -> str:
    return without_credentials(" ".join(str(error).split()))[:300].rstrip(".") or type(error).__name__


def observe(store: Store, timeout: float) -> Clones:
    """Return what can be seen of the clones of all images in a store of the type rbd.

    :param timeout: after how many seconds what was not looked at stays unknown.
    """
    clones = Clones(store.name, store.section.text("rbd_store_pool", "images"))
    patience = min(PATIENCE, timeout / 2)
    end = time.monotonic() + timeout - patience
    try:
        with _backend_listing.rbd_pool(store, patience) as (rbd, opened, _fsid):
            _look_at_all(clones, _Pool(rbd, opened, end))
    except Exception as error:
        # The libraries have exceptions of their own, and a plan can do without all this.
        clones.unseen = _words(error)
    return clones


def _look_at_all(clones: Clones, pool: _Pool) -> None:
    images = pool.images()
    with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as threads:
        for image_id, (children, reason) in zip(images, threads.map(pool.look, images)):
            if reason:
                clones.unknown[image_id] = reason
            elif children:
                clones.found[image_id] = children


def run(params: Parameters) -> Parameters:
    """Look at the store that the parameters of the module name, and return the module's result.

    :raises GlanceError: when the node's Glance has no such store of the type rbd.
    """
    running = _running_config.read(params["config_file"], params["config_directory"])
    store = running.stores.get(params["store"])
    if store is None or store.type != "rbd":
        known = ", ".join(f"{name} ({known.type})" for name, known in running.stores.items())
        raise GlanceError(
            f"looking for clones in the store {params['store']!r}",
            answer=f"the node's Glance has the stores {known}" if known else "the node's Glance has no store",
            remedy="give store the name of one of the type rbd",
        )
    clones = observe(store, params["timeout"])
    return {
        "changed": False,
        "pool": clones.pool,
        "clones": clones.found,
        "unknown": list(clones.unknown),
        "unseen": clones.unseen,
        "in_use": clones.in_use(),
        "notes": clones.notes(),
        "table": clones.table(),
        "event": clones.event(),
    }
