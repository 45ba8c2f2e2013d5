# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The connection to a cloud, and how its failures are told."""

from __future__ import annotations

import datetime
import importlib.metadata
import ipaddress
import ssl
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.openstack_ops.glance.plugins.module_utils import _openstack
from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError
from ansible_collections.openstack_ops.glance.tests.unit.plugins.scripted_http import Exchange, ScriptedServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

AUTH = {
    "username": "admin",
    "password": "pa55",
    "project_name": "admin",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}


def ask(url: str, **params: t.Any) -> str:
    """Ask a Keystone at this URL for its services, and return how the failure is told."""
    try:
        with _openstack.told("listing the services"):
            connection = _openstack.connect({"auth": {**AUTH, "auth_url": url}, **params})
            connection.identity.get("/services", raise_exc=True)
    except GlanceError as error:
        return str(error)
    raise AssertionError("nothing failed")


def certificate(directory: Path, name: x509.GeneralName) -> tuple[ssl.SSLContext, str]:
    """Return what a server with a self-signed certificate for this name needs, and the certificate's path."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "keystone")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    signed = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False).sign(key, hashes.SHA256())
    public, private = directory / "cert.pem", directory / "key.pem"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, str(public)


def test_a_certificate_of_an_unknown_authority(tmp_path: Path) -> None:
    context, _path = certificate(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    with ScriptedServer(tls=context) as server:
        told = ask(f"{server.url}/v3")

    assert told.startswith(f"listing the services: SSL exception connecting to {server.url}/v3/auth/tokens: self")
    assert "give the authority's certificate as ca_cert" in told
    assert "HTTPSConnection" not in told


def test_a_certificate_of_another_host(tmp_path: Path) -> None:
    context, path = certificate(tmp_path, x509.DNSName("keystone.example.org"))
    with ScriptedServer(tls=context) as server:
        told = ask(f"{server.url}/v3", ca_cert=path)

    assert "certificate is not valid for '127.0.0.1'" in told


def test_a_trusted_certificate_and_verification_switched_off(tmp_path: Path) -> None:
    context, path = certificate(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    script = [Exchange("GET", "/v3", 500), Exchange("POST", "/v3/auth/tokens", 401)]
    for options in ({"ca_cert": path}, {"validate_certs": False}):
        with ScriptedServer(script, tls=context) as server:
            assert "HTTP 401" in ask(f"{server.url}/v3", **options)


def test_a_server_without_tls() -> None:
    with ScriptedServer() as server:
        told = ask(server.url.replace("http:", "https:") + "/v3")

    assert "a server without TLS" in told


def test_a_host_that_does_not_exist() -> None:
    told = ask("http://keystone.invalid:5000/v3")

    assert "Unable to establish connection to http://keystone.invalid:5000/v3/auth/tokens: " in told
    assert "HTTPConnection" not in told


def test_a_proxy_that_answers_in_html() -> None:
    page = b"<html><head><title>Bad Gateway</title></head><body>\n<h1>nothing there</h1></body></html>"
    html = {"Content-Type": "text/html"}
    script = [Exchange(*request, 502, page, headers=html) for request in (("GET", "/v3"), ("POST", "/v3/auth/tokens"))]
    with ScriptedServer(script) as server:
        told = ask(f"{server.url}/v3")

    assert "/v3/auth/tokens: Bad Gateway nothing there. Usual cause: the service, its database or its proxy" in told


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"auth": {**AUTH, "auth_url": "keystone:5000"}}, "auth_url is 'keystone:5000', which is no URL"),
        ({"auth": AUTH}, "auth_url"),
        ({"auth": {**AUTH, "auth_url": "http://h/v3", "password": ""}}, "auth holds no password"),
        ({"auth": {**AUTH, "auth_url": "http://h/v3", "usrname": "x"}}, "a mistyped name inside auth"),
        ({"auth": {**AUTH, "auth_url": "http://h/v3"}, "auth_type": "nonsense"}, "nonsense could not be found"),
        ({"auth": {**AUTH, "auth_url": "https://h/v3"}, "ca_cert": "/none.pem"}, "ca_cert is '/none.pem', which does"),
        ({"cloud": {"auth": {**AUTH, "auth_url": "http://h/v3"}, "cert": "/none.pem"}}, "client_cert is '/none.pem'"),
        ({"cloud": "no-such-cloud"}, "no-such-cloud was not found"),
    ],
)
def test_unusable_credentials_are_told_before_any_request(params: dict[str, t.Any], expected: str) -> None:
    with pytest.raises(GlanceError, match=r"^reading how to reach the cloud") as raised:
        _openstack.connect(params)

    assert expected in str(raised.value)


def test_credentials_given_whole_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_REGION_NAME", "Elsewhere")
    connection = _openstack.connect({"auth": {**AUTH, "auth_url": "http://h/v3"}, "api_timeout": 7})

    assert connection.config.region_name in (None, "")
    assert connection.session.timeout == 7


@pytest.mark.parametrize(
    ("params", "seconds"),
    [
        ({}, _openstack.API_TIMEOUT),
        ({"api_timeout": 7}, 7),
        ({"cloud": {"auth": {**AUTH, "auth_url": "http://h/v3"}, "api_timeout": 300}}, 300),
    ],
)
def test_no_request_waits_for_ever(params: dict[str, t.Any], seconds: int) -> None:
    auth = {} if "cloud" in params else {"auth": {**AUTH, "auth_url": "http://h/v3"}}
    connection = _openstack.connect({**auth, **params})

    assert connection.session.timeout == seconds


def test_the_sdk_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_openstack, "IMPORT_ERROR", "No module named openstack")
    with pytest.raises(GlanceError, match=r"cannot be imported.*install openstacksdk >= 1\.0\.0"):
        _openstack.connect({})


@pytest.mark.parametrize(("version", "good"), [("0.101.0", False), ("1.0.0", True), ("4.22.0.dev3", True)])
def test_the_sdk_is_too_old(monkeypatch: pytest.MonkeyPatch, version: str, good: bool) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    if good:
        _openstack.require_sdk()
        return
    with pytest.raises(GlanceError, match=r"openstacksdk 0\.101\.0 is too old"):
        _openstack.require_sdk()


def test_the_innermost_telling_wins() -> None:
    with pytest.raises(GlanceError, match=r"^inner"), _openstack.told("outer"), _openstack.told("inner"):
        raise _openstack.openstack.exceptions.SDKException("broken")


def test_a_failure_is_found_behind_the_exception_that_wraps_it() -> None:
    outer = _openstack.openstack.exceptions.ConfigException("Problem with auth parameters")
    outer.__cause__ = _openstack.keystoneauth1.exceptions.ConnectFailure("Unable to establish connection to http://h")
    error = _openstack.explain("asking", outer)

    assert error.cause == "a wrong URL, a service that is down, or a firewall"


def test_a_password_in_a_url_is_not_told() -> None:
    error = _openstack.explain("asking", _openstack.openstack.exceptions.SDKException("http://me:pa55@h/v3 is wrong"))

    assert "pa55" not in str(error)


def fake_module(no_log_values: set[str], **params: t.Any) -> t.Any:
    """Return as much of an AnsibleModule as hiding the secrets needs."""
    spec = {**_openstack.AUTH_ARGUMENT_SPEC, "service_password": {"type": "str", "no_log": True}}
    return SimpleNamespace(
        argument_spec=spec,
        params={**dict.fromkeys(spec), **params},
        no_log_values=no_log_values,
    )


def test_what_is_no_secret_is_shown() -> None:
    module = fake_module(
        {"admin", "pa55", "https://h", "30", "token", "unheard-of"},
        cloud={"auth": {"username": "admin", "password": "pa55", "auth_url": "https://h"}, "api_timeout": 30},
        auth={"token": "token", "new_fangled_option": "unheard-of"},
    )
    _openstack.hide_only_secrets(module)

    assert module.no_log_values == {"pa55", "token", "unheard-of"}


def test_a_name_that_is_also_a_secret_stays_hidden() -> None:
    module = fake_module(
        {"admin", "glance"},
        auth={"username": "admin", "password": "admin", "project_name": "glance"},
        service_password="glance",
    )
    _openstack.hide_only_secrets(module)

    assert module.no_log_values == {"admin", "glance"}


def test_the_name_of_a_cloud_is_shown() -> None:
    module = fake_module({"admin"}, cloud="admin")
    _openstack.hide_only_secrets(module)

    assert module.no_log_values == set()
