# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is asked of the clients of Swift, S3, Ceph and Cinder, and what their answers mean.

The clients are the distribution's and not here. What stands for one notes what it is asked and raises what the real one
was seen to raise.
"""

from __future__ import annotations

import errno
import io
import json
import socket
import sys
import types
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import (
    _store_probe_other,
    _store_probe_rbd,
    _store_probe_s3,
    _store_probe_swift,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import Attempt, ProbeError
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import validated_store

KEY = "k3y@:/%#'\"$ ñ"
CEPH_KEY = "AQBvaG5maGVscGxlc3N0ZXN0a2V5MTIzNDU2Nzg5MA=="  # pragma: allowlist secret
FSID = "2f7a3c1e-9b7d-4c9e-8f5a-0d1c2b3a4e5f"
AUTH = {"auth_url": "http://keystone:5000/v3", "user": "service:glance", "password": KEY}
SWIFT = {"type": "swift", "auth": AUTH}
S3 = {"type": "s3", "host": "https://s3.example.org", "access_key": "a", "secret_key": "b", "bucket": "images"}
RBD = {"type": "rbd", "pool": "images", "user": "glance", "mon_hosts": ["192.0.2.1"], "fsid": FSID, "key": CEPH_KEY}
CINDER = {
    "type": "cinder",
    "volume_type": "fast",
    "auth": {"auth_address": "http://k:5000/v3", "user_name": "g", "password": KEY, "project_name": "service"},
}


def attempt(store: dict[str, t.Any], write: bool = True, **more: t.Any) -> Attempt:
    """Return the attempt for a store."""
    return Attempt(validated_store("x", {**store, **more}), write=write)


def trouble(probe: t.Callable[[Attempt], None], wanted: Attempt) -> ProbeError:
    """Return what ends a probe."""
    with pytest.raises(ProbeError) as caught:
        probe(wanted)
    return caught.value


def called(client: mock.MagicMock) -> list[str]:
    """Return the names of the methods that were called, in their order."""
    return [name for name, _arguments, _options in client.method_calls]


class SwiftError(Exception):
    """As swiftclient's ClientException."""

    def __init__(self, text: str, http_status: t.Optional[int] = None) -> None:
        super().__init__(text)
        self.http_status = http_status


