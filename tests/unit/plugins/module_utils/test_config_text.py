# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Lines are understood as oslo.config understands them, overridden in place and shown without secrets."""

from __future__ import annotations

import random
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._config_text import Mask, assignments, override
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from oslo_config import cfg, iniparser

TEXT = """\
# Glance
[DEFAULT]
debug = false
# How many.
workers = 2

[glance_store]
filesystem_store_datadirs = /a
filesystem_store_datadirs = /b
# the end of the stores

[Fast]
rbd_store_pool = a
  b
"""


# Reading


def test_assignments_are_those_of_oslo_config(tmp_path: Path) -> None:
    source = random.Random("assignments")
    pieces = [
        "[a]",
        "[B]",
        "x = 1",
        "y: 2",
        "z=",
        "#c",
        ";d",
        "",
        "  more",
        "\tmore = x",
        "x  =  ' q '",
        "w = a=b:c",
        "[a",
    ]
    file = tmp_path / "random.conf"
    agreed = 0
    for _number in range(2000):
        lines = ["[DEFAULT]", *source.choices(pieces, k=source.randint(0, 12))]
        file.write_text("\n".join(lines))
        sections: dict[str, t.Any] = {}
        try:
            cfg.ConfigParser(str(file), sections).parse()
        except iniparser.ParseError:
            continue
        agreed += 1
        ours: dict[str, t.Any] = {}
        for item in assignments(lines):
            ours.setdefault(item.section, {}).setdefault(item.option, []).append(unquoted(item.value))
        assert ours == {section: options for section, options in sections.items() if options}
    assert agreed > 300


def unquoted(value: str) -> str:
    """Return a value as oslo.config does: without the quotes around its first line."""
    first, *rest = value.split("\n")
    if first and first[0] == first[-1] and first.startswith(("'", '"')):
        first = first[1:-1]
    return "\n".join([first, *rest])


# Overriding


@pytest.mark.parametrize(
    ("overrides", "old", "new"),
    [
        ({"DEFAULT": {"debug": True}}, "debug = false", "debug = true"),
        ({"DEFAULT": {"workers": 8}}, "# How many.\nworkers = 2", "# How many.\nworkers = 8"),
        ({"DEFAULT": {"workers": None}}, "workers = 2\n", ""),
        ({"DEFAULT": {"log_dir": "/x"}}, "workers = 2\n", "workers = 2\nlog_dir = /x\n"),
        ({"DEFAULT": {"log_dir": ""}}, "workers = 2\n", "workers = 2\nlog_dir =\n"),
        ({"DEFAULT": {"log_dir": " x "}}, "workers = 2\n", 'workers = 2\nlog_dir = " x "\n'),
        ({"DEFAULT": {"log_dir": "$state_path/$$"}}, "workers = 2\n", "workers = 2\nlog_dir = $state_path/$$\n"),
        ({"DEFAULT": {"formats": ["a", "b"]}}, "workers = 2\n", "workers = 2\nformats = a,b\n"),
        ({"DEFAULT": {"enabled_backends": {"a": "file"}}}, "workers = 2\n", "workers = 2\nenabled_backends = a:file\n"),
        ({"DEFAULT": {"nothing": None}}, "", ""),
        ({"fast": {"rbd_store_pool": "c"}}, "rbd_store_pool = a\n  b\n", "rbd_store_pool = c\n"),
        ({"fast": {"rbd_store_user": "u"}}, "  b\n", "  b\nrbd_store_user = u\n"),
        (
            {"glance_store": {"filesystem_store_datadirs": ["/c:1", "/d:2", "/e"]}},
            "filesystem_store_datadirs = /a\nfilesystem_store_datadirs = /b",
            "filesystem_store_datadirs = /c:1\nfilesystem_store_datadirs = /d:2\nfilesystem_store_datadirs = /e",
        ),
        (
            {"glance_store": {"filesystem_store_datadirs": "/c"}},
            "filesystem_store_datadirs = /a\nfilesystem_store_datadirs = /b",
            "filesystem_store_datadirs = /c",
        ),
        ({"cors": {"allowed_origin": "*", "x": 1}}, "  b\n", "  b\n\n[cors]\nallowed_origin = *\nx = 1\n"),
        ({"cors": {"x": None}}, "", ""),
        (
            {"oslo_messaging_notifications": {"driver": ["log", "noop"]}},
            "  b\n",
            "  b\n\n[oslo_messaging_notifications]\ndriver = log\ndriver = noop\n",
        ),
        (
            {"import_filtering_opts": {"allowed_ports": [80, 443], "disallowed_hosts": []}},
            "  b\n",
            "  b\n\n[import_filtering_opts]\nallowed_ports = [80,443]\ndisallowed_hosts = []\n",
        ),
    ],
)
def test_an_override_changes_what_it_names_and_nothing_else(overrides: t.Any, old: str, new: str) -> None:
    assert TEXT.count(old) == 1 or not old
    once = override(TEXT, overrides)
    assert once == (TEXT.replace(old, new) if old else TEXT)
    assert override(once, overrides) == once


