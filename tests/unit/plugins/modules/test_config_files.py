# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""The real module, with the real oslo.config in a real interpreter and a small Glance to tell its options."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import sys
import typing as t
import venv
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openstack_ops.glance.plugins.modules import config_files

GLANCE = """
from oslo_config import cfg, types

ENABLED = cfg.Opt("enabled_backends", type=types.Dict(types.String()))
DATADIR = cfg.StrOpt("filesystem_store_datadir")
PERM = cfg.IntOpt("filesystem_store_file_perm", default=0)

cfg.CONF.register_opts([cfg.BoolOpt("enabled")], group="cache")
cfg.CONF.register_opts([cfg.StrOpt("helper_command")], group="privsep_osbrick")


class File:
    OPTIONS = [DATADIR, PERM]
    MULTI_BACKEND_OPTIONS = [cfg.StrOpt("store_description"), cfg.IntOpt("weight")]


class Rbd:
    OPTIONS = [cfg.StrOpt("rbd_store_pool"), cfg.StrOpt("rbd_store_user")]


def api():
    yield None, [
        cfg.BoolOpt("debug"),
        cfg.IntOpt("workers", min=1),
        cfg.IntOpt("image_cache_max_size"),
        cfg.StrOpt("log_dir"),
        cfg.StrOpt("state_path", default="/var/lib/glance"),
        cfg.ListOpt("enabled_import_methods", bounds=True),
        cfg.StrOpt("metadata_encryption_key", secret=True, max_length=32),
        ENABLED,
    ]
    yield "paste_deploy", [cfg.StrOpt("flavor")]
    yield "database", [
        cfg.StrOpt("connection", secret=True, deprecated_opts=[cfg.DeprecatedOpt("sql_connection", group="DEFAULT")]),
        cfg.IntOpt("max_retries", deprecated_opts=[cfg.DeprecatedOpt("sql_max_retries", group="DEFAULT")]),
    ]
    yield "glance_download_opts", [cfg.ListOpt("extra_properties", bounds=True)]


def store():
    yield "glance_store", [cfg.StrOpt("default_store", choices=["file", "rbd"]), cfg.StrOpt("default_backend"), DATADIR]


def multi_store():
    yield "glance_store", [cfg.StrOpt("default_backend")]
    yield "file", File.OPTIONS
    yield "sample.rbd.store", Rbd.OPTIONS


def auth_token():
    yield "keystone_authtoken", [
        cfg.StrOpt("www_authenticate_uri", deprecated_name="auth_uri"),
        cfg.StrOpt("auth_uri", deprecated_for_removal=True),
        cfg.ListOpt("memcached_servers"),
    ]


def limit():
    yield "oslo_limit", [cfg.StrOpt("endpoint_id"), cfg.StrOpt("auth-url", required=True)]


def broken():
    raise RuntimeError("the libraries of s3cret do not fit together")
"""

ENTRY_POINTS = """
[oslo.config.opts]
glance.api = sample_glance:api
glance.broken = sample_glance:broken
glance.store = sample_glance:store
glance.multi_store = sample_glance:multi_store
keystonemiddleware.auth_token = sample_glance:auth_token
oslo.limit = sample_glance:limit

[glance_store.drivers]
file = sample_glance:File
rbd = sample_glance:Rbd
sample.rbd.Store = sample_glance:Rbd
"""

NAMESPACES = [
    "glance.api",
    "glance.store",
    "glance.multi_store",
    "keystonemiddleware.auth_token",
    "oslo.limit",
    "os_brick",
]

GOOD = """\
# Everything in its place.
[DEFAULT]
enabled_backends = local:file, fast:rbd
log_dir = $state_path/log
workers = 2

[database]
connection = mysql+pymysql://glance:s3cret@db/glance?charset=utf8

# The stores.
[local]
filesystem_store_datadir = /var/lib/glance/images
store_description = On the controllers
weight = 10
[fast]
rbd_store_pool = images
[os_glance_staging_store]
filesystem_store_datadir = /var/lib/glance/staging
[glance_store]
default_backend = local

[keystone_authtoken]
auth_type = password
auth_url = http://keystone:5000
username = glance
password = t0psecret
timeout = 5
[oslo_limit]
auth_type = password
endpoint_id = 4711
[glance_download_properties]
extra_properties = [hw_,os_]
[privsep_osbrick]
helper_command = sudo
[paste_deploy]
flavor = keystone
"""

