/* The columns of results.csv.  Invariant: the order is the file's and never changes; new columns
 * come last. */
#include <string.h>

#include "spec/spec.h"

static const char *const verdict_names[] = {"impossible", "reached", "not-reached", "open", NULL};
static const char *const status_names[] = {"ok", "diverged", "failed", NULL};

static const char *const witness_names[] = {"known", "none", "left-out", NULL};

#define TEXT(id, text) {.name = id, .type = COLUMN_TEXT, .help = text}
#define NAMED(id, spec_key, text) \
    {.name = id, .type = COLUMN_TEXT, .key = spec_key, .help = text}
#define NUMBER(id, text) {.name = id, .type = COLUMN_NUMBER, .help = text}
#define FIGURE(id, of, text) {.name = id, .type = COLUMN_NUMBER, .scope = of, .help = text}
#define SIZE(id, spec_key, text) \
    {.name = id, .type = COLUMN_NUMBER, .key = spec_key, .help = text}
#define SIZE_OF(id, of, spec_key, text) \
    {.name = id, .type = COLUMN_NUMBER, .scope = of, .key = spec_key, .help = text}
#define TIMING(id, text) {.name = id, .type = COLUMN_NUMBER, .varies = true, .help = text}
#define MACHINE(id, text) {.name = id, .type = COLUMN_TEXT, .varies = true, .help = text}

const struct column column_table[] = {
    TEXT("experiment", "name of the spec"),
    TEXT("cell", "id of the cell: hash of what can change its numbers"),
    NUMBER("seed", "seed of the cell"),
    NAMED("target", "target.kind", "function to express"),
    NAMED("encoding", "model.encoding.kind", "positional encoding (B)"),
    NAMED("attention", "model.attention", "rpe or urpe"),
    NAMED("space", "space.kind", "what positions are to each other"),
    NUMBER("length", "evaluated length, tokens"),
    TEXT("subset", "all, generic, or a pattern of space.inputs"),
    SIZE_OF("channels", COLUMN_CONTINUOUS, "space.channels",
            "channels of continuous inputs and outputs"),
    SIZE_OF("vocab", COLUMN_TOKENS, "target.vocab", "symbols of token targets"),
    NAMED("mask", "model.mask", "none or causal"),
    SIZE("layers", "model.layers", "depth"),
    SIZE("heads", "model.heads", "attention heads of a layer"),
    SIZE("width", "model.width", "size of the hidden states"),
    SIZE("ffn", "model.ffn", "hidden size of the feed-forward network"),
    NAMED("norm", "model.norm", "none, pre or post"),
    NAMED("precision", "model.precision", "float or double"),
    NUMBER("params", "number of parameters"),
    NUMBER("steps", "training steps done"),
    {.name = "status", .type = COLUMN_TEXT, .names = status_names,
     .help = "ok, diverged or failed"},
    {.name = "verdict", .type = COLUMN_TEXT, .names = verdict_names,
     .help = "impossible: floor above tolerance; reached: error within it; not-reached"},
    FIGURE("error_rms", COLUMN_CONTINUOUS, "root mean square error"),
    FIGURE("error_rel", COLUMN_CONTINUOUS,
           "error_rms over the target's rms about its mean; 1: as bad as a constant"),
    FIGURE("error_sup", COLUMN_CONTINUOUS, "largest absolute error on the samples"),
    FIGURE("error_worst", COLUMN_SEARCHED,
           "largest absolute error that a search over inputs found"),
    FIGURE("accuracy", COLUMN_TOKENS, "share of positions with the right label"),
    FIGURE("accuracy_informative", COLUMN_TOKENS,
           "the same over positions whose label carries information"),
    FIGURE("cross_entropy", COLUMN_TOKENS, "mean cross-entropy, nats"),
    FIGURE("floor_rms", COLUMN_CONTINUOUS,
           "certified lower bound of error_rms on the same samples"),
    FIGURE("floor_rel", COLUMN_CONTINUOUS, "certified lower bound of error_rel"),
    FIGURE("floor_sup", COLUMN_CONTINUOUS, "certified lower bound of error_sup"),
    FIGURE("floor_worst", COLUMN_SEARCHED, "certified lower bound of error_worst"),
    FIGURE("accuracy_ceiling", COLUMN_TOKENS, "certified upper bound of accuracy"),
    FIGURE("cross_entropy_floor", COLUMN_TOKENS, "certified lower bound of cross_entropy, nats"),
    FIGURE("gap_rel", COLUMN_CONTINUOUS, "error_rel - floor_rel"),
    NUMBER("train_loss", "loss of the last step"),
    TIMING("seconds", "training time, s"),
    TIMING("tokens_per_second", "training speed"),
    TIMING("peak_mib", "peak memory of the worker, MiB"),
    TEXT("spec_hash", "hash of the resolved spec"),
    TEXT("version", "version of the program"),
    MACHINE("cpu", "processor"),
    MACHINE("blas", "BLAS library"),
    {.name = "threads", .type = COLUMN_NUMBER, .varies = true, .help = "threads of the worker"},
    FIGURE("witness_rms", COLUMN_CONTINUOUS, "error_rms of explicit weights on the same samples"),
    FIGURE("witness_rel", COLUMN_CONTINUOUS, "error_rel of explicit weights"),
    FIGURE("witness_sup", COLUMN_CONTINUOUS, "error_sup of explicit weights"),
    FIGURE("witness_accuracy", COLUMN_TOKENS, "accuracy of explicit weights"),
    FIGURE("bits_per_byte", COLUMN_BYTES, "cross_entropy in bits, of target text"),
    {.name = "witness", .type = COLUMN_TEXT, .names = witness_names,
     .help = "explicit weights: known, none, or left-out (more work than the training)"},
    FIGURE("informative_ceiling", COLUMN_TOKENS, "certified upper bound of accuracy_informative"),
    TEXT("settings", "key=value; ...: what is set otherwise than the defaults and has no column"),
    {.name = NULL}};

int column_count(void)
{
    return (int)(sizeof column_table / sizeof column_table[0]) - 1;
}

int column_index(const char *name)
{
    for (int c = 0; column_table[c].name; c++)
        if (!strcmp(column_table[c].name, name))
            return c;
    return -1;
}
