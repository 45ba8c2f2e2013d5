#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Keeps one image in Glance as declared
version_added: 0.1.0
description:
  - Uploads an image from a file or a URL, keeps its attributes as declared, or deletes it.
  - An option that is left out never changes what is there.
  - The data pass through once, in small blocks, and are hashed on the way. Afterwards the hash is compared with the one
    that Glance computed. Whatever goes wrong before that, a signal included, the image that was begun is deleted again.
  - Before anything is created, the source is looked at. A file that is missing, empty, truncated, not of the declared
    format, or without the declared checksum is refused; so is a URL that cannot be read.
  - An image that is there is compared with its source by size and checksum. The checksums of a file are remembered
    below C($XDG_CACHE_HOME/openstack_ops.glance) (C(~/.cache) without it) as long as the file does not change, so that
    it is read only once.
  - An image is looked for among those of the project of the credentials, and then among the public ones, unless it
    shall go; with O(owner), only as it says there. It is never looked for among the private images of other projects,
    even when an administrator would see them.
  - An image without data, as a killed upload leaves it behind, is filled, and deleted when the data that came are not
    those of the source. A replacement that was killed is finished.
extends_documentation_fragment:
  - openstack_ops.glance._auth
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.actiongroup_openstack
attributes:
  check_mode:
    support: full
    details: The source is looked at in check mode, too. As long as Glance is not there yet, the image is taken as
      missing, with a warning.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: The content of a URL without O(checksum) is compared by its size only, with a warning.
