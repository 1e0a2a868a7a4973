# cat --documents: numbers of the whole archive; lines, files and what separators end.
mkdir corpus
text 1300000 1 >corpus/a.jsonl
printf '\n\n{"x": 1}\nno end' >corpus/b.jsonl
: >corpus/c.jsonl
printf 'a file\nof two lines' >corpus/d.txt
printf 'one file, one document\n' >corpus/e.txt
text 300000 2 >corpus/f.ndjson
expect 0 corpress compress -q -p fast --shard-size 1M --no-primer corpus -o names.h5
expect 0 corpress compress -q -p fast --shard-size 1M --no-primer --documents 'separator:\nno' corpus -o separated.h5
expect 0 corpress list --json names.h5 >names.json
expect 0 corpress list --json separated.h5 >separated.json
expect 0 corpress list --json --shards names.h5 >shards.json
cat >check.py <<'END'
"""The documents of both archives, as Python cuts them, and what cat says of ranges of them."""
import json, subprocess
def cut(data, end):
    documents = data.split(end)
    return documents if documents[-1] else documents[:-1]
def cat(archive, *words, code=0):
    run = subprocess.run(["corpress", "cat", archive + ".h5", *words], capture_output=True)
    assert run.returncode == code, run
    return run.stdout
for archive in "names", "separated":
    listed = json.load(open(archive + ".json"))
    documents = []
    for row in listed["rows"]:
        if row["type"] != "file":
            assert "documents" not in row and "document_rule" not in row, row
            continue
        data = open(row["path"], "rb").read()
        rule = "separator" if archive == "separated" else "line" if "json" in row["path"] else "file"
        end = {"separator": b"\nno", "line": b"\n", "file": b""}[rule]
        mine = ([data] if rule == "file" else cut(data, end)) if data else []
        assert (row["document_rule"], row["documents"]) == (rule, len(mine)), row
        assert row.get("first_document") == (len(documents) if mine else None), row
        documents += [(one, end) for one in mine]
    total = len(documents)
    assert listed["documents"] == total, (listed["documents"], total)
    assert listed.get("separator") == ("\nno" if archive == "separated" else None)
    def check(words, first, last):
        assert cat(archive, "--documents", words) == b"".join(a + b for a, b in documents[first:last + 1])
    text = next(n for n, (one, _) in enumerate(documents) if b"a file" in one)
    check(str(total - 1), total - 1, total - 1)
    check("0", 0, 0)
    check("-5", 0, 5)
    check(f"{max(0, text - 6)}-{text + 3}", max(0, text - 6), text + 3)
    check(f"{total // 2}-", total // 2, total - 1)
    nul = cat(archive, "--documents", f"{max(0, text - 6)}-{text + 1}", "-0")
    assert nul == b"".join(a + b"\0" for a, _ in documents[max(0, text - 6):text + 2]), nul
    for words in str(total), f"{total}-", f"{total - 1}-{total}", f"{total + 5}-{total + 9}":
        assert cat(archive, "--documents", words, code=2) == b""
assert sum(row["documents"] for row in json.load(open("shards.json"))["rows"]) == json.load(open("names.json"))["documents"]
END
python3 check.py
expect 2 corpress cat names.h5 --documents 99999999999
expect 3 corpress cat names.h5 --documents 1 corpus/a.jsonl
expect 3 corpress cat names.h5 --documents 1 --shards 0
expect 3 corpress cat names.h5 --documents 1 --lines 1
expect 3 corpress cat names.h5 --documents 3-2
expect 3 corpress cat names.h5 corpus/a.jsonl --null
