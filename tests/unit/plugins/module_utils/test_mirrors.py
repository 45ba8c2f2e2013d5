# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The journal and the copies that the controllers have of it: the newest is found, and nothing gets lost."""

from __future__ import annotations

import hashlib
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Journal
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_mirrors import (
    mirrors_of,
    settled,
    take_newest,
    unlike,
)


def line(event: str, number: int = 0) -> bytes:
    """Return a line of a journal."""
    return json.dumps({"event": event, "phase": "copy", "state": "started", "number": number}).encode() + b"\n"


ONE, TWO, THREE, OTHER = (line("phase", number) for number in range(4))
VERDICT, RESTORED = line("verdict"), line("restored")
TORN = THREE[:-2]


class Control:
    """A control node, and the files of the controllers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.journal = Journal(str(directory / "own"))
        self.path = Path(self.journal.path)

    def compare(self, own: t.Optional[bytes], **mirrors: t.Optional[bytes]) -> tuple[list[str], str]:
        """Return which mirrors have to be fetched, and which is taken then."""
        if own is not None:
            self.path.parent.mkdir(exist_ok=True)
            self.path.write_bytes(own)
        stats, fetched = {}, {}
        for name, data in mirrors.items():
            stats[name] = {"exists": data is not None}
            if data is not None:
                checksum = hashlib.sha256(data).hexdigest()
                stats[name].update(path=f"/mirror/of/{name}", size=len(data), checksum=checksum)
        found = mirrors_of(stats)
        names = unlike(self.journal, found)
        for name in names:
            fetched[name] = str(self._directory / name)
            Path(fetched[name]).write_bytes(mirrors[name] or b"")
        return names, take_newest(self.journal, found, fetched)


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path)


@pytest.mark.parametrize(
    ("own", "mirrors"),
    [
        (None, {}),
        (None, {"one": None, "two": None}),
        (ONE + TWO, {"one": None}),
        (ONE + TWO, {"one": ONE + TWO, "two": ONE}),
        (ONE + TWO + VERDICT, {"one": ONE + TWO}),
        (ONE + TORN, {"one": ONE, "two": ONE + TORN}),
        # The next run has ended the line that was torn.
        (ONE + TORN + b"\n" + TWO, {"one": ONE + TORN}),
        (ONE, {"one": b""}),
    ],
)
def test_copies_that_lag_behind_are_not_fetched(
    control: Control, own: t.Optional[bytes], mirrors: dict[str, t.Optional[bytes]]
) -> None:
    assert control.compare(own, **mirrors) == ([], "")
    assert (control.path.read_bytes() if control.path.exists() else None) == own


@pytest.mark.parametrize("own", [ONE, ONE + TWO])
@pytest.mark.parametrize("end", [TORN, TORN + b"\n", VERDICT, VERDICT + RESTORED, RESTORED + TORN, b"\n"])
def test_what_says_nothing_at_the_end_of_a_copy_does_not_count(control: Control, own: bytes, end: bytes) -> None:
    assert control.compare(own, one=ONE + end) == (["one"], "")
    assert control.path.read_bytes() == own


@pytest.mark.parametrize("own", [None, b"", TORN, ONE, ONE + TORN, ONE + VERDICT, ONE + RESTORED + VERDICT, ONE + TWO])
def test_copy_that_goes_on_is_taken(control: Control, own: t.Optional[bytes]) -> None:
    mirror = ONE + TWO + THREE + TORN
    names, taken = control.compare(own, one=ONE, two=mirror)
    assert ("two" in names, taken) == (True, "two")
    data = control.path.read_bytes()
    assert data.startswith(mirror + b"\n")
    (restored,) = data[len(mirror) + 1 :].splitlines()
    assert {name: json.loads(restored)[name] for name in ("event", "controller")} == {
        "event": "restored",
        "controller": "two",
    }
    # The controllers may lag behind from now on: nothing is brought back twice.
    assert control.compare(None, one=ONE, two=mirror) == ([], "")


def test_run_on_another_control_node_that_has_only_begun_is_no_other_way(control: Control) -> None:
    # It was refused: another run was switching, and has gone on since.
    assert control.compare(ONE + RESTORED, one=ONE + TWO) == (["one"], "one")


@pytest.mark.parametrize(
    "own", [ONE + OTHER, ONE + OTHER + VERDICT, OTHER, ONE + RESTORED + OTHER, ONE + VERDICT + OTHER]
)
def test_journals_that_went_different_ways_are_both_named(control: Control, own: bytes) -> None:
    with pytest.raises(GlanceError) as error:
        control.compare(own, one=ONE, two=ONE + TWO + THREE)
    assert f"move {control.path} away to go on with /mirror/of/two on two" in str(error.value)
    assert control.path.read_bytes() == own
    # As the message says.
    control.path.rename(control.path.with_suffix(".old"))
    assert control.compare(None, one=ONE, two=ONE + TWO + THREE) == (["one", "two"], "two")


def test_controllers_that_went_different_ways_are_both_named(control: Control) -> None:
    with pytest.raises(
        GlanceError, match="move /mirror/of/two on two away to go on with /mirror/of/one on one, or the"
    ):
        control.compare(None, one=ONE + OTHER, two=ONE + TWO + THREE)
    assert not control.path.exists()


def test_what_is_settled() -> None:
    assert settled(ONE + VERDICT + TWO + VERDICT + b"7\n" + RESTORED + TORN) == ONE + VERDICT + TWO
    assert settled(TORN) == settled(b"") == b""
