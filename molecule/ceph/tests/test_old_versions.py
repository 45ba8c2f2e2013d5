# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Old versions of an image that servers were made from: kept as long as Ceph needs them, and no longer."""

from __future__ import annotations

import typing as t

from catalog import PREFIX, Catalog, changes, sha512

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-ceph"]

Make = t.Callable[..., str]
WARNING = "the old image {id} is in use; it was hidden instead of deleted"


def test_one_with_a_clone_is_kept(catalog: Catalog, make: Make, host: Host) -> None:
    entry = {"name": f"{PREFIX}cloned", "source": make("disk"), "replace": True, "keep": 0}
    before = sha512(entry["source"])
    old = catalog.kept([entry])[entry["name"]]
    host.check_output(f"rbd clone --rbd-default-clone-format 1 images/{old['id']}@snap images/a-server")
    try:
        make("disk")
        for changed in (1, 0):
            outcome = catalog.keep([entry])
            assert (outcome.status, changes(outcome)) == (0, changed), outcome.text
            assert WARNING.format(id=old["id"]) in " ".join(outcome.text.split())
            assert {(image["id"] == old["id"], image["os_hidden"]) for image in catalog.all()} == {
                (True, True),
                (False, False),
            }
        assert catalog.digest(old["id"]) == before
    finally:
        host.check_output("rbd rm --no-progress images/a-server")
    new = catalog.kept([entry])[entry["name"]]
    assert [image["id"] for image in catalog.all()] == [new["id"]]
    assert new["os_hash_value"] == sha512(entry["source"])


def test_a_protected_one_is_kept(catalog: Catalog, make: Make, host: Host) -> None:
    entry = {"name": f"{PREFIX}protected", "source": make("disk"), "replace": True, "protected": True}
    old = catalog.kept([entry])[entry["name"]]
    make("disk")
    outcome = catalog.keep([entry])
    assert outcome.status == 0, outcome.text
    assert f"the old image {old['id']} is protected; it was hidden instead of deleted" in " ".join(outcome.text.split())
    assert {image["id"] for image in catalog.all()} == set(host.check_output("rbd ls images").split())
    assert len(catalog.all()) == 2
