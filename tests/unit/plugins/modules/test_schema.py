# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module schema: its real main() against a glance-manage and a database server that share a SQLite file."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
import sqlite3
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _metadefs as metadefs
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._schema import last_line
from ansible_collections.openstack_ops.glance.plugins.module_utils._schema_trust import Trust
from ansible_collections.openstack_ops.glance.plugins.modules import schema as module

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

PASSWORD = "p@ss:w/rd%#'\"$\\ü"

TABLES = """
CREATE TABLE images (id TEXT);
CREATE TABLE metadef_namespaces (id INTEGER PRIMARY KEY, namespace TEXT COLLATE NOCASE UNIQUE, display_name TEXT,
  description TEXT, visibility TEXT, protected INTEGER, owner TEXT);
CREATE TABLE metadef_resource_types (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE);
CREATE TABLE metadef_namespace_resource_types (namespace_id INTEGER, resource_type_id INTEGER, prefix TEXT,
  properties_target TEXT);
CREATE TABLE metadef_properties (id INTEGER PRIMARY KEY, namespace_id INTEGER, name TEXT COLLATE NOCASE,
  json_schema TEXT);
CREATE TABLE metadef_objects (id INTEGER PRIMARY KEY, namespace_id INTEGER, name TEXT COLLATE NOCASE,
  description TEXT, json_schema TEXT);
CREATE TABLE metadef_tags (id INTEGER PRIMARY KEY, namespace_id INTEGER, name TEXT COLLATE NOCASE);
"""

GLANCE_MANAGE = '''#!{python} -IS
"""The phases of a release whose contract is complete with the revision r_contract01."""
import json, os, pathlib, sqlite3, sys
directory = pathlib.Path({directory!r})
arguments = sys.argv[1:]
assert os.getcwd() == "/", os.getcwd()
configuration = arguments[1]
assert arguments[0] == "--config-file" and pathlib.Path(configuration).exists(), arguments
action = arguments[arguments.index("db") + 1]
with (directory / "calls").open("a") as calls:
    print(*arguments[arguments.index("db"):], file=calls)
failures = json.loads((directory / "failures").read_text())
if failures.get(action):
    failure = failures[action].pop(0)
    (directory / "failures").write_text(json.dumps(failures))
    print(failure["stderr"], file=sys.stderr)
    sys.exit(failure["code"])
db = sqlite3.connect(str(directory / "database"))
def heads():
    try:
        return {{name for (name,) in db.execute("SELECT version_num FROM alembic_version")}}
    except sqlite3.OperationalError:
        return set()
def record(*names):
    db.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
    db.execute("DELETE FROM alembic_version")
    db.executemany("INSERT INTO alembic_version VALUES (?)", [(name,) for name in names])
def create():
    if not {{"r_expand01", "q_contract01"}} & heads():
        db.executescript({tables!r})
def expand():
    create()
    record("q_contract01", "r_expand01")
def phase():
    if "r_contract01" in heads():
        return 0
    if "r_expand01" not in heads():
        return 3
    return 4 if (directory / "rows").exists() else 5
if action == "check":
    sys.exit(phase())
elif action == "expand":
    expand()
elif action == "migrate":
    (directory / "rows").unlink()
elif action == "contract":
    record("r_contract01")
elif action == "sync":
    create()
    record("r_contract01")
elif action == "load_metadefs":
    path = arguments[arguments.index("--path") + 1]
    merge, prefer_new = "--merge" in arguments, "--prefer_new" in arguments
    def find(table, **where):
        query = " AND ".join(name + " = ?" for name in where)
        return db.execute("SELECT rowid FROM " + table + " WHERE " + query, list(where.values())).fetchone()
    def store(table, key, values):
        row = find(table, **key)
        values = {{**key, **values}}
        if row is None:
            marks = ", ".join("?" * len(values))
            db.execute("INSERT INTO " + table + " (" + ", ".join(values) + ") VALUES (" + marks + ")",
                       list(values.values()))
        elif prefer_new:
            db.execute("UPDATE " + table + " SET " + ", ".join(name + " = ?" for name in values) + " WHERE rowid = ?",
                       [*values.values(), row[0]])
        return find(table, **key)[0]
    for name in os.listdir(path):
        if not name.endswith(".json") or not os.access(os.path.join(path, name), os.R_OK) or name == "ignored.json":
            continue
        try:
            with open(os.path.join(path, name)) as stream:
                data = json.load(stream)
        except ValueError:
            continue
        if find("metadef_namespaces", namespace=data["namespace"]) and not merge:
            continue
        values = {{k: data.get(k) for k in ("display_name", "description", "visibility", "protected")}}
        values["owner"] = data.get("owner", "admin")
        ns = store("metadef_namespaces", dict(namespace=data["namespace"]), values)
        for item in data.get("resource_type_associations", []):
            rt = store("metadef_resource_types", dict(name=item["name"]), {{}}) if not find(
                "metadef_resource_types", name=item["name"]) else find("metadef_resource_types", name=item["name"])[0]
            store("metadef_namespace_resource_types", dict(namespace_id=ns, resource_type_id=rt),
                  dict(prefix=item.get("prefix"), properties_target=item.get("properties_target")))
        for name, schema in data.get("properties", {{}}).items():
            store("metadef_properties", dict(namespace_id=ns, name=name), dict(json_schema=json.dumps(schema)))
        for item in data.get("objects", []):
            store("metadef_objects", dict(namespace_id=ns, name=item["name"]),
                  dict(description=item.get("description"), json_schema=json.dumps(item.get("properties"))))
        for item in data.get("tags", []):
            store("metadef_tags", dict(namespace_id=ns, name=item["name"]), {{}})
db.commit()
'''


