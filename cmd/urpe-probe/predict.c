/* urpe-probe predict: a trained cell on the user's own inputs. */
#include "run/predict.h"

#include "base/file.h"
#include "command.h"

static int run(const struct arguments *a, struct err *e)
{
    if (!a->input || !a->output)
        return err_set(e, ERR_USAGE, NULL,
                       "%s FILE is missing; usage: urpe-probe predict CELL --input FILE --output "
                       "FILE",
                       a->input ? "--output" : "--input");
    if (!file_exists(a->operand[0]))
        return err_set(e, ERR_IO, a->operand[0], "does not exist; expected a folder under cells/");
    return predict_cell(a->operand[0], a->input, a->output, a->attention, e);
}

const struct command command_predict = {
    .name = "predict",
    .operands = "CELL",
    .summary = "run a trained cell on your own inputs",
    .details = "CELL is a folder under RESULTS/cells.  Files are safetensors.  The input holds a "
               "tensor x, [batch, n, channels] in the cell's precision (F32 or F64); for token "
               "targets I32 or I64 [batch, n] of symbols.  On graphs it also holds edges, I32 or I64 "
               "[edges, 2], pairs of nodes from 0, one graph for all samples, or [batch, edges, 2], "
               "filled up with -1.  Anything else is refused.  The output gets a tensor y, [batch, n, "
               "channels], for token targets logits [batch, n, labels], without n under model.pool, "
               "and is written whole or not at all.  --attention FILE gets weights [batch, layers, heads, n, n], "
               "what the values are weighted by, C included, and row_sums [batch, layers, heads, n].",
    .flag = {FLAG_INPUT, FLAG_OUTPUT, FLAG_ATTENTION},
    .run = run,
};
