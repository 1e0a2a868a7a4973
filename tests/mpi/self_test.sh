# A rank that computes differently is named before anything is read or written.
text 100000 >text
expect 0 ranks 2 corpress compress -q -p fast text -o archive.h5
for kind in selftest fingerprint; do
    export CORPRESS_TEST_FAULT=$kind:1
    for command in 'verify -q archive.h5' 'extract -q archive.h5 -C out' 'cat archive.h5 text' \
        'audit -q --full archive.h5'; do
        # shellcheck disable=SC2086
        expect 5 ranks 2 corpress $command >out.txt 2>said
        [ "$(grep -c '^corpress' said)" -eq 1 ] || fail "$command: $(cat said)"
        grep -q "\[rank 1 on $(uname -n)\]" said || fail "$command: $(cat said)"
        [ ! -s out.txt ] || fail "$command wrote something"
        absent out
    done
    expect 5 ranks 2 corpress compress -q -p fast text -o new.h5 2>said
    [ "$(grep -c '^corpress' said)" -eq 1 ] || fail "compress: $(cat said)"
    grep -q "\[rank 1 on $(uname -n)\]" said || fail "compress: $(cat said)"
    nothing_left new.h5
done
# The one that differs from the others, whichever it is.
CORPRESS_TEST_FAULT=fingerprint:0 expect 5 ranks 3 corpress verify -q archive.h5 2>said
grep -q '\[rank 0 on ' said || fail "$(cat said)"
CORPRESS_TEST_FAULT=selftest:0 expect 5 corpress verify -q archive.h5
# Nothing is decoded here.
CORPRESS_TEST_FAULT=selftest:1 expect 0 ranks 2 corpress verify -q --coded-only archive.h5
CORPRESS_TEST_FAULT=selftest:1 expect 0 ranks 2 corpress list archive.h5
