# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A user who uploads, downloads and deletes all the time, and notes every request that failed."""

from __future__ import annotations

import datetime
import hashlib
import random
import threading
import time
import typing as t
import uuid
from dataclasses import dataclass, field

import requests
from seed import KIB, MIB, noise

if t.TYPE_CHECKING:
    from bed import Api

PREFIX = "client"
TAG = "of the client"
# The slow transfers take as long as a restart, so that one is always under way.
SLOW_SIZE = 24 * MIB
SLOW_RATE = 2 * MIB


@dataclass(frozen=True)
class Failure:
    """A request that failed."""

    when: str
    what: str
    answer: str


@dataclass
class Tally:
    """What a client has done."""

    uploads: int = 0
    downloads: int = 0
    deletions: int = 0
    listings: int = 0
    failures: list[Failure] = field(default_factory=list)


class Client:
    """Some threads, each of which behaves as one user: `with Client(api, others): ...` runs them meanwhile."""

    def __init__(self, api: Api, others: t.Optional[dict[str, str]] = None, seed: int = 1, users: int = 2) -> None:
        # Images that are downloaded, and left alone: their sha512 by their ID.
        self._others = others or {}
        self._api = api
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.tally = Tally()
        # What has to be there at the end.
        self.expected: dict[str, str] = {}
        randoms = [random.Random(f"{seed}-{user}") for user in range(users + 1)]
        self._threads = [threading.Thread(target=self._act, args=(chance,)) for chance in randoms[1:]]
        self._threads.append(threading.Thread(target=self._be_slow, args=(randoms[0],)))

    def __enter__(self) -> Client:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _act(self, chance: random.Random) -> None:
        # As many uploads as deletions, once there is something to delete.
        mine: list[str] = []
        while not self._ended.is_set():
            action = chance.choice(["upload", "upload", "download", "download", "delete", "list"])
            if action == "upload":
                mine += self._upload(chance.choice([0, 1, 64 * KIB + 1, MIB, 5 * MIB + 3]))
            elif action == "list":
                self._list()
            elif action == "delete" and len(mine) > 3:
                self._delete(mine.pop(chance.randrange(len(mine))))
            else:
                self._download(chance, mine)
            time.sleep(0.2)

    def _be_slow(self, chance: random.Random) -> None:
        mine: list[str] = []
        while not self._ended.is_set():
            mine += self._upload(SLOW_SIZE, SLOW_RATE)
            if mine:
                self._download_one(mine[-1], self.expected[mine[-1]], SLOW_RATE)
            if len(mine) > 2:
                self._delete(mine.pop(chance.randrange(2)))

    def _upload(self, size: int, rate: int = 0) -> list[str]:
        name = f"{PREFIX}: {uuid.uuid4()}"
        body = {"name": name, "disk_format": "raw", "container_format": "bare", "tags": [TAG]}
        made = self._send("POST", "/images", json=body)
        if made is None:
            return []
        image_id, digest = made.json()["id"], hashlib.sha512()

        def pieces() -> t.Iterator[bytes]:
            for piece in noise(name, size):
                digest.update(piece)
                yield piece
                time.sleep(len(piece) / rate if rate else 0)

        octets = {"Content-Type": "application/octet-stream"}
        if self._send("PUT", f"/images/{image_id}/file", data=pieces(), headers=octets) is None:
            return []
        with self._lock:
            self.tally.uploads += 1
            self.expected[image_id] = digest.hexdigest()
        return [image_id]

    def _download(self, chance: random.Random, mine: list[str]) -> None:
        known = [*mine, *self._others]
        if known:
            image_id = chance.choice(known)
            self._download_one(image_id, self._others.get(image_id) or self.expected[image_id])

    def _download_one(self, image_id: str, sha512: str, rate: int = 0) -> None:
        path = f"/images/{image_id}/file"
        try:
            with self._api.request("GET", path, stream=True) as answer:
                digest = hashlib.sha512()
                for piece in answer.iter_content(MIB):
                    digest.update(piece)
                    time.sleep(len(piece) / rate if rate else 0)
        except requests.RequestException as error:
            self._note("GET", path, repr(error))
            return
        if digest.hexdigest() != sha512:
            self._note("GET", path, f"HTTP {answer.status_code}, other bytes than were uploaded {answer.headers}")
        with self._lock:
            self.tally.downloads += 1

    def _delete(self, image_id: str) -> None:
        del self.expected[image_id]
        if self._send("DELETE", f"/images/{image_id}") is not None:
            with self._lock:
                self.tally.deletions += 1

    def _list(self) -> None:
        if self._send("GET", "/images?limit=20") is not None:
            with self._lock:
                self.tally.listings += 1

    def _send(self, method: str, path: str, **options: t.Any) -> t.Optional[requests.Response]:
        try:
            answer = self._api.request(method, path, **options)
        except requests.RequestException as error:
            self._note(method, path, repr(error))
            return None
        if answer.status_code >= 400:
            self._note(method, path, f"HTTP {answer.status_code} {answer.text[:300]}")
            return None
        return answer

    def _note(self, method: str, path: str, answer: str) -> None:
        when = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        with self._lock:
            self.tally.failures.append(Failure(when, f"{method} {path}", answer))

    def missing(self, apis: t.Sequence[Api]) -> list[str]:
        """Return which uploads are not there, or not right, on which controller."""
        return [
            f"{image_id} through controller {number}"
            for image_id, sha512 in self.expected.items()
            for number, api in enumerate(apis, 1)
            if hashlib.sha512(api.request("GET", f"/images/{image_id}/file").content).hexdigest() != sha512
        ]

    def clear(self) -> None:
        """Delete what is left, and what failed half-way."""
        for image in self._api.all_images().values():
            if TAG in image["tags"]:
                self._api.request("DELETE", f"/images/{image['id']}")
