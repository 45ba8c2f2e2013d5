# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What preflight finds to be as wanted, with the code of the steps that it lets leave out."""

from __future__ import annotations

import json
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _probe_node, _schema_settled
from ansible_collections.openstack_ops.glance.plugins.modules import image_catalog, preflight, store_guard
from ansible_collections.openstack_ops.glance.tests.unit.plugins import image_bytes
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_cloud import FakeCloud
from ansible_collections.openstack_ops.glance.tests.unit.plugins.scripted_http import Exchange, ScriptedServer

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

PASSWORD = "pa55:/@%#'\"$ ñ"
SECRET = "s3/Swift+%$Secret2m="
SHOWN = "LoadState=loaded\nActiveState={active}\nSubState=running\nUnitFileState={file}\nNeedDaemonReload=no\n"


@pytest.fixture
def settled(run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., set[str]]:
    """Return a function that runs the module, and returns what is settled; there must be no problem."""
    monkeypatch.setattr(_probe_node, "system", lambda outcome, deadline: None)
    monkeypatch.setattr(_probe_node, "host_name", lambda outcome, deadline: None)

    def look(**options: t.Any) -> set[str]:
        result = run_module(preflight, {"node": "controller-1", **options})
        assert (result.get("failed"), result.get("problems")) == (None, []), result
        assert not [secret for secret in (PASSWORD, SECRET) if secret in json.dumps(result, ensure_ascii=False)]
        return {name for name, value in result["settled"].items() if value}

    return look


Settled = t.Callable[..., set[str]]


