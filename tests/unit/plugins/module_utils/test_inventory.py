# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is found wrong in the variables alone."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _inventory
from ansible_collections.openstack_ops.glance.plugins.module_utils._inventory import Inventory

SECRET = "s3cr3t@:/%#'\"$\\ ñ"
SPEC: dict[str, t.Any] = {
    "glance_release": {"type": "str"},
    "glance_public_url": {"type": "str"},
    "glance_bind_port": {"type": "int"},
    "glance_database": {
        "type": "dict",
        "options": {
            "host": {"type": "str"},
            "port": {"type": "int"},
            "password": {"type": "str"},
            "tls": {"type": "dict", "options": {"enabled": {}, "ca_cert": {"type": "str", "aliases": ["ca"]}}},
        },
    },
    "glance_keystone": {"type": "dict", "options": {"auth_url": {}, "service_password": {}, "auth": {"type": "dict"}}},
    "glance_stores": {"type": "dict"},
    "glance_default_store": {"type": "str"},
    "glance_staging_directory": {"type": "str"},
    "glance_tasks_directory": {"type": "str"},
    "glance_cache": {"type": "dict", "options": {"directory": {"type": "str"}}},
    "glance_config": {"type": "dict"},
    "glance_images": {"type": "list", "elements": "dict"},
}
GOOD: dict[str, t.Any] = {
    "glance_public_url": "https://my-controller.example-1.org:9292",
    "glance_bind_port": 9292,
    "glance_database": {"host": "db-1", "port": "3306", "password": SECRET, "tls": {"ca": "/etc/ca.pem"}},
    "glance_keystone": {"auth_url": "http://[fd00::1]:5000/v3", "service_password": SECRET},
    "glance_stores": {
        "my-local": {"type": "file", "datadir": "/var/lib/glance/images"},
        "objects": {"type": "swift", "auth": {"auth_url": "https://ks/v3", "user": "a:b", "key": SECRET}},
    },
    "glance_default_store": "my-local",
    "glance_staging_directory": "/var/lib/glance/staging",
    "glance_tasks_directory": "/var/lib/glance/tasks",
    "glance_cache": {"directory": "/var/lib/glance/image-cache"},
    "glance_config": {"DEFAULT": {"some_url": "no url at all", "port": "what"}},
    "glance_images": [{"name": "cirros", "source": "/srv/cirros.img"}, {"name": "old", "state": "absent"}],
}


LOCAL = {"my-local": GOOD["glance_stores"]["my-local"]}


def found(
    defined: t.Iterable[str] = (), known: t.Iterable[str] = (), release: str = "zed", nodes: int = 1, **changes: t.Any
) -> list[tuple[str, str]]:
    """Return the code and the text of each problem of good variables with these changes."""
    inventory = Inventory(
        {**GOOD, **changes},
        SPEC,
        list(defined),
        list(known),
        {"pike": 15, "rocky": 17, "zed": 25, "2023.2": 27},
        release,
        nodes,
    )
    problems = _inventory.problems(inventory)
    assert all(SECRET not in problem.message for problem in problems)
    return [(problem.code, problem.what) for problem in problems]


def test_good_variables_have_no_problem() -> None:
    assert found(defined=SPEC) == []


