# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Images on a web server: Glance gives them out, and never writes there."""

from __future__ import annotations

import typing as t

import pytest
from images import MIB, Images, data, sha512
from playbook import refused, variables_of, with_store

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from playbook import Playbook
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-backing"]

VARIABLES = variables_of(__file__)
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
URL = "http://10.92.93.10/disk.raw"


@pytest.fixture
def web(host: Host) -> t.Iterator[str]:
    """Serve a file of a megabyte, and return its sha512."""
    host.check_output("install --directory /srv/web && head --bytes %s /dev/urandom > /srv/web/disk.raw", str(MIB))
    host.check_output("systemd-run --unit web-server python3 -m http.server 80 --directory /srv/web")
    host.check_output("timeout 20 sh -c 'until ss -ltn | grep -q :80\\\\b; do sleep 0.2; done'")
    yield host.check_output("sha512sum /srv/web/disk.raw").split()[0]
    host.check_output("systemctl stop web-server")


def test_image_that_is_registered_by_its_url(cloud: Connection, web: str) -> None:
    images = Images(cloud, ["10.92.93.11"])
    image = images.create("a test's image on the web")
    try:
        location = [{"op": "add", "path": "/locations/-", "value": {"url": URL, "metadata": {"store": "web"}}}]
        answer = cloud.image.patch(f"/images/{image['id']}", json=location, headers=PATCH)
        assert answer.status_code == 200, answer.text
        registered = images.get(image["id"])
        assert (registered["status"], registered["stores"], registered["size"]) == ("active", "web", MIB)
        assert images.digests(image["id"]) == {web}
    finally:
        cloud.image.delete(f"/images/{image['id']}")


def test_upload_goes_to_the_default_store(cloud: Connection) -> None:
    images = Images(cloud, ["10.92.93.11"])
    content = data(MIB)
    with images.uploaded(content) as image:
        assert image["stores"] == "local"
        assert images.digests(image["id"]) == {sha512(content)}


def test_risk_has_to_be_accepted(playbook: Playbook) -> None:
    refused(playbook.run(variables=with_store(VARIABLES, "web", accept_ssrf_risk=None)), "GLS-025", "OSSA-2026-038")


def test_default_store_has_to_be_writable(playbook: Playbook) -> None:
    refused(playbook.run(variables={"glance_default_store": "web"}), "GLS-026", "web")
