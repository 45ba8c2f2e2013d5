# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""One systemd unit: what it is, what it shall be, and whether it really serves."""

from __future__ import annotations

import glob
import os
import time
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._health import ask, is_disabled_by_file

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["started", "stopped", "masked"], "default": "started"},
    "enabled": {"type": "bool"},
    "unmask": {"type": "bool", "default": False},
    "only_missing": {"type": "bool", "default": False},
    "restart_after": {"type": "list", "elements": "path", "default": []},
    "restart": {"type": "bool", "default": False},
    "healthcheck_url": {"type": "str"},
    "wait_timeout": {"type": "int", "default": 120},
    "ca_cert": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
}
"""The argument spec of the module unit."""

JOURNAL_LINES = 20
LOOP = 3
"""So many automatic restarts while the service is waited for are a restart loop: one or two may be a late database."""

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "FragmentPath",
    "DropInPaths",
    "NeedDaemonReload",
    "MainPID",
    "ExecMainStartTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
    "NRestarts",
)

UNIT_DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
"""Where units and their drop-ins are installed; the first file of a name wins."""


class Run(t.Protocol):
    """Runs a command and returns its exit code, standard output and standard error."""

    def __call__(self, arguments: list[str]) -> tuple[int, str, str]:
        """Do it."""


class Probe(t.Protocol):
    """Asks the health check once and returns the HTTP status (0 without an answer) and the body or the reason."""

    def __call__(self) -> tuple[int, str]:
        """Do it."""


@dataclass(frozen=True)
class Unit:
    """What systemd says about a unit."""

    load: str = "not-found"
    active: str = "inactive"
    sub: str = "dead"
    file: str = ""
    fragment: str = ""
    drop_ins: tuple[str, ...] = ()
    outdated: bool = False
    pid: int = 0
    started: int = 0
    """When the main process was started, in microseconds of the monotonic clock; 0 before the first start."""
    restarts: int = 0

    @classmethod
    def from_properties(cls, text: str) -> Unit:
        """Read what ``systemctl show`` printed."""
        shown = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

        def number(name: str) -> int:
            return int(shown[name]) if shown.get(name, "").isdigit() else 0

        return cls(
            load=shown.get("LoadState", "not-found"),
            active=shown.get("ActiveState", "inactive"),
            sub=shown.get("SubState", "dead"),
            file=shown.get("UnitFileState", ""),
            fragment=shown.get("FragmentPath", ""),
            drop_ins=tuple(shown.get("DropInPaths", "").split()),
            outdated=shown.get("NeedDaemonReload") == "yes",
            pid=number("MainPID"),
            started=number("ExecMainStartTimestampMonotonic") or number("ActiveEnterTimestampMonotonic"),
            restarts=number("NRestarts"),
        )

    @property
    def exists(self) -> bool:
        """Whether systemd found anything of that name; a mask alone hides whether there is a unit behind it."""
        return self.load != "not-found"

    @property
    def usable(self) -> bool:
        """Whether it exists and systemd could read it. A mask comes before either."""
        return self.load not in ("not-found", "error", "bad-setting")

    @property
    def masked(self) -> bool:
        """Whether nothing can start it."""
        return self.load == "masked" or self.file.startswith("masked")

    @property
    def enabled(self) -> bool:
        """Whether it starts at boot."""
        return self.file == "enabled"

    @property
    def running(self) -> bool:
        """Whether it runs or is just starting. Waiting for the next automatic restart is neither."""
        return self.active in ("active", "reloading") or (self.active == "activating" and self.sub != "auto-restart")

    @property
    def stopped(self) -> bool:
        """Whether nothing of it runs, and nothing is about to."""
        return self.active in ("inactive", "failed")

    @property
    def activity(self) -> str:
        """``active``, ``inactive``, or what else it is, in systemd's words."""
        if self.running:
            return "active"
        return "inactive" if self.active == "inactive" else f"{self.active} ({self.sub})"


