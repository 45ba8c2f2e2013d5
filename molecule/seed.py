# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Images as a cloud has them after years, made from a seed: the same names and the same contents each time."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import struct
import subprocess
import tempfile
import typing as t
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from openstack.connection import Connection

KIB, MIB, GIB = 1024, 1024**2, 1024**3
PREFIX = "seed"
# All images of a seed can be told from others by their tag.
TAG = "planted"
PARALLEL = 4


@dataclass(frozen=True)
class Plan:
    """One image to be made."""

    name: str
    size: int = 0
    # Formats other than raw and iso are made by qemu-img from `size` bytes.
    disk_format: str = "raw"
    visibility: str = "private"
    owner: str = ""
    hidden: bool = False
    protected: bool = False
    deactivated: bool = False
    without_hash: bool = False
    queued: bool = False
    # Status of the membership by name of the project.
    members: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planted:
    """One image that was made."""

    image_id: str
    plan: Plan
    sha512: str


def noise(seed: str, size: int) -> t.Iterator[bytes]:
    """Return bytes that follow from a seed, a MiB at a time and no two alike, at the speed of memory."""
    block = random.Random(seed).randbytes(MIB)
    for number in range(0, size, MIB):
        yield (struct.pack(">Q", number) + block[8:])[: size - number]


def iso(seed: str, size: int) -> t.Iterator[bytes]:
    """Return an ISO 9660 file system whose root directory has one file of `size` bytes."""

    def both(layout: str, number: int) -> bytes:
        return struct.pack(f"<{layout}", number) + struct.pack(f">{layout}", number)

    def entry(name: bytes, sector: int, length: int, flags: int) -> bytes:
        body = both("I", sector) + both("I", length) + bytes([126, 11, 21, 0, 0, 0, 0, flags, 0, 0]) + both("H", 1)
        body += bytes([len(name)]) + name + (b"" if len(name) % 2 else b"\0")
        return bytes([len(body) + 2, 0]) + body

    sectors = 21 + -(-size // 2048)
    root = entry(b"\0", 20, 2048, 2)
    volume = b"\1CD001\1\0" + b"LINUX".ljust(32) + seed.upper()[:32].encode("ascii", "replace").ljust(32) + bytes(8)
    volume += both("I", sectors) + bytes(32) + both("H", 1) + both("H", 1) + both("H", 2048) + both("I", 10)
    volume += struct.pack("<II", 18, 0) + struct.pack(">II", 19, 0) + root
    path = b"\1\0" + struct.pack("<IH", 20, 1) + b"\0\0"
    path_big = b"\1\0" + struct.pack(">IH", 20, 1) + b"\0\0"
    directory = root + entry(b"\1", 20, 2048, 2) + entry(b"DATA.BIN;1", 21, size, 0)
    yield bytes(16 * 2048)
    for sector in (volume.ljust(881, b"\0") + b"\1", b"\xffCD001\1", path, path_big, directory):
        yield sector.ljust(2048, b"\0")
    yield from noise(seed, size)
    yield bytes(-size % 2048)


def converted(seed: str, size: int, disk_format: str) -> t.Iterator[bytes]:
    """Return what qemu-img makes of `size` bytes."""
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory, "raw"), Path(directory, "image")
        with source.open("wb") as stream:
            stream.writelines(noise(seed, size))
        options = ["-o", "subformat=streamOptimized"] if disk_format == "vmdk" else []
        known = {"vhd": "vpc"}.get(disk_format, disk_format)
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", known, *options, source, target], check=True)
        content = target.read_bytes()
    yield content


def content_of(plan: Plan, seed: str) -> t.Iterator[bytes]:
    """Return the bytes of an image."""
    own = f"{seed}-{plan.name}-{plan.size}"
    if plan.disk_format == "iso":
        return iso(own, plan.size)
    return noise(own, plan.size) if plan.disk_format == "raw" else converted(own, plan.size, plan.disk_format)


