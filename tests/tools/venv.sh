#!/usr/bin/env bash
# venv.sh DIRECTORY CORE REQUIREMENTS [CONSTRAINTS]: a virtual environment with the ansible-core CORE (2.19) and the packages
# of requirements/REQUIREMENTS.txt, at the tested versions, which requirements/CONSTRAINTS.txt names. Nothing is done where it
# is already so.
set -euo pipefail

directory=$1 core=$2 requirements=$3 constraints=${4:-constraints}
python=${PYTHON:-python3}
files=(requirements/*.txt tests/unit/requirements.txt)
stamp=$directory/.installed-$requirements

mkdir -p .cache
exec {lock}>.cache/venv.lock
flock "$lock"

# A virtual environment knows its own path: in a checkout that was moved it has to be built again.
state="$PWD $(cat "${files[@]}" | sha256sum)"
if [[ -x $directory/bin/python && ! -e $directory/.incomplete && "$(cat "$stamp" 2>/dev/null)" == "$state" ]]; then
    exit 0
fi

if [[ $python == python3 ]] && ! command -v python3 >/dev/null; then
    tests/tools/apt.sh python3 python3-venv
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$python" --version 2>&1 || true) ($python) is too old or missing: Python 3.11 or later is needed." \
        "Name another one with: make PYTHON=/path/of/python3 ..." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    tests/tools/apt.sh python3-venv
fi

# One that another checkout made, or that was left half-done, is made anew: pip takes a half-installed package for a whole one.
if [[ -e $directory/.incomplete || "$(cat "$directory/.path" 2>/dev/null || echo "$PWD")" != "$PWD" ]] ||
    ! "$directory/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "Making the virtual environment $directory"
    # Through a link, that of another checkout would be cleared.
    [[ ! -L $directory ]] || rm "$directory"
    "$python" -m venv --clear "$directory"
fi
touch "$directory/.incomplete"
printf '%s' "$PWD" >"$directory/.path"

echo "Installing requirements/$requirements.txt and ansible-core $core in $directory"
"$directory/bin/python" -m pip install --disable-pip-version-check -qq \
    --constraint "requirements/$constraints.txt" --constraint "requirements/core-$core.txt" \
    --requirement "requirements/$requirements.txt"
rm "$directory/.incomplete"
printf '%s' "$state" >"$stamp"
