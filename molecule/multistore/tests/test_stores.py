# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Each store takes images, gives them back from every controller, and lets go of them."""

from __future__ import annotations

import typing as t

import pytest
from images import Images, data, sha512

if t.TYPE_CHECKING:
    from openstack.connection import Connection

CONTROLLERS = ["10.92.93.11", "10.92.93.12"]
WRITABLE = ["local", "mounted", "objects", "archive", "fast", "fast-2", "bucket", "bucket-of-swift"]


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, CONTROLLERS)


def test_users_see_the_stores(images: Images) -> None:
    assert images.stores() == {*WRITABLE, "web"}


@pytest.mark.parametrize("store", WRITABLE)
def test_upload(images: Images, store: str) -> None:
    content = data()
    with images.uploaded(content, store) as image:
        assert (image["status"], image["stores"]) == ("active", store)
        assert image["os_hash_value"] == sha512(content)
        assert images.digests(image["id"]) == {sha512(content)}


@pytest.mark.parametrize("store", WRITABLE)
def test_import(images: Images, store: str) -> None:
    content = data(1024 * 1024)
    with images.imported(content, store) as image:
        assert (image["status"], image["stores"]) == ("active", store)
        assert images.digests(image["id"]) == {sha512(content)}


def test_copy_into_every_other_store(images: Images) -> None:
    content = data(1024 * 1024)
    with images.uploaded(content, "local") as image:
        copied = images.copy(image["id"], WRITABLE[1:])
        assert set(copied["stores"].split(",")) == set(WRITABLE)
        assert images.digests(image["id"]) == {sha512(content)}


def test_large_image_is_cut_into_segments(images: Images, swift: Connection) -> None:
    with images.uploaded(data(), "objects") as image:
        objects = [found.name for found in swift.object_store.objects("glance")]
        assert {image["id"], *(f"{image['id']}-{number:05}" for number in range(1, 5))} <= set(objects)
    assert [found.name for found in swift.object_store.objects("glance")] == []


@pytest.mark.parametrize("store", WRITABLE)
def test_location_is_shown_to_nobody(images: Images, store: str) -> None:
    with images.uploaded(b"x", store) as image:
        assert not {"locations", "direct_url"} & set(image)
