# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Files and URLs are looked at before they are used, and a file is read no more often than it has to be."""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import http.server
import io
import os
import socket
import time
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_format, _image_source
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import parse_checksum
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_prepare import problems
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import (
    FileSource,
    UrlSource,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_url import secrets_in, shown_url
from ansible_collections.openstack_ops.glance.tests.unit.plugins import image_bytes
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import FakeWeb, Server

QCOW2 = image_bytes.qcow2()
SHA512 = f"sha512:{hashlib.sha512(QCOW2).hexdigest()}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the cache of the checksums apart."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "openstack_ops.glance"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return a file whose last change is long ago."""
    path = tmp_path / "disk.qcow2"
    path.write_bytes(QCOW2)
    return path


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock be ten seconds on, so that the files of the test are not new."""
    now = _image_source.time.time_ns
    monkeypatch.setattr(_image_source.time, "time_ns", lambda: now() + 10_000_000_000)


def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that will hold the size of every block that is read."""
    found: list[int] = []
    real = os.read

    def read(number: int, length: int) -> bytes:
        block = real(number, length)
        found.append(len(block))
        return block

    monkeypatch.setattr(_image_source.os, "read", read)
    return found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abc", "the algorithm is not known"),
        ("sha512:abc", "128 hexadecimal digits"),
        ("sha3:abc", "the algorithm is not known"),
        ("md5:" + "g" * 32, "32 hexadecimal digits"),
    ],
)
def test_a_malformed_checksum_is_refused(text: str, said: str) -> None:
    with pytest.raises(GlanceError, match=said):
        parse_checksum(text)


def test_a_checksum_may_have_capitals() -> None:
    assert str(parse_checksum("MD5:" + "AB" * 16)) == "md5:" + "ab" * 16
    assert parse_checksum(None) is None


@pytest.mark.usefixtures("settled")
def test_a_file_is_hashed_once(image: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = reads(monkeypatch)
    assert FileSource(str(image)).digest("sha512") == SHA512[7:]
    assert sum(blocks) == len(QCOW2)
    again = FileSource(str(image), parse_checksum(SHA512))
    again.check_checksum()
    assert sum(blocks) == len(QCOW2)
    assert oct(cache.stat().st_mode)[-3:] == "700"
    assert [oct(path.stat().st_mode)[-3:] for path in cache.iterdir()] == ["600"]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", ["content", "replaced with the same times", "time"])
def test_a_file_that_changed_is_hashed_again(image: Path, change: str) -> None:
    FileSource(str(image)).digest("sha512")
    before = image.stat()
    new = b"x" * len(QCOW2)
    if change == "content":
        image.write_bytes(new)
    elif change == "time":
        os.utime(image, ns=(1, 1))
        new = QCOW2
    else:
        other = image.with_suffix(".new")
        other.write_bytes(new)
        other.replace(image)
        os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert FileSource(str(image)).digest("sha512") == hashlib.sha512(new).hexdigest()


def test_a_file_that_is_new_is_not_remembered(image: Path, cache: Path) -> None:
    FileSource(str(image)).digest("sha512")
    assert not cache.exists()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", ["", "[]", "{", '{"file": 1}'])
def test_a_damaged_cache_does_no_harm(image: Path, cache: Path, content: str) -> None:
    FileSource(str(image)).digest("sha512")
    (entry,) = cache.iterdir()
    entry.write_text(content)
    assert FileSource(str(image)).digest("sha512") == SHA512[7:]


@pytest.mark.usefixtures("settled")
def test_a_cache_that_cannot_be_written_does_no_harm(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(image))
    assert FileSource(str(image)).digest("sha512") == SHA512[7:]


def test_a_file_that_grows_while_it_is_read_is_refused(image: Path) -> None:
    source = FileSource(str(image))
    source.open()
    with image.open("ab") as file:
        file.write(b"more")
    with pytest.raises(GlanceError, match="it was changed while it was read"):
        source.digest("sha512")


def test_the_home_directory_may_be_written_short(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(image.parent))
    source = FileSource("~/disk.qcow2")
    source.open()
    assert source.size == len(QCOW2)


def test_no_more_than_a_real_table_is_read_at_once(image: Path) -> None:
    source = FileSource(str(image))
    assert source.read_at(0, 4) == b"QFI\xfb"
    assert source.read_at(0, 2**31) == b""
    assert source.read_at(2**80, 8) == b""
    assert source.read_at(-1, 8) == b""


@pytest.mark.parametrize(("parts", "announced"), [(True, 0), (False, 0), (False, -1)])
def test_a_url_is_read_to_its_end(parts: bool, announced: int) -> None:
    content = image_bytes.vhd_fixed() + bytes(_image_format.HEAD) + image_bytes.vhd_fixed()
    with FakeWeb(content, parts=parts, announced=announced) as web:
        source = UrlSource(web.url)
        source.open()
        assert source.size == (None if announced else len(content))
        found = _image_format.choose(source, "auto", None)
        assert b"".join(source.blocks()) == content
        source.close()
    # The footer of the disk is seen only where the server gives out the last bytes.
    assert found == ("vhd" if parts else "raw")
    assert web.requests[0] == "all"
    assert (len(web.requests) > 1) == parts


def test_the_size_of_a_short_url_is_known_without_being_announced() -> None:
    with FakeWeb(QCOW2, announced=-1) as web:
        source = UrlSource(web.url)
        source.open()
        assert source.size == len(QCOW2)


@pytest.mark.parametrize(
    ("url", "shown", "secrets"),
    [
        ("https://host/a/b", "https://host/a/b", set()),
        ("https://user:pa%40ss@host:1/a/b?signature=x", "https://host:1/a/b?...", {"pa%40ss", "signature=x"}),
        ("https://token@host/a#part", "https://host/a", {"token"}),
        ("https://user:a/b@host/a", "https://host/a", {"a/b"}),
        ("https://host:8443/pool/a@b/img?x=1", "https://host:8443/pool/a@b/img?...", {"x=1"}),
        ("https://user:8443@host/a@b", "https://b", {"8443@host/a"}),
        ("https://[::1/a?x=1", "https://[::1/a?...", {"x=1"}),
        ("sha512:https://user:word@host/SUMS", "sha512:https://host/SUMS", {"word"}),
        ("/srv/a@b?c", "/srv/a@b?c", set()),
    ],
)
def test_credentials_and_signatures_are_not_shown(url: str, shown: str, secrets: set[str]) -> None:
    assert shown_url(url) == shown
    assert secrets_in({"source": url}) == secrets_in({"checksum": url, "source": None}) == secrets


class Trickle(Server):
    """Gives the beginning of a file at once, and then byte after byte: seldom silent, and never done."""

    LONGEST = 20.0

    def __init__(self, head: int, announced: bool) -> None:
        """Set up the server.

        :param head: how many bytes it gives at once.
        :param announced: whether it tells how many there are.
        """
        self.requests = 0
        trickle, end = self, time.monotonic() + self.LONGEST

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                trickle.requests += 1
                self.close_connection = True
                asked = "Range" in self.headers
                self.send_response(206 if asked else 200)
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", '"1"')
                self.send_header(*(("Content-Length", str(10**9)) if announced else ("Transfer-Encoding", "chunked")))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.give(b"" if asked else QCOW2.ljust(head, b"\1")[:head])
                    while time.monotonic() < end:
                        self.give(b"x")
                        time.sleep(0.02)

            def give(self, content: bytes) -> None:
                if content:
                    self.wfile.write(content if announced else b"%x\r\n%s\r\n" % (len(content), content))

            def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
                """Keep the output of the tests readable."""

        super().__init__(Handler)


class TestDownload:
    """A download that breaks goes on from where it broke; one that would not be the same file does not."""

    CONTENT = QCOW2.ljust(3 * _image_format.HEAD, b"\1")

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Do not wait before a retry."""
        monkeypatch.setattr(_image_source, "SECONDS_BEFORE_RETRY", 0.01)

    def read(self, web: Server, timeout: float = 5) -> bytes:
        """Return everything that is read."""
        source = UrlSource(web.url, timeout=timeout)
        source.open()
        content = b"".join(source.blocks())
        source.close()
        return content

    @pytest.mark.parametrize("first", [100_000, _image_format.HEAD + 100_000], ids=["at its begin", "later"])
    def test_it_goes_on(self, first: int) -> None:
        breaks = [first, 200_000, 300_000]
        with FakeWeb(self.CONTENT, etag='"1"', breaks=breaks) as web:
            assert self.read(web) == self.CONTENT
            assert web.requests[0] == "all"
            assert len(web.requests) == 4

    @pytest.mark.parametrize("changed", [True, False])
    def test_it_begins_anew(self, changed: bool) -> None:
        with FakeWeb(self.CONTENT, etag='"1"') as web:
            source = UrlSource(web.url, timeout=5)
            source.open()
            assert b"".join(source.blocks()) == self.CONTENT
            if changed:
                web.etag = '"2"'
                with pytest.raises(GlanceError, match="the server has another file by now"):
                    list(source.blocks())
            else:
                assert b"".join(source.blocks()) == self.CONTENT
            source.close()

    def test_not_with_another_version(self) -> None:
        with FakeWeb(self.CONTENT, etag='"1"', breaks=[_image_format.HEAD + 100_000]) as web:
            source = UrlSource(web.url, timeout=5)
            source.open()
            web.etag = '"2"'
            with pytest.raises(GlanceError, match="the server stopped before the end"):
                list(source.blocks())

    @pytest.mark.parametrize("options", [{"parts": False, "etag": '"1"'}, {"etag": ""}, {"etag": 'W/"1"'}])
    def test_not_where_nobody_knows_the_version(self, options: dict[str, t.Any]) -> None:
        with FakeWeb(self.CONTENT, breaks=[_image_format.HEAD + 100_000], **options) as web:
            with pytest.raises(GlanceError, match="the server stopped before the end"):
                self.read(web)
            assert web.requests == ["all"]

    def test_not_for_ever(self) -> None:
        with FakeWeb(self.CONTENT, etag='"1"', breaks=[_image_format.HEAD + 10, *[0] * 20]) as web:
            with pytest.raises(GlanceError, match="the server stopped before the end"):
                self.read(web)
            assert len(web.requests) == 2 + _image_source.MOST_RETRIES - 1

    def test_not_for_a_few_bytes_each_time(self) -> None:
        with FakeWeb(self.CONTENT, etag='"1"', breaks=[_image_format.HEAD + 10, *[10] * 50]) as web:
            with pytest.raises(GlanceError, match="the server stopped before the end"):
                self.read(web)
            assert len(web.requests) == 1 + _image_source.MOST_RETRIES

    @pytest.mark.parametrize("head", [0, _image_format.HEAD], ids=["from its begin", "later"])
    @pytest.mark.parametrize("announced", [True, False])
    def test_a_server_that_trickles(self, head: int, announced: bool) -> None:
        with Trickle(head, announced) as web:
            start = time.monotonic()
            with pytest.raises(GlanceError, match=r"the server gave \d+ bytes in \d\.\d seconds, which is less than 8"):
                self.read(web, timeout=0.5)
            assert time.monotonic() - start < Trickle.LONGEST / 2
            assert web.requests == 1

    def test_a_footer_that_trickles(self) -> None:
        with Trickle(_image_format.HEAD, True) as web:
            source = UrlSource(web.url, timeout=0.5)
            source.open()
            with pytest.raises(GlanceError, match="the server gave"):
                source.read_at(source.size - 512, 512)  # type: ignore[operator]
            source.close()

    def test_a_glance_that_takes_its_time_is_not_the_web_server_s_fault(self) -> None:
        with FakeWeb(self.CONTENT) as web:
            source = UrlSource(web.url, timeout=0.2)
            source.open()
            found = b""
            for number, block in enumerate(source.blocks()):
                found += block
                if number < 4:
                    time.sleep(0.15)
            source.close()
        assert found == self.CONTENT

    def test_a_library_that_cannot_give_what_has_come(self) -> None:
        class Old:
            """As much of a response of urllib3 before 2.1 as is used."""

            def __init__(self, content: bytes) -> None:
                self._fp = io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]

        raw = Old(b"content")
        pace = _image_source.Pace("http://h/disk", 5)
        assert [pace.read(raw, 4), pace.read(raw, 4), pace.read(raw, 4)] == [b"cont", b"ent", b""]

    def test_a_server_that_is_restarted(self) -> None:
        with FakeWeb(self.CONTENT, first=[500, 503, 429]) as web:
            assert self.read(web) == self.CONTENT
        with FakeWeb(self.CONTENT, first=[500] * 9) as web, pytest.raises(GlanceError, match="HTTP 500"):
            self.read(web)

    def test_a_server_that_leads_to_another_scheme(self) -> None:
        with FakeWeb(b"", location="file:///etc/passwd") as web, pytest.raises(GlanceError, match="asking for http"):
            self.read(web)

    @pytest.mark.parametrize("at_its_end", [True, False])
    def test_a_server_that_leads_away_from_tls(self, at_its_end: bool) -> None:
        source = UrlSource("https://host/disk")
        closed: list[bool] = []
        passed = [SimpleNamespace(url="https://host/disk"), SimpleNamespace(url="http://host/disk?token=x")]
        url = passed.pop().url if at_its_end else "https://other/disk"
        answer = SimpleNamespace(url=url, history=passed, close=lambda: closed.append(True))
        with pytest.raises(GlanceError, match=r"leads to http://host/disk\?\.\.\., which anybody"):
            source._refuse_plain_text("asking", answer)
        assert closed == [True]

    def test_a_small_file_is_small(self, tmp_path: Path) -> None:
        (tmp_path / "large").write_bytes(bytes(_image_source.LARGEST_TEXT + 1))
        with pytest.raises(GlanceError, match="it is larger than"):
            _image_source.read_text(str(tmp_path / "large"), 5)


