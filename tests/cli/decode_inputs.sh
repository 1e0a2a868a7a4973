# Compressed inputs and tars, of all kinds and names: the archive holds their text, and it comes back
# as the formats' own programs give it.
for program in gzip bzip2 xz zstd lz4; do
    command -v "$program" >/dev/null || skip "no $program"
done
text 100000 1 >one
text 30000 2 >two
# packed PROGRAM FILE: compressed, to standard output.
packed() {
    case $1 in
    gzip) gzip -n -9 <"$2" ;;
    zstd) zstd -q -9 <"$2" ;;
    lz4) lz4 -q <"$2" ;;
    *) "$1" <"$2" ;;
    esac
}
mkdir -p corpus/in/deep tree/d/e
packed gzip one >corpus/a.txt.gz
packed zstd one >corpus/b.txt.zst
packed xz one >corpus/c.txt.xz
packed bzip2 one >corpus/d.txt.bz2
packed lz4 two >corpus/e.txt.lz4
# Several streams, and a skipped frame between them.
{ packed gzip two; packed gzip one; } >corpus/in/many.GZ
{ packed zstd two; printf '\x50\x2a\x4d\x18\x03\0\0\0abc'; packed zstd one; } >corpus/in/many.zstd
cat two one >many
# Names that lie, names that are nothing but the suffix, and names that would be the same.
cp two corpus/in/lies.gz
packed gzip two >corpus/in/lies.txt
packed xz two >corpus/in/deep/.xz
cp two corpus/same
packed gzip one >corpus/same.gz
packed bzip2 one >corpus/same.bz2
# Without text.
: >empty
for program in gzip bzip2 xz zstd lz4; do packed "$program" empty >"corpus/in/empty-$program"; done
head -n 100 one | sed 's/.*/{"text": "&"}/' >lines.jsonl
packed gzip lines.jsonl >corpus/lines.jsonl.gz
# Tars, as they are and compressed. (The times are those of a tar that has seconds alone.)
cp one tree/d/one
cp two tree/d/e/two
: >tree/d/empty
ln -s one tree/d/link
chmod 640 tree/d/e/two
find tree -exec touch -h -d '2020-01-02 03:04:05 UTC' {} +
tar -C tree -cf corpus/t.tar d
packed gzip corpus/t.tar >corpus/t.tar.gz
packed zstd corpus/t.tar >corpus/in/u.tzst
cp corpus/in/u.tzst corpus/in/u.tar.zst

echo "plan:"
expect 1 corpress plan --sample-bytes 0 --decode-inputs corpus >plan
head -n 2 plan
expect 1 corpress compress -q -p fast --no-primer --decode-inputs corpus -o a.h5
corpress list a.h5
corpress list --json a.h5 | python3 -c 'import json, sys
print(json.load(sys.stdin)["files"], "files with the rests of the tars")'
expect 0 corpress verify -q a.h5

# What comes back.
expect 0 corpress extract -q a.h5 -C out
for name in a b c d; do cmp one "out/corpus/$name.txt"; done
cmp two out/corpus/e.txt
cmp many out/corpus/in/many
cmp <(zstd -dc corpus/in/many.zstd) out/corpus/in/many.zstd
cmp two out/corpus/in/lies.gz
cmp two out/corpus/in/lies.txt
cmp two out/corpus/in/deep/.xz
cmp two out/corpus/same
cmp one out/corpus/same.gz
cmp one out/corpus/same.bz2
[ "$(find out/corpus/in -maxdepth 1 -name 'empty*' -size 0 | wc -l)" -eq 5 ] || fail "$(ls -l out/corpus/in)"
for tar in t.tar t.tar.gz in/u.tar in/u.tzst; do same_tree tree/d "out/corpus/$tar/d"; done
# A file has the times and the mode of the one that it was in.
[ "$(stat -c '%Y %a' corpus/a.txt.gz)" = "$(stat -c '%Y %a' out/corpus/a.txt)" ]

# Parts of it.
corpress cat a.h5 corpus/b.txt | cmp - one
corpress cat a.h5 corpus/c.txt --offset 1000 --bytes 1000 | cmp - <(tail -c +1001 one | head -c 1000)
corpress cat a.h5 corpus/in/many --lines 3-5 | cmp - <(sed -n 3,5p many)
corpress cat a.h5 corpus/t.tar/d/e/two --lines 2 | cmp - <(sed -n 2p two)
expect 2 corpress cat a.h5 corpus/a.txt.gz

