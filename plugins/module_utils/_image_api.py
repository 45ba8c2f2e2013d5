# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The requests to Glance's image API that the collection sends, as old as version 2 of it where possible."""

from __future__ import annotations

import contextlib
import re
import typing as t
from urllib.parse import parse_qs, urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import BLOCK, Stream
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import API_TIMEOUT, RequestCount, told

with contextlib.suppress(ImportError):
    import keystoneauth1.adapter
    import keystoneauth1.exceptions
    import requests.exceptions

if t.TYPE_CHECKING:
    from openstack.connection import Connection

PATCH_TYPE = "application/openstack-images-v2.1-json-patch"

SLOWEST_DELETE = 16 * 1024 * 1024
"""Bytes a second: most stores delete while the request waits."""


class NoPartError(GlanceError):
    """Glance gives out an image only as a whole."""


class ImageApi:
    """The requests to Glance, one method each.

    :param endpoint: the URL of the one Glance to ask; without it, the one that the catalogue leads to.
    :param region: the region of the Glance to look for in the catalogue; without it, that of the connection.
    """

    def __init__(
        self, connection: Connection, endpoint: t.Optional[str] = None, region: t.Optional[str] = None
    ) -> None:
        self._connection = connection
        self._count = RequestCount(connection)
        self._projects: dict[str, list[str]] = {}
        config = connection.config
        # Not connection.image: it would ask Glance for its versions first, and all that is used here is as old as v2.
        self._adapter = keystoneauth1.adapter.Adapter(
            session=connection.session,
            service_type="image",
            interface=config.get_interface("image"),
            region_name=region or config.get_region_name("image"),
            endpoint_override=endpoint or config.get_endpoint("image"),
        )

    @property
    def requests(self) -> int:
        """How many requests were sent, those for the token included."""
        return self._count.total

    def authenticate(self) -> None:
        """Get the token that everything else uses."""
        with told("authenticating"):
            self._adapter.get_token()

    def own_project(self) -> tuple[t.Optional[str], t.Optional[str]]:
        """Return id and name of the project that the token is for."""
        with told("reading the project of the token"):
            get_access = getattr(self._connection.session.auth, "get_access", None)
            access = get_access(self._connection.session) if get_access else None
        return (access.project_id, access.project_name) if access else (None, None)

    def project_id(self, name: str) -> str:
        """Return the id of a project; Keystone is asked once for each.

        :raises GlanceError: when there is none, or more than one.
        """
        doing = f"looking for the project {name!r}"
        if name not in self._projects:
            with told(doing):
                self._projects[name] = [str(project.id) for project in self._connection.identity.projects(name=name)]
        found = self._projects[name]
        if len(found) != 1:
            raise GlanceError(
                doing,
                answer=f"there are {len(found)}: {', '.join(found)}" if found else "there is none",
                remedy="give the id of the project",
            )
        return found[0]

    def listing(self, /, **filters: t.Union[str, list[str]]) -> t.Iterator[Record]:
        """Yield all images that match, page by page; Glance gives at most 1000 a page, and 25 when it is not told.

        :param filters: a list becomes a parameter for each of its values.
        """
        parameters = {"limit": "1000", **filters}
        while True:
            page = self._request("listing the images", "GET", "/images", params=parameters).json()
            yield from page["images"]
            marker = parse_qs(urlsplit(page.get("next", "")).query).get("marker")
            if not marker:
                return
            # Of the parameters that stand there several times, Glance's link has only the last one.
            parameters = {**parameters, "marker": marker}

    def get(self, image_id: str) -> t.Optional[Record]:
        """Return an image, or None."""
        try:
            return self._record(self._request(f"reading the image {image_id}", "GET", f"/images/{image_id}"))
        except GlanceError as error:
            if status_of(error) == 404:
                return None
            raise

    def create(self, attributes: Record) -> Record:
        """Make the record of an image, without data."""
        doing = f"creating the image {attributes.get('name')!r}"
        return self._record(self._request(doing, "POST", "/images", json=attributes))

    def update(self, record: Record, updates: Record) -> Record:
        """Change attributes and properties, in one request; None removes a property."""
        operations = [_operation(record, name, value) for name, value in sorted(updates.items())]
        return self._record(
            self._request(
                f"changing the image {record['id']}",
                "PATCH",
                f"/images/{record['id']}",
                json=operations,
                headers={"Content-Type": PATCH_TYPE},
            )
        )

    def upload(self, image_id: str, stream: Stream, store: t.Optional[str], timeout: float) -> None:
        """Send the data of an image."""
        headers = {} if store is None else {"X-Image-Meta-Store": store}
        self._send(f"/images/{image_id}/file", f"uploading the data of the image {image_id}", stream, headers, timeout)

    def _send(self, path: str, doing: str, stream: Stream, headers: dict[str, str], timeout: float) -> None:
        self._request(
            doing,
            "PUT",
            path,
            data=stream,
            headers={"Content-Type": "application/octet-stream", **headers},
            timeout=timeout,
            log=False,
            connect_retries=0,
            status_code_retries=0,
        )

    def stage(self, image_id: str, stream: Stream, timeout: float) -> None:
        """Send the data of an image to where imports begin."""
        self._send(f"/images/{image_id}/stage", f"staging the data of the image {image_id}", stream, {}, timeout)

    def import_data(self, image_id: str, method: Record, stores: t.Optional[list[str]]) -> None:
        """Let Glance begin an import."""
        body: Record = {"method": method}
        if stores:
            # Where all stores have to succeed, Glance keeps what it has staged, and a further try takes it unseen.
            body.update(stores=stores, all_stores_must_succeed=False)
        self._request(f"importing the image {image_id}", "POST", f"/images/{image_id}/import", json=body)

    def tasks(self, image_id: str) -> list[Record]:
        """Return the imports of an image that Glance still remembers, the newest first; none where it tells of none."""
        try:
            answer = self._request(f"listing the tasks of the image {image_id}", "GET", f"/images/{image_id}/tasks")
        except GlanceError as error:
            if status_of(error) == 404:
                return []
            raise
        return sorted(answer.json()["tasks"], key=lambda task: str(task.get("created_at")), reverse=True)

    def download(
        self, image_id: str, timeout: float, *, start: int = 0, size: int = 0, connect_retries: int = 2
    ) -> t.Generator[bytes, None, None]:
        """Yield the data of an image, in blocks.

        :param timeout: seconds that Glance may be silent.
        :param start: the byte to begin with.
        :param size: how many bytes the whole image has, where that is known.
        :param connect_retries: how often the request is sent again that gets no answer.
        :raises NoPartError: when Glance does not begin with that byte.
        :raises GlanceError: when Glance has not got them, or the connection breaks.
        """
        doing = f"downloading the image {image_id}"
        headers = {"Range": f"bytes={start}-"} if start else {}
        options = {"stream": True, "timeout": timeout, "log": False, "connect_retries": connect_retries}
        answer = self._request(doing, "GET", f"/images/{image_id}/file", headers=headers, **options)
        done = start
        with contextlib.closing(answer), told(doing):
            # What Glance says when no store has the data.
            if answer.status_code == 204:
                raise GlanceError(
                    doing,
                    answer="Glance has no data for it (HTTP 204)",
                    cause="data that were removed from the store, or a store that this node cannot see",
                    remedy="look for the image's id in the log of glance-api",
                )
            if start and not _is_the_rest(answer, start, size):
                raise NoPartError(doing, answer=f"Glance does not give out what comes after {start} bytes")
            for block in answer.iter_content(BLOCK):
                done += len(block)
                yield block
            if done < size:
                # Not every release of the libraries tells of a body that is shorter than announced.
                raise requests.exceptions.ConnectionError("the connection was closed")

    def delete(self, image_id: str, size: int, silence: t.Optional[float] = None) -> None:
        """Delete an image and its data; one that is already gone is fine.

        :param size: how many bytes of data it may have, over all of its stores.
        :param silence: seconds that Glance may be silent for an image without data; without it, as for any request.
        """
        doing = f"deleting the image {image_id}"
        try:
            self._request(doing, "DELETE", f"/images/{image_id}", timeout=self._patience_to_delete(size, silence))
        except GlanceError as error:
            if status_of(error) != 404:
                raise

    def _patience_to_delete(self, size: int, silence: t.Optional[float] = None) -> float:
        return (silence or self._connection.session.timeout or API_TIMEOUT) + size / SLOWEST_DELETE

    def stores(self) -> t.Optional[list[Record]]:
        """Return what Glance tells of its stores, or None where there is only one and it has no name."""
        try:
            answer = self._request("listing the stores", "GET", "/info/stores")
        except GlanceError as error:
            if status_of(error) == 404:
                return None
            raise
        return list(answer.json()["stores"])

    def members(self, image_id: str) -> dict[str, str]:
        """Return the projects that an image is shared with, and whether each has accepted it: the status by the id."""
        answer = self._request(f"listing the members of the image {image_id}", "GET", f"/images/{image_id}/members")
        return {str(member["member_id"]): str(member["status"]) for member in answer.json()["members"]}

    def add_member(self, image_id: str, project: str) -> None:
        """Share an image with a project."""
        doing = f"sharing the image {image_id} with the project {project}"
        self._request(doing, "POST", f"/images/{image_id}/members", json={"member": project})

    def set_member_status(self, image_id: str, project: str, status: str) -> None:
        """Accept or reject an image in the name of a project that it is shared with."""
        doing = f"making the project {project} have the image {image_id} {status}"
        self._request(doing, "PUT", f"/images/{image_id}/members/{project}", json={"status": status})

    def remove_member(self, image_id: str, project: str) -> None:
        """Share an image with a project no longer."""
        doing = f"sharing the image {image_id} with the project {project} no longer"
        self._request(doing, "DELETE", f"/images/{image_id}/members/{project}")

    def set_active(self, image_id: str, active: bool) -> None:
        """Allow or forbid that the data of an image are read."""
        action = "reactivate" if active else "deactivate"
        self._request(f"asking to {action} the image {image_id}", "POST", f"/images/{image_id}/actions/{action}")

    def _request(self, doing: str, method: str, path: str, **options: t.Any) -> t.Any:
        if method in ("GET", "DELETE"):
            # Servers close connections without saying so; these requests can be sent twice.
            options.setdefault("connect_retries", 2)
        with told(doing):
            return self._adapter.request(self._base() + path, method, raise_exc=True, **options)

    def _base(self) -> str:
        endpoint = self._adapter.get_endpoint()
        if endpoint is None:
            raise keystoneauth1.exceptions.EndpointNotFound("the catalogue has no endpoint of the service type image")
        return re.sub(r"/v[0-9.]+/?$", "", endpoint).rstrip("/") + "/v2"

    @staticmethod
    def _record(answer: t.Any) -> Record:
        return dict(answer.json())


