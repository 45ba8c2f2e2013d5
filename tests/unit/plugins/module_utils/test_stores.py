# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The store types: what is refused, and what becomes of a store in Glance's configuration."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _store_type, _stores
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

ZED, BOBCAT, EPOXY, FLAMINGO = 25, 27, 30, 31
KEY = "k3y@:/%#'\"$ ñ"
AUTH = {"auth_url": "http://keystone:5000/v3", "user": "service:glance", "password": KEY}
SWIFT = {"type": "swift", "auth": AUTH}
FSID = "2f7a3c1e-9b7d-4c9e-8f5a-0d1c2b3a4e5f"
CEPH_KEY = "AQBvaG5maGVscGxlc3N0ZXN0a2V5MTIzNDU2Nzg5MA=="  # pragma: allowlist secret
RBD = {"type": "rbd", "pool": "images", "user": "glance", "conf": "/etc/ceph/ceph.conf"}
CLUSTER = {"type": "rbd", "pool": "p", "user": "u", "mon_hosts": ["192.0.2.1"], "fsid": FSID, "key": CEPH_KEY}
S3_KEY = "s3/k3y+%'\"$=ñ"
S3 = {
    "type": "s3",
    "host": "https://s3.example.org",
    "access_key": "access",
    "secret_key": S3_KEY,
    "bucket": "images",
}
HTTP = {"type": "http", "accept_ssrf_risk": True}
CINDER = {
    "type": "cinder",
    "auth": {"auth_address": "http://k:5000/v3", "user_name": "g", "password": KEY, "project_name": "service"},
}
VCENTER = "vc.example.org"
VMWARE = {
    "type": "vmware",
    "server_host": VCENTER,
    "server_username": "g",
    "server_password": KEY,
    "datastores": ["dc:ds:100"],
}


def found(store: t.Any, release: int = ZED) -> list[tuple[str, str]]:
    """Return the code and the text of each problem of a store called x."""
    problems = _stores.store_problems("x", store, release)
    assert all(KEY not in problem.message for problem in problems)
    return [(problem.code, problem.what) for problem in problems]


