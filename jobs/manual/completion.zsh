#compdef corpress
# Completion for zsh: commands, options and their values, files, and paths in archives.

@tables@

_corpress_archives() {
    _files -g '*.h5'
}

# Paths of the archive, part by part; none if it cannot be listed. Names that `list` shows with a
# backslash are left out.
_corpress_members() {
    local archive=${(Q)line[1]}
    archive=${archive/#\~\//$HOME/}
    [[ -f $archive ]] || return 1
    local -a members=(
        ${(f)"$(env -u CORPRESS_EXIT_FILE timeout 3 ${(Q)corpress_program} list -- $archive 2>/dev/null </dev/null)"}
    )
    members=(${members:#*\\*})
    (( $#members )) && _multi_parts / members
}

_corpress() {
    local curcontext=$curcontext corpress_program=$words[1] state
    local -a line
    _arguments -C \
        '(- *)'{-h,--help}'[print a help text]' \
        '(- *)'{-V,--version}'[print the version]' \
        '1:command:_corpress_commands' \
        '*::argument:->arguments'
    [[ $state == arguments ]] && _corpress_arguments $line[1]
}

_corpress "$@"
