/* Claims: names and values checked here, judged by whoever has the rows (report/judge.c); and those
 * that the cells alone show to be void.
 *
 * Invariant: a value that a claim compares with is written as spec_value or results.csv would write
 * it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spec/document.h"
#include "spec/value.h"

/* What is beyond these is left to judging: tests of one claim, and values looked at in all (that
 * many take half a second, and a large spec must still be priced at once). */
enum { TESTS_MAX = 64, LOOKS_MAX = 150000 };
enum { VALUE_TEXT = 256, SHOWN_MAX = 8 };

/* What a name in a claim stands for: a column, a key, or both (a column that shows a key). */
struct subject {
    int column;              /* -1: none */
    const struct slot *slot; /* NULL: none */
    const struct option *row; /* what it accepts: the slot's, or `made`, of a column of few names;
                                 NULL: any number, or any text */
    bool number;
    struct option made;
    const char *subset[PATTERN_MAX + 2 + SHARED_KINDS];
};

/* ---- names ------------------------------------------------------------------------------------*/

static int unknown_name(const struct spec *s, const struct node *at, struct err *e)
{
    const char *names[128];
    char shown[NODE_SHOWN];
    int count = 0;
    if (strchr(at->text, '.'))
        return keys_unknown(&s->keys, at, at->text, false, e);
    for (; column_table[count].name && count < 128; count++)
        names[count] = column_table[count].name;
    const char *near = text_nearest(at->text, names, count);
    return node_error(at, e, "%s: no column of results.csv and no key of a spec; %s%s%s",
                      node_show(at, shown), near ? "did you mean " : "expected a name such as ",
                      near ? near : "error_rel or model.encoding", near ? "?" : "");
}

/* A column that shows no key: one of a few names, a number, or text. */
static void subject_of_column(struct subject *out, const struct column *c)
{
    out->number = c->number;
    out->made = (struct option){.type = OPTION_CHOICE, .names = c->names};
    if (c == &column_table[RESULT_subset]) {
        out->subset[0] = "all";
        for (int k = 0; pattern_table[k]; k++)
            out->subset[k + 1] = pattern_table[k]->name;
        for (int k = 0; k < SHARED_KINDS; k++)
            out->subset[pattern_count() + 1 + k] = shared_table[k]->name;
        out->made.names = out->subset;
    }
    out->row = out->made.names ? &out->made : NULL;
}

static int find_subject(const struct spec *s, const struct node *at, struct subject *out,
                        struct err *e)
{
    int slot;
    *out = (struct subject){.column = column_index(at->text)};
    const char *key = out->column >= 0 ? column_table[out->column].key : at->text;
    enum key_type type = key ? keys_find(&s->keys, key, &slot) : KEY_UNKNOWN;
    if (type == KEY_UNKNOWN && out->column >= 0) { /* of the seed, too, which is in no section */
        subject_of_column(out, &column_table[out->column]);
        return 0;
    }
    if (type == KEY_UNKNOWN || strlen(key) >= KEY_TEXT)
        return unknown_name(s, at, e);
    if (type == KEY_GROUP)
        return node_error(at, e, "%s: a section, not a value; expected one of its keys", key);
    out->slot = &s->keys.slot[slot];
    out->row = out->slot->row;
    out->number = out->row->type == OPTION_INT || out->row->type == OPTION_REAL;
    if (out->row->type == OPTION_INT_LIST)
        return node_error(at, e, "%s: a list has no single value to compare; expected column "
                          "length", key);
    return 0;
}

/* ---- values -----------------------------------------------------------------------------------*/

static int keep_text(const char *name, const struct node *n, const char *text, char *out,
                     size_t size, struct err *e)
{
    if (strlen(text) >= size)
        return node_error(n, e, "%s: too long to compare; expected less than %zu bytes", name,
                          size);
    snprintf(out, size, "%s", text);
    return 0;
}

