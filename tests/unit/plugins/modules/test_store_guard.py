# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_guard, through its main(), with real configuration files and a real MariaDB."""

from __future__ import annotations

import json
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _probe_mount,
    _store_guard,
    _store_guard_mounts,
)
from ansible_collections.openstack_ops.glance.plugins.modules import store_guard

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node import Node

pytest_plugins = [
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.mariadb",
    "ansible_collections.openstack_ops.glance.tests.unit.plugins.glance_node",
]

TRAIN, ZED = 19, 25
DATABASE_PASSWORD_BEGINS = "gl@nce:"
DATADIR = "filesystem_store_datadir = {}"
LOCAL = {"type": "file", "datadir": "/srv/a"}
OTHER = {"type": "file", "datadir": "/srv/b"}
FSID = "5f3c1b0e-7a52-4f0b-9c1d-2e6f8a4b9d30"
CEPH_KEY = "AQAmUAFrDC8MFRAAzji8SFbU01SS0r5ue4BdvA=="  # pragma: allowlist secret
CLUSTER = {"type": "rbd", "pool": "images", "user": "g", "mon_hosts": ["192.0.2.1"], "fsid": FSID, "key": CEPH_KEY}
S3_KEY = "s3/Swift+%$Secret2m="
S3 = {
    "type": "s3",
    "host": "http://S3.example.org:8080",
    "bucket": "bucket",
    "access_key": "AKEY",
    "secret_key": S3_KEY,
}
SWIFT_KEY = "sw@ft:/%#'\"$ ø"
SWIFT = {
    "type": "swift",
    "container": "c",
    "auth": {"auth_address": "http://k:5000/v3", "user": "p:u", "key": SWIFT_KEY},
}
UNREACHABLE = "mysql+pymysql://glance:geheim@127.0.0.1:1/glance"


