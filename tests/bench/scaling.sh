#!/usr/bin/env bash
# scaling.sh CORPRESS FILE...: the same corpus in 16 shards at 1 and 2 ranks (RANKS="1 2 4 ..." for
# more), in turn, three times each (REPEATS); the best time of each counts. Give every rank a core.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ "$#" -ge 2 ] || {
    sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}" >&2
    exit 3
}
corpress=$(realpath "$1")
shift
files=("$@")
work=$(mktemp -d -p "${SCRATCH:-/tmp}")
trap 'rm -rf "$work"' EXIT
read -r -a counts <<<"${RANKS:-1 2}"

bytes=$(find "${files[@]}" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
shard=$(((bytes + 15) / 16))
[ "$shard" -ge 1048576 ] || {
    echo "scaling.sh: 16 shards want 16 MiB at least" >&2
    exit 3
}
for _ in $(seq "${REPEATS:-3}"); do
    for ranks in "${counts[@]}"; do
        start=$(date +%s.%N)
        bash "$here/../../jobs/mpirun_local.sh" "$ranks" "$corpress" compress -q --force \
            --shard-size "$shard" -o "$work/$ranks.h5" -- "${files[@]}"
        echo "$start $(date +%s.%N)" | awk '{ printf "%.2f\n", $2 - $1 }' >>"$work/$ranks"
        cmp "$work/${counts[0]}.h5" "$work/$ranks.h5"
    done
done
echo "$bytes bytes, $("$corpress" list --shards "$work/${counts[0]}.h5" | grep -c '^ *[0-9]') shards"
base=$(sort -n "$work/${counts[0]}" | head -n 1)
for ranks in "${counts[@]}"; do
    best=$(sort -n "$work/$ranks" | head -n 1)
    awk -v n="$ranks" -v t="$best" -v b="$base" -v all="$(xargs <"$work/$ranks")" \
        'BEGIN { printf "%4d ranks %8.2f s  %5.2f times as fast   (%s)\n", n, t, b / t, all }'
done
