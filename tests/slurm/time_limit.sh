# A job that reaches its time limit saves its state, puts itself back into the queue, goes on, and
# makes the archive of an undisturbed run.
. "$TESTS/slurm/_cluster.sh"
reference 20 2M

started=$SECONDS
cluster_start 4
# SLURM looks at limits every 30 seconds, and warns up to as much earlier than it was asked to. So
# a job of a minute that is submitted 24 seconds after the start is warned 6 seconds later.
while [ $((SECONDS - started)) -lt 24 ]; do sleep 0.1; done
# A short primer is kept from attempt to attempt only if snapshots are frequent.
job=$(submit compress corpus -o archive.h5 --nodes 2 --ntasks-per-node 1 --time 1 \
    --signal-seconds 45 -- --shard-size 2M --snapshot-interval 3s)
within 60 job_restarted "$job" || fail "the limit was not met: $(cat archive.h5.slurm-"$job".out)"
job_ends "$job" 90
grep -q 'attempt 2' "archive.h5.slurm-$job.out"
grep -q 'the state is saved; starting again' "archive.h5.slurm-$job.out"
cmp direct.h5 archive.h5
absent archive.h5.work
if compgen -G '*.attempts' || compgen -G '*.exit-*'; then fail "something is left"; fi
