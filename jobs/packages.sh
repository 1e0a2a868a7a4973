#!/usr/bin/env bash
# packages.sh build|test|package|ci: installs what is missing on Debian to build, to test, to make
# and try packages, or to run CI.
# Does nothing where everything is there; needs root or sudo otherwise.
set -euo pipefail

packages=(gcc libc6-dev cmake ninja-build pkg-config openmpi-bin libopenmpi-dev
    libhdf5-dev libopenblas-dev liblz4-dev libxxhash-dev
    zlib1g-dev libzstd-dev liblzma-dev libbz2-dev libsnappy-dev)
# For tests that are skipped where these cannot be installed.
optional=()
case ${1:-build} in
build) ;;
test)
    packages+=(libcmocka-dev diffutils python3 python3-h5py python3-pytest)
    optional=(slurm-wlm munge iproute2 hdf5-tools zstd lz4 bzip2 xz-utils man-db groff-base)
    ;;
package) packages+=(dpkg-dev binutils file lintian debootstrap git xz-utils) ;;
ci)
    packages+=(libcmocka-dev diffutils python3 python3-h5py python3-pytest python3-pip mypy
        clang clang-format clang-tidy clang-tools-14 libclang-rt-14-dev shellcheck git)
    # The cross compilers and the emulator take 630 MB; with a browser, too much for `test`.
    optional=(slurm-wlm munge iproute2 hdf5-tools zstd lz4 bzip2 xz-utils chromium
        fonts-dejavu-core gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-s390x-linux-gnu
        libc6-dev-s390x-cross qemu-user-static man-db groff-base mandoc zsh)
    ;;
*)
    echo "usage: $0 build|test|package|ci" >&2
    exit 3
    ;;
esac

# lacking PACKAGE...: those that are not installed.
lacking() {
    local package status
    for package in "$@"; do
        status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
        [ "$status" = "install ok installed" ] || echo "$package"
    done
}
mapfile -t missing < <(lacking "${packages[@]}")
mapfile -t wanted < <(lacking "${optional[@]}")
[ $((${#missing[@]} + ${#wanted[@]})) -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        [ "${#missing[@]}" -gt 0 ] || exit 0
        echo "packages.sh: please install as root: ${missing[*]}" >&2
        exit 2
    fi
    as_root=(sudo)
fi
echo "packages.sh: installing ${missing[*]} ${wanted[*]}"
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=580)
"${as_root[@]}" "${apt[@]}" update || [ "${#missing[@]}" -eq 0 ]
if [ "${#missing[@]}" -gt 0 ]; then
    "${as_root[@]}" "${apt[@]}" install --no-install-recommends "${missing[@]}"
fi
for package in "${wanted[@]}"; do
    "${as_root[@]}" "${apt[@]}" install --no-install-recommends "$package" ||
        echo "packages.sh: no $package; tests that want it are skipped" >&2
done
