# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""Writes tests/fixtures/options: which option stands in which section of which release, from the sources of OpenStack.

Nothing of OpenStack is run: the definitions are found in the syntax tree of its files. Usage::

    option_lists.py glance=CLONE glance_store=CLONE keystonemiddleware=CLONE python-keystoneclient=CLONE \\
        [glance@33.0.0=TREE ...]

A clone is a directory of git that has the tags of sources.yml; a tree is an unpacked release, for one without.
"""

from __future__ import annotations

import ast
import collections
import io
import re
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

import yaml

FIXTURES = Path(__file__).resolve().parents[2] / "tests/fixtures/options"
NOW = "now"
NOT_READ = re.compile(
    r"/tests/|/cmd/|/glare/|/removed_config\.py$"
    # Registered for stores that are configured elsewhere since there is glance_store.
    r"|/swift_store_utils\.py$|^glance_store/common/config\.py$"
)
"""What defines options of other programs, and options that nobody reads."""

OPTION_CLASS = re.compile(r"(Str|Int|Float|Bool|List|MultiStr|MultiString|Dict|Port|HostAddress|URI|)Opt")

Files = dict[str, str]


class Option(t.NamedTuple):
    """An option as a release defines it."""

    section: str
    name: str
    brackets: bool
    """Whether its list is written in brackets."""
    deprecated: bool
    """Whether it is going to be removed."""


def main(arguments: list[str]) -> None:
    """Read every release and write the fixtures."""
    places = dict(argument.split("=", 1) for argument in arguments)
    sources: dict[str, dict[str, str]] = yaml.safe_load((FIXTURES / "sources.yml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, set[Option]]] = collections.defaultdict(dict)
    for release, versions in sources.items():
        for project, version in versions.items():
            print(f"{release}: {project} {version}", flush=True)
            kind = "keystone_authtoken" if project.startswith(("keystone", "python-keystone")) else project
            found[kind][release] = READERS[kind](read(places, project, version))
    for kind, by_release in found.items():
        write(FIXTURES / f"{kind}.yml", kind, by_release, list(sources))


def read(places: dict[str, str], project: str, version: str) -> Files:
    """Return the Python files of a version, by their paths."""
    tree = places.get(f"{project}@{version}")
    if tree:
        paths = [path for path in Path(tree).rglob("*.py") if path.is_file()]
        return {str(path.relative_to(tree)): path.read_text(encoding="utf-8") for path in paths}
    archive = subprocess.run(
        ["git", f"--git-dir={places[project]}", "archive", version], check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        members = [member for member in files if member.isfile() and member.name.endswith(".py")]
        return {member.name: t.cast("t.IO[bytes]", files.extractfile(member)).read().decode() for member in members}


def glance(files: Files) -> set[Option]:
    """Return the options that glance registers, each in the section that it is registered for."""
    found: set[Option] = set()
    for path, text in files.items():
        if path.startswith("glance/") and not NOT_READ.search(path):
            # The file that defines options registers them too.
            found |= registered(parse(text))
    return found


def glance_store(files: Files) -> set[Option]:
    """Return the options of each driver; those of the library itself stand under glance_store and store."""
    found: set[Option] = set()
    for path, text in files.items():
        driver = re.match(r"glance_store/_drivers/(\w+)", path)
        if NOT_READ.search(path) or not path.startswith("glance_store/"):
            continue
        section = driver.group(1) if driver else "store" if path.endswith("driver.py") else "glance_store"
        options = {option for call in calls(parse(text)) for option in [as_option(DRIVERS.get(section, section), call)]}
        # The library names a few options of the driver that keeps its own data.
        found |= {option for option in options if driver or not option.name.startswith("filesystem_")}
    return found


DRIVERS = {"filesystem": "file", "vmware_datastore": "vmware"}
"""The store types whose drivers have another name."""


def keystone_authtoken(files: Files) -> set[Option]:
    """Return the options of the middleware, without those of the plugin that it logs in with."""
    wanted = re.compile(r"^(keystonemiddleware/auth_token|keystoneclient/middleware/auth_token)(\.py$|/)")
    return {
        as_option("keystone_authtoken", call)
        for path, text in files.items()
        if wanted.match(path)
        for call in calls(parse(text))
    }


READERS: dict[str, t.Callable[[Files], set[Option]]] = {
    "glance": glance,
    "glance_store": glance_store,
    "keystone_authtoken": keystone_authtoken,
}


def parse(text: str) -> ast.AST:
    """Return the syntax tree of a file; of one for Python 2, the statements that Python 3 understands."""
    # A package of glance had a name that has become a keyword.
    text = re.sub(r"\basync\b(?=\.| import|$)", "async_", text, flags=re.MULTILINE)
    try:
        return ast.parse(text)
    except SyntaxError:
        statements = re.split(r"^(?=[^\s)\]}#])", text, flags=re.MULTILINE)
        return ast.Module([node for statement in statements for node in understood(statement)], [])


def understood(statement: str) -> list[ast.stmt]:
    """Return the syntax tree of a statement, or nothing; statements that make options are the same in Python 3."""
    try:
        return ast.parse(statement).body
    except SyntaxError:
        return []


def calls(tree: ast.AST) -> list[ast.Call]:
    """Return the calls that make options."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_option(node)]