class TestNames:
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("glance_store", "glance_stores"),
            ("glance_databse", "glance_database"),
            ("glance_defaultstore", "glance_default_store"),
            ("glance_image", "glance_images"),
            ("glance_public_uri", "glance_public_url"),
        ],
    )
    def test_near_miss_is_refused(self, name: str, meant: str) -> None:
        assert found(defined=[name]) == [("GLS-001", f"the variable {name} is unknown (did you mean {meant}?)")]

    @pytest.mark.parametrize(
        "name", ["glance_backup_host", "glance_image_dir", "glance_api_hosts", "glance_port_range"]
    )
    def test_name_of_somebody_elses_is_fine(self, name: str) -> None:
        assert found(defined=[name]) == []

    def test_name_of_another_role_is_fine(self) -> None:
        assert found(defined=["glance_public_uri"], known=["glance_public_uri"]) == []

    def test_unknown_key_in_any_depth(self) -> None:
        database = {**GOOD["glance_database"], "tls": {"ca_crt": "/x"}, "hots": "x", "colour": SECRET}
        assert found(glance_database=database) == [
            ("GLS-002", "glance_database.tls.ca_crt is unknown (did you mean ca_cert?)"),
            ("GLS-002", "glance_database.hots is unknown (did you mean host?)"),
            ("GLS-002", "glance_database.colour is unknown; there are host, password, port, tls"),
        ]

    def test_unknown_key_of_an_image(self) -> None:
        images = [{"name": "a", "source": "/a", "disk_fromat": "raw"}]
        assert found(glance_images=images) == [
            ("GLS-002", "glance_images[0].disk_fromat is unknown (did you mean disk_format?)")
        ]


class TestMissing:
    @pytest.mark.parametrize(
        ("variable", "key", "code"),
        [
            ("glance_database", "host", "GLS-007"),
            ("glance_database", "password", "GLS-003"),
            ("glance_keystone", "auth_url", "GLS-005"),
            ("glance_keystone", "service_password", "GLS-004"),
        ],
    )
    @pytest.mark.parametrize("nothing", ["", None])
    def test_required_value(self, variable: str, key: str, code: str, nothing: t.Any) -> None:
        assert found(**{variable: {**GOOD[variable], key: nothing}}) == [(code, f"{variable}.{key} is not set")]
        without = {name: value for name, value in GOOD[variable].items() if name != key}
        assert found(**{variable: without}) == [(code, f"{variable}.{key} is not set")]

    def test_everything_at_once(self) -> None:
        codes = [code for code, _what in found(glance_database={}, glance_keystone={}, glance_public_url="")]
        assert codes == ["GLS-007", "GLS-003", "GLS-005", "GLS-004", "GLS-008"]

    def test_variable_of_the_wrong_shape_counts_as_not_set(self) -> None:
        assert ("GLS-003", "glance_database.password is not set") in found(glance_database="mysql://x")


class TestRelease:
    def test_unknown(self) -> None:
        ((code, what),) = found(release="zedd")
        assert code == "GLS-006"
        assert what == "the release 'zedd' is unknown (did you mean zed?); there are pike, rocky, zed, 2023.2"

    def test_none_is_fine(self) -> None:
        assert found(release="") == []

    def test_is_given_on_to_the_stores(self) -> None:
        stores = {"my-local": {"type": "file", "datadir": "/a", "weight": 1}}
        assert [code for code, _what in found(glance_stores=stores)] == ["GLS-019"]
        assert found(glance_stores=stores, release="2023.2") == []


class TestSource:
    @pytest.fixture
    def source(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, t.Any]:
        """Return variables of an installation from source that are good."""
        (tmp_path / "constraints.txt").touch()
        changes = {
            "glance_install_method": "source",
            "glance_source_version": "25.1.0",
            "glance_source_constraints": str(tmp_path / "constraints.txt"),
            "glance_source_environment": {"index_url": "not looked at"},
        }
        for name in changes:
            monkeypatch.setitem(SPEC, name, {})
        return changes

    def test_good(self, source: dict[str, t.Any]) -> None:
        assert found(**source) == []
        assert found(**{**source, "glance_source_version": "25.0.0rc1", "glance_source_constraints": ""}) == []

    @pytest.mark.parametrize("version", ["", "zed", "25", "99.0.0"])
    def test_version(self, source: dict[str, t.Any], version: str) -> None:
        assert [code for code, _what in found(**{**source, "glance_source_version": version})] == ["GLS-040"]
        assert found(**{**source, "glance_source_version": version, "glance_install_method": "package"}) == []

    def test_version_whose_wheel_lacks_files(self, source: dict[str, t.Any]) -> None:
        what = "glance_source_version is 15.0.2, whose wheel lacks files; 17.0.1 is the first"
        assert ("GLS-040", what) in found(**{**source, "glance_source_version": "15.0.2"}, release="pike")

    def test_constraints_that_are_not_there(self, source: dict[str, t.Any]) -> None:
        what = "glance_source_constraints is /no/such, which is no file that can be read"
        assert found(**{**source, "glance_source_constraints": "/no/such"}) == [("GLS-041", what)]

    def test_version_of_another_release(self, source: dict[str, t.Any]) -> None:
        what = "glance_release is 'rocky', and glance_source_version 25.1.0 is of another release"
        assert ("GLS-042", what) in found(**source, release="rocky")


