# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module metadef_namespace, against a catalogue of metadata definitions that keeps what it is sent."""

from __future__ import annotations

import os
import signal
import typing as t
from urllib.parse import unquote

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _metadef_namespace
from ansible_collections.openstack_ops.glance.plugins.modules import metadef_namespace as module
from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import OTHER_PROJECT, FakeCloud, Request

NAME = "EXAMPLE::Images"
ADDED = {"created_at": "2026-11-20T12:00:00Z", "updated_at": "2026-11-20T12:00:00Z", "self": "/x", "schema": "/y"}
FULL = {
    "display_name": "Our images",
    "visibility": "public",
    "resource_types": [{"name": "OS::Glance::Image", "prefix": "ex_"}],
    "properties": {"tier": {"title": "Tier", "type": "string", "enum": ["gold", "silver"]}},
    "objects": [{"name": "support", "properties": {"until": {"title": "Until", "type": "string"}}}],
    "tags": ["golden", "old"],
}

Keep = t.Callable[..., dict[str, t.Any]]


class Metadefs(FakeCloud):
    """A Glance with metadata definitions."""

    def __init__(self) -> None:
        super().__init__()
        self.namespaces: dict[str, dict[str, t.Any]] = {}

    def answer(self, request: Request) -> tuple[int, t.Any]:
        parts = request.path.strip("/").split("/")
        if parts[:4] != ["image", "v2", "metadefs", "namespaces"]:
            return super().answer(request)
        path = [unquote(part) for part in parts[4:]]
        told = self.answers.get(f"{request.method} {'/'.join(path)}")
        return told or self._metadefs(request, path)

    def _metadefs(self, request: Request, path: list[str]) -> tuple[int, t.Any]:
        if not path:
            self.namespaces[request.body["namespace"]] = {**request.body, "parts": {}, **ADDED}
            return 201, {}
        namespace = self.namespaces.get(path[0])
        if namespace is None:
            return 404, "no such namespace"
        if request.method == "DELETE" and namespace.get("protected"):
            return 403, "it is protected and cannot be deleted"
        if path[1:]:
            return self._part(request, namespace["parts"].setdefault(path[1], {}), path[1:])
        if request.method == "DELETE":
            del self.namespaces[path[0]]
        elif request.method == "PUT":
            namespace.update(request.body)
        return 200, self._whole(namespace)

    @staticmethod
    def _part(request: Request, part: dict[str, t.Any], path: list[str]) -> tuple[int, t.Any]:
        if path == ["tags"]:
            part.clear()
            part.update({tag["name"]: tag for tag in request.body["tags"]})
        elif request.method == "DELETE":
            del part[path[1]]
        else:
            assert (request.method == "PUT") == (request.body["name"] in part)
            part[request.body["name"]] = request.body
        return 200, {}

    @staticmethod
    def _whole(namespace: dict[str, t.Any]) -> dict[str, t.Any]:
        parts = {name: dict(part) for name, part in namespace["parts"].items()}
        listed = {name: [{**entry, **ADDED} for entry in part.values()] for name, part in parts.items()}
        return {
            **{name: value for name, value in namespace.items() if name != "parts"},
            "resource_type_associations": listed.get("resource_types", []),
            "properties": parts.get("properties", {}),
            "objects": [{"required": [], **entry} for entry in listed.get("objects", [])],
            "tags": listed.get("tags", []),
        }


@pytest.fixture
def cloud() -> t.Iterator[Metadefs]:
    """Return a running cloud."""
    with Metadefs() as running:
        yield running


