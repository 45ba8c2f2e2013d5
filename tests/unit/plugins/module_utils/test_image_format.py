# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The format of an image is found by its bytes, and a broken or dangerous image is refused."""

from __future__ import annotations

import gzip
import sys
import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_format, _image_spec
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.tests.unit.plugins import image_bytes


class Bytes:
    """A reader of bytes in memory."""

    def __init__(self, content: bytes, *, reach: t.Optional[int] = None) -> None:
        self.shown = "the test image"
        self.size: t.Optional[int] = len(content)
        self._content = content
        self._reach = len(content) if reach is None else reach

    def read_at(self, offset: int, length: int) -> bytes:
        """Return what is within reach."""
        if offset < 0 or (offset + length > self._reach and self._reach < len(self._content)):
            return b""
        return self._content[offset : offset + length]


def refusal(content: bytes, disk_format: str = "auto", container_format: t.Optional[str] = None) -> str:
    """Return why an image is refused."""
    with pytest.raises(GlanceError) as raised:
        _image_format.choose(Bytes(content), disk_format, container_format)
    return str(raised.value)


@pytest.mark.parametrize("name", image_bytes.COMPLETE)
def test_auto_finds_the_format(name: str) -> None:
    assert _image_format.choose(Bytes(image_bytes.COMPLETE[name]), "auto", None) == name.split()[0]


@pytest.mark.parametrize("name", image_bytes.COMPLETE)
@pytest.mark.parametrize("declared", _image_spec.DISK_FORMATS)
def test_declared_and_found_have_to_agree(name: str, declared: str) -> None:
    found = name.split()[0]
    reader = Bytes(image_bytes.COMPLETE[name])
    anything = declared in ("ami", "ari", "aki", "root-tar", "ploop") and found == "raw"
    as_disk = declared == "raw" and name == "iso bootable from disk"
    if declared == found or anything or as_disk:
        assert _image_format.choose(reader, declared, None) == declared
    else:
        with pytest.raises(GlanceError, match=f"disk_format is {declared}, but the bytes are"):
            _image_format.choose(reader, declared, None)


WHERE_TO_CUT = {
    "qcow2": [4 * image_bytes.CLUSTER, 4 * image_bytes.CLUSTER - 1, 2 * image_bytes.CLUSTER, 600, 100],
    "qcow2 version 2": [4 * image_bytes.CLUSTER, 600],
    "vmdk": [128 * 512, 27 * 512, 600],
    "vmdk stream": [-1, -512, -1536, 50000],
    "vhd": [-512, 4000, 600, 500],
    "vhdx": [-1, -image_bytes.MIB, 2 * image_bytes.MIB, image_bytes.MIB, 200000, 65536],
    "vdi": [-1, 1024, 520, 300],
    "iso": [-1, 32768 + 2048],
    "iso bootable from disk": [-1],
}


@pytest.mark.parametrize(("name", "cut"), [(name, cut) for name, cuts in WHERE_TO_CUT.items() for cut in cuts])
def test_a_truncated_image_is_refused(name: str, cut: int) -> None:
    message = refusal(image_bytes.COMPLETE[name][:cut])
    assert f"this {name.split()[0]} image is truncated" in message
    assert "get the test image again" in message


def test_a_fixed_vhd_without_its_end_is_not_vhd() -> None:
    assert "disk_format is vhd, but the bytes are raw" in refusal(image_bytes.vhd_fixed()[:-512], "vhd")


@pytest.mark.parametrize("order", range(7))
def test_every_width_of_refcounts_is_understood(order: int) -> None:
    content = image_bytes.qcow2(refcount_order=order)
    assert _image_format.choose(Bytes(content), "auto", None) == "qcow2"
    assert "truncated" in refusal(content[: 4 * image_bytes.CLUSTER])


def test_refcounts_that_may_be_wrong_are_not_trusted() -> None:
    dirty = image_bytes.qcow2(incompatible=1)[: 4 * image_bytes.CLUSTER]
    assert _image_format.choose(Bytes(dirty), "qcow2", None) == "qcow2"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (image_bytes.qcow2(backing=1024), "backing file"),
        (image_bytes.qcow2(incompatible=4), "data_file"),
        (image_bytes.qcow2(incompatible=1 << 60), "Unknown QCOW2 features"),
        (image_bytes.vmdk().replace(b'"disk.vmdk"', b'"/etc/pass"'), "Invalid extent"),
        ((image_bytes.DESCRIPTOR % b"monolithicFlat").ljust(512, b"\0"), "only the descriptor"),
    ],
)
@pytest.mark.parametrize("declared", ["auto", "the format"])
def test_an_image_that_refers_to_other_files_is_refused(content: bytes, reason: str, declared: str) -> None:
    found = "qcow2" if content.startswith(b"QFI") else "vmdk"
    message = refusal(content, declared if declared == "auto" else found)
    assert "not safe to use" in message
    assert reason in message
    assert "qemu-img convert" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(image_bytes.raw(), mtime=0), "gzip archive"),
        (b"\xfd7zXZ\x00".ljust(4096, b"x"), "xz archive"),
        (b"  <!DOCTYPE html><html><body>Log in</body></html>", "page of HTML"),
        (b"QED\0".ljust(4096, b"\0"), "qed, which Glance has no format for"),
    ],
)
def test_what_is_no_disk_is_refused(content: bytes, said: str) -> None:
    assert said in refusal(content)


def test_two_formats_at_once_are_refused() -> None:
    content = bytearray(image_bytes.iso())
    content[: 4 * image_bytes.CLUSTER] = image_bytes.qcow2()[: len(content)]
    content[32768:32774] = b"\1CD001"
    message = refusal(bytes(content))
    assert "iso and qcow2" in message


def test_a_container_hides_the_disk() -> None:
    packed = gzip.compress(image_bytes.qcow2())
    assert _image_format.choose(Bytes(packed), "qcow2", "compressed") == "qcow2"
    assert "declare the disk format" in refusal(packed, "auto", "compressed")
    assert "container_format is compressed, but the bytes are not packed" in refusal(
        image_bytes.qcow2(), "qcow2", "compressed"
    )
    assert "container_format is ova" in refusal(image_bytes.vmdk(), "vmdk", "ova")
    assert _image_format.choose(Bytes(b"anything"), "vmdk", "ovf") == "vmdk"


@pytest.mark.parametrize("name", ["qcow2", "vmdk", "vmdk stream", "vhd", "iso"])
def test_what_is_out_of_reach_does_not_count_as_truncated(name: str) -> None:
    content = image_bytes.COMPLETE[name] + bytes(8 * image_bytes.MIB)
    assert _image_format.choose(Bytes(content, reach=len(content) - 1), "auto", None) == name.split()[0]


def test_a_fixed_vhd_whose_end_is_out_of_reach_is_believed() -> None:
    content = bytes(8 * image_bytes.MIB) + image_bytes.vhd_fixed()
    assert _image_format.choose(Bytes(content, reach=5 * image_bytes.MIB), "vhd", None) == "vhd"
    assert _image_format.choose(Bytes(content, reach=5 * image_bytes.MIB), "auto", None) == "raw"


def test_a_header_of_nonsense_is_refused() -> None:
    content = bytearray(image_bytes.qcow2())
    content[56:60] = (0x7FFFFFFF).to_bytes(4, "big")
    assert "truncated" in refusal(bytes(content))


def test_the_library_is_named_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "oslo_utils.imageutils", None)
    assert "install oslo.utils" in refusal(image_bytes.raw())
