/* One attention layer (trial.h). */
#include "witness/trial.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

int trial_open(struct trial *pr, const struct model_config *m, const struct layout *trained,
               struct err *e)
{
    *pr = (struct trial){.layout = trained, .n = trained->n, .heads = (int)m->heads};
    struct model_config config = *m;
    size_t n = (size_t)pr->n;
    size_t width = m->width > TRIAL_CHANNELS ? (size_t)m->width : TRIAL_CHANNELS;
    config.norm = MODEL_NORM_NONE;
    config.layers = config.ffn = 1;
    struct model_io io = {.channels = TRIAL_CHANNELS};
    int code = arena_open(&pr->arena, 0, e);
    if (code || (code = model_check(&config, &io, pr->layout, pr->layout, e)) ||
        (code = model_open(&pr->model, &config, &io, pr->layout, e)) ||
        (code = model_state_open(&pr->state, &pr->model, pr->layout, &pr->arena, e)) ||
        (code = workspace_open(&pr->workspace, &pr->model, &pr->state, pr->n, false, &pr->arena,
                               e)))
        return code;
    pr->p = arena_alloc(&pr->arena, pr->model.tensors.elements, sizeof *pr->p, e);
    pr->x = arena_alloc(&pr->arena, n * TRIAL_CHANNELS, sizeof *pr->x, e);
    pr->sums = arena_alloc(&pr->arena, n * (size_t)pr->heads, sizeof *pr->sums, e);
    pr->stream = arena_alloc(&pr->arena, 3 * n * width, sizeof *pr->stream, e);
    pr->unit = arena_alloc(&pr->arena, 2 * n * width, sizeof *pr->unit, e);
    pr->first[1] = pr->n;
    pr->batch = (struct batch){.samples = 1, .rows = pr->n, .first = pr->first,
                               .layout = &pr->layout, .x = pr->x};
    return pr->p && pr->x && pr->sums && pr->stream && pr->unit ? 0 : ERR_MEMORY;
}

void trial_close(struct trial *pr)
{
    model_close(&pr->model);
    arena_close(&pr->arena);
}

real *trial_tensor(struct trial *pr, int index, size_t *count)
{
    const struct tensor *t = &pr->model.tensors.item[index];
    *count = t->count;
    return pr->p + t->offset;
}

void trial_draw_parameters(struct trial *pr, struct stream *random)
{
    model_initialise(&pr->model, pcg64_next(&random->state), pr->p);
    for (int k = 0; k < pr->model.tensors.count; k++) {
        const struct tensor *t = &pr->model.tensors.item[k];
        double deviation = t->table ? 1 : t->rank > 1 ? 1 / sqrt(t->shape[1]) : 0.3;
        for (size_t i = 0; i < t->count; i++)
            pr->p[t->offset + i] += (real)gsl_ran_gaussian_ziggurat(stream_rng(random), deviation);
    }
}

void trial_draw_input(struct trial *pr, struct stream *random, bool identical)
{
    for (int i = 0; i < pr->n * TRIAL_CHANNELS; i++)
        pr->x[i] = identical && i >= TRIAL_CHANNELS ? pr->x[i - TRIAL_CHANNELS]
                                                    : (real)stream_uniform24(random);
}

void trial_clear_encoding(struct trial *pr)
{
    for (int k = 0; k < pr->model.kind->encoding_tensors; k++) {
        size_t count;
        real *p = trial_tensor(pr, pr->model.layer[0].encoding[k], &count);
        memset(p, 0, count * sizeof *p);
    }
}

void trial_clear_query_key(struct trial *pr, int only)
{
    const struct model_layer *l = &pr->model.layer[0];
    const int index[] = {l->q, l->k, l->q_bias, l->k_bias};
    for (int k = 0; k < 4; k++) {
        size_t count;
        real *p = trial_tensor(pr, index[k], &count);
        size_t columns = count / (size_t)pr->model.width;
        for (size_t i = 0; i < count; i++)
            if (only < 0 || (int)(i / columns) % pr->model.head_width != only)
                p[i] = 0;
    }
}

void trial_clear_query_key_weights(struct trial *pr)
{
    const int index[] = {pr->model.layer[0].q, pr->model.layer[0].k};
    for (int k = 0; k < 2; k++) {
        size_t count;
        real *p = trial_tensor(pr, index[k], &count);
        memset(p, 0, count * sizeof *p);
    }
}

