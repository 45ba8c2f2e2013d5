#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: image_catalog
short_description: Keeps a list of images in Glance as declared
version_added: 0.1.0
description:
  - Does for a whole list what M(openstack_ops.glance.image) does for one image, in one invocation with one token.
  - All images are looked up in one listing of the project's images. Only what differs leads to further requests, so
    that a hundred images without a change cost what one costs.
  - An image that fails does not stop the others. At the end the module fails and names each of them.
  - A list with a mistake in it is refused as a whole, before anything is changed.
extends_documentation_fragment:
  - openstack_ops.glance._auth
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.actiongroup_openstack
attributes:
  check_mode:
    support: full
    details: The sources are looked at in check mode, too. As long as Glance is not there yet, the images are taken as
      missing, with warnings.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: The content of a URL without a checksum is compared by its size only, with a warning.
options:
  images:
    description:
      - The images. Each is a dictionary with the options of M(openstack_ops.glance.image), but for those that say how
        the cloud is reached.
      - No image may be meant by two entries. A name may stand there twice with different owners, or with an C(id).
      - An entry never takes an image that another one means by its C(id), or by its name and owner. A project whose
        entry comes second gets an image of its own.
    type: list
    elements: raw
    required: true
  catalog:
    description:
      - The name of the catalogue. It is noted in the property C(owner_specified.openstack_ops.catalog) of every image
        that is created, together with the id of the image.
      - Lists that are kept apart in one project need different names as soon as one of them has O(purge); with the same
        name, each deletes what only the other one declares.
    type: str
    default: default
  purge:
    description:
      - Whether images that the catalogue has created and that are not declared any more are deleted.
      - Only images are deleted that belong to the project of the credentials or to a declared owner, and that bear the
        note of this O(catalog) with their own id. An image that was there before it was declared has no such note, and
        a snapshot of a server bears the id of another image, so neither is ever deleted.
      - What is protected or in use is kept, with a warning. Nothing is deleted while an image of the list fails.
    type: bool
    default: false
  transfers:
    description:
      - How many images are worked on at once.
    type: int
    default: 4
  progress_file:
    description:
      - A file into which the module writes every second how far it is. The module's action plugin sets it when the
        module runs on the control node, and shows the progress of transfers that take longer than ten seconds.
    type: path
requirements:
  - oslo.utils >= 7.4
seealso:
  - module: openstack_ops.glance.image
author: The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Keep the images that every project may use
  openstack_ops.glance.image_catalog:
    cloud: admin
    images:
      - name: cirros
        source: /srv/images/cirros-0.6.2-x86_64-disk.img
        visibility: public
      - name: debian-12
        source: /srv/images/debian-12-genericcloud-amd64.qcow2
        checksum: "sha512:{{ debian_12_sha512 }}"
        visibility: public
        replace: true
        keep: 2
        properties:
          os_distro: debian
      - name: debian-10
        state: absent

- name: Delete what is no longer declared
  openstack_ops.glance.image_catalog:
    cloud: admin
    images: "{{ appliances }}"
    catalog: appliances
    purge: true
"""

RETURN = r"""
images:
  description:
    - What became of each image of the list, in its order.
    - Returned by a module that fails for some of them, too.
  returned: when the list was worked on
  type: list
  elements: dict
  contains:
    name:
      description: The name, or the id when there is no name.
      type: str
      sample: debian-12
    id:
      description: The id of the image.
      returned: when it did not fail
      type: str
      sample: 1be1a4ab-8b9a-4a56-b2bb-a2f5a8e9a2a1
    action:
      description: What was done, one of V(created), V(filled), V(replaced), V(changed), V(unchanged), V(deleted) and
        V(failed). V(filled) is an image that was there without data.
      type: str
      sample: created
    changed:
      description: Whether anything was changed.
      type: bool
      sample: true
    error:
      description: Why it failed.
      returned: when it failed
      type: str
      sample: "opening /srv/images/debian-12.qcow2: No such file or directory."
    image:
      description: The image as Glance describes it, without the addresses of its data.
      returned: when it did not fail
      type: dict
    uploaded:
      description: How many bytes were uploaded.
      returned: when it did not fail
      type: int
      sample: 344195072
    seconds:
      description: How many seconds the upload took.
      returned: when it did not fail
      type: float
      sample: 1.703
purged:
  description: The images that were deleted because they are no longer declared.
  returned: when the list was worked on
  type: list
  elements: dict
summary:
  description: How many images each thing was done to.
  returned: when the list was worked on
  type: dict
  sample:
    changed: 0
    created: 1
    deleted: 0
    failed: 0
    filled: 0
    purged: 0
    replaced: 0
    unchanged: 99
uploaded:
  description: How many bytes were uploaded.
  returned: when the list was worked on
  type: int
  sample: 344195072
seconds:
  description: How many seconds all of it took.
  returned: when the list was worked on
  type: float
  sample: 1.703
requests:
  description: How many requests were sent to Keystone and Glance.
  returned: when the list was worked on
  type: int
  sample: 3
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image_catalog
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_url import secrets_in_all
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {**AUTH_ARGUMENT_SPEC, **_image_catalog.ARGUMENT_SPEC}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(module, {"images": secrets_in_all})
    try:
        report = _image_catalog.run(module.params, check_mode=module.check_mode, warn=module.warn)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    if report.failure:
        module.fail_json(msg=report.failure, **report.result)
    module.exit_json(**report.result)


if __name__ == "__main__":
    main()