class Run(t.Protocol):
    """Signature of the fixture ``run``."""

    def __call__(self, stores: dict[str, t.Any], *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Do it."""


@pytest.fixture
def run(run_module: RunModule, tmp_path: Path) -> Run:
    """Return a function that runs the module, which must neither change nor fail, nor show a secret."""

    def look(stores: dict[str, t.Any], *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        arguments = {
            "stores": stores,
            "release": ZED,
            "config_file": str(tmp_path / "glance-api.conf"),
            "node": "controller-1",
            **options,
        }
        result = run_module(store_guard, arguments, check=check)
        assert not result.get("failed"), result
        assert result["changed"] is False
        assert result["messages"] == [problem["message"] for problem in result["problems"]]
        shown = json.dumps({key: value for key, value in result.items() if key != "invocation"}, ensure_ascii=False)
        for secret in (DATABASE_PASSWORD_BEGINS, CEPH_KEY, S3_KEY, SWIFT_KEY, "geheim"):
            assert secret not in shown
            assert secret not in json.dumps(result, ensure_ascii=False)
        return result

    return look


def fates(result: dict[str, t.Any]) -> dict[str, str]:
    """Return what becomes of each store."""
    return {store["name"]: store["fate"] for store in result["stores"]}


def codes(result: dict[str, t.Any]) -> list[str]:
    """Return the codes of the problems."""
    return [problem["code"] for problem in result["problems"]]


class TestNothingHappens:
    def test_a_node_without_a_configuration(self, run: Run) -> None:
        result = run({"local": LOCAL})
        assert (result["problems"], result["notes"], result["stores"]) == ([], [], [])
        assert result["default_store"] == {"before": "", "after": "local"}
        assert result["layout"] == {"before": "", "after": "multi"}

    def test_what_a_package_leaves_behind_has_no_images(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "glance-api.conf").write_text("[glance_store]\nfilesystem_store_datadir = /var/lib/glance/images\n")
        result = run({"local": LOCAL})
        assert (result["problems"], fates(result)) == ([], {"file": "moved", "http": "gone"})
        assert result["has_run"] is False

    @pytest.mark.parametrize("check", [False, True])
    def test_the_same_stores_need_no_database(self, run: Run, node: Node, check: bool) -> None:
        node.multi(local=("file", DATADIR.format("/srv//a/")), default="local")
        node.configure(node.config_file.read_text().split("[database]")[0], UNREACHABLE)
        result = run({"local": LOCAL, "new": {"type": "file", "datadir": "/srv/new"}}, default_store="new", check=check)
        assert (result["problems"], result["read_images"]) == ([], False)
        assert [note.partition(",")[0] for note in result["notes"]] == ["new images are going to go to the store 'new'"]
        assert fates(result) == {"local": "kept"}
        assert result["default_store"] == {"before": "local", "after": "new"}

    def test_names_of_the_stores_are_shown_although_their_keys_are_secret(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        result = run({"local": LOCAL, "s3": S3, "ceph": CLUSTER, "sw": SWIFT})
        assert result["stores"][0]["place"] == "the directory /srv/a"
        assert result["stores"][0]["type"] == "file"


class TestGone:
    def test_the_images_that_are_lost_are_counted_and_named(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")), other=("file", DATADIR.format("/srv/b")))
        lost = node.image("lost", ("file:///srv/a/{id}", "local"), size=5000)
        node.image("in both", ("file:///srv/a/{id}", "local"), ("file:///srv/b/{id}", "other"))
        node.image("safe", ("file:///srv/b/{id}", "other"))
        node.image("deleted", ("file:///srv/a/{id}", "local"), deleted=True)
        node.image("without data")
        result = run({"other": {"type": "file", "datadir": "/srv/b"}})
        assert codes(result) == ["GLS-170"]
        message = result["messages"][0]
        assert f"1 image(s) with 4.88 KB are in it and in no store that stays: lost ({lost})." in message
        assert message.startswith("GLS-170 controller-1: the store 'local' (the directory /srv/a)")
        assert "glance_allow_unreadable_images: [local]" in message
        assert {(store["name"], store["images"], store["bytes"]) for store in result["stores"]} == {
            ("local", 1, 5000),
            ("other", 0, 0),
        }

    def test_a_store_without_images_may_go(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")), web=("http", ""))
        result = run({"local": LOCAL})
        assert (result["problems"], result["read_images"]) == ([], True)
        assert result["notes"] == [
            "the store 'web' (web servers) is going to be no store any more; no image is in it alone"
        ]

    def test_an_image_in_two_stores_that_go(self, run: Run, node: Node) -> None:
        node.multi(a=("file", DATADIR.format("/srv/a")), b=("file", DATADIR.format("/srv/b")))
        node.image("both", ("file:///srv/a/{id}", "a"), ("file:///srv/b/{id}", "b"))
        assert codes(run({"ceph": CLUSTER})) == ["GLS-170", "GLS-170"]

    def test_no_more_than_ten_images_are_named(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        for number in range(12):
            node.image(f"image-{number}", ("file:///srv/a/{id}", "local"))
        message = run({"ceph": CLUSTER})["messages"][0]
        assert "12 image(s) with 11.72 KB" in message
        assert ("image-9 (" in message, "image-10 (" in message, " and 2 more." in message) == (True, False, True)

    def test_what_is_allowed_is_noted(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        node.image("lost", ("file:///srv/a/{id}", "local"))
        result = run({"ceph": CLUSTER}, allow_unreadable_images=["local", "ceph", "lcoal"])
        assert result["problems"] == []
        assert result["stores"][0]["allowed"] is True
        typo, noted, default = result["notes"]
        assert default.startswith("new images are going to go to the store 'ceph', no longer to 'local'")
        assert typo == "glance_allow_unreadable_images names 'lcoal', which is no store (did you mean local?)"
        assert noted.endswith("which glance_allow_unreadable_images allows")
        assert "1 image(s) with 1000.00 Bytes" in noted

    def test_the_place_counts_where_the_noted_store_is_not_configured(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        node.image("renamed earlier", ("file:///srv/a/{id}", "an old name"))
        node.image("elsewhere", ("file:///srv/z/{id}", "an old name"))
        message = run({"ceph": CLUSTER})["messages"][0]
        assert ("renamed earlier" in message, "elsewhere" in message) == (True, False)


class TestMoved:
    def test_a_store_with_another_directory(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        node.image("left", ("file:///srv/a/{id}", "local"))
        result = run({"local": {"type": "file", "datadir": "/srv/b"}})
        assert (codes(result), fates(result)) == (["GLS-171"], {"local": "moved"})
        assert "moves from the directory /srv/a to the directory /srv/b" in result["messages"][0]

    def test_a_directory_is_added(self, run: Run, node: Node) -> None:
        node.multi(local=("file", "filesystem_store_datadir =\nfilesystem_store_datadirs = /srv/a:1"))
        result = run({"local": {"type": "file", "datadirs": [{"path": "/srv/a"}, {"path": "/srv/b"}]}})
        assert (result["problems"], fates(result)) == ([], {"local": "kept"})

    def test_a_directory_is_taken_away(self, run: Run, node: Node) -> None:
        lines = "filesystem_store_datadir =\nfilesystem_store_datadirs = /srv/a:1\nfilesystem_store_datadirs = /srv/b:2"
        node.multi(local=("file", lines))
        node.image("left", ("file:///srv/b/{id}", "local"))
        assert codes(run({"local": LOCAL})) == ["GLS-171"]


class TestRenamed:
    def test_a_name_alone(self, run: Run, node: Node) -> None:
        node.multi(fs=("file", DATADIR.format("/srv/a")))
        result = run({"local": LOCAL})
        assert (result["problems"], result["read_images"], fates(result)) == ([], True, {"fs": "renamed"})
        assert result["notes"] == ["Glance is going to find the images of 'fs' in 'local': the directory /srv/a"]

    def test_an_image_outside_of_the_directory_is_not_found_any_more(self, run: Run, node: Node) -> None:
        node.multi(fs=("file", DATADIR.format("/srv/a")))
        node.image("inside", ("file:///srv/a/{id}", "fs"))
        node.image("outside", ("file:///srv/z/{id}", "fs"))
        assert run({"fs": LOCAL})["problems"] == []
        result = run({"local": LOCAL})
        assert codes(result) == ["GLS-170"]
        assert "only the images whose locations begin with file:///srv/a/, and 1 image(s)" in result["messages"][0]
        assert "no store that stays: outside (" in result["messages"][0]

    def test_the_database_does_not_answer(self, run: Run, node: Node) -> None:
        node.multi(fs=("file", DATADIR.format("/srv/a")))
        node.configure(node.config_file.read_text().split("[database]")[0], UNREACHABLE)
        assert codes(run({"local": LOCAL})) == ["GLS-172"]

    def test_another_store_gets_the_name(self, run: Run, node: Node) -> None:
        node.multi(fs=("file", DATADIR.format("/srv/a")))
        node.image("confused", ("file:///srv/a/{id}", "fs"))
        stores = {"local": LOCAL, "fs": {"type": "file", "datadir": "/srv/b"}}
        result = run(stores)
        assert (codes(result), fates(result)) == (["GLS-171"], {"fs": "moved"})
        assert "give the name 'fs' to no other store" in result["messages"][0]
        assert codes(run({"local": LOCAL, "fs": CLUSTER})) == ["GLS-171"]
        assert run({"local": LOCAL}, multi=False)["problems"] == []

    def test_several_directories_are_found_by_the_first_alone(self, run: Run, node: Node) -> None:
        lines = "filesystem_store_datadir =\nfilesystem_store_datadirs = /srv/a:1\nfilesystem_store_datadirs = /srv/b:2"
        node.multi(fs=("file", lines))
        node.image("in the first", ("file:///srv/b/{id}", "fs"))
        directories = [{"path": "/srv/a", "priority": 1}, {"path": "/srv/b", "priority": 2}]
        stores = {"local": {"type": "file", "datadirs": directories}}
        assert run(stores)["problems"] == []
        node.image("in the second", ("file:///srv/a/{id}", "fs"))
        result = run(stores)
        assert codes(result) == ["GLS-170"]
        assert "no store that stays: in the second (" in result["messages"][0]
        assert codes(run({"fs": stores["local"]})) == []

    def test_s3_with_other_keys(self, run: Run, node: Node) -> None:
        lines = "s3_store_host = http://s3.example.org:8080\ns3_store_bucket = bucket\ns3_store_access_key = AKEY\n"
        node.multi(old=("s3", f"{lines}s3_store_secret_key = another"))
        node.image("i", ("s3://AKEY:ano/th@er@s3.example.org:8080/bucket/{id}", "old"))
        result = run({"new": S3})
        assert codes(result) == ["GLS-170"]
        assert "that name it already, and so none of them" in result["messages"][0]
        secret = S3_KEY.replace("$", "$$")
        node.multi(old=("s3", f"{lines}s3_store_secret_key = {secret}"))
        assert fates(run({"new": S3})) == {"old": "renamed"}

    def test_s3_whose_keys_alone_change(self, run: Run, node: Node) -> None:
        lines = "s3_store_host = http://s3.example.org:8080\ns3_store_bucket = bucket\ns3_store_access_key = AKEY\n"
        node.multi(s3=("s3", f"{lines}s3_store_secret_key = another"))
        result = run({"s3": S3})
        assert (result["problems"], fates(result)) == ([], {"s3": "kept"})
        (note,) = result["notes"]
        assert note.startswith("the store 's3' gets other keys; ")
        secret = S3_KEY.replace("$", "$$")
        node.multi(s3=("s3", f"{lines}s3_store_secret_key = {secret}"))
        assert run({"s3": S3})["notes"] == []

    def test_swift_with_a_reference_of_another_name(self, run: Run, node: Node) -> None:
        file = node.directory / "glance-swift.conf"
        key = SWIFT_KEY.replace("%", "%%")
        file.write_text(f"[ref1]\nuser = p:u\nkey = {key}\nauth_address = http://k:5000/v3\n", encoding="utf-8")
        lines = f"swift_store_config_file = {file}\ndefault_swift_reference = ref1\nswift_store_container = c"
        node.multi(old=("swift", lines))
        node.image("i", ("swift+config://ref1/c/{id}", "old"))
        result = run({"new": SWIFT})
        assert codes(result) == ["GLS-170"]
        assert "give glance_stores.new the option reference: ref1" in result["messages"][0]
        assert run({"new": {**SWIFT, "reference": "ref1"}})["problems"] == []


class TestBehindOneKeystone:
    """Which of several services is meant, and what makes no difference."""

    def swift(self, node: Node, lines: str = "", reference: str = "") -> None:
        file = node.directory / "glance-swift.conf"
        key = SWIFT_KEY.replace("%", "%%")
        account = f"user = p:u\nkey = {key}\nauth_address = http://k:5000/v3\n{reference}"
        file.write_text(f"[sw]\n{account}", encoding="utf-8")
        common = f"swift_store_config_file = {file}\ndefault_swift_reference = sw\nswift_store_container = c\n"
        node.multi(sw=("swift", common + lines))
        node.image("i", ("swift+config://sw/c/{id}", "sw"))

    @pytest.mark.parametrize(
        "options",
        [
            {"region": "two"},
            {"endpoint": "http://swift:8080/v1"},
            {"service_type": "object-archive"},
            {"auth": {**SWIFT["auth"], "project_domain_name": "other"}},
            {"auth": {**SWIFT["auth"], "auth_address": "http://another:5000/v3"}},
            {"auth": {**SWIFT["auth"], "auth_address": "https://k:5001/v3"}},
        ],
    )
    def test_another_swift(self, run: Run, node: Node, options: dict[str, t.Any]) -> None:
        self.swift(node)
        assert codes(run({"sw": {**SWIFT, **options}})) == ["GLS-171"]

    @pytest.mark.parametrize(
        "options",
        [
            {"endpoint_type": "internalURL"},
            {"service_type": "object-store"},
            {"auth": {**SWIFT["auth"], "auth_address": "https://K:5000/v3/"}},
            {"auth": {**SWIFT["auth"], "auth_address": "https://k:5000"}},
            {"auth": {**SWIFT["auth"], "project_domain_id": "default"}},
        ],
    )
    def test_the_same_swift(self, run: Run, node: Node, options: dict[str, t.Any]) -> None:
        self.swift(node)
        result = run({"sw": {**SWIFT, **options}})
        assert (result["problems"], result["read_images"]) == ([], False)

    def test_what_the_node_says_of_it_counts(self, run: Run, node: Node) -> None:
        self.swift(
            node, "swift_store_region = one\nswift_store_endpoint = http://s:8080/v1\n", "project_domain_id = x\n"
        )
        there = {
            **SWIFT,
            "region": "one",
            "endpoint": "https://S:8080/v1/",
            "auth": {**SWIFT["auth"], "project_domain_id": "x"},
        }
        assert run({"sw": there})["problems"] == []
        message = run({"sw": {**there, "region": "two"}})["messages"][0]
        where = "the container c of p in the domain with the id x at http://k:5000/v3, region"
        assert f"moves from {where} one, endpoint http://s:8080/v1 to {where} two" in message

    def test_cinder_of_another_region(self, run: Run, node: Node) -> None:
        auth = {"auth_address": "https://k:5000/v3", "user_name": "g", "password": "geheim", "project_name": "p"}
        account = "cinder_store_auth_address = http://k:5000/v3\ncinder_store_project_name = p"
        node.multi(vol=("cinder", f"{account}\ncinder_os_region_name = one"))
        node.image("i", ("cinder://vol/0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f", "vol"))
        assert run({"vol": {"type": "cinder", "auth": auth, "region": "one"}})["problems"] == []
        assert codes(run({"vol": {"type": "cinder", "auth": auth, "region": "two"}})) == ["GLS-171"]


class TestMounts:
    """A file system that is mounted over images hides them."""

    NFS = "nfs.example.org:/images"

    @pytest.fixture
    def table(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Return the table of mounts of the node, which is empty, and let systemd have no units."""
        table = tmp_path / "mountinfo"
        table.write_text("")
        monkeypatch.setattr(_probe_mount, "MOUNT_TABLE", str(table))
        monkeypatch.setattr(_store_guard_mounts, "UNITS", str(tmp_path))
        return table

    def mounted(self, source: str, point: Path) -> str:
        return f"36 35 98:0 / {point} rw,noatime master:1 - nfs4 {source} rw\n"

    def store(self, datadir: Path, source: str = NFS) -> dict[str, t.Any]:
        return {"type": "file", "datadir": str(datadir), "mount": {"source": source, "path": str(datadir.parent)}}

    @pytest.fixture
    def datadir(self, node: Node, tmp_path: Path, table: Path) -> Path:
        """Return the directory of the store of today, in which one image lies and another does not."""
        datadir = tmp_path / "srv" / "images"
        datadir.mkdir(parents=True)
        node.multi(local=("file", DATADIR.format(datadir)))
        here = node.image("here", (f"file://{datadir}/{{id}}", "local"))
        (datadir / here).write_text("data")
        node.image("not here", (f"file://{datadir}/{{id}}", "local"))
        return datadir

    def test_over_images(self, run: Run, datadir: Path) -> None:
        result = run({"local": self.store(datadir)})
        assert (codes(result), fates(result)) == (["GLS-171"], {"local": "covered"})
        message = result["messages"][0]
        assert f"is going to lie beneath {self.NFS}, which is going to be mounted on {datadir.parent}, and" in message
        assert "1 image(s) with 1000.00 Bytes are in it and in no store that stays: here (" in message
        assert f"copy the images into {self.NFS} and mount it on {datadir.parent} by hand" in message
        assert run({"local": self.store(datadir)}, allow_unreadable_images=["local"])["problems"] == []

    def test_over_the_images_of_another_store(self, run: Run, datadir: Path) -> None:
        stores = {"local": {"type": "file", "datadir": str(datadir)}, "nfs": self.store(datadir.parent / "new")}
        assert codes(run(stores)) == ["GLS-171"]
        # An image of the same name in another directory is no reason.
        stores["nfs"] = self.store(datadir.parent / "images-2" / "new")
        assert run(stores)["problems"] == []

    def test_over_nothing(self, run: Run, datadir: Path) -> None:
        for path in datadir.iterdir():
            path.unlink()
        result = run({"local": self.store(datadir)})
        assert (result["problems"], result["read_images"]) == ([], True)
        assert result["notes"] == []

    def test_over_an_image_that_has_a_copy(self, run: Run, node: Node, datadir: Path) -> None:
        both = {"local": ("file", DATADIR.format(datadir)), "other": ("file", DATADIR.format("/srv/b"))}
        for path in datadir.iterdir():
            path.unlink()
        node.multi(**both)
        image = node.image("both", (f"file://{datadir}/{{id}}", "local"), ("file:///srv/b/{id}", "other"))
        (datadir / image).write_text("data")
        stores = {"local": self.store(datadir), "other": {"type": "file", "datadir": "/srv/b"}}
        assert run(stores)["problems"] == []

    def test_of_a_store_that_gets_another_name(self, run: Run, datadir: Path) -> None:
        result = run({"renamed": self.store(datadir)})
        assert (codes(result), fates(result)) == (["GLS-171"], {"local": "covered"})

    def test_what_is_mounted_already_hides_nothing(self, run: Run, table: Path, datadir: Path) -> None:
        table.write_text(self.mounted(self.NFS, datadir.parent))
        result = run({"local": self.store(datadir)})
        assert (result["problems"], result["read_images"], fates(result)) == ([], False, {"local": "kept"})

    def test_in_place_of_another_one(self, run: Run, table: Path, datadir: Path) -> None:
        table.write_text(self.mounted("old.example.org:/images", datadir.parent))
        result = run({"local": self.store(datadir)})
        assert codes(result) == ["GLS-171"]
        # What is read now has to be read afterwards, wherever it is now.
        assert f"on {datadir.parent}, where old.example.org:/images was so far, and 2 image(s)" in result["messages"][0]

    @pytest.mark.parametrize(
        ("source", "type_", "found"),
        [
            ("old.example.org:/images", "nfs4", ["GLS-171"]),
            (NFS, "nfs4", []),
            ("nfs.example.org:/images/", "nfs", []),
            ("/srv/old", "none", ["GLS-171"]),
        ],
    )
    def test_in_place_of_one_that_was_unmounted(
        self, run: Run, tmp_path: Path, datadir: Path, source: str, type_: str, found: list[str]
    ) -> None:
        for path in datadir.iterdir():
            path.unlink()
        unit = datadir.parent.as_posix().strip("/").replace("-", "\\x2d").replace("/", "-")
        (tmp_path / f"{unit}.mount").write_text(f"[Mount]\nWhat={source}\nWhere={datadir.parent}\nType={type_}\n")
        assert codes(run({"local": self.store(datadir)})) == found

    def test_over_encrypted_locations(self, run: Run, node: Node, datadir: Path) -> None:
        with node.config_file.open("a") as file:
            file.write("[DEFAULT]\nmetadata_encryption_key = geheim\n")
        for path in datadir.iterdir():
            path.unlink()
        image = node.image("secret", ("bm8gbG9jYXRpb24=", "local"))
        assert run({"local": self.store(datadir)})["problems"] == []
        (datadir / image).write_text("data")
        assert codes(run({"local": self.store(datadir)})) == ["GLS-171"]

    def test_a_file_system_that_does_not_answer(self, run: Run, datadir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        end = threading.Event()
        monkeypatch.setattr(_store_guard, "MOUNTS_TIMEOUT", 0.2)
        monkeypatch.setattr(_store_guard_mounts, "covers", lambda stores: end.wait(20))
        result = run({"local": self.store(datadir)})
        end.set()
        assert codes(result) == ["GLS-190"]
        assert "looking at what is mounted did not come to an end within 0.2 s" in result["messages"][0]

    def test_over_what_a_node_without_a_configuration_holds(self, run: Run, node: Node, datadir: Path) -> None:
        node.config_file.unlink()
        result = run({"local": self.store(datadir)}, database=node.url())
        assert (codes(result), fates(result)) == (["GLS-171"], {"local": "covered"})


class TestNewNode:
    """A node without a configuration, and a database that has images."""

    def test_images_that_no_store_leads_to(self, run: Run, node: Node) -> None:
        lost = node.image("lost", ("file:///srv/a/{id}", "archive"))
        node.image("moved", ("file:///srv/a/{id}", "other"))
        node.image("kept", ("file:///srv/b/{id}", "other"))
        node.image("found by its place", ("file:///srv/b/{id}", "renamed"))
        node.image("in both", ("file:///srv/a/{id}", "archive"), ("file:///srv/b/{id}", "other"))
        node.image("of old", "file:///srv/z/{id}")
        node.image("without data")
        result = run({"other": OTHER}, database=node.url())
        assert (codes(result), result["has_run"], result["read_images"]) == (["GLS-170"] * 3, False, True)
        archive, other, untold = result["messages"]
        assert (
            f"no store of glance_stores leads to 1 image(s) with 1000.00 Bytes of 'archive': lost ({lost})." in archive
        )
        assert "add the store that they are in to glance_stores" in archive
        assert "glance_allow_unreadable_images: [archive]" in archive
        assert "of 'other': moved (" in other
        assert "of 'file': of old (" in untold
        allowed = run({"other": OTHER}, database=node.url(), allow_unreadable_images=["archive", "other", "file"])
        assert allowed["problems"] == []
        assert all(note.endswith("which glance_allow_unreadable_images allows") for note in allowed["notes"])

    def test_all_stores_lead_to_their_images(self, run: Run, node: Node) -> None:
        node.image("one", ("file:///srv/a/{id}", "local"))
        node.image("two", ("swift+config://sw/c/{id}", "sw"))
        node.image("three", (f"rbd://{FSID}/images/{{id}}/snap", "ceph"))
        node.image("four", (f"s3://AKEY:{S3_KEY}@s3.example.org:8080/bucket/{{id}}", "s3"))
        node.image("five", "cinder://0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f")
        auth = {"auth_address": "http://k:5000/v3", "user_name": "g", "password": "geheim", "project_name": "p"}
        stores = {"local": LOCAL, "sw": SWIFT, "ceph": CLUSTER, "s3": S3, "vol": {"type": "cinder", "auth": auth}}
        assert run(stores, database=node.url())["problems"] == []
        assert codes(run({**stores, "s3": {**S3, "bucket": "another"}}, database=node.url())) == ["GLS-170"]

    def test_what_a_package_leaves_behind_is_no_configuration(self, run: Run, node: Node) -> None:
        node.config_file.write_text("[glance_store]\nfilesystem_store_datadir = /var/lib/glance/images\n")
        node.image("lost", ("file:///srv/a/{id}", "archive"))
        result = run({"other": OTHER}, database=node.url())
        assert (codes(result), result["notes"]) == (["GLS-170"], [])

    def test_a_database_that_is_yet_to_be_filled(self, run: Run, node: Node) -> None:
        node.server.execute("USE glance", "DROP TABLE images")
        assert run({"other": OTHER}, database=node.url())["problems"] == []

    def test_a_database_that_does_not_answer(self, run: Run) -> None:
        assert codes(run({"other": OTHER}, database=UNREACHABLE)) == ["GLS-172"]
        result = run({"other": OTHER}, database=UNREACHABLE, check=True)
        assert result["problems"] == []
        assert result["notes"][0].startswith("whether the stores lead to every image was not looked at: ")

    def test_a_configuration_comes_first(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        node.image("in no store today", ("file:///srv/z/{id}", "gone"))
        result = run({"local": LOCAL}, database=UNREACHABLE)
        assert (result["problems"], result["has_run"], result["read_images"]) == ([], True, False)


class TestForms:
    def test_from_single_to_multi(self, run: Run, node: Node) -> None:
        node.configure(f"[glance_store]\nstores = file\n{DATADIR.format('/srv/a')}")
        node.image("i", "file:///srv/a/{id}")
        result = run({"local": LOCAL})
        assert (result["problems"], result["read_images"]) == ([], True)
        assert result["layout"] == {"before": "single", "after": "multi"}
        assert result["notes"] == [
            "Glance is going to find the images of the single store of the type file in 'local': the directory /srv/a"
        ]

    def test_from_single_to_multi_with_an_image_outside_of_the_directory(self, run: Run, node: Node) -> None:
        node.configure(f"[glance_store]\nstores = file\n{DATADIR.format('/srv/a')}")
        node.image("outside", "file:///srv/z/{id}")
        assert run({"local": LOCAL}, multi=False)["problems"] == []
        result = run({"local": LOCAL})
        assert codes(result) == ["GLS-170"]
        assert "keep the single-store form until these images are elsewhere" in result["messages"][0]

    def test_from_single_to_multi_with_another_directory(self, run: Run, node: Node) -> None:
        node.configure(f"[glance_store]\nstores = file\n{DATADIR.format('/srv/a')}")
        node.image("i", "file:///srv/a/{id}")
        assert codes(run({"local": {"type": "file", "datadir": "/srv/b"}})) == ["GLS-171"]

    def test_from_multi_to_single(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        node.image("i", ("file:///srv/a/{id}", "local"))
        result = run({"anything": LOCAL}, multi=False)
        assert (result["problems"], fates(result)) == ([], {"local": "kept"})

    def test_a_single_store_is_allowed_by_its_type(self, run: Run, node: Node) -> None:
        node.configure(f"[glance_store]\nstores = glance.store.filesystem.Store\n{DATADIR.format('/srv/a')}")
        node.image("i", "file:///anywhere/{id}")
        stores = {"ceph": CLUSTER}
        assert codes(run(stores, multi=False)) == ["GLS-170"]
        assert run(stores, multi=False, allow_unreadable_images=["file"])["problems"] == []

    def test_volumes_of_single_form_are_found_by_their_type(self, run: Run, node: Node) -> None:
        auth = {"auth_address": "http://k:5000/v3", "user_name": "g", "password": "geheim", "project_name": "p"}
        account = "cinder_store_auth_address = http://k:5000/v3\ncinder_store_project_name = p"
        node.configure(f"[glance_store]\nstores = cinder\ncinder_volume_type = fast\n{account}")
        node.image("i", "cinder://0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f")
        assert fates(run({"vol": {"type": "cinder", "auth": auth, "volume_type": "fast"}})) == {"cinder": "renamed"}
        assert codes(run({"vol": {"type": "cinder", "auth": auth, "volume_type": "slow"}})) == ["GLS-171"]


class TestCeph:
    def ceph(self, node: Node, text: str) -> str:
        conf = node.directory / "ceph.conf"
        conf.write_text(text)
        return f"rbd_store_pool = images\nrbd_store_user = g\nrbd_store_ceph_conf = {conf}"

    def test_the_same_cluster_described_in_another_way(self, run: Run, node: Node) -> None:
        node.multi(ceph=("rbd", self.ceph(node, f"[global]\nfsid = {FSID.upper()}\n")))
        result = run({"ceph": CLUSTER})
        assert (result["problems"], result["read_images"]) == ([], False)

    def test_another_cluster(self, run: Run, node: Node) -> None:
        node.multi(ceph=("rbd", self.ceph(node, f"[global]\nfsid = {FSID[::-1].replace('-', '0')[:8]}{FSID[8:]}\n")))
        node.image("i", ("rbd://another/images/{id}/snap", "ceph"))
        assert codes(run({"ceph": CLUSTER})) == ["GLS-171"]

    def test_a_cluster_that_today_has_no_id(self, run: Run, node: Node) -> None:
        node.multi(ceph=("rbd", self.ceph(node, "[global]\nmon_host = 192.0.2.1\n")))
        node.image("there", (f"rbd://{FSID}/images/{{id}}/snap", "ceph"))
        assert run({"ceph": CLUSTER})["problems"] == []
        node.image("elsewhere", (f"rbd://{FSID}/old/{{id}}/snap", "ceph"))
        result = run({"ceph": CLUSTER})
        assert codes(result) == ["GLS-171"]
        assert "no store that stays: elsewhere (" in result["messages"][0]


class TestBlind:
    def test_the_database_does_not_answer(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        node.configure(node.config_file.read_text().split("[database]")[0], UNREACHABLE)
        result = run({"ceph": CLUSTER})
        assert codes(result) == ["GLS-172"]
        assert "127.0.0.1:1" in result["messages"][0]
        assert run({"ceph": CLUSTER}, allow_unreadable_images=["local"])["problems"] == []

    def test_another_kind_of_database(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        node.configure(node.config_file.read_text().split("[database]")[0], "postgresql://g:geheim@h/glance")
        assert codes(run({"ceph": CLUSTER})) == ["GLS-172"]

    def test_a_database_without_the_tables_has_no_images(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")))
        node.server.execute("USE glance", "DROP TABLE images")
        assert run({"ceph": CLUSTER})["problems"] == []

    def test_encrypted_locations(self, run: Run, node: Node) -> None:
        node.multi(local=("file", DATADIR.format("/srv/a")), other=("file", DATADIR.format("/srv/b")))
        with node.config_file.open("a") as file:
            file.write("[DEFAULT]\nmetadata_encryption_key = geheim\n")
        stores = {"other": {"type": "file", "datadir": "/srv/b"}}
        node.image("noted elsewhere", ("bm8gbG9jYXRpb24=", "other"))
        assert run(stores)["problems"] == []
        node.image("not noted", "bm8gbG9jYXRpb24=")
        assert codes(run(stores)) == ["GLS-173"]
        node.image("noted", ("bm8gbG9jYXRpb24=", "local"))
        assert codes(run(stores)) == ["GLS-173", "GLS-170"]
        assert run(stores, allow_unreadable_images=["local"])["problems"] == []

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("[DEFAULT]\nenabled_backends geheim\n", "line 2"),
            ("[DEFAULT]\nenabled_backends = geheim\n", "[DEFAULT] enabled_backends"),
            ("[DEFAULT]\nenabled_backends = a:file\n[database]\nconnection = $geheim_s\n", "[database] connection"),
        ],
    )
    def test_a_configuration_that_cannot_be_read(self, run: Run, tmp_path: Path, text: str, found: str) -> None:
        (tmp_path / "glance-api.conf").write_text(text)
        result = run({"local": LOCAL})
        assert codes(result) == ["GLS-174"]
        assert found in result["messages"][0]


def test_stores_that_cannot_be_are_refused(run_module: RunModule) -> None:
    result = run_module(store_guard, {"stores": {"s": {"type": "s3", "secret_key": S3_KEY}}, "release": TRAIN})
    assert result["failed"]
    assert "'s'" in result["msg"]
    assert S3_KEY not in json.dumps(result, ensure_ascii=False)
