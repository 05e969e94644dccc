/* Claims against rows.
 *
 * Invariant: a claim holds when it matched at least one row and every test held in every matching
 * row; an empty field holds nothing. */
#include <math.h>
#include <string.h>

#include "report/label.h"
#include "report/listing.h"
#include "report/results.h"

enum { VERDICT_COLUMNS = 10 };

/* What a claim sees of one row. */
struct subject {
    const struct result_row *row;
    const struct cell *cell;
};

static bool same_value(const char *a, const char *b)
{
    double left, right;
    if (strcmp(a, b) == 0)
        return true;
    return text_to_double(a, &left) && text_to_double(b, &right) && left == right;
}

/* The value of a column (column >= 0) or of a dotted spec key; "" when there is none. */
static const char *value_of(const struct subject *s, int column, const char *key, char *buffer,
                            size_t size)
{
    if (column >= 0)
        return s->row->field[column] ? s->row->field[column] : "";
    return spec_value(s->cell, key, buffer, size) ? buffer : "";
}

static bool where_matches(const struct subject *s, const struct claim_where *w)
{
    char buffer[256];
    const char *value = value_of(s, w->column, w->key, buffer, sizeof buffer);
    for (int k = 0; k < w->count; k++)
        if (same_value(value, w->value[k]))
            return true;
    return false;
}

static bool claim_matches(const struct subject *s, const struct claim *c)
{
    for (int k = 0; k < c->wheres; k++)
        if (!where_matches(s, &c->where[k]))
            return false;
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

static struct miss test_row(const struct subject *s, const struct claim_test *t)
{
    char buffer[256];
    double value;
    const char *text = value_of(s, t->column, t->key, buffer, sizeof buffer);
    if (!t->number)
        return (struct miss){!same_value(text, t->text), 0};
    if (!text_to_double(text, &value))
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
static void append_miss(struct text *out, const struct worst *w)
{
    char buffer[256], number[TEXT_NUMBER_MAX];
    const struct claim_test *t = w->test;
    const char *value = value_of(&w->subject, t->column, t->key, buffer, sizeof buffer);
    text_append_format(out, "%s is %s, claimed %s", t->key, *value ? value : "empty",
                       operator_text(t->op));
    text_append(out, t->number ? text_from_double_short(number, t->value) : t->text);
    if (!t->number)
        append_figures(out, w->subject.row);
    else if (isfinite(w->amount))
        text_append_format(out, ": missed by %s", text_from_double(number, w->amount, 3));
}

static int explain(const struct results *r, const struct worst *w, int matched, char *why, size_t size,
                   struct err *e)
{
    struct text t = {0};
    text_append_format(&t, "cell %.8s (%s, %s; ", w->subject.cell->id,
                       result_text(w->subject.row, "target"),
                       result_text(w->subject.row, "encoding"));
    axes_append(&t, &r->axes[w->subject.row->spec], w->subject.cell, NULL);
    text_append_format(&t, " seed=%s), length %s, subset %s: ", result_text(w->subject.row, "seed"),
                       result_text(w->subject.row, "length"),
                       result_text(w->subject.row, "subset"));
    append_miss(&t, w);
    if (w->rows > 1)
        text_append_format(&t, " (the worst of %d among %d rows)", w->rows, matched);
    int code = text_check(&t, e);
    if (!code)
        snprintf(why, size, "%s", t.data);
    text_close(&t);
    return code;
}

static int judge(const struct spec *s, const struct cell_index *index, const struct claim *c,
                 const struct results *r, struct claim_verdict *out, struct err *e)
{
    struct worst worst = {0};
    *out = (struct claim_verdict){0};
    for (int k = 0; k < r->rows; k++) {
        struct subject subject = {&r->row[k], row_cell_in(&r->row[k], s, index)};
        if (!subject.cell || !claim_matches(&subject, c))
            continue;
        out->matched++;
        consider(&worst, &subject, c);
    }
    out->held = out->matched > 0 && worst.rows == 0;
    if (!out->matched)
        snprintf(out->why, sizeof out->why, "no row matches it");
    if (!worst.rows)
        return 0;
    return explain(r, &worst, out->matched, out->why, sizeof out->why, e);
}

int claim_judge(const struct spec *s, const struct claim *c, const struct results *r,
                struct claim_verdict *out, struct err *e)
{
    struct cell_index index;
    int code = cell_index_open(&index, s, e);
    if (code)
        return code;
    code = judge(s, &index, c, r, out, e);
    cell_index_close(&index);
    return code;
}

/* "held      where ... expect ... (12 rows)", and why not. */
static void append_verdict(struct text *out, const struct claim *c,
                           const struct claim_verdict *verdict,
                           const struct report_screen *screen)
{
    struct text line = {0};
    text_append_format(&line, "%s (%d row%s)", c->text, verdict->matched,
                       verdict->matched == 1 ? "" : "s");
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

int report_claims(FILE *out, const struct spec *s, enum claim_on on, const struct results *r,
                  const struct report_screen *screen, bool failed_only, int *broken,
                  struct err *e)
{
    struct cell_index index;
    struct text text = {0};
    int code = cell_index_open(&index, s, e);
    *broken = 0;
    if (code)
        return code;
    for (int k = 0; !code && k < spec_claims(s); k++) {
        const struct claim *c = spec_claim(s, k);
        struct claim_verdict verdict;
        if (c->on != on)
            continue;
        code = judge(s, &index, c, r, &verdict, e);
        if (code)
            break;
        if (!verdict.held || !failed_only)
            append_verdict(&text, c, &verdict, screen);
        *broken += !verdict.held;
    }
    if (!code)
        code = text_check(&text, e);
    if (!code && text.data)
        fputs(text.data, out);
    text_close(&text);
    cell_index_close(&index);
    return code;
}
