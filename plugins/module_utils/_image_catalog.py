# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""A list of images in Glance: all compared with one listing, several uploaded at once, each with its own result."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import time
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.plugins.module_utils._image import ImageKeeper, Outcome
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_api import ImageApi, is_unreachable, status_of
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_declaration import Declaration
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_find import (
    SearchApart,
    SearchListing,
    find,
    owner_id,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_prepare import checksum_files, size_beforehand
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_progress import JointProgress, Part
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_record import (
    BUSY,
    CATALOG_NOTE,
    Record,
    is_replaced,
    noted,
    shown,
    size_in_stores,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_signals import Stopped, stoppable, undisturbed
from ansible_collections.openstack_ops.glance.plugins.module_utils._image_spec import (
    IMAGE_SPEC,
    MUTUALLY_EXCLUSIVE,
    REQUIRED_ONE_OF,
)
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import connect
from ansible_collections.openstack_ops.glance.plugins.module_utils._stores import near_miss

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    # Not all of it is secret, but nothing of it belongs in the system's log. read() refuses what is no dictionary:
    # ansible-core would not say which entry it is, and would take a text such as "name=x" for a dictionary.
    "images": {"type": "list", "elements": "raw", "required": True, "no_log": True},
    "catalog": {"type": "str", "default": "default"},
    "purge": {"type": "bool", "default": False},
    "transfers": {"type": "int", "default": 4},
    "progress_file": {"type": "path"},
}
"""The options of the module image_catalog beside those that say how the cloud is reached."""

Warn = t.Callable[[str], None]

ACTIONS = ("created", "filled", "replaced", "changed", "unchanged", "deleted", "failed")

SECONDS_FOR_CHECKSUMS = 60
SECONDS_FOR_UNDOING = 90
"""How long the transfers that were stopped may take to clean up behind themselves."""


@dataclasses.dataclass
class Entry:
    """What became of one image of the list."""

    name: str
    outcome: t.Optional[Outcome] = None
    error: str = ""
    warnings: list[str] = dataclasses.field(default_factory=list)

    @property
    def action(self) -> str:
        """What was done, in one word."""
        return self.outcome.action if self.outcome else "failed"

    def as_result(self) -> dict[str, t.Any]:
        """Return it as the module returns it."""
        result: dict[str, t.Any] = {"name": self.name, "action": self.action, "changed": False}
        if self.outcome:
            told = self.outcome.as_result()
            del told["diff"]
            result.update(told)
            result["id"] = (self.outcome.record or {}).get("id")
        return {**result, "error": self.error} if self.error else result


def read(images: t.Sequence[t.Any]) -> list[Declaration]:
    """Return what the entries of the list declare.

    :raises GlanceError: with everything that is wrong with them.
    """
    declarations: list[Declaration] = []
    problems: list[str] = []
    for index, entry in enumerate(images):
        found = list(_problems(entry))
        if not found:
            try:
                declarations.append(_declaration(entry))
            except GlanceError as error:
                found = [str(error)]
        problems += [f"images[{index}]{_called(entry)}: {problem}" for problem in found]
    problems += _repeated(declarations)
    if problems:
        raise GlanceError(
            "reading the list of images",
            answer=" ".join(problem if problem.endswith(".") else f"{problem}." for problem in problems),
            remedy="correct the list; nothing was changed",
        )
    return declarations


def _called(entry: t.Any) -> str:
    name = (entry.get("name") or entry.get("id")) if isinstance(entry, dict) else None
    return f" ({name})" if name else ""


def _problems(entry: t.Any) -> t.Iterator[str]:
    if not isinstance(entry, dict):
        yield f"it is {'empty' if entry is None else type(entry).__name__}, not a dictionary"
        return
    for name in sorted(str(name) for name in entry if name not in IMAGE_SPEC):
        yield f"{name} is unknown{near_miss(name, IMAGE_SPEC)}"
    known = {name: value for name, value in entry.items() if name in IMAGE_SPEC}
    yield from _validator().validate(known).error_messages


def _validator() -> ArgumentSpecValidator:
    return ArgumentSpecValidator(IMAGE_SPEC, mutually_exclusive=MUTUALLY_EXCLUSIVE, required_one_of=REQUIRED_ONE_OF)


def _declaration(entry: dict[str, t.Any]) -> Declaration:
    return Declaration.from_options(_validator().validate(entry).validated_parameters)


def _repeated(declarations: t.Sequence[Declaration]) -> t.Iterator[str]:
    """Tell of images that are meant by more than one entry."""
    seen: set[tuple[str, ...]] = set()
    for wanted in declarations:
        # An image with an id is found by that, whatever else has its name.
        names = [] if wanted.id else [str(wanted.name), *wanted.previous_names]
        keys = [("id", wanted.id.lower())] if wanted.id else [("name", name, wanted.owner or "") for name in names]
        for key in dict.fromkeys(keys):
            if key in seen:
                yield f"the {key[0]} {key[1]!r} stands in more than one entry"
            seen.add(key)


class Catalog:
    """Makes the images of a list what was declared."""

    def __init__(
        self,
        api: ImageApi,
        declarations: t.Sequence[Declaration],
        *,
        name: str,
        transfers: int,
        check_mode: bool,
        progress_file: t.Optional[str] = None,
    ) -> None:
        self._api = api
        self._declarations = declarations
        self._name = name
        self._transfers = transfers
        self._check_mode = check_mode
        self._search = SearchListing(api)
        self._by_id: dict[str, Declaration] = {}
        self._by_name: dict[tuple[str, t.Optional[str]], Declaration] = {}
        self._without_owner: dict[str, Declaration] = {}
        """By their names, the entries whose owner could not be found."""
        self._files = checksum_files(SECONDS_FOR_CHECKSUMS)
        self._progress = JointProgress(progress_file, len(declarations))
        self.entries = [Entry(str(wanted.name or wanted.id)) for wanted in declarations]
        self._parts = [self._progress.of_one(entry.name) for entry in self.entries]
        self.purged: list[Record] = []
        self.warnings: list[str] = []
        self.purge_errors: list[str] = []

    def keep(self) -> None:
        """Keep every image; what goes wrong with one is noted in its entry.

        :raises GlanceError: when nothing could be done for any of them.
        """
        self._api.authenticate()
        self._read_owners()
        for wanted, part in zip(self._declarations, self._parts):
            part.expect(0 if self._check_mode else self._bytes_to_move(wanted))
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=self._transfers)
        work: list[concurrent.futures.Future[None]] = []
        try:
            for each in zip(self._declarations, self.entries, self._parts):
                work.append(pool.submit(self._keep_one, *each))
            concurrent.futures.wait(work)
        except Stopped as signal:
            self._stop(signal, work)
            raise
        finally:
            pool.shutdown(wait=False)

    def _stop(self, signal: Stopped, work: t.Sequence[concurrent.futures.Future[None]]) -> None:
        with undisturbed():
            self._progress.stop(str(signal))
            for future in work:
                future.cancel()
            concurrent.futures.wait(work, SECONDS_FOR_UNDOING)

    def _read_owners(self) -> None:
        """Note which entry means which image.

        :raises GlanceError: when two entries mean the same one.
        """
        for wanted in self._declarations:
            if wanted.id:
                self._by_id[wanted.id.lower()] = wanted
                continue
            try:
                owner, project = owner_id(self._api, wanted.owner)
            except GlanceError:
                # It is told when the entry has its turn.
                self._without_owner.update(dict.fromkeys(wanted.names, wanted))
                continue
            for name in wanted.names:
                first = self._by_name.setdefault((name, owner or project), wanted)
                if first is not wanted:
                    owners = [repr(each.owner) if each.owner else "none" for each in (first, wanted)]
                    raise GlanceError(
                        "reading the list of images",
                        answer=f"the name {name!r} stands in two entries, and their owners {' and '.join(owners)}"
                        " are the same project",
                        remedy="correct the list; nothing was changed",
                    )

    def _meant(self, record: Record) -> t.Optional[Declaration]:
        """Return the entry that means an image by its id, or by its name and owner; or that may mean it."""
        name = str(record["name"])
        meant = self._by_id.get(str(record["id"])) or self._by_name.get((name, record.get("owner")))
        return meant or self._without_owner.get(name)

    def _bytes_to_move(self, wanted: Declaration) -> t.Optional[int]:
        """Return how many bytes an image will cost: none where it seems to be there, None where that shows later."""
        if wanted.state == "absent" or wanted.id or not (wanted.source or wanted.remote_image):
            return 0
        try:
            record = find(
                SearchApart(self._search, wanted, self._meant), wanted, *owner_id(self._api, wanted.owner)
            ).record
        except GlanceError:
            # It is told when the image has its turn.
            return 0
        size = size_beforehand(wanted)
        if record is not None and record["status"] != "queued":
            is_another = size is not None and record["size"] != size
            if not (wanted.replace and is_another):
                return 0
        staged = 1 if wanted.import_method == "glance-direct" else 0
        return None if size is None else size * (staged + len(wanted.stores or [""]))

    def _keep_one(self, wanted: Declaration, entry: Entry, part: Part) -> None:
        keeper = ImageKeeper(
            self._api,
            wanted,
            check_mode=self._check_mode,
            warn=entry.warnings.append,
            progress=part,
            search=SearchApart(self._search, wanted, self._meant),
            catalog=self._name,
            files=self._files,
        )
        try:
            entry.outcome = keeper.keep()
        except GlanceError as error:
            entry.error = str(error)
        except Stopped as signal:
            entry.error = f"stopped by {signal}"
        except Exception as error:
            # One image must not take the results of the others with it.
            entry.error = f"{type(error).__name__}: {error}"
        part.close()

    @property
    def failed(self) -> list[Entry]:
        """The images that could not be made what was declared."""
        return [entry for entry in self.entries if entry.error]

    def purge(self) -> None:
        """Delete what this catalogue has created and no longer declares.

        Only images of the projects that own declared ones are looked at, and of those only the ones in which this
        catalogue has noted their own id when it created them.
        """
        if self.failed:
            self.warnings.append("nothing was purged, because not every image of the list is there")
            return
        try:
            listed = list(self._listed())
        except GlanceError as error:
            if self._check_mode and is_unreachable(error):
                self.warnings.append(f"Glance cannot be asked yet, so there is nothing to purge: {error}")
            else:
                self.purge_errors.append(str(error))
            return
        for record in listed:
            if noted(record, CATALOG_NOTE) == self._name and not self._is_declared(record):
                self._purge(record)

    def _listed(self) -> t.Iterator[Record]:
        owners = {owner_id(self._api, wanted.owner) for wanted in self._declarations}
        projects = {owner or project for owner, project in owners} - {None}
        for project in sorted(str(project) for project in projects):
            for filters in ({"owner": project}, {"owner": project, "os_hidden": "true"}):
                yield from self._search.all(filters)

    def _is_declared(self, record: Record) -> bool:
        ids = {(entry.outcome.record or {}).get("id") for entry in self.entries if entry.outcome}
        names = {name for wanted in self._declarations for name in (wanted.name, *wanted.previous_names)}
        # With a name that is declared, it is an image that was just created, replaced or deleted, or an old version.
        return record["id"] in ids or record["name"] in names

    def _purge(self, record: Record) -> None:
        about = f"the image {record['name']!r} ({record['id']}) is no longer declared"
        if record.get("protected") or record["status"] in BUSY:
            state = "protected" if record.get("protected") else f"in the status {record['status']}"
            self.warnings.append(f"{about}, but it is {state}; it was kept")
            return
        if not self._check_mode:
            try:
                self._api.delete(record["id"], size_in_stores(record))
            except GlanceError as error:
                if status_of(error) == 409:
                    self.warnings.append(f"{about}, but it is in use; it was kept: {error}")
                else:
                    self.purge_errors.append(f"{about}, and could not be deleted: {error}")
                return
        self.purged.append(record)

    def summary(self) -> dict[str, int]:
        """Return how many images each thing was done to."""
        counts = dict.fromkeys(ACTIONS, 0)
        for entry in self.entries:
            counts[entry.action] += 1
        return {**counts, "purged": len(self.purged)}

    def diff(self) -> dict[str, dict[str, t.Any]]:
        """Return what changed, by image."""
        before: dict[str, t.Any] = {}
        after: dict[str, t.Any] = {}
        for entry in self.entries:
            if entry.outcome and entry.outcome.difference.changed:
                told = entry.outcome.difference.as_diff()
                before[entry.name], after[entry.name] = told["before"], told["after"]
        for record in self.purged:
            before[f"{record['name']} ({record['id']})"] = "old version" if is_replaced(record) else "present"
            after[f"{record['name']} ({record['id']})"] = "absent"
        return {"before": before, "after": after}


