#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: Shows images, and saves the data of one
version_added: 0.1.0
description:
  - Returns the images that match, with their sizes, hashes and properties, and on request their stores and members.
  - Saves the data of one image into a file and compares them with the hash that Glance has noted. A file that has the
    right data already is not fetched again.
extends_documentation_fragment:
  - openstack_ops.glance._auth
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.actiongroup_openstack
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing of an image changes; O(save_to) writes a file.
  idempotent:
    support: full
options:
  id:
    description:
      - The id of the image.
    type: str
  name:
    description:
      - The name that the images have to have.
    type: str
  filters:
    description:
      - What the images have to have, as Glance's API takes it in a list, such as C(visibility), C(owner), C(status),
        C(tag), C(size_min), C(disk_format) or the name of any property.
      - C(tag) may be a list; an image has to have all of its tags. So may C(sort_key) and C(sort_dir). Of C(name),
        C(id), C(status), C(disk_format) and C(container_format), several values are given as C(in:A,B).
      - C(stores) is a store or a list of stores; an image has to lie in all of them. Glance has no filter for that, so
        the module lists the images and looks itself. It asks Glance one by one for those whose stores the list does not
        tell, as with O(stores=true).
      - C(os_hidden) is refused; O(hidden) says it.
      - Glance lists community images only with C(visibility=community), C(visibility=all) or an C(owner).
    type: dict
  hidden:
    description:
      - Whether hidden images are returned.
    type: str
    choices: [exclude, include, only]
    default: exclude
  stores:
    description:
      - Whether the stores are asked for one by one where the list does not tell them, which it does only for images
        that were asked for since Glance has several stores.
    type: bool
    default: false
  members:
    description:
      - Whether the members of shared images are returned, at the cost of one request for each.
    type: bool
    default: false
  save_to:
    description:
      - The file into which the data of the image are saved, where the module runs. Exactly one image has to match.
      - The file appears when all data have come and have the right hash. A file that is there and has another size or
        content is replaced, also an empty one.
      - The new file has the mode V(0600) and belongs to the user that the module runs as, whatever was there before.
      - Where the connection breaks, the download goes on from there, or begins again when Glance or its store gives out
        no parts of images; at most four times in all.
    type: path
  timeout:
    description:
      - How many seconds Glance may stay silent while data are transferred.
    type: int
    default: 600
  progress_file:
    description:
      - A file into which the module writes every second how far it is. The module's action plugin sets it when the
        module runs on the control node, and shows the progress of transfers that take longer than ten seconds.
    type: path
seealso:
  - module: openstack_ops.glance.image
author: The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Show the public images, and in which stores they are
  openstack_ops.glance.image_info:
    cloud: admin
    filters:
      visibility: public
    stores: true
  register: public

- name: Show the golden images of Debian that lie in both stores
  openstack_ops.glance.image_info:
    cloud: admin
    filters:
      tag: [golden, debian]
      stores: [ceph, archive]

- name: Show the old versions of an image
  openstack_ops.glance.image_info:
    cloud: admin
    name: debian-12
    hidden: only

- name: Save an image
  openstack_ops.glance.image_info:
    cloud: admin
    name: debian-12
    save_to: /srv/backup/debian-12.qcow2
"""

RETURN = r"""
images:
  description:
    - The images as Glance describes them, without the addresses of their data.
    - C(stores) is a list, empty where it is not known. C(members) holds the status by the id of the project.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 1be1a4ab-8b9a-4a56-b2bb-a2f5a8e9a2a1
      name: debian-12
      members: {}
      os_hash_algo: sha512
      os_hash_value: 4e8b4ac0...
      size: 344195072
      status: active
      stores: [ceph, archive]
      visibility: public
size:
  description: How many bytes the images have together.
  returned: success
  type: int
  sample: 344195072
saved:
  description: The file that has the data of the image, and the hash that it was compared by. Null without O(save_to).
  returned: success
  type: dict
  sample:
    algorithm: sha512
    hash: 4e8b4ac0...
    path: /srv/backup/debian-12.qcow2
    size: 344195072
requests:
  description: How many requests were sent to Keystone and Glance.
  returned: success
  type: int
  sample: 3
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_info
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    **AUTH_ARGUMENT_SPEC,
    "id": {"type": "str"},
    "name": {"type": "str"},
    "filters": {"type": "dict"},
    "hidden": {"type": "str", "choices": ["exclude", "include", "only"], "default": "exclude"},
    "stores": {"type": "bool", "default": False},
    "members": {"type": "bool", "default": False},
    "save_to": {"type": "path"},
    "timeout": {"type": "int", "default": 600},
    "progress_file": {"type": "path"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=[["id", "name"], ["id", "filters"]],
        supports_check_mode=True,
    )
    hide_only_secrets(module)
    try:
        result = _image_info.run(module.params, check_mode=module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
