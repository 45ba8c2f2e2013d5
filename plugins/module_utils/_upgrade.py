# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What an upgrade has to do, and what speaks against it: thought out before anything is changed."""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _releases
from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem

Record = dict[str, t.Any]
Records = t.Sequence[t.Mapping[str, t.Any]]

PHASES = ("expand", "migrate", "contract")
NUMBERS = {"glance_upgrade_drain_timeout": 0, "glance_upgrade_grace": 0, "glance_upgrade_phase_timeout": 1}
"""The variables that are whole numbers, and the least that each may be."""


class Dump(t.NamedTuple):
    """A dump of a database on a controller.

    :param made: when that was, as people read it; greater for a later one.
    """

    path: str
    made: str
    controller: str = ""


@dataclasses.dataclass(frozen=True)
class Controller:
    """One controller: what it runs, and what it shall run.

    :param reachable: whether it could be looked at.
    :param version: the version of the Glance that runs, or that would run when it is started; nothing without one.
    :param environment: the virtual environment of that Glance; nothing for packages.
    :param outdated: whether the process is older than what is installed.
    :param noted: whether a run that was interrupted has taken it out of service.
    :param release: the name of the release that it shall run; nothing for one that is no part of the run.
    :param wanted_environment: the virtual environment of that release; nothing for packages.
    :param dumps: the dumps of databases that it keeps.
    """

    name: str
    reachable: bool = True
    running: bool = False
    version: str = ""
    environment: str = ""
    outdated: bool = False
    noted: bool = False
    release: str = ""
    wanted_environment: str = ""
    dumps: tuple[Dump, ...] = ()


