/* Scores (score.h).
 * Invariant: figures are made by evaluate.c, which asks for outputs as it asks a network. */
#include "run/score.h"

#include <math.h>
#include <string.h>

#include "base/safetensors.h"
#include "run/evaluate.h"
#include "run/prove.h"
#include "run/witness_cell.h"

enum { FILE_LIMIT = 1 << 30 };
static const double tolerance_float = 1e-4, tolerance_double = 1e-8;

/* Of one length's samples. */
struct part {
    const struct safetensor *y;
    int n, samples; /* n: positions that y has of a sample: 1 where it has one output */
};

/* Predictions for one set: those of one length, or of each evaluated one in turn. */
struct prediction {
    const struct part *part;
    int parts, samples; /* of all parts */
    int next;           /* the sample that the next pass begins with */
    int outputs;
    double *logits; /* (the most rows of a sample, outputs) */
};

/* The part that sample *k is of, and its number there. */
static const struct part *part_of(const struct prediction *p, int *k)
{
    const struct part *part = p->part;
    for (; *k >= part->samples; part++)
        *k -= part->samples;
    return part;
}

static int positions(const struct prediction *p, int k)
{
    return part_of(p, &k)->n;
}

/* Output c of row i of sample k; pooled: of the first row alone. */
static double number(const struct prediction *p, int k, int i, int c)
{
    const struct part *part = part_of(p, &k);
    size_t row = (size_t)k * (size_t)part->n + (size_t)i;
    return safetensors_number(part->y, row * (size_t)p->outputs + (size_t)c);
}

static int hand_out(void *self, const struct samples *s, double *y, trainer_logits each,
                    void *context, struct err *e)
{
    struct prediction *p = self;
    size_t outputs = (size_t)p->outputs;
    bool labels = s->outputs == 0;
    int from = p->next;
    p->next = (from + s->count) % p->samples;
    for (int k = 0; k < s->count; k++) {
        int rows = s->first[k + 1] - s->first[k];
        double *to = labels ? p->logits : y + (size_t)s->first[k] * outputs;
        memset(to, 0, (size_t)rows * outputs * sizeof *to);
        for (int i = 0; i < rows && i < positions(p, from + k); i++)
            for (int c = 0; c < p->outputs; c++)
                to[(size_t)i * outputs + (size_t)c] = number(p, from + k, i, c);
        if (labels)
            each(context, s->first[k], rows, p->outputs, p->logits);
    }
    return 0;
}

/* ---- the file ---------------------------------------------------------------------------------*/

static int check_shape(const struct prediction *p, const struct samples *s, bool pooled, const char *path,
                       struct err *e)
{
    const struct safetensor *y = p->part->y;
    int n = p->part->n;
    const char *what = s->outputs ? "numbers" : "logits";
    int64_t shape[3] = {s->count, pooled ? p->outputs : n, p->outputs};
    bool fits = y->rank == (pooled ? 2 : 3);
    for (int k = 0; k < y->rank && fits; k++)
        fits = y->shape[k] == shape[k];
    if (fits && (y->type == SAFETENSORS_F32 || y->type == SAFETENSORS_F64))
        return 0;
    char have[96] = "", want[96];
    int used = 0;
    for (int k = 0; k < y->rank && used < 64; k++)
        used += snprintf(have + used, sizeof have - (size_t)used, "%s%lld", k ? "," : "",
                         (long long)y->shape[k]);
    snprintf(want, sizeof want, pooled ? "%d,%d" : "%d,%d,%d", s->count,
             pooled ? p->outputs : n, p->outputs);
    return err_set(e, ERR_FORMAT, path, "tensor `%s` is %s [%s]; expected %s F32 or F64 [%s], in the "
                   "order of the samples that `urpe-probe samples` writes", y->name,
                   safetensors_type_name(y->type), have, what, want);
}

static int check_finite(const struct prediction *p, const struct samples *s, const char *path,
                        struct err *e)
{
    for (int k = 0; k < s->count; k++)
        for (int i = 0; i < p->part->n && i < s->first[k + 1] - s->first[k]; i++)
            for (int c = 0; c < p->outputs; c++)
                if (!isfinite(number(p, k, i, c)))
                    return err_set(e, ERR_FORMAT, path, "`%s` is not finite in sample %d at position "
                                   "%d, output %d", p->part->y->name, k + 1, i + 1, c + 1);
    return 0;
}

/* ---- the class --------------------------------------------------------------------------------*/

