#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Copies all images of a store into another store."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_copy
short_description: Copy all images of a store into another store
version_added: 0.1.0
description:
  - Lets Glance copy every image that is in one store into another one, with Glance's own C(copy-image), through all
    controllers at once. Nothing is deleted; an image is in both stores afterwards.
  - Lists the images, hidden ones and those of all projects too, copies what is to be copied, and lists them again until
    nothing is left. After twenty rounds it ends nevertheless, and RV(left) tells how many images have come meanwhile.
  - An image counts as copied when Glance lists it in the target and the lock of its import is gone. Nobody has read
    the copy then; that is another step.
  - An image that cannot be copied does not stop the others. Each is tried three times, if possible through another
    controller. The module does not fail because of it; look at RV(failures), RV(locked) and RV(blocked).
  - An image that is deactivated is activated for its copy, and deactivated again. It can be downloaded meanwhile. One
    that the journal announces, and that did not have to be activated, is noted as closed in the end.
  - Every step is written into the journal, a file of JSON lines, before it is taken. Whatever ends the module, the next
    run goes on from what Glance and the journal tell. A journal that was lost is written again; images in both stores
    count as copied.
  - Fails when no controller answers for two minutes, when ten images fail one after the other, and when it is stopped
    by a signal, with all that it otherwise returns.
  - Check mode returns the plan. As always when somebody asks for a single image, Glance notes in which store it is, if
    it has not noted that yet.
options:
  source:
    description:
      - The store whose images are copied.
    type: str
    required: true
  target:
    description:
      - The store that they are copied into.
    type: str
    required: true
  source_type:
    description:
      - The type of the store O(source), for the journal.
    type: str
  target_type:
    description:
      - The type of the store O(target). Some types do not take every image.
    type: str
  release:
    description:
      - The release of Glance, for the journal.
    type: str
  transfers:
    description:
      - How many images each controller copies at a time, from 1 to 32.
    type: int
    default: 2
  order:
    description:
      - Whether the largest or the smallest images come first. Those that failed in an earlier run come last.
    type: str
    choices: [largest, smallest]
    default: largest
  bandwidth:
    description:
      - How many bytes a second are copied on the average; V(0) for no limit.
      - Glance copies each image as fast as the stores let it. The limit is kept by the time that goes by before the
        next image is started, so it holds over several images and not while one is copied.
    type: int
    default: 0
  control_file:
    description:
      - A file in JSON or YAML that is read again all the time, with any of C(paused), C(transfers) and C(bandwidth).
        They win over the options. It need not be there.
    type: path
  images:
    description:
      - The ids of the images that the module is limited to. Without it, all images.
    type: list
    elements: str
  announced_only:
    description:
      - Whether those deactivated images are left out that the journal does not announce. Where the journal is copied to
        a safe place between the announcement and the copies, an image that was activated is deactivated again even when
        the journal itself gets lost in the copies.
      - What has to be announced is in RV(announcements); M(openstack_ops.glance.switch_journal) writes it.
    type: bool
    default: false
  capacity:
    description:
      - The room there is. What is not given is not looked at.
    type: dict
    suboptions:
      target:
        description:
          - How many bytes O(target) can still take. Where that is not enough, nothing is copied.
        type: int
      staging:
        description:
          - How many bytes each controller can stage, by its name. Copies that would take more are not begun at the same
            time.
        type: dict
  staging_mounts:
    description:
      - The mount point of the file system that each controller stages on, by the controller's name in the inventory.
        The action plugin looks every few seconds how much is free there, over the controller's own connection and with
        the privileges that the play has there. As long as that is not enough, no further copy is begun
        there. Where it cannot look, or hears nothing for a minute, O(capacity) counts.
    type: dict
  room_file:
    description:
      - A file in JSON that has, for each controller, the bytes that are C(free) for staging, and the second C(at) which
        that was seen. It is read again all the time, and what is older than a minute is not used. The action plugin
        sets and writes it.
    type: path
  rate:
    description:
      - How many bytes a second the copies are going to have, for the plan. What the journal tells wins over it.
    type: int
  wait:
    description:
      - How many seconds to wait in the end for uploads and imports that others have begun.
    type: int
    default: 300
  lock_age:
    description:
      - After how many seconds without a sign of life the lock of an import is taken for one that may be dead, and is
        returned in RV(locked). When O(wait) is over, every lock is that is not in O(alive_tasks).
    type: int
    default: 60
  alive_tasks:
    description:
      - The ids of the tasks that are known to be at work. Their locks are waited for, however silent they are.
    type: list
    elements: str
  dead_tasks:
    description:
      - The ids of the tasks that are known to be dead, as M(openstack_ops.glance.store_unlock) finds them. Glance lets
        a new import take over the lock of such a task once the task is old, and not before it is asked for one. So
        it is asked for one, and where an image is not to be copied, for one that it has already.
    type: list
    elements: str
  leave_behind:
    description:
      - The ids of images that are not copied, such as those for which O(target) has no room. They are told in
        RV(left_behind), and need no attention. Nor does one then that is in both stores, and not right in O(target).
    type: list
    elements: str
  playbook:
    description:
      - How the playbook is called, with the options that every call of it needs, as in
        M(openstack_ops.glance.store_report). Where it is given, and the module is stopped by a signal or by the end of
        Ansible, it writes the reports itself, as nothing comes after it that would.
    type: str
