# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The clients of the backends, made as Glance's drivers make them. Nothing is sent yet.

Who needs a client imports its library, and says in an own way when it is missing.
"""

from __future__ import annotations

import os
import re
import typing as t

Values = t.Mapping[str, t.Any]


def swift(swiftclient: t.Any, account: Values, values: Values, patience: float) -> t.Any:
    """Return a connection to Swift.

    :param account: the options of a section of Swift's reference file.
    :param values: the options of the store, named as in ``glance_stores``.
    :param patience: how many seconds to wait for an answer.
    """
    login: dict[str, t.Any] = {}
    if account.get("application_credential_id"):
        chosen = {name: account[name] for name in ("application_credential_id", "application_credential_secret")}
        chosen["auth_type"] = "v3applicationcredential"
    else:
        project, _colon, user = str(account.get("user") or "").partition(":")
        login = {"user": user, "key": account.get("key"), "tenant_name": project}
        chosen = {**_domain(account, "user_domain"), **_domain(account, "project_domain")}
    chosen["endpoint_type"] = values.get("endpoint_type") or "publicURL"
    chosen["service_type"] = values.get("service_type") or "object-store"
    chosen["region_name"] = values.get("region") or None
    return swiftclient.Connection(
        authurl=account.get("auth_address"),
        auth_version="3",
        preauthurl=values.get("endpoint") or None,
        cacert=values.get("cacert") or None,
        insecure=bool(values.get("insecure")),
        timeout=patience,
        retries=1,
        os_options=chosen,
        **login,
    )


def _domain(account: Values, domain: str) -> dict[str, str]:
    named = {name: account[name] for name in (f"{domain}_id", f"{domain}_name") if account.get(name)}
    return named or {f"{domain}_name": "Default"}


def rados(library: t.Any, user: t.Optional[str], conf: t.Optional[str], patience: float, **settings: str) -> t.Any:
    """Return a cluster of Ceph, not connected.

    :param patience: how many seconds to wait in each step.
    :param settings: what would stand in its ceph.conf.
    """
    limits = dict.fromkeys(
        ("client_mount_timeout", "rados_mon_op_timeout", "rados_osd_op_timeout"), str(max(1, int(patience)))
    )
    return library.Rados(rados_id=user or None, conffile=conf, conf={**limits, **settings})


def s3(boto3: t.Any, config: t.Any, values: Values, patience: float) -> t.Any:
    """Return a client of an S3 service.

    :param config: the module ``botocore.config``.
    :param values: the options of the store, named as in ``glance_stores``.
    :param patience: how many seconds to wait for an answer.
    """
    # Newer ones send checksums that older servers refuse; Glance does not ask for them.
    for name in ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"):
        os.environ.setdefault(name, "when_required")
    host = values["host"] if "://" in values["host"] else f"http://{values['host']}"
    session = boto3.session.Session(aws_access_key_id=values["access_key"], aws_secret_access_key=values["secret_key"])
    return session.client(
        "s3",
        endpoint_url=host,
        region_name=s3_region(values) or None,
        verify=values.get("cacert") or None,
        config=config.Config(
            s3={"addressing_style": values.get("bucket_url_format") or "auto"},
            connect_timeout=patience,
            read_timeout=patience,
            retries={"total_max_attempts": 1},
        ),
    )


def s3_region(values: Values) -> str:
    """Return the region of a store of the type s3, which the names of Amazon's servers tell, or nothing."""
    found = re.search(r"//s3[.-]([a-z]+-[a-z]+-\d)\.amazonaws\.com", values["host"])
    return str(values.get("region") or "") or (found.group(1) if found else "")
