/* What several targets share: option rows, checks and label counts. */
#ifndef TARGET_COMMON_H
#define TARGET_COMMON_H
#include "target/target.h"

/* A row for which of the random targets is meant; read it as an integer. */
#define TARGET_SEED_OPTION                                                                     \
    {.key = "seed", .type = OPTION_INT, .min = 0, .max = 4294967295.0, .fallback = "0",        \
     .help = "which of the random targets"}

/* shift and token_shift: one row, k. */
enum { TARGET_SHIFT_K };
extern const struct option target_shift_options[];
/* Refuses a k that moves everything out of the sequence. */
int target_check_shift(const struct target_config *c, const struct space_config *s, struct err *e);

/* even and etp: refuses a sequence of one token. */
int target_check_even(const struct target_config *c, const struct space_config *s, struct err *e);

/* Labels are symbols: V. */
int target_vocab_labels(const struct target_config *c, int n);

#endif
