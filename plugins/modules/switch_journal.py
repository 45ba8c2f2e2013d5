#!/usr/bin/python
# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Writes into the journal of a switch between two stores, and tells what is left to verify."""

from __future__ import annotations

DOCUMENTATION = r"""
module: switch_journal
short_description: Write into the journal of a switch, and tell what it says
version_added: 0.1.0
description:
  - Adds events to the journal of a switch between two stores, and reads it. The journal is a file of JSON lines; lines
    are only ever added to it, and are on the disk when the module returns.
  - With O(controllers) it shares the copies that nobody has read back yet among them, a portion for each.
  - With O(mirrors) it compares the journal with the copies that the controllers have of it, and with O(fetched) it
    takes the newest of them. Lines are only ever added, so the newest begins with all others. Where the switch was
    continued from two of them, the module fails, and nothing is changed.
  - A line in the journal is no change of the deployment, so the module never reports one.
options:
  journal:
    description:
      - The directory of the journal. It is made when the first line is written.
    type: path
    required: true
  other:
    description:
      - The directory of the journal of the way in the other direction, if there is one. Nothing is written into it.
      - What a run that was killed on that way has left is told in RV(asked), RV(interrupted) and RV(unfinished), too.
    type: path
  events:
    description:
      - What is added, each with its C(event) and the facts of that event.
    type: list
    elements: dict
    default: []
  controllers:
    description:
      - The controllers among which the copies are shared that have to be read.
    type: list
    elements: str
    default: []
  since:
    description:
      - When the reading began, as the journal writes the time (RV(since) of the first call). A copy that was found
        wrong after that is not shared again.
    type: str
    default: ""
  mirrors:
    description:
      - What M(ansible.builtin.stat) has returned as C(stat) of the copy of each controller, with its SHA-256, by the
        name of the controller.
    type: dict
    default: {}
  fetched:
    description:
      - The copies that were brought here because RV(unlike) names their controllers, each as a path by the name of the
        controller. They are removed when they were looked at.
      - One that goes on where the journal ends, or should begin, takes its place, with a line C(restored) that names
        the controller. Images whose activation was announced count as activated after that line.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    details: Nothing is written.
  diff_mode:
    support: N/A
    details: A line in the journal is no change.
  idempotent:
    support: none
    details: Every event is a line of its own.
  platform:
    support: full
    platforms: posix
extends_documentation_fragment:
  - openstack_ops.glance._attributes
author: The openstack_ops.glance developers (@openstack-ops)
"""

EXAMPLES = r"""
- name: Note that the phase begins
  openstack_ops.glance.switch_journal:
    journal: /srv/switches/local-objects
    events:
      - {event: phase, phase: verify, state: started}
  delegate_to: localhost
  run_once: true

- name: Share the copies among the controllers
  openstack_ops.glance.switch_journal:
    journal: /srv/switches/local-objects
    controllers: [controller-1, controller-2]
  delegate_to: localhost
  run_once: true
  register: journal

- name: Look at the copies that the controllers have
  ansible.builtin.stat:
    path: /var/lib/glance/switch/local-objects/journal.jsonl
    checksum_algorithm: sha256
  register: copy

- name: Compare the journal with them
  openstack_ops.glance.switch_journal:
    journal: /srv/switches/local-objects
    mirrors: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, ['copy', 'stat']))) }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
path:
  description: The path of the journal.
  returned: success
  type: str
  sample: /srv/switches/local-objects/journal.jsonl
unlike:
  description: The controllers of O(mirrors) whose copy is not what the journal begins with.
  returned: success
  type: list
  elements: str
  sample: []
restored:
  description: The controller whose copy was taken; empty where none was.
  returned: success
  type: str
  sample: ""
exists:
  description: Whether there is a journal.
  returned: success
  type: bool
  sample: true
since:
  description: O(since), by default the time of this run.
  returned: success
  type: str
  sample: "2026-11-21T12:00:00.123Z"
switch:
  description: The first line of the journal; empty where there is none.
  returned: success
  type: dict
  sample: {from: local, to: objects}
phases:
  description: The newest line of each phase.
  returned: success
  type: dict
  sample: {copy: {phase: copy, state: finished}}
asked:
  description: Which controller was asked for the copies that are not done, by the task of each, on both ways.
  returned: success
  type: dict
  sample: {6f1c7a52-6f6e-4b0e-9a54-0c9d7a9a6e11: controller-1}
interrupted:
  description: The controllers that were taken out of service by a run, whichever way, that did not put them back.
  returned: success
  type: list
  elements: str
  sample: []
unfinished:
  description: The stores into which a run has begun to copy, whichever way, and has not come to its end.
  returned: success
  type: list
  elements: str
  sample: []
images:
  description: How many images the journal knows, and how many of them are C(copied), C(verified) and C(retired).
  returned: success
  type: dict
  sample: {known: 12, copied: 12, verified: 10, retired: 0}
waiting:
  description: How many copies have to be read.
  returned: success
  type: int
  sample: 2
shares:
  description: The next portion of each controller of O(controllers).
  returned: success
  type: dict
  sample: {controller-1: [{id: 0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f, name: cirros, size: 21430272}]}
portions:
  description: How many times portions are given out until all copies were read.
  returned: success
  type: int
  sample: 1
left:
  description:
    - The images that the newest copying has left, because they are locked for an import or came too late, and of which
      the journal knows no copy. Each has C(image_id), C(name), C(size) and C(reason), and V(true) as C(late) when it
      came too late.
  returned: success
  type: list
  elements: dict
  sample: []
clones:
  description:
    - Which images in the old store had clones in Ceph when the newest plan was made, as the event that
      M(openstack_ops.glance.store_clones) has returned.
  returned: success
  type: dict
  sample: {event: clones, images: [], notes: []}
wrong:
  description: The copies that could not be read or were found wrong, told as in RV(shares), with the C(reason).
  returned: success
  type: list
  elements: dict
  sample: []
discarded:
  description: The ids of the images whose copy was wrong and was taken away, and has not been made again.
  returned: success
  type: list
  elements: str
  sample: []
mendable:
  description:
    - Those of RV(wrong) that were read, and are copies of this switch, so that they may be made again. What could not
      be read may be right, and what was in the store before is no copy.
  returned: success
  type: list
  elements: dict
  sample: []
"""

