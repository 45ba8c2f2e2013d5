# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""What goes wrong in a data centre: faults at a moment that a seed chooses, which last a while and are undone."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import subprocess

    from bed import Bed

STAGING = "/var/lib/glance/staging"
# The log of a run tells in which phase it is; a fault comes up to so many seconds after the phase has begun.
PHASES = {"plan": 5.0, "add": 25.0, "copy": 12.0, "verify": 10.0, "cut_over": 25.0}
# How long a fault lasts that has to be undone.
LASTS = (3.0, 15.0)


@dataclass
class Moment:
    """Where a fault strikes."""

    bed: Bed
    process: subprocess.Popen[str]
    controller: str
    seconds: float


Fault = t.Callable[[Moment], None]


def press_ctrl_c(moment: Moment) -> None:
    """Ctrl-C, until it is heard: while it starts a worker, ansible-core hears no signal."""
    end = time.monotonic() + 120
    with contextlib.suppress(ProcessLookupError):
        while moment.process.poll() is None and time.monotonic() < end:
            os.killpg(moment.process.pid, signal.SIGINT)
            time.sleep(0.5)


def kill_playbook(moment: Moment) -> None:
    """kill -9 of ansible-playbook with all its workers: the control node loses its power."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(moment.process.pid, signal.SIGKILL)


def kill_one_process(moment: Moment) -> None:
    """kill -9 of ansible-playbook alone: its workers and what they started live on for a while."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(moment.process.pid, signal.SIGKILL)


def kill_glance(moment: Moment) -> None:
    """kill -9 of glance-api, which systemd or the undoing starts again."""
    moment.bed.on(moment.controller, "systemctl kill --signal=KILL glance-api", check=False)
    time.sleep(moment.seconds)
    moment.bed.on(moment.controller, "systemctl start glance-api", check=False)


def kill_all_glances_in_a_copy(moment: Moment) -> None:
    """kill -9 of glance-api on every controller as soon as an image is locked for its copy, which the lock outlives."""
    locked = "SELECT COUNT(*) FROM image_properties WHERE name = 'os_glance_import_task' AND deleted = 0"
    end = time.monotonic() + 180
    while moment.bed.sql(locked).strip() == "0" and time.monotonic() < end:
        time.sleep(0.1)
    try:
        for controller in moment.bed.controllers:
            moment.bed.on(controller, "systemctl kill --signal=KILL glance-api", check=False)
        assert moment.bed.sql(locked).strip() != "0", "the copies were faster"
    finally:
        for controller in moment.bed.controllers:
            moment.bed.on(controller, "systemctl start glance-api", check=False)


def restart_glance(moment: Moment) -> None:
    """Someone restarts glance-api."""
    moment.bed.on(moment.controller, "systemctl restart glance-api", check=False)


def restart_all_glances(moment: Moment) -> None:
    """Someone restarts glance-api on every controller, for a security update of a library."""
    for controller in moment.bed.controllers:
        moment.bed.on(controller, "systemctl restart glance-api", check=False)


def stop_swift(moment: Moment) -> None:
    """Swift is away."""
    _stop(moment, "swift", "swift-proxy")


def stop_ceph(moment: Moment) -> None:
    """The only OSD is away: clients of Ceph wait."""
    _stop(moment, "ceph", "ceph-osd@0")


def stop_database(moment: Moment) -> None:
    """MariaDB is away."""
    _stop(moment, "backing", "mariadb")


def stop_keystone(moment: Moment) -> None:
    """Keystone is away: no token is issued."""
    _stop(moment, "backing", "keystone")


def restart_controller(moment: Moment) -> None:
    """A controller reboots."""
    moment.bed.podman("restart", "--time=1", moment.controller)


def fill_staging(moment: Moment) -> None:
    """The file system of the staging directory is full, as glance-api sees it."""
    inside = 'nsenter --mount --target="$(systemctl show --value --property=MainPID glance-api)"'
    mount = f"mount -t tmpfs -o size=64k,mode=0777 testbed-full {STAGING}"
    moment.bed.on(moment.controller, f"{inside} {mount}", check=False)
    time.sleep(moment.seconds)
    moment.bed.on(moment.controller, f"{inside} umount --lazy {STAGING}", check=False)


