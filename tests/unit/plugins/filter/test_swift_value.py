# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The parser of glance_store's Swift driver reads back what the filter wrote."""

from __future__ import annotations

import configparser
import random
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.filter.swift_value import FilterModule

swift_value = FilterModule().filters()["swift_value"]

AWKWARD = "$\\{}()[]\"'=:;#%@/?&+,.<>|!~^`* \t\u00a0\u2028\x0b\x1fabcXYZ_09éß日本🔑"


class SwiftConfigParser(configparser.ConfigParser):
    """Reads as the class of this name in glance_store/_drivers/swift/utils.py does, from 0.9 to 5.7."""

    def get(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        value = super(configparser.ConfigParser, self).get(*args, **kwargs)
        if value and value[0] in "\"'":
            if len(value) == 1 or value[-1] != value[0]:
                raise ValueError("Non-closed quote")
            value = value[1:-1]
        return value


def read_back(values: list[str]) -> list[str]:
    """Return what the driver reads."""
    parser = SwiftConfigParser()
    lines = [f"option{number} = {value}\n" for number, value in enumerate(values)]
    parser.read_file(["[ref1]\n", *lines])
    return [parser.get("ref1", f"option{number}") for number in range(len(values))]


def test_every_string_comes_back() -> None:
    source = random.Random("swift_value")
    strings = ["".join(source.choices(AWKWARD, k=source.randint(0, 12))) for _number in range(5000)]
    strings += ["", "service:glance", '"', "'", '"quoted"', "'half", "%", "%%", "%(user)s", " lead", "trail ", "$x$$"]
    assert read_back([swift_value(string) for string in strings]) == strings


def test_a_number_is_written() -> None:
    assert swift_value(3) == "3"


def test_nothing_is_quoted_without_need() -> None:
    assert swift_value("http://keystone:5000/v3") == "http://keystone:5000/v3"


@pytest.mark.parametrize("value", ["two\nlines", None, ["a"], {"a": "b"}])
def test_what_cannot_be_written_is_refused(value: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="swift_value"):
        swift_value(value)
