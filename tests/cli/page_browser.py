"""page_browser.py BROWSER PAGE: opens the page in a headless browser, which is steered through a
pipe, and looks at it: no message on the console, no request, no script but its own; at several
widths and in both schemes nothing is cut and all text has contrast; tables are sorted by a click and
by a key, with a script; without one they are there as well. 77: the browser does not run here."""
import json, os, pathlib, select, subprocess, sys, tempfile

NO_ANSWER = 300  # seconds, on the slowest machine


class Browser:
    def __init__(self, program, folder):
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--disable-background-networking", "--no-first-run", "--remote-debugging-pipe",
                 f"--user-data-dir={folder}/profile"]
        # The browser reads from 3 and writes to 4.
        shell = ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash"]
        self.process = subprocess.Popen(shell + [program] + flags, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        pass_fds=(to_browser, from_browser),
                                        env={**os.environ, "HOME": folder})
        os.close(to_browser)
        os.close(from_browser)
        self.left, self.number, self.session, self.events = b"", 0, None, []

    def message(self):
        while b"\0" not in self.left:
            ready, _, _ = select.select([self.read_end], [], [], NO_ANSWER)
            data = os.read(self.read_end, 1 << 16) if ready else b""
            if not data:
                raise EOFError("the browser is gone, or says nothing")
            self.left += data
        one, self.left = self.left.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **values):
        self.number += 1
        call = {"id": self.number, "method": method, "params": values}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.write_end, json.dumps(call).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def wait(self, event):
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self.message())

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, address):
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log", "Network", "DOM":
            self.call(domain + ".enable")
        self.events = []
        self.call("Page.navigate", url=address)
        self.wait("Page.loadEventFired")

    def all(self, event):
        return [e["params"] for e in self.events if e.get("method") == event]


def check_quiet(browser, address):
    browser.value("1")
    requests = [e["request"]["url"] for e in browser.all("Network.requestWillBeSent")]
    assert requests == [address], requests
    for event in "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
        assert not browser.all(event), browser.all(event)


# Texts of the table's column i.
COLUMN = """[...document.querySelectorAll("table")[%d].tBodies[0].rows]
.map(r=>r.cells[%d].dataset.v===undefined?r.cells[%d].textContent:+r.cells[%d].dataset.v)"""
BUTTON = 'document.querySelectorAll("table")[%d].querySelectorAll("th button")[%d]'


def check_sorting(browser):
    tables = browser.value('document.querySelectorAll("table").length')
    assert tables == 4, tables
    for table in range(tables):
        for column in range(6):
            column_text = COLUMN % (table, column, column, column)
            button = BUTTON % (table, column)
            before = browser.value(column_text)
            place = browser.value(
                "(b=>{b.scrollIntoView({block:'center'});const r=b.getBoundingClientRect();"
                "return [r.x+r.width/2,r.y+r.height/2]})(%s)" % button)
            for kind in "mousePressed", "mouseReleased":
                browser.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1],
                             button="left", clickCount=1)
            assert browser.value(column_text) == sorted(before), (table, column)
            assert browser.value(button + ".parentNode.ariaSort") == "ascending"
            browser.value(button + ".focus()")
            for kind in "keyDown", "keyUp":
                browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter",
                             windowsVirtualKeyCode=13, text="\r" if kind == "keyDown" else "")
            assert browser.value(column_text) == sorted(before, reverse=True), (table, column)
            assert browser.value(
                'document.querySelectorAll("table")[%d].querySelectorAll("[aria-sort]").length' %
                table) == 1


