# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The text of a configuration file of oslo.config: what it sets, overrides in it, and secrets out of sight.

oslo.config itself can only read a file, and is not installed where a new node is looked at in check mode. The lines are
understood here exactly as its ``iniparser`` does.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import HIDDEN
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._oslo_format import (
    driver_password,
    escape_dollars,
    option_lines,
)

Overrides = t.Mapping[str, t.Mapping[str, t.Any]]
Key = tuple[str, str]

_ASSIGNMENT = re.compile(r"(?P<name>[^=:]*)(?P<delimiter>[=:]\s*)(?P<value>.*)", re.DOTALL)
_COMMENTED_OUT = re.compile(
    r"(?P<mark>[#;]\s*)(?P<name>[A-Za-z0-9_-]+)(?P<delimiter>\s*[=:]\s*)(?P<value>.+)", re.DOTALL
)
_SECTION_NAME = re.compile(r"[^\s\[\]](?:[^\r\n\[\]]*[^\s\[\]])?")
_OPTION_NAME = re.compile(r"[A-Za-z0-9][\w.\-]*")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|secrets)(?:$|_)"
    r"|(?:^|_)(?:key|keys|access_key_id)$"
    r"|(?:^|_)(?:token|token_id)$"
    r"|(?:^|_)secret_id$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(://[^:/?#\s]*:)(.*)(?=@)", re.DOTALL)
_URL_NAMES = frozenset({"connection", "connection_string", "slave_connection", "transport_url"})
_URL_PARAMETER = re.compile(r"([?&;](?:password|passwd|secret|token|key)=)([^&\s]+)", re.IGNORECASE)


class Assignment(t.NamedTuple):
    """An option that a text sets, and the lines (from ``first`` up to ``end``) on which it does so."""

    section: str
    option: str
    value: str
    first: int
    end: int

    @property
    def key(self) -> Key:
        """What two assignments of one option have in common."""
        return section_key(self.section), self.option


def section_key(section: str) -> str:
    """Return what oslo.config compares the names of sections by."""
    return section if section == "DEFAULT" else section.lower()


def assignments(lines: t.Sequence[str]) -> list[Assignment]:
    """Return every assignment of a text in its order; what cannot be parsed is passed over."""
    found: list[Assignment] = []
    section, continued = "", False
    for number, line in enumerate(line.rstrip() for line in lines):
        if line.startswith((" ", "\t")):
            if continued:
                found[-1] = found[-1]._replace(value=f"{found[-1].value}\n{line.lstrip()}", end=number + 1)
            continue
        continued = False
        if line.startswith("["):
            section = line[1:-1] if line.endswith("]") else section
        elif line and not line.startswith(("#", ";")):
            parts = _ASSIGNMENT.fullmatch(line)
            if parts and parts["name"].strip():
                found.append(Assignment(section, parts["name"].strip(), parts["value"].strip(), number, number + 1))
                continued = True
    return found


def override(text: str, overrides: Overrides) -> str:
    """Return ``text`` with other values for some options, everything else left as it is.

    An option that is set keeps its place, a new one comes behind the others of its section, a new section at the end. A
    null takes the option away.

    :raises GlanceError: when an override has no text.
    """
    for section, changes in overrides.items():
        if not _SECTION_NAME.fullmatch(section):
            raise GlanceError(f"The section {section!r} in options has no usable name")
        if not isinstance(changes, t.Mapping):
            raise GlanceError(
                f"The section [{section}] in options is not a dictionary", remedy="write its options below it"
            )
        for option, value in changes.items():
            text = _set(text, section, str(option), value)
    return text


def _set(text: str, section: str, option: str, value: t.Any) -> str:
    if not _OPTION_NAME.fullmatch(option):
        raise GlanceError(f"The option {option!r} of the section [{section}] in options has no usable name")
    try:
        new = option_lines(section, option, value)
    except GlanceError as error:
        raise GlanceError(f"The option {option} of the section [{section}] in options", answer=str(error)) from error
    lines = text.split("\n")
    found = [item for item in assignments(lines) if item.key == (section_key(section), option)]
    for item in reversed(found[1:]):
        del lines[item.first : item.end]
    if found:
        lines[found[0].first : found[0].end] = new
    elif new:
        _insert(lines, section, new)
    return "\n".join(lines)


def _insert(lines: list[str], section: str, new: list[str]) -> None:
    ends = [
        number + 1
        for number, line in enumerate(lines)
        if line.startswith("[") and section_key(line.rstrip()[1:-1]) == section_key(section)
    ]
    ends += [item.end for item in assignments(lines) if section_key(item.section) == section_key(section)]
    if ends:
        lines[max(ends) : max(ends)] = new
        return
    while lines and not lines[-1].strip():
        lines.pop()
    lines.extend(["", f"[{section}]", *new, ""] if lines else [f"[{section}]", *new, ""])


