# On a processor that OpenBLAS does not know it takes the oldest kernels. The command then begins
# again with the best that the processor can run, and is no other for it.
[ -n "${UNKNOWN_PROCESSOR:-}" ] || skip "sanitizers do not let a library be preloaded"
cp "$UNKNOWN_PROCESSOR" unknown_processor.so # a path with a blank cannot be preloaded
unknown=(env -u OPENBLAS_CORETYPE "LD_PRELOAD=$PWD/unknown_processor.so")
# has FLAG...: whether the processor has all of them.
has() {
    for flag; do grep -qw "$flag" /proc/cpuinfo || return 1; done
}
best=Prescott
if has avx2 fma; then best=Haswell; fi
if has avx2 fma avx512bw avx512vl avx512dq avx512cd; then best=SkylakeX; fi
chosen() { sed 's/.*OpenBLAS //'; }

[ "$(expect 0 "${unknown[@]}" corpress --version | chosen)" = "$best" ] || fail "not $best"
[ "$(expect 0 ranks 2 "${unknown[@]}" corpress --version | chosen)" = "$best" ] || fail "not $best"
# Who says which kernels to take gets them.
[ "$(expect 0 "${unknown[@]}" OPENBLAS_CORETYPE=Nehalem corpress --version | chosen)" = Nehalem ]

# Arguments, standard input and output, exit codes, the command's name.
text 30000 1 >$'a b\nc'
printf '%s\0' $'a b\nc' | expect 0 "${unknown[@]}" corpress compress -q -p neural --files-from - -o archive.h5
expect 0 "${unknown[@]}" corpress cat archive.h5 $'a b\nc' | cmp - $'a b\nc'
expect 0 corpress compress -q -p neural $'a b\nc' -o known.h5
cmp archive.h5 known.h5
grep -q "\"blas\":\"$best\"" archive.h5.log.jsonl
expect 3 "${unknown[@]}" corpress nonsense 2>said
grep -q "^corpress: no command 'nonsense'" said || fail "$(cat said)"
mkfifo list
"${unknown[@]}" corpress plan --files-from list >/dev/null &
pid=$!
exec 3>list # once it is opened at both ends, the command has begun again
[ "$(cat "/proc/$pid/comm")" = corpress ] || fail "the process is called $(cat "/proc/$pid/comm")"
printf '%s\0' $'a b\nc' >&3
exec 3>&-
wait "$pid"
