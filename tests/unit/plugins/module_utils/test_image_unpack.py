# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Compressed and converted sources: what comes out, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import subprocess
import time
import tracemalloc
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_convert, _image_format
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import Checksum
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_convert import ConvertedSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import ProgressFile
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import Stopped
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import FileSource, UrlSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_unpack import UnpackedSource
from ansible_collections.openstack_ops.glance.tests.unit.plugins import image_bytes
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import FakeWeb

QCOW2 = image_bytes.qcow2()
LARGE = QCOW2.ljust(2 * _image_format.HEAD + 5, b"\7")
PACK: dict[str, t.Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    # As the program zstd does it.
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
LIMIT = 64 * image_bytes.MIB


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of the checksums apart."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def unpacked(tmp_path: Path) -> t.Callable[..., UnpackedSource]:
    """Return a function that makes a source of compressed bytes."""

    def make(content: bytes, checksum: t.Optional[Checksum] = None, limit: int = LIMIT) -> UnpackedSource:
        (tmp_path / "packed").write_bytes(content)
        return UnpackedSource(FileSource(str(tmp_path / "packed"), checksum), limit)

    return make


Unpacked = t.Callable[..., UnpackedSource]


class TestDecompression:
    """What is inside comes out, whatever it is packed with."""

    @pytest.mark.parametrize("kind", PACK)
    @pytest.mark.parametrize("content", [QCOW2, LARGE], ids=["small", "large"])
    def test_content(self, unpacked: Unpacked, kind: str, content: bytes) -> None:
        packed = PACK[kind](content)
        source = unpacked(packed, Checksum("sha256", hashlib.sha256(packed).hexdigest()))
        source.open()
        assert source.choose("auto", None) == "qcow2"
        assert b"".join(source.blocks()) == content
        assert str(source.identity()) == f"sha256:{hashlib.sha256(packed).hexdigest()}"

    @pytest.mark.parametrize("kind", PACK)
    def test_several_streams_and_padding(self, unpacked: Unpacked, kind: str) -> None:
        source = unpacked(PACK[kind](QCOW2) + PACK[kind](b"more") + bytes(512))
        source.open()
        assert b"".join(source.blocks()) == QCOW2 + b"more"

    def test_zstd_without_its_library_is_told(self, unpacked: Unpacked, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
        with pytest.raises(GlanceError, match="install the Python library zstandard"):
            unpacked(b"\x28\xb5\x2f\xfd" + bytes(100)).open()

    @pytest.mark.parametrize("kind", PACK)
    def test_a_truncated_one_is_refused(self, unpacked: Unpacked, kind: str) -> None:
        with pytest.raises(GlanceError, match="it ends too early"):
            list(opened(unpacked(PACK[kind](LARGE)[:-9])).blocks())

    @pytest.mark.parametrize("kind", PACK)
    def test_a_damaged_one_is_refused(self, unpacked: Unpacked, kind: str) -> None:
        packed = bytearray(PACK[kind](b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(5000))))
        packed[len(packed) // 2] ^= 255
        with pytest.raises(GlanceError, match="decompressing"):
            list(opened(unpacked(bytes(packed))).blocks())

    def test_a_wrong_checksum_is_refused_before_the_end(self, unpacked: Unpacked) -> None:
        source = opened(unpacked(gzip.compress(LARGE), Checksum("md5", "0" * 32)))
        with pytest.raises(GlanceError, match="the declared one is md5:000"):
            list(source.blocks())

    def test_what_is_not_compressed_is_refused(self, unpacked: Unpacked) -> None:
        with pytest.raises(GlanceError, match="leave out decompress"):
            unpacked(QCOW2).open()

    @pytest.mark.parametrize("kind", PACK)
    def test_a_bomb_is_bounded(self, unpacked: Unpacked, kind: str) -> None:
        source = unpacked(PACK[kind](bytes(200 * image_bytes.MIB)), limit=100 * image_bytes.MIB)
        tracemalloc.start()
        try:
            source.open()
            with pytest.raises(GlanceError, match=r"larger than max_size \(104857600 bytes\)"):
                for _block in source.blocks():
                    pass
            # The output of zstd cannot be limited, only its input.
            most = 100 if kind == "zstd" else 24
            assert tracemalloc.get_traced_memory()[1] < most * image_bytes.MIB
        finally:
            tracemalloc.stop()

    def test_from_a_url(self) -> None:
        packed = lzma.compress(LARGE)
        with FakeWeb(packed) as web:
            source = opened(UnpackedSource(UrlSource(web.url), LIMIT))
            assert source.choose("auto", None) == "qcow2"
            assert b"".join(source.blocks()) == LARGE
            source.close()
            assert source.identity() is None


def opened(source: UnpackedSource) -> UnpackedSource:
    """Return the source, opened."""
    source.open()
    return source


class Told:
    """Remembers what is told of the progress, and stops the work when it has got so far."""

    def __init__(self, stop_at: t.Optional[int]) -> None:
        self.begun: list[tuple[str, t.Optional[int]]] = []
        self.done: list[int] = []
        self._stop_at = stop_at

    def begin(self, what: str, total: t.Optional[int]) -> None:
        """Remember it."""
        self.begun.append((what, total))

    def advance(self, done: int) -> None:
        """Remember it, or stop."""
        self.done.append(done)
        if done == self._stop_at:
            raise Stopped("SIGTERM")


class TestConversion:
    """Conversion, with the real qemu-img."""

    @pytest.fixture
    def image(self, tmp_path: Path) -> Path:
        """Return a raw disk with something in it, as qcow2."""
        (tmp_path / "raw").write_bytes(LARGE.ljust(16 * image_bytes.MIB, b"\0"))
        command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(tmp_path / "raw"), str(tmp_path / "image")]
        subprocess.run(command, check=True)
        return tmp_path / "image"

    def test_a_file(self, image: Path, tmp_path: Path) -> None:
        work = tmp_path / "work"
        work.mkdir()
        source = ConvertedSource(FileSource(str(image)), "raw", str(work), ProgressFile())
        source.open()
        assert source.choose("auto", None) == "raw"
        assert list(work.iterdir()) == []
        source.prepare()
        assert source.size == 16 * image_bytes.MIB
        assert b"".join(source.blocks()) == (tmp_path / "raw").read_bytes()
        source.close()
        assert list(work.iterdir()) == []

    def test_a_compressed_url(self, image: Path, tmp_path: Path) -> None:
        packed = gzip.compress(image.read_bytes())
        checksum = Checksum("sha256", hashlib.sha256(packed).hexdigest())
        with FakeWeb(packed) as web:
            inner = UnpackedSource(UrlSource(web.url, checksum), LIMIT)
            source = ConvertedSource(inner, "raw", str(tmp_path), ProgressFile())
            source.open()
            assert source.choose("auto", None) == "raw"
            assert b"".join(source.blocks()) == (tmp_path / "raw").read_bytes()
            assert source.identity() == checksum
            source.close()

    def test_no_room(self, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            _image_convert.shutil, "disk_usage", lambda _path: SimpleNamespace(free=3 * image_bytes.MIB)
        )
        source = ConvertedSource(FileSource(str(image)), "raw", str(tmp_path), ProgressFile())
        source.choose("auto", None)
        with pytest.raises(GlanceError, match="has 3 MiB free, 32 are needed"):
            source.prepare()

    def test_an_unsafe_image(self, tmp_path: Path) -> None:
        (tmp_path / "image").write_bytes(image_bytes.qcow2(backing=512))
        source = ConvertedSource(FileSource(str(tmp_path / "image")), "raw", str(tmp_path), ProgressFile())
        with pytest.raises(GlanceError, match="not safe to use"):
            source.choose("auto", None)

    def test_a_format_that_qemu_has_not(self, tmp_path: Path) -> None:
        (tmp_path / "image").write_bytes(image_bytes.iso())
        source = ConvertedSource(FileSource(str(tmp_path / "image")), "raw", str(tmp_path), ProgressFile())
        with pytest.raises(GlanceError, match="it is iso, which cannot be converted"):
            source.choose("auto", None)

    def test_a_directory_that_is_missing(self, image: Path) -> None:
        source = ConvertedSource(FileSource(str(image)), "raw", "/no/such/directory", ProgressFile())
        source.choose("auto", None)
        with pytest.raises(GlanceError, match="give another work_directory"):
            source.prepare()

    def test_without_qemu_img(self, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_image_convert.shutil, "which", lambda _program: None)
        source = ConvertedSource(FileSource(str(image)), "raw", str(tmp_path), ProgressFile())
        source.choose("auto", None)
        with pytest.raises(GlanceError, match="install qemu-utils"):
            source.prepare()

    @pytest.mark.parametrize("stopped", [False, True])
    def test_it_tells_how_far_it_is(
        self, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
    ) -> None:
        real, slow, pid = shutil.which("qemu-img"), tmp_path / "bin" / "qemu-img", tmp_path / "pid"
        slow.parent.mkdir()
        slow.write_text(
            f"""#!/bin/sh
            if [ "$1" = convert ]; then
                echo $$ > {pid}
                printf '    (0.00/100%%)\\r    (12.50/100%%)\\r'
                sleep 1.5
            fi
            exec {real} "$@"
            """
        )
        slow.chmod(0o755)
        monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
        monkeypatch.setattr(_image_convert, "SECONDS_BETWEEN_LOOKS", 0.05)
        told = Told(stop_at=2 * image_bytes.MIB if stopped else None)
        source = ConvertedSource(FileSource(str(image)), "raw", str(tmp_path), told)
        source.choose("auto", None)
        if stopped:
            with pytest.raises(Stopped):
                source.prepare()
            # It was waited for, so that nothing writes into the directory any more.
            with pytest.raises(ProcessLookupError):
                os.kill(int(pid.read_text()), 0)
        else:
            source.prepare()
            assert b"".join(source.blocks()) == (tmp_path / "raw").read_bytes()
        source.close()
        assert told.begun == [("converted", 16 * image_bytes.MIB)]
        assert 2 * image_bytes.MIB in told.done

    def test_one_that_never_ends(self, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_image_convert, "SECONDS_BETWEEN_LOOKS", 0.05)
        monkeypatch.setattr(_image_convert.shutil, "which", lambda _program: "/bin/sleep")
        start = time.monotonic()
        with pytest.raises(GlanceError, match="qemu-img did not end within 0 seconds"):
            ConvertedSource._run("converting", ["20"], 0)
        assert time.monotonic() - start < 10
