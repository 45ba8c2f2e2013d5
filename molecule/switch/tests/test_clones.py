# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Images in Ceph that volumes were cloned from are named in the plan, copied, and kept until their clones are gone."""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from seed import MIB, Plan
from snapshot import compare, snapshot
from switching import Ends, stores_of

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from seed import Gardener
    from switching import Switch

ENDS = Ends("fast", "objects")
POOL = "images"
# One that Glance's user of Ceph may not read, as that of Cinder's volumes usually is.
OTHER_POOL = "images-2"
PLANS = [Plan(name, MIB) for name in ("cloned here", "cloned elsewhere", "not cloned")]


@pytest.fixture
def clones(bed: Bed) -> t.Iterator[t.Callable[[str, str, int], None]]:
    """Return what clones an image, as Cinder does, into ``pool/name``, in one of Ceph's two formats."""
    made: list[str] = []

    def clone(image_id: str, name: str, form: int) -> None:
        bed.on(bed.node("ceph"), f"rbd clone --rbd-default-clone-format {form} {POOL}/{image_id}@snap {name}")
        made.append(name)

    yield clone
    for name in made:
        bed.on(bed.node("ceph"), f"rbd rm --no-progress {name}", check=False)


@contextlib.contextmanager
def stopped_osd(bed: Bed) -> t.Iterator[None]:
    """Let Ceph answer nobody who wants data."""
    bed.on(bed.node("ceph"), "systemctl stop ceph-osd@0")
    try:
        yield
    finally:
        bed.on(bed.node("ceph"), "systemctl start ceph-osd@0")


def is_protected(bed: Bed, image_id: str) -> bool:
    """Tell whether an image in Ceph still has the snapshot that it can be read from."""
    listed = json.loads(bed.on(bed.node("ceph"), f"rbd snap ls --format json {POOL}/{image_id}"))
    return [(found["name"], found["protected"]) for found in listed] == [("snap", "true")]


def test_images_with_clones(
    switch: Switch,
    gardener: Gardener,
    apis: list[Api],
    bed: Bed,
    clones: t.Callable[[str, str, int], None],
) -> None:
    switch.begin_with(ENDS.source)
    planted = gardener.plant(PLANS, store=ENDS.source)
    here, elsewhere, plain = (image.image_id for image in planted)
    clones(here, f"{POOL}/volume-here", 1)
    clones(elsewhere, f"{OTHER_POOL}/volume-elsewhere", 2)
    before = snapshot(apis, [image.image_id for image in planted])

    plan = switch.run(ENDS, "--check")
    assert plan.status == 0, plan.text
    assert f"{here}: {POOL}/volume-here" in plan.unfolded
    # Whose clone cannot be seen is not taken for one without.
    assert "Ceph denies it" in plan.unfolded
    assert elsewhere in plan.unfolded
    assert plain not in plan.unfolded

    report = switch.switch(ENDS)
    assert {image["image_id"]: image["clones"] for image in report["clones"]["images"]} == {here: 1, elsewhere: None}

    shown = switch.run(ENDS, phase="retire")
    assert shown.status == 0, shown.text
    assert "1 image with 1.0 MiB" in shown.unfolded
    assert f"rbd flatten {POOL}/volume-here" in shown.unfolded
    token = switch.token(ENDS)
    kept = switch.run(ENDS, phase="retire", token=token)
    assert kept.status == 2, kept.text
    assert {image["image_id"] for image in switch.report(ENDS)["attention"]} == {here, elsewhere}
    stores = stores_of(apis[0], planted)
    assert stores == {
        here: {ENDS.source, ENDS.target}, elsewhere: {ENDS.source, ENDS.target}, plain: {ENDS.target}
    }  # fmt: skip
    assert is_protected(bed, here)
    assert is_protected(bed, elsewhere)
    assert compare(before, snapshot(apis, before)) == []

    bed.on(bed.node("ceph"), f"rbd flatten --no-progress {POOL}/volume-here")
    bed.on(bed.node("ceph"), f"rbd rm --no-progress {OTHER_POOL}/volume-elsewhere")
    retired = switch.run(ENDS, phase="retire", token=token)
    assert retired.status == 0, retired.text
    assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ENDS.target})}
    assert compare(before, snapshot(apis, before)) == []
    report = switch.report(ENDS)
    assert (report["verdict"]["status"], report["attention"], report["clones"]["images"]) == (0, [], [])


def test_ceph_that_does_not_answer_is_unknown(switch: Switch, gardener: Gardener, bed: Bed) -> None:
    switch.begin_with(ENDS.source)
    gardener.plant(PLANS[:1], store=ENDS.source)
    with stopped_osd(bed):
        plan = switch.run(ENDS, "--check")
    assert plan.status == 0, plan.text
    assert "Whether images in fast have clones is not known" in plan.unfolded
