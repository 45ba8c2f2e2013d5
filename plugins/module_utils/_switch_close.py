# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Deactivates again what a run of a switch has activated and was ended before it could do so itself, whichever way."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_api import Controllers
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, Journal
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_plan import Switch, image_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_transfer import Copier

REASON = "left open by an earlier run"
PATIENCE = 15.0


def run(params: Facts, check_mode: bool) -> Facts:
    """Close what the journals name, and return the module's result.

    :raises GlanceError: when a journal cannot be read or written, or Keystone lets nobody in.
    """
    journals = [Journal(path, PATIENCE) for path in (params["journal"], params["other"]) if path]
    named = [(journal, journal.read().open_images()) for journal in journals]
    result: dict[str, t.Any] = {"closed": [], "left": []}
    if any(images for _journal, images in named):
        controllers = Controllers(connect(params), params["endpoints"])
        controllers.authenticate()
        for journal, images in named:
            if images and check_mode:
                result["closed"] += _told(journal, images)
            elif images:
                _close_all(controllers, journal, images, result)
    return {"changed": bool(result["closed"]), **result}


def _close_all(controllers: Controllers, journal: Journal, images: list[str], result: dict[str, t.Any]) -> None:
    with journal:
        state = journal.read()
        switch = Switch(str(state.switch.get("from", "")), str(state.switch.get("to", "")))
        copier = Copier(controllers, journal, switch, images)
        for image_id in sorted(images):
            try:
                problem = _lock_of(controllers, image_id)
                if not problem:
                    copier.close(image_id, REASON)
            except GlanceError as error:
                problem = str(error)
            if problem:
                result["left"].append({"image_id": image_id, "reason": problem})
            else:
                result["closed"] += _told(journal, [image_id])


def _lock_of(controllers: Controllers, image_id: str) -> str:
    """Return the import that keeps an image open, or nothing: a copy fails whose image is deactivated meanwhile."""
    record = controllers.anywhere(lambda api: api.get(image_id))
    lock = image_of(record).lock if record is not None else ""
    return f"it is locked for the import {lock}" if lock else ""


def _told(journal: Journal, images: list[str]) -> list[Facts]:
    return [{"image_id": image_id, "journal": journal.directory} for image_id in images]
