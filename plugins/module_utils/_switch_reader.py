# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""A second glance-api on the loopback interface, with the configuration of the node's own but without one store."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import pwd
import shutil
import socket
import time
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils import _running_config, _uwsgi
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._health import ask
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import MULTI, Running
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Parameters
from ansible_collections.openstack_ops.glance.plugins.module_utils._unit import (
    Health,
    Run,
    Systemd,
    changed_since,
    process_start,
)

HOST = "127.0.0.1"
PREFIX = "glance-switch-"
PLACE = "/run"
PROC = "/proc"
CONFIGURATION, ENVIRONMENT = "reader.conf", "environment"
WRITABLE = ("staging", "tasks", "locks")
DIRECTORY_MODE, FILE_MODE = 0o750, 0o640

# What systemd gives to each unit itself, and what a start script leaves behind.
_OWN_ENVIRONMENT = frozenset(
    {"_", "HOME", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "SHLVL", "USER"}
    | {"CACHE_DIRECTORY", "CONFIGURATION_DIRECTORY", "LOGS_DIRECTORY", "RUNTIME_DIRECTORY", "STATE_DIRECTORY"}
    | {"CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID", "MAINPID"}
    | {"MANAGERPID", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE", "NOTIFY_SOCKET", "SYSTEMD_EXEC_PID"}
    | {"WATCHDOG_PID", "WATCHDOG_USEC"}
    | {"UWSGI_ORIGINAL_PROC_NAME", "UWSGI_RELOADS"}
)

_SANDBOX = (
    "UMask=0027",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "ProtectControlGroups=yes",
    "ProtectProc=invisible",
    "RemoveIPC=yes",
)
_STRICT_SANDBOX = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources @obsolete @mount @clock @cpu-emulation @debug @module @raw-io @reboot"
    " @swap",
    "SystemCallErrorNumber=EPERM",
)
# Glance attaches volumes as root, through sudo.
_CINDER_SANDBOX = (
    "CapabilityBoundingSet=CAP_AUDIT_WRITE CAP_CHOWN CAP_DAC_OVERRIDE CAP_SETGID CAP_SETUID CAP_SYS_ADMIN",
    "ReadWritePaths=-/var/lib/glance -/etc/iscsi -/etc/multipath -/etc/nvme -/run/lock/iscsi",
)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the reader shall be.

    :param stores: the type of each store that it has.
    :param files: the content of each file in its directory.
    :param links: where each link in its directory leads.
    :param command: what is run.
    :param properties: the properties of its unit.
    """

    name: str
    url: str
    port: int
    stores: dict[str, str]
    default_store: str
    files: dict[str, str] = dataclasses.field(repr=False)
    links: dict[str, str]
    command: list[str]
    properties: list[str]
    sources: list[str]

    @property
    def unit(self) -> str:
        """The name of its unit."""
        return unit_name(self.name)


class Reader:
    """Starts and stops it.

    :param place: the directory beneath which it gets its own.
    """

    def __init__(self, systemd: Systemd, execute: Run, place: str) -> None:
        self._systemd = systemd
        self._execute = execute
        self._place = place

    def directory(self, name: str) -> Path:
        """Return the directory of a reader."""
        return Path(self._place, f"{PREFIX}{name}")

    def start_difference(self, plan: Plan) -> Difference:
        """Return what has to change for it to run."""
        difference = Difference()
        unit = self._systemd.show(plan.unit)
        difference.compare("active", unit.activity, "active")
        directory = self.directory(plan.name)
        for name, text in plan.files.items():
            difference.compare(name, _content(directory / name), text, secret=name == ENVIRONMENT)
        for name, target in plan.links.items():
            difference.compare(name, _target(directory / name), target)
        if unit.running:
            changed, _future = changed_since(plan.sources, process_start(unit), time.time_ns())
            difference.compare("restarted_because", [], changed)
        return difference

    def stop_difference(self, name: str) -> Difference:
        """Return what has to change for nothing to be left of it."""
        difference = Difference()
        unit = self._systemd.show(unit_name(name))
        if not unit.stopped or unit.active == "failed":
            difference.compare("active", unit.activity, "inactive")
        difference.compare("directory", self.directory(name).exists(), False)
        return difference

    def start(self, plan: Plan, user: str, timeout: float) -> None:
        """Start it anew, and return when it answers.

        :raises GlanceError: when it cannot be started or does not answer; nothing is left of it then.
        """
        self.stop(plan.name)
        _refuse_used_port(plan.port)
        self._write(plan, user)
        try:
            self._run(plan)
            self._wait(plan, timeout, settled=False)
        except GlanceError:
            self.stop(plan.name)
            raise

    def stop(self, name: str) -> None:
        """Stop it, and remove what belongs to it."""
        unit = self._systemd.show(unit_name(name))
        if not unit.stopped:
            self._systemd.call("stop", unit_name(name))
        elif unit.active == "failed":
            self._systemd.call("reset-failed", unit_name(name))
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.directory(name))

    def wait(self, plan: Plan, timeout: float) -> None:
        """Return when one that runs already answers.

        :raises GlanceError: when it does not.
        """
        self._wait(plan, timeout, settled=True)

    def _write(self, plan: Plan, user: str) -> None:
        account = _account(user)
        directory = self.directory(plan.name)
        directory.mkdir(mode=0o700)
        for name in WRITABLE:
            (directory / name).mkdir(mode=DIRECTORY_MODE)
            _own(directory / name, account.pw_uid, account.pw_gid)
        for name, text in plan.files.items():
            descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            _own(directory / name, 0, account.pw_gid)
            os.chmod(directory / name, FILE_MODE)
        self._link(directory, plan.links, account.pw_gid)
        _own(directory, 0, account.pw_gid)
        os.chmod(directory, DIRECTORY_MODE)

    def _link(self, directory: Path, links: t.Mapping[str, str], group: int) -> None:
        for name, target in links.items():
            for parent in reversed(Path(name).parents[:-1]):
                (directory / parent).mkdir(exist_ok=True)
                # Whatever the umask: what it cannot enter, Glance leaves out without a word, and has all stores then.
                _own(directory / parent, 0, group)
                os.chmod(directory / parent, DIRECTORY_MODE)
            (directory / name).symlink_to(target)

    def _run(self, plan: Plan) -> None:
        arguments = ["systemd-run", "--quiet", "--collect", f"--unit={plan.unit}"]
        arguments += [f"--property={line}" for line in plan.properties]
        code, output, errors = self._execute([*arguments, "--", *plan.command])
        if code:
            raise GlanceError(
                f"starting {plan.unit}",
                answer=f"{(errors or output).strip()}. {self._systemd.journal(plan.unit)}",
                cause="systemd too old, or a program that is not there",
            )

    def _wait(self, plan: Plan, timeout: float, settled: bool) -> None:
        url = f"{plan.url}/healthcheck"
        health = Health(self._systemd, plan.unit, url, lambda: ask(urlsplit(url)))
        health.wait(timeout, self._systemd.show(plan.unit), settled)


def unit_name(name: str) -> str:
    """Return the name of the unit of a reader."""
    return f"{PREFIX}{name}.service"


def plan(params: Parameters, main_pid: int, place: str = PLACE, proc: str = PROC) -> Plan:
    """Return what the reader shall be.

    :param main_pid: the main process of the node's own glance-api, 0 when it does not run.
    :raises GlanceError: when the configuration of the node does not allow for one.
    """
    running = _running_config.read(params["config_file"], params["config_directory"])
    stores, default = _stores(running, params)
    directory = Path(place, f"{PREFIX}{params['name']}")
    server = _server(running, params, directory, main_pid, proc)
    files = {
        CONFIGURATION: _configuration(running, stores, default, params, directory),
        ENVIRONMENT: _environment(main_pid, proc, server.environment),
        **server.files,
    }
    return Plan(
        name=params["name"],
        url=f"http://{HOST}:{params['port']}",
        port=params["port"],
        stores=stores,
        default_store=default,
        files=files,
        links=server.links,
        command=server.command,
        properties=_properties(params, directory, stores),
        sources=[params["config_file"], _config_directory(params), *server.sources],
    )


def _server(running: Running, params: Parameters, directory: Path, main_pid: int, proc: str) -> _uwsgi.Server:
    words = _proc_words(main_pid, "cmdline", proc)
    if not params["command"] and _uwsgi.is_uwsgi(words):
        read = _uwsgi.ConfigFiles(
            params["config_file"], _config_directory(params), _paste_file(running, params), directory / CONFIGURATION
        )
        return _uwsgi.server(words, f"{HOST}:{params['port']}", params["workers"], read)
    program = params["command"] or _program(words)
    return _uwsgi.Server([*program, *_config_arguments(params, directory / CONFIGURATION)])


def _stores(running: Running, params: Parameters) -> tuple[dict[str, str], str]:
    named = params["without"] or params["only"]
    doing = f"deriving a configuration {_difference_in_words(params)}"
    if running.layout != MULTI:
        form = "is in single-store form" if running.layout else "does not exist"
        raise GlanceError(
            doing, answer=f"the configuration of the node {form}", remedy="give Glance several stores first"
        )
    if named not in running.stores:
        raise GlanceError(
            doing,
            answer=f"the node's Glance has the stores {', '.join(running.stores)}",
            remedy="give without or only the name of one of them",
        )
    stores = {name: store.type for name, store in running.stores.items() if (name == named) == bool(params["only"])}
    wanted = params["default_store"] or (next(iter(stores)) if len(stores) == 1 else running.default_store)
    if wanted not in stores:
        raise GlanceError(
            doing,
            answer=f"{wanted!r} cannot be the default store; left are: {', '.join(stores) or 'none'}",
            remedy="give default_store the name of one of them",
        )
    return stores, wanted


def _difference_in_words(params: Parameters) -> str:
    return f"without the store {params['without']}" if params["without"] else f"with the store {params['only']} alone"


def _configuration(running: Running, stores: dict[str, str], default: str, params: Parameters, directory: Path) -> str:
    # Read last, so that it wins. It repeats nothing of the node's configuration, and so holds no secret.
    paste = _paste_file(running, params)
    sections: dict[str, dict[str, t.Any]] = {
        "DEFAULT": {
            "enabled_backends": ", ".join(f"{name}:{kind}" for name, kind in stores.items()),
            "bind_host": HOST,
            "bind_port": params["port"],
            "workers": params["workers"],
            "cert_file": "",
            "key_file": "",
            "log_file": "",
            "log_dir": "",
            "log_config_append": "",
            "use_syslog": "false",
            "use_journal": "false",
            "use_stderr": "true",
        },
        "glance_store": {"default_backend": default},
        # Its name would follow from that of the last file.
        "paste_deploy": {"config_file": paste, "flavor": "keystone"},
        "oslo_concurrency": {"lock_path": directory / "locks"},
        "os_glance_staging_store": {"filesystem_store_datadir": directory / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": directory / "tasks"},
    }
    lines = ["# What differs from the configuration of this node's Glance. Written and removed by store_reader."]
    for section, options in sections.items():
        lines += ["", f"[{section}]", *(f"{name} = {value}".rstrip() for name, value in options.items())]
    return "\n".join(lines) + "\n"


def _paste_file(running: Running, params: Parameters) -> str:
    return str(params["paste_file"] or running.paste or f"{os.path.splitext(params['config_file'])[0]}-paste.ini")


def _config_directory(params: Parameters) -> str:
    return str(params["config_directory"] or f"{params['config_file']}.d")


def _config_arguments(params: Parameters, own: Path) -> list[str]:
    directory = _config_directory(params)
    further = ["--config-dir", directory] if os.path.isdir(directory) else []
    return ["--config-file", params["config_file"], *further, "--config-file", str(own)]


def _properties(params: Parameters, directory: Path, stores: dict[str, str]) -> list[str]:
    inner = _CINDER_SANDBOX if "cinder" in stores.values() else _STRICT_SANDBOX
    return [
        f"Description=Glance {_difference_in_words(params)}, to read images back",
        "Type=exec",
        f"User={params['user']}",
        "Restart=no",
        "TimeoutStopSec=10",
        f"RuntimeMaxSec={params['lifetime']}",
        f"EnvironmentFile={directory / ENVIRONMENT}",
        *_SANDBOX,
        *inner,
        "ReadWritePaths=" + " ".join(str(directory / name) for name in WRITABLE),
    ]


def _program(words: list[str]) -> list[str]:
    """Return how the node's own glance-api was started, up to its first option."""
    options = [number for number, word in enumerate(words) if word.startswith("-")]
    program = words[: options[0]] if options else words
    if not program or os.path.basename(program[-1]) != "glance-api":
        raise GlanceError(
            "finding the program of the node's Glance",
            answer=f"the main process of the service is {program[-1]!r}" if program else "the service does not run",
            remedy="start it, or give command the command that starts glance-api, without its options",
        )
    return program


