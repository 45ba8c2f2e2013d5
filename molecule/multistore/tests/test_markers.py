# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the controllers leave for each other in a directory that they share."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from playbook import Playbook
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-1"]

FAILING = "{{ 'no dictionary' if inventory_hostname == 'molecule-controller-2' else {} }}"


def test_nothing_is_left_when_another_controller_fails(playbook: Playbook, host: Host) -> None:
    outcome = playbook.run("--tags", "stores", variables={"_glance_api_environment": FAILING})
    assert outcome.hosts["molecule-controller-2"]["failed"] == 1, outcome.text
    # It was there, for otherwise there would have been nothing to remove.
    assert "ok: [molecule-controller-1]" in outcome.text.partition("Probe | Remove it]")[2], outcome.text
    assert host.check_output("find /srv/shared -name '.openstack-ops-shared-*'") == ""
