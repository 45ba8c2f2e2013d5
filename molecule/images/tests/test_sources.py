# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Sources of every kind on a real Glance: what is good arrives bit by bit, and nothing stays of what is bad."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import lzma
import os
import re
import struct
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest
import zstandard
from catalog import PREFIX, Catalog, Entry, sha512
from images import MIB

if t.TYPE_CHECKING:
    from web import Web

Make = t.Callable[..., str]
SECONDS_OF_PATIENCE = 3
GPG = ("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")


class Publisher:
    """Somebody who signs the checksums of what he publishes."""

    def __init__(self, home: str, directory: Path) -> None:
        self._environment = {**os.environ, "GNUPGHOME": home}
        self._directory = directory
        self.keyring = str(directory / "keyring.gpg")
        self._gpg("--quick-generate-key", "publisher@example.org", "default", "default", "never")
        self._gpg("--output", self.keyring, "--export")

    def _gpg(self, *arguments: str) -> None:
        subprocess.run([*GPG, *arguments], env=self._environment, check=True)

    def sign(self, name: str) -> None:
        """Write a detached signature next to a file, and the file once more with the signature in it."""
        path = str(self._directory / name)
        self._gpg("--output", f"{path}.sig", "--detach-sign", path)
        self._gpg("--output", f"{path}.asc", "--clearsign", path)


@pytest.fixture
def publisher(tmp_path: Path) -> t.Iterator[Publisher]:
    """Return a publisher."""
    # The path of gpg-agent's socket must be short.
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        yield Publisher(home, tmp_path)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=True)


def sums(directory: Path, *names: str) -> str:
    """Return what sha256sum writes of some files."""
    return "".join(f"{hashlib.sha256((directory / name).read_bytes()).hexdigest()} *{name}\n" for name in names)


def convert(source: str, target: Path, *options: str) -> str:
    """Make a qcow2 image of a raw one."""
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", *options, source, str(target)], check=True)
    return str(target)


def test_good_ones(catalog: Catalog, make: Make, web: Web, publisher: Publisher, tmp_path: Path) -> None:
    path = make("disk", 6 * MIB)
    content = Path(path).read_bytes()
    packed = {
        "gz": gzip.compress(content),
        "xz": lzma.compress(content, preset=0),
        "bz2": bz2.compress(content),
        "zst": zstandard.compress(content),
    }
    for kind, data in packed.items():
        (tmp_path / f"disk.{kind}").write_bytes(data)
    convert(path, tmp_path / "disk.qcow2")
    names = ["disk", "disk.qcow2", *(f"disk.{kind}" for kind in packed)]
    (tmp_path / "SHA256SUMS").write_text(sums(tmp_path, *names))
    publisher.sign("SHA256SUMS")
    signed = {"checksum": f"sha256:{web.url}/SHA256SUMS", "checksum_keyring": publisher.keyring}
    detached = {**signed, "checksum_signature": f"{web.url}/SHA256SUMS.sig"}
    itself = {**signed, "checksum": f"sha256:{web.url}/SHA256SUMS.asc"}
    listed = [
        {"name": f"{PREFIX}broken off", "source": f"{web.url}/cut/disk", **detached},
        {"name": f"{PREFIX}ill at first", "source": f"{web.url}/late/disk", **itself},
        {"name": f"{PREFIX}converted", "source": f"{web.url}/cut/disk.qcow2", "convert": "raw", **detached},
    ]
    for kind in packed:
        source = {"source": f"{web.url}/cut/disk.{kind}", "decompress": True, **itself}
        listed.append({"name": f"{PREFIX}{kind}", **source})
    found = catalog.kept(listed)
    assert {name: image["os_hash_value"] for name, image in found.items()} == dict.fromkeys(found, sha512(path))
    assert len(found) == 7
    assert {image["disk_format"] for image in found.values()} == {"raw"}
    assert {catalog.digest(image["id"]) for image in found.values()} == {sha512(path)}
    # Each that broke off was asked for again.
    assert web.requests.count("/cut/disk") >= 2


def bad_images(directory: Path, path: str) -> list[Entry]:
    """Return entries whose files nobody should upload."""
    based = convert(path, directory / "based")
    subprocess.run(["qemu-img", "rebase", "-u", "-F", "raw", "-b", "/etc/passwd", based], check=True)
    (directory / "elsewhere").write_bytes(b"")
    options = f"data_file={directory / 'elsewhere'},data_file_raw=on"
    apart = str(directory / "apart")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", options, apart, "1M"], check=True)
    (directory / "bomb").write_bytes(gzip.compress(bytes(64 * MIB)))
    (directory / "half").write_bytes(Path(convert(path, directory / "whole")).read_bytes()[: 2 * MIB])
    huge = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, 1 << 50, 0, 1, 3 << 16, 1 << 16, 1, 0, 0)
    (directory / "header").write_bytes(huge)
    return [
        {"name": "backing file", "source": based},
        {"name": "data file", "source": apart},
        {"name": "bomb", "source": str(directory / "bomb"), "decompress": True, "max_size": "16M"},
        {"name": "half", "source": str(directory / "half")},
        {"name": "header only", "source": str(directory / "header")},
        {"name": "wrong checksum", "source": path, "checksum": f"sha256:{'0' * 64}"},
        {"name": "not packed", "source": path, "decompress": True},
    ]


