# Every command has a help text that names its options and the exit codes.
expect 0 corpress --version | grep -Eqx 'corpress [0-9.]+, archive format [0-9]+, kernel [a-z0-9]+, OpenBLAS [A-Za-z0-9_]+'
expect 0 corpress --help >help
for command in plan compress extract cat list audit verify status; do
    grep -q "^  corpress $command " help || fail "--help does not have $command"
    expect 0 corpress "$command" --help >help.one
    grep -q 'Exit codes: 0 done' help.one || fail "$command --help has no exit codes"
    head -n 1 help.one
done
corpress compress --help | grep -Eq '^  balanced +[0-9]+ MiB'
# Standard output that takes nothing is an error, not a success.
expect 2 corpress --help >/dev/full
