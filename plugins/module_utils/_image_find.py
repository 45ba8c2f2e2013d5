# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Which image in Glance a declaration means: asked for one by one, or looked up in a listing of all."""

from __future__ import annotations

import itertools
import re
import threading
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import (
    REPLACED_NOTE,
    REPLACES_NOTE,
    Record,
    is_replaced,
    noted,
)

Filters = dict[str, str]


class Search(t.Protocol):
    """The two ways of asking."""

    def named(self, name: str, filters: Filters) -> list[Record]:
        """Return the images of exactly this name that match the filters."""

    def with_id(self, image_id: str, project: t.Optional[str]) -> t.Optional[Record]:
        """Return the image with this id."""


class SearchEach:
    """Asks Glance for each image: the cheapest for one."""

    def __init__(self, api: ImageApi) -> None:
        self._api = api

    def named(self, name: str, filters: Filters) -> list[Record]:
        """Return the images of exactly this name that match the filters."""
        # Without "eq:" a colon in the name would be taken for an operator. MySQL compares without regard to case.
        found = self._api.listing(name=f"eq:{name}", **filters)
        return [record for record in found if record["name"] == name]

    def with_id(self, image_id: str, project: t.Optional[str]) -> t.Optional[Record]:
        """Return the image with this id."""
        return self._api.get(image_id)


