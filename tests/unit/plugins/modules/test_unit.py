# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module unit: its real main() against a systemctl that keeps its units in a file."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import ssl
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._unit import (
    Health,
    Systemd,
    Unit,
    changed_since,
    has_unread_files,
    process_start,
)
from ansible_collections.openstack_ops.glance.plugins.modules import unit as module

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

NAME = "glance-api.service"

SYSTEMCTL = """#!{python} -IS
import json, pathlib, sys, time
directory = pathlib.Path({directory!r})
verb, arguments = sys.argv[1], [a for a in sys.argv[2:] if not a.startswith("--")]
with (directory / "calls").open("a") as calls:
    print(verb, *arguments, file=calls)
failures = json.loads((directory / "failures").read_text())
if verb in failures:
    print(failures[verb], file=sys.stderr)
    sys.exit(1)
unit = json.loads((directory / "unit").read_text())
def started():
    unit.update(unit.pop("crashes", None) or dict(ActiveState="active", SubState="running", MainPID="4712"))
    unit["ExecMainStartTimestampMonotonic"] = str(time.monotonic_ns() // 1000)
if verb == "show":
    for name, value in unit.items():
        if isinstance(value, str):
            print(name + "=" + value)
elif verb in ("start", "restart"):
    started()
elif verb == "stop":
    unit.update(ActiveState="inactive", SubState="dead", MainPID="0")
elif verb == "mask":
    unit.update(LoadState="masked", UnitFileState="masked")
elif verb == "unmask":
    unit.update(LoadState="loaded", UnitFileState="disabled")
elif verb == "enable":
    unit.update(UnitFileState="enabled")
elif verb == "disable":
    unit.update(UnitFileState="disabled")
elif verb == "daemon-reload":
    unit.update(NeedDaemonReload="no", **unit.pop("appears", {{}}))
(directory / "unit").write_text(json.dumps(unit))
"""

JOURNALCTL = """#!{python} -IS
import pathlib
print(pathlib.Path({directory!r}, "journal").read_text(), end="")
"""


class FakeSystemd:
    """A node with one unit, whose systemctl and journalctl stand first in PATH."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for name, source in (("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL)):
            path = directory / name
            path.write_text(source.format(python=sys.executable, directory=str(directory)))
            path.chmod(0o755)
        (directory / "calls").touch()
        self.journal("")
        self.failures({})
        self.missing()

    def missing(self, **more: t.Any) -> None:
        """Have no unit."""
        self._write(LoadState="not-found", ActiveState="inactive", SubState="dead", UnitFileState="", **more)

    def running(self, seconds: float = 60, **properties: t.Any) -> None:
        """Have a unit that was started so many seconds ago."""
        started = time.monotonic_ns() // 1000 - int(seconds * 1_000_000)
        self._write(
            **{
                "LoadState": "loaded",
                "ActiveState": "active",
                "SubState": "running",
                "UnitFileState": "enabled",
                "NeedDaemonReload": "no",
                "MainPID": "4711",
                "NRestarts": "0",
                "ExecMainStartTimestampMonotonic": str(started),
                **properties,
            }
        )

    def stopped(self, **properties: t.Any) -> None:
        """Have a unit that does not run."""
        defaults = {"ActiveState": "inactive", "SubState": "dead", "MainPID": "0", "UnitFileState": "disabled"}
        self.running(**{**defaults, **properties})

    def _write(self, **properties: t.Any) -> None:
        (self._directory / "unit").write_text(json.dumps(properties))

    @property
    def unit(self) -> dict[str, str]:
        """What the unit is."""
        shown: dict[str, str] = json.loads((self._directory / "unit").read_text())
        return shown

    def journal(self, text: str) -> None:
        """Have the unit written this."""
        (self._directory / "journal").write_text(text)

    def failures(self, verbs: dict[str, str]) -> None:
        """Let these verbs fail with these messages."""
        (self._directory / "failures").write_text(json.dumps(verbs))

    @property
    def calls(self) -> list[str]:
        """The verbs that changed something, and what they were given."""
        lines = (self._directory / "calls").read_text().splitlines()
        return [line for line in lines if not line.startswith("show ")]

    @property
    def looks(self) -> int:
        """How often the unit was looked at."""
        return (self._directory / "calls").read_text().count("show ")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystemd:
    """Put a node with one unit into PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return FakeSystemd(directory)


