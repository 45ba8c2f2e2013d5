# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Which steps of the playbook site are left out, from what preflight has found and what the run has changed since."""

from __future__ import annotations

import inspect
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROLES = Path(__file__).parents[4] / "roles"
RESOURCES = ROLES / "glance" / "vars" / "main" / "resources.yml"
NODE: dict[str, t.Any] = {"settled": {"schema": True, "unit": True}}
CONTROL: dict[str, t.Any] = {"settled": {"images": True, "registration": True}}
CHANGED: dict[str, t.Any] = {"changed": True}


@pytest.fixture(scope="module")
def expressions() -> dict[str, t.Any]:
    """Return the variables, as ansible-core has them."""
    loader = DataLoader()
    # Since 2.19, only what was loaded for that is worked out.
    trusted = "trusted_as_template" in inspect.signature(loader.load_from_file).parameters
    found: dict[str, t.Any] = loader.load_from_file(str(RESOURCES), **{"trusted_as_template": True} if trusted else {})
    return found


def left_out(expressions: dict[str, t.Any], **variables: t.Any) -> set[str]:
    known = {
        "_glance_preflight_node": NODE,
        "_glance_preflight_control": CONTROL,
        "_glance_source": False,
        "glance_api_through_registry": False,
        "glance_config": {"database": {"max_pool_size": 5}},
        "glance_registry_config": {},
    }
    templar = Templar(loader=DataLoader(), variables={**expressions, **known, **variables})
    steps = ("images", "schema", "unit")
    return {step for step in steps if templar.template(expressions[f"_glance_{step}_settled"]) is True}


def test_all_where_nothing_was_changed(expressions: dict[str, t.Any]) -> None:
    skipped = {"changed": False, "skipped": True}
    assert left_out(expressions) == {"images", "schema", "unit"}
    assert left_out(expressions, _glance_api_installation=skipped, _glance_api_unit=skipped) == {
        "images",
        "schema",
        "unit",
    }


def test_none_without_preflight(expressions: dict[str, t.Any]) -> None:
    assert left_out(expressions, _glance_preflight_node={}, _glance_preflight_control={"changed": False}) == set()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("_glance_api_files", set()),
        ("_glance_registry_files", set()),
        ("_glance_api_installation", {"images"}),
        ("_glance_api_source", {"images", "unit"}),
        ("_glance_api_schema", {"schema", "unit"}),
        ("_glance_api_unit", {"schema", "unit"}),
        ("_glance_stores_installation", {"images", "schema"}),
        ("_glance_stores_rdo_installation", {"images", "schema"}),
        ("_glance_stores_mount_units", {"images", "schema"}),
    ],
)
def test_what_the_run_has_changed(expressions: dict[str, t.Any], changed: str, expected: set[str]) -> None:
    assert left_out(expressions, **{changed: CHANGED}) == expected


@pytest.mark.parametrize("config", [{"database": {"connection": "x"}}, {"DEFAULT": {"sql_connection": "x"}}])
def test_a_schema_that_options_lead_elsewhere_to(expressions: dict[str, t.Any], config: dict[str, t.Any]) -> None:
    through = {"glance_api_through_registry": True, "glance_registry_config": config}
    assert left_out(expressions, glance_config=config) == {"images", "unit"}
    assert left_out(expressions, **through) == {"images", "unit"}
    assert left_out(expressions, glance_registry_config=config) == {"images", "schema", "unit"}


def test_images_that_were_looked_for_elsewhere(expressions: dict[str, t.Any]) -> None:
    before = {"settled": {"images": True, "registration": False}}
    assert left_out(expressions, _glance_preflight_control=before) == {"schema", "unit"}


@pytest.mark.parametrize("role", ["glance_api", "glance_stores"])
def test_a_role_on_its_own_does_not_read_what_an_earlier_play_has_found(role: str) -> None:
    files = sorted((ROLES / role).glob("[tv]a*/**/*.yml"))
    assert files
    assert not [path.name for path in files if "_glance_preflight_" in path.read_text(encoding="utf-8")]
