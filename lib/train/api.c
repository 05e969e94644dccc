/* The trainer as a table of functions, one per precision. */
#include "kernel/kernel.h"
#include "train/train.h"

#define ENTRY(result, name, ...) .name = trainer_##name,
const struct trainer_api trainer_api = {.precision = REAL_NAME,
                                        .digits = REAL_DIGITS,
                                        .kernel_open = kernel_open,
                                        .kernel_name = kernel_name,
                                        .blas_name = kernel_blas_name,
                                        TRAINER_FUNCTIONS(ENTRY)};