class Cursor:
    """A cursor that translates what only MySQL understands."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._rows: list[tuple[t.Any, ...]] = []

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_details: object) -> None:
        pass

    def execute(self, statement: str, values: tuple[t.Any, ...]) -> None:
        """Run a statement."""
        self._server.statements.append(statement)
        if statement.startswith("SET GLOBAL log_bin_trust_function_creators"):
            self._server.settings.append(values[0])
        if statement.startswith("SET "):
            return
        variables: dict[str, t.Union[bool, str]] = {
            "@@log_bin_trust_function_creators": self._server.trusting,
            "@@log_bin": self._server.binary_log,
        }
        views = {
            "information_schema.tables": "(SELECT name AS table_name, 'glance' AS table_schema,"
            " 'BASE TABLE' AS table_type FROM sqlite_master WHERE type = 'table')",
            "information_schema.triggers": "(SELECT 'glance' AS trigger_schema, tbl_name AS event_object_table"
            " FROM sqlite_master WHERE type = 'trigger')",
            "information_schema.user_privileges": f"(SELECT 'SUPER' AS privilege_type WHERE {self._server.is_super:d})",
            "information_schema.PROCESSLIST": "(SELECT 8 AS ID, 'glance' AS USER, 'controller-2:4711' AS HOST)",
        }
        for name, value in [*variables.items(), *views.items()]:
            statement = statement.replace(name, value if isinstance(value, str) else f"{value:d}")
        with sqlite3.connect(self._server.path) as database:
            database.create_function("GET_LOCK", 2, self._server.get_lock)
            database.create_function("RELEASE_LOCK", 1, self._server.release_lock)
            database.create_function("IS_USED_LOCK", 1, lambda _name: 8)
            self._rows = database.execute(statement.replace("%s", "?"), values).fetchall()
        database.close()

    def fetchall(self) -> list[tuple[t.Any, ...]]:
        """Return the rows."""
        return self._rows


class Server:
    """The database server, and a connection to it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.statements: list[str] = []
        self.binary_log = self.trusting = self.is_super = False
        self.settings: list[int] = []
        self.grants = True
        self.locks: list[tuple[str, int]] = []
        self.meanwhile: t.Callable[[], object] = lambda: None
        self.login: dict[str, t.Any] = {}

    def get_lock(self, name: str, timeout: int) -> int:
        """Wait for a lock; others may work meanwhile."""
        self.locks.append((name, timeout))
        self.meanwhile()
        return int(self.grants)

    def release_lock(self, name: str) -> int:
        """Give it back."""
        assert self.locks[-1][0] == name
        return 1

    def cursor(self) -> Cursor:
        """Return a cursor."""
        return Cursor(self)

    def close(self) -> None:
        """Log out."""

    def sql(self, statements: str) -> None:
        """Change the database behind the module's back."""
        with sqlite3.connect(self.path) as database:
            database.executescript(statements)
        database.close()

    @property
    def written(self) -> list[str]:
        """The statements that change data."""
        return [line for line in self.statements if not line.startswith(("SELECT ", "SET SESSION "))]


