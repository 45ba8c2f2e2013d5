# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What Ansible loads for a filter of the collection: all filters, anew in the process of each task that uses one."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest
from ansible_collections.openstack_ops.glance.plugins import filter as filters

HEAVY = {"boto3", "keystoneauth1", "openstack", "oslo_utils", "pymysql", "requests"}
SHOW_LOADED = "import json, sys, {}; print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(filters.__path__)])
def test_no_filter_loads_the_libraries_of_the_modules(name: str) -> None:
    program = SHOW_LOADED.format(f"{filters.__name__}.{name}")
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", program], text=True))
    assert HEAVY.intersection(loaded) == set()
