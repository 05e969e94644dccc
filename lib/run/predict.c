/* Prediction: a cell's resolved spec and weights, and a file of inputs.
 * Invariant: the input is checked whole before the model sees any of it. */
#include "run/predict.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/safetensors.h"
#include "run/network.h"
#include "run/run.h"
#include "spec/spec.h"
#include "train/train.h"

enum { INPUT_LIMIT = 1 << 30 };

struct prediction {
    const struct task *task;
    struct network network;
    struct model_io io;
    enum safetensors_type type; /* of the model's precision */
    const char *input;              /* path */
    const struct safetensors *file; /* its content */
    struct samples samples;
    size_t batch, n, outputs;
    const struct safetensor *lengths; /* [batch]; NULL: all have n */
    bool pooled; /* one output a sample */
    double *y;   /* (rows, outputs) of the samples packed; pooled: of each one's first position */
};

/* What would be left out could change what the owner expects. */
static int check_names(const struct prediction *p, struct err *e)
{
    const struct space *space = space_of(&p->task->space);
    const char *const may[] = {"x", space->pair_name, space->resizes ? "lengths" : NULL,
                               space->placed ? "position_ids" : NULL};
    for (int k = 0; k < p->file->count; k++) {
        const char *name = p->file->item[k].name;
        bool known = false;
        for (size_t m = 0; m < sizeof may / sizeof *may; m++)
            known = known || (may[m] && strcmp(name, may[m]) == 0);
        if (!known)
            return err_set(e, ERR_FORMAT, p->input, "tensor `%.80s` would not be used: the mask is that of "
                           "the cell's spec; expected `x`%s%s%s%s%s alone", name,
                           space->pair_name ? " and `" : "", space->pair_name ? space->pair_name : "",
                           space->pair_name ? "`" : "", space->resizes ? ", `lengths`" : "",
                           space->placed ? ", `position_ids`" : "");
    }
    return 0;
}

static int check_shape(const struct prediction *p, const char *path, const struct safetensor *x,
                       struct err *e)
{
    bool tokens = p->io.channels == 0;
    const char *want = tokens ? "I32 or I64" : safetensors_type_name(p->type);
    int rank = tokens ? 2 : 3;
    if (!x)
        return err_set(e, ERR_FORMAT, path, "there is no tensor `x`; expected %s [batch,n%s]",
                       want, tokens ? "" : ",channels");
    if (tokens ? x->type != SAFETENSORS_I32 && x->type != SAFETENSORS_I64 : x->type != p->type)
        return err_set(e, ERR_FORMAT, path, "tensor `x` is %s; expected %s, as the cell %s%s",
                       safetensors_type_name(x->type), want,
                       tokens ? "takes symbols" : "computes in ",
                       tokens ? "" : trainer_api_of(p->task->model.precision)->precision);
    if (x->rank != rank)
        return err_set(e, ERR_FORMAT, path, "tensor `x` has %d dimensions; expected %d: %s",
                       x->rank, rank, tokens ? "[batch,n]" : "[batch,n,channels]");
    if (!tokens && x->shape[2] != p->io.channels)
        return err_set(e, ERR_FORMAT, path, "tensor `x` has %lld channels; the cell has %d",
                       (long long)x->shape[2], p->io.channels);
    if (x->shape[0] < 1 || x->shape[1] < 1 || x->shape[1] > 65536 || x->count > INT32_MAX)
        return err_set(e, ERR_FORMAT, path, "tensor `x` is %lld x %lld; expected at least one "
                       "sample of 1 to 65536 positions", (long long)x->shape[0],
                       (long long)x->shape[1]);
    return 0;
}

static int check_lengths(struct prediction *p, const struct safetensor *x, struct err *e)
{
    const struct safetensor *t = safetensors_find(p->file, "lengths");
    p->lengths = t;
    if (!t)
        return 0;
    if ((t->type != SAFETENSORS_I32 && t->type != SAFETENSORS_I64) || t->rank != 1 ||
        t->shape[0] != x->shape[0])
        return err_set(e, ERR_FORMAT, p->input, "tensor `lengths` is %s of %d dimensions; expected I32 or "
                       "I64 [%lld], a number for each sample of `x`", safetensors_type_name(t->type),
                       t->rank, (long long)x->shape[0]);
    for (size_t k = 0; k < t->count; k++) {
        int64_t n = safetensors_whole(t, k);
        if (n < 1 || n > x->shape[1])
            return err_set(e, ERR_FORMAT, p->input, "`lengths[%zu]` is %lld; expected 1 to %lld, "
                           "the positions of `x`", k, (long long)n, (long long)x->shape[1]);
    }
    return 0;
}

