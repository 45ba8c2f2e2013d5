# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The database of Glance with its accounts and grants: what has to change, changing it, and telling about it."""

from __future__ import annotations

import contextlib
import re
import typing as t

from ansible.module_utils.common.text.formatters import bytes_to_human
from ansible_collections.openstack_ops.glance.plugins.module_utils._database import (
    CONNECTION_ERRORS,
    Login,
    connect,
    explain,
    run,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._database_account import (
    FUNCTION_PLUGINS,
    NATIVE_PLUGINS,
    SOCKET_PLUGINS,
    Account,
    account_name,
    host_matches,
    native_hash,
    parse_grant,
    pattern_covers,
    quote,
    specificity,
    winner,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._database_state import (
    Desired,
    Observed,
    Observer,
    Server,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.plugins.module_utils._database import Session

MASK = "********"

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str", "default": "glance"},
    "user": {"type": "str", "default": "glance"},
    "password": {"type": "str", "no_log": True},
    "hosts": {"type": "list", "elements": "str", "default": ["localhost", "%"]},
    "character_set": {"type": "str", "choices": ["utf8mb3", "utf8mb4"], "default": "utf8mb3"},
    "collation": {"type": "str"},
    "require_tls": {"type": "bool"},
    "allow_image_loss": {"type": "bool", "default": False},
}
"""What is wanted of the server, beside the options of the login."""

BOOKKEEPING_TABLES = frozenset({"alembic_version", "migrate_version"})

DATABASE_PRIVILEGES = frozenset(
    {
        "ALTER",
        "ALTER ROUTINE",
        "CREATE",
        "CREATE ROUTINE",
        "CREATE TEMPORARY TABLES",
        "CREATE VIEW",
        "DELETE",
        "DROP",
        "EVENT",
        "EXECUTE",
        "INDEX",
        "INSERT",
        "LOCK TABLES",
        "REFERENCES",
        "SELECT",
        "SHOW VIEW",
        "TRIGGER",
        "UPDATE",
    }
)
"""What every supported server means by ALL PRIVILEGES on a database."""

SHOWN_PRIVILEGES = 4
"""Where more are missing, they are not named one by one."""


class Statement(t.NamedTuple):
    """A statement, with the values for its placeholders; the secret is the last of them."""

    text: str
    values: tuple[str, ...] = ()
    secret: str = ""


def run_module(params: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Bring the database, its accounts and grants into the desired state, and return what the module reports.

    :raises GlanceError: before anything was changed, or naming the statement that failed.
    """
    desired = Desired.from_params(params)
    with contextlib.closing(connect(params)) as connection:
        observer = Observer(connection, desired, Login.from_params(params))
        observed = observer.observe()
        desired = observer.desired
        difference = compare(desired, observed)
        statements = build_statements(desired, observed, difference)
        if difference.changed:
            refuse_what_cannot_work(connection, desired, observed, difference)
        if difference.changed and not check_mode:
            apply(connection, statements)
            observed_after = observer.observe()
            refuse_what_did_not_work(compare(desired, observed_after))
        else:
            observed_after = observed
        queries = [show(connection, statement) for statement in statements]
    return report(desired, observed, observed_after, difference, queries)


def shadowing(observed: Observed, desired: Desired) -> list[Account]:
    """Return the accounts that win against one of ours for some clients, which then cannot log in as ours."""
    return [
        account
        for account in observed.foreign
        if account.host not in desired.hosts
        and any(
            host_matches(host, account.host) and specificity(account.host) > specificity(host) for host in desired.hosts
        )
    ]


def grant_target(name: str, server: Server) -> str:
    """Return the database of a GRANT, quoted: a pattern, in which the wildcards of the name are escaped.

    With partial_revokes, MySQL takes the name as it is.
    """
    return quote(name if server.partial_revokes else re.sub(r"([_%\\])", r"\\\1", name)) + ".*"


def wanted_grant(desired: Desired, server: Server) -> str:
    """Return the grant as SHOW GRANTS shows it."""
    return f"ALL PRIVILEGES ON {grant_target(desired.name, server)}".replace("%%", "%")


def other_grants(account: Account, desired: Desired, server: Server) -> list[str]:
    """Return what somebody gave to the account beyond what we give."""
    target = f" ON {grant_target(desired.name, server)}".replace("%%", "%")
    return [grant for grant in account.grants if not grant.endswith(target)]


def has_grant(account: Account, desired: Desired, server: Server) -> bool:
    """Tell whether the account has all privileges on the database, whether or not it may pass them on."""
    wanted = wanted_grant(desired, server)
    return any(grant in (wanted, f"{wanted} WITH GRANT OPTION") for grant in account.grants)


def compare(desired: Desired, observed: Observed) -> Difference:
    """Return what has to change."""
    return _compare_present(desired, observed) if desired.present else _compare_absent(desired, observed)


def _compare_absent(desired: Desired, observed: Observed) -> Difference:
    difference = Difference()
    if observed.database:
        difference.compare("database", desired.name, None)
    for host in observed.accounts:
        difference.compare(f"account {account_name(desired.user, host)}", "present", None)
    return difference


def _compare_present(desired: Desired, observed: Observed) -> Difference:
    difference = Difference()
    database = observed.database
    difference.compare("database", desired.name if database else None, desired.name)
    difference.compare("character_set", database.character_set if database else None, desired.character_set)
    if desired.collation:
        difference.compare("collation", database.collation if database else None, desired.collation)
    rotate = "wrong" in observed.proofs.values()
    for host in desired.hosts:
        _compare_account(difference, desired, observed, host, rotate)
    return difference


def _compare_account(difference: Difference, desired: Desired, observed: Observed, host: str, rotate: bool) -> None:
    name = f"account {account_name(desired.user, host)}"
    account = observed.accounts.get(host)
    difference.compare(name, "present" if account else None, "present")
    # What could not be tested goes with what was found wrong, so that a rotation reaches every account.
    proof = observed.proofs.get(host, "wrong")
    if proof == "wrong" or (proof == "unknown" and rotate):
        difference.compare(f"{name} password", object() if account else None, desired.password, secret=True)
    tls = _wanted_tls(desired, account)
    difference.compare(f"{name} tls", _tls_word(account), tls)
    held = account.grants if account else ()
    if not (account and has_grant(account, desired, observed.server)):
        difference.compare(f"{name} grants", list(held), [*held, wanted_grant(desired, observed.server)])


def _tls_word(account: t.Optional[Account]) -> t.Optional[str]:
    if account is None:
        return None
    return {"": "NONE", "ANY": "SSL"}.get(account.tls, account.tls)


def _wanted_tls(desired: Desired, account: t.Optional[Account]) -> str:
    present = _tls_word(account) or "NONE"
    if desired.require_tls is None:
        return present
    if not desired.require_tls:
        return "NONE"
    # A requirement of certain certificates is a requirement of TLS, and stays.
    return "SSL" if present == "NONE" else present


def build_statements(desired: Desired, observed: Observed, difference: Difference) -> list[Statement]:
    """Return the statements that make the difference go away, in order."""
    if not desired.present:
        drops = [Statement("DROP USER %s@%s", (desired.user, host)) for host in observed.accounts]
        return drops + ([Statement(f"DROP DATABASE {quote(desired.name)}")] if observed.database else [])
    statements = []
    target = grant_target(desired.name, observed.server)
    # The accounts come first: whether the server's policy accepts the password is what cannot be found out beforehand.
    for host in desired.hosts:
        name = f"account {account_name(desired.user, host)}"
        statements += _account_statements(desired, observed, difference, host, name)
        if f"{name} grants" in difference:
            statements.append(Statement(f"GRANT ALL PRIVILEGES ON {target} TO %s@%s", (desired.user, host)))
    return statements + _database_statements(desired, observed.server, difference)


def _database_statements(desired: Desired, server: Server, difference: Difference) -> list[Statement]:
    if not {"database", "character_set", "collation"}.intersection(difference.updates):
        return []
    verb = "CREATE" if "database" in difference else "ALTER"
    text = f"{verb} DATABASE {quote(desired.name)} CHARACTER SET {server.spell(desired.character_set)}"
    if desired.collation:
        text += f" COLLATE {server.spell(desired.collation)}"
    return [Statement(text)]


def _account_statements(
    desired: Desired, observed: Observed, difference: Difference, host: str, name: str
) -> list[Statement]:
    if not {name, f"{name} password", f"{name} tls"}.intersection(difference.updates):
        return []
    text = f"{'CREATE' if name in difference else 'ALTER'} USER %s@%s"
    secret = ""
    if f"{name} password" in difference:
        identified, secret = identified_by(desired.password, observed.server, observed.accounts.get(host))
        text += f" {identified}"
    if f"{name} tls" in difference:
        text += f" REQUIRE {difference.updates[f'{name} tls']}"
    return [Statement(text, (desired.user, host), secret)]


def identified_by(password: str, server: Server, account: t.Optional[Account]) -> tuple[str, str]:
    """Return the clause that sets a password, with one placeholder, and the value for it.

    An account that checks passwords keeps its plugin. MariaDB is sent the hash where it takes one, so that its logs and
    the network never see the password.
    """
    plugin = account.plugin if account else ""
    if server.flavour == "MySQL":
        if not account:
            return "IDENTIFIED BY %s", password
        usable = "caching_sha2_password" if plugin in SOCKET_PLUGINS or not plugin else plugin
        return f"IDENTIFIED WITH {quote(usable)} BY %s", password
    if plugin in FUNCTION_PLUGINS:
        return f"IDENTIFIED VIA {plugin} USING PASSWORD(%s)", password
    if server.validates_passwords:
        return "IDENTIFIED BY %s", password
    return "IDENTIFIED VIA mysql_native_password USING %s", native_hash(password)


def refuse_what_cannot_work(connection: Session, desired: Desired, observed: Observed, difference: Difference) -> None:
    """Find out before anything is changed what would fail half-way.

    :raises GlanceError: naming what is missing.
    """
    if observed.server.read_only:
        raise GlanceError(
            "the database server is read-only",
            cause="it is a replica, or was set so for maintenance",
            remedy="log in to the server that accepts writes (login_host)",
        )
    if not desired.present:
        refuse_image_loss(connection, desired, observed)
    elif desired.require_tls and not observed.server.offers_tls:
        raise GlanceError(
            "require_tls is true, and the database server does not offer TLS: nobody could log in as Glance any more",
            remedy="give the server a certificate (ssl_cert and ssl_key), or set require_tls: false",
        )
    if observed.server.administrator.rpartition("@")[0] == desired.user and _account_changes(difference):
        raise GlanceError(
            f"login_user and user are the same, {desired.user!r}", remedy="log in as an administrator of the server"
        )
    if "collation" in difference:
        refuse_unknown_collation(connection, desired, observed.server)
    missing = missing_privileges(connection, desired, observed, difference)
    if missing:
        raise GlanceError(
            f"the account {observed.server.administrator} that logs in lacks {', '.join(missing)}",
            remedy=f"log in as another account, or give it what it lacks: CREATE USER on *.*, and ALL PRIVILEGES on"
            f" {desired.name}.* WITH GRANT OPTION",
        )


def refuse_unknown_collation(connection: Session, desired: Desired, server: Server) -> None:
    """Have the server use the collation once.

    :raises GlanceError: with what the server says.
    """
    character_set, collation = server.spell(desired.character_set), server.spell(desired.collation or "")
    try:
        run(connection, f"SELECT CONVERT('' USING {character_set}) COLLATE {collation}")
    except CONNECTION_ERRORS as error:
        raise explain(f"checking the collation {desired.collation}", error) from error


def refuse_image_loss(connection: Session, desired: Desired, observed: Observed) -> None:
    """Refuse to drop a database that holds images, or that is not a database of Glance.

    :raises GlanceError: with the number of the images and their size.
    """
    tables = observed.database.tables if observed.database else {}
    if set(tables) <= BOOKKEEPING_TABLES:
        return
    if "images" not in tables:
        raise GlanceError(
            f"the database {desired.name!r} has {len(tables)} tables and none of them is images: it is not Glance's",
            remedy="correct name, or drop the database yourself",
        )
    if desired.allow_image_loss:
        return
    doing = f"counting the images in the database {desired.name!r}"
    try:
        number, size = run(
            connection,
            f"SELECT COUNT(*), SUM(size) FROM {quote(desired.name)}.images WHERE deleted = 0",  # noqa: S608
        )[0]
    except CONNECTION_ERRORS as error:
        raise explain(doing, error) from error
    if number:
        raise GlanceError(
            f"the database {desired.name!r} holds {number} images of {bytes_to_human(int(size or 0))} in total",
            remedy="delete the images first, or set allow_image_loss: true when their loss is meant",
        )


def missing_privileges(connection: Session, desired: Desired, observed: Observed, difference: Difference) -> list[str]:
    """Return the privileges that the account that logs in needs for the difference and does not have."""
    everywhere, on_database = _own_privileges(connection, desired.name)
    needed_everywhere, needed = _needed_privileges(desired, observed, difference)
    missing = sorted(needed_everywhere - everywhere)
    missing_there = sorted(needed - everywhere - on_database)
    if len(missing_there) > SHOWN_PRIVILEGES:
        missing_there = ["ALL PRIVILEGES WITH GRANT OPTION"]
    return missing + [f"{privilege} ON {desired.name}.*" for privilege in missing_there]


def _needed_privileges(desired: Desired, observed: Observed, difference: Difference) -> tuple[set[str], set[str]]:
    names = set(difference.updates)
    needed: set[str] = set()
    if not desired.present:
        needed.update({"DROP"} if observed.database else set())
    elif "database" in names:
        needed.add("CREATE")
    elif names.intersection({"character_set", "collation"}):
        needed.add("ALTER")
    if any(name.endswith(" grants") for name in names):
        needed.update(DATABASE_PRIVILEGES, {"GRANT OPTION"})
    return ({"CREATE USER"} if _account_changes(difference) else set()), needed


def _account_changes(difference: Difference) -> bool:
    return any(name.startswith("account ") and not name.endswith(" grants") for name in difference.updates)


def _own_privileges(connection: Session, name: str) -> tuple[set[str], set[str]]:
    try:
        rows = run(connection, "SHOW GRANTS")
    except CONNECTION_ERRORS as error:
        raise explain("reading the privileges of the account that logs in", error) from error
    everywhere: set[str] = set()
    on_database: set[str] = set()
    for row in rows:
        privileges, _on, target = parse_grant(str(row[0])).rpartition(" ON ")
        target, may_grant, _end = target.partition(" WITH GRANT OPTION")
        given = set(privileges.split(", ")) | ({"GRANT OPTION"} if may_grant else set())
        if "ALL PRIVILEGES" in given:
            given |= DATABASE_PRIVILEGES | ({"CREATE USER"} if target == "*.*" else set())
        if target == "*.*":
            everywhere |= given
        elif target.startswith("`") and target.endswith("`.*") and pattern_covers(target[1:-3], name):
            on_database |= given
    return everywhere, on_database


def apply(connection: Session, statements: t.Iterable[Statement]) -> None:
    """Execute the statements.

    :raises GlanceError: naming the one that failed, its secret masked.
    """
    for statement in statements:
        values = statement.values + ((statement.secret,) if statement.secret else ())
        try:
            run(connection, statement.text, values)
        except CONNECTION_ERRORS as error:
            raise explain(f"executing {show(connection, statement)}", error, secret=statement.secret) from error


def show(connection: Session, statement: Statement) -> str:
    """Return a statement for people to read, its secret masked."""
    values = statement.values + ((MASK,) if statement.secret else ())
    with connection.cursor() as cursor:
        return str(cursor.mogrify(statement.text, values))


def refuse_what_did_not_work(remaining: Difference) -> None:
    """Make sure that the server has what it was told.

    :raises GlanceError: when it accepted every statement, and still differs.
    """
    if remaining.changed:
        raise GlanceError(
            f"the server accepted every statement, and these still differ: {', '.join(sorted(remaining.updates))}",
            cause="somebody else changed them at the same time, or a proxy reads from another server than it writes to",
            remedy="run again; log in to the server itself",
        )


def report(
    desired: Desired, observed: Observed, after: Observed, difference: Difference, queries: list[str]
) -> dict[str, t.Any]:
    """Return what the module returns."""
    shadows = shadowing(after, desired) if desired.present else []
    return {
        "changed": difference.changed,
        "diff": difference.as_diff(),
        "server": {
            "flavour": after.server.flavour,
            "version": after.server.version,
            "comment": after.server.comment,
        },
        "database": _report_database(desired, after, difference),
        "accounts": [_report_account(desired, observed, after, difference, host) for host in desired.hosts],
        "other_accounts": [account.host for account in after.foreign if account.user == desired.user],
        "shadowed_by": [{"user": account.user, "host": account.host} for account in shadows],
        "queries": queries,
        "warnings": _warnings(desired, observed, after, difference, shadows),
    }


def _report_database(desired: Desired, after: Observed, difference: Difference) -> dict[str, t.Any]:
    database = after.database
    return {
        "name": desired.name,
        "created": desired.present and "database" in difference,
        "character_set": difference.updates.get("character_set", database.character_set if database else None),
        "collation": difference.updates.get("collation", database.collation if database else None),
        "tables_with_other_character_set": _other_tables(desired, after),
    }


def _other_tables(desired: Desired, after: Observed) -> list[str]:
    tables = after.database.tables if after.database else {}
    return sorted(n for n, collation in tables.items() if collation and not collation.startswith(desired.character_set))


def _report_account(
    desired: Desired, observed: Observed, after: Observed, difference: Difference, host: str
) -> dict[str, t.Any]:
    name = f"account {account_name(desired.user, host)}"
    account = after.accounts.get(host)
    proof = after.proofs.get(host)
    return {
        "host": host,
        "created": desired.present and name in difference,
        "dropped": not desired.present and name in difference,
        "password_changed": f"{name} password" in difference and host in observed.accounts,
        "password_verified_by": proof if proof in ("login", "hash") else None,
        "plugin": (account.plugin or NATIVE_PLUGINS[0]) if account else None,
        "tls": difference.updates.get(f"{name} tls", _tls_word(account)),
        "grants_changed": f"{name} grants" in difference,
        "other_grants": other_grants(account, desired, after.server) if account else [],
    }


def _warnings(
    desired: Desired, observed: Observed, after: Observed, difference: Difference, shadows: list[Account]
) -> list[str]:
    warnings = [
        f"The account {account_name(account.user, account.host)} shadows {desired.user!r}: a login from a host that it"
        f" covers is taken for it. Drop it, or list its host in hosts."
        for account in shadows
    ]
    if desired.present:
        warnings += _password_warnings(desired, after)
        warnings += _extra_warnings(desired, after)
    others = _other_tables(desired, observed)
    if observed.database and others and "character_set" in difference:
        warnings.append(
            f"The default character set of the database {desired.name!r} changes, its tables stay as they are:"
            f" {len(others)} of them have another one ({', '.join(others[:5])}{', ...' if len(others) > 5 else ''})."
        )
    return warnings


def _password_warnings(desired: Desired, after: Observed) -> list[str]:
    because = f": {after.trial.answer}" if after.trial.answer else ""
    unknown = [account_name(desired.user, host) for host, proof in after.proofs.items() if proof == "unknown"]
    warnings = [f"The password of {', '.join(unknown)} could not be tested from here{because}"] if unknown else []
    expected = winner(after.server.client_host, [*after.accounts.values(), *after.foreign])
    if expected and not expected.tls and after.trial.answer and after.proofs.get(expected.host) == "hash":
        warnings.append(
            f"The account {account_name(expected.user, expected.host)} has the right password, and a login from here"
            f" does not work{because}"
        )
    return warnings


def _extra_warnings(desired: Desired, after: Observed) -> list[str]:
    return [
        f"The account {account_name(desired.user, host)} has grants that this module does not give, and leaves alone:"
        f" {'; '.join(extra)}"
        for host, account in after.accounts.items()
        for extra in [other_grants(account, desired, after.server)]
        if extra
    ]