@pytest.fixture
def keep(run_module: RunModule, cloud: Metadefs) -> Keep:
    """Return a function that runs the module against the cloud."""

    def run(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        cloud.requests.clear()
        return run_module(module, {**cloud.auth, "name": NAME, **options}, check=check)

    return run


def writes(cloud: Metadefs) -> list[str]:
    """Return what was changed."""
    return [
        f"{request.method} {unquote(request.path).partition('namespaces')[2]}"
        for request in cloud.requests
        if request.method != "GET" and request.path.startswith("/image")
    ]


def names(cloud: Metadefs, part: str) -> set[str]:
    """Return what a part of the namespace holds."""
    return set(cloud.namespaces[NAME]["parts"][part])


def test_it_is_created_once(keep: Keep, cloud: Metadefs) -> None:
    told = keep(check=True, **FULL)
    assert cloud.namespaces == {}
    result = keep(**FULL)
    assert result["changed"]
    assert told["diff"] == result["diff"]
    assert result["diff"]["after"]["properties: tier"] == FULL["properties"]["tier"]
    assert writes(cloud) == [
        "POST ",
        f"POST /{NAME}/resource_types",
        f"POST /{NAME}/properties",
        f"POST /{NAME}/objects",
        f"POST /{NAME}/tags",
    ]
    again = keep(**FULL)
    assert not again["changed"], again["diff"]
    assert again["requests"] == 3


def test_what_is_left_out_stays(keep: Keep) -> None:
    keep(**FULL)
    assert not keep()["changed"]
    assert not keep(mode="exact")["changed"]


def test_merge_adds_and_exact_removes(keep: Keep, cloud: Metadefs) -> None:
    keep(**FULL)
    more = {"properties": {"new": {"title": "New", "type": "integer"}}, "tags": ["new"], "objects": []}
    assert keep(**more)["changed"]
    assert names(cloud, "properties") == {"tier", "new"}
    assert names(cloud, "tags") == {"golden", "old", "new"}
    result = keep(**more, mode="exact")
    assert result["diff"]["before"]["objects: support"] == {"properties": FULL["objects"][0]["properties"]}
    assert names(cloud, "properties") == names(cloud, "tags") == {"new"}
    assert names(cloud, "objects") == set()
    assert names(cloud, "resource_types") == {"OS::Glance::Image"}
    assert not keep(**more, mode="exact")["changed"]


def test_a_protected_one_is_protected_again(keep: Keep, cloud: Metadefs) -> None:
    keep(**{**FULL, "tags": None}, protected=True)
    fewer = {"resource_types": [{"name": "OS::Glance::Image", "prefix": "other_"}], "objects": [], "mode": "exact"}
    assert keep(**fewer)["changed"]
    assert names(cloud, "objects") == set()
    assert cloud.namespaces[NAME]["protected"]
    assert writes(cloud)[0] == writes(cloud)[-1] == f"PUT /{NAME}"
    assert not keep(**fewer)["changed"]
    cloud.answers[f"DELETE {NAME}/properties/tier"] = (500, "broken")
    assert keep(properties={}, mode="exact")["failed"]
    assert cloud.namespaces[NAME]["protected"]


def test_another_prefix_in_a_protected_one(keep: Keep, cloud: Metadefs) -> None:
    keep(**FULL, protected=True)
    assert keep(resource_types=[{"name": "OS::Glance::Image", "prefix": "other_"}])["changed"]
    assert cloud.namespaces[NAME]["parts"]["resource_types"]["OS::Glance::Image"]["prefix"] == "other_"
    assert cloud.namespaces[NAME]["protected"]


def test_a_name_with_a_slash(keep: Keep, cloud: Metadefs) -> None:
    for title in ("One", "Other"):
        assert keep(properties={"a/b": {"title": title, "type": "string"}})["changed"]
    assert cloud.requests[-1].path.endswith("/properties/a%2Fb")


@pytest.mark.parametrize("stopped_at", [f"PUT {NAME}", f"DELETE {NAME}/objects/support"])
def test_a_protected_one_is_protected_again_after_a_signal(
    keep: Keep, cloud: Metadefs, monkeypatch: pytest.MonkeyPatch, stopped_at: str
) -> None:
    keep(**FULL, protected=True)
    change, sent = _metadef_namespace.MetadefApi.change, []

    def stop(api: t.Any, method: str, *path: str, body: t.Any = None) -> None:
        change(api, method, *path, body=body)
        sent.append(f"{method} {'/'.join(path)}")
        if sent[-1] == stopped_at and sent.count(stopped_at) == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(_metadef_namespace.MetadefApi, "change", stop)
    assert "stopped by SIGTERM" in keep(objects=[], mode="exact")["msg"]
    assert cloud.namespaces[NAME]["protected"]


def test_a_default_is_a_text(keep: Keep, cloud: Metadefs) -> None:
    properties = {"n": {"title": "N", "type": "integer", "default": 3}, "b": {"title": "B", "default": True}}
    keep(properties=properties)
    assert cloud.namespaces[NAME]["parts"]["properties"]["n"]["default"] == "3"
    assert not keep(properties=properties)["changed"]


def test_drift_is_shown_and_mended(keep: Keep, cloud: Metadefs) -> None:
    keep(**FULL)
    parts = cloud.namespaces[NAME]["parts"]
    parts["properties"]["tier"]["enum"] = ["bronze"]
    parts["resource_types"]["OS::Glance::Image"]["prefix"] = "other_"
    cloud.namespaces[NAME]["display_name"] = "Other"
    result = keep(**FULL)
    assert sorted(result["diff"]["after"]) == [
        "display_name",
        "properties: tier",
        "resource_types: OS::Glance::Image",
    ]
    assert result["diff"]["before"]["properties: tier"]["enum"] == ["bronze"]
    assert writes(cloud) == [
        f"DELETE /{NAME}/resource_types/OS::Glance::Image",
        f"POST /{NAME}/resource_types",
        f"PUT /{NAME}/properties/tier",
        f"PUT /{NAME}",
    ]
    assert not keep(**FULL)["changed"]


def test_an_owner(keep: Keep, cloud: Metadefs) -> None:
    keep(owner="customer")
    assert cloud.namespaces[NAME]["owner"] == OTHER_PROJECT
    assert not keep(owner="customer")["changed"]


def test_half_of_one_is_not_left(keep: Keep, cloud: Metadefs) -> None:
    cloud.answers[f"POST {NAME}/objects"] = (400, "The schema is wrong")
    assert "The schema is wrong" in keep(**FULL, protected=True)["msg"]
    assert cloud.namespaces == {}


def test_half_of_one_that_is_left_is_told(keep: Keep, cloud: Metadefs) -> None:
    cloud.answers[f"POST {NAME}/objects"] = (400, "The schema is wrong")
    cloud.answers[f"DELETE {NAME}"] = (500, "The database is gone")
    message = keep(**FULL)["msg"]
    assert "The schema is wrong" in message
    assert "half of it was left in Glance and could not be deleted (HTTP 500" in message


def test_it_is_deleted(keep: Keep, cloud: Metadefs) -> None:
    keep(**FULL, protected=True)
    assert "it is protected" in keep(state="absent")["msg"]
    keep(protected=False)
    assert keep(state="absent", check=True)["changed"]
    assert keep(state="absent")["changed"]
    assert cloud.namespaces == {}
    assert not keep(state="absent")["changed"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"objects": [{"description": "x"}]}, "objects[0] has no name"),
        ({"objects": [{"name": "a"}, {"name": "a"}]}, "the name 'a' stands in more than one of objects"),
        ({"tags": ["a", "a"]}, "the name 'a' stands in more than one of tags"),
        ({"tags": ["a", ""]}, "one of tags is empty"),
        ({"resource_types": [{"name": "A"}, "oops"]}, "resource_types[1] is 'oops', not a dictionary"),
        ({"resource_types": ["name=A"]}, "resource_types[0] is 'name=A', not a dictionary"),
        ({"objects": [None]}, "objects[0] is empty, not a dictionary"),
        ({"properties": {"x": "integer"}}, "properties.x is 'integer', not a dictionary such as {title:"),
        ({"properties": {"x": None}}, "properties.x is empty, not a dictionary such as {title:"),
        ({"properties": {"x": {"properties": {"y": 1}}}}, "properties.x.properties.y is 1, not a dictionary"),
        ({"objects": [{"name": "a", "properties": {"x": "integer"}}]}, "objects[0] (a).properties.x is 'integer'"),
        ({"objects": [{"name": "a", "properties": {"x": None}}]}, "objects[0] (a).properties.x is empty"),
        ({"objects": [{"name": "a", "properties": ["x"]}]}, "objects[0] (a).properties is ['x'], not a dictionary"),
    ],
)
def test_what_has_not_the_form_of_a_part_is_refused(
    keep: Keep, cloud: Metadefs, options: dict[str, t.Any], said: str
) -> None:
    message = keep(**options)["msg"]
    assert said in message
    assert f"the namespace {NAME}" in message
    assert cloud.requests == []


def test_all_that_is_wrong_is_told_at_once(keep: Keep) -> None:
    message = keep(properties={"x": "integer", "y": None}, objects=[{}], tags=["a", "a"])["msg"]
    for said in ("properties.x is 'integer'", "properties.y is empty", "objects[0] has no name", "of tags"):
        assert said in message
