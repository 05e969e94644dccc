/* What a task as a whole must satisfy, and the sizes that follow from it. */
#include <math.h>

#include "target/own_inputs.h"
#include "train/train.h"

/* Shares are typed in decimal: 0.01 of 100 samples is one. */
#define SAMPLE_SLACK 1e-9

struct model_io task_io(const struct task *t)
{
    struct target_form form = target_form(&t->target);
    struct model_io io = {.outputs = form.labels ? 0 : form.outputs};
    if (form.tokens)
        io.symbols = target_symbols(&t->target);
    else
        io.channels = (int)t->space.channels;
    if (form.labels)
        io.labels = target_labels(&t->target, (int)space_positions(&t->space));
    else if (!form.outputs)
        io.outputs = io.channels;
    return io;
}

bool task_stopped(const struct task *t)
{
    return t->stop && *t->stop;
}

int64_t task_samples(const struct task *t)
{
    int64_t found = target_form(&t->target).samples;
    return found && found < t->evaluate.samples ? found : t->evaluate.samples;
}

/* A target whose labels stand in the inputs, or which brings its inputs. */
static int check_inputs(const struct task *t, struct err *e)
{
    const struct target *target = target_of(&t->target);
    struct space_config space = t->space;
    if ((target->needs & TARGET_NEEDS_CAUSAL) && !model_past(&t->model))
        return err_set(e, ERR_USAGE, "model.mask", "without a mask a network can copy the labels "
                       "of target %s from its inputs; expected causal", target->name);
    if (!target_brings_inputs(&t->target))
        return 0;
    if (t->evaluate.orbit != 0)
        return err_set(e, ERR_USAGE, "evaluate.orbit", "target %s has inputs of its own, of which "
                       "there are no images; expected none", target->name);
    for (int k = 0; k < t->evaluate.lengths.count; k++) {
        space.length = t->evaluate.lengths.value[k];
        int code = target_check(&t->target, &space, e);
        if (code)
            return code;
    }
    return 0;
}

/* A label that only longer inputs have would lie outside the model's outputs. */
static int check_labels(const struct task *t, struct err *e)
{
    if (!target_form(&t->target).labels)
        return 0;
    int have = task_io(t).labels;
    for (int k = 0; k < t->evaluate.lengths.count; k++) {
        int n = (int)t->evaluate.lengths.value[k], want = target_labels(&t->target, n);
        if (want > have)
            return err_set(e, ERR_USAGE, "evaluate.lengths",
                           "at length %d target %s has %d labels, but a model trained at length %lld "
                           "only %d; expected lengths up to space.length", n,
                           target_of(&t->target)->name, want,
                           (long long)space_positions(&t->space), have);
    }
    return 0;
}

/* One output a sample, or one a position. */
static int check_pool(const struct task *t, struct err *e)
{
    bool pooled = target_form(&t->target).pooled;
    if (pooled && t->model.pool == MODEL_POOL_NONE)
        return err_set(e, ERR_USAGE, "model.pool", "target %s has one y a sample; expected mean or "
                       "first", target_of(&t->target)->name);
    if (!pooled && t->model.pool != MODEL_POOL_NONE)
        return err_set(e, ERR_USAGE, "model.pool", "target %s has an output at every position; "
                       "expected none, or data with one y a sample", target_of(&t->target)->name);
    return 0;
}

/* The shortest sample that training or evaluation draws. */
static int64_t shortest(const struct task *t)
{
    const struct option_ints *mixed = &t->train.mixed;
    int64_t least = t->space.length;
    if (space_resizes(&t->space))
        least = space_of(&t->space)->least(&t->space);
    for (int k = 0; k < mixed->count; k++)
        least = mixed->value[k] < least ? mixed->value[k] : least;
    return least;
}

/* Samples of several lengths. */
static int check_own_lengths(const struct task *t, struct err *e)
{
    bool resizes = space_resizes(&t->space), mixed = t->train.mixed.count > 0;
    bool drawn = space_draws(&t->space) && space_of(&t->space)->resizes;
    const struct target *target = target_of(&t->target);
    struct space_config space = t->space;
    if ((resizes || drawn) && t->evaluate.orbit)
        return err_set(e, ERR_USAGE, "evaluate.orbit", "samples of several lengths have unequally many "
                       "images, and of random positions none; expected none");
    if (drawn && target->take)
        return err_set(e, ERR_USAGE, "space.positions.random", "target %s has samples of its own; expected 0",
                       target->name);
    if ((resizes || mixed || target_form(&t->target).lengths) && !prefix_takes_lengths(&t->model))
        return err_set(e, ERR_USAGE, "model.prefix", "registers stand before samples of one length; expected "
                       "none or bos");
    if ((resizes || mixed || target_form(&t->target).lengths) && model_reads_length(&t->model))
        return err_set(e, ERR_USAGE, "model.encoding", "a formula reads n, and samples of a batch have "
                       "several lengths; expected one of d, i, j alone");
    if (!resizes && !mixed)
        return 0;
    if (target->take)
        return err_set(e, ERR_USAGE, resizes ? "space.length_min" : "train.lengths.mixed",
                       "target %s has samples of its own; expected none", target->name);
    space.length = shortest(t);
    return target_check(&t->target, &space, e);
}

