# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What the stores of a node's Glance hold, and what does not fit together: images without data, data without images."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import functools
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _backend_listing,
    _locations,
    _running_config,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._backend_listing import Entry
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import Attribution, Catalogue, Image
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, Outcome, Probe, run_all
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import MULTI, Running, Store
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters

with contextlib.suppress(ImportError):
    from keystoneauth1 import exceptions, loading

WITH_DATA = ("active", "deactivated")
UNDER_WAY = ("queued", "saving", "uploading", "importing")
FINISHED_TASK = ("", "success", "failure")
LINGERING_LOCK = datetime.timedelta(minutes=5)
"""Glance takes a lock away a moment after the end of its task."""
API_PATIENCE = 10
SHOWN = 10
OTHER_CLOCK = datetime.timedelta(minutes=1)


@dataclasses.dataclass
class Content:
    """What a store holds."""

    images: int = 0
    bytes: int = 0
    locations: int = 0

    def add(self, images: int, size: int, locations: int = 1) -> None:
        """Count a location."""
        self.images += images
        self.bytes += size
        self.locations += locations


def run(params: Parameters) -> Parameters:
    """Look, and return the module's result.

    :raises GlanceError: when the configuration or the database cannot be read.
    """
    running = _running_config.read(params["config_file"], params["config_directory"])
    notes: list[str] = []
    # First what lies there: data of an image that is made in the meantime is then no surprise.
    started = time.monotonic()
    look = params["look_for_orphans"] and not running.encrypted
    if params["look_for_orphans"] and running.encrypted:
        notes.append("the locations are encrypted (metadata_encryption_key): what is an orphan cannot be told")
    found = listings(running, params["timeout"], notes) if look else {}
    catalogue = _locations.read(running, locks=True)
    elapsed = datetime.timedelta(seconds=time.monotonic() - started)
    api = ask_api(running, params["api_url"]) if params["ask_api"] else {}
    result = {
        "layout": running.layout,
        "default_store": running.default_store,
        "images": len(catalogue.images),
        "bytes": sum(image.size for image in catalogue.images if image.locations),
        **held(running, catalogue, api.get("stores")),
        "stuck": list(stuck(catalogue, datetime.timedelta(seconds=params["stuck_after"]))),
        "api": api,
        "orphans": orphans(running, catalogue, found, elapsed) if look else None,
        "notes": notes + _api_notes(running, api),
    }
    return {**result, "table": table(result)}


def held(running: Running, catalogue: Catalogue, in_api: t.Optional[list[str]]) -> Parameters:
    """Return what the images say: the stores with what they hold, and the images that do not fit.

    :param in_api: the stores that the API has, where it told them.
    """
    attribute = Attribution(running)
    contents = {name: Content() for name in running.stores}
    homeless: list[Parameters] = []
    empty: list[Parameters] = []
    without_store = 0
    for image in catalogue.images:
        names = [attribute(location) for location in image.locations]
        for name, images in collections.Counter(filter(None, names)).items():
            contents[name].add(1, image.size, images)
        without_store += sum(not location.store for location in image.locations)
        if not all(names):
            homeless.append(_homeless(image, names))
        if not names and image.status in WITH_DATA:
            empty.append(_shown(image))
    return {
        "stores": [_store(store, running, contents[name], in_api) for name, store in running.stores.items()],
        "in_no_store": homeless,
        "without_store_metadata": without_store,
        "without_location": empty,
    }


def _store(store: Store, running: Running, content: Content, in_api: t.Optional[list[str]]) -> Parameters:
    return {
        "name": store.name,
        "type": store.type,
        "default": store.name == running.default_store,
        "description": store.description,
        "place": store.where,
        "in_api": None if in_api is None else store.name in in_api,
        **dataclasses.asdict(content),
    }


def _shown(image: Image) -> Parameters:
    return {"id": image.id, "name": image.name, "status": image.status, "size": image.size}


def _homeless(image: Image, names: list[str]) -> Parameters:
    lost = [location for location, name in zip(image.locations, names) if not name]
    # Neither a path nor a query: they may be secrets of a web server.
    places = [location.store or location.address.partition("://")[0] or "encrypted" for location in lost]
    return {**_shown(image), "readable": any(names), "places": sorted(set(places))}


