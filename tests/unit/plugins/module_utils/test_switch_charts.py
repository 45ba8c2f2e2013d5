# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The pictures of the report show their data, and nothing else."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_charts as charts
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_charts import Sample

MIB = 1024.0 * 1024
BOTTOM = charts.HEIGHT - charts.BOTTOM
RIGHT = charts.LEFT + charts.PLOT_WIDTH


def points(line: str) -> list[tuple[float, float]]:
    """Return the points of a line."""
    pairs = [point.split(",") for point in line.split()]
    return [(float(x), float(y)) for x, y in pairs]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (1, "1 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (512 * MIB, "512 MiB"),
        (5 * 1024 * MIB, "5.0 GiB"),
        (1024**7 * 5000, "5120000 EiB"),
    ],
)
def test_size(count: t.Optional[float], text: str) -> None:
    assert charts.size_text(count) == text


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, [0, 1]),
        (10, [0, 2, 4, 6, 8, 10]),
        (7, [0, 2, 4, 6, 8]),
        (0.3, [0, 0.1, 0.2, 0.3]),
        (123, [0, 25, 50, 75, 100, 125]),
    ],
)
def test_ticks_are_round_and_reach_to_the_end(most: float, ticks: list[float]) -> None:
    assert charts.ticks_of(most) == pytest.approx(ticks)


def test_line_goes_through_its_data() -> None:
    chart = charts.rate_chart([Sample(1000.0, 0.0), Sample(1005.0, 50 * MIB), Sample(1010.0, 100 * MIB)])
    assert chart is not None
    (line,) = chart.lines
    top, middle = charts.TOP, (BOTTOM + charts.TOP) / 2
    assert points(line) == [(charts.LEFT, BOTTOM), (charts.LEFT + charts.PLOT_WIDTH / 2, middle), (RIGHT, top)]
    assert (chart.y_unit, chart.x_unit, chart.pauses) == ("MiB/s", "seconds", [])
    assert [tick.label for tick in chart.y_ticks] == ["0", "20", "40", "60", "80", "100"]
    assert (chart.y_ticks[0].at, chart.y_ticks[-1].at) == (BOTTOM, top)
    assert [tick.label for tick in chart.x_ticks] == ["0", "2", "4", "6", "8", "10"]
    assert chart.text == "10.0 seconds of work, 50.0 MiB/s on average, 100 MiB/s at most."


def test_time_between_two_runs_is_left_out() -> None:
    chart = charts.rate_chart([Sample(0, MIB), Sample(10, MIB), Sample(5000, MIB), Sample(5010, MIB)])
    assert chart is not None
    first, second = map(points, chart.lines)
    middle = charts.LEFT + charts.PLOT_WIDTH / 2
    assert [x for x, _y in first] == [charts.LEFT, middle]
    assert [x for x, _y in second] == [middle, RIGHT]
    assert chart.pauses == [middle]


def test_phases_stand_above_the_time_they_took() -> None:
    chart = charts.rate_chart([Sample(second, MIB, "copy" if second < 6 else "verify") for second in range(11)])
    assert chart is not None
    assert [(span.label, span.end) for span in chart.spans] == [("copy", 385.0), ("verify", RIGHT)]


def test_ten_hours_are_drawn_with_few_points() -> None:
    chart = charts.rate_chart([Sample(second, second * MIB) for second in range(0, 36000, 5)])
    assert chart is not None
    assert chart.x_unit == "hours"
    assert [tick.label for tick in chart.x_ticks] == ["0", "2", "4", "6", "8"]
    drawn = points(chart.lines[0])
    assert len(drawn) <= charts.MOST_POINTS
    assert [y for _x, y in drawn] == sorted((y for _x, y in drawn), reverse=True)


@pytest.mark.parametrize("samples", [[], [Sample(1, 5)], [Sample(1, 5), Sample(1, 5)], [Sample(1, 5), Sample(9999, 5)]])
def test_nothing_is_drawn_where_there_is_no_line(samples: list[Sample]) -> None:
    assert charts.rate_chart(samples) is None


def test_standstill_is_a_line_on_the_ground() -> None:
    chart = charts.rate_chart([Sample(0, 0), Sample(5, 0)])
    assert chart is not None
    assert {y for _x, y in points(chart.lines[0])} == {BOTTOM}


def test_bars_have_the_length_of_their_bytes() -> None:
    before = {"local": {"images": 2, "bytes": 1000}}
    after = {"local": {"images": 2, "bytes": 1000}, "objects": {"images": 1, "bytes": 500}}
    chart = charts.store_chart(before, after)
    assert chart is not None
    bars = {(row.name, each.when): each for row in chart.rows for each in row.bars}
    assert bars["local", "before"].width == bars["local", "after"].width == charts.BARS_WIDTH
    assert bars["objects", "after"].width == charts.BARS_WIDTH / 2
    assert bars["objects", "before"].width == 0
    assert bars["objects", "after"].label == "500 B (1 image)"
    assert [tick.label for tick in chart.ticks] == ["0", "200", "400", "600", "800", "1000"]
    assert chart.ticks[-1].at == charts.LEFT + charts.BARS_WIDTH
    assert "objects: before 0 B (0 images), after 500 B (1 image)." in chart.text
    ys = [each.y for row in chart.rows for each in row.bars]
    assert ys == sorted(set(ys))
    assert ys[-1] + charts.BAR < chart.height - charts.BOTTOM


def test_stores_before_anything_was_done() -> None:
    assert charts.store_chart({}, {}) is None
    chart = charts.store_chart({"local": {"images": 0, "bytes": 0}}, {})
    assert chart is not None
    assert [[each.when for each in row.bars] for row in chart.rows] == [["before"]]
