# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The store types: what an operator may write in ``glance_stores``, and what becomes of it in Glance's configuration.

A release is given as the major number of its Glance (25 for zed).
"""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import (
    NoLogError,
    RequiredError,
    RequiredOneOfError,
    RequiredTogetherError,
    SubParameterTypeError,
    UnsupportedError,
)
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_cinder import CINDER
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_file import FILE, mount_point, mount_unit
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_http import HTTP
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_rbd import RBD, ceph_files
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_s3 import S3
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_swift import SWIFT, swift_reference
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    BOBCAT,
    Option,
    Parameters,
    Place,
    Section,
    StoreType,
    normal_path,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_vmware import VMWARE

REQUIRED = (RequiredError, RequiredOneOfError, RequiredTogetherError)
REPEATED = (NoLogError, SubParameterTypeError)
"""What ansible-core says in addition to the error about the type."""
SWIFT_CONFIG_FILE = "/etc/glance/glance-swift.conf"

COMMON_OPTIONS = {
    "type": Option(spec={"type": "str", "required": True}),
    "description": Option("store_description", {"type": "str"}, multi_only=True),
    "weight": Option("weight", {"type": "int"}, since=BOBCAT, multi_only=True),
}

STORE_TYPES: dict[str, StoreType] = {
    "file": FILE,
    "swift": SWIFT,
    "rbd": RBD,
    "s3": S3,
    "http": HTTP,
    "cinder": CINDER,
    "vmware": VMWARE,
}

OTHER_TYPES = {
    "ceph": "is called rbd",
    "datera": "was never part of Glance; use cinder with its driver",
    "filesystem": "is called file",
    "gluster": "was never part of Glance; use file on a directory that is mounted from it",
    "glusterfs": "was never part of Glance; use file on a directory that is mounted from it",
    "gridfs": "left Glance in mitaka; use swift, s3 or rbd",
    "https": "is called http",
    "nfs": "is called file; give the store the option mount",
    "sheepdog": "left Glance in ussuri, train has it last, and the project Sheepdog has ended; use rbd, swift or s3",
    "storpool": "was never part of Glance; use cinder with its driver",
    "vsphere": "is called vmware",
}

SECTIONS_OF_GLANCE = frozenset(
    {
        "default",
        "backend_defaults",
        "barbican",
        "barbican_service_user",
        "cors",
        "database",
        "glance_download_opts",
        "glance_download_properties",
        "glance_store",
        "healthcheck",
        "image_conversion",
        "image_format",
        "image_import_opts",
        "import_filtering_opts",
        "inject_metadata_properties",
        "key_manager",
        "keystone_authtoken",
        "os_brick",
        "paste_deploy",
        "privsep_osbrick",
        "profiler",
        "profiler_jaeger",
        "profiler_otlp",
        "store_type_location_strategy",
        "task",
        "taskflow_executor",
        "vault",
        "wsgi",
    }
)
"""The sections of glance-api.conf in any release, in the lower case to which oslo.config brings them."""


def near_miss(name: str, known: t.Iterable[str], cutoff: float = 0.6) -> str:
    """Return the words that name what may have been meant, or nothing."""
    found = difflib.get_close_matches(str(name), sorted(set(known)), n=1, cutoff=cutoff)
    return f" (did you mean {found[0]}?)" if found else ""


def name_problem(name: t.Any) -> str:
    """Return what is wrong with the name of a store, or nothing."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        return "has characters that Glance cannot take in the name of a store"
    if name.lower().startswith("os_glance"):
        return "begins with os_glance, which Glance keeps for its own stores"
    if name.lower() in SECTIONS_OF_GLANCE or name.lower().startswith("oslo_"):
        return "is the name of a section that Glance itself has"
    return ""


def store_problems(name: str, store: t.Any, release: t.Optional[int] = None) -> list[Problem]:
    """Return everything that is wrong with one store.

    :param store: the options as the operator wrote them.
    :param release: without it, what exists in which release is not looked at.
    """
    where = f"glance_stores.{name}"
    if not isinstance(store, dict):
        return [Problem("GLS-010", f"{where} is not a mapping of options")]
    kind = store.get("type")
    if kind is None:
        return [Problem("GLS-013", f"{where} has no type; the types are {', '.join(STORE_TYPES)}")]
    if not isinstance(kind, str) or kind not in STORE_TYPES:
        return [Problem("GLS-012", f"{where}: the type {kind!r} {_unknown_type(str(kind))}")]
    shapeless = list(_shapeless(where, str(kind), store))
    if shapeless:
        return shapeless
    result = _validated(str(kind), store)
    problems = [*_spec_problems(where, str(kind), result), *_unknown_options(where, str(kind), result)]
    if all(isinstance(error, UnsupportedError) for error in result.errors):
        problems += _value_problems(where, str(kind), result.validated_parameters)
    return problems + _release_problems(where, str(kind), result.validated_parameters, release)


def _value_problems(where: str, kind: str, values: Parameters) -> t.Iterator[Problem]:
    for name, option in _options(kind).items():
        wrong = option.problem(values[name])
        if wrong:
            yield Problem("GLS-018", f"{where}.{name}: {wrong}")
    for found in STORE_TYPES[kind].findings(values):
        yield Problem(found.code, f"{where}.{found.option}: {found.what}")


