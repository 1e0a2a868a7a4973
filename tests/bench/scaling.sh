#!/usr/bin/env bash
# scaling.sh CORPRESS FILE...: the same corpus in 16 shards at 1 and 2 ranks (RANKS="1 2 4 ..." for
# more), in turn, three times each (REPEATS); the best time of each counts. OPTIONS="--no-primer" and
# so on are handed to compress. Give every rank a core: beside each time stands how many CPU seconds
# others took meanwhile.
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
work=$(mktemp -d -p "${SCRATCH:-/tmp}")
trap 'rm -rf "$work"' EXIT
read -r -a counts <<<"${RANKS:-1 2}"
read -r -a options <<<"${OPTIONS:-}"

bytes=$(find "${files[@]}" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
shard=$(((bytes + 15) / 16))
[ "$shard" -ge 1048576 ] || {
    echo "scaling.sh: 16 shards want 16 MiB at least" >&2
    exit 3
}
for _ in $(seq "${REPEATS:-3}"); do
    for ranks in "${counts[@]}"; do
        timed "$work/$ranks" bash "$here/../../jobs/mpirun_local.sh" "$ranks" "$corpress" \
            compress -q --force --shard-size "$shard" "${options[@]}" -o "$work/$ranks.h5" \
            -- "${files[@]}"
        cmp "$work/${counts[0]}.h5" "$work/$ranks.h5"
    done
done
echo "$bytes bytes, $("$corpress" list --shards "$work/${counts[0]}.h5" | grep -c '^ *[0-9]') shards"
for ranks in "${counts[@]}"; do
    awk -v n="$ranks" -v t="$(best "$work/$ranks")" -v b="$(best "$work/${counts[0]}")" \
        -v all="$(each "$work/$ranks")" \
        'BEGIN { printf "%4d ranks %8.2f s  %5.2f times as fast   (%s)\n", n, t, b / t, all }'
done