def _environment(main_pid: int, proc: str, further: dict[str, str]) -> str:
    pairs = [word.partition("=") for word in _proc_words(main_pid, "environ", proc)]
    found = {name: value for name, _equals, value in pairs if name not in _OWN_ENVIRONMENT}
    return "".join(f'{name}="{_quoted(value)}"\n' for name, value in sorted({**found, **further}.items()))


def _quoted(value: str) -> str:
    for character in '\\"$`':
        value = value.replace(character, f"\\{character}")
    return value


def _proc_words(pid: int, name: str, proc: str) -> list[str]:
    if not pid:
        return []
    try:
        content = Path(proc, str(pid), name).read_bytes()
    except OSError:
        return []
    return [word.decode(errors="surrogateescape") for word in content.split(b"\0") if word]


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _target(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _refuse_used_port(port: int) -> None:
    with socket.socket() as listener:
        # As Glance does: connections that ended a moment ago are not in the way.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            raise GlanceError(
                f"listening on {HOST}:{port}",
                answer=error.strerror or str(error),
                cause="another program uses the port" if taken else "",
                remedy=f"give another port; `ss -ltnp sport = :{port}` shows who uses this one" if taken else "",
            ) from error


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise GlanceError(
            f"looking for the user {user!r} of Glance",
            answer="there is none on this node",
            remedy="give user the name of the user that Glance runs as",
        ) from None


