# Shells complete commands, options, their values, and paths in archives.
[ -n "${BUILD:-}" ] || skip "this build has no completion"
scripts=$BUILD/manual

# It needs nothing but bash; compopt works only while a word is completed.
# shellcheck source=/dev/null
. "$scripts/completion.bash"
compopt() { chosen+=" $*"; }
complete -p corpress | grep -q -- '-F _corpress corpress' || fail "nothing is completed"

# offered WORD...: what the last word may become, in the file `got`; how in $chosen.
offered() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=(none)
    chosen=''
    _corpress "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d' | sort >got
}
# want WORD...: that was offered.
want() { diff <(printf '%s\n' "$@" | sed '/^$/d' | sort) got || fail "for ${COMP_WORDS[*]}"; }

mapfile -t commands < <(corpress --help | sed -nE 's/^  corpress ([a-z]+) .*/\1/p')
offered corpress ''
want "${commands[@]}" --help --version
offered corpress co
want compress
for command in "${commands[@]}"; do
    corpress "$command" --help | grep -E '^  (-., |    )--' | grep -oE -- '^ +(-., )?--[a-z-]+' |
        tr -d ', ' | sed -E 's/^(-.)(--)/\1\n\2/' | sort >options
    offered corpress "$command" -
    diff options got || fail "the options of $command"
    awk -v head="    $command)" '$0 == head { on = 1 } /^        ;;/ { on = 0 } on' \
        "$scripts/completion.zsh" >zsh
    while read -r option; do
        grep -qE -- "['*{,]$option([=+[},]|\$)" zsh || fail "zsh: $command $option"
    done <options
done

# Values that are words, also behind '=', which bash takes for a word.
offered corpress audit --by ''
want shard file input
offered corpress score --by ''
want file document
offered corpress list --format = j
want json
offered corpress plan --format =
want table json
offered corpress compress -p ''
want balanced fast strong neural
offered corpress compress x --profile s
want strong
offered corpress compress --documents sep
want separator:
[[ $chosen == *'-o nospace'* ]] || fail "a blank behind separator:"
# Numbers and texts: nothing, not even files. Files: what the shell does by itself.
: >file
for option in --shard-size --exclude; do
    offered corpress compress "$option" ''
    want ''
    [[ $chosen == *'+o default'* ]] || fail "$option is offered files"
done
for words in 'compress ' 'compress --output ' 'plan -L ' 'score a.h5 ' 'verify --state '; do
    IFS=' ' read -ra line <<<"$words"
    offered corpress "${line[@]}" ''
    want ''
    [ -z "$chosen" ] || fail "$words: $chosen"
done
offered corpress extract a.h5 -C ''
want ''
[[ $chosen == *'-o dirnames'* ]] || fail "-C: $chosen"

# Archives, and the paths in them, to the next slash.
mkdir -p in/one 'in/a b' other
for path in in/one/x.c in/one/y.c 'in/a b/c d' in/$'new\nline'; do echo text >"$path"; done
corpress compress -q -p fast in -o 'my archive.h5'
cp 'my archive.h5' it.h5
for command in extract cat list audit verify status generate; do
    offered corpress "$command" ''
    want it.h5 'my archive.h5' in other
done
offered corpress extract it.h5 ''
want in/
[[ $chosen == *'-o nospace'* ]] || fail "a blank behind in/"
offered corpress cat -j 2 it.h5 in/
want in/one/ 'in/a b/'
offered corpress cat --threads = 2 it.h5 in/one/
want in/one/x.c in/one/y.c
offered corpress list 'my\ archive.h5' 'in/a\ '
want 'in/a b/'
offered corpress audit --by file "'my archive.h5'" in/one/x
want in/one/x.c
offered corpress cat it.h5 -- in/one/y
want in/one/y.c
offered corpress verify it.h5 ''
want ''
# Where that fails nobody hears of it.
CORPRESS_EXIT_FILE=code offered corpress extract it.h5 nothing
want ''
absent code
for archive in file in absent.h5 "\$(touch touched)" "\`touch touched\`"; do
    offered corpress extract "$archive" '' 2>said
    want ''
    [ ! -s said ] || fail "$archive: $(cat said)"
done
offered corpress frobnicate a ''
want ''
absent touched

bash -n "$scripts/completion.bash"
! command -v shellcheck >/dev/null || shellcheck "$scripts/completion.bash"
! command -v zsh >/dev/null || zsh -n "$scripts/completion.zsh"
