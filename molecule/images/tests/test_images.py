# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The image catalogue on a real Glance: created, changed, replaced, copied, shared, imported and purged."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import typing as t
from pathlib import Path

from catalog import NOTE, PREFIX, Catalog, sha512
from playbook import ENVIRONMENT, ROOT

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from web import Web


def test_a_list_becomes_true(catalog: Catalog, make: t.Callable[..., str]) -> None:
    path = make("a")
    listed = [
        {"name": f"{PREFIX}public", "source": path, "visibility": "public", "tags": ["x"], "min_disk": 2},
        {"name": f"{PREFIX}properties", "source": path, "properties": {"os_distro": "debian", "hw_x": 1}},
        {"name": f"{PREFIX}community", "source": path, "visibility": "community", "protected": True},
        {"name": f"{PREFIX}inactive", "source": path, "deactivated": True},
        {"name": f"{PREFIX}both", "source": path, "stores": ["other", "local"]},
    ]
    found = catalog.kept(listed)
    assert len(found) == 5
    assert {image["os_hash_value"] for image in found.values()} == {sha512(path)}
    assert found[f"{PREFIX}inactive"]["status"] == "deactivated"
    assert set(found[f"{PREFIX}both"]["stores"].split(",")) == {"local", "other"}
    assert catalog.digest(found[f"{PREFIX}both"]["id"]) == sha512(path)
    listed[0].update(tags=[], min_disk=3, visibility="private")
    listed[1].update(properties={"os_distro": "ubuntu"}, properties_mode="exact")
    listed[3].update(deactivated=False)
    listed[4].update(name=f"{PREFIX}renamed", previous_names=[f"{PREFIX}both"])
    changed = catalog.kept(listed)
    assert {image["id"] for image in changed.values()} == {image["id"] for image in found.values()}
    assert changed[f"{PREFIX}public"]["tags"] == []
    assert changed[f"{PREFIX}public"]["visibility"] == "private"
    assert "hw_x" not in changed[f"{PREFIX}properties"]
    assert changed[f"{PREFIX}inactive"]["status"] == "active"


def test_a_new_content_replaces(catalog: Catalog, make: t.Callable[..., str]) -> None:
    entry = {"name": f"{PREFIX}versions", "source": make("a"), "replace": True, "keep": 1, "protected": True}
    first = catalog.kept([entry])[entry["name"]]["id"]
    make("a")
    second = catalog.kept([entry])[entry["name"]]
    assert second["id"] != first
    assert second["os_hash_value"] == sha512(entry["source"])
    old = next(image for image in catalog.all() if image["id"] == first)
    assert old["os_hidden"]
    assert old[f"{NOTE}replaced"] == f"{second['id']}/{first}"


def test_members(catalog: Catalog, make: t.Callable[..., str], cloud: Connection) -> None:
    service = cloud.identity.find_project("service").id
    entry = {"name": f"{PREFIX}shared", "source": make("a"), "visibility": "shared", "members": ["service"]}
    image = catalog.kept([entry])[entry["name"]]
    assert catalog.members(image["id"]) == {service: "pending"}
    catalog.kept([{**entry, "accept_members": True}])
    assert catalog.members(image["id"]) == {service: "accepted"}
    catalog.kept([{**entry, "members": []}])
    assert catalog.members(image["id"]) == {}


def test_other_ways_in(catalog: Catalog, make: t.Callable[..., str], web: Web, tmp_path: Path) -> None:
    path = make("a")
    (tmp_path / "a.gz").write_bytes(gzip.compress(Path(path).read_bytes()))
    sums = [f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()} *{name}\n" for name in ("a", "a.gz")]
    (tmp_path / "SHA256SUMS").write_text("".join(sums))
    (tmp_path / "raw").write_bytes(Path(path).read_bytes())
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(tmp_path / "raw"), str(tmp_path / "q")], check=True)
    checksum = {"checksum": f"sha256:{web.url}/SHA256SUMS"}
    listed = [
        {"name": f"{PREFIX}url", "source": f"{web.url}/a", **checksum},
        {"name": f"{PREFIX}packed", "source": f"{web.url}/a.gz", "decompress": True, **checksum},
        {"name": f"{PREFIX}fetched", "source": f"{web.url}/a", "import_method": "web-download", **checksum},
        {"name": f"{PREFIX}staged", "source": path, "import_method": "glance-direct", "stores": ["other", "local"]},
        {"name": f"{PREFIX}converted", "source": str(tmp_path / "q"), "convert": "raw"},
    ]
    found = catalog.kept(listed)
    assert {image["os_hash_value"] for image in found.values()} == {sha512(path)}
    assert found[f"{PREFIX}converted"]["disk_format"] == "raw"
    assert set(found[f"{PREFIX}staged"]["stores"].split(",")) == {"local", "other"}