# What is seen sticks out of nothing: the page at its side, a drawing's text out of the drawing.
CUT = """(()=>{const bad=[],w=document.documentElement.clientWidth;
if(document.documentElement.scrollWidth>w)bad.push("wider than the window");
for(const s of document.querySelectorAll("svg")){const r=s.getBoundingClientRect();
if(!r.width)continue;
for(const t of s.querySelectorAll("text")){const b=t.getBoundingClientRect();
if(b.left<r.left-1||b.right>r.right+1||b.top<r.top-1||b.bottom>r.bottom+1)bad.push(t.textContent);
if(b.height<9)bad.push("tiny: "+t.textContent)}
const n=[...s.querySelectorAll("text")].map(t=>[t,t.getBoundingClientRect()]);
n.forEach(([t,a],i)=>n.slice(i+1).forEach(([u,b])=>{
if(a.left<b.right-1&&b.left<a.right-1&&a.top<b.bottom-4&&b.top<a.bottom-4)
bad.push(t.textContent+" on "+u.textContent)}))}
for(const c of document.querySelectorAll("th,td,dd,dt")){
if(c.scrollWidth>c.clientWidth+1)bad.push("cut: "+c.textContent)}
return bad})()"""
# Texts with a contrast below 4.5 (WCAG AA).
CONTRAST = """(()=>{const bad=new Set();
const light=c=>{const v=c.match(/[\\d.]+/g).slice(0,3).map(x=>{x/=255;
return x<=.04045?x/12.92:((x+.055)/1.055)**2.4});return .2126*v[0]+.7152*v[1]+.0722*v[2]};
const clear=c=>c==="rgba(0, 0, 0, 0)"||c==="transparent";
for(const e of document.querySelectorAll("main *,footer *")){
if(e.closest("title,desc,script")||![...e.childNodes].some(n=>n.nodeType===3&&n.data.trim()))continue;
const s=getComputedStyle(e);let p=e;
while(p&&clear(getComputedStyle(p).backgroundColor))p=p.parentElement;
const back=light(getComputedStyle(p||document.body).backgroundColor);
const fore=light(e.closest("svg")?s.fill:s.color);
const ratio=(Math.max(back,fore)+.05)/(Math.min(back,fore)+.05);
if(ratio<4.5)bad.add(e.tagName+"."+e.getAttribute("class")+" "+ratio.toFixed(2))}
return [...bad]})()"""


def check_looks(browser):
    backgrounds = set()
    for width in 320, 400, 768, 1280:
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800,
                     deviceScaleFactor=1, mobile=False)
        cut = browser.value(CUT)
        assert not cut, (width, cut)
        for scheme in "light", "dark":
            browser.call("Emulation.setEmulatedMedia",
                         features=[{"name": "prefers-color-scheme", "value": scheme}])
            backgrounds.add(browser.value("getComputedStyle(document.body).backgroundColor"))
            pale = browser.value(CONTRAST)
            assert not pale, (scheme, pale)
    assert len(backgrounds) == 2, backgrounds
    browser.call("Emulation.setEmulatedMedia", media="print",
                 features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not browser.value(CONTRAST)
    browser.call("Emulation.setEmulatedMedia", media="")


def check_many_shards(browser):
    """Files that lie in two of very many shards."""
    browser.value("""document.querySelectorAll("td:nth-child(4)")
.forEach(cell=>cell.textContent="88888\u201388889")""")
    for width in 320, 400, 768, 1280:
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800,
                     deviceScaleFactor=1, mobile=False)
        cut = browser.value(CUT)
        assert not cut, (width, cut)


def check_tree(browser):
    """What a screen reader is told: pictures with names, tables, buttons."""
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    seen = {}
    for node in nodes:
        if not node.get("ignored"):
            name = node.get("name", {}).get("value", "")
            seen.setdefault(node.get("role", {}).get("value"), []).append(name)
    pictures = seen.get("image", []) + seen.get("img", [])
    assert len(pictures) == 8 and all(pictures), pictures
    assert len(seen["table"]) == 4 and len(seen["columnheader"]) == 24, seen.keys()
    assert len(seen["button"]) == 24 and all(seen["button"]), seen["button"]


def main():
    program, page = sys.argv[1:]
    address = pathlib.Path(page).resolve().as_uri()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder)
        try:
            try:
                browser.call("Browser.getVersion")
            except (EOFError, OSError) as problem:
                print(f"skipped: {program} does not run here: {problem}")
                sys.exit(77)
            browser.open(address)
            check_looks(browser)
            check_tree(browser)
            check_sorting(browser)
            assert browser.value("document.scripts.length") == 1
            check_many_shards(browser)
            check_quiet(browser, address)
            # Without scripts there is everything but the buttons.
            browser.call("Emulation.setScriptExecutionDisabled", value=True)
            browser.events = []
            browser.call("Page.reload")
            browser.wait("Page.loadEventFired")
            assert browser.value('document.querySelectorAll("tbody tr").length') > 100
            assert browser.value('document.querySelectorAll("button").length') == 0
        finally:
            browser.process.terminate()
            browser.process.wait()


main()
