# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""One configuration file: what it shall hold, whether Glance can read that, and how it gets there."""

from __future__ import annotations

import grp
import json
import os
import pwd
import tempfile
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _oslo_check
from ansible_collections.openstack_ops.glance.plugins.module_utils._config_text import Mask, override
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import HIDDEN
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

SAMPLE_LINES = 1000
"""A file with more lines is the packages' sample, which explains each option in comments, thousands of lines in all."""

Params = dict[str, t.Any]
Report = dict[str, t.Any]


class Host(t.Protocol):
    """What is used of AnsibleModule."""

    params: Params
    check_mode: bool
    tmpdir: str
    no_log_values: set[str]

    def run_command(
        self, args: list[str], *, data: str, handle_exceptions: bool, environ_update: dict[str, str]
    ) -> tuple[int, str, str]:
        """Run a command with this standard input."""

    def add_cleanup_file(self, path: str) -> None:
        """Have a file removed at the end."""

    def backup_local(self, fn: str) -> str:
        """Copy a file beside itself, and return the path of the copy."""

    def atomic_move(self, src: str, dest: str) -> None:
        """Put a file in the place of another at once."""

    def load_file_common_arguments(self, params: Params) -> dict[str, t.Any]:
        """Return the attributes that the parameters ask for."""

    def set_fs_attributes_if_different(
        self, file_args: dict[str, t.Any], changed: bool, diff: t.Optional[dict[str, t.Any]]
    ) -> bool:
        """Give a file its attributes, and tell whether one differed."""

    def warn(self, warning: str) -> None:
        """Tell the operator something."""


class Draft(t.NamedTuple):
    """A file that was found good and is not in place yet.

    :param source: the temporary file with the new text; None where the text does not change.
    :param new: whether there is no such file yet.
    :param result: what is known of the result.
    """

    params: Params
    source: t.Optional[str]
    new: bool
    result: dict[str, t.Any]


def draft(host: Host, params: Params, mask: Mask) -> Draft:
    """Make the file that ``params`` describe in a temporary place.

    :raises GlanceError: when something is wrong with it, or with where it shall go.
    """
    path = params["path"]
    observed = read(path)
    desired = desired_text(params["content"], params["options"])
    if not host.check_mode:
        require_accounts(path, params["owner"], params["group"])
    source: t.Optional[str] = None
    result: dict[str, t.Any] = {"path": path, "validated": False, "diff": []}
    if observed != desired:
        source = written(host, desired)
        result.update(validate(host, params, source, mask))
        result["diff"] = [content_diff(path, mask, observed, desired)]
    return Draft(params, source, observed is None, result)


def finish(host: Host, good: Draft) -> dict[str, t.Any]:
    """Put the file in place, and return what became of it."""
    params, result, changed = good.params, good.result, good.source is not None
    if good.source is not None and not host.check_mode:
        result.update(put(host, good.source, params["path"], backup=params["backup"]))
    attributes_changed = set_attributes(host, params, params["path"], result["diff"], new=good.new)
    return {**result, "changed": changed or attributes_changed}


def without_secrets(params: Params, mask: Mask) -> Params:
    """Return the parameters of a file as the invocation may show them."""
    options = {
        section: {option: shown(mask, str(option), value) for option, value in changes.items()}
        for section, changes in params["options"].items()
        if isinstance(changes, dict)
    }
    return {**params, "content": HIDDEN, "options": options}


def shown(mask: Mask, option: str, value: t.Any) -> t.Any:
    """Return a value without its secrets, and as it is when it has none."""
    text = mask.value(option, str(value))
    return value if text == str(value) else text


