# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Signals that end a process end it in an orderly way: what was begun is undone first."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """The module was told to stop."""


@contextlib.contextmanager
def stoppable() -> t.Iterator[None]:
    """Raise an exception where the module is when a signal comes.

    :raises GlanceError: after such a signal.
    """

    def stop(number: int, _frame: t.Any) -> None:
        raise Stopped(signal.Signals(number).name)

    try:
        with _handling(stop):
            yield
    except Stopped as signalled:
        raise GlanceError(f"the module was stopped by {signalled}") from signalled


@contextlib.contextmanager
def undisturbed() -> t.Iterator[None]:
    """Hear no signal meanwhile."""
    # Signals come to the main thread only.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _handling(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handling(handler: t.Any) -> t.Iterator[None]:
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
