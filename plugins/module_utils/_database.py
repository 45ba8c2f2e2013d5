# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Logging in to MariaDB or MySQL, a lock held there, and their failures told in one sentence."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import ssl
import traceback
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

IMPORT_ERROR: t.Optional[str] = None
try:
    import pymysql
    import pymysql.err
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

if t.TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

    Session = Connection[Cursor]

MINIMUM_DRIVER = (0, 9, 3)
DEFAULT_PORT = 3306
DEFAULT_TIMEOUT = 10

LOGIN_ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "login_host": {"type": "str"},
    "login_port": {"type": "int"},
    "login_user": {"type": "str"},
    "login_password": {"type": "str", "no_log": True},
    "login_unix_socket": {"type": "path"},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca"]},
    "client_cert": {"type": "path", "aliases": ["ssl_cert"]},
    "client_key": {"type": "path", "no_log": False, "aliases": ["ssl_key"]},
    "check_hostname": {"type": "bool", "default": True},
    "connect_timeout": {"type": "int", "default": DEFAULT_TIMEOUT},
    "config_file": {"type": "path"},
}
"""The argument spec that goes with the documentation fragment ``_database``."""

LOGIN_REQUIRED_TOGETHER = [["client_cert", "client_key"]]

# Backslashes escape in literals and double quotes are literals: what PyMySQL's escaping and the reading of SHOW GRANTS
# rely on, whatever the server's default is.
_SQL_MODE = "STRICT_ALL_TABLES"

# A lock lives as long as its session, and a migration may take hours in which this session is idle.
_LOCK_SESSION_SECONDS = 7 * 24 * 3600

ACCESS_DENIED = (1045, 1698)
ACCOUNT_LOCKED = (3118, 4151)


@dataclasses.dataclass(frozen=True)
class Login:
    """Where to log in, and as whom. None leaves a value to the configuration file or to PyMySQL."""

    host: t.Optional[str] = None
    port: t.Optional[int] = None
    unix_socket: t.Optional[str] = None
    user: t.Optional[str] = None
    password: t.Optional[str] = dataclasses.field(default=None, repr=False)
    ca_cert: t.Optional[str] = None
    client_cert: t.Optional[str] = None
    client_key: t.Optional[str] = None
    check_hostname: bool = True
    timeout: int = DEFAULT_TIMEOUT
    config_file: t.Optional[str] = None
    database: t.Optional[str] = None
    encrypt_socket: bool = False
    """Use TLS on the Unix socket, for an account that requires it."""

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any], database: t.Optional[str] = None) -> Login:
        """Return the login that the options of LOGIN_ARGUMENT_SPEC describe."""
        return cls(
            host=params.get("login_host"),
            port=params.get("login_port"),
            unix_socket=params.get("login_unix_socket"),
            user=params.get("login_user"),
            password=params.get("login_password"),
            ca_cert=params.get("ca_cert"),
            client_cert=params.get("client_cert"),
            client_key=params.get("client_key"),
            check_hostname=params.get("check_hostname") is not False,
            timeout=params.get("connect_timeout") or DEFAULT_TIMEOUT,
            config_file=params.get("config_file"),
            database=database,
        )

    @property
    def verifies_tls(self) -> bool:
        """Whether the connection has to be encrypted, to a server whose certificate is verified."""
        return bool(self.client_cert or (self.ca_cert and not self.unix_socket))

    def __str__(self) -> str:
        if self.unix_socket:
            place = self.unix_socket
        elif self.config_file and not self.host:
            place = f"that {self.config_file} names"
        else:
            place = f"{self.host or 'localhost'}:{self.port or DEFAULT_PORT}"
        who = f" as {self.user!r}" if self.user else ""
        return f"the database server {place}{who}"