/* A value that a row accepts, as spec_value prints it. */
static int read_row_value(const struct option *row, const char *name, const struct node *n,
                          char *out, size_t size, struct err *e)
{
    struct option_value v;
    struct text t = {0};
    if (row->type == OPTION_PLAN) /* by its name */
        return keep_text(name, n, n->text, out, size, e);
    int code = value_read(row, name, n, NULL, &v, e);
    if (code == 0 && row->type == OPTION_TEXT)
        return keep_text(name, n, v.text, out, size, e);
    if (code == 0) {
        value_write(row, &v, VALUE_STORED, &t);
        code = text_check(&t, e);
    }
    if (code == 0)
        code = keep_text(name, n, t.data, out, size, e);
    text_close(&t);
    return code;
}

/* An option of a kind: kinds may have others of the same name, with other values. */
static int read_own_value(const struct slot *s, const char *name, const struct node *n, char *out,
                          size_t size, struct err *e)
{
    struct err first = {0};
    for (int kind = 0; kind < s->kinds->count; kind++) {
        const struct option *row = kind_row(s->kinds, kind, s->row->key);
        if (row && read_row_value(row, name, n, out, size, &first) == 0)
            return 0;
    }
    return err_pass(e, &first);
}

/* The text that the value of a key or column has in results. */
static int read_value(const struct subject *u, const char *name, const struct node *n,
                      char *out, size_t size, struct err *e)
{
    char shown[NODE_SHOWN], digits[TEXT_NUMBER_MAX];
    double number;
    if (n->type != NODE_SCALAR || node_is_null(n))
        return node_error(n, e, "%s: %s; expected a value or a list of values", name,
                          node_show(n, shown));
    if (u->column == RESULT_length && !strcmp(n->text, "all"))
        return keep_text(name, n, n->text, out, size, e);
    if (u->slot && u->slot->type == SLOT_OWN)
        return read_own_value(u->slot, name, n, out, size, e);
    if (u->row)
        return read_row_value(u->row, name, n, out, size, e);
    if (!u->number)
        return keep_text(name, n, n->text, out, size, e);
    if (!n->plain || !text_to_double(n->text, &number) || !isfinite(number))
        return node_error(n, e, "%s: %s is not a number; expected a number", name,
                          node_show(n, shown));
    return keep_text(name, n, text_from_double_short(digits, number), out, size, e);
}

/* ---- pair -------------------------------------------------------------------------------------*/

static int read_pair(struct spec *s, const struct node *n, struct claim *c, struct err *e)
{
    char shown[NODE_SHOWN];
    struct subject u;
    if (!n)
        return 0;
    const struct node *two = n->type == NODE_MAP && n->count == 1 ? n->item[0] : NULL;
    if (!two || two->type != NODE_LIST || two->count != 2)
        return node_error(two ? two : n, e, "pair: %s; expected one key and two of its values, such "
                          "as {model.attention: [rpe, urpe]}", node_show(two ? two : n, shown));
    int code = find_subject(s, n->key[0], &u, e);
    if (code == 0 && !u.slot)
        code = node_error(n->key[0], e, "pair: %s is no key of a spec; expected one such as "
                          "model.attention", n->key[0]->text);
    if (code)
        return code;
    snprintf(c->pair.key, sizeof c->pair.key, "%s", u.slot->key);
    for (int k = 0; k < 2 && code == 0; k++)
        code = read_value(&u, n->key[0]->text, two->item[k], c->pair.value[k],
                          sizeof c->pair.value[k], e);
    if (code == 0 && !strcmp(c->pair.value[0], c->pair.value[1]))
        code = node_error(two, e, "pair: %s twice; expected two values", c->pair.value[0]);
    return code;
}

/* ---- where ------------------------------------------------------------------------------------*/

