# Compressed inputs: the archive does not depend on the number of ranks; a job that is killed while it
# looks into them, or while it codes, goes on at another number, and does not look again.
# shellcheck source=tests/mpi/_kill.sh
. "$TESTS/mpi/_kill.sh"
mkdir corpus corpus/small
python3 - <<'END'
import bz2, gzip, lzma, random, tarfile
rng = random.Random(1)
words = ["w%d" % rng.randrange(3000) for i in range(3000)]
def text(size):
    return " ".join(rng.choices(words, k=size // 5)).encode()[:size] + b"\n"
def put(name, data):
    open("corpus/" + name, "wb").write(data)
put("a.gz", gzip.compress(text(700000), mtime=0))
put("b.bz2", bz2.compress(text(400000)))
put("c.xz", lzma.compress(text(400000), preset=1))
put("d.gz", b"".join(gzip.compress(text(300000), mtime=0) for i in range(3)))
put("plain", text(100000))
for i in range(2000):
    put("small/%04d.gz" % i, gzip.compress(text(rng.randrange(300)), 1, mtime=0))
with tarfile.open("corpus/tar.tgz", "w:gz") as tar:
    tar.add("corpus/plain", "x/plain")
    tar.add("corpus/small", "x/small")
END
compress=(corpress compress -q -p fast --no-primer --shard-size 1M --decode-inputs corpus)
expect 0 "${compress[@]}" -o alone.h5
[ "$(corpress list --shards alone.h5 | grep -c '^ *[0-9]')" -ge 3 ] || fail "fewer than 3 shards"
for n in 2 4; do
    expect 0 ranks "$n" "${compress[@]}" -o "$n.h5"
    cmp alone.h5 "$n.h5"
done
expect 0 ranks 3 corpress extract -q alone.h5 -C out
for name in a d small/0000 small/1999; do cmp <(zcat "corpus/$name.gz") "out/corpus/$name"; done
cmp <(bzcat corpus/b.bz2) out/corpus/b
cmp <(xzcat corpus/c.xz) out/corpus/c
diff -r corpus/small out/corpus/tar.tar/x/small
expect 0 ranks 2 corpress extract -q --tar alone.h5 corpus/tar.tar -C out2
cmp <(zcat corpus/tar.tgz) out2/corpus/tar.tar
expect 0 ranks 2 corpress verify -q alone.h5

# launch RANKS BYTES: starts the job, and waits until all ranks have done so many.
launch() {
    hold_at "$2"
    bash "$JOBS/mpirun_local.sh" "$1" "${compress[@]}" -o killed.h5 >said 2>&1 &
    pid=$!
    await_hold "$pid"
}
# end HOW: by SIGKILL of all, or by a request to stop.
end() {
    local -a alive
    local code=0
    if [ "$1" = KILL ]; then
        mapfile -t alive < <(ranks_of "$pid")
        kill -KILL "${alive[@]}"
    else
        kill -s TERM "$pid"
    fi
    wait "$pid" || code=$?
    end_hold
    all_gone
    [ "$code" -ne 0 ] || fail "it was done"
    absent killed.h5
}
# looked: which look into the inputs the job has kept: it is written anew by another one.
looked() { stat -c '%i %z' killed.h5.work/inputs-00000000; }

sizes=$(find corpus -type f -printf '%s\n' | awk '{ all += $1 } END { print all }')
# While they are looked into.
launch 3 $((sizes / 6))
absent killed.h5.work/inputs-00000000
end KILL
# While they are coded, by one rank that has looked into what was left.
launch 1 $((sizes + 700000))
before=$(looked)
[ -e killed.h5.work/manifest ] || fail "it codes nothing"
end KILL
# It codes at once.
launch 2 400000
[ "$(looked)" = "$before" ] || fail "it has looked into the inputs again"
end TERM
# One of them is touched: it is looked into, alone.
touch corpus/a.gz
expect 0 ranks 4 "${compress[@]}" -o killed.h5
cmp alone.h5 killed.h5
