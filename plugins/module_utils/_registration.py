# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""The registration of the Image service in Keystone: looked at, compared and changed with one token."""

from __future__ import annotations

import dataclasses
import difflib
import typing as t
from collections import defaultdict
from urllib.parse import quote, urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils._difference import Difference
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials
from ansible_collections.openstack_ops.glance.plugins.module_utils._openstack import (
    RequestCount,
    explain_response,
    told,
)

if t.TYPE_CHECKING:
    from openstack.connection import Connection

Record = dict[str, t.Any]
"""One object of Keystone, as its API shows it."""

CREATED_NAME = "glance"
CREATED_DESCRIPTION = "OpenStack Image"
CREATED_ROLE = "service"
"""The one role that is created where it is missing: Keystone itself defines it only since 2023.1."""

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "region": {"type": "str", "default": "RegionOne"},
    "service_project": {"type": "str", "default": "service"},
    "project_domain": {"type": "str", "default": "Default"},
    "service_user": {"type": "str", "default": "glance"},
    "user_domain": {"type": "str", "default": "Default"},
    "service_password": {"type": "str", "no_log": True},
    "roles": {"type": "list", "elements": "str", "default": ["admin", "service"]},
    "service_type": {"type": "str", "default": "image"},
    "service_name": {"type": "str"},
    "service_description": {"type": "str"},
    "endpoints": {
        "type": "dict",
        "default": {},
        "options": {"public": {"type": "str"}, "internal": {"type": "str"}, "admin": {"type": "str"}},
    },
}
"""What is registered, and whether."""

NOT_READABLE = object()
"""Stands for a password that is set but is another one."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What shall be registered: the options of the module, by their names.

    A name or description of the service that is None is left as it is.
    """

    region: str
    service_project: str
    project_domain: str
    service_user: str
    user_domain: str
    service_password: t.Optional[str]
    roles: list[str]
    service_type: str
    service_name: t.Optional[str]
    service_description: t.Optional[str]
    endpoints: dict[str, t.Optional[str]]

    @property
    def urls(self) -> dict[str, str]:
        """The URL of every interface that was given."""
        return {interface: url for interface, url in self.endpoints.items() if url is not None}

    def check(self) -> None:
        """Refuse what Keystone would accept and nobody could use.

        :raises GlanceError: for the first value that is unusable.
        """
        for name, value in dataclasses.asdict(self).items():
            if (value == "" and name != "service_description") or (name == "roles" and "" in value):
                raise GlanceError(f"the option {name} is empty or holds an empty name", remedy="give a value")
        for interface, url in self.urls.items():
            _check_url(interface, url)


def _check_url(interface: str, url: str) -> None:
    allowed = (
        "http:// or https://, a host, and if need be a port (1 to 65535) and a path; no blanks, no user, no password"
    )
    doing = f"checking endpoints.{interface}"
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and url.split() == [url]
    except ValueError:
        right = False
    if right and "@" in parts.netloc:
        raise GlanceError(doing, answer="the URL holds a user or a password", remedy=f"give {allowed}")
    if not right:
        raise GlanceError(
            doing, answer=f"{without_credentials(url)!r} is not the URL of a service", remedy=f"give {allowed}"
        )


