# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Stores of the type rbd: pools of a Ceph cluster."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    ABSOLUTE_PATH,
    LIBERTY,
    MEGABYTES,
    SECONDS,
    VICTORIA,
    Finding,
    Option,
    Parameters,
    Place,
    Rule,
    Section,
    StoreType,
)

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
KEY = re.compile(r"[A-Za-z0-9+/]{38,}={0,2}")
NAME = Rule(lambda name: re.fullmatch(r"[^\s/@]+", name) is not None, "a name without spaces, / and @")

OPTIONS = {
    "pool": Option("rbd_store_pool", {"type": "str", "required": True}, rule=NAME),
    "user": Option("rbd_store_user", {"type": "str", "required": True}, rule=NAME),
    "conf": Option("rbd_store_ceph_conf", {"type": "str"}, rule=ABSOLUTE_PATH),
    "mon_hosts": Option(spec={"type": "list", "elements": "str"}),
    "fsid": Option(
        spec={"type": "str"},
        rule=Rule(lambda fsid: UUID.fullmatch(fsid) is not None, "the id of a cluster, which has the form of a UUID"),
    ),
    "key": Option(
        spec={"type": "str", "no_log": True},
        rule=Rule(lambda key: KEY.fullmatch(key) is not None, "a key of cephx, as `ceph auth get-key` prints it"),
    ),
    "chunk_size": Option("rbd_store_chunk_size", {"type": "int"}, rule=MEGABYTES),
    "thin_provisioning": Option("rbd_thin_provisioning", {"type": "bool"}, since=VICTORIA),
    "connect_timeout": Option("rados_connect_timeout", {"type": "int"}, since=LIBERTY, rule=SECONDS),
}


def ceph_files(name: str) -> dict[str, str]:
    """Return the paths of the files on a node that belong to a store whose cluster is described in its options."""
    return {"conf": f"/etc/ceph/glance-{name}.conf", "keyring": f"/etc/ceph/glance-{name}.keyring"}


def _findings(values: Parameters) -> t.Iterator[Finding]:
    user = str(values["user"])
    if user.startswith("client."):
        yield Finding("user", f"{user!r} has the prefix client., which Ceph adds itself")
    for host in values["mon_hosts"] or []:
        if not re.fullmatch(r"[^\s,]+", host):
            yield Finding("mon_hosts", f"{host!r} is not the address of a monitor")
    chunk = values["chunk_size"]
    # Glance takes the base 2 logarithm of it as the order of the image.
    if chunk and chunk > 0 and chunk & (chunk - 1):
        yield Finding("chunk_size", f"{chunk} is not a power of two")


def _computed(values: Parameters, name: str) -> Parameters:
    return {"rbd_store_ceph_conf": values["conf"] or ceph_files(name)["conf"]}


def fsid_of(text: str) -> str:
    """Return the id of the cluster that a ceph.conf names, or nothing."""
    found = re.search(r"(?mi)^\s*fsid\s*=\s*([0-9a-f-]{36})\s*$", text)
    return found.group(1).lower() if found else ""


def _places(section: Section) -> list[Place]:
    conf = section.text("rbd_store_ceph_conf", "/etc/ceph/ceph.conf")
    pool = section.text("rbd_store_pool", "images")
    fsid = fsid_of(section.read(conf))
    address = f"rbd://{fsid}/{pool}/" if fsid else "rbd://"
    return [Place(address, f"the pool {pool} of the cluster {fsid or 'of ' + conf}")]


RBD = StoreType(
    options=OPTIONS,
    constraints={
        "mutually_exclusive": [("conf", "mon_hosts")],
        "required_one_of": [("conf", "mon_hosts")],
        "required_together": [("mon_hosts", "fsid", "key")],
    },
    findings=_findings,
    computed=_computed,
    places=_places,
)
