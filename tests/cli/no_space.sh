# A file system that fills up while an archive is written, and while files are extracted.
if [ -z "${INSIDE:-}" ]; then
    export INSIDE=1
    if unshare -m true 2>/dev/null; then
        exec unshare -m bash -euo pipefail -c '. "$TESTS/_lib.sh"; . "$TESTS/cli/no_space.sh"'
    elif unshare -rm true 2>/dev/null; then
        exec unshare -rm bash -euo pipefail -c '. "$TESTS/_lib.sh"; . "$TESTS/cli/no_space.sh"'
    fi
    skip "needs a mount namespace"
fi
mkdir small
mount -t tmpfs -o size=256k tmpfs small 2>/dev/null || skip "cannot mount a tmpfs"
noise 1500000 >corpus
expect 2 corpress compress -q --shard-size 1M corpus -o small/archive.h5
nothing_left small/archive.h5
rm -f small/*
expect 0 corpress compress -q --shard-size 1M corpus -o archive.h5
expect 2 corpress extract -q archive.h5 -C small
[ -z "$(find small -type f)" ] || fail "left behind: $(find small -type f)"

# `ulimit -f` is such an end, too, and no signal.
text 400000 >limited
expect 0 corpress compress -q -p fast limited -o limited.h5
(
    ulimit -f 40
    expect 2 corpress compress -q -p fast limited -o cut.h5 2>said
    expect 2 corpress extract -q limited.h5 -C cut 2>>said
)
absent cut.h5 cut/limited
[ "$(grep -c 'File too large' said)" -eq 2 ] || fail "$(cat said)"
expect 0 corpress compress -q -p fast limited -o cut.h5
cmp limited.h5 cut.h5