class Mask:
    """Takes secrets out of what people get to see.

    :param secrets: strings that are hidden wherever they stand, in every spelling that a configuration file knows. What
        the name of an option or the form of a URL shows to be a secret needs no mention.
    """

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        spellings = {spelling for secret in secrets if secret for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._listed = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Return a text without the secrets that can be told from it alone."""
        return self._without_listed("\n".join(_without_url_secrets(line)[0] for line in text.split("\n")))

    def value(self, option: str, value: str) -> str:
        """Return the value of an option without its secrets."""
        if value and (is_secret(option) or _is_odd_url(option, value)):
            return HIDDEN
        shown = _without_url_secrets(value)[0]
        return shown if self._without_listed(shown) == shown else HIDDEN

    def pair(self, before: str, after: str) -> tuple[str, str]:
        """Return two texts without their secrets; that a secret differs is still to be seen."""
        texts = before.split("\n"), after.split("\n")
        found = assignments(texts[0]), assignments(texts[1])
        # What holds a listed secret on one side holds one that is not listed, an old one, on the other.
        secret = {
            item.key for items in found for item in items if self.value(item.option, item.value) == HIDDEN != item.value
        }
        hidden = _all_hidden(found[0], secret), _all_hidden(found[1], secret)
        differing = {key for key in hidden[0].keys() & hidden[1].keys() if hidden[0][key] != hidden[1][key]}
        return (
            self._lines(texts[0], found[0], secret, dict.fromkeys(differing, f"{HIDDEN} (old)")),
            self._lines(texts[1], found[1], secret, dict.fromkeys(differing, f"{HIDDEN} (new)")),
        )

    def _lines(self, lines: list[str], found: list[Assignment], secret: set[Key], marks: dict[Key, str]) -> str:
        shown: dict[int, list[str]] = {}
        for item in found:
            value, hidden = _hide(item, secret)
            first, *rest = lines[item.first : item.end]
            parts = _ASSIGNMENT.fullmatch(first)
            if hidden and parts:
                value = value.replace(HIDDEN, marks.get(item.key, HIDDEN))
                first, rest = f"{parts['name']}{parts['delimiter']}{value}", []
            shown.update({item.first: [first, *rest], **{number: [] for number in range(item.first + 1, item.end)}})
        return "\n".join(
            line for number, original in enumerate(lines) for line in shown.get(number, [self._comment(original)])
        )

    def _comment(self, line: str) -> str:
        parts = _COMMENTED_OUT.fullmatch(line)
        if parts and is_secret(parts["name"]):
            return f"{parts['mark']}{parts['name']}{parts['delimiter']}{HIDDEN}"
        return line if line.startswith("[") else self.text(line)

    def _without_listed(self, text: str) -> str:
        return self._listed.sub(HIDDEN, text) if self._listed else text


def is_secret(option: str) -> bool:
    """Whether an option is one whose whole value is a secret."""
    return bool(_SECRET_NAME.search(option.replace("-", "_")))


def _is_odd_url(option: str, value: str) -> bool:
    """Whether what should be a URL is none, so that its password is not found in it."""
    if option not in _URL_NAMES or _without_url_secrets(value)[1]:
        return False
    return "@" in value or "://" not in value


def _spellings(secret: str) -> set[str]:
    encoded = {quote(text, safe=safe) for text in (secret, driver_password(secret)) for safe in ("", "/")}
    return {secret, escape_dollars(secret), secret.replace("%", "%%"), *encoded}


def _without_url_secrets(value: str) -> tuple[str, tuple[str, ...]]:
    """Return a value without the passwords of the URLs in it, and the passwords."""
    hidden: list[str] = []

    def hide(match: re.Match[str]) -> str:
        hidden.append(match[2])
        return f"{match[1]}{HIDDEN}"

    return _URL_PARAMETER.sub(hide, _URL_PASSWORD.sub(hide, value)), tuple(hidden)


def _hide(item: Assignment, secret: set[Key]) -> tuple[str, tuple[str, ...]]:
    """Return what is shown of an option, and what is not."""
    if item.key in secret:
        return HIDDEN, (item.value,)
    return _without_url_secrets(item.value)


def _all_hidden(found: list[Assignment], secret: set[Key]) -> dict[Key, tuple[str, ...]]:
    """Return what is not shown of every option that has something to hide."""
    hidden: dict[Key, tuple[str, ...]] = {}
    for item in found:
        pieces = _hide(item, secret)[1]
        if pieces:
            hidden[item.key] = hidden.get(item.key, ()) + pieces
    return hidden
