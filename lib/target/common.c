/* What several targets share. */
#include "target/common.h"

const struct option target_shift_options[] = {
    {.key = "k", .type = OPTION_INT, .min = -65535, .max = 65535, .fallback = "1",
     .unit = "tokens", .help = "how far to the right tokens move; negative: to the left"},
    {.key = NULL},
};

int target_check_shift(const struct target_config *c, const struct space_config *s, struct err *e)
{
    double k = c->kind.number[TARGET_SHIFT_K];
    if (k > -(double)s->length && k < (double)s->length)
        return 0;
    return err_set(e, ERR_USAGE, "target.k",
                   "a shift by %.0f moves all %lld tokens out; expected less than the length", k,
                   (long long)s->length);
}

int target_check_even(const struct target_config *c, const struct space_config *s, struct err *e)
{
    if (s->length >= 2)
        return 0;
    return err_set(e, ERR_USAGE, "space.length",
                   "a sequence of 1 has no even token; expected at least 2");
}

int target_vocab_labels(const struct target_config *c, int n)
{
    return target_vocab(c);
}
