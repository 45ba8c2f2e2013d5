# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Checks configuration files against the options of the Glance that is installed.

This program is given to the interpreter that Glance runs with, which is seldom the one that runs the module. It
therefore imports nothing of the collection, and nothing of OpenStack before it is asked to. The options come from the
entry points of oslo.config, as they do for oslo-config-validator, whose code decides which of them exist.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib.metadata
import json
import logging
import sys
import typing as t
import warnings

Json = dict[str, t.Any]

DEFAULT = "DEFAULT"
AUTH_SECTIONS = ("keystone_authtoken", "oslo_limit")
RESERVED_STORES = ("os_glance_staging_store", "os_glance_tasks_store")

NOT_READ = ("cache",)
"""Sections whose options a library registers for other services than Glance."""

MISLISTED = {"glance_download_opts": "glance_download_properties"}
"""Sections that a release lists under another name than the one that it reads."""

REPLACED = {
    (DEFAULT, "sql_connection"): "[database] connection",
    ("keystone_authtoken", "auth_uri"): "[keystone_authtoken] www_authenticate_uri",
    ("keystone_authtoken", "identity_uri"): "[keystone_authtoken] auth_url",
    ("keystone_authtoken", "admin_user"): "[keystone_authtoken] username",
    ("keystone_authtoken", "admin_password"): "[keystone_authtoken] password",
    ("keystone_authtoken", "admin_tenant_name"): "[keystone_authtoken] project_name",
}
"""What stands in old configuration files, and what stands there now: the names are too unlike to be matched."""


class MissingError(Exception):
    """What the check needs is not installed."""


class Options:
    """The options that the installed Glance has with this file, section by section."""

    def __init__(self, sections: dict[str, Json]) -> None:
        self.sections = sections
        self.problems: list[Json] = []
        self.aliases: dict[tuple[str, str], tuple[str, str]] = {}
        self._known: dict[str, dict[str, t.Any]] = {}

    def add(self, section: str, options: t.Iterable[t.Any]) -> None:
        """Add options to a section; the first of equal names counts, as it does for oslo.config."""
        known = self._known.setdefault(section if section == DEFAULT else section.lower(), {})
        for option in options:
            known.setdefault(option.dest, option)

    def remove(self, section: str) -> None:
        """Forget a section."""
        self._known.pop(section, None)

    def rename(self, listed: str, read: str) -> None:
        """Move the options of a section that is listed under a wrong name."""
        self.add(read, self._known.pop(listed, {}).values())

    def find(self, section: str, option: str) -> t.Any:
        """Return an option, or None."""
        return self._known.get(section, {}).get(option)

    def names(self, section: str) -> list[str]:
        """Return the names of the options of a section."""
        return list(self._known.get(section, {}))

    def items(self) -> t.Iterable[tuple[str, dict[str, t.Any]]]:
        """Return every section with its options."""
        return self._known.items()

    def report(self, section: str, option: str, problem: str, **more: t.Any) -> None:
        """Record that something in the file is wrong."""
        known = self.find(section, option)
        values = self.sections.get(section, {}).get(option, [])
        self.problems.append(
            {
                "section": section,
                "option": option,
                "value": ", ".join(values),
                "secret": bool(known is not None and known.secret),
                "problem": problem,
                "allowed": "",
                "near": "",
                **more,
            }
        )


def main(jobs: str) -> None:
    """Do the jobs and print their reports, all in JSON.

    To load Glance takes most of the time, and is done once for all jobs.

    :param jobs: a list of ``file``, ``namespaces`` and ``store_sections``.
    """
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stdout(sys.stderr):
        reports = [report(job) for job in json.loads(jobs)]
    sys.stdout.write(json.dumps(reports))


def report(job: Json) -> Json:
    """Return the report of a job."""
    try:
        return check(**job)
    except MissingError as missing:
        return {"missing": str(missing)}


