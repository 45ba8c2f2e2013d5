# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Images in a real Ceph, of which the controller is a client already."""

from __future__ import annotations

import re
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
TIME_LIMIT = 30.5
"""glance_store_timeout, and what it takes to give a store up."""
CLUSTER = {"conf": None, "mon_hosts": ["10.92.93.30"], "fsid": "{{ testbed_ceph_fsid }}"}


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, ["10.92.93.11"])


def rbd_images(host: Host) -> list[str]:
    return list(host.check_output("rbd ls images").split())


def test_upload(images: Images, host: Host) -> None:
    content = data(20 * MIB)
    with images.uploaded(content, "fast") as image:
        assert image["os_hash_value"] == sha512(content)
        assert images.digests(image["id"]) == {sha512(content)}
        assert rbd_images(host) == [image["id"]]
        snapshots = host.check_output(f"rbd snap ls --format json images/{image['id']}")
        assert '"protected":"true"' in snapshots
    assert rbd_images(host) == []


def test_import(images: Images) -> None:
    content = data(MIB)
    with images.imported(content, "fast") as image:
        assert images.digests(image["id"]) == {sha512(content)}


def test_image_that_has_a_clone_is_not_deleted(images: Images, cloud: Connection, host: Host) -> None:
    content = data(MIB)
    with images.uploaded(content, "fast") as image:
        host.check_output(f"rbd clone --rbd-default-clone-format 1 images/{image['id']}@snap images/a-clone")
        try:
            answer = cloud.image.delete(f"/images/{image['id']}", raise_exc=False)
            assert answer.status_code == 409, answer.text
            assert "use" in answer.text
            assert images.digests(image["id"]) == {sha512(content)}
        finally:
            host.check_output("rbd rm --no-progress images/a-clone")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"pool": "absent"}, ["GLS-165", "absent"], id="no pool"),
        pytest.param({"user": "reader"}, ["GLS-164", "fast"], id="keyring that cannot write"),
        pytest.param({"user": "nobody"}, ["GLS-163", "fast"], id="no keyring"),
        pytest.param({**CLUSTER, "key": "{{ testbed_ceph_reader_key }}"}, ["GLS-163", "fast"], id="wrong key"),
        pytest.param({"pool": "images-2"}, ["GLS-164", "images-2"], id="pool of somebody else"),
    ],
)
def test_store_that_does_not_work(playbook: Playbook, options: dict[str, t.Any], words: list[str]) -> None:
    refused(playbook.run(variables=with_store(VARIABLES, "fast", **options)), *words)


def test_monitor_that_does_not_answer_is_not_waited_for(playbook: Playbook) -> None:
    options = {**CLUSTER, "mon_hosts": ["192.0.2.1"], "key": "{{ testbed_ceph_glance_key }}"}
    outcome = playbook.run(variables=with_store(VARIABLES, "fast", **options))
    refused(outcome, "GLS-161", "timed out")
    row = re.search(r"\sfast\s+rbd\s+failed\s+([\d.]+)\s", outcome.text)
    assert row, outcome.text
    assert float(row.group(1)) <= TIME_LIMIT
