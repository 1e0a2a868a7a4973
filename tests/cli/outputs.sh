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
