# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""oslo.config itself reads back what the filter wrote."""

from __future__ import annotations

import random
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.filter.oslo_value import FilterModule
from oslo_config import cfg

oslo_value = FilterModule().filters()["oslo_value"]

AWKWARD = "$\\{}()[]\"'=:;#%@/?&+,.<>|!~^`* \t\u00a0\u2028\x0b\x1fabcXYZ_09éß日本🔑"

STRINGS = [
    "",
    "plain",
    "$",
    "$$",
    "\\$",
    "\\\\$",
    "$\\$$\\\\$x",
    "$nosuch and ${nosuch} and $5",
    '"',
    "'",
    '""',
    '"quoted"',
    "'quoted'",
    "\"half'",
    " lead",
    "trail ",
    "\ttabs\t",
    "\u00a0no-break\u00a0",
    "# no comment",
    "; no comment",
    "[no section]",
    "a=b:c",
    "%40 %% %(x)s",
    "@:/%#'\" $\\é",
]


@pytest.fixture
def read(tmp_path: Path) -> t.Callable[..., t.Any]:
    """Return a function that writes values below the lines of a file and returns how oslo.config reads them."""

    def read_back(kind: type[cfg.Opt], texts: list[str], **options: t.Any) -> list[t.Any]:
        file = tmp_path / "test.conf"
        lines = [f"option{number} = {text}" for number, text in enumerate(texts)]
        file.write_text("\n".join(["[keystone_authtoken]", *lines, ""]), encoding="utf-8")
        conf = cfg.ConfigOpts()
        conf.register_opts([kind(f"option{number}", **options) for number in range(len(texts))], "keystone_authtoken")
        conf(["--config-file", str(file)], default_config_files=[], default_config_dirs=[], use_env=False)
        return [conf["keystone_authtoken"][f"option{number}"] for number in range(len(texts))]

    return read_back


def awkward_strings(count: int) -> list[str]:
    """Return strings of what is special anywhere, the same ones in every run."""
    source = random.Random("oslo_value")
    return ["".join(source.choices(AWKWARD, k=source.randint(0, 12))) for _number in range(count)]


def test_every_string_comes_back(read: t.Callable[..., t.Any]) -> None:
    strings = STRINGS + awkward_strings(5000)
    assert read(cfg.StrOpt, [oslo_value(string) for string in strings]) == strings


def test_a_string_is_written_as_it_is_when_nothing_has_to_be_protected() -> None:
    assert oslo_value("mysql+pymysql://glance:x@[::1]/glance?charset=utf8") == (
        "mysql+pymysql://glance:x@[::1]/glance?charset=utf8"
    )


def test_booleans_and_numbers_come_back(read: t.Callable[..., t.Any]) -> None:
    assert read(cfg.BoolOpt, [oslo_value(True), oslo_value(False)]) == [True, False]
    assert read(cfg.IntOpt, [oslo_value(number) for number in (0, -1, 10737418240)]) == [0, -1, 10737418240]
    assert read(cfg.FloatOpt, [oslo_value(0.25)]) == [0.25]


def test_every_list_comes_back(read: t.Callable[..., t.Any]) -> None:
    items = [string for string in awkward_strings(3000) if string and string == string.strip() and "," not in string]
    lists = [[], ["one"], ['"a', 'b"'], [1, True], *(items[number : number + 3] for number in range(0, len(items), 3))]
    expected = [[str(item).lower() if isinstance(item, bool) else str(item) for item in items] for items in lists]
    assert len(lists) > 500
    assert read(cfg.ListOpt, [oslo_value(items) for items in lists]) == expected
    assert read(cfg.ListOpt, [oslo_value(items, brackets=True) for items in lists], bounds=True) == expected


def test_a_dictionary_comes_back(read: t.Callable[..., t.Any]) -> None:
    assert read(cfg.DictOpt, [oslo_value({"fast": "rbd", "local": "file", "x": "a:b$c"}), oslo_value({})]) == [
        {"fast": "rbd", "local": "file", "x": "a:b$c"},
        {},
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("two\nlines", "line break"),
        ("two\rlines", "line break"),
        ("nul\0", "NUL"),
        ("\udcff", "Unicode"),
        (None, "null"),
        (["a,b"], "comma"),
        ([""], "empty"),
        ([" a"], "blank"),
        ([["a"]], "list within"),
        ({"a:b": "c"}, "colon"),
    ],
)
def test_what_cannot_be_written_is_refused(value: t.Any, told: str) -> None:
    with pytest.raises(AnsibleFilterError, match=told):
        oslo_value(value)


def test_an_error_does_not_tell_the_value() -> None:
    with pytest.raises(AnsibleFilterError) as refusal:
        oslo_value("s3cret\n")
    assert "s3cret" not in str(refusal.value)
