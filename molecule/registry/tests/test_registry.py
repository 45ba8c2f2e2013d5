# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""glance-registry as the only way to the database: used by every request, and without it there is no answer."""

from __future__ import annotations

import typing as t

import pytest
from images import MIB, Images, data, sha512, wait_until
from openstack.connection import Connection

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-5", "ssh://molecule-controller-6"]

ADDRESSES = {"molecule-controller-5": "10.92.93.15", "molecule-controller-6": "10.92.93.16"}
VERSIONS = {"molecule-controller-5": "20.0.1", "molecule-controller-6": "17.0.1"}
REGIONS = {"molecule-controller-5": "Ussuri", "molecule-controller-6": "Rocky"}
REGISTRY = "glance-registry.service"


@pytest.fixture
def address(host: Host) -> str:
    return ADDRESSES[host.backend.hostname]


@pytest.fixture
def glance(cloud: Connection, host: Host) -> Connection:
    """Return a connection in the region of the controller."""
    return Connection(session=cloud.session, region_name=REGIONS[host.backend.hostname])


@pytest.fixture
def images(glance: Connection, address: str) -> Images:
    return Images(glance, [address])


def requests_of_the_registry(host: Host) -> int:
    """Return how many requests the registry has answered so far."""
    return int(host.run("journalctl --unit %s --output cat | grep --count 'POST /rpc HTTP'", REGISTRY).stdout)


def listing(glance: Connection, address: str) -> int:
    """Return the HTTP status of a listing of all images."""
    return glance.image.request(f"http://{address}:9292/v2/images", "GET", raise_exc=False).status_code


def test_version_is_the_one_that_was_asked_for(host: Host) -> None:
    version = VERSIONS[host.backend.hostname]
    assert host.check_output("readlink /opt/glance/current").startswith(f"/opt/glance/{version}-")
    assert host.check_output("/opt/glance/current/bin/pip freeze | grep ^glance==") == f"glance=={version}"


def test_api_does_not_know_the_database(host: Host) -> None:
    configuration = host.file("/etc/glance/glance-api.conf").content_string
    assert "[database]" not in configuration
    assert "mysql" not in configuration
    assert "data_api = glance.db.registry.api" in configuration


def test_image_comes_back_through_the_registry(host: Host, images: Images) -> None:
    before = requests_of_the_registry(host)
    content = data(12 * MIB)
    with images.uploaded(content) as image:
        assert image["status"] == "active"
        assert images.digests(image["id"]) == {sha512(content)}
    assert requests_of_the_registry(host) >= before + 5


@pytest.fixture
def stopped_registry(host: Host, glance: Connection, address: str) -> t.Iterator[None]:
    host.check_output("systemctl stop %s", REGISTRY)
    yield
    host.check_output("systemctl start %s", REGISTRY)
    wait_until(lambda: listing(glance, address) == 200, "the registry has not come back")


@pytest.mark.usefixtures("stopped_registry")
def test_without_the_registry_there_is_no_answer(glance: Connection, address: str) -> None:
    assert listing(glance, address) == 500


@pytest.mark.parametrize("unit", ["glance-api.service", REGISTRY])
def test_unit_runs_without_privileges(host: Host, unit: str) -> None:
    process = host.check_output("systemctl show --value --property MainPID %s", unit)
    status = dict(line.split(":\t", 1) for line in host.file(f"/proc/{process}/status").content_string.splitlines())
    assert status["Uid"].split()[0] == host.check_output("id --user glance")
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
