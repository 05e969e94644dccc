/* urpe-probe check: is the spec sound, what does it say in full, and what will it cost.
 *
 * Invariant: on standard output the resolved spec is followed by comment lines only, so that the
 * whole reads back as the same spec. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/system.h"
#include "command.h"
#include "kernel/kernel.h"
#include "run/price.h"
#include "run/run.h"

#define MIB 1048576.0

/* What kinds differ in that have a row each. */
enum { OWN_KEYS = 7, KEYS = OWN_KEYS + PRICE_PARTS };

/* Cells that cost the same. */
struct kind {
    int first; /* of them, in the spec */
    int cells;
    double key[KEYS];
    struct price price; /* of a cell */
    double total, seconds[PRICE_PARTS];
};
/* Finding witnesses to price them may take so long, and a last one, which was begun by then, so long. */
static const double witness_seconds = 1, last_witness_seconds = 8;

/* ---- kinds of cells ---------------------------------------------------------------------------*/
static void set_key(struct kind *k, const struct task *t)
{
    const struct price *p = &k->price;
    const double own[OWN_KEYS] = {(double)p->parameters,  p->bytes,
                                  p->step_flops,          t->model.attention,
                                  t->model.encoding.kind, t->target.kind.kind,
                                  t->space.kind.kind};
    memcpy(k->key, own, sizeof own);
    memcpy(k->key + OWN_KEYS, p->flops_of, sizeof p->flops_of);
}

/* An order in which kinds that the table shows alike are neighbours; 0: one row for both. */
static int compare_cost(const struct kind *a, const struct kind *b)
{
    return memcmp(a->key, b->key, sizeof a->key);
}

static int compare_first(const void *a, const void *b)
{
    const struct kind *left = a, *right = b;
    return left->first - right->first;
}

static int compare_kinds(const void *a, const void *b)
{
    int order = compare_cost(a, b);
    return order ? order : compare_first(a, b);
}

/* kind (spec_cells): filled from the cells, those of equal cost together; returns how many. */
static int find_kinds(const struct spec *s, struct kind *kind, struct err *e)
{
    char group[SPEC_ID] = "";
    int count = 0, kept = 0, code = 0;
    for (int k = 0; k < spec_cells(s); k++) {
        const struct cell *c = spec_cell(s, k);
        if (strcmp(group, c->group) == 0) { /* another seed */
            kind[count - 1].cells++;
        } else {
            struct kind *next = &kind[count++];
            *next = (struct kind){.first = k, .cells = 1};
            code = price_task(&c->task, &next->price, e);
            if (code)
                return code;
            set_key(next, &c->task);
            memcpy(group, c->group, sizeof group);
        }
        spec_drop_cell(s, k);
    }
    qsort(kind, (size_t)count, sizeof *kind, compare_kinds);
    for (int k = 0; k < count; k++) {
        if (kept && compare_cost(&kind[kept - 1], &kind[k]) == 0)
            kind[kept - 1].cells += kind[k].cells;
        else
            kind[kept++] = kind[k];
    }
    qsort(kind, (size_t)kept, sizeof *kind, compare_first);
    return kept;
}

/* Adds the witnesses' prices, as far as there is time to find them; returns how many kinds are left
 * without, or an error. */
static int price_witnesses(const struct spec *s, struct kind *kind, int count, struct err *e)
{
    double end = machine_seconds() + witness_seconds;
    int code = 0, left = 0;
    for (int k = 0; k < count && !code; k++) {
        bool whole = false;
        if (machine_seconds() < end)
            code = price_witness(&spec_cell(s, kind[k].first)->task, last_witness_seconds, &kind[k].price,
                                 &whole, e);
        left += !whole;
        spec_drop_cell(s, kind[k].first);
    }
    return code ? code : left;
}

static int time_kinds(const struct spec *s, struct kind *kind, int count, struct err *e)
{
    struct price_speeds speeds = {0};
    for (int k = 0; k < count; k++) {
        kind[k].total = price_seconds(&spec_cell(s, kind[k].first)->task, &kind[k].price,
                                      &speeds, kind[k].seconds, e);
        if (kind[k].total < 0)
            return ERR_MEMORY;
    }
    return 0;
}

/* ---- text -------------------------------------------------------------------------------------*/
static void append_seconds(struct text *out, double seconds)
{
    if (seconds < 100)
        text_append_format(out, "%.1f s", seconds);
    else if (seconds < 6000)
        text_append_format(out, "%.0f min", seconds / 60);
    else if (seconds < 360000)
        text_append_format(out, "%.1f h", seconds / 3600);
    else
        text_append_format(out, "%.1f days", seconds / 86400);
}

