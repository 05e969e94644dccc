/* Claims against rows, or against the two rows of a pair.
 *
 * Invariant: a claim holds when it matched at least one row and every test held in every matching
 * row; an empty field holds nothing. */
#include <math.h>
#include <string.h>

#include "report/label.h"
#include "report/listing.h"
#include "report/pair.h"
#include "report/results.h"

enum { VERDICT_COLUMNS = 10, VALUE_SIZE = 256 };

/* What a claim is about: a row, or the rows of two cells of one seed. */
struct subject {
    const struct result_row *row[2];
    const struct cell *cell[2];
    int sides;
};

/* The value of a column (column >= 0) or of a dotted spec key; "" when there is none. */
static const char *value_of(const struct subject *s, int side, int column, const char *key,
                            char buffer[VALUE_SIZE])
{
    if (column >= 0)
        return s->row[side]->field[column] ? s->row[side]->field[column] : "";
    return spec_value(s->cell[side], key, buffer, VALUE_SIZE) ? buffer : "";
}

static enum claim_fit where_fits(const struct subject *s, int side, const struct claim_where *w)
{
    char buffer[VALUE_SIZE];
    const char *value = value_of(s, side, w->column, w->key, buffer);
    for (int k = 0; k < w->count; k++)
        if (claim_same(value, w->value[k]))
            return FIT_YES;
    return *value ? FIT_NO : FIT_ABSENT;
}

static bool claim_matches(const struct subject *s, const struct claim *c)
{
    for (int k = 0; k < c->wheres; k++) {
        enum claim_fit first = where_fits(s, 0, &c->where[k]);
        if (!claim_fit_of_both(first, s->sides == 1 ? first : where_fits(s, 1, &c->where[k])))
            return false;
    }
    return true;
}

static bool compare(double value, enum claim_operator op, double bound)
{
    switch (op) {
    case CLAIM_EQUAL: return value == bound;
    case CLAIM_LESS: return value < bound;
    case CLAIM_LESS_EQUAL: return value <= bound;
    case CLAIM_GREATER: return value > bound;
    case CLAIM_GREATER_EQUAL: return value >= bound;
    }
    return false;
}

/* By how much a test was missed; 0 between texts, which have no distance. */
struct miss {
    bool broken;
    double amount;
};

/* What a test of a number looks at: the value, or the difference of the two; NaN where one is
 * empty. */
static double number_of(const struct subject *s, const struct claim_test *t)
{
    char buffer[VALUE_SIZE];
    double value[2] = {NAN, 0};
    for (int side = 0; side < s->sides; side++)
        if (!text_to_double(value_of(s, side, t->column, t->key, buffer), &value[side]))
            return NAN;
    return value[0] - value[1];
}

static struct miss test_row(const struct subject *s, const struct claim_test *t)
{
    char buffer[VALUE_SIZE];
    if (!t->number)
        return (struct miss){!claim_same(value_of(s, 0, t->column, t->key, buffer), t->text), 0};
    double value = number_of(s, t);
    if (isnan(value))
        return (struct miss){true, INFINITY};
    return (struct miss){!compare(value, t->op, t->value), fabs(value - t->value)};
}

static const char *operator_text(enum claim_operator op)
{
    static const char *const text[] = {[CLAIM_EQUAL] = "",
                                       [CLAIM_LESS] = "< ",
                                       [CLAIM_LESS_EQUAL] = "<= ",
                                       [CLAIM_GREATER] = "> ",
                                       [CLAIM_GREATER_EQUAL] = ">= "};
    return text[op];
}

/* The worst miss so far, and how many rows were broken. */
struct worst {
    struct subject subject;
    const struct claim_test *test;
    double amount;
    int rows;
};

static void consider(struct worst *w, const struct subject *s, const struct claim *c)
{
    bool broken = false;
    for (int k = 0; k < c->expects; k++) {
        struct miss m = test_row(s, &c->expect[k]);
        if (!m.broken)
            continue;
        broken = true;
        if (!w->test || m.amount > w->amount) {
            w->subject = *s;
            w->test = &c->expect[k];
            w->amount = m.amount;
        }
    }
    w->rows += broken;
}

/* Behind a text that was missed, a verdict say, the figures that it came from. */
static void append_figures(struct text *out, const struct result_row *row)
{
    static const char *const column[] = {"error_rel", "accuracy", "floor_rel", "accuracy_ceiling"};
    const char *before = ": ";
    for (size_t k = 0; k < sizeof column / sizeof *column; k++) {
        const char *value = result_text(row, column[k]);
        if (!*value)
            continue;
        text_append_format(out, "%s%s is %s", before, column[k], value);
        before = ", ";
    }
}

/* What was found, what was claimed, and the distance. */
static void append_miss(struct text *out, const struct worst *w, const struct pair *pair)
{
    char buffer[VALUE_SIZE], number[TEXT_NUMBER_MAX];
    const struct claim_test *t = w->test;
    const char *value = value_of(&w->subject, 0, t->column, t->key, buffer);
    text_append(out, t->key);
    if (w->subject.sides > 1) {
        double difference = number_of(&w->subject, t);
        text_append_format(out, " of %s - %s", pair->value[0], pair->value[1]);
        value = isnan(difference) ? "" : text_from_double(number, difference, 9);
    }
    text_append_format(out, " is %s, claimed %s", *value ? value : "empty", operator_text(t->op));
    text_append(out, t->number ? text_from_double_short(number, t->value) : t->text);
    if (!t->number)
        append_figures(out, w->subject.row[0]);
    else if (isfinite(w->amount))
        text_append_format(out, ": missed by %s", text_from_double(number, w->amount, 3));
}

