/* The learning rate of a step. */
#include <math.h>

#include "train/trainer.h"

/* step counts from 1.  Rises linearly to lr over `warmup` steps, then falls from lr towards 0, which
 * it would reach one step after the last, linearly or along a half cosine (Loshchilov and Hutter
 * 2017, eq. 5), or stays. */
double schedule_rate(const struct train_config *c, int64_t step)
{
    if (step < c->warmup)
        return c->lr * (double)step / (double)c->warmup;
    double left = (double)(c->steps - step + 1) / (double)(c->steps - c->warmup + 1);
    switch (c->decay) {
    case TRAIN_DECAY_LINEAR: return c->lr * left;
    case TRAIN_DECAY_COSINE: return c->lr * 0.5 * (1 - cos(acos(-1.0) * left));
    default: return c->lr;
    }
}
