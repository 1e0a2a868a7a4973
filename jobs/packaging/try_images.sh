#!/usr/bin/env bash
# try_images.sh FOLDER: runs what corpress.def in FOLDER (from recipes.sh) has for Apptainer,
# without Apptainer: its sections, each in a bare Debian 12 in place of the image. Then starts the
# program in there from this machine's mpirun. Builds the Dockerfile, too, where there is buildah,
# on the same bare system. Takes ten minutes, 2 GB below build/, and a mirror of Debian; see bare.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=jobs/packaging/bare.sh
. "$here/bare.sh"
if [ "$#" -ne 1 ] || [[ $1 = -* ]]; then
    echo "usage: jobs/packaging/try_images.sh FOLDER" >&2
    exit 3
fi
folder=$(realpath -- "$1")
def=$folder/corpress.def
trial=$(realpath -- "$here/../..")/build/trial

[ -f "$def" ] || bad "no corpress.def in $folder: fill it with jobs/packaging/recipes.sh"
bare_needs

# section STAGE NAME: what stands in that section of that stage.
section() {
    awk -v stage="$1" -v name="$2" '/^Bootstrap:/ { here = 0 } /^Stage:/ { now = $2 }
        /^%/ { here = now == stage && substr($1, 2) == name; next } here' "$def"
}

# copy FROM-ROOT STAGE: the files of the stage's section, pairs of source and target.
copy() {
    local from to
    section "$2" files | while read -r from to; do
        [ -z "$from" ] || cp -a -- "$1/$from" "$trial/$2/$to"
    done
}

say "corpress.def: the stage that builds"
bare_make "$trial/build"
copy "$folder" build
bare_run "$trial/build" sh -e -c "$(section build post)" >"$trial/build.log" 2>&1 ||
    { tail -n 20 "$trial/build.log" >&2 && bad "%post fails; all it said is in $trial/build.log"; }
ls "$trial/build/packages"

say "corpress.def: the stage that runs"
bare_make "$trial/run"
copy "$trial/build" run
bare_run "$trial/run" sh -e -c "$(section run post)" >"$trial/run.log" 2>&1 ||
    { tail -n 20 "$trial/run.log" >&2 && bad "%post fails; all it said is in $trial/run.log"; }
# As Apptainer has it: not root, and the image is read-only.
inside() {
    bare_run "$trial/run" setpriv --reuid 65534 --regid 65534 --clear-groups \
        sh -e -c "$(section run environment)
$1" corpress "${@:2}"
}
inside "$(section run runscript)" --version
say "corpress.def: its test"
inside "$(section run test)"

if command -v mpirun >/dev/null; then
    say "From this machine's mpirun: $(mpirun --version | head -n 1)"
    shared=$(mktemp -d)
    trap 'rm -rf "$shared"' EXIT
    cp -r "$trial/build/source/shard" "$shared/corpus"
    # Like Apptainer, which shows the machine's /tmp, /proc and /dev in the image.
    # shellcheck disable=SC2016
    unshare --mount -- sh -ec 'root=$1 shared=$2
        for place in /proc /sys /dev /tmp; do mount --rbind "$place" "$root$place"; done
        cd /
        mpirun --allow-run-as-root --oversubscribe -n 2 chroot "$root" \
            corpress compress -q --shard-size 1M "$shared/corpus" -o "$shared/two.h5"
        chroot "$root" corpress compress -q --shard-size 1M "$shared/corpus" -o "$shared/one.h5"
        ' sh "$trial/run" "$shared"
    cmp "$shared/one.h5" "$shared/two.h5"
    grep -o '"ranks":[0-9]*' "$shared/two.h5.log.jsonl" | head -n 1
fi

if command -v buildah >/dev/null; then
    say "The Dockerfile, with buildah"
    image=corpress-trial
    # chroot needs no rights but root's; vfs needs no file system of its own.
    export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
    store=(--root "$trial/images" --runroot "$trial/images-run")
    base=$(buildah "${store[@]}" from scratch)
    buildah "${store[@]}" add -q "$base" "$trial/bare/root" / >/dev/null
    for name in bookworm bookworm-slim; do
        buildah "${store[@]}" commit -q "$base" "docker.io/library/debian:$name" >/dev/null
    done
    buildah "${store[@]}" bud --pull-never -t "$image" "$folder" >"$trial/docker.log" 2>&1 ||
        { tail -n 20 "$trial/docker.log" >&2 && bad "the Dockerfile fails; see $trial/docker.log"; }
    container=$(buildah "${store[@]}" from --pull-never "localhost/$image")
    buildah "${store[@]}" run -v "$here/use.sh:/use.sh:ro" "$container" -- \
        sh -ec '[ "$(id -u)" -ne 0 ]; exec bash /use.sh'
    buildah "${store[@]}" rm --all >/dev/null
    buildah "${store[@]}" rmi --all --force >/dev/null
    rm -rf "$trial/images" "$trial/images-run"
fi
rm -rf "$trial/build" "$trial/run"
say "All of it works"
