# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What the modules share that move images between stores."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  endpoints:
    description:
      - The URL of each controller's own API, by the controller's name. What there is to do is spread over them.
    type: dict
    required: true
  journal:
    description:
      - The directory of the journal.
    type: path
    required: true
"""

    PROGRESS = r"""
options:
  progress_file:
    description:
      - A file that the module writes how far it is into. The action plugin sets it, and shows what is in it.
    type: path
  watched_processes:
    description:
      - The ids of processes without which the module stops. The action plugin sets them, so that nothing goes on when
        Ansible is killed.
    type: list
    elements: int
attributes:
  action:
    description: Has an action plugin, which shows how far the module is while it works on the control node.
    support: full
"""
