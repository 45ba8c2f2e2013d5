# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Proves that every node's Image API works: it is closed, and it gives back what another node was given."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import email.utils
import hashlib
import os
import signal
import time
import typing as t
import uuid

from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._health import is_disabled_by_file
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import RequestCount, told
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_tag import Tagging

if t.TYPE_CHECKING:
    from openstack.connection import Connection

MARK = "glance-verify"
USER_PROPERTY = "glance_verify_user"
ABANDONED_AFTER = datetime.timedelta(minutes=10)
BLOCK = 256 * 1024
OK = "ok"
SKIPPED = "skipped"
DRAINED = "drained"


class StoppedError(Exception):
    """A signal asked the process to end."""


@dataclasses.dataclass
class Node:
    """One node's API, and what became of each check of it."""

    node: str
    url: str
    healthcheck: str = SKIPPED
    unauthenticated: str = SKIPPED
    upload: str = SKIPPED
    download: str = SKIPPED
    seconds: float = 0.0

    @property
    def fine(self) -> bool:
        """Whether nothing that was looked at is wrong, and something was."""
        looked = [self.healthcheck, self.unauthenticated, self.upload, self.download]
        return all(result in (OK, SKIPPED, DRAINED) for result in looked) and self.healthcheck in (OK, DRAINED)

    def as_dict(self) -> dict[str, t.Any]:
        """The node as the module returns it."""
        return {**dataclasses.asdict(self), "seconds": round(self.seconds, 2)}


@dataclasses.dataclass
class Proof:
    """The image that is uploaded. Its id is chosen here, so that it can be deleted whatever becomes of the answer."""

    data: bytes
    id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.name = f"{MARK}-{self.id[:8]}"
        self.sha512 = hashlib.sha512(self.data).hexdigest()

    def as_dict(self) -> dict[str, t.Any]:
        """The image as the module returns it."""
        return {"id": self.id, "name": self.name, "size": len(self.data), "sha512": self.sha512}