/* Lengths of a step's samples, which tables and memory have room for. */
static int check_mixed(const struct task *t, struct err *e)
{
    const struct option_ints *mixed = &t->train.mixed;
    if (!mixed->count)
        return 0;
    if (t->train.lengths.count || space_resizes(&t->space))
        return err_set(e, ERR_USAGE, "train.lengths.mixed", "%s says lengths too; expected one of the two",
                       t->train.lengths.count ? "train.lengths" : "space.length_min");
    if (!space_of(&t->space)->resizes)
        return err_set(e, ERR_USAGE, "train.lengths.mixed", "samples of space %s have one size; expected "
                       "none, or space 'sequence'", space_of(&t->space)->name);
    for (int k = 0; k < mixed->count; k++)
        if (mixed->value[k] > t->space.length)
            return err_set(e, ERR_USAGE, "train.lengths.mixed", "%lld is longer than space.length, %lld, by "
                           "which tables are sized; expected at most that", (long long)mixed->value[k],
                           (long long)t->space.length);
    return 0;
}

static int check_curriculum(const struct task *t, struct err *e)
{
    const struct option_ints *lengths = &t->train.lengths, *shares = &t->train.length_shares;
    if (shares->count && shares->count != lengths->count)
        return err_set(e, ERR_USAGE, "train.length_shares",
                       "%d shares for %d lengths; expected one for each of train.lengths",
                       shares->count, lengths->count);
    if (lengths->count && space_of(&t->space)->positions)
        return err_set(e, ERR_USAGE, "train.lengths",
                       "space %s has a size of its own; expected no curriculum over lengths",
                       space_of(&t->space)->name);
    return 0;
}

/* Rows of a batch are counted by an int.  A curriculum keeps them the same at every length. */
static int check_batch(const struct task *t, struct err *e)
{
    int64_t n = space_positions(&t->space);
    if (t->train.batch <= INT32_MAX / n)
        return 0;
    return err_set(e, ERR_USAGE, "train.batch", "%lld samples of %lld positions are too many for a "
                   "step; expected at most %lld", (long long)t->train.batch, (long long)n,
                   (long long)(INT32_MAX / n));
}

/* Samples are as large as such a space makes them, whatever length is asked for. */
static int check_lengths(const struct task *t, struct err *e)
{
    int64_t n = space_positions(&t->space);
    for (int k = 0; k < t->evaluate.lengths.count && space_of(&t->space)->positions; k++)
        if (t->evaluate.lengths.value[k] != n)
            return err_set(e, ERR_USAGE, "evaluate.lengths",
                           "space %s has a size of its own, %lld, not %lld; expected no other "
                           "length", space_of(&t->space)->name, (long long)n,
                           (long long)t->evaluate.lengths.value[k]);
    return 0;
}

/* The search moves the inputs of one layout. */
static int check_adversary(const struct task *t, struct err *e)
{
    if (t->evaluate.adversary_starts && target_of(&t->target)->take)
        return err_set(e, ERR_USAGE, "evaluate.adversary", "target %s is known on its samples only, "
                       "and the search for the worst case moves inputs; expected starts: 0",
                       target_of(&t->target)->name);
    if (!t->evaluate.adversary_starts || space_is_one(&t->space))
        return 0;
    return err_set(e, ERR_USAGE, "evaluate.adversary",
                   "space %s draws a layout for each sample, and the search for the worst case "
                   "needs one for all; expected starts: 0", space_of(&t->space)->name);
}

/* A pattern of less than one sample would get a whole one, and so a larger share than was declared: a
 * floor of .01 over all inputs would read .12. */
static int check_shares(const struct task *t, struct err *e)
{
    for (int k = 0; pattern_table[k]; k++) {
        double share = t->space.share[k], samples = share * (double)t->evaluate.samples;
        if (share > 0 && !(samples >= 1 - SAMPLE_SLACK))
            return err_set(e, ERR_USAGE, "evaluate.samples",
                           "a share of %.3g %s inputs is less than one of %lld samples; expected at "
                           "least %.0f samples, or a larger share in space.inputs", share,
                           pattern_table[k]->name, (long long)t->evaluate.samples,
                           ceil((1 - SAMPLE_SLACK) / share));
    }
    return 0;
}

static int check_near(const struct task *t, struct err *e)
{
    if (!(t->space.share[PATTERN_NEAR] > 0) || !target_of(&t->target)->tokens)
        return 0;
    return err_set(e, ERR_USAGE, "space.inputs.near.share", "symbols have no distance, and target %s is "
                   "about symbols; expected 0, or a continuous target", target_of(&t->target)->name);
}

static int check_own_inputs(const struct task *t, struct err *e)
{
    return own_inputs_check(&t->space, target_form(&t->target).tokens, e);
}

int task_check(const struct task *t, struct err *e)
{
    static int (*const check[])(const struct task *t, struct err *e) = {
        check_inputs, check_pool, check_mixed, check_own_lengths, check_labels, check_lengths, check_curriculum, check_batch, check_shares,
        check_adversary, check_near, check_own_inputs};
    int code = 0;
    for (size_t k = 0; k < sizeof check / sizeof *check && !code; k++)
        code = check[k](t, e);
    return code;
}
