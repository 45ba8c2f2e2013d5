# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The report of a switch as one page of HTML that asks nobody for anything.

Its policy allows exactly the style and the script that are in it, known by their hashes: whatever the name of an image
holds, nothing else is run or fetched. The template escapes every value.
"""

from __future__ import annotations

import base64
import hashlib
import traceback
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_charts as charts
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

IMPORT_ERROR: t.Optional[str] = None
try:
    import jinja2
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fff; --panel: #f5f6f8; --ink: #1b1f24; --quiet: #59626d; --line: #d5dae0;
  --good: #17693a; --bad: #b3261e; --warn: #8a4b00; --before: #7a869a; --after: #1f6feb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --panel: #1e2329; --ink: #e8eaed; --quiet: #a3adb9; --line: #3a424c;
    --good: #6fd49a; --bad: #ff8a80; --warn: #ffb95c; --before: #8a96a8; --after: #6cabff;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1, h2 { line-height: 1.2; }
h1 { margin: 0 0 .4rem; font-size: 1.7rem; }
h2 { margin: 2.2rem 0 .7rem; font-size: 1.25rem; }
p { margin: .4rem 0; }
h1, p, dd, li, td { overflow-wrap: anywhere; }
.verdict { padding: 1rem 1.2rem; border-left: .5rem solid; background: var(--panel); }
.status-0 { border-color: var(--good); } .status-1 { border-color: var(--bad); }
.status-2 { border-color: var(--warn); }
.status-0 h1, .good { color: var(--good); } .status-1 h1, .bad { color: var(--bad); }
.status-2 h1, .warn { color: var(--warn); }
.quiet { color: var(--quiet); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .6rem 1.2rem;
  margin: 1rem 0; }
dl.facts div { border-top: 1px solid var(--line); padding-top: .3rem; }
dt { color: var(--quiet); font-size: .85rem; }
dd { margin: 0; font-weight: 600; }
code { font: .875rem/1.5 ui-monospace, monospace; }
pre { margin: .3rem 0 .9rem; padding: .6rem .8rem; background: var(--panel); border: 1px solid var(--line);
  white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
figure { margin: 0; padding: .8rem; border: 1px solid var(--line); min-width: 0; }
figcaption { font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 13px; }
svg .axis { stroke: var(--quiet); } svg .grid { stroke: var(--line); }
svg .rate { fill: none; stroke: var(--after); stroke-width: 2; stroke-linejoin: round; }
svg .pause { stroke: var(--warn); stroke-dasharray: 4 4; }
svg .before { fill: var(--before); } svg .after { fill: var(--after); }
.scroll { overflow-x: auto; border: 1px solid var(--line); }
.scroll:focus-visible, button:focus-visible, input:focus-visible {
  outline: 3px solid var(--after); outline-offset: 1px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--panel); white-space: nowrap; }
.scroll table { min-width: 40rem; }
.fixed { table-layout: fixed; }
.fixed .image { width: 36%; } .fixed .why { width: 42%; }
/* Rows that lay out for themselves, and only where they are seen: thousands of them stay quick. */
.scroll #images, #images thead, #images tbody { display: block; min-width: 66rem; }
#images tr { display: grid; grid-template-columns: 30% 8% 8% 9% 15% 7% 7% 6% 10%; }
#images tbody tr { content-visibility: auto; contain-intrinsic-size: auto 3.3rem; }
#images tr[hidden] { display: none; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.id { display: block; color: var(--quiet); font: .78rem/1.4 ui-monospace, monospace; }
.hex { display: block; font: .8rem/1.4 ui-monospace, monospace; }
.rest { display: none; }
.cut::after { content: "\\2026"; }
.whole .rest { display: inline; }
.whole .cut::after { content: ""; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button::after { content: " \\2195"; color: var(--quiet); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .6rem 0; }
input { font: inherit; padding: .3rem .5rem; border: 1px solid var(--quiet); background: var(--paper); color: inherit;
  max-width: 100%; }
@media (max-width: 40rem) {
  svg text { font-size: 19px; }
  .scroll .attention { min-width: 0; }
  .attention thead { position: absolute; clip-path: inset(50%); }
  .attention tr { display: grid; grid-template-columns: auto 1fr; border-bottom: 1px solid var(--line); }
  .attention td { border: 0; }
  .attention .wide { grid-column: 1 / -1; }
}
@media (scripting: none) { .filter { display: none; } .rest { display: inline; } th button::after { content: ""; } }
@media print { .filter { display: none; } .scroll { overflow: visible; } .rest { display: inline; } }
"""