attributes:
  check_mode:
    support: full
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
  - openstack_ops.glance._switch.progress
notes:
  - The user needs the role C(admin), to see and to copy the images of all projects.
  - What a user changes in the record of an image while Glance copies it, Glance undoes, but for properties that are
    added. What of that the module sees, it returns in RV(undone).
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_tag
  - module: openstack_ops.glance.verify
"""

EXAMPLES = r"""
- name: Copy the images of the store local into the store objects
  openstack_ops.glance.store_copy:
    cloud: admin
    endpoints:
      controller-1: http://192.0.2.11:9292
      controller-2: http://192.0.2.12:9292
    source: local
    target: objects
    journal: /srv/switch/local-objects
    control_file: /srv/switch/control.json
  delegate_to: localhost
  run_once: true
  register: copies

- name: Try it with one image, as slowly as two megabytes a second
  openstack_ops.glance.store_copy:
    cloud: admin
    endpoints:
      controller-1: http://192.0.2.11:9292
    source: local
    target: objects
    journal: /srv/switch/local-objects
    images:
      - 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    bandwidth: 2000000
"""

RETURN = r"""
plan:
  description: What there was to do when the module began.
  returned: always
  type: dict
  contains:
    images:
      description: How many images were to be copied.
      type: int
      sample: 48
    bytes:
      description: How many bytes they have.
      type: int
      sample: 50465865728
    copied:
      description: How many images were in both stores already.
      type: int
      sample: 2
    copied_bytes:
      description: How many bytes those have.
      type: int
      sample: 41943040
    elsewhere:
      description: How many images with data are not in the source, or in the target alone.
      type: int
      sample: 0
    waiting:
      description: The images that are still being uploaded or imported, as in RV(waiting).
      type: list
      elements: dict
      sample: []
    blocked:
      description: The images that cannot be copied, as in RV(blocked).
      type: list
      elements: dict
      sample: []
    left_behind:
      description: The images that stay where they are, as in RV(left_behind).
      type: list
      elements: dict
      sample: []
    rate:
      description: The bytes a second of which RV(plan.seconds_estimated) is made. None where nothing was measured.
      type: float
      sample: 52428800.0
    seconds_estimated:
      description: How long the copies take at that rate.
      type: int
      sample: 963
    fits:
      description: Whether the target has room for the copies. None where that is not known.
      type: bool
      sample: true
    missing_room:
      description: Where there is not enough room.
      type: list
      elements: str
      sample: []
table:
  description: The plan in check mode, and otherwise the result, for people.
  returned: always
  type: list
  elements: str
  sample: ["48 images copied, 47.0 GiB in 16 min 03 s (50.0 MiB/s); 0 failed, 0 locked, 0 left."]
copied:
  description: How many images were copied.
  returned: when not in check mode
  type: int
  sample: 48
copied_bytes:
  description: How many bytes they have.
  returned: when not in check mode
  type: int
  sample: 50465865728
failures:
  description: The images whose copy failed every time.
  returned: when not in check mode
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
    reason:
      description: Why, as far as Glance says.
      type: str
      sample: Glance could not write it to objects; glance-api.log on controller-1 tells why
    attempts:
      description: How often it was tried.
      type: int
      sample: 3
    controller:
      description: The controller of the last attempt.
      type: str
      sample: controller-1
    task_id:
      description: Glance's task of the last attempt.
      type: str
      sample: 6f1c7a52-6f6e-4b0e-9a54-0c9d7a9a6e11
locked:
  description: The images that are locked for an import that may be dead.
  returned: when not in check mode
  type: list
  elements: dict
  contains:
    image_id: *image_id
    name: *name
    size: *size
    task_id:
      description: The task that holds the lock.
      type: str
      sample: 6f1c7a52-6f6e-4b0e-9a54-0c9d7a9a6e11
    controller:
      description: The controller that had the task, where that is known.
      type: str
      sample: controller-1
    reason:
      description: Why it may be dead.
      type: str
      sample: Glance on controller-1 was away while it copied
