# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A private MariaDB for tests: real, in a temporary directory, gone at the end.

A test module names it in ``pytest_plugins`` and uses the fixture ``mariadb``. One server is started for the whole run,
in the process that collects the tests: ansible-test runs each test in a fork, which could not stop it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import getpass
import ipaddress
import os
import shutil
import socket
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADMIN = "tester"
ADMIN_PASSWORD = "the tester's password"
SYSTEM_DATABASES = ("information_schema", "mysql", "performance_schema", "sys")
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
PROGRAM_DIRECTORIES = ("/usr/sbin", "/usr/libexec", "/usr/bin")
SCRIPT_DIRECTORIES = ("/usr/share/mysql", "/usr/share/mariadb")
SCRIPTS = ("system_tables", "performance_tables", "system_tables_data")

KEY = pytest.StashKey["t.Union[PrivateMariaDB, ServerError]"]()


class ServerError(Exception):
    """There is no server to test with."""


@dataclasses.dataclass
class PrivateMariaDB:
    """A running server, and what it takes to use it."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    host: str = "127.0.0.1"
    admin: str = ADMIN
    admin_password: str = ADMIN_PASSWORD

    @property
    def unix_socket(self) -> str:
        """The path of the Unix socket."""
        return str(self.directory / "socket")

    @property
    def ca_cert(self) -> str:
        """The path of the certificate of the authority that signed the server's (for localhost and 127.0.0.1)."""
        return str(self.directory / "ca.pem")

    @property
    def socket_login(self) -> dict[str, t.Any]:
        """The options of a module that logs in as the administrator through the socket."""
        return {"login_unix_socket": self.unix_socket, "login_user": ADMIN, "login_password": ADMIN_PASSWORD}

    @property
    def tcp_login(self) -> dict[str, t.Any]:
        """The options of a module that logs in as the administrator over TCP."""
        return {
            "login_host": self.host,
            "login_port": self.port,
            "login_user": ADMIN,
            "login_password": ADMIN_PASSWORD,
        }

    @property
    def tls_login(self) -> dict[str, t.Any]:
        """The options of a module that logs in as the administrator over TCP with TLS."""
        return {**self.tcp_login, "ca_cert": self.ca_cert}

    def connect(self, user: str = ADMIN, password: str = ADMIN_PASSWORD, **options: t.Any) -> t.Any:
        """Log in through the socket, unless ``host`` is given."""
        place: dict[str, t.Any] = {"port": self.port} if "host" in options else {"unix_socket": self.unix_socket}
        return pymysql.connect(
            user=user,
            password=password.encode(),
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=10,
            read_timeout=60,
            **{**place, **options},
        )

    def execute(self, *statements: str) -> list[tuple[t.Any, ...]]:
        """Execute statements as the administrator, and return the rows of the last one."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def clean(self) -> None:
        """Drop every database and account that a test made, and undo its settings."""
        accounts = f"SELECT User, Host FROM mysql.global_priv WHERE User NOT IN ('mariadb.sys', '{ADMIN}')"
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SET GLOBAL read_only = 0")
            cursor.execute("SHOW DATABASES")
            for (name,) in cursor.fetchall():
                if name not in SYSTEM_DATABASES:
                    cursor.execute(f"DROP DATABASE `{name.replace('`', '``')}`")
            cursor.execute(accounts)
            for user, host in cursor.fetchall():
                # A role has no host.
                cursor.execute(f"DROP USER `{user}`@`{host}`" if host else f"DROP ROLE `{user}`")

    def stop(self) -> None:
        """Stop the server and remove its directory."""
        self.process.terminate()
        try:
            self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(SECONDS_TO_STOP)
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture
def mariadb(request: pytest.FixtureRequest) -> PrivateMariaDB:
    """Return the server, without databases and accounts but its own."""
    server: t.Union[PrivateMariaDB, ServerError] = request.config.stash[KEY]
    if isinstance(server, ServerError):
        pytest.fail(str(server))
    server.clean()
    return server


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the server when a test is going to use it."""
    wanted = any("mariadb" in getattr(item, "fixturenames", ()) for item in session.items)
    if not wanted or session.config.option.collectonly:
        return
    try:
        session.config.stash[KEY] = start()
    except (ServerError, OSError, subprocess.SubprocessError) as error:
        # Told by each test that needs the server; the others run.
        session.config.stash[KEY] = ServerError(str(error))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, whatever the tests came to."""
    server = config.stash.get(KEY, None)
    if isinstance(server, PrivateMariaDB):
        server.stop()


def start() -> PrivateMariaDB:
    """Start a server, and return when it answers."""
    directory = Path(tempfile.mkdtemp(prefix="mariadb-"))
    try:
        return _start(directory)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _start(directory: Path) -> PrivateMariaDB:
    program = shutil.which("mariadbd", path=os.pathsep.join(PROGRAM_DIRECTORIES))
    if not program:
        raise ServerError("mariadbd is not there, and this test needs it: apt-get install mariadb-server-core")
    _make_certificates(directory)
    common = [program, "--no-defaults", f"--datadir={directory / 'data'}", f"--user={getpass.getuser()}"]
    _bootstrap(directory, common)
    port = _free_port()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *common,
                f"--socket={directory / 'socket'}",
                f"--pid-file={directory / 'pid'}",
                f"--port={port}",
                "--bind-address=127.0.0.1",
                f"--ssl-cert={directory / 'server.pem'}",
                f"--ssl-key={directory / 'server-key.pem'}",
                "--debug-no-sync",
                "--innodb-buffer-pool-size=32M",
                "--performance-schema=OFF",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = PrivateMariaDB(directory, port, process)
    try:
        _wait(server)
    except BaseException:
        server.stop()
        raise
    return server


def _bootstrap(directory: Path, common: list[str]) -> None:
    """Make the system tables; mariadb-install-db is of no use without the client's package."""
    (directory / "data").mkdir()
    # For localhost, too: tests make anonymous accounts, which would be in the way.
    accounts = [f"'{ADMIN}'@'{host}'" for host in ("localhost", "%")]
    password = ADMIN_PASSWORD.replace("'", "''")
    statements = "\n".join(
        [
            "CREATE DATABASE mysql;",
            "USE mysql;",
            "SET @auth_root_socket = NULL;",
            *(_script(name) for name in SCRIPTS),
            "DELETE FROM global_priv WHERE User <> 'mariadb.sys';",
            "FLUSH PRIVILEGES;",
            *(f"CREATE USER {account} IDENTIFIED BY '{password}';" for account in accounts),
            *(f"GRANT ALL ON *.* TO {account} WITH GRANT OPTION;" for account in accounts),
            "",
        ]
    )
    done = subprocess.run(
        [*common, "--bootstrap", "--debug-no-sync"],
        input=statements.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS_TO_START,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"mariadbd --bootstrap failed:\n{done.stdout.decode(errors='replace')}")


def _script(name: str) -> str:
    for directory in SCRIPT_DIRECTORIES:
        for flavour in ("mysql", "mariadb"):
            path = Path(directory) / f"{flavour}_{name}.sql"
            if path.exists():
                return path.read_text("utf-8")
    raise ServerError(f"mysql_{name}.sql is in none of {SCRIPT_DIRECTORIES}: apt-get install mariadb-server-core")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(server: PrivateMariaDB) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            server.connect().close()
        except pymysql.err.OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                log = (server.directory / "log").read_text("utf-8", "replace")
                raise ServerError(f"mariadbd did not start:\n{log}") from None
            time.sleep(0.05)
        else:
            return


def _make_certificates(directory: Path) -> None:
    """Make an authority, and a certificate of it for localhost and 127.0.0.1."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _each in range(2))
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test server")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    ca_certificate = (
        _certificate(authority, authority, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _certificate(server, authority, server_key)
        .add_extension(names, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    (directory / "ca.pem").write_bytes(ca_certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "server-key.pem").write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    today = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=2))
    )
