# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The database of Glance and its accounts: what the operator wants, and what is there."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._database import (
    ACCESS_DENIED,
    ACCOUNT_LOCKED,
    CONNECTION_ERRORS,
    Login,
    error_number,
    explain,
    open_session,
    run,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._database_account import (
    SOCKET_PLUGINS,
    Account,
    native_hash,
    parse_grant,
    winner,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.plugins.module_utils._database import Session

MINIMUM_VERSION = {"MariaDB": (10, 5), "MySQL": (8, 0)}

SYSTEM_DATABASES = ("information_schema", "mysql", "performance_schema", "sys")
SYSTEM_USERS = ("root", "mysql", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema")


@dataclasses.dataclass(frozen=True)
class Desired:
    """What the operator wants."""

    name: str
    user: str
    password: str = dataclasses.field(repr=False)
    hosts: tuple[str, ...]
    character_set: str
    collation: t.Optional[str]
    require_tls: t.Optional[bool]
    present: bool
    allow_image_loss: bool

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Desired:
        """Return what the module's options say.

        :raises GlanceError: when they cannot be meant.
        """
        collation = _modern(params["collation"].lower()) if params["collation"] else None
        desired = cls(
            name=params["name"],
            user=params["user"],
            password=params["password"] or "",
            hosts=tuple(dict.fromkeys(host.strip().lower() for host in params["hosts"])),
            character_set=params["character_set"],
            collation=collation,
            require_tls=params["require_tls"],
            present=params["state"] == "present",
            allow_image_loss=params["allow_image_loss"],
        )
        desired.check()
        return desired

    def check(self) -> None:
        """Refuse what no server accepts, and what would harm it."""
        if self.name.lower() in SYSTEM_DATABASES:
            raise GlanceError(f"name is {self.name!r}, a database of the server itself", remedy="name another one")
        if not 1 <= len(self.name) <= 64 or self.name != self.name.rstrip():
            raise GlanceError(f"name is {self.name!r}", remedy="give 1 to 64 characters, the last one not a space")
        if self.user.lower() in SYSTEM_USERS:
            raise GlanceError(f"user is {self.user!r}, an account of the server itself", remedy="name another one")
        if not self.user:
            raise GlanceError("user is empty", remedy="name the account that Glance uses")
        if not self.hosts or "" in self.hosts:
            raise GlanceError(
                "hosts is empty or has an empty element", remedy="give at least one host; '%' is any host"
            )
        if self.present and not self.password:
            raise GlanceError("password is empty", remedy="give the password of the account that Glance uses")
        if self.collation and not re.fullmatch(rf"{self.character_set}_[a-z0-9_]+", self.collation):
            raise GlanceError(
                f"collation is {self.collation!r}, which is not one of {self.character_set}",
                remedy=f"give a collation that begins with {self.character_set}_, or leave it out",
            )


@dataclasses.dataclass(frozen=True)
class Server:
    """What the server says about itself and about us."""

    version: str
    comment: str
    read_only: bool
    lower_case: bool
    administrator: str
    client_host: str
    offers_tls: bool = True
    partial_revokes: bool = False
    """MySQL: the database of a GRANT is a name, not a pattern."""
    validates_passwords: bool = False
    """A plugin judges passwords; MariaDB then refuses hashes."""

    @property
    def flavour(self) -> str:
        """``MariaDB`` or ``MySQL``."""
        return "MariaDB" if "mariadb" in self.version.lower() else "MySQL"

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version as numbers."""
        return tuple(int(number) for number in re.findall(r"\d+", self.version.partition("-")[0])[:3])

    def spell(self, character_set_or_collation: str) -> str:
        """Return a name as this server spells it: utf8mb3 is called utf8 by MariaDB before 10.6."""
        if self.flavour == "MariaDB" and self.numbers < (10, 6):
            return re.sub(r"^utf8mb3(?=_|$)", "utf8", character_set_or_collation)
        return character_set_or_collation


@dataclasses.dataclass(frozen=True)
class Database:
    """A database as the server has it."""

    character_set: str
    collation: str
    tables: t.Mapping[str, str]
    """The tables, each with its collation."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """What a login with the desired password showed."""

    worked_as: str = ""
    """The host of the account that the server took us for."""
    denied: bool = False
    encrypted: bool = False
    answer: str = ""
    """What the server answered when it did not work."""


@dataclasses.dataclass(frozen=True)
class Observed:
    """Everything that is there."""

    server: Server
    database: t.Optional[Database]
    accounts: t.Mapping[str, Account]
    """Our accounts, by host."""
    foreign: tuple[Account, ...]
    """Anonymous accounts, and accounts of our user for hosts that we were not told about."""
    proofs: t.Mapping[str, str]
    """How we know about the password of each of our accounts: login, hash, wrong or unknown."""
    trial: Trial


class Observer:
    """Reads what is there; may be asked again."""

    def __init__(self, connection: Session, desired: Desired, login: Login) -> None:
        self._connection = connection
        self._login = login
        try:
            self.server = self._read_server()
        except CONNECTION_ERRORS as error:
            raise explain("reading the version of the database server", error) from error
        self.desired = dataclasses.replace(desired, name=desired.name.lower()) if self.server.lower_case else desired

    def observe(self) -> Observed:
        """Read everything.

        :raises GlanceError: when something may not be read.
        """
        doing = f"reading the database {self.desired.name!r} and the accounts of {self.desired.user!r}"
        try:
            database = self._read_database()
            accounts = self._read_accounts()
        except CONNECTION_ERRORS as error:
            raise explain(doing, error) from error
        ours = {a.host: a for a in accounts if self._is_ours(a)}
        foreign = tuple(a for a in accounts if not self._is_ours(a))
        trial = self._try_login(ours) if self.desired.present else Trial()
        expected = winner(self.server.client_host, accounts)
        proofs = {host: prove(account, trial, expected, self.desired.password) for host, account in ours.items()}
        return Observed(self.server, database, ours, foreign, proofs, trial)

    def _is_ours(self, account: Account) -> bool:
        return account.user == self.desired.user and account.host in self.desired.hosts

    def _read_server(self) -> Server:
        row = run(
            self._connection,
            "SELECT VERSION(), @@version_comment, @@global.read_only, @@lower_case_table_names, CURRENT_USER(), USER()",
        )[0]
        server = Server(
            version=str(row[0]),
            comment=str(row[1]),
            read_only=str(row[2]).upper() not in ("0", "OFF"),
            lower_case=int(row[3]) > 0,
            administrator=str(row[4]),
            client_host=str(row[5]).rpartition("@")[2].lower(),
        )
        if server.numbers[:2] < MINIMUM_VERSION[server.flavour]:
            wanted = ".".join(str(number) for number in MINIMUM_VERSION[server.flavour])
            raise GlanceError(
                f"the database server is {server.flavour} {server.version}",
                remedy=f"use {server.flavour} {wanted} or later",
            )
        variables = dict(
            run(self._connection, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('have_ssl', 'partial_revokes')")
        )
        plugins = run(
            self._connection,
            "SELECT 1 FROM information_schema.PLUGINS"
            " WHERE PLUGIN_TYPE = 'PASSWORD VALIDATION' AND PLUGIN_STATUS = 'ACTIVE'",
        )
        return dataclasses.replace(
            server,
            # MySQL 8.4 does not have the variable, and TLS unless it was taken away.
            offers_tls=variables.get("have_ssl", "YES") == "YES",
            partial_revokes=variables.get("partial_revokes") == "ON",
            validates_passwords=bool(plugins),
        )

    def _read_database(self) -> t.Optional[Database]:
        rows = run(
            self._connection,
            "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
            " WHERE SCHEMA_NAME = %s",
            (self.desired.name,),
        )
        for name, character_set, collation in rows:
            if name == self.desired.name:
                tables = run(
                    self._connection,
                    "SELECT TABLE_NAME, TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s",
                    (name,),
                )
                # A view has no collation.
                return Database(_modern(character_set), _modern(collation), {n: _modern(c or "") for n, c in tables})
        return None

    def _read_accounts(self) -> list[Account]:
        rows = run(
            self._connection,
            "SELECT User, Host, plugin, authentication_string, ssl_type, password_expired FROM mysql.user"
            " WHERE User IN (%s, '')",
            (self.desired.user,),
        )
        accounts = []
        for row in rows:
            user, host, plugin, stored, tls, expired = ("" if value is None else _text(value) for value in row)
            account = Account(user, host.lower(), plugin, stored, tls, expired == "Y")
            # A role of MariaDB has no host.
            if host:
                accounts.append(self._with_grants(account) if self._is_ours(account) else account)
        return accounts

    def _with_grants(self, account: Account) -> Account:
        rows = run(self._connection, "SHOW GRANTS FOR %s@%s", (account.user, account.host))
        grants = (parse_grant(str(row[0])) for row in rows)
        return dataclasses.replace(account, grants=tuple(g for g in grants if g not in ("USAGE ON *.*", "")))

    def _try_login(self, ours: t.Mapping[str, Account]) -> Trial:
        password = self.desired.password
        if not any(not account.is_native or account.stored == native_hash(password) for account in ours.values()):
            # Known to be wrong everywhere: a server may count failures, and lock the account.
            return Trial()
        login = dataclasses.replace(
            self._login,
            user=self.desired.user,
            password=password,
            client_cert=None,
            client_key=None,
            encrypt_socket=any(account.tls for account in ours.values()),
        )
        encrypted = login.verifies_tls or bool(login.unix_socket and login.encrypt_socket)
        try:
            with contextlib.closing(open_session(login)) as connection:
                worked_as = str(run(connection, "SELECT CURRENT_USER()")[0][0])
        except CONNECTION_ERRORS as error:
            if error_number(error) in ACCOUNT_LOCKED:
                raise explain(f"logging in to {login}", error) from error
            failure = explain("", error)
            return Trial(denied=error_number(error) in ACCESS_DENIED, encrypted=encrypted, answer=failure.answer)
        user, _at, host = worked_as.rpartition("@")
        return Trial(worked_as=host.lower() if user == self.desired.user else "", encrypted=encrypted)


def prove(account: Account, trial: Trial, expected: t.Optional[Account], password: str) -> str:
    """Tell how we know whether the account has the desired password: ``login``, ``hash``, ``wrong`` or ``unknown``.

    :param expected: the account that the server takes a login from here for.
    """
    if account.plugin in SOCKET_PLUGINS or account.expired:
        return "wrong"
    if trial.worked_as == account.host:
        return "login"
    if account.is_native:
        return "hash" if account.stored == native_hash(password) else "wrong"
    tls_suffices = not account.tls or (account.tls == "ANY" and trial.encrypted)
    if trial.denied and expected == account and tls_suffices:
        return "wrong"
    return "unknown"


def _modern(character_set_or_collation: str) -> str:
    return re.sub(r"^utf8(?=_|$)", "utf8mb3", character_set_or_collation)


def _text(value: t.Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
