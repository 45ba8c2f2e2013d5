# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""SQLAlchemy and PyMySQL get from the URL what the filter was given."""

from __future__ import annotations

import random
import string
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openstack_ops.glance.plugins.filter.database_url import FilterModule
from ansible_collections.openstack_ops.glance.plugins.filter.oslo_value import FilterModule as OsloFilterModule
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.engine import make_url

database_url = FilterModule().filters()["database_url"]
oslo_value = OsloFilterModule().filters()["oslo_value"]

DATABASE = {"host": "db.example.org", "name": "glance", "user": "glance", "password": "secret"}
AWKWARD = string.punctuation + " \t\u00a0azAZ09éßñ日本🔑"


def arguments(database: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the arguments with which SQLAlchemy calls pymysql.connect()."""
    dialect = MySQLDialect_pymysql(dbapi=MySQLDialect_pymysql.import_dbapi())
    _positional, named = dialect.create_connect_args(make_url(database_url(database)))
    return dict(named)


def test_the_plain_case() -> None:
    assert database_url(DATABASE) == "mysql+pymysql://glance:secret@db.example.org/glance?charset=utf8"


def test_every_password_arrives() -> None:
    source = random.Random("database_url")
    passwords = ["".join(source.choices(AWKWARD, k=source.randint(1, 16))) for _number in range(1000)]
    for password in passwords + ["@:/%#'\"$\\", "%40", "a+b c", "ünïcode", "鍵🔑"]:
        url = database_url({**DATABASE, "password": password})
        given = arguments({**DATABASE, "password": password})
        # PyMySQL sends the latin-1 bytes of a text; the server knows the UTF-8 bytes.
        assert (given["password"].encode("latin1"), given["host"]) == (password.encode(), "db.example.org")
        # Nothing in it means anything to oslo.config.
        assert oslo_value(url) == url


def test_every_user_name_arrives() -> None:
    assert arguments({**DATABASE, "user": "gl@nce:/ä"})["user"] == "gl@nce:/ä"


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("db-1.example.org", None, "db-1.example.org"),
        ("10.0.0.1", 3307, "10.0.0.1:3307"),
        ("fd00::1", None, "[fd00::1]"),
        ("fd00::1", "3307", "[fd00::1]:3307"),
    ],
)
def test_host_and_port(host: str, port: t.Any, address: str) -> None:
    database = {**DATABASE, "host": host, "port": port}
    assert f"@{address}/glance" in database_url(database)
    given = arguments(database)
    assert (given["host"], given.get("port")) == (host, port if port is None else int(port))


def test_tls() -> None:
    tls = {"ca_cert": "/etc/ssl/my ca.pem", "client_cert": "/etc/ssl/c.pem", "client_key": "/etc/ssl/k.pem"}
    given = arguments({**DATABASE, "tls": tls})
    assert given["ssl"] == {"ca": "/etc/ssl/my ca.pem", "cert": "/etc/ssl/c.pem", "key": "/etc/ssl/k.pem"}
    assert "ssl_check_hostname" not in database_url({**DATABASE, "tls": tls})


def test_tls_for_another_name() -> None:
    given = arguments({**DATABASE, "tls": {"enabled": True, "ca_cert": "/ca.pem", "check_hostname": False}})
    assert given["ssl"] == {"ca": "/ca.pem", "check_hostname": False}


@pytest.mark.parametrize("tls", [None, {}, {"enabled": False, "ca_cert": "/ca.pem"}])
def test_no_tls(tls: t.Any) -> None:
    assert "ssl" not in database_url({**DATABASE, "tls": tls})


def test_character_set_and_socket() -> None:
    given = arguments({**DATABASE, "charset": "utf8mb4", "unix_socket": "/run/mysqld/mysqld.sock"})
    assert (given["charset"], given["unix_socket"]) == ("utf8mb4", "/run/mysqld/mysqld.sock")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"password": ""}, "needs password"),
        ({"host": None, "user": None}, "needs host, user"),
        ({"host": "db/x"}, "'db/x'"),
        ({"host": "a b"}, "'a b'"),
        ({"port": "mysql"}, "'mysql'"),
        ({"port": 65536}, "65536"),
        ({"name": "gl?nce"}, "'gl\\?nce'"),
        ({"tls": {"enabled": True}}, "tls.ca_cert"),
    ],
)
def test_what_cannot_work_is_refused(change: dict[str, t.Any], told: str) -> None:
    with pytest.raises(AnsibleFilterError, match=told) as refusal:
        database_url({**DATABASE, "password": "s3cret", **change})
    assert "s3cret" not in str(refusal.value)


def test_only_a_dictionary_is_a_database() -> None:
    with pytest.raises(AnsibleFilterError, match="a dictionary is wanted, not a str"):
        database_url("mysql://glance:s3cret@db/glance")
