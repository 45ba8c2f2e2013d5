# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module store_report, driven through main() with journals of all kinds."""

from __future__ import annotations

import copy
import html.parser
import json
import os
import re
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_page
from ansible_collections.openstack_ops.glance.plugins.module_utils._switch_journal import Journal
from ansible_collections.openstack_ops.glance.plugins.modules import store_report
from ansible_collections.openstack_ops.glance.tests.unit.plugins.switch_story import HOSTILE, MIB, Story, whole_switch

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

Result = dict[str, t.Any]


@pytest.fixture
def report(tmp_path: Path, run_module: RunModule) -> t.Callable[..., tuple[Result, Result]]:
    """Return a function that gives the result of the module, and the report that it has written."""

    def make(story: Story, **options: t.Any) -> tuple[Result, Result]:
        directory = story.write(tmp_path / "journal")
        result = run_module(store_report, {"journal": directory, **options})
        assert not result.get("failed"), result
        return result, json.loads(Path(result["json"]).read_text(encoding="utf-8"))

    return make


def states(content: Result) -> dict[str, str]:
    """Return the state of each image, by its number."""
    return {image["name"]: image["state"] for image in content["images"]}


# --- the verdict ------------------------------------------------------------------------------------------------------


def test_all_is_verified(report: t.Any) -> None:
    result, content = report(whole_switch(12))
    assert result["verdict"]["status"] == 0
    assert result["verdict"]["title"] == "All images are verified"
    assert "Glance writes to objects; what was in local before is still there too" in result["verdict"]["text"]
    assert result["table"] == ["12 of 12 images verified; 1.2 GiB of 1.2 GiB. Proofs: 12 by reader."]
    assert result["totals"]["verified_bytes"] == 1200 * MIB
    assert set(states(content).values()) == {"verified"}
    image = next(image for image in content["images"] if image["name"] == "image 11")
    assert (image["from"], image["to"], image["proof"], image["hash_of"]) == ("local", "objects", "reader", "glance")
    assert (image["copy_seconds"], image["verify_seconds"], image["retries"]) == (2.0, 0.5, 0)


def test_every_kind_of_trouble_is_told(report: t.Any) -> None:
    story = whole_switch(2)
    failed = story.image(50, "failed")
    story.copy(failed, "failed", reason="Swift said 503 to https://user:hunter2@swift/v1 X-Auth-Token: gAAAAABtoken")
    wrong = story.image(51, "wrong")
    story.copy(wrong)
    story.verify(wrong, "failed", reason="sha512 is another one")
    opened = story.image(52, "opened", status="deactivated")
    story.tell("reactivated", image_id=opened, state="open")
    story.copy(opened)
    story.verify(opened)
    story.tell("plan", images=0, bytes=0, copied=5, copied_bytes=0, blocked=[
        {"image_id": "b", "name": "blocked", "size": 7, "reason": "wrong format", "attention": True},
        {"image_id": "q", "name": "queued", "size": 0, "reason": "queued", "attention": False},
    ])  # fmt: skip
    kept = story.image(53, "kept")
    story.copy(kept, attempt=1)
    story.copy(kept, attempt=2)
    story.verify(kept)
    story.tell("retire", image_id=kept, state="failed", reason="HTTP 409: in use")
    story.phase("copy")
    result, content = report(story)
    assert (result["verdict"]["status"], result["verdict"]["title"]) == (2, "5 images need attention")
    found = {line["name"]: (line["state"], line["reason"]) for line in content["attention"]}
    assert found["failed"] == (
        "failed",
        "Swift said 503 to https://user:VALUE_HIDDEN@swift/v1 X-Auth-Token: VALUE_HIDDEN",
    )
    assert found["wrong"] == ("wrong", "sha512 is another one")
    assert found["opened"][0] == "verified"
    assert "may be active still" in found["opened"][1]
    assert found["blocked"] == ("blocked", "wrong format")
    assert found["kept"] == ("verified", "HTTP 409: in use")
    assert "queued" not in states(content)
    assert len(result["table"]) == 6
    assert result["table"][-1].endswith("Copies made again: 1.")
    text = json.dumps(content) + Path(result["html"]).read_text(encoding="utf-8") + json.dumps(result)
    assert "hunter2" not in text
    assert "gAAAAAB" not in text


