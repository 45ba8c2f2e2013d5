# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the tests of all scenarios need: the secrets that must show up nowhere, and the cloud."""

from __future__ import annotations

import json
import os
import typing as t
from urllib.parse import quote

import openstack
import pytest
import yaml
from bed import Api, Bed
from catalog import Catalog
from chaos import Chaos
from depot import Depot
from images import MIB
from journey import Journey
from playbook import INVENTORY, Playbook
from seed import Gardener
from switching import Switch

if t.TYPE_CHECKING:
    from pathlib import Path

    from openstack.connection import Connection


@pytest.fixture(scope="session")
def secrets(testbed: dict[str, t.Any]) -> set[str]:
    """Return every password and key of the inventory, in all the spellings in which it could leak."""
    passwords = [value for name, value in testbed.items() if name.endswith(("_password", "_key"))]
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


@pytest.fixture(scope="session")
def testbed() -> dict[str, t.Any]:
    """Return the variables of the test bed."""
    variables = yaml.safe_load((INVENTORY / "group_vars" / "all" / "testbed.yml").read_text(encoding="utf-8"))
    assert isinstance(variables, dict)
    return variables


@pytest.fixture(scope="session")
def connect_as(cloud: Connection, testbed: dict[str, t.Any]) -> t.Callable[[str, str, str], Connection]:
    """Return a function that connects as another user, given its name, its password and its project."""

    def connect(username: str, password: str, project_name: str) -> Connection:
        return openstack.connect(
            auth_url=cloud.config.get_auth_args()["auth_url"],
            username=username,
            password=password,
            project_name=project_name,
            user_domain_name="Default",
            project_domain_name="Default",
            region_name=testbed["testbed_region"],
            # The public endpoint of Swift has a certificate of the test bed's own authority.
            interface="internal",
            load_yaml_config=False,
            load_envvars=False,
        )

    return connect


@pytest.fixture(scope="session")
def swift(connect_as: t.Callable[[str, str, str], Connection], testbed: dict[str, t.Any]) -> Connection:
    """Return a connection as the user of Glance, whose account in Swift has the images."""
    return connect_as("glance", testbed["testbed_glance_service_password"], "service")


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    """Return the playbook, ready to be run."""
    return Playbook(tmp_path)


@pytest.fixture
def upgrade(tmp_path: Path) -> Playbook:
    """Return the playbook that upgrades, with the time that pip may take."""
    return Playbook(tmp_path, "openstack_ops.glance.upgrade", timeout=3600)


@pytest.fixture(scope="session")
def controllers() -> str:
    """Return the group of the controllers that are tested."""
    return "glance_api"


@pytest.fixture(scope="session")
def bed(controllers: str) -> Bed:
    """Return the nodes."""
    return Bed(controllers)


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
    """Return the playbook that switches stores, with journals of its own."""
    return Switch(tmp_path, bed, apis[0])


@pytest.fixture
def depot(bed: Bed, testbed: dict[str, t.Any], request: pytest.FixtureRequest) -> Depot:
    """Return the backends of the stores."""
    # Not every scenario has a Swift.
    return Depot(bed, testbed, lambda: request.getfixturevalue("swift"))


@pytest.fixture
def journey(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, depot: Depot) -> Journey:
    """Return what switches there and back."""
    return Journey(switch, gardener, apis, bed, depot)


@pytest.fixture
def chaos(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, depot: Depot) -> Chaos:
    """Return what switches under misfortunes."""
    return Chaos(switch, gardener, apis, bed, depot)


@pytest.fixture
def catalog(cloud: Connection, tmp_path: Path) -> t.Iterator[Catalog]:
    """Return the catalogue of the tests, empty before and after."""
    catalog = Catalog(cloud, Playbook(tmp_path, "openstack_ops.glance.images"))
    catalog.clean()
    yield catalog
    catalog.clean()


@pytest.fixture
def make(tmp_path: Path) -> t.Callable[..., str]:
    """Return a function that makes a file with random data."""

    def file(name: str, size: int = MIB) -> str:
        (tmp_path / name).write_bytes(b"\1" + os.urandom(size - 1))
        return str(tmp_path / name)

    return file


@pytest.fixture(scope="session")
def inventory() -> dict[str, t.Any]:
    """Return the variables of the controllers as they are written, with their templates."""
    variables = yaml.safe_load((INVENTORY / "group_vars" / "glance_api.yml").read_text(encoding="utf-8"))
    assert isinstance(variables, dict)
    return variables
