# shellcheck shell=bash
# _lib.sh: what test scripts share.

# expect CODE COMMAND...: runs it; the test fails unless it ends with CODE.
expect() {
    local want=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" -eq "$want" ] || fail "$* ended with $got instead of $want"
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# skip REASON
skip() {
    echo "skipped: $*"
    exit 77
}

# patiently SHOWS COMMAND...: tries the command until it succeeds, for as long as there is progress:
# fails when what the command SHOWS prints has not changed for five minutes.
patiently() {
    local shows=$1 seen now since=$SECONDS
    shift
    seen=$("$shows")
    until "$@"; do
        sleep 0.1
        now=$("$shows")
        if [ "$now" != "$seen" ]; then
            seen=$now
            since=$SECONDS
        fi
        [ $((SECONDS - since)) -lt 300 ] || return 1
    done
}

# hold_at BYTES: runs that are started from now on wait whenever a rank has coded or decoded that
# many bytes more, so that a test meets them in the middle, however fast they are.
hold_at() {
    : >hold
    export CORPRESS_TEST_HOLD="$1:$PWD/hold"
}
# await_hold PID [RANKS]: until so many ranks of the run that PID launched wait.
await_hold() {
    until [ "$(wc -l <hold)" -ge "${2:-1}" ]; do
        kill -0 "$1" 2>/dev/null || fail "it ended: $(cat said 2>/dev/null)"
        sleep 0.02
    done
}
# next_hold: those that wait go on to the next place; end_hold: for good.
next_hold() { : >hold; }
end_hold() {
    rm -f hold
    unset CORPRESS_TEST_HOLD
}
# kill_where_there_is FILE PID: kills a held run at the first place where the file is there.
kill_where_there_is() {
    until [ -e "$1" ]; do
        next_hold
        await_hold "$2"
    done
    kill -s KILL "$2"
    wait "$2" || true
    end_hold
}

# ranks N COMMAND...: with N ranks; what mpirun itself says about exit codes is left out.
ranks() {
    local got=0 said
    said=$(mktemp)
    bash "$JOBS/mpirun_local.sh" "$@" 2>"$said" || got=$?
    # Between its dashed lines mpirun tells about exit codes.
    awk '/^----------/ { inside = !inside; next } !inside' "$said" >&2
    rm "$said"
    return "$got"
}

# all_gone: waits until no process of this test's corpress is left; mpirun's ranks die after it.
all_gone() {
    while [ -n "$(find /proc/[0-9]*/exe -lname "$(type -P corpress)" 2>/dev/null)" ]; do sleep 0.05; done
}

# absent PATH...: none of these exists.
absent() {
    local path
    for path in "$@"; do
        if [ -e "$path" ] || [ -h "$path" ]; then fail "$path is there"; fi
    done
}

# nothing_left ARCHIVE: neither the archive nor anything that looks like a part of one.
nothing_left() { absent "$1" "$1.work" "$1".tmp*; }

# unprivileged COMMAND...: without root's rights, which would override file modes.
unprivileged() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
    else
        "$@"
    fi
}

# text BYTES [SEED]: that much text, always the same for a seed: lines of words of a small
# vocabulary, which compress as text does.
text() {
    python3 -c 'import random, sys
left = int(sys.argv[1])
rng = random.Random(int(sys.argv[2]))
def word():
    return "".join(chr(97 + int(rng.random() * rng.random() * 26)) for _ in range(rng.randint(2, 9)))
words = [word() for _ in range(2000)]
while left > 0:
    line = " ".join(words[int(rng.random() * rng.random() * 2000)] for _ in range(rng.randint(4, 15)))
    line = line[:left - 1] + "\n"
    sys.stdout.write(line)
    left -= len(line)' "$1" "${2:-1}"
}

# noise BYTES [SEED]: that many bytes that do not compress, always the same for a seed.
noise() {
    python3 -c 'import random, sys
random.seed(int(sys.argv[2]))
sys.stdout.buffer.write(random.randbytes(int(sys.argv[1])))' "$1" "${2:-1}"
}

# bitstream_offset ARCHIVE: where its bitstreams begin, as its seal says.
bitstream_offset() {
    python3 -c 'import struct, sys
print(struct.unpack_from("<Q", open(sys.argv[1], "rb").read(48), 32)[0])' "$1"
}

# flip FILE OFFSET: inverts the lowest bit of that byte, also of a file that is read-only.
flip() {
    chmod u+w "$1"
    python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)[0]
    f.seek(int(sys.argv[2]))
    f.write(bytes([byte ^ 1]))' "$1" "$2"
}

# same_tree A B: same names, kinds, contents, modes, link targets and times.
same_tree() {
    diff -r --no-dereference "$1" "$2"
    diff <(cd "$1" && tree_facts) <(cd "$2" && tree_facts)
}
tree_facts() {
    find . -printf '%P\t%y\t%m\t%l\t' \( -type l -printf '-\0' -o -printf '%T@\0' \) | sort -z |
        tr '\0' '\n'
}