class TestServer:
    def test_registry_of_a_release_that_has_none(self) -> None:
        what = "glance_api_through_registry is true, and zed has no registry"
        assert found(glance_api_through_registry=True) == [("GLS-043", what)]
        assert found(glance_api_through_registry="false") == []
        assert found(glance_api_through_registry=True, glance_stores=LOCAL, release="rocky") == []

    def test_version_whose_registry_is_broken(self) -> None:
        changes = {"glance_api_through_registry": "yes", "glance_source_version": "20.2.0", "glance_stores": LOCAL}
        what = "glance_api_through_registry is true, and uploads fail in 20.2.0"
        assert found(**changes, release="rocky") == [("GLS-043", what)]

    @pytest.mark.parametrize(
        ("variable", "value"),
        [("glance_uwsgi_processes", 1), ("glance_uwsgi_processes", "many"), ("glance_uwsgi_threads", 0)],
    )
    def test_too_few(self, variable: str, value: t.Any) -> None:
        assert found(**{variable: value}) == [("GLS-044", f"{variable} is {value!r}")]
        assert found(**{variable: "2"}) == []


class TestStores:
    @pytest.mark.parametrize("stores", [{}, None, [], "file"])
    def test_none(self, stores: t.Any) -> None:
        assert found(glance_stores=stores) == [("GLS-010", "glance_stores holds no store")]

    def test_default_that_is_not_defined(self) -> None:
        assert found(glance_default_store="my_local") == [
            (
                "GLS-011",
                "glance_default_store is 'my_local', which is no store (did you mean my-local?);"
                " there are my-local, objects",
            )
        ]

    def test_default_is_needed_with_several_stores_only(self) -> None:
        assert [code for code, _what in found(glance_default_store="")] == ["GLS-011"]
        assert found(glance_default_store="", glance_stores={"a": {"type": "file", "datadir": "/a"}}) == []

    def test_bad_name_and_bad_store_are_both_told(self) -> None:
        assert [code for code, _what in found(glance_stores={**GOOD["glance_stores"], "a b": {"type": "rdb"}})] == [
            "GLS-015",
            "GLS-012",
        ]

    def test_names_that_oslo_does_not_tell_apart(self) -> None:
        stores = {"Fast": {"type": "file", "datadir": "/a"}, "fast": {"type": "file", "datadir": "/b"}}
        assert found(glance_stores=stores, glance_default_store="fast") == [
            ("GLS-015", "the stores Fast, fast differ in case only")
        ]

    @pytest.mark.parametrize(
        "other", ["/srv/images", "/srv/images/", "/srv//images", "/srv/x/../images", "//srv/./images"]
    )
    def test_two_stores_in_one_directory(self, other: str) -> None:
        stores = {"a": {"type": "file", "datadir": "/srv/images"}, "b": {"type": "file", "datadirs": [{"path": other}]}}
        assert found(glance_stores=stores, glance_default_store="a") == [
            ("GLS-016", "/srv/images is the datadir of the store 'a' and the datadir of the store 'b'")
        ]

    @pytest.mark.parametrize("variable", ["glance_staging_directory", "glance_tasks_directory"])
    def test_directory_that_is_a_datadir(self, variable: str) -> None:
        assert found(**{variable: "/var/lib/glance/images/"}) == [
            ("GLS-017", f"{variable} is /var/lib/glance/images, which is the datadir of the store 'my-local' too")
        ]

    def test_directories_that_are_each_others(self) -> None:
        cache = {"directory": "/var/lib/glance//tasks"}
        assert found(glance_cache=cache) == [
            (
                "GLS-017",
                "glance_cache.directory is /var/lib/glance/tasks, which is the directory of glance_tasks_directory too",
            )
        ]