def test_an_override_in_an_empty_file() -> None:
    assert override("", {"DEFAULT": {"debug": True}}) == "[DEFAULT]\ndebug = true\n"


def test_an_override_in_an_empty_section() -> None:
    assert override("[a]\n# comment\n[b]\n", {"a": {"x": 1}}) == "[a]\nx = 1\n# comment\n[b]\n"


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"DEFAULT": None}, r"The section \[DEFAULT\] in options is not a dictionary"),
        ({"a]\n[b": {}}, "has no usable name"),
        ({"a": {"x = 1\ny": 1}}, "has no usable name"),
        ({"a": {"x": "1\ny = 2"}}, "line break"),
        ({"a": {"x": ["1,2"]}}, "comma"),
    ],
)
def test_an_override_that_would_mean_something_else_is_refused(overrides: t.Any, told: str) -> None:
    with pytest.raises(GlanceError, match=told):
        override(TEXT, overrides)


# Secrets


def shown(before: str, after: str, *secrets: str) -> tuple[str, str]:
    """Return both texts, one section around them, as they are shown."""
    both = Mask(secrets).pair(f"[s]\n{before}\n", f"[s]\n{after}\n")
    assert all(text.startswith("[s]\n") for text in both)
    return both[0][4:-1], both[1][4:-1]


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "admin_password",
        "memcache_secret_key",
        "swift_store_key",
        "s3_store_access_key",
        "s3_store_secret_key",
        "admin_token",
        "approle_secret_id",
        "root_token_id",
        "metadata_encryption_key",
        "hmac_keys",
        "vmware_server_password",
        "swift_store_application_credential_secret",
    ],
)
def test_secrets_are_known_by_their_names(name: str) -> None:
    assert shown(f"{name} = a", f"{name} = a") == (f"{name} = VALUE_HIDDEN", f"{name} = VALUE_HIDDEN")


@pytest.mark.parametrize(
    "name",
    [
        "service_token_roles",
        "service_token_roles_required",
        "token_cache_time",
        "keyfile",
        "ssl_key_file",
        "memcache_security_strategy",
        "username",
        "insecure",
        "monkey",
    ],
)
def test_other_options_are_shown(name: str) -> None:
    assert shown(f"{name} = a", f"{name} = b") == (f"{name} = a", f"{name} = b")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("mysql+pymysql://u:p%40w@db/glance?charset=utf8", "mysql+pymysql://u:VALUE_HIDDEN@db/glance?charset=utf8"),
        ("mysql://u:p@ss/w:ord@db/glance", "mysql://u:VALUE_HIDDEN@db/glance"),
        ("rabbit://a:x@h1:5672,b:y@h2:5672/v", "rabbit://a:VALUE_HIDDEN@h2:5672/v"),
        ("redis://:pw@h", "redis://:VALUE_HIDDEN@h"),
        ("redis://h?password=pw&db=0", "redis://h?password=VALUE_HIDDEN&db=0"),
        ("sqlite:////var/lib/glance/x.sqlite", "sqlite:////var/lib/glance/x.sqlite"),
        ("glance:pw@db/glance", "VALUE_HIDDEN"),
        ("mysql://u/x:pw@db/glance", "VALUE_HIDDEN"),
    ],
)
def test_the_password_of_a_url_is_hidden_and_the_rest_is_shown(value: str, expected: str) -> None:
    assert shown(f"connection = {value}", "x = 1")[0] == f"connection = {expected}"


