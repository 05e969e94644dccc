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
#define SIZE(id, spec_key, text) \
    {.name = id, .type = COLUMN_NUMBER, .key = spec_key, .help = text}
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
    SIZE("channels", "space.channels", "channels of continuous inputs and outputs"),
    SIZE("vocab", "target.vocab", "symbols of token targets"),
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
    NUMBER("error_rms", "root mean square error"),
    NUMBER("error_rel", "error_rms over the target's rms about its mean; 1: as bad as a constant"),
    NUMBER("error_sup", "largest absolute error on the samples"),
    NUMBER("error_worst", "largest absolute error that a search over inputs found"),
    NUMBER("accuracy", "share of positions with the right label"),
    NUMBER("accuracy_informative", "the same over positions whose label carries information"),
    NUMBER("cross_entropy", "mean cross-entropy, nats"),
    NUMBER("floor_rms", "certified lower bound of error_rms on the same samples"),
    NUMBER("floor_rel", "certified lower bound of error_rel"),
    NUMBER("floor_sup", "certified lower bound of error_sup"),
    NUMBER("floor_worst", "certified lower bound of error_worst"),
    NUMBER("accuracy_ceiling", "certified upper bound of accuracy"),
    NUMBER("cross_entropy_floor", "certified lower bound of cross_entropy, nats"),
    NUMBER("gap_rel", "error_rel - floor_rel"),
    NUMBER("train_loss", "loss of the last step"),
    TIMING("seconds", "training time, s"),
    TIMING("tokens_per_second", "training speed"),
    TIMING("peak_mib", "peak memory of the worker, MiB"),
    TEXT("spec_hash", "hash of the resolved spec"),
    TEXT("version", "version of the program"),
    MACHINE("cpu", "processor"),
    MACHINE("blas", "BLAS library"),
    {.name = "threads", .type = COLUMN_NUMBER, .varies = true, .help = "threads of the worker"},
    NUMBER("witness_rms", "error_rms of explicit weights on the same samples"),
    NUMBER("witness_rel", "error_rel of explicit weights"),
    NUMBER("witness_sup", "error_sup of explicit weights"),
    NUMBER("witness_accuracy", "accuracy of explicit weights"),
    NUMBER("bits_per_byte", "cross_entropy in bits, of target text"),
    {.name = "witness", .type = COLUMN_TEXT, .names = witness_names,
     .help = "explicit weights: known, none, or left-out (more work than the training)"},
    NUMBER("informative_ceiling", "certified upper bound of accuracy_informative"),
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
