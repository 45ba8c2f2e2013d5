# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Data that a copy between stores left behind: in the staging directory, and in the store that was copied to.

Glance trusts a staged file that has the right size, and drivers of the types file and rbd refuse to write where
something lies. Swift and S3 write over it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _backend_listing, _glance_process
from ansible_collections.openstack_ops.glance.plugins.module_utils._backend_listing import Entry
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import (
    Attribution,
    Image,
    Location,
    belongs,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import Running, Store
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters

STAGED = "staging"
REMOVABLE = ("file", "rbd")
BUSY_SECONDS = 45
"""Ceph forgets a client that was killed after 30 s."""
SNAPSHOT = "snap"
OPEN = "a process has it open"
SETTLED = ("active", "deactivated")


@dataclasses.dataclass(frozen=True)
class Residue:
    """Something that may be left of a copy.

    :param kind: ``staging``, or the type of the store.
    :param path: the path of a file; nothing where it is none.
    :param why: why it is left alone; nothing where it may be removed.
    """

    kind: str
    image_id: str
    what: str
    store: str = ""
    path: str = ""
    size: t.Optional[int] = None
    why: str = ""

    def kept(self, why: str) -> Residue:
        """Return the same, left alone."""
        return dataclasses.replace(self, why=why)

    def told(self) -> Parameters:
        """Return what the module tells about it."""
        shown = {"image_id": self.image_id, "what": self.what, "size": self.size}
        return {**shown, "why": self.why} if self.why else shown


def is_image_id(name: str) -> bool:
    """Tell whether a name is that of data of an image, and nothing else."""
    return bool(_backend_listing.IMAGE_ID.fullmatch(name))


def listing(
    running: Running, target: str, wanted: t.Optional[t.Collection[str]], timeout: float, notes: list[str]
) -> list[Residue]:
    """Return what lies in the staging directory and in the target store and may be of a copy.

    :param wanted: the images to look at; None for all.
    """
    store = running.stores[target]
    found = [*_staged(running, notes), *_in_store(store, timeout, notes)]
    return [residue for residue in found if wanted is None or residue.image_id in wanted]


def _staged(running: Running, notes: list[str]) -> t.Iterator[Residue]:
    try:
        entries = list(_backend_listing.files(running.staging)) if running.staging else []
    except FileNotFoundError:
        # Glance makes the directory when it needs it.
        return
    except OSError as error:
        notes.append(f"the staging directory {running.staging} was not looked at: {error.strerror}")
        return
    for entry in entries:
        if is_image_id(entry.name):
            path = os.path.join(running.staging, entry.name)
            yield Residue(STAGED, entry.name, path, path=path, size=entry.size)


def _in_store(store: Store, timeout: float, notes: list[str]) -> t.Iterator[Residue]:
    try:
        entries = _backend_listing.entries(store, Deadline(timeout))
    except GlanceError as error:
        notes.append(f"the store {store.name!r} was not looked at: {error}")
        return
    for entry in entries:
        # Swift and S3 have segments of an image, with numbers behind its id.
        if is_image_id(entry.name) or (entry.image_id and store.type not in REMOVABLE):
            yield _residue(store, entry)


def _residue(store: Store, entry: Entry) -> Residue:
    path = entry.address.partition("://")[2] if store.type == "file" else ""
    what = path or f"{entry.name} in {store.where}"
    return Residue(store.type, entry.image_id, what, store.name, path, entry.size)


def judged(residue: Residue, image: t.Optional[Image], running: Running, attribute: Attribution) -> t.Optional[Residue]:
    """Return what nobody works on, with the reason why it is left alone if there is one; nothing for data of an image.

    :param attribute: tells the store of a location.
    """
    if image is None:
        return _judged_without_image(residue)
    stores = [attribute(location) for location in image.locations]
    if residue.kind != STAGED and residue.store in stores:
        return None
    if image.status not in SETTLED:
        return residue.kept(f"the image is {image.status}: this may be its only data")
    if residue.path and _is_open(residue.path):
        return residue.kept(OPEN)
    return residue if residue.kind == STAGED else _judged_in_store(residue, image, stores, running)


def _judged_without_image(residue: Residue) -> t.Optional[Residue]:
    # What lies in stores without an image is none of a copy's business. A staged file is: of an image that is deleted
    # while it is copied, Glance keeps it until its next start.
    if residue.kind != STAGED:
        return None
    return residue.kept(OPEN) if _is_open(residue.path) else residue


def _judged_in_store(residue: Residue, image: Image, stores: list[str], running: Running) -> Residue:
    if not stores or not all(stores):
        return residue.kept("the image has a location that is in no store of the configuration: this may be its data")
    if residue.kind not in REMOVABLE:
        return residue.kept(f"a store of the type {residue.kind} writes over it")
    if residue.path and any(_is_same_file(residue.path, location) for location in image.locations):
        return residue.kept("another location of the image leads to the same file")
    if running.encrypted:
        return residue.kept("the locations are encrypted, so whether one leads to the same data cannot be told")
    # Two stores may be one pool, by other names.
    if not residue.path and any(belongs(location, running.stores[residue.store]) for location in image.locations):
        return residue.kept("a location of the image leads to where this is")
    return residue


def _is_open(path: str) -> bool:
    directory, name = os.path.split(path)
    return name in _glance_process.open_in(directory)


def _is_same_file(path: str, location: Location) -> bool:
    # The directory of a store may be reached by several names.
    scheme, _separator, other = location.address.partition("://")
    try:
        if scheme != "file":
            return False
        mine, theirs = os.stat(path), os.stat(other)
        # One file system that is mounted twice may be two devices.
        same = [(state.st_ino, state.st_size, state.st_mtime_ns) for state in (mine, theirs)]
        return same[0] == same[1]
    except OSError:
        return False


def remove(residue: Residue, running: Running, timeout: float) -> None:
    """Remove it; what is already gone is fine.

    :raises GlanceError: when that is impossible.
    """
    if residue.kind == "rbd":
        _remove_rbd(running.stores[residue.store], residue.image_id, timeout)
        return
    if _is_open(residue.path):
        raise GlanceError(f"removing {residue.path}", answer=OPEN)
    try:
        os.unlink(residue.path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise GlanceError(f"removing {residue.path}", answer=error.strerror or str(error)) from error


def _remove_rbd(store: Store, name: str, timeout: float) -> None:
    doing = f"removing {name} in {store.where}"
    with _backend_listing.rbd_pool(store, timeout) as (rbd, pool, _fsid):
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with contextlib.suppress(rbd.ImageNotFound):
                    _remove_snapshot(rbd, pool, name)
                    rbd.RBD().remove(pool, name)
                return
            except rbd.ImageBusy as error:
                if time.monotonic() >= end:
                    raise GlanceError(doing, answer="a client has it open", remedy="see `rbd status`") from error
            except rbd.Error as error:
                raise GlanceError(doing, answer=str(error)) from error
            time.sleep(3)


def _remove_snapshot(rbd: t.Any, pool: t.Any, name: str) -> None:
    # The last step of Glance's driver, before the location is noted.
    with rbd.Image(pool, name) as image:
        if SNAPSHOT in [snapshot["name"] for snapshot in image.list_snaps()]:
            if image.is_protected_snap(SNAPSHOT):
                image.unprotect_snap(SNAPSHOT)
            image.remove_snap(SNAPSHOT)
