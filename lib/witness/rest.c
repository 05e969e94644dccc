/* Probing an encoding (rest.h). */
#include "witness/rest.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

/* The hooks' surroundings: one sample of the trained layout, all tensors zero. */
struct bench {
    const struct encoding *encoding;
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
    int code = encoding_open(&b->context, a, e);
    if (code)
        return code;
    size_t state = b->encoding->state_size ? b->encoding->state_size(&b->context) : 0;
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

static void prepare(struct bench *b)
{
    size_t count = (size_t)b->n * (size_t)b->width;
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

static bool probe_bias(struct bench *b, double *bias, bool *seen)
{
    int relations = b->context.layout->relations;
    for (int h = 0; h < b->context.shape->heads; h++) {
        double *of_head = bias + (size_t)h * (size_t)relations;
        if (b->facts.relation_bias) {
            for (int r = 0; r < relations; r++)
                of_head[r] = (double)b->state[(size_t)h * (size_t)relations + (size_t)r];
            continue;
        }
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

int rest_open(struct rest *r, const struct model_config *m, const struct encoding_shape *shape,
              struct arena *arena, struct err *e)
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
        r->scale = b.facts.scale;
        r->bias = bias;
        r->known = !adds_to_input(&b) && !adds_to_values(&b) && probe_bias(&b, bias, seen);
        r->scores = r->known && probe_scores(&b);
        r->places = r->known && probe_places(&b);
        if (r->known && probe_table(&b, row)) {
            r->row = row;
            r->table_rows = b.tensor[0].tensor.shape[1];
        }
    }
    arena_close(&scratch);
    return code;
}