class TestProblems:
    @pytest.mark.parametrize(
        "store",
        [
            {"type": "file", "datadir": "/srv/images"},
            {"type": "file", "filesystem_store_datadir": "/srv/images", "file_perm": "0640", "chunk_size": 65536},
            {"type": "file", "datadirs": [{"path": "/a", "priority": 2}, {"path": "/b"}], "file_perm": 0},
            {"type": "file", "datadir": "/a", "description": "local", "thin_provisioning": True},
            SWIFT,
            {
                **SWIFT,
                "container": "glance",
                "create_container": True,
                "region": "RegionOne",
                "endpoint_type": "internalURL",
                "large_object_size": 5120,
                "large_object_chunk_size": 200,
                "reference": "ref1",
                "cacert": "/etc/ssl/ca.pem",
            },
            {"type": "swift", "auth": {**AUTH, "user": None, "username": "glance", "project_name": "service"}},
            {"type": "swift", "multi_tenant": True, "use_trusts": False},
            {"type": "file", "datadir": "/a/b", "mount": {"source": "nfs:/x", "path": "/a"}},
            {"type": "file", "datadir": "/a", "mount": {"src": "nfs:/x"}, "shared": True},
            RBD,
            {**RBD, "chunk_size": 8, "thin_provisioning": True, "connect_timeout": 0},
            CLUSTER,
            S3,
            {**S3, "create_bucket": True, "bucket_url_format": "path", "large_object_chunk_size": 5},
            HTTP,
            {**HTTP, "proxies": {"https": "proxy:3128"}, "ca_certificates": "/etc/ssl/ca.pem"},
            CINDER,
            {"type": "cinder", "volume_type": "fast", "catalog_info": "volumev3::publicURL"},
            VMWARE,
        ],
    )
    def test_good_stores_have_none(self, store: dict[str, t.Any]) -> None:
        assert found(store) == []

    @pytest.mark.parametrize(
        ("store", "code", "words"),
        [
            ("local", "GLS-010", "mapping"),
            ({"datadir": "/a"}, "GLS-013", "has no type; the types are file, swift"),
            ({"type": "flie"}, "GLS-012", "did you mean file?"),
            ({"type": "rdb"}, "GLS-012", "did you mean rbd?"),
            ({"type": ["file"]}, "GLS-012", "['file']"),
            ({"type": "gridfs"}, "GLS-012", "left Glance in mitaka"),
            ({"type": "sheepdog"}, "GLS-012", "left Glance in ussuri"),
            ({"type": "nfs"}, "GLS-012", "give the store the option mount"),
            ({"type": "vmware"}, "GLS-013", "server_host"),
            ({"type": "file", "datadir": "/a", "mount": {}}, "GLS-013", "source"),
            (
                {"type": "file", "datadir": "/a", "mount": {"source": "x", "path": "/b"}},
                "GLS-018",
                "'/a' is not beneath the mount point '/b'",
            ),
            ({"type": "file", "datadir": "/", "mount": {"source": "x"}}, "GLS-018", "can be mounted"),
            (
                {"type": "file", "datadir": "/a", "mount": {"source": "x", "options": f"rw,secret={KEY}"}},
                "GLS-018",
                "options hold a secret",
            ),
            ({"type": "file", "datadir": "/a", "mount": {"source": "x\ny"}}, "GLS-018", "one line"),
            ({**SWIFT, "auth": {"auth_url": "http://k", "user": "a:b"}}, "GLS-013", "key, application_credential"),
            (
                {
                    "type": "swift",
                    "auth": {
                        "auth_url": "http://k",
                        "application_credential_id": "i",
                        "application_credential_secret": "s",
                    },
                },
                "GLS-019",
                "auth.application_credential_id exists from Glance 32 on",
            ),
            ({"type": "rbd", "user": "g", "conf": "/c"}, "GLS-013", "pool"),
            ({"type": "rbd", "user": "g", "pool": "p"}, "GLS-013", "conf, mon_hosts"),
            ({**RBD, "mon_hosts": ["a"], "fsid": FSID, "key": CEPH_KEY}, "GLS-018", "mutually exclusive"),
            ({**CLUSTER, "key": None}, "GLS-013", "required together"),
            ({**CLUSTER, "key": KEY}, "GLS-018", "x.key: the value is not a key of cephx"),
            ({**CLUSTER, "fsid": "ceph"}, "GLS-018", "'ceph' is not the id of a cluster"),
            ({**CLUSTER, "mon_hosts": ["a, b"]}, "GLS-018", "'a, b' is not the address of a monitor"),
            ({**RBD, "user": "client.glance"}, "GLS-018", "prefix client."),
            ({**RBD, "pool": "a/b"}, "GLS-018", "'a/b' is not a name"),
            ({**RBD, "chunk_size": 6}, "GLS-018", "6 is not a power of two"),
            ({**RBD, "poool": "x"}, "GLS-014", "did you mean pool?"),
            ({**S3, "host": "s3.example.org"}, "GLS-018", "'s3.example.org' is not a URL"),
            ({**S3, "bucket": "Images"}, "GLS-018", "'Images' is not the name of a bucket"),
            ({**S3, "bucket": "a.b.c", "bucket_url_format": "virtual"}, "GLS-018", "no certificate matches"),
            ({**S3, "large_object_chunk_size": 4}, "GLS-018", "4 is not at least 5 MB"),
            ({**S3, "secret_key": KEY}, "GLS-018", "secret_key: the value is not free of # ? @ :"),
            ({**S3, "region": "r"}, "GLS-019", "region exists from Glance 26 on"),
            ({**S3, "bucket_url_format": "subdomain"}, "GLS-018", "auto, virtual, path, got: subdomain"),
            ({"type": "http"}, "GLS-025", "server-side request forgery, OSSA-2026-038"),
            ({**HTTP, "proxies": {"ftp": "x"}}, "GLS-018", "'ftp' is not http or https"),
            ({**HTTP, "insecure": True, "ca_certificates": "/a"}, "GLS-018", "mutually exclusive"),
            ({**CINDER, "catalog_info": "volumev3"}, "GLS-018", "service type:service name:endpoint type"),
            ({"type": "cinder", "auth": {"auth_url": "http://k", "user_name": "g"}}, "GLS-013", "password"),
            ({**VMWARE, "datastores": ["ds"]}, "GLS-018", "'ds' is not of the form"),
            ({**VMWARE, "server_host": "https://vc"}, "GLS-018", "not the name or address of a server"),
            ({"type": "file"}, "GLS-013", "datadir"),
            ({"type": "file", "datadir": "/a", "datadirs": [{"path": "/b"}]}, "GLS-018", "mutually exclusive"),
            ({"type": "file", "datadir": "images"}, "GLS-018", "'images' is not an absolute path"),
            ({"type": "file", "datadirs": [{"path": "/a:1"}]}, "GLS-018", "without a colon"),
            ({"type": "file", "datadirs": [{"path": "/a", "prio": 1}]}, "GLS-014", "datadirs.prio is unknown"),
            (
                {"type": "file", "datadir": "/a", "datadri": "/b"},
                "GLS-014",
                "datadri is unknown (did you mean datadir?)",
            ),
            (
                {"type": "file", "datadir": "/a", "file_perm": 416},
                "GLS-018",
                '416 is not a mode in quotes such as "0640"',
            ),
            ({"type": "file", "datadir": "/a", "file_perm": "0048"}, "GLS-018", "'0048'"),
            ({"type": "file", "datadir": "/a", "file_perm": "0040"}, "GLS-018", "keeps Glance from reading"),
            ({"type": "file", "datadir": "/a", "chunk_size": "64k"}, "GLS-018", "chunk_size"),
            ({"type": "file", "datadir": "/a", "chunk_size": 0}, "GLS-018", "not a positive number"),
            ({"type": "file", "datadir": "/a", "weight": 1}, "GLS-019", "weight exists from Glance 27 on"),
            ({"type": "swift"}, "GLS-013", "x.auth: missing"),
            ({"type": "swift", "multi_tenant": True}, "GLS-013", "x.auth: missing"),
            ({"type": "swift", "auth": {"user": "a:b", "key": KEY}}, "GLS-013", "auth_address found in auth"),
            (
                {"type": "swift", "auth": {**AUTH, "pasword": KEY}},
                "GLS-014",
                "auth.pasword is unknown (did you mean password?)",
            ),
            (
                {"type": "swift", "auth": {**AUTH, "user": "glance"}},
                "GLS-018",
                "'glance' is not of the form project:user",
            ),
            ({"type": "swift", "auth": {**AUTH, "user": "a:b:c"}}, "GLS-018", "exactly one colon"),
            ({"type": "swift", "auth": {**AUTH, "password": f"{KEY}\n"}}, "GLS-018", "key has a line break"),
            ({"type": "swift", "auth": 5}, "GLS-018", "x.auth is not made of dictionaries"),
            ({"type": "file", "datadirs": [5]}, "GLS-018", "x.datadirs is not made of dictionaries"),
            ({**SWIFT, "endpoint_type": "internal"}, "GLS-018", "publicURL, internalURL, adminURL, got: internal"),
            ({**SWIFT, "large_object_size": -1}, "GLS-018", "-1 is not a positive number of MB"),
            ({**SWIFT, "large_object_size": KEY}, "GLS-018", "large_object_size"),
            ({**SWIFT, "multiple_containers_seed": 33}, "GLS-018", "between 0 and 32"),
            ({**SWIFT, "container": "a/b"}, "GLS-018", "name of a container"),
            ({**SWIFT, "reference": "a b"}, "GLS-018", "name of a section"),
            (
                {"type": "swift", "multi_tenant": True, "auth": {**AUTH, "user_domain_name": "other"}},
                "GLS-018",
                "the domain Default only",
            ),
        ],
    )
    def test_bad_store_has_exactly_one(self, store: t.Any, code: str, words: str) -> None:
        ((code_found, what),) = found(store)
        assert code_found == code
        assert words in what
        assert what.startswith("glance_stores.x")

    def test_credentials_that_are_not_a_dictionary_are_not_repeated(self) -> None:
        assert {code for code, _what in found({"type": "swift", "auth": f"a={KEY}"})} == {"GLS-013", "GLS-014"}
        assert {code for code, _what in found({"type": "swift", "auth": KEY})} == {"GLS-018"}

    def test_key_in_the_wrong_place_is_not_repeated(self) -> None:
        store = {"type": "swift", "auth": {**AUTH, "password": "plainkey"}, "large_object_size": "plainkey"}
        ((_code, what),) = found(store)
        assert "plainkey" not in what

    def test_all_of_one_store_are_told_at_once(self) -> None:
        store = {"type": "file", "datadir": "x", "colour": 1, "weight": 2, "file_perm": "9"}
        assert [code for code, _what in found(store)] == ["GLS-014", "GLS-018", "GLS-018", "GLS-019"]

    def test_weight_is_fine_where_glance_has_it(self) -> None:
        assert found({"type": "file", "datadir": "/a", "weight": 1}, BOBCAT) == []

    def test_without_a_release_what_depends_on_it_is_not_looked_at(self) -> None:
        assert _stores.store_problems("x", {"type": "file", "datadir": "/a", "weight": 1}) == []


