# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What the role glance_stores makes of what the controllers have found."""

from __future__ import annotations

import inspect
import typing as t
from pathlib import Path

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROLE = Path(__file__).parents[4] / "roles" / "glance_stores"


def messages(**variables: t.Any) -> list[str]:
    """Return what the role stops with."""
    loader = DataLoader()
    # Since 2.19, only what was loaded for that is worked out.
    trusted = "trusted_as_template" in inspect.signature(loader.load_from_file).parameters
    known = loader.load_from_file(str(ROLE / "vars/main.yml"), **{"trusted_as_template": True} if trusted else {})
    return t.cast(
        "list[str]",
        Templar(loader=loader, variables={**known, **variables}).template(known["_glance_stores_messages"]),
    )


def host(**stores: list[str]) -> dict[str, t.Any]:
    """Return a controller that has found these problems with its stores."""
    rows = [
        {"name": name, "problems": [{"code": code, "message": f"{name} {code}"} for code in codes]}
        for name, codes in stores.items()
    ]
    return {"_glance_stores_probe": {"stores": rows}}


def test_only_a_store_that_is_left_may_be_full() -> None:
    hosts = [host(old=["GLS-167"], new=["GLS-167"]), host(old=["GLS-164"], new=[])]
    assert messages(_glance_stores_hosts=hosts) == ["old GLS-167", "new GLS-167", "old GLS-164"]
    assert messages(_glance_stores_hosts=hosts, _glance_stores_may_be_full=["old"]) == ["new GLS-167", "old GLS-164"]


def test_controller_that_could_not_look_says_nothing_here() -> None:
    assert messages(_glance_stores_hosts=[{"_glance_stores_probe": {"msg": "failed"}}]) == []
