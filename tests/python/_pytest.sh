#!/usr/bin/env bash
# _pytest.sh TEST-FILE: runs it with Debian's Python, which is the one that has pytest. ctest says in
# the environment where the program, the library and the build directory are.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import pytest' 2>/dev/null; then
    echo "skipped: $python has no pytest (python3-pytest)"
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset CORPRESS_CACHE
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/jobs/python PYTHONWARNINGS=error
"$python" -m pytest -q -p no:cacheprovider --basetemp="$scratch/tests" "$1"
