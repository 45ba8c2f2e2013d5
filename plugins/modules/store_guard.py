#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Finds the images that nobody could read any more with the stores that are going to be configured."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_guard
short_description: Find images that a change of the stores would cut off
version_added: 0.1.0
description:
  - Compares the stores that a node's Glance is configured with and the stores that it is going to have. Glance reads an
    image in the store that is noted with it; when that store is no longer configured, the image stays in the list, and
    its download is empty.
  - Where every store of today stays with its place, nothing else is looked at. A store whose name alone changes stays,
    too, as far as Glance finds its images by the beginning of their locations.
  - Otherwise the images of the stores that go or move are read from the database, with the account of the node's
    Glance. An image that is in a store that stays as well is not lost.
  - What is found does not fail the module, so that the problems of all hosts can be told in one message. Each problem
    has a code, which C(docs/checks.md) explains.
  - A file system that is going to be mounted over the directories of a store hides what lies there. Unless it is
    mounted already, the images that lie there now count as lost. So do all images beneath where another one is mounted,
    or was mounted by the unit of systemd that the collection wrote earlier.
  - On a node without a configuration of Glance, or with one that names no database, nothing can be compared. With
    O(database) the images that this database has are looked at there, and those count as lost that lie in no place of
    O(stores).
options:
  stores:
    description:
      - The stores that are going to be configured, as in the variable C(glance_stores).
    type: dict
    required: true
  default_store:
    description:
      - The store that uploads are going to. By default the first one of O(stores).
    type: str
  release:
    description:
      - The major number of the Glance that is going to run. V(25) is Zed.
    type: int
    required: true
  multi:
    description:
      - Whether the configuration is going to be in multi-store form.
    type: bool
    default: true
  allow_unreadable_images:
    description:
      - The stores of today whose images may be given up. In single-store form the name of a store is its type.
    type: list
    elements: str
    default: []
  database:
    description:
      - The URL of the database that the node's Glance is going to have, as in C([database] connection). It counts where
        the node's configuration names none.
      - Where it cannot be read, that is a problem, and in check mode a note, because it may be yet to come.
    type: str
  node:
    description:
      - The name of the node in the messages. By default its host name.
    type: str
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
  - oslo.config, SQLAlchemy and PyMySQL, which come with Glance, where the node has a configuration of Glance.
notes:
  - The module needs to read O(config_file), which is for root and Glance alone.
  - Needs the Python that Glance runs with.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_info
  - module: openstack_ops.glance.preflight
"""

EXAMPLES = r"""
- name: Find out whether images would be cut off
  openstack_ops.glance.store_guard:
    stores:
      ceph:
        type: rbd
        pool: images
        user: glance
        conf: /etc/ceph/ceph.conf
    default_store: ceph
    release: 25
  register: guard

- name: Stop with what was found
  ansible.builtin.assert:
    that: guard.problems | length == 0
    fail_msg: "{{ guard.messages | join('\n') }}"
"""

RETURN = r"""
problems:
  description: What would be lost, and what kept it from being found out.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: The code of the check.
      type: str
      sample: GLS-170
    node:
      description: The node.
      type: str
      sample: controller-1
    what:
      description: What was found.
      type: str
      sample: >-
        the store 'local' (the directory /var/lib/glance/images) is going to be no store any more, and 1 image(s) with
        20.44 MB are in it and in no store that stays: cirros (0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f)
    remedy:
      description: What to do about it.
      type: str
      sample: >-
        keep the store 'local' until its images have been moved to another store; or give the images up by naming the
        store in glance_allow_unreadable_images: [local]
    message:
      description: All of this in one line.
      type: str
      sample: "GLS-170 controller-1: the store 'local' ... What to do: keep the store ..."
messages:
  description: The C(message) of each problem.
  returned: success
  type: list
  elements: str
  sample: []
notes:
  description: What an operator should know though nothing has to be done.
  returned: success
  type: list
  elements: str
  sample:
    - "Glance is going to find the images of 'fs' in 'local': the directory /var/lib/glance/images"
stores:
  description:
    - What becomes of each store of today. On a node without a configured Glance only what is V(covered).
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
    place:
      description: Where it keeps its images.
      type: str
      sample: the directory /var/lib/glance/images
    fate:
      description:
        - V(kept), V(renamed), V(moved) when the store gets another place, V(covered) when a file system is going to be
          mounted over its directories, or V(gone).
      type: str
      sample: gone
    becomes:
      description: The store that it becomes, if any.
      type: str
      sample: ""
    images:
      description: How many images are in it and in no store that stays. Zero where they did not have to be counted.
      type: int
      sample: 1
    bytes:
      description: How many bytes these images have.
      type: int
      sample: 21430272
    allowed:
      description: Whether O(allow_unreadable_images) names the store.
      type: bool
      sample: false
default_store:
  description: The default store, C(before) and C(after). In single-store form the one of today is a type.
  returned: success
  type: dict
  sample: {before: local, after: ceph}
layout:
  description: The form of the configuration, V(multi), V(single) or nothing, C(before) and C(after).
  returned: success
  type: dict
  sample: {before: multi, after: multi}
has_run:
  description: Whether the configuration of the node names a database.
  returned: success
  type: bool
  sample: true
read_images:
  description: Whether the images had to be read from the database.
  returned: success
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _store_guard
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_secrets import hide_only_secrets


def main() -> None:
    """Compare, and report."""
    module = AnsibleModule(argument_spec=_store_guard.ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(module)
    try:
        result = _store_guard.run(module.params, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
