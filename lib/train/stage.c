/* Stages: the lengths of a curriculum, one after the other.  Without one there is a single stage.
 * Invariant: which stage a step belongs to, and which samples it draws, follow from the
 * configuration alone, so a resumed run enters the same stage. */
#include "kernel/kernel.h"
#include "train/trainer.h"

static int lanes_of(int batch, int n)
{
    int64_t lanes = (int64_t)batch * n / TRAINER_LANE_ROWS;
    lanes = lanes < TRAINER_LANES_MAX ? lanes : TRAINER_LANES_MAX;
    lanes = lanes < batch ? lanes : batch;
    return lanes > 1 ? (int)lanes : 1;
}

/* The curriculum as it is at this n: longer lengths are left out, and the last is n. */
static int lengths_here(const struct train_config *c, int64_t n, int64_t *length, double *share)
{
    int count = 0;
    for (int k = 0; k < c->lengths.count; k++) {
        bool last = k == c->lengths.count - 1;
        if (!last && c->lengths.value[k] > n)
            continue;
        length[count] = last ? n : c->lengths.value[k];
        share[count++] = c->length_shares.count ? (double)c->length_shares.value[k] : 1;
    }
    return count;
}

void stages_plan(struct trainer *t)
{
    const struct train_config *c = &t->task.train;
    int64_t length[OPTION_INTS_MAX];
    double share[OPTION_INTS_MAX], sum = 0, before = 0;
    int lengths = lengths_here(c, t->trained.n, length, share);
    t->at = -1;
    t->stages = lengths > 0 ? lengths : 1;
    t->stage[0] = (struct stage){.n = t->trained.n, .batch = (int)c->batch};
    for (int k = 0; k < lengths; k++)
        sum += share[k];
    for (int k = 0; k < lengths; k++) {
        struct stage *s = &t->stage[k], *last = k ? &t->stage[k - 1] : NULL;
        int64_t batch = c->batch * t->trained.n / length[k];
        batch = batch < INT32_MAX ? batch : INT32_MAX; /* which no memory holds: refused later */
        *s = (struct stage){.n = (int)length[k], .batch = batch > 1 ? (int)batch : 1,
                            .first_step = (int64_t)((double)c->steps * before / sum)};
        if (last)
            s->first_sample = last->first_sample +
                              (uint64_t)(s->first_step - last->first_step) * (uint64_t)last->batch;
        before += share[k];
    }
}

/* State, lanes and summed dstate of one stage on its layout. */
static int carve_stage(struct trainer *t, const struct stage *s, const struct layout *l,
                       struct arena *a, struct err *e)
{
    int lanes = lanes_of(s->batch, l->n);
    t->lanes = lanes;
    int code = model_state_open(&t->state, &t->model, l, a, e);
    t->dstate = arena_alloc(a, t->state.elements, sizeof *t->dstate, e);
    for (int k = 0; k < lanes && !code; k++)
        code = lane_open(&t->lane[k], t, &t->state,
                         lane_first(s->batch, lanes, k + 1) - lane_first(s->batch, lanes, k), l->n,
                         true, a, e);
    if (!code && !a->measuring && !t->dstate)
        code = ERR_MEMORY;
    return code;
}

int stages_lanes(const struct trainer *t)
{
    int most = 1;
    for (int k = 0; k < t->stages; k++) {
        int lanes = lanes_of(t->stage[k].batch, t->stage[k].n);
        most = lanes > most ? lanes : most;
    }
    return most;
}

int trainer_layout(struct trainer *t, int n, struct layout *out, struct err *e)
{
    *out = t->trained;
    if (n == t->trained.n)
        return 0;
    return space_of(&t->task.space)->layout(&t->task.space, n, &t->tables, out, e);
}

static int stage_of(const struct trainer *t)
{
    int k = t->stages - 1;
    while (k > 0 && t->step < t->stage[k].first_step)
        k--;
    return k;
}

int stage_enter(struct trainer *t, struct err *e)
{
    int at = stage_of(t);
    struct arena measure;
    struct layout l;
    if (at == t->at)
        return 0;
    const struct stage *s = &t->stage[at];
    sampler_close(t->sampler);
    t->sampler = NULL;
    arena_close(&t->pass);
    arena_open_measure(&measure);
    int code = trainer_layout(t, s->n, &l, e);
    if (!code)
        code = carve_stage(t, s, &l, &measure, e);
    if (!code)
        code = arena_open(&t->pass, measure.peak, e);
    if (!code)
        code = carve_stage(t, s, &l, &t->pass, e);
    if (!code)
        code = sampler_open(&t->sampler, &t->task, s->n, e);
    t->at = code ? -1 : at;
    return code;
}

int stages_price(struct trainer *t, size_t *bytes, struct err *e)
{
    *bytes = 0;
    for (int k = 0; k < t->stages; k++) {
        struct arena measure;
        struct layout l;
        arena_open_measure(&measure);
        int code = trainer_layout(t, t->stage[k].n, &l, e);
        if (!code)
            code = carve_stage(t, &t->stage[k], &l, &measure, e);
        if (code)
            return code;
        *bytes = measure.peak > *bytes ? measure.peak : *bytes;
    }
    return 0;
}