class TestAddresses:
    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("images.example.org:9292", "does not begin with http:// or https://"),
            ("htp://images.example.org", "does not begin with"),
            ("http://", "no valid host name"),
            ("http://:9292", "no valid host name"),
            ("http://a b", "no valid host name"),
            ("http://a,b", "no valid host name"),
            ("http://x:99999", "Port out of range"),
            ("http://x:abc", "Port could not be cast"),
            ("http://x:0", "no valid port"),
            ("http://x:", "no valid port"),
            ("http://[fd00::1", "Invalid IPv6 URL"),
            ("http://x/?a=b", "a query or a fragment"),
        ],
    )
    def test_malformed_url(self, url: str, words: str) -> None:
        ((code, what),) = found(glance_public_url=url)
        assert code == "GLS-020"
        assert what.startswith(f"glance_public_url is {url!r}")
        assert words in what

    @pytest.mark.parametrize("url", [f"http://u:{SECRET}@x:5000", f"u:{SECRET}@x", f"http://u:{SECRET}@[x"])
    def test_credentials_in_a_url_are_refused_and_not_repeated(self, url: str) -> None:
        keystone = {**GOOD["glance_keystone"], "auth_url": url, "auth": {"auth_url": "http://x:5000"}}
        ((code, what),) = found(glance_keystone=keystone)
        assert code == "GLS-020"
        assert "s3cr3t" not in what

    @pytest.mark.parametrize("url", ["http://a-b.c-d", "https://10.0.0.1:1", "http://[::1]:9292/image", "http://a_b"])
    def test_good_url(self, url: str) -> None:
        assert found(glance_public_url=url) == []

    def test_url_inside_a_store(self) -> None:
        objects = {"type": "swift", "auth": {"auth_address": "keystone", "user": "a:b", "key": SECRET}}
        assert [problem[0] for problem in found(glance_stores={"o": objects}, glance_default_store="o")] == ["GLS-020"]

    @pytest.mark.parametrize("port", [0, 65536, -1, "http", True, 1.5, "9292 "])
    def test_bad_port(self, port: t.Any) -> None:
        assert found(glance_bind_port=port) == [("GLS-021", f"glance_bind_port is {port!r}")]
        database = {**GOOD["glance_database"], "port": port}
        assert found(glance_database=database) == [("GLS-021", f"glance_database.port is {port!r}")]


class TestImages:
    def test_missing_name_and_source(self) -> None:
        assert found(glance_images=[{}, {"name": "a"}, {"source": "/b"}]) == [
            ("GLS-030", "glance_images[0] has no name"),
            ("GLS-030", "glance_images[0] (without a name) has no source"),
            ("GLS-030", "glance_images[1] (a) has no source"),
            ("GLS-030", "glance_images[2] has no name"),
        ]

    def test_an_entry_that_is_no_dictionary(self) -> None:
        assert found(glance_images=["name=b source=/x", {"name": "a"}, None]) == [
            ("GLS-030", "glance_images[0] is str, not a dictionary"),
            ("GLS-030", "glance_images[2] is empty, not a dictionary"),
            ("GLS-030", "glance_images[1] (a) has no source"),
        ]

    def test_one_name_for_two_images(self) -> None:
        twice = [{"name": "a", "source": "/1"}, {"name": "a", "source": "/2"}]
        assert found(glance_images=twice) == [("GLS-031", "2 images in glance_images are called 'a'")]
        assert found(glance_images=[{**entry, "id": entry["source"]} for entry in twice]) == []
        assert found(glance_images=[twice[0], {**twice[1], "owner": "customer"}]) == []

    @pytest.mark.parametrize(("name", "wrong"), [("default", False), ("my list", False), ("a/b", True), ("", True)])
    def test_the_name_of_the_list(self, name: str, wrong: bool) -> None:
        told = [("GLS-036", f"glance_images_catalog is {name!r}")]
        assert found(glance_images_catalog=name) == (told if wrong else [])


