# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Whether the data of images can be read back, and is what it was."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import errno
import hashlib
import os
import re
import threading
import time
import traceback
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _locations, _running_config
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import ProgressFile
from ansible_collections.openstack_ops.glance.plugins.module_utils._locations import Attribution
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe_directory import Account, account
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import Running
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters

IMPORT_ERROR: t.Optional[str] = None
try:
    import requests
    import requests.adapters
    import urllib3.exceptions
    from keystoneauth1 import exceptions, loading, token_endpoint
    from keystoneauth1.session import Session
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

BLOCK = 1024 * 1024
USUAL_ALGORITHM = "sha512"
CONNECT_SECONDS = 10
PAUSE = 1.0
READER, FILE = "reader", "file"
NO_CONTENT = "no location of the image leads to its data through this Glance"


class VerificationError(Exception):
    """Why the data of an image could not be read, or is not what it was.

    :param passing: whether it may be different the next time.
    """

    def __init__(self, reason: str, passing: bool = False) -> None:
        self.passing = passing
        super().__init__(reason)


@dataclasses.dataclass(frozen=True)
class Digest:
    """The hash of some bytes, and how many they are."""

    algo: str
    value: str
    size: int


@dataclasses.dataclass(frozen=True)
class Image:
    """What an image ought to be.

    :param digest: the hash that Glance or the journal has of it, if either has one.
    """

    id: str
    size: t.Optional[int] = None
    digest: t.Optional[tuple[str, str]] = None

    @classmethod
    def of(cls, facts: t.Mapping[str, t.Any]) -> Image:
        """Return what the facts of the journal, or a record of Glance's, say of an image."""
        source = facts.get("source_hash") or {}
        # A copy gives an image without a hash that of what it has staged, which proves nothing about the source.
        algo = source.get("algo") or facts.get("hash_algo")
        value = source.get("value") or facts.get("hash_value")
        size = facts.get("size") if facts.get("size") is not None else source.get("size")
        digest = (str(algo), str(value).lower()) if algo and value else None
        return cls(str(facts["id"]), None if size is None else int(size), digest)


