# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The images in the database: all of them, soon, and no credential of a location."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _locations as locations
from ansible_collections.openstack_ops.glance.plugins.module_utils import _running_config

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node import Node

pytest_plugins = [
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb",
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node",
]

MANY = 10_000
SECONDS = 2
FSID = "5f3c1b0e-7a52-4f0b-9c1d-2e6f8a4b9d30"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("file:///srv//a/./ID", "file:///srv/a/ID"),
        ("file:///srv/x@y/ID", "file:///srv/x@y/ID"),
        ("s3+https://AKEY:geheim@S3.example.org/b/ID", "s3+https://s3.example.org/b/ID"),
        ("s3://AKEY:ge/he+im%#'\"$=@h:8080/b/ID", "s3://h:8080/b/ID"),
        ("s3+http://AKEY:geh@eim@h/b/ID", "s3://h/b/ID"),
        ("swift+https://p%3Au:geheim@h:5000/v3/c/ID", "swift+https://h:5000/v3/c/ID"),
        ("swift+http://h:8080/v1/AUTH_x/c_ID/ID", "swift+http://h:8080/v1/AUTH_x/c_ID/ID"),
        ("swift+config://Ref1/c/ID", "swift+config://Ref1/c/ID"),
        (f"rbd://{FSID}/images/ID/snap", f"rbd://{FSID}/images/ID/snap"),
        ("https://u:geheim@WWW.example.org/a@b?geheim#geheim", "https://www.example.org/a@b"),
        ("https://www.example.org?geheim", "https://www.example.org"),
        ("cinder://store/ID", "cinder://store/ID"),
        (
            "vsphere://VC/folder/openstack_glance/ID?dcPath=d&dsName=e",
            "vsphere://vc/folder/openstack_glance/ID?dcPath=d&dsName=e",
        ),
        ("Z2VoZWlt", ""),
        ("", ""),
    ],
)
def test_addresses(value: str, address: str) -> None:
    assert locations.address(value) == address


def attribution(node: Node, text: str) -> locations.Attribution:
    """Return the attribution to the stores of a configuration."""
    node.configure(text)
    return locations.Attribution(_running_config.read(str(node.config_file)))


class TestAttribution:
    MULTI = """
[DEFAULT]
enabled_backends = outer:file, inner:file, objects:swift, ceph:rbd, tenants:swift
[outer]
filesystem_store_datadir = /srv/a
[inner]
filesystem_store_datadir = /srv/a/b
[objects]
default_swift_reference = ref
swift_store_container = c
[ceph]
rbd_store_ceph_conf = /missing
[tenants]
swift_store_multi_tenant = true
"""

    @pytest.mark.parametrize(
        ("address", "noted", "store"),
        [
            ("file:///srv/a/ID", "inner", "inner"),
            ("file:///srv/a/ID", "", "outer"),
            ("file:///srv/a/b/ID", "", "inner"),
            ("file:///srv/a/b/ID", "was renamed", "inner"),
            ("file:///srv/abc/ID", "", ""),
            ("swift+config://ref/c/ID", "", "objects"),
            ("swift+config://ref/cc/ID", "", ""),
            (f"rbd://{FSID}/images/ID/snap", "", "ceph"),
            ("swift+https://h/v1/AUTH_x/glance_ID/ID", "", "tenants"),
            ("", "ceph", "ceph"),
            ("", "", ""),
        ],
    )
    def test_multi_form(self, node: Node, address: str, noted: str, store: str) -> None:
        assert attribution(node, self.MULTI)(locations.Location(address, noted)) == store

    @pytest.mark.parametrize(
        ("address", "store"),
        [("file:///srv/z/ID", "file"), ("http://h/i", "http"), (f"rbd://{FSID}/p/ID/snap", ""), ("", "")],
    )
    def test_single_form_goes_by_the_scheme(self, node: Node, address: str, store: str) -> None:
        text = "[glance_store]\nstores = file,http\nfilesystem_store_datadir = /srv/a\n"
        assert attribution(node, text)(locations.Location(address, "http")) == store


