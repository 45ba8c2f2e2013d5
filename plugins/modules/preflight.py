#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Finds what would stop a deployment, before anything is changed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Find what would stop a deployment
version_added: 0.1.0
description:
  - Looks at everything that can be known before anything is changed, all at once, and returns what is wrong. It does
    not fail because of that, so that the problems of all hosts can be told in one message.
  - With O(scope=node) it looks at the node that it runs on, and from there at what Glance is going to talk to. A check
    is made when its option is given.
  - With O(scope=control) it looks at what the control node alone can reach, the cloud as its administrator and the
    sources of the images. Delegate it to the control node.
  - Each problem has a code, which C(docs/checks.md) explains.
options:
  scope:
    description:
      - What is looked at.
    type: str
    choices: [node, control]
    default: node
  node:
    description:
      - The name of the node in the messages. By default its host name.
    type: str
  timeout:
    description:
      - How many seconds all checks together may take. What is not finished then is a problem of its own, except for the
        comparisons of O(schema_resource), O(unit_resource) and O(store_guard), which then tell nothing.
      - The images of O(images) take as long as reading them takes; for them it is the time that a server may be silent.
    type: int
    default: 30
  package:
    description:
      - The package whose offered and installed version are compared with O(release). Families other than Debian are not
        looked at yet.
      - Where the node's package lists do not have it, fresh ones are fetched to a temporary place; the node's stay as
        they are.
    type: str
  package_offered:
    description:
      - Whether the package source of O(release) is there already. Where it is going to be added, what the node's other
        sources offer tells nothing, and only the installed version is compared.
    type: bool
    default: true
  packages:
    description:
      - The packages that shall be installed, for RV(settled.packages).
    type: list
    elements: str
  leftovers:
    description:
      - Patterns of the shell for files that shall not be there, for RV(settled.leftovers).
    type: list
    elements: str
  release:
    description:
      - The release that is wanted, a key of O(releases). Without it, any release is fine.
    type: str
  releases:
    description:
      - The major number of Glance by the name of each release.
    type: dict
  advisories:
    description:
      - The security advisories that are known. RV(notes) tells of those that O(package) or O(source_version) has not
        got the correction of, when something of O(exposed) is what they are about.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - What the advisory is called.
        type: str
        required: true
      what:
        description:
          - What it is about, in a few words.
        type: str
        required: true
      since:
        description:
          - The major number of the first Glance that has it.
        type: int
        required: true
      fixed:
        description:
          - The first versions of Glance that have the correction, one for each major number that got one.
        type: list
        elements: str
        required: true
      debian:
        description:
          - The first versions of Debian's package that have it.
        type: list
        elements: str
        default: []
      through:
        description:
          - What has to be switched on, any of it.
        type: list
        elements: str
        required: true
  exposed:
    description:
      - What is switched on, in the words of O(advisories[].through).
    type: list
    elements: str
  python:
    description:
      - The interpreter on the node that an installation from source is going to use. One that is not there yet is not
        looked at.
    type: str
  source_version:
    description:
      - The version of Glance that an installation from source is going to have, for O(advisories).
    type: str
  needed_python:
    description:
      - The Python that the release needs, V(2.7), or the least 3.x. Looked at with O(python).
    type: str
  bind_host:
    description:
      - The address that the API is going to bind.
    type: str
    default: 0.0.0.0
  port:
    description:
      - The port of the API. It has to be free, or held by O(unit).
    type: int
  unit:
    description:
      - The units of systemd that may hold O(port).
    type: list
    elements: str
    default: [glance-api.service]
  database:
    description:
      - The database server as the node reaches it. Only its greeting and its TLS handshake are taken, nobody logs in.
    type: dict
    suboptions:
      host:
        description:
          - The name or address of the server.
        type: str
        required: true
      port:
        description:
          - The port of the server.
        type: int
        default: 3306
      tls:
        description:
          - Whether the server has to offer TLS with a certificate that the node trusts.
        type: bool
        default: false
      ca_cert:
        description:
          - The path on the node of the certificates of the authorities to trust. Without it, those of the system.
        type: path
      check_hostname:
        description:
          - Whether the certificate has to be for O(database.host).
        type: bool
        default: true
  keystone_url:
    description:
      - The URL of Keystone as the node reaches it. O(ca_cert) and O(validate_certs) apply to it.
    type: str
  memcached_servers:
    description:
      - The memcached servers, each as C(host:port).
    type: list
    elements: str
  directories:
    description:
      - The directories that Glance is going to write in. One that exists is tried as O(user). For one that does not,
        the nearest directory above it counts.
    type: list
    elements: dict
    suboptions:
      path:
        description:
          - The path of the directory.
        type: path
        required: true
      purpose:
        description:
          - What the directory is for, for the messages.
        type: str
      minimum_free:
        description:
          - How many bytes have to be free.
        type: int
        default: 0
  user:
    description:
      - The user that Glance runs as.
    type: str
    default: glance
  uid:
    description:
      - The number that O(user) and its group are going to have, for a node on which it does not exist yet. V(64062) in
        Debian. Without it, the directories of such a node are not tried.
    type: int
  database_login:
    description:
      - How the administrator of the database logs in from where the module runs; the options of
        M(openstack_ops.glance.database). In either scope, the login is tried when this is given.
    type: dict
    suboptions:
      login_host:
        description:
          - The host of the database server.
        type: str
      login_port:
        description:
          - The port of the database server.
        type: int
      login_user:
        description:
          - The account to log in as.
        type: str
      login_password:
        description:
          - The password to log in with.
        type: str
      login_unix_socket:
        description:
          - The path of the server's socket. It wins over O(database_login.login_host).
        type: path
      ca_cert:
        description:
          - The path of the certificates of the authorities to trust; TLS is used then.
        type: path
        aliases: [ssl_ca]
      client_cert:
        description:
          - The path of the client's certificate.
        type: path
        aliases: [ssl_cert]
      client_key:
        description:
          - The path of the client's private key.
        type: path
        aliases: [ssl_key]
      check_hostname:
        description:
          - Whether the server's certificate has to be for O(database_login.login_host).
        type: bool
        default: true
      connect_timeout:
        description:
          - How many seconds the server may take to accept a connection and a login.
        type: int
        default: 10
      config_file:
        description:
          - The path of an option file of the MySQL client, whose group C([client]) is read.
        type: path
  database_resource:
    description:
      - The options of M(openstack_ops.glance.database) beside its login, for RV(settled.database). They are compared
        where O(database_login) works.
    type: dict
  registration:
    description:
      - The options of M(openstack_ops.glance.registration) beside those that say how the cloud is reached, for
        RV(settled.registration). They are compared where the login works, with O(scope=control).
    type: dict
  schema_resource:
    description:
      - The options of M(openstack_ops.glance.schema), for RV(settled.schema). C(glance-manage) is not started for that.
    type: dict
  unit_resource:
    description:
      - The options of M(openstack_ops.glance.unit), for RV(settled.unit).
    type: dict
  store_guard:
    description:
      - The options of M(openstack_ops.glance.store_guard), for RV(settled.stores) and RV(settled.guard). No image is
        looked at for that.
    type: dict
  schema:
    description:
      - Which release is wanted. The schema that the database has is looked at with O(database_login). It may not be
        newer.
    type: dict
    suboptions:
      database:
        description:
          - The name of Glance's database. It need not exist.
        type: str
        required: true
      release:
        description:
          - The name of the release that is wanted.
        type: str
        required: true
      releases:
        description:
          - The releases, the oldest first, each with C(name), C(series) and the revision C(schema) that it ends at.
        type: list
        elements: dict
        required: true
  images:
    description:
      - The images that are going to be made, each with the options of M(openstack_ops.glance.image). Their sources are
        read and compared with what the options say.
    type: list
    elements: dict
  image_catalog:
    description:
      - The options of M(openstack_ops.glance.image_catalog) beside O(images), for RV(settled.images), with the
        C(region_name) of Glance. Of those that say how the cloud is reached, it takes the others from this module. The
        images are compared where the login works, with O(scope=control).
    type: dict
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
  platform:
    support: full
  action_group:
    support: full
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.info_module
  - openstack_ops.glance._attributes.actiongroup_openstack
  - openstack_ops.glance._auth
