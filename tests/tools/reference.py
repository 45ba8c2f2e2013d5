# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Writes docs/reference: a page for every module, filter and role, from the documentation that each carries itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import jinja2
import yaml
from antsibull_docs_parser import dom
from antsibull_docs_parser.format import LinkProvider
from antsibull_docs_parser.md import MDFormatter, to_md
from antsibull_docs_parser.parser import Context, parse

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "openstack_ops.glance"
REFERENCE = "docs/reference"
PLUGIN_TYPES = {"module": "modules", "filter": "filter"}


class ReadableFormatter(MDFormatter):
    """Writes Markdown that can also be read as it is: code in backticks, and only what has to be is escaped."""

    @staticmethod
    def _code(text: str) -> str:
        return f"`{text}`" if "`" not in text else f"`` {text} ``"

    def format_text(self, part: dom.TextPart) -> str:
        return re.sub(r"([\\`*_<>\[\]])", r"\\\1", part.text)

    def format_code(self, part: dom.CodePart) -> str:
        return self._code(part.text)

    def format_option_value(self, part: dom.OptionValuePart) -> str:
        return self._code(part.value)

    def format_env_variable(self, part: dom.EnvVariablePart) -> str:
        return self._code(part.name)

    def format_option_name(self, part: dom.OptionNamePart, url: t.Optional[str]) -> str:
        return self._code(part.name if part.value is None else f"{part.name}={part.value}")

    def format_return_value(self, part: dom.ReturnValuePart, url: t.Optional[str]) -> str:
        return self._code(part.name if part.value is None else f"{part.name}={part.value}")

    def format_module(self, part: dom.ModulePart, url: t.Optional[str]) -> str:
        return self._link(part.fqcn, url)

    def format_plugin(self, part: dom.PluginPart, url: t.Optional[str]) -> str:
        return self._link(part.plugin.fqcn, url)

    @classmethod
    def _link(cls, name: str, url: t.Optional[str]) -> str:
        return f"[{name}]({url})" if url else cls._code(name)


class PageLinks(LinkProvider):
    """Links what belongs to this collection to its page."""

    def plugin_link(self, plugin: dom.PluginIdentifier) -> t.Optional[str]:
        namespace, _dot, name = plugin.fqcn.rpartition(".")
        if namespace != COLLECTION:
            return None
        return f"../{'roles' if plugin.type == 'role' else f'{plugin.type}s'}/{name}.md"


def markdown(text: t.Union[str, list[str], None], kind: str, name: str) -> str:
    """Render a description of the plugin or role ``name`` to Markdown."""
    paragraphs = [text] if isinstance(text, str) else text or []
    plugin = dom.PluginIdentifier(fqcn=f"{COLLECTION}.{name}", type=kind)
    context = Context(current_plugin=plugin, role_entrypoint="main" if kind == "role" else None)
    rendered = [
        to_md([part], formatter=ReadableFormatter(), link_provider=PageLinks(), current_plugin=plugin).strip()
        for paragraph in paragraphs
        for part in parse(paragraph, context)
    ]
    return "\n\n".join(rendered)


def literal(value: t.Any) -> str:
    """Write a default, a choice or a sample as YAML would read it."""
    if isinstance(value, str) and value.strip() == value and value:
        return value
    return json.dumps(value, ensure_ascii=False)


def plugin_documentation(root: Path, kind: str) -> dict[str, dict[str, t.Any]]:
    """Return the documentation of every plugin of one kind by name, its fragments included."""
    directory = root / "plugins" / PLUGIN_TYPES[kind]
    names = sorted(path.stem for path in directory.glob("[!_]*.py"))
    if not names:
        return {}
    answer = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-doc")), "--type", kind, "--json"]
        + [f"{COLLECTION}.{name}" for name in names],
        check=False,
        capture_output=True,
        text=True,
        cwd=root,
    )
    if answer.returncode:
        raise SystemExit(f"ansible-doc cannot read the documentation of the {kind}s: {answer.stderr}")
    documented = json.loads(answer.stdout)
    missing = [name for name in names if not documented.get(f"{COLLECTION}.{name}", {}).get("doc")]
    if missing:
        raise SystemExit(f"No documentation: {kind} {', '.join(missing)}")
    return {name: documented[f"{COLLECTION}.{name}"] for name in names}


def role_documentation(root: Path) -> dict[str, dict[str, t.Any]]:
    """Return the entry points of every role by its name, in the order of their file."""
    return {
        path.parents[1].name: yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        for path in sorted(root.glob("roles/*/meta/argument_specs.yml"))
    }


def playbooks(root: Path) -> dict[str, list[str]]:
    """Return the names of the plays of every playbook."""
    return {
        path.stem: [play["name"] for play in yaml.safe_load(path.read_text(encoding="utf-8")) if "name" in play]
        for path in sorted(root.glob("playbooks/*.yml"))
    }


def render(root: Path) -> dict[str, str]:
    """Return the text of every page by its path."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("reference_templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters.update(markdown=markdown, literal=literal)
    plugins = {kind: plugin_documentation(root, kind) for kind in PLUGIN_TYPES}
    roles = role_documentation(root)
    pages = {
        f"{REFERENCE}/{kind}s/{name}.md": environment.get_template("plugin.md.j2").render(
            kind=kind, name=name, fqcn=f"{COLLECTION}.{name}", **documented
        )
        for kind, all_documented in plugins.items()
        for name, documented in all_documented.items()
    }
    for name, entry_points in roles.items():
        pages[f"{REFERENCE}/roles/{name}.md"] = environment.get_template("role.md.j2").render(
            kind="role", name=name, fqcn=f"{COLLECTION}.{name}", entry_points=entry_points
        )
    pages[f"{REFERENCE}/README.md"] = environment.get_template("index.md.j2").render(
        collection=COLLECTION, plugins=plugins, roles=roles, playbooks=playbooks(root)
    )
    return {path: f"{text.strip()}\n" for path, text in pages.items()}


def written(root: Path) -> dict[str, str]:
    """Return the text of every page that is there by its path."""
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in root.glob(f"{REFERENCE}/**/*.md")}


def stale_pages(root: Path) -> list[str]:
    """Return the paths of the pages that are missing, differ, or should not be there."""
    there, wanted = written(root), render(root)
    return sorted(path for path in there.keys() | wanted.keys() if there.get(path) != wanted.get(path))


def write(root: Path) -> None:
    """Make docs/reference hold exactly the pages of today."""
    pages = render(root)
    for name in written(root).keys() - pages.keys():
        (root / name).unlink()
    for name, text in pages.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(pages)} pages in {REFERENCE}")


if __name__ == "__main__":
    write(ROOT)