def require_driver() -> None:
    """Refuse to go on without a usable PyMySQL.

    :raises GlanceError: when it is missing or too old.
    """
    wanted = ".".join(str(number) for number in MINIMUM_DRIVER)
    remedy = (
        f"install PyMySQL >= {wanted} for the Python that runs the module"
        " (the package python3-pymysql on Debian and Ubuntu, PyMySQL in a virtual environment)"
    )
    if IMPORT_ERROR is not None:
        raise GlanceError("PyMySQL cannot be imported", remedy=remedy)
    if pymysql.VERSION[:3] < MINIMUM_DRIVER:
        found = ".".join(str(number) for number in pymysql.VERSION[:3])
        raise GlanceError(f"PyMySQL {found} is too old", remedy=remedy)


def connect(params: t.Mapping[str, t.Any], *, database: t.Optional[str] = None, read_only: bool = False) -> Session:
    """Log in with the options of LOGIN_ARGUMENT_SPEC. The caller closes the connection.

    :param params: the parameters of the module.
    :param database: the database to use.
    :param read_only: have the server refuse every change of data that this session attempts.
    :raises GlanceError: when the server cannot be reached or refuses the login.
    """
    login = Login.from_params(params, database)
    doing = f"logging in to {login}"
    try:
        connection = open_session(login)
        run(connection, "SET SESSION sql_mode = %s", (_SQL_MODE,))
        if read_only:
            run(connection, "SET SESSION TRANSACTION READ ONLY")
    except CONNECTION_ERRORS as error:
        raise explain(doing, error) from error
    return connection


def check_login(
    host: str,
    port: int,
    user: str,
    password: str,
    database: t.Optional[str] = None,
    ca_cert: t.Optional[str] = None,
    timeout: int = DEFAULT_TIMEOUT,
    *,
    client_cert: t.Optional[str] = None,
    client_key: t.Optional[str] = None,
    check_hostname: bool = True,
) -> None:
    """Log in over TCP and ask for something.

    :raises GlanceError: when that does not work, saying why.
    """
    login = Login(
        host=host,
        port=port,
        user=user,
        password=password,
        database=database,
        ca_cert=ca_cert,
        client_cert=client_cert,
        client_key=client_key,
        check_hostname=check_hostname,
        timeout=timeout,
    )
    doing = f"logging in to {login}" + (f", database {database!r}" if database else "")
    try:
        with contextlib.closing(open_session(login)) as connection:
            run(connection, "SELECT 1")
    except CONNECTION_ERRORS as error:
        raise explain(doing, error) from error


@contextlib.contextmanager
def advisory_lock(connection: Session, name: str, timeout: int) -> t.Iterator[None]:
    """Hold a named lock on the database server, so that no two nodes do the same thing at once.

    It is released when the session ends, however that happens. On a Galera cluster it holds on one node only.

    :param name: the name, of at most 64 characters.
    :param timeout: how many seconds to wait while another session holds it.
    :raises GlanceError: when it could not be had, or was lost while it was needed.
    """
    doing = f"taking the lock {name!r} on the database server"
    try:
        run(connection, "SET SESSION wait_timeout = %s", (_LOCK_SESSION_SECONDS,))
        granted = run(connection, "SELECT GET_LOCK(%s, %s)", (name, timeout))[0][0]
        if granted != 1:
            raise GlanceError(
                doing,
                answer=f"{_lock_holder(connection, name)} still holds it after {timeout} s",
                cause="the same work is being done on another node",
                remedy="wait until it has ended, then run again",
            )
    except CONNECTION_ERRORS as error:
        raise explain(doing, error) from error
    try:
        yield
    except BaseException:
        with contextlib.suppress(*CONNECTION_ERRORS):
            _release_lock(connection, name)
        raise
    try:
        released = _release_lock(connection, name)
    except CONNECTION_ERRORS as error:
        raise explain(f"releasing the lock {name!r} on the database server", error) from error
    if not released:
        raise GlanceError(
            f"the lock {name!r} on the database server was lost while it was needed",
            cause="the session was ended by an administrator, or the server was restarted",
            remedy="run again: another node may have done the same work at the same time",
        )


