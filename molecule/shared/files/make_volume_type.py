# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Make the volume type of a backend of the cloud that OS_CLOUD names; fails while the backend is not up."""

from __future__ import annotations

import sys
import typing as t

import openstack


def make_volume_type(backend: str) -> t.Iterator[str]:
    """Make the volume type, and say so."""
    storage = openstack.connect(interface="internal").block_storage
    if not any(service.state == "up" and service.host.endswith(f"@{backend}") for service in storage.services()):
        sys.exit(f"The backend {backend} is not up.")
    if storage.find_type(backend) is None:
        storage.create_type(name=backend, extra_specs={"volume_backend_name": backend})
        yield f"made volume type {backend}"


if __name__ == "__main__":
    for line in make_volume_type(sys.argv[1]):
        sys.stdout.write(f"{line}\n")
