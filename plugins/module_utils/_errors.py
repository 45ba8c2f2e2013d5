# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The one exception that every module turns into its failure message."""

from __future__ import annotations

import re

CREDENTIALS = re.compile(r"(?<=://)([^\s:/@]*):\S*@")


def without_credentials(text: str) -> str:
    """Return ``text`` with the password of every URL in it hidden.

    The password reaches to the last ``@`` of the URL: one that ought to be percent-encoded, but is not, is hidden too.
    """
    return CREDENTIALS.sub(r"\1:VALUE_HIDDEN@", text)


class GlanceError(Exception):
    """Something that an operator has to know about, told once and completely.

    :param doing: what was being done, and to what ("creating the account 'glance'@'%'").
    :param answer: what the server or the system answered, if anything did.
    :param cause: what usually causes it.
    :param remedy: what to do about it.

    None of the texts may hold a secret: they are printed as they are.
    """

    def __init__(self, doing: str, *, answer: str = "", cause: str = "", remedy: str = "") -> None:
        self.doing = doing
        self.answer = answer
        self.cause = cause
        self.remedy = remedy
        super().__init__(self._message())

    def _message(self) -> str:
        parts = [f"{self.doing}: {self.answer}" if self.answer else self.doing]
        if self.cause:
            parts.append(f"Usual cause: {self.cause}")
        if self.remedy:
            parts.append(f"What to do: {self.remedy}")
        return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)
