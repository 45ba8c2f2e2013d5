# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What Glance holds: images by any filter, with what lists do not tell; and the data of one, in a file and verified."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_download import Download
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import ProgressFile, Teller
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import (
    Record,
    can_compute,
    computed_hashes,
    shown,
    stores_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import stoppable
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import FileSource, replacing
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect

MIB = 1024 * 1024
HIDDEN: dict[str, tuple[dict[str, str], ...]] = {
    "exclude": ({},),
    "include": ({}, {"os_hidden": "true"}),
    "only": ({"os_hidden": "true"},),
}


REPEATED = ("tag", "sort_key", "sort_dir")
"""What Glance takes several times; of anything else it would look at the last value only."""

SCALARS = (str, int, float, bool)
"""The types of a value."""


class Wanted(t.NamedTuple):
    """What the images have to have."""

    filters: dict[str, t.Union[str, list[str]]]
    """What Glance looks at."""
    stores: list[str]
    """The stores in which an image has to lie, in all of them; Glance has no filter for that."""


def wanted_of(filters: t.Optional[t.Mapping[str, t.Any]]) -> Wanted:
    """Return what the option filters means.

    :raises GlanceError: with everything that is wrong with it.
    """
    filters = filters or {}
    problems = [problem for name, value in filters.items() for problem in _wrong_filter(name, value)]
    if problems:
        raise GlanceError("reading the option filters", answer="; ".join(problems), remedy="correct it")
    texts = {
        str(name): [_as_text(each) for each in value] if isinstance(value, list) else _as_text(value)
        for name, value in filters.items()
    }
    stores = texts.pop("stores", [])
    return Wanted(texts, [stores] if isinstance(stores, str) else stores)


def _wrong_filter(name: str, value: t.Any) -> t.Iterator[str]:
    if name == "os_hidden":
        yield "os_hidden is said by the option hidden, which takes exclude, include and only"
    elif isinstance(value, list) and name not in (*REPEATED, "stores"):
        several = ", ".join((*REPEATED, "stores"))
        yield f"{name} is a list, which only {several} may be; Glance takes status and names as 'in:A,B'"
    elif value == [] or any(not isinstance(each, SCALARS) for each in (value if isinstance(value, list) else [value])):
        yield f"{name} is {value!r}, which is neither a text nor a number nor a boolean"


def _as_text(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def look(api: ImageApi, params: t.Mapping[str, t.Any], wanted: Wanted) -> list[Record]:
    """Return the images that the parameters of the module mean.

    :raises GlanceError: when Glance cannot tell.
    """
    found = _found(api, params, wanted)
    if wanted.stores and api.stores() is None:
        raise GlanceError(
            "looking for the images of a store",
            answer="this Glance has a single store, without a name",
            remedy="leave out stores in filters",
        )
    if params["stores"] or wanted.stores:
        found = [_with_stores(api, record) for record in found]
    return [_detailed(api, record, params) for record in found if {*wanted.stores} <= {*stores_of(record)}]


def _found(api: ImageApi, params: t.Mapping[str, t.Any], wanted: Wanted) -> list[Record]:
    if params["id"]:
        record = api.get(params["id"])
        return [record] if record else []
    filters = {**wanted.filters, "name": f"eq:{params['name']}"} if params["name"] else wanted.filters
    found = [record for hidden in HIDDEN[params["hidden"]] for record in api.listing(**{**filters, **hidden})]
    # MySQL compares names without regard to case.
    return [record for record in found if params["name"] in (None, record["name"])]


def _with_stores(api: ImageApi, record: Record) -> Record:
    """Return an image with its stores: Glance writes them into its record when it is asked for it by itself."""
    return record if stores_of(record) else api.get(record["id"]) or record


def _detailed(api: ImageApi, record: Record, params: t.Mapping[str, t.Any]) -> Record:
    told = dict(shown(record) or {})
    told["stores"] = stores_of(record)
    if params["members"]:
        told["members"] = api.members(record["id"]) if record["visibility"] == "shared" else {}
    return told


class Saver:
    """Writes the data of one image into a file, and proves that they are what Glance has."""

    def __init__(self, api: ImageApi, path: str, timeout: float, progress: Teller) -> None:
        self._api = api
        self._path = os.path.abspath(os.path.expanduser(path))
        self._timeout = timeout
        self._progress = progress

    def save(self, found: t.Sequence[Record], check_mode: bool) -> dict[str, t.Any]:
        """Save the image, unless the file has its data already.

        :raises GlanceError: when it is not one image, cannot be verified, or there is no room.
        """
        doing = f"saving an image to {self._path}"
        if len(found) != 1:
            raise GlanceError(
                doing, answer=f"{len(found)} images were found", remedy="give what only one image matches"
            )
        (record,) = found
        if record["status"] != "active":
            raise GlanceError(
                doing, answer=f"the image {record['id']} is {record['status']}", remedy="save an active one"
            )
        algorithm, value = self._proof(doing, record)
        result = {"path": self._path, "algorithm": algorithm, "hash": value, "size": record["size"]}
        if self._is_there(record["size"], algorithm, value):
            return {**result, "changed": False}
        self._check_room(doing, record)
        if not check_mode:
            self._write(doing, record, algorithm, value)
        return {**result, "changed": True}

    @staticmethod
    def _proof(doing: str, record: Record) -> tuple[str, str]:
        for algorithm, value in computed_hashes(record).items():
            if can_compute(algorithm):
                return algorithm, value
        raise GlanceError(
            doing,
            answer=f"Glance has no checksum of the image {record['id']}",
            cause="an image that Nova or Cinder wrote into the store by itself",
            remedy="save it with openstack image save, which compares nothing",
        )

    def _is_there(self, size: int, algorithm: str, value: str) -> bool:
        if not os.path.exists(self._path):
            return False
        # An empty one is what ansible.builtin.tempfile makes.
        if os.path.isfile(self._path) and os.path.getsize(self._path) != size:
            return False
        with contextlib.closing(FileSource(self._path, None, self._progress)) as file:
            return file.digest(algorithm) == value

    def _check_room(self, doing: str, record: Record) -> None:
        directory = os.path.dirname(self._path)
        if not os.path.isdir(directory):
            raise GlanceError(doing, answer=f"the directory {directory} is not there", remedy="create it")
        free = shutil.disk_usage(directory).free
        if free < record["size"]:
            answer = f"{directory} has {free // MIB} MiB free, {-(-record['size'] // MIB)} are needed"
            raise GlanceError(doing, answer=answer, remedy="make room there")

    def _write(self, doing: str, record: Record, algorithm: str, value: str) -> None:
        self._progress.begin("downloaded", record["size"])
        timeout, progress = self._timeout, self._progress
        try:
            with replacing(self._path) as file:
                download = Download(self._api, record, algorithm, timeout=timeout, progress=progress, file=file)
                found = download.run()
                if found != value:
                    raise GlanceError(
                        doing,
                        answer=f"{download.done} bytes came with {algorithm}:{found}, Glance has noted {value}",
                        cause="data that were damaged in the store or on the way",
                        remedy="save it again; when it happens again, look at the store",
                    )
        except OSError as error:
            raise GlanceError(doing, answer=str(error.strerror), remedy="look at the directory") from error


def run(params: dict[str, t.Any], *, check_mode: bool = False) -> dict[str, t.Any]:
    """Do what the parameters of the module say, and return its result.

    :raises GlanceError: when it cannot be done.
    """
    wanted = wanted_of(params["filters"])
    api = ImageApi(connect(params))
    with stoppable():
        found = look(api, params, wanted)
        saved = None
        if params["save_to"]:
            progress = ProgressFile(params.get("progress_file"))
            saved = Saver(api, params["save_to"], params["timeout"], progress).save(found, check_mode)
    changed = saved.pop("changed") if saved else False
    total = sum(record.get("size") or 0 for record in found)
    return {"changed": changed, "images": found, "size": total, "saved": saved, "requests": api.requests}