class TestSchema:
    @pytest.mark.parametrize("answer", [True, False])
    def test_options_are_those_of_the_module(
        self, settled: Settled, monkeypatch: pytest.MonkeyPatch, answer: bool
    ) -> None:
        seen: list[t.Any] = []

        def is_settled(params: dict[str, t.Any], deadline: t.Any) -> bool:
            seen.append(params)
            return answer

        monkeypatch.setattr(_schema_settled, "is_settled", is_settled)
        wanted = {"database": {"host": "db", "password": PASSWORD}, "load_metadefs": True}
        assert settled(schema_resource=wanted) == ({"schema"} if answer else set())
        assert seen[0]["database"]["password"] == PASSWORD
        assert (seen[0]["state"], seen[0]["command"], seen[0]["database"]["port"]) == ("synced", "glance-manage", 3306)

    def test_a_server_that_keeps_it_waiting_is_left_to_the_step(
        self, settled: Settled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hanging = threading.Event()
        monkeypatch.setattr(_schema_settled, "is_settled", lambda params, deadline: hanging.wait(30))
        assert settled(schema_resource={"database": {"host": "db"}}, timeout=1) == set()
        hanging.set()

    def test_options_that_the_module_would_refuse(self, settled: Settled) -> None:
        assert settled(schema_resource={"load_metadefs": True}) == set()


class TestUnit:
    @pytest.mark.parametrize(
        ("active", "file", "status", "expected"),
        [
            ("active", "enabled", 200, {"unit"}),
            ("inactive", "enabled", 200, set()),
            ("active", "disabled", 200, set()),
            ("active", "enabled", 500, set()),
        ],
    )
    def test_it_runs_and_answers(
        self,
        settled: Settled,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        active: str,
        file: str,
        status: int,
        expected: set[str],
    ) -> None:
        self.systemd(tmp_path, monkeypatch, SHOWN.format(active=active, file=file))
        asked = [Exchange("GET", "/healthcheck", status)] if (active, file) == ("active", "enabled") else []
        with ScriptedServer(asked) as server:
            unit = {"name": "glance-api.service", "enabled": True, "healthcheck_url": f"{server.url}/healthcheck"}
            assert settled(unit_resource=unit) == expected

    def test_a_service_that_is_drained_is_told_of_by_the_step(
        self, settled: Settled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.systemd(tmp_path, monkeypatch, SHOWN.format(active="active", file="enabled"))
        with ScriptedServer([Exchange("GET", "/healthcheck", 503, b"DISABLED BY FILE")]) as server:
            unit = {"name": "glance-api.service", "healthcheck_url": f"{server.url}/healthcheck"}
            assert settled(unit_resource=unit) == set()

    def test_without_systemd(self, settled: Settled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert settled(unit_resource={"name": "glance-api.service"}) == set()

    @staticmethod
    def systemd(directory: Path, monkeypatch: pytest.MonkeyPatch, shown: str) -> None:
        for name, text in (("systemctl", f"cat <<'E'\n{shown}E"), ("journalctl", "true")):
            (directory / name).write_text(f"#!/bin/sh\n{text}\n")
            (directory / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


class TestStores:
    CONFIGURATION = (
        "[database]\nconnection = mysql+pymysql://g:geheim@127.0.0.1:1/g\n"
        "[DEFAULT]\nenabled_backends = local:file\n[glance_store]\ndefault_backend = local\n"
        "[local]\nfilesystem_store_datadir = /srv/a\n"
    )
    LOCAL: t.ClassVar = {"local": {"type": "file", "datadir": "/srv/a"}}
    S3: t.ClassVar = {
        "type": "s3",
        "host": "http://s3.example.org:8080",
        "bucket": "bucket",
        "access_key": "AKEY",
        "secret_key": SECRET,
    }

    @pytest.mark.parametrize(
        ("stores", "expected"),
        [
            (LOCAL, {"guard", "stores"}),
            ({**LOCAL, "more": S3}, {"guard", "stores"}),
            ({"local": {"type": "file", "datadir": "/srv/b"}}, set()),
            ({"more": S3}, set()),
            ({"more": S3, **LOCAL}, set()),
        ],
    )
    def test_all_stay(
        self,
        settled: Settled,
        run_module: RunModule,
        tmp_path: Path,
        stores: dict[str, t.Any],
        expected: set[str],
    ) -> None:
        (tmp_path / "conf").write_text(self.CONFIGURATION)
        options = {"stores": stores, "release": 25, "config_file": str(tmp_path / "conf")}
        assert settled(store_guard=options) == expected
        told = run_module(store_guard, options)
        assert bool(told["problems"] or told["notes"]) is not bool(expected)

    def test_a_node_without_a_configuration(self, settled: Settled, run_module: RunModule, tmp_path: Path) -> None:
        options = {"stores": self.LOCAL, "release": 25, "config_file": str(tmp_path / "missing")}
        assert settled(store_guard=options) == {"guard"}
        told = run_module(store_guard, options)
        assert (told["problems"], told["notes"]) == ([], [])

    def test_a_node_without_a_configuration_where_something_is_noted(
        self, settled: Settled, run_module: RunModule, tmp_path: Path
    ) -> None:
        missing = str(tmp_path / "missing")
        options = {"stores": self.LOCAL, "release": 25, "config_file": missing, "allow_unreadable_images": ["lokal"]}
        assert settled(store_guard=options) == set()
        assert run_module(store_guard, options)["notes"]

    def test_options_that_the_module_would_refuse(self, settled: Settled) -> None:
        assert settled(store_guard={"stores": {"local": "file"}}) == set()


class TestImages:
    @pytest.fixture
    def cloud(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[FakeCloud]:
        """Return a running cloud, in which the user of the tests is an administrator."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        (tmp_path / "disk").write_bytes(image_bytes.raw())
        with FakeCloud() as running:
            yield running

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({}, {"images"}),
            ({"min_disk": 3}, set()),
            ({"state": "absent"}, set()),
            ({"name": "another"}, set()),
            ({"min_dsk": 3}, set()),
        ],
    )
    def test_the_catalogue_is_compared(
        self, settled: Settled, cloud: FakeCloud, tmp_path: Path, more: dict[str, t.Any], expected: set[str]
    ) -> None:
        cloud.add("disk", image_bytes.raw(), disk_format="raw", container_format="bare")
        images = [{"name": "disk", "source": str(tmp_path / "disk"), "disk_format": "raw", **more}]
        options = {"scope": "control", **cloud.auth, "images": images}
        assert settled(**options, image_catalog={"purge": False}) == expected
        assert cloud.sent("POST", "PUT", "PATCH", "DELETE") == []
        assert settled(**options) == set()

    def test_what_would_be_purged(
        self, settled: Settled, run_module: RunModule, cloud: FakeCloud, tmp_path: Path
    ) -> None:
        disk = {"source": str(tmp_path / "disk"), "disk_format": "raw"}
        kept = [{"name": "disk", **disk}]
        assert run_module(image_catalog, {**cloud.auth, "images": [*kept, {"name": "old", **disk}]})["changed"]
        options = {"scope": "control", **cloud.auth, "images": kept}
        assert settled(**options, image_catalog={"purge": True}) == set()
        assert settled(**options, image_catalog={"purge": True, "catalog": "another"}) == {"images"}
        assert settled(**options, image_catalog={"purge": False}) == {"images"}

    def test_another_region(self, settled: Settled, cloud: FakeCloud) -> None:
        options = {"scope": "control", **cloud.auth, "images": []}
        assert settled(**options, image_catalog={"region_name": "elsewhere"}) == {"images"}
        options["images"] = [{"name": "disk", "state": "absent"}]
        assert settled(**options, image_catalog={}) == {"images"}
        assert settled(**options, image_catalog={"region_name": "elsewhere"}) == set()
