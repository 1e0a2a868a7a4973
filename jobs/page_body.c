/* page_body.c - the text of a page: head, totals, charts and tables, in their order. */
#include "page_body.h"

#include "escape.h"
#include "page_charts.h"
#include "page_tables.h"
#include "progress.h"

#include <inttypes.h>

/* Colours have a contrast of 4.5 and more with what is behind them, where they are read. */
static const char style[] =
    ":root{color-scheme:light dark;--b:#fff;--f:#1b1f24;--m:#545d68;--g:#e1e5ea;--s:#0a5fa8;"
    "--t:#b04a00;--u:#8a94a0;--d:#b3121d;--c:#f3f5f7}\n"
    "@media(prefers-color-scheme:dark){:root{--b:#14171a;--f:#e6e9ec;--m:#a4adb8;--g:#2c3238;"
    "--s:#6cb2f5;--t:#ffab66;--u:#78828d;--d:#ff8a8a;--c:#1f2429}}\n"
    "@media print{:root{--b:#fff;--f:#000;--m:#444;--g:#ddd;--s:#0a5fa8;--t:#b04a00;--u:#888;"
    "--d:#b3121d;--c:#f3f5f7}figure,tr{break-inside:avoid}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:1180px;padding:1rem;background:var(--b);color:var(--f);"
    "font:16px/1.5 system-ui,\"DejaVu Sans\",sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2.2rem 0 .4rem}"
    "p{margin:.4rem 0;max-width:75ch}small{color:var(--m);font-size:.85rem;font-weight:400}\n"
    ".bad{color:var(--d);font-weight:700}\n"
    "dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:.6rem;"
    "margin:1rem 0}dl div{background:var(--c);border-radius:6px;padding:.5rem .7rem}"
    "dt{color:var(--m);font-size:.85rem}dd{margin:0;font-size:1.15rem;font-weight:600}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));"
    "gap:1.5rem 2.5rem}figure{margin:0;min-width:0}.full{grid-column:1/-1}"
    "figcaption{font-weight:600;margin-bottom:.4rem}\n"
    "svg{display:block;width:100%;height:auto}.charts .narrow{display:none}\n"
    "svg text{font:13px system-ui,\"DejaVu Sans\",sans-serif;fill:var(--f)}svg .a{fill:var(--m)}"
    "svg .h{paint-order:stroke;stroke:var(--b);stroke-width:4;stroke-linejoin:round}"
    ".g{stroke:var(--g)}.l{stroke:var(--m)}\n"
    ".s1{fill:var(--s)}.s2{fill:none;stroke:var(--t);stroke-width:2}.s3{fill:var(--u)}"
    ".p,.q,.t,.l1,.l2{fill:none;stroke:var(--s);stroke-linecap:round;stroke-linejoin:round}"
    ".p{stroke-width:3;stroke-opacity:.5}.q{stroke-width:4}.t{stroke-opacity:.35}"
    ".l1{stroke-width:2.5}.l2{stroke:var(--t);stroke-width:2.5}\n"
    ".k1{color:var(--s)}.k2{color:var(--t)}.k3{color:var(--m)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.92rem;margin:.6rem 0}"
    "th,td{text-align:right;padding:.35rem .6rem;border-bottom:1px solid var(--g);"
    "vertical-align:top;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "th.f,td.f{text-align:left;white-space:normal;width:99%}\n"
    "th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;"
    "text-decoration:underline dotted;white-space:nowrap}"
    "th[aria-sort=ascending] button::after{content:\" ▲\"}"
    "th[aria-sort=descending] button::after{content:\" ▼\"}"
    ":focus-visible{outline:2px solid var(--t);outline-offset:2px}\n"
    "code{display:block;font:.85rem/1.4 ui-monospace,\"DejaVu Sans Mono\",monospace;"
    "color:var(--m);user-select:all;unicode-bidi:isolate}"
    "q{display:block;quotes:none;white-space:pre-wrap;background:var(--c);border-radius:4px;"
    "padding:.3rem .5rem;margin-top:.3rem;font-size:.85rem}\n"
    "@media(max-width:760px){.charts .narrow{display:block}.charts .wide{display:none}"
    "table,thead,tbody{display:block}tr{display:flex;flex-wrap:wrap;padding:.4rem 0;"
    "border-bottom:1px solid var(--g)}th,td{flex:0 0 20%;border:0;padding:.1rem .2rem;"
    "min-width:0;font-size:.8rem}"
    "th button,td:nth-child(4){white-space:normal}th button{text-align:inherit}"
    "th:first-child,td:first-child{text-align:left}th.f,td.f{flex-basis:100%}}\n"
    "@media(max-width:380px){body{padding:.5rem}th,td{font-size:.74rem;padding:.1rem}}\n";