/* Positions of sample k; what `x` has behind them is padding, which nothing looks at. */
static size_t length_of(const struct prediction *p, size_t k, size_t n)
{
    return p->lengths ? (size_t)safetensors_whole(p->lengths, k) : n;
}

static int check_values(const struct prediction *p, const char *path, const struct safetensor *x,
                        struct err *e)
{
    char at[SAFETENSORS_PLACE];
    for (size_t i = 0; i < x->count; i++) {
        size_t row = i / (p->io.channels ? (size_t)p->io.channels : 1), n = (size_t)x->shape[1];
        if (row % n >= length_of(p, row / n, n))
            continue;
        if (p->io.channels == 0) {
            int64_t id = safetensors_whole(x, i);
            if (id < 0 || id >= p->io.symbols)
                return err_set(e, ERR_FORMAT, path, "`%s` is %lld; expected a symbol from 0 to %d",
                               safetensors_place(at, x, i), (long long)id, p->io.symbols - 1);
        } else if (!isfinite(safetensors_number(x, i))) {
            return err_set(e, ERR_FORMAT, path, "`%s` is %g; expected a finite number",
                           safetensors_place(at, x, i), safetensors_number(x, i));
        }
    }
    return 0;
}

/* ---- layouts ----------------------------------------------------------------------------------*/
static int check_layout(const struct prediction *p, const struct layout *l, struct err *e)
{
    const struct space *space = space_of(&p->task->space);
    struct layout trained;
    struct arena arena;
    struct err cause = {0};
    int code = arena_open(&arena, 0, e);
    if (!code)
        code = space->layout(&p->task->space, (int)p->task->space.length, &arena, &trained, e);
    if (!code)
        code = model_check(&p->task->model, &p->io, &trained, l, &cause);
    arena_close(&arena);
    if (cause.code == ERR_USAGE) /* of a spec's key, and here there is a tensor */
        return err_set(e, ERR_FORMAT, p->input, "tensor `x` has %d positions: %s", l->n, cause.msg);
    return cause.code ? err_pass(e, &cause) : code;
}

/* One layout for all samples, or as many of its first positions as each has. */
static int lay_out_alike(struct prediction *p, struct err *e)
{
    struct samples *s = &p->samples;
    const struct space_config *c = &p->task->space;
    struct layout *l = arena_alloc(&s->arena, p->lengths ? p->batch + 1 : 1, sizeof *l, e);
    if (!l)
        return ERR_MEMORY;
    if (p->lengths && !prefix_takes_lengths(&p->task->model))
        return err_set(e, ERR_FORMAT, p->input, "tensor `lengths`: the cell's registers stand before "
                       "samples of one length; expected `x` alone");
    int code = space_of(c)->layout(c, (int)p->n, &s->arena, l, e);
    if (!code && (size_t)l->n != p->n)
        return err_set(e, ERR_FORMAT, p->input, "tensor `x` has %zu positions; the cell's space has "
                       "%d", p->n, l->n);
    for (size_t k = 0; k < p->batch && !code; k++) {
        if (p->lengths)
            l[k + 1] = layout_shorter(l, (int)length_of(p, k, p->n));
        samples_add(s, p->lengths ? &l[k + 1] : l, PATTERN_GENERIC);
    }
    return code ? code : check_layout(p, l, e);
}

