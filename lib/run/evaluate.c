/* The evaluation of a cell at one length (evaluate.h): the set, its subsets, merged rows and floors,
 * which do not depend on weights and are computed once. */
#include "run/evaluation.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "run/orbits.h"

/* ---- opening ----------------------------------------------------------------------------------*/

/* The rows whose sample has this pattern; a subset is added when there are any. */
static int add_subset(struct evaluation *ev, int pattern, struct err *e)
{
    struct subset *s = &ev->subset[ev->subsets];
    unsigned char *mask = arena_alloc(&ev->arena, (size_t)ev->rows, 1, e);
    if (!mask)
        return e->code;
    int rows = 0;
    for (int b = 0; b < ev->set.count; b++) {
        if (ev->set.pattern[b] != pattern)
            continue;
        for (int r = ev->set.first[b]; r < ev->set.first[b + 1]; r++)
            rows += mask[r] = counts(ev, r);
    }
    if (rows == 0)
        return 0;
    *s = (struct subset){.name = pattern_table[pattern]->name, .pattern = pattern, .mask = mask,
                         .rows = rows};
    ev->subsets++;
    return 0;
}

static int open_subsets(struct evaluation *ev, struct err *e)
{
    ev->subset[0] = (struct subset){.name = "all", .pattern = -1, .mask = ev->set.counts};
    for (int r = 0; r < ev->rows; r++)
        ev->subset[0].rows += counts(ev, r);
    if (!ev->subset[0].rows)
        return err_set(e, ERR_USAGE, "target", "no position of the evaluation set counts; expected "
                       "at least one");
    ev->subsets = 1;
    for (int p = 0; p < pattern_count(); p++) {
        int code = add_subset(ev, p, e);
        if (code)
            return code;
    }
    return 0;
}

/* One subset, the scored rows. */
static int open_shared(struct evaluation *ev, const char *name, struct err *e)
{
    unsigned char *mask = arena_alloc(&ev->arena, (size_t)ev->rows, 1, e);
    if (!mask)
        return e->code;
    int rows = 0;
    for (int b = 0; b < ev->set.count; b++) {
        int row = ev->set.first[b] + ev->set.scored[b];
        rows += mask[row] = counts(ev, row);
    }
    ev->subset[0] = (struct subset){.name = name, .pattern = -1, .mask = mask, .rows = rows};
    ev->subsets = rows > 0;
    return 0;
}

int evaluation_merge_depth(const struct task *t, const struct samples *s, struct model_groups *g,
                           struct err *e)
{
    struct arena arena;
    struct layout trained;
    struct floor_set set = {.count = s->count,
                            .first = s->first,
                            .layout = (const struct layout *const *)s->layout,
                            .channels = s->channels,
                            .x = s->x,
                            .token = s->token};
    int code = arena_open(&arena, 0, e);
    if (!code)
        code = space_of(&t->space)->layout(&t->space, (int)t->space.length, &arena, &trained, e);
    if (!code)
        code = model_merge_depth(&t->model, &trained, &set, g, e);
    arena_close(&arena);
    return code;
}

int evaluation_merge(const struct task *t, const struct samples *s, int32_t *group, int *groups,
                     struct err *e)
{
    struct model_groups g = {.any = group};
    int code = evaluation_merge_depth(t, s, &g, e);
    *groups = g.any_groups;
    return code;
}

/* Root mean square of the target about its mean in each channel: what the best constant leaves. */
static double target_deviation(const struct evaluation *ev, const struct subset *s)
{
    int d = ev->set.outputs;
    double sum = 0;
    for (int c = 0; c < d; c++) {
        double mean = 0, square = 0;
        for (int r = 0; r < ev->rows; r++)
            if (subset_has(s, r))
                mean += ev->set.y[(size_t)r * (size_t)d + (size_t)c];
        mean /= s->rows;
        for (int r = 0; r < ev->rows; r++) {
            if (!subset_has(s, r))
                continue;
            double off = ev->set.y[(size_t)r * (size_t)d + (size_t)c] - mean;
            square += off * off;
        }
        sum += square;
    }
    return sqrt(sum / ((double)s->rows * d));
}

