# What pins the bytes of archives changes only together with a version: each commit that touches the
# files of `pinned` must also change one of the versions that headers define, or add an archive.
root=$(cd "$TESTS/.." && pwd)
[ -e "$root/.git" ] || skip "not a checkout"
git -C "$root" rev-parse --git-dir >/dev/null 2>&1 || skip "git does not take this for a checkout"
pinned=(tests/golden/*.h5 tests/golden/known_answers shard/codec/known_answers.h)

# versions [COMMIT]: the versions that headers define there, or in the files as they are.
versions() {
    git -C "$root" grep -hE '^#define CPR_(TOKENS|MIXING|SRU|TAUGHT|PRESETS|CODER|BLOCKS|BLOB|WEIGHTS|FORMAT)_VERSION ' \
        "$@" -- '*.h' | sed 's/ *\/\*.*//' | sort
}
# content FILE [COMMIT]: a file of `pinned` there, or as it is; of the known answers without how
# networks are laid out, which earlier ones had at the end of lines.
content() {
    if [ $# -gt 1 ]; then git -C "$root" show "$2:$1"; else cat "$root/$1"; fi |
        if [[ $1 = */known_answers ]]; then sed 's/ [a-z]*-header=.*//'; else cat; fi
}
# changed OLD [NEW]: the files of `pinned` that are not the same in two commits.
changed() {
    local file
    git -C "$root" diff --name-only -M100% --diff-filter=MD "$@" -- "${pinned[@]}" |
        while IFS= read -r file; do
            cmp -s <(content "$file" "$1") <(content "$file" "${@:2}" 2>/dev/null) || echo "$file"
        done
}
# judge WHAT OLD NEW CHANGED: fails if files changed and versions did not.
judge() {
    [ -z "$4" ] || [ "$2" != "$3" ] ||
        fail "$1 changes $(echo "$4" | paste -sd ' ') but no component's version"
}

now=$(versions)
[ "$(wc -l <<<"$now")" -eq 10 ] || fail "not ten versions: $now"
judge "the working tree" "$(versions HEAD)" "$now" \
    "$(changed HEAD)"

# Since the rule holds, as far back as this checkout goes.
first=$(git -C "$root" log --diff-filter=A --format=%H -- tests/golden/component_versions.sh | tail -n 1)
[ -n "$first" ] || exit 0
for commit in $(git -C "$root" rev-list "$first..HEAD" -- "${pinned[@]}"); do
    git -C "$root" rev-parse -q --verify "$commit^" >/dev/null || continue
    judge "commit $commit" "$(versions "$commit^")" "$(versions "$commit")" \
        "$(changed "$commit^" "$commit")"
done
