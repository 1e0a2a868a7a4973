# shellcheck shell=bash
# Completion for bash: commands, options and their values, files, and paths in archives. It needs
# bash 4 and nothing else.

@tables@

# _corpress_plain WORD: what the shell would make of it, as far as quotes and ~/ go.
_corpress_plain() {
    local word=$1
    [[ $word != \~/* ]] || word=$HOME/${word:2}
    printf '%s\n' "${word//[\"\'\\]/}"
}

# _corpress_members PROGRAM ARCHIVE WORD: paths of the archive that begin like this, to the next '/'.
# Names that `list` shows with a backslash are left out. Prints nothing if anything is wrong.
_corpress_members() {
    local program archive word
    program=$(_corpress_plain "$1")
    archive=$(_corpress_plain "$2")
    word=$(_corpress_plain "$3")
    [ -f "$archive" ] || return 0
    env -u CORPRESS_EXIT_FILE timeout 3 "$program" list -- "$archive" 2>/dev/null </dev/null |
        LC_ALL=C word=$word awk '
            BEGIN { word = ENVIRON["word"] }
            index($0, word) == 1 && !index($0, "\\") {
                slash = index(substr($0, length(word) + 1), "/")
                found[slash ? substr($0, 1, length(word) + slash) : $0]
            }
            END { for (path in found) if (!((path "/") in found)) print path }'
}

# _corpress_offer KIND [WORDS...]: completes $word by what it stands for.
_corpress_offer() {
    local kind=$1
    shift
    case $kind in
    words)
        mapfile -t COMPREPLY < <(compgen -W "$*" -- "$word")
        compopt +o bashdefault +o default
        [[ ${COMPREPLY[0]-} != *: ]] || compopt -o nospace
        ;;
    file) ;; # the shell does that
    archive)
        # Directories and what is named like an archive; any file if there is neither.
        mapfile -t COMPREPLY < <(
            compgen -d -- "$word"
            compgen -f -X '!*.h5' -- "$word"
        )
        compopt -o filenames
        ;;
    directory) compopt +o bashdefault +o default -o dirnames ;;
    member)
        mapfile -t COMPREPLY < <(_corpress_members "${COMP_WORDS[0]}" "${operands[0]}" "$word")
        compopt +o bashdefault +o default -o filenames
        [[ ${COMPREPLY[0]-} != */ ]] || compopt -o nospace
        ;;
    *) compopt +o bashdefault +o default ;;
    esac
}

_corpress() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} wanted='' plain='' i
    local -a operands=() kinds=()
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        _corpress_offer words "$(_corpress_commands)"
        return
    fi
    # What is in front of the word. "--format=csv" is three words: bash splits it at the "=".
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [ -n "$plain" ] || [[ ${COMP_WORDS[i]} != -?* ]]; then
            operands+=("${COMP_WORDS[i]}")
        elif [ "${COMP_WORDS[i]}" = -- ]; then
            plain=1
        elif wanted=$(_corpress_value "$command" "${COMP_WORDS[i]}"); then
            i=$((i + 1))
            [ "${COMP_WORDS[i]}" != = ] || i=$((i + 1))
        fi
    done
    if [ "$i" -gt "$COMP_CWORD" ]; then
        [ "$word" != = ] || word=''
        read -ra kinds <<<"$wanted"
        _corpress_offer "${kinds[@]}"
    elif [ -z "$plain" ] && [[ $word = -* ]]; then
        _corpress_offer words "$(_corpress_options "$command")"
    else
        read -ra kinds <<<"$(_corpress_operands "$command")"
        _corpress_offer "${kinds[${#operands[@]} > 0]-text}"
    fi
}

complete -o bashdefault -o default -F _corpress corpress
