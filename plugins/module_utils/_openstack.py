# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""One authenticated connection to an OpenStack cloud, and its failures told in one sentence."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os.path
import re
import traceback
import typing as t
from urllib.parse import urlsplit

from ansible_collections.openstack_ops.glance.plugins.module_utils._errors import GlanceError, without_credentials

IMPORT_ERROR: t.Optional[str] = None
try:
    import keystoneauth1.exceptions
    import openstack
    import openstack.exceptions
    import requests.exceptions
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule
    from openstack.connection import Connection

MINIMUM_SDK = (1, 0, 0)

API_TIMEOUT = 60
"""Seconds that a server may be silent where neither the options nor clouds.yaml say how many."""

AUTH_ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "cloud": {"type": "raw", "no_log": True},
    "auth": {"type": "dict", "no_log": True},
    "auth_type": {"type": "str"},
    "region_name": {"type": "str"},
    "interface": {"type": "str", "choices": ["public", "internal", "admin"], "aliases": ["endpoint_type"]},
    "validate_certs": {"type": "bool", "aliases": ["verify"]},
    "ca_cert": {"type": "path", "aliases": ["cacert"]},
    "client_cert": {"type": "path", "aliases": ["cert"]},
    "client_key": {"type": "path", "no_log": False, "aliases": ["key"]},
    "api_timeout": {"type": "int"},
}
"""The argument spec that goes with the documentation fragment ``_auth``."""

NOT_SECRET = re.compile(
    r"auth_url|username|(default_|user_|project_)?domain_(name|id)|(user|project|tenant|trust)_(name|id)"
    r"|application_credential_(name|id)|system_scope|identity_provider|protocol"
    r"|auth_type|region_name|interface|verify|cacert|cert|api_timeout|profile|.*_api_version"
)
"""The names inside ``auth`` and ``cloud`` whose values may be shown; whatever is not listed is a secret."""


def require_sdk() -> None:
    """Refuse to go on without a usable openstacksdk, and say which one is there.

    :raises GlanceError: when it is missing or too old.
    """
    wanted = ".".join(str(number) for number in MINIMUM_SDK)
    remedy = (
        f"install openstacksdk >= {wanted} for the Python that runs the module,"
        " or delegate the task to the control node, as the collection's roles do"
    )
    if IMPORT_ERROR is not None:
        raise GlanceError("openstacksdk cannot be imported", remedy=remedy)
    found = importlib.metadata.version("openstacksdk")
    if tuple(int(number) for number in found.split(".")[:3] if number.isdigit()) < MINIMUM_SDK:
        raise GlanceError(f"openstacksdk {found} is too old", remedy=remedy)


def hide_only_secrets(
    module: AnsibleModule, secrets: t.Optional[t.Mapping[str, t.Callable[[t.Any], t.Any]]] = None
) -> None:
    """Let the module's output show what ``auth`` and ``cloud`` hold, except the secrets.

    ansible-core hides every string inside an option marked as secret wherever it occurs in the output: an
    administrator called ``admin`` would hide the role ``admin``. Both options stay marked, so that nothing of them
    reaches the system's log; to be called right after the module has been created.

    :param secrets: further options marked as secret, each with a function that returns what of its value is one.
    """
    shown: set[str] = set()
    secret: set[str] = set()
    for name, option in module.argument_spec.items():
        value = module.params[name]
        if name == "cloud" and isinstance(value, str):
            shown.add(value)
        elif name in ("auth", "cloud"):
            _sort_values(value, secret, shown, secret)
        elif secrets and name in secrets and value:
            # A part of a text is not among what ansible-core hides.
            found = set(_texts(secrets[name](value))) - {""}
            module.no_log_values.update(found)
            secret.update(found)
            shown.update(_texts(value))
        elif option.get("no_log"):
            _sort_values(value, secret, secret, secret)
        elif isinstance(value, dict):
            inner = option.get("options") or {}
            secret.update(_texts([value.get(suboption) for suboption in inner if inner[suboption].get("no_log")]))
    module.no_log_values.difference_update(shown - secret)


def _sort_values(value: t.Any, here: set[str], shown: set[str], secret: set[str]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _sort_values(inner, shown if NOT_SECRET.fullmatch(str(name)) else secret, shown, secret)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _sort_values(inner, here, shown, secret)
    elif value is not None:
        here.add(str(value))


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple, set)):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)


