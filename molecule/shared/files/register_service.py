# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Register a service and its users in the Keystone that OS_CLOUD names.

Reads from standard input, as JSON, the service, its endpoints (URLs by interface) and the users. Prints what it made.
What is there is left as it is: a backing node whose passwords have changed is made anew.
"""

from __future__ import annotations

import json
import sys
import typing as t

import openstack

if t.TYPE_CHECKING:
    from openstack.connection import Connection

DOMAIN = "default"


def register_endpoints(cloud: Connection, wanted: dict[str, str], urls: dict[str, str]) -> t.Iterator[str]:
    """Make the service and its endpoints; those of another address are corrected."""
    service = cloud.identity.find_service(wanted["name"])
    if service is None:
        service = cloud.identity.create_service(**wanted)
        yield f"made service {service.name}"
    there = {endpoint.interface: endpoint for endpoint in cloud.identity.endpoints(service_id=service.id)}
    for interface, url in urls.items():
        if interface not in there:
            region = cloud.config.region_name
            cloud.identity.create_endpoint(service_id=service.id, interface=interface, url=url, region_id=region)
            yield f"made {interface} endpoint"
        elif there[interface].url != url:
            cloud.identity.update_endpoint(there[interface], url=url)
            yield f"corrected {interface} endpoint"


def register_user(cloud: Connection, wanted: dict[str, t.Any]) -> t.Iterator[str]:
    """Make a user, its project, its role there and its key pair for S3."""
    project = cloud.identity.find_project(wanted["project"], domain_id=DOMAIN)
    if project is None:
        project = cloud.identity.create_project(name=wanted["project"], domain_id=DOMAIN)
        yield f"made project {project.name}"
    user = cloud.identity.find_user(wanted["name"], domain_id=DOMAIN)
    if user is None:
        user = cloud.identity.create_user(name=wanted["name"], password=wanted["password"], domain_id=DOMAIN)
        yield f"made user {user.name}"
    role = cloud.identity.find_role(wanted["role"], ignore_missing=False)
    if not cloud.identity.validate_user_has_project_role(project, user, role):
        cloud.identity.assign_project_role_to_user(project, user, role)
        yield f"gave {user.name} the role {role.name}"
    if "ec2" in wanted and not list(cloud.identity.credentials(user_id=user.id, type="ec2")):
        pair = json.dumps(wanted["ec2"])
        cloud.identity.create_credential(type="ec2", user_id=user.id, project_id=project.id, blob=pair)
        yield f"made key pair of {user.name}"


def make_container(cloud: Connection, owner: dict[str, t.Any]) -> t.Iterator[str]:
    """Make a container that belongs to the project of a user."""
    own = cloud.connect_as(username=owner["name"], password=owner["password"], project_name=owner["project"])
    if owner["container"] not in [container.name for container in own.object_store.containers()]:
        own.object_store.create_container(name=owner["container"])
        yield f"made container {owner['container']}"


def register(cloud: Connection, wanted: dict[str, t.Any]) -> t.Iterator[str]:
    """Make all that is wanted, and say what was made."""
    yield from register_endpoints(cloud, wanted["service"], wanted["endpoints"])
    for user in wanted["users"]:
        yield from register_user(cloud, user)
        if "container" in user:
            yield from make_container(cloud, user)


if __name__ == "__main__":
    # The public endpoint has a certificate that this machine does not trust.
    for line in register(openstack.connect(interface="internal"), json.load(sys.stdin)):
        sys.stdout.write(f"{line}\n")