class TestProblems:
    """What preflight tells about an entry of glance_images."""

    def test_a_good_file_has_none(self, image: Path) -> None:
        entry = {"name": "disk", "source": str(image), "disk_format": "qcow2", "checksum": SHA512, "tags": ["a"]}
        assert problems(entry) == []

    def test_an_entry_without_source_is_fine(self) -> None:
        assert problems({"name": "disk", "visibility": "public"}) == []

    def test_all_are_told(self) -> None:
        found = problems({"disk_format": "qcow3", "container_format": "bear", "checksum": "x"})
        assert [("name" in one, "qcow3" in one, "bear" in one, "checksum" in one) for one in found] == [
            (True, False, False, False),
            (False, True, False, False),
            (False, False, True, False),
            (False, False, False, True),
        ]

    def test_format_and_checksum_are_both_told(self, image: Path) -> None:
        entry = {"name": "disk", "source": str(image), "disk_format": "iso", "checksum": "md5:" + "0" * 32}
        first, second = problems(entry)
        assert first.startswith("the image 'disk': ")
        assert "disk_format is iso, but the bytes are qcow2" in first
        assert "the declared one is md5:000" in second
        assert hashlib.md5(QCOW2).hexdigest() in second
        assert len(problems(entry, hash_files=False)) == 1

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("missing.qcow2", "No such file"),
            ("", "it is a directory"),
            ("empty", "it is empty"),
            ("short", "is truncated"),
            ("disk.qcow2/x", "Not a directory"),
        ],
    )
    def test_a_bad_file_is_told(self, image: Path, name: str, said: str) -> None:
        (image.parent / "empty").touch()
        (image.parent / "short").write_bytes(QCOW2[: 3 * image_bytes.CLUSTER])
        (problem,) = problems({"name": "disk", "source": str(image.parent / name)})
        assert said in problem

    def test_an_unreadable_file_is_told(self, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # The tests may run as root, who may read everything.
        real = builtins.open

        def refuse(path: t.Any, *args: t.Any, **options: t.Any) -> t.Any:
            if path == str(image):
                raise PermissionError(13, "Permission denied")
            return real(path, *args, **options)

        monkeypatch.setattr(builtins, "open", refuse)
        (problem,) = problems({"name": "disk", "source": str(image)})
        assert "Permission denied" in problem

    def test_a_good_url_has_none(self) -> None:
        with FakeWeb(QCOW2) as web:
            assert problems({"name": "disk", "source": f"{web.url}/disk.qcow2"}) == []

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"status": 404}, "HTTP 404"),
            ({"status": 403}, "HTTP 403"),
            ({"announced": 10}, "stopped before the end"),
        ],
    )
    def test_a_bad_url_is_told(self, options: dict[str, t.Any], said: str) -> None:
        with FakeWeb(QCOW2, **options) as web:
            (problem,) = problems({"name": "disk", "source": f"{web.url}/disk.qcow2?token=hidden"})
        assert said in problem
        assert "hidden" not in problem

    def test_a_file_that_is_truncated_on_the_server_is_told(self) -> None:
        with FakeWeb(QCOW2[: 3 * image_bytes.CLUSTER]) as web:
            (problem,) = problems({"name": "disk", "source": web.url})
        assert "is truncated" in problem

    def test_an_empty_url_is_told(self) -> None:
        with FakeWeb(b"") as web:
            (problem,) = problems({"name": "disk", "source": web.url})
        assert "it is empty" in problem

    def test_a_refused_connection_is_told(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        (problem,) = problems({"name": "disk", "source": f"http://user:hidden@127.0.0.1:{port}/x"})
        assert f"asking for http://127.0.0.1:{port}/x: Connection refused." in problem
        assert "hidden" not in problem

    def test_a_server_without_tls_is_told(self) -> None:
        with FakeWeb(QCOW2) as web:
            (problem,) = problems({"name": "disk", "source": web.url.replace("http:", "https:")})
        assert "REQUESTS_CA_BUNDLE" in problem

    def test_a_server_that_stays_silent_is_told(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            (problem,) = problems({"name": "disk", "source": url}, timeout=0.2)
        assert "no answer came within 0.2 seconds" in problem

    def test_another_scheme_is_told(self) -> None:
        (problem,) = problems({"name": "disk", "source": "ftp://user:hidden@host/disk"})
        assert "ftp:// cannot be read" in problem
        assert "hidden" not in problem
