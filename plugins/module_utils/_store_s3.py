# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Stores of the type s3: buckets of an object store that speaks the protocol of Amazon S3."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._store_type import (
    ABSOLUTE_PATH,
    ANTELOPE,
    BOBCAT,
    MEGABYTES,
    POSITIVE,
    USSURI,
    Finding,
    Option,
    Parameters,
    Place,
    Rule,
    Section,
    StoreType,
    server_address,
)

SMALLEST_PART = 5
"""MB; S3 refuses smaller parts of a large object, the last one excepted."""

KEY = Rule(
    lambda key: re.fullmatch(r"[^#?@:\s]+", key) is not None,
    "free of # ? @ : and spaces, which Glance does not find again in the location of an image",
)

OPTIONS = {
    "host": Option(
        "s3_store_host",
        {"type": "str", "required": True},
        rule=Rule(
            lambda url: re.fullmatch(r"https?://[^/@\s]+/?", url) is not None, "a URL such as https://s3.example.org"
        ),
    ),
    "access_key": Option("s3_store_access_key", {"type": "str", "required": True, "no_log": True}, rule=KEY),
    "secret_key": Option("s3_store_secret_key", {"type": "str", "required": True, "no_log": True}, rule=KEY),
    "bucket": Option(
        "s3_store_bucket",
        {"type": "str", "required": True},
        rule=Rule(
            lambda name: re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name) is not None,
            "the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
        ),
    ),
    "create_bucket": Option("s3_store_create_bucket_on_put", {"type": "bool"}),
    "bucket_url_format": Option("s3_store_bucket_url_format", {"type": "str", "choices": ["auto", "virtual", "path"]}),
    "region": Option("s3_store_region_name", {"type": "str"}, since=ANTELOPE),
    "cacert": Option("s3_store_cacert", {"type": "str"}, since=BOBCAT, rule=ABSOLUTE_PATH),
    "large_object_size": Option("s3_store_large_object_size", {"type": "int"}, rule=MEGABYTES),
    "large_object_chunk_size": Option(
        "s3_store_large_object_chunk_size",
        {"type": "int"},
        rule=Rule(lambda size: size >= SMALLEST_PART, f"at least {SMALLEST_PART} MB, the least that S3 takes"),
    ),
    "thread_pools": Option("s3_store_thread_pools", {"type": "int"}, rule=POSITIVE),
}


def _findings(values: Parameters) -> t.Iterator[Finding]:
    if values["bucket_url_format"] == "virtual" and "." in str(values["bucket"]) and values["host"].startswith("https"):
        yield Finding("bucket", f"{values['bucket']!r} has a dot, which no certificate matches as part of a host name")


def _places(section: Section) -> list[Place]:
    host = server_address(section.text("s3_store_host"))
    bucket = section.text("s3_store_bucket")
    scheme, _separator, server = host.rpartition("://")
    prefix = "s3+https" if scheme == "https" else "s3"
    return [Place(f"{prefix}://{server}/{bucket}/", f"the bucket {bucket} at {host}")]


def _warnings(values: Parameters) -> t.Iterator[str]:
    if values["host"].startswith("http://"):
        yield "the host is reached without TLS: keys are not sent, but images are readable on the way"


S3 = StoreType(
    options=OPTIONS,
    findings=_findings,
    places=_places,
    warnings=_warnings,
    since=USSURI,
)
