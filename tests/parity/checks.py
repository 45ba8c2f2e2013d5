# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What has to be told in two places, and whether both tell the same: each check returns what it finds wrong."""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import yaml
from variables import declared_names, load_yaml, used_names

FRAGMENT = "openstack_ops.glance._auth"
MEMBERSHIP = "openstack_ops.glance._attributes.actiongroup_openstack"
ACTION_GROUP = "openstack"
MISSING = object()

Findings = t.Iterator[str]


def names(path: Path) -> list[str]:
    """Return the names of the directories or files in ``path``."""
    return sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(".")) if path.is_dir() else []


def role_vars(root: Path) -> dict[str, t.Any]:
    """Return what the files of the role glance's vars define."""
    files = sorted((root / "roles/glance/vars/main").glob("*.yml"))
    return {name: value for path in files for name, value in (load_yaml(path) or {}).items()}


def role_options(root: Path, role: str) -> dict[str, dict[str, t.Any]]:
    """Return the options of all entry points of a role."""
    path = root / "roles" / role / "meta/argument_specs.yml"
    entry_points = load_yaml(path)["argument_specs"] if path.is_file() else {}
    return {name: option for entry in entry_points.values() for name, option in (entry.get("options") or {}).items()}


def role_files(root: Path) -> Findings:
    """Every role has a README, its metadata and an argument spec."""
    for role in names(root / "roles"):
        for wanted in ("README.md", "meta/main.yml", "meta/argument_specs.yml"):
            if not (root / "roles" / role / wanted).is_file():
                yield f"roles/{role}/{wanted} is missing"


def defaults_and_specs(root: Path) -> Findings:
    """The defaults of every role are the ones that its argument spec documents."""
    for role in names(root / "roles"):
        path = root / "roles" / role / "defaults/main.yml"
        defaults = (load_yaml(path) or {}) if path.is_file() else {}
        options = role_options(root, role)
        documented = {name: option.get("default") for name, option in options.items() if not option.get("required")}
        for name in sorted(defaults.keys() | documented.keys()):
            if name not in defaults:
                yield f"{name} of the role {role} is documented, but has no default (defaults/main.yml)"
            elif name not in options:
                yield f"{name} of the role {role} has a default, but is not documented (meta/argument_specs.yml)"
            elif name not in documented:
                yield f"{name} of the role {role} has a default, but is documented as required"
            elif defaults[name] != documented[name]:
                yield f"{name} of the role {role} is {defaults[name]!r}, but documented as {documented[name]!r}"


def inner_defaults(root: Path) -> Findings:
    """The defaults inside a dictionary, which the role glance merges from its vars, are the documented ones."""
    documented: dict[str, dict[str, t.Any]] = {}

    def collect(name: str, option: dict[str, t.Any]) -> None:
        inner = option.get("options") or {}
        values = {key: suboption["default"] for key, suboption in inner.items() if "default" in suboption}
        if values and option["type"] == "dict":
            documented[f"_{name}_defaults"] = values
        for key, suboption in inner.items():
            collect(f"{name}_{key}", suboption)

    for name, option in role_options(root, "glance").items():
        collect(name, option)
    held = {name: value for name, value in role_vars(root).items() if re.fullmatch(r"_glance_\w+_defaults", name)}
    for name in sorted(held.keys() | documented.keys()):
        if held.get(name, MISSING) != documented.get(name, MISSING):
            yield (
                f"{name} in roles/glance/vars/main is {held.get(name, 'missing')}, "
                f"the argument spec documents {documented.get(name, 'nothing')}"
            )


def variables(root: Path) -> Findings:
    """Every glance_* variable that a role or a playbook reads is declared, by the role glance or by that role."""
    public = set(role_options(root, "glance"))
    for role in names(root / "roles"):
        directory = root / "roles" / role
        declared = public | set(role_options(root, role)) | declared_names(directory)
        for name, where in sorted(used_names(directory).items()):
            if name.startswith("glance_") and name not in declared:
                yield f"{where.relative_to(root)} uses {name}, which no argument spec that it can see declares"


def known_to_the_spelling_check(root: Path) -> Findings:
    """The role glance knows the public variables of the other roles and of the playbooks, so that none is refused."""
    known = set(role_vars(root).get("_glance_role_variables", []))
    public = set(role_options(root, "glance"))
    others = {name for role in names(root / "roles") if role != "glance" for name in role_options(root, role)}
    in_playbooks = {name for name in used_names(root / "playbooks") if name.startswith("glance_")}
    wanted = (others | in_playbooks) - public - declared_names(root / "playbooks")
    for name in sorted(wanted ^ known):
        state = "lacks" if name in wanted else "lists, though nothing declares or reads it,"
        yield f"_glance_role_variables in roles/glance/vars/main {state} {name}"


