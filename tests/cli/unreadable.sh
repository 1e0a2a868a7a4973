# What cannot be read, or is not there, is found before anything is coded: all of it is named, or
# left out with a warning.
mkdir -p corpus/closed corpus/sub
for i in 1 2 3; do text 20000 "$i" >"corpus/$i"; done
echo a >corpus/sub/a
echo b >corpus/closed/b
chmod 000 corpus/2 corpus/sub/a corpus/closed
# refused COMMAND...: with the names, and nothing is left.
refused() {
    local name
    expect 2 unprivileged "$@" 2>said >/dev/null
    for name in 2 closed sub/a; do
        grep -q "^corpress: warning: .*\"corpus/$name\": Permission denied" said || fail "$(cat said)"
    done
    grep -q '^corpress: [3-5] inputs cannot be read; --skip-unreadable leaves them out$' said
    nothing_left archive.h5
    absent archive.h5.log.jsonl
}
refused corpress compress -q -p fast corpus -o archive.h5
refused corpress compress -q -p fast absent corpus missing -o archive.h5
grep -q '"absent": No such file' said
grep -q '"missing": No such file' said
printf 'corpus\nabsent\nmissing\n' >list
refused corpress compress -q -p fast --files-from list -o archive.h5
grep -q '"missing": No such file' said
refused corpress plan corpus
# One alone is named in the message itself.
expect 2 unprivileged corpress compress -q -p fast corpus/1 corpus/2 -o archive.h5 2>said
[ "$(cat said)" = 'corpress: cannot read "corpus/2": Permission denied; --skip-unreadable leaves it out' ]
nothing_left archive.h5

skip=(unprivileged corpress compress -q -p fast --skip-unreadable)
expect 1 "${skip[@]}" corpus absent -o archive.h5 2>said
grep -q '^corpress: warning: left out: cannot read "absent": No such file' said
[ "$(grep -c '^corpress: warning: left out: ' said)" -eq 4 ] || fail "$(cat said)"
expect 0 corpress list archive.h5 >listed
printf 'corpus\ncorpus/1\ncorpus/3\ncorpus/sub\n' | cmp - listed
rm archive.h5*
expect 1 unprivileged corpress plan --sample-bytes 0 --skip-unreadable corpus 2>/dev/null >/dev/null
# Nothing at all is nothing to compress.
expect 2 "${skip[@]}" corpus/2 absent -o archive.h5 2>said
grep -q '^corpress: nothing that can be read is left of the corpus$' said
nothing_left archive.h5
# With everything readable it says nothing.
chmod -R u=rwX,go=rX corpus
expect 0 "${skip[@]}" corpus -o archive.h5 2>said
cmp said /dev/null
