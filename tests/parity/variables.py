# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Which variables the YAML files and templates of a directory read, and which they set."""

from __future__ import annotations

import typing as t
from pathlib import Path

import jinja2
import yaml
from jinja2 import meta, nodes

EXPRESSIONS = {"when", "that", "failed_when", "changed_when", "until"}
"""The keywords whose values are Jinja expressions without braces."""


class _AnyName(dict[str, t.Any]):
    """Filters and tests of Jinja; Ansible and its collections have more of them, none of which is run here."""

    def get(self, key: str, default: t.Any = None) -> t.Any:
        return super().get(key, str)


ENVIRONMENT = jinja2.Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], autoescape=False)
ENVIRONMENT.filters = _AnyName(ENVIRONMENT.filters)
ENVIRONMENT.tests = _AnyName(ENVIRONMENT.tests)


class _Loader(yaml.SafeLoader):
    """Reads Ansible's own tags (vault, unsafe) as nothing."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def load_yaml(path: Path) -> t.Any:
    """Read a YAML file of Ansible."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def _walk(value: t.Any, key: str = "") -> t.Iterator[tuple[str, t.Any]]:
    """Yield every scalar with the key that it belongs to, and every dictionary."""
    if isinstance(value, dict):
        yield key, value
        for inner_key, inner in value.items():
            yield from _walk(inner, str(inner_key))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key)
    else:
        yield key, value


def _yaml_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("**/*.yml") if path.name != "argument_specs.yml")


def _templates(directory: Path) -> t.Iterator[tuple[Path, str]]:
    """Yield the text of everything in a directory that Ansible templates."""
    for path in sorted(directory.glob("**/*.j2")):
        if path.exists():
            yield path, path.read_text(encoding="utf-8")
    for path in _yaml_files(directory):
        for key, value in _walk(load_yaml(path)):
            if isinstance(value, str) and ("{{" in value or "{%" in value):
                yield path, value
            elif isinstance(value, str) and key in EXPRESSIONS:
                yield path, "{{ " + value + " }}"


def _hostvars_names(tree: nodes.Template) -> set[str]:
    """Return the variables of other hosts: hostvars[host].name and hostvars[host]['name']."""
    found = set()
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        host = node.node
        if isinstance(host, nodes.Getitem) and isinstance(host.node, nodes.Name) and host.node.name == "hostvars":
            if isinstance(node, nodes.Getattr):
                found.add(node.attr)
            elif isinstance(node.arg, nodes.Const):
                found.add(str(node.arg.value))
    return found


def used_names(directory: Path) -> dict[str, Path]:
    """Return the variables that the files of a directory read, and one file that does."""
    used = {}
    for path, text in _templates(directory):
        tree = ENVIRONMENT.parse(text)
        for name in meta.find_undeclared_variables(tree) | _hostvars_names(tree):
            used[name] = path
    return used


def declared_names(directory: Path) -> set[str]:
    """Return the variables that the files of a directory set: vars, facts, results and loop variables."""
    declared: set[str] = set()
    for path in _yaml_files(directory):
        content = load_yaml(path)
        if "vars" in path.relative_to(directory).parts and isinstance(content, dict):
            declared |= content.keys()
        for key, value in _walk(content):
            if isinstance(value, dict):
                if key in ("vars", "set_fact", "ansible.builtin.set_fact"):
                    declared |= value.keys()
            elif key in ("register", "loop_var", "index_var"):
                declared.add(value)
    return declared
