# Outputs that exist, cannot be written, or are cut short.
text 20000 >corpus
expect 0 corpress compress -q corpus -o archive.h5
cp archive.h5 before.h5
expect 2 corpress compress -q corpus -o archive.h5
cmp archive.h5 before.h5
expect 0 corpress compress -q --force corpus -o archive.h5
cmp archive.h5 before.h5
mkdir directory
expect 2 corpress compress -q corpus -o directory
expect 2 corpress compress -q --force corpus -o directory
expect 2 corpress compress -q corpus -o absent/archive.h5
expect 2 corpress compress -q corpus -o corpus/archive.h5

# What is not a file is not replaced, and nothing waits for the other end of a pipe.
mkfifo fifo
ln -s fifo link
ln -s directory to_directory
ln -s /dev/null null
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
for force in '' --force; do
    for output in fifo link to_directory null /dev/null /dev/stdout socket; do
        expect 2 corpress compress -q $force corpus -o "$output" </dev/null
        absent "$output.work" "$output.log.jsonl"
    done
    expect 3 corpress compress -q $force corpus -o -
done
[ -p fifo ] && [ -S socket ] && [ -h null ] && [ -c /dev/null ] || fail "something was replaced"
absent ./- ./-.work
mkfifo logged.h5.log.jsonl archive.h5.verified
expect 2 corpress compress -q corpus -o logged.h5
nothing_left logged.h5
expect 2 corpress verify -q --continue archive.h5
expect 2 corpress verify -q --state fifo archive.h5
expect 2 corpress verify -q --state null archive.h5
expect 2 corpress verify -q --state directory archive.h5
expect 2 corpress verify -q --state socket archive.h5
expect 2 corpress list fifo
rm archive.h5.log.jsonl
mkfifo archive.h5.log.jsonl
expect 0 corpress audit -q archive.h5 >audited
CORPRESS_EXIT_FILE=fifo expect 0 corpress list archive.h5 2>said
grep -q 'cannot write the exit code' said
rm archive.h5.log.jsonl archive.h5.verified
# Somebody else's file that has the run log's name.
echo theirs >other.h5.log.jsonl
expect 1 corpress compress -q corpus -o other.h5 2>said
grep -q '^corpress: warning: no run log: other.h5.log.jsonl: ' said
[ "$(cat other.h5.log.jsonl)" = theirs ] || fail "the file was written to"
rm -f other.h5 other.h5.log.jsonl
ln -s nothing other.h5.log.jsonl
expect 1 corpress compress -q corpus -o other.h5 2>said
absent nothing
rm -f other.h5
# A link to a file that is to be the archive is replaced, and not what it leads to.
echo kept >target
ln -s target linked.h5
expect 2 corpress compress -q corpus -o linked.h5
expect 0 corpress compress -q --force corpus -o linked.h5
[ -f linked.h5 ] && [ ! -h linked.h5 ] && [ "$(cat target)" = kept ] || fail "the link"
mkdir closed
chmod 555 closed
expect 2 unprivileged corpress compress -q corpus -o closed/archive.h5
nothing_left closed/archive.h5
expect 2 unprivileged corpress extract -q archive.h5 -C closed
absent closed/corpus

# A read-only archive in a read-only directory can be read.
cp archive.h5 closed/archive.h5
chmod 444 closed/archive.h5
expect 0 unprivileged corpress verify -q closed/archive.h5
expect 0 unprivileged corpress cat closed/archive.h5 corpus | cmp - corpus
expect 0 unprivileged corpress extract -q closed/archive.h5 -C fresh
cmp corpus fresh/corpus

# A reader that has enough ends the command quietly; a device that is full does not.
text 3000000 >large
expect 0 corpress compress -q large -o large.h5
(set +o pipefail; corpress cat large.h5 large | head -c 10 | cmp - <(head -c 10 large))
(set +o pipefail; trap '' PIPE; corpress cat large.h5 large | head -c 10 >/dev/null)
expect 2 corpress cat large.h5 large >/dev/full
expect 2 corpress list large.h5 >/dev/full
expect 2 corpress audit -q large.h5 >/dev/full
