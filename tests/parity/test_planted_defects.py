# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Each check finds the defects that are planted in a small collection, and nothing where there is none."""

from __future__ import annotations

import typing as t
from pathlib import Path

import check_tree
import checks
import pytest
import reference

SOUND = {
    "README.md": "Type `ansible-playbook site.yml`.\n",
    "ansible.cfg": "[defaults]\ncollections_path = ./collections\n",
    "galaxy.yml": "namespace: openstack_ops\nname: glance\nversion: 0.1.0\n",
    "docs/checks.md": "| Code | What |\n|---|---|\n| GLS-001 | a name |\n",
    "docs/examples/group_vars/all.yml": "glance_port: 9293\nother: 1\n",
    "meta/runtime.yml": "action_groups:\n  openstack: [image]\n",
    "playbooks/site.yml": "- name: Deploy\n  hosts: \"{{ glance_hosts | default('glance_api') }}\"\n",
    "plugins/modules/image.py": """
DOCUMENTATION = r'''
module: image
short_description: Keep an image
description: [Keeps it., See M(openstack_ops.glance.unit).]
author: [nobody (@nobody)]
extends_documentation_fragment: [openstack_ops.glance._auth, openstack_ops.glance._attributes.actiongroup_openstack]
options: {name: {description: The name., type: str, required: true}}
'''
CODE = "GLS-001"
""",
    "plugins/modules/unit.py": """
DOCUMENTATION = r'''
module: unit
short_description: Keep a unit
description: [Keeps it.]
author: [nobody (@nobody)]
'''
""",
    "plugins/doc_fragments/_auth.py": "class ModuleDocFragment:\n    DOCUMENTATION = 'options: {}'\n",
    "plugins/doc_fragments/_attributes.py": "class ModuleDocFragment:\n    ACTIONGROUP_OPENSTACK = 'options: {}'\n",
    "roles/glance/README.md": "The variables.\n",
    "roles/glance/meta/main.yml": "dependencies: []\n",
    "roles/glance/meta/argument_specs.yml": """
argument_specs:
  main:
    short_description: The variables
    options:
      glance_port: {type: int, default: 9292, description: The port.}
      glance_url: {type: str, required: true, description: The URL.}
      glance_database:
        type: dict
        default: {}
        description: The database.
        options:
          port: {type: int, default: 3306, description: The port.}
          host: {type: str, description: The host.}
""",
    "roles/glance/defaults/main.yml": "glance_port: 9292\nglance_database: {}\n",
    "roles/glance/vars/main/main.yml": (
        "_glance_database_defaults: {port: 3306}\n_glance_role_variables: [glance_hosts, glance_api_flavor]\n"
    ),
    "roles/glance/tasks/main.yml": (
        "- ansible.builtin.debug:\n    msg: \"{{ glance_url }} {{ hostvars['a'].glance_port }}\"\n"
        "  when: glance_port > 1 and _glance_seen is some.other.test\n  register: glance_result\n"
        "- ansible.builtin.debug:\n    var: glance_result\n"
    ),
    "roles/glance_api/README.md": "The API.\n",
    "roles/glance_api/meta/main.yml": "dependencies: [{role: openstack_ops.glance.glance}]\n",
    "roles/glance_api/meta/argument_specs.yml": """
argument_specs:
  main:
    short_description: The API
    options:
      glance_api_flavor: {type: str, default: keystone, description: The flavor.}
""",
    "roles/glance_api/defaults/main.yml": "glance_api_flavor: keystone\n",
    "roles/glance_api/templates/api.conf.j2": (
        "port = {{ glance_port }}\nflavor = {{ glance_api_flavor | any.filter.name }}\n"
    ),
}
LINKS = {
    "templates/api.conf.j2": "../roles/glance_api/templates/api.conf.j2",
    "collections/ansible_collections/openstack_ops/glance": "../../..",
}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A small collection without a defect."""
    for name, text in SOUND.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, target in LINKS.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    return tmp_path


class Plant(t.NamedTuple):
    """One defect: the check that finds it, the file, the text that is replaced (all where empty) and the new text."""

    check: t.Callable[[Path], checks.Findings]
    file: str
    old: str
    new: t.Optional[str]
    found: str


GLANCE = "roles/glance"
SPEC = f"{GLANCE}/meta/argument_specs.yml"
PLANTS = (
    Plant(checks.role_files, f"{GLANCE}/README.md", "", None, "roles/glance/README.md is missing"),
    Plant(checks.role_files, "roles/new/tasks/main.yml", "", "[]", "roles/new/meta/argument_specs.yml is missing"),
    Plant(checks.defaults_and_specs, SPEC, "default: 9292", "default: 9293", "9292, but documented as 9293"),
    Plant(checks.defaults_and_specs, f"{GLANCE}/defaults/main.yml", "glance_port: 9292", "", "has no default"),
    Plant(checks.defaults_and_specs, f"{GLANCE}/defaults/main.yml", "glance_port", "glance_prot", "is not documented"),
    Plant(checks.defaults_and_specs, f"{GLANCE}/defaults/main.yml", "", "glance_url: x", "documented as required"),
    Plant(
        checks.inner_defaults, f"{GLANCE}/vars/main/main.yml", "port: 3306", "port: 3307", "documents {'port': 3306}"
    ),
    Plant(checks.inner_defaults, SPEC, "default: 3306, ", "", "documents nothing"),
    Plant(checks.inner_defaults, f"{GLANCE}/vars/main/main.yml", "_glance_database_defaults", "_x", "is missing"),
    Plant(checks.variables, f"{GLANCE}/tasks/main.yml", "glance_url", "glance_ulr", "uses glance_ulr"),
    Plant(checks.variables, f"{GLANCE}/tasks/main.yml", "['a'].glance_port", "['a'].glance_prot", "uses glance_prot"),
    Plant(checks.variables, f"{GLANCE}/tasks/main.yml", "glance_port > 1", "glance_prot > 1", "uses glance_prot"),
    Plant(checks.variables, "roles/glance_api/templates/api.conf.j2", "glance_port", "glance_prot", "uses glance_prot"),
    Plant(
        checks.variables, f"{GLANCE}/tasks/main.yml", "{{ glance_url }}", "{{ glance_api_flavor }}", "glance_api_flavor"
    ),
    Plant(
        checks.known_to_the_spelling_check, f"{GLANCE}/vars/main/main.yml", "glance_hosts, ", "", "lacks glance_hosts"
    ),
    Plant(
        checks.known_to_the_spelling_check,
        f"{GLANCE}/vars/main/main.yml",
        "glance_hosts",
        "glance_hosts, glance_x",
        "lists",
    ),
    Plant(checks.examples, "docs/examples/group_vars/all.yml", "glance_port", "glance_prot", "sets glance_prot"),
    Plant(checks.template_links, "roles/glance_api/templates/new.j2", "", "x", "new.j2 has no link in templates/"),
    Plant(checks.template_links, "roles/glance_api/templates/api.conf.j2", "", None, "api.conf.j2 leads nowhere"),
    Plant(checks.template_links, "templates/real.j2", "", "x", "templates/real.j2 is no link"),
    Plant(checks.action_group, "meta/runtime.yml", "image", "image, gone", "names gone, which is no module"),
    Plant(checks.action_group, "meta/runtime.yml", "image", "", "image has to be in the action group exactly"),
    Plant(
        checks.action_group, "meta/runtime.yml", "image", "image, unit", "unit has to be in the action group exactly"
    ),
    Plant(
        checks.action_group,
        "plugins/modules/image.py",
        ", openstack_ops.glance._attributes.actiongroup_openstack",
        "",
        "image has to extend",
    ),
    Plant(
        checks.playbooks_in_documentation, "playbooks/upgrade.yml", "", "[]", "playbooks/upgrade.yml is told of nowhere"
    ),
    Plant(checks.check_codes, "docs/checks.md", "GLS-001", "GLS-002", "image.py uses GLS-001, which has no row"),
    Plant(checks.check_codes, "docs/checks.md", "GLS-001", "GLS-002", "explains GLS-002, which nothing"),
    Plant(checks.check_codes, "docs/checks.md", "", "| GLS-001 | a |\n| GLS-001 | b |\n", "explains GLS-001 twice"),
    Plant(checks.no_sanity_exceptions, "tests/sanity/ignore-2.19.txt", "", "x import-3.9", "excepts something"),
)


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_nothing_is_found_in_a_sound_collection(collection: Path, check: t.Callable[[Path], checks.Findings]) -> None:
    assert list(check(collection)) == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.check.__name__}-{plant.found[:40]}")
def test_a_planted_defect_is_found(collection: Path, plant: Plant) -> None:
    path = collection / plant.file
    if plant.new is None:
        path.unlink()
    else:
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        assert plant.old in old
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(old.replace(plant.old, plant.new) if plant.old else plant.new, encoding="utf-8")
    assert plant.found in "\n".join(plant.check(collection))


def test_every_check_has_a_planted_defect() -> None:
    assert {plant.check for plant in PLANTS} == set(checks.CHECKS)


def test_a_stale_reference_is_found(collection: Path) -> None:
    reference.write(collection)
    assert reference.stale_pages(collection) == []

    page = "docs/reference/modules/image.md"
    module = collection / "plugins/modules/image.py"
    module.write_text(module.read_text(encoding="utf-8").replace("The name.", "Its name."), encoding="utf-8")
    assert reference.stale_pages(collection) == [page]

    (collection / page).unlink()
    left_over = "docs/reference/roles/gone.md"
    (collection / left_over).write_text("left over", encoding="utf-8")
    assert reference.stale_pages(collection) == [page, left_over]

    reference.write(collection)
    assert reference.stale_pages(collection) == []
    assert "[openstack_ops.glance.unit](../modules/unit.md)" in (collection / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("see https://{registry}/x", "host of a package registry"),
        ("cd /" + "work/checkout", "path of one machine"),
        ("cd /" + "home/me/checkout", "path of one machine"),
        ("{checkout}/file", "path of one machine"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "looks like a secret"),
        ("id: AKIA" + "IOSFODNN7EXAMPLQ", "looks like a secret"),
        ("PrivateTmp=yes /var/tmp/x {{ a }}/tmp/b https://docs.openstack.org registry.example.org ~/tmp/x", ""),
    ],
)
def test_what_must_not_stand_in_the_tree_is_found(tmp_path: Path, line: str, found: str) -> None:
    registry = sorted(check_tree.configured_hosts())[0]
    planted = line.replace("{checkout}", str(tmp_path)).replace("{registry}", registry)
    (tmp_path / "file.txt").write_text(f"sound\n{planted}\n", encoding="utf-8")
    shown = "\n".join(str(finding) for finding in check_tree.findings(tmp_path, ["file.txt"]))
    assert found in shown
    assert shown.startswith("file.txt:2: ") == bool(found)
