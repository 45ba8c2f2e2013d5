# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Shows how far the uploads of many images are, while the module image_catalog works on the control node."""

from __future__ import annotations

from ansible_collections.openstack_ops.glance.plugins.action.image import ActionModule as ImageAction


class ActionModule(ImageAction):
    """Runs the module as any other, and speaks meanwhile."""

    @property
    def about(self) -> str:
        """What the lines are about."""
        return "images"
