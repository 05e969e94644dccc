/* Random networks that tell groups apart (prove.h).
 *
 * Rounding alone must not do it.  Outputs of rows that are equal in exact arithmetic show what rounding
 * does: two groups are apart where some output differs by MARGIN times that, and by APART of the largest
 * output, which is over 4000 times what a chain of sums of these sizes loses in double
 * (tests/model/test_soundness.c derives 2^-37). */
#include "run/prove.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/safetensors.h"
#include "run/memo.h"
#include "run/witness_cell.h"

#define APART 0x1p-25
#define MARGIN 0x1p10
/* FLOP that the networks may take without more being spent on training: seconds. */
#define WORK_UNASKED 1e11
/* Outputs that are looked at.  Random points in fewer dimensions come too near each other; where there
 * are fewer, heads are drawn anew, which changes nothing of what they stand on. */
enum { OUTPUTS_MIN = 3, OUTPUTS_MAX = 4, DEPTH_MIN = 3 };
enum { PAIRS_MAX = 64 }; /* a group's, in the mean, with a first output alike */

struct place {
    double first;
    int group;
};

/* What all groups have in common: outputs (groups,width), the least and the greatest of their rows. */
struct seen {
    struct evaluation *ev;
    const char *folder;   /* for what is written; NULL: nothing is */
    const int32_t *group; /* (rows) */
    int groups, width, heads, head;
    int from; /* the row that outputs count from */
    double *least, *greatest;
    struct place *order;  /* (groups) by the first output */
    unsigned char *near;  /* (groups) not told from another */
    struct arena arena;
};

/* ---- the task of a network --------------------------------------------------------------------*/
/* Of the same class: layers alike, more of them from one network to the next.  Those of a plan keep
 * their number. */
static struct task task_of(const struct task *t, int number)
{
    struct task own = *t;
    own.model.precision = MODEL_DOUBLE;
    own.model.init = MODEL_INIT_DEFAULT;
    own.model.ffn = own.model.width < own.model.ffn ? own.model.width : own.model.ffn;
    if (!own.model.plan.turn)
        own.model.layers = (t->model.layers < DEPTH_MIN ? DEPTH_MIN : t->model.layers) + number;
    own.train.polish = TRAIN_POLISH_NONE;
    own.train.lengths.count = own.train.mixed.count = own.train.length_shares.count = 0;
    own.train.steps = 0;
    own.train.batch = 1;
    return own;
}

static int outputs_of(const struct task *t)
{
    struct model_io io = task_io(t);
    return model_io_outputs(&io);
}

/* How often a head is drawn: as often as makes OUTPUTS_MIN outputs; a tied one is not the head's own. */
static int heads_of(const struct task *t)
{
    int outputs = outputs_of(t);
    return t->model.tie || outputs >= OUTPUTS_MIN ? 1 : (OUTPUTS_MIN + outputs - 1) / outputs;
}

/* Zeros where all networks would take more than may be spent. */
static int limit_price(const struct task *t, double all, struct pass_price *out, struct err *e)
{
    struct train_price training = {0};
    int code = all > WORK_UNASKED ? trainer_api_of(t->model.precision)->price(t, &training, e) : 0;
    if (all > WORK_UNASKED && all > training.step_flops * (double)t->train.steps)
        *out = (struct pass_price){0};
    return code;
}

int prove_price(const struct task *t, int count, const struct pass_set *set, struct pass_price *out,
                struct pass_price *together, struct err *e)
{
    struct pass_price pass[OPTION_INTS_MAX];
    double all[OPTION_INTS_MAX] = {0}, sum = 0, most = 0;
    int networks = (int)t->evaluate.networks, code = 0;
    *together = (struct pass_price){0};
    for (int i = 0; i < count; i++)
        out[i] = *together;
    /* The last is the largest: where even as many of that size need no leave, those between decide nothing. */
    for (int k = networks - 1; k >= 0 && !code; k--) {
        struct task net = task_of(t, k);
        if (k > 0 && k < networks - 1 && networks * most <= WORK_UNASKED)
            continue;
        code = trainer_api_of(MODEL_DOUBLE)->price_passes(&net, count, set, pass, e);
        for (int i = 0; i < count && !code; i++) {
            size_t bytes = pass[i].parameters * sizeof(double) + pass[i].bytes;
            double flops = heads_of(t) * pass[i].flops;
            out[i].bytes = bytes > out[i].bytes ? bytes : out[i].bytes;
            together->bytes = bytes > together->bytes ? bytes : together->bytes;
            out[i].flops = flops; /* of the first in the end */
            all[i] += flops;
            sum += flops;
        }
        most = k == networks - 1 ? sum : most;
    }
    for (int i = 0; i < count; i++)
        together->flops += out[i].flops;
    for (int i = 0; i < count && !code; i++)
        code = limit_price(t, all[i], &out[i], e);
    return code ? code : limit_price(t, sum, together, e);
}