def examples(root: Path) -> Findings:
    """The example inventories set variables that exist."""
    public = {name for role in names(root / "roles") for name in role_options(root, role)}
    for path in sorted((root / "docs").glob("**/*_vars/**/*.yml")):
        for name in load_yaml(path) or {}:
            if name.startswith("glance_") and name not in public:
                yield f"{path.relative_to(root)} sets {name}, which no role declares"


def template_links(root: Path) -> Findings:
    """Every template of a role has its link in templates/, and no link dangles."""
    index = root / "templates"
    targets = {}
    for name in names(index):
        link = index / name
        if not link.is_symlink():
            yield f"templates/{name} is no link: the template belongs to the role that renders it"
        elif not link.exists():
            yield f"templates/{name} leads nowhere ({link.readlink()})"
        elif link.readlink().is_absolute():
            yield f"templates/{name} is an absolute link"
        else:
            targets[link.resolve()] = name
    for template in sorted((root / "roles").glob("*/templates/**/*.j2")):
        shown = template.relative_to(root)
        if template.is_symlink() and not template.exists():
            yield f"{shown} leads nowhere ({template.readlink()})"
        elif not template.is_symlink() and template.resolve() not in targets:
            yield f"{shown} has no link in templates/"


def fragments_of(path: Path) -> list[str]:
    """Return the documentation fragments that a module extends."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            fragments = yaml.safe_load(ast.literal_eval(node.value)).get("extends_documentation_fragment", [])
            return [fragments] if isinstance(fragments, str) else fragments
    return []


def action_group(root: Path) -> Findings:
    """The modules that log in to OpenStack, the action group and what the modules say about it are the same."""
    runtime = load_yaml(root / "meta/runtime.yml")
    group = set(runtime.get("action_groups", {}).get(ACTION_GROUP, []))
    modules = {path.stem: fragments_of(path) for path in sorted((root / "plugins/modules").glob("[!_]*.py"))}
    for name in sorted(group | modules.keys()):
        fragments = modules.get(name, [])
        if name not in modules:
            yield f"the action group {ACTION_GROUP} in meta/runtime.yml names {name}, which is no module"
        elif (FRAGMENT in fragments) != (name in group):
            yield f"the module {name} has to be in the action group exactly when it extends {FRAGMENT}"
        elif (MEMBERSHIP in fragments) != (name in group):
            yield f"the module {name} has to extend {MEMBERSHIP} exactly when it is in the action group"


def playbooks_in_documentation(root: Path) -> Findings:
    """What people wrote, not only the generated reference, tells of every playbook."""
    pages = [page for page in (root / "docs").glob("**/*.md") if not page.is_relative_to(root / "docs/reference")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in [*pages, *root.glob("README.md")])
    for path in sorted((root / "playbooks").glob("*.yml")):
        name = re.escape(path.stem)
        told = rf"openstack_ops\.glance\.{name}\b|playbooks/{name}\.yml|ansible-playbook .*\b{name}\.yml"
        if not re.search(told, text):
            yield f"playbooks/{path.name} is told of nowhere in docs/ or README.md"


def check_codes(root: Path) -> Findings:
    """The codes in the code and in docs/checks.md are the same."""
    sources = [path for top in ("plugins", "roles") for path in (root / top).glob("**/*.*")]
    code = {
        found: path.relative_to(root)
        for path in sorted(sources)
        if path.suffix in (".py", ".yml", ".j2")
        for found in re.findall(r"GLS-\d{3}", path.read_text(encoding="utf-8"))
    }
    page = root / "docs/checks.md"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    documented = re.findall(r"^\| *(GLS-\d{3})\b", text, re.MULTILINE)
    for name in sorted(code.keys() - set(documented)):
        yield f"{code[name]} uses {name}, which has no row in docs/checks.md"
    for name in sorted(set(documented) - code.keys()):
        yield f"docs/checks.md explains {name}, which nothing in plugins/ and roles/ uses"
    for name in sorted({name for name in documented if documented.count(name) > 1}):
        yield f"docs/checks.md explains {name} twice"


def no_sanity_exceptions(root: Path) -> Findings:
    """ansible-test sanity passes without exceptions."""
    for path in sorted((root / "tests/sanity").glob("ignore*.txt")):
        yield f"{path.relative_to(root)} excepts something from ansible-test sanity"


CHECKS: tuple[t.Callable[[Path], Findings], ...] = (
    role_files,
    defaults_and_specs,
    inner_defaults,
    variables,
    known_to_the_spelling_check,
    examples,
    template_links,
    action_group,
    playbooks_in_documentation,
    check_codes,
    no_sanity_exceptions,
)
