/* Claims that the cells alone show to be void: that no row will match, or that compare a figure
 * which no matching row will have.
 *
 * A cell has a row for each evaluated length and each subset of its inputs, so what a claim asks of
 * the two can be looked at apart.  What only training tells (a verdict, an error) may match. */
#include <stdio.h>
#include <string.h>

#include "spec/document.h"

/* What is beyond these is left to judging: tests of one claim, and values looked at in all (that
 * many take half a second, and a large spec must still be priced at once). */
enum { TESTS_MAX = 64, LOOKS_MAX = 150000 };
enum { VALUE_TEXT = 256, SHOWN_MAX = 8 };

/* ---- what rows will hold ----------------------------------------------------------------------*/

/* A witness has sizes of its own. */
static bool differs_in_witness(const char *name)
{
    static const char *const names[] = {"layers", "heads", "width", "ffn", "norm", "settings"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(name, names[k]) == 0)
            return true;
    return false;
}

static bool subset_value(const struct task *t, int k, char *out)
{
    snprintf(out, VALUE_TEXT, "all");
    for (int p = 0; k > 0; p++) {
        if (!pattern_table[p])
            return false;
        if (t->space.share[p] > 0 && --k == 0)
            snprintf(out, VALUE_TEXT, "%s", pattern_table[p]->name);
    }
    return true;
}

static bool length_value(const struct task *t, enum claim_on on, int k, char *out)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    if (k >= (on == CLAIM_ON_WITNESS ? 1 : lengths->count))
        return false;
    int64_t length = on == CLAIM_ON_WITNESS ? t->space.length : lengths->value[k];
    snprintf(out, VALUE_TEXT, "%lld", (long long)length);
    return true;
}

enum known { KNOWN_VALUE, KNOWN_NO_MORE, KNOWN_LATER };

static enum known column_value(const struct column *column, const struct cell *c, char *out)
{
    struct text t = {.data = out, .capacity = VALUE_TEXT, .fixed = true};
    bool known = column_of_cell(column, c, &t);
    return known && !t.failed ? KNOWN_VALUE : KNOWN_LATER;
}

/* Value number k that the rows of a cell have at a column or key: "" where it stays empty. */
static enum known row_value(const struct cell *c, enum claim_on on, int column, const char *name,
                            int k, char *out)
{
    *out = 0;
    if (column >= 0 && !strcmp(name, "subset"))
        return subset_value(&c->task, k, out) ? KNOWN_VALUE : KNOWN_NO_MORE;
    if (column >= 0 && !strcmp(name, "length"))
        return length_value(&c->task, on, k, out) ? KNOWN_VALUE : KNOWN_NO_MORE;
    if (k > 0)
        return KNOWN_NO_MORE;
    if (column < 0) {
        spec_value(c, name, out, VALUE_TEXT);
        return KNOWN_VALUE;
    }
    if (on == CLAIM_ON_WITNESS && differs_in_witness(name))
        return KNOWN_LATER;
    return column_value(&column_table[column], c, out);
}

/* As judging compares them. */
static bool same_value(const char *a, const char *b)
{
    double left, right;
    return !strcmp(a, b) || (text_to_double(a, &left) && text_to_double(b, &right) && left == right);
}

static bool where_fits(const struct cell *c, enum claim_on on, const struct claim_where *w)
{
    char value[VALUE_TEXT];
    for (int k = 0;; k++) {
        enum known known = row_value(c, on, w->column, w->key, k, value);
        if (known != KNOWN_VALUE)
            return known == KNOWN_LATER;
        for (int v = 0; v < w->count; v++)
            if (same_value(value, w->value[v]))
                return true;
    }
}

static bool claim_fits(const struct cell *c, const struct claim *claim)
{
    for (int k = 0; k < claim->wheres; k++)
        if (!where_fits(c, claim->on, &claim->where[k]))
            return false;
    return true;
}

static bool test_filled(const struct cell *c, enum claim_on on, const struct claim_test *t)
{
    char value[VALUE_TEXT];
    return row_value(c, on, t->column, t->key, 0, value) != KNOWN_VALUE || *value;
}

/* ---- messages ---------------------------------------------------------------------------------*/