def test_from_another_glance(catalog: Catalog, make: t.Callable[..., str], testbed: dict[str, t.Any]) -> None:
    path = make("a")
    there = {"name": f"{PREFIX}there", "source": path}
    image_id = catalog.kept([there])[f"{PREFIX}there"]["id"]
    # There is one Glance, so that it fetches from itself, by its endpoint in the catalogue.
    here = {
        "name": f"{PREFIX}here",
        "import_method": "glance-download",
        "remote_image": {"id": image_id, "region": testbed["testbed_region"]},
        "disk_format": "raw",
        "checksum": f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}",
    }
    assert catalog.kept([there, here])[f"{PREFIX}here"]["os_hash_value"] == sha512(path)


def test_a_failed_import_is_told(catalog: Catalog, web: Web) -> None:
    entry = {"name": f"{PREFIX}missing", "source": f"{web.url}/missing", "import_method": "web-download"}
    outcome = catalog.keep([{**entry, "disk_format": "raw"}])
    assert outcome.status != 0
    assert f"importing the image '{PREFIX}missing' with web-download" in outcome.text
    assert catalog.all() == []


def test_one_that_fails_does_not_stop_the_others(catalog: Catalog, make: t.Callable[..., str]) -> None:
    listed = [
        {"name": f"{PREFIX}bad", "source": "/no/such/file"},
        {"name": f"{PREFIX}good", "source": make("a")},
    ]
    outcome = catalog.keep(listed)
    assert outcome.status != 0
    assert "1 of 2 images failed" in outcome.text
    assert [image["name"] for image in catalog.all()] == [f"{PREFIX}good"]


def test_only_what_the_catalogue_created_is_purged(
    catalog: Catalog, make: t.Callable[..., str], cloud: Connection
) -> None:
    listed = [{"name": f"{PREFIX}{name}", "source": make("a")} for name in ("kept", "old")]
    old = catalog.kept(listed)[f"{PREFIX}old"]
    snapshot = {"name": f"{PREFIX}snapshot", "disk_format": "raw", "container_format": "bare"}
    snapshot[f"{NOTE}catalog"] = old[f"{NOTE}catalog"]
    for body in (snapshot, {**snapshot, "name": f"{PREFIX}by hand", f"{NOTE}catalog": ""}):
        cloud.image.post("/images", json=body)
    catalog.kept(listed[:1], glance_images_purge=True)
    assert {image["name"] for image in catalog.all()} == {f"{PREFIX}{name}" for name in ("kept", "snapshot", "by hand")}


def test_no_change_of_many_costs_what_one_costs(catalog: Catalog, make: t.Callable[..., str], tmp_path: Path) -> None:
    path = make("a", 1024)
    listed = [{"name": f"{PREFIX}{number}", "source": path} for number in range(100)]
    catalog.kept(listed)
    arguments = {number: requests(listed[:number], tmp_path) for number in (1, 100)}
    assert arguments[1] == arguments[100] <= 3


def requests(listed: list[dict[str, t.Any]], tmp_path: Path) -> int:
    """Return how many requests the module says that it needs."""
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "openstack_ops.glance.image_catalog": {"cloud": os.environ["OS_CLOUD"], "images": listed},
                "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
                "register": "kept",
            },
            {"ansible.builtin.debug": {"msg": "it took {{ kept.requests }} requests, changed {{ kept.changed }}"}},
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    done = subprocess.run(
        ["ansible-playbook", str(tmp_path / "play.yml")],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "changed False" in done.stdout, done.stdout
    return int(done.stdout.partition("it took ")[2].split()[0])