static const struct listing_column kind_columns[] = {
    {"cells", true},  {"space", false}, {"target", false}, {"encoding", false}, {"attn", false},
    {"n", true},      {"layers", true}, {"width", true},   {"params", true},    {"MiB", true},
    {"steps", true},  {"MFLOP", true},  {"s/cell", true}};
enum { KIND_COLUMNS = sizeof kind_columns / sizeof *kind_columns };
enum { SPACE_COLUMN = 1, TARGET_COLUMN, ENCODING_COLUMN, ATTENTION_COLUMN, N_COLUMN, LAYERS_COLUMN,
       WIDTH_COLUMN, STEPS_COLUMN = 10 };

static int add_kind(const struct spec *s, struct listing *l, const struct kind *k, struct err *e)
{
    const struct cell *first = spec_cell(s, k->first);
    const struct task *t = &first->task;
    char text[KIND_COLUMNS][TEXT_NUMBER_MAX], attention[TEXT_NUMBER_MAX];
    const char *row[KIND_COLUMNS];
    double value[KIND_COLUMNS] = {k->cells,
                                  0,
                                  0,
                                  0,
                                  0,
                                  (double)space_positions(&t->space),
                                  (double)t->model.layers,
                                  (double)t->model.width,
                                  (double)k->price.parameters,
                                  ceil(k->price.bytes / MIB),
                                  (double)t->train.steps,
                                  k->price.step_flops / 1e6,
                                  k->total};
    for (int c = 0; c < KIND_COLUMNS; c++)
        row[c] = text_from_double(text[c], value[c], c < KIND_COLUMNS - 2 ? 15 : 3);
    spec_value(first, "model.attention", attention, sizeof attention);
    row[SPACE_COLUMN] = space_of(&t->space)->name;
    row[TARGET_COLUMN] = target_of(&t->target)->name;
    row[ENCODING_COLUMN] = encoding_of(&t->model.encoding)->name;
    row[ATTENTION_COLUMN] = attention;
    return listing_add(l, row, e);
}

/* Leaves out a column that says the same of all kinds: it stands in the resolved spec above. */
static void drop_column(struct listing *l, int column)
{
    if (listing_constant(l, column))
        listing_empty(l, column);
}

/* The space is named where there are several; the rest as far as there is room. */
static void fit_columns(struct listing *l, int width)
{
    static const int order[] = {STEPS_COLUMN,    N_COLUMN,         LAYERS_COLUMN, WIDTH_COLUMN,
                                ENCODING_COLUMN, ATTENTION_COLUMN, TARGET_COLUMN};
    drop_column(l, SPACE_COLUMN);
    for (size_t k = 0; k < sizeof order / sizeof *order && listing_width(l) > width; k++)
        drop_column(l, order[k]);
}

static void append_commented(struct text *out, const char *lines)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        text_append(out, "# ");
        text_append_bytes(out, lines, length);
        text_append(out, "\n");
        lines += length + (lines[length] == '\n');
    }
}

/* "LEAD training 81 UNIT, evaluation 19 UNIT" of the parts that round to one unit at least. */
static void append_parts(struct text *out, const char *lead, const double of[PRICE_PARTS],
                         double unit, const char *name)
{
    int said = 0;
    text_append(out, lead);
    for (int k = 0; k < PRICE_PARTS; k++)
        if (of[k] >= 0.5 * unit)
            text_append_format(out, "%s%s %.0f %s", said++ ? ", " : " ", price_words[k].name,
                               of[k] / unit, name);
    if (!said)
        text_append_format(out, " below 1 %s", name);
    text_append(out, "\n");
}

static const struct kind *largest_kind(const struct kind *kind, int count)
{
    const struct kind *most = kind;
    for (int k = 1; k < count; k++)
        most = kind[k].price.bytes > most->price.bytes ? &kind[k] : most;
    return most;
}

