# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What users would miss: every record, and every byte as each controller gives it out."""

from __future__ import annotations

import hashlib
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

if t.TYPE_CHECKING:
    from bed import Api

PARALLEL = 4
# Where a store has less than the record says, Glance keeps the connection open after the last byte.
SILENCE = 60
# What a switch is there to change, and what Glance notes while it copies (none of which may stay: switching.stuck).
CHANGING = {"updated_at", "stores", "direct_url", "locations"}
NOTES = {"os_glance_import_task", "os_glance_failed_import", "os_glance_importing_to_stores"}
# Glance fills them in where it copies an image that has none.
HASHES = ("checksum", "os_hash_algo", "os_hash_value")
Record = dict[str, t.Any]


@dataclass(frozen=True)
class Seen:
    """One image: its record, its members, and the sha512 (or the error) that each controller gave out."""

    record: Record
    members: dict[str, str]
    digests: tuple[str, ...]


Snapshot = dict[str, Seen]


def snapshot(apis: t.Sequence[Api], image_ids: t.Optional[t.Iterable[str]] = None) -> Snapshot:
    """Look at all images of the cloud, or at some."""
    chosen = list(apis[0].all_images() if image_ids is None else image_ids)
    with ThreadPoolExecutor(PARALLEL) as pool:
        return dict(zip(chosen, pool.map(lambda image_id: look_at(apis, image_id), chosen)))


def look_at(apis: t.Sequence[Api], image_id: str) -> Seen:
    """Look at one image."""
    record = apis[0].show(image_id)
    members = {}
    if record["visibility"] == "shared":
        found = apis[0].ask("GET", f"/images/{image_id}/members").json()["members"]
        members = {member["member_id"]: member["status"] for member in found}
    has_data = record["status"] in {"active", "deactivated"}
    digests = tuple(digest_of(api, image_id) for api in apis) if has_data else ()
    return Seen(comparable(record), members, digests)


def comparable(record: Record) -> Record:
    """Return the part of a record that a switch has to leave as it was."""
    return {
        name: sorted(value) if isinstance(value, list) else value
        for name, value in record.items()
        if name not in CHANGING | NOTES
    }


def digest_of(api: Api, image_id: str) -> str:
    """Return the sha512 of what is downloaded, or what went wrong."""
    digest, length = hashlib.sha512(), 0
    try:
        with api.request("GET", f"/images/{image_id}/file", stream=True, timeout=SILENCE) as answer:
            for piece in answer.iter_content(1024 * 1024):
                digest.update(piece)
                length += len(piece)
    except requests.RequestException as error:
        return f"{type(error).__name__} after {length} bytes"
    # An empty image is 204 as a lost one is: which of them it is, the digest tells.
    return digest.hexdigest() if answer.status_code in {200, 204} else f"HTTP {answer.status_code}"


def compare(before: Snapshot, after: Snapshot, meanwhile: bool = False) -> list[str]:
    """Tell how images have changed, in a line each; images that came since are none of these.

    While a switch is interrupted (`meanwhile`), an image that is deactivated may be active: only so Glance copies it.
    """
    lines = [line for image_id, seen in before.items() for line in differences(image_id, seen, after.get(image_id))]
    return [line for line in lines if not meanwhile or "status was 'deactivated', is 'active'" not in line]


def differences(image_id: str, before: Seen, after: t.Optional[Seen]) -> t.Iterator[str]:
    """Tell how one image has changed."""
    title = f"{image_id} ({before.record['name']})"
    if after is None:
        yield f"{title}: lost"
        return
    expected = {**before.record, **filled_in(before, after)}
    for name in sorted(expected.keys() | after.record.keys()):
        old, new = expected.get(name), after.record.get(name)
        if old != new:
            yield f"{title}: {name} was {old!r}, is {new!r}"
    if before.members != after.members:
        yield f"{title}: members were {before.members}, are {after.members}"
    if before.digests != after.digests:
        yield f"{title}: bytes were {before.digests}, are {after.digests}"


def filled_in(before: Seen, after: Seen) -> Record:
    """Return the hashes of an image that had none, when they are those of its bytes."""
    had_none = all(before.record[name] is None for name in HASHES) and before.digests
    is_right = after.record["os_hash_algo"] == "sha512" and after.record["os_hash_value"] in before.digests
    return {name: after.record[name] for name in HASHES} if had_none and is_right else {}
