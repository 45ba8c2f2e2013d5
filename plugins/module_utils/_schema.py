# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The database schema of Glance: glance-manage decides and works, one node at a time."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.openstack_ops.glance.plugins.module_utils import _metadefs as metadefs
from ansible_collections.openstack_ops.glance.plugins.module_utils._database import (
    CONNECTION_ERRORS,
    advisory_lock,
    explain,
    run,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.plugins.module_utils._database import Session
    from ansible_collections.openstack_ops.glance.plugins.module_utils._schema_trust import Trust

_DATABASE_SPEC: dict[str, dict[str, t.Any]] = {
    "host": {"type": "str", "default": "localhost"},
    "port": {"type": "int", "default": 3306},
    "unix_socket": {"type": "path"},
    "name": {"type": "str", "default": "glance"},
    "user": {"type": "str", "default": "glance"},
    "password": {"type": "str", "no_log": True},
    "ca_cert": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "check_hostname": {"type": "bool", "default": True},
    "connect_timeout": {"type": "int", "default": 10},
}

_ADMIN_SPEC: dict[str, dict[str, t.Any]] = {
    "login_host": {"type": "str"},
    "login_port": {"type": "int"},
    "login_user": {"type": "str"},
    "login_password": {"type": "str", "no_log": True},
    "login_unix_socket": {"type": "path"},
    "ca_cert": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "check_hostname": {"type": "bool", "default": True},
    "connect_timeout": {"type": "int", "default": 10},
}

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["synced", "expanded", "migrated", "contracted"], "default": "synced"},
    "database": {
        "type": "dict",
        "required": True,
        "options": _DATABASE_SPEC,
        "required_together": [["client_cert", "client_key"]],
    },
    "admin": {"type": "dict", "options": _ADMIN_SPEC, "required_together": [["client_cert", "client_key"]]},
    "admin_note": {"type": "path", "default": "/var/backups/glance/log_bin_trust_function_creators"},
    "load_metadefs": {"type": "bool", "default": False},
    "metadefs_path": {"type": "path", "default": "/etc/glance/metadefs"},
    "metadefs_merge": {"type": "bool", "default": True},
    "metadefs_prefer_new": {"type": "bool", "default": False},
    "config_files": {"type": "list", "elements": "path", "default": ["/etc/glance/glance-api.conf"]},
    "command": {"type": "str", "default": "glance-manage"},
    "user": {"type": "str", "default": "glance"},
    "lock_timeout": {"type": "int", "default": 300},
    "timeout": {"type": "int", "default": 3600},
}
"""The argument spec of the module schema."""

NEXT_PHASE = {0: "", 3: "expand", 4: "migrate", 5: "contract"}
"""What each exit code of ``glance-manage db check`` says has to be done next."""

REACHED = {"expand": "outdated", "migrate": "expanded", "contract": "migrated", "": "synced"}
"""The schema's state while a phase is the next one."""

PHASES_TO_STATE = {
    "expanded": ("expand",),
    "migrated": ("expand", "migrate"),
    "contracted": ("expand", "migrate", "contract"),
    "synced": ("expand", "migrate", "contract"),
}

BEFORE_TRIGGERS = {"liberty", "mitaka01", "mitaka02"}
"""The revisions below ``ocata_expand01``, the only migration that makes triggers."""

GLANCE_TABLES = re.compile(
    r"images|image_(locations|members|properties|tags)|tasks|task_info|cached_images|node_reference|alembic_version"
    r"|metadef_(namespaces|namespace_resource_types|objects|properties|resource_types|tags)"
    r"|artifacts|artifact_(blob_locations|blobs|dependencies|properties|tags)"
)

LOG_PREFIX = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ \d+ (?P<level>[A-Z]+) \S+ ?(\[[^]]*\] ?)?")
"""What oslo.log puts in front of each line, those of a traceback too."""

COLOUR = re.compile(r"\x1b\[[\d;]*m")

TIMED_OUT = 124
"""The exit code of timeout(1) when it had to end the command."""

