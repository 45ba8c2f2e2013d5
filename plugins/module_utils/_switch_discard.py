# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Takes copies away that were read and found wrong, so that Glance makes them again.

Only where the old store was read as well, and has what the image shall have: then nothing is lost, whatever the copy
holds. What was deleted by its user meanwhile is noted as gone.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_api import Controllers
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Facts, ImageState, Journal
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_plan import Image, Switch, image_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_transfer import (
    Copier,
    waits_for_announcement,
)

NOT_READ = "its data in the old store was not read"


class Discarding:
    """One run.

    :param read: what reading the old store said of each image: nothing where its data is right, else what is wrong.
    :param announced: the deactivated images that may be activated; None for all.
    """

    def __init__(
        self,
        controllers: Controllers,
        journal: Journal,
        switch: Switch,
        copier: Copier,
        read: t.Mapping[str, str],
        announced: t.Optional[frozenset[str]],
    ) -> None:
        self._controllers = controllers
        self._journal = journal
        self._switch = switch
        self._copier = copier
        self._read = read
        self._announced = announced
        self.discarded: list[Facts] = []
        self.gone: list[Facts] = []
        self.left: list[Facts] = []
        self.held_back: list[str] = []
        """The deactivated images that nobody has announced."""

    def run(self, wrong: t.Iterable[ImageState], mendable: t.Collection[str]) -> None:
        """Look at each image, and take its copy away if it may be made again and that is safe."""
        for state in wrong:
            told = {"image_id": state.id, "name": str(state.facts.get("name") or "")}
            try:
                image = self._look(state.id)
                if image and image.id not in mendable:
                    continue
                problem = self._problem(image) if image else ""
                if image and not problem:
                    if waits_for_announcement(image, self._announced):
                        self.held_back.append(image.id)
                        continue
                    self._discard(image)
            except GlanceError as error:
                problem = error.answer or str(error)
            if problem:
                self.left.append({**told, "reason": problem})
            else:
                (self.discarded if image else self.gone).append(told)
        self._copier.withdraw()

    def _look(self, image_id: str) -> t.Optional[Image]:
        record = self._controllers.anywhere(lambda api: api.get(image_id))
        if record is None:
            self._journal.append("verify", image_id=image_id, state="gone")
        return image_of(record) if record is not None else None

    def _problem(self, image: Image) -> str:
        """Return why the copy has to stay, or nothing."""
        if image.lock:
            return f"it is locked for the import {image.lock}"
        if self._switch.source not in image.stores:
            return f"it is in {', '.join(image.stores) or 'no store'} alone"
        return self._read.get(image.id, NOT_READ)

    def _discard(self, image: Image) -> None:
        if self._switch.target not in image.stores:
            return
        facts = {"reason": "it was wrong, and is taken away", "discarded": True}
        self._journal.append("copy", image_id=image.id, state="failed", **facts)
        if image.status != "deactivated":
            self._controllers.anywhere(lambda api: api.delete_location(self._switch.target, image.id, image.size))
            return
        try:
            self._copier.activate(image.id, next(iter(self._controllers.apis)))
            self._controllers.anywhere(lambda api: api.delete_location(self._switch.target, image.id, image.size))
        finally:
            self._copier.close(image.id)


def run(params: Facts, check_mode: bool) -> Facts:
    """Take wrong copies away, and return the module's result.

    :raises GlanceError: when nothing can be done at all.
    """
    journal = Journal(params["journal"])
    state = journal.read()
    wrong, mendable = state.wrong(), frozenset(image.id for image in state.mendable())
    if check_mode or not wrong:
        return {"changed": bool(mendable), "discarded": [], "gone": [], "left": [], "announcements": []}
    controllers = Controllers(connect(params), params["endpoints"])
    controllers.authenticate()
    switch = Switch(params["source"], params["target"])
    read = {
        str(line["image_id"]): "" if line["state"] == "done" else f"in the old store: {line.get('reason', '')}"
        for line in params["source_results"]
        if line.get("event") == "verify"
    }
    announced = state.announced() if params["announced_only"] else None
    with journal:
        copier = Copier(controllers, journal, switch, state.open_images(), due=state.due_images())
        discarding = Discarding(controllers, journal, switch, copier, read, announced)
        discarding.run(wrong, mendable)
    return {
        "changed": bool(discarding.discarded),
        "discarded": discarding.discarded,
        "gone": discarding.gone,
        "left": discarding.left,
        "announcements": state.announcements(discarding.held_back),
    }