class Node:
    """A controller: glance-manage in PATH, a configuration, metadata definitions."""

    def __init__(self, directory: Path, server: Server) -> None:
        self.directory = directory
        self.server = server
        self.configuration = directory / "glance-api.conf"
        self.definitions = directory / "metadefs"
        self.definitions.mkdir()
        command = directory / "bin" / "glance-manage"
        command.parent.mkdir()
        command.write_text(GLANCE_MANAGE.format(python=sys.executable, directory=str(directory), tables=TABLES))
        command.chmod(0o755)
        self.command = command
        self.configuration.write_text("[database]\n")
        (directory / "calls").touch()
        self.failures({})
        self.define("pinning.json", CPU_PINNING)

    def define(self, name: str, definition: dict[str, t.Any]) -> None:
        """Write a file of metadata definitions."""
        (self.definitions / name).write_text(json.dumps(definition))

    def failures(self, actions: dict[str, list[tuple[int, str]]]) -> None:
        """Let these actions fail so often, with these exit codes and messages."""
        script = {name: [{"code": code, "stderr": text} for code, text in items] for name, items in actions.items()}
        (self.directory / "failures").write_text(json.dumps(script))

    @property
    def calls(self) -> list[str]:
        """What glance-manage was called with."""
        return (self.directory / "calls").read_text().splitlines()

    def args(self, **more: t.Any) -> dict[str, t.Any]:
        """Return arguments for the module."""
        return {
            "user": pwd.getpwuid(os.geteuid()).pw_name,
            "config_files": [str(self.configuration)],
            "metadefs_path": str(self.definitions),
            "database": {"host": "db", "password": PASSWORD},
            **more,
        }