class TestNames:
    @pytest.mark.parametrize("name", ["local", "my-store", "fast.2", "file", "cinder", "RBD_1", "0a"])
    def test_good(self, name: str) -> None:
        assert _stores.name_problem(name) == ""

    @pytest.mark.parametrize(
        "name",
        ["a b", "a,b", "a:b", "", "-a", "a]", "ñ", 1, "os_glance_staging_store", "OS_GLANCE_x", "DEFAULT", "default"]
        + ["database", "Database", "glance_store", "oslo_limit", "keystone_authtoken", "paste_deploy", "a\n"],
    )
    def test_bad(self, name: t.Any) -> None:
        assert _stores.name_problem(name) != ""


class TestOptions:
    def test_file(self) -> None:
        store = {"type": "file", "datadir": "/srv/images", "file_perm": "0640", "description": "local", "weight": 3}
        assert _stores.store_options(store, "local", BOBCAT) == {
            "filesystem_store_datadir": "/srv/images",
            "filesystem_store_file_perm": 640,
            "store_description": "local",
            "weight": 3,
        }

    def test_single_store_form_has_no_description_and_no_weight(self) -> None:
        store = {"type": "file", "datadir": "/srv/images", "description": "local", "weight": 3}
        assert _stores.store_options(store, "local", BOBCAT, multi=False) == {"filesystem_store_datadir": "/srv/images"}

    def test_several_directories_empty_the_default_of_the_one(self) -> None:
        store = {"type": "file", "datadirs": [{"path": "/a", "priority": 200}, {"path": "/b"}]}
        assert _stores.store_options(store, "local", ZED) == {
            "filesystem_store_datadir": "",
            "filesystem_store_datadirs": ["/a:200", "/b:0"],
        }

    def test_swift_holds_no_credentials(self) -> None:
        options = _stores.store_options({**SWIFT, "insecure": False, "swift_store_region": "R"}, "objects", ZED)
        assert options == {
            "swift_store_auth_insecure": False,
            "swift_store_region": "R",
            "swift_store_config_file": "/etc/glance/glance-swift.conf",
            "default_swift_reference": "objects",
        }

    def test_multi_tenant_swift_has_no_reference_file(self) -> None:
        store = {**SWIFT, "multi_tenant": True}
        assert _stores.store_options(store, "objects", ZED) == {
            "swift_store_multi_tenant": True,
            "default_swift_reference": "objects",
            "swift_store_auth_address": AUTH["auth_url"],
            "swift_store_user": AUTH["user"],
            "swift_store_key": KEY,
        }
        assert _stores.swift_references({"objects": store}, ZED) == {}

    def test_store_with_a_problem_is_refused_with_all_of_it(self) -> None:
        with pytest.raises(GlanceError, match=r"GLS-013 .* GLS-014 "):
            _stores.store_options({"type": "file", "datadri": "/a"}, "local", ZED)