class Table:
    """The releases, oldest first."""

    def __init__(self, releases: Records) -> None:
        self._releases = releases
        self._names = [str(release["name"]) for release in releases]

    def number(self, name: str) -> int:
        """Return the place of a release in the row; -1 for one that is not in it."""
        return self._names.index(name) if name in self._names else -1

    def of(self, version: str) -> str:
        """Return the name of the release that a version of Glance belongs to, nothing where none is known."""
        # Before Liberty, Glance was numbered as its series.
        series = re.match(r"20\d\d\.\d", version)
        wanted = series.group() if series else version.split(".")[0]
        return next(
            (str(entry["name"]) for entry in self._releases if wanted in (entry["series"], str(entry["version"]))), ""
        )

    def way(self, first: str, last: str) -> list[str]:
        """Return the releases between two, at which an upgrade has to stop; none where one step is enough.

        Each release is upgraded to the next one, and a release that may be followed by its next but one, to that one.
        """
        at, end = self.number(first), self.number(last)
        stops = []
        while at < end:
            at += 2 if at + 2 <= end and self._may_skip(at) else 1
            stops.append(self._names[at])
        return stops[:-1]

    def _may_skip(self, at: int) -> bool:
        return bool(self._releases[at].get("slurp") and self._releases[at + 2].get("slurp"))

    def before(self, name: str) -> list[str]:
        """Return the releases before one."""
        return self._names[: max(0, self.number(name))]

    def same_schema(self, one: str, other: str) -> bool:
        """Tell whether two releases end at the same schema."""
        first, second = (self.number(name) for name in (one, other))
        return min(first, second) >= 0 and self._releases[first]["schema"] == self._releases[second]["schema"]

    def phases(self, revisions: t.Collection[str], name: str) -> list[str]:
        """Return the phases that the schema still has to go through for a release, as far as its revisions tell.

        Whether rows have to be migrated, ``glance-manage db check`` alone knows.

        :param revisions: what the database has recorded.
        """
        head = str(self._releases[self.number(name)]["schema"])
        wanted = _releases.schema_age(head, self._releases)
        ages = {revision: _releases.schema_age(revision, self._releases) for revision in revisions}
        if head in revisions or any(age > wanted for age in ages.values()):
            return []
        expanded = any("expand" in revision and age == wanted for revision, age in ages.items())
        return list(PHASES[1:] if expanded else PHASES)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an upgrade has to do.

    :param target: the release that it leads to.
    :param begins: the oldest release that a controller has; nothing where none has any.
    :param due: the controllers that this run brings to it, in the order of the inventory.
    :param waiting: why each of the others does not run it after this run, by its name.
    :param phases: what the schema has to go through.
    :param is_before: whether the database is still what it was before the upgrade, so that a dump of it is one to go
        back to.
    """

    target: str
    begins: str
    due: list[str]
    waiting: dict[str, str]
    phases: list[str]
    is_before: bool

    @property
    def works(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.due or self.phases)


def plan(controllers: t.Sequence[Controller], releases: Records, revisions: t.Collection[str]) -> Plan:
    """Return what has to be done.

    :param controllers: all of the inventory, those that are no part of the run included.
    :param revisions: what the database has recorded.
    """
    table = Table(releases)
    target = max((entry.release for entry in controllers), key=table.number, default="")
    begins = min(filter(None, (table.of(entry.version) for entry in controllers)), key=table.number, default="")
    phases = table.phases(revisions, target) if target else []
    expanded = bool(phases) and phases[0] != PHASES[0]
    return Plan(
        target=target,
        begins=begins,
        due=[entry.name for entry in controllers if entry.release == target and not is_new(entry, target, table)],
        waiting={
            entry.name: _why(entry, table)
            for entry in controllers
            if entry.release != target and not is_new(entry, target, table)
        },
        phases=phases,
        # A release serves from an expanded schema on.
        is_before=not expanded
        and (table.same_schema(begins, target) or not any(is_new(entry, target, table) for entry in controllers)),
    )


def dump_name(database: str, begins: str, target: str) -> str:
    """Return the name of the dump that is made before an upgrade."""
    return f"{database}-{begins}-{target}.sql.gz"


def dump_to_go_back_to(
    found: Plan, controllers: t.Iterable[Controller], releases: Records, database: str
) -> t.Optional[tuple[str, Dump]]:
    """Return the dump that an earlier run of the upgrade has made, and the release it is of; nothing without one.

    :param database: the name of the database.
    """
    # Where the contract phase alone is left, no controller tells any more what there was before.
    older = [found.begins] if found.begins != found.target else Table(releases).before(found.target)
    names = {dump_name(database, release, found.target): release for release in older}
    dumps = [
        (names[posixpath.basename(dump.path)], dump._replace(controller=entry.name))
        for entry in controllers
        for dump in entry.dumps
        if posixpath.basename(dump.path) in names
    ]
    return max(dumps, key=lambda known: known[1].made, default=None)


def is_new(controller: Controller, target: str, table: Table) -> bool:
    """Tell whether a controller serves with what it shall run, so that nothing is left to be done on it."""
    if not controller.running or controller.outdated or controller.noted:
        return False
    if controller.wanted_environment:
        return controller.environment == controller.wanted_environment
    # A controller that is no part of the run may be ahead of it. One with an environment is to have packages.
    of_source = bool(controller.release and controller.environment)
    return not of_source and table.number(table.of(controller.version)) >= table.number(target)


def _why(controller: Controller, table: Table) -> str:
    if not controller.reachable:
        return "it cannot be reached"
    if controller.release:
        return f"its package source has {controller.release}"
    return f"it is no part of this run, and {_runs(controller, table)}"


def _runs(controller: Controller, table: Table) -> str:
    if not controller.version:
        return "has no Glance" if controller.reachable else "is not known"
    release = table.of(controller.version) or "a release that is not known"
    told = f"{controller.version} ({release})"
    if not controller.running:
        return f"has {told}, which does not run"
    return f"runs what was there before {told} was installed" if controller.outdated else f"runs {told}"


def problems(
    found: Plan, controllers: t.Sequence[Controller], releases: Records, variables: t.Mapping[str, t.Any]
) -> list[Problem]:
    """Return everything that speaks against an upgrade.

    :param variables: those of the upgrade, by name.
    """
    table = Table(releases)
    return [
        *_skips(found, controllers, table, bool(variables.get("glance_upgrade_skip_releases"))),
        *_nothing_to_upgrade(found, controllers),
        *_values(variables, [entry.name for entry in controllers if entry.release]),
        *_unphased(found, releases),
        *_methods(controllers),
    ]


def _skips(found: Plan, controllers: t.Sequence[Controller], table: Table, allowed: bool) -> t.Iterator[Problem]:
    stops = table.way(found.begins, found.target) if found.begins and not allowed else []
    if stops:
        nodes = [entry.name for entry in controllers if table.of(entry.version) == found.begins]
        first, rest = stops[0], stops[1:]
        then = f", then to {' and '.join(rest)}" if rest else ""
        yield Problem(
            "GLS-501",
            f"{found.begins} would be upgraded to {found.target}, past {' and '.join(stops)}",
            ", ".join(nodes),
            f"upgrade to {first} first{then}; or, after a trial with a copy of the database, set"
            " glance_upgrade_skip_releases to true",
        )


def _nothing_to_upgrade(found: Plan, controllers: t.Sequence[Controller]) -> t.Iterator[Problem]:
    if not found.begins and all(entry.reachable for entry in controllers):
        yield Problem("GLS-502", f"none of {', '.join(entry.name for entry in controllers)} has a Glance")


def _values(variables: t.Mapping[str, t.Any], names: t.Sequence[str]) -> t.Iterator[Problem]:
    # One that is no part of the run would be told to be handed over, and nobody would have touched it.
    for name, least in NUMBERS.items():
        value = variables.get(name)
        if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)) or int(str(value)) < least:
            yield Problem("GLS-503", f"{name} is {value!r}; allowed is a whole number from {least}")
    chosen = variables.get("glance_upgrade_hand_over")
    if chosen and chosen not in names:
        yield Problem("GLS-503", f"glance_upgrade_hand_over is {chosen!r}; allowed are {', '.join(names)}")
    directory = str(variables.get("glance_upgrade_directory"))
    if not directory.startswith("/") or directory == "/":
        yield Problem("GLS-503", f"glance_upgrade_directory is {directory!r}; allowed is an absolute path")


def _unphased(found: Plan, releases: Records) -> t.Iterator[Problem]:
    table = Table(releases)
    if found.target and table.number(found.target) < table.number("queens"):
        yield Problem("GLS-504", f"{found.target} is wanted")


def _methods(controllers: t.Iterable[Controller]) -> t.Iterator[Problem]:
    for entry in controllers:
        if entry.release and entry.environment and not entry.wanted_environment:
            yield Problem("GLS-506", f"packages are wanted, and it runs {entry.environment}", entry.name)


def holders(controllers: t.Iterable[Controller], target: str, releases: Records) -> list[Problem]:
    """Return why the schema cannot be contracted yet: an entry for each controller that is not proved to run it."""
    table = Table(releases)
    return [
        Problem("GLS-505", _runs(entry, table) if entry.reachable else "it cannot be reached", entry.name)
        for entry in controllers
        if not _proved(entry, target, table)
    ]


def _proved(entry: Controller, target: str, table: Table) -> bool:
    new_enough = table.number(table.of(entry.version)) >= table.number(target) >= 0
    return entry.reachable and entry.running and not entry.outdated and new_enough


def lines(found: Plan, controllers: t.Sequence[Controller], releases: Records, revisions: t.Iterable[str]) -> list[str]:
    """Return the plan for people."""
    table = Table(releases)
    head = next((str(entry["schema"]) for entry in releases if entry["name"] == found.target), "")
    known = " and ".join(sorted(revisions)) or "not known"
    if found.phases:
        schema = f"schema: {known}, to become {head} by {', '.join(found.phases)}"
    else:
        schema = f"schema: {known}, which is what {found.target} ends at" if head in known else f"schema: {known}"
    title = f"{found.begins or 'nothing'} to {found.target}"
    return [
        title if found.works else f"{title}: nothing is left to be done",
        schema,
        *(f"{entry.name} {_runs(entry, table)}{_fate(entry, found)}" for entry in controllers),
    ]


def _fate(entry: Controller, found: Plan) -> str:
    if entry.name in found.due:
        again = ", out of service since a run that was interrupted" if entry.noted else ""
        return f"{again}: is brought to {found.target}"
    if entry.name in found.waiting:
        return f": is left as it is, because {found.waiting[entry.name]}"
    return ": has nothing left to be done"
