# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Runs the real main() of a module, as ansible-core would, and returns what it reports."""

from __future__ import annotations

import contextlib
import json
import typing as t
from types import ModuleType

import pytest
from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.19

    @contextlib.contextmanager
    def patch_module_args(module_args: dict[str, t.Any]) -> t.Iterator[None]:
        """Give the arguments to the next AnsibleModule."""
        previous = basic._ANSIBLE_ARGS
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": module_args}).encode()
        try:
            yield
        finally:
            basic._ANSIBLE_ARGS = previous


class RunModule(t.Protocol):
    """Signature of the fixture."""

    def __call__(self, module: ModuleType, args: dict[str, t.Any], *, check: bool = False) -> dict[str, t.Any]:
        """Do it."""


@pytest.fixture
def system_log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that will hold what a module writes to the system's log."""
    lines: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _module, message, **_options: lines.append(str(message)))
    return lines


@pytest.fixture
def run_module(capsys: pytest.CaptureFixture[str]) -> RunModule:
    """Return a function that runs a module and gives its result; a failed module gives ``failed: True``."""

    def run(module: ModuleType, args: dict[str, t.Any], *, check: bool = False) -> dict[str, t.Any]:
        arguments = {"_ansible_check_mode": check, "_ansible_diff": True, **args}
        capsys.readouterr()
        with patch_module_args(arguments), pytest.raises(SystemExit) as stop:
            module.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
        assert bool(result.get("failed")) == bool(stop.value.code), result
        return result

    return run