class Keystone:
    """The few requests that the registration is made of."""

    def __init__(self, connection: Connection) -> None:
        with told("logging in to Keystone as administrator"):
            self._identity = connection.identity
            self._access = self._token(connection)
        self._domain_ids = self._known_domains()

    @staticmethod
    def _token(connection: Connection) -> t.Any:
        # A plugin without a token of its own (admin_token) knows nobody.
        get_access = getattr(connection.session.auth, "get_access", None)
        return get_access(connection.session) if get_access else None

    @property
    def own_user_id(self) -> t.Optional[str]:
        """The id of the user that everything is done as."""
        return getattr(self._access, "user_id", None)

    def find(self, collection: str, **query: str) -> list[Record]:
        """Return what of a collection matches the query."""
        with told(f"listing the {collection.replace('_', ' ')} in Keystone"):
            response = self._identity.get(f"/{collection}", params=query, raise_exc=True)
            return t.cast("list[Record]", response.json()[collection])

    def first(self, collection: str, **query: str) -> t.Optional[Record]:
        """Return the only object that can match the query, or None."""
        return next(iter(self.find(collection, **query)), None)

    def region(self, name: str) -> t.Optional[Record]:
        """Return a region, or None where there is none of that name."""
        doing = f"looking for the region {name!r} in Keystone"
        with told(doing):
            response = self._identity.get(f"/regions/{quote(name, safe='')}")
        if response.status_code == 404:
            return None
        return t.cast(Record, self._body(doing, response)["region"])

    def create(self, collection: str, **values: t.Any) -> Record:
        """Create one object."""
        kind = collection[:-1]
        with told(f"creating the {kind} {_named(values)} in Keystone"):
            response = self._identity.post(f"/{collection}", json={kind: values}, raise_exc=True)
            return t.cast(Record, response.json()[kind])

    def change(self, collection: str, identifier: str, **values: t.Any) -> Record:
        """Change one object in place."""
        kind = collection[:-1]
        with told(f"changing {' and '.join(values)} of the {kind} {identifier} in Keystone"):
            response = self._identity.patch(f"/{collection}/{identifier}", json={kind: values}, raise_exc=True)
            return t.cast(Record, response.json()[kind])

    def delete(self, collection: str, identifier: str) -> None:
        """Delete one object, if it is still there."""
        doing = f"deleting the {collection[:-1]} {identifier} from Keystone"
        with told(doing):
            response = self._identity.delete(f"/{collection}/{identifier}")
        if response.status_code != 404:
            self._body(doing, response)

    def grant(self, project_id: str, user_id: str, role_id: str) -> None:
        """Give a user a role on a project."""
        with told(f"granting the role {role_id} to the user {user_id} on the project {project_id}"):
            self._identity.put(f"/projects/{project_id}/users/{user_id}/roles/{role_id}", raise_exc=True)

    def _known_domains(self) -> dict[str, str]:
        kinds = ("user_domain", "project_domain", "domain") if self._access else ()
        known = {getattr(self._access, f"{kind}_name"): getattr(self._access, f"{kind}_id") for kind in kinds}
        return {name: identifier for name, identifier in known.items() if name and identifier}

    def domain_id(self, name: str) -> str:
        """Return the id of a domain, without a request where the administrator's own token tells it.

        :raises GlanceError: when there is no such domain.
        """
        if name not in self._domain_ids:
            domain = self.first("domains", name=name)
            if domain is None:
                raise GlanceError(
                    f"Keystone has no domain called {name!r}",
                    remedy="give the name (not the id) of a domain that exists as user_domain and project_domain",
                )
            self._domain_ids[name] = domain["id"]
        return self._domain_ids[name]

    def login(self, wanted: Wanted, scope: t.Any) -> t.Optional[Record]:
        """Return the content of a token of the service user, or None where Keystone refuses one."""
        user = {
            "name": wanted.service_user,
            "domain": {"name": wanted.user_domain},
            "password": wanted.service_password,
        }
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        doing = f"logging in to Keystone as the service user {wanted.service_user!r}"
        with told(doing):
            # Without logging: keystoneauth would write the password to a debug log.
            response = self._identity.post("/auth/tokens?nocatalog", json=body, authenticated=False, log=False)
        if response.status_code == 401:
            return None
        return t.cast(Record, self._body(doing, response)["token"])

    @staticmethod
    def _body(doing: str, response: t.Any) -> Record:
        if response.status_code >= 400:
            raise explain_response(doing, response)
        with told(doing):
            return t.cast(Record, response.json() if response.content else {})


def _named(values: Record) -> str:
    return repr(values.get("name") or values.get("id") or values.get("interface"))