SECRETS = ("s3cret", "t0psecret")
ME = pwd.getpwuid(os.geteuid()).pw_name
MY_GROUP = grp.getgrgid(os.getegid()).gr_name

SECRET = "s3cret&more"

Run = t.Callable[..., dict[str, t.Any]]


def make_python(directory: Path, *, glance: bool) -> Path:
    """Make an environment with oslo.config, and a Glance if wanted; return its interpreter."""
    venv.EnvBuilder(symlinks=True).create(directory)
    packages = next(directory.glob("lib/python*/site-packages"))
    own = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "tests.pth").write_text("\n".join(own) + "\n")
    if glance:
        (packages / "sample_glance.py").write_text(GLANCE)
        metadata = packages / "sample_glance-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: sample_glance\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    return directory / "bin" / "python3"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    directory = tmp_path_factory.mktemp("glance")
    yield make_python(directory, glance=True)
    shutil.rmtree(directory)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "glance-api.conf"


@pytest.fixture
def run(run_module: t.Any, python: Path, path: Path) -> Run:
    """Return a function that writes the one file ``path`` and returns what became of it; nothing may hold a secret."""

    def run_it(
        content: str = GOOD, *, check: bool = False, secrets: t.Sequence[str] = (), **more: t.Any
    ) -> dict[str, t.Any]:
        file = {
            "path": str(path),
            "content": content,
            "owner": ME,
            "group": MY_GROUP,
            "validator": "oslo",
            "python": str(python),
            "namespaces": NAMESPACES,
            **more,
        }
        result = run_module(config_files, {"files": [file], "secrets": list(secrets)}, check=check)
        text = json.dumps(result, ensure_ascii=False)
        assert not [secret for secret in SECRETS if secret in text]
        return {**result, **result.get("files", [{}])[0]}

    return run_it


def replaced(old: str, new: str) -> str:
    """Return the good file with one difference."""
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def texts(result: dict[str, t.Any]) -> tuple[str, str]:
    """Return both sides of the diff of the text."""
    return result["diff"][0]["before"], result["diff"][0]["after"]


# Writing


def test_a_good_file_is_written_and_the_second_run_changes_nothing(run: Run, path: Path) -> None:
    result = run()
    assert result["changed"]
    assert result["validated"]
    assert path.read_text() == GOOD
    assert path.stat().st_mode & 0o7777 == 0o640
    assert result["validation"]["left_out"] == ["os_brick"]
    assert result["validation"]["stores"] == {
        "local": "file",
        "fast": "rbd",
        "os_glance_staging_store": "file",
        "os_glance_tasks_store": "file",
    }
    # An unchanged text is not checked: this interpreter does not even exist.
    second = run(python="/nonexistent/python3")
    assert (second["changed"], second["diff"], second["validated"]) == (False, [], False)


def test_check_mode_shows_what_the_run_then_does(run: Run, path: Path) -> None:
    path.write_text("[DEFAULT]\nworkers = 1\n")
    path.chmod(0o644)
    predicted = run(check=True)
    assert path.read_text() == "[DEFAULT]\nworkers = 1\n"
    assert path.stat().st_mode & 0o777 == 0o644
    done = run()
    assert predicted["diff"] == done["diff"]
    assert predicted["changed"] is done["changed"] is True
    assert predicted["validated"] is done["validated"] is True
    assert done["diff"][1]["after"]["mode"] == "0640"


def test_only_the_mode_is_changed(run: Run, path: Path) -> None:
    path.write_text(GOOD)
    path.chmod(0o600)
    result = run(python="/nonexistent/python3")
    assert result["changed"]
    assert [list(diff["after"]) for diff in result["diff"]] == [["mode"]]
    assert path.stat().st_mode & 0o777 == 0o640


