# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The journal of a switch that never took place, with as many images as a test wants."""

from __future__ import annotations

import datetime
import hashlib
import json
import typing as t
from pathlib import Path

MIB = 1024 * 1024
BEGIN = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
HOSTILE = (
    "<script>document.title = 'taken over'</script>",
    "\u202egnp.exe",
    "n" * 255,
    "\"'><img src=http://127.0.0.1:9/x onerror=alert(1)>",
    "\x1b[31mred\r\nbell\x07",
    "مرحبا بالعالم",
    "https://user:hunter2@images.example.org/x",
    "{{ 7 * 7 }}{% raw %}",
    "</style></svg></table>",
    "",
)
"""Names that somebody may give to an image."""


class Story:
    """Collects the lines of a journal, with a clock of its own."""

    def __init__(self, source: str = "local", target: str = "objects") -> None:
        self.lines: list[dict[str, t.Any]] = []
        self.seconds = 0.0
        self.ends = {"from": source, "to": target}
        self.tell(
            "switch",
            id="0d1e5c1e-6a0c-4c5f-9a3f-5b2a6c1d7e8f",
            **self.ends,
            from_type="file",
            to_type="swift",
            release="zed",
            controllers=["controller-1", "controller-2"],
        )

    def tell(self, event: str, **facts: t.Any) -> None:
        """Add a line."""
        time = (BEGIN + datetime.timedelta(seconds=self.seconds)).isoformat(timespec="milliseconds")
        self.lines.append({"time": time.replace("+00:00", "Z"), "event": event, **facts})

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.seconds += seconds

    def phase(self, phase: str, state: str = "finished", **facts: t.Any) -> None:
        """Begin a phase, or end it a little later."""
        self.wait(1 if state != "started" else 0)
        self.tell("phase", phase=phase, state=state, **facts)

    def image(self, number: int, name: t.Optional[str] = None, size: int = 100 * MIB, **facts: t.Any) -> str:
        """Tell what an image is, and return its id."""
        image_id = f"{number:08x}-0000-4000-8000-{number:012x}"
        value = hashlib.sha512(image_id.encode()).hexdigest()
        known = {"hash_algo": "sha512", "hash_value": value, "owner": "customer", "visibility": "private"}
        shown = f"image {number}" if name is None else name
        self.tell("image", image_id=image_id, name=shown, size=size, **{**known, "status": "active", **facts})
        return image_id

    def copy(self, image_id: str, state: str = "done", attempt: int = 1, **facts: t.Any) -> None:
        """Copy an image."""
        self.tell("copy", image_id=image_id, state="started", controller="controller-1", attempt=attempt)
        self.wait(2)
        facts = {"seconds": 2.0, **facts} if state == "done" else facts
        self.tell("copy", image_id=image_id, state=state, controller="controller-1", attempt=attempt, **facts)

    def verify(self, image_id: str, state: str = "done", proof: str = "reader", **facts: t.Any) -> None:
        """Read its copy back."""
        self.wait(0.5)
        known = {"algo": "sha512", "value": "x", "size": 100 * MIB, "controller": "controller-2", "seconds": 0.5}
        self.tell("verify", image_id=image_id, state=state, proof=proof, **{**known, **facts})

    def write(self, directory: Path) -> str:
        """Write it as a journal, and return the directory."""
        directory.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines)
        (directory / "journal.jsonl").write_text(text, encoding="utf-8")
        return str(directory)


def whole_switch(images: int, **facts: t.Any) -> Story:
    """Return a switch of so many images that went well; the first of them have names that are meant to do harm."""
    story = Story()
    story.phase("plan", "started")
    story.tell("plan", images=images, bytes=images * 100 * MIB, copied=0, copied_bytes=0, blocked=[])
    story.phase("plan")
    everything = {"images": images, "bytes": images * 100 * MIB}
    story.tell("stores", when="before", stores={"local": everything, "objects": {"images": 0, "bytes": 0}})
    story.phase("copy", "started")
    ids = []
    for number in range(images):
        name = HOSTILE[number] if number < len(HOSTILE) else None
        ids.append(story.image(number, name, **facts))
        story.copy(ids[-1])
        done = (number + 1) * 100 * MIB
        story.tell("sample", what="copy", images=number + 1, bytes=done, rate=50 * MIB)
    story.phase("copy")
    story.phase("verify", "started")
    for image_id in ids:
        story.verify(image_id)
    story.phase("verify")
    story.phase("cut_over", "started")
    story.phase("cut_over")
    story.tell("stores", when="after", stores={"local": everything, "objects": everything})
    return story
