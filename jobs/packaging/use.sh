#!/usr/bin/env bash
# use.sh: uses an installed corpress in every way that its packages promise. Runs in a system or
# container in which it is installed, without network; ends with 0 if all of it works. What is not
# installed (Python package, headers, a second user) is named and left out.
set -euo pipefail
step() { printf -- '-- %s\n' "$*"; }
bad() {
    echo "use.sh: $*" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
step "$(corpress --version | head -n 1)"
mkdir -p corpus/lists
for i in 1 2 3 4; do
    awk -v seed="$i" 'BEGIN { srand(seed); for (i = 0; i < 40000; i++)
        print "line", i, "has the number", int(rand() * 1000), i % 7 ? "" : "and ends a verse" }' \
        >"corpus/lists/$i.txt"
done
# Whatever documents there are.
cp -rL /usr/share/common-licenses corpus/licenses 2>/dev/null || true
share=$(dirname "$(command -v corpress)")/../share

step "one process"
corpress compress -q --shard-size 1M corpus -o one.h5
corpress verify -q one.h5
corpress extract -q one.h5 -C out
diff -r corpus out/corpus
corpress cat one.h5 corpus/lists/3.txt | cmp - corpus/lists/3.txt
corpress audit one.h5 >/dev/null

step "two ranks make the same archive"
if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
mpirun --oversubscribe -n 2 corpress compress -q --shard-size 1M corpus -o two.h5
cmp one.h5 two.h5
mpirun --oversubscribe -n 2 corpress verify -q two.h5
bash "$share/corpress/mpirun_local.sh" 2 corpress extract -q two.h5 -C out2
diff -r corpus out2/corpus

step "a network: OpenBLAS is found"
head -c 300000 corpus/lists/1.txt >small
corpress compress -q -p strong small -o strong.h5
OPENBLAS_NUM_THREADS=1 corpress cat strong.h5 small | cmp - small
corpress --version | grep -i openblas

step "submit.sh reads the site's settings"
"$share/corpress/submit.sh" verify one.h5 --dry-run | bash -n
[ ! -e /etc/corpress/site.conf ] ||
    [ "$(realpath "$share/corpress/site.conf")" = /etc/corpress/site.conf ] ||
    bad "submit.sh does not read /etc/corpress/site.conf"

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    step "a user without rights"
    user() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$work/nobody" "$@"; }
    mkdir nobody
    chown 65534:65534 nobody
    user corpress compress -q small -o nobody/x.h5
    user mpirun --oversubscribe -n 2 corpress verify -q nobody/x.h5
else
    step "left out: a user without rights"
fi

if python3 -c 'import corpress' 2>/dev/null; then
    step "the Python package"
    python3 - <<'END'
import corpress
archive = corpress.open("one.h5")
with open("corpus/lists/2.txt", "rb") as file:
    assert archive.read("corpus/lists/2.txt") == file.read()
print(corpress.__file__, archive.facts.profile)
END
else
    step "left out: the Python package, which is not installed"
fi

if command -v gcc >/dev/null && pkg-config --exists corpress 2>/dev/null; then
    step "a C program linked with the library"
    # The example at the top of the header.
    sed -n 's/^ \*     //p' "$(pkg-config --variable=includedir corpress)/corpress.h" >reader.c
    # shellcheck disable=SC2046
    gcc -std=c17 -Wall -Wextra -Werror reader.c $(pkg-config --cflags --libs corpress) -o reader
    ./reader one.h5 corpus/lists/4.txt | cmp - corpus/lists/4.txt
else
    step "left out: a C program, for which a compiler or the headers are missing"
fi

if [ -e "$share/man/man1/corpress.1.gz" ] || [ -e "$share/man/man1/corpress.1" ]; then
    step "the manual page is there"
else
    step "left out: manual pages, which are not installed"
fi
echo "use.sh: all of it works"
