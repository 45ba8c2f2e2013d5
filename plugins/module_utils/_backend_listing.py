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
    swiftclient = _library("swiftclient", "python3-swiftclient")
    project, _colon, user = str(account.get("user", "")).partition(":")
    connection = swiftclient.Connection(
        authurl=account.get("auth_address"),
        user=user,
        key=account.get("key"),
        tenant_name=project,
        auth_version="3",
        os_options=_swift_options(store),
        cacert=section.text("swift_store_cacert") or None,
        insecure=section.flag("swift_store_auth_insecure"),
        retries=1,
        timeout=deadline.left(),
    )
    with contextlib.closing(connection):
        _headers, objects = connection.get_container(section.text("swift_store_container", "glance"), full_listing=True)
    prefix = store.places[0].address
    for item in objects:
        name = SEGMENT.sub("", item["name"])
        modified = datetime.datetime.fromisoformat(item["last_modified"])
        yield Entry(f"{prefix}{name}", item["name"], item["bytes"], modified.replace(tzinfo=None))


def _swift_options(store: Store) -> dict[str, str]:
    account, section = store.section.reference, store.section
    domains = {
        f"{whose}_domain_{what}": account.get(f"{whose}_domain_{what}")
        for whose in ("user", "project")
        for what in ("id", "name")
    }
    for whose in ("user", "project"):
        if not domains[f"{whose}_domain_id"] and not domains[f"{whose}_domain_name"]:
            domains[f"{whose}_domain_id"] = "default"
    options = {
        **domains,
        "region_name": section.text("swift_store_region"),
        "endpoint_type": section.text("swift_store_endpoint_type", "publicURL"),
        "service_type": section.text("swift_store_service_type", "object-store"),
        "object_storage_url": section.text("swift_store_endpoint"),
    }
    return {name: value for name, value in options.items() if value}


def _rbd(store: Store, deadline: Deadline) -> t.Iterator[Entry]:
    section = store.section
    patience = str(max(1, int(deadline.left())))
    limits = dict.fromkeys(("client_mount_timeout", "rados_mon_op_timeout", "rados_osd_op_timeout"), patience)
    rados, rbd = _library("rados", "python3-rados"), _library("rbd", "python3-rbd")
    cluster = rados.Rados(
        conffile=section.text("rbd_store_ceph_conf", "/etc/ceph/ceph.conf"),
        rados_id=section.text("rbd_store_user") or None,
        conf=limits,
    )
    with cluster, contextlib.closing(cluster.open_ioctx(section.text("rbd_store_pool", "images"))) as pool:
        prefix = f"rbd://{cluster.get_fsid()}/{section.text('rbd_store_pool', 'images')}/"
        for name in rbd.RBD().list(pool):
            yield Entry(f"{prefix}{name}", name)


def _s3(store: Store, deadline: Deadline) -> t.Iterator[Entry]:
    section = store.section
    host = section.text("s3_store_host")
    boto3, botocore = _library("boto3", "python3-boto3"), _library("botocore.config", "python3-botocore")
    client = boto3.session.Session(
        aws_access_key_id=section.text("s3_store_access_key"),
        aws_secret_access_key=section.text("s3_store_secret_key"),
    ).client(
        "s3",
        endpoint_url=host if "://" in host else f"http://{host}",
        region_name=section.text("s3_store_region_name") or None,
        verify=section.text("s3_store_cacert") or None,
        config=botocore.Config(
            connect_timeout=deadline.left(),
            read_timeout=deadline.left(),
            retries={"max_attempts": 1},
            s3={"addressing_style": section.text("s3_store_bucket_url_format", "auto")},
        ),
    )
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
