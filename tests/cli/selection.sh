# Files by path, pattern and --exclude, in all commands that take them.
mkdir -p corpus/src/deep/er corpus/doc corpus/test
for i in 1 2 3; do
    echo "c $i" >"corpus/src/f$i.c"
    echo "h $i" >"corpus/src/deep/er/g$i.h"
    printf 'no end %s' "$i" >"corpus/doc/n$i.txt"
done
echo t >corpus/src/deep/test
echo u >corpus/test/u.c
echo brackets >'corpus/a[1].txt'
echo plain >corpus/a1.txt
echo star >'corpus/*'
: >corpus/empty
printf 'newline' >corpus/$'new\nline'
printf 'bytes' >corpus/$'\xff\xc3'
echo ä >corpus/ä.txt
ln -s src corpus/link
expect 0 corpress compress -q -p fast corpus -o a.h5

# lists CODE WORD...: what `list` says.
lists() {
    local code=$1
    shift
    printf '=='
    printf ' %q' "$@"
    echo
    expect "$code" corpress list a.h5 "$@" 2>&1
}
lists 0 '*.c'
lists 1 'corpus/*.c' 'corpus/*/*.c'
lists 0 'corpus/**/?[2-9].*'
lists 0 '**/deep/**'
lists 1 deep/ 'd*p/'
lists 0 'corpus/src/f[!13].c'
lists 0 '[[:alpha:]]1.tx[^a-s]'
# A path goes before a pattern; \ makes a pattern of one file.
lists 0 'corpus/a[1].txt'
lists 0 'a[1].txt'
lists 0 'corpus/*'
lists 0 'corpus/\*' 'a\[1].txt'
# Bytes as `list` prints them; a character of UTF-8 is one.
lists 0 'corpus/new\nline' 'corpus/\xff\xc3'
lists 0 '?.txt' '[ä-ö].txt' '[\xf0-\xff]?'
lists 0 -- './corpus/doc/' '/corpus/link'
# Only a directory has a '/' behind it.
lists 2 corpus/empty/ 'corpus/link/'

# Several paths, of which some name nothing.
lists 1 corpus/absent corpus/empty 'x*' $'corpus/\xfe'
lists 2 corpus/absent
lists 2 'x*'
lists 2 corpus/absent 'x*' y
lists 2 src

# --exclude takes names in any directory, and paths from the root.
lists 0 corpus/src --exclude test --exclude '*.h'
lists 0 corpus/src corpus/test --exclude corpus/test --exclude='f[12]*'
lists 0 --exclude 'corpus/*/**' --exclude '*.txt'
lists 0 --exclude 'no such thing' corpus/empty
lists 0 --exclude deep/ --exclude test/ '*e*t' corpus/src
lists 1 corpus/src --exclude src
lists 1 corpus/src/f1.c --exclude '*.c'
lists 3 --exclude ''
lists 3 --shards --exclude a
lists 3 --shards corpus

# cat writes in the order of the words, and of the corpus.
for words in "*.c" "corpus/empty corpus/src/f2.c" "*/doc/* corpus/a1.txt" "corpus/src/f3.c *f1.c"; do
    printf '== cat %s\n' "$words"
    set -f
    # shellcheck disable=SC2086 # words
    expect 0 corpress cat a.h5 $words
    set +f
done
echo
expect 0 corpress cat a.h5 'corpus/**' --exclude doc --exclude '[n]*' | cmp - <(
    cd corpus && cat '*' a1.txt 'a[1].txt' src/deep/er/g?.h src/deep/test src/f?.c test/u.c ä.txt $'\xff\xc3')
expect 1 corpress cat a.h5 corpus/absent corpus/src/f1.c corpus/src 'x*' corpus/link
expect 2 corpress cat a.h5 corpus/src corpus/absent
expect 2 corpress cat a.h5 corpus/absent corpus/src
expect 2 corpress cat a.h5 corpus/link
expect 1 corpress cat a.h5 'corpus/**' --exclude corpus
expect 3 corpress cat a.h5 --shards 0 --exclude corpus

# extract
expect 1 corpress extract -q a.h5 -C out '*.h' corpus/absent corpus/doc --exclude '?2.*'
(cd out && find . | LC_ALL=C sort)
expect 0 corpress extract -q a.h5 -C all --exclude 'no such thing'
same_tree corpus all/corpus
expect 1 corpress extract -q a.h5 -C none --exclude corpus
absent none/corpus
expect 2 corpress extract -q a.h5 -C none corpus/absent 'x*'
expect 0 corpress extract -q a.h5 -C by_shard --shards 0 --exclude '*.h' --exclude a1.txt
[ "$(cd by_shard && find . -type f -printf x | wc -c)" -eq 13 ] || fail "$(find by_shard)"

# audit
audited() { expect "$@" | awk -F , '{ print $1, $NF }'; }
audited 0 corpress audit a.h5 --format csv --by file '*.c' --exclude 'f[12]*'
audited 1 corpress audit a.h5 --format csv --by file corpus/src/f1.c corpus/absent
expect 2 corpress audit a.h5 --by file corpus/absent
expect 3 corpress audit a.h5 corpus/src
expect 3 corpress audit a.h5 --exclude corpus/src