def _unknown_type(kind: str) -> str:
    meant = OTHER_TYPES.get(kind.lower())
    types = f"the types are {', '.join(STORE_TYPES)}"
    if meant:
        return f"{meant}; {types}"
    return f"is unknown; {types}{near_miss(kind, [*STORE_TYPES, *OTHER_TYPES])}"


def _options(kind: str) -> dict[str, Option]:
    return {**COMMON_OPTIONS, **STORE_TYPES[kind].options}


def _plain(value: t.Any) -> t.Any:
    # The containers of ansible-core's templates refer to their template, which cannot be copied as the validator does;
    # and it counts what is null among the options that exclude each other.
    if isinstance(value, t.Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _validated(kind: str, store: t.Any) -> ValidationResult:
    spec = {name: option.argument() for name, option in _options(kind).items()}
    return ArgumentSpecValidator(spec, **STORE_TYPES[kind].constraints).validate(_plain(store))


def _shapeless(where: str, kind: str, store: dict[str, t.Any]) -> t.Iterator[Problem]:
    # ansible-core's validator stumbles over a number where it wants a dictionary.
    for name, option in _options(kind).items():
        value = store.get(name)
        elements = value if isinstance(value, list) else [] if value is None else [value]
        if "options" in option.spec and not all(isinstance(element, (dict, str)) for element in elements):
            yield Problem("GLS-018", f"{where}.{name} is not made of dictionaries")


def _spec_problems(where: str, kind: str, result: ValidationResult) -> t.Iterator[Problem]:
    for error in result.errors:
        if isinstance(error, (UnsupportedError, *REPEATED)):
            continue
        code = "GLS-013" if isinstance(error, REQUIRED) else "GLS-018"
        # ansible-core's messages may repeat a value.
        yield Problem(code, f"{where}: {remove_values(error.msg, result._no_log_values)}")


def _unknown_options(where: str, kind: str, result: ValidationResult) -> t.Iterator[Problem]:
    for unknown in sorted(result.unsupported_parameters, key=str):
        path = unknown if isinstance(unknown, tuple) else (unknown,)
        known: Parameters = {name: option.argument() for name, option in _options(kind).items()}
        for step in path[:-1]:
            known = known[step]["options"]
        aliases = [alias for spec in known.values() for alias in spec.get("aliases", [])]
        hint = near_miss(path[-1], [*known, *aliases]) or f"; there are {', '.join(sorted(known))}"
        yield Problem("GLS-014", f"{where}.{'.'.join(map(str, path))} is unknown{hint}")


def _release_problems(where: str, kind: str, values: Parameters, release: t.Optional[int]) -> list[Problem]:
    if release is None:
        return []
    first = STORE_TYPES[kind].since
    if first > release:
        what = f"{where}: the type {kind} can be had from Glance {first} on, and Glance {release} is deployed"
        return [Problem("GLS-012", what)]
    return [
        Problem("GLS-019", f"{where}.{name} exists from Glance {since} on, and Glance {release} is deployed")
        for name, since in _given(kind, values)
        if since > release
    ]


def _given(kind: str, values: Parameters) -> t.Iterator[tuple[str, int]]:
    for name, option in _options(kind).items():
        if values.get(name) is not None:
            yield name, option.since
    for name, inner in STORE_TYPES[kind].inner_since.items():
        given = values.get(name)
        for key, since in inner.items():
            if isinstance(given, dict) and given.get(key) is not None:
                yield f"{name}.{key}", since


def validated_store(name: str, store: t.Any, release: t.Optional[int] = None) -> Parameters:
    """Return the values of every option of a store, None where the operator gave none.

    :raises GlanceError: when something is wrong with the store.
    """
    problems = store_problems(name, store, release)
    if problems:
        raise GlanceError(f"reading the store {name!r}", answer=" ".join(problem.message for problem in problems))
    values: Parameters = _validated(store["type"], store).validated_parameters
    return values


def oslo_names(kind: str) -> dict[str, str]:
    """Return the option of ``glance_stores`` that sets each oslo option of a type."""
    simple = {option.oslo: name for name, option in _options(kind).items() if option.oslo}
    return {**simple, **STORE_TYPES[kind].sets}


def store_options(
    store: t.Any,
    name: str,
    release: int,
    multi: bool = True,
    swift_config_file: str = SWIFT_CONFIG_FILE,
) -> Parameters:
    """Return the oslo options of a store: the content of its section.

    :param multi: whether it is for a multi-store configuration (section of its own) or for ``[glance_store]``.
    :raises GlanceError: when something is wrong with the store.
    """
    values = validated_store(name, store, release)
    options = {
        option.oslo: values[key]
        for key, option in _options(store["type"]).items()
        if option.oslo and values[key] is not None and (multi or not option.multi_only)
    }
    options.update(STORE_TYPES[store["type"]].computed(values, name))
    if store["type"] == "swift" and not values["multi_tenant"]:
        options["swift_store_config_file"] = swift_config_file
    return options


def swift_references(stores: t.Mapping[str, t.Any], release: int) -> dict[str, Parameters]:
    """Return the options of each section of the reference file, by the section's name; they hold the keys.

    :raises GlanceError: when something is wrong with a Swift store.
    """
    found = {}
    for name, store in stores.items():
        if isinstance(store, dict) and store.get("type") == "swift":
            values = validated_store(str(name), store, release)
            found[str(values["reference"] or name)] = swift_reference(values, release)
    return {name: options for name, options in found.items() if options}


def store_section(
    store: t.Any, name: str, release: int, multi: bool = True, read: t.Callable[[str], str] = lambda path: ""
) -> Section:
    """Return a store as it is going to stand in the configuration.

    :param read: reads a file of the node on which the store is going to be.
    :raises GlanceError: when something is wrong with the store.
    """
    options = store_options(store, name, release, multi)
    reference = swift_references({name: store}, release)
    return Section(name if multi else "", options, next(iter(reference.values()), {}), read)


def store_places(kind: str, section: Section) -> list[Place]:
    """Return where the store of a section keeps its images; nothing for a type that is not known."""
    return STORE_TYPES[kind].places(section) if kind in STORE_TYPES else []


def store_needs(stores: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what the stores need on a node; a store that has problems is left out.

    :returns: ``types`` of the stores; ``directories`` that hold images, as ``path`` and ``purpose``; ``mounts``, each
        once, as ``path``, ``unit``, ``source``, ``fstype`` and ``options``; ``ceph``, the files to be written for
        clusters that are described in the options, and ``ceph_keys``, their keys by store; ``secrets``, the
        credentials of all stores; ``warnings`` for people.
    """
    good = _good(stores)
    return {
        "types": sorted({values["type"] for values in good.values()}),
        "directories": [item for name, values in good.items() for item in _directories(name, values)],
        "mounts": list({mount["unit"]: mount for mount in _mounts(good).values()}.values()),
        "ceph": [_ceph(name, values) for name, values in good.items() if values.get("mon_hosts")],
        # Apart, because Ansible shows what a loop goes over.
        "ceph_keys": {name: values["key"] for name, values in good.items() if values.get("mon_hosts")},
        "secrets": [secret for values in good.values() for secret in _secrets(values)],
        "warnings": [
            f"glance_stores.{name}: {warning}"
            for name, values in good.items()
            for warning in STORE_TYPES[values["type"]].warnings(values)
        ],
    }


def _good(stores: t.Mapping[str, t.Any]) -> dict[str, Parameters]:
    return {
        str(name): _validated(store["type"], store).validated_parameters
        for name, store in stores.items()
        if not store_problems(str(name), store)
    }


def store_directories(stores: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    """Return the directories on a node in which the stores keep images, as ``path`` and ``purpose``."""
    directories: list[dict[str, str]] = store_needs(stores)["directories"]
    return directories


def _directories(name: str, values: Parameters) -> t.Iterator[dict[str, str]]:
    for path in STORE_TYPES[values["type"]].directories(values):
        yield {"path": normal_path(path), "purpose": f"datadir of the store '{name}'"}


def store_mounts(stores: t.Mapping[str, t.Any]) -> dict[str, dict[str, str]]:
    """Return what each store has mounted, by the name of the store; one that has problems is left out."""
    return _mounts(_good(stores))


def _mounts(good: t.Mapping[str, Parameters]) -> dict[str, dict[str, str]]:
    return {name: _mount(values) for name, values in good.items() if values.get("mount")}


def _mount(values: Parameters) -> dict[str, str]:
    mount = {key: values["mount"][key] for key in ("source", "fstype", "options")}
    path = mount_point(values)
    return {"path": path, "unit": mount_unit(path), **mount}


def _secrets(values: Parameters) -> t.Iterator[str]:
    for name, option in STORE_TYPES[values["type"]].options.items():
        inner = option.spec.get("options", {})
        given = values[name] if isinstance(values[name], dict) else {}
        found = (
            [values[name]]
            if option.spec.get("no_log")
            else [given.get(key) for key, spec in inner.items() if spec.get("no_log")]
        )
        yield from (str(secret) for secret in found if secret)


def _ceph(name: str, values: Parameters) -> Parameters:
    described = {key: values[key] for key in ("user", "fsid", "mon_hosts")}
    return {"store": name, **ceph_files(name), **described}


def local_directories(stores: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """Return the stores whose directories one node alone has, as far as anybody has said, each with a directory."""
    found = []
    for name, store in stores.items():
        if isinstance(store, dict) and not store_problems(str(name), store) and store["type"] == "file":
            values = _validated("file", store).validated_parameters
            shared = values["shared"] if values["shared"] is not None else bool(values["mount"])
            if not shared:
                found.append((str(name), FILE.directories(values)[0]))
    return found


def holds_secrets_in_locations(store: t.Any) -> bool:
    """Tell whether the locations of the store's images hold the credentials of the store."""
    return isinstance(store, dict) and (
        store.get("type") == "s3" or (store.get("type") == "swift" and boolean(store.get("multi_tenant"), strict=False))
    )
