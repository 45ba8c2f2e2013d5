# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_deactivate, driven through main() against two controllers on the loopback interface."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_close
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Journal
from ansible_collections.openstack_ops.glance.plugins.modules import store_deactivate
from ansible_collections.openstack_ops.glance.tests.unit.plugins.fake_copies import LOCK, FakeCopies

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

FORTH, BACK = "local-objects", "objects-local"


class Site:
    """The cloud, the journals of both directions, and the module."""

    def __init__(self, cloud: FakeCopies, directory: Path, run_module: RunModule) -> None:
        self.cloud = cloud
        self._directory = directory
        self._run_module = run_module

    def note(self, name: str, image: str, state: str) -> None:
        """Write a line into the journal of one direction."""
        with Journal(str(self._directory / name)) as journal:
            journal.append("reactivated", image_id=image, state=state)

    def open_images(self, name: str) -> list[str]:
        """Return what the journal of one direction names."""
        return Journal(str(self._directory / name)).read().open_images()

    def run(self, name: str, other: str, check: bool = False) -> dict[str, t.Any]:
        """Run the module on the way of one direction."""
        options = {
            **self.cloud.auth,
            "endpoints": self.cloud.endpoints,
            "journal": str(self._directory / name),
            "other": str(self._directory / other),
        }
        return self._run_module(store_deactivate, options, check=check)


@pytest.fixture
def site(tmp_path: Path, run_module: RunModule) -> t.Iterator[Site]:
    with FakeCopies() as cloud:
        yield Site(cloud, tmp_path, run_module)


@pytest.mark.parametrize(("name", "other"), [(FORTH, BACK), (BACK, FORTH)])
def test_what_was_left_open_is_closed_whichever_way_the_run_goes(site: Site, name: str, other: str) -> None:
    image, mine, gone = site.cloud.put("one"), site.cloud.put("mine"), site.cloud.put("gone")
    before = site.cloud.put("closed before")
    site.note(FORTH, image, "open")
    site.note(FORTH, gone, "open")
    site.note(BACK, mine, "open")
    for state in ("open", "closed"):
        site.note(FORTH, before, state)
    del site.cloud.images[gone]
    planned = site.run(name, other, check=True)
    assert (planned["changed"], len(planned["closed"])) == (True, 3)
    assert site.cloud.images[image]["status"] == "active"

    result = site.run(name, other)
    assert (result["changed"], result["left"]) == (True, [])
    assert {row["image_id"] for row in result["closed"]} == {image, mine, gone}
    assert {row["journal"].rpartition("/")[2] for row in result["closed"]} == {FORTH, BACK}
    assert [site.cloud.images[each]["status"] for each in (image, mine, before)] == ["deactivated"] * 2 + ["active"]
    assert site.open_images(FORTH) + site.open_images(BACK) == []
    assert site.run(name, other)["changed"] is False


def test_nothing_is_asked_where_no_image_was_left_open(site: Site) -> None:
    image = site.cloud.put("announced")
    site.note(FORTH, image, "due")
    site.cloud.leave("one", "two")
    result = site.run(BACK, FORTH)
    assert (result["changed"], result["closed"], site.cloud.requests) == (False, [], [])


def test_image_that_is_locked_is_left_and_keeps_no_other_open(site: Site) -> None:
    locked, other = site.cloud.put("locked"), site.cloud.put("other")
    site.cloud.lock(locked, silent=0)
    for image in (locked, other):
        site.note(FORTH, image, "open")
    result = site.run(BACK, FORTH)
    assert [row["image_id"] for row in result["left"]] == [locked]
    assert [site.cloud.images[image]["status"] for image in (locked, other)] == ["active", "deactivated"]
    assert site.open_images(FORTH) == [locked]
    del site.cloud.images[locked][LOCK]
    assert site.run(BACK, FORTH)["left"] == []
    assert site.cloud.images[locked]["status"] == "deactivated"


def test_image_that_glance_does_not_deactivate_stays_named(site: Site) -> None:
    image = site.cloud.put("one")
    site.note(FORTH, image, "open")
    for name in site.cloud.endpoints:
        site.cloud.answers[f"POST /{name}/v2/images/{image}/actions/deactivate"] = (403, "You are not authorized")
    result = site.run(FORTH, BACK)
    assert (result["changed"], result["left"][0]["image_id"]) == (False, image)
    assert site.open_images(FORTH) == [image]


def test_journal_that_another_run_is_writing_is_an_error(site: Site, tmp_path: Path, monkeypatch: t.Any) -> None:
    monkeypatch.setattr(_switch_close, "PATIENCE", 0.0)
    site.note(FORTH, site.cloud.put("one"), "open")
    with Journal(str(tmp_path / FORTH)):
        assert "another run is writing it" in site.run(BACK, FORTH)["msg"]