class TestSwiftReference:
    def test_user_key_and_default_domains(self) -> None:
        assert _stores.swift_references({"objects": SWIFT}, EPOXY)["objects"] == {
            "user": "service:glance",
            "key": KEY,
            "auth_address": "http://keystone:5000/v3",
            "auth_version": "3",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }

    def test_auth_version_is_left_out_where_it_is_forced(self) -> None:
        assert "auth_version" not in _stores.swift_references({"objects": SWIFT}, FLAMINGO)["objects"]

    def test_user_from_its_parts_and_domains_by_id(self) -> None:
        auth = {
            "auth_address": "http://keystone:5000/v3",
            "username": "glance",
            "project_name": "service",
            "key": KEY,
            "user_domain_id": "default",
            "project_domain_name": "Cloud",
        }
        options = _stores.swift_references({"x": {"type": "swift", "auth": auth, "reference": "r"}}, FLAMINGO)["r"]
        assert options["user"] == "service:glance"
        assert options["user_domain_id"] == "default"
        assert options["project_domain_name"] == "Cloud"
        assert "user_domain_name" not in options

    def test_file_store_has_none(self) -> None:
        assert _stores.swift_references({"local": {"type": "file", "datadir": "/a"}}, ZED) == {}


class TestOptionsOfOtherTypes:
    def test_cluster_of_the_node(self) -> None:
        assert _stores.store_options(RBD, "fast", ZED) == {
            "rbd_store_pool": "images",
            "rbd_store_user": "glance",
            "rbd_store_ceph_conf": "/etc/ceph/ceph.conf",
        }

    def test_cluster_that_is_described_has_files_of_its_own(self) -> None:
        options = _stores.store_options(CLUSTER, "fast", ZED)
        assert options["rbd_store_ceph_conf"] == "/etc/ceph/glance-fast.conf"
        assert CEPH_KEY not in options.values()

    def test_certificates_of_web_servers_are_checked(self) -> None:
        assert _stores.store_options(HTTP, "web", ZED) == {"https_insecure": False}

    def test_proxies_of_web_servers(self) -> None:
        options = _stores.store_options({**HTTP, "proxies": {"http": "a:1", "https": "b:2"}}, "web", ZED)
        assert options["http_proxy_information"] == "http:a:1,https:b:2"

    def test_account_of_cinder(self) -> None:
        assert _stores.store_options(CINDER, "blocks", ZED) == {
            "cinder_store_auth_address": "http://k:5000/v3",
            "cinder_store_user_name": "g",
            "cinder_store_password": KEY,
            "cinder_store_project_name": "service",
        }


