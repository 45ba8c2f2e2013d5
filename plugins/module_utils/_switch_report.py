# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What became of a switch: the verdict, every image, the commands that go on from here; as JSON, as a page, as lines.

The report is made from the journal alone, and the same journal always gives the same report.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shlex
import tempfile
import typing as t
import unicodedata

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_charts import seconds_of, size_text
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import (
    Facts,
    ImageState,
    Journal,
    State,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_page import page
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_plan import LEFT_BEHIND

SCHEMA = "openstack_ops.glance/switch-report/1"
"""Changes when a key of the report changes its meaning or is taken away, not when one is added."""

VERIFIED, STOPPED, ATTENTION = 0, 1, 2
PLAYBOOK = "ansible-playbook openstack_ops.glance.switch_store"
CUT_OVER, BACK = "cut_over", "back"
"""The phase that makes the new store the default, and what undoes it; the way back has a journal of its own."""
NAME_WIDTH = 40
SECRET = re.compile(
    r"(?i)\b((?:x-)?(?:auth|subject|service|storage)[-_]token|[a-z_-]*(?:password|passwd|secret)(?:[-_]?key)?|signature"
    r"|temp_url_sig)(\"?'?\s*[=:]\s*\"?'?)[^\s&,;\"']+"
)
TOKEN = re.compile(r"\bgAAAAA[\w-]{20,}=*")
DECEIVING = frozenset("\u061c\u200e\u200f\ufeff\u2028\u2029") | {
    chr(code)
    for first, last in ((0x202A, 0x202E), (0x2066, 0x2069), (0xE0000, 0xE007F))
    for code in range(first, last + 1)
}
"""What changes the order or hides the letters around it."""


def masked(text: t.Any) -> str:
    """Return a text without the secrets that an answer of a server may hold."""
    shown = without_credentials(str(text))
    return TOKEN.sub("VALUE_HIDDEN", SECRET.sub(r"\1\2VALUE_HIDDEN", shown))


def visible(text: t.Any) -> str:
    """Return a text in which nothing moves the cursor, hides or turns round what stands beside it."""
    return "".join(_escaped(letter) for letter in str(text))


def _escaped(letter: str) -> str:
    if letter in DECEIVING or unicodedata.category(letter) in ("Cc", "Cs"):
        code = ord(letter)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return letter


class Report:
    """One report about one switch.

    :param state: what the journal tells.
    :param playbook: how the operator calls the playbook, options that choose the switch left out.
    """

    def __init__(self, state: State, playbook: str = PLAYBOOK) -> None:
        self._state = state
        self._playbook = playbook
        self._from = str(state.switch["from"])
        self._to = str(state.switch["to"])
        self._blocked = {
            line["image_id"]: line for line in state.plan.get("blocked", []) if line.get("attention", True)
        }
        self._left = {line["image_id"]: line for line in state.uncopied()}

    def build(self) -> Facts:
        """Return the report; its keys are explained in the documentation of the module."""
        images = self._images()
        totals = self._totals(images)
        attention = [
            {key: image[key] for key in ("image_id", "name", "size", "state", "reason")}
            for image in images
            if image["reason"]
        ]
        switch = {key: value for key, value in self._state.switch.items() if key not in ("time", "event")}
        return {
            "schema": SCHEMA,
            "updated": self._state.updated,
            "switch": switch,
            "verdict": self._verdict(totals, len(attention)),
            "totals": totals,
            "phases": self._phases(),
            "attention": attention,
            "images": images,
            "others": self._state.others,
            "clones": self._clones(),
            "rate": [
                {key: line.get(key) for key in ("time", "what", "images", "bytes", "rate")}
                for line in self._state.samples
            ],
            "stores": {when: self._state.stores.get(when, {}) for when in ("before", "after")},
            "commands": self._commands(),
            "damaged_lines": self._state.damaged,
        }

    # --- the images ---------------------------------------------------------------------------------------------------

    def _images(self) -> list[Facts]:
        found = dict(self._state.images)
        for image_id, line in {**self._blocked, **self._left, **self._state.left_behind}.items():
            image = found.get(image_id, ImageState(image_id))
            # All that the journal knows besides may be that a lock of it was broken.
            found[image_id] = image if image.facts else dataclasses.replace(image, facts=line)
        images = [self._image(image) for image in found.values() if self._concerns(image)]
        return sorted(images, key=lambda image: (not image["reason"], image["name"], image["image_id"]))

    def _concerns(self, image: ImageState) -> bool:
        """Tell whether an image is to be moved: not one that was deleted, or of which only a lock was broken.

        What was retired in an earlier round and was not to be moved again was deleted, too, or is elsewhere.
        """
        is_past = image.is_retired and image.retire.get("time", "") < self._state.round_begun
        return bool(image.facts or image.copy) and not image.is_gone and not is_past

    def _image(self, image: ImageState) -> Facts:
        facts, source = image.facts, image.source_hash
        from_glance = bool(facts.get("hash_value"))
        state = self._state_of(image)
        return {
            "image_id": image.id,
            "name": visible(masked(facts.get("name") or "")),
            "size": facts.get("size"),
            "status": facts.get("status", ""),
            "visibility": facts.get("visibility", ""),
            "owner": facts.get("owner", ""),
            "from": self._from,
            "to": self._to,
            "hash_algo": facts.get("hash_algo") if from_glance else source.get("algo"),
            "hash_value": facts.get("hash_value") if from_glance else source.get("value"),
            "hash_of": "glance" if from_glance else "source" if source else None,
            "state": state,
            "proof": image.verify.get("proof") if image.is_verified else None,
            "controller": image.copy.get("controller") or image.verify.get("controller") or "",
            "copy_seconds": image.copy.get("seconds"),
            "verify_seconds": image.verify.get("seconds"),
            "retries": max(image.attempts - 1, 0),
            "unlocks": len(image.unlocks),
            "reason": visible(masked(self._reason(image, state))),
        }

    def _state_of(self, image: ImageState) -> str:
        if image.is_verified:
            return "retired" if image.is_retired else "verified"
        if image.id in self._state.left_behind:
            return LEFT_BEHIND
        if image.verify.get("state") == "failed":
            return "wrong"
        if image.is_copied:
            return "copied"
        if image.copy.get("state") == "failed":
            return "failed"
        if image.id in self._blocked:
            return "blocked"
        return "copying" if image.copy.get("state") in ("started", "running") else "waiting"

    def _reason(self, image: ImageState, state: str) -> str:
        """Return why somebody has to look at an image, or nothing."""
        reasons = []
        if state == "wrong":
            reasons.append(image.verify.get("reason") or "its bytes in the new store are not those of the image")
        elif state == "failed":
            reasons.append(image.copy.get("reason") or "its copy failed, Glance did not say why")
        elif state == "blocked":
            reasons.append(self._blocked[image.id].get("reason") or "it cannot be copied")
        elif image.id in self._left and state != LEFT_BEHIND:
            reasons.append(self._left[image.id]["reason"])
        if image.undone.get("undone"):
            fields = ", ".join(map(str, image.undone["undone"]))
            reasons.append(f"{fields}: changed while it was copied, and Glance has undone that; change it again")
        if image.is_open:
            reasons.append("it is deactivated, was activated for a moment, and may be active still: run again")
        if image.retire.get("state") == "failed" and image.id not in self._state.left_behind:
            reasons.append(image.retire.get("reason") or f"its data could not be deleted from {self._from}")
        return "; ".join(reasons)

    def _clones(self) -> Facts:
        """Return which images in the old store have clones in Ceph, and what could not be seen of that."""
        if self._newest_finished() == "retire":
            return {"images": [], "notes": []}
        lines = {line["image_id"]: line for line in self._state.clones.get("images", [])}
        images = [self._state.images.get(image_id, ImageState(image_id)) for image_id in lines]
        return {
            "images": [
                {
                    "image_id": image.id,
                    "name": visible(masked(image.facts.get("name") or "")),
                    "clones": lines[image.id]["clones"],
                    "first": [visible(name) for name in lines[image.id]["first"]],
                }
                for image in images
                if not image.is_retired and not image.is_gone
            ],
            "notes": [visible(note) for note in self._state.clones.get("notes", [])],
        }

    def _totals(self, images: t.Sequence[Facts]) -> Facts:
        def count(*states: str) -> int:
            return sum(image["state"] in states for image in images)

        left_behind = count(LEFT_BEHIND)
        images = [image for image in images if image["state"] != LEFT_BEHIND]
        verified = [image for image in images if image["state"] in ("verified", "retired")]
        planned, planned_bytes = self._planned()
        return {
            "images": max(len(images), planned),
            "bytes": max(sum(image["size"] or 0 for image in images), planned_bytes),
            "verified": len(verified),
            "verified_bytes": sum(image["size"] or 0 for image in verified),
            "verified_by": {
                proof: sum(image["proof"] == proof for image in verified)
                for proof in sorted({image["proof"] for image in verified})
            },
            "copied": count("copied"),
            "waiting": count("copying", "waiting") + max(planned - len(images), 0),
            "failed": count("failed", "wrong", "blocked"),
            "retired": count("retired"),
            "left_behind": left_behind,
            "retries": sum(image["retries"] for image in images),
            "unlocks": sum(image["unlocks"] for image in images),
            "seconds": round(sum(phase["seconds"] or 0 for phase in self._phases()), 1),
        }

    def _planned(self) -> tuple[int, int]:
        """Return how many images and bytes the plan tells of, as long as the copy may not have come to all of them."""
        plan = self._state.plan
        copied = self._state.phases.get("copy", {})
        if not plan or (copied.get("state") == "finished" and copied["time"] > plan["time"]):
            return 0, 0
        return plan.get("images", 0), plan.get("bytes", 0)

    # --- the phases ---------------------------------------------------------------------------------------------------

    def _phases(self) -> list[Facts]:
        """Return every time that a phase was entered, in order, on one controller or on all."""
        runs: list[Facts] = []
        for line in self._state.phase_lines:
            key = (line["phase"], line.get("controller", ""))
            open_run = next((run for run in reversed(runs) if (run["phase"], run["controller"]) == key), None)
            if line["state"] == "started" or open_run is None or open_run["state"] != "started":
                open_run = {"phase": key[0], "controller": key[1], "started": line["time"], "ended": None}
                runs.append(open_run)
            open_run["state"] = line["state"]
            open_run["reason"] = visible(masked(line.get("reason", "")))
            if line["state"] != "started":
                open_run["ended"] = line["time"]
            open_run["seconds"] = _between(open_run["started"], open_run["ended"])
        return runs

    def _stop(self) -> t.Optional[Facts]:
        """Return the phase in which the newest run stopped, if it did."""
        stops: dict[tuple[str, str], Facts] = {}
        for line in self._state.phase_lines:
            phase, controller = line["phase"], line.get("controller", "")
            if line["state"] != "finished":
                stops[phase, controller] = line
            elif phase in (CUT_OVER, BACK) and not controller:
                # The whole switch is through, or undone, whatever has stopped on the way.
                stops = {key: stop for key, stop in stops.items() if key[0] == "retire"}
            else:
                stops = {key: stop for key, stop in stops.items() if key[0] != phase or controller not in ("", key[1])}
        return max(stops.values(), key=lambda line: str(line["time"]), default=None)

    def _newest_finished(self) -> str:
        done = [line["phase"] for line in self._state.round_lines() if line["state"] == "finished"]
        return next((phase for phase in reversed(done) if phase in (CUT_OVER, BACK, "retire")), "")

    # --- the verdict --------------------------------------------------------------------------------------------------

    def _verdict(self, totals: Facts, attention: int) -> Facts:
        stop = self._stop()
        if stop is not None:
            return {"status": STOPPED, "title": f"Stopped in {_phase_text(stop['phase'])}", "text": self._stopped(stop)}
        if attention:
            title = f"{images_text(attention)} {'needs' if attention == 1 else 'need'} attention"
            return {"status": ATTENTION, "title": title, "text": f"{self._where()} {_progress_text(totals)}"}
        if totals["verified"] < totals["images"] or not self._state.phase_lines:
            return {"status": ATTENTION, "title": "Not finished", "text": f"{self._where()} {_progress_text(totals)}"}
        title = "All images are verified" if totals["images"] else f"No image is in {self._from}"
        if totals["left_behind"]:
            title = "All images but those left behind are verified"
        return {"status": VERIFIED, "title": title, "text": f"{self._where()} {_progress_text(totals)}"}

    def _stopped(self, stop: Facts) -> str:
        where = f" on {stop['controller']}" if stop.get("controller") else ""
        said = {"failed": "failed", "interrupted": "was interrupted"}.get(stop["state"], "was begun and has not ended")
        reason = f": {visible(masked(stop['reason']))}" if stop.get("reason") else ""
        sentence = f"{_phase_text(stop['phase']).capitalize()}{where} {said}{reason}"
        rest = "Nothing but retire deletes, and it only what is verified. Run again: it goes on where it stood."
        return f"{sentence.rstrip('.')}. {rest}"

    def _where(self) -> str:
        newest = self._newest_finished()
        if newest == BACK:
            return f"Glance writes to {self._from} again; what was copied is still in {self._to} too."
        # A later run of the whole switch finds nothing left to copy, and ends with cutting over.
        retired = any(image.is_retired and self._concerns(image) for image in self._state.images.values())
        if newest == "retire" or (newest == CUT_OVER and retired):
            return f"Glance writes to {self._to}; what was verified there is deleted from {self._from}."
        if newest == CUT_OVER:
            return f"Glance writes to {self._to}; what was in {self._from} before is still there too."
        return f"Glance writes to {self._from} as before; nothing has been cut over."

    def _commands(self) -> dict[str, str]:
        base = f"{self._playbook} -e {shlex.quote(f'glance_switch_from={self._from}')}"
        base += f" -e {shlex.quote(f'glance_switch_to={self._to}')}"
        stop = self._stop()
        retiring = stop is not None and stop["phase"] == "retire"
        return {
            "go_on": f"{base} -e glance_switch_phase=retire" if retiring else base,
            "back": f"{base} -e glance_switch_phase=back",
            "retire_plan": f"{base} -e glance_switch_phase=retire --check",
            "retire": f"{base} -e glance_switch_phase=retire -e glance_switch_token=TOKEN",
        }


def _phase_text(phase: str) -> str:
    return phase.replace("_", " ")


def images_text(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _progress_text(totals: Facts) -> str:
    parts = [f"{totals['verified']:,} of {images_text(totals['images'])} verified"]
    parts += [f"{totals[state]:,} {state}" for state in ("copied", "waiting", "failed") if totals[state]]
    text = ", ".join(parts).replace(" copied", " copied but not verified").replace(" waiting", " not copied yet")
    text += f", {totals['left_behind']:,} left behind" if totals["left_behind"] else ""
    return f"{text}; {size_text(totals['verified_bytes'])} of {size_text(totals['bytes'])}."


def _between(start: str, end: t.Optional[str]) -> t.Optional[float]:
    if end is None:
        return None
    return round(seconds_of(end) - seconds_of(start), 1)


# --- for people in a terminal --------------------------------------------------------------------------------


def table(report: Facts) -> list[str]:
    """Return a line for each image that somebody may look for, each reason to copy nothing, and one for the rest."""
    rows = [
        (image["image_id"], _cut(image["name"]), size_text(image["size"]), image["state"], image["reason"])
        for image in report["images"]
        if image["reason"] or image["state"] == LEFT_BEHIND
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    lines = ["  ".join([*map(str.ljust, row[:4], widths), row[4]]).rstrip() for row in rows]
    lines += [f"Not to be copied: {images_text(other['images'])}, {other['reason']}." for other in report["others"]]
    lines += _clone_lines(report)
    return [*lines, _summary(report)]


def _clone_lines(report: Facts) -> list[str]:
    count, source = len(report["clones"]["images"]), report["switch"]["from"]
    kept = f"Kept in {source} by retire as long as they have clones in Ceph: {images_text(count)}."
    return [*([kept] if count else []), *report["clones"]["notes"]]


def _cut(name: str) -> str:
    return name if len(name) <= NAME_WIDTH else f"{name[: NAME_WIDTH - 3]}..."


def _summary(report: Facts) -> str:
    totals = report["totals"]
    proofs = ", ".join(f"{count:,} by {proof}" for proof, count in totals["verified_by"].items())
    retries = f" Copies made again: {totals['retries']:,}." if totals["retries"] else ""
    return _progress_text(totals) + (f" Proofs: {proofs}." if proofs else "") + retries


# --- the files ------------------------------------------------------------------------------------------


def run(params: Facts, *, check_mode: bool = False, warn: t.Callable[[str], None] = lambda text: None) -> Facts:
    """Write the report, and return the module's result.

    :raises GlanceError: when there is no journal, or a file cannot be written.
    """
    journal = Journal(params["journal"])
    state = journal.read()
    if not state.switch:
        raise GlanceError(
            f"reading the journal {journal.path}",
            answer="there is none yet" if not state.lines else "its first line is missing",
            remedy="give the directory of a switch that was begun; the phase plan begins one",
        )
    report = Report(state, params["playbook"]).build()
    paths = {name: os.path.join(params["journal"], f"report.{name}") for name in ("json", "html")}
    contents = {"json": json.dumps(report, indent=1) + "\n", "html": page(report)}
    changed = [name for name in paths if _read(paths[name]) != contents[name]]
    if not check_mode:
        for name in changed:
            _write(paths[name], contents[name])
        _keep_verdict(journal, state, report, warn)
    return {
        "changed": bool(changed),
        "verdict": report["verdict"],
        "totals": report["totals"],
        "table": table(report),
        "commands": report["commands"],
        **paths,
    }


def _read(path: str) -> t.Optional[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def _write(path: str, content: str) -> None:
    try:
        handle, temporary = tempfile.mkstemp(prefix=".report-", dir=os.path.dirname(path))
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise GlanceError(
            f"writing {path}",
            answer=str(error.strerror or error),
            remedy="make room, or let the user who runs Ansible write there, and ask for the report again",
        ) from error


def _keep_verdict(journal: Journal, state: State, report: Facts, warn: t.Callable[[str], None]) -> None:
    verdict = {
        "status": report["verdict"]["status"],
        "text": f"{report['verdict']['title']}. {report['verdict']['text']}",
        "attention": [{key: image[key] for key in ("image_id", "name", "reason")} for image in report["attention"]],
    }
    if all(state.verdict.get(key) == value for key, value in verdict.items()):
        return
    try:
        with journal:
            journal.append("verdict", **verdict)
    except GlanceError as error:
        warn(f"The verdict is in the report, but not in the journal: {error}")
