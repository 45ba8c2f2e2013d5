# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Several configuration files and the directories that they lie in: no file is replaced before all are good."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _config_check, _config_file
from ansible_collections.openstack_ops.glance.plugins.module_utils._config_text import Mask
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

Result = dict[str, t.Any]


def converge(host: _config_file.Host) -> Result:
    """Bring the directories and then the files about, and return the result of the module.

    :raises GlanceError: when something is wrong. Directories may have been made then, but no file was changed, unless
        the system refused to replace one.
    """
    mask = Mask(host.params["secrets"])
    files = host.params["files"]
    _hide(host, mask)
    made: set[str] = set()
    done = [_directory(host, params, made) for params in host.params["directories"]]
    drafts = _config_check.checked(host, [_draft(host, params, mask) for params in files], mask)
    written = [_config_file.finish(host, draft) for draft in drafts]
    diff = [part for result in [*done, *written] for part in result.pop("diff")]
    return {
        "changed": any(result["changed"] for result in [*done, *written]),
        "diff": diff,
        "directories": done,
        "files": written,
    }


def _hide(host: _config_file.Host, mask: Mask) -> None:
    """Keep the secrets out of the invocation, and Ansible's own masking away from everything that is none.

    Ansible would hide each text and number of the overrides wherever it stands in the result, and so the whole diff.
    """
    host.params["files"] = [_config_file.without_secrets(params, mask) for params in host.params["files"]]
    host.no_log_values = {secret for secret in host.params["secrets"] if secret}


def _draft(host: _config_file.Host, params: _config_file.Params, mask: Mask) -> _config_file.Draft:
    try:
        return _config_file.draft(host, params, mask)
    except GlanceError as error:
        if params["path"] in str(error):
            raise
        raise GlanceError(f"Writing {params['path']}", answer=str(error)) from error


def _directory(host: _config_file.Host, params: _config_file.Params, made: set[str]) -> Result:
    """Make a directory, with those above it, and give it its attributes.

    :param made: the directories that were made before, in check mode those that would have been; more are added.
    """
    path, diff = params["path"].rstrip("/") or "/", list[dict[str, t.Any]]()
    missing = _missing(path, made)
    made.update(missing)
    for directory in missing:
        diff.append({"before_header": directory, "after_header": directory, "before": "", "after": "a directory\n"})
        if not host.check_mode:
            _make(directory, params)
    attributes = [
        _config_file.set_attributes(
            host, {**params, "path": directory, "follow": True}, directory, diff, new=bool(missing)
        )
        for directory in missing or [path]
    ]
    return {"path": path, "changed": any(attributes) or bool(missing), "diff": diff}


def _missing(path: str, made: set[str]) -> list[str]:
    """Return the directory and those above it that are yet to be made, the uppermost first.

    :raises GlanceError: when something else is in the way.
    """
    if path in made or os.path.isdir(path):
        return []
    if os.path.lexists(path):
        raise GlanceError(
            f"Making the directory {path}", answer="something else has that name", remedy="move it out of the way"
        )
    return [*_missing(os.path.dirname(path) or ".", made), path]


def _make(path: str, params: _config_file.Params) -> None:
    """Make a directory, for root alone until it has its owner and mode.

    Another node may have made it since it was looked for, where both share a file system.
    """
    _config_file.require_accounts(path, params["owner"], params["group"])
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        raise GlanceError(f"Making the directory {path}", answer=error.strerror or str(error)) from error
