# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""``run_ansible_test.py CORE ARGUMENT...``: ``ansible-test ARGUMENT...`` of ansible-core CORE on a copy of the tree.

ansible-test wants a real ansible_collections/NAMESPACE/NAME directory, keeps virtual environments below the home
directory, downloads pip and hides the environment from it. So it works on a copy, in a home directory of our own that
holds a pip and what pip has been told about package sources; the user's home directory stays as it is.
"""

from __future__ import annotations

import ast
import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP_VERSIONS = ("23_1_2", "24_2")  # what the ansible-test of 2.17, and of 2.18 and 2.19 would download


def write_pip_configuration(path: Path) -> None:
    """Write what pip knows from its files and its environment to the file ``path``."""
    known = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    configuration = configparser.RawConfigParser()
    configuration.read_dict({"global": {"quiet": "2"}})
    for line in known.splitlines():
        name, value = line.split("=", 1)
        section, option = name.rsplit(".", 1)
        section = "global" if section == ":env:" else section
        if not configuration.has_section(section):
            configuration.add_section(section)
        configuration.set(section, option, ast.literal_eval(value))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        configuration.write(stream)


def prepare_home(home: Path) -> None:
    """Give ansible-test a home directory in which it finds a pip."""
    write_pip_configuration(home / ".config/pip/pip.conf")
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in PIP_VERSIONS:
        shutil.copy(ROOT / "tests/tools/get_pip.py", cache / f"get_pip_{version}.py")


def main(core: str, arguments: list[str]) -> int:
    """Run ansible-test and return its exit status."""
    directory = ROOT / ".cache" / f"ansible-test-{core}"
    home = directory / "home"
    prepare_home(home)
    copy = subprocess.run(
        [ROOT / "tests/tools/copy_tree.sh", directory], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ).stdout.strip()
    python_version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(Path(sys.executable).with_name("ansible-test")), *arguments, "--python", python_version]
    return subprocess.run(command, check=False, cwd=copy, env={**os.environ, "HOME": str(home)}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
