/* urpe-probe samples: a cell's samples as files, for models that are trained elsewhere. */
#include "run/samples_file.h"

#include "command.h"

static int run(const struct arguments *a, struct err *e)
{
    struct spec *s = NULL;
    const struct cell *c;
    if (!a->out)
        return err_set(e, ERR_USAGE, NULL, "--out DIR is missing; usage: urpe-probe samples SPEC --out "
                       "DIR");
    int code = spec_open(&s, a->operand[0], a->set.word, a->set.count, e);
    if (!code)
        code = choose_cell(s, a->cell, &c, e);
    if (!code)
        code = prepare_folder(a->out, "training.safetensors", e);
    if (!code)
        code = samples_write(c, a->out, a->train, e);
    spec_close(s);
    return code;
}

const struct command command_samples = {
    .name = "samples",
    .operands = "SPEC",
    .summary = "write a cell's samples, for models that are trained elsewhere",
    .details = "DIR gets safetensors in the cell's precision.  inputs-LENGTH holds x, [N, n, channels] "
               "or symbols [N, n], on graphs edges too, lengths and "
               "position_ids where these differ: what `predict` takes, and what a model of "
               "your own is to predict for `score`.  targets-LENGTH holds y or labels; "
               "subset, a number that the metadata name; length; orbit, the sample that each is an "
               "image of; scored, where some positions do not count.  training holds x and y of the "
               "first N samples that `run` trains on, in the form that target data reads.\n"
               "The spec must have one cell, or --cell choose it.",
    .flag = {FLAG_SET, FLAG_CELL, FLAG_OUT, FLAG_TRAIN},
    .run = run,
};
