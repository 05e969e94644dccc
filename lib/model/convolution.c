/* What mixes each position with those before it, beside attention: depthwise causal convolutions (Canon
 * layers, Allen-Zhu 2025, facebookresearch/PhysicsLM4) and token shift (Peng et al. 2023).
 *
 *   y_i = sum_t w_t * x_{i-t} (+ x_i)      t = 0 .. size-1, w (channels,size), x = 0 before position 1
 *
 * Along the line of a sample with what stands before it. */
#include <string.h>

#include "model/workspace.h"

enum { CANON_SIZE, CANON_RESIDUAL, CANON_INPUT, CANON_QKV, CANON_FFN, CANON_HIDDEN };
enum { SHIFT_SHARE, SHIFT_INPUT, SHIFT_FFN };

static const struct option none_options[] = {{.key = NULL}};

#define PLACE(name, value, what)                                                                   \
    {.key = name, .type = OPTION_BOOL, .fallback = value, .help = "on " what}

static const struct option canon_options[] = {
    [CANON_SIZE] = {.key = "size", .type = OPTION_INT, .min = 1, .max = 64, .fallback = "4",
                    .unit = "positions", .help = "how many positions it reaches over, its own too"},
    [CANON_RESIDUAL] = {.key = "residual", .type = OPTION_BOOL, .fallback = "true",
                        .help = "its input is added to what it gives"},
    [CANON_INPUT] = PLACE("input", "true", "attention's input (Canon-A)"),
    [CANON_QKV] = PLACE("qkv", "false", "queries, keys and values (Canon-B)"),
    [CANON_FFN] = PLACE("ffn", "false", "the feed-forward network's input (Canon-C)"),
    [CANON_HIDDEN] = {.key = "hidden", .type = OPTION_BOOL, .fallback = "false", .quiet = true,
                      .help = "on its hidden layer before the activation, and on what gates it (Canon-D)"},
    {.key = NULL}};
static const struct option shift_options[] = {
    [SHIFT_SHARE] = {.key = "share", .type = OPTION_REAL, .min = 0, .max = 1, .fallback = "0.5",
                     .help = "of the channels, those that come from the position before"},
    [SHIFT_INPUT] = PLACE("input", "true", "attention's input"),
    [SHIFT_FFN] = PLACE("ffn", "false", "the feed-forward network's input"),
    {.key = NULL}};

struct convolution {
    const char *name;
    const struct option *options;
    bool learned;
    int place[CONVOLVED_PLACES]; /* option that says so; -1: never */
};
static const struct convolution none = {"none", none_options, false, {-1, -1, -1, -1}};
static const struct convolution canon = {"canon", canon_options, true,
                                         {CANON_INPUT, CANON_QKV, CANON_FFN, CANON_HIDDEN}};
static const struct convolution shift = {"shift", shift_options, false,
                                         {SHIFT_INPUT, -1, SHIFT_FFN, -1}};
static const struct convolution *const table[] = {&none, &canon, &shift, NULL};
KIND_TABLE(convolution_kinds, "convolution", table);

static const struct convolution *entry(const struct kind_config *c)
{
    return table[c->kind];
}

bool convolution_at(const struct kind_config *c, enum convolved_place place)
{
    int option = entry(c)->place[place];
    return option >= 0 && c->number[option] != 0;
}

bool convolution_any(const struct kind_config *c)
{
    int place = 0;
    while (place < CONVOLVED_PLACES && !convolution_at(c, (enum convolved_place)place))
        place++;
    return place < CONVOLVED_PLACES;
}

bool convolution_learned(const struct kind_config *c)
{
    return entry(c)->learned;
}

int convolution_size(const struct kind_config *c)
{
    return entry(c)->learned ? (int)c->number[CANON_SIZE] : 2;
}

struct convolved convolved_of(const struct model *m, int layer, enum convolved_place place, int part,
                              const struct batch *b, const real *p, real *gradient)
{
    const struct model_layer *l = &m->layer[layer];
    const struct kind_config *c = &l->kind->config.convolution;
    struct convolved out = {.batch = b, .size = convolution_size(c),
                            .channels = place == CONVOLVED_QKV      ? m->qkv_width
                                        : place == CONVOLVED_HIDDEN ? (int)m->config.ffn
                                                                    : m->width};
    if (!convolution_learned(c)) {
        out.shifted = (int)(c->number[SHIFT_SHARE] * out.channels + 0.5);
        return out;
    }
    size_t at = m->tensors.item[l->convolution[place]].offset + (size_t)(part * out.channels * out.size);
    out.residual = c->number[CANON_RESIDUAL] != 0;
    out.weight = p + at;
    out.gradient = gradient ? gradient + at : NULL;
    return out;
}

/* ---- one row ----------------------------------------------------------------------------------*/
/* x, y of position i of its sample; what lies before it in memory are the positions before. */
static void row_forward(const struct convolved *c, int i, const real *x, real *y)
{
    int d = c->channels, reach = i + 1 < c->size ? i + 1 : c->size;
    if (!c->weight) {
        memcpy(y, x, (size_t)d * sizeof *y);
        for (int k = 0; k < c->shifted; k++)
            y[k] = i ? x[k - d] : 0;
        return;
    }
    for (int k = 0; k < d; k++) {
        const real *w = c->weight + k * c->size;
        real sum = c->residual ? x[k] : 0;
        for (int t = 0; t < reach; t++)
            sum += w[t] * x[k - t * d];
        y[k] = sum;
    }
}

/* left: positions of the sample after this one. */
static void row_backward(const struct convolved *c, int i, int left, const real *x, const real *dy,
                         real *dx)
{
    int d = c->channels, ahead = left + 1 < c->size ? left + 1 : c->size;
    int reach = i + 1 < c->size ? i + 1 : c->size;
    if (!c->weight) {
        memcpy(dx, dy, (size_t)d * sizeof *dx);
        for (int k = 0; k < c->shifted; k++)
            dx[k] = left ? dy[k + d] : 0;
        return;
    }
    for (int k = 0; k < d; k++) {
        const real *w = c->weight + k * c->size;
        real *dw = c->gradient + k * c->size, sum = c->residual ? dy[k] : 0;
        for (int t = 0; t < ahead; t++)
            sum += w[t] * dy[k + t * d];
        for (int t = 0; t < reach; t++)
            dw[t] += dy[k] * x[k - t * d];
        dx[k] = sum;
    }
}

/* ---- rows of a batch --------------------------------------------------------------------------*/
void convolved_forward(const struct convolved *c, const real *x, real *y)
{
    const int *start = c->batch->first;
    size_t d = (size_t)c->channels;
    for (int k = 0; k < c->batch->samples; k++)
        for (int r = start[k]; r < start[k + 1]; r++)
            row_forward(c, r - start[k], x + (size_t)r * d, y + (size_t)r * d);
}

void convolved_backward(const struct convolved *c, const real *x, const real *dy, real *dx)
{
    const int *start = c->batch->first;
    size_t d = (size_t)c->channels;
    for (int k = 0; k < c->batch->samples; k++)
        for (int r = start[k]; r < start[k + 1]; r++)
            row_backward(c, r - start[k], start[k + 1] - 1 - r, x + (size_t)r * d,
                         dy + (size_t)r * d, dx + (size_t)r * d);
}