def test_nobody_can_read_a_new_file_before_it_has_its_owner(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    move = AnsibleModule.atomic_move

    def atomic_move(module: AnsibleModule, src: str, dest: str, **more: t.Any) -> None:
        modes.append(os.stat(src).st_mode & 0o777)
        move(module, src, dest, **more)
        modes.append(os.stat(dest).st_mode & 0o777)

    monkeypatch.setattr(AnsibleModule, "atomic_move", atomic_move)
    run()
    assert modes == [0o600, 0o600]
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_previous_file_is_kept_when_wanted(run: Run, path: Path) -> None:
    path.write_text("[DEFAULT]\n")
    result = run(backup=True)
    assert Path(result["backup_file"]).read_text() == "[DEFAULT]\n"
    assert "backup_file" not in run(backup=True)


def test_any_file_is_written_without_a_validator(run: Run, path: Path) -> None:
    result = run("not = valid", validator="none", python="/nonexistent/python3")
    assert path.read_text() == "not = valid\n"
    assert (result["validated"], "validation" in result) == (False, False)


def test_what_was_there_may_be_in_any_encoding(run: Run, path: Path) -> None:
    path.write_bytes(b"[DEFAULT]\n# \xff\n")
    assert run()["changed"]
    assert path.read_text() == GOOD


# A node on which nothing is installed yet


def test_a_fresh_node_in_check_mode(run: Run, path: Path, tmp_path: Path) -> None:
    missing = tmp_path / "etc" / "glance" / "glance-api.conf"
    result = run(check=True, path=str(missing), group="no-such-group", python=str(tmp_path / "python3"))
    assert result["changed"]
    assert not result["validated"]
    assert "an interpreter is not installed" in result["validation"]["note"]
    before, after = texts(result)
    assert (before, "workers = 2" in after) == ("", True)
    assert not missing.parent.exists()


def test_check_mode_where_the_group_is_still_missing(run: Run, path: Path) -> None:
    path.write_text(GOOD)
    path.chmod(0o640)
    result = run(check=True, group="no-such-group")
    assert result["changed"]
    assert result["diff"][0]["before"] == {"group": os.getegid()}
    assert result["diff"][0]["after"] == {"group": "no-such-group"}


def test_check_mode_where_only_other_services_are_installed(run: Run, tmp_path: Path, path: Path) -> None:
    python = make_python(tmp_path / "keystone", glance=False)
    result = run(check=True, python=str(python))
    assert (result["validated"], result["changed"]) == (False, True)
    assert "glance.api" in result["validation"]["note"]
    failed = run(python=str(python))
    assert "glance.api" in failed["msg"]
    assert "interpreter that runs it" in failed["msg"]
    assert not path.exists()


def test_check_mode_where_oslo_config_is_missing(run: Run, tmp_path: Path) -> None:
    venv.EnvBuilder(symlinks=True).create(tmp_path / "bare")
    result = run(check=True, python=str(tmp_path / "bare" / "bin" / "python3"))
    assert "oslo.config is not installed" in result["validation"]["note"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"group": "no-such-group"}, "there is no group 'no-such-group'"),
        ({"owner": "no-such-user"}, "there is no owner 'no-such-user'"),
        ({"python": "/nonexistent/python3"}, "an interpreter is not installed for /nonexistent/python3"),
    ],
)
def test_a_real_run_refuses_what_is_missing(run: Run, path: Path, arguments: dict[str, str], told: str) -> None:
    result = run(**arguments)
    assert told in result["msg"]
    assert not path.exists()


def test_a_real_run_needs_the_directory(run: Run, tmp_path: Path) -> None:
    result = run(path=str(tmp_path / "none" / "x.conf"))
    assert f"there is no directory {tmp_path / 'none'}" in result["msg"]


# Overrides


def test_overrides_win_over_the_content(run: Run, path: Path) -> None:
    result = run(
        options={
            "DEFAULT": {"workers": 8, "debug": True, "log_dir": None, "enabled_import_methods": ["copy-image", "x"]},
            "fast": {"rbd_store_user": "glance"},
            "image_format": {},
        }
    )
    text = path.read_text()
    assert "workers = 8\ndebug = true\nenabled_import_methods = [copy-image,x]\n\n[database]" in text
    assert "log_dir" not in text
    assert "rbd_store_pool = images\nrbd_store_user = glance\n[os_glance" in text
    assert "# The stores.\n[local]" in text
    # Ansible would hide every 8 and every other value of a no_log option.
    assert "workers = 8" in texts(result)[1]


