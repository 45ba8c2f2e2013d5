# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the module database decides, without a server; logging in and locking, with a real MariaDB."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
from urllib.parse import quote as percent_encode
from urllib.parse import unquote

import pymysql
import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _database, _database_account, _oslo_format
from ansible_collections.openstack_ops.glance.plugins.module_utils import _database_resource as resource
from ansible_collections.openstack_ops.glance.plugins.module_utils import _database_state as observation
from ansible_collections.openstack_ops.glance.plugins.module_utils._database_account import Account
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb import PrivateMariaDB

pytest_plugins = ["ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb"]

PASSWORD = "5ecret of glance"

MARIADB = observation.Server(
    version="10.11.6-MariaDB-0+deb12u1",
    comment="Debian 12",
    read_only=False,
    lower_case=False,
    administrator="root@localhost",
    client_host="localhost",
)
MYSQL = dataclasses.replace(MARIADB, version="8.0.40", comment="MySQL Community Server - GPL")

DESIRED = observation.Desired(
    name="glance",
    user="glance",
    password=PASSWORD,
    hosts=("localhost", "%"),
    character_set="utf8mb3",
    collation=None,
    require_tls=True,
    present=True,
    allow_image_loss=False,
)


def account(host: str = "localhost", user: str = "glance", **changes: t.Any) -> Account:
    plain = Account(user, host, "mysql_native_password", _database_account.native_hash(PASSWORD), "")
    return dataclasses.replace(plain, **changes)


def observed(server: observation.Server, *accounts: Account, **proofs: str) -> observation.Observed:
    return observation.Observed(
        server=server,
        database=None,
        accounts={a.host: a for a in accounts},
        foreign=(),
        proofs={a.host: "wrong" for a in accounts} | proofs,
        trial=observation.Trial(),
    )


def statements(desired: observation.Desired, state: observation.Observed) -> list[resource.Statement]:
    return resource.build_statements(desired, state, resource.compare(desired, state))


class TestStatements:
    def test_mysql_new(self) -> None:
        assert statements(dataclasses.replace(DESIRED, hosts=("%",)), observed(MYSQL)) == [
            ("CREATE USER %s@%s IDENTIFIED BY %s REQUIRE SSL", ("glance", "%"), PASSWORD),
            ("GRANT ALL PRIVILEGES ON `glance`.* TO %s@%s", ("glance", "%"), ""),
            ("CREATE DATABASE `glance` CHARACTER SET utf8mb3", (), ""),
        ]

    @pytest.mark.parametrize(
        ("server", "plugin", "clause"),
        [
            (MYSQL, "caching_sha2_password", "IDENTIFIED WITH `caching_sha2_password` BY %s"),
            (MYSQL, "mysql_native_password", "IDENTIFIED WITH `mysql_native_password` BY %s"),
            (MYSQL, "auth_socket", "IDENTIFIED WITH `caching_sha2_password` BY %s"),
            (MARIADB, "mysql_native_password", "IDENTIFIED VIA mysql_native_password USING %s"),
            (MARIADB, "unix_socket", "IDENTIFIED VIA mysql_native_password USING %s"),
            (MARIADB, "", "IDENTIFIED VIA mysql_native_password USING %s"),
            (MARIADB, "ed25519", "IDENTIFIED VIA ed25519 USING PASSWORD(%s)"),
            (dataclasses.replace(MARIADB, validates_passwords=True), "unix_socket", "IDENTIFIED BY %s"),
        ],
    )
    def test_rotation_keeps_a_plugin_that_checks_passwords(
        self, server: observation.Server, plugin: str, clause: str
    ) -> None:
        desired = dataclasses.replace(DESIRED, hosts=("localhost",), require_tls=None)
        alter, _grant, _database_made = statements(desired, observed(server, account(plugin=plugin)))
        assert alter.text == f"ALTER USER %s@%s {clause}"

    def test_mariadb_is_sent_the_hash(self) -> None:
        sent = [statement.secret for statement in statements(DESIRED, observed(MARIADB)) if statement.secret]
        assert sent == [_database_account.native_hash(PASSWORD)] * 2

    @pytest.mark.parametrize("server", [MARIADB, MYSQL])
    def test_a_grant_never_makes_an_account(self, server: observation.Server) -> None:
        grants = [s.text for s in statements(DESIRED, observed(server)) if s.text.startswith("GRANT")]
        assert len(grants) == 2
        assert not any("IDENTIFIED" in grant or "REQUIRE" in grant for grant in grants)

    @pytest.mark.parametrize(
        ("name", "target"),
        [
            ("glance", "`glance`.*"),
            ("gl_a%nce", "`gl\\_a\\%%nce`.*"),
            ("gl`nce", "`gl``nce`.*"),
            ("gl\\nce", "`gl\\\\nce`.*"),
        ],
    )
    def test_the_database_of_a_grant_is_a_pattern(self, name: str, target: str) -> None:
        assert resource.grant_target(name, MARIADB) == target

    def test_with_partial_revokes_it_is_a_name(self) -> None:
        assert resource.grant_target("gl_nce", dataclasses.replace(MYSQL, partial_revokes=True)) == "`gl_nce`.*"

    @pytest.mark.parametrize(
        ("version", "spelt"),
        [
            ("10.5.29-MariaDB", "utf8"),
            ("10.6.1-MariaDB", "utf8mb3"),
            ("11.8.6-MariaDB", "utf8mb3"),
            ("8.0.40", "utf8mb3"),
        ],
    )
    def test_character_sets_are_spelt_as_the_server_does(self, version: str, spelt: str) -> None:
        server = dataclasses.replace(MARIADB, version=version)
        desired = dataclasses.replace(DESIRED, collation="utf8mb3_bin")
        last = statements(desired, observed(server))[-1].text
        assert last == f"CREATE DATABASE `glance` CHARACTER SET {spelt} COLLATE {spelt}_bin"


