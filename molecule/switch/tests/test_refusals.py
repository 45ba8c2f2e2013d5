# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What a switch refuses, and what it stops at: nothing is deleted, and no bad copy replaces a good one."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
import typing as t

import pytest
from faults import STAGING
from playbook import refused, variables_of
from seed import MIB, Plan, few
from snapshot import compare, snapshot
from switching import Ends, stores_of

if t.TYPE_CHECKING:
    from bed import Api, Bed
    from openstack.connection import Connection
    from playbook import Outcome
    from seed import Gardener, Planted
    from switching import Switch

STORES = variables_of(__file__)["glance_stores"]
ENDS = Ends("local", "objects")
DATADIR = STORES["local"]["datadir"]


def with_stores(**more: dict[str, t.Any]) -> list[str]:
    """Return the arguments of a run whose inventory has further stores."""
    return ["-e", json.dumps({"glance_stores": {**STORES, **more}})]


@pytest.fixture
def planted(switch: Switch, gardener: Gardener) -> list[Planted]:
    """Return some images in the old store."""
    switch.begin_with(ENDS.source)
    return gardener.plant(few(), store=ENDS.source)


@pytest.mark.short
@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (Ends("local", "objekts"), ["GLS-401", "glance_switch_to", "objekts", "did you mean objects?"]),
        (Ends("", "objects"), ["GLS-401", "glance_switch_from"]),
        (Ends("local", "local"), ["GLS-402"]),
        (Ends("local", "web"), ["GLS-403", "web", "http"]),
        (Ends("web", "local"), ["GLS-403", "web", "http"]),
    ],
)
def test_stores_between_which_nothing_can_be_switched(switch: Switch, ends: Ends, words: list[str]) -> None:
    refused(switch.run(ends, *with_stores(web={"type": "http", "accept_ssrf_risk": True})), *words)


def test_store_that_does_not_run(switch: Switch) -> None:
    stores = with_stores(other={"type": "file", "datadir": "/srv/shared/other", "shared": True})
    outcome = switch.run(Ends("other", "objects"), *stores)
    assert outcome.status != 0, outcome.text
    assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
    assert "GLS-404" in outcome.text


@pytest.mark.parametrize("kind", ["file", "swift"])
def test_two_names_of_one_place(switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, kind: str) -> None:
    """Neither path nor options tell it: one directory is mounted a second time, one container has a region more."""
    ends = Ends({"file": "local", "swift": "objects"}[kind], "again")
    other = {"file": {"datadir": "/srv/again"}, "swift": {"region": "{{ testbed_region }}"}}[kind]
    again = with_stores(again={**STORES[ends.source], **other})
    mount = f"mkdir -p /srv/again && mount --bind {DATADIR} /srv/again"
    switch.begin_with(ends.source)
    planted = gardener.plant(few(), store=ends.source)
    before = snapshot(apis, [image.image_id for image in planted])
    try:
        for controller in bed.controllers if kind == "file" else []:
            bed.on(controller, mount)
        outcome = switch.run(ends, *again)
        assert outcome.status != 0, outcome.text
        assert "GLS-408" in outcome.messages[0]
        assert f"may be the same place as {ends.source}" in outcome.unfolded
        assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ends.source})}
        assert compare(before, snapshot(apis, before)) == []
    finally:
        for controller in bed.controllers:
            bed.on(controller, "umount /srv/again; rmdir /srv/again", check=False)


def test_target_that_is_too_small(switch: Switch, gardener: Gardener, planted: list[Planted], bed: Bed) -> None:
    (large,) = gardener.plant([Plan("larger than the room", 32 * MIB)], store=ENDS.source)
    small = with_stores(small={"type": "file", "datadir": "/srv/small/images", "shared": True})
    mount = "mkdir -p /srv/small && mount -t tmpfs -o size=40m testbed-small /srv/small"
    own = "install -d -o glance -g glance -m 0750 /srv/small/images"
    try:
        for controller in bed.controllers:
            bed.on(controller, f"{mount} && {own}")
        outcome = switch.run(Ends("local", "small"), *small)
        assert outcome.status != 0, outcome.text
        assert "Nothing was changed" in outcome.unfolded
        assert "small" in outcome.messages[0]
        assert {counts["changed"] for counts in outcome.hosts.values()} == {0}, outcome.text
        without = switch.run(Ends("local", "small"), "--check", *small, leave_behind=[large.image_id])
        assert without.status == 0, without.text
        assert f"{large.plan.name}: it is left in local" in without.unfolded
    finally:
        for controller in bed.controllers:
            bed.on(controller, "umount /srv/small; rmdir /srv/small", check=False)