gone:
  description: The images that were deleted while they were copied. Parts of them may be left in the target.
  returned: when not in check mode
  type: list
  elements: dict
  sample: []
undone:
  description:
    - The images in whose record somebody changed something while they were copied, and Glance has undone it. What is
      changed and undone within a second or two is not seen. The report tells of them until they are changed again.
  returned: when not in check mode
  type: list
  elements: dict
  contains:
    image_id: *image_id
    name:
      description: The name of the image, before.
      type: str
      sample: cirros
    size: *size
    fields:
      description: What was changed.
      type: list
      elements: str
      sample: [name, tags]
waiting:
  description: The images that others are still uploading or importing.
  returned: when not in check mode
  type: list
  elements: dict
  sample: []
blocked:
  description: The images that cannot be copied.
  returned: when not in check mode
  type: list
  elements: dict
  contains:
    image_id: *image_id
    name: *name
    size:
      description: The size in bytes.
      type: int
      sample: 0
    status:
      description: Its status in Glance.
      type: str
      sample: queued
    reason:
      description: Why.
      type: str
      sample: "queued: no data was uploaded yet, there is nothing to copy"
    remedy:
      description: What can be done about it.
      type: str
      sample: nothing, or upload its data
    attention:
      description: Whether it has data that somebody has to care for.
      type: bool
      sample: false
left_behind:
  description: The images of O(leave_behind) that would otherwise have to be copied, told as in RV(blocked).
  returned: when not in check mode
  type: list
  elements: dict
  sample: []
left:
  description: How many images were still to be copied when the module ended.
  returned: when not in check mode
  type: int
  sample: 0
open:
  description:
    - The ids of the images that were deactivated, and are active still; or locked, so that Glance may activate them at
      the end of their copy. The next run deactivates them.
  returned: when not in check mode
  type: list
  elements: str
  sample: []
deactivated:
  description:
    - How many of the images that are still to be copied are deactivated, in check mode of those of the plan. Those of
      RV(failures) are not among them.
  returned: always
  type: int
  sample: 1
announcements:
  description: The events that the journal needs, and has not, so that these are copied with O(announced_only).
  returned: always
  type: list
  elements: dict
  sample: [{event: reactivated, image_id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f, state: due}]
passes:
  description: How many times there was something to copy.
  returned: when not in check mode
  type: int
  sample: 2
rate:
  description: How many bytes a second were copied.
  returned: when not in check mode
  type: int
  sample: 52428800
seconds:
  description: For how long something was being copied.
  returned: when not in check mode
  type: float
  sample: 963.2
stopped:
  description: What has stopped it, or nothing.
  returned: when not in check mode
  type: str
  sample: ""
interrupted:
  description: Whether that was a signal, or the end of Ansible.
  returned: when not in check mode
  type: bool
  sample: false
requests:
  description: How many HTTP requests were answered, those to Keystone included.
  returned: always
  type: int
  sample: 412
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_copy import run

ARGUMENT_SPEC = {
    **AUTH_ARGUMENT_SPEC,
    "endpoints": {"type": "dict", "required": True},
    "source": {"type": "str", "required": True},
    "target": {"type": "str", "required": True},
    "source_type": {"type": "str"},
    "target_type": {"type": "str"},
    "release": {"type": "str"},
    "journal": {"type": "path", "required": True},
    "transfers": {"type": "int", "default": 2},
    "order": {"type": "str", "choices": ["largest", "smallest"], "default": "largest"},
    "bandwidth": {"type": "int", "default": 0},
    "control_file": {"type": "path"},
    "images": {"type": "list", "elements": "str"},
    "announced_only": {"type": "bool", "default": False},
    "capacity": {"type": "dict", "options": {"target": {"type": "int"}, "staging": {"type": "dict"}}},
    "rate": {"type": "int"},
    "wait": {"type": "int", "default": 300},
    "lock_age": {"type": "int", "default": 60},
    "alive_tasks": {"type": "list", "elements": "str"},
    "dead_tasks": {"type": "list", "elements": "str"},
    "leave_behind": {"type": "list", "elements": "str"},
    "playbook": {"type": "str"},
    "staging_mounts": {"type": "dict"},
    "room_file": {"type": "path"},
    "progress_file": {"type": "path"},
    "watched_processes": {"type": "list", "elements": "int"},
}


def main() -> None:
    """Copy, and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(module)
    try:
        result = run(module.params, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.get("stopped"):
        module.fail_json(msg="\n".join(result["table"]), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