def _project_scope(wanted: Wanted) -> Record:
    return {"project": {"name": wanted.service_project, "domain": {"name": wanted.project_domain}}}


@dataclasses.dataclass
class Observed:
    """What is registered."""

    service: t.Optional[Record] = None
    endpoints: dict[str, list[Record]] = dataclasses.field(default_factory=dict)
    other_regions: list[str] = dataclasses.field(default_factory=list)
    region: t.Optional[str] = None
    project: t.Optional[Record] = None
    user: t.Optional[Record] = None
    password_is_current: bool = False
    roles: list[str] = dataclasses.field(default_factory=list)
    role_ids: dict[str, t.Optional[str]] = dataclasses.field(default_factory=dict)
    """Every role that the user lacks, with None for the id of one that has to be created."""


class Present:
    """Brings the registration about: observe, compare, apply."""

    def __init__(self, keystone: Keystone, wanted: Wanted, warn: t.Callable[[str], None]) -> None:
        self.keystone = keystone
        self.wanted = wanted
        self.warn = warn
        self.observed = Observed()

    def observe(self) -> Difference:
        """Look at everything that there is, and return what has to change.

        :raises GlanceError: for anything that makes it impossible or unclear what to change.
        """
        _observe_catalogue(self.keystone, self.wanted, self.observed)
        self._refuse_duplicates()
        self._observe_region()
        self._observe_account()
        return self._difference()

    def _refuse_duplicates(self) -> None:
        for interface, endpoints in self.observed.endpoints.items():
            if len(endpoints) < 2:
                continue
            found = ", ".join(f"{endpoint['id']} ({endpoint['url']})" for endpoint in endpoints)
            what = (
                f"the region {self.wanted.region!r} has {len(endpoints)} {interface} endpoints of the service: {found}"
            )
            if interface in self.wanted.urls:
                raise GlanceError(what, remedy="delete all but one with 'openstack endpoint delete <id>'")
            self.warn(f"In Keystone {what}. Clients use any of them; delete all but one.")

    def _observe_region(self) -> None:
        region = self.wanted.region
        if self.observed.endpoints:
            self.observed.region = region
            return
        found = self.keystone.region(region)
        if found and found["id"] != region:
            # MariaDB ignores case where Keystone's clients do not.
            raise GlanceError(
                f"Keystone spells the region {region!r} as {found['id']!r}", remedy=f"give {found['id']!r} as region"
            )
        self.observed.region = region if found else None

    def _observe_account(self) -> None:
        token = self.keystone.login(self.wanted, _project_scope(self.wanted))
        if token:
            self.observed.user = {**token["user"], "enabled": True}
            self.observed.project = {**token["project"], "enabled": True}
        else:
            self._find_account()
        self._observe_roles()
        self.observed.password_is_current = bool(token) or self._unscoped_login_works()
        if not self.observed.password_is_current:
            self._refuse_own_password()

    def _find_account(self) -> None:
        wanted = self.wanted
        project_domain = self.keystone.domain_id(wanted.project_domain)
        user_domain = self.keystone.domain_id(wanted.user_domain)
        self.observed.project = self.keystone.first("projects", name=wanted.service_project, domain_id=project_domain)
        self.observed.user = self.keystone.first("users", name=wanted.service_user, domain_id=user_domain)

    def _observe_roles(self) -> None:
        user, project = self.observed.user, self.observed.project
        if user and project:
            query = {"user.id": user["id"], "scope.project.id": project["id"], "include_names": "true"}
            self.observed.roles = sorted(
                assignment["role"]["name"]
                for assignment in self.keystone.find("role_assignments", **query)
                if "OS-INHERIT:inherited_to" not in assignment["scope"] and not assignment["role"].get("domain")
            )
        for name in self.wanted.roles:
            if name not in self.observed.roles:
                self.observed.role_ids[name] = self._role_id(name)

    def _role_id(self, name: str) -> t.Optional[str]:
        role = self.keystone.first("roles", name=name)
        if role and role["name"] == name:
            return str(role["id"])
        if not role and name == CREATED_ROLE:
            return None
        # MariaDB ignores case: taken for another role, it would be granted again and again.
        names = [role["name"]] if role else [other["name"] for other in self.keystone.find("roles")]
        near = difflib.get_close_matches(name.lower(), names, n=1)
        raise GlanceError(
            f"Keystone has no role called {name!r}",
            answer=f"did you mean {near[0]!r}?" if near else "",
            remedy=f"correct the option roles, or create the role first; only {CREATED_ROLE!r} is created on its own",
        )

    def _unscoped_login_works(self) -> bool:
        # The login to the project failed. It tells nothing about the password where it could not have succeeded;
        # a second attempt where it could would only count towards a lock-out.
        user, project = self.observed.user, self.observed.project
        if not user or not user["enabled"]:
            return False
        if project and project["enabled"] and self.observed.roles:
            return False
        return self.keystone.login(self.wanted, "unscoped") is not None

    def _refuse_own_password(self) -> None:
        # Keystone would revoke the token that everything is done with, half-way.
        if self.observed.user and self.observed.user["id"] == self.keystone.own_user_id:
            raise GlanceError(
                f"the service user {self.wanted.service_user!r} is the user that the module has logged in as,"
                " and service_password is not its password",
                remedy="give the same password twice, or the credentials of another administrator in auth",
            )

    def _difference(self) -> Difference:
        wanted, observed, difference = self.wanted, self.observed, Difference()
        difference.compare("region", observed.region, wanted.region)
        self._compare_account(difference)
        self._compare_service(difference)
        for interface, url in wanted.urls.items():
            endpoint = observed.endpoints.get(interface, [{}])[0]
            difference.compare(f"endpoint.{interface}.url", endpoint.get("url"), url)
            if endpoint:
                difference.compare(f"endpoint.{interface}.enabled", endpoint["enabled"], True)
        return difference

    def _compare_account(self, difference: Difference) -> None:
        wanted, user, project = self.wanted, self.observed.user, self.observed.project
        if project:
            difference.compare("project.enabled", project["enabled"], True)
        else:
            difference.compare("project", None, {"name": wanted.service_project, "domain": wanted.project_domain})
        if user:
            difference.compare("user.enabled", user["enabled"], True)
        else:
            difference.compare("user", None, {"name": wanted.service_user, "domain": wanted.user_domain})
        if not self.observed.password_is_current:
            difference.compare("user.password", NOT_READABLE if user else None, wanted.service_password, secret=True)
        roles = sorted({*self.observed.roles, *wanted.roles})
        difference.compare("user.roles", self.observed.roles if user else None, roles)
        created = [name for name, identifier in self.observed.role_ids.items() if identifier is None]
        difference.compare("role", None, created[0] if created else None)

    def _compare_service(self, difference: Difference) -> None:
        wanted, service = self.wanted, self.observed.service
        if service is None:
            difference.compare("service", None, self._new_service())
            return
        difference.compare("service.enabled", service["enabled"], True)
        for name, value in (("name", wanted.service_name), ("description", wanted.service_description)):
            if value is not None:
                difference.compare(f"service.{name}", service.get(name), value)

    def _new_service(self) -> Record:
        wanted = self.wanted
        return {
            "type": wanted.service_type,
            "name": wanted.service_name or CREATED_NAME,
            "description": CREATED_DESCRIPTION if wanted.service_description is None else wanted.service_description,
        }

    def apply(self, difference: Difference) -> None:
        """Make the difference disappear."""
        updates = difference.updates
        if "region" in updates:
            self.keystone.create("regions", id=self.wanted.region)
        self._apply_project(updates)
        self._apply_user(updates)
        self._apply_roles(updates)
        self._apply_service(updates)
        self._apply_endpoints(updates)
        if "user.password" in updates:
            self._prove_login()

    def _apply_project(self, updates: Record) -> None:
        if self.observed.project is None:
            domain = self.keystone.domain_id(self.wanted.project_domain)
            self.observed.project = self.keystone.create("projects", name=self.wanted.service_project, domain_id=domain)
        elif "project.enabled" in updates:
            self.keystone.change("projects", self.observed.project["id"], enabled=True)

    def _apply_user(self, updates: Record) -> None:
        changes = _part(updates, "user", ("enabled", "password"))
        if self.observed.user is None:
            domain = self.keystone.domain_id(self.wanted.user_domain)
            self.observed.user = self.keystone.create(
                "users", name=self.wanted.service_user, domain_id=domain, **changes
            )
        elif changes:
            self.keystone.change("users", self.observed.user["id"], **changes)

    def _apply_roles(self, updates: Record) -> None:
        user, project = t.cast(Record, self.observed.user), t.cast(Record, self.observed.project)
        for name, identifier in self.observed.role_ids.items():
            role_id = identifier or self.keystone.create("roles", name=name)["id"]
            self.keystone.grant(project["id"], user["id"], role_id)
        self.observed.roles = updates.get("user.roles", self.observed.roles)

    def _apply_service(self, updates: Record) -> None:
        changes = _part(updates, "service", ("enabled", "name", "description"))
        if self.observed.service is None:
            self.observed.service = self.keystone.create("services", **updates["service"])
        elif changes:
            self.observed.service = self.keystone.change("services", self.observed.service["id"], **changes)

    def _apply_endpoints(self, updates: Record) -> None:
        service = t.cast(Record, self.observed.service)
        for interface in self.wanted.urls:
            changes = _part(updates, f"endpoint.{interface}", ("url", "enabled"))
            if not changes:
                continue
            existing = self.observed.endpoints.get(interface)
            if existing:
                endpoint = self.keystone.change("endpoints", existing[0]["id"], **changes)
            else:
                place = {"service_id": service["id"], "region_id": self.wanted.region, "interface": interface}
                endpoint = self.keystone.create("endpoints", **place, **changes)
            self.observed.endpoints[interface] = [endpoint]

    def _prove_login(self) -> None:
        if self.keystone.login(self.wanted, _project_scope(self.wanted)):
            return
        raise GlanceError(
            f"the user {self.wanted.service_user!r} cannot log in to the project {self.wanted.service_project!r},"
            " although its password has just been set",
            answer="HTTP 401",
            cause="a rule of Keystone's section security_compliance (change_password_upon_first_use, a lock-out),"
            " a disabled domain, or a user that needs more than a password",
            remedy="exempt the user with 'openstack user set --ignore-change-password-upon-first-use"
            " --ignore-lockout-failure-attempts --ignore-password-expiry', or enable its domain",
        )