class TestPlaces:
    @pytest.mark.parametrize(
        ("store", "address", "storage"),
        [
            ({"type": "file", "datadir": "//srv/./a/"}, "file:///srv/a/", "the directory /srv/a"),
            (SWIFT, "swift+config://x/glance/", "the container glance of service at http://keystone:5000/v3"),
            (
                {**SWIFT, "multiple_containers_seed": 1, "reference": "r"},
                "swift+config://r/glance_",
                "the container glance* of service at http://keystone:5000/v3",
            ),
            (
                {**SWIFT, "multi_tenant": True},
                "swift+http",
                "the containers glance_* of every project at http://keystone:5000/v3",
            ),
            (RBD, "rbd://", "the pool images of the cluster of /etc/ceph/ceph.conf"),
            (S3, "s3+https://s3.example.org/images/", "the bucket images at https://s3.example.org"),
            ({**S3, "host": "http://s3:1/"}, "s3://s3:1/images/", "the bucket images at http://s3:1"),
            (CINDER, "cinder://x/", "volumes of the default type of service at http://k:5000/v3"),
            (
                VMWARE,
                "vsphere://vc.example.org/folder/openstack_glance/",
                "/openstack_glance in dc:ds at vc.example.org",
            ),
        ],
    )
    def test_of_a_type(self, store: dict[str, t.Any], address: str, storage: str) -> None:
        section = _stores.store_section(store, "x", ZED)
        assert _stores.store_places(store["type"], section)[0][:2] == (address, storage)

    @pytest.mark.parametrize(
        ("url", "identity"),
        [
            ("http://K.example.org:5000/v3", "k.example.org:5000"),
            ("https://k.example.org:5000", "k.example.org:5000"),
            ("http://user@k:80/identity/v2.0/", "k/identity"),
            ("https://k/identity/v3", "k/identity"),
            ("https://k:443", "k"),
            ("https://k:4430", "k:4430"),
            ("https://k:80", "k:80"),
            ("http://[fd00::1]:80/v3", "[fd00::1]"),
            ("", ""),
        ],
    )
    def test_keystone_is_the_same_with_tls(self, url: str, identity: str) -> None:
        assert _store_type.keystone_identity(url) == identity

    def test_cluster_is_known_by_its_id_where_the_file_tells_it(self) -> None:
        section = _stores.store_section(RBD, "x", ZED, read={"/etc/ceph/ceph.conf": f"fsid = {FSID}\n"}.__getitem__)
        (place,) = _stores.store_places("rbd", section)
        assert place.address == f"rbd://{FSID}/images/"

    def test_several_directories_are_several_places(self) -> None:
        store = {"type": "file", "datadirs": [{"path": "/a", "priority": 2}, {"path": "/b"}]}
        places = _stores.store_places("file", _stores.store_section(store, "x", ZED))
        assert [place.address for place in places] == ["file:///a/", "file:///b/"]

    def test_images_of_web_servers_are_nobodys(self) -> None:
        assert {place.storage for place in _stores.store_places("http", _stores.store_section(HTTP, "x", ZED))} == {""}


