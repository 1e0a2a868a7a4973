# Inputs that are missing, unreadable, or change.
mkdir corpus
for i in 1 2 3 4 5; do text 1000000 "$i" >"corpus/$i"; done
expect 2 corpress compress -q corpus absent -o archive.h5
nothing_left archive.h5
chmod 000 corpus/3
expect 2 unprivileged corpress compress -q corpus -o archive.h5
nothing_left archive.h5
chmod 644 corpus/3

# change COMMAND...: changes the last file while the first shards are coded.
change() {
    local pid code=0
    hold_at 1300000
    corpress compress -q -p fast --no-primer --shard-size 1M corpus -o archive.h5 &
    pid=$!
    await_hold "$pid"
    "$@"
    end_hold
    wait "$pid" || code=$?
    [ "$code" -eq 2 ] || fail "ended with $code although an input changed: $*"
    absent archive.h5
    rm -rf archive.h5.work
}
cp -p corpus/5 saved
change truncate -s 500000 corpus/5
cp -p saved corpus/5
change truncate -s 1000001 corpus/5
cp -p saved corpus/5
change rm corpus/5
