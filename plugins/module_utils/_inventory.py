# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What can be known to be wrong from the variables alone, all of it at once."""

from __future__ import annotations

import collections
import dataclasses
import functools
import os
import re
import typing as t
from urllib.parse import SplitResult, urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_spec import IMAGE_SPEC
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    ANTELOPE,
    ROCKY,
    TRAIN,
    USSURI,
    VICTORIA,
    WALLABY,
    normal_path,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import (
    STORE_TYPES,
    holds_secrets_in_locations,
    local_directories,
    name_problem,
    near_miss,
    oslo_names,
    store_directories,
    store_mounts,
    store_places,
    store_problems,
    store_section,
    swift_references,
)

Spec = t.Mapping[str, t.Any]

NEAR = 0.85
"""How alike a foreign variable's name has to be to count as a slip; glance_image_dir is a name of its own."""

REQUIRED = (
    ("glance_database", "host", "GLS-007"),
    ("glance_database", "password", "GLS-003"),
    ("glance_keystone", "auth_url", "GLS-005"),
    ("glance_keystone", "service_password", "GLS-004"),
)
NEWEST = 99
"""Stands for the release where it is not known: every option exists."""
HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108  tree: allow
"""What ProtectHome and PrivateTmp hide from a unit, whatever ReadWritePaths says."""
IMPORT_METHODS = {"glance-download": "glance_download", "web-download": "image_import"}
"""What a release has to know for an import method. The others are the default, and left out where there are none."""
CLOUD_ARCHIVE = "cloud_archive"
SOURCE_URL = "glance_package_source_url"
DIRECTORIES = ("glance_staging_directory", "glance_tasks_directory", "glance_cache.directory")
LISTING_STORES = {
    "enabled_backends": "glance_stores",
    "stores": "glance_stores",
    "known_stores": "glance_stores",
    "default_store": "glance_default_store",
    "default_backend": "glance_default_store",
}
"""What says in glance_config which stores there are, by the variable that does."""
FREE_FORM = (
    "glance_config",
    "glance_registry_config",
    "glance_policy",
    "glance_hardening_options",
    "glance_images",
    "glance_source_environment",
)
"""The variables whose keys are not the collection's, or not those of an address."""


@dataclasses.dataclass(frozen=True)
class Inventory:
    """What an operator set, and what the collection knows.

    :param variables: the effective value of each variable.
    :param spec: the argument spec of the role that holds the variables.
    :param defined: the names of all variables of the inventory that begin with ``glance_``.
    :param known: names that belong to the collection though the spec does not have them.
    :param releases: the major number of Glance by the name of the release.
    :param nodes: how many controllers run the API.
    :param offered: the releases that the package sources have, as far as that is known.
    :param added_source: the package source that the collection adds for the release, if it adds one.
    :param knows: what the release knows, of the table of releases, as far as the release is known.
    """

    variables: t.Mapping[str, t.Any]
    spec: Spec
    defined: t.Collection[str] = ()
    known: t.Collection[str] = ()
    releases: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    release: str = ""
    nodes: int = 1
    offered: t.Optional[t.Sequence[str]] = None
    added_source: str = ""
    knows: t.Optional[t.Collection[str]] = None

    def value(self, path: str) -> t.Any:
        """Return the value at a path such as ``glance_cache.directory``, or None."""
        value: t.Any = self.variables
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) or value is self.variables else None
        return value

    @property
    def stores(self) -> dict[str, t.Any]:
        """The stores, as far as they have the form of stores."""
        stores = self.value("glance_stores")
        return dict(stores) if isinstance(stores, dict) else {}

    @property
    def images(self) -> dict[int, dict[str, t.Any]]:
        """The images by their numbers in the list, as far as they have the form of images."""
        return {index: image for index, image in enumerate(self.image_entries) if isinstance(image, dict)}

    @property
    def image_entries(self) -> list[t.Any]:
        """What stands in the list of images, whatever it is."""
        images = self.value("glance_images")
        return images if isinstance(images, list) else []


