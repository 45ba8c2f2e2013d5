# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Glance's own copy-image, driven as fast as it goes: every image is ordered at once, then all are waited for."""

from __future__ import annotations

import time

from cloud import Cloud

PATIENCE = 600
"""Seconds until it is given up."""


def main() -> None:
    cloud = Cloud()
    wanted = {image.id for image in cloud.images("bench-new-")}
    for image_id in wanted:
        body = {"method": {"name": "copy-image"}, "stores": ["objects"], "all_stores_must_succeed": True}
        cloud.image.post(f"/images/{image_id}/import", json=body).raise_for_status()
    end = time.monotonic() + PATIENCE
    while wanted - set(cloud.in_store("bench-new-", "objects")):
        if time.monotonic() > end:
            raise SystemExit("not all images have been copied")
        time.sleep(0.25)


if __name__ == "__main__":
    main()
