# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""``check_tree.py [DIRECTORY]``: refuses what must not stand in the repository.

That is: the host of a package registry, a path of the machine it was written on, and what looks like a real secret.
A line that has to hold such a thing says so in a comment: ``pragma: allowlist secret`` for a secret, ``tree: allow``
otherwise.
"""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

# What an account's home directory holds on every machine is no path of this one.
MACHINE_PATH = re.compile(r"(?<![\w.~}>-])/(?:work|root|tmp|home/\w+)/(?!\.(?:ssh|my\.cnf|config/openstack)\b)[\w.]")
SECRETS = {
    "plugins_used": [
        {"name": name}
        for name in (
            "AWSKeyDetector",
            "AzureStorageKeyDetector",
            "GitHubTokenDetector",
            "GitLabTokenDetector",
            "JwtTokenDetector",
            "OpenAIDetector",
            "PrivateKeyDetector",
            "PypiTokenDetector",
            "SlackDetector",
            "StripeDetector",
        )
    ]
}


class Finding(t.NamedTuple):
    """One line that must not stand in the repository."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@functools.cache
def configured_hosts() -> set[str]:
    """Return the hosts from which this very machine takes its packages, so that none of them gets into the tree."""
    # What is configured, and the index that pip's help names as the one it takes otherwise.
    pip = [
        subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True, text=True).stdout
        for words in (["config", "list"], ["help", "download"])
    ]
    sources = [
        path.read_text(encoding="utf-8")
        for path in (Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*"))
        if path.suffix in (".list", ".sources") and path.is_file()
    ]
    urls = re.findall(r"https?://[^\s'\"\\)]+", "\n".join([*pip, *sources]))
    hosts = {urlsplit(url).hostname or "" for url in urls}
    return {host for host in hosts if "." in host and not host.startswith("127.")}


def line_findings(path: Path, text: str, hosts: set[str], checkout: str) -> t.Iterator[Finding]:
    """Find hosts and paths in the lines of a file."""
    for number, line in enumerate(text.splitlines(), start=1):
        if "tree: allow" in line:
            continue
        if any(host in line for host in hosts):
            yield Finding(path, number, "names the host of a package registry")
        if MACHINE_PATH.search(line) or checkout in line:
            yield Finding(path, number, "names a path of one machine")


def findings(root: Path, names: t.Iterable[str]) -> t.Iterator[Finding]:
    """Find what must not stand in the named files below ``root``."""
    hosts = configured_hosts()
    with transient_settings(SECRETS):
        for name in names:
            path = root / name
            if path.is_symlink() or not path.is_file():
                continue
            try:
                yield from line_findings(Path(name), path.read_text(encoding="utf-8"), hosts, str(root))
            except UnicodeDecodeError:
                yield Finding(Path(name), 1, "is not UTF-8 text")
            for secret in scan_file(str(path)):
                yield Finding(Path(name), secret.line_number, f"looks like a secret ({secret.type})")


def main(root: Path) -> int:
    """Print what is found and return the exit status."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
    ).stdout.split("\0")
    found = sorted(findings(root, filter(None, names)))
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