class TestNeeds:
    def test_of_stores_of_every_type(self) -> None:
        mount = {"source": "nfs:/x", "path": "/srv/a b"}
        needs = _stores.store_needs(
            {
                "nfs": {"type": "file", "datadir": "/srv/a b/images", "mount": mount},
                "nfs-2": {"type": "file", "datadir": "/srv/a b/others", "mount": {**mount, "path": "/srv//a b/"}},
                "fast": CLUSTER,
                "objects": {**SWIFT, "insecure": True},
                "s3": S3,
                "old": VMWARE,
                "bad": {"type": "file"},
            }
        )
        assert needs["types"] == ["file", "rbd", "s3", "swift", "vmware"]
        assert needs["mounts"] == [
            {
                "path": "/srv/a b",
                "unit": r"srv-a\x20b.mount",
                "source": "nfs:/x",
                "fstype": "nfs4",
                "options": "rw,hard,_netdev,nodev,nosuid,noexec",
            }
        ]
        assert needs["ceph"] == [
            {
                "store": "fast",
                "conf": "/etc/ceph/glance-fast.conf",
                "keyring": "/etc/ceph/glance-fast.keyring",
                "user": "u",
                "fsid": FSID,
                "mon_hosts": ["192.0.2.1"],
            }
        ]
        assert needs["ceph_keys"] == {"fast": CEPH_KEY}
        assert sorted(needs["secrets"]) == sorted([CEPH_KEY, S3_KEY, "access", KEY, KEY])
        assert [warning.split(":")[0] for warning in needs["warnings"]] == [
            "glance_stores.objects",
            "glance_stores.old",
        ]

    @pytest.mark.parametrize(
        ("path", "unit"),
        [("/srv/images", "srv-images.mount"), ("/.a-b/.c", r"\x2ea\x2db-.c.mount"), ("/ñ", r"\xc3\xb1.mount")],
    )
    def test_unit_has_the_name_that_systemd_escape_gives(self, path: str, unit: str) -> None:
        needs = _stores.store_needs({"x": {"type": "file", "datadir": path, "mount": {"source": "y"}}})
        assert [mount["unit"] for mount in needs["mounts"]] == [unit]


class TestDirectories:
    def test_of_all_file_stores_normalised(self) -> None:
        stores = {
            "a": {"type": "file", "datadir": "//srv/./a/"},
            "b": {"type": "file", "datadirs": [{"path": "/b/1"}, {"path": "/b/../c"}]},
            "c": SWIFT,
            "d": {"type": "file"},
        }
        assert _stores.store_directories(stores) == [
            {"path": "/srv/a", "purpose": "datadir of the store 'a'"},
            {"path": "/b/1", "purpose": "datadir of the store 'b'"},
            {"path": "/c", "purpose": "datadir of the store 'b'"},
        ]


def test_every_row_of_the_registry_names_each_oslo_option_once() -> None:
    for kind in _stores.STORE_TYPES.values():
        names = [option.oslo for option in kind.options.values() if option.oslo]
        assert len(names) == len(set(names))
