# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module image, from its options to the requests that it sends, against a Glance that keeps what it is sent."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import signal
import socket
import subprocess
import time
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _image,
    _image_import,
    _image_signals,
    _image_source,
    _image_upload,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import ProgressFile
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_unpack import UnpackedSource
from ansible_collections.openstack_ops.glance.plugins.modules import image as module
from ansible_collections.openstack_ops.glance.tests.unit.plugins import image_bytes
from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import (
    OTHER_PROJECT,
    PROJECT,
    FakeCloud,
    FakeWeb,
    Request,
)

GIB = 1024**3
QCOW2 = image_bytes.qcow2()
OTHER = image_bytes.qcow2(data=b"other data")
ACTIVE = {"disk_format": "qcow2", "container_format": "bare"}
UPLOAD = ["POST /image/v2/images", "PUT /image/v2/images/ID/file"]
UNDO = "DELETE /image/v2/images/ID"
WRITES = ("POST", "PUT", "PATCH", "DELETE")

REPLACES = "owner_specified.openstack_ops.replaces"
REPLACED = "owner_specified.openstack_ops.replaced"

Keep = t.Callable[..., dict[str, t.Any]]
Killed = t.Callable[..., dict[str, t.Any]]


def digest(algorithm: str, data: bytes = QCOW2) -> str:
    """Return a checksum as the option has it."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


@pytest.fixture(autouse=True)
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of the checksums apart, and let the files of the test be old enough for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    now = _image_source.time.time_ns
    monkeypatch.setattr(_image_source.time, "time_ns", lambda: now() + 10_000_000_000)


@pytest.fixture
def cloud() -> t.Iterator[FakeCloud]:
    """Return a running cloud."""
    with FakeCloud() as running:
        yield running


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return the path of an image."""
    path = tmp_path / "disk.qcow2"
    path.write_bytes(QCOW2)
    return str(path)


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that will hold what the module warns of; ansible-core keeps warnings from test to test."""
    found: list[str] = []
    monkeypatch.setattr(module.AnsibleModule, "warn", lambda _module, text: found.append(text))
    return found


@pytest.fixture
def keep(run_module: RunModule, cloud: FakeCloud, warnings: list[str]) -> Keep:
    """Return a function that runs the module against the cloud and expects it to succeed."""

    def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        cloud.requests.clear()
        warnings.clear()
        result = run_module(module, {**cloud.auth, "name": "disk", **options}, check=check)
        assert not result.get("failed"), result["msg"]
        return {**result, "warnings": list(warnings)}

    return run


@pytest.fixture
def refused(run_module: RunModule, cloud: FakeCloud) -> t.Callable[..., str]:
    """Return a function that runs the module, expects it to fail, and returns the message."""

    def run(check: bool = False, **options: t.Any) -> str:
        cloud.requests.clear()
        result = run_module(module, {**cloud.auth, "name": "disk", **options}, check=check)
        assert result.get("failed"), result
        return str(result["msg"])

    return run


class TestUpload:
    """An image that is not there yet."""

    def test_a_file(self, cloud: FakeCloud, keep: Keep, source: str) -> None:
        result = keep(
            source=source,
            visibility="public",
            properties={"hw_disk_bus": "virtio", "os_version": 12, "hw_boot_menu": True, "gone": None},
            tags=["b", "a", "b"],
            hidden=False,
            min_disk=3,
            min_ram=512,
        )
        assert result["changed"]
        assert result["uploaded"] == len(QCOW2)
        assert result["seconds"] >= 0
        assert result["requests"] == len(cloud.requests)
        assert cloud.sent(*WRITES) == UPLOAD
        body = cloud.body_of("POST")
        assert re.fullmatch("[0-9a-f]{8}-.*", body.pop("id"))
        assert body == {
            "name": "disk",
            "disk_format": "qcow2",
            "container_format": "bare",
            "visibility": "public",
            "hw_disk_bus": "virtio",
            "os_version": "12",
            "hw_boot_menu": "true",
            "tags": ["a", "b"],
            "os_hidden": False,
            "min_disk": 3,
            "min_ram": 512,
        }
        assert result["image"]["status"] == "active"
        assert result["image"]["os_hash_value"] == digest("sha512")[7:]
        (upload,) = (request for request in cloud.requests if request.method == "PUT")
        assert upload.headers["Content-Length"] == str(len(QCOW2))

    def test_again_changes_nothing_and_reads_nothing(
        self, keep: Keep, source: str, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(source=source, checksum=digest("sha256"))
        monkeypatch.setattr(_image_source.FileSource, "blocks", None)
        result = keep(source=source, checksum=digest("sha256"))
        assert not result["changed"]
        assert result["diff"] == {"before": {}, "after": {}}
        assert [str(request) for request in cloud.requests] == [
            "GET /v3",
            "POST /v3/auth/tokens",
            "GET /image/v2/images",
        ]
        assert result["requests"] == 3

    def test_addresses_of_the_data_are_not_returned(self, keep: Keep, source: str) -> None:
        shown = keep(source=source)["image"]
        assert not {"direct_url", "locations", "file", "self", "schema"} & set(shown)
        assert "secret" not in str(shown)

    @pytest.mark.parametrize("name", image_bytes.COMPLETE)
    def test_every_format(self, keep: Keep, cloud: FakeCloud, tmp_path: Path, name: str) -> None:
        (tmp_path / "image").write_bytes(image_bytes.COMPLETE[name])
        result = keep(source=str(tmp_path / "image"))
        assert result["image"]["disk_format"] == name.split()[0]
        assert cloud.body_of("POST")["disk_format"] == name.split()[0]

    @pytest.mark.parametrize("container_format", ["ami", "bare", "ovf", "docker", "compressed"])
    def test_container_formats(self, keep: Keep, tmp_path: Path, container_format: str) -> None:
        content = gzip.compress(b"x") if container_format == "compressed" else image_bytes.raw()
        (tmp_path / "image").write_bytes(content)
        result = keep(source=str(tmp_path / "image"), disk_format="raw", container_format=container_format)
        assert result["image"]["container_format"] == container_format

    def test_an_id_of_its_own(self, keep: Keep, source: str) -> None:
        fixed = "12345678-0000-4000-8000-000000000000"
        assert keep(source=source, id=fixed)["image"]["id"] == fixed
        assert not keep(source=source, id=fixed)["changed"]

    def test_protection_comes_last(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        assert keep(source=source, protected=True)["image"]["protected"]
        assert cloud.sent(*WRITES) == [*UPLOAD, "PATCH /image/v2/images/ID"]
        assert "protected" not in cloud.body_of("POST")

    @pytest.mark.parametrize(("owner", "lookups"), [("customer", 1), (OTHER_PROJECT, 0), ("admin", 0), (PROJECT, 0)])
    def test_an_owner(self, keep: Keep, cloud: FakeCloud, source: str, owner: str, lookups: int) -> None:
        expected = PROJECT if owner in ("admin", PROJECT) else OTHER_PROJECT
        assert keep(source=source, owner=owner)["image"]["owner"] == expected
        assert [str(request) for request in cloud.requests].count("GET /v3/projects") == lookups
        assert not keep(source=source, owner=owner)["changed"]

    def test_a_store(self, keep: Keep, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        cloud.stores = ["slow", "fast"]
        keep(source=source, store="fast")
        (upload,) = (request for request in cloud.requests if request.method == "PUT")
        assert upload.headers["X-Image-Meta-Store"] == "fast"
        assert "the stores are slow, fast" in refused(name="another", source=source, store="other")
        cloud.stores = None
        assert "a single store" in refused(name="another", source=source, store="fast")
        assert cloud.sent(*WRITES) == []

    def test_the_checksum_is_kept_where_glance_computes_another(
        self, keep: Keep, cloud: FakeCloud, source: str
    ) -> None:
        keep(source=source, checksum=digest("sha256"))
        # The next run trusts it, so that it is there only when the data have it.
        assert "owner_specified.openstack.sha256" not in cloud.body_of("POST")
        (image,) = cloud.images.values()
        assert image["owner_specified.openstack.sha256"] == digest("sha256")[7:]

    @pytest.mark.parametrize("algorithm", [None, "sha256", "sha3_512"])
    def test_other_hashes_of_glance_are_verified(
        self, keep: Keep, refused: t.Callable[..., str], cloud: FakeCloud, source: str, algorithm: t.Optional[str]
    ) -> None:
        cloud.hash_algorithm = algorithm
        assert keep(source=source)["warnings"] == []
        assert keep(source=source)["warnings"] == []
        cloud.damages_data = True
        assert f"{algorithm or 'md5'} of what was sent is" in refused(source=source, name="damaged")
        assert cloud.sent(*WRITES) == [*UPLOAD, UNDO]

    def test_memory_does_not_grow_with_the_image(self, keep: Keep, tmp_path: Path) -> None:
        size = 256 * image_bytes.MIB
        path = tmp_path / "large.raw"
        with path.open("wb") as file:
            file.truncate(size)
        # Makes the kernel forget how much was used at most until now.
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_memory()
        assert keep(source=str(path))["uploaded"] == size
        assert peak_memory() - before < 48 * image_bytes.MIB

    @pytest.mark.parametrize(
        ("pack", "options"),
        [(bytes, {}), (lambda data: gzip.compress(data, 1), {"decompress": True})],
        ids=["plain", "compressed"],
    )
    def test_memory_does_not_grow_with_what_a_url_gives(
        self, keep: Keep, pack: t.Callable[[bytes], bytes], options: dict[str, t.Any]
    ) -> None:
        size = 128 * image_bytes.MIB
        content = pack(bytes(size))
        with FakeWeb(content) as web:
            Path("/proc/self/clear_refs").write_text("5")
            before = peak_memory()
            assert keep(source=web.url, **options)["uploaded"] == size
            assert peak_memory() - before < 48 * image_bytes.MIB


def peak_memory() -> int:
    """Return how many bytes of memory this process has used at most."""
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kib) * 1024


BAD_FILES = {
    "missing": (None, "No such file or directory"),
    "empty": (b"", "it is empty"),
    "truncated": (QCOW2[: 3 * image_bytes.CLUSTER], "this qcow2 image is truncated"),
    "with a backing file": (image_bytes.qcow2(backing=512), "Image has a backing file"),
    "packed": (gzip.compress(QCOW2), "it is a gzip archive"),
    "a web page": (b"<html>Log in first</html>", "it is a page of HTML"),
}


class TestRefusal:
    """What is wrong is told before anything is created."""

    @pytest.mark.parametrize("check", [True, False])
    @pytest.mark.parametrize("name", BAD_FILES)
    def test_a_bad_file(
        self, refused: t.Callable[..., str], cloud: FakeCloud, tmp_path: Path, name: str, check: bool
    ) -> None:
        content, said = BAD_FILES[name]
        if content is not None:
            (tmp_path / "image").write_bytes(content)
        message = refused(check, source=str(tmp_path / "image"))
        assert said in message
        assert str(tmp_path / "image") in message
        assert "What to do:" in message
        assert cloud.sent(*WRITES) == []

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"disk_format": "iso"}, "disk_format is iso, but the bytes are qcow2"),
            ({"disk_format": "raw"}, "disk_format is raw, but the bytes are qcow2"),
            ({"disk_format": "qcow2", "container_format": "ova"}, "container_format is ova"),
            ({"container_format": "ovf"}, "disk_format is auto"),
            ({"checksum": "sha256:" + "0" * 64}, "the declared one is sha256:0000"),
            ({"checksum": "0" * 64}, "write it as sha512:HEX"),
            ({"id": "disk"}, "id is 'disk'. What to do: give a UUID"),
            ({"id": "12345678-0000-4000-8000-000000000000", "replace": True}, "cannot be replaced"),
            ({"min_disk": -1}, "min_disk is -1"),
            ({"properties": {"min_disk": 1}}, "min_disk is an attribute of every image"),
            ({"properties": {"os_glance_x": 1}}, "os_glance_x is a name that Glance keeps for itself"),
            ({"properties": {"os_glancex": 1}}, "os_glancex is a name that Glance keeps for itself"),
            ({"properties": {"location": 1}}, "location is a name that Glance keeps for itself"),
            ({"properties": {"deleted": 1}}, "deleted is a name that Glance keeps for itself"),
            ({"properties": {"deleted_at": None}}, "deleted_at is a name that Glance keeps for itself"),
            (
                {"properties": {"owner_specified.openstack_ops.x": 1}},
                "owner_specified.openstack_ops.x is a name that this collection keeps for itself",
            ),
            ({"properties": {"a": ["b"]}}, "a is ['b']"),
            ({"owner": "nobody"}, "there is none"),
            ({"source": "ftp://host/disk"}, "ftp:// cannot be read"),
            ({"source": "/"}, "it is a directory"),
            ({"source": None}, "a source was not given"),
            ({"disk_format": "qcow3"}, "must be one of"),
        ],
    )
    def test_bad_options(
        self,
        refused: t.Callable[..., str],
        cloud: FakeCloud,
        source: str,
        options: dict[str, t.Any],
        said: str,
    ) -> None:
        assert said in refused(**{"source": source, **options})
        assert cloud.sent(*WRITES) == []

    def test_a_name_is_needed_to_create(self, run_module: RunModule, cloud: FakeCloud, source: str) -> None:
        fixed = {"id": "12345678-0000-4000-8000-000000000000"}
        result = run_module(module, {**cloud.auth, **fixed, "source": source})
        assert "a name was not given" in result["msg"]

    def test_an_id_that_was_used_before(self, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        gone = cloud.add("gone")["id"]
        del cloud.images[gone]
        message = refused(source=source, id=gone)
        assert "Image ID already exists!" in message
        assert "Glance never reuses ids" in message
        assert cloud.sent(*WRITES) == ["POST /image/v2/images"]

    def test_a_refused_record(self, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        cloud.answers["POST"] = (403, "<html><body>You are not authorized to publicize</body></html>")
        assert "You are not authorized to publicize" in refused(source=source, visibility="public")
        assert cloud.sent(*WRITES) == ["POST /image/v2/images"]

    def test_two_images_of_the_name(self, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        ids = sorted(cloud.add("disk", QCOW2, **ACTIVE)["id"] for _turn in range(2))
        message = refused(source=source)
        assert f"there are 2 of that name: {', '.join(ids)}" in message
        assert "give the id" in message

    @pytest.mark.parametrize("status", ["saving", "importing", "uploading"])
    def test_an_image_that_is_being_uploaded(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str, status: str
    ) -> None:
        cloud.add("disk", status=status)
        message = refused(source=source)
        assert f"in the status {status} since 2026-11-20" in message
        assert cloud.sent(*WRITES) == []


def test_tokens_of_urls_are_kept_out_of_the_log(keep: Keep, cloud: FakeCloud, system_log: list[str]) -> None:
    url = "https://images.example.org/disk?X-Amz-Signature=hushhush"
    cloud.add("disk", QCOW2, **ACTIVE)
    options = {"source": url, "checksum": digest("sha512"), "import_method": "web-download"}
    arguments = keep(check=True, **options)["invocation"]["module_args"]
    assert arguments["source"] == "https://images.example.org/disk?********"
    assert (arguments["checksum"], arguments["name"]) == (options["checksum"], "disk")
    assert any("Invoked with" in line for line in system_log)
    assert "hush" not in str(system_log)


class TestUrl:
    """A URL is streamed, and checked before its last bytes are sent."""

    @pytest.mark.parametrize("announced", [0, -1])
    def test_is_streamed(self, keep: Keep, cloud: FakeCloud, announced: int) -> None:
        content = QCOW2 + bytes(5 * image_bytes.MIB)
        with FakeWeb(content, announced=announced, parts=False) as web:
            result = keep(source=f"{web.url}/disk.qcow2", checksum=digest("sha256", content))
        assert result["uploaded"] == len(content)
        assert result["image"]["os_hash_value"] == digest("sha512", content)[7:]
        (upload,) = (request for request in cloud.requests if request.method == "PUT")
        assert ("Content-Length" in upload.headers) == (announced == 0)
        assert web.requests == ["all"]

    def test_that_cannot_be_verified_is_told(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.hash_algorithm = "sha3_512"
        with FakeWeb(QCOW2) as web:
            result = keep(source=web.url, checksum=digest("sha256"))
        assert "could not be verified" in result["warnings"][0]

    @pytest.mark.parametrize("algorithm", ["sha512", "sha256", "md5"])
    def test_is_not_asked_again_when_the_checksum_tells(self, keep: Keep, algorithm: str) -> None:
        with FakeWeb(QCOW2) as web:
            keep(source=web.url, checksum=digest(algorithm))
            asked = len(web.requests)
            assert not keep(source=web.url, checksum=digest(algorithm))["changed"]
        assert len(web.requests) == asked

    def test_without_a_checksum_is_compared_by_size(
        self, keep: Keep, refused: t.Callable[..., str], cloud: FakeCloud
    ) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)
        with FakeWeb(OTHER) as web:
            result = keep(source=web.url)
        assert not result["changed"]
        assert "by its size only" in result["warnings"][0]
        with FakeWeb(QCOW2 + b"more") as web:
            assert f"size is {len(QCOW2)} in Glance and {len(QCOW2) + 4}" in refused(source=web.url)

    def test_that_cannot_be_reached_does_not_break_what_is_there(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)
        with FakeWeb(b"", status=404) as web:
            result = keep(source=web.url, tags=["new"])
        assert result["changed"]
        assert "could not be compared" in result["warnings"][0]

    def test_another_checksum_is_another_image(self, refused: t.Callable[..., str], cloud: FakeCloud) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)
        assert "content is sha512:" in refused(source="http://127.0.0.1:1/", checksum=digest("sha512", OTHER))

    @pytest.mark.parametrize(
        ("options", "said"),
        [({"status": 404}, "HTTP 404"), ({"announced": 9}, "the server stopped before the end")],
    )
    def test_a_bad_url(
        self, refused: t.Callable[..., str], cloud: FakeCloud, options: dict[str, t.Any], said: str
    ) -> None:
        with FakeWeb(QCOW2, **options) as web:
            assert said in refused(source=web.url)
        assert cloud.sent(*WRITES) == []

    def test_that_ends_too_early_leaves_nothing(self, refused: t.Callable[..., str], cloud: FakeCloud) -> None:
        with FakeWeb(QCOW2 + bytes(5 * image_bytes.MIB), announced=10) as web:
            message = refused(source=web.url)
        assert "the server stopped before the end" in message
        assert "nothing of it was left in Glance" in message
        assert cloud.sent(*WRITES) == [*UPLOAD, UNDO]
        assert cloud.images == {}

    def test_with_a_wrong_checksum_never_becomes_an_image(
        self, refused: t.Callable[..., str], cloud: FakeCloud
    ) -> None:
        content = QCOW2 + bytes(5 * image_bytes.MIB)
        received: list[int] = []
        cloud.during_upload = received.append
        with FakeWeb(content) as web:
            message = refused(source=web.url, checksum=digest("sha256"))
        assert "comparing the checksum" in message
        assert cloud.sent(*WRITES) == [*UPLOAD, UNDO]
        assert cloud.images == {}
        assert max(received) < len(content)

    def test_with_credentials_does_not_show_them(self, refused: t.Callable[..., str], cloud: FakeCloud) -> None:
        with FakeWeb(b"", status=401) as web:
            url = web.url.replace("//", "//user:hunter22@") + "/a?token=hunter33"
            messages = [refused(source=url), refused(source=web.url, checksum=f"sha256:{url}")]
        for message in messages:
            assert "HTTP 401" in message
            assert "hunter" not in message

    def test_with_credentials_does_not_show_them_in_its_arguments(
        self, run_module: RunModule, cloud: FakeCloud
    ) -> None:
        with FakeWeb(QCOW2) as web:
            web.files["/s?token=hunter33"] = f"{digest('sha256')[7:]} *disk\n".encode()
            url = web.url.replace("//", "//user:hunter22@")
            options = {"source": f"{url}/disk?token=hunter44", "checksum": f"sha256:{url}/s?token=hunter33"}
            result = run_module(module, {**cloud.auth, "name": "disk", **options})
        assert result["changed"], result
        assert "hunter" not in str(result)


class TestFailedUpload:
    """Whatever goes wrong, nothing that we began stays; and nothing that we did not begin goes."""

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (400, "HTTP 400"),
            (409, "somebody else uploads"),
            (410, "takes no images"),
            (413, "a full store"),
            (415, "declare the format that the bytes have"),
            (500, "a store that is down"),
            (503, "free space"),
        ],
    )
    def test_a_refusal_of_the_data(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str, status: int, said: str
    ) -> None:
        cloud.answers["PUT"] = (status, "<html><body>The reason</body></html>")
        message = refused(source=source)
        assert said in message
        assert "nothing of it was left in Glance" in message
        assert cloud.sent(*WRITES) == [*UPLOAD, UNDO]
        assert cloud.images == {}

    def test_a_connection_that_breaks(self, refused: t.Callable[..., str], cloud: FakeCloud, tmp_path: Path) -> None:
        (tmp_path / "large").write_bytes(bytes(32 * image_bytes.MIB))
        cloud.breaks_after = image_bytes.MIB
        message = refused(source=str(tmp_path / "large"))
        assert re.search(r"after \d+ bytes", message)
        assert cloud.sent(*WRITES) == [*UPLOAD, UNDO]

    def test_data_that_were_damaged(self, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        cloud.damages_data = True
        assert "sha512 of what was sent is" in refused(source=source)
        assert cloud.images == {}

    def test_it_is_deleted_over_a_connection_that_was_closed(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str
    ) -> None:
        cloud.answers["PUT"] = (503, "")
        cloud.hangs_up_before.append("DELETE")
        assert "nothing of it was left in Glance" in refused(source=source)
        assert cloud.sent(*WRITES) == [*UPLOAD, UNDO, UNDO]
        assert cloud.images == {}

    def test_an_image_that_cannot_be_deleted_is_told(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str
    ) -> None:
        cloud.answers["PUT"] = (503, "")
        cloud.answers["DELETE"] = (500, "The database is gone")
        message = refused(source=source)
        (left,) = cloud.images
        assert f"the image {left} was left without data and could not be deleted" in message
        assert "The database is gone" in message

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_a_signal(
        self, refused: t.Callable[..., str], cloud: FakeCloud, tmp_path: Path, number: signal.Signals
    ) -> None:
        (tmp_path / "large").write_bytes(bytes(32 * image_bytes.MIB))
        handlers = [signal.getsignal(each) for each in _image_signals.SIGNALS]
        sent: list[int] = []

        def stop(received: int) -> None:
            if received > image_bytes.MIB and not sent:
                sent.append(received)
                os.kill(os.getpid(), number)

        cloud.during_upload = stop
        message = refused(source=str(tmp_path / "large"))
        assert f"stopped by {number.name}; nothing of it was left in Glance" in message
        assert cloud.images == {}
        assert sent[0] < 32 * image_bytes.MIB
        assert [signal.getsignal(each) for each in _image_signals.SIGNALS] == handlers

    def test_a_signal_before_the_upload(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            _image.ImageApi, "authenticate", lambda _api: os.kill(os.getpid(), signal.SIGTERM) or signal.pause()
        )
        assert refused(source=source).startswith("the module was stopped by SIGTERM")
        assert cloud.sent() == []

    @pytest.mark.parametrize("answer", [None, (503, "No server is available")])
    def test_a_glance_that_is_restarted(
        self,
        refused: t.Callable[..., str],
        cloud: FakeCloud,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        answer: t.Optional[tuple[int, str]],
    ) -> None:
        (tmp_path / "large").write_bytes(bytes(32 * image_bytes.MIB))
        cloud.breaks_after = image_bytes.MIB
        waited: list[float] = []
        if answer:
            cloud.answers["DELETE"] = answer
        else:
            cloud.hangs_up_before = ["DELETE"] * 7

        def wait(seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == 2:
                cloud.answers.pop("DELETE", None)

        monkeypatch.setattr(_image_upload, "time", SimpleNamespace(sleep=wait, monotonic=time.monotonic))
        assert "nothing of it was left in Glance" in refused(source=str(tmp_path / "large"))
        assert cloud.images == {}
        assert len(waited) == 2

    @pytest.mark.parametrize(
        ("kind", "size", "seconds"),
        [
            ("url", 40 * GIB, 600 + 40 * 256),
            ("url", None, 600 + 100 * 256),
            ("compressed", 2 * GIB, 600 + 40 * 256),
            ("compressed", 8 * GIB, 600 + 100 * 256),
            ("compressed", None, 600 + 100 * 256),
        ],
    )
    def test_patience_follows_the_size(self, kind: str, size: t.Optional[int], seconds: float) -> None:
        wanted = Declaration(name="disk", max_size=100 * GIB, timeout=600)
        plain = _image_source.UrlSource("http://h/disk")
        plain.size = size
        source = UnpackedSource(plain, wanted.max_size) if kind == "compressed" else plain
        uploader = _image_upload.Uploader(t.cast(t.Any, None), wanted, warn=print, progress=ProgressFile())
        assert uploader._patience(source) == seconds

    @pytest.mark.parametrize("kind", ["file", "url", "url of unknown size", "compressed"])
    def test_a_token_that_expires(self, keep: Keep, cloud: FakeCloud, tmp_path: Path, kind: str) -> None:
        content = QCOW2 + bytes(5 * image_bytes.MIB)
        (tmp_path / "disk.gz").write_bytes(gzip.compress(content))
        (tmp_path / "disk").write_bytes(content)
        cloud.tokens_that_expire = 1
        with FakeWeb(content, announced=-1 if "unknown" in kind else 0) as web:
            source = web.url if "url" in kind else str(tmp_path / ("disk.gz" if kind == "compressed" else "disk"))
            image = keep(source=source, decompress=kind == "compressed")["image"]
        assert image["os_hash_value"] == digest("sha512", content)[7:]
        assert cloud.sent("PUT") == ["PUT /image/v2/images/ID/file"] * 2
        assert [request.path for request in cloud.requests].count("/v3/auth/tokens") == 2

    def test_tokens_that_are_never_taken(self, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        cloud.tokens_that_expire = 9
        assert "not even a new one" in refused(source=source)
        assert cloud.images == {}

    def test_an_image_that_was_there_before_stays(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str
    ) -> None:
        cloud.add("disk")
        cloud.answers["PUT"] = (413, "There is no room")
        message = refused(source=source)
        assert "There is no room" in message
        assert len(cloud.images) == 1
        assert "DELETE" not in " ".join(cloud.sent())


class TestLeftover:
    """What a killed run leaves behind is used by the next one."""

    def test_an_image_without_data_is_filled(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        queued = cloud.add("disk", disk_format="raw", container_format="bare", a="1")
        result = keep(source=source, tags=["x"], properties={"b": 2}, protected=True)
        assert result["changed"]
        assert result["image"]["id"] == queued["id"]
        assert result["image"]["status"] == "active"
        assert {name: result["image"][name] for name in ("disk_format", "a", "b", "tags", "protected")} == {
            "disk_format": "qcow2",
            "a": "1",
            "b": "2",
            "tags": ["x"],
            "protected": True,
        }
        assert cloud.sent(*WRITES) == [
            "PATCH /image/v2/images/ID",
            "PUT /image/v2/images/ID/file",
            "PATCH /image/v2/images/ID",
        ]
        assert not keep(source=source, tags=["x"], properties={"b": 2}, protected=True)["changed"]

    def test_the_interrupted_run_is_completed_with_one_request(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        cloud.add("disk", **ACTIVE)
        keep(source=source)
        assert cloud.sent(*WRITES) == ["PUT /image/v2/images/ID/file"]

    @pytest.mark.parametrize("note", ["owner_specified.openstack.sha256", "owner_specified.openstack_ops.source"])
    def test_what_is_noted_of_other_data_is_not_trusted(
        self, keep: Keep, cloud: FakeCloud, source: str, tmp_path: Path, note: str
    ) -> None:
        packed = tmp_path / "other.gz"
        packed.write_bytes(gzip.compress(OTHER))
        queued = cloud.add("disk", **ACTIVE, **{note: digest("sha256", packed.read_bytes())})
        told = keep(check=True, source=source)
        assert told["diff"] == keep(source=source)["diff"]
        assert note not in cloud.images[queued["id"]]
        checksum = digest("sha256", packed.read_bytes())
        assert keep(source=str(packed), checksum=checksum, decompress=True, check=True)["warnings"]

    @pytest.mark.parametrize("kind", ["fetched", "damaged"])
    def test_data_that_are_not_those_of_the_source_do_not_stay(
        self, refused: t.Callable[..., str], keep: Keep, cloud: FakeCloud, kind: str
    ) -> None:
        cloud.add("disk", **ACTIVE)
        cloud.fetched, cloud.damages_data = OTHER, kind == "damaged"
        options = {"checksum": digest("sha256"), "import_method": "web-download" if kind == "fetched" else "upload"}
        with FakeWeb(QCOW2) as web:
            message = refused(source=web.url, **options)
            assert "nothing of it was left in Glance" in message
            assert cloud.images == {}
            cloud.fetched, cloud.damages_data = QCOW2, False
            keep(source=web.url, **options)
            assert not keep(source=web.url, **options)["changed"]

    def test_one_of_another_project_is_not_touched(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        foreign = cloud.add("disk", owner=OTHER_PROJECT)
        assert keep(source=source)["image"]["id"] != foreign["id"]
        assert cloud.images[foreign["id"]]["status"] == "queued"


class TestThere:
    """An image that is there."""

    def test_what_is_left_out_stays(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        image = cloud.add(
            "disk",
            QCOW2,
            **ACTIVE,
            visibility="public",
            protected=True,
            tags=["a"],
            min_disk=7,
            min_ram=9,
            hw_x="y",
        )
        before = dict(image)
        assert not keep(source=source)["changed"]
        assert not keep()["changed"]
        assert cloud.images[image["id"]] == before

    @pytest.mark.parametrize("options", [{"deactivated": True}, {"stores": ["fast"]}])
    @pytest.mark.parametrize("check", [True, False])
    def test_what_needs_data_is_refused_without(
        self, refused: t.Callable[..., str], keep: Keep, cloud: FakeCloud, options: dict[str, t.Any], check: bool
    ) -> None:
        cloud.stores = ["fast"]
        queued = cloud.add("disk")
        assert f"the image {queued['id']} is in the status queued" in refused(check, **options)
        assert cloud.sent(*WRITES) == []
        assert not keep(deactivated=False)["changed"]

    def test_only_the_differences_are_sent(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.add("disk", QCOW2, **ACTIVE, tags=["a", "b"], same="1", other="1", gone="1", min_ram=5)
        result = keep(
            visibility="public",
            tags=["b", "c"],
            protected=False,
            min_ram=5,
            hidden=True,
            properties={"same": 1, "other": 2, "gone": None, "not/there~": "x", "never": None},
        )
        assert cloud.sent(*WRITES) == ["PATCH /image/v2/images/ID"]
        assert cloud.body_of("PATCH") == [
            {"op": "remove", "path": "/gone"},
            {"op": "add", "path": "/not~1there~0", "value": "x"},
            {"op": "replace", "path": "/os_hidden", "value": True},
            {"op": "replace", "path": "/other", "value": "2"},
            {"op": "replace", "path": "/tags", "value": ["b", "c"]},
            {"op": "replace", "path": "/visibility", "value": "public"},
        ]
        (patch,) = (request for request in cloud.requests if request.method == "PATCH")
        assert patch.headers["Content-Type"] == "application/openstack-images-v2.1-json-patch"
        assert result["diff"]["before"]["tags"] == ["a", "b"]
        assert result["diff"]["after"]["gone"] is None
        assert result["image"]["other"] == "2"

    def test_the_order_of_tags_does_not_matter(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.add("disk", QCOW2, **ACTIVE, tags=["b", "a"])
        assert not keep(tags=["a", "b"])["changed"]
        assert keep(tags=[])["image"]["tags"] == []

    def test_properties_can_be_purged(self, keep: Keep, cloud: FakeCloud) -> None:
        kept = {
            "os_glance_importing_to_stores": "",
            "os_glance": "",
            "owner_specified.openstack.sha256": "x",
            "stores": "fast",
        }
        cloud.add("disk", QCOW2, **ACTIVE, a="1", b="2", **kept)
        shown = keep(properties={"a": "1"}, properties_mode="exact")["image"]
        assert "b" not in shown
        assert {name: shown[name] for name in ("a", *kept)} == {"a": "1", **kept}

    def test_a_name_like_a_reserved_one_is_free(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)
        free = {"location_of_rack": "a", "deleted_by": "b", "my_os_glance": "c"}
        shown = keep(properties=free)["image"]
        assert {name: shown[name] for name in free} == free

    def test_it_is_found_by_its_id(self, keep: Keep, cloud: FakeCloud) -> None:
        image = cloud.add("old name", QCOW2, **ACTIVE)
        assert keep(id=image["id"], name="new name")["image"]["name"] == "new name"
        assert cloud.sent() == ["GET /image/v2/images/ID", "PATCH /image/v2/images/ID"]

    @pytest.mark.parametrize(
        "attributes",
        [
            {"os_hidden": True},
            {"visibility": "community"},
            {"visibility": "public", "owner": OTHER_PROJECT},
        ],
    )
    def test_it_is_found_where_it_is(
        self, keep: Keep, cloud: FakeCloud, source: str, attributes: dict[str, t.Any]
    ) -> None:
        cloud.add("disk", QCOW2, **ACTIVE, **attributes)
        assert not keep(source=source)["changed"]

    @pytest.mark.parametrize("attributes", [{"owner": OTHER_PROJECT, "visibility": "community"}, {"owner": PROJECT}])
    def test_it_is_given_to_its_owner(
        self, keep: Keep, cloud: FakeCloud, source: str, attributes: dict[str, t.Any]
    ) -> None:
        cloud.add("disk", QCOW2, **ACTIVE, **attributes)
        result = keep(source=source, owner="customer")
        assert result["changed"] == (attributes["owner"] == PROJECT)
        assert result["image"]["owner"] == OTHER_PROJECT

    @pytest.mark.parametrize("owner", ["customer", "admin"])
    def test_a_public_one_of_a_third_project_is_not_taken(
        self, keep: Keep, cloud: FakeCloud, source: str, owner: str
    ) -> None:
        foreign = cloud.add("disk", OTHER, **ACTIVE, visibility="public", owner="3" * 32)
        before = dict(foreign)
        assert keep(source=source, owner=owner, visibility="private")["action"] == "created"
        assert cloud.images[foreign["id"]] == before
        assert not keep(source=source, owner=owner)["changed"]

    @pytest.mark.parametrize("visibility", ["private", "shared", "community"])
    def test_one_of_another_project_is_another_one(
        self, keep: Keep, cloud: FakeCloud, source: str, visibility: str
    ) -> None:
        foreign = cloud.add("disk", OTHER, **ACTIVE, owner=OTHER_PROJECT, visibility=visibility)
        before = dict(foreign)
        assert keep(source=source)["uploaded"] == len(QCOW2)
        assert cloud.images[foreign["id"]] == before

    @pytest.mark.parametrize("options", [{"state": "absent"}, {"replace": True, "keep": 0}])
    def test_without_a_project_it_is_nobody_s(
        self, keep: Keep, cloud: FakeCloud, source: str, options: dict[str, t.Any]
    ) -> None:
        cloud.add("disk", OTHER, **ACTIVE, visibility="private")
        old = cloud.add("disk", OTHER, **ACTIVE, os_hidden=True)
        old[REPLACED] = f"x/{old['id']}"
        theirs = list(cloud.images)
        cloud.has_project = False
        cloud.add("disk", OTHER, **ACTIVE)
        old = cloud.add("disk", OTHER, **ACTIVE, os_hidden=True)
        old[REPLACED] = f"x/{old['id']}"
        image = keep(source=source, **options)["image"]
        assert list(cloud.images) == (theirs if "state" in options else [*theirs, image["id"]])
        assert not keep(source=source, **options)["changed"]

    def test_a_name_with_a_colon(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        cloud.add('debian:12 in:"x"', QCOW2, **ACTIVE)
        assert not keep(source=source, name='debian:12 in:"x"')["changed"]

    @pytest.mark.parametrize(
        ("attributes", "options", "said"),
        [
            ({}, {"source": OTHER}, "content is sha512:"),
            ({}, {"source": QCOW2 + b"more"}, f"size is {len(QCOW2)} in Glance"),
            ({}, {"disk_format": "raw"}, "disk_format is qcow2 in Glance and raw"),
            ({"disk_format": "raw"}, {}, "disk_format is raw in Glance and qcow2"),
            ({}, {"container_format": "ovf"}, "container_format is bare in Glance and ovf"),
            ({"os_hash_value": None}, {"source": OTHER}, "content is md5:"),
        ],
    )
    def test_what_glance_cannot_change_is_refused(
        self,
        refused: t.Callable[..., str],
        cloud: FakeCloud,
        tmp_path: Path,
        attributes: dict[str, t.Any],
        options: dict[str, t.Any],
        said: str,
    ) -> None:
        cloud.add("disk", QCOW2, **{**ACTIVE, **attributes})
        path = tmp_path / "image"
        path.write_bytes(options.pop("source", QCOW2))
        message = refused(source=str(path), tags=["x"], **options)
        assert said in message
        assert "replace: true" in message
        assert cloud.sent(*WRITES) == []

    def test_without_a_checksum_in_glance_it_is_compared_by_size(
        self, keep: Keep, cloud: FakeCloud, source: str
    ) -> None:
        cloud.add("disk", QCOW2, **ACTIVE, os_hash_value=None, checksum=None)
        assert "by its size only" in keep(source=source)["warnings"][0]

    def test_a_file_without_its_checksum_is_refused(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str
    ) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)
        assert "comparing the checksum" in refused(source=source, checksum="md5:" + "0" * 32)

    def test_one_in_another_store_is_told(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        cloud.add("disk", QCOW2, **ACTIVE, stores="slow,other")
        result = keep(source=source, store="fast")
        assert not result["changed"]
        assert "lies in slow, other, not in fast" in result["warnings"][0]
        assert keep(source=source, store="slow")["warnings"] == []


class TestReplacement:
    """With replace, a new image takes the place of the old one."""

    @pytest.fixture
    def new(self, tmp_path: Path) -> str:
        """Return the path of the new image."""
        path = tmp_path / "new"
        path.write_bytes(OTHER)
        return str(path)

    def test_it_takes_over_everything(self, keep: Keep, cloud: FakeCloud, new: str) -> None:
        attributes = {"visibility": "public", "tags": ["a"], "min_disk": 4, "hw_x": "y", "gone": "1"}
        old = cloud.add("disk", QCOW2, **ACTIVE, **attributes, **{"owner_specified.openstack.sha256": "old"})
        result = keep(source=new, replace=True, min_ram=5, properties={"gone": None})
        assert result["image"]["id"] != old["id"]
        assert list(cloud.images) == [result["image"]["id"]]
        assert cloud.sent(*WRITES) == [*UPLOAD, "PATCH /image/v2/images/ID", UNDO, "PATCH /image/v2/images/ID"]
        shown = result["image"]
        del attributes["gone"]
        assert {name: shown[name] for name in attributes} == attributes
        assert shown["min_ram"] == 5
        assert not {"gone", "owner_specified.openstack.sha256", REPLACES} & set(shown)
        assert not keep(source=new, replace=True)["changed"]

    def test_the_old_one_stays_until_the_new_one_is_verified(
        self, refused: t.Callable[..., str], cloud: FakeCloud, new: str
    ) -> None:
        old = cloud.add("disk", QCOW2, **ACTIVE)
        cloud.damages_data = True
        refused(source=new, replace=True)
        assert list(cloud.images) == [old["id"]]

    def test_a_protected_one_is_hidden(self, keep: Keep, cloud: FakeCloud, new: str) -> None:
        old = cloud.add("disk", QCOW2, **ACTIVE, protected=True)
        result = keep(source=new, replace=True)
        assert "is protected; it was hidden instead of deleted" in result["warnings"][0]
        assert cloud.images[old["id"]]["os_hidden"]
        assert cloud.images[old["id"]]["owner_specified.openstack_ops.replaced"].endswith(f"/{old['id']}")
        assert result["image"]["protected"]
        assert not keep(source=new, replace=True, hidden=False)["changed"]

    def test_a_glance_that_cannot_hide_images(self, keep: Keep, cloud: FakeCloud, new: str) -> None:
        old = cloud.add("disk", QCOW2, **ACTIVE)
        del old["os_hidden"]
        cloud.answers[f"DELETE /image/v2/images/{old['id']}"] = (409, "Image is in use")
        made = keep(source=new, replace=True)["image"]
        assert old[REPLACED] == f"{made['id']}/{old['id']}"
        assert "os_hidden" not in old
        assert not keep(source=new, replace=True)["changed"]

    def test_one_in_use_is_hidden(self, keep: Keep, cloud: FakeCloud, new: str) -> None:
        old = cloud.add("disk", QCOW2, **ACTIVE)
        cloud.answers[f"DELETE /image/v2/images/{old['id']}"] = (409, "Image is in use")
        result = keep(source=new, replace=True)
        assert "it was hidden instead of deleted" in result["warnings"][0]
        assert cloud.images[old["id"]]["os_hidden"]
        assert not keep(source=new, replace=True)["changed"]

    def test_members_are_taken_over(self, keep: Keep, cloud: FakeCloud, new: str) -> None:
        old = cloud.add("disk", QCOW2, **ACTIVE, visibility="shared")
        cloud.members[old["id"]] = {OTHER_PROJECT: "accepted"}
        result = keep(source=new, replace=True)
        assert cloud.members[result["image"]["id"]] == {OTHER_PROJECT: "pending"}
        assert f"{OTHER_PROJECT} have to accept it again" in result["warnings"][0]

    def test_so_many_old_versions_are_kept(self, keep: Keep, cloud: FakeCloud, tmp_path: Path) -> None:
        made = []
        for number in range(4):
            (tmp_path / "image").write_bytes(image_bytes.qcow2(data=b"%d" % number))
            result = keep(source=str(tmp_path / "image"), replace=True, keep=2)
            made.append(result["image"]["id"])
            cloud.images[made[-1]]["created_at"] = f"2026-11-2{number}T12:00:00Z"
        assert list(cloud.images) == made[1:]
        assert [image["os_hidden"] for image in cloud.images.values()] == [True, True, False]
        assert result["diff"]["after"]["old_versions"] == [made[1]]
        assert not keep(source=str(tmp_path / "image"), replace=True, keep=2)["changed"]
        fewer = keep(source=str(tmp_path / "image"), replace=True, keep=1)
        assert fewer["diff"]["before"]["old_versions"] == [made[2], made[1]]
        assert list(cloud.images) == made[2:]

    def test_old_versions_of_an_image_that_is_made_anew(
        self, keep: Keep, cloud: FakeCloud, source: str, new: str
    ) -> None:
        keep(source=source)
        replaced = keep(source=new, replace=True, keep=1)
        (old,) = cloud.images.keys() - {replaced["image"]["id"]}
        del cloud.images[replaced["image"]["id"]]
        told = keep(check=True, source=source, replace=True, keep=0)["diff"]
        done = keep(source=source, replace=True, keep=0)
        assert told["before"]["old_versions"] == done["diff"]["before"]["old_versions"] == [old]
        assert set(cloud.images) == {done["image"]["id"]}
        assert not keep(source=source, replace=True, keep=0)["changed"]

    def test_old_versions_that_have_to_stay_are_told(self, keep: Keep, cloud: FakeCloud, new: str) -> None:
        note = "owner_specified.openstack_ops.replaced"
        for options in ({"protected": True}, {}):
            old = cloud.add("disk", QCOW2, **ACTIVE, os_hidden=True, **options)
            old[note] = f"another/{old['id']}"
        cloud.answers[f"DELETE /image/v2/images/{old['id']}"] = (409, "Image is in use")
        snapshot = cloud.add("disk", QCOW2, **ACTIVE, os_hidden=True, **{note: old[note]})
        cloud.add("disk", OTHER, **ACTIVE)
        assert keep(source=new, replace=True, keep=0, check=True)["diff"]["after"]["old_versions"]
        result = keep(source=new, replace=True, keep=0)
        assert "is protected; it was kept" in result["warnings"][0]
        assert "is in use" in result["warnings"][1]
        assert (result["action"], result["changed"], result["diff"]["after"]) == ("unchanged", False, {})
        assert snapshot["id"] in cloud.images
        assert len(cloud.images) == 4

    def test_the_new_one_is_as_inactive_as_the_old_one(self, keep: Keep, cloud: FakeCloud, new: str) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)["status"] = "deactivated"
        assert keep(source=new, replace=True)["image"]["status"] == "deactivated"
        assert not keep(source=new, replace=True)["changed"]
        assert keep(source=new, replace=True, deactivated=False)["image"]["status"] == "active"

    def test_an_inactive_one_is_copied_before_it_is_inactive(self, keep: Keep, cloud: FakeCloud, new: str) -> None:
        cloud.stores = ["fast", "slow"]
        cloud.add("disk", QCOW2, **ACTIVE, stores="fast,slow", status="deactivated")
        image = keep(source=new, replace=True, stores=["fast", "slow"])["image"]
        assert (image["status"], image["stores"]) == ("deactivated", "fast,slow")
        assert not keep(source=new, replace=True, stores=["fast", "slow"])["changed"]

    def test_another_declared_format_replaces(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        cloud.add("disk", QCOW2, disk_format="raw", container_format="bare")
        assert keep(source=source, replace=True)["image"]["disk_format"] == "qcow2"


class TestInterruptedReplacement:
    """What a replacement leaves behind that was killed: the next run finishes it, or takes it back."""

    @pytest.fixture
    def old(self, cloud: FakeCloud) -> dict[str, t.Any]:
        """Put the image there that is about to be replaced."""
        return cloud.add("disk", QCOW2, **ACTIVE, hw_x="y")

    @pytest.fixture
    def new(self, tmp_path: Path) -> str:
        """Return the path of the new image."""
        path = tmp_path / "new"
        path.write_bytes(OTHER)
        return str(path)

    @pytest.fixture
    def killed(self, cloud: FakeCloud, old: dict[str, t.Any], new: str, refused: t.Callable[..., str]) -> Killed:
        """Return a function that replaces the image until so many requests were sent, and returns the new image."""

        def run(writes: int, **options: t.Any) -> dict[str, t.Any]:
            was_hidden = old["os_hidden"]
            cloud.writes_left = writes
            refused(**{"source": new, "replace": True, **options})
            cloud.writes_left = None
            there = cloud.images.values()
            assert any(image["status"] == "active" and image["os_hidden"] == was_hidden for image in there)
            (made,) = (image for image in cloud.images.values() if image["id"] != old["id"])
            return made

        return run

    @pytest.mark.parametrize("kept", [None, 0, 1])
    @pytest.mark.parametrize("writes", [1, 2, 3, 4])
    def test_it_is_finished(
        self, keep: Keep, cloud: FakeCloud, old: dict[str, t.Any], new: str, killed: Killed, writes: int, kept: int
    ) -> None:
        options = {"source": new, "replace": True, "keep": kept, "properties_mode": "exact", "properties": {"hw_x": 1}}
        made = killed(min(writes, 3) if kept else writes, **options)
        told = keep(check=True, **options)
        assert cloud.sent(*WRITES) == []
        done = keep(**options)
        assert told["changed"] is done["changed"] is True
        assert (told["action"], told["diff"]) == (done["action"], done["diff"])
        assert done["image"]["os_hash_value"] == digest("sha512", OTHER)[7:]
        assert done["image"]["hw_x"] == "1"
        # What was there is not sent again, and what nobody has filled is made anew.
        assert (done["image"]["id"] == made["id"]) == (done["uploaded"] == 0) == (writes > 1)
        others = [image for image in cloud.images.values() if image["id"] != done["image"]["id"]]
        assert [image[REPLACED] for image in others] == ([f"{done['image']['id']}/{old['id']}"] if kept else [])
        assert all(image["os_hidden"] for image in others)
        assert REPLACES not in cloud.images[done["image"]["id"]]
        assert not keep(**options)["changed"]

    @pytest.mark.parametrize("writes", [1, 2])
    @pytest.mark.parametrize("declares_source", [True, False])
    def test_it_is_taken_back(
        self,
        keep: Keep,
        cloud: FakeCloud,
        old: dict[str, t.Any],
        source: str,
        killed: Killed,
        writes: int,
        declares_source: bool,
    ) -> None:
        made = killed(writes)
        made["protected"] = True
        options = {"source": source if declares_source else None, "replace": True, "tags": ["x"]}
        told = keep(check=True, **options)
        done = keep(**options)
        assert told["diff"] == done["diff"]
        assert done["diff"] == {
            "before": {"replacement": made["id"], "tags": []},
            "after": {"replacement": None, "tags": ["x"]},
        }
        assert list(cloud.images) == [old["id"]]
        assert not keep(**options)["changed"]

    @pytest.mark.parametrize(
        ("first", "then"),
        [
            ({"hidden": True}, {}),
            ({"hidden": True}, {"keep": 1}),
            ({"hidden": False}, {"hidden": True}),
            ({"name": "disk"}, {"name": "older", "previous_names": ["disk"]}),
        ],
    )
    @pytest.mark.parametrize("writes", [1, 2])
    def test_it_is_finished_with_other_options(
        self,
        keep: Keep,
        cloud: FakeCloud,
        old: dict[str, t.Any],
        new: str,
        killed: Killed,
        writes: int,
        first: dict[str, t.Any],
        then: dict[str, t.Any],
    ) -> None:
        # What the old image is decides where it is looked for first.
        old.update(os_hidden=then.get("hidden", False), name=then.get("name", "disk"))
        made = killed(writes, previous_names=["older"], **first)
        options = {"source": new, "replace": True, **then}
        told = keep(check=True, **options)
        done = keep(**options)
        assert told["diff"] == done["diff"]
        assert (done["image"]["id"] == made["id"]) == (done["uploaded"] == 0) == (writes > 1)
        assert cloud.images.keys() == {done["image"]["id"], *([old["id"]] if "keep" in then else [])}
        assert done["image"]["os_hidden"] == then.get("hidden", False)
        assert not keep(**options)["changed"]

    def test_a_third_content_is_uploaded(
        self, keep: Keep, cloud: FakeCloud, new: str, killed: Killed, old: dict[str, t.Any]
    ) -> None:
        made = killed(2)
        Path(new).write_bytes(image_bytes.qcow2(data=b"third"))
        done = keep(source=new, replace=True)
        assert done["action"] == "replaced"
        assert done["diff"]["before"]["replacement"] == made["id"]
        assert list(cloud.images) == [done["image"]["id"]]
        assert done["image"]["id"] not in (old["id"], made["id"])

    def test_one_that_nobody_may_read_is_made_anew(
        self, keep: Keep, cloud: FakeCloud, new: str, killed: Killed
    ) -> None:
        made = killed(3, deactivated=True)
        assert made["status"] == "deactivated"
        done = keep(source=new, replace=True)
        assert done["image"]["status"] == "active"
        assert list(cloud.images) == [done["image"]["id"]] != [made["id"]]

    def test_one_with_damaged_data_is_made_anew(self, keep: Keep, cloud: FakeCloud, new: str, killed: Killed) -> None:
        cloud.damages_data = True
        made = killed(2)
        cloud.damages_data = False
        done = keep(source=new, replace=True)
        assert made["id"] not in cloud.images
        assert list(cloud.images) == [done["image"]["id"]]

    @pytest.mark.parametrize(
        ("algorithm", "uploads"), [("sha512", False), ("md5", False), ("sha256", True), (None, True)]
    )
    def test_only_what_is_known_to_be_whole_is_taken(
        self, keep: Keep, cloud: FakeCloud, killed: Killed, algorithm: t.Optional[str], uploads: bool
    ) -> None:
        content = OTHER + b"more"
        with FakeWeb(content) as web:
            checksum = {"checksum": digest(algorithm, content)} if algorithm else {}
            options = {"source": web.url, **checksum, "replace": True}
            made = killed(2, **options)
            done = keep(**options)
        assert (made["id"] not in cloud.images) == bool(done["uploaded"]) == uploads
        assert list(cloud.images) == [done["image"]["id"]]

    @pytest.mark.parametrize("status", ["saving", "uploading", "importing"])
    def test_one_that_is_being_uploaded_is_not_touched(
        self, refused: t.Callable[..., str], cloud: FakeCloud, new: str, source: str, killed: Killed, status: str
    ) -> None:
        made = killed(1)
        made["status"] = status
        for options in ({"source": new}, {"source": source}, {}):
            for check in (True, False):
                assert f"the image {made['id']} is in the status {status}" in refused(check, replace=True, **options)
        assert f"the image {made['id']} is in the status {status}" in refused(state="absent")
        made["os_hidden"] = True
        assert f"the image {made['id']} is in the status {status}" in refused(source=new, replace=True)
        assert f"the image {made['id']} is in the status {status}" in refused(state="absent")
        assert len(cloud.images) == 2

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_an_old_one_that_could_not_be_put_away(
        self,
        keep: Keep,
        refused: t.Callable[..., str],
        cloud: FakeCloud,
        old: dict[str, t.Any],
        new: str,
        method: str,
    ) -> None:
        refusal = f"{method} /image/v2/images/{old['id']}"
        cloud.answers[refusal] = (403, "No")
        message = refused(source=new, replace=True)
        (made,) = set(cloud.images) - {old["id"]}
        assert f"No; its replacement {made} is complete" in message
        assert f"No; its replacement {made} is complete" in refused(source=new, replace=True)
        del cloud.answers[refusal]
        done = keep(source=new, replace=True)
        assert done["changed"]
        assert done["uploaded"] == 0
        assert list(cloud.images) == [made]
        assert not keep(source=new, replace=True)["changed"]

    def test_one_that_has_another_name(
        self, keep: Keep, cloud: FakeCloud, old: dict[str, t.Any], new: str, killed: Killed
    ) -> None:
        old["name"] = "older"
        options = {"source": new, "replace": True, "previous_names": ["older"]}
        made = killed(2, **options)
        told = keep(check=True, **options)
        assert told["diff"] == keep(**options)["diff"]
        assert list(cloud.images) == [made["id"]]
        assert not keep(**options)["changed"]

    def test_one_that_somebody_has_renamed_stays(
        self, keep: Keep, cloud: FakeCloud, old: dict[str, t.Any], new: str, killed: Killed
    ) -> None:
        made = killed(2)
        old["name"] = "my backup"
        assert keep(source=new, replace=True)["image"]["id"] == made["id"]
        assert list(cloud.images) == [old["id"], made["id"]]
        assert not keep(source=new, replace=True)["changed"]

    def test_members_are_taken_over(
        self, keep: Keep, cloud: FakeCloud, old: dict[str, t.Any], new: str, killed: Killed
    ) -> None:
        cloud.members[old["id"]] = {OTHER_PROJECT: "accepted", PROJECT: "pending"}
        made = killed(3)
        assert cloud.members[made["id"]].keys() < {OTHER_PROJECT, PROJECT}
        keep(source=new, replace=True)
        assert cloud.members[made["id"]] == {OTHER_PROJECT: "pending", PROJECT: "pending"}

    @pytest.mark.parametrize("hidden", [None, True])
    def test_both_go_with_the_image(
        self, keep: Keep, cloud: FakeCloud, killed: Killed, hidden: t.Optional[bool]
    ) -> None:
        killed(2, hidden=hidden)
        assert keep(check=True, state="absent")["diff"] == keep(state="absent")["diff"]
        assert cloud.images == {}

    def test_a_snapshot_is_no_replacement(
        self, refused: t.Callable[..., str], cloud: FakeCloud, old: dict[str, t.Any], new: str, killed: Killed
    ) -> None:
        made = killed(2)
        cloud.add("disk", QCOW2, **ACTIVE, **{REPLACES: made[REPLACES]})
        assert "there are 3 of that name" in refused(source=new, replace=True)
        assert len(cloud.images) == 3


class TestSharing:
    """The members of a shared image are those that were declared."""

    @pytest.mark.parametrize(
        ("before", "members", "accept", "after"),
        [
            ({}, ["customer"], False, {OTHER_PROJECT: "pending"}),
            ({}, ["customer"], True, {OTHER_PROJECT: "accepted"}),
            ({OTHER_PROJECT: "rejected"}, ["customer"], False, {OTHER_PROJECT: "rejected"}),
            ({OTHER_PROJECT: "pending"}, [OTHER_PROJECT], True, {OTHER_PROJECT: "accepted"}),
            ({OTHER_PROJECT: "accepted", PROJECT: "pending"}, [PROJECT], False, {PROJECT: "pending"}),
            ({OTHER_PROJECT: "accepted"}, [], False, {}),
        ],
    )
    def test_exactly(
        self,
        keep: Keep,
        cloud: FakeCloud,
        before: dict[str, str],
        members: list[str],
        accept: bool,
        after: dict[str, str],
    ) -> None:
        image = cloud.add("disk", QCOW2, **ACTIVE)
        cloud.members[image["id"]] = dict(before)
        options = {"members": members, "accept_members": accept}
        told = keep(check=True, **options)
        assert cloud.members[image["id"]] == before
        result = keep(**options)
        assert cloud.members[image["id"]] == after
        assert told["changed"] == result["changed"] == (before != after)
        assert told["diff"] == result["diff"]
        assert not keep(**options)["changed"]

    def test_with_the_image(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        made = keep(source=source, members=["customer"])["image"]
        assert cloud.members[made["id"]] == {OTHER_PROJECT: "pending"}

    def test_of_an_image_that_becomes_shared(self, keep: Keep, cloud: FakeCloud) -> None:
        image = cloud.add("disk", QCOW2, **ACTIVE, visibility="private")
        keep(visibility="shared", members=["customer"])
        assert cloud.members[image["id"]] == {OTHER_PROJECT: "pending"}

    def test_of_an_image_that_is_not_shared(self, refused: t.Callable[..., str], keep: Keep, cloud: FakeCloud) -> None:
        assert "visibility is public" in refused(visibility="public", members=["customer"])
        cloud.add("disk", QCOW2, **ACTIVE, visibility="private")
        assert "only shared images have members" in refused(members=["customer"])
        assert not keep(members=[])["changed"]


class TestActivity:
    """An image can be kept from being used."""

    def test_it_changes_once(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        assert keep(source=source, deactivated=True)["image"]["status"] == "deactivated"
        assert not keep(source=source, deactivated=True)["changed"]
        assert not keep(source=source)["changed"]
        assert keep(check=True, deactivated=False)["diff"]["after"] == {"deactivated": False}
        assert keep(deactivated=False)["image"]["status"] == "active"
        assert not keep(deactivated=False)["changed"]


class TestRename:
    """An image that had another name is found by it."""

    def test_by_its_previous_name(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        image = cloud.add("older", QCOW2, **ACTIVE)
        options = {"source": source, "previous_names": ["oldest", "older"]}
        assert keep(check=True, **options)["diff"] == {"before": {"name": "older"}, "after": {"name": "disk"}}
        assert keep(**options)["image"]["id"] == image["id"]
        assert image["name"] == "disk"
        assert not keep(**options)["changed"]

    def test_before_a_public_one_of_another_project(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        foreign = cloud.add("disk", OTHER, **ACTIVE, visibility="public", owner=OTHER_PROJECT)
        before = dict(foreign)
        image = cloud.add("older", QCOW2, **ACTIVE)
        assert keep(source=source, previous_names=["older"])["image"]["id"] == image["id"]
        assert cloud.images[foreign["id"]] == before

    def test_before_one_that_would_be_given_away(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)
        theirs = cloud.add("older", QCOW2, **ACTIVE, owner=OTHER_PROJECT)
        options = {"source": source, "owner": "customer", "previous_names": ["older"]}
        assert keep(**options)["image"]["id"] == theirs["id"]
        assert [image["owner"] for image in cloud.images.values()] == [PROJECT, OTHER_PROJECT]
        assert not keep(**options)["changed"]

    def test_not_when_the_new_name_is_there(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.add("older", QCOW2, **ACTIVE)
        cloud.add("disk", QCOW2, **ACTIVE)
        assert not keep(previous_names=["older"])["changed"]


class TestImport:
    """The ways into Glance besides an upload."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Do not wait between two looks."""
        monkeypatch.setattr(_image_import, "SECONDS_BETWEEN_LOOKS", 0.01)

    def test_by_way_of_the_staging_area(self, keep: Keep, cloud: FakeCloud, source: str) -> None:
        options = {"source": source, "import_method": "glance-direct", "store": "fast"}
        cloud.stores = ["slow", "fast"]
        result = keep(**options)
        assert result["image"]["status"] == "active"
        assert result["uploaded"] == len(QCOW2)
        assert cloud.sent("POST", "PUT") == [
            UPLOAD[0],
            "PUT /image/v2/images/ID/stage",
            "POST /image/v2/images/ID/import",
        ]
        (body,) = (request.body for request in cloud.requests if request.path.endswith("/import"))
        assert body == {"method": {"name": "glance-direct"}, "stores": ["fast"], "all_stores_must_succeed": False}
        assert not keep(**options)["changed"]

    def test_a_url_that_glance_fetches(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.fetched = QCOW2
        with FakeWeb(QCOW2) as web:
            options = {"source": web.url, "import_method": "web-download", "checksum": digest("sha512")}
            result = keep(**options)
            assert result["image"]["disk_format"] == "qcow2"
            assert result["uploaded"] == 0
            assert result["warnings"] == []
            assert not keep(**options)["changed"]

    def test_a_url_that_only_glance_can_reach(
        self, keep: Keep, refused: t.Callable[..., str], cloud: FakeCloud
    ) -> None:
        cloud.fetched = QCOW2
        options = {"source": "http://127.0.0.1:9/disk", "import_method": "web-download"}
        assert "declare disk_format" in refused(**options)
        result = keep(**options, disk_format="qcow2")
        assert result["changed"]
        assert "could not be verified: no checksum was declared" in result["warnings"][0]

    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    def test_what_glance_fetched_is_compared(
        self, keep: Keep, refused: t.Callable[..., str], cloud: FakeCloud, algorithm: str
    ) -> None:
        cloud.fetched = OTHER
        options = {"source": "http://127.0.0.1:9/disk", "import_method": "web-download", "disk_format": "qcow2"}
        message = refused(**options, checksum=digest(algorithm))
        assert f"the declared one is {digest(algorithm)}" in message
        assert "nothing of it was left" in message
        assert cloud.images == {}
        assert keep(**options, checksum=digest(algorithm, OTHER))["changed"]

    def test_an_image_of_another_glance(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.fetched = QCOW2
        remote = {"id": PROJECT, "region": "North"}
        keep(import_method="glance-download", remote_image=remote, disk_format="qcow2")
        (body,) = (request.body for request in cloud.requests if request.path.endswith("/import"))
        assert body["method"] == {
            "name": "glance-download",
            "glance_image_id": PROJECT,
            "glance_region": "North",
            "glance_service_interface": "public",
        }

    def test_a_failure_is_told(self, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        cloud.import_fails = "The store is full"
        message = refused(source=source, import_method="glance-direct")
        assert "importing the image 'disk' with glance-direct: The store is full (failed for default)" in message
        assert cloud.images == {}

    def test_a_plugin_that_changes_the_data_is_told(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str
    ) -> None:
        cloud.damages_data = True
        message = refused(source=source, import_method="glance-direct")
        assert "such as image_conversion" in message
        assert "set import_method: upload" in message
        assert "image_conversion" not in refused(source=source)

    def test_one_that_never_ends(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_image_import, "SLOWEST_IMPORT", 10**9)
        monkeypatch.setattr(cloud, "_import", lambda *_arguments: (202, None))
        message = refused(source=source, import_method="glance-direct", timeout=1)
        assert "it has shown no progress for 1 seconds" in message

    def test_one_that_is_slow_and_goes_on(
        self, keep: Keep, cloud: FakeCloud, source: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_image_import, "SLOWEST_IMPORT", 10**9)
        monkeypatch.setattr(_image_import, "SECONDS_BETWEEN_LOOKS", 0.05)
        task = {"id": "1", "status": "processing", "message": ""}
        end = time.monotonic() + 60

        def begin(request: Request, image: dict[str, t.Any], parts: list[str]) -> tuple[int, t.Any]:
            nonlocal end
            end = time.monotonic() + 2.5
            cloud.tasks.append({**task, "image_id": image["id"]})
            return 202, None

        def tell(_request: Request, image: dict[str, t.Any], _parts: list[str]) -> tuple[int, t.Any]:
            if not cloud.tasks:
                return 200, {"tasks": []}
            task["message"] = f"Copied {time.monotonic():.3f} MiB"
            if time.monotonic() > end and task["status"] == "processing":
                task["status"] = "success"
                cloud._store(image, [cloud.staged.pop(image["id"])])
            return 200, {"tasks": [task]}

        monkeypatch.setattr(cloud, "_import", begin)
        monkeypatch.setattr(cloud, "_list_tasks", tell)
        assert keep(source=source, import_method="glance-direct", timeout=1)["action"] == "created"

    @pytest.mark.parametrize(
        ("size", "stores", "present", "messages", "done"),
        [
            (100, [""], "", [], 0),
            (100, [""], "", ["Copied 30 MiB", "Copied 90 MiB"], 30),
            (200, ["b", "c"], "a", ["Copied 30 MiB"], 30),
            (200, ["b", "c"], "a,b", ["Copied 30 MiB"], 130),
            (200, ["b", "c"], "a,b,c", ["Copied 100 MiB"], 200),
            (None, [""], "", ["Copied 30 MiB"], 30),
            (None, [""], "", ["something else"], 0),
        ],
    )
    def test_how_far_it_is(
        self, size: t.Optional[int], stores: list[str], present: str, messages: list[str], done: int
    ) -> None:
        share = _image_import._Share(size and size * image_bytes.MIB, stores)
        tasks = [{"status": "processing", "message": message} for message in messages]
        assert share.done({"stores": present}, tasks) == done * image_bytes.MIB

    def test_a_method_that_is_not_allowed(self, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        fixed = "12345678-0000-4000-8000-000000000000"
        cloud.answers[f"POST /image/v2/images/{fixed}/import"] = (400, "Unsupported import method")
        message = refused(source=source, id=fixed, import_method="glance-direct")
        assert "look at the import methods" in message

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"import_method": "web-download"}, "give a URL as source"),
            ({"import_method": "web-download", "source": "http://h/x", "convert": "raw"}, "leave out decompress"),
            ({"import_method": "glance-download"}, "give remote_image, and no source"),
            ({"remote_image": {"id": "x", "region": "y"}}, "set import_method: glance-download"),
            ({"convert": "raw", "container_format": "ova"}, "leave out container_format"),
            ({"checksum_keyring": "/k"}, "give a checksum that is the URL or path of a file"),
            ({"keep": 2}, "set replace: true"),
            ({"decompress": True, "max_size": "0"}, "give a size such as 20G"),
        ],
    )
    def test_contradictions(
        self, refused: t.Callable[..., str], source: str, options: dict[str, t.Any], said: str
    ) -> None:
        assert said in refused(**{"source": source, **options})


