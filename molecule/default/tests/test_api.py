# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What a user of the cloud gets from the Glance that was deployed."""

from __future__ import annotations

import hashlib
import os
import typing as t

import pytest
import requests

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from openstack.image.v2.image import Image


@pytest.fixture
def image(cloud: Connection) -> t.Iterator[tuple[Image, bytes]]:
    data = os.urandom(8 * 1024 * 1024)
    uploaded = cloud.image.create_image(
        name="a test's image", data=data, disk_format="raw", container_format="bare", allow_duplicates=True
    )
    yield cloud.image.get_image(uploaded.id), data
    cloud.image.delete_image(uploaded.id)


def test_catalogue_has_one_image_service_with_three_endpoints(cloud: Connection, testbed: dict[str, t.Any]) -> None:
    services = list(cloud.identity.services(type="image"))
    assert [service.name for service in services] == ["glance"]
    # Other scenarios have regions of their own.
    endpoints = list(cloud.identity.endpoints(service_id=services[0].id, region_id=testbed["testbed_region"]))
    assert {endpoint.interface for endpoint in endpoints} == {"public", "internal", "admin"}
    assert len(endpoints) == 3


def test_stranger_is_refused(cloud: Connection) -> None:
    answer = requests.get(f"{cloud.image.get_endpoint(interface='public')}/v2/images", timeout=30)
    assert answer.status_code == 401


def test_image_comes_back_as_it_was_sent(cloud: Connection, image: tuple[Image, bytes]) -> None:
    uploaded, data = image
    assert uploaded.status == "active"
    assert uploaded.hash_value == hashlib.sha512(data).hexdigest()
    assert cloud.image.download_image(uploaded).content == data
    assert uploaded.id in [listed.id for listed in cloud.image.images()]


def test_image_that_is_imported_comes_back_too(cloud: Connection) -> None:
    data = os.urandom(8 * 1024 * 1024)
    body = {"name": "a test's import", "disk_format": "raw", "container_format": "bare"}
    made = cloud.image.post("/images", json=body).json()
    try:
        staged = cloud.image.put(
            f"/images/{made['id']}/stage", data=data, headers={"Content-Type": "application/octet-stream"}
        )
        assert staged.status_code == 204
        started = cloud.image.post(f"/images/{made['id']}/import", json={"method": {"name": "glance-direct"}})
        assert started.status_code == 202
        imported = cloud.image.wait_for_status(cloud.image.get_image(made["id"]), status="active", wait=60)
        assert imported.hash_value == hashlib.sha512(data).hexdigest()
        assert cloud.image.download_image(imported).content == data
    finally:
        cloud.image.delete_image(made["id"])


def test_deployment_left_no_image_behind(cloud: Connection) -> None:
    assert list(cloud.image.images()) == []


def test_tasks_api_is_closed(cloud: Connection) -> None:
    assert cloud.image.get("/tasks").status_code == 403
