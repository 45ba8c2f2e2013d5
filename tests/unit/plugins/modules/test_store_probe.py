# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_probe, driven through main(): what it returns, and what nobody may see."""

from __future__ import annotations

import json
import os
import pwd
import sys
import textwrap
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _probe_mount,
    _store_probe,
    _store_probe_report,
)
from ansible_collections.openstack_ops.glance.plugins.modules import store_probe

ME = pwd.getpwuid(os.geteuid()).pw_name
KEY = "k3y@:/%#'\"$ ñ"
AUTH = {"auth_url": "http://keystone:5000/v3", "user": "service:glance", "password": KEY}
SWIFT = {"type": "swift", "auth": AUTH, "container": "objects"}
S3 = {"type": "s3", "host": "https://s3", "access_key": "acc3ss", "secret_key": "s3cret", "bucket": "images"}


class Run(t.Protocol):
    """Signature of the fixture ``run``."""

    def __call__(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Do it."""


@pytest.fixture
def run(run_module: t.Any) -> Run:
    """Return a function that runs the module; it must never fail, nor show a secret."""

    def look(*, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        result = run_module(store_probe, {"node": "controller-1", "user": ME, **options}, check=check)
        assert not result.get("failed"), result
        assert result["messages"] == [problem["message"] for problem in result["problems"]]
        shown = json.dumps(result, ensure_ascii=False)
        for secret in (KEY, "acc3ss", "s3cret"):
            assert secret not in shown
            assert json.dumps(secret)[1:-1] not in shown
        return t.cast("dict[str, t.Any]", result)

    return look


def codes(result: dict[str, t.Any]) -> list[str]:
    """Return the codes of the problems."""
    return [problem["code"] for problem in result["problems"]]


def test_two_directories_are_two_places(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    stores = {name: file_store(tmp_path / name) for name in ("one", "two")}
    assert codes(run(mode="apart", stores=stores)) == []
    assert [*(tmp_path / "one").iterdir(), *(tmp_path / "two").iterdir()] == []


def test_one_directory_by_two_names_is_one_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").symlink_to(tmp_path / "one")
    stores = {name: file_store(tmp_path / name) for name in ("one", "two")}
    result = run(mode="apart", stores=stores)
    assert codes(result) == ["GLS-408"]
    assert "glance_stores.one" in result["messages"][0]
    assert "it may be the same place as two" in result["messages"][0]
    assert [*(tmp_path / "one").iterdir()] == []
    assert codes(run(mode="apart", stores=stores, check=True)) == []


def test_full_store_is_another_place_than_one_with_room(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(attempt: _store_probe_report.Attempt) -> None:
        raise _store_probe_report.ProbeError("GLS-167", "there is no room")

    (tmp_path / "one").mkdir()
    monkeypatch.setitem(_store_probe.PROBES, "swift", full)
    assert codes(run(mode="apart", stores={"one": file_store(tmp_path / "one"), "full": SWIFT})) == []
    assert codes(run(mode="apart", stores={"full": SWIFT, "one": file_store(tmp_path / "one")})) == ["GLS-408"]


def test_store_in_which_nothing_is_written_is_left_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    web = {"type": "http", "accept_ssrf_risk": True}
    assert run(mode="apart", stores={"one": file_store(tmp_path / "one"), "web": web})["stores"] == []


def file_store(path: Path, **options: t.Any) -> dict[str, t.Any]:
    """Return a store with this directory."""
    return {"type": "file", "datadir": str(path), **options}


class TestLibraries:
    """Two stores and a library that takes longer to load than the limit lets a store take."""

    LIBRARY = """
        import pathlib, sys, time
        with open({log!r}, "a") as log:
            log.write("loaded\\n")
        print("welcome")
        time.sleep(3)
        raise {error}
    """

    @pytest.mark.parametrize("error", ["ImportError('no such thing')", "RuntimeError('broken')"])
    def test_the_limit_begins_when_the_clients_are_loaded(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
    ) -> None:
        log = tmp_path / "log"
        (tmp_path / "slow_client.py").write_text(textwrap.dedent(self.LIBRARY.format(log=str(log), error=error)))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setitem(_store_probe.LIBRARIES, "file", ("slow_client",))
        result = run(stores={"one": file_store(tmp_path), "two": file_store(tmp_path)}, timeout=2)
        assert log.read_text() == "loaded\n"
        assert codes(result) == []


class TestProbe:
    def test_rows(self, run: Run, tmp_path: Path) -> None:
        stores = {"here": file_store(tmp_path), "there": file_store(tmp_path / "x"), "web": {"type": "http"}}
        stores["web"]["accept_ssrf_risk"] = True
        result = run(stores=stores)
        here, there, web = result["stores"]
        assert result["changed"] is False
        assert (here["name"], here["type"], here["status"]) == ("here", "file", "ok")
        assert here["where"] == f"the directory {tmp_path}"
        assert here["free"] <= here["total"]
        assert here["milliseconds"] < 20000
        assert here["problems"] == here["notes"] == []
        assert there["status"] == "failed"
        assert there["problems"] == result["problems"]
        assert result["messages"] == [
            f"GLS-165 controller-1: glance_stores.there (the directory {tmp_path}/x): looking at the directory"
            f" {tmp_path}/x: No such file or directory."
            " What to do: make it, or correct its name in the store's options."
        ]
        assert (web["status"], web["notes"]) == ("ok", ["read-only: nothing is written"])
        assert result["markers"] == []

    def test_check_mode(self, run: Run, tmp_path: Path) -> None:
        result = run(check=True, stores={"here": file_store(tmp_path), "new": file_store(tmp_path / "x")})
        assert codes(result) == []
        assert [row["status"] for row in result["stores"]] == ["ok", "not checked"]
        assert result["stores"][0]["notes"] == ["check mode: nothing was written"]
        assert result["changed"] is False

    def test_a_library_that_is_missing(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "swiftclient", None)
        result = run(stores={"objects": SWIFT})
        assert codes(result) == ["GLS-160"]
        assert result["problems"][0]["remedy"] == "install the package python3-swiftclient"
        assert result["stores"][0]["status"] == "not checked"
        assert codes(run(check=True, stores={"objects": SWIFT})) == []

    def test_a_user_that_is_missing(self, run: Run, tmp_path: Path) -> None:
        stores = {"here": file_store(tmp_path)}
        result = run(stores=stores, user="no-such-user-yet")
        assert codes(result) == ["GLS-160"]
        assert result["stores"][0]["status"] == "not checked"
        assert codes(run(check=True, stores=stores, user="no-such-user-yet")) == []

    def test_stores_with_mistakes(self, run: Run, tmp_path: Path) -> None:
        stores = {"odd": {"type": "swift", "auht": AUTH}, "text": "x", "none": {}, "here": file_store(tmp_path)}
        result = run(stores=stores)
        assert codes(result) == ["GLS-014", "GLS-013", "GLS-010", "GLS-013"]
        assert [row["status"] for row in result["stores"]] == ["not checked"] * 3 + ["ok"]
        assert {problem["node"] for problem in result["problems"]} == {"controller-1"}

    def test_what_was_made_is_a_change(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def probe(attempt: t.Any) -> None:
            attempt.report.made = True

        monkeypatch.setitem(_store_probe.PROBES, "swift", probe)
        assert run(stores={"objects": SWIFT})["changed"] is True

    def test_given_up(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def probe(attempt: t.Any) -> None:
            with attempt.existing("the object x", lambda: None), attempt.step("reading the object x"):
                os.kill(os.getpid(), 19)

        monkeypatch.setitem(_store_probe.PROBES, "swift", probe)
        result = run(stores={"objects": SWIFT}, timeout=1)
        assert result["problems"][0]["what"] == (
            "glance_stores.objects (the container objects of service at http://keystone:5000/v3): it did not come to an"
            " end within 1 s, while reading the object x; the object x may have been left there"
        )
        assert result["stores"][0]["notes"] == ["the object x may have been left there"]

    def test_the_cluster_of_a_store_is_named(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        fsid, key = "2f7a3c1e-9b7d-4c9e-8f5a-0d1c2b3a4e5f", "AQBvaG5maGVscGxlc3N0ZXN0a2V5MTIzNDU2Nzg5MA=="
        monkeypatch.setitem(_store_probe.PROBES, "rbd", lambda attempt: None)
        store = {"type": "rbd", "pool": "images", "user": "glance", "mon_hosts": ["m"], "fsid": fsid, "key": key}
        result = run(stores={"fast": store})
        assert result["stores"][0]["where"] == f"the pool images of the cluster {fsid}"
        assert key not in json.dumps(result)

    @pytest.mark.parametrize("options", [{}, {"mode": "mounts"}, {"mode": "look"}, {"mode": "remove"}])
    def test_what_has_to_be_given(self, run_module: t.Any, options: dict[str, t.Any]) -> None:
        assert run_module(store_probe, options)["failed"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_somebody_who_may_not_become_the_user(
        self, run_module: t.Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 61184)
        result = run_module(store_probe, {"stores": {"here": file_store(tmp_path)}, "user": ME})
        assert result["msg"].startswith(f"trying the stores as the user {ME}. What to do: run the module as root")


class TestEnvironment:
    def test_stores_are_tried_with_it(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def probe(attempt: t.Any) -> None:
            attempt.note(f"{os.environ.get('AWS_CA_BUNDLE')} {os.environ['RETRIES']} {os.environ.get('AWS_PROFILE')}")

        monkeypatch.setitem(_store_probe.PROBES, "s3", probe)
        monkeypatch.setenv("AWS_PROFILE", "mine")
        result = run(stores={"buckets": S3}, environment={"AWS_CA_BUNDLE": "/etc/ca.pem", "RETRIES": 3})
        assert result["stores"][0]["notes"] == ["/etc/ca.pem 3 None"]


class TestMounts:
    @pytest.fixture
    def stores(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
        """Return two stores beneath one mount of old:/x, one beneath a mount that is missing, and one without."""
        table = tmp_path / "mountinfo"
        table.write_text("41 22 0:44 / /srv/a rw - nfs4 old:/x rw\n")
        monkeypatch.setattr(_probe_mount, "MOUNT_TABLE", str(table))
        return {
            "one": file_store(Path("/srv/a/one"), mount={"path": "/srv/a", "source": "old:/x"}),
            "two": file_store(Path("/srv/a/two"), mount={"path": "/srv/a", "source": "old:/x"}),
            "new": file_store(Path("/srv/b"), mount={"source": "old:/y"}),
            "here": file_store(tmp_path),
        }

    @pytest.mark.parametrize("check", [True, False])
    def test_nothing_has_to_be_mounted_yet(self, run: Run, stores: dict[str, t.Any], check: bool) -> None:
        result = run(mode="mounts", stores=stores, check=check)
        assert (codes(result), result["mounted"], result["changed"]) == ([], ["/srv/a"], False)
        assert [row["name"] for row in result["stores"]] == ["one", "two", "new"]

    def test_something_else_is_mounted(self, run: Run, stores: dict[str, t.Any]) -> None:
        stores["two"]["mount"]["source"] = "new:/x"
        # On a node that Glance's packages have not reached.
        result = run(mode="mounts", stores=stores, user="no-such-user-yet")
        assert codes(result) == ["GLS-166"]
        assert "glance_stores.two: /srv/a is mounted from old:/x (nfs4), and mount says new:/x" in result["messages"][0]
        assert result["mounted"] == ["/srv/a"]


class TestSecrets:
    @pytest.fixture
    def spoken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let probes tell what they were given."""

        def swift(attempt: t.Any) -> None:
            attempt.note(f"objects {attempt.values['auth']['key']} {attempt.values['container']}")
            with attempt.step("logging in"):
                raise ValueError(f"cannot log in with {attempt.values['auth']['key']}")

        def s3(attempt: t.Any) -> None:
            attempt.note(f"{attempt.values['access_key']} {attempt.values['secret_key']} {attempt.values['bucket']}")

        monkeypatch.setitem(_store_probe.PROBES, "swift", swift)
        monkeypatch.setitem(_store_probe.PROBES, "s3", s3)

    @pytest.mark.usefixtures("spoken")
    def test_hidden_and_the_rest_is_shown(self, run: Run) -> None:
        result = run(stores={"objects": SWIFT, "buckets": S3})
        assert [row["notes"] for row in result["stores"]] == [
            ["objects ******** objects"],
            ["******** ******** images"],
        ]
        assert "cannot log in with ********" in result["messages"][0]
        assert result["stores"][0]["where"] == "the container objects of service at http://keystone:5000/v3"

    def test_a_mistake_hides_everything_of_its_store(self, run: Run, tmp_path: Path) -> None:
        store = {"type": "swift", "passwd": "s3cret", "auth": {**AUTH, "kye": "acc3ss"}}
        result = run(stores={"odd": store, "objects": {**SWIFT, "container": "s3cret"}, "here": file_store(tmp_path)})
        assert [row["type"] for row in result["stores"]] == ["swift", "swift", "file"]
        assert result["stores"][2]["where"] == f"the directory {tmp_path}"

    def test_not_in_the_invocation_nor_in_the_log(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        logged: list[str] = []
        monkeypatch.setattr(
            basic.AnsibleModule, "log", lambda self, msg, log_args=None: logged.append(f"{msg}{log_args}")
        )
        monkeypatch.setitem(_store_probe.PROBES, "swift", lambda attempt: None)
        result = run(stores={"objects": SWIFT, "here": file_store(tmp_path)})
        assert result["invocation"]["module_args"]["stores"]["objects"]["auth"]["password"] != KEY
        assert logged
        assert KEY not in "".join(logged)
        assert "objects" not in "".join(logged)


class TestMarkers:
    def test_two_nodes(self, run: Run, tmp_path: Path) -> None:
        common, own = tmp_path / "common", tmp_path / "own"
        common.mkdir()
        own.mkdir()
        stores = {
            "common": file_store(common, shared=True),
            "own": file_store(own),
            "web": {"type": "http", "accept_ssrf_risk": True},
        }
        markers = [
            marker
            for node in ("controller-1", "controller-2")
            for marker in run(stores=stores, node=node, leave_markers=True)["markers"]
        ]
        assert [(marker["node"], marker["store"]) for marker in markers] == [
            ("controller-1", "common"),
            ("controller-2", "common"),
        ]
        assert sorted(str(path) for path in common.iterdir()) == sorted(marker["path"] for marker in markers)
        assert list(own.iterdir()) == []
        assert codes(run(mode="look", markers=markers)) == []

        os.unlink(markers[1]["path"])
        assert codes(run(mode="look", markers=markers, node="controller-2")) == []
        result = run(mode="look", markers=markers)
        assert codes(result) == ["GLS-168"]
        assert "glance_stores.common: what controller-2 wrote" in result["messages"][0]

        assert codes(run(mode="remove", markers=markers)) == []
        assert list(common.iterdir()) == []
        assert codes(run(mode="remove", markers=markers)) == []

    def test_those_of_a_node_that_is_gone_are_removed_too(self, run: Run, tmp_path: Path) -> None:
        stores = {"common": file_store(tmp_path, shared=True)}
        markers = run(stores=stores, leave_markers=True)["markers"]
        run(mode="remove", markers=markers, check=True)
        assert len(list(tmp_path.iterdir())) == 1
        assert codes(run(mode="remove", markers=markers, node="controller-2")) == []
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("options", "count"),
        [
            ({}, 0),
            ({"shared": True}, 1),
            ({"shared": False}, 0),
            ({"mount": True}, 1),
            ({"mount": True, "shared": False}, 0),
        ],
    )
    def test_whose_directories_are_shared(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], count: int
    ) -> None:
        table = tmp_path / "mountinfo"
        table.write_text(f"41 22 0:44 / {tmp_path} rw - nfs4 nfs:/x rw\n")
        monkeypatch.setattr(_probe_mount, "MOUNT_TABLE", str(table))
        if "mount" in options:
            options = {**options, "mount": {"source": "nfs:/x"}}
        assert len(run(stores={"x": file_store(tmp_path, **options)}, leave_markers=True)["markers"]) == count

    def test_none_in_check_mode(self, run: Run, tmp_path: Path) -> None:
        stores = {"common": file_store(tmp_path, shared=True)}
        assert run(check=True, stores=stores, leave_markers=True)["markers"] == []
        assert list(tmp_path.iterdir()) == []