SCRIPT = """
"use strict";
(() => {
  const table = document.getElementById("images");
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const collator = new Intl.Collator(undefined, {numeric: true});
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    const number = head.classList.contains("number");
    const keyed = [...body.rows].map(row => {
      const cell = row.cells[column];
      const text = cell.querySelector("bdi") ?? cell;
      return {row, key: number ? Number(cell.dataset.value) : text.textContent};
    });
    keyed.sort((a, b) => (up ? 1 : -1) * (number ? a.key - b.key : collator.compare(a.key, b.key)));
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...keyed.map(each => each.row));
  }));
  const texts = new Map([...body.rows].map(row => [row, row.textContent.toLowerCase()]));
  document.getElementById("whole").addEventListener("change", event =>
    table.classList.toggle("whole", event.target.checked));
  const shown = document.getElementById("shown");
  document.getElementById("filter").addEventListener("input", event => {
    const wanted = event.target.value.trim().toLowerCase();
    let count = 0;
    for (const [row, text] of texts) {
      row.hidden = !text.includes(wanted);
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${texts.size} shown`;
  });
})();
"""

TEMPLATE = """\
{% macro cut(text, most, tag="bdi") %}
{% if text | length > most %}
<{{ tag }} class="cut">{{ text[:most] }}<span class="rest">{{ text[most:] }}</span></{{ tag }}>\
{% else %}
<{{ tag }}>{{ text }}</{{ tag }}>\
{% endif %}
{% endmacro %}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{{ style_hash }}'; \
script-src '{{ script_hash }}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{{ report.verdict.title }}: {{ from }} to {{ to }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
<main>
<section class="verdict status-{{ report.verdict.status }}" aria-label="Verdict">
<h1>{{ report.verdict.title }}</h1>
<p>{{ report.verdict.text }}</p>
{% if report.damaged_lines > 1 %}
<p class="bad">{{ report.damaged_lines }} lines of the journal cannot be read; what they told is missing here.</p>
{% endif %}
<p class="quiet">Glance's images from <strong><bdi>{{ from }}</bdi></strong> ({{ report.switch.from_type }}) to
<strong><bdi>{{ to }}</bdi></strong> ({{ report.switch.to_type }}). Status {{ report.verdict.status }},
as of {{ report.updated | moment }}.</p>
</section>

<dl class="facts">
<div><dt>Images</dt><dd>{{ totals.images | count }}</dd></div>
<div><dt>Verified</dt><dd>{{ totals.verified | count }}</dd></div>
<div><dt>Bytes verified</dt><dd>{{ totals.verified_bytes | size }} of {{ totals.bytes | size }}</dd></div>
<div><dt>Failed or blocked</dt><dd>{{ totals.failed | count }}</dd></div>
{% if totals.left_behind %}
<div><dt>Left behind</dt><dd>{{ totals.left_behind | count }}</dd></div>
{% endif %}
<div><dt>Not done yet</dt><dd>{{ (totals.copied + totals.waiting) | count }}</dd></div>
<div><dt>Copies made again</dt><dd>{{ totals.retries | count }}</dd></div>
<div><dt>Time in all phases</dt><dd>{{ totals.seconds | span }}</dd></div>
<div><dt>Glance</dt><dd>{{ report.switch.release }}, {{ report.switch.controllers | join(", ") }}</dd></div>
</dl>

{% if report.attention %}
<h2 id="attention-title">Needs attention</h2>
<div class="scroll" role="region" aria-labelledby="attention-title" tabindex="0">
<table class="fixed attention">
<thead><tr><th scope="col" class="image">Image</th><th scope="col" class="number">Size</th>
<th scope="col">State</th><th scope="col" class="why">Why</th></tr></thead>
<tbody>
{% for image in report.attention %}
<tr><td class="wide">{{ cut(image.name or "(no name)", 100) }}<span class="id">{{ image.image_id }}</span></td>
<td class="number">{{ image["size"] | size }}</td>
<td class="{{ image.state | tone }}">{{ image.state | replace("_", " ") }}</td>
<td class="wide"><bdi>{{ image.reason }}</bdi></td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}

{% if report.clones.images or report.clones.notes %}
<h2 id="clones-title">Clones in Ceph</h2>
<p>Retire keeps the data of an image in <bdi>{{ from }}</bdi> that volumes or instances are clones of, until they are
gone, or flattened with <code>rbd flatten</code>.</p>
{% for note in report.clones.notes %}
<p class="warn"><bdi>{{ note }}</bdi></p>
{% endfor %}
{% if report.clones.images %}
<div class="scroll" role="region" aria-labelledby="clones-title" tabindex="0">
<table class="clones">
<thead><tr><th scope="col">Image</th><th scope="col" class="number">Clones</th>
<th scope="col">The first of them</th></tr></thead>
<tbody>
{% for image in report.clones.images[:shown_clones] %}
<tr><td>{{ cut(image.name or "(no name)", 100) }}<span class="id">{{ image.image_id }}</span></td>
<td class="number">{{ "not known" if image.clones is none else image.clones | count }}</td>\
<td><bdi>{{ image.first | join(", ") }}</bdi></td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% if report.clones.images | length > shown_clones %}
<p>And {{ (report.clones.images | length - shown_clones) | count }} more, which <code>report.json</code> names.</p>
{% endif %}
{% endif %}
{% endif %}

<h2>What to type now</h2>
{% if report.verdict.status != 0 %}
<p>To go on:</p>
<pre><code>{{ report.commands.go_on }}</code></pre>
{% endif %}
<p>To go back to <bdi>{{ from }}</bdi>. What was there before is not moved again, unless it was retired:</p>
<pre><code>{{ report.commands.back }}</code></pre>
<p>After the cut-over, to retire <bdi>{{ from }}</bdi>, which deletes there what was verified: first see what it would
delete,</p>
<pre><code>{{ report.commands.retire_plan }}</code></pre>
<p>then give the token that this prints, in the place of <code>TOKEN</code>:</p>
<pre><code>{{ report.commands.retire }}</code></pre>

<h2>Pictures</h2>
<div class="pictures">
<figure>
<figcaption>Rate over time</figcaption>
{% if rate %}
<svg viewBox="0 0 {{ charts.WIDTH }} {{ charts.HEIGHT }}" role="img" aria-labelledby="rate-title rate-text">
<title id="rate-title">Rate over time</title>
<desc id="rate-text">{{ rate.text }}</desc>
{% set bottom = charts.HEIGHT - charts.BOTTOM %}
{% for tick in rate.y_ticks %}
<line class="grid" x1="{{ charts.LEFT }}" x2="{{ charts.WIDTH - charts.RIGHT }}" y1="{{ tick.at }}" y2="{{ tick.at }}"/>
<text x="{{ charts.LEFT - 8 }}" y="{{ tick.at + 4 }}" text-anchor="end">{{ tick.label }}</text>
{% endfor %}
{% for tick in rate.x_ticks %}
<line class="axis" x1="{{ tick.at }}" x2="{{ tick.at }}" y1="{{ bottom }}" y2="{{ bottom + 5 }}"/>
<text x="{{ tick.at }}" y="{{ bottom + 19 }}" text-anchor="middle">{{ tick.label }}</text>
{% endfor %}
{% for span in rate.spans if span.end - span.start > 40 %}
<text x="{{ (span.start + span.end) / 2 }}" y="{{ charts.TOP - 10 }}" text-anchor="middle">{{ span.label }}</text>
{% endfor %}
{% for span in rate.spans[1:] %}
<line class="grid" x1="{{ span.start }}" x2="{{ span.start }}" y1="{{ charts.TOP - 20 }}" y2="{{ bottom }}"/>
{% endfor %}
{% for pause in rate.pauses %}
<line class="pause" x1="{{ pause }}" x2="{{ pause }}" y1="{{ charts.TOP }}" y2="{{ bottom }}"/>
{% endfor %}
{% for line in rate.lines %}
<polyline class="rate" points="{{ line }}"/>
{% endfor %}
<line class="axis" x1="{{ charts.LEFT }}" x2="{{ charts.WIDTH - charts.RIGHT }}" y1="{{ bottom }}" y2="{{ bottom }}"/>
<line class="axis" x1="{{ charts.LEFT }}" x2="{{ charts.LEFT }}" y1="{{ charts.TOP }}" y2="{{ bottom }}"/>
<text x="{{ charts.LEFT }}" y="{{ charts.TOP - 14 }}" text-anchor="end">{{ rate.y_unit }}</text>
<text x="{{ charts.WIDTH - charts.RIGHT }}" y="{{ charts.HEIGHT - 8 }}" text-anchor="end">\
{{ rate.x_unit }} of work</text>
</svg>
<p class="quiet">{{ rate.text }}{% if rate.pauses %} A broken line marks time in which nothing ran.{% endif %}</p>
{% else %}
<p class="quiet">Nothing took long enough to be measured.</p>
{% endif %}
</figure>
<figure>
<figcaption>Bytes in each store</figcaption>
{% if stores %}
<svg viewBox="0 0 {{ charts.WIDTH }} {{ stores.height }}" role="img" aria-labelledby="stores-title stores-text">
<title id="stores-title">Bytes in each store</title>
<desc id="stores-text">{{ stores.text }}</desc>
{% set bottom = stores.height - charts.BOTTOM %}
{% for tick in stores.ticks %}
<line class="grid" x1="{{ tick.at }}" x2="{{ tick.at }}" y1="{{ charts.TOP - 6 }}" y2="{{ bottom }}"/>
<text x="{{ tick.at }}" y="{{ bottom + 19 }}" text-anchor="middle">{{ tick.label }}</text>
{% endfor %}
{% for row in stores.rows %}
<text x="{{ charts.LEFT + 4 }}" y="{{ row.y + 12 }}" font-weight="bold">{{ row.name }}</text>
{% for bar in row.bars %}
<text x="{{ charts.LEFT - 8 }}" y="{{ bar.y + 13 }}" text-anchor="end">{{ bar.when }}</text>
<rect class="{{ bar.when }}" x="{{ charts.LEFT }}" y="{{ bar.y }}" width="{{ bar.width }}" \
height="{{ charts.BAR - 4 }}"/>
<text x="{{ charts.LEFT + bar.width + 6 }}" y="{{ bar.y + 13 }}">{{ bar.label }}</text>
{% endfor %}
{% endfor %}
<line class="axis" x1="{{ charts.LEFT }}" x2="{{ charts.LEFT }}" y1="{{ charts.TOP - 6 }}" y2="{{ bottom }}"/>
<text x="{{ charts.LEFT + charts.BARS_WIDTH }}" y="{{ stores.height - 8 }}" text-anchor="end">{{ stores.unit }}</text>
</svg>
{% else %}
<p class="quiet">The stores have not been looked at yet.</p>
{% endif %}
</figure>
</div>

{% if report.phases %}
<h2 id="phases-title">Phases</h2>
<div class="scroll" role="region" aria-labelledby="phases-title" tabindex="0">
<table>
<thead><tr><th scope="col">Phase</th><th scope="col">Where</th><th scope="col">Begun</th>
<th scope="col" class="number">Took</th><th scope="col">State</th></tr></thead>
<tbody>
{% for phase in report.phases %}
<tr><td>{{ phase.phase | replace("_", " ") }}</td><td>{{ phase.controller or "everywhere" }}</td>
<td>{{ phase.started | moment }}</td><td class="number">{{ phase.seconds | span }}</td>
<td class="{{ phase.state | tone }}">{{ phase.state }}\
{% if phase.reason %}: <bdi>{{ phase.reason }}</bdi>{% endif %}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}

<h2 id="images-title">Images</h2>
{% if report.images %}
<div class="filter"><label for="filter">Show only</label>
<input id="filter" type="search" placeholder="name, id, state, hash" autocomplete="off">
<label><input id="whole" type="checkbox" autocomplete="off"> whole names and hashes</label>
<span id="shown" class="quiet" role="status">\
{{ report.images | length }} of {{ report.images | length }} shown</span></div>
<div class="scroll" role="region" aria-labelledby="images-title" tabindex="0">
<table id="images">
<thead><tr>
{% for label, kind in columns %}
<th scope="col"{% if kind %} class="{{ kind }}"{% endif %}><button type="button">{{ label }}</button></th>
{% endfor %}
</tr></thead>
<tbody>
{% for image in report.images %}
<tr><td>{{ cut(image.name or "(no name)", 100) }}<span class="id">{{ image.image_id }}</span></td>\
<td>{{ image.from }}</td><td>{{ image.to }}</td>\
<td class="number" data-value="{{ -1 if image["size"] is none else image["size"] }}">{{ image["size"] | size }}</td>\
<td>{% if image.hash_value %}{{ image.hash_algo }}{% if image.hash_of == "source" %}, of the source{% endif %}\
<span class="hex">{{ cut(image.hash_value, 16, "span") }}</span>{% else %}none{% endif %}</td>\
<td>{{ image.proof or "" }}</td>\
{% set seconds = (image.copy_seconds or 0) + (image.verify_seconds or 0) %}\
<td class="number" data-value="{{ seconds }}">{{ "%.1f" | format(seconds) }}</td>\
<td class="number" data-value="{{ image.retries }}">{{ image.retries }}</td>\
<td class="{{ image.state | tone }}">{{ image.state | replace("_", " ") }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% else %}
<p>No image has been looked at yet.</p>
{% endif %}
{% if report.others %}
<p>Not to be copied:</p>
<ul>
{% for other in report.others %}
<li>{{ other.images | count }}: {{ other.reason }}</li>
{% endfor %}
</ul>
{% endif %}

<h2>How to read this</h2>
<ul>
<li><strong>verified</strong>: all bytes of the copy were read from <bdi>{{ to }}</bdi>, and their hash and number are
those of the image. <strong>reader</strong> is a second Glance that knows only the stores of afterwards;
<strong>file</strong> is the file itself, in a store of the type file.</li>
<li><strong>retired</strong>: verified, and deleted from <bdi>{{ from }}</bdi>. <strong>copied</strong>: not read back
yet. <strong>wrong</strong>: what was read back is not the image. <strong>failed</strong>: there is no whole copy.
<strong>blocked</strong>: it cannot be copied as it is. <strong>left behind</strong>: it was asked to stay where it
is.</li>
<li>Where Glance has no hash of an image, the hash is that of the bytes in <bdi>{{ from }}</bdi>, read before the
copy.</li>
<li>Seconds are those of the copy and of reading it back. The same facts are in <code>report.json</code>.</li>
</ul>
</main>
{% if report.images %}
<script>{{ script | safe }}</script>
{% endif %}
</body>
</html>
"""

