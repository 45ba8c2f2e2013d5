# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Who reads which image back: the copies that nobody has verified, shared among the controllers in portions.

What a controller found is in the journal when its portion is finished. A run that is interrupted loses one portion of
each controller, not the whole verification.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, ImageState, State

PORTION_IMAGES = 100
PORTION_BYTES = 64 * 1024**3
"""About ten minutes of reading at a hundred megabytes a second; a larger image is a portion by itself."""


def waiting(state: State, since: str) -> list[ImageState]:
    """Return the images that have to be read.

    :param since: when this run began, as the journal writes the time, or nothing. What was found wrong after that is
        left out: it is not read twice without having been copied again.
    """
    return [image for image in state.to_verify() if not _was_read(image, since)]


def shares(images: t.Iterable[ImageState], controllers: t.Sequence[str]) -> dict[str, list[Facts]]:
    """Return the next portion of each controller: the largest images first, to the one that has the least to read."""
    portions: dict[str, list[Facts]] = {controller: [] for controller in controllers}
    load = dict.fromkeys(controllers, 0)
    for image in sorted(images, key=lambda image: (-_size(image), image.id)):
        open_portions = [name for name in controllers if _has_room(portions[name], load[name], _size(image))]
        if open_portions:
            name = min(open_portions, key=lambda name: load[name])
            portions[name].append(told(image))
            load[name] += _size(image)
    return portions


def count(images: t.Iterable[ImageState], controllers: t.Sequence[str]) -> int:
    """Return how many times portions are given out until every image was read."""
    left, portions = list(images), 0
    while left and controllers:
        given = {facts["id"] for portion in shares(left, controllers).values() for facts in portion}
        left = [image for image in left if image.id not in given]
        portions += 1
    return portions


def told(image: ImageState) -> Facts:
    """Return what the journal tells about an image to whoever works on it."""
    facts = {name: value for name, value in image.facts.items() if name not in ("event", "time", "image_id")}
    source = {name: image.source_hash[name] for name in ("algo", "value", "size") if name in image.source_hash}
    return {"id": image.id, **facts, "source_hash": source}


def _was_read(image: ImageState, since: str) -> bool:
    if image.verify.get("state") == "gone":
        return True
    return bool(since and image.verify) and str(image.verify["time"]) > since


def _has_room(portion: list[Facts], load: int, size: int) -> bool:
    return not portion or (len(portion) < PORTION_IMAGES and load + size <= PORTION_BYTES)


def _size(image: ImageState) -> int:
    return int(image.facts.get("size") or 0)
