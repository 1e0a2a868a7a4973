# Jobs that wait for each other, and jobs for a part of an archive; names with all kinds of bytes.
. "$TESTS/slurm/_cluster.sh"
cluster_start 4

mkdir corpus
for i in 1 2 3 4; do text 1500000 "$i" >"corpus/$i"; done
corpress compress -q -p fast --shard-size 1M corpus -o direct.h5

# From compress to verify to audit, all submitted at once.
first=$(submit compress corpus -o archive.h5 --nodes 4 --time 10 -- -p fast --shard-size 1M)
[[ $first =~ ^[0-9]+$ ]] || fail "not a job's number: $first"
second=$(submit verify archive.h5 --nodes 2 --time 10 --dependency "afterok:$first")
third=$(submit audit archive.h5 --time 10 --dependency="afterok:$second" -- --format csv)
job_ends "$third"
cmp archive.h5 direct.h5
absent archive.h5.work
corpress audit -q --format csv archive.h5 | cmp - archive.h5.audit.csv
[ -s "archive.h5.slurm-$second.out" ] || fail "no output of the verification"
if compgen -G '*.attempts' || compgen -G '*.exit-*'; then fail "something is left"; fi

# Two shards on two nodes: the files that lie in them as a whole.
job=$(submit extract archive.h5 -C part --shards 0,1 --nodes 2 --time 10)
job_ends "$job"
mkdir direct
expect 1 corpress extract -q --shards 0,1 -C direct archive.h5 # one file lies partly elsewhere
diff -r direct part
[ -f part/corpus/1 ] || fail "nothing extracted"
absent part/corpus/4

# What cannot succeed is not tried again, and what waits for it does not start.
job=$(submit compress absent -o none.h5 --time 10)
after=$(submit verify none.h5 --time 10 --dependency "afterok:$job")
job_ends "$job" FAILED
job_ends "$after" CANCELLED
[ "$(job_fact "$job" Restarts)" -eq 0 ] || fail "started again"
[ "$(job_fact "$job" ExitCode)" = 2:0 ] || fail "$(job_fact "$job" ExitCode)"
grep -q absent "none.h5.slurm-$job.out"

# A name that needs quoting at each step of the way.
name=$'a \'b\' "c" $d %j `e`\\ f\ng'
mkdir -p "$name/in"
cp corpus/1 "$name/in/file $name"
job=$(submit compress "$name/in" -o "$name/x.h5" --time 10 -- -p fast)
job_ends "$job"
job=$(submit extract "$name/x.h5" "$name/in/file $name" -C "$name/out" --time 10)
job_ends "$job"
cmp corpus/1 "$name/out/$name/in/file $name"
[ "$(find "$name" -name 'x.h5.slurm-*.out' | grep -c out)" -ge 1 ] || fail "$(find . -name '*.out')"