def problems(inventory: Inventory) -> list[Problem]:
    """Return everything that is wrong, in the order of the table of checks."""
    return [problem for check in CHECKERS for problem in check(inventory)]


def _mistyped_names(inventory: Inventory) -> t.Iterator[Problem]:
    names = {*inventory.spec, *inventory.known}
    for name in sorted(set(inventory.defined) - names):
        meant = near_miss(name, names, cutoff=NEAR)
        if meant:
            yield Problem("GLS-001", f"the variable {name} is unknown{meant}")


def _mistyped_keys(inventory: Inventory) -> t.Iterator[Problem]:
    images: dict[str, t.Any] = {"options": {option: {} for option in IMAGE_SPEC}}
    for name, value in inventory.variables.items():
        spec = inventory.spec.get(name, {})
        yield from _unknown_keys(name, value, {**images, **spec} if name == "glance_images" else spec)


def _unknown_keys(where: str, value: t.Any, spec: Spec) -> t.Iterator[Problem]:
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _unknown_keys(f"{where}[{index}]", element, spec)
    if not isinstance(value, dict) or "options" not in spec:
        return
    known = spec["options"]
    names = [*known, *(alias for option in known.values() for alias in option.get("aliases", []))]
    for key, inner in value.items():
        if key not in names:
            yield Problem("GLS-002", f"{where}.{key} is unknown{near_miss(key, names) or _all_of(known)}")
        else:
            yield from _unknown_keys(f"{where}.{key}", inner, known.get(key, {}))


def _all_of(names: t.Iterable[str]) -> str:
    return f"; there are {', '.join(sorted(names))}"


def _missing_values(inventory: Inventory) -> t.Iterator[Problem]:
    for variable, key, code in REQUIRED:
        if variable in inventory.spec and not inventory.value(f"{variable}.{key}"):
            yield Problem(code, f"{variable}.{key} is not set")
    if inventory.value("glance_database.tls.enabled") and not inventory.value("glance_database.tls.ca_cert"):
        yield Problem("GLS-009", "glance_database.tls.enabled is true, and glance_database.tls.ca_cert is not set")
    if "glance_public_url" in inventory.spec and not inventory.value("glance_public_url"):
        yield Problem("GLS-008", "glance_public_url is not set")


def _unknown_release(inventory: Inventory) -> t.Iterator[Problem]:
    from_version = inventory.value("glance_install_method") == "source"
    if not inventory.release and inventory.value("glance_release") == "auto" and not from_version:
        yield Problem("GLS-006", "glance_release is 'auto', and no release is known that this distribution packages")
    if inventory.release and inventory.release not in inventory.releases:
        meant = near_miss(inventory.release, inventory.releases)
        known = ", ".join(inventory.releases)
        yield Problem("GLS-006", f"the release {inventory.release!r} is unknown{meant}; there are {known}")


def _unpackaged_release(inventory: Inventory) -> t.Iterator[Problem]:
    offered, wanted = inventory.offered, inventory.release
    if inventory.value("glance_install_method") != "package" or wanted not in inventory.releases:
        return
    if offered is not None and wanted not in offered:
        has = _list(offered) or "no release of Glance"
        yield Problem("GLS-034", f"{wanted} is wanted, and the package sources of the distribution have {has}")
    elif inventory.added_source == CLOUD_ARCHIVE and not inventory.value(SOURCE_URL):
        what = f"{wanted} is wanted, which only the Cloud Archive has for this Ubuntu, and {SOURCE_URL} is not set"
        yield Problem("GLS-035", what)