def read(path: str) -> t.Optional[str]:
    """Return the text of the file, or None where there is none.

    :raises GlanceError: when it cannot be read.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GlanceError(f"Reading {path}", answer=error.strerror or str(error)) from error


def desired_text(content: str, options: dict[str, dict[str, t.Any]]) -> str:
    """Return the text that the file shall hold, with a line break at its end.

    :raises GlanceError: when an override has no text.
    """
    text = override(content.replace("\r\n", "\n"), options)
    return text if not text or text.endswith("\n") else f"{text}\n"


def require_accounts(path: str, owner: str, group: str) -> None:
    """Refuse to begin where the end would fail.

    :raises GlanceError: when the directory, the owner or the group does not exist.
    """
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        raise GlanceError(
            f"Writing {path}",
            answer=f"there is no directory {directory}",
            remedy="install the packages of Glance first",
        )
    missing = missing_accounts(owner, group)
    if missing:
        raise GlanceError(
            f"Writing {path}",
            answer="; ".join(f"there is no {kind} {name!r}" for kind, name in missing.items()),
            cause="the packages of Glance, which make the accounts, are not installed yet",
            remedy="install them first, or name other accounts in owner and group",
        )


def missing_accounts(owner: str, group: str) -> dict[str, str]:
    """Return which of the two the system does not know."""
    missing = {}
    for kind, name, lookup in (("owner", owner, pwd.getpwnam), ("group", group, grp.getgrnam)):
        if name and not name.isdecimal():
            try:
                lookup(name)
            except KeyError:
                missing[kind] = name
    return missing


def written(host: Host, text: str) -> str:
    """Return the path of a temporary file, readable by nobody else, with ``text`` in it."""
    descriptor, source = tempfile.mkstemp(dir=host.tmpdir, suffix=".conf")
    host.add_cleanup_file(source)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
    return source


def validate(host: Host, params: Params, source: str, mask: Mask) -> dict[str, t.Any]:
    """Return what the result says about the check of the file ``source``.

    :raises GlanceError: with all problems, or when the check is impossible.
    """
    path, python = params["path"], params["python"]
    if params["validator"] == "none":
        return {}
    report = run_check(host, params, source, mask)
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
    if report["problems"]:
        lines = [f"- {describe(problem, mask, params['options'])}" for problem in report["problems"]]
        count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
        remedy = "What to do: correct the options; one that is null is left to Glance's default."
        raise GlanceError("\n".join([f"{path} was not written, it would have {count}:", *lines, remedy]))
    for message in report["warnings"]:
        host.warn(f"{path}: {message}")
    validation = {key: report[key] for key in ("namespaces", "left_out", "stores")}
    return {"validated": True, "validation": {"python": python, **validation}}


def run_check(host: Host, params: Params, source: str, mask: Mask) -> Report:
    """Let the interpreter that runs Glance check the file ``source``, and return its report.

    :raises GlanceError: when it gives none.
    """
    python = params["python"]
    job = {"file": source, "namespaces": params["namespaces"], "store_sections": params["store_sections"]}
    program = f"{program_text()}\nmain({json.dumps(job)!r})\n"
    if not os.access(python, os.X_OK):
        return {"missing": "an interpreter"}
    # Nothing of the environment counts, and nothing is left behind: no byte code, no cache of entry points.
    try:
        code, out, err = host.run_command(
            [python, "-I", "-B", "-X", "utf8", "-"],
            data=program,
            handle_exceptions=False,
            environ_update={"XDG_CACHE_HOME": "/dev/null"},
        )
    except BrokenPipeError:
        code, out, err = -1, "", "it ended before it had read the check"
    try:
        report: Report = json.loads(out)
    except ValueError:
        last = err.strip().splitlines()[-1:] or [f"exit status {code}"]
        raise GlanceError(
            f"Validating {params['path']} with {python}",
            answer=mask.text(last[0]),
            cause="a Glance whose libraries do not fit together",
            remedy="run oslo-config-validator there, or set validator to none",
        ) from None
    return report


def program_text() -> str:
    """Return the source of the check, which is inside an archive where the module runs."""
    loader = t.cast(t.Any, _oslo_check.__spec__).loader
    return t.cast(str, loader.get_source(_oslo_check.__name__))


def content_diff(path: str, mask: Mask, observed: t.Optional[str], desired: str) -> dict[str, str]:
    """Return the diff of the text without its secrets."""
    before, after = mask.pair(observed or "", desired)
    if before == after:
        return {"prepared": f"{path}: only text that is hidden here differs\n"}
    header = path
    if before.count("\n") > SAMPLE_LINES:
        before, header = settings(before), f"{path} (a sample: its comments and blank lines are left out)"
    return {"before": before, "after": after, "before_header": header, "after_header": path}


def settings(text: str) -> str:
    """Return the lines of a sample that set something, and the sections that hold them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";"))]
    following = [*lines[1:], "["]
    return "".join(
        f"{line}\n" for line, after in zip(lines, following) if not (line.startswith("[") and after.startswith("["))
    )


def put(host: Host, source: str, path: str, *, backup: bool) -> dict[str, t.Any]:
    """Put the file ``source`` in place: never half of it, and for root alone until it has its owner and mode."""
    kept = {"backup_file": host.backup_local(path)} if backup and os.path.exists(path) else {}
    umask = os.umask(0o077)
    try:
        host.atomic_move(source, path)
    finally:
        os.umask(umask)
    return kept


def set_attributes(host: Host, params: Params, path: str, diffs: list[dict[str, t.Any]], *, new: bool) -> bool:
    """Give the file its owner, group, mode and so on, and tell whether one of them was different."""
    if new and host.check_mode:
        return True
    wanted = host.load_file_common_arguments(params)
    missing = missing_accounts(params["owner"], params["group"])
    wanted.update(dict.fromkeys(missing))
    diff: dict[str, t.Any] = {}
    changed = host.set_fs_attributes_if_different(wanted, bool(missing), diff)
    if missing:
        status = os.stat(path)
        current = {"owner": status.st_uid, "group": status.st_gid}
        diff.setdefault("before", {}).update({kind: current[kind] for kind in missing})
        diff.setdefault("after", {}).update(missing)
    if diff and not new:
        diffs.append({"before_header": f"{path} (attributes)", "after_header": f"{path} (attributes)", **diff})
    return changed


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