def is_option(call: ast.Call) -> bool:
    """Tell whether a call makes an option with a name."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    named = bool(call.args) and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    return named and OPTION_CLASS.fullmatch(name) is not None


def as_option(section: str, call: ast.Call) -> Option:
    """Return an option as it is written in a file."""
    name = str(t.cast("ast.Constant", call.args[0]).value).replace("-", "_")
    keywords = [keyword for node in ast.walk(call) if isinstance(node, ast.Call) for keyword in node.keywords]
    true = {keyword.arg for keyword in keywords if getattr(keyword.value, "value", False) is True}
    return Option(section, name, "bounds" in true, "deprecated_for_removal" in true)


def registered(tree: ast.AST) -> set[Option]:
    """Return the options that a file registers."""
    groups: dict[str, str] = {}
    options: dict[str, list[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            options[name] = calls(node.value)
            groups.update(dict.fromkeys([name], group_name(node.value)))
    found: set[Option] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if re.fullmatch(r"register_(cli_)?opts?", node.func.attr):
            group: t.Optional[ast.expr] = next((word.value for word in node.keywords if word.arg == "group"), None)
            group = group or (node.args[1] if len(node.args) > 1 else None)
            section = "DEFAULT" if group is None else group_name(group) or groups.get(getattr(group, "id", ""), "")
            wanted = calls(node.args[0]) or options.get(getattr(node.args[0], "id", ""), [])
            found |= {as_option(section, call) for call in wanted}
    return found


def group_name(value: ast.expr) -> str:
    """Return the name of a section that an expression gives, or nothing."""
    if isinstance(value, ast.Call) and (value.args or value.keywords):
        value = value.args[0] if value.args else value.keywords[0].value
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def write(path: Path, kind: str, by_release: dict[str, set[Option]], releases: list[str]) -> None:
    """Write the options of a project, each with the releases that have it."""
    names = sorted({option[:2] for options in by_release.values() for option in options})

    def when(section: str, name: str, flag: str = "") -> str:
        found = [
            any(option[:2] == (section, name) and getattr(option, flag, True) for option in by_release.get(release, ()))
            for release in releases
        ]
        return f"[{', '.join(spans(found, releases))}]"

    lines = ["---", f"# The options of {kind} by section, and the releases that have them."]
    lines.append("# Written by tests/tools/option_lists.py.")
    for flag, comment in (
        ("brackets", "Lists that Glance reads only in brackets."),
        ("deprecated", "What is going to be removed, and since when that is said."),
    ):
        flagged = [(section, name) for section, name in names if when(section, name, flag) != "[]"]
        lines += ["", f"# {comment}", f"{flag}:" if flagged else f"{flag}: {{}}"]
        lines += [f"  {section}.{name}: {when(section, name, flag)}" for section, name in flagged]
    lines += ["", "sections:"]
    for section in dict.fromkeys(section for section, _name in names):
        lines.append(f"  {section}:")
        lines += [f"    {name}: {when(section, name)}" for other, name in names if other == section]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def spans(having: list[bool], releases: list[str]) -> list[str]:
    """Return runs of releases, such as havana..pike; one that reaches the newest release ends with now."""
    found = []
    start = None
    for number, has in enumerate([*having, False]):
        if has and start is None:
            start = number
        elif not has and start is not None:
            end = NOW if number == len(releases) else releases[number - 1]
            found.append(f"{releases[start]}..{end}")
            start = None
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
