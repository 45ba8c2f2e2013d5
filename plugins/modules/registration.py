#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Registers the Image service in Keystone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registration
short_description: Register the Image service in Keystone
version_added: 0.1.0
description:
  - Brings about everything that Keystone has to know about Glance, in one invocation and with one token. That is the
    region, the service project, the service user with its password and its roles on that project, the service, and its
    endpoints.
  - Uses what is there, by its identity rather than by its spelling. A service of the type O(service_type) is used
    whatever it is called; an endpoint is changed in place and keeps its id; what is disabled is enabled.
  - Refuses duplicates (two services of the type, two endpoints of one interface in the region) rather than adding to
    them.
  - Sends at most 8 requests to Keystone when nothing has to be changed.
options:
  state:
    description:
      - V(present) brings the registration about.
      - V(absent) deletes the endpoints of O(region), then the service and the service user with its role assignments.
        Where the service has endpoints in another region, the service and the user are kept, and a warning tells so.
        Region, project, domains and roles are never deleted.
    type: str
    choices: [present, absent]
    default: present
  region:
    description:
      - The region in which the endpoints are registered. It is created where it is missing.
      - O(region_name) is something else, the region whose Keystone is asked.
    type: str
    default: RegionOne
  service_project:
    description:
      - The name of the project on which the service user has its roles. It is created where it is missing.
    type: str
    default: service
  project_domain:
    description:
      - The name (not the id) of the domain that holds O(service_project). It has to exist.
    type: str
    default: Default
  service_user:
    description:
      - The name of the user that Glance logs in as. It is created where it is missing.
    type: str
    default: glance
  user_domain:
    description:
      - The name (not the id) of the domain that holds O(service_user). It has to exist.
    type: str
    default: Default
  service_password:
    description:
      - The password of O(service_user). Required with O(state=present).
      - It is current when a login with it works, and is set where it is not. After it has been set, a login proves it.
      - The password of a disabled user cannot be proved, so it is set along with enabling the user.
    type: str
  roles:
    description:
      - The names of the roles that the service user has on the service project. Other roles that it has are left alone.
      - The role V(service) is created where it is missing, as Keystone itself defines it only since 2023.1. Any other
        role has to exist.
    type: list
    elements: str
    default: [admin, service]
  service_type:
    description:
      - The type of the service. Clients find the Image service by V(image).
    type: str
    default: image
  service_name:
    description:
      - The name of the service.
      - Without it, a service that is created is called V(glance), and one that is there keeps its name. With it, a
        service that is called otherwise is renamed in place.
    type: str
  service_description:
    description:
      - The description of the service.
      - Without it, a service that is created is described as V(OpenStack Image), and one that is there keeps its
        description.
    type: str
  endpoints:
    description:
      - The URL of each interface. An interface that is omitted is left as it is.
    type: dict
    default: {}
    suboptions:
      public:
        description: The URL for everybody.
        type: str
      internal:
        description: The URL for the services of the cloud.
        type: str
      admin:
        description: The URL for administrators.
        type: str
extends_documentation_fragment:
  - openstack_ops.glance._auth
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.actiongroup_openstack
attributes:
  check_mode:
    support: full
    details:
      - The service user's password is tried in check mode too. Keystone counts a login that fails, as it counts any
        other.
  diff_mode:
    support: full
    details:
      - The password is never shown, only that it is set.
  idempotent:
    support: full
notes:
  - The URLs of O(endpoints) are checked before anything is changed. Whether anything answers there is not.
author:
  - The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Register Glance with the cloud administrator of clouds.yaml
  openstack_ops.glance.registration:
    cloud: admin
    service_password: "{{ glance_keystone_password }}"
    endpoints:
      public: https://images.example.org:9292
      internal: http://glance.internal.example.org:9292
      admin: http://glance.internal.example.org:9292

- name: Register Glance in a second region, with credentials given whole
  openstack_ops.glance.registration:
    auth:
      auth_url: https://keystone.example.org:5000/v3
      username: admin
      password: "{{ admin_password }}"
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
    ca_cert: /etc/ssl/certs/example-ca.pem
    region: RegionTwo
    service_password: "{{ glance_keystone_password }}"
    endpoints:
      public: https://images.two.example.org:9292

- name: Register a service user of a domain of its own, and call the service glance whatever it is called now
  openstack_ops.glance.registration:
    cloud: admin
    service_project: services
    project_domain: infrastructure
    user_domain: infrastructure
    service_password: "{{ glance_keystone_password }}"
    roles: [service]
    service_name: glance

- name: Take the registration away
  openstack_ops.glance.registration:
    cloud: admin
    region: RegionTwo
    state: absent
"""

RETURN = r"""
requests:
  description: How many HTTP requests were sent to Keystone, discovery and tokens included.
  returned: success
  type: int
  sample: 6
service_id:
  description: The id of the service. Null where it is absent, or would only be created.
  returned: success
  type: str
  sample: 2c4a1bd0c8e94e4fb27ff1e5a6d0c1b3
service_name:
  description: The name that the service has, which need not be V(glance).
  returned: success
  type: str
  sample: glance
user_id:
  description: The id of the service user. Null where it is absent, kept for another region, or would only be created.
  returned: success
  type: str
  sample: 5b0f9c8df8f54d5d9a0a5f0ac4dcd3a9
project_id:
  description: The id of the service project. Null with O(state=absent), or where it would only be created.
  returned: success
  type: str
  sample: 9a3e5f8f4c3145d2b8ff0ecb1dfc27a1
endpoints:
  description: The id and the URL of every endpoint of the service in O(region), by interface.
  returned: success
  type: dict
  sample:
    public:
      id: 0d4dbd0d7c6c4a3e8a1fb1d6de9d0c11
      url: https://images.example.org:9292
"""

import dataclasses

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    connect,
    hide_only_secrets,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._registration import ARGUMENT_SPEC, Wanted, register


def main() -> None:
    module = AnsibleModule(
        argument_spec={**AUTH_ARGUMENT_SPEC, **ARGUMENT_SPEC},
        required_if=[("state", "present", ["service_password"])],
        supports_check_mode=True,
    )
    hide_only_secrets(module)
    wanted = Wanted(**{field.name: module.params[field.name] for field in dataclasses.fields(Wanted)})
    present = module.params["state"] == "present"
    try:
        result = register(connect(module.params), wanted, module.warn, present=present, check=module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