@pytest.mark.parametrize(
    ("state", "said"), [("started", "has not ended"), ("interrupted", "was interrupted"), ("failed", "failed")]
)
def test_stopped_run(report: t.Any, state: str, said: str) -> None:
    story = Story()
    story.phase("plan", "started")
    story.tell("plan", images=4, bytes=400 * MIB, copied=1, copied_bytes=100 * MIB, blocked=[])
    story.phase("plan")
    story.phase("copy", "started")
    one, two = story.image(1), story.image(2)
    story.copy(one)
    story.tell("copy", image_id=two, state="started", controller="controller-1", attempt=1)
    if state != "started":
        story.phase("copy", state, reason="a full disk")
    result, content = report(story)
    assert (result["verdict"]["status"], result["verdict"]["title"]) == (1, "Stopped in copy")
    assert said in result["verdict"]["text"]
    assert ("a full disk" in result["verdict"]["text"]) == (state != "started")
    assert states(content) == {"image 1": "copied", "image 2": "copying"}
    assert result["totals"]["images"] == 4
    assert result["table"][-1].startswith("0 of 4 images verified, 1 copied but not verified, 3 not copied yet")
    assert result["commands"]["go_on"].endswith("glance_switch_to=objects")


def test_stop_on_one_controller_is_over_when_that_one_has_finished(report: t.Any) -> None:
    story = whole_switch(1)
    story.phase("cut_over", "started", controller="controller-1")
    story.phase("cut_over", "failed", controller="controller-1", reason="it does not answer")
    story.phase("cut_over", "started", controller="controller-2")
    story.phase("cut_over", controller="controller-2")
    result, _content = report(story)
    assert result["verdict"]["text"].startswith("Cut over on controller-1 failed: it does not answer.")
    story.phase("cut_over", controller="controller-1")
    assert report(story)[0]["verdict"]["status"] == 0


def test_stop_is_over_when_the_whole_switch_is_through(report: t.Any) -> None:
    story = whole_switch(1)
    story.phase("add", "failed", reason="Swift does not answer")
    story.phase("add", controller="controller-1")
    assert report(story)[0]["verdict"]["status"] == 1
    ended = copy.deepcopy(story)
    ended.phase("add")
    assert report(ended)[0]["verdict"]["status"] == 0
    story.phase("cut_over")
    assert report(story)[0]["verdict"]["status"] == 0


def test_stop_is_over_when_the_switch_is_undone(report: t.Any) -> None:
    story = whole_switch(1)
    story.phase("cut_over", "failed", controller="controller-2", reason="it does not answer")
    assert report(story)[0]["verdict"]["title"] == "Stopped in cut over"
    story.phase("back")
    verdict = report(story)[0]["verdict"]
    assert (verdict["status"], verdict["text"].partition(";")[0]) == (0, "Glance writes to local again")


def test_where_glance_writes_to_after_a_switch_back(report: t.Any) -> None:
    story = whole_switch(1)
    story.phase("cut_over")
    assert report(story)[0]["verdict"]["text"].startswith("Glance writes to objects; ")
    story.phase("back")
    assert report(story)[0]["verdict"]["text"].startswith("Glance writes to local again; ")
    story.phase("cut_over")
    assert report(story)[0]["verdict"]["text"].startswith("Glance writes to objects; ")


def test_what_is_left_to_do_is_not_called_verified(report: t.Any) -> None:
    story = Story()
    assert report(story)[0]["verdict"]["title"] == "Not finished"
    story.phase("copy", "started")
    image = story.image(1)
    story.copy(image)
    story.phase("copy")
    result, _content = report(story)
    assert (result["verdict"]["status"], result["verdict"]["title"]) == (2, "Not finished")
    assert "nothing has been cut over" in result["verdict"]["text"]
    story.verify(image)
    assert report(story)[0]["verdict"]["status"] == 0
    story.copy(image, attempt=2)
    assert report(story)[0]["verdict"]["status"] == 2


def test_image_that_was_deleted_meanwhile_is_not_missed(report: t.Any) -> None:
    story = whole_switch(2)
    story.tell("unlock", image_id="somebody-elses", task_id="t", controller="controller-1", removed=[])
    gone = story.image(9, "gone")
    story.copy(gone, "gone", reason="it was deleted while it was being copied")
    story.phase("copy")
    result, content = report(story)
    assert (result["verdict"]["status"], result["totals"]["images"]) == (0, 2)
    assert "gone" not in states(content)


