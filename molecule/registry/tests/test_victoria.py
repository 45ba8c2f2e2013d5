# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The registry retired on the way from Ussuri to Victoria, which has none: nothing of it stays, and the images do.

The tests build on each other, in the order of the file.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from images import MIB, Images, data, sha512
from openstack.connection import Connection
from playbook import Playbook

if t.TYPE_CHECKING:
    from openstack.identity.v3.service import Service
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-5"]

ADDRESS = "10.92.93.15"
REGION = "Ussuri"
VICTORIA = {
    "glance_hosts": "glance_ussuri",
    "glance_source_version": "21.1.0",
    "glance_source_constraints": str(Path(__file__).parents[1] / "files" / "constraints-21.txt"),
    "glance_api_through_registry": False,
}
CONTENT = data(12 * MIB)


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(Connection(session=cloud.session, region_name=REGION), [ADDRESS])


@pytest.fixture(scope="module")
def image(images: Images) -> t.Iterator[str]:
    """Upload an image through the registry, and return its id."""
    with images.uploaded(CONTENT) as uploaded:
        yield uploaded["id"]


@pytest.fixture(scope="module")
def service(cloud: Connection) -> t.Iterator[Service]:
    """Register the registry in Keystone, as sites of its days have done."""
    service = cloud.identity.create_service(name="glance-registry", type="image-registry")
    cloud.identity.create_endpoint(
        service_id=service.id, interface="internal", region_id=REGION, url=f"http://{ADDRESS}:9191"
    )
    yield service
    cloud.identity.delete_service(service.id)


def endpoints(cloud: Connection) -> set[tuple[str, str]]:
    """Return interface and URL of what is registered in the region."""
    return {(endpoint.interface, endpoint.url) for endpoint in cloud.identity.endpoints(region_id=REGION)}


@pytest.mark.usefixtures("image", "service")
def test_the_plan_changes_nothing(host: Host, upgrade: Playbook) -> None:
    outcome = upgrade.run("--check", variables=VICTORIA)
    assert outcome.status == 0, outcome.text
    assert "ussuri to victoria" in outcome.text
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
    assert host.service("glance-registry.service").is_running


def test_the_registry_is_retired(
    host: Host, upgrade: Playbook, images: Images, image: str, service: Service, cloud: Connection, secrets: set[str]
) -> None:
    outcome = upgrade.run(variables=VICTORIA)
    assert outcome.status == 0, outcome.text
    assert [secret for secret in secrets if secret in outcome.text] == []
    assert host.check_output("readlink /opt/glance/current").startswith("/opt/glance/21.1.0-")
    assert host.check_output("ls /etc/glance | grep --count registry || true") == "0"
    assert host.check_output("systemctl list-unit-files --no-legend 'glance-registry*' || true") == ""
    assert not host.socket("tcp://9191").is_listening
    assert "data_api" not in host.file("/etc/glance/glance-api.conf").content_string
    assert endpoints(cloud) == {
        (interface, f"http://{ADDRESS}:9292") for interface in ("public", "internal", "admin")
    }, outcome.text
    assert service.id not in {found.id for found in cloud.identity.services()}
    assert images.digests(image) == {sha512(CONTENT)}


def test_victoria_takes_images(images: Images) -> None:
    with images.uploaded(CONTENT) as uploaded:
        assert images.digests(uploaded["id"]) == {sha512(CONTENT)}


def test_again_nothing_is_changed(upgrade: Playbook) -> None:
    outcome = upgrade.run(variables=VICTORIA)
    assert outcome.status == 0, outcome.text
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
