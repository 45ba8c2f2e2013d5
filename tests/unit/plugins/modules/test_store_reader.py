# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_reader: its real main(), with a systemd-run that starts a real HTTP server or one that dies."""

from __future__ import annotations

import getpass
import os
import re
import signal
import socket
import stat
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_reader
from ansible_collections.openstack_ops.glance.plugins.modules import store_reader as module

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

SECRET = "s3cret-from-the-environment"
CONFIGURATION = """
[DEFAULT]
enabled_backends = local:file, objects:swift
[glance_store]
default_backend = local
[local]
filesystem_store_datadir = /srv/images
"""

SYSTEMCTL = """#!{python} -IS
import os, pathlib, signal, sys, time
directory = pathlib.Path({directory!r})
verb, unit = sys.argv[1], sys.argv[-1]
pid_file = directory / ("pid-" + unit)
pid = int(pid_file.read_text()) if pid_file.exists() else 0
try:
    alive = bool(pid) and (os.kill(pid, 0) or True)
except ProcessLookupError:
    alive = False
if verb == "stop" and alive:
    os.kill(pid, signal.SIGKILL)
    pid_file.unlink()
elif verb == "show":
    state = ("loaded", "active", "running", pid) if alive else ("not-found", "inactive", "dead", 0)
    print("LoadState=%s\\nActiveState=%s\\nSubState=%s\\nMainPID=%s" % state)
    print("ExecMainStartTimestampMonotonic=%s" % (pid_file.stat().st_ctime_ns // 1000
          - (time.time_ns() - time.monotonic_ns()) // 1000 if alive else 0))
"""

SYSTEMD_RUN = """#!{python} -IS
import os, pathlib, subprocess, sys
directory = pathlib.Path({directory!r})
(directory / "arguments").write_text("\\n".join(sys.argv[1:]))
unit = next(word for word in sys.argv if word.startswith("--unit="))[7:]
server = (directory / "server").read_text()
started = subprocess.Popen([{python!r}, "-c", server], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, start_new_session=True)
(directory / ("pid-" + unit)).write_text(str(started.pid))
"""

SERVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthcheck" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""


