# shellcheck shell=bash
# _facts.sh: how the golden archives are made, and what they hold, as text.

# golden_options NAME: puts those of the archive NAME.h5 into `options`.
golden_options() {
    case $1 in
    *_taught) options=(--profile "${1%_taught}" --lesson-bytes 256K) ;;
    *) options=(--profile "$1" --no-lesson) ;;
    esac
    options+=(--shard-size 1M)
}

# golden_newest: the folder of the archives that the program makes: next, if it makes others than the
# last released version did, else that version's.
golden_newest() (
    cd "$(dirname "${BASH_SOURCE[0]}")" || exit
    if [ -d next ]; then
        echo "$PWD/next"
    else
        printf '%s\n' "$PWD"/[0-9]*/ | sort -V | tail -n 1 | sed 's|/$||'
    fi
)

# golden_facts DIR: a line for each entry: kind and mode, time, hash or link target, name.
golden_facts() (
    cd "$1" || exit
    find . -mindepth 1 -print0 | LC_ALL=C sort -z | while IFS= read -r -d '' path; do
        if [ -h "$path" ]; then
            what=$(readlink "$path")
        elif [ -d "$path" ]; then
            what=-
        else
            what=$(sha256sum <"$path" | cut -d' ' -f1)
        fi
        printf '%s %s %q\n' "$(stat -c '%A %.9Y' "$path")" "$what" "$path"
    done
)
