# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""An installation from source: the way to another version and back, and what is refused before anything changes."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from images import Images, data, sha512
from playbook import Outcome, Playbook, refused

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-3"]

ADDRESSES = ["10.92.93.13", "10.92.93.14"]
UNIT = "glance-api.service"
CURRENT = "/opt/glance/current"
VARIABLES = {"glance_hosts": "glance_source"}
EARLIER = {
    **VARIABLES,
    "glance_source_version": "30.2.0",
    "glance_source_constraints": str(Path(__file__).parents[1] / "files" / "constraints-30.txt"),
}
TIMEOUT = 1500


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    """Return the playbook, with the time that pip may take."""
    return Playbook(tmp_path, timeout=TIMEOUT)


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, ADDRESSES)


def deploy(playbook: Playbook, variables: dict[str, t.Any]) -> Outcome:
    """Run the playbook, and check that it went well."""
    outcome = playbook.run(variables=variables)
    assert outcome.status == 0, outcome.text
    return outcome


def serving(host: Host) -> str:
    """Return the environment of the processes that serve, all of them, which is the one that the link names."""
    main = host.check_output("systemctl show --value --property MainPID %s", UNIT)
    processes = [main, *host.check_output("pgrep --parent %s uwsgi", main).split()]
    programs = {host.check_output("readlink /proc/%s/exe", process) for process in processes}
    environment = host.check_output("readlink %s", CURRENT)
    assert programs == {f"{environment}/bin/uwsgi"}
    return environment


def test_another_version_and_back(host: Host, playbook: Playbook, images: Images) -> None:
    content = data()
    with images.uploaded(content, "local") as image:
        deploy(playbook, EARLIER)
        assert serving(host).startswith("/opt/glance/30.2.0-")
        assert images.digests(image["id"]) == {sha512(content)}
        with images.uploaded(content, "local") as earlier:
            made = host.check_output("stat --format %%Y /opt/glance/33.0.0-*/complete.json")
            deploy(playbook, VARIABLES)
            assert serving(host).startswith("/opt/glance/33.0.0-")
            assert host.check_output("stat --format %%Y /opt/glance/33.0.0-*/complete.json") == made
            assert images.digests(earlier["id"]) == {sha512(content)}
        assert images.digests(image["id"]) == {sha512(content)}
    again = deploy(playbook, VARIABLES)
    assert {counts["changed"] for counts in again.hosts.values()} == {0}, again.text


def test_constraints_that_are_not_there(playbook: Playbook) -> None:
    changes = {"glance_source_constraints": "/no/such"}
    refused(playbook.run(variables={**VARIABLES, **changes}), "GLS-041", "/no/such", failed=2)


def test_version_of_no_release(playbook: Playbook) -> None:
    refused(playbook.run(variables={**VARIABLES, "glance_source_version": "99.0.0"}), "GLS-040", "99.0.0", failed=2)


def test_version_that_no_index_has(host: Host, playbook: Playbook) -> None:
    process = host.check_output("systemctl show --value --property MainPID %s", UNIT)
    outcome = playbook.run(
        "--limit", "molecule-controller-3", variables={**VARIABLES, "glance_source_version": "33.99.0"}
    )
    refused(outcome, "glance==33.99.0", "a version that no index has")
    assert host.check_output("systemctl show --value --property MainPID %s", UNIT) == process
    assert host.check_output("readlink %s", CURRENT).startswith("/opt/glance/33.0.0-")