CAUSES = (
    (
        r"\((1044|1045|1698), ",
        "a wrong password in the configuration, or an account that may not log in from this node",
        "compare [database] connection in {files} with the account",
    ),
    (r"\(1049, ", "the database has not been created", "create it, or correct [database] connection in {files}"),
    (
        r"\((2002|2003|2005|2006|2013), ",
        "a wrong host or port in the configuration, a server that is down, or a firewall",
        "compare [database] connection in {files} with the server",
    ),
    (
        r"\((1050|1051|1054|1060|1061|1091|1359|1360), ",
        "an earlier run was interrupted between a change of the schema and the record of it",
        "restore the backup that was made before the upgrade, or undo the half-done migration by hand; the table"
        " alembic_version names the last complete one",
    ),
    (
        r"Can't locate revision",
        "the schema was made by a newer release of Glance than the one on this node",
        "install the newer release here, too",
    ),
    (
        r"Permission denied",
        "a file that the user cannot read, or a log file that belongs to root",
        "correct the owner of what it names",
    ),
)
"""What glance-manage prints, what causes it, what to do about it."""


class Run(t.Protocol):
    """Runs a command, which inherits the given file descriptors, and returns its exit code, output and errors."""

    def __call__(self, arguments: list[str], pass_fds: tuple[int, ...]) -> tuple[int, str, str]:
        """Do it."""


class ManageError(GlanceError):
    """A failure of glance-manage.

    :param code: its exit code.
    """

    def __init__(self, doing: str, code: int, *, answer: str, cause: str, remedy: str) -> None:
        super().__init__(doing, answer=answer, cause=cause, remedy=remedy)
        self.code = code


@dataclass(frozen=True)
class Manage:
    """glance-manage, as it has to be called on this node.

    :param prefix: what makes it run as another user; empty when this is that user.
    """

    run: Run
    command: str
    config_files: tuple[str, ...]
    timeout: int
    prefix: tuple[str, ...] = ()

    def missing(self) -> str:
        """Return what is not there yet that it needs, or an empty text."""
        if shutil.which(self.command) is None:
            return f"{self.command} is not installed"
        for path in self.config_files:
            if not os.path.isfile(path):
                return f"{path} does not exist"
        return ""

    def call(self, *arguments: str, pass_fds: tuple[int, ...] = ()) -> tuple[int, str, str]:
        """Run it."""
        # coreutils' timeout ends runuser's child too: it signals the whole process group.
        command = ["timeout", str(self.timeout), *self.prefix, self.command]
        for path in self.config_files:
            command += ["--config-file", path]
        return self.run([*command, *arguments], pass_fds)

    def next_phase(self) -> str:
        """Ask ``db check`` which phase is next; an empty text when the schema is up to date.

        :raises GlanceError: when it cannot tell.
        """
        code, output, errors = self.call("db", "check")
        if code not in NEXT_PHASE:
            raise self.failure("asking glance-manage db check for the state of the schema", code, output, errors)
        return NEXT_PHASE[code]

    def failure(self, doing: str, code: int, output: str, errors: str) -> ManageError:
        """Return the error that tells why it failed."""
        files = ", ".join(self.config_files)
        if code == TIMED_OUT:
            return ManageError(
                doing,
                code,
                answer=f"it was ended after {self.timeout} seconds",
                cause="a server that does not answer, or a large table",
                remedy="see `SHOW PROCESSLIST` on the server; give a longer timeout",
            )
        text = errors if errors.strip() else output
        cause, remedy = next(
            ((cause, remedy) for pattern, cause, remedy in CAUSES if re.search(pattern, text)),
            ("", "see its log file, and its configuration {files}"),
        )
        return ManageError(
            doing,
            code,
            answer=f"exit code {code}: {last_line(text) or 'it printed nothing'}",
            cause=cause,
            remedy=remedy.format(files=files),
        )


def last_line(text: str) -> str:
    """Return the last line that says what went wrong, without passwords."""
    last = last_error = ""
    for line in COLOUR.sub("", text).splitlines():
        prefix = LOG_PREFIX.match(line)
        message = line[prefix.end() :].strip() if prefix else line.strip()
        # SQLAlchemy ends its messages with the statement and a link.
        if not message or message.startswith(("(Background on", "[SQL: ", "[parameters: ")):
            continue
        last = message
        if (prefix and prefix["level"] in ("ERROR", "CRITICAL")) or re.match(
            r"\S*(Error|Exception|ERROR)\b.*:", message
        ):
            last_error = message
    return without_credentials(last_error or last)[:500]


