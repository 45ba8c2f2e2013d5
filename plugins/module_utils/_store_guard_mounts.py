# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Which images a file system would hide that is going to be mounted over them.

What lies in a directory is out of sight as long as something is mounted on it, or on a directory above.
"""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import Image, Location
from ansible_collections.openstack_ops.glance.plugins.module_utils._node_file import read_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_mount import (
    Mount,
    is_something_else,
    mounted_on,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import Store
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import store_mounts

UNITS = "/etc/systemd/system"
FILE = "file://"


class Cover(t.NamedTuple):
    """A file system that is going to be mounted.

    :param point: the directory on which.
    :param instead_of: what is mounted there now, or was before it was unmounted; nothing where the directory itself
        holds the images.
    """

    point: str
    source: str
    instead_of: str = ""

    @property
    def happens(self) -> str:
        """What happens to the images beneath, in words."""
        before = f", where {self.instead_of} was so far" if self.instead_of else ""
        return f"is going to lie beneath {self.source}, which is going to be mounted on {self.point}{before}"

    @property
    def advice(self) -> str:
        """What to do about that."""
        return (
            f"copy the images into {self.source} and mount it on {self.point} by hand, on every controller; or give the"
            " new file system to a store of another name and path, and keep the old store until its images are there"
        )

    def is_over(self, path: str) -> bool:
        """Tell whether a path is beneath the directory."""
        return f"{path}/".startswith(f"{self.point}/")


def covers(stores: t.Mapping[str, t.Any]) -> list[Cover]:
    """Return what is going to be mounted for stores that is not mounted now.

    :param stores: the stores as an operator wrote them.
    """
    wanted = {mount["path"]: mount for mount in store_mounts(stores).values()}
    return [found for found in map(_cover, wanted.values()) if found is not None]


def _cover(wanted: t.Mapping[str, str]) -> t.Optional[Cover]:
    point, source = wanted["path"], wanted["source"]
    found = mounted_on(point)
    if found is None:
        with contextlib.suppress(OSError):
            # What is mounted on demand is mounted now.
            os.scandir(point).close()
        found = mounted_on(point)
    if found is None:
        return Cover(point, source, _unmounted(wanted))
    different = is_something_else(found, source, wanted["fstype"], wanted["options"])
    return Cover(point, source, found.source) if different else None


def _unmounted(wanted: t.Mapping[str, str]) -> str:
    """Return what the unit of an earlier run mounts, if that is something else."""
    told = dict(re.findall(r"(?m)^(What|Type)=(.*)$", read_text(f"{UNITS}/{wanted['unit']}")))
    source = told.get("What", wanted["source"])
    if source == wanted["source"]:
        return ""
    before = Mount(wanted["path"], source, told.get("Type", wanted["fstype"]))
    # Of a bind mount nothing but its source tells what it was.
    comparable = "bind" not in f"{before.kind},{wanted['fstype']},{wanted['options']}"
    known = not comparable or is_something_else(before, wanted["source"], wanted["fstype"], wanted["options"])
    return source if known else ""


def existing(paths: t.Iterable[str]) -> set[str]:
    """Return the paths that are there."""
    return {path for path in paths if os.path.lexists(path)}


def paths(image: Image, location: Location, store: Store) -> list[str]:
    """Return where on the node the data of an image may be, of a location in a store of the type file."""
    if location.address:
        return [location.address[len(FILE) :]] if location.address.startswith(FILE) else []
    # The location is encrypted; the driver names the file after the image.
    return [f"{place.address[len(FILE) :]}{image.id}" for place in store.places]
