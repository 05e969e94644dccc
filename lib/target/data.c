/* data: samples of the user's own, from a safetensors file.
 *
 *   target: {kind: data, file: pairs.safetensors}
 *
 *   x       F32 or F64 [N,n,d], or symbols I32 or I64 [N,n]
 *   y       F32 or F64 [N,n,d'], or labels I32 or I64 [N,n]; one a sample: [N,d'], or [N]
 *   scored  [N,n], not 0 where a position counts; so does a label that is not -100
 *   split   [N], 0 training, 1 selection, 2 test
 *   lengths [N] positions that each sample has, on a line; what stands behind them is not looked at
 *   edges   I32 or I64 [N,edges,2], for graphs; short lists are filled up with -1
 *
 * Without `split` samples are cut in their order, or in an order shuffled by `seed`, as a text is
 * (text.c): training, selection, test.  Training draws samples anew for each batch; evaluation takes
 * those of the part that `evaluate` names, all of them or evenly spaced ones.
 * Invariant: a sample belongs to one part, so none is both trained on and evaluated. */
#include <math.h>
#include <string.h>

#include "base/named_file.h"
#include "base/safetensors.h"
#include "target/target.h"

/* As numbers; `file` is the first text. */
enum { DATA_FILE, DATA_SELECTION, DATA_TEST, DATA_EVALUATE, DATA_ORDER, DATA_SEED };
enum { PART_TRAINING, PART_SELECTION, PART_TEST, PARTS };
enum { ORDER_GIVEN, ORDER_SHUFFLED };
enum { POSITIONS_MAX = 65536, CHANNELS_MAX = 4096, SYMBOLS_MAX = 1000000 };
enum { NOT_COUNTED = -100 }; /* a label, as cross-entropy in PyTorch ignores it */

static const char *const evaluate_names[] = {"test", "selection", NULL};
static const char *const order_names[] = {"given", "shuffled", NULL};
static const char *const part_names[] = {"training", "selection", "test"};

static bool shuffled(const void *owner)
{
    return ((const struct kind_config *)owner)->number[DATA_ORDER] == ORDER_SHUFFLED;
}

static const struct option options[] = {
    {.key = "file", .type = OPTION_TEXT, .fallback = "", .file = true,
     .help = "safetensors: x [N,n,d] or symbols [N,n], y or labels; see experiments/own"},
    {.key = "selection", .type = OPTION_REAL, .min = 0, .max = 0.9, .fallback = "0.1",
     .help = "share of the samples before the test part; unused where the file has a split"},
    {.key = "test", .type = OPTION_REAL, .min = 0, .max = 0.9, .fallback = "0.1",
     .help = "share of the samples at the end; what comes before both shares is trained on"},
    {.key = "evaluate", .type = OPTION_CHOICE, .names = evaluate_names, .fallback = "test",
     .help = "the part that errors are measured on: choose settings by selection, report test"},
    {.key = "order", .type = OPTION_CHOICE, .names = order_names, .fallback = "given",
     .help = "what parts are cut from: samples as they come, or shuffled by seed"},
    {.key = "seed", .type = OPTION_INT, .min = 0, .max = 4294967295.0, .fallback = "0",
     .help = "which of the shuffled orders", .applies = shuffled},
    {.key = NULL},
};

/* ---- the file ---------------------------------------------------------------------------------*/

/* Tensors of the file; NULL where it has none. */
struct tensors {
    const char *path;
    const struct safetensor *x, *y, *scored, *split, *edges, *lengths;
};

static bool is_whole(const struct safetensor *t)
{
    return t->type != SAFETENSORS_F32 && t->type != SAFETENSORS_F64;
}

static const char *shape_text(char out[96], const struct safetensor *t)
{
    int used = snprintf(out, 96, "%s [", safetensors_type_name(t->type));
    for (int k = 0; k < t->rank && used < 70; k++)
        used += snprintf(out + used, 96 - (size_t)used, "%s%lld", k ? "," : "",
                         (long long)t->shape[k]);
    snprintf(out + used, 96 - (size_t)used, "]");
    return out;
}

static int refuse(const struct tensors *f, struct err *e, const struct safetensor *t,
                  const char *expected)
{
    char shape[96];
    return err_set(e, ERR_USAGE, "target.file", "%s: tensor `%s` is %s; expected %s", f->path,
                   t->name, shape_text(shape, t), expected);
}

