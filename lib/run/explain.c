/* What an explanation shows, gathered (explain.h). */
#include "run/explain.h"

#include <math.h>
#include <string.h>

#include "floor/sort.h"
#include "report/verdict.h"

struct gather {
    const struct samples *set;
    const int32_t *group;
    const unsigned char *mask; /* (rows) 0: not of the subset; NULL: all are */
    int groups, chosen; /* the group that is explained; -1: none adds to the floor, or the sample is in none */
    int *size;          /* (groups) */
    double *part;       /* (groups) of the floor: its squares' sum, a mean over channels, or wrong answers */
    int32_t *label;     /* (groups) the commonest of token targets, and the smallest of these */
    struct explanation *x;
};

/* ---- which subset -----------------------------------------------------------------------------*/
/* How bad it is, as a line of the table has it (report/verdict.h). */
static struct severity severity_of(const struct evaluation *ev, int subset)
{
    struct record r;
    evaluation_floors(ev, subset, &r);
    double floor = isfinite(r.floor_rel)          ? fmax(r.floor_rel, r.depth_floor_rel)
                   : isfinite(r.accuracy_ceiling) ? 1 - fmin(r.accuracy_ceiling, r.depth_accuracy_ceiling)
                                                  : fmax(r.floor_rms, r.depth_floor_rms);
    return (struct severity){.badness = verdict_style(r.verdict)->badness, .floor = floor, .error = -1};
}

static bool holds(const struct evaluation *ev, int subset, int sample)
{
    struct evaluation_part p = evaluation_part(ev, subset);
    if (sample >= p.set->count)
        return false;
    int row = p.set->first[sample];
    while (row < p.set->first[sample + 1] && p.mask && !p.mask[row])
        row++;
    return row < p.set->first[sample + 1];
}

int explain_subset(const struct evaluation *ev, const char *name, int sample)
{
    int worst = -1;
    for (int k = 0; k < evaluation_subsets(ev); k++) {
        struct record r;
        evaluation_floors(ev, k, &r);
        if (name ? strcmp(r.subset, name) == 0
                 : worst < 0 || severity_exceeds(severity_of(ev, k), severity_of(ev, worst)))
            worst = k;
    }
    const struct samples *set = worst < 0 ? NULL : evaluation_part(ev, worst).set;
    if (name || !set || sample < 0 || holds(ev, worst, sample))
        return worst;
    int best = -1; /* of those that hold the sample, then, of the same set */
    for (int k = 0; k < evaluation_subsets(ev); k++)
        if (evaluation_part(ev, k).set == set && holds(ev, k, sample) &&
            (best < 0 || severity_exceeds(severity_of(ev, k), severity_of(ev, best))))
            best = k;
    return best < 0 ? worst : best;
}

/* ---- which group ------------------------------------------------------------------------------*/
static bool counts(const struct gather *g, int row)
{
    return !g->mask || g->mask[row];
}

/* Of what a group adds to the floor its targets alone decide. */
static int weigh_numbers(struct gather *g, struct err *e)
{
    double *share = arena_alloc(&g->x->arena, (size_t)g->set->rows, sizeof *share, e);
    int code = share ? floor_shares(g->group, g->groups, g->set->rows, g->set->outputs, g->set->y, g->mask, share, e)
                     : ERR_MEMORY;
    for (int r = 0; r < g->set->rows && !code; r++)
        g->part[g->group[r]] += share[r];
    return code;
}

static int weigh_labels(struct gather *g, struct err *e)
{
    struct sort_item *item = arena_alloc(&g->x->arena, (size_t)g->set->rows, sizeof *item, e);
    int *most = arena_alloc(&g->x->arena, (size_t)g->groups, sizeof *most, e);
    size_t count = 0;
    if (!item || !most)
        return ERR_MEMORY;
    for (int r = 0; r < g->set->rows; r++)
        if (counts(g, r))
            item[count++] = (struct sort_item){(uint64_t)g->group[r] << 32 | (uint32_t)g->set->label[r], r};
    sort_items(item, count);
    for (size_t at = 0, end; at < count; at = end) {
        int32_t group = g->group[item[at].row];
        for (end = at; end < count && item[end].key == item[at].key;)
            end++;
        if ((int)(end - at) > most[group]) {
            most[group] = (int)(end - at);
            g->label[group] = g->set->label[item[at].row];
        }
    }
    for (int k = 0; k < g->groups; k++)
        g->part[k] = g->size[k] - most[k];
    return 0;
}

