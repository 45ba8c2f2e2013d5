#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Reads images back from a store, and compares their bytes with the hash that Glance has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_verify
short_description: Read images back from a store, and compare their bytes with their hashes
version_added: 0.1.0
description:
  - Reads the data of images on a node, through a Glance that has only the store in question
    (M(openstack_ops.glance.store_reader)), and compares length and hash with what Glance has noted. Nothing is kept of
    the data, and the memory that it takes does not depend on the size of the images.
  - An image for which Glance has no hash is read from the old store, too, and both are compared.
  - C(204 No Content), a body that ends early, and other bytes are a failure of that image. It does not keep the module
    from looking at the others, and is no failure of the module. See RV(failures).
  - Changes nothing.
options:
  images:
    description:
      - The images. Each has an C(id), and as far as it is known its C(size), C(hash_algo) and C(hash_value). What an
        earlier run read from the old store may be given as C(source_hash), with C(algo), C(value) and C(size). It takes
        precedence, as Glance gives an image without a hash that of the first copy. Whatever else it has is ignored.
    type: list
    elements: dict
    required: true
  reader_url:
    description:
      - The Glance to read through.
    type: str
    default: http://127.0.0.1:9393
  source_url:
    description:
      - The Glance that has the old store, for images without a hash. Without it, these fail.
    type: str
  reader_stores:
    description:
      - The stores that the Glance of O(reader_url) must have, and no others. It is asked before the first image is
        read through it; with other stores, no image is proved.
    type: list
    elements: str
  source_stores:
    description:
      - The same of O(source_url).
    type: list
    elements: str
  files_of:
    description:
      - The store that is verified. When it is of the type file, the files themselves are read, with the rights of
        O(user), instead of asking O(reader_url). Their names are looked up in Glance's database.
      - Without it, everything is read through O(reader_url).
    type: str
  auth:
    description:
      - What the authentication plugin O(auth_type) needs, as in C(clouds.yaml) (C(auth_url), C(username), C(password),
        C(project_name), ...). It has to be of an administrator, who may read the images of all projects, deactivated
        ones included. When a token is no longer accepted another one is asked for.
      - Without O(auth) and O(token), the user of C([keystone_authtoken]) in the node's configuration is used.
    type: dict
  auth_type:
    description:
      - The name of the keystoneauth plugin.
    type: str
    default: password
  token:
    description:
      - A token, instead of O(auth). When it expires, what is left fails.
    type: str
  ca_cert:
    description:
      - A file with the certificates of the authorities to trust when Keystone is asked for a token for O(auth).
    type: path
  validate_certs:
    description:
      - Whether Keystone's certificate is verified.
    type: bool
    default: true
  transfers:
    description:
      - How many images are read at the same time.
    type: int
    default: 2
  attempts:
    description:
      - How often an image is tried whose transfer breaks off or is answered with an error of the server. Wrong bytes
        are not read twice.
    type: int
    default: 2
  timeout:
    description:
      - After how many seconds without a byte a transfer counts as broken off.
    type: int
    default: 120
  controller:
    description:
      - The name of the node, for RV(results).
    type: str
    default: ""
  progress_file:
    description:
      - A file on the node in which is written once a second how far the module is. The action plugin sets it, and shows
        what is in it.
    type: path
  user:
    description:
      - The user that Glance runs as.
    type: str
    default: glance
attributes:
  action:
    description: Has an action plugin, which shows how far the module is while it works.
    support: full
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
  - keystoneauth1, requests and oslo.config, and with O(files_of) SQLAlchemy and PyMySQL, which come with Glance.
notes:
  - The module runs as root, and with the Python that Glance runs with.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_reader
"""

EXAMPLES = r"""
- name: Read images back from the new store
  openstack_ops.glance.store_verify:
    images:
      - id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
        size: 21430272
        hash_algo: sha256
        hash_value: 0f1a7b5c34a2d47bd0b4bd9c9c1b6c3a6b1c5d7b9b2c0e4f1d3a5b7c9e0f2a4b
    reader_url: http://127.0.0.1:9393
    reader_stores: [objects]
    controller: "{{ inventory_hostname }}"
  register: verification

- name: Say what is not as it was
  ansible.builtin.debug:
    msg: "{{ verification.failures }}"
"""

RETURN = r"""
results:
  description: What happened, as lines of a journal. The images are in the order in which they were given.
  returned: success
  type: list
  elements: dict
  contains:
    event:
      description: V(verify), or V(source_hash) for what was read from the old store.
      type: str
      sample: verify
    image_id:
      description: The id of the image.
      type: str
      sample: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f
    state:
      description: V(done) or V(failed); not for V(source_hash).
      type: str
      sample: done
    proof:
      description: V(reader) when it was read through Glance, V(file) when the file was read; not for V(source_hash).
      type: str
      sample: reader
    algo:
      description: The hash algorithm; nothing when the data could not be read.
      type: str
      sample: sha512
    value:
      description: The hash of what was read.
      type: str
      sample: 6b813aa46bb90b4da216a4d19376593f
    size:
      description: How many bytes were read.
      type: int
      sample: 21430272
    controller:
      description: O(controller).
      type: str
      sample: controller-1
    attempt:
      description: At which attempt it could be read.
      type: int
      sample: 1
    seconds:
      description: How long it took.
      type: float
      sample: 0.412
    reason:
      description: Why it failed, when it did.
      type: str
      sample: "HTTP 204: no location of the image leads to its data through this Glance"
verified:
  description: How many images are as they were.
  returned: success
  type: int
  sample: 1
failures:
  description: Those of RV(results) that tell of a failure.
  returned: success
  type: list
  elements: dict
  sample: []
bytes:
  description: How many bytes were read.
  returned: success
  type: int
  sample: 21430272
seconds:
  description: How long everything took.
  returned: success
  type: float
  sample: 0.412
"""

import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_verify
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import hide_only_secrets
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import CONFIG_FILE

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "images": {"type": "list", "elements": "dict", "required": True},
    "reader_url": {"type": "str", "default": "http://127.0.0.1:9393"},
    "source_url": {"type": "str"},
    "reader_stores": {"type": "list", "elements": "str"},
    "source_stores": {"type": "list", "elements": "str"},
    "files_of": {"type": "str"},
    "auth": {"type": "dict", "no_log": True},
    "auth_type": {"type": "str", "default": "password"},
    "token": {"type": "str", "no_log": True},
    "ca_cert": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "transfers": {"type": "int", "default": 2},
    "attempts": {"type": "int", "default": 2},
    "timeout": {"type": "int", "default": 120},
    "controller": {"type": "str", "default": ""},
    "progress_file": {"type": "path"},
    "config_file": {"type": "path", "default": CONFIG_FILE},
    "config_directory": {"type": "path"},
    "user": {"type": "str", "default": "glance"},
}


def problems(params: dict[str, t.Any]) -> t.Iterator[str]:
    """Return what is wrong with the parameters."""
    if not all(isinstance(image.get("id"), str) and image["id"] for image in params["images"]):
        yield "images: each of them needs an id."
    for option in ("transfers", "attempts", "timeout"):
        if params[option] < 1:
            yield f"{option}: {params[option]} is less than 1."
    for option in ("reader_url", "source_url"):
        url = params[option]
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            yield f"{option}: {url!r} is not an http or https URL."


def main() -> None:
    """Verify, and report."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC, mutually_exclusive=[("auth", "token")], supports_check_mode=True
    )
    hide_only_secrets(module)
    found = list(problems(module.params))
    if found:
        module.fail_json(msg=" ".join(found))
    try:
        result = _switch_verify.run(module.params)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
