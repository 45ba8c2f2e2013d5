# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""All works, in the order in which they are measured."""

from __future__ import annotations

import functools
import typing as t

import measure
import nodes
from cloud import Cloud, file_of
from nodes import BENCH, OURS, PEERS, playbook
from work import Goal, Side, Work

US = "openstack_ops.glance"
CLOUD = "openstack.cloud"
MYSQL = "community.mysql"
SITE = "openstack_ops.glance.site"
CATALOGUES = (1, 10, 100)
LARGE = 1000
NEW = 20
AT_ONCE = 4
"""How many images of a catalogue are uploaded at once, unless something else is declared."""


def _ours(name: str) -> str:
    return str(BENCH / "ours" / name)


def _peer(name: str) -> str:
    return str(BENCH / "peer" / name)


def _controllers(count: int) -> str:
    return "glance_hosts=" + ":".join(f"bench-controller-{number}" for number in range(1, count + 1))


def _run(command: t.Sequence[str]) -> None:
    measure.run(command, timeout=nodes.LONGEST)


def _deploy() -> None:
    _run(playbook(OURS, SITE, "-e", _controllers(1)))


def site(count: int) -> Work:
    """Return the whole site when nothing has to be changed. Each side writes a configuration of its own first."""
    commands = {
        US: playbook(OURS, SITE, "-e", _controllers(count)),
        CLOUD: playbook(PEERS, _peer("site.yml"), "-e", _controllers(count)),
    }
    name = f"site-{count}"
    goals = [
        Goal("at most a quarter of the peer's time", "wall", 0.25, (name, CLOUD)),
        Goal("at most a quarter of the peer's CPU on the control node", "client", 0.25, (name, CLOUD)),
    ]
    if count > 1:
        goals.append(Goal(f"{count} controllers at most 1.3 times one", "wall", 1.3, ("site-1", US)))
    return Work(
        name,
        "site",
        f"The whole site, nothing to change, {count} controller{'s' if count > 1 else ''}",
        [
            Side(side, functools.partial(list, command), functools.partial(_run, command), unchanging=True)
            for side, command in commands.items()
        ],
        goals,
    )


def first(bed: nodes.Nodes) -> Work:
    """Return the first converge of one controller on which the packages are there."""
    return Work(
        "first",
        "first",
        "The first converge of one controller, packages present",
        [
            Side(US, lambda: playbook(OURS, SITE, "-e", _controllers(1)), bed.reset),
            Side(CLOUD, lambda: playbook(PEERS, _peer("site.yml"), "-e", _controllers(1)), bed.reset),
        ],
        [Goal("at most the peer's time", "wall", 1.0, ("first", CLOUD))],
    )


def part(name: str, title: str, peer: str, goals: list[Goal]) -> Work:
    """Return one part of the deployment, nothing to change."""
    return Work(
        name,
        name,
        title,
        [
            Side(US, lambda: playbook(OURS, _ours(f"{name}.yml")), warm=True, unchanging=True),
            Side(peer, lambda: playbook(PEERS, _peer(f"{name}.yml")), warm=True, unchanging=True),
        ],
        goals,
        before=_deploy,
    )


def _curl(cloud: Cloud) -> list[str]:
    """Return the command that uploads data, but for the file and the URL."""
    headers = nodes.DATA / "headers"
    headers.write_text(f"X-Auth-Token: {cloud.token()}\nContent-Type: application/octet-stream\n", encoding="ascii")
    headers.chmod(0o600)
    return ["curl", "--silent", "--show-error", "--fail", "--header", f"@{headers}", "--upload-file"]


def _data_of(cloud: Cloud, name: str) -> str:
    """Make an image without data, and return the URL to which its data belong."""
    return f"{cloud.url()}/images/{cloud.record(name)}/file"


