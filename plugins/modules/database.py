#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Makes the database of Glance, with its accounts and grants."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database
short_description: Make the database of Glance, with its accounts and grants
version_added: 0.1.0
description:
  - Makes in one invocation the database, an account for each of several hosts, and their grants on that database.
  - Works with MariaDB 10.5 or later and with MySQL 8.0 or later.
  - A password is current when a login with it works. The login is tried from where the module runs, the way the module
    itself logs in. An account that the server does not take such a login for is judged by the hash that the server
    keeps, where the account has the plugin C(mysql_native_password). See RV(accounts[].password_verified_by).
  - An account that can be judged in neither way is left alone, with a warning, until another one has to get the
    password. Then all of them get it.
  - Passwords are stored as UTF-8, as the clients of MariaDB and MySQL send them.
  - Before anything is changed, it is made sure that the account that logs in has the privileges that this takes.
options:
  state:
    description:
      - V(present) brings about the database, the accounts and the grants.
      - V(absent) drops the accounts of O(user) for O(hosts), and the database. It refuses to drop a database that
        holds images (see O(allow_image_loss)), and one with tables that is not Glance's.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - The name of the database.
    type: str
    default: glance
  user:
    description:
      - The user name of the accounts that Glance logs in as.
    type: str
    default: glance
  password:
    description:
      - The password of all the accounts. Any character may stand in it.
      - Required with O(state=present).
    type: str
  hosts:
    description:
      - The hosts that Glance logs in from, as names, addresses, or patterns with the wildcards V(%) and V(_). There is
        an account for each of them.
      - Accounts of O(user) for other hosts are reported in RV(other_accounts), and left alone.
    type: list
    elements: str
    default: [localhost, "%"]
  character_set:
    description:
      - The default character set of the database.
      - Glance makes its tables with V(utf8mb3) whatever this is; the default keeps them and the tables of its schema
        migrations alike.
      - Where the database has another one, the default for new tables is changed. The tables stay as they are, see
        RV(database.tables_with_other_character_set).
    type: str
    choices: [utf8mb3, utf8mb4]
    default: utf8mb3
  collation:
    description:
      - The default collation of the database. It begins with the name of the character set.
      - Without it, the server chooses for a new database, and that of an existing one is left alone.
    type: str
  require_tls:
    description:
      - Whether the accounts may log in over encrypted connections only (C(REQUIRE SSL)). This holds for the Unix socket
        of the server, too.
      - Without it, new accounts may use any connection, and existing ones are left alone.
      - A stricter requirement (C(X509), C(SUBJECT), ...) that somebody gave to an account satisfies V(true).
      - V(true) is refused where the server does not offer TLS.
    type: bool
  allow_image_loss:
    description:
      - With O(state=absent), drop a database that holds images.
    type: bool
    default: false
extends_documentation_fragment:
  - openstack_ops.glance._database
  - openstack_ops.glance._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Passwords are never shown, only that they change.
  idempotent:
    support: full
notes:
  - Without O(ca_cert) and O(login_unix_socket), statements cross the network as they are. MariaDB is sent the hash of a
    password rather than the password, unless a password validation plugin is active there. MySQL is sent the password.
  - Logins that are tried as O(user) appear in the log of the server. None is tried with a password that is known to be
    wrong for every account.
author:
  - The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Make the database from the control node, over TCP with TLS
  openstack_ops.glance.database:
    login_host: db.example.org
    login_user: admin
    login_password: "{{ vault_database_admin_password }}"
    ca_cert: /etc/ssl/certs/example-ca.pem
    password: "{{ vault_glance_database_password }}"
    require_tls: true
  delegate_to: localhost

- name: Make the database on the database server itself, as root through the socket
  openstack_ops.glance.database:
    login_unix_socket: /run/mysqld/mysqld.sock
    login_user: root
    password: "{{ vault_glance_database_password }}"
    hosts: [localhost, "10.0.0.%"]
  delegate_to: db.example.org
  become: true

- name: Rotate the password (once; then the task reports no change)
  openstack_ops.glance.database:
    config_file: ~/.my.cnf
    password: "{{ vault_glance_database_new_password }}"

- name: Drop the database of a cloud that is given up, with its accounts
  openstack_ops.glance.database:
    login_host: db.example.org
    login_user: admin
    login_password: "{{ vault_database_admin_password }}"
    state: absent
    allow_image_loss: true
"""

RETURN = r"""
database:
  description: The database.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: glance
    created:
      description: Whether it was made, or would be made in check mode.
      type: bool
    character_set:
      description: Its default character set. C(null) where there is no database.
      type: str
      sample: utf8mb3
    collation:
      description: Its default collation. C(null) where there is no database, and where the server is going to choose.
      type: str
      sample: utf8mb3_general_ci
    tables_with_other_character_set:
      description: The tables whose collation is not one of O(character_set).
      type: list
      elements: str
      sample: []
accounts:
  description: The accounts, one for each of O(hosts).
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: The host that it is for.
      type: str
      sample: localhost
    created:
      description: Whether it was made.
      type: bool
    dropped:
      description: Whether it was dropped.
      type: bool
    password_changed:
      description: Whether an account that was there got another password.
      type: bool
    password_verified_by:
      description:
        - V(login) when a login as this account with O(password) worked.
        - V(hash) when the server keeps the hash of O(password) for it.
        - C(null) when the password is wrong (in check mode) or could not be tested from here.
      type: str
      sample: login
    plugin:
      description: Its authentication plugin. C(null) where there is no account yet.
      type: str
      sample: mysql_native_password
    tls:
      description: What it requires, V(NONE), V(SSL), V(X509) or V(SPECIFIED).
      type: str
      sample: SSL
    grants_changed:
      description: Whether it got the privileges on the database.
      type: bool
    other_grants:
      description: What it may do beyond what this module gives. The module leaves that alone.
      type: list
      elements: str
      sample: ["SELECT ON `reports`.*"]
other_accounts:
  description: The hosts of accounts of O(user) that are not among O(hosts). The module leaves these accounts alone.
  returned: success
  type: list
  elements: str
  sample: []
shadowed_by:
  description:
    - The accounts, anonymous or among RV(other_accounts), that the server prefers to ours for the clients that they
      cover. Glance on such a client cannot log in. There is a warning for each.
  returned: success
  type: list
  elements: dict
  contains:
    user:
      description: The user name, empty for an anonymous account.
      type: str
      sample: ""
    host:
      description: The host.
      type: str
      sample: controller1
server:
  description: The database server.
  returned: success
  type: dict
  contains:
    flavour:
      description: V(MariaDB) or V(MySQL).
      type: str
      sample: MariaDB
    version:
      description: What it says about its version.
      type: str
      sample: 10.11.11-MariaDB-0+deb12u1
    comment:
      description: What it says about its build.
      type: str
      sample: Debian 12
queries:
  description: The statements that were executed, or would be in check mode. Passwords and their hashes are masked.
  returned: success
  type: list
  elements: str
  sample: ["GRANT ALL PRIVILEGES ON `glance`.* TO 'glance'@'localhost'"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._database import (
    LOGIN_ARGUMENT_SPEC,
    LOGIN_REQUIRED_TOGETHER,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._database_resource import ARGUMENT_SPEC, run_module
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**ARGUMENT_SPEC, **LOGIN_ARGUMENT_SPEC},
        required_if=[("state", "present", ["password"])],
        required_together=LOGIN_REQUIRED_TOGETHER,
        supports_check_mode=True,
    )
    try:
        result = run_module(module.params, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
