# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Whether every image of a node's Glance is still in a store when the stores are what they are going to be.

Glance finds the data of an image by the name of the store that is noted with the location, and in single-store form by
the scheme of the location. A location whose store is not configured (any more) is given to the store with whose prefix
it begins, from Train on. Glance does not look elsewhere, and it does not say what it lost: a download is empty then.

On a node that has no Glance yet, or none any more, the images of the database are held against the stores to come.
"""

from __future__ import annotations

import functools
import socket
import typing as t

from ansible.module_utils.common.text.formatters import bytes_to_human
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _locations,
    _running_config,
    _store_guard_mounts,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import (
    TYPE_OF_SCHEME,
    Attribution,
    Image,
    Location,
    belongs,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._node_file import read_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome, Probe, run_all
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import (
    MULTI,
    SINGLE,
    Running,
    Store,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_fate import (
    COVERED,
    KEPT,
    MOVED,
    RENAMED,
    Fate,
    fate_of,
    s3_keys,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_guard_mounts import Cover
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_rbd import ceph_files
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import (
    near_miss,
    store_section,
)

SHOWN_IMAGES = 10
MOUNTS_TIMEOUT = 60


ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "stores": {"type": "dict", "required": True, "no_log": True},
    "default_store": {"type": "str"},
    "release": {"type": "int", "required": True},
    "multi": {"type": "bool", "default": True},
    "allow_unreadable_images": {"type": "list", "elements": "str", "default": []},
    "config_file": {"type": "path", "default": _running_config.CONFIG_FILE},
    "config_directory": {"type": "path"},
    "database": {"type": "str", "no_log": True},
    "node": {"type": "str"},
}
"""The argument spec of the module store_guard."""


def run(params: Parameters, check_mode: bool) -> Parameters:
    """Compare, and return the module's result."""
    node = params["node"] or socket.gethostname()
    guard = Guard(node, params["allow_unreadable_images"] or [])
    tomorrow = stores_of_tomorrow(params["stores"], params["release"], params["multi"])
    layout = MULTI if params["multi"] else SINGLE
    try:
        today = _running_config.read(params["config_file"], params["config_directory"])
    except GlanceError as error:
        guard.problem("GLS-174", error)
        today = Running()
    guard.look_at_mounts(params["stores"])
    if today.connection or not params["database"]:
        guard.compare(today, tomorrow, params["multi"])
    else:
        guard.compare_database(Running(layout, tomorrow, connection=params["database"]), check_mode)
    after = params["default_store"] or next(iter(tomorrow), "")
    if today.connection:
        guard.note_default_store(today.default_store, after)
    return {
        "problems": [problem.as_dict() for problem in guard.problems],
        "messages": [problem.message for problem in guard.problems],
        "notes": guard.notes,
        "stores": [fate.as_dict() for fate in guard.fates],
        "default_store": {"before": today.default_store, "after": after},
        "layout": {"before": today.layout, "after": layout},
        "has_run": bool(today.connection),
        "read_images": guard.read_images,
    }


