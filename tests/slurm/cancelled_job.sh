# shellcheck disable=SC2154
# A job that was cancelled goes on when it is submitted again, under either launcher.
. "$TESTS/slurm/_cluster.sh"
reference
cluster_start 4

hold_at "$middle"
job=$(submit compress corpus -o archive.h5 --nodes 4 --time 10 -- "${compress_options[@]}")
job_is_held "$job" 4
scancel "$job"
job_ends "$job" CANCELLED
end_hold
absent archive.h5
compgen -G 'archive.h5.work/shard-*.cps' >/dev/null || fail "finished shards are lost"
job=$(submit compress corpus -o archive.h5 --nodes 2 --time 10 -- "${compress_options[@]}")
job_ends "$job"
cmp direct.h5 archive.h5
absent archive.h5.work

# Asked to stop by hand, at a job that srun started. This srun crashes now and then at the start
# of a step; the job starts itself again then.
rm archive.h5
echo 'SITE_ATTEMPTS=10' >>"$CORPRESS_SITE"
hold_at "$middle"
job=$(submit compress corpus -o archive.h5 --nodes 2 --time 10 --launcher srun -- "${compress_options[@]}")
job_is_held "$job" 2
before=$(job_fact "$job" Restarts)
scancel --batch --signal=USR1 "$job"
stopped() { [ "$(job_fact "$job" Restarts)" -gt "$before" ]; }
patiently job_progress stopped || fail "not started again: $(cat archive.h5.slurm-"$job".out)"
end_hold
job_ends "$job"
grep -q 'the state is saved; starting again' "archive.h5.slurm-$job.out"
cmp direct.h5 archive.h5
absent archive.h5.work
