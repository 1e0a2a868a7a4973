#!/usr/bin/env bash
# The one style, as far as a search can tell: check_style.sh FILE-OR-FOLDER... What needs to know
# types (tests of pointers, sizeof of names) is asked by .ci/style.sh.
set -euo pipefail
failed=0

# refuse WHAT PATTERN PATH...: no line of the C sources matches.
refuse() {
    local what=$1 pattern=$2 found
    shift 2
    if found=$(grep -rnE --include='*.[ch]' -- "$pattern" "$@"); then
        printf '%s:\n%s\n' "$what" "$found"
        failed=1
    fi
}

calls='close|closedir|dup2|fclose|fcntl|fflush|fprintf|fputc|fputs|fseeko?|fstat|fsync|fwrite'
calls+='|kill|mem(cpy|move|set)|mkdir|munmap|printf|putc|putchar|puts|pthread_[a-z_]+|read|remove'
calls+='|rename|setenv|sig[a-z]+|snprintf|str[a-z]+|unlink(at)?|usleep|vsnprintf|write'
refuse "write the call without (void)" "\(void\) ?($calls)\(" "$@"
refuse "write i++ where the value is not used" '(^|[;{}]) *(\+\+|--)[][A-Za-z0-9_.>*-]+ *[;)]' "$@"
refuse "write sizeof *p, sizeof name, sizeof(type)" 'sizeof ?\( ?[*&]|sizeof \(' "$@"
refuse "compare pointers with NULL" '!(strchr|strrchr|strstr|memchr|getenv|[cm]alloc|realloc|fopen)\(' "$@"
exit "$failed"