class Machine:
    """A node with a running Glance, and a systemd that is played."""

    def __init__(self, directory: Path, run_module: RunModule) -> None:
        self._run = run_module
        self.directory = directory
        self.bin = directory / "bin"
        self.bin.mkdir()
        for name, source in (("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)):
            (self.bin / name).write_text(source.format(python=sys.executable, directory=str(self.bin)))
            (self.bin / name).chmod(0o755)
        (self.bin / "journalctl").write_text("#!/bin/sh\necho 'Pool images does not exist'\n")
        (self.bin / "journalctl").chmod(0o755)
        self.config_file = directory / "glance-api.conf"
        self.config_file.write_text(CONFIGURATION)
        self.place = directory / "run"
        self.place.mkdir()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        self.server(SERVER.format(port=self.port))
        self.service(["/usr/bin/python3", "/usr/bin/glance-api", "--config-file=/etc/glance/glance-api.conf"])

    def server(self, source: str) -> None:
        """Set what is started in place of glance-api."""
        (self.bin / "server").write_text(source)

    def service(self, command: list[str]) -> None:
        """Have the node's own Glance run with a command line."""
        process = self.directory / "proc" / str(os.getpid())
        process.mkdir(parents=True, exist_ok=True)
        (process / "cmdline").write_text("\0".join([*command, ""]))
        (process / "environ").write_text(f'HOME=/root\0TOKEN={SECRET}"$x\0INVOCATION_ID=1\0')
        (self.bin / "pid-glance-api.service").write_text(str(os.getpid()))

    @property
    def reader(self) -> Path:
        """The directory of the reader."""
        return self.place / "glance-switch-reader"

    @property
    def arguments(self) -> list[str]:
        """What systemd-run was given."""
        return (self.bin / "arguments").read_text().splitlines()

    def __call__(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        defaults = {"config_file": str(self.config_file), "user": getpass.getuser(), "port": self.port}
        chosen = {} if {"without", "only"} & set(options) else {"without": "local"}
        return self._run(module, {**defaults, **chosen, **options}, check=check)

    def end(self) -> None:
        """End what is still running."""
        for path in self.bin.glob("pid-glance-switch-*"):
            try:
                os.kill(int(path.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture
def machine(tmp_path: Path, run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Machine]:
    machine = Machine(tmp_path, run_module)
    monkeypatch.setenv("PATH", str(machine.bin), prepend=os.pathsep)
    run, plan = _switch_reader.run, _switch_reader.plan
    place, proc = str(machine.place), str(tmp_path / "proc")
    monkeypatch.setattr(_switch_reader, "run", lambda *arguments: run(*arguments, place))
    monkeypatch.setattr(_switch_reader, "plan", lambda params, pid, place: plan(params, pid, place, proc))
    yield machine
    machine.end()


def section(text: str, name: str) -> dict[str, str]:
    found = re.search(rf"(?ms)^\[{name}\]\n(.*?)(?=^\[|\Z)", text)
    assert found, name
    pairs = (line.partition("=") for line in found.group(1).splitlines() if line)
    return {option.strip(): value.strip() for option, _equals, value in pairs}


def test_starts_and_stops(machine: Machine) -> None:
    result = machine()
    assert (result["changed"], result["url"]) == (True, f"http://127.0.0.1:{machine.port}")
    assert (result["stores"], result["default_store"]) == (["objects"], "objects")
    text = (machine.reader / "reader.conf").read_text()
    assert section(text, "DEFAULT")["enabled_backends"] == "objects:swift"
    assert section(text, "DEFAULT")["bind_host"] == "127.0.0.1"
    assert section(text, "DEFAULT")["bind_port"] == str(machine.port)
    assert section(text, "DEFAULT")["log_file"] == ""
    assert section(text, "glance_store") == {"default_backend": "objects"}
    paste = str(machine.config_file).replace(".conf", "-paste.ini")
    assert section(text, "paste_deploy") == {"config_file": paste, "flavor": "keystone"}
    staging = section(text, "os_glance_staging_store")["filesystem_store_datadir"]
    assert staging == str(machine.reader / "staging")
    assert machine()["changed"] is False
    assert machine(state="stopped")["changed"] is True
    assert not machine.reader.exists()
    assert not list(machine.bin.glob("pid-glance-switch-*"))
    assert machine(state="stopped")["changed"] is False


def test_what_is_run(machine: Machine) -> None:
    directory = Path(f"{machine.config_file}.d")
    directory.mkdir()
    machine()
    own = str(machine.reader / "reader.conf")
    config = ["--config-file", str(machine.config_file), "--config-dir", str(directory), "--config-file", own]
    start = machine.arguments.index("--")
    assert machine.arguments[start + 1 :] == ["/usr/bin/python3", "/usr/bin/glance-api", *config]
    properties = machine.arguments[:start]
    for wanted in (
        f"User={getpass.getuser()}", "RuntimeMaxSec=86400", "ProtectSystem=strict", "NoNewPrivileges=yes",
        f"EnvironmentFile={machine.reader / 'environment'}",
    ):  # fmt: skip
        assert f"--property={wanted}" in properties
    writable = [word for word in properties if word.startswith("--property=ReadWritePaths=")]
    assert writable == [
        f"--property=ReadWritePaths={' '.join(str(machine.reader / name) for name in ('staging', 'tasks', 'locks'))}"
    ]


def test_the_environment_is_that_of_the_service_and_secret(machine: Machine) -> None:
    result = machine()
    path = machine.reader / "environment"
    assert path.read_text() == f'TOKEN="{SECRET}\\"\\$x"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(machine.reader.stat().st_mode) == 0o750
    assert SECRET not in "".join(machine.arguments)
    assert SECRET not in str(result)


UWSGI = """
[uwsgi]
# What is about the server of the node stays there.
http-socket = 0.0.0.0:9292
processes = 4
logto = /var/log/glance/glance-api.log
module = glance.wsgi.api:application
"""


def test_under_uwsgi(machine: Machine) -> None:
    ini = machine.directory / "glance-api-uwsgi.ini"
    ini.write_text(UWSGI)
    directory = Path(f"{machine.config_file}.d")
    directory.mkdir()
    (directory / "zz.conf").touch()
    machine.service(["/opt/glance/33/bin/uwsgi", "--virtualenv", "/opt/glance/33", "--ini", str(ini)])
    machine(workers=2)
    own = machine.reader
    assert machine.arguments[machine.arguments.index("--") + 1 :] == [
        "/opt/glance/33/bin/uwsgi", "--ini", str(own / "uwsgi.ini"),
    ]  # fmt: skip
    options = section((own / "uwsgi.ini").read_text(), "uwsgi")
    assert options["http-socket"] == f"127.0.0.1:{machine.port}"
    assert (options["processes"], options["module"]) == ("2", "glance.wsgi.api:application")
    assert options["virtualenv"] == "/opt/glance/33"
    assert "logto" not in options
    environment = (own / "environment").read_text().splitlines()
    assert {f'HOME="{own}"', f'OS_GLANCE_CONFIG_DIR="{own}"'} < set(environment)
    assert (own / "glance-api.conf").resolve() == machine.config_file
    for name in ("glance.conf.d", "glance-api.conf.d"):
        read = [path.resolve() for path in sorted((own / ".glance" / name).iterdir())]
        assert read == [directory / "zz.conf", own / "reader.conf"]
    assert machine(workers=2)["changed"] is False
    assert machine(state="stopped")["changed"] is True
    assert machine.config_file.exists()


def test_glance_can_enter_what_root_alone_could_by_default(machine: Machine) -> None:
    machine.service(["/usr/bin/uwsgi", "--module=glance.wsgi.api:application"])
    before = os.umask(0o077)
    try:
        machine()
    finally:
        os.umask(before)
    below = [path for path in (machine.reader / ".glance").rglob("*") if path.is_dir() and not path.is_symlink()]
    assert len(below) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in [machine.reader / ".glance", *below]} == {0o750}


def test_under_uwsgi_by_command_line_alone(machine: Machine) -> None:
    machine.service(["/usr/bin/uwsgi_python3", "--http-socket=:9292", "--wsgi-file=/usr/bin/glance-wsgi-api"])
    machine()
    assert section((machine.reader / "uwsgi.ini").read_text(), "uwsgi")["wsgi-file"] == "/usr/bin/glance-wsgi-api"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[uwsgi]\nprocesses = 4\n", "names one"),
        ("[other]\nmodule = x\n", "No section: 'uwsgi'"),
        (None, "No such file"),
    ],
)
def test_uwsgi_that_does_not_say_what_it_serves(machine: Machine, text: t.Optional[str], message: str) -> None:
    ini = machine.directory / "glance-api-uwsgi.ini"
    if text is not None:
        ini.write_text(text)
    machine.service(["/usr/bin/uwsgi", "--ini", str(ini)])
    result = machine()
    assert str(ini) in result["msg"]
    assert message in result["msg"]
    assert not machine.reader.exists()


def test_with_one_store_alone(machine: Machine) -> None:
    assert machine(only="local", name="source")["stores"] == ["local"]
    assert (machine.place / "glance-switch-source" / "reader.conf").exists()


def test_cinder_needs_more(machine: Machine) -> None:
    machine.config_file.write_text(CONFIGURATION.replace("objects:swift", "objects:cinder"))
    machine()
    assert not [word for word in machine.arguments if "NoNewPrivileges" in word or "SystemCallFilter" in word]


def test_check_mode(machine: Machine) -> None:
    result = machine(check=True)
    assert result["changed"] is True
    assert "objects:swift" in result["diff"]["after"]["reader.conf"]
    assert not machine.reader.exists()
    machine()
    assert machine(state="stopped", check=True)["changed"] is True
    assert machine.reader.exists()


@pytest.mark.parametrize("what", ["configuration", "option"])
def test_started_anew_when_something_has_changed(machine: Machine, what: str) -> None:
    machine()
    before = (machine.bin / "pid-glance-switch-reader.service").read_text()
    if what == "configuration":
        machine.config_file.write_text(f"{CONFIGURATION}# newer\n")
        result = machine()
    else:
        result = machine(workers=2)
    assert result["changed"] is True
    assert (machine.bin / "pid-glance-switch-reader.service").read_text() != before
    assert machine(workers=1 if what == "configuration" else 2)["changed"] is False


def test_a_port_in_use(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        result = machine(port=listener.getsockname()[1])
    assert "Address already in use" in result["msg"]
    assert "give another port" in result["msg"]
    assert not machine.reader.exists()


def test_one_that_dies(machine: Machine) -> None:
    machine.server("raise SystemExit(1)")
    result = machine()
    assert "glance-switch-reader.service does not serve" in result["msg"]
    assert "Pool images does not exist" in result["msg"]
    assert not machine.reader.exists()


def test_one_that_never_answers(machine: Machine) -> None:
    machine.server("import time; time.sleep(60)")
    assert "within 1 seconds" in machine(wait_timeout=1)["msg"]
    assert not machine.reader.exists()
    assert not list(machine.bin.glob("pid-glance-switch-*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"without": "lokal"}, "the node's Glance has the stores local, objects"),
        ({"without": "objects", "default_store": "objects"}, "'objects' cannot be the default store; left are: local"),
        ({"without": "local", "only": "objects"}, "exactly one of them"),
        ({"without": None}, "exactly one of them"),
        ({"name": "../x"}, "name: give small letters"),
        ({"port": 70000}, "port: 70000"),
        ({"user": "nobody-at-all"}, "looking for the user 'nobody-at-all'"),
        ({"config_file": "/nowhere/glance-api.conf"}, "does not exist"),
    ],
)
def test_bad_parameters(machine: Machine, options: dict[str, t.Any], message: str) -> None:
    result = machine(**options)
    assert result["failed"]
    assert message in result["msg"]
    assert not machine.reader.exists()


def test_a_single_store_configuration(machine: Machine) -> None:
    machine.config_file.write_text("[glance_store]\nstores = file\n")
    assert "is in single-store form" in machine()["msg"]


@pytest.mark.parametrize(
    ("command", "message"),
    [(["/usr/sbin/apache2", "-k", "start"], "'/usr/sbin/apache2'"), ([], "the service does not run")],
)
def test_a_service_that_is_no_glance_api(machine: Machine, command: list[str], message: str) -> None:
    machine.service(command)
    assert message in machine()["msg"]
    assert machine(command=["/opt/glance/bin/glance-api"])["command"][0] == "/opt/glance/bin/glance-api"
