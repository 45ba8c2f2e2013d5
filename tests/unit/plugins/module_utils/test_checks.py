# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The table of checks: complete, used, and the same in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import CHECKS, Problem

ROOT = Path(__file__).parents[4]
ROW = re.compile(r"^\| (GLS-\d+) \| (.*) \| (.*) \|$", re.MULTILINE)


def test_documentation_has_every_check_exactly_once_and_word_by_word() -> None:
    rows = ROW.findall((ROOT / "docs" / "checks.md").read_text(encoding="utf-8"))
    assert rows == [(code, check.looks_at, check.remedy) for code, check in CHECKS.items()]


def test_every_code_is_well_formed_and_in_order() -> None:
    assert all(re.fullmatch(r"GLS-[0-5]\d\d", code) for code in CHECKS)
    assert list(CHECKS) == sorted(CHECKS)


def test_every_code_in_the_source_is_in_the_table_and_every_row_is_used() -> None:
    used: set[str] = set()
    for path in (ROOT / "plugins" / "module_utils").glob("_*.py"):
        if path.name != "_checks.py":
            used |= set(re.findall(r'"(GLS-\d+)"', path.read_text(encoding="utf-8")))
    assert used == set(CHECKS)


def test_texts_fit_into_a_message() -> None:
    for check in CHECKS.values():
        assert not check.remedy.endswith(".")
        assert "|" not in check.looks_at + check.remedy
        assert check.remedy[0].islower()


class TestProblem:
    def test_message_has_the_code_the_node_the_finding_and_the_remedy(self) -> None:
        problem = Problem("GLS-140", "x:11211: Connection refused", "controller-1")
        assert problem.message == (
            f"GLS-140 controller-1: x:11211: Connection refused. What to do: {CHECKS['GLS-140'].remedy}."
        )

    def test_better_advice_takes_the_place_of_the_tables(self) -> None:
        problem = Problem("GLS-201", "HTTP 401", advice="use the other cloud.")
        assert problem.message == "GLS-201 HTTP 401. What to do: use the other cloud."
        assert problem.as_dict()["remedy"] == "use the other cloud."

    def test_without_a_node_the_message_names_none(self) -> None:
        assert Problem("GLS-003", "not set?").message.startswith("GLS-003 not set? What to do: ")
