# Each golden archive gives the files that it was made from; and these give the same archive, byte
# by byte: on this machine, with this compiler, as where it was made.
. "$TESTS/golden/_facts.sh"
options=()
# But for the small one, they have several shards, and a primer.
for golden in "$TESTS"/golden/*.h5; do
    profile=$(basename "$golden" .h5)
    golden_options "$profile"
    [ "$profile" = neural ] || corpress list --shards "$golden" | grep -q '^ *primer ' ||
        fail "$profile: no primer"
    expect 0 corpress verify -q "$golden"
    expect 0 corpress extract -q "$golden" -C "$profile"
    golden_facts "$profile" | diff "$TESTS/golden/$profile.files" - || fail "$profile: other files"
    (cd "$profile" && expect 0 corpress compress -q "${options[@]}" ./* \
        -o "../$profile.h5")
    cmp "$golden" "$profile.h5"
done

# Those of released versions are decoded for ever.
shopt -s nullglob
for golden in "$TESTS"/golden/*/*.h5; do
    rm -rf released
    expect 0 corpress verify -q "$golden"
    expect 0 corpress extract -q "$golden" -C released
    golden_facts released | diff "${golden%.h5}.files" - || fail "$golden: other files"
done
