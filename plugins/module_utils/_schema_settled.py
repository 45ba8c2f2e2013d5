# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Whether glance-manage would find nothing to do, told without starting it: that alone takes more than a second.

What the installed Glance ends at stands in its own migration scripts, which are read and not run. Whatever is not as
expected there, in the command or in the database, means that glance-manage has to be asked.
"""

from __future__ import annotations

import ast
import contextlib
import glob
import os
import re
import shutil
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _metadefs as metadefs
from ansible_collections.openstack_ops.glance.plugins.module_utils._database import CONNECTION_ERRORS, connect
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, run_command
from ansible_collections.openstack_ops.glance.plugins.module_utils._schema import Database, login

SCRIPTS = "db/sqlalchemy/alembic_migrations/versions/*.py"
FIND = "import importlib.util; print(importlib.util.find_spec('glance').submodule_search_locations[0])"
PLACING = {"revision", "down_revision", "depends_on"}
"""What a script says of itself."""

Scripts = dict[str, tuple[set[str], set[str]]]
"""Revision -> the revisions that it follows, and those that it depends on."""


def is_settled(params: t.Mapping[str, t.Any], deadline: Deadline) -> bool:
    """Tell whether the module schema would change nothing, and has nothing to tell.

    :param params: its parameters.
    """
    if params["state"] not in ("synced", "contracted") or not all(map(os.path.isfile, params["config_files"])):
        return False
    scripts = read_scripts(package_of(params["command"], deadline))
    database = params["database"]
    patience = min(database["connect_timeout"], int(deadline.left()) + 1)
    # CONNECTION_ERRORS without a driver are none at all.
    with contextlib.suppress(GlanceError, *CONNECTION_ERRORS):
        options = {**login(database), "connect_timeout": patience}
        with contextlib.closing(connect(options, database=database["name"], read_only=True)) as connection:
            found = Database(connection, database["name"])
            return is_at_head(found.revision(), scripts) and _has_metadefs(params, found)
    return False


def _has_metadefs(params: t.Mapping[str, t.Any], database: Database) -> bool:
    """Tell whether all definitions are as in the files. The module tells of those that differ and are to stay."""
    if not params["load_metadefs"]:
        return True
    loading = metadefs.Loading(params["metadefs_path"], params["metadefs_merge"], params["metadefs_prefer_new"])
    pending = metadefs.compare(metadefs.read_files(loading.path), database.metadefs(), loading)
    return not pending and not pending.kept


def package_of(command: str, deadline: Deadline) -> str:
    """Return the directory of the Glance that a command runs, or nothing where that cannot be told for sure."""
    with contextlib.suppress(OSError, ValueError):
        with open(shutil.which(command) or "", encoding="utf-8") as script:
            interpreter = re.fullmatch(r"#! ?(/\S*python\S*)\n", script.readline())
        # Nothing of Glance is imported by this.
        answer = run_command([interpreter.group(1), "-I", "-c", FIND], deadline) if interpreter else None
        return answer.stdout.strip() if answer and answer.returncode == 0 else ""
    return ""


def read_scripts(package: str) -> Scripts:
    """Return what the migration scripts of a Glance say of themselves; nothing where one of them is not understood."""
    scripts: Scripts = {}
    paths = glob.glob(os.path.join(glob.escape(package), SCRIPTS)) if package else []
    for path in paths:
        # The one file beside the scripts, which makes them a package.
        if os.path.basename(path) == "__init__.py":
            continue
        try:
            with open(path, encoding="utf-8") as script:
                told = _literals(script.read())
            scripts[told["revision"]] = (_names(told["down_revision"]), _names(told.get("depends_on")))
        except (OSError, SyntaxError, ValueError, KeyError, TypeError):
            return {}
    return scripts


def _literals(text: str) -> dict[str, t.Any]:
    """Return what a script assigns to the variables that place it among the others."""
    found: dict[str, t.Any] = {}
    for node in ast.parse(text).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        # Alembic's own template for a script gives each variable its type.
        targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
        names = PLACING.intersection(target.id for target in targets if isinstance(target, ast.Name))
        if names:
            found.update(dict.fromkeys(names, ast.literal_eval(node.value)))
    return found


def _names(value: t.Union[str, t.Sequence[str], None]) -> set[str]:
    return {value} if isinstance(value, str) else set(value or ())


def is_at_head(recorded: t.Collection[str], scripts: Scripts) -> bool:
    """Tell whether all scripts have been run.

    :param recorded: the revisions that the database has recorded: the newest ones, which imply those before them.
    """
    reached: set[str] = set()
    coming = set(recorded)
    while coming:
        revision = coming.pop()
        if revision not in scripts:
            return False
        reached.add(revision)
        before, needed = scripts[revision]
        coming |= (before | needed) - reached
    return bool(scripts) and reached == set(scripts)
