# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the tests of all scenarios need: the secrets that must show up nowhere, and the cloud."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from urllib.parse import quote

import openstack
import pytest
import yaml

INVENTORY = Path(__file__).parent / "shared" / "inventory"

if t.TYPE_CHECKING:
    from openstack.connection import Connection


@pytest.fixture(scope="session")
def secrets() -> set[str]:
    """Return every password and key of the inventory, in all the spellings in which it could leak."""
    variables = yaml.safe_load((INVENTORY / "group_vars" / "all" / "testbed.yml").read_text(encoding="utf-8"))
    passwords = [value for name, value in variables.items() if name.endswith(("_password", "_key"))]
    assert len(passwords) == 19
    return {
        spelling
        for password in passwords
        for spelling in (
            password,
            json.dumps(password)[1:-1],
            json.dumps(password, ensure_ascii=False)[1:-1],
            quote(password, safe=""),
            quote(password.encode("utf-8").decode("latin-1"), safe=""),
        )
    }


@pytest.fixture(scope="session")
def cloud() -> Connection:
    """Return a connection as the administrator of the cloud that OS_CLOUD names."""
    return openstack.connect()
