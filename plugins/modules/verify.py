#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Proves that every node's Image API works."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verify
short_description: Prove that every node's Image API works
version_added: 0.1.0
description:
  - Asks each node's API for C(/healthcheck), and for the images without a token, which has to be refused with 401.
  - Then uploads a small random image through the first node, reads it back from every node, compares the bytes by their
    sha512, deletes the image and looks that it is gone.
  - Deletes its image also when a check fails or the module is stopped by a signal. What a killed run has left behind is
    deleted by a run of the same user ten minutes later. Such images are called C(glance-verify-*) and have the tag
    C(glance-verify).
  - Fails when anything is wrong, with all of it in one message, and the results of every node.
  - In check mode only the first two checks are made, without a token, and a node that does not answer is skipped.
options:
  endpoints:
    description:
      - The URL of each node's own API (not of a load balancer), by the name of the node. The order counts.
    type: dict
    required: true
  size:
    description:
      - How many bytes are uploaded. They are held in memory.
    type: int
    default: 1048576
  timeout:
    description:
      - How many seconds a server may be silent.
    type: int
    default: 60
  store:
    description:
      - The store that the image is uploaded into. Without it, the default store.
    type: str
  drained:
    description:
      - Whether a node is fine whose C(/healthcheck) says that it was taken out of service by file. Use this to prove a
        node before it is put back.
    type: bool
    default: false
  note_stores:
    description:
      - Whether Glance shall note in which store each image is that has none noted, before the image is uploaded. It is
        what M(openstack_ops.glance.store_tag) does.
    type: bool
    default: false
attributes:
  check_mode:
    support: partial
    details: Only what needs no upload is looked at.
  diff_mode:
    support: N/A
    details: What is made is deleted again.
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
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.preflight
"""

EXAMPLES = r"""
- name: Prove that both controllers work
  openstack_ops.glance.verify:
    cloud: admin
    endpoints:
      controller-1: http://192.0.2.11:9292
      controller-2: http://192.0.2.12:9292
  delegate_to: localhost
  run_once: true
  register: verification

- name: Show what was proved
  ansible.builtin.debug:
    msg: "{{ verification.summary }}"

- name: Prove that a store works that is not the default
  openstack_ops.glance.verify:
    cloud: admin
    endpoints:
      controller-1: https://controller-1.example.org:9292
    ca_cert: /etc/ssl/certs/example-ca.pem
    store: objects
    size: 33554432
"""

RETURN = r"""
nodes:
  description: What became of each check on each node. V(ok), V(skipped), or what was wrong.
  returned: always
  type: list
  elements: dict
  contains:
    node:
      description: The node.
      type: str
      sample: controller-1
    url:
      description: The URL of its API.
      type: str
      sample: http://192.0.2.11:9292
    healthcheck:
      description: Whether C(/healthcheck) answers with 200. V(drained) where it was allowed to say so.
      type: str
      sample: ok
    unauthenticated:
      description: Whether a request without a token is refused with 401.
      type: str
      sample: ok
    upload:
      description: Whether the image could be uploaded. The image is uploaded through one node.
      type: str
      sample: ok
    download:
      description: Whether the node gives the image back as it was uploaded.
      type: str
      sample: ok
    seconds:
      description: How long all of it took.
      type: float
      sample: 0.42
problems:
  description: What is wrong.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The code of the check.
      type: str
      sample: GLS-311
    node:
      description: The node.
      type: str
      sample: controller-2
    what:
      description: What was found.
      type: str
      sample: "the image is LOST: http://192.0.2.12:9292 gives HTTP 204 with 0 of 1048576 bytes"
    remedy:
      description: What to do about it.
      type: str
      sample: "make the store readable from every node: a file store has to be on a shared file system"
    message:
      description: All of this in one line.
      type: str
      sample: "GLS-311 controller-2: the image is LOST: ..."
summary:
  description: The results for people, a line for each node and one for the whole.
  returned: always
  type: list
  elements: str
  sample:
    - "controller-1 (http://192.0.2.11:9292): healthcheck ok, without a token refused, upload ok, download ok"
    - "An image of 1048576 bytes came back unchanged from 1 of 1 nodes; 9 requests."
image:
  description: The image that was uploaded and deleted. None when none was.
  returned: always
  type: dict
  contains:
    id:
      description: The id of the image.
      type: str
      sample: 6f1c7a52-6f6e-4b0e-9a54-0c9d7a9a6e11
    name:
      description: The name of the image.
      type: str
      sample: glance-verify-6f1c7a52
    size:
      description: The size in bytes.
      type: int
      sample: 1048576
    sha512:
      description: The hash of the bytes.
      type: str
      sample: ee26b0dd4af7e749aa1a8ee3c10ae9923f618980772e473f8819a5d4940e0db27ac185f8...
removed_leftovers:
  description: The ids of the images of earlier runs that were deleted.
  returned: always
  type: list
  elements: str
  sample: []
stores:
  description: The images that had no store noted, or one that is not configured. None without O(note_stores), and
    when no node is fine.
  returned: always
  type: dict
  contains:
    images:
      description: How many images there are.
      type: int
    single:
      description: Whether the API is in single-store form, in which there is nothing to note.
      type: bool
    tagged:
      description: The images that have got the name of their store, each with C(id) and C(name).
      type: list
      elements: dict
    renamed:
      description: The images that have got another one.
      type: list
      elements: dict
    untagged:
      description: The images to whose data no store of the configuration leads.
      type: list
      elements: dict
  sample: {images: 12, single: false, tagged: [], renamed: [], untagged: []}
requests:
  description: How many HTTP requests were answered, those to Keystone included.
  returned: always
  type: int
  sample: 9
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    connect,
    hide_only_secrets,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._verify import Verification

ARGUMENT_SPEC = {
    **AUTH_ARGUMENT_SPEC,
    "endpoints": {"type": "dict", "required": True},
    "size": {"type": "int", "default": 1048576},
    "timeout": {"type": "int", "default": 60},
    "store": {"type": "str"},
    "drained": {"type": "bool", "default": False},
    "note_stores": {"type": "bool", "default": False},
}


def main() -> None:
    """Verify, and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(module)
    options = module.params
    if not options["endpoints"] or options["size"] < 1:
        module.fail_json(msg="endpoints has to name at least one node, and size has to be 1 or more.")
    try:
        verification = Verification(
            connect(options), options["endpoints"], options["timeout"], options["store"], options["drained"]
        )
        verification.look(silence_is_fine=module.check_mode)
        if options["note_stores"]:
            verification.note_stores(module.check_mode)
        if not module.check_mode:
            verification.prove(options["size"])
    except GlanceError as error:
        module.fail_json(msg=str(error))
    if verification.problems:
        messages = "\n".join(problem.message for problem in verification.problems)
        module.fail_json(msg=messages, changed=False, **verification.result())
    module.exit_json(changed=False, **verification.result())


if __name__ == "__main__":
    main()