/* What rounding stays below. */
static double tolerance(const struct prediction *p)
{
    double most = 0, share = tolerance_double;
    for (const struct part *x = p->part; x < p->part + p->parts; x++) {
        share = x->y->type == SAFETENSORS_F64 ? share : tolerance_float;
        for (size_t i = 0; i < x->y->count; i++)
            most = fmax(most, fabs(safetensors_number(x->y, i)));
    }
    return most * share;
}

static void append_token(struct text *t, const struct samples *s, int row)
{
    char number[TEXT_NUMBER_MAX];
    if (!s->channels) {
        text_append_format(t, "%d", (int)s->token[row]);
        return;
    }
    for (int c = 0; c < s->channels && c < 4; c++)
        text_append_format(t, "%s%s", c ? " " : "[",
                           text_from_double_short(number, s->x[(size_t)row * (size_t)s->channels +
                                                               (size_t)c]));
    text_append(t, s->channels > 4 ? " ...]" : "]");
}

struct row_of {
    int sample, position;
};

static void compare(struct score_finding *f, const struct prediction *p, const struct samples *s,
                    const struct row_of *a, const struct row_of *b)
{
    double d = 0;
    for (int c = 0; c < p->outputs; c++)
        d = fmax(d, fabs(number(p, a->sample, a->position, c) - number(p, b->sample, b->position, c)));
    f->pairs++;
    f->apart += d > f->tolerance;
    if (!(d > f->difference))
        return;
    f->difference = d;
    f->sample[0] = a->sample, f->position[0] = a->position;
    f->sample[1] = b->sample, f->position[1] = b->position;
    text_clear(&f->tokens);
    append_token(&f->tokens, s, s->first[a->sample] + a->position);
    text_append(&f->tokens, ", ");
    append_token(&f->tokens, s, s->first[b->sample] + b->position);
}

static int find_apart(const struct evaluation *ev, const struct prediction *p,
                      struct score_finding *out, struct err *e)
{
    const struct samples *s = evaluation_samples(ev);
    struct score_finding f = {.length = evaluation_length(ev)};
    int groups;
    const int32_t *group = evaluation_groups(ev, &groups);
    struct row_of *first = memory_alloc((size_t)groups, sizeof *first, e);
    if (!first)
        return ERR_MEMORY;
    f.tolerance = tolerance(p);
    for (int g = 0; g < groups; g++)
        first[g].sample = -1;
    for (int k = 0; k < s->count; k++)
        for (int i = 0; i < positions(p, k) && i < s->first[k + 1] - s->first[k]; i++) {
            int row = s->first[k] + i;
            struct row_of here = {k, i}, *of = &first[group[row]];
            if (s->counts && !s->counts[row])
                continue;
            if (of->sample < 0)
                *of = here;
            else
                compare(&f, p, s, of, &here);
        }
    memory_free(first);
    int code = text_check(&f.tokens, e);
    bool worse = !out->length || f.apart > out->apart;
    struct score_finding *less = worse ? out : &f;
    text_close(&less->tokens);
    if (worse)
        *out = f;
    return code;
}

void score_finding_close(struct score_finding *f)
{
    text_close(&f->tokens);
    *f = (struct score_finding){0};
}

struct work {
    const struct spec *spec;
    const struct cell *cell;
    const struct task *task; /* the cell's, without sets of images, of which there are no predictions */
    struct pool *pool;
    const char *path;
    struct score_finding *finding;
    struct record (*figures)[SUBSETS_MAX]; /* of each set so far */
    int *subsets;                          /* likewise, 0 where there are no predictions */
};

/* ---- rows -------------------------------------------------------------------------------------*/

/* What the class can is not shown by predictions, which may be those of a model that is not of it. */
static int measure(const struct work *w, struct evaluation *ev, struct prediction *p, int number, struct err *e)
{
    struct record floors, *figures = w->figures[number];
    int code = prove_and_measure(ev, (struct predictor){.self = p, .outputs = hand_out}, w->pool,
                                 figures, e);
    w->subsets[number] = code ? 0 : evaluation_subsets(ev);
    for (int k = 0; k < w->subsets[number]; k++) {
        evaluation_floors(ev, k, &floors);
        figures[k].proof = floors.proof;
        figures[k].status = "scored";
        figures[k].experiment = spec_name(w->spec);
        figures[k].spec_hash = spec_hash(w->spec);
    }
    return code;
}