def _is_the_rest(answer: t.Any, start: int, size: int) -> bool:
    """Tell whether an answer is a part of this image that begins with this byte."""
    part = rf"bytes {start}-\d+/({size}|\*)"
    return answer.status_code == 206 and bool(re.fullmatch(part, answer.headers.get("Content-Range", "")))


def _operation(record: Record, name: str, value: t.Any) -> Record:
    path = "/" + name.replace("~", "~0").replace("/", "~1")
    if value is None:
        return {"op": "remove", "path": path}
    return {"op": "replace" if name in record else "add", "path": path, "value": value}


def status_of(error: BaseException) -> t.Optional[int]:
    """Return the HTTP status that led to an error, if one did."""
    status = getattr(error.__cause__, "http_status", None)
    return int(status) if status else None


def is_unreachable(error: GlanceError) -> bool:
    """Tell whether an error means that there is no Glance yet, or none that answers."""
    kinds = (
        keystoneauth1.exceptions.ConnectFailure,
        keystoneauth1.exceptions.CatalogException,
        keystoneauth1.exceptions.DiscoveryFailure,
    )
    return isinstance(error.__cause__, kinds) or status_of(error) in (502, 503, 504)


def broke_off(error: GlanceError) -> bool:
    """Tell whether an error means that the connection broke in the middle of an answer."""
    return isinstance(error.__cause__, requests.exceptions.RequestException)


def is_of_the_api(error: GlanceError) -> bool:
    """Tell whether an error came from the request, and not from where its data came from."""
    return isinstance(error.__cause__, keystoneauth1.exceptions.ClientException)
