# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""An installation from source: what its server takes, and what a stop breaks off."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

import pytest
import requests
from images import MIB, Images, data, sha512, wait_until

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-3", "ssh://molecule-controller-4"]

ADDRESSES = ["10.92.93.13", "10.92.93.14"]
UNIT = "glance-api.service"


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, ADDRESSES)


def endpoints(cloud: Connection) -> list[str]:
    """Return the API of each controller, and the one behind the load balancer."""
    # The client's own URL ends with the version.
    balanced = cloud.image.get_endpoint().rstrip("/").removesuffix("/v2")
    return [f"{url}/v2" for url in (*(f"http://{address}:9292" for address in ADDRESSES), balanced)]


def pieces(content: bytes, size: int, pause: float = 0) -> t.Iterator[bytes]:
    """Yield data in pieces: requests names no length then."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
        time.sleep(pause)


def send(cloud: Connection, images: Images, url: str, body: t.Union[bytes, t.Iterator[bytes]]) -> str:
    """Upload an image by a URL of the API, and return its id."""
    image = images.create("a test's upload in pieces")
    headers = {"Content-Type": "application/octet-stream"}
    answer = cloud.image.request(f"{url}/images/{image['id']}/file", "PUT", data=body, headers=headers, raise_exc=False)
    assert answer.status_code == 204, f"{url}: HTTP {answer.status_code} {answer.text}"
    return str(image["id"])


@pytest.mark.parametrize("size", [64 * 1024, 9 * MIB])
@pytest.mark.parametrize("number", range(3))
def test_upload_without_a_length(cloud: Connection, images: Images, number: int, size: int) -> None:
    content = data(20 * MIB)
    image = images.get(send(cloud, images, endpoints(cloud)[number], pieces(content, size)))
    try:
        assert image["status"] == "active"
        assert image["size"] == len(content)
        assert image["os_hash_value"] == sha512(content)
        assert images.digests(image["id"]) == {sha512(content)}
    finally:
        cloud.image.delete_image(image["id"])


def test_import(images: Images) -> None:
    content = data()
    with images.imported(content, "local") as image:
        assert image["os_hash_value"] == sha512(content)
        assert images.digests(image["id"]) == {sha512(content)}


def test_server_is_uwsgi_with_two_processes(host: Host) -> None:
    main = host.check_output("systemctl show --value --property MainPID %s", UNIT)
    assert host.check_output("cat /proc/%s/comm", main) == "uwsgi"
    assert len(host.check_output("pgrep --parent %s uwsgi", main).split()) == 2
    assert host.check_output("systemctl show --value --property Type %s", UNIT) == "notify"


def test_process_is_of_the_environment_that_is_named_current(host: Host) -> None:
    main = host.check_output("systemctl show --value --property MainPID %s", UNIT)
    environment = host.check_output("readlink /opt/glance/current")
    assert environment.startswith("/opt/glance/33.0.0-")
    assert host.check_output("readlink /proc/%s/exe", main) == f"{environment}/bin/uwsgi"


def test_nobody_but_root_writes_in_the_environment(host: Host) -> None:
    assert host.check_output("find /opt/glance ! -user root -o -perm /022 ! -type l | head -n 5") == ""


def is_healthy(address: str) -> bool:
    """Tell whether a controller answers."""
    try:
        return requests.get(f"http://{address}:9292/healthcheck", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_upload_under_way_outlives_a_restart(host: Host, cloud: Connection, images: Images) -> None:
    address = ADDRESSES[testinfra_hosts.index(f"ssh://{host.backend.hostname}")]
    content = data(16 * MIB)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        upload = pool.submit(send, cloud, images, f"http://{address}:9292/v2", pieces(content, MIB, pause=0.5))
        time.sleep(3)
        assert not upload.done()
        host.check_output("systemctl restart %s", UNIT)
        image_id = upload.result()
    # Its processes are new ones, and for seconds nobody takes another request.
    wait_until(lambda: is_healthy(address), f"{address} has not come back")
    assert images.get(image_id)["os_hash_value"] == sha512(content)
    cloud.image.delete_image(image_id)
