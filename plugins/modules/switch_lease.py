#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Lets one run at a time switch stores or upgrade."""

from __future__ import annotations

DOCUMENTATION = r"""
module: switch_lease
short_description: Let one run at a time switch stores or upgrade
version_added: 0.1.0
description:
  - Takes the right to switch stores or to upgrade for this run of Ansible, by a file on the controller that says who
    has it, and gives it up. While another run has it, the module fails, and tells who that is.
  - The file keeps out whoever begins another switch or upgrade with the same controllers, from whichever control node.
    A run that was started on this control node and has ended, killed or not, keeps nobody out. Whether a run on another
    control node, or in another container, still lives cannot be seen from here; its lease is taken only with
    O(take_over).
options:
  state:
    description:
      - V(held) takes it, V(released) gives it up.
    type: str
    choices: [held, released]
    default: held
  directory:
    description:
      - The directory of the file on the controller. It is made if need be, and refused if root does not own it.
    type: path
    default: /var/lib/glance/switch
  what:
    description:
      - What the run is at, for whoever has to wait for it.
    type: str
    default: ""
  take_over:
    description:
      - Take the lease of a run on another control node too. One that lives on this control node keeps it.
    type: bool
    default: false
  variable:
    description:
      - The variable that sets O(take_over), for the message to whoever has to wait.
    type: str
    default: glance_switch_take_over
  group:
    description:
      - The group that may read the file, by its name.
    type: str
  holder:
    description:
      - Who the run is. The action plugin sets it.
    type: dict
  over:
    description:
      - Whose lease may be taken. The action plugin sets it, when it has seen that the run has ended.
    type: dict
attributes:
  check_mode:
    support: full
    details: Tells who has the lease, and takes nothing.
  diff_mode:
    support: N/A
    details: Who has the lease is no part of the deployment.
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
  action:
    description: Has an action plugin, which knows the processes of the control node.
    support: full
extends_documentation_fragment:
  - openstack_ops.glance._attributes
notes:
  - Never reports a change. The module runs as root.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.switch_journal
"""

EXAMPLES = r"""
- name: Be the only one who switches
  openstack_ops.glance.switch_lease:
    what: local to objects

- name: Let others
  openstack_ops.glance.switch_lease:
    state: released
"""

RETURN = r"""
holder:
  description: Who has the lease now; empty where nobody has it.
  returned: success
  type: dict
  sample:
    host: ops-1
    machine: 9d1f6a0e4c5b4c0ba2c1e64f3a7b8d52/4026531836
    process: 4711
    begun: 1c2b8e5e-0c58-4b0c-a7a5-5a7dbd2c4f0e/123456
    user: alice
    what: local to objects
    since: "2026-11-21T12:00:00Z"
heard:
  description: When something was last written for a switch on this controller.
  returned: success
  type: str
  sample: "2026-11-21T12:34:56Z"
"""

import grp
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_lease import Lease

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
    "directory": {"type": "path", "default": "/var/lib/glance/switch"},
    "what": {"type": "str", "default": ""},
    "take_over": {"type": "bool", "default": False},
    "variable": {"type": "str", "default": "glance_switch_take_over"},
    "group": {"type": "str"},
    "holder": {"type": "dict"},
    "over": {"type": "dict"},
}


def group_id(name: t.Optional[str]) -> int:
    """Return the number of a group; -1 where none was named.

    :raises GlanceError: when there is no such group.
    """
    if name is None:
        return -1
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise GlanceError("taking the lease of the switch", answer=f"there is no group {name}") from None


def main() -> None:
    """Take it, or give it up."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    if params["holder"] is None:
        module.fail_json(msg="holder is missing: the module is used through its action plugin.")
    lease = Lease(params["directory"])
    try:
        heard = lease.heard()
        if module.check_mode:
            holder = lease.holder()
        elif params["state"] == "held":
            holder = lease.take(params["holder"], params["over"], group_id(params["group"]))
        else:
            lease.release(params["holder"])
            holder = lease.holder()
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, holder=holder, heard=heard)


if __name__ == "__main__":
    main()
