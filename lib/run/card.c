/* What a card is made of (card.h). */
#include "run/card.h"

#include <math.h>
#include <string.h>

#include "run/bench.h"
#include "run/certify.h"
#include "run/evaluate.h"
#include "run/network.h"

enum { POSITIONS = 8 };
#define SECONDS 2.0

int card_rows(const struct spec *s, struct pool *pool, volatile const int *stop,
              void (*each)(void *context, int cell), void *context, struct text *rows, struct err *e)
{
    const struct certify_options options = {.stop = stop};
    int code = 0;
    row_append_header(rows);
    for (int k = 0; k < spec_cells(s) && !code; k++) {
        if (each)
            each(context, k);
        code = certify_cell(s, spec_cell(s, k), pool, &options, rows, e);
        if (!code && stop && *stop)
            code = err_set(e, ERR_INTERRUPTED, NULL, "interrupted");
    }
    return code ? code : text_check(rows, e);
}

/* ---- conditions -------------------------------------------------------------------------------*/
static int test_on(const struct model_config *m, const struct layout *l, struct conditions *out,
                   struct err *e)
{
    enum condition_answer attentive;
    double distance;
    struct model_config plain = *m;
    int code = conditions_test_double(m, l, 0, out, e);
    if (code || normaliser_is_softmax(&m->normaliser))
        return code;
    option_set_kind(&encoding_kinds, "none", &plain.encoding);
    plain.attention = MODEL_RPE;
    code = conditions_rows_double(&plain, l, 0, &attentive, &distance, e);
    if (!code)
        conditions_weaken(m, attentive, distance, out);
    return code;
}

int card_conditions(const struct cell *c, struct conditions *out, const char **why, struct err *e)
{
    const struct model_config *m = &c->task.model;
    struct space_config space = c->task.space;
    struct arena arena;
    struct layout layout;
    struct model_io io = {.channels = 1};
    struct err refused = {0};
    *why = m->plan.turn ? "its layers differ" : model_before(m) ? "something stands before the sequence"
           : model_convolves(m) ? "something beside attention mixes positions"
           : strcmp(space_of(&space)->name, "sequence") ? "they are about sequences" : NULL;
    if (*why)
        return 0;
    space.length = POSITIONS;
    int code = arena_open(&arena, 0, e);
    if (!code)
        code = space_of(&space)->layout(&space, POSITIONS, &arena, &layout, e);
    if (!code && model_check(m, &io, &layout, &layout, &refused))
        *why = "the class is not defined on 8 positions";
    else if (!code)
        code = test_on(m, &layout, out, e);
    arena_close(&arena);
    return code;
}

/* ---- price ------------------------------------------------------------------------------------*/
static const char sizes[] = "name: price\nseeds: 1\ntarget: gain\nspace: {length: 128, channels: 4}\n"
                            "model: {layers: 2, heads: 4, width: 64, ffn: 256}\n"
                            "train: {steps: 1000000, batch: 8, lr: 0.0001}\n";

static void make_plain(struct model_config *m)
{
    m->plan.turn = 0;
    m->attention = MODEL_RPE;
    option_set_kind(&encoding_kinds, "toeplitz", &m->encoding);
    option_set_kind(&normaliser_kinds, "softmax", &m->normaliser);
    option_set_kind(&convolution_kinds, "none", &m->convolution);
    option_set_kind(&logits_kinds, "none", &m->logits);
}

static int measure(const struct task *own, struct card_cost *out, struct err *e)
{
    struct task plain = *own;
    struct bench_figures figures[2];
    struct train_price price[2];
    double ratio;
    make_plain(&plain.model);
    int code = trainer_api_of(own->model.precision)->price(own, &price[0], e);
    if (!code)
        code = trainer_api_of(plain.model.precision)->price(&plain, &price[1], e);
    if (!code)
        code = bench_tasks(own, &plain, SECONDS, figures, &ratio, e);
    if (code)
        return code;
    *out = (struct card_cost){.measured = true, .ratio = 1 / ratio};
    for (int k = 0; k < 2; k++) {
        out->ms[k] = figures[k].ms_per_step;
        out->parameters[k] = (double)price[k].parameters;
    }
    snprintf(out->size, sizeof out->size, "n %d, width %d, %d layers, batch %d, one thread",
             (int)own->space.length, (int)own->model.width, (int)own->model.layers, (int)own->train.batch);
    return 0;
}

int card_price(const char *path, const char *const *set, int sets, struct card_cost *out, struct err *e)
{
    struct spec *s = NULL;
    struct err refused = {0};
    *out = (struct card_cost){0};
    if (spec_parse_class(&s, "price", sizes, sizeof sizes - 1, path, set, sets, &refused))
        return 0;
    int code = measure(&spec_cell(s, 0)->task, out, e);
    spec_close(s);
    return code;
}
