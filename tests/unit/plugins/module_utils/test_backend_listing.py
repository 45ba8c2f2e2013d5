# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What is asked of the clients of the backends to list a store, and what is read from their answers.

The clients are the distribution's and not here.
"""

from __future__ import annotations

import datetime
import sys
import typing as t
from unittest import mock

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _backend_listing
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import Store
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import Section

KEY = "k3y@:/%#'\"$ ñ"
ID = "0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f"
MOMENT = datetime.datetime(2026, 11, 20, 8, 15, 30)
ACCOUNT = {"auth_address": "http://k:5000/v3", "user": "service:glance", "key": KEY, "project_domain_id": "d"}
OPTIONS = {
    "swift_store_container": "c",
    "default_swift_reference": "ref",
    "swift_store_region": "two",
    "swift_store_endpoint": "http://swift:8080/v1/x",
    "swift_store_auth_insecure": "true",
}


def swift(account: dict[str, str], **options: str) -> Store:
    """Return a store of the type swift, as it is read from a configuration."""
    return Store("sw", "swift", Section("sw", {**OPTIONS, **options}, account))


class TestSwift:
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> mock.MagicMock:
        """Return what stands for swiftclient; its container holds one image in two segments."""
        client = mock.MagicMock()
        times = ("2026-11-20T08:15:30Z", "2026-11-20T08:15:30.000000", "2026-11-20T08:15:30+00:00")
        names = (ID, f"{ID}-00001", f"{ID}-00002")
        objects = [{"name": name, "bytes": 5, "last_modified": time} for name, time in zip(names, times)]
        client.Connection.return_value.get_container.return_value = ({}, objects)
        monkeypatch.setitem(sys.modules, "swiftclient", client)
        return client

    def asked(self, client: mock.MagicMock) -> dict[str, t.Any]:
        options: dict[str, t.Any] = client.Connection.call_args.kwargs
        return options

    def test_objects_and_segments(self, client: mock.MagicMock) -> None:
        entries = _backend_listing.entries(swift(ACCOUNT), Deadline(10))
        assert {entry.address for entry in entries} == {f"swift+config://ref/c/{ID}"}
        assert [(entry.size, entry.modified, entry.image_id) for entry in entries] == [(5, MOMENT, ID)] * 3
        client.Connection.return_value.get_container.assert_called_once_with("c", full_listing=True)
        client.Connection.return_value.close.assert_called_once_with()

    def test_account(self, client: mock.MagicMock) -> None:
        _backend_listing.entries(swift(ACCOUNT), Deadline(10))
        options = self.asked(client)
        assert (options["authurl"], options["tenant_name"], options["user"]) == (
            "http://k:5000/v3",
            "service",
            "glance",
        )
        assert (options["key"], options["insecure"], options["cacert"]) == (KEY, True, None)
        assert options["preauthurl"] == "http://swift:8080/v1/x"
        assert options["os_options"] == {
            "user_domain_name": "Default",
            "project_domain_id": "d",
            "endpoint_type": "publicURL",
            "service_type": "object-store",
            "region_name": "two",
        }

    def test_application_credential(self, client: mock.MagicMock) -> None:
        account = {
            "auth_address": "http://k:5000/v3",
            "application_credential_id": "i",
            "application_credential_secret": KEY,
        }
        _backend_listing.entries(swift(account), Deadline(10))
        options = self.asked(client)
        assert not {"user", "key", "tenant_name"} & set(options)
        assert options["os_options"] == {
            "auth_type": "v3applicationcredential",
            "application_credential_id": "i",
            "application_credential_secret": KEY,
            "endpoint_type": "publicURL",
            "service_type": "object-store",
            "region_name": "two",
        }

    def test_what_one_account_cannot_list(self, client: mock.MagicMock) -> None:
        for options in ({"swift_store_multi_tenant": "true"}, {"swift_store_multiple_containers_seed": "3"}):
            with pytest.raises(GlanceError, match="cannot be listed"):
                _backend_listing.entries(swift(ACCOUNT, **options), Deadline(10))
        client.Connection.assert_not_called()


class TestS3:
    def test_keys_of_the_bucket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        boto3, botocore, config = mock.MagicMock(), mock.MagicMock(), mock.MagicMock()
        botocore.config = config
        for name, module in {"boto3": boto3, "botocore": botocore, "botocore.config": config}.items():
            monkeypatch.setitem(sys.modules, name, module)
        client = boto3.session.Session.return_value.client
        found = {"Key": ID, "Size": 5, "LastModified": MOMENT.replace(tzinfo=datetime.timezone.utc)}
        client.return_value.get_paginator.return_value.paginate.return_value = [{"Contents": [found]}, {}]
        options = {"host": "s3.example.org:1", "bucket": "b", "access_key": "a", "secret_key": KEY}
        section = Section("x", {f"s3_store_{name}": value for name, value in options.items()})
        (entry,) = _backend_listing.entries(Store("x", "s3", section), Deadline(10))
        assert (entry.name, entry.size, entry.modified) == (ID, 5, MOMENT)
        assert client.call_args.kwargs["endpoint_url"] == "http://s3.example.org:1"
        assert boto3.session.Session.call_args.kwargs == {"aws_access_key_id": "a", "aws_secret_access_key": KEY}
        client.return_value.get_paginator.return_value.paginate.assert_called_once_with(Bucket="b")
