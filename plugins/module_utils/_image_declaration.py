# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""What an operator declares of one image: the options, which values they take, and what contradicts itself."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_checksum import (
    ChecksumFile,
    parse_checksum,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_format import UNPACKED
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import (
    NOTE_PROPERTY,
    OWN_ATTRIBUTES,
    is_reserved,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_url import shown_url

LONGEST_NAME = 255


@dataclasses.dataclass(frozen=True)
class Declaration:
    """What was declared of an image. None stands for what was not declared."""

    name: t.Optional[str] = None
    previous_names: list[str] = dataclasses.field(default_factory=list)
    id: t.Optional[str] = None
    state: str = "present"
    source: t.Optional[str] = None
    checksum: t.Optional[str] = None
    checksum_keyring: t.Optional[str] = None
    checksum_signature: t.Optional[str] = None
    decompress: bool = False
    max_size: int = 100 * 1024**3
    convert: t.Optional[str] = None
    work_directory: t.Optional[str] = None
    import_method: str = "upload"
    remote_image: t.Optional[dict[str, t.Any]] = None
    disk_format: str = "auto"
    container_format: t.Optional[str] = None
    visibility: t.Optional[str] = None
    members: t.Optional[list[str]] = None
    accept_members: bool = False
    properties: t.Optional[dict[str, t.Any]] = None
    properties_mode: str = "merge"
    tags: t.Optional[list[str]] = None
    protected: t.Optional[bool] = None
    hidden: t.Optional[bool] = None
    deactivated: t.Optional[bool] = None
    min_disk: t.Optional[int] = None
    min_ram: t.Optional[int] = None
    owner: t.Optional[str] = None
    store: t.Optional[str] = None
    stores: t.Optional[list[str]] = None
    replace: bool = False
    keep: t.Optional[int] = None
    timeout: float = 600

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any]) -> Declaration:
        """Take what belongs to the image from the parameters of the module.

        :raises GlanceError: when the options contradict each other, or a value is impossible.
        """
        declaration = cls(**{field.name: options[field.name] for field in dataclasses.fields(cls)})
        declaration.check()
        return declaration

    @property
    def shown(self) -> str:
        """The image as messages name it."""
        return f"the image {self.name or self.id!r}"

    @property
    def names(self) -> list[str]:
        """The name of the image, and those that it may have had before."""
        return [*([self.name] if self.name else []), *self.previous_names]

    @property
    def first_store(self) -> t.Optional[str]:
        """The store into which the data are uploaded; None for Glance's default store."""
        return self.stores[0] if self.stores else self.store

    def check(self) -> None:
        """Refuse what no cloud could accept.

        :raises GlanceError: when there is something.
        """
        self._check_source()
        for option, impossible, remedy in self._impossible():
            if impossible:
                raise GlanceError(self._doing, answer=f"{option} is {getattr(self, option)!r}", remedy=remedy)
        if self.id is not None and self.replace:
            raise GlanceError(
                self._doing,
                answer="an image with an id of its own cannot be replaced",
                cause="Glance never gives the id of a deleted image to another one",
                remedy="leave out id, or leave out replace and declare a new image with another id",
            )
        if self.members and self.visibility not in (None, "shared"):
            raise GlanceError(
                self._doing,
                answer=f"it has members, but visibility is {self.visibility}",
                remedy="set visibility: shared, or leave out members",
            )
        self.wanted_properties()

    def _check_source(self) -> None:
        checksum = parse_checksum(self.checksum)
        in_a_file = isinstance(checksum, ChecksumFile)
        is_url = "://" in (self.source or "")
        fetched = self.import_method == "web-download"
        remote = self.import_method == "glance-download"
        signed = self.checksum_keyring or self.checksum_signature
        for option, wrong, remedy in (
            ("checksum_keyring", signed and not in_a_file, "give a checksum that is the URL or path of a file"),
            ("checksum_signature", self.checksum_signature and not self.checksum_keyring, "give checksum_keyring, too"),
            ("checksum", in_a_file and not self.source, "give a source, whose file name is looked up in that file"),
            ("import_method", remote and (self.source or not self.remote_image), "give remote_image, and no source"),
            ("remote_image", self.remote_image and not remote, "set import_method: glance-download"),
            ("disk_format", remote and self.disk_format == "auto", "declare the format: only Glance sees the bytes"),
            ("import_method", fetched and not is_url, "give a URL as source, which Glance fetches"),
            ("import_method", fetched and (self.decompress or self.convert), "leave out decompress and convert"),
            ("convert", self.convert and self.container_format not in UNPACKED, "leave out container_format"),
        ):
            if wrong:
                value = getattr(self, option)
                shown = shown_url(value) if isinstance(value, str) else value
                raise GlanceError(self._doing, answer=f"{option} is {shown!r}", remedy=remedy)

    @property
    def _doing(self) -> str:
        return f"reading the options of {self.shown}"

    def _impossible(self) -> t.Iterator[tuple[str, bool, str]]:
        """Yield the options whose values can be impossible by themselves: name, whether it is, what to do."""
        yield "id", self.id is not None and not is_uuid(self.id), "give a UUID; make one with uuidgen"
        long = self.name is not None and not 0 < len(self.name) <= LONGEST_NAME
        yield "name", long, f"give 1 to {LONGEST_NAME} characters"
        for option in ("min_disk", "min_ram", "keep"):
            yield option, (getattr(self, option) or 0) < 0, "give 0 or more"
        yield "max_size", self.max_size < 1, "give a size such as 20G"
        yield "timeout", self.timeout < 1, "give 1 or more"
        yield "stores", self.stores == [], "name a store, or leave it out"
        yield "keep", self.keep is not None and not self.replace, "set replace: true, too, or leave out keep"

    def wanted_properties(self) -> dict[str, t.Optional[str]]:
        """Return the declared properties as Glance keeps them: texts, and None for those to remove.

        :raises GlanceError: when one of them is not a property, or its value no text.
        """
        return {name: self._property(name, value) for name, value in (self.properties or {}).items()}

    def _property(self, name: str, value: t.Any) -> t.Optional[str]:
        doing = f"reading the properties of {self.shown}"
        if name in OWN_ATTRIBUTES:
            raise GlanceError(
                doing,
                answer=f"{name} is an attribute of every image, not a property",
                remedy="use the option of the module, where there is one",
            )
        if is_reserved(name):
            keeper = "this collection" if name.startswith(NOTE_PROPERTY) else "Glance"
            raise GlanceError(
                doing, answer=f"{name} is a name that {keeper} keeps for itself", remedy="use another name"
            )
        if isinstance(value, bool):
            return str(value).lower()
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (int, float)):
            return str(value)
        raise GlanceError(doing, answer=f"{name} is {value!r}", remedy="give a text, a number, a boolean or null")


def is_uuid(text: str) -> bool:
    """Tell whether Glance takes a text for the id of an image."""
    return bool(re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text))
