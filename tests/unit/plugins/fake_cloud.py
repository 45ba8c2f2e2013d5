# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A Keystone with a Glance that remembers its images, and a web server, on the loopback interface."""

from __future__ import annotations

import copy
import hashlib
import http.server
import json
import threading
import typing as t
from urllib.parse import parse_qsl, urlencode, urlsplit

PROJECT = "11111111111111111111111111111111"
OTHER_PROJECT = "22222222222222222222222222222222"
MOST_KEPT = 8 * 1024 * 1024


class Server:
    """Runs a handler in threads, as a context manager."""

    def __init__(self, handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        self._httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def __enter__(self) -> t.Any:
        threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()


class Request(t.NamedTuple):
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: t.Any
    tags: tuple[str, ...] = ()
    """All values of the parameter tag, of which the query has the last one."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class FakeCloud(Server):
    """Answers as Keystone and Glance do; what shall go wrong is set in its attributes."""

    def __init__(self) -> None:
        super().__init__(type("Handler", (CloudHandler,), {"cloud": self}))
        self.images: dict[str, dict[str, t.Any]] = {}
        self.ever: set[str] = set()
        self.requests: list[Request] = []
        self.page_size = 1000
        self.late_stores: dict[str, str] = {}
        """The store that an image gets once it is asked for by itself."""
        self.projects = {"customer": OTHER_PROJECT}
        self.members: dict[str, dict[str, str]] = {}
        self.stores: t.Optional[list[str]] = None
        self.tasks: list[dict[str, str]] = []
        self.import_fails = ""
        self.data: dict[str, bytearray] = {}
        self.staged: dict[str, bytes] = {}
        self.fetched = b""
        """What Glance finds wherever it fetches something."""
        self.hash_algorithm: t.Optional[str] = "sha512"
        self.has_endpoint = True
        self.has_project = True
        """Whether the token is for a project, and not for the system."""
        self.password = "secret"
        self.answers: dict[str, tuple[int, str]] = {}
        self.damages_data = False
        self.hangs_up_before: list[str] = []
        self.breaks_after: t.Optional[int] = None
        self.cuts: list[int] = []
        """After how many bytes each of the first downloads breaks off."""
        self.gives_parts = True
        self.writes_left: t.Optional[int] = None
        """After so many requests that change an image, every further one fails: what a run that was killed has done."""
        self.tokens_that_expire = 0
        """How many uploads are refused when all of their data have come, as eventlet does it."""
        self.during_upload: t.Callable[[int], None] = lambda received: None

    @property
    def auth(self) -> dict[str, t.Any]:
        """The options of the module that lead here."""
        return {
            "auth": {
                "auth_url": f"{self.url}/v3",
                "username": "admin",
                "password": "secret",
                "project_name": "admin",
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": "Region",
        }

    def add(self, name: str, data: t.Optional[bytes] = None, **attributes: t.Any) -> dict[str, t.Any]:
        """Put an image there, with data or in the status queued."""
        number = len(self.ever) + 1
        image = {"id": f"00000000-0000-4000-8000-{number:012}", "name": name, **attributes}
        image = self._create(image)
        image.update({key: value for key, value in attributes.items() if key in ("owner", "status")})
        if data is not None:
            self._store(image, data=[data])
        image.update(attributes)
        return image

    def sent(self, *methods: str) -> list[str]:
        """Return the requests to Glance of these methods, ids left out."""
        ids = {image_id: f"<{number}>" for number, image_id in enumerate(sorted(self.ever))}
        found = [str(request) for request in self.requests if request.path.startswith("/image")]
        for image_id in ids:
            found = [line.replace(image_id, "ID") for line in found]
        return [line for line in found if not methods or line.split()[0] in methods]

    def body_of(self, method: str) -> t.Any:
        """Return the body of the only request to Glance of this method."""
        (body,) = (each.body for each in self.requests if each.method == method and each.path.startswith("/image"))
        return body

    def refuses(self, request: Request) -> bool:
        """Tell whether a request comes too late to change anything."""
        if self.writes_left is None or request.method == "GET" or not request.path.startswith("/image"):
            return False
        self.writes_left -= 1
        return self.writes_left < 0

    def _create(self, attributes: dict[str, t.Any]) -> dict[str, t.Any]:
        image = {
            "status": "queued",
            "visibility": "shared",
            "protected": False,
            "os_hidden": False,
            "owner": PROJECT if self.has_project else None,
            "tags": [],
            "min_ram": 0,
            "min_disk": 0,
            "checksum": None,
            "size": None,
            "virtual_size": None,
            "container_format": None,
            "disk_format": None,
            "created_at": f"2026-11-20T12:00:00.{len(self.ever):06}Z",
            "updated_at": "2026-11-20T12:00:00Z",
            "file": "/v2/images/x/file",
            "schema": "/v2/schemas/image",
            "self": "/v2/images/x",
            "direct_url": "swift+https://user:secret@store/x",
            **attributes,
        }
        if self.hash_algorithm:
            image.update(os_hash_algo=None, os_hash_value=None)
        self.images[image["id"]] = image
        self.ever.add(image["id"])
        return image

    def _store(self, image: dict[str, t.Any], data: t.Iterable[bytes]) -> None:
        kept = self.data[image["id"]] = bytearray()
        md5, strong, size = hashlib.md5(), hashlib.new(self.hash_algorithm or "sha512"), 0
        for block in data:
            # A test measures the memory of its process.
            kept += block if size < MOST_KEPT else b""
            size += len(block)
            md5.update(block)
            strong.update(block)
        if self.damages_data:
            md5.update(b"x")
            strong.update(b"x")
        image.update(status="active", size=size, checksum=md5.hexdigest())
        if self.stores:
            image.setdefault("stores", self.stores[0])
        if self.hash_algorithm:
            image.update(os_hash_algo=self.hash_algorithm, os_hash_value=strong.hexdigest())

    # What follows answers one kind of request each: (status, answer).

    def answer(self, request: Request) -> tuple[int, t.Any]:
        """Answer everything but uploads."""
        told = self.answers.get(f"{request.method} {request.path}") or self.answers.get(request.method)
        if told and request.path.startswith("/image"):
            return told
        parts = request.path.strip("/").split("/")
        if parts[0] == "v3":
            return self._keystone(request, parts[1:])
        if parts[:3] == ["image", "v2", "info"]:
            return (404, "") if self.stores is None else (200, {"stores": [{"id": store} for store in self.stores]})
        if parts[:3] == ["image", "v2", "images"]:
            return self._images(request, parts[3:])
        return 404, "no such path"

    def _keystone(self, request: Request, parts: list[str]) -> tuple[int, t.Any]:
        if parts == ["auth", "tokens"]:
            if request.body["auth"]["identity"]["password"]["user"]["password"] != self.password:
                return 401, {"error": {"message": "The request you have made requires authentication.", "code": 401}}
            return 201, {"token": self._token()}
        if parts == ["projects"]:
            found = self.projects.get(request.query["name"])
            return 200, {"projects": [{"id": found, "name": request.query["name"]}] if found else []}
        link = [{"rel": "self", "href": f"{self.url}/v3/"}]
        return 200, {"version": {"id": "v3.14", "status": "stable", "links": link}}

    def _token(self) -> dict[str, t.Any]:
        services = [("identity", f"{self.url}/v3")]
        if self.has_endpoint:
            services.append(("image", f"{self.url}/image"))
        project = {"project": {"id": PROJECT, "name": "admin", "domain": {"id": "default", "name": "Default"}}}
        return {
            "methods": ["password"],
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "user": {"id": "u", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            **(project if self.has_project else {"system": {"all": True}}),
            "roles": [{"id": "r", "name": "admin"}],
            "catalog": [
                {
                    "type": kind,
                    "name": kind,
                    "id": kind,
                    "endpoints": [
                        {"interface": "public", "url": url, "region": "Region", "region_id": "Region", "id": kind}
                    ],
                }
                for kind, url in services
            ],
        }

    def _images(self, request: Request, parts: list[str]) -> tuple[int, t.Any]:
        if not parts:
            return self._collection(request)
        image = self.images.get(parts[0])
        if image is None:
            return 404, "<html><title>404 Not Found</title><body>No image found</body></html>"
        below = {
            "file": self._give_out,
            "members": self._membership,
            "actions": self._act,
            "import": self._import,
            "tasks": self._list_tasks,
        }
        if parts[1:2] and parts[1] in below:
            return below[parts[1]](request, image, parts[2:])
        if request.method == "DELETE":
            if image["protected"]:
                return 403, "Image is protected"
            del self.images[parts[0]]
            return 204, None
        if request.method == "PATCH":
            self._change(image, request.body)
        if image["id"] in self.late_stores:
            image["stores"] = self.late_stores[image["id"]]
        return 200, image

    @staticmethod
    def _change(image: dict[str, t.Any], operations: list[dict[str, t.Any]]) -> None:
        for operation in operations:
            name = operation["path"][1:].replace("~1", "/").replace("~0", "~")
            if operation["op"] == "remove":
                del image[name]
            else:
                assert (operation["op"] == "replace") == (name in image), operation
                image[name] = operation["value"]

    def _give_out(self, _request: Request, image: dict[str, t.Any], _parts: list[str]) -> tuple[int, t.Any]:
        return 200, bytes(self.data[image["id"]])

    @staticmethod
    def _act(_request: Request, image: dict[str, t.Any], parts: list[str]) -> tuple[int, t.Any]:
        image["status"] = {"deactivate": "deactivated", "reactivate": "active"}[parts[0]]
        return 204, None

    def _import(self, request: Request, image: dict[str, t.Any], _parts: list[str]) -> tuple[int, t.Any]:
        method, stores = request.body["method"]["name"], request.body.get("stores") or ["default"]
        if method == "copy-image" and image["status"] != "active":
            return 409, "Only images with status active can be targeted for copying"
        task = {"id": str(len(self.tasks)), "image_id": image["id"], "status": "success", "message": ""}
        self.tasks.append(task)
        if self.import_fails:
            task.update(status="failure", message=self.import_fails)
            image["os_glance_failed_import"] = ",".join(stores)
        elif method == "copy-image":
            image["stores"] = ",".join([*image["stores"].split(","), *stores])
        else:
            data = self.staged.pop(image["id"]) if method == "glance-direct" else self.fetched
            self._store(image, [data])
            image["stores"] = ",".join(stores)
        return 202, None

    def _list_tasks(self, _request: Request, image: dict[str, t.Any], _parts: list[str]) -> tuple[int, t.Any]:
        return 200, {"tasks": [task for task in self.tasks if task["image_id"] == image["id"]]}

    def _membership(self, request: Request, image: dict[str, t.Any], parts: list[str]) -> tuple[int, t.Any]:
        members = self.members.setdefault(image["id"], {})
        if image["visibility"] != "shared":
            return 403, "Only shared images have members"
        if request.method == "POST":
            members[request.body["member"]] = "pending"
        elif request.method == "PUT":
            members[parts[0]] = request.body["status"]
        elif request.method == "DELETE":
            del members[parts[0]]
        return 200, {"members": [{"member_id": member, "status": status} for member, status in members.items()]}

    def _collection(self, request: Request) -> tuple[int, t.Any]:
        if request.method == "POST":
            if request.body["id"] in self.ever:
                return 409, "<html><body>Image ID already exists!</body></html>"
            return 201, self._create(request.body)
        query = {name: value for name, value in request.query.items() if name != "limit"}
        if "name" not in query:
            return 200, self._page(query, request.tags)
        operator, _colon, name = query.pop("name").partition(":")
        assert operator == "eq"
        hidden = query.pop("os_hidden", "false") == "true"
        found = [image for image in self.images.values() if image["name"] == name and self._is_hidden(image) == hidden]
        found = [image for image in found if all(image[key] == value for key, value in query.items())][::-1]
        return 200, {"images": found[: int(request.query.get("limit", "25"))]}

    def _page(self, query: dict[str, str], tags: tuple[str, ...]) -> dict[str, t.Any]:
        hidden = query.get("os_hidden", "false") == "true"
        visibility = query.get("visibility")
        found = [
            image
            for image in self.images.values()
            if self._is_hidden(image) == hidden
            and set(tags) <= set(image["tags"])
            and image["owner"] == query.get("owner", image["owner"])
            and (image["visibility"] == visibility if visibility else self._is_in_lists(image, query))
        ]
        start = int(query.get("marker", "0"))
        page = {"images": found[start : start + self.page_size]}
        if start + self.page_size < len(found):
            # As Glance's, the link forgets all but the last value of a parameter.
            rest = {**query, "marker": str(start + self.page_size)}
            page["next"] = f"/v2/images?{urlencode(rest)}"
        return page

    @staticmethod
    def _is_hidden(image: dict[str, t.Any]) -> bool:
        return bool(image.get("os_hidden"))  # Releases before Rocky do not have it.

    @staticmethod
    def _is_in_lists(image: dict[str, t.Any], query: dict[str, str]) -> bool:
        return image["visibility"] != "community" or "owner" in query

    def upload(self, request: Request, blocks: t.Iterator[bytes]) -> tuple[int, t.Any]:
        """Take the data of an image, as much as comes."""
        image = self.images[request.path.split("/")[4]]
        if request.path.endswith("/stage"):
            self.staged[image["id"]] = b"".join(blocks)
            image["status"] = "uploading"
            return 204, None
        image["status"] = "saving"
        try:
            self._store(image, self._watched(blocks))
        except ConnectionError:
            image["status"] = "queued"
            raise
        return 204, None

    def _watched(self, blocks: t.Iterator[bytes]) -> t.Iterator[bytes]:
        received = 0
        for block in blocks:
            received += len(block)
            self.during_upload(received)
            if self.breaks_after is not None and received > self.breaks_after:
                raise ConnectionError
            yield block


class CloudHandler(http.server.BaseHTTPRequestHandler):
    """Reads requests for the cloud, and writes its answers."""

    cloud: FakeCloud
    protocol_version = "HTTP/1.1"

    def handle_one(self) -> None:
        """Answer a request."""
        parts = urlsplit(self.path)
        body: t.Any = None
        takes = self.command == "PUT" and parts.path.endswith(("/file", "/stage"))
        if not takes:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
        query = parse_qsl(parts.query)
        tags = tuple(value for name, value in query if name == "tag")
        request = Request(self.command, parts.path, dict(query), dict(self.headers.items()), body, tags)
        self.cloud.requests.append(copy.deepcopy(request))
        if self.command in self.cloud.hangs_up_before:
            self.cloud.hangs_up_before.remove(self.command)
            self.close_connection = True
        elif self.cloud.refuses(request):
            for _block in self.blocks() if takes else ():
                pass
            self.reply(500, "killed")
        elif takes:
            self.take(request)
        elif self.command == "GET" and parts.path.endswith("/file"):
            self.give(*self.cloud.answer(request))
        else:
            self.reply(*self.cloud.answer(request))

    def give(self, status: int, answer: t.Any) -> None:
        """Send the data of an image: a part where one is asked for, and only the beginning where that shall break."""
        headers = {}
        if status == 200 and "Range" in self.headers and self.cloud.gives_parts:
            start, size = int(self.headers["Range"].strip("bytes=-")), len(answer)
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
            status, answer = 206, answer[start:]
        cut = self.cloud.cuts.pop(0) if self.cloud.cuts and status < 300 else None
        self.close_connection = cut is not None
        self.reply(status, answer, headers, cut)

    def take(self, request: Request) -> None:
        """Take the data of an image; or answer before they have come and hang up, as eventlet does."""
        if "PUT" in self.cloud.answers:
            self.close_connection = True
            self.reply(*self.cloud.answers["PUT"])
            return
        if self.cloud.tokens_that_expire:
            self.cloud.tokens_that_expire -= 1
            for _block in self.blocks():
                pass
            self.reply(401, "Unauthorized")
            return
        try:
            self.reply(*self.cloud.upload(request, self.blocks()))
        except ConnectionError:
            self.close_connection = True

    def blocks(self) -> t.Iterator[bytes]:
        """Return the body of the request, in blocks."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while length := int(self.rfile.readline(), 16):
                yield self.rfile.read(length)
                self.rfile.readline()
            return
        left = int(self.headers["Content-Length"])
        while left:
            block = self.rfile.read(min(left, 65536))
            if not block:
                raise ConnectionError
            left -= len(block)
            yield block

    def reply(
        self,
        status: int,
        answer: t.Any,
        headers: t.Optional[t.Mapping[str, str]] = None,
        cut: t.Optional[int] = None,
    ) -> None:
        """Send an answer, or the beginning of one: a text as HTML, anything else as JSON."""
        html = isinstance(answer, str)
        content = b"" if answer is None else answer.encode() if html else answer
        content = content if isinstance(content, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if html else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Subject-Token", "token")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[:cut])

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
        """Keep the output of the tests readable."""


class FakeWeb(Server):
    """Serves one file, well or badly."""

    def __init__(
        self,
        content: bytes,
        *,
        status: int = 200,
        announced: int = 0,
        parts: bool = True,
        etag: str = "",
        breaks: t.Sequence[int] = (),
        first: t.Sequence[int] = (),
        location: str = "",
    ) -> None:
        """Set up the server.

        :param announced: how many bytes more than there are it announces; -1 to announce nothing.
        :param parts: whether it gives out parts of the file.
        :param etag: the version of the file.
        :param breaks: after how many bytes each of the first answers breaks off.
        :param first: the statuses of the first answers.
        :param location: where it leads to instead.
        """
        self.content = content
        self.files: dict[str, bytes] = {}
        """What it serves at other paths."""
        self.etag = etag
        self.requests: list[str] = []
        self.parts, self.location = parts, location
        self.cuts, self.statuses = list(breaks), list(first)
        self.whole = (status, announced)
        super().__init__(type("Handler", (WebHandler,), {"web": self}))


class WebHandler(http.server.BaseHTTPRequestHandler):
    """Reads requests for a file, and gives it out."""

    web: FakeWeb
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request."""
        web = self.web
        web.requests.append(self.headers.get("Range", "all"))
        self.close_connection = True
        content = web.files.get(self.path, web.content)
        asked = "Range" in self.headers and self.headers.get("If-Range", web.etag) == web.etag
        if web.statuses:
            self.send(web.statuses.pop(0), b"", 0)
        elif web.location:
            self.send(302, b"", 0)
        elif web.parts and asked:
            first, last = self.headers["Range"].partition("=")[2].split("-")
            self.send(206, content[int(first) : int(last) + 1 if last else None], 0, int(first))
        else:
            self.send(web.whole[0], content, web.whole[1])

    def send(self, status: int, content: bytes, more: int, start: int = 0) -> None:
        """Send an answer, or the beginning of one."""
        self.send_response(status)
        for name, value in self.headers_of(status, content, start).items():
            self.send_header(name, value)
        if more < 0:
            self.send_header("Transfer-Encoding", "chunked")
            content = f"{len(content):x}\r\n".encode() + content + b"\r\n0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(content) + more))
        self.end_headers()
        self.wfile.write(content[: self.web.cuts.pop(0)] if self.web.cuts and status < 300 else content)

    def headers_of(self, status: int, content: bytes, start: int) -> dict[str, str]:
        """Return the headers that tell of the file."""
        headers = {"Accept-Ranges": "bytes" if self.web.parts else "none"}
        if status == 302:
            headers["Location"] = self.web.location
        if self.web.etag:
            headers["ETag"] = self.web.etag
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{start + len(content) - 1}/{len(self.web.content)}"
        return headers

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
        """Keep the output of the tests readable."""