import contextlib
import datetime
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_mirrors, _switch_shares
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import (
    EVENTS,
    ImageState,
    Journal,
    State,
)

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "journal": {"type": "path", "required": True},
    "other": {"type": "path"},
    "events": {"type": "list", "elements": "dict", "default": []},
    "controllers": {"type": "list", "elements": "str", "default": []},
    "since": {"type": "str", "default": ""},
    "mirrors": {"type": "dict", "default": {}},
    "fetched": {"type": "dict", "default": {}},
}


def now() -> str:
    """Return the time as the journal writes it."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(journal: Journal, events: list[dict[str, t.Any]]) -> None:
    """Add the events, all of them with one write."""
    pairs = [(event["event"], {name: event[name] for name in event if name != "event"}) for event in events]
    with journal:
        journal.append_all(pairs)


def compared(journal: Journal, params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Take the newest of the copies that were fetched, and tell which others differ."""
    mirrors = _switch_mirrors.mirrors_of(params["mirrors"])
    restored = ""
    if params["fetched"] and not check_mode:
        try:
            restored = _switch_mirrors.take_newest(journal, mirrors, params["fetched"])
        finally:
            for path in params["fetched"].values():
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
    return {"unlike": _switch_mirrors.unlike(journal, mirrors), "restored": restored}


def interrupted(states: list[State]) -> list[str]:
    """Return the controllers whose restart has begun and has not ended, whichever way."""
    newest: dict[str, str] = {}
    lines = [line for state in states for line in state.phase_lines]
    for line in sorted(lines, key=lambda line: str(line.get("time"))):
        if line.get("controller"):
            newest[line["controller"]] = line["state"]
        elif (line["phase"], line["state"]) == ("back", "finished"):
            # The way back has brought every controller to its end.
            newest.clear()
    return sorted(name for name, last in newest.items() if last != "finished")


def unfinished(states: list[State]) -> list[str]:
    """Return the stores into which a copying has begun that has not come to its end."""
    return [
        state.switch["to"]
        for state in states
        if state.switch and state.phases.get("copy", {}).get("state", "finished") != "finished"
    ]


def told(journal: Journal, state: State, other: State, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what the journal says, and that of the way in the other direction."""
    images = list(state.images.values())
    waiting = _switch_shares.waiting(state, params["since"])
    return {
        "path": journal.path,
        "exists": os.path.exists(journal.path),
        "since": params["since"] or now(),
        "switch": state.switch,
        "phases": state.phases,
        "asked": {**other.asked(), **state.asked()},
        "interrupted": interrupted([state, other]),
        "unfinished": unfinished([state, other]),
        "images": {
            "known": len(images),
            "copied": sum(image.is_copied for image in images),
            "verified": sum(image.is_verified for image in images),
            "retired": sum(image.is_retired for image in images),
        },
        "waiting": len(waiting),
        "portions": _switch_shares.count(waiting, params["controllers"]),
        "shares": _switch_shares.shares(waiting, params["controllers"]),
        "left": state.uncopied(),
        "clones": {"event": "clones", **{name: state.clones.get(name, []) for name in ("images", "notes")}},
        "wrong": [_told(image) for image in state.wrong()],
        "discarded": state.discarded(),
        "mendable": [_told(image) for image in state.mendable()],
    }


def _told(image: ImageState) -> dict[str, t.Any]:
    return {**_switch_shares.told(image), "image_id": image.id, "reason": image.verify.get("reason", "")}


def main() -> None:
    """Write, read and tell."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    unknown = [str(event.get("event")) for event in module.params["events"] if event.get("event") not in EVENTS]
    if unknown:
        module.fail_json(msg=f"events: there is no event {unknown[0]}; there are {', '.join(sorted(EVENTS))}.")
    journal = Journal(module.params["journal"])
    try:
        result = compared(journal, module.params, module.check_mode)
        if module.params["events"] and not module.check_mode:
            write(journal, module.params["events"])
        other = Journal(module.params["other"]).read() if module.params["other"] else State()
        result.update(told(journal, journal.read(), other, module.params))
    except GlanceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
