# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What every task of a role has to keep to."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from variables import load_yaml

ROOT = Path(__file__).parents[2]
BLOCKS = ("block", "rescue", "always")
FILES = sorted(ROOT.glob("roles/*/tasks/*.yml"))


def tasks(entries: list[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    """Yield the tasks, those in blocks too."""
    for entry in entries:
        yield entry
        for name in BLOCKS:
            yield from tasks(entry.get(name, []))


def test_preflight_compares_the_images_that_the_role_keeps() -> None:
    resource = load_yaml(ROOT / "roles" / "glance" / "vars" / "main" / "resources.yml")["_glance_catalog_resource"]
    (task,) = load_yaml(ROOT / "roles" / "glance_images" / "tasks" / "main.yml")
    given = task["openstack_ops.glance.image_catalog"]
    assert resource["catalog"] == "{{ glance_images_catalog }}"
    # The region is among what every module is told of the cloud.
    for name in resource.keys() - {"region_name"}:
        assert given[name] == f"{{{{ _glance_catalog_resource.{name} }}}}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_controller_that_is_away_does_not_end_the_run(path: Path) -> None:
    # To ansible-core, a task that runs once, or in a play in which any error is fatal, has failed all hosts then.
    found = tasks(yaml.safe_load(path.read_text(encoding="utf-8")) or [])
    careless = [task for task in found if task.get("ignore_unreachable") and not task.get("ignore_errors")]
    assert [task["name"] for task in careless if "rescue" not in task] == []


def test_no_variable_of_a_task_has_the_name_of_a_result() -> None:
    # To Ansible the result wins, in every role and play of the run that comes after it.
    everywhere = [task for path in FILES for task in tasks(yaml.safe_load(path.read_text(encoding="utf-8")) or [])]
    results = {task["register"] for task in everywhere if "register" in task}
    facts = {name for task in everywhere for name in task.get("ansible.builtin.set_fact", {})}
    given = {name for task in everywhere for name in task.get("vars", {})}
    assert results
    assert given & (results | facts) == set()


INVENTORY = f"""\
here ansible_connection=local ansible_python_interpreter={sys.executable}
away ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1
after ansible_connection=local ansible_python_interpreter={sys.executable}
"""


def test_controller_that_goes_away_in_its_turn_is_rescued(tmp_path: Path) -> None:
    """The block of the role, with one task in the place of what it does, and one in that of what tells of it."""
    (block,) = yaml.safe_load((ROOT / "roles/glance_switch/tasks/controller.yml").read_text(encoding="utf-8"))
    block["block"] = [{"command": "true"}, {"debug": {"msg": "{{ inventory_hostname }} is through"}}]
    told = {"debug": {"msg": "told: {{ _glance_switch_reason }}"}, "vars": {"_glance_switch_where": "away"}}
    block["rescue"] = [told, {"fail": {"msg": "stopped"}}]
    play = {"hosts": "all", "gather_facts": False, "serial": 1, "any_errors_fatal": True, "tasks": [block]}
    play["vars_files"] = [str(ROOT / "roles/glance_switch/vars/main.yml")]
    (tmp_path / "inventory").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory", "play.yml"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 2, ran.stdout
    assert "told: away could not be reached." in ran.stdout
    through = [f"{name} is through" in ran.stdout for name in ("here", "away", "after")]
    assert through == [True, False, False], ran.stdout
