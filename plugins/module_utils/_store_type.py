# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What every store type is made of: its options, and what follows from their values.

A release is given as the major number of its Glance (25 for zed). The options and the releases that have them are those
of glance_store's drivers and release notes.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

Parameters = dict[str, t.Any]

ICEHOUSE, JUNO, KILO, LIBERTY, MITAKA, OCATA, QUEENS, ROCKY = 8, 9, 10, 11, 12, 14, 16, 17
STEIN, TRAIN, USSURI, VICTORIA, WALLABY, XENA = 18, 19, 20, 21, 22, 23
ANTELOPE, BOBCAT, CARACAL, FLAMINGO, GAZPACHO = 26, 27, 28, 31, 32


class Finding(t.NamedTuple):
    """What is wrong with the value of an option."""

    option: str
    what: str
    code: str = "GLS-018"


class Rule(t.NamedTuple):
    """What a value has to be, where no argument spec can say it.

    :param wanted: the words that end the sentence "... is not".
    """

    holds: t.Callable[[t.Any], bool]
    wanted: str


ABSOLUTE_PATH = Rule(lambda path: path.startswith("/"), "an absolute path")
MEGABYTES = Rule(lambda size: size > 0, "a positive number of MB")
BYTES = Rule(lambda size: size > 0, "a positive number of bytes")
POSITIVE = Rule(lambda number: number > 0, "a positive number")
SECONDS = Rule(lambda number: number >= 0, "a number of seconds")
ONE_LINE = Rule(lambda text: "\n" not in text and text != "", "one line of text")


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a store type.

    :param oslo: the name of the oslo option that takes the value as it is; nothing where it is not that simple.
    :param spec: what ansible-core has to know about the option.
    :param since: the first release that has it.
    :param multi_only: whether it exists in a multi-store configuration only.
    """

    oslo: str = ""
    spec: Parameters = dataclasses.field(default_factory=dict)
    since: int = 0
    multi_only: bool = False
    rule: t.Optional[Rule] = None

    def argument(self) -> Parameters:
        """The argument spec; the name that Glance gives to the option is welcome too."""
        return {**self.spec, "aliases": [self.oslo, *self.spec.get("aliases", [])]} if self.oslo else dict(self.spec)

    def problem(self, value: t.Any) -> str:
        """Return what is wrong with a value that the argument spec accepts, or nothing. A secret is not repeated."""
        if value is None or self.rule is None or self.rule.holds(value):
            return ""
        shown = "the value" if self.spec.get("no_log") else repr(value)
        return f"{shown} is not {self.rule.wanted}"


@dataclasses.dataclass(frozen=True)
class Section:
    """What a configuration file says about one store, be it ours or one that is found on a node.

    :param options: the oslo options of the store; a value is a text, or several where oslo.config takes several.
    :param reference: the options of the section of Swift's reference file that the store names.
    :param read: reads a file of the node, and gives nothing where that is not possible.
    """

    name: str
    options: t.Mapping[str, t.Any]
    reference: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    read: t.Callable[[str], str] = lambda path: ""

    def text(self, option: str, default: str = "") -> str:
        """Return the value of an option that has one."""
        value = self.options.get(option)
        if isinstance(value, (list, tuple)):
            value = value[-1] if value else None
        return default if value in (None, "") else str(value)

    def texts(self, option: str) -> list[str]:
        """Return the values of an option that may have several."""
        value = self.options.get(option)
        if value in (None, ""):
            return []
        return [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]

    def flag(self, option: str) -> bool:
        """Return whether an option is switched on, as oslo.config reads it."""
        return self.text(option).lower() in ("true", "yes", "on", "1")


class Place(t.NamedTuple):
    """Where a store keeps its images.

    :param address: what the locations of these images begin with, without credentials, as far as it can be known.
    :param storage: the same in words, such as ``the directory /srv/images``.
    :param identity: what no other place has, where the words say less or more than that.
    """

    address: str
    storage: str
    identity: str = ""

    @property
    def key(self) -> str:
        """What two stores must not have in common."""
        return self.identity or self.storage


@dataclasses.dataclass(frozen=True)
class StoreType:
    """One row of the registry.

    :param findings: what is wrong with the values that neither an argument spec nor a rule can tell.
    :param computed: the oslo options that do not take a value as it is, given the values and the name of the store.
    :param sets: the option that each oslo option follows from which does not take a value as it is.
    :param directories: the directories on the node that the store keeps its images in.
    :param places: where the store of a section keeps its images.
    :param warnings: what an operator should know though it works, given the values and the release.
    :param inner_since: the first release that has an option inside of an option that is a dictionary.
    :param since: the first release in which the collection configures the type.
    :param read_only: whether Glance cannot write there.
    """

    options: dict[str, Option]
    places: t.Callable[[Section], list[Place]]
    constraints: Parameters = dataclasses.field(default_factory=dict)
    findings: t.Callable[[Parameters], t.Iterator[Finding]] = lambda values: iter(())
    computed: t.Callable[[Parameters, str], Parameters] = lambda values, name: {}
    sets: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    directories: t.Callable[[Parameters], list[str]] = lambda values: []
    warnings: t.Callable[[Parameters], t.Iterator[str]] = lambda values: iter(())
    inner_since: t.Mapping[str, t.Mapping[str, int]] = dataclasses.field(default_factory=dict)
    since: int = 0
    read_only: bool = False


def normal_path(path: str) -> str:
    """Return the path without what does not matter in it: //, ., .. and a slash at its end."""
    return posixpath.normpath("/" + path.lstrip("/")) if path.startswith("/") else posixpath.normpath(path)


def server_address(url: str) -> str:
    """Return the URL of a server without credentials, without a slash at its end, in lower case."""
    return re.sub(r"//[^/@]*@", "//", url).rstrip("/").lower()


def keystone_identity(url: str) -> str:
    """Return what stays of the URL of a Keystone when it gets TLS, or another version of its API."""
    server = re.sub(r"/v[0-9.]+$", "", server_address(url))
    return re.sub(r"^http://([^/]*?)(:80)?(?=/|$)|^https://([^/]*?)(:443)?(?=/|$)", r"\1\3", server)


def domain_identity(options: t.Mapping[str, t.Any], prefix: str) -> str:
    """Return which domain some options name, by ``<prefix>_id`` or ``<prefix>_name``; without them the default one."""
    name, identity = str(options.get(f"{prefix}_name") or ""), str(options.get(f"{prefix}_id") or "")
    if name.lower() == "default" or identity == "default" or not (name or identity):
        return "default"
    return f"name {name}" if name else f"id {identity}"