int where_read(struct spec *s, const struct node *key, const struct node *n, const struct pair *pair,
               struct claim_where *w, struct err *e)
{
    struct subject u;
    int code = find_subject(s, key, &u, e);
    if (code)
        return code;
    if (u.slot && !strcmp(u.slot->key, pair->key))
        return node_error(key, e, "%s: the pair has both its values; expected another key",
                          key->text);
    bool list = n->type == NODE_LIST;
    int count = list ? n->count : 1;
    if (count == 0)
        return node_error(n, e, "%s: an empty list matches nothing; expected a value", key->text);
    w->column = u.column;
    snprintf(w->key, sizeof w->key, "%s", key->text);
    w->value = arena_alloc(&s->arena, (size_t)count, sizeof *w->value, e);
    if (!w->value)
        return ERR_MEMORY;
    for (int k = 0; k < count && code == 0; k++)
        code = read_value(&u, key->text, list ? n->item[k] : n, w->value[k], sizeof w->value[k],
                          e);
    w->count = count;
    return code;
}

static int read_wheres(struct spec *s, const struct node *n, struct claim *c, struct err *e)
{
    char shown[NODE_SHOWN];
    int code = 0;
    if (!n || node_is_null(n))
        return 0;
    if (n->type != NODE_MAP)
        return node_error(n, e, "where: %s; expected a map from keys or columns to values",
                          node_show(n, shown));
    c->where = arena_alloc(&s->arena, (size_t)n->count, sizeof *c->where, e);
    if (!c->where)
        return ERR_MEMORY;
    for (int k = 0; k < n->count && code == 0; k++)
        code = where_read(s, n->key[k], n->item[k], &c->pair, &c->where[c->wheres++], e);
    return code;
}

/* ---- expect -----------------------------------------------------------------------------------*/

/* The operator at the beginning of text, or NULL; *rest is what follows it. */
static bool read_operator(const char *text, enum claim_operator *op, const char **rest)
{
    static const struct {
        const char *sign;
        enum claim_operator op;
    } table[] = {{"<=", CLAIM_LESS_EQUAL}, {">=", CLAIM_GREATER_EQUAL}, {"<", CLAIM_LESS},
                 {">", CLAIM_GREATER}, {"==", CLAIM_EQUAL}, {"=", CLAIM_EQUAL}};
    for (size_t k = 0; k < sizeof table / sizeof table[0]; k++) {
        size_t length = strlen(table[k].sign);
        if (!strncmp(text, table[k].sign, length)) {
            *op = table[k].op;
            *rest = text + length + strspn(text + length, " ");
            return true;
        }
    }
    return false;
}

static int read_test(const struct subject *u, const struct node *key, const struct node *n,
                     struct claim_test *t, struct err *e)
{
    const char *rest = NULL;
    char shown[NODE_SHOWN];
    t->column = u->column;
    t->op = CLAIM_EQUAL;
    snprintf(t->key, sizeof t->key, "%s", key->text);
    if (!u->number)
        return read_value(u, key->text, n, t->text, sizeof t->text, e);
    t->number = true;
    bool compared = n->type == NODE_SCALAR && read_operator(n->text, &t->op, &rest);
    if (!compared && n->type == NODE_SCALAR && n->plain)
        rest = n->text;
    if (!rest || !text_to_double(rest, &t->value) || !isfinite(t->value))
        return node_error(n, e, "%s: %s is no comparison; expected a number or text such as "
                          "\"<= 0.02\" (<, <=, >, >=, =)", key->text, node_show(n, shown));
    snprintf(t->text, sizeof t->text, "%.120s", rest);
    return 0;
}

static int count_tests(const struct node *map)
{
    int count = 0;
    for (int k = 0; k < map->count; k++)
        count += map->item[k]->type == NODE_LIST ? map->item[k]->count : 1;
    return count;
}

static int read_expect(struct spec *s, const struct node *key, const struct node *n,
                       struct claim *c, struct err *e)
{
    struct subject u;
    int code = find_subject(s, key, &u, e);
    if (code)
        return code;
    if (*c->pair.key && (u.column < 0 || !u.number || u.slot))
        return node_error(key, e, "%s: no figure, so a pair has no difference in it; expected a "
                          "column such as error_rel", key->text);
    if (n->type != NODE_LIST)
        return read_test(&u, key, n, &c->expect[c->expects++], e);
    if (n->count == 0)
        return node_error(n, e, "%s: an empty list tests nothing; expected a comparison",
                          key->text);
    for (int k = 0; k < n->count && code == 0; k++)
        code = read_test(&u, key, n->item[k], &c->expect[c->expects++], e);
    return code;
}

