# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Takes a node's Glance out of service without breaking anything off, and puts it back."""

from __future__ import annotations

import configparser
import dataclasses
import os
import time
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _connections,
    _glance_process,
    _import_tasks,
    _running_config,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._connections import Connection
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._health import ask, is_disabled_by_file
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import Running
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters
from ansible_collections.openstack_ops.glance.plugins.module_utils._unit import Run, Systemd

LOOK_SECONDS = 0.5
DATABASE_SECONDS = 5.0
HEALTH_SECONDS = 30.0
FILE_MODE = 0o644


@dataclasses.dataclass
class Work:
    """Something that is under way.

    :param since: when it was first seen, on the clock of ``Node``.
    """

    kind: str
    what: str
    since: float
    bytes: int = 0

    def told(self, now: float) -> Parameters:
        """Return what the module tells about it."""
        return {"kind": self.kind, "what": self.what, "seconds": round(now - self.since), "bytes": self.bytes}


class Node(t.Protocol):
    """What is looked at on the node."""

    def connections(self) -> dict[str, Connection]:
        """Return the connections to the API."""

    def imports(self) -> dict[str, str]:
        """Return the imports that the node works on: what is told about each, by its task."""

    def serves(self) -> bool:
        """Tell whether Glance runs at all."""

    def now(self) -> float:
        """Return the seconds of a clock that only goes forward."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Watch:
    """Watches what is under way on a node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._before: dict[str, Connection] = {}
        self._transfers: dict[str, Work] = {}
        self._imports: dict[str, Work] = {}
        self._next_imports = 0.0

    def look(self) -> list[Work]:
        """Return what is under way now."""
        now = self._node.now()
        if now >= self._next_imports:
            found = self._node.imports()
            self._imports = {task: self._imports.get(task) or Work("import", told, now) for task, told in found.items()}
            self._next_imports = now + DATABASE_SECONDS
        connections = self._node.connections()
        transfers = {}
        for peer, connection in connections.items():
            kind = _connections.what_goes_on(self._before.get(peer), connection)
            if kind:
                known = self._transfers.get(peer) or Work(kind, f"from {peer}", now)
                moved = connection.received + connection.sent
                transfers[peer] = dataclasses.replace(known, kind=kind, bytes=moved)
        self._before, self._transfers = connections, transfers
        return [*transfers.values(), *self._imports.values()]

    def until_quiet(self, quiet: float, timeout: float) -> list[Work]:
        """Return when nothing was under way for some seconds, and give what there was to wait for.

        :raises GlanceError: when it does not come to that in time.
        """
        started = last = self._node.now()
        seen: dict[str, Work] = {}
        while True:
            work = self.look()
            now = self._node.now()
            if work:
                last = now
            seen.update({item.what: item for item in work})
            if now - last >= quiet:
                return list(seen.values())
            if now - started >= timeout and work:
                raise _not_quiet(work, now, timeout)
            self._node.sleep(LOOK_SECONDS)


def _not_quiet(work: list[Work], now: float, timeout: float) -> GlanceError:
    lines = [
        f"{item.kind} {item.what}, for {now - item.since:.0f} s" + (f", {item.bytes} bytes" if item.bytes else "")
        for item in sorted(work, key=lambda item: item.since)
    ]
    shown = "; ".join(lines[:10]) + (f"; and {len(lines) - 10} more" if len(lines) > 10 else "")
    return GlanceError(
        f"waiting {timeout:g} s for the requests of this node to end",
        answer=f"still under way: {shown}",
        cause="long transfers, or clients that do not come through the load balancer",
        remedy="wait and run again, give a larger timeout, or put the node back with state: active",
    )


