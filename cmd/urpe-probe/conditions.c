/* urpe-probe conditions: the paper's two sufficient conditions for every encoding under softmax, with
 * and without C, and for every normaliser; with --all for every encoding, normaliser and mask. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "kernel/kernel.h"
#include "run/network.h"
#include "witness/conditions.h"

enum { POSITIONS = 8, WIDTH = 16, HEADS = 2 };
enum { SUMS_TEXT = CONDITION_SUMS * (TEXT_NUMBER_MAX + 1) };
#define COUNT_OF(a) ((int)(sizeof(a) / sizeof *(a)))

static const struct listing_column columns[] = {
    {"encoding", false},        {"c", false},           {"mask", false},
    {"normaliser", false},      {"attentive", false},   {"distance", true},
    {"position_aware", false},  {"row_sum_deviation", true}, {"distinct_rows", true},
    {"smallest_step", true},    {"row_sums", false},    {"attentive_why", false},
    {"position_why", false}};
/* What a terminal shows: the answers and the figures behind them. */
static const struct listing_column by_encoding[] = {
    {"encoding", false}, {"c", false}, {"mask", false}, {"attentive", false},
    {"distance", true}, {"aware", false}, {"deviation", true}, {"rows", true}};
static const struct listing_column by_normaliser[] = {
    {"normaliser", false}, {"encoding", false}, {"mask", false}, {"attentive", false},
    {"aware", false}, {"rows", true}, {"row sums", false}};

/* What is gone through: names, ended by NULL, or NULL for all of a table. */
struct sweep {
    const char *const *encodings, *const *masks, *const *normalisers;
    bool c; /* by encoding, with C, too; else by mask */
};
/* The theorem's masks: a query sees all, or the past. */
static const char *const masks[] = {"none", "causal", NULL};
static const char *const softmax[] = {"softmax", NULL};
static const char *const few[] = {"none", "toeplitz", NULL};
static const struct sweep of_encodings = {NULL, masks, softmax, true},
                          of_normalisers = {few, masks, NULL, false},
                          of_all = {NULL, NULL, NULL, false};

struct table {
    struct listing listing;
    enum { EVERYTHING, BY_ENCODING, BY_NORMALISER } form;
    struct layout layout;
    struct arena arena;
};

/* conditions_rows. */
struct rows_answer {
    enum condition_answer attentive;
    double distance;
};

static const char *number(char out[TEXT_NUMBER_MAX], double value, bool brief)
{
    return text_from_double(out, value, brief ? 3 : 17);
}

/* Brief: the first two and the last. */
static void write_sums(char out[SUMS_TEXT], const struct conditions *found, bool brief)
{
    char one[TEXT_NUMBER_MAX];
    size_t used = 0;
    for (int i = 0; i < POSITIONS; i += brief && i == 1 ? POSITIONS - 2 : 1) {
        text_from_double(one, found->sums[i], brief ? 2 : 17);
        used += (size_t)snprintf(out + used, SUMS_TEXT - used, "%s%s",
                                 !i ? "" : brief && i > 1 ? " .. " : " ", one);
    }
}

static int add_row(struct table *t, const struct model_config *m, const struct conditions *found,
                   struct err *e)
{
    char distance[TEXT_NUMBER_MAX], deviation[TEXT_NUMBER_MAX], step[TEXT_NUMBER_MAX], rows[16];
    char sums[SUMS_TEXT];
    bool brief = t->form != EVERYTHING;
    const char *encoding = encoding_of(&m->encoding)->name,
               *table = m->attention == MODEL_URPE ? "toeplitz" : "none",
               *mask = mask_of(&m->mask)->name, *attentive = condition_name(found->attentive),
               *normaliser = normaliser_of(&m->normaliser)->name,
               *aware = found->position_aware ? "yes" : "no";
    snprintf(rows, sizeof rows, brief ? "%d of %d" : "%d", found->distinct, POSITIONS);
    number(distance, found->distance, brief);
    number(deviation, found->deviation, brief);
    number(step, found->step, brief);
    write_sums(sums, found, brief);
    if (t->form == BY_ENCODING)
        return listing_add(&t->listing, (const char *[]){encoding, table, mask, attentive, distance,
                                                         aware, deviation, rows}, e);
    if (t->form == BY_NORMALISER)
        return listing_add(&t->listing, (const char *[]){normaliser, encoding, mask, attentive,
                                                         aware, rows, sums}, e);
    return listing_add(&t->listing,
                       (const char *[]){encoding, table, mask, normaliser, attentive, distance,
                                        aware, deviation, rows, step, sums, found->attentive_why,
                                        found->position_why},
                       e);
}

/* Whether a list of everything has the row from the sweep by encoding. */
static bool is_listed(const struct table *t, const struct model_config *m)
{
    bool found = false;
    for (int k = 0; masks[k]; k++)
        found = found || strcmp(masks[k], mask_of(&m->mask)->name) == 0;
    return t->form == EVERYTHING && found && normaliser_is_softmax(&m->normaliser);
}

static bool is_defined(const struct table *t, const struct model_config *m)
{
    struct err refused = {0};
    struct model_io io = {.channels = 1};
    return !model_check(m, &io, &t->layout, &t->layout, &refused);
}

/* A row, but for what the model refuses.  rows: what the normaliser can do; NULL: it is softmax. */
static int test(struct table *t, const struct model_config *m, const struct rows_answer *rows,
                struct err *e)
{
    struct conditions found;
    if (!is_defined(t, m))
        return 0;
    int code = conditions_test_double(m, &t->layout, 0, &found, e);
    if (!code && rows)
        conditions_weaken(m, rows->attentive, rows->distance, &found);
    return code ? code : add_row(t, m, &found, e);
}

