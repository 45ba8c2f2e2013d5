# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The requests to one controller's Glance that a switch of stores needs, and the choice of the controller to ask."""

from __future__ import annotations

import errno
import threading
import time
import typing as t
from http import HTTPStatus

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import (
    ImageApi,
    is_unreachable,
    status_of,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import Record
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_tag import LISTINGS

if t.TYPE_CHECKING:
    from openstack.connection import Connection

Answer = t.TypeVar("Answer")

FIRST_REST, LONGEST_REST = 2.0, 30.0
LISTING_ATTEMPTS = 3
# Under load, MariaDB ends transactions of Glance that are in each other's way, and Glance answers 500.
RETRIES = {
    "status_code_retries": 4,
    "retriable_status_codes": [HTTPStatus.INTERNAL_SERVER_ERROR],
    "status_code_retry_delay": 1,
}


class AwayError(GlanceError):
    """A Glance answers, and has nothing but errors for whatever it is asked: its database is away."""

    def __init__(self, error: GlanceError) -> None:
        cause = "MariaDB is down, or the network between it and the controllers"
        super().__init__(error.doing, answer=error.answer, cause=cause, remedy="look at MariaDB, and run again")


class SwitchApi(ImageApi):
    """The requests to one Glance that nothing but a switch needs."""

    def import_methods(self) -> list[str]:
        """Return the ways in which data can be imported."""
        answer = self._request("reading the import methods", "GET", "/info/import")
        return [str(method) for method in answer.json()["import-methods"]["value"]]

    def delete_location(self, store: str, image_id: str, size: int) -> None:
        """Delete the data of an image in one of its stores; where there is none any more, that is fine.

        :param size: how many bytes they are.
        """
        doing = f"deleting the data of the image {image_id} in {store}"
        try:
            self._request(doing, "DELETE", f"/stores/{store}/{image_id}", timeout=self._patience_to_delete(size))
        except GlanceError as error:
            if status_of(error) != 404:
                raise

    def glimpse(self, **filters: str) -> list[Record]:
        """Return the images that match, at most a thousand; that nobody listens is an error at once."""
        try:
            return self._glimpse(filters)
        except GlanceError as error:
            # A connection that was kept open may break without a meaning; the second attempt opens a new one.
            if not is_unreachable(error) or refuses(error):
                raise
            return self._glimpse(filters)

    def _request(self, doing: str, method: str, path: str, **options: t.Any) -> t.Any:
        # Both can be asked for once more whatever has come of the first time.
        if method != "GET" and "/actions/" not in path:
            return super()._request(doing, method, path, **options)
        try:
            return super()._request(doing, method, path, **{**RETRIES, **options})
        except GlanceError as error:
            if status_of(error) != HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            if self._fails():
                raise AwayError(error) from error.__cause__
        # What was in its way is over by now.
        return super()._request(doing, method, path, **{**RETRIES, **options})

    def _fails(self) -> bool:
        """Tell whether Glance has an error for whatever it needs its database for."""
        try:
            super()._request("asking for any image", "GET", "/images", params={"limit": "1"}, connect_retries=0)
        except GlanceError as error:
            return is_unreachable(error) or status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR
        return False

    def _glimpse(self, filters: dict[str, str]) -> list[Record]:
        parameters = {"limit": "1000", **filters}
        answer = self._request("looking at the copies", "GET", "/images", params=parameters, connect_retries=0)
        return list(answer.json()["images"])


class Controllers:
    """The controllers of a site, each by its own URL. One that does not answer rests for a while.

    :param endpoints: the URL of each controller's API, by its name.
    """

    def __init__(self, connection: Connection, endpoints: t.Mapping[str, str]) -> None:
        self.apis = {str(name): SwitchApi(connection, str(url).rstrip("/")) for name, url in endpoints.items()}
        self._rests: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()
        self._silent_since: t.Optional[float] = None

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return next(iter(self.apis.values())).requests

    @property
    def seconds_of_silence(self) -> float:
        """For how long no controller has answered."""
        return time.monotonic() - self._silent_since if self._silent_since is not None else 0.0

    def authenticate(self) -> None:
        """Get the token that everything else uses."""
        next(iter(self.apis.values())).authenticate()

    def is_resting(self, name: str) -> bool:
        """Tell whether a controller did not answer a moment ago."""
        return self._rests.get(name, (0.0, 0.0))[1] > time.monotonic()

    def on(self, name: str, request: t.Callable[[SwitchApi], Answer]) -> Answer:
        """Send a request to one controller.

        :raises GlanceError: what the request raises; a controller that does not answer rests then.
        """
        try:
            answer = request(self.apis[name])
        except GlanceError as error:
            if is_away(error):
                self._rest(name)
            else:
                self._answered(name)
            raise
        self._answered(name)
        return answer

    def anywhere(self, request: t.Callable[[SwitchApi], Answer]) -> Answer:
        """Send a request to the first controller that answers.

        :raises GlanceError: what the request raises, and when no controller answers.
        """
        names = sorted(self.apis, key=self.is_resting)
        for name in names[:-1]:
            try:
                return self.on(name, request)
            except GlanceError as error:
                if not is_away(error):
                    raise
        return self.on(names[-1], request)

    def listing(self, keep: t.Callable[[Record], Answer]) -> list[Answer]:
        """Return what ``keep`` keeps of every image of the cloud; hidden ones and those of all projects too."""
        found: dict[str, Answer] = {}
        for filters in LISTINGS:
            found.update(self._pages(keep, filters))
        return list(found.values())

    def _pages(self, keep: t.Callable[[Record], Answer], filters: dict[str, str]) -> dict[str, Answer]:
        def whole(api: SwitchApi) -> dict[str, Answer]:
            return {str(record["id"]): keep(record) for record in api.listing(**filters)}

        for _attempt in range(LISTING_ATTEMPTS - 1):
            try:
                return self.anywhere(whole)
            except GlanceError as error:
                # The image that a page begins behind may be deleted before the page is asked for.
                if status_of(error) not in (400, 404):
                    raise
        return self.anywhere(whole)

    def _rest(self, name: str) -> None:
        with self._lock:
            seconds = min(max(self._rests.get(name, (0.0, 0.0))[0] * 2, FIRST_REST), LONGEST_REST)
            self._rests[name] = (seconds, time.monotonic() + seconds)
            if len(self._rests) == len(self.apis):
                self._silent_since = self._silent_since or time.monotonic()

    def _answered(self, name: str) -> None:
        with self._lock:
            self._rests.pop(name, None)
            self._silent_since = None


def is_away(error: GlanceError) -> bool:
    """Tell whether an error means that a Glance does not answer, or has an error for everything."""
    return isinstance(error, AwayError) or is_unreachable(error)


def refuses(error: t.Optional[BaseException]) -> bool:
    """Tell whether nobody listens at the other end, which is otherwise than being slow or hanging up."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH):
            return True
        error = error.__cause__ or error.__context__
    return False