/* ---- positions that are given -----------------------------------------------------------------*/
/* Checks the tensor's type and shape, and that the cell goes by places at all. */
static int check_positions(const struct prediction *p, const struct safetensor *t, struct err *e)
{
    bool alike = t->rank == 1, apart = t->rank == 2 && t->shape[0] == (int64_t)p->batch;
    bool whole = t->type == SAFETENSORS_I32 || t->type == SAFETENSORS_I64;
    if (!whole || (!alike && !apart) || t->shape[t->rank - 1] != (int64_t)p->n)
        return err_set(e, ERR_FORMAT, p->input, "tensor `position_ids` is %s of %d dimensions; expected I32 or "
                       "I64 [n], or [batch,n]", safetensors_type_name(t->type), t->rank);
    if (model_before(&p->task->model) || model_convolves(&p->task->model))
        return err_set(e, ERR_FORMAT, p->input, "tensor `position_ids`: the cell's %s goes along a line of "
                       "neighbours; expected `x` alone",
                       model_before(&p->task->model) ? "prefix" : "convolution");
    return 0;
}

static size_t first_place(const struct prediction *p, const struct safetensor *t, size_t k)
{
    return t->rank == 1 ? 0 : k * p->n;
}

/* How many places the line has on which all samples stand. */
static int line_of(const struct prediction *p, const struct safetensor *t)
{
    int64_t most = 0;
    for (size_t k = 0; k < p->batch; k++)
        for (size_t i = 0; i < length_of(p, k, p->n); i++) {
            int64_t at = safetensors_whole(t, first_place(p, t, k) + i);
            most = at > most ? at : most;
        }
    return most < INT32_MAX ? (int)most + 1 : INT32_MAX;
}

/* "edges[3]", or "edges" where all samples share it. */
static const char *part_of(char out[SAFETENSORS_PLACE], const struct safetensor *t, size_t k, bool apart)
{
    snprintf(out, SAFETENSORS_PLACE, apart ? "%.64s[%zu]" : "%.64s", t->name, k);
    return out;
}

/* Sample k's layout, of its length. */
static int place_sample(struct prediction *p, const struct safetensor *t, size_t k, int line,
                        struct layout *l, struct err *e)
{
    struct arena *a = &p->samples.arena;
    size_t n = length_of(p, k, p->n), from = first_place(p, t, k);
    int32_t *place = arena_alloc(a, n, sizeof *place, e);
    struct err cause = {0};
    char part[SAFETENSORS_PLACE];
    if (!place)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        int64_t at = safetensors_whole(t, from + i);
        place[i] = at < 0 || at > INT32_MAX ? -1 : (int32_t)at;
    }
    int code = space_of(&p->task->space)->placed(&p->task->space, (int)n, place, line, a, l, &cause);
    if (code)
        return err_set(e, code, p->input, "`%s`: %s", part_of(part, t, k, t->rank == 2), cause.msg);
    return check_layout(p, l, e);
}

static int lay_out_placed(struct prediction *p, const struct safetensor *t, struct err *e)
{
    struct samples *s = &p->samples;
    int code = check_positions(p, t, e);
    struct layout *l = code ? NULL : arena_alloc(&s->arena, p->batch, sizeof *l, e);
    int line = code ? 0 : line_of(p, t);
    for (size_t k = 0; k < p->batch && !code; k++) {
        code = l ? place_sample(p, t, k, line, &l[k], e) : ERR_MEMORY;
        if (!code)
            samples_add(s, &l[k], PATTERN_GENERIC);
    }
    return code;
}

/* The tensor of pairs: [pairs,2] for all samples, or [batch,pairs,2], short lists filled up with
 * pairs of -1. */
static int find_pairs(const struct prediction *p, const struct safetensor **out, struct err *e)
{
    const char *name = space_of(&p->task->space)->pair_name;
    const struct safetensor *t = safetensors_find(p->file, name);
    *out = t;
    if (!t)
        return err_set(e, ERR_FORMAT, p->input, "there is no tensor `%s`, and samples of space %s "
                       "have layouts of their own; expected I32 or I64 [%s,2] for all samples, or "
                       "[batch,%s,2], filled up with -1", name, space_of(&p->task->space)->name,
                       name, name);
    bool alike = t->rank == 2, apart = t->rank == 3 && t->shape[0] == (int64_t)p->batch;
    bool whole = t->type == SAFETENSORS_I32 || t->type == SAFETENSORS_I64;
    if (!whole || (!alike && !apart) || t->shape[t->rank - 1] != 2)
        return err_set(e, ERR_FORMAT, p->input, "tensor `%s` is %s of %d dimensions; expected I32 "
                       "or I64 [%s,2], or [batch,%s,2]", name, safetensors_type_name(t->type), t->rank,
                       name, name);
    return 0;
}

