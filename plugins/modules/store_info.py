#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Tells which stores a node's Glance has, what they hold, and what does not fit together."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_info
short_description: Tell which stores a node's Glance has, and what they hold
version_added: 0.1.0
description:
  - Reads the configuration of the node's Glance, the images in its database, and the stores that its API has. The
    credentials for that are those of the configuration.
  - Says what does not fit together, too. That is images in no store, images without data, imports that hang, and a
    configuration that the API was not restarted for.
  - With O(look_for_orphans) it compares what lies in the stores with the images as well.
  - Changes nothing and deletes nothing.
options:
  ask_api:
    description:
      - Whether the API of the node is asked for its stores, as the user of C([keystone_authtoken]).
    type: bool
    default: true
  api_url:
    description:
      - The URL of the API, such as V(http://127.0.0.1:9292). By default it follows from C(bind_host) and C(bind_port).
    type: str
  stuck_after:
    description:
      - After how many seconds an image counts as stuck that has not got its data, or is locked for an import.
    type: int
    default: 86400
  look_for_orphans:
    description:
      - Whether to list what lies in the places of the stores of the types file, swift, rbd and s3, and in the staging
        directory. Where they hold much, that takes time and load.
      - The directories are those of this node. Where they are not shared by all controllers, the data that other
        controllers hold counts as missing.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds the listing for O(look_for_orphans) may take. What is not finished then is told in
        RV(notes).
    type: int
    default: 60
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
  - oslo.config, SQLAlchemy, PyMySQL and keystoneauth1, which come with Glance.
notes:
  - The module needs to read O(config_file), which is for root and Glance alone.
  - Needs the Python that Glance runs with.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_guard
"""

EXAMPLES = r"""
- name: Look at the stores
  openstack_ops.glance.store_info:
  register: stores

- name: Show them
  ansible.builtin.debug:
    msg: "{{ stores.table }}"

- name: Look for data without an image, and images without data
  openstack_ops.glance.store_info:
    look_for_orphans: true
    timeout: 600
"""

RETURN = r"""
layout:
  description: The form of the configuration, V(multi) or V(single); nothing where no Glance is configured.
  returned: success
  type: str
  sample: multi
default_store:
  description: The store that uploads go to; in single-store form its type.
  returned: success
  type: str
  sample: local
images:
  description: How many images there are.
  returned: success
  type: int
  sample: 12
bytes:
  description: How many bytes the images have that have data. What is in several stores counts once.
  returned: success
  type: int
  sample: 25769803776
stores:
  description: The stores of the configuration.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the store; in single-store form its type.
      type: str
      sample: local
    type:
      description: The type of the store.
      type: str
      sample: file
    default:
      description: Whether uploads go there.
      type: bool
      sample: true
    description:
      description: What the configuration says that the store is for.
      type: str
      sample: ""
    place:
      description: Where it keeps its images.
      type: str
      sample: the directory /var/lib/glance/images
    in_api:
      description: Whether the API has it; null where it was not asked or did not answer.
      type: bool
      sample: true
    images:
      description: How many images have data there.
      type: int
      sample: 12
    bytes:
      description: How many bytes these images have.
      type: int
      sample: 25769803776
    locations:
      description: How many locations lead there.
      type: int
      sample: 12
in_no_store:
  description: The images with a location that is in no store of the configuration.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the image.
      type: str
      sample: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    name:
      description: The name of the image.
      type: str
      sample: cirros
    status:
      description: The status of the image.
      type: str
      sample: active
    size:
      description: Its size in bytes.
      type: int
      sample: 21430272
    readable:
      description: Whether another of its locations is in a store.
      type: bool
      sample: false
    places:
      description: The noted stores of these locations, or their schemes where none is noted.
      type: list
      elements: str
      sample: [ceph]
without_store_metadata:
  description:
    - How many locations have no name of a store. In single-store form none has one; in multi-store form Glance notes it
      when it is asked for the image (M(openstack_ops.glance.store_tag)).
  returned: success
  type: int
  sample: 0
without_location:
  description: The active and deactivated images without any location, with C(id), C(name), C(status) and C(size).
  returned: success
  type: list
  elements: dict
  sample: []
stuck:
  description: The images on which nothing goes on, with C(id), C(name), C(status) and C(size).
  returned: success
  type: list
  elements: dict
  contains:
    since:
      description: Since when nothing has happened, in UTC.
      type: str
      sample: "2026-11-20T08:15:30Z"
    why:
      description: What is the matter.
      type: str
      sample: in the status saving
    task:
      description: The task that locks the image, if one does.
      type: str
      sample: ""
api:
  description:
    - What the API said, its C(url), its C(layout), its C(stores) and an C(error) where it could not be asked. Empty
      where it was not asked.
  returned: success
  type: dict
  sample: {url: "http://127.0.0.1:9292", layout: multi, stores: [local], error: ""}
orphans:
  description: What lies around; null without O(look_for_orphans), and where the locations are encrypted.
  returned: success
  type: dict
  contains:
    data_without_image:
      description:
        - What lies in a store and is of no image, with the C(store), its C(name), the C(image_id) that it seems to be
          of, its C(size) and when it was C(modified). Something else than Glance may have put it there.
      type: list
      elements: dict
      sample: []
    data_without_location:
      description:
        - What lies in a store and is of an image whose locations lead elsewhere, told in the same way. It is a copy
          that broke off, or the only data of the image, in a place that goes by another name in the location. Never
          delete it without looking.
      type: list
      elements: dict
      sample: []
    images_without_data:
      description: The images whose data is not in the C(store), with C(id), C(name), C(status) and C(size).
      type: list
      elements: dict
      sample: []
    forgotten_in_staging:
      description: The files in the staging directory that no upload or import is going to take, told in the same way.
      type: list
      elements: dict
      sample: []
notes:
  description: What could not be looked at, and whether the API has to be restarted.
  returned: success
  type: list
  elements: str
  sample: ["the API does not have the store 'ceph' yet: restart it"]
table:
  description: All of this as lines for people.
  returned: success
  type: list
  elements: str
  sample:
    - "STORE  TYPE  IMAGES  SIZE      DEFAULT  PLACE"
    - "local  file  12      24.0 GiB  yes      the directory /var/lib/glance/images"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _store_info
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import CONFIG_FILE

ARGUMENT_SPEC = {
    "config_file": {"type": "path", "default": CONFIG_FILE},
    "config_directory": {"type": "path"},
    "ask_api": {"type": "bool", "default": True},
    "api_url": {"type": "str"},
    "stuck_after": {"type": "int", "default": 86400},
    "look_for_orphans": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 60},
}


def main() -> None:
    """Look, and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = _store_info.run(module.params)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