def upload(cloud: Cloud, gibibytes: int) -> Work:
    """Return the upload of one image of random data."""
    name = f"upload-{gibibytes}"
    file = nodes.DATA / f"{name}.raw"
    variables = nodes.DATA / f"{name}.json"
    clear = functools.partial(cloud.delete, "bench-upload")

    def ready() -> None:
        _deploy()
        file_of(file.name, gibibytes * 1024)
        images = [{"name": "bench-upload", "source": str(file), "disk_format": "raw"}]
        nodes.variables(variables, {"bench_image": images[0], "peer_images": images})
        clear()

    client = {"OS_CLIENT_CONFIG_FILE": str(nodes.STATE / "clouds.yaml"), "OS_CLOUD": "bench"}
    formats = ["--disk-format", "raw", "--container-format", "bare", "--file", str(file)]
    shared = ["--os-cloud", "bench"]
    return Work(
        name,
        "upload",
        f"The upload of {gibibytes} GiB",
        [
            Side(US, lambda: playbook(OURS, _ours("image.yml"), "-e", f"@{variables}"), after=clear),
            Side(CLOUD, lambda: playbook(PEERS, _peer("images.yml"), "-e", f"@{variables}"), after=clear),
            Side(
                "openstack image create",
                lambda: [str(PEERS / "openstack"), *shared, "image", "create", *formats, "bench-upload"],
                after=clear,
                added=lambda: client,
            ),
            Side(
                "glance image-create",
                lambda: [str(PEERS / "glance"), "image-create", *formats, "--name", "bench-upload"],
                after=clear,
                added=cloud.variables,
            ),
            Side("curl -T", lambda: [*_curl(cloud), str(file), _data_of(cloud, "bench-upload")], after=clear),
        ],
        [
            Goal("within 5 % of curl, hashing included: the transfer", "transfer", 1.05, (name, "curl -T")),
            Goal("within 5 % of curl: the whole play", "wall", 1.05, (name, "curl -T")),
            Goal("memory of the module under 64 MiB", "memory", 64),
        ],
        before=ready,
        memory=True,
    )


def catalogue(cloud: Cloud, count: int) -> Work:
    """Return a catalogue of images that are all there. The loop is measured up to a hundred."""
    name = f"catalogue-{count}"
    variables = nodes.DATA / f"{name}.json"
    command = playbook(OURS, _ours("catalogue.yml"), "-e", f"@{variables}")

    def ready() -> None:
        _deploy()
        file = file_of("small.raw", 1)
        for wanted in (count, max(CATALOGUES), LARGE):
            images = [
                {"name": f"bench-image-{number}", "source": str(file), "disk_format": "raw", "visibility": "public"}
                for number in range(wanted)
            ]
            nodes.variables(nodes.DATA / f"catalogue-{wanted}.json", {"bench_images": images, "peer_images": images})
        # All but the largest are parts of a catalogue of a hundred.
        present = nodes.DATA / f"catalogue-{max(count, *CATALOGUES)}.json"
        _run(playbook(OURS, _ours("catalogue.yml"), "-e", f"@{present}"))

    sides = [Side(US, functools.partial(list, command), warm=True, unchanging=True)]
    goals = []
    if count <= max(CATALOGUES):
        loop = playbook(PEERS, _peer("images.yml"), "-e", f"@{variables}")
        sides.append(Side(CLOUD, functools.partial(list, loop), warm=True, unchanging=True))
    if count > 10:
        most = 1.2 if count <= max(CATALOGUES) else 3
        goals.append(Goal(f"at most {most:g} times the time of one image", "wall", most, ("catalogue-1", US)))
    return Work(name, "catalogue", f"A catalogue of {count} images, nothing to change", sides, goals, before=ready)