class SearchListing:
    """Lists all images of a kind once, when the first of them is asked for: the cheapest for many."""

    def __init__(self, api: ImageApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._listings: dict[tuple[tuple[str, str], ...], t.Union[GlanceError, _Listing]] = {}

    def named(self, name: str, filters: Filters) -> list[Record]:
        """Return the images of exactly this name that match the filters."""
        return self._listing(filters).by_name.get(name, [])

    def with_id(self, image_id: str, project: t.Optional[str]) -> t.Optional[Record]:
        """Return the image with this id: from the project's images where it is one of them."""
        record = self._listing({"owner": project} if project else {}).by_id.get(image_id)
        return record or self._api.get(image_id)

    def all(self, filters: Filters) -> list[Record]:
        """Return every image that matches the filters."""
        return list(self._listing(filters).by_id.values())

    def _listing(self, filters: Filters) -> _Listing:
        key = tuple(sorted(filters.items()))
        with self._lock:
            if key not in self._listings:
                self._listings[key] = self._load(filters)
            listing = self._listings[key]
        # A Glance that is not there is asked once, not once for every image.
        if isinstance(listing, GlanceError):
            raise listing
        return listing

    def _load(self, filters: Filters) -> t.Union[GlanceError, _Listing]:
        try:
            return _Listing(self._api.listing(**filters))
        except GlanceError as error:
            return error


class SearchApart:
    """Leaves out what another entry of the same list means.

    :param meant: returns the declaration that means an image, if one does.
    """

    def __init__(
        self, search: Search, wanted: Declaration, meant: t.Callable[[Record], t.Optional[Declaration]]
    ) -> None:
        self._search = search
        self._wanted = wanted
        self._meant = meant

    def named(self, name: str, filters: Filters) -> list[Record]:
        """Return the images of exactly this name that match the filters."""
        return [record for record in self._search.named(name, filters) if self._is_free(record)]

    def with_id(self, image_id: str, project: t.Optional[str]) -> t.Optional[Record]:
        """Return the image with this id."""
        record = self._search.with_id(image_id, project)
        return record if record and self._is_free(record) else None

    def _is_free(self, record: Record) -> bool:
        meant = self._meant(record)
        return meant is None or meant is self._wanted


class _Listing:
    def __init__(self, records: t.Iterable[Record]) -> None:
        self.by_id: dict[str, Record] = {}
        self.by_name: dict[str, list[Record]] = {}
        for record in records:
            # While it is listed, an image can move from one page to the next.
            if record["id"] not in self.by_id:
                self.by_id[record["id"]] = record
                self.by_name.setdefault(str(record["name"]), []).append(record)


class Found(t.NamedTuple):
    """The image that is meant, and what a replacement that was interrupted has left of another one."""

    record: t.Optional[Record] = None
    begun: t.Optional[Record] = None
    """What was about to replace the image. Nobody has verified it."""
    leftover: t.Optional[Record] = None
    """What the image has replaced: hidden, and perhaps to be deleted."""


def find(search: Search, wanted: Declaration, owner: t.Optional[str], project: t.Optional[str]) -> Found:
    """Return the image that is meant, if it is there.

    :param owner: the id of the project that is declared to own it.
    :param project: the id of the project that the token is for.
    :raises GlanceError: when there are several.
    """
    if wanted.id is not None:
        return Found(search.with_id(wanted.id, project))
    # What is one's own under a previous name comes before what is another project's under the name.
    for places in (list(_places(wanted, owner, project)), list(_other_places(wanted, owner, project))):
        for name, filters in itertools.product(wanted.names, places):
            found = [
                record
                for record in search.named(name, filters)
                if not is_replaced(record) and ("visibility" in filters or is_of(record, filters.get("owner")))
            ]
            if found:
                return _the_one(found, search, wanted, project)
    return Found()


def _the_one(found: list[Record], search: Search, wanted: Declaration, project: t.Optional[str]) -> Found:
    """Return which of the images of one name is meant: one of two that are a replacement and what it replaces."""
    ids = {record["id"] for record in found}
    begun = [record for record in found if noted(record, REPLACES_NOTE) in ids]
    others = [record for record in found if record not in begun]
    if len(others) != 1 or len(begun) > 1:
        raise GlanceError(
            f"looking for {wanted.shown}",
            answer=f"there are {len(found)} of that name: {', '.join(sorted(str(i) for i in ids))}",
            cause="images that were uploaded by hand, or by two runs at once",
            remedy="give the id of the one that is meant, or rename or delete the others",
        )
    return Found(others[0], begun[0]) if begun else _with_what_it_replaces(others[0], search, wanted, project)


def _with_what_it_replaces(record: Record, search: Search, wanted: Declaration, project: t.Optional[str]) -> Found:
    """Look for what an image was made to replace, which may have another name or be hidden."""
    replaced = noted(record, REPLACES_NOTE)
    old = search.with_id(replaced, project) if replaced else None
    # An image that somebody has given another name is wanted for something else.
    if old is None or old["name"] not in wanted.names:
        return Found(record)
    if not is_replaced(old):
        return Found(old, begun=record)
    return Found(record, leftover=old if noted(old, REPLACED_NOTE) == record["id"] else None)


def begun_elsewhere(search: Search, wanted: Declaration, record: Record, owner: t.Optional[str]) -> t.Optional[Record]:
    """Return what was about to replace an image under another declaration: hidden while the image is not, the other way
    round, or with another one of the names.

    :param owner: the id of the project that is to own what replaces the image.
    """
    if wanted.id is not None:
        return None
    place = {"owner": owner} if owner else {}
    seen = (record["name"], bool(record.get("os_hidden")))
    for name in wanted.names:
        for hidden in (False, True):
            if (name, hidden) == seen:
                continue
            for other in search.named(name, {**place, "os_hidden": "true"} if hidden else place):
                if noted(other, REPLACES_NOTE) == record["id"] and is_of(other, owner):
                    return other
    return None


def _places(wanted: Declaration, owner: t.Optional[str], project: t.Optional[str]) -> t.Iterator[Filters]:
    """Return where the image is when it is the owner's, the likeliest first."""
    project_of_it = owner or project
    mine = {"owner": project_of_it} if project_of_it else {}
    hidden = {**mine, "os_hidden": "true"}
    yield from (hidden, mine) if wanted.hidden else (mine, hidden)
    if owner and owner != project:
        yield {"owner": owner, "visibility": "community"}


def _other_places(wanted: Declaration, owner: t.Optional[str], project: t.Optional[str]) -> t.Iterator[Filters]:
    """Return where the image may be when the owner has none: never among the images of other projects' users."""
    if wanted.state == "absent":
        # What goes is never another project's: once an image has gone, its name would mean theirs.
        return
    if not owner:
        yield {"visibility": "public"}
    elif project and owner != project:
        # An image of one's own is given away by declaring its new owner.
        yield {"owner": project}


def is_of(record: Record, project: t.Optional[str]) -> bool:
    """Tell whether an image belongs to a project, or to none; Glance has no filter for those that belong to none."""
    return record.get("owner") == project


def owner_id(api: ImageApi, owner: t.Optional[str]) -> tuple[t.Optional[str], t.Optional[str]]:
    """Return the id of the declared owner, and of the project that the token is for."""
    project, project_name = api.own_project()
    if owner is None:
        return None, project
    if owner in (project, project_name):
        return project, project
    return project_id(api, owner), project


def project_id(api: ImageApi, project: str) -> str:
    """Return the id of a project that was given by its name or its id."""
    return project if re.fullmatch("[0-9a-f]{32}", project.replace("-", "")) else api.project_id(project)
