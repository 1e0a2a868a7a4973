# Each golden archive, of every released version, gives the files that it was made from. And these
# give the same archive as the newest one, byte by byte: on this machine, with this compiler, as
# where it was made.
. "$TESTS/golden/_facts.sh"
options=()
newest=$(golden_newest)
for golden in "$newest"/*.h5; do
    profile=$(basename "$golden" .h5)
    golden_options "$profile"
    # But for the small one, they have several shards, and a primer.
    [ "$profile" = neural ] || corpress list --shards "$golden" | grep '^ *primer ' >/dev/null ||
        fail "$profile: no primer"
    expect 0 corpress verify -q "$golden"
    expect 0 corpress extract -q "$golden" -C "$profile"
    golden_facts "$profile" | diff "$newest/$profile.files" - || fail "$profile: other files"
    (cd "$profile" && expect 0 corpress compress -q "${options[@]}" ./* \
        -o "../$profile.h5")
    cmp "$golden" "$profile.h5"
done

# Those of released versions are decoded for ever.
[ -e "$TESTS/golden/1.0/balanced.h5" ] || fail "the archives of 1.0 are missing"
for golden in "$TESTS"/golden/[0-9]*/*.h5; do
    [ "$(dirname "$golden")" != "$newest" ] || continue
    rm -rf released
    expect 0 corpress verify -q "$golden"
    expect 0 corpress extract -q "$golden" -C released
    golden_facts released | diff "${golden%.h5}.files" - || fail "$golden: other files"
done