/* Pairs (pairs,2) of sample k as they are, -1 at the end too. */
static int read_pairs(const struct prediction *p, const struct safetensor *t, size_t k,
                      int32_t *pair, struct err *e)
{
    char at[SAFETENSORS_PLACE];
    size_t each = 2 * (size_t)t->shape[t->rank - 2];
    for (size_t i = 0; i < each; i++) {
        int64_t node = safetensors_whole(t, k * each + i);
        if (node < -1 || node > INT32_MAX)
            return err_set(e, ERR_FORMAT, p->input, "`%s` is %lld; expected a position from 0 to %zu",
                           safetensors_place(at, t, k * each + i), (long long)node, p->n - 1);
        pair[i] = (int32_t)node;
    }
    return 0;
}

static int lay_out_given(struct prediction *p, struct err *e)
{
    struct samples *s = &p->samples;
    const struct space_config *c = &p->task->space;
    const struct safetensor *t;
    int code = find_pairs(p, &t, e);
    size_t layouts = code || t->rank == 2 ? 1 : p->batch;
    struct layout *l = arena_alloc(&s->arena, layouts, sizeof *l, e);
    int32_t *pair = code ? NULL
                         : arena_alloc(&s->arena, (size_t)t->shape[t->rank - 2], 2 * sizeof *pair, e);
    if (code || !l || !pair)
        return code ? code : ERR_MEMORY;
    for (size_t k = 0; k < layouts && !code; k++) {
        int64_t pairs = t->shape[t->rank - 2];
        code = read_pairs(p, t, k, pair, e);
        if (code)
            return code;
        while (t->rank == 3 && pairs > 0 && pair[2 * pairs - 2] == -1 && pair[2 * pairs - 1] == -1)
            pairs--;
        struct err cause = {0};
        char part[SAFETENSORS_PLACE];
        code = space_of(c)->given(c, (int)p->n, pair, pairs, &s->arena, &l[k], &cause);
        if (code)
            return err_set(e, code, p->input, "`%s`: %s", part_of(part, t, k, t->rank == 3), cause.msg);
        code = check_layout(p, &l[k], e);
    }
    for (size_t k = 0; k < p->batch && !code; k++)
        samples_add(s, &l[layouts == 1 ? 0 : k], PATTERN_GENERIC);
    return code;
}

static int lay_out(struct prediction *p, struct err *e)
{
    const struct space *space = space_of(&p->task->space);
    const struct safetensor *places = safetensors_find(p->file, "position_ids");
    if (space->given)
        return lay_out_given(p, e);
    if (places)
        return lay_out_placed(p, places, e);
    if (space_draws(&p->task->space))
        return err_set(e, ERR_FORMAT, p->input, "there is no tensor `position_ids`, and the cell's positions "
                       "are drawn; expected I32 or I64 [n] for all samples, or [batch,n]");
    return lay_out_alike(p, e);
}

static void take_sample(struct prediction *p, const struct safetensor *x, size_t k)
{
    struct samples *s = &p->samples;
    size_t each = s->channels ? (size_t)s->channels : 1, from = k * p->n * each;
    size_t to = (size_t)s->first[k] * each, end = (size_t)s->first[k + 1] * each;
    for (; to < end; to++, from++)
        if (s->channels)
            s->x[to] = safetensors_number(x, from);
        else
            s->token[to] = (int32_t)safetensors_whole(x, from);
}

static int fill_samples(struct prediction *p, const struct safetensor *x, struct err *e)
{
    struct samples *s = &p->samples;
    p->batch = (size_t)x->shape[0];
    p->n = (size_t)x->shape[1];
    int code = arena_open(&s->arena, 0, e);
    if (!code)
        code = samples_reserve(s, (int)p->batch, (int)p->n, &p->io, false, e);
    if (!code)
        code = lay_out(p, e);
    for (size_t k = 0; k < p->batch && !code; k++)
        take_sample(p, x, k);
    return code;
}

