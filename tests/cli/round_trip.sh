# A small tree there and back, and each way of looking at it.
mkdir -p corpus/a/deep corpus/empty
text 30000 1 >corpus/a/words
text 5000 2 >corpus/a/deep/words
printf 'one line, no end' >corpus/short
: >corpus/nothing
ln -s a/words corpus/link
chmod 640 corpus/short
chmod 750 corpus/a/deep
touch -d '2001-02-03 04:05:06.789 UTC' corpus/short
touch -d '2002-03-04 05:06:07 UTC' corpus/a/deep corpus/empty

expect 0 corpress compress -q corpus -o archive.h5
expect 0 corpress list archive.h5
expect 0 corpress list --long archive.h5 | grep short
expect 0 corpress list --shards archive.h5 | awk '{ print $1, $2, $3 }'
expect 0 corpress verify archive.h5
expect 0 corpress verify --coded-only archive.h5
absent archive.h5.work

expect 0 corpress extract -q archive.h5 -C out
same_tree corpus out/corpus
expect 2 corpress extract -q archive.h5 -C out
expect 0 corpress extract -q --force archive.h5 -C out
same_tree corpus out/corpus

expect 0 corpress extract -q archive.h5 corpus/a/ -C part
[ "$(cd part && find . -type f | sort)" = $'./corpus/a/deep/words\n./corpus/a/words' ]
cmp part/corpus/a/words corpus/a/words
expect 0 corpress cat archive.h5 corpus/a/words | cmp - corpus/a/words
expect 0 corpress cat archive.h5 corpus/short corpus/nothing ./corpus/short >twice
cat corpus/short corpus/short | cmp - twice
expect 0 corpress cat archive.h5 --shards 0 >shard
cat corpus/a/deep/words corpus/a/words corpus/short | cmp - shard

expect 2 corpress cat archive.h5 corpus/absent
expect 2 corpress cat archive.h5 corpus/a
expect 2 corpress extract archive.h5 corpus/absent
expect 2 corpress cat archive.h5 --shards 1
expect 3 corpress cat archive.h5 --shards 1-
expect 3 corpress extract archive.h5 --shards 3-2

# The same corpus gives the same bytes, whatever the locale, wherever the archive is.
LC_ALL=C.UTF-8 corpress compress -q corpus -o out/other.h5
cmp archive.h5 out/other.h5