def fifty() -> list[Plan]:
    """Return what a cloud has: each kind of record, each format, sizes from nothing to a GiB."""
    many = {f"os_property_{number:03}": f"wört-{number} \"'%$#:/" for number in range(100)}
    plans = [
        Plan("empty", 0),
        Plan("empty and public", 0, visibility="public"),
        Plan("one byte", 1),
        Plan("just below a chunk", 64 * KIB - 1),
        Plan("just above a chunk", 64 * KIB + 1),
        Plan("eight MiB and a byte", 8 * MIB + 1, visibility="public"),
        Plan("large", 96 * MIB, visibility="public"),
        Plan("larger", 200 * MIB, visibility="community", owner="seed-other"),
        # Above large_object_size of the Swift store: an upload has segments, too.
        Plan("in segments", 300 * MIB),
        Plan("a GiB", GIB, visibility="public"),
        Plan("cirros", 16 * MIB, "qcow2", "public", properties={"hw_disk_bus": "virtio", "os_distro": "cirros"}),
        Plan("debian", 24 * MIB, "qcow2", "public", tags=("lts", "généré")),
        Plan("appliance", 12 * MIB, "vmdk", "public", properties={"vmware_disktype": "streamOptimized"}),
        Plan("appliance", 5 * MIB, "vmdk", owner="seed-other"),
        Plan("installer", 6 * MIB, "iso", "public"),
        Plan("driver disc", 300 * KIB, "iso", "community"),
        Plan("windows", 8 * MIB, "vhd", owner="seed-other"),
        Plan("virtualbox", 3 * MIB, "vdi"),
        Plan("twins", 1 * MIB, visibility="public"),
        Plan("twins", 2 * MIB, "qcow2"),
        Plan("Ångström 図像 «é»", 700 * KIB, "qcow2", "public", tags=("日本語",)),
        Plan("naïve: ñandú/Straße «ü»", 1234567),
        Plan("a hundred properties", 2 * MIB, properties=many),
        Plan("a hundred properties, of others", 40 * KIB, "iso", "shared", "seed-other", properties=many),
        Plan("shared, accepted", 3 * MIB, visibility="shared", members={"seed-member": "accepted"}),
        Plan("shared, pending", 3 * MIB, "qcow2", "shared", members={"seed-member": "pending"}),
        Plan(
            "shared, of others",
            1 * MIB,
            visibility="shared",
            owner="seed-other",
            members={"seed-member": "rejected", "admin": "accepted"},
        ),
        Plan("hidden", 2 * MIB, visibility="public", hidden=True),
        Plan("hidden, of others", 900 * KIB, "qcow2", "community", "seed-other", hidden=True),
        Plan("hidden and private", 5 * KIB, owner="seed-other", hidden=True),
        Plan("protected", 4 * MIB, "qcow2", "public", protected=True),
        Plan("protected and hidden", 4 * MIB, visibility="community", protected=True, hidden=True),
        Plan("deactivated", 3 * MIB, visibility="public", deactivated=True),
        Plan("deactivated, protected, of others", 2 * MIB, "qcow2", "shared", "seed-other", False, True, True),
        Plan("without a hash", 5 * MIB, without_hash=True),
        Plan("without data", queued=True, visibility="public"),
    ]
    formats = itertools.cycle(["raw", "qcow2", "raw", "iso", "vmdk"])
    visibilities = itertools.cycle(["private", "public", "community", "private"])
    sizes = random.Random("sizes")
    return plans + [
        Plan(f"of the crowd {number:02}", sizes.randrange(1, 4 * MIB), next(formats), next(visibilities))
        for number in range(50 - len(plans))
    ]


def few() -> list[Plan]:
    """Return eight small images, each of which has gone wrong in its own way before."""
    wanted = {
        "empty",
        "eight MiB and a byte",
        "virtualbox",
        "Ångström 図像 «é»",
        "shared, accepted",
        "hidden, of others",
        "deactivated, protected, of others",
        "without a hash",
    }
    return [plan for plan in fifty() if plan.name in wanted]


def records(number: int) -> list[Plan]:
    """Return images of a byte each: a listing as a big cloud has it."""
    visibilities = ["private", "public", "community"]
    return [
        Plan(f"record {count:04}", 1, visibility=visibilities[count % 3], hidden=count % 50 == 0)
        for count in range(number)
    ]


