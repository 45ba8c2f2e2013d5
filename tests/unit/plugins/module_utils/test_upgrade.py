# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The plan of an upgrade: who is due, which phases are left, what is refused, and what holds the contract phase."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.openstack_ops.glance.plugins.module_utils._upgrade import (
    Controller,
    Dump,
    Table,
    dump_name,
    dump_to_go_back_to,
    holders,
    is_new,
    lines,
    plan,
    problems,
)

ROOT = Path(__file__).parents[4]
RELEASES: list[dict[str, t.Any]] = yaml.safe_load(
    (ROOT / "roles/glance/files/releases.yml").read_text(encoding="utf-8")
)["releases"]
TABLE = Table(RELEASES)
VARIABLES: dict[str, t.Any] = {
    "glance_upgrade_drain_timeout": 3600,
    "glance_upgrade_grace": "15",
    "glance_upgrade_phase_timeout": 86400,
    "glance_upgrade_hand_over": "",
    "glance_upgrade_directory": "/var/backups/glance",
    "glance_upgrade_skip_releases": False,
}
OLD, NEW = "/opt/glance/30.1.0-00000000", "/opt/glance/33.0.0-11111111"
ZED, CONTRACTED = "wallaby_contract01", "2024_1_contract01"


def packaged(name: str, version: str, release: str = "", **more: t.Any) -> Controller:
    return Controller(name, **{"running": bool(version), "version": version, "release": release, **more})


def sourced(name: str, environment: str, **more: t.Any) -> Controller:
    version = environment.rpartition("/")[2].partition("-")[0]
    more = {"running": True, "release": "hibiscus", "wanted_environment": NEW, **more}
    return Controller(name, version=version, environment=environment, **more)


def codes(*controllers: Controller, revisions: t.Collection[str] = (), **variables: t.Any) -> list[str]:
    found = plan(controllers, RELEASES, revisions)
    return [problem.code for problem in problems(found, controllers, RELEASES, {**VARIABLES, **variables})]


class TestReleases:
    @pytest.mark.parametrize(
        ("version", "release"),
        [("25.1.0", "zed"), ("2015.1.4", "kilo"), ("2014.2", "juno"), ("33.0.0", "hibiscus"), ("99.1", ""), ("", "")],
    )
    def test_release_of_a_version(self, version: str, release: str) -> None:
        assert TABLE.of(version) == release

    @pytest.mark.parametrize(
        ("first", "last", "stops"),
        [
            ("zed", "zed", []),
            ("zed", "antelope", []),
            ("ussuri", "victoria", []),
            ("antelope", "caracal", []),
            ("caracal", "epoxy", []),
            ("epoxy", "gazpacho", []),
            ("bobcat", "dalmatian", ["caracal"]),
            ("zed", "epoxy", ["antelope", "caracal"]),
            ("epoxy", "hibiscus", ["gazpacho"]),
            ("ussuri", "wallaby", ["victoria"]),
            ("hibiscus", "epoxy", []),
        ],
    )
    def test_stops_on_the_way(self, first: str, last: str, stops: list[str]) -> None:
        assert TABLE.way(first, last) == stops

    @pytest.mark.parametrize(
        ("revisions", "release", "phases"),
        [
            ([], "zed", ["expand", "migrate", "contract"]),
            ([ZED], "zed", []),
            ([ZED], "epoxy", ["expand", "migrate", "contract"]),
            (["2024_1_expand01", ZED], "epoxy", ["migrate", "contract"]),
            ([CONTRACTED], "epoxy", []),
            ([CONTRACTED], "hibiscus", []),
            ([CONTRACTED], "zed", []),
            (["044"], "queens", ["expand", "migrate", "contract"]),
            (["rocky_contract01"], "rocky", ["expand", "migrate", "contract"]),
        ],
    )
    def test_phases_that_are_left(self, revisions: list[str], release: str, phases: list[str]) -> None:
        assert TABLE.phases(revisions, release) == phases


