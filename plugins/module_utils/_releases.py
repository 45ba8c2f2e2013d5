# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What follows from the table of releases, which stands in roles/glance/files/releases.yml, for one of them."""

from __future__ import annotations

import re
import typing as t

Release = dict[str, t.Any]
Releases = t.Sequence[t.Mapping[str, t.Any]]
KnownIn = t.Mapping[str, t.Sequence[str]]

AUTO = "auto"
NOW = "now"
"""Stands for the last release of what has not been removed."""

AtLeast = t.Callable[[str, str], bool]
"""Tells whether the first version of a package is not older than the second."""


def find(
    releases: Releases, known_in: KnownIn, wanted: str, distribution: str = "", versions: t.Collection[str] = ()
) -> Release:
    """Return the entry of a release, with what it ``knows`` and the names of the releases ``before`` it.

    :param releases: the table, oldest release first.
    :param known_in: the names of the first and the last release that know something.
    :param wanted: the name, the series or the major number of Glance, or ``auto`` for what the distribution packages.
    :param versions: what the version of the distribution may be called, such as 12 and 12.5.
    :returns: nothing when there is no such release.
    """
    names = [str(release["name"]) for release in releases]
    for number, release in enumerate(releases):
        packaged = release.get(distribution.lower()) if wanted == AUTO and distribution else ()
        if wanted in (release["name"], release["series"], str(release["version"])) or set(packaged or ()) & set(
            versions
        ):
            before = names[:number]
            return {**release, "before": before, "knows": known(known_in, before, names[number])}
    return {}


def known(known_in: KnownIn, before: t.Collection[str], name: str) -> list[str]:
    """Return what a release knows.

    :param before: the names of the releases before it.
    """
    return [what for what, (first, last) in known_in.items() if first in (*before, name) and last not in before]


def offered(releases: Releases, distribution: str, family: str, versions: t.Collection[str]) -> t.Optional[list[str]]:
    """Return the names of the releases that a distribution's package sources have, with those that the collection adds.

    :returns: None where the node itself has to be asked, because an operator may have added sources of any kind.
    """
    if family == "RedHat":
        return [str(release["name"]) for release in releases if "rdo" in release]
    if distribution != "Ubuntu":
        return None
    return [
        str(release["name"])
        for release in releases
        if {*release.get("ubuntu", ()), str(release.get("cloud_archive", ""))} & set(versions)
    ]


def schema_age(revision: str, releases: Releases) -> tuple[int, int]:
    """Return a number by which revisions of the database compare, the newest highest.

    :param revision: a number of sqlalchemy-migrate, or a name of alembic such as ``2024_1_expand01`` or ``mitaka02``.
    """
    if revision.isdigit():
        return (0, int(revision))
    prefix = re.match(r"\d{4}_\d|[a-z]+", revision)
    for number, release in enumerate(releases):
        if prefix and prefix.group() in (release["name"], str(release["series"]).replace(".", "_")):
            return (1, number)
    return (2, 0)


def newer_schema(revisions: t.Iterable[str], wanted: str, releases: Releases) -> str:
    """Return the first release that knows a schema which is too new for the release that is wanted, or nothing.

    :param revisions: what the database has recorded.
    """
    heads = {str(release["name"]): schema_age(str(release["schema"]), releases) for release in releases}
    age = max((schema_age(revision, releases) for revision in revisions), default=(0, 0))
    if wanted not in heads or age <= heads[wanted]:
        return ""
    return next((name for name, head in heads.items() if head >= age), f"one after {list(heads)[-1]}")


def open_advisories(
    version: str, advisories: t.Iterable[t.Mapping[str, t.Any]], at_least: AtLeast
) -> list[t.Mapping[str, t.Any]]:
    """Return the advisories that a version of Glance's package has not got the correction of.

    :param version: the version of the package, such as ``2:25.1.0-2+deb12u5``, or that of Glance itself.
    """
    upstream = re.sub(r"^\d+:|[-+~].*$", "", version)
    numbers = [int(number) for number in re.findall(r"\d+", upstream)]
    return [advisory for advisory in advisories if numbers and _is_open(version, numbers, advisory, at_least)]


def _is_open(version: str, numbers: list[int], advisory: t.Mapping[str, t.Any], at_least: AtLeast) -> bool:
    major = numbers[0]
    versions = [[int(number) for number in str(first).split(".")] for first in advisory["fixed"]]
    fixed = {first[0]: first for first in versions}
    if major < advisory["since"] or numbers >= fixed.get(major, [max(fixed, default=major) + 1]):
        return False
    return not any(at_least(version, own) for own in advisory.get("debian", ()) if _major(own) == major)


def _major(version: str) -> int:
    return int(re.sub(r"^\d+:", "", version).split(".")[0])