class Local:
    """This node."""

    def __init__(self, execute: Run, running: Running, port: int, service: str) -> None:
        self._execute = execute
        self._running = running
        self._port = port
        self._service = service

    def connections(self) -> dict[str, Connection]:
        """Return the connections to the API."""
        return _connections.read(self._execute, self._port)

    def imports(self) -> dict[str, str]:
        """Return the imports that the node works on.

        Whatever is imported or copied lies in the staging directory of the node that does it until its end. A task that
        is older than the processes is dead, and what it left there is nobody's work.
        """
        started = self._started()
        if not self._running.connection or started is None:
            return {}
        with _import_tasks.session(self._running, "reading the imports that are under way") as connection:
            found = _import_tasks.read(connection)
        return {
            task.id: f"of the image {task.image_id}"
            for task in found
            if task.status in _import_tasks.UNDER_WAY
            and task.created_at >= int(started)
            and os.path.exists(os.path.join(self._running.staging, task.image_id))
        }

    def serves(self) -> bool:
        """Tell whether Glance runs at all."""
        return self._started() is not None

    def _started(self) -> t.Optional[float]:
        main = Systemd(self._execute).show(self._service).pid
        return _glance_process.workers_started(self._service, main)

    def now(self) -> float:
        """Return the seconds of a clock that only goes forward."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def healthcheck_file(paste_file: str) -> str:
    """Return the file whose existence makes the health check say that the node is out of service.

    :raises GlanceError: when the health check does not know one.
    """
    parser = configparser.RawConfigParser(strict=False)
    doing = f"looking in {paste_file} for the file that takes the node out of service"
    try:
        with open(paste_file, encoding="utf-8") as file:
            parser.read_file(file)
    except (OSError, configparser.Error, UnicodeDecodeError) as error:
        raise GlanceError(doing, answer=str(error).splitlines()[0], remedy="give paste_file or disable_file") from error
    for section in parser.sections():
        factory = " ".join(parser.get(section, f"paste.{kind}_factory", fallback="") for kind in ("app", "filter"))
        backends = parser.get(section, "backends", fallback="")
        path = parser.get(section, "disable_by_file_path", fallback="")
        if "oslo_middleware" in factory and "disable_by_file" in backends.replace(" ", "").split(",") and path:
            return path
    raise GlanceError(
        doing,
        answer="its health check has no disable_by_file_path",
        remedy="add `backends = disable_by_file` and disable_by_file_path to the section of the health check, or give"
        " disable_file",
    )


def run(params: Parameters, execute: Run, check_mode: bool, node: t.Optional[Node] = None) -> Parameters:
    """Drain the node or put it back, and return the module's result.

    :raises GlanceError: when it cannot be drained, or does not serve.
    """
    running = _running_config.read(params["config_file"], params["config_directory"])
    if not running.layout:
        raise GlanceError("looking for Glance", answer=f"{params['config_file']} does not exist on this node")
    paste = params["paste_file"] or running.paste or f"{os.path.splitext(params['config_file'])[0]}-paste.ini"
    path = params["disable_file"] or healthcheck_file(paste)
    url = params["url"] or running.api_url
    port = urlsplit(url).port or (443 if url.startswith("https") else 80)
    node = node or Local(execute, running, port, params["service"])
    difference = Difference()
    difference.compare(path, "present" if os.path.exists(path) else "absent", _wanted(params["state"]))
    result: Parameters = {"changed": difference.changed, "diff": difference.as_diff(), "file": path, "waited_for": []}
    if check_mode:
        return {**result, "seconds": 0.0}
    started = node.now()
    health = _Health(params, f"{url}/healthcheck", node)
    if params["state"] == "active":
        Path(path).unlink(missing_ok=True)
        health.wait(lambda status, text: status == 200, "healthy")
    else:
        _touch(path)
        health.wait(
            lambda status, text: is_disabled_by_file(status, text) or (not status and not node.serves()),
            "out of service",
        )
        # The load balancer has to notice.
        node.sleep(params["grace"] if difference.changed else 0)
        work = Watch(node).until_quiet(params["quiet"], params["timeout"])
        result["waited_for"] = [item.told(node.now()) for item in work]
    return {**result, "seconds": round(node.now() - started, 1)}


def _wanted(state: str) -> str:
    return "absent" if state == "active" else "present"


def _touch(path: str) -> None:
    # Glance's user has to see it.
    with open(path, "a", encoding="utf-8") as file:
        os.fchmod(file.fileno(), FILE_MODE)


class _Health:
    def __init__(self, params: Parameters, url: str, node: Node) -> None:
        self._params = params
        self._url = url
        self._node = node

    def wait(self, good: t.Callable[[int, str], bool], wanted: str) -> None:
        """Wait until the health check says so."""
        end = self._node.now() + HEALTH_SECONDS
        while True:
            status, text = ask(urlsplit(self._url), self._params["ca_cert"], self._params["validate_certs"])
            if good(status, text):
                return
            if self._node.now() >= end:
                said = f"HTTP {status} {' '.join(text.split())[:200]}".strip() if status else text
                raise GlanceError(
                    f"waiting until {self._url} says that the node is {wanted}",
                    answer=f"after {HEALTH_SECONDS:g} s it says: {said}",
                    cause="a service that does not run, or a health check that looks at another file",
                    remedy="look at the service, and at the section of the health check in the paste configuration",
                )
            self._node.sleep(LOOK_SECONDS)
