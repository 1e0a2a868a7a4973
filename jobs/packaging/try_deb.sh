#!/usr/bin/env bash
# try_deb.sh [FOLDER]: installs the packages in FOLDER (build/deb, from deb.sh) in a bare Debian 12,
# uses them, removes them, and compares what is left with what was there before. Takes some
# minutes, 2 GB below build/, and a mirror of Debian; see bare.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=jobs/packaging/bare.sh
. "$here/bare.sh"
# shellcheck source=jobs/packaging/common.sh
. "$here/common.sh"
cd "$here/../.."
folder=$(only_folder build/deb "$@")
root=$PWD/build/trial/deb

version=$(project_version <CMakeLists.txt)
shopt -s nullglob
packages=("$folder"/*_"$version"-*.deb)
[ "${#packages[@]}" -gt 0 ] ||
    bad "no packages of version $version in $folder: make them with jobs/packaging/deb.sh"
names=()
for package in "${packages[@]}"; do names+=("$(dpkg-deb -f "$package" Package)"); done
bare_needs

say "A bare Debian 12"
bare_make "$root"
mkdir "$root/packages"
cp -- "${packages[@]}" "$root/packages"
apt=(apt-get -qq -y -o Dpkg::Use-Pty=0 -o APT::Install-Recommends=false)
bare_run "$root" apt-get -qq update
bare_run "$root" dpkg -l | grep -c '^ii' | sed 's/$/ packages/'

say "What the packages need"
own=$(printf '%s|' "${names[@]}")
bare_run "$root" "${apt[@]/-qq/-s}" install "${packages[@]/#*\///packages/}" >"$root/plan"
mapfile -t needed < <(sed -n 's/^Inst \([^ ]*\) .*/\1/p' "$root/plan" | grep -vxE "${own%|}")
echo "${#needed[@]} packages: ${needed[*]}"
# And a compiler, for what links the library.
bare_run "$root" "${apt[@]}" install "${needed[@]}" gcc libc6-dev pkg-config >"$root/log" 2>&1 ||
    { tail -n 20 "$root/log" >&2 && bad "what the packages need cannot be installed"; }

# state: each file of the system, but for the records of apt and dpkg.
state() {
    bare_run "$root" find / -xdev \( -path /proc -o -path /dev -o -path /packages -o -path /tmp \
        -o -path /plan -o -path /log -o -path /root -o -path /var/lib/dpkg -o -path /var/lib/apt \
        -o -path /var/cache -o -path /var/log \) -prune -o -printf '%p %y %m %u %s %l\n' |
        awk '$2 == "d" { $5 = "-" } { print }' | LC_ALL=C sort
}
state >"$root/../before"

say "Install"
bare_run "$root" "${apt[@]}" install "${packages[@]/#*\///packages/}"
bare_run "$root" dpkg --audit
bare_run "$root" dpkg -V "${names[@]}"
bare_run "$root" dpkg -L "${names[@]}" | grep . | LC_ALL=C sort -u >"$root/../ours"

say "Use"
install -m 755 "$here/use.sh" "$root/packages/use.sh"
bare_run "$root" bash /packages/use.sh

say "Purge"
bare_run "$root" "${apt[@]}" purge "${names[@]}"
state >"$root/../after"
diff "$root/../before" "$root/../after" ||
    bad "the packages left this behind (>), or took it along (<)"
# Each path of the packages is gone, unless it was there before.
while IFS= read -r path; do
    [ ! -e "$root$path" ] && [ ! -h "$root$path" ] ||
        awk -v path="$path" '$1 == path { found = 1 } END { exit !found }' "$root/../before" ||
        { [ "$path" = /. ] || bad "$path is still there"; }
done <"$root/../ours"
if bare_run "$root" dpkg-query -W "${names[@]}" 2>/dev/null; then bad "dpkg still knows them"; fi
rm -rf "$root"
say "Installed, used and removed: ${names[*]}"
