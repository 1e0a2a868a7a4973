# A call that fails on one of two ranks: all end, and one says why.
[ -n "${FAIL_CALL_LIBRARY:-}" ] || skip "sanitizers do not let a library be preloaded"
cp "$FAIL_CALL_LIBRARY" fail_call.so # a path with a blank cannot be preloaded
"$TESTS/bench/faults.py" "$(command -v corpress)" fail_call.so --ranks 2 --most 3 --commands compress \
    --calls open,pwrite --errors EIO
