# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module source_environment, with the real pip and an index that is a directory of two wheels."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
import zipfile
from pathlib import Path

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils._source_environment import failure
from ansible_collections.openstack_ops.glance.plugins.modules import source_environment as module
from ansible_collections.openstack_ops.glance.tests.unit.plugins.conftest import RunModule

Make = t.Callable[..., dict[str, t.Any]]


def make_wheel(directory: Path, version: str, requires: str = "") -> None:
    """Put a wheel of the distribution ``picture`` into a directory."""
    info = f"picture-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: picture\nVersion: {version}\n{requires}"
    with zipfile.ZipFile(directory / f"picture-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("picture.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"picture.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory of wheels."""
    directory = tmp_path_factory.mktemp("wheels")
    make_wheel(directory, "1.0")
    make_wheel(directory, "2.0", "Requires-Python: >=3.99\n")
    return directory


@pytest.fixture
def make(run_module: RunModule, index: Path, tmp_path: Path) -> Make:
    """Return a function that runs the module for the environment ``picture`` below the temporary directory."""
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "PIP_CONFIG_FILE": "/dev/null"}

    def run(version: str = "1.0", *, check: bool = False, **changes: t.Any) -> dict[str, t.Any]:
        options = {
            "path": str(tmp_path / "opt" / "picture"),
            "requirements": [f"picture=={version}"],
            "python": sys.executable,
            "environment": pip,
            **changes,
        }
        return run_module(module, options, check=check)

    return run


def installed(tmp_path: Path) -> str:
    """Return what the interpreter of the environment imports."""
    command = [str(tmp_path / "opt/picture/bin/python"), "-c", "import picture; print(picture.VERSION)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_environment_is_made_once(make: Make, tmp_path: Path) -> None:
    announced = make(check=True)
    assert announced["changed"]
    assert not (tmp_path / "opt").exists()
    done = make()
    assert done["changed"]
    assert done["diff"] == announced["diff"]
    assert done["python_version"] == ".".join(str(number) for number in sys.version_info[:3])
    assert installed(tmp_path) == "1.0"
    assert not make(check=True)["changed"]
    assert not make()["changed"]


def test_interrupted_environment_is_made_anew(make: Make, tmp_path: Path) -> None:
    make()
    (tmp_path / "opt/picture/complete.json").unlink()
    (tmp_path / "opt/picture/left-behind").touch()
    assert make()["changed"]
    assert not (tmp_path / "opt/picture/left-behind").exists()
    assert installed(tmp_path) == "1.0"


def test_environment_of_a_python_that_was_replaced_is_made_anew(make: Make, tmp_path: Path) -> None:
    make()
    record = tmp_path / "opt/picture/complete.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "python": "3.1"}))
    assert make()["changed"]
    assert not make()["changed"]


def test_version_that_no_index_has(make: Make, tmp_path: Path) -> None:
    result = make("9.9")
    assert result["failed"]
    assert "picture==9.9" in result["msg"]
    assert "a version that no index has" in result["msg"]
    assert not (tmp_path / "opt/picture/complete.json").exists()
    assert make("1.0")["changed"]
    assert installed(tmp_path) == "1.0"


def test_constraints_that_contradict(make: Make) -> None:
    result = make(constraints="picture==0.9\n")
    assert result["failed"]
    assert "What to do: " in result["msg"]


def test_python_that_is_too_old(make: Make, tmp_path: Path) -> None:
    for check in (True, False):
        result = make("2.0", minimum_python="3.99", check=check)
        assert result["failed"]
        assert f"{sys.executable} is too old" in result["msg"]
        assert "picture==2.0 needs 3.99" in result["msg"]
    assert not (tmp_path / "opt").exists()


def test_python_that_is_not_there(make: Make) -> None:
    result = make(python="python4.2")
    assert result["failed"]
    assert "looking for python4.2: it is not installed" in result["msg"]
    announced = make(python="python4.2", check=True)
    assert announced["changed"]
    assert announced["python_version"] == ""


def test_credentials_of_an_index_are_not_told(make: Make) -> None:
    url = "https://reader:s3cret@127.0.0.1:1/simple"  # pragma: allowlist secret
    result = make(environment={"PIP_INDEX_URL": url, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": "/dev/null"})
    assert result["failed"]
    assert "s3cret" not in json.dumps(result)


def test_package_that_cannot_be_built_is_named() -> None:
    text = """
      yappi/_yappi.c:934:18: error: invalid use of incomplete typedef
      error: command '/usr/bin/x86_64-linux-gnu-gcc' failed with exit code 1
      [end of output]
error: legacy-install-failure

╰─> Yappi

note: This is an issue with the package mentioned above, not pip.
"""
    error = failure("installing glance==20.0.1", text)
    told = (
        "error: command '/usr/bin/x86_64-linux-gnu-gcc' failed with exit code 1 error: legacy-install-failure ╰─> Yappi"
    )
    assert error.answer == told
    assert "a version older than the Python" in error.cause


def test_nothing_to_install(make: Make) -> None:
    assert make(requirements=[])["msg"].startswith("requirements is empty")
