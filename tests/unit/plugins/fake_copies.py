# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A Glance of two controllers that copies images between its stores, as well or as badly as a test wants it to."""

from __future__ import annotations

import datetime
import http.server
import itertools
import threading
import typing as t

from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import (
    CloudHandler,
    FakeCloud,
    Request,
)

LOCK = "os_glance_import_task"
CONTROLLERS = ("one", "two")


class FakeCopies(FakeCloud):
    """Answers as a Keystone and two controllers' Glance do.

    ``fates`` tells of an image, attempt by attempt, what becomes of its copies: ``ok``, ``fail`` in the target,
    ``missing`` in the source, ``never`` ends, ``slow`` ends when it was asked three times how far it is, ``gone`` when
    it is deleted, ``refused``, and ``deactivated`` when somebody does that meanwhile.
    Without a word it goes well. A copy ends when it was looked at ``looks`` times.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stores = ["local", "objects"]
        self.read_only: list[str] = []
        self.methods = ["glance-direct", "copy-image"]
        self.fates: dict[str, list[str]] = {}
        self.looks = 2
        self.tasks: dict[str, list[dict[str, t.Any]]] = {}
        self.copies: list[tuple[str, str]] = []
        """The controller and the image of every copy that was begun."""
        self.away: set[str] = set()
        self.at_once = 0
        """How many copies were going on at the same time, at most."""
        self.during: dict[str, t.Callable[[dict[str, t.Any]], None]] = {}
        """What else happens when a copy of an image is begun."""
        self.midway: dict[str, t.Callable[[dict[str, t.Any]], None]] = {}
        """What else happens when a copy of an image was looked at half as often as it goes on."""
        self.undoes: dict[str, dict[str, t.Any]] = {}
        """What is written over the record of an image at the end of its copy."""
        self.without_database = False
        """Whether every request ends with an error."""
        self.deadlocks: dict[str, int] = {}
        """How many of the next requests, by their method and the last word of their path, end with an error."""
        self._running: dict[str, list[t.Any]] = {}
        self._numbers = itertools.count(1)
        self._servers: dict[str, http.server.ThreadingHTTPServer] = {}
        self.endpoints: dict[str, str] = {}
        """The option of the module."""

    def __enter__(self) -> t.Any:
        super().__enter__()
        for name in CONTROLLERS:
            self._listen(name, 0)
            self.endpoints[name] = f"http://127.0.0.1:{self._servers[name].server_address[1]}/{name}"
        return self

    def __exit__(self, *error: object) -> None:
        self.leave(*CONTROLLERS)
        super().__exit__(*error)

    def leave(self, *names: str) -> None:
        """Let controllers refuse connections."""
        for name in names:
            if name not in self.away:
                self.away.add(name)
                self._servers[name].shutdown()
                self._servers[name].server_close()

    def come_back(self, *names: str) -> None:
        """Let controllers answer again."""
        for name in names:
            self._listen(name, int(self._servers[name].server_address[1]))
            self.away.discard(name)

    def _listen(self, name: str, port: int) -> None:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), type("H", (CloudHandler,), {"cloud": self}))
        server.daemon_threads = True
        # A connection that breaks is what some tests are about.
        server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        self._servers[name] = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def put(self, name: str, size: int = 100, store: t.Optional[str] = "local", **attributes: t.Any) -> str:
        """Put an image with data there."""
        status = attributes.pop("status", "active")
        image = self.add(name, data=b"x" * min(size, 10), **attributes)
        image.update(status=status, size=size, stores=store)
        if store is None:
            del image["stores"]
        return str(image["id"])

    def lock(self, image_id: str, silent: float, status: str = "processing") -> str:
        """Leave the lock of an import behind, of which nothing was heard for so many seconds."""
        task = self._new_task(image_id, status)
        heard = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=silent)
        task["updated_at"] = heard.strftime("%Y-%m-%dT%H:%M:%S.000000")
        self.images[image_id][LOCK] = task["id"]
        return str(task["id"])

    def copied_through(self, controller: str) -> list[str]:
        """Return the images whose copies were begun on a controller."""
        return [image for name, image in self.copies if name == controller]

    def answer(self, request: Request) -> tuple[int, t.Any]:
        """Answer everything."""
        controller, _slash, path = request.path[1:].partition("/")
        if controller not in CONTROLLERS:
            return super().answer(request)
        if controller in self.away:
            raise ConnectionError
        told = self.answers.get(f"{request.method} {request.path}")
        if told:
            return told
        parts = path.split("/")[1:]
        if self._fails(f"{request.method} {parts[-1]}"):
            return 500, "the database"
        if parts == ["info", "stores"]:
            return self._store_records()
        if parts == ["info", "import"]:
            return 200, {"import-methods": {"value": self.methods}}
        if parts[-1] == "import":
            return self._begin(controller, self.images.get(parts[1]), request.body)
        return super().answer(request._replace(path=f"/image/{path}"))

    def _fails(self, request: str) -> bool:
        left = self.deadlocks.get(request, 0)
        self.deadlocks.update({request: left - 1} if left else {})
        return self.without_database or left > 0

    def _store_records(self) -> tuple[int, t.Any]:
        if self.stores is None:
            return 404, "Multi backend is not supported at this site."
        return 200, {
            "stores": [
                {"id": store, **({"read-only": "true"} if store in self.read_only else {})} for store in self.stores
            ]
        }

    def _images(self, request: Request, parts: list[str]) -> tuple[int, t.Any]:
        image = self.images.get(parts[0]) if parts else None
        if image is None or len(parts) == 1:
            if image is not None:
                self._look_at(image)
                if image["id"] in self.late_stores:
                    image["stores"] = self.late_stores.pop(image["id"])
            return super()._images(request, parts)
        if parts[1] == "tasks":
            self._speak(image["id"])
            return 200, {"tasks": self.tasks.get(image["id"], [])}
        if parts[1] == "actions":
            image["status"] = {"deactivate": "deactivated", "reactivate": "active"}[parts[2]]
            return 204, None
        return super()._images(request, parts)

    def _speak(self, image_id: str) -> None:
        running = self._running.get(image_id)
        if running is not None and running[1] == "slow":
            spoken = int((running[3]["message"].split() or ["", "0"])[1]) + 1
            running[3]["message"] = f"Copied {spoken} MiB"
            if spoken == 3:
                running[1] = "ok"

    def _page(self, query: dict[str, str], tags: tuple[str, ...]) -> dict[str, t.Any]:
        wanted = query.get("id", "")
        ids = wanted.partition("in:")[2].split(",") if wanted else list(self.images)
        for image_id in ids:
            if image_id in self.images:
                self._look_at(self.images[image_id])
        if not wanted:
            return super()._page(query, tags)
        found = super()._page({**query, "limit": "1000"}, tags)["images"]
        return {"images": [image for image in found if image["id"] in ids]}

    def _begin(self, controller: str, image: t.Optional[dict[str, t.Any]], body: t.Any) -> tuple[int, t.Any]:
        if image is None:
            return 404, "No image found"
        assert body["method"] == {"name": "copy-image"}, body
        if image["status"] != "active":
            return 409, "Only images with status active can be targeted for copying"
        if LOCK in image and not self._is_old(image):
            return 409, "Image has active task"
        image.pop(LOCK, None)
        if body["stores"][0] in image["stores"].split(","):
            return 400, f"Image is already present at store '{body['stores'][0]}'"
        fates = self.fates.get(image["id"], [])
        fate = fates.pop(0) if fates else "ok"
        self.copies.append((controller, image["id"]))
        if fate == "refused":
            return 403, "Only admin can copy this image"
        task = self._new_task(image["id"], "processing")
        image[LOCK] = task["id"]
        self._running[image["id"]] = [body["stores"][0], fate, self.looks, task]
        self.at_once = max(self.at_once, len(self._running))
        if image["id"] in self.during:
            self.during.pop(image["id"])(image)
        return 202, None

    def _is_old(self, image: dict[str, t.Any]) -> bool:
        """Tell whether the task of a lock has been silent for an hour, or is not known any more."""
        hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        own = [task for task in self.tasks.get(image["id"], []) if task["id"] == image[LOCK]]
        return all(task["updated_at"] <= hour_ago.strftime("%Y-%m-%dT%H:%M:%S.%f") for task in own)

    def _new_task(self, image_id: str, status: str) -> dict[str, t.Any]:
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000")
        number = next(self._numbers)
        task = {"id": f"task-{number}", "status": status, "message": "", "created_at": now, "updated_at": now}
        self.tasks.setdefault(image_id, []).insert(0, task)
        return task

    def _look_at(self, image: dict[str, t.Any]) -> None:
        running = self._running.get(image["id"])
        if running is None or running[1] in ("never", "slow"):
            return
        running[2] -= 1
        if running[2] <= self.looks // 2 and image["id"] in self.midway:
            self.midway.pop(image["id"])(image)
        if running[2] > 0:
            return
        store, fate, _looks, task = self._running.pop(image["id"])
        image.pop(LOCK, None)
        image.update(self.undoes.get(image["id"], {}))
        if fate == "gone":
            del self.images[image["id"]]
        elif fate == "missing":
            task.update(status="failure", message="Task failed due to Internal Error")
            image["os_glance_importing_to_stores"] = store
        elif fate == "fail":
            task.update(status="success")
            image["os_glance_failed_import"] = store
        elif fate == "deactivated":
            task.update(status="failure", message="Task failed due to Internal Error")
            image["status"] = "deactivated"
        else:
            task.update(status="success")
            image["stores"] = f"{image['stores']},{store}"
