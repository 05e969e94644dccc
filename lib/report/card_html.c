/* A card as a page that needs nothing else, with every setting in full. */
#include <math.h>
#include <string.h>

#include "report/card.h"
#include "report/html.h"
#include "report/listing.h"

static void append_head(struct text *out, const char *first, const struct card_names *names, bool but_all)
{
    text_append(out, "<div class=\"wide\"><table><thead><tr>");
    html_element(out, "th", NULL, first);
    for (int k = 0; k < names->count; k++)
        if (!but_all || names->count == 1 || strcmp(names->name[k], "all"))
            html_element(out, "th", NULL, names->name[k]);
}

static void append_value(struct text *out, const struct card_value *v)
{
    if (v->answer < 0) {
        text_append(out, "<td class=\"none\">\u2013</td>");
        return;
    }
    const struct card_answer *a = &card_answers[(int)v->answer];
    text_append_format(out, "<td class=\"%s\">%s %s", a->page, a->sign, a->name);
    if (!isnan(v->error)) {
        text_append(out, "<small>error ");
        append_short(out, v->error);
        text_append(out, "</small>");
    }
    if (v->floor > 0) {
        text_append(out, "<small>floor ");
        append_short(out, v->floor);
        text_append(out, "</small>");
    }
    text_append(out, "</td>");
}

static void append_setting(struct text *out, const struct card_table *t, int setting, int length)
{
    append_head(out, "target", &t->subset, true);
    text_append(out, "</tr></thead><tbody>\n");
    for (int f = 0; f < t->family.count; f++)
        for (int x = 0; x < t->target.count; x++) {
            if (t->family_of[x] != f)
                continue;
            text_append(out, "<tr><th>");
            html_escape(out, t->target.name[x]);
            text_append(out, " <span class=\"soft\">");
            html_escape(out, t->family.name[f]);
            text_append(out, "</span></th>");
            for (int s = 0; s < t->subset.count; s++)
                if (t->subset.count == 1 || strcmp(t->subset.name[s], "all"))
                    append_value(out, card_at(t, 0, setting, x, s, length));
            text_append(out, "</tr>\n");
        }
    text_append(out, "</tbody></table></div>\n");
}

static void append_settings(struct text *out, const struct card_table *t)
{
    for (int s = 0; s < t->setting.count; s++) {
        if (!card_has(t, 0, s))
            continue;
        html_element(out, "h3", NULL, t->setting.name[s]);
        append_setting(out, t, s, t->own_length);
        for (int n = 0; n < t->length.count; n++) {
            if (n == t->own_length)
                continue;
            text_append(out, "<details><summary>length ");
            html_escape(out, t->length.name[n]);
            text_append(out, "</summary>");
            append_setting(out, t, s, n);
            text_append(out, "</details>\n");
        }
    }
}

/* ---- shares out of reach ----------------------------------------------------------------------*/
static void append_share(struct text *out, struct card_count c)
{
    if (c.all)
        text_append_format(out, "<td>%d/%d</td>", c.out, c.all);
    else
        text_append(out, "<td class=\"none\">\u2013</td>");
}

/* words: of how the class compares. */
static void append_shares(struct text *out, const struct card_table *t, const char *name, int encoding,
                          int setting, const char *words)
{
    text_append(out, "<tr>");
    html_element(out, "th", NULL, name);
    for (int f = 0; f < t->family.count; f++)
        append_share(out, card_count(t, encoding, setting, f, true));
    append_share(out, card_count(t, encoding, setting, -1, true));
    html_element(out, "td", NULL, words);
    text_append(out, "</tr>\n");
}

static const char *const order_words[] = {[CARD_ALIKE] = "the same floors", [CARD_LOWER] = "this class has lower floors",
                                          [CARD_HIGHER] = "this class has higher floors",
                                          [CARD_MIXED] = "here higher, there lower", [CARD_NONE] = ""};

static void append_others(struct text *out, const struct card *c, int setting)
{
    const struct card_table *t = &c->table;
    html_element(out, "h3", NULL, t->setting.name[setting]);
    append_head(out, "encoding", &t->family, false);
    text_append(out, "<th>all</th><th></th></tr></thead><tbody>\n");
    append_shares(out, t, c->title, 0, setting, "");
    for (int k = 1; k < t->encoding.count; k++) {
        int other = t->order[k - 1];
        if (!card_has(t, other, setting))
            continue;
        append_shares(out, t, t->encoding.name[other], other, setting,
                      order_words[card_compare(t, setting, 0, other)]);
    }
    text_append(out, "</tbody></table></div>\n");
}

static void append_beside(struct text *out, const struct card *c)
{
    const struct card_table *t = &c->table;
    html_element(out, "h2", NULL, "Beside the built-in encodings: cells out of reach");
    if (!c->others)
        html_element(out, "p", "none", c->why_not);
    struct text made = {0};
    card_append_made(&made, c);
    if (c->others && made.data)
        html_element(out, "p", NULL, made.data);
    text_close(&made);
    for (int s = 0; c->others && s < t->setting.count; s++)
        if (card_has(t, 0, s))
            append_others(out, c, s);
}

/* ---- the rest ---------------------------------------------------------------------------------*/
static void append_conditions(struct text *out, const struct card *c)
{
    const struct conditions *x = c->conditions;
    html_element(out, "h2", NULL, "Conditions that together suffice for every continuous function");
    if (!x) {
        text_append(out, "<p>Not tested: ");
        html_escape(out, c->unconditional);
        text_append(out, ".</p>\n");
        return;
    }
    text_append(out, "<p>Attentive: ");
    html_escape(out, condition_name(x->attentive));
    text_append(out, " (");
    html_escape(out, x->attentive_why);
    text_append_format(out, ").<br />Position-aware: %s (", x->position_aware ? "yes" : "no");
    html_escape(out, x->position_why);
    text_append(out, ").</p>\n");
}

static void append_cost(struct text *out, const struct card_cost *c)
{
    if (!c->measured)
        return;
    html_element(out, "h2", NULL, "Cost");
    text_append_format(out, "<p>A training step takes %.2f x that of toeplitz with softmax (%.2f against %.2f ms; "
                       "%s), with %.0f parameters against %.0f.</p>\n", c->ratio, c->ms[0], c->ms[1], c->size,
                       c->parameters[0], c->parameters[1]);
}

int card_html(struct text *out, const struct card *c, struct err *e)
{
    struct text picture = {0};
    html_open(out, c->title);
    html_element(out, "h1", NULL, c->title);
    text_append(out, "<p class=\"soft\">What this class of models can express, on the battery ");
    html_escape(out, c->battery);
    text_append(out, "; ");
    card_append_what(out, c);
    text_append(out, ".</p>\n");
    if (c->scores.apart) {
        text_append_format(out, "<p>NOT of the class: of %lld pairs that it merges, %lld are told apart; worst: ",
                           c->scores.pairs, c->scores.apart);
        html_escape(out, c->scores.worst);
        text_append(out, ".</p>\n");
    }
    text_append(out, "<pre>");
    html_escape(out, c->command);
    text_append(out, "</pre>\n<figure>");
    card_svg(&picture, c);
    if (picture.data)
        html_svg(out, picture.data, 1);
    out->failed |= picture.failed;
    text_close(&picture);
    text_append(out, "</figure>\n");
    append_conditions(out, c);
    html_element(out, "h2", NULL, "By target and kind of input");
    append_settings(out, &c->table);
    append_beside(out, c);
    append_cost(out, &c->cost);
    html_close(out);
    return text_check(out, e);
}
