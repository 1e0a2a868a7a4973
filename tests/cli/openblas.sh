# OpenBLAS is loaded for a network only, with the best kernels that the processor can run: left to
# itself it takes the oldest on one that it does not know.
# has FLAG...: whether the processor has all of them.
has() {
    for flag; do grep -qw "$flag" /proc/cpuinfo || return 1; done
}
best='[A-Za-z0-9_]+' # its own choice
if has avx2 fma; then best=Haswell; fi
if has avx2 fma avx512bw avx512vl avx512dq avx512cd; then best=SkylakeX; fi
# chosen COMMAND...: with which kernels `--version` says that it computes.
chosen() { expect 0 "$@" corpress --version | sed 's/.*OpenBLAS //'; }

chosen env -u OPENBLAS_CORETYPE | grep -Eqx "$best" || fail "not $best"
chosen ranks 2 env -u OPENBLAS_CORETYPE | grep -Eqx "$best" || fail "not $best"
# Who says which kernels to take gets them.
if has sse4_2; then
    [ "$(chosen env OPENBLAS_CORETYPE=Nehalem)" = Nehalem ] || fail "not Nehalem"
fi

# loaded COMMAND...: runs it; whether OpenBLAS is loaded. The dynamic linker says so.
loaded() {
    rm -f linker.*
    LD_DEBUG=files LD_DEBUG_OUTPUT=linker expect 0 "$@" >/dev/null
    grep -q 'calling init: .*libhdf5' linker.* || fail "the dynamic linker says nothing"
    grep -q 'calling init: .*libopenblas' linker.*
}
text 30000 1 >text
for profile in fast balanced; do
    loaded corpress compress -q -p "$profile" text -o "$profile.h5" && fail "compress -p $profile"
    for command in "list $profile.h5" "audit $profile.h5" "verify -q $profile.h5" \
        "audit -q --full $profile.h5" "extract -q --force -C out $profile.h5" "cat $profile.h5 text"; do
        # shellcheck disable=SC2086
        loaded corpress $command && fail "$command"
    done
    grep -q '"blas":"none"' "$profile.h5.log.jsonl" || fail "the run log of $profile names kernels"
done
loaded corpress plan --sample-bytes 0 text && fail "plan"
loaded corpress compress -q -p neural text -o neural.h5 || fail "no OpenBLAS for a network"
loaded corpress list neural.h5 && fail "list"
loaded corpress audit neural.h5 && fail "audit"
loaded corpress verify -q --coded-only neural.h5 && fail "verify --coded-only"
grep -Eq '"blas":"[A-Z][A-Za-z0-9_]+"' neural.h5.log.jsonl || fail "the run log names no kernels"
expect 0 corpress cat neural.h5 text | cmp - text
