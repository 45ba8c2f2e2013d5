# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What the bytes of an image say: which format they have, whether they are safe, whether some are missing.

Formats and safety are judged by oslo.utils, the library with which Glance itself judges what is uploaded to it. What
it does not know stands here: a few more formats, and where a complete file of each format ends.
"""

from __future__ import annotations

import logging
import struct
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_spec import DISK_FORMATS

# Its findings come back as exceptions; without a handler they would also be printed.
logging.getLogger("oslo_utils").addHandler(logging.NullHandler())

UNPACKED = (None, "bare", "ami", "ari", "aki")
"""The container formats whose bytes are those of the disk."""

UNRECOGNISED = frozenset({"raw", "gpt", "luks"})
"""What the library calls bytes that are no file format: a disk as it is, partitioned and encrypted ones included."""

HEAD = 4 * 1024 * 1024
"""How much of the beginning is looked at: everything that tells the format lies in it."""

CHUNK = 64 * 1024
TAIL = 1536
SECTOR = 512

PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
}

MAGIC = {
    b"QFI\xfb": "qcow2",
    b"KDMV": "vmdk",
    b"vhdxfile": "vhdx",
    b"conectix": "vhd",
    b"<<< Oracle VM VirtualBox Disk Image": "vdi",
    b"<<< QEMU VM Virtual Disk Image": "vdi",
}


class Reader(t.Protocol):
    """The bytes of an image, as far as they can be had before it is read from beginning to end."""

    shown: str
    size: t.Optional[int]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes from the middle; fewer at the end, none where they cannot be had."""


class Inspection(t.NamedTuple):
    """What the bytes say."""

    formats: tuple[str, ...]
    """The library's names of every format that the bytes match, in alphabetical order."""

    unsafe: str
    """Why the image must not be used, or nothing."""

    packed: str
    """The name of the compression, ``tar``, ``HTML``, or nothing."""

    ends: bool
    """Whether the last bytes were seen, too."""


def _library(reader: Reader) -> t.Any:
    # It takes a fifth of a second to load, and most runs look at no bytes.
    try:
        from oslo_utils.imageutils import format_inspector
    except ImportError as error:
        raise GlanceError(
            f"looking at the format of {reader.shown}",
            answer=f"the Python library oslo.utils cannot be used ({error})",
            remedy="install oslo.utils >= 7.4 for the Python that runs the module, by default on the control node",
        ) from error
    return format_inspector


def inspect(reader: Reader) -> Inspection:
    """Look at the bytes of an image.

    :raises GlanceError: when the library is missing.
    """
    library = _library(reader)
    head = reader.read_at(0, HEAD)
    tail = _tail(reader, len(head))
    wrapper = library.InspectWrapper(_chunks(head, tail))
    for _chunk in wrapper:
        pass
    inspectors = {str(inspector): inspector for inspector in wrapper.formats or []}
    ends = bool(tail) or len(head) == reader.size
    unsafe = "; ".join(filter(None, (_unsafe(library, inspectors[name], ends) for name in sorted(inspectors))))
    formats = tuple(sorted(inspectors))
    if UNRECOGNISED.issuperset(formats):
        formats, unsafe = _unknown_to_the_library(head, tail, formats)
    return Inspection(formats, unsafe, _packed(head), ends)


def _chunks(*parts: bytes) -> t.Iterator[bytes]:
    # Joined, they would be in memory twice.
    for part in parts:
        for begin in range(0, len(part), CHUNK):
            yield part[begin : begin + CHUNK]


