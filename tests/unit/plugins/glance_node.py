# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A node's Glance for tests: a configuration, and a database with the tables of Zed in a real MariaDB."""

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _oslo_format

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb import PrivateMariaDB

PASSWORD = "gl@nce:/%#'\"$db ü2"
MULTI = """
[DEFAULT]
enabled_backends = {enabled}

[glance_store]
default_backend = {default}
"""
COMMON = "`created_at` datetime NOT NULL, `updated_at` datetime, `deleted_at` datetime, `deleted` tinyint(1) NOT NULL"
TABLES = (
    f"""CREATE TABLE images (`id` varchar(36) NOT NULL PRIMARY KEY, `name` varchar(255), `size` bigint(20),
    `status` varchar(30) NOT NULL, {COMMON}, `disk_format` varchar(20), `container_format` varchar(20),
    `checksum` varchar(32), `owner` varchar(255), `min_disk` int(11) NOT NULL, `min_ram` int(11) NOT NULL,
    `protected` tinyint(1) NOT NULL DEFAULT 0, `virtual_size` bigint(20),
    `visibility` enum('private','public','shared','community') NOT NULL DEFAULT 'shared',
    `os_hidden` tinyint(1) NOT NULL DEFAULT 0, `os_hash_algo` varchar(64), `os_hash_value` varchar(128),
    KEY `ix_images_deleted` (`deleted`)) CHARSET=utf8mb3""",
    f"""CREATE TABLE image_locations (`id` int(11) NOT NULL PRIMARY KEY AUTO_INCREMENT, `image_id` varchar(36) NOT NULL,
    `value` text NOT NULL, {COMMON}, `meta_data` text, `status` varchar(30) NOT NULL DEFAULT 'active',
    KEY `ix_image_locations_deleted` (`deleted`), KEY `ix_image_locations_image_id` (`image_id`)) CHARSET=utf8mb3""",
    f"""CREATE TABLE image_properties (`id` int(11) NOT NULL PRIMARY KEY AUTO_INCREMENT,
    `image_id` varchar(36) NOT NULL, `name` varchar(255) NOT NULL, `value` text, {COMMON},
    UNIQUE KEY `ix_image_properties_image_id_name` (`image_id`,`name`)) CHARSET=utf8mb3""",
    f"""CREATE TABLE tasks (`id` varchar(36) NOT NULL PRIMARY KEY, `type` varchar(30) NOT NULL,
    `status` varchar(30) NOT NULL, `owner` varchar(255) NOT NULL, `expires_at` datetime, {COMMON},
    `image_id` varchar(36), `request_id` varchar(64), `user_id` varchar(64)) CHARSET=utf8mb3""",
)


class Node:
    """A node with a Glance: what it is configured with, and which images its database has."""

    def __init__(self, server: PrivateMariaDB, directory: Path) -> None:
        self.server = server
        self.directory = directory
        self.config_file = directory / "glance-api.conf"
        self._number = 0
        server.execute(
            "CREATE DATABASE glance CHARACTER SET utf8mb3",
            "USE glance",
            *TABLES,
            "GRANT SELECT ON glance.* TO glance@'%' IDENTIFIED BY '{}'".format(PASSWORD.replace("'", "''")),
        )

    def url(self, **more: t.Any) -> str:
        """Return the value of [database] connection, as the collection writes it."""
        place = {"host": self.server.host, "port": self.server.port, "name": "glance", "user": "glance"}
        return _oslo_format.oslo_value(_oslo_format.database_url({**place, "password": PASSWORD, **more}))

    def configure(self, text: str, url: t.Optional[str] = None) -> None:
        """Write glance-api.conf."""
        self.config_file.write_text(f"{text}\n[database]\nconnection = {url or self.url()}\n", encoding="utf-8")

    def multi(self, default: str = "", **stores: tuple[str, str]) -> None:
        """Write glance-api.conf in multi-store form: the type and the lines of each store."""
        enabled = ", ".join(f"{name}:{kind}" for name, (kind, _lines) in stores.items())
        sections = "\n".join(f"[{name}]\n{lines}" for name, (_kind, lines) in stores.items())
        self.configure(MULTI.format(enabled=enabled, default=default or next(iter(stores))) + sections)

    def image(
        self,
        name: str,
        *locations: t.Union[str, tuple[str, str]],
        status: str = "active",
        size: int = 1000,
        updated: str = "UTC_TIMESTAMP() - INTERVAL 2 DAY",
        deleted: bool = False,
    ) -> str:
        """Add an image, and return its id, which a location may hold as ``{id}``.

        :param locations: each the value, or the value and the noted store.
        """
        self._number += 1
        identity = f"00000000-0000-4000-8000-{self._number:012d}"
        with contextlib.closing(self.server.connect(database="glance")) as connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO images (id, name, size, status, owner, min_disk, min_ram, deleted, created_at, updated_at)"
                f" VALUES (%s, %s, %s, %s, 'owner', 0, 0, %s, '2026-01-01', {updated})",
                (identity, name, size, status, deleted),
            )
            for location in locations:
                value, store = location if isinstance(location, tuple) else (location, "")
                data = json.dumps({"store": store} if store else {})
                cursor.execute(
                    "INSERT INTO image_locations (image_id, value, meta_data, deleted, created_at)"
                    " VALUES (%s, %s, %s, %s, '2026-01-01')",
                    (identity, value.format(id=identity), data, deleted),
                )
        return identity

    def lock(self, identity: str, task: str, status: str = "", updated: str = "UTC_TIMESTAMP()") -> None:
        """Lock an image for an import; without a status its task is no longer there."""
        self.server.execute(
            "USE glance",
            "INSERT INTO image_properties (image_id, name, value, deleted, created_at)"
            f" VALUES ('{identity}', 'os_glance_import_task', '{task}', 0, {updated})",
        )
        if status:
            self.server.execute(
                "USE glance",
                "INSERT INTO tasks (id, type, status, owner, deleted, created_at, updated_at)"
                f" VALUES ('{task}', 'api_image_import', '{status}', 'o', 0, '2026-01-01', {updated})",
            )


@pytest.fixture
def node(mariadb: PrivateMariaDB, tmp_path: Path) -> Node:
    """Return a node whose database is empty, and which has no configuration yet."""
    return Node(mariadb, tmp_path)
