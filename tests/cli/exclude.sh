# What compress and plan leave out.
mkdir -p corpus/.git/objects corpus/src/build corpus/data/a/tmp corpus/data/tmp
for name in a.c a.o src/b.c src/b.o src/build/c.c .git/config .git/objects/1 data/a/tmp/x data/tmp/y \
    data/a/build 'brackets[1]' brackets1 $'\xff.o'; do echo "$name" >"corpus/$name"; done
ln -s ../src corpus/data/link

# holds EXPECTED WORD...: compresses, and compares what the archive has with the files that EXPECTED,
# a program of grep -zvE, leaves.
n=0
holds() {
    local pattern=$1
    shift
    n=$((n + 1))
    expect 0 corpress compress -q -p fast "$@" -o "$n.h5"
    (find corpus -print0 | grep -zvE "$pattern" | sort -z) >wanted
    corpress list --null "$n.h5" | sort -z | cmp - wanted || fail "$* keeps $(corpress list "$n.h5")"
}
holds '/\.git(/|$)' corpus --exclude .git
holds '\.o$' corpus --exclude '*.o'
holds '/(\.git|src/build)(/|$)' corpus --exclude .git/ --exclude=build/
holds '/data/a/tmp(/|$)' corpus --exclude 'corpus/data/*/tmp'
holds '/tmp(/|$)' ./corpus/ --exclude '**/tmp'
holds 'brackets' corpus --exclude 'corpus/brackets[1]'
holds '^corpus/src(/|$)' corpus --exclude /corpus/src
holds '^x$' corpus --exclude absent
# From a list, too: files of directories that are left out.
find corpus ! -type d | sort >names
expect 0 corpress compress -q -p fast --files-from names --exclude .git --exclude '*.o' -o listed.h5
corpress list listed.h5 | sort | cmp - <(grep -v '\.o$\|/\.git/' names)
# Behind links, by the path in the archive.
expect 0 corpress compress -q -p fast -L corpus --exclude link/build -o linked.h5
expect 0 corpress compress -q -p fast -L corpus --exclude '**/link/build' -o linked2.h5
corpress list linked.h5 corpus/data/link/build
expect 2 corpress list linked2.h5 corpus/data/link/build
expect 0 corpress list linked2.h5 corpus/src/build

# Nobody looks into what is left out.
chmod 0 corpus/data/tmp corpus/a.o
expect 2 unprivileged corpress compress -q -p fast corpus -o none.h5
expect 0 unprivileged corpress compress -q -p fast corpus --exclude data --exclude a.o -o readable.h5
chmod 755 corpus/data/tmp corpus/a.o
expect 0 corpress plan --sample-bytes 0 corpus --exclude '?*.*' --exclude .git --json | grep -o '"files":[0-9]*'
expect 1 corpress compress -q -p fast corpus --exclude corpus -o empty.h5
expect 0 corpress list empty.h5

# A job goes on with the same files only.
text 2500000 >corpus/long
hold_at 1300000
corpress compress -q -p fast --no-primer --shard-size 1M corpus --exclude .git -o job.h5 &
pid=$!
await_hold "$pid"
{ kill -s KILL "$pid" && wait "$pid" || true; } 2>/dev/null
end_hold
expect 2 corpress compress -q -p fast --no-primer --shard-size 1M corpus -o job.h5
expect 0 corpress compress -q -p fast --no-primer --shard-size 1M corpus --exclude '.g*' -o job.h5
expect 0 corpress compress -q -p fast --no-primer --shard-size 1M corpus --exclude .git -o again.h5
cmp job.h5 again.h5
