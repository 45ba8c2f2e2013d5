# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Stores of the type swift: containers of an object store, with accounts of Keystone."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    ABSOLUTE_PATH,
    FLAMINGO,
    GAZPACHO,
    JUNO,
    KILO,
    LIBERTY,
    MEGABYTES,
    MITAKA,
    QUEENS,
    Finding,
    Option,
    Parameters,
    Place,
    Rule,
    Section,
    StoreType,
    domain_identity,
    keystone_identity,
    server_address,
)

AUTH: Parameters = {
    "type": "dict",
    "options": {
        "auth_address": {"type": "str", "required": True, "aliases": ["auth_url"]},
        "user": {"type": "str"},
        "username": {"type": "str"},
        "project_name": {"type": "str"},
        "key": {"type": "str", "no_log": True, "aliases": ["password"]},
        "user_domain_name": {"type": "str"},
        "user_domain_id": {"type": "str"},
        "project_domain_name": {"type": "str"},
        "project_domain_id": {"type": "str"},
        "application_credential_id": {"type": "str"},
        "application_credential_secret": {"type": "str", "no_log": True},
    },
    "mutually_exclusive": [
        ("user", "username", "application_credential_id"),
        ("user", "project_name"),
        ("key", "application_credential_secret"),
        ("user_domain_name", "user_domain_id"),
        ("project_domain_name", "project_domain_id"),
    ],
    "required_one_of": [
        ("user", "username", "application_credential_id"),
        ("key", "application_credential_secret"),
    ],
    "required_together": [
        ("username", "project_name"),
        ("application_credential_id", "application_credential_secret"),
    ],
}
ENDPOINT_TYPES = ["publicURL", "internalURL", "adminURL"]

OPTIONS = {
    "auth": Option(spec=AUTH),
    "reference": Option(
        "default_swift_reference",
        {"type": "str"},
        rule=Rule(lambda name: re.fullmatch(r"[^\s\[\]/]+", name) is not None, "the name of a section"),
    ),
    "container": Option(
        "swift_store_container",
        {"type": "str"},
        rule=Rule(lambda name: name != "" and "/" not in name, "the name of a container"),
    ),
    "create_container": Option("swift_store_create_container_on_put", {"type": "bool"}),
    "region": Option("swift_store_region", {"type": "str"}),
    "endpoint_type": Option("swift_store_endpoint_type", {"type": "str", "choices": ENDPOINT_TYPES}),
    "endpoint": Option("swift_store_endpoint", {"type": "str"}, since=KILO),
    "service_type": Option("swift_store_service_type", {"type": "str"}),
    "large_object_size": Option("swift_store_large_object_size", {"type": "int"}, rule=MEGABYTES),
    "large_object_chunk_size": Option("swift_store_large_object_chunk_size", {"type": "int"}, rule=MEGABYTES),
    "multi_tenant": Option("swift_store_multi_tenant", {"type": "bool"}),
    "multiple_containers_seed": Option(
        "swift_store_multiple_containers_seed",
        {"type": "int"},
        since=KILO,
        rule=Rule(lambda seed: 0 <= seed <= 32, "between 0 and 32"),
    ),
    "admin_tenants": Option("swift_store_admin_tenants", {"type": "list", "elements": "str"}),
    "use_trusts": Option("swift_store_use_trusts", {"type": "bool"}, since=MITAKA),
    "retry_get_count": Option("swift_store_retry_get_count", {"type": "int"}),
    "expire_soon_interval": Option("swift_store_expire_soon_interval", {"type": "int"}, since=MITAKA),
    "buffer_on_upload": Option("swift_buffer_on_upload", {"type": "bool"}, since=QUEENS),
    "upload_buffer_dir": Option("swift_upload_buffer_dir", {"type": "str"}, since=QUEENS, rule=ABSOLUTE_PATH),
    "cacert": Option("swift_store_cacert", {"type": "str"}, since=KILO, rule=ABSOLUTE_PATH),
    "insecure": Option("swift_store_auth_insecure", {"type": "bool"}),
}


def _findings(values: Parameters) -> t.Iterator[Finding]:
    if values["auth"] is not None:
        yield from _auth_findings(values)
    elif not values["multi_tenant"] or values["use_trusts"] is not False:
        yield Finding("auth", "missing; it needs auth_address, user (project:user) and key", "GLS-013")


def _auth_findings(values: Parameters) -> t.Iterator[Finding]:
    auth = values["auth"]
    # Glance's driver splits project:user at the colon and refuses a second one.
    if not auth["application_credential_id"] and swift_user(auth).count(":") != 1:
        yield Finding("auth", f"the user {swift_user(auth)!r} is not of the form project:user with exactly one colon")
    for secret in ("key", "application_credential_secret"):
        if "\n" in (auth[secret] or ""):
            yield Finding("auth", f"{secret} has a line break")
    if values["multi_tenant"]:
        yield from _multi_tenant_findings(auth)