static void append_totals(struct text *out, const struct spec *s, const struct kind *kind,
                          int count, int unpriced)
{
    double seconds = 0, of[PRICE_PARTS] = {0};
    int cores = system_cores(), cells = spec_cells(s), workers = cells < cores ? cells : cores;
    for (int k = 0; k < count; k++) {
        seconds += kind[k].total * kind[k].cells;
        for (int part = 0; part < PRICE_PARTS; part++)
            of[part] += kind[k].seconds[part] * kind[k].cells;
    }
    text_append_format(out, "%d cell%s", cells, cells == 1 ? "" : "s");
    for (int k = 0; k < spec_axes(s); k++)
        text_append_format(out, "%s%s", k ? " x " : ": ", spec_axis(s, k));
    text_append(out, "\nabout ");
    append_seconds(out, seconds / workers);
    text_append_format(out,
                       " on %d core%s, estimated from matrix products timed just now; expect a "
                       "factor of 2\n",
                       workers, workers == 1 ? "" : "s");
    append_parts(out, "time:", of, seconds / 100, "%");
    append_parts(out, "memory of the largest cell:", largest_kind(kind, count)->price.bytes_of,
                 MIB, "MiB");
    if (unpriced)
        text_append_format(out, "without the witnesses of %d of the kinds below: finding them takes "
                           "longer than this command may\n", unpriced);
}

/* Memory that is not there is a warning here, so that a large spec can be priced elsewhere. */
static void warn_memory(const struct spec *s, const struct kind *kind, int count)
{
    char where[320];
    const struct price *p = &largest_kind(kind, count)->price;
    double there = (double)machine_memory(), most = p->bytes;
    if (there <= 0 || most <= there)
        return;
    spec_where(s, price_words[p->part].key, where, sizeof where);
    text_say(stderr, "%s: warning: a cell needs %.0f MiB, and %.0f MiB are free here", where,
             most / MIB, there / MIB);
}

static int print_table(const struct spec *s, struct listing *l, const struct kind *kind,
                       int count, int unpriced, struct err *e)
{
    struct text text = {0}, comment = {0}, totals = {0};
    int code = spec_text_here(s, &text, e);
    append_totals(&totals, s, kind, count, unpriced);
    for (char *rest, *line = totals.data ? strtok_r(totals.data, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        append_wrapped(&comment, line, 0, terminal_width() - 2);
        text_append(&comment, "\n");
    }
    comment.failed |= totals.failed;
    text_close(&totals);
    fit_columns(l, terminal_width() - 2);
    if (!code)
        code = listing_append(&comment, l, LISTING_TABLE, terminal_width() - 2, e);
    if (!code)
        append_commented(&text, comment.data);
    if (!code)
        code = terminal_put(&text, e);
    text_close(&comment);
    text_close(&text);
    return code;
}

static int print_kinds(const struct arguments *a, const struct spec *s, const struct kind *kind,
                       int count, int unpriced, struct err *e)
{
    struct listing l;
    int code = 0;
    listing_open(&l, kind_columns, KIND_COLUMNS);
    l.gap = 1;
    for (int k = 0; !code && k < count; k++)
        code = add_kind(s, &l, &kind[k], e);
    if (!code)
        code = a->format == LISTING_TABLE ? print_table(s, &l, kind, count, unpriced, e)
                                          : print_listing(a, &l, e);
    listing_close(&l);
    return code;
}

static int run(const struct arguments *a, struct err *e)
{
    struct spec *s = NULL;
    int code = spec_open(&s, a->operand[0], a->set.word, a->set.count, e);
    if (code)
        return code;
    struct kind *kind = memory_alloc((size_t)spec_cells(s), sizeof *kind, e);
    int count = kind ? report_figures_check(s, e) : ERR_MEMORY;
    if (!count && !a->set.count)
        count = spec_check_unused(s, e);
    if (!count && !a->set.count)
        count = spec_check_claims(s, e);
    if (!count)
        count = find_kinds(s, kind, e);
    if (count < 0) {
        code = count;
        goto out;
    }
    code = kernel_open(e);
    if (!code)
        code = kernel_reserve(1, e);
    int unpriced = code ? 0 : price_witnesses(s, kind, count, e);
    if (unpriced < 0)
        code = unpriced;
    if (!code)
        code = time_kinds(s, kind, count, e);
    if (!code && !a->quiet)
        code = print_kinds(a, s, kind, count, unpriced, e);
    if (!code)
        warn_memory(s, kind, count);
    if (!code)
        say_doubts(s);
out:
    memory_free(kind);
    spec_close(s);
    return code;
}

const struct command command_check = {
    .name = "check",
    .operands = "SPEC",
    .summary = "validate a spec, print it in full, and estimate what it will cost",
    .details = "Nothing is trained or written.  The output is the resolved spec, then comments: "
               "the number of cells, what takes the time and the memory (training, evaluation, "
               "polishing, the search for the worst case, the witness), and for each kind of cell "
               "its parameters, memory, operations of a step and time.  --format csv and json "
               "print the kinds alone.",
    .flag = {FLAG_SET, FLAG_FORMAT, FLAG_QUIET},
    .run = run,
};