CPU_PINNING: dict[str, t.Any] = {
    "namespace": "OS::Compute::CPUPinning",
    "display_name": "CPU Pinning",
    "visibility": "public",
    "protected": True,
    "resource_type_associations": [{"name": "OS::Glance::Image", "prefix": "hw_"}],
    "properties": {"cpu_policy": {"title": "CPU Pinning policy", "type": "string", "enum": ["shared", "dedicated"]}},
    "objects": [
        {"name": "policy", "description": "a policy", "properties": {"a": {"type": "string"}}},
        {"name": "bare"},
    ],
    "tags": [{"name": "pinned"}],
}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Put a controller in front of PATH, and a database server behind connect()."""
    server = Server(tmp_path / "database")

    def connect(params: dict[str, t.Any], *, database: str) -> Server:
        server.login = {**params, "database": database}
        return server

    monkeypatch.setattr(module, "connect", connect)
    node = Node(tmp_path, server)
    monkeypatch.setenv("PATH", f"{node.command.parent}{os.pathsep}{os.environ['PATH']}")
    return node


class TestSynced:
    def test_a_new_database_is_synced_once(self, node: Node, run_module: RunModule) -> None:
        predicted = run_module(module, node.args(), check=True)
        assert node.calls == ["db check"]
        assert (predicted["changed"], node.server.locks, node.server.written) == (True, [], [])
        result = run_module(module, node.args())
        assert result["diff"] == predicted["diff"] == {"before": {"schema": "absent"}, "after": {"schema": "synced"}}
        assert result["phases"] == ["sync"]
        assert result["revision"] == {"before": [], "after": ["r_contract01"]}
        assert node.server.locks == [("openstack_ops.glance.schema.glance", 300)]
        assert node.server.written == []

    def test_nothing_to_do_is_one_check_and_no_lock(self, node: Node, run_module: RunModule) -> None:
        run_module(module, node.args(load_metadefs=True))
        before = len(node.calls)
        node.server.locks.clear()
        result = run_module(module, node.args(load_metadefs=True))
        nothing = {"added": [], "updated": [], "kept": {}}
        assert (result["changed"], result["phases"], result["metadefs"]) == (False, [], nothing)
        assert result["revision"] == {"before": ["r_contract01"], "after": ["r_contract01"]}
        assert (node.calls[before:], node.server.locks) == (["db check"], [])

    def test_what_another_node_did_while_this_one_waited_is_not_done_again(
        self, node: Node, run_module: RunModule
    ) -> None:
        node.server.meanwhile = lambda: run_module(module, node.args(load_metadefs=True))
        node.server.get_lock = once(node.server.get_lock)  # type: ignore[method-assign,assignment]
        result = run_module(module, node.args(load_metadefs=True))
        assert (result["changed"], result["phases"]) == (False, [])
        assert [call for call in node.calls if call != "db check"].count("db sync") == 1

    def test_who_holds_the_lock_is_told(self, node: Node, run_module: RunModule) -> None:
        node.server.grants = False
        result = run_module(module, node.args(lock_timeout=7))
        assert "connection 8 of 'glance' from controller-2:4711 still holds it after 7 s" in result["msg"]
        assert node.calls == ["db check"]

    def test_the_connection_gets_the_options(self, node: Node, run_module: RunModule) -> None:
        database = {"host": "db", "port": 3307, "name": "images", "password": PASSWORD, "ca_cert": "/ca.pem"}
        run_module(module, node.args(database=database), check=True)
        login = node.server.login
        assert (login["login_host"], login["login_port"], login["login_user"]) == ("db", 3307, "glance")
        assert (login["login_password"], login["ca_cert"], login["database"]) == (PASSWORD, "/ca.pem", "images")

    def test_two_different_databases_are_noticed(self, node: Node, run_module: RunModule) -> None:
        run_module(module, node.args())
        node.server.path += "-other"
        result = run_module(module, node.args())
        assert "the option database names another server or database than the configuration" in result["msg"]

    def test_an_online_upgrade_under_way_is_finished_with_its_triggers(self, node: Node, run_module: RunModule) -> None:
        run_module(module, node.args(state="expanded"))
        node.server.sql("CREATE TRIGGER insert_visibility BEFORE INSERT ON images BEGIN SELECT 1; END;")
        assert run_module(module, node.args())["phases"] == ["contract"]


def once(function: t.Callable[[str, int], int]) -> t.Callable[[str, int], int]:
    """Return a function that calls the given one the first time only, and grants every lock."""
    called: list[str] = []

    def wrapper(name: str, timeout: int) -> int:
        called.append(name)
        return function(name, timeout) if len(called) == 1 else 1

    return wrapper


class TestInterrupted:
    ANSWER = "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1050, \"Table 'images' already exists\")"

    def test_an_interrupted_first_run_is_started_over(self, node: Node, run_module: RunModule) -> None:
        node.server.sql("CREATE TABLE images (id TEXT); CREATE TABLE alembic_version (version_num TEXT);")
        node.failures({"sync": [(1, self.ANSWER)]})
        result = run_module(module, node.args())
        assert (result["changed"], result["started_over"], result["phases"]) == (True, True, ["sync"])
        assert node.server.written == ["DROP TABLE `alembic_version`", "DROP TABLE `images`"]
        assert "An earlier run was interrupted" in str(result["warnings"])

    @pytest.mark.parametrize(
        "content",
        [
            "CREATE TABLE images (id TEXT); INSERT INTO images VALUES ('precious');",
            "CREATE TABLE images (id TEXT); CREATE TABLE customers (id TEXT);",
            "",
        ],
        ids=["an image", "a table of somebody else", "no table"],
    )
    def test_nothing_is_dropped_where_there_is_anything(self, node: Node, run_module: RunModule, content: str) -> None:
        node.server.sql(content)
        node.failures({"sync": [(1, self.ANSWER)]})
        result = run_module(module, node.args())
        assert result["msg"].startswith("glance-manage db sync: exit code 1: sqlalchemy.exc.OperationalError")
        assert "an earlier run was interrupted" in result["msg"]
        assert node.server.written == []

    def test_it_is_started_over_once_only(self, node: Node, run_module: RunModule) -> None:
        node.server.sql("CREATE TABLE images (id TEXT);")
        node.failures({"sync": [(1, self.ANSWER), (1, "oslo_db.exception.DBError: disk full")]})
        assert "disk full" in run_module(module, node.args())["msg"]
        assert node.calls.count("db sync") == 2

    def test_nothing_is_dropped_when_the_time_was_over(self, node: Node, run_module: RunModule) -> None:
        node.server.sql("CREATE TABLE images (id TEXT);")
        node.failures({"sync": [(124, "")]})
        result = run_module(module, node.args(timeout=60))
        assert "it was ended after 60 seconds" in result["msg"]
        assert node.server.written == []


class TestPhases:
    def test_each_phase_is_done_once_and_in_order(self, node: Node, run_module: RunModule) -> None:
        (node.directory / "rows").touch()
        expanded = run_module(module, node.args(state="expanded"))
        assert expanded["phases"] == ["expand"]
        assert expanded["revision"]["after"] == ["q_contract01", "r_expand01"]
        assert run_module(module, node.args(state="expanded"))["changed"] is False
        migrated = run_module(module, node.args(state="migrated"))
        assert migrated["diff"] == {"before": {"schema": "expanded"}, "after": {"schema": "migrated"}}
        assert run_module(module, node.args(state="migrated"))["changed"] is False
        assert run_module(module, node.args(state="contracted"))["phases"] == ["contract"]
        for state in ("expanded", "migrated", "contracted", "synced"):
            assert run_module(module, node.args(state=state))["changed"] is False

    def test_missing_earlier_phases_are_done_first(self, node: Node, run_module: RunModule) -> None:
        (node.directory / "rows").touch()
        assert run_module(module, node.args(state="contracted"))["phases"] == ["expand", "migrate", "contract"]

    def test_a_phase_that_does_nothing_is_an_error(self, node: Node, run_module: RunModule) -> None:
        node.failures({"expand": [(0, "")]})
        assert (
            "reported success, but db check still asks for it" in run_module(module, node.args(state="expanded"))["msg"]
        )

    @pytest.mark.parametrize(
        ("binary_log", "trusting", "is_super", "refused"),
        [
            (True, False, False, True),
            (True, True, False, False),
            (True, False, True, False),
            (False, False, False, False),
        ],
    )
    def test_triggers_that_the_server_would_refuse(
        self, node: Node, run_module: RunModule, *, binary_log: bool, trusting: bool, is_super: bool, refused: bool
    ) -> None:
        node.server.binary_log, node.server.trusting, node.server.is_super = binary_log, trusting, is_super
        result = run_module(module, node.args(state="expanded"))
        assert bool(result.get("failed")) is refused
        assert ("log_bin_trust_function_creators" in result.get("msg", "")) is refused
        assert ("db expand" in node.calls) is not refused

    def test_triggers_do_not_matter_to_sync_and_after_ocata(self, node: Node, run_module: RunModule) -> None:
        node.server.binary_log = True
        node.server.sql(f"{TABLES} CREATE TABLE alembic_version (v);")
        node.server.sql("ALTER TABLE alembic_version RENAME v TO version_num;")
        node.server.sql("INSERT INTO alembic_version VALUES ('q_contract01');")
        assert run_module(module, node.args(state="expanded"))["phases"] == ["expand"]
        os.unlink(node.server.path)
        assert run_module(module, node.args())["phases"] == ["sync"]


class TestTrust:
    """The server's setting without which the account may not make triggers."""

    @pytest.fixture
    def administrator(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, t.Any]]:
        """Let an administrator log in too, and return the logins."""
        logins: list[dict[str, t.Any]] = []

        def connect(params: dict[str, t.Any], *, database: t.Optional[str] = None) -> Server:
            if database is None:
                logins.append(params)
            return node.server

        monkeypatch.setattr(module, "connect", connect)
        node.server.binary_log = True
        return logins

    def args(self, node: Node, **more: t.Any) -> dict[str, t.Any]:
        note = str(node.directory / "notes" / "trust")
        return node.args(state="expanded", admin={"login_user": "root"}, admin_note=note, **more)

    def test_it_is_lent_for_the_expand_phase(
        self, node: Node, run_module: RunModule, administrator: list[dict[str, t.Any]]
    ) -> None:
        result = run_module(module, self.args(node))
        assert result["phases"] == ["expand"]
        assert node.server.settings == [1, 0]
        assert (administrator[0]["login_host"], administrator[0]["login_user"]) == ("db", "root")
        assert list((node.directory / "notes").iterdir()) == []

    @pytest.mark.usefixtures("administrator")
    def test_it_is_put_back_when_the_phase_fails(self, node: Node, run_module: RunModule) -> None:
        node.failures({"expand": [(1, "no")]})
        assert run_module(module, self.args(node))["failed"]
        assert node.server.settings == [1, 0]
        assert list((node.directory / "notes").iterdir()) == []

    @pytest.mark.usefixtures("administrator")
    def test_a_signal_waits_until_it_is_put_back(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        trust = Trust(lambda: node.server, str(node.directory / "trust"))
        heard: list[tuple[int, list[int]]] = []
        monkeypatch.setattr(os, "kill", lambda _process, number: heard.append((number, list(node.server.settings))))
        with trust.lent():
            signal.raise_signal(signal.SIGTERM)
            assert (node.server.settings, trust.is_noted()) == ([1], True)
        assert heard == [(signal.SIGTERM, [1, 0])]

    @pytest.mark.usefixtures("administrator")
    def test_what_a_killed_run_has_left_is_put_back_under_the_lock(self, node: Node, run_module: RunModule) -> None:
        run_module(module, self.args(node))
        node.server.settings.clear()
        node.server.locks.clear()
        (node.directory / "notes" / "trust").touch()
        assert run_module(module, self.args(node), check=True)["repaired"] is False
        result = run_module(module, self.args(node))
        assert (result["repaired"], result["changed"], result["phases"]) == (True, True, [])
        assert (node.server.settings, len(node.server.locks)) == ([0], 1)
        assert run_module(module, self.args(node))["changed"] is False

    def test_nobody_logs_in_where_it_is_not_needed(
        self, node: Node, run_module: RunModule, administrator: list[dict[str, t.Any]]
    ) -> None:
        node.server.trusting = True
        assert run_module(module, self.args(node))["phases"] == ["expand"]
        assert (administrator, node.server.settings) == ([], [])


class TestCheckMode:
    @pytest.mark.parametrize(
        ("state", "phases"),
        [("synced", ["sync"]), ("expanded", ["expand"]), ("contracted", ["expand", "migrate", "contract"])],
    )
    def test_it_tells_what_would_be_done(
        self, node: Node, run_module: RunModule, state: str, phases: list[str]
    ) -> None:
        assert run_module(module, node.args(state=state), check=True)["phases"] == phases
        assert node.server.written == []

    def test_what_is_done_is_not_told(self, node: Node, run_module: RunModule) -> None:
        run_module(module, node.args(state="expanded"))
        assert run_module(module, node.args(state="expanded"), check=True)["phases"] == []
        assert run_module(module, node.args(state="contracted"), check=True)["phases"] == ["contract"]


class TestMetadefs:
    def load(self, node: Node, run_module: RunModule, **more: t.Any) -> dict[str, t.Any]:
        """Load the definitions, look that check mode promised the same, and that a second run changes nothing."""
        args = node.args(load_metadefs=True, **more)
        predicted = run_module(module, args, check=True)
        before = len(node.calls)
        result = run_module(module, args)
        for key in ("changed", "diff", "metadefs"):
            assert result[key] == predicted[key]
        again = run_module(module, args)
        assert again["changed"] is False
        assert node.calls[before:].count("db check") == len(node.calls[before:]) - len(
            [call for call in node.calls[before:] if "load_metadefs" in call or "sync" in call]
        )
        return result

    def test_they_are_loaded_into_a_new_database(self, node: Node, run_module: RunModule) -> None:
        result = self.load(node, run_module)
        assert result["metadefs"] == {"added": ["OS::Compute::CPUPinning"], "updated": [], "kept": {}}
        assert f"db load_metadefs --path {node.definitions} --merge" in node.calls

    def test_a_new_namespace_is_added(self, node: Node, run_module: RunModule) -> None:
        self.load(node, run_module)
        node.define("site.json", {"namespace": "Site", "tags": [{"name": "rack"}]})
        result = self.load(node, run_module)
        assert result["metadefs"]["added"] == ["Site"]
        assert result["diff"]["before"] == {"metadefs": {"Site": "absent"}}

    def test_without_merge_a_namespace_is_left_alone(self, node: Node, run_module: RunModule) -> None:
        self.load(node, run_module)
        node.define("pinning.json", {**CPU_PINNING, "tags": [{"name": "new"}], "display_name": "other"})
        result = self.load(node, run_module, metadefs_merge=False)
        assert result["changed"] is False
        kept = ["namespace OS::Compute::CPUPinning", "tag new"]
        assert result["metadefs"]["kept"] == {"OS::Compute::CPUPinning": kept}

    def test_merge_adds_what_is_missing_and_overwrites_nothing(self, node: Node, run_module: RunModule) -> None:
        self.load(node, run_module)
        properties = {"cpu_policy": {"type": "changed"}, "threads": {"type": "string"}}
        types = [*CPU_PINNING["resource_type_associations"], {"name": "OS::Nova::Flavor"}]
        more = {**CPU_PINNING, "properties": properties, "resource_type_associations": types, "tags": [{"name": "b"}]}
        node.define("pinning.json", more)
        result = self.load(node, run_module)
        kept = {"OS::Compute::CPUPinning": ["property cpu_policy"]}
        assert result["metadefs"] == {"added": [], "updated": ["OS::Compute::CPUPinning"], "kept": kept}
        missing = "without resource type OS::Nova::Flavor, property threads, tag b"
        assert result["diff"]["before"] == {"metadefs": {"OS::Compute::CPUPinning": missing}}

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"display_name": "other"}, "namespace OS::Compute::CPUPinning"),
            ({"protected": False}, "namespace OS::Compute::CPUPinning"),
            ({"owner": "site"}, "namespace OS::Compute::CPUPinning"),
            ({"properties": {"CPU_policy": {"type": "changed"}}}, "property CPU_policy"),
            (
                {"objects": [{"name": "policy", "description": "b", "properties": {"a": {"type": "string"}}}]},
                "object policy",
            ),
            ({"resource_type_associations": [{"name": "OS::Glance::Image"}]}, "resource type OS::Glance::Image"),
        ],
    )
    def test_prefer_new_overwrites_what_differs(
        self,
        node: Node,
        run_module: RunModule,
        monkeypatch: pytest.MonkeyPatch,
        changes: dict[str, t.Any],
        told: str,
    ) -> None:
        warnings: list[str] = []
        monkeypatch.setattr(module.AnsibleModule, "warn", lambda _module, text: warnings.append(text))
        self.load(node, run_module)
        assert warnings == []
        node.define("pinning.json", {**CPU_PINNING, **changes})
        for check in (True, False):
            kept = run_module(module, node.args(load_metadefs=True), check=check)
            assert (kept["changed"], kept["diff"]["after"]) == (False, {})
            assert kept["metadefs"]["kept"] == {"OS::Compute::CPUPinning": [told]}
            assert "left as they are, in the namespaces OS::Compute::CPUPinning." in warnings.pop()
        result = self.load(node, run_module, metadefs_prefer_new=True)
        assert result["diff"]["before"] == {"metadefs": {"OS::Compute::CPUPinning": f"other {told}"}}
        assert result["metadefs"]["kept"] == {}
        assert warnings == []

    def test_definitions_of_others_are_left_alone(self, node: Node, run_module: RunModule) -> None:
        run_module(module, node.args())
        node.server.sql("INSERT INTO metadef_namespaces (namespace, owner) VALUES ('Mine', 'me');")
        self.load(node, run_module, metadefs_prefer_new=True)

    def test_what_glance_manage_left_out_is_an_error(self, node: Node, run_module: RunModule) -> None:
        node.define("ignored.json", {"namespace": "Ignored"})
        result = run_module(module, node.args(load_metadefs=True))
        assert "the database still lacks definitions: {'Ignored': 'absent'}" in result["msg"]

    def test_a_failure_is_told(self, node: Node, run_module: RunModule) -> None:
        node.failures({"load_metadefs": [(1, "oslo_db.exception.DBDataError: (1406, 'Data too long')")]})
        assert "Data too long" in run_module(module, node.args(load_metadefs=True))["msg"]

    @pytest.mark.parametrize(
        "text", ["{", "[]", '{"display_name": "no name"}', '{"namespace": "A", "tags": [{}]}', '{"namespace": "\\ud800']
    )
    def test_a_file_that_glance_manage_would_leave_out_is_refused(
        self, node: Node, run_module: RunModule, text: str
    ) -> None:
        (node.definitions / "broken.json").write_text(text)
        result = run_module(module, node.args(load_metadefs=True))
        assert f"reading the metadata definitions in {node.definitions}/broken.json" in result["msg"]
        assert "db sync" not in node.calls

    def test_the_file_that_glance_ships_broken_is_left_out(self, node: Node, run_module: RunModule) -> None:
        (node.definitions / "compute-vmware.json").write_text('{"namespace": "OS::Compute::VMware",}')
        result = run_module(module, node.args(load_metadefs=True))
        assert result["changed"] is True
        assert "compute-vmware.json is no JSON and left out" in str(result["warnings"])
        assert run_module(module, node.args(load_metadefs=True))["changed"] is False

    def test_a_directory_without_definitions_is_refused(
        self, node: Node, run_module: RunModule, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").mkdir()
        for name, message in (("empty", "holds no file *.json"), ("nowhere", "No such file")):
            args = node.args(load_metadefs=True, metadefs_path=str(tmp_path / name))
            assert message in run_module(module, args)["msg"]

    def test_one_file_is_enough(self, node: Node) -> None:
        entries = metadefs.read_files(str(node.definitions / "pinning.json"))
        assert len(entries) == 6

    def test_prefer_new_without_merge_is_refused(self, node: Node, run_module: RunModule) -> None:
        result = run_module(module, node.args(metadefs_merge=False, metadefs_prefer_new=True))
        assert "requires metadefs_merge: true" in result["msg"]


class TestFreshNode:
    def test_check_mode_without_glance_manage(self, node: Node, run_module: RunModule) -> None:
        args = node.args(command="/nowhere/glance-manage", load_metadefs=True)
        result = run_module(module, args, check=True)
        assert result["diff"] == {
            "before": {"schema": "absent", "metadefs": "absent"},
            "after": {"schema": "synced", "metadefs": f"as in {node.definitions}"},
        }
        assert (result["changed"], node.calls, node.server.login) == (True, [], {})

    def test_check_mode_without_a_configuration(self, node: Node, run_module: RunModule) -> None:
        node.configuration.unlink()
        assert run_module(module, node.args(state="expanded"), check=True)["changed"]

    def test_check_mode_without_the_user(self, node: Node, run_module: RunModule) -> None:
        args = node.args(user="nobody-of-that-name", command="/nowhere/glance-manage")
        assert run_module(module, args, check=True)["changed"]

    def test_a_real_run_says_what_is_missing(self, node: Node, run_module: RunModule) -> None:
        args = node.args(command="/nowhere/glance-manage")
        assert "/nowhere/glance-manage is not installed" in run_module(module, args)["msg"]
        node.configuration.unlink()
        assert f"{node.configuration} does not exist" in run_module(module, node.args())["msg"]

    @pytest.mark.parametrize(("code", "tolerated"), [(1049, True), (1045, True), (2003, False)])
    def test_check_mode_without_the_account(
        self, node: Node, run_module: RunModule, monkeypatch: pytest.MonkeyPatch, code: int, *, tolerated: bool
    ) -> None:
        def connect(_params: dict[str, t.Any], *, database: str) -> t.NoReturn:
            raise GlanceError(f"logging in to {database}", answer="no") from OSError(code, "no")

        monkeypatch.setattr(module, "connect", connect)
        node.failures({"check": [(1, "access denied")]})
        result = run_module(module, node.args(), check=True)
        assert bool(result.get("failed")) is not tolerated
        if tolerated:
            assert result["diff"]["before"] == {"schema": "absent"}
            assert "was not looked at" in str(result["warnings"])
        assert "logging in to glance" in run_module(module, node.args())["msg"]

    def test_check_mode_with_a_new_password_still_asks_glance_manage(
        self, node: Node, run_module: RunModule, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_module(module, node.args())

        def connect(_params: dict[str, t.Any], *, database: str) -> t.NoReturn:
            raise GlanceError(f"logging in to {database}") from OSError(1045, "no")

        monkeypatch.setattr(module, "connect", connect)
        assert run_module(module, node.args(), check=True)["changed"] is False


class TestErrors:
    URL = "mysql+pymysql://glance:p%40ss%3Aw%2Frd@db/glance"

    @pytest.mark.parametrize(
        ("stderr", "line", "cause"),
        [
            (
                'sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1045, "Access denied for user")\n'
                "(Background on this error at: https://sqlalche.me/e/14/e3q8)\n",
                '(1045, "Access denied for user")',
                "a wrong password in the configuration",
            ),
            (
                'oslo_db.exception.DBConnectionError: (pymysql.err.OperationalError) (2003, "Can\'t connect")\n',
                "(2003,",
                "a wrong host or port",
            ),
            ("CommandError: Can't locate revision identified by '2024_1_contract01'\n", "2024_1", "a newer release"),
            ("", "it printed nothing", "see its log file"),
        ],
    )
    def test_other_exit_codes_are_told(
        self, node: Node, run_module: RunModule, stderr: str, line: str, cause: str
    ) -> None:
        node.failures({"check": [(1, stderr)]})
        result = run_module(module, node.args())
        assert result["msg"].startswith("asking glance-manage db check for the state of the schema: exit code 1: ")
        assert line in result["msg"]
        assert cause in result["msg"]

    def test_passwords_are_hidden(self, node: Node, run_module: RunModule) -> None:
        node.failures({"check": [(1, f"ArgumentError: Could not parse URL {self.URL}; {PASSWORD}")]})
        result = run_module(module, node.args())
        assert "p%40ss" not in json.dumps(result)
        assert PASSWORD not in result["msg"]
        assert "Could not parse URL mysql+pymysql://glance:VALUE_HIDDEN@db/glance" in result["msg"]

    def test_without_root_it_does_not_become_another_user(
        self, node: Node, run_module: RunModule, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        args = node.args()
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        assert "needs root" in run_module(module, args)["msg"]

    def test_the_line_that_tells_is_found_among_the_lines_of_a_log(self) -> None:
        text = (
            "2026-11-20 12:00:00.000 1 CRITICAL glance [-] Unhandled error: oslo_db.exception.DBError: (1045, 'no')\n"
            "2026-11-20 12:00:00.000 1 ERROR glance Traceback (most recent call last):\n"
            "2026-11-20 12:00:00.000 1 ERROR glance sqlalchemy.exc.OperationalError: (1045, 'no')\n"
            "2026-11-20 12:00:00.000 1 ERROR glance [SQL: SELECT 1]\n"
            "2026-11-20 12:00:00.000 1 ERROR glance (Background on this error at: https://sqlalche.me/e/14/e3q8)\n"
            "2026-11-20 12:00:00.000 1 ERROR glance \x1b[00m\n"
        )
        assert last_line(text) == "sqlalchemy.exc.OperationalError: (1045, 'no')"
        assert last_line(
            "2026-11-20 12:00:00.000 1 ERROR g.db [-] No such file\n2026-11-20 12:00:01.0 1 INFO g [-] Done\n"
        ) == ("No such file")
        assert last_line("Database is fine\n\n") == "Database is fine"

    def test_every_url_in_a_text_loses_its_password(self) -> None:
        text = "a://u:p@h/x and b://:p@ss/w@h?y and http://host:9292/ and c://u@h"
        assert without_credentials(text) == (
            "a://u:VALUE_HIDDEN@h/x and b://:VALUE_HIDDEN@h?y and http://host:9292/ and c://u@h"
        )
        assert re.search("VALUE_HIDDEN", without_credentials("nothing at all")) is None
