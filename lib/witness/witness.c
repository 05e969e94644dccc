/* Opening a witness: which construction, and sizes that agree with themselves (witness.h). */
#include "witness/witness.h"

#include <string.h>

#include "witness/build.h"

/* More heads or wider ones than the last attempt had are tried this often; biases at rest depend on
 * both, and two attempts settle all but the widths that an encoding refuses. */
enum { ATTEMPTS = 40 };

static const witness_construction continuous[] = {
    witness_build_affine, witness_build_linear,    witness_build_normalised,
    witness_build_window, witness_build_selection, witness_build_pieces,
    witness_build_neighbours};
static const witness_construction tokens[] = {witness_build_places, witness_build_offset,
                                              witness_build_pick, witness_build_runs};

struct opening {
    struct probe *probe;
    const struct model_config *model;
    const struct layout *layout;
    struct model_io io;
    struct err *err;
};

/* One attempt at given sizes; what it needs is in *heads and *head_width afterwards. */
static int attempt(const struct opening *o, witness_construction build, struct construct *c,
                   int *heads, int *head_width)
{
    int code = construct_open(c, o->model, &o->io, o->layout, *heads, *head_width, o->err);
    if (!code && !c->rest.known)
        code = CONSTRUCT_UNKNOWN;
    if (code)
        return code;
    struct witness_task task = {.probe = o->probe, .c = c, .beta = o->model->witness_beta,
                                .eps = o->model->witness_eps};
    int d = o->io.channels;
    task.x = construct_registers(c, d);
    for (int k = 0; k < d; k++)
        construct_embed(c, k, task.x + k, 1);
    code = build(&task);
    if (!code)
        code = c->code;
    if (!code)
        code = o->probe->code;
    if (code < 0)
        err_pass(o->err, &c->err);
    construct_sizes(c, heads, head_width);
    return code;
}

/* Head widths that the encoding refuses (odd ones under RoPE) are passed over. */
static int settle(const struct opening *o, witness_construction build, struct construct *c)
{
    int heads = 1, head_width = 1;
    for (int k = 0; k < ATTEMPTS; k++) {
        int need_heads = heads, need_width = head_width;
        struct err refused = {0};
        struct opening quiet = *o;
        quiet.err = &refused;
        int code = attempt(&quiet, build, c, &need_heads, &need_width);
        if (code == ERR_USAGE) {
            construct_close(c);
            head_width++;
            continue;
        }
        if (code) {
            construct_close(c);
            return code < 0 ? err_pass(o->err, &refused) : code;
        }
        if (need_heads == heads && need_width <= head_width)
            return 0;
        construct_close(c);
        heads = need_heads;
        head_width = need_width;
    }
    return CONSTRUCT_UNKNOWN;
}

static int open_witness(struct witness *w, const struct opening *o)
{
    const witness_construction *list = o->probe->d ? continuous : tokens;
    size_t count = o->probe->d ? sizeof continuous / sizeof *list : sizeof tokens / sizeof *list;
    int code = CONSTRUCT_UNKNOWN;
    for (size_t k = 0; k < count && code == CONSTRUCT_UNKNOWN; k++)
        code = settle(o, list[k], w->built);
    if (o->probe->code) /* not unknown: nobody could look */
        return o->probe->code;
    if (!code)
        construct_config(w->built, &w->config);
    return code;
}

/* A witness and what it points to, as one block. */
struct whole {
    struct witness witness;
    struct construct built;
};

int witness_open(struct witness **out, const struct target_config *target,
                 const struct space_config *space, const struct model_config *m,
                 const struct layout *trained, struct err *e)
{
    struct probe probe;
    struct whole *whole = memory_alloc(1, sizeof *whole, e);
    *out = NULL;
    if (!whole)
        return ERR_MEMORY;
    if (target_brings_inputs(target) || target_form(target).partial) { /* what is probed is a function */
        memory_free(whole);
        return 0;
    }
    struct witness *w = &whole->witness;
    w->built = &whole->built;
    int code = probe_open(&probe, target, space, trained, e);
    struct opening o = {.probe = &probe, .model = m, .layout = trained, .err = e};
    if (!code && probe.d)
        o.io.channels = probe.d;
    else if (!code)
        o.io = (struct model_io){.symbols = target_symbols(target),
                                 .labels = target_labels(target, trained->n)};
    /* Constructions know one layout, one kind of layer, attention alone, and nothing in front. */
    if (!code && space_is_one(space) && !m->plan.turn && !model_before(m) && !model_convolves(m) &&
        !model_maps_logits(m))
        code = open_witness(w, &o);
    else if (!code)
        code = CONSTRUCT_UNKNOWN;
    probe_close(&probe);
    if (code) {
        witness_close(w);
        return code < 0 ? code : 0;
    }
    *out = w;
    return 0;
}

void witness_close(struct witness *w)
{
    if (!w)
        return;
    construct_close(w->built);
    memory_free(w);
}

void witness_write(const struct witness *w, const struct model *m, void *parameters)
{
    construct_write(w->built, m, parameters);
}
