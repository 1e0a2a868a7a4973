# shellcheck shell=bash disable=SC2034,SC2154
# The same command line resumes.
again=()

# Finished shards weigh more than any snapshot. A snapshot is durable progress within a shard: the
# bitstream before it, which grows from snapshot to snapshot.
done_so_far() {
    local work=$job_archive.work shards=0 bytes=0 file
    for file in "$work"/shard-*.cps; do
        [ ! -f "$file" ] || shards=$((shards + 1))
    done
    for file in "$work"/snapshot-*; do
        file=$work/shard-${file##*/snapshot-}.partial
        [ ! -f "$file" ] || bytes=$((bytes + $(stat -c %s -- "$file")))
    done
    echo $((shards * (1 << 40) + bytes))
}