def test_overrides_are_checked_and_told_apart(run: Run, path: Path) -> None:
    result = run(options={"DEFAULT": {"worker": 8}, "nosection": {"a": "b"}})
    assert "[DEFAULT] worker = 8 (given in options): is not an option; did you mean workers?" in result["msg"]
    assert "[nosection] a = b (given in options): is in a section that is never read" in result["msg"]
    assert not path.exists()


def test_an_override_that_cannot_be_written(run: Run, path: Path) -> None:
    result = run(options={"database": {"connection": "s3cret\n"}})
    assert "The option connection of the section [database] in options: A value with a line break" in result["msg"]
    assert not path.exists()


def test_the_secrets_of_overrides_are_hidden_in_the_invocation(run: Run) -> None:
    result = run(options={"keystone_authtoken": {"password": "t0psecret", "username": "other"}})
    arguments = result["invocation"]["module_args"]["files"][0]
    assert arguments["options"] == {"keystone_authtoken": {"password": "VALUE_HIDDEN", "username": "other"}}
    assert arguments["content"] == "VALUE_HIDDEN"


# The diff


def test_a_changed_secret_is_seen_to_change(run: Run, path: Path) -> None:
    path.write_text(GOOD.replace("t0psecret", "0ld"))
    before, after = texts(run())
    assert "password = VALUE_HIDDEN (old)\n" in before
    assert "password = VALUE_HIDDEN (new)\n" in after
    unchanged = "connection = mysql+pymysql://glance:VALUE_HIDDEN@db/glance?charset=utf8\n"
    assert unchanged in before
    assert unchanged in after
    assert before.replace("(old)", "(new)") == after


def test_every_other_line_is_shown(run: Run, path: Path) -> None:
    path.write_text(GOOD.replace("@db/", "@old-db/").replace("workers = 2", "workers = 1"))
    before, after = texts(run())
    assert set(before.split("\n")) ^ set(after.split("\n")) == {
        "workers = 1",
        "workers = 2",
        "connection = mysql+pymysql://glance:VALUE_HIDDEN@old-db/glance?charset=utf8",
        "connection = mysql+pymysql://glance:VALUE_HIDDEN@db/glance?charset=utf8",
    }


def test_of_a_sample_only_the_settings_are_shown(run: Run, path: Path) -> None:
    comments = "# What this option does.\n#option = value\n\n" * 500
    path.write_text(f"[DEFAULT]\n{comments}log_dir = /var/log\n[empty]\n{comments}[database]\nbackend = sqlalchemy\n")
    before, after = texts(run())
    assert before == "[DEFAULT]\nlog_dir = /var/log\n[database]\nbackend = sqlalchemy\n"
    assert "[DEFAULT]" in after


