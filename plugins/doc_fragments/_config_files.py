# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The options that name the configuration of a node's Glance."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  config_file:
    description:
      - The configuration of the node's Glance.
    type: path
    default: /etc/glance/glance-api.conf
  config_directory:
    description:
      - The directory with further files of the configuration. By default O(config_file) with C(.d) behind it.
    type: path
"""

    SERVICE = r"""
options:
  service:
    description:
      - The unit of the node's Glance.
    type: str
    default: glance-api.service
"""
