/* The trainer as a table of functions, one per precision. */
#include "kernel/kernel.h"
#include "train/trainer.h"

static size_t parameters(const struct trainer *t)
{
    return t->model.tensors.elements;
}

static void *block(struct trainer *t)
{
    return t->p;
}

const struct trainer_api trainer_api = {.precision = REAL_NAME,
                                        .digits = REAL_DIGITS,
                                        .kernel_open = kernel_open,
                                        .kernel_name = kernel_name,
                                        .blas_name = kernel_blas_name,
                                        .open = trainer_open,
                                        .close = trainer_close,
                                        .watch = trainer_watch,
                                        .step_number = trainer_step_number,
                                        .step = trainer_step,
                                        .polish = trainer_polish,
                                        .outputs = trainer_outputs,
                                        .input_gradient = trainer_input_gradient,
                                        .save = trainer_save,
                                        .load = trainer_load,
                                        .price = trainer_price,
                                        .price_pass = trainer_price_pass,
                                        .export_weights = trainer_export,
                                        .import_weights = trainer_import,
                                        .tables = trainer_tables,
                                        .parameters = parameters,
                                        .model = trainer_model,
                                        .block = block};
