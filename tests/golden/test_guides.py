# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What widespread guides tell people to write is what is rendered, but for the corrections that each case explains."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from rendering import HERE, Rendered, Settings, render

GUIDES = sorted(path.parent for path in (HERE / "guides").glob("*/guide.yml"))


class Setting(t.NamedTuple):
    """What a guide sets, and for which host of its inventory."""

    host: str
    file: str
    name: str
    value: str


def settings_of(guide: dict[str, t.Any], hosts: t.Collection[str]) -> list[Setting]:
    """Return all settings of a guide; a file that is not said to be of one host is of the only one there is."""
    found = []
    for place, sections in guide["settings"].items():
        host, _blank, file = place.rpartition(" ")
        for section, options in sections.items():
            name = host or next(iter(hosts))
            found += [Setting(name, file, f"{section}.{option}", str(value)) for option, value in options.items()]
    return found


def correction_of(guide: dict[str, t.Any], setting: Setting) -> t.Optional[dict[str, t.Any]]:
    """Return the correction of a setting, if it has one."""
    return next(
        (
            correction
            for correction in guide["corrections"]
            if correction["setting"] == setting.name and correction.get("host", setting.host) == setting.host
        ),
        None,
    )


def value(settings: Settings, name: str) -> t.Optional[str]:
    """Return the value of ``section.option`` that counts, or None."""
    section, _dot, option = name.partition(".")
    values = settings.get((section, option))
    return values[-1] if values else None


def same(one: t.Optional[str], other: t.Optional[str]) -> bool:
    """Tell whether oslo.config reads two values as the same: the case of booleans and blanks in lists do not matter."""

    def read(text: t.Optional[str]) -> t.Any:
        if text is None or text.lower() in ("true", "false"):
            return text and text.lower()
        return [item.strip() for item in text.split(",")]

    return bool(read(one) == read(other))


def differences(guide: dict[str, t.Any], rendered: dict[str, Rendered]) -> t.Iterator[str]:
    """Return where the rendered files are neither as the guide says nor as the case corrects it."""
    used = []
    for setting in settings_of(guide, rendered):
        found = rendered[setting.host].settings(setting.file)
        correction = correction_of(guide, setting)
        used.append(correction)
        problems = uncorrected(setting, found) if correction is None else corrected(setting, correction, found)
        yield from (f"{setting.host} {setting.file} {setting.name}: {problem}" for problem in problems)
    for correction in guide["corrections"]:
        if correction not in used:
            yield f"{correction['setting']} is corrected, and the guide does not set it"


def uncorrected(setting: Setting, found: Settings) -> t.Iterator[str]:
    """Return how a setting differs from the guide."""
    if not same(value(found, setting.name), setting.value):
        yield f"it is {value(found, setting.name)!r}, the guide says {setting.value!r}"


def corrected(setting: Setting, correction: dict[str, t.Any], found: Settings) -> t.Iterator[str]:
    """Return how a setting differs from its correction."""
    instead: dict[str, str] = correction["instead"]
    if same(value(found, setting.name), setting.value):
        yield "it is as the guide says, and has a correction"
    if setting.name not in instead and value(found, setting.name) is not None:
        yield "it is set, and the correction says that something else is"
    for name, wanted in instead.items():
        if not same(value(found, name), wanted):
            yield f"{name} is {value(found, name)!r} instead, the correction says {wanted!r}"
    if not correction["why"].strip():
        yield "it is corrected without a reason"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rendered]:
    """What the inventories of all guides render."""
    inventories = [directory / "inventory.yml" for directory in GUIDES]
    return render(inventories, tmp_path_factory.mktemp("guides") / "rendered.json")


@pytest.fixture(params=GUIDES, ids=lambda path: path.name)
def case(request: pytest.FixtureRequest, everything: dict[str, Rendered]) -> t.Any:
    """One guide, and what its inventory renders."""
    directory: Path = request.param
    guide = yaml.safe_load((directory / "guide.yml").read_text(encoding="utf-8"))
    (group,) = yaml.safe_load((directory / "inventory.yml").read_text(encoding="utf-8")).values()
    return guide, {host: everything[host] for host in group["hosts"]}


def test_every_setting_is_as_the_guide_says_or_corrected(case: t.Any) -> None:
    guide, rendered = case
    found = list(differences(guide, rendered))
    assert not found, "\n".join(found)


def test_a_setting_that_is_left_out_is_found(case: t.Any) -> None:
    guide, rendered = case
    for host, configuration in rendered.items():
        bare = configuration._replace(files=dict.fromkeys(configuration.files, "[nothing]\n"))
        assert len(list(differences(guide, {**rendered, host: bare}))) >= 3


def test_a_wrong_correction_is_found(case: t.Any) -> None:
    guide, rendered = case
    wrong = [{**correction, "instead": {"DEFAULT.debug": "perhaps"}} for correction in guide["corrections"]]
    assert len(list(differences({**guide, "corrections": wrong}, rendered))) >= len(wrong)


def test_a_correction_of_nothing_is_found(case: t.Any) -> None:
    guide, rendered = case
    more = [*guide["corrections"], {"setting": "DEFAULT.nothing", "instead": {}, "why": "To be found."}]
    assert any("does not set it" in found for found in differences({**guide, "corrections": more}, rendered))


def test_there_is_a_case_for_each_guide() -> None:
    assert len(GUIDES) == 5
