/* See help_floor.h. */
#include "floor/help_floor.h"

#include <stdio.h>
#include <string.h>

struct layout *help_layout(struct arena *a, int n)
{
    struct space_config config = {.length = n, .channels = 1};
    struct layout *l = arena_alloc(a, 1, sizeof *l, NULL);
    assert_non_null(l);
    assert_int_equal(space_table[0]->layout(&config, n, a, l, NULL), 0);
    return l;
}

struct space_config help_space(const char *name, const char *key, int value)
{
    struct space_config c = {.kind = help_kind(&space_kinds, name), .length = 6, .channels = 1};
    const struct option *o = space_of(&c)->options;
    for (int k = 0; key && o && o[k].key; k++)
        if (strcmp(o[k].key, key) == 0)
            c.kind.number[k] = value;
    assert_int_equal(space_finish(&c, NULL), 0);
    return c;
}

struct layout *help_sample_layout(const struct space_config *c, struct stream *random,
                                  struct arena *a)
{
    const struct space *s = space_of(c);
    struct layout *l = arena_alloc(a, 1, sizeof *l, NULL);
    assert_non_null(l);
    assert_int_equal(space_draws(c) ? s->draw(c, NULL, (int)c->length, random, a, l, NULL)
                             : s->layout(c, (int)c->length, a, l, NULL),
                     0);
    return l;
}

struct kind_config help_kind(const struct kind_table *table, const char *name)
{
    struct kind_config c = {0};
    assert_true(option_set_kind(table, name, &c));
    return c;
}

static void add_variant(struct help_encoding *out, int *count, const struct kind_table *table,
                        const struct kind_config *c, const char *key, double value)
{
    assert_true(*count < HELP_ENCODINGS_MAX);
    out[*count].config = *c;
    snprintf(out[*count].label, sizeof out->label, "%s", table->name(c->kind));
    if (key)
        snprintf(out[*count].label, sizeof out->label, "%s %s=%g", table->name(c->kind), key, value);
    (*count)++;
}

/* What formulas may also be of: pairs, places and channels, a declared relation. */
static const struct {
    const char *label, *bias, *parameters, *input, *relation;
} formulas[] = {
    {"formula of pairs", "a[h] * math.abs(i - j) + b[h] * math.sin(2 * j + i)", "{a: 1, b: 1}", "", ""},
    {"formula of places", "", "{w: {size: 16, std: 1}}", "math.sin(i * w[c])", ""},
    {"declared", "a[h] * math.log(1 + b[h] ^ 2 * math.abs(d)) + c[h] * d - c[h] * d", "{a: 1, b: 1, c: 1}", "",
     "math.abs(d)"},
};

int help_encodings(struct help_encoding *out)
{
    int count = help_variants(&encoding_kinds, out);
    for (size_t k = 0; k < sizeof formulas / sizeof *formulas; k++) {
        struct kind_config c = help_kind(&encoding_kinds, "formula");
        const char *text[] = {formulas[k].bias, formulas[k].parameters, formulas[k].input,
                              formulas[k].relation};
        for (int t = 0; t < 4; t++)
            snprintf(c.text[t].text, sizeof c.text[t].text, "%s", text[t]);
        add_variant(out, &count, &encoding_kinds, &c, NULL, 0);
        snprintf(out[count - 1].label, sizeof out->label, "%s", formulas[k].label);
    }
    return count;
}

int help_variants(const struct kind_table *table, struct help_encoding *out)
{
    int count = 0;
    for (int kind = 0; kind < table->count; kind++) {
        struct kind_config base = help_kind(table, table->name(kind));
        add_variant(out, &count, table, &base, NULL, 0);
        const struct option *o = table->options(kind);
        for (int k = 0; o && o[k].key; k++) {
            int values = o[k].type == OPTION_BOOL ? 2 : 0;
            for (; o[k].type == OPTION_CHOICE && o[k].names[values];)
                values++;
            for (int v = 0; v < values; v++) {
                struct kind_config c = base;
                c.number[k] = v;
                if (v != (int)base.number[k])
                    add_variant(out, &count, table, &c, o[k].key, v);
            }
            if (o[k].type == OPTION_INT && base.number[k] > 2) {
                struct kind_config c = base;
                c.number[k] = o[k].min > 2 ? o[k].min : 2;
                add_variant(out, &count, table, &c, o[k].key, c.number[k]);
            }
        }
    }
    return count;
}

struct model_config help_model(const struct kind_config *encoding, int c, bool causal, int width)
{
    struct model_config m;
    memset(&m, 0, sizeof m);
    option_defaults(model_options, &m);
    m.encoding = *encoding;
    m.attention = c < 0 ? MODEL_RPE : MODEL_URPE;
    m.c = help_kind(&urpe_kinds, c == urpe_kinds.count ? "formula" : urpe_kinds.name(c < 0 ? 0 : c));
    if (c == urpe_kinds.count)
        strcpy(m.c.text[0].text, "1 + a[h] * math.sin(i + 2 * j)");
    m.mask = help_kind(&mask_kinds, causal ? "causal" : "none");
    m.precision = sizeof(real) == sizeof(double) ? MODEL_DOUBLE : MODEL_FLOAT;
    m.heads = 2;
    m.width = width;
    return m;
}