notes:
  - The SDK is needed with O(scope=control) only, and PyMySQL with O(database_login) only.
  - Trying a directory as O(user) and naming the process that holds a port need root.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.verify
  - plugin: openstack_ops.glance.inventory_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at a controller
  openstack_ops.glance.preflight:
    package: glance-api
    release: zed
    releases: {zed: 25, epoxy: 30}
    port: 9292
    database:
      host: db.example.org
    keystone_url: https://keystone.example.org:5000
    memcached_servers: ["controller-1:11211", "controller-2:11211"]
    directories:
      - path: /var/lib/glance/images
        purpose: datadir of the store 'local'
        minimum_free: 10737418240
    uid: 64062
  register: preflight

- name: Stop with what was found
  ansible.builtin.assert:
    that: preflight.problems | length == 0
    fail_msg: "{{ preflight.messages | join('\n') }}"

- name: Try the administrators' credentials and the images
  openstack_ops.glance.preflight:
    scope: control
    cloud: admin
    database_login:
      login_host: db.example.org
      login_user: root
      login_password: "{{ vault_database_root_password }}"
    images:
      - name: cirros
        source: /srv/images/cirros.qcow2
        disk_format: qcow2
  delegate_to: localhost
  run_once: true

- name: Find out which release the package source offers
  openstack_ops.glance.preflight:
    package: glance-api
    releases: {zed: 25, epoxy: 30}
