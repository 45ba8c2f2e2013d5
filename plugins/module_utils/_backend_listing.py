# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What lies in the place of a store, listed with the client library that Glance itself uses. Nothing is changed."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import importlib
import os
import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _store_clients
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import address
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import Store

IMAGE_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
SEGMENT = re.compile(r"-\d{5}$")


@dataclasses.dataclass(frozen=True)
class Entry:
    """Something that lies in the place of a store.

    :param address: what the location of an image in it is, or begins with.
    :param size: in bytes; nothing where the listing does not tell it.
    :param modified: in UTC; nothing where the listing does not tell it.
    """

    address: str
    name: str
    size: t.Optional[int] = None
    modified: t.Optional[datetime.datetime] = None

    @property
    def image_id(self) -> str:
        """The id of the image that it seems to be of, or nothing."""
        found = IMAGE_ID.match(self.name)
        return found.group() if found else ""


def entries(store: Store, deadline: Deadline) -> list[Entry]:
    """Return what lies in the place of a store.

    :raises GlanceError: when that cannot be found out.
    """
    lister = LISTERS.get(store.type)
    if lister is None:
        raise GlanceError(f"stores of the type {store.type} cannot be listed")
    try:
        return list(lister(store, deadline))
    except GlanceError:
        raise
    except Exception as error:
        # Each library has exceptions of its own, and some of theirs show the request.
        answer = without_credentials(" ".join(str(error).split()))[:300]
        raise GlanceError(f"listing {store.where}", answer=f"{type(error).__name__}: {answer}") from error


def files(directory: str) -> t.Iterator[Entry]:
    """Return the files in a directory."""
    with os.scandir(directory) as found:
        for item in found:
            if item.is_file(follow_symlinks=False):
                state = item.stat(follow_symlinks=False)
                yield Entry(address(f"file://{item.path}"), item.name, state.st_size, _utc(state.st_mtime))


def _library(name: str, package: str) -> t.Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        remedy = f"install it on the node (on Debian the package {package})"
        raise GlanceError(f"{name} cannot be imported", remedy=remedy) from error


def _utc(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)


def _file(store: Store, deadline: Deadline) -> t.Iterator[Entry]:
    for place in store.places:
        yield from files(place.address.partition("://")[2])


def _swift(store: Store, deadline: Deadline) -> t.Iterator[Entry]:
    section, account = store.section, store.section.reference
    if section.flag("swift_store_multi_tenant"):
        raise GlanceError("the containers of all projects cannot be listed by one of them")
    if section.text("swift_store_multiple_containers_seed", "0") != "0":
        raise GlanceError(f"{store.where} cannot be listed at once")
    options = {
        "region": section.text("swift_store_region"),
        "endpoint_type": section.text("swift_store_endpoint_type"),
        "endpoint": section.text("swift_store_endpoint"),
        "service_type": section.text("swift_store_service_type"),
        "cacert": section.text("swift_store_cacert"),
        "insecure": section.flag("swift_store_auth_insecure"),
    }
    swiftclient = _library("swiftclient", "python3-swiftclient")
    with contextlib.closing(_store_clients.swift(swiftclient, account, options, deadline.left())) as connection:
        _headers, objects = connection.get_container(section.text("swift_store_container", "glance"), full_listing=True)
    prefix = store.places[0].address
    for item in objects:
        name = SEGMENT.sub("", item["name"])
        yield Entry(f"{prefix}{name}", item["name"], item["bytes"], _time(item["last_modified"]))


def _time(text: str) -> datetime.datetime:
    """Return the moment that a listing of Swift tells, in UTC, with or without a Z."""
    # Python reads the Z from 3.11 on.
    return datetime.datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=None)


@contextlib.contextmanager
def rbd_pool(store: Store, timeout: float) -> t.Iterator[tuple[t.Any, t.Any, str]]:
    """Open the pool of a store of the type rbd, and give the library, the pool and the id of the cluster."""
    section = store.section
    rados, rbd = _library("rados", "python3-rados"), _library("rbd", "python3-rbd")
    conf = section.text("rbd_store_ceph_conf", "/etc/ceph/ceph.conf")
    cluster = _store_clients.rados(rados, section.text("rbd_store_user"), conf, timeout)
    with cluster, contextlib.closing(cluster.open_ioctx(section.text("rbd_store_pool", "images"))) as pool:
        yield rbd, pool, cluster.get_fsid()


def _rbd(store: Store, deadline: Deadline) -> t.Iterator[Entry]:
    with rbd_pool(store, deadline.left()) as (rbd, pool, fsid):
        for name in rbd.RBD().list(pool):
            yield Entry(f"rbd://{fsid}/{store.section.text('rbd_store_pool', 'images')}/{name}", name)


def _s3(store: Store, deadline: Deadline) -> t.Iterator[Entry]:
    section = store.section
    names = ("host", "access_key", "secret_key", "cacert", "bucket_url_format")
    options = {name: section.text(f"s3_store_{name}") for name in names}
    options["region"] = section.text("s3_store_region_name")
    boto3, botocore = _library("boto3", "python3-boto3"), _library("botocore.config", "python3-botocore")
    client = _store_clients.s3(boto3, botocore, options, deadline.left())
    prefix = store.places[0].address
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=section.text("s3_store_bucket")):
        for item in page.get("Contents", []):
            modified = item["LastModified"].astimezone(datetime.timezone.utc).replace(tzinfo=None)
            yield Entry(f"{prefix}{item['Key']}", item["Key"], item["Size"], modified)


LISTERS: dict[str, t.Callable[[Store, Deadline], t.Iterator[Entry]]] = {
    "file": _file,
    "swift": _swift,
    "rbd": _rbd,
    "s3": _s3,
}
