# audit --html: a page that stays one, whatever the archive and its names hold.
page() { python3 "$TESTS/cli/page_check.py" "$@"; }
export LC_ALL=C.UTF-8

# Names that try to break out of a tag, an attribute, a drawing, a command.
mkdir -p corpus/sub
text 1100000 1 >corpus/a.txt
text 200000 2 >corpus/sub/b.jsonl
n=0
for name in '<script>alert(1)<' '">x' "'" "it's \$HOME \`x\`" $'a\nb' $'\e[31m\r' $'\xff\xc3(\'' \
    '</title></svg><p>' ']]>' '<!--' '&lt;&#60;' $'\u202egnp.\u2066' '-x' '*' 'a b\c' '%s%n' \
    'x.<b>' $'\t'"'\\n" 'öß日本語' "$(printf 'long%.0s' {1..60})"; do
    n=$((n + 1))
    mkdir -p "$(dirname "corpus/sub/$name")"
    { text $((n * 50)) "$n" && printf '%s' "$name"; } >"corpus/sub/$name"
done
mkdir "corpus/<b>\"'"
cp "corpus/sub/'" "corpus/<b>\"'"
: >corpus/empty
noise 3000 >corpus/noise.bin
a="it's \"<i>&.h5"
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o "$a"
expect 0 corpress audit "$a" --html page.html 2>said >printed
grep -q 'the report is in page.html' said
[ ! -s printed ] || fail "a table, too"
damaged=$(page page.html "$a" --files)
[ -z "$damaged" ] || fail "damaged: $damaged"
grep -q 'Seconds by shard' page.html
if grep -q 'Learning curve' page.html; then fail "a curve that was not asked for"; fi
cp page.html first.html

# A report is replaced by the next one, and is the same. So it is with many ranks.
ln page.html linked.html
expect 0 corpress audit -q "$a" --html page.html 2>said
[ ! -s said ] || fail "$(cat said)"
cmp page.html first.html
[ ! page.html -ef linked.html ] || fail "it was written in place"
expect 0 ranks 2 corpress audit -q "$a" --html page.html
cmp page.html first.html
expect 0 corpress audit -q "$a" --html page.html --curve --excerpts
page page.html "$a" --excerpts
grep -q 'Learning curve' page.html

# Without a run log there are no times. What a log says is not believed.
mv "$a.log.jsonl" log
expect 0 corpress audit -q "$a" --html page.html
page page.html "$a"
if grep -q 'Seconds by' page.html; then fail "times out of nothing"; fi
sed -E 's/"rank":0/"rank":-7/; s/"seconds":[0-9.]+/"seconds":nan/' log >"$a.log.jsonl"
expect 0 corpress audit -q "$a" --html page.html
page page.html "$a"
if grep -q 'Seconds by' page.html; then fail "times that are none"; fi

# Damage: a shard, then the primer.
offset=$(bitstream_offset "$a")
primer=$(corpress list --shards "$a" | awk '$1 == "primer" { print $4 }')
first=$(corpress list --shards "$a" | awk '$1 == "primer" || $1 == "0" { n += $4 } END { print n }')
cp "$a" flipped.h5
flip flipped.h5 $((offset + first + 1000))
expect 4 corpress audit -q flipped.h5 --html damaged.html --excerpts 2>said
damaged=$(page damaged.html flipped.h5 --excerpts)
grep -q 'corpus/a.txt' <<<"$damaged"
grep -q 'DAMAGED: 1 of the shards' damaged.html
grep -q 'no excerpt: it is damaged' damaged.html
grep -q '<q dir' damaged.html
if [ -n "$primer" ]; then
    cp "$a" flipped.h5
    flip flipped.h5 "$offset"
    expect 4 corpress audit -q flipped.h5 --html damaged.html --excerpts 2>said
    page damaged.html flipped.h5 --excerpts >damaged
    grep -q 'DAMAGED: the primer' damaged.html
fi