static int read_expects(struct spec *s, const struct node *n, struct claim *c, struct err *e)
{
    char shown[NODE_SHOWN];
    int code = 0;
    if (n->type != NODE_MAP || n->count == 0)
        return node_error(n, e, "expect: %s; expected a map from columns to values or comparisons",
                          n->type == NODE_MAP ? "an empty map" : node_show(n, shown));
    c->expect = arena_alloc(&s->arena, (size_t)count_tests(n), sizeof *c->expect, e);
    if (!c->expect)
        return ERR_MEMORY;
    for (int k = 0; k < n->count && code == 0; k++)
        code = read_expect(s, n->key[k], n->item[k], c, e);
    return code;
}

/* ---- one claim --------------------------------------------------------------------------------*/

const char *const claim_on_names[] = {"run", "bound", "witness", NULL};

static int read_on(const struct node *n, enum claim_on *out, struct err *e)
{
    const struct option row = {.type = OPTION_CHOICE, .names = claim_on_names, .fallback = "run"};
    struct option_value v;
    int code = value_read(&row, "on", n, NULL, &v, e);
    *out = code ? CLAIM_ON_RUN : (enum claim_on)v.number;
    return code;
}

/* "pair ... where ... expect ...", as in the spec, cut to the size of c->text. */
static int describe(const struct node *pair, const struct node *where, const struct node *expect,
                    struct claim *c, struct err *e)
{
    struct text t = {0};
    if (pair) {
        text_append(&t, "pair ");
        node_write(&t, pair);
        text_append(&t, " ");
    }
    if (c->wheres) {
        text_append(&t, "where ");
        node_write(&t, where);
        text_append(&t, " ");
    }
    text_append(&t, "expect ");
    node_write(&t, expect);
    int code = text_check(&t, e);
    if (code == 0)
        snprintf(c->text, sizeof c->text, "%.*s%s", (int)sizeof c->text - 4, t.data,
                 t.length > sizeof c->text - 4 ? "..." : "");
    text_close(&t);
    return code;
}

static int read_claim(struct spec *s, const struct node *n, struct claim *c, struct err *e)
{
    enum { PAIR, WHERE, EXPECT, ON, KEYS };
    static const char *const key[KEYS] = {"pair", "where", "expect", "on"};
    const struct node *part[KEYS] = {NULL};
    char shown[NODE_SHOWN];
    if (n->type != NODE_MAP)
        return node_error(n, e, "claims: %s; expected a map with where and expect",
                          node_show(n, shown));
    for (int k = 0; k < n->count; k++) {
        int which = 0;
        while (which < KEYS && strcmp(key[which], n->key[k]->text) != 0)
            which++;
        if (which == KEYS)
            return node_error(n->key[k], e, "%s: unknown key of a claim; expected pair, where, "
                              "expect, on", node_show(n->key[k], shown));
        part[which] = n->item[k];
    }
    if (!part[EXPECT])
        return node_error(n, e, "claims: a claim without expect; expected a map with expect");
    c->line = n->line;
    int code = read_on(part[ON], &c->on, e);
    if (code == 0)
        code = read_pair(s, part[PAIR], c, e);
    if (code == 0)
        code = read_wheres(s, part[WHERE], c, e);
    if (code == 0)
        code = read_expects(s, part[EXPECT], c, e);
    return code ? code : describe(part[PAIR], part[WHERE], part[EXPECT], c, e);
}

