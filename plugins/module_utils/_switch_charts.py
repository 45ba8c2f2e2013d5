# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Where the lines, bars, ticks and labels of the report's two pictures stand. The page only writes them down."""

from __future__ import annotations

import dataclasses
import datetime
import math
import typing as t

WIDTH = 720
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 26, 46
PLOT_WIDTH = WIDTH - LEFT - RIGHT
BARS_WIDTH = 440
"""What is right of it is for the labels of the bars."""
HEIGHT = 260
MOST_POINTS = 300
PAUSE = 60.0
"""Seconds between two samples from which on the time between them is left out: nobody was working."""
ROW, BAR = 62, 20
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
TIMES = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


class Sample(t.NamedTuple):
    """How fast it went at one moment.

    :param time: seconds since the epoch.
    :param rate: bytes per second.
    """

    time: float
    rate: float
    phase: str = ""


class Tick(t.NamedTuple):
    """One mark at an axis: where it is in the picture, and what stands there."""

    at: float
    label: str


class Span(t.NamedTuple):
    """What was done over a stretch of the time axis."""

    start: float
    end: float
    label: str


class Bar(t.NamedTuple):
    """One bar: the bytes of a store at one moment."""

    y: float
    width: float
    label: str
    when: str


@dataclasses.dataclass
class RateChart:
    """A line: bytes per second over the time in which something was done."""

    lines: list[str]
    spans: list[Span]
    pauses: list[float]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    x_unit: str
    y_unit: str
    text: str


@dataclasses.dataclass
class StoreRow:
    """One store, with a bar for each moment."""

    name: str
    y: float
    bars: list[Bar]


@dataclasses.dataclass
class StoreChart:
    """Bars: the bytes of each store before and after."""

    rows: list[StoreRow]
    ticks: list[Tick]
    unit: str
    height: float
    text: str


def unit_of(most: float) -> tuple[float, str]:
    """Return the unit in which a number of bytes is easy to read, as its size and its name."""
    power = min(int(math.log(most, 1024)), len(UNITS) - 1) if most >= 1 else 0
    return float(1024**power), UNITS[power]


def size_text(count: t.Optional[float]) -> str:
    """Return a number of bytes as a person reads it, such as ``1.5 GiB``."""
    if count is None:
        return ""
    scale, unit = unit_of(abs(count))
    value = count / scale
    return f"{value:.0f} {unit}" if scale == 1 or value >= 100 else f"{value:.1f} {unit}"


def seconds_of(time: str) -> float:
    """Return a time of the journal as seconds since the epoch."""
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def ticks_of(most: float, count: int = 5) -> list[float]:
    """Return round numbers from 0 to the first that is not less than ``most``."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.9999)
    return [number * step for number in range(math.ceil(most / step - 1e-9) + 1)]


def rate_chart(samples: t.Sequence[Sample]) -> t.Optional[RateChart]:
    """Return the picture of the rate, or None where there is not enough to draw a line."""
    stretches = _stretches(samples)
    points = [point for stretch in stretches for point in stretch]
    if len(points) < 2 or points[-1].time <= 0:
        return None
    lines = _thinned(stretches)
    most, end = max(point.rate for line in lines for point in line), points[-1].time
    scale, unit = unit_of(most)
    y_values = ticks_of(most / scale)
    seconds, x_unit = next(each for each in TIMES if end >= 2 * each[0] or each[0] == 1)
    top = y_values[-1] * scale

    def x_of(time: float) -> float:
        return round(LEFT + PLOT_WIDTH * time / end, 1)

    def y_of(rate: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / top, 1)

    return RateChart(
        lines=[" ".join(f"{x_of(point.time)},{y_of(point.rate)}" for point in line) for line in lines],
        spans=[Span(x_of(span.start), x_of(span.end), span.label) for span in _spans(points)],
        pauses=[x_of(stretch[-1].time) for stretch in stretches[:-1]],
        x_ticks=[
            Tick(x_of(value * seconds), f"{value:g}") for value in ticks_of(end / seconds) if value * seconds <= end
        ],
        y_ticks=[Tick(y_of(value * scale), f"{value:g}") for value in y_values],
        x_unit=x_unit,
        y_unit=f"{unit}/s",
        text=_rate_text(points, end / seconds, x_unit),
    )


def _rate_text(points: t.Sequence[Sample], length: float, unit: str) -> str:
    rates = [point.rate for point in points]
    mean = sum(rates) / len(rates)
    return f"{length:.1f} {unit} of work, {size_text(mean)}/s on average, {size_text(max(rates))}/s at most."


def _stretches(samples: t.Sequence[Sample]) -> list[list[Sample]]:
    """Return the samples in one list for each stretch of work, with the time worked since the first of all."""
    stretches: list[list[Sample]] = []
    before = worked = 0.0
    for sample in sorted(samples):
        step = sample.time - before if stretches else PAUSE + 1
        if step > PAUSE:
            stretches.append([])
        else:
            worked += step
        before = sample.time
        stretches[-1].append(sample._replace(time=worked))
    return stretches


def _thinned(stretches: t.Sequence[t.Sequence[Sample]]) -> list[list[Sample]]:
    """Return at most about as many points as the picture can show, each the mean of its neighbours."""
    each = math.ceil(sum(len(stretch) for stretch in stretches) / MOST_POINTS)
    return [[_mean(stretch[at : at + each]) for at in range(0, len(stretch), each)] for stretch in stretches]


def _mean(points: t.Sequence[Sample]) -> Sample:
    return points[len(points) // 2]._replace(rate=sum(point.rate for point in points) / len(points))


def _spans(points: t.Sequence[Sample]) -> list[Span]:
    spans: list[Span] = []
    for point in points:
        if spans and spans[-1].label == point.phase:
            spans[-1] = spans[-1]._replace(end=point.time)
        else:
            spans.append(Span(spans[-1].end if spans else 0.0, point.time, point.phase))
    return [span for span in spans if span.label]


def store_chart(
    before: t.Mapping[str, t.Mapping[str, int]], after: t.Mapping[str, t.Mapping[str, int]]
) -> t.Optional[StoreChart]:
    """Return the picture of the stores, or None where nothing is known of them."""
    names = sorted({*before, *after})
    if not names:
        return None
    moments = [(when, stores) for when, stores in (("before", before), ("after", after)) if stores]
    most = max(store["bytes"] for _when, stores in moments for store in stores.values())
    scale, unit = unit_of(most)
    values = ticks_of(most / scale)
    top = values[-1] * scale
    rows = [_store_row(name, row, moments, top) for row, name in enumerate(names)]
    return StoreChart(
        rows=rows,
        ticks=[Tick(round(LEFT + BARS_WIDTH * value * scale / top, 1), f"{value:g}") for value in values],
        unit=unit,
        height=TOP + ROW * len(names) + BOTTOM,
        text=" ".join(f"{row.name}: {', '.join(f'{each.when} {each.label}' for each in row.bars)}." for row in rows),
    )


def _store_row(
    name: str, row: int, moments: t.Sequence[tuple[str, t.Mapping[str, t.Mapping[str, int]]]], top: float
) -> StoreRow:
    y = TOP + ROW * row
    bars = []
    for number, (when, stores) in enumerate(moments):
        held = stores.get(name, {"images": 0, "bytes": 0})
        images = "1 image" if held["images"] == 1 else f"{held['images']} images"
        width = round(BARS_WIDTH * held["bytes"] / top, 1)
        bars.append(Bar(y + 18 + number * BAR, width, f"{size_text(held['bytes'])} ({images})", when))
    return StoreRow(name, y, bars)
