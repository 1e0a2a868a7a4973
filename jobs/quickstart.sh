#!/usr/bin/env bash
# quickstart.sh [CORPUS]: installs, builds, compresses with all cores, extracts, verifies, audits.
#
# Without CORPUS: up to 32 MB of the text that this machine has under /usr/share/doc, /usr/include
# and /usr/share/perl*; if that is less than 20 MB, of /usr/share and /usr/lib as well. Everything
# is written to build/ in the checkout. A second run builds nothing and compresses nothing anew if
# neither the program nor the corpus has changed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
corpus=()
for path in "$@"; do corpus+=("$(realpath -s -- "$path")"); done
cd "$root"
build=build/release
out=build/quickstart
archive=$out/corpus.h5
corpress=$build/corpress
least=20000000
most=32000000

say() { printf '\n== %s\n' "$*"; }

# text_files DIR...: text files below, NUL-terminated, sorted.
text_files() {
    # grep ends with 1 where it is given a binary file.
    find "$@" -type f -size +0 -size -4096k -readable -print0 2>/dev/null |
        { LC_ALL=C xargs -0 -r grep -lIZ -e '' -- || true; } | LC_ALL=C sort -z
}

# take BYTES: the first of the names on standard input that are no more than BYTES together.
take() {
    local left=$1 entry size
    xargs -0 -r stat --printf '%s/%n\0' -- | while IFS= read -r -d '' entry; do
        size=${entry%%/*}
        [ "$size" -le "$left" ] || continue
        left=$((left - size))
        printf '%s\0' "${entry#*/}"
    done
}

# regular FORMAT: find's -printf FORMAT for every regular file that $out/files names.
regular() { xargs -0 -r sh -c 'f=$1; shift; find "$@" -type f -printf "$f"' sh "$1" <"$out/files"; }

# Bytes of them.
corpus_bytes() { regular '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'; }

# Fills $out/files with what to compress.
find_corpus() {
    local -a places=() more=(/usr/share /usr/lib)
    local place
    if [ "${#corpus[@]}" -gt 0 ]; then
        printf '%s\0' "${corpus[@]}" >"$out/files"
        return
    fi
    for place in /usr/share/doc /usr/include /usr/share/perl /usr/share/perl5; do
        [ ! -d "$place" ] || places+=("$place")
    done
    # A link such as /usr/share/perl/5.36 is not followed.
    text_files "${places[@]}" | take "$most" >"$out/files"
    [ "$(corpus_bytes)" -lt "$least" ] || return 0
    text_files "${more[@]}" | take "$most" >"$out/files"
}

# What the archive depends on: the program, the files' names, sizes and times.
fingerprint() {
    {
        sha256sum "$corpress"
        regular '%p %s %T@\n' | LC_ALL=C sort
    } | sha256sum
}

say "Packages"
bash jobs/packages.sh build
say "Build"
cmake --preset release -DBUILD_TESTING=OFF >/dev/null
cmake --build --preset release | tail -n 1
"$corpress" --version

say "Corpus"
mkdir -p "$out"
find_corpus
cores=$(nproc)
bytes=$(corpus_bytes)
# At least one shard for each core, none larger than the default.
shard=$(((bytes + cores - 1) / cores))
[ "$shard" -ge 1048576 ] || shard=1048576
[ "$shard" -le 67108864 ] || shard=67108864
echo "$bytes bytes, $cores cores, shards of about $shard bytes"

say "Compress"
fresh=yes
if [ -f "$archive" ] && [ "$(cat "$out/fingerprint" 2>/dev/null)" = "$(fingerprint)" ]; then
    fresh=no
    echo "$archive is there and up to date"
else
    rm -f "$out/fingerprint"
    bash jobs/mpirun_local.sh "$cores" "$corpress" compress --files-from "$out/files" \
        --shard-size "$shard" --force -o "$archive"
fi
ls -l "$archive"

say "Extract one file, and compare"
IFS= read -r -d '' file < <(regular '%p\0')
rm -rf "$out/extracted"
"$corpress" extract -q "$archive" -C "$out/extracted" -- "${file#/}"
cmp -- "$out/extracted/${file#/}" "$file"
echo "$file is the same"

if [ "$fresh" = yes ]; then
    say "Decompress one shard, and compare"
    "$corpress" cat --shards 0 "$archive" >"$out/shard0"
    # The corpus is the files' bytes one after the other, in the archive's order.
    "$corpress" list --null "$archive" | (
        cd /
        xargs -0 sh -c 'for f; do [ -h "$f" ] || [ ! -f "$f" ] || printf "%s\0" "$f"; done' sh |
            xargs -0 cat -- 2>/dev/null || true
    ) | cmp --bytes="$(stat -c %s "$out/shard0")" -- "$out/shard0" -
    echo "shard 0 is the same"

    say "Verify"
    bash jobs/mpirun_local.sh "$cores" "$corpress" verify "$archive"
    fingerprint >"$out/fingerprint"
else
    say "Verify (the run before decoded everything; this one compares checksums)"
    "$corpress" verify --coded-only "$archive"
fi

say "Audit"
"$corpress" audit "$archive"