class TestConsequences:
    """What each variable allows, and several together do not."""

    def test_tls_to_the_database_needs_its_certificates(self) -> None:
        database = {**GOOD["glance_database"], "tls": {"enabled": True}}
        assert [code for code, what in found(glance_database=database)] == ["GLS-009"]
        database["tls"]["ca_cert"] = "/etc/ca.pem"
        assert found(glance_database=database) == []

    def test_distribution_whose_release_is_unknown(self) -> None:
        assert [code for code, what in found(release="", glance_release="auto")] == ["GLS-006"]

    @pytest.mark.parametrize(("layout", "release"), [("single", "zed"), ("auto", "rocky")])
    def test_single_form_has_one_store_of_a_type(self, layout: str, release: str) -> None:
        stores = {name: {"type": "file", "datadir": f"/srv/{name}"} for name in ("one", "two")}
        changes = {"glance_stores": stores, "glance_default_store": "one", "glance_store_layout": layout}
        assert [code for code, what in found(release=release, **changes)] == ["GLS-022"]

    def test_multi_form_needs_train(self) -> None:
        assert ("GLS-022", "glance_store_layout is 'multi', which the release rocky does not have") in found(
            release="rocky", glance_store_layout="multi"
        )

    def test_directory_that_the_sandbox_hides(self) -> None:
        changes = {"glance_staging_directory": "/var/tmp/staging"}
        assert [code for code, what in found(glance_hardening=True, **changes)] == ["GLS-023"]
        assert found(glance_hardening=False, **changes) == []


S3 = {"type": "s3", "host": "https://s3", "access_key": "a", "secret_key": "secret/key", "bucket": "images"}
CEPH = {"type": "rbd", "pool": "images", "user": "glance", "conf": "/etc/ceph/ceph.conf"}
FSID = "1d9a2f4e-0c5b-4d38-9a77-52b1c8e6f3a1"
DESCRIBED = {"type": "rbd", "pool": "images", "user": "glance", "mon_hosts": ["m"], "fsid": FSID, "key": "k" * 40}
OBJECTS = GOOD["glance_stores"]["objects"]


