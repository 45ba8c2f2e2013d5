# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""One namespace of metadata definitions: compared with what was declared, created, changed or deleted by the API."""

from __future__ import annotations

import json
import reprlib
import typing as t
from urllib.parse import quote

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi, status_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_find import owner_id
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import stoppable, undisturbed
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect

Json = dict[str, t.Any]

ATTRIBUTES = ("display_name", "description", "visibility", "protected", "owner")
NOT_DECLARED = frozenset({"created_at", "updated_at", "self", "schema", "name"})
"""What Glance adds to each part."""

PARTS = ("resource_types", "properties", "objects", "tags")
LISTS = ("resource_types", "objects")
"""The parts whose entries are dictionaries with a name in them."""


class MetadefApi(ImageApi):
    """The requests for metadata definitions."""

    def namespace(self, name: str) -> t.Optional[Json]:
        """Return a namespace with everything in it, or None."""
        try:
            return dict(self._metadef("reading", "GET", name).json())
        except GlanceError as error:
            if status_of(error) == 404:
                return None
            raise

    def make(self, body: Json) -> None:
        """Make a namespace."""
        doing = f"creating the namespace {body['namespace']}"
        self._request(doing, "POST", "/metadefs/namespaces", json=body)

    def change(self, method: str, name: str, *path: str, body: t.Any = None) -> None:
        """Change a namespace, or a part of it."""
        self._metadef("changing", method, name, *path, body=body)

    def remove(self, name: str) -> None:
        """Delete a namespace with everything in it."""
        self._metadef("deleting", "DELETE", name)

    def _metadef(self, doing: str, method: str, name: str, *path: str, body: t.Any = None) -> t.Any:
        where = "/".join(quote(step, safe="") for step in (name, *path))
        options = {} if body is None else {"json": body}
        what = f"{doing} the namespace {name}" + (f" ({' '.join(path)})" if path else "")
        return self._request(what, method, f"/metadefs/namespaces/{where}", **options)


class Namespace(t.NamedTuple):
    """What a namespace holds: each part by the name of what is in it."""

    attributes: Json
    parts: dict[str, dict[str, Json]]


def observed(answer: t.Optional[Json]) -> t.Optional[Namespace]:
    """Return what Glance told of a namespace."""
    if answer is None:
        return None
    parts = {
        "resource_types": _by_name(answer.get("resource_type_associations")),
        "properties": {name: _plain(schema) for name, schema in (answer.get("properties") or {}).items()},
        "objects": _by_name(answer.get("objects")),
        "tags": _by_name(answer.get("tags")),
    }
    return Namespace({name: answer.get(name) for name in ATTRIBUTES}, parts)


def check(params: t.Mapping[str, t.Any]) -> None:
    """Refuse parts that have not the form of parts.

    :raises GlanceError: with everything that is wrong with them.
    """
    problems = [*_wrong_entries(params), *_wrong_schemas("properties", params["properties"]), *_repeated_names(params)]
    if problems:
        raise GlanceError(
            f"reading what is declared of the namespace {params['name']}",
            answer="; ".join(problems),
            remedy="correct it; nothing was changed",
        )


