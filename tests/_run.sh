#!/usr/bin/env bash
# _run.sh CORPRESS SCRIPT: runs one test script in an empty directory. The script must end with 0
# and, if there is SCRIPT's name with .out, have written exactly that (standard output and error
# together). 77: skipped.
set -euo pipefail
corpress=$(realpath "$1")
script=$(realpath "$2")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
cleanup() {
    chmod -R u+rwx "$work" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
# Tests that give up root's rights must be able to get in.
chmod 755 "$work"
mkdir -m 777 "$work/cwd"
mkdir "$work/bin"
cp "$corpress" "$work/bin/corpress"
# Debian's own python3 is the one that has h5py.
export PATH=$work/bin:/usr/bin:$PATH LC_ALL=C TESTS=$here JOBS=$here/../jobs
export LSAN_OPTIONS="suppressions='$here/lsan.supp':print_suppressions=0:fast_unwind_on_malloc=0"
cd "$work/cwd"

code=0
bash -euo pipefail -c '. "$TESTS/_lib.sh"; . "$1"' "$(basename "$script")" "$script" \
    >"$work/actual" 2>&1 || code=$?
if [ "$code" -ne 0 ]; then
    tail -n 100 "$work/actual"
    [ "$code" -eq 77 ] || echo "$(basename "$script") ended with $code"
    exit "$code"
fi
expected=${script%.sh}.out
[ ! -f "$expected" ] || diff -u "$expected" "$work/actual"