def connect(params: dict[str, t.Any]) -> Connection:
    """Open a connection with the options of the documentation fragment ``_auth``.

    Nothing is sent yet: the first request authenticates. Exactly one token is used for everything that is asked
    through the returned connection. No request through it waits for ever.

    :param params: the parameters of the module.
    :raises GlanceError: when openstacksdk or the cloud's configuration is unusable.
    """
    require_sdk()
    doing = "reading how to reach the cloud"
    try:
        with told(doing):
            connection = openstack.connect(**_connection_options(params))
            session = connection.session
    except TypeError as error:
        # What keystoneauth does with a name inside auth that its plugin does not have.
        raise GlanceError(
            doing, answer=str(error), cause="a mistyped name inside auth", remedy="compare auth with clouds.yaml"
        ) from error
    _check_url(doing, connection)
    _check_password(doing, connection)
    _check_files(doing, connection)
    if session.timeout is None:
        # What openstacksdk would use waits for ever for a server that takes the connection and never answers.
        session.timeout = float(API_TIMEOUT)
    return connection


def _connection_options(params: dict[str, t.Any]) -> dict[str, t.Any]:
    renamed = {
        "validate_certs": "verify",
        "ca_cert": "cacert",
        "client_cert": "cert",
        "client_key": "key",
    }
    options = {renamed.get(name, name): params[name] for name in AUTH_ARGUMENT_SPEC if params.get(name) is not None}
    # Some Keystones close a connection without saying so, and the next request on it is reset. Only for Keystone, whose
    # bodies can be sent again: the retry of an upload would send what is left of a file.
    options["identity_connect_retries"] = 2
    cloud = options.get("cloud")
    if isinstance(cloud, dict):
        del options["cloud"]
        options = {**cloud, **options}
    if isinstance(options.get("auth"), dict) and not isinstance(cloud, str):
        # Given whole by the caller: neither the environment nor a clouds.yaml may add to it.
        options.update(load_yaml_config=False, load_envvars=False)
    return options


def _check_url(doing: str, connection: Connection) -> None:
    # openstacksdk would report that the catalogue lacks the service.
    url = str(connection.config.get_auth_args().get("auth_url", "https://none"))
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise GlanceError(
            doing,
            answer=f"auth_url is {without_credentials(url)!r}, which is no URL",
            remedy="give Keystone's URL, such as https://keystone.example.org:5000/v3",
        )


def _check_password(doing: str, connection: Connection) -> None:
    # keystoneauth would send the request and then raise a bare Exception.
    auth = connection.config.get_auth_args()
    if connection.config.config.get("auth_type") in ("password", "v3password") and auth.get("password") in (None, ""):
        raise GlanceError(doing, answer="auth holds no password", remedy="give auth.password, or another auth_type")


def _check_files(doing: str, connection: Connection) -> None:
    # requests would raise a bare OSError in the middle of the work.
    verify, certificate = connection.config.get_requests_verify_args()
    paths = {"ca_cert": verify if isinstance(verify, str) else None}
    if isinstance(certificate, tuple):
        paths.update(zip(("client_cert", "client_key"), certificate))
    else:
        paths["client_cert"] = certificate
    for option, path in paths.items():
        if path and not os.path.exists(path):
            raise GlanceError(
                doing,
                answer=f"{option} is {path!r}, which does not exist where the module runs",
                remedy="give the path on the machine that runs the module, by default the control node",
            )


class RequestCount:
    """Counts the requests that a connection sends, discovery and tokens included."""

    def __init__(self, connection: Connection) -> None:
        self.total = 0
        connection.session.session.hooks["response"].append(self._count)

    def _count(self, response: t.Any, **_options: t.Any) -> None:
        self.total += 1


@contextlib.contextmanager
def told(doing: str) -> t.Iterator[None]:
    """Turn what openstacksdk, keystoneauth and requests raise inside into the one error that tells it.

    :param doing: what is being done, and to what.
    :raises GlanceError: instead of theirs.
    """
    try:
        yield
    except (
        openstack.exceptions.SDKException,
        keystoneauth1.exceptions.ClientException,
        requests.exceptions.RequestException,
    ) as error:
        raise explain(doing, error) from error


class _Meaning(t.NamedTuple):
    kinds: frozenset[str]
    cause: str
    remedy: str