def _own(path: Path, uid: int, gid: int) -> None:
    # Only root can; the group of the user's own is what it has anyway.
    if os.geteuid() == 0:
        os.chown(path, uid, gid)


def result(wanted: Plan) -> Parameters:
    """Return what the module tells about a reader."""
    return {
        "unit": wanted.unit,
        "url": wanted.url,
        "stores": list(wanted.stores),
        "default_store": wanted.default_store,
        "command": wanted.command,
    }


def run(
    params: Parameters,
    systemd: Systemd,
    execute: Run,
    check_mode: bool,
    place: str = PLACE,
) -> Parameters:
    """Start or stop a reader, and return the module's result.

    :raises GlanceError: when that is impossible or fails.
    """
    reader = Reader(systemd, execute, place)
    name = params["name"]
    if params["state"] == "stopped":
        difference = reader.stop_difference(name)
        if difference.changed and not check_mode:
            reader.stop(name)
        return {"changed": difference.changed, "diff": difference.as_diff(), "unit": unit_name(name)}
    wanted = plan(params, systemd.show(params["service"]).pid, place)
    difference = reader.start_difference(wanted)
    if not check_mode:
        if difference.changed:
            reader.start(wanted, params["user"], params["wait_timeout"])
        else:
            reader.wait(wanted, params["wait_timeout"])
    return {"changed": difference.changed, "diff": difference.as_diff(), **result(wanted)}