@dataclass(frozen=True)
class Desired:
    """What shall be; without ``loading``, metadata definitions are left alone."""

    state: str = "synced"
    loading: t.Optional[metadefs.Loading] = None


@dataclass
class Observed:
    """What is."""

    phase: str
    """The next phase, empty when there is none."""
    revision: list[str] = field(default_factory=list)
    pending: metadefs.Pending = field(default_factory=lambda: metadefs.Pending({}, {}))


@dataclass
class Outcome:
    """What was done, or in check mode would be."""

    difference: Difference
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: dict[str, list[str]] = field(default_factory=dict)
    """Namespace -> what of it is not as in the file of definitions, and stays so."""
    started_over: bool = False
    repaired: bool = False


class Database:
    """What the schema's own tables tell, by plain SELECT."""

    def __init__(self, connection: Session, name: str) -> None:
        self.connection = connection
        self.name = name

    def rows(self, query: str, *values: t.Any) -> tuple[tuple[t.Any, ...], ...]:
        """Return the rows of a query."""
        return run(self.connection, query, values)

    def tables(self) -> set[str]:
        """Return the names of all tables."""
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'"
        return {str(name) for (name,) in self.rows(query, self.name)}

    def revision(self) -> list[str]:
        """Return the recorded revisions; during an upgrade there are two."""
        if "alembic_version" not in self.tables():
            return []
        return sorted(str(name) for (name,) in self.rows("SELECT version_num FROM alembic_version"))

    def metadefs(self) -> metadefs.Entries:
        """Return the metadata definitions, none while there are no tables for them."""
        return metadefs.read_database(self.connection) if "metadef_tags" in self.tables() else {}

    def has_triggers(self) -> bool:
        """Tell whether the triggers of an online upgrade are there."""
        query = "SELECT 1 FROM information_schema.triggers WHERE trigger_schema = %s AND event_object_table = 'images'"
        return bool(self.rows(query, self.name))

    def may_create_triggers(self) -> bool:
        """Tell whether the server lets this account create triggers."""
        ((binary_log, trusting),) = self.rows("SELECT @@log_bin, @@log_bin_trust_function_creators")
        if not binary_log or trusting:
            return True
        return bool(self.rows("SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'SUPER'"))

    def sockets(self) -> tuple[int, ...]:
        """Return the file descriptor of the connection, for a child to keep it open."""
        socket = getattr(self.connection, "_sock", None)
        return (socket.fileno(),) if socket is not None else ()

    def holds_nothing(self) -> bool:
        """Tell whether there are only tables of Glance, and no row in any of them."""
        tables = self.tables()
        if not tables or not all(GLANCE_TABLES.fullmatch(name) for name in tables):
            return False
        return not any(self.rows(f"SELECT 1 FROM `{name}` LIMIT 1") for name in sorted(tables - {"alembic_version"}))  # noqa: S608

    def drop_tables(self) -> None:
        """Drop all tables."""
        self.rows("SET SESSION foreign_key_checks = 0")
        for name in sorted(self.tables()):
            self.rows(f"DROP TABLE `{name}`")


