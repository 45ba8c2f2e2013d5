#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: database_dump
short_description: A dump of the database of Glance, complete or not there
version_added: 0.1.0
author: The openstack_ops.glance developers (@openstack-ops)
description:
  - Streams a dump of one moment of the database through gzip into a file that root alone can read, while Glance goes on
    to serve. The file gets its name when it is complete and on the disk; what an interrupted run left is removed.
  - The password is in no command line, no environment and no file. C(mariadb-dump) or C(mysqldump) reads it from
    memory.
  - Restoring the dump makes the database anew, so that no table of a newer schema stays beside those of the old one.
  - A dump that has the name already is kept, under a name with its time. After an upgrade that broke off in the middle
    of a phase it is the only one of what there was before.
options:
  path:
    description:
      - The file. Its directory is made if need be, for root alone.
    type: path
    required: true
  timeout:
    description:
      - How many seconds the dump may take.
    type: int
    default: 3600
  database:
    description:
      - The database, and how Glance's own account logs in to it.
    type: dict
    required: true
    suboptions:
      host:
        description: The name or address of the server.
        type: str
        default: localhost
      port:
        description: The port of the server.
        type: int
        default: 3306
      unix_socket:
        description: The path of the server's socket, instead of O(database.host) and O(database.port).
        type: path
      name:
        description: The name of the database.
        type: str
        default: glance
      user:
        description: The name of the account.
        type: str
        default: glance
      password:
        description: The password of the account.
        type: str
      ca_cert:
        description: A file with the certificates of the authorities to trust. With it, TLS is required and verified.
        type: path
      client_cert:
        description: The client's certificate.
        type: path
      client_key:
        description: The client's private key.
        type: path
      check_hostname:
        description: Whether the certificate must be for O(database.host).
        type: bool
        default: true
extends_documentation_fragment:
  - openstack_ops.glance._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: none
    details: The dump is made anew each time.
  platform:
    support: full
    platforms: posix
requirements:
  - C(mariadb-dump) or C(mysqldump).
seealso:
  - module: openstack_ops.glance.schema
"""

EXAMPLES = r"""
- name: Dump the database before its schema is changed
  openstack_ops.glance.database_dump:
    path: /var/backups/glance/before-epoxy.sql.gz
    database:
      host: db.example.org
      password: "{{ glance_database.password }}"
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /var/backups/glance/before-epoxy.sql.gz
earlier:
  description: Where the dump is kept that had the name before. Empty where there was none.
  returned: success
  type: str
  sample: /var/backups/glance/before-epoxy.2026-11-20T08:00:00Z.sql.gz
bytes:
  description: Its size.
  returned: success
  type: int
  sample: 482113
made:
  description: When it was made. Empty where there is none yet, in check mode.
  returned: success
  type: str
  sample: "2026-11-21T12:34:56Z"
seconds:
  description: How long everything took.
  returned: success
  type: float
  sample: 2.4
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _database_dump
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
    "timeout": {"type": "int", "default": 3600},
    "database": {
        "type": "dict",
        "required": True,
        "options": {
            "host": {"type": "str", "default": "localhost"},
            "port": {"type": "int", "default": 3306},
            "unix_socket": {"type": "path"},
            "name": {"type": "str", "default": "glance"},
            "user": {"type": "str", "default": "glance"},
            "password": {"type": "str", "no_log": True},
            "ca_cert": {"type": "path"},
            "client_cert": {"type": "path"},
            "client_key": {"type": "path", "no_log": False},
            "check_hostname": {"type": "bool", "default": True},
        },
        "required_together": [["client_cert", "client_key"]],
    },
}


def main() -> None:
    """Make the dump."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    if params["timeout"] < 1:
        module.fail_json(msg=f"timeout: {params['timeout']} is less than 1.")
    wanted = _database_dump.Wanted(params["path"], params["database"], params["timeout"])
    try:
        result = _database_dump.run(wanted, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