static int open_positions(struct evaluation *ev, struct err *e)
{
    for (int b = 0; b < ev->set.count; b++) {
        int n = ev->set.first[b + 1] - ev->set.first[b];
        if (n > ev->positions)
            ev->positions = n;
    }
    size_t n = (size_t)ev->positions;
    double *share = memory_alloc((size_t)ev->rows, sizeof *share, e);
    ev->position_rows = arena_alloc(&ev->arena, n, sizeof *ev->position_rows, e);
    ev->error_square = arena_alloc(&ev->arena, n, sizeof *ev->error_square, e);
    ev->floor_square = arena_alloc(&ev->arena, n, sizeof *ev->floor_square, e);
    int code = e->code;
    if (code)
        goto out;
    code = floor_shares(ev->group, ev->groups, ev->rows, ev->set.outputs, ev->set.y, ev->set.counts,
                        share, e);
    if (code)
        goto out;
    for (int b = 0; b < ev->set.count; b++) {
        for (int r = ev->set.first[b]; r < ev->set.first[b + 1]; r++) {
            ev->position_rows[sample_position(ev, b, r)] += counts(ev, r);
            ev->floor_square[sample_position(ev, b, r)] += share[r];
        }
    }
    for (int i = 0; i < ev->positions; i++) {
        ev->floor_square[i] /= ev->position_rows[i];
        ev->error_square[i] = NAN;
    }
out:
    memory_free(share);
    return code;
}

static int open_continuous(struct evaluation *ev, struct err *e)
{
    ev->output = arena_alloc(&ev->arena, (size_t)ev->rows,
                             (size_t)ev->set.outputs * sizeof *ev->output, e);
    if (!ev->output)
        return e->code;
    for (int k = 0; k < ev->subsets; k++) {
        struct subset *s = &ev->subset[k];
        s->denominator = target_deviation(ev, s);
    }
    return open_positions(ev, e);
}

/* Rows of the table of merged logits, for groups of more than one row. */
static int open_slots(struct evaluation *ev, struct err *e)
{
    ev->slot = arena_alloc(&ev->arena, (size_t)ev->groups, sizeof *ev->slot, e);
    ev->grouped = arena_alloc(&ev->arena, (size_t)ev->groups, sizeof *ev->grouped, e);
    ev->decision = arena_alloc(&ev->arena, (size_t)ev->rows, sizeof *ev->decision, e);
    if (e->code)
        return e->code;
    for (int r = 0; r < ev->rows; r++)
        ev->slot[ev->group[r]]++;
    for (int g = 0; g < ev->groups; g++)
        ev->slot[g] = ev->slot[g] > 1 ? (int32_t)ev->slots++ : -1;
    size_t count;
    if (!memory_multiply(ev->slots, (size_t)ev->labels, &count))
        return err_set(e, ERR_MEMORY, NULL, "logits of %zu merged groups do not fit in memory",
                       ev->slots);
    ev->merged = arena_alloc(&ev->arena, count, sizeof *ev->merged, e);
    return e->code;
}

static int open_tokens(struct evaluation *ev, struct err *e)
{
    const struct target *target = target_of(&ev->task->target);
    ev->labels = task_io(ev->task).labels;
    ev->informative = arena_alloc(&ev->arena, (size_t)ev->rows, 1, e);
    ev->nats = arena_alloc(&ev->arena, (size_t)ev->rows, sizeof *ev->nats, e);
    if (e->code)
        return e->code;
    for (int b = 0; b < ev->set.count; b++)
        for (int r = ev->set.first[b]; r < ev->set.first[b + 1]; r++)
            ev->informative[r] = !target->informative ||
                                 target->informative(&ev->task->target, ev->set.layout[b],
                                                     sample_position(ev, b, r));
    return open_slots(ev, e);
}

