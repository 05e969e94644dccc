/* Prices (price.h). */
#include "run/price.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernel/kernel.h"
#include "run/network.h"
#include "run/prove.h"
#include "run/run.h"
#include "run/witness_cell.h"

const struct price_words price_words[PRICE_PARTS] = {
    [PRICE_TRAINING] = {"training", "model.width",
                        "make width, layers, ffn or train.batch smaller"},
    [PRICE_SAMPLES] = {"evaluation", "evaluate.samples",
                       "evaluate fewer samples or shorter lengths"},
    [PRICE_LENGTHS] = {"other lengths", "evaluate.lengths", "evaluate shorter lengths"},
    [PRICE_FLOORS] = {"floors", "evaluate.samples",
                      "evaluate fewer samples, shorter lengths or no orbit"},
    [PRICE_SEARCH] = {"search for the worst case", "evaluate.adversary.starts",
                      "search from fewer starts"},
    [PRICE_POLISH] = {"polishing", "train.polish.samples", "polish on fewer samples"},
    [PRICE_WITNESS] = {"witness", "evaluate.witness", "set it to never"},
    [PRICE_NETWORKS] = {"random networks", "evaluate.networks", "set it to 0"}};

#define DOUBLE_COST 2.0 /* double does half as many operations per second */

/* ---- memory and operations --------------------------------------------------------------------*/

/* *bytes: of a sample's own layout, at most; 0 where samples share one.  *images: of each sample
 * that the evaluation set holds. */
static int layout_price(const struct task *t, int length, double *bytes, double *images,
                        struct err *e)
{
    const struct space *space = space_of(&t->space);
    bool drawn = space_draws(&t->space);
    const struct orbit *orbit = orbit_table[t->evaluate.orbit];
    struct arena arena;
    struct layout l;
    int code = 0;
    *bytes = 0;
    *images = 1;
    if (!drawn && orbit == orbit_table[0])
        return 0;
    arena_open_measure(&arena);
    if (!drawn)
        code = arena_open(&arena, 0, e);
    if (!code)
        code = space->layout(&t->space, length, &arena, &l, e);
    if (drawn)
        *bytes = (double)arena.used;
    else if (!code)
        *images = orbit->images(&l);
    arena_close(&arena);
    return code;
}

/* Merging takes so many bytes a row, and nanoseconds: for each row, and in each of about two rounds for
 * all that a row sees whose token occurs again. */
enum { MERGE_BYTES = 48, MERGE_STEPS = 100, MERGE_ROUNDS = 2 };

/* rows: of a set, and how many of them have a token that occurs again. */
static double merge_flops(double rows, double repeated, double length)
{
    return STEP_FLOPS * (MERGE_STEPS * rows + MERGE_ROUNDS * repeated * length);
}

/* The samples of one evaluated length, and a pass over them. */
struct set_price {
    double rows, merging; /* merged, and FLOP that takes */
    double layout; /* bytes of a sample's own */
    double bytes;  /* of samples and outputs, shared ones too */
    double ahead;  /* of a pass over those, FLOP */
    struct pass_price pass;
};

/* Each set of images is a group, at the most. */
static void add_shared(const struct task *t, const struct pass_set *set, double row, const struct pass_price *pass,
                       struct set_price *out)
{
    double rows = (double)set->samples * set->length;
    out->bytes += rows * row;
    out->merging += merge_flops(rows, rows / 2, set->length);
    out->bytes += (double)task_image_sets(t) * set->length * task_io(t).labels * (double)sizeof(double);
    out->ahead += pass->flops;
    out->pass.bytes = pass->bytes > out->pass.bytes ? pass->bytes : out->pass.bytes;
}

/* Samples with their images, layouts and groups, the network's outputs, and logits summed over
 * groups.  How many groups there will be is not known before the merging: one for each patterned
 * sample, or, where images put equal tokens side by side, one for each position. */
static int set_price(const struct task *t, int length, struct set_price *out, struct err *e)
{
    double samples = (double)task_samples(t), positions = samples * length;
    double images, row = 32, groups = samples * (1 - t->space.share[PATTERN_GENERIC]);
    const struct model_io io = task_io(t);
    struct pass_set set[1 + SHARED_KINDS];
    struct pass_price pass[1 + SHARED_KINDS];
    int sets = 1;
    *out = (struct set_price){0};
    int code = layout_price(t, length, &out->layout, &images, e);
    if (code)
        return code;
    double repeated = images > 1 || io.symbols ? images * positions : groups * length;
    out->rows = images * positions;
    out->merging = merge_flops(out->rows, repeated, length);
    if (images > 1)
        groups = positions;
    row += sizeof(double) * (io.channels + (io.labels ? 0 : 3.0 * model_io_outputs(&io)));
    out->bytes = images * (positions * row + samples * out->layout) +
                 groups * io.labels * (double)sizeof(double);
    set[0] = (struct pass_set){length, (int64_t)(images * samples), false};
    for (int k = 0; k < SHARED_KINDS; k++)
        if (task_shares(t, k, length))
            set[sets++] = (struct pass_set){length, task_image_sets(t) * t->evaluate.images, false};
    code = trainer_api_of(t->model.precision)->price_passes(t, sets, set, pass, e);
    out->pass = pass[0];
    for (int k = 1; k < sets && !code; k++)
        add_shared(t, &set[k], row, &pass[k], out);
    return code;
}

