# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The filters about the inventory, as Ansible calls them."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.filter import (
    inventory_problems,
    store_needs,
    store_options,
    swift_references,
)

LOCAL = {"type": "file", "datadir": "/srv/images"}
OBJECTS = {"type": "swift", "auth": {"auth_url": "http://x", "user": "a:b", "key": "secret"}}


def plugin(module: t.Any) -> t.Callable[..., t.Any]:
    """Return the only filter of a file."""
    ((name, function),) = module.FilterModule().filters().items()
    assert module.__name__.endswith(f".{name}")
    return t.cast("t.Callable[..., t.Any]", function)


class TestInventoryProblems:
    def test_returns_the_messages(self) -> None:
        (message,) = plugin(inventory_problems)({"glance_stores": {}}, {"glance_stores": {}})
        assert message.startswith("GLS-010 glance_stores holds no store. What to do: ")

    def test_takes_names_releases_and_a_release(self) -> None:
        messages = plugin(inventory_problems)(
            {"glance_stores": {"a": {**LOCAL, "weight": 1}}},
            spec={"glance_stores": {}},
            defined=["glance_store", "glance_storess"],
            known=["glance_storess"],
            releases={2023.1: "26"},
            release=2023.1,
        )
        assert [message[:7] for message in messages] == ["GLS-001", "GLS-019"]

    @pytest.mark.parametrize(("variables", "spec"), [([], {}), ({}, None)])
    def test_refuses_anything_but_dictionaries(self, variables: t.Any, spec: t.Any) -> None:
        with pytest.raises(AnsibleFilterError, match="takes a dictionary"):
            plugin(inventory_problems)(variables, spec)


class TestStoreOptions:
    def test_returns_the_options(self) -> None:
        assert plugin(store_options)(LOCAL, "local", release="25") == {"filesystem_store_datadir": "/srv/images"}

    def test_takes_the_path_of_the_reference_file(self) -> None:
        options = plugin(store_options)(OBJECTS, "objects", 25, swift_config_file="/x.conf")
        assert options["swift_store_config_file"] == "/x.conf"

    def test_fails_with_the_problems(self) -> None:
        with pytest.raises(AnsibleFilterError, match=r"reading the store 'x': GLS-012 "):
            plugin(store_options)({"type": "y"}, "x", 25)


class TestSwiftReferences:
    def test_returns_a_section_for_each_reference(self) -> None:
        stores = {"a": OBJECTS, "b": {**OBJECTS, "reference": "a", "container": "b"}, "c": LOCAL, "d": OBJECTS}
        references = plugin(swift_references)(stores, 33)
        assert list(references) == ["a", "d"]
        assert references["d"]["user"] == "a:b"

    def test_fails_with_the_problems(self) -> None:
        with pytest.raises(AnsibleFilterError, match="GLS-013"):
            plugin(swift_references)({"x": {"type": "swift"}}, 25)

    def test_refuses_anything_but_a_dictionary(self) -> None:
        with pytest.raises(AnsibleFilterError, match="takes a dictionary"):
            plugin(swift_references)([], 25)


class TestStoreNeeds:
    def test_returns_the_directories(self) -> None:
        needs = plugin(store_needs)({"a": LOCAL})
        assert needs["types"] == ["file"]
        assert needs["directories"] == [{"path": "/srv/images", "purpose": "datadir of the store 'a'"}]

    def test_refuses_anything_but_a_dictionary(self) -> None:
        with pytest.raises(AnsibleFilterError, match="takes a dictionary"):
            plugin(store_needs)([])
