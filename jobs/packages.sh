#!/usr/bin/env bash
# packages.sh build|test|ci: installs what is missing on Debian to build, to test, or to run CI.
# Does nothing where everything is there; needs root or sudo otherwise.
set -euo pipefail

packages=(gcc libc6-dev cmake ninja-build pkg-config openmpi-bin libopenmpi-dev
    libhdf5-openmpi-dev liblz4-dev libxxhash-dev)
case ${1:-build} in
build) ;;
test) packages+=(libcmocka-dev diffutils python3 python3-h5py) ;;
ci) packages+=(libcmocka-dev diffutils python3 python3-h5py clang clang-format clang-tidy
    shellcheck git) ;;
*)
    echo "usage: $0 build|test|ci" >&2
    exit 3
    ;;
esac

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "packages.sh: please install as root: ${missing[*]}" >&2
        exit 2
    fi
    as_root=(sudo)
fi
echo "packages.sh: installing ${missing[*]}"
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=580)
"${as_root[@]}" "${apt[@]}" update
"${as_root[@]}" "${apt[@]}" install --no-install-recommends "${missing[@]}"
