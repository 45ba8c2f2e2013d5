# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What a probe of a store is given, and how it says what it found."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import re
import typing as t
import uuid

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._probe import Deadline, reason

PREFIX = "openstack-ops-probe-"
SIZE = 64 * 1024
LONGEST_ANSWER = 300

Meaning = t.Callable[[BaseException], t.Optional[tuple[str, str]]]
"""Returns the code of the check that an exception belongs to and what to do, or None where it does not know it."""


class ProbeError(Exception):
    """What ends the probe of a store.

    :param advice: what to do about it, where more is known than the table of checks says.
    :param tried: whether the store was tried at all.
    """

    def __init__(self, code: str, what: str, advice: str = "", tried: bool = True) -> None:
        self.code, self.what, self.advice, self.tried = code, what, advice, tried
        super().__init__(what)


@dataclasses.dataclass
class Report:
    """What is known of a store; it is made of what JSON has, because it crosses the border of a process.

    :ivar where: the place where the store keeps its images, in words.
    :ivar step: what is being done.
    :ivar left: the probe object that exists, as long as it does.
    :ivar problems: the arguments of a ``Problem``, without the node.
    :ivar markers: the paths of the markers that were written.
    :ivar mounted: the directory on which the store's file system is mounted.
    :ivar made: whether a container or a bucket was made, which stays.
    :ivar tried: whether the store was tried.
    :ivar done: whether the probe came to its end.
    """

    where: str = ""
    step: str = "starting"
    left: str = ""
    free: t.Optional[int] = None
    total: t.Optional[int] = None
    milliseconds: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)
    problems: list[dict[str, str]] = dataclasses.field(default_factory=list)
    markers: list[str] = dataclasses.field(default_factory=list)
    mounted: str = ""
    made: bool = False
    tried: bool = True
    done: bool = False

    def problem(self, code: str, what: str, advice: str = "") -> None:
        """Add a problem."""
        self.problems.append({"code": code, "what": what, "advice": advice})

    def room(self, free: int, total: int) -> None:
        """Add to the bytes that are free, and to those that there are."""
        self.free = (self.free or 0) + max(0, free)
        self.total = (self.total or 0) + total


class Attempt:
    """One store, what may be done with it, and the report about it.

    :param values: the value of every option of the store, as ``validated_store`` returns them.
    :param write: whether something may be written there.
    :param publish: hands the report over, in case that the probe does not come to its end.
    """

    def __init__(
        self,
        values: dict[str, t.Any],
        write: bool = True,
        timeout: float = 30,
        publish: t.Callable[[Report], None] = lambda report: None,
    ) -> None:
        self.values = values
        self.write = write
        self.report = Report()
        # Something has to be left for saying what a server did not answer.
        self.deadline = Deadline(timeout * 0.8)
        self.name = f"{PREFIX}{uuid.uuid4()}"
        self.content = os.urandom(SIZE)
        self.meanwhile: t.Callable[[], None] = lambda: None
        """Called when the probe object is written, and not yet read."""
        self._publish = publish

    @contextlib.contextmanager
    def step(self, doing: str, meaning: Meaning = lambda error: None) -> t.Iterator[None]:
        """Say what is done inside, and turn what a library raises there into the trouble that it means."""
        self.report.step = doing
        self._publish(self.report)
        try:
            yield
        except ProbeError:
            raise
        except Exception as error:
            code, advice = meaning(error) or usual_meaning(error)
            raise ProbeError(code, f"{doing}: {answer(error)}", advice) from error

    @contextlib.contextmanager
    def existing(
        self, what: str, remove: t.Callable[[], t.Any], meaning: Meaning = lambda error: None
    ) -> t.Iterator[None]:
        """Note that a probe object may exist inside, and remove it at the end, whatever happened."""
        around, self.report.left = self.report.left, what
        try:
            yield
        except ProbeError:
            # What went wrong first is what is told.
            with contextlib.suppress(Exception):
                remove()
                self.report.left = around
            raise
        with self.step(f"deleting {what}", meaning):
            remove()
        self.report.left = around

    def compare(self, what: str, content: bytes) -> None:
        """Make sure that what was read is what was written."""
        if content != self.content:
            sizes = f"{SIZE} bytes were written, {len(content)} came back"
            raise ProbeError("GLS-169", f"{what} does not hold what was written: {sizes}")

    def note(self, text: str) -> None:
        """Add something that people should know."""
        self.report.notes.append(text)


def library(module: str, package: str) -> t.Any:
    """Import the client library of a backend."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ProbeError(
            "GLS-160",
            f"the Python library {module} cannot be imported: {answer(error)}",
            f"install the package {package}",
            tried=False,
        ) from error


def readable(path: t.Optional[str], option: str) -> None:
    """Make sure that a file that an option names can be read."""
    if not path:
        return
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        raise ProbeError(
            "GLS-163",
            f"{option} is {path}, which Glance's user cannot read: {reason(error)}",
            f"put the file there, readable by Glance's user, or correct {option}",
        ) from error


def answer(error: BaseException) -> str:
    """Return what a server or the system said, in one line."""
    root = chain(error)[-1]
    # urllib3 repeats the URL and names its classes, ssl its source, and botocore a message that is not there.
    text = re.split(r":? *\(?'?HTTPS?Connection(?:Pool)?\(", str(error))[0]
    text = re.sub(r"\[SSL: \w+\] | \(_ssl\.c:\d+\)|: None$", "", text)
    said = reason(root) if isinstance(root, OSError) else ""
    if root is error and said:
        text = said
    elif said and said not in text:
        text = f"{text.rstrip(' .:')}: {said}" if text else said
    line = without_credentials(" ".join(text.split())) or type(error).__name__
    return line if len(line) <= LONGEST_ANSWER else f"{line[:LONGEST_ANSWER]}..."


def chain(error: BaseException) -> list[BaseException]:
    """Return an exception and those from which it follows; libraries wrap each other's."""
    links = [error]
    while True:
        inner = links[-1].__cause__ or links[-1].__context__
        if inner is None or inner in links:
            return links
        links.append(inner)


MEANINGS: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset({"SSLFailure", "SSLError"}), "GLS-162", ""),
    (frozenset({"Unauthorized", "MissingRequiredOptions"}), "GLS-163", ""),
    (frozenset({"Forbidden"}), "GLS-164", ""),
    (
        frozenset({"EndpointNotFound", "EmptyCatalog"}),
        "GLS-161",
        "register the service in Keystone, or correct the region and the endpoint type of the store",
    ),
    (
        frozenset(
            {"ConnectionError", "ConnectFailure", "HTTPClientError", "Timeout", "TimeoutError", "timeout", "gaierror"}
        ),
        "GLS-161",
        "",
    ),
    (frozenset({"NotFound", "DiscoveryFailure", "HttpServerError", "HTTPServerError"}), "GLS-161", ""),
)
"""The names of the classes that requests, keystoneauth, botocore and the system raise. TLS comes first: where it fails,
the connection fails too."""


def usual_meaning(error: BaseException) -> tuple[str, str]:
    """Return the code of the check that an exception belongs to, and what to do about it."""
    names = {kind.__name__ for link in chain(error) for kind in type(link).__mro__}
    for kinds, code, advice in MEANINGS:
        if kinds & names:
            return code, advice
    return "GLS-169", ""