def test_what_is_read(node: Node) -> None:
    node.multi(a=("file", "filesystem_store_datadir = /srv/a"))
    one = node.image("Bär", ("s3://AKEY:geheim@h/b/{id}", "s"), "file:///srv/a/{id}", size=7)
    node.image("none", status="queued")
    node.image("deleted", "file:///srv/a/{id}", deleted=True)
    node.lock(one, "task", "processing")
    half = node.image("half", "file:///srv/a/{id}", "file:///srv/deleted/{id}")
    node.server.execute("USE glance", "UPDATE image_locations SET deleted = 1 WHERE value LIKE 'file:///srv/deleted/%'")
    node.server.execute("USE glance", "UPDATE image_locations SET meta_data = 'pickled store' WHERE value LIKE 'file%'")
    catalogue = locations.read(_running_config.read(str(node.config_file)), locks=True)
    image, none, rest = catalogue.images
    assert (rest.id, rest.locations) == (half, ((f"file:///srv/a/{half}", ""),))
    assert (image.id, image.name, image.status, image.size, image.owner) == (one, "Bär", "active", 7, "owner")
    assert (image.visibility, image.hidden) == ("shared", False)
    assert image.locations == ((f"s3://h/b/{one}", "s"), (f"file:///srv/a/{one}", ""))
    assert (none.status, none.locations) == ("queued", ())
    assert [(lock.image_id, lock.task_id, lock.task_status) for lock in catalogue.locks] == [
        (one, "task", "processing")
    ]


def test_the_tables_of_queens(node: Node) -> None:
    node.multi(a=("file", "filesystem_store_datadir = /srv/a"))
    node.image("i", "file:///srv/a/{id}")
    node.server.execute("USE glance", "ALTER TABLE images DROP COLUMN os_hidden, DROP COLUMN visibility")
    assert [image.name for image in locations.read(_running_config.read(str(node.config_file))).images] == ["i"]


def test_the_server_refuses_changes(node: Node) -> None:
    node.multi(a=("file", "filesystem_store_datadir = /srv/a"))
    node.server.execute("GRANT ALL ON glance.* TO glance@'%'")
    node.image("i", "file:///srv/a/{id}")
    node.server.execute("SET GLOBAL general_log_file = 'general.log'", "SET GLOBAL general_log = 1")
    try:
        locations.read(_running_config.read(str(node.config_file)), locks=True)
    finally:
        node.server.execute("SET GLOBAL general_log = 0")
    log = (node.server.directory / "data/general.log").read_text()
    assert log.index("SET SESSION TRANSACTION READ ONLY") < log.index("FROM images")


def test_ten_thousand_images_in_two_seconds(node: Node) -> None:
    node.multi(a=("file", "filesystem_store_datadir = /srv/a"))
    node.server.execute(
        "USE glance",
        "INSERT INTO images (id, name, status, size, min_disk, min_ram, deleted, created_at)"
        f" SELECT CONCAT('image-', seq), 'many', 'active', 1, 0, 0, 0, '2026-01-01' FROM seq_1_to_{MANY}",
        "INSERT INTO image_locations (image_id, value, meta_data, deleted, created_at)"
        " SELECT CONCAT('image-', seq), CONCAT('file:///srv/a/image-', seq), '{\"store\": \"a\"}', 0, '2026-01-01'"
        f" FROM seq_1_to_{MANY}",
    )
    running = _running_config.read(str(node.config_file))
    started = time.process_time()
    catalogue = locations.read(running, locks=True)
    attribute = locations.Attribution(running)
    assert {attribute(location) for image in catalogue.images for location in image.locations} == {"a"}
    # The time of this process: on a busy machine the clock on the wall says nothing.
    assert time.process_time() - started < SECONDS
    assert len(catalogue.images) == MANY
