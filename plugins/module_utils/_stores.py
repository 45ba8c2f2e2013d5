# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The store types: what an operator may write in ``glance_stores``, and what becomes of it in Glance's configuration.

A release is given as the major number of its Glance (25 for zed).
"""

from __future__ import annotations

import dataclasses
import difflib
import posixpath
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
from ansible_collections.openstack_ops.glance.plugins.module_utils._checks import Problem
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

Parameters = dict[str, t.Any]


class Finding(t.NamedTuple):
    """What is wrong with the value of an option."""

    option: str
    what: str
    code: str = "GLS-018"


REQUIRED = (RequiredError, RequiredOneOfError, RequiredTogetherError)
REPEATED = (NoLogError, SubParameterTypeError)
"""What ansible-core says in addition to the error about the type."""
SWIFT_CONFIG_FILE = "/etc/glance/glance-swift.conf"
STEIN, TRAIN, USSURI, VICTORIA, BOBCAT, FLAMINGO, GAZPACHO = 18, 19, 20, 21, 27, 31, 32


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a store type.

    :param oslo: the name of the oslo option that takes the value as it is; nothing where it is not that simple.
    :param spec: what ansible-core has to know about the option.
    :param since: the first release that has it.
    :param multi_only: whether it exists in a multi-store configuration only.
    """

    oslo: str = ""
    spec: Parameters = dataclasses.field(default_factory=dict)
    since: int = 0
    multi_only: bool = False

    def argument(self) -> Parameters:
        """The argument spec; the name that Glance gives to the option is welcome too."""
        return {**self.spec, "aliases": [self.oslo]} if self.oslo else dict(self.spec)


@dataclasses.dataclass(frozen=True)
class StoreType:
    """One row of the registry.

    :param findings: what is wrong with the values that no argument spec can tell.
    :param computed: the oslo options that do not take a value as it is, given the values and the name of the store.
    :param directories: the directories on the node that the store keeps its images in.
    """

    options: dict[str, Option]
    constraints: Parameters = dataclasses.field(default_factory=dict)
    findings: t.Callable[[Parameters], t.Iterator[Finding]] = lambda values: iter(())
    computed: t.Callable[[Parameters, str], Parameters] = lambda values, name: {}
    directories: t.Callable[[Parameters], list[str]] = lambda values: []


COMMON_OPTIONS = {
    "type": Option(spec={"type": "str", "required": True}),
    "description": Option("store_description", {"type": "str"}, multi_only=True),
    "weight": Option("weight", {"type": "int"}, since=BOBCAT, multi_only=True),
}


# --- file -------------------------------------------------------------------------------------------------------------

FILE_OPTIONS = {
    "datadir": Option("filesystem_store_datadir", {"type": "str"}),
    "datadirs": Option(
        spec={
            "type": "list",
            "elements": "dict",
            "options": {"path": {"type": "str", "required": True}, "priority": {"type": "int", "default": 0}},
        }
    ),
    "file_perm": Option(spec={"type": "raw", "aliases": ["filesystem_store_file_perm"]}),
    "chunk_size": Option("filesystem_store_chunk_size", {"type": "int"}, since=STEIN),
    "metadata_file": Option("filesystem_store_metadata_file", {"type": "str"}),
    "thin_provisioning": Option("filesystem_thin_provisioning", {"type": "bool"}, since=VICTORIA),
}


def _file_directories(values: Parameters) -> list[str]:
    paths = [values["datadir"]] if values.get("datadir") else []
    return paths + [directory["path"] for directory in values.get("datadirs") or []]


def _file_findings(values: Parameters) -> t.Iterator[Finding]:
    for option, path in [("datadir", values["datadir"]), ("metadata_file", values["metadata_file"])]:
        if path is not None and not path.startswith("/"):
            yield Finding(option, f"{path!r} is not an absolute path")
    for directory in values["datadirs"] or []:
        path = directory["path"]
        if not path.startswith("/") or ":" in path:
            yield Finding("datadirs", f"{path!r} is not an absolute path without a colon")
    yield from _permission_findings(values["file_perm"])
    if values["chunk_size"] is not None and values["chunk_size"] < 1:
        yield Finding("chunk_size", f"{values['chunk_size']} is not a positive number of bytes")


def _permission_findings(permission: t.Any) -> t.Iterator[Finding]:
    if permission in (None, 0, "0"):
        return
    # Without quotes YAML has already turned 0640 into the number 416.
    if not isinstance(permission, str) or not re.fullmatch("0?[0-7]{3}", permission):
        yield Finding("file_perm", f'{permission!r} is not a mode in quotes such as "0640"')
    elif not int(permission, 8) & 0o400:
        yield Finding("file_perm", f"{permission!r} keeps Glance from reading its own images")


def _file_computed(values: Parameters, name: str) -> Parameters:
    options: Parameters = {}
    if values["datadirs"]:
        # Glance refuses both, and filesystem_store_datadir has a default.
        options["filesystem_store_datadir"] = ""
        options["filesystem_store_datadirs"] = [
            f"{directory['path']}:{directory['priority']}" for directory in values["datadirs"]
        ]
    if values["file_perm"] is not None:
        options["filesystem_store_file_perm"] = int(str(values["file_perm"]))
    return options


