# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What keeps operators from losing images, when they change the stores of a Glance that has some."""

from __future__ import annotations

import typing as t

import pytest
from images import Images, data
from playbook import refused, variables_of, with_store, without_store

if t.TYPE_CHECKING:
    from openstack.connection import Connection
    from playbook import Playbook
    from testinfra.host import Host

testinfra_hosts = ["ssh://molecule-controller-1"]

VARIABLES = variables_of(__file__)
STORES = VARIABLES["glance_stores"]
SIZE = 3 * 1024 * 1024
CONTROLLERS = ["molecule-controller-1", "molecule-controller-2"]
CONFIGURATION = "/etc/glance/glance-api.conf"
Variables = dict[str, t.Any]


@pytest.fixture(scope="module")
def images(cloud: Connection) -> Images:
    return Images(cloud, ["10.92.93.11", "10.92.93.12"])


@pytest.mark.parametrize("store", ["local", "archive", "fast-2", "bucket"])
def test_store_with_an_image_cannot_disappear(playbook: Playbook, images: Images, store: str) -> None:
    variables = {**without_store(VARIABLES, store), "glance_default_store": "objects"}
    with images.uploaded(data(SIZE), store) as image:
        words = (
            "GLS-170 molecule-controller-1, molecule-controller-2: ",
            store,
            image["name"],
            "1 image(s)",
            "3.00 MB",
        )
        refused(playbook.run(variables=variables), *words)


@pytest.mark.parametrize(
    ("store", "options", "words"),
    [
        ("local", {"datadir": "/srv/shared/elsewhere"}, ["GLS-171", "/srv/shared/elsewhere"]),
        ("archive", {"container": "elsewhere"}, ["GLS-171", "the container elsewhere"]),
        ("archive", {"reference": "elsewhere"}, ["GLS-170", "reference: objects"]),
        ("archive", {"region": "elsewhere"}, ["GLS-171", "region elsewhere"]),
        ("fast", {"pool": "elsewhere"}, ["GLS-171", "the pool elsewhere"]),
        ("bucket", {"bucket": "elsewhere"}, ["GLS-171", "the bucket elsewhere"]),
    ],
)
def test_store_with_an_image_cannot_move(
    playbook: Playbook, images: Images, store: str, options: Variables, words: list[str]
) -> None:
    with images.uploaded(data(SIZE), store) as image:
        refused(playbook.run(variables=with_store(VARIABLES, store, **options)), store, image["name"], *words)


BIND = {"fstype": "none", "options": "bind"}


@pytest.mark.parametrize(
    ("store", "mount"),
    [
        ("local", {"path": "/srv/shared/images", "source": "/srv/mounted", **BIND}),
        ("mounted", {"path": "/srv/mounted", "source": "/srv", **BIND}),
    ],
)
def test_nothing_is_mounted_over_an_image(playbook: Playbook, images: Images, store: str, mount: Variables) -> None:
    with images.uploaded(data(SIZE), store) as image:
        outcome = playbook.run(variables=with_store(VARIABLES, store, mount=mount))
        refused(outcome, "GLS-171", f"beneath {mount['source']}, which", image["name"], f"on {mount['path']} by hand")


def test_options_of_stores_are_not_set_elsewhere(playbook: Playbook) -> None:
    config = {"archive": {"swift_store_container": "elsewhere"}}
    words = ("GLS-032", "glance_config.archive.swift_store_container", "glance_stores.archive.container")
    # The variables of every controller are looked at.
    refused(playbook.run(variables={"glance_config": config}), *words, failed=2)


def test_rebuilt_controllers_look_at_the_images_themselves(playbook: Playbook, images: Images, host: Host) -> None:
    controllers = [host.get_host(f"ssh://{name}", ssh_config=host.backend.ssh_config) for name in CONTROLLERS]
    with images.uploaded(data(SIZE), "archive") as image:
        try:
            for controller in controllers:
                controller.check_output(f"mv {CONFIGURATION} {CONFIGURATION}.away")
            lost = playbook.run("--check", variables=without_store(VARIABLES, "archive"))
            kept = playbook.run("--check", "--tags", "preflight,stores")
        finally:
            for controller in controllers:
                controller.check_output(f"mv {CONFIGURATION}.away {CONFIGURATION}")
    refused(
        lost,
        f"GLS-170 {', '.join(CONTROLLERS)}: no store of glance_stores leads to 1 image(s)",
        "'archive'",
        image["name"],
    )
    assert kept.status == 0, kept.text
    assert "was not looked at" not in kept.text


def test_store_disappears_when_that_is_allowed(playbook: Playbook, images: Images) -> None:
    variables = {**without_store(VARIABLES, "archive"), "glance_allow_unreadable_images": ["archive"]}
    with images.uploaded(data(SIZE), "archive"):
        outcome = playbook.run("--check", variables=variables)
    assert outcome.status == 0, outcome.text
    assert outcome.hosts["molecule-controller-1"]["changed"] > 0


def test_store_whose_images_have_a_copy_elsewhere_may_disappear(playbook: Playbook, images: Images) -> None:
    with images.uploaded(data(SIZE), "archive") as image:
        images.copy(image["id"], ["objects"])
        outcome = playbook.run("--check", variables=without_store(VARIABLES, "archive"))
    assert outcome.status == 0, outcome.text


def test_store_without_images_may_disappear_and_be_renamed(playbook: Playbook, images: Images) -> None:
    renamed = {**STORES, "gone": STORES["fast"]}
    del renamed["fast"], renamed["archive"]
    with images.uploaded(data(SIZE), "fast"):
        outcome = playbook.run("--check", variables={"glance_stores": renamed})
    assert outcome.status == 0, outcome.text


def test_default_store_alone_changes_no_image(playbook: Playbook, images: Images) -> None:
    with images.uploaded(data(SIZE), "local"):
        outcome = playbook.run("--check", variables={"glance_default_store": "fast"})
    assert outcome.status == 0, outcome.text
    assert "new images are going to go to the store 'fast', no longer to 'local'" in " ".join(outcome.text.split())


def test_directory_that_the_controllers_do_not_share(playbook: Playbook, host: Host) -> None:
    store = {"type": "file", "datadir": "/srv/unshared", "shared": True}
    outcome = playbook.run(variables={"glance_stores": {**STORES, "unshared": store}})
    try:
        assert outcome.status != 0, outcome.text
        assert len(outcome.messages) == 1, outcome.text
        for word in ("GLS-168", "/srv/unshared", "molecule-controller-1", "molecule-controller-2"):
            assert word in outcome.messages[0]
        assert "unshared" not in host.file("/etc/glance/glance-api.conf").content_string
    finally:
        for controller in CONTROLLERS:
            host.get_host(f"ssh://{controller}", ssh_config=host.backend.ssh_config).run("rmdir /srv/unshared")