def test_target_that_dies_in_the_middle(
    switch: Switch, gardener: Gardener, apis: list[Api], bed: Bed, planted: list[Planted]
) -> None:
    planted += gardener.plant([Plan(f"on its way {number}", 48 * MIB) for number in range(4)], store=ENDS.source)
    before = snapshot(apis, [image.image_id for image in planted])
    swift = bed.node("swift")
    process = switch.start(ENDS)
    stop = threading.Thread(target=stop_when_copying, args=(bed, apis[0], swift))
    try:
        stop.start()
        first = switch.follow(process, lambda phase: None)
        stop.join()
    finally:
        bed.on(swift, "systemctl start swift-proxy")
    assert first.status != 0, first.text
    assert switch.report(ENDS)["verdict"]["status"] in {1, 2}
    assert switch.default_store() == ENDS.source
    assert compare(before, snapshot(apis, before), meanwhile=True) == []
    wait_for_swift(bed, swift)
    assert switch.switch(ENDS)["verdict"]["status"] == 0
    assert compare(before, snapshot(apis, before)) == []


def stop_when_copying(bed: Bed, api: Api, swift: str) -> None:
    """Stop Swift as soon as an image is on its way there."""
    end = time.monotonic() + 600
    while time.monotonic() < end:
        if any(image.get("os_glance_importing_to_stores") for image in api.all_images().values()):
            bed.on(swift, "systemctl stop swift-proxy")
            return
        time.sleep(0.5)


def wait_for_swift(bed: Bed, swift: str) -> None:
    bed.on(swift, "for n in $(seq 60); do ss -ltn | grep -q :8080 && exit; sleep 1; done; exit 1")


def needs_attention(switch: Switch, outcome: Outcome, ends: Ends, image_ids: set[str]) -> None:
    """Check that a switch names some images that need attention, and no others."""
    assert outcome.status != 0, outcome.text
    report = switch.report(ends)
    assert report["verdict"]["status"] == 2, report["verdict"]
    assert {image["image_id"] for image in report["attention"]} == image_ids, report["attention"]
    assert all(image_id in outcome.text for image_id in image_ids), outcome.text


def test_second_run_while_one_switches(switch: Switch, gardener: Gardener, planted: list[Planted]) -> None:
    planted += gardener.plant([Plan(f"on its way {number}", 48 * MIB) for number in range(4)], store=ENDS.source)
    second: list[Outcome] = []
    other = threading.Thread(target=lambda: second.append(switch.run(ENDS)))
    first = switch.follow(switch.start(ENDS), lambda phase: other.start() if phase == "copy" else None)
    other.join()
    assert first.status == 0, first.text
    assert second[0].status != 0, second[0].text
    assert {counts["changed"] for counts in second[0].hosts.values()} == {0}, second[0].text
    assert "one run at a time" in second[0].messages[0]
    assert "end it with Ctrl-C" in second[0].messages[0]
    assert switch.report(ENDS)["verdict"]["status"] == 0
    # Nobody is kept out by a run that has ended.
    assert switch.switch(ENDS)["verdict"]["status"] == 0


def test_staging_that_fills_up(switch: Switch, gardener: Gardener, bed: Bed, planted: list[Planted]) -> None:
    planted += gardener.plant([Plan(f"to be staged {number}", 40 * MIB) for number in range(6)], store=ENDS.source)
    told = threading.Event()
    mount = f"mount -t tmpfs -o size=96m,mode=0750,uid=$(id -u glance),gid=$(id -g glance) testbed-staging {STAGING}"
    try:
        for controller in bed.controllers:
            bed.on(controller, mount)
        process = switch.start(ENDS)
        filler = threading.Thread(target=fill_until_told, args=(bed, told))
        outcome = switch.follow(
            process,
            lambda phase: filler.start() if phase == "copy" else None,
            lambda line: told.set() if "no room to stage" in line else None,
        )
        filler.join()
        assert outcome.status == 0, outcome.text
        assert told.is_set(), outcome.text
        assert switch.report(ENDS)["totals"]["retries"] == 0
    finally:
        for controller in bed.controllers:
            bed.on(controller, f"umount --lazy {STAGING}", check=False)