options:
  name:
    description:
      - The name of the image.
      - It has to be unique among the images of the owner, unless O(id) is given.
    type: str
  previous_names:
    description:
      - Names that the image may have had before. When no image of the owner has O(name), one that has one of these
        names gets it.
    type: list
    elements: str
    default: []
  id:
    description:
      - The UUID of the image. An image that is not there yet is created with it.
      - Glance never gives the id of a deleted image to another one.
    type: str
  state:
    description:
      - Whether the image shall be there.
      - With V(absent), an image that is protected is refused. Only one of O(owner) or of the project of the credentials
        is deleted. To delete one of another project, declare its owner or its O(id).
      - Old versions of the image (see O(keep)) go with it, unless O(id) is given. One that is protected or in use is
        kept, with a warning.
    type: str
    choices: [present, absent]
    default: present
  source:
    description:
      - Where the data come from, as the path of a file where the module runs, or an C(http) or C(https) URL.
      - Needed to create an image. For an image that is there, it may be left out to look after the attributes only.
      - A URL is streamed into Glance, without a copy in a file. E(HTTPS_PROXY), E(NO_PROXY) and E(REQUESTS_CA_BUNDLE)
        are used. Credentials and query are not shown in messages.
      - A download that breaks goes on from where it broke, when the server gives out parts and says which version of
        the file it has (C(ETag) or C(Last-Modified)). An C(https) URL that leads to one without TLS is refused.
    type: str
  checksum:
    description:
      - The checksum that O(source) must have, as C(algorithm:hexadecimal digits). The algorithms are V(sha512),
        V(sha384), V(sha256), V(sha224), V(sha1) and V(md5).
      - Or C(algorithm:) and the URL or path of a file with checksums, such as C(SHA512SUMS). The line with the file
        name of O(source) counts.
      - A file is checked before anything is created. A URL is checked before its last bytes are sent, so that a wrong
        image never becomes active.
      - A checksum that Glance does not compute itself is kept in the property
        C(owner_specified.openstack.<algorithm>), to know the image again.
    type: str
  checksum_keyring:
    description:
      - A file with public keys, as C(gpg --export) writes it. The file with checksums that O(checksum) names must be
        signed by one of them. Needs C(gpgv).
      - It has to be signed in itself, unless O(checksum_signature) is given. Only what is signed in it counts then.
    type: path
  checksum_signature:
    description:
      - The URL or path of the detached signature of the file with checksums.
    type: str
  decompress:
    description:
      - Whether O(source) is compressed (gzip, bzip2, xz, zstd) and shall be decompressed while it is sent. It is
        neither written to a file nor held in memory as a whole. zstd needs the Python library C(zstandard).
      - O(checksum) is that of the compressed source. It is kept in the property
        C(owner_specified.openstack_ops.source), by which the image is compared with its source later.
    type: bool
    default: false
  max_size:
    description:
      - How large a decompressed image may become, such as V(20G).
    type: bytes
    default: 100G
  convert:
    description:
      - The disk format into which O(source) is converted by C(qemu-img) before it is uploaded. O(disk_format) is then
        that of the source.
      - Ceph, for one, clones only V(raw) images.
    type: str
    choices: [raw, qcow2, vhd, vhdx, vmdk, vdi]
  work_directory:
    description:
      - The directory for what O(convert) needs, the system's directory for temporary files when it is left out. Free
        space for the source, when it is not a file, and for the virtual size of the disk is asked for before it is
        used.
    type: path
  import_method:
    description:
      - How the data get into Glance. V(upload) sends them at once, V(glance-direct) by way of Glance's staging area,
        where its import plugins work on them. One that changes the data, such as C(image_conversion), makes the image
        fail, as what Glance has is not what was sent.
      - With V(web-download), Glance itself fetches the URL in O(source), and with V(glance-download) the image
        O(remote_image) from another Glance. A checksum that Glance does not compute is compared by reading the data
        back.
      - What Glance says of an import that fails is told. Releases before Wallaby say little.
    type: str
    choices: [upload, glance-direct, web-download, glance-download]
    default: upload
  remote_image:
    description:
      - The image that O(import_method=glance-download) fetches.
    type: dict
    suboptions:
      id:
        description:
          - The id of the image.
        type: str
        required: true
      region:
        description:
          - The region of the other Glance, as it stands in the catalogue of Keystone.
        type: str
        required: true
      interface:
        description:
          - The interface of the other Glance.
        type: str
        choices: [public, internal, admin]
        default: public
  disk_format:
    description:
      - The format of the disk. V(auto) finds it by looking at the bytes.
      - What the bytes are and what is declared have to agree; C(ami), C(ari), C(aki), C(ploop) and C(root-tar) may be
        anything that is not recognised as another format.
      - Glance cannot change it once the image has data.
    type: str
    choices: [auto, ami, ari, aki, vhd, vhdx, vmdk, raw, qcow2, vdi, iso, ploop, root-tar]
    default: auto
  container_format:
    description:
      - The format of the container around the disk. A new image gets V(bare) when it is left out.
      - With V(ovf), V(ova), V(docker) and V(compressed), O(disk_format) has to be declared, as it cannot be seen.
      - Glance cannot change it once the image has data.
    type: str
    choices: [ami, ari, aki, bare, ovf, ova, docker, compressed]
  visibility:
    description:
      - Who may use the image. Glance makes a new image V(shared) when it is left out.
      - By default, Glance allows only administrators to publish images.
    type: str
    choices: [public, private, shared, community]
  members:
    description:
      - The names or ids of the projects that a shared image is shared with, all of them. An empty list removes
        everyone.
    type: list
    elements: str
  accept_members:
    description:
      - Whether the image is accepted in the name of the members, so that it stands in their lists. Needs an
        administrator.
    type: bool
    default: false
  properties:
    description:
      - Properties of the image. Numbers and booleans become texts (V(true) and V(false)).
      - A property whose value is null is removed. One that is not named stays as it is, unless
        O(properties_mode=exact).
      - Refused are the names of what every image has (such as C(min_disk)), what Glance keeps for itself (C(location),
        C(deleted), C(deleted_at) and all that begins with C(os_glance)), and C(owner_specified.openstack_ops.*).
    type: dict
  properties_mode:
    description:
      - With V(exact), properties that are not in O(properties) are removed. Those of Glance, of openstacksdk and of
        this collection (C(os_glance*), C(owner_specified.openstack.*), C(owner_specified.openstack_ops.*)) stay.
    type: str
    choices: [merge, exact]
    default: merge
  tags:
    description:
      - The tags of the image, all of them. An empty list removes every tag.
    type: list
    elements: str
  protected:
    description:
      - Whether the image is protected from being deleted.
    type: bool
  hidden:
    description:
      - Whether the image is left out of lists; it can still be used by its id.
      - Glance has it from the release Rocky on.
    type: bool
  deactivated:
    description:
      - Whether nobody but administrators may read the data of the image.
    type: bool
  min_disk:
    description:
      - The size of the disk that the image needs, in GiB.
    type: int
  min_ram:
    description:
      - The memory that the image needs, in MiB.
    type: int
  owner:
    description:
      - The name or the id of the project that owns the image. A new image belongs to the project of the credentials
        when it is left out.
      - When this project has no image of that name, one of the project of the credentials is given to it. An image of
        any other project is never taken, be it public.
    type: str
  store:
    description:
      - The name of the store into which the data are uploaded. Glance's default store is used when it is left out.
      - An image that is there is not moved; the module warns when it lies in another store.
    type: str
  stores:
    description:
      - The names of the stores in which the image shall lie. A new image is uploaded into the first one. Glance copies
        it to those that it does not lie in yet (C(copy-image), from the release Ussuri on).
      - The image is removed from no store.
    type: list
    elements: str
  replace:
    description:
      - What to do when the data or the formats of the image differ from those declared, which Glance cannot change.
      - With V(true), a new image with all attributes of the old one is uploaded and verified, and the old one is
        hidden and deleted then. One that is in use or protected stays hidden, with a warning.
      - Until all is done, the property C(owner_specified.openstack_ops.replaces) of the new image holds the id of the
        old one. After an interruption the next run goes on by it, or takes the new image back when the old content is
        declared again or no source is. A new image whose data are not known to be those of the source is deleted, and
        uploaded anew.
      - With V(false), the module fails.
    type: bool
    default: false
  keep:
    description:
      - How many old versions of the image are kept, hidden, when it is replaced. The oldest of more are deleted, but
        for those that are in use or protected.
      - Old versions are known by the property C(owner_specified.openstack_ops.replaced), which holds their id and that
        of the image that came after them.
      - When it is left out, the image that is replaced is deleted, and older versions are not looked at.
    type: int
  timeout:
    description:
      - How many seconds Glance or the server of a URL may stay silent while data are transferred. It does not limit how
        long the whole transfer takes. The server of a URL may not give less than 8 KiB a second for longer either.
      - For what grows with the image, such as the answer to an upload or the next progress of an import, time is added
        by its size; O(max_size) stands in where nobody knows that beforehand, or 20 times what the compressed file has
        when that is less.
    type: int
    default: 600
  progress_file:
    description:
      - A file into which the module writes every second how far it is. The module's action plugin sets it when the
        module runs on the control node, and shows the progress of transfers that take longer than ten seconds.
    type: path