int claims_read(struct spec *s, struct err *e)
{
    const struct node *n = document_find(s, "claims");
    char shown[NODE_SHOWN];
    int code = 0;
    if (!n)
        return 0;
    if (n->type != NODE_LIST)
        return node_error(n, e, "claims: %s; expected a list of claims", node_show(n, shown));
    if (n->count > CLAIMS_MAX)
        return node_error(n, e, "claims: %d are too many; expected at most %d", n->count,
                          CLAIMS_MAX);
    s->claim = arena_alloc(&s->arena, (size_t)n->count, sizeof *s->claim, e);
    if (!s->claim)
        return ERR_MEMORY;
    for (int k = 0; k < n->count && code == 0; k++)
        code = read_claim(s, n->item[k], &s->claim[s->claims++], e);
    return code;
}

/* ---- what rows will hold ----------------------------------------------------------------------*/

/* A cell has a row for each evaluated length and each subset of its inputs, so what a claim asks of
 * the two can be looked at apart.  What only training tells (a verdict, an error) may match. */

/* A witness has sizes of its own. */
static bool differs_in_witness(const char *name)
{
    static const char *const names[] = {"layers", "heads", "width", "ffn", "norm", "settings"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(name, names[k]) == 0)
            return true;
    return false;
}

/* Number k, from 1, of those that the task has at some evaluated length. */
static bool shared_value(const struct task *t, int k, char *out)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    for (int kind = 0; kind < SHARED_KINDS; kind++) {
        bool has = false;
        for (int m = 0; m < lengths->count && !has; m++)
            has = task_shares(t, kind, (int)lengths->value[m]);
        if (has && --k == 0) {
            snprintf(out, VALUE_TEXT, "%s", shared_table[kind]->name);
            return true;
        }
    }
    return false;
}

static bool subset_value(const struct task *t, int k, char *out)
{
    snprintf(out, VALUE_TEXT, "all");
    for (int p = 0; k > 0; p++) {
        if (!pattern_table[p])
            return shared_value(t, k, out);
        if (t->space.share[p] > 0 && --k == 0)
            snprintf(out, VALUE_TEXT, "%s", pattern_table[p]->name);
    }
    return true;
}

static bool length_value(const struct task *t, enum claim_on on, int k, char *out)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    snprintf(out, VALUE_TEXT, "all");
    if (k > 0 && k == lengths->count && on != CLAIM_ON_WITNESS)
        return lengths->count > 1;
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

bool claim_same(const char *a, const char *b)
{
    double left, right;
    return !strcmp(a, b) || (text_to_double(a, &left) && text_to_double(b, &right) && left == right);
}

/* Whether some row of a cell fits; FIT_ABSENT: none has a value there. */
static enum claim_fit where_fits(const struct cell *c, enum claim_on on,
                                 const struct claim_where *w)
{
    char value[VALUE_TEXT];
    enum claim_fit fit = FIT_ABSENT;
    for (int k = 0;; k++) {
        enum known known = row_value(c, on, w->column, w->key, k, value);
        if (known != KNOWN_VALUE)
            return known == KNOWN_LATER ? FIT_YES : fit;
        for (int v = 0; v < w->count; v++)
            if (claim_same(value, w->value[v]))
                return FIT_YES;
        fit = *value ? FIT_NO : fit;
    }
}

/* What a claim is about: a cell, or the two of a pair. */
struct cells {
    const struct cell *cell[2];
    int sides;
};

static bool claim_fits(const struct cells *of, const struct claim *claim)
{
    for (int k = 0; k < claim->wheres; k++) {
        enum claim_fit fit[2] = {FIT_ABSENT, FIT_ABSENT};
        for (int side = 0; side < of->sides; side++)
            fit[side] = where_fits(of->cell[side], claim->on, &claim->where[k]);
        if (!claim_fit_of_both(fit[0], fit[1]))
            return false;
    }
    return true;
}

static bool test_filled(const struct cells *of, enum claim_on on, const struct claim_test *t)
{
    char value[VALUE_TEXT];
    bool filled = true;
    for (int side = 0; side < of->sides; side++)
        filled &= row_value(of->cell[side], on, t->column, t->key, 0, value) != KNOWN_VALUE || *value;
    return filled;
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
            found = where_fits(spec_cell(s, i), c->on, &c->where[k]) == FIT_YES;
        if (!found)
            return no_such_value(s, c->on, &c->where[k], where->item[k], e);
    }
    return node_error(where, e, "where: no %s will have all of this at once; expected what one %s",
                      *c->pair.key ? "pair" : "row", *c->pair.key ? "has" : "cell has");
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

