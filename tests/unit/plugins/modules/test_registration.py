# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The module registration, driven through main() against a scripted Keystone."""

from __future__ import annotations

import json
import socket
import typing as t

import pytest
from ansible_collections.openstack_ops.glance.plugins.modules import preflight, registration
from ansible_collections.openstack_ops.glance.tests.unit.plugins.scripted_http import Exchange, ScriptedServer

PASSWORD = "current-pa55"
ADMIN_PASSWORD = "admin-pa55"
BUDGET = 8

DOMAIN = {"id": "default", "name": "Default"}
PROJECT = {"id": "project1", "name": "service", "domain_id": "default", "enabled": True}
USER = {"id": "user1", "name": "glance", "domain_id": "default", "enabled": True}
SERVICE = {"id": "service1", "type": "image", "name": "glance", "description": "OpenStack Image", "enabled": True}
URLS = {
    "public": "https://images.example.org:9292",
    "internal": "http://glance:9292",
    "admin": "http://glance:9292",
}
ROLE_IDS = {"admin": "role1", "service": "role2", "member": "role3"}


class Run(t.Protocol):
    """Signature of the fixture ``run``."""

    def __call__(self, *script: Exchange, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Do it."""


@pytest.fixture
def run(run_module: t.Any) -> Run:
    """Return a function that runs the module against a script, which has to be played to its end."""

    def play(*script: Exchange, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        with ScriptedServer(script) as server:
            result = run_module(registration, arguments(server.url, **options), check=check)
            if not result.get("failed"):
                assert result["requests"] == len(server.requests)
        for secret in filter(None, (ADMIN_PASSWORD, options.get("service_password", PASSWORD))):
            # As JSON spells it, without the quotes.
            assert json.dumps(secret)[1:-1] not in json.dumps(result)
        return t.cast("dict[str, t.Any]", result)

    return play


def arguments(url: str, **options: t.Any) -> dict[str, t.Any]:
    """Return the module's arguments for a Keystone at this URL."""
    credentials = {
        "auth_url": f"{url}/v3",
        "username": "admin",
        "password": ADMIN_PASSWORD,
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    return {"auth": credentials, "service_password": PASSWORD, "endpoints": URLS, **options}


def token(user: dict[str, t.Any], project: t.Optional[dict[str, t.Any]], **more: t.Any) -> dict[str, t.Any]:
    """Return the answer to a login."""
    content = {
        "methods": ["password"],
        "user": {"id": user["id"], "name": user["name"], "domain": DOMAIN},
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "audit_ids": ["audit"],
        **more,
    }
    if project:
        content["project"] = {"id": project["id"], "name": project["name"], "domain": DOMAIN}
    return {"token": content}


def discovery() -> Exchange:
    """Keystone tells its version."""
    link = {"rel": "self", "href": "{server}/v3/"}
    version = {"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": [link]}
    return Exchange("GET", "/v3", answer={"version": version})


def admin_login(user: t.Optional[dict[str, t.Any]] = None, catalog_url: str = "{server}/v3") -> list[Exchange]:
    """The administrator gets the one token."""
    endpoint = {"id": "e", "interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": catalog_url}
    answer = token(
        user or {"id": "admin1", "name": "admin"},
        {"id": "project0", "name": "admin"},
        roles=[{"id": "role1", "name": "admin"}],
        catalog=[{"id": "c", "type": "identity", "name": "keystone", "endpoints": [endpoint]}],
    )
    exchange = Exchange("POST", "/v3/auth/tokens", 201, answer, headers={"X-Subject-Token": "secret-token"})
    return [discovery(), exchange]


def service_login(works: bool, *, scoped: bool = True, password: str = PASSWORD) -> Exchange:
    """The service user's password is tried."""
    user = {"name": "glance", "domain": {"name": "Default"}, "password": password}
    scope: t.Any = {"project": {"name": "service", "domain": {"name": "Default"}}} if scoped else "unscoped"
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    if works:
        return Exchange("POST", "/v3/auth/tokens", 201, token(USER, PROJECT if scoped else None), body=body)
    return Exchange(
        "POST", "/v3/auth/tokens", 401, error("The request you have made requires authentication."), body=body
    )


def error(message: str) -> dict[str, t.Any]:
    """Return the body of an answer that refuses something."""
    return {"error": {"message": message, "title": "Refused"}}


def listing(collection: str, found: list[dict[str, t.Any]], **query: str) -> Exchange:
    """A collection is listed."""
    return Exchange("GET", f"/v3/{collection}", answer={collection: found}, query=query)


def services(*found: dict[str, t.Any]) -> Exchange:
    """The services of the type are listed."""
    return listing("services", list(found), type="image")


def endpoint(interface: str, **values: t.Any) -> dict[str, t.Any]:
    """Return an endpoint as Keystone shows it."""
    place = {"id": f"{interface}1", "interface": interface, "region_id": "RegionOne", "service_id": "service1"}
    return {**place, "url": URLS[interface], "enabled": True, **values}


def endpoints(*found: dict[str, t.Any]) -> Exchange:
    """The endpoints of the service are listed."""
    return listing("endpoints", list(found), service_id="service1")


def assignments(*names: str, **more: t.Any) -> Exchange:
    """The roles of the service user are listed."""
    scope = {"project": {"id": "project1", "name": "service", "domain": DOMAIN}}
    found = [
        {"role": {"id": ROLE_IDS[name], "name": name}, "user": {"id": "user1"}, "scope": scope, **more}
        for name in names
    ]
    query = {"user.id": "user1", "scope.project.id": "project1", "include_names": "true"}
    return listing("role_assignments", found, **query)


def role(name: str, *, exists: bool = True) -> Exchange:
    """A role is looked up."""
    return listing("roles", [{"id": ROLE_IDS[name], "name": name}] if exists else [], name=name)


def account(user: t.Optional[dict[str, t.Any]], project: t.Optional[dict[str, t.Any]]) -> list[Exchange]:
    """The project and the user are looked up."""
    return [
        listing("projects", [project] if project else [], name="service", domain_id="default"),
        listing("users", [user] if user else [], name="glance", domain_id="default"),
    ]


def created(collection: str, answer: dict[str, t.Any], **body: t.Any) -> Exchange:
    """Something is created."""
    kind = collection[:-1]
    return Exchange("POST", f"/v3/{collection}", 201, {kind: answer}, body={kind: body})


def changed(collection: str, before: dict[str, t.Any], **body: t.Any) -> Exchange:
    """Something is changed in place."""
    kind = collection[:-1]
    return Exchange("PATCH", f"/v3/{collection}/{before['id']}", 200, {kind: {**before, **body}}, body={kind: body})


def granted(name: str) -> Exchange:
    """The service user gets a role."""
    return Exchange("PUT", f"/v3/projects/project1/users/user1/roles/{ROLE_IDS[name]}", 204)


def deleted(collection: str, identifier: str) -> Exchange:
    """Something is deleted."""
    return Exchange("DELETE", f"/v3/{collection}/{identifier}", 204)


def catalogue() -> list[Exchange]:
    """The administrator logs in and finds the service with its endpoints."""
    return [*admin_login(), services(SERVICE), endpoints(*map(endpoint, URLS))]


def everything() -> list[Exchange]:
    """Everything is found as it shall be."""
    return [*catalogue(), service_login(True), assignments("admin", "service")]


def empty_keystone() -> list[Exchange]:
    """Nothing is found, not even the role service."""
    return [
        *admin_login(),
        services(),
        Exchange("GET", "/v3/regions/RegionOne", 404, error("Could not find region: RegionOne.")),
        service_login(False),
        *account(None, None),
        role("admin"),
        role("service", exists=False),
    ]


def fresh_run(password: str = PASSWORD) -> list[Exchange]:
    """Everything is created."""
    looked = [service_login(False, password=password) if e.body else e for e in empty_keystone()]
    place = {"service_id": "service1", "region_id": "RegionOne"}
    return [
        *looked,
        created("regions", {"id": "RegionOne"}, id="RegionOne"),
        created("projects", PROJECT, name="service", domain_id="default"),
        created("users", USER, name="glance", domain_id="default", password=password),
        granted("admin"),
        created("roles", {"id": "role2", "name": "service"}, name="service"),
        granted("service"),
        created("services", SERVICE, type="image", name="glance", description="OpenStack Image"),
        *(created("endpoints", endpoint(name), interface=name, url=URLS[name], **place) for name in URLS),
        service_login(True, password=password),
    ]


def test_check_mode_on_an_empty_keystone(run: Run) -> None:
    result = run(*empty_keystone(), check=True)

    assert result["changed"]
    assert set(result["diff"]["before"].values()) == {None}
    assert result["diff"]["after"] == {
        "endpoint.admin.url": URLS["admin"],
        "endpoint.internal.url": URLS["internal"],
        "endpoint.public.url": URLS["public"],
        "project": {"name": "service", "domain": "Default"},
        "region": "RegionOne",
        "role": "service",
        "service": {"type": "image", "name": "glance", "description": "OpenStack Image"},
        "user": {"name": "glance", "domain": "Default"},
        "user.password": "VALUE_HIDDEN (new)",
        "user.roles": ["admin", "service"],
    }
    assert result["service_id"] is None
    assert result["user_id"] is None


def test_first_run_creates_everything_and_shows_the_same_diff(run: Run) -> None:
    predicted = run(*empty_keystone(), check=True)
    result = run(*fresh_run())

    assert result["changed"]
    assert result["diff"] == predicted["diff"]
    assert (result["service_id"], result["user_id"], result["project_id"]) == ("service1", "user1", "project1")
    assert result["endpoints"] == {name: {"id": f"{name}1", "url": url} for name, url in URLS.items()}


def test_nothing_to_change(run: Run) -> None:
    result = run(*everything())

    assert not result["changed"]
    assert result["diff"] == {"before": {}, "after": {}}
    assert result["requests"] == 6


def test_nothing_to_change_with_every_detour_stays_in_the_budget(run: Run) -> None:
    # The catalogue gives another URL than auth_url, both domains are unknown, and no endpoint tells the region.
    root = Exchange("GET", "/", 300, {"versions": {"values": [discovery().answer["version"]]}})
    options = {"project_domain": "Projects", "user_domain": "Users", "endpoints": {}}
    result = run(
        *admin_login(catalog_url="{server}/"),
        root,
        services(SERVICE),
        endpoints(),
        Exchange("GET", "/v3/regions/RegionOne", answer={"region": {"id": "RegionOne"}}),
        Exchange("POST", "/v3/auth/tokens", 201, token(USER, PROJECT)),
        assignments("admin", "service"),
        **options,
    )

    assert not result["changed"]
    assert result["requests"] == BUDGET


def test_rotation_changes_the_password_once_with_one_failed_login(run: Run) -> None:
    result = run(
        *catalogue(),
        service_login(False, password="next-pa55"),
        *account(USER, PROJECT),
        assignments("admin", "service"),
        changed("users", USER, password="next-pa55"),
        service_login(True, password="next-pa55"),
        service_password="next-pa55",
    )

    assert result["changed"]
    assert result["diff"] == {
        "before": {"user.password": "VALUE_HIDDEN (old)"},
        "after": {"user.password": "VALUE_HIDDEN (new)"},
    }


def test_a_lost_role_does_not_make_the_password_look_wrong(run: Run) -> None:
    result = run(
        *catalogue(),
        service_login(False),
        *account(USER, PROJECT),
        assignments(),
        role("admin"),
        role("service"),
        service_login(True, scoped=False),
        granted("admin"),
        granted("service"),
    )

    assert result["diff"] == {"before": {"user.roles": []}, "after": {"user.roles": ["admin", "service"]}}


def test_inherited_roles_do_not_count(run: Run) -> None:
    inherited = assignments("admin")
    inherited.answer["role_assignments"][0]["scope"]["OS-INHERIT:inherited_to"] = "projects"
    result = run(*catalogue(), service_login(True), inherited, role("admin"), granted("admin"), roles=["admin"])

    assert result["diff"]["before"] == {"user.roles": []}


def test_other_roles_of_the_user_stay(run: Run) -> None:
    result = run(*catalogue(), service_login(True), assignments("admin", "member", "service"))

    assert not result["changed"]


def test_what_is_disabled_is_enabled(run: Run) -> None:
    user, project, service = ({**record, "enabled": False} for record in (USER, PROJECT, SERVICE))
    public = endpoint("public", enabled=False)
    result = run(
        *admin_login(),
        services(service),
        endpoints(public),
        service_login(False),
        *account(user, project),
        assignments("admin", "service"),
        changed("projects", project, enabled=True),
        changed("users", user, enabled=True, password=PASSWORD),
        changed("services", service, enabled=True),
        changed("endpoints", public, enabled=True),
        service_login(True),
        endpoints={"public": URLS["public"]},
    )

    kinds = ("project", "user", "service", "endpoint.public")
    assert {f"{kind}.enabled" for kind in kinds} | {"user.password"} == set(result["diff"]["before"])


def test_a_url_is_changed_in_place(run: Run) -> None:
    url = "https://other.example.org"
    result = run(*everything(), changed("endpoints", endpoint("public"), url=url), endpoints={"public": url})

    assert result["diff"] == {
        "before": {"endpoint.public.url": URLS["public"]},
        "after": {"endpoint.public.url": url},
    }
    assert result["endpoints"]["public"] == {"id": "public1", "url": url}
    assert result["endpoints"]["internal"] == {"id": "internal1", "url": URLS["internal"]}


@pytest.mark.parametrize("service_name", [None, "glance"])
def test_a_service_of_another_name_is_used_and_renamed_only_on_request(run: Run, service_name: t.Optional[str]) -> None:
    other = {**SERVICE, "name": "Image Service", "description": "old"}
    script = [*admin_login(), services(other), endpoints(*map(endpoint, URLS)), *everything()[-2:]]
    if service_name:
        script.append(changed("services", other, name="glance"))
    result = run(*script, **({"service_name": service_name} if service_name else {}))

    assert result["changed"] == bool(service_name)
    assert result["service_id"] == "service1"
    assert result["service_name"] == (service_name or "Image Service")


def test_two_services_of_the_type_are_refused(run: Run) -> None:
    result = run(*admin_login(), services(SERVICE, {**SERVICE, "id": "service2", "name": "image"}))

    assert result["failed"]
    assert "2 services of the type 'image': service1 (glance), service2 (image)" in result["msg"]
    assert "openstack service delete" in result["msg"]


@pytest.mark.parametrize("wanted", [True, False])
def test_two_endpoints_of_an_interface(run: Run, wanted: bool) -> None:
    twice = [endpoint("public"), endpoint("public", id="public2", url="http://old")]
    script = [*admin_login(), services(SERVICE), endpoints(*twice, endpoint("internal"))]
    if not wanted:
        script += everything()[-2:]
    result = run(*script, endpoints={"public" if wanted else "internal": URLS["internal"]})

    text = result["msg"] if wanted else json.dumps(result["warnings"])
    assert bool(result.get("failed")) == wanted
    assert "2 public endpoints of the service: public1 (https://images.example.org:9292), public2 (http://old)" in text


def test_endpoints_of_another_region_are_not_touched(run: Run) -> None:
    other = [endpoint(name, id=f"{name}2", region_id="RegionTwo", url="http://two") for name in URLS]
    result = run(
        *admin_login(),
        services(SERVICE),
        endpoints(*other, *map(endpoint, URLS)),
        *everything()[-2:],
    )

    assert not result["changed"]


def test_absent_deletes_endpoints_service_and_user(run: Run) -> None:
    result = run(
        *catalogue(),
        listing("users", [USER], name="glance", domain_id="default"),
        *(deleted("endpoints", f"{name}1") for name in URLS),
        deleted("services", "service1"),
        deleted("users", "user1"),
        state="absent",
    )

    assert result["changed"]
    assert set(result["diff"]["after"].values()) == {None}
    assert set(result["diff"]["before"]) == {"service", "user", *(f"endpoint.{name}.url" for name in URLS)}


def test_absent_predicts_in_check_mode_what_it_deletes(run: Run) -> None:
    result = run(*catalogue(), listing("users", [USER], name="glance", domain_id="default"), state="absent", check=True)

    assert result["changed"]
    assert set(result["diff"]["before"]) == {"service", "user", *(f"endpoint.{name}.url" for name in URLS)}


def test_absent_again_changes_nothing(run: Run) -> None:
    result = run(*admin_login(), services(), listing("users", [], name="glance", domain_id="default"), state="absent")

    assert not result["changed"]
    assert result["requests"] <= BUDGET


def test_absent_keeps_service_and_user_for_another_region(run: Run) -> None:
    result = run(
        *admin_login(),
        services(SERVICE),
        endpoints(endpoint("public"), endpoint("public", id="public2", region_id="RegionTwo")),
        listing("users", [USER], name="glance", domain_id="default"),
        deleted("endpoints", "public1"),
        state="absent",
    )

    assert set(result["diff"]["before"]) == {"endpoint.public.url"}
    assert "'RegionTwo'" in json.dumps(result["warnings"])


def test_absent_survives_that_something_is_gone_already(run: Run) -> None:
    gone = Exchange("DELETE", "/v3/services/service1", 404, error("Could not find service: service1."))
    found = [services(SERVICE), endpoints(), listing("users", [], name="glance", domain_id="default")]
    result = run(*admin_login(), *found, gone, state="absent")

    assert result["changed"]


def test_absent_does_not_delete_its_own_user(run: Run) -> None:
    result = run(
        *admin_login(USER), services(), listing("users", [USER], name="glance", domain_id="default"), state="absent"
    )

    assert "asks for its own removal" in result["msg"]


def test_its_own_password_is_not_changed_half_way(run: Run) -> None:
    result = run(
        *admin_login(USER),
        services(SERVICE),
        endpoints(*map(endpoint, URLS)),
        service_login(False),
        *account(USER, PROJECT),
        assignments("admin", "service"),
    )

    assert "is the user that the module has logged in as" in result["msg"]


def test_a_password_that_does_not_take_effect_is_told(run: Run) -> None:
    result = run(*fresh_run()[:-1], service_login(False))

    assert result["failed"]
    assert "change_password_upon_first_use" in result["msg"]


@pytest.mark.parametrize(
    "password",
    ["a@b:c/d%e#f'g\"h$i\\j", "%(foo)s ${bar} {{ baz }}", " blanks at both ends ", "пароль-Ünïcode-密码-🔑", "x" * 200],
)
def test_difficult_passwords_reach_keystone_as_they_are(run: Run, password: str) -> None:
    result = run(*fresh_run(password), service_password=password)

    assert result["changed"]


def test_only_secrets_are_masked(run: Run) -> None:
    result = run(*empty_keystone(), check=True)

    shown = result["invocation"]["module_args"]
    assert shown["auth"]["username"] == "admin"
    assert shown["auth"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert shown["service_password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_wrong_credentials_of_the_administrator(run: Run) -> None:
    refusal = Exchange(
        "POST",
        "/v3/auth/tokens",
        401,
        error("The request you have made requires authentication."),
        headers={"X-Openstack-Request-Id": "req-1"},
    )
    result = run(discovery(), refusal)

    assert result["msg"].startswith("logging in to Keystone as administrator: HTTP 401 from POST http://127.0.0.1:")
    assert "(request req-1). Usual cause: a wrong user name, password, project or domain." in result["msg"]


def test_credentials_without_the_role(run: Run) -> None:
    message = "You are not authorized to perform the requested action: identity:list_services."
    result = run(*admin_login(), Exchange("GET", "/v3/services", 403, error(message)))

    assert result["msg"].startswith("listing the services in Keystone: HTTP 403")
    assert "identity:list_services" in result["msg"]
    assert "credentials of a cloud administrator" in result["msg"]


def test_a_failure_while_changing_names_what_was_changed(run: Run) -> None:
    refusal = Exchange("POST", "/v3/projects", 409, error("it is not permitted to have two projects of one name"))
    script = [*fresh_run()[: len(empty_keystone()) + 1], refusal]
    result = run(*script)

    assert result["msg"].startswith("creating the project 'service' in Keystone: HTTP 409")
    assert "it is not permitted to have two projects of one name" in result["msg"]


def test_a_domain_that_does_not_exist(run: Run) -> None:
    script = [
        *admin_login(),
        services(),
        Exchange("GET", "/v3/regions/RegionOne", answer={"region": {"id": "RegionOne"}}),
    ]
    refused = Exchange("POST", "/v3/auth/tokens", 401, error("no"))
    result = run(*script, refused, listing("domains", [], name="Nowhere"), project_domain="Nowhere")

    assert "Keystone has no domain called 'Nowhere'" in result["msg"]


def test_a_domain_that_the_own_token_does_not_tell(run: Run) -> None:
    result = run(
        *admin_login(),
        services(),
        listing("domains", [{"id": "domain7", "name": "Services"}], name="Services"),
        listing("users", [], name="glance", domain_id="domain7"),
        state="absent",
        user_domain="Services",
    )

    assert not result["changed"]


def test_a_region_that_differs_in_case(run: Run) -> None:
    other = endpoint("public", region_id="RegionOne")
    found = Exchange("GET", "/v3/regions/regionone", answer={"region": {"id": "RegionOne"}})
    result = run(*admin_login(), services(SERVICE), endpoints(other), found, region="regionone")

    assert "spells the region 'regionone' as 'RegionOne'" in result["msg"]


def test_a_role_that_does_not_exist_gets_the_near_miss(run: Run) -> None:
    every = [{"id": identifier, "name": name} for name, identifier in ROLE_IDS.items()]
    unknown = listing("roles", [], name="amdin")
    result = run(
        *catalogue(), service_login(True), assignments("admin"), unknown, listing("roles", every), roles=["amdin"]
    )

    assert "no role called 'amdin': did you mean 'admin'?" in result["msg"]


def test_a_role_that_differs_in_case(run: Run) -> None:
    found = listing("roles", [{"id": "role1", "name": "admin"}], name="Admin")
    result = run(*catalogue(), service_login(True), assignments("admin"), found, roles=["Admin"])

    assert "no role called 'Admin': did you mean 'admin'?" in result["msg"]


@pytest.mark.parametrize(
    "url",
    [
        "images.example.org:9292",
        "htp://images.example.org",
        "http://",
        "http://images.example.org:92929",
        "http://images.example.org:0",
        "http://images.example.org:port",
        "http://images example.org",
        " http://images.example.org",
        "http://[::1",
        "http://me:pa55@images.example.org",
        "images.example.org://me:pa55@",
        "",
    ],
)
def test_a_malformed_url_is_refused_before_any_request(run: Run, url: str) -> None:
    result = run(endpoints={"internal": url})

    assert result["msg"].startswith("checking endpoints.internal: ")
    assert "pa55" not in result["msg"]


@pytest.mark.parametrize("url", ["http://glance-1.example.org:9292/", "https://[2001:db8::1]:9292", "https://h/image"])
def test_good_urls_are_accepted(run: Run, url: str) -> None:
    result = run(*everything(), changed("endpoints", endpoint("public"), url=url), endpoints={"public": url})

    assert result["changed"]


@pytest.mark.parametrize("option", ["region", "service_project", "service_user", "service_password", "service_name"])
def test_an_empty_name_is_refused_before_any_request(run: Run, option: str) -> None:
    assert f"the option {option} is empty" in run(**{option: ""})["msg"]


def test_a_connection_that_keystone_has_closed_is_opened_again(run_module: t.Any) -> None:
    login, first, *rest = [*admin_login(), *everything()[2:]][1:]
    closed = Exchange("GET", "/v3/services", 0)
    with ScriptedServer([discovery(), login, closed, first, *rest]) as server:
        result = run_module(registration, arguments(server.url))

    assert result["changed"] is False
    assert result["requests"] == len(server.requests) - 1


def test_keystone_is_unreachable(run_module: t.Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        result = run_module(registration, arguments(url))

    assert result["failed"]
    assert f"Unable to establish connection to {url}/v3/auth/tokens: Connection refused." in result["msg"]
    assert "HTTPConnection" not in result["msg"]


@pytest.mark.parametrize("given", [{}, {"service_password": None}])
def test_the_password_is_required_where_the_user_shall_exist(run_module: t.Any, given: dict[str, None]) -> None:
    args = {name: value for name, value in arguments("http://127.0.0.1").items() if name != "service_password"}
    result = run_module(registration, {**args, **given})

    assert result["failed"]
    assert "service_password" in result["msg"]


# Preflight compares the same


@pytest.mark.parametrize(
    ("script", "options", "settled"),
    [
        (everything(), {}, True),
        ([*catalogue()[:-1], endpoints(endpoint("public", url="http://old")), *everything()[-2:]], {}, False),
        ([*admin_login(), services(SERVICE, {**SERVICE, "id": "service2"})], {}, False),
        (admin_login(), {"region": ""}, False),
        (admin_login(), {"mistyped": "x"}, False),
    ],
)
def test_preflight_tells_whether_anything_is_left_to_do(
    run_module: t.Any, script: list[Exchange], options: dict[str, t.Any], settled: bool
) -> None:
    with ScriptedServer(script) as server:
        wanted = arguments(server.url, **options)
        credentials = wanted.pop("auth")
        result = run_module(preflight, {"scope": "control", "auth": credentials, "registration": wanted})
    assert result["problems"] == []
    assert result["settled"]["registration"] is settled
    assert PASSWORD not in json.dumps(result)
    assert result["facts"]["keystone"]["user"] == "admin"
