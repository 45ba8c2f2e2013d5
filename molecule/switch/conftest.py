# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the tests of switching share: the nodes, the API of each controller, that of HAProxy, and images."""

from __future__ import annotations

import typing as t

import pytest
from bed import Api, Bed
from seed import Gardener
from switching import Switch

if t.TYPE_CHECKING:
    from pathlib import Path

    from openstack.connection import Connection


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "short: what the gate runs of this scenario (PYTEST_ADDOPTS='-m short')")


@pytest.fixture(scope="session")
def bed() -> Bed:
    """Return the nodes."""
    return Bed()


@pytest.fixture(scope="session")
def apis(cloud: Connection, bed: Bed) -> list[Api]:
    """Return the API of each controller by itself."""
    return [Api(cloud, bed.url(controller)) for controller in bed.controllers]


@pytest.fixture(scope="session")
def balanced(cloud: Connection, bed: Bed) -> Api:
    """Return the API as users know it, through HAProxy."""
    return Api(cloud, bed.url(bed.node("haproxy")))


@pytest.fixture
def gardener(cloud: Connection, bed: Bed, apis: list[Api]) -> t.Iterator[Gardener]:
    """Return what plants images, which are cleared away at the end."""
    gardener = Gardener(cloud, bed, apis)
    gardener.clear()
    yield gardener
    gardener.clear()


@pytest.fixture
def switch(tmp_path: Path, bed: Bed, apis: list[Api]) -> Switch:
    """Return the playbook, with journals of its own."""
    return Switch(tmp_path, bed, apis[0])
