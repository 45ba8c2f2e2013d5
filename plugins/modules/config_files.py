#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: config_files
short_description: Writes configuration files that Glance can read, with directories, and keeps secrets out of the diff
version_added: 0.1.0
author: The openstack_ops.glance developers (@openstack-ops)
description:
  - Puts texts that were rendered on the control node into files of a controller, each with the options that an operator
    overrides, and makes the directories that they lie in first.
  - The diff shows every line as it is, except for secrets. Those it hides, and shows that one has changed.
  - With O(files[].validator=oslo), every option and every value is checked against the options of the Glance that is
    installed on the controller before the file is put in place. All problems are told at once, and the file stays as it
    was.
  - The directories are made first, in their order. Then all files are made and checked in a temporary place, and only
    when all of them are good are they put in place, in theirs.
options:
  directories:
    description:
      - The directories that shall be there. What is missing above one is made in the same way. A link to a directory is
        one.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - The path of the directory.
        type: path
        required: true
      owner:
        description:
          - The name of the user that shall own it.
        type: str
        default: root
      group:
        description:
          - The name of the group that shall own it.
        type: str
        default: root
      mode:
        description:
          - Its permissions, as in M(ansible.builtin.file).
        type: raw
        default: "0755"
  files:
    description:
      - The files that shall be there, with these texts.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description:
          - The path of the file.
        type: path
        required: true
      content:
        description:
          - The text of the file. The usual source is P(ansible.builtin.template#lookup).
        type: str
        required: true
      options:
        description:
          - Options that win over those in O(files[].content), in a dictionary for each section.
          - An option that O(files[].content) sets is changed in its place. Another one comes to the end of its
            section, and a section that is not there to the end of the file.
          - A boolean is written as V(true) or V(false), a list with commas (in brackets where Glance wants them, on a
            line for each item where it wants those), a dictionary as V(key:value) with commas.
          - A text is written as it is. C($name) in it is the value of another option for oslo.config, and C($$) a
            dollar sign.
          - A null takes the option out of the file, so that the default of Glance holds.
        type: dict
        default: {}
      owner:
        description:
          - The name of the user that shall own the file.
        type: str
        default: root
      group:
        description:
          - The name of the group that shall own the file.
        type: str
        default: glance
      mode:
        description:
          - The permissions of the file, as in M(ansible.builtin.file).
        type: raw
        default: "0640"
      backup:
        description:
          - Whether the previous file is kept, with a time stamp in its name.
        type: bool
        default: false
      validator:
        description:
          - How the text is checked when it differs from that of the file.
          - V(oslo) lets oslo.config read it with the options that the installed Glance, its stores and libraries
            have, as C(oslo-config-validator) does. In addition it checks every value, the sections of stores and the
            options of Keystone's plugins, and says what was probably meant by an option that does not exist.
          - V(none) is for files that oslo.config does not read, such as the reference file of the Swift store.
        type: str
        choices: [none, oslo]
        default: none
      python:
        description:
          - The path of the interpreter that runs Glance on the controller, for O(files[].validator=oslo).
        type: path
        default: /usr/bin/python3
      namespaces:
        description:
          - The namespaces of C(oslo.config.opts) whose options the file may hold. Those that the installed release
            does not have are left out.
          - The default is what C(glance-api) reads. A C(glance-registry.conf) needs C(glance.registry),
            C(oslo.messaging), C(oslo.db), C(oslo.policy), C(keystonemiddleware.auth_token) and C(oslo.log).
        type: list
        elements: str
        default:
          - castellan.config
          - glance.api
          - glance
          - glance.store
          - os_brick
          - glance.multi_store
          - oslo.concurrency
          - oslo.messaging
          - oslo.db
          - oslo.policy
          - keystonemiddleware.auth_token
          - oslo.limit
          - oslo.log
          - oslo.middleware.cors
          - oslo.middleware.healthcheck
          - oslo.middleware.http_proxy_to_wsgi
          - oslo.reports
          - osprofiler
      store_sections:
        description:
          - The type of store of sections that the file does not enable itself. Those in C(enabled_backends), and with
            it C(os_glance_staging_store) and C(os_glance_tasks_store), need no mention.
        type: dict
        default: {}
  secrets:
    description:
      - Texts that are hidden wherever they stand in the diff, in errors and in warnings, also percent-encoded or with
        C($) or C(%) doubled.
      - Options whose name says that they are secret (C(password), C(key), C(secret), C(token), ...) and the passwords
        in URLs are hidden without being named here.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - openstack_ops.glance._attributes
attributes:
  check_mode:
    support: full
    details:
      - Works on a controller on which nothing is installed yet. The texts are then not validated, and
        RV(files[].validation.note) says so.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - A file whose text does not change is not validated again. Its values are then those that were valid for the release
    that was installed when it was written.
  - The users and the groups have to exist, except in check mode, and so has the directory of a file that is not among
    O(directories).
"""

EXAMPLES = r"""
- name: Configure glance-api
  openstack_ops.glance.config_files:
    files:
      - path: /etc/glance/glance-api.conf
        content: "{{ lookup('ansible.builtin.template', 'glance-api.conf.j2') }}"
        validator: oslo

- name: Configure glance-api, and its policy in a directory of its own
  openstack_ops.glance.config_files:
    directories:
      - path: /etc/glance/policy.d
    files:
      - path: /etc/glance/glance-api.conf
        content: "{{ lookup('ansible.builtin.template', 'glance-api.conf.j2') }}"
        validator: oslo
        backup: true
      - path: /etc/glance/policy.d/50-local.yaml
        content: "{{ lookup('ansible.builtin.template', 'policy.yaml.j2') }}"
    secrets: ["{{ glance_database.password }}"]

- name: Configure a Glance in a virtual environment, with what the operator overrides
  openstack_ops.glance.config_files:
    files:
      - path: /etc/glance/glance-api.conf
        content: "{{ lookup('ansible.builtin.template', 'glance-api.conf.j2') }}"
        options:
          DEFAULT:
            debug: true
            enabled_import_methods: [glance-direct, copy-image]
            log_file: null
          oslo_messaging_notifications:
            driver: [messagingv2, log]
        validator: oslo
        python: /opt/glance/bin/python
    secrets: ["{{ glance_database.password }}"]

- name: Configure glance-registry
  openstack_ops.glance.config_files:
    files:
      - path: /etc/glance/glance-registry.conf
        content: "{{ lookup('ansible.builtin.template', 'glance-registry.conf.j2') }}"
        validator: oslo
        namespaces: [glance.registry, oslo.messaging, oslo.db, oslo.policy, keystonemiddleware.auth_token, oslo.log]

- name: Write the accounts of the Swift store, which oslo.config does not read
  openstack_ops.glance.config_files:
    files:
      - path: /etc/glance/glance-swift.conf
        content: "{{ lookup('ansible.builtin.template', 'glance-swift.conf.j2') }}"
        backup: true
"""

RETURN = r"""
directories:
  description: What became of each directory.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path of the directory.
      type: str
      sample: /etc/glance/policy.d
    changed:
      description: Whether it was made or changed, or would be.
      type: bool
files:
  description: What became of each file.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path of the file.
      returned: success
      type: str
      sample: /etc/glance/glance-api.conf
    backup_file:
      description: The path of the previous file.
      returned: when the text changed, with O(files[].backup=true) and not in check mode
      type: str
      sample: /etc/glance/glance-api.conf.4242.2026-11-20@12:00:00~
    validated:
      description: Whether the text was checked and found good. An unchanged text is not checked.
      returned: success
      type: bool
      sample: true
    validation:
      description: What the check was based on.
      returned: when the text changed and with O(files[].validator=oslo)
      type: dict
      contains:
        python:
          description: The interpreter.
          type: str
          returned: always
          sample: /usr/bin/python3
        namespaces:
          description: The namespaces whose options were known.
          type: list
          elements: str
          returned: when the text was checked
          sample: [glance.api, glance.store]
        left_out:
          description: The namespaces that the installed release does not have.
          type: list
          elements: str
          returned: when the text was checked
          sample: [oslo.limit]
        stores:
          description: The type of store of every section of a store.
          type: dict
          returned: when the text was checked
          sample: {local: file, os_glance_staging_store: file, os_glance_tasks_store: file}
        note:
          description: Why the text was not checked.
          type: str
          returned: when it was not, in check mode
          sample: "not validated: oslo.config is not installed for /usr/bin/python3 yet"
    changed:
      description: Whether the file was changed, or would be.
      returned: success
      type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _config_files
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

API_NAMESPACES = [
    "castellan.config",
    "glance.api",
    "glance",
    "glance.store",
    "os_brick",
    "glance.multi_store",
    "oslo.concurrency",
    "oslo.messaging",
    "oslo.db",
    "oslo.policy",
    "keystonemiddleware.auth_token",
    "oslo.limit",
    "oslo.log",
    "oslo.middleware.cors",
    "oslo.middleware.healthcheck",
    "oslo.middleware.http_proxy_to_wsgi",
    "oslo.reports",
    "osprofiler",
]

ARGUMENT_SPEC = {
    "directories": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "raw", "default": "0755"},
        },
    },
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True, "no_log": True},
            "options": {"type": "dict", "default": {}, "no_log": True},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "glance"},
            "mode": {"type": "raw", "default": "0640"},
            "backup": {"type": "bool", "default": False},
            "validator": {"type": "str", "choices": ["none", "oslo"], "default": "none"},
            "python": {"type": "path", "default": "/usr/bin/python3"},
            "namespaces": {"type": "list", "elements": "str", "default": API_NAMESPACES},
            "store_sections": {"type": "dict", "default": {}},
        },
    },
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = _config_files.converge(module)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