def _multi_tenant_findings(auth: Parameters) -> t.Iterator[Finding]:
    named = [auth[domain] for domain in ("user_domain_name", "project_domain_name") if auth[domain]]
    if any(domain.lower() != "default" for domain in named):
        yield Finding("auth", "with multi_tenant Glance knows the domain Default only")
    if auth["application_credential_id"]:
        yield Finding("auth", "with multi_tenant Glance needs a user and a key, no application credential")


def swift_user(auth: Parameters) -> str:
    """Return the account as Glance writes it, project:user."""
    return str(auth["user"] or f"{auth['project_name']}:{auth['username']}")


def _computed(values: Parameters, name: str) -> Parameters:
    if not values["multi_tenant"]:
        return {"default_swift_reference": values["reference"] or name}
    if values["auth"] is None:
        return {}
    # Glance refuses a reference file together with multi_tenant.
    return {
        "default_swift_reference": values["reference"] or name,
        "swift_store_auth_address": values["auth"]["auth_address"],
        "swift_store_user": swift_user(values["auth"]),
        "swift_store_key": values["auth"]["key"],
    }


def swift_reference(values: Parameters, release: int) -> Parameters:
    """Return the options of a store's section in the reference file; they hold the key.

    :param values: the validated options of the store.
    """
    if values["multi_tenant"]:
        return {}
    auth = values["auth"]
    if auth["application_credential_id"]:
        keys = ("auth_address", "application_credential_id", "application_credential_secret")
        return {key: auth[key] for key in keys}
    options = {"user": swift_user(auth), "key": auth["key"], "auth_address": auth["auth_address"]}
    # Without domains there is version 2 alone; it is Glance's default until 3 is forced and the option deprecated.
    if release < LIBERTY:
        return options
    if release < FLAMINGO:
        options["auth_version"] = "3"
    for whose in ("user", "project"):
        if auth[f"{whose}_domain_id"]:
            options[f"{whose}_domain_id"] = auth[f"{whose}_domain_id"]
        else:
            options[f"{whose}_domain_name"] = auth[f"{whose}_domain_name"] or "Default"
    return options


def _places(section: Section) -> list[Place]:
    container = section.text("swift_store_container", "glance")
    if section.flag("swift_store_multi_tenant"):
        server = section.text("swift_store_auth_address")
        what = f"the containers {container}_* of every project"
        return [_place("swift+http", what, server, section)]
    reference = section.text("default_swift_reference", "ref1")
    account = Section(section.name, section.reference)
    project = account.text("user").partition(":")[0] or account.text("application_credential_id")
    several = "*" if section.text("swift_store_multiple_containers_seed", "0") != "0" else ""
    address = f"swift+config://{reference}/{container}{'_' if several else '/'}"
    what = f"the container {container}{several} of {project}"
    if not account.text("application_credential_id"):
        domain = domain_identity(account.options, "project_domain")
        what += "" if domain == "default" else f" in the domain with the {domain}"
    return [_place(address, what, account.text("auth_address"), section)]


def _place(address: str, what: str, keystone: str, section: Section) -> Place:
    # Behind one Keystone there may be several Swifts, and these options choose one.
    chosen = {
        "region": section.text("swift_store_region"),
        "service type": section.text("swift_store_service_type").replace("object-store", ""),
        "endpoint": server_address(section.text("swift_store_endpoint")),
    }
    which = "".join(f", {option} {value}" for option, value in chosen.items() if value)
    found = re.sub(r"(?<=, endpoint )https?://", "", which)
    return Place(
        address, f"{what} at {server_address(keystone)}{which}", f"{what} at {keystone_identity(keystone)}{found}"
    )


def _warnings(values: Parameters) -> t.Iterator[str]:
    if values["insecure"]:
        yield "the certificate of Swift's server is not checked (insecure): give cacert instead"


SWIFT = StoreType(
    options=OPTIONS,
    findings=_findings,
    computed=_computed,
    sets={
        "swift_store_auth_address": "auth.auth_address",
        "swift_store_auth_version": "auth",
        "swift_store_config_file": "auth",
        "swift_store_key": "auth.key",
        "swift_store_user": "auth.user",
    },
    places=_places,
    warnings=_warnings,
    inner_since={
        "auth": {
            "user_domain_name": LIBERTY,
            "user_domain_id": LIBERTY,
            "project_domain_name": LIBERTY,
            "project_domain_id": LIBERTY,
            "application_credential_id": GAZPACHO,
        },
    },
    # The first release with a file for the accounts.
    since=JUNO,
)
