# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Where the bytes of an image come from: a file or a URL, read once, hashed on the way, never held as a whole."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import stat
import tempfile
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_format
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import Checksum
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import HASHED, ProgressFile, Teller
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_url import shown_url
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import explain

IMPORT_ERROR: t.Optional[ImportError] = None
try:
    import requests
    import urllib3.exceptions
except ImportError as error:
    IMPORT_ERROR = error

BLOCK = 256 * 1024
MOST_AT_ONCE = 64 * 1024 * 1024
LARGEST_TEXT = 4 * 1024 * 1024
SECONDS_BEFORE_RETRY = 2.0
MOST_RETRIES = 4
"""How often in a row a download is tried again that gives next to nothing."""
SLOWEST_SERVER = 8 * 1024
"""Bytes a second: a web server that gives less, for as long as it may be silent, is given up."""
PASSING = (429, 500, 502, 503, 504)
"""What a web server answers while it is restarted or has too much to do."""


class Stream:
    """The bytes of an image on their way, as the body of a request.

    The last block is held back until everything that can be known of the bytes has been checked, so that a server
    never receives the whole of an image that is not the right one.
    """

    def __init__(self, source: Source, algorithms: t.Iterable[str], progress: Teller) -> None:
        self._source = source
        self._progress = progress
        self._algorithms = frozenset(algorithms)
        self._begin()

    def _begin(self) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in self._algorithms}
        self.done = 0

    def digest(self, algorithm: str) -> t.Optional[str]:
        """Return the checksum of what has passed, when it was computed with this algorithm."""
        return self._hashes[algorithm].hexdigest() if algorithm in self._hashes else None

    def __bool__(self) -> bool:
        # What is false is no body for requests.
        return True

    def __len__(self) -> int:
        # With 0, requests announces no length and sends chunks.
        return self._source.size or 0

    def __iter__(self) -> t.Iterator[bytes]:
        # A server that no longer takes the token gets everything once more, with a new token.
        self._begin()
        held = b""
        for block in self._source.blocks():
            for each in self._hashes.values():
                each.update(block)
            self.done += len(block)
            self._progress.advance(self.done)
            if held:
                yield held
            held = block
        self._source.check_end(self.done)
        self._check_sum()
        yield held

    def _check_sum(self) -> None:
        wanted = self._source.checksum
        if wanted is not None and self.digest(wanted.algorithm) not in (None, wanted.value):
            raise wrong_checksum(self._source.shown, wanted, str(self.digest(wanted.algorithm)))

    def drain(self) -> None:
        """Read everything, only for the checksums."""
        for _block in self:
            pass


def wrong_checksum(shown: str, wanted: Checksum, found: str) -> GlanceError:
    """Return the error of a checksum that is not the declared one."""
    return GlanceError(
        f"comparing the checksum of {shown}",
        answer=f"the declared one is {wanted}, the bytes have {wanted.algorithm}:{found}",
        cause="a file that was published anew, a damaged download, or the checksum of another file",
        remedy="get the file and its published checksum again, and compare them",
    )


class Source(t.Protocol):
    """A file or a URL; a reader for the inspection of the format, too."""

    shown: str
    checksum: t.Optional[Checksum]

    @property
    def size(self) -> t.Optional[int]:
        """How many bytes there are, as far as it is known."""

    def open(self) -> None:
        """Make sure that it can be read, and learn its size."""

    def prepare(self) -> None:
        """Do what takes long, and what only an upload needs."""

    def close(self) -> None:
        """Let go of it."""

    def choose(self, disk_format: str, container_format: t.Optional[str]) -> str:
        """Return the disk format under which an image of it can be uploaded."""

    def identity(self, algorithm: t.Optional[str] = None) -> t.Optional[Checksum]:
        """Return a checksum of it, when one can be told before it was read to its end."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes from the middle; fewer at the end, none where they cannot be had."""

    def blocks(self) -> t.Iterator[bytes]:
        """Return all bytes, in blocks, none of them empty; from the beginning each time."""

    def check_end(self, done: int) -> None:
        """Make sure that the blocks were all there is, and of one and the same image."""