def check(file: str, namespaces: list[str], store_sections: dict[str, str]) -> Json:
    """Check a file.

    :param file: the path of the file.
    :param namespaces: the namespaces of ``oslo.config.opts`` whose options the file may hold.
    :param store_sections: the type of store of sections that ``enabled_backends`` does not name.
    :returns: ``problems``, ``warnings`` and what they are based on.
    :raises MissingError: when oslo.config or Glance is not installed.
    """
    used, left_out = available(namespaces)
    basis: Json = {"namespaces": used, "left_out": left_out, "stores": {}, "warnings": []}
    try:
        options = Options(parse(file))
    except SyntaxError as error:
        return {**basis, "problems": [syntax_problem(error)]}
    places = [(section, option) for section, given in options.sections.items() for option in given]
    order = {place: number for number, place in enumerate(places)}
    add_listed(options, used)
    add_auth(options)
    stores = add_stores(options, file, store_sections)
    messages = check_names(options)
    check_values(options, file)
    problems = sorted(options.problems, key=lambda problem: order.get((problem["section"], problem["option"]), -1))
    return {**basis, "stores": stores, "warnings": messages, "problems": problems}


def available(namespaces: list[str]) -> tuple[list[str], list[str]]:
    """Return the namespaces that are installed, and those that are not."""
    try:
        importlib.metadata.version("oslo.config")
    except importlib.metadata.PackageNotFoundError:
        raise MissingError("oslo.config") from None
    installed = entry_points("oslo.config.opts")
    used = [name for name in namespaces if name in installed]
    left_out = [name for name in namespaces if name not in installed]
    wanted = [name for name in namespaces if name.split(".")[0] == "glance"]
    if not used or (wanted and not set(wanted) & set(used)):
        raise MissingError(" or ".join(wanted or namespaces))
    return used, left_out


def entry_points(group: str) -> dict[str, t.Any]:
    """Return the entry points of a group by name."""
    found: t.Any = importlib.metadata.entry_points()
    # Python before 3.10 returns a dictionary.
    selected = found.select(group=group) if hasattr(found, "select") else found.get(group, ())
    return {entry_point.name: entry_point for entry_point in selected}


def parse(file: str) -> dict[str, Json]:
    """Return the values of every option of every section, as oslo.config reads them.

    :raises SyntaxError: with the number of the line; its text may hold a secret.
    """
    from oslo_config import cfg, iniparser

    sections: dict[str, Json] = {}
    parser = cfg.ConfigParser(file, {})
    parser._add_normalized(sections)
    try:
        parser.parse()
    except iniparser.ParseError as error:
        raise SyntaxError(error.msg, (file, error.lineno, None, None)) from None
    return sections


def syntax_problem(error: SyntaxError) -> Json:
    """Return the problem of a file that cannot be parsed."""
    nothing = dict.fromkeys(("section", "option", "value", "allowed", "near"), "")
    return {**nothing, "secret": False, "problem": f"near line {error.lineno}: {error.msg}"}


def add_listed(options: Options, namespaces: list[str]) -> None:
    """Add what the namespaces list, and what the code behind them has registered or reads without listing it."""
    from oslo_config import cfg, generator

    for _namespace, groups in generator._list_opts(namespaces):
        for group, listed in groups:
            options.add(getattr(group, "name", group) or DEFAULT, listed)
    for listed_name, read_name in MISLISTED.items():
        if options.names(listed_name):
            options.rename(listed_name, read_name)
    options.add(DEFAULT, (entry["opt"] for entry in cfg.CONF._opts.values()))
    for name, group in cfg.CONF._groups.items():
        if name not in NOT_READ:
            options.add(name, (entry["opt"] for entry in group._opts.values()))
    options.add(DEFAULT, [cfg.StrOpt("metadata_source_path")])
    if options.names("keystone_authtoken"):
        options.add("keystone_authtoken", [cfg.IntOpt("timeout")])