def _wrong_entries(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for part in LISTS:
        for index, entry in enumerate(params[part] or []):
            where = f"{part}[{index}]"
            if not isinstance(entry, dict):
                yield _no_dictionary(where, entry)
                continue
            if not entry.get("name"):
                yield f"{where} has no name"
            if part == "objects":
                named = f"{where} ({entry['name']})" if entry.get("name") else where
                yield from _wrong_schemas(f"{named}.properties", entry.get("properties"))


def _wrong_schemas(where: str, schemas: t.Any) -> t.Iterator[str]:
    """Tell of properties without a schema. That of an object has properties of its own."""
    if schemas is None:
        return
    if not isinstance(schemas, dict):
        yield _no_dictionary(where, schemas)
        return
    for name, schema in schemas.items():
        if isinstance(schema, dict):
            yield from _wrong_schemas(f"{where}.{name}.properties", schema.get("properties"))
        else:
            yield f"{_no_dictionary(f'{where}.{name}', schema)} such as {{title: A title, type: string}}"


def _no_dictionary(where: str, value: t.Any) -> str:
    return f"{where} is {'empty' if value is None else reprlib.repr(value)}, not a dictionary"


def _repeated_names(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for part in (*LISTS, "tags"):
        entries = params[part] or []
        names = entries if part == "tags" else [entry.get("name") for entry in entries if isinstance(entry, dict)]
        known = [str(name) for name in names if name]
        for name in sorted({name for name in known if known.count(name) > 1}):
            yield f"the name {name!r} stands in more than one of {part}"
        if part == "tags" and len(known) < len(names):
            yield "one of tags is empty"


def declared(params: t.Mapping[str, t.Any], owner: t.Optional[str]) -> Namespace:
    """Return what was declared of a namespace; parts that were not declared are left out."""
    attributes = {name: params[name] for name in ATTRIBUTES if params[name] is not None}
    if owner is not None:
        attributes["owner"] = owner
    parts: dict[str, dict[str, Json]] = {}
    for part in PARTS:
        value = params[part]
        if part == "properties" and value is not None:
            parts[part] = {str(name): _plain(schema) for name, schema in value.items()}
        elif value is not None:
            parts[part] = _by_name([{"name": entry} if part == "tags" else entry for entry in value])
    return Namespace(attributes, parts)


def _by_name(entries: t.Optional[t.Iterable[Json]]) -> dict[str, Json]:
    return {str(entry["name"]): _plain(entry) for entry in entries or []}


def _plain(value: Json) -> Json:
    """Return a part as it was declared: without what Glance adds, and without what says nothing."""
    plain = {name: inner for name, inner in value.items() if name not in NOT_DECLARED and inner not in (None, [], {})}
    if "default" in plain and not isinstance(plain["default"], str):
        # Glance keeps it as a text.
        plain["default"] = json.dumps(plain["default"])
    if isinstance(plain.get("properties"), dict):
        plain["properties"] = {name: _plain(schema) for name, schema in plain["properties"].items()}
    return plain


class NamespaceKeeper:
    """Makes one namespace what was declared."""

    def __init__(self, api: MetadefApi, params: t.Mapping[str, t.Any], *, check_mode: bool = False) -> None:
        self._api = api
        self._params = params
        self._check_mode = check_mode
        self._name: str = params["name"]

    def keep(self) -> Difference:
        """Do what has to be done, and tell what it was.

        :raises GlanceError: when it cannot be done.
        """
        self._api.authenticate()
        present = observed(self._api.namespace(self._name))
        if self._params["state"] == "absent":
            return self._absent(present)
        owner, _project = owner_id(self._api, self._params["owner"])
        wanted = declared(self._params, owner)
        difference = self._compare(wanted, present)
        if difference.changed and not self._check_mode:
            if present is None:
                self._create(wanted)
            else:
                self._change(wanted, present)
        return difference

    def _absent(self, present: t.Optional[Namespace]) -> Difference:
        difference = Difference()
        if present is None:
            return difference
        if present.attributes.get("protected"):
            raise GlanceError(
                f"deleting the namespace {self._name}",
                answer="it is protected",
                remedy="set protected: false first, when it really has to go",
            )
        difference.compare("state", "present", "absent")
        if not self._check_mode:
            self._api.remove(self._name)
        return difference

    def _compare(self, wanted: Namespace, present: t.Optional[Namespace]) -> Difference:
        difference = Difference()
        if present is None:
            difference.compare("state", "absent", "present")
        for name, value in wanted.attributes.items():
            difference.compare(name, present.attributes.get(name) if present else None, value)
        for part, entries in wanted.parts.items():
            there = present.parts[part] if present else {}
            for name in sorted({*entries, *(there if self._params["mode"] == "exact" else ())}):
                difference.compare(f"{part}: {name}", there.get(name), entries.get(name))
        return difference

    def _create(self, wanted: Namespace) -> None:
        self._api.make({"namespace": self._name, **wanted.attributes})
        empty: dict[str, dict[str, Json]] = {part: {} for part in PARTS}
        try:
            self._change_parts(wanted.parts, empty)
        except GlanceError as error:
            # Half of it would be taken for what was declared in another run's merge.
            self._undo(error)
            raise

    def _undo(self, error: GlanceError) -> None:
        try:
            self._api.change("PUT", self._name, body={"namespace": self._name, "protected": False})
            self._api.remove(self._name)
        except GlanceError as failure:
            raise GlanceError(
                error.doing,
                answer=f"{error.answer}; half of it was left in Glance and could not be deleted ({failure.answer})",
                cause=error.cause,
                remedy=error.remedy,
            ) from error

    def _change(self, wanted: Namespace, present: Namespace) -> None:
        attributes = {**present.attributes, **wanted.attributes}
        lifted = bool(present.attributes.get("protected")) and self._takes_out(wanted.parts, present.parts)
        try:
            if lifted:
                # Nothing can be taken out of a namespace that is protected.
                self._put({**present.attributes, "protected": False})
            self._change_parts(wanted.parts, present.parts)
        finally:
            if lifted or attributes != present.attributes:
                with undisturbed():
                    self._put(attributes)

    def _put(self, attributes: Json) -> None:
        told = {name: value for name, value in attributes.items() if value is not None}
        self._api.change("PUT", self._name, body={"namespace": self._name, **told})

    def _takes_out(self, wanted: dict[str, dict[str, Json]], present: dict[str, dict[str, Json]]) -> bool:
        exact = self._params["mode"] == "exact"
        gone = any(exact and present[part].keys() - entries.keys() for part, entries in wanted.items())
        types = wanted.get("resource_types", {})
        # A changed association is taken out, too: it has no update.
        return gone or any(present["resource_types"].get(name, value) != value for name, value in types.items())

    def _change_parts(self, wanted: dict[str, dict[str, Json]], present: dict[str, dict[str, Json]]) -> None:
        exact = self._params["mode"] == "exact"
        for part in ("resource_types", "properties", "objects"):
            if part in wanted:
                self._change_part(part, wanted[part], present[part])
                for name in sorted(present[part].keys() - wanted[part].keys()) if exact else ():
                    self._api.change("DELETE", self._name, part, name)
        if "tags" in wanted:
            kept = {} if exact else present["tags"]
            names = sorted({**kept, **wanted["tags"]})
            if names != sorted(present["tags"]):
                # One request, which replaces all of them.
                self._api.change("POST", self._name, "tags", body={"tags": [{"name": name} for name in names]})

    def _change_part(self, part: str, wanted: dict[str, Json], present: dict[str, Json]) -> None:
        for name, value in wanted.items():
            if present.get(name) == value:
                continue
            body = {**value, "name": name}
            if name not in present:
                self._api.change("POST", self._name, part, body=body)
            elif part == "resource_types":
                self._api.change("DELETE", self._name, part, name)
                self._api.change("POST", self._name, part, body=body)
            else:
                self._api.change("PUT", self._name, part, name, body=body)


def run(params: dict[str, t.Any], *, check_mode: bool = False) -> dict[str, t.Any]:
    """Do what the parameters of the module say, and return its result.

    :raises GlanceError: when it cannot be done.
    """
    check(params)
    api = MetadefApi(connect(params))
    with stoppable():
        difference = NamespaceKeeper(api, params, check_mode=check_mode).keep()
    return {"changed": difference.changed, "diff": difference.as_diff(), "requests": api.requests}
