#!/usr/bin/python

# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: schema
short_description: Bring the database schema and the metadata definitions of Glance up to date
version_added: 0.1.0
description:
  - Drives C(glance-manage) on a node where Glance is installed and configured. C(glance-manage db check) decides what
    has to be done, and what is reported as changed.
  - Never runs on two nodes at once. A lock on the database server is taken before anything is changed, and after it was
    had the state is looked at again. The lock lasts as long as C(glance-manage) runs, even when the module is killed.
  - C(glance-manage) runs as the user of the service, so that its log files stay readable for the service.
  - A first synchronisation that was interrupted is started over, because MariaDB and MySQL cannot undo a half-done
    change of a schema. This is done only when the database holds nothing but tables of Glance, without a single row.
extends_documentation_fragment:
  - openstack_ops.glance._attributes
attributes:
  check_mode:
    support: full
    details:
      - Only C(glance-manage db check) and C(SELECT) statements are run.
      - Where Glance is not installed or configured yet, or its account in the database does not exist yet, the schema
        is reported as one that would be created.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
options:
  state:
    description:
      - The state of the schema that has to be reached. A schema that is further is left alone.
      - V(synced) does all at once, with C(glance-manage db sync). No controller must run an older release meanwhile.
      - V(expanded), V(migrated) and V(contracted) are the phases of a rolling upgrade, in this order; those before the
        given one are done where they are missing. V(contracted) requires that every controller runs the new release.
    type: str
    choices: [synced, expanded, migrated, contracted]
    default: synced
  database:
    description:
      - The database that the configuration of Glance names, for the lock and for what is compared.
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
        description: The password of the account, as it is and not percent-encoded.
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
      connect_timeout:
        description: How many seconds the server may take to answer the login.
        type: int
        default: 10
  admin:
    description:
      - How an administrator of the database server logs in, from the node. With it, a phase that has to make triggers
        which the server would refuse to the account of O(database) gets C(log_bin_trust_function_creators) for as long
        as it lasts. The same process puts the setting back, also when the phase fails or a signal ends the module.
    type: dict
    suboptions:
      login_host:
        description: The name or address of the server. By default the one of O(database).
        type: str
      login_port:
        description: The port of the server.
        type: int
      login_user:
        description: The name of the account.
        type: str
      login_password:
        description: The password of the account.
        type: str
      login_unix_socket:
        description: The path of the server's socket.
        type: path
      ca_cert:
        description: A file with the certificates of the authorities to trust.
        type: path
      client_cert:
        description: The client's certificate.
        type: path
      client_key:
        description: The client's private key.
        type: path
      check_hostname:
        description: Whether the certificate must be for the host.
        type: bool
        default: true
      connect_timeout:
        description: How many seconds the server may take to answer the login.
        type: int
        default: 10
  admin_note:
    description:
      - The file on the node that says that the setting is not as it was, for as long as that is so. Where it was left
        by a process that was killed, the setting is put back at the beginning of the next run with O(admin).
    type: path
    default: /var/backups/glance/log_bin_trust_function_creators
  load_metadefs:
    description:
      - Whether the metadata definitions in O(metadefs_path) are loaded where the database lacks them.
      - Nothing is ever removed, and without O(metadefs_prefer_new) nothing is overwritten. What differs from the files
        and stays is told in RV(metadefs.kept), and in a warning.
    type: bool
    default: false
  metadefs_path:
    description: A directory with files C(*.json), or one file.
    type: path
    default: /etc/glance/metadefs
  metadefs_merge:
    description:
      - Whether what is missing in a namespace that is there already is added. A new release adds to old namespaces, and
        an interrupted run leaves a namespace incomplete.
      - Without it, only namespaces are loaded that are missing altogether.
    type: bool
    default: true
  metadefs_prefer_new:
    description:
      - Whether definitions in the database that differ from the files are overwritten. Requires O(metadefs_merge=true).
      - Upstream recommends both for an upgrade. Changes made through the API to the same definitions are lost.
    type: bool
    default: false
  config_files:
    description: The configuration files of Glance. One that names the database has to be among them.
    type: list
    elements: path
    default: [/etc/glance/glance-api.conf]
  command:
    description:
      - The name or path of C(glance-manage), for an installation from source the one in the virtual environment.
    type: str
    default: glance-manage
  user:
    description: The user as whom it runs. Unless this is the user of the task, the task has to run as root.
    type: str
    default: glance
  lock_timeout:
    description: How many seconds to wait while another node holds the lock. The error then says which one.
    type: int
    default: 300
  timeout:
    description:
      - How many seconds a single run of C(glance-manage) may take before it is ended.
      - A change of the schema that is cut short may have to be completed by hand. Be generous.
    type: int
    default: 3600
