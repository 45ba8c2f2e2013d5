# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What the option Environment of a systemd unit gives to its processes."""

from __future__ import annotations

import shlex
import typing as t


def unit_environment(lines: t.Any) -> dict[str, str]:
    """Return the variables that the values of ``Environment=`` set, in their order, as systemd reads them.

    :param lines: one value, or a list of them; nothing counts as none.
    """
    environment: dict[str, str] = {}
    for line in lines if isinstance(lines, list) else [lines]:
        assignments = _words("" if line is None else str(line))
        if not assignments:
            # Such a line takes back what stands before it.
            environment.clear()
        for assignment in assignments:
            name, equals, value = assignment.partition("=")
            if equals and name:
                environment[name] = value.replace("%%", "%")
    return environment


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        # systemd ignores a line whose quotes do not end, with a warning in the journal.
        return ["="]
