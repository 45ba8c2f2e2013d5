# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""log_bin_trust_function_creators: switched on for as long as a phase makes triggers, and put back whatever happens.

One process switches it on, lets the phase run and puts it back. It is noted on the node before, so that what a process
that was killed has left is put back by the next run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._database import CONNECTION_ERRORS, explain, run
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import SIGNALS

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.plugins.module_utils._database import Session

VARIABLE = "log_bin_trust_function_creators"


class Trust:
    """The server's setting, and the note of a change of it.

    :param connect: logs in as an administrator of the server.
    :param note: the path of the file that is there for as long as the setting is ours.
    """

    def __init__(self, connect: t.Callable[[], Session], note: str) -> None:
        self._connect = connect
        self._note = note

    @contextlib.contextmanager
    def lent(self) -> t.Iterator[None]:
        """Have the setting on meanwhile.

        A signal waits until it is put back: what runs meanwhile changes the schema, and is not to be cut short either.

        :raises GlanceError: when the administrator cannot log in, or may not change it.
        """
        with contextlib.closing(self._connect()) as connection, _signals_later():
            self._write_note()
            try:
                self._set(connection, 1)
                yield
            finally:
                self._put_back(connection)

    def is_noted(self) -> bool:
        """Tell whether the setting is noted as changed."""
        return os.path.exists(self._note)

    def repair(self) -> bool:
        """Put back what a run that was killed has left, and tell whether there was anything.

        :raises GlanceError: when it cannot be put back.
        """
        if not self.is_noted():
            return False
        with contextlib.closing(self._connect()) as connection:
            self._put_back(connection)
        return True

    def _put_back(self, connection: Session) -> None:
        # It was off before, or it would not have been changed.
        try:
            self._set(connection, 0)
        except GlanceError:
            # The session may have died in the hours that a phase can take.
            with contextlib.closing(self._connect()) as another:
                self._set(another, 0)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._note)

    def _set(self, connection: Session, value: int) -> None:
        try:
            run(connection, f"SET GLOBAL {VARIABLE} = %s", (value,))
        except CONNECTION_ERRORS as error:
            raise explain(f"setting {VARIABLE} to {value} on the database server", error) from error

    def _write_note(self) -> None:
        try:
            os.makedirs(os.path.dirname(self._note), mode=0o700, exist_ok=True)
            handle = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(handle, "w", encoding="utf-8") as file:
                file.write(f"{VARIABLE} was off and is on for as long as the schema is expanded\n")
                file.flush()
                os.fsync(handle)
        except OSError as error:
            raise GlanceError(f"writing {self._note}", answer=str(error.strerror or error)) from error


@contextlib.contextmanager
def _signals_later() -> t.Iterator[None]:
    """Let the signals that end a process come when the block has ended.

    They are not ignored: a child would inherit that, and could not be ended any more.
    """
    heard: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: heard.append(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
        if heard:
            os.kill(os.getpid(), heard[0])
