#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Runs a second Glance on a node that has all stores but one, or one alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_reader
short_description: Run a second Glance on a node that has all stores but one, or one alone
version_added: 0.1.0
description:
  - Starts glance-api a second time, on the loopback interface, with the configuration of the node's own Glance but
    without the store O(without), or with the store O(only) alone. The first is how Glance is going to be once a store
    is gone, tried before anything is changed. What the second can read is in that store
    (M(openstack_ops.glance.store_verify)).
  - It runs as a transient unit of systemd as Glance's own user, in a sandbox. It cannot write in the directories of the
    stores, has a staging directory of its own, and uses no image cache. Users cannot reach it.
  - Its configuration is that of the node, read from where it is, and a file with what differs, which holds no secret.
    That file and the environment of the running service lie in C(/run/glance-switch-NAME), readable by root and Glance.
  - When the module returns, the second Glance answers. When it cannot be started, nothing is left of it, and the error
    shows its journal.
options:
  name:
    description:
      - What the reader is called. Its unit is C(glance-switch-NAME.service).
    type: str
    default: reader
  state:
    description:
      - V(started) has it running, with the newest configuration of the node.
      - V(stopped) ends it and removes everything of it.
    type: str
    choices: [started, stopped]
    default: started
  without:
    description:
      - The store that it shall not have.
      - With O(state=started), exactly one of O(without) and O(only) is needed.
    type: str
  only:
    description:
      - The one store that it shall have. An image that is in several stores is read from this one and no other.
    type: str
  default_store:
    description:
      - Its default store. By default that of the node, or the only one that is left.
    type: str
  port:
    description:
      - The port that it listens on, at 127.0.0.1.
    type: int
    default: 9393
  workers:
    description:
      - How many processes serve requests. A process reads about as much as one processor core manages.
      - Under uwsgi, each of them serves 16 requests at a time.
    type: int
    default: 1
  paste_file:
    description:
      - The paste configuration of the node's Glance. By default the one that O(config_file) names, or else
        O(config_file) with C(-paste.ini) instead of C(.conf).
    type: path
  service:
    description:
      - The unit of the node's own Glance. Its program and its environment are the reader's as well.
    type: str
    default: glance-api.service
  command:
    description:
      - The command that starts glance-api, without options. By default that of O(service), which has to run then.
      - Where O(service) is uwsgi, the same uwsgi serves the same application, with a configuration of its own.
    type: list
    elements: str
  user:
    description:
      - The user that it runs as.
    type: str
    default: glance
  lifetime:
    description:
      - After how many seconds systemd ends it, in case that nobody does.
    type: int
    default: 86400
  wait_timeout:
    description:
      - How many seconds it may take until it answers.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
    details: Whether the port is free and whether the reader answers is found out only by starting it.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: A reader that runs is left alone unless its configuration, or that of the node, has changed since.
  platform:
    support: full
    platforms: posix
extends_documentation_fragment:
  - openstack_ops.glance._attributes
  - openstack_ops.glance._config_files
requirements:
  - systemd 240 or newer, and a Glance that runs as glance-api or under uwsgi; not one within a web server.
  - oslo.config, which comes with Glance.
notes:
  - The module runs as root.
  - Needs the Python that Glance runs with.
author: The openstack_ops.glance developers (@openstack-ops)
seealso:
  - module: openstack_ops.glance.store_verify
"""

EXAMPLES = r"""
- name: Have a Glance as it will be without the old store
  openstack_ops.glance.store_reader:
    without: local
    default_store: objects
  register: reader

- name: Have one with the old store alone, for images that have no hash
  openstack_ops.glance.store_reader:
    name: source
    port: 9394
    only: local

- name: Remove it
  openstack_ops.glance.store_reader:
    state: stopped
"""

RETURN = r"""
url:
  description: Where it answers.
  returned: when O(state=started)
  type: str
  sample: http://127.0.0.1:9393
unit:
  description: The name of its unit.
  returned: success
  type: str
  sample: glance-switch-reader.service
stores:
  description: The stores that it has.
  returned: when O(state=started)
  type: list
  elements: str
  sample: [objects]
default_store:
  description: Its default store.
  returned: when O(state=started)
  type: str
  sample: objects
command:
  description: How it is run.
  returned: when O(state=started)
  type: list
  elements: str
  sample:
    - /usr/bin/python3
    - /usr/bin/glance-api
    - --config-file
    - /etc/glance/glance-api.conf
    - --config-file
    - /run/glance-switch-reader/reader.conf
"""

import os
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_reader
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import CONFIG_FILE
from ansible_collections.openstack_ops.glance.plugins.module_utils._unit import Systemd

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "default": "reader"},
    "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
    "without": {"type": "str"},
    "only": {"type": "str"},
    "default_store": {"type": "str"},
    "port": {"type": "int", "default": 9393},
    "workers": {"type": "int", "default": 1},
    "config_file": {"type": "path", "default": CONFIG_FILE},
    "config_directory": {"type": "path"},
    "paste_file": {"type": "path"},
    "service": {"type": "str", "default": "glance-api.service"},
    "command": {"type": "list", "elements": "str"},
    "user": {"type": "str", "default": "glance"},
    "lifetime": {"type": "int", "default": 86400},
    "wait_timeout": {"type": "int", "default": 120},
}


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Do what the parameters say, and return the result."""

    def command(arguments: list[str]) -> tuple[int, str, str]:
        code, output, errors = module.run_command(arguments, handle_exceptions=False, cwd=os.sep)
        return code, output, errors

    systemd = Systemd(command)
    return _switch_reader.run(module.params, systemd, command, module.check_mode)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if module.params["state"] == "started" and bool(module.params["without"]) == bool(module.params["only"]):
        module.fail_json(msg="without, only: give the name of a store to exactly one of them.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", module.params["name"]):
        module.fail_json(msg="name: give small letters, digits and hyphens only, as it becomes the name of a unit.")
    for option, largest in (("port", 65535), ("workers", 64), ("lifetime", 30 * 86400), ("wait_timeout", 3600)):
        if not 1 <= module.params[option] <= largest:
            module.fail_json(msg=f"{option}: {module.params[option]} is not between 1 and {largest}.")
    try:
        result = run(module)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error}. What to do: run the module as root on a node that was booted with systemd.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
