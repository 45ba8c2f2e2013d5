# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Checksums: written down, looked up in files of every form, and signed or not."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import (
    Checksum,
    ChecksumFile,
    ChecksumFiles,
    find_checksums,
    parse_checksum,
)

VALUE = hashlib.sha256(b"disk").hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()
NAME = "disk-1.0.qcow2"


def test_both_forms_of_the_option() -> None:
    assert parse_checksum(None) is None
    assert parse_checksum(f"SHA256:{VALUE.upper()}") == Checksum("sha256", VALUE)
    assert parse_checksum("sha256:https://host/SHA256SUMS") == ChecksumFile("sha256", "https://host/SHA256SUMS")
    assert parse_checksum("md5:/srv/MD5SUMS") == ChecksumFile("md5", "/srv/MD5SUMS")


@pytest.mark.parametrize("text", ["sha256:SHA256SUMS", "https://host/SHA256SUMS", "sha3:/x", "sha256:12", VALUE])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(GlanceError, match="write it as sha512:HEX"):
        parse_checksum(text)


@pytest.mark.parametrize(
    "line",
    [
        f"{VALUE}  {NAME}",
        f"{VALUE} *{NAME}",
        f"{VALUE.upper()}  ./images/{NAME}",
        f"SHA256 ({NAME}) = {VALUE}",
        f"# {NAME}: 1 byte\nSHA256 ({NAME}) = {VALUE}\nSHA512 ({NAME}) = {'0' * 128}",
        f"{OTHER}  {NAME}.sig\n{VALUE}  {NAME}\n{OTHER}  x-{NAME}",
    ],
)
def test_every_form_of_a_line(line: str) -> None:
    assert list(find_checksums(line, NAME, "sha256")) == [VALUE]


@pytest.mark.parametrize(
    "line",
    [f"{VALUE}  another", f"{VALUE[:32]}  {NAME}", f"SHA3-256 ({NAME}) = {VALUE}", "", f"MD5 ({NAME}) = {VALUE}"],
)
def test_lines_of_something_else(line: str) -> None:
    assert list(find_checksums(line, NAME, "sha256")) == []


def files(**contents: t.Any) -> tuple[ChecksumFiles, list[str]]:
    """Return what looks into these files, and a list of those that were read."""
    read: list[str] = []

    def fetch(location: str) -> bytes:
        read.append(location)
        found = contents[location]
        if isinstance(found, GlanceError):
            raise found
        return bytes(found)

    return ChecksumFiles(fetch), read


def test_a_file_is_read_once() -> None:
    lookup, read = files(sums=f"{VALUE}  {NAME}\n{OTHER}  other".encode())
    file = ChecksumFile("sha256", "sums")
    assert [str(lookup.checksum(file, name)) for name in (NAME, "other")] == [f"sha256:{VALUE}", f"sha256:{OTHER}"]
    assert read == ["sums"]


def test_a_name_that_is_missing_or_ambiguous_is_told() -> None:
    lookup, _read = files(sums=f"{VALUE}  {NAME}\n{OTHER}  a/{NAME}".encode())
    with pytest.raises(GlanceError, match="there are 2 different ones"):
        lookup.checksum(ChecksumFile("sha256", "sums"), NAME)
    with pytest.raises(GlanceError, match="no line has a sha512 of that name"):
        lookup.checksum(ChecksumFile("sha512", "sums"), NAME)


def test_a_file_that_cannot_be_had_is_asked_for_once() -> None:
    lookup, read = files(sums=GlanceError("reading sums"))
    for _turn in range(2):
        with pytest.raises(GlanceError, match="reading sums"):
            lookup.checksum(ChecksumFile("sha256", "sums"), NAME)
    assert read == ["sums"]


class Signer(t.NamedTuple):
    """A key, and what it makes."""

    home: str
    keyring: str

    def run(self, content: bytes, *arguments: str) -> bytes:
        """Run gpg on a content."""
        command = ["gpg", "--homedir", self.home, "--batch", "--quiet", *arguments]
        return subprocess.run(command, input=content, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def signer() -> t.Iterator[Signer]:
    """Return somebody who signs."""
    # The path of gpg-agent's socket must be short.
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        made = Signer(home, os.path.join(home, "keyring.gpg"))
        made.run(b"", "--passphrase", "", "--quick-gen-key", "images@example.org", "ed25519", "sign", "never")
        Path(made.keyring).write_bytes(made.run(b"", "--export"))
        yield made
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


class TestSignature:
    """The file with checksums is believed when a key of the keyring has signed it."""

    TEXT = f"{VALUE}  {NAME}\n".encode()
    FILE = ChecksumFile("sha256", "sums")

    def test_detached(self, signer: Signer) -> None:
        lookup, _read = files(sums=self.TEXT, sig=signer.run(self.TEXT, "--detach-sign"))
        assert lookup.checksum(self.FILE, NAME, "sig", signer.keyring).value == VALUE

    def test_of_something_else(self, signer: Signer) -> None:
        lookup, _read = files(sums=self.TEXT, sig=signer.run(b"other", "--detach-sign"))
        with pytest.raises(GlanceError, match="BAD signature"):
            lookup.checksum(self.FILE, NAME, "sig", signer.keyring)

    def test_in_itself_and_nothing_around_it(self, signer: Signer) -> None:
        signed = signer.run(self.TEXT, "--clear-sign")
        around = f"{OTHER}  added\n".encode() + signed + f"\n{OTHER}  added\n".encode()
        lookup, _read = files(sums=signed)
        assert lookup.checksum(self.FILE, NAME, None, signer.keyring).value == VALUE
        lookup, _read = files(sums=around)
        with pytest.raises(GlanceError):
            lookup.checksum(self.FILE, "added", None, signer.keyring)

    def test_missing(self, signer: Signer) -> None:
        lookup, _read = files(sums=self.TEXT)
        with pytest.raises(GlanceError, match="verifying the signature of sums"):
            lookup.checksum(self.FILE, NAME, None, signer.keyring)

    def test_by_somebody_else(self, signer: Signer, tmp_path: Path) -> None:
        (tmp_path / "empty.gpg").touch()
        for keyring, said in (("empty.gpg", "No public key"), ("missing.gpg", "is not there")):
            lookup, _read = files(sums=self.TEXT, sig=signer.run(self.TEXT, "--detach-sign"))
            with pytest.raises(GlanceError, match=said):
                lookup.checksum(self.FILE, NAME, "sig", str(tmp_path / keyring))
