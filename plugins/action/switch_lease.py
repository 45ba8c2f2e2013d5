# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Says who this run is, and whether another one still lives, for the module switch_lease."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_lease import (
    holder_of,
    is_alive,
    is_same,
    refusal,
)


class ActionModule(ActionBase):
    """Runs the module on the controller; once more, when whoever has the lease has ended."""

    _requires_connection = True

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        """Run the module."""
        super().run(tmp, task_vars)
        # The parent of this worker is the run of ansible-playbook itself.
        own = holder_of(os.getppid(), str(self._task.args.get("what", "")))
        args = {**self._task.args, "holder": own}
        result = self._module(args, task_vars)
        found = result.get("holder") or {}
        if self._task.args.get("state") == "released" or not found or is_same(found, own):
            return result
        if self._may_be_taken(found):
            if self._task.check_mode:
                return result
            result = self._module({**args, "over": found}, task_vars)
            found = result.get("holder") or found
        if is_same(found, own) or result.get("failed"):
            return result
        variable = str(self._task.args.get("variable", "glance_switch_take_over"))
        return {**result, "failed": True, "msg": str(refusal(found, str(result["heard"]), variable))}

    def _may_be_taken(self, found: dict[str, t.Any]) -> bool:
        alive = is_alive(found)
        return alive is False or (alive is None and boolean(self._task.args.get("take_over", False)))

    def _module(self, args: dict[str, t.Any], task_vars: t.Optional[dict[str, t.Any]]) -> dict[str, t.Any]:
        return dict(self._execute_module("openstack_ops.glance.switch_lease", module_args=args, task_vars=task_vars))