def new_images(cloud: Cloud) -> Work:
    """Return a catalogue of images that are not there yet."""
    variables = nodes.DATA / "new.json"
    clear = functools.partial(cloud.delete, "bench-new-")
    files = {f"bench-new-{number}": nodes.DATA / f"new-{number}.raw" for number in range(NEW)}

    def ready() -> None:
        _deploy()
        images = [
            {"name": name, "source": str(file_of(file.name, 64)), "disk_format": "raw"} for name, file in files.items()
        ]
        nodes.variables(variables, {"bench_images": images, "peer_images": images})
        clear()

    def data_alone() -> list[str]:
        # The images are there before the time is taken: what is left is what the server takes for the data.
        pairs = nodes.DATA / "uploads"
        lines = [f'"{file}" "{_data_of(cloud, name)}"\n' for name, file in files.items()]
        pairs.write_text("".join(lines), encoding="utf-8")
        return ["xargs", f"--arg-file={pairs}", f"--max-procs={AT_ONCE}", "--max-args=2", *_curl(cloud)]

    floor = f"curl -T, {AT_ONCE} at once"
    return Work(
        "new",
        "new",
        f"A catalogue of {NEW} new images of 64 MiB",
        [
            Side(US, lambda: playbook(OURS, _ours("catalogue.yml"), "-e", f"@{variables}"), after=clear),
            Side(CLOUD, lambda: playbook(PEERS, _peer("images.yml"), "-e", f"@{variables}"), after=clear),
            Side(floor, data_alone, after=clear),
        ],
        [Goal("limited by the server, not by us: at most 1.15 times the data alone", "wall", 1.15, ("new", floor))],
        before=ready,
    )


def copy(cloud: Cloud) -> Work:
    """Return the copy phase of a switch of stores: 20 images of 64 MiB from files into Swift."""
    clear = functools.partial(cloud.forget_copies, "bench-new-", "objects")
    variables = nodes.DATA / "copy.json"

    def ready() -> None:
        _run(playbook(OURS, SITE, "-e", _controllers(1), swift=True))
        images = [
            {"name": f"bench-new-{number}", "source": str(file_of(f"new-{number}.raw", 64)), "disk_format": "raw"}
            for number in range(20)
        ]
        nodes.variables(variables, {"bench_images": images})
        _run(playbook(OURS, _ours("catalogue.yml"), "-e", f"@{variables}"))
        clear()

    def plain(program: str, *arguments: str) -> list[str]:
        return [str(OURS / "python"), str(BENCH / program), *arguments]

    limit = "copy-image, all at once"
    return Work(
        "copy",
        "copy",
        "The copy phase of a switch of stores, 20 images of 64 MiB from files into Swift",
        [
            Side(US, lambda: playbook(OURS, _ours("copy.yml"), swift=True), before=_forget_journal, after=clear),
            Side(limit, lambda: plain("copy_image.py"), after=clear),
            Side(
                "download and upload", lambda: plain("copy_loop.py"), after=functools.partial(cloud.delete, "copy of ")
            ),
        ],
        [Goal("near the plain limit: at most 1.1 times", "wall", 1.1, ("copy", limit))],
        before=ready,
    )


def _forget_journal() -> None:
    for file in (nodes.DATA / "journal").glob("*"):
        file.unlink()


def all_works(cloud: Cloud, bed: nodes.Nodes) -> list[Work]:
    """Return every work."""
    requests = Goal("at most 8 requests to Keystone", "keystone", 8)
    fifth = Goal("at most a fifth of the time of openstack.cloud's seven modules", "wall", 0.2, ("registration", CLOUD))
    half = Goal("at most half of the time of mysql_db and mysql_user", "wall", 0.5, ("database", MYSQL))
    return [
        first(bed),
        site(1),
        site(3),
        part("registration", "The registration in Keystone, nothing to change", CLOUD, [fifth, requests]),
        part("database", "The database and its accounts, nothing to change", MYSQL, [half]),
        *(upload(cloud, size) for size in (1, 4)),
        *(catalogue(cloud, count) for count in (*CATALOGUES, LARGE)),
        new_images(cloud),
        copy(cloud),
    ]
