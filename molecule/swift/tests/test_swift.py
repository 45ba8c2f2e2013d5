# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Images in a real Swift: in single-store form, in multi-store form, and in the accounts of users."""

from __future__ import annotations

import typing as t

import pytest
from images import MIB, Images, data, sha512
from playbook import refused, variables_of, with_store

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from playbook import Playbook

VARIABLES = variables_of(__file__)
AUTH = VARIABLES["glance_stores"]["objects"]["auth"]
CONTROLLERS = ["10.92.93.11"]
TENANTS = {
    "type": "swift",
    "multi_tenant": True,
    "container": "mine",
    "create_container": True,
    "endpoint_type": "internalURL",
}


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, CONTROLLERS)


def objects_of(swift: Connection, container: str, image_id: str) -> list[str]:
    found = [item.name for item in swift.object_store.objects(container)]
    return [name for name in found if name.startswith(image_id)]


@pytest.mark.parametrize("size", [MIB, 8 * MIB], ids=["whole", "segments"])
def test_upload(images: Images, swift: Connection, size: int) -> None:
    content = data(size)
    with images.uploaded(content) as image:
        assert "stores" not in image
        assert image["os_hash_value"] == sha512(content)
        assert images.digests(image["id"]) == {sha512(content)}
        assert (len(objects_of(swift, "glance", image["id"])) > 4) == (size > 4 * MIB)
    assert objects_of(swift, "glance", image["id"]) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"auth": {**AUTH, "key": "wrong"}}, ["GLS-163", "objects"], id="wrong password"),
        pytest.param({"container": "absent", "create_container": False}, ["GLS-165", "absent"], id="no container"),
        pytest.param({"cacert": None}, ["GLS-162", "certificate"], id="unknown authority"),
        pytest.param({"auth": {**AUTH, "auth_address": "http://10.92.93.10:5999/v3"}}, ["GLS-161", "5999"], id="dead"),
        pytest.param({"region": "Nowhere"}, ["GLS-161", "region"], id="no such region"),
        pytest.param(
            {
                "container": "forbidden",
                "auth": {
                    **AUTH,
                    "username": "testbed-swift-readonly",
                    "project_name": "testbed-s3",
                    "key": "{{ testbed_s3_password }}",
                },
            },
            ["GLS-164", "objects"],
            id="no role",
        ),
    ],
)
def test_store_that_does_not_work(playbook: Playbook, options: dict[str, t.Any], words: list[str]) -> None:
    refused(playbook.run(variables=with_store(VARIABLES, "objects", **options)), *words)


def test_check_mode_tells_of_the_restart_that_another_account_causes(playbook: Playbook) -> None:
    auth = {option: value for option, value in AUTH.items() if option != "user_domain_name"}
    changed = with_store(VARIABLES, "objects", auth={**auth, "user_domain_id": "default"})
    for variables, restarts in ((VARIABLES, False), (changed, True)):
        outcome = playbook.run("--check", variables=variables)
        assert outcome.status == 0, outcome.text
        # The step is left out where nothing is to be done.
        told = outcome.text.partition("Run glance-api and wait until it answers]")[2].partition("TASK [")[0]
        assert ("changed: [" in told) == restarts, outcome.text


def test_change_to_multi_store_form_keeps_images_readable(playbook: Playbook, images: Images) -> None:
    content = data()
    with images.uploaded(content) as image:
        try:
            outcome = playbook.run(variables={"glance_store_layout": "multi"})
            assert outcome.status == 0, outcome.text
            assert "1 of 1 images: each has got the name of its store." in " ".join(outcome.text.split())
            assert images.get(image["id"])["stores"] == "objects"
            assert images.digests(image["id"]) == {sha512(content)}
        finally:
            back = playbook.run()
        assert back.status == 0, back.text
        assert images.digests(image["id"]) == {sha512(content)}


def test_image_in_the_account_of_its_owner(
    playbook: Playbook, connect_as: t.Callable[[str, str, str], Connection], testbed: dict[str, t.Any]
) -> None:
    variables = with_store(VARIABLES, "tenants", **TENANTS, auth=AUTH)
    content = data(MIB)
    owner = connect_as("testbed-s3", testbed["testbed_s3_password"], "testbed-s3")
    try:
        outcome = playbook.run(variables={**variables, "glance_store_layout": "multi"})
        assert outcome.status == 0, outcome.text
        images = Images(owner, CONTROLLERS)
        with images.uploaded(content, "tenants") as image:
            assert images.digests(image["id"]) == {sha512(content)}
            containers = [container.name for container in owner.object_store.containers()]
            assert f"mine_{image['id']}" in containers
        assert f"mine_{image['id']}" not in [container.name for container in owner.object_store.containers()]
    finally:
        back = playbook.run()
    assert back.status == 0, back.text