class Report(t.NamedTuple):
    """What the module returns, and why it fails."""

    result: dict[str, t.Any]
    failure: str


def run(
    params: dict[str, t.Any],
    *,
    check_mode: bool = False,
    warn: Warn = lambda text: None,
    api: t.Optional[ImageApi] = None,
) -> Report:
    """Do what the parameters of the module say.

    :param api: the Glance to work on; without it, the one that the parameters lead to.
    :raises GlanceError: when nothing was done at all.
    """
    declarations = read(params["images"])
    _check(params, declarations)
    api = api or ImageApi(connect(params))
    catalog = Catalog(
        api,
        declarations,
        name=params["catalog"],
        transfers=params["transfers"],
        check_mode=check_mode,
        progress_file=params.get("progress_file"),
    )
    started = time.monotonic()
    with stoppable():
        catalog.keep()
        if params["purge"]:
            catalog.purge()
    for text in [*(text for entry in catalog.entries for text in entry.warnings), *catalog.warnings]:
        warn(text)
    return Report(_result(catalog, api, time.monotonic() - started), _failure(catalog))


def _check(params: dict[str, t.Any], declarations: t.Sequence[Declaration]) -> None:
    doing = "reading the options of the catalogue"
    if params["transfers"] < 1:
        raise GlanceError(doing, answer=f"transfers is {params['transfers']}", remedy="give 1 or more")
    if not params["catalog"] or "/" in params["catalog"]:
        raise GlanceError(doing, answer=f"catalog is {params['catalog']!r}", remedy="give a name without a slash")
    if params["purge"] and not declarations:
        raise GlanceError(
            doing,
            answer="purge is true and the list is empty, which would delete every image that the catalogue has created",
            cause="a variable that is not set where the task runs",
            remedy="declare the images that are to go with state: absent",
        )


def _result(catalog: Catalog, api: ImageApi, seconds: float) -> dict[str, t.Any]:
    diff = catalog.diff()
    return {
        "changed": bool(diff["after"]),
        "diff": diff,
        "images": [entry.as_result() for entry in catalog.entries],
        "purged": [shown(record) for record in catalog.purged],
        "summary": catalog.summary(),
        "uploaded": sum(entry.outcome.uploaded for entry in catalog.entries if entry.outcome),
        "seconds": round(seconds, 3),
        "requests": api.requests,
    }


def _failure(catalog: Catalog) -> str:
    failed = catalog.failed
    told = [f"{len(failed)} of {len(catalog.entries)} images failed."] if failed else []
    return " ".join([*told, *(f"{entry.name}: {entry.error}" for entry in failed), *catalog.purge_errors])
