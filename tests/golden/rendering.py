# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Renders the real templates of the roles for nodes that do not exist, and reads what comes out."""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.openstack_ops.glance.plugins.module_utils._config_text import assignments, override

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

Settings = dict[tuple[str, str], list[str]]
"""The values of each option, by its section and name; several where an option is set several times."""


class Rendered(t.NamedTuple):
    """The configuration of one host.

    :param knows: what the release knows, of the table of releases.
    :param stores: ``glance_stores``.
    :param directories: those that preflight looks at, and those that are made.
    :param files: the text of each file that the release has, with what the operator set in it.
    """

    release: str
    knows: frozenset[str]
    multi: bool
    stores: dict[str, t.Any]
    directories: dict[str, list[str]]
    files: dict[str, str]

    def settings(self, file: str) -> Settings:
        """Return what a file sets."""
        return settings(self.files[file])


def settings(text: str) -> Settings:
    """Return what a configuration file sets, as oslo.config reads it."""
    found: Settings = collections.defaultdict(list)
    for assignment in assignments(text.splitlines()):
        found[assignment.section, assignment.option].append(assignment.value)
    return dict(found)


def render(inventories: t.Sequence[Path], output: Path) -> dict[str, Rendered]:
    """Return the configuration of every host of some inventories."""
    return run("render.yml", output, *(argument for path in inventories for argument in ("-i", str(path))))


def render_cases(cases: list[dict[str, t.Any]], output: Path) -> dict[str, Rendered]:
    """Return the configuration of every case of cases.yml, by its name."""
    variables = output.with_name("cases.json")
    variables.write_text(json.dumps({"golden_cases": cases}), encoding="utf-8")
    return run("cases.yml", output, "-i", "localhost,", "-e", f"@{variables}")


def run(playbook: str, output: Path, *arguments: str) -> dict[str, Rendered]:
    """Run a playbook that writes what it has rendered, and return that."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), *arguments, "-e", f"golden_output={output}"]
    done = subprocess.run(
        [*command, str(HERE / playbook)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DISPLAY_OK_HOSTS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found = json.loads(output.read_text(encoding="utf-8"))
    return {name: as_rendered(json.loads(text) if isinstance(text, str) else text) for name, text in found.items()}


def as_rendered(found: dict[str, t.Any]) -> Rendered:
    """Return the configuration of a host, without the files that its release does not have."""
    knows = frozenset(found["knows"])
    files: dict[str, str] = dict(found["files"])
    if "registry" in knows:
        files["glance-registry.conf"] = override(files["glance-registry.conf"], found["registry_config"])
    else:
        del files["glance-registry.conf"]
    if "image_import" not in knows:
        del files["glance-image-import.conf"]
    files["glance-api.conf"] = override(files["glance-api.conf"], found["config"])
    return Rendered(found["release"], knows, bool(found["multi"]), found["stores"], found["directories"], files)