def test_what_glance_has_undone_needs_attention_until_it_is_changed_again(report: t.Any) -> None:
    story = whole_switch(2)
    image = story.image(0)
    story.copy(image, undone=["name", "tags"], updated_at="2026-11-21T12:00:00Z")
    story.verify(image)
    result, content = report(story)
    assert (result["verdict"]["status"], [row["image_id"] for row in content["attention"]]) == (2, [image])
    assert "name, tags: changed while it was copied, and Glance has undone that" in content["attention"][0]["reason"]
    story.tell("copy", image_id=image, state="done", undone=[])
    assert report(story)[0]["verdict"]["status"] == 0


def test_what_is_left_behind_is_told_and_no_failure(report: t.Any) -> None:
    story = whole_switch(3)
    wrong, failed = story.image(50, "wrong"), story.image(51, "failed")
    story.copy(wrong)
    story.verify(wrong, "failed", reason="sha512 is another one")
    story.copy(failed, "failed")
    # What nobody has copied, but of which a lock was broken.
    story.tell("unlock", image_id="x", task_id="t", controller="controller-1", removed=[])
    story.phase("copy")
    assert report(story)[0]["verdict"]["status"] == 2
    images = [{"image_id": image, "name": image, "size": 7} for image in ("x", wrong, failed, story.image(0))]
    story.tell("left_behind", images=images)
    result, content = report(story)
    assert (result["verdict"]["status"], result["verdict"]["title"]) == (
        0,
        "All images but those left behind are verified",
    )
    assert "3 of 3 images verified, 3 left behind;" in result["verdict"]["text"]
    assert (result["totals"]["failed"], result["totals"]["left_behind"], result["totals"]["images"]) == (0, 3, 3)
    assert content["attention"] == []
    assert {image["image_id"] for image in content["images"] if image["state"] == "left_behind"} == {"x", wrong, failed}
    assert sorted(line.split()[0] for line in result["table"][:-1]) == sorted(["x", wrong, failed])
    assert "left behind</td>" in Path(result["html"]).read_text(encoding="utf-8")
    story.tell("left_behind", images=[])
    assert report(story)[0]["verdict"]["status"] == 2


def test_blocked_image_is_told_though_a_lock_of_it_was_broken(report: t.Any) -> None:
    story = whole_switch(1)
    story.tell("unlock", image_id="b", task_id="t", controller="controller-1", removed=[])
    blocked = {"image_id": "b", "name": "blocked", "size": 7, "reason": "wrong format"}
    story.tell("plan", images=1, bytes=0, copied=1, copied_bytes=0, blocked=[blocked])
    story.phase("copy")
    assert report(story)[1]["attention"] == [{**blocked, "state": "blocked"}]


def test_what_the_copying_has_left_needs_attention(report: t.Any) -> None:
    story = whole_switch(2)
    other = {"reason": "queued: there is nothing to copy", "images": 3}
    left = {"image_id": "x", "name": "uploaded since", "size": 7, "reason": "locked for the import t"}
    story.tell("left", images=[left], others=[other])
    result, content = report(story)
    assert (result["verdict"]["status"], result["verdict"]["title"]) == (2, "1 image needs attention")
    assert content["attention"] == [{**left, "state": "waiting"}]
    assert (result["totals"]["waiting"], content["others"]) == (1, [other])
    assert "Not to be copied: 3 images, queued: there is nothing to copy." in result["table"]
    assert "3: queued: there is nothing to copy" in Path(result["html"]).read_text(encoding="utf-8")
    story.tell("left", images=[], others=[])
    assert report(story)[0]["verdict"]["status"] == 0


def test_plan_of_images_that_never_came_is_forgotten_after_the_copy(report: t.Any) -> None:
    story = Story()
    story.tell("plan", images=3, bytes=0, copied=0, copied_bytes=0, blocked=[])
    story.phase("copy", "started")
    image = story.image(1)
    story.copy(image)
    story.phase("copy")
    story.verify(image)
    assert report(story)[0]["verdict"]["status"] == 0


def test_switch_without_images(report: t.Any) -> None:
    result, _content = report(whole_switch(0))
    assert (result["verdict"]["status"], result["verdict"]["title"]) == (0, "No image is in local")


def test_retired_switch(report: t.Any) -> None:
    story = whole_switch(1)
    story.phase("retire", "started")
    story.tell("retire", image_id=story.image(0), state="done", size=100 * MIB)
    story.phase("retire")
    result, content = report(story)
    assert result["verdict"]["status"] == 0
    assert "what was verified there is deleted from local" in result["verdict"]["text"]
    assert [image["state"] for image in content["images"]] == ["retired"]
    story.phase("copy", "started")
    story.phase("copy")
    story.phase("cut_over")
    assert "what was verified there is deleted from local" in report(story)[0]["verdict"]["text"]


