# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Which option stands in which section of which release: the fixtures of tests/tools/option_lists.py, asked."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml
from rendering import Rendered, Settings

RESERVED = ("os_glance_staging_store", "os_glance_tasks_store")

ACCEPTED = {
    "DEFAULT.registry_host": "the registry itself is deprecated from Queens to Ussuri, and still the registry",
    "DEFAULT.registry_port": "as registry_host",
    "DEFAULT.enforce_secure_rbac": "deprecated from its first release on, and glance-api does not start without it",
    "DEFAULT.show_multiple_locations": "deprecated since Newton and never removed; said to be off for safety",
    "file.filesystem_store_datadirs": "deprecated since Flamingo, with nothing in its place",
    "glance_store.default_store": "of the single-store form, which an operator may ask for",
    "glance_store.stores": "of the single-store form, which an operator may ask for",
    "swift.swift_store_auth_address": "of multi-tenant stores, which have no reference file",
    "swift.swift_store_key": "of multi-tenant stores, which have no reference file",
    "swift.swift_store_user": "of multi-tenant stores, which have no reference file",
}
"""The deprecated options that the collection writes nevertheless, and why."""

Spans = t.Sequence[str]


class Options:
    """The options of all releases.

    :param directory: where the fixtures are.
    :param releases: the names of the releases, the oldest first.
    """

    def __init__(self, directory: Path, releases: t.Sequence[str]) -> None:
        self._releases = list(releases)
        self.known: dict[str, dict[str, Spans]] = {}
        self.deprecated: dict[str, Spans] = {}
        self.brackets: dict[str, Spans] = {}
        for name in ("glance", "glance_store", "keystone_authtoken", "libraries"):
            content = yaml.safe_load((directory / f"{name}.yml").read_text(encoding="utf-8"))
            for section, options in content["sections"].items():
                known = self.known.setdefault(section, {})
                for option, spans in options.items():
                    known[option] = [*known.get(option, ()), *spans]
            self.deprecated.update(content.get("deprecated", {}))
            self.brackets.update(content.get("brackets", {}))

    def holds(self, spans: Spans, release: str) -> bool:
        """Tell whether a release is in one of some spans such as ``havana..pike`` and ``queens..now``."""
        number = self._releases.index(release)
        for span in spans:
            first, _dots, last = span.partition("..")
            end = len(self._releases) - 1 if last == "now" else self._releases.index(last)
            if self._releases.index(first) <= number <= end:
                return True
        return False

    def has(self, kind: str, option: str, release: str) -> bool:
        """Tell whether a release has an option for stores of a type."""
        return any(self.holds(self.known[place].get(option, ()), release) for place in (kind, "store", "DEFAULT"))

    def problems(self, rendered: Rendered, found: Settings) -> t.Iterator[str]:
        """Return what is wrong with the settings of a file, for its release."""
        for (section, option), values in found.items():
            places = self._places(rendered, section)
            known = [place for place in places if option in self.known.get(place, {})]
            now = [place for place in known if self.holds(self.known[place][option], rendered.release)]
            name = f"[{section}] {option}"
            if not now:
                yield f"{name} is {'not an option of' if known else 'no option'} {rendered.release}"
                continue
            full = f"{now[0]}.{option}"
            if self.holds(self.deprecated.get(full, ()), rendered.release) and full not in ACCEPTED:
                yield f"{name} is deprecated in {rendered.release}"
            if full in self.brackets and not all(value.startswith("[") and value.endswith("]") for value in values):
                yield f"{name} is a list that has to be written in brackets"

    @staticmethod
    def _places(rendered: Rendered, section: str) -> list[str]:
        if section in RESERVED:
            return ["file"]
        if rendered.multi and section in rendered.stores:
            return [rendered.stores[section]["type"], "store"]
        single = [] if rendered.multi else [store["type"] for store in rendered.stores.values()]
        return [section, *(single if section == "glance_store" else [])]