class Answers:
    """What the health check answers, one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.script: list[tuple[int, str]] = [(200, "OK")]
        self.asked = 0

    def next(self) -> tuple[int, str]:
        """Return the next answer."""
        self.asked += 1
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@pytest.fixture
def health() -> t.Iterator[tuple[str, Answers]]:
    """Serve a health check, and give its URL and its answers."""
    answers = Answers()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/healthcheck?detailed"
            status, text = answers.next()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/healthcheck?detailed", answers
    server.shutdown()
    server.server_close()


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """Return a directory with one file, both changed just now."""
    directory = tmp_path / "etc"
    directory.mkdir()
    (directory / "glance-api.conf").write_text("[DEFAULT]\n")
    return directory


class TestStarted:
    def test_unchanged_costs_one_look_and_one_request(
        self, systemd: FakeSystemd, health: tuple[str, Answers], run_module: RunModule
    ) -> None:
        systemd.running()
        url, answers = health
        result = run_module(module, {"name": NAME, "enabled": True, "healthcheck_url": url})
        assert (result["changed"], result["health"], result["diff"]) == (False, "ok", {"before": {}, "after": {}})
        assert (result["main_pid"], result["active_state"], result["sub_state"]) == (4711, "active", "running")
        assert (systemd.calls, systemd.looks, answers.asked) == ([], 1, 1)

    def test_a_fresh_unit_is_unmasked_enabled_and_started(
        self, systemd: FakeSystemd, health: tuple[str, Answers], run_module: RunModule
    ) -> None:
        systemd.stopped(LoadState="masked", UnitFileState="masked")
        url, answers = health
        answers.script = [(500, "not yet"), (200, "OK")]
        args = {"name": NAME, "enabled": True, "unmask": True, "healthcheck_url": url}
        result = run_module(module, args)
        assert systemd.calls == [f"unmask {NAME}", f"enable {NAME}", f"start {NAME}"]
        assert result["diff"] == {
            "before": {"masked": True, "enabled": False, "active": "inactive"},
            "after": {"masked": False, "enabled": True, "active": "active"},
        }
        assert (result["changed"], result["health"], result["main_pid"]) == (True, "ok", 4712)
        assert run_module(module, args)["changed"] is False

    def test_check_mode_on_a_fresh_node_promises_the_start(
        self, systemd: FakeSystemd, health: tuple[str, Answers], run_module: RunModule
    ) -> None:
        url, answers = health
        args = {"name": NAME, "enabled": True, "healthcheck_url": url}
        result = run_module(module, args, check=True)
        assert result["diff"] == {
            "before": {"enabled": False, "active": "inactive"},
            "after": {"enabled": True, "active": "active"},
        }
        assert (result["changed"], result["health"], systemd.calls, answers.asked) == (True, "", [], 0)

    def test_a_unit_that_does_not_exist_is_an_error(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        result = run_module(module, {"name": NAME})
        assert result["failed"]
        assert f"the unit {NAME} does not exist" in result["msg"]
        assert systemd.calls == ["daemon-reload"]

    def test_a_unit_that_systemd_forgot_is_found_after_a_reload(
        self, systemd: FakeSystemd, run_module: RunModule
    ) -> None:
        systemd.missing(appears={"LoadState": "loaded", "UnitFileState": "disabled"})
        assert run_module(module, {"name": NAME, "enabled": True})["changed"]
        assert systemd.calls == ["daemon-reload", f"enable {NAME}", f"start {NAME}"]

    def test_somebody_elses_mask_is_respected(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.stopped(LoadState="masked", UnitFileState="masked")
        result = run_module(module, {"name": NAME})
        assert "is masked" in result["msg"]
        assert "unmask: true" in result["msg"]
        assert run_module(module, {"name": NAME}, check=True)["failed"]
        assert systemd.calls == []

    def test_a_broken_unit_file_is_an_error_before_anything_is_changed(
        self, systemd: FakeSystemd, run_module: RunModule
    ) -> None:
        systemd.stopped(LoadState="bad-setting")
        result = run_module(module, {"name": NAME, "enabled": True})
        assert "LoadState=bad-setting" in result["msg"]
        assert systemd.calls == ["daemon-reload"]

    def test_a_unit_file_that_was_mended_is_read_again(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.stopped(LoadState="bad-setting", NeedDaemonReload="yes", appears={"LoadState": "loaded"})
        assert run_module(module, {"name": NAME}, check=True)["changed"]
        assert run_module(module, {"name": NAME})["changed"]
        assert systemd.calls == ["daemon-reload", f"start {NAME}"]

    def test_a_changed_unit_file_is_read_again(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.running(NeedDaemonReload="yes")
        result = run_module(module, {"name": NAME})
        assert systemd.calls == ["daemon-reload"]
        assert result["diff"] == {"before": {"definition": "outdated"}, "after": {"definition": "loaded"}}

    def test_a_failed_unit_gets_its_starts_back(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.stopped(ActiveState="failed", SubState="failed")
        result = run_module(module, {"name": NAME})
        assert systemd.calls == [f"reset-failed {NAME}", f"start {NAME}"]
        assert result["diff"]["before"] == {"active": "failed (failed)"}

    def test_between_two_crashes_is_not_active(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.running(ActiveState="activating", SubState="auto-restart")
        result = run_module(module, {"name": NAME}, check=True)
        assert result["diff"]["before"] == {"active": "activating (auto-restart)"}

    def test_a_start_that_fails_shows_the_journal(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.stopped()
        systemd.failures({"start": "Job failed."})
        systemd.journal("ERROR: cannot parse mysql+pymysql://glance:s3cr3t/@db/glance with hunter2\n")
        result = run_module(module, {"name": NAME, "secrets": ["hunter2"]})
        assert f"systemctl start {NAME}: Job failed." in result["msg"]
        assert "ERROR: cannot parse mysql+pymysql://glance:VALUE_HIDDEN@db/glance" in result["msg"]
        assert "s3cr3t" not in json.dumps(result)
        assert "hunter2" not in result["msg"]

    def test_a_unit_that_stops_at_once_is_an_error_without_a_health_check_too(
        self, systemd: FakeSystemd, run_module: RunModule
    ) -> None:
        systemd.stopped(crashes={"ActiveState": "failed", "SubState": "failed"})
        systemd.journal("no such file\n")
        result = run_module(module, {"name": NAME})
        assert "stopped as soon as it was started" in result["msg"]
        assert "no such file" in result["msg"]

    def test_what_systemctl_did_not_do_is_an_error(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.running(UnitFileState="static")
        (Path(os.environ["PATH"].split(os.pathsep)[0]) / "systemctl").write_text(
            "#!/bin/sh\nprintf 'LoadState=loaded\\nActiveState=active\\nUnitFileState=static\\n'\n"
        )
        result = run_module(module, {"name": NAME, "enabled": True})
        assert "is still not enabled: True" in result["msg"]

    def test_a_node_without_systemd_is_told(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.failures({"show": "System has not been booted with systemd as init system (PID 1). Can't operate."})
        assert "not been booted with systemd" in run_module(module, {"name": NAME})["msg"]

    def test_a_node_without_systemctl_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_module: RunModule
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "systemctl cannot be run" in run_module(module, {"name": NAME})["msg"]


class TestRestart:
    def test_one_restart_after_a_change_and_none_afterwards(
        self, systemd: FakeSystemd, configuration: Path, run_module: RunModule
    ) -> None:
        systemd.running(seconds=60)
        path = str(configuration / "glance-api.conf")
        args = {"name": NAME, "restart_after": [path]}
        predicted = run_module(module, args, check=True)
        assert (predicted["changed"], predicted["restarted_because"], systemd.calls) == (True, [path], [])
        result = run_module(module, args)
        assert systemd.calls == [f"restart {NAME}"]
        assert result["diff"] == predicted["diff"]
        assert result["diff"] == {"before": {"restarted_because": []}, "after": {"restarted_because": [path]}}
        again = run_module(module, args)
        assert (again["changed"], again["restarted_because"]) == (False, [])
        assert systemd.calls == [f"restart {NAME}"]

    def test_a_process_that_is_newer_than_its_files_is_left_alone(
        self, systemd: FakeSystemd, configuration: Path, run_module: RunModule
    ) -> None:
        time.sleep(0.05)
        systemd.running(seconds=0)
        assert run_module(module, {"name": NAME, "restart_after": [str(configuration)]})["changed"] is False

    def test_a_stopped_unit_is_started_not_restarted(
        self, systemd: FakeSystemd, configuration: Path, run_module: RunModule
    ) -> None:
        systemd.stopped()
        result = run_module(module, {"name": NAME, "restart_after": [str(configuration)], "restart": True})
        assert (systemd.calls, result["restarted_because"]) == ([f"start {NAME}"], [])

    def test_a_restart_that_was_asked_for_is_predicted(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.running()
        result = run_module(module, {"name": NAME, "restart": True}, check=True)
        assert result["restarted_because"] == ["restart was asked for"]

    def test_a_change_in_the_future_warns_and_does_not_restart(
        self, systemd: FakeSystemd, configuration: Path, run_module: RunModule, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        systemd.running(seconds=60)
        yesterday = time.time_ns() - 24 * 3600 * 10**9
        monkeypatch.setattr(time, "time_ns", lambda: yesterday)
        result = run_module(module, {"name": NAME, "restart_after": [str(configuration / "glance-api.conf")]})
        assert result["changed"] is False
        assert "changed in the future" in str(result["warnings"])


class TestChangedSince:
    """Which files a process has not read, by the inode change time."""

    def test_a_file_with_an_old_modification_time_counts(self, configuration: Path) -> None:
        moment = time.time_ns() - 10**9
        path = configuration / "glance-api.conf"
        os.utime(path, (1, 1))
        assert changed_since([str(path)], moment, time.time_ns()) == ([str(path)], [])

    def test_a_removed_entry_counts_by_its_directory(self, configuration: Path) -> None:
        extra = configuration / "extra.conf"
        extra.touch()
        time.sleep(0.05)
        moment = time.time_ns()
        time.sleep(0.05)
        extra.unlink()
        assert changed_since([str(configuration)], moment, time.time_ns()) == ([str(configuration)], [])

    def test_both_ends_of_a_link_count(self, configuration: Path, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(configuration / "glance-api.conf")
        time.sleep(0.05)
        moment = time.time_ns()
        assert changed_since([str(link)], moment, time.time_ns()) == ([], [])
        time.sleep(0.05)
        (configuration / "glance-api.conf").write_text("[DEFAULT]\ndebug = true\n")
        assert changed_since([str(link)], moment, time.time_ns())[0] == [str(link)]

    def test_what_is_not_there_is_ignored(self, tmp_path: Path) -> None:
        (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
        assert changed_since([str(tmp_path / "nothing")], 0, time.time_ns()) == ([], [])
        assert changed_since([str(tmp_path / "dangling")], 0, time.time_ns())[0] == [str(tmp_path / "dangling")]

    def test_the_start_of_a_process_is_told_to_the_microsecond(self) -> None:
        started = time.monotonic_ns() // 1000
        expected = time.time_ns()
        assert abs(process_start(Unit(started=started)) - expected) < 5_000_000

    def test_without_a_main_process_the_activation_counts(self) -> None:
        text = "LoadState=loaded\nMainPID=0\nExecMainStartTimestampMonotonic=0\nActiveEnterTimestampMonotonic=5\n"
        assert Unit.from_properties(text).started == 5


class TestUnreadFiles:
    """Which files of a unit systemd does not know of although it says that nothing has to be reloaded."""

    @pytest.fixture
    def directories(self, tmp_path: Path) -> tuple[str, str]:
        """Return the directory of the administrator and the one of packages, with a unit in the latter."""
        for name in ("etc", "lib"):
            (tmp_path / name).mkdir()
        (tmp_path / "lib" / NAME).write_text("[Service]\n")
        return str(tmp_path / "etc"), str(tmp_path / "lib")

    def test_the_first_drop_in(self, directories: tuple[str, str]) -> None:
        etc, lib = directories
        unit = Unit("loaded", fragment=f"{lib}/{NAME}")
        assert has_unread_files(unit, NAME, directories) is False
        drop_in = Path(etc, f"{NAME}.d", "limits.conf")
        drop_in.parent.mkdir()
        drop_in.with_suffix(".bak").touch()
        assert has_unread_files(unit, NAME, directories) is False
        drop_in.touch()
        assert has_unread_files(unit, NAME, directories) is True
        read = Unit("loaded", fragment=f"{lib}/{NAME}", drop_ins=(str(drop_in),))
        assert has_unread_files(read, NAME, directories) is False

    def test_a_drop_in_that_was_masked(self, directories: tuple[str, str]) -> None:
        etc, lib = directories
        Path(etc, f"{NAME}.d").mkdir()
        Path(etc, f"{NAME}.d", "limits.conf").symlink_to(os.devnull)
        assert has_unread_files(Unit("loaded", fragment=f"{lib}/{NAME}"), NAME, directories) is False

    def test_a_unit_file_that_takes_precedence(self, directories: tuple[str, str]) -> None:
        etc, lib = directories
        Path(etc, NAME).touch()
        assert has_unread_files(Unit("loaded", fragment=f"{lib}/{NAME}"), NAME, directories) is True
        assert has_unread_files(Unit("loaded", fragment=f"{etc}/{NAME}"), NAME, directories) is False

    def test_a_generated_unit(self, directories: tuple[str, str]) -> None:
        unit = Unit("loaded", fragment=f"/run/systemd/generator.late/{NAME}")
        assert has_unread_files(unit, NAME, directories) is False


class TestStopped:
    def test_a_running_unit_is_disabled_and_stopped(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.running()
        args = {"name": NAME, "state": "stopped", "enabled": False}
        assert run_module(module, args)["diff"]["after"] == {"active": "inactive", "enabled": False}
        assert systemd.calls == [f"disable {NAME}", f"stop {NAME}"]
        assert run_module(module, args)["changed"] is False

    def test_a_crash_loop_is_stopped(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.running(ActiveState="activating", SubState="auto-restart")
        assert run_module(module, {"name": NAME, "state": "stopped"})["changed"]
        assert systemd.calls == [f"stop {NAME}"]

    def test_a_masked_unit_with_drop_ins_is_not_outdated(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.stopped(LoadState="masked", UnitFileState="masked", NeedDaemonReload="yes")
        assert run_module(module, {"name": NAME, "state": "stopped", "enabled": False})["changed"] is False
        assert systemd.calls == []

    def test_what_does_not_exist_is_stopped(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        assert run_module(module, {"name": NAME, "state": "stopped", "enabled": False})["changed"] is False
        assert systemd.calls == []

    def test_what_does_not_exist_cannot_be_enabled(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        result = run_module(module, {"name": NAME, "state": "stopped", "enabled": True})
        assert "does not exist" in result["msg"]


class TestMasked:
    def test_a_missing_unit_is_masked_once(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        args = {"name": NAME, "state": "masked", "only_missing": True}
        predicted = run_module(module, args, check=True)
        assert (predicted["changed"], systemd.calls) == (True, [])
        result = run_module(module, args)
        assert result["diff"] == predicted["diff"] == {"before": {"masked": False}, "after": {"masked": True}}
        assert systemd.calls == [f"mask {NAME}"]
        assert run_module(module, args)["changed"] is False

    def test_a_service_that_is_there_is_not_masked_by_a_second_run(
        self, systemd: FakeSystemd, run_module: RunModule
    ) -> None:
        systemd.running()
        assert run_module(module, {"name": NAME, "state": "masked", "only_missing": True})["changed"] is False
        assert systemd.calls == []

    def test_without_only_missing_a_running_unit_is_put_to_rest(
        self, systemd: FakeSystemd, run_module: RunModule
    ) -> None:
        systemd.running()
        result = run_module(module, {"name": NAME, "state": "masked"})
        assert systemd.calls == [f"disable {NAME}", f"stop {NAME}", f"mask {NAME}"]
        assert result["diff"]["after"] == {"active": "inactive", "enabled": False, "masked": True}

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            ({"state": "masked", "enabled": True}, "enabled cannot be combined with state=masked"),
            ({"state": "started", "only_missing": True}, "only_missing goes with state=masked"),
            (
                {"healthcheck_url": "localhost:9292/healthcheck"},
                "'localhost:9292/healthcheck' is not an http or https URL",
            ),
            ({"healthcheck_url": "http://node:port/"}, "'http://node:port/' is not an http or https URL"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, args: dict[str, t.Any], message: str, systemd: FakeSystemd, run_module: RunModule
    ) -> None:
        assert message in run_module(module, {"name": NAME, **args})["msg"]
        assert systemd.looks == 0


class TestHealth:
    def test_drained_is_told_and_is_no_failure(
        self, systemd: FakeSystemd, health: tuple[str, Answers], run_module: RunModule
    ) -> None:
        systemd.running()
        url, answers = health
        answers.script = [(503, "DISABLED BY FILE")]
        result = run_module(module, {"name": NAME, "healthcheck_url": url})
        assert (result["health"], result["changed"]) == ("drained", False)
        assert "is drained" in str(result["warnings"])

    def test_another_503_is_not_drained(
        self, systemd: FakeSystemd, health: tuple[str, Answers], run_module: RunModule
    ) -> None:
        systemd.running()
        url, answers = health
        answers.script = [(503, "<h1>proxy: no server available</h1>")]
        systemd.journal("ERROR: Store for scheme swift not found\n")
        result = run_module(module, {"name": NAME, "healthcheck_url": url, "wait_timeout": 1})
        assert f"{NAME} does not serve" in result["msg"]
        assert "within 1 seconds, at last HTTP 503 <h1>proxy: no server available</h1>" in result["msg"]
        assert "the unit is active (running)" in result["msg"]
        assert "Store for scheme swift not found" in result["msg"]

    @pytest.mark.parametrize("validate_certs", [True, False])
    def test_certificates_are_verified_unless_told_otherwise(
        self, systemd: FakeSystemd, run_module: RunModule, monkeypatch: pytest.MonkeyPatch, *, validate_certs: bool
    ) -> None:
        systemd.running()
        contexts: list[ssl.SSLContext] = []

        class Refusing(http.client.HTTPConnection):
            def __init__(self, host: str, *, timeout: float, context: ssl.SSLContext) -> None:
                contexts.append(context)
                super().__init__(host, timeout=timeout)

            def connect(self) -> None:
                raise ssl.SSLCertVerificationError(f"{self.host}:{self.port} has a certificate of its own")

        monkeypatch.setattr(http.client, "HTTPSConnection", Refusing)
        args = {
            "healthcheck_url": "https://node:9292/healthcheck?x",
            "wait_timeout": 0,
            "validate_certs": validate_certs,
        }
        assert "node:9292 has a certificate of its own" in run_module(module, {"name": NAME, **args})["msg"]
        expected = ssl.CERT_REQUIRED if validate_certs else ssl.CERT_NONE
        assert (contexts[0].verify_mode, contexts[0].check_hostname) == (expected, validate_certs)

    def test_nobody_listens(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        systemd.running()
        args = {"name": NAME, "healthcheck_url": "http://127.0.0.1:1/healthcheck", "wait_timeout": 0}
        assert "Connection refused" in run_module(module, args)["msg"]

    def test_a_unit_that_gives_up_is_not_waited_for(self, systemd: FakeSystemd, run_module: RunModule) -> None:
        """The start succeeds, and by the first look after the first request the unit has failed."""
        units = iter([Unit("loaded", "failed", "failed")])
        slept: list[float] = []
        check = waiting(units, [(0, "refused")], slept)
        with pytest.raises(Exception, match=r"the unit is failed \(failed\)"):
            check.wait(3600, Unit("loaded", "active", "running"), settled=False)
        assert slept == []

    def test_a_restart_loop_is_recognised_before_the_time_is_over(self) -> None:
        units = iter([Unit("loaded", "active", "running", restarts=number) for number in range(10)])
        slept: list[float] = []
        check = waiting(units, [(0, "refused")], slept)
        with pytest.raises(Exception, match="systemd has restarted it 3 times by itself: a restart loop"):
            check.wait(3600, Unit("loaded", "active", "running"), settled=False)
        assert len(slept) == 3

    def test_the_answer_of_another_program_does_not_count_while_the_unit_crashes(self) -> None:
        units = iter(
            [
                Unit("loaded", "activating", "auto-restart"),
                *(Unit("loaded", "active", "running", restarts=number) for number in (1, 2, 3)),
            ]
        )
        check = waiting(units, [(200, "OK")], [])
        with pytest.raises(Exception, match="restart loop"):
            check.wait(3600, Unit("loaded", "active", "running"), settled=False)


def waiting(units: t.Iterator[Unit], answers: list[tuple[int, str]], slept: list[float]) -> Health:
    """Return a health check of a unit that goes through these states, with a clock that nobody waits for."""

    class Script(Systemd):
        def show(self, name: str) -> Unit:
            assert name == NAME
            return next(units)

        def journal(self, name: str) -> str:
            return f"journal of {name}"

    def unreachable(arguments: list[str]) -> tuple[int, str, str]:
        raise AssertionError(arguments)

    probe = answers[0]
    return Health(
        Script(unreachable),
        NAME,
        "http://node/healthcheck",
        lambda: probe,
        clock=lambda: sum(slept),
        sleep=slept.append,
    )
