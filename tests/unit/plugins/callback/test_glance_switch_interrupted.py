# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Whoever presses Ctrl-C in a switch is told how far it is: real runs, in a process group of their own."""

from __future__ import annotations

import grp
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_interrupted
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, Journal
from ansible_collections.openstack_ops.glance.plugins.modules import store_retire
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_copies import CONTROLLERS, FakeCopies

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

COLLECTION = Path(store_retire.__file__).absolute().parents[2]
COLLECTIONS = COLLECTION.parents[2]
LEASE = "openstack_ops.glance.glance_switch : Be the only run that switches"
INTERRUPTED = "User interrupted execution"
TOLD = "The switch from local to objects was interrupted."
SECRET = "not to be seen"
SWITCH = {
    "from": "local",
    "to": "objects",
    "from_type": "file",
    "to_type": "file",
    "release": "zed",
    "controllers": list(CONTROLLERS),
}
# A module that was begun with it says so, and never ends by itself.
ENDLESS = """#!/bin/sh
touch "$0.begun"
exec sleep 600
"""
DELETING = [
    {
        "hosts": "all",
        "gather_facts": False,
        "any_errors_fatal": True,
        "tasks": [
            {"import_role": {"name": "openstack_ops.glance.glance_switch"}},
            {"include_role": {"name": "openstack_ops.glance.glance_switch", "tasks_from": "delete"}},
        ],
    }
]


class FakeStores(FakeCopies):
    """Deletes the data of images in one store, too, and takes its time for it."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.seconds = 1.0

    def answer(self, request: t.Any) -> tuple[int, t.Any]:
        """Answer everything."""
        parts = request.path.strip("/").split("/")
        if parts[0] not in CONTROLLERS or parts[2:3] != ["stores"]:
            return super().answer(request)
        self.begun.set()
        time.sleep(self.seconds)
        image = self.images[parts[4]]
        image["stores"] = ",".join(store for store in image["stores"].split(",") if store != parts[3])
        return 204, None


class Ended(t.NamedTuple):
    """How a run ended."""

    status: int
    output: str
    errors: str
    seconds: float
    """How long it took after Ctrl-C."""

    @property
    def told(self) -> str:
        """Return what follows after Ansible's own message."""
        assert self.status == 99, self.output + self.errors
        _before, own, after = self.errors.partition(INTERRUPTED)
        assert own, self.errors
        return after


