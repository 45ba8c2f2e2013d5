#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Takes copies away that were found wrong, so that they can be made again."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_discard
short_description: Take copies away that were read and found wrong
version_added: 0.1.0
description:
  - Deletes the data that an image has in O(target), where the journal of a switch says that it was read and found wrong
    (M(openstack_ops.glance.store_verify)). Glance can make the copy again then (M(openstack_ops.glance.store_copy)).
  - Deletes nothing unless the data in O(source) was read as well, and is right (O(source_results)), Glance lists the
    image in O(source) now, and nobody works on it. Nothing is ever deleted from O(source).
  - An image that its user has deleted meanwhile is noted in the journal as gone, also one whose data could not be read,
    or were in O(target) before the switch.
  - An image that is deactivated is activated for a moment, as Glance deletes nothing of it otherwise.
options:
  source:
    description:
      - The store that the images were copied from.
    type: str
    required: true
  target:
    description:
      - The store whose copies are wrong.
    type: str
    required: true
  source_results:
    description:
      - What M(openstack_ops.glance.store_verify) returned as RV(openstack_ops.glance.store_verify#module:results) when
        it read these images in O(source). Without it no copy is deleted, and only what is RV(gone) is noted.
    type: list
    elements: dict
    default: []
  announced_only:
    description:
      - Whether the copies of those deactivated images are left for the next call that the journal does not announce.
        Where the journal is copied to a safe place between the two, such an image is deactivated again even when the
        journal itself gets lost.
      - What has to be announced is in RV(announcements); M(openstack_ops.glance.switch_journal) writes it.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Tells whether there are wrong copies.
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
  - module: openstack_ops.glance.store_verify
"""

EXAMPLES = r"""
- name: Take the copies away that are wrong
  openstack_ops.glance.store_discard:
    cloud: admin
    endpoints:
      controller-1: http://192.0.2.11:9292
    source: local
    target: objects
    journal: /srv/switches/local-objects
    source_results: "{{ read_in_the_old_store.results }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
discarded:
  description: The images whose copy is deleted, with C(image_id) and C(name).
  returned: success
  type: list
  elements: dict
  sample: []
gone:
  description: The images that do not exist any more.
  returned: success
  type: list
  elements: dict
  sample: []
left:
  description: The images whose copy was left, with the C(reason).
  returned: success
  type: list
  elements: dict
  sample: [{image_id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f, name: cirros, reason: it is in objects alone}]
announcements:
  description:
    - The events that the journal needs, and has not, so that a further call with O(announced_only) takes these away.
  returned: success
  type: list
  elements: dict
  sample: [{event: reactivated, image_id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f, state: due}]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_discard
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)

ARGUMENT_SPEC = {
    **AUTH_ARGUMENT_SPEC,
    "endpoints": {"type": "dict", "required": True},
    "source": {"type": "str", "required": True},
    "target": {"type": "str", "required": True},
    "journal": {"type": "path", "required": True},
    "source_results": {"type": "list", "elements": "dict", "default": []},
    "announced_only": {"type": "bool", "default": False},
}


def main() -> None:
    """Take away, and tell."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(module)
    try:
        result = _switch_discard.run(module.params, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
