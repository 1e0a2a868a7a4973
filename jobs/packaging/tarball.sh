#!/usr/bin/env bash
# tarball.sh [FOLDER]: writes corpress-VERSION.tar.xz into FOLDER (build/dist) and prints its name.
# It holds what the commit that is checked out holds, and nothing else. The same commit makes the
# same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. jobs/packaging/common.sh
folder=$(only_folder build/dist "$@")

if [ ! -e .git ]; then
    echo "tarball.sh: $PWD is no checkout: only a commit makes a tarball" >&2
    exit 2
fi
version=$(git show HEAD:CMakeLists.txt | project_version)
if [ -z "$version" ]; then
    echo "tarball.sh: the commit's CMakeLists.txt names no version of the project" >&2
    exit 1
fi
if [ -n "$(git status --porcelain)" ]; then
    echo "tarball.sh: what is not committed is left out" >&2
fi
mkdir -p "$folder"
tarball=$folder/corpress-$version.tar.xz
# The mode of files does not depend on who calls; one thread, or the bytes would depend on xz.
git -c tar.umask=0022 archive --format=tar --prefix="corpress-$version/" HEAD |
    xz -9 --threads=1 >"$tarball.part"
mv -f "$tarball.part" "$tarball"
echo "$tarball"