def with_clones(images: list[tuple[str, t.Optional[int]]], notes: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """Return the facts of the event that names images with clones."""
    rows = [
        {"image_id": image_id, "clones": number, "first": ["volumes/<b>"] if number else []}
        for image_id, number in images
    ]
    return {"images": rows, "notes": list(notes)}


def test_images_with_clones_are_told(report: t.Any) -> None:
    story = whole_switch(2)
    one, gone = story.image(1), story.image(0)
    story.tell("clones", **with_clones([("earlier", 9)]))
    story.tell("clones", **with_clones([(one, 1200), (gone, 1), ("unnamed", None)], ["One was not seen."]))
    story.tell("retire", image_id=gone, state="done", size=100 * MIB)
    result, content = report(story)
    assert result["verdict"]["status"] == 0
    assert [(row["image_id"], row["clones"], row["first"]) for row in content["clones"]["images"]] == [
        (one, 1200, ["volumes/<b>"]), ("unnamed", None, []),
    ]  # fmt: skip
    assert result["table"][:2] == [
        "Kept in local by retire as long as they have clones in Ceph: 2 images.", "One was not seen."
    ]  # fmt: skip
    page = Path(result["html"]).read_text(encoding="utf-8")
    assert all(text in page for text in ("Clones in Ceph", "1,200", "not known", "volumes/&lt;b&gt;", "One was not"))
    story.phase("retire")
    result, content = report(story)
    assert content["clones"] == {"images": [], "notes": []}
    assert "Clones in Ceph" not in Path(result["html"]).read_text(encoding="utf-8")


def test_page_names_the_first_images_with_clones(report: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_switch_page, "SHOWN_CLONES", 2)
    story = whole_switch(1)
    story.tell("clones", **with_clones([(f"image-{number}", 1) for number in range(5)]))
    result, content = report(story)
    page = Path(result["html"]).read_text(encoding="utf-8")
    assert ("image-1" in page, "image-2" in page, "And 3 more" in page) == (True, False, True)
    assert len(content["clones"]["images"]) == 5


def test_hash_of_the_source_stands_in(report: t.Any) -> None:
    story = whole_switch(1, hash_algo="", hash_value="")
    story.tell("source_hash", image_id=story.image(0, hash_algo="", hash_value=""), algo="sha512", value="ab", size=1)
    _result, content = report(story)
    assert [(image["hash_of"], image["hash_value"]) for image in content["images"]] == [("source", "ab")]


# --- the commands -----------------------------------------------------------------------------------------------------


def test_commands_can_be_typed(report: t.Any) -> None:
    story = Story("old; reboot", "objects")
    commands = report(story, playbook="ansible-playbook -i here switch")[0]["commands"]
    base = "ansible-playbook -i here switch -e 'glance_switch_from=old; reboot' -e glance_switch_to=objects"
    assert commands == {
        "go_on": base,
        "back": f"{base} -e glance_switch_phase=back",
        "retire_plan": f"{base} -e glance_switch_phase=retire --check",
        "retire": f"{base} -e glance_switch_phase=retire -e glance_switch_token=TOKEN",
    }
    story.phase("retire", "failed")
    assert report(story)[0]["commands"]["go_on"].endswith("-e glance_switch_phase=retire")


# --- the files --------------------------------------------------------------------------------------------------------


def test_same_journal_gives_the_same_report(report: t.Any, tmp_path: Path, run_module: RunModule) -> None:
    first, _content = report(whole_switch(3))
    before = {name: Path(first[name]).read_bytes() for name in ("json", "html")}
    options = {"journal": str(tmp_path / "journal")}
    again = run_module(store_report, options)
    assert (first["changed"], again["changed"]) == (True, False)
    assert {name: Path(again[name]).read_bytes() for name in ("json", "html")} == before
    lines = Path(options["journal"], "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["status"] for line in lines if json.loads(line)["event"] == "verdict"] == [0]


def test_check_mode_writes_nothing(tmp_path: Path, run_module: RunModule) -> None:
    directory = whole_switch(1).write(tmp_path / "journal")
    result = run_module(store_report, {"journal": directory}, check=True)
    assert (result["changed"], result["verdict"]["status"]) == (True, 0)
    assert os.listdir(directory) == ["journal.jsonl"]
    assert "verdict" not in Path(directory, "journal.jsonl").read_text(encoding="utf-8")


def test_report_is_made_while_another_run_writes_the_journal(
    report: t.Any, tmp_path: Path, run_module: RunModule
) -> None:
    directory = whole_switch(1).write(tmp_path / "journal")
    with Journal(directory):
        result = run_module(store_report, {"journal": directory})
    assert result["verdict"]["status"] == 0
    assert "another run is writing it" in json.dumps(result["warnings"])


def test_no_journal_is_told(tmp_path: Path, run_module: RunModule) -> None:
    assert "there is none yet" in run_module(store_report, {"journal": str(tmp_path)})["msg"]
    (tmp_path / "journal.jsonl").write_text('{"time": "x", "event": "sample"}\n', encoding="utf-8")
    assert "its first line is missing" in run_module(store_report, {"journal": str(tmp_path)})["msg"]


def test_every_key_of_the_report_is_documented(report: t.Any) -> None:
    story = whole_switch(1)
    story.copy(story.image(2, "bad"), "failed")
    _result, content = report(story)
    told = " ".join(yaml.safe_load(store_report.DOCUMENTATION)["notes"])
    story.tell("clones", **with_clones([("one", 1)]))
    _result, content = report(story)
    keys = {*content, *content["clones"], *content["clones"]["images"][0]}
    for part in ("phases", "images", "attention", "rate"):
        assert content[part], part
        keys |= set(content[part][0])
    assert {key for key in keys if f"C({key})" not in told} == set()
    assert set(content["totals"]) == set(yaml.safe_load(store_report.RETURN)["totals"]["contains"])


# --- the page ---------------------------------------------------------------------------------------------------------


class Seen(html.parser.HTMLParser):
    """Notes the elements of a page, and the attributes that could ask for something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, t.Optional[str]]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes.update(name for name, _value in attrs)

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text.append(data)


def test_page_escapes_everything_and_asks_for_nothing(report: t.Any) -> None:
    story = whole_switch(len(HOSTILE))
    story.copy(story.image(99, "x"), "failed", reason="<script>alert(1)</script>")
    result, _content = report(story)
    page = Path(result["html"]).read_text(encoding="utf-8")
    seen = Seen(page)
    assert seen.tags.count("script") == seen.tags.count("style") == 1
    assert not {"img", "link", "iframe", "object", "embed", "image", "use", "form", "a"} & set(seen.tags)
    assert not {"src", "href", "style", "xlink:href"} & seen.attributes
    assert not [name for name in seen.attributes if name.startswith("on")]
    assert "hunter2" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "\\u202egnp.exe" in "".join(seen.text)
    assert "<script>document.title" in "".join(seen.text)
    assert "مرحبا بالعالم" in page
    assert "{{ 7 * 7 }}{% raw %}" in "".join(seen.text)


def test_page_allows_only_its_own_style_and_script(report: t.Any) -> None:
    page = Path(report(whole_switch(1))[0]["html"]).read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for element, text in (("style", _switch_page.STYLE), ("script", _switch_page.SCRIPT)):
        assert f"<{element}>{text}</{element}>" in page
        assert f"{element}-src '{_switch_page._hash(text)}'" in policy.group(1)
    assert policy.group(1).startswith("default-src 'none';")
    assert "unsafe" not in policy.group(1)


def test_verdict_comes_first(report: t.Any) -> None:
    page = Path(report(whole_switch(1))[0]["html"]).read_text(encoding="utf-8")
    assert re.findall(r"<h[12][^>]*>([^<]*)", page)[:2] == ["All images are verified", "What to type now"]


def test_journal_that_cannot_be_read_in_part_is_told_on_the_page(tmp_path: Path, run_module: RunModule) -> None:
    directory = whole_switch(1).write(tmp_path / "journal")
    with open(os.path.join(directory, "journal.jsonl"), "a", encoding="utf-8") as file:
        file.write("torn\ntorn\n")
    result = run_module(store_report, {"journal": directory})
    assert "2 lines of the journal cannot be read" in Path(result["html"]).read_text(encoding="utf-8")


def test_without_jinja2_it_is_told(tmp_path: Path, run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_switch_page, "IMPORT_ERROR", "no module named jinja2")
    directory = whole_switch(1).write(tmp_path / "journal")
    assert "jinja2 cannot be imported" in run_module(store_report, {"journal": directory})["msg"]


def test_two_thousand_images_take_seconds_at_most(report: t.Any) -> None:
    started = time.process_time()
    result, content = report(whole_switch(2000))
    assert time.process_time() - started < 15
    assert len(content["images"]) == 2000
    assert os.path.getsize(result["html"]) < 3 * MIB
