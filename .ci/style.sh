#!/usr/bin/env bash
# style.sh BUILD FILE...: asks clang-query about style.query in these sources, compiled as in BUILD.
# Prints what it finds; ends with 1 if that is anything.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1
shift
query=clang-query
if ! command -v "$query" >/dev/null; then query=clang-query-14; fi
# A source that does not parse would have no matches. cmocka's own macro has a sizeof(tests).
printf '%s\0' "$@" |
    xargs -0 -P "$(nproc)" -n 8 "$query" -p "$build" -f "$here/style.query" 2>&1 |
    awk '/ error: |^error: |^Error / { print; bad = 1 }
        at != "" { if (!/cmocka_run_group_tests/) { print at; print; bad = 1 } at = "" }
        /"root" binds here/ { at = $0 }
        END { exit bad }'
