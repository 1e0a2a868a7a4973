# Inputs that are compressed already are told of: before a job, with it, and in the audit.
mkdir corpus
text 300000 1 >text
gzip -n -9 <text >corpus/a.jsonl
bzip2 -9 <text >corpus/b
xz -9 <text >corpus/c
head -c 30000 text >corpus/d
expect 1 corpress plan --sample-bytes 0 corpus >plan 2>said
grep -q 'about [0-9]* % of the corpus is compressed already (gzip, bzip2, xz), as is "corpus/a.jsonl"' said ||
    fail "$(cat said)"
expect 1 corpress compress -q corpus -o a.h5 2>said
grep -q 'compressed already (gzip, bzip2, xz)' said || fail "$(cat said)"
expect 0 corpress audit a.h5 >audit 2>said
grep -Eq '^corpress: [0-9]+ % of the bytes are stored as they are' said || fail "$(cat said)"
corpress extract -q a.h5 -C out
same_tree corpus out/corpus
# By content, not by name; and not of a few among much text.
cp text corpus/e.gz
for i in 1 2 3 4 5 6 7; do text 900000 "$i" >"corpus/f$i"; done
expect 0 corpress plan --sample-bytes 0 corpus >plan 2>said
[ ! -s said ] || fail "$(cat said)"
# A pipe is looked at when it has been read.
gzip -n -9 <text | expect 1 corpress compress -q - -o pipe.h5 2>said
grep -q 'compressed already (gzip)' said || fail "$(cat said)"
