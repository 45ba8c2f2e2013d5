# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Whether the Glance of a controller can read configuration files that are not in place yet."""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _oslo_check
from ansible_collections.openstack_ops.glance.plugins.module_utils._config_file import Draft, Host
from ansible_collections.openstack_ops.glance.plugins.module_utils._config_text import Mask
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import HIDDEN
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

Report = dict[str, t.Any]


def checked(host: Host, drafts: list[Draft], mask: Mask) -> list[Draft]:
    """Check the drafts with a new text, each interpreter's in one process, and return all with what was found.

    :raises GlanceError: with the problems of all of them, or when the check is impossible.
    """
    found = [draft for draft in drafts if draft.source is not None and draft.params["validator"] != "none"]
    interpreters = dict.fromkeys(draft.params["python"] for draft in found)
    reports = {
        draft.source: report
        for python in interpreters
        for draft, report in run(host, python, [draft for draft in found if draft.params["python"] == python], mask)
    }
    refuse_problems([(draft, reports[draft.source]) for draft in found], mask)
    return [
        draft._replace(result={**draft.result, **validation(host, draft, reports[draft.source])})
        if draft.source in reports
        else draft
        for draft in drafts
    ]


def run(host: Host, python: str, drafts: list[Draft], mask: Mask) -> list[tuple[Draft, Report]]:
    """Let the interpreter that runs Glance check the drafts, and return them with their reports.

    :raises GlanceError: when it gives none.
    """
    if not os.access(python, os.X_OK):
        return [(draft, {"missing": "an interpreter"}) for draft in drafts]
    jobs = [
        {
            "file": draft.source,
            "namespaces": draft.params["namespaces"],
            "store_sections": draft.params["store_sections"],
        }
        for draft in drafts
    ]
    # Nothing of the environment counts, and nothing is left behind: no byte code, no cache of entry points.
    try:
        code, out, err = host.run_command(
            [python, "-I", "-B", "-X", "utf8", "-"],
            data=f"{program_text()}\nmain({json.dumps(jobs)!r})\n",
            handle_exceptions=False,
            environ_update={"XDG_CACHE_HOME": "/dev/null"},
        )
    except BrokenPipeError:
        code, out, err = -1, "", "it ended before it had read the check"
    try:
        return list(zip(drafts, json.loads(out)))
    except ValueError:
        last = err.strip().splitlines()[-1:] or [f"exit status {code}"]
        paths = " and ".join(draft.params["path"] for draft in drafts)
        raise GlanceError(
            f"Validating {paths} with {python}",
            answer=mask.text(last[0]),
            cause="a Glance whose libraries do not fit together",
            remedy="run oslo-config-validator there, or set validator to none",
        ) from None


def program_text() -> str:
    """Return the source of the check, which is inside an archive where the module runs."""
    loader = t.cast(t.Any, _oslo_check.__spec__).loader
    return t.cast(str, loader.get_source(_oslo_check.__name__))


def refuse_problems(found: list[tuple[Draft, Report]], mask: Mask) -> None:
    """Refuse files that Glance would not read as they are meant.

    :raises GlanceError: with all problems of all files.
    """
    lines = [line for draft, report in found for line in problem_lines(draft, report, mask)]
    if lines:
        remedy = "What to do: correct the options; one that is null is left to Glance's default."
        raise GlanceError("\n".join([*lines, remedy]))


def problem_lines(draft: Draft, report: Report, mask: Mask) -> list[str]:
    """Return the lines that tell the problems of a file, or none."""
    problems = report.get("problems", ())
    if not problems:
        return []
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    told = [f"- {describe(problem, mask, draft.params['options'])}" for problem in problems]
    return [f"{draft.params['path']} was not written, it would have {count}:", *told]


def validation(host: Host, draft: Draft, report: Report) -> dict[str, t.Any]:
    """Return what the result says about the check of a file that has no problem.

    :raises GlanceError: when the check was impossible.
    """
    path, python = draft.params["path"], draft.params["python"]
    if "missing" in report:
        absent = f"{report['missing']} is not installed for {python}"
        if host.check_mode:
            return {"validation": {"python": python, "note": f"not validated: {absent} yet"}}
        raise GlanceError(
            f"Validating {path}",
            answer=absent,
            cause="Glance is not installed, or for another interpreter",
            remedy="install it first, or name in python the interpreter that runs it",
        )
    for message in report["warnings"]:
        host.warn(f"{path}: {message}")
    basis = {key: report[key] for key in ("namespaces", "left_out", "stores")}
    return {"validated": True, "validation": {"python": python, **basis}}


def describe(problem: Report, mask: Mask, overridden: dict[str, t.Any]) -> str:
    """Return the sentence that tells one problem."""
    section, option = problem["section"], problem["option"]
    value = mask.value(option, problem["value"])
    if problem["secret"] and value == problem["value"]:
        value = HIDDEN
    told = problem["problem"] if value == problem["value"] else problem["problem"].partition(":")[0]
    origin = " (given in options)" if option in overridden.get(section, {}) else ""
    place = f"[{section}] {option} = {value}{origin}: " if option else ""
    parts = [f"{place}{mask.text(told)}"]
    if problem["allowed"]:
        parts.append(f"allowed: {problem['allowed']}")
    if problem["near"]:
        parts.append(f"did you mean {problem['near']}?")
    return "; ".join(parts)