"""

RETURN = r"""
problems:
  description: What was found to be wrong.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The code of the check.
      type: str
      sample: GLS-110
    node:
      description: The node.
      type: str
      sample: controller-1
    what:
      description: What was found.
      type: str
      sample: 0.0.0.0 port 9292 is held by haproxy (process 812, unit haproxy.service)
    remedy:
      description: What to do about it.
      type: str
      sample: stop the process that holds the port, or choose another port
    message:
      description: All of this in one line.
      type: str
      sample: >-
        GLS-110 controller-1: 0.0.0.0 port 9292 is held by haproxy (process 812, unit haproxy.service). What to do: stop
        the process that holds the port, or choose another port.
messages:
  description: The C(message) of each problem.
  returned: always
  type: list
  elements: str
  sample: []
not_checked:
  description: What could not be looked at, although it was asked for.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The code of the check.
      type: str
      sample: GLS-150
    why:
      description: Why the check was not made.
      type: str
      sample: "/var/lib/glance/images: the user glance does not exist yet"
settled:
  description:
    - What was looked at, and found to be as wanted without anything to warn of. The step that would bring it about can
      be left out. False stands for all that differs, is in doubt, or was not asked for.
  returned: always
  type: dict
  contains:
    database:
      description: Whether O(database_resource) is as wanted.
      type: bool
    directories:
      description: Whether each of O(directories) belongs to O(user) and its group, with the mode C(0750).
      type: bool
    guard:
      description:
        - Whether M(openstack_ops.glance.store_guard) has nothing to tell with O(store_guard), either because of
          RV(settled.stores) or because the controller has no configuration of Glance yet. What the images of another
          controller need is not known then.
      type: bool
    images:
      description: Whether Glance has all of O(images) as they are declared, and nothing that O(image_catalog) removes.
      type: bool
    leftovers:
      description: Whether nothing matches O(leftovers).
      type: bool
    packages:
      description: Whether all of O(packages) are installed.
      type: bool
    registration:
      description: Whether O(registration) is as wanted.
      type: bool
    schema:
      description:
        - Whether O(schema_resource) is as wanted, with the Glance that is installed now.
        - It is the database of the option that is looked at. That the configuration of Glance names the same has to be
          known from elsewhere.
      type: bool
    stores:
      description: Whether all stores stay what they are, and nothing is to be said of it.
      type: bool
    unit:
      description: Whether O(unit_resource) is as wanted, and answers its health check.
      type: bool
  sample:
    database: true
    directories: false
    guard: true
    images: false
    leftovers: false
    packages: false
    registration: true
    schema: false
    stores: false
    unit: false
notes:
  description: What people should know although it is no problem, each as one line. They are warnings too.
  returned: always
  type: list
  elements: str
  sample: []
