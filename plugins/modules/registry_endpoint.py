#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Takes the endpoints of a glance-registry out of Keystone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_endpoint
short_description: Take the endpoints of a glance-registry out of Keystone
version_added: 0.1.0
author: The openstack_ops.glance developers (@openstack-ops)
description:
  - Deletes the endpoints of the image service, or of a service called glance-registry, that lead to the port of a
    glance-registry which has been retired. A service of the registry's own that is left without endpoints goes too.
  - Endpoints of other services, of other regions and on other ports are left alone, whatever they are.
options:
  region:
    description:
      - The region in which the endpoints are looked for.
    type: str
    default: RegionOne
  port:
    description:
      - The port that the registry listened on.
    type: int
    default: 9191
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
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
seealso:
  - module: openstack_ops.glance.registration
"""

EXAMPLES = r"""
- name: Forget the registry
  openstack_ops.glance.registry_endpoint:
    cloud: admin
    region: RegionOne
"""

RETURN = r"""
deleted:
  description: The URLs of the endpoints that were deleted, or in check mode would be.
  returned: success
  type: list
  elements: str
  sample: ["http://controller-1:9191"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    connect,
    hide_only_secrets,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._registration import Keystone
from ansible_collections.openstack_ops.glance.plugins.module_utils._registry_endpoint import Retired, retire

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "region": {"type": "str", "default": "RegionOne"},
    "port": {"type": "int", "default": 9191},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={**AUTH_ARGUMENT_SPEC, **ARGUMENT_SPEC}, supports_check_mode=True)
    hide_only_secrets(module)
    retired = Retired(module.params["region"], module.params["port"])
    try:
        result = retire(Keystone(connect(module.params)), retired, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
