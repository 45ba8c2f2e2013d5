# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The endpoints of a glance-registry in Keystone, which nobody answers at any more."""

from __future__ import annotations

import dataclasses
import typing as t
from urllib.parse import urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference

Record = dict[str, t.Any]

IMAGE = "image"
NAMES = ("glance-registry", "glance_registry", "image-registry")
"""What guides have called a service of the registry, by name or by type. It is no service of Keystone's catalogue."""


class Keystone(t.Protocol):
    """What is asked of Keystone."""

    def find(self, collection: str, **query: str) -> list[Record]:
        """Return what of a collection matches the query."""

    def delete(self, collection: str, identifier: str) -> None:
        """Delete one object, if it is still there."""


@dataclasses.dataclass(frozen=True)
class Retired:
    """The registry that is gone.

    :param region: the region in which its endpoints are looked for.
    :param port: the port that it listened on.
    """

    region: str
    port: int


def retire(keystone: Keystone, retired: Retired, check: bool) -> dict[str, t.Any]:
    """Delete the endpoints, and a service that had no others, and return what the module returns."""
    services = {str(service["id"]): service for service in keystone.find("services")}
    endpoints = keystone.find("endpoints")
    gone = [endpoint for endpoint in endpoints if _leads_to(endpoint, services, retired)]
    left = {str(endpoint["service_id"]) for endpoint in endpoints if endpoint not in gone}
    # The service of the images is Glance's own.
    emptied = {str(endpoint["service_id"]) for endpoint in gone} - left
    emptied = {service for service in emptied if services[service]["type"] != IMAGE}
    difference = Difference()
    for endpoint in gone:
        difference.compare(f"endpoint.{endpoint['interface']} {endpoint['url']}", "present", "absent")
        if not check:
            keystone.delete("endpoints", endpoint["id"])
    for service in sorted(emptied):
        difference.compare(f"service {services[service]['name']}", "present", "absent")
        if not check:
            keystone.delete("services", service)
    urls = [str(endpoint["url"]) for endpoint in gone]
    return {"changed": difference.changed, "diff": difference.as_diff(), "deleted": urls}


def _leads_to(endpoint: Record, services: t.Mapping[str, Record], retired: Retired) -> bool:
    service = services.get(str(endpoint["service_id"]), {})
    known = service.get("type") == IMAGE or {service.get("type"), service.get("name")} & set(NAMES)
    try:
        port = urlsplit(str(endpoint["url"])).port
    except ValueError:
        # Keystone takes templates such as %(tenant_id)s in any place of a URL.
        return False
    return bool(known) and endpoint["region_id"] == retired.region and port == retired.port
