# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""One configuration file: what it shall hold, and how it gets there."""

from __future__ import annotations

import grp
import os
import pwd
import tempfile
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._config_text import Mask, override
from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import HIDDEN
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

SAMPLE_LINES = 1000
"""A file with more lines is the packages' sample, which explains each option in comments, thousands of lines in all."""

Params = dict[str, t.Any]


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
    """A file that is not in place yet.

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
        result["diff"] = [content_diff(path, mask, observed, desired)]
    return Draft(params, source, observed is None, result)


def finish(host: Host, good: Draft) -> dict[str, t.Any]:
    """Put a file that was found good in place, and return what became of it."""
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
