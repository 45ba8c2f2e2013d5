# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The nodes of the scenario: where they are, commands on them, and the API of Glance without anything that retries."""

from __future__ import annotations

import csv
import json
import subprocess
import threading
import time
import typing as t

import requests
from playbook import ENVIRONMENT, FURTHER_INVENTORIES, INVENTORY, ROOT

if t.TYPE_CHECKING:
    from openstack.connection import Connection

Record = dict[str, t.Any]
# Longer than Glance takes to give up on a store that does not answer.
REQUEST_TIMEOUT = 300
SHOW_STATISTICS = r"""
import socket
haproxy = socket.socket(socket.AF_UNIX)
haproxy.connect("/run/haproxy/admin.sock")
haproxy.sendall(b"show stat\n")
print(haproxy.makefile().read())
"""


class Bed:
    """The nodes that the inventories of the scenario name.

    :param group: the group of the scenario's controllers.
    """

    def __init__(self, group: str = "glance_api") -> None:
        inventories = [word for path in (str(INVENTORY), *FURTHER_INVENTORIES) for word in ("-i", path)]
        listing = json.loads(
            subprocess.check_output(["ansible-inventory", *inventories, "--list"], cwd=ROOT, env=ENVIRONMENT)
        )
        self.group = group
        variables = listing["_meta"]["hostvars"]
        self.addresses: dict[str, str] = {node: found["ansible_host"] for node, found in variables.items()}
        self.controllers: list[str] = listing[group]["hosts"]
        # As they are written, with their templates.
        self.variables: Record = variables[self.controllers[0]]
        self.state = ROOT / ".testbed" / next(iter(variables.values()))["testbed_set"]
        self._groups = listing

    def node(self, kind: str) -> str:
        """Return the name of the node of a kind."""
        return str(self._groups[f"glance_testbed_{kind}"]["hosts"][0])

    def url(self, node: str) -> str:
        """Return where a node answers as Glance."""
        return f"http://{self.addresses[node]}:9292"

    def on(self, node: str, command: str, check: bool = True, stdin: str = "") -> str:
        """Run a shell command on a node as root, and return what it printed."""
        ran = subprocess.run(
            ["ssh", "-F", str(self.state / "ssh_config"), "-o", "ConnectTimeout=20", node, command],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert not check or ran.returncode == 0, f"{node}: {command}: {ran.stderr or ran.stdout}"
        return ran.stdout

    def podman(self, *arguments: str) -> str:
        """Run podman on this machine, as it was run to boot the nodes."""
        environment = {**ENVIRONMENT, "CONTAINERS_CONF": str(self.state / "containers.conf")}
        return subprocess.check_output(["podman", *arguments], env=environment, text=True, timeout=300).strip()

    def in_network_of(self, node: str, *command: str) -> None:
        """Run a command of this machine in the network of a node, which need not be reachable."""
        process = self.podman("inspect", "--format", "{{.State.Pid}}", node)
        subprocess.run(["nsenter", "--net", f"--target={process}", *command], check=True, timeout=60)

    def sql(self, statement: str) -> str:
        """Run SQL in the database of Glance, for what its API cannot make."""
        database = self.variables.get("glance_database", {}).get("name", "glance")
        return self.on(self.node("backing"), f"mariadb --batch --skip-column-names {database}", stdin=statement)

    def wait_until_answering(self, seconds: float = 180) -> None:
        """Wait until every controller answers, out of service or not."""
        end = time.monotonic() + seconds
        for controller in self.controllers:
            while self._answer(controller) not in {200, 503}:
                assert time.monotonic() < end, f"no answer of {controller} after {seconds:g} seconds"
                time.sleep(1)

    def wait_until_healthy(self, seconds: float = 180) -> None:
        """Wait until every controller answers, and HAProxy, where there is one, sends requests to it."""
        end = time.monotonic() + seconds
        while not all(map(self._is_healthy, self.controllers)) or set(self.balanced().values()) != {"UP"}:
            assert time.monotonic() < end, f"no health after {seconds:g} seconds: {self.balanced()}"
            time.sleep(1)

    def _is_healthy(self, controller: str) -> bool:
        return self._answer(controller) == 200

    def _answer(self, controller: str) -> int:
        try:
            return requests.get(f"{self.url(controller)}/healthcheck", timeout=10).status_code
        except requests.RequestException:
            return 0

    def balanced(self) -> dict[str, str]:
        """Return what HAProxy thinks of each controller; where there is none, users find each by its address."""
        if "glance_testbed_haproxy" not in self._groups:
            return dict.fromkeys(self.controllers, "UP")
        told = csv.DictReader(self.on(self.node("haproxy"), "python3 -", stdin=SHOW_STATISTICS).splitlines())
        return {server["svname"]: server["status"] for server in told if server["svname"] in self.controllers}


class Api:
    """Requests to one URL of Glance, from any thread. What fails once has failed."""

    def __init__(self, cloud: Connection, url: str) -> None:
        self._cloud = cloud
        self._url = f"{url}/v2"
        self._local = threading.local()

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        return t.cast(requests.Session, self._local.session)

    def request(self, method: str, path: str, **options: t.Any) -> requests.Response:
        """Send a request; any answer will do."""
        headers = {"X-Auth-Token": self._cloud.session.get_token(), **options.pop("headers", {})}
        options = {"timeout": REQUEST_TIMEOUT, **options}
        return self._session.request(method, f"{self._url}{path}", headers=headers, **options)

    def ask(self, method: str, path: str, **options: t.Any) -> requests.Response:
        """Send a request that has to succeed."""
        answer = self.request(method, path, **options)
        assert answer.status_code < 400, f"{method} {path}: HTTP {answer.status_code} {answer.text}"
        return answer

    def show(self, image_id: str) -> Record:
        """Return the record of an image."""
        return dict(self.ask("GET", f"/images/{image_id}").json())

    def list(self, **query: str) -> t.Iterator[Record]:
        """Return the records of all images that match, hidden ones only when asked for."""
        path = "/images?" + "&".join(f"{name}={value}" for name, value in {"limit": "500", **query}.items())
        while path:
            page = self.ask("GET", path).json()
            yield from page["images"]
            path = page.get("next", "").removeprefix("/v2")

    def all_images(self) -> dict[str, Record]:
        """Return the record of every image of the cloud."""
        queries: list[dict[str, str]] = [{}, {"visibility": "community"}]
        return {
            image["id"]: image
            for query in queries
            for hidden in ("false", "true")
            for image in self.list(**query, os_hidden=hidden)
        }