static void show_value(const char *value, char (*seen)[VALUE_TEXT], int *count, struct text *out)
{
    for (int k = 0; k < *count; k++)
        if (!strcmp(seen[k], value))
            return;
    if (*value && *count < SHOWN_MAX)
        text_append_format(out, "%s%.48s", *count ? ", " : "; expected one of ", value);
    else if (*value && *count == SHOWN_MAX)
        text_append(out, ", ...");
    if (*value && *count <= SHOWN_MAX)
        snprintf(seen[(*count)++], VALUE_TEXT, "%s", value);
}

/* "; expected one of ...": the values that rows will have, a few of them. */
static void show_values(const struct spec *s, enum claim_on on, const struct claim_where *w,
                        struct text *out)
{
    char value[VALUE_TEXT], seen[SHOWN_MAX + 1][VALUE_TEXT];
    int count = 0;
    for (int c = 0; c < spec_cells(s); c++)
        for (int k = 0; count <= SHOWN_MAX; k++) {
            if (row_value(spec_cell(s, c), on, w->column, w->key, k, value) != KNOWN_VALUE)
                break;
            show_value(value, seen, &count, out);
        }
    if (count == 0)
        text_append(out, "; it applies to none of the cells");
}

static int no_such_value(const struct spec *s, enum claim_on on, const struct claim_where *w,
                         const struct node *at, struct err *e)
{
    char shown[NODE_SHOWN];
    struct text t = {0};
    bool list = at->type == NODE_LIST;
    text_append_format(&t, "%s: no row will have %s", w->key,
                       list ? "any of these" : node_show(at, shown));
    show_values(s, on, w, &t);
    int code = text_check(&t, e);
    if (!code)
        code = node_error(at, e, "%s", t.data);
    text_close(&t);
    return code;
}

/* The value that no cell has; or each has its rows, but they have none in common. */
static int no_row(const struct spec *s, const struct claim *c, const struct node *claim,
                  struct err *e)
{
    const struct node *where = claim->item[node_find(claim, "where")];
    for (int k = 0; k < c->wheres; k++) {
        bool found = false;
        for (int i = 0; i < spec_cells(s) && !found; i++)
            found = where_fits(spec_cell(s, i), c->on, &c->where[k]);
        if (!found)
            return no_such_value(s, c->on, &c->where[k], where->item[k], e);
    }
    return node_error(where, e, "where: no row will have all of this at once; expected what one "
                      "cell has");
}

static int no_figure(const struct claim_test *t, const struct node *claim, bool tokens,
                     struct err *e)
{
    const struct node *expect = claim->item[node_find(claim, "expect")];
    enum column_scope scope = t->column >= 0 ? column_table[t->column].scope : COLUMN_ALL;
    bool figure = scope != COLUMN_ALL && (scope >= COLUMN_TOKENS) != tokens;
    return node_error(expect->key[node_find(expect, t->key)], e,
                      "%s: will be empty in every row that matches; expected %s", t->key,
                      !figure  ? "a key or column that applies to them"
                      : tokens ? "a figure of token targets, such as accuracy"
                               : "a figure of continuous targets, such as error_rel");
}

/* ---- checking ---------------------------------------------------------------------------------*/

static int check_claim(const struct spec *s, const struct claim *c, const struct node *node,
                       int *looks, struct err *e)
{
    bool filled[TESTS_MAX] = {false};
    const struct cell *matched = NULL;
    int left = c->expects < TESTS_MAX ? c->expects : TESTS_MAX, tests = left;
    for (int i = 0; i < spec_cells(s) && (!matched || left); i++) {
        const struct cell *cell = spec_cell(s, i);
        *looks -= c->wheres + 1;
        if (*looks < 0)
            return 0;
        if (!claim_fits(cell, c))
            continue;
        matched = cell;
        for (int k = 0; k < tests; k++)
            if (!filled[k] && test_filled(cell, c->on, &c->expect[k])) {
                filled[k] = true;
                left--;
            }
    }
    if (!matched)
        return no_row(s, c, node, e);
    for (int k = 0; k < tests; k++)
        if (!filled[k])
            return no_figure(&c->expect[k], node, target_of(&matched->task.target)->tokens, e);
    return 0;
}

int spec_check_claims(const struct spec *s, struct err *e)
{
    const struct node *claims = document_find(s, "claims");
    int code = 0, looks = LOOKS_MAX;
    for (int k = 0; k < spec_claims(s) && looks >= 0 && code == 0; k++)
        code = check_claim(s, spec_claim(s, k), claims->item[k], &looks, e);
    return code;
}