class Token:
    """The token for all requests; another one when it is no longer accepted."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        """Return what a request has to have.

        :raises GlanceError: when Keystone gives no token.
        """
        with self._lock:
            return self._headers()

    def renew(self, refused: t.Mapping[str, str]) -> bool:
        """Have another token than the refused one, and tell whether there is one.

        :raises GlanceError: when Keystone gives no token.
        """
        with self._lock:
            # Another thread may have met the same.
            return self._headers() != refused or bool(self._session.invalidate())

    def _headers(self) -> dict[str, str]:
        try:
            return dict(self._session.get_auth_headers() or {})
        except exceptions.ClientException as error:
            raise GlanceError(
                "getting a token",
                answer=without_credentials(" ".join(str(error).split()))[:300],
                cause="wrong credentials, or a Keystone that cannot be reached from the node",
                remedy="check auth",
            ) from error


class Count:
    """How many bytes were read, by all threads."""

    def __init__(self) -> None:
        self.bytes = 0
        self._lock = threading.Lock()

    def add(self, number: int) -> None:
        """Count further bytes."""
        with self._lock:
            self.bytes += number


class Http:
    """Reads images through a Glance on this node.

    :param stores: the stores that each Glance, by its URL, has to have and no others, as far as that matters.
    """

    def __init__(
        self,
        token: Token,
        count: Count,
        stall: float,
        parallel: int,
        stores: t.Optional[t.Mapping[str, t.Collection[str]]] = None,
    ) -> None:
        self._token = token
        self._count = count
        self._unchecked = dict(stores or {})
        self._timeout = (CONNECT_SECONDS, stall)
        self._session = requests.Session()
        # What is on this node is reached through no proxy.
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=parallel))

    def digest(self, url: str, image_id: str, algo: str) -> Digest:
        """Read an image, and return its hash.

        :raises VerificationError: when it cannot be read to its end.
        """
        try:
            self._check_stores(url)
            with contextlib.closing(self._get(f"{url.rstrip('/')}/v2/images/{image_id}/file")) as response:
                _refuse(response)
                blocks = response.raw.stream(BLOCK, decode_content=False)
                found = _digest(blocks, algo, self._count)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise VerificationError(f"reading broke off: {_in_short(error)}", passing=True) from error
        announced = response.headers.get("Content-Length")
        if announced is not None and int(announced) != found.size:
            raise VerificationError(f"the body ended after {found.size} of {announced} bytes", passing=True)
        return found

    def _check_stores(self, url: str) -> None:
        """Make sure, once, that what a Glance gives out can come from nowhere else."""
        wanted = self._unchecked.get(url)
        if wanted is None:
            return
        with contextlib.closing(self._get(f"{url.rstrip('/')}/v2/info/stores")) as response:
            _refuse(response)
            found = [str(store["id"]) for store in response.json()["stores"]]
        if set(found) != set(wanted):
            raise VerificationError(
                f"the Glance to read through has the stores {', '.join(found) or '(none)'} instead of"
                f" {', '.join(wanted)}, and would prove nothing",
                passing=True,
            )
        self._unchecked.pop(url, None)

    def _get(self, url: str) -> requests.Response:
        headers = self._token.headers()
        response = self._ask(url, headers)
        if response.status_code == 401 and self._token.renew(headers):
            response.close()
            response = self._ask(url, self._token.headers())
        return response

    def _ask(self, url: str, headers: t.Mapping[str, str]) -> requests.Response:
        # A compressed body would not have the length of the image.
        wanted = {**headers, "Accept-Encoding": "identity"}
        return self._session.get(url, headers=wanted, stream=True, timeout=self._timeout, allow_redirects=False)


class Files:
    """Reads the files of stores of the type file, with the rights of Glance's user."""

    def __init__(self, paths: t.Mapping[str, str], user: Account, count: Count) -> None:
        self._paths = paths
        self._user = user
        self._count = count
        self._lock = threading.Lock()

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._paths

    def digest(self, image_id: str, algo: str) -> Digest:
        """Read a file, and return its hash.

        :raises VerificationError: when Glance's user cannot read it to its end.
        """
        path = self._paths[image_id]
        try:
            with self._lock, _rights_of(self._user):
                descriptor = os.open(path, os.O_RDONLY)
            with open(descriptor, "rb", buffering=0) as file:
                return _digest(iter(lambda: file.read(BLOCK), b""), algo, self._count)
        except OSError as error:
            # What is there and cannot be read may be right.
            is_there = error.errno != errno.ENOENT
            raise VerificationError(
                f"{path} cannot be read by {self._user.name}: {error.strerror}", passing=is_there
            ) from error


@contextlib.contextmanager
def _rights_of(user: Account) -> t.Iterator[None]:
    """Have the rights of a user for a moment; that of all threads, so nothing else may be opened meanwhile."""
    if os.geteuid() != 0 or user.uid is None:
        yield
        return
    groups = os.getgroups()
    os.setgroups(user.groups)
    os.setegid(user.gid or 0)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _digest(blocks: t.Iterable[bytes], algo: str, count: Count) -> Digest:
    try:
        # Images from before secure hashes may have md5.
        found = hashlib.new(algo)
    except ValueError:
        raise VerificationError(f"Python does not know the hash algorithm {algo!r}") from None
    size = 0
    for block in blocks:
        found.update(block)
        size += len(block)
        count.add(len(block))
    return Digest(algo, found.hexdigest(), size)


