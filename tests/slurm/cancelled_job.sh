# A job that was cancelled goes on when it is submitted again, under either launcher.
. "$TESTS/slurm/_cluster.sh"
reference 10 1M
cluster_start 4

job=$(submit compress corpus -o archive.h5 --nodes 4 --time 10 -- --shard-size 1M)
within 60 job_works "$job" archive.h5 || fail "the job does not work"
timeout 20 scancel "$job"
job_ends "$job" 60 CANCELLED
absent archive.h5
compgen -G 'archive.h5.work/shard-*.cps' >/dev/null || fail "finished shards are lost"
job=$(submit compress corpus -o archive.h5 --nodes 2 --time 10 -- --shard-size 1M)
job_ends "$job" 90
cmp direct.h5 archive.h5
absent archive.h5.work

# Asked to stop by hand, at a job that srun started. This srun crashes now and then at the start
# of a step; the job starts itself again then.
rm archive.h5
echo 'SITE_ATTEMPTS=10' >>"$CORPRESS_SITE"
job=$(submit compress corpus -o archive.h5 --nodes 2 --time 10 --launcher srun -- --shard-size 1M)
within 90 job_works "$job" archive.h5 || fail "the job does not work"
timeout 20 scancel --batch --signal=USR1 "$job"
within 60 job_restarted "$job" || fail "not started again: $(cat archive.h5.slurm-"$job".out)"
job_ends "$job" 120
cmp direct.h5 archive.h5
absent archive.h5.work
