# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The picture of one work: a bar for the median of each side, with a line from its fastest to its slowest run."""

from __future__ import annotations

import statistics
import typing as t
from xml.sax.saxutils import escape

WIDTH, ROW, BAR = 720, 34, 18
LEFT, RIGHT, TOP, BOTTOM = 190, 90, 34, 40
PLOT = WIDTH - LEFT - RIGHT
OURS, OTHERS = "#1f6f54", "#8a94a6"


def ticks(most: float) -> list[float]:
    """Return four to ten round numbers from 0 to beyond ``most``."""
    step = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    step = next(part for part in (step / 5, step / 2, step, step * 2) if part * 8 >= most)
    return [number * step for number in range(int(most / step) + 2)]


def bars(title: str, sides: t.Mapping[str, t.Sequence[float]]) -> str:
    """Return the picture of the seconds that each side took, as SVG. The first side is ours."""
    values = ticks(max(max(times) for times in sides.values()))
    scale = PLOT / values[-1]
    height = TOP + ROW * len(sides) + BOTTOM
    base = height - BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="20" font-weight="bold" fill="#1d2430">{escape(title)}</text>',
    ]
    for value in values:
        x = LEFT + value * scale
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{base}" stroke="#e3e6ec"/>')
        parts.append(f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle" fill="#556070">{value:g}</text>')
    parts.append(f'<text x="{LEFT + PLOT / 2:.1f}" y="{base + 32}" text-anchor="middle" fill="#556070">seconds</text>')
    for number, (side, times) in enumerate(sides.items()):
        parts += _row(TOP + ROW * number, side, times, scale, OTHERS if number else OURS)
    return "\n".join([*parts, "</svg>", ""])


def _row(top: float, side: str, times: t.Sequence[float], scale: float, colour: str) -> list[str]:
    median, fastest, slowest = statistics.median(times), min(times), max(times)
    middle, label = top + ROW / 2, LEFT + slowest * scale + 6
    line = f'y1="{middle:.1f}" y2="{middle:.1f}" stroke="#1d2430" stroke-width="2"'
    return [
        f'<text x="{LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end" fill="#1d2430">{escape(side)}</text>',
        f'<rect x="{LEFT}" y="{middle - BAR / 2:.1f}" width="{median * scale:.1f}" height="{BAR}" fill="{colour}"/>',
        f'<line x1="{LEFT + fastest * scale:.1f}" x2="{LEFT + slowest * scale:.1f}" {line}/>',
        f'<text x="{label:.1f}" y="{middle + 4:.1f}" fill="#1d2430">{median:.2f} s</text>',
    ]