def open_source(
    text: str, checksum: t.Optional[Checksum], progress: Teller, timeout: float
) -> t.Union[FileSource, UrlSource]:
    """Return the source that the option means, not opened yet.

    :raises GlanceError: when it is a URL of a kind that cannot be read.
    """
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme in ("http", "https"):
        return UrlSource(text, checksum, timeout)
    if scheme:
        raise GlanceError(
            f"reading {shown_url(text)}",
            answer=f"sources with {scheme}:// cannot be read",
            remedy="give the path of a file, or an http or https URL",
        )
    return FileSource(text, checksum, progress)


class FileSource:
    """An image in a file, where the module runs."""

    def __init__(self, path: str, checksum: t.Optional[Checksum] = None, progress: t.Optional[Teller] = None) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self.shown = self.path
        self.checksum = checksum
        self.size: t.Optional[int] = None
        self._progress = progress or ProgressFile()
        self._file: t.Optional[t.BinaryIO] = None
        self._number = -1
        self._known = HashCache(self.path)

    def open(self) -> None:
        """Open the file, and learn its size.

        :raises GlanceError: when it is missing, a directory, unreadable or empty.
        """
        if self._file is not None:
            return
        doing = f"opening {self.shown}"
        try:
            found = os.stat(self.path)
            if not stat.S_ISREG(found.st_mode):
                kind = "a directory" if stat.S_ISDIR(found.st_mode) else "not a regular file"
                raise GlanceError(doing, answer=f"it is {kind}", remedy="give the path of an image file as source")
            self._file = open(self.path, "rb")  # noqa: SIM115 - it stays open until close()
        except OSError as error:
            raise GlanceError(
                doing,
                answer=str(error.strerror),
                cause="a mistyped path, or a file that is on another machine"
                if isinstance(error, FileNotFoundError)
                else "",
                remedy="the path is looked up where the module runs, by default on the control node",
            ) from error
        self._number = self._file.fileno()
        status = os.fstat(self._number)
        if status.st_size == 0:
            raise GlanceError(doing, answer="it is empty", cause="an interrupted download", remedy="get the file again")
        self.size = status.st_size
        self._known.load(status)

    def prepare(self) -> None:
        """Do nothing: a file is ready."""

    def choose(self, disk_format: str, container_format: t.Optional[str]) -> str:
        """Return the disk format under which an image of it can be uploaded."""
        return _image_format.choose(self, disk_format, container_format)

    def identity(self, algorithm: t.Optional[str] = None) -> t.Optional[Checksum]:
        """Return a checksum of the file."""
        algorithm = algorithm or (self.checksum.algorithm if self.checksum else "sha512")
        return Checksum(algorithm, self.digest(algorithm))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes from the middle; fewer at the end, none where so many were never needed by a real image."""
        self.open()
        size = self.size or 0
        if not 0 <= offset < size or length > MOST_AT_ONCE:
            return b""
        return os.pread(self._number, length, offset)

    def blocks(self) -> t.Iterator[bytes]:
        """Return all bytes, in blocks."""
        self.open()
        size, offset = self.size or 0, 0
        os.lseek(self._number, 0, os.SEEK_SET)
        while offset < size:
            try:
                block = os.read(self._number, min(BLOCK, size - offset))
            except OSError as error:
                raise GlanceError(f"reading {self.shown}", answer=str(error.strerror)) from error
            if not block:
                return
            offset += len(block)
            yield block

    def check_end(self, done: int) -> None:
        """Make sure that nobody has changed the file while it was read."""
        status = os.fstat(self._number)
        if done != self.size or not self._known.fits(status):
            raise GlanceError(
                f"reading {self.shown}",
                answer=f"it was changed while it was read ({self.size} bytes before, {status.st_size} now)",
                cause="a download that still runs",
                remedy="run the task again when the file is complete",
            )

    def digest(self, algorithm: str) -> str:
        """Return the checksum of the file: from the cache, or by reading the file once.

        :raises GlanceError: when it is not the declared one.
        """
        self.open()
        if algorithm not in self._known.digests:
            wanted = {algorithm} if self.checksum is None else {algorithm, self.checksum.algorithm}
            self._progress.begin(HASHED, self.size)
            stream = Stream(self, wanted, self._progress)
            stream.drain()
            self.remember(stream, wanted)
        return self._known.digests[algorithm]

    def remember(self, stream: Stream, algorithms: t.Iterable[str]) -> None:
        """Keep the checksums of the file for the next run."""
        self._known.add({name: value for name, value in ((n, stream.digest(n)) for n in algorithms) if value})

    def check_checksum(self) -> None:
        """Make sure that the file has the declared checksum.

        :raises GlanceError: when it has not.
        """
        if self.checksum is not None:
            found = self.digest(self.checksum.algorithm)
            if found != self.checksum.value:
                raise wrong_checksum(self.shown, self.checksum, found)


class HashCache:
    """The checksums of one file that were computed before, as long as its status is the same."""

    def __init__(self, path: str) -> None:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        self._directory = os.path.join(home, "openstack_ops.glance")
        name = hashlib.sha256(os.fsencode(path)).hexdigest()
        self._path = os.path.join(self._directory, f"{name}.json")
        self._key: dict[str, t.Any] = {"path": path}
        self._settled = False
        self.digests: dict[str, str] = {}

    @staticmethod
    def _of(status: os.stat_result) -> dict[str, int]:
        return {
            "inode": status.st_ino,
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            # A copy can preserve the time of modification, never this one.
            "ctime_ns": status.st_ctime_ns,
        }

    def load(self, status: os.stat_result) -> None:
        """Look up what is known of the file."""
        self._key.update(self._of(status))
        # A file that changed within the resolution of its times could change again without a trace.
        self._settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > 2_000_000_000
        self.digests = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError), open(self._path, encoding="utf-8") as file:
            entry = json.load(file)
            if entry["file"] == self._key:
                self.digests = {str(name): str(value) for name, value in entry["digests"].items()}

    def fits(self, status: os.stat_result) -> bool:
        """Tell whether the file is still the one that was looked up."""
        return {**self._key, **self._of(status)} == self._key

    def add(self, digests: dict[str, str]) -> None:
        """Keep more checksums, where there is a place to keep them."""
        self.digests.update(digests)
        if not self._settled:
            return
        with contextlib.suppress(OSError):
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            with replacing(self._path) as file:
                file.write(json.dumps({"file": self._key, "digests": self.digests}).encode())


@contextlib.contextmanager
def replacing(path: str) -> t.Iterator[t.BinaryIO]:
    """Give a file that takes the place of another when all went well, and is gone otherwise."""
    number, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}.")
    try:
        with open(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(number)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


class TooSlowError(GlanceError):
    """A web server gives so little that its image would take for ever."""


class Pace:
    """How much a web server gives while it is waited for; how fast Glance takes it does not count.

    :param window: for how many seconds it may give too little.
    """

    def __init__(self, shown: str, window: float) -> None:
        self._shown = shown
        self._window = window
        self._bytes = 0
        self._seconds = 0.0

    def read(self, raw: t.Any, length: int) -> bytes:
        """Return what has come, up to so many bytes; nothing at the end.

        :raises TooSlowError: when too little has come for too long.
        """
        start = time.monotonic()
        # read() would wait until all of it is there, however slowly it comes. urllib3 before 2.1 has nothing else.
        block = raw.read1(length, decode_content=False) if hasattr(raw, "read1") else raw._fp.read1(length)
        self._bytes += len(block)
        self._seconds += time.monotonic() - start
        if block and self._seconds >= self._window:
            self._check()
        return bytes(block)

    def _check(self) -> None:
        if self._bytes < SLOWEST_SERVER * self._seconds:
            raise TooSlowError(
                f"reading {self._shown}",
                answer=f"the server gave {self._bytes} bytes in {self._seconds:.1f} seconds,"
                f" which is less than {SLOWEST_SERVER // 1024} KiB a second",
                cause="a web server or a proxy that hangs or has too much to do, or a slow connection",
                remedy="run the task again; if it happens again, download the file and give its path as source",
            )
        self._bytes, self._seconds = 0, 0.0


class UrlSource:
    """An image at an http or https URL."""

    def __init__(self, url: str, checksum: t.Optional[Checksum] = None, timeout: float = 60) -> None:
        self.url = url
        self.shown = shown_url(url)
        self.checksum = checksum
        self.size: t.Optional[int] = None
        self._timeout = timeout
        self._response: t.Any = None
        self._gives_parts = False
        self._version = ""
        self._head = b""
        self._is_read = False

    def open(self) -> None:
        """Ask for the URL, and read its beginning.

        :raises GlanceError: when it cannot be had, or is empty.
        """
        if self._response is not None:
            return
        if IMPORT_ERROR is not None:
            raise GlanceError(
                f"reading {self.shown}", answer=str(IMPORT_ERROR), remedy="install the Python library requests"
            )
        self._response = self._get({})
        headers = self._response.headers
        self._gives_parts = "bytes" in str(headers.get("Accept-Ranges", ""))
        etag = str(headers.get("ETag", ""))
        self._version = etag if etag and not etag.startswith("W/") else str(headers.get("Last-Modified", ""))
        length = headers.get("Content-Length", "")
        self.size = int(length) if length.isdigit() else None
        self._head = b"".join(self._read_on(0, _image_format.HEAD))
        if len(self._head) < _image_format.HEAD:
            self.size = len(self._head)
        if not self._head:
            raise GlanceError(f"reading {self.shown}", answer="it is empty", remedy="correct the source")

    def _get(self, headers: dict[str, str]) -> t.Any:
        doing = f"asking for {self.shown}"
        for attempt in range(MOST_RETRIES + 1):
            try:
                response = self._ask(headers)
            except requests.RequestException as error:
                raise self._explain(doing, error) from error
            if response.status_code not in PASSING or attempt == MOST_RETRIES:
                break
            response.close()
            time.sleep(SECONDS_BEFORE_RETRY)
        self._refuse_plain_text(doing, response)
        if response.status_code >= 400:
            response.close()
            raise GlanceError(
                doing,
                answer=f"HTTP {response.status_code} {response.reason}",
                cause=CAUSES.get(response.status_code, ""),
                remedy="open the URL from where the module runs, by default the control node",
            )
        return response

    def _ask(self, headers: dict[str, str]) -> t.Any:
        # Never a kept-alive connection: the server may close it just as the next request leaves.
        return requests.get(
            self.url, stream=True, timeout=self._timeout, headers={"Accept-Encoding": "identity", **headers}
        )

    def _refuse_plain_text(self, doing: str, response: t.Any) -> None:
        if not self.url.lower().startswith("https:"):
            return
        for passed in (*response.history, response):
            if not passed.url.lower().startswith("https:"):
                response.close()
                raise GlanceError(
                    doing,
                    answer=f"the server leads to {shown_url(passed.url)}, which anybody on the way could change",
                    remedy="give a URL that stays with https",
                )

    def _explain(self, doing: str, error: Exception) -> GlanceError:
        told = explain(doing, error)
        answer = told.answer.lstrip(": ")
        if isinstance(error, requests.exceptions.Timeout):
            answer = f"no answer came within {self._timeout:g} seconds"
        if isinstance(error, requests.exceptions.SSLError):
            remedy = "set REQUESTS_CA_BUNDLE in the environment of the task to a file with the authority's certificate"
            return GlanceError(doing, answer=answer, cause=told.cause, remedy=remedy)
        return GlanceError(
            doing,
            answer=answer,
            cause="a mistyped URL, a server that is down, a proxy or a firewall",
            remedy="open the URL from where the module runs, by default the control node",
        )

    def close(self) -> None:
        """Let go of the connection."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _read(self, response: t.Any, length: int) -> t.Iterator[bytes]:
        """Yield what comes, in blocks, up to so many bytes."""
        pace = Pace(self.shown, self._timeout)
        while length > 0:
            parts, missing = [], min(BLOCK, length)
            try:
                while missing > 0 and (part := pace.read(response.raw, missing)):
                    parts.append(part)
                    missing -= len(part)
            except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
                if parts:
                    yield b"".join(parts)
                raise self._cut_off(str(error)) from error
            if not parts:
                return
            block = b"".join(parts)
            length -= len(block)
            yield block

    def _cut_off(self, answer: str) -> GlanceError:
        return GlanceError(
            f"reading {self.shown}",
            answer=f"the server stopped before the end ({answer})",
            cause="a connection that broke, or a file that is truncated on the server",
            remedy="run the task again; if it happens again, download the file and give its path as source",
        )

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes from the middle; none where the server does not give out parts."""
        if offset < 0:
            return b""
        if offset + length <= len(self._head) or len(self._head) == self.size:
            return self._head[offset : offset + length]
        if self.size is None or offset >= self.size or length > _image_format.HEAD or not self._gives_parts:
            return b""
        part = self._get({"Range": f"bytes={offset}-{min(offset + length, self.size) - 1}"})
        with contextlib.closing(part):
            return b"".join(self._read(part, length)) if part.status_code == 206 else b""

    def prepare(self) -> None:
        """Do nothing: a URL is read while it is sent."""

    def choose(self, disk_format: str, container_format: t.Optional[str]) -> str:
        """Return the disk format under which an image of it can be uploaded."""
        return _image_format.choose(self, disk_format, container_format)

    def identity(self, algorithm: t.Optional[str] = None) -> t.Optional[Checksum]:
        """Return the declared checksum, when it is of this algorithm."""
        return self.checksum if self.checksum and algorithm in (None, self.checksum.algorithm) else None

    def blocks(self) -> t.Iterator[bytes]:
        """Return all bytes, in blocks."""
        if self._is_read:
            self._open_again()
        self._is_read = True
        yield self._head
        yield from self._read_on(len(self._head), 2**63)

    def _read_on(self, done: int, length: int) -> t.Iterator[bytes]:
        """Return so many bytes more, or all that there are; where the connection breaks, go on from there."""
        wanted, failures, failed_at = done + length, 0, done
        while True:
            try:
                for block in self._read(self._response, wanted - done):
                    done += len(block)
                    yield block
                if done < wanted:
                    self.check_end(done)
                return
            except TooSlowError:
                raise
            except GlanceError:
                # A few bytes between two failures are no success.
                failures = failures + 1 if done - failed_at < BLOCK else 1
                failed_at = done
                if failures > MOST_RETRIES or not self._resume(done):
                    raise

    def _open_again(self) -> None:
        """Go back to the beginning, of the same file."""
        before = (self._version, self.size)
        self.close()
        self.open()
        if (self._version, self.size) != before:
            raise GlanceError(
                f"reading {self.shown} once more",
                answer="the server has another file by now",
                cause="a source that was published anew in this very moment",
                remedy="run the task again",
            )

    def _resume(self, done: int) -> bool:
        """Ask for the rest, and tell whether it comes and belongs to what came before."""
        if not self._gives_parts or not self._version or self.size is None:
            return False
        time.sleep(SECONDS_BEFORE_RETRY)
        try:
            response = self._get({"Range": f"bytes={done}-", "If-Range": self._version})
        except GlanceError:
            # The server may be on its way back.
            return True
        if response.status_code != 206 or not response.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            response.close()
            return False
        self._response.close()
        self._response = response
        return True

    def check_end(self, done: int) -> None:
        """Make sure that as many bytes came as were announced."""
        if self.size is not None and done != self.size:
            raise self._cut_off(f"{done} of {self.size} bytes came")


CAUSES = {
    401: "a URL that needs credentials",
    403: "a URL that needs credentials, or one that has expired",
    404: "a mistyped URL, or an image that was removed there",
    407: "a proxy that needs credentials",
    410: "an image that was removed there",
}


def read_text(location: str, timeout: float) -> bytes:
    """Return the content of a small file, given by its path or URL.

    :raises GlanceError: when it cannot be had, or is not small.
    """
    content = b""
    with contextlib.closing(open_source(location, None, ProgressFile(), timeout)) as source:
        source.open()
        for block in source.blocks():
            content += block
            if len(content) > LARGEST_TEXT:
                raise GlanceError(
                    f"reading {source.shown}",
                    answer=f"it is larger than {LARGEST_TEXT} bytes",
                    remedy="give a file with checksums, or a signature",
                )
    return content
