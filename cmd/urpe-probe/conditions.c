/* urpe-probe conditions: the paper's two sufficient conditions for every encoding, with and without
 * C, under both masks. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands.h"
#include "kernel/kernel.h"
#include "run/network.h"
#include "witness/conditions.h"

enum { POSITIONS = 8, WIDTH = 16, HEADS = 2 };

static const struct listing_column columns[] = {
    {"encoding", false},        {"c", false},           {"mask", false},
    {"attentive", false},       {"distance", true},     {"position_aware", false},
    {"row_sum_deviation", true}, {"distinct_rows", true}, {"smallest_step", true},
    {"attentive_why", false},   {"position_why", false}};
/* What a terminal shows: the answers and the two figures behind them. */
static const struct listing_column short_columns[] = {
    {"encoding", false}, {"c", false}, {"mask", false}, {"attentive", false},
    {"distance", true}, {"aware", false}, {"deviation", true}, {"rows", true}};
#define COUNT_OF(a) ((int)(sizeof(a) / sizeof *(a)))

/* Of a layer that sees everything, and of one that does not know what comes; others lie between. */
static const char *const masks[] = {"none", "causal"};

static const char *number(char out[TEXT_NUMBER_MAX], double value, bool brief)
{
    return text_from_double(out, value, brief ? 3 : 17);
}

static int add_row(struct listing *l, bool brief, const struct model_config *m,
                   const struct conditions *found, struct err *e)
{
    char distance[TEXT_NUMBER_MAX], deviation[TEXT_NUMBER_MAX], step[TEXT_NUMBER_MAX], rows[16];
    const char *name = encoding_of(&m->encoding)->name,
               *table = m->attention == MODEL_URPE ? "toeplitz" : "none",
               *mask = mask_of(&m->mask)->name, *attentive = condition_name(found->attentive),
               *aware = found->position_aware ? "yes" : "no";
    snprintf(rows, sizeof rows, brief ? "%d of %d" : "%d", found->distinct, POSITIONS);
    number(distance, found->distance, brief);
    number(deviation, found->deviation, brief);
    number(step, found->step, brief);
    if (brief)
        return listing_add(l, (const char *[]){name, table, mask, attentive, distance, aware,
                                               deviation, rows}, e);
    return listing_add(l, (const char *[]){name, table, mask, attentive, distance, aware, deviation,
                                           rows, step, found->attentive_why, found->position_why},
                       e);
}

/* A model of an encoding's default options. */
static void fill_model(struct model_config *out, int kind, const char *mask, bool urpe)
{
    memset(out, 0, sizeof *out);
    option_defaults(model_options, out);
    option_set_kind(&encoding_kinds, encoding_table[kind]->name, &out->encoding);
    out->attention = urpe ? MODEL_URPE : MODEL_RPE;
    option_set_kind(&mask_kinds, mask, &out->mask);
    out->width = WIDTH;
    out->heads = HEADS;
}

static int fill(struct listing *l, bool brief, struct err *e)
{
    struct space_config space = {0};
    struct arena arena;
    struct layout layout;
    int code = arena_open(&arena, 0, e);
    option_defaults(space_options, &space);
    space.length = POSITIONS;
    if (!code)
        code = trainer_api_of(MODEL_DOUBLE)->kernel_open(e);
    if (!code)
        code = kernel_reserve(1, e);
    if (!code)
        code = space_of(&space)->layout(&space, POSITIONS, &arena, &layout, e);
    for (int k = 0; !code && encoding_table[k]; k++) {
        if (encoding_table[k]->axes_max < layout.axes)
            continue; /* graphs only */
        for (int mask = 0; !code && mask < COUNT_OF(masks); mask++)
            for (int urpe = 0; !code && urpe < 2; urpe++) {
                struct model_config model;
                struct conditions found;
                fill_model(&model, k, masks[mask], urpe);
                if (encoding_table[k]->past_only && !mask_past(&model.mask))
                    continue;
                code = conditions_test_double(&model, &layout, 0, &found, e);
                if (!code)
                    code = add_row(l, brief, &model, &found, e);
            }
    }
    arena_close(&arena);
    return code;
}

static int run(const struct arguments *a, struct err *e)
{
    bool brief = a->format == LISTING_TABLE;
    struct listing l;
    listing_open(&l, brief ? short_columns : columns,
                 brief ? COUNT_OF(short_columns) : COUNT_OF(columns));
    int code = fill(&l, brief, e);
    if (!code)
        code = print_listing(a, &l, e);
    if (!code && brief)
        printf("\nattentive: some parameters give plain softmax attention; distance: largest "
               "|A - softmax|\nof the construction. aware: some parameters give row sums A_U 1 "
               "with distinct entries;\nrows: how many of them are distinct. deviation: largest "
               "|row sum - 1| that a search\nfound. Both are sufficient only: a no proves "
               "nothing. Positions: %d.\n",
               POSITIONS);
    listing_close(&l);
    return code;
}

const struct command command_conditions = {
    .name = "conditions",
    .operands = "",
    .summary = "test the paper's two sufficient conditions for every encoding",
    .details = "Attentive and position-aware (Luo et al. 2022, Theorem 3), by construction and by a "
               "search over random parameters, for every encoding with its default options, with "
               "and without C.\n--format csv and json add the reasons in words.",
    .flag = {FLAG_FORMAT},
    .run = run};
