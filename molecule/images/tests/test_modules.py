# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The modules by themselves, as an operator runs them from a shell: image_info, metadef_namespace and image."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from catalog import PREFIX, Catalog, sha512
from playbook import ENVIRONMENT, ROOT

if t.TYPE_CHECKING:
    from openstack.connection import Connection

Make = t.Callable[..., str]
NAMESPACE = "Catalogue::Test"
PATH = f"/metadefs/namespaces/{NAMESPACE.replace(':', '%3A')}"


def ad_hoc(module: str, *flags: str, **options: t.Any) -> dict[str, t.Any]:
    """Run a module with the command ansible, and return its result; ``diff`` are the lines that ``--diff`` prints."""
    arguments = json.dumps({"cloud": os.environ["OS_CLOUD"], **options})
    interpreter = f"ansible_python_interpreter={sys.executable}"
    done = subprocess.run(
        ["ansible", "localhost", "-e", interpreter, "-m", f"openstack_ops.glance.{module}", "-a", arguments, *flags],
        cwd=ROOT,
        env={**ENVIRONMENT, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
    )
    _host, found, told = done.stdout.partition(" => ")
    assert found, done.stdout + done.stderr
    result: dict[str, t.Any] = json.JSONDecoder().raw_decode(told)[0]
    return {**result, "diff": [line for line in done.stdout.splitlines() if line.startswith(("+", "-"))]}


def test_an_image_is_shown_and_saved(catalog: Catalog, make: Make, cloud: Connection, tmp_path: Path) -> None:
    path = make("disk")
    entry = {"name": f"{PREFIX}shown", "source": path, "visibility": "shared", "members": ["service"]}
    image = catalog.kept([{**entry, "stores": ["local", "other"]}])[entry["name"]]
    service = cloud.identity.find_project("service").id
    shown = ad_hoc("image_info", name=entry["name"], stores=True, members=True)
    (found,) = shown["images"]
    assert (found["id"], sorted(found["stores"]), found["members"]) == (
        image["id"],
        ["local", "other"],
        {service: "pending"},
    )
    assert (found["os_hash_value"], shown["size"]) == (sha512(path), len(Path(path).read_bytes()))
    target = tmp_path / "saved"
    assert ad_hoc("image_info", "--check", name=entry["name"], save_to=str(target))["changed"]
    assert not target.exists()
    for changed in (True, False):
        saved = ad_hoc("image_info", name=entry["name"], save_to=str(target))
        assert (saved["changed"], saved["saved"]["hash"]) == (changed, sha512(path))
        assert sha512(target) == sha512(path)
    target.write_bytes(b"damaged")
    assert ad_hoc("image_info", id=image["id"], save_to=str(target))["changed"]
    assert sha512(target) == sha512(path)


def test_filters(catalog: Catalog, make: Make) -> None:
    source = {"source": make("disk", 1024)}
    listed = [
        {"name": f"{PREFIX}tagged", "tags": ["of-the-test"], **source},
        {"name": f"{PREFIX}hidden", "tags": ["of-the-test"], "hidden": True, **source},
        {"name": f"{PREFIX}community", "visibility": "community", **source},
    ]
    catalog.kept(listed)

    def names(**options: t.Any) -> set[str]:
        return {image["name"].removeprefix(PREFIX) for image in ad_hoc("image_info", **options)["images"]}

    assert names(filters={"tag": "of-the-test"}) == {"tagged"}
    assert names(filters={"tag": "of-the-test"}, hidden="include") == {"tagged", "hidden"}
    assert names(filters={"tag": "of-the-test"}, hidden="only") == {"hidden"}
    assert names(filters={"visibility": "community"}) >= {"community"}


def test_an_owner(catalog: Catalog, make: Make, cloud: Connection) -> None:
    options = {"name": f"{PREFIX}owned", "source": make("disk", 1024), "owner": "service", "visibility": "private"}
    assert ad_hoc("image", "--check", **options)["changed"]
    assert catalog.all() == []
    made = ad_hoc("image", **options)
    assert made["image"]["owner"] == cloud.identity.find_project("service").id
    assert not ad_hoc("image", **options)["changed"]
    # Another image of that name, of another project, is another image.
    mine = ad_hoc("image", **{**options, "owner": "admin"})
    assert mine["action"] == "created"
    assert not ad_hoc("image", **options)["changed"]


@pytest.fixture
def namespace(cloud: Connection) -> t.Iterator[dict[str, t.Any]]:
    """Return a namespace to declare, which is gone before and after."""

    def clean() -> None:
        if cloud.image.get(PATH).status_code == 200:
            cloud.image.put(PATH, json={"namespace": NAMESPACE, "protected": False})
            cloud.image.delete(PATH)

    clean()
    yield {
        "name": NAMESPACE,
        "display_name": "Of the test",
        "visibility": "public",
        "resource_types": [{"name": "OS::Glance::Image", "prefix": "test_"}],
        "properties": {"level": {"title": "Level", "type": "integer", "default": 3}},
        "objects": [{"name": "Thing", "properties": {"size": {"title": "Size", "type": "string"}}}],
        "tags": ["one", "two"],
    }
    clean()


def test_a_namespace(cloud: Connection, namespace: dict[str, t.Any]) -> None:
    told = ad_hoc("metadef_namespace", "--check", "--diff", **namespace)
    assert told["changed"]
    assert told["diff"]
    assert cloud.image.get(PATH).status_code == 404
    done = ad_hoc("metadef_namespace", "--diff", **namespace)
    assert done["diff"] == told["diff"]
    again = ad_hoc("metadef_namespace", **namespace)
    assert not again["changed"], again
    there = cloud.image.get(PATH).json()
    assert sorted(tag["name"] for tag in there["tags"]) == ["one", "two"]
    assert there["resource_type_associations"][0]["prefix"] == "test_"


def test_a_namespace_that_drifted(cloud: Connection, namespace: dict[str, t.Any]) -> None:
    protected = {**namespace, "protected": True}
    ad_hoc("metadef_namespace", **protected)
    cloud.image.put(PATH, json={"namespace": NAMESPACE, "protected": True, "display_name": "By hand"})
    cloud.image.post(f"{PATH}/objects", json={"name": "Extra", "properties": {}})
    told = ad_hoc("metadef_namespace", "--check", "--diff", **protected, mode="exact")
    taken_out = "".join(line for line in told["diff"] if line.startswith("-"))
    assert "By hand" in taken_out
    assert "Extra" in taken_out
    assert ad_hoc("metadef_namespace", **protected)["changed"]
    assert {entry["name"] for entry in cloud.image.get(PATH).json()["objects"]} == {"Thing", "Extra"}
    assert ad_hoc("metadef_namespace", **protected, mode="exact")["changed"]
    assert not ad_hoc("metadef_namespace", **protected, mode="exact")["changed"]
    there = cloud.image.get(PATH).json()
    assert ([entry["name"] for entry in there["objects"]], there["protected"]) == (["Thing"], True)
    assert "it is protected" in ad_hoc("metadef_namespace", name=NAMESPACE, state="absent")["msg"]
    ad_hoc("metadef_namespace", **namespace, protected=False)
    assert ad_hoc("metadef_namespace", name=NAMESPACE, state="absent")["changed"]
    assert cloud.image.get(PATH).status_code == 404