class Run:
    """The playbook on two controllers that are directories, in the middle of the journal of a test."""

    def __init__(self, directory: Path, cloud: FakeCopies) -> None:
        self._directory = directory
        self._cloud = cloud
        self.journal = str(directory / "journals" / "local-objects")
        self.endless = directory / "endless"
        self.endless.write_text(ENDLESS, encoding="utf-8")
        self.endless.chmod(0o755)
        self.begun = directory / "endless.begun"
        self.process: t.Optional[subprocess.Popen[str]] = None

    def _inventory(self) -> dict[str, t.Any]:
        # What the plan has found, and Ansible leaves out when it starts later.
        found = {
            "_glance_switch_copies": {"deactivated": 0},
            "_glance_switch_probe": {"stores": []},
            # That of a task wins over it.
            "ansible_python_interpreter": sys.executable,
            "_glance_switch_url": "{{ __endpoints[inventory_hostname] }}",
            "__endpoints": self._cloud.endpoints,
        }
        return {"glance_api": {"hosts": dict.fromkeys(CONTROLLERS), "vars": found}}

    def _variables(self) -> dict[str, t.Any]:
        """Return what wins over the variables of the roles."""
        return {
            "ansible_connection": "local",
            "ansible_become": False,
            "glance_switch_from": "local",
            "glance_switch_to": "objects",
            "glance_switch_directory": str(self._directory / "journals"),
            "glance_public_url": "http://images.example.org:9292",
            "glance_database": {"host": "database", "password": SECRET},
            "glance_keystone": {"auth_url": "http://keystone:5000/v3", "service_password": SECRET},
            "glance_stores": {
                "local": {"type": "file", "datadir": "/srv/local", "shared": True},
                "objects": {"type": "file", "datadir": "/srv/objects", "shared": True},
            },
            # What this machine is, does not matter.
            "_glance_release_name": "zed",
            "_glance_offered_releases": ["zed"],
            "_glance_family": {
                "group": grp.getgrgid(os.getgid()).gr_name,
                "user": "glance",
                "api_unit": "glance-api.service",
                "config_directory": "/etc/glance",
                "state_directory": f"{self._directory}/nodes/{{{{ item | default(inventory_hostname) }}}}",
            },
            "_glance_image_auth": self._cloud.auth,
            "_glance_server_python": str(self.endless),
        }

    def start(self, phase: str, playbook: str = "openstack_ops.glance.switch_store", **variables: t.Any) -> None:
        """Start the playbook with the task that makes the run the only one."""
        inventory = self._directory / "inventory.yml"
        inventory.write_text(json.dumps(self._inventory()), encoding="utf-8")
        given = {**self._variables(), "glance_switch_phase": phase, **variables}
        # What a shell has put into the background ignores Ctrl-C, and so would all that it starts.
        command = [
            "env",
            "--default-signal=INT",
            sys.executable,
            "-m",
            "ansible",
            "playbook",
            "-i",
            str(inventory),
            playbook,
        ]
        command += ["-e", json.dumps(given), "--start-at-task", LEASE]
        settings = {
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(self._directory / "temporary"),
        }
        # Files hold what a reader of pipes would have to fetch all the time.
        with open(self._directory / "output", "wb") as output, open(self._directory / "errors", "wb") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=self._directory,
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
                text=True,
            )

    def _text(self, name: str) -> str:
        return (self._directory / name).read_text(encoding="utf-8")

    def wait_until(self, condition: t.Callable[[], bool]) -> None:
        """Wait until the run is where the test wants it."""
        assert self.process is not None
        end = time.monotonic() + 200
        while not condition():
            assert self.process.poll() is None, self._text("output") + self._text("errors")
            assert time.monotonic() < end, self._text("output") + self._text("errors")
            time.sleep(0.05)

    def says(self, words: str) -> bool:
        """Tell whether something was said on standard error."""
        return words in self._text("errors")

    def press_ctrl_c(self) -> None:
        """Do as a terminal does."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> Ended:
        """Wait for the end."""
        assert self.process is not None
        begin = time.monotonic()
        status = self.process.wait(90)
        return Ended(status, self._text("output"), self._text("errors"), time.monotonic() - begin)

    def interrupt(self) -> Ended:
        """Press Ctrl-C, and wait for the end."""
        self.press_ctrl_c()
        return self.end()

    def kill(self) -> None:
        """Leave nothing behind."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def report(self) -> Facts:
        """Return the report."""
        path = Path(self.journal) / "report.json"
        assert path.with_suffix(".html").exists()
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def note(self, *events: tuple[str, Facts]) -> None:
        """Write into the journal what earlier phases have done."""
        with Journal(self.journal) as journal:
            journal.append_all(events)

    def copied(self, image_id: str, name: str, *, verified: bool = False) -> None:
        """Note that an image is copied."""
        image = self._cloud.images[image_id]
        facts = {"name": name, "size": image["size"], "hash_algo": "sha512", "hash_value": image["os_hash_value"]}
        proof = {"proof": "reader", "algo": "sha512", "value": image["os_hash_value"], "size": image["size"]}
        self.note(
            ("image", {"image_id": image_id, **facts}),
            ("copy", {"image_id": image_id, "state": "started", "controller": "one", "attempt": 1}),
            ("copy", {"image_id": image_id, "state": "done", "controller": "one", "attempt": 1}),
            *([("verify", {"image_id": image_id, "state": "done", **proof})] if verified else []),
        )


@pytest.fixture
def cloud() -> t.Iterator[FakeStores]:
    with FakeStores() as running:
        yield running


@pytest.fixture
def run(cloud: FakeStores, tmp_path: Path) -> t.Iterator[Run]:
    running = Run(tmp_path, cloud)
    try:
        yield running
    finally:
        running.kill()


def test_copies(run: Run, cloud: FakeStores) -> None:
    done, slow = cloud.put("done", 300), cloud.put("slow", 200)
    cloud.fates[slow] = ["never"]
    run.start("copy")
    run.wait_until(lambda: "objects" in cloud.images[done]["stores"] and len(cloud.copies) == 2)
    ended = run.interrupt()
    assert ended.seconds < 10
    assert TOLD in ended.told
    assert "Stopped in copy. Copy was interrupted: SIGINT. " in ended.told
    assert "0 of 2 images verified, 1 copied but not verified, 1 not copied yet" in ended.told
    on, back = ended.told.split("\nGo on:\n")[1].split("\nGo back:\n")
    assert on.startswith("ansible-playbook -i ")
    assert back.startswith("ansible-playbook -i ")
    assert on.endswith(" -e glance_switch_from=local -e glance_switch_to=objects -e glance_switch_phase=copy")
    assert back.endswith(" -e glance_switch_from=local -e glance_switch_to=objects -e glance_switch_phase=back\n")
    assert SECRET not in ended.output + ended.errors
    assert run.report()["verdict"]["title"] == "Stopped in copy"


