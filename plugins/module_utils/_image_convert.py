# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""An image that is converted to another format before it is uploaded, by qemu-img, in a directory with room for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_format
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import Checksum
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import CONVERTED, FETCHED, Teller
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import FileSource, Stream, UrlSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_spec import CONVERTIBLE
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_unpack import UnpackedSource

QEMU_NAMES = {"vhd": "vpc"}
"""What qemu-img calls by another name than Glance."""

SLOWEST_DISK = 4 * 1024 * 1024
SECONDS_FOR_INFO = 60
SECONDS_BETWEEN_LOOKS = 1.0
MIB = 1024 * 1024

Original = t.Union[FileSource, UrlSource, UnpackedSource]


class ConvertedSource:
    """A source in another format."""

    def __init__(self, original: Original, target: str, directory: t.Optional[str], progress: Teller) -> None:
        self._original = original
        self._target = target
        self._directory = os.path.abspath(os.path.expanduser(directory or tempfile.gettempdir()))
        self._progress = progress
        self._disk_format = ""
        self._work: t.Optional[tempfile.TemporaryDirectory[str]] = None
        self._converted: t.Optional[FileSource] = None
        self.shown = original.shown
        self.checksum: t.Optional[Checksum] = None

    @property
    def size(self) -> t.Optional[int]:
        """How many bytes there will be; None before it was converted."""
        return self._converted.size if self._converted else None

    def open(self) -> None:
        """Make sure that the original can be read."""
        self._original.open()

    def close(self) -> None:
        """Let go of everything."""
        self._original.close()
        if self._converted is not None:
            self._converted.close()
        if self._work is not None:
            self._work.cleanup()
            self._work = None

    def choose(self, disk_format: str, container_format: t.Optional[str]) -> str:
        """Return the format of the result, after looking at the original."""
        self._disk_format = self._original.choose(disk_format, container_format)
        if self._disk_format not in CONVERTIBLE:
            raise GlanceError(
                f"converting {self.shown}",
                answer=f"it is {self._disk_format}, which cannot be converted",
                remedy="leave out convert",
            )
        return self._target

    def identity(self, algorithm: t.Optional[str] = None) -> t.Optional[Checksum]:
        """Return a checksum of the original, when one can be told before it was read to its end."""
        return self._original.identity(algorithm)

    def prepare(self) -> None:
        """Convert the original.

        :raises GlanceError: when there is no room, or it fails.
        """
        if self._converted is not None:
            return
        doing = f"converting {self.shown} to {self._target}"
        try:
            self._work = tempfile.TemporaryDirectory(prefix="ansible-image-", dir=self._directory)
            original = self._in_a_file(doing, self._work.name)
            # Where it was fetched or decompressed, only now all of it can be looked at.
            self._disk_format = _image_format.choose(original, self._disk_format, None)
            path = os.path.join(self._work.name, "converted")
            size = self._virtual_size(doing, original.path)
            self._need(doing, size + 16 * MIB)
            self._progress.begin(CONVERTED, size)
            self._run(
                doing,
                ["convert", "-p", "-f", _qemu(self._disk_format), "-O", _qemu(self._target), original.path, path],
                self._seconds(size + (original.size or 0)),
                lambda share: self._progress.advance(int(size * share)),
            )
        except OSError as error:
            raise GlanceError(
                doing, answer=f"{self._directory}: {error.strerror}", remedy="give another work_directory"
            ) from error
        converted = FileSource(path)
        converted.open()
        self._converted = converted

    def _in_a_file(self, doing: str, directory: str) -> FileSource:
        if isinstance(self._original, FileSource):
            self._original.check_checksum()
            return self._original
        path = os.path.join(directory, "original")
        self._need(doing, self._original.size or 0)
        algorithms = [self._original.checksum.algorithm] if self._original.checksum else []
        self._progress.begin(FETCHED, self._original.size)
        with open(path, "wb") as file:
            for number, block in enumerate(Stream(self._original, algorithms, self._progress)):
                if number % 256 == 0:
                    self._need(doing, 256 * len(block))
                file.write(block)
        return FileSource(path)

    def _need(self, doing: str, size: int) -> None:
        free = shutil.disk_usage(self._directory).free
        if free < size:
            raise GlanceError(
                doing,
                answer=f"{self._directory} has {free // MIB} MiB free, {-(-size // MIB)} are needed",
                remedy="make room there, or give another work_directory",
            )

    def _virtual_size(self, doing: str, path: str) -> int:
        arguments = ["info", "--output=json", "-f", _qemu(self._disk_format), path]
        return int(json.loads(self._run(doing, arguments, SECONDS_FOR_INFO))["virtual-size"])

    @staticmethod
    def _seconds(size: int) -> int:
        return 600 + size // SLOWEST_DISK

    @staticmethod
    def _run(
        doing: str, arguments: list[str], seconds: int, tell: t.Callable[[float], None] = lambda share: None
    ) -> str:
        """Run qemu-img, and return what it wrote.

        :param tell: is told every second which share of the work is done, as far as qemu-img tells it.
        """
        program = shutil.which("qemu-img")
        if program is None:
            raise GlanceError(doing, answer="there is no qemu-img", remedy="install qemu-utils where the module runs")
        end = time.monotonic() + seconds
        with subprocess.Popen(  # noqa: S603
            [program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                while True:
                    try:
                        output, complaint = process.communicate(timeout=SECONDS_BETWEEN_LOOKS)
                        break
                    except subprocess.TimeoutExpired as running:
                        tell(_share(running.output))
                        if time.monotonic() > end:
                            answer = f"qemu-img did not end within {seconds} seconds"
                            raise GlanceError(doing, answer=answer) from running
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise GlanceError(
                doing,
                answer=" ".join(complaint.split()) or f"qemu-img ended with {process.returncode}",
                cause="an image that is damaged, or a disk that is full",
                remedy="run qemu-img check on the image, and look at the free space",
            )
        return output

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes from the middle of the result."""
        return self._converted.read_at(offset, length) if self._converted else b""

    def blocks(self) -> t.Iterator[bytes]:
        """Return all bytes of the result, in blocks."""
        self.prepare()
        if self._converted is not None:
            yield from self._converted.blocks()

    def check_end(self, done: int) -> None:
        """Make sure that nobody has changed the result while it was read."""
        if self._converted is not None:
            self._converted.check_end(done)


def _share(output: t.Optional[bytes]) -> float:
    """Return which share of its work qemu-img said last that is done."""
    told = re.findall(rb"\(([0-9.]+)/100%\)", output or b"")
    return float(told[-1]) / 100 if told else 0.0


def _qemu(disk_format: str) -> str:
    return QEMU_NAMES.get(disk_format, disk_format)
