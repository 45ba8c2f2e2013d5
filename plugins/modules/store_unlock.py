#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Breaks the locks of copies between stores whose Glance ended, and removes what they left behind."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_unlock
short_description: Break the locks of copies between stores that died, and remove what they left
version_added: 0.1.0
description:
  - A copy of an image to another store dies with the process of Glance that makes it. It leaves the image locked for an
    hour, a file in the staging directory that Glance trusts when it has the right size, and in stores of the types file
    and rbd data that the next copy fails on.
  - This tells locks of copies that live from those of dead ones. A copy is dead when its task has ended, or when no
    controller can be at it any more. That is a controller whose processes of Glance are all younger than the task, that
    was not asked for the copy (O(ran_on)), or on which no process has the staged data of an import open, once the task
    has been silent for two minutes. A copy lives when a process has its staged data open. Anything else is left alone
    until these two minutes are over. A restart of Glance makes it clear at once.
  - With O(state=unlocked) the tasks of dead copies are aged in Glance's database, so that Glance lets the next copy
    take the lock over. It is the only thing that is written there, and only as long as the task is unchanged. Glance
    itself takes the lock away.
  - What dead copies left in the staging directory of the node, and in O(target), is removed. Data in O(target) is
    removed only when its image exists and is active or deactivated, nobody works on it, and all its locations are in
    other stores. Everything else is told in RV(left).
options:
  state:
    description:
      - V(observed) looks only.
      - V(unlocked) breaks dead locks, and removes what is left of dead copies. It needs O(controllers).
    type: str
    choices: [observed, unlocked]
    default: observed
  target:
    description:
      - The store that was copied to.
    type: str
    required: true
  images:
    description:
      - The ids of the images to look at. By default all.
    type: list
    elements: str
  controllers:
    description:
      - RV(evidence) of each controller of the cloud, by its name, this one included. Without it, only what this node
        knows of itself counts.
    type: dict
  ran_on:
    description:
      - The controller that was asked for a copy, by the id of its task, as far as it is known.
    type: dict
    default: {}
  controller:
    description:
      - The name of this node in O(controllers).
    type: str
    required: true
  timeout:
    description:
      - How many seconds the listing of O(target) may take.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: RV(removed) and RV(aged) tell what is done.
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._config_files
  - openstack_ops.glance._config_files.service
requirements:
  - oslo.config, SQLAlchemy and PyMySQL, which come with Glance, and the client library of O(target).
notes:
  - The module runs as root, and with the Python that Glance runs with.
  - Whatever is removed or aged is in the system's log as well.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_info
"""

EXAMPLES = r"""
- name: Look at the locks, on every controller
  openstack_ops.glance.store_unlock:
    target: objects
    controller: "{{ inventory_hostname }}"
  register: locks

- name: Break those of dead copies
  openstack_ops.glance.store_unlock:
    state: unlocked
    target: objects
    controller: "{{ inventory_hostname }}"
    controllers: >-
      {{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, ['locks', 'evidence']))) }}
"""

RETURN = r"""
evidence:
  description: What this node knows. Give it to O(controllers).
  returned: success
  type: dict
  contains:
    workers_started:
      description:
        - Since when the oldest process of Glance runs that may work on a copy, in seconds since the epoch; null when
          none runs.
      type: float
      sample: 1795262400.25
    working_on:
      description: The ids of the images whose staged data a process has open.
      type: list
      elements: str
      sample: []
    staged:
      description: The ids of the images that have data in the staging directory.
      type: list
      elements: str
      sample: []
locks:
  description: The images that are locked for an import.
  returned: success
  type: list
  elements: dict
  contains:
    image_id:
      description: The id of the image.
      type: str
      sample: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    name:
      description: The name of the image.
      type: str
      sample: cirros
    task_id:
      description: The task that locks it.
      type: str
      sample: 7a1b2c3d-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    task_status:
      description: The status of the task; nothing when Glance does not know it any more.
      type: str
      sample: processing
    state:
      description: V(alive), V(dead) or V(unsure).
      type: str
      sample: dead
    why:
      description: What tells it.
      type: str
      sample: every Glance was started after its task was made (2026-11-21T12:00:00Z)
aged:
  description: The images whose lock can be taken over now, or with O(state=observed) could be.
  returned: success
  type: list
  elements: str
  sample: [0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f]
removed:
  description: What was removed, or with O(state=observed) and in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    image_id:
      description: The image that it is of.
      type: str
      sample: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    what:
      description: What it is.
      type: str
      sample: /var/lib/glance/staging/0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    size:
      description: Its size in bytes, where the listing tells it.
      type: int
      sample: 4194304
left:
  description: What lies around and was left alone, told in the same way, with C(why).
  returned: success
  type: list
  elements: dict
  sample: []
results:
  description: What was done, as lines of a journal, one an image.
  returned: success
  type: list
  elements: dict
  sample:
    - event: unlock
      image_id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
      task_id: 7a1b2c3d-6a0c-4c5f-9a3f-5b2a6c1d7e8f
      controller: controller-1
      aged: true
      removed: [/var/lib/glance/staging/0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f]
notes:
  description: What could not be looked at.
  returned: success
  type: list
  elements: str
  sample: []
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_unlock
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import CONFIG_FILE

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["observed", "unlocked"], "default": "observed"},
    "target": {"type": "str", "required": True},
    "images": {"type": "list", "elements": "str"},
    "controllers": {"type": "dict"},
    "ran_on": {"type": "dict", "default": {}},
    "controller": {"type": "str", "required": True},
    "service": {"type": "str", "default": "glance-api.service"},
    "config_file": {"type": "path", "default": CONFIG_FILE},
    "config_directory": {"type": "path"},
    "timeout": {"type": "int", "default": 60},
}


def main() -> None:
    """Look, and break what is dead."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if module.params["timeout"] < 1:
        module.fail_json(msg=f"timeout: {module.params['timeout']} is less than 1.")

    def command(arguments: list[str]) -> tuple[int, str, str]:
        code, output, errors = module.run_command(arguments, handle_exceptions=False, cwd=os.sep)
        return code, output, errors

    try:
        result = _switch_unlock.run(module.params, command, module.check_mode, module.log)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error}. What to do: run the module as root on a node that was booted with systemd.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