def read(run: Run, cloud: FakeStores) -> None:
    """Come to where copies are read back, with one that is verified, one that is not and one that failed."""
    run.note(("switch", SWITCH))
    run.copied(cloud.put("verified", store="local,objects"), "verified", verified=True)
    run.copied(cloud.put("copied", store="local,objects"), "copied")
    failed = {"image_id": cloud.put("red"), "name": "\x1b[31mred", "size": 100}
    run.note(("image", failed), ("copy", {"image_id": failed["image_id"], "state": "failed", "reason": "no room"}))
    run.start("verify")
    run.wait_until(run.begun.exists)


def test_verification(run: Run, cloud: FakeStores) -> None:
    read(run, cloud)
    ended = run.interrupt()
    assert ended.seconds < 10
    assert TOLD in ended.told
    assert "Stopped in verify. Verify was interrupted. " in ended.told
    assert "1 of 3 images verified, 1 copied but not verified, 1 failed" in ended.told
    # What an operator gave as a name does nothing to the terminal.
    assert "  \\x1b[31mred  100 B  failed  no room\n" in ended.told
    assert "\x1b" not in ended.told
    assert f"Reports: {run.journal}/report.html\n         {run.journal}/report.json\n" in ended.told
    assert run.report()["phases"][-1]["state"] == "interrupted"
    state = Journal(run.journal).read()
    assert (state.phases["verify"]["state"], state.verdict["status"]) == ("interrupted", 1)


def test_whoever_presses_it_again_waits_for_nothing(run: Run, cloud: FakeStores) -> None:
    read(run, cloud)
    with Journal(run.journal):
        run.press_ctrl_c()
        run.wait_until(lambda: run.says("Ctrl-C again ends at once"))
        ended = run.interrupt()
    assert (ended.status, ended.seconds < 3) == (-signal.SIGINT, True)
    assert INTERRUPTED in ended.errors
    assert TOLD not in ended.errors


def test_deletions(run: Run, cloud: FakeStores, run_module: RunModule, tmp_path: Path) -> None:
    run.note(("switch", SWITCH))
    for number in range(12):
        name = f"image {number}"
        run.copied(cloud.put(name, store="local,objects"), name, verified=True)
    run.note(("phase", {"phase": "cut_over", "state": "finished"}))
    ends = {"source": "local", "target": "objects", "endpoints": cloud.endpoints, "journal": run.journal}
    token = run_module(store_retire, {**cloud.auth, **ends}, check=True)["token"]
    (tmp_path / "callback_plugins").symlink_to(COLLECTION / "playbooks" / "callback_plugins")
    (tmp_path / "play.yml").write_text(yaml.safe_dump(DELETING), encoding="utf-8")
    run.start("retire", "play.yml", glance_switch_token=token)
    run.wait_until(cloud.begun.is_set)
    ended = run.interrupt()
    assert ended.seconds < 10
    assert TOLD in ended.told
    assert "Stopped in retire." in ended.told
    assert "12 of 12 images verified" in ended.told
    assert "\nGo on:\n" in ended.told
    assert ended.told.rstrip().endswith(f" -e glance_switch_phase=retire -e glance_switch_token={token}")
    # The journal knows of every deletion that was begun.
    gone = sum(image["stores"] == "objects" for image in cloud.images.values())
    assert 0 < gone == run.report()["totals"]["retired"] < 12
    assert f"\nGone from the old store: {gone} images.\n" in ended.told


def test_what_the_role_has_told_is_not_told_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = COLLECTION / "playbooks" / "callback_plugins" / "glance_switch_interrupted.py"
    plugin = runpy.run_path(str(path))["CallbackModule"]()
    run = {"journal": str(tmp_path), "since": "", "playbook": "switch", "go_on": "switch on", "go_back": ""}
    plugin.v2_runner_on_ok(SimpleNamespace(_result={"ansible_facts": {_switch_interrupted.FACT: run}}))
    plugin.v2_runner_on_ok(SimpleNamespace(_result={"ansible_facts": {"another": 1}}))
    plugin.v2_runner_on_ok(SimpleNamespace(_result={}))
    before = signal.getsignal(signal.SIGINT)
    try:
        plugin._tell()
        assert "Go on:\nswitch on" in capsys.readouterr().err
        plugin.v2_playbook_on_stats(None)
        plugin._tell()
        assert capsys.readouterr() == ("", "")
    finally:
        signal.signal(signal.SIGINT, before)
