# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The messages of problems of several nodes."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.filter.problem_messages import FilterModule
from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem

problem_messages = FilterModule().filters()["problem_messages"]


def test_what_several_nodes_have_is_told_once() -> None:
    problems = [
        Problem("GLS-170", "the store is gone", "controller-1", "keep it"),
        Problem("GLS-171", "the store moves", "controller-1"),
        Problem("GLS-170", "the store is gone", "controller-2", "keep it"),
        Problem("GLS-170", "the store is gone", "controller-3", "keep the other"),
        Problem("GLS-170", "the store is gone", "controller-2", "keep it"),
    ]
    assert [message.partition(" What")[0] for message in problem_messages([p.as_dict() for p in problems])] == [
        "GLS-170 controller-1, controller-2: the store is gone.",
        "GLS-171 controller-1: the store moves.",
        "GLS-170 controller-3: the store is gone.",
    ]
    assert problem_messages([]) == []


def test_one_problem_is_told_as_by_itself() -> None:
    problem = Problem("GLS-172", "no answer", "controller-1")
    assert problem_messages([problem.as_dict()]) == [problem.message]


def test_something_else_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="takes a list"):
        problem_messages({})