def _refuse(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status == 204:
        raise VerificationError(f"HTTP 204: {NO_CONTENT}")
    # Its title and its heading repeat the status.
    said = re.sub(
        r"<(title|h1)>.*?</\1>|<[^>]*>", " ", response.raw.read(1000, decode_content=True).decode(errors="replace")
    )
    raise VerificationError(
        f"HTTP {status}: {' '.join(said.split())[:200]}".rstrip(": "), passing=status == 403 or status >= 500
    )


def _in_short(error: BaseException) -> str:
    text = str(error).lower()
    if "timed out" in text:
        return "nothing came for too long"
    if "refused" in text:
        return "the connection was refused"
    return (
        "the connection was closed" if "abort" in text or "incomplete" in text or "reset" in text else str(error)[:200]
    )


class Verification:
    """Reads images, and says of each what came of it.

    :param reader_url: the Glance to read through.
    :param source_url: the Glance to ask for the hash of an image that has none, if there is one.
    """

    def __init__(
        self,
        http: Http,
        files: Files,
        reader_url: str,
        source_url: t.Optional[str],
        controller: str = "",
        attempts: int = 2,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._http, self._files = http, files
        self._reader_url, self._source_url = reader_url, source_url
        self._controller = controller
        self._attempts = attempts
        self._sleep = sleep

    def lines(self, image: Image) -> list[Parameters]:
        """Return the lines of the journal about an image."""
        line: Parameters = {"event": "verify", "image_id": image.id, "state": "failed"}
        line["proof"] = FILE if image.id in self._files else READER
        line.update(controller=self._controller, algo="", value="", size=None, attempt=1)
        lines = [line]
        started = time.monotonic()
        try:
            expected = image
            if image.digest is None:
                source, _attempt = self._tried(lambda: self._source(image))
                lines.insert(0, {"event": "source_hash", "image_id": image.id, **dataclasses.asdict(source)})
                expected = Image(image.id, source.size, (source.algo, source.value))
            found, line["attempt"] = self._tried(lambda: self._target(expected))
            line.update(dataclasses.asdict(found), state="done")
            _compare(expected, found)
        except (VerificationError, GlanceError) as error:
            # What may be different the next time says nothing of the data.
            passing = not isinstance(error, VerificationError) or error.passing
            line.update(state="failed", reason=str(error), passing=passing)
        line["seconds"] = round(time.monotonic() - started, 3)
        return lines

    def _source(self, image: Image) -> Digest:
        if not self._source_url:
            raise VerificationError("Glance has no hash of it, and there is no source to make one from")
        try:
            source = self._http.digest(self._source_url, image.id, USUAL_ALGORITHM)
        except VerificationError as error:
            raise VerificationError(f"in the old store: {error}", error.passing) from error
        if image.size is not None and source.size != image.size:
            raise VerificationError(f"in the old store it has {source.size} bytes, and {image.size} in Glance")
        return source

    def _target(self, image: Image) -> Digest:
        algo = image.digest[0] if image.digest else USUAL_ALGORITHM
        if image.id in self._files:
            return self._files.digest(image.id, algo)
        return self._http.digest(self._reader_url, image.id, algo)

    def _tried(self, read: t.Callable[[], Digest]) -> tuple[Digest, int]:
        attempt = 1
        while True:
            try:
                return read(), attempt
            except VerificationError as error:
                if not error.passing or attempt >= self._attempts:
                    raise
            attempt += 1
            self._sleep(PAUSE)


def _compare(image: Image, found: Digest) -> None:
    if image.size is not None and found.size != image.size:
        raise VerificationError(f"it has {found.size} bytes instead of {image.size}")
    if image.digest and found.value != image.digest[1]:
        raise VerificationError(f"its {found.algo} is {found.value} instead of {image.digest[1]}")


def login(params: Parameters, running: Running) -> Token:
    """Return the token to read with: the given one, one for ``auth``, or one for Glance's own user.

    :raises GlanceError: when it cannot be had.
    """
    if IMPORT_ERROR is not None:
        raise GlanceError(
            "reading images", answer="keystoneauth1 or requests cannot be imported", remedy=_running_config.REMEDY
        )
    try:
        token = Token(_session(params, running))
    except (exceptions.ClientException, TypeError, AttributeError) as error:
        raise GlanceError(
            "reading how to log in",
            answer=without_credentials(" ".join(str(error).split()))[:300],
            cause="incomplete or mistyped credentials",
            remedy="give auth and auth_type as in clouds.yaml",
        ) from error
    token.headers()
    return token


def _session(params: Parameters, running: Running) -> Session:
    verify = params["ca_cert"] or params["validate_certs"]
    if params["token"]:
        return Session(token_endpoint.Token(params["reader_url"], params["token"]))
    if params["auth"]:
        loader = loading.get_plugin_loader(params["auth_type"])
        return Session(loader.load_from_options(**params["auth"]), verify=verify, timeout=CONNECT_SECONDS * 3)
    options = running.options
    loading.register_auth_conf_options(options, "keystone_authtoken")
    loading.register_session_conf_options(options, "keystone_authtoken")
    auth = loading.load_auth_from_conf_options(options, "keystone_authtoken")
    session: Session = loading.load_session_from_conf_options(options, "keystone_authtoken", auth=auth)
    session.timeout = CONNECT_SECONDS * 3
    return session


def paths(running: Running, name: t.Optional[str], wanted: t.Collection[str]) -> dict[str, str]:
    """Return the file of each image that has one in a store of the type file.

    :raises GlanceError: when the node has no store of that name, or its database cannot be read.
    """
    if not name:
        return {}
    if name not in running.stores:
        raise GlanceError(
            f"looking for the files of the store {name!r}",
            answer=f"the node's Glance has the stores {', '.join(running.stores) or '(none)'}",
            remedy="give files_of the name of one of them, or leave it out",
        )
    if running.stores[name].type != "file" or running.encrypted:
        return {}
    attribute = Attribution(running)
    return {
        image.id: location.address.partition("://")[2]
        for image in _locations.read(running).images
        if image.id in wanted
        for location in image.locations
        if location.address.startswith("file://") and attribute(location) == name
    }


def run(params: Parameters) -> Parameters:
    """Verify, and return the module's result.

    :raises GlanceError: when nothing can be read at all.
    """
    running = _running_config.read(params["config_file"], params["config_directory"])
    images = [Image.of(facts) for facts in params["images"]]
    token, count = login(params, running), Count()
    files = Files(
        paths(running, params["files_of"], {image.id for image in images}), account(params["user"], None), count
    )
    verification = Verification(
        Http(token, count, params["timeout"], params["transfers"], _stores(params)),
        files,
        params["reader_url"],
        params["source_url"],
        params["controller"],
        params["attempts"],
    )
    started = time.monotonic()
    results = _all(verification, images, params["transfers"], count, ProgressFile(params["progress_file"]))
    verified = [line for line in results if line["event"] == "verify"]
    return {
        "results": results,
        "verified": sum(line["state"] == "done" for line in verified),
        "failures": [line for line in verified if line["state"] != "done"],
        "bytes": count.bytes,
        "seconds": round(time.monotonic() - started, 3),
    }


def _stores(params: Parameters) -> dict[str, list[str]]:
    pairs = ((params["reader_url"], params["reader_stores"]), (params["source_url"], params["source_stores"]))
    return {url: stores for url, stores in pairs if url and stores is not None}


def _all(
    verification: Verification, images: list[Image], transfers: int, count: Count, progress: ProgressFile
) -> list[Parameters]:
    progress.begin("verified", sum(image.size or 0 for image in images), len(images))
    with concurrent.futures.ThreadPoolExecutor(transfers) as pool:
        under_way = [pool.submit(verification.lines, image) for image in images]
        try:
            waiting: t.Collection[concurrent.futures.Future[list[Parameters]]] = under_way
            while waiting:
                waiting = concurrent.futures.wait(waiting, timeout=1).not_done
                progress.advance(count.bytes, len(under_way) - len(waiting))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [line for future in under_way for line in future.result()]
