# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the deployment has left on the controller."""

from __future__ import annotations

import os
import re
import typing as t

import pytest

if t.TYPE_CHECKING:
    from testinfra.host import Host

# Scenarios on other Debian releases share these tests.
testinfra_hosts = [f"ssh://{os.environ.get('TESTED_CONTROLLER', 'molecule-controller-1')}"]

UNIT = "glance-api.service"


@pytest.mark.parametrize("name", ["glance-api.conf", "glance-image-import.conf"])
def test_configuration_is_readable_by_glance_alone(host: Host, name: str) -> None:
    # The directory of the import filter depends on the server, and Debian brings a file of that name that nobody reads.
    found = host.check_output("grep --recursive --files-with-matches '^# Ansible managed' /etc/glance").split()
    (path,) = (path for path in found if path.endswith(f"/{name}"))
    file = host.file(path)
    assert (file.user, file.group, oct(file.mode)) == ("root", "glance", "0o640")


def test_configuration_that_was_replaced_is_readable_by_glance_alone(host: Host) -> None:
    assert host.check_output("find /etc/glance -type f -perm /o+rwx -name 'glance-api.conf*'") == ""


def test_unit_runs_and_is_enabled(host: Host) -> None:
    unit = host.service(UNIT)
    assert unit.is_running
    assert unit.is_enabled


def test_port_is_open(host: Host) -> None:
    assert host.socket("tcp://0.0.0.0:9292").is_listening


def test_unit_cannot_write_outside_of_its_directories(host: Host) -> None:
    process = host.check_output("systemctl show --value --property MainPID %s", UNIT)
    assert int(process) > 0
    # As root, so that nothing but the sandbox refuses it.
    inside = f"nsenter --target {process} --mount touch"
    refused = host.run(f"{inside} /etc/written-by-glance")
    assert refused.rc != 0
    assert "Read-only file system" in refused.stderr
    host.run_expect([0], f"{inside} /var/lib/glance/images/written-by-test")
    host.run_expect([0], "rm /var/lib/glance/images/written-by-test")


def test_unit_runs_without_privileges(host: Host) -> None:
    process = host.check_output("systemctl show --value --property MainPID %s", UNIT)
    status = dict(re.findall(r"^(\w+):\s+(.*)$", host.file(f"/proc/{process}/status").content_string, re.MULTILINE))
    assert host.check_output("id --user glance") in status["Uid"].split()
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_exposure_of_the_unit_is_low(host: Host) -> None:
    # Its exit status is no 0 whatever it finds; the last line tells.
    report = host.run("systemd-analyze security --no-pager %s", UNIT).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", report)
    assert exposure is not None, report
    assert float(exposure.group(1)) <= 1.5


def test_no_log_holds_a_secret(host: Host, secrets: set[str]) -> None:
    logs = host.check_output("cat /var/log/glance/*.log; journalctl --no-pager")
    assert "glance" in logs
    assert not [secret for secret in secrets if secret in logs]
