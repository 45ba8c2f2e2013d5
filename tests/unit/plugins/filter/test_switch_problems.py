# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is found wrong in the variables of a switch."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.filter import switch_problems
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_inputs

STORES = {
    "local": {"type": "file", "datadir": "/srv/images"},
    "objects": {"type": "swift", "auth": {"auth_url": "http://x", "user": "a:b", "key": "secret"}},
    "web": {"type": "http"},
}
GOOD: dict[str, t.Any] = {
    "glance_switch_from": "local",
    "glance_switch_to": "objects",
    "glance_switch_transfers": 2,
    "glance_switch_bandwidth": "1000",
    "glance_switch_drain_timeout": 0,
    "glance_switch_grace": 15,
    "glance_switch_quarantine_days": 0,
    "glance_switch_proof_hours": 24,
    "glance_switch_reader_port": 9393,
    "glance_switch_leave_behind": [],
}


def found(release: int = 25, multi: bool = True, **changes: t.Any) -> list[tuple[str, str]]:
    """Return the code and the text of each problem of good variables with these changes."""
    problems = _switch_inputs.problems({**GOOD, **changes}, STORES, release, multi)
    return [(problem.code, problem.what) for problem in problems]


def test_good_variables_have_no_problem() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"glance_switch_from": ""}, "GLS-401", "glance_switch_from is not set; there are local, objects, web"),
        ({"glance_switch_to": "object"}, "GLS-401", "did you mean objects?"),
        ({"glance_switch_to": "local"}, "GLS-402", "both 'local'"),
        ({"glance_switch_to": "web"}, "GLS-403", "glance_switch_to is 'web' of the type http"),
        ({"glance_switch_from": "web"}, "GLS-403", "glance_switch_from is 'web'"),
        ({"glance_switch_transfers": 0}, "GLS-405", "a whole number from 1"),
        ({"glance_switch_transfers": True}, "GLS-405", "glance_switch_transfers is True"),
        ({"glance_switch_bandwidth": "10M"}, "GLS-405", "'10M'"),
        ({"glance_switch_leave_behind": "cirros"}, "GLS-405", "a list of ids"),
        ({"release": 19}, "GLS-406", "cannot copy"),
        ({"multi": False}, "GLS-406", "single-store form"),
    ],
)
def test_each_mistake_is_told_once(changes: dict[str, t.Any], code: str, text: str) -> None:
    ((code_found, what),) = found(**changes)
    assert code_found == code
    assert text in what


def test_both_ends_may_be_wrong_at_once() -> None:
    assert [code for code, _what in found(glance_switch_from="x", glance_switch_to="x")] == [
        "GLS-401",
        "GLS-401",
        "GLS-402",
    ]


def fate(name: str, becomes: str) -> dict[str, t.Any]:
    return {"name": name, "becomes": becomes}


@pytest.mark.parametrize(
    ("stores", "text"),
    [
        ([fate("local", "local"), fate("fast", "")], ""),
        # In single-store form a store is called like its type.
        ([fate("file", "local")], ""),
        ([fate("fast", "fast")], "the Glance of today has no store 'local'; it has fast"),
        ([], "no Glance is configured here"),
    ],
)
def test_controllers_run_the_old_store(stores: list[dict[str, t.Any]], text: str) -> None:
    problems = _switch_inputs.differences(GOOD, {"controller-1": {"stores": stores}}, ["controller-1"])
    assert [(problem.code, problem.node, problem.what) for problem in problems] == (
        [("GLS-404", "controller-1", text)] if text else []
    )


def test_controllers_that_are_left_out_are_named() -> None:
    guards = {"controller-1": {"stores": [fate("local", "local")]}}
    (problem,) = _switch_inputs.differences(GOOD, guards, ["controller-3", "controller-1", "controller-2"])
    assert (problem.code, problem.what) == ("GLS-407", "the run leaves out controller-2, controller-3")


def test_filter_looks_at_the_variables_or_at_the_controllers() -> None:
    function = switch_problems.FilterModule().filters()["switch_problems"]
    assert function(GOOD, stores=STORES, release="25") == []
    assert "GLS-401" in function(GOOD)[0]
    (message,) = function(GOOD, guards={"controller-1": {"stores": []}})
    assert message.startswith("GLS-404 controller-1: ")
    with pytest.raises(Exception, match="a dictionary of variables"):
        function([])
