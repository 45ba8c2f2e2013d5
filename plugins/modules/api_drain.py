#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Takes a node's Glance out of service without breaking anything off, and puts it back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: api_drain
short_description: Take a node's Glance out of service without breaking anything off, and put it back
version_added: 0.1.0
description:
  - Has the health check of Glance say that the node is out of service, waits until the load balancer has noticed, and
    until no request and no import is under way on the node any more. Then the service can be restarted without a
    client noticing. Glance goes on to serve whoever asks.
  - A request is under way on a connection whose last bytes were the client's, on which a response is still growing, or
    behind which data waits. Idle connections that clients or a load balancer keep open do not hold it up.
  - An import, such as a copy to another store, is under way when its task is, and its data lies in the staging
    directory of the node.
options:
  state:
    description:
      - V(drained) takes the node out of service, and waits.
      - V(active) puts it back, and waits until the health check is good.
    type: str
    choices: [drained, active]
    required: true
  grace:
    description:
      - How many seconds the load balancer takes to notice. It is its interval times the number of failed checks that it
        wants to see.
    type: int
    default: 15
  quiet:
    description:
      - For how many seconds nothing may have been under way. Once a response has begun, a store that sends nothing for
        longer than this cannot be told from an idle connection.
    type: int
    default: 10
  timeout:
    description:
      - How many seconds the requests and imports have to end. What is still under way then is told in the error, and
        the node stays out of service.
    type: int
    default: 3600
  disable_file:
    description:
      - The file whose existence takes the node out of service. By default C(disable_by_file_path) of the health check
        in O(paste_file).
    type: path
  url:
    description:
      - The URL of the node's own API. By default it follows from C(bind_host) and C(bind_port).
    type: str
  ca_cert:
    description: A file with the certificates of the authorities to trust, for an O(url) with C(https).
    type: path
  validate_certs:
    description: Whether the certificate of O(url) is verified.
    type: bool
    default: true
  paste_file:
    description:
      - The paste configuration of the node's Glance. By default the one that O(config_file) names, else O(config_file)
        with C(-paste.ini) instead of C(.conf).
    type: path
attributes:
  check_mode:
    support: full
    details: Nothing is waited for.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: A node that is out of service already is not given O(grace) again.
  platform:
    support: full
    platforms: posix
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._config_files
  - openstack_ops.glance._config_files.service
requirements:
  - The C(ss) of iproute2 5.1 or newer.
  - oslo.config, SQLAlchemy and PyMySQL, which come with Glance.
notes:
  - The module runs as root.
  - Needs the Python that Glance runs with.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.unit
"""

EXAMPLES = r"""
- name: Take the node out of service
  openstack_ops.glance.api_drain:
    state: drained
    grace: 10
    timeout: 7200

- name: Put it back
  openstack_ops.glance.api_drain:
    state: active
"""

RETURN = r"""
file:
  description: The file that takes the node out of service.
  returned: success
  type: str
  sample: /etc/glance/healthcheck_disable
seconds:
  description: How long everything took.
  returned: success
  type: float
  sample: 27.4
waited_for:
  description: What was still under way, and ended.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(upload), V(download), V(a request without an answer) or V(import).
      type: str
      sample: upload
    what:
      description: From where, or of what.
      type: str
      sample: from 192.0.2.10:51522
    seconds:
      description: How many seconds ago it was first seen.
      type: int
      sample: 12
    bytes:
      description: How many bytes the connection had carried.
      type: int
      sample: 1073742412
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _drain
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._health import valid_url
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import CONFIG_FILE

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["drained", "active"], "required": True},
    "grace": {"type": "int", "default": 15},
    "quiet": {"type": "int", "default": 10},
    "timeout": {"type": "int", "default": 3600},
    "disable_file": {"type": "path"},
    "url": {"type": "str"},
    "ca_cert": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "config_file": {"type": "path", "default": CONFIG_FILE},
    "config_directory": {"type": "path"},
    "paste_file": {"type": "path"},
    "service": {"type": "str", "default": "glance-api.service"},
}


def main() -> None:
    """Drain the node, or put it back."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    for option in ("grace", "quiet", "timeout"):
        if module.params[option] < 0:
            module.fail_json(msg=f"{option}: {module.params[option]} is less than 0.")
    if not valid_url(module.params["url"]):
        module.fail_json(msg=f"url: {module.params['url']!r} is not an http or https URL.")

    def command(arguments: list[str]) -> tuple[int, str, str]:
        code, output, errors = module.run_command(arguments, handle_exceptions=False, cwd=os.sep)
        return code, output, errors

    try:
        result = _drain.run(module.params, command, module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error}. What to do: run the module as root on a node that has systemd and iproute2.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
