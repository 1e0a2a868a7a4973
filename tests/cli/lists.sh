# --files-from, from a file and from standard input, by lines and by NUL.
mkdir corpus
text 2000 1 >corpus/b
text 3000 2 >corpus/a
printf 'odd' >corpus/$'new\nline'
printf 'corpus/b\ncorpus/a\n' >by_line
expect 0 corpress compress -q --files-from by_line -o line.h5
expect 0 corpress list line.h5
expect 0 corpress cat line.h5 --shards 0 >bytes
cat corpus/b corpus/a | cmp - bytes
printf 'corpus/b\0corpus/new\nline\0' | expect 0 corpress compress -q --files-from - -o nul.h5
expect 0 corpress list nul.h5
expect 2 corpress compress -q --files-from absent -o none.h5
printf 'corpus/b\nabsent\n' | expect 2 corpress compress -q --files-from - -o none.h5
nothing_left none.h5

# The archive, its work directory and its log are no part of the corpus they lie in.
expect 0 corpress compress -q corpus -o corpus/self.h5
expect 0 corpress compress -q --force corpus -o corpus/self.h5
expect 0 corpress list corpus/self.h5

# What is no file is left out, with a warning and exit code 1.
mkfifo corpus/pipe
expect 1 corpress compress -q corpus -o warned.h5

# Lists of other systems; a name that really ends in a CR is found.
printf '\357\273\277corpus/a\r\ncorpus/b\r\n\r\n' >crlf
expect 0 corpress compress -q --files-from crlf -o crlf.h5
expect 0 corpress list crlf.h5
printf 'cr' >corpus/$'a\r'
printf 'corpus/a\r\ncorpus/b\r' | expect 0 corpress compress -q --files-from - -o cr.h5
expect 0 corpress list cr.h5
mkfifo names
printf 'corpus/b' >names &
expect 0 corpress compress -q --files-from names -o fifo.h5
expect 0 corpress list fifo.h5

# A list that names nothing is a mistake of whoever made it.
printf '\n\r\n' >blank
for list in /dev/null blank; do
    expect 2 corpress compress -q --files-from "$list" -o nothing.h5
    expect 2 corpress compress -q corpus/a --files-from "$list" -o nothing.h5
    expect 2 corpress plan --files-from "$list"
done
nothing_left nothing.h5
# One that does not come can be waited for, and the wait can be ended.
exec 8<>names
corpress compress -q --files-from names -o nothing.h5 8>&- &
pid=$!
until find "/proc/$pid/fd/" -lname '*/names' 2>/dev/null | grep -q .; do sleep 0.02; done
echo corpus/a >&8
kill -s TERM "$pid"
code=0
wait "$pid" || code=$?
[ "$code" -eq 75 ] || fail "it ended with $code"
nothing_left nothing.h5
