#!/usr/bin/env bash
# deb.sh [FOLDER]: builds the Debian packages of this tree, checks them with lintian if it is there,
# and puts them into FOLDER (build/deb). Prints their names. The same tree makes the same bytes.
#
# DEBFULLNAME and DEBEMAIL, as Debian's own tools know them, name the maintainer. Their time is
# SOURCE_DATE_EPOCH, else that of the commit; of an unpacked tarball, that of its files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. jobs/packaging/common.sh
folder=$(only_folder build/deb "$@")
build=$PWD/build/package

say() { echo "deb.sh: $*" >&2; }
for tool in cmake ninja dpkg-buildflags dpkg-shlibdeps gzip; do
    if ! command -v "$tool" >/dev/null; then
        say "no $tool: install it with jobs/packages.sh package"
        exit 2
    fi
done
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    if [ -e .git ]; then
        SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    else
        SOURCE_DATE_EPOCH=$(stat -c %Y CMakeLists.txt)
    fi
fi
export SOURCE_DATE_EPOCH

# What Debian builds its packages with; bindnow costs nothing here. Kernels are at -O3 as ever.
# Debug information is stripped anyway, and would bring paths into the build id.
export DEB_BUILD_MAINT_OPTIONS=hardening=+all
CFLAGS="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS) -g0"
LDFLAGS=$(dpkg-buildflags --get LDFLAGS)
export CFLAGS LDFLAGS
contact=()
if [ -n "${DEBEMAIL:-}" ]; then
    contact=(-D "CPACK_PACKAGE_CONTACT=${DEBFULLNAME:-$DEBEMAIL} <$DEBEMAIL>")
fi

umask 022
say "building in $build"
rm -rf "$build"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
    -DCMAKE_SKIP_RPATH=ON -DBUILD_TESTING=OFF >&2
cmake --build "$build" >&2

say "packing"
mkdir -p "$folder"
out=$build/packages
(cd "$build" && cpack -G DEB -B "$out" "${contact[@]}") >&2
packages=("$out"/*.deb)
# CPack gives every library scripts that call ldconfig, which the trigger does already.
for package in "${packages[@]}"; do
    if dpkg-deb -I "$package" postinst 2>/dev/null | grep -q ldconfig; then
        rm -rf "$out/unpacked"
        dpkg-deb -R "$package" "$out/unpacked"
        rm "$out/unpacked"/DEBIAN/postinst "$out/unpacked"/DEBIAN/postrm
        dpkg-deb --root-owner-group -Zxz -b "$out/unpacked" "$package" >&2
    fi
done
if command -v lintian >/dev/null; then
    say "lintian"
    # It runs as root in a container, too.
    lintian --allow-root --fail-on error --tag-display-limit 0 "${packages[@]}" >&2
else
    say "no lintian: the packages are not checked"
fi
for package in "${packages[@]}"; do
    mv -f "$package" "$folder"
    echo "$folder/${package##*/}"
done