def fill_until_told(bed: Bed, told: threading.Event) -> None:
    """Leave no room for staging, until the run has told that there is none."""
    for controller in bed.controllers:
        bed.on(controller, f"fallocate -l 60M {STAGING}/filler")
    told.wait(120)
    for controller in bed.controllers:
        bed.on(controller, f"rm {STAGING}/filler")


def test_source_that_is_missing_or_corrupted(switch: Switch, apis: list[Api], bed: Bed, planted: list[Planted]) -> None:
    controller = bed.controllers[0]
    before = snapshot(apis, [image.image_id for image in planted])
    chosen = [image.image_id for image in planted if image.plan.size > MIB and not image.plan.without_hash]
    missing, corrupted = chosen[:2]
    bed.on(controller, f"mv {DATADIR}/{missing} {DATADIR}/{missing}.kept")
    bed.on(controller, f"cp -a {DATADIR}/{corrupted} {DATADIR}/{corrupted}.kept")
    bed.on(controller, f"printf wrong | dd of={DATADIR}/{corrupted} bs=1 seek=4096 conv=notrunc status=none")
    try:
        outcome = switch.run(ENDS)
        needs_attention(switch, outcome, ENDS, {missing, corrupted})
        stores = stores_of(apis[0], planted)
        assert stores.pop(missing) == stores.pop(corrupted) == {ENDS.source}
        assert set(map(frozenset, stores.values())) == {frozenset({ENDS.source, ENDS.target})}
        assert switch.default_store() == ENDS.source
    finally:
        for image_id in (missing, corrupted):
            bed.on(controller, f"mv {DATADIR}/{image_id}.kept {DATADIR}/{image_id}")
    assert switch.switch(ENDS)["verdict"]["status"] == 0
    assert compare(before, snapshot(apis, before)) == []


def test_bad_copy_does_not_replace_a_good_one(
    switch: Switch, bed: Bed, planted: list[Planted], swift: Connection
) -> None:
    """After the switch the original rots: going back finds that, deletes neither, and goes on when it is mended."""
    switch.switch(ENDS)
    rotten = next(image for image in planted if image.plan.size > MIB and not image.plan.without_hash)
    path = f"{DATADIR}/{rotten.image_id}"
    bed.on(bed.controllers[0], f"cp -a {path} {path}.kept")
    bed.on(bed.controllers[0], f"printf wrong | dd of={path} bs=1 seek=4096 conv=notrunc status=none")
    try:
        needs_attention(switch, switch.run(ENDS, phase="back"), ENDS.reversed, {rotten.image_id})
        # The way back is taken at once: users may be waiting for it.
        assert switch.default_store() == ENDS.source
        assert bed.on(bed.controllers[0], f"stat --format=%s {path}").strip() == str(rotten.plan.size)
        assert digest_in_swift(swift, rotten.image_id) == rotten.sha512
    finally:
        bed.on(bed.controllers[0], f"mv {path}.kept {path}")
    assert switch.switch(ENDS, phase="back")["verdict"]["status"] == 0
    assert switch.default_store() == ENDS.source
    assert digest_in_swift(swift, rotten.image_id) == rotten.sha512


def test_original_that_cannot_be_read_on_the_way_back(
    switch: Switch, apis: list[Api], bed: Bed, planted: list[Planted]
) -> None:
    """Whoever cannot read an original does not know that it is bad: it stays, and the way back waits for it."""
    before = snapshot(apis, [image.image_id for image in planted])
    switch.switch(ENDS)
    closed = next(image.image_id for image in planted if image.plan.size > MIB and not image.plan.without_hash)
    file = f"{DATADIR}/{closed}"
    kept = bed.on(bed.controllers[0], f"stat --format='%i %Y %s' {file}")
    bed.on(bed.controllers[0], f"chmod 0 {file}")
    try:
        needs_attention(switch, switch.run(ENDS, phase="back"), ENDS.reversed, {closed})
        assert bed.on(bed.controllers[0], f"stat --format='%i %Y %s' {file}") == kept
        assert stores_of(apis[0], planted)[closed] == {ENDS.source, ENDS.target}
    finally:
        bed.on(bed.controllers[0], f"chmod 0640 {file}")
    assert switch.switch(ENDS, phase="back")["verdict"]["status"] == 0
    assert switch.default_store() == ENDS.source
    assert bed.on(bed.controllers[0], f"stat --format='%i %Y %s' {file}") == kept
    assert compare(before, snapshot(apis, before)) == []