class TestSeveralStores:
    """What each store allows, and several together do not."""

    @pytest.mark.parametrize(
        ("one", "other", "words"),
        [
            (S3, {**S3, "host": "https://S3/", "access_key": "b"}, "the bucket images at https://s3"),
            (CEPH, {**CEPH, "user": "other"}, "the pool images of the cluster of /etc/ceph/ceph.conf"),
            (DESCRIBED, {**DESCRIBED, "user": "other"}, f"the pool images of the cluster {FSID}"),
            (OBJECTS, {**OBJECTS, "reference": "other"}, "the container glance of a at https://ks/v3"),
        ],
    )
    def test_two_in_one_place(self, one: t.Any, other: t.Any, words: str) -> None:
        ((code, what),) = found(glance_stores={"one": one, "other": other}, glance_default_store="one")
        assert code == "GLS-016"
        assert what == f"the stores one and other are both {words}"

    @pytest.mark.parametrize(
        "other",
        [
            {**OBJECTS, "auth": {**OBJECTS["auth"], "auth_url": "http://KS/"}},
            {**OBJECTS, "endpoint_type": "internalURL"},
        ],
    )
    def test_two_in_one_container_by_another_way(self, other: t.Any) -> None:
        stores = {"one": OBJECTS, "other": {**other, "reference": "other"}}
        assert [code for code, _what in found(glance_stores=stores, glance_default_store="one")] == ["GLS-016"]

    @pytest.mark.parametrize("chosen", [{"region": "two"}, {"endpoint": "http://s/v1"}, {"service_type": "archive"}])
    def test_two_containers_of_one_name_behind_one_keystone(self, chosen: dict[str, str]) -> None:
        stores = {"one": OBJECTS, "other": {**OBJECTS, **chosen}}
        assert found(glance_stores=stores, glance_default_store="one") == []

    def test_two_in_places_of_their_own(self) -> None:
        stores = {"one": CEPH, "two": {**CEPH, "pool": "b"}, "three": {**CEPH, "conf": "/etc/ceph/other.conf"}}
        assert found(glance_stores=stores, glance_default_store="one") == []

    @staticmethod
    def beneath(name: str, **mount: str) -> dict[str, t.Any]:
        mount = {"path": "/srv/nfs", "source": "nfs:/x", **mount}
        return {"type": "file", "datadir": f"/srv/nfs/{name}", "mount": mount}

    def test_two_beneath_one_mount(self) -> None:
        stores = {"one": self.beneath("one"), "two": self.beneath("two", path="/srv//nfs/")}
        assert found(glance_stores=stores, glance_default_store="one") == []

    @pytest.mark.parametrize(
        ("mount", "differ"),
        [
            ({"source": "other:/x"}, "source"),
            ({"options": "ro"}, "options"),
            ({"source": "other:/x", "fstype": "nfs", "options": "ro"}, "source, fstype, options"),
        ],
    )
    def test_two_mounts_on_one_directory(self, mount: dict[str, str], differ: str) -> None:
        stores = {"one": self.beneath("one"), "two": self.beneath("two", **mount)}
        ((code, what),) = found(glance_stores=stores, glance_default_store="one")
        assert code == "GLS-016"
        assert what == f"the stores one and two do not mount the same on /srv/nfs (different {differ})"

    def test_one_reference_for_two_accounts(self) -> None:
        other = {**OBJECTS, "auth": {**OBJECTS["auth"], "user": "c:d"}, "reference": "ref"}
        stores = {"one": {**OBJECTS, "reference": "ref"}, "other": other}
        ((code, what),) = found(glance_stores=stores, glance_default_store="one")
        assert code == "GLS-028"
        assert what == "one and other have different accounts in the reference 'ref'"

    def test_two_accounts_of_cinder(self) -> None:
        auth = {"auth_url": "http://k", "user_name": "g", "password": SECRET, "project_name": "p"}
        stores = {
            "one": {"type": "cinder", "volume_type": "a", "auth": auth},
            "two": {"type": "cinder", "volume_type": "b", "auth": auth},
            "three": {"type": "cinder", "volume_type": "c", "auth": {**auth, "user_name": "h"}},
        }
        ((code, what),) = found(glance_stores=stores, glance_default_store="one")
        assert (code, what) == ("GLS-029", "the stores one and three have different accounts in Cinder")

    def test_default_store_that_glance_cannot_write(self) -> None:
        stores = {"web": {"type": "http", "accept_ssrf_risk": True}}
        assert [code for code, what in found(glance_stores=stores, glance_default_store="web")] == ["GLS-026"]

    @pytest.mark.parametrize("option", ["show_image_direct_url", "show_multiple_locations"])
    def test_locations_that_hold_keys_are_not_shown(self, option: str) -> None:
        changes = {"glance_stores": {"bucket": S3}, "glance_default_store": "bucket"}
        config = {"DEFAULT": {option: True}}
        assert [code for code, what in found(glance_config=config, **changes)] == ["GLS-024"]
        assert found(glance_config=config) == []
        assert found(glance_config={"DEFAULT": {option: "false"}}, **changes) == []


