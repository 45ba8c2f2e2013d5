# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the benchmark asks of Keystone and Glance between two measured runs."""

from __future__ import annotations

import contextlib
import functools
import time
import typing as t
from pathlib import Path

import nodes
import openstack
import openstack.config
import openstack.connection
import openstack.exceptions


class Cloud:
    """The administrator's connection."""

    @functools.cached_property
    def _connection(self) -> t.Any:
        config = openstack.config.OpenStackConfig(config_files=[str(nodes.STATE / "clouds.yaml")])
        return openstack.connection.Connection(config=config.get_one(cloud="bench"))

    def variables(self) -> dict[str, str]:
        """Return the credentials as the variables that clients read which do not know clouds.yaml."""
        auth = self._connection.config.get_auth_args()
        return {f"OS_{name.upper()}": str(value) for name, value in auth.items()}

    @property
    def image(self) -> t.Any:
        """Return what speaks to Glance."""
        return self._connection.image

    def token(self) -> str:
        """Return a token."""
        return str(self._connection.auth_token)

    def url(self) -> str:
        """Return where the second version of Glance's API is, without a slash at the end."""
        return str(self.image.get_endpoint()).rstrip("/")

    def images(self, prefix: str) -> list[t.Any]:
        """Return the images whose name begins so."""
        return [image for image in self.image.images() if image.name.startswith(prefix)]

    def delete(self, prefix: str) -> None:
        """Delete the images whose name begins so, and wait until they are gone."""
        for image in self.images(prefix):
            self.image.delete_image(image.id, ignore_missing=True)
        while self.images(prefix):
            time.sleep(0.2)

    def record(self, name: str) -> str:
        """Make an image without data, and return its id."""
        created = self.image.post("/images", json={"name": name, "disk_format": "raw", "container_format": "bare"})
        return str(created.json()["id"])

    def in_store(self, prefix: str, store: str) -> list[str]:
        """Return the ids of the images of this name that are in a store."""
        return [
            image.id for image in self.images(prefix) if store in (image.properties or {}).get("stores", "").split(",")
        ]

    def forget_copies(self, prefix: str, store: str) -> None:
        """Delete the copies in one store."""
        for image_id in self.in_store(prefix, store):
            with contextlib.suppress(openstack.exceptions.NotFoundException):
                self.image.delete(f"/stores/{store}/{image_id}")
        while self.in_store(prefix, store):
            time.sleep(0.5)


def file_of(name: str, mebibytes: int) -> Path:
    """Return a file of random data, made when it is not there."""
    path = nodes.DATA / name
    if not path.exists() or path.stat().st_size != mebibytes * 1024**2:
        with path.open("wb") as file, open("/dev/urandom", "rb") as source:
            for _block in range(mebibytes):
                file.write(source.read(1024**2))
    # The page cache is warm for all sides, or for none.
    with path.open("rb") as file:
        while file.read(1024**2):
            pass
    return path
