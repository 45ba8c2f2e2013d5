# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""An image that is compressed at its source, decompressed on its way, never in a file and never beyond a limit."""

from __future__ import annotations

import bz2
import hashlib
import importlib
import lzma
import typing as t
import zlib

from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_format
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import Checksum
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import (
    BLOCK,
    FileSource,
    UrlSource,
    wrong_checksum,
)

MOST_MEMORY = 512 * 1024 * 1024
"""What a file may make its decompressor take."""

SLICE = 1024
"""How much is decompressed at once where the output cannot be limited: a bomb makes 100 MiB of it, not more."""

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


class UnpackedSource:
    """What is inside of a compressed source."""

    def __init__(self, packed: t.Union[FileSource, UrlSource], limit: int) -> None:
        self._packed = packed
        self._limit = limit
        self._kind = ""
        self._head = b""
        self.shown = packed.shown
        self.size: t.Optional[int] = None
        self.checksum: t.Optional[Checksum] = None

    @property
    def packed_size(self) -> t.Optional[int]:
        """How many bytes the compressed source has, as far as it is known."""
        return self._packed.size

    def open(self) -> None:
        """Open the source, and decompress its beginning.

        :raises GlanceError: when it is not compressed.
        """
        self._packed.open()
        if self._kind:
            return
        begin = self._packed.read_at(0, _image_format.HEAD)
        self._kind = next((kind for magic, kind in MAGIC.items() if begin.startswith(magic)), "")
        if not self._kind:
            raise GlanceError(
                f"decompressing {self.shown}",
                answer="it is not compressed with gzip, bzip2, xz or zstd",
                remedy="leave out decompress",
            )
        self._head = self._beginning(begin)

    def _beginning(self, begin: bytes) -> bytes:
        head = b""
        for block in self._decompressed([begin], whole=len(begin) == self._packed.size):
            head += block
            if len(head) >= _image_format.HEAD:
                break
        return head[: _image_format.HEAD]

    def prepare(self) -> None:
        """Do nothing: the data are decompressed while they are sent."""

    def close(self) -> None:
        """Let go of the source."""
        self._packed.close()

    def choose(self, disk_format: str, container_format: t.Optional[str]) -> str:
        """Return the disk format under which an image can be uploaded."""
        return _image_format.choose(self, disk_format, container_format)

    def identity(self, algorithm: t.Optional[str] = None) -> t.Optional[Checksum]:
        """Return a checksum of the compressed source, when one can be told before it was read to its end.

        :param algorithm: the one that is wanted; any when it is left out.
        """
        return self._packed.identity(algorithm)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes from the beginning; none from the rest, which nobody has decompressed yet."""
        return self._head[offset : offset + length] if offset + length <= len(self._head) or offset == 0 else b""

    def blocks(self) -> t.Iterator[bytes]:
        """Return the decompressed bytes, in blocks, after which the compressed ones are as they were declared."""
        declared = self._packed.checksum
        digest = hashlib.new(declared.algorithm, usedforsecurity=False) if declared else None
        read = [0]

        def watched() -> t.Iterator[bytes]:
            for block in self._packed.blocks():
                read[0] += len(block)
                if digest:
                    digest.update(block)
                yield block
            self._packed.check_end(read[0])

        done = 0
        for block in self._decompressed(watched()):
            done += len(block)
            if done > self._limit:
                raise self._too_large()
            yield block
        if declared and digest and digest.hexdigest() != declared.value:
            raise wrong_checksum(self.shown, declared, digest.hexdigest())

    def check_end(self, done: int) -> None:
        """Do nothing: the compressed source was checked when its end was reached."""

    def _too_large(self) -> GlanceError:
        return GlanceError(
            f"decompressing {self.shown}",
            answer=f"it becomes larger than max_size ({self._limit} bytes)",
            cause="a file that was made to fill disks, or a large image",
            remedy="raise max_size when the image is really that large",
        )

    def _decompressed(self, blocks: t.Iterable[bytes], whole: bool = True) -> t.Iterator[bytes]:
        """Yield decompressed blocks, none of them empty."""
        try:
            decompress: t.Optional[Decompress] = None
            for block in blocks:
                rest = block
                while rest:
                    if decompress is None:
                        if not rest.strip(b"\0"):
                            # Tapes and some tools fill up the end.
                            break
                        decompress = DECOMPRESSORS[self._kind]()
                    yield from decompress.feed(rest)
                    rest, decompress = (decompress.unused, None) if decompress.ended else (b"", decompress)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise self._damaged(str(error)) from error
        if decompress is not None and whole:
            raise self._damaged("it ends too early")

    def _damaged(self, answer: str) -> GlanceError:
        return GlanceError(
            f"decompressing {self.shown}",
            answer=answer,
            cause="a download that was interrupted or damaged",
            remedy="get the file again, and compare its checksum",
        )


class Decompress(t.Protocol):
    """One stream that is being decompressed."""

    ended: bool
    unused: bytes

    def feed(self, data: bytes) -> t.Iterator[bytes]:
        """Yield what comes out, in blocks of bounded size."""


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.ended = False
        self.unused = b""

    def feed(self, data: bytes) -> t.Iterator[bytes]:
        while data and not self._inner.eof:
            block = self._inner.decompress(data, BLOCK)
            data = self._inner.unconsumed_tail
            if block:
                yield block
        while not self._inner.eof and (block := self._inner.decompress(b"", BLOCK)):
            yield block
        self.ended = self._inner.eof
        self.unused = self._inner.unused_data


class _Limited:
    """What bz2 and lzma have in common."""

    def __init__(self, inner: t.Union[bz2.BZ2Decompressor, lzma.LZMADecompressor]) -> None:
        self._inner = inner
        self.ended = False
        self.unused = b""

    def feed(self, data: bytes) -> t.Iterator[bytes]:
        block = self._inner.decompress(data, BLOCK)
        while block:
            yield block
            done = self._inner.eof or self._inner.needs_input
            block = b"" if done else self._inner.decompress(b"", BLOCK)
        self.ended = self._inner.eof
        self.unused = self._inner.unused_data


class _Zstd:
    def __init__(self) -> None:
        try:
            zstandard = importlib.import_module("zstandard")
        except ImportError as error:
            raise GlanceError(
                "decompressing zstd", answer=str(error), remedy="install the Python library zstandard"
            ) from error
        self._inner = zstandard.ZstdDecompressor(max_window_size=MOST_MEMORY).decompressobj()
        self._error = zstandard.ZstdError
        self.ended = False
        self.unused = b""

    def feed(self, data: bytes) -> t.Iterator[bytes]:
        for start in range(0, len(data), SLICE):
            try:
                block = self._inner.decompress(data[start : start + SLICE])
            except self._error as error:
                raise ValueError(str(error)) from error
            for offset in range(0, len(block), BLOCK):
                yield block[offset : offset + BLOCK]
            if self._inner.eof:
                self.ended = True
                self.unused = self._inner.unused_data + data[start + SLICE :]
                return


DECOMPRESSORS: dict[str, t.Callable[[], Decompress]] = {
    "gzip": _Gzip,
    "bzip2": lambda: _Limited(bz2.BZ2Decompressor()),
    "xz": lambda: _Limited(lzma.LZMADecompressor(memlimit=MOST_MEMORY)),
    "zstd": _Zstd,
}