class TestProof:
    OTHER = "caching_sha2_password"

    @pytest.mark.parametrize(
        ("changes", "trial", "expected"),
        [
            ({}, observation.Trial(worked_as="localhost"), "login"),
            ({}, observation.Trial(worked_as="%"), "hash"),
            ({}, observation.Trial(denied=True), "hash"),
            ({"stored": "*00"}, observation.Trial(), "wrong"),
            ({"stored": "*00", "plugin": ""}, observation.Trial(), "wrong"),
            ({"expired": True}, observation.Trial(worked_as="localhost"), "wrong"),
            # The operating system let us in, whatever the password.
            ({"plugin": "unix_socket"}, observation.Trial(worked_as="localhost"), "wrong"),
            ({"plugin": OTHER}, observation.Trial(worked_as="localhost"), "login"),
            ({"plugin": OTHER}, observation.Trial(denied=True), "wrong"),
            ({"plugin": OTHER}, observation.Trial(answer="the cryptography package is missing"), "unknown"),
            ({"plugin": OTHER, "tls": "ANY"}, observation.Trial(denied=True), "unknown"),
            ({"plugin": OTHER, "tls": "ANY"}, observation.Trial(denied=True, encrypted=True), "wrong"),
            ({"plugin": OTHER, "tls": "X509"}, observation.Trial(denied=True, encrypted=True), "unknown"),
        ],
    )
    def test_of_the_account_that_a_login_is_taken_for(
        self, changes: dict[str, t.Any], trial: observation.Trial, expected: str
    ) -> None:
        ours = account(**changes)
        assert observation.prove(ours, trial, ours, PASSWORD) == expected

    def test_a_refused_login_tells_nothing_about_another_account(self) -> None:
        ours, other = account("10.0.0.5", plugin=self.OTHER), account("%", plugin=self.OTHER)
        assert observation.prove(ours, observation.Trial(denied=True), other, PASSWORD) == "unknown"

    def test_what_could_not_be_tested_is_rotated_with_the_others_only(self) -> None:
        first, second = account("localhost", plugin=self.OTHER), account("10.0.0.5", plugin=self.OTHER)
        desired = dataclasses.replace(DESIRED, hosts=("localhost", "10.0.0.5"))
        known = observed(MYSQL, first, second, **{"localhost": "login", "10.0.0.5": "unknown"})
        wrong = observed(MYSQL, first, second, **{"localhost": "wrong", "10.0.0.5": "unknown"})
        password = "account 'glance'@'10.0.0.5' password"
        assert password not in resource.compare(desired, known)
        assert password in resource.compare(desired, wrong)


