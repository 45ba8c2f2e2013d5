#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: controller_info
short_description: What Glance a controller runs
version_added: 0.1.0
author: The openstack_ops.glance developers (@openstack-ops)
description:
  - Tells which version of Glance serves on a controller, from packages or from a virtual environment. It asks the
    process and what is installed; what a configuration or an inventory says of it does not count.
  - A process that is older than the version on the disk is told of. It still runs what was there before.
options:
  service:
    description:
      - The unit of the API.
    type: str
    default: glance-api.service
  directory:
    description:
      - The directory of upgrades. An upgrade keeps the dumps of the database there, and for as long as it has taken the
        controller out of service, a note that is called V(out-of-service).
    type: path
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._attributes.info_module
notes:
  - The module runs as root.
seealso:
  - module: openstack_ops.glance.unit
"""

EXAMPLES = r"""
- name: Ask the controller what it runs
  openstack_ops.glance.controller_info:
  register: found

- name: Show it
  ansible.builtin.debug:
    msg: "{{ found.version if found.running else 'Glance does not run' }}"
"""

RETURN = r"""
running:
  description: Whether the unit runs.
  returned: success
  type: bool
  sample: true
version:
  description: The version of the Glance that it runs, or would run. Empty where none is installed.
  returned: success
  type: str
  sample: 33.0.0
environment:
  description: The virtual environment of that Glance. Empty for packages of the distribution.
  returned: success
  type: str
  sample: /opt/glance/33.0.0-1a2b3c4d
outdated:
  description: Whether it was installed after the process had been started.
  returned: success
  type: bool
  sample: false
masked:
  description: Whether nothing can start the unit.
  returned: success
  type: bool
  sample: false
noted:
  description: Whether an upgrade that was interrupted has taken the controller out of service.
  returned: success
  type: bool
  sample: false
has_directory:
  description: Whether O(directory) is there.
  returned: success
  type: bool
  sample: true
dumps:
  description: The dumps in O(directory), oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
      sample: /var/backups/glance/glance-zed-antelope.sql.gz
    made:
      description: When it was made.
      type: str
      sample: "2026-11-21T12:34:56Z"
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _controller_info
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "service": {"type": "str", "default": "glance-api.service"},
    "directory": {"type": "path"},
}


def main() -> None:
    """Look at the controller."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)

    def command(arguments: list[str]) -> tuple[int, str, str]:
        code, output, errors = module.run_command(arguments, handle_exceptions=False, cwd=os.sep)
        return code, output, errors

    try:
        result = _controller_info.run(command, module.params["service"], module.params["directory"] or "")
    except GlanceError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error}. What to do: run the module on a node that has systemd.")
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
