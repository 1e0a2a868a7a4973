# status --follow, and what status says of a SLURM job.
mkdir corpus
text 3000000 >corpus/text
compress=(corpress compress -q -p fast --no-primer --shard-size 1M corpus)

# sees FILE PATTERN: waits until a line of it matches.
sees() {
    until grep -q -e "$2" "$1"; do
        kill -0 "$pid" 2>/dev/null || grep -q -e "$2" "$1" || fail "no '$2': $(cat "$1")"
        sleep 0.05
    done
}

# Lines, from before the job begins until it is done. None comes twice.
corpress status --follow --interval 1 a.h5 >lines &
pid=$!
sees lines '^[0-9-]* [0-9:]*  waiting for the job to begin$'
hold_at 300000
"${compress[@]}" -o a.h5 &
job=$!
await_hold "$job"
sees lines '  running on .*, process [0-9]*, .* of 3.0 MB, .* of 3 shards'
expect 0 corpress status --follow --json --interval 1 a.h5 >json &
json=$!
until [ -s json ]; do sleep 0.05; done
end_hold
wait "$job" "$pid" "$json"
tail -n 1 lines | grep -q '  finished, 3.0 MB of 3.0 MB, 100.0 %, 3 of 3 shards, ratio ' || fail "$(cat lines)"
[ -z "$(cut -d ' ' -f 4- lines | uniq -d)" ] || fail "$(cat lines)"
python3 - <<'END'
import json
rows = [json.loads(line) for line in open("json")]
assert len(rows) > 1 and {"waiting"}.isdisjoint(row["state"] for row in rows), rows
assert rows[0]["state"] == "running" and rows[0]["shards"] == 3 and rows[0]["ranks"], rows
assert rows[-1]["state"] == "finished" and rows[-1]["time"].endswith("Z"), rows
END
mv a.h5 whole.h5

# A job that stops has an exit code of its own, a number of SLURM's or not.
hold_at 300000
"${compress[@]}" -o a.h5 2>said &
job=$!
await_hold "$job"
corpress status --follow --interval 1 a.h5 >lines 2>stopped &
pid=$!
sees lines running
kill -s TERM "$job"
end_hold
expect 75 wait "$job"
expect 75 wait "$pid"
tail -n 1 lines | grep -q '  stopped, '
grep -q 'the job has stopped; run the same command again to go on' stopped

# From here on others pretend to be the job: job.py holds its lock until the file `go` is there.
cat >job.py <<'END'
import fcntl, os, struct, sys, time
kernel = open("/proc/sys/kernel/random/boot_id").read().strip()
record = f"corpress lock 1\nhost here\npid 7\nkernel {kernel}\njob {sys.argv[1]}\nattempt a\nturn 1\nbeat 1\n"
with open("a.h5.work/lock", "wb") as f:
    f.write(record.encode().ljust(512, b"\n"))
with open("a.h5.work/progress", "w") as f:
    f.write("corpress progress 1\nranks 3000\nseconds 10\nshards 0\nraw 2000000\ncoded 500000\nearlier 0\n")
    for rank in range(3000):
        slow = 100 if rank % 1000 == 7 else 900 + rank
        f.write(f"rank {rank} node{rank} {0 if rank else '-'} {slow * 100} 10 0 0 1.0\n")
