# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What glance-manage would find, told from the migration scripts and the database."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _schema, _schema_settled
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline
from ansible_collections.openstack_ops.glance.plugins.module_utils._schema_settled import (
    is_at_head,
    is_settled,
    package_of,
    read_scripts,
)

CHAIN = {
    "liberty": "down_revision = None\ndepends_on = None",
    "a_contract01": "down_revision = 'liberty'\nbranch_labels = ('a', CONTRACT)\ndepends_on = ('a_expand01',)",
    "a_expand01": "down_revision = 'liberty'\nbranch_labels = migration.EXPAND_BRANCH\ndepends_on = None",
    "b_contract01": "down_revision = 'a_contract01'\ndepends_on = 'b_expand01'\n\n\ndef upgrade():\n    revision = 1",
    "b_expand01": "down_revision = 'a_expand01'",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a directory with migration scripts, as a Glance has them."""
    versions = tmp_path / "glance [1]" / "db" / "sqlalchemy" / "alembic_migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "__init__.py").write_text("")
    for name, told in CHAIN.items():
        (versions / f"{name}_does_something.py").write_text(
            f"from glance.db import migration\n\nrevision = {name!r}\n{told}\n"
        )
    return tmp_path / "glance [1]"


class TestScripts:
    @pytest.mark.parametrize(
        ("recorded", "done"),
        [
            (["b_contract01"], True),
            (["b_contract01", "b_expand01"], True),
            (["a_contract01", "b_expand01"], False),
            (["a_contract01"], False),
            (["c_contract01"], False),
            (["b_contract01", "c_expand01"], False),
            (["029"], False),
            ([], False),
        ],
    )
    def test_heads(self, package: Path, recorded: list[str], done: bool) -> None:
        assert is_at_head(recorded, read_scripts(str(package))) is done

    @pytest.mark.parametrize(
        "text",
        [
            "revision = 'c'\ndown_revision = other.REVISION\n",
            "revision = 'c'\n",
            "down_revision = 'b_contract01'\n",
            "revision = \n",
            "revision = 'c'\ndown_revision = 7\n",
            "revision = ['c']\ndown_revision = 'b_contract01'\n",
            "revision: str\ndown_revision = 'b_contract01'\n",
            "globals().update(revision='c', down_revision='b_contract01')\n",
            "",
        ],
    )
    def test_a_script_that_is_not_understood_leaves_everything_open(self, package: Path, text: str) -> None:
        script = next(package.glob("**/b_contract01*"))
        script.with_name("c_contract01.py").write_text(text)
        assert read_scripts(str(package)) == {}

    def test_a_script_of_the_newest_template(self, package: Path) -> None:
        script = next(package.glob("**/b_contract01*"))
        script.with_name("c_contract01.py").write_text(
            "revision: str = 'c'\ndown_revision: Union[str, None] = 'b_contract01'\ndepends_on: Any = None\n"
        )
        assert is_at_head(["c"], read_scripts(str(package)))
        assert not is_at_head(["b_contract01"], read_scripts(str(package)))

    def test_nowhere(self) -> None:
        assert read_scripts("") == read_scripts("/nonexistent") == {}
        assert not is_at_head(["b_contract01"], {})


class TestPackage:
    def find(self, directory: Path, first_line: str) -> str:
        command = directory / "glance-manage"
        command.write_text(f"{first_line}\nimport sys\n")
        command.chmod(0o755)
        return package_of(str(command), Deadline(20))

    def test_the_interpreter_of_the_command_is_asked(self, tmp_path: Path) -> None:
        python = tmp_path / "python3"
        python.write_text('#!/bin/sh\n[ "$1" = -I ] && echo /opt/glance\n')
        python.chmod(0o755)
        assert self.find(tmp_path, f"#!{python}") == "/opt/glance"
        assert self.find(tmp_path, f"#! {python}") == "/opt/glance"

    @pytest.mark.parametrize("first_line", ["#!/bin/sh", "#!{python} -s", "#!/usr/bin/env python3", "#!{python}", ""])
    def test_what_is_in_doubt_is_nothing(self, tmp_path: Path, first_line: str) -> None:
        assert self.find(tmp_path, first_line.format(python=sys.executable)) == ""
        assert package_of(str(tmp_path / "missing"), Deadline(1)) == ""


class Session:
    """A session that is only closed."""

    def close(self) -> None:
        """Log out."""


class TestSettled:
    @pytest.fixture(autouse=True)
    def _installed(self, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "conf").write_text("")
        self.params: dict[str, t.Any] = {
            "state": "synced",
            "command": "glance-manage",
            "config_files": [str(tmp_path / "conf")],
            "load_metadefs": True,
            "metadefs_path": str(tmp_path / "metadefs"),
            "metadefs_merge": True,
            "metadefs_prefer_new": False,
            "database": {"host": "db", "name": "glance", "password": "hush", "connect_timeout": 10},
        }
        (tmp_path / "metadefs").mkdir()
        (tmp_path / "metadefs" / "a.json").write_text(json.dumps({"namespace": "A", "tags": [{"name": "new"}]}))
        self.revision = ["b_contract01"]
        self.rows: list[tuple[str, ...]] = [("A", "new")]
        self.login: dict[str, t.Any] = {}
        monkeypatch.setattr(_schema_settled, "package_of", lambda command, deadline: str(package))
        monkeypatch.setattr(_schema_settled, "connect", self.connect)
        monkeypatch.setattr(_schema.Database, "revision", lambda database: self.revision)
        monkeypatch.setattr(_schema.Database, "tables", lambda database: {"metadef_tags"})
        monkeypatch.setattr(_schema_settled.metadefs, "run", self.select)

    def connect(self, params: dict[str, t.Any], **options: t.Any) -> Session:
        self.login = {**params, **options}
        return Session()

    def select(self, _session: Session, query: str) -> list[tuple[t.Any, ...]]:
        if "FROM metadef_namespaces" in query:
            return [("A", "A", None, None, None, None, "admin")]
        return list(self.rows) if "metadef_tags" in query else []

    def look(self, **more: t.Any) -> bool:
        return is_settled({**self.params, **more}, Deadline(5))

    def test_everything_is_there(self) -> None:
        assert self.look()
        assert self.login["login_host"] == "db"
        assert (self.login["database"], self.login["read_only"]) == ("glance", True)
        assert self.login["connect_timeout"] <= 6

    def test_a_phase_is_left(self) -> None:
        self.revision = ["a_contract01", "b_expand01"]
        assert not self.look()

    def test_definitions_are_missing(self) -> None:
        self.rows = []
        assert not self.look()
        assert self.look(load_metadefs=False)

    def test_definitions_that_differ_are_left_to_the_module_to_tell(self, tmp_path: Path) -> None:
        (tmp_path / "metadefs" / "a.json").write_text(json.dumps({"namespace": "A", "description": "new"}))
        assert not self.look()
        assert self.look(load_metadefs=False)

    def test_definitions_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "metadefs" / "b.json").write_text("{")
        assert not self.look()

    def test_phases_are_left_to_the_module(self) -> None:
        assert not self.look(state="expanded")

    def test_no_configuration_yet(self, tmp_path: Path) -> None:
        assert not self.look(config_files=[str(tmp_path / "missing")])

    def test_no_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(params: dict[str, t.Any], **options: t.Any) -> t.NoReturn:
            raise GlanceError("logging in")

        monkeypatch.setattr(_schema_settled, "connect", refuse)
        assert not self.look()