def stuck(catalogue: Catalogue, after: datetime.timedelta) -> t.Iterator[Parameters]:
    """Return the images that have been on their way for too long, and those that are locked for nothing."""
    locks = {lock.image_id: lock for lock in catalogue.locks}
    for image in catalogue.images:
        lock = locks.get(image.id)
        if lock is not None:
            finished = lock.task_status in FINISHED_TASK
            if catalogue.now - lock.since > (min(after, LINGERING_LOCK) if finished else after):
                state = lock.task_status or "no longer known"
                yield _stuck(image, lock.since, f"locked by the import {lock.task_id}, which is {state}", lock.task_id)
        elif image.status in UNDER_WAY and catalogue.now - image.updated > after:
            yield _stuck(image, image.updated, f"in the status {image.status}")


def _stuck(image: Image, since: datetime.datetime, why: str, task: str = "") -> Parameters:
    return {**_shown(image), "since": _time(since), "why": why, "task": task}


def _time(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"


def listings(running: Running, timeout: float, notes: list[str]) -> dict[str, list[Entry]]:
    """Return what lies in the places of the stores and in staging (under no name), as far as it can be listed."""
    probes = [
        Probe("", f"listing the store {name!r}", functools.partial(_list, store))
        for name, store in running.stores.items()
    ]
    if running.staging:
        probes.append(Probe("", "listing the staging directory", functools.partial(_list_staging, running.staging)))
    outcome = run_all("", probes, timeout)
    notes += [skipped["why"] for skipped in outcome.not_checked]
    return outcome.facts


def _list(store: Store, outcome: Outcome, deadline: Deadline) -> None:
    try:
        outcome.facts[store.name] = _backend_listing.entries(store, deadline)
    except GlanceError as error:
        outcome.skip("", f"the store {store.name!r} was not looked at for orphans: {error}")


def _list_staging(directory: str, outcome: Outcome, deadline: Deadline) -> None:
    try:
        outcome.facts[""] = list(_backend_listing.files(directory))
    except FileNotFoundError:
        # Glance makes the directory when it needs it.
        return
    except OSError as error:
        outcome.skip("", f"the staging directory {directory} was not looked at: {error.strerror}")


def orphans(
    running: Running, catalogue: Catalogue, found: dict[str, list[Entry]], elapsed: datetime.timedelta
) -> Parameters:
    """Return the data without an image, the images without data, and what was forgotten in staging.

    :param found: what lies in the stores, and in staging under no name.
    :param elapsed: how long before the catalogue that was.
    """
    locked = {lock.image_id for lock in catalogue.locks}
    busy = {image.id for image in catalogue.images if image.status in UNDER_WAY or image.id in locked}
    settled = [image for image in catalogue.images if image.updated < catalogue.now - elapsed - OTHER_CLOCK]
    known = {_data_address(location.address) for image in catalogue.images for location in image.locations}
    images = {image.id for image in catalogue.images}
    data = [
        (entry.image_id in images, _entry(name, entry))
        for name, listed in found.items()
        for entry in listed
        if name and entry.address not in known and entry.image_id not in busy
    ]
    return {
        "data_without_image": [entry for exists, entry in data if not exists],
        "data_without_location": [entry for exists, entry in data if exists],
        "images_without_data": list(_missing(running, settled, found)),
        "forgotten_in_staging": [_entry("", entry) for entry in found.get("", []) if entry.image_id not in busy],
    }


def _missing(running: Running, images: list[Image], found: dict[str, list[Entry]]) -> t.Iterator[Parameters]:
    attribute = Attribution(running)
    listed = {name: {entry.address for entry in entries} for name, entries in found.items() if name}
    for image in images:
        for location in image.locations:
            name = attribute(location)
            # What lies outside of the place of its store was not listed.
            inside = name in listed and _locations.belongs(location, running.stores[name])
            if inside and _data_address(location.address) not in listed[name]:
                yield {**_shown(image), "store": name}


def _data_address(address: str) -> str:
    # The location of an RBD image ends with its snapshot.
    return address.rpartition("/")[0] if address.startswith("rbd://") else address


def _entry(store: str, entry: Entry) -> Parameters:
    return {
        "store": store,
        "name": entry.name,
        "image_id": entry.image_id,
        "size": entry.size,
        "modified": _time(entry.modified) if entry.modified else None,
    }


def ask_api(running: Running, url: t.Optional[str]) -> Parameters:
    """Return which stores the API of the node has: those of the configuration with which it was started.

    It is asked as the user of [keystone_authtoken].
    """
    if not running.layout:
        return {}
    base = (url or running.api_url).rstrip("/")
    answer: Parameters = {"url": base, "stores": None, "layout": "", "error": ""}
    try:
        auth = loading.load_auth_from_conf_options(_registered(running.options), "keystone_authtoken")
        session = loading.load_session_from_conf_options(running.options, "keystone_authtoken", auth=auth)
        session.timeout = API_PATIENCE
        response = session.get(f"{base}/v2/info/stores", raise_exc=False)
    except NameError:
        return {**answer, "error": "keystoneauth1 cannot be imported"}
    except exceptions.ClientException as error:
        return {**answer, "error": without_credentials(" ".join(str(error).split()))}
    if response.status_code == 404:
        return {**answer, "stores": [], "layout": _running_config.SINGLE}
    if response.status_code != 200:
        return {**answer, "error": f"HTTP {response.status_code}"}
    return {**answer, "layout": MULTI, "stores": [store["id"] for store in response.json()["stores"]]}


def _registered(options: t.Any) -> t.Any:
    loading.register_auth_conf_options(options, "keystone_authtoken")
    loading.register_session_conf_options(options, "keystone_authtoken")
    return options


def _api_notes(running: Running, api: Parameters) -> list[str]:
    if not api:
        return []
    if api["error"]:
        return [f"the API at {api['url']} could not be asked for its stores: {api['error']}"]
    if api["layout"] != running.layout:
        forms = f"{api['layout']}-store form, and the configuration is in {running.layout}-store form"
        return [f"the API at {api['url']} runs in {forms}: restart it"]
    if running.layout != MULTI:
        return []
    notes = [
        f"the API does not have the store {name!r} yet: restart it"
        for name in running.stores
        if name not in api["stores"]
    ]
    return notes + [
        f"the API still has the store {name!r}, which the configuration has no longer: restart it"
        for name in api["stores"]
        if name not in running.stores
    ]


def table(result: Parameters) -> list[str]:
    """Return the result as lines for people."""
    if not result["layout"]:
        return ["No Glance is configured on this node."]
    heads = ["STORE", "TYPE", "IMAGES", "SIZE", "DEFAULT", "PLACE"]
    rows = [
        [
            store["name"],
            store["type"],
            str(store["images"]),
            _size(store["bytes"]),
            "yes" if store["default"] else "",
            store["place"],
        ]
        for store in result["stores"]
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [heads, *rows]]
    return lines + list(_remarks(result)) + [f"Note: {note}" for note in result["notes"]]


def _remarks(result: Parameters) -> t.Iterator[str]:
    unreadable = [image for image in result["in_no_store"] if not image["readable"]]
    yield from _remark("in no store of the configuration, so nobody can read them", unreadable)
    yield from _remark("without any data, though active", result["without_location"])
    yield from _remark("stuck", result["stuck"], "why")
    if result["layout"] == MULTI and result["without_store_metadata"]:
        yield f"{result['without_store_metadata']} location(s) without the name of their store."
    found = result["orphans"] or {}
    yield from _remark("whose data is missing", found.get("images_without_data", []), "store")
    for what, key in (
        ("without an image in the stores", "data_without_image"),
        (
            "of images whose locations lead elsewhere (a copy that broke off, or the place of the only copy by another"
            " name: look before you delete)",
            "data_without_location",
        ),
        ("forgotten in staging", "forgotten_in_staging"),
    ):
        lying = found.get(key, [])
        if lying:
            size = _size(sum(entry["size"] or 0 for entry in lying))
            yield f"{len(lying)} file(s) or object(s) {what} ({size}): {_first(entry['name'] for entry in lying)}"


def _remark(what: str, images: list[Parameters], detail: str = "") -> t.Iterator[str]:
    told = [(image, f"; {image[detail]}" if detail else "") for image in images]
    if told:
        listed = _first(f"{image['name'] or '(no name)'} ({image['id']}{more})" for image, more in told)
        yield f"{len(images)} image(s) {what}: {listed}"


def _first(items: t.Iterable[str]) -> str:
    listed = list(items)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