fd = os.open("a.h5.work/lock", os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("held", "w").close()
while not os.path.exists("go"):
    time.sleep(0.05)
END
# pretend NUMBER: a job of this number of SLURM's; let_go: it is gone.
pretend() {
    rm -f go held
    python3 job.py "$1" &
    pretender=$!
    until [ -e held ]; do sleep 0.05; done
}
let_go() {
    : >go
    wait "$pretender"
}
# program NAME LINE...: what squeue or sacct is.
mkdir fake
export PATH=$PWD/fake:$PATH
program() {
    printf '%s\n' '#!/bin/sh' "echo \"\$0 \$*\" >>$PWD/called" "${@:2}" >"fake/$1"
    chmod +x "fake/$1"
}
says() {
    expect 0 corpress status a.h5 >out
    [ "$(head -n 1 out)" = "a.h5: running on here, process 7, SLURM job $1" ] || fail "$(cat out)"
}

# What SLURM says, and what does not come, or not in time.
pretend 77
program squeue 'echo "PENDING Resources"'
says '77 (PENDING (Resources))'
expect 0 corpress status --json a.h5 | python3 -c 'import json, sys
job = json.load(sys.stdin)
assert job["slurm_job"] == "77" and job["slurm_state"] == "PENDING (Resources)", job'
program squeue 'echo "RUNNING None"'
says '77 (RUNNING)'
program squeue 'exit 1'
program sacct 'echo "CANCELLED by 1000"'
says '77 (CANCELLED)'
program squeue "printf 'RUN\\033[31m\\n'"
says '77 (RUN)'
program squeue 'echo slurm_load_jobs error'
program sacct 'exit 1'
says 77
program squeue 'echo RUNNING; sleep 1000 & echo $! >sleeps; wait'
says 77
# (A dead process that nobody has waited for has no command line.)
while grep -qs sleep "/proc/$(cat sleeps)/cmdline"; do sleep 0.05; done

# A job that SLURM will start again has not come to its end. What is no number is not asked for.
program squeue 'echo "RUNNING None"'
corpress status --follow --interval 1 a.h5 >lines &
pid=$!
sees lines '  running on here, process 7, SLURM job 77 (RUNNING), '
program squeue 'echo "PENDING BeginTime"'
let_go
sees lines '  stopped on here, process 7, SLURM job 77 (PENDING (BeginTime)), '
kill "$pid"
wait "$pid" || true
pretend -a
rm called
says '-a'
absent called
let_go

# A terminal: low, narrow, resized, left by Ctrl-C and by Ctrl-Z; and one that cannot be redrawn.
pretend 77
program squeue 'echo "RUNNING None"'
cat >screen.py <<'END'
import fcntl, os, pty, re, select, signal, struct, termios
ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l\x1b[?7l", b"\x1b[?7h\x1b[?25h\x1b[?1049l"

class Screen:
    def __init__(self, kind, rows, columns):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = kind
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvp("corpress", ["corpress", "status", "--follow", "--interval", "1", "a.h5"])

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, pattern):
        """Takes what comes up to a match, and returns it."""
        while not (found := re.search(pattern, self.seen, re.S)):
            assert select.select([self.fd], [], [], 300)[0], self.seen
            self.seen += os.read(self.fd, 65536)
        taken, self.seen = self.seen[:found.end()], self.seen[found.end():]
        return taken

    def frame(self):
        """The lines of the next whole frame."""
        self.until(rb"\x1b\[H(?=[^\x1b])")
        text = self.until(rb"\x1b\[J")
        assert text.endswith(b"\x1b[K\x1b[J"), text
        lines = [line.removesuffix(b"\x1b[K") for line in text[:-3].split(b"\r\r\n")]
        assert not any(b"\x1b" in line for line in lines), lines
        return [line.decode() for line in lines]

    def end(self):
        try:
            while more := os.read(self.fd, 65536):
                self.seen += more
        except OSError:
            pass
        return os.waitpid(self.pid, 0)[1]

def fits(frame, rows, columns):
    assert len(frame) <= rows and max(map(len, frame)) <= columns, frame

screen = Screen("xterm", 24, 100)
screen.until(re.escape(ENTER))
frame = screen.frame()
fits(frame, 24, 100)
text = "\n".join(frame)
assert "running on here, process 7, SLURM job 77 (RUNNING)" in text, text
assert "shards  0 done, 2999 in work, 0 left, of 3" in text, text
assert re.search(r"\[#+-+\]  66.7 %", text) and "ranks   3000, 2999 at work, 1.0 kB/s to" in text, text
at = next(i for i, line in enumerate(frame) if "host; the slowest" in line)
assert [line.split()[0] for line in frame[at + 1:at + 4]] == ["7", "1007", "2007"], text
assert "Ctrl-C ends this" in frame[-1], text
screen.resize(12, 30)
while len(frame) > 12 or max(map(len, frame)) > 30:
    frame = screen.frame()
os.kill(screen.pid, signal.SIGTSTP)
assert os.WIFSTOPPED(os.waitpid(screen.pid, os.WUNTRACED)[1])
screen.until(re.escape(LEAVE))
screen.resize(60, 200)
os.kill(screen.pid, signal.SIGCONT)
screen.until(re.escape(ENTER))
while len(frame) <= 12:
    frame = screen.frame()
fits(frame, 60, 200)
os.write(screen.fd, b"\x03")
how = screen.end()
assert os.WIFSIGNALED(how) and os.WTERMSIG(how) == signal.SIGINT, how
assert screen.seen.endswith(LEAVE), screen.seen[-200:]

dumb = Screen("dumb", 24, 80)
assert b"\x1b" not in dumb.until(rb"running on here.*\n")
os.kill(dumb.pid, signal.SIGTERM)
assert os.WTERMSIG(dumb.end()) == signal.SIGTERM and b"\x1b" not in dumb.seen

last = Screen("xterm", 24, 80)
last.frame()
os.rename("whole.h5", "a.h5")
os.rename("a.h5.work", "work")
assert os.waitstatus_to_exitcode(last.end()) == 0
after = last.seen.split(LEAVE)
assert len(after) == 2 and b"a.h5: finished, SLURM job 77 (RUNNING)\r\nshards  3 done" in after[1], after[1:]
END
python3 screen.py
let_go
