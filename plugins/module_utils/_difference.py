# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The difference between what is and what shall be: one object for changed, diff and payload."""

from __future__ import annotations

import typing as t

HIDDEN = "VALUE_HIDDEN"


class Difference:
    """Collects what has to change, and is the only source of the three things told about it.

    ``changed``, the diff that an operator sees and the payload that a module sends all come from
    here, so they cannot disagree.
    """

    def __init__(self) -> None:
        self._before: dict[str, t.Any] = {}
        self._after: dict[str, t.Any] = {}
        self._secret: set[str] = set()

    def compare(self, name: str, observed: t.Any, desired: t.Any, *, secret: bool = False) -> bool:
        """Record ``name`` where the two differ, and tell whether they do.

        :param secret: both values are hidden in the diff; only that they differ is shown.
        """
        if observed == desired:
            return False
        self._before[name] = observed
        self._after[name] = desired
        if secret:
            self._secret.add(name)
        return True

    def achieved(self, name: str, value: t.Any) -> None:
        """Record what became of ``name``, where not all that was desired could be had."""
        if name in self._after:
            self._after[name] = value
            if value == self._before[name]:
                del self._before[name], self._after[name]

    @property
    def changed(self) -> bool:
        """Whether anything has to change."""
        return bool(self._after)

    @property
    def updates(self) -> dict[str, t.Any]:
        """The desired value of every name that differs, secrets included: what to send."""
        return dict(self._after)

    def __contains__(self, name: str) -> bool:
        return name in self._after

    def as_diff(self) -> dict[str, dict[str, t.Any]]:
        """Return the ``diff`` of a module: ``before`` and ``after``, each secret hidden."""
        return {"before": self._shown(self._before, "old"), "after": self._shown(self._after, "new")}

    def _shown(self, values: dict[str, t.Any], which: str) -> dict[str, t.Any]:
        return {
            name: (f"{HIDDEN} ({which})" if name in self._secret and value is not None else value)
            for name, value in sorted(values.items())
        }
