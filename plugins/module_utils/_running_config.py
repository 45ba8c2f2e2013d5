# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What the Glance of a node is configured with, read as Glance reads it."""

from __future__ import annotations

import configparser
import dataclasses
import os
import traceback
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._node_file import read_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Place, Section
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import store_places

IMPORT_ERROR: t.Optional[str] = None
try:
    from oslo_config import cfg, iniparser
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

CONFIG_FILE = "/etc/glance/glance-api.conf"
REGISTRY_FILE = "glance-registry.conf"
GLANCE_STORE = "glance_store"
MULTI, SINGLE = "multi", "single"
REMEDY = (
    "run the module with the Python of the node's Glance (ansible_python_interpreter); on Debian that is"
    " /usr/bin/python3"
)

# What Glance itself takes where the file does not say it.
_DEFAULT_TYPES = ["file", "http"]
_DEFAULT_STAGING = "/var/lib/glance/os_glance_staging_store"

RawSections = dict[str, dict[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Store:
    """One store of the configuration; in single-store form its name is its type."""

    name: str
    type: str
    section: Section

    @property
    def places(self) -> list[Place]:
        """Where the store keeps its images."""
        return store_places(self.type, self.section)

    @property
    def description(self) -> str:
        """What the operator says that the store is for."""
        return self.section.text("store_description")

    @property
    def where(self) -> str:
        """Where the store keeps its images, in words."""
        return in_words(self.places)


@dataclasses.dataclass(frozen=True)
class Running:
    """What a node's Glance is configured with; nothing at all on a node without a configuration.

    :param layout: ``multi``, ``single``, or nothing.
    :param connection: the URL of the database, which holds the password.
    :param encrypted: whether the locations of images are encrypted in the database.
    :param staging: the directory in which data waits for its import, where it is known.
    :param paste: the paste configuration, where the file names one.
    :param options: oslo.config's view of the files.
    """

    layout: str = ""
    stores: dict[str, Store] = dataclasses.field(default_factory=dict)
    default_store: str = ""
    connection: str = dataclasses.field(default="", repr=False)
    encrypted: bool = False
    staging: str = ""
    api_url: str = ""
    paste: str = ""
    options: t.Any = dataclasses.field(default=None, repr=False)


def in_words(places: t.Iterable[Place]) -> str:
    """Return the words for some places."""
    return ", ".join(dict.fromkeys(place.storage or "web servers" for place in places))


def read(config_file: str = CONFIG_FILE, config_directory: t.Optional[str] = None) -> Running:
    """Return what is configured.

    :param config_directory: the directory with further files; by default the name of the file with ``.d`` behind it.
    :raises GlanceError: when there is a configuration, and it cannot be read.
    """
    if not os.path.exists(config_file):
        return Running()
    if IMPORT_ERROR is not None:
        raise GlanceError(f"reading {config_file}", answer="oslo.config cannot be imported", remedy=REMEDY)
    directory = config_directory or f"{config_file}.d"
    files = [config_file, *sorted(str(path) for path in Path(directory).glob("*.conf"))]
    raw = _raw_sections(files)
    options = _options(raw, config_file, directory)
    layout = MULTI if _value(options, "DEFAULT", "enabled_backends") else SINGLE
    stores = _multi_stores(options, raw) if layout == MULTI else _single_stores(options, raw)
    default = "default_backend" if layout == MULTI else "default_store"
    return Running(
        layout=layout,
        stores=stores,
        default_store=_value(options, GLANCE_STORE, default) or "",
        connection=_value(options, "database", "connection") or _registry_connection(config_file),
        encrypted=bool(_value(options, "DEFAULT", "metadata_encryption_key")),
        staging=_staging(options, raw, layout),
        api_url=_api_url(options),
        paste=_value(options, "paste_deploy", "config_file") or "",
        options=options,
    )


def _raw_sections(files: list[str]) -> RawSections:
    sections: RawSections = {}
    for file in files:
        found: RawSections = {}
        try:
            cfg.ConfigParser(file, found).parse()
        except iniparser.ParseError as error:
            # The line may hold a secret.
            raise GlanceError(
                f"reading {file}", answer=f"line {error.lineno} is not a line of an INI file", remedy="correct it"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise GlanceError(f"reading {file}", answer=str(error), remedy="run as root") from error
        for section, options in found.items():
            sections.setdefault(section.lower(), {}).update(options)
    return sections


def _options(raw: RawSections, config_file: str, directory: str) -> t.Any:
    conf = cfg.ConfigOpts()
    known = {
        "DEFAULT": [
            cfg.DictOpt("enabled_backends"),
            cfg.StrOpt("metadata_encryption_key", secret=True),
            cfg.StrOpt("node_staging_uri"),
            cfg.StrOpt("bind_host"),
            cfg.IntOpt("bind_port"),
            cfg.StrOpt("cert_file"),
        ],
        "paste_deploy": [cfg.StrOpt("config_file")],
        GLANCE_STORE: [
            cfg.ListOpt("stores", default=_DEFAULT_TYPES),
            cfg.StrOpt("default_store", default="file"),
            cfg.StrOpt("default_backend"),
        ],
        "database": [
            cfg.StrOpt("connection", secret=True, deprecated_opts=[cfg.DeprecatedOpt("sql_connection", "DEFAULT")])
        ],
    }
    for section, listed in known.items():
        conf.register_opts(listed, group=None if section == "DEFAULT" else section)
    # A value may refer to any of them with $.
    named = {option.dest for option in known["DEFAULT"]}
    conf.register_opts([cfg.StrOpt(name) for name in raw.get("default", {}) if name not in named])
    try:
        conf(
            [],
            default_config_files=[config_file],
            default_config_dirs=[directory] if os.path.isdir(directory) else [],
            use_env=False,
        )
    except cfg.Error as error:
        raise GlanceError(f"reading {config_file}", answer=type(error).__name__, remedy="correct the file") from None
    return conf


def _value(options: t.Any, section: str, option: str) -> t.Any:
    try:
        return options[option] if section == "DEFAULT" else options[section][option]
    except (cfg.Error, ValueError) as error:
        # oslo.config's own sentence repeats the value.
        raise GlanceError(
            f"reading [{section}] {option} of Glance's configuration",
            answer=f"oslo.config does not understand the value ({type(error).__name__})",
            remedy="correct the value, as Glance cannot start with it either",
        ) from None


def _multi_stores(options: t.Any, raw: RawSections) -> dict[str, Store]:
    enabled = _value(options, "DEFAULT", "enabled_backends")
    return {name: Store(name, kind, _section(options, raw, name, kind, name)) for name, kind in enabled.items()}


def _single_stores(options: t.Any, raw: RawSections) -> dict[str, Store]:
    types = [_type_of(name) for name in _value(options, GLANCE_STORE, "stores")]
    return {kind: Store(kind, kind, _section(options, raw, GLANCE_STORE, kind, "")) for kind in types}


def _type_of(name: str) -> str:
    # Files of old releases name the classes of the drivers, or a scheme.
    last = name.rpartition(".")[0].rpartition(".")[2] if "." in name else name
    return {"filesystem": "file", "https": "http", "vsphere": "vmware"}.get(last, last)


def _section(options: t.Any, raw: RawSections, group: str, kind: str, name: str) -> Section:
    of_glance = {"stores", "default_store", "default_backend"} if group == GLANCE_STORE else set()
    given = [option for option in raw.get(group.lower(), {}) if option not in of_glance]
    # In single-store form several stores share the section; an option that is registered a second time does no harm.
    options.register_opts([cfg.MultiStrOpt(option) for option in given], group=group)
    values = {option: _value(options, group, option) for option in given}
    section = Section(name, values, read=read_text)
    return dataclasses.replace(section, reference=_reference(section)) if kind == "swift" else section


def _reference(section: Section) -> dict[str, str]:
    path = section.text("swift_store_config_file")
    if not path:
        # The account of releases that had it in glance-api.conf, and of multi-tenant stores.
        names = {"user": "swift_store_user", "auth_address": "swift_store_auth_address", "key": "swift_store_key"}
        return {name: section.text(option) for name, option in names.items() if section.text(option)}
    parser = configparser.ConfigParser(strict=False)
    try:
        parser.read_string(section.read(path))
        found = dict(parser.items(section.text("default_swift_reference", "ref1")))
    except configparser.Error:
        return {}
    return {name: value[1:-1] if value[:1] in ("'", '"') else value for name, value in found.items()}


def _staging(options: t.Any, raw: RawSections, layout: str) -> str:
    if layout == MULTI:
        section = _section(options, raw, "os_glance_staging_store", "file", "os_glance_staging_store")
        return section.text("filesystem_store_datadir", _DEFAULT_STAGING)
    return urlsplit(_value(options, "DEFAULT", "node_staging_uri") or "").path


def _api_url(options: t.Any) -> str:
    bound = _value(options, "DEFAULT", "bind_host") or "0.0.0.0"  # noqa: S104 (Glance's own default)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, bound)  # noqa: S104
    scheme = "https" if _value(options, "DEFAULT", "cert_file") else "http"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{_value(options, 'DEFAULT', 'bind_port') or 9292}"


def _registry_connection(config_file: str) -> str:
    # Up to Ussuri the API may leave the database to glance-registry.
    path = os.path.join(os.path.dirname(config_file), REGISTRY_FILE)
    if not os.path.exists(path):
        return ""
    options = _options(_raw_sections([path]), path, f"{path}.d")
    return str(_value(options, "database", "connection") or "")


def database_login(connection: str) -> tuple[dict[str, t.Any], str]:
    """Return the options with which to log in as Glance does, and the name of the database.

    :param connection: the URL of the database.
    :raises GlanceError: when it is not the URL of a MariaDB or MySQL.
    """
    doing = "reading [database] connection of Glance's configuration"
    try:
        # It takes a third of a second to load, and not every run reads the database.
        from sqlalchemy.engine.url import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError as error:
        raise GlanceError(doing, answer="SQLAlchemy cannot be imported", remedy=REMEDY) from error
    try:
        url = make_url(connection)
    except ArgumentError:
        # SQLAlchemy repeats the URL.
        raise GlanceError(doing, answer="the value is not a URL", remedy="correct it") from None
    if url.get_backend_name() not in ("mysql", "mariadb"):
        raise GlanceError(
            doing,
            answer=f"the database is {url.get_backend_name()}; only MariaDB and MySQL can be read",
            remedy="let Glance use MariaDB or MySQL",
        )
    query = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    login = {
        "login_host": url.host,
        "login_port": url.port,
        "login_user": url.username,
        "login_password": _sent_password(str(url.password or ""), url.drivername),
        "login_unix_socket": query.get("unix_socket"),
        "ca_cert": query.get("ssl_ca"),
        "client_cert": query.get("ssl_cert"),
        "client_key": query.get("ssl_key"),
        "check_hostname": query.get("ssl_check_hostname", "true").lower() != "false",
        "config_file": query.get("read_default_file"),
    }
    return login, str(url.database or "")


def _sent_password(password: str, driver: str) -> str:
    # PyMySQL sends latin-1. The collection's own URLs hold UTF-8 that is taken for latin-1, so that it comes out right.
    if not driver.endswith("+pymysql"):
        return password
    try:
        return password.encode("latin-1").decode()
    except UnicodeError:
        return password