class TestSwift:
    @pytest.fixture
    def connection(self, monkeypatch: pytest.MonkeyPatch) -> mock.MagicMock:
        """Return what stands for a connection to an empty container without a quota."""
        client = mock.MagicMock()
        client.ClientException = SwiftError
        connection: mock.MagicMock = client.Connection.return_value
        connection.factory = client.Connection
        connection.get_auth.return_value = ("http://swift", "token")
        connection.head_account.return_value = {}
        connection.head_container.return_value = {}
        kept: dict[str, bytes] = {}
        connection.put_object.side_effect = lambda container, name, content: kept.update({name: content.read()})
        connection.get_object.side_effect = lambda container, name: ({}, kept[name])
        monkeypatch.setitem(sys.modules, "swiftclient", client)
        return connection

    def test_good(self, connection: mock.MagicMock) -> None:
        wanted = attempt(SWIFT, container="glance", region="R", endpoint_type="internalURL", cacert=None)
        _store_probe_swift.probe(wanted)
        assert called(connection) == [
            *("get_auth", "head_account", "head_container", "put_object", "get_object", "delete_object")
        ]
        options = connection.factory.call_args.kwargs
        assert (options["authurl"], options["user"], options["key"]) == (AUTH["auth_url"], "glance", KEY)
        assert (options["tenant_name"], options["auth_version"], options["insecure"]) == ("service", "3", False)
        assert options["os_options"] == {
            "endpoint_type": "internalURL",
            "service_type": "object-store",
            "region_name": "R",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        assert 0 < options["timeout"] < 15
        assert not wanted.report.made

    def test_what_another_store_does_to_the_object_is_seen(self, connection: mock.MagicMock) -> None:
        wanted = attempt(SWIFT, container="glance")
        wanted.meanwhile = lambda: connection.put_object("glance", wanted.name, io.BytesIO(b"other"))
        with pytest.raises(ProbeError, match="does not hold what was written"):
            _store_probe_swift.probe(wanted)

    def test_application_credential(self, connection: mock.MagicMock) -> None:
        secret = {"application_credential_id": "i", "application_credential_secret": KEY}
        _store_probe_swift.probe(attempt({"type": "swift", "auth": {"auth_url": AUTH["auth_url"], **secret}}))
        options = connection.factory.call_args.kwargs
        assert options["os_options"].items() >= {"auth_type": "v3applicationcredential", **secret}.items()
        assert "user" not in options

    def test_check_mode_writes_nothing(self, connection: mock.MagicMock) -> None:
        _store_probe_swift.probe(attempt(SWIFT, write=False))
        connection.head_container.side_effect = SwiftError("not found", 404)
        _store_probe_swift.probe(attempt(SWIFT, write=False, create_container=True))
        assert set(called(connection)) == {"get_auth", "head_account", "head_container"}

    def test_container_is_made(self, connection: mock.MagicMock) -> None:
        connection.head_container.side_effect = SwiftError("not found", 404)
        wanted = attempt(SWIFT, create_container=True, container="c")
        _store_probe_swift.probe(wanted)
        connection.put_container.assert_called_once_with("c")
        assert wanted.report.made
        assert "delete_container" not in called(connection)

    def test_container_is_missing(self, connection: mock.MagicMock) -> None:
        connection.head_container.side_effect = SwiftError("not found", 404)
        error = trouble(_store_probe_swift.probe, attempt(SWIFT, container="c"))
        assert (error.code, error.what) == ("GLS-165", "there is no container c")

    def test_one_of_many_containers_goes_again(self, connection: mock.MagicMock) -> None:
        wanted = attempt(SWIFT, create_container=True, container="c", multiple_containers_seed=2)
        _store_probe_swift.probe(wanted)
        container = f"c_{wanted.name}"
        connection.put_container.assert_called_once_with(container)
        connection.delete_container.assert_called_once_with(container)
        assert not wanted.report.made
        connection.put_object.side_effect = SwiftError("Object PUT failed", 503)
        error = trouble(_store_probe_swift.probe, attempt(SWIFT, create_container=True, multiple_containers_seed=2))
        assert error.code == "GLS-161"
        assert connection.delete_container.call_count == 2

    def test_many_containers_that_are_not_made(self, connection: mock.MagicMock) -> None:
        wanted = attempt(SWIFT, multiple_containers_seed=2)
        _store_probe_swift.probe(wanted)
        assert called(connection) == ["get_auth", "head_account"]
        assert "nothing was written" in wanted.report.notes[0]

    def test_multi_tenant(self, connection: mock.MagicMock) -> None:
        wanted = attempt(SWIFT, multi_tenant=True)
        _store_probe_swift.probe(wanted)
        assert called(connection) == ["get_auth"]
        assert "the login alone was tried" in wanted.report.notes[0]
        error = trouble(_store_probe_swift.probe, attempt({"type": "swift", "multi_tenant": True, "use_trusts": False}))
        assert (error.code, error.tried) == ("", False)

    @pytest.mark.parametrize(
        ("account", "container", "free", "total"),
        [
            ({}, {}, None, None),
            ({"x-account-meta-quota-bytes": "100", "x-account-bytes-used": "30"}, {}, 70, 100),
            ({}, {"x-container-meta-quota-bytes": "10", "x-container-bytes-used": "30"}, 0, 10),
        ],
    )
    def test_room(
        self,
        connection: mock.MagicMock,
        account: dict[str, str],
        container: dict[str, str],
        free: t.Optional[int],
        total: t.Optional[int],
    ) -> None:
        connection.head_account.return_value = account
        connection.head_container.return_value = container
        wanted = attempt(SWIFT, write=False)
        _store_probe_swift.probe(wanted)
        assert (wanted.report.free, wanted.report.total) == (free, total)

    @pytest.mark.parametrize(
        ("method", "error", "code", "doing"),
        [
            ("get_auth", SwiftError("Unauthorized. Check username/id, password, "), "GLS-163", "logging in at http"),
            ("get_auth", SwiftError("Could not find Application Credential: abc.", 404), "GLS-163", "logging in"),
            ("get_auth", SwiftError("Endpoint for object-store not found - have"), "GLS-161", "logging in"),
            ("head_account", SwiftError("HEAD failed", 401), "GLS-163", "looking at the account"),
            ("head_account", SwiftError("HEAD failed", 403), "GLS-164", "looking at the account"),
            ("head_container", SwiftError("HEAD failed", 403), "GLS-164", "looking at the container glance"),
            ("put_object", SwiftError("PUT failed", 403), "GLS-164", "writing the object glance/openstack-ops-probe-"),
            ("put_object", SwiftError("PUT failed", 413), "GLS-167", "writing"),
            ("put_object", SwiftError("PUT failed", 507), "GLS-167", "writing"),
            ("put_object", SwiftError("PUT failed", 503), "GLS-161", "writing"),
            ("get_object", SwiftError("GET failed", 503), "GLS-161", "reading"),
            ("delete_object", SwiftError("DELETE failed", 403), "GLS-164", "deleting"),
        ],
    )
    def test_trouble(self, connection: mock.MagicMock, method: str, error: SwiftError, code: str, doing: str) -> None:
        getattr(connection, method).side_effect = error
        found = trouble(_store_probe_swift.probe, attempt(SWIFT))
        assert found.code == code
        assert found.what.startswith(doing)


class BotoError(Exception):
    """As botocore's ClientError, and as its errors without an answer."""

    def __init__(self, code: t.Optional[str]) -> None:
        super().__init__(f"An error occurred ({code}) when calling the operation")
        self.response = {"Error": {"Code": code}} if code else None


class TestS3:
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> mock.MagicMock:
        """Return what stands for the client of a server with the bucket."""
        boto3, config = mock.MagicMock(), mock.MagicMock()
        client: mock.MagicMock = boto3.session.Session.return_value.client.return_value
        client.exceptions.ClientError = BotoError
        client.session, client.factory = boto3.session.Session, boto3.session.Session.return_value.client
        client.config = config.Config
        kept: dict[str, bytes] = {}
        client.put_object.side_effect = lambda **place: kept.update({place["Key"]: place["Body"]})
        client.get_object.side_effect = lambda **place: {"Body": io.BytesIO(kept[place["Key"]])}
        monkeypatch.setitem(sys.modules, "boto3", boto3)
        monkeypatch.setitem(sys.modules, "botocore.config", config)
        # Set first, so that what the probe sets is taken back.
        for name in ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"):
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)
        return client

    def test_good(self, client: mock.MagicMock) -> None:
        _store_probe_s3.probe(attempt(S3, bucket_url_format="path", region="R"))
        assert called(client) == ["head_bucket", "put_object", "get_object", "delete_object"]
        client.session.assert_called_once_with(aws_access_key_id="a", aws_secret_access_key="b")
        options = client.factory.call_args.kwargs
        assert (options["endpoint_url"], options["region_name"], options["verify"]) == (S3["host"], "R", None)
        config = client.config.call_args.kwargs
        assert config["s3"] == {"addressing_style": "path"}
        assert config["retries"] == {"total_max_attempts": 1}
        assert 0 < config["connect_timeout"] < 15

    @pytest.mark.parametrize(
        ("host", "region"),
        [
            ("https://s3.example.org", None),
            ("https://s3.amazonaws.com", None),
            ("https://s3-eu-west-1.amazonaws.com", "eu-west-1"),
            ("https://s3.eu-west-1.amazonaws.com", "eu-west-1"),
        ],
    )
    def test_region(self, client: mock.MagicMock, host: str, region: t.Optional[str]) -> None:
        client.head_bucket.side_effect = BotoError("404")
        _store_probe_s3.probe(attempt(S3, host=host, create_bucket=True))
        assert client.factory.call_args.kwargs["region_name"] == region
        options = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region else {}
        client.create_bucket.assert_called_once_with(Bucket="images", **options)

    def test_check_mode_writes_nothing(self, client: mock.MagicMock) -> None:
        _store_probe_s3.probe(attempt(S3, write=False))
        client.head_bucket.side_effect = BotoError("404")
        wanted = attempt(S3, write=False, create_bucket=True)
        _store_probe_s3.probe(wanted)
        assert set(called(client)) == {"head_bucket"}
        assert "there is no bucket images yet" in wanted.report.notes[0]

    def test_bucket_is_missing(self, client: mock.MagicMock) -> None:
        client.head_bucket.side_effect = BotoError("404")
        error = trouble(_store_probe_s3.probe, attempt(S3))
        assert (error.code, error.what) == ("GLS-165", "there is no bucket images")

    @pytest.mark.parametrize(
        ("why", "code"),
        [
            ("InvalidAccessKeyId", "GLS-163"),
            ("SignatureDoesNotMatch", "GLS-163"),
            ("RequestTimeTooSkewed", "GLS-163"),
            ("AccessDenied", "GLS-164"),
        ],
    )
    def test_why_a_bucket_is_refused(self, client: mock.MagicMock, why: str, code: str) -> None:
        client.head_bucket.side_effect = BotoError("403")
        client.list_objects_v2.side_effect = BotoError(why)
        error = trouble(_store_probe_s3.probe, attempt(S3))
        assert error.code == code
        assert why in error.what

    def test_refused_without_a_reason(self, client: mock.MagicMock) -> None:
        client.head_bucket.side_effect = BotoError("403")
        assert trouble(_store_probe_s3.probe, attempt(S3)).code == "GLS-164"

    def test_another_region(self, client: mock.MagicMock) -> None:
        client.head_bucket.side_effect = BotoError("400")
        error = trouble(_store_probe_s3.probe, attempt(S3))
        assert error.code == "GLS-165"
        assert "region" in error.advice
        client.list_objects_v2.assert_not_called()

    @pytest.mark.parametrize(
        ("method", "why", "code"),
        [
            ("put_object", "QuotaExceeded", "GLS-167"),
            ("put_object", "AccessDenied", "GLS-164"),
            ("get_object", None, "GLS-169"),
            ("delete_object", "AccessDenied", "GLS-164"),
        ],
    )
    def test_trouble(self, client: mock.MagicMock, method: str, why: t.Optional[str], code: str) -> None:
        getattr(client, method).side_effect = BotoError(why)
        assert trouble(_store_probe_s3.probe, attempt(S3)).code == code

    def test_bucket_that_another_node_makes_at_the_same_time(self, client: mock.MagicMock) -> None:
        client.head_bucket.side_effect = BotoError("404")
        client.create_bucket.side_effect = BotoError("BucketAlreadyOwnedByYou")
        wanted = attempt(S3, create_bucket=True)
        _store_probe_s3.probe(wanted)
        assert not wanted.report.made
        assert called(client)[-1] == "delete_object"

    def test_bucket_of_somebody_else(self, client: mock.MagicMock) -> None:
        client.head_bucket.side_effect = BotoError("404")
        client.create_bucket.side_effect = BotoError("BucketAlreadyExists")
        error = trouble(_store_probe_s3.probe, attempt(S3, create_bucket=True))
        assert error.code == "GLS-165"
        assert "somebody else" in error.advice