facts:
  description:
    - What was learned about the node and its surroundings. Only what was asked for is there.
  returned: always
  type: dict
  sample:
    hostname: controller-1
    python: 3.11.2
    systemd: 252
    package:
      name: glance-api
      installed: null
      installed_release: null
      candidate: 2:25.1.0-2+deb12u5
      candidate_release: zed
    schema: [wallaby_contract01]
    listener: null
    database: {version: 10.11.14-MariaDB-0+deb12u2, tls: false}
    keystone: {status: 300, versions: [v3.14], clock_ahead: 0}
    memcached: {"controller-1:11211": 1.6.18}
    user: {name: glance, uid: 64062, gid: 64062, exists: false}
    directories:
      - path: /var/lib/glance/images
        exists: false
        existing: /var/lib
        is_directory: true
        writable: true
        reachable: true
        read_only: false
        free: 51539607552
        uid: 0
        gid: 0
        mode: 493
        error: null
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _preflight
from ansible_collections.openstack_ops.glance.plugins.module_utils._database import (
    LOGIN_ARGUMENT_SPEC,
    LOGIN_REQUIRED_TOGETHER,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_url import secrets_in_all
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    AUTH_ARGUMENT_SPEC,
    hide_only_secrets,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_secrets import secrets_of

ARGUMENT_SPEC = {
    **AUTH_ARGUMENT_SPEC,
    "scope": {"type": "str", "choices": ["node", "control"], "default": "node"},
    "node": {"type": "str"},
    "timeout": {"type": "int", "default": 30},
    "package": {"type": "str"},
    "package_offered": {"type": "bool", "default": True},
    "packages": {"type": "list", "elements": "str"},
    "leftovers": {"type": "list", "elements": "str"},
    "release": {"type": "str"},
    "releases": {"type": "dict"},
    "advisories": {
        "type": "list",
        "elements": "dict",
        "options": {
            "id": {"type": "str", "required": True},
            "what": {"type": "str", "required": True},
            "since": {"type": "int", "required": True},
            "fixed": {"type": "list", "elements": "str", "required": True},
            "debian": {"type": "list", "elements": "str", "default": []},
            "through": {"type": "list", "elements": "str", "required": True},
        },
    },
    "exposed": {"type": "list", "elements": "str"},
    "python": {"type": "str"},
    "source_version": {"type": "str"},
    "needed_python": {"type": "str"},
    "bind_host": {"type": "str", "default": "0.0.0.0"},  # noqa: S104 (Glance's own default)
    "port": {"type": "int"},
    "unit": {"type": "list", "elements": "str", "default": ["glance-api.service"]},
    "database": {
        "type": "dict",
        "options": {
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "default": 3306},
            "tls": {"type": "bool", "default": False},
            "ca_cert": {"type": "path"},
            "check_hostname": {"type": "bool", "default": True},
        },
    },
    "keystone_url": {"type": "str", "no_log": False},
    "memcached_servers": {"type": "list", "elements": "str"},
    "directories": {
        "type": "list",
        "elements": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "purpose": {"type": "str"},
            "minimum_free": {"type": "int", "default": 0},
        },
    },
    "user": {"type": "str", "default": "glance"},
    "uid": {"type": "int"},
    "database_login": {
        "type": "dict",
        "options": LOGIN_ARGUMENT_SPEC,
        "required_together": LOGIN_REQUIRED_TOGETHER,
    },
    # What goes with it is checked by the modules whose options these are. Their secrets stay out of the system's log.
    "database_resource": {"type": "dict", "no_log": True},
    "registration": {"type": "dict", "no_log": True},
    "schema": {
        "type": "dict",
        "options": {
            "database": {"type": "str", "required": True},
            "release": {"type": "str", "required": True},
            "releases": {"type": "list", "elements": "dict", "required": True},
        },
    },
    "images": {"type": "list", "elements": "dict", "no_log": True},
    "image_catalog": {"type": "dict"},
    "schema_resource": {"type": "dict", "no_log": True},
    "unit_resource": {"type": "dict"},
    "store_guard": {"type": "dict", "no_log": True},
}


def main() -> None:
    """Look, and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    hide_only_secrets(
        module,
        {
            "database_resource": lambda options: options.get("password"),
            "registration": lambda options: options.get("service_password"),
            "images": secrets_in_all,
            "schema_resource": lambda options: (options.get("database") or {}).get("password"),
            "store_guard": lambda options: secrets_of(options.get("stores") or {}),
        },
    )
    try:
        result = _preflight.run(module.params)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    for note in result["notes"]:
        module.warn(note)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
