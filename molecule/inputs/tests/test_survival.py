# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What happens to a run in the middle: a full disk, Ctrl-C, one controller of two."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from playbook import SECOND_CONTROLLER

if t.TYPE_CHECKING:
    from bed import Bed
    from openstack.connection import Connection
    from playbook import Playbook
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-1"]

BOTH = ("-i", str(SECOND_CONTROLLER), "--limit", "molecule-controller-2")
SMALL = "/srv/small"


def test_full_disk_leaves_no_image_behind(playbook: Playbook, host: Host, cloud: Connection, tmp_path: Path) -> None:
    (tmp_path / "large.raw").write_bytes(os.urandom(48 * 1024 * 1024))
    variables = {
        "glance_stores": {
            "local": {"type": "file", "datadir": "/var/lib/glance/images"},
            "small": {"type": "file", "datadir": SMALL},
        },
        "glance_minimum_free_space": 1,
        "glance_images": [{"name": "too large", "source": str(tmp_path / "large.raw"), "store": "small"}],
    }
    host.run_expect([0], f"mkdir {SMALL} && mount -t tmpfs -o size=32m,uid=glance,gid=glance,mode=0750 small {SMALL}")
    try:
        outcome = playbook.run(variables=variables)
        assert outcome.status != 0
        assert len(outcome.messages) == 1, outcome.text
        assert "too large" in outcome.messages[0]
        assert "413" in outcome.messages[0]
        assert [image.name for image in cloud.image.images()] == []
        assert host.check_output(f"find {SMALL} -type f") == ""
    finally:
        restored = playbook.run()
        host.run_expect([0], f"umount {SMALL} && rmdir {SMALL}")
    assert restored.status == 0, restored.text


def test_deployment_survives_interruptions_on_one_controller_of_two(playbook: Playbook) -> None:
    # The step of the schema is left out: the other controller has filled the database that both share.
    for task in ("Install Glance", "Write the files of glance-api", "Run glance-api"):
        interrupted = playbook.interrupt(task, *BOTH)
        assert interrupted.status != 0, interrupted.text
        assert "PLAY RECAP" not in interrupted.text
    finished = playbook.run(*BOTH)
    assert finished.status == 0, finished.text
    assert set(finished.hosts) == {"molecule-controller-2"}
    again = playbook.run(*BOTH)
    assert again.status == 0, again.text
    assert again.hosts["molecule-controller-2"]["changed"] == 0, again.text


def test_an_interrupted_schema_is_finished(playbook: Playbook, bed: Bed) -> None:
    bed.sql("DROP DATABASE glance")
    interrupted = playbook.interrupt("Bring the schema")
    assert interrupted.status != 0, interrupted.text
    finished = playbook.run()
    assert finished.status == 0, finished.text
    again = playbook.run()
    assert again.hosts["molecule-controller-1"]["changed"] == 0, again.text