@dataclass(frozen=True)
class Desired:
    """What the unit shall be; None leaves a thing alone."""

    name: str
    state: str = "started"
    enabled: t.Optional[bool] = None
    unmask: bool = False
    only_missing: bool = False
    restart: bool = False
    restart_after: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What was done, or in check mode would be."""

    difference: Difference
    unit: Unit
    restarted_because: list[str] = field(default_factory=list)


class Systemd:
    """systemctl and journalctl."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def show(self, name: str) -> Unit:
        """Return what systemd knows about the unit.

        :raises GlanceError: when systemd does not answer.
        """
        arguments = ["systemctl", "show", f"--property={','.join(PROPERTIES)}", "--", name]
        code, output, errors = self._run(arguments)
        if code != 0:
            raise GlanceError(
                f"asking systemd about {name}",
                answer=(errors or output).strip(),
                cause="the node was not booted with systemd",
            )
        return Unit.from_properties(output)

    def call(self, verb: str, name: t.Optional[str] = None) -> None:
        """Run ``systemctl`` with a verb.

        :raises GlanceError: when it fails, with the last lines of the unit's journal where the unit was to run.
        """
        code, output, errors = self._run(["systemctl", verb, *(["--", name] if name else [])])
        if code == 0:
            return
        answer = (errors or output).strip()
        if name and verb in ("start", "restart"):
            answer += f"\n{self.journal(name)}"
        raise GlanceError(f"systemctl {verb} {name or ''}".strip(), answer=answer)

    def journal(self, name: str) -> str:
        """Return the last lines that the unit wrote, without the passwords of URLs."""
        arguments = [
            "journalctl",
            "--quiet",
            "--no-pager",
            "--output=short-iso",
            f"--lines={JOURNAL_LINES}",
            f"--unit={name}",
        ]
        code, output, errors = self._run(arguments)
        if code != 0:
            return f"Its journal cannot be read: {errors.strip()}"
        if not output.strip():
            return "Its journal is empty."
        return f"The last lines of its journal:\n{without_credentials(output.rstrip())}\n(end of the journal)"


def has_unread_files(unit: Unit, name: str, directories: t.Sequence[str] = UNIT_DIRECTORIES) -> bool:
    """Tell whether there are files of a unit that systemd has not looked for yet.

    ``NeedDaemonReload`` knows the files in directories that systemd has seen. It does not notice the first drop-in of a
    unit, for which the directory is new, nor a unit file that now takes precedence over the one in use.
    """
    if os.path.dirname(unit.fragment) not in directories:
        return False
    fragments = (os.path.join(directory, name) for directory in directories)
    first = next(filter(os.path.exists, fragments), unit.fragment)
    if os.path.realpath(first) != os.path.realpath(unit.fragment):
        return True
    known = {os.path.basename(path) for path in unit.drop_ins}
    drop_ins = (path for directory in directories for path in glob.glob(os.path.join(directory, f"{name}.d", "*.conf")))
    return any(os.path.basename(path) not in known for path in drop_ins if os.path.realpath(path) != os.devnull)


def _inodes(path: str) -> t.Iterator[tuple[str, os.stat_result]]:
    """Yield the path, what a symbolic link points to, and everything in a directory; nothing for what is not there."""
    try:
        itself = os.lstat(path)
        yield path, itself
        yield path, os.stat(path)
    except FileNotFoundError:
        return
    for directory, directories, files in os.walk(path):
        for name in sorted(directories + files):
            entry = os.path.join(directory, name)
            try:
                yield entry, os.lstat(entry)
            except FileNotFoundError:
                continue


def changed_since(paths: t.Iterable[str], moment: int, now: int) -> tuple[list[str], list[str]]:
    """Return which files were changed after ``moment``, and which were changed in the future.

    The inode change time decides. Unlike the modification time it cannot be set, so that a file counts which was moved
    into place, or restored with its old modification time, after the process had read its predecessor. A new owner or
    mode counts as well: the process may no longer be able to read the file.

    A time in the future means that the clock was set back since. It says nothing about the order, and would cause a
    restart at every run until the clock has caught up.

    :param moment: nanoseconds since the epoch, as ``now``.
    """
    latest: dict[str, int] = {}
    for root in paths:
        for path, inode in _inodes(root):
            latest[path] = max(latest.get(path, 0), inode.st_ctime_ns)
    changed = sorted(path for path, time_ns in latest.items() if moment < time_ns <= now)
    future = sorted(path for path, time_ns in latest.items() if time_ns > now)
    return changed, future


def process_start(unit: Unit) -> int:
    """Return when the main process was started, in nanoseconds since the epoch.

    ``ExecMainStartTimestamp`` is the moment of the fork, before the process can have read any file;
    ``ActiveEnterTimestamp``, the last resort for a unit without a main process, may be long after it. systemctl prints
    the wall clock form with a resolution of a second (``--timestamp=us`` came with systemd 247), the monotonic form
    always in microseconds. /proc/PID/stat has ticks of 10 ms since a boot time that the kernel gives in whole seconds.
    """
    return time.time_ns() - time.monotonic_ns() + unit.started * 1000


