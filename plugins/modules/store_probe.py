#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Proves that Glance can use its stores from a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_probe
short_description: Prove that Glance can use its stores from a node
version_added: 0.1.0
description:
  - For every store, a small object with a name of its own is written, read, compared and deleted, as the user that
    Glance runs as and with the client library that Glance uses. It is the values of O(stores) that are tried, before
    they are written to a file of Glance. Only a store of the type V(rbd) with the option C(conf) is tried with the
    files of the node.
  - All stores are tried at once, each in a process of its own that is given up after O(timeout). A server that does not
    answer, or a network mount that hangs, does not hang the module.
  - It does not fail because of what it finds, so that the problems of all nodes can be told in one message. Each
    problem has a code, which C(docs/checks.md) explains.
  - What is tried depends on the type. With V(file) every directory, and whether the file system of the option C(mount)
    is mounted, and no other one. With V(swift), V(s3) and V(rbd) the container, the bucket, the pool. With V(swift)
    and C(multi_tenant) the login alone, for the objects go into the accounts of the users. With V(cinder) the login,
    the volume type and whether O(user) may run C(glance-rootwrap), with V(vmware) the connection alone, with V(http)
    the file of the certificates; nothing is written there.
  - In check mode nothing is written anywhere. It logs in and looks at the place of each store. What the collection
    itself makes on a node, such as a directory, may be missing then.
options:
  mode:
    description:
      - With V(probe), the stores are tried.
      - With V(look), the node looks for the O(markers) of other nodes, and those that it does not see are problems.
      - With V(remove), the O(markers) are removed.
      - With V(mounts), the node looks whether something else is mounted where a store has the option C(mount). Nothing
        is a problem then that is not mounted yet.
      - With V(apart), it is proved of each two stores that they are different places, whatever their options say. While
        an object is in the one, an object of the same name is written, read and deleted in the other, and must not
        change the first. The other one may be full. Stores of types in which nothing is written are left out, and in
        check mode all.
    type: str
    choices: [probe, look, remove, mounts, apart]
    default: probe
  stores:
    description:
      - The stores by name, as in C(glance_stores), with their credentials. Needed with O(mode=probe),
        O(mode=mounts) and O(mode=apart).
    type: dict
  environment:
    description:
      - The environment variables that Glance's unit is given, such as C(AWS_CA_BUNDLE). The stores are tried with them
        and without those of who runs the module.
      - They are no secrets, for systemd shows them to every user of the node.
    type: dict
    default: {}
  leave_markers:
    description:
      - Whether O(mode=probe) leaves a marker in each directory of a file store that the nodes share, which is one with
        the option C(shared) or C(mount). Its name begins with C(.openstack-ops-shared-).
    type: bool
    default: false
  markers:
    description:
      - The RV(markers) that O(mode=probe) returned on all nodes. Needed with O(mode=look) and O(mode=remove).
    type: list
    elements: dict
    suboptions:
      node:
        description:
          - The node that wrote it.
        type: str
        required: true
      store:
        description:
          - The name of the store.
        type: str
        required: true
      path:
        description:
          - The path of the marker.
        type: path
        required: true
  node:
    description:
      - The name of the node in the messages and the markers. By default its host name.
    type: str
  user:
    description:
      - The user that Glance runs as.
    type: str
    default: glance
  timeout:
    description:
      - How many seconds the stores may take.
    type: int
    default: 30
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
notes:
  - It has to run as root, to become O(user).
  - A container or a bucket that is missing is made where the store's option C(create_container) or C(create_bucket)
    says so. It stays, and is the only thing that counts as a change.
  - A store that is given up may keep an object whose name begins with C(openstack-ops-probe-). The problem names it
    then.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.preflight
  - module: openstack_ops.glance.verify
"""

EXAMPLES = r"""
- name: Try the stores on every controller
  openstack_ops.glance.store_probe:
    stores: "{{ glance_stores }}"
    node: "{{ inventory_hostname }}"
    leave_markers: "{{ ansible_play_hosts | length > 1 }}"
  register: probe