/* Whole numbers from 0 to below `limit`, or `other`; *most is the largest. */
static int check_whole(const struct tensors *f, const struct safetensor *t, double limit,
                       double other, double *most, bool *others, struct err *e)
{
    char at[SAFETENSORS_PLACE];
    *most = -1;
    *others = false;
    for (size_t i = 0; i < t->count; i++) {
        double v = safetensors_number(t, i);
        if (v == other && other < 0) {
            *others = true;
            continue;
        }
        if (!(v >= 0 && v < limit && v == floor(v)))
            return err_set(e, ERR_USAGE, "target.file", "%s: %s is %.9g; expected a whole number "
                           "from 0 to %.0f", f->path, safetensors_place(at, t, i), v, limit - 1);
        *most = v > *most ? v : *most;
    }
    return 0;
}

static int check_finite(const struct tensors *f, const struct safetensor *t, struct err *e)
{
    char at[SAFETENSORS_PLACE];
    for (size_t i = 0; i < t->count; i++)
        if (!isfinite((float)safetensors_number(t, i)))
            return err_set(e, ERR_USAGE, "target.file", "%s: %s is %g; expected a finite number that "
                           "float holds", f->path, safetensors_place(at, t, i), safetensors_number(t, i));
    return 0;
}

static int find_tensors(struct tensors *f, const struct safetensors *s, struct err *e)
{
    static const char *const names[] = {"x", "y", "scored", "split", "edges", "lengths"};
    const struct safetensor **const slot[] = {&f->x,     &f->y,     &f->scored,
                                              &f->split, &f->edges, &f->lengths};
    for (int k = 0; k < s->count; k++) {
        size_t which = 0;
        while (which < 6 && strcmp(names[which], s->item[k].name) != 0)
            which++;
        if (which == 6)
            return err_set(e, ERR_USAGE, "target.file", "%s: tensor `%.80s` would not be used; "
                           "expected x, y and, if need be, scored, split, edges, lengths", f->path,
                           s->item[k].name);
        *slot[which] = &s->item[k];
    }
    if (!f->x || !f->y)
        return err_set(e, ERR_USAGE, "target.file", "%s: there is no tensor `%s`; expected x [N,n,d] "
                       "or symbols [N,n], and y [N,n,d'] or labels [N,n], or one y a sample", f->path,
                       f->x ? "y" : "x");
    return 0;
}

static int check_x(const struct tensors *f, struct target_form *form, struct err *e)
{
    const struct safetensor *x = f->x;
    double most;
    bool others;
    form->tokens = is_whole(x);
    if (x->rank != (form->tokens ? 2 : 3))
        return refuse(f, e, x, "numbers F32 [N,n,d] or symbols I32 [N,n]");
    if (x->count == 0 || x->shape[0] > INT32_MAX || x->shape[1] > POSITIONS_MAX ||
        (x->rank == 3 && x->shape[2] > CHANNELS_MAX))
        return refuse(f, e, x, "at least one sample of 1 to 65536 positions and at most 4096 channels");
    form->n = (int)x->shape[1];
    if (!form->tokens) {
        form->channels = (int)x->shape[2];
        return check_finite(f, x, e);
    }
    int code = check_whole(f, x, SYMBOLS_MAX, 0, &most, &others, e);
    form->symbols = most < 1 ? 2 : (int)most + 1;
    return code;
}

static int check_y(const struct tensors *f, struct target_form *form, struct err *e)
{
    const struct safetensor *y = f->y;
    double most;
    bool others;
    form->labels = is_whole(y);
    int each = form->labels ? 2 : 3; /* dimensions with an output at each position */
    form->pooled = y->rank == each - 1;
    bool fits = (y->rank == each || form->pooled) && y->shape[0] == f->x->shape[0] &&
                (form->pooled || y->shape[1] == form->n);
    if (!fits)
        return refuse(f, e, y, "numbers [N,n,d'] or labels [N,n], as many samples and positions as x, "
                               "or one a sample: [N,d'] or [N]");
    if (y->count == 0 || (!form->labels && y->shape[y->rank - 1] > CHANNELS_MAX))
        return refuse(f, e, y, "1 to 4096 channels");
    if (!form->labels) {
        form->outputs = (int)y->shape[y->rank - 1];
        return check_finite(f, y, e);
    }
    int code = check_whole(f, y, SYMBOLS_MAX, NOT_COUNTED, &most, &others, e);
    form->classes = most < 1 ? 2 : (int)most + 1;
    form->partial = others;
    return code;
}

