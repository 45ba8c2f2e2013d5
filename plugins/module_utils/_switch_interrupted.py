# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What is told of a run that was interrupted: noted in its journal, written into the reports, said on the terminal."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_report
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, Journal, State

FACT = "_glance_switch_run"
"""The fact with which the role tells of its run: ``journal``, since when it writes there (``since``), how the playbook
is called (``playbook``), and the commands ``go_on`` and ``go_back``, of which the latter may be empty."""

PATIENCE = 8.0
"""How many seconds a module may take that has heard of the interruption, and brings what it has begun to its end."""


def tell(run: Facts, say: t.Callable[[str], None], patience: float = PATIENCE) -> None:
    """Tell how far a run has come that was interrupted, and how to go on.

    :param run: what the role has told of it.
    :param say: what shows a line, or several, to whoever has interrupted it.
    """
    say(f"Looking how far the switch is: {patience:g} s at most; Ctrl-C again ends at once.")
    try:
        for line in _story(run, Journal(run["journal"], patience)):
            say(line)
    except GlanceError as error:
        say(f"The switch was interrupted. How far it is cannot be told: {error}")
    finally:
        for line in _commands(run):
            say(line)


def _story(run: Facts, journal: Journal) -> t.Iterator[str]:
    yield from _note(journal, run["since"])
    report = _switch_report.run(run)
    yield from _head(journal.read(), run["since"])
    yield f"{report['verdict']['title']}. {report['verdict']['text']}"
    yield from report["table"]
    if report["totals"]["retired"]:
        yield f"Gone from the old store: {_switch_report.images_text(report['totals']['retired'])}."
    yield f"Reports: {report['html']}"
    yield f"         {report['json']}"


def _note(journal: Journal, since: str) -> list[str]:
    """Note that the phases of this run are over, and return what is to be said where that cannot be done."""
    try:
        with journal:
            begun = [line for line in _unfinished(journal.read(), since) if line["state"] == "started"]
            journal.append_all(("phase", _interrupted(line)) for line in begun)
    except GlanceError as error:
        return [f"What was under way may not have ended, and what it still does is not told here: {error.answer}."]
    return []


def _unfinished(state: State, since: str) -> list[Facts]:
    """Return the newest line of each phase of this run, on a controller or on all, that has not come to its end.

    What an earlier run has left is not to be ended again: another journal may tell of its end already.
    """
    newest = {(line["phase"], line.get("controller", "")): line for line in state.phase_lines}
    return [line for line in newest.values() if line["state"] != "finished" and line["time"] >= since]


def _interrupted(line: Facts) -> Facts:
    controller = {"controller": line["controller"]} if line.get("controller") else {}
    return {"phase": line["phase"], "state": "interrupted", **controller}


def _head(state: State, since: str) -> t.Iterator[str]:
    yield f"The switch from {state.switch['from']} to {state.switch['to']} was interrupted."
    controllers = sorted({line["controller"] for line in _unfinished(state, since) if line.get("controller")})
    if controllers:
        yield f"May be out of service until it goes on: {', '.join(controllers)}."


def _commands(run: Facts) -> t.Iterator[str]:
    yield f"Go on:\n{run['go_on']}"
    if run["go_back"]:
        yield f"Go back:\n{run['go_back']}"