static int explain(const struct results *r, const struct worst *w, const struct claim *c,
                   struct claim_verdict *out, struct err *e)
{
    const struct subject *s = &w->subject;
    const struct result_row *row = s->row[s->sides - 1];
    struct text t = {0};
    text_append_format(&t, s->sides > 1 ? "cells %.8s and " : "cell ", s->cell[0]->id);
    text_append_format(&t, "%.8s (%s, %s; ", s->cell[s->sides - 1]->id, result_text(row, "target"),
                       result_text(row, "encoding"));
    axes_append(&t, &r->axes[row->spec], s->cell[s->sides - 1], NULL);
    text_append_format(&t, " seed=%s), length %s, subset %s: ", result_text(row, "seed"),
                       result_text(row, "length"), result_text(row, "subset"));
    append_miss(&t, w, &c->pair);
    if (w->rows > 1)
        text_append_format(&t, " (the worst of %d among %d %s)", w->rows, out->matched,
                           s->sides > 1 ? "pairs" : "rows");
    int code = text_check(&t, e);
    if (!code)
        snprintf(out->why, sizeof out->why, "%s", t.data);
    text_close(&t);
    return code;
}

/* ---- judging ----------------------------------------------------------------------------------*/
struct judging {
    const struct results *results;
    const struct spec *spec;
    const struct claim *claim;
    struct worst worst;
    int matched;
};

static void look_at(struct judging *j, const struct result_row *row, const struct result_row *other)
{
    struct subject s = {{row, other}, {row_cell_in(row, j->spec)}, other ? 2 : 1};
    if (other)
        s.cell[1] = row_cell_in(other, j->spec);
    if (!s.cell[0] || (other && !s.cell[1]) || !claim_matches(&s, j->claim))
        return;
    j->matched++;
    consider(&j->worst, &s, j->claim);
}

static int look_at_pairs(struct judging *j, struct err *e)
{
    struct summary sum;
    struct group_pairs p = {0};
    int code = summary_open(&sum, j->results, j->spec, e);
    if (code)
        return code;
    code = group_pairs_find(&p, &j->claim->pair, sum.group, sum.groups, e);
    for (int k = 0; !code && k < p.count; k++)
        for (int i = 0; i < p.match[k].side[1]->count; i++) {
            const struct result_row *row = pair_row(&p.match[k], i);
            if (row)
                look_at(j, row, p.match[k].side[1]->row[i]);
        }
    group_pairs_close(&p);
    summary_close(&sum);
    return code;
}

int claim_judge(const struct spec *s, const struct claim *c, const struct results *r,
                struct claim_verdict *out, struct err *e)
{
    struct judging j = {.results = r, .spec = s, .claim = c};
    int code = 0;
    if (*c->pair.key)
        code = look_at_pairs(&j, e);
    else
        for (int k = 0; k < r->rows; k++)
            look_at(&j, &r->row[k], NULL);
    *out = (struct claim_verdict){.matched = j.matched, .held = j.matched > 0 && j.worst.rows == 0};
    if (!out->matched)
        snprintf(out->why, sizeof out->why, "no %s matches it", *c->pair.key ? "pair" : "row");
    return code || !j.worst.rows ? code : explain(r, &j.worst, c, out, e);
}

/* "held      where ... expect ... (12 rows)", and why not. */
static void append_verdict(struct text *out, const struct claim *c,
                           const struct claim_verdict *verdict,
                           const struct report_screen *screen)
{
    struct text line = {0};
    text_append_format(&line, "%s (%d %s%s)", c->text, verdict->matched,
                       *c->pair.key ? "pair" : "row", verdict->matched == 1 ? "" : "s");
    if (screen->colour)
        text_append(out, verdict->held ? PAINT_GOOD : PAINT_BAD);
    text_append_format(out, "%-*s", VERDICT_COLUMNS, verdict->held ? "held" : "NOT HELD");
    if (screen->colour)
        text_append(out, PAINT_OFF);
    if (line.data)
        append_wrapped(out, line.data, VERDICT_COLUMNS, screen->width);
    text_append(out, "\n");
    if (!verdict->held) {
        text_append_format(out, "%*s", VERDICT_COLUMNS, "");
        append_wrapped(out, verdict->why, VERDICT_COLUMNS, screen->width);
        text_append(out, "\n");
    }
    out->failed |= line.failed;
    text_close(&line);
}

/* "tiny, model.encoding=t5:" over the claims of one spec among several. */
static void append_whose(struct text *out, const struct spec *s, const struct results *r,
                         const struct report_screen *screen)
{
    struct text line = {0}, differs = {0};
    axes_append_spec(&differs, r, s);
    text_append_format(&line, "%s%s%s:", spec_name(s), differs.length ? ", " : "",
                       differs.length ? differs.data : "");
    if (line.data)
        append_wrapped(out, line.data, 0, screen->width);
    text_append(out, "\n");
    out->failed |= line.failed || differs.failed;
    text_close(&line);
    text_close(&differs);
}

int report_claims(FILE *out, const struct spec *s, enum claim_on on, const struct results *r,
                  const struct report_screen *screen, bool failed_only, int *broken,
                  struct err *e)
{
    struct text text = {0};
    int code = 0;
    *broken = 0;
    for (int k = 0; !code && k < spec_claims(s); k++) {
        const struct claim *c = spec_claim(s, k);
        struct claim_verdict verdict;
        if (c->on != on)
            continue;
        code = claim_judge(s, c, r, &verdict, e);
        if (!code && (!verdict.held || !failed_only)) {
            if (!text.length && r->specs > 1)
                append_whose(&text, s, r, screen);
            append_verdict(&text, c, &verdict, screen);
        }
        *broken += !code && !verdict.held;
    }
    if (!code)
        code = text_check(&text, e);
    if (!code)
        text_show(out, &text);
    text_close(&text);
    return code;
}
