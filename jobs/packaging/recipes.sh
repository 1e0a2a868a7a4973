#!/usr/bin/env bash
# recipes.sh TARBALL FOLDER [URL [PREFIX]]: fills FOLDER with what a site builds corpress by, for
# the version that TARBALL (from tarball.sh) holds, with its checksum, and with a copy of it:
#
#   spack/...                           a repository of packages for Spack
#   corpress-VERSION-foss-2023a.eb      the easyconfig for EasyBuild
#   modules/corpress/VERSION.lua        the module for Lmod
#   corpress.def                        the definition of an Apptainer image
#   Dockerfile                          the same for Docker, Podman and Buildah
#
# URL is where the site keeps the tarball, without it the copy in FOLDER. PREFIX is where the
# program that the module is for is installed, without it /opt/corpress/VERSION.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=jobs/packaging/common.sh
. "$here/common.sh"
if [ "$#" -lt 2 ] || [ "$#" -gt 4 ] || [[ $1 = -* ]]; then
    echo "usage: jobs/packaging/recipes.sh TARBALL FOLDER [URL [PREFIX]]" >&2
    exit 3
fi
tarball=$1
folder=$2

bad() {
    echo "recipes.sh: $*" >&2
    exit 2
}
[ -f "$tarball" ] || bad "no file $tarball: make it with jobs/packaging/tarball.sh"
version=$(tar -xOf "$tarball" --wildcards --no-wildcards-match-slash '*/CMakeLists.txt' |
    project_version)
[ -n "$version" ] || bad "$tarball is no tarball of corpress"
name=corpress-$version.tar.xz
[ "${tarball##*/}" = "$name" ] || bad "$tarball holds version $version: name it $name"
sha256=$(sha256sum <"$tarball")
sha256=${sha256%% *}

mkdir -p "$folder/spack/packages/corpress" "$folder/modules/corpress"
folder=$(realpath -- "$folder")
[ "$tarball" -ef "$folder/$name" ] || cp -- "$tarball" "$folder/$name"
url=${3:-file://$folder/$name}
prefix=${4:-/opt/corpress/$version}
[ "${url##*/}" = "$name" ] || bad "the URL must end in $name"
case $url$prefix in
*[\"\'\\@\|\&]* | *[[:space:]]*) bad "the URL or the prefix has a character that recipes cannot take" ;;
esac

# fill SOURCE TARGET
fill() {
    sed -e "s|@VERSION@|$version|g" -e "s|@SHA256@|$sha256|g" -e "s|@URL@|$url|g" \
        -e "s|@URL_FOLDER@|${url%/*}|g" -e "s|@PREFIX@|$prefix|g" "$here/$1" >"$folder/$2"
    echo "$folder/$2"
}
printf 'repo:\n  namespace: corpress\n' >"$folder/spack/repo.yaml"
fill package.py spack/packages/corpress/package.py
fill corpress.eb "corpress-$version-foss-2023a.eb"
fill module.lua "modules/corpress/$version.lua"
fill corpress.def corpress.def
fill Dockerfile Dockerfile
