# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The filter upgrade_plan, as the playbook calls it."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.filter.upgrade_plan import FilterModule

upgrade_plan = FilterModule().filters()["upgrade_plan"]
RELEASES: list[dict[str, t.Any]] = [
    {"name": "antelope", "series": "2023.1", "version": 26, "schema": "2023_1_contract01", "slurp": True},
    {"name": "bobcat", "series": "2023.2", "version": 27, "schema": "2023_1_contract01"},
    {"name": "caracal", "series": "2024.1", "version": 28, "schema": "2024_1_contract01", "slurp": True},
    {"name": "dalmatian", "series": "2024.2", "version": 29, "schema": "2024_1_contract01"},
]
OLD = {"running": True, "version": "26.1.0", "environment": "", "outdated": False, "noted": False}
CARACAL = {"release": "caracal", "environment": ""}


def test_the_plan_of_a_slurp_upgrade() -> None:
    plan = upgrade_plan({"a": OLD, "b": OLD}, {"a": CARACAL, "b": CARACAL}, RELEASES, ["2023_1_contract01"], {})
    assert (plan["begins"], plan["target"], plan["due"]) == ("antelope", "caracal", ["a", "b"])
    assert plan["phases"] == ["expand", "migrate", "contract"]
    assert (plan["is_before"], plan["works"], plan["waiting"]) == (True, True, {})
    assert [message.split()[0] for message in plan["holders"]] == ["GLS-505", "GLS-505"]


@pytest.mark.parametrize(
    ("revisions", "dumps", "told"),
    [
        (["2023_1_contract01"], ["antelope"], ("g-antelope-caracal.sql.gz", {}, "antelope")),
        (
            ["2023_1_contract01", "2024_1_expand01"],
            ["antelope"],
            ("", {"path": "/b/g-antelope-caracal.sql.gz", "made": "1", "controller": "a"}, "antelope"),
        ),
        (["2023_1_contract01", "2024_1_expand01"], [], ("", {}, "antelope")),
    ],
)
def test_the_dump(revisions: list[str], dumps: list[str], told: tuple[str, dict[str, str], str]) -> None:
    looked = {**OLD, "dumps": [{"path": f"/b/g-{release}-caracal.sql.gz", "made": "1"} for release in dumps]}
    plan = upgrade_plan({"a": looked}, {"a": CARACAL}, RELEASES, revisions, None, "g")
    assert (plan["dump_name"], plan["dump"], plan["back"]) == told


def test_without_a_dump_nothing_tells_where_a_contract_phase_came_from() -> None:
    new = {**OLD, "version": "28.1.0"}
    plan = upgrade_plan({"a": new}, {"a": CARACAL}, RELEASES, ["2023_1_contract01", "2024_1_expand01"], None, "g")
    assert (plan["phases"], plan["dump"], plan["back"]) == (["migrate", "contract"], {}, "")


def test_what_could_not_be_looked_at_holds_the_contract_phase() -> None:
    new = {**OLD, "version": "28.1.0"}
    for looked in ({}, {"unreachable": True, "msg": "no route"}):
        plan = upgrade_plan({"a": new, "b": looked}, {"a": CARACAL}, RELEASES, ["2023_1_contract01"])
        assert plan["due"] == []
        assert plan["holders"] == [message for message in plan["holders"] if message.startswith("GLS-505 b: it cannot")]
        assert len(plan["holders"]) == 1


def test_without_the_variables_nothing_is_refused() -> None:
    wanted = {"a": {"release": "dalmatian"}}
    assert upgrade_plan({"a": OLD}, wanted, RELEASES)["problems"] == []
    (skip, *_values) = upgrade_plan({"a": OLD}, wanted, RELEASES, [], {})["problems"]
    assert skip.startswith("GLS-501 a: antelope would be upgraded to dalmatian, past caracal")


def test_a_wrong_input() -> None:
    with pytest.raises(AnsibleFilterError):
        upgrade_plan([], {}, RELEASES)