class Absent:
    """Takes the registration away: observe, compare, apply."""

    def __init__(self, keystone: Keystone, wanted: Wanted, warn: t.Callable[[str], None]) -> None:
        self.keystone = keystone
        self.wanted = wanted
        self.warn = warn
        self.observed = Observed()

    def observe(self) -> Difference:
        """Look at what is there, and return what has to go.

        :raises GlanceError: when it is unclear what has to go.
        """
        wanted, observed = self.wanted, self.observed
        _observe_catalogue(self.keystone, wanted, observed)
        domain = self.keystone.domain_id(wanted.user_domain)
        observed.user = self.keystone.first("users", name=wanted.service_user, domain_id=domain)
        if observed.other_regions:
            self._keep_what_is_shared()
        if observed.user and observed.user["id"] == self.keystone.own_user_id:
            raise GlanceError(
                f"the service user {wanted.service_user!r} is the user that asks for its own removal",
                remedy="give the credentials of another administrator",
            )
        return self._difference()

    def _keep_what_is_shared(self) -> None:
        regions = ", ".join(repr(region) for region in self.observed.other_regions)
        self.warn(
            f"The service of type {self.wanted.service_type!r} and the user {self.wanted.service_user!r} are kept:"
            f" Keystone has endpoints of the service in {regions} too."
        )
        self.observed.service = None
        self.observed.user = None

    def _difference(self) -> Difference:
        observed, difference = self.observed, Difference()
        for interface, endpoints in observed.endpoints.items():
            urls = [endpoint["url"] for endpoint in endpoints]
            difference.compare(f"endpoint.{interface}.url", urls[0] if len(urls) == 1 else urls, None)
        if observed.service:
            shown = {name: observed.service.get(name) for name in ("type", "name", "description")}
            difference.compare("service", shown, None)
        if observed.user:
            difference.compare("user", {"name": observed.user["name"], "domain": self.wanted.user_domain}, None)
        return difference

    def apply(self, difference: Difference) -> None:
        """Delete what the difference names; Keystone deletes the role assignments with the user."""
        for endpoints in self.observed.endpoints.values():
            for endpoint in endpoints:
                self.keystone.delete("endpoints", endpoint["id"])
        self.observed.endpoints = {}
        if "service" in difference:
            self.keystone.delete("services", t.cast(Record, self.observed.service)["id"])
        if "user" in difference:
            self.keystone.delete("users", t.cast(Record, self.observed.user)["id"])
        self.observed.service = self.observed.user = None