# An archive whose seal is broken, with a profile that steers: its commands say --unsealed.
cp "$a" forged.h5
chmod u+w forged.h5
python3 -c 'import h5py, numpy
with h5py.File("forged.h5", "r+", libver=("v110", "v110")) as f:
    del f.attrs["profile"]
    f.attrs.create("profile", numpy.bytes_(b"</dd><script>\x1b\xff&"))'
expect 4 corpress audit -q forged.h5 --html forged.html 2>said
absent forged.html
expect 0 corpress audit -q forged.h5 --html forged.html --unsealed 2>said
page forged.html forged.h5
grep -q 'The seal does not match' forged.html
grep -q 'corpress cat --unsealed forged.h5 ' forged.html

# Corpora without bytes, of one file, of one byte.
mkdir none
expect 1 corpress compress -q -p fast none -o none.h5 2>said
expect 0 corpress audit -q none.h5 --html none.html --curve --excerpts
page none.html none.h5 --excerpts
printf x >one
expect 0 corpress compress -q -p fast one -o one.h5
expect 0 corpress audit -q one.h5 --html one.html --curve --excerpts
page one.html one.h5 --excerpts

# More files than are drawn: the page says so, and all of them count.
mkdir many
python3 -c 'import os
for i in range(4100):
    open(f"many/{i:04d}" + "x" * 200, "w").write("a few words, and one of them is %d\n" % i)'
expect 0 corpress compress -q -p fast many -o many.h5
expect 0 corpress audit -q many.h5 --html many.html
page many.html many.h5
grep -q 'a sample: [0-9,]* of 4,100 files, one of every 2' many.html

# Names and texts that are as long as they can be when they are escaped: it is below 2 MB all the same.
python3 -c 'import os
os.mkdir("long")
os.chdir("long")
for i in range(14):
    name = "\"" * 180 + "&" * 40 + "\x1b" * 20
    os.mkdir(name)
    os.chdir(name)
for i in range(160):
    with open(f"{i:03d}" + "\"&\x1b" * 60, "w") as out:
        out.write(("\U000e0041" * 300 + str(i)) * 2)'
expect 0 corpress compress -q -p fast long -o long.h5
expect 0 corpress audit -q long.h5 --html long.html --excerpts
page long.html long.h5 --excerpts

# Decoded inputs.
gzip -c corpus/sub/b.jsonl >b.jsonl.gz
expect 0 corpress compress -q -p fast --decode-inputs b.jsonl.gz -o inputs.h5
expect 0 corpress audit -q inputs.h5 --html inputs.html 2>said
grep -q '<dt>On the disk it took</dt>' inputs.html

# What is refused leaves what is there.
echo mine >mine.html
expect 2 corpress audit -q "$a" --html mine.html 2>said
grep -q 'mine.html.*is no page' said
[ "$(cat mine.html)" = mine ] || fail "overwritten"
expect 2 corpress audit -q one.h5 --html one.h5 2>said
expect 0 corpress verify -q one.h5
for where in none nowhere/x.html /dev/null one/x.html; do
    expect 2 corpress audit -q "$a" --html "$where" --full 2>said
    grep -q "^corpress: .*$where" said || fail "$(cat said)"
done
[ -c /dev/null ] || fail "there is no /dev/null any more"
(
    ulimit -f 10
    expect 2 corpress audit -q "$a" --html full.html 2>said
    expect 2 corpress audit -q "$a" --html first.html 2>>said
)
[ "$(grep -c 'cannot write "\(full\|first\).html": File too large' said)" -eq 2 ] || fail "$(cat said)"
absent full.html
page first.html "$a" >damaged
[ -z "$(find . -name '*.html.*')" ] || fail "left behind: $(find . -name '*.html.*')"
expect 3 corpress audit "$a" --excerpts 2>said
expect 3 corpress audit "$a" --html x.html --json 2>said
expect 3 corpress audit "$a" --html x.html --by file 2>said
expect 3 corpress audit "$a" --html x.html corpus 2>said
absent x.html
