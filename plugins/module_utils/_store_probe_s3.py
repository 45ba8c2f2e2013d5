# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Tries stores of the type s3."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _store_clients
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    library,
    readable,
)

PACKAGE = "python3-boto3"
REGION = (
    "set region (before 2023.1, AWS_DEFAULT_REGION in the environment of the unit) to the one that the server"
    " signs with (of Swift, location of its filter s3api)"
)
NOT_OURS = "choose another bucket, or let its owner grant these keys to list it, and to put, get and delete objects"
CODES: dict[str, tuple[str, str]] = {
    "InvalidAccessKeyId": ("GLS-163", ""),
    "SignatureDoesNotMatch": ("GLS-163", ""),
    "InvalidClientTokenId": ("GLS-163", ""),
    "401": ("GLS-163", ""),
    "RequestTimeTooSkewed": ("GLS-163", "synchronise the clocks of the node and of the server (chrony)"),
    "AccessDenied": ("GLS-164", NOT_OURS),
    "AllAccessDisabled": ("GLS-164", NOT_OURS),
    "403": ("GLS-164", NOT_OURS),
    "NoSuchBucket": ("GLS-165", ""),
    "404": ("GLS-165", ""),
    "BucketAlreadyExists": ("GLS-165", "the bucket belongs to somebody else: choose another one"),
    "InvalidBucketName": ("GLS-165", "choose a name that the server takes"),
    # To HEAD with another region, Swift says no more than this.
    "400": ("GLS-165", REGION),
    "301": ("GLS-165", REGION),
    "PermanentRedirect": ("GLS-165", REGION),
    "AuthorizationHeaderMalformed": ("GLS-165", REGION),
    "IllegalLocationConstraintException": ("GLS-165", REGION),
    "InvalidLocationConstraint": ("GLS-165", REGION),
    "QuotaExceeded": ("GLS-167", ""),
    "TooManyBuckets": ("GLS-167", ""),
    "InsufficientStorage": ("GLS-167", ""),
}


def probe(attempt: Attempt) -> None:
    """Look at the bucket, and write, read and delete an object."""
    values = attempt.values
    boto3, config = library("boto3", PACKAGE), library("botocore.config", PACKAGE)
    readable(values["cacert"], "cacert")
    with attempt.step(f"reading how to reach {values['host']}"):
        client = _store_clients.s3(boto3, config, values, attempt.deadline.left() / 2)
    if _exists(attempt, client) or _made(attempt, client):
        _object(attempt, client)


def _error_code(error: BaseException) -> str:
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _meaning(error: BaseException) -> t.Optional[tuple[str, str]]:
    return CODES.get(_error_code(error))


def _exists(attempt: Attempt, client: t.Any) -> bool:
    bucket = attempt.values["bucket"]
    with attempt.step(f"looking at the bucket {bucket}", _meaning):
        try:
            client.head_bucket(Bucket=bucket)
            return True
        except client.exceptions.ClientError as error:
            if _error_code(error) in ("404", "NoSuchBucket"):
                return False
            if _error_code(error) == "403":
                # The answer to HEAD has no body that would say why.
                client.list_objects_v2(Bucket=bucket, MaxKeys=1)
            raise


def _made(attempt: Attempt, client: t.Any) -> bool:
    bucket = attempt.values["bucket"]
    if not attempt.values["create_bucket"]:
        raise ProbeError("GLS-165", f"there is no bucket {bucket}", "make it, or set create_bucket to true")
    if not attempt.write:
        attempt.note(f"there is no bucket {bucket} yet; it is made when it is first needed")
        return False
    region = _store_clients.s3_region(attempt.values)
    options = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region else {}
    with attempt.step(f"making the bucket {bucket}", _meaning):
        try:
            client.create_bucket(Bucket=bucket, **options)
        except client.exceptions.ClientError as error:
            # Another node has just made it.
            if _error_code(error) != "BucketAlreadyOwnedByYou":
                raise
            return True
    attempt.report.made = True
    attempt.note(f"the bucket {bucket} was made")
    return True


def _object(attempt: Attempt, client: t.Any) -> None:
    if not attempt.write:
        return
    place = {"Bucket": attempt.values["bucket"], "Key": attempt.name}
    what = f"the object {place['Bucket']}/{attempt.name}"
    with attempt.step(f"writing {what}", _meaning):
        client.put_object(Body=attempt.content, **place)
    remove = functools.partial(client.delete_object, **place)
    with attempt.existing(what, remove, _meaning):
        attempt.meanwhile()
        with attempt.step(f"reading {what}", _meaning):
            attempt.compare(what, client.get_object(**place)["Body"].read())
