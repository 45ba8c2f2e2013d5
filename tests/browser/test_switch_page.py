# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The report of a switch in a real browser: it is quiet, asks for nothing, runs nothing foreign, and is quick."""

from __future__ import annotations

import functools
import http.server
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _switch_report
from ansible_collections.openstack_ops.glance.tests.browser.webdriver import Browser
from ansible_collections.openstack_ops.glance.tests.unit.plugins.switch_story import HOSTILE, whole_switch

NOTE = "Whether 1 image in local has clones is not known: <img src=x onerror=alert(1)>."
SCREENS = {"phone": (390, 844), "desktop": (1280, 900)}


@pytest.fixture(scope="module")
def browser() -> t.Iterator[Browser]:
    with Browser() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The reports of a few switches, by the number of their images."""
    found = {}
    for images in (0, 50, 2000):
        story = whole_switch(images)
        if images:
            bad = story.image(images, "<script>alert(1)</script>")
            story.copy(bad, "failed", reason="</td><script>document.title = 'taken over'</script>")
            clones = [f"volumes/volume-{'x' * 80}<script>document.title = 'cloned'</script>"]
            story.tell("clones", images=[{"image_id": bad, "clones": 1, "first": clones}], notes=[NOTE])
        directory = story.write(tmp_path_factory.mktemp(f"images-{images}"))
        result = _switch_report.run({"journal": directory, "playbook": _switch_report.PLAYBOOK})
        found[images] = Path(result["html"])
    return found


@pytest.fixture
def opened(browser: Browser, pages: dict[int, Path]) -> t.Callable[[int], Browser]:
    """Return a function that opens the report of so many images."""

    def open_page(images: int) -> Browser:
        browser.open("about:blank")
        browser.console()
        browser.requests()
        browser.open(pages[images].as_uri())
        return browser

    return open_page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("images", [0, 50, 2000])
def test_page_is_quiet_and_fits(
    browser: Browser, opened: t.Any, pages: dict[int, Path], images: int, screen: str, dark: bool
) -> None:
    browser.resize(*SCREENS[screen], dark=dark)
    opened(images)
    assert browser.console() == []
    assert browser.requests() == [pages[images].as_uri()]
    assert browser.run("return document.documentElement.scrollWidth") <= SCREENS[screen][0]
    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")


def test_nothing_is_asked_for_when_a_server_gives_it_out(browser: Browser, pages: dict[int, Path]) -> None:
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def send_head(self) -> t.Any:
            asked.append(self.path)
            return super().send_head()

        def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
            """Keep the output of the tests readable."""

    serving = functools.partial(Handler, directory=str(pages[50].parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.open("about:blank")
        browser.console()
        browser.open(f"http://127.0.0.1:{server.server_address[1]}/report.html")
        assert browser.console() == []
        server.shutdown()
    assert asked == ["/report.html"]


def test_names_run_nothing(opened: t.Any) -> None:
    browser = opened(50)
    assert browser.run("return document.title") == "1 image needs attention: local to objects"
    assert browser.run("return document.scripts.length") == 1
    shown = browser.run("return [...document.querySelectorAll('#images tbody bdi')].map(name => name.textContent)")
    assert {HOSTILE[0], HOSTILE[2], HOSTILE[3], HOSTILE[7], HOSTILE[8]} <= set(shown)


def test_names_of_clones_run_nothing(opened: t.Any) -> None:
    browser = opened(50)
    shown = browser.run("return document.querySelector('table.clones').textContent")
    assert "<script>document.title = 'cloned'</script>" in shown
    assert NOTE in browser.run("return document.body.textContent")
    assert browser.run("return document.title") == "1 image needs attention: local to objects"
    assert browser.run("return document.images.length") == 0


def test_policy_stops_what_is_not_in_the_page(opened: t.Any) -> None:
    browser = opened(50)
    browser.run(
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\" onerror=\"alert(1)\">');"
        "const script = document.createElement('script'); script.textContent = 'document.title = 1';"
        "document.body.append(script);"
    )
    said = " ".join(browser.console())
    assert "Loading the image 'http://127.0.0.1:9/x' violates" in said
    assert "Executing inline script violates" in said
    assert browser.run("return document.title") != "1"


def test_table_is_sorted_and_filtered(opened: t.Any) -> None:
    browser = opened(50)
    names = "return [...document.querySelectorAll('#images tbody tr:not([hidden]) bdi')].map(name => name.textContent)"
    click = "document.querySelectorAll('#images th button')[{}].click()"
    assert browser.run(names)[0].startswith("<script>alert")
    browser.run(click.format(0))
    up = [name for name in browser.run(names) if name.startswith("image ")]
    assert up == [f"image {number}" for number in range(len(HOSTILE), 50)]
    browser.run(click.format(0))
    assert [name for name in browser.run(names) if name.startswith("image ")] == up[::-1]
    assert browser.run("return document.querySelector('#images th').ariaSort") == "descending"
    browser.run(click.format(6))
    seconds = browser.run(
        "return [...document.querySelectorAll('#images tbody td:nth-child(7)')].map(c => c.textContent)"
    )
    assert [float(each) for each in seconds] == sorted(map(float, seconds))
    browser.run(
        "const box = document.getElementById('filter'); box.value = 'IMAGE 4'; box.dispatchEvent(new Event('input'))"
    )
    assert sorted(browser.run(names)) == [f"image {number}" for number in range(40, 50)]
    assert browser.run("return document.getElementById('shown').textContent") == "10 of 51 shown"


def test_whole_hashes_are_shown_on_demand(opened: t.Any) -> None:
    browser = opened(50)
    hash_of_one = "document.querySelector('#images tbody tr:last-child .hex')"
    shown = f"return {hash_of_one}.innerText.length"
    browser.run(f"{hash_of_one}.scrollIntoView()")
    assert browser.run(shown) == 16
    browser.run("document.getElementById('whole').click()")
    assert browser.run(shown) == 128


def test_tables_and_pictures_are_told_to_those_who_do_not_see(opened: t.Any) -> None:
    browser = opened(50)
    browser.tool("Accessibility.enable")
    nodes = browser.tool("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
    # One row of the attention, one of the clones, one of each phase, those of the images, and the heads.
    assert roles.count("row") == 51 + 1 + 1 + 4 + 4
    assert roles.count("columnheader") == 9 + 4 + 3 + 5
    pictures = {node["name"]["value"]: node for node in nodes if node.get("role", {}).get("value") in ("img", "image")}
    assert set(pictures) == {
        "Rate over time 98.0 seconds of work, 50.0 MiB/s on average, 50.0 MiB/s at most.",
        "Bytes in each store local: before 4.9 GiB (50 images), after 4.9 GiB (50 images)."
        " objects: before 0 B (0 images), after 4.9 GiB (50 images).",
    }


def test_two_thousand_images_are_sorted_at_once(opened: t.Any) -> None:
    browser = opened(2000)
    milliseconds = browser.run(
        "const begun = performance.now(); document.querySelector('#images th button').click();"
        "document.body.offsetHeight; return performance.now() - begun"
    )
    # A tenth of that where nothing else runs.
    assert milliseconds < 2000
