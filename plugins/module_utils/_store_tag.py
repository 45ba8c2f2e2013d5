# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Let Glance note in which store each image is.

In single-store form a location names no store. In multi-store form Glance adds the name when somebody asks for the one
image, and not when images are listed (Train, spec "Lazy update of stores information"). It then corrects the name of a
store that is not configured any more, too.
"""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi, is_unreachable
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record

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
    """The images without the name of a store that is configured, before and after Glance was asked for each.

    :ivar images: how many images there are.
    :ivar nameless: those with data that had no store.
    :ivar misnamed: those that had one that is not configured, such as the old name of a store.
    :ivar left: those of both that Glance has found no store for: none that is configured leads to their location.
    """

    def __init__(self, api: ImageApi) -> None:
        self._api = api
        self._stores: t.Optional[list[str]] = None
        self.images = 0
        self.nameless: list[Record] = []
        self.misnamed: list[Record] = []
        self.left: list[Record] = []

    @property
    def single(self) -> bool:
        """Whether the API is in single-store form, in which there is nothing to note."""
        return self._stores is None

    def look(self, check_mode: bool) -> None:
        """List the stores and all images.

        :param check_mode: find none where no Glance answers, as on a site that is not deployed yet; and all of them
            where the change to multi-store form is yet to come.
        """
        try:
            stores = self._api.stores()
            self._stores = None if stores is None else [str(store["id"]) for store in stores]
            if self.single and not check_mode:
                return
            found = {image["id"]: image for filters in LISTINGS for image in self._api.listing(**filters)}
        except GlanceError as error:
            if check_mode and is_unreachable(error):
                return
            raise
        self.images = len(found)
        self.left = [image for image in found.values() if image["status"] in WITH_DATA and not self._is_tagged(image)]
        self.nameless = [image for image in self.left if not image.get("stores")]
        self.misnamed = [image for image in self.left if image.get("stores")]

    def _is_tagged(self, image: Record) -> bool:
        names = image.get("stores")
        return bool(names) and (self._stores is None or set(str(names).split(",")) <= set(self._stores))

    def tag(self) -> None:
        """Ask for each image that has no store, or one that is not configured."""
        self._api.authenticate()
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            seen = list(pool.map(lambda image: self._api.get(image["id"]), self.left))
        self.left = [image for image in seen if image is not None and not self._is_tagged(image)]

    def result(self) -> dict[str, t.Any]:
        """What the module returns."""
        left = {image["id"] for image in self.left}
        return {
            "images": self.images,
            "single": self.single,
            "tagged": [_shown(image) for image in self.nameless if image["id"] not in left],
            "renamed": [_shown(image) for image in self.misnamed if image["id"] not in left],
            "untagged": [_shown(image) for image in self.left],
        }


def _shown(image: Record) -> dict[str, t.Any]:
    return {"id": image["id"], "name": image.get("name")}