static int check_others(const struct tensors *f, struct target_form *form, struct err *e)
{
    int64_t samples = f->x->shape[0];
    double most;
    bool others;
    const struct safetensor *s = f->scored, *p = f->split, *g = f->edges, *l = f->lengths;
    if (s && (form->pooled || s->rank != 2 || s->shape[0] != samples || s->shape[1] != form->n))
        return refuse(f, e, s, form->pooled ? "none, with one y a sample" : "[N,n], as x has them");
    if (p && (!is_whole(p) || p->rank != 1 || p->shape[0] != samples))
        return refuse(f, e, p, "whole numbers [N]: 0 training, 1 selection, 2 test");
    if (g && (!is_whole(g) || g->rank != 3 || g->shape[0] != samples || g->shape[2] != 2))
        return refuse(f, e, g, "whole numbers [N,edges,2]");
    if (l && (!is_whole(l) || l->rank != 1 || l->shape[0] != samples || g))
        return refuse(f, e, l, g ? "none, beside edges" : "whole numbers [N], positions of each sample");
    form->partial |= s || form->pooled;
    form->lengths = l;
    form->edges = g;
    int code = p ? check_whole(f, p, PARTS, 0, &most, &others, e) : 0;
    for (size_t k = 0; l && k < l->count && !code; k++)
        if (!(safetensors_whole(l, k) >= 1 && safetensors_whole(l, k) <= form->n))
            code = err_set(e, ERR_USAGE, "target.file", "%s: lengths[%zu] is %lld; expected 1 to %d",
                           f->path, k, (long long)safetensors_whole(l, k), form->n);
    return code || !g ? code : check_whole(f, g, form->n, -1, &most, &others, e);
}

static int read_form(const char *path, const struct safetensors *s, struct tensors *f,
                     struct target_form *form, struct err *e)
{
    *f = (struct tensors){.path = path};
    *form = (struct target_form){0};
    int code = find_tensors(f, s, e);
    if (!code)
        code = check_x(f, form, e);
    if (!code)
        code = check_y(f, form, e);
    return code ? code : check_others(f, form, e);
}

static int open_file(const char *file, struct safetensors *s, struct err *e)
{
    char *bytes = NULL;
    size_t size;
    struct err cause = {0};
    int code = named_file_read(file, &bytes, &size, e);
    if (code)
        return code;
    code = safetensors_parse(named_file_path(file), bytes, size, s, &cause);
    return code == ERR_FORMAT ? err_set(e, ERR_USAGE, "target.file", "%s: %s", named_file_path(file),
                                        cause.msg)
                              : err_pass(e, &cause);
}

static void data_form(const struct target_config *c, struct target_form *out)
{
    *out = c->found;
}

/* ---- parts ------------------------------------------------------------------------------------*/

struct part {
    int32_t *index; /* (count) of samples */
    int64_t count;
};

struct data_state {
    struct target_form form;
    struct safetensor x, y, scored, edges, lengths; /* rank 0: there is none; edges are I32 */
    struct part training, evaluation;
};

/* `to` becomes a copy in the arena. */
static void keep(struct safetensor *to, const struct safetensor *from, struct arena *arena,
                 struct err *e)
{
    if (!from)
        return;
    void *copy = arena_alloc(arena, from->count, safetensors_type_size(from->type), e);
    *to = *from;
    to->data = copy;
    if (copy)
        memcpy(copy, from->data, from->count * safetensors_type_size(from->type));
}

static void keep_edges(struct safetensor *to, const struct safetensor *from, struct arena *arena,
                       struct err *e)
{
    if (!from)
        return;
    int32_t *copy = arena_alloc(arena, from->count, sizeof *copy, e);
    *to = *from;
    to->type = SAFETENSORS_I32;
    to->data = copy;
    for (size_t i = 0; i < from->count && copy; i++)
        copy[i] = (int32_t)safetensors_number(from, i);
}

/* The order that parts are cut from. */
static void lay_order(const struct target_config *c, int32_t *order, int64_t count)
{
    struct stream random;
    for (int64_t k = 0; k < count; k++)
        order[k] = (int32_t)k;
    if (!shuffled(&c->kind))
        return;
    stream_open(&random, (uint64_t)c->kind.number[DATA_SEED], "target.data", 0);
    for (int64_t k = count - 1; k > 0; k--) {
        int64_t other = (int64_t)stream_below(&random, (uint64_t)k + 1);
        int32_t kept = order[k];
        order[k] = order[other];
        order[other] = kept;
    }
}

