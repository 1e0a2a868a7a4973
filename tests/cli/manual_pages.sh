# Every command has a manual page, made from the tables that --help comes from: with all its options,
# and nothing that man would warn about.
[ -n "${BUILD:-}" ] || skip "this build has no manual pages"
pages=$BUILD/manual/man1
manual=$JOBS/MANUAL.md

# plain PAGE: without fonts and escapes.
plain() { sed -E 's/\\f[BIR]//g; s/\\-/-/g; s/\\\(aq/'\''/g; s/\\&//g' "$1"; }
# section PAGE TITLE: its lines.
section() { plain "$1" | awk -v head=".SH $2" '/^\.SH / { on = $0 == head; next } on'; }
# terms PAGE TITLE: those of its list.
terms() { section "$@" | awk 'last == ".TP" { print } { last = $0 }'; }

terms "$pages/corpress.1" COMMANDS >summary
mapfile -t commands < <(corpress --help | sed -nE 's/^  corpress ([a-z]+) .*/\1/p')
[ "${#commands[@]}" -ge 10 ] || fail "commands: ${commands[*]}"
find "$pages" -name '*.1' -printf '%f\n' | sort >made
{ echo corpress.1 && printf 'corpress-%s.1\n' "${commands[@]}"; } | sort | diff - made

for command in "${commands[@]}"; do
    page=$pages/corpress-$command.1
    corpress "$command" --help >help
    # "  -o, --output ARCHIVE.h5  the archive to write"
    sed -nE 's/^  (-., |    )(--[a-z-]+( [^ ]+)?)(  .*)?$/\1\2/p' help | sed 's/^ *//' >options
    [ -s options ] || fail "$command --help has no options"
    terms "$page" OPTIONS | diff options - || fail "the options on the page of $command"
    section "$page" SYNOPSIS | tr '\n' ' ' | sed 's/ \.br /\n/g; s/ $/\n/' >synopsis
    sed '/^$/,$d' help | diff - synopsis || fail "the synopsis of $command"
    [ -n "$(section "$page" DESCRIPTION)" ] || fail "$command has no description"
    # Its examples are lines of the command, with options that it has.
    section "$page" EXAMPLES | awk '/^\.EX/ { getline; print }' >examples
    [ "$(wc -l <examples)" -ge 2 ] || fail "the examples of $command"
    while read -r line; do
        case $line in *"corpress $command "*) ;; *) fail "an example of $command: $line" ;; esac
        line=${line#*"corpress $command"}
        for option in $(grep -oE -- '(^| )--?[a-zA-Z][a-z-]*' <<<"${line%%|*}"); do
            grep -qE -- "(^|, )$option( |\$|,)" options || fail "$command has no $option: $line"
        done
    done <examples
    grep -q "^$command " summary || fail "corpress(1) lacks $command"
    grep -qF "corpress\\-$command (1)" "$pages/corpress.1" || fail "corpress(1) lacks a link to $command"
done

for page in "$pages"/*.1; do
    terms "$page" 'EXIT STATUS' | tr '\n' ' ' | grep -qx '0 1 2 3 4 5 75 ' || fail "exit codes: $page"
    for title in NAME SYNOPSIS DESCRIPTION OPTIONS ENVIRONMENT EXAMPLES 'SEE ALSO'; do
        grep -qx ".SH $title" "$page" || fail "$page has no $title"
    done
    grep -qF "\"corpress $(corpress --version | sed 's/corpress \([^,]*\).*/\1/')\"" "$page" ||
        fail "another version: $page"
done
sed -nE 's/^\| `(CORPRESS_[A-Z_]+)` .*/\1/p' "$manual" >variables
[ -s variables ] || fail "$manual has no variables"
terms "$pages/corpress.1" ENVIRONMENT | grep CORPRESS_ | diff variables -

# The same text makes the same page.
[ "$(grep -h '^\.TH' "$pages"/*.1 | awk '{ print $4 }' | sort -u)" = \
    "$(sed -nE 's/^## [0-9.]+, ([0-9-]+)$/\1/p' "$JOBS/CHANGES.md" | head -n 1)" ] || fail "the date"

# What reads pages has nothing to say about these.
for page in "$pages"/*.1; do
    if command -v man >/dev/null && command -v groff >/dev/null; then
        man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null | tee -a warnings
    fi
    ! command -v mandoc >/dev/null || mandoc -Tlint "$page" | tee -a warnings
done
[ ! -s warnings ] || fail "a page has faults"
