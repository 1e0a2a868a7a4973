# Little address space, or one process: a command works, or it ends with 2 and a message about
# memory. It never hangs, and no signal ends it. The time limit is only for what hangs.
(ulimit -v 600000 && exec corpress list nothing 2>/dev/null) || [ $? -eq 2 ] ||
    skip "this build needs much address space by itself, as sanitizers do"
text 60000 1 >text
for profile in fast balanced; do
    expect 0 corpress compress -q -p "$profile" text -o "$profile.h5"
done

# limited KIB COMMAND...: with that much address space; sets $code. What the dynamic linker says
# where not even the libraries fit counts as a message.
limited() {
    local limit=$1 start=$SECONDS
    shift
    code=0
    (ulimit -v "$limit" && exec timeout -k 2 900 "$@") >out.txt 2>said || code=$?
    [ "$code" -eq 0 ] && return
    if [ "$code" -eq 2 ]; then
        grep -qi 'memory' said || fail "$* with $limit KiB: $(cat said)"
    elif [ "$code" -eq 127 ] || [ "$code" -eq 126 ]; then
        grep -q 'error while loading shared libraries' said || fail "$*, $limit KiB: $(cat said)"
    else
        fail "$* with $limit KiB of address space ended with $code after $((SECONDS - start)) s: $(cat said)"
    fi
}
for limit in 40000 60000 120000 300000; do
    for profile in fast balanced; do
        rm -rf new.h5* out
        limited "$limit" corpress compress -q -p "$profile" text -o new.h5
        if [ "$code" -ne 0 ]; then # what was done counts
            absent new.h5
            expect 0 corpress compress -q -p "$profile" text -o new.h5
        fi
        cmp new.h5 "$profile.h5"
        limited "$limit" corpress list "$profile.h5"
        limited "$limit" corpress verify -q "$profile.h5"
        limited "$limit" corpress audit --full -q "$profile.h5"
        limited "$limit" corpress cat "$profile.h5" text
        [ "$code" -ne 0 ] || cmp out.txt text
        limited "$limit" corpress extract -q "$profile.h5" -C out
        [ "$code" -ne 0 ] || cmp out/text text
    done
done
# What 300000 KiB must be enough for.
for command in 'compress -q -p fast text -o enough.h5' 'list fast.h5' 'audit -q fast.h5' \
    'verify -q fast.h5' 'verify -q balanced.h5'; do
    # shellcheck disable=SC2086
    limited 300000 corpress $command
    [ "$code" -eq 0 ] || fail "$command: $(cat said)"
done
# A network is refused before anything is read or written.
limited 200000 corpress compress -q -p neural text -o neural.h5
[ "$code" -eq 2 ] || fail "neural ended with $code in 200000 KiB"
nothing_left neural.h5

# One process: no thread can be started. Root has no such limit.
if [ "$(id -u)" -eq 0 ] && command -v prlimit >/dev/null; then
    chmod 644 ./*.h5
    for threads in '' 1 4; do
        alone=(env ${threads:+"OPENBLAS_NUM_THREADS=$threads"} setpriv --reuid=65534
            --regid=65534 --clear-groups prlimit --nproc=1 corpress)
        expect 0 "${alone[@]}" list fast.h5 >/dev/null
        expect 0 "${alone[@]}" compress -q -p fast text -o alone.h5 --force
        cmp alone.h5 fast.h5
        expect 0 "${alone[@]}" verify -q alone.h5
    done
    # OpenBLAS with one thread starts none.
    expect 0 env -u OPENBLAS_NUM_THREADS setpriv --reuid=65534 --regid=65534 --clear-groups \
        prlimit --nproc=1 corpress compress -q -p neural text -o alone_neural.h5
fi