/* The part of the sample that comes at `place` of `count`. */
static int part_of(const struct target_config *c, const struct safetensor *split, int32_t sample,
                   int64_t at, int64_t count)
{
    int64_t test = (int64_t)(c->kind.number[DATA_TEST] * (double)count);
    int64_t selection = (int64_t)(c->kind.number[DATA_SELECTION] * (double)count);
    if (split)
        return (int)safetensors_number(split, (size_t)sample);
    return at >= count - test ? PART_TEST : at >= count - test - selection ? PART_SELECTION
                                                                           : PART_TRAINING;
}

static int evaluated_part(const struct target_config *c)
{
    return c->kind.number[DATA_EVALUATE] == 1 ? PART_SELECTION : PART_TEST;
}

/* The parts that are needed have samples. */
static int check_parts(struct target_config *c, const struct tensors *f, struct err *e)
{
    int64_t in[PARTS] = {0}, count = f->x->shape[0];
    for (int64_t k = 0; k < count; k++) /* whatever the order, as many */
        in[part_of(c, f->split, (int32_t)k, k, count)]++;
    c->found.samples = in[evaluated_part(c)];
    int empty = !in[PART_TRAINING] ? PART_TRAINING : !in[evaluated_part(c)] ? evaluated_part(c) : PARTS;
    if (empty == PARTS)
        return 0;
    return err_set(e, ERR_USAGE, "target.file", "%s: the %s part has none of the %lld samples; "
                   "expected at least one: more samples, another share or another split", f->path,
                   part_names[empty], (long long)count);
}

static int data_finish(struct target_config *c, struct err *e)
{
    const char *file = c->kind.text[0].text;
    struct safetensors s = {0};
    struct tensors f;
    if (!*file)
        return err_set(e, ERR_USAGE, "target.kind", "target 'data' has no samples; expected {kind: "
                       "data, file: F.safetensors}");
    int code = open_file(file, &s, e);
    if (!code)
        code = read_form(named_file_path(file), &s, &f, &c->found, e);
    if (!code)
        code = check_parts(c, &f, e);
    safetensors_close(&s);
    return code;
}

static int cut(const struct target_config *c, const struct safetensor *split, int64_t count,
               struct data_state *s, struct arena *arena, struct err *e)
{
    size_t samples = (size_t)count;
    int32_t *order = memory_alloc(samples, sizeof *order, e);
    s->training.index = arena_alloc(arena, samples, sizeof *s->training.index, e);
    s->evaluation.index = arena_alloc(arena, samples, sizeof *s->evaluation.index, e);
    if (!order || arena_check(arena)) {
        memory_free(order);
        return ERR_MEMORY;
    }
    lay_order(c, order, count);
    for (int64_t k = 0; k < count; k++) {
        int part = part_of(c, split, order[k], k, count);
        if (part == PART_TRAINING)
            s->training.index[s->training.count++] = order[k];
        else if (part == evaluated_part(c))
            s->evaluation.index[s->evaluation.count++] = order[k];
    }
    memory_free(order);
    return 0;
}

static int data_open(const struct target_config *c, const struct space_config *space, int n,
                     struct arena *arena, void **state, struct err *e)
{
    const char *file = c->kind.text[0].text;
    struct safetensors parsed = {0};
    struct tensors f;
    struct target_form form;
    size_t size;
    if (arena->measuring) { /* the file's tensors, and at most an index of 4 bytes for 4 of x, twice */
        int code = named_file_size(file, &size, e);
        arena_alloc(arena, code ? 0 : size, 3, e);
        *state = NULL;
        return code;
    }
    struct data_state *s = arena_alloc(arena, 1, sizeof *s, e);
    int code = s ? open_file(file, &parsed, e) : ERR_MEMORY;
    if (!code)
        code = read_form(named_file_path(file), &parsed, &f, &form, e);
    if (!code) {
        s->form = form;
        keep(&s->x, f.x, arena, e);
        keep(&s->y, f.y, arena, e);
        keep(&s->scored, f.scored, arena, e);
        keep(&s->lengths, f.lengths, arena, e);
        keep_edges(&s->edges, f.edges, arena, e);
        code = arena_check(arena);
    }
    if (!code)
        code = cut(c, f.split, f.x->shape[0], s, arena, e);
    safetensors_close(&parsed);
    *state = code ? NULL : s;
    return code;
}

static int check_sizes(const struct target_config *c, const struct space_config *s, struct err *e)
{
    const struct target_form *f = &c->found;
    int64_t n = space_positions(s);
    if (f->n != n)
        return err_set(e, ERR_USAGE, space_of(s)->positions ? "space.kind" : "space.length",
                       "samples of %s have %d positions, not %lld; expected %s %d",
                       named_file_path(c->kind.text[0].text), f->n, (long long)n,
                       space_of(s)->positions ? "a space of" : "space.length:", f->n);
    if (!f->tokens && f->channels != s->channels)
        return err_set(e, ERR_USAGE, "space.channels", "inputs of %s have %d channels, not %lld; "
                       "expected space.channels: %d", named_file_path(c->kind.text[0].text),
                       f->channels, (long long)s->channels, f->channels);
    return 0;
}