class TestRbd:
    @pytest.fixture
    def ceph(self, monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
        """Return what stands for a cluster with a pool of 1 GiB, for its pools and for an image."""
        rados, rbd = mock.MagicMock(), mock.MagicMock()
        cluster, image = rados.Rados.return_value, rbd.Image.return_value
        self.pools(cluster, max_avail=2**30, stored=0)
        cluster.conf_get.side_effect = lambda name: {"rbd_default_features": "61"}.get(name, "")
        image.read.side_effect = lambda at, size: image.write.call_args.args[0]
        monkeypatch.setitem(sys.modules, "rados", rados)
        monkeypatch.setitem(sys.modules, "rbd", rbd)
        return types.SimpleNamespace(rados=rados, cluster=cluster, pool=rbd.RBD.return_value, image=image)

    @staticmethod
    def pools(cluster: mock.MagicMock, **stats: int) -> None:
        answer = {"pools": [{"name": "other", "stats": {}}, {"name": "images", "stats": stats}]}
        cluster.mon_command.return_value = (0, json.dumps(answer).encode(), "")

    @staticmethod
    def error(number: int) -> OSError:
        # Ceph's own exceptions have the attribute errno, and so has this one.
        return OSError(number, "RBD error")

    def test_good(self, ceph: types.SimpleNamespace) -> None:
        wanted = attempt(RBD)
        _store_probe_rbd.probe(wanted)
        assert called(ceph.pool) == ["list", "create", "remove"]
        assert ceph.pool.create.call_args.kwargs == {"old_format": False, "features": 61}
        assert called(ceph.image) == [
            *("write", "flush", "read", "create_snap", "protect_snap", "unprotect_snap", "remove_snap", "close")
        ]
        options = ceph.rados.Rados.call_args.kwargs
        assert (options["rados_id"], options["conffile"]) == ("glance", None)
        assert options["conf"].items() >= {"mon_host": "192.0.2.1", "fsid": FSID, "key": CEPH_KEY}.items()
        assert 1 <= int(options["conf"]["client_mount_timeout"]) < 15
        ceph.cluster.shutdown.assert_called_once_with()
        assert (wanted.report.free, wanted.report.total) == (2**30, 2**30)

    def test_check_mode_writes_nothing(self, ceph: types.SimpleNamespace) -> None:
        _store_probe_rbd.probe(attempt(RBD, write=False))
        assert called(ceph.pool) == ["list"]
        assert called(ceph.image) == []

    def test_quota(self, ceph: types.SimpleNamespace) -> None:
        self.pools(ceph.cluster, max_avail=2**30, stored=100, quota_bytes=2**20)
        wanted = attempt(RBD)
        _store_probe_rbd.probe(wanted)
        assert (wanted.report.free, wanted.report.total) == (2**20 - 100, 2**20)

    def test_full_pool_is_not_written(self, ceph: types.SimpleNamespace) -> None:
        self.pools(ceph.cluster, max_avail=2**30, stored=19, quota_bytes=10)
        error = trouble(_store_probe_rbd.probe, attempt(RBD))
        assert (error.code, error.what) == ("GLS-167", "the pool images is full: 0 bytes are free")
        assert called(ceph.pool) == ["list"]

    def test_files_of_the_node(self, ceph: types.SimpleNamespace, tmp_path: t.Any) -> None:
        conf, keyring = tmp_path / "ceph.conf", tmp_path / "keyring"
        conf.write_text("")
        store = {"type": "rbd", "pool": "images", "user": "glance", "conf": str(conf)}
        ceph.cluster.conf_get.side_effect = lambda name: f"/nowhere, {keyring}" if name == "keyring" else ""
        error = trouble(_store_probe_rbd.probe, attempt(store))
        assert error.code == "GLS-163"
        assert error.what == (
            f"Glance's user can read no keyring of client.glance; {conf} leads to /nowhere, {keyring}"
        )
        keyring.write_text("")
        _store_probe_rbd.probe(attempt(store))
        assert ceph.rados.Rados.call_args.kwargs["conffile"] == str(conf)
        assert "key" not in ceph.rados.Rados.call_args.kwargs["conf"]

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (errno.EACCES, "GLS-163"),
            (errno.ENOENT, "GLS-163"),
            (errno.ETIMEDOUT, "GLS-161"),
        ],
    )
    def test_login(self, ceph: types.SimpleNamespace, number: int, code: str) -> None:
        ceph.cluster.connect.side_effect = self.error(number)
        error = trouble(_store_probe_rbd.probe, attempt(RBD))
        assert error.code == code
        assert error.what.startswith("logging in as client.glance: ")

    def test_pool_is_missing(self, ceph: types.SimpleNamespace) -> None:
        ceph.cluster.open_ioctx.side_effect = self.error(errno.ENOENT)
        assert trouble(_store_probe_rbd.probe, attempt(RBD)).code == "GLS-165"
        ceph.cluster.shutdown.assert_called_once_with()

    @pytest.mark.parametrize(
        ("method", "number", "code", "removed"),
        [
            ("pool.list", errno.EPERM, "GLS-164", False),
            ("pool.create", errno.EPERM, "GLS-164", False),
            ("pool.create", errno.ETIMEDOUT, "GLS-161", False),
            ("image.write", errno.EPERM, "GLS-164", True),
            ("image.read", errno.ETIMEDOUT, "GLS-161", True),
            ("image.flush", errno.EDQUOT, "GLS-167", True),
            ("image.create_snap", errno.EPERM, "GLS-164", True),
            ("image.protect_snap", errno.EPERM, "GLS-164", True),
            ("pool.remove", errno.EPERM, "GLS-164", True),
        ],
    )
    def test_trouble(self, ceph: types.SimpleNamespace, method: str, number: int, code: str, removed: bool) -> None:
        whose, name = method.split(".")
        getattr(getattr(ceph, whose), name).side_effect = self.error(number)
        assert trouble(_store_probe_rbd.probe, attempt(RBD)).code == code
        assert ceph.pool.remove.called == removed
        if name == "protect_snap":
            ceph.image.remove_snap.assert_called_once_with("snap")


