# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The images in Glance's database, and the stores in which their data is."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _database
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import (
    SINGLE,
    Running,
    Store,
    database_login,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import normal_path

with contextlib.suppress(ImportError):
    from pymysql.cursors import SSCursor

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.plugins.module_utils._database import Session

NO_SUCH_TABLE = 1146

TYPE_OF_SCHEME = {
    "file": "file",
    "filesystem": "file",
    "swift": "swift",
    "swift+http": "swift",
    "swift+https": "swift",
    "swift+config": "swift",
    "rbd": "rbd",
    "s3": "s3",
    "s3+http": "s3",
    "s3+https": "s3",
    "http": "http",
    "https": "http",
    "cinder": "cinder",
    "vsphere": "vmware",
}


class Location(t.NamedTuple):
    """Where data of an image is.

    :param address: the URL without credentials; nothing where it is encrypted.
    :param store: the store that Glance has noted, if any.
    """

    address: str
    store: str


class Image(t.NamedTuple):
    """An image that is not deleted."""

    id: str
    name: str
    status: str
    size: int
    owner: str
    visibility: str
    hidden: bool
    created: datetime.datetime
    updated: datetime.datetime
    locations: tuple[Location, ...]


class Lock(t.NamedTuple):
    """An import that an image is locked for."""

    image_id: str
    task_id: str
    task_status: str
    since: datetime.datetime


class Catalogue(t.NamedTuple):
    """Everything that is read from the database, at one moment."""

    images: list[Image]
    locks: list[Lock]
    now: datetime.datetime


NOTHING = Catalogue([], [], datetime.datetime.min)


def read(running: Running, locks: bool = False) -> Catalogue:
    """Read all images, as the account that Glance itself uses.

    :param locks: whether to read for which imports images are locked.
    :raises GlanceError: when the database cannot be read.
    """
    if not running.connection:
        # As a package leaves it behind: that Glance has never run.
        return NOTHING
    login, database = database_login(running.connection)
    doing = f"reading the images in the database {database!r}"
    with contextlib.closing(_database.connect(login, database=database, read_only=True)) as connection:
        try:
            images = list(_images(connection, database))
            found = _locks(connection) if locks else []
            now = _database.run(connection, "SELECT UTC_TIMESTAMP()")[0][0]
        except _database.CONNECTION_ERRORS as error:
            if _database.error_number(error) == NO_SUCH_TABLE:
                return NOTHING
            raise _database.explain(doing, error) from error
    return Catalogue(images, found, now)


def _images(connection: Session, database: str) -> t.Iterator[Image]:
    columns = {
        row[0]
        for row in _database.run(
            connection,
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = 'images'",
            (database,),
        )
    }
    # Queens has no hidden images, Newton has is_public.
    visibility = "i.visibility" if "visibility" in columns else "''"
    hidden = "i.os_hidden" if "os_hidden" in columns else "0"
    statement = (
        f"SELECT i.id, i.name, i.status, i.size, i.owner, {visibility}, {hidden}, i.created_at, i.updated_at,"  # noqa: S608
        " l.value, l.meta_data FROM images i LEFT JOIN image_locations l ON l.image_id = i.id AND l.deleted = 0"
        " WHERE i.deleted = 0 ORDER BY i.id"
    )
    # Row by row: the rows of the server are larger than what is kept of them.
    with connection.cursor(SSCursor) as cursor:
        cursor.execute(statement)
        for _identity, rows in itertools.groupby(cursor, key=lambda row: row[0]):
            yield _image(list(rows))


def _image(rows: list[tuple[t.Any, ...]]) -> Image:
    identity, name, status, size, owner, visibility, hidden, created, updated = rows[0][:9]
    locations = tuple(Location(address(value), _noted_store(data)) for *_rest, value, data in rows if value is not None)
    return Image(
        identity,
        name or "",
        status,
        int(size or 0),
        owner or "",
        visibility,
        bool(hidden),
        created,
        updated or created,
        locations,
    )


def _noted_store(meta_data: t.Optional[str]) -> str:
    # Glance's default is an empty dictionary; releases before Kilo pickled it.
    if not meta_data or "store" not in meta_data:
        return ""
    try:
        found = json.loads(meta_data)
    except ValueError:
        return ""
    return str(found.get("store") or "") if isinstance(found, dict) else ""


def _locks(connection: Session) -> list[Lock]:
    statement = (
        "SELECT p.image_id, p.value, COALESCE(t.status, ''), COALESCE(t.updated_at, p.updated_at, p.created_at)"
        " FROM image_properties p LEFT JOIN tasks t ON t.id = p.value AND t.deleted = 0"
        " WHERE p.deleted = 0 AND p.name = 'os_glance_import_task'"
    )
    return [Lock(*row) for row in _database.run(connection, statement)]


def address(value: str) -> str:
    """Return a location without credentials, in the form in which stores tell the beginning of their locations.

    The location of an image that is encrypted gives nothing.
    """
    scheme, separator, rest = value.partition("://")
    if not separator:
        return ""
    if TYPE_OF_SCHEME.get(scheme) == "file":
        return f"file://{normal_path(rest)}"
    if scheme in ("http", "https"):
        # Keys may stand in front of the host, and behind a question mark.
        netloc, slash, path = re.split(r"[?#]", rest)[0].partition("/")
        return f"{scheme}://{netloc.rpartition('@')[2].lower()}{slash}{path}"
    # Keys of S3 are not quoted and may have a slash; no name behind them has an @.
    rest = rest.rpartition("@")[2]
    if TYPE_OF_SCHEME.get(scheme) in ("s3", "vmware"):
        host, slash, path = rest.partition("/")
        return f"{'s3' if scheme == 's3+http' else scheme}://{host.lower()}{slash}{path}"
    return f"{scheme}://{rest}"


class Attribution:
    """Which store of the configuration an image's location is in."""

    def __init__(self, running: Running) -> None:
        self._single = running.layout == SINGLE
        self._stores = running.stores
        prefixes = [(place.address, store) for store in running.stores.values() for place in store.places]
        self._prefixes = sorted(prefixes, key=lambda prefix: len(prefix[0]), reverse=True)

    def __call__(self, location: Location) -> str:
        """Return the name of the store, or nothing."""
        if not self._single and location.store in self._stores:
            return location.store
        for prefix, store in self._prefixes:
            if location.address.startswith(prefix):
                return store.name
        return self._by_scheme(location.address) if self._single else ""

    def _by_scheme(self, location: str) -> str:
        # In single-store form the scheme alone chooses the store.
        kind = TYPE_OF_SCHEME.get(location.partition("://")[0], "")
        return kind if kind in self._stores else ""


def belongs(location: Location, store: Store) -> bool:
    """Tell whether a location is in the place that a store has today."""
    return any(location.address.startswith(place.address) for place in store.places)