class Gardener:
    """Plants images, and clears them away."""

    def __init__(self, cloud: Connection, bed: Bed, apis: t.Sequence[Api]) -> None:
        self._cloud = cloud
        self._bed = bed
        self._apis = apis

    def project(self, name: str) -> str:
        """Return the ID of a project, which is made when it is missing."""
        found = self._cloud.identity.find_project(name, domain_id="default")
        found = found or self._cloud.identity.create_project(name=name, domain_id="default")
        return str(found.id)

    def plant(self, plans: t.Sequence[Plan], seed: str = "1", store: str = "") -> list[Planted]:
        """Make images in a store or the default store, some at a time, spread over the controllers."""
        names = {plan.owner for plan in plans if plan.owner} | {name for plan in plans for name in plan.members}
        projects = {name: self.project(name) for name in sorted(names)}

        def plant_one(number: int, plan: Plan) -> Planted:
            return self._plant_one(self._apis[number % len(self._apis)], plan, seed, store, projects)

        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(plant_one, itertools.count(), plans))

    def _plant_one(self, api: Api, plan: Plan, seed: str, store: str, projects: dict[str, str]) -> Planted:
        body: dict[str, t.Any] = {
            "id": str(uuid.uuid4()),
            "name": f"{PREFIX}: {plan.name}",
            "disk_format": plan.disk_format,
            "container_format": "bare",
            "visibility": plan.visibility,
            "os_hidden": plan.hidden,
            "protected": plan.protected,
            "tags": [TAG, *plan.tags],
            "min_ram": 64,
            **plan.properties,
        }
        if plan.owner:
            body["owner"] = projects[plan.owner]
        image_id = api.ask("POST", "/images", json=body).json()["id"]
        digest = hashlib.sha512()
        if not plan.queued:
            upload(api, image_id, content_of(plan, seed), digest.update, store)
        self._finish(api, image_id, plan, projects)
        return Planted(image_id, plan, "" if plan.queued else digest.hexdigest())

    def _finish(self, api: Api, image_id: str, plan: Plan, projects: dict[str, str]) -> None:
        for name, status in plan.members.items():
            api.ask("POST", f"/images/{image_id}/members", json={"member": projects[name]})
            if status != "pending":
                api.ask("PUT", f"/images/{image_id}/members/{projects[name]}", json={"status": status})
        if plan.deactivated:
            api.ask("POST", f"/images/{image_id}/actions/deactivate")
        if plan.without_hash:
            # As images have it that were made before Glance had os_hash_algo, or by their location.
            self._bed.sql(
                "UPDATE images SET checksum = NULL, os_hash_algo = NULL, os_hash_value = NULL "
                f"WHERE id = '{uuid.UUID(image_id)}';"
            )

    def clear(self, rounds: int = 3) -> None:
        """Delete every image that was planted, whatever has become of it."""
        answers: list[str] = []
        for _round in range(rounds + 1):
            # A glance-api that is killed while it deletes an image leaves a record "deleted", which nobody can delete.
            there = [image for image in self._apis[0].all_images().values() if image["status"] != "deleted"]
            planted = [image for image in there if TAG in image["tags"]]
            if not planted:
                return
            with ThreadPoolExecutor(PARALLEL) as pool:
                answers = list(pool.map(self._clear_one, planted))
        raise AssertionError(f"not all of the planted images could be deleted: {answers}")

    def _clear_one(self, image: dict[str, t.Any]) -> str:
        path = f"/images/{image['id']}"
        if image["protected"]:
            patch = [{"op": "replace", "path": "/protected", "value": False}]
            media = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
            self._apis[0].request("PATCH", path, data=json.dumps(patch), headers=media)
        answer = self._apis[0].request("DELETE", path)
        return f"HTTP {answer.status_code} {answer.text}"


def upload(
    api: Api, image_id: str, content: t.Iterable[bytes], look: t.Callable[[bytes], t.Any], store: str = ""
) -> None:
    """Send the data of an image, and show every piece to `look`."""

    def watched() -> t.Iterator[bytes]:
        for piece in content:
            look(piece)
            yield piece

    headers = {"Content-Type": "application/octet-stream", **({"X-Image-Meta-Store": store} if store else {})}
    api.ask("PUT", f"/images/{image_id}/file", data=watched(), headers=headers)
