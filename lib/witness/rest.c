/* Probing an encoding (rest.h). */
#include "witness/rest.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

/* The hooks' surroundings: one sample of the trained layout, all tensors at rest.  Of C, its own. */
struct bench {
    const struct encoding *encoding;
    const struct urpe *urpe; /* NULL: not of C */
    const struct kind_config *mask;
    struct encoding_context context;
    struct encoding_facts facts;
    struct encoding_tensor tensor[ENCODING_TENSORS_MAX];
    int tensors, n, width;
    real *parameter[ENCODING_TENSORS_MAX];
    real *state, *x, *q, *k, *scratch;
    real *s, *before; /* (ROWS,n) */
    real *content;    /* of input that is 0 */
    int32_t *fold;
};

/* Queries that are looked at at a time; where all are alike, as many such blocks are looked at. */
enum { ROWS = 32, BLOCKS = 4 };

static int rows_from(const struct bench *b, int first)
{
    return b->n - first < ROWS ? b->n - first : ROWS;
}

static int reserve(struct bench *b, const struct encoding_shape *shape, struct arena *a,
                   struct err *e)
{
    size_t n = (size_t)b->n, stream = n * (size_t)b->width;
    for (int t = 0; t < b->tensors; t++) {
        size_t count = 1;
        for (int i = 0; i < b->tensor[t].tensor.rank; i++)
            count *= (size_t)b->tensor[t].tensor.shape[i];
        b->parameter[t] = arena_alloc(a, count, sizeof(real), e);
        b->context.parameter[t] = b->parameter[t];
        if (!b->parameter[t])
            return ERR_MEMORY;
    }
    b->fold = arena_alloc(a, (size_t)shape->trained->relations, sizeof *b->fold, e);
    if (!b->fold)
        return ERR_MEMORY;
    shape->trained->fold(shape->trained, shape->trained, b->fold);
    b->context.fold = b->fold;
    int code = b->urpe ? urpe_open(&b->context, a, e) : encoding_open(&b->context, a, e);
    if (code)
        return code;
    size_t state = b->encoding->state_size ? b->encoding->state_size(&b->context) : 0;
    if (b->urpe)
        state = (size_t)shape->heads * (size_t)shape->trained->relations;
    size_t scratch = b->encoding->scratch ? b->encoding->scratch(&b->context, ROWS) : 0;
    b->state = arena_alloc(a, state, sizeof(real), e);
    b->x = arena_alloc(a, stream, sizeof(real), e);
    b->q = arena_alloc(a, stream, sizeof(real), e);
    b->k = arena_alloc(a, stream, sizeof(real), e);
    b->s = arena_alloc(a, ROWS * n, sizeof(real), e);
    b->before = arena_alloc(a, ROWS * n, sizeof(real), e);
    b->scratch = arena_alloc(a, scratch, sizeof(real), e);
    size_t content = b->encoding->content_size ? (size_t)b->encoding->content_size(&b->context) : 0;
    b->content = arena_alloc(a, n * content, sizeof(real), e);
    bool failed = !b->state || !b->x || !b->q || !b->k || !b->s || !b->before || !b->scratch ||
                  !b->content;
    b->context.state = b->state;
    return failed ? ERR_MEMORY : 0;
}

static int bench_open(struct bench *b, const struct model_config *m,
                      const struct encoding_shape *shape, struct arena *a, struct err *e)
{
    const struct kind_config *c = &m->encoding;
    *b = (struct bench){.encoding = encoding_of(c), .mask = &m->mask, .n = shape->trained->n,
                        .width = shape->width};
    b->context = (struct encoding_context){.config = c, .shape = shape,
                                           .layout = shape->trained};
    b->encoding->facts(c, shape, &b->facts);
    if (b->encoding->tensors)
        b->tensors = b->encoding->tensors(c, shape, b->tensor);
    return reserve(b, shape, a, e);
}

static int bench_open_c(struct bench *b, const struct model_config *m,
                        const struct encoding_shape *shape, struct arena *a, struct err *e)
{
    static const struct encoding none;
    *b = (struct bench){.encoding = &none, .urpe = urpe_of(&m->c), .mask = &m->mask,
                        .n = shape->trained->n, .width = shape->width, .facts.relation_bias = true};
    b->context = (struct encoding_context){.config = &m->c, .shape = shape, .layout = shape->trained};
    b->tensors = urpe_tensors(&m->c, shape, b->tensor);
    return reserve(b, shape, a, e);
}

