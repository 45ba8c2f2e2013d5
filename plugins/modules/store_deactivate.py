#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Deactivates again what a run of a switch between two stores has left active."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_deactivate
short_description: Deactivate again the images that a killed switch between stores has left active
version_added: 0.1.0
description:
  - A switch between stores activates a deactivated image while it copies it, or deletes its data from one store, and
    notes that in its journal before. The module deactivates those that a run has not deactivated again, because it was
    killed, in whichever direction it went.
  - One that is locked for an import is left, as a copy that goes on still would fail for it. What is left does not keep
    the module from looking at the others, and is no failure of the module. See RV(left).
  - Where the journals name no such image, nothing is asked of Glance.
options:
  other:
    description:
      - The directory of the journal of the way in the other direction, if there is one.
    type: path
attributes:
  check_mode:
    support: full
    details: Tells what the journals name, whether it is locked or not.
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
  action_group:
    support: full
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.actiongroup_openstack
  - openstack_ops.glance._auth
  - openstack_ops.glance._switch
notes:
  - The user needs the role C(admin).
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_copy
  - module: openstack_ops.glance.switch_journal
"""

EXAMPLES = r"""
- name: Deactivate again what an earlier run has activated
  openstack_ops.glance.store_deactivate:
    cloud: admin
    endpoints:
      controller-1: http://192.0.2.11:9292
    journal: /srv/switches/local-objects
    other: /srv/switches/objects-local
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
closed:
  description:
    - The images that are deactivated again, or do not exist any more, each with the directory of its C(journal).
  returned: success
  type: list
  elements: dict
  sample: [{image_id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f, journal: /srv/switches/local-objects}]
left:
  description: The images that may be active still, each with the C(reason).
  returned: success
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_close
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)

ARGUMENT_SPEC = {
    **AUTH_ARGUMENT_SPEC,
    "endpoints": {"type": "dict", "required": True},
    "journal": {"type": "path", "required": True},
    "other": {"type": "path"},
}


def main() -> None:
    """Deactivate, and tell."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(module)
    try:
        result = _switch_close.run(module.params, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    for row in result["left"]:
        module.warn(f"The image {row['image_id']} was deactivated, and may be active still: {row['reason']}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
