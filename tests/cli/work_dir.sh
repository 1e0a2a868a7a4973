# What is not ours is not touched, whatever its name.
text 100000 >file

# precious DIRECTORY: files that a user may have, with names like ours.
precious() {
    local name
    mkdir -p "$1"
    for name in thesis.tmp progress manifest published shard-00000000.cps .tmp-x notes; do
        echo precious >"$1/$name"
    done
}
untouched() {
    [ "$(cat "$1"/{thesis.tmp,progress,manifest,published,shard-00000000.cps,.tmp-x,notes} | sort -u)" = precious ] ||
        fail "$1 was touched"
    [ "$(find "$1" -mindepth 1 | wc -l)" -eq 7 ] || fail "$1 has other files"
}

precious a.h5.work
for option in '' --restart --force; do
    # shellcheck disable=SC2086
    expect 2 corpress compress -q -p fast $option file -o a.h5 2>said
    grep -q '"a.h5.work" is not a work directory of corpress: ".*" is in it; move it away' said
    untouched a.h5.work
    absent a.h5
done
expect 2 corpress status a.h5
expect 2 ranks 2 corpress compress -q -p fast file -o a.h5 2>said
untouched a.h5.work

# A link, also to a directory that would do.
precious victim
ln -s victim b.h5.work
mkdir empty
ln -s empty c.h5.work
for archive in b.h5 c.h5; do
    expect 2 corpress compress -q -p fast --restart file -o $archive 2>said
    grep -q "\"$archive.work\" is a link or a file" said
    absent $archive
done
untouched victim
[ -z "$(ls empty)" ]

# An archive is read whatever lies beside it.
corpress compress -q -p fast file -o d.h5
precious d.h5.work
expect 0 corpress verify -q d.h5
expect 0 corpress status d.h5 | grep -q finished
untouched d.h5.work

# An empty directory may be used, and what a job leaves that is killed at its very beginning.
mkdir e.h5.work
expect 0 corpress compress -q -p fast file -o e.h5
absent e.h5.work
mkdir f.h5.work
: >f.h5.work/lock
expect 0 corpress compress -q -p fast file -o f.h5
absent f.h5.work
cmp e.h5 f.h5

# What somebody puts into a work directory stays, and is named.
mkdir g.h5.work
printf 'corpress lock 1\n' >g.h5.work/lock
echo precious >g.h5.work/thesis.tmp
mkdir g.h5.work/progress
expect 1 corpress compress -q -p fast file -o g.h5 2>said
grep -q 'the archive is complete, but "g.h5.work" stays, because ".*" in it is not ours' said
cmp e.h5 g.h5
[ "$(cat g.h5.work/thesis.tmp)" = precious ]
[ "$(echo g.h5.work/*)" = "g.h5.work/progress g.h5.work/thesis.tmp" ] || fail "$(ls g.h5.work)"
