#!/usr/bin/env bash
# Folders depend on each other in one direction only: check_includes.sh ROOT
set -euo pipefail
cd "$1"
failed=0

# forbid FOLDER PATTERN: no source of FOLDER, or below it, may include a header that matches PATTERN.
forbid() {
    local found
    if found=$(grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)[>\"]" "$1"); then
        printf '%s must not include this:\n%s\n' "$1" "$found"
        failed=1
    fi
}

# headers_of FOLDER...: their names as an alternation.
headers_of() {
    local folder
    for folder in "$@"; do find "$folder" -name '*.h' -printf '([^>"]*/)?%f\n'; done |
        sed 's/\./\\./g; s/\[^>"\]\*/[^>"]*/' | paste -sd '|'
}

forbid coder "$(headers_of model shard mpi jobs)"
forbid model "$(headers_of coder shard mpi jobs)"
forbid shard "$(headers_of mpi jobs)"
forbid mpi "$(headers_of jobs)"
forbid mpi/ranks "$(headers_of mpi/compress mpi/decode)"
forbid mpi/compress "$(headers_of mpi/decode)"
forbid mpi/decode "$(headers_of mpi/compress)"
for folder in mpi/compress mpi/decode; do forbid "$folder" 'ranks_private\.h|mpi\.h'; done
for folder in coder model shard; do forbid "$folder" 'mpi\.h'; done
for folder in coder model mpi jobs; do forbid "$folder" 'hdf5\.h|H5[A-Za-z]*\.h'; done
for folder in coder shard mpi jobs; do forbid "$folder" 'cblas\.h|openblas.*\.h'; done

twice=$(find coder model shard mpi jobs -name '*.[ch]' -printf '%f\n' | sort | uniq -d)
if [ -n "$twice" ]; then
    printf 'file names must be unique in the tree: %s\n' "$twice"
    failed=1
fi
exit "$failed"
