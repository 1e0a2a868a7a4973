# What a wrong command line gets: a line that says what is wrong, a hint, exit code 3.
expect 3 corpress
expect 3 corpress frobnicate
expect 3 corpress compress
expect 3 corpress compress corpus
expect 3 corpress compress -o archive.h5
expect 3 corpress compress --frobnicate
expect 3 corpress compress --output
expect 3 corpress compress -o
expect 3 corpress compress --s 1M
expect 3 corpress compress -x
expect 3 corpress compress --long
expect 3 corpress list --long=3 a.h5
expect 3 corpress compress corpus -o archive.h5 --profile nonsense
for size in 0 1 1048575 5G 4097M 1X M -1 '' 99999999999999999999 1Mx; do
    expect 3 corpress compress corpus -o archive.h5 --shard-size "$size"
done
for interval in '' x 10x -1 1.5 99999999999999999999; do
    expect 3 corpress compress corpus -o archive.h5 --snapshot-interval "$interval"
done
expect 3 corpress compress corpus -o directory/
expect 3 corpress compress corpus -o -
expect 3 corpress compress - - -o archive.h5 </dev/null
expect 3 corpress compress - --files-from - -o archive.h5 </dev/null
expect 3 corpress compress - --stdin-name /a -o archive.h5 </dev/null
expect 3 corpress extract
expect 3 corpress extract a.h5 path --shards 1
expect 3 corpress cat a.h5
expect 3 corpress cat a.h5 path --shards 1
expect 3 corpress cat a.h5 --shards 1 --lines 3
expect 3 corpress cat a.h5 path --lines 3 --bytes 1
for offset in '' - x --1 1x 99999999999999999999; do
    expect 3 corpress cat a.h5 path --offset "$offset"
done
for bytes in '' -1 1x 99999999999999999999; do expect 3 corpress cat a.h5 path --bytes "$bytes"; done
for lines in '' - 0 0-3 -0 3-2 1,3 a 1-2-3 ' 1' 99999999999999999999; do
    expect 3 corpress cat a.h5 path --lines "$lines"
done
expect 3 corpress list
expect 3 corpress list a.h5 --shards --long
expect 3 corpress audit a.h5 --by word
expect 3 corpress audit a.h5 --format xml
expect 3 corpress audit a.h5 --by file --curve
expect 3 corpress verify
for part in 0/3 4/3 1 1/ /1 1/3x 1/99999999999; do
    expect 3 corpress verify a.h5 --subset "$part"
done
expect 3 corpress status
expect 3 corpress status a.h5 --format csv
expect 3 corpress status a.h5 --interval 5
for interval in 0 0s '' x 1.5; do expect 3 corpress status a.h5 --follow --interval "$interval"; done
expect 3 corpress plan
expect 3 corpress plan corpus --format csv
expect 3 corpress list a.h5 --format xml
expect 3 corpress list a.h5 --null --json
absent archive.h5 archive.h5.work archive.h5.log.jsonl