MEANINGS = (
    _Meaning(
        frozenset({"SSLFailure", "SSLError"}),
        "a certificate that is expired, of another host name or of an authority not trusted; or a server without TLS",
        "give the authority's certificate as ca_cert, and the URL with the name that the certificate holds",
    ),
    _Meaning(
        frozenset({"ConnectTimeout", "Timeout", "ReadTimeoutError"}),
        "a service that hangs or has too much to do, or a firewall",
        "open the URL from where the module ran; raise the time-out when the service is only slow",
    ),
    _Meaning(
        frozenset({"ConnectFailure", "UnknownConnectionError", "ConnectionError"}),
        "a wrong URL, a service that is down, or a firewall",
        "open the URL from where the module ran",
    ),
    _Meaning(
        frozenset({"Unauthorized", "UnauthorizedException"}),
        "a wrong user name, password, project or domain",
        "check the credentials that were given",
    ),
    _Meaning(
        frozenset({"Forbidden", "ForbiddenException"}),
        "the user that was given lacks a role",
        "give credentials of a cloud administrator, or give that user the role that the request needs",
    ),
    _Meaning(
        frozenset({"HttpServerError", "InternalServerError", "HttpInternalServerError", "ServiceUnavailableException"}),
        "the service, its database or its proxy is broken or down",
        "look for the request in the log of the service",
    ),
    _Meaning(
        frozenset({"EndpointNotFound", "EmptyCatalog", "ServiceDisabledException"}),
        "the service is not in the catalogue for this region and interface",
        "check region_name and interface",
    ),
    _Meaning(
        frozenset({"DiscoveryFailure", "ServiceDiscoveryException", "NotFound"}),
        "a URL that leads to something else",
        "check the URL",
    ),
    _Meaning(
        frozenset({"MissingRequiredOptions", "MissingAuthPlugin", "NoMatchingPlugin", "ConfigException"}),
        "incomplete or mistyped credentials",
        "give cloud or auth as in clouds.yaml",
    ),
)


def explain(doing: str, error: BaseException) -> GlanceError:
    """Return the error that tells what an exception of keystoneauth, openstacksdk or requests means.

    :param doing: what was being done, and to what.
    """
    chain = list(_chain(error))
    names = {kind.__name__ for link in chain for kind in type(link).__mro__}
    answer = _answer(chain)
    for meaning in MEANINGS:
        if meaning.kinds & names:
            return GlanceError(doing, answer=answer, cause=meaning.cause, remedy=meaning.remedy)
    return GlanceError(doing, answer=answer)


def explain_response(doing: str, response: requests.Response) -> GlanceError:
    """Return the error that tells what an answer with a status of 400 or more means.

    :param doing: what was being done, and to what.
    """
    request = response.request
    return explain(doing, keystoneauth1.exceptions.from_response(response, request.method, request.url))


def _chain(error: t.Optional[BaseException]) -> t.Iterator[BaseException]:
    # openstacksdk wraps what keystoneauth raises, and keystoneauth what requests raises.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _answer(chain: list[BaseException]) -> str:
    for link in chain:
        status = getattr(link, "http_status", None) or getattr(link, "status_code", None)
        if status:
            return _http_answer(int(status), link)
    # urllib3 repeats the URL and names its classes, openstacksdk guesses; the system says in three words what happened.
    text = re.split(r":? *HTTPS?Connection(?:Pool)?\(", str(chain[0]))[0].split("service catalog: ")[-1]
    reason = _reason(chain[-1])
    return _one_line(text if not reason or reason in text else f"{text.rstrip(' .:')}: {reason}")


def _reason(root: BaseException) -> str:
    if not isinstance(root, OSError):
        return ""
    return str(getattr(root, "verify_message", "") or root.strerror or "")


def _http_answer(status: int, error: t.Any) -> str:
    where = f" from {error.method} {error.url}" if getattr(error, "url", None) and error.method else ""
    # A proxy answers in HTML, and keystoneauth repeats the status and the request.
    said = str(getattr(error, "details", None) or getattr(error, "message", None) or "no explanation")
    said = re.sub(r"<[^>]*>|\(HTTP \d+\)|\(Request-ID: [^)]*\)", " ", said).strip(" .")
    request = getattr(error, "request_id", None)
    return _one_line(f"HTTP {status}{where}: {said}" + (f" (request {request})" if request else ""))


def _one_line(text: str) -> str:
    line = without_credentials(" ".join(text.split()))
    return line if len(line) <= 500 else f"{line[:500]}..."
