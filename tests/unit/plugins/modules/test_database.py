# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module database against a real MariaDB."""

from __future__ import annotations

import contextlib
import json
import socket
import typing as t
from pathlib import Path
from unittest import mock

import pymysql
import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._database_account import native_hash
from ansible_collections.openstack_ops.glance.plugins.modules import database

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb import PrivateMariaDB

pytest_plugins = ["ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb"]

PASSWORD = "a first password"
OTHER_PASSWORD = "another password"
DIFFICULT_PASSWORDS = [
    "p@ss:w/rd%s#'\"$\\",
    "%(name)s {{ x }} \\' \\\\",
    "Zürich",
    "🗝 key",
    " spaces at both ends ",
    "-- ; /* */ `",
]

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(run_module: RunModule, mariadb: PrivateMariaDB, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the module as the administrator, through the socket unless ``login`` is given."""
    told: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, warning: told.append(warning))

    def run_database(*, check: bool = False, login: dict[str, t.Any] | None = None, **args: t.Any) -> dict[str, t.Any]:
        told.clear()
        login = mariadb.socket_login if login is None else login
        result = run_module(database, {"password": PASSWORD, **login, **args}, check=check)
        return {**result, "warnings": list(told)}

    return run_database


@pytest.fixture
def succeed(run: Run) -> Run:
    """Return a function that runs the module and insists on success."""

    def run_and_insist(**args: t.Any) -> dict[str, t.Any]:
        result = run(**args)
        assert not result.get("failed"), result["msg"]
        return result

    return run_and_insist


@pytest.fixture
def fail(run: Run) -> Run:
    """Return a function that runs the module, insists on failure and returns the message."""

    def run_and_insist(**args: t.Any) -> t.Any:
        result = run(**args)
        assert result.get("failed"), result
        assert args.get("password", PASSWORD) not in json.dumps(result, ensure_ascii=False)
        return result["msg"]

    return run_and_insist


def by_host(result: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    return {account["host"]: account for account in result["accounts"]}


def warnings(result: dict[str, t.Any]) -> str:
    return " ".join(result["warnings"])


def stored(mariadb: PrivateMariaDB, user: str = "glance") -> dict[str, str]:
    rows = mariadb.execute(f"SELECT Host, authentication_string FROM mysql.user WHERE User = '{user}'")
    return dict(rows)


class TestFreshServer:
    def test_check_mode_changes_nothing_and_shows_the_same_as_the_run(
        self, succeed: Run, mariadb: PrivateMariaDB
    ) -> None:
        predicted = succeed(check=True, require_tls=True, collation="utf8mb3_unicode_ci")
        assert predicted["changed"]
        assert mariadb.execute("SHOW DATABASES LIKE 'glance'") == []
        assert stored(mariadb) == {}

        done = succeed(require_tls=True, collation="utf8mb3_unicode_ci")

        assert done["diff"] == predicted["diff"]
        assert done["queries"] == predicted["queries"]
        for key in ("created", "character_set", "collation"):
            assert done["database"][key] == predicted["database"][key]

    def test_makes_database_accounts_and_grants(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        result = succeed()
        assert result["database"] == {
            "name": "glance",
            "created": True,
            "character_set": "utf8mb3",
            # The default of MariaDB from 11.5 is another one.
            "collation": mock.ANY,
            "tables_with_other_character_set": [],
        }
        assert result["database"]["collation"].startswith("utf8mb3_")
        assert [(a["host"], a["created"], a["grants_changed"], a["tls"]) for a in result["accounts"]] == [
            ("localhost", True, True, "NONE"),
            ("%", True, True, "NONE"),
        ]
        assert result["server"]["flavour"] == "MariaDB"
        with contextlib.closing(mariadb.connect("glance", PASSWORD, database="glance")) as connection:
            connection.cursor().execute("CREATE TABLE proof (id INT)")

    def test_second_run_changes_nothing(self, succeed: Run) -> None:
        succeed()
        again = succeed()
        assert not again["changed"]
        assert again["queries"] == []
        assert again["diff"] == {"before": {}, "after": {}}
        assert by_host(again)["localhost"]["password_verified_by"] == "login"
        assert by_host(again)["%"]["password_verified_by"] == "hash"

    def test_the_account_reaches_its_own_database_only(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE DATABASE glanceXtest", "CREATE DATABASE `glance_test`")
        succeed(name="glance_test")
        mariadb.connect("glance", PASSWORD, database="glance_test").close()
        with pytest.raises(pymysql.err.OperationalError, match="1044"):
            mariadb.connect("glance", PASSWORD, database="glanceXtest")

    @pytest.mark.parametrize("name", ["glance_test", "glance-test", "gl%nce", "gl`an'ce", "glánce", "back\\slash_"])
    def test_names_of_databases(self, succeed: Run, mariadb: PrivateMariaDB, name: str) -> None:
        predicted = succeed(check=True, name=name)
        assert succeed(name=name)["diff"] == predicted["diff"]
        with contextlib.closing(mariadb.connect("glance", PASSWORD, database=name)) as connection:
            connection.cursor().execute("CREATE TABLE proof (id INT)")
        assert not succeed(name=name)["changed"]
        mariadb.execute("DROP TABLE `{}`.proof".format(name.replace("`", "``")))
        assert succeed(name=name, state="absent")["changed"]
        assert not succeed(name=name, state="absent")["changed"]

    def test_over_tcp_and_over_tls(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        assert succeed(login=mariadb.tcp_login)["changed"]
        assert not succeed(login=mariadb.tls_login)["changed"]

    def test_with_an_option_file(self, succeed: Run, mariadb: PrivateMariaDB, tmp_path: Path) -> None:
        option_file = tmp_path / "client.cnf"
        option_file.write_text(
            f'[client]\nuser = {mariadb.admin}\npassword = "{mariadb.admin_password}"\nsocket = {mariadb.unix_socket}\n'
        )
        assert succeed(login={"config_file": str(option_file)})["changed"]
        again = succeed(login={"config_file": str(option_file)})
        assert not again["changed"]
        assert by_host(again)["localhost"]["password_verified_by"] == "login"


class TestPassword:
    @pytest.mark.parametrize("password", DIFFICULT_PASSWORDS)
    def test_difficult_ones_work_and_are_never_shown(
        self, run_module: RunModule, mariadb: PrivateMariaDB, password: str
    ) -> None:
        arguments = {**mariadb.socket_login, "password": password}
        results = [
            run_module(database, arguments, check=True),
            run_module(database, arguments),
            run_module(database, arguments),
        ]
        assert [result["changed"] for result in results] == [True, True, False]
        mariadb.connect("glance", password, database="glance").close()
        for result in results:
            told = json.dumps({k: v for k, v in result.items() if k != "invocation"}, ensure_ascii=False)
            assert password not in told
            assert native_hash(password) not in told

    @pytest.mark.parametrize("login", ["socket_login", "tcp_login"])
    def test_rotation_changes_every_account_once(self, succeed: Run, mariadb: PrivateMariaDB, login: str) -> None:
        options = {"login": getattr(mariadb, login), "hosts": ["localhost", "%", "10.0.0.5"]}
        succeed(**options)
        predicted = succeed(**options, password=OTHER_PASSWORD, check=True)
        rotated = succeed(**options, password=OTHER_PASSWORD)
        assert predicted["diff"] == rotated["diff"]
        assert rotated["diff"]["before"]["account 'glance'@'%' password"] == "VALUE_HIDDEN (old)"
        assert [a["password_changed"] for a in rotated["accounts"]] == [True, True, True]
        assert set(stored(mariadb).values()) == {native_hash(OTHER_PASSWORD)}
        assert not succeed(**options, password=OTHER_PASSWORD)["changed"]

    def test_one_account_with_another_password_is_repaired(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed(hosts=["localhost", "10.0.0.5"])
        mariadb.execute("ALTER USER 'glance'@'10.0.0.5' IDENTIFIED BY 'drifted'")
        result = succeed(hosts=["localhost", "10.0.0.5"])
        assert [a["password_changed"] for a in result["accounts"]] == [False, True]
        assert not succeed(hosts=["localhost", "10.0.0.5"])["changed"]

    def test_no_login_is_tried_with_a_password_known_to_be_wrong(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed()
        before = mariadb.execute("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'")
        succeed(password=OTHER_PASSWORD, check=True)
        assert mariadb.execute("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'") == before

    @pytest.mark.parametrize("plugin", ["unix_socket", "mysql_native_password USING 'invalid'"])
    def test_an_account_that_checks_no_password_gets_one(
        self, succeed: Run, mariadb: PrivateMariaDB, plugin: str
    ) -> None:
        mariadb.execute(f"CREATE USER glance@localhost IDENTIFIED VIA {plugin}")
        assert by_host(succeed())["localhost"]["password_changed"]
        mariadb.connect("glance", PASSWORD).close()
        assert not succeed()["changed"]

    def test_an_expired_password_is_set_again(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed(hosts=["localhost"])
        mariadb.execute("ALTER USER glance@localhost PASSWORD EXPIRE")
        result = succeed(hosts=["localhost"])
        assert result["accounts"][0]["password_verified_by"] == "login", result
        assert not succeed(hosts=["localhost"])["changed"]

    def test_a_locked_account_stays_locked(self, succeed: Run, fail: Run, mariadb: PrivateMariaDB) -> None:
        succeed()
        mariadb.execute("ALTER USER glance@localhost ACCOUNT LOCK")
        message = fail(require_tls=True)
        assert "locked" in message
        assert "ACCOUNT UNLOCK" in message
        assert mariadb.execute("SELECT ssl_type FROM mysql.user WHERE User = 'glance' AND ssl_type <> ''") == []

    def test_a_right_password_that_does_not_log_in_is_reported(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed()
        mariadb.execute("GRANT USAGE ON *.* TO glance@localhost WITH MAX_USER_CONNECTIONS -1")
        result = succeed()
        assert not result["changed"]
        assert by_host(result)["localhost"]["password_verified_by"] == "hash"
        assert "a login from here does not work" in warnings(result)


class TestTls:
    def test_required_and_no_longer_required(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        login = mariadb.tls_login
        on = succeed(login=login, require_tls=True)
        assert [a["tls"] for a in on["accounts"]] == ["SSL", "SSL"]
        assert not succeed(login=login, require_tls=True)["changed"]
        plain = {"host": mariadb.host, "ssl_disabled": True}
        if pymysql.VERSION[0] >= 1:
            with pytest.raises(pymysql.err.OperationalError, match="1045"):
                mariadb.connect("glance", PASSWORD, **plain)
        off = succeed(login=login, require_tls=False)
        assert [a["tls"] for a in off["accounts"]] == ["NONE", "NONE"]
        assert off["diff"]["before"]["account 'glance'@'%' tls"] == "SSL"
        assert not succeed(login=login, require_tls=False)["changed"]

    @pytest.mark.parametrize("login", ["socket_login", "tls_login"])
    def test_an_account_that_requires_tls_is_proved_by_a_login(
        self, succeed: Run, mariadb: PrivateMariaDB, login: str
    ) -> None:
        succeed(login=getattr(mariadb, login), require_tls=True)
        result = succeed(login=getattr(mariadb, login), require_tls=True)
        assert "login" in {account["password_verified_by"] for account in result["accounts"]}
        assert warnings(result) == ""

    def test_without_the_option_nothing_changes(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed(require_tls=True)
        assert not succeed()["changed"]

    def test_a_stricter_requirement_stays(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed()
        mariadb.execute("ALTER USER 'glance'@'%' REQUIRE X509")
        result = succeed(require_tls=True)
        assert by_host(result)["%"]["tls"] == "X509"
        assert by_host(result)["localhost"]["tls"] == "SSL"

    def test_a_certificate_of_another_authority_is_refused(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        server_certificate = str(mariadb.directory / "server.pem")
        message = fail(login={**mariadb.tls_login, "ca_cert": server_certificate})
        assert "CERTIFICATE_VERIFY_FAILED" in message
        assert "ca_cert" in message

    def test_a_name_that_the_certificate_is_not_for(self, succeed: Run, fail: Run, mariadb: PrivateMariaDB) -> None:
        login = {**mariadb.tls_login, "login_host": "127.1"}
        assert "mismatch" in fail(login=login)
        assert succeed(login={**login, "check_hostname": False})["changed"]

    def test_a_missing_certificate_file(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        message = fail(login={**mariadb.tls_login, "ca_cert": "/nowhere/ca.pem"})
        assert "/nowhere/ca.pem" in message


class TestDrift:
    def test_character_set_changes_for_the_database_only(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE DATABASE glance CHARACTER SET latin1", "CREATE TABLE glance.old (name VARCHAR(9))")
        predicted = succeed(check=True)
        result = succeed()
        assert result["diff"] == predicted["diff"]
        assert result["diff"]["before"]["character_set"] == "latin1"
        assert "database" not in result["diff"]["before"]
        assert result["database"]["tables_with_other_character_set"] == ["old"]
        assert "tables stay as they are" in warnings(result)
        assert "(old)" in warnings(result)
        assert "latin1" in mariadb.execute("SHOW CREATE TABLE glance.old")[0][1]
        again = succeed()
        assert not again["changed"]
        assert warnings(again) == ""

    def test_collation_is_left_alone_unless_given(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE DATABASE glance CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci")
        result = succeed()
        assert result["database"]["collation"] == "utf8mb3_unicode_ci"
        assert "collation" not in result["diff"]["after"]
        assert succeed(collation="utf8_general_ci")["database"]["collation"] == "utf8mb3_general_ci"
        assert not succeed(collation="utf8mb3_general_ci")["changed"]

    def test_a_lost_grant_is_given_again(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed()
        mariadb.execute("REVOKE DROP, ALTER ON glance.* FROM glance@localhost")
        result = succeed()
        assert [a["grants_changed"] for a in result["accounts"]] == [True, False]
        assert len(result["queries"]) == 1
        assert not succeed()["changed"]

    def test_other_grants_are_reported_and_kept(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed()
        mariadb.execute(
            "CREATE DATABASE reports",
            "GRANT SELECT ON reports.* TO glance@localhost",
            "GRANT PROCESS ON *.* TO glance@localhost",
            "CREATE ROLE reader",
            "GRANT reader TO glance@localhost",
        )
        before = mariadb.execute("SHOW GRANTS FOR glance@localhost")
        result = succeed(require_tls=False)
        assert not result["changed"]
        grants = by_host(result)["localhost"]["other_grants"]
        assert sorted(grants) == ["PROCESS ON *.*", "SELECT ON `reports`.*", "`reader`"]
        assert "SELECT ON `reports`.*" in warnings(result)
        assert native_hash(PASSWORD) not in json.dumps(result)
        assert mariadb.execute("SHOW GRANTS FOR glance@localhost") == before

    def test_an_unescaped_grant_is_told_from_ours(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE USER glance@localhost", "GRANT ALL ON `glance_test`.* TO glance@localhost")
        result = succeed(name="glance_test")
        assert by_host(result)["localhost"]["other_grants"] == ["ALL PRIVILEGES ON `glance_test`.*"]
        assert not succeed(name="glance_test")["changed"]


class TestShadowing:
    def test_anonymous_accounts(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE USER ''@'controller1'", "CREATE USER ''@'localhost'", "CREATE USER ''@'%'")
        result = succeed()
        assert result["shadowed_by"] == [{"user": "", "host": "controller1"}]
        assert "''@'controller1' shadows" in warnings(result)

        result = succeed(hosts=["%"])
        shadows = sorted((account["user"], account["host"]) for account in result["shadowed_by"])
        assert shadows == [("", "controller1"), ("", "localhost"), ("glance", "localhost")]

    def test_a_shadowed_login_is_not_taken_for_a_wrong_password(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE USER ''@'localhost'")
        succeed(hosts=["%"])
        again = succeed(hosts=["%"])
        assert not again["changed"]
        assert again["accounts"][0]["password_verified_by"] == "hash"

    def test_other_accounts_of_the_user(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE USER glance@'10.0.0.7' IDENTIFIED BY 'old'")
        result = succeed()
        assert result["other_accounts"] == ["10.0.0.7"]
        assert result["shadowed_by"] == [{"user": "glance", "host": "10.0.0.7"}]
        assert stored(mariadb)["10.0.0.7"] == native_hash("old")


class TestAbsent:
    @pytest.fixture
    def with_images(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        """Give the database three images, one of them deleted."""
        succeed()
        mariadb.execute(
            "CREATE TABLE glance.images (id CHAR(36), size BIGINT NULL, deleted BOOL)",
            "INSERT INTO glance.images VALUES ('a', 1073741824, 0), ('b', NULL, 0), ('c', 5, 1)",
        )

    @pytest.mark.usefixtures("with_images")
    def test_refuses_a_database_with_images(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        for check in (True, False):
            message = fail(state="absent", check=check)
            assert "2 images" in message
            assert "1.00 GB" in message
            assert "allow_image_loss" in message
        assert len(stored(mariadb)) == 2

    @pytest.mark.usefixtures("with_images")
    def test_drops_it_when_the_loss_is_meant(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        predicted = succeed(state="absent", allow_image_loss=True, check=True)
        assert len(stored(mariadb)) == 2
        done = succeed(state="absent", allow_image_loss=True)
        assert done["diff"] == predicted["diff"]
        assert [a["dropped"] for a in done["accounts"]] == [True, True]
        assert mariadb.execute("SHOW DATABASES LIKE 'glance'") == []
        assert stored(mariadb) == {}
        assert not succeed(state="absent")["changed"]

    @pytest.mark.usefixtures("with_images")
    def test_drops_it_without_images(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("UPDATE glance.images SET deleted = 1")
        assert succeed(state="absent", password=None)["changed"]

    def test_refuses_a_database_that_is_not_of_glance(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE DATABASE keystone", "CREATE TABLE keystone.project (id INT)")
        message = fail(state="absent", name="keystone", allow_image_loss=True)
        assert "not Glance's" in message
        assert mariadb.execute("SHOW DATABASES LIKE 'keystone'")

    def test_other_accounts_and_databases_stay(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        succeed()
        mariadb.execute("CREATE USER glance@'10.0.0.7'", "CREATE DATABASE glance2")
        result = succeed(state="absent")
        assert result["other_accounts"] == ["10.0.0.7"]
        assert list(stored(mariadb)) == ["10.0.0.7"]
        assert mariadb.execute("SHOW DATABASES LIKE 'glance%'") == [("glance2",)]


class TestErrors:
    def test_wrong_password_of_the_administrator(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        message = fail(login={**mariadb.tcp_login, "login_password": "not the tester's"})
        assert f"127.0.0.1:{mariadb.port} as 'tester'" in message
        assert "Access denied" in message
        assert "not the tester's" not in message

    def test_nothing_listens(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        message = fail(login={**mariadb.tcp_login, "login_port": port})
        assert f"127.0.0.1:{port}" in message
        assert "refused" in message

    def test_something_listens_and_says_nothing(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            login = {**mariadb.tcp_login, "login_port": listener.getsockname()[1], "connect_timeout": 1}
            assert "timed out" in fail(login=login)

    def test_no_such_socket(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        message = fail(login={**mariadb.socket_login, "login_unix_socket": "/nowhere/socket"})
        assert "/nowhere/socket" in message
        assert "login_unix_socket" in message

    def test_unknown_host(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        message = fail(login={**mariadb.tcp_login, "login_host": "no-such-host.invalid"})
        assert "no-such-host.invalid" in message
        assert "host name" in message

    def test_missing_option_file(self, fail: Run) -> None:
        assert "/nowhere/my.cnf" in fail(login={"config_file": "/nowhere/my.cnf"})

    @pytest.mark.parametrize(
        ("grants", "lacks"),
        [
            (["ALL ON glance.*"], "CREATE USER"),
            (["CREATE USER ON *.*", "ALL ON `glance`.*"], "GRANT OPTION ON glance.*"),
            (["CREATE USER ON *.*", "SELECT, INSERT ON *.*"], "ALL PRIVILEGES WITH GRANT OPTION ON glance.*"),
        ],
    )
    def test_an_administrator_who_may_not(
        self, fail: Run, mariadb: PrivateMariaDB, grants: list[str], lacks: str
    ) -> None:
        mariadb.execute(
            "CREATE USER clerk@localhost IDENTIFIED BY 'x'",
            "GRANT SELECT ON mysql.* TO clerk@localhost",
            *(f"GRANT {grant} TO clerk@localhost" for grant in grants),
        )
        message = fail(login={**mariadb.socket_login, "login_user": "clerk", "login_password": "x"})
        assert "clerk@localhost" in message
        assert lacks in message
        assert mariadb.execute("SHOW DATABASES LIKE 'glance'") == []
        assert stored(mariadb) == {}

    def test_an_administrator_who_may_not_even_look(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE USER clerk@localhost IDENTIFIED BY 'x'")
        message = fail(login={**mariadb.socket_login, "login_user": "clerk", "login_password": "x"})
        assert "SELECT command denied" in message
        assert "administrator" in message

    def test_an_administrator_of_this_database_suffices(self, succeed: Run, mariadb: PrivateMariaDB) -> None:
        mariadb.execute(
            "CREATE USER clerk@localhost IDENTIFIED BY 'x'",
            "GRANT SELECT ON mysql.* TO clerk@localhost",
            "GRANT CREATE USER ON *.* TO clerk@localhost",
            "GRANT ALL ON `gl\\_nc%`.* TO clerk@localhost WITH GRANT OPTION",
        )
        login = {**mariadb.socket_login, "login_user": "clerk", "login_password": "x"}
        assert succeed(login=login, name="gl_nce")["changed"]
        assert not succeed(login=login, name="gl_nce")["changed"]
        assert succeed(login=login, name="gl_nce", password=OTHER_PASSWORD)["changed"]
        assert succeed(login=login, name="gl_nce", state="absent")["changed"]

    def test_a_read_only_server(self, succeed: Run, fail: Run, mariadb: PrivateMariaDB) -> None:
        succeed()
        mariadb.execute("SET GLOBAL read_only = 1")
        assert not succeed()["changed"]
        assert "read-only" in fail(password=OTHER_PASSWORD)

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"password": None}, "password"),
            ({"password": ""}, "password is empty"),
            ({"name": "mysql"}, "database of the server itself"),
            ({"name": ""}, "1 to 64"),
            ({"user": "root"}, "account of the server itself"),
            ({"hosts": []}, "hosts is empty"),
            ({"collation": "utf8mb4_general_ci"}, "not one of utf8mb3"),
            ({"character_set": "latin1"}, "utf8mb3, utf8mb4"),
            ({"client_cert": "/nowhere/cert.pem"}, "client_key"),
        ],
    )
    def test_impossible_options(self, run: Run, options: dict[str, t.Any], told: str) -> None:
        result = run(**options)
        assert result["failed"]
        assert told in result["msg"]

    def test_an_unknown_collation_changes_nothing_else(self, fail: Run, mariadb: PrivateMariaDB) -> None:
        message = fail(collation="utf8mb3_no_such_ci")
        assert "Unknown collation" in message
        assert stored(mariadb) == {}

    def test_the_account_that_logs_in_is_not_managed(self, succeed: Run, fail: Run, mariadb: PrivateMariaDB) -> None:
        message = fail(user=mariadb.admin, hosts=["%"])
        assert "the same, 'tester'" in message
