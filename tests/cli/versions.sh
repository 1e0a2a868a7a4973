# Archives that this version cannot decode can be listed and audited, and say what they need; they are
# never called damaged.
text 200000 >words
mkdir more
touch more/{1..256} # of so many files an archive has attributes
corpress compress -q words more -o now.h5
corpress list now.h5 2>&1 >/dev/null | grep . && fail "a note about an archive that can be decoded"

# readable ARCHIVE TEXT...: list and audit work, and note TEXT.
readable() {
    local archive=$1 said
    shift
    expect 0 corpress list "$archive" >listed 2>listed_needs
    expect 0 corpress list --shards "$archive" >/dev/null 2>shards_needs
    expect 0 corpress audit --format json "$archive" >audited 2>audited_needs
    for said in "$@"; do
        grep -qF -- "$said" listed_needs && grep -qF -- "$said" shards_needs &&
            grep -qF -- "$said" audited_needs || fail "$archive: no \"$said\" in: $(cat listed_needs)"
    done
}
# refused ARCHIVE TEXT...: whatever decodes ends with 2 and says TEXT.
refused() {
    local archive=$1 said path
    shift
    # The command finds a path before it decodes: one that there is.
    path=$(corpress list "$archive" 2>/dev/null | grep -Ex 'words|small/text')
    for command in "cat $archive $path" "cat --shards 0 $archive" "verify $archive" "audit --full $archive" \
        "extract -C out $archive"; do
        # shellcheck disable=SC2086
        expect 2 corpress $command >/dev/null 2>said
        for said in "$@"; do
            grep -qF -- "$said" said || fail "$command: no \"$said\" in: $(cat said)"
        done
        ! grep -q damaged said || fail "$command: $(cat said)"
    done
    [ ! -e out ] || [ -z "$(find out -type f)" ] || fail "files were written"
}

# Of format 1.
readable "$TESTS/cli/versions/format_1.h5" "format 1"
grep -q small/text listed
refused "$TESTS/cli/versions/format_1.h5" "format 1" 'profile "neural", version 2'

# describe ARCHIVE SED: now.h5 with its descriptor changed.
describe() {
    cp now.h5 "$1"
    chmod u+w "$1"
    python3 - "$1" "$2" "$TESTS" <<'END'
import subprocess, sys
import h5py, numpy
path, script, tests = sys.argv[1:]
sys.path.insert(0, tests)
import _seal
with h5py.File(path, "r+") as archive:
    text = archive.attrs["model"]
    changed = subprocess.run(["sed", "-E", script], input=text, capture_output=True, check=True).stdout
    assert changed != text
    del archive.attrs["model"]
    archive.attrs["model"] = numpy.bytes_(changed)
_seal.seal(path)
END
}
describe mixing.h5 's/mixing 2/mixing 7/'
readable mixing.h5 "mixing 7"
refused mixing.h5 "mixing 7"
describe unknown.h5 's/$/; lstm 2 cells=512/; s/coder 1/coder 3/'
readable unknown.h5 "lstm 2" "coder 3"
refused unknown.h5 "lstm 2" "coder 3"
describe parameter.h5 's/(mixing 2) /\1 colour=3 /'
readable parameter.h5 colour
refused parameter.h5 colour
describe blob.h5 's/blob 1/blob 2/'
readable blob.h5 "blob 2"
grep -q '"model": "blocks 1; coder 1; blob 2; tokens 1; mixing 2 contexts=' audited
refused blob.h5 "blob 2"

# Nonsense is damage: it names no version.
for script in 's/tokens 1/tokens/' 's/contexts=/contexts=x/' 's/; /;/' 's/blocks 1; //' 's/.*//' \
    's/(contexts=)/\1999999999999,/' 's/buckets=[0-9]*/buckets=99999999999999999999/'; do
    describe nonsense.h5 "$script"
    expect 0 corpress list nonsense.h5 >/dev/null
    expect 4 corpress verify nonsense.h5 >/dev/null 2>said
done

# A later format.
cp now.h5 later.h5
chmod u+w later.h5
python3 - later.h5 "$TESTS" <<'END'
import struct, sys
sys.path.insert(0, sys.argv[2])
import _seal
_seal.seal(sys.argv[1])
with open(sys.argv[1], "r+b") as file:
    data = bytearray(file.read(512))
    struct.pack_into("<I", data, 20, 9)
    struct.pack_into("<Q", data, 504, _seal.library.XXH3_64bits(bytes(data[:504]), 504))
    file.seek(0)
    file.write(data)
END
for command in list audit verify; do
    expect 2 corpress "$command" later.h5 >/dev/null 2>said
    grep -q "format 9" said
done