/* NAN: the mean of their start. */
static void fill_tensors(struct bench *b, double value)
{
    for (int t = 0; t < b->tensors; t++) {
        const struct tensor *x = &b->tensor[t].tensor;
        int count = x->shape[0] * (x->rank > 1 ? x->shape[1] : 1);
        for (int k = 0; k < count; k++)
            b->parameter[t][k] = (real)(isnan(value) ? x->mean : value);
    }
}

static void prepare(struct bench *b)
{
    size_t count = (size_t)b->n * (size_t)b->width;
    if (b->urpe)
        b->urpe->prepare(&b->context, b->state);
    if (b->encoding->prepare)
        b->encoding->prepare(&b->context, b->state);
    memset(b->x, 0, count * sizeof *b->x);
    if (b->encoding->content)
        b->encoding->content(&b->context, b->x, b->content);
}

static void draw(struct bench *b, uint64_t number, real *x)
{
    struct stream random;
    stream_open(&random, number, "rest", 0);
    for (int k = 0; k < b->n * b->width; k++)
        x[k] = (real)(stream_uniform24(&random) - 0.5);
}

static bool all_zero(const real *x, size_t count)
{
    for (size_t k = 0; k < count; k++)
        if (x[k] != 0)
            return false;
    return true;
}

static bool sees(const struct bench *b, int i, int j)
{
    return mask_sees(b->mask, b->context.layout, i, j);
}

/* Rows first.. of s of one head from b->q and b->k, with scale q.k in `before`, too. */
static void head_logits(struct bench *b, int head, int first)
{
    int d = b->context.shape->head_width, rows = rows_from(b, first);
    const real *q = b->q + head * d, *k = b->k + head * d;
    real *out = b->before;
    for (int i = first; i < first + rows; i++)
        for (int j = 0; j < b->n; j++) {
            real sum = 0;
            for (int c = 0; c < d; c++)
                sum += q[i * b->width + c] * k[j * b->width + c];
            *out++ = (real)b->facts.scale * sum;
        }
    memcpy(b->s, b->before, (size_t)rows * (size_t)b->n * sizeof *b->s);
    for (int r = 0; r < rows; r++) /* as the model hides them */
        for (int j = 0; j < b->n; j++)
            if (!sees(b, first + r, j))
                b->s[r * b->n + j] = -(real)INFINITY;
    struct encoding_block block = {.head = head, .first = first, .rows = rows, .q = q, .k = k,
                                   .stride = b->width, .scale = b->facts.scale, .ld = b->n,
                                   .content = b->content, .scratch = b->scratch};
    if (b->encoding->logits)
        b->encoding->logits(&b->context, &block, b->s);
}

static bool adds_to_input(struct bench *b)
{
    size_t count = (size_t)b->n * (size_t)b->width;
    memset(b->x, 0, count * sizeof *b->x);
    if (b->encoding->input)
        b->encoding->input(&b->context, b->x);
    return !all_zero(b->x, count);
}

static bool adds_to_values(struct bench *b)
{
    size_t count = (size_t)b->n * (size_t)b->width;
    if (!b->encoding->value)
        return false;
    for (size_t k = 0; k < ROWS * (size_t)b->n; k++)
        b->s[k] = 1;
    memset(b->x, 0, count * sizeof *b->x);
    for (int i = 0; i < b->n; i += ROWS) {
        struct encoding_block block = {.first = i, .rows = rows_from(b, i), .q = b->q, .k = b->k,
                                       .stride = b->width, .scale = b->facts.scale, .ld = b->n,
                                       .scratch = b->scratch};
        b->encoding->value(&b->context, &block, b->s, b->x + (size_t)i * (size_t)b->width, b->width);
    }
    return !all_zero(b->x, count);
}

/* Notes the logits of rows first.. by relation; false where one is not the same everywhere. */
static bool note_bias(const struct bench *b, int first, bool fresh, double *bias, bool *seen)
{
    const real *value = b->s;
    for (int i = first; i < first + rows_from(b, first); i++)
        for (int j = 0; j < b->n; j++, value++) {
            int r = layout_relation(b->context.layout, i, j);
            if (!sees(b, i, j))
                continue;
            if ((!fresh || seen[r]) && bias[r] != (double)*value)
                return false;
            bias[r] = (double)*value;
            seen[r] = true;
        }
    return true;
}

