# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Every store type has a page in docs/stores: its options are those of the type, and its examples can be used."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.openstack_ops.glance.plugins.module_utils._inventory import Inventory, problems
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import STORE_TYPES

PAGES = Path(__file__).parents[4] / "docs" / "stores"
ZED = 25
VAULT = "QVFCdmFHNW1hR1ZzY0d4bGMzTjBaWE4wYTJWNU1USXpORFUyTnpnNU1BPT0="  # pragma: allowlist secret


def examples() -> list[t.Any]:
    """Return the variables of each example that sets stores."""
    found = []
    for page in sorted(PAGES.glob("*.md")):
        for text in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            variables = yaml.safe_load(re.sub(r'"{{ vault_\w+ }}"', VAULT, text))
            if "glance_stores" in variables:
                found.append(pytest.param(variables, id=f"{page.stem}-{len(found)}"))
    return found


@pytest.mark.parametrize("kind", STORE_TYPES)
def test_page_tells_every_option_and_no_other(kind: str) -> None:
    page = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == sorted(STORE_TYPES[kind].options)


@pytest.mark.parametrize("kind", STORE_TYPES)
def test_page_has_an_example(kind: str) -> None:
    kinds = [store["type"] for example in examples() for store in example.values[0]["glance_stores"].values()]
    assert kind in kinds


@pytest.mark.parametrize("variables", examples())
def test_example_can_be_used(variables: dict[str, t.Any]) -> None:
    default = next(iter(variables["glance_stores"]))
    inventory = Inventory({"glance_default_store": default, **variables}, spec={}, releases={"zed": ZED}, release="zed")
    assert [problem.message for problem in problems(inventory)] == []
