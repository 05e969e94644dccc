/* Sets of samples that share what one position can know of them (train.h).
 * Invariant: a view holds all positions that the scored one depends on in networks of the task's class
 * (of its depth, for `beyond`); one that holds more only lowers floors. */
#include <string.h>

#include "base/memory.h"
#include "train/train.h"

/* ---- what comes before ------------------------------------------------------------------------*/
static bool looks_back(const struct task *t, const struct layout *l)
{
    return model_past(&t->model);
}

static void view_before(const struct task *t, const struct layout *l, int k, bool *view)
{
    for (int j = 0; j < l->n; j++)
        view[j] = j <= k;
}

const struct shared_kind shared_lookahead = {
    "lookahead", "samples that share their first tokens in sets, and are scored at the last of these alone",
    looks_back, view_before};

/* ---- the field of view of the layers ----------------------------------------------------------*/
static const struct layer_config *layer_of(const struct model_config *c, int64_t layer)
{
    return c->plan.turn ? &c->plan.kind[model_kind_of(c, layer)] : &c->layer;
}

/* From the last position to the first, so that what is added is not looked at again. */
static void widen_by_convolution(const struct layer_config *c, enum convolved_place place, int n,
                                 bool *view)
{
    int size = convolution_at(&c->convolution, place) ? convolution_size(&c->convolution) : 1;
    for (int i = 0; i < n; i++)
        for (int back = 1; back < size && i + back < n && !view[i]; back++)
            view[i] = view[i + back];
}

/* Adds what positions in the view see; MARK: so added, and seen by the next layer only. */
enum { OUT, IN, MARK };
static void widen_by_mask(const struct kind_config *mask, const struct layout *l, unsigned char *in,
                          bool *view)
{
    for (int i = 0; i < l->n; i++)
        in[i] = view[i] ? IN : OUT;
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < l->n && in[i] == IN; j++)
            if (in[j] == OUT && mask_sees(mask, l, i, j))
                in[j] = MARK;
    for (int i = 0; i < l->n; i++)
        view[i] = in[i] != OUT;
}

static void view_of_layers(const struct task *t, const struct layout *l, int k, bool *view)
{
    unsigned char *in = memory_alloc((size_t)l->n, 1, NULL);
    for (int j = 0; j < l->n; j++)
        view[j] = !in || j == k;
    for (int64_t layer = t->model.layers - 1; layer >= 0 && in; layer--) {
        const struct layer_config *c = layer_of(&t->model, layer);
        widen_by_convolution(c, CONVOLVED_HIDDEN, l->n, view);
        widen_by_convolution(c, CONVOLVED_FFN, l->n, view);
        widen_by_mask(&c->mask, l, in, view);
        widen_by_convolution(c, CONVOLVED_QKV, l->n, view);
        widen_by_convolution(c, CONVOLVED_INPUT, l->n, view);
    }
    memory_free(in);
}

/* Whether the view of a position leaves out what masks alone do not hide from it for good. */
static bool leaves_out(const struct task *t, const struct layout *l, int k, bool *view)
{
    bool past = model_past(&t->model);
    view_of_layers(t, l, k, view);
    for (int j = 0; j < l->n; j++)
        if (!view[j] && (!past || j < k))
            return true;
    return false;
}

static bool sees_little(const struct task *t, const struct layout *l)
{
    bool *view = memory_alloc((size_t)l->n, sizeof *view, NULL);
    bool little = view && !model_before(&t->model) &&
                  (leaves_out(t, l, l->n - 1, view) || leaves_out(t, l, 0, view));
    memory_free(view);
    return little;
}

const struct shared_kind shared_beyond = {
    "beyond", "samples that share in sets what the layers reach from one position, and are scored there alone",
    sees_little, view_of_layers};

/* ---- both -------------------------------------------------------------------------------------*/
const struct shared_kind *const shared_table[SHARED_KINDS + 1] = {&shared_lookahead, &shared_beyond,
                                                                  NULL};

bool task_shares(const struct task *t, int kind, int length)
{
    struct arena arena;
    struct layout l;
    if (t->evaluate.images == 0 || !space_is_one(&t->space) || target_brings_inputs(&t->target) ||
        t->model.pool != MODEL_POOL_NONE || !(t->space.share[PATTERN_GENERIC] > 0))
        return false;
    bool shares = !arena_open(&arena, 0, NULL) &&
                  !space_of(&t->space)->layout(&t->space, length, &arena, &l, NULL) &&
                  shared_table[kind]->applies(t, &l);
    arena_close(&arena);
    return shares;
}

int64_t task_image_sets(const struct task *t)
{
    return (t->evaluate.samples + t->evaluate.images - 1) / t->evaluate.images;
}
