# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The checksum that a source must have: written down, or looked up in the file that its publisher has signed."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import threading
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_url import shown_url

ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")

LINES = (
    re.compile(r"^(?P<value>[0-9a-fA-F]{32,128})\s+[ *]?(?:\./)?(?P<name>\S.*?)\s*$"),
    re.compile(r"^(?P<algorithm>[A-Za-z0-9-]+)\s*\((?P<name>.+)\)\s*=\s*(?P<value>[0-9a-fA-F]{32,128})\s*$"),
)
"""The two forms: as sha512sum writes them, and as BSD and Fedora do."""

SECONDS_FOR_GPGV = 30


class Checksum(t.NamedTuple):
    """A checksum that the user gave."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


class ChecksumFile(t.NamedTuple):
    """A file with the checksums of many files."""

    algorithm: str
    location: str


def parse_checksum(text: t.Optional[str]) -> t.Union[Checksum, ChecksumFile, None]:
    """Return the checksum that the option means, or None when it is not given.

    :raises GlanceError: when it is malformed.
    """
    if not text:
        return None
    algorithm, _colon, value = text.strip().partition(":")
    algorithm = algorithm.lower()
    length = _length(algorithm)
    if length and re.fullmatch(f"[0-9a-fA-F]{{{length}}}", value):
        return Checksum(algorithm, value.lower())
    if length and (value.startswith(("/", "~", "./", "../")) or "://" in value):
        return ChecksumFile(algorithm, value)
    raise GlanceError(
        f"reading the checksum {shown_url(text)!r}",
        answer=f"a checksum of {algorithm} has {length} hexadecimal digits" if length else "the algorithm is not known",
        remedy="write it as sha512:HEX, or as sha512: and the URL or path of a file with checksums; the algorithms are"
        f" {', '.join(ALGORITHMS)}",
    )


def _length(algorithm: str) -> int:
    """Return how many digits a checksum has, or 0 when nobody knows the algorithm."""
    return 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size if algorithm in ALGORITHMS else 0


class Fetch(t.Protocol):
    """Reads a small file."""

    def __call__(self, location: str) -> bytes:
        """Return the content of a path or URL."""


class ChecksumFiles:
    """Looks up checksums in files, each of which is read once.

    :param fetch: reads a file or URL.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[tuple[str, t.Optional[str], t.Optional[str]], t.Union[str, GlanceError]] = {}
        self._lock = threading.Lock()

    def checksum(
        self, file: ChecksumFile, name: str, signature: t.Optional[str] = None, keyring: t.Optional[str] = None
    ) -> Checksum:
        """Return the checksum that the file has for a file name.

        :raises GlanceError: when the file cannot be had, is not signed by a key of the keyring, or has none.
        """
        doing = f"looking for the checksum of {name} in {shown_url(file.location)}"
        found = sorted(set(find_checksums(self._text(file.location, signature, keyring), name, file.algorithm)))
        if len(found) == 1:
            return Checksum(file.algorithm, found[0])
        raise GlanceError(
            doing,
            answer=f"there are {len(found)} different ones"
            if found
            else f"no line has a {file.algorithm} of that name",
            cause="an image that was renamed or removed by its publisher, or a file with checksums of other images",
            remedy="open the file with the checksums, and correct source or checksum",
        )

    def _text(self, location: str, signature: t.Optional[str], keyring: t.Optional[str]) -> str:
        key = (location, signature, keyring)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._read(*key)
            known = self._known[key]
        if isinstance(known, GlanceError):
            raise known
        return known

    def _read(self, location: str, signature: t.Optional[str], keyring: t.Optional[str]) -> t.Union[str, GlanceError]:
        try:
            content = self._fetch(location)
            if keyring is not None:
                content = signed_content(
                    shown_url(location), content, self._fetch(signature) if signature else None, keyring
                )
        except GlanceError as error:
            return error
        return content.decode("utf-8", errors="replace")


def find_checksums(text: str, name: str, algorithm: str) -> t.Iterator[str]:
    """Yield the checksums of one algorithm that a text has for a file name."""
    for line in text.splitlines():
        for form in LINES:
            found = form.match(line)
            if found and found["name"].rsplit("/", 1)[-1] == name and len(found["value"]) == _length(algorithm):
                stated = found.groupdict().get("algorithm") or algorithm
                if stated.replace("-", "").lower() == algorithm:
                    yield found["value"].lower()


def signed_content(shown: str, content: bytes, signature: t.Optional[bytes], keyring: str) -> bytes:
    """Return what of a file is signed by a key of the keyring.

    :param signature: the detached signature; None when the file has it in itself.
    :raises GlanceError: when the signature is not good.
    """
    doing = f"verifying the signature of {shown}"
    keyring = os.path.abspath(os.path.expanduser(keyring))
    if not os.path.isfile(keyring):
        raise GlanceError(
            doing,
            answer=f"the keyring {keyring} is not there",
            remedy="give the path of a file with the publisher's public keys, as gpg --export writes it",
        )
    with tempfile.TemporaryDirectory(prefix="ansible-checksum-") as directory:
        paths = [os.path.join(directory, name) for name in ("signature", "content")]
        for path, data in zip(paths, [signature or content, content]):
            with open(path, "wb") as file:
                file.write(data)
        # Of a file that is signed in itself, only what stands between the marks is signed.
        wanted = paths if signature else ["--output", "-", paths[0]]
        command = ["gpgv", "--quiet", "--homedir", directory, "--keyring", keyring, *wanted]
        return _run_gpgv(doing, command) if signature is None else (_run_gpgv(doing, command), content)[1]


def _run_gpgv(doing: str, command: list[str]) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, timeout=SECONDS_FOR_GPGV, check=False, env={**os.environ, "LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GlanceError(doing, answer=str(error), remedy="install gpgv where the module runs") from error
    if done.returncode != 0:
        raise GlanceError(
            doing,
            answer=" ".join(done.stderr.decode("utf-8", errors="replace").split())
            or f"gpgv ended with {done.returncode}",
            cause="a keyring without the publisher's present key, or a file that was tampered with",
            remedy="compare the fingerprint with the one that the publisher announces",
        )
    return done.stdout
