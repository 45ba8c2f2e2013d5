# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Metadata definitions: what the files hold, what the database holds, and what ``glance-manage`` would add to it."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass, field

from ansible_collections.openstack_ops.glance.plugins.module_utils._database import run
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.plugins.module_utils._database import Session

NAMESPACE_COLUMNS = ("display_name", "description", "visibility", "protected", "owner")

QUERIES = {
    "namespace": (
        "SELECT namespace, namespace, display_name, description, visibility, protected, owner FROM metadef_namespaces"
    ),
    "resource type": (
        "SELECT n.namespace, r.name, a.prefix, a.properties_target FROM metadef_namespace_resource_types a"
        " JOIN metadef_namespaces n ON n.id = a.namespace_id JOIN metadef_resource_types r ON r.id = a.resource_type_id"
    ),
    "property": (
        "SELECT n.namespace, p.name, p.json_schema FROM metadef_properties p"
        " JOIN metadef_namespaces n ON n.id = p.namespace_id"
    ),
    "object": (
        "SELECT n.namespace, o.name, o.description, o.json_schema FROM metadef_objects o"
        " JOIN metadef_namespaces n ON n.id = o.namespace_id"
    ),
    "tag": "SELECT n.namespace, g.name FROM metadef_tags g JOIN metadef_namespaces n ON n.id = g.namespace_id",
}


@dataclass(frozen=True)
class Entry:
    """One thing that can be missing from the database: a namespace, or a part of one."""

    namespace: str
    kind: str
    name: str
    content: tuple[t.Any, ...] = field(default=(), compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it. The database, and so glance-manage, compares names without regard to case."""
        return self.namespace.casefold(), self.kind, self.name.casefold()


Entries = dict[tuple[str, str, str], Entry]
# In 20.0.1 there is a comma too many in it. Nobody can correct a file of an installed package for good.
SHIPPED_BROKEN = frozenset({"compute-vmware.json"})


@dataclass(frozen=True)
class Loading:
    """How ``glance-manage db load_metadefs`` is to treat what the database holds already."""

    path: str
    merge: bool = True
    prefer_new: bool = False

    @property
    def arguments(self) -> list[str]:
        """The command line."""
        arguments = ["db", "load_metadefs", "--path", self.path]
        return arguments + ["--merge"] * self.merge + ["--prefer_new"] * self.prefer_new


@dataclass(frozen=True)
class Pending:
    """What loading would change."""

    added: dict[str, list[str]]
    """Namespace -> what of it is missing; an empty list stands for all of it."""
    updated: dict[str, list[str]]
    """Namespace -> what of it differs, and is overwritten."""
    kept: dict[str, list[str]] = field(default_factory=dict)
    """Namespace -> what of it is not as in the file, and stays so. Nothing of it is a change."""

    def __bool__(self) -> bool:
        return bool(self.added or self.updated)

    @property
    def new_namespaces(self) -> list[str]:
        """The namespaces that the database does not have at all."""
        return sorted(namespace for namespace, parts in self.added.items() if not parts)

    @property
    def changed_namespaces(self) -> list[str]:
        """The namespaces that the database has, and that get or change something."""
        return sorted({*self.added, *self.updated}.difference(self.new_namespaces))

    def as_diff(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the two sides of the diff, by namespace."""
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for namespace in sorted({*self.added, *self.updated}):
            missing, other = self.added.get(namespace, []), self.updated.get(namespace, [])
            parts = [f"without {', '.join(missing)}"] * bool(missing) + [f"other {', '.join(other)}"] * bool(other)
            before[namespace] = "; ".join(parts) or "absent"
            after[namespace] = "as in the file"
        return before, after


def json_files(path: str) -> list[str]:
    """Return the files that ``glance-manage`` reads, in the order in which it does.

    :raises GlanceError: when there are none.
    """
    try:
        if os.path.isfile(path):
            return [path]
        found = [os.path.join(path, name) for name in os.listdir(path) if name.endswith(".json")]
    except OSError as error:
        raise GlanceError(f"looking for metadata definitions in {path}", answer=str(error.strerror)) from error
    files = [name for name in found if os.path.isfile(name)]
    if not files:
        raise GlanceError(f"{path} holds no file *.json with metadata definitions", remedy="give another metadefs_path")
    return files


def read_files(path: str, warn: t.Callable[[str], None] = lambda _message: None) -> Entries:
    """Return what the files define.

    :param warn: called with what is left out because Glance itself ships it broken.
    :raises GlanceError: when another one is unreadable; glance-manage would leave it out and report success.
    """
    entries: Entries = {}
    for name in json_files(path):
        try:
            with open(name, encoding="utf-8") as stream:
                definition = json.load(stream)
            entries.update((entry.key, entry) for entry in _entries(definition))
        except json.JSONDecodeError as error:
            if os.path.basename(name) not in SHIPPED_BROKEN:
                raise _unreadable(name, error) from error
            warn(f"{name} is no JSON and left out, as glance-manage does it: {error}. Glance 20.0.1 ships it so.")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable(name, error) from error
    return entries


def _unreadable(name: str, error: Exception) -> GlanceError:
    return GlanceError(
        f"reading the metadata definitions in {name}",
        answer=f"{type(error).__name__}: {error}",
        cause="the file is not JSON, or a namespace, object, tag or resource type in it has no name",
    )


def _entries(definition: dict[str, t.Any]) -> t.Iterator[Entry]:
    namespace = str(definition["namespace"])
    values = {"owner": "admin", **definition}
    yield Entry(namespace, "namespace", namespace, tuple(values.get(name) for name in NAMESPACE_COLUMNS))
    for item in definition.get("resource_type_associations", []):
        yield Entry(namespace, "resource type", item["name"], (item.get("prefix"), item.get("properties_target")))
    for name, schema in definition.get("properties", {}).items():
        yield Entry(namespace, "property", name, (schema,))
    for item in definition.get("objects", []):
        yield Entry(namespace, "object", item["name"], (item.get("description"), item.get("properties")))
    for item in definition.get("tags", []):
        yield Entry(namespace, "tag", item["name"])


def read_database(connection: Session) -> Entries:
    """Return what the database holds."""
    entries: Entries = {}
    for kind, query in QUERIES.items():
        for namespace, name, *columns in run(connection, query):
            entry = Entry(namespace, kind, name, _content(kind, columns))
            entries[entry.key] = entry
    return entries


def _content(kind: str, columns: list[t.Any]) -> tuple[t.Any, ...]:
    if kind == "namespace":
        protected = columns[NAMESPACE_COLUMNS.index("protected")]
        values = dict(zip(NAMESPACE_COLUMNS, columns))
        values["protected"] = None if protected is None else bool(protected)
        return tuple(values.values())
    if kind in ("property", "object"):
        return (*columns[:-1], json.loads(columns[-1]))
    return tuple(columns)


def compare(wanted: Entries, present: Entries, loading: Loading) -> Pending:
    """Return what ``glance-manage`` would change.

    Its rules: a namespace that is missing is loaded. One that is there is left alone without ``--merge``; with it, what
    is missing in it is added; with ``--prefer_new`` too, what differs is overwritten. Nothing is ever removed.
    """
    pending = Pending({}, {}, {})
    for key, entry in wanted.items():
        if (key[0], "namespace", key[0]) not in present:
            pending.added.setdefault(entry.namespace, [])
            continue
        if key in present and present[key].content == entry.content:
            continue
        if key in present:
            part = pending.updated if loading.prefer_new else pending.kept
        else:
            part = pending.added if loading.merge else pending.kept
        part.setdefault(entry.namespace, []).append(f"{entry.kind} {entry.name}")
    return pending