def add_auth(options: Options) -> None:
    """Add the options of the plugins with which the file authenticates to Keystone."""
    from keystoneauth1 import exceptions, loading

    for section in AUTH_SECTIONS:
        given = options.sections.get(section)
        if given is None or not options.names(section):
            continue
        options.add(section, loading.get_auth_common_conf_options())
        name = (given.get("auth_type") or given.get("auth_plugin") or [""])[-1]
        if not name:
            continue
        try:
            plugin_options = loading.get_auth_plugin_conf_options(name)
        except exceptions.NoMatchingPlugin:
            choices = sorted(loading.get_available_plugin_names())
            option = "auth_type" if "auth_type" in given else "auth_plugin"
            near = nearest(name, choices)
            options.report(section, option, "is not a plugin", allowed="one of " + ", ".join(choices), near=near)
            # So that the other options of the section are not reported for this one's sake.
            plugin_options = loading.get_auth_plugin_conf_options("password")
        options.add((given.get("auth_section") or [section])[-1], plugin_options)


def add_stores(options: Options, file: str, store_sections: dict[str, str]) -> dict[str, str]:
    """Add the sections of the stores that are enabled, and take away the samples that are listed for them.

    :returns: the type of store of every section.
    """
    drivers = entry_points("glance_store.drivers")
    for name in drivers:
        options.remove(name.lower())
    enabled = enabled_stores(options, file)
    stores = {**enabled, **dict.fromkeys(RESERVED_STORES if enabled else (), "file"), **store_sections}
    types = sorted(name for name in drivers if "." not in name and name != "no_conf")
    for section, store_type in stores.items():
        place = ("", "") if section in store_sections else (DEFAULT, "enabled_backends")
        if options.find(DEFAULT, section) is not None:
            options.report(*place, f"the store {section} has the name of an option of Glance")
        if store_type not in drivers:
            told = f"the store {section} has the unknown type {store_type}"
            options.report(*place, told, allowed="one of " + ", ".join(types), near=nearest(store_type, types))
            # So that its options are not reported for the type's sake.
            options.sections.pop(section.lower(), None)
            continue
        driver = drivers[store_type].load()
        # The options that every store has are listed nowhere.
        options.add(section, [*(driver.OPTIONS or ()), *getattr(driver, "MULTI_BACKEND_OPTIONS", ())])
    return stores


def enabled_stores(options: Options, file: str) -> dict[str, str]:
    """Return what ``enabled_backends`` says; a value that cannot be read is a problem of another check."""
    option = options.find(DEFAULT, "enabled_backends")
    if option is None:
        return {}
    conf = load(file, {DEFAULT: {option.dest: option}})
    try:
        return dict(conf.enabled_backends or {})
    except (ValueError, AttributeError):
        return {}


def load(file: str, known: t.Mapping[str, t.Mapping[str, t.Any]]) -> t.Any:
    """Return oslo.config's own view of a file with these options."""
    from oslo_config import cfg

    conf = cfg.ConfigOpts()
    for section, options in known.items():
        for option in options.values():
            option.required = False
            with contextlib.suppress(cfg.DuplicateOptError):
                conf.register_opt(option, group=None if section == DEFAULT else section)
    conf([], default_config_files=[file], default_config_dirs=[], use_env=False)
    return conf


def check_names(options: Options) -> list[str]:
    """Let oslo-config-validator say which options of the file exist, and which have a new name.

    :returns: what is to be said about the latter, and about options that are set twice.
    """
    from oslo_config import cfg, generator, validator

    groups = generator._get_groups([("", [(name, list(known.values())) for name, known in options.items()])])
    data = generator._generate_machine_readable_data(groups, cfg.ConfigOpts())
    messages = []
    for section, given in options.sections.items():
        for option, values in given.items():
            known = options.find(section, option)
            if known is not None and len(values) > 1 and not known.multi:
                messages.append(f"[{section}] {option} is set {len(values)} times; only the last one counts")
            elif is_renamed(known) and validator._validate_deprecated_opt(section, option, data):
                messages.append(deprecated(options, section, option, data))
            elif "-" in option or not validator._validate_opt(section, option, data):
                # The validator takes names with hyphens, which oslo.config never reads from a file.
                report_unknown(options, section, option)
    return messages