/* Its hash stands in the page's policy: who changes one changes the other; cli/page compares. */
#define SCRIPT_HASH "sha256-afHhYqJloXGqtSqLgfjxlowvacRv964QPj8hNyB0CKA="
static const char script[] =
    "\"use strict\";\n"
    "for(const table of document.querySelectorAll(\"table\")){\n"
    "const heads=[...table.tHead.rows[0].cells],body=table.tBodies[0];\n"
    "heads.forEach((head,i)=>{\n"
    "const button=document.createElement(\"button\");\n"
    "button.type=\"button\";button.append(...head.childNodes);head.append(button);\n"
    "const key=row=>{const c=row.cells[i],v=c.dataset.v;return v===undefined?c.textContent:+v};\n"
    "button.onclick=()=>{\n"
    "const way=head.ariaSort===\"ascending\"?\"descending\":\"ascending\";\n"
    "heads.forEach(h=>h.removeAttribute(\"aria-sort\"));head.setAttribute(\"aria-sort\",way);\n"
    "const sign=way===\"ascending\"?1:-1;\n"
    "body.append(...[...body.rows].sort((a,b)=>{\n"
    "const x=key(a),y=key(b);return sign*(x<y?-1:x>y?1:0)}));\n"
    "};});}\n";

static void put_path(FILE *out, const char *path)
{
    char shown[512];
    escape_html(out, cpr_printable_path(path, shown, sizeof shown));
}

static void page_head(FILE *out, const page_audit *audit)
{
    fputs(PAGE_MARK "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'; script-src '" SCRIPT_HASH "'; base-uri 'none'; "
                    "form-action 'none'\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                    "<meta name=\"referrer\" content=\"no-referrer\">\n<title>Audit of ",
          out);
    put_path(out, audit->archive_path);
    fprintf(out, "</title>\n<style>%s</style></head>\n<body><main>\n<h1>Audit of <bdi>", style);
    put_path(out, audit->archive_path);
    fputs("</bdi></h1>\n", out);
}

/* ---- totals -------------------------------------------------------------------------------- */

static void fact(FILE *out, const char *name, const char *value)
{
    fprintf(out, "<div><dt>%s</dt><dd>", name);
    escape_html(out, value);
    fputs("</dd></div>\n", out);
}

static void fact_number(FILE *out, const char *name, uint64_t value)
{
    char text[PAGE_NUMBER_BYTES];
    fact(out, name, page_number(value, text));
}

static void fact_bytes(FILE *out, const char *name, uint64_t bytes)
{
    char text[32];
    fact(out, name, progress_bytes(bytes, text, sizeof text));
}

static void fact_real(FILE *out, const char *name, double value, int decimals)
{
    char text[64];
    snprintf(text, sizeof text, "%.*f", decimals, value);
    fact(out, name, text);
}

static void page_totals(FILE *out, const page_audit *audit, const page_data *data)
{
    char profile[64];
    const cpr_archive_facts *facts = &audit->facts;
    const double raw = (double)facts->raw_bytes;
    const double coded = (double)facts->archive_bytes;
    fputs("<dl>\n", out);
    fact_bytes(out, "Text", facts->raw_bytes);
    fact_bytes(out, "Archive", facts->archive_bytes);
    if (raw > 0 && coded > 0) {
        fact_real(out, "Ratio", raw / coded, 3);
        fact_real(out, "Bits a byte", 8 * coded / raw, 4);
    }
    if (data->lz4_bytes > 0)
        fact_real(out, "Ratio under LZ4", raw / (double)data->lz4_bytes, 3);
    if (audit->inputs > 0) {
        fact_bytes(out, "On the disk it took", audit->disk_bytes);
        fact_number(out, "Decoded inputs", audit->inputs);
    }
    fact_number(out, "Files, folders, links", facts->files);
    fact_number(out, "Documents", facts->documents);
    fact_number(out, "Shards", facts->shards);
    if (facts->weights_bytes > 0)
        fact_bytes(out, "Weights of the network", facts->weights_bytes);
    fact(out, "Profile", cpr_printable_path(facts->profile, profile, sizeof profile));
    fputs("</dl>\n", out);
}

