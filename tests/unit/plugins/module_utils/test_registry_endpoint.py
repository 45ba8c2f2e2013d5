# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is deleted of a registry in Keystone, and above all what is not."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._registry_endpoint import Retired, retire

RETIRED = Retired("RegionOne", 9191)


class Keystone:
    """The services and endpoints of a cloud."""

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, t.Any]]] = {
            "services": [
                {"id": "s1", "type": "image", "name": "glance"},
                {"id": "s2", "type": "image-registry", "name": "glance-registry"},
                {"id": "s3", "type": "network", "name": "neutron"},
            ],
            "endpoints": [endpoint("e1", "s1", "https://images.example.org:9292")],
        }
        self.deleted: list[str] = []

    def find(self, collection: str, **_query: str) -> list[dict[str, t.Any]]:
        return list(self.objects[collection])

    def delete(self, _collection: str, identifier: str) -> None:
        self.deleted.append(identifier)


def endpoint(identifier: str, service: str, url: str, region: str = "RegionOne") -> dict[str, t.Any]:
    return {"id": identifier, "service_id": service, "url": url, "region_id": region, "interface": "internal"}


def test_nothing_is_left_to_be_deleted() -> None:
    keystone = Keystone()
    assert retire(keystone, RETIRED, check=False)["changed"] is False
    assert keystone.deleted == []


def test_endpoints_of_either_service() -> None:
    keystone = Keystone()
    keystone.objects["endpoints"] += [
        endpoint("e2", "s1", "http://controller-1:9191"),
        endpoint("e3", "s2", "http://controller-1:9191/"),
    ]
    assert retire(keystone, RETIRED, check=True)["deleted"] == ["http://controller-1:9191", "http://controller-1:9191/"]
    assert keystone.deleted == []
    assert retire(keystone, RETIRED, check=False)["changed"] is True
    # The image service stays, with or without endpoints.
    assert keystone.deleted == ["e2", "e3", "s2"]


def test_the_image_service_stays_without_endpoints() -> None:
    keystone = Keystone()
    keystone.objects["endpoints"] = [endpoint("e2", "s1", "http://controller-1:9191")]
    retire(keystone, RETIRED, check=False)
    assert keystone.deleted == ["e2"]


@pytest.mark.parametrize(
    "other",
    [
        endpoint("e2", "s1", "http://controller-1:9191", region="RegionTwo"),
        endpoint("e2", "s3", "http://controller-1:9191"),
        endpoint("e2", "s1", "http://controller-1:9292"),
        endpoint("e2", "s1", "http://controller-1"),
        endpoint("e2", "s1", "http://controller-1:$(port)s/"),
        endpoint("e2", "gone", "http://controller-1:9191"),
    ],
)
def test_what_is_left_alone(other: dict[str, t.Any]) -> None:
    keystone = Keystone()
    keystone.objects["endpoints"].append(other)
    assert retire(keystone, RETIRED, check=False)["changed"] is False
    assert keystone.deleted == []


def test_a_service_with_another_endpoint_stays() -> None:
    keystone = Keystone()
    keystone.objects["endpoints"] += [
        endpoint("e2", "s2", "http://controller-1:9191"),
        endpoint("e3", "s2", "http://controller-1:9191", region="RegionTwo"),
    ]
    retire(keystone, RETIRED, check=False)
    assert keystone.deleted == ["e2"]
