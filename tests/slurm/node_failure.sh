# shellcheck disable=SC2154
# A node fails in the middle: the job starts itself again on the others.
. "$TESTS/slurm/_cluster.sh"
reference 10 1M
cluster_start 4

job=$(submit compress corpus -o archive.h5 --nodes 3 --time 10 -- --shard-size 1M)
within 60 job_works "$job" archive.h5 || fail "the job does not work"
node_dies n2
within 60 job_restarted "$job" || fail "not started again: $(cat archive.h5.slurm-"$job".out)"
job_ends "$job" 120
cmp direct.h5 archive.h5
absent archive.h5.work

# A rank alone: killed for want of memory, say.
rm archive.h5
job=$(submit compress corpus -o archive.h5 --nodes 2 --time 10 -- --shard-size 1M)
within 60 job_works "$job" archive.h5 || fail "the job does not work"
rank=$(node_rank n1 || node_rank n3 || node_rank n4) || fail "no rank"
kill -KILL "$rank"
within 60 job_restarted "$job" || fail "not started again: $(cat archive.h5.slurm-"$job".out)"
job_ends "$job" 120
cmp direct.h5 archive.h5

# Nothing goes forward: it gives up.
cp corpress broken
printf '#!/bin/sh\nkill -KILL $$\n' >broken
echo "SITE_CORPRESS=$shared/broken" >>"$CORPRESS_SITE"
job=$(submit compress corpus -o other.h5 --time 10)
job_ends "$job" 90 FAILED
grep -q 'giving up after 3 attempts' "other.h5.slurm-$job.out"
nothing_left other.h5
if compgen -G '*.attempts' || compgen -G '*.exit-*'; then fail "something is left"; fi
