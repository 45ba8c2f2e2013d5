# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Tries stores of the type rbd, with the steps of Glance's driver: an image, its content, and a protected snapshot."""

from __future__ import annotations

import contextlib
import errno
import json
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _store_clients
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    library,
    readable,
)

SNAPSHOT = "snap"
LAYERING = 1
CODES = {
    errno.EPERM: "GLS-164",
    errno.EACCES: "GLS-164",
    errno.EROFS: "GLS-164",
    errno.ENOENT: "GLS-165",
    errno.ENOSPC: "GLS-167",
    errno.EDQUOT: "GLS-167",
    errno.ETIMEDOUT: "GLS-161",
}
CONNECT_CODES = {
    errno.EPERM: "GLS-163",
    errno.EACCES: "GLS-163",
    errno.ENOENT: "GLS-163",
    errno.EINVAL: "GLS-163",
    errno.ENOTSUP: "GLS-163",
    errno.ETIMEDOUT: "GLS-161",
}


def probe(attempt: Attempt) -> None:
    """Log in to the cluster, and write, read and delete an image in the pool."""
    values = attempt.values
    rados, rbd = library("rados", "python3-rados"), library("rbd", "python3-rbd")
    readable(values["conf"], "conf")
    with attempt.step(f"reading {values['conf'] or 'the options of the cluster'}"):
        # Each step is a wait of its own.
        patience = attempt.deadline.left() / 2
        cluster = _store_clients.rados(rados, values["user"], values["conf"], patience, **_settings(values))
    if values["conf"]:
        _keyring(cluster.conf_get("keyring"), cluster.conf_get("key"), values)
    with attempt.step(f"logging in as client.{values['user']}", _connect_meaning):
        cluster.connect()
    with contextlib.closing(_Closing(cluster)):
        _pool(attempt, rbd, cluster)


class _Closing:
    def __init__(self, cluster: t.Any) -> None:
        self.close = cluster.shutdown


def _settings(values: t.Mapping[str, t.Any]) -> dict[str, str]:
    if not values["mon_hosts"]:
        return {}
    return {"mon_host": ",".join(values["mon_hosts"]), "fsid": values["fsid"], "key": values["key"]}


def _keyring(places: str, key: str, values: t.Mapping[str, t.Any]) -> None:
    if key:
        return None
    for path in (place.strip() for place in places.split(",")):
        with contextlib.suppress(ProbeError):
            return readable(path, "keyring")
    raise ProbeError(
        "GLS-163",
        f"Glance's user can read no keyring of client.{values['user']}; {values['conf']} leads to {places}",
        "put the keyring there, with the group of Glance's user and the mode 0640",
    )


def _connect_meaning(error: BaseException) -> t.Optional[tuple[str, str]]:
    code = CONNECT_CODES.get(abs(getattr(error, "errno", None) or 0))
    return (code, "") if code else None


def _meaning(error: BaseException) -> t.Optional[tuple[str, str]]:
    code = CODES.get(abs(getattr(error, "errno", None) or 0))
    return (code, "") if code else None


def _pool(attempt: Attempt, rbd: t.Any, cluster: t.Any) -> None:
    pool = attempt.values["pool"]
    with attempt.step(f"opening the pool {pool}", _meaning):
        ioctx = cluster.open_ioctx(pool)
    with contextlib.closing(ioctx):
        _room(attempt, cluster, pool)
        with attempt.step(f"listing the images of the pool {pool}", _meaning):
            rbd.RBD().list(ioctx)
        if attempt.report.free is not None and attempt.report.free < len(attempt.content):
            # Ceph lets who writes wait until there is room.
            raise ProbeError("GLS-167", f"the pool {pool} is full: {attempt.report.free} bytes are free")
        if attempt.write:
            _image(attempt, rbd, ioctx, int(cluster.conf_get("rbd_default_features") or 0) or LAYERING)


def _room(attempt: Attempt, cluster: t.Any, pool: str) -> None:
    command = json.dumps({"prefix": "df", "detail": "detail", "format": "json"})
    with attempt.step("asking the cluster for its free space", _meaning):
        failed, answer, _errors = cluster.mon_command(command, b"")
    for found in [] if failed else json.loads(answer)["pools"]:
        if found["name"] == pool:
            stats = found["stats"]
            total = stats["max_avail"] + stats["stored"]
            total = min(total, stats.get("quota_bytes") or total)
            attempt.report.room(total - stats["stored"], total)


def _image(attempt: Attempt, rbd: t.Any, ioctx: t.Any, features: int) -> None:
    what = f"the image {attempt.values['pool']}/{attempt.name}"
    with attempt.step(f"making {what}", _meaning):
        rbd.RBD().create(ioctx, attempt.name, len(attempt.content), old_format=False, features=features)
    with attempt.existing(what, lambda: rbd.RBD().remove(ioctx, attempt.name), _meaning):
        with attempt.step(f"opening {what}", _meaning):
            image = rbd.Image(ioctx, attempt.name)
        with contextlib.closing(image):
            with attempt.step(f"writing {what}", _meaning):
                image.write(attempt.content, 0)
                image.flush()
            attempt.meanwhile()
            with attempt.step(f"reading {what}", _meaning):
                attempt.compare(what, image.read(0, len(attempt.content)))
            _snapshot(attempt, image, what)


def _snapshot(attempt: Attempt, image: t.Any, what: str) -> None:
    with attempt.step(f"making a snapshot of {what}", _meaning):
        image.create_snap(SNAPSHOT)
    try:
        with attempt.step(f"protecting the snapshot of {what}", _meaning):
            image.protect_snap(SNAPSHOT)
            image.unprotect_snap(SNAPSHOT)
    finally:
        with attempt.step(f"deleting the snapshot of {what}", _meaning):
            image.remove_snap(SNAPSHOT)
