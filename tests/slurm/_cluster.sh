# shellcheck shell=bash
# _cluster.sh: a SLURM cluster of several nodes on this machine, for the tests of jobs/.
#
# slurmctld, munged and one slurmd for each node, on loopback, without systemd. Each slurmd has its
# own UTS and mount namespace, so that Open MPI and PMIx see different hosts, each with its own
# /tmp and /dev/shm. All nodes see the folder $shared.

# How the tests compress: little work a shard, and no primer, which only one rank would make.
# shellcheck disable=SC2034
compress_options=(-p fast --no-primer --shard-size 1M)

# reference: makes corpus/ of ten shards, and direct.h5 of it, without SLURM.
reference() {
    local i
    mkdir corpus
    for i in $(seq 10); do text 1000000 "$i" >"corpus/$i"; done
    ranks 2 corpress compress -q "${compress_options[@]}" corpus -o direct.h5
}
# Each of four ranks comes to its second shard, and is held there.
middle=1300000

# cluster_start NODES: returns when all nodes are idle; skips the test where it cannot be. The
# cluster ends with the shell.
cluster_start() {
    local nodes=$1 node program port
    [ "$(id -u)" -eq 0 ] || skip "a SLURM cluster of its own wants root"
    PATH=$PATH:/usr/sbin:/sbin
    for program in slurmctld slurmd sbatch srun scontrol squeue munged unshare nsenter mpirun; do
        type -P "$program" >/dev/null || skip "no $program (Debian: slurm-wlm munge)"
    done
    unshare --mount --uts --propagation private sh -c 'hostname n1 && mount -t tmpfs none /dev/shm' \
        2>/dev/null || skip "no namespaces of its own"
    shared=$PWD
    cluster=$shared/cluster
    mkdir -p "$cluster"/{state,spool,log}
    mkdir -m 711 "$cluster/munge"
    export SLURM_CONF=$cluster/slurm.conf
    trap cluster_stop EXIT
    port=$(free_ports $((nodes + 1)))
    (umask 077 && head -c 128 /dev/urandom >"$cluster/munge/key")
    munged --force --key-file="$cluster/munge/key" --socket="$cluster/munge/socket" \
        --pid-file="$cluster/munged.pid" --log-file="$cluster/log/munged" \
        --seed-file="$cluster/munge/seed" 2>"$cluster/log/munged.said" ||
        skip "munged does not start: $(cat "$cluster/log/munged.said")"
    cluster_configure "$nodes" "$port"
    slurmctld -f "$SLURM_CONF"
    for node in $(seq "$nodes"); do cluster_node "n$node"; done
    patiently cluster_progress all_idle "$nodes" || {
        tail -n 5 "$cluster"/log/*
        fail "the cluster does not come up"
    }
    cluster_environment
}

# What jobs inherit: several ranks on few cores, and no network but loopback.
cluster_environment() {
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export OMPI_MCA_btl=self,vader,tcp OMPI_MCA_btl_vader_single_copy_mechanism=none
    export OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
    export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
    # The test's own settings only, whatever there is at home.
    export CORPRESS_SITE=$shared/site.conf
    cat >"$CORPRESS_SITE" <<END
SITE_CORPRESS=$shared/corpress
SITE_ENVIRONMENT=(OMPI_MCA_odls_base_sigkill_timeout=1)
END
    cp "$(type -P corpress)" "$shared/corpress"
}

# free_ports N: the first of N ports in a row that nobody listens at.
free_ports() {
    python3 -c 'import random, socket, sys
while True:
    first = random.randrange(15000, 30000)
    try:
        sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
        for i, s in enumerate(sockets):
            s.bind(("127.0.0.1", first + i))
        break
    except OSError:
        pass
print(first)' "$1"
}

cluster_configure() {
    local nodes=$1 port=$2 node
    cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
AuthType=auth/munge
# A job that is put back may start when its credential has run out.
AuthInfo=socket=$cluster/munge/socket,cred_expire=15
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool/%n
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.%n.pid
SlurmctldLogFile=$cluster/log/slurmctld
SlurmdLogFile=$cluster/log/slurmd.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
MinJobAge=3600
KillWait=60
MessageTimeout=60
SlurmdTimeout=${SLURMD_TIMEOUT:-60}
ReturnToService=2
JobRequeue=1
SlurmdParameters=config_overrides
NodeName=n[1-$nodes] NodeHostname=n[1-$nodes] NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + nodes))] CPUs=2 RealMemory=2000
PartitionName=main Nodes=n[1-$nodes] Default=YES MaxTime=60:00 State=UP
END
    cp /etc/hosts "$cluster/hosts"
    for node in $(seq "$nodes"); do echo "127.0.0.1 n$node" >>"$cluster/hosts"; done
}

# cluster_node NAME: starts its slurmd.
cluster_node() {
    mkdir -p "$cluster/spool/$1"
    unshare --mount --uts --propagation private sh -ec '
        hostname "$1"
        kept=$(mktemp -d /run/kept.XXXXXX)
        mount --bind "$3" "$kept"
        mount -t tmpfs none /tmp
        mkdir -p "$3"
        mount --move "$kept" "$3"
        rmdir "$kept"
        mount -t tmpfs none /dev/shm
        mount --bind "$4" /etc/hosts
        exec slurmd -f "$2" -N "$1"' sh "$1" "$SLURM_CONF" "$shared" "$cluster/hosts"
}

all_idle() { [ "$(sinfo -h -t idle -o %D 2>/dev/null | head -n 1)" = "$1" ]; }

# node_processes NAME: what runs in a node's namespace.
node_processes() {
    local space process
    space=$(cat "$cluster/$1.space" 2>/dev/null) ||
        space=$(readlink "/proc/$(cat "$cluster/slurmd.$1.pid")/ns/mnt") || return 0
    echo "$space" >"$cluster/$1.space"
    for process in /proc/[0-9]*; do
        if [ "$(readlink "$process/ns/mnt" 2>/dev/null)" = "$space" ]; then echo "${process#/proc/}"; fi
    done
}

# node_dies NAME: as if its power failed, slurmd, batch shell and ranks.
node_dies() { node_processes "$1" | xargs -r kill -KILL 2>/dev/null || true; }

cluster_stop() {
    local file node
    scancel --user "$(id -un)" >/dev/null 2>&1 || true
    for file in "$cluster"/slurmd.*.pid; do
        [ -f "$file" ] || continue
        node=${file##*/slurmd.}
        node_dies "${node%.pid}"
    done
    for file in "$cluster/slurmctld.pid" "$cluster/munged.pid"; do
        [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
    done
    # They write until they end.
    patiently cluster_progress absent_now "$cluster/slurmctld.pid" "$cluster/munged.pid" || true
}
cluster_progress() { wc -c "$cluster"/log/* 2>/dev/null || true; }
absent_now() {
    local path
    for path in "$@"; do [ ! -e "$path" ] || return 1; done
}

# ---- jobs --------------------------------------------------------------------------------------

submit() { bash "$JOBS/submit.sh" "$@"; }

# job_fact JOB FACT: JobState, Restarts, ExitCode, ... as scontrol has it.
job_fact() {
    scontrol show job -o "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

job_is() { [[ $(job_fact "$1" JobState) =~ ^($2)$ ]]; }

# job_progress: changes when anything becomes of any job: states, attempts, finished shards,
# snapshots, output. The progress file does not count, which only says that rank 0 lives.
job_progress() {
    squeue -h -o '%i %T' 2>/dev/null || true
    find . -path ./cluster -prune -o -type f ! -name progress ! -name lock -printf '%p %s\n' \
        2>/dev/null | sort
}

# job_ends JOB [STATE]: waits until the job has ended, as STATE (COMPLETED).
job_ends() {
    local state
    patiently job_progress job_is "$1" \
        'COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY' ||
        state="still $(job_fact "$1" JobState)"
    state=${state:-$(job_fact "$1" JobState)}
    [ "$state" = "${2:-COMPLETED}" ] || {
        find . -name "*.slurm-$1.out" -exec tail -n 40 {} +
        tail -n 20 "$cluster/log/slurmctld"
        fail "job $1 is $state, not ${2:-COMPLETED}"
    }
}

# job_is_held JOB [RANKS]: waits until so many of its ranks are held in the middle (hold_at).
job_is_held() {
    patiently job_progress is_held "${2:-1}" ||
        fail "the job does not work: $(job_fact "$1" JobState) $(cat ./*.slurm-"$1".out)"
    job_is "$1" RUNNING || fail "the job is $(job_fact "$1" JobState)"
}
is_held() { [ "$(wc -l <hold)" -ge "$1" ]; }

# job_starts_again JOB: waits for that, and lets it go to its end.
job_starts_again() {
    patiently job_progress job_restarted "$1" || fail "not started again: $(cat ./*.slurm-"$1".out)"
    end_hold
}
job_restarted() { [ "$(job_fact "$1" Restarts)" -gt 0 ]; }

# node_rank NODE: the process of a rank on that node.
node_rank() {
    local process
    for process in $(node_processes "$1"); do
        if [ "$(readlink "/proc/$process/exe" 2>/dev/null)" = "$shared/corpress" ]; then
            echo "$process"
            return 0
        fi
    done
    return 1
}