def _release_lock(connection: Session, name: str) -> bool:
    return bool(run(connection, "SELECT RELEASE_LOCK(%s)", (name,))[0][0] == 1)


def _lock_holder(connection: Session, name: str) -> str:
    rows = run(
        connection,
        "SELECT ID, USER, HOST FROM information_schema.PROCESSLIST WHERE ID = IS_USED_LOCK(%s)",
        (name,),
    )
    return "connection {} of {!r} from {}".format(*rows[0]) if rows else "another session"


def run(connection: Session, statement: str, values: t.Sequence[t.Any] = ()) -> tuple[tuple[t.Any, ...], ...]:
    """Execute one statement and return all rows of its answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, tuple(values))
        return tuple(cursor.fetchall())


def open_session(login: Login) -> Session:
    """Log in, and make sure that the connection is encrypted where that was asked for.

    The exceptions of PyMySQL go through, for callers that want to tell them apart (see CONNECTION_ERRORS).

    :raises GlanceError: when a file that the login names is unusable.
    """
    require_driver()
    if login.config_file and not os.access(login.config_file, os.R_OK):
        raise GlanceError(f"reading config_file {login.config_file}", answer="it is missing or not readable")
    options: dict[str, t.Any] = {
        "host": login.host,
        "port": login.port or (0 if login.config_file else DEFAULT_PORT),
        "unix_socket": login.unix_socket,
        "user": login.user,
        "password": login.password.encode() if login.password else b"",
        "database": login.database,
        "ssl": _tls_context(login),
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": login.timeout,
        "read_timeout": login.timeout,
        "read_default_file": login.config_file,
    }
    connection = pymysql.connect(**{name: value for name, value in options.items() if value is not None})
    # A server that accepts and says nothing must not hang us; a long statement later on may take its time.
    connection._read_timeout = None  # type: ignore[attr-defined]
    if login.verifies_tls and not run(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]:
        connection.close()
        raise pymysql.err.OperationalError(2026, "the server does not offer TLS")
    return connection


def _tls_context(login: Login) -> t.Optional[ssl.SSLContext]:
    if not login.verifies_tls and not (login.unix_socket and login.encrypt_socket):
        return None
    try:
        context = ssl.create_default_context(cafile=login.ca_cert)
        if login.client_cert:
            context.load_cert_chain(login.client_cert, login.client_key)
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(name for name in (login.ca_cert, login.client_cert, login.client_key) if name)
        raise GlanceError(
            f"reading the TLS files {names}",
            answer=str(error),
            cause="a file that is missing, not readable, or not in PEM format",
            remedy="correct ca_cert, client_cert or client_key; they are read where the task runs",
        ) from error
    # Python 3.13 refuses authorities without a key usage, as the ones that MySQL and MariaDB generate.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # The other end of a local socket needs no proof of its name.
    context.check_hostname = login.check_hostname and not login.unix_socket
    if not login.verifies_tls:
        context.verify_mode = ssl.CERT_NONE
    return context


if IMPORT_ERROR is None:
    # RuntimeError is what PyMySQL raises when an authentication method needs a package that is not there.
    CONNECTION_ERRORS: tuple[type[Exception], ...] = (pymysql.err.Error, OSError, RuntimeError)
else:
    CONNECTION_ERRORS = (OSError, RuntimeError)

_NETWORK_CAUSES: tuple[tuple[type[BaseException], str, str], ...] = (
    (
        ssl.SSLCertVerificationError,
        "a certificate of another authority, for another name, or out of date",
        "give the authority's certificate as ca_cert, and the name that stands in the server's certificate as host",
    ),
    (ssl.SSLError, "the server does not speak TLS as it should", "check the TLS settings of the server"),
    (socket.gaierror, "a misspelt host name, or a name server that does not know it", "correct the host name"),
    (FileNotFoundError, "no server runs here, or its socket is elsewhere", "check login_unix_socket and the server"),
    (PermissionError, "the operating-system user may not use the socket", "run the task with become: true"),
    (
        ConnectionRefusedError,
        "no server listens there: it is down, on another port, or listens on another address (bind_address)",
        "check the host, the port and the server",
    ),
    (TimeoutError, "a firewall or a wrong address", "check the route, the firewall and the address"),
    (socket.timeout, "a firewall or a wrong address", "check the route, the firewall and the address"),
)

_PRIVILEGE = ("the account that logs in lacks a privilege", "log in as an administrator of the database server")
_LIMIT = ("a limit of the server or of the account", "wait, or raise the limit (max_connections, max_user_connections)")
_EXPIRED = ("the password of the account has expired", "set the password again")

_SERVER_CAUSES: dict[int, tuple[str, str]] = {
    1040: _LIMIT,
    1044: _PRIVILEGE,
    1045: (
        "a wrong user or password, no account of this user for the host that the login comes from, or an account that"
        " requires TLS and a login without ca_cert",
        "check the user, the password, and the hosts of the account",
    ),
    1049: ("the database was not made yet, or has another name", "make the database, or correct its name"),
    1129: ("too many failed connections from here", "find out what causes them, then run FLUSH HOSTS on the server"),
    1130: ("no account is allowed to log in from this host", "make an account for this host, or for '%'"),
    1142: _PRIVILEGE,
    1203: _LIMIT,
    1226: _LIMIT,
    1227: _PRIVILEGE,
    1290: ("an option of the server forbids it", "log in to the server that accepts writes"),
    1410: _PRIVILEGE,
    1524: (
        "the account uses an authentication plugin that the server has not loaded",
        "load it, or change the account",
    ),
    1698: (
        "the account is for an operating-system user (unix_socket)",
        "run the task as that user (become: true) with login_unix_socket, or log in as another account",
    ),
    1792: ("the session is read-only", ""),
    1819: ("the password policy of the server", "choose a password that it accepts"),
    1820: _EXPIRED,
    1862: _EXPIRED,
    2006: ("the server was stopped or ended the session", "check the server, then run again"),
    2013: ("the server was stopped, ended the session, or is not a MySQL server", "check the server and the port"),
    2026: ("the server was set up without a certificate", "set up TLS on the server, or leave ca_cert out"),
    2059: ("an authentication method that PyMySQL does not know", "give the account another method"),
    3118: ("the account is locked", "ALTER USER ... ACCOUNT UNLOCK, when it shall be used again"),
    3159: ("the server accepts encrypted connections only", "give ca_cert"),
    4151: ("the account is locked", "ALTER USER ... ACCOUNT UNLOCK, when it shall be used again"),
}


def error_number(error: BaseException) -> int:
    """Return the number of a server's or of PyMySQL's error, 0 when it has none."""
    number = error.args[0] if error.args else 0
    return number if isinstance(number, int) else 0


def explain(doing: str, error: BaseException, *, secret: str = "") -> GlanceError:
    """Return the error that tells what an exception of PyMySQL means.

    :param doing: what was being done, and to what.
    :param secret: never shown, although the server may repeat a part of the statement.
    """
    number = error_number(error)
    text = " ".join(str(error.args[-1] if error.args else error).split())
    if secret:
        # A syntax error quotes the statement, cut off and escaped.
        text = "the server does not understand the statement" if number == 1064 else text.replace(secret, "********")
    answer = f"{text} (error {number})" if number else text
    original = getattr(error, "original_exception", error)
    for kind, cause, remedy in _NETWORK_CAUSES:
        if isinstance(original, kind):
            return GlanceError(doing, answer=answer, cause=cause, remedy=remedy)
    cause, remedy = _SERVER_CAUSES.get(number, ("", ""))
    return GlanceError(doing, answer=answer, cause=cause, remedy=remedy)
