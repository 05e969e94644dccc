/* A card for a terminal.  Invariant: no line passes the screen's width, and colour says nothing that a sign
 * does not say too. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/card.h"
#include "report/listing.h"
#include "report/verdict.h"

enum { COLUMNS_MAX = 40, CELL_TEXT = 64, HEADING = 256 };

struct page {
    struct text *out;
    const struct card *card;
    const struct card_table *table;
    const struct report_screen *screen;
    struct err *e;
};

static const char *sign_of(const struct page *p, const struct card_value *v)
{
    if (v->answer < 0)
        return "";
    const struct card_answer *a = &card_answers[(int)v->answer];
    return p->screen->unicode ? a->sign : a->plain;
}

/* The colour of a cell, which begins with its sign. */
static const char *paint(const char *value)
{
    for (int k = 0; card_answers[k].name; k++)
        if (*value && (!strncmp(value, card_answers[k].sign, strlen(card_answers[k].sign)) ||
                       (!strncmp(value, card_answers[k].plain, 1) && strchr(" ", value[1]))))
            return card_answers[k].colour;
    return NULL;
}

static void say(const struct page *p, const struct text *words)
{
    append_paragraph(p->out, words, p->screen->width);
}

static void heading(const struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void heading(const struct page *p, const char *fmt, ...)
{
    char words[HEADING];
    va_list list;
    va_start(list, fmt);
    vsnprintf(words, sizeof words, fmt, list);
    va_end(list);
    text_append(p->out, "\n");
    append_wrapped(p->out, words, 0, p->screen->width);
    text_append(p->out, "\n");
}

/* ---- conditions -------------------------------------------------------------------------------*/
static void append_condition(const struct page *p, const char *name, const char *answer, const char *why)
{
    struct text t = {0};
    text_append_format(&t, "%s: %s (%s)", name, answer, why);
    say(p, &t);
    text_close(&t);
}

static void append_conditions(const struct page *p)
{
    const struct conditions *c = p->card->conditions;
    heading(p, "Conditions that together suffice for every continuous function; a no proves nothing");
    if (!c) {
        append_condition(p, "attentive, position-aware", "not tested", p->card->unconditional);
        return;
    }
    append_condition(p, "attentive", condition_name(c->attentive), c->attentive_why);
    append_condition(p, "position-aware", c->position_aware ? "yes" : "no", c->position_why);
}

/* ---- by target and kind of input --------------------------------------------------------------*/
static bool subset_is_there(const struct card_table *t, int setting, int subset)
{
    for (int x = 0; x < t->target.count; x++)
        if (card_at(t, 0, setting, x, subset, t->own_length)->answer >= 0)
            return strcmp(t->subset.name[subset], "all") != 0 || t->subset.count == 1;
    return false;
}

/* "x 1.000", or the sign alone: the error where there is one, else the floor. */
static void cell_text(const struct page *p, const struct card_value *v, bool figures, char out[CELL_TEXT])
{
    struct text number = {0};
    double shown = isnan(v->error) ? v->floor : v->error;
    if (v->answer >= 0 && figures && (shown > 0 || !isnan(v->error)))
        append_short(&number, shown);
    snprintf(out, CELL_TEXT, "%s%s%.40s", sign_of(p, v), number.data ? " " : "",
             number.data ? number.data : "");
    p->out->failed |= number.failed;
    text_close(&number);
}

/* A line of the table; family: its name alone. */
static int add_target(const struct page *p, struct listing *l, int setting, int target, const int *subset,
                      int subsets, bool figures)
{
    char cell[COLUMNS_MAX][CELL_TEXT];
    const char *value[COLUMNS_MAX] = {p->table->target.name[target]};
    for (int k = 0; k < subsets; k++) {
        cell_text(p, card_at(p->table, 0, setting, target, subset[k], p->table->own_length), figures, cell[k]);
        value[1 + k] = cell[k];
    }
    return listing_add(l, value, p->e);
}

static int fill_targets(const struct page *p, struct listing *l, int setting, const int *subset,
                        int subsets, bool figures)
{
    int code = 0;
    for (int f = 0; f < p->table->family.count && !code; f++) {
        char name[CELL_TEXT];
        const char *value[COLUMNS_MAX] = {name};
        snprintf(name, sizeof name, "%s:", p->table->family.name[f]);
        code = listing_add(l, value, p->e);
        for (int x = 0; x < p->table->target.count && !code; x++)
            if (p->table->family_of[x] == f)
                code = add_target(p, l, setting, x, subset, subsets, figures);
    }
    return code;
}

/* The answers that the table has, each with what it means. */
static void append_legend(const struct page *p, int setting)
{
    struct text t = {0};
    for (int a = 0; card_answers[a].name; a++) {
        bool there = false;
        for (int x = 0; x < p->table->target.count; x++)
            for (int s = 0; s < p->table->subset.count; s++)
                there |= card_at(p->table, 0, setting, x, s, p->table->own_length)->answer == a;
        if (there)
            text_append_format(&t, "%s%s %s (%s)", t.length ? ", " : "",
                               p->screen->unicode ? card_answers[a].sign : card_answers[a].plain,
                               card_answers[a].name, card_answers[a].help);
    }
    text_append(&t, ". Figures are floors, of labels shares of wrong answers; behind an error, the error.");
    say(p, &t);
    text_close(&t);
}

static int append_targets(const struct page *p, int setting)
{
    const struct card_table *t = p->table;
    int subset[COLUMNS_MAX], subsets = 0, code;
    char brief[COLUMNS_MAX][4];
    struct text key = {0};
    struct listing_column column[COLUMNS_MAX] = {{"target", false}};
    struct listing l;
    for (int s = 0; s < t->subset.count && subsets < COLUMNS_MAX - 1; s++)
        if (subset_is_there(t, setting, s))
            subset[subsets++] = s;
    for (int k = 0; k < subsets; k++)
        column[1 + k] = (struct listing_column){t->subset.name[subset[k]], false};
    listing_open(&l, column, 1 + subsets);
    l.paint = p->screen->colour ? paint : NULL;
    code = fill_targets(p, &l, setting, subset, subsets, true);
    if (!code && listing_width(&l) > p->screen->width) { /* signs alone, under two letters */
        listing_close(&l);
        for (int k = 0; k < subsets; k++) {
            snprintf(brief[k], sizeof brief[k], "%.2s", t->subset.name[subset[k]]);
            column[1 + k].name = brief[k];
            text_append_format(&key, "%s%s %s", k ? ", " : "", brief[k], t->subset.name[subset[k]]);
        }
        text_append(&key, ".");
        listing_open(&l, column, 1 + subsets);
        l.paint = p->screen->colour ? paint : NULL;
        l.gap = 1;
        code = fill_targets(p, &l, setting, subset, subsets, false);
    }
    heading(p, "Length %s, %s, by target and kind of input", t->length.name[t->own_length],
            t->setting.name[setting]);
    if (!code)
        code = listing_append(p->out, &l, LISTING_TABLE, p->screen->width, p->e);
    if (key.length)
        say(p, &key);
    append_legend(p, setting);
    text_close(&key);
    listing_close(&l);
    return code;
}

/* ---- shares out of reach ----------------------------------------------------------------------*/
static const char *share_text(const struct card_count c, char out[CELL_TEXT])
{
    if (!c.all)
        out[0] = '\0';
    else
        snprintf(out, CELL_TEXT, "%d/%d", c.out, c.all);
    return out;
}

/* beside: of cells that built-in encodings have. */
static int add_shares(const struct page *p, struct listing *l, const char *name, int encoding, int setting,
                      bool families, bool beside)
{
    char cell[COLUMNS_MAX][CELL_TEXT];
    const char *value[COLUMNS_MAX] = {name};
    int count = families ? p->table->family.count : 0;
    for (int f = 0; f < count; f++)
        value[1 + f] = share_text(card_count(p->table, encoding, setting, f, beside), cell[f]);
    value[1 + count] = share_text(card_count(p->table, encoding, setting, -1, beside), cell[count]);
    return listing_add(l, value, p->e);
}

/* What lines of shares are about: encodings in a setting, or settings. */
typedef int (*filler)(const struct page *p, struct listing *l, int setting, bool families);

static int fill_settings(const struct page *p, struct listing *l, int setting, bool families)
{
    int code = 0;
    (void)setting;
    for (int s = 0; s < p->table->setting.count && !code; s++)
        if (card_has(p->table, 0, s))
            code = add_shares(p, l, p->table->setting.name[s], 0, s, families, false);
    return code;
}

static int fill_encodings(const struct page *p, struct listing *l, int setting, bool families)
{
    const struct card_table *t = p->table;
    int code = 0, own = card_count(t, 0, setting, -1, true).out;
    bool said = false;
    for (int k = 0; k < t->encoding.count && !code; k++) {
        int encoding = k < t->encoding.count - 1 ? t->order[k] : -1;
        if (!said && (encoding < 0 || card_count(t, encoding, setting, -1, true).out <= own)) {
            code = add_shares(p, l, p->screen->unicode ? "\u25b8 this class" : "> this class", 0, setting,
                              families, true);
            said = true;
        }
        if (!code && encoding >= 0 && card_has(t, encoding, setting))
            code = add_shares(p, l, t->encoding.name[encoding], encoding, setting, families, true);
    }
    return code;
}

static int append_shares(const struct page *p, const char *what, filler fill, int setting)
{
    struct listing_column column[COLUMNS_MAX] = {{what, false}};
    struct listing l;
    int count = p->table->family.count < COLUMNS_MAX - 2 ? p->table->family.count : COLUMNS_MAX - 2;
    for (int f = 0; f < count; f++)
        column[1 + f] = (struct listing_column){p->table->family.name[f], true};
    column[1 + count] = (struct listing_column){"all", true};
    listing_open(&l, column, count + 2);
    int code = fill(p, &l, setting, true);
    if (listing_width(&l) > p->screen->width)
        l.gap = 1;
    if (!code && listing_width(&l) > p->screen->width) {
        listing_close(&l);
        column[1] = (struct listing_column){"out of reach", true};
        listing_open(&l, column, 2);
        code = fill(p, &l, setting, false);
    }
    if (!code)
        code = listing_append(p->out, &l, LISTING_TABLE, p->screen->width, p->e);
    listing_close(&l);
    return code;
}

static int append_lengths(const struct page *p, int setting)
{
    static const struct listing_column columns[] = {{"length", false}, {"out of reach", true}, {"cells", true}};
    const struct card_table *t = p->table;
    struct listing l;
    int code = 0;
    listing_open(&l, columns, 3);
    for (int n = 0; n < t->length.count && !code; n++) {
        char out[24], all[24];
        int count = 0, reach = 0;
        for (int x = 0; x < t->target.count; x++)
            for (int s = 0; s < t->subset.count; s++) {
                const struct card_value *v = card_at(t, 0, setting, x, s, n);
                bool counted = v->answer >= 0 && (t->subset.count == 1 || strcmp(t->subset.name[s], "all"));
                count += counted;
                reach += counted && card_answers[(int)v->answer].out;
            }
        snprintf(out, sizeof out, "%d", reach);
        snprintf(all, sizeof all, "%d", count);
        bool together = strcmp(t->length.name[n], "all") == 0;
        if (count)
            code = listing_add(&l, (const char *[]){together ? "all in one" : t->length.name[n], out, all},
                               p->e);
    }
    if (!code && l.rows > 1) {
        heading(p, "By length, %s", t->setting.name[setting]);
        code = listing_append(p->out, &l, LISTING_TABLE, p->screen->width, p->e);
    }
    listing_close(&l);
    return code;
}

/* ---- beside the built-in ones -----------------------------------------------------------------*/
static void append_order(const struct page *p, int setting, enum card_order order, const char *words)
{
    struct text t = {0};
    text_append(&t, words);
    size_t start = t.length;
    for (int k = 1; k < p->table->encoding.count; k++) {
        int other = p->table->order[k - 1];
        if (card_compare(p->table, setting, 0, other) == order)
            text_append_format(&t, "%s%s", t.length > start ? ", " : " ", p->table->encoding.name[other]);
    }
    if (t.length > start)
        say(p, &t);
    text_close(&t);
}

void card_append_made(struct text *out, const struct card *c)
{
    bool other = c->numerics && c->numerics != SPEC_NUMERICS_VERSION;
    if (!*c->version)
        return;
    text_append_format(out, "Made by urpe-probe %s", c->version);
    if (c->numerics)
        text_append_format(out, ", numerics %d", c->numerics);
    if (other || strcmp(c->version, URPE_VERSION))
        text_append_format(out, "; WARNING: this is %s, numerics %d%s", URPE_VERSION, SPEC_NUMERICS_VERSION,
                           other ? ", whose samples are others: figures cannot be compared"
                                 : ", where classes may be judged otherwise");
    text_append(out, ".");
}

static int append_others(const struct page *p, int setting)
{
    int there = 0, code = 0;
    for (int k = 1; k < p->table->encoding.count; k++)
        there += card_has(p->table, k, setting);
    heading(p, "Beside the built-in encodings, %s: cells out of reach", p->table->setting.name[setting]);
    if (!there) {
        struct text t = {0};
        text_append(&t, p->card->others ? "none of them has been computed in this setting" : p->card->why_not);
        say(p, &t);
        text_close(&t);
        return 0;
    }
    code = append_shares(p, "encoding", fill_encodings, setting);
    struct text made = {0};
    card_append_made(&made, p->card);
    if (made.length)
        say(p, &made);
    text_close(&made);
    append_order(p, setting, CARD_ALIKE, "The same floors everywhere:");
    append_order(p, setting, CARD_LOWER, "Its floors are nowhere higher than those of, and somewhere lower:");
    append_order(p, setting, CARD_HIGHER, "Its floors are nowhere lower than those of, and somewhere higher:");
    append_order(p, setting, CARD_MIXED, "Here higher, there lower than those of:");
    return code;
}

/* ---- cost -------------------------------------------------------------------------------------*/
static void append_cost(const struct page *p)
{
    const struct card_cost *c = &p->card->cost;
    struct text t = {0};
    if (!c->measured)
        return;
    heading(p, "Cost");
    text_append_format(&t, "A training step takes %.2f x that of toeplitz with softmax (%.2f against %.2f ms; "
                       "%s), with %.0f parameters against %.0f.", c->ratio, c->ms[0], c->ms[1], c->size,
                       c->parameters[0], c->parameters[1]);
    say(p, &t);
    text_close(&t);
}

/* ---- predictions ------------------------------------------------------------------------------*/
void card_append_what(struct text *out, const struct card *c)
{
    if (c->scores.targets)
        text_append_format(out, "floors are certified; predictions from elsewhere for %d target%s",
                           c->scores.targets, c->scores.targets == 1 ? "" : "s");
    else
        text_append(out, "floors are certified, nothing was trained");
}

static void append_scores(const struct page *p)
{
    const struct card_scores *c = &p->card->scores;
    struct text t = {0};
    if (!c->targets)
        return;
    if (c->apart)
        text_append_format(&t, "NOT of the class: of %lld pairs that it merges, %lld are told apart; worst: %s. "
                           "`urpe-probe score` says which.", c->pairs, c->apart, c->worst);
    else
        text_append_format(&t, "Of the class, as far as seen: %lld pairs that it merges have equal outputs.",
                           c->pairs);
    text_append(p->out, "\n");
    say(p, &t);
    text_close(&t);
}

int card_text(struct text *out, const struct card *c, const struct report_screen *screen, struct err *e)
{
    const struct page page = {out, c, &c->table, screen, e}, *p = &page;
    int setting = card_setting(&c->table), code;
    struct text t = {0};
    text_append_format(&t, "%s (battery %s; ", c->title, c->battery);
    card_append_what(&t, c);
    text_append(&t, ")");
    say(p, &t);
    text_close(&t);
    append_scores(p);
    append_conditions(p);
    code = append_targets(p, setting);
    if (!code)
        code = append_lengths(p, setting);
    if (!code) {
        heading(p, "Cells out of reach (of targets, kinds of input and lengths), by setting and family");
        code = append_shares(p, "setting", fill_settings, setting);
    }
    if (!code)
        code = append_others(p, setting);
    append_cost(p);
    return code ? code : text_check(out, e);
}