def _observe_catalogue(keystone: Keystone, wanted: Wanted, observed: Observed) -> None:
    services = keystone.find("services", type=wanted.service_type)
    if len(services) > 1:
        found = ", ".join(f"{service['id']} ({service.get('name')})" for service in services)
        raise GlanceError(
            f"Keystone has {len(services)} services of the type {wanted.service_type!r}: {found}",
            cause="an earlier registration that added a service rather than changing the one that was there",
            remedy="delete all but one with 'openstack service delete <id>'; its endpoints go with it",
        )
    if not services:
        return
    observed.service = services[0]
    here: dict[str, list[Record]] = defaultdict(list)
    elsewhere: set[str] = set()
    for endpoint in keystone.find("endpoints", service_id=services[0]["id"]):
        if endpoint["region_id"] == wanted.region:
            here[endpoint["interface"]].append(endpoint)
        else:
            elsewhere.add(endpoint["region_id"] or "no region")
    observed.endpoints = dict(here)
    observed.other_regions = sorted(elsewhere)


def _part(updates: Record, prefix: str, names: tuple[str, ...]) -> Record:
    return {name: updates[f"{prefix}.{name}"] for name in names if f"{prefix}.{name}" in updates}


def register(
    connection: Connection, wanted: Wanted, warn: t.Callable[[str], None], *, present: bool, check: bool
) -> Record:
    """Bring the registration about, or take it away, and return the result of the module.

    :param warn: takes each thing that an operator should know although it is in nobody's way.
    :param check: whether nothing may be changed.
    :raises GlanceError: for anything that is in the way.
    """
    wanted.check()
    if present and wanted.service_password is None:
        raise GlanceError("service_password is missing", remedy="give the password of the service user")
    count = RequestCount(connection)
    keystone = Keystone(connection)
    work = Present(keystone, wanted, warn) if present else Absent(keystone, wanted, warn)
    difference = work.observe()
    if difference.changed and not check:
        work.apply(difference)
    return {
        "changed": difference.changed,
        "diff": difference.as_diff(),
        "requests": count.total,
        **_ids(work.observed),
    }


def _ids(observed: Observed) -> Record:
    return {
        "service_id": (observed.service or {}).get("id"),
        "service_name": (observed.service or {}).get("name"),
        "user_id": (observed.user or {}).get("id"),
        "project_id": (observed.project or {}).get("id"),
        "endpoints": {
            interface: {"id": endpoints[0]["id"], "url": endpoints[0]["url"]}
            for interface, endpoints in observed.endpoints.items()
        },
    }
