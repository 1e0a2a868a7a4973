# Text from the model of an archive: `corpress generate`.
mkdir corpus
text 1000000 1 >corpus/a
text 1300000 2 >corpus/b
text 900000 3 >corpus/c
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o a.h5

# The same seed draws the same text, another one another; the default is 1.
draw() { expect 0 corpress generate "$@"; }
draw a.h5 >first
[ "$(stat -c %s first)" -eq 1000 ] || fail "$(stat -c %s first) bytes"
draw a.h5 | cmp - first
draw a.h5 --seed 1 --temperature 1.000 --bytes 1000 | cmp - first
draw a.h5 --cache cache | cmp - first
draw a.h5 --cache cache | cmp - first
expect 0 ranks 2 corpress generate a.h5 | cmp - first
draw a.h5 --bytes 10 | cmp - <(head -c 10 first)
if draw a.h5 --seed 2 | cmp -s - first; then fail "seeds 1 and 2 draw the same"; fi
if draw a.h5 --seed 18446744073709551615 | cmp -s - first; then fail "it ignores the seed"; fi
if draw a.h5 --prompt 'a' | cmp -s - first; then fail "it ignores the prompt"; fi
draw a.h5 --bytes 0 >none
[ ! -s none ] || fail "$(cat none)"

# It costs what text of the corpus does: it is drawn as often as the model expects it. Colder text
# is cheaper, hotter text dearer. (A longer one would show how the model follows itself.)
bits() { corpress score a.h5 "$1" --format csv | sed -n 2p | cut -d, -f8; }
draw a.h5 --bytes 5000 >warm
draw a.h5 --bytes 5000 --temperature 0.5 >cool
draw a.h5 --bytes 5000 --temperature 2 >hot
head -c 5000 corpus/c >corpus.part
python3 -c 'import sys
cool, warm, hot, corpus = map(float, sys.argv[1:])
assert cool < warm - 0.2 and warm < hot - 0.2, sys.argv
assert abs(warm - corpus) < 0.2, sys.argv' \
    "$(bits cool)" "$(bits warm)" "$(bits hot)" "$(bits corpus.part)"
# Blocks have no say.
draw a.h5 --bytes 140000 >long
draw a.h5 --bytes 70000 | cmp - <(head -c 70000 long)

# At temperature 0 it is the likeliest, and there is no chance in it.
draw a.h5 --temperature 0 --seed 3 | cmp - <(draw a.h5 --temperature 0 --seed 4)
draw a.h5 --temperature 0.001 --seed 3 | cmp - <(draw a.h5 --temperature 0)
# It goes on with what it has read.
prompt=$(sed -n 3001,3050p corpus/b)$'\n'
draw a.h5 --temperature 0 --prompt "$prompt$prompt" --bytes 50 >on
cmp on <(printf '%s' "$prompt" | head -c 50) || fail "$(cat on)"

# Every profile, with and without a primer, and with networks.
head -c 30000 corpus/a >small
for options in "fast" "balanced" "strong --no-lesson" "strong --lesson-bytes 64K" \
    "neural --no-lesson"; do
    # shellcheck disable=SC2086
    expect 0 corpress compress -q -f -p $options small -o small.h5
    draw small.h5 --bytes 300 >first 2>said
    draw small.h5 --bytes 300 --prompt '' 2>said | cmp - first
    [ "$(stat -c %s first)" -eq 300 ] || fail "$options: $(cat first)"
    grep -q 'note: the archive has no primer' said || fail "$(cat said)"
done

# A reader that goes away, a disk that is full, and what is wrong.
code=0
corpress generate a.h5 --bytes 4G 2>said | head -c 100 >out || code=${PIPESTATUS[0]}
[ "$code" -eq 141 ] || fail "ended with $code"
draw a.h5 --bytes 100 | cmp - out
[ ! -s said ] || fail "$(cat said)"
expect 2 corpress generate a.h5 >/dev/full
expect 3 corpress generate
expect 3 corpress generate a.h5 b.h5
expect 3 corpress generate a.h5 --bytes 5G
for seed in '' x -1 1x 18446744073709551616; do expect 3 corpress generate a.h5 --seed "$seed"; done
for heat in '' . x -1 1. .5 1.0001 1001 1000.001 1,5 1e3; do
    expect 3 corpress generate a.h5 --temperature "$heat"
done
expect 2 corpress generate none.h5
expect 2 corpress generate small
cp a.h5 damaged.h5
flip damaged.h5 $(($(bitstream_offset a.h5) + 1000))
expect 4 corpress generate damaged.h5 >out
[ ! -s out ] || fail "$(cat out)"