/* Weights that have diverged, or are not those of a trained network, give NaN. */
static int check_outputs(const struct prediction *p, struct err *e)
{
    for (size_t k = 0; k < p->batch; k++) {
        const double *y = p->y + (size_t)p->samples.first[k] * p->outputs;
        size_t rows = p->pooled ? 1 : length_of(p, k, p->n);
        for (size_t i = 0; i < rows * p->outputs; i++)
            if (!isfinite(y[i]))
                return err_set(e, ERR_FORMAT, "", "the network's outputs y[%zu] are not finite; nothing was "
                               "written", k);
    }
    return 0;
}

/* From packed samples to n rows each, zeros behind a shorter one; from the last to the first, since rows
 * only move back.  Pooled: to one row each, from the first to the last. */
static void unpack_outputs(const struct prediction *p)
{
    const int *first = p->samples.first;
    size_t row = p->outputs * sizeof *p->y;
    for (size_t k = 0; k < p->batch && p->pooled; k++)
        memmove(p->y + k * p->outputs, p->y + (size_t)first[k] * p->outputs, row);
    for (size_t k = p->batch; k-- > 0 && !p->pooled;) {
        size_t rows = (size_t)(first[k + 1] - first[k]);
        double *to = p->y + k * p->n * p->outputs;
        memmove(to, p->y + (size_t)first[k] * p->outputs, rows * row);
        memset(to + rows * p->outputs, 0, (p->n - rows) * row);
    }
}

static void take_logits(void *context, int first, int rows, int labels, const double *logits)
{
    struct prediction *p = context;
    memcpy(p->y + (size_t)first * p->outputs, logits,
           (size_t)rows * (size_t)labels * sizeof *logits);
}

/* y back in the model's precision, which holds it exactly. */
static int write_outputs(const struct prediction *p, const char *path, struct err *e)
{
    size_t count = p->batch * (p->pooled ? 1 : p->n) * p->outputs;
    float *narrow = NULL;
    struct safetensor y = {.name = "y", .type = p->type, .rank = 3, .count = count, .data = p->y,
                           .shape = {(int64_t)p->batch, (int64_t)p->n, (int64_t)p->outputs}};
    unpack_outputs(p);
    if (p->pooled) {
        y.rank = 2;
        y.shape[1] = (int64_t)p->outputs;
    }
    if (p->type == SAFETENSORS_F32) {
        narrow = memory_alloc(count, sizeof *narrow, e);
        if (!narrow)
            return ERR_MEMORY;
        for (size_t i = 0; i < count; i++)
            narrow[i] = (float)p->y[i];
        y.data = narrow;
    }
    int code = safetensors_write(path, &y, 1, NULL, e);
    memory_free(narrow);
    return code;
}

static int run_model(struct prediction *p, struct pool *pool, const char *folder, struct err *e)
{
    struct network *x = &p->network;
    size_t count;
    p->outputs = (size_t)model_io_outputs(&p->io);
    p->pooled = p->task->model.pool != MODEL_POOL_NONE;
    if (!memory_multiply(p->batch * p->n, p->outputs, &count))
        return err_set(e, ERR_MEMORY, "", "the outputs do not fit in memory");
    p->y = memory_alloc(count, sizeof *p->y, e);
    if (!p->y)
        return ERR_MEMORY;
    int code = network_open(x, p->task, pool, e);
    if (!code)
        code = network_import(x, folder, e);
    return code ? code : x->api->outputs(x->trainer, &p->samples, p->y, take_logits, p, e);
}

int cell_open(struct spec **spec, const char *folder, struct err *e)
{
    char path[FILE_PATH_MAX];
    int code = file_check_folder(folder, "a cell's folder, one under cells/,", e);
    code = code ? code : file_join(path, sizeof path, folder, "spec.yaml", e);
    if (!code && !file_exists(path))
        code = err_set(e, ERR_USAGE, folder, "this is no finished cell: there is no spec.yaml; "
                       "expected a folder under cells/");
    code = code ? code : spec_open_kept(spec, path, e);
    if (!code && spec_cells(*spec) != 1)
        code = err_set(e, ERR_USAGE, path, "%d cells; expected one, in a folder under cells/",
                       spec_cells(*spec));
    return code;
}

