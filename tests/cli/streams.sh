# What can be read only once: standard input and pipes, by whichever path.
text 2600000 1 >data
compress=(corpress compress -q -p fast --shard-size 1M)
# holds ARCHIVE MEMBER: it has these bytes, and nothing but them.
holds() {
    [ "$(corpress list "$1")" = "$2" ] || fail "$1 holds $(corpress list "$1")"
    corpress cat "$1" "$2" | cmp - data
    absent "$1.work"
}

expect 0 "${compress[@]}" - -o dash.h5 <data
holds dash.h5 stdin
corpress list -l dash.h5 | grep -q '^-rw-r--r-- .* 1970-01-01 00:00:00 ' || fail "its facts"
expect 0 "${compress[@]}" /dev/stdin -o cat.h5 < <(cat data)
cmp dash.h5 cat.h5
expect 0 "${compress[@]}" /dev/stdin -o file.h5 <data
cmp dash.h5 file.h5
cat data | expect 0 "${compress[@]}" /proc/self/fd/0 -o proc.h5
cmp dash.h5 proc.h5
expect 0 "${compress[@]}" <(cat data) -o substituted.h5
cmp dash.h5 substituted.h5
mkfifo fifo
ln -s fifo link
cat data >fifo &
expect 0 "${compress[@]}" fifo -o fifo.h5
holds fifo.h5 fifo
cat data >fifo &
expect 0 "${compress[@]}" --stdin-name stdin link -o link.h5
cmp dash.h5 link.h5
python3 - "${compress[@]}" - -o socket.h5 <<'END'
import socket, subprocess, sys, threading
ours, theirs = socket.socketpair()
job = subprocess.Popen(sys.argv[1:], stdin=theirs)
theirs.close()
ours.sendall(open("data", "rb").read())
ours.close()
assert job.wait() == 0
END
cmp dash.h5 socket.h5

# Several, in their order, among files.
echo file >file
expect 0 "${compress[@]}" <(echo one) file <(echo two) - --stdin-name a/b -o several.h5 <<<three
[ "$(corpress list several.h5 | tr '\n' ' ')" = 'a/b file a/b.2 a/b.3 ' ] || fail "$(corpress list several.h5)"
[ "$(corpress cat several.h5 --shards 0)" = $'one\nfile\ntwo\nthree' ] || fail "several"
for name in '' /a a/ ../a a/../b . a//b "a/$(printf '%0256d' 0)"; do
    expect 3 "${compress[@]}" - --stdin-name "$name" -o wrong.h5 <data 2>said
    grep -q -e --stdin-name said
done
expect 3 "${compress[@]}" - - -o wrong.h5 <data 2>said
expect 3 "${compress[@]}" - /dev/stdin -o wrong.h5 <data 2>said
expect 3 "${compress[@]}" - --files-from - -o wrong.h5 <data 2>said
expect 3 "${compress[@]}" link fifo -o wrong.h5 2>said
expect 3 "${compress[@]}" - file --stdin-name file -o wrong.h5 <data 2>said
expect 3 "${compress[@]}" - file --stdin-name file/a -o wrong.h5 <data 2>said
expect 2 "${compress[@]}" /dev/zero -o wrong.h5 2>said
expect 2 "${compress[@]}" - -o wrong.h5 <. 2>said
grep -q 'standard input.*Is a directory' said || fail "$(cat said)"
expect 2 "${compress[@]}" /dev/fd/9 -o wrong.h5 2>said 9>&-
nothing_left wrong.h5
# An empty one is a file without bytes.
expect 1 "${compress[@]}" - -o empty.h5 </dev/null 2>said
grep -q 'no bytes' said
expect 0 corpress extract -q empty.h5 -C out
[ -f out/stdin ] && [ ! -s out/stdin ] || fail "no empty file"

corpress plan - <data | grep -q '^bytes *2600000 '
corpress plan <(cat data) file | grep -q '^bytes *2600005 '

# Asked to stop while it reads: nothing is left of what had not ended.
# reading ARCHIVE COMMAND...: starts it, and waits until it has read something; $pid.
reading() {
    local archive=$1
    shift
    "$@" <&0 & # else the shell gives it no standard input
    pid=$!
    until [ -n "$(find "$archive.work" -name '.tmp-*' -size +0 2>/dev/null)" ]; do
        kill -0 "$pid" || fail "it ended"
        sleep 0.02
    done
}
exec 8<>fifo
echo begun >&8
for signal in TERM USR1; do
    reading stopped.h5 "${compress[@]}" fifo -o stopped.h5 2>said
    kill -s "$signal" "$pid"
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 75 ] || fail "SIG$signal: $code"
    nothing_left stopped.h5
    echo begun >&8
done
# A stream that has ended before stays, and is not read again.
reading two.h5 "${compress[@]}" - fifo -o two.h5 <data 2>said
kill -s TERM "$pid"
wait "$pid" && fail "it did not stop"
grep -q 'the same command goes on' said || fail "$(cat said)"
[ "$(cd two.h5.work && echo stream-*)" != 'stream-*' ] || fail "the first stream was not kept"
exec 8>&-
echo rest >fifo &
expect 0 corpress compress -p fast --shard-size 1M - fifo -o two.h5 </dev/null 2>said
grep -q '"stdin" was read by an earlier run, 2600000 bytes' said || fail "$(cat said)"
echo rest >fifo &
expect 0 "${compress[@]}" - fifo -o two_again.h5 <data
cmp two.h5 two_again.h5

# killed: a job that has read everything, killed when it comes to its shards.
killed() {
    rm -rf killed.h5*
    hold_at 300000
    corpress compress -q -p fast --shard-size 1M - -o killed.h5 < <(cat data) &
    pid=$!
    await_hold "$pid"
    kill -s KILL "$pid"
    wait "$pid" || true
    end_hold
}
expect 0 corpress compress -q -p fast --shard-size 1M - -o whole.h5 <data
killed
expect 0 corpress compress -q -p fast --shard-size 1M - -o "$PWD/killed.h5" </dev/null
cmp whole.h5 killed.h5
absent killed.h5.work
# Under another name it is another job; --restart reads anew.
killed
expect 2 corpress compress -q -p fast --shard-size 1M - --stdin-name other -o killed.h5 <data 2>said
grep -q -e --restart said
rm killed.h5.work/stream-*
expect 2 corpress compress -q -p fast --shard-size 1M - -o killed.h5 <data 2>said
grep -q 'lost what was read as "stdin".* --restart' said || fail "$(cat said)"
expect 0 corpress compress -q -p fast --shard-size 1M - -o killed.h5 --restart <data
cmp whole.h5 killed.h5
# What was read for another name is not taken without a manifest.
killed
rm killed.h5.work/manifest
text 1000 2 >less
expect 0 "${compress[@]}" - --stdin-name other -o killed.h5 <less
corpress cat killed.h5 other | cmp - less
absent killed.h5.work

# A disk that takes no more.
(
    ulimit -f 1000
    trap '' XFSZ
    expect 2 "${compress[@]}" - -o full.h5 <data 2>said
)
grep -q 'standard input.*File too large' said || fail "$(cat said)"
nothing_left full.h5