static int data_check(const struct target_config *c, const struct space_config *s, struct err *e)
{
    int code = check_sizes(c, s, e);
    if (!code && c->found.lengths && (space_of(s)->axes != 1 || space_of(s)->positions))
        code = err_set(e, ERR_USAGE, "target.file", "%s has a tensor `lengths`, and samples of space "
                       "'%s' have one size; expected space 'sequence'",
                       named_file_path(c->kind.text[0].text), space_of(s)->name);
    bool given = space_of(s)->given, edges = c->found.edges;
    if (code || given == edges)
        return code;
    return err_set(e, ERR_USAGE, "target.file", "%s has %s tensor `edges`, and space '%s' %s; "
                   "expected %s", named_file_path(c->kind.text[0].text), edges ? "a" : "no",
                   space_of(s)->name, edges ? "has no use for it" : "needs it",
                   edges ? "space 'graph'" : "edges [N,edges,2]");
}

/* ---- samples ----------------------------------------------------------------------------------*/

static int64_t data_pick(const void *state, struct stream *random, uint64_t number, uint64_t count)
{
    const struct data_state *s = state;
    const struct part *p = count ? &s->evaluation : &s->training;
    uint64_t all = (uint64_t)p->count;
    uint64_t at = count ? number * all / count : stream_below(random, all);
    return p->index[at];
}

static int64_t data_available(const void *state)
{
    return ((const struct data_state *)state)->evaluation.count;
}

/* The first `count` of the `each` numbers that a sample has. */
static void take_numbers(const struct safetensor *t, int64_t index, size_t each, size_t count,
                         double *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = safetensors_number(t, (size_t)index * each + i);
}

static void data_take(const void *state, int64_t index, const struct target_rows *out)
{
    const struct data_state *s = state;
    size_t n = (size_t)s->form.n, own = (size_t)out->n, each = s->form.pooled ? 1 : n;
    size_t outputs = s->form.pooled ? 1 : own;
    if (out->x)
        take_numbers(&s->x, index, n * (size_t)s->form.channels, own * (size_t)s->form.channels, out->x);
    for (size_t i = 0; i < own && out->token; i++)
        out->token[i] = (int32_t)safetensors_whole(&s->x, (size_t)index * n + i);
    if (out->y)
        take_numbers(&s->y, index, each * (size_t)s->form.outputs, outputs * (size_t)s->form.outputs,
                     out->y);
    for (size_t i = 0; i < outputs; i++) {
        double label = out->label ? safetensors_number(&s->y, (size_t)index * each + i) : 0;
        bool counts = label >= 0 && !(s->scored.rank && safetensors_number(&s->scored, (size_t)index * n + i) == 0);
        if (out->label)
            out->label[i] = label >= 0 ? (int32_t)label : 0;
        if (out->counts)
            out->counts[i] = counts;
    }
}

static const int32_t *data_pairs(const void *state, int64_t index, int64_t *pairs)
{
    const struct data_state *s = state;
    const struct safetensor *t = &s->edges;
    size_t each = 2 * (size_t)t->shape[1];
    const int32_t *pair = (const int32_t *)t->data + (size_t)index * each;
    *pairs = t->shape[1];
    while (*pairs && pair[2 * *pairs - 2] == -1 && pair[2 * *pairs - 1] == -1)
        --*pairs;
    return pair;
}

static int data_length(const void *state, int64_t index)
{
    const struct data_state *s = state;
    return s->lengths.rank ? (int)safetensors_whole(&s->lengths, (size_t)index) : s->form.n;
}

static int data_symbols(const struct target_config *c)
{
    return c->found.symbols;
}

static int data_labels(const struct target_config *c, int n)
{
    return c->found.classes;
}

const struct target target_data = {
    .name = "data",
    .formula = "x and y are those of a file",
    .summary = "samples of the user's own: x numbers or symbols, y numbers or labels, at every "
               "position or one a sample (model.pool)",
    .options = options,
    .form = data_form,
    .finish = data_finish,
    .check = data_check,
    .open = data_open,
    .pick = data_pick,
    .available = data_available,
    .take = data_take,
    .pairs = data_pairs,
    .length = data_length,
    .symbols = data_symbols,
    .labels = data_labels,
};
