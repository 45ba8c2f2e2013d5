# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Stores of the type http: images that stay on web servers, registered by their URL. Glance only reads there."""

from __future__ import annotations

import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    ABSOLUTE_PATH,
    MITAKA,
    Finding,
    Option,
    Parameters,
    Place,
    Section,
    StoreType,
)

RISK = (
    "the type http is off by default: who may add a location makes Glance read any URL that the controllers reach"
    " (server-side request forgery, OSSA-2026-038); to have it nevertheless, set accept_ssrf_risk to true"
)

OPTIONS = {
    "accept_ssrf_risk": Option(spec={"type": "bool"}),
    "ca_certificates": Option("https_ca_certificates_file", {"type": "str"}, rule=ABSOLUTE_PATH),
    "insecure": Option("https_insecure", {"type": "bool"}),
    "proxies": Option(spec={"type": "dict"}),
}


def _findings(values: Parameters) -> t.Iterator[Finding]:
    if not values["accept_ssrf_risk"]:
        yield Finding("accept_ssrf_risk", RISK, "GLS-025")
    for scheme, proxy in (values["proxies"] or {}).items():
        if scheme not in ("http", "https") or not isinstance(proxy, str) or not proxy or set(proxy) & set(", \n"):
            yield Finding("proxies", f"{scheme!r} is not http or https with the address host:port of a proxy")


def _computed(values: Parameters, name: str) -> Parameters:
    # Glance's default is true: certificates are not checked.
    options: Parameters = {"https_insecure": bool(values["insecure"])}
    if values["proxies"]:
        options["http_proxy_information"] = ",".join(f"{scheme}:{proxy}" for scheme, proxy in values["proxies"].items())
    return options


def _places(section: Section) -> list[Place]:
    return [Place(address, "") for address in ("http://", "https://")]


def _warnings(values: Parameters) -> t.Iterator[str]:
    yield "who may add a location makes Glance read any URL that the controllers reach (OSSA-2026-038)"
    if values["insecure"]:
        yield "the certificates of the web servers are not checked (insecure): give ca_certificates instead"


HTTP = StoreType(
    options=OPTIONS,
    constraints={"mutually_exclusive": [("insecure", "ca_certificates")]},
    findings=_findings,
    computed=_computed,
    sets={"https_insecure": "insecure", "http_proxy_information": "proxies"},
    places=_places,
    warnings=_warnings,
    # The first release that can be told to check certificates.
    since=MITAKA,
    read_only=True,
)
