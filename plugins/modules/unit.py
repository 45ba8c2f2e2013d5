#!/usr/bin/python

# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

from __future__ import annotations

DOCUMENTATION = r"""
module: unit
short_description: Make a systemd unit run, with its newest configuration, until it really serves
version_added: 0.1.0
description:
  - Makes one systemd unit what it should be in a single pass. It is unmasked, enabled, started, restarted when it has
    not read its newest configuration, and waited for until its health check answers.
  - Whether a restart is needed is found out by comparing the start of the running process with the last change of its
    files. Unlike a handler, this also restarts a service whose configuration was written by an earlier run that was
    interrupted before the restart.
  - systemd calls a service active before it listens, and also between two crashes. Give O(healthcheck_url) to be sure.
extends_documentation_fragment:
  - openstack_ops.glance._attributes
attributes:
  check_mode:
    support: full
    details:
      - A unit that does not exist yet is reported as one that would be enabled and started.
      - The health check is asked only when nothing would change.
      - A file that would be written by a task in check mode has no new change time. See O(restart).
  diff_mode:
    support: full
  idempotent:
    support: full
    details: With O(restart=true) the unit is restarted each time.
  platform:
    support: full
    platforms: posix
options:
  name:
    description: The full name of the unit.
    type: str
    required: true
  state:
    description:
      - V(started) has the unit running. What masks it is removed only with O(unmask=true).
      - V(stopped) has it not running. A unit that does not exist is stopped.
      - V(masked) has it not running, and nothing can start it, neither at boot nor by hand nor by the installation of
        its package. This works for a unit that does not exist yet.
    type: str
    choices: [started, stopped, masked]
    default: started
  enabled:
    description:
      - Whether the unit starts at boot. Without it, this is left alone.
      - Cannot be combined with O(state=masked).
    type: bool
  unmask:
    description:
      - Whether a mask is removed when the unit shall be started or enabled. Without it, a masked unit is an error.
    type: bool
    default: false
  only_missing:
    description:
      - With O(state=masked), leave a unit alone that exists on the node. Use this before a package is installed, so
        that the package does not start the service before it is configured. A service that is already there is never
        masked by a later run.
    type: bool
    default: false
  restart_after:
    description:
      - Files and directories that the service reads when it starts. With O(state=started), a running unit is restarted
        when its main process is older than the last change of any of them.
      - The inode change time counts, which moves with the content, the owner and the mode, and which no tool can set.
      - A directory counts with everything in it. An entry that was removed from it counts too. Of a symbolic link, both
        the link and its target count.
      - A path that does not exist is ignored.
    type: list
    elements: path
    default: []
  restart:
    description:
      - Restart the unit whatever O(restart_after) says.
      - Set this in check mode when an earlier task reports that it would change a file, to be told of the restart.
    type: bool
    default: false
  healthcheck_url:
    description:
      - With O(state=started), wait until this URL answers 200. It is asked directly, never through a proxy.
      - A 503 from the file of C(healthcheck_disable) ends the waiting too. See RV(health).
    type: str
  wait_timeout:
    description: How many seconds O(healthcheck_url) may take until it answers.
    type: int
    default: 120
  ca_cert:
    description: A file with the certificates of the authorities to trust, for an O(healthcheck_url) with C(https).
    type: path
  validate_certs:
    description: Whether the certificate of O(healthcheck_url) is verified.
    type: bool
    default: true
  secrets:
    description:
      - Values that are hidden wherever they appear in what the module returns, above all in lines of the journal.
    type: list
    elements: str
    default: []
seealso:
  - module: ansible.builtin.systemd_service
author:
  - The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Keep the package from starting Glance unconfigured
  openstack_ops.glance.unit:
    name: glance-api.service
    state: masked
    only_missing: true

- name: Run Glance with its newest configuration
  openstack_ops.glance.unit:
    name: glance-api.service
    state: started
    enabled: true
    unmask: true
    restart_after:
      - /etc/glance/glance-api.conf
      - /etc/glance/glance-api-paste.ini
      - /etc/systemd/system/glance-api.service.d
    healthcheck_url: http://127.0.0.1:9292/healthcheck
    secrets:
      - "{{ glance_database.password }}"

- name: Tell in check mode, too, that a changed configuration causes a restart
  openstack_ops.glance.unit:
    name: glance-api.service
    restart_after:
      - /etc/glance/glance-api.conf
    restart: "{{ ansible_check_mode and configuration is changed }}"

- name: Put an end to a registry that the release no longer has
  openstack_ops.glance.unit:
    name: glance-registry.service
    state: stopped
    enabled: false
"""

RETURN = r"""
active_state:
  description: The unit's C(ActiveState); in check mode, what it is now.
  returned: success
  type: str
  sample: active
sub_state:
  description: The unit's C(SubState); in check mode, what it is now.
  returned: success
  type: str
  sample: running
main_pid:
  description: The main process, 0 when there is none.
  returned: success
  type: int
  sample: 4711
restarts:
  description: How often systemd has restarted the unit by itself since it was last started.
  returned: success
  type: int
  sample: 0
restarted_because:
  description: Why the unit was restarted, or would be. The files that its process had not read.
  returned: success
  type: list
  elements: str
  sample:
    - /etc/glance/glance-api.conf
health:
  description:
    - V(ok) when O(healthcheck_url) answered 200.
    - V(drained) when it answered that it was disabled by file. The service runs, but takes no new work.
    - Empty when it was not asked.
  returned: success
  type: str
  sample: ok
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._health import valid_url
from ansible_collections.openstack_ops.glance.plugins.module_utils._unit import ARGUMENT_SPEC, Systemd, run


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if module.params["state"] == "masked" and module.params["enabled"] is not None:
        module.fail_json(msg="enabled cannot be combined with state=masked: a masked unit does not start at boot.")
    if not valid_url(module.params["healthcheck_url"]):
        module.fail_json(msg=f"healthcheck_url: {module.params['healthcheck_url']!r} is not an http or https URL.")
    if module.params["only_missing"] and module.params["state"] != "masked":
        module.fail_json(msg=f"only_missing goes with state=masked, not with state={module.params['state']}.")

    def command(arguments: list[str]) -> tuple[int, str, str]:
        code, output, errors = module.run_command(arguments, handle_exceptions=False, cwd=os.sep)
        return code, output, errors

    try:
        outcome, health = run(module.params, Systemd(command), module.warn, check_mode=module.check_mode)
    except GlanceError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"systemctl cannot be run: {error}. What to do: use a node that runs systemd.")
    if health == "drained":
        module.warn(
            f"{module.params['name']} is drained: {module.params['healthcheck_url']} says that it was disabled by file."
        )
    module.exit_json(
        changed=outcome.difference.changed,
        diff=outcome.difference.as_diff(),
        active_state=outcome.unit.active,
        sub_state=outcome.unit.sub,
        main_pid=outcome.unit.pid,
        restarts=outcome.unit.restarts,
        restarted_because=outcome.restarted_because,
        health=health,
    )


if __name__ == "__main__":
    main()