/* ---- random weights ---------------------------------------------------------------------------*/
/* As initialised, and moved by normal noise: nothing stays at its special first value. */
static void draw_tensor(const struct tensor *t, struct stream *random, double *parameters)
{
    double deviation = t->table ? 1 : t->rank > 1 ? 1 / sqrt(t->shape[1]) : 0.3;
    for (size_t i = 0; i < t->count; i++)
        parameters[t->offset + i] += gsl_ran_gaussian_ziggurat(stream_rng(random), deviation);
}

static void draw_all(struct network *x, struct stream *random)
{
    const struct model *m = x->api->model(x->trainer);
    for (int k = 0; k < m->tensors.count; k++)
        draw_tensor(&m->tensors.item[k], random, x->api->parameters(x->trainer));
}

static void draw_head(struct network *x, struct stream *random)
{
    const struct model *m = x->api->model(x->trainer);
    draw_tensor(&m->tensors.item[m->head], random, x->api->parameters(x->trainer));
}

/* ---- what is seen -----------------------------------------------------------------------------*/
static int open_seen(struct seen *s, struct evaluation *ev, const char *folder, struct err *e)
{
    const struct task *t = evaluation_task(ev);
    int outputs = outputs_of(t);
    *s = (struct seen){.ev = ev, .folder = folder, .heads = heads_of(t)};
    s->group = evaluation_groups(ev, &s->groups);
    s->width = (outputs < OUTPUTS_MAX ? outputs : OUTPUTS_MAX) * s->heads;
    int code = arena_open(&s->arena, 0, e);
    if (code)
        return code;
    size_t count = (size_t)s->groups * (size_t)s->width;
    s->least = arena_alloc(&s->arena, count, sizeof *s->least, e);
    s->greatest = arena_alloc(&s->arena, count, sizeof *s->greatest, e);
    s->order = arena_alloc(&s->arena, (size_t)s->groups, sizeof *s->order, e);
    s->near = arena_alloc(&s->arena, (size_t)s->groups, sizeof *s->near, e);
    return e->code;
}

static void clear_seen(struct seen *s)
{
    for (size_t k = 0; k < (size_t)s->groups * (size_t)s->width; k++) {
        s->least[k] = INFINITY;
        s->greatest[k] = -INFINITY;
    }
}

/* Outputs (rows,outputs) of successive rows, as trainer_logits. */
static void take(void *context, int first, int rows, int outputs, const double *y)
{
    struct seen *s = context;
    int each = s->width / s->heads;
    for (int r = 0; r < rows; r++, y += outputs) {
        size_t at = (size_t)s->group[s->from + first + r] * (size_t)s->width + (size_t)(s->head * each);
        for (int c = 0; c < each; c++) {
            double value = isnan(y[c]) ? INFINITY : y[c];
            s->least[at + (size_t)c] = fmin(s->least[at + (size_t)c], value);
            s->greatest[at + (size_t)c] = fmax(s->greatest[at + (size_t)c], value);
        }
    }
}

/* Samples from .. to-1, of one length; first (samples+1), y (rows,outputs of numbers) are scratch. */
static int look_at(struct seen *s, struct network *x, int from, int to, int *first, double *y,
                   struct err *e)
{
    const struct samples *set = evaluation_samples(s->ev);
    struct samples part = samples_part(set, from, to - from, first);
    s->from = set->first[from];
    int code = x->api->outputs(x->trainer, &part, y, take, s, e);
    if (!code && y)
        take(s, 0, part.rows, part.outputs, y);
    return code;
}

static int look(struct seen *s, struct network *x, struct err *e)
{
    const struct samples *set = evaluation_samples(s->ev);
    bool several = evaluation_length(s->ev) == LENGTH_ALL;
    int *first = memory_alloc((size_t)set->count + 1, sizeof *first, e);
    double *y = first && set->outputs
                    ? memory_alloc((size_t)set->rows * (size_t)set->outputs, sizeof *y, e)
                    : NULL;
    int code = first && (y || !set->outputs) ? 0 : ERR_MEMORY;
    for (int from = 0, to; from < set->count && !code; from = to) {
        for (to = from; to < set->count && (!several || set->layout[to] == set->layout[from]);)
            to++;
        code = look_at(s, x, from, to, first, y, e);
    }
    memory_free(first);
    memory_free(y);
    return code;
}