/* Floors of every subset from a partition of the rows. */
static int fill_floors(struct evaluation *ev, const int32_t *group, int groups, bool deep,
                       struct err *e)
{
    int code = 0;
    for (int k = 0; k < ev->subsets && !code; k++) {
        struct subset *s = &ev->subset[k];
        struct floors *f = deep ? &s->deep : &s->any;
        if (ev->set.outputs)
            code = floor_continuous(group, groups, ev->rows, ev->set.outputs, ev->set.y, s->mask,
                                    &f->error, e);
        else
            code = floor_tokens(group, groups, ev->rows, ev->set.label, s->mask, ev->informative,
                                &f->label, e);
    }
    return code;
}

/* The partition at the cell's depth is at most as fine as the other: of as many groups, it is the
 * same. */
static int open_floors(struct evaluation *ev, const struct model_groups *g, struct err *e)
{
    int code = fill_floors(ev, g->any, g->any_groups, false, e);
    if (!code && g->deep_groups < g->any_groups)
        return fill_floors(ev, g->deep, g->deep_groups, true, e);
    for (int k = 0; k < ev->subsets; k++)
        ev->subset[k].deep = ev->subset[k].any;
    return code;
}

/* Which samples: those of the spec's inputs, or of a kind of shared_table. */
enum { OWN_SAMPLES = -1 };

static int draw_samples(struct evaluation *ev, int kind, struct err *e)
{
    if (ev->length == LENGTH_ALL)
        return samples_of_lengths(&ev->set, ev->task, e);
    return kind == OWN_SAMPLES
               ? samples_evaluation(&ev->set, ev->task, (int)ev->length, e)
               : samples_shared(&ev->set, ev->task, kind, (int)ev->length, e);
}

static int evaluation_prepare(struct evaluation *ev, int kind, struct memo *memo, struct err *e)
{
    int code = arena_open(&ev->arena, 0, e);
    code = code ? code : draw_samples(ev, kind, e);
    if (code)
        return code;
    ev->rows = ev->set.rows;
    ev->group = arena_alloc(&ev->arena, (size_t)ev->rows, sizeof *ev->group, e);
    ev->pass_first = arena_alloc(&ev->arena, (size_t)ev->set.count + 1, sizeof *ev->pass_first, e);
    if (!ev->group || !ev->pass_first)
        return e->code;
    struct model_groups g = {.any = ev->group,
                             .deep = memory_alloc((size_t)ev->rows, sizeof *g.deep, e)};
    code = !g.deep ? ERR_MEMORY
           : kind == OWN_SAMPLES ? open_subsets(ev, e)
                                 : open_shared(ev, shared_table[kind]->name, e);
    if (!code)
        code = memo_merge(memo, ev->task, &ev->set, &g, &ev->memo, e);
    ev->groups = g.any_groups;
    if (!code && kind == OWN_SAMPLES && ev->length != LENGTH_ALL)
        code = steep_open(&ev->steep, ev->task, &ev->set, e);
    if (!code)
        code = ev->set.outputs ? open_continuous(ev, e) : open_tokens(ev, e);
    if (!code)
        code = open_floors(ev, &g, e);
    memory_free(g.deep);
    return code;
}

static int open_one(struct evaluation **out, const struct task *t, int64_t length, int kind,
                    struct memo *memo, struct err *e)
{
    struct evaluation *ev = memory_alloc(1, sizeof *ev, e);
    *out = ev;
    if (!ev)
        return ERR_MEMORY;
    ev->task = t;
    ev->length = length;
    return evaluation_prepare(ev, kind, memo, e);
}

