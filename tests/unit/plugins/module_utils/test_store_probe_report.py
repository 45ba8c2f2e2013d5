# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the exceptions of client libraries mean, and that probe objects are removed."""

from __future__ import annotations

import socket
import ssl
import typing as t
from pathlib import Path

import keystoneauth1.exceptions as keystone
import pytest
import requests
from ansible_collections.openstack_ops.glance.plugins.module_utils._store_probe_report import (
    Attempt,
    ProbeError,
    answer,
    library,
    readable,
    usual_meaning,
)


def chained(*errors: Exception) -> BaseException:
    """Return the last of the errors, each raised because of the one before it."""
    for cause, error in zip(errors, errors[1:]):
        error.__cause__ = cause
    return errors[-1]


class TestMeaning:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (requests.exceptions.SSLError("x"), "GLS-162"),
            (chained(ssl.SSLCertVerificationError("x"), RuntimeError("wrapped")), "GLS-162"),
            (requests.exceptions.ConnectionError("x"), "GLS-161"),
            (requests.exceptions.ReadTimeout("x"), "GLS-161"),
            (ConnectionRefusedError(111, "Connection refused"), "GLS-161"),
            (socket.gaierror(-2, "Name or service not known"), "GLS-161"),
            (socket.timeout("timed out"), "GLS-161"),
            (chained(keystone.ConnectFailure("x"), RuntimeError("wrapped")), "GLS-161"),
            (chained(keystone.Unauthorized("x"), RuntimeError("wrapped")), "GLS-163"),
            (keystone.Forbidden("x"), "GLS-164"),
            (keystone.EndpointNotFound("x"), "GLS-161"),
            (keystone.ServiceUnavailable("x"), "GLS-161"),
            (ValueError("x"), "GLS-169"),
        ],
    )
    def test_code(self, error: BaseException, code: str) -> None:
        assert usual_meaning(error)[0] == code

    def test_advice(self) -> None:
        assert "region" in usual_meaning(keystone.EndpointNotFound("x"))[1]


class TestAnswer:
    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (PermissionError(13, "Permission denied", "/srv/x"), "Permission denied"),
            (
                chained(
                    ConnectionRefusedError(111, "Connection refused"),
                    RuntimeError("Unable to connect: HTTPConnectionPool(host='x', port=1): Max retries exceeded"),
                ),
                "Unable to connect: Connection refused",
            ),
            (
                chained(ConnectionRefusedError(111, "Connection refused"), RuntimeError("no: Connection refused")),
                "no: Connection refused",
            ),
            (
                RuntimeError("failed for https://x [SSL: CERTIFICATE_VERIFY_FAILED] verify failed (_ssl.c:992)"),
                "failed for https://x verify failed",
            ),
            (RuntimeError("An error occurred (AccessDenied): None"), "An error occurred (AccessDenied)"),
            (RuntimeError("http://user:secret@host/"), "http://user:VALUE_HIDDEN@host/"),
            (RuntimeError("two\n lines"), "two lines"),
            (RuntimeError("x" * 400), "x" * 300 + "..."),
            (RuntimeError(), "RuntimeError"),
        ],
    )
    def test_one_line(self, error: BaseException, text: str) -> None:
        assert answer(error) == text

    def test_exceptions_that_go_in_a_circle(self) -> None:
        first, second = RuntimeError("a"), RuntimeError("b")
        first.__cause__, second.__cause__ = second, first
        assert answer(first) == "a"


class TestObjects:
    def test_each_has_a_name_and_a_content_of_its_own(self) -> None:
        one, other = Attempt({}), Attempt({})
        assert one.name.startswith("openstack-ops-probe-")
        assert one.name != other.name
        assert one.content != other.content

    def test_removed(self) -> None:
        attempt = Attempt({})
        removed: list[bool] = []
        with attempt.existing("the object x", lambda: removed.append(True)):
            assert attempt.report.left == "the object x"
        assert removed == [True]
        assert attempt.report.left == ""

    def test_removed_after_trouble_and_the_trouble_is_told(self) -> None:
        attempt = Attempt({})
        removed: list[bool] = []
        with pytest.raises(ProbeError, match="reading it: y"):
            self.read_nothing(attempt, lambda: removed.append(True))
        assert removed == [True]
        assert attempt.report.left == ""

    def test_left_where_it_cannot_be_removed(self) -> None:
        attempt = Attempt({})

        def remove() -> None:
            raise PermissionError(1, "Operation not permitted")

        with pytest.raises(ProbeError, match="reading it: y"):
            self.read_nothing(attempt, remove)
        assert attempt.report.left == "the object x"
        with pytest.raises(ProbeError, match="deleting the object z: Operation not permitted"):
            self.delete_nothing(attempt, remove)

    @staticmethod
    def read_nothing(attempt: Attempt, remove: t.Callable[[], t.Any]) -> None:
        with attempt.existing("the object x", remove), attempt.step("reading it"):
            raise ValueError("y")

    @staticmethod
    def delete_nothing(attempt: Attempt, remove: t.Callable[[], t.Any]) -> None:
        with attempt.existing("the object z", remove):
            pass

    def test_compared(self) -> None:
        attempt = Attempt({})
        attempt.compare("it", attempt.content)
        with pytest.raises(
            ProbeError, match="it does not hold what was written: 65536 bytes were written, 3 came back"
        ):
            attempt.compare("it", b"abc")

    def test_every_step_is_published(self) -> None:
        steps: list[str] = []
        attempt = Attempt({}, publish=lambda report: steps.append(report.step))
        with attempt.step("one"), attempt.step("two"):
            pass
        assert steps == ["one", "two"]

    def test_a_meaning_of_its_own_comes_first(self) -> None:
        attempt = Attempt({})
        with pytest.raises(ProbeError) as caught:
            self.fail(attempt)
        assert (caught.value.code, caught.value.advice) == ("GLS-165", "do it")

    @staticmethod
    def fail(attempt: Attempt) -> None:
        with attempt.step("trying", lambda error: ("GLS-165", "do it")):
            raise ConnectionRefusedError(111, "Connection refused")


class TestNode:
    def test_library(self) -> None:
        assert library("json", "python3").dumps(1) == "1"
        with pytest.raises(ProbeError) as caught:
            library("no_such_library_at_all", "python3-nothing")
        assert (caught.value.code, caught.value.advice) == ("GLS-160", "install the package python3-nothing")
        assert not caught.value.tried

    def test_file(self, tmp_path: Path) -> None:
        readable(None, "cacert")
        (tmp_path / "ca.pem").write_text("x")
        readable(str(tmp_path / "ca.pem"), "cacert")
        with pytest.raises(
            ProbeError, match="cacert is /nowhere, which Glance's user cannot read: No such file"
        ) as caught:
            readable("/nowhere", "cacert")
        assert caught.value.code == "GLS-163"
