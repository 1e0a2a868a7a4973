# Three hosts, each a network namespace; one is cut off in the middle. The run ends, the two others
# finish it, and the ranks that live on at the lost host do no harm.
# shellcheck disable=SC2034
[ "$(id -u)" -eq 0 ] || skip "network namespaces want root"
PATH=$PATH:/usr/sbin:/sbin
for program in ip nsenter unshare mpirun; do
    type -P "$program" >/dev/null || skip "no $program (Debian: iproute2)"
done

net=cpr$$
end_net() {
    local host
    for host in "${net}h1" "${net}h2" "${net}h3" "${net}switch"; do
        [ -e "/run/netns/$host" ] || continue
        ip netns pids "$host" | xargs -r kill -KILL 2>/dev/null || true
        ip netns del "$host"
    done
}
trap end_net EXIT

# A switch, in a namespace of its own: nothing of this touches the real network.
make_net() {
    local i
    ip netns add "${net}switch"
    ip -n "${net}switch" link add name bridge type bridge
    ip -n "${net}switch" link set bridge up
    echo 127.0.0.1 localhost >hosts
    for i in 1 2 3; do
        echo "10.77.0.$i h$i" >>hosts
        ip netns add "${net}h$i"
        ip link add name eth0 netns "${net}h$i" type veth peer name "port$i" netns "${net}switch"
        ip -n "${net}switch" link set "port$i" master bridge up
        ip -n "${net}h$i" addr add "10.77.0.$i/24" dev eth0
        ip -n "${net}h$i" link set eth0 up
        ip -n "${net}h$i" link set lo up
    done
}
make_net 2>said || skip "no network namespaces: $(cat said)"

# on HOST COMMAND...: as ssh does it. Each host has its own name, /tmp and /dev/shm.
cat >on <<END
#!/bin/bash
shared='$PWD' net=$net
END
cat >>on <<'END'
host=$1
shift
export shared
exec nsenter --net="/run/netns/$net$host" unshare --mount --uts --propagation private bash -c '
    hostname "$0"
    kept=$(mktemp -d /run/kept.XXXXXX)
    mount --bind "$shared" "$kept"
    mount -t tmpfs none /tmp
    mkdir -p "$shared"
    mount --move "$kept" "$shared"
    rmdir "$kept"
    mount -t tmpfs none /dev/shm
    mount --bind "$shared/hosts" /etc/hosts
    cd "$shared"
    eval "$*"' "$host" "$@"
END
chmod +x on
cp "$(type -P corpress)" corpress
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent=$PWD/on OMPI_MCA_plm_rsh_no_tree_spawn=1
export OMPI_MCA_btl=self,vader,tcp OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_oob_tcp_keepalive_time=3 OMPI_MCA_oob_tcp_keepalive_intvl=1
export OMPI_MCA_oob_tcp_keepalive_probes=3

mkdir corpus
for i in 1 2 3 4 5 6 7 8; do text 1000000 "$i" >"corpus/$i"; done
run=("$PWD/corpress" compress -q -p fast --no-primer --shard-size 1M corpus -o)
at_h3() { ip netns pids "${net}h3"; }
# work_so_far: changes when the run comes forward.
work_so_far() { find . -name 'shard-*' -printf '%p %s\n' | sort; }
ended() { ! kill -0 "$pid" 2>/dev/null; }

# Every rank in the middle of its second shard.
hold_at 1300000
bash on h1 mpirun -H h1:1,h2:1,h3:1 "${run[@]}" archive.h5 >said 2>&1 &
pid=$!
await_hold "$pid" 3
# Nothing gets through to the third host any more. Its processes stand still for now, so that they
# come to their next write when nobody expects it.
ip -n "${net}switch" link set port3 down
at_h3 | xargs kill -STOP
patiently work_so_far ended || fail "the run goes on without a host"
code=0
wait "$pid" || code=$?
[ "$code" -ne 0 ] || fail "done without a host"
absent archive.h5
at_h3 | xargs -I '{}' readlink '/proc/{}/exe' | grep -q corpress || fail "no rank lives on"

# The others do the rest, and in the middle of it the lost rank goes on with its shard.
hold_at 300000
bash on h1 mpirun -H h1:1,h2:1 "${run[@]}" archive.h5 >said 2>&1 &
pid=$!
await_hold "$pid" 2
at_h3 | xargs kill -CONT
end_hold
patiently work_so_far ended || fail "the run does not end: $(cat said)"
wait "$pid" || fail "failed: $(cat said)"
ranks 2 "${run[@]}" direct.h5
cmp direct.h5 archive.h5
absent archive.h5.work

# The host comes back.
ip -n "${net}switch" link set port3 up
sleep 3
cmp direct.h5 archive.h5
absent archive.h5.work
