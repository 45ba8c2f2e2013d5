# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Stores of the type vmware: datastores of a vCenter or an ESXi host. Deprecated by Glance since 2024.1."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    ABSOLUTE_PATH,
    KILO,
    MITAKA,
    ONE_LINE,
    POSITIVE,
    Finding,
    Option,
    Parameters,
    Place,
    Rule,
    Section,
    StoreType,
    server_address,
)

OPTIONS = {
    "server_host": Option(
        "vmware_server_host",
        {"type": "str", "required": True},
        rule=Rule(lambda host: re.fullmatch(r"[\w.:\[\]-]+", host) is not None, "the name or address of a server"),
    ),
    "server_username": Option("vmware_server_username", {"type": "str", "required": True}),
    "server_password": Option(
        "vmware_server_password", {"type": "str", "required": True, "no_log": True}, rule=ONE_LINE
    ),
    "datastores": Option("vmware_datastores", {"type": "list", "elements": "str", "required": True}),
    "image_dir": Option("vmware_store_image_dir", {"type": "str"}, rule=ABSOLUTE_PATH),
    "api_retry_count": Option("vmware_api_retry_count", {"type": "int"}, rule=POSITIVE),
    "task_poll_interval": Option("vmware_task_poll_interval", {"type": "int"}, rule=POSITIVE),
    "ca_file": Option("vmware_ca_file", {"type": "str"}, since=MITAKA, rule=ABSOLUTE_PATH),
    "insecure": Option("vmware_insecure", {"type": "bool"}, since=MITAKA),
}


def _findings(values: Parameters) -> t.Iterator[Finding]:
    for datastore in values["datastores"] or []:
        if not re.fullmatch(r"[^:\n]+:[^:\n]+(:\d+)?", datastore):
            yield Finding(
                "datastores", f"{datastore!r} is not of the form datacenter:datastore or datacenter:datastore:weight"
            )


def _places(section: Section) -> list[Place]:
    host = server_address(section.text("vmware_server_host"))
    stores = ", ".join(
        sorted(
            entry.rpartition(":")[0] if entry.count(":") == 2 else entry for entry in section.texts("vmware_datastores")
        )
    )
    directory = section.text("vmware_store_image_dir", "/openstack_glance").rstrip("/")
    return [Place(f"vsphere://{host}/folder{directory}/", f"{directory} in {stores} at {host}")]


def _warnings(values: Parameters) -> t.Iterator[str]:
    yield (
        "the type vmware is deprecated since 2024.1, and nobody tests it any more: plan to move its images to another"
        " store"
    )


VMWARE = StoreType(
    options=OPTIONS,
    constraints={"mutually_exclusive": [("insecure", "ca_file")]},
    findings=_findings,
    places=_places,
    warnings=_warnings,
    # The first release with several datastores.
    since=KILO,
)