FILE = StoreType(
    options=FILE_OPTIONS,
    constraints={"mutually_exclusive": [("datadir", "datadirs")], "required_one_of": [("datadir", "datadirs")]},
    findings=_file_findings,
    computed=_file_computed,
    directories=_file_directories,
)


# --- swift ------------------------------------------------------------------------------------------------------------

SWIFT_AUTH: Parameters = {
    "type": "dict",
    "options": {
        "auth_address": {"type": "str", "required": True, "aliases": ["auth_url"]},
        "user": {"type": "str"},
        "username": {"type": "str"},
        "project_name": {"type": "str"},
        "key": {"type": "str", "required": True, "no_log": True, "aliases": ["password"]},
        "user_domain_name": {"type": "str"},
        "user_domain_id": {"type": "str"},
        "project_domain_name": {"type": "str"},
        "project_domain_id": {"type": "str"},
    },
    "mutually_exclusive": [
        ("user", "username"),
        ("user", "project_name"),
        ("user_domain_name", "user_domain_id"),
        ("project_domain_name", "project_domain_id"),
    ],
    "required_one_of": [("user", "username")],
    "required_together": [("username", "project_name")],
}
ENDPOINT_TYPES = ["publicURL", "internalURL", "adminURL"]

SWIFT_OPTIONS = {
    "auth": Option(spec=SWIFT_AUTH),
    "reference": Option("default_swift_reference", {"type": "str"}),
    "container": Option("swift_store_container", {"type": "str"}),
    "create_container": Option("swift_store_create_container_on_put", {"type": "bool"}),
    "region": Option("swift_store_region", {"type": "str"}),
    "endpoint_type": Option("swift_store_endpoint_type", {"type": "str", "choices": ENDPOINT_TYPES}),
    "endpoint": Option("swift_store_endpoint", {"type": "str"}),
    "service_type": Option("swift_store_service_type", {"type": "str"}),
    "large_object_size": Option("swift_store_large_object_size", {"type": "int"}),
    "large_object_chunk_size": Option("swift_store_large_object_chunk_size", {"type": "int"}),
    "multi_tenant": Option("swift_store_multi_tenant", {"type": "bool"}),
    "multiple_containers_seed": Option("swift_store_multiple_containers_seed", {"type": "int"}),
    "admin_tenants": Option("swift_store_admin_tenants", {"type": "list", "elements": "str"}),
    "use_trusts": Option("swift_store_use_trusts", {"type": "bool"}, since=12),
    "retry_get_count": Option("swift_store_retry_get_count", {"type": "int"}),
    "expire_soon_interval": Option("swift_store_expire_soon_interval", {"type": "int"}, since=12),
    "buffer_on_upload": Option("swift_buffer_on_upload", {"type": "bool"}, since=16),
    "upload_buffer_dir": Option("swift_upload_buffer_dir", {"type": "str"}, since=16),
    "cacert": Option("swift_store_cacert", {"type": "str"}),
    "insecure": Option("swift_store_auth_insecure", {"type": "bool"}),
}


def _swift_findings(values: Parameters) -> t.Iterator[Finding]:
    if values["auth"] is not None:
        yield from _swift_auth_findings(values)
    elif not values["multi_tenant"] or values["use_trusts"] is not False:
        yield Finding("auth", "missing; it needs auth_address, user (project:user) and key", "GLS-013")
    for option, (good, wanted) in SWIFT_RULES.items():
        if values[option] is not None and not good(values[option]):
            yield Finding(option, f"{values[option]!r} is not {wanted}")


SWIFT_RULES: dict[str, tuple[t.Callable[[t.Any], bool], str]] = {
    "large_object_size": (lambda size: size > 0, "a positive number of MB"),
    "large_object_chunk_size": (lambda size: size > 0, "a positive number of MB"),
    "multiple_containers_seed": (lambda seed: 0 <= seed <= 32, "between 0 and 32"),
    "cacert": (lambda path: path.startswith("/"), "an absolute path"),
    "upload_buffer_dir": (lambda path: path.startswith("/"), "an absolute path"),
    "container": (lambda name: name != "" and "/" not in name, "the name of a container"),
    "reference": (lambda name: re.fullmatch(r"[^\s\[\]/]+", name) is not None, "the name of a section"),
}


def _swift_auth_findings(values: Parameters) -> t.Iterator[Finding]:
    auth = values["auth"]
    # Glance's driver splits project:user at the colon and refuses a second one.
    if _swift_user(auth).count(":") != 1:
        yield Finding("auth", f"the user {_swift_user(auth)!r} is not of the form project:user with exactly one colon")
    if "\n" in auth["key"]:
        yield Finding("auth", "key has a line break")
    named = [auth[domain] for domain in ("user_domain_name", "project_domain_name") if auth[domain]]
    if values["multi_tenant"] and any(domain.lower() != "default" for domain in named):
        yield Finding("auth", "with multi_tenant Glance knows the domain Default only")


