# --documents: kept by a job that is stopped and goes on, part of the job, read again.
mkdir corpus
text 1500000 1 >corpus/a.jsonl
text 600000 2 >corpus/b.txt
expect 3 corpress compress -q --documents lines corpus -o no.h5 2>said
grep -q "documents are 'line', 'file' or 'separator:TEXT'" said || fail "$(cat said)"
expect 3 corpress compress -q --documents 'separator:' corpus -o no.h5
expect 3 corpress compress -q --documents 'separator:\x0' corpus -o no.h5
nothing_left no.h5

by_name() { corpress compress -q -p fast --shard-size 1M "$@" corpus -o "$archive"; }
archive=whole.h5 expect 0 by_name
expect 0 corpress verify -q whole.h5
archive=lines.h5 expect 0 by_name --documents line
expect 0 corpress verify -q lines.h5
archive=files.h5 expect 0 by_name --documents file
if cmp -s whole.h5 files.h5; then fail "files named .jsonl have no lines"; fi
# Bitstreams are the same whatever a document is. An archive of files has no counts.
expect 0 corpress cat lines.h5 corpus/a.jsonl | cmp - corpus/a.jsonl
for name in whole lines files; do
    corpress list --shards "$name.h5" | sed 's/ *[^ ]*$//' >"$name.shards" # without `documents`
done
cmp whole.shards files.shards
cmp whole.shards lines.shards
grep -qa documents whole.h5 || fail "there are no counts"
if grep -qa documents files.h5; then fail "an archive of files has counts"; fi

# A reader of its own comes to the same counts.
check() { python3 "$TESTS/cli/documents_format.py" "$1" corpus/*; }
check whole.h5
check lines.h5
mv corpus/b.txt b.txt
printf 'aabaab%.0s' $(seq 100000) >corpus/overlaps
printf '%700000s' '' >corpus/one
archive=overlaps.h5 expect 0 by_name --documents 'separator:aabaa'
check overlaps.h5
rm corpus/o*
mv b.txt corpus

# What a document is belongs to the job: it goes on with the same choice alone.
archive=stopped.h5
by_name --documents 'separator:the ' &
pid=$!
until ls stopped.h5.work/shard-* >found 2>/dev/null || ! kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
kill -s TERM "$pid" 2>/dev/null || true
code=0
wait "$pid" || code=$?
if [ "$code" -eq 75 ]; then
    expect 2 by_name 2>said
    grep -q 'was a text between separators then, and now is to be a .*--documents' said || fail "$(cat said)"
    expect 2 by_name --documents 'separator:the' 2>said
    grep -q 'another separator' said || fail "$(cat said)"
fi
expect 0 by_name --force --documents 'separator:the '
archive=again.h5 expect 0 by_name --documents 'separator:the '
cmp stopped.h5 again.h5
expect 0 corpress verify -q again.h5
