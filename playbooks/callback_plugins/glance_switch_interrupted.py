# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Tells, after Ctrl-C, how far the switch is and how to go on.

Ansible loads it with the playbooks beside which it lies, without any setting. Of all plugins of the collection, it
alone lives in the process to which the terminal belongs. No task runs after Ctrl-C, but what Python does at its end.
"""

from __future__ import annotations

import atexit
import contextlib
import signal
import typing as t

from ansible.plugins.callback import CallbackBase
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_interrupted

DOCUMENTATION = r"""
name: glance_switch_interrupted
type: aggregate
short_description: Tell after Ctrl-C how far a switch between two stores is
version_added: 0.1.0
description:
  - Writes the reports of the switch, and tells how far it is and how to go on, when the run ends before its recap.
author: The openstack_ops.glance developers (@openstack-ops)
"""


class CallbackModule(CallbackBase):
    """Remembers the run that the role has told of, until Ansible has come to its end by itself."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "glance_switch_interrupted"
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self) -> None:
        super().__init__()
        self._run: dict[str, t.Any] = {}
        atexit.register(self._tell)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Hear of the run."""
        facts = result._result.get("ansible_facts") or {}
        self._run = facts.get(_switch_interrupted.FACT, self._run)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Hear that it has ended: what there was to tell, the role has told."""
        self._run = {}

    def _tell(self) -> None:
        if not self._run:
            return
        # Whoever does not want to hear it presses Ctrl-C once more.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # The terminal may be gone, too.
        with contextlib.suppress(OSError):
            _switch_interrupted.tell(self._run, lambda line: self._display.display(line, stderr=True))