def _wrong_source(inventory: Inventory) -> t.Iterator[Problem]:
    if inventory.value("glance_install_method") != "source":
        return
    version = str(inventory.value("glance_source_version") or "")
    form = re.fullmatch(r"(\d+)(\.\d+)+([a-z]+\d+)?", version)
    number = int(form[1]) if form else -1
    if not version:
        yield Problem("GLS-040", "glance_install_method is 'source', and glance_source_version is not set")
    elif number not in inventory.releases.values():
        yield Problem(
            "GLS-040", f"glance_source_version is {version!r}, which is no version of a release that is known"
        )
    elif number < ROCKY:  # the first whose wheel brings its paste and policy files
        yield Problem("GLS-040", f"glance_source_version is {version}, whose wheel lacks files; 17.0.1 is the first")
    elif inventory.releases.get(inventory.release) != number:
        what = f"glance_release is {inventory.release!r}, and glance_source_version {version} is of another release"
        yield Problem("GLS-042", what)
    constraints = inventory.value("glance_source_constraints")
    if constraints and not (os.path.isfile(constraints) and os.access(constraints, os.R_OK)):
        yield Problem("GLS-041", f"glance_source_constraints is {constraints}, which is no file that can be read")


def _wrong_server(inventory: Inventory) -> t.Iterator[Problem]:
    number = inventory.releases.get(inventory.release, 0)
    version = str(inventory.value("glance_source_version") or "")
    if truth(inventory.value("glance_api_through_registry")):
        if number >= VICTORIA:
            yield Problem("GLS-043", f"glance_api_through_registry is true, and {inventory.release} has no registry")
        elif version.startswith(("20.1.", "20.2.")):
            yield Problem("GLS-043", f"glance_api_through_registry is true, and uploads fail in {version}")
    for variable, least in (("glance_uwsgi_processes", 2), ("glance_uwsgi_threads", 1)):
        value = inventory.value(variable)
        if value is not None and not (str(value).isdigit() and int(value) >= least):
            yield Problem("GLS-044", f"{variable} is {value!r}")


def _missing_methods(inventory: Inventory) -> t.Iterator[Problem]:
    methods = inventory.value("glance_import_methods")
    if not inventory.release or inventory.release not in inventory.releases or inventory.knows is None:
        return
    for method in methods if isinstance(methods, list) else ():
        if method in IMPORT_METHODS and IMPORT_METHODS[method] not in inventory.knows:
            what = f"glance_import_methods has {method}, which the release {inventory.release} does not have"
            yield Problem("GLS-045", what)


def _unusable_password(inventory: Inventory) -> t.Iterator[Problem]:
    number = inventory.releases.get(inventory.release)
    if inventory.value("glance_install_method") != "source" or number is None or number >= USSURI:
        return
    # SQLAlchemy decodes what stands in the URL as ASCII there.
    if not str(inventory.value("glance_database.password") or "").isascii():
        yield Problem("GLS-046", f"glance_database.password has other characters, and {inventory.release} is wanted")


def truth(value: t.Any) -> bool:
    """Tell whether Ansible takes a value for true."""
    return str(value).lower() in ("true", "yes", "on", "1")


def _wrong_stores(inventory: Inventory) -> t.Iterator[Problem]:
    stores = inventory.value("glance_stores")
    if not isinstance(stores, dict) or not stores:
        yield Problem("GLS-010", "glance_stores holds no store")
        return
    release = inventory.releases.get(inventory.release)
    for name, store in stores.items():
        wrong = name_problem(name)
        if wrong:
            yield Problem("GLS-015", f"the name of the store {name!r} {wrong}")
        yield from store_problems(str(name), store, release)
    # oslo.config does not tell sections apart that differ in case only.
    for alike in _repeated(list(stores), key=lambda name: str(name).lower()):
        yield Problem("GLS-015", f"the stores {_list(alike)} differ in case only")


def _wrong_default_store(inventory: Inventory) -> t.Iterator[Problem]:
    default, stores = inventory.value("glance_default_store"), inventory.stores
    if not stores or (not default and len(stores) == 1):
        return
    if not default:
        yield Problem(
            "GLS-011", f"glance_default_store is not set, and there are {len(stores)} stores: {_list(stores)}"
        )
    elif default not in stores:
        meant = near_miss(default, map(str, stores))
        yield Problem("GLS-011", f"glance_default_store is {default!r}, which is no store{meant}{_all_of(stores)}")


