# shellcheck disable=SC2154
# A job that reaches its time limit saves its state, puts itself back into the queue, goes on, and
# makes the archive of an undisturbed run.
. "$TESTS/slurm/_cluster.sh"
reference
cluster_start 4

# SLURM looks at limits every 30 seconds, and warns up to as much earlier than it was asked to: here
# 15 to 45 seconds after the start. The job is held in the middle until then, and has four minutes
# to save its state. Where it takes longer to get there, it is warned before it has done anything.
echo 'SITE_ATTEMPTS=100' >>"$CORPRESS_SITE"
hold_at "$middle"
job=$(submit compress corpus -o archive.h5 --nodes 2 --ntasks-per-node 1 --time 5 \
    --signal-seconds 255 -- "${compress_options[@]}")
job_is_held "$job" 2
before=$(job_fact "$job" Restarts)
stopped() { [ "$(job_fact "$job" Restarts)" -gt "$before" ]; }
patiently job_progress stopped || fail "the limit was not met: $(cat archive.h5.slurm-"$job".out)"
end_hold
# However long the rest takes, a job that comes to its limit again and again comes to its end.
job_ends "$job"
grep -q 'attempt 2' "archive.h5.slurm-$job.out"
grep -q 'the state is saved; starting again' "archive.h5.slurm-$job.out"
cmp direct.h5 archive.h5
absent archive.h5.work
if compgen -G '*.attempts' || compgen -G '*.exit-*'; then fail "something is left"; fi
