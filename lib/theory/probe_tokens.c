/* Forms of token targets (probe.h). */
#include <string.h>

#include "base/random.h"
#include "theory/probe_inputs.h"

/* Chance agreement of a wrong source survives a round with probability 1/V at most 1/2. */
enum { ROUNDS = 96, FRESH = 32 };

static void draw(struct probe *p, int k, int32_t *x)
{
    struct stream random;
    stream_open(&random, (uint64_t)k, "probe", 1);
    for (int i = 0; i < p->n; i++)
        x[i] = (int32_t)stream_below(&random, (uint64_t)p->config->vocab);
    for (int i = 1; i < p->n && k % 8 == 7; i++)
        x[i] = x[0];
}

static void evaluate(struct probe *p, int k, int32_t *x, int32_t *label)
{
    draw(p, k, x);
    if (!p->code)
        p->code = p->target->label(p->state, p->config, p->layout, x, label, p->err);
}

/* What is left of the guesses at each position. */
struct guesses {
    bool *source;   /* (n,n) */
    bool *constant; /* (n) */
    int32_t *label; /* (n) the first one seen */
};

static void narrow(const struct probe *p, struct guesses *g, int round, const int32_t *x,
                   const int32_t *label)
{
    for (int i = 0; i < p->n; i++) {
        if (round == 0)
            g->label[i] = label[i];
        g->constant[i] = (round == 0 || g->constant[i]) && label[i] == g->label[i];
        for (int j = 0; j < p->n; j++) {
            bool *left = &g->source[(size_t)i * (size_t)p->n + (size_t)j];
            *left = (round == 0 || *left) && label[i] == x[j];
        }
    }
}

static bool decide(const struct probe *p, const struct guesses *g, int *source)
{
    for (int i = 0; i < p->n; i++) {
        source[i] = -1;
        for (int j = 0; j < p->n && !g->constant[i] && source[i] < 0; j++)
            if (g->source[(size_t)i * (size_t)p->n + (size_t)j])
                source[i] = j;
        if (!g->constant[i] && source[i] < 0)
            return false;
    }
    return true;
}

bool probe_labels(struct probe *p, int **source_out, int32_t **label_out)
{
    size_t n = (size_t)p->n;
    int32_t *x = probe_array(p, n, sizeof *x), *label = probe_array(p, n, sizeof *label);
    struct guesses g = {probe_array(p, n * n, sizeof *g.source),
                        probe_array(p, n, sizeof *g.constant),
                        probe_array(p, n, sizeof *g.label)};
    int *source = probe_array(p, n, sizeof *source);
    if (!source || !p->target->label) /* labels that are no function of the inputs */
        return false;
    for (int k = 0; k < ROUNDS && !p->code; k++) {
        evaluate(p, k, x, label);
        if (!p->code)
            narrow(p, &g, k, x, label);
    }
    if (p->code || !decide(p, &g, source))
        return false;
    for (int k = ROUNDS; k < ROUNDS + FRESH && !p->code; k++) {
        evaluate(p, k, x, label);
        for (int i = 0; i < p->n && !p->code; i++)
            if (label[i] != (source[i] < 0 ? g.label[i] : x[source[i]]))
                return false;
    }
    *source_out = source;
    *label_out = g.label;
    return !p->code;
}