/* Whether a group with `count` rows in some sample comes before the chosen one, which has `most`. */
static bool comes_before(const struct gather *g, int32_t group, int count, int most)
{
    if (g->chosen < 0 || g->size[group] < 2)
        return g->size[group] > 1;
    if (g->part[group] != g->part[g->chosen])
        return g->part[group] > g->part[g->chosen];
    return count != most ? count > most : g->size[group] > g->size[g->chosen];
}

/* Returns the sample to begin with; here (groups) is scratch, zero. */
static int choose_group(struct gather *g, int only, int *here)
{
    int begin = only < 0 ? 0 : only, most = 0;
    g->chosen = -1;
    for (int k = begin; k < (only < 0 ? g->set->count : only + 1); k++) {
        int first = g->set->first[k], end = g->set->first[k + 1];
        for (int r = first; r < end; r++) {
            if (!counts(g, r))
                continue;
            int count = ++here[g->group[r]];
            if (g->group[r] == g->chosen ? count > most : comes_before(g, g->group[r], count, most)) {
                g->chosen = g->group[r];
                most = count;
                begin = k;
            }
        }
        for (int r = first; r < end; r++)
            here[g->group[r]] = 0;
    }
    if (only < 0 && g->chosen >= 0 && !(g->part[g->chosen] > 0)) {
        g->chosen = -1;
        return 0;
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

static int show_samples(struct gather *g, const struct task *t, const int *number, int samples, struct err *e)
{
    struct copy c = {0};
    struct why *w = &g->x->why;
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
/* Mean and spread of one channel over the group. */
static void measure_channel(const struct gather *g, int channel)
{
    struct why *w = &g->x->why;
    const double *y = g->set->y + channel;
    double sum = 0, least = INFINITY, greatest = -INFINITY;
    for (int r = 0; r < g->set->rows; r++) {
        double value = y[(size_t)r * (size_t)w->channels];
        if (g->group[r] != g->chosen || !counts(g, r))
            continue;
        sum += value;
        least = fmin(least, value);
        greatest = fmax(greatest, value);
    }
    double spread = (greatest - least) / 2;
    if (channel == 0 || spread > w->sup) {
        w->channel = channel;
        w->mean = sum / w->members;
        w->sup = spread;
    }
}

static void measure(const struct gather *g)
{
    struct why *w = &g->x->why;
    const struct record *r = &w->floors;
    w->members = g->chosen < 0 ? 1 : g->size[g->chosen];
    for (int c = 0; c < g->set->channels && g->chosen >= 0; c++)
        measure_channel(g, c);
    if (g->chosen >= 0 && g->set->channels)
        w->square = g->part[g->chosen] / w->members;
    else if (g->chosen >= 0) {
        w->commonest = g->label[g->chosen];
        w->commonest_members = w->members - (int)g->part[g->chosen];
    }
    double rms = w->depth ? r->depth_floor_rms : r->floor_rms, rel = w->depth ? r->depth_floor_rel : r->floor_rel;
    w->deviation = rel > 0 ? rms / rel : NAN;
    for (int k = 0; k < g->groups; k++) {
        w->pairs += g->size[k];
        w->merged += g->size[k] > 1 ? g->size[k] : 0;
        w->groups += g->size[k] > 1;
    }
}

static int gather(struct gather *g, const struct task *t, int sample, struct err *e)
{
    int number[EXPLAIN_SAMPLES];
    struct arena *a = &g->x->arena;
    int *here = arena_alloc(a, (size_t)g->groups, sizeof *here, e);
    g->size = arena_alloc(a, (size_t)g->groups, sizeof *g->size, e);
    g->part = arena_alloc(a, (size_t)g->groups, sizeof *g->part, e);
    g->label = arena_alloc(a, (size_t)g->groups, sizeof *g->label, e);
    if (!here || !g->size || !g->part || !g->label)
        return ERR_MEMORY;
    for (int r = 0; r < g->set->rows; r++)
        g->size[g->group[r]] += counts(g, r);
    int code = g->set->channels ? weigh_numbers(g, e) : weigh_labels(g, e);
    if (code)
        return code;
    int begin = choose_group(g, sample, here);
    code = show_samples(g, t, number, list_samples(g, begin, number), e);
    if (!code)
        measure(g);
    return code;
}

bool explain_has(const struct evaluation *ev, int subset)
{
    return severity_of(ev, subset).badness >= verdict_style("too-shallow")->badness;
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

/* Of the sample that is asked for, counted from 0. */
static int check_sample(const struct evaluation *ev, int subset, int sample, struct err *e)
{
    struct record r;
    int count = evaluation_part(ev, subset).set->count;
    evaluation_floors(ev, subset, &r);
    if (sample >= count)
        return err_set(e, ERR_USAGE, NULL, "--sample %d: this set has samples 1 to %d", sample + 1, count);
    if (sample >= 0 && !holds(ev, subset, sample))
        return err_set(e, ERR_USAGE, NULL, "--sample %d: it is none of the inputs '%s'", sample + 1, r.subset);
    return 0;
}

/* What the subset is, in words. */
static const char *describe(const struct evaluation *ev, int subset)
{
    int pattern = evaluation_pattern(ev, subset), kind = 0;
    struct record r;
    evaluation_floors(ev, subset, &r);
    while (shared_table[kind] && strcmp(shared_table[kind]->name, r.subset) != 0)
        kind++;
    return pattern >= 0 ? pattern_table[pattern]->help : shared_table[kind] ? shared_table[kind]->help : "";
}

int explain_open(struct explanation *x, const struct cell *c, const struct evaluation *ev, int subset,
                 int sample, struct err *e)
{
    struct evaluation_part part = evaluation_part(ev, subset);
    struct gather g = {.set = part.set, .group = part.group, .groups = part.groups, .mask = part.mask, .x = x};
    const struct task *t = evaluation_task(ev);
    struct record r;
    evaluation_floors(ev, subset, &r);
    bool deep = strcmp(r.verdict, "impossible") != 0 &&
                (r.depth_floor_rms > r.floor_rms || r.depth_accuracy_ceiling < r.accuracy_ceiling);
    *x = (struct explanation){0};
    if (g.set->channels != g.set->outputs || t->model.pool == MODEL_POOL_MEAN)
        return err_set(e, ERR_USAGE, "target", "inputs and outputs of one kind, one a position, are "
                       "explained, and not those of this target; expected another");
    if (check_sample(ev, subset, sample, e))
        return ERR_USAGE;
    x->why = (struct why){.cell = c->id,
                          .target = target_of(&t->target)->name,
                          .formula = target_of(&t->target)->formula,
                          .encoding = encoding_of(&t->model.encoding)->name,
                          .attention = t->model.attention == MODEL_URPE ? "urpe" : "rpe",
                          .matrix = t->model.attention == MODEL_URPE,
                          .tolerance = t->evaluate.tolerance,
                          .depth = deep ? (int)t->model.layers : 0,
                          .layers = (int)t->model.layers,
                          .sample = sample + 1,
                          .inputs = describe(ev, subset),
                          .floors = r};
    if (t->model.plan.turn || model_before(&t->model) || model_convolves(&t->model))
        return err_set(e, ERR_USAGE, "model", "what is shown is one class of layers and nothing beside "
                       "it; expected plan: none, prefix: none and convolution: none");
    int code = arena_open(&x->arena, 0, e);
    if (!code && deep)
        code = take_deep_groups(&g, t, e);
    return code ? code : gather(&g, t, sample, e);
}

void explain_close(struct explanation *x)
{
    arena_close(&x->arena);
}