/* ---- attention --------------------------------------------------------------------------------*/
struct maps {
    int layers, heads;
    size_t n;
    float *weights, *sums; /* (batch,layers,heads,n,n), (batch,layers,heads,n) */
};

static void take_map(void *context, int sample, int layer, int n, const double *weights,
                     const double *sums)
{
    struct maps *m = context;
    size_t first = ((size_t)sample * (size_t)m->layers + (size_t)layer) * (size_t)m->heads * m->n;
    size_t own = (size_t)n, rows = (size_t)m->heads * own;
    for (size_t r = 0; r < rows; r++) {
        size_t to = first + r / own * m->n + r % own;
        m->sums[to] = (float)sums[r];
        for (size_t j = 0; j < own; j++)
            m->weights[to * m->n + j] = (float)weights[r * own + j];
    }
}

static int write_attention(struct prediction *p, const char *path, struct err *e)
{
    const struct model_config *c = &p->task->model;
    struct maps m = {.layers = (int)c->layers, .heads = (int)c->heads,
                     .n = p->n + (size_t)model_before(c)};
    size_t rows = p->batch * (size_t)m.layers * (size_t)m.heads * m.n, count;
    if (!memory_multiply(rows, m.n * sizeof(float), &count) || count > INPUT_LIMIT)
        return err_set(e, ERR_MEMORY, path, "attention of %zu samples is more than %d bytes; expected "
                       "fewer of them", p->batch, INPUT_LIMIT);
    m.weights = memory_alloc(rows, m.n * sizeof *m.weights, e);
    m.sums = memory_alloc(rows, sizeof *m.sums, e);
    int code = m.weights && m.sums ? p->network.api->attention(p->network.trainer, &p->samples,
                                                               take_map, &m, e)
                                   : ERR_MEMORY;
    int64_t batch = (int64_t)p->batch, n = (int64_t)m.n;
    const struct safetensor item[] = {
        {.name = "weights", .type = SAFETENSORS_F32, .rank = 5, .count = rows * m.n,
         .data = m.weights, .shape = {batch, m.layers, m.heads, n, n}},
        {.name = "row_sums", .type = SAFETENSORS_F32, .rank = 4, .count = rows, .data = m.sums,
         .shape = {batch, m.layers, m.heads, n}}};
    if (!code)
        code = safetensors_write(path, item, 2, NULL, e);
    memory_free(m.weights);
    memory_free(m.sums);
    return code;
}

int predict_cell(const char *folder, const char *input, const char *output, const char *attention,
                 struct err *e)
{
    struct spec *spec = NULL;
    struct pool *pool = NULL;
    struct safetensors file = {0};
    struct prediction p = {0};
    int code = cell_open(&spec, folder, e);
    if (!code)
        code = file_check_write(output, e);
    if (!code && attention)
        code = file_check_write(attention, e);
    if (!code)
        code = safetensors_read(input, INPUT_LIMIT, &file, e);
    if (code)
        goto out;
    p.task = &spec_cell(spec, 0)->task;
    p.input = input;
    p.file = &file;
    p.io = task_io(p.task);
    p.type = p.task->model.precision == MODEL_DOUBLE ? SAFETENSORS_F64 : SAFETENSORS_F32;
    const struct safetensor *x = safetensors_find(&file, "x");
    code = check_shape(&p, input, x, e);
    if (!code)
        code = check_names(&p, e);
    if (!code)
        code = check_lengths(&p, x, e);
    if (!code)
        code = check_values(&p, input, x, e);
    if (!code)
        code = fill_samples(&p, x, e);
    if (!code)
        code = pool_open(&pool, 1, e);
    if (!code)
        code = run_model(&p, pool, folder, e);
    if (!code)
        code = check_outputs(&p, e);
    if (!code)
        code = write_outputs(&p, output, e);
    if (!code && attention)
        code = write_attention(&p, attention, e);
out:
    network_close(&p.network);
    memory_free(p.y);
    samples_close(&p.samples);
    safetensors_close(&file);
    pool_close(pool);
    spec_close(spec);
    return code;
}
