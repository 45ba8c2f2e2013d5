# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module preflight, driven through main(): a node's surroundings, and the control node's."""

from __future__ import annotations

import json
import os
import pwd
import socket
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _preflight_control,
    _preflight_database,
    _preflight_node,
    _probe_directory,
    _probe_node,
    _schema,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.modules import database, preflight
from ansible_collections.openstack_ops.glance.tests.unit.plugins.scripted_http import Exchange, ScriptedServer

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb import PrivateMariaDB

pytest_plugins = ["ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb"]

PASSWORD = "pa55:/@%#'\"$ ñ"
V3 = {"version": {"id": "v3.14", "status": "stable", "links": []}}


class Run(t.Protocol):
    """Signature of the fixture ``run``."""

    def __call__(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Do it."""


@pytest.fixture
def run(run_module: t.Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the module on a node that is fine by itself; it must never fail or change."""
    monkeypatch.setattr(_probe_node, "system", lambda outcome, deadline: None)
    monkeypatch.setattr(_probe_node, "host_name", lambda outcome, deadline: None)

    def look(*, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        result = run_module(preflight, {"node": "controller-1", **options}, check=check)
        assert not result.get("failed"), result
        assert result["changed"] is False
        assert result["messages"] == [problem["message"] for problem in result["problems"]]
        assert PASSWORD not in json.dumps(result, ensure_ascii=False)
        return t.cast("dict[str, t.Any]", result)

    return look


def codes(result: dict[str, t.Any]) -> list[str]:
    """Return the codes of the problems."""
    return [problem["code"] for problem in result["problems"]]


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class TestNode:
    def test_only_what_is_asked_for_is_looked_at(self, run: Run) -> None:
        result = run()
        assert (result["problems"], result["not_checked"], result["facts"]) == ([], [], {})

    def test_everything_is_fine(self, run: Run, mariadb: PrivateMariaDB, tmp_path: Path) -> None:
        with ScriptedServer([Exchange("GET", "/v3", answer=V3)]) as server:
            result = run(
                port=free_port(),
                bind_host="127.0.0.1",
                database={"host": mariadb.host, "port": mariadb.port, "tls": True, "ca_cert": mariadb.ca_cert},
                keystone_url=f"{server.url}/v3",
                directories=[{"path": str(tmp_path), "purpose": "staging", "minimum_free": 1}],
                uid=os.geteuid(),
                user="no-such-user-yet",
                database_login=mariadb.tcp_login,
            )
        assert result["problems"] == []
        assert result["facts"]["database"]["tls"] is True
        assert result["facts"]["keystone"]["versions"] == ["v3.14"]
        assert result["facts"]["directories"][0]["path"] == str(tmp_path)
        assert result["facts"]["database_login"] is True

    def test_every_problem_is_told_at_once(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with socket.create_server(("127.0.0.1", 0)) as server:
            result = run(
                port=server.getsockname()[1],
                bind_host="127.0.0.1",
                database={"host": "127.0.0.1", "port": free_port()},
                keystone_url=f"http://127.0.0.1:{free_port()}",
                memcached_servers=[f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"],
                directories=[{"path": str(tmp_path / "file")}, {"path": str(tmp_path), "minimum_free": 2**60}],
            )
        assert codes(result) == ["GLS-110", "GLS-120", "GLS-130", "GLS-140", "GLS-140", "GLS-151", "GLS-153"]
        assert {problem["node"] for problem in result["problems"]} == {"controller-1"}
        assert all(
            message.startswith(f"{code} controller-1: ") for code, message in zip(codes(result), result["messages"])
        )

    def test_check_mode_is_the_same(self, run: Run) -> None:
        options = {"database": {"host": "127.0.0.1", "port": free_port()}}
        assert run(check=True, **options) == run(**options)

    def test_does_not_take_longer_than_asked_for(self, run: Run) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            start = time.monotonic()
            result = run(
                timeout=2,
                database={"host": "127.0.0.1", "port": port},
                keystone_url=f"http://127.0.0.1:{port}",
                memcached_servers=[f"127.0.0.1:{port}"] * 5,
            )
            assert time.monotonic() - start < 10
        # On a busy machine a probe may be given up before it notices by itself.
        assert len(codes(result)) == 7
        assert set(codes(result)) <= {"GLS-120", "GLS-130", "GLS-140", "GLS-190"}

    def test_own_unit_may_hold_the_port(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        holder = {"pid": 4, "process": "uwsgi", "unit": "my-glance.service"}
        monkeypatch.setattr(_probe_node, "listeners", lambda host, port: [holder])
        with socket.create_server(("127.0.0.1", 0)) as server:
            options = {"port": server.getsockname()[1], "bind_host": "127.0.0.1"}
            assert codes(run(**options)) == ["GLS-110"]
            assert codes(run(**options, unit="my-glance.service")) == []

    def test_schema_that_is_too_new(self, run: Run, mariadb: PrivateMariaDB) -> None:
        with mariadb.connect() as session, session.cursor() as cursor:
            cursor.execute("CREATE DATABASE `gl``ance`")
            cursor.execute("CREATE TABLE `gl``ance`.alembic_version (version_num varchar(32))")
            cursor.execute("INSERT INTO `gl``ance`.alembic_version VALUES ('2024_1_contract01')")
            session.commit()
        table = [
            {"name": "wallaby", "series": "2021.1", "schema": "wallaby_contract01"},
            {"name": "zed", "series": "2022.2", "schema": "wallaby_contract01"},
            {"name": "caracal", "series": "2024.1", "schema": "2024_1_contract01"},
        ]
        wanted = {"database": "gl`ance", "releases": table}
        result = run(database_login=mariadb.tcp_login, schema={**wanted, "release": "zed"})
        assert codes(result) == ["GLS-205"]
        assert "of the release caracal, and the older release zed is wanted" in result["messages"][0]
        assert codes(run(database_login=mariadb.tcp_login, schema={**wanted, "release": "caracal"})) == []
        absent = {"database": "absent", "release": "zed", "releases": table}
        assert codes(run(database_login=mariadb.tcp_login, schema=absent)) == []

    def test_schema_that_may_not_be_read(self, run: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute(
            "CREATE DATABASE glance",
            "CREATE TABLE glance.alembic_version (version_num varchar(32))",
            "CREATE USER poor@'%' IDENTIFIED BY 'hush'",
            "GRANT INSERT ON glance.* TO poor@'%'",
        )
        login = {**mariadb.tcp_login, "login_user": "poor", "login_password": "hush"}
        result = run(database_login=login, schema={"database": "glance", "release": "zed", "releases": []})
        assert codes(result) == ["GLS-203"]
        assert (
            "reading the revision of the schema of the database 'glance': SELECT command denied"
            in result["messages"][0]
        )

    def test_server_that_ends_the_session(
        self, run: Run, mariadb: PrivateMariaDB, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = _schema.run

        def run_in_a_session_that_ends(connection: t.Any, *statement: t.Any) -> t.Any:
            with mariadb.connect() as session, session.cursor() as cursor:
                cursor.execute(f"KILL {connection.thread_id()}")
            return original(connection, *statement)

        monkeypatch.setattr(_schema, "run", run_in_a_session_that_ends)
        schema = {"database": "glance", "release": "zed", "releases": []}
        result = run(database_login=mariadb.tcp_login, schema=schema)
        assert codes(result) == ["GLS-203"]
        assert "run again" in result["messages"][0] or "check the server" in result["messages"][0]

    def test_advisories(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_probe_node.shutil, "which", lambda name: "/usr/bin/apt-cache")
        offered = [None, "2:30.0.0-3+deb13u2"]
        monkeypatch.setattr(_probe_node, "_policy", lambda package, deadline, options=(): offered)
        advisory = {"id": "OSSA-1", "what": "fetches anything", "since": 16, "fixed": ["30.2.1"], "through": ["web"]}
        options = {"package": "glance-api", "releases": {"epoxy": 30}, "advisories": [advisory]}
        assert run(**options)["notes"] == []
        assert run(**options, exposed=["web", "more"])["notes"][0].startswith(
            "GLS-107 controller-1: glance-api 2:30.0.0-3+deb13u2 still has OSSA-1 (fetches anything), and there is web."
        )
        corrected = {**advisory, "debian": ["2:30.0.0-3+deb13u2"]}
        assert run(**{**options, "advisories": [corrected]}, exposed=["web"])["notes"] == []

    def test_advisories_of_an_installation_from_source(self, run: Run) -> None:
        advisory = {"id": "OSSA-1", "what": "fetches anything", "since": 16, "fixed": ["30.2.1"], "through": ["web"]}
        options = {"advisories": [advisory], "exposed": ["web"]}
        found = run(**options, source_version="30.2.0")
        assert found["notes"][0].startswith("GLS-107 controller-1: glance 30.2.0 still has OSSA-1 (fetches anything)")
        assert run(**options, source_version="30.2.1")["notes"] == []

    def test_packages_of_before_liberty(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_probe_node.shutil, "which", lambda name: "/usr/bin/apt-cache")
        offered = [None, "1:2014.1.5-0ubuntu1"]
        monkeypatch.setattr(_probe_node, "_policy", lambda package, deadline, options=(): offered)
        releases = {"icehouse": 8, "juno": 9, "2014.1": 8, "2014.2": 9}
        assert codes(run(package="glance-api", release="icehouse", releases=releases)) == []
        assert codes(run(package="glance-api", release="juno", releases=releases)) == ["GLS-102"]

    def test_packages(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_probe_node.shutil, "which", lambda name: "/usr/bin/apt-cache")
        monkeypatch.setattr(_probe_node, "_policy", lambda package, deadline, options=(): [None, "2:25.1.0-2"])
        result = run(package="glance-api", release="epoxy", releases={"zed": 25, "epoxy": "30"})
        assert codes(result) == ["GLS-102"]
        assert result["facts"]["package"]["candidate_release"] == "zed"

    def test_installed_package_of_a_source_that_is_going_to_be_added(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_probe_node.shutil, "which", lambda name: "/usr/bin/apt-cache")
        policy = ["2:30.0.0-0ubuntu1~cloud0", "2:25.1.0-0ubuntu1"]
        monkeypatch.setattr(_probe_node, "_policy", lambda package, deadline, options=(): list(policy))
        advisory = {"id": "OSSA-1", "what": "fetches anything", "since": 16, "fixed": ["30.2.1"], "through": ["web"]}
        options = {"package": "glance-api", "package_offered": False, "releases": {"zed": 25, "epoxy": 30}}
        options = {**options, "advisories": [advisory], "exposed": ["web"]}
        result = run(**options, release="zed")
        assert codes(result) == ["GLS-103"]
        assert "still has OSSA-1" in result["notes"][0]
        policy[0] = None
        result = run(**options, release="epoxy")
        assert (result["problems"], result["notes"], result["not_checked"]) == ([], [], [])
        assert result["facts"]["package"]["candidate"] is None

    @pytest.mark.parametrize(
        ("states", "settled"),
        [
            ({"glance-api": "installed", "glance-common": "installed"}, True),
            ({"glance-api": "half-configured", "glance-common": "installed"}, False),
            ({"glance-api": "installed", "glance-common": "config-files"}, False),
            ({"glance-api": "installed"}, False),
        ],
    )
    def test_packages_that_are_all_installed_are_settled(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, states: dict[str, str], settled: bool
    ) -> None:
        script = tmp_path / "dpkg-query"
        script.write_text("#!/bin/sh\n" + "".join(f"echo '{name} {state}'\n" for name, state in states.items()))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        assert run(packages=["glance-api", "glance-common"])["settled"]["packages"] is settled

    def test_leftovers(self, run: Run, tmp_path: Path) -> None:
        patterns = [str(tmp_path / "a*"), str(tmp_path / "missing" / "*")]
        assert run(leftovers=patterns)["settled"]["leftovers"] is True
        (tmp_path / "a-file").write_text("")
        assert run(leftovers=patterns)["settled"]["leftovers"] is False

    @pytest.mark.parametrize(("mode", "settled"), [(0o750, True), (0o755, False)])
    def test_directories(self, run: Run, tmp_path: Path, mode: int, settled: bool) -> None:
        tmp_path.chmod(mode)
        me = pwd.getpwuid(os.geteuid()).pw_name
        assert run(directories=[{"path": str(tmp_path)}], user=me)["settled"]["directories"] is settled
        missing = [{"path": str(tmp_path)}, {"path": str(tmp_path / "missing")}]
        assert run(directories=missing, user=me)["settled"]["directories"] is False

    def test_a_directory_that_could_not_be_looked_at_is_not_settled(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = _probe_directory._look_as
        good, hanging = tmp_path / "good", tmp_path / "hanging"
        for path in (good, hanging):
            path.mkdir()
            path.chmod(0o750)
        options = {"directories": [{"path": str(good)}, {"path": str(hanging)}]}
        options["user"] = pwd.getpwuid(os.geteuid()).pw_name
        assert run(**options)["settled"]["directories"] is True

        def look_as(path: str, user: t.Any, deadline: t.Any) -> t.Any:
            return None if path == str(hanging) else original(path, user, deadline)

        monkeypatch.setattr(_probe_directory, "_look_as", look_as)
        result = run(**options)
        assert result["settled"]["directories"] is False
        assert result["not_checked"] == [{"code": "GLS-150", "why": f"{hanging} could not be looked at"}]

    def test_nothing_is_settled_that_was_not_looked_at(self, run: Run) -> None:
        assert set(run()["settled"].values()) == {False}

    def test_certificates_are_verified_unless_told_otherwise(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[t.Any] = []
        monkeypatch.setattr(
            _preflight_node._probe_network, "keystone", lambda outcome, deadline, server: seen.append(server)
        )
        run(keystone_url="https://x")
        run(keystone_url="https://x", validate_certs=False, ca_cert="/etc/ssl/ca.pem")
        assert [(server.validate_certs, server.ca_cert) for server in seen] == [
            (True, None),
            (False, "/etc/ssl/ca.pem"),
        ]

    def test_no_sdk_is_needed(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing() -> None:
            raise GlanceError("openstacksdk cannot be imported")

        monkeypatch.setattr(_preflight_control, "require_sdk", missing)
        assert codes(run()) == []


def auth(url: str) -> dict[str, t.Any]:
    """Return the credentials of an administrator."""
    names = {"user_domain_name": "Default", "project_domain_name": "Default", "project_name": "admin"}
    return {"auth_url": f"{url}/v3", "username": "admin", "password": PASSWORD, **names}


def token(*roles: str) -> list[Exchange]:
    """Return what Keystone is asked for a token with these roles."""
    domain = {"id": "default", "name": "Default"}
    answer = {
        "methods": ["password"],
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "user": {"id": "u", "name": "admin", "domain": domain},
        "project": {"id": "p", "name": "admin", "domain": domain},
        "roles": [{"id": role, "name": role} for role in roles],
        "catalog": [],
    }
    found = {"version": {**V3["version"], "links": [{"rel": "self", "href": "{server}/v3/"}]}}
    return [
        Exchange("GET", "/v3", answer=found),
        Exchange("POST", "/v3/auth/tokens", 201, {"token": answer}, headers={"X-Subject-Token": "t"}),
    ]


class TestControl:
    def test_credentials_that_work_cost_one_token(self, run: Run) -> None:
        with ScriptedServer(token("admin", "member")) as server:
            result = run(scope="control", auth=auth(server.url))
        assert result["problems"] == []
        assert result["facts"]["keystone"] == {"user": "admin", "project": "admin", "roles": ["admin", "member"]}

    def test_user_without_the_role(self, run: Run) -> None:
        with ScriptedServer(token("member")) as server:
            result = run(scope="control", auth=auth(server.url))
        assert codes(result) == ["GLS-202"]
        assert result["problems"][0]["what"] == "admin has on the project admin the roles member"

    def test_wrong_credentials(self, run: Run) -> None:
        script = token()[:1] + [
            Exchange("POST", "/v3/auth/tokens", 401, {"error": {"message": "The request requires authentication."}})
        ]
        with ScriptedServer(script) as server:
            result = run(scope="control", auth=auth(server.url))
        assert codes(result) == ["GLS-201"]
        assert "HTTP 401" in result["messages"][0]

    def test_keystone_that_does_not_answer(self, run: Run) -> None:
        result = run(scope="control", auth=auth(f"http://127.0.0.1:{free_port()}"))
        assert codes(result) == ["GLS-201"]
        assert "Connection refused" in result["messages"][0]

    def test_missing_library_has_a_code_of_its_own(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing() -> None:
            raise GlanceError("openstacksdk cannot be imported", remedy="install it")

        monkeypatch.setattr(_preflight_control, "require_sdk", missing)
        monkeypatch.setattr(_preflight_database._database, "require_driver", missing)
        result = run(scope="control", database_login={"login_host": "db"})
        assert codes(result) == ["GLS-200", "GLS-200"]
        assert "ansible_python_interpreter" in result["messages"][0]

    def test_database_administrator(self, run: Run, mariadb: PrivateMariaDB) -> None:
        wrong = {**mariadb.tcp_login, "login_password": PASSWORD}
        for login, expected in ((mariadb.tcp_login, []), (wrong, ["GLS-203"])):
            with ScriptedServer(token("admin")) as server:
                result = run(scope="control", auth=auth(server.url), database_login=login)
            assert codes(result) == expected

    def test_a_database_that_is_as_wanted_is_settled(
        self, run: Run, run_module: t.Any, mariadb: PrivateMariaDB
    ) -> None:
        wanted = {"name": "preflight_test", "user": "preflight", "password": PASSWORD, "hosts": ["localhost"]}
        found = []
        for make in (False, True):
            if make:
                assert not run_module(database, {**mariadb.tcp_login, **wanted}).get("failed")
            with ScriptedServer(token("admin")) as server:
                options = {"database_login": mariadb.tcp_login, "database_resource": wanted}
                found.append(run(scope="control", auth=auth(server.url), **options)["settled"]["database"])
        assert found == [False, True]

    def test_images(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "raw").write_bytes(b"x" * 1024)
        images = [
            {"name": "good", "source": str(tmp_path / "raw"), "disk_format": "raw"},
            {"name": "lost", "source": str(tmp_path / "missing")},
            {"name": "sum", "source": str(tmp_path / "raw"), "disk_format": "raw", "checksum": "md5:" + "0" * 32},
        ]
        with ScriptedServer(token("admin")) as server:
            result = run(scope="control", auth=auth(server.url), images=images)
        assert codes(result) == ["GLS-204", "GLS-204"]
        assert "the image 'lost': " in result["messages"][0]
        assert "the image 'sum': " in result["messages"][1]
        assert all(message.count("What to do:") == 1 for message in result["messages"])

    def test_secrets_in_urls_of_images_are_not_shown(self, run: Run, system_log: list[str]) -> None:
        url = "http://user:hushhush@127.0.0.1:9/disk?key=hushmore"
        images = [{"name": "a", "source": url}, {"name": "b", "source": "/disk", "checksum": f"md5:{url}"}]
        with ScriptedServer(token("admin")) as server:
            result = run(scope="control", auth=auth(server.url), images=images)
        assert codes(result) == ["GLS-204", "GLS-204"]
        assert "hush" not in str(result) + str(system_log)
        assert result["invocation"]["module_args"]["images"][0] == {
            "name": "a",
            "source": "http://user:********@127.0.0.1:9/disk?********",
        }

    def test_a_password_that_an_image_is_called_by_stays_hidden(self, run_module: t.Any) -> None:
        login = {"login_host": "127.0.0.1", "login_port": free_port(), "login_password": "cirros"}
        result = run_module(preflight, {"database_login": login, "images": [{"name": "cirros"}]})
        assert "cirros" not in str(result)

    def test_nothing_of_a_node_is_looked_at(self, run: Run) -> None:
        with ScriptedServer(token("admin")) as server:
            result = run(scope="control", auth=auth(server.url), port=1, keystone_url="http://127.0.0.1:1")
        assert result["problems"] == []


def test_module_fails_when_it_is_called_wrongly(run_module: t.Any) -> None:
    assert run_module(preflight, {"database": {"port": 1}})["failed"]
    assert run_module(preflight, {"database_login": {"run_on": "x"}})["failed"]