def login(database: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the options with the names that connect() knows."""
    renamed = {"host", "port", "user", "password", "unix_socket"}
    return {f"login_{name}" if name in renamed else name: value for name, value in database.items() if name != "name"}


def recorded_revisions(connection: Session, name: str) -> list[str]:
    """Return the revisions that a database has recorded, of alembic or, from before Ocata, of sqlalchemy-migrate.

    :param name: the database, which need not exist nor be the current one.
    :raises GlanceError: when the server does not let them be read.
    """
    try:
        for table, column in (("alembic_version", "version_num"), ("migrate_version", "version")):
            query = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
            if run(connection, query, (name, table)):
                quoted = name.replace("`", "``")
                rows = run(connection, f"SELECT {column} FROM `{quoted}`.{table}")  # noqa: S608 (quoted, and no value)
                return sorted(str(revision) for (revision,) in rows)
    except CONNECTION_ERRORS as error:
        raise explain(f"reading the revision of the schema of the database {name!r}", error) from error
    return []


class Schema:
    """Brings the schema, and the metadata definitions in it, to where they should be.

    :param warn: called with what an operator should know although nothing failed.
    :param trust: lets the account make triggers for a while; None where nobody may change the server's setting.
    """

    def __init__(
        self,
        manage: Manage,
        database: Database,
        desired: Desired,
        warn: t.Callable[[str], None],
        trust: t.Optional[Trust] = None,
    ) -> None:
        self.database = database
        self._manage = manage
        self._desired = desired
        self._warn = warn
        self.trust = trust

    def observe(self, earlier: t.Optional[Observed] = None) -> Observed:
        """Return what is.

        :param earlier: what was, a moment ago. Where the database has recorded nothing since, glance-manage is not
            asked again: it takes seconds to answer, and a phase that another node has ended is ended once more.
        :raises GlanceError: when glance-manage cannot tell, or speaks of another database.
        """
        revision = self.database.revision()
        unchanged = earlier if earlier and earlier.revision == revision else None
        observed = Observed(unchanged.phase if unchanged else self._manage.next_phase(), revision)
        if not observed.phase and not observed.revision:
            raise GlanceError(
                "glance-manage db check says that the schema is up to date, but the given database holds no schema",
                answer=f"no revision is recorded in the database {self.database.name}",
                cause="the option database names another server or database than the configuration",
                remedy=f"compare it with [database] connection in {', '.join(self._manage.config_files)}",
            )
        if self._desired.loading:
            wanted = metadefs.read_files(self._desired.loading.path, self._warn)
            observed.pending = metadefs.compare(wanted, self.database.metadefs(), self._desired.loading)
        return observed

    def decide(self, observed: Observed) -> Difference:
        """Return what has to change."""
        difference = Difference()
        if observed.phase in PHASES_TO_STATE[self._desired.state]:
            before = REACHED[observed.phase] if observed.revision else "absent"
            difference.compare("schema", before, self._desired.state)
        before_metadefs, after_metadefs = observed.pending.as_diff()
        difference.compare("metadefs", before_metadefs, after_metadefs)
        return difference

    def ahead(self, observed: Observed) -> list[str]:
        """Return what glance-manage would be told to do; whether rows have to be migrated shows after expanding."""
        wanted = PHASES_TO_STATE[self._desired.state]
        if observed.phase not in wanted:
            return []
        return ["sync"] if self._desired.state == "synced" else list(wanted[wanted.index(observed.phase) :])

    def apply(self, observed: Observed, outcome: Outcome) -> None:
        """Do it, with the lock held.

        :raises GlanceError: when it fails or has not the promised effect.
        """
        if observed.phase in PHASES_TO_STATE[self._desired.state]:
            self._change_schema(observed, outcome)
            outcome.after = self.database.revision()
        if observed.pending and self._desired.loading:
            self._load_metadefs(observed.pending, self._desired.loading, outcome)

    def _change_schema(self, observed: Observed, outcome: Outcome) -> None:
        online = self._desired.state != "synced" or self.database.has_triggers()
        if not online:
            self._sync(outcome)
            return
        permission = self._permission(observed)
        phase = observed.phase
        while phase in PHASES_TO_STATE[self._desired.state]:
            with permission if phase == "expand" else contextlib.nullcontext():
                self._work(phase, outcome)
            done, phase = phase, self._manage.next_phase()
            if phase == done:
                raise GlanceError(f"glance-manage db {done} reported success, but db check still asks for it")

    def _permission(self, observed: Observed) -> t.ContextManager[None]:
        """Return what lets the expand phase make its triggers, where it makes any."""
        makes_triggers = observed.phase == "expand" and BEFORE_TRIGGERS.issuperset(observed.revision)
        if not makes_triggers or self.database.may_create_triggers():
            return contextlib.nullcontext()
        if self.trust is None:
            raise GlanceError(
                "the expand phase has to create triggers, and the server would refuse them",
                answer="log_bin is on, log_bin_trust_function_creators is off, and the account has no SUPER privilege",
                cause="an online upgrade from before Ocata, or phases used on a new database",
                remedy="for a new database use state: synced, which needs no triggers. Otherwise have the server's"
                " administrator run `SET GLOBAL log_bin_trust_function_creators = 1` for as long as the upgrade lasts,"
                " or give the administrator's login as admin",
            )
        return self.trust.lent()

    def _sync(self, outcome: Outcome) -> None:
        try:
            self._work("sync", outcome)
        except ManageError as error:
            if error.code == TIMED_OUT or not self.database.holds_nothing():
                raise
            # MySQL has no transactions around DDL: what an interrupted first run made is in the way of the next.
            self._warn(
                f"An earlier run was interrupted. Its tables, all empty, were dropped. ({error.doing}: {error.answer})"
            )
            self.database.drop_tables()
            outcome.started_over = True
            self._work("sync", outcome)
        phase = self._manage.next_phase()
        if phase:
            raise GlanceError(f"glance-manage db sync reported success, but db check asks for {phase}")

    def _work(self, action: str, outcome: Outcome) -> None:
        doing = f"glance-manage db {action}"
        # The child keeps the connection open, and with it the lock, when this process is killed and the child lives on.
        code, output, errors = self._manage.call("db", action, pass_fds=self.database.sockets())
        if code != 0:
            raise self._manage.failure(doing, code, output, errors)
        outcome.phases.append(action)

    def _load_metadefs(self, pending: metadefs.Pending, loading: metadefs.Loading, outcome: Outcome) -> None:
        code, output, errors = self._manage.call(*loading.arguments, pass_fds=self.database.sockets())
        if code != 0:
            raise self._manage.failure(f"loading the metadata definitions in {loading.path}", code, output, errors)
        left = metadefs.compare(metadefs.read_files(loading.path), self.database.metadefs(), loading)
        if left:
            before, _after = left.as_diff()
            raise GlanceError(
                f"glance-manage has loaded {loading.path} with success, but the database still lacks definitions",
                answer=f"{before}; it said: {last_line(errors or output)}",
                cause="a file that the user cannot read, or names and texts that the database does not take",
            )
        outcome.added = pending.new_namespaces
        outcome.updated = pending.changed_namespaces


def lock_name(database: str) -> str:
    """Return the name of the lock; the server allows 64 characters."""
    return f"openstack_ops.glance.schema.{database}"[:64]


def ensure(schema: Schema, lock_timeout: int) -> Outcome:
    """Bring everything to where it should be.

    :param lock_timeout: how many seconds to wait while another node works.
    :raises GlanceError: when that is impossible or fails.
    """
    repaired = _repair(schema, lock_timeout)
    seen = schema.observe()
    outcome = _predicted(schema, seen)
    if not outcome.difference.changed:
        return replace(outcome, repaired=repaired)
    with advisory_lock(schema.database.connection, lock_name(schema.database.name), lock_timeout):
        # Another node may have done it while this one waited.
        observed = schema.observe(seen)
        outcome = Outcome(
            schema.decide(observed),
            observed.revision,
            observed.revision,
            kept=observed.pending.kept,
            repaired=repaired,
        )
        schema.apply(observed, outcome)
    return outcome


def _repair(schema: Schema, lock_timeout: int) -> bool:
    """Put back the server's setting that a run which was killed has left, and tell whether there was anything."""
    if schema.trust is None or not schema.trust.is_noted():
        return False
    # What that run has started may be alive and need the setting; it holds the lock then.
    with advisory_lock(schema.database.connection, lock_name(schema.database.name), lock_timeout):
        return schema.trust.repair()


def predict(schema: Schema) -> Outcome:
    """Return what there is to do, and do nothing.

    :raises GlanceError: when nobody can tell.
    """
    return _predicted(schema, schema.observe())


def _predicted(schema: Schema, observed: Observed) -> Outcome:
    pending = observed.pending
    return Outcome(
        schema.decide(observed),
        before=observed.revision,
        after=observed.revision,
        phases=schema.ahead(observed),
        added=pending.new_namespaces,
        updated=pending.changed_namespaces,
        kept=pending.kept,
    )


def predict_without_database(manage: Manage, desired: Desired) -> Outcome:
    """Return what there is to do on a node where Glance, or its account in the database, is not there yet.

    Called in check mode, where the earlier tasks that would have made them did nothing.
    """
    phase, before = "expand", "absent"
    if not manage.missing():
        with contextlib.suppress(GlanceError):
            phase = manage.next_phase()
            before = REACHED[phase]
    outcome = Outcome(Difference())
    if phase in PHASES_TO_STATE[desired.state]:
        outcome.difference.compare("schema", before, desired.state)
    if desired.loading and before == "absent":
        outcome.difference.compare("metadefs", "absent", f"as in {desired.loading.path}")
    return outcome
