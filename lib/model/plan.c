/* Plans: layers that are not all alike (model.h).
 *
 *   plan: [{mask: window, layers: 2}, {}]    turn = 3, of = 0 0 1, kinds = 2
 *   layers  0 1 2 3 4 5 6 ..
 *   kind    0 0 1 0 0 1 0 .. */
#include <string.h>

#include "model/model.h"

int model_kinds(const struct model_config *c)
{
    return c->plan.turn ? c->plan.kinds : 1;
}

int model_kind_of(const struct model_config *c, int64_t layer)
{
    return c->plan.turn ? c->plan.of[layer % c->plan.turn] : 0;
}

void model_kind_config(const struct model_config *c, int k, struct model_config *out)
{
    *out = *c;
    if (c->plan.turn)
        out->layer = c->plan.kind[k];
    memset(&out->plan, 0, sizeof out->plan);
}

bool model_past(const struct model_config *c)
{
    bool past = mask_past(&c->mask);
    for (int k = 0; k < c->plan.kinds; k++)
        past = past && mask_past(&c->plan.kind[k].mask);
    return past;
}

static const char *declared_of_layer(const struct kind_config *encoding, const struct kind_config *c,
                                     const char **key)
{
    const struct encoding *of = encoding_of(encoding);
    const char *text = of->declared ? of->declared(encoding) : "";
    *key = "model.encoding.relation";
    if (*text || !c || !urpe_of(c)->declared)
        return text;
    *key = "model.c.relation";
    return urpe_of(c)->declared(c);
}

const char *model_declared(const struct model_config *c, const char **key)
{
    const struct kind_config *of_c = c->attention == MODEL_URPE ? &c->c : NULL;
    const char *text = declared_of_layer(&c->encoding, of_c, key);
    for (int k = 0; k < c->plan.kinds && !*text; k++) {
        const struct layer_config *l = &c->plan.kind[k];
        text = declared_of_layer(&l->encoding, l->attention == MODEL_URPE ? &l->c : NULL, key);
    }
    return *text ? text : NULL;
}

static bool layer_reads_length(const struct kind_config *encoding, const struct kind_config *c)
{
    const struct encoding *of = encoding_of(encoding);
    return (of->reads_length && of->reads_length(encoding)) ||
           (c && urpe_of(c)->reads_length && urpe_of(c)->reads_length(c));
}

bool model_reads_length(const struct model_config *c)
{
    bool any = layer_reads_length(&c->encoding, c->attention == MODEL_URPE ? &c->c : NULL);
    for (int k = 0; k < c->plan.kinds; k++) {
        const struct layer_config *l = &c->plan.kind[k];
        any = any || layer_reads_length(&l->encoding, l->attention == MODEL_URPE ? &l->c : NULL);
    }
    return any;
}

bool model_convolves(const struct model_config *c)
{
    bool any = convolution_any(&c->convolution);
    for (int k = 0; k < c->plan.kinds; k++)
        any = any || convolution_any(&c->plan.kind[k].convolution);
    return any;
}

bool plan_append(struct model_plan *p, const struct layer_config *layer)
{
    int k = 0;
    while (k < p->kinds && memcmp(&p->kind[k], layer, sizeof *layer))
        k++;
    if (k == PLAN_KINDS_MAX || p->turn == PLAN_TURN_MAX)
        return false;
    if (k == p->kinds)
        memcpy(&p->kind[p->kinds++], layer, sizeof *layer);
    p->of[p->turn++] = (unsigned char)k;
    return true;
}

/* Whether the turn consists of turns of `length` layers. */
static bool repeats(const struct model_plan *p, int length)
{
    bool same = p->turn % length == 0;
    for (int k = length; k < p->turn && same; k++)
        same = p->of[k] == p->of[k - length];
    return same;
}

void plan_settle(struct model_config *c)
{
    struct model_plan *p = &c->plan;
    int length = 1;
    if (!p->turn)
        return;
    while (!repeats(p, length))
        length++;
    memset(p->of + length, 0, (size_t)(p->turn - length));
    p->turn = length;
    memcpy(&c->layer, &p->kind[0], sizeof c->layer);
    if (length == 1)
        memset(p, 0, sizeof *p);
}