/* ---- who is near whom -------------------------------------------------------------------------*/
/* By how much two outputs must differ; INFINITY where some output is no number. */
static double apart_by(const struct seen *s)
{
    double leak = 0, largest = 0;
    for (size_t k = 0; k < (size_t)s->groups * (size_t)s->width; k++) {
        leak = fmax(leak, s->greatest[k] - s->least[k]);
        largest = fmax(largest, fmax(fabs(s->least[k]), fabs(s->greatest[k])));
    }
    return isfinite(largest) && isfinite(leak) ? fmax(MARGIN * leak, APART * largest) : INFINITY;
}

static int compare_first(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

static bool is_near(const struct seen *s, int a, int b, double by)
{
    const double *x = s->least + (size_t)a * (size_t)s->width, *y = s->least + (size_t)b * (size_t)s->width;
    for (int c = 0; c < s->width; c++)
        if (fabs(x[c] - y[c]) >= by)
            return false;
    return true;
}

/* Marks groups that the outputs do not tell apart; all of them where that are too many to look at. */
static void find_near(struct seen *s)
{
    double by = apart_by(s);
    long left = PAIRS_MAX * (long)s->groups;
    memset(s->near, isinf(by), (size_t)s->groups);
    if (isinf(by))
        return;
    for (int g = 0; g < s->groups; g++)
        s->order[g] = (struct place){s->least[(size_t)g * (size_t)s->width], g};
    qsort(s->order, (size_t)s->groups, sizeof *s->order, compare_first);
    for (int k = 0; k < s->groups && left > 0; k++)
        for (int m = k + 1; m < s->groups && s->order[m].first - s->order[k].first < by && left-- > 0; m++)
            if (is_near(s, s->order[k].group, s->order[m].group, by))
                s->near[s->order[k].group] = s->near[s->order[m].group] = 1;
    if (left <= 0)
        memset(s->near, 1, (size_t)s->groups);
}

/* Tells the evaluation of the subsets in which no group is near another; whether some are left. */
static bool tell(struct seen *s)
{
    bool left = false;
    int rows = evaluation_samples(s->ev)->rows;
    for (int k = 0; k < evaluation_own_subsets(s->ev); k++) {
        if (evaluation_proved(s->ev, k))
            continue;
        struct evaluation_part part = evaluation_part(s->ev, k);
        bool near = false;
        for (int r = 0; r < rows && !near; r++)
            near = s->near[s->group[r]] && (!part.mask || part.mask[r]);
        if (!near)
            evaluation_show_possible(s->ev, k);
        left |= near;
    }
    return left;
}

/* ---- what is written --------------------------------------------------------------------------*/
/* FOLDER/LENGTH-SUBSET, of the set's first subset, and this behind it. */
static int path_of(const struct seen *s, const char *behind, char path[FILE_PATH_MAX], struct err *e)
{
    char name[128], number[TEXT_NUMBER_MAX];
    struct record r;
    evaluation_floors(s->ev, 0, &r);
    snprintf(name, sizeof name, "%s-%s%s.safetensors", length_text(number, evaluation_length(s->ev)), r.subset,
             behind);
    return file_join(path, FILE_PATH_MAX, s->folder, name, e);
}

static void add_tensor(struct safetensor *out, const char *name, enum safetensors_type type, size_t rows,
                       size_t columns, const void *data)
{
    *out = (struct safetensor){.type = type, .rank = columns ? 2 : 1, .shape = {(int64_t)rows, (int64_t)columns},
                               .count = rows * (columns ? columns : 1), .data = data};
    snprintf(out->name, sizeof out->name, "%s", name);
}

/* The set: where samples begin, their tokens, groups, and which rows are in each subset. */
static int write_set(struct seen *s, struct err *e)
{
    const struct samples *set = evaluation_samples(s->ev);
    size_t rows = (size_t)set->rows;
    struct safetensor item[3 + SUBSETS_MAX];
    char path[FILE_PATH_MAX];
    int items = 3, subsets = evaluation_own_subsets(s->ev);
    add_tensor(&item[0], "first", SAFETENSORS_I32, (size_t)set->count + 1, 0, set->first);
    add_tensor(&item[1], "group", SAFETENSORS_I32, rows, 0, s->group);
    if (set->channels)
        add_tensor(&item[2], "x", SAFETENSORS_F64, rows, (size_t)set->channels, set->x);
    else
        add_tensor(&item[2], "x", SAFETENSORS_I32, rows, 0, set->token);
    for (int k = 0; k < subsets; k++) {
        const unsigned char *mask = evaluation_part(s->ev, k).mask;
        unsigned char *own = arena_alloc(&s->arena, rows, 1, e);
        struct record r;
        if (!own)
            return ERR_MEMORY;
        for (size_t row = 0; row < rows; row++)
            own[row] = !mask || mask[row];
        evaluation_floors(s->ev, k, &r);
        add_tensor(&item[items++], r.subset, SAFETENSORS_U8, rows, 0, own);
    }
    int code = path_of(s, "", path, e);
    return code ? code : safetensors_write(path, item, items, NULL, e);
}

static int write_network(const struct seen *s, struct network *x, int number, struct err *e)
{
    char behind[48], path[FILE_PATH_MAX];
    snprintf(behind, sizeof behind, "-%d-%d", number + 1, s->head + 1);
    int code = path_of(s, behind, path, e);
    return code ? code : x->api->export_weights(x->trainer, path, e);
}

/* ---- the networks -----------------------------------------------------------------------------*/
static int try_network(struct seen *s, int number, struct pool *pool, struct err *e)
{
    struct task own = task_of(evaluation_task(s->ev), number);
    struct network x;
    struct stream random;
    int code = network_open(&x, &own, pool, e);
    stream_open(&random, own.seed, "networks", (uint64_t)number);
    if (!code) {
        draw_all(&x, &random);
        clear_seen(s);
    }
    for (s->head = 0; s->head < s->heads && !code; s->head++) {
        if (s->head)
            draw_head(&x, &random);
        code = s->folder ? write_network(s, &x, number, e) : 0;
        code = code ? code : look(s, &x, e);
    }
    network_close(&x);
    return code;
}

static bool is_open(const struct evaluation *ev)
{
    for (int k = 0; k < evaluation_own_subsets(ev); k++)
        if (!evaluation_proved(ev, k))
            return true;
    return false;
}

static int price_of(const struct evaluation *ev, struct pass_price *out, struct err *e)
{
    const struct task *t = evaluation_task(ev);
    const struct samples *set = evaluation_samples(ev);
    const struct option_ints *lengths = &t->evaluate.lengths;
    struct pass_set pass[OPTION_INTS_MAX] = {{(int)evaluation_length(ev), set->count, false}};
    struct pass_price each[OPTION_INTS_MAX];
    bool several = evaluation_length(ev) == LENGTH_ALL;
    for (int k = 0; k < lengths->count && several; k++) {
        pass[k] = (struct pass_set){.length = (int)lengths->value[k]};
        for (int i = 0; i < set->count; i++)
            pass[k].samples += set->layout[i]->n == lengths->value[k];
    }
    return prove_price(t, several ? lengths->count : 1, pass, each, out, e);
}

static int prove_own(struct evaluation *ev, struct pool *pool, const char *folder, struct err *e)
{
    const struct task *t = evaluation_task(ev);
    struct pass_price price;
    struct seen s;
    if (!is_open(ev) || t->model.pool == MODEL_POOL_MEAN) /* the layer more would stand before the mean */
        return 0;
    int code = price_of(ev, &price, e);
    if (code || price.flops == 0)
        return code;
    code = open_seen(&s, ev, folder, e);
    if (!code && folder)
        code = write_set(&s, e);
    bool left = true;
    for (int k = 0; k < (int)t->evaluate.networks && !code && left; k++) {
        const unsigned char *known = folder ? NULL : memo_near(evaluation_memo(ev), k);
        if (known) {
            memcpy(s.near, known, (size_t)s.groups);
        } else {
            code = try_network(&s, k, pool, e);
            if (code)
                break;
            find_near(&s);
            memo_keep_near(evaluation_memo(ev), k, s.near);
        }
        left = tell(&s);
    }
    arena_close(&s.arena);
    return code;
}

int prove_possible(struct evaluation *ev, struct pool *pool, const char *folder, struct err *e)
{
    int code = prove_own(ev, pool, folder, e);
    struct evaluation *further = evaluation_further(ev);
    return code || !further ? code : prove_possible(further, pool, folder, e);
}

int prove_class(struct evaluation *ev, struct pool *pool, const char *folder, struct record *witness,
                struct err *e)
{
    bool beside = evaluation_length(ev) == evaluation_task(ev)->space.length;
    int code = 0;
    for (int k = 0; k < evaluation_subsets(ev); k++)
        row_clear(&witness[k]);
    if (beside)
        code = witness_measure(pool, ev, witness, e);
    for (int k = 0; beside && !code && k < evaluation_subsets(ev); k++)
        if (witness[k].proof && strcmp(witness[k].proof, "possible") == 0)
            evaluation_show_possible(ev, k);
    return code ? code : prove_possible(ev, pool, folder, e);
}

int prove_and_measure(struct evaluation *ev, struct predictor p, struct pool *pool, struct record *figures,
                      struct err *e)
{
    struct record witness[SUBSETS_MAX];
    int code = prove_class(ev, pool, NULL, witness, e);
    if (!code)
        code = evaluation_measure(ev, p, figures, e);
    for (int k = 0; !code && k < evaluation_subsets(ev); k++)
        evaluation_set_witness(&figures[k], &witness[k]);
    return code;
}
