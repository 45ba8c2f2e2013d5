# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Every option of every file that is rendered for any release is one that this release has, under its own name."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import STORE_TYPES
from options import Options
from rendering import ROOT, Rendered, render_cases

TABLE: dict[str, t.Any] = yaml.safe_load((ROOT / "roles/glance/files/releases.yml").read_text(encoding="utf-8"))
RELEASES: list[dict[str, t.Any]] = TABLE["releases"]
OPTIONS = Options(ROOT / "tests/fixtures/options", [release["name"] for release in RELEASES])

STORES: dict[str, dict[str, t.Any]] = {
    "file": {"datadir": "/srv/images", "metadata_file": "/etc/glance/metadata.json"},
    "swift": {
        "auth": {"auth_address": "https://keystone:5000/v3", "user": "service:glance", "key": "swift-key"},
        "container": "images",
        "create_container": True,
        "region": "RegionOne",
        "endpoint_type": "internalURL",
        "large_object_size": 5120,
    },
    "rbd": {"pool": "images", "user": "glance", "conf": "/etc/ceph/ceph.conf", "chunk_size": 8},
    "s3": {"host": "https://s3.example.org", "access_key": "access", "secret_key": "secret", "bucket": "images"},
    "http": {"accept_ssrf_risk": True},
    "cinder": {},
    "vmware": {
        "server_host": "vcenter",
        "server_username": "glance",
        "server_password": "secret",
        "datastores": ["dc:ds"],
    },
}
"""A store of each type, with options that every release of the type has."""

PLAIN: dict[str, t.Any] = {
    "glance_cache": {},
    "glance_import_methods": ["glance-direct", "copy-image"],
    "glance_import_filter": {},
    "glance_memcached_servers": [],
    "glance_memcached_secret_key": "",
    "glance_secure_rbac": "auto",
    "glance_keystone": {"auth_url": "https://controller:5000/v3", "service_password": "secret"},
}
EVERYTHING: dict[str, t.Any] = {
    "glance_cache": {"enabled": True},
    "glance_import_methods": ["glance-direct", "web-download", "copy-image"],
    "glance_import_filter": {"allowed_hosts": ["images.example.org"], "plugins": ["image_conversion"]},
    "glance_memcached_servers": ["controller:11211"],
    "glance_memcached_secret_key": "secret",
    "glance_secure_rbac": "true",
    "glance_keystone": {
        "auth_url": "https://controller:35357/v3",
        "service_password": "secret",
        "region": "RegionOne",
        "node_ca_cert": "/etc/ssl/ca.pem",
    },
}


def cases() -> t.Iterator[dict[str, t.Any]]:
    """Return for each release every type of store with every feature, and the same with as little as possible."""
    for release in RELEASES:
        types = [kind for kind, known in STORE_TYPES.items() if release["version"] >= known.since]
        every = {f"my-{kind}": {"type": kind, **STORES[kind]} for kind in types}
        case = {"release": release["name"], "layout": "auto", "stores": every, "settings": EVERYTHING}
        yield {**case, "name": f"{release['name']}-everything"}
        yield {**case, "name": f"{release['name']}-plain", "layout": "single", "settings": PLAIN}


CASES = {case["name"]: case for case in cases()}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rendered]:
    """The configuration of every case."""
    return render_cases(list(CASES.values()), tmp_path_factory.mktemp("options") / "rendered.json")


@pytest.mark.parametrize("case", CASES)
def test_every_option_is_one_of_the_release(rendered: dict[str, Rendered], case: str) -> None:
    found = rendered[case]
    problems = [
        f"{file}: {problem}"
        for file in found.files
        if file.endswith(".conf") and file != "glance-store.conf"
        for problem in OPTIONS.problems(found, found.settings(file))
    ]
    assert not problems, "\n".join(problems)
    # Nothing is wrong with a file that is empty, either.
    assert found.settings("glance-api.conf")


def test_options_that_are_not_of_the_release_are_found(rendered: dict[str, Rendered]) -> None:
    wrong = {
        ("DEFAULT", "debugg"): ["true"],
        ("DEFAULT", "registry_host"): ["controller"],
        ("DEFAULT", "allow_additional_image_properties"): ["true"],
        ("import_filtering_opts", "allowed_hosts"): ["images.example.org"],
    }
    found = rendered["zed-everything"]
    assert list(OPTIONS.problems(found, wrong)) == [
        "[DEFAULT] debugg is no option zed",
        "[DEFAULT] registry_host is not an option of zed",
        "[DEFAULT] allow_additional_image_properties is deprecated in zed",
        "[import_filtering_opts] allowed_hosts is a list that has to be written in brackets",
    ]


@pytest.mark.parametrize("case", CASES)
def test_preflight_looks_at_all_directories_that_are_made(rendered: dict[str, Rendered], case: str) -> None:
    # The step that makes them is left out where preflight finds those that it looks at as wanted.
    found = rendered[case].directories
    assert set(found["looked_at"]) == set(found["made"])
    assert ("/var/lib/glance/image-cache/queue" in found["made"]) is case.endswith("-everything")


@pytest.mark.parametrize("kind", STORE_TYPES)
def test_the_options_of_a_store_are_said_to_exist_when_they_do(kind: str) -> None:
    known = STORE_TYPES[kind]
    for name, option in known.options.items():
        for release in RELEASES if option.oslo else ():
            if release["version"] >= known.since:
                said = release["version"] >= option.since
                assert OPTIONS.has(kind, option.oslo, release["name"]) == said, f"{name} in {release['name']}"