class Changer:
    """Makes one unit what it should be.

    :param warn: called with what an operator should know although nothing failed.
    """

    def __init__(self, systemd: Systemd, desired: Desired, warn: t.Callable[[str], None]) -> None:
        self._systemd = systemd
        self._desired = desired
        self._warn = warn

    def observe(self, *, refresh: bool = False) -> Unit:
        """Return what the unit is now.

        :param refresh: let systemd look once more for a unit that is needed but unusable. It keeps a broken unit until
            it is told to read it again, and before version 246 it remembers a missing one, too.
        """
        unit = self._systemd.show(self._desired.name)
        if unit.usable or not refresh or not self._needed:
            return unit
        self._systemd.call("daemon-reload")
        return self._systemd.show(self._desired.name)

    @property
    def _needed(self) -> bool:
        return self._desired.state == "started" or bool(self._desired.enabled)

    def decide(self, unit: Unit) -> Difference:
        """Return what has to change."""
        difference = Difference()
        if self._desired.state == "masked":
            self._decide_masked(unit, difference)
            return difference
        # systemd calls a masked unit with drop-ins outdated for ever; unmasking reads it anew anyway.
        outdated = not unit.masked and (unit.outdated or has_unread_files(unit, self._desired.name))
        difference.compare("definition", "outdated" if outdated else "loaded", "loaded")
        if self._needed:
            difference.compare("masked", unit.masked, False)
        if self._desired.enabled is not None:
            difference.compare("enabled", unit.enabled, self._desired.enabled)
        if self._desired.state == "started":
            difference.compare("active", unit.activity, "active")
            difference.compare("restarted_because", [], self._reasons(unit))
        elif not unit.stopped:
            difference.compare("active", unit.activity, "inactive")
        return difference

    def _decide_masked(self, unit: Unit, difference: Difference) -> None:
        if self._desired.only_missing and unit.exists:
            return
        if not unit.stopped:
            difference.compare("active", unit.activity, "inactive")
        if not unit.masked:
            difference.compare("enabled", unit.enabled, False)
        difference.compare("masked", unit.masked, True)

    def _reasons(self, unit: Unit) -> list[str]:
        """Return why a running unit has to be restarted."""
        if not unit.running:
            return []
        reasons = ["restart was asked for"] if self._desired.restart else []
        changed, future = changed_since(self._desired.restart_after, process_start(unit), time.time_ns())
        if future:
            self._warn(
                f"Nobody can tell whether {self._desired.name} has read {', '.join(future)}: changed in the future. The"
                " clock was set back. If in doubt, restart the unit."
            )
        return reasons + changed

    def refuse(self, unit: Unit, check_mode: bool) -> None:
        """Refuse what cannot be done, before anything is changed.

        :param check_mode: an earlier task would have installed or mended the unit.
        :raises GlanceError: when the unit does not exist, cannot be read, or was masked by somebody else.
        """
        name = self._desired.name
        if not self._needed:
            return
        if unit.masked and not self._desired.unmask:
            raise GlanceError(
                f"the unit {name} is masked",
                cause="somebody wanted to be sure that it does not run",
                remedy=f"give unmask: true, or run `systemctl unmask {name}`",
            )
        if unit.usable or check_mode:
            return
        if unit.exists:
            raise GlanceError(
                f"systemd cannot use the unit {name}",
                answer=f"LoadState={unit.load}",
                cause="a mistake in the unit file or in one of its drop-ins",
                remedy=f"see `systemd-analyze verify {name}`",
            )
        raise GlanceError(
            f"the unit {name} does not exist",
            cause="the package is not installed, or calls its unit otherwise",
            remedy="install the package, or give the right name",
        )

    def apply(self, unit: Unit, difference: Difference) -> Unit:
        """Make it so, and return what the unit is afterwards.

        :raises GlanceError: when systemd refuses, or does not do what it was told.
        """
        for verb in self._verbs(unit, difference):
            self._systemd.call(verb, None if verb == "daemon-reload" else self._desired.name)
        result = self.observe()
        self._verify(result, difference.updates)
        return result

    def _verify(self, unit: Unit, updates: dict[str, t.Any]) -> None:
        name = self._desired.name
        observed = {"masked": unit.masked, "enabled": unit.enabled and not unit.masked}
        left = [what for what, value in observed.items() if updates.get(what, value) != value]
        if left:
            wanted = " and ".join(f"{what}: {updates[what]}" for what in left)
            raise GlanceError(
                f"systemctl reported success, but {name} is still not {wanted}",
                answer=f"UnitFileState={unit.file or 'none'}, LoadState={unit.load}",
                cause="a unit without an [Install] section, which cannot be enabled",
            )
        if self._desired.state == "started" and unit.stopped:
            raise GlanceError(
                f"{name} stopped as soon as it was started",
                answer=f"the unit is {unit.activity}. {self._systemd.journal(name)}",
            )

    def _verbs(self, unit: Unit, difference: Difference) -> list[str]:
        """Return what systemctl has to do, in this order."""
        updates = difference.updates
        start = updates.get("active") == "active"
        steps = (
            ("daemon-reload", "definition" in updates),
            ("unmask", updates.get("masked") is False),
            ("enable", updates.get("enabled") is True),
            ("disable", updates.get("enabled") is False),
            ("stop", updates.get("active") == "inactive"),
            ("mask", updates.get("masked") is True),
            # The limit of starts may be used up by a cause that is mended by now.
            ("reset-failed", start and unit.active == "failed"),
            ("start", start),
            ("restart", "restarted_because" in updates),
        )
        return [verb for verb, needed in steps if needed]


