# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is read from a node's configuration: as Glance would, with the secrets only where they are needed."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _oslo_format
from ansible_collections.openstack_ops.glance.plugins.module_utils import _running_config as running_config
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

PASSWORD = "p@ss:w/rd%#'\"$\\ ü€"


def read(directory: Path, text: str, **more: str) -> running_config.Running:
    """Read a configuration; ``more`` are the files of the directory beside it."""
    file = directory / "glance-api.conf"
    file.write_text(text, encoding="utf-8")
    for name, content in more.items():
        (directory / "glance-api.conf.d").mkdir(exist_ok=True)
        (directory / "glance-api.conf.d" / f"{name}.conf").write_text(content, encoding="utf-8")
    return running_config.read(str(file))


def test_nothing(tmp_path: Path) -> None:
    assert running_config.read(str(tmp_path / "missing")) == running_config.Running()


def test_an_empty_file_is_single_form_with_the_defaults_of_glance(tmp_path: Path) -> None:
    running = read(tmp_path, "")
    assert (running.layout, list(running.stores), running.default_store) == ("single", ["file", "http"], "file")
    assert running.stores["file"].where == "the directory /var/lib/glance/images"
    assert (running.connection, running.encrypted) == ("", False)
    assert running.api_url == "http://127.0.0.1:9292"
    assert running.staging == ""


def test_multi_form(tmp_path: Path) -> None:
    running = read(
        tmp_path,
        """
[DEFAULT]
enabled_backends = Fast:file,slow:file, web:http
bind_host = ::
bind_port = 9000
root = /srv
[glance_store]
default_backend = slow
stores = rbd
[Fast]
filesystem_store_datadir = $root/fast
store_description = "for all"
[slow]
filesystem_store_datadir =
filesystem_store_datadirs = /srv/x:1
filesystem_store_datadirs = /srv/y:2
[os_glance_staging_store]
filesystem_store_datadir = /srv/staging
""",
    )
    assert {name: store.type for name, store in running.stores.items()} == {
        "Fast": "file",
        "slow": "file",
        "web": "http",
    }
    assert (running.layout, running.default_store, running.staging) == ("multi", "slow", "/srv/staging")
    assert running.stores["Fast"].where == "the directory /srv/fast"
    assert running.stores["Fast"].description == "for all"
    assert running.stores["slow"].where == "the directory /srv/x, the directory /srv/y"
    assert running.stores["web"].where == "web servers"
    assert running.api_url == "http://[::1]:9000"


def test_the_files_of_the_directory_win(tmp_path: Path) -> None:
    running = read(
        tmp_path,
        "[DEFAULT]\nenabled_backends = a:file\n[a]\nfilesystem_store_datadir = /srv/a\n",
        more="[a]\nfilesystem_store_datadir = /srv/b\n[DEFAULT]\nenabled_backends = a:file,c:http\n",
    )
    assert list(running.stores) == ["a", "c"]
    assert running.stores["a"].where == "the directory /srv/b"


@pytest.mark.parametrize(
    "name", ["file", "filesystem", "glance.store.filesystem.Store", "glance_store._drivers.filesystem.Store"]
)
def test_the_names_of_types_in_old_files(tmp_path: Path, name: str) -> None:
    assert list(read(tmp_path, f"[glance_store]\nstores = {name}\n").stores) == ["file"]


class TestSwift:
    LINES = "[glance_store]\nstores = swift\nswift_store_container = c\n"

    def test_the_reference_file(self, tmp_path: Path) -> None:
        reference = tmp_path / "swift.conf"
        reference.write_text(
            '[one]\nuser = p:u\nkey = " k%%y"\nauth_address = http://me:geheim@K:5000/v3/\n[two]\nuser = q:u\n'
        )
        lines = f"swift_store_config_file = {reference}\ndefault_swift_reference = one\n"
        store = read(tmp_path, self.LINES + lines).stores["swift"]
        assert store.section.reference["key"] == " k%y"
        (place,) = store.places
        assert (place.address, place.storage) == ("swift+config://one/c/", "the container c of p at http://k:5000/v3")
        assert place.identity == "the container c of p at k:5000"

    @pytest.mark.parametrize("content", ["no section", "[one]\nkey = %(nothing)s\n", "[another]\n"])
    def test_a_reference_file_that_is_of_no_use(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "swift.conf").write_text(content)
        lines = f"swift_store_config_file = {tmp_path}/swift.conf\ndefault_swift_reference = one\n"
        assert read(tmp_path, self.LINES + lines).stores["swift"].section.reference == {}

    def test_an_account_in_the_configuration_itself(self, tmp_path: Path) -> None:
        lines = "swift_store_user = p:u\nswift_store_auth_address = http://k:5000/v3\n"
        store = read(tmp_path, self.LINES + lines).stores["swift"]
        assert store.where == "the container c of p at http://k:5000/v3"