struct model_class help_class(const struct kind_config *encoding, int c, bool causal, int width,
                              const struct layout *trained)
{
    struct model_class class;
    struct model_config m = help_model(encoding, c, causal, width);
    model_class_of(&m, trained, &class);
    return class;
}

bool help_defined(const struct model_class *c, const struct layout *evaluated)
{
    struct normaliser_shape rows = model_normaliser_shape(&c->config, &c->shape);
    struct err e = {0}; /* what it says is not NULL's to drop */
    if (encoding_check(&c->config.encoding, &c->shape, evaluated, &e) && strstr(e.where, "relation"))
        fail_msg("%s", e.msg);
    return !encoding_check(&c->config.encoding, &c->shape, evaluated, NULL) &&
           (c->config.attention == MODEL_RPE || (!urpe_check(&c->config.c, &c->shape, NULL) &&
                                                 !urpe_try(&c->config.c, &c->shape, evaluated, NULL))) &&
           !mask_check(&c->config.mask, evaluated, NULL) &&
           !normaliser_check(&c->config.normaliser, &rows, NULL);
}

void help_set_open(struct help_set *s, int channels, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->channels = channels;
    stream_open(&s->random, seed, "test", 0);
    assert_int_equal(arena_open(&s->arena, 0, NULL), 0);
    if (channels)
        s->x = memory_alloc((size_t)HELP_ROWS_MAX * (size_t)channels, sizeof *s->x, NULL);
}

void help_set_close(struct help_set *s)
{
    arena_close(&s->arena);
    memory_free(s->x);
}

/* The vector of a symbol: the same whenever and wherever it occurs. */
static void symbol_vector(int32_t symbol, int channels, double *x)
{
    struct stream random;
    stream_open(&random, 1, "symbol", (uint64_t)symbol);
    for (int c = 0; c < channels; c++)
        x[c] = stream_uniform24(&random);
}

void help_set_add(struct help_set *s, const struct layout *l, const int32_t *token)
{
    int first = s->first[s->count];
    assert_true(s->count < HELP_SAMPLES_MAX && first + l->n <= HELP_ROWS_MAX);
    s->layout[s->count++] = l;
    s->first[s->count] = first + l->n;
    memcpy(s->token + first, token, (size_t)l->n * sizeof *token);
    for (int i = 0; i < l->n && s->channels; i++)
        symbol_vector(token[i], s->channels,
                      s->x + (size_t)(first + i) * (size_t)s->channels);
}

/* Adds word[at[i]], i = 0..n-1. */
static void add_image(struct help_set *s, const struct layout *l, const int32_t *word,
                      const int *at)
{
    int32_t token[HELP_ROWS_MAX];
    for (int i = 0; i < l->n; i++)
        token[i] = word[at[i]];
    help_set_add(s, l, token);
}

static void add_orbit(struct help_set *s, const struct layout *l, const int32_t *word)
{
    int at[HELP_ROWS_MAX], n = l->n;
    int shift = (int)stream_below(&s->random, (uint64_t)n);
    help_set_add(s, l, word);
    for (int i = 0; i < n; i++)
        at[i] = n - 1 - i;
    add_image(s, l, word, at);
    for (int i = 0; i < n; i++)
        at[i] = (i + shift) % n;
    add_image(s, l, word, at);
    for (int i = n - 1; i > 0; i--) {
        int other = (int)stream_below(&s->random, (uint64_t)i + 1), kept = at[i];
        at[i] = at[other];
        at[other] = kept;
    }
    add_image(s, l, word, at);
}

void help_set_plant(struct help_set *s, const struct layout *l, int symbols, int base)
{
    int32_t word[HELP_ROWS_MAX], planted[HELP_ROWS_MAX];
    int source[HELP_ROWS_MAX];
    for (int i = 0; i < l->n; i++)
        word[i] = base + (int32_t)stream_below(&s->random, (uint64_t)symbols);
    add_orbit(s, l, word);
    for (int p = 1; pattern_table[p]; p++) {
        if (pattern_table[p]->fixed) /* brings its own token */
            continue;
        pattern_table[p]->draw(l, &s->random, source);
        for (int i = 0; i < l->n; i++)
            planted[i] = word[source[i]];
        add_orbit(s, l, planted);
    }
}

struct floor_set help_set_view(struct help_set *s)
{
    return (struct floor_set){.count = s->count,
                              .first = s->first,
                              .layout = s->layout,
                              .channels = s->channels,
                              .x = s->x,
                              .token = s->channels ? NULL : s->token};
}

bool help_same_partition(const int32_t *a, const int32_t *b, int rows)
{
    for (int p = 0; p < rows; p++)
        for (int q = p + 1; q < rows; q++)
            if ((a[p] == a[q]) != (b[p] == b[q]))
                return false;
    return true;
}