def _shared_directories(inventory: Inventory) -> t.Iterator[Problem]:
    used: dict[str, list[str]] = collections.defaultdict(list)
    for directory in store_directories(inventory.stores):
        used[directory["path"]].append(directory["purpose"])
    for path, purposes in used.items():
        if len(purposes) > 1:
            yield Problem("GLS-016", f"{path} is the {' and the '.join(purposes)}")
    for variable in DIRECTORIES:
        value = inventory.value(variable)
        path = normal_path(value) if isinstance(value, str) and value else ""
        if used.get(path):
            yield Problem("GLS-017", f"{variable} is {path}, which is the {used[path][0]} too")
        elif path:
            used[path].append(f"directory of {variable}")


def _shared_storage(inventory: Inventory) -> t.Iterator[Problem]:
    release = inventory.releases.get(inventory.release)
    used: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
    for name, store in inventory.stores.items():
        if store_problems(str(name), store, release) or store["type"] == "file":
            continue
        # What names a cluster on the nodes is written from this.
        told = functools.partial(_ceph_conf, store.get("fsid"))
        section = store_section(store, str(name), release or NEWEST, read=told)
        for place in store_places(store["type"], section):
            if place.key:
                used[place.key].append((str(name), place.storage))
    for found in used.values():
        if len(found) > 1:
            yield Problem(
                "GLS-016", f"the stores {' and '.join(name for name, _words in found)} are both {found[0][1]}"
            )


def _ceph_conf(fsid: t.Optional[str], _path: str) -> str:
    return f"fsid = {fsid}" if fsid else ""


def _conflicting_mounts(inventory: Inventory) -> t.Iterator[Problem]:
    used: dict[str, tuple[str, t.Any]] = {}
    for name, mount in store_mounts(inventory.stores).items():
        first, wanted = used.setdefault(mount["path"], (name, mount))
        if mount != wanted:
            differ = _list(key for key in ("source", "fstype", "options") if mount[key] != wanted[key])
            yield Problem(
                "GLS-016",
                f"the stores {first} and {name} do not mount the same on {mount['path']} (different {differ})",
                advice="give both the same option mount, or another path to one of them",
            )


def _stores_in_config(inventory: Inventory) -> t.Iterator[Problem]:
    config = inventory.value("glance_config")
    kinds = {
        str(name).lower(): store.get("type") for name, store in inventory.stores.items() if isinstance(store, dict)
    }
    names = {str(name).lower(): str(name) for name in inventory.stores}
    for section, options in config.items() if isinstance(config, dict) else ():
        name = names.get(str(section).lower(), "")
        if str(section).lower() in ("default", "glance_store"):
            known = {**LISTING_STORES, **_options_of_types(set(kinds.values()), "<store>")}
        else:
            known = _options_of_types({kinds[name.lower()]}, name) if name else {}
        for option in options if isinstance(options, dict) else ():
            if option in known:
                what = f"glance_config.{section}.{option} sets what {known[option]} is for"
                yield Problem("GLS-032", what)


def _options_of_types(types: t.Collection[t.Any], store: str) -> dict[str, str]:
    return {
        oslo: f"glance_stores.{store}.{option}"
        for kind in STORE_TYPES
        if kind in types
        for oslo, option in oslo_names(kind).items()
    }


def _local_stores(inventory: Inventory) -> t.Iterator[Problem]:
    if inventory.nodes < 2:
        return
    for name, path in local_directories(inventory.stores):
        yield Problem(
            "GLS-027", f"{inventory.nodes} controllers have each a {path} of their own for the store {name!r}"
        )


def _read_only_default_store(inventory: Inventory) -> t.Iterator[Problem]:
    default = inventory.value("glance_default_store") or next(iter(inventory.stores), "")
    store = inventory.stores.get(default)
    kind = store.get("type") if isinstance(store, dict) else None
    if isinstance(kind, str) and kind in STORE_TYPES and STORE_TYPES[kind].read_only:
        yield Problem("GLS-026", f"the default store is {default!r} of the type {kind}, in which Glance cannot write")