/* own: of the training length.  At lengths other than that: passes, which are all kept; and the evaluation of all lengths
 * together, which is the largest. */
static int price_lengths(const struct task *t, const struct set_price *own, struct price *p, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    double together = 0, rows = 0;
    int code = 0;
    for (int k = 0; k < lengths->count && !code && lengths->count > 1; k++) {
        struct set_price set = *own;
        code = lengths->value[k] == t->space.length ? 0 : set_price(t, (int)lengths->value[k], &set, e);
        together += set.bytes;
        rows += set.rows;
        p->flops_of[PRICE_FLOORS] += set.merging;
        p->flops_of[PRICE_LENGTHS] += set.pass.flops;
        if (lengths->value[k] == t->space.length)
            continue;
        p->bytes_of[PRICE_LENGTHS] += (double)set.pass.bytes;
        p->flops_of[PRICE_LENGTHS] += set.pass.flops + set.ahead;
        p->flops_of[PRICE_FLOORS] += set.merging;
    }
    p->bytes_of[PRICE_LENGTHS] += together;
    p->bytes_of[PRICE_FLOORS] += MERGE_BYTES * rows;
    return code;
}

/* Points, targets, slopes and outputs of all starts; of a pair of positions, whether one depends on
 * the other; and passes back to the inputs, of which a step makes one, and one forward. */
static int price_search(const struct task *t, struct price *p, struct err *e)
{
    double n = (double)t->space.length, starts = (double)t->evaluate.adversary_starts;
    struct pass_price pass;
    if (starts == 0 || target_form(&t->target).labels || !space_is_one(&t->space))
        return 0;
    const struct pass_set set = {(int)n, t->evaluate.adversary_starts, true};
    int code = trainer_api_of(t->model.precision)->price_passes(t, 1, &set, &pass, e);
    p->bytes_of[PRICE_SEARCH] = 8 * sizeof(double) * starts * n * (double)t->space.channels +
                                n * n + (double)pass.bytes;
    p->flops_of[PRICE_SEARCH] = (double)t->evaluate.adversary_steps * pass.flops * 4 / 3;
    return code;
}

static void add_networks(const struct task *t, const struct pass_price *own, struct price *p)
{
    p->bytes_of[PRICE_NETWORKS] = fmax(p->bytes_of[PRICE_NETWORKS], (double)own->bytes);
    p->flops_of[PRICE_NETWORKS] +=
        (t->model.precision == MODEL_DOUBLE ? 1 : DOUBLE_COST) * own->flops;
}

/* At every evaluated length, and at all of them together; the largest comes and goes. */
static int price_networks(const struct task *t, struct price *p, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    struct pass_set set[OPTION_INTS_MAX];
    struct pass_price own[OPTION_INTS_MAX], together;
    int code = 0;
    for (int k = 0; k < lengths->count && !code; k++) {
        double bytes, images;
        code = layout_price(t, (int)lengths->value[k], &bytes, &images, e);
        set[k] = (struct pass_set){(int)lengths->value[k], (int64_t)(images * (double)task_samples(t)), false};
    }
    if (!code)
        code = prove_price(t, lengths->count, set, own, &together, e);
    for (int k = 0; k < lengths->count && !code; k++)
        add_networks(t, &own[k], p);
    if (!code && lengths->count > 1)
        add_networks(t, &together, p);
    return code;
}

/* Polishing, the witness and random networks come and go before what comes last begins. */
static void add_up(struct price *p)
{
    const double *of = p->bytes_of;
    double late = of[PRICE_LENGTHS] + fmax(of[PRICE_FLOORS], of[PRICE_SEARCH]);
    p->bytes = of[PRICE_TRAINING] + of[PRICE_SAMPLES] +
               fmax(fmax(late, of[PRICE_NETWORKS]), fmax(of[PRICE_POLISH], of[PRICE_WITNESS]));
    p->part = PRICE_TRAINING;
    for (int k = 0; k < PRICE_PARTS; k++)
        if (of[k] > of[p->part])
            p->part = (enum price_part)k;
}

