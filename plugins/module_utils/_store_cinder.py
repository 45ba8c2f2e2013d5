# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Stores of the type cinder: every image is a volume of the block storage service."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    ABSOLUTE_PATH,
    ANTELOPE,
    GAZPACHO,
    MITAKA,
    OCATA,
    POSITIVE,
    USSURI,
    XENA,
    Finding,
    Option,
    Parameters,
    Place,
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
        "user_name": {"type": "str", "aliases": ["username"]},
        "password": {"type": "str", "no_log": True},
        "project_name": {"type": "str"},
        "user_domain_name": {"type": "str"},
        "project_domain_name": {"type": "str"},
        "application_credential_id": {"type": "str"},
        "application_credential_secret": {"type": "str", "no_log": True},
    },
    "mutually_exclusive": [("user_name", "application_credential_id")],
    "required_one_of": [("user_name", "application_credential_id")],
    "required_together": [
        ("user_name", "password", "project_name"),
        ("application_credential_id", "application_credential_secret"),
    ],
}

ACCOUNT = {
    "cinder_store_auth_address": "auth_address",
    "cinder_store_user_name": "user_name",
    "cinder_store_password": "password",
    "cinder_store_project_name": "project_name",
    "cinder_store_user_domain_name": "user_domain_name",
    "cinder_store_project_domain_name": "project_domain_name",
    "cinder_store_application_credential_id": "application_credential_id",
    "cinder_store_application_credential_secret": "application_credential_secret",
}

OPTIONS = {
    "volume_type": Option("cinder_volume_type", {"type": "str"}, since=OCATA),
    "auth": Option(spec=AUTH),
    "catalog_info": Option("cinder_catalog_info", {"type": "str"}),
    "endpoint_template": Option("cinder_endpoint_template", {"type": "str"}),
    "region": Option("cinder_os_region_name", {"type": "str"}),
    "cacert": Option("cinder_ca_certificates_file", {"type": "str"}, rule=ABSOLUTE_PATH),
    "insecure": Option("cinder_api_insecure", {"type": "bool"}),
    "http_retries": Option("cinder_http_retries", {"type": "int"}, rule=POSITIVE),
    "state_transition_timeout": Option("cinder_state_transition_timeout", {"type": "int"}, rule=POSITIVE),
    "rootwrap_config": Option("rootwrap_config", {"type": "str"}, rule=ABSOLUTE_PATH),
    "mount_point_base": Option("cinder_mount_point_base", {"type": "str"}, since=USSURI, rule=ABSOLUTE_PATH),
    "use_multipath": Option("cinder_use_multipath", {"type": "bool"}, since=USSURI),
    "enforce_multipath": Option("cinder_enforce_multipath", {"type": "bool"}, since=USSURI),
    "extend_attached": Option("cinder_do_extend_attached", {"type": "bool"}, since=ANTELOPE),
}


def _findings(values: Parameters) -> t.Iterator[Finding]:
    auth = values["auth"]
    for secret in ("password", "application_credential_secret"):
        if auth and "\n" in (auth[secret] or ""):
            yield Finding("auth", f"{secret} has a line break")
    info = values["catalog_info"]
    if info is not None and len(info.split(":")) != 3:
        yield Finding("catalog_info", f"{info!r} is not of the form service type:service name:endpoint type")


def _computed(values: Parameters, name: str) -> Parameters:
    auth = values["auth"] or {}
    return {oslo: auth[key] for oslo, key in ACCOUNT.items() if auth.get(key) is not None}


def _places(section: Section) -> list[Place]:
    volume_type = section.text("cinder_volume_type", "the default type")
    keystone = section.text("cinder_store_auth_address")
    project = section.text("cinder_store_project_name", "the project of each user")
    domain = domain_identity(section.options, "cinder_store_project_domain")
    what = f"volumes of {volume_type} of {project}"
    what += "" if domain == "default" else f" in the domain with the {domain}"
    region = section.text("cinder_os_region_name")
    which = f", region {region}" if region else ""
    return [
        Place(
            f"cinder://{section.name + '/' if section.name else ''}",
            f"{what} at {server_address(keystone)}{which}",
            f"{what} at {keystone_identity(keystone)}{which}",
        )
    ]


def _warnings(values: Parameters) -> t.Iterator[str]:
    yield "Glance attaches volumes as root (rootwrap, privsep): its unit runs with fewer restrictions on this node"
    if values["insecure"]:
        yield "the certificate of Cinder's server is not checked (insecure): give cacert instead"


CINDER = StoreType(
    options=OPTIONS,
    findings=_findings,
    computed=_computed,
    sets={oslo: f"auth.{key}" for oslo, key in ACCOUNT.items()},
    places=_places,
    warnings=_warnings,
    inner_since={
        "auth": {
            "user_domain_name": XENA,
            "project_domain_name": XENA,
            "application_credential_id": GAZPACHO,
        },
    },
    # The first release in which Glance writes there.
    since=MITAKA,
)