requirements:
  - PyMySQL >= 0.9.3 for the Python that runs the module. It comes with Debian's and Ubuntu's packages of Glance.
notes:
  - On a Galera cluster a lock holds on one server only. Give all controllers the same O(database.host), a virtual
    address with one active server behind it.
  - The phases of an upgrade from before Ocata, and phases on a new database, make triggers. With binary logging on, the
    server allows that only to an account with the C(SUPER) privilege, or with C(log_bin_trust_function_creators) on.
    The module says so before it changes anything, and sets the variable only with O(admin).
seealso:
  - name: Glance database management
    description: The phases in Glance's own documentation.
    link: https://docs.openstack.org/glance/latest/admin/db.html
author:
  - The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Create or update the schema, and load the packaged metadata definitions
  openstack_ops.glance.schema:
    database:
      host: "{{ glance_database.host }}"
      password: "{{ glance_database.password }}"
    load_metadefs: true

- name: Expand the schema while the old release still serves
  openstack_ops.glance.schema:
    state: expanded
    database:
      host: db.example.org
      password: "{{ glance_database.password }}"
      ca_cert: /etc/ssl/certs/db-ca.pem

- name: Take over the metadata definitions of a new release
  openstack_ops.glance.schema:
    database:
      host: db.example.org
      password: "{{ glance_database.password }}"
    load_metadefs: true
    metadefs_prefer_new: true

- name: Use an installation from source
  openstack_ops.glance.schema:
    command: /opt/glance/bin/glance-manage
    database:
      host: db.example.org
      password: "{{ glance_database.password }}"
    load_metadefs: true
    metadefs_path: /opt/glance/etc/glance/metadefs
"""

RETURN = r"""
revision:
  description: The recorded revisions of the schema. In the middle of a rolling upgrade there are two.
  returned: success
  type: dict
  contains:
    before:
      description: What they were. Empty for a new database.
      type: list
      elements: str
      sample: []
    after:
      description: What they are.
      type: list
      elements: str
      sample: [wallaby_contract01]
phases:
  description:
    - What C(glance-manage db) did to the schema, in this order; in check mode what it would do, as far as that can be
      told before the first of them.
  returned: success
  type: list
  elements: str
  sample: [sync]
metadefs:
  description: The namespaces of metadata definitions that were changed, or would be, and those that differ.
  returned: success
  type: dict
  contains:
    added:
      description: The namespaces that were missing.
      type: list
      elements: str
      sample: ["OS::Compute::CPUPinning"]
    updated:
      description: The namespaces that were there, and in which something was added or overwritten.
      type: list
      elements: str
      sample: []
    kept:
      description: What is not as in the files and stays so, by namespace. That changes nothing, so it is in no diff.
      type: dict
      sample: {"OS::Compute::Watchdog": ["property hw_watchdog_action"]}
started_over:
  description: Whether the empty tables of an interrupted first synchronisation were dropped.
  returned: success
  type: bool
  sample: false
repaired:
  description: Whether a setting of the server was put back that a run which was killed had changed.
  returned: success
  type: bool
  sample: false
seconds:
  description: How long everything took.
  returned: success
  type: float
  sample: 7.25
