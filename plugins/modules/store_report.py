#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Tells what became of a switch between two stores."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_report
short_description: Tell what became of a switch between two stores
version_added: 0.1.0
description:
  - Reads the journal of a switch, and writes C(report.json) and C(report.html) beside it. Nothing else is asked; the
    same journal always gives the same reports.
  - The page holds all that it needs and asks nobody for anything. Its own policy forbids everything but the style and
    the script that are in it.
  - Credentials that an answer of a server may have held are hidden. Letters that turn round or hide what stands beside
    them are written as escapes.
  - The verdict is added to the journal when it is another one than before. That is not counted as a change.
  - Journals are written by M(openstack_ops.glance.store_copy) and M(openstack_ops.glance.switch_journal).
options:
  journal:
    description:
      - The directory of the journal. The reports are written there.
    type: path
    required: true
  playbook:
    description:
      - How the playbook is called, with the options that every call of it needs. The commands in the report begin with
        it.
    type: str
    default: ansible-playbook openstack_ops.glance.switch_store
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
extends_documentation_fragment:
  - openstack_ops.glance._attributes
requirements:
  - jinja2 where the module runs. The control node has it, as Ansible brings it.
notes:
  - The keys of C(report.json) are C(schema), which changes when a key changes its meaning or goes; C(updated), the time
    of the newest line of the journal; C(switch), its first line; C(verdict), C(totals) and C(commands) as returned;
    C(phases), C(attention), C(images), C(others), C(clones), C(rate), C(stores) and C(damaged_lines).
  - Each of C(phases) has C(phase), C(controller), C(started), C(ended), C(seconds), C(state) and C(reason).
  - Each of C(images) has C(image_id), C(name), C(size), C(status), C(visibility), C(owner), C(from), C(to),
    C(hash_algo), C(hash_value), C(hash_of) (C(glance) or C(source), whose hash it is), C(state), C(proof),
    C(controller), C(copy_seconds), C(verify_seconds), C(retries), C(unlocks) and C(reason), which is empty
    where nobody has to look at it. Each of C(attention) has C(image_id), C(name), C(size), C(state) and C(reason).
  - The C(state) of an image is C(waiting), C(copying), C(copied), C(verified) or C(retired); or C(failed) where there
    is no whole copy, C(wrong) where the copy is not the image, and C(blocked) where it cannot be copied as it is. It is
    C(left_behind) where somebody has asked for that, and no copy of it is verified.
  - Each of C(others) has a C(reason) to copy nothing, and how many C(images) have it.
  - C(clones) tells of clones in Ceph, as of the newest plan. It has the C(images) in the old store that have clones or
    may have some, each with C(image_id), C(name), how many C(clones) (none where that is not known) and the C(first) of
    them; and C(notes) on what could not be seen.
  - Each of C(rate) has C(time), C(what), C(images), C(bytes) and C(rate), the mean since its run began. C(stores) has
    C(before) and C(after), each with C(images) and C(bytes) of every store.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_copy
  - module: openstack_ops.glance.store_retire
"""

EXAMPLES = r"""
- name: Tell what became of the switch
  openstack_ops.glance.store_report:
    journal: /srv/switch/local-objects
    playbook: ansible-playbook -i inventory openstack_ops.glance.switch_store
  delegate_to: localhost
  run_once: true
  register: report

- name: Show it
  ansible.builtin.debug:
    var: report.table
"""

RETURN = r"""
verdict:
  description: What became of the switch, in one word and in one sentence.
  returned: success
  type: dict
  contains:
    status:
      description: V(0) when all images are verified, V(2) when something needs attention or is left to do, V(1) when
        the newest run stopped.
      type: int
      sample: 0
    title:
      description: The verdict.
      type: str
      sample: All images are verified
    text:
      description: Where the images are, and how far it is.
      type: str
      sample: Glance writes to objects; what was in local before is still there too. 50 of 50 images verified; 1.2 TiB
        of 1.2 TiB.
table:
  description: A line for each image that needs attention or is left behind, one for each reason to copy nothing, and
    one for all of them together.
  returned: success
  type: list
  elements: str
  sample: ["50 of 50 images verified; 1.2 TiB of 1.2 TiB. Proofs: 50 by reader."]
totals:
  description: The numbers behind that.
  returned: success
  type: dict
  contains:
    images:
      description: How many images there are to move, those not among them that are left behind.
      type: int
      sample: 50
    bytes:
      description: How many bytes they have.
      type: int
      sample: 1319413953331
    verified:
      description: How many of them were read back and found right, those that are retired among them.
      type: int
      sample: 50
    verified_bytes:
      description: How many bytes those have.
      type: int
      sample: 1319413953331
    verified_by:
      description: How many of them by which kind of proof.
      type: dict
      sample: {reader: 50}
    copied:
      description: How many are copied and not read back yet.
      type: int
      sample: 0
    waiting:
      description: How many are not copied yet.
      type: int
      sample: 0
    failed:
      description: How many have no right copy, and somebody has to look at them.
      type: int
      sample: 0
    retired:
      description: How many are gone from the old store.
      type: int
      sample: 0
    left_behind:
      description: How many stay where they are because somebody has asked for that.
      type: int
      sample: 0
    retries:
      description: How many copies had to be made again.
      type: int
      sample: 1
    unlocks:
      description: How many locks of dead copies were broken.
      type: int
      sample: 0
    seconds:
      description: How long all phases took together.
      type: float
      sample: 1822.4
commands:
  description: What to type to go on (C(go_on)), to go back (C(back)), to see what would be deleted from the old store
    (C(retire_plan)), and to delete it (C(retire)).
  returned: success
  type: dict
  sample:
    back: >-
      ansible-playbook openstack_ops.glance.switch_store -e glance_switch_from=local -e glance_switch_to=objects
      -e glance_switch_phase=back
json:
  description: The path of the report for programs.
  returned: success
  type: str
  sample: /srv/switch/local-objects/report.json
html:
  description: The path of the report for people.
  returned: success
  type: str
  sample: /srv/switch/local-objects/report.html
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_report
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "journal": {"type": "path", "required": True},
            "playbook": {"type": "str", "default": _switch_report.PLAYBOOK},
        },
        supports_check_mode=True,
    )
    try:
        result = _switch_report.run(module.params, check_mode=module.check_mode, warn=module.warn)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