/* The pairs of cells that a claim may be about; those of a value that no cell has are an error. */
static int find_pairs(const struct spec *s, const struct claim *c, const struct node *pair,
                      struct pair_match **match, int *count, struct err *e)
{
    struct pair_item *item = memory_alloc((size_t)spec_cells(s), sizeof *item, e);
    int code = item ? 0 : ERR_MEMORY;
    for (int k = 0; k < 2 && code == 0; k++) {
        char value[1][PAIR_TEXT];
        struct claim_where w = {.column = -1, .count = 1, .value = value};
        bool found = false;
        snprintf(w.key, sizeof w.key, "%.95s", c->pair.key);
        snprintf(value[0], sizeof value[0], "%s", c->pair.value[k]);
        for (int i = 0; i < spec_cells(s) && !found; i++)
            found = where_fits(spec_cell(s, i), c->on, &w) == FIT_YES;
        if (!found)
            code = no_such_value(s, c->on, &w, pair->item[0]->item[k], e);
    }
    for (int i = 0; i < spec_cells(s) && code == 0; i++)
        item[i] = (struct pair_item){spec_cell(s, i), {(long long)spec_cell(s, i)->task.seed}};
    if (code == 0)
        code = pair_find(&c->pair, s->vary, s->varies, item, spec_cells(s), match, count, e);
    if (code == 0 && *count == 0)
        code = node_error(pair, e, "pair: no two cells differ in %s alone; expected an axis of it",
                          c->pair.key);
    memory_free(item);
    return code;
}

/* match: of a claim about pairs, else NULL; count: of what the claim may be about. */
static int check_matches(const struct spec *s, const struct claim *c, const struct node *node,
                         const struct pair_match *match, int count, int *looks, struct err *e)
{
    bool filled[TESTS_MAX] = {false};
    const struct cell *matched = NULL;
    int left = c->expects < TESTS_MAX ? c->expects : TESTS_MAX, tests = left;
    for (int i = 0; i < count && (!matched || left); i++) {
        struct cells of = {{spec_cell(s, match ? match[i].side[0] : i),
                            match ? spec_cell(s, match[i].side[1]) : NULL}, match ? 2 : 1};
        *looks -= of.sides * (c->wheres + 1);
        if (*looks < 0)
            return 0;
        if (!claim_fits(&of, c)) {
            if (!match)
                spec_drop_cell(s, i);
            continue;
        }
        matched = of.cell[0];
        for (int k = 0; k < tests; k++)
            if (!filled[k] && test_filled(&of, c->on, &c->expect[k])) {
                filled[k] = true;
                left--;
            }
    }
    if (!matched)
        return no_row(s, c, node, e);
    for (int k = 0; k < tests; k++)
        if (!filled[k])
            return no_figure(&c->expect[k], node, target_form(&matched->task.target).labels, e);
    return 0;
}

static int check_claim(const struct spec *s, const struct claim *c, const struct node *node,
                       int *looks, struct err *e)
{
    struct pair_match *match = NULL;
    int count = spec_cells(s);
    if (!*c->pair.key)
        return check_matches(s, c, node, NULL, count, looks, e);
    *looks -= count * (spec_axes(s) + 2);
    if (*looks < 0)
        return 0;
    int code = find_pairs(s, c, node->item[node_find(node, "pair")], &match, &count, e);
    if (code == 0)
        code = check_matches(s, c, node, match, count, looks, e);
    memory_free(match);
    return code;
}

int spec_check_claims(const struct spec *s, struct err *e)
{
    const struct node *claims = document_find(s, "claims");
    int code = 0, looks = LOOKS_MAX;
    for (int k = 0; k < spec_claims(s) && looks >= 0 && code == 0; k++)
        code = check_claim(s, spec_claim(s, k), claims->item[k], &looks, e);
    return code;
}