static void page_integrity(FILE *out, const page_audit *audit, const page_data *data)
{
    char number[PAGE_NUMBER_BYTES];
    if (!audit->facts.sealed)
        fputs(
            "<p class=\"bad\">The seal does not match: names, sizes and times may be wrong.</p>\n",
            out);
    if (audit->bad_primer)
        fputs("<p class=\"bad\">DAMAGED: the primer, on which all shards depend.</p>\n", out);
    if (data->bad_shards > 0)
        fprintf(out,
                "<p class=\"bad\">DAMAGED: %s of the shards; they come first in the table of "
                "shards.</p>\n",
                page_number(data->bad_shards, number));
    if (data->bad_shards == 0 && !audit->bad_primer)
        fputs("<p>All compressed data has its checksum.</p>\n", out);
}

/* ---- charts and tables --------------------------------------------------------------------- */

/* The directory that the bars are of. */
static void page_main(FILE *out, const page_data *data)
{
    char folder[256];
    if (data->main_bytes == 0 || data->main_bytes >= sizeof folder)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)data->main_bytes, data->main);
    fprintf(out, "<p>%.1f %% of the text lies in <bdi>", 100 * data->main_share);
    put_path(out, folder);
    fputs("</bdi>; directories are those in it.</p>\n", out);
}

static bool page_charts(FILE *out, const page_audit *audit, const page_data *data)
{
    char number[PAGE_NUMBER_BYTES];
    fputs(
        "<h2>What the bytes cost</h2>\n<p>What a byte costs says how well the model predicted it: "
        "few bits are repetition, many are news, or noise. Of a file it is the model's loss, of "
        "a shard what it takes in the archive.",
        out);
    if (data->unknown_files > 0)
        fprintf(out,
                " Of %s files the loss is not known: they are part of a token that began in the "
                "file before.",
                page_number(data->unknown_files, number));
    fputs("</p>\n<div class=\"charts\">\n", out);
    page_histograms(out, data);
    page_scatter(out, audit, data);
    fputs("</div>\n<h2>Where the bytes went</h2>\n", out);
    page_main(out, data);
    fputs("<div class=\"charts\">\n", out);
    page_shares(out, data);
    fputs("</div>\n", out);
    if (data->timed == 0 && audit->curves == NULL)
        return true;
    fputs("<h2>The run</h2>\n<div class=\"charts\">\n", out);
    page_curve(out, audit);
    const bool good = page_times(out, audit, data);
    fputs("</div>\n", out);
    return good;
}

static bool page_table(FILE *out, const page_audit *audit, const page_data *data,
                       const page_top *top, const char *title, const page_excerpts *excerpts)
{
    char number[PAGE_NUMBER_BYTES];
    if (top->count == 0)
        return true;
    fprintf(out, "<h2>%s</h2>\n", title);
    if (top != &data->largest && data->least_bytes > 1)
        fprintf(out, "<p>Of files with %s bytes and more.</p>\n",
                page_number(data->least_bytes, number));
    return page_file_table(out, audit, top, excerpts);
}

static bool page_tables(FILE *out, const page_audit *audit, const page_data *data,
                        const page_excerpts *excerpts)
{
    bool good = page_table(out, audit, data, &data->redundant, "Most redundant files", excerpts);
    good =
        page_table(out, audit, data, &data->unpredictable, "Least predictable files", excerpts) &&
        good;
    good = page_table(out, audit, data, &data->largest, "Largest files", excerpts) && good;
    if (data->shard_count > 0) {
        fputs("<h2>Least predictable shards</h2>\n", out);
        good = page_shard_table(out, audit, data) && good;
    }
    return good;
}

static void page_foot(FILE *out, const page_data *data)
{
    fprintf(out,
            "</main>\n<footer><p><small>corpress %s. Sums and histograms are of all files and "
            "shards; tables have %d rows at most",
            cpr_version(), PAGE_ROWS);
    if (data->every > 1)
        fprintf(out, ", and the scatter shows one file of every %" PRIu64, data->every);
    fprintf(out, ".</small></p></footer>\n<script>%s</script></body></html>\n", script);
}

bool page_body(FILE *out, const page_audit *audit, const page_data *data,
               const page_excerpts *excerpts)
{
    bool good = true;
    page_head(out, audit);
    page_integrity(out, audit, data);
    page_totals(out, audit, data);
    if (data->files > 0) {
        good = page_charts(out, audit, data);
        good = page_tables(out, audit, data, excerpts) && good;
    } else {
        fputs("<p>The corpus has no bytes: there is nothing to draw.</p>\n", out);
    }
    page_foot(out, data);
    return good && !ferror(out);
}