double trial_channel_change(struct trial *pr, int c)
{
    const struct model *m = &pr->model;
    int width = m->width, entries = pr->n * width;
    struct encoding_context context = {.config = &m->config.encoding, .shape = &m->kind->shape,
                                       .layout = pr->layout, .fold = pr->state.fold,
                                       .state = pr->state.block};
    for (int k = 0; k < m->kind->encoding_tensors; k++)
        context.parameter[k] = pr->p + m->tensors.item[m->layer[0].encoding[k]].offset;
    for (int i = 0; i < 2 * entries; i++)
        pr->unit[i] = i % m->head_width == c;
    model_prepare(m, pr->p, &pr->state);
    m->kind->encoding->query_key(&context, pr->unit, pr->unit + entries, width);
    double largest = 0;
    for (int i = 0; i < 2 * entries; i++)
        largest = fmax(largest, fabs((double)pr->unit[i] - (i % m->head_width == c)));
    return largest;
}

void trial_sums(struct trial *pr, double *sums)
{
    model_prepare(&pr->model, pr->p, &pr->state);
    model_forward(&pr->model, pr->p, &pr->state, &pr->batch, pr->workspace);
    model_row_sums(&pr->model, pr->p, &pr->state, &pr->batch, pr->workspace, sums);
}

void trial_attention(struct trial *pr, double *attention)
{
    size_t n = (size_t)pr->n, heads = (size_t)pr->heads, count;
    real *c = trial_tensor(pr, pr->model.layer[0].c[0], &count);
    size_t rows = count / heads;
    memset(attention, 0, heads * n * n * sizeof *attention);
    for (size_t r = 0; r < rows; r++) {
        for (size_t k = 0; k < count; k++)
            c[k] = k % rows == r;
        trial_sums(pr, pr->sums);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t h = 0; h < heads; h++)
                    if ((size_t)layout_relation(pr->layout, (int)i, (int)j) == r)
                        attention[(h * n + i) * n + j] = pr->sums[h * n + i];
    }
    for (size_t k = 0; k < count; k++)
        c[k] = 1;
}

/* y (n,out) = x (n,in) W^T + b, W (out,in). */
static void linear(int n, int in, int out, const double *x, const real *weight, const real *bias,
                   double *y)
{
    for (int i = 0; i < n; i++)
        for (int o = 0; o < out; o++) {
            double sum = (double)bias[o];
            for (int k = 0; k < in; k++)
                sum += x[i * in + k] * (double)weight[o * in + k];
            y[i * out + o] = sum;
        }
}

/* a (n) = softmax of scale q_i.k_j over the visible j of row i; q, k: one head's columns. */
static void softmax_row(const struct trial *pr, const double *q, const double *k, int i,
                        double *a)
{
    int d = pr->model.head_width, width = pr->model.width;
    double largest = -INFINITY, sum = 0;
    for (int j = 0; j < pr->n; j++) {
        a[j] = mask_sees(&pr->model.config.mask, pr->layout, i, j) ? 0 : -INFINITY;
        for (int c = 0; c < d; c++)
            a[j] += pr->model.kind->facts.scale * q[i * width + c] * k[j * width + c];
        largest = fmax(largest, a[j]);
    }
    for (int j = 0; j < pr->n; j++)
        sum += a[j] = exp(a[j] - largest);
    for (int j = 0; j < pr->n; j++)
        a[j] /= sum;
}

void trial_plain_attention(struct trial *pr, double *attention)
{
    const struct model *m = &pr->model;
    const struct model_layer *l = &m->layer[0];
    const struct tensor *t = m->tensors.item;
    int n = pr->n, width = m->width, d = m->head_width;
    double *hidden = pr->stream, *q = hidden + n * width, *k = q + n * width;
    for (int i = 0; i < n * TRIAL_CHANNELS; i++)
        k[i] = (double)pr->x[i]; /* the input fits where keys go later */
    linear(n, TRIAL_CHANNELS, width, k, pr->p + t[m->embed].offset,
           pr->p + t[m->embed_bias].offset, hidden);
    linear(n, width, width, hidden, pr->p + t[l->q].offset, pr->p + t[l->q_bias].offset, q);
    linear(n, width, width, hidden, pr->p + t[l->k].offset, pr->p + t[l->k_bias].offset, k);
    for (int h = 0; h < pr->heads; h++)
        for (int i = 0; i < n; i++)
            softmax_row(pr, q + h * d, k + h * d, i, attention + (size_t)((h * n + i) * n));
}

double trial_distance(struct trial *pr, struct stream *random, int heads, double *a,
                      double *plain)
{
    size_t entries = (size_t)heads * (size_t)pr->n * (size_t)pr->n;
    double largest = 0;
    trial_draw_input(pr, random, false);
    trial_attention(pr, a);
    trial_plain_attention(pr, plain);
    for (size_t i = 0; i < entries; i++)
        largest = isnan(a[i]) ? INFINITY : fmax(largest, fabs(a[i] - plain[i]));
    return largest;
}
