#!/usr/bin/env bash
# checkpoint_overhead.sh CORPRESS FILE...: what snapshots and synced shards cost at 2 ranks (RANKS):
# the default settings, and a snapshot every 10 s, against a run that takes no snapshots and syncs
# nothing; in turn, three times each (REPEATS). The best time of each counts; beside each time stands
# how many CPU seconds others took meanwhile. Meant for some 256 MB of text.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/bench/_timed.sh
. "$here/_timed.sh"
[ "$#" -ge 2 ] || {
    sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" >&2
    exit 3
}
corpress=$(realpath "$1")
shift
files=("$@")
ranks=${RANKS:-2}
work=$(mktemp -d -p "${SCRATCH:-/tmp}")
trap 'rm -rf "$work"' EXIT
echo 'int fsync(int file) { (void)file; return 0; }' | cc -shared -fPIC -x c - -o "$work/no_sync.so"

# compress NAME OPTION...: one run; NAME is that of its archive and of its times.
compress() {
    local name=$1
    shift
    timed "$work/$name" bash "$here/../../jobs/mpirun_local.sh" "$ranks" \
        "${before[@]}" "$corpress" compress -q --force "$@" -o "$work/$name.h5" -- "${files[@]}"
}
for _ in $(seq "${REPEATS:-3}"); do
    before=(env "LD_PRELOAD=$work/no_sync.so")
    compress without --snapshot-interval 0
    before=()
    compress default
    compress often --snapshot-interval 10s
done
cmp "$work/default.h5" "$work/without.h5"
cmp "$work/default.h5" "$work/often.h5"
find "${files[@]}" -type f -printf '%s\n' |
    awk -v r="$ranks" '{ sum += $1 } END { printf "%.1f MB, %d ranks\n", sum / 1e6, r }'
for name in without default often; do
    awk -v n="$name" -v t="$(best "$work/$name")" -v b="$(best "$work/without")" \
        -v c="$(best_cpu "$work/$name")" -v d="$(best_cpu "$work/without")" \
        -v all="$(each "$work/$name")" '
        BEGIN { printf "%-8s %8.2f s  %+6.2f %%  CPU %8.2f s  %+6.2f %%   (%s)\n",
                n, t, 100 * (t / b - 1), c, 100 * (c / d - 1), all }'
done