def test_listed_secrets_are_hidden_wherever_they_stand(run: Run, path: Path) -> None:
    content = replaced("log_dir = $state_path/log", "# s3cret 100%25\nlog_dir = /logs/s3cret/x")
    result = run(content, secrets=["s3cret", "100%"])
    assert "# VALUE_HIDDEN VALUE_HIDDEN\nlog_dir = VALUE_HIDDEN\n" in texts(result)[1]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list that the warnings come into; ansible-core shows them elsewhere in a process of the controller."""
    messages: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, warning: messages.append(warning))
    return messages


# What is wrong with a file

WRONG = [
    # Names.
    ("workers = 2", "worker = 2", "[DEFAULT] worker = 2: is not an option; did you mean workers?"),
    ("log_dir =", "log-dir =", "[DEFAULT] log-dir = $state_path/log: is not an option; did you mean log_dir?"),
    ("endpoint_id = 4711", "auth-url = x", "[oslo_limit] auth-url = x: is not an option; did you mean auth_url?"),
    ("[paste_deploy]\n", "", "flavor = keystone: is not an option; did you mean [paste_deploy] flavor?"),
    ("[paste_deploy]", "[paste_deplo]", "is in a section that is never read; did you mean [paste_deploy]?"),
    ("workers = 2", "admin_token = s3cret", "[DEFAULT] admin_token = VALUE_HIDDEN: is not an option"),
    (
        "[paste_deploy]",
        "[cache]\nenabled = true\n[paste_deploy]",
        "[cache] enabled = true: is in a section that is never",
    ),
    ("weight = 10", "wait = 10", "[local] wait = 10: is not an option"),
    (
        "rbd_store_pool",
        "rbd_store_poool",
        "[fast] rbd_store_poool = images: is not an option; did you mean rbd_store_pool?",
    ),
    (
        "[glance_store]",
        "[file]\nfilesystem_store_datadir = /x\n[glance_store]",
        "[file] filesystem_store_datadir = /x: is in",
    ),
    (
        "username = glance",
        "usernam = glance",
        "[keystone_authtoken] usernam = glance: is not an option; did you mean username?",
    ),
    ("username =", "identity_uri =", "did you mean [keystone_authtoken] auth_url?"),
    (
        "[glance_download_properties]",
        "[glance_download_opts]",
        "[glance_download_opts] extra_properties = [hw_,os_]: is in",
    ),
    # Values.
    ("workers = 2", "workers = many", "[DEFAULT] workers = many: is not valid"),
    ("workers = 2", "workers = 0", "allowed: integer value, min 1"),
    ("workers = 2", "debug = maybe", "[DEFAULT] debug = maybe: is not valid: Unexpected boolean value 'maybe'"),
    (
        "workers = 2",
        "image_cache_max_size = 10  # ten",
        "the value without the comment, which belongs on a line of its own",
    ),
    ("workers = 2", "enabled_import_methods = a,b", "allowed: list value, in brackets"),
    ("default_backend", "default_store = nfs\ndefault_backend", "allowed: string value, one of file, rbd"),
    ("weight = 10", "weight = heavy", "[local] weight = heavy: is not valid"),
    ("workers = 2", "sql_max_retries = x", "[DEFAULT] sql_max_retries = x: is not valid"),
    (
        "workers = 2",
        "metadata_encryption_key = s3crets3crets3crets3crets3crets3cret",
        "_key = VALUE_HIDDEN: is not valid;",
    ),
    ("$state_path/log", "$nosuch/log", "refers with $ to an option that does not exist; a dollar sign is written $$"),
    ("password = t0psecret", "password = t0p$ecret", "[keystone_authtoken] password = VALUE_HIDDEN: refers with $"),
    ("auth_url = http", "auth_type = passwort\nauth_url = http", "is not a plugin; allowed: one of "),
    # Stores.
    ("fast:rbd", "fast:rdb", "the store fast has the unknown type rdb; allowed: one of file, rbd"),
    ("fast:rbd", "fast:rbd, debug:file", "the store debug has the name of an option of Glance"),
    # Syntax.
    ("workers = 2", "workers 2 s3cret", "near line 5: No ':' or '=' found in assignment"),
    ("# Everything in its place.", "s3cret = x", "near line 2: Section must be started before assignment"),
]


@pytest.mark.parametrize(("old", "new", "told"), WRONG, ids=[told[:60] for _old, _new, told in WRONG])
def test_a_problem_is_told(run: Run, path: Path, old: str, new: str, told: str) -> None:
    path.write_text("[DEFAULT]\n")
    result = run(GOOD.replace(old, new, 1))
    assert told in result["msg"]
    assert "1 problem:" in result["msg"]
    assert path.read_text() == "[DEFAULT]\n"
    assert os.listdir(path.parent) == [path.name]


def test_all_problems_are_told_at_once(run: Run, path: Path) -> None:
    content = replaced("workers = 2", "worker = 2\ndebug = maybe").replace("flavor =", "flavour =")
    message = run(content)["msg"]
    assert message.startswith(f"{path} was not written, it would have 3 problems:\n- [DEFAULT] worker = 2: ")
    assert len(message.split("\n- ")) == 4


def test_problems_are_told_in_the_order_of_the_file(run: Run) -> None:
    content = (
        replaced("workers = 2", "workers = many").replace("auth_url =", "auth_urll =").replace("fast:rbd", "fast:rdb")
    )
    told = [line.split(" = ")[0] for line in run(content)["msg"].splitlines()[1:-1]]
    assert told == ["- [DEFAULT] enabled_backends", "- [DEFAULT] workers", "- [keystone_authtoken] auth_urll"]


def test_old_names_are_warned_about(run: Run, path: Path, told: list[str]) -> None:
    content = replaced("[database]\nconnection", "sql_connection").replace("auth_url =", "auth_uri = x\nauth_url =")
    assert run(content.replace("workers = 2", "workers = 2\nworkers = 3"))["validated"]
    assert told == [
        f"{path}: [DEFAULT] workers is set 2 times; only the last one counts",
        f"{path}: [DEFAULT] sql_connection is a deprecated name of [database] connection",
        f"{path}: [keystone_authtoken] auth_uri is a deprecated name of [keystone_authtoken] www_authenticate_uri",
    ]


def test_an_old_name_next_to_the_new_one_is_not_read(run: Run, told: list[str]) -> None:
    assert run(replaced("workers = 2", "sql_connection = sqlite://"))["validated"]
    assert told[0].endswith("[database] connection, which is set too: this one is not read")


def test_sections_of_stores_can_be_named(run: Run) -> None:
    content = f"{GOOD}[shared]\nrbd_store_pool = images\n"
    assert "[shared] rbd_store_pool" in run(content)["msg"]
    assert run(content, store_sections={"shared": "rbd"})["validated"]
    unknown = run(GOOD, store_sections={"shared": "rdb"}, check=True)["msg"]
    assert "- the store shared has the unknown type rdb; allowed: one of file, rbd" in unknown


def test_without_enabled_backends_no_section_is_that_of_a_store(run: Run) -> None:
    result = run("[os_glance_staging_store]\nfilesystem_store_datadir = /x\n[glance_store]\ndefault_store = file\n")
    assert (
        "[os_glance_staging_store] filesystem_store_datadir = /x: is in a section that is never read" in result["msg"]
    )


def test_a_glance_that_cannot_tell_its_options(run: Run, path: Path) -> None:
    result = run(namespaces=["glance.broken"], secrets=["s3cret"])
    assert "RuntimeError: the libraries of VALUE_HIDDEN do not fit together" in result["msg"]
    assert not path.exists()


def test_the_check_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    # oslo.config looks for entry points with stevedore, which keeps what it finds in a cache below this directory.
    interpreter = tmp_path / "python3"
    called = tmp_path / "called"
    answer = json.dumps([{"missing": "x"}])
    interpreter.write_text(f"#!/bin/sh\ncat > /dev/null\necho \"$XDG_CACHE_HOME $*\" > {called}\necho '{answer}'\n")
    interpreter.chmod(0o755)
    run(check=True, python=str(interpreter))
    assert called.read_text() == "/dev/null -I -B -X utf8 -\n"


# Several files and their directories


@pytest.fixture
def run_all(run_module: t.Any, tmp_path: Path) -> Run:
    """Return a function that writes two files, one of them in a directory that is yet to be made."""

    def run_it(*, check: bool = False, first: str = f"[database]\npassword = {SECRET}\n", **more: t.Any) -> t.Any:
        owner = {"owner": ME, "group": MY_GROUP}
        arguments = {
            "directories": [{"path": str(tmp_path / "conf.d"), "mode": "0750", **owner}],
            "files": [
                {"path": str(tmp_path / "first.conf"), "content": first, "backup": True, **owner},
                {"path": str(tmp_path / "conf.d" / "second.conf"), "content": "x = 1", "mode": "0644", **owner, **more},
            ],
            "secrets": [SECRET],
        }
        result = run_module(config_files, arguments, check=check)
        assert SECRET not in json.dumps(result)
        return result

    return run_it


def changes(result: dict[str, t.Any]) -> list[bool]:
    """Return what was changed, the directory first."""
    return [part["changed"] for part in (*result["directories"], *result["files"])]


def test_all_are_written_and_the_second_run_changes_nothing(run_all: Run, tmp_path: Path) -> None:
    predicted = run_all(check=True)
    assert not list(tmp_path.iterdir())
    done = run_all()
    assert changes(predicted) == changes(done) == [True, True, True]
    assert predicted["diff"] == done["diff"]
    assert (tmp_path / "conf.d").stat().st_mode & 0o7777 == 0o750
    assert (tmp_path / "conf.d" / "second.conf").read_text() == "x = 1\n"
    assert (tmp_path / "conf.d" / "second.conf").stat().st_mode & 0o7777 == 0o644
    assert (tmp_path / "first.conf").read_text() == f"[database]\npassword = {SECRET}\n"
    again = run_all()
    assert (again["changed"], changes(again), again["diff"]) == (False, [False, False, False], [])


def test_only_what_differs_is_changed(run_all: Run, tmp_path: Path) -> None:
    run_all()
    (tmp_path / "conf.d").chmod(0o700)
    result = run_all(first="[database]\n")
    assert changes(result) == [True, True, False]
    assert Path(result["files"][0]["backup_file"]).read_text() == f"[database]\npassword = {SECRET}\n"
    assert (tmp_path / "conf.d").stat().st_mode & 0o7777 == 0o750


def test_the_overrides_of_one_file_are_in_no_other(run_all: Run, tmp_path: Path) -> None:
    result = run_all(options={"DEFAULT": {"x": 2, "password": SECRET}})
    assert (tmp_path / "conf.d" / "second.conf").read_text() == f"x = 1\n\n[DEFAULT]\nx = 2\npassword = {SECRET}\n"
    assert "DEFAULT" not in (tmp_path / "first.conf").read_text()
    assert result["invocation"]["module_args"]["files"][1]["options"]["DEFAULT"]["x"] == 2


def test_no_file_is_changed_unless_all_can_be_written(run_all: Run, tmp_path: Path) -> None:
    (tmp_path / "first.conf").write_text("# what was there\n")
    result = run_all(validator="oslo", python=str(tmp_path / "python3"))
    assert result["failed"]
    assert str(tmp_path / "conf.d" / "second.conf") in result["msg"]
    assert not (tmp_path / "conf.d" / "second.conf").exists()
    assert [path.name for path in tmp_path.glob("first.conf*")] == ["first.conf"]
    assert (tmp_path / "first.conf").read_text() == "# what was there\n"


@pytest.fixture
def run_both(run_module: t.Any, python: Path, tmp_path: Path) -> Run:
    """Return a function that writes two files that Glance reads, and tells as ``starts`` how often its Python ran."""
    starts = tmp_path / "starts"
    interpreter = tmp_path / "python3"
    interpreter.write_text(f'#!/bin/sh\necho x >> {starts}\nexec {python} "$@"\n')
    interpreter.chmod(0o755)

    def run_it(first: str, second: str, **more: t.Any) -> dict[str, t.Any]:
        common = {"owner": ME, "group": MY_GROUP, "validator": "oslo", "namespaces": NAMESPACES}
        files = [
            {**common, "path": str(tmp_path / "1.conf"), "content": first, "python": str(interpreter)},
            {**common, "path": str(tmp_path / "2.conf"), "content": second, "python": str(interpreter), **more},
        ]
        result: dict[str, t.Any] = run_module(config_files, {"files": files})
        return {**result, "starts": len(starts.read_text().splitlines())}

    return run_it


def test_glance_is_loaded_once_for_all_files(run_both: Run) -> None:
    result = run_both(GOOD, "[file]\nfilesystem_store_datadir = /x\n", store_sections={"file": "file"})
    assert result["starts"] == 1
    assert [sorted(file["validation"]["stores"]) for file in result["files"]] == [
        ["fast", "local", "os_glance_staging_store", "os_glance_tasks_store"],
        ["file"],
    ]


def test_the_problems_of_all_files_are_told_at_once(run_both: Run, tmp_path: Path) -> None:
    result = run_both(GOOD + "a = 1\n", "[glance_store]\nb = 2\n")
    assert result["failed"]
    assert result["msg"].splitlines() == [
        f"{tmp_path}/1.conf was not written, it would have 1 problem:",
        "- [paste_deploy] a = 1: is not an option",
        f"{tmp_path}/2.conf was not written, it would have 1 problem:",
        "- [glance_store] b = 2: is not an option",
        "What to do: correct the options; one that is null is left to Glance's default.",
    ]
    assert not list(tmp_path.glob("*.conf"))


def test_files_of_two_interpreters(run_both: Run, python: Path) -> None:
    result = run_both(GOOD, "[DEFAULT]\nworkers = 1\n", python=str(python))
    assert result["starts"] == 1
    assert [file["validation"]["python"] == str(python) for file in result["files"]] == [False, True]
    assert [bool(file["validation"]["stores"]) for file in result["files"]] == [True, False]


@pytest.fixture
def make(run_module: t.Any) -> Run:
    """Return a function that makes one directory, with the mode 0750."""

    def run_it(path: Path, *, check: bool = False, **more: t.Any) -> t.Any:
        directory = {"path": str(path), "mode": "0750", "owner": ME, "group": MY_GROUP, **more}
        return run_module(config_files, {"directories": [directory], "files": []}, check=check)

    return run_it


def test_what_is_missing_above_a_directory_is_made_like_it(make: Run, tmp_path: Path) -> None:
    parts = [tmp_path / "srv", tmp_path / "srv" / "glance", tmp_path / "srv" / "glance" / "images"]
    predicted = make(parts[-1], check=True)
    assert not parts[0].exists()
    done = make(Path(f"{parts[-1]}/"))
    assert [part.stat().st_mode & 0o7777 for part in parts] == [0o750] * 3
    assert (predicted["changed"], done["changed"]) == (True, True)
    assert [part["after_header"].rstrip("/") for part in done["diff"]] == [str(part) for part in parts]
    again = make(parts[-1])
    assert (again["changed"], again["diff"]) == (False, [])


def test_directory_that_another_node_makes_meanwhile_is_given_its_attributes(
    make: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    makedirs = os.makedirs

    def be_late(path: str, **options: t.Any) -> None:
        os.mkdir(path)
        makedirs(path, **options)

    monkeypatch.setattr(os, "makedirs", be_late)
    done = make(tmp_path / "images")
    assert (done.get("msg"), done["changed"]) == (None, True)
    assert (tmp_path / "images").stat().st_mode & 0o777 == 0o750


def test_what_two_directories_have_above_them_is_made_once(run_module: t.Any, tmp_path: Path) -> None:
    paths = [str(tmp_path / "srv" / name) for name in ("images", "images-2")]
    directories = [{"path": path, "mode": "0750", "owner": ME, "group": MY_GROUP} for path in paths]
    predicted = run_module(config_files, {"directories": directories, "files": []}, check=True)
    done = run_module(config_files, {"directories": directories, "files": []})
    assert [part["after_header"] for part in done["diff"]] == [str(tmp_path / "srv"), *paths]
    assert predicted["diff"] == done["diff"]


def test_a_link_to_a_directory_is_left_and_what_it_leads_to_is_changed(make: Run, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "images").symlink_to(tmp_path / "disk")
    assert make(tmp_path / "images")["changed"]
    assert (tmp_path / "images").is_symlink()
    assert (tmp_path / "disk").stat().st_mode & 0o7777 == 0o750
    assert not make(tmp_path / "images")["changed"]


def test_a_link_that_leads_nowhere_is_in_the_way(make: Run, tmp_path: Path) -> None:
    (tmp_path / "images").symlink_to(tmp_path / "nowhere")
    assert "something else has that name" in make(tmp_path / "images")["msg"]
    assert "something else has that name" in make(tmp_path / "images" / "more", check=True)["msg"]


def test_a_directory_whose_owner_is_yet_to_come(make: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    assert make(tmp_path, check=True, owner="glance-to-be")["changed"]
    assert make(tmp_path / "new", check=True, owner="glance-to-be")["changed"]
    assert "there is no owner 'glance-to-be'" in make(tmp_path / "new", owner="glance-to-be")["msg"]
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_place_of_a_directory(run_all: Run, tmp_path: Path) -> None:
    (tmp_path / "conf.d").write_text("")
    assert "something else has that name" in run_all()["msg"]
    assert not (tmp_path / "first.conf").exists()


def test_several_on_a_fresh_node_in_check_mode(run_all: Run, tmp_path: Path) -> None:
    result = run_all(check=True, group="no-such-group", validator="oslo", python=str(tmp_path / "python3"))
    assert changes(result) == [True, True, True]
    assert "not validated" in result["files"][1]["validation"]["note"]
