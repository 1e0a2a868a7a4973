# audit --html in a browser: it draws without errors, fetches nothing, and sorts by clicks and keys.
browser=$(type -P chromium || type -P chromium-browser || type -P google-chrome) ||
    skip "needs chromium"
mkdir -p corpus/sub
text 1200000 1 >corpus/a.txt
for i in $(seq 60); do text $((i * 400)) "$i" >"corpus/sub/MWmw-0$((i * 10101)).txt"; done
text 2000 99 >"corpus/<script>alert(1)<"
text 3000 98 >"corpus/日本語の名前がとても長いファイルです-and-a-word-that-is-as-long-as-this-one.markdown"
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o "a&<b>.h5"
expect 0 corpress audit -q "a&<b>.h5" --html page.html --curve --excerpts
python3 "$TESTS/cli/page_browser.py" "$browser" page.html