def test_a_dollar_sign_and_a_secret_come_out_as_they_went_in(tmp_path: Path) -> None:
    secret = _oslo_format.oslo_value("s3/$k'y\"")
    running = read(tmp_path, f"[DEFAULT]\nenabled_backends = s:s3\n[s]\ns3_store_secret_key = {secret}\n")
    assert running.stores["s"].section.text("s3_store_secret_key") == "s3/$k'y\""


def test_encrypted_locations(tmp_path: Path) -> None:
    assert read(tmp_path, "[DEFAULT]\nmetadata_encryption_key = 0123456789abcdef\n").encrypted


class TestDatabase:
    def test_the_url_that_the_collection_writes(self, tmp_path: Path) -> None:
        tls = {"ca_cert": "/etc/ca.pem", "client_cert": "/c.pem", "client_key": "/k.pem", "check_hostname": False}
        given = {"host": "fd00::1", "port": 3307, "name": "images", "user": "gl@nce", "password": PASSWORD, "tls": tls}
        url = _oslo_format.oslo_value(_oslo_format.database_url(given))
        login, database = running_config.database_login(read(tmp_path, f"[database]\nconnection = {url}\n").connection)
        assert database == "images"
        assert {name: value for name, value in login.items() if value is not None} == {
            "login_host": "fd00::1",
            "login_port": 3307,
            "login_user": "gl@nce",
            "login_password": PASSWORD,
            "ca_cert": "/etc/ca.pem",
            "client_cert": "/c.pem",
            "client_key": "/k.pem",
            "check_hostname": False,
        }

    @pytest.mark.parametrize(
        ("url", "password"),
        [
            ("mysql+pymysql://u:p%40ss@h/d", "p@ss"),
            ("mysql+pymysql://u:%E9@h/d", "�"),
            ("mysql://u:%C3%BC@h/d", "ü"),
            ("mysql+pymysql://u@h/d", ""),
        ],
    )
    def test_the_urls_of_others(self, url: str, password: str) -> None:
        assert running_config.database_login(url)[0]["login_password"] == password

    def test_the_name_of_old_releases_and_the_file_of_the_registry(self, tmp_path: Path) -> None:
        assert read(tmp_path, "[DEFAULT]\nsql_connection = mysql://old@h/d\n").connection == "mysql://old@h/d"
        (tmp_path / "glance-registry.conf").write_text("[database]\nconnection = mysql://r@h/d\n")
        assert read(tmp_path, "[DEFAULT]\n").connection == "mysql://r@h/d"

    def test_the_socket(self) -> None:
        login, _database = running_config.database_login("mysql+pymysql://u:p@localhost/d?unix_socket=/run/m.sock")
        assert login["login_unix_socket"] == "/run/m.sock"

    @pytest.mark.parametrize(
        "url", ["sqlite:////var/lib/glance/geheim", "geheim", "postgresql+psycopg2://u:geheim@h/d"]
    )
    def test_what_cannot_be_used_is_not_repeated(self, url: str) -> None:
        with pytest.raises(GlanceError) as caught:
            running_config.database_login(url)
        assert "geheim" not in str(caught.value)

    def test_the_password_is_in_no_representation(self, tmp_path: Path) -> None:
        running = read(tmp_path, "[database]\nconnection = mysql://u:geheim@h/d\n")
        assert "geheim" not in repr(running)


@pytest.mark.parametrize("missing", ["oslo.config", "SQLAlchemy"])
def test_libraries_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    if missing == "SQLAlchemy":
        monkeypatch.setitem(sys.modules, "sqlalchemy.engine.url", None)
    else:
        monkeypatch.setattr(running_config, "IMPORT_ERROR", "ImportError")

    def both() -> t.Any:
        return running_config.database_login(read(tmp_path, "[database]\nconnection = mysql://u@h/d\n").connection)

    with pytest.raises(GlanceError, match=rf"{missing} cannot be imported.*/usr/bin/python3"):
        both()


@pytest.mark.parametrize("types", ["file,rbd,swift", "swift,http,rbd,file"])
def test_stores_of_the_single_form_share_a_section_in_any_order(tmp_path: Path, types: str) -> None:
    lines = "filesystem_store_datadir = /srv/x\nrbd_store_pool = p\nswift_store_container = c\n"
    running = read(tmp_path, f"[glance_store]\nstores = {types}\n{lines}")
    assert running.stores["file"].where == "the directory /srv/x"
    assert running.stores["rbd"].where.startswith("the pool p ")
    assert running.stores["swift"].where.startswith("the container c ")
