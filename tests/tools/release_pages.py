# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Writes docs/releases.md and docs/guides.md, from the table of releases and from the cases of tests/golden/guides."""

from __future__ import annotations

import typing as t
from pathlib import Path

import jinja2
import yaml

ROOT = Path(__file__).resolve().parents[2]
TABLES = "roles/glance/files"
NOW = "now"

Row = dict[str, t.Any]

SPELLINGS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Database",
        (("sql_connection", "`[DEFAULT] sql_connection`"), ("database_connection", "`[database] connection`")),
    ),
    (
        "Keystone's address",
        (("auth_host", "`auth_host`, `auth_port`"), ("identity_uri", "`identity_uri`"), ("auth_type", "`auth_url`")),
    ),
    (
        "Glance's account",
        (("admin_user", "`admin_*`"), ("auth_plugin", "`auth_plugin`"), ("auth_type", "`auth_type`")),
    ),
    ("Where clients log in", (("auth_uri", "`auth_uri`"), ("www_authenticate_uri", "`www_authenticate_uri`"))),
    (
        "Stores",
        (("known_stores", "`known_stores`"), ("enabled_backends", "`enabled_backends`"), ("glance_store", "`stores`")),
    ),
    ("Cache", (("cache_driver_sqlite", "sqlite"), ("cache_driver_centralized_db", "centralized_db"))),
    ("Policy", (("policy_json", "policy.json"), ("policy_yaml", "policy.yaml"))),
    ("Registry", (("registry", "yes"),)),
    ("`bind_*`, `workers`", (("bind_options", "yes"),)),
)
"""What the page tells of each release: the first name that it knows decides."""

ABILITIES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Identity port", (("keystone_port_35357", "35357"), ("www_authenticate_uri", "5000"))),
    ("`glance-api`", (("eventlet_server", "serves by itself"), ("wsgi_module", "under a WSGI server only"))),
    ("WSGI", (("wsgi_module", "`glance.wsgi.api`"), ("wsgi_script", "`glance-wsgi-api`"))),
    ("Paste file", (("paste_pipelines", "pipelines"), ("paste_composites", "composites"))),
    (
        "Import",
        (("glance_download", "also glance-download"), ("copy_image", "also copy-image"), ("image_import", "yes")),
    ),
    ("Cache API", (("cache_api", "yes"),)),
    ("API v1", (("v1_api", "yes"),)),
    ("Tasks API", (("tasks_api", "yes"),)),
    ("Metadefs", (("metadefs", "yes"),)),
    ("Policy rules", (("policy_in_code", "in the code"), ("policy_json", "in the file"))),
    ("Schema", (("schema_check", "phases, `db check`"), ("schema_phases", "phases"))),
)
"""What else differs between releases, told in the same way."""


def main() -> None:
    """Write the pages."""
    for path, text in pages(ROOT).items():
        path.write_text(text, encoding="utf-8")


def pages(root: Path) -> dict[Path, str]:
    """Return the text of each page, by its path."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "reference_templates"),
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    tables = {
        name: value
        for path in sorted((root / TABLES).glob("*.yml"))
        for name, value in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    }
    releases = environment.get_template("releases.md.j2").render(
        releases=[row(tables, release) for release in tables["releases"]],
        titles=[title for title, _names in SPELLINGS],
        abilities=[title for title, _names in ABILITIES],
        advisories=tables["advisories"],
        formats=tables["formats"],
        now=NOW,
    )
    guides = environment.get_template("guides.md.j2").render(guides=guides_of(root))
    return {root / "docs/releases.md": releases, root / "docs/guides.md": guides}


def row(tables: Row, release: Row) -> Row:
    """Return what the page tells of a release."""
    names = [entry["name"] for entry in tables["releases"]]
    number = names.index(release["name"])

    def knows(what: str) -> bool:
        first, last = tables["known_in"][what]
        return names.index(first) <= number and (last == NOW or number <= names.index(last))

    def cells(columns: t.Iterable[tuple[str, tuple[tuple[str, str], ...]]]) -> list[str]:
        return [next((words for what, words in names if knows(what)), "-") for _title, names in columns]

    own = {"spellings": cells(SPELLINGS), "abilities": cells(ABILITIES), "distributions": distributions(release)}
    return {**release, **own, "run": run(release)}


def run(release: Row) -> str:
    """Return the scenarios that run a release."""
    found = [*release.get("scenarios", ()), *(f"{name} (from source)" for name in release.get("source_scenarios", ()))]
    return ", ".join(found) or "no"


def distributions(release: Row) -> str:
    """Return who packages a release."""
    found = [f"Debian {version}" for version in release.get("debian", ())]
    found += [f"Ubuntu {version}" for version in release.get("ubuntu", ())]
    found += [f"Cloud Archive for {release['cloud_archive']}"] if "cloud_archive" in release else []
    found += [f"RDO ({release['rdo']})"] if "rdo" in release else []
    return ", ".join(found) or "-"


def guides_of(root: Path) -> list[Row]:
    """Return the cases of the guides."""
    return [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((root / "tests/golden/guides").glob("*/guide.yml"))
    ]


if __name__ == "__main__":
    main()
