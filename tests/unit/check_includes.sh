#!/usr/bin/env bash
# Folders depend on each other in one direction only: check_includes.sh ROOT
set -euo pipefail
cd "$1"
failed=0

# forbid FOLDER PATTERN: no source of FOLDER, or below it, may include a header that matches PATTERN.
forbid() {
    local found
    if found=$(grep -rnE --include='*.[ch]' \
        "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)[>\"]" "$1"); then
        printf '%s must not include this:\n%s\n' "$1" "$found"
        failed=1
    fi
}

# headers_of FOLDER...: the headers in them and below, as an alternation; not the public ones, which
# declare what the library shows of all wings of shard/.
headers_of() {
    find "$@" -name '*.h' ! -name corpress.h ! -name 'corpress_*.h' -printf '([^>"]*/)?%f\n' |
        sed 's/\./\\./g; s/\[^>"\]\*/[^>"]*/' | paste -sd '|'
}

# in_order FOLDER...: each may include only those before it.
in_order() {
    local folder
    while [ $# -gt 1 ]; do
        folder=$1
        shift
        forbid "$folder" "$(headers_of "$@")"
    done
}

forbid coder "$(headers_of model)"
forbid model "$(headers_of coder)"
in_order coder shard mpi jobs
in_order model shard mpi jobs
in_order model/vocabulary model/network model/mixing
for folder in shard mpi jobs; do # these see only the top of model/
    forbid "$folder" "$(headers_of model/vocabulary model/network model/mixing)"
    forbid "$folder" 'profiles?\.h|layout\.h|instructions\.h'
done
for folder in model/vocabulary model/network; do forbid "$folder" 'profiles?\.h'; done
forbid model/mixing 'sru\.h|blas\.h|cblas\.h' # networks are known by predictor.h alone
in_order mpi/ranks mpi/compress mpi/forecast mpi/decode
forbid mpi/decode "$(headers_of mpi/compress mpi/forecast)"
for folder in mpi/compress mpi/forecast mpi/decode; do forbid "$folder" 'ranks_private\.h|mpi\.h'; done
# The command sees what a user of the library sees: the public headers, and its own.
forbid jobs "$(find coder model shard mpi -name '*.h' -not -name corpress.h \
    -not -name 'corpress_*.h' \
    -printf '([^>"]*/)?%f\n' | sed 's/\./\\./g; s/\[^>"\]\*/[^>"]*/' | paste -sd '|')"
in_order shard/base shard/inputs shard/corpus shard/codec shard/work shard/archive shard/output
for folder in coder model; do forbid "$folder" 'corpress\.h'; done
forbid shard/codec "$(headers_of shard/corpus)"
forbid shard/archive "$(headers_of shard/work)"
forbid shard/output "$(headers_of shard/archive)"
forbid shard/library "$(headers_of shard/output)"
for folder in shard/base shard/inputs shard/corpus; do forbid "$folder" "$(headers_of coder model)"; done
for folder in coder model shard; do forbid "$folder" 'mpi\.h'; done
for folder in coder model mpi jobs; do forbid "$folder" 'hdf5\.h|H5[A-Za-z]*\.h'; done
for folder in base inputs corpus codec work output; do forbid "shard/$folder" 'hdf5\.h|H5[A-Za-z]*\.h'; done
for folder in coder shard mpi jobs; do forbid "$folder" 'cblas\.h|openblas.*\.h'; done

# jobs/ calls what the public headers declare, and nothing else of the libraries.
called() { cat "$@" | grep -oE '\bcpr_[a-z0-9_]+\(' | sort -u; }
if found=$(comm -23 <(called jobs/*.[ch]) <(called shard/library/corpress*.h mpi/corpress*.h) |
    grep .); then
    printf 'jobs/ must not call what is not public:\n%s\n' "$found"
    failed=1
fi

twice=$(find coder model shard mpi jobs -name '*.[ch]' -printf '%f\n' | sort | uniq -d)
if [ -n "$twice" ]; then
    printf 'file names must be unique in the tree: %s\n' "$twice"
    failed=1
fi
exit "$failed"
