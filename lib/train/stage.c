/* Planning stages (stage.h). */
#include "train/stage.h"

#include "train/pass.h"

enum { MICROBATCH_ROWS = 256 }; /* at least, where there are several */

static struct stage stage_of(int64_t n, int64_t batch)
{
    int64_t most = batch < MICROBATCHES_MAX ? batch : MICROBATCHES_MAX;
    int64_t parts = batch * n / MICROBATCH_ROWS;
    parts = parts < most ? parts : most;
    return (struct stage){.n = (int)n, .batch = (int)batch,
                          .microbatches = parts > 1 ? (int)parts : 1};
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

int stages_plan(const struct train_config *c, int n, struct stage stage[OPTION_INTS_MAX])
{
    int64_t length[OPTION_INTS_MAX];
    double share[OPTION_INTS_MAX], sum = 0, before = 0;
    int lengths = lengths_here(c, n, length, share);
    stage[0] = stage_of(n, c->batch);
    for (int k = 0; k < lengths; k++)
        sum += share[k];
    for (int k = 0; k < lengths; k++) {
        struct stage *s = &stage[k], *last = k ? &stage[k - 1] : NULL;
        int64_t batch = c->batch * n / length[k];
        batch = batch < INT32_MAX ? batch : INT32_MAX; /* which no memory holds: refused later */
        *s = stage_of(length[k], batch > 1 ? batch : 1);
        s->first_step = (int64_t)((double)c->steps * before / sum);
        if (last)
            s->first_sample = last->first_sample +
                              (uint64_t)(s->first_step - last->first_step) * (uint64_t)last->batch;
        before += share[k];
    }
    return lengths > 0 ? lengths : 1;
}
