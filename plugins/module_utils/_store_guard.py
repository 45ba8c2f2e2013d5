# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Whether every image of a node's Glance is still in a store when the stores are what they are going to be.

Glance finds the data of an image by the name of the store that is noted with the location, and in single-store form by
the scheme of the location. A location whose store is not configured (any more) is given to the store with whose prefix
it begins, from Train on. Glance does not look elsewhere, and it does not say what it lost: a download is empty then.
"""

from __future__ import annotations

import dataclasses
import socket
import typing as t

from ansible.module_utils.common.text.formatters import bytes_to_human
from ansible_collections.openstack_ops.glance.plugins.module_utils import _locations, _running_config
from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import Attribution, Image, Location
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import (
    MULTI,
    SINGLE,
    Running,
    Store,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_rbd import ceph_files
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    Parameters,
    Place,
    normal_path,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import (
    COMMON_OPTIONS,
    STORE_TYPES,
    near_miss,
    store_section,
)

SHOWN_IMAGES = 10
KEPT, RENAMED, MOVED, GONE = "kept", "renamed", "moved", "gone"
ADVICE_MOVED = (
    "give the new place to a store of another name, and keep the old store beside it until its images have been moved"
    " to the new one"
)


@dataclasses.dataclass
class Fate:
    """What becomes of one store.

    :param fate: ``kept``, ``renamed``, ``moved`` to another place, or ``gone``.
    :param into: the store that is going to have its images.
    :param happens: what happens to it, in words, where not all of its images stay.
    :param advice: what to do about that.
    :param found: the beginnings of locations by which Glance is going to find images nevertheless.
    :param images: the images that it is not going to find, here or in another store.
    :param unknown: how many images may be in the store, for all that can be read.
    """

    store: Store
    fate: str
    into: str = ""
    happens: str = ""
    advice: str = ""
    found: tuple[str, ...] = ()
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


def run(params: Parameters) -> Parameters:
    """Compare, and return the module's result."""
    node = params["node"] or socket.gethostname()
    guard = Guard(node, params["allow_unreadable_images"] or [])
    tomorrow = stores_of_tomorrow(params["stores"], params["release"], params["multi"])
    try:
        today = _running_config.read(params["config_file"], params["config_directory"])
    except GlanceError as error:
        guard.problem("GLS-174", error)
        today = Running()
    guard.compare(today, tomorrow, params["multi"])
    after = params["default_store"] or next(iter(tomorrow), "")
    guard.note_default_store(today.default_store, after)
    return {
        "problems": [problem.as_dict() for problem in guard.problems],
        "messages": [problem.message for problem in guard.problems],
        "notes": guard.notes,
        "stores": [fate.as_dict() for fate in guard.fates],
        "default_store": {"before": today.default_store, "after": after},
        "layout": {"before": today.layout, "after": MULTI if params["multi"] else SINGLE},
        "read_images": guard.read_images,
    }


def stores_of_tomorrow(stores: t.Mapping[str, t.Any], release: int, multi: bool) -> dict[str, Store]:
    """Return the stores as they are going to stand in the configuration.

    :raises GlanceError: when something is wrong with one of them.
    """
    return {
        str(name): Store(
            str(name), store["type"], store_section(store, str(name), release, multi, _reader(name, store))
        )
        for name, store in stores.items()
        if isinstance(store, dict) and "type" in store
    }


def _reader(name: str, store: t.Any) -> t.Callable[[str], str]:
    # The file that is written for a cluster described in the options may not be there yet.
    if not isinstance(store, dict) or not store.get("fsid"):
        return _running_config.read_text
    written = {ceph_files(name)["conf"]: f"fsid = {store['fsid']}\n"}
    return lambda path: written.get(path) or _running_config.read_text(path)


