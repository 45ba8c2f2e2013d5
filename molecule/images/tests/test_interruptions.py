# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What comes between the beginning and the end of an upload: nothing is left, and the next run completes it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from catalog import PREFIX, Catalog, Entry, changes, sha512
from images import MIB, wait_until
from playbook import Playbook, press_until_heard

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from testinfra.host import Host
    from web import Web

testinfra_hosts = ["ssh://molecule-controller-1"]

Make = t.Callable[..., str]


def slow(web: Web, name: str = "disk") -> Entry:
    """Return an image whose upload takes a while."""
    return {"name": f"{PREFIX}slow", "source": f"{web.url}/slow/{name}"}


def completed(catalog: Catalog, entry: Entry, path: str, outcome: str = "created") -> None:
    """Run again, and look whether the image is whole."""
    again = catalog.keep([entry])
    assert again.status == 0, again.text
    (image,) = catalog.all()
    assert (image["status"], image["os_hash_value"]) == ("active", sha512(path)), outcome
    assert catalog.digest(image["id"]) == sha512(path)


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_glance_is_restarted(host: Host, catalog: Catalog, make: Make, web: Web, how: str) -> None:
    path = make("disk", 64 * MIB)
    web.seconds = 20
    command = "restart" if how == "restart" else "kill --signal=KILL"
    web.meanwhile = lambda: host.check_output(f"systemctl {command} glance-api") and None
    outcome = catalog.keep([slow(web)])
    if outcome.status == 0:
        # A restart in order lets an upload end first.
        assert how == "restart"
    else:
        assert "nothing of it was left in Glance" in outcome.text
        assert catalog.all() == []
    completed(catalog, slow(web), path)


def test_ctrl_c(catalog: Catalog, make: Make, web: Web, tmp_path: Path) -> None:
    path = make("disk", 64 * MIB)
    web.seconds = 40
    playbook = Playbook(tmp_path, "openstack_ops.glance.images")
    process = playbook.start(variables={"glance_images": [slow(web)]})
    web.meanwhile = lambda: press_until_heard(process)
    text = process.communicate(timeout=120)[0]
    assert process.returncode != 0
    # A plain log shows how far it is.
    assert "of 64 MiB moved" in text
    wait_until(lambda: catalog.all() == [], "the cleaning up", 30)
    web.seconds = 1
    completed(catalog, slow(web), path)


@pytest.fixture
def uploader(cloud: Connection) -> t.Iterator[dict[str, str]]:
    """Return an administrator of the tests' own, whose tokens nobody else uses."""
    project = cloud.identity.find_project("admin")
    password = secrets.token_urlsafe(16)
    user = cloud.identity.create_user(name="images-uploader", password=password, domain_id="default")
    cloud.identity.assign_project_role_to_user(project, user, cloud.identity.find_role("admin"))
    yield {"id": user.id, "username": "images-uploader", "password": password}
    cloud.identity.delete_user(user)


def revoke(cloud: Connection, uploader: dict[str, str], memcached: str) -> None:
    """Make every token of the user worthless: with the same password once more, and without anybody's cache."""
    cloud.identity.patch(f"/users/{uploader['id']}", json={"user": {"password": uploader["password"]}})
    with contextlib.closing(socket.create_connection((memcached, 11211), timeout=10)) as connection:
        connection.sendall(b"flush_all\r\n")
        assert connection.recv(100) == b"OK\r\n"
    # Keystone counts in seconds: what it issues in the same one is worthless, too.
    time.sleep(1.1)


@pytest.mark.parametrize("manner", ["held", "slow"])
def test_the_token_becomes_worthless(
    cloud: Connection, catalog: Catalog, make: Make, web: Web, uploader: dict[str, str], manner: str
) -> None:
    path = make("disk", 16 * MIB)
    auth_url = cloud.config.get_auth_args()["auth_url"]
    memcached = auth_url.split("/")[2].partition(":")[0]
    web.meanwhile = lambda: revoke(cloud, uploader, memcached)
    if manner == "held":
        # An image without data: the next request with the token is the upload itself.
        cloud.image.post("/images", json={"name": f"{PREFIX}image", "disk_format": "raw", "container_format": "bare"})
    auth = {
        "auth_url": auth_url,
        **{name: uploader[name] for name in ("username", "password")},
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    listed = [{"name": f"{PREFIX}image", "source": f"{web.url}/{manner}/disk"}]
    outcome = catalog.keep(listed, _glance_image_auth={"auth": auth, "region_name": cloud.config.get_region_name()})
    assert outcome.status == 0, outcome.text
    assert changes(outcome) == 1
    (image,) = catalog.all()
    assert image["os_hash_value"] == sha512(path)
    # The end is looked at by itself, and what was refused with the old token is sent once more.
    assert web.requests.count(f"/{manner}/disk") == (3 if manner == "held" else 2)


@pytest.fixture
def quota(tmp_path: Path) -> t.Iterator[None]:
    """Let each user have a few MiB."""
    site = Playbook(tmp_path)
    limited = site.run(variables={"glance_config": {"DEFAULT": {"user_storage_quota": "4MB"}}})
    assert limited.status == 0, limited.text
    yield
    unlimited = site.run()
    assert unlimited.status == 0, unlimited.text


@pytest.mark.usefixtures("quota")
def test_the_quota_is_used_up(catalog: Catalog, make: Make) -> None:
    listed = [
        {"name": f"{PREFIX}small", "source": make("small", MIB)},
        {"name": f"{PREFIX}large", "source": make("large", 8 * MIB)},
    ]
    outcome = catalog.keep(listed, glance_images_transfers=1)
    assert outcome.status != 0
    text = " ".join(outcome.text.split())
    assert "a full store, a quota, or an image larger than image_size_cap" in text
    assert "nothing of it was left in Glance" in text
    assert [image["name"] for image in catalog.all()] == [f"{PREFIX}small"]


def kill_all(process: int) -> None:
    """Kill a process with its descendants: Ansible gives its workers sessions of their own."""
    children = subprocess.run(["pgrep", "--parent", str(process)], capture_output=True, text=True, check=False)
    os.kill(process, signal.SIGKILL)
    for child in children.stdout.split():
        kill_all(int(child))


def test_the_process_is_killed(catalog: Catalog, make: Make, web: Web, tmp_path: Path) -> None:
    path = make("disk", 64 * MIB)
    web.seconds = 20
    playbook = Playbook(tmp_path, "openstack_ops.glance.images")
    process = playbook.start(variables={"glance_images": [slow(web)]})
    web.meanwhile = lambda: kill_all(process.pid)
    process.communicate(timeout=120)
    # Glance itself sees that the connection is gone.
    wait_until(lambda: [image["status"] for image in catalog.all()] == ["queued"], "what Glance does about it", 60)
    (left,) = catalog.all()
    web.seconds = 1
    completed(catalog, slow(web), path, "filled")
    assert [image["id"] for image in catalog.all()] == [left["id"]]