COLUMNS = (
    ("Image", ""),
    ("From", ""),
    ("To", ""),
    ("Size", "number"),
    ("Hash", ""),
    ("Proof", ""),
    ("Seconds", "number"),
    ("Retries", "number"),
    ("State", ""),
)
SHOWN_CLONES = 50
TONES = {
    "verified": "good",
    "retired": "good",
    "finished": "good",
    "wrong": "bad",
    "failed": "bad",
    "blocked": "warn",
    "interrupted": "warn",
    "started": "warn",
}


def page(report: dict[str, t.Any]) -> str:
    """Return the page that shows a report.

    :raises GlanceError: when jinja2 is missing where the module runs.
    """
    if IMPORT_ERROR is not None:
        raise GlanceError(
            "jinja2 cannot be imported",
            remedy="delegate the task to the control node, whose Ansible brings it, or install it for that Python",
        )
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(
        size=charts.size_text, count=lambda number: f"{number:,}", span=span_text, moment=moment_text, tone=_tone
    )
    stores = report["stores"]
    return environment.from_string(TEMPLATE).render(
        {"from": report["switch"]["from"], "to": report["switch"]["to"]},
        report=report,
        totals=report["totals"],
        rate=charts.rate_chart(_samples(report)),
        stores=charts.store_chart(stores["before"], stores["after"]),
        charts=charts,
        columns=COLUMNS,
        shown_clones=SHOWN_CLONES,
        style=STYLE,
        style_hash=_hash(STYLE),
        script=SCRIPT,
        script_hash=_hash(SCRIPT),
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _tone(state: str) -> str:
    return TONES.get(state, "")


def _samples(report: dict[str, t.Any]) -> list[charts.Sample]:
    """Return the rate at each sample, since the one before it: what is noted with it is the mean of its whole run."""
    samples, before = [], (0.0, 0.0)
    for line in report["rate"]:
        time, done = charts.seconds_of(line["time"]), float(line["bytes"] or 0)
        rate, seconds = float(line["rate"] or 0), time - before[0]
        if 0 < seconds <= charts.PAUSE and done >= before[1]:
            rate = (done - before[1]) / seconds
        samples.append(charts.Sample(time, rate, line["what"] or "copy"))
        before = (time, done)
    return samples


def moment_text(time: str) -> str:
    """Return a time of the journal as a person reads it."""
    return time[:19].replace("T", " ") + " UTC" if time else "never"


def span_text(seconds: t.Optional[float]) -> str:
    """Return how long something took, as a person reads it."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    return f"{hours} h {minutes % 60:02} min" if hours else f"{minutes} min {int(seconds) % 60:02} s"
