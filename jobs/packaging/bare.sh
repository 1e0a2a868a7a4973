# shellcheck shell=bash
# bare.sh: for scripts that try something in a bare Debian 12: a tree that debootstrap makes, and
# chroot. Needs root, debootstrap, and a mirror: DEBIAN_MIRROR, else Debian's.

say() { printf '\n== %s\n' "$*"; }
bad() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# bare_needs: ends the script if this machine cannot do it.
bare_needs() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "${0##*/}: this needs root: it makes and enters a system of its own" >&2
        exit 2
    fi
    if ! command -v debootstrap >/dev/null; then
        echo "${0##*/}: no debootstrap: install it with jobs/packages.sh package" >&2
        exit 2
    fi
}

# bare_make ROOT: a fresh bare system in ROOT, in place of what is there. What debootstrap made is
# kept beside it as `bare`, and copied for each.
bare_make() {
    local kept
    kept=$(dirname "$1")/bare
    if [ ! -e "$kept/made" ]; then
        rm -rf "$kept"
        mkdir -p "$kept"
        if ! debootstrap --variant=minbase bookworm "$kept/root" \
            "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$kept/log" 2>&1; then
            tail -n 5 "$kept/log" >&2
            echo "${0##*/}: debootstrap failed; all it said is in $kept/log" >&2
            exit 2
        fi
        touch "$kept/made"
    fi
    rm -rf "$1"
    cp -a "$kept/root" "$1"
    cp -L /etc/resolv.conf "$1/etc/resolv.conf"
}

# bare_run ROOT COMMAND...: runs it in there, with the name space of a machine of its own: no
# environment of this one, its own /proc and shared memory, no process left behind.
bare_run() {
    # shellcheck disable=SC2016
    unshare --mount --pid --ipc --fork --kill-child -- sh -c '
        set -e
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
        exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
            chroot "$root" "$@"' sh "$@"
}