class Verification:
    """One run over all nodes.

    :param timeout: how many seconds a server may be silent.
    :param store: the store to upload into; without it, the default store.
    :param drained: whether a node is fine that was taken out of service by file.
    """

    def __init__(
        self,
        connection: Connection,
        endpoints: t.Mapping[str, str],
        timeout: float,
        store: t.Optional[str] = None,
        drained: bool = False,
    ) -> None:
        self._connection = connection
        self._requests = RequestCount(connection)
        self._timeout = timeout
        self._store = store
        self._drained = drained
        self.nodes = [Node(name, str(url).rstrip("/")) for name, url in endpoints.items()]
        self.problems: list[Problem] = []
        self.proof: t.Optional[Proof] = None
        self.removed_leftovers: list[str] = []
        self.noted: t.Optional[dict[str, t.Any]] = None

    def look(self, silence_is_fine: bool) -> None:
        """Ask every node what needs no token.

        :param silence_is_fine: leave out nodes that do not answer, as on a site that is not deployed yet.
        """
        for node in self.nodes:
            with self._timed(node):
                self._look_at(node, silence_is_fine)

    def prove(self, size: int) -> None:
        """Upload an image through the first node that is fine, read it back from all of them, and delete it."""
        first = self._first_fine()
        if first is None:
            return
        try:
            with told("logging in to Keystone"):
                access = self._connection.session.auth.get_access(self._connection.session)
        except GlanceError as error:
            self._problem("GLS-201", "", error)
            return
        self._remove_leftovers(first, access)
        self.proof = Proof(os.urandom(size))
        with _stoppable() as keep_on:
            try:
                if self._upload(first, self.proof, access.user_id):
                    self._read_back(self.proof)
            except StoppedError as error:
                self.problems.append(Problem("GLS-313", str(error)))
            finally:
                keep_on()
                self._delete(first, self.proof)

    def note_stores(self, check_mode: bool) -> None:
        """Let Glance note in which store each image is, by the first node that is fine.

        :param check_mode: only look.
        """
        first = self._first_fine()
        if first is None:
            return
        try:
            tagging = Tagging(ImageApi(self._connection, first.url))
            tagging.look(check_mode)
            if not check_mode and tagging.left:
                tagging.tag()
            self.noted = tagging.result()
        except GlanceError as error:
            self._problem("GLS-314", first.node, error)

    def result(self) -> dict[str, t.Any]:
        """What the module returns."""
        return {
            "nodes": [node.as_dict() for node in self.nodes],
            "problems": [problem.as_dict() for problem in self.problems],
            "summary": [*map(_line, self.nodes), *self._conclusion()],
            "image": self.proof.as_dict() if self.proof else None,
            "removed_leftovers": self.removed_leftovers,
            "stores": self.noted,
            "requests": self._requests.total,
        }

    # --- what needs no token ------------------------------------------------------------------------------------------

    def _look_at(self, node: Node, silence_is_fine: bool) -> None:
        try:
            health = self._ask(node, "/healthcheck", authenticated=False, raise_exc=False, redirect=False)
            answer = self._ask(node, "/v2/images?limit=1", authenticated=False, raise_exc=False, redirect=False)
        except GlanceError as error:
            if not silence_is_fine:
                node.healthcheck = "no answer"
                self._problem("GLS-301", node.node, error)
            return
        node.healthcheck = self._judge_health(node, health.status_code, health.text)
        node.unauthenticated = self._judge_refusal(node, answer.status_code)

    def _judge_health(self, node: Node, status: int, text: str) -> str:
        if status == 200:
            return OK
        if self._drained and is_disabled_by_file(status, text):
            return DRAINED
        self.problems.append(Problem("GLS-301", f"{node.url}/healthcheck answers with HTTP {status}", node.node))
        return f"HTTP {status}"

    def _judge_refusal(self, node: Node, status: int) -> str:
        if status == 401:
            return OK
        what = f"{node.url}/v2/images answers a request without a token with HTTP {status}"
        # Glance without authentication takes everybody for an administrator, whom its newer policy rules refuse.
        if status in (200, 403):
            self.problems.append(Problem("GLS-302", f"THE API IS OPEN: {what}", node.node))
            return f"OPEN (HTTP {status})"
        self.problems.append(Problem("GLS-303", what, node.node))
        return f"HTTP {status}"

    # --- what needs one -----------------------------------------------------------------------------------------------

    def _upload(self, node: Node, proof: Proof, user: str) -> bool:
        body = {
            "id": proof.id,
            "name": proof.name,
            "disk_format": "raw",
            "container_format": "bare",
            "visibility": "private",
            "tags": [MARK],
            USER_PROPERTY: user,
        }
        headers = {"Content-Type": "application/octet-stream"}
        if self._store:
            headers["X-Image-Meta-Store"] = self._store
        with self._timed(node):
            try:
                self._ask(node, "/v2/images", "POST", json=body)
                self._ask(node, f"/v2/images/{proof.id}/file", "PUT", data=proof.data, headers=headers)
            except GlanceError as error:
                node.upload = "failed"
                self._problem("GLS-310", node.node, error)
                return False
        node.upload = OK
        return True

    def _read_back(self, proof: Proof) -> None:
        for node in self.nodes:
            if node.fine:
                with self._timed(node):
                    node.download = self._compare(node, proof)

    def _compare(self, node: Node, proof: Proof) -> str:
        try:
            status, size, sha512 = self._download(node, proof)
        except GlanceError as error:
            self._problem("GLS-311", node.node, error)
            return "failed"
        if (size, sha512) == (len(proof.data), proof.sha512):
            return OK
        # Glance answers with 204 when its store has not got the image.
        kind = "CHANGED" if size == len(proof.data) else "LOST"
        said = f"HTTP {status}" if status >= 400 else f"HTTP {status} with {size} of {len(proof.data)} bytes"
        self.problems.append(
            Problem("GLS-311", f"the image {proof.name} is {kind}: {node.url} answers with {said}", node.node)
        )
        return f"{kind} ({said})"

    def _download(self, node: Node, proof: Proof) -> tuple[int, int, str]:
        digest, size = hashlib.sha512(), 0
        with told(f"reading the image {proof.name} from {node.url}"):
            answer = self._ask(node, f"/v2/images/{proof.id}/file", stream=True, raise_exc=False)
            for block in answer.iter_content(BLOCK):
                digest.update(block)
                size += len(block)
        return answer.status_code, size, digest.hexdigest()

    def _delete(self, node: Node, proof: Proof) -> None:
        left = f"the image {proof.name} ({proof.id}) is left behind"
        try:
            deleted = self._ask(node, f"/v2/images/{proof.id}", "DELETE", raise_exc=False).status_code
            found = self._ask(node, f"/v2/images/{proof.id}", raise_exc=False).status_code
        except GlanceError as error:
            self.problems.append(Problem("GLS-312", f"{left}: {error.answer}", node.node))
            return
        # 404 to the DELETE: the upload did not get as far as making it.
        if deleted not in (204, 404) or found != 404:
            said = f"DELETE answers with HTTP {deleted}, GET after it with HTTP {found}"
            self.problems.append(Problem("GLS-312", f"{left}: {said}", node.node))

    def _remove_leftovers(self, node: Node, access: t.Any) -> None:
        """Delete what runs of the same user left behind that were killed."""
        try:
            answer = self._ask(node, f"/v2/images?tag={MARK}&limit=100")
            now = _server_time(answer.headers.get("Date"))
            for image in answer.json()["images"]:
                if _is_abandoned(image, access, now):
                    self._ask(node, f"/v2/images/{image['id']}", "DELETE")
                    self.removed_leftovers.append(image["id"])
        except GlanceError as error:
            self._problem("GLS-312", node.node, error)

    # --- common -------------------------------------------------------------------------------------------------------

    def _first_fine(self) -> t.Optional[Node]:
        return next((node for node in self.nodes if node.fine), None)

    def _ask(self, node: Node, path: str, method: str = "GET", **options: t.Any) -> t.Any:
        # Some servers close a connection without saying so: none is used twice.
        self._connection.session.session.close()
        with told(f"{method} {node.url}{path}"):
            return self._connection.session.request(f"{node.url}{path}", method, timeout=self._timeout, **options)

    def _problem(self, code: str, node: str, error: GlanceError) -> None:
        # What is answered names the request.
        self.problems.append(Problem(code, error.answer or error.doing, node))

    @contextlib.contextmanager
    def _timed(self, node: Node) -> t.Iterator[None]:
        start = time.monotonic()
        try:
            yield
        finally:
            node.seconds += time.monotonic() - start

    def _conclusion(self) -> t.Iterator[str]:
        if self.proof:
            good = sum(node.download == OK for node in self.nodes)
            yield (
                f"An image of {len(self.proof.data)} bytes came back unchanged from {good} of {len(self.nodes)} nodes;"
                f" {self._requests.total} requests."
            )
        yield from _noted_lines(self.noted or {})
        for identity in self.removed_leftovers:
            yield f"Removed {identity}, which an earlier run had left behind."


