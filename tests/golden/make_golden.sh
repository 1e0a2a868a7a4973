#!/usr/bin/env bash
# make_golden.sh CORPRESS [NAMES]: makes the golden archives, or those with the NAMES, anew in the
# folder next, with the program CORPRESS. A release gives that folder its version's name.
set -euo pipefail
corpress=$(realpath "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/_facts.sh"
newest=$(golden_newest)
[ -d "$here/next" ] || cp -r "$newest" "$here/next" # what is not made anew stays as it was
options=()
export LC_ALL=C
. "$here/../_lib.sh"

# markup BYTES: nested brackets, quotations and tags, which the model follows.
markup() {
    python3 -c 'import random, sys
rng = random.Random(4)
words = ["Node", "left", "right", "The", "value", "x", "if", "return", "don\x27t", "Array"]
def piece(depth):
    inner = lambda: "".join(piece(depth + 1) for _ in range(rng.randint(1, 3))) if depth < 40 else "."
    kind = rng.randint(0, 9) if depth < 40 else 0
    if kind < 4: return rng.choice(words) + rng.choice([" ", " ", ", ", ": ", " = "])
    if kind < 7: return rng.choice(["(%s)", "[%s]", "{\n    %s\n}\n"]) % inner()
    if kind == 7: return rng.choice(["\"%s\" ", "\x27%s\x27 "]) % rng.choice(words)
    tag = rng.choice(["p", "em", "item"])
    return "<%s>%s</%s>\n" % (tag, inner(), tag)
out = ""
while len(out) < int(sys.argv[1]): out += piece(0)
sys.stdout.write(out[: int(sys.argv[1])])' "$1"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p golden/empty_directory golden/sub/deep
text 60000 1 >golden/text
markup 30000 >golden/sub/markup
text 20000 2 | tr ' ' '\t' >golden/sub/deep/table
noise 9000 3 >golden/noise
seq -f 'at %010.0f nothing happened on host node-17, and nobody was told' 60000 >golden/log
printf 'no line end' >golden/sub/short
: >golden/sub/nothing
printf 'caf\351, not UTF-8\n' >$'golden/sub/caf\351 \n'
head -c 70000 /dev/zero >golden/zeros
ln -s ../text golden/sub/link
ln -s /absent golden/dangling
cp -a golden small # for the slow profile
rm small/{log,noise,zeros}
find golden small -type d -exec chmod 755 {} +
find golden small -type f -exec chmod 644 {} +
chmod 600 {golden,small}/sub/short
chmod 750 {golden,small}/sub/deep
find golden small -depth -exec touch -h -d '2024-02-29 12:34:56.789012345 UTC' {} +
touch -d '1969-12-31 23:59:58.5 UTC' golden/text small/text

for profile in ${2:-balanced fast neural strong strong_taught}; do
    golden_options "$profile"
    mkdir "$profile"
    [ "$profile" = neural ] && tree=small || tree=golden
    cp -a "$tree" "$profile"
    (cd "$profile" && "$corpress" compress -q --force "${options[@]}" "$tree" \
        -o "$here/next/$profile.h5")
    rm "$here/next/$profile.h5.log.jsonl"
    golden_facts "$profile" >"$here/next/$profile.files"
done
