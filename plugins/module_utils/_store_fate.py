# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What becomes of a store when the stores are what they are going to be."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import Image, Location
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import MULTI, SINGLE, Store
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_guard_mounts import Cover
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters, Place, normal_path

KEPT, RENAMED, MOVED, COVERED, GONE = "kept", "renamed", "moved", "covered", "gone"
ADVICE_MOVED = (
    "give the new place to a store of another name, and keep the old store beside it until its images have been moved"
    " to the new one"
)


@dataclasses.dataclass
class Fate:
    """What becomes of one store.

    :param fate: ``kept``, ``renamed``, ``moved`` to another place, ``covered`` by a file system, or ``gone``.
    :param into: the store that is going to have its images.
    :param happens: what happens to it, in words, where not all of its images stay.
    :param advice: what to do about that.
    :param found: the beginnings of locations by which Glance is going to find images nevertheless.
    :param covers: the file systems that are going to be mounted over its places.
    :param images: the images that it is not going to find, here or in another store.
    :param unknown: how many images may be in the store, for all that can be read.
    """

    store: Store
    fate: str
    into: str = ""
    happens: str = ""
    advice: str = ""
    found: tuple[str, ...] = ()
    covers: tuple[Cover, ...] = ()
    images: list[Image] = dataclasses.field(default_factory=list)
    unknown: int = 0
    allowed: bool = False

    @property
    def safe(self) -> bool:
        """Whether all of its images stay readable, whatever the database holds."""
        return self.fate == KEPT

    @property
    def bytes(self) -> int:
        """How many bytes the images have."""
        return sum(image.size for image in self.images)

    def has(self, location: Location) -> bool:
        """Tell whether Glance is going to find the data of a location that is in the store today."""
        return self.safe or location.address.startswith(self.found or ("\0",))

    def as_dict(self) -> Parameters:
        """The fate as the module returns it."""
        return {
            "name": self.store.name,
            "type": self.store.type,
            "place": self.store.where,
            "fate": self.fate,
            "becomes": self.into,
            "images": len(self.images),
            "bytes": self.bytes,
            "allowed": self.allowed,
        }


def fate_of(store: Store, layout: str, tomorrow: dict[str, Store], multi: bool) -> Fate:
    """Find out what becomes of a store of today.

    :param layout: the form of today's configuration.
    :param multi: whether tomorrow's is in multi-store form.
    """
    same_type = [other for other in tomorrow.values() if other.type == store.type]
    heirs = [other for other in same_type if _has_places_of(store, other, layout)]
    # The name first: another store may have the same places among its own.
    heirs.sort(key=lambda other: other.name != store.name)
    namesake = tomorrow.get(store.name) if layout == MULTI else next(iter(same_type), None)
    if heirs and multi and layout == MULTI and namesake not in (None, heirs[0]):
        return _robbed(store, heirs[0])
    if heirs:
        return _inherited(store, heirs[0], layout, multi)
    twin = next((other for other in same_type if _keys_of_places(other) == _keys_of_places(store)), None)
    found = tuple(address for other in same_type for address in _refined(store, other))
    if twin is not None:
        return _misnamed(store, twin, found)
    if namesake is not None and namesake.type == store.type:
        happens = f"moves from {store.where} to {namesake.where}"
        return Fate(store, MOVED, namesake.name, happens, ADVICE_MOVED, found)
    happens = f"({store.where}) is going to be no store any more"
    return Fate(store, GONE, "", happens, _advice_gone(store), found)


def _has_places_of(store: Store, other: Store, layout: str) -> bool:
    there = other.places
    return all(any(_same(place, candidate, store.type, layout) for candidate in there) for place in store.places)


def _same(place: Place, other: Place, kind: str, layout: str) -> bool:
    # Glance itself gives the volumes of single-store form to the store with their volume type.
    by_volume_type = kind == "cinder" and layout == SINGLE
    return place.key == other.key and (by_volume_type or place.address == other.address)


def _keys_of_places(store: Store) -> set[str]:
    return {place.key for place in store.places}


def _inherited(store: Store, heir: Store, layout: str, multi: bool) -> Fate:
    if not multi or (layout == MULTI and heir.name == store.name):
        return Fate(store, KEPT, heir.name)
    found = _found_by(store, heir)
    happens = f"becomes {heir.name!r}, in which Glance finds only the images {_beneath(found)}"
    advice = "keep the single-store form" if layout == SINGLE else f"keep the name of the store {store.name!r}"
    return Fate(store, RENAMED, heir.name, happens, f"{advice} until these images are elsewhere", found)


def _robbed(store: Store, heir: Store) -> Fate:
    # The noted name comes before the place.
    happens = f"becomes {heir.name!r}, and another store gets its name, in which Glance is going to look for its images"
    return Fate(store, MOVED, heir.name, happens, f"give the name {store.name!r} to no other store")


def _found_by(store: Store, heir: Store) -> tuple[str, ...]:
    """Return with what the locations begin that Glance gives to the store though they do not name it."""
    if store.type == "file" and len(heir.places) > 1:
        return _first_directory(heir)
    if store.type == "s3" and s3_keys(store) != s3_keys(heir):
        # The keys are a part of the beginning by which Glance goes.
        return ()
    return tuple(place.address for place in (*store.places, *heir.places))


def _beneath(found: tuple[str, ...]) -> str:
    places = " and ".join(dict.fromkeys(found))
    return f"whose locations begin with {places}" if places else "that name it already, and so none of them"


def s3_keys(store: Store) -> tuple[str, str]:
    """Return the keys of a store of the type s3."""
    return store.section.text("s3_store_access_key"), store.section.text("s3_store_secret_key")


def _misnamed(store: Store, twin: Store, found: tuple[str, ...]) -> Fate:
    happens = f"({store.where}) becomes {twin.name!r}, and the locations of its images do not lead there"
    advice = f"keep the name of the store {store.name!r}"
    if store.type == "swift":
        reference = store.section.text("default_swift_reference", "ref1")
        advice = f"give glance_stores.{twin.name} the option reference: {reference}"
    return Fate(store, GONE, twin.name, happens, advice, found)


def _first_directory(store: Store) -> tuple[str, ...]:
    entries = [entry.partition(":") for entry in store.section.texts("filesystem_store_datadirs")]
    ranked = [(int(priority or 0), path) for path, _colon, priority in entries]
    best = [path for priority, path in ranked if priority == max(ranked)[0]]
    # Among equals the free space decides, and that changes.
    return (f"file://{normal_path(best[0])}/",) if len(best) == 1 else ()


def _refined(store: Store, other: Store) -> t.Iterator[str]:
    """Return the addresses of a store of tomorrow where today's configuration tells the place less exactly."""
    vague = [place.address for place in store.places if place.address.endswith("://")]
    for place in other.places:
        if any(place.address.startswith(address) for address in vague):
            yield place.address


def _advice_gone(store: Store) -> str:
    return f"keep the store {store.name!r} until its images have been moved to another store"