def settled(params: Parameters) -> set[str]:
    """Return what needs no further look; no image is looked at for that.

    :returns: ``stores`` when they stay what they are, and ``guard`` when :func:`run` without a database would find no
        problem and nothing to note: then, and on a controller that has no configuration of Glance.
    """
    guard = Guard(params["node"] or socket.gethostname(), params["allow_unreadable_images"] or [])
    try:
        tomorrow = stores_of_tomorrow(params["stores"], params["release"], params["multi"])
        today = _running_config.read(params["config_file"], params["config_directory"])
    except GlanceError:
        return set()
    guard.look_at_mounts(params["stores"])
    guard.foresee(today, tomorrow, params["multi"])
    if today.connection:
        guard.note_default_store(today.default_store, params["default_store"] or next(iter(tomorrow), ""))
    if guard.problems or guard.notes or any(not fate.safe for fate in guard.fates):
        return set()
    return {"guard", "stores"} if today.connection else {"guard"}


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
        return read_text
    written = {ceph_files(name)["conf"]: f"fsid = {store['fsid']}\n"}
    return lambda path: written.get(path) or read_text(path)


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
        self._covers: list[Cover] = []

    def problem(self, code: str, error: GlanceError) -> None:
        """Add what kept the comparison from being made."""
        found = f"{error.doing}: {error.answer}" if error.answer else error.doing
        found = f"{found.rstrip('.')}. Usual cause: {error.cause}" if error.cause else found
        self.problems.append(Problem(code, found, self._node, error.remedy))

    def look_at_mounts(self, stores: Parameters) -> None:
        """Find out which file systems are going to be mounted that are not mounted now."""
        self._covers = self._in_time(functools.partial(_store_guard_mounts.covers, stores), [])

    def foresee(self, today: Running, tomorrow: dict[str, Store], multi: bool) -> None:
        """Find out what becomes of the stores of today."""
        self.fates = [self._covered(fate_of(store, today.layout, tomorrow, multi)) for store in today.stores.values()]
        for fate in self.fates:
            fate.allowed = fate.store.name in self._allowed
        self._note_names([*today.stores, *tomorrow])
        self._note_keys(tomorrow)

    def compare(self, today: Running, tomorrow: dict[str, Store], multi: bool) -> None:
        """Find out what becomes of the images in the stores of today."""
        self.foresee(today, tomorrow, multi)
        if all(fate.safe for fate in self.fates):
            return
        try:
            self._look_at_images(today, Attribution(today))
        except GlanceError as error:
            self._blind(error)
            return
        for fate in self.fates:
            if not fate.safe:
                self._judge(fate, today.layout)

    def compare_database(self, tomorrow: Running, check_mode: bool) -> None:
        """Find the images of a database that the stores of tomorrow do not lead to.

        :param tomorrow: the stores, and the URL of the database.
        :param check_mode: whether the database, and what is needed to read it, may be yet to come.
        """
        self.fates = [self._covered(Fate(store, KEPT, store.name)) for store in tomorrow.stores.values()]
        for fate in self.fates:
            fate.allowed = fate.store.name in self._allowed
        try:
            homeless = self._look_at_images(tomorrow, _home_by_place(tomorrow))
        except GlanceError as error:
            self.fates = []
            if check_mode:
                self.notes.append(f"whether the stores lead to every image was not looked at: {error}")
            else:
                self.problem("GLS-172", error)
            return
        self.fates = [fate for fate in self.fates if not fate.safe]
        for fate in self.fates:
            self._judge(fate, tomorrow.layout)
        for name, images in _by_noted_store(homeless).items():
            self._judge_homeless(name, images)

    def _covered(self, fate: Fate) -> Fate:
        over = tuple(
            cover
            for cover in self._covers
            if fate.store.type == "file"
            and any(cover.is_over(place.address.partition("://")[2]) for place in fate.store.places)
        )
        if not over or fate.fate not in (KEPT, RENAMED):
            return fate
        found = fate.found if fate.fate == RENAMED else ("",)
        happens = " and ".join([*filter(None, [fate.happens]), *(cover.happens for cover in over)])
        return Fate(fate.store, COVERED, fate.into, happens, over[0].advice, found, over)

    def _look_at_images(self, running: Running, home: t.Callable[[Location], str]) -> list[Image]:
        """Add each image that is lost to the fates of its stores, and return those that are in no store at all.

        :param home: returns the name of the store that a location is in, or nothing.
        """
        catalogue = _locations.read(running)
        self.read_images = True
        by_name = {fate.store.name: fate for fate in self.fates}
        homes = [
            (image, [(location, by_name.get(home(location))) for location in image.locations])
            for image in catalogue.images
        ]
        hidden = self._hidden(homes)
        homeless = []
        for image, places in homes:
            if any(fate and fate.has(location) and (image.id, location) not in hidden for location, fate in places):
                continue
            losing = _distinct(fate for _location, fate in places)
            for fate in losing:
                fate.images.append(image)
            if places and not losing:
                homeless.append(image)
            if running.encrypted and any(fate is None for _location, fate in places):
                for fate in self.fates:
                    fate.unknown += not fate.safe
        return homeless

    def _hidden(self, homes: t.Iterable[tuple[Image, Homes]]) -> set[tuple[str, Location]]:
        hidden: set[tuple[str, Location]] = set()
        beneath: dict[str, tuple[str, Location]] = {}
        for image, places in homes:
            for location, fate in places:
                for path in _store_guard_mounts.paths(image, location, fate.store) if fate and fate.covers else []:
                    over = [cover for cover in self._covers if cover.is_over(path)]
                    if any(cover.instead_of for cover in over):
                        hidden.add((image.id, location))
                    elif over:
                        beneath[path] = (image.id, location)
        # What is not there is not hidden: it lies in the file system that is not mounted at the moment.
        present: set[str] = self._in_time(functools.partial(_store_guard_mounts.existing, beneath), set())
        return hidden | {beneath[path] for path in present}

    def _in_time(self, look: t.Callable[[], t.Any], otherwise: t.Any) -> t.Any:
        """Return what is found on the file systems of the node, one of which may not answer."""

        def probe(outcome: Outcome, deadline: Deadline) -> None:
            outcome.facts["found"] = {0: look()}

        title = "looking at what is mounted"
        outcome = run_all(self._node, [Probe("GLS-171", title, probe)], MOUNTS_TIMEOUT)
        self.problems += outcome.problems
        return outcome.facts["found"][0] if outcome.facts else otherwise

    def _blind(self, error: GlanceError) -> None:
        lost = [fate for fate in self.fates if not fate.safe and not fate.allowed]
        if lost:
            names = ", ".join(f"{fate.store.name!r} ({fate.happens})" for fate in lost)
            permission = _permission(fate.store.name for fate in lost)
            told = GlanceError(
                f"which images are in the store {names} cannot be found out: {error.doing}",
                answer=error.answer,
                cause=error.cause,
                remedy=f"{error.remedy or 'let the node reach the database'}; or {permission}",
            )
            self.problem("GLS-172", told)

    def _judge(self, fate: Fate, layout: str) -> None:
        if fate.unknown and not fate.allowed:
            what = (
                f"the store {fate.store.name!r} {fate.happens}, and in which store {fate.unknown} image(s) are"
                " cannot be found out: their locations are encrypted"
            )
            self.problems.append(
                Problem("GLS-173", what, self._node, f"{fate.advice}; or {_permission([fate.store.name])}")
            )
        if not fate.images:
            # A file system that hides nothing is no news.
            self.notes += [] if fate.fate == COVERED else [_harmless(fate, layout)]
        elif fate.allowed:
            self.notes.append(f"{_loss(fate)}, which glance_allow_unreadable_images allows")
        else:
            code = "GLS-171" if fate.fate in (MOVED, COVERED) else "GLS-170"
            self.problems.append(
                Problem(code, _loss(fate), self._node, f"{fate.advice}; or {_permission([fate.store.name])}")
            )

    def _judge_homeless(self, name: str, images: list[Image]) -> None:
        what = f"no store of glance_stores leads to {_counted(images)} of {name!r}: {_named(images)}"
        if name in self._allowed:
            self.notes.append(f"{what}, which glance_allow_unreadable_images allows")
        else:
            remedy = f"add the store that they are in to glance_stores; or {_permission([name])}"
            self.problems.append(Problem("GLS-170", what, self._node, remedy))

    def note_default_store(self, before: str, after: str) -> None:
        """Say where new images are going to go, where that changes."""
        heir = next((fate.into for fate in self.fates if fate.store.name == before and fate.into), before)
        if before and heir != after:
            self.notes.append(
                f"new images are going to go to the store {after!r}, no longer to {before!r};"
                " those that there are stay where they are"
            )

    def _note_names(self, names: t.Sequence[str]) -> None:
        for name in self._allowed:
            if name not in names:
                hint = near_miss(name, names)
                self.notes.append(f"glance_allow_unreadable_images names {name!r}, which is no store{hint}")

    def _note_keys(self, tomorrow: dict[str, Store]) -> None:
        for fate in self.fates:
            heir = tomorrow.get(fate.into)
            if fate.store.type == "s3" and fate.fate == KEPT and heir and s3_keys(fate.store) != s3_keys(heir):
                self.notes.append(
                    f"the store {fate.store.name!r} gets other keys; the images that are in it stay readable only as"
                    " long as the server accepts the old ones, which stand in their locations"
                )


