# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The benchmark keeps what was measured, claims nothing else, and removes its nodes, whatever happens."""

from __future__ import annotations

import signal
import sys
import typing as t
from pathlib import Path
from unittest import mock

import bench
import cloud
import measure
import nodes
import pytest
import report
import results
import work
import works

RECAP = "bench-controller-1         : ok=9    changed={}    unreachable=0    failed=0"


def sample(wall: float = 2.0, transfer: t.Optional[float] = None) -> results.Sample:
    return results.Sample(wall, transfer, 1.0, 1.0, 3, None)


def outcome(wanted: int = 2, **sides: list[results.Sample]) -> results.Outcome:
    machine = {"cores": 2, "processor": "x", "memory": 4, "load": 0.1}
    return results.Outcome(machine, sides, wanted)


def two_sides(name: str = "one") -> work.Work:
    return work.Work(name, "first", name, [work.Side("us", list), work.Side("them", list)])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), measure.FailedError("down")])
def test_finished_rounds_are_kept(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    found: list[results.Outcome] = []
    samples: list[t.Any] = [*(sample() for _number in range(5)), error]
    monkeypatch.setattr(work, "measured", mock.Mock(side_effect=samples))

    def collect() -> None:
        for each in work.take_turns(two_sides(), mock.Mock(), 3, mock.Mock()):
            found.append(each)

    with pytest.raises(type(error)):
        collect()
    # The third round has no second half: its first does not count.
    assert [len(runs) for runs in found[-1].sides.values()] == [2, 2]
    assert report.machine(found[-1]).startswith("Incomplete: 2 of 3 runs of each in turn")


def test_complete_rounds_are_not_called_incomplete() -> None:
    assert report.machine(outcome(us=[sample(), sample()])).startswith("2 runs of each in turn")
    assert report.machine(outcome(1, us=[sample()])).startswith("1 run of each in turn")


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    kept = {"one": outcome(5, us=[sample(transfer=1.5), sample()])}
    results.save(tmp_path / "results.json", kept)
    assert results.load(tmp_path / "results.json") == kept


def test_what_was_not_measured_reaches_no_goal() -> None:
    found = {"one": outcome(us=[sample(), sample()], them=[sample(4.0), sample(4.0)])}
    for goal in (
        work.Goal("transfer", "transfer", 1.05, ("one", "them"), "us"),
        work.Goal("memory", "memory", 64, side="us"),
        work.Goal("wall", "wall", 1, ("two", "them"), "us"),
        work.Goal("memory", "memory", 64, ("one", "them"), "us"),
    ):
        assert report.goal_line(goal, found["one"], found) == ""
    reached = work.Goal("wall", "wall", 0.5, ("one", "them"), "us")
    assert report.goal_line(reached, found["one"], found) == "| wall | 0.50 | reached |"
    assert "0.00" not in report.row("us", found["one"])


@pytest.mark.parametrize(
    ("output", "words"), [("", "did not say"), (f"{RECAP.format(0)}\n{RECAP.format(2)}", "and changed 2")]
)
def test_run_that_does_not_say_that_nothing_changed_has_failed(output: str, words: str) -> None:
    work.refuse_changes("us", RECAP.format(0))
    with pytest.raises(measure.FailedError, match=words):
        work.refuse_changes("us", output)


def test_all_sides_of_a_work_are_warmed_alike() -> None:
    for each in works.all_works(cloud.Cloud(), nodes.Nodes(swift=False, controllers=1)):
        assert len({side.warm for side in each.sides}) == 1, each.name


def test_every_goal_is_compared_with_a_side_that_is_measured() -> None:
    every = {each.name: each for each in works.all_works(cloud.Cloud(), nodes.Nodes(swift=False, controllers=1))}
    for each in every.values():
        for goal in each.goals:
            against, side = goal.against or (each.name, goal.side)
            assert side in [one.name for one in every[against].sides], goal.text


def test_the_peer_of_each_part_is_what_its_playbook_uses() -> None:
    tasks = Path(works.BENCH) / "peer" / "tasks"
    for each in works.all_works(cloud.Cloud(), nodes.Nodes(swift=False, controllers=1)):
        if each.group in ("registration", "database"):
            text = (tasks / f"{each.group}.yml").read_text(encoding="utf-8")
            assert f"{each.sides[1].name}." in text, each.name


def test_the_floor_of_new_images_is_their_data_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nodes, "DATA", tmp_path)
    server = mock.Mock()
    server.url.return_value = "http://glance/v2"
    server.record.side_effect = lambda name: f"id-of-{name}"
    server.token.return_value = "token"
    floor = works.new_images(server).sides[-1]
    command = ["echo" if word == "curl" else word for word in floor.command()]
    said = measure.run(command, timeout=60).output.splitlines()
    url = "http://glance/v2/images/id-of-bench-new-{0}/file"
    ends = {f"{tmp_path}/new-{number}.raw {url.format(number)}" for number in range(20)}
    assert {line.partition("--upload-file ")[2] for line in said} == ends
    assert server.record.call_count == 20
    assert "token" not in " ".join(command)
    assert "--max-procs=4" in command


def test_results_from_before_a_side_was_added_are_still_shown() -> None:
    found = {"new": outcome(**{works.US: [sample()], works.CLOUD: [sample(4.0)]})}
    text = report.section(works.new_images(mock.Mock()), found)
    assert f"| {works.CLOUD} | 4.00" in text
    assert "| goal |" not in text


def test_work_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = [two_sides("one"), two_sides("two")]
    samples = [measure.FailedError("down"), sample(), sample()]
    monkeypatch.setattr(work, "measured", mock.Mock(side_effect=samples))
    monkeypatch.setattr(bench, "all_works", lambda _cloud, _bed: chosen)
    monkeypatch.setattr(report, "DATA", tmp_path / "results.json")
    monkeypatch.setattr(report, "write", mock.Mock())
    assert bench.measure_all(mock.Mock(), {"first"}, 1) == 1
    assert list(results.load(tmp_path / "results.json")) == ["two"]


def test_failed_run_is_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    after = mock.Mock(side_effect=OSError("gone too"))
    monkeypatch.setattr(measure, "run", mock.Mock(side_effect=measure.FailedError("down")))
    with pytest.raises(measure.FailedError, match="down"):
        work.measured(two_sides(), work.Side("us", list, after=after), mock.MagicMock())
    after.assert_called_once_with()


@pytest.fixture
def handlers() -> t.Iterator[None]:
    before = {number: signal.getsignal(number) for number in bench.SIGNALS}
    # Under nohup it is ignored, and the benchmark leaves it so.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_removal_of_the_nodes_hides_no_error_and_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bed(nodes.Nodes):
        def create(self) -> None:
            signal.raise_signal(signal.SIGHUP)

        def destroy(self) -> None:
            for number in bench.SIGNALS:
                signal.raise_signal(number)
            raise measure.FailedError("still there")

    told: list[str] = []
    monkeypatch.setattr(bench, "tell", told.append)
    monkeypatch.setattr(nodes, "Nodes", Bed)
    monkeypatch.setattr(sys, "argv", ["bench.py", "first"])
    assert bench.main() == 130
    assert "Interrupted" in told[1]
    assert "still there" in told[2]
    monkeypatch.setattr(bench, "measure_all", lambda *_arguments: 0)
    assert bench.main() == 1
    monkeypatch.setattr(bench, "measure_all", mock.Mock(side_effect=KeyError("unforeseen")))
    with pytest.raises(KeyError, match="unforeseen"):
        bench.main()
