# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What a switch has to do with every kind of image."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_plan import (
    BLOCKED,
    COPIED,
    COPY,
    ELSEWHERE,
    GIB,
    LEFT_BEHIND,
    WAIT,
    Capacity,
    Switch,
    classify,
    estimate,
    fits,
    image_of,
    make_plan,
    plan_table,
)

SWITCH = Switch("local", "objects", "swift", frozenset({"local", "objects", "web"}))


def record(**facts: t.Any) -> dict[str, t.Any]:
    """Return what Glance says of an image."""
    return {"id": "i", "name": "n", "status": "active", "size": 10, "stores": "local", "os_hash_value": "00", **facts}


@pytest.mark.parametrize(
    ("facts", "kind", "attention", "reason"),
    [
        ({}, COPY, False, ""),
        ({"status": "deactivated"}, COPY, False, ""),
        ({"size": 0}, COPY, False, ""),
        ({"os_hash_value": None}, COPY, False, ""),
        ({"stores": "web,local"}, COPY, False, ""),
        ({"os_glance_importing_to_stores": "objects"}, COPY, False, ""),
        ({"stores": "local,objects"}, COPIED, False, ""),
        ({"stores": "objects"}, ELSEWHERE, False, ""),
        ({"stores": "web"}, ELSEWHERE, False, ""),
        ({"stores": "old"}, BLOCKED, True, "only in old, which is not configured"),
        ({"stores": None}, BLOCKED, True, "in no configured store"),
        ({"status": "queued", "stores": None}, BLOCKED, False, "nothing to copy"),
        ({"status": "killed", "stores": None}, BLOCKED, False, "nothing to copy"),
        ({"status": "pending_delete"}, BLOCKED, True, "its data is still in the store"),
        ({"status": "odd"}, BLOCKED, True, "its status is odd"),
        ({"status": "saving"}, WAIT, False, "on the way"),
        ({"status": "uploading"}, WAIT, False, "on the way"),
        ({"status": "importing"}, WAIT, False, "on the way"),
        ({"os_glance_import_task": "t"}, WAIT, True, "locked for the import t"),
        ({"stores": "local,objects", "os_glance_import_task": "t"}, WAIT, True, "locked for the import t"),
        ({"stores": "objects", "os_glance_import_task": "t"}, WAIT, False, "not in local"),
        ({"stores": "web", "os_glance_import_task": "t"}, WAIT, False, "not in local"),
    ],
)
def test_every_kind_of_image(facts: dict[str, t.Any], kind: str, attention: bool, reason: str) -> None:
    case = classify(image_of(record(**facts)), SWITCH)
    assert (case.kind, case.attention) == (kind, attention)
    assert reason in case.reason
    assert bool(case.remedy) == bool(case.reason)


@pytest.mark.parametrize(
    ("target_type", "facts", "kind"),
    [
        ("vmware", {"disk_format": "qcow2"}, BLOCKED),
        ("vmware", {"disk_format": "vmdk"}, COPY),
        ("s3", {"size": 5 * GIB}, COPY),
        ("s3", {"size": 5 * GIB + 1}, BLOCKED),
        ("rbd", {"disk_format": "qcow2"}, COPY),
    ],
)
def test_what_a_type_of_store_takes(target_type: str, facts: dict[str, t.Any], kind: str) -> None:
    assert classify(image_of(record(**facts)), SWITCH._replace(target_type=target_type)).kind == kind


def test_an_image_that_is_left_behind_needs_no_room() -> None:
    switch = SWITCH._replace(leave_behind=frozenset({"1", "2"}))
    both = image_of(record(id="2", stores="local,objects"))
    plan = make_plan([image_of(record(id=name, size=50)) for name in ("1", "3")] + [both], switch, Capacity(target=50))
    assert [image.id for image in plan.of(COPY)] == ["3"]
    assert plan.of(COPIED) == [both]
    assert fits(plan, Capacity(target=50)) is True
    assert [(row["image_id"], row["attention"]) for row in plan.rows(LEFT_BEHIND)] == [("1", False)]
    assert [row["image_id"] for row in plan.left_behind()] == ["1", "2"]
    assert "1 n: it is left in local, as was asked for" in "\n".join(plan_table(plan, estimate(plan, Capacity(), 2, 1)))


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"stores": None}, LEFT_BEHIND),
        ({"status": "pending_delete"}, LEFT_BEHIND),
        ({"os_glance_import_task": "t"}, LEFT_BEHIND),
        ({"status": "saving"}, WAIT),
        ({"status": "queued", "stores": None}, BLOCKED),
        ({"stores": "web"}, ELSEWHERE),
        ({"stores": "local,objects"}, COPIED),
    ],
)
def test_what_holds_a_switch_up_may_be_left_behind(facts: dict[str, t.Any], kind: str) -> None:
    case = classify(image_of(record(**facts)), SWITCH._replace(leave_behind=frozenset({"i"})))
    assert (case.kind, case.attention) == (kind, False)


def test_an_image_that_nobody_can_stage() -> None:
    capacity = Capacity(staging={"one": 50, "two": 100})
    assert classify(image_of(record(size=100)), SWITCH, capacity).kind == COPY
    case = classify(image_of(record(size=101)), SWITCH, capacity)
    assert (case.kind, case.attention) == (BLOCKED, True)
    assert "glance_staging_directory" in case.remedy


def test_in_single_store_form_everything_is_in_the_source() -> None:
    assert classify(image_of(record(stores=None)), SWITCH._replace(known=None)).kind == COPY


def test_time_and_room() -> None:
    images = [image_of(record(id=str(size), size=size)) for size in (10, 30, 60)]
    capacity = Capacity(target=99, staging={"one": 80, "two": 100})
    plan = make_plan(images, SWITCH, capacity)
    expected = estimate(plan, capacity, 2, 10.0)
    assert (expected.bytes, expected.seconds, fits(plan, capacity)) == (100, 10, False)
    assert [line.split(" ")[0] for line in expected.missing] == ["the", "one"]
    assert estimate(plan, Capacity(), 2, None).seconds is None
    assert fits(plan, Capacity()) is None
    assert fits(plan, Capacity(target=100)) is True


def test_the_table_names_only_what_needs_attention() -> None:
    images = [
        image_of(record(id="good")),
        image_of(record(id="closed", status="deactivated", os_hash_value=None)),
        image_of(record(id="empty", status="queued")),
        image_of(record(id="lost", stores=None)),
        image_of(record(id="coming", status="saving")),
    ]
    plan = make_plan(images, SWITCH._replace(target_type="rbd"), Capacity())
    table = "\n".join(plan_table(plan, estimate(plan, Capacity(), 2, 1.0)))
    assert "to copy: 2 images, 20 B" in table
    assert "1 of those to copy are deactivated" in table
    assert "1 of those to copy have no hash" in table
    assert "2 of those to copy are not raw" in table
    assert "time: about 20.0 s at 1 B/s" in table
    assert ("lost n: its data is in no configured store" in table, "coming n: saving" in table) == (True, True)
    assert ("good" in table, "empty" in table) == (False, False)
    assert "  queued: no data was uploaded yet, there is nothing to copy: 1 images" in table


def test_the_time_that_is_not_known_names_no_option() -> None:
    plan = make_plan([image_of(record())], SWITCH, Capacity())
    table = "\n".join(plan_table(plan, estimate(plan, Capacity(), 2, None)))
    assert "time: not known before something was copied; it is shown while the copies are made" in table
