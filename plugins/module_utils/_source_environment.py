# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""A virtual environment that holds one installation from a package index: complete, or as good as not there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import typing as t
from dataclasses import dataclass

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials

RECORD = "complete.json"
"""Written last. An environment without it was interrupted, and is made anew."""
CONSTRAINTS = "constraints.txt"

VIRTUALENV = "virtualenv<20.22"
"""The last versions that make an environment of Python 2.7. The pip that Debian bundles with its own breaks there."""

PRINT_VERSION = "import sys; sys.stdout.write('%d.%d.%d' % sys.version_info[:3])"

CAUSES = (
    (
        r"Could not find a version that satisfies the requirement|No matching distribution found",
        "a version that no index has which pip is configured to use, or none for this Python",
        "correct the version, or pip's configuration on the node (pip config list)",
    ),
    (
        r"Cannot install .* because these package versions have conflicting|ResolutionImpossible",
        "a constraints file that was made for another release",
        "give the constraints file of the very release",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "an index behind a certificate authority that pip does not know",
        "name its certificates in PIP_CERT (glance_source_environment) or in pip's configuration on the node",
    ),
    (
        r"NameResolutionError|Temporary failure in name resolution|Connection refused|ConnectTimeout|timed out",
        "an index that does not answer",
        "see pip's configuration on the node (pip config list), and try again",
    ),
    (
        r"gcc|error: command .* failed|Python\.h",
        "a package without a wheel for this Python, and no compiler or headers, or a version older than the Python",
        "install the compiler and the headers of the interpreter, name another one, or offer a wheel in the index",
    ),
)
"""What pip says, what causes it, what to do about it."""


class Run(t.Protocol):
    """Runs a command and returns its exit code, standard output and standard error."""

    def __call__(self, arguments: list[str]) -> tuple[int, str, str]:
        """Do it."""


@dataclass(frozen=True)
class Desired:
    """What the environment shall be.

    :param python: the interpreter that it is made with.
    :param minimum: the oldest Python that will do, as ``3.11``; empty when any will.
    :param constraints: the text of the constraints file; empty for none.
    """

    path: str
    python: str
    requirements: tuple[str, ...]
    constraints: str = ""
    minimum: str = ""

    def record(self, version: str) -> dict[str, t.Any]:
        """Return what is recorded in an environment that is complete.

        :param version: the version of the interpreter, which the packages are installed for.
        """
        feature_release = ".".join(version.split(".")[:2])
        constraints = hashlib.sha256(self.constraints.encode()).hexdigest()
        return {"python": feature_release, "requirements": list(self.requirements), "constraints_sha256": constraints}


def numbers(version: str) -> tuple[int, ...]:
    """Return a version for comparison."""
    return tuple(int(number) for number in version.split("."))


