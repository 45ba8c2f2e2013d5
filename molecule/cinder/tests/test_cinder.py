# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Images in volumes of a real Cinder."""

from __future__ import annotations

import typing as t

import pytest
from images import MIB, Images, data, sha512
from playbook import refused, variables_of, with_store

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from playbook import Playbook
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-ceph"]

VARIABLES = variables_of(__file__)
AUTH = VARIABLES["glance_stores"]["volumes"]["auth"]


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, ["10.92.93.11"])


def volumes(host: Host) -> list[str]:
    return [name for name in host.check_output("rbd ls images-2").split() if name.startswith("volume-")]


@pytest.mark.parametrize("store", ["local", "volumes"])
def test_upload(images: Images, host: Host, store: str) -> None:
    content = data(20 * MIB)
    with images.uploaded(content, store) as image:
        assert image["os_hash_value"] == sha512(content)
        assert images.digests(image["id"]) == {sha512(content)}
        assert len(volumes(host)) == (1 if store == "volumes" else 0)
    assert volumes(host) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"auth": {**AUTH, "password": "wrong"}}, ["GLS-163", "volumes"], id="wrong password"),
        pytest.param({"volume_type": "absent"}, ["GLS-165", "absent"], id="no such volume type"),
    ],
)
def test_store_that_does_not_work(playbook: Playbook, options: dict[str, t.Any], words: list[str]) -> None:
    refused(playbook.run(variables=with_store(VARIABLES, "volumes", **options)), *words)


@pytest.fixture
def without_sudo(host: Host) -> t.Iterator[None]:
    """Take the rule of sudo away that the packages of Glance bring."""
    controller = host.get_host("ssh://molecule-controller-1", ssh_config=host.backend.ssh_config)
    controller.check_output("mv /etc/sudoers.d/glance_sudoers /etc")
    yield
    controller.check_output("mv /etc/glance_sudoers /etc/sudoers.d")


@pytest.mark.usefixtures("without_sudo")
def test_controller_on_which_glance_may_not_attach_volumes(playbook: Playbook) -> None:
    refused(playbook.run(), "GLS-164", "volumes", "glance-rootwrap /etc/glance/rootwrap.conf", "sudo: ")