def is_renamed(known: t.Any) -> bool:
    """Whether an option may be the old name of another; some are that and on their way out by themselves."""
    return known is None or known.deprecated_for_removal


def deprecated(options: Options, section: str, option: str, data: Json) -> str:
    """Return what is to be said about an option with a deprecated name, and remember its name of today."""
    entry = next(entry for entry in data["deprecated_options"][section] if option in (entry["name"], entry.get("dest")))
    group, name = entry["replacement_group"], entry["replacement_name"].replace("-", "_")
    options.aliases[section, option] = group, name
    message = f"[{section}] {option} is a deprecated name of [{group}] {name}"
    if name in options.sections.get(group, {}):
        return f"{message}, which is set too: this one is not read"
    return message


def report_unknown(options: Options, section: str, option: str) -> None:
    """Record an option that does not exist, with what is probably meant."""
    names = options.names(section)
    problem = "is not an option" if names else "is in a section that is never read"
    options.report(section, option, problem, near=meant(options, section, option, names))


def meant(options: Options, section: str, option: str, names: list[str]) -> str:
    """Return what is probably meant by an option that does not exist, or nothing."""
    if option.replace("-", "_") in names:
        return option.replace("-", "_")
    replaced = REPLACED.get((section, option)) or nearest(option, names)
    if replaced:
        return replaced
    elsewhere = [f"[{other}] {option}" for other, known in options.items() if option in known]
    # A name of one word, such as "enabled", stands in many sections and says nothing about the one that is meant.
    if 0 < len(elsewhere) <= 2 and (names or "_" in option):
        return " or ".join(elsewhere)
    return "" if names else nearest(section, [name for name, _known in options.items()], "[{}]")


def nearest(name: str, candidates: t.Iterable[str], form: str = "{}") -> str:
    """Return the candidate that is most like ``name``, or nothing."""
    return "".join(form.format(match) for match in difflib.get_close_matches(name, list(candidates), 1, 0.75))


def check_values(options: Options, file: str) -> None:
    """Let oslo.config read every value of the file."""
    conf = load(file, dict(options.items()))
    for section, given in options.sections.items():
        for option, values in given.items():
            group, name = options.aliases.get((section, option), (section, option))
            known = options.find(group, name)
            if known is None:
                continue
            try:
                _value = conf[name] if group == DEFAULT else conf[group][name]
            except Exception as error:
                options.report(section, option, reason(error), allowed=allowed(known), near=comment_hint(values))


def reason(error: Exception) -> str:
    """Return what oslo.config says about a value, without the place where it stands."""
    _before, separator, after = str(error).partition(" is not valid: ")
    if after.startswith("Valid values are"):
        return "is not valid"
    if separator:
        return f"is not valid: {after}"
    return "refers with $ to an option that does not exist; a dollar sign is written $$"


def allowed(option: t.Any) -> str:
    """Return which values an option takes."""
    kind = option.type
    parts = [getattr(kind, "type_name", "")]
    choices = getattr(kind, "choices", None)
    if choices:
        parts.append("one of " + ", ".join(str(choice) for choice in choices))
    if getattr(kind, "bounds", False):
        parts.append("in brackets")
    parts.extend(f"{name} {getattr(kind, name)}" for name in ("min", "max") if getattr(kind, name, None) is not None)
    return ", ".join(part for part in parts if part)


def comment_hint(values: list[str]) -> str:
    """Return a remark about a value that seems to end with a comment."""
    return "the value without the comment, which belongs on a line of its own" if " #" in values[-1] else ""
