#!/usr/bin/env bash
# core_bytes.sh CORE_BYTES ROOT: the model and the coders make the same bytes with every kernel of
# this machine, and compiled for aarch64 and for s390x, which is big-endian, under qemu's emulation
# of their processors. What a taught network has coded on one machine, with weights from there, is
# decoded on the other. CORE_BYTES is the native build of core_bytes.c. For the others
# model/network/blas.c is replaced by plain sums of integers, which also see to it that all operands
# are integers. Skipped, after the kernels, where there is neither architecture's cross compiler and
# emulator.
set -euo pipefail
native=$(realpath "$1")
cd "$2"
# shellcheck source=tests/_lib.sh
. tests/_lib.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compare WHAT COMMAND...: the command writes what the native program wrote.
compare() {
    local what=$1
    shift
    "$@" >"$work/actual" 2>"$work/kernel" || fail "$what: $(cat "$work/kernel")"
    diff -u --label native --label "$what" "$expected" "$work/actual" ||
        fail "$what makes other bytes"
    echo "$what: the same (kernel $(cat "$work/kernel"))"
}

# exchange WHAT COMMAND...: the command, which is the program, decodes what the native program has
# coded, and the other way round.
exchange() {
    local expected=$work/decoded what=$1
    shift
    compare "$what, what native coded" "$@" --read "$work/coded"
    compare "native, what $what coded" "$native" --read "$work/coded.$what"
}

# cross ARCHITECTURE: builds for it as CMakeLists.txt does, the kernels at -O3, and compares.
# Static, so that the emulator needs no libraries of that architecture.
cross() {
    local compiler=$1-linux-gnu-gcc emulator kernel flags=(-std=c17 -D_DEFAULT_SOURCE
        -D_FILE_OFFSET_BITS=64 -ffp-contract=off -fexcess-precision=fast -Icoder -Imodel
        -Imodel/vocabulary -Imodel/network -Imodel/mixing -Itests/unit/plain_blas
        -Ishard/base -Ishard/codec -Ishard/library -DXXH_INLINE_ALL -isystem "$work/include")
    if ! emulator=$(command -v "qemu-$1-static" || command -v "qemu-$1") ||
        ! command -v "$compiler" >/dev/null; then
        echo "$1: left out, as there is no $compiler or no qemu-$1-static"
        return
    fi
    for kernel in model/*/*_kernel.c; do
        "$compiler" -O3 "${flags[@]}" -c "$kernel" -o "$work/$1.$(basename "$kernel" .c).o"
    done
    "$compiler" -O2 "${flags[@]}" -static tests/unit/core_*.c tests/unit/plain_blas/*.c coder/*.c \
        "${sources[@]}" "$work/$1".*.o -o "$work/$1"
    compare "$1" "$emulator" "$work/$1" --write "$work/coded.$1"
    exchange "$1" "$emulator" "$work/$1"
    compared=$((compared + 1))
}

compared=0
expected=$work/expected
# xxHash is no more than a header here.
mkdir "$work/include"
ln -s "$(pkg-config --variable=includedir libxxhash)/xxhash.h" "$work/include"
mapfile -t sources < <(find model -name '*.c' ! -name '*_kernel.c' ! -name blas.c)
sources+=(shard/codec/weights_codec.c shard/base/{file_io,hash,printable,status}.c)
"$native" --write "$work/coded" >"$work/expected" 2>"$work/kernel" || fail "native: $(cat "$work/kernel")"
cat "$work/expected"
grep '^decoded ' "$work/expected" >"$work/decoded"
# Where one cannot run, the program takes another and says so.
for kernel in baseline avx2 avx512 avx512vnni; do
    compare "native, $kernel wanted" env CORPRESS_KERNEL=$kernel "$native"
done
# OpenBLAS takes another kernel where this machine cannot run the one wanted. It computes for the
# baseline.
expected=$work/neural
grep -vE '^profile (balanced|fast|strong) ' "$work/expected" >"$expected"
for kernel in Prescott Nehalem Sandybridge Haswell SkylakeX; do
    compare "native, OpenBLAS for $kernel" env CORPRESS_KERNEL=baseline OPENBLAS_CORETYPE=$kernel "$native" neural
done
compare "native, OpenBLAS with 2 threads" env CORPRESS_KERNEL=baseline OPENBLAS_NUM_THREADS=2 "$native" neural
expected=$work/expected
cross aarch64
cross s390x
[ "$compared" -gt 0 ] || skip "no other architecture can be compared"