requirements:
  - oslo.utils >= 7.4
  - gpgv for O(checksum_keyring)
  - qemu-img for O(convert)
seealso:
  - module: openstack_ops.glance.registration
author: The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Upload an image for everybody
  openstack_ops.glance.image:
    cloud: admin
    name: debian-12
    source: /srv/images/debian-12-genericcloud-amd64.qcow2
    checksum: "sha512:{{ debian_12_sha512 }}"
    visibility: public
    min_disk: 3
    properties:
      os_distro: debian
      os_version: "12"
      hw_disk_bus: virtio
    tags: [linux, cloud-init]

- name: Stream an image from a URL into a certain store
  openstack_ops.glance.image:
    cloud: admin
    name: cirros
    source: https://images.example.org/cirros-0.6.2-x86_64-disk.img
    checksum: md5:c8fc807773e5354afe61636071771906
    disk_format: qcow2
    store: fast

- name: Replace the image when a new one was published under the same name, and keep two old ones
  openstack_ops.glance.image:
    cloud: admin
    name: debian-12
    source: https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2
    checksum: sha512:https://cloud.debian.org/images/cloud/bookworm/latest/SHA512SUMS
    replace: true
    keep: 2

- name: Convert an image for Ceph, and keep it in two stores
  openstack_ops.glance.image:
    cloud: admin
    name: appliance
    source: /srv/images/appliance.qcow2.xz
    decompress: true
    convert: raw
    stores: [ceph, archive]

- name: Share an image with two projects
  openstack_ops.glance.image:
    cloud: admin
    name: licensed
    source: /srv/images/licensed.qcow2
    visibility: shared
    members: [customer, partner]
    accept_members: true

- name: Protect an image, and remove one of its properties
  openstack_ops.glance.image:
    cloud: admin
    name: debian-12
    protected: true
    properties:
      hw_disk_bus:

- name: Give an image to another project
  openstack_ops.glance.image:
    cloud: admin
    name: appliance
    source: /srv/images/appliance.vmdk
    owner: customer
    visibility: private

- name: Delete an image
  openstack_ops.glance.image:
    cloud: admin
    name: debian-10
    state: absent
"""

RETURN = r"""
action:
  description: What was done, one of V(created), V(filled), V(replaced), V(changed), V(unchanged) and V(deleted).
    V(filled) is an image that was there without data.
  returned: success
  type: str
  sample: created
image:
  description:
    - The image as Glance describes it, without the addresses of its data.
    - Null when there is none, or when it would only be created in check mode. With O(state=absent), the image that was
      deleted; null when there were only old versions of it.
  returned: success
  type: dict
  sample:
    checksum: 64d7c1cd2b6f60c92c14662941cb7913
    container_format: bare
    created_at: "2026-11-20T12:00:00Z"
    disk_format: qcow2
    id: 1be1a4ab-8b9a-4a56-b2bb-a2f5a8e9a2a1
    min_disk: 3
    min_ram: 0
    name: debian-12
    os_distro: debian
    os_hash_algo: sha512
    os_hash_value: 4e8b4ac0...
    os_hidden: false
    owner: 5ad6b1e6a6ac4a7d8fc1d0d6f3b0a1a5
    protected: false
    size: 344195072
    status: active
    tags: [cloud-init, linux]
    updated_at: "2026-11-20T12:00:08Z"
    virtual_size: 3221225472
    visibility: public
uploaded:
  description: How many bytes were uploaded.
  returned: success
  type: int
  sample: 344195072
seconds:
  description: How many seconds the upload took.
  returned: success
  type: float
  sample: 1.703
requests:
  description: How many requests were sent to Keystone and Glance.
  returned: success
  type: int
  sample: 3
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _image
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_spec import (
    IMAGE_SPEC,
    MUTUALLY_EXCLUSIVE,
    REQUIRED_ONE_OF,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_url import LOCATIONS, secrets_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    **AUTH_ARGUMENT_SPEC,
    **IMAGE_SPEC,
    "progress_file": {"type": "path"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_one_of=REQUIRED_ONE_OF,
        mutually_exclusive=MUTUALLY_EXCLUSIVE,
        supports_check_mode=True,
    )
    hide_only_secrets(module, dict.fromkeys(LOCATIONS, secrets_of))
    try:
        result = _image.run(module.params, check_mode=module.check_mode, warn=module.warn)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
