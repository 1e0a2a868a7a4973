# Nothing that was named by others steers a terminal, breaks JSON or CSV, or hides.
export LC_ALL=C.UTF-8
cat >check.py <<'END'
"""check.py FILE [json|jsonl|csv]: the file is well-formed UTF-8 without a character that may not be
printed, and of that format."""
import csv, io, json, sys
text = open(sys.argv[1], "rb").read().decode("utf-8")
never = [(0, 9), (11, 31), (127, 159), (0x61C, 0x61C), (0x200B, 0x200B), (0x200E, 0x200F),
         (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xE0000, 0xE007F)]
for i, c in enumerate(text):
    assert not any(a <= ord(c) <= b for a, b in never), (hex(ord(c)), text[max(0, i - 200):i + 50])
form = sys.argv[2] if len(sys.argv) > 2 else ""
if form == "json":
    json.loads(text)
if form == "jsonl":
    for line in text.splitlines():
        json.loads(line)
if form == "csv":
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(r) for r in rows}) == 1, rows
END
# clean CODE [FORM:]COMMAND...: what it prints is printable; FORM is that of its standard output.
clean() {
    local want=$1 form=
    shift
    case $1 in
    *:) form=${1%:} && shift ;;
    esac
    expect "$want" "$@" >out 2>err
    [ -z "$form" ] || python3 check.py out "$form" || fail "the output of $(printf '%q ' "$@")"
    cat out err >>printed
}

esc=$'\e]0;title\a\e[31m\r' bidi=$'\u202egnp.\u2066\u200f\u061c' hidden=$'\u200b\ufeff\u2028\U000e0041'
broken=$'\xff\xc3(\xed\xa0\x80' c1=$'\u009b31m' odd=$'a\nb"c,d\\e'
mkdir -p corpus/"$esc"/"$bidi"
n=0
for name in "$esc" "$bidi" "$hidden" "$broken" "$c1" "$odd" "%s%n%j"; do
    text $((2000 + n)) "$n" >"corpus/$esc/$name-$n"
    ln -s "$name" "corpus/link-$name"
    n=$((n + 1))
done
a=archive-$esc$bidi$hidden$broken$c1$odd.h5
first="corpus/$esc/$bidi-1"

clean 0 corpress plan --sample-bytes 0 corpus
clean 0 corpress compress -p fast corpus -o "$a"
python3 check.py "$a.log.jsonl" jsonl
clean 0 corpress list "$a"
clean 0 corpress list --long "$a"
clean 0 corpress list --shards "$a"
clean 0 json: corpress list --json "$a"
clean 0 csv: corpress list --format csv "$a"
clean 0 json: corpress list --shards --json "$a"
clean 0 json: corpress plan --sample-bytes 0 --json corpus
corpress list --null "$a" | tr '\0\n' '\n?' | sort >listed
(find corpus -print0 | tr '\0\n' '\n?' | sort) | cmp - listed
for by in shard file; do
    clean 0 corpress audit --by "$by" "$a"
    clean 0 json: corpress audit --by "$by" --format json "$a"
    clean 0 csv: corpress audit --by "$by" --format csv "$a"
done
clean 0 csv: corpress audit -q --curve --format csv "$a"
clean 0 corpress verify "$a"
clean 0 corpress status "$a"
clean 0 json: corpress status --format json "$a"
clean 0 corpress extract "$a" -C "out-$a"
diff -r --no-dereference corpus "out-$a/corpus"
corpress cat "$a" "$first" | cmp - "$first"

# What is refused, and why.
clean 2 corpress compress -p fast corpus -o "$a"
clean 2 corpress extract "$a" -C "out-$a"
clean 2 corpress extract "$a" "no-$esc$broken$bidi" -C x
clean 2 corpress cat "$a" "no-$esc$broken$bidi"
clean 2 corpress list "$a" "$bidi*$esc?$broken" "no-$hidden"
clean 1 corpress list "$a" "corpus/$esc" "no-$esc$broken$bidi/"
clean 3 corpress cat "$a" corpus --lines "$esc$bidi$broken"
clean 2 corpress cat "$a" "corpus/$esc"
clean 2 corpress compress -p fast "no-$esc$broken" -o x.h5
clean 2 corpress compress -p fast corpus -o "no-$esc/$bidi$broken.h5"
clean 2 corpress compress -p fast --files-from "no-$esc" -o x.h5
printf '%s\0' "no-$esc" "$bidi$broken" >names
clean 2 corpress compress -p fast --files-from names -o x.h5
cp "$first" "not-$a"
for command in list verify audit status 'extract -C x'; do
    # shellcheck disable=SC2086
    clean 2 corpress $command "not-$a"
    # shellcheck disable=SC2086
    clean 2 corpress $command "absent-$a"
done
head -c 700 "$a" >"cut-$a"
clean 4 corpress verify "cut-$a"
mkfifo "corpus/pipe-$esc$bidi$broken"
clean 1 corpress compress -p fast corpus -o "warned-$a"
clean 1 corpress plan --sample-bytes 0 corpus
rm corpus/pipe-*

# Wrong command lines.
for word in "$esc" "$bidi$broken" "-$esc" "--$bidi=$esc" "-$broken"; do
    clean 3 corpress "$word"
done
for command in plan compress extract cat list audit verify status; do
    clean 3 corpress $command "--$esc=$bidi$broken"
    clean 3 corpress $command "-$esc$broken"
