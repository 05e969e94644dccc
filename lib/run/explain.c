/* What an explanation shows, gathered (explain.h). */
#include "run/explain.h"

#include <math.h>
#include <string.h>

struct gather {
    const struct evaluation *ev;
    const struct samples *set;
    const int32_t *group;
    const unsigned char *mask; /* (rows) 0: counts in no figure; NULL: all count */
    int groups, chosen; /* the group that is explained; -1: all are alone */
    int *size;          /* (groups) */
    bool *varied;       /* (groups) its targets are not all equal; where none is, all count as if they were */
    struct explanation *x;
};

/* ---- which group ------------------------------------------------------------------------------*/
static bool counts(const struct gather *g, int row)
{
    return !g->mask || g->mask[row];
}

/* The group with most rows in one sample, and how many; here (groups) is scratch, zero. */
static int largest_within(const struct gather *g, int sample, int *here, int *group)
{
    int most = 0, first = g->set->first[sample], end = g->set->first[sample + 1];
    for (int r = first; r < end; r++)
        if ((here[g->group[r]] += counts(g, r)) > most && g->varied[g->group[r]]) {
            most = here[g->group[r]];
            *group = g->group[r];
        }
    for (int r = first; r < end; r++)
        here[g->group[r]] = 0;
    return most;
}

/* Returns the sample to begin with. */
static int choose_group(struct gather *g, int only, int *here)
{
    int begin = only < 0 ? 0 : only, most = 1;
    g->chosen = -1;
    for (int k = 0; k < g->set->count; k++) {
        int group = -1, count = only < 0 || k == only ? largest_within(g, k, here, &group) : 0;
        if (count > most) {
            most = count;
            begin = k;
            g->chosen = group;
        }
    }
    for (int k = 0; k < g->set->count && g->chosen < 0; k++) /* across samples, then */
        for (int r = g->set->first[k]; r < g->set->first[k + 1] && (only < 0 || k == only); r++)
            if (g->size[g->group[r]] > most && g->varied[g->group[r]]) {
                most = g->size[g->group[r]];
                begin = k;
                g->chosen = g->group[r];
            }
    return begin;
}

static bool has_member(const struct gather *g, int sample)
{
    for (int r = g->set->first[sample]; r < g->set->first[sample + 1]; r++)
        if (g->group[r] == g->chosen)
            return true;
    return false;
}

/* ---- the samples shown ------------------------------------------------------------------------*/
static int rows_of(const struct gather *g, int sample)
{
    return g->set->first[sample + 1] - g->set->first[sample];
}

static int shown_in(const struct gather *g, int sample)
{
    int count = 0;
    for (int r = g->set->first[sample]; r < g->set->first[sample + 1]; r++)
        count += g->group[r] == g->chosen && counts(g, r);
    return count;
}

/* begin, and others with members where it has one alone. */
static int list_samples(const struct gather *g, int begin, int number[EXPLAIN_SAMPLES])
{
    int count = 0, rows = rows_of(g, begin);
    number[count++] = begin;
    for (int k = 0; k < g->set->count && shown_in(g, begin) < 2 && count < EXPLAIN_SAMPLES; k++) {
        if (k == begin || !has_member(g, k) || rows + rows_of(g, k) > WHY_ROWS)
            continue;
        rows += rows_of(g, k);
        number[count++] = k;
    }
    return count;
}

/* The shown samples, one after another, in the explanation's arena. */
struct copy {
    int *first, *number;
    const struct layout **layout;
    double *x, *y;
    int32_t *token, *label;
    bool *member;
};

static void copy_rows(const struct gather *g, const struct copy *c, int to, int from, int rows)
{
    size_t d = (size_t)g->set->channels;
    for (int r = 0; r < rows; r++) {
        size_t at = (size_t)(to + r), of = (size_t)(from + r);
        c->member[at] = g->chosen >= 0 && g->group[of] == g->chosen && counts(g, from + r);
        if (d) {
            memcpy(c->x + at * d, g->set->x + of * d, d * sizeof *c->x);
            memcpy(c->y + at * d, g->set->y + of * d, d * sizeof *c->y);
        } else {
            c->token[at] = g->set->token[of];
            c->label[at] = g->set->label[of];
        }
    }
}

static int open_copy(struct copy *c, struct arena *a, int samples, int rows, int channels,
                     struct err *e)
{
    size_t n = (size_t)rows, values = n * (size_t)(channels ? channels : 1);
    c->first = arena_alloc(a, (size_t)samples + 1, sizeof *c->first, e);
    c->number = arena_alloc(a, (size_t)samples, sizeof *c->number, e);
    c->layout = arena_alloc(a, (size_t)samples, sizeof *c->layout, e);
    c->x = arena_alloc(a, values, sizeof *c->x, e);
    c->y = arena_alloc(a, values, sizeof *c->y, e);
    c->token = arena_alloc(a, n, sizeof *c->token, e);
    c->label = arena_alloc(a, n, sizeof *c->label, e);
    c->member = arena_alloc(a, n, sizeof *c->member, e);
    return c->first && c->number && c->layout && c->x && c->y && c->token && c->label && c->member
               ? 0
               : ERR_MEMORY;
}