# The tars, bit for bit.
for tar in t.tar t.tar.gz in/u.tar in/u.tzst; do
    corpress cat --tar a.h5 "corpus/$tar" | cmp - corpus/t.tar
done
expect 2 corpress cat --tar a.h5 corpus/a.txt >none
expect 0 corpress extract -q --tar a.h5 corpus/t.tar corpus/in -C whole
cmp corpus/t.tar whole/corpus/t.tar
cmp corpus/t.tar whole/corpus/in/u.tar
cmp corpus/t.tar whole/corpus/in/u.tzst
[ "$(stat -c %Y corpus/t.tar)" = "$(stat -c %Y whole/corpus/t.tar)" ]
cmp many whole/corpus/in/many
absent whole/corpus/a.txt

# What it has come to.
corpress audit --by input a.h5 2>said | awk '{ print $1, $3, $(NF - 1), $NF }'
sed 's/[0-9.]* [kM]*B/N/g; s/[0-9.]* %/N %/' said
corpress audit --by input --json a.h5 2>/dev/null | python3 -c 'import json, os, sys
rows = json.load(sys.stdin)["rows"]
for row in rows:
    assert os.path.getsize(row["path"]) == row["on_disk"], row
print(len(rows), "inputs")'

# Documents are lines, of a text that was compressed as well.
expect 0 corpress compress -q -p fast --no-primer --decode-inputs corpus/lines.jsonl.gz -o lines.h5
corpress cat lines.h5 --documents 5-6 | cmp - <(sed -n 6,7p lines.jsonl)
# --exclude speaks of files as they lie there.
expect 0 corpress compress -q -p fast --no-primer --decode-inputs --exclude '*.gz' --exclude '*.bz2' --exclude in corpus -o less.h5
corpress list less.h5

# Links, as they are and for what they lead to.
mkdir links
ln -s ../corpus/a.txt.gz links/l.gz
cp two links/plain
expect 0 corpress compress -q -p fast --no-primer --decode-inputs links -o links.h5
corpress list links.h5
expect 0 corpress compress -q -p fast --no-primer --decode-inputs -L links -o followed.h5
corpress cat followed.h5 links/l | cmp - one

# From a pipe: a text that was compressed, and one that is.
zcat corpus/a.txt.gz | expect 0 corpress compress -q -p fast --no-primer --decode-inputs - -o pipe.h5
corpress cat pipe.h5 stdin | cmp - one
for program in gzip zstd xz bzip2 lz4; do
    packed "$program" one | expect 0 corpress compress -q -p fast --no-primer --decode-inputs --force - -o pipe.h5
    corpress cat pipe.h5 stdin | cmp - one
done
expect 0 corpress compress -q -p fast --no-primer --decode-inputs --force --stdin-name x/t.tgz - -o pipe.h5 <corpus/t.tar.gz
corpress cat --tar pipe.h5 x/t.tar | cmp - corpus/t.tar

# A file does not get the name of a folder that others lie in.
mkdir -p names/x names/t.tar/d
cp two names/x/y
cp two names/t.tar/d/one
packed gzip one >names/x.gz
cp corpus/t.tar.gz names/t.tgz
expect 1 corpress compress -q -p fast --no-primer --decode-inputs names/x.gz names/x/y names/t.tgz names/t.tar/d/one -o names.h5
corpress list names.h5
expect 0 corpress extract -q names.h5 -C named
cmp two named/names/x/y
cmp one named/names/x.gz

# Without the option files are what they are.
expect 1 corpress compress -q -p fast --no-primer corpus -o as_it_is.h5 2>said
grep -q 'compressed already' said
expect 0 corpress extract -q as_it_is.h5 -C same
same_tree corpus same/corpus
expect 0 corpress audit --by input as_it_is.h5

# A text that keeps the name of its file has the documents that it would have without the suffix.
mkdir rows
printf '1\n2\n3\n' >rows/x.jsonl
printf '4\n5\n' | gzip >rows/x.jsonl.gz
expect 1 corpress compress -q --decode-inputs rows -o rows.h5 2>said
grep -q 'keeps that name' said || fail "no warning"
[ "$(corpress cat rows.h5 --documents 3-4)" = $'4\n5' ] || fail "no lines in x.jsonl.gz"
