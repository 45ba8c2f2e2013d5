# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

# This file is private to the collection: anything in it may change at any time.

"""Every check that has a code: what it looks at, and what to do about what it finds."""

from __future__ import annotations

import dataclasses
import typing as t


class Check(t.NamedTuple):
    """One row of the table of checks."""

    looks_at: str
    remedy: str


CHECKS: dict[str, Check] = {
    # The variables, before anything is asked of a server.
    "GLS-001": Check(
        "every variable that begins with `glance_` has a name that the collection knows",
        "correct the name, or give your own variable a name that does not resemble one of the collection's",
    ),
    "GLS-002": Check(
        "every key inside a variable is one that the collection knows",
        "correct the key or remove it",
    ),
    "GLS-003": Check(
        "the password of Glance's database account is set",
        "set glance_database.password, from a vault",
    ),
    "GLS-004": Check(
        "the password of Glance's user in Keystone is set",
        "set glance_keystone.service_password, from a vault",
    ),
    "GLS-005": Check(
        "Keystone's URL is set",
        "set glance_keystone.auth_url, for example https://keystone.example.org:5000/v3",
    ),
    "GLS-006": Check(
        "`glance_release` is a release that the collection knows",
        "give one of the releases listed, or leave glance_release out to take what the package source offers",
    ),
    "GLS-007": Check(
        "the host of the database server is set",
        "set glance_database.host to the name or address under which the controllers reach the server",
    ),
    "GLS-008": Check(
        "the URL of the public endpoint is set",
        "set glance_public_url, for example https://images.example.org:9292",
    ),
    "GLS-009": Check(
        "the certificates that TLS to the database trusts are named",
        "set glance_database.tls.ca_cert to the path of the file on the controllers",
    ),
    "GLS-010": Check(
        "`glance_stores` maps the name of each store to its options",
        "write it as in the example inventory: a name, below it type and the options of that type",
    ),
    "GLS-011": Check(
        "`glance_default_store` names a store of `glance_stores`",
        "set glance_default_store to the name of one of the stores",
    ),
    "GLS-012": Check(
        "the type of every store is one that the collection configures",
        "give one of the types listed",
    ),
    "GLS-013": Check(
        "every store has the options without which its type cannot work",
        "add the missing option",
    ),
    "GLS-014": Check(
        "every option of a store is one that its type has",
        "correct the option or remove it",
    ),
    "GLS-015": Check(
        "the name of every store can be the name of a section of glance-api.conf",
        "rename the store; letters, digits, '_', '-' and '.' are allowed, after a letter or a digit",
    ),
    "GLS-016": Check(
        "no two stores keep their images in the same place (directory, container, pool, bucket)",
        "give each store a place of its own; a shared one mixes the images of both stores",
    ),
    "GLS-017": Check(
        "staging, tasks and cache have directories of their own",
        "give it a directory of its own; Glance deletes what it does not know there",
    ),
    "GLS-018": Check(
        "every option of a store has a value that its type accepts",
        "correct the value",
    ),
    "GLS-019": Check(
        "every option of a store exists in the release that is deployed",
        "remove the option, or deploy a release that has it",
    ),
    "GLS-020": Check(
        "every URL is a complete http or https URL without credentials",
        "write the URL as http(s)://host[:port][/path]",
    ),
    "GLS-021": Check(
        "every port is a number from 1 to 65535",
        "correct the port",
    ),
    "GLS-022": Check(
        "the stores can be written in the form that `glance_store_layout` and the release ask for",
        "set glance_store_layout to multi (Train or later), or keep one store of each type",
    ),
    "GLS-023": Check(
        "no directory of Glance is out of sight of a sandboxed unit",
        "choose a directory elsewhere, /srv for example, or set glance_hardening to false",
    ),
    "GLS-024": Check(
        "no user of the API is shown the locations of images when these hold the credentials of a store",
        "remove the option from glance_config; the locations of s3 and multi-tenant swift stores hold their keys",
    ),
    "GLS-025": Check(
        "a store of the type http is wanted by somebody who knows its risk",
        "remove the store, and upload or import the images; or set its option accept_ssrf_risk to true",
    ),
    "GLS-026": Check(
        "Glance can write in the default store",
        "name another store as glance_default_store",
    ),
    "GLS-027": Check(
        "with more than one controller, the directories of the file stores are shared by all of them",
        "share the directory (NFS, CephFS: option mount of the store) and set the store's option shared to true, or use"
        " another store type; on a controller that does not have the file, half of the downloads fail",
    ),
    "GLS-028": Check(
        "the stores that name the same reference of Swift have the same account",
        "give each account a reference of its own; leave the name to the account whose images already have it",
    ),
    "GLS-029": Check(
        "the stores of the type cinder have the same account",
        "give all of them the same auth; Glance's driver keeps the session of the first one for all",
    ),
    "GLS-030": Check(
        "every image has a name and a source",
        "add what is missing",
    ),
    "GLS-031": Check(
        "the names of the images are unique, for each owner",
        "rename one of the images, or give each an owner or an id of its own",
    ),
    "GLS-032": Check(
        "`glance_config` sets no option that a store of `glance_stores` has",
        "set it in glance_stores, where it is checked before images depend on it, and remove it from glance_config",
    ),
    "GLS-033": Check(
        "from Wallaby to Zed, `enforce_secure_rbac` and `enforce_new_defaults` say the same",
        "remove both from glance_config and set glance_secure_rbac, which writes both; else glance-api does not start",
    ),
    "GLS-034": Check(
        "the package sources of the distribution have the wanted release, as far as the collection can know",
        "give one of the releases that are named, or use a newer version of the distribution",
    ),
    "GLS-035": Check(
        "the URL of the package source is given, where the distribution itself does not have the wanted release",
        "set glance_package_source_url to the http or https URL of the Cloud Archive or of a mirror of it, or set"
        " glance_release to auto for the release that the distribution has",
    ),
    "GLS-036": Check(
        "the list of images has a name that can be noted in its images",
        "give glance_images_catalog a name without a slash, or leave it out",
    ),
    "GLS-040": Check(
        "an installation from source has a version of a release that the collection knows",
        "set glance_source_version to a version of Glance, for example 33.0.0",
    ),
    "GLS-041": Check(
        "the constraints file of an installation from source can be read on the control node",
        "correct glance_source_constraints, or leave it out to take the newest versions that fit together",
    ),
    "GLS-042": Check(
        "`glance_release` is the release that `glance_source_version` belongs to",
        "leave glance_release out: it follows from the version",
    ),
    "GLS-043": Check(
        "glance-api reaches the database through glance-registry only where the release can do that",
        "set glance_api_through_registry to false; Ussuri is the last release with a registry, 20.0.1 its last version"
        " whose uploads go through one",
    ),
    "GLS-044": Check(
        "uwsgi has two processes at least, and each of them a thread",
        "set glance_uwsgi_processes to 2 or more, and glance_uwsgi_threads to 1 or more",
    ),
    "GLS-045": Check(
        "every import method of `glance_import_methods` is one that the release has",
        "leave the method out; Queens is the first release with web-download, and Zed the first with glance-download",
    ),
    "GLS-046": Check(
        "the password of the database is ASCII, where Glance runs from source on Python 2.7 (releases through Train)",
        "give the account of Glance another password in glance_database.password, or deploy Ussuri or a later release",
    ),
    # One node, before anything on it is changed.
    "GLS-101": Check(
        "the node's package source offers Glance",
        "add a package source that has it (on Ubuntu: the cloud archive), and update the package lists",
    ),
    "GLS-102": Check(
        "the Glance that the package source offers is of the wanted release",
        "set glance_release to the release that is offered, or add the package source of the wanted one",
    ),
    "GLS-103": Check(
        "the installed Glance is not newer than the wanted release",
        "raise glance_release: an older Glance cannot work with the newer one's database",
    ),
    "GLS-104": Check(
        "the node was booted with systemd",
        "use a node with systemd as its init",
    ),
    "GLS-105": Check(
        "the node's own host name resolves on the node",
        "add the name to DNS or to /etc/hosts of the node",
    ),
    "GLS-106": Check(
        "the Python of an installation from source is one that the release runs on",
        "name another interpreter in glance_source_python, or an older release in glance_source_version",
    ),
    "GLS-107": Check(
        "nothing is switched on that an open advisory for the Glance of the node is about",
        "install a version that has the correction, or switch off what is named",
    ),
    "GLS-110": Check(
        "the port of the API is free, or held by Glance's own unit",
        "stop the process that holds the port, or choose another port",
    ),
    "GLS-111": Check(
        "the address that the API binds is an address of the node",
        "bind an address of this node, or 0.0.0.0 for all of them",
    ),
    "GLS-120": Check(
        "the database server answers on its port",
        "check host and port in glance_database, that the server runs, its bind-address, and the firewall between",
    ),
    "GLS-121": Check(
        "the database server talks to this node",
        "do what the server's answer says; a blocked host is freed with FLUSH HOSTS on the server",
    ),
    "GLS-122": Check(
        "the database server offers TLS with a certificate that the node trusts, when TLS is wanted",
        "give the authority's certificate and the name in the server's certificate, or set up TLS on the server",
    ),
    "GLS-130": Check(
        "Keystone answers at its URL",
        "open the URL from the node; check that the service runs, name resolution, and the firewall between",
    ),
    "GLS-131": Check(
        "Keystone's TLS certificate is one that the node trusts",
        "give the node the file with the authority's certificate as ca_cert, or correct the URL's host name or scheme",
    ),
    "GLS-132": Check(
        "what answers at Keystone's URL is a Keystone",
        "correct glance_keystone.auth_url; for example https://keystone.example.org:5000/v3",
    ),
    "GLS-133": Check(
        "the clocks of the node and of Keystone agree within five minutes, when Keystone tells the time",
        "synchronise the clocks (chrony): with different clocks tokens count as expired",
    ),
    "GLS-140": Check(
        "every memcached server answers",
        "check host and port, that memcached runs and listens on more than 127.0.0.1, and the firewall between",
    ),
    "GLS-150": Check(
        "Glance's user can write in the directories of the file stores and of staging",
        "let Glance's user write there (chown) and enter the directories above, or remove it: it is made then",
    ),
    "GLS-151": Check(
        "the directories of the file stores and of staging are directories, or can be made",
        "move away what is there, or choose another directory",
    ),
    "GLS-152": Check(
        "the file systems of the file stores and of staging are writable",
        "mount the file system read-write; if the kernel made it read-only, find out why first (dmesg)",
    ),
    "GLS-153": Check(
        "the file systems of the file stores and of staging have the least free space that is asked for",
        "free or add space, choose another file system, or ask for less",
    ),
    "GLS-160": Check(
        "every node has Glance's user and the client libraries of its stores",
        "install the packages that are named, or run the role glance_stores, which does",
    ),
    "GLS-161": Check(
        "the servers of every store answer",
        "check the address in the store's options, that the service runs, and the firewall between",
    ),
    "GLS-162": Check(
        "the TLS certificates of the stores' servers are ones that the node trusts",
        "give the file with the authority's certificate in the store's options (cacert), or correct the URL's host name"
        " or scheme",
    ),
    "GLS-163": Check(
        "every store accepts the credentials of its options, and Glance's user can read the files that they name",
        "correct the credentials in glance_stores; let Glance's user read the file",
    ),
    "GLS-164": Check(
        "the credentials of every store allow to read, write and delete there",
        "grant it: for Swift a role in the project, for Ceph the profile rbd on the pool, for S3 a policy of the"
        " bucket",
    ),
    "GLS-165": Check(
        "the container, pool, bucket, directory or volume type of every store exists, or can be made",
        "make it, or correct its name in the store's options",
    ),
    "GLS-166": Check(
        "the file system of every store with the option mount is mounted, and no other one",
        "mount it (systemctl start, or mount), and look at the server that exports it",
    ),
    "GLS-167": Check(
        "every store has room, and is not read-only",
        "free or add space, raise the quota, or choose another place",
    ),
    "GLS-168": Check(
        "every node sees what the other nodes write in a directory that they share",
        "mount the same file system there on every node, with the same uid for Glance's user; or use another type",
    ),
    "GLS-169": Check(
        "what is written into a store comes back unchanged and can be deleted",
        "try it by hand on the node, as Glance's user, with the backend's own client; look at the log of the backend",
    ),
    "GLS-170": Check(
        "no store that holds images disappears, and on a new controller a store leads to every image",
        "keep the store until its images have been moved to another one, or name it in glance_allow_unreadable_images",
    ),
    "GLS-171": Check(
        "no store that holds images gets another place under the same name, and nothing is mounted over it",
        "make a store of another name for the new place, move the images, then remove the old store",
    ),
    "GLS-172": Check(
        "the images can be counted when a store disappears or moves",
        "let the node reach the database that its glance-api.conf names, or name the store in"
        " glance_allow_unreadable_images",
    ),
    "GLS-173": Check(
        "the locations of the images can be read when a store disappears or moves",
        "keep the store until its images have been moved to another one, or name it in glance_allow_unreadable_images",
    ),
    "GLS-174": Check(
        "the configuration of the Glance that a node already has can be read",
        "correct the file, or move it away when that Glance is of no use",
    ),
    "GLS-190": Check(
        "every check of a node comes to an end in the time given",
        "find out what hangs (name resolution, a network mount), or give more time",
    ),
    # The control node, before anything is changed.
    "GLS-200": Check(
        "the Python that runs the modules on the control node has the libraries that they need",
        "install them into the environment of ansible-playbook, or name that Python as ansible_python_interpreter",
    ),
    "GLS-201": Check(
        "Keystone accepts the administrator's credentials",
        "check the user name, password, project and domains that glance_keystone.cloud or the environment name",
    ),
    "GLS-202": Check(
        "the administrator has the role admin",
        "use the credentials of a user that has the role admin in the project or system that they name",
    ),
    "GLS-203": Check(
        "the administrator of the database can log in",
        "check the login_* options: host or socket, user, password",
    ),
    "GLS-204": Check(
        "the source of every image can be read and is what the image says",
        "correct the image in glance_images, or its source",
    ),
    "GLS-205": Check(
        "the schema of the database is one that the wanted release knows",
        "raise glance_release: an older Glance cannot work with this database, and no schema can be taken back",
    ),
    # The running service.
    "GLS-301": Check(
        "every node's API answers /healthcheck with 200",
        "look at the unit's journal on the node; 503 means that the node was drained (healthcheck_disable)",
    ),
    "GLS-302": Check(
        "every node's API refuses a request without a token (401)",
        "stop the API: it serves anybody. Set flavor = keystone in [paste_deploy] (in no other section) and restart it",
    ),
    "GLS-303": Check(
        "a request without a token gets an answer of Glance's",
        "open the URL from the control node; look for a proxy or another service at that address",
    ),
    "GLS-310": Check(
        "an image can be uploaded",
        "look at the API's log on the node that is named; the default store is the usual reason",
    ),
    "GLS-311": Check(
        "every node gives the uploaded image back, byte for byte",
        "make the store readable from every node: a file store has to be on a shared file system",
    ),
    "GLS-312": Check(
        "the uploaded image can be deleted, and is gone then",
        "delete it by hand (openstack image delete) and look at the API's log",
    ),
    "GLS-313": Check(
        "the verification comes to its end",
        "run it again",
    ),
    "GLS-314": Check(
        "Glance notes in which store each image is",
        "look at the API's log on the node that is named, then run the verification again",
    ),
    # A switch from one store to another.
    "GLS-401": Check(
        "`glance_switch_from` and `glance_switch_to` name stores of `glance_stores`",
        "give the names of two stores of glance_stores; add the new store there first",
    ),
    "GLS-402": Check(
        "a switch is between two different stores",
        "give the store that has the images as glance_switch_from, and the one that shall get them as glance_switch_to",
    ),
    "GLS-403": Check(
        "Glance can write in both stores of a switch, so that there is a way back",
        "name a store of another type",
    ),
    "GLS-404": Check(
        "every controller runs the store that a switch leaves",
        "name the store that the images are in; what runs today shows the playbook openstack_ops.glance.stores",
    ),
    "GLS-405": Check(
        "every variable of a switch has a value that is allowed",
        "correct the value",
    ),
    "GLS-406": Check(
        "the Glance of the release can copy images between its stores",
        "set glance_store_layout to auto, on Ussuri or later",
    ),
    "GLS-407": Check(
        "a switch is run for all controllers at once",
        "run it without --limit; take a controller that is gone out of the inventory",
    ),
    "GLS-408": Check(
        "the two stores of a switch are different places, by whatever names and paths they are reached",
        "give the new store a place of its own; if a server did not answer in time, run it again",
    ),
    # An upgrade.
    "GLS-501": Check(
        "an upgrade passes no release at which it has to stop",
        "upgrade to the release that is named first, and from there on",
    ),
    "GLS-502": Check(
        "there is a Glance that can be upgraded",
        "deploy it with the playbook openstack_ops.glance.site",
    ),
    "GLS-503": Check(
        "every variable of an upgrade has a value that is allowed",
        "correct the value",
    ),
    "GLS-504": Check(
        "the wanted release has `glance-manage db check`, which chooses the phases of an upgrade",
        "stop Glance on all controllers, and deploy the release with the playbook openstack_ops.glance.site; Queens is"
        " the first release that a Glance can be upgraded to while it serves",
    ),
    "GLS-505": Check(
        "every controller of the inventory runs the wanted release before its schema is contracted",
        "upgrade that controller, start it, or take one that is gone out of the inventory, and run the upgrade again",
    ),
    "GLS-506": Check(
        "no controller with an installation from source is to get packages in its place",
        "keep glance_install_method: source, or put new controllers with packages beside this one",
    ),
}
"""Code -> check. GLS-0xx: variables; 1xx: a node; 2xx: the control node; 3xx: the running service; 4xx: a switch of
stores; 5xx: an upgrade."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that a check found.

    :param what: what was found, with the value that is wrong. Never a secret.
    :param node: the node where it was found, if it concerns one.
    :param advice: what to do about it, where more is known than the table says.
    """

    code: str
    what: str
    node: str = ""
    advice: str = ""

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return self.advice or CHECKS[self.code].remedy

    @property
    def message(self) -> str:
        """The problem as one line for people."""
        place = f"{self.node}: " if self.node else ""
        return f"{self.code} {place}{_sentence(self.what)} What to do: {_sentence(self.remedy)}"

    def as_dict(self) -> dict[str, str]:
        """The problem as a module returns it."""
        return {
            "code": self.code,
            "node": self.node,
            "what": self.what,
            "remedy": self.remedy,
            "message": self.message,
        }


def told_once(problems: t.Iterable[t.Mapping[str, str]]) -> list[str]:
    """Return the messages of problems of several nodes; what is the same on several is told once, with their names.

    :param problems: as ``Problem.as_dict`` returns them.
    """
    nodes: dict[tuple[str, str, str], list[str]] = {}
    for problem in problems:
        nodes.setdefault((problem["code"], problem["what"], problem["remedy"]), []).append(problem["node"])
    return [
        Problem(code, what, ", ".join(dict.fromkeys(found)), remedy).message
        for (code, what, remedy), found in nodes.items()
    ]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
