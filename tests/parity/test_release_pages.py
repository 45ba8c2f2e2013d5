# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The table of releases is whole, and the pages that are written from it are of today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import release_pages
from variables import load_yaml

ROOT = Path(__file__).resolve().parents[2]
TABLE = load_yaml(ROOT / "roles/glance/files/releases.yml")
RELEASES = TABLE["releases"]
NAMES = [release["name"] for release in RELEASES]


@pytest.mark.parametrize("page", release_pages.pages(ROOT), ids=lambda path: path.name)
def test_the_page_is_of_today(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == release_pages.pages(ROOT)[page], "run `make docs`"


def test_the_releases_stand_in_their_order() -> None:
    assert [release["series"] for release in RELEASES] == sorted(release["series"] for release in RELEASES)
    assert [release["version"] for release in RELEASES] == list(range(7, 7 + len(RELEASES)))


@pytest.mark.parametrize("release", RELEASES, ids=NAMES)
def test_a_release_has_all_that_is_read_of_it(release: dict[str, object]) -> None:
    assert {"name", "series", "version", "schema", "python", "status"} <= release.keys()
    assert release["status"] in ("maintained", "unmaintained", "ended")
    for scenario in (*release.get("scenarios", ()), *release.get("source_scenarios", ())):  # type: ignore[misc]  # lists
        assert (ROOT / "molecule" / scenario / "molecule.yml").is_file()


@pytest.mark.parametrize("what", [*TABLE["known_in"]])
def test_what_releases_know_has_a_first_and_a_last_one(what: str) -> None:
    first, last = TABLE["known_in"][what]
    assert first in NAMES
    assert last == "now" or NAMES.index(first) <= NAMES.index(last)


def test_what_releases_know_is_read_by_a_role_or_told_on_the_page() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "roles").glob("*/*/**/*.*"))
    columns = (*release_pages.SPELLINGS, *release_pages.ABILITIES)
    read = {
        *re.findall(r"'(\w+)' (?:not )?in _glance_knows", text),
        *(what for _title, cells in columns for what, _label in cells),
    }
    assert read == set(TABLE["known_in"])


def test_every_table_is_read_by_a_role_or_told_on_the_page() -> None:
    readers = [path for path in (ROOT / "roles").glob("*/*/**/*.*") if path.suffix in (".yml", ".j2")]
    readers += [Path(release_pages.__file__), ROOT / "plugins/module_utils/_tables.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in readers)
    tables = [name for path in (ROOT / release_pages.TABLES).glob("*.yml") for name in load_yaml(path)]
    assert not [
        name
        for name in tables
        if not re.search(f"(?:table\\(|tables\\[)\"{name}\"|'{name}' [|] openstack_ops.glance.table", text)
    ]


def test_texts_of_a_release_are_quoted() -> None:
    """YAML would read 2013.2 as a number, and 2013.10 as 2013.1."""
    texts = ("name", "series", "schema", "python", "cloud_archive", "rdo")
    found = [value for release in RELEASES for name, value in release.items() if name in texts]
    found += [version for release in RELEASES for name in ("debian", "ubuntu") for version in release.get(name, ())]
    assert all(isinstance(value, str) for value in found)


def test_a_new_release_is_one_entry() -> None:
    """A copy of the newest one with another name gets a row, and knows what has not been removed."""
    tables = {**TABLE, "releases": [*RELEASES, {**RELEASES[-1], "name": "new", "series": "2027.1"}]}
    row = release_pages.row(tables, tables["releases"][-1])
    newest = release_pages.row(tables, RELEASES[-1])
    assert (row["spellings"], row["abilities"]) == (newest["spellings"], newest["abilities"])
