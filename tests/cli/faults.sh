# Calls of the system fail, one in each run: a short series of what bench/faults.py does.
[ -n "${FAIL_CALL_LIBRARY:-}" ] || skip "sanitizers do not let a library be preloaded"
cp "$FAIL_CALL_LIBRARY" fail_call.so # a path with a blank cannot be preloaded
series() { "$TESTS/bench/faults.py" "$(command -v corpress)" fail_call.so "$@"; }

series --most 2 --commands compress --calls close,fsync,write,pwrite,rename,malloc --errors EIO,ENOMEM
series --most 2 --commands publish --calls open,pread,stat,readdir --errors EIO
series --most 2 --commands compress --calls fsync,pwrite,truncate --errors EINTR,short
series --most 2 --commands extract,cat,list --calls open,pread,pwrite,rename,malloc --errors EIO,ENOMEM
