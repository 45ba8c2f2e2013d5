#!/usr/bin/env bash
# copy_tree.sh DIRECTORY: what git would commit of this checkout, as a new collection tree below DIRECTORY. Prints its path.
# ansible-test wants a real ansible_collections/NAMESPACE/NAME directory, and follows no link.
set -euo pipefail
export LC_ALL=C # comm wants the order that sort made

target=$1/ansible_collections/openstack_ops/glance
rm -rf "$target"
mkdir -p "$target"
comm -z -23 \
    <(git ls-files -z --cached --others --exclude-standard --deduplicate | sort -z) \
    <(git ls-files -z --deleted | sort -z) |
    tar --null --files-from=- --create | tar --extract --directory="$target"
# Tools that ask git for the files shall not find the repository around the copy, which ignores it.
git init --quiet "$target"
echo "$target"
