# Calls of the system fail, one in each run: a short series of what bench/faults.py does.
[ -n "${FAIL_CALL_LIBRARY:-}" ] || skip "sanitizers do not let a library be preloaded"
cp "$FAIL_CALL_LIBRARY" fail_call.so # a path with a blank cannot be preloaded
faults=("$TESTS/bench/faults.py" "$(command -v corpress)" fail_call.so)

"${faults[@]}" --most 2 --commands compress --calls fsync,rename,link,mkdir --errors EIO,EINTR