/* Logits of a zero query by relation, the same for any keys; false where there is no such thing. */
static bool bias_of_head(struct bench *b, int head, uint64_t keys, bool first, double *bias,
                         bool *seen)
{
    size_t count = (size_t)b->n * (size_t)b->width;
    memset(b->q, 0, count * sizeof *b->q);
    draw(b, keys, b->k);
    if (b->encoding->query_key)
        b->encoding->query_key(&b->context, b->q, b->k, b->width);
    if (!all_zero(b->q, count))
        return false;
    for (int i = 0; i < b->n; i += ROWS) {
        head_logits(b, head, i);
        if (!note_bias(b, i, first, bias, seen))
            return false;
    }
    return true;
}

/* Whether rows first.. have their scores and nothing else. */
static bool only_scores(const struct bench *b, int first)
{
    size_t at = 0;
    for (int i = first; i < first + rows_from(b, first); i++)
        for (int j = 0; j < b->n; j++, at++)
            if (sees(b, i, j) && b->s[at] != b->before[at])
                return false;
    return true;
}

/* The state (heads,relations); false where it is not finite and somebody looks. */
static bool read_state(const struct bench *b, const bool *shown, double *out)
{
    int relations = b->context.layout->relations;
    bool finite = true;
    for (int k = 0; k < b->context.shape->heads * relations; k++) {
        out[k] = (double)b->state[k];
        finite = finite && (isfinite(out[k]) || !shown[k % relations]);
    }
    return finite;
}

static bool probe_bias(struct bench *b, const bool *shown, double *bias, bool *seen)
{
    int relations = b->context.layout->relations;
    if (b->facts.relation_bias)
        return read_state(b, shown, bias);
    for (int h = 0; h < b->context.shape->heads; h++) {
        double *of_head = bias + (size_t)h * (size_t)relations;
        memset(seen, 0, (size_t)relations * sizeof *seen);
        if (!bias_of_head(b, h, 1, true, of_head, seen) ||
            !bias_of_head(b, h, 2, false, of_head, seen))
            return false;
    }
    return true;
}

static bool probe_scores(struct bench *b)
{
    size_t count = (size_t)b->n * (size_t)b->width;
    draw(b, 3, b->q);
    draw(b, 4, b->k);
    if (b->encoding->query_key) {
        memcpy(b->x, b->q, count * sizeof *b->x);
        b->encoding->query_key(&b->context, b->q, b->k, b->width);
        if (memcmp(b->x, b->q, count * sizeof *b->x))
            return false;
        draw(b, 4, b->x);
        if (memcmp(b->x, b->k, count * sizeof *b->x))
            return false;
    }
    for (int h = 0; h < b->context.shape->heads; h++) {
        for (int k = 0; k < BLOCKS; k++) {
            int first = (int)((int64_t)k * (b->n > ROWS ? b->n - ROWS : 0) / (BLOCKS - 1));
            head_logits(b, h, first);
            if (!only_scores(b, first))
                return false;
        }
    }
    return true;
}

/* Fills tensor 0 with numbers that are all different. */
static int number_tensor(struct bench *b)
{
    const struct tensor *t = &b->tensor[0].tensor;
    int count = t->shape[0] * t->shape[1];
    for (int k = 0; k < count; k++)
        b->parameter[0][k] = (real)(k + 1);
    return count;
}

/* Whether logits of relation r are entry row[r] of a table. */
static bool probe_table(struct bench *b, int32_t *row)
{
    const struct tensor *t = &b->tensor[0].tensor;
    int relations = b->context.layout->relations;
    if (!b->facts.relation_bias || b->tensors != 1 || t->rank != 2 ||
        t->shape[0] != b->context.shape->heads)
        return false;
    number_tensor(b);
    prepare(b);
    for (int r = 0; r < relations; r++) {
        row[r] = (int32_t)b->state[r] - 1;
        if (row[r] < 0 || row[r] >= t->shape[1])
            return false;
    }
    for (int h = 0; h < t->shape[0]; h++)
        for (int r = 0; r < relations; r++)
            if (b->state[h * relations + r] != b->parameter[0][h * t->shape[1] + row[r]])
                return false;
    return true;
}

