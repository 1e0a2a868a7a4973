#!/usr/bin/env bash
# mpirun_local.sh N COMMAND...: mpirun with N ranks on this machine alone, as it is found in
# containers, test machines and on laptops: perhaps as root, perhaps with fewer cores than ranks.
set -euo pipefail
ranks=$1
shift
if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# Shared memory only; no copying by ptrace, which containers forbid; ranks that wait give way.
export OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_mpi_yield_when_idle=1
# No second host: no remote shell is needed.
export OMPI_MCA_plm_rsh_agent=${OMPI_MCA_plm_rsh_agent:-false}
exec mpirun --oversubscribe --bind-to none -n "$ranks" "$@"