def test_urls_in_other_options_and_comments_are_understood_too() -> None:
    before = "proxy = http://u:pw@h:80\nurl = http://h:80/x\n# http://u:pw@h and so on"
    assert shown(before, "")[0] == (
        "proxy = http://u:VALUE_HIDDEN@h:80\nurl = http://h:80/x\n# http://u:VALUE_HIDDEN@h and so on"
    )


def test_a_difference_is_marked_only_where_the_secret_differs() -> None:
    before = "password = a\nkey = k\nconnection = mysql://u:p@one/g\ntransport_url = rabbit://u:p@h/"
    after = "password = b\nkey = k\nconnection = mysql://u:p@two/g\ntransport_url = rabbit://u:q@h/"
    assert shown(before, after) == (
        "password = VALUE_HIDDEN (old)\nkey = VALUE_HIDDEN\nconnection = mysql://u:VALUE_HIDDEN@one/g\n"
        "transport_url = rabbit://u:VALUE_HIDDEN (old)@h/",
        "password = VALUE_HIDDEN (new)\nkey = VALUE_HIDDEN\nconnection = mysql://u:VALUE_HIDDEN@two/g\n"
        "transport_url = rabbit://u:VALUE_HIDDEN (new)@h/",
    )


def test_a_new_secret_is_a_new_line() -> None:
    assert shown("x = 1", "x = 1\npassword = b") == ("x = 1", "x = 1\npassword = VALUE_HIDDEN")


def test_the_same_option_of_another_section_is_another_one() -> None:
    before, after = Mask().pair("[a]\npassword = 1\n[b]\npassword = 2\n", "[a]\npassword = 1\n[b]\npassword = 3\n")
    assert before == "[a]\npassword = VALUE_HIDDEN\n[b]\npassword = VALUE_HIDDEN (old)\n"
    assert after == "[a]\npassword = VALUE_HIDDEN\n[b]\npassword = VALUE_HIDDEN (new)\n"


def test_a_secret_on_several_lines_is_hidden_whole() -> None:
    assert shown("password = a\n  b\n\tc\nx = 1", "")[0] == "password = VALUE_HIDDEN\nx = 1"


def test_a_secret_that_is_commented_out_is_hidden() -> None:
    assert shown("#password = old\n# admin_token: old\n# The password of it\n", "")[0] == (
        "#password = VALUE_HIDDEN\n# admin_token: VALUE_HIDDEN\n# The password of it\n"
    )


@pytest.mark.parametrize("written", ["p@$%é", "p@$$%é", "p@$%%é", "p%40%24%25%C3%A9", "p%40%24%25%C3%83%C2%A9"])
def test_a_listed_secret_is_hidden_in_every_spelling(written: str) -> None:
    assert shown(f"x = a {written} b\n# {written}", "", "p@$%é")[0] == "x = VALUE_HIDDEN\n# VALUE_HIDDEN"
    assert Mask(["p@$%é"]).text(f"<{written}>") == "<VALUE_HIDDEN>"


def test_the_old_value_of_what_holds_a_listed_secret_is_hidden_too() -> None:
    assert shown("x = the-old-one", "x = the-new-one", "the-new-one") == (
        "x = VALUE_HIDDEN (old)",
        "x = VALUE_HIDDEN (new)",
    )


def test_an_empty_secret_hides_nothing() -> None:
    assert shown("x = 1\npassword =", "x = 1\npassword =", "") == ("x = 1\npassword =", "x = 1\npassword =")