def _line(node: Node) -> str:
    checks = [
        f"{title} {result}"
        for title, result in [
            ("healthcheck", node.healthcheck),
            ("without a token", "refused" if node.unauthenticated == OK else node.unauthenticated),
            ("upload", node.upload),
            ("download", node.download),
        ]
        if result != SKIPPED
    ]
    return f"{node.node} ({node.url}): {', '.join(checks) or 'skipped, nothing answers'}"


def _noted_lines(noted: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Tell what is worth telling of the names of stores that Glance has noted."""
    if noted.get("single"):
        yield "The API is not in multi-store form yet: no image was asked for its store."
    for kind, what in (("tagged", "the name of its store"), ("renamed", "the new name of its store")):
        if noted.get(kind):
            yield f"{len(noted[kind])} of {noted['images']} images: each has got {what}."
    if noted.get("untagged"):
        names = ", ".join(str(image["name"]) for image in noted["untagged"])
        yield f"No store of the configuration leads to the data of {names}."


def _server_time(date: t.Optional[str]) -> datetime.datetime:
    """Return the time by the server's clock, which is the one that dates its images."""
    try:
        return email.utils.parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return datetime.datetime.now(datetime.timezone.utc)


def _is_abandoned(image: dict[str, t.Any], access: t.Any, now: datetime.datetime) -> bool:
    made = datetime.datetime.strptime(image["created_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    return (
        str(image["name"]).startswith(f"{MARK}-")
        and image.get(USER_PROPERTY) == access.user_id
        and now - made > ABANDONED_AFTER
    )


@contextlib.contextmanager
def _stoppable() -> t.Iterator[t.Callable[[], None]]:
    """Turn the signals that end a process into an exception, until the function that is given out is called."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def stop(number: int, _frame: t.Any) -> None:
        keep_on()
        raise StoppedError(f"the verification was stopped by {signal.Signals(number).name}")

    def keep_on() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield keep_on
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