static int show_samples(struct gather *g, const int *number, int samples, struct err *e)
{
    struct copy c = {0};
    struct why *w = &g->x->why;
    const struct task *t = evaluation_task(g->ev);
    int rows = 0;
    for (int k = 0; k < samples; k++)
        rows += rows_of(g, number[k]);
    if (rows > WHY_ROWS)
        return err_set(e, ERR_USAGE, "space.length", "%d positions are too many to show; expected at "
                       "most %d, by --set space.length=16 say", rows, WHY_ROWS);
    int code = open_copy(&c, &g->x->arena, samples, rows, g->set->channels, e);
    for (int k = 0; k < samples && !code; k++) {
        c.number[k] = number[k];
        c.layout[k] = g->set->layout[number[k]];
        copy_rows(g, &c, c.first[k], g->set->first[number[k]], rows_of(g, number[k]));
        c.first[k + 1] = c.first[k] + rows_of(g, number[k]);
        w->shown += g->chosen < 0 ? 0 : shown_in(g, number[k]);
    }
    if (code)
        return code;
    w->samples = samples, w->first = c.first, w->layout = c.layout, w->number = c.number, w->member = c.member;
    w->x = c.x, w->y = c.y, w->token = c.token, w->label = c.label, w->channels = g->set->channels;
    struct floor_set set = {.count = samples, .first = c.first, .layout = c.layout,
                            .channels = w->channels, .x = c.x,
                            .token = w->channels ? NULL : c.token};
    struct layout *trained = arena_alloc(&g->x->arena, 1, sizeof *trained, e);
    code = trained ? space_of(&t->space)->layout(&t->space, (int)t->space.length, &g->x->arena,
                                                 trained, e)
                   : ERR_MEMORY;
    if (code)
        return code;
    struct model_class class;
    model_class_of(&t->model, trained, &class);
    w->view = class.floor.view;
    w->marked = class.floor.mark;
    w->rounds = &g->x->rounds;
    return floor_rounds(&class.floor, &set, w->depth, &g->x->arena, &g->x->rounds, e);
}

/* ---- figures ----------------------------------------------------------------------------------*/
/* Mean, spread and square of one channel over the group. */
static void measure_channel(const struct gather *g, int channel)
{
    struct why *w = &g->x->why;
    const double *y = g->set->y + channel;
    double sum = 0, square = 0, least = INFINITY, greatest = -INFINITY;
    for (int r = 0; r < g->set->rows; r++) {
        double value = y[(size_t)r * (size_t)w->channels];
        if (g->group[r] != g->chosen || !counts(g, r))
            continue;
        sum += value;
        least = fmin(least, value);
        greatest = fmax(greatest, value);
    }
    double mean = sum / w->members, spread = (greatest - least) / 2;
    for (int r = 0; r < g->set->rows; r++)
        if (g->group[r] == g->chosen && counts(g, r))
            square += pow(y[(size_t)r * (size_t)w->channels] - mean, 2);
    w->square += square / w->members / w->channels;
    if (channel == 0 || spread > w->sup) {
        w->channel = channel;
        w->mean = mean;
        w->sup = spread;
    }
}

static void measure_labels(const struct gather *g)
{
    struct why *w = &g->x->why;
    for (int r = 0; r < g->set->rows; r++) {
        int same = 0;
        for (int q = 0; q < g->set->rows && g->group[r] == g->chosen && counts(g, r); q++)
            same += counts(g, q) && g->group[q] == g->chosen && g->set->label[q] == g->set->label[r];
        if (same > w->commonest_members) {
            w->commonest_members = same;
            w->commonest = g->set->label[r];
        }
    }
}

/* Pairs of a subset, and those in groups of several of its own. */
static void count_pairs(struct gather *g, int pattern, int *here)
{
    struct why *w = &g->x->why;
    for (int k = 0; k < g->set->count; k++)
        for (int r = g->set->first[k]; r < g->set->first[k + 1]; r++)
            here[g->group[r]] += counts(g, r) && (pattern < 0 || g->set->pattern[k] == pattern);
    for (int k = 0; k < g->groups; k++) {
        w->pairs += here[k];
        w->merged += here[k] > 1 ? here[k] : 0;
        w->groups += here[k] > 1;
    }
}

/* The subset of the first sample: its pattern, or all. */
static void read_floors(struct gather *g, int sample, int *here)
{
    int subset = 0;
    for (int k = 1; k < evaluation_subsets(g->ev); k++)
        if (evaluation_pattern(g->ev, k) == g->set->pattern[sample])
            subset = k;
    struct record *r = &g->x->why.floors;
    evaluation_floors(g->ev, subset, r);
    bool deep = g->x->why.depth;
    double rms = deep ? r->depth_floor_rms : r->floor_rms, rel = deep ? r->depth_floor_rel : r->floor_rel;
    g->x->why.deviation = rel > 0 ? rms / rel : NAN;
    count_pairs(g, evaluation_pattern(g->ev, subset), here);
}

