# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The options with which a module logs in to MariaDB or MySQL, named as in community.mysql."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_host:
    description:
      - The host of the database server, reached over TCP.
      - Without it and without O(login_unix_socket), O(config_file) names it, and in the end it is V(localhost). Other
        than for the clients of MariaDB and MySQL, V(localhost) does not mean the Unix socket.
    type: str
  login_port:
    description:
      - The TCP port of the database server. Without it, O(config_file) names it, and in the end it is V(3306).
    type: int
  login_user:
    description:
      - The account to log in as. Without it, O(config_file) names it, and in the end it has the name of the
        operating-system user that runs the module.
    type: str
  login_password:
    description:
      - The password to log in with. Any character may stand in it.
    type: str
  login_unix_socket:
    description:
      - The path of the Unix socket of a database server on the host where the module runs. It wins over O(login_host).
    type: path
  ca_cert:
    description:
      - The path of a file with the certificates of the authorities to trust.
      - With it, a connection over TCP is encrypted and the server's certificate is verified, or there is no connection.
    type: path
    aliases: [ssl_ca]
  client_cert:
    description:
      - The path of the client's certificate. With it, the connection is encrypted and verified as with O(ca_cert).
    type: path
    aliases: [ssl_cert]
  client_key:
    description:
      - The path of the client's private key.
    type: path
    aliases: [ssl_key]
  check_hostname:
    description:
      - Whether the server's certificate has to be for O(login_host).
    type: bool
    default: true
  connect_timeout:
    description:
      - How many seconds the server may take to accept a connection and a login.
    type: int
    default: 10
  config_file:
    description:
      - The path of an option file of the MySQL client, whose group C([client]) is read. None is read
        without this option.
      - The other options win over it.
    type: path
requirements:
  - PyMySQL >= 0.9.3 where the module runs (C(python3-pymysql) on Debian and Ubuntu).
notes:
  - The option file and the certificates are read where the module runs.
  - Accounts of MySQL 8 with C(caching_sha2_password) need the Python library cryptography, unless the connection is
    encrypted or goes through O(login_unix_socket).
"""
