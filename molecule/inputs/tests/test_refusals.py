# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""One thing wrong a run: one message that says what, and nothing changed."""

from __future__ import annotations

import http.server
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest
from playbook import refused

if t.TYPE_CHECKING:
    from playbook import Playbook
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-1"]

Variables = dict[str, t.Any]
SWIFT_AUTH = {"auth_address": "http://swift.example.org:5000/v3", "user": "service:glance", "key": "secret"}


def within(inventory: Variables, name: str, **changes: t.Any) -> Variables:
    """Return a variable of the inventory with some of its keys changed; None takes a key out."""
    value = {**inventory[name], **changes}
    return {name: {key: item for key, item in value.items() if item is not None}}


def stores(**by_name: Variables) -> Variables:
    return {"glance_stores": by_name, "glance_default_store": next(iter(by_name))}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param({"glance_databse": {}}, ["glance_databse", "glance_database"], id="mistyped variable"),
        pytest.param({"glance_release": "zedd"}, ["glance_release", "zedd"], id="unknown release"),
        pytest.param(stores(local={"type": "file"}), ["local", "datadir"], id="file store without a directory"),
        pytest.param(stores(objects={"type": "swift"}), ["objects", "auth"], id="swift store without credentials"),
        pytest.param(
            stores(objects={"type": "swift", "contaner": "glance", "auth": SWIFT_AUTH}),
            ["contaner", "container"],
            id="mistyped option of a store",
        ),
        pytest.param({"glance_default_store": "lokal"}, ["glance_default_store", "lokal", "local"], id="no such store"),
        pytest.param(stores(local={"type": "fiel", "datadir": "/srv"}), ["fiel", "file"], id="unknown store type"),
        pytest.param(
            {"glance_stores": {"my store": {"type": "file", "datadir": "/srv/x"}}, "glance_default_store": "my store"},
            ["GLS-015", "my store"],
            id="store with a space in its name",
        ),
        pytest.param(
            stores(os_glance_x={"type": "file", "datadir": "/srv/x"}),
            ["GLS-015", "os_glance_x"],
            id="store with a name that Glance keeps for itself",
        ),
        pytest.param(stores(old={"type": "sheepdog"}), ["sheepdog", "ussuri"], id="store type that was removed"),
        pytest.param(
            stores(
                one={"type": "file", "datadir": "/srv/glance"},
                two={"type": "file", "datadir": "/srv/x/../glance/"},
            ),
            ["one", "two", "/srv/glance"],
            id="two stores in one directory",
        ),
    ],
)
def test_variables_that_cannot_work(playbook: Playbook, variables: Variables, words: list[str]) -> None:
    refused(playbook.run(variables=variables), *words)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        pytest.param("glance_database", {"password": None}, ["glance_database.password"], id="no database password"),
        pytest.param("glance_keystone", {"service_password": None}, ["service_password"], id="no service password"),
        pytest.param("glance_database", {"port": 3999}, ["database", "3999"], id="unreachable database"),
        pytest.param("glance_keystone", {"auth_url": "http://127.0.0.1:5999"}, ["5999"], id="unreachable Keystone"),
        pytest.param("glance_database_admin", {"login_password": "wrong"}, ["testbed_admin"], id="database admin"),
    ],
)
def test_dictionaries_with_a_wrong_key(
    playbook: Playbook, inventory: Variables, name: str, changes: Variables, words: list[str]
) -> None:
    refused(playbook.run(variables=within(inventory, name, **changes)), *words)


def test_unreachable_memcached(playbook: Playbook) -> None:
    refused(playbook.run(variables={"glance_memcached_servers": ["127.0.0.1:11999"]}), "127.0.0.1:11999")


def test_wrong_password_of_the_cloud_administrator(playbook: Playbook, inventory: Variables) -> None:
    auth = {**inventory["glance_keystone"]["auth"], "password": "wrong"}
    outcome = playbook.run(variables=within(inventory, "glance_keystone", auth=auth))
    refused(outcome, "control node", "401")


def test_everything_wrong_is_told_at_once(playbook: Playbook, inventory: Variables) -> None:
    variables = within(inventory, "glance_database", port=3999)
    outcome = playbook.run(variables={**variables, "glance_memcached_servers": ["127.0.0.1:11999"]})
    refused(outcome, "3999", "11999", "3 problem(s)")


def test_directory_that_glance_cannot_write(playbook: Playbook, host: Host) -> None:
    host.run_expect([0], "install --directory --mode 0700 --owner root /srv/forbidden")
    try:
        refused(playbook.run(variables=stores(local={"type": "file", "datadir": "/srv/forbidden"})), "/srv/forbidden")
    finally:
        host.run_expect([0], "rmdir /srv/forbidden")


def test_port_that_somebody_else_holds(playbook: Playbook, host: Host) -> None:
    host.run_expect([0], "systemd-run --unit port-holder python3 -m http.server 9393")
    try:
        host.run_expect([0], "timeout 20 sh -c 'until ss -ltn | grep -q :9393; do sleep 0.2; done'")
        refused(playbook.run(variables={"glance_bind_port": 9393}), "9393", "python3")
    finally:
        host.run_expect([0], "systemctl stop port-holder")


def test_option_that_the_release_does_not_know(playbook: Playbook) -> None:
    outcome = playbook.run(variables={"glance_config": {"DEFAULT": {"wrokers": 2}, "database": {"max_pool_size": "x"}}})
    refused(outcome, "wrokers", "workers", "max_pool_size")


@pytest.fixture(scope="module")
def qcow2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("images")
    raw = directory / "disk.raw"
    raw.write_bytes(b"glance" * 1024 * 1024)
    path = directory / "disk.qcow2"
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(path)], check=True, timeout=60)
    return path


def image(source: object, **options: t.Any) -> Variables:
    return {"glance_images": [{"name": "an image", "source": str(source), **options}]}


def test_image_file_that_is_missing(playbook: Playbook, tmp_path: Path) -> None:
    refused(playbook.run(variables=image(tmp_path / "none.qcow2")), "an image", "none.qcow2")


def test_image_file_that_is_empty(playbook: Playbook, tmp_path: Path) -> None:
    (tmp_path / "empty.raw").touch()
    refused(playbook.run(variables=image(tmp_path / "empty.raw")), "an image", "empty")


def test_image_file_that_is_truncated(playbook: Playbook, tmp_path: Path, qcow2: Path) -> None:
    (tmp_path / "half.qcow2").write_bytes(qcow2.read_bytes()[: qcow2.stat().st_size // 2])
    refused(playbook.run(variables=image(tmp_path / "half.qcow2")), "an image", "truncated")


def test_image_file_of_another_format(playbook: Playbook, qcow2: Path) -> None:
    refused(playbook.run(variables=image(qcow2, disk_format="vmdk")), "an image", "vmdk", "qcow2")


def test_image_file_with_another_checksum(playbook: Playbook, qcow2: Path) -> None:
    refused(playbook.run(variables=image(qcow2, checksum=f"sha256:{'0' * 64}")), "an image", "sha256")


def test_image_url_that_answers_404(playbook: Playbook) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        server.RequestHandlerClass.do_GET = lambda handler: handler.send_error(404)  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/none.qcow2"
        outcome = playbook.run(variables=image(url))
        server.shutdown()
    refused(outcome, "an image", "404", url)