/* Of a model that is not of the class no row is about the class, whichever set tells. */
static void append_rows(const struct work *w, struct text *rows)
{
    for (int number = 0; number < evaluation_count(&w->cell->task); number++)
        for (int k = 0; k < w->subsets[number]; k++) {
            if (w->finding->apart)
                w->figures[number][k].verdict = "not-of-class";
            row_append(rows, w->cell, &w->figures[number][k]);
        }
}

/* Number k of what a cell is evaluated on, by its part, whose shape is found out, or by all parts. */
static int score_set(const struct work *w, int number, struct part *part, int parts, struct err *e)
{
    struct evaluation *ev;
    const struct task *t = w->task;
    struct model_io io = task_io(t);
    struct prediction p = {.part = part, .parts = parts, .outputs = model_io_outputs(&io)};
    bool pooled = t->model.pool != MODEL_POOL_NONE;
    int most = 1, code = evaluation_open_number(&ev, t, number, e);
    if (code)
        return code;
    const struct samples *s = evaluation_samples(ev);
    p.samples = s->count;
    for (int k = 0; k < s->count; k++)
        most = s->layout[k]->n > most ? s->layout[k]->n : most;
    if (parts == 1) {
        *part = (struct part){part->y, pooled ? 1 : most, s->count};
        code = check_shape(&p, s, pooled, w->path, e);
    }
    if (!code && parts == 1)
        code = check_finite(&p, s, w->path, e);
    if (!code) {
        p.logits = memory_alloc((size_t)most, (size_t)p.outputs * sizeof *p.logits, e);
        code = p.logits ? measure(w, ev, &p, number, e) : ERR_MEMORY;
    }
    if (!code)
        code = find_apart(ev, &p, w->finding, e);
    memory_free(p.logits);
    evaluation_close(ev);
    return code;
}

/* The number of the evaluated length that a tensor's name is for; -1: none. */
static int number_of(const struct cell *c, const char *name)
{
    const struct option_ints *lengths = &c->task.evaluate.lengths;
    for (int k = 0; k < lengths->count; k++) {
        char own[32];
        snprintf(own, sizeof own, "y.%lld", (long long)lengths->value[k]);
        if (!strcmp(name, own) ||
            (!strcmp(name, "y") && lengths->value[k] == space_positions(&c->task.space)))
            return k;
    }
    return -1;
}

/* Sets by their numbers, then that of all where each is there. */
static int score_all(const struct work *w, struct part *part, struct err *e)
{
    int code = 0, lengths = (int)w->cell->task.evaluate.lengths.count, there = 0;
    for (int k = 0; k < lengths && !code; k++) {
        there += part[k].y != NULL;
        if (part[k].y)
            code = score_set(w, k, &part[k], 1, e);
    }
    bool all = there == lengths && evaluation_count(&w->cell->task) > lengths;
    return code || !all ? code : score_set(w, lengths, part, lengths, e);
}

int score_cell(const struct spec *s, const struct cell *c, struct pool *pool, const char *path,
               struct text *rows, struct score_finding *finding, struct err *e)
{
    size_t sets = (size_t)evaluation_count(&c->task);
    struct task *task = memory_alloc(1, sizeof *task, e);
    struct part *part = memory_alloc((size_t)c->task.evaluate.lengths.count, sizeof *part, e);
    const struct work w = {s, c, task, pool, path, finding, memory_alloc(sets, sizeof *w.figures, e),
                           memory_alloc(sets, sizeof *w.subsets, e)};
    struct safetensors file = {0};
    *finding = (struct score_finding){0};
    int code = part && task && w.figures && w.subsets ? safetensors_read(path, FILE_LIMIT, &file, e) : ERR_MEMORY;
    if (!code && !file.count)
        code = err_set(e, ERR_FORMAT, path, "there is no tensor; expected `y`");
    for (int k = 0; k < file.count && !code; k++) {
        int number = number_of(c, file.item[k].name);
        if (number < 0)
            code = err_set(e, ERR_FORMAT, path, "tensor `%.80s` would not be used; expected `y`, "
                           "and `y.LENGTH` for other evaluated lengths", file.item[k].name);
        else
            part[number].y = &file.item[k];
    }
    if (!code) {
        *task = c->task;
        task->evaluate.images = 0;
        code = score_all(&w, part, e);
    }
    if (!code)
        append_rows(&w, rows);
    safetensors_close(&file);
    memory_free(w.subsets);
    memory_free(w.figures);
    memory_free(part);
    memory_free(task);
    return code;
}
