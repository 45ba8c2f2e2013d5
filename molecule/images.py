# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Images in one store: made, read back from every controller, and deleted, by the interfaces that users have."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import typing as t

if t.TYPE_CHECKING:
    from openstack.connection import Connection

MIB = 1024 * 1024
OCTETS = {"Content-Type": "application/octet-stream"}
Image = dict[str, t.Any]


class Images:
    """Requests to the API of each controller by itself."""

    def __init__(self, cloud: Connection, controllers: t.Sequence[str]) -> None:
        self._image = cloud.image
        self._urls = [f"http://{address}:9292/v2" for address in controllers]

    def _ask(self, method: str, path: str, controller: int = 0, **options: t.Any) -> t.Any:
        answer = self._image.request(f"{self._urls[controller]}{path}", method, raise_exc=False, **options)
        assert answer.status_code < 400, f"{method} {path}: HTTP {answer.status_code} {answer.text}"
        return answer

    def stores(self) -> set[str]:
        """Return the names of the stores that users see."""
        return {store["id"] for store in self._ask("GET", "/info/stores").json()["stores"]}

    def create(self, name: str) -> Image:
        """Make an image without data."""
        body = {"name": name, "disk_format": "raw", "container_format": "bare"}
        return dict(self._ask("POST", "/images", json=body).json())

    @contextlib.contextmanager
    def uploaded(self, data: bytes, store: str = "") -> t.Iterator[Image]:
        """Upload an image through the first controller into a store or the default store, and delete it at the end."""
        image = self.create(f"a test's image in {store or 'the default store'}")
        headers = {**OCTETS, "X-Image-Meta-Store": store} if store else OCTETS
        try:
            self._ask("PUT", f"/images/{image['id']}/file", data=data, headers=headers)
            yield self.get(image["id"])
        finally:
            self._ask("DELETE", f"/images/{image['id']}")

    @contextlib.contextmanager
    def imported(self, data: bytes, store: str) -> t.Iterator[Image]:
        """Import an image into a store, and delete it at the end."""
        image = self.create(f"a test's import into {store}")
        try:
            self._ask("PUT", f"/images/{image['id']}/stage", data=data, headers=OCTETS)
            self._import(image["id"], "glance-direct", [store])
            yield self.get(image["id"])
        finally:
            self._ask("DELETE", f"/images/{image['id']}")

    def copy(self, image_id: str, stores: list[str]) -> Image:
        """Copy an image into further stores."""
        self._import(image_id, "copy-image", stores)
        return self.get(image_id)

    def _import(self, image_id: str, method: str, stores: list[str]) -> None:
        body = {"method": {"name": method}, "stores": stores}
        # The controller that has the staged data; others hand the request on to it.
        self._ask("POST", f"/images/{image_id}/import", json=body, controller=-1 if method == "glance-direct" else 0)
        wait_until(lambda: self.is_imported(image_id), f"the import of {image_id}")

    def is_imported(self, image_id: str) -> bool:
        """Tell whether nothing is under way any more."""
        image = self.get(image_id)
        assert not image.get("os_glance_failed_import"), image
        return image["status"] == "active" and not image.get("os_glance_import_task")

    def get(self, image_id: str) -> Image:
        """Return what users see of an image."""
        return dict(self._ask("GET", f"/images/{image_id}").json())

    def digests(self, image_id: str) -> set[str]:
        """Return the sha512 of the data that each controller gives out."""
        found = set()
        for controller in range(len(self._urls)):
            answer = self._ask("GET", f"/images/{image_id}/file", controller)
            # 204 is what Glance says when the store has not got the image.
            assert answer.status_code == 200
            found.add(hashlib.sha512(answer.content).hexdigest())
        return found


def wait_until(happened: t.Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"{what} has not ended after {seconds:g} seconds"
        time.sleep(0.5)


def data(size: int = 8 * MIB) -> bytes:
    """Return data for an image."""
    return os.urandom(size)


def sha512(content: bytes) -> str:
    """Return what Glance calls the hash of an image."""
    return hashlib.sha512(content).hexdigest()
