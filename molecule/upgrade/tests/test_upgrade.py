# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""An upgrade from 30.1.0 to 33.0.0: what is refused, a part of the controllers, the way back, and all under users.

The tests build on each other, in the order of the file.
"""

from __future__ import annotations

import os
import signal
import time
import typing as t
from pathlib import Path

from client import Client
from playbook import Outcome, Playbook, refused
from seed import MIB, fifty
from snapshot import compare, snapshot

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from seed import Gardener

CONSTRAINTS = Path(__file__).parents[2] / "source" / "files"
HOSTS = {"glance_hosts": "glance_rolled"}
TARGET = {
    **HOSTS,
    "glance_source_version": "33.0.0",
    "glance_source_constraints": str(CONSTRAINTS / "constraints-33.txt"),
}
# Epoxy to Hibiscus passes Gazpacho, at which the project wants an upgrade to stop.
SKIPPING = {**TARGET, "glance_upgrade_skip_releases": True}
BACK = {**HOSTS, "glance_upgrade_skip_releases": True}
FIRST, SECOND = "molecule-controller-7", "molecule-controller-8"
NOTE = "/var/backups/glance/out-of-service"
DUMP = "/var/backups/glance/glance_rolled-epoxy-hibiscus.sql.gz"


def run(upgrade: Playbook, *arguments: str, variables: dict[str, t.Any], secrets: set[str]) -> Outcome:
    """Run the playbook, and check that it went well and told no secret."""
    outcome = upgrade.run(*arguments, variables=variables)
    assert outcome.status == 0, outcome.text
    assert [secret for secret in secrets if secret in outcome.text] == []
    return outcome


def serving(bed: Bed) -> list[str]:
    """Return which version the processes of each controller are of."""
    shown = "readlink /proc/$(systemctl show --value --property MainPID glance-api)/exe"
    return [bed.on(controller, shown).split("/")[3].partition("-")[0] for controller in bed.controllers]


def left_behind(bed: Bed) -> list[str]:
    """Return what an upgrade must not leave."""
    paths = f"{NOTE} /etc/glance/healthcheck_disable /etc/glance/glance-upgrade.conf /var/backups/glance/*.part"
    return [line for controller in bed.controllers for line in bed.on(controller, f"ls {paths} 2>&- || true").split()]


def test_a_release_that_must_not_be_passed(bed: Bed, upgrade: Playbook) -> None:
    refused(
        upgrade.run(variables=TARGET), "GLS-501", "epoxy would be upgraded to hibiscus", "upgrade to gazpacho first"
    )
    assert serving(bed) == ["30.1.0", "30.1.0"]


def test_a_release_older_than_the_schema(bed: Bed, upgrade: Playbook) -> None:
    outcome = upgrade.run(variables={**HOSTS, "glance_source_version": "25.1.0"})
    refused(outcome, "GLS-205", "2024_1_contract01", "zed")
    assert serving(bed) == ["30.1.0", "30.1.0"]


def test_the_plan(bed: Bed, upgrade: Playbook, secrets: set[str]) -> None:
    outcome = run(upgrade, "--check", variables=SKIPPING, secrets=secrets)
    assert "epoxy to hibiscus" in outcome.text
    assert f"{FIRST} runs 30.1.0 (epoxy): is brought to hibiscus" in outcome.text
    assert DUMP in outcome.text
    assert "Go back" in outcome.text
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
    assert serving(bed) == ["30.1.0", "30.1.0"]
    assert bed.on(FIRST, "ls /opt/glance").count("33.0.0") == 0


def test_a_part_of_the_controllers(bed: Bed, upgrade: Playbook, secrets: set[str]) -> None:
    outcome = run(upgrade, "--limit", FIRST, variables=SKIPPING, secrets=secrets)
    assert f"GLS-505 {SECOND}: runs 30.1.0 (epoxy)" in outcome.text
    assert serving(bed) == ["33.0.0", "30.1.0"]
    assert left_behind(bed) == []


def test_the_way_back(bed: Bed, upgrade: Playbook, secrets: set[str]) -> None:
    run(upgrade, variables=BACK, secrets=secrets)
    assert serving(bed) == ["30.1.0", "30.1.0"]


def kill_at(upgrade: Playbook, task: str) -> str:
    """Start an upgrade, and kill it with all its workers some seconds after a task has begun."""
    process = upgrade.start(variables=SKIPPING)
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if line.startswith("TASK [") and task in line:
            time.sleep(3)
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.wait(60)
    assert process.returncode == -signal.SIGKILL, "".join(seen)
    return "".join(seen)


def test_users_notice_nothing_though_the_run_is_killed(
    bed: Bed, upgrade: Playbook, gardener: Gardener, apis: list[Api], balanced: Api, secrets: set[str]
) -> None:
    bed.wait_until_healthy()
    planted = gardener.plant([plan for plan in fifty() if plan.size < 20 * MIB and not plan.without_hash])
    before = snapshot(apis, [image.image_id for image in planted])
    others = {image.image_id: image.sha512 for image in planted if not image.plan.queued}
    client = Client(balanced, others)
    try:
        with client:
            kill_at(upgrade, "Run glance-api and wait until it answers")
            # What was begun on the controller goes on there for a while; it is out of service.
            assert bed.on(FIRST, f"ls {NOTE}").strip() == NOTE
            again = run(upgrade, variables=SKIPPING, secrets=secrets)
        assert client.tally.failures == []
        assert min(client.tally.uploads, client.tally.downloads, client.tally.deletions) > 20, client.tally
        assert serving(bed) == ["33.0.0", "33.0.0"], again.text
        bed.wait_until_healthy()
        assert left_behind(bed) == []
        assert client.missing(apis) == []
        assert compare(before, snapshot(apis, before)) == []
    finally:
        client.clear()


def test_the_dump(bed: Bed) -> None:
    assert bed.on(FIRST, f"stat --format '%a %U' {DUMP}").strip() == "600 root"
    assert bed.on(FIRST, f"zcat {DUMP} | tail -n 1").startswith("-- Dump completed")
    assert "CREATE TABLE `images`" in bed.on(FIRST, f"zcat {DUMP} | grep 'CREATE TABLE .images. '")


def test_again_nothing_is_changed(upgrade: Playbook, secrets: set[str]) -> None:
    outcome = run(upgrade, variables=SKIPPING, secrets=secrets)
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
    assert "nothing is left to be done" in outcome.text
