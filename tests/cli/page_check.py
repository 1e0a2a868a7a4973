"""page_check.py PAGE ARCHIVE [--files] [--excerpts]: a page of an audit is a page, whatever the
archive holds. It is well-formed, so are its drawings; nothing in it is fetched, and no script is in
it but the one that the policy names. Its tables are those that `audit --by file --json` makes.
--files: the commands in its rows give the files. --excerpts: the rows begin as the files do.
Prints the texts of the damaged rows."""
import base64, hashlib, html.parser, json, os, re, subprocess, sys
import xml.etree.ElementTree

page, archive, flags = sys.argv[1], sys.argv[2], sys.argv[3:]
raw = open(page, "rb").read()
text = raw.decode("utf-8")
assert len(raw) < 2_000_000, len(raw)
never = [(0, 8), (11, 31), (127, 159), (0x61C, 0x61C), (0x200B, 0x200B), (0x200E, 0x200F),
         (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xE0000, 0xE007F)]
for c in set(text):
    assert not any(a <= ord(c) <= b for a, b in never), hex(ord(c))

VOID = {"meta", "br"}
KNOWN = set("""html head meta title style body main footer h1 h2 p small bdi dl div dt dd figure
figcaption span svg desc line text rect circle path g table thead tbody tr th td code q script""".split())


class Page(html.parser.HTMLParser):
    """Open elements; tables as lists of rows, each a list of (attributes, {tag: text})."""

    def __init__(self):
        super().__init__()
        self.open, self.tables, self.scripts, self.policy = [], [], [], None
        self.heads, self.titles = [], {}

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        assert tag in KNOWN, tag
        for name, value in attributes:
            assert not name.startswith("on") and name not in ("href", "src", "style"), (tag, name)
            assert "url(" not in (value or ""), value
        if tag == "meta" and names.get("http-equiv") == "Content-Security-Policy":
            self.policy = names["content"]
        if tag == "script":
            self.scripts.append("")
        if tag == "table":
            self.tables.append([])
        if tag == "tr" and "tbody" in self.open:
            self.tables[-1].append([])
        if tag == "td":
            self.tables[-1][-1].append((names, {}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        if self.open and self.open[-1] == "h2":
            self.heads.append(data)
        if "td" in self.open:
            cell = self.tables[-1][-1][-1][1]
            cell[self.open[-1]] = cell.get(self.open[-1], "") + data


parsed = Page()
parsed.feed(text)
parsed.close()
assert not parsed.open, parsed.open
digest = base64.b64encode(hashlib.sha256(parsed.scripts[0].encode()).digest()).decode()
assert len(parsed.scripts) == 1 and f"script-src 'sha256-{digest}'" in parsed.policy, digest
assert parsed.policy.startswith("default-src 'none'; "), parsed.policy
assert "http://" not in text and "https://" not in text and "@import" not in text

# Drawings are XML, with a title and a description that they point to.
drawings = re.findall(r"<svg .*?</svg>", text, re.S)
ids = set()
for drawing in drawings:
    tree = xml.etree.ElementTree.fromstring(drawing)
    assert tree.get("role") == "img"
    for place, name in enumerate(("title", "desc")):
        element = tree[place]
        assert element.tag == name and element.text.strip()
        assert element.get("id") == tree.get(("aria-labelledby", "aria-describedby")[place])
        assert element.get("id") not in ids
        ids.add(element.get("id"))
    width, height = (float(n) for n in tree.get("viewBox").split()[2:])
    for element in tree.iter():
        for name, most in (("x", width), ("y", height), ("cx", width), ("cy", height)):
            assert 0 <= float(element.get(name, 0)) <= most, (element.attrib, width, height)
        assert float(element.get("width", 1)) > 0 and float(element.get("height", 1)) > 0

# Tables have the rows that they should, in their order.
run = subprocess.run(["corpress", "audit", "--unsealed", "--by", "file", "--json", archive],
                     capture_output=True)
assert run.returncode in (0, 4), run
audited = json.loads(run.stdout)
files = audited["rows"]
if not files:
    assert not parsed.tables and "no bytes" in text
    sys.exit()
known = [row for row in files if "bits_per_byte" in row]
large = [row for row in known if row["raw"] >= 1000]
chosen = large if len(large) >= 50 else known
bits = lambda row: row["loss_bits"] / row["raw"]
number = {id(row): i for i, row in enumerate(files)}
wanted = {
    "Most redundant files": sorted(chosen, key=lambda r: (bits(r), -r["raw"], number[id(r)])),
    "Least predictable files": sorted(chosen, key=lambda r: (-bits(r), -r["raw"], number[id(r)])),
    "Largest files": sorted(files, key=lambda r: (-r["raw"], number[id(r)]))}


def exact(row):
    return bytes.fromhex(row["path_hex"]) if "path_hex" in row else os.fsencode(row["path"])


def shown(path):
    """As a terminal can take it; for the names of these tests."""
    out = ""
    for c in path.decode("utf-8", "surrogateescape"):
        code = ord(c)
        bad = 0xDC80 <= code <= 0xDCFF or any(a <= code <= b for a, b in never) or c == "\t"
        out += ("\\n" if c == "\n" else "\\\\" if c == "\\" else c if not bad else
                "".join("\\x%02x" % b for b in c.encode("utf-8", "surrogateescape")))
    return out


done = set()
tables = dict(zip([h for h in parsed.heads if h.endswith("files") or h.endswith("shards")],
                  parsed.tables))
for title, rows in wanted.items():
    if not rows:
        continue
    table = tables[title]
    assert len(table) == min(50, len(rows)), (title, len(table))
    for row, cells in zip(rows, table):
        path, last = exact(row), cells[5][1]
        name = last["bdi"]
        assert name == shown(path) or (name.endswith("...") and shown(path).startswith(name[:-3])), name
        assert float(cells[1][0]["data-v"]) == row["raw"], (title, name)
        if "bits_per_byte" in row:
            assert abs(float(cells[0][1]["td"]) - row["bits_per_byte"]) < 0.0002
        assert cells[4][1]["td"] == row["integrity"], (cells, row)
        if row["integrity"] != "ok":
            print(name)
        if "--excerpts" in flags and row["integrity"] == "ok":
            content = open(path, "rb").read().decode("utf-8", "surrogateescape")
            expected = "".join(c if c in "\n\t" else shown(os.fsencode(c)).replace("\\\\", "\\")
                               for c in content[:200]) + ("…" if len(content) > 200 else "")
            assert last["q"] == expected, (last["q"], expected)
        assert "--excerpts" in flags or "q" not in last
        odd = os.path.basename(path) != b"a.txt" and not path.endswith(b".jsonl")
        if "--files" in flags and odd and last["code"] not in done:
            done.add(last["code"])
            got = subprocess.run(["bash", "-c", last["code"]], capture_output=True, check=True)
            assert got.stdout == open(path, "rb").read(), last["code"]
shards = json.loads(subprocess.run(["corpress", "audit", "--unsealed", "--json", archive],
                                   capture_output=True).stdout)["rows"]
shards = [row for row in shards if isinstance(row["shard"], int) or row["shard"].isdigit()]
table = tables["Least predictable shards"]
assert len(table) == min(50, len(shards)), len(table)
shards.sort(key=lambda r: (r["integrity"] == "ok", -r["coded"] / r["raw"], int(r["shard"])))
for row, cells in zip(shards, table):
    assert int(float(cells[0][0]["data-v"])) == int(row["shard"]), (row, cells)
    assert cells[4][1]["td"] == row["integrity"]
