# Compressed inputs and tars that are damaged, grow without end, or have members that no tree of files
# can: they are named, and the others are taken.
for program in gzip bzip2 xz zstd lz4; do
    command -v "$program" >/dev/null || skip "no $program"
done
kinds='gzip zstd xz bzip2 lz4'
# packed PROGRAM [OPTION...]: compresses what it reads.
packed() {
    case $1 in
    gzip) gzip -n "${@:2}" ;;
    zstd) zstd -q "${@:2}" ;;
    lz4) lz4 -q -B4 "${@:2}" ;;
    bzip2) bzip2 -1 "${@:2}" ;;
    *) "$@" ;;
    esac
}
compress=(corpress compress -q -p fast --no-primer --decode-inputs)
# clean: what was said, without numbers that depend on the programs that compress.
clean() { sed 's/[0-9][0-9]* bytes/N bytes/g; s/byte [0-9]*/byte N/g' "$@"; }

# The first bytes of each are kept, and no more, if the user says so.
text 400000 >text
mkdir damaged
for kind in $kinds; do
    packed "$kind" <text >whole
    size=$(stat -c %s whole)
    head -c $((size * 2 / 3)) whole >"damaged/$kind-cut"
    head -c 5 whole >"damaged/$kind-head"
    { cat whole; echo garbage; } >"damaged/$kind-long"
    cp whole "damaged/$kind-wrong"
    flip "damaged/$kind-wrong" $((size / 2))
done
echo "harmless" >damaged/text
echo "--- damaged"
expect 1 "${compress[@]}" damaged -o damaged.h5 2>said
clean said
corpress list damaged.h5
expect 0 corpress verify -q damaged.h5
echo "--- damaged, and kept"
expect 1 "${compress[@]}" --keep-damaged damaged -o kept.h5 2>said
clean said | grep -v 'is kept$' || true
expect 0 corpress extract -q kept.h5 -C kept
for kind in $kinds; do
    cmp text "kept/damaged/$kind-long"
    cmp kept/damaged/"$kind-cut" <(head -c "$(stat -c %s "kept/damaged/$kind-cut")" text)
    [ -s "kept/damaged/$kind-cut" ]
done
# Its shards are of that text as well, wherever they begin.
text 2200000 7 >long
mkdir later
for kind in gzip zstd lz4; do
    packed "$kind" <long >"later/$kind"
    flip "later/$kind" $(($(stat -c %s "later/$kind") * 5 / 6))
done
expect 1 "${compress[@]}" --keep-damaged --shard-size 1M later -o later.h5 2>said
expect 0 corpress verify -q later.h5
echo "--- bombs"
mkdir bombs
for kind in $kinds; do head -c 70000000 /dev/zero | packed "$kind" >"bombs/$kind"; done
packed xz <bombs/zstd >bombs/twice
expect 1 "${compress[@]}" --decode-limit 150 bombs -o bombs.h5
corpress list bombs.h5
echo "--- tars"
mkdir tars
python3 - <<'END'
import io, tarfile
REG, DIR, SYM, LINK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
def make(name, members, **more):
    with tarfile.open("tars/" + name, "w", **more) as tar:
        for path, kind, data in members:
            item = tarfile.TarInfo(path)
            item.type, item.mtime, item.mode = kind, 1000, 0o755 if kind == DIR else 0o644
            if kind in (SYM, LINK):
                item.linkname = data
            else:
                item.size = len(data)
            tar.addfile(item, io.BytesIO(data) if kind == REG else None)
make("unsafe.tar", [("/absolute", REG, b"a"), ("../up", REG, b"u"), ("a/../../b", REG, b"b"),
                    ("fine", REG, b"fine")])
make("twice.tar", [("a", REG, b"first"), ("b", REG, b"b"), ("a", REG, b"second"), ("a", REG, b"3"),
                   ("a~1", REG, b"not the first"), ("l", SYM, "a"), ("l", REG, b"no link")])
make("folders.tar", [("a", REG, b"123"), ("a~1", REG, b"456"), ("a", DIR, b""), ("a/b", REG, b"789"),
                     ("l", SYM, "/"), ("l/c", REG, b"through a link"), ("d", DIR, b""),
                     ("d", DIR, b""), ("d", REG, b"")])
make("others.tar", [("a", REG, b"text"), ("hard", LINK, "a"), ("null", tarfile.CHRTYPE, b""),
                    ("fifo", tarfile.FIFOTYPE, b""), ("z", REG, b"z")])
make("rest.tar", [(".tar-headers", REG, b"mine"), ("x" * 240, REG, b"long"), ("y", SYM, "/etc")],
     format=tarfile.PAX_FORMAT, pax_headers={"comment": "all"})
make("empty.tar", [])
whole = open("tars/others.tar", "rb").read()
open("tars/cut.tar", "wb").write(whole[:514])
open("tars/two.tar", "wb").write(whole + open("tars/twice.tar", "rb").read())
open("tars/odd.tar", "wb").write(whole[:1024] + b"no header" * 100)
END
truncate -s 1M holes
echo end >>holes
tar -cSzf tars/sparse.tgz --mtime=@1000 --mode=644 holes
gzip -n <tars/cut.tar >tars/cut.tgz
expect 1 "${compress[@]}" tars -o tars.h5
corpress list tars.h5
expect 0 corpress verify -q tars.h5
for tar in unsafe twice folders others rest two odd; do
    corpress cat --tar tars.h5 "tars/$tar.tar" | cmp - "tars/$tar.tar"
done
expect 0 corpress extract -q --tar tars.h5 -C tarred
for tar in tars/*.tar; do cmp "$tar" "tarred/$tar"; done
gzip -dc tars/sparse.tgz | cmp - tarred/tars/sparse.tar
gzip -dc tars/cut.tgz | cmp - tarred/tars/cut.tgz
expect 0 corpress extract -q tars.h5 -C members
absent members/absolute members/up up members/tars/b /tmp/absolute
[ "$(cat members/tars/folders.tar/a/b)$(cat members/tars/folders.tar/a~1)" = 789456 ]
[ "$(cat members/tars/folders.tar/l/c)" = "through a link" ]

# Files that change after they have been looked into: one of the same size and a longer text; gone.
echo "--- changed"
for i in 1 2 3; do text 800000 "$i" | gzip -n >"$i.gz"; done
sizes=$(cat 1.gz 2.gz 3.gz | wc -c)
for how in longer gone; do
    rm -rf corpus
    mkdir corpus
    cp 1.gz 2.gz 3.gz corpus
    hold_at $((sizes + 300000))
    "${compress[@]}" --shard-size 1M corpus -o "$how.h5" 2>said &
    pid=$!
    await_hold "$pid"
    [ -e "$how.h5.work/inputs-00000000" ] || fail "it has not looked into them all"
    if [ "$how" = gone ]; then
        rm corpus/3.gz
    else
        python3 -c 'import gzip, os
size = os.path.getsize("3.gz")
other = gzip.compress(b"another text\n" * 100000)
open("corpus/3.gz", "wb").write(other + bytes(size - len(other)))'
    fi
    end_hold
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 2 ] || fail "$how: ended with $code: $(cat said)"
    absent "$how.h5"
    clean said
    # As it was, and the same command goes on.
    cp 3.gz corpus
    expect 0 "${compress[@]}" --shard-size 1M corpus -o "$how.h5"
    corpress cat "$how.h5" corpus/3 | cmp - <(zcat 3.gz)
done
