# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What operators do by hand: each image is downloaded with the glance client, and uploaded into the other store."""

from __future__ import annotations

import os
import subprocess

import nodes
from cloud import Cloud


def main() -> None:
    cloud = Cloud()
    client = [str(nodes.PEERS / "glance")]
    environment = {**os.environ, **cloud.variables()}
    file = str(nodes.DATA / "download")
    formats = ["--disk-format", "raw", "--container-format", "bare"]
    for image in cloud.images("bench-new-"):
        for words in (
            ["image-download", "--file", file, image.id],
            ["image-create", *formats, "--store", "objects", "--file", file, "--name", f"copy of {image.name}"],
        ):
            subprocess.run([*client, *words], env=environment, check=True)


if __name__ == "__main__":
    main()