def _conflicting_references(inventory: Inventory) -> t.Iterator[Problem]:
    used: dict[str, tuple[str, t.Any]] = {}
    for name, store in inventory.stores.items():
        if not isinstance(store, dict) or store.get("type") != "swift" or store_problems(str(name), store):
            continue
        for reference, options in swift_references({name: store}, NEWEST).items():
            first, account = used.setdefault(reference, (str(name), options))
            if account != options:
                yield Problem("GLS-028", f"{first} and {name} have different accounts in the reference {reference!r}")


def _cinder_accounts(inventory: Inventory) -> t.Iterator[Problem]:
    stores = {name: store for name, store in inventory.stores.items() if isinstance(store, dict)}
    accounts = {str(name): store.get("auth") for name, store in stores.items() if store.get("type") == "cinder"}
    first = next(iter(accounts), "")
    for name, account in accounts.items():
        if account != accounts[first]:
            yield Problem("GLS-029", f"the stores {first} and {name} have different accounts in Cinder")


def _shown_secrets(inventory: Inventory) -> t.Iterator[Problem]:
    secret = [str(name) for name, store in inventory.stores.items() if holds_secrets_in_locations(store)]
    for option in ("show_image_direct_url", "show_multiple_locations"):
        shown = truth(inventory.value(f"glance_config.DEFAULT.{option}"))
        if secret and shown:
            yield Problem("GLS-024", f"{option} shows users the credentials of the store(s) {_list(secret)}")


def _wrong_layout(inventory: Inventory) -> t.Iterator[Problem]:
    layout, release = inventory.value("glance_store_layout"), inventory.releases.get(inventory.release)
    too_old = release is not None and release < TRAIN
    if layout == "multi" and too_old:
        yield Problem("GLS-022", f"glance_store_layout is 'multi', which the release {inventory.release} does not have")
    if layout != "single" and not too_old:
        return
    kinds = [store.get("type") for store in inventory.stores.values() if isinstance(store, dict)]
    for alike in _repeated(kinds, key=str):
        yield Problem("GLS-022", f"{len(alike)} stores are of the type {alike[0]}, and the single-store form has one")


def _disagreeing_defaults(inventory: Inventory) -> t.Iterator[Problem]:
    if inventory.releases.get(inventory.release) not in range(WALLABY, ANTELOPE):
        return
    said = {}
    for path in ("DEFAULT.enforce_secure_rbac", "oslo_policy.enforce_new_defaults"):
        value = inventory.value(f"glance_config.{path}")
        value = inventory.value("glance_secure_rbac") if value is None else value
        said[path] = truth(value)
    if len(set(said.values())) > 1:
        found = " and ".join(f"{path} is {str(value).lower()}" for path, value in said.items())
        yield Problem("GLS-033", f"with glance_config, {found}")


def _hidden_directories(inventory: Inventory) -> t.Iterator[Problem]:
    if not truth(inventory.value("glance_hardening")):
        return
    directories = {directory["purpose"]: directory["path"] for directory in store_directories(inventory.stores)}
    directories.update({name: normal_path(str(inventory.value(name))) for name in DIRECTORIES if inventory.value(name)})
    for what, path in directories.items():
        if path.startswith(HIDDEN):
            yield Problem("GLS-023", f"the sandbox hides {path} ({what})")


def _malformed_addresses(inventory: Inventory) -> t.Iterator[Problem]:
    for variable, value in inventory.variables.items():
        if variable not in FREE_FORM:
            yield from _addresses(variable, variable, value)