int price_task(const struct task *t, struct price *out, struct err *e)
{
    double points = 1 + floor((double)t->train.steps / (double)t->evaluate.every);
    const struct target *target = target_of(&t->target);
    double drawing = target->work ? STEP_FLOPS * target->work(&t->target, &t->space) : 0;
    struct train_price training;
    struct set_price set;
    *out = (struct price){0};
    int code = trainer_api_of(t->model.precision)->price(t, &training, e);
    if (!code)
        code = set_price(t, (int)t->space.length, &set, e);
    if (!code)
        code = price_lengths(t, &set, out, e);
    if (!code)
        code = price_search(t, out, e);
    if (!code)
        code = price_networks(t, out, e);
    if (code)
        return code;
    out->parameters = training.parameters;
    out->step_flops = training.step_flops;
    out->bytes_of[PRICE_TRAINING] = /* the evaluation draws too */
        (double)training.bytes + (double)training.drawing + (double)set.pass.bytes +
        (double)t->train.batch * set.layout;
    out->bytes_of[PRICE_SAMPLES] = set.bytes;
    out->bytes_of[PRICE_FLOORS] = fmax(out->bytes_of[PRICE_FLOORS], MERGE_BYTES * set.rows);
    out->flops_of[PRICE_FLOORS] += set.merging;
    out->bytes_of[PRICE_POLISH] = (double)training.polish;
    out->flops_of[PRICE_TRAINING] = (training.step_flops + (double)t->train.batch * drawing) *
                                    (double)t->train.steps;
    out->flops_of[PRICE_SAMPLES] = set.pass.flops * (points + 1) + set.ahead +
                                   (double)task_samples(t) * drawing;
    out->flops_of[PRICE_POLISH] = training.polish_flops;
    add_up(out);
    return 0;
}

int price_witness(const struct task *t, double seconds, struct price *p, bool *whole, struct err *e)
{
    double bytes, images;
    struct pass_price witness = {0};
    *whole = true;
    int code = layout_price(t, (int)t->space.length, &bytes, &images, e);
    if (!code)
        code = witness_cell_price(t, (int64_t)(images * (double)task_samples(t)), seconds, &witness, whole, e);
    p->bytes_of[PRICE_WITNESS] = (double)witness.bytes;
    p->flops_of[PRICE_WITNESS] = witness.flops;
    add_up(p);
    return code;
}

/* ---- time --------------------------------------------------------------------------------------
 * Most of a step is matrix products, so its time is estimated from products of the model's width,
 * timed here and now.  A whole step, with softmax, norms, activations and the optimiser, was
 * measured to run at .64, .71, .83 and .86 of that rate at widths 32, 64, 128 and 256: what is not a
 * product grows with the width, the products with its square. */
enum { SPEED_ROWS = 512, SPEED_WIDTH_MAX = 2048 };
#define SPEED_SECONDS 0.01
#define STEP_OVERHEAD 1.1
#define STEP_OVERHEAD_WIDTH 14.0 /* over the width, on top */

static double measure_speed(int width, struct err *e)
{
    size_t rows = SPEED_ROWS, n = (size_t)width;
    real *block = memory_alloc(2 * rows * n + n * n, sizeof *block, e);
    if (!block)
        return 0;
    for (size_t k = 0; k < rows * n + n * n; k++)
        block[k] = (real)1 / (real)(k % 7 + 1);
    real *a = block, *b = a + rows * n, *c = b + n * n;
    double start, spent;
    int products = 0;
    gemm(false, false, SPEED_ROWS, width, width, 1, a, width, b, width, 0, c, width); /* warm up */
    start = machine_seconds();
    do {
        gemm(false, false, SPEED_ROWS, width, width, 1, a, width, b, width, 0, c, width);
        products++;
        spent = machine_seconds() - start;
    } while (spent < SPEED_SECONDS);
    memory_free(block);
    return 2.0 * SPEED_ROWS * width * (double)width * products / spent;
}

/* FLOPs per second at a width; after PRICE_SPEEDS_MAX widths, that of the nearest one. */
static double speed_at(struct price_speeds *s, int64_t wanted, struct err *e)
{
    int width = wanted > SPEED_WIDTH_MAX ? SPEED_WIDTH_MAX : (int)wanted, nearest = 0;
    for (int k = 0; k < s->count; k++) {
        if (abs(s->width[k] - width) < abs(s->width[nearest] - width))
            nearest = k;
        if (s->width[k] == width)
            return s->flops[k];
    }
    if (s->count == PRICE_SPEEDS_MAX)
        return s->flops[nearest];
    s->width[s->count] = width;
    s->flops[s->count] = measure_speed(width, e);
    return s->flops[s->count++];
}

double price_seconds(const struct task *t, const struct price *p, struct price_speeds *speeds,
                     double seconds[PRICE_PARTS], struct err *e)
{
    double speed = speed_at(speeds, t->model.width, e), sum = 0;
    double overhead = STEP_OVERHEAD + STEP_OVERHEAD_WIDTH / (double)t->model.width;
    if (speed <= 0)
        return -1;
    if (t->model.precision == MODEL_DOUBLE)
        speed /= DOUBLE_COST;
    for (int k = 0; k < PRICE_PARTS; k++)
        sum += seconds[k] = overhead * p->flops_of[k] / speed;
    return sum;
}