def _swift_user(auth: Parameters) -> str:
    return str(auth["user"] or f"{auth['project_name']}:{auth['username']}")


def _swift_computed(values: Parameters, name: str) -> Parameters:
    if not values["multi_tenant"]:
        return {"default_swift_reference": values["reference"] or name}
    if values["auth"] is None:
        return {}
    # Glance refuses a reference file together with multi_tenant.
    return {
        "default_swift_reference": values["reference"] or name,
        "swift_store_auth_address": values["auth"]["auth_address"],
        "swift_store_user": _swift_user(values["auth"]),
        "swift_store_key": values["auth"]["key"],
    }


SWIFT = StoreType(
    options=SWIFT_OPTIONS,
    findings=_swift_findings,
    computed=_swift_computed,
)


# --- the registry -----------------------------------------------------------------------------------------------------

STORE_TYPES: dict[str, StoreType] = {"file": FILE, "swift": SWIFT}

OTHER_TYPES = {
    "cinder": "is a type of Glance's that the collection does not configure yet",
    "datera": "was never part of Glance",
    "filesystem": "is called file",
    "gridfs": "left Glance in mitaka",
    "http": "is a type of Glance's that the collection does not configure yet",
    "rbd": "is a type of Glance's that the collection does not configure yet",
    "s3": "is a type of Glance's that the collection does not configure yet; it is missing from newton to train",
    "sheepdog": "left Glance in ussuri; train has it last",
    "vmware": "is deprecated since 2024.1, though still there in 2026.2, and not configured by the collection",
    "vsphere": "is called vmware, deprecated since 2024.1, and not configured by the collection",
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
    if kind not in STORE_TYPES:
        return [Problem("GLS-012", f"{where}: the type {kind!r} {_unknown_type(str(kind))}")]
    shapeless = list(_shapeless(where, str(kind), store))
    if shapeless:
        return shapeless
    result = _validated(str(kind), store)
    problems = [*_spec_problems(where, str(kind), result), *_unknown_options(where, str(kind), result)]
    if all(isinstance(error, UnsupportedError) for error in result.errors):
        findings = STORE_TYPES[str(kind)].findings(result.validated_parameters)
        problems += [Problem(found.code, f"{where}.{found.option}: {found.what}") for found in findings]
    return problems + _release_problems(where, str(kind), result.validated_parameters, release)


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
    return [
        Problem("GLS-019", f"{where}.{name} exists from Glance {option.since} on, and Glance {release} is deployed")
        for name, option in _options(kind).items()
        if option.since > release and values.get(name) is not None
    ]


def _accepted(name: str, store: t.Any, release: t.Optional[int]) -> Parameters:
    problems = store_problems(name, store, release)
    if problems:
        raise GlanceError(f"reading the store {name!r}", answer=" ".join(problem.message for problem in problems))
    values: Parameters = _validated(store["type"], store).validated_parameters
    return values


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
    values = _accepted(name, store, release)
    options = {
        option.oslo: values[key]
        for key, option in _options(store["type"]).items()
        if option.oslo and values[key] is not None and (multi or not option.multi_only)
    }
    options.update(STORE_TYPES[store["type"]].computed(values, name))
    if store["type"] == "swift" and not values["multi_tenant"]:
        options["swift_store_config_file"] = swift_config_file
    return options


def swift_reference(store: t.Any, name: str, release: int) -> Parameters:
    """Return the options of a Swift store's section in the reference file; it holds the key.

    :raises GlanceError: when something is wrong with the store.
    """
    values = _accepted(name, store, release)
    if store["type"] != "swift" or values["multi_tenant"]:
        return {}
    auth = values["auth"]
    options = {"user": _swift_user(auth), "key": auth["key"], "auth_address": auth["auth_address"]}
    # Glance's default is 2 until it forces 3 and calls the option deprecated.
    if release < FLAMINGO:
        options["auth_version"] = "3"
    for whose in ("user", "project"):
        if auth[f"{whose}_domain_id"]:
            options[f"{whose}_domain_id"] = auth[f"{whose}_domain_id"]
        else:
            options[f"{whose}_domain_name"] = auth[f"{whose}_domain_name"] or "Default"
    return options


def normal_path(path: str) -> str:
    """Return the path without what does not matter in it: //, ., .. and a slash at its end."""
    return posixpath.normpath("/" + path.lstrip("/")) if path.startswith("/") else posixpath.normpath(path)


def store_directories(stores: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    """Return the directories on a node in which the stores keep images, as ``path`` and ``purpose``.

    A store that has problems is left out.
    """
    found = []
    for name, store in stores.items():
        if store_problems(name, store):
            continue
        values = _validated(store["type"], store).validated_parameters
        for path in STORE_TYPES[store["type"]].directories(values):
            found.append({"path": normal_path(path), "purpose": f"datadir of the store '{name}'"})
    return found
