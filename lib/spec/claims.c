/* Claims: names and values checked here, judged by whoever has the rows.  Invariant: a value that a
 * claim compares with is written as spec_value or results.csv would write it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spec/document.h"
#include "spec/value.h"

/* What a name in a claim stands for: a column, a key, or both (a column that shows a key). */
struct subject {
    int column;                    /* -1: none */
    const struct slot *slot;       /* NULL: none */
    const struct option *row;      /* of the slot's value */
    const char *const *names;      /* the only possible values, or NULL */
    bool number;
    bool subset;
};

static const char *pattern_name(int k)
{
    return k == 0 ? "all" : pattern_table[k - 1] ? pattern_table[k - 1]->name : NULL;
}

/* ---- names ------------------------------------------------------------------------------------*/

static int unknown_name(const struct spec *s, const struct node *at, struct err *e)
{
    const char *names[128];
    char shown[NODE_SHOWN];
    int count = 0;
    if (strchr(at->text, '.'))
        return keys_unknown(&s->keys, at, at->text, e);
    for (; column_table[count].name && count < 128; count++)
        names[count] = column_table[count].name;
    const char *near = text_nearest(at->text, names, count);
    return node_error(at, e, "%s: no column of results.csv and no key of a spec; %s%s%s",
                      node_show(at, shown), near ? "did you mean " : "expected a name such as ",
                      near ? near : "error_rel or model.encoding", near ? "?" : "");
}

static void subject_of_key(struct subject *out, const struct slot *slot)
{
    out->slot = slot;
    out->row = slot->row;
    out->number = out->row->type == OPTION_INT || out->row->type == OPTION_REAL;
}

static int find_subject(const struct spec *s, const struct node *at, struct subject *out,
                        struct err *e)
{
    int slot;
    *out = (struct subject){.column = column_index(at->text)};
    const char *key = out->column >= 0 ? column_table[out->column].key : at->text;
    if (out->column >= 0) {
        out->number = column_table[out->column].number;
        out->names = column_table[out->column].names;
        out->subset = !strcmp(at->text, "subset");
    }
    if (!key)
        return 0;
    enum key_type type = keys_find(&s->keys, key, &slot);
    if (type == KEY_UNKNOWN && out->column >= 0)
        return 0; /* the seed, which is in no section */
    if (type == KEY_UNKNOWN || strlen(key) >= KEY_TEXT)
        return unknown_name(s, at, e);
    if (type == KEY_GROUP)
        return node_error(at, e, "%s: a section, not a value; expected one of its keys", key);
    subject_of_key(out, &s->keys.slot[slot]);
    if (out->row->type == OPTION_INT_LIST)
        return node_error(at, e, "%s: a list has no single value to compare; expected column "
                          "length", key);
    return 0;
}

/* ---- values -----------------------------------------------------------------------------------*/

static int one_of(const struct node *n, const char *name, const char *(*at)(const void *, int),
                  const void *list, struct err *e)
{
    char shown[NODE_SHOWN], expected[320] = "";
    const char *near = NULL;
    size_t used = 0;
    for (int k = 0; at(list, k); k++) {
        const char *one = at(list, k);
        if (n->type == NODE_SCALAR && !strcmp(one, n->text))
            return 0;
        if (n->type == NODE_SCALAR && !near)
            near = text_nearest(n->text, &one, 1);
        if (used < sizeof expected)
            used += (size_t)snprintf(expected + used, sizeof expected - used, "%s%s",
                                     k ? ", " : "", one);
    }
    return node_error(n, e, "%s: %s is no value of it%s%s%s; expected one of %s", name,
                      node_show(n, shown), near ? "; did you mean " : "", near ? near : "",
                      near ? "?" : "", expected);
}

static const char *list_name(const void *list, int k)
{
    return ((const char *const *)list)[k];
}

static const char *subset_name(const void *list, int k)
{
    (void)list;
    return pattern_name(k);
}