class Guard:
    """The comparison, and what it found.

    :ivar read_images: whether the images had to be looked at.
    """

    def __init__(self, node: str, allowed: t.Sequence[str]) -> None:
        self._node = node
        self._allowed = list(allowed)
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.fates: list[Fate] = []
        self.read_images = False

    def problem(self, code: str, error: GlanceError) -> None:
        """Add what kept the comparison from being made."""
        found = f"{error.doing}: {error.answer}" if error.answer else error.doing
        found = f"{found.rstrip('.')}. Usual cause: {error.cause}" if error.cause else found
        self.problems.append(Problem(code, found, self._node, error.remedy))

    def compare(self, today: Running, tomorrow: dict[str, Store], multi: bool) -> None:
        """Find out what becomes of the stores of today."""
        self.fates = [_fate(store, today.layout, tomorrow, multi) for store in today.stores.values()]
        for fate in self.fates:
            fate.allowed = fate.store.name in self._allowed
        self._note_names(today, tomorrow)
        if all(fate.safe for fate in self.fates):
            return
        try:
            self._look_at_images(today)
        except GlanceError as error:
            self._blind(error)
            return
        for fate in self.fates:
            if not fate.safe:
                self._judge(fate, today.layout)

    def _look_at_images(self, today: Running) -> None:
        catalogue = _locations.read(today)
        self.read_images = True
        attribute = Attribution(today)
        by_name = {fate.store.name: fate for fate in self.fates}
        for image in catalogue.images:
            homes = [(location, by_name.get(attribute(location))) for location in image.locations]
            if any(_stays(location, fate) for location, fate in homes):
                continue
            for fate in _distinct(fate for _location, fate in homes):
                fate.images.append(image)
            if today.encrypted and any(fate is None for _location, fate in homes):
                for fate in self.fates:
                    fate.unknown += not fate.safe

    def _blind(self, error: GlanceError) -> None:
        lost = [fate for fate in self.fates if not fate.safe and not fate.allowed]
        if lost:
            names = ", ".join(f"{fate.store.name!r} ({fate.happens})" for fate in lost)
            told = GlanceError(
                f"which images are in the store {names} cannot be found out: {error.doing}",
                answer=error.answer,
                cause=error.cause,
                remedy=f"{error.remedy or 'let the node reach the database'}; or {_permission(lost)}",
            )
            self.problem("GLS-172", told)

    def _judge(self, fate: Fate, layout: str) -> None:
        if fate.unknown and not fate.allowed:
            what = (
                f"the store {fate.store.name!r} {fate.happens}, and in which store {fate.unknown} image(s) are"
                " cannot be found out: their locations are encrypted"
            )
            self.problems.append(Problem("GLS-173", what, self._node, f"{fate.advice}; or {_permission([fate])}"))
        if not fate.images:
            self.notes.append(_harmless(fate, layout))
        elif fate.allowed:
            self.notes.append(f"{_loss(fate)}, which glance_allow_unreadable_images allows")
        else:
            code = "GLS-171" if fate.fate == MOVED else "GLS-170"
            self.problems.append(Problem(code, _loss(fate), self._node, f"{fate.advice}; or {_permission([fate])}"))

    def note_default_store(self, before: str, after: str) -> None:
        """Say where new images are going to go, where that changes."""
        heir = next((fate.into for fate in self.fates if fate.store.name == before and fate.into), before)
        if before and heir != after:
            self.notes.append(
                f"new images are going to go to the store {after!r}, no longer to {before!r};"
                " those that there are stay where they are"
            )

    def _note_names(self, today: Running, tomorrow: dict[str, Store]) -> None:
        names = [*today.stores, *tomorrow]
        for name in self._allowed:
            if name not in names:
                hint = near_miss(name, names)
                self.notes.append(f"glance_allow_unreadable_images names {name!r}, which is no store{hint}")


def _distinct(fates: t.Iterable[t.Optional[Fate]]) -> list[Fate]:
    return list({id(fate): fate for fate in fates if fate is not None}.values())


def _stays(location: Location, fate: t.Optional[Fate]) -> bool:
    if fate is None:
        return False
    return fate.safe or location.address.startswith(fate.found or ("\0",))


def _fate(store: Store, layout: str, tomorrow: dict[str, Store], multi: bool) -> Fate:
    same_type = [other for other in tomorrow.values() if other.type == store.type]
    heirs = [other for other in same_type if _has_places_of(store, other, layout)]
    # The name first: another store may have the same places among its own.
    heirs.sort(key=lambda other: other.name != store.name)
    namesake = tomorrow.get(store.name) if layout == MULTI else next(iter(same_type), None)
    if heirs and multi and layout == MULTI and namesake not in (None, heirs[0]):
        return _robbed(store, heirs[0])
    if heirs:
        return _inherited(store, heirs[0], layout, multi)
    twin = next((other for other in same_type if _storages(other) == _storages(store)), None)
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
    return place.storage == other.storage and (by_volume_type or place.address == other.address)


def _storages(store: Store) -> set[str]:
    return {place.storage for place in store.places}


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
    if store.type == "s3" and _keys(store) != _keys(heir):
        # The keys are a part of the beginning by which Glance goes.
        return ()
    return tuple(place.address for place in (*store.places, *heir.places))


def _beneath(found: tuple[str, ...]) -> str:
    places = " and ".join(dict.fromkeys(found))
    return f"whose locations begin with {places}" if places else "that name it already, and so none of them"


def _keys(store: Store) -> tuple[str, str]:
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


def _harmless(fate: Fate, layout: str) -> str:
    if fate.fate != RENAMED:
        return f"the store {fate.store.name!r} {fate.happens}; no image is in it alone"
    of = f"the single store of the type {fate.store.type}" if layout == SINGLE else repr(fate.store.name)
    return f"Glance is going to find the images of {of} in {fate.into!r}: {fate.store.where}"


def _loss(fate: Fate) -> str:
    shown = ", ".join(f"{image.name or '(no name)'} ({image.id})" for image in fate.images[:SHOWN_IMAGES])
    more = len(fate.images) - SHOWN_IMAGES
    tail = f" and {more} more" if more > 0 else ""
    images = f"{len(fate.images)} image(s) with {bytes_to_human(fate.bytes)}"
    where = "are in it and in no store that stays"
    return f"the store {fate.store.name!r} {fate.happens}, and {images} {where}: {shown}{tail}"


def _permission(fates: t.Sequence[Fate]) -> str:
    names = ", ".join(fate.store.name for fate in fates)
    return f"give the images up by naming the store in glance_allow_unreadable_images: [{names}]"


def shown_values(stores: t.Mapping[str, t.Any]) -> set[str]:
    """Return what stands in the stores and is no secret; what is not known counts as one."""
    shown: set[str] = set()
    for store in stores.values():
        kind = store.get("type") if isinstance(store, dict) else None
        if kind in STORE_TYPES:
            options = {**COMMON_OPTIONS, **STORE_TYPES[kind].options}
            _collect(store, {name: option.argument() for name, option in options.items()}, shown)
    return shown


def _collect(values: t.Mapping[str, t.Any], specs: Parameters, shown: set[str]) -> None:
    by_name = {alias: spec for name, spec in specs.items() for alias in (name, *spec.get("aliases", []))}
    for name, value in values.items():
        spec = by_name.get(name, {"no_log": True})
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _collect(item, spec.get("options", {}), shown)
            elif not spec.get("no_log") and item is not None:
                shown.add(str(item))