done
clean 3 corpress compress corpus -o x.h5 -p "$esc$bidi$broken"
clean 3 corpress compress corpus -o x.h5 --shard-size "$esc$bidi$broken"
clean 3 corpress compress corpus -o x.h5 --snapshot-interval "$esc$bidi$broken"
clean 3 corpress extract "$a" --shards "$esc$bidi$broken" -C x
clean 3 corpress cat "$a" --shards "$esc$bidi$broken"
clean 3 corpress verify "$a" --subset "$esc$bidi$broken"
clean 3 corpress status "$a" --format "$esc$bidi$broken"
clean 3 corpress list "$a" --long="$esc"
clean 3 corpress verify "$a" --state
grep -q "option '--state' requires an argument" err
clean 3 corpress list --sh="$esc" "$a"
grep -q "option '--sh=.x1b.*' doesn't allow an argument" err
clean 3 corpress audit --f x "$a"
grep -q "option '--f' is ambiguous" err
clean 3 corpress list -lx "$a"
grep -q "invalid option -- 'x'" err
clean 3 corpress compress corpus -o
grep -q "option requires an argument -- 'o'" err

# A profile's name and a descriptor in an archive that somebody forged: of so many
# files that it has them as attributes.
mkdir more
touch more/{1..256}
expect 0 corpress compress -q -p fast corpus more -o spread.h5
cat >forge.py <<'END'
import os, sys
sys.path.insert(0, os.environ["TESTS"])
import h5py, numpy, _seal
with h5py.File("forged.h5", "r+", libver=("v110", "v110")) as f:
    odd = b'x","\x1b]0;t\x07\x1b[31m\xe2\x80\xae\xff\n\\'
    model = f.attrs["model"]
    del f.attrs["profile"], f.attrs["model"]
    f.attrs.create("profile", numpy.bytes_(odd))
    f.attrs.create("model", numpy.bytes_(model.replace(b"mixing 1", sys.argv[1].encode() + odd)))
_seal.seal("forged.h5")
END
cp spread.h5 forged.h5
chmod u+w forged.h5
python3 forge.py "mixing 1 "
clean 4 corpress verify -q forged.h5
grep -q descriptor err
clean 0 corpress audit forged.h5
clean 0 json: corpress audit --format json forged.h5
clean 0 csv: corpress audit --format csv forged.h5
clean 0 corpress status forged.h5
clean 4 corpress extract forged.h5 -C x
cp spread.h5 forged.h5
python3 forge.py "mixing 1; "
clean 4 corpress verify -q forged.h5
clean 0 corpress list forged.h5

# What a work directory says: host, job and progress of a job that others pretend to be.
mkdir part
text 3000000 >part/text
python3 - <<'END'
import subprocess, os, signal, time
job = subprocess.Popen(["corpress", "compress", "-q", "-p", "balanced", "--shard-size", "1M", "part",
                        "-o", "part.h5"])
while not os.path.exists("part.h5.work/manifest"):
    assert job.poll() is None
    time.sleep(0.02)
job.kill()
job.wait()
bad = b"\x1b]0;t\x07\xe2\x80\xae\xff"
record = b"corpress lock 1\nhost " + bad + b"\npid 7\nkernel x" + bad + b"\njob " + bad + b"\nattempt a\nturn 1\nbeat %d\n"
with open("part.h5.work/lock", "wb") as f:
    f.write((record % 1).ljust(512, b"\n"))
with open("part.h5.work/progress", "wb") as f:
    f.write(b"corpress progress 1\nranks 2\nseconds 1e-320\nshards 0\nraw 500\ncoded 100\nearlier 0\n"
            b"rank 0 " + bad + b" 1 100 10 0 100 nan\nrank 1 " + bad + b" - 0 0 0 0 0\n")
END
# The lock is held, so that the job counts as running.
cat >hold.py <<'END'
import fcntl, os, struct, subprocess, sys
fd = os.open("part.h5.work/lock", os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
sys.exit(subprocess.call(sys.argv[1:]))
END
clean 0 python3 hold.py corpress status part.h5
grep -q 'running on .x1b' out
clean 0 json: python3 hold.py corpress status --format json part.h5
clean 2 python3 hold.py corpress compress part -p balanced --shard-size 1M -o part.h5
grep -q 'process 7 on host .x1b' err

# The scripts.
export CORPRESS_SITE=$PWD/site.conf
: >site.conf
clean 3 bash "$JOBS/submit.sh" "$esc$bidi$broken"
clean 3 bash "$JOBS/submit.sh" compress "--$esc$bidi" x
clean 3 bash "$JOBS/submit.sh" compress "$esc" -o "$esc/x.h5"
clean 3 bash "$JOBS/submit.sh" verify a.h5 --launcher "$esc$bidi$broken"
for option in job-name comment partition; do
    clean 3 bash "$JOBS/submit.sh" verify a.h5 --$option "a$esc" --dry-run
    clean 3 bash "$JOBS/submit.sh" verify a.h5 --$option $'a\nb' --dry-run
done
clean 0 bash "$JOBS/submit.sh" verify "$a" --job-name 'a b' --dry-run
clean 0 bash "$JOBS/submit.sh" verify "a$broken.h5" --dry-run
clean 0 bash "$JOBS/submit.sh" verify "a$bidi.h5" --dry-run
grep -q '^#SBATCH --output=/dev/null$' out
clean 0 bash "$JOBS/submit.sh" verify 'über 50%.h5' --dry-run
grep -q '^#SBATCH --output=.*50%%.h5.slurm-%j.out$' out
python3 check.py printed
