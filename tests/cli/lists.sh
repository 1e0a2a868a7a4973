# --files-from, from a file and from standard input, by lines and by NUL.
mkdir corpus
text 2000 1 >corpus/b
text 3000 2 >corpus/a
printf 'odd' >corpus/$'new\nline'
printf 'corpus/b\ncorpus/a\n' >by_line
expect 0 corpress compress -q --files-from by_line -o line.h5
expect 0 corpress list line.h5
expect 0 corpress cat line.h5 --shards 0 >bytes
cat corpus/b corpus/a | cmp - bytes
printf 'corpus/b\0corpus/new\nline\0' | expect 0 corpress compress -q --files-from - -o nul.h5
expect 0 corpress list nul.h5
expect 2 corpress compress -q --files-from absent -o none.h5
printf 'corpus/b\nabsent\n' | expect 2 corpress compress -q --files-from - -o none.h5
nothing_left none.h5

# The archive, its work directory and its log are no part of the corpus they lie in.
expect 0 corpress compress -q corpus -o corpus/self.h5
expect 0 corpress compress -q --force corpus -o corpus/self.h5
expect 0 corpress list corpus/self.h5

# What is no file is left out, with a warning and exit code 1.
mkfifo corpus/pipe
expect 1 corpress compress -q corpus -o warned.h5