class TestAccounts:
    def test_hash(self) -> None:
        assert _database_account.native_hash("test") == "*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29"

    @pytest.mark.parametrize(
        ("pattern", "client", "covered"),
        [
            ("%", "10.0.0.5", True),
            ("localhost", "LOCALHOST", True),
            ("10.0.0.%", "10.0.0.5", True),
            ("10.0.0.%", "10.0.1.5", False),
            ("10.0.0._", "10.0.0.5", True),
            ("10.0.0.0/255.255.255.0", "10.0.0.5", True),
            ("10.0.0.0/255.255.255.0", "10.0.1.5", False),
            ("10.0.0.0/255.255.255.0", "localhost", False),
            ("a.b", "axb", False),
        ],
    )
    def test_hosts(self, pattern: str, client: str, covered: bool) -> None:
        assert _database_account.host_matches(pattern, client) is covered

    @pytest.mark.parametrize(
        ("accounts", "expected"),
        [
            ([account("%"), account("localhost")], ("glance", "localhost")),
            ([account("%"), account("localhost", "")], ("", "localhost")),
            ([account("localhost"), account("localhost", "")], ("glance", "localhost")),
            ([account("%"), account("local%", "")], ("", "local%")),
            ([account("%"), account("10.0.0.5")], ("glance", "%")),
        ],
    )
    def test_the_server_prefers_the_most_specific_host(
        self, accounts: list[Account], expected: tuple[str, str]
    ) -> None:
        won = _database_account.winner("localhost", accounts)
        assert won is not None
        assert (won.user, won.host) == expected

    def test_nobody_wins_for_an_unknown_client(self) -> None:
        assert _database_account.winner("10.0.0.6", [account("10.0.0.5")]) is None

    @pytest.mark.parametrize(
        ("line", "given"),
        [
            ("GRANT USAGE ON *.* TO `glance`@`%` IDENTIFIED BY PASSWORD '*94BDC' REQUIRE SSL", "USAGE ON *.*"),
            ("GRANT USAGE ON *.* TO 'glance'@'%' IDENTIFIED BY PASSWORD '*94BDC'", "USAGE ON *.*"),
            ("GRANT ALL PRIVILEGES ON `a\\_b`.* TO `glance`@`%`", "ALL PRIVILEGES ON `a\\_b`.*"),
            ("GRANT SELECT (`a`, `b`) ON `c`.`d` TO `glance`@`%`", "SELECT (`a`, `b`) ON `c`.`d`"),
            ("GRANT ALL PRIVILEGES ON *.* TO `r`@`%` WITH GRANT OPTION", "ALL PRIVILEGES ON *.* WITH GRANT OPTION"),
            ("GRANT `reader` TO `glance`@`%`", "`reader`"),
            ("SET DEFAULT ROLE `reader` FOR `glance`@`%`", ""),
        ],
    )
    def test_grants(self, line: str, given: str) -> None:
        assert _database_account.parse_grant(line) == given

    @pytest.mark.parametrize(
        ("pattern", "name", "covered"),
        [
            ("glance", "glance", True),
            ("gl_nce", "glance", True),
            ("gl\\_nce", "glance", False),
            ("gl\\_nce", "gl_nce", True),
            ("gl%", "glance", True),
            ("gl\\%", "glance", False),
            ("gl``nce", "gl`nce", True),
        ],
    )
    def test_databases_of_grants(self, pattern: str, name: str, covered: bool) -> None:
        assert _database_account.pattern_covers(pattern, name) is covered


class ScriptedCursor:
    """Answers queries by how they begin."""

    def __init__(self, answers: dict[str, list[tuple[t.Any, ...]]]) -> None:
        self._answers = answers
        self._rows: list[tuple[t.Any, ...]] = []

    def __enter__(self) -> ScriptedCursor:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def execute(self, statement: str, _values: object) -> None:
        self._rows = next(rows for start, rows in self._answers.items() if statement.startswith(start))

    def fetchall(self) -> list[tuple[t.Any, ...]]:
        return self._rows


class ScriptedConnection:
    """Stands in for a server that is not at hand."""

    def __init__(self, version: str, variables: dict[str, str], plugins: int = 0, read_only: t.Any = 0) -> None:
        self._answers: dict[str, list[tuple[t.Any, ...]]] = {
            "SELECT VERSION()": [(version, "", read_only, 0, "root@localhost", "root@localhost")],
            "SHOW GLOBAL VARIABLES": list(variables.items()),
            "SELECT 1 FROM information_schema.PLUGINS": [(1,)] * plugins,
        }

    def cursor(self) -> ScriptedCursor:
        return ScriptedCursor(self._answers)