def cut_off_swift(moment: Moment) -> None:
    """The network swallows what a controller sends to Swift."""
    _cut(moment, ["-d", moment.bed.addresses[moment.bed.node("swift")]])


def cut_off_ceph(moment: Moment) -> None:
    """The network swallows what a controller sends to Ceph."""
    _cut(moment, ["-d", moment.bed.addresses[moment.bed.node("ceph")]])


def cut_off_controller(moment: Moment) -> None:
    """The network swallows all that a controller sends: to Ansible, too."""
    _cut(moment, ["!", "-o", "lo"])


def _stop(moment: Moment, kind: str, unit: str) -> None:
    node = moment.bed.node(kind)
    try:
        moment.bed.on(node, f"systemctl stop {unit}", check=False)
        time.sleep(moment.seconds)
    finally:
        moment.bed.on(node, f"systemctl reset-failed {unit}; systemctl start {unit}", check=False)


def _cut(moment: Moment, rule: list[str]) -> None:
    rule = ["OUTPUT", *rule, "-j", "DROP"]
    moment.bed.in_network_of(moment.controller, "iptables", "-I", *rule)
    try:
        time.sleep(moment.seconds)
    finally:
        moment.bed.in_network_of(moment.controller, "iptables", "-D", *rule)


FAULTS: list[Fault] = [
    press_ctrl_c,
    kill_playbook,
    kill_one_process,
    kill_glance,
    restart_glance,
    restart_all_glances,
    stop_swift,
    stop_ceph,
    stop_database,
    stop_keystone,
    restart_controller,
    fill_staging,
    cut_off_swift,
    cut_off_ceph,
    cut_off_controller,
]
# Faults that say something only where the store takes part.
OF_STORES: dict[Fault, str] = {stop_swift: "objects", cut_off_swift: "objects", stop_ceph: "fast", cut_off_ceph: "fast"}


@dataclass(frozen=True)
class Misfortune:
    """A fault and its moment, as a seed has chosen them."""

    seed: int
    fault: Fault
    phase: str
    delay: float
    # The number of the controller that it strikes, if it strikes one.
    controller: int
    seconds: float

    def __str__(self) -> str:
        what = f"{self.fault.__name__}, controller {self.controller + 1}, {self.seconds:.1f} s"
        return f"{self.seed}: {what}, {self.delay:.1f} s into {self.phase}"


def choose(seed: int, stores: t.Collection[str]) -> Misfortune:
    """Choose a fault; seeds in a row bring different ones."""
    chance = random.Random(f"misfortune-{seed}")
    fitting = [fault for fault in FAULTS if OF_STORES.get(fault, "") in {"", *stores}]
    phase = chance.choice(list(PHASES))
    return Misfortune(
        seed=seed,
        fault=fitting[seed % len(fitting)],
        phase=phase,
        delay=chance.uniform(0, PHASES[phase]),
        controller=chance.randrange(2),
        seconds=chance.uniform(*LASTS),
    )


class Strike:
    """Inflicts a misfortune on a run as soon as it has come to the phase, in a thread of its own."""

    def __init__(self, misfortune: Misfortune, bed: Bed, process: subprocess.Popen[str]) -> None:
        self._misfortune = misfortune
        self._moment = Moment(bed, process, bed.controllers[misfortune.controller], misfortune.seconds)
        self._thread = threading.Thread(target=self._strike)
        self.struck = False
        self._error: t.Optional[Exception] = None

    def look(self, phase: str) -> None:
        """Hear that a phase has begun."""
        if phase == self._misfortune.phase and self._thread.ident is None:
            self._thread.start()

    def _strike(self) -> None:
        time.sleep(self._misfortune.delay)
        self.struck = self._moment.process.poll() is None
        if not self.struck:
            return
        try:
            self._misfortune.fault(self._moment)
        except Exception as error:
            self._error = error

    def wait(self) -> None:
        """Wait until the fault is undone."""
        if self._thread.ident is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
