# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the tests of upgrades share: the nodes, the API of each controller, that of HAProxy, and images."""

from __future__ import annotations

import typing as t

import pytest
from bed import Api, Bed
from seed import Gardener

if t.TYPE_CHECKING:
    from openstack.connection import Connection


@pytest.fixture(scope="session")
def bed() -> Bed:
    """Return the nodes."""
    return Bed("glance_rolled")


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
