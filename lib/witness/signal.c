/* Row sums and their powers (signal.h). */
#include "witness/signal.h"

#include <math.h>
#include <string.h>

#include "witness/trial.h"

/* Sets one element of tensor `index`. */
static void set(struct trial *t, int index, size_t at, double value)
{
    size_t count;
    trial_tensor(t, index, &count)[at] = (real)value;
}

static void rest_tensors(struct trial *t, const int *index, int count, double value)
{
    size_t size;
    for (int k = 0; k < count; k++) {
        real *x = trial_tensor(t, index[k], &size);
        for (size_t i = 0; i < size; i++)
            x[i] = (real)(isnan(value) ? t->model.tensors.item[index[k]].mean : value);
    }
}

/* One channel of the input goes through the head and is added to itself. */
static void write(struct trial *t, const struct rest *rest, const struct signal_head *from)
{
    const struct model *m = &t->model;
    const struct model_layer *l = &m->layer[0];
    size_t width = (size_t)m->width, slot = (size_t)(from->head * m->head_width);
    size_t first = (size_t)from->head * (size_t)rest->table_rows;
    memset(t->p, 0, m->tensors.elements * sizeof *t->p);
    rest_tensors(t, l->encoding, m->kind->encoding_tensors, rest->at);
    rest_tensors(t, l->c, m->kind->c_tensors, rest->c_at);
    for (int r = 0; from->b && r < rest->relations; r++)
        if (from->seen[r])
            set(t, l->encoding[0], first + (size_t)rest->row[r], from->b[r]);
    set(t, m->embed, 0, 1);
    set(t, l->q_bias, slot, from->level / rest->scale);
    set(t, l->k_bias, slot, from->level != 0); /* without a level keys are 0, as the witness has them */
    set(t, l->v, slot * width, 1);
    set(t, l->o, slot, from->scale);
    set(t, m->head, 0, 1);
}

/* power = A x, x (n) in and out of the first channel. */
static void apply(struct trial *t, real *y, double *power)
{
    model_prepare(&t->model, t->p, &t->state);
    model_forward(&t->model, t->p, &t->state, &t->batch, t->workspace);
    model_output(&t->model, t->p, t->workspace, 0, t->n, y);
    for (int i = 0; i < t->n; i++)
        power[i] = (double)y[i * TRIAL_CHANNELS] - (double)t->x[i * TRIAL_CHANNELS];
}

int signal_powers(const struct model_config *m, const struct layout *trained,
                  const struct rest *rest, const struct signal_head *from, int depth,
                  double *power, struct err *e)
{
    struct trial t;
    int code = trial_open(&t, m, trained, e), n = trained->n;
    real *y = code ? NULL : arena_alloc(&t.arena, (size_t)n * TRIAL_CHANNELS, sizeof *y, e);
    if (!code && !y)
        code = ERR_MEMORY;
    if (!code)
        write(&t, rest, from);
    for (int k = 0; k < depth && !code; k++) {
        for (int i = 0; i < n; i++)
            t.x[i * TRIAL_CHANNELS] = k ? (real)power[(k - 1) * n + i] : 1;
        apply(&t, y, power + (size_t)k * (size_t)n);
    }
    trial_close(&t);
    return code;
}
