# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the tests of the catalogue share: a web server that gives out images, well or badly."""

from __future__ import annotations

import typing as t
from pathlib import Path

import openstack
import pytest
from web import Web


@pytest.fixture
def web(tmp_path: Path) -> t.Iterator[Web]:
    """Serve the files of the test where Glance can fetch them, too."""
    # The first address of the nodes' network is this machine.
    network = openstack.connect().image.get_endpoint().split("/")[2].split(":")[0].rpartition(".")[0]
    with Web(tmp_path, f"{network}.1") as running:
        yield running