class TestServer:
    @staticmethod
    def read(connection: ScriptedConnection) -> observation.Server:
        observer = observation.Observer(t.cast(t.Any, connection), DESIRED, _database.Login())
        return observer.server

    @pytest.mark.parametrize(
        ("version", "flavour", "numbers"),
        [
            ("10.5.29-MariaDB-0+deb11u1", "MariaDB", (10, 5, 29)),
            ("11.8.6-MariaDB-log", "MariaDB", (11, 8, 6)),
            ("8.0.40-0ubuntu0.24.04.1", "MySQL", (8, 0, 40)),
            ("8.4.3", "MySQL", (8, 4, 3)),
        ],
    )
    def test_flavours(self, version: str, flavour: str, numbers: tuple[int, ...]) -> None:
        server = self.read(ScriptedConnection(version, {}))
        assert (server.flavour, server.numbers, server.offers_tls) == (flavour, numbers, True)

    @pytest.mark.parametrize(
        ("version", "wanted"), [("10.4.34-MariaDB", "MariaDB 10.5 or later"), ("5.7.44", "MySQL 8.0 or later")]
    )
    def test_one_that_is_too_old(self, version: str, wanted: str) -> None:
        with pytest.raises(GlanceError, match=wanted):
            self.read(ScriptedConnection(version, {}))

    def test_settings(self) -> None:
        variables = {"have_ssl": "DISABLED", "partial_revokes": "ON"}
        server = self.read(ScriptedConnection("8.0.40", variables, plugins=1, read_only="ON"))
        assert (server.offers_tls, server.partial_revokes) == (False, True)
        assert (server.validates_passwords, server.read_only) == (True, True)

    def test_tls_is_not_required_of_a_server_without(self) -> None:
        state = observed(dataclasses.replace(MARIADB, offers_tls=False))
        with pytest.raises(GlanceError, match="does not offer TLS"):
            resource.refuse_what_cannot_work(t.cast(t.Any, None), DESIRED, state, resource.compare(DESIRED, state))

    def test_a_server_that_did_not_do_what_it_was_told(self) -> None:
        with pytest.raises(GlanceError, match="accepted every statement, and these still differ: account"):
            resource.refuse_what_did_not_work(resource.compare(DESIRED, observed(MARIADB)))


class TestDriver:
    def test_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_database, "IMPORT_ERROR", "No module named 'pymysql'")
        with pytest.raises(GlanceError, match="python3-pymysql"):
            _database.connect({})

    def test_too_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pymysql, "VERSION", (0, 8, 1, None))
        with pytest.raises(GlanceError, match=r"PyMySQL 0\.8\.1 is too old"):
            _database.connect({})

    @pytest.mark.parametrize("password", ["plain", "p@ss:w/rd%", "Zürich", "🗝"])
    def test_the_password_of_a_url_is_what_the_server_keeps(self, password: str) -> None:
        in_url = percent_encode(_oslo_format.driver_password(password), safe="")
        # What SQLAlchemy, then PyMySQL, make of it.
        assert unquote(in_url).encode("latin-1") == password.encode()


class TestCheckLogin:
    @pytest.fixture(autouse=True)
    def service_account(self, mariadb: PrivateMariaDB) -> None:
        """Make an account that requires TLS, and one that does not."""
        mariadb.execute(
            "CREATE DATABASE glance",
            f"CREATE USER glance IDENTIFIED BY '{PASSWORD}'",
            "GRANT ALL ON glance.* TO glance",
            f"CREATE USER careful IDENTIFIED BY '{PASSWORD}' REQUIRE SSL",
        )

    @staticmethod
    def check(mariadb: PrivateMariaDB, user: str = "glance", password: str = PASSWORD, **more: t.Any) -> None:
        _database.check_login(mariadb.host, mariadb.port, user, password, timeout=5, **more)

    def test_works(self, mariadb: PrivateMariaDB) -> None:
        self.check(mariadb)
        self.check(mariadb, database="glance")
        self.check(mariadb, database="glance", ca_cert=mariadb.ca_cert)
        self.check(mariadb, user="careful", ca_cert=mariadb.ca_cert)

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"password": "wrong"}, "wrong user or password"),
            ({"database": "nowhere"}, "1044|1049"),
            ({"database": "mysql"}, "lacks a privilege"),
            ({"ca_cert": "/nowhere.pem"}, "reading the TLS files /nowhere.pem"),
        ],
    )
    def test_does_not_work(self, mariadb: PrivateMariaDB, changes: dict[str, t.Any], told: str) -> None:
        with pytest.raises(GlanceError, match=told) as failure:
            self.check(mariadb, **changes)
        assert PASSWORD not in str(failure.value)

    def test_nothing_is_there(self, mariadb: PrivateMariaDB) -> None:
        with pytest.raises(GlanceError, match=r"nowhere\.invalid:3306 as 'glance'.*Usual cause: a misspelt host name"):
            _database.check_login("nowhere.invalid", 3306, "glance", PASSWORD)


