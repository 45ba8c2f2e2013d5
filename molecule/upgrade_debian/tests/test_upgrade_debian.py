# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""New controllers of Debian 13 beside those of Debian 12: mixed for a while, with the schema expanded, then contracted.

The tests build on each other, in the order of the file.
"""

from __future__ import annotations

import typing as t

import pytest
from bed import Bed
from images import Images, data, sha512
from playbook import Playbook, refused

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-9"]

OLD, NEW = "molecule-controller-9", "molecule-controller-10"
ADDRESSES = ["10.92.93.19", "10.92.93.24"]
BOTH = {"glance_hosts": "glance_both", "glance_upgrade_skip_releases": True}
COMING = {"glance_hosts": "glance_coming"}
DIRECTORY = "/var/backups/glance"
DUMP = f"{DIRECTORY}/glance_both-zed-epoxy.sql.gz"
REVISIONS = "mariadb --batch --skip-column-names --execute 'SELECT version_num FROM glance_both.alembic_version'"


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, ADDRESSES)


@pytest.fixture(scope="module")
def bed() -> Bed:
    return Bed("glance_coming")


def revisions(bed: Bed) -> list[str]:
    """Return what the database has recorded."""
    return sorted(bed.on(bed.node("backing"), REVISIONS).split())


def test_zed_is_not_upgraded_to_epoxy_unasked(upgrade: Playbook) -> None:
    outcome = upgrade.run(variables={"glance_hosts": "glance_both"})
    refused(outcome, "GLS-501", "zed would be upgraded to epoxy", "upgrade to antelope first, then to caracal")


def test_a_new_controller_joins(upgrade: Playbook, images: Images, bed: Bed) -> None:
    bed.on(NEW, f"install -d -m 0750 {DIRECTORY}")
    outcome = upgrade.run(variables=BOTH)
    assert outcome.status == 0, outcome.text
    assert bed.on(NEW, f"stat --format %a {DIRECTORY}").strip() == "750"
    assert f"dump: {DUMP} on {OLD}" in outcome.text
    assert f"GLS-505 {OLD}: runs 25.1.0 (zed)" in outcome.text
    assert revisions(bed) == ["2024_1_expand01", "wallaby_contract01"]
    content = data()
    with images.uploaded(content, "local") as image:
        assert images.digests(image["id"]) == {sha512(content)}


def test_again_nothing_is_changed(upgrade: Playbook, bed: Bed) -> None:
    before = bed.on(OLD, f"sha256sum {DIRECTORY}/*")
    outcome = upgrade.run(variables=BOTH)
    assert outcome.status == 0, outcome.text
    assert outcome.hosts[OLD]["changed"] == 0, outcome.text
    # The schema is expanded by now: what is dumped would be no way back any more.
    assert bed.on(OLD, f"sha256sum {DIRECTORY}/*") == before
    assert f"dump: {DUMP} on {OLD}, made 20" in outcome.unfolded


def test_a_part_of_the_controllers_makes_no_dump_of_what_is_expanded(upgrade: Playbook, bed: Bed) -> None:
    outcome = upgrade.run("--limit", NEW, variables=BOTH)
    assert outcome.status == 0, outcome.text
    assert f"dump: {DUMP} on {OLD}, made 20" in outcome.unfolded
    assert bed.on(NEW, f"ls {DIRECTORY}").split() == []


def test_the_old_controller_is_handed_over(host: Host, upgrade: Playbook) -> None:
    outcome = upgrade.run(variables={**BOTH, "glance_upgrade_hand_over": OLD})
    assert outcome.status == 0, outcome.text
    unit = host.run("systemctl is-active glance-api; systemctl is-enabled glance-api")
    assert unit.stdout.split() == ["inactive", "masked"]
    assert f"{OLD} is out of service, stopped and masked" in outcome.text


def test_without_the_old_controller_the_schema_is_contracted(upgrade: Playbook, bed: Bed) -> None:
    # Somebody else has taken it out of service, and gets it back that way.
    disabled = "/etc/glance/healthcheck_disable"
    bed.on(NEW, f"touch {disabled}")
    outcome = upgrade.run(variables=COMING)
    assert outcome.status == 0, outcome.text
    assert bed.on(NEW, f"ls {disabled} && rm {disabled}").strip() == disabled
    assert revisions(bed) == ["2024_1_contract01"]
    assert "no controller that could be asked has one" in outcome.unfolded
    again = upgrade.run(variables=COMING)
    assert {counts["changed"] for counts in again.hosts.values()} == {0}, again.text