class TestStores:
    """An image lies at least in the declared stores."""

    @pytest.fixture(autouse=True)
    def stores(self, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give the cloud several stores."""
        cloud.stores = ["a", "b", "c"]
        monkeypatch.setattr(_image_import, "SECONDS_BETWEEN_LOOKS", 0.01)

    def test_a_new_image_is_copied(self, keep: Keep, source: str) -> None:
        result = keep(source=source, stores=["a", "c"])
        assert result["image"]["stores"] == "a,c"
        assert result["diff"]["after"]["stores"] == ["a", "c"]
        assert not keep(source=source, stores=["c"])["changed"]

    def test_one_that_is_there_is_copied(self, keep: Keep, cloud: FakeCloud) -> None:
        image = cloud.add("disk", QCOW2, **ACTIVE)
        told = keep(check=True, stores=["b"])
        assert image["stores"] == "a"
        result = keep(stores=["b"])
        assert image["stores"] == "a,b"
        assert told["diff"] == result["diff"] == {"before": {"stores": ["a"]}, "after": {"stores": ["a", "b"]}}
        assert not keep(stores=["b"])["changed"]

    def test_the_store_is_asked_for_where_the_list_does_not_tell(self, keep: Keep, cloud: FakeCloud) -> None:
        image = cloud.add("disk", QCOW2, **ACTIVE)
        del image["stores"]
        cloud.late_stores[image["id"]] = "b"
        assert not keep(stores=["b"])["changed"]

    def test_what_cannot_be_copied_is_told(self, refused: t.Callable[..., str], cloud: FakeCloud) -> None:
        image = cloud.add("disk", QCOW2, **ACTIVE)
        assert "the store 'd' is not there" in refused(stores=["d"])
        cloud.import_fails = "No space"
        assert "No space (failed for b)" in refused(stores=["b"])
        image["status"] = "deactivated"
        assert "does not copy deactivated images" in refused(stores=["b"])
        assert "does not copy deactivated images" in refused(stores=["b"], deactivated=True)

    def test_one_that_becomes_active_is_copied(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)["status"] = "deactivated"
        result = keep(stores=["b"], deactivated=False)
        assert (result["image"]["status"], result["image"]["stores"]) == ("active", "a,b")
        assert keep(stores=["c"], deactivated=True)["image"]["status"] == "deactivated"

    def test_a_replacement_that_cannot_be_copied_leaves_the_old_one(
        self, refused: t.Callable[..., str], cloud: FakeCloud, source: str
    ) -> None:
        old = cloud.add("disk", OTHER, **ACTIVE)
        cloud.import_fails = "No space"
        assert "nothing of it was left" in refused(source=source, replace=True, stores=["a", "b"])
        assert list(cloud.images) == [old["id"]]


class TestMadeOfTheSource:
    """Images whose data are not the bytes of the source."""

    @pytest.fixture
    def packed(self, tmp_path: Path) -> Path:
        """Return the path of a compressed image."""
        (tmp_path / "disk.gz").write_bytes(gzip.compress(QCOW2))
        return tmp_path / "disk.gz"

    @pytest.mark.parametrize("declared", [True, False])
    def test_a_compressed_file(self, keep: Keep, cloud: FakeCloud, packed: Path, declared: bool) -> None:
        checksum = {"checksum": digest("sha256", packed.read_bytes())} if declared else {}
        options = {"source": str(packed), "decompress": True, **checksum}
        image = keep(**options)["image"]
        assert image["os_hash_value"] == digest("sha512")[7:]
        assert image["disk_format"] == "qcow2"
        again = keep(**options)
        assert not again["changed"]
        assert again["warnings"] == []
        packed.write_bytes(gzip.compress(OTHER))
        checksum = {"checksum": digest("sha256", packed.read_bytes())} if declared else {}
        result = keep(**{**options, **checksum}, replace=True)
        assert result["action"] == "replaced"
        assert result["image"]["os_hash_value"] == digest("sha512", OTHER)[7:]
        assert not keep(**{**options, **checksum}, properties_mode="exact")["changed"]

    def test_a_wrong_checksum_leaves_nothing(self, refused: t.Callable[..., str], cloud: FakeCloud) -> None:
        packed = gzip.compress(QCOW2)
        with FakeWeb(packed) as web:
            options = {"source": web.url, "decompress": True, "checksum": digest("sha256")}
            assert "the declared one is" in refused(**options)
        assert cloud.images == {}

    def test_a_url_without_a_checksum_cannot_be_compared(self, keep: Keep) -> None:
        with FakeWeb(gzip.compress(QCOW2)) as web:
            assert keep(source=web.url, decompress=True)["changed"]
            again = keep(source=web.url, decompress=True)
        assert not again["changed"]
        assert "declare the checksum of the source" in again["warnings"][0]

    def test_a_converted_file(self, keep: Keep, cloud: FakeCloud, tmp_path: Path) -> None:
        (tmp_path / "disk.raw").write_bytes(b"\3".ljust(4 * image_bytes.MIB, b"\0"))
        source, target = str(tmp_path / "disk.raw"), str(tmp_path / "disk.qcow2")
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", source, target], check=True)
        options = {"source": target, "convert": "raw", "work_directory": str(tmp_path)}
        assert keep(check=True, **options)["diff"]["after"]["disk_format"] == "raw"
        image = keep(**options)["image"]
        assert (image["disk_format"], image["size"]) == ("raw", 4 * image_bytes.MIB)
        assert image["os_hash_value"] == hashlib.sha512((tmp_path / "disk.raw").read_bytes()).hexdigest()
        assert not keep(**options)["changed"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "disk.qcow2", "disk.raw"]

    def test_a_checksum_from_a_file(self, keep: Keep, refused: t.Callable[..., str], tmp_path: Path) -> None:
        with FakeWeb(QCOW2) as web:
            web.files["/SHA256SUMS"] = f"{digest('sha256')[7:]} *disk.qcow2\n".encode()
            options = {"source": f"{web.url}/disk.qcow2", "checksum": f"sha256:{web.url}/SHA256SUMS"}
            assert keep(**options)["changed"]
            assert not keep(**options)["changed"]
            web.files["/SHA256SUMS"] = f"{digest('sha256', OTHER)[7:]} *disk.qcow2\n".encode()
            assert "set replace: true" in refused(**options)
            assert "no line has a sha256" in refused(**{**options, "source": f"{web.url}/other.qcow2"})


class TestAbsent:
    """An image that shall go."""

    def test_it_is_deleted(self, keep: Keep, cloud: FakeCloud) -> None:
        cloud.add("disk", QCOW2, **ACTIVE)
        assert keep(state="absent")["changed"]
        assert cloud.images == {}
        assert not keep(state="absent")["changed"]

    @pytest.mark.parametrize("visibility", ["shared", "public"])
    def test_one_of_another_project_stays(self, keep: Keep, cloud: FakeCloud, visibility: str) -> None:
        cloud.add("disk", owner=OTHER_PROJECT, visibility=visibility)
        assert not keep(state="absent")["changed"]
        assert len(cloud.images) == 1

    @pytest.fixture
    def versions(self, keep: Keep, tmp_path: Path) -> list[str]:
        """Make an image with two old versions, and return the ids of the three."""
        options = {"source": str(tmp_path / "image"), "replace": True, "keep": 2}
        made = []
        for number in range(3):
            (tmp_path / "image").write_bytes(image_bytes.qcow2(data=b"%d" % number))
            made.append(keep(**options)["image"]["id"])
        return made

    @pytest.mark.parametrize("deleted_by_hand", [True, False])
    def test_its_old_versions_go_with_it(
        self, keep: Keep, cloud: FakeCloud, versions: list[str], deleted_by_hand: bool
    ) -> None:
        note = {REPLACED: cloud.images[versions[0]][REPLACED]}
        snapshot = cloud.add("disk", QCOW2, **ACTIVE, os_hidden=True, **note)
        foreign = cloud.add("disk", QCOW2, **ACTIVE, os_hidden=True, owner=OTHER_PROJECT)
        foreign[REPLACED] = f"x/{foreign['id']}"
        others = [snapshot["id"], foreign["id"]]
        snapshot["name"] = "snapshot"
        if deleted_by_hand:
            del cloud.images[versions[2]]
        told = keep(check=True, state="absent")
        assert len(cloud.images) == 4 if deleted_by_hand else 5
        done = keep(state="absent")
        assert (told["action"], told["diff"]) == (done["action"], done["diff"])
        assert done["diff"]["before"]["old_versions"] == [versions[1], versions[0]]
        assert list(cloud.images) == others
        assert not keep(state="absent")["changed"]

    def test_old_versions_that_have_to_stay_are_told(
        self, keep: Keep, refused: t.Callable[..., str], cloud: FakeCloud, versions: list[str]
    ) -> None:
        cloud.images[versions[0]]["protected"] = True
        deletion = f"DELETE /image/v2/images/{versions[1]}"
        cloud.answers[deletion] = (409, "Image is in use")
        for changes in (True, False):
            result = keep(state="absent")
            assert "is protected; it was kept" in result["warnings"][0]
            assert "is in use" in result["warnings"][1]
            assert result["changed"] is changes
            assert list(cloud.images) == versions[:2]
        cloud.answers[deletion] = (403, "No")
        assert refused(state="absent").startswith(f"deleting the image {versions[1]}")

    def test_however_many_they_are(self, keep: Keep, cloud: FakeCloud) -> None:
        for _number in range(30):
            old = cloud.add("disk", QCOW2, **ACTIVE, os_hidden=True)
            old[REPLACED] = f"x/{old['id']}"
        assert len(keep(state="absent")["diff"]["before"]["old_versions"]) == 30
        assert cloud.images == {}

    def test_an_id_means_one_image(self, keep: Keep, cloud: FakeCloud, versions: list[str]) -> None:
        keep(id=versions[2], state="absent")
        assert list(cloud.images) == versions[:2]

    def test_only_the_one_of_the_declared_owner(self, keep: Keep, cloud: FakeCloud) -> None:
        mine = cloud.add("disk")
        cloud.add("disk", owner=OTHER_PROJECT)
        assert keep(state="absent", owner="customer")["changed"]
        assert list(cloud.images) == [mine["id"]]
        assert not keep(state="absent", owner="customer")["changed"]

    @pytest.mark.parametrize("check", [True, False])
    def test_a_protected_one_is_refused(self, refused: t.Callable[..., str], cloud: FakeCloud, check: bool) -> None:
        cloud.add("disk", protected=True)
        assert "it is protected" in refused(check, state="absent")
        assert len(cloud.images) == 1

    def test_one_in_use_is_told(self, refused: t.Callable[..., str], cloud: FakeCloud) -> None:
        cloud.add("disk")
        cloud.answers["DELETE"] = (409, "Image could not be deleted because it is in use")
        assert "it is in use" in refused(state="absent")


class TestCheckMode:
    """Nothing is sent that changes anything, and what is told is what would happen."""

    @pytest.mark.parametrize(
        ("there", "options"),
        [
            (None, {"tags": ["a"], "visibility": "public", "checksum": digest("sha256")}),
            ({}, {"tags": ["a"], "properties": {"a": 1}}),
            ({"status": "queued", "data": None}, {"tags": ["a"]}),
            ({"data": OTHER}, {"replace": True, "tags": ["a"]}),
            ({}, {"state": "absent", "source": None}),
        ],
        ids=["new", "changed", "left over", "replaced", "deleted"],
    )
    def test_it_tells_the_truth(
        self,
        keep: Keep,
        cloud: FakeCloud,
        source: str,
        there: t.Optional[dict[str, t.Any]],
        options: dict[str, t.Any],
    ) -> None:
        if there is not None:
            cloud.add("disk", **{"data": QCOW2, **ACTIVE, **there})
        predicted = keep(check=True, **{"source": source, **options})
        assert cloud.sent(*WRITES) == []
        assert predicted["uploaded"] == 0
        real = keep(**{"source": source, **options})
        assert predicted["changed"] is real["changed"] is True
        assert predicted["diff"] == real["diff"]

    @pytest.mark.parametrize("state", ["present", "absent"])
    @pytest.mark.parametrize("missing", ["endpoint", "service", "proxy"])
    def test_before_there_is_a_glance(
        self,
        keep: Keep,
        refused: t.Callable[..., str],
        cloud: FakeCloud,
        source: str,
        missing: str,
        state: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if missing == "endpoint":
            cloud.has_endpoint = False
        elif missing == "proxy":
            cloud.answers["GET"] = (503, "<html>No server is available</html>")
        else:
            with socket.socket() as unused:
                unused.bind(("127.0.0.1", 0))
                port = unused.getsockname()[1]
            monkeypatch.setattr(
                cloud, "_token", lambda real=cloud._token: set_endpoint(real(), f"http://127.0.0.1:{port}/")
            )
        result = keep(check=True, source=source, state=state, owner="admin")
        assert result["changed"] == (state == "present")
        assert "Glance cannot be asked yet" in result["warnings"][0]
        assert "What to do:" in refused(source=source, state=state)

    def test_a_bad_file_is_told_before_there_is_a_glance(
        self, refused: t.Callable[..., str], cloud: FakeCloud, tmp_path: Path
    ) -> None:
        cloud.has_endpoint = False
        (tmp_path / "bad").write_bytes(b"")
        assert "it is empty" in refused(check=True, source=str(tmp_path / "bad"))

    def test_wrong_credentials_are_told(self, refused: t.Callable[..., str], cloud: FakeCloud, source: str) -> None:
        cloud.password = "another one"
        assert "HTTP 401" in refused(check=True, source=source)


def set_endpoint(token: dict[str, t.Any], url: str) -> dict[str, t.Any]:
    """Let the endpoint of the image service be another one."""
    for service in token["catalog"]:
        if service["type"] == "image":
            service["endpoints"][0]["url"] = url
    return token


@pytest.mark.parametrize("path", ["/image/", "/image/v2", "/image/v2.9/"])
def test_an_endpoint_may_hold_the_version(
    keep: Keep, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    cloud.add("disk", QCOW2, **ACTIVE)
    monkeypatch.setattr(cloud, "_token", lambda real=cloud._token: set_endpoint(real(), cloud.url + path))
    assert not keep()["changed"]


def test_progress_is_written(keep: Keep, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").write_bytes(bytes(2 * image_bytes.MIB))
    clock = iter(range(0, 10000, 2))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    progress = tmp_path / "progress"
    keep(source=str(tmp_path / "large"), progress_file=str(progress))
    assert re.match(r'\["uploaded", \d+, 2097152, \d+', progress.read_text())
