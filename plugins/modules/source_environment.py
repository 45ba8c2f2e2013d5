#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: source_environment
short_description: A virtual environment with an installation from a package index
version_added: 0.1.0
author: The openstack_ops.glance developers (@openstack-ops)
description:
  - Makes a virtual environment and installs Glance in it with pip, constrained to versions that work together.
  - An environment is complete or counts as not there. One that an interrupted run left behind is made anew.
  - What is complete is never changed. Give another O(path) for another version, or for other constraints, and let the
    service use that when it is there. The way back is as short.
options:
  path:
    description: The directory of the environment. Its name should tell the version.
    type: path
    required: true
  requirements:
    description:
      - What pip installs, for example V(glance==33.0.0). The first one names what the environment is for.
    type: list
    elements: str
    required: true
  constraints:
    description: The text of a constraints file. Without it, pip takes the newest versions that fit together.
    type: str
    default: ""
  python:
    description:
      - The interpreter of the environment. For one of Python 2.7, a version of virtualenv that still knows it is
        installed beside the environment, by the C(python3) of the node.
    type: str
    default: python3
  minimum_python:
    description: The oldest Python that the installation runs on, for example V(3.11). An older O(python) is refused.
    type: str
    default: ""
  environment:
    description:
      - Variables for pip, such as C(PIP_INDEX_URL), C(PIP_NO_INDEX), C(PIP_FIND_LINKS) or C(PIP_CERT). pip's
        configuration files on the node hold as well.
    type: dict
    default: {}
extends_documentation_fragment:
  - openstack_ops.glance._attributes
attributes:
  check_mode:
    support: full
    details:
      - Nobody asks the index in check mode. That it lacks a version shows when it is installed.
      - An O(python) that is not there yet does not fail in check mode. An earlier task would have installed it.
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Install Glance 33.0.0 beside what runs
  openstack_ops.glance.source_environment:
    path: /opt/glance/33.0.0
    requirements: [glance==33.0.0, PyMySQL, python-memcached, uWSGI]
    constraints: "{{ lookup('ansible.builtin.file', 'constraints-33.txt') }}"
    minimum_python: "3.11"

- name: Install it from a directory of wheels
  openstack_ops.glance.source_environment:
    path: /opt/glance/33.0.0
    requirements: [glance==33.0.0, PyMySQL, python-memcached, uWSGI]
    environment:
      PIP_NO_INDEX: "1"
      PIP_FIND_LINKS: /srv/wheels
"""

RETURN = r"""
path:
  description: The directory of the environment.
  returned: success
  type: str
  sample: /opt/glance/33.0.0
python_version:
  description: The version of the interpreter; empty in check mode where there is none yet.
  returned: success
  type: str
  sample: 3.13.5
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import HIDDEN
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._source_environment import (
    Desired,
    Environment,
    ensure,
)

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
    "requirements": {"type": "list", "elements": "str", "required": True},
    "constraints": {"type": "str", "default": ""},
    "python": {"type": "str", "default": "python3"},
    "minimum_python": {"type": "str", "default": ""},
    # The URL of an index may hold a password.
    "environment": {"type": "dict", "default": {}, "no_log": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    if not params["requirements"]:
        module.fail_json(msg="requirements is empty. What to do: name what is to be installed.")
    settings = {name: str(value) for name, value in params["environment"].items()}
    # Ansible would hide each setting, such as a 1, wherever it stands in the result. Only URLs hold secrets.
    params["environment"] = dict.fromkeys(settings, HIDDEN)
    module.no_log_values = {value for value in settings.values() if "@" in value}

    def run(arguments: list[str]) -> tuple[int, str, str]:
        code, output, errors = module.run_command(
            arguments, cwd=os.sep, environ_update=settings, handle_exceptions=False, expand_user_and_vars=False
        )
        return code, output, errors

    desired = Desired(
        path=params["path"],
        python=params["python"],
        requirements=tuple(params["requirements"]),
        constraints=params["constraints"],
        minimum=params["minimum_python"],
    )
    # Whatever the umask of the login: the user of the service reads what root installs.
    os.umask(0o022)
    try:
        difference, version = ensure(Environment(run, desired), module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=difference.changed, diff=difference.as_diff(), path=params["path"], python_version=version)


if __name__ == "__main__":
    main()
