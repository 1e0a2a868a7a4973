# The installed libraries work from wherever the tree is, found by pkg-config and by CMake. The
# program in corpress.h's opening comment is built and run, and opens neither MPI nor BLAS.
[ -n "${BUILD-}" ] || skip "libraries with a sanitizer need its runtime in the program"
cmake --install "$BUILD" --prefix "$PWD/first" >installed 2>&1 || fail "$(cat installed)"
mv first second
pc=$(find "$PWD/second" -name corpress.pc)
export PKG_CONFIG_PATH=${pc%/*}
libdir=$(realpath "$(pkg-config --variable=libdir corpress)")
include=$(realpath "$(pkg-config --variable=includedir corpress)")
[ "$(pkg-config --modversion corpress)" = "$(corpress --version | sed 's/corpress \([^,]*\).*/\1/')" ] ||
    fail "another version"

# ---- the headers ----
# example HEADER: the program in its opening comment.
example() { sed -n '/^ \*\/$/q; s/^ \*     //p; s/^ \*$//p' "$1"; }
for header in "$include"/corpress*.h; do
    [ "$(wc -l <"$header")" -lt 300 ] || fail "$header is long"
    for standard in c11 c17; do
        cc -std="$standard" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c "$header"
    done
    if command -v c++ >/dev/null; then
        c++ -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ "$header"
    fi
    grep -E '\bMPI_|\bhid_t|\bH5' "$header" | grep '^[^ /]' && fail "$header needs other headers"
done

# ---- what leaves the libraries ----
# declared: the functions that the headers declare; offered LIBRARY...: those that they offer.
declared() {
    for header in "$include"/corpress*.h; do cc -E -P -x c "$header"; done |
        grep -o 'cpr_[a-z0-9_]*(' | grep -v '_fn(' | tr -d '(' | sort -u
}
offered() { nm -D --defined-only "$@" | sed -n 's/.* [TBDR] \(cpr_.*\)@@CORPRESS_\(MPI_\)\?0$/\1/p' | sort -u; }
declared >declared
offered "$libdir"/libcorpress*.so >offered
diff -u declared offered || fail "the libraries do not offer what the headers declare"
nm -D --defined-only "$libdir"/libcorpress*.so | grep ' [TBDRVW] ' | grep -v '@@CORPRESS_' &&
    fail "there are names without a version"
# grep reads to the end here and below: with -q, who writes to it may end by SIGPIPE.
readelf -d "$libdir/libcorpress.so" | grep 'soname: \[libcorpress\.so\.1\]' >/dev/null ||
    fail "no soname"

# ---- an archive ----
mkdir corpus
for i in 1 2 3 4 5; do text 700000 "$i" >"corpus/$i.txt"; done
: >corpus/empty
ln -s 1.txt corpus/link
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o a.h5
text 20000 6 >small
expect 0 corpress compress -q -p neural small -o neural.h5

# check PROGRAM: the example does what it should.
check() {
    local path
    for path in corpus/1.txt corpus/4.txt corpus/empty; do
        expect 0 corpress cat a.h5 "$path" >wanted
        expect 0 "$1" a.h5 "$path" >found 2>said
        cmp wanted found
        [ ! -s said ] || fail "$path: $(cat said)"
    done
    expect 0 "$1" neural.h5 small | cmp - small
    expect 3 "$1" a.h5 2>said
    expect 2 "$1" a.h5 corpus/none 2>said
    [ "$(cat said)" = "not found: no corpus/none in the archive" ] || fail "$(cat said)"
    expect 2 "$1" none.h5 corpus/1.txt 2>said
    # The last of four shards ends where the tables begin, which are small.
    cp a.h5 damaged.h5
    chmod u+w damaged.h5
    printf 'damage' | dd of=damaged.h5 bs=1 seek=$(($(stat -c %s a.h5) * 85 / 100)) conv=notrunc 2>copied
    expect 4 "$1" damaged.h5 corpus/5.txt >found 2>said
    grep -q '^data damaged: shard [0-9] of "damaged.h5" is damaged' said || fail "$(cat said)"
}

# ---- built with pkg-config ----
example "$include/corpress.h" >example.c
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror example.c $(pkg-config --cflags --libs corpress) -o example
export LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
check ./example
ldd ./example >loads
grep -q "libcorpress.so.1 => $libdir/" loads || fail "$(cat loads)"
if [ -z "${HDF5_IS_PARALLEL-}" ] && grep -E 'libmpi|blas' loads; then
    fail "the library loads what reading does not need"
fi

# The second header's program makes the same archive as the command.
example "$include/corpress_mpi.h" >make.c
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror make.c $(pkg-config --cflags --libs corpress-mpi) -o make
expect 0 corpress compress -q small -o small.h5
expect 0 ./make made.h5 small
cmp small.h5 made.h5

# The command needs nothing of the libraries but what the headers declare.
cc -std=c17 -D_DEFAULT_SOURCE -DCPR_VERSION_TEXT='""' -I"$include" -I"$JOBS" "$JOBS/main.c" \
    "$BUILD/libcorpress_jobs.a" -L"$libdir" -lcorpress_mpi -lcorpress -lm -o thin
nm -D --undefined-only thin | grep '@CORPRESS_PRIVATE' && fail "jobs/ looks behind the headers"
nm -D --undefined-only thin | grep '@CORPRESS_0' >/dev/null || fail "nm tells no versions"

# ---- built with CMake, which sets the path of the library by itself ----
unset LD_LIBRARY_PATH
mkdir project
cp example.c project
cat >project/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.25)
project(example C)
find_package(corpress $(pkg-config --modversion corpress) EXACT REQUIRED)
add_executable(example example.c)
target_link_libraries(example PRIVATE corpress::corpress)
if(NOT TARGET corpress::mpi)
    message(FATAL_ERROR "no corpress::mpi")
endif()
END
cmake -S project -B built -DCMAKE_PREFIX_PATH="$PWD/second" >log 2>&1 &&
    cmake --build built >>log 2>&1 || fail "$(cat log)"
check built/example
