# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The source that a declaration means, with its checksum; and what can be known to be wrong with it beforehand."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import posixpath
import re
import typing as t
from urllib.parse import unquote

from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_spec
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import (
    Checksum,
    ChecksumFile,
    ChecksumFiles,
    parse_checksum,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_convert import ConvertedSource
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import ProgressFile, Teller
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_source import (
    FileSource,
    UrlSource,
    open_source,
    read_text,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_unpack import UnpackedSource

AnySource = t.Union[FileSource, UrlSource, UnpackedSource, ConvertedSource, "FetchedSource"]


class FetchedSource:
    """An image that Glance itself fetches: from a URL, or from another Glance."""

    def __init__(self, url: t.Optional[UrlSource], method: dict[str, t.Any], checksum: t.Optional[Checksum]) -> None:
        self._url = url
        self.method = method
        self.shown = url.shown if url else f"the image {method.get('glance_image_id')} of {method.get('glance_region')}"
        self.checksum = checksum
        self.unseen = ""
        """Why nobody has looked at the bytes."""

    @property
    def size(self) -> t.Optional[int]:
        """How many bytes there are, as far as it is known."""
        return self._url.size if self._url else None

    def open(self) -> None:
        """Look at the URL; that only Glance can reach it is no error."""
        if self._url is None:
            return
        try:
            self._url.open()
        except GlanceError as error:
            self.unseen = str(error)

    def prepare(self) -> None:
        """Do nothing: Glance fetches it."""

    def close(self) -> None:
        """Let go of the connection."""
        if self._url is not None:
            self._url.close()

    def choose(self, disk_format: str, container_format: t.Optional[str]) -> str:
        """Return the disk format under which the image can be imported."""
        if self._url is not None and not self.unseen:
            return self._url.choose(disk_format, container_format)
        if disk_format != "auto":
            return disk_format
        raise GlanceError(
            f"looking at the format of {self.shown}",
            answer=self.unseen,
            remedy="declare disk_format, when only Glance can reach the URL",
        )

    def identity(self, algorithm: t.Optional[str] = None) -> t.Optional[Checksum]:
        """Return the declared checksum, when it is of this algorithm."""
        return self.checksum if self.checksum and algorithm in (None, self.checksum.algorithm) else None


def checksum_files(timeout: float) -> ChecksumFiles:
    """Return what looks up checksums in files and at URLs."""
    return ChecksumFiles(lambda location: read_text(location, timeout))


def checksum_of(wanted: Declaration, files: ChecksumFiles) -> t.Optional[Checksum]:
    """Return the checksum that the source must have, or None when nothing was declared.

    :raises GlanceError: when it stands in a file and cannot be had.
    """
    declared = parse_checksum(wanted.checksum)
    if not isinstance(declared, ChecksumFile):
        return declared
    path = re.split("[?#]", str(wanted.source))[0] if "://" in str(wanted.source) else str(wanted.source)
    name = unquote(posixpath.basename(path))
    return files.checksum(declared, name, wanted.checksum_signature, wanted.checksum_keyring)


def source_of(wanted: Declaration, checksum: t.Optional[Checksum], progress: Teller) -> t.Optional[AnySource]:
    """Return the source that is meant, not opened yet, or None when there is none.

    :raises GlanceError: when it is a URL of a kind that cannot be read.
    """
    if wanted.remote_image is not None:
        remote = wanted.remote_image
        method = {"glance_image_id": remote["id"], "glance_region": remote["region"]}
        method = {"name": "glance-download", **method, "glance_service_interface": remote["interface"]}
        return FetchedSource(None, method, checksum)
    if wanted.source is None:
        return None
    plain = open_source(wanted.source, checksum, progress, wanted.timeout)
    if wanted.import_method == "web-download" and isinstance(plain, UrlSource):
        return FetchedSource(plain, {"name": "web-download", "uri": wanted.source}, checksum)
    source = UnpackedSource(plain, wanted.max_size) if wanted.decompress else plain
    return ConvertedSource(source, wanted.convert, wanted.work_directory, progress) if wanted.convert else source


def size_beforehand(wanted: Declaration) -> t.Optional[int]:
    """Return how many bytes an image will have, as far as that is known before its source is opened."""
    if wanted.source is None or "://" in wanted.source or wanted.decompress or wanted.convert:
        return None
    try:
        return os.path.getsize(os.path.expanduser(wanted.source))
    except OSError:
        return 0


def problems(spec: t.Mapping[str, t.Any], *, timeout: float = 15.0, hash_files: bool = True) -> list[str]:
    """Return everything that can be known to be wrong with one entry of ``glance_images``, before any cloud is asked.

    :param spec: the entry: the options of the module image.
    :param timeout: how many seconds the server of a URL may stay silent.
    :param hash_files: whether a file is read for its checksum when the checksum is not known from before.
    """
    name = str(spec.get("name") or spec.get("id") or "")
    about = f"the image {name!r}: "
    found = [] if name else ["it has no name"]
    found += _unknown_format(spec, "disk_format", ("auto", *_image_spec.DISK_FORMATS))
    found += _unknown_format(spec, "container_format", _image_spec.CONTAINER_FORMATS)
    try:
        parse_checksum(spec.get("checksum"))
    except GlanceError as error:
        found.append(str(error))
    if not found and spec.get("source"):
        found += _problems_of_source(_as_declared(spec, timeout), timeout, hash_files)
    return [about + problem for problem in found]


def _as_declared(spec: t.Mapping[str, t.Any], timeout: float) -> Declaration:
    names = {field.name for field in dataclasses.fields(Declaration)} - {"timeout", "max_size"}
    known = {name: value for name, value in spec.items() if name in names and value is not None}
    return Declaration(**known, timeout=timeout)


def _unknown_format(spec: t.Mapping[str, t.Any], option: str, known: tuple[str, ...]) -> list[str]:
    value = spec.get(option)
    return [] if value is None or value in known else [f"{option} is {value!r}, allowed are {', '.join(known)}."]


def _problems_of_source(wanted: Declaration, timeout: float, hash_files: bool) -> list[str]:
    found = []
    try:
        checksum = checksum_of(wanted, checksum_files(timeout))
        source = source_of(wanted, checksum, ProgressFile())
        with contextlib.closing(source) if source else contextlib.nullcontext():
            if source is not None:
                source.open()
                try:
                    source.choose(wanted.disk_format, wanted.container_format)
                except GlanceError as error:
                    found.append(str(error))
            if hash_files and isinstance(source, FileSource):
                source.check_checksum()
    except GlanceError as error:
        found.append(str(error))
    return found
