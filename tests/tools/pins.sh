#!/usr/bin/env bash
# Writes requirements/constraints.txt: the newest versions that go together with the ansible-core of core-2.19.txt.
set -euo pipefail

directory=.cache/pins
"${PYTHON:-python3}" -m venv --clear "$directory"
"$directory/bin/python" -m pip install --disable-pip-version-check -qq \
    --constraint requirements/core-2.19.txt --requirement requirements/test.txt
{
    echo "# Every version that was tested together. \`make pins\` writes this file; ansible-core and what differs between its"
    echo "# releases stand in core-*.txt."
    "$directory/bin/python" -m pip freeze --exclude ansible-core --exclude resolvelib
} >"$directory/constraints.txt"
mv "$directory/constraints.txt" requirements/constraints.txt
rm -r "$directory"
git --no-pager diff --stat -- requirements/constraints.txt