static int open_length(struct evaluation **out, const struct task *t, int64_t length, struct memo *memo,
                       struct err *e)
{
    struct err own = {0};
    struct evaluation *ev;
    char text[TEXT_NUMBER_MAX];
    int code = open_one(&ev, t, length, OWN_SAMPLES, memo, &own);
    struct evaluation *last = ev;
    for (int k = 0; k < SHARED_KINDS && !code && length != LENGTH_ALL; k++)
        if (task_shares(t, k, (int)length)) {
            code = open_one(&last->further, t, length, k, memo, &own);
            last = last->further;
        }
    *out = code ? NULL : ev;
    if (!code)
        return 0;
    evaluation_close(ev);
    err_pass(e, &own);
    return err_context(e, "evaluation at length %s", length_text(text, length));
}

int evaluation_open(struct evaluation **out, const struct task *t, int length, struct err *e)
{
    return open_length(out, t, length, NULL, e);
}

int evaluation_count(const struct task *t)
{
    int lengths = t->evaluate.lengths.count;
    return lengths > 1 ? lengths + 1 : lengths;
}

static int open_number(struct evaluation **out, const struct task *t, int k, struct memo *memo, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    return open_length(out, t, k < lengths->count ? lengths->value[k] : LENGTH_ALL, memo, e);
}

int evaluation_open_number(struct evaluation **out, const struct task *t, int k, struct err *e)
{
    return open_number(out, t, k, NULL, e);
}

/* Floors of the set with all images, for those of the set without. */
static int replace_floors(struct evaluation *ev, const struct task *t, struct err *e)
{
    struct orbit_floors f[SUBSETS_MAX];
    for (int k = 0; k < ev->subsets; k++)
        f[k].pattern = ev->subset[k].pattern;
    int code = orbit_floors(t, (int)ev->length, &ev->set, f, ev->subsets, e);
    for (int k = 0; k < ev->subsets && !code; k++) {
        struct subset *s = &ev->subset[k];
        s->denominator = f[k].deviation;
        s->any = (struct floors){f[k].error[0], f[k].label[0]};
        s->deep = (struct floors){f[k].error[1], f[k].label[1]};
    }
    return code;
}

/* About: of all images. */
static int count_rows(const struct task *t, int length, int64_t *rows, struct err *e)
{
    struct arena arena;
    struct layout l;
    int code = arena_open(&arena, 0, e);
    code = code ? code : space_of(&t->space)->layout(&t->space, length, &arena, &l, e);
    if (!code)
        *rows = t->evaluate.samples * l.n * orbit_table[t->evaluate.orbit]->images(&l);
    arena_close(&arena);
    return code;
}

struct memo_entry *evaluation_memo(const struct evaluation *ev)
{
    return ev->memo;
}

bool evaluation_is_whole(const struct evaluation *ev)
{
    return !ev->plain;
}

int evaluation_open_floors(struct evaluation **out, const struct task *t, int k, int64_t most,
                           struct memo *memo, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    int64_t rows = 0;
    int code = t->evaluate.orbit && k < lengths->count
                   ? count_rows(t, (int)lengths->value[k], &rows, e)
                   : 0;
    if (!code && rows <= most)
        return open_number(out, t, k, memo, e);
    struct task *plain = code ? NULL : memory_alloc(1, sizeof *plain, e);
    *out = NULL;
    if (!plain)
        return code ? code : ERR_MEMORY;
    *plain = *t;
    plain->evaluate.orbit = 0;
    code = open_length(out, plain, lengths->value[k], memo, e);
    if (code) {
        memory_free(plain);
        return code;
    }
    (*out)->plain = plain;
    code = replace_floors(*out, t, e);
    if (code) {
        evaluation_close(*out);
        *out = NULL;
    }
    return code;
}

void evaluation_close(struct evaluation *ev)
{
    if (!ev)
        return;
    evaluation_close(ev->further);
    memory_free(ev->plain);
    steep_close(ev->steep);
    samples_close(&ev->set);
    arena_close(&ev->arena);
    memory_free(ev);
}

