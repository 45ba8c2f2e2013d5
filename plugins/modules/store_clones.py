#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Names the images of a store of the type rbd that have clones in Ceph."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_clones
short_description: Name the images in Ceph that volumes or instances were cloned from
version_added: 0.1.0
description:
  - Volumes of Cinder and instances of Nova in the same Ceph are cloned from the snapshot C(snap) of an image. The image
    can be copied to another store all the same. But its data in this one can be deleted only when its clones are gone
    or flattened.
  - Asks Ceph for the clones of everything in the pool of O(store) that is named as an image, as the user that Glance
    itself is there. Images that another Glance has in the same pool are among them.
  - What cannot be seen is told in RV(unknown) and RV(notes), and no failure. It may have clones. With the capability
    C(profile rbd pool=images), and others that let the user read C(rbd_children) in all pools, Ceph denies exactly
    those images that have clones in a pool that the user may not read. Without, it denies all.
options:
  store:
    description:
      - The store, which has to be of the type rbd; in single-store form V(rbd).
    type: str
    required: true
  timeout:
    description:
      - After how many seconds the images that were not looked at stay unknown.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
  platform:
    support: full
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.info_module
  - openstack_ops.glance._config_files
requirements:
  - oslo.config, which comes with Glance, and the Python bindings of librados and librbd.
notes:
  - The module needs to read O(config_file), which is for root and Glance alone.
  - Needs the Python that Glance runs with.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_retire
"""

EXAMPLES = r"""
- name: Look which images have clones
  openstack_ops.glance.store_clones:
    store: fast
  run_once: true
  register: clones

- name: Show them, and what could not be seen
  ansible.builtin.debug:
    msg: "{{ clones.table }}"
  run_once: true
"""

RETURN = r"""
pool:
  description: The pool of the store.
  returned: success
  type: str
  sample: images
clones:
  description: The clones of each image that has some, by its id.
  returned: success
  type: dict
  sample:
    0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f: [volumes/volume-6f1c7a52-6f6e-4b0e-9a54-0c9d7a9a6e11]
unknown:
  description:
    - The ids of the images that could not be looked at. Empty, too, where the pool could not be; then there is
      RV(unseen).
  returned: success
  type: list
  elements: str
  sample: []
unseen:
  description: Why nothing is known of any image; empty where the pool could be looked at.
  returned: success
  type: str
  sample: ""
in_use:
  description:
    - Why the data of an image must not be deleted, of each of RV(clones), and of RV(unknown) but for images that have
      no snapshot. Give it to M(openstack_ops.glance.store_retire).
  returned: success
  type: dict
  sample:
    0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f: it has 1 clone in Ceph, volumes/volume-1; delete or flatten it
notes:
  description: What could not be seen, and why.
  returned: success
  type: list
  elements: str
  sample: []
table:
  description: RV(clones) for people, a line for each of the first images, and RV(notes).
  returned: success
  type: list
  elements: str
  sample: []
event:
  description: What the journal of a switch keeps of it.
  returned: success
  type: dict
  sample:
    event: clones
    images: [{image_id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f, clones: 1, first: [volumes/volume-1]}]
    notes: []
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_clones
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import CONFIG_FILE

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "store": {"type": "str", "required": True},
    "config_file": {"type": "path", "default": CONFIG_FILE},
    "config_directory": {"type": "path"},
    "timeout": {"type": "int", "default": 120},
}


def main() -> None:
    """Look."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if module.params["timeout"] < 1:
        module.fail_json(msg=f"timeout: {module.params['timeout']} is less than 1.")
    try:
        result = _switch_clones.run(module.params)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
