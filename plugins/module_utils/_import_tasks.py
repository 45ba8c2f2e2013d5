# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The imports that images are locked for, copies between stores among them, as Glance's database knows them."""

from __future__ import annotations

import contextlib
import datetime
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils import _database
from ansible_collections.openstack_ops.glance.plugins.module_utils._running_config import Running, database_login

if t.TYPE_CHECKING:
    from ansible_collections.openstack_ops.glance.plugins.module_utils._database import Session

UNDER_WAY = ("pending", "processing")
FINISHED = ("success", "failure")


class ImportTask(t.NamedTuple):
    """An import that an image is locked for.

    :param status: the status of the task; nothing where its row is gone.
    """

    image_id: str
    image_name: str
    image_status: str
    id: str
    status: str
    created: t.Optional[datetime.datetime]
    updated: t.Optional[datetime.datetime]

    @property
    def created_at(self) -> float:
        """When the task was made, in seconds since the epoch."""
        moment = self.created or datetime.datetime.min
        return moment.replace(tzinfo=datetime.timezone.utc).timestamp() if self.created else 0.0


@contextlib.contextmanager
def session(running: Running, doing: str, *, read_only: bool = True) -> t.Iterator[Session]:
    """Log in to the database as Glance does, and turn what goes wrong into the one error that tells it.

    :raises GlanceError: when the database cannot be used.
    """
    login, database = database_login(running.connection)
    with contextlib.closing(_database.connect(login, database=database, read_only=read_only)) as connection:
        try:
            yield connection
        except _database.CONNECTION_ERRORS as error:
            raise _database.explain(doing, error) from error


def read(connection: Session) -> list[ImportTask]:
    """Return all of them."""
    statement = (
        "SELECT i.id, COALESCE(i.name, ''), i.status, p.value, COALESCE(t.status, ''), t.created_at,"
        " COALESCE(t.updated_at, t.created_at)"
        " FROM image_properties p JOIN images i ON i.id = p.image_id AND i.deleted = 0"
        " LEFT JOIN tasks t ON t.id = p.value AND t.deleted = 0"
        " WHERE p.deleted = 0 AND p.name = 'os_glance_import_task' ORDER BY i.id"
    )
    return [ImportTask(*row) for row in _database.run(connection, statement)]