class TestPlan:
    def test_source_to_source(self) -> None:
        controllers = [sourced("a", OLD), sourced("b", OLD)]
        found = plan(controllers, RELEASES, [CONTRACTED])
        assert (found.begins, found.target, found.due) == ("epoxy", "hibiscus", ["a", "b"])
        assert (found.waiting, found.phases, found.is_before, found.works) == ({}, [], True, True)

    def test_what_an_interrupted_run_has_done_is_not_done_again(self) -> None:
        assert plan([sourced("a", NEW), sourced("b", OLD)], RELEASES, [CONTRACTED]).due == ["b"]

    def test_nothing_is_left(self) -> None:
        controllers = [sourced("a", NEW), sourced("b", NEW)]
        found = plan(controllers, RELEASES, [CONTRACTED])
        assert (found.due, found.works) == ([], False)
        assert (
            lines(found, controllers, RELEASES, [CONTRACTED])[0] == "hibiscus to hibiscus: nothing is left to be done"
        )

    def test_other_constraints_make_another_environment(self) -> None:
        assert plan([sourced("a", "/opt/glance/33.0.0-22222222")], RELEASES, [CONTRACTED]).due == ["a"]

    @pytest.mark.parametrize("more", [{"running": False}, {"outdated": True}, {"noted": True}])
    def test_a_controller_that_does_not_serve_is_due(self, more: dict[str, bool]) -> None:
        assert plan([sourced("a", NEW, **more), sourced("b", NEW)], RELEASES, [CONTRACTED]).due == ["a"]

    def test_new_controllers_beside_those_of_an_older_distribution(self) -> None:
        controllers = [packaged("a", "25.1.0", "zed"), packaged("b", "", "epoxy")]
        found = plan(controllers, RELEASES, [ZED])
        assert (found.begins, found.target, found.due) == ("zed", "epoxy", ["b"])
        assert found.waiting == {"a": "its package source has zed"}
        assert found.phases == ["expand", "migrate", "contract"]
        assert found.is_before

    def test_old_controllers_are_gone(self) -> None:
        found = plan([packaged("b", "30.0.0", "epoxy")], RELEASES, [ZED, "2024_1_expand01"])
        assert (found.due, found.phases, found.is_before) == ([], ["migrate", "contract"], False)

    @pytest.mark.parametrize(
        ("controllers", "revisions", "is_before"),
        [
            ([packaged("a", "25.1.0", "antelope")], [ZED], True),
            ([packaged("a", "25.1.0", "antelope")], [ZED, "2023_1_expand01"], False),
            # The revisions could not be read, but what serves has been given its schema.
            ([packaged("a", "25.1.0"), packaged("b", "30.0.0", "epoxy")], [], False),
            ([packaged("a", "25.1.0"), packaged("b", "30.0.0", "epoxy")], [CONTRACTED], False),
            # Both releases have the same schema.
            ([sourced("a", NEW), sourced("b", OLD)], [CONTRACTED], True),
        ],
    )
    def test_whether_the_database_is_what_it_was(
        self, controllers: list[Controller], revisions: list[str], is_before: bool
    ) -> None:
        assert plan(controllers, RELEASES, revisions).is_before is is_before

    def test_controllers_out_of_the_run(self) -> None:
        controllers = [
            sourced("a", OLD),
            sourced("b", OLD, release="", wanted_environment=""),
            Controller("c", reachable=False),
            sourced("d", NEW, release="", wanted_environment=""),
        ]
        found = plan(controllers, RELEASES, [CONTRACTED])
        assert found.due == ["a"]
        assert found.waiting == {
            "b": "it is no part of this run, and runs 30.1.0 (epoxy)",
            "c": "it cannot be reached",
        }

    def test_from_an_environment_to_packages(self) -> None:
        assert not is_new(packaged("a", "30.0.0", "epoxy", environment=OLD), "epoxy", TABLE)

    def test_lines(self) -> None:
        controllers = [sourced("a", OLD, noted=True), sourced("b", NEW), Controller("c")]
        assert lines(plan(controllers, RELEASES, [ZED]), controllers, RELEASES, [ZED]) == [
            "epoxy to hibiscus",
            "schema: wallaby_contract01, to become 2024_1_contract01 by expand, migrate, contract",
            "a runs 30.1.0 (epoxy), out of service since a run that was interrupted: is brought to hibiscus",
            "b runs 33.0.0 (hibiscus): has nothing left to be done",
            "c has no Glance: is left as it is, because it is no part of this run, and has no Glance",
        ]


