# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Let Glance note in which store each image is.

In single-store form a location names no store. In multi-store form Glance adds the name when somebody asks for the one
image, and not when images are listed (Train, spec "Lazy update of stores information").
"""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi, Record, is_unreachable

LISTINGS: tuple[dict[str, str], ...] = (
    {},
    {"os_hidden": "true"},
    {"visibility": "community"},
    {"visibility": "community", "os_hidden": "true"},
)
"""Lists leave out hidden images, and those of other projects' communities, unless they are asked for."""
WITH_DATA = ("active", "deactivated")
AT_ONCE = 8


class Tagging:
    """The images that have no store, before and after Glance was asked for each.

    :ivar images: how many images there are.
    :ivar untagged: those with data that had no store.
    :ivar left: those that have none even now: their location is in no store that is configured.
    """

    def __init__(self, api: ImageApi) -> None:
        self._api = api
        self.images = 0
        self.untagged: list[Record] = []
        self.left: list[Record] = []

    def look(self, silence_is_fine: bool) -> None:
        """List all images.

        :param silence_is_fine: find none where no Glance answers, as on a site that is not deployed yet.
        """
        try:
            found = {image["id"]: image for filters in LISTINGS for image in self._api.listing(**filters)}
        except GlanceError as error:
            if silence_is_fine and is_unreachable(error):
                return
            raise
        self.images = len(found)
        self.untagged = [image for image in found.values() if not image.get("stores") and image["status"] in WITH_DATA]
        self.left = self.untagged

    def tag(self) -> None:
        """Ask for each image that has no store."""
        self._api.authenticate()
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            seen = list(pool.map(lambda image: self._api.get(image["id"]), self.untagged))
        self.left = [image for image in seen if image is not None and not image.get("stores")]

    def result(self) -> dict[str, t.Any]:
        """What the module returns."""
        left = {image["id"] for image in self.left}
        return {
            "images": self.images,
            "tagged": [_shown(image) for image in self.untagged if image["id"] not in left],
            "untagged": [_shown(image) for image in self.left],
        }


def _shown(image: Record) -> dict[str, t.Any]:
    return {"id": image["id"], "name": image.get("name")}