class TestCinder:
    @pytest.fixture(autouse=True)
    def sudo(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Return what stands for sudo, and allows what it is asked for."""
        sudo = tmp_path / "sudo"
        sudo.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
        sudo.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        return sudo

    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> mock.MagicMock:
        """Return what stands for Cinder's client, with one volume type and a limit of 10 GiB."""
        module = mock.MagicMock()
        client: mock.MagicMock = module.Client.return_value
        client.factory = module.Client
        client.volume_types.list.return_value = [types.SimpleNamespace(name="fast")]
        limits = {"maxTotalVolumeGigabytes": 10, "totalGigabytesUsed": 4}
        client.limits.get.return_value.absolute = [
            types.SimpleNamespace(name=name, value=value) for name, value in limits.items()
        ]
        monkeypatch.setitem(sys.modules, "cinderclient.client", module)
        return client

    def test_good(self, client: mock.MagicMock) -> None:
        wanted = attempt(CINDER, catalog_info="volumev3:cinder:internalURL", region="R", insecure=True)
        _store_probe_other.cinder(wanted)
        options = client.factory.call_args.kwargs
        # With an account of its own Glance does not heed catalog_info.
        assert (options["service_type"], options["service_name"], options["interface"]) == (
            "volumev3",
            None,
            "publicURL",
        )
        assert options["session"].verify is False
        assert (wanted.report.free, wanted.report.total) == (6 * 2**30, 10 * 2**30)
        assert "no volume is made" in wanted.report.notes[0]

    @pytest.mark.usefixtures("client")
    def test_volume_type_is_missing(self) -> None:
        error = trouble(_store_probe_other.cinder, attempt(CINDER, volume_type="slow"))
        assert (error.code, error.what) == ("GLS-165", "there is no volume type slow; there are fast")

    @pytest.mark.usefixtures("client")
    def test_without_an_account(self) -> None:
        error = trouble(_store_probe_other.cinder, attempt({"type": "cinder"}))
        assert (error.code, error.tried) == ("", False)

    @pytest.mark.usefixtures("client")
    @pytest.mark.parametrize("config", [None, "/etc/own.conf"])
    def test_rootwrap_is_asked(self, sudo: Path, config: t.Optional[str]) -> None:
        options = {"rootwrap_config": config} if config else {}
        _store_probe_other.cinder(attempt(CINDER, **options))
        asked = f"--non-interactive glance-rootwrap {config or '/etc/glance/rootwrap.conf'} umount --version\n"
        assert (sudo.parent / "asked").read_text() == asked

    @pytest.mark.parametrize("store", [CINDER, {"type": "cinder"}])
    def test_rootwrap_is_not_allowed(self, sudo: Path, store: dict[str, t.Any]) -> None:
        sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
        error = trouble(_store_probe_other.cinder, attempt(store))
        assert (error.code, error.tried) == ("GLS-164", True)
        assert error.what.endswith("as root, which attaching volumes takes: sudo: a password is required")
        assert "/etc/sudoers.d/glance_sudoers" in error.advice

    def test_no_sudo(self, sudo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        sudo.unlink()
        monkeypatch.setenv("PATH", str(sudo.parent))
        error = trouble(_store_probe_other.cinder, attempt(CINDER))
        assert (error.code, error.tried) == ("GLS-164", False)
        assert error.what.endswith("sudo is missing, or did not answer")


class TestVmware:
    STORE: t.ClassVar[dict[str, t.Any]] = {
        "type": "vmware",
        "server_username": "g",
        "server_password": KEY,
        "datastores": ["dc:ds:100"],
    }

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        error = trouble(_store_probe_other.vmware, attempt(self.STORE, server_host=f"127.0.0.1:{port}"))
        assert (error.code, error.what) == ("GLS-161", f"connecting to 127.0.0.1 port {port}: Connection refused")

    def test_no_tls(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            wanted = Attempt(validated_store("x", {**self.STORE, "server_host": f"127.0.0.1:{port}"}), timeout=1)
            error = trouble(_store_probe_other.vmware, wanted)
        assert error.code == "GLS-161"
        assert error.what.startswith("the TLS handshake with")

    @pytest.mark.parametrize(
        ("server", "address"),
        [
            ("vc.example.org", ("vc.example.org", 443)),
            ("vc.example.org:8443", ("vc.example.org", 8443)),
            ("[2001:db8::1]:8443", ("2001:db8::1", 8443)),
            ("[2001:db8::1]", ("2001:db8::1", 443)),
            ("2001:db8::1", ("2001:db8::1", 443)),
        ],
    )
    def test_address(self, server: str, address: tuple[str, int]) -> None:
        assert _store_probe_other._address(server) == address


class TestHttp:
    def test_nothing_is_written(self) -> None:
        wanted = attempt({"type": "http", "accept_ssrf_risk": True})
        _store_probe_other.http(wanted)
        assert wanted.report.notes == ["read-only: nothing is written"]

    def test_certificates(self) -> None:
        store = {"type": "http", "accept_ssrf_risk": True, "ca_certificates": "/nowhere"}
        assert trouble(_store_probe_other.http, attempt(store)).code == "GLS-163"
