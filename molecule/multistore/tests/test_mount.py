# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A store on a mounted file system: no image lands on the disk beneath its mount point."""

from __future__ import annotations

import typing as t

import pytest
from playbook import variables_of, with_store

if t.TYPE_CHECKING:
    from playbook import Playbook
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-2"]

MOUNT = "srv-mounted.mount"
UNIT = "glance-api.service"


def test_mount_is_ordered_before_glance(host: Host) -> None:
    assert host.service(MOUNT).is_running
    assert host.service(MOUNT).is_enabled
    for relation in ("Requires", "After"):
        assert MOUNT in host.check_output(f"systemctl show --value --property {relation} {UNIT}").split()


@pytest.fixture
def unmounted(host: Host) -> t.Iterator[None]:
    """Take the file system away, and let it not be mounted again until the end of the test."""
    host.check_output(f"systemctl stop {UNIT} {MOUNT}")
    host.check_output(f"sed -i s/^Type=.*/Type=broken/ /etc/systemd/system/{MOUNT}")
    host.check_output(f"sed -i s/^Options=.*/Options=defaults/ /etc/systemd/system/{MOUNT} && systemctl daemon-reload")
    yield
    host.check_output(f"sed -i s/^Type=.*/Type=none/ /etc/systemd/system/{MOUNT}")
    host.check_output(f"sed -i s/^Options=.*/Options=bind/ /etc/systemd/system/{MOUNT} && systemctl daemon-reload")
    host.check_output(f"systemctl start {UNIT}")
    host.check_output("timeout 60 sh -c 'until ss -ltn | grep -q :9292; do sleep 0.5; done'")


@pytest.mark.usefixtures("unmounted")
def test_without_its_file_system_glance_does_not_start(host: Host) -> None:
    assert host.run(f"systemctl start {UNIT}").rc != 0
    assert not host.service(UNIT).is_running
    assert host.run("runuser --user glance -- mkdir /srv/mounted/of-multistore").rc != 0
    assert host.check_output("find /srv/mounted -mindepth 1") == ""


def test_another_source_does_not_wait_for_the_next_boot(playbook: Playbook, host: Host) -> None:
    variables = variables_of(__file__)
    mount = {**variables["glance_stores"]["mounted"]["mount"], "source": "/srv"}
    outcome = playbook.run(variables=with_store(variables, "mounted", mount=mount))
    assert outcome.status != 0, outcome.text
    (message,) = outcome.messages
    for word in (
        "GLS-166",
        "/srv/mounted",
        f"systemctl stop '{MOUNT}'",
        "molecule-controller-1",
        "molecule-controller-2",
    ):
        assert word in message
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
    assert "What=/srv/shared" in host.file(f"/etc/systemd/system/{MOUNT}").content_string