class Health:
    """Waits until a service really answers: systemd calls it active long before, and between two crashes too."""

    def __init__(
        self,
        systemd: Systemd,
        name: str,
        url: str,
        probe: Probe,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._systemd = systemd
        self._name = name
        self._url = url
        self._probe = probe
        self._clock = clock
        self._sleep = sleep

    def wait(self, timeout: float, before: Unit, settled: bool) -> str:
        """Wait until the service answers, and return ``ok`` or ``drained``.

        :param timeout: seconds.
        :param before: the unit when the waiting began.
        :param settled: nothing was changed: one good answer is enough.
        :raises GlanceError: when it does not, with the unit's journal.
        """
        deadline = self._clock() + timeout
        while True:
            status, text = self._probe()
            health = "ok" if status == 200 else "drained" if is_disabled_by_file(status, text) else ""
            if health and settled:
                return health
            settled = False
            unit = self._systemd.show(self._name)
            # A good answer counts only from this unit: another program may own the port while the unit crashes.
            if health and unit.running and unit.restarts == before.restarts:
                return health
            late = self._clock() >= deadline
            if late or unit.stopped or unit.restarts - before.restarts >= LOOP:
                raise self._failure(unit, before, _told(status, text), timeout if late else None)
            if unit.restarts < before.restarts:
                before = unit
            self._sleep(0.5)

    def _failure(self, unit: Unit, before: Unit, answer: str, timeout: t.Optional[float]) -> GlanceError:
        state = f"the unit is {unit.active} ({unit.sub})"
        if unit.restarts:
            state += f", systemd has restarted it {unit.restarts} times by itself"
        if unit.restarts - before.restarts >= LOOP or unit.sub == "auto-restart":
            state += ": a restart loop"
        waited = f" within {timeout:g} seconds" if timeout is not None else ""
        return GlanceError(
            f"{self._name} does not serve",
            answer=f"no good answer from {self._url}{waited}, at last {answer}; {state}."
            f" {self._systemd.journal(self._name)}",
            cause="a mistake in the configuration, a database or Keystone that cannot be reached, or a port in use",
            remedy=f"mend what the journal says (see also the service's log file), then run again;"
            f" `systemctl status {self._name}` shows the unit",
        )


def _told(status: int, text: str) -> str:
    """Return an answer in one short line."""
    line = " ".join(text.split())[:200]
    return f"HTTP {status} {line}".strip() if status else line


def ensure(changer: Changer, check_mode: bool) -> Outcome:
    """Make the unit what it should be; in check mode only find out what that takes.

    :raises GlanceError: when that is impossible or fails.
    """
    unit = changer.observe(refresh=not check_mode)
    difference = changer.decide(unit)
    outcome = Outcome(difference, unit, difference.updates.get("restarted_because", []))
    changer.refuse(unit, check_mode)
    if difference.changed and not check_mode:
        outcome.unit = changer.apply(unit, difference)
    return outcome


def run(
    params: t.Mapping[str, t.Any], systemd: Systemd, warn: t.Callable[[str], None], *, check_mode: bool
) -> tuple[Outcome, str]:
    """Do what the parameters of the module say, and return the outcome and the health of the service."""
    desired = Desired(
        name=params["name"],
        state=params["state"],
        enabled=params["enabled"],
        unmask=params["unmask"],
        only_missing=params["only_missing"],
        restart=params["restart"],
        restart_after=tuple(params["restart_after"]),
    )
    outcome = ensure(Changer(systemd, desired, warn), check_mode)
    changed = outcome.difference.changed
    if not params["healthcheck_url"] or desired.state != "started" or (check_mode and changed):
        return outcome, ""
    url = urlsplit(params["healthcheck_url"])
    health = Health(
        systemd,
        desired.name,
        params["healthcheck_url"],
        lambda: ask(url, params["ca_cert"], params["validate_certs"]),
    )
    return outcome, health.wait(params["wait_timeout"], outcome.unit, settled=not changed)