/* ---- plain facts ------------------------------------------------------------------------------*/

const struct task *evaluation_task(const struct evaluation *ev)
{
    return ev->task;
}

int64_t evaluation_length(const struct evaluation *ev)
{
    return ev->length;
}

int evaluation_subsets(const struct evaluation *ev)
{
    return ev->subsets + (ev->further ? evaluation_subsets(ev->further) : 0);
}

int evaluation_own_subsets(const struct evaluation *ev)
{
    return ev->subsets;
}

struct evaluation *evaluation_further(const struct evaluation *ev)
{
    return ev->further;
}

int evaluation_pattern(const struct evaluation *ev, int subset)
{
    return subset < ev->subsets ? ev->subset[subset].pattern : -1;
}

const struct samples *evaluation_samples(const struct evaluation *ev)
{
    return &ev->set;
}

const int32_t *evaluation_groups(const struct evaluation *ev, int *groups)
{
    *groups = ev->groups;
    return ev->group;
}

const double *evaluation_outputs(const struct evaluation *ev)
{
    return ev->output;
}

int evaluation_positions(const struct evaluation *ev)
{
    return ev->positions;
}

void evaluation_position(const struct evaluation *ev, int position, double *error_rms,
                         double *floor_rms)
{
    *error_rms = sqrt(ev->error_square[position]);
    *floor_rms = sqrt(ev->floor_square[position]);
}

/* ---- floors -----------------------------------------------------------------------------------*/

struct evaluation_part evaluation_part(const struct evaluation *whole, int subset)
{
    const struct evaluation *ev = home_of(whole, &subset);
    const struct subset *s = &ev->subset[subset];
    bool relative = ev->set.outputs && !subset_constant(s);
    return (struct evaluation_part){.set = &ev->set, .group = ev->group, .groups = ev->groups, .mask = s->mask,
                                    .informative = ev->informative,
                                    .deviation = relative ? s->denominator : 0};
}

bool evaluation_proved(const struct evaluation *whole, int subset)
{
    const struct evaluation *ev = home_of(whole, &subset);
    return ev->subset[subset].possible || has_floor(ev, &ev->subset[subset]);
}

void evaluation_show_possible(struct evaluation *ev, int subset)
{
    for (; subset >= ev->subsets; ev = ev->further)
        subset -= ev->subsets;
    ev->subset[subset].possible = true;
}

static const char *proof_of(const struct evaluation *ev, const struct subset *s)
{
    if (excludes(ev, s, &s->any))
        return "impossible";
    return has_floor(ev, s) ? "bounded" : s->possible ? "possible" : "open";
}

void evaluation_floors(const struct evaluation *whole, int subset, struct record *out)
{
    const struct evaluation *ev = home_of(whole, &subset);
    const struct subset *s = &ev->subset[subset];
    row_clear(out);
    out->length = ev->length;
    out->subset = s->name;
    if (ev->set.outputs) {
        out->floor_rms = s->any.error.rms;
        out->floor_sup = s->any.error.sup;
        out->depth_floor_rms = s->deep.error.rms;
        out->depth_floor_sup = s->deep.error.sup;
        if (!subset_constant(s)) {
            out->floor_rel = s->any.error.rms / s->denominator;
            out->depth_floor_rel = s->deep.error.rms / s->denominator;
        }
    } else {
        out->accuracy_ceiling = s->any.label.accuracy_ceiling;
        out->informative_ceiling = s->any.label.informative_ceiling;
        out->cross_entropy_floor = s->any.label.crossentropy;
        out->depth_accuracy_ceiling = s->deep.label.accuracy_ceiling;
        out->depth_cross_entropy_floor = s->deep.label.crossentropy;
    }
    out->verdict = excludes(ev, s, &s->any)    ? "impossible"
                   : excludes(ev, s, &s->deep) ? "too-shallow"
                                               : "open";
    out->proof = proof_of(ev, s);
}
