# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Debian 11 has Python 3.9, which newer releases do not run on."""

from __future__ import annotations

import typing as t

from playbook import refused

if t.TYPE_CHECKING:
    from playbook import Playbook


def test_release_that_needs_a_newer_python_is_refused(playbook: Playbook) -> None:
    changes = {"glance_install_method": "source", "glance_source_version": "33.0.0"}
    outcome = playbook.run(variables={"glance_hosts": "glance_debian11", **changes})
    refused(outcome, "GLS-106", "python3 is Python 3.9, and the release needs 3.11 or newer")
