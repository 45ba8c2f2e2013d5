# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_info, through its main(), with real configuration files, directories and a real MariaDB."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.modules import store_info
from ansible_collections.openstack_ops.glance.tests.unit.plugins.scripted_http import Exchange, ScriptedServer

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node import Node

pytest_plugins = [
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb",
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node",
]

DATADIR = "filesystem_store_datadir = {}"
DATABASE_PASSWORD_BEGINS = "gl@nce:"
SECRET = "geheim/@%"
TOKEN = {"X-Subject-Token": "t0ken"}
STORES = "/v2/info/stores"


class Run(t.Protocol):
    """Signature of the fixture ``run``."""

    def __call__(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Do it."""


@pytest.fixture
def run(run_module: RunModule, tmp_path: Path) -> Run:
    """Return a function that runs the module, which must neither change nor fail, nor show a secret."""

    def look(*, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        arguments = {"config_file": str(tmp_path / "glance-api.conf"), "ask_api": False, **options}
        result = run_module(store_info, arguments, check=check)
        assert not result.get("failed"), result
        assert result["changed"] is False
        for secret in (DATABASE_PASSWORD_BEGINS, SECRET, "geheim"):
            assert secret not in json.dumps(result, ensure_ascii=False)
        return result

    return look


def names(images: list[dict[str, t.Any]]) -> list[str]:
    """Return the names of images."""
    return [image["name"] for image in images]


def contents(result: dict[str, t.Any]) -> dict[str, tuple[int, int, int]]:
    """Return what each store holds: images, bytes and locations."""
    return {store["name"]: (store["images"], store["bytes"], store["locations"]) for store in result["stores"]}


def test_a_node_without_glance(run: Run) -> None:
    result = run(ask_api=True, look_for_orphans=True)
    assert (result["layout"], result["stores"], result["api"]) == ("", [], {})
    assert result["table"] == ["No Glance is configured on this node."]


@pytest.mark.parametrize("check", [False, True])
def test_what_the_stores_hold(run: Run, node: Node, check: bool) -> None:
    lines = f"{DATADIR.format('/srv/b')}\nstore_description = for copies"
    node.multi(a=("file", DATADIR.format("/srv/a")), b=("file", lines), default="b")
    node.image("one", ("file:///srv/a/{id}", "a"), size=1024)
    node.image("two", ("file:///srv/a/{id}", "a"), ("file:///srv/b/{id}", "b"), size=2048)
    node.image("untagged", "file:///srv/b/{id}", size=1 << 30)
    node.image("deleted", ("file:///srv/b/{id}", "b"), deleted=True)
    node.image("waiting", status="queued", updated="UTC_TIMESTAMP()")
    result = run(check=check)
    assert contents(result) == {"a": (2, 3072, 2), "b": (2, (1 << 30) + 2048, 2)}
    assert (result["images"], result["bytes"], result["without_store_metadata"]) == (4, (1 << 30) + 3072, 1)
    assert (result["in_no_store"], result["without_location"], result["stuck"]) == ([], [], [])
    assert (result["layout"], result["default_store"], result["orphans"]) == ("multi", "b", None)
    assert result["stores"][1] == {
        "name": "b",
        "type": "file",
        "default": True,
        "description": "for copies",
        "place": "the directory /srv/b",
        "in_api": None,
        "images": 2,
        "bytes": (1 << 30) + 2048,
        "locations": 2,
    }
    assert result["table"] == [
        "STORE  TYPE  IMAGES  SIZE     DEFAULT  PLACE",
        "a      file  2       3.0 KiB           the directory /srv/a",
        "b      file  2       1.0 GiB  yes      the directory /srv/b",
        "1 location(s) without the name of their store.",
    ]


def test_single_form(run: Run, node: Node) -> None:
    node.configure(f"[glance_store]\nstores = file,http\n{DATADIR.format('/srv/a')}")
    node.image("inside", "file:///srv/a/{id}")
    node.image("outside", ("file:///srv/z/{id}", "ignored"))
    node.image("web", "https://user:geheim@www.example.org/geheim?sig=geheim")
    result = run()
    assert contents(result) == {"file": (2, 2000, 2), "http": (1, 1000, 1)}
    assert (result["layout"], result["default_store"]) == ("single", "file")
    assert not any("without the name" in line for line in result["table"])


def test_images_in_no_store_and_without_data(run: Run, node: Node) -> None:
    node.multi(a=("file", DATADIR.format("/srv/a")))
    node.image("lost", ("s3://AKEY:geheim/@%@s3.example.org/b/{id}", "bucket"))
    node.image("half", ("file:///srv/a/{id}", "a"), "https://www.example.org/geheim?geheim")
    node.image("empty")
    node.image("off", status="deactivated")
    result = run()
    lost, half = result["in_no_store"]
    assert (lost["name"], lost["readable"], lost["places"]) == ("lost", False, ["bucket"])
    assert (half["name"], half["readable"], half["places"]) == ("half", True, ["https"])
    assert names(result["without_location"]) == ["empty", "off"]
    assert (
        f"1 image(s) in no store of the configuration, so nobody can read them: lost ({lost['id']})" in result["table"]
    )
    assert any(line.startswith("2 image(s) without any data, though active: empty (") for line in result["table"])


class TestStuck:
    def test_images_that_wait_for_their_data(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")))
        for status in ("queued", "saving", "uploading", "importing", "active"):
            node.image(f"old {status}", status=status, updated="UTC_TIMESTAMP() - INTERVAL 90 MINUTE")
            node.image(f"new {status}", status=status, updated="UTC_TIMESTAMP() - INTERVAL 30 MINUTE")
        assert run()["stuck"] == []
        result = run(stuck_after=3600)
        assert names(result["stuck"]) == ["old queued", "old saving", "old uploading", "old importing"]
        assert result["stuck"][1]["why"] == "in the status saving"
        assert any(line.startswith("4 image(s) stuck: old queued (") for line in result["table"])

    def test_locks(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")))
        cases = {
            "works": ("processing", "30 MINUTE"),
            "hangs": ("processing", "90 MINUTE"),
            "just done": ("success", "1 MINUTE"),
            "long done": ("failure", "10 MINUTE"),
            "forgotten": ("", "10 MINUTE"),
        }
        for name, (status, age) in cases.items():
            node.lock(node.image(name), f"task-{name}", status, f"UTC_TIMESTAMP() - INTERVAL {age}")
        result = run(stuck_after=3600)
        assert {image["name"]: image["why"] for image in result["stuck"]} == {
            "hangs": "locked by the import task-hangs, which is processing",
            "long done": "locked by the import task-long done, which is failure",
            "forgotten": "locked by the import task-forgotten, which is no longer known",
        }


class TestOrphans:
    def test_both_ways(self, run: Run, node: Node, tmp_path: Path) -> None:
        images, staging = tmp_path / "images", tmp_path / "staging"
        images.mkdir()
        staging.mkdir()
        node.multi(
            a=("file", DATADIR.format(f"{images}/")),
            os_glance_staging_store=("file", DATADIR.format(staging)),
        )
        text = node.config_file.read_text().replace(", os_glance_staging_store:file", "")
        node.config_file.write_text(text)
        good = node.image("good", (f"file://{images}/{{id}}", "a"))
        gone = node.image("gone", (f"file://{images}/{{id}}", "a"))
        node.image("new", (f"file://{images}/{{id}}", "a"), updated="UTC_TIMESTAMP()")
        elsewhere = node.image("elsewhere", ("file:///somewhere/else/{id}", "a"))
        saving = node.image("saving", status="saving")
        copying = node.image("copying", (f"file://{images}/{{id}}", "a"))
        node.lock(copying, "task", "processing")
        importing = node.image("importing", status="importing")
        stranger = "11111111-0000-4000-8000-000000000001"
        for name in (good, saving, copying, stranger, elsewhere, "README"):
            (images / name).write_bytes(b"123")
        (images / "directory").mkdir()
        for name in (importing, copying, stranger, good):
            (staging / name).write_bytes(b"12345")
        before = sorted(path.name for path in images.iterdir())
        result = run(look_for_orphans=True)
        orphans = result["orphans"]
        found = {
            (entry["store"], entry["name"], entry["image_id"], entry["size"]) for entry in orphans["data_without_image"]
        }
        assert found == {("a", stranger, stranger, 3), ("a", "README", "", 3)}
        assert [entry["image_id"] for entry in orphans["data_without_location"]] == [elsewhere]
        assert [(image["id"], image["store"]) for image in orphans["images_without_data"]] == [(gone, "a")]
        assert {entry["name"] for entry in orphans["forgotten_in_staging"]} == {stranger, good}
        assert abs(os.path.getmtime(images / "README") - time.time()) < 60
        assert sorted(path.name for path in images.iterdir()) == before
        table = "\n".join(result["table"])
        assert f"1 image(s) whose data is missing: gone ({gone}; a)" in table
        assert "2 file(s) or object(s) without an image in the stores (6 B): " in table
        assert "1 file(s) or object(s) of images whose locations lead elsewhere" in table
        assert "2 file(s) or object(s) forgotten in staging (10 B): " in table

    def test_what_cannot_be_listed_is_told(self, run: Run, node: Node, tmp_path: Path) -> None:
        node.multi(a=("file", DATADIR.format(tmp_path / "missing")), web=("http", ""))
        node.image("i", (f"file://{tmp_path}/missing/{{id}}", "a"))
        result = run(look_for_orphans=True)
        assert result["orphans"]["images_without_data"] == []
        assert [note.split(" was not")[0] for note in result["notes"]] == ["the store 'a'", "the store 'web'"]
        assert "missing" in result["notes"][0]
        assert result["table"][-1].startswith("Note: the store 'web' was not looked at for orphans: ")


class TestApi:
    AUTH = """
[keystone_authtoken]
auth_type = password
auth_url = {url}/v3
username = glance
password = geheim
project_name = service
user_domain_name = Default
project_domain_name = Default
"""

    def exchanges(self, answer: t.Any, status: int = 200) -> list[Exchange]:
        version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": "{server}/v3/"}]}
        return [
            Exchange("GET", "/v3", answer={"version": version}),
            Exchange("POST", "/v3/auth/tokens", 201, {"token": {"catalog": []}}, headers=TOKEN),
            Exchange("GET", STORES, status, answer),
        ]

    def ask(self, run: Run, node: Node, answer: t.Any, status: int = 200) -> dict[str, t.Any]:
        with ScriptedServer(self.exchanges(answer, status)) as server:
            with node.config_file.open("a") as file:
                file.write(self.AUTH.format(url=server.url))
            return run(ask_api=True, api_url=f"{server.url}/")

    def test_the_stores_of_the_configuration(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")))
        result = self.ask(run, node, {"stores": [{"id": "a", "default": "true"}]})
        assert (result["notes"], result["stores"][0]["in_api"]) == ([], True)
        assert (result["api"]["stores"], result["api"]["layout"], result["api"]["error"]) == (["a"], "multi", "")

    def test_a_restart_is_pending(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")), b=("file", DATADIR.format("/srv/b")))
        result = self.ask(run, node, {"stores": [{"id": "a"}, {"id": "old"}]})
        assert [store["in_api"] for store in result["stores"]] == [True, False]
        assert result["notes"] == [
            "the API does not have the store 'b' yet: restart it",
            "the API still has the store 'old', which the configuration has no longer: restart it",
        ]

    def test_the_form_has_changed(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")))
        result = self.ask(run, node, {}, 404)
        assert (
            "runs in single-store form, and the configuration is in multi-store form: restart it" in result["notes"][0]
        )

    def test_single_form_is_fine(self, run: Run, node: Node) -> None:
        node.configure(f"[glance_store]\nstores = file\n{DATADIR.format('/srv/a')}")
        assert self.ask(run, node, {}, 404)["notes"] == []

    def test_an_api_that_is_broken(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")))
        result = self.ask(run, node, {}, 503)
        assert result["api"]["error"] == "HTTP 503"
        assert result["stores"][0]["in_api"] is None
        assert result["notes"][0].endswith("could not be asked for its stores: HTTP 503")

    def test_no_keystone(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")))
        with node.config_file.open("a") as file:
            file.write(self.AUTH.format(url="http://127.0.0.1:1"))
        result = run(ask_api=True)
        assert result["api"]["url"] == "http://127.0.0.1:9292"
        assert "could not be asked for its stores" in result["notes"][0]

    def test_no_credentials(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")))
        assert run(ask_api=True)["api"]["error"]


def test_the_database_does_not_answer(run_module: RunModule, node: Node) -> None:
    node.configure("[DEFAULT]\nenabled_backends = a:file\n", "mysql+pymysql://glance:geheim@127.0.0.1:1/glance")
    result = run_module(store_info, {"config_file": str(node.config_file), "ask_api": False})
    assert result["failed"]
    assert "127.0.0.1:1" in result["msg"]
    assert "geheim" not in json.dumps(result)
