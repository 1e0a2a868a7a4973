#!/usr/bin/env bash
# checkpoint_overhead.sh CORPRESS FILE...: what snapshots and synced shards cost: a run at 2 ranks
# with the default settings against one without snapshots, three times each, in turn. The best time
# of each counts. Meant for some 256 MB of text.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ "$#" -ge 2 ] || {
    sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" >&2
    exit 3
}
corpress=$(realpath "$1")
shift
repeats=${REPEATS:-3}
ranks=${RANKS:-2}
work=$(mktemp -d -p "${SCRATCH:-/tmp}")
trap 'rm -rf "$work"' EXIT

# timed NAME OPTION...: appends the seconds of one run to the file NAME.
timed() {
    local name=$1 start
    shift
    start=$(date +%s.%N)
    bash "$here/../../jobs/mpirun_local.sh" "$ranks" "$corpress" compress -q --force "$@" \
        -o "$work/$name.h5" -- "${files[@]}"
    echo "$start $(date +%s.%N)" | awk '{ printf "%.2f\n", $2 - $1 }' >>"$work/$name"
}
files=("$@")
for _ in $(seq "$repeats"); do
    timed default
    timed without --snapshot-interval 0
    timed often --snapshot-interval 10s
done
cmp "$work/default.h5" "$work/without.h5"
cmp "$work/default.h5" "$work/often.h5"
cat "${files[@]}" 2>/dev/null | wc -c | awk -v r="$ranks" '{ printf "%.1f MB, %d ranks\n", $1 / 1e6, r }'
base=$(sort -n "$work/without" | head -n 1)
for name in without default often; do
    best=$(sort -n "$work/$name" | head -n 1)
    awk -v n="$name" -v t="$best" -v b="$base" -v all="$(xargs <"$work/$name")" \
        'BEGIN { printf "%-8s %8.2f s  %+6.2f %%   (%s)\n", n, t, 100 * (t / b - 1), all }'
done
