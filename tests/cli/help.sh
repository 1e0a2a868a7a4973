# Every command has a help text that names its options and the exit codes.
expect 0 corpress --version | grep -Eqx 'corpress [0-9.]+, archive format [0-9]+, kernel [a-z0-9]+, OpenBLAS [A-Za-z0-9_]+'
expect 0 corpress --help >help
for command in plan compress extract cat list audit verify status score generate; do
    grep -q "^  corpress $command " help || fail "--help does not have $command"
    expect 0 corpress "$command" --help >help.one
    grep -q 'Exit codes: 0 done' help.one || fail "$command --help has no exit codes"
    head -n 1 help.one
    corpress "$command" -h | cmp - help.one
    # It fits a terminal, but for the table of profiles.
    if grep -v ' MiB ' help.one | grep -E '.{81}'; then fail "$command --help is too wide"; fi
done
# An option is told to those commands that have it, with its letter and its value.
# (grep -q ends before it has read all, and so would the command.)
for command in compress list cat plan; do corpress "$command" --help >"help.$command"; done
grep -Eq '^  -o, --output ARCHIVE.h5  the archive' help.compress
grep -Eq '^      --shards +the shards' help.list
grep -Eq '^      --shards LIST +whole shards' help.cat
if grep -q -e --output help.plan; then fail "plan has no --output"; fi
grep -Eq '^  balanced +[0-9]+ MiB' help.compress
# Standard output that takes nothing is an error, not a success.
expect 2 corpress --help >/dev/full