- name: Look for what the other controllers wrote
  openstack_ops.glance.store_probe:
    mode: look
    node: "{{ inventory_hostname }}"
    markers: "{{ ansible_play_hosts | map('extract', hostvars) | map(attribute='probe.markers') | flatten }}"
  register: look

- name: Remove the own markers
  openstack_ops.glance.store_probe:
    mode: remove
    node: "{{ inventory_hostname }}"
    markers: "{{ probe.markers }}"

- name: Stop with what was found
  ansible.builtin.assert:
    that: (probe.problems + look.problems) | length == 0
    fail_msg: "{{ (probe.messages + look.messages) | join('\n') }}"
"""

RETURN = r"""
stores:
  description: What was found about each store.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the store.
      type: str
      sample: objects
    type:
      description: Its type.
      type: str
      sample: swift
    where:
      description: Where it keeps its images.
      type: str
      sample: the container glance of service at http://keystone.example.org:5000/v3
    status:
      description: V(ok), V(failed) or V(not checked).
      type: str
      sample: ok
    milliseconds:
      description: How long it took.
      type: int
      sample: 412
    free:
      description: How many bytes are free there, where the backend tells.
      type: int
      sample: 51539607552
    total:
      description: How many bytes there are, where the backend tells.
      type: int
      sample: 107374182400
    notes:
      description: What people should know, such as what was not tried.
      type: list
      elements: str
      sample: []
    problems:
      description: The problems of this store.
      type: list
      elements: dict
      sample: []
problems:
  description: The problems of all stores.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: The code of the check.
      type: str
      sample: GLS-163
    node:
      description: The node.
      type: str
      sample: controller-1
    what:
      description: What was found.
      type: str
      sample: >-
        glance_stores.objects (the container glance of service at http://keystone.example.org:5000/v3): logging in at
        http://keystone.example.org:5000/v3: Unauthorized.
    remedy:
      description: What to do about it.
      type: str
      sample: correct the credentials in glance_stores; let Glance's user read the file
    message:
      description: All of this in one line.
      type: str
      sample: >-
        GLS-166 controller-1: glance_stores.local (the directory /srv/images): nothing is mounted on /srv/images: images
        would land on the node's own disk. What to do: mount it (systemctl start, or mount), and look at the server that
        exports it.
messages:
  description: The C(message) of each problem.
  returned: success
  type: list
  elements: str
  sample: []
markers:
  description: The markers that were left, for O(markers).
  returned: success
  type: list
  elements: dict
  contains:
    node:
      description: This node.
      type: str
      sample: controller-1
    store:
      description: The name of the store.
      type: str
      sample: local
    path:
      description: The path of the marker.
      type: str
      sample: /srv/images/.openstack-ops-shared-0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f-controller-1
mounted:
  description: The directories of the option C(mount) of the stores on which something is mounted.
  returned: success
  type: list
  elements: str
  sample: [/srv/images]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _store_probe
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_secrets import hide_only_secrets

ARGUMENT_SPEC = {
    "mode": {"type": "str", "choices": ["probe", "look", "remove", "mounts", "apart"], "default": "probe"},
    "stores": {"type": "dict", "no_log": True},
    "environment": {"type": "dict", "default": {}},
    "leave_markers": {"type": "bool", "default": False},
    "markers": {
        "type": "list",
        "elements": "dict",
        "options": {
            "node": {"type": "str", "required": True},
            "store": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
        },
    },
    "node": {"type": "str"},
    "user": {"type": "str", "default": "glance"},
    "timeout": {"type": "int", "default": 30},
}


def main() -> None:
    """Try, and report."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_if=[
            ("mode", "probe", ["stores"]),
            ("mode", "mounts", ["stores"]),
            ("mode", "apart", ["stores"]),
            ("mode", "look", ["markers"]),
            ("mode", "remove", ["markers"]),
        ],
        supports_check_mode=True,
    )
    hide_only_secrets(module)
    try:
        result = _store_probe.run(module.params, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