def _home_by_place(running: Running) -> t.Callable[[Location], str]:
    """Return a function that returns the name of the store in one of whose places a location is, or nothing."""
    attribute = Attribution(running)
    cinder = next((store.name for store in running.stores.values() if store.type == "cinder"), "")

    def home(location: Location) -> str:
        name = attribute(location)
        if not name and location.address.startswith("cinder://"):
            # Glance itself finds the store of a volume, by the type of the volume.
            return cinder
        inside = name and (not location.address or belongs(location, running.stores[name]))
        return name if inside else ""

    return home


def _by_noted_store(images: list[Image]) -> dict[str, list[Image]]:
    """Return the images by the store that Glance has noted, or by what their locations tell of its type."""
    found: dict[str, list[Image]] = {}
    for image in images:
        location = image.locations[0]
        scheme = location.address.partition("://")[0]
        name = location.store or TYPE_OF_SCHEME.get(scheme, scheme) or "encrypted"
        found.setdefault(name, []).append(image)
    return found


Homes = list[tuple[Location, t.Optional[Fate]]]
"""The locations of an image, each with what becomes of the store that it is in."""


def _distinct(fates: t.Iterable[t.Optional[Fate]]) -> list[Fate]:
    return list({id(fate): fate for fate in fates if fate is not None}.values())


def _harmless(fate: Fate, layout: str) -> str:
    if fate.fate != RENAMED:
        return f"the store {fate.store.name!r} {fate.happens}; no image is in it alone"
    of = f"the single store of the type {fate.store.type}" if layout == SINGLE else repr(fate.store.name)
    return f"Glance is going to find the images of {of} in {fate.into!r}: {fate.store.where}"


def _loss(fate: Fate) -> str:
    where = "are in it and in no store that stays"
    return f"the store {fate.store.name!r} {fate.happens}, and {_counted(fate.images)} {where}: {_named(fate.images)}"


def _counted(images: t.Sequence[Image]) -> str:
    return f"{len(images)} image(s) with {bytes_to_human(sum(image.size for image in images))}"


def _named(images: t.Sequence[Image]) -> str:
    shown = ", ".join(f"{image.name or '(no name)'} ({image.id})" for image in images[:SHOWN_IMAGES])
    more = len(images) - SHOWN_IMAGES
    return f"{shown} and {more} more" if more > 0 else shown


def _permission(stores: t.Iterable[str]) -> str:
    return f"give the images up by naming the store in glance_allow_unreadable_images: [{', '.join(stores)}]"