static int keep_text(const char *name, const struct node *n, const char *text, char *out,
                     size_t size, struct err *e)
{
    if (strlen(text) >= size)
        return node_error(n, e, "%s: too long to compare; expected less than %zu bytes", name,
                          size);
    snprintf(out, size, "%s", text);
    return 0;
}

/* The value of a key, as spec_value prints it. */
static int read_key_value(const struct option *row, const char *name, const struct node *n,
                          char *out, size_t size, struct err *e)
{
    struct option_value v;
    struct text t = {0};
    int code = value_read(row, name, n, NULL, &v, e);
    if (code == 0 && row->type == OPTION_TEXT)
        return keep_text(name, n, v.text, out, size, e);
    if (code == 0) {
        value_write(row, &v, false, &t);
        code = text_check(&t, e);
    }
    if (code == 0)
        code = keep_text(name, n, t.data, out, size, e);
    text_close(&t);
    return code;
}

/* The text that the value of a key or column has in results. */
static int read_value(const struct subject *u, const char *name, const struct node *n,
                      char *out, size_t size, struct err *e)
{
    char shown[NODE_SHOWN], digits[TEXT_NUMBER_MAX];
    double number;
    int code = 0;
    if (n->type != NODE_SCALAR || node_is_null(n))
        return node_error(n, e, "%s: %s; expected a value or a list of values", name,
                          node_show(n, shown));
    if (u->row)
        return read_key_value(u->row, name, n, out, size, e);
    if (u->names)
        code = one_of(n, name, list_name, u->names, e);
    else if (u->subset)
        code = one_of(n, name, subset_name, NULL, e);
    if (code || !u->number)
        return code ? code : keep_text(name, n, n->text, out, size, e);
    if (!n->plain || !text_to_double(n->text, &number) || !isfinite(number))
        return node_error(n, e, "%s: %s is not a number; expected a number", name,
                          node_show(n, shown));
    return keep_text(name, n, text_from_double_short(digits, number), out, size, e);
}

/* ---- where ------------------------------------------------------------------------------------*/

static int read_where(struct spec *s, const struct node *key, const struct node *n,
                      struct claim_where *w, struct err *e)
{
    struct subject u;
    int code = find_subject(s, key, &u, e);
    if (code)
        return code;
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
        code = read_where(s, n->key[k], n->item[k], &c->where[c->wheres++], e);
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
    int code = one_of(n, "on", list_name, claim_on_names, e);
    for (int k = 0; code == 0 && claim_on_names[k]; k++)
        if (!strcmp(claim_on_names[k], n->text))
            *out = (enum claim_on)k;
    return code;
}

/* "where KEY=VALUE ... expect ...", as in the spec, cut to the size of c->text. */
static int describe(const struct node *where, const struct node *expect, struct claim *c,
                    struct err *e)
{
    struct text t = {0};
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
    const struct node *where = NULL, *expect = NULL;
    char shown[NODE_SHOWN];
    int code = 0;
    if (n->type != NODE_MAP)
        return node_error(n, e, "claims: %s; expected a map with where and expect",
                          node_show(n, shown));
    for (int k = 0; k < n->count && code == 0; k++) {
        if (!strcmp(n->key[k]->text, "where"))
            where = n->item[k];
        else if (!strcmp(n->key[k]->text, "expect"))
            expect = n->item[k];
        else if (!strcmp(n->key[k]->text, "on"))
            code = read_on(n->item[k], &c->on, e);
        else
            code = node_error(n->key[k], e, "%s: unknown key of a claim; expected where, expect, "
                              "on", node_show(n->key[k], shown));
    }
    if (code == 0 && !expect)
        code = node_error(n, e, "claims: a claim without expect; expected a map with expect");
    c->line = n->line;
    if (code == 0)
        code = read_wheres(s, where, c, e);
    if (code == 0)
        code = read_expects(s, expect, c, e);
    return code ? code : describe(where, expect, c, e);
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