def _unknown_to_the_library(head: bytes, tail: bytes, formats: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    if b"conectix" in (tail or head)[-SECTOR:][:9]:
        return ("vhd",), ""
    if head.startswith((b"WithoutFreeSpace", b"WithouFreSpacExt")):
        return ("ploop",), ""
    if head.startswith(b"# Disk DescriptorFile"):
        return ("vmdk",), "it is only the descriptor, the disk is in other files"
    return formats, ""


def _tail(reader: Reader, seen: int) -> bytes:
    if reader.size is None or reader.size <= seen:
        return b""
    length = min(TAIL, reader.size - seen)
    return reader.read_at(reader.size - length, length)


def _unsafe(library: t.Any, inspector: t.Any, ends: bool) -> str:
    # Partition tables are left to Glance, which can be told to be less strict; encrypted disks cannot be judged.
    if str(inspector) not in ("qcow2", "vmdk", "qed"):
        return ""
    try:
        inspector.safety_check()
    except library.SafetyCheckFailed as error:
        reasons = {name: reason for name, reason in error.failures.items() if ends or name != "footer"}
        return "; ".join(str(reason) for reason in reasons.values())
    except library.ImageFormatError as error:
        return str(error)
    return ""


def _packed(head: bytes) -> str:
    for magic, name in PACKED.items():
        if head.startswith(magic):
            return name
    if head[257:262] == b"ustar":
        return "tar"
    if head[:256].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "HTML"
    return ""


def disk_format_of(inspection: Inspection) -> t.Optional[str]:
    """Return Glance's name of the format that the bytes have, or None when there is no single one."""
    formats = set(inspection.formats)
    if formats <= UNRECOGNISED:
        return "raw"
    if formats <= {"iso", "gpt"}:
        # An ISO image that also boots from a disk.
        return "iso"
    (name, *others) = formats
    return name if not others and name in DISK_FORMATS else None


def agrees(declared: str, inspection: Inspection) -> bool:
    """Tell whether bytes like these may be declared as this disk format."""
    formats = set(inspection.formats)
    if declared in ("ami", "ari", "aki", "ploop", "root-tar"):
        return formats <= UNRECOGNISED or formats == {declared}
    if declared == "vhd" and not inspection.ends:
        # Only its last bytes tell a disk of a fixed size from a raw one.
        return formats <= UNRECOGNISED or formats == {"vhd"}
    if declared == "raw":
        return bool(formats & UNRECOGNISED) and formats <= UNRECOGNISED | {"iso"}
    return disk_format_of(inspection) == declared


def choose(reader: Reader, disk_format: str, container_format: t.Optional[str]) -> str:
    """Return the disk format under which an image can be uploaded.

    :param disk_format: what was declared; ``auto`` to go by the bytes.
    :param container_format: what was declared; None when nothing was.
    :raises GlanceError: when the bytes are not what was declared, are not safe, or are not all there.
    """
    doing = f"looking at the format of {reader.shown}"
    if container_format not in UNPACKED:
        _check_container(doing, reader, disk_format, str(container_format))
        return disk_format
    inspection = inspect(reader)
    _check_header(doing, reader, inspection)
    found = _found(inspection)
    if disk_format == "auto":
        disk_format = _choose_by_bytes(doing, inspection, found)
    elif not agrees(disk_format, inspection):
        raise GlanceError(
            doing,
            answer=f"disk_format is {disk_format}, but the bytes are {found}",
            cause="a mistyped format, or the wrong file",
            remedy=f"declare the format that the file has{_or_auto(inspection)}, or convert it with qemu-img",
        )
    _check_complete(doing, reader, inspection)
    if inspection.unsafe:
        raise GlanceError(
            doing,
            answer=f"this {found} image is not safe to use: {inspection.unsafe}",
            cause="an image that refers to other files, is damaged, or has features that OpenStack does not support",
            remedy="make a self-contained image of it: qemu-img convert -O qcow2 OLD NEW",
        )
    return disk_format


def _found(inspection: Inspection) -> str:
    if set(inspection.formats) <= UNRECOGNISED:
        return inspection.packed or "raw"
    return " and ".join(inspection.formats)


def _or_auto(inspection: Inspection) -> str:
    name = disk_format_of(inspection)
    return f" ({name}, or auto)" if name and not inspection.packed else ""


def _choose_by_bytes(doing: str, inspection: Inspection, found: str) -> str:
    name = disk_format_of(inspection)
    if name is None:
        raise GlanceError(
            doing,
            answer=f"the bytes are {found}, which Glance has no format for",
            remedy="convert it with qemu-img convert -O qcow2 OLD NEW",
        )
    if name == "raw" and inspection.packed == "HTML":
        raise GlanceError(
            doing,
            answer="it is a page of HTML, not an image",
            cause="a URL that leads to a web page, or a download that was answered by one",
            remedy="correct the source",
        )
    if name == "raw" and inspection.packed:
        raise GlanceError(
            doing,
            answer=f"it is a {inspection.packed} archive, not a disk",
            remedy="unpack it; or declare disk_format and container_format (compressed, ova) to upload it as it is",
        )
    return name


def _check_container(doing: str, reader: Reader, disk_format: str, container_format: str) -> None:
    if disk_format == "auto":
        raise GlanceError(
            doing,
            answer=f"disk_format is auto, but the bytes are those of the container ({container_format})",
            remedy="declare the disk format of what is inside the container",
        )
    packed = _packed(reader.read_at(0, SECTOR))
    expected = {"compressed": set(PACKED.values()), "ova": {"tar"}}.get(container_format)
    if expected and packed not in expected:
        raise GlanceError(
            doing,
            answer=f"container_format is {container_format}, but the bytes are {packed or 'not packed'}",
            remedy="declare the container format that the file has; a plain disk image is bare",
        )


def _check_header(doing: str, reader: Reader, inspection: Inspection) -> None:
    # The library calls a header that is cut off raw.
    if set(inspection.formats) <= UNRECOGNISED:
        head = reader.read_at(0, SECTOR)
        for magic, name in MAGIC.items():
            if head.startswith(magic):
                raise _truncated(doing, reader, name, "the header ends too early")


def _check_complete(doing: str, reader: Reader, inspection: Inspection) -> None:
    if reader.size is None:
        return
    for name in inspection.formats:
        try:
            end = END.get(name, _no_end)(reader)
        except struct.error:
            # The bytes that tell it are out of reach, or out of the file.
            end = 0 if reader.read_at(reader.size - 1, 1) == b"" else reader.size + 1
        if end > reader.size:
            raise _truncated(doing, reader, name, f"it has {reader.size} bytes, its header tells of more")


def _truncated(doing: str, reader: Reader, name: str, answer: str) -> GlanceError:
    return GlanceError(
        doing,
        answer=f"this {name} image is truncated: {answer}",
        cause="a download or a copy that was interrupted",
        remedy=f"get {reader.shown} again, and compare its checksum with the one that was published",
    )


def _no_end(_reader: Reader) -> int:
    return 0


def _unpack(layout: str, reader: Reader, offset: int) -> tuple[t.Any, ...]:
    return struct.unpack(layout, reader.read_at(offset, struct.calcsize(layout)))


def _array(kind: str, data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"{kind[0]}{len(data) // struct.calcsize(kind)}{kind[1]}", data)


def _qcow2_end(reader: Reader) -> int:
    header = ">4sIQIIQIIQQIIQ"
    _magic, version, _back, _back_size, bits, _size, _crypt, l1_size, l1, table, clusters, snapshots, where = _unpack(
        header, reader, 0
    )
    if version not in (2, 3) or not 9 <= bits <= 21:
        return 0
    length = clusters << bits
    ends = [l1 + 8 * l1_size, table + length, where + 1 if snapshots else 0]
    incompatible, _compatible, _autoclear, order = (0, 0, 0, 4)
    if version == 3:
        incompatible, _compatible, _autoclear, order = _unpack(">QQQI", reader, 72)
    dirty = incompatible & 1
    if not dirty and max(ends) <= (reader.size or 0):
        ends.append(_last_cluster_in_use(reader, reader.read_at(table, length), bits, order))
    return int(max(ends))


def _last_cluster_in_use(reader: Reader, table: bytes, bits: int, order: int) -> int:
    # Every cluster that belongs to the image is counted: the last one counted has to be in the file.
    blocks = [(number, block) for number, block in enumerate(_array(">Q", table)) if block]
    if not blocks:
        return 0
    number, offset = blocks[-1]
    if offset + (1 << bits) > (reader.size or 0):
        return offset + (1 << bits)
    counts = reader.read_at(offset, 1 << bits).rstrip(b"\0")
    if not counts:
        return 0
    width = 1 << order
    if width >= 8:
        index = (len(counts) - 1) // (width // 8)
    else:
        index = (len(counts) - 1) * (8 // width) + (counts[-1].bit_length() - 1) // width
    cluster = number * ((8 << bits) // width) + index
    return int(cluster << bits) + 1


def _vmdk_end(reader: Reader) -> int:
    layout = "<4sIIQQQQIQQQ"
    if reader.read_at(0, 4) != b"KDMV":
        return 0
    _magic, _version, _flags, capacity, grain, _at, _length, entries, _spare, directory, overhead = _unpack(
        layout, reader, 0
    )
    size = reader.size or 0
    if directory == 0xFFFFFFFFFFFFFFFF:
        footer = reader.read_at(size - TAIL, TAIL)
        return size if not footer or footer[SECTOR : SECTOR + 4] == b"KDMV" else size + 1
    ends = [overhead * SECTOR]
    tables = -(-capacity // (grain * entries)) if grain and entries else 0
    where = [sector for sector in _array("<I", reader.read_at(directory * SECTOR, 4 * min(tables, 1 << 20))) if sector]
    if where:
        first, last = min(where) * SECTOR, max(where) * SECTOR + 4 * entries
        ends.append(last)
        grains = reader.read_at(first, last - first) if last - first <= 64 * 1024 * 1024 else b""
        ends.append(_last_grain(grains, [sector * SECTOR - first for sector in where], entries))
    return int(max(ends))


def _last_grain(grains: bytes, tables: list[int], entries: int) -> int:
    if not grains:
        return 0
    last = max(max(struct.unpack_from(f"<{entries}I", grains, table)) for table in tables)
    # 0 and 1 stand for grains that are not in the file.
    return (last + 1) * SECTOR if last > 1 else 0


def _vhd_end(reader: Reader) -> int:
    size = reader.size or 0
    footer = reader.read_at(size - SECTOR, SECTOR)
    if footer and b"conectix" not in footer[:9]:
        return size + 1
    # A disk that grows has the footer also at its beginning, and a header behind that.
    return 3 * SECTOR if reader.read_at(0, 8) == b"conectix" else 0


VHDX_REGIONS = 192 * 1024
VHDX_BAT = bytes.fromhex("6677c22d23f600429d64115e9bfd4a08")
VHDX_METADATA = bytes.fromhex("06a27c8b90479a4bb8fe575f050f886e")
VHDX_FILE_PARAMETERS = bytes.fromhex("3767a1ca36fa434db3b633f0aa44e76b")


def _vhdx_end(reader: Reader) -> int:
    (_magic, _checksum, count, _reserved) = _unpack("<4sIII", reader, VHDX_REGIONS)
    regions = {}
    for number in range(min(count, 2047)):
        guid, offset, length, _required = _unpack("<16sQII", reader, VHDX_REGIONS + 16 + 32 * number)
        regions[guid] = (offset, length)
    end = max((offset + length for offset, length in regions.values()), default=0)
    if end > (reader.size or 0) or not {VHDX_BAT, VHDX_METADATA} <= set(regions):
        return end
    block = _vhdx_block_size(reader, regions[VHDX_METADATA][0])
    table = _array("<Q", reader.read_at(*regions[VHDX_BAT]))
    # The lowest three bits are the state: 6 and 7 stand for blocks that are in the file.
    present = [(entry >> 20 << 20) + block for entry in table if entry & 7 >= 6]
    return int(max([end, *present]))


def _vhdx_block_size(reader: Reader, metadata: int) -> int:
    (_magic, _reserved, count) = _unpack("<8sHH", reader, metadata)
    for number in range(min(count, 2047)):
        guid, offset = _unpack("<16sI", reader, metadata + 32 + 32 * number)
        if guid == VHDX_FILE_PARAMETERS:
            return int(_unpack("<I", reader, metadata + offset)[0])
    return 1


def _vdi_end(reader: Reader) -> int:
    (blocks_map, data) = _unpack("<II", reader, 0x154)
    (size, extra, total, allocated) = _unpack("<IIII", reader, 0x178)
    return int(max(blocks_map + 4 * total, data + allocated * (size + extra) if allocated else 0))


def _iso_end(reader: Reader) -> int:
    (kind, magic) = _unpack("<B5s", reader, 16 * 2048)
    if kind != 1 or magic != b"CD001":
        return 0
    (blocks,) = _unpack("<I", reader, 16 * 2048 + 80)
    (block_size,) = _unpack("<H", reader, 16 * 2048 + 128)
    return int(blocks * block_size)


END: dict[str, t.Callable[[Reader], int]] = {
    "qcow2": _qcow2_end,
    "vmdk": _vmdk_end,
    "vhd": _vhd_end,
    "vhdx": _vhdx_end,
    "vdi": _vdi_end,
    "iso": _iso_end,
}
"""For each format: where a complete file ends, as far as its header tells."""
