# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Images in buckets, of a real RADOS gateway and of a real Swift."""

from __future__ import annotations

import typing as t

import pytest
from images import MIB, Images, data, sha512
from playbook import refused, variables_of, with_store

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from playbook import Playbook

VARIABLES = variables_of(__file__)
STORES = list(VARIABLES["glance_stores"])


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, ["10.92.93.11"])


@pytest.mark.parametrize("size", [MIB, 16 * MIB], ids=["whole", "parts"])
@pytest.mark.parametrize("store", STORES)
def test_upload(images: Images, store: str, size: int) -> None:
    content = data(size)
    with images.uploaded(content, store) as image:
        assert image["os_hash_value"] == sha512(content)
        assert images.digests(image["id"]) == {sha512(content)}
        assert not {"locations", "direct_url"} & set(image)


@pytest.mark.parametrize("store", STORES)
def test_import(images: Images, store: str) -> None:
    content = data(MIB)
    with images.imported(content, store) as image:
        assert images.digests(image["id"]) == {sha512(content)}


@pytest.mark.parametrize(
    ("store", "options", "words"),
    [
        pytest.param("gateway", {"secret_key": "wrong"}, ["GLS-163", "gateway"], id="wrong secret at the gateway"),
        pytest.param("swift", {"secret_key": "wrong"}, ["GLS-163", "swift"], id="wrong secret at Swift"),
        pytest.param("gateway", {"access_key": "NOBODY"}, ["GLS-163", "gateway"], id="unknown key"),
        pytest.param("gateway", {"bucket": "taken"}, ["GLS-164", "taken"], id="bucket of somebody else"),
        pytest.param(
            "gateway",
            {"bucket": "absent", "create_bucket": False},
            ["GLS-165", "absent"],
            id="no bucket at the gateway",
        ),
        pytest.param(
            "swift", {"bucket": "absent", "create_bucket": False}, ["GLS-165", "absent"], id="no bucket at Swift"
        ),
        pytest.param("gateway", {"host": "http://10.92.93.30:7999"}, ["GLS-161", "7999"], id="dead gateway"),
    ],
)
def test_store_that_does_not_work(playbook: Playbook, store: str, options: dict[str, t.Any], words: list[str]) -> None:
    refused(playbook.run(variables=with_store(VARIABLES, store, **options)), *words)


def test_stores_are_tried_with_the_environment_of_the_unit(playbook: Playbook) -> None:
    options = {"Environment": ["AWS_DEFAULT_REGION=nowhere-1"]}
    refused(playbook.run(variables={"glance_hardening_options": options}), "GLS-165", "glance_stores.swift", "region")