"""

import contextlib
import os
import pwd
import time
import typing as t
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._database import (
    CONNECTION_ERRORS,
    connect,
    explain,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._metadefs import Loading
from ansible_collections.openstack_ops.glance.plugins.module_utils._oslo_format import driver_password
from ansible_collections.openstack_ops.glance.plugins.module_utils._schema import (
    ARGUMENT_SPEC,
    Database,
    Desired,
    Manage,
    Outcome,
    Schema,
    ensure,
    login,
    predict,
    predict_without_database,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._schema_trust import Trust

NOT_MADE_YET = (1044, 1045, 1049, 1698)
"""What the server answers when the database, or the account with this password, does not exist yet."""


def glance_manage(module: AnsibleModule) -> Manage:
    """Return glance-manage as the module's parameters describe it.

    :raises GlanceError: when this user cannot run it as the user of the service.
    """
    params = module.params
    home = os.sep
    prefix: tuple[str, ...] = ()
    with contextlib.suppress(KeyError):
        # Without the user nothing is installed either, which is told elsewhere.
        account = pwd.getpwnam(params["user"])
        home = account.pw_dir
        if account.pw_uid != os.geteuid():
            prefix = ("runuser", "-u", params["user"], "--")
    if prefix and os.geteuid() != 0:
        raise GlanceError(f"running glance-manage as {params['user']} needs root", remedy="give the task become: true")

    def run(arguments: list[str], pass_fds: tuple[int, ...]) -> tuple[int, str, str]:
        code, output, errors = module.run_command(
            arguments,
            cwd=os.sep,
            environ_update={"HOME": home},
            pass_fds=pass_fds,
            expand_user_and_vars=False,
            handle_exceptions=False,
        )
        return code, output, errors

    return Manage(run, params["command"], tuple(params["config_files"]), params["timeout"], prefix)


def trust_of(params: dict[str, t.Any]) -> t.Optional[Trust]:
    """Return what lets a phase make triggers; nothing where no administrator was given."""
    if not params["admin"]:
        return None
    place = {name: value for name, value in login(params["database"]).items() if name in ("login_host", "login_port")}
    administrator = {**place, **{name: value for name, value in params["admin"].items() if value is not None}}
    return Trust(lambda: connect(administrator), params["admin_note"])


def run(module: AnsibleModule, manage: Manage, desired: Desired) -> Outcome:
    """Do what the parameters say."""
    params = module.params
    missing = manage.missing()
    if missing and module.check_mode:
        return predict_without_database(manage, desired)
    if missing:
        raise GlanceError("the schema cannot be looked at", answer=missing, remedy="install and configure Glance first")
    name = params["database"]["name"]
    try:
        connection = connect(login(params["database"]), database=name)
    except GlanceError as error:
        code = getattr(error.__cause__, "args", (None,))[0]
        if not module.check_mode or code not in NOT_MADE_YET:
            raise
        module.warn(f"What is in the database was not looked at: {error}")
        return predict_without_database(manage, desired)
    with contextlib.closing(connection):
        schema = Schema(manage, Database(connection, name), desired, module.warn, trust_of(params))
        try:
            return predict(schema) if module.check_mode else ensure(schema, params["lock_timeout"])
        except CONNECTION_ERRORS as error:
            raise explain(f"working on the database {name}", error) from error


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    if params["metadefs_prefer_new"] and not params["metadefs_merge"]:
        module.fail_json(msg="metadefs_prefer_new: true requires metadefs_merge: true, as glance-manage does.")
    password = params["database"]["password"]
    if password:
        # As it stands in the URL of a configuration file, which glance-manage may quote.
        module.no_log_values.update({quote(password, safe=""), quote(driver_password(password), safe="")})
    loading = Loading(params["metadefs_path"], params["metadefs_merge"], params["metadefs_prefer_new"])
    desired = Desired(params["state"], loading if params["load_metadefs"] else None)
    start = time.monotonic()
    try:
        outcome = run(module, glance_manage(module), desired)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    if outcome.kept:
        module.warn(
            f"Metadata definitions in the database are not as in {loading.path} and were left as they are, in the"
            f" namespaces {', '.join(sorted(outcome.kept))}. What of them: metadefs.kept in the result."
            " To overwrite them: metadefs_prefer_new: true (in the roles: glance_metadefs_prefer_new: true)."
        )
    module.exit_json(
        changed=outcome.difference.changed or outcome.repaired,
        diff=outcome.difference.as_diff(),
        revision={"before": outcome.before, "after": outcome.after},
        phases=outcome.phases,
        metadefs={"added": outcome.added, "updated": outcome.updated, "kept": outcome.kept},
        started_over=outcome.started_over,
        repaired=outcome.repaired,
        seconds=round(time.monotonic() - start, 2),
    )


if __name__ == "__main__":
    main()