class TestSeveralControllers:
    """What one controller allows, and several do not."""

    def test_local_directory(self) -> None:
        ((code, what),) = found(nodes=2)
        assert code == "GLS-027"
        assert "'my-local'" in what
        assert "/var/lib/glance/images" in what

    @pytest.mark.parametrize("option", [{"shared": True}, {"mount": {"source": "nfs:/images"}}])
    def test_shared_directory(self, option: dict[str, t.Any]) -> None:
        store = {**GOOD["glance_stores"]["my-local"], **option}
        assert found(nodes=2, glance_stores={"my-local": store}) == []

    def test_mount_that_is_said_not_to_be_shared(self) -> None:
        store = {**GOOD["glance_stores"]["my-local"], "mount": {"source": "/dev/vdb"}, "shared": False}
        assert [code for code, what in found(nodes=2, glance_stores={"my-local": store})] == ["GLS-027"]


class TestStoresInTheConfiguration:
    """Options of stores that are set where nothing looks at them."""

    @pytest.mark.parametrize(
        ("config", "what"),
        [
            (
                {"my-local": {"filesystem_store_datadir": SECRET}},
                "glance_config.my-local.filesystem_store_datadir sets what glance_stores.my-local.datadir is for",
            ),
            (
                {"MY-LOCAL": {"filesystem_store_datadirs": ["/a:1"]}},
                "glance_config.MY-LOCAL.filesystem_store_datadirs sets what glance_stores.my-local.datadirs is for",
            ),
            (
                {"objects": {"swift_store_user": "a:b"}},
                "glance_config.objects.swift_store_user sets what glance_stores.objects.auth.user is for",
            ),
            (
                {"glance_store": {"swift_store_region": "two"}},
                "glance_config.glance_store.swift_store_region sets what glance_stores.<store>.region is for",
            ),
            (
                {"glance_store": {"default_backend": "objects"}},
                "glance_config.glance_store.default_backend sets what glance_default_store is for",
            ),
            (
                {"DEFAULT": {"enabled_backends": "a:file"}},
                "glance_config.DEFAULT.enabled_backends sets what glance_stores is for",
            ),
        ],
    )
    def test_is_refused(self, config: dict[str, t.Any], what: str) -> None:
        assert found(glance_config=config) == [("GLS-032", what)]

    @pytest.mark.parametrize(
        "config",
        [
            # Of a store, but no option of glance_stores.
            {"my-local": {"store_capabilities_update_min_interval": 1}},
            # Of no store that there is.
            {"DEFAULT": {"workers": 2}, "glance_store": {"rbd_store_pool": "x"}, "database": {"stores": 1}},
            {"my-local": None, "objects": "no options"},
        ],
    )
    def test_what_else_there_is_is_fine(self, config: dict[str, t.Any]) -> None:
        assert found(glance_config=config) == []


@pytest.mark.parametrize(
    ("config", "ours", "release", "agree"),
    [
        ({}, "true", "zed", True),
        ({"DEFAULT": {"enforce_secure_rbac": True}}, "auto", "zed", False),
        ({"DEFAULT": {"enforce_secure_rbac": True}}, "true", "zed", True),
        ({"oslo_policy": {"enforce_new_defaults": "yes"}}, "auto", "zed", False),
        ({"oslo_policy": {"enforce_new_defaults": False}}, "true", "zed", False),
        ({"oslo_policy": {"enforce_new_defaults": False}}, "true", "2023.2", True),
        (
            {"DEFAULT": {"enforce_secure_rbac": True}, "oslo_policy": {"enforce_new_defaults": True}},
            "auto",
            "zed",
            True,
        ),
    ],
)
def test_both_switches_of_the_new_defaults_agree(config: t.Any, ours: str, release: str, agree: bool) -> None:
    problems = found(release=release, glance_config=config, glance_secure_rbac=ours)
    assert [code for code, _what in problems] == ([] if agree else ["GLS-033"])