def test_back_after_a_cut_over_that_failed(switch: Switch, apis: list[Api], bed: Bed, planted: list[Planted]) -> None:
    before = snapshot(apis, [image.image_id for image in planted])
    before_through_one = snapshot(apis[:1], before)
    broken, drop_in = bed.controllers[1], "/etc/systemd/system/glance-api.service.d/99-broken.conf"
    bed.on(broken, f"printf '[Service]\\nExecStartPre=/bin/false\\n' > {drop_in} && systemctl daemon-reload")
    try:
        outcome = switch.run(ENDS)
    finally:
        bed.on(broken, f"rm {drop_in}; systemctl daemon-reload")
    assert outcome.status != 0, outcome.text
    assert broken in outcome.unfolded
    assert "glance_switch_phase=back" in outcome.unfolded
    # The other one serves users.
    assert compare(before_through_one, snapshot(apis[:1], before)) == []

    # From another control node, which knows only what the controllers tell.
    journal = switch.journals / f"{ENDS.source}-{ENDS.target}" / "journal.jsonl"
    shutil.rmtree(switch.journals)
    assert switch.switch(ENDS, phase="back")["verdict"]["status"] == 0
    assert '"event": "restored"' in journal.read_text(encoding="utf-8")
    bed.wait_until_healthy()
    assert [default_of(api) for api in apis] == [ENDS.source] * len(apis)
    assert compare(before, snapshot(apis, before)) == []


def default_of(api: Api) -> str:
    return next(
        str(store["id"]) for store in api.request("GET", "/info/stores").json()["stores"] if store.get("default")
    )


def digest_in_swift(swift: Connection, image_id: str) -> str:
    """Return the sha512 of what Swift has of an image, past Glance."""
    content = swift.object_store.download_object(image_id, container=STORES["objects"]["container"])
    return hashlib.sha512(content).hexdigest()


def test_token_of_another_plan(switch: Switch, gardener: Gardener, apis: list[Api], planted: list[Planted]) -> None:
    switch.switch(ENDS)
    earlier = switch.token(ENDS)
    planted += gardener.plant([Plan("after the plan", 1000)], store=ENDS.source)
    switch.switch(ENDS)
    assert switch.token(ENDS) != earlier
    for token in ("nonsense", earlier):
        outcome = switch.run(ENDS, phase="retire", token=token)
        assert outcome.status != 0, outcome.text
        assert "token" in " ".join(outcome.messages), outcome.text
        assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ENDS.source, ENDS.target})}


def test_retire_reads_again_what_was_proved_long_ago(
    switch: Switch, apis: list[Api], planted: list[Planted], swift: Connection
) -> None:
    before = snapshot(apis, [image.image_id for image in planted])
    switch.switch(ENDS)
    token = switch.token(ENDS)
    lost = next(image for image in planted if image.plan.size > MIB and not image.plan.without_hash)
    swift.object_store.delete_object(lost.image_id, container=STORES["objects"]["container"])
    outcome = switch.run(ENDS, phase="retire", token=token, proof_hours=0)
    assert outcome.status != 0, outcome.text
    assert lost.image_id in outcome.text
    assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ENDS.source, ENDS.target})}
    # The next run of the switch makes the copy again, and then the old store can go.
    assert switch.switch(ENDS)["verdict"]["status"] == 0
    switch.retire(ENDS, proof_hours=0)
    assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ENDS.target})}
    assert compare(before, snapshot(apis, before)) == []


def test_retire_with_one_unverified(
    switch: Switch, gardener: Gardener, apis: list[Api], planted: list[Planted]
) -> None:
    switch.switch(ENDS)
    earlier = switch.token(ENDS)
    late = gardener.plant([Plan("came late", 1000)], store=ENDS.source)[0]
    for token in ("", earlier):
        outcome = switch.run(ENDS, phase="retire", token=token)
        assert outcome.status != 0, outcome.text
        assert late.image_id in outcome.text
    assert apis[0].show(late.image_id)["stores"] == ENDS.source
    assert set(map(frozenset, stores_of(apis[0], planted).values())) == {frozenset({ENDS.source, ENDS.target})}
    content = apis[0].ask("GET", f"/images/{late.image_id}/file").content
    assert hashlib.sha512(content).hexdigest() == late.sha512
