# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What really lies in a store, read past Glance: it gives out the first location of an image that answers."""

from __future__ import annotations

import hashlib
import json
import typing as t
from shlex import quote

if t.TYPE_CHECKING:
    from bed import Bed
    from openstack.connection import Connection
    from seed import Planted

HASH_OBJECTS = r"""
import hashlib, json, sys
import boto3
from botocore.config import Config

asked = json.load(sys.stdin)
client = boto3.client("s3", config=Config(s3={"addressing_style": "path"}), region_name="none", **asked["login"])
for key in asked["keys"]:
    digest = hashlib.sha512()
    for piece in client.get_object(Bucket=asked["bucket"], Key=key)["Body"].iter_chunks(1 << 20):
        digest.update(piece)
    print(digest.hexdigest())
"""


class Depot:
    """The backends of the stores of a scenario.

    :param swift: a connection as the user of Glance, whose account in Swift has the images.
    """

    def __init__(self, bed: Bed, testbed: dict[str, t.Any], swift: t.Callable[[], Connection]) -> None:
        self._bed = bed
        self._testbed = testbed
        self._swift = swift
        self._readers = {"file": self._files, "rbd": self._rbd, "swift": self._objects, "s3": self._s3}

    def expect(self, store: str, planted: t.Iterable[Planted]) -> None:
        """Check that a store has each image that has data, and each with its own bytes."""
        wanted = {image.image_id: image.sha512 for image in planted if not image.plan.queued}
        options = self._bed.variables["glance_stores"][store]
        found = self._readers[options["type"]](options, list(wanted))
        assert dict(zip(wanted, found)) == wanted, f"the bytes in {store} are others"

    def _files(self, options: dict[str, t.Any], image_ids: list[str]) -> list[str]:
        paths = [f"{options['datadir']}/{image_id}" for image_id in image_ids]
        return self._hashes(self._bed.controllers[0], [f"sha512sum {path}" for path in paths])

    def _rbd(self, options: dict[str, t.Any], image_ids: list[str]) -> list[str]:
        exports = [f"rbd export --no-progress {options['pool']}/{image_id} - | sha512sum" for image_id in image_ids]
        return self._hashes(self._bed.node("ceph"), exports)

    def _hashes(self, node: str, commands: list[str]) -> list[str]:
        script = "\n".join(["set -e -o pipefail", *commands])
        return [line.split()[0] for line in self._bed.on(node, f"bash -c {quote(script)}").splitlines()]

    def _objects(self, options: dict[str, t.Any], image_ids: list[str]) -> list[str]:
        return [self._object(options["container"], image_id) for image_id in image_ids]

    def _object(self, container: str, image_id: str) -> str:
        digest = hashlib.sha512()
        for piece in self._swift().object_store.stream_object(image_id, container=container, chunk_size=1024 * 1024):
            digest.update(piece)
        return digest.hexdigest()

    def _s3(self, options: dict[str, t.Any], image_ids: list[str]) -> list[str]:
        login = {
            "endpoint_url": f"http://{self._bed.addresses[self._bed.node('ceph')]}:7480",
            "aws_access_key_id": self._testbed["testbed_ceph_s3_access_key"],
            "aws_secret_access_key": self._testbed["testbed_ceph_s3_secret_key"],
        }
        asked = json.dumps({"login": login, "bucket": options["bucket"], "keys": image_ids})
        # The secret goes neither into a command line nor into a file.
        node = self._bed.controllers[0]
        return self._bed.on(node, f"python3 -c {quote(HASH_OBJECTS)}", stdin=asked).split()
