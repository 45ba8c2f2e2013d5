# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_tag, driven through main() against a Glance on the loopback interface."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.modules import store_tag
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import FakeCloud

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule


@pytest.fixture
def cloud() -> t.Iterator[FakeCloud]:
    with FakeCloud() as running:
        running.stores = ["local", "fast"]
        yield running


def add(cloud: FakeCloud, name: str, store: str = "local", **attributes: t.Any) -> str:
    """Put an image there that has no store yet, and gets one if a store is given."""
    image = cloud.add(name, data=b"data", **attributes)
    image.pop("stores", None)
    if store:
        cloud.late_stores[image["id"]] = store
    return str(image["id"])


def asked(cloud: FakeCloud) -> int:
    """Return how often one image was asked for."""
    return len([request for request in cloud.requests if "/v2/images/" in request.path])


def test_every_image_without_a_store_is_asked_for(cloud: FakeCloud, run_module: RunModule) -> None:
    cloud.page_size = 2
    ids = [
        add(cloud, "one"),
        add(cloud, "two"),
        add(cloud, "three"),
        add(cloud, "hidden", os_hidden=True),
        add(cloud, "community", visibility="community"),
        add(cloud, "both", visibility="community", os_hidden=True),
        add(cloud, "deactivated", status="deactivated"),
    ]
    cloud.add("no data")
    cloud.add("tagged", data=b"data", stores="local")
    result = run_module(store_tag, cloud.auth)
    assert result["changed"]
    assert result["images"] == 9
    assert sorted(image["id"] for image in result["tagged"]) == sorted(ids)
    assert result["untagged"] == []
    assert asked(cloud) == len(ids)
    cloud.requests.clear()
    again = run_module(store_tag, cloud.auth)
    assert not again["changed"]
    assert again["tagged"] == []
    assert asked(cloud) == 0


def test_image_with_the_old_name_of_its_store_is_asked_for(cloud: FakeCloud, run_module: RunModule) -> None:
    kept = cloud.add("kept", data=b"data", stores="fast,local")
    renamed = cloud.add("renamed", data=b"data", stores="fast,old")
    lost = cloud.add("lost", data=b"data", stores="gone")
    cloud.late_stores[renamed["id"]] = "fast,local"
    found = run_module(store_tag, cloud.auth, check=True)
    assert found["changed"]
    assert [image["name"] for image in found["untagged"]] == ["renamed", "lost"]
    result = run_module(store_tag, cloud.auth)
    assert result["changed"]
    assert result["renamed"] == [{"id": renamed["id"], "name": "renamed"}]
    assert result["tagged"] == []
    assert result["untagged"] == [{"id": lost["id"], "name": "lost"}]
    assert not any(kept["id"] in request.path for request in cloud.requests)
    assert not run_module(store_tag, cloud.auth)["changed"]


def test_single_store_form_has_nothing_to_note(cloud: FakeCloud, run_module: RunModule) -> None:
    cloud.stores = None
    image = add(cloud, "one")
    result = run_module(store_tag, cloud.auth)
    assert (result["changed"], result["single"], result["images"], result["untagged"]) == (False, True, 0, [])
    # What the change to multi-store form is going to do.
    result = run_module(store_tag, cloud.auth, check=True)
    assert (result["changed"], result["single"]) == (True, True)
    assert result["untagged"] == [{"id": image, "name": "one"}]


def test_endpoint_is_asked_instead_of_the_one_in_the_catalogue(cloud: FakeCloud, run_module: RunModule) -> None:
    add(cloud, "one")
    with FakeCloud() as other:
        other.stores = ["local"]
        result = run_module(store_tag, {**cloud.auth, "endpoint": f"{other.url}/image"})
    assert (result["changed"], result["single"], result["images"]) == (False, False, 0)
    assert not any(request.path.startswith("/image") for request in cloud.requests)


def test_image_that_lies_in_no_store_is_told(cloud: FakeCloud, run_module: RunModule) -> None:
    lost = add(cloud, "lost", store="")
    result = run_module(store_tag, cloud.auth)
    assert not result["changed"]
    assert result["untagged"] == [{"id": lost, "name": "lost"}]


def test_check_mode_asks_for_no_image(cloud: FakeCloud, run_module: RunModule) -> None:
    image = add(cloud, "one")
    result = run_module(store_tag, cloud.auth, check=True)
    assert result["changed"]
    assert (result["tagged"], result["untagged"]) == ([], [{"id": image, "name": "one"}])
    assert "stores" not in cloud.images[image]


def test_check_mode_is_silent_where_there_is_no_glance_yet(cloud: FakeCloud, run_module: RunModule) -> None:
    cloud.has_endpoint = False
    result = run_module(store_tag, cloud.auth, check=True)
    assert not result["changed"]
    assert result["images"] == 0
    assert "image" in run_module(store_tag, cloud.auth)["msg"]
