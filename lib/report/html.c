/* Pieces of HTML.  Invariant: text that is not ours reaches the page through html_escape alone. */
#include "report/html.h"

#include <string.h>

/* Colours of Okabe and Ito (2008); a verdict is also written out, so none rests on colour alone.
 * Figures are drawn on white: in the dark lightness is turned over and hues stay.  On a narrow screen the
 * verdicts stand below each other, so that none is beyond the edge. */
static const char style[] =
    ":root{--ground:#fff;--text:#1a1a1a;--soft:#595959;--line:#c8c8c8;--card:#f5f5f5;"
    "--link:#0060a0}\n"
    "@media (prefers-color-scheme:dark){:root{--ground:#16181b;--text:#ececec;--soft:#b0b0b0;"
    "--line:#4a4d52;--card:#212429;--link:#8cc8f0}figure{filter:invert(.92) hue-rotate(180deg)}}\n"
    ":root{color-scheme:light dark}\n"
    "body{background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif;"
    "margin:0 auto;max-width:60rem;padding:1rem}\n"
    "h1,h2,h3,h4{line-height:1.2;margin:1.5em 0 .5em}\n"
    "h2{border-top:2px solid var(--line);padding-top:.75em}\n"
    "a{color:var(--link)}\n"
    ".soft{color:var(--soft)}\n"
    ".wide{overflow-x:auto;margin:.5rem 0 1rem}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}\n"
    "thead th{background:var(--card)}\n"
    "td small{display:block;color:var(--soft);white-space:nowrap}\n"
    ".reached{background:rgba(0,114,178,.18);border-left:6px solid #0072b2}\n"
    ".impossible{background:rgba(213,94,0,.20);border-left:6px solid #d55e00}\n"
    ".not-reached{background:rgba(240,228,66,.25);border-left:6px solid #c9b800}\n"
    ".mixed{background:rgba(204,121,167,.25);border-left:6px solid #cc79a7}\n"
    ".none{color:var(--soft)}\n"
    "td.held{border-left:6px solid #0072b2;white-space:nowrap}\n"
    "td.broken{border-left:6px solid #d55e00;font-weight:bold;white-space:nowrap}\n"
    "code,pre{font:14px/1.4 ui-monospace,monospace}\n"
    "td code{overflow-wrap:anywhere}\n"
    "pre{background:var(--card);overflow-x:auto;padding:.75rem}\n"
    "figure{background:#fff;border:1px solid var(--line);margin:1rem 0;overflow-x:auto}\n"
    "figure svg{display:block;height:auto;min-width:50rem;width:100%}\n"
    "summary{cursor:pointer}\n"
    "@media screen and (max-width:40rem){.verdicts thead{display:none}"
    ".verdicts tr,.verdicts th,.verdicts td{display:block}.verdicts td small{white-space:normal}"
    ".verdicts td::before{content:attr(data-of);float:right;color:var(--soft);margin-left:.6rem}}\n"
    "@media print{body{max-width:none}figure,tr{break-inside:avoid}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}figure{filter:none}"
    ".wide,figure,pre{overflow:visible}figure svg{min-width:0}pre{white-space:pre-wrap}}\n";

void html_escape(struct text *out, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        switch (c) {
        case '&': text_append(out, "&amp;"); break;
        case '<': text_append(out, "&lt;"); break;
        case '>': text_append(out, "&gt;"); break;
        case '"': text_append(out, "&quot;"); break;
        case '\'': text_append(out, "&#39;"); break;
        default: text_append_bytes(out, c < 0x20 && c != '\n' && c != '\t' ? " " : s, 1);
        }
    }
}

void html_element(struct text *out, const char *tag, const char *class, const char *s)
{
    text_append_format(out, "<%s", tag);
    if (class)
        text_append_format(out, " class=\"%s\"", class);
    text_append(out, ">");
    html_escape(out, s);
    text_append_format(out, "</%s>", tag);
}

void html_open(struct text *out, const char *title)
{
    text_append(out,
                "<!DOCTYPE html>\n"
                "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
                "<meta charset=\"utf-8\" />\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n");
    html_element(out, "title", NULL, title);
    text_append(out, "\n<style>\n");
    text_append(out, style); /* has no &, <: the same in HTML and XML */
    text_append(out, "</style>\n</head>\n<body>\n");
}

void html_close(struct text *out) { text_append(out, "</body>\n</html>\n"); }

/* Behind which texts of a tag an id follows. */
static size_t before_id(const char *s)
{
    static const char *const mark[] = {" id=\"", " id='", "href=\"#", "href='#", "url(#"};
    for (size_t k = 0; k < sizeof mark / sizeof *mark; k++)
        if (strncmp(s, mark[k], strlen(mark[k])) == 0)
            return strlen(mark[k]);
    return 0;
}

bool html_svg(struct text *out, const char *image, int number)
{
    const char *at = strstr(image, "<svg"), *end = at ? strstr(at, "</svg>") : NULL;
    bool tag = false;
    if (!end)
        return false;
    end += strlen("</svg>");
    while (at < end) {
        size_t mark = tag ? before_id(at) : 0;
        if (mark) {
            text_append_bytes(out, at, mark);
            text_append_format(out, "f%d-", number);
            at += mark;
            continue;
        }
        if (*at == '<')
            tag = true;
        if (*at == '>')
            tag = false;
        text_append_bytes(out, at++, 1);
    }
    return true;
}