static bool probe_places(struct bench *b)
{
    const struct tensor *t = &b->tensor[0].tensor;
    size_t count = (size_t)b->n * (size_t)b->width;
    if (b->tensors != 1 || t->rank != 2 || t->shape[0] < b->n || t->shape[1] != b->width ||
        !b->encoding->input)
        return false;
    number_tensor(b);
    prepare(b);
    adds_to_input(b);
    return !memcmp(b->x, b->parameter[0], count * sizeof *b->x);
}

/* Whether C is one number, not 0, wherever somebody looks. */
static bool is_level(const double *c, const bool *shown, int heads, int relations)
{
    double first = 0;
    for (int k = 0; k < heads * relations; k++) {
        if (!shown[k % relations])
            continue;
        if (c[k] == 0 || (first != 0 && c[k] != first))
            return false;
        first = c[k];
    }
    return true;
}

/* At rest C is a level where ones, zeros or the start make it one; else what the start makes it. */
static int open_made_c(struct rest *r, const struct model_config *m, const struct encoding_shape *shape,
                       const bool *shown, struct arena *arena, struct err *e)
{
    static const double values[] = {1, 0, NAN};
    struct bench b;
    struct arena scratch;
    size_t relations = (size_t)r->relations;
    double *c = arena_alloc(arena, (size_t)shape->heads * relations, sizeof *c, e);
    int32_t *row = arena_alloc(arena, relations, sizeof *row, e);
    int code = c && row ? arena_open(&scratch, 0, e) : ERR_MEMORY;
    if (code)
        return code;
    code = bench_open_c(&b, m, shape, &scratch, e);
    bool finite = false, level = false;
    for (int k = 0; k < 3 && !code && !level; k++) {
        fill_tensors(&b, r->c_at = values[k]);
        prepare(&b);
        finite = read_state(&b, shown, c);
        level = finite && is_level(c, shown, shape->heads, r->relations);
    }
    r->c = c;
    r->known = r->known && finite;
    if (!code && probe_table(&b, row))
        r->c_row = row;
    arena_close(&scratch);
    return code;
}

static int open_c(struct rest *r, const struct model_config *m, const struct encoding_shape *shape,
                  const bool *shown, struct arena *arena, struct err *e)
{
    const struct urpe *urpe = urpe_of(&m->c);
    r->c_at = 1;
    if (m->attention == MODEL_RPE)
        return 0;
    if (!urpe->map) {
        r->known = r->known && !(urpe->of_pairs && urpe->of_pairs(&m->c, shape));
        return r->known ? open_made_c(r, m, shape, shown, arena, e) : 0;
    }
    int32_t *row = arena_alloc(arena, (size_t)r->relations, sizeof *row, e);
    if (row)
        urpe->map(shape, shape->trained, row);
    r->c_row = row;
    return row ? 0 : ERR_MEMORY;
}

int rest_open(struct rest *r, const struct model_config *m, const struct encoding_shape *shape,
              const bool *shown, struct arena *arena, struct err *e)
{
    struct bench b;
    struct arena scratch;
    size_t relations = (size_t)shape->trained->relations;
    *r = (struct rest){.relations = (int)relations};
    double *bias = arena_alloc(arena, (size_t)shape->heads * relations, sizeof *bias, e);
    int32_t *row = arena_alloc(arena, relations, sizeof *row, e);
    bool *seen = arena_alloc(arena, relations, sizeof *seen, e);
    if (!bias || !row || !seen)
        return ERR_MEMORY;
    int code = arena_open(&scratch, 0, e);
    if (!code)
        code = bench_open(&b, m, shape, &scratch, e);
    if (!code) {
        prepare(&b);
        if (b.facts.relation_bias && !read_state(&b, shown, bias)) { /* not defined at 0 */
            fill_tensors(&b, r->at = NAN);
            prepare(&b);
        }
        r->scale = b.facts.scale;
        r->bias = bias;
        r->known = !adds_to_input(&b) && !adds_to_values(&b) && probe_bias(&b, shown, bias, seen);
        r->scores = r->known && probe_scores(&b);
        r->places = r->known && probe_places(&b);
        if (r->known && probe_table(&b, row)) {
            r->row = row;
            r->table_rows = b.tensor[0].tensor.shape[1];
        }
    }
    arena_close(&scratch);
    return code ? code : open_c(r, m, shape, shown, arena, e);
}
