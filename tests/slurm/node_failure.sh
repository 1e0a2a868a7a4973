# shellcheck disable=SC2034,SC2154
# A node fails in the middle: the job starts itself again on the others.
. "$TESTS/slurm/_cluster.sh"
reference
SLURMD_TIMEOUT=10 # the job is put back when SLURM has given up the node
cluster_start 4

hold_at "$middle"
job=$(submit compress corpus -o archive.h5 --nodes 3 --time 10 -- "${compress_options[@]}")
job_is_held "$job" 3
node_dies n2
job_starts_again "$job"
job_ends "$job"
cmp direct.h5 archive.h5
absent archive.h5.work

# A rank alone: killed for want of memory, say.
rm archive.h5
hold_at "$middle"
job=$(submit compress corpus -o archive.h5 --nodes 2 --time 10 -- "${compress_options[@]}")
job_is_held "$job" 2
rank=$(node_rank n1 || node_rank n3 || node_rank n4) || fail "no rank"
kill -KILL "$rank"
job_starts_again "$job"
job_ends "$job"
cmp direct.h5 archive.h5

# Nothing goes forward: it gives up.
cp corpress broken
printf '#!/bin/sh\nkill -KILL $$\n' >broken
echo "SITE_CORPRESS=$shared/broken" >>"$CORPRESS_SITE"
job=$(submit compress corpus -o other.h5 --time 10)
job_ends "$job" FAILED
grep -q 'giving up after 3 attempts' "other.h5.slurm-$job.out"
nothing_left other.h5
if compgen -G '*.attempts' || compgen -G '*.exit-*'; then fail "something is left"; fi
