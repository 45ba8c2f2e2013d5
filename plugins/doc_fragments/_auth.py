# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The options with which a module reaches an OpenStack cloud, named as in openstack.cloud."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  cloud:
    description:
      - The name of a cloud in C(clouds.yaml), or the configuration of a cloud as C(clouds.yaml) would hold it.
      - Without it and without O(auth), the C(OS_*) environment variables and the only cloud of C(clouds.yaml) are used.
    type: raw
  auth:
    description:
      - What the authentication plugin needs, as in C(clouds.yaml) (C(auth_url), C(username), C(password),
        C(project_name), C(user_domain_name), C(project_domain_name), ...).
      - Given whole, it is used as it is; neither the environment nor a C(clouds.yaml) adds to it.
      - Of what O(auth) and O(cloud) hold, only names, ids and URLs can appear in the output; all else is hidden.
    type: dict
  auth_type:
    description:
      - The name of the keystoneauth plugin.
    type: str
  region_name:
    description:
      - The region whose endpoints are used.
    type: str
  interface:
    description:
      - The interface of the endpoints that are used.
    type: str
    choices: [public, internal, admin]
    aliases: [endpoint_type]
  validate_certs:
    description:
      - Whether TLS certificates are verified. Without it, C(clouds.yaml) decides, and in the end they are.
    type: bool
    aliases: [verify]
  ca_cert:
    description:
      - The path of a file with the certificates of the authorities to trust.
    type: path
    aliases: [cacert]
  client_cert:
    description:
      - The path of the client's certificate.
    type: path
    aliases: [cert]
  client_key:
    description:
      - The path of the client's private key.
    type: path
    aliases: [key]
  api_timeout:
    description:
      - How many seconds a server may take to answer one request. Without it, C(clouds.yaml) decides, and in the end it
        is 60. A request to Keystone, and one that only reads or deletes, is sent up to three times.
      - Deleting the data of an image may take longer, one second more for each 16 MiB.
    type: int
requirements:
  - openstacksdk >= 1.0.0 where the module runs. By default the collection runs it on the control node, whose
    environment has a current one; the nodes of Debian 12 have 0.101.
notes:
  - The certificates and C(clouds.yaml) are read where the module runs.
"""
