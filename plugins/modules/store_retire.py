#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Deletes from the old store what was verified in the new one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_retire
short_description: Delete from a store what was verified in another one
version_added: 0.1.0
description:
  - Ends a switch from one store to another, by deleting the data of every image in O(source). The images stay, with
    their data in O(target).
  - Refuses as a whole, with all reasons, when an image in O(source) was not verified as the journal tells, has another
    hash or size than what was verified, is not in O(target) as Glance tells now, or is locked for an import; when
    O(source) is the default store of a controller; and when the journal knows of no finished cut-over.
  - The plan has a token, made of both stores and of the id, size, hash and proof of every image. Nothing is deleted
    without it. When the images change, the plan has another token. What a run has deleted still belongs to its plan, so
    that an interrupted run is gone on with by the same token.
  - Looks at each image again before it deletes, and afterwards. What cannot be deleted does not stop the others; the
    module fails in the end, and tells what was deleted and what was not.
  - An image that is deactivated is activated for as long as the deletion takes, as Glance deletes nothing of it
    otherwise. It can be downloaded meanwhile.
  - Every deletion is written into the journal before it is done, and so are the beginning and the end of the whole. A
    refusal is not.
options:
  source:
    description:
      - The store that is retired.
    type: str
    required: true
  target:
    description:
      - The store in which the images were verified.
    type: str
    required: true
  token:
    description:
      - The token of the plan that shall be carried out. Without it, or with another one, the module fails with the plan
        and the command that carries it out.
    type: str
    default: ""
  quarantine_days:
    description:
      - How many days after the newest cut-over nothing is deleted; the module fails before, and tells when they end.
      - Nothing is moved or locked meanwhile. Until somebody runs the module again, the images simply keep their data in
        both stores, and whoever deletes an image deletes it in both.
    type: int
    default: 0
  leave_behind:
    description:
      - The ids of images that may stay in O(source) although something forbids to delete them there.
    type: list
    elements: str
    default: []
  in_use:
    description:
      - Why the data of images must not be deleted from O(source) as yet, by their ids, as
        M(openstack_ops.glance.store_clones) returns it. Such an image belongs to the plan. It is kept without asking
        Glance, and counts as one that cannot be deleted unless O(leave_behind) names it.
    type: dict
    default: {}
  announced_only:
    description:
      - Whether those deactivated images are left for the next call that the journal does not announce. Where the
        journal is copied to a safe place between the two, an image that was activated is deactivated again even when
        the journal itself gets lost.
      - What has to be announced is in RV(announcements); M(openstack_ops.glance.switch_journal) writes it.
    type: bool
    default: false
  playbook:
    description:
      - How the playbook is called, with the options that every call of it needs. The commands in messages begin
        with it.
    type: str
    default: ansible-playbook openstack_ops.glance.switch_store
attributes:
  check_mode:
    support: full
    details: Returns the plan with its token, and deletes nothing. Fails as otherwise where an image stands in the way.
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
  action_group:
    support: full
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.actiongroup_openstack
  - openstack_ops.glance._auth
  - openstack_ops.glance._switch
  - openstack_ops.glance._switch.progress
notes:
  - The user needs the role C(admin), to see the images of all projects.
  - Deleting cannot be undone. Going back afterwards copies every image.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_copy
  - module: openstack_ops.glance.store_verify
  - module: openstack_ops.glance.store_report
"""

EXAMPLES = r"""
- name: See what would be deleted, and its token
  openstack_ops.glance.store_retire:
    cloud: admin
    endpoints:
      controller-1: http://192.0.2.11:9292
    source: local
    target: objects
    journal: /srv/switch/local-objects
  check_mode: true
  delegate_to: localhost
  run_once: true
  register: plan

- name: Delete it, two weeks after the cut-over at the earliest
  openstack_ops.glance.store_retire:
    cloud: admin
    endpoints:
      controller-1: http://192.0.2.11:9292
    source: local
    target: objects
    journal: /srv/switch/local-objects
    token: "{{ glance_switch_token }}"
    quarantine_days: 14
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
token:
  description: The token of the plan.
  returned: success, and when the token is refused
  type: str
  sample: 7d4f0c1b2a9e83d65c10
command:
  description: What carries the plan out.
  returned: success, and when the token is refused
  type: str
  sample: >-
    ansible-playbook openstack_ops.glance.switch_store -e glance_switch_from=local -e glance_switch_to=objects
    -e glance_switch_phase=retire -e glance_switch_token=7d4f0c1b2a9e83d65c10
images:
  description: The images of the plan, as they were found.
  returned: success, and when the token is refused
  type: list
  elements: dict
  contains:
    image_id: &image_id
      description: The id of the image.
      type: str
      sample: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    name: &name
      description: The name of the image.
      type: str
      sample: cirros
    size: &size
      description: The size in bytes.
      type: int
      sample: 20971520
    proof:
      description: How it was verified.
      type: str
      sample: reader
    in_use:
      description: Why its data is kept as yet, as O(in_use) has it; empty where it would be deleted.
      type: str
      sample: ""
bytes:
  description: How many bytes those have that would be deleted.
  returned: success, and when the token is refused
  type: int
  sample: 20971520
not_before:
  description: When the quarantine ends. None where there is none, or it is over.
  returned: success, and when the token is refused
  type: str
  sample: 2026-12-05 12:00 UTC
table:
  description: The plan for people.
  returned: success, and when the token is refused
  type: list
  elements: str
  sample: ["To be deleted from local: 1 image with 20.0 MiB, all of it verified in objects."]
retired:
  description: The images whose data was deleted from O(source), by this run or by somebody else meanwhile.
  returned: when not in check mode
  type: list
  elements: dict
  contains:
    image_id: *image_id
    name: *name
    size: *size
announcements:
  description:
    - The events that the journal needs, and has not, so that a further call with O(announced_only) deletes these.
  returned: when not in check mode
  type: list
  elements: dict
  sample: [{event: reactivated, image_id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f, state: due}]
retired_bytes:
  description: How many bytes they have.
  returned: when not in check mode
  type: int
  sample: 20971520
failures:
  description: The images of the plan whose data is still there.
  returned: when not in check mode
  type: list
  elements: dict
  contains:
    image_id: *image_id
    name: *name
    reason:
      description: Why.
      type: str
      sample: "HTTP 409: the image is in use"
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_retire
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_report import PLAYBOOK

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    **AUTH_ARGUMENT_SPEC,
    "endpoints": {"type": "dict", "required": True},
    "source": {"type": "str", "required": True},
    "target": {"type": "str", "required": True},
    "journal": {"type": "path", "required": True},
    # It names a plan and opens nothing: whoever may delete the images needs none.
    "token": {"type": "str", "default": "", "no_log": False},
    "quarantine_days": {"type": "int", "default": 0},
    "leave_behind": {"type": "list", "elements": "str", "default": []},
    "in_use": {"type": "dict", "default": {}},
    "announced_only": {"type": "bool", "default": False},
    "playbook": {"type": "str", "default": PLAYBOOK},
    "progress_file": {"type": "path"},
    "watched_processes": {"type": "list", "elements": "int"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(module)
    try:
        result = _switch_retire.run(module.params, check_mode=module.check_mode)
    except _switch_retire.RetireError as error:
        module.fail_json(msg=str(error), **error.result)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