/* Sets *out to the k-th kind of a sweep, with default options; false after the last. */
static bool pick(const struct kind_table *table, const char *const *names, int k,
                 struct kind_config *out)
{
    const char *name = names ? names[k] : k < table->count ? table->name(k) : NULL;
    return name && option_set_kind(table, name, out);
}

static int fill_by_encoding(struct table *t, const struct sweep *s, struct model_config *m,
                            struct err *e)
{
    int code = 0;
    for (int k = 0; !code && pick(&encoding_kinds, s->encodings, k, &m->encoding); k++)
        for (int j = 0; !code && pick(&mask_kinds, s->masks, j, &m->mask); j++)
            for (int c = 0; !code && c < 2; c++) {
                m->attention = c ? MODEL_URPE : MODEL_RPE;
                code = test(t, m, NULL, e);
            }
    return code;
}

/* What a normaliser can do under a mask is found once. */
static int fill_by_mask(struct table *t, const struct sweep *s, struct model_config *m,
                        struct err *e)
{
    int code = 0;
    m->attention = MODEL_RPE;
    for (int j = 0; !code && pick(&mask_kinds, s->masks, j, &m->mask); j++) {
        struct rows_answer rows;
        option_set_kind(&encoding_kinds, "none", &m->encoding);
        if (is_listed(t, m) || !is_defined(t, m))
            continue;
        code = conditions_rows_double(m, &t->layout, 0, &rows.attentive, &rows.distance, e);
        for (int k = 0; !code && pick(&encoding_kinds, s->encodings, k, &m->encoding); k++)
            code = test(t, m, &rows, e);
    }
    return code;
}

static int fill(struct table *t, const struct sweep *s, struct err *e)
{
    struct model_config m;
    int code = 0;
    memset(&m, 0, sizeof m);
    option_defaults(model_options, &m);
    m.width = WIDTH;
    m.heads = HEADS;
    for (int i = 0; !code && pick(&normaliser_kinds, s->normalisers, i, &m.normaliser); i++)
        code = s->c ? fill_by_encoding(t, s, &m, e) : fill_by_mask(t, s, &m, e);
    return code;
}

static int open_table(struct table *t, struct err *e)
{
    struct space_config space = {0};
    int code = arena_open(&t->arena, 0, e);
    option_defaults(space_options, &space);
    space.length = POSITIONS;
    if (!code)
        code = trainer_api_of(MODEL_DOUBLE)->kernel_open(e);
    if (!code)
        code = kernel_reserve(1, e);
    if (!code)
        code = space_of(&space)->layout(&space, POSITIONS, &t->arena, &t->layout, e);
    return code;
}

/* One table of a terminal. */
static int print_table(const struct arguments *a, struct table *t, const struct sweep *s,
                       struct err *e)
{
    t->form = s == &of_encodings ? BY_ENCODING : BY_NORMALISER;
    if (t->form == BY_ENCODING)
        listing_open(&t->listing, by_encoding, COUNT_OF(by_encoding));
    else
        listing_open(&t->listing, by_normaliser, COUNT_OF(by_normaliser));
    int code = fill(t, s, e);
    if (!code)
        code = print_listing(a, &t->listing, e);
    listing_close(&t->listing);
    return code;
}

static int print_everything(const struct arguments *a, struct table *t, struct err *e)
{
    t->form = EVERYTHING;
    listing_open(&t->listing, columns, COUNT_OF(columns));
    int code = fill(t, &of_encodings, e);
    if (!code)
        code = fill(t, a->all ? &of_all : &of_normalisers, e);
    if (!code)
        code = print_listing(a, &t->listing, e);
    listing_close(&t->listing);
    return code;
}

static int print_tables(const struct arguments *a, struct table *t, struct err *e)
{
    int code = print_table(a, t, &of_encodings, e);
    if (!code)
        printf("\n");
    if (!code)
        code = print_table(a, t, a->all ? &of_all : &of_normalisers, e);
    struct text words = {0}, out = {0};
    text_append_format(&words, "attentive: some parameters give plain softmax attention; distance: "
                       "largest |A - softmax| of the construction. aware: some parameters give row "
                       "sums A_U 1 with distinct entries; rows: how many of them are distinct. "
                       "deviation: largest |row sum - 1| that a search found. Both are sufficient "
                       "only: a no proves nothing. Positions: %d.", POSITIONS);
    text_append(&out, "\n");
    append_paragraph(&out, &words, terminal_width());
    if (!code)
        code = terminal_put(&out, e);
    text_close(&words);
    text_close(&out);
    return code;
}

static int run(const struct arguments *a, struct err *e)
{
    struct table t = {0};
    int code = open_table(&t, e);
    if (!code)
        code = a->format == LISTING_TABLE ? print_tables(a, &t, e) : print_everything(a, &t, e);
    arena_close(&t.arena);
    return code;
}

const struct command command_conditions = {
    .name = "conditions",
    .operands = "",
    .summary = "test the paper's two sufficient conditions for encodings and normalisers",
    .details = "Attentive and position-aware (Luo et al. 2022, Theorem 3), by construction and by a "
               "search over random parameters, with default options: for every encoding under "
               "softmax, with and without C, and for every normaliser, without encoding and with "
               "toeplitz.\n--format csv and json add the reasons in words.",
    .flag = {FLAG_FORMAT, FLAG_ALL},
    .run = run};
