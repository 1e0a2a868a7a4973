#!/usr/bin/env bash
# What jobs/packaging makes of a tarball names this version and its checksum, and parses:
# check_packaging.sh ROOT VERSION. Nothing is built; jobs/packaging/README.md says how to try that.
set -euo pipefail
root=$1
version=$2
packaging=$root/jobs/packaging
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
# refused CODE TEXT COMMAND...: it ends with CODE and says TEXT.
refused() {
    local want=$1 text=$2 got=0
    shift 2
    "$@" >said 2>&1 || got=$?
    [ "$got" -eq "$want" ] || fail "$* ended with $got instead of $want: $(cat said)"
    grep -qF -- "$text" said || fail "$* does not say '$text': $(cat said)"
}

# As little of a tarball as recipes.sh looks at.
tarball=corpress-$version.tar.xz
mkdir "corpress-$version"
cp "$root/CMakeLists.txt" "corpress-$version"
tar -cJf "$tarball" "corpress-$version"
"$packaging/recipes.sh" "$tarball" out https://example.org/corpress/"$tarball" /apps/corpress >names
sha256=$(sha256sum <"$tarball")
[ "$(wc -l <names)" -eq 5 ] || fail "recipes.sh wrote $(cat names)"
while IFS= read -r name; do
    grep -qF "$version" "$name" || fail "$name does not name version $version"
    if grep -nE '@[A-Z0-9_]+@' "$name"; then fail "$name: nothing stands for this"; fi
done <names
cmp "$tarball" "out/$tarball"
python3 "$root/tests/unit/check_recipes.py" out "$version" "${sha256%% *}" \
    https://example.org/corpress
# The copy in the folder is what they name without a URL; recipes.sh can be given it again.
"$packaging/recipes.sh" "out/$tarball" out >/dev/null
grep -qF "url = \"file://$PWD/out/$tarball\"" out/spack/packages/corpress/package.py ||
    fail "the package for Spack names another tarball"

# luac knows Lua, but not what Lmod adds.
for luac in luac luac5.4 luac5.3; do
    if command -v "$luac" >/dev/null; then
        "$luac" -p "out/modules/corpress/$version.lua"
        break
    fi
done

# Both images are made by shell scripts.
awk '/^%/ { shell = /^%(post|test|environment|runscript)/; next } /^Bootstrap/ { shell = 0 } shell' \
    out/corpress.def >def.sh
grep -q 'deb.sh' def.sh || fail "corpress.def does not build"
sh -n def.sh
sed -ne ':next' -e '/\\$/ { N; b next' -e '}' -e 's/^RUN //p' out/Dockerfile >docker.sh
grep -q 'deb.sh' docker.sh || fail "the Dockerfile does not build"
sh -n docker.sh
for script in "$packaging"/debian/p*; do sh -n "$script"; done

# What recipes.sh refuses.
refused 3 "usage: " "$packaging/recipes.sh"
refused 2 "no file nowhere" "$packaging/recipes.sh" nowhere out
mv "$tarball" other.tar.xz
refused 2 "name it $tarball" "$packaging/recipes.sh" other.tar.xz out
mv other.tar.xz "$tarball"
refused 2 "must end in $tarball" "$packaging/recipes.sh" "$tarball" out https://example.org/
refused 2 "has a character" "$packaging/recipes.sh" "$tarball" out "https://x.org/a b/$tarball"
echo "recipes name version $version"