class Environment:
    """Makes one environment what it should be."""

    def __init__(self, run: Run, desired: Desired) -> None:
        self._run = run
        self._desired = desired

    def lacks_interpreter(self) -> bool:
        """Whether the interpreter is not there; an earlier task that did nothing in check mode may bring it."""
        return shutil.which(self._desired.python) is None

    def interpreter(self) -> str:
        """Return the version of the interpreter.

        :raises GlanceError: when there is none, or when it is too old.
        """
        python, minimum = self._desired.python, self._desired.minimum
        wanted = f"an interpreter of Python {minimum} or newer" if minimum else "an interpreter"
        if self.lacks_interpreter():
            raise GlanceError(
                f"looking for {python}", answer="it is not installed", remedy=f"install it, or name {wanted}"
            )
        code, output, errors = self._run([python, "-c", PRINT_VERSION])
        if code != 0:
            raise GlanceError(f"asking {python} for its version", answer=(errors or output).strip()[-500:])
        if minimum and numbers(output) < numbers(minimum):
            raise GlanceError(
                f"{python} is too old",
                answer=f"it is Python {output}, and {self._desired.requirements[0]} needs {minimum}",
                remedy=f"name {wanted}, or install an older release",
            )
        return output

    def observe(self) -> t.Optional[dict[str, t.Any]]:
        """Return the record of the environment, None where there is none or it is incomplete."""
        try:
            with open(os.path.join(self._desired.path, RECORD), encoding="utf-8") as file:
                record: dict[str, t.Any] = json.load(file)
        except (OSError, ValueError):
            return None
        return record

    def decide(self, observed: t.Optional[dict[str, t.Any]], version: str) -> Difference:
        """Return what has to change."""
        difference = Difference()
        difference.compare("environment", observed, self._desired.record(version))
        return difference

    def apply(self, version: str) -> None:
        """Make it anew. What is there by its name was never completed, or is for a Python that is gone.

        :raises GlanceError: when a package cannot be had.
        """
        path = self._desired.path
        if os.path.lexists(path):
            shutil.rmtree(path)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        if numbers(version) < (3,):
            self._make_python2()
        else:
            self._must([self._desired.python, "-m", "venv", path], f"making the virtual environment {path}")
        self._install()
        self._record(version)

    def _make_python2(self) -> None:
        tool = os.path.join(os.path.dirname(self._desired.path), ".virtualenv")
        doing = f"making the virtual environment {tool}, which makes those of Python 2"
        self._must(["python3", "-m", "venv", "--clear", tool], doing)
        self._must([f"{tool}/bin/python", "-m", "pip", "install", *QUIET, VIRTUALENV], f"installing {VIRTUALENV}")
        make = [f"{tool}/bin/virtualenv", "--app-data", f"{tool}/app-data", "--python", self._desired.python]
        self._must([*make, self._desired.path], f"making the virtual environment {self._desired.path}")

    def _install(self) -> None:
        python = os.path.join(self._desired.path, "bin", "python")
        constraints = os.path.join(self._desired.path, CONSTRAINTS)
        with open(constraints, "w", encoding="utf-8") as file:
            file.write(self._desired.constraints)
        requirements = self._desired.requirements
        install = [python, "-m", "pip", "install", *QUIET, "--constraint", constraints, *requirements]
        self._must(install, f"installing {', '.join(requirements)} in {self._desired.path}")
        self._must([python, "-m", "pip", "check"], f"checking what was installed in {self._desired.path}")

    def _record(self, version: str) -> None:
        record = os.path.join(self._desired.path, RECORD)
        with open(f"{record}.new", "w", encoding="utf-8") as file:
            json.dump(self._desired.record(version), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{record}.new", record)

    def _must(self, arguments: list[str], doing: str) -> None:
        code, output, errors = self._run(arguments)
        if code != 0:
            raise failure(doing, f"{output}\n{errors}")


TOLD = r"\s*(?:(?:ERROR|error): |╰─> \w)"
"""The lines in which pip tells what is wrong, and with which package when that cannot be built."""
QUIET = ("--no-input", "--disable-pip-version-check", "--progress-bar=off")


def failure(doing: str, text: str) -> GlanceError:
    """Return the error that tells why pip failed."""
    told = [line.strip() for line in text.splitlines() if re.match(TOLD, line)] or text.split("\n")[-5:]
    cause, remedy = next(((cause, remedy) for pattern, cause, remedy in CAUSES if re.search(pattern, text)), ("", ""))
    answer = without_credentials(" ".join(line.strip() for line in told if line.strip()))
    return GlanceError(doing, answer=answer[-1500:] or "it printed nothing", cause=cause, remedy=remedy)


def ensure(environment: Environment, check_mode: bool) -> tuple[Difference, str]:
    """Bring the environment about, and return what differed and the version of the interpreter.

    :raises GlanceError: when that is impossible.
    """
    if check_mode and environment.lacks_interpreter():
        difference = Difference()
        difference.compare("environment", None, "made by an interpreter that is not there yet")
        return difference, ""
    version = environment.interpreter()
    difference = environment.decide(environment.observe(), version)
    if difference.changed and not check_mode:
        environment.apply(version)
    return difference, version
