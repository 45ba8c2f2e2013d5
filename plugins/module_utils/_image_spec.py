# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The options of one image, and the values that they take.

Apart from what reads them: each task is a process of its own, which loads the filters with all that they import.
"""

from __future__ import annotations

import typing as t

DISK_FORMATS = (
    "ami",
    "ari",
    "aki",
    "vhd",
    "vhdx",
    "vmdk",
    "raw",
    "qcow2",
    "vdi",
    "iso",
    "ploop",
    "root-tar",
)
CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")

CONVERTIBLE = ("raw", "qcow2", "vhd", "vhdx", "vmdk", "vdi")
"""The disk formats that an image can be converted to."""

IMPORT_METHODS = ("upload", "glance-direct", "web-download", "glance-download")
"""How the data get into Glance: sent by the module at once or by way of the staging area, or fetched by Glance."""

# What can be a URL is kept out of the system's log; of the output, hide_only_secrets hides only what is secret in it.
IMAGE_SPEC: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str"},
    "previous_names": {"type": "list", "elements": "str", "default": []},
    "id": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "source": {"type": "str", "no_log": True},
    "checksum": {"type": "str", "no_log": True},
    "checksum_keyring": {"type": "path"},
    "checksum_signature": {"type": "str", "no_log": True},
    "decompress": {"type": "bool", "default": False},
    "max_size": {"type": "bytes", "default": "100G"},
    "convert": {"type": "str", "choices": list(CONVERTIBLE)},
    "work_directory": {"type": "path"},
    "import_method": {"type": "str", "choices": list(IMPORT_METHODS), "default": "upload"},
    "remote_image": {
        "type": "dict",
        "options": {
            "id": {"type": "str", "required": True},
            "region": {"type": "str", "required": True},
            "interface": {"type": "str", "choices": ["public", "internal", "admin"], "default": "public"},
        },
    },
    "disk_format": {"type": "str", "choices": ["auto", *DISK_FORMATS], "default": "auto"},
    "container_format": {"type": "str", "choices": list(CONTAINER_FORMATS)},
    "visibility": {"type": "str", "choices": ["public", "private", "shared", "community"]},
    "members": {"type": "list", "elements": "str"},
    "accept_members": {"type": "bool", "default": False},
    "properties": {"type": "dict"},
    "properties_mode": {"type": "str", "choices": ["merge", "exact"], "default": "merge"},
    "tags": {"type": "list", "elements": "str"},
    "protected": {"type": "bool"},
    "hidden": {"type": "bool"},
    "deactivated": {"type": "bool"},
    "min_disk": {"type": "int"},
    "min_ram": {"type": "int"},
    "owner": {"type": "str"},
    "store": {"type": "str"},
    "stores": {"type": "list", "elements": "str"},
    "replace": {"type": "bool", "default": False},
    "keep": {"type": "int"},
    "timeout": {"type": "int", "default": 600},
}
"""The options of one image."""

REQUIRED_ONE_OF = [["name", "id"]]
MUTUALLY_EXCLUSIVE = [["store", "stores"]]
