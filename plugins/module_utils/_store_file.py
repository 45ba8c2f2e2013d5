# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Stores of the type file: directories of the node, local or on a file system that the nodes share."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    ABSOLUTE_PATH,
    BYTES,
    ICEHOUSE,
    JUNO,
    ONE_LINE,
    STEIN,
    VICTORIA,
    Finding,
    Option,
    Parameters,
    Place,
    Section,
    StoreType,
    normal_path,
)

MOUNT: Parameters = {
    "type": "dict",
    "options": {
        "source": {"type": "str", "required": True, "aliases": ["src"]},
        "fstype": {"type": "str", "default": "nfs4"},
        "options": {"type": "str", "default": "rw,hard,_netdev,nodev,nosuid,noexec"},
        "path": {"type": "str"},
    },
}

OPTIONS = {
    "datadir": Option("filesystem_store_datadir", {"type": "str"}, rule=ABSOLUTE_PATH),
    "datadirs": Option(
        spec={
            "type": "list",
            "elements": "dict",
            "options": {"path": {"type": "str", "required": True}, "priority": {"type": "int", "default": 0}},
        },
        since=ICEHOUSE,
    ),
    "shared": Option(spec={"type": "bool"}),
    "mount": Option(spec=MOUNT),
    "file_perm": Option(spec={"type": "raw", "aliases": ["filesystem_store_file_perm"]}, since=JUNO),
    "chunk_size": Option("filesystem_store_chunk_size", {"type": "int"}, since=STEIN, rule=BYTES),
    "metadata_file": Option("filesystem_store_metadata_file", {"type": "str"}, rule=ABSOLUTE_PATH),
    "thin_provisioning": Option("filesystem_thin_provisioning", {"type": "bool"}, since=VICTORIA),
}


def _directories(values: Parameters) -> list[str]:
    paths = [values["datadir"]] if values.get("datadir") else []
    return paths + [directory["path"] for directory in values.get("datadirs") or []]


def _findings(values: Parameters) -> t.Iterator[Finding]:
    for directory in values["datadirs"] or []:
        path = directory["path"]
        if not path.startswith("/") or ":" in path:
            yield Finding("datadirs", f"{path!r} is not an absolute path without a colon")
    yield from _permission_findings(values["file_perm"])
    if values["mount"] is not None:
        yield from _mount_findings(values)


def _permission_findings(permission: t.Any) -> t.Iterator[Finding]:
    if permission in (None, 0, "0"):
        return
    # Without quotes YAML has already turned 0640 into the number 416.
    if not isinstance(permission, str) or not re.fullmatch("0?[0-7]{3}", permission):
        yield Finding("file_perm", f'{permission!r} is not a mode in quotes such as "0640"')
    elif not int(permission, 8) & 0o400:
        yield Finding("file_perm", f"{permission!r} keeps Glance from reading its own images")


def _mount_findings(values: Parameters) -> t.Iterator[Finding]:
    mount = values["mount"]
    for key in ("source", "fstype", "options"):
        if not ONE_LINE.holds(mount[key]):
            yield Finding("mount", f"{key} is {mount[key]!r}, which is not {ONE_LINE.wanted}")
    if re.search(r"(^|,)(secret|password|pass)=", mount["options"]):
        yield Finding("mount", "options hold a secret, which every user of the node could read; name a file instead")
    point = mount_point(values)
    if not point.startswith("/") or point == "/":
        yield Finding("mount", f"{point!r} is not a directory on which something can be mounted")
        return
    for path in _directories(values):
        if not (normal_path(path) + "/").startswith(point + "/"):
            yield Finding("mount", f"the directory {path!r} is not beneath the mount point {point!r}")


def mount_point(values: Parameters) -> str:
    """Return the directory on which the file system of a store is mounted."""
    return normal_path(values["mount"]["path"] or (_directories(values) or [""])[0])


def mount_unit(path: str) -> str:
    """Return the name of the systemd unit that mounts a directory; systemd wants it to follow from the path."""

    def escaped(match: re.Match[str]) -> str:
        return "".join(f"\\x{byte:02x}" for byte in match.group().encode("utf-8"))

    words = [re.sub(r"[^A-Za-z0-9:_.]", escaped, word) for word in path.strip("/").split("/")]
    return re.sub(r"^\.", escaped, "-".join(words)) + ".mount"


def _computed(values: Parameters, name: str) -> Parameters:
    options: Parameters = {}
    if values["datadirs"]:
        # Glance refuses both, and filesystem_store_datadir has a default.
        options["filesystem_store_datadir"] = ""
        options["filesystem_store_datadirs"] = [
            f"{directory['path']}:{directory['priority']}" for directory in values["datadirs"]
        ]
    if values["file_perm"] is not None:
        options["filesystem_store_file_perm"] = int(str(values["file_perm"]))
    return options


def _places(section: Section) -> list[Place]:
    several = [entry.partition(":")[0] for entry in section.texts("filesystem_store_datadirs")]
    paths = several or [section.text("filesystem_store_datadir", f"/var/lib/glance/{section.name or 'images'}")]
    return [Place(f"file://{path}/", f"the directory {path}") for path in map(normal_path, paths)]


FILE = StoreType(
    options=OPTIONS,
    constraints={"mutually_exclusive": [("datadir", "datadirs")], "required_one_of": [("datadir", "datadirs")]},
    findings=_findings,
    computed=_computed,
    sets={"filesystem_store_datadirs": "datadirs", "filesystem_store_file_perm": "file_perm"},
    directories=_directories,
    places=_places,
)
