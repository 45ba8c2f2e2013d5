# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What Glance says of an image, and what the collection notes in an image's own properties."""

from __future__ import annotations

import hashlib
import typing as t

Record = dict[str, t.Any]

OWN_ATTRIBUTES = frozenset(
    {"id", "name", "status", "visibility", "protected", "os_hidden", "owner", "tags", "min_ram", "min_disk"}
    | {"checksum", "os_hash_algo", "os_hash_value", "size", "virtual_size", "container_format", "disk_format"}
    | {"created_at", "updated_at", "direct_url", "locations", "stores", "file", "schema", "self"}
)
"""What Glance gives every image; anything else in a record is a property."""

RESERVED_PROPERTIES = frozenset({"location", "deleted", "deleted_at"})
"""What Glance refuses as a property although no image has it as an attribute."""

RESERVED_NAMESPACE = "os_glance"
"""What the names begin with that Glance keeps for its own properties."""

NOT_SHOWN = frozenset({"direct_url", "locations", "file", "schema", "self"})
"""Locations can hold the credentials of a store."""

HASH_PROPERTY = "owner_specified.openstack."
"""Where openstacksdk keeps checksums of a kind that Glance does not compute."""

NOTE_PROPERTY = "owner_specified.openstack_ops."
"""Where the collection keeps its notes."""

CATALOG_NOTE = NOTE_PROPERTY + "catalog"
"""The catalogue that created the image, and the image's id."""

REPLACED_NOTE = NOTE_PROPERTY + "replaced"
"""The id of an image that was replaced, and of the one that came after it."""

REPLACES_NOTE = NOTE_PROPERTY + "replaces"
"""On an image that is about to replace another one: the id of that one, and its own. It goes when all is done."""

SOURCE_NOTE = NOTE_PROPERTY + "source"
"""The checksum of the source, where the data in Glance were unpacked or converted from it."""

BUSY = ("saving", "uploading", "importing")
"""In which status somebody may be bringing in the data of an image."""

ACTIVE = ("active", "deactivated")
"""In which status an image has its data."""


def note_of(image_id: str, text: str) -> str:
    """Return a note that belongs to one image: Nova copies the properties of an image to the snapshots of its servers,
    and those have other ids.
    """
    return f"{text}/{image_id}"


def noted(record: Record, name: str) -> t.Optional[str]:
    """Return the text of a note, when there is one and it was made for this image."""
    text, _slash, image_id = str(record.get(name) or "").rpartition("/")
    return text if text and image_id == record["id"] else None


def is_replaced(record: Record) -> bool:
    """Tell whether an image is an old version, which another one has replaced."""
    return noted(record, REPLACED_NOTE) is not None


def is_reserved(name: str) -> bool:
    """Tell whether no user can set a property of this name."""
    return name in OWN_ATTRIBUTES | RESERVED_PROPERTIES or name.startswith((RESERVED_NAMESPACE, NOTE_PROPERTY))


def properties_of(record: Record) -> list[str]:
    """Return the names of the properties that belong to users."""
    return [
        name
        for name in record
        if not is_reserved(name) and not name.startswith(HASH_PROPERTY) and record[name] is not None
    ]


def notes_of_data(record: Record) -> list[str]:
    """Return the names of the properties that tell a checksum of the data, or of what they were made from."""
    return [name for name in record if name == SOURCE_NOTE or name.startswith(HASH_PROPERTY)]


def computed_hashes(record: Record) -> dict[str, str]:
    """Return every checksum that Glance has computed of the data, the best first."""
    computed = {}
    if record.get("os_hash_value"):
        computed[str(record["os_hash_algo"])] = str(record["os_hash_value"])
    if record.get("checksum"):
        computed["md5"] = str(record["checksum"])
    return computed


def known_hashes(record: Record) -> dict[str, str]:
    """Return also those that were declared when the data were uploaded."""
    known = computed_hashes(record)
    for name, value in record.items():
        if name.startswith(HASH_PROPERTY) and value:
            known.setdefault(name[len(HASH_PROPERTY) :], str(value))
    return known


def can_compute(algorithm: str) -> bool:
    """Tell whether this Python has the algorithm, with a result of one length."""
    return algorithm in hashlib.algorithms_guaranteed and not algorithm.startswith("shake")


def shown(record: t.Optional[Record]) -> t.Optional[Record]:
    """Return what an operator may see of an image."""
    return {name: value for name, value in record.items() if name not in NOT_SHOWN} if record else None


def stores_of(record: Record) -> list[str]:
    """Return the stores in which the image lies, as far as Glance says so."""
    return [store for store in str(record.get("stores") or "").split(",") if store]


def size_in_stores(record: Record) -> int:
    """Return how many bytes the image takes, over all stores in which it lies as far as Glance says so."""
    return int(record.get("size") or 0) * max(1, len(stores_of(record)))
