# Processes that were started together but do not see each other say so, and stop.
echo text >corpus
for variables in 'OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=0' 'PMI_SIZE=4 PMI_RANK=0' \
    'SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=0'; do
    # shellcheck disable=SC2086
    expect 2 env $variables corpress compress -q corpus -o archive.h5 2>said
    grep -q 'started 4 processes' said
    nothing_left archive.h5
done
# Only the first of them talks.
expect 2 env PMI_SIZE=4 PMI_RANK=2 corpress compress -q corpus -o archive.h5 2>said
if grep -q '^corpress' said; then fail "$(cat said)"; fi
# In a SLURM batch shell a single process is what is meant.
expect 0 env SLURM_NTASKS=4 SLURM_PROCID=0 corpress compress -q corpus -o archive.h5
expect 0 env SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=1 SLURM_PROCID=0 corpress verify -q archive.h5
