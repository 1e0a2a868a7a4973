# What `cmake --install` installs works from any place: staged, then moved.
[ -n "${BUILD:-}" ] || skip "no build directory was given"
text 20000 >file
stage="$PWD/a stage"
DESTDIR=$stage cmake --install "$BUILD" --prefix /opt/corpress >installing
mkdir elsewhere
tree="$PWD/elsewhere/it's moved, %j"
mv "$stage/opt/corpress" "$tree"
[ -z "$(find "$stage" -type f)" ] || fail "not below the prefix: $(find "$stage" -type f)"
for document in README.md LICENSE MANUAL.md CHANGES.md FORMAT.md MODEL.md CODER.md; do
    [ -s "$tree/share/doc/corpress/$document" ] || fail "no $document"
done
if [ -d "$BUILD/manual/man1" ]; then
    for page in corpress corpress-compress corpress-generate; do
        [ -s "$tree/share/man/man1/$page.1" ] || fail "no page of $page"
    done
    for file in bash-completion/completions/corpress zsh/site-functions/_corpress; do
        [ -s "$tree/share/$file" ] || fail "no $file"
    done
fi
# Neither the sources nor the build are looked for.
if ldd "$tree/bin/corpress" | grep -F "$BUILD"; then fail "it wants the build directory"; fi
if grep -rF -e "$BUILD" -e "$(cd "$JOBS/.." && pwd)" "$tree/share"; then fail "a path of the build"; fi

# Without any other corpress on the PATH.
rm ../bin/corpress
export CORPRESS_SITE=$PWD/site.conf
echo 'SITE_MPIRUN=(env)' >site.conf
submit() { "$tree/share/corpress/submit.sh" "$@"; }
submit --help >help
grep -qF "$tree/share/corpress/site.conf" help || fail "where is site.conf?"
submit compress file -o x.h5 --dry-run -- -q -p fast >job.sh
(cd / && SLURM_JOB_ID=5 SLURM_JOB_NODELIST=here bash "$OLDPWD/job.sh")
"$tree/bin/corpress" cat x.h5 file | cmp - file
for command in extract verify audit; do submit "$command" x.h5 --dry-run | bash -n; done
# A program elsewhere does not take the place of the tree's own, unless the site says so.
printf '#!/bin/sh\nexit 9\n' >../bin/corpress
chmod +x ../bin/corpress
submit verify x.h5 --dry-run >job.sh
grep -qF "$(printf %q "$tree/bin/corpress")" job.sh || fail "it would start another corpress"
echo "SITE_CORPRESS=$(realpath ../bin/corpress)" >>site.conf
submit verify x.h5 --dry-run >job.sh
if grep -qF "$(printf %q "$tree/bin/corpress")" job.sh; then fail "site.conf does not count"; fi