def _addresses(where: str, key: str, value: t.Any) -> t.Iterator[Problem]:
    if isinstance(value, dict):
        for inner in value:
            yield from _addresses(f"{where}.{inner}", str(inner), value[inner])
    elif value in (None, ""):
        return
    elif key.endswith(("_url", "_uri")) or key == "auth_address":
        wrong = url_problem(str(value))
        if wrong:
            yield Problem("GLS-020", f"{where} {wrong}")
    elif (key == "port" or key.endswith("_port")) and not is_port(value):
        yield Problem("GLS-021", f"{where} is {value!r}")


def url_problem(url: str) -> str:
    """Return what is wrong with the URL of a service, or nothing; credentials in it are not repeated."""
    shown = repr(re.sub(r"^.*@", "***@", url))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"is {shown}: {error}" if "@" not in url else f"is {shown}"
    return _part_problem(parts, host, port, shown, url)


def _part_problem(parts: SplitResult, host: t.Optional[str], port: t.Optional[int], shown: str, url: str) -> str:
    if parts.scheme not in ("http", "https"):
        return f"is {shown}, which does not begin with http:// or https://"
    if "@" in parts.netloc:
        return f"is {shown}, which has credentials"
    if not host or re.search(r"\s", url) or not re.fullmatch(r"[\w.-]+|[0-9a-fA-F:.]+(%\w+)?", host):
        return f"is {shown}, which has no valid host name"
    if port == 0 or parts.netloc.endswith(":"):
        return f"is {shown}, which has no valid port"
    return f"is {shown}, which has a query or a fragment" if parts.query or parts.fragment else ""


def is_port(value: t.Any) -> bool:
    """Tell whether the value is the number of a port."""
    return not isinstance(value, bool) and re.fullmatch(r"\d{1,5}", str(value)) is not None and 1 <= int(value) <= 65535


def _wrong_images(inventory: Inventory) -> t.Iterator[Problem]:
    for index, entry in enumerate(inventory.image_entries):
        # ansible-core takes a text such as "name=x source=/y" for a dictionary when it checks the variables of a role.
        if not isinstance(entry, dict):
            kind = "empty" if entry is None else type(entry).__name__
            yield Problem("GLS-030", f"glance_images[{index}] is {kind}, not a dictionary")
    for index, image in inventory.images.items():
        where = f"glance_images[{index}]"
        if not image.get("name"):
            yield Problem("GLS-030", f"{where} has no name")
        if not (image.get("source") or image.get("remote_image")) and image.get("state") != "absent":
            yield Problem("GLS-030", f"{where} ({image.get('name', 'without a name')}) has no source")
    nameless = [image for image in inventory.images.values() if image.get("name") and not image.get("id")]
    for alike in _repeated(nameless, key=lambda image: (image["name"], str(image.get("owner") or ""))):
        yield Problem("GLS-031", f"{len(alike)} images in glance_images are called {alike[0]['name']!r}")
    catalog = inventory.value("glance_images_catalog")
    if catalog is not None and (not str(catalog) or "/" in str(catalog)):
        yield Problem("GLS-036", f"glance_images_catalog is {catalog!r}")


def _repeated(values: t.Sequence[t.Any], key: t.Callable[[t.Any], t.Any]) -> list[list[t.Any]]:
    groups: dict[t.Any, list[t.Any]] = collections.defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return [group for group in groups.values() if len(group) > 1]


def _list(names: t.Iterable[t.Any]) -> str:
    return ", ".join(str(name) for name in names)


CHECKERS: tuple[t.Callable[[Inventory], t.Iterator[Problem]], ...] = (
    _mistyped_names,
    _mistyped_keys,
    _missing_values,
    _unknown_release,
    _unpackaged_release,
    _wrong_source,
    _wrong_server,
    _missing_methods,
    _unusable_password,
    _wrong_stores,
    _wrong_default_store,
    _read_only_default_store,
    _shared_directories,
    _shared_storage,
    _conflicting_mounts,
    _conflicting_references,
    _stores_in_config,
    _cinder_accounts,
    _wrong_layout,
    _disagreeing_defaults,
    _hidden_directories,
    _shown_secrets,
    _local_stores,
    _malformed_addresses,
    _wrong_images,
)
