# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Several configuration files and the directories that they lie in, brought about one after the other."""

from __future__ import annotations

import copy
import os
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _config_file
from ansible_collections.openstack_ops.glance.plugins.module_utils._config_text import Mask
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

Result = dict[str, t.Any]

FILE_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "required": True, "no_log": True},
    "options": {"type": "dict", "default": {}, "no_log": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "glance"},
    "mode": {"type": "raw", "default": "0640"},
    "backup": {"type": "bool", "default": False},
    "validator": {"type": "str", "choices": ["none", "oslo"], "default": "none"},
    "python": {"type": "path", "default": "/usr/bin/python3"},
    "namespaces": {"type": "list", "elements": "str", "default": _config_file.API_NAMESPACES},
    "store_sections": {"type": "dict", "default": {}},
}
"""One file."""


class Part:
    """What one file or directory sees of the module: options of its own, everything else of the module."""

    def __init__(self, host: _config_file.Host, params: dict[str, t.Any]) -> None:
        self._host = host
        self.params = {**params, "unsafe_writes": False}
        self.no_log_values = set(host.no_log_values)

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._host, name)


def converge(host: _config_file.Host) -> Result:
    """Bring the directories and then the files about, and return the result of the module.

    :raises GlanceError: when something is wrong; what came before it in the lists is done then.
    """
    secrets = host.params["secrets"]
    files = [{**entry, "secrets": secrets} for entry in copy.deepcopy(host.params["files"])]
    _hide(host)
    done = [_directory(_part(host, entry)) for entry in host.params["directories"]]
    written = [_file(_part(host, entry)) for entry in files]
    diff = [part for result in [*done, *written] for part in result.pop("diff")]
    return {
        "changed": any(result["changed"] for result in [*done, *written]),
        "diff": diff,
        "directories": done,
        "files": written,
    }


def _hide(host: _config_file.Host) -> None:
    """Keep the secrets out of the invocation, and Ansible's own masking away from everything that is none."""
    mask = Mask(host.params["secrets"])
    for entry in host.params["files"]:
        part = _part(host, {**entry, "secrets": host.params["secrets"]})
        _config_file.hide_parameters(part, mask)
        entry.update(content=part.params["content"], options=part.params["options"])
    host.no_log_values = {secret for secret in host.params["secrets"] if secret}


def _part(host: _config_file.Host, params: dict[str, t.Any]) -> _config_file.Host:
    return t.cast(_config_file.Host, Part(host, params))


def _file(part: _config_file.Host) -> Result:
    try:
        return _config_file.converge(part)
    except GlanceError as error:
        if part.params["path"] in str(error):
            raise
        raise GlanceError(f"Writing {part.params['path']}", answer=str(error)) from error


def _directory(part: _config_file.Host) -> Result:
    path, diff = part.params["path"], list[dict[str, t.Any]]()
    new = not os.path.lexists(path)
    if not new and not os.path.isdir(path):
        raise GlanceError(
            f"Making the directory {path}", answer="something else has that name", remedy="move it out of the way"
        )
    if new:
        diff.append({"before_header": path, "after_header": path, "before": "", "after": "a directory\n"})
    if new and not part.check_mode:
        _make(part, path)
    changed = _config_file.set_attributes(part, part.params, path, diff, new=new)
    return {"path": path, "changed": new or changed, "diff": diff}


def _make(part: _config_file.Host, path: str) -> None:
    """Make a directory, for root alone until it has its owner and mode."""
    _config_file.require_accounts(path, part.params["owner"], part.params["group"])
    try:
        os.mkdir(path, mode=0o700)
    except OSError as error:
        raise GlanceError(f"Making the directory {path}", answer=error.strerror or str(error)) from error
