#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: metadef_namespace
short_description: Keeps a namespace of metadata definitions as declared
version_added: 0.1.0
description:
  - Creates, changes or deletes one namespace of Glance's catalogue of metadata definitions, with its resource types,
    properties, objects and tags.
  - Those that Glance ships are loaded by M(openstack_ops.glance.schema). With O(mode=merge), this module adds to them.
  - An option that is left out never changes what is there.
extends_documentation_fragment:
  - openstack_ops.glance._auth
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.actiongroup_openstack
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - The name of the namespace, such as V(OS::Compute::Watchdog).
    type: str
    required: true
  state:
    description:
      - Whether the namespace shall be there. With V(absent), one that is protected is refused.
    type: str
    choices: [present, absent]
    default: present
  mode:
    description:
      - With V(exact), whatever stands in a declared part (O(properties), O(objects), O(resource_types), O(tags)) and is
        not declared is removed. With V(merge), it stays.
    type: str
    choices: [merge, exact]
    default: merge
  display_name:
    description:
      - The name that users see.
    type: str
  description:
    description:
      - What the namespace is about.
    type: str
  visibility:
    description:
      - Whether other projects see the namespace.
    type: str
    choices: [public, private]
  protected:
    description:
      - Whether the namespace is protected from being deleted.
    type: bool
  owner:
    description:
      - The name or the id of the project that owns the namespace.
    type: str
  resource_types:
    description:
      - What the definitions are for. Each is a dictionary with a C(name), such as V(OS::Glance::Image), and may have a
        C(prefix) and a C(properties_target).
    type: list
    elements: raw
  properties:
    description:
      - The properties by their names, each with its JSON schema.
    type: dict
  objects:
    description:
      - Groups of properties. Each is a dictionary with a C(name), and may have a C(description), C(required) and
        C(properties).
    type: list
    elements: raw
  tags:
    description:
      - The names of the tags.
    type: list
    elements: str
seealso:
  - module: openstack_ops.glance.schema
author: The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Describe the properties that our images have
  openstack_ops.glance.metadef_namespace:
    cloud: admin
    name: EXAMPLE::Images
    display_name: Our images
    visibility: public
    mode: exact
    resource_types:
      - name: OS::Glance::Image
    properties:
      example_support_until:
        title: Supported until
        type: string
        pattern: ^\d{4}-\d{2}-\d{2}$
      example_tier:
        title: Tier
        type: string
        enum: [gold, silver]
    tags: [golden]

- name: Add a property to a namespace that Glance ships
  openstack_ops.glance.metadef_namespace:
    cloud: admin
    name: OS::Compute::Watchdog
    properties:
      watchdog_contact:
        title: Whom to call
        type: string
"""

RETURN = r"""
requests:
  description: How many requests were sent to Keystone and Glance.
  returned: success
  type: int
  sample: 3
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _metadef_namespace
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    **AUTH_ARGUMENT_SPEC,
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "mode": {"type": "str", "choices": ["merge", "exact"], "default": "merge"},
    "display_name": {"type": "str"},
    "description": {"type": "str"},
    "visibility": {"type": "str", "choices": ["public", "private"]},
    "protected": {"type": "bool"},
    "owner": {"type": "str"},
    # ansible-core would not say which entry is no dictionary, and would take a text such as "name=x" for one.
    "resource_types": {"type": "list", "elements": "raw"},
    "properties": {"type": "dict"},
    "objects": {"type": "list", "elements": "raw"},
    "tags": {"type": "list", "elements": "str"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(module)
    try:
        result = _metadef_namespace.run(module.params, check_mode=module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
