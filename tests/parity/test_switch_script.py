# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The script in the documentation of a switch tells the truth about every kind of end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "operations" / "switch_store.md"
PLAYBOOK = """#!/bin/sh
[ -z "$TOLD" ] || echo "{\\"verdict\\": {\\"status\\": $TOLD}}" > .glance-switch/local-objects/report.json
exit "$ENDED"
"""
JQ = f"""#!{sys.executable}
import json, sys
assert sys.argv[1] == ".verdict.status"
print(json.load(open(sys.argv[2]))["verdict"]["status"])
"""


def script() -> str:
    """Return the script of the guide."""
    (found,) = (
        block for block in re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S) if "jq" in block
    )
    return str(found)


@pytest.mark.parametrize(
    ("ended", "told", "status"),
    [
        (0, 0, 0),
        # Refused, or without a controller that can be reached: no report.
        (2, None, 1),
        (4, None, 1),
        (2, 1, 1),
        (2, 2, 2),
        # It failed, whatever the report says.
        (2, 0, 1),
    ],
)
@pytest.mark.parametrize("before", [None, 0, 2])
def test_status(tmp_path: Path, before: t.Optional[int], ended: int, told: t.Optional[int], status: int) -> None:
    report = tmp_path / ".glance-switch" / "local-objects" / "report.json"
    report.parent.mkdir(parents=True)
    if before is not None:
        report.write_text(json.dumps({"verdict": {"status": before}}), encoding="utf-8")
    for name, text in (("ansible-playbook", PLAYBOOK), ("jq", JQ)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    variables = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "ENDED": str(ended),
        "TOLD": "" if told is None else str(told),
    }
    result = subprocess.run(["sh", "-c", script()], cwd=tmp_path, env=variables, check=False, capture_output=True)
    assert result.returncode == status, result.stderr
