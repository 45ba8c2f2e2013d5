# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A catalogue of images on a real Glance: declared through the playbook images, and looked at through the API."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from playbook import Outcome, Playbook

PREFIX = "catalogue-"
NOTE = "owner_specified.openstack_ops."

Entry = dict[str, t.Any]


class Catalog:
    """Runs the playbook images with a list, and looks at what came of it."""

    def __init__(self, cloud: Connection, playbook: Playbook) -> None:
        self._cloud = cloud
        self._playbook = playbook

    def keep(self, images: list[Entry], *arguments: str, **variables: t.Any) -> Outcome:
        return self._playbook.run(*arguments, variables={"glance_images": images, **variables})

    def kept(self, images: list[Entry], **variables: t.Any) -> dict[str, Entry]:
        """Keep a list, make sure that check mode said so and that a second run changes nothing."""
        told = self.keep(images, "--check", **variables)
        done = self.keep(images, **variables)
        assert done.status == 0, done.text
        assert changes(told) == changes(done), (told.text, done.text)
        again = self.keep(images, **variables)
        assert (again.status, changes(again)) == (0, 0), again.text
        return {image["name"]: image for image in self.all() if not image["os_hidden"]}

    def all(self) -> list[Entry]:
        """Return every image of the tests."""
        found = []
        for hidden in ("false", "true"):
            path = f"/images?limit=1000&visibility=all&os_hidden={hidden}"
            found += self._cloud.image.get(path).json()["images"]
        return [image for image in found if image["name"].startswith(PREFIX)]

    def members(self, image_id: str) -> dict[str, str]:
        members = self._cloud.image.get(f"/images/{image_id}/members").json()["members"]
        return {member["member_id"]: member["status"] for member in members}

    def digest(self, image_id: str) -> str:
        """Return the sha512 of what Glance gives out."""
        return hashlib.sha512(self._cloud.image.get(f"/images/{image_id}/file").content).hexdigest()

    def clean(self) -> None:
        for image in self.all():
            self._cloud.image.patch(
                f"/images/{image['id']}",
                json=[{"op": "replace", "path": "/protected", "value": False}],
                headers={"Content-Type": "application/openstack-images-v2.1-json-patch"},
            )
            self._cloud.image.delete(f"/images/{image['id']}")


def changes(outcome: Outcome) -> int:
    return sum(counts["changed"] for counts in outcome.hosts.values())


def sha512(path: str | Path) -> str:
    """Return the checksum of a file, as Glance has it."""
    return hashlib.sha512(Path(path).read_bytes()).hexdigest()
