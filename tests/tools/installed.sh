#!/usr/bin/env bash
# Builds the collection, installs it away from the checkout, deletes all but meta, plugins, roles and playbooks, and lets
# Ansible read every playbook and every plugin's documentation from what is left.
set -euo pipefail

bin=$PWD/.venv/bin
workdir=$PWD/.cache/installed
rm -rf "$workdir"
mkdir -p "$workdir/run"
copy=$(tests/tools/copy_tree.sh "$workdir/copy")

echo "Building the collection"
"$bin/ansible-galaxy" collection build "$copy" --output-path "$workdir" >/dev/null

# From a directory of its own: inside the checkout the link to itself would count as installed.
cd "$workdir/run"
touch ansible.cfg
export ANSIBLE_CONFIG=$PWD/ansible.cfg ANSIBLE_COLLECTIONS_PATH=$workdir/collections ANSIBLE_LOCALHOST_WARNING=false
"$bin/ansible-galaxy" collection install --offline --collections-path "$workdir/collections" "$workdir"/*.tar.gz >/dev/null
installed=$workdir/collections/ansible_collections/openstack_ops/glance
unwanted=$(find "$installed" -mindepth 1 -maxdepth 1 \
    \( -name '.*' -o -name molecule -o -name tests -o -name collections -o -name requirements -o -name site.yml \) -printf ' %f')
if [[ -n $unwanted ]]; then
    echo "The built collection holds what belongs to the checkout only (build_ignore in galaxy.yml):$unwanted" >&2
    exit 1
fi
find "$installed" -mindepth 1 -maxdepth 1 \
    ! -name meta ! -name plugins ! -name roles ! -name playbooks -exec rm -r {} +

for playbook in "$installed"/playbooks/*.yml; do
    name=openstack_ops.glance.$(basename "$playbook" .yml)
    echo "Reading $name"
    "$bin/ansible-playbook" --inventory controller1, --syntax-check "$name"
    "$bin/ansible-playbook" --inventory controller1, --list-tags "$name"
done

echo "Reading the documentation of the modules and roles"
"$bin/ansible-doc" --metadata-dump --no-fail-on-errors openstack_ops.glance >"$workdir/documentation.json"
unread=$("$bin/python" -c '
import json, sys
for kind, plugins in json.load(sys.stdin)["all"].items():
    for name, documentation in plugins.items():
        if "error" in documentation:
            print(kind, name, documentation["error"])
' <"$workdir/documentation.json")
if [[ -n $unread ]]; then
    echo "ansible-doc cannot read this documentation: $unread" >&2
    exit 1
fi
echo "The installed collection stands on its own."