class TestDump:
    EXPANDED = (ZED, "2024_1_expand01")

    @staticmethod
    def dump(begins: str, made: str = "1", target: str = "epoxy", database: str = "glance") -> Dump:
        return Dump(f"/var/backups/glance/{dump_name(database, begins, target)}", made)

    def found(self, *controllers: Controller) -> t.Optional[tuple[str, Dump]]:
        return dump_to_go_back_to(plan(controllers, RELEASES, self.EXPANDED), controllers, RELEASES, "glance")

    def test_it_is_found_wherever_it_is(self) -> None:
        there = self.dump("zed")
        found = self.found(packaged("a", "25.1.0", "epoxy"), packaged("b", "25.1.0", dumps=(there,)))
        assert found == ("zed", there._replace(controller="b"))

    def test_that_of_another_upgrade_or_database_is_not_taken(self) -> None:
        others = (self.dump("antelope"), self.dump("zed", target="antelope"), self.dump("zed", database="other"))
        renamed = Dump("/var/backups/glance/glance-zed-epoxy.2026-11-20T08:00:00Z.sql.gz", "1")
        assert self.found(packaged("a", "25.1.0", "epoxy", dumps=(*others, renamed))) is None

    def test_when_nothing_is_left_but_to_contract_the_newest_counts(self) -> None:
        dumps = (self.dump("antelope", "2"), self.dump("zed", "3"), self.dump("caracal", "1"), self.dump("epoxy", "4"))
        found = self.found(packaged("a", "30.0.0", "epoxy", dumps=dumps))
        assert found == ("zed", dumps[1]._replace(controller="a"))


class TestProblems:
    def test_none(self) -> None:
        assert codes(packaged("a", "30.0.0", "gazpacho")) == []

    def test_a_release_that_cannot_be_passed(self) -> None:
        controllers = [sourced("a", OLD), sourced("b", OLD)]
        assert codes(*controllers) == ["GLS-501"]
        assert codes(*controllers, glance_upgrade_skip_releases=True) == []
        (problem,) = problems(plan(controllers, RELEASES, []), controllers, RELEASES, VARIABLES)
        assert "a, b: epoxy would be upgraded to hibiscus, past gazpacho" in problem.message
        assert "upgrade to gazpacho first; or" in problem.message

    def test_all_stops_are_named(self) -> None:
        controllers = [packaged("a", "25.1.0", "epoxy")]
        (problem,) = problems(plan(controllers, RELEASES, []), controllers, RELEASES, VARIABLES)
        assert "upgrade to antelope first, then to caracal" in problem.message

    def test_the_oldest_controller_counts(self) -> None:
        assert codes(packaged("a", "30.0.0", "gazpacho"), packaged("b", "29.0.0")) == ["GLS-501"]

    def test_nothing_to_upgrade(self) -> None:
        assert codes(packaged("a", "", "epoxy")) == ["GLS-502"]
        assert codes(packaged("a", "", "epoxy"), Controller("b", reachable=False)) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("glance_upgrade_grace", -1),
            ("glance_upgrade_grace", True),
            ("glance_upgrade_drain_timeout", "soon"),
            ("glance_upgrade_phase_timeout", ""),
            ("glance_upgrade_phase_timeout", 0),
            ("glance_upgrade_hand_over", "controller-9"),
            ("glance_upgrade_directory", "backups"),
            ("glance_upgrade_directory", "/"),
        ],
    )
    def test_values(self, name: str, value: t.Any) -> None:
        assert codes(packaged("a", "30.0.0", "gazpacho"), **{name: value}) == ["GLS-503"]

    def test_only_a_controller_of_the_run_is_handed_over(self) -> None:
        controllers = [packaged("a", "30.0.0", "epoxy"), packaged("b", "30.0.0")]
        assert codes(*controllers, glance_upgrade_hand_over="a") == []
        assert codes(*controllers, glance_upgrade_hand_over="b") == ["GLS-503"]

    def test_a_release_without_db_check(self) -> None:
        assert codes(packaged("a", "14.0.0", "pike")) == ["GLS-504"]

    def test_packages_in_the_place_of_an_environment(self) -> None:
        assert codes(packaged("a", "30.0.0", "gazpacho", environment=OLD)) == ["GLS-506"]
        assert codes(packaged("a", "30.0.0", environment=OLD), packaged("b", "32.0.0", "gazpacho")) == []


class TestHolders:
    def test_nobody(self) -> None:
        assert holders([sourced("a", NEW), packaged("b", "33.0.0")], "hibiscus", RELEASES) == []

    @pytest.mark.parametrize(
        ("controller", "told"),
        [
            (sourced("a", OLD), "runs 30.1.0 (epoxy)"),
            (sourced("a", NEW, running=False), "has 33.0.0 (hibiscus), which does not run"),
            (sourced("a", NEW, outdated=True), "runs what was there before 33.0.0 (hibiscus) was installed"),
            (Controller("a", reachable=False), "it cannot be reached"),
            (Controller("a"), "has no Glance"),
            (packaged("a", "99.0.0"), "runs 99.0.0 (a release that is not known)"),
        ],
    )
    def test_one_is_enough(self, controller: Controller, told: str) -> None:
        (problem,) = holders([sourced("b", NEW), controller], "hibiscus", RELEASES)
        assert problem.message.startswith(f"GLS-505 a: {told}. What to do: ")
