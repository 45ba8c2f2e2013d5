# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

# This file is private to the collection: anything in it may change at any time.

"""What the output of a module may show of its option ``stores``."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import (
    STORE_TYPES,
    store_needs,
    store_problems,
)

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def hide_only_secrets(module: AnsibleModule) -> None:
    """Let the output of the module show what ``stores`` holds, except the secrets.

    ansible-core hides every string inside an option marked as secret, names of containers too. What a store with a
    problem holds stays hidden: there is no telling which of it is a secret.
    """
    stores = module.params["stores"] or {}
    secrets = secrets_of(stores)
    module.no_log_values.difference_update(set(_texts(stores)) - secrets)
    module.no_log_values.update(secrets)


def secrets_of(stores: t.Mapping[str, t.Any]) -> set[str]:
    """Return what of the option ``stores`` must not be shown."""
    bad = [store for name, store in stores.items() if store_problems(str(name), store)]
    return set(store_needs(stores)["secrets"]) | (set(_texts(bad)) - STORE_TYPES.keys())


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