@pytest.mark.parametrize(
    ("method", "release", "password", "refused"),
    [
        ("source", "rocky", "gehé im", True),
        ("source", "rocky", "geheim", False),
        ("source", "ussuri", "gehé im", False),
        ("package", "rocky", "gehé im", False),
    ],
)
def test_a_password_that_python_2_cannot_take_is_refused(
    method: str, release: str, password: str, refused: bool
) -> None:
    version = {"rocky": "17.0.1", "ussuri": "20.0.1"}[release]
    variables = {**GOOD, "glance_install_method": method, "glance_source_version": version}
    variables["glance_database"] = {**GOOD["glance_database"], "password": password}
    inventory = Inventory(variables, SPEC, releases={"rocky": 17, "ussuri": 20}, release=release)
    problems = _inventory.problems(inventory)
    assert [problem.code for problem in problems] == (["GLS-046"] if refused else [])
    assert not any(password in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("methods", "knows", "refused"),
    [
        (["glance-direct", "copy-image"], [], []),
        (["web-download"], [], ["web-download"]),
        (["web-download", "glance-download"], ["image_import"], ["glance-download"]),
        (["web-download", "glance-download"], ["image_import", "glance_download"], []),
        (["glance-download"], None, []),
        ("glance-download", [], []),
    ],
)
def test_an_import_method_that_the_release_does_not_have_is_refused(
    methods: t.Any, knows: t.Any, refused: t.Any
) -> None:
    variables = {**GOOD, "glance_import_methods": methods}
    problems = _inventory.problems(Inventory(variables, SPEC, releases={"pike": 15}, release="pike", knows=knows))
    assert [problem.code for problem in problems] == ["GLS-045"] * len(refused)
    assert [problem.what.split(",")[0].split()[-1] for problem in problems] == refused


@pytest.mark.parametrize(
    ("method", "offered", "refused"),
    [
        ("package", None, False),
        ("package", ["yoga", "zed"], False),
        ("package", ["yoga"], True),
        ("package", [], True),
        ("source", ["yoga"], False),
    ],
)
def test_a_release_that_the_distribution_does_not_have_is_refused(method: str, offered: t.Any, refused: bool) -> None:
    variables = {**GOOD, "glance_install_method": method, "glance_source_version": "25.1.0"}
    inventory = Inventory(variables, SPEC, releases={"zed": 25}, release="zed", offered=offered)
    problems = _inventory.problems(inventory)
    assert [problem.code for problem in problems] == (["GLS-034"] if refused else [])
    assert all("have yoga" in problem.what or "no release" in problem.what for problem in problems)


@pytest.mark.parametrize(
    ("source", "changes", "codes"),
    [
        ("", {}, []),
        ("rdo", {}, []),
        ("cloud_archive", {}, ["GLS-035"]),
        ("cloud_archive", {"glance_install_method": "source", "glance_source_version": "25.1.0"}, []),
        ("cloud_archive", {"glance_package_source_url": "https://mirror.example.org/ubuntu-cloud"}, []),
        ("cloud_archive", {"glance_package_source_url": "mirror.example.org/ubuntu-cloud"}, ["GLS-020"]),
    ],
)
def test_an_added_package_source_has_an_address(source: str, changes: dict[str, str], codes: list[str]) -> None:
    variables = {**GOOD, "glance_install_method": "package", "glance_package_source_url": "", **changes}
    inventory = Inventory(variables, SPEC, releases={"zed": 25}, release="zed", offered=["zed"], added_source=source)
    problems = _inventory.problems(inventory)
    assert [problem.code for problem in problems] == codes
    assert all("glance_package_source_url" in problem.message for problem in problems)


def test_of_a_release_that_is_nowhere_only_that_is_told() -> None:
    variables = {**GOOD, "glance_install_method": "package", "glance_package_source_url": ""}
    source = {"offered": ["yoga"], "added_source": "cloud_archive"}
    inventory = Inventory(variables, SPEC, releases={"zed": 25}, release="zed", **source)
    assert [problem.code for problem in _inventory.problems(inventory)] == ["GLS-034"]