def bad_servers(url: str) -> list[Entry]:
    """Return entries whose servers have a bad day."""
    manners = ("truncated", "never", "silent", "stalling", "elsewhere")
    entries = [{"name": manner, "source": f"{url}/{manner}/disk"} for manner in manners]
    return [
        *entries,
        {"name": "missing", "source": f"{url}/missing"},
        {"name": "wrong sum", "source": f"{url}/disk", "checksum": f"sha512:{'0' * 128}"},
        {"name": "other scheme", "source": f"{url.replace('http', 'ftp')}/disk"},
    ]


TOLD = {
    "backing file": "backing file",
    "data file": "data_file",
    "bomb": "it becomes larger than max_size (16777216 bytes)",
    "half": "truncated",
    "header only": "truncated",
    "wrong checksum": f"the declared one is sha256:{'0' * 64}",
    "not packed": "leave out decompress",
    "truncated": "the server stopped before the end",
    "never": "HTTP 500",
    "silent": f"no answer came within {SECONDS_OF_PATIENCE} seconds",
    "stalling": "the server stopped before the end",
    "elsewhere": "file:///",
    "missing": "HTTP 404",
    "wrong sum": "the declared one is sha512:0",
    "other scheme": "sources with ftp:// cannot be read",
    "signed by nobody": "verifying the signature",
    "signed by somebody else": "verifying the signature",
}


def test_bad_ones(catalog: Catalog, make: Make, web: Web, publisher: Publisher, tmp_path: Path) -> None:
    path = make("disk", 6 * MIB)
    (tmp_path / "SUMS").write_text(sums(tmp_path, "disk"))
    publisher.sign("SUMS")
    (tmp_path / "FORGED.sig").write_bytes((tmp_path / "SUMS.sig").read_bytes())
    (tmp_path / "FORGED").write_text("# one line more\n" + sums(tmp_path, "disk"))
    signed = {"source": f"{web.url}/disk", "checksum_keyring": publisher.keyring}
    unsigned = {"name": "signed by nobody", **signed, "checksum": f"sha256:{web.url}/SUMS"}
    forged = {"checksum": f"sha256:{web.url}/FORGED", "checksum_signature": f"{web.url}/FORGED.sig"}
    entries = [
        *bad_images(tmp_path, path),
        *bad_servers(web.url),
        unsigned,
        {"name": "signed by somebody else", **signed, **forged},
    ]
    assert {entry["name"] for entry in entries} == set(TOLD)
    patience = {"timeout": SECONDS_OF_PATIENCE}
    listed = [{**patience, **entry, "name": f"{PREFIX}{entry['name']}"} for entry in entries]
    outcome = catalog.keep([*listed, {"name": f"{PREFIX}good", "source": path}])
    assert outcome.status != 0
    assert f"{len(entries)} of {len(entries) + 1} images failed" in outcome.text
    text = " ".join(outcome.text.split())
    for name, said in TOLD.items():
        told = re.search(rf" {PREFIX}{name}: (.*?)(?= {PREFIX}|\Z)", text)
        assert told, (name, text)
        assert said in told[1], (name, told[1])
    assert [image["name"] for image in catalog.all()] == [f"{PREFIX}good"]


def test_what_no_cloud_could_accept(catalog: Catalog, make: Make) -> None:
    source = {"source": make("a", 1024)}
    mistyped: list[Entry] = [
        {"name": f"{PREFIX}twice", **source},
        {"name": f"{PREFIX}twice", **source},
        {"name": f"{PREFIX}mistyped", **source, "visiblity": "public"},
    ]
    wrong: list[Entry] = [
        {"name": PREFIX + 250 * "x", **source},
        {"name": f"{PREFIX}reserved", **source, "properties": {"os_glance_importing_to_stores": "x"}},
        {"name": f"{PREFIX}hash", **source, "properties": {"os_hash_value": "x"}},
    ]
    expected = {
        "visiblity is unknown (did you mean visibility?)": mistyped,
        f"2 images in glance_images are called '{PREFIX}twice'": mistyped,
        "give 1 to 255 characters": wrong,
        "os_glance_importing_to_stores is a name that Glance keeps for itself": wrong,
        "os_hash_value is an attribute of every image": wrong,
    }
    for listed in (mistyped, wrong):
        outcome = catalog.keep(listed)
        assert outcome.status != 0
        text = " ".join(outcome.text.split())
        assert [said for said, of in expected.items() if of is listed and said not in text] == [], outcome.text
    assert catalog.all() == []


@contextlib.contextmanager
def small_disk(directory: Path, size: int) -> t.Iterator[str]:
    """Mount a small file system."""
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)], check=True)
    try:
        yield str(directory)
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def test_no_room_to_convert(catalog: Catalog, make: Make, web: Web, tmp_path: Path) -> None:
    convert(make("disk", 12 * MIB), tmp_path / "disk.qcow2", "-c")
    with small_disk(tmp_path / "small", 20 * MIB) as directory:
        options = {"convert": "raw", "work_directory": directory}
        listed = [
            {"name": f"{PREFIX}a file", "source": str(tmp_path / "disk.qcow2"), **options},
            {"name": f"{PREFIX}a URL", "source": f"{web.url}/disk.qcow2", **options},
        ]
        outcome = catalog.keep(listed, glance_images_transfers=1)
        assert outcome.status != 0
        text = " ".join(outcome.text.split())
        assert text.count(f"{directory} has ") >= 2, outcome.text
        assert "28 are needed" in text
        assert list(Path(directory).iterdir()) == []
    assert catalog.all() == []