class TestConnect:
    def test_a_reader_cannot_write(self, mariadb: PrivateMariaDB) -> None:
        mariadb.execute("CREATE DATABASE glance", "CREATE TABLE glance.images (id INT)")
        with contextlib.closing(_database.connect(mariadb.socket_login, database="glance", read_only=True)) as reader:
            assert _database.run(reader, "SELECT COUNT(*) FROM images") == ((0,),)
            for statement in ("INSERT INTO images VALUES (1)", "CREATE TABLE more (id INT)", "DROP DATABASE glance"):
                with pytest.raises(pymysql.err.Error, match="READ ONLY"):
                    _database.run(reader, statement)

    def test_a_long_statement_outlasts_the_time_for_connecting(self, mariadb: PrivateMariaDB) -> None:
        with contextlib.closing(_database.connect({**mariadb.tcp_login, "connect_timeout": 1})) as connection:
            assert _database.run(connection, "SELECT SLEEP(1.5)") == ((0,),)

    def test_a_server_that_offers_no_tls_is_refused(
        self, mariadb: PrivateMariaDB, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_database, "_tls_context", lambda _login: None)
        monkeypatch.setattr(_database, "run", lambda *_arguments: (("Ssl_cipher", ""),))
        with pytest.raises(GlanceError, match="does not offer TLS"):
            _database.connect(mariadb.tls_login)


class TestAdvisoryLock:
    @pytest.fixture
    def sessions(self, mariadb: PrivateMariaDB) -> t.Iterator[tuple[t.Any, t.Any]]:
        """Return two sessions."""
        first, second = _database.connect(mariadb.socket_login), _database.connect(mariadb.tcp_login)
        yield first, second
        for session in (first, second):
            with contextlib.suppress(pymysql.err.Error):
                session.close()

    def test_one_at_a_time(self, sessions: tuple[t.Any, t.Any]) -> None:
        first, second = sessions
        with _database.advisory_lock(first, "glance schema", 0):
            held = pytest.raises(
                GlanceError, match=r"connection \d+ of 'tester' from localhost still holds it after 0 s"
            )
            with held, _database.advisory_lock(second, "glance schema", 0):
                pytest.fail("both hold it")
            with _database.advisory_lock(second, "another lock", 0):
                pass
        with _database.advisory_lock(second, "glance schema", 0):
            pass

    def test_released_when_the_work_fails(self, sessions: tuple[t.Any, t.Any]) -> None:
        first, second = sessions
        with pytest.raises(ZeroDivisionError), _database.advisory_lock(first, "glance schema", 0):
            raise ZeroDivisionError
        with _database.advisory_lock(second, "glance schema", 0):
            pass

    def test_lost_meanwhile(self, sessions: tuple[t.Any, t.Any]) -> None:
        first, second = sessions
        lost = pytest.raises(GlanceError, match="releasing the lock 'glance schema'")
        with lost, _database.advisory_lock(first, "glance schema", 0):
            _database.run(second, "KILL %s", (first.thread_id(),))

    def test_given_away_meanwhile(self, sessions: tuple[t.Any, t.Any]) -> None:
        first, _second = sessions
        lost = pytest.raises(GlanceError, match="was lost while it was needed")
        with lost, _database.advisory_lock(first, "glance schema", 0):
            _database.run(first, "SELECT RELEASE_LOCK('glance schema')")


class TestExplain:
    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (
                pymysql.err.OperationalError(1045, "Access denied"),
                r"x: Access denied \(error 1045\)\. Usual cause: a wrong",
            ),
            (pymysql.err.OperationalError(3159, "insecure"), "give ca_cert"),
            (RuntimeError("'cryptography' package is required"), "x: 'cryptography' package is required"),
            (pymysql.err.InternalError(9999, "odd"), r"^x: odd \(error 9999\)\.$"),
        ],
    )
    def test_causes(self, error: Exception, told: str) -> None:
        with pytest.raises(GlanceError, match=told):
            raise _database.explain("x", error)

    @pytest.mark.parametrize("number", [1064, 1819])
    def test_no_secret_is_shown(self, number: int) -> None:
        error = pymysql.err.ProgrammingError(number, "near ''s3cret' REQUIRE'")
        assert "s3cret" not in str(_database.explain("x", error, secret="s3cret"))
