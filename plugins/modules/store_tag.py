#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Lets Glance note in which store each image is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_tag
short_description: Let Glance note in which store each image is
version_added: 0.1.0
description:
  - In single-store form Glance does not note in which store an image is. After a change to multi-store form it does so
    for an image when somebody asks for that image. This module lists all images, hidden ones and those of all projects
    too, and asks for each that has no store.
  - A store that gets another name leaves its old one with its images. Glance corrects that in the same way; so images
    are asked for, too, that name a store which the API does not have.
  - Changes nothing but that note. Where every image has its store, it only lists them, a thousand a request.
  - An image that has no such store afterwards either lies where no store of the configuration leads; it cannot be read.
  - Where the API is in single-store form, no image is looked at, except in check mode.
  - In check mode it lists the images, and reports those that have no store. Where no Glance answers then, there are
    none.
options:
  endpoint:
    description:
      - The URL of the API that is asked, such as V(http://192.0.2.11:9292). By default the one in the catalogue, behind
        which there may be controllers with another configuration.
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
    platforms: posix
  action_group:
    support: full
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.actiongroup_openstack
  - openstack_ops.glance._auth
notes:
  - The user needs the role C(admin), to see the images of all projects.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.verify
"""

EXAMPLES = r"""
- name: Let Glance note in which store each image is
  openstack_ops.glance.store_tag:
    cloud: admin
    endpoint: "http://{{ ansible_host }}:9292"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
images:
  description: How many images there are.
  returned: success
  type: int
  sample: 12
single:
  description: Whether the API is in single-store form. In check mode also when it did not answer.
  returned: success
  type: bool
  sample: false
tagged:
  description: The images that had no store, and have one now. In check mode none.
  returned: success
  type: list
  elements: dict
  contains:
    id: &id
      description: The id of the image.
      type: str
      sample: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    name: &name
      description: The name of the image.
      type: str
      sample: cirros
renamed:
  description:
    - The images that had the name of a store that is not configured, and have another one now. In check mode none.
  returned: success
  type: list
  elements: dict
  sample: []
untagged:
  description:
    - The images with data that have no store, or one that is not configured. In check mode those that would be asked
      for.
  returned: success
  type: list
  elements: dict
  contains:
    id: *id
    name: *name
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    connect,
    hide_only_secrets,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_tag import Tagging


def main() -> None:
    """Look, ask, and report."""
    module = AnsibleModule(argument_spec={**AUTH_ARGUMENT_SPEC, "endpoint": {"type": "str"}}, supports_check_mode=True)
    hide_only_secrets(module)
    try:
        tagging = Tagging(ImageApi(connect(module.params), module.params["endpoint"]))
        tagging.look(module.check_mode)
        found = len(tagging.left)
        if found and not module.check_mode:
            tagging.tag()
            found -= len(tagging.left)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=found > 0, **tagging.result())


if __name__ == "__main__":
    main()