static bool same_target(const struct samples *s, int a, int b)
{
    size_t d = (size_t)s->outputs;
    return d ? memcmp(s->y + (size_t)a * d, s->y + (size_t)b * d, d * sizeof *s->y) == 0 : s->label[a] == s->label[b];
}

/* size and varied of all groups; here (groups) is scratch, zero, and is so again. */
static void measure_groups(struct gather *g, int *here)
{
    bool some = false;
    for (int r = 0; r < g->set->rows; r++) {
        int *first = &here[g->group[r]];
        if (!counts(g, r))
            continue;
        *first = *first ? *first : r + 1;
        g->size[g->group[r]]++;
        g->varied[g->group[r]] |= !same_target(g->set, *first - 1, r);
        some |= g->varied[g->group[r]];
    }
    memset(here, 0, (size_t)g->groups * sizeof *here);
    if (!some)
        memset(g->varied, true, (size_t)g->groups * sizeof *g->varied);
}

static int gather(struct gather *g, int sample, struct err *e)
{
    int number[EXPLAIN_SAMPLES];
    int *here = arena_alloc(&g->x->arena, (size_t)g->groups, sizeof *here, e);
    g->size = arena_alloc(&g->x->arena, (size_t)g->groups, sizeof *g->size, e);
    g->varied = arena_alloc(&g->x->arena, (size_t)g->groups, sizeof *g->varied, e);
    if (!here || !g->size || !g->varied)
        return ERR_MEMORY;
    measure_groups(g, here);
    int begin = choose_group(g, sample, here);
    int code = show_samples(g, number, list_samples(g, begin, number), e);
    if (code)
        return code;
    g->x->why.members = g->chosen < 0 ? 1 : g->size[g->chosen];
    for (int c = 0; c < g->set->channels && g->chosen >= 0; c++)
        measure_channel(g, c);
    if (!g->set->channels && g->chosen >= 0)
        measure_labels(g);
    read_floors(g, begin, here);
    return 0;
}

bool explain_has(const struct evaluation *ev, const char *verdict)
{
    for (int k = 0; k < evaluation_own_subsets(ev); k++) {
        struct record r;
        evaluation_floors(ev, k, &r);
        if (strcmp(r.verdict, verdict) == 0)
            return true;
    }
    return false;
}

/* The groups of networks of the cell's depth. */
static int take_deep_groups(struct gather *g, const struct task *t, struct err *e)
{
    struct model_groups m = {.any = arena_alloc(&g->x->arena, (size_t)g->set->rows, sizeof *m.any, e),
                             .deep = arena_alloc(&g->x->arena, (size_t)g->set->rows, sizeof *m.deep, e)};
    int code = m.any && m.deep ? evaluation_merge_depth(t, g->set, &m, e) : ERR_MEMORY;
    g->group = m.deep;
    g->groups = m.deep_groups;
    return code;
}

int explain_open(struct explanation *x, const struct cell *c, const struct evaluation *ev,
                 int sample, struct err *e)
{
    struct gather g = {.ev = ev, .set = evaluation_samples(ev), .x = x};
    const struct task *t = evaluation_task(ev);
    bool deep = !explain_has(ev, "impossible") && explain_has(ev, "too-shallow");
    *x = (struct explanation){0};
    g.group = evaluation_groups(ev, &g.groups);
    g.mask = g.set->scored ? evaluation_part(ev, 0).mask : g.set->counts;
    if (g.set->channels != g.set->outputs || t->model.pool == MODEL_POOL_MEAN)
        return err_set(e, ERR_USAGE, "target", "inputs and outputs of one kind, one a position, are "
                       "explained, and not those of this target; expected another");
    if (sample >= g.set->count)
        return err_set(e, ERR_USAGE, "--sample", "there is no sample %d; expected 0 to %d", sample,
                       g.set->count - 1);
    x->why = (struct why){.cell = c->id,
                          .target = target_of(&t->target)->name,
                          .formula = target_of(&t->target)->formula,
                          .encoding = encoding_of(&t->model.encoding)->name,
                          .attention = t->model.attention == MODEL_URPE ? "urpe" : "rpe",
                          .matrix = t->model.attention == MODEL_URPE,
                          .tolerance = t->evaluate.tolerance,
                          .depth = deep ? (int)t->model.layers : 0,
                          .layers = (int)t->model.layers};
    if (t->model.plan.turn || model_before(&t->model) || model_convolves(&t->model))
        return err_set(e, ERR_USAGE, "model", "what is shown is one class of layers and nothing beside "
                       "it; expected plan: none, prefix: none and convolution: none");
    int code = arena_open(&x->arena, 0, e);
    if (!code && deep)
        code = take_deep_groups(&g, t, e);
    return code ? code : gather(&g, sample, e);
}

void explain_close(struct explanation *x)
{
    arena_close(&x->arena);
}
