# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The smallest complete image of each format, written byte by byte from the specifications."""

from __future__ import annotations

import struct

CLUSTER = 65536
MIB = 1024 * 1024


def qcow2(
    *, version: int = 3, backing: int = 0, incompatible: int = 0, refcount_order: int = 4, data: bytes = b"data"
) -> bytes:
    """Header, refcount table, refcount block, L1 table and one cluster of data: five clusters, all counted."""
    header = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", version, backing, 0, 16, 10 * MIB, 0, 1, 3 * CLUSTER, CLUSTER, 1, 0, 0
    )
    if version == 3:
        header += struct.pack(">QQQII", incompatible, 0, 0, refcount_order, 104)
    table = struct.pack(">Q", 2 * CLUSTER)
    bits = 1 << (refcount_order if version == 3 else 4)
    counts = sum(1 << (bits * index) for index in range(5)).to_bytes(8 * 5, "little")
    if bits >= 8:
        counts = (1).to_bytes(bits // 8, "big") * 5
    return b"".join(part.ljust(CLUSTER, b"\0") for part in (header, table, counts, b"", data))


DESCRIPTOR = b"""# Disk DescriptorFile
version=1
CID=1
parentCID=ffffffff
createType="%s"
RW 2048 SPARSE "disk.vmdk"
ddb.virtualHWVersion = "4"
"""


def vmdk() -> bytes:
    """One grain, at the sectors 128 to 255."""
    header = struct.pack("<4sIIQQQQIQQQ", b"KDMV", 1, 3, 2048, 128, 1, 20, 512, 21, 26, 128)
    sectors = bytearray(256 * 512)
    sectors[: len(header)] = header
    text = DESCRIPTOR % b"monolithicSparse"
    sectors[512 : 512 + len(text)] = text
    sectors[26 * 512 : 26 * 512 + 4] = struct.pack("<I", 27)
    sectors[27 * 512 : 27 * 512 + 4] = struct.pack("<I", 128)
    return bytes(sectors)


def vmdk_stream() -> bytes:
    """The variant for streams, whose tables and footer stand at the end."""
    header = struct.pack("<4sIIQQQQIQQQ", b"KDMV", 3, 0x30001, 2048, 128, 1, 20, 512, 0, 2**64 - 1, 128)
    footer = struct.pack("<4sIIQQQQIQQQ", b"KDMV", 3, 0x30001, 2048, 128, 1, 20, 512, 0, 140, 128)
    text = DESCRIPTOR % b"streamOptimized"
    begin = (header.ljust(512, b"\0") + text).ljust(200 * 512, b"\0")
    marker = struct.pack("<QII", 1, 0, 3).ljust(512, b"\0")
    return begin + marker + footer.ljust(512, b"\0") + bytes(512)


def vhd_dynamic() -> bytes:
    """A footer at both ends, as a disk that grows has it."""
    footer = b"conectix".ljust(512, b"\1")
    return footer + bytes(4096) + footer


def vhd_fixed() -> bytes:
    """The disk as it is, and the footer."""
    return b"\7" * 8192 + b"conectix".ljust(512, b"\1")


def vhdx() -> bytes:
    """One block of 1 MiB, behind the tables."""
    content = bytearray(4 * MIB)
    content[:8] = b"vhdxfile"
    regions = struct.pack("<4sIII", b"regi", 0, 2, 0)
    regions += bytes.fromhex("6677c22d23f600429d64115e9bfd4a08") + struct.pack("<QII", MIB, MIB, 1)
    regions += bytes.fromhex("06a27c8b90479a4bb8fe575f050f886e") + struct.pack("<QII", 2 * MIB, MIB, 1)
    content[192 * 1024 : 192 * 1024 + len(regions)] = regions
    content[MIB : MIB + 8] = struct.pack("<Q", 3 << 20 | 6)
    metadata = struct.pack("<8sHH20x", b"metadata", 0, 1)
    metadata += bytes.fromhex("3767a1ca36fa434db3b633f0aa44e76b") + struct.pack("<III", 65536, 8, 0)
    content[2 * MIB : 2 * MIB + len(metadata)] = metadata
    content[2 * MIB + 65536 : 2 * MIB + 65540] = struct.pack("<I", MIB)
    return bytes(content)


def vdi() -> bytes:
    """Two blocks of 4 KiB, one of them in the file."""
    header = bytearray(1024)
    header[:40] = b"<<< Oracle VM VirtualBox Disk Image >>>\n"
    header[0x40:0x44] = struct.pack("<I", 0xBEDA107F)
    header[0x154:0x15C] = struct.pack("<II", 512, 1024)
    header[0x170:0x188] = struct.pack("<QIIII", 8192, 4096, 0, 2, 1)
    return bytes(header) + b"\5" * 4096


def iso(*, bootable_disk: bool = False) -> bytes:
    """Twenty blocks of 2 KiB; with a partition table in front when it also boots from a disk."""
    content = bytearray(20 * 2048)
    content[32768:32774] = b"\1CD001"
    content[32768 + 80 : 32768 + 84] = struct.pack("<I", 20)
    content[32768 + 128 : 32768 + 130] = struct.pack("<H", 2048)
    if bootable_disk:
        content[:512] = partitioned()[:512]
    return bytes(content)


def partitioned() -> bytes:
    """A raw disk with one partition."""
    entry = struct.pack("<B3BB3BII", 0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, 100)
    return (bytes(446) + entry + bytes(48) + b"\x55\xaa").ljust(8192, b"\0")


def raw() -> bytes:
    """A disk without anything that could be recognised."""
    return b"\3raw disk" * 1000


COMPLETE = {
    "qcow2": qcow2(),
    "qcow2 version 2": qcow2(version=2),
    "vmdk": vmdk(),
    "vmdk stream": vmdk_stream(),
    "vhd": vhd_dynamic(),
    "vhd fixed": vhd_fixed(),
    "vhdx": vhdx(),
    "vdi": vdi(),
    "iso": iso(),
    "iso bootable from disk": iso(bootable_disk=True),
    "raw": raw(),
    "raw partitioned": partitioned(),
    "ploop": b"WithouFreSpacExt".ljust(8192, b"\0"),
}
"""Every image; the first word of its name is its disk format."""
