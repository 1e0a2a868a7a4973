#!/usr/bin/env bash
# kill_long.sh CORPRESS [COUNT=100] [SEED]: a run over six shards at 1, 2 and 4 ranks, killed that
# many times at random moments: one rank, all ranks, the launcher; by SIGKILL and SIGTERM; while it
# takes a snapshot, while it publishes. Takes about 6 seconds a kill on 2 cores.
# kill_long.sh CORPRESS --lesson FILE BYTES [COUNT=10] [SEED]: a run over FILE with a lesson of so
# many bytes at 1, 2, 3 and 4 ranks in turn, each killed by SIGKILL at a random moment of the lesson.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
corpress=$(realpath "$1")
lesson=()
if [ "${2:-}" = --lesson ]; then
    lesson=("$(realpath "$3")" "$4")
    set -- "$1" "${5:-10}" "${@:6}"
fi
count=${2:-100}
seed=${3:-$RANDOM}
export TESTS=$here/.. JOBS=$here/../../jobs LC_ALL=C
# shellcheck source=tests/_lib.sh
. "$TESTS/_lib.sh"
# shellcheck source=tests/mpi/_kill.sh
. "$TESTS/mpi/_kill.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
cp "$corpress" "$work/bin/corpress"
export PATH=$work/bin:$PATH
cd "$work"
echo "seed $seed"
if [ "${#lesson[@]}" -gt 0 ]; then
    lesson_corpus "${lesson[@]}"
    lesson_kill_tests "$count" "$seed"
else
    kill_corpus balanced
    kill_tests "$count" "$seed"
fi
